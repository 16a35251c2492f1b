/* JSON text into values. */
#include "api/json.h"

#include "check.h"

/* A string literal with its size, which NUL does not end. */
#define TEXT(literal) literal, sizeof(literal) - 1

static struct rtk_json *parse(const char *text) {
  struct rtk_json *root = NULL;
  if (rtk_json_parse(text, strlen(text), &root) != SQLITE_OK) return NULL;
  return root;
}

/* --- what is JSON --------------------------------------------------------- */

struct parse_case {
  const char *name, *text;
  size_t size;
  enum rtk_json_kind kind; /* RTK_JSON_NONE: refused */
};

static void check_parse(const struct parse_case *row) {
  struct rtk_json *const untouched = (struct rtk_json *)(void *)&check;
  struct rtk_json *root = untouched;
  /* Exactly `size` bytes, so that reading on is seen by a sanitizer. */
  char *copy = malloc(row->size + 1);
  assert_non_null(copy);
  memcpy(copy + 1, row->text, row->size);
  int rc = rtk_json_parse(copy + 1, row->size, &root);
  bool is_json = row->kind != RTK_JSON_NONE;
  check_int(row->name, "result", rc, is_json ? SQLITE_OK : SQLITE_ERROR);
  if (rc == SQLITE_OK) {
    check_int(row->name, "kind", rtk_json_kind(root), row->kind);
    rtk_json_free(root);
  } else {
    check_int(row->name, "root untouched", root == untouched, 1);
  }
  free(copy);
}

CASE(json_is_told_from_what_is_none) {
  static const struct parse_case cases[] = {
      {"object", TEXT("{}"), RTK_JSON_OBJECT},
      {"array", TEXT("[]"), RTK_JSON_ARRAY},
      {"string", TEXT("\"\""), RTK_JSON_STRING},
      {"number", TEXT("0"), RTK_JSON_NUMBER},
      {"true", TEXT("true"), RTK_JSON_BOOL},
      {"false", TEXT("false"), RTK_JSON_BOOL},
      {"null", TEXT("null"), RTK_JSON_NULL},
      {"white space around it", TEXT(" \t\r\n{} \t\r\n"), RTK_JSON_OBJECT},
      {"the end is not read", "{}x", 2, RTK_JSON_OBJECT},
      {"a number's end is not read", "12345", 2, RTK_JSON_NUMBER},
      {"byte order mark", TEXT("\xEF\xBB\xBF{}"), RTK_JSON_OBJECT},
      {"escapes", TEXT("\"\\u00e9\\ud83d\\ude00\\n\\\\u0000\""),
       RTK_JSON_STRING},
      {"empty", TEXT(""), RTK_JSON_NONE},
      {"white space alone", TEXT(" \n"), RTK_JSON_NONE},
      {"byte order mark alone", TEXT("\xEF\xBB\xBF"), RTK_JSON_NONE},
      {"HTML", TEXT("<html></html>"), RTK_JSON_NONE},
      {"word", TEXT("Unauthorized"), RTK_JSON_NONE},
      {"truncated object", TEXT("{\"a\":1"), RTK_JSON_NONE},
      {"truncated array", TEXT("[1,"), RTK_JSON_NONE},
      {"truncated string", TEXT("\"abc"), RTK_JSON_NONE},
      {"truncated escape", TEXT("\"\\u00"), RTK_JSON_NONE},
      {"truncated word", TEXT("tru"), RTK_JSON_NONE},
      {"garbage behind", TEXT("{} x"), RTK_JSON_NONE},
      {"garbage right behind", TEXT("{}x"), RTK_JSON_NONE},
      {"a second value", TEXT("{}{}"), RTK_JSON_NONE},
      {"comma behind", TEXT("{},"), RTK_JSON_NONE},
      {"NUL behind", TEXT("{}\0"), RTK_JSON_NONE},
      {"NUL and more behind", TEXT("{}\0{}"), RTK_JSON_NONE},
      {"escaped NUL", TEXT("{\"a\":\"b\\u0000c\"}"), RTK_JSON_NONE},
      {"escaped NUL in a name", TEXT("{\"a\\u0000b\":1}"), RTK_JSON_NONE},
      {"escaped NUL behind a backslash", TEXT("\"\\\\\\u0000\""),
       RTK_JSON_NONE},
      {"single quotes", TEXT("{'a':1}"), RTK_JSON_NONE},
      {"no quotes", TEXT("{a:1}"), RTK_JSON_NONE},
      {"comma too many", TEXT("[1,]"), RTK_JSON_NONE},
      {"comma too many in an object", TEXT("{\"a\":1,}"), RTK_JSON_NONE},
      {"comment", TEXT("/* */{}"), RTK_JSON_NONE},
      {"NaN", TEXT("NaN"), RTK_JSON_NONE},
      {"Infinity", TEXT("-Infinity"), RTK_JSON_NONE},
      {"minus alone", TEXT("-"), RTK_JSON_NONE},
      {"plus", TEXT("+1"), RTK_JSON_NONE},
      {"hexadecimal", TEXT("0x10"), RTK_JSON_NONE},
      {"half a surrogate pair", TEXT("\"\\ud83d\""), RTK_JSON_STRING},
      {"an escape cut short", TEXT("\"\\ud83\""), RTK_JSON_NONE},
      {"bad escape", TEXT("\"\\x\""), RTK_JSON_NONE},
  };
  for (size_t i = 0; i < COUNT(cases); i++) check_parse(&cases[i]);
}

/* RFC 8259 has none of these, nor has SQLite: the column `response` would hold
** text that `->>` calls malformed. */
/* cJSON is more lenient than RFC 8259; what would be cut short is refused. */
CASE(a_nul_is_no_json) {
  static const struct parse_case cases[] = {
      {"NUL in a string", TEXT("\"a\0b\""), RTK_JSON_NONE},
      {"NUL as white space", TEXT("{\0}"), RTK_JSON_NONE},
      {"NUL before it", TEXT("\0{}"), RTK_JSON_NONE},
      {"truncated exponent", TEXT("[1e]"), RTK_JSON_NONE},
  };
  for (size_t i = 0; i < COUNT(cases); i++) check_parse(&cases[i]);
}

CASE(nesting_has_a_limit) {
  static const struct {
    const char *name;
    size_t depth;
    int rc;
  } cases[] = {
      {"deep", 500, SQLITE_OK},
      {"too deep", 5000, SQLITE_ERROR},
      {"a megabyte of brackets", 524288, SQLITE_ERROR},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_json *root = NULL;
    char *text = malloc(2 * cases[i].depth);
    assert_non_null(text);
    memset(text, '[', cases[i].depth);
    memset(text + cases[i].depth, ']', cases[i].depth);
    int rc = rtk_json_parse(text, 2 * cases[i].depth, &root);
    check_int(cases[i].name, "result", rc, cases[i].rc);
    if (rc == SQLITE_OK) {
      struct rtk_value value;
      check_int(cases[i].name, "text",
                rtk_json_value(root, text, RTK_JSON_AS_TEXT, &value),
                SQLITE_OK);
      check_bytes(cases[i].name, "text", value.as.text, value.size, text,
                  2 * cases[i].depth);
      rtk_json_free(root);
    }
    free(text);
  }
}

/* --- values --------------------------------------------------------------- */

static struct rtk_value integer(int64_t number) {
  return (struct rtk_value){.type = RTK_INTEGER, .as.integer = number};
}

static struct rtk_value real(double number) {
  return (struct rtk_value){.type = RTK_REAL, .as.real = number};
}

static struct rtk_value text(const char *bytes) {
  return (struct rtk_value){
      .type = RTK_TEXT, .size = (uint32_t)strlen(bytes), .as.text = bytes};
}

static void check_value(const char *name, const struct rtk_json *node,
                        enum rtk_json_form form, struct rtk_value expected) {
  struct rtk_value value = {.type = RTK_NULL};
  check_int(name, "result", rtk_json_value(node, name, form, &value),
            SQLITE_OK);
  check_int(name, "type", value.type, expected.type);
  check_int(name, "size", value.size, expected.size);
  if (value.type == expected.type) {
    switch (value.type) {
    case RTK_NULL:
      break;
    case RTK_INTEGER:
      check_int(name, "value", value.as.integer, expected.as.integer);
      break;
    case RTK_REAL:
      check_real(name, "value", value.as.real, expected.as.real);
      break;
    case RTK_TEXT:
      check_bytes(name, "value", value.as.text, value.size, expected.as.text,
                  expected.size);
      break;
    }
  }
}

static void check_values(const char *json, enum rtk_json_form form,
                         struct rtk_value expected) {
  struct rtk_json *root = parse(json);
  check_int(json, "is JSON", root != NULL, 1);
  if (root != NULL) check_value(json, root, form, expected);
  rtk_json_free(root);
}

CASE(numbers_keep_what_they_are) {
  const struct {
    const char *json;
    struct rtk_value expected;
  } cases[] = {
      {"0", integer(0)},
      {"-0", integer(0)},
      {"42", integer(42)},
      {"-42", integer(-42)},
      {"42.0", integer(42)},
      {"1e3", integer(1000)},
      {"1E+3", integer(1000)},
      {"1200e-2", integer(12)},
      {"1.5", real(1.5)},
      {"-1.5", real(-1.5)},
      {"1e-3", real(0.001)},
      {"15e-1", real(1.5)},
      {"0.1", real(0.1)},
      {"116.11599994199997", real(116.11599994199997)},
      {"2147483648", integer(2147483648)},
      {"9007199254740991", integer(9007199254740991)},
      {"-9007199254740991", integer(-9007199254740991)},
      {"9007199254740992", real(9007199254740992.0)},
      {"-9007199254740992", real(-9007199254740992.0)},
      {"9007199254740994", real(9007199254740994.0)},
      {"-9007199254740994", real(-9007199254740994.0)},
      {"4503599627370495.5", real(4503599627370495.5)},
      {"9223372036854775807", real(9223372036854775808.0)},
      {"18446744073709551616", real(18446744073709551616.0)},
      {"1e300", real(1e300)},
      {"-1e300", real(-1e300)},
      {"2.2250738585072014e-308", real(2.2250738585072014e-308)},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    check_values(cases[i].json, RTK_JSON_AS_BOOL, cases[i].expected);
    check_values(cases[i].json, RTK_JSON_AS_NUMBER, cases[i].expected);
  }
}

/* A published example has "null" where there is no time. */
CASE(a_time_may_be_the_word_null) {
  check_values("\"null\"", RTK_JSON_AS_TIME,
               (struct rtk_value){.type = RTK_NULL});
  check_values("null", RTK_JSON_AS_TIME, (struct rtk_value){.type = RTK_NULL});
  check_values("\"null \"", RTK_JSON_AS_TIME, text("null "));
  check_values("true", RTK_JSON_AS_TIME, text("true"));
  check_values("\"null\"", RTK_JSON_AS_TEXT, text("null"));
}

/* The first integers that no double holds: INTEGER would claim a number that
** the reply does not have. */
CASE(an_integer_that_was_rounded_is_real) {
  check_values("9007199254740993", RTK_JSON_AS_NUMBER,
               real(9007199254740992.0));
  check_values("-9007199254740993", RTK_JSON_AS_NUMBER,
               real(-9007199254740992.0));
}

CASE(other_values_become_sql_values) {
  const struct rtk_value null = {.type = RTK_NULL};
  const struct {
    const char *json;
    struct rtk_value expected;
  } cases[] = {
      {"null", null},
      {"true", text("true")},
      {"false", text("false")},
      {"\"\"", text("")},
      {"\"abc\"", text("abc")},
      {"\"116\"", text("116")},
      {"\"\\u00e9\\n\\\"\"", text("\xC3\xA9\n\"")},
      {"\"\xF0\x9F\x98\x80\"", text("\xF0\x9F\x98\x80")},
      {"{}", text("{}")},
      {"[]", text("[]")},
      {" { \"a\" : [ 1 , 2.5 , null ] } ",
       text("{ \"a\" : [ 1 , 2.5 , null ] }")},
      {"[\"\\u00e9\",true]", text("[\"\\u00e9\",true]")},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    check_values(cases[i].json, RTK_JSON_AS_TEXT, cases[i].expected);
  }
  check_value("no node", NULL, RTK_JSON_AS_TEXT, null);
  check_value("no node, numeric", NULL, RTK_JSON_AS_NUMBER, null);
}

/* As it stands: where a column is TEXT, an id that is a number is text like any
** other id, with all its digits. */
CASE(a_number_can_be_text) {
  static const struct {
    const char *json, *text;
  } cases[] = {
      {"{\"a\":7}", "7"},
      {"{\"a\":-0}", "-0"},
      {"{\"b\":5,\"a\" : 1.50 }", "1.50"},
      {"{\"a\":1e3,\"b\":5}", "1e3"},
      {"{\"a\":1e400}", "1e400"},
      {"{\"a\":9007199254740993}", "9007199254740993"},
      {"{\"a\":12345678901234567890\n}", "12345678901234567890"},
      {"\xEF\xBB\xBF{\"b\":[1,{}],\"a\":2\t,\"c\":3}", "2"},
      {"{\"b\":\"\\ud83d\",\"a\":true}", "true"},
      {"{\"a\": false}", "false"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_json *root = parse(cases[i].json);
    struct rtk_value value = {.type = RTK_NULL};
    assert_non_null(root);
    check_int(cases[i].json, "result",
              rtk_json_value(rtk_json_member(root, "a"), cases[i].json,
                             RTK_JSON_AS_TEXT, &value),
              SQLITE_OK);
    check_int(cases[i].json, "type", value.type, RTK_TEXT);
    if (value.type == RTK_TEXT) {
      check_bytes(cases[i].json, "text", value.as.text, value.size,
                  cases[i].text, strlen(cases[i].text));
    }
    rtk_json_free(root);
  }
}

CASE(a_number_in_quotes_is_a_number) {
  const struct rtk_value null = {.type = RTK_NULL};
  const struct {
    const char *json;
    struct rtk_value expected;
  } cases[] = {
      {"\"116\"", integer(116)},
      {"\"-5\"", integer(-5)},
      {"\"0\"", integer(0)},
      {"\"116.5\"", real(116.5)},
      {"\"1e3\"", integer(1000)},
      {"\"9007199254740994\"", real(9007199254740994.0)},
      {"\"\"", null},
      {"\" \"", null},
      {"\"1e400\"", null},
      {"1e400", null},
      {"-1e400", null},
      {"\" 5\"", integer(5)},
      {"\"5 \"", integer(5)},
      {"\"5\\n\"", integer(5)},
      {"\"5x\"", text("5x")},
      {"\"5,5\"", text("5,5")},
      {"\"5 6\"", text("5 6")},
      {"\"-\"", text("-")},
      {"\"+5\"", text("+5")},
      {"\".5\"", text(".5")},
      {"\"0x10\"", text("0x10")},
      {"\"NaN\"", null},
      {"\"nan\"", null},
      {"\"Infinity\"", null},
      {"\" -Infinity \"", null},
      {"\"Infinite\"", text("Infinite")},
      {"\"yes\"", text("yes")},
      {"\"null\"", text("null")},
      {"\"true\"", text("true")},
      {"\"[5]\"", text("[5]")},
      {"\"\\\"5\\\"\"", text("\"5\"")},
      {"\"\\\\u0000\"", text("\\u0000")},
      {"\"2026-01-01T00:00:00Z\"", text("2026-01-01T00:00:00Z")},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    check_values(cases[i].json, RTK_JSON_AS_NUMBER, cases[i].expected);
  }
}

/* No JSON number begins with a zero or ends with a point. */
CASE(nearly_a_number_in_quotes_is_text) {
  check_values("\"007\"", RTK_JSON_AS_NUMBER, text("007"));
  check_values("\"5.\"", RTK_JSON_AS_NUMBER, text("5."));
}

CASE(a_boolean_has_many_forms) {
  const struct rtk_value null = {.type = RTK_NULL};
  const struct {
    const char *json;
    struct rtk_value expected;
  } cases[] = {
      {"true", integer(1)},
      {"false", integer(0)},
      {"\"true\"", integer(1)},
      {"\"false\"", integer(0)},
      {"\"True\"", integer(1)},
      {"\"FALSE\"", integer(0)},
      {"\" true \"", integer(1)},
      {"1", integer(1)},
      {"\"0\"", integer(0)},
      {"\"\"", null},
      {"null", null},
      {"\"NaN\"", null},
      {"\"yes\"", integer(1)},
      {"\"Yes\"", integer(1)},
      {"\"on\"", integer(1)},
      {"\"no\"", integer(0)},
      {"\"OFF\"", integer(0)},
      {"\"maybe\"", text("maybe")},
      {"\"truely\"", text("truely")},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    check_values(cases[i].json, RTK_JSON_AS_BOOL, cases[i].expected);
  }
}

/* What is nested comes as it stands in the reply: printed anew, large integers
** would lose digits. */
CASE(what_is_nested_keeps_its_text) {
  static const struct {
    const char *json, *member, *raw;
  } cases[] = {
      {"{\"a\":{\"n\":9007199254740993}}", "a", "{\"n\":9007199254740993}"},
      {"{\"b\":1,\"a\":[1e400,-0]}", "a", "[1e400,-0]"},
      {"{ \"b\" : \"}]\\\"{\" , \"a\" : [ ] }", "a", "[ ]"},
      {"{\"b\":[{},[],{\"c\":[1,2]}],\"a\":{}}", "a", "{}"},
      {"{\"\\u0061\":[1],\"b\":{\"a\":2}}", "b", "{\"a\":2}"},
      {"{\"x\":true,\"y\":null,\"z\":1.5e3,\"a\":[\"\\ud83d\"]}", "a",
       "[\"\\ud83d\"]"},
      {"\xEF\xBB\xBF{\"a\":[1]}", "a", "[1]"},
      {"\n\t{\x01\"a\"\x02:\x03[1]\x04}", "a", "[1]"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_json *root = parse(cases[i].json);
    assert_non_null(root);
    struct rtk_text raw =
        rtk_json_raw(rtk_json_member(root, cases[i].member), cases[i].json);
    check_bytes(cases[i].json, "raw", raw.bytes, raw.size, cases[i].raw,
                strlen(cases[i].raw));
    rtk_json_free(root);
  }
}

CASE(half_a_surrogate_pair_is_replaced) {
  static const struct {
    const char *json, *text;
  } cases[] = {
      {"\"cut \\ud83d\"", "cut \xEF\xBF\xBD"},
      {"\"\\ud83d\\ude00\"", "\xF0\x9F\x98\x80"},
      {"\"\\ude00x\"", "\xEF\xBF\xBDx"},
      {"\"\\uD83D\\uD83D\\uDE00\"", "\xEF\xBF\xBD\xF0\x9F\x98\x80"},
      {"\"\\ud83d\\n\"", "\xEF\xBF\xBD\n"},
      {"\"\\\\ud83d\"", "\\ud83d"},
      {"\"\\ud83d\\u\"", NULL},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_json *root = NULL;
    int rc = rtk_json_parse(cases[i].json, strlen(cases[i].json), &root);
    check_int(cases[i].json, "result", rc,
              cases[i].text == NULL ? SQLITE_ERROR : SQLITE_OK);
    if (rc != SQLITE_OK) continue;
    check_text(cases[i].json, "text", rtk_json_string(root), cases[i].text);
    rtk_json_free(root);
  }
}

/* --- nodes ---------------------------------------------------------------- */

CASE(members_are_found_by_exact_name) {
  struct rtk_json *root =
      parse("{\"Data\":1,\"data\":{\"id\":\"x\"},\"list\":[1,\"b\"],"
            "\"\":5,\"none\":null}");
  const struct rtk_json *list = rtk_json_member(root, "list");
  assert_non_null(root);
  check_int("data", "kind", rtk_json_kind(rtk_json_member(root, "data")),
            RTK_JSON_OBJECT);
  check_int("Data", "int", rtk_json_int(rtk_json_member(root, "Data"), -1), 1);
  check_int("empty name", "int", rtk_json_int(rtk_json_member(root, ""), -1),
            5);
  check_int("DATA", "found", rtk_json_member(root, "DATA") != NULL, 0);
  check_int("dat", "found", rtk_json_member(root, "dat") != NULL, 0);
  check_int("null is there", "kind",
            rtk_json_kind(rtk_json_member(root, "none")), RTK_JSON_NULL);
  check_text(
      "in an object in it", "string",
      rtk_json_string(rtk_json_member(rtk_json_member(root, "data"), "id")),
      "x");
  check_int("member of an array", "found", rtk_json_member(list, "0") != NULL,
            0);
  check_int("first of an array", "int", rtk_json_int(rtk_json_first(list), -1),
            1);
  check_int("first of an object", "found", rtk_json_first(root) != NULL, 0);
  rtk_json_free(root);
}

CASE(a_path_leads_through_objects) {
  static const struct {
    const char *path;
    enum rtk_json_kind kind;
  } cases[] = {
      {"data", RTK_JSON_OBJECT},
      {"data.rows", RTK_JSON_ARRAY},
      {"data.a.b.c", RTK_JSON_NUMBER},
      {"", RTK_JSON_OBJECT}, /* the node itself */
      {"data.none", RTK_JSON_NULL},
      {"data.none.more", RTK_JSON_NONE},
      {"data.rows.0", RTK_JSON_NONE},
      {"data.Rows", RTK_JSON_NONE},
      {"rows", RTK_JSON_NONE},
      {"data..a", RTK_JSON_NONE},
      {".data", RTK_JSON_NONE},
      {"data.n63456789a123456789b123456789c123456789d123456789e123456789f123",
       RTK_JSON_STRING},
      {"data.n63456789a123456789b123456789c123456789d123456789e123456789f1234",
       RTK_JSON_NONE},
  };
  struct rtk_json *root = parse(
      "{\"data\":{\"rows\":[1],\"a\":{\"b\":{\"c\":5}},\"none\":null,"
      "\"n63456789a123456789b123456789c123456789d123456789e123456789f123\":"
      "\"63\","
      "\"n63456789a123456789b123456789c123456789d123456789e123456789f1234\":"
      "\"64\"}}");
  for (size_t i = 0; i < COUNT(cases); i++) {
    check_int(cases[i].path, "kind",
              rtk_json_kind(rtk_json_at(root, cases[i].path)), cases[i].kind);
  }
  check_int("no node", "found", rtk_json_at(NULL, "data") != NULL, 0);
  rtk_json_free(root);
}

/* The rows of a node one after the other, as text. */
CASE(rows_are_the_elements_or_the_node) {
  static const struct {
    const char *text, *rows;
    int count;
  } cases[] = {
      {"[]", "", 0},
      {"[{\"a\":1}]", "{\"a\":1};", 1},
      {"[{\"a\":1},[2,3],null]", "{\"a\":1};[2,3];null;", 3},
      {"{\"a\":[1,2]}", "{\"a\":[1,2]};", 1},
      {"null", "null;", 1},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_json *root = NULL;
    const struct rtk_json *row = NULL;
    sqlite3_str *out = sqlite3_str_new(NULL);
    assert_int_equal(
        rtk_json_parse(cases[i].text, strlen(cases[i].text), &root), SQLITE_OK);
    while ((row = rtk_json_next_row(root, row)) != NULL) {
      struct rtk_value value;
      assert_int_equal(
          rtk_json_value(row, cases[i].text, RTK_JSON_AS_TEXT, &value),
          SQLITE_OK);
      sqlite3_str_appendf(out, "%.*s;",
                          value.type == RTK_TEXT ? (int)value.size : 4,
                          value.type == RTK_TEXT ? value.as.text : "null");
    }
    char *rows = sqlite3_str_finish(out);
    check_text(cases[i].text, "rows", rows == NULL ? "" : rows, cases[i].rows);
    check_int(cases[i].text, "count", (long long)rtk_json_row_count(root),
              cases[i].count);
    sqlite3_free(rows);
    rtk_json_free(root);
  }
}

CASE(a_column_is_at_a_path) {
  static const char text[] =
      "[{\"a\":{\"b\":{\"c\":\"x\"}},\"d\":7},\"y\",{\"a\":[],\"d\":true}]";
  static const char *const paths[] = {"d", "a.b.c", "a.b", ""};
  enum { ROWS = 3, COLUMNS = (int)COUNT(paths) };
  static const char *const texts[ROWS * COLUMNS] = {
      "7",
      "x",
      "{\"c\":\"x\"}",
      "{\"a\":{\"b\":{\"c\":\"x\"}},\"d\":7}",
      NULL,
      NULL,
      NULL,
      "y",
      "true",
      NULL,
      NULL,
      "{\"a\":[],\"d\":true}"};
  static const enum rtk_json_form forms[] = {RTK_JSON_AS_TEXT,
                                             RTK_JSON_AS_JSON};
  struct rtk_json *root = parse(text);
  for (size_t f = 0; f < COUNT(forms); f++) {
    struct rtk_json_column columns[COLUMNS];
    struct rtk_value values[ROWS * COLUMNS];
    bool has_quotes = forms[f] == RTK_JSON_AS_JSON;
    for (int i = 0; i < COLUMNS; i++) {
      columns[i] = rtk_json_column(paths[i], forms[f]);
    }
    assert_int_equal(rtk_json_read(root, text, columns, COLUMNS, values),
                     SQLITE_OK);
    for (int i = 0; i < ROWS * COLUMNS; i++) {
      const char *wanted = texts[i];
      if (has_quotes && wanted != NULL && wanted[1] == '\0' &&
          wanted[0] > '9') {
        wanted = *wanted == 'x' ? "\"x\"" : "\"y\"";
      }
      check_int(paths[i % COLUMNS], "type", values[i].type,
                wanted == NULL ? RTK_NULL : RTK_TEXT);
      if (wanted == NULL) continue;
      check_bytes(paths[i % COLUMNS], "text", values[i].as.text, values[i].size,
                  wanted, strlen(wanted));
    }
  }
  check_int("mixed rows", "objects only",
            rtk_json_has_only(root, RTK_JSON_OBJECT), 0);
  rtk_json_free(root);
}

CASE(no_node_is_taken_everywhere) {
  check_int("NULL", "kind", rtk_json_kind(NULL), RTK_JSON_NONE);
  check_int("NULL", "member", rtk_json_member(NULL, "a") != NULL, 0);
  check_int("NULL", "first", rtk_json_first(NULL) != NULL, 0);
  check_int("NULL", "row", rtk_json_next_row(NULL, NULL) != NULL, 0);
  check_int("NULL", "rows", (long long)rtk_json_row_count(NULL), 0);
  check_int("NULL", "is true", rtk_json_is_true(NULL), 0);
  check_text("NULL", "string", rtk_json_string(NULL), NULL);
  check_int("NULL", "int", rtk_json_int(NULL, 7), 7);
  rtk_json_free(NULL);
}

CASE(nodes_are_read_as_one_thing_only) {
  static const struct {
    const char *json;
    bool is_true;
    const char *string;
    int64_t number; /* -7: none */
  } cases[] = {
      {"true", true, NULL, -7},
      {"false", false, NULL, -7},
      {"null", false, NULL, -7},
      {"1", false, NULL, 1},
      {"\"true\"", false, "true", -7},
      {"\"1\"", false, "1", 1},
      {"\"7003\"", false, "7003", 7003},
      {"\"1.5\"", false, "1.5", -7},
      {"-10000", false, NULL, -10000},
      {"2147483647", false, NULL, 2147483647},
      {"-2147483647", false, NULL, -2147483647},
      {"5000000000", false, NULL, 5000000000},
      {"-5000000000", false, NULL, -5000000000},
      {"9007199254740991", false, NULL, 9007199254740991},
      {"9007199254740992", false, NULL, -7},
      {"1e300", false, NULL, -7},
      {"[1]", false, NULL, -7},
      {"{}", false, NULL, -7},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_json *root = parse(cases[i].json);
    check_int(cases[i].json, "is true", rtk_json_is_true(root),
              cases[i].is_true);
    check_text(cases[i].json, "string", rtk_json_string(root), cases[i].string);
    check_int(cases[i].json, "int", rtk_json_int(root, -7), cases[i].number);
    rtk_json_free(root);
  }
}

/* --- no memory ------------------------------------------------------------ */

static int parse_and_read(void *arg) {
  struct rtk_json *root = NULL;
  struct rtk_value value;
  int rc = rtk_json_parse(arg, strlen(arg), &root);
  if (rc != SQLITE_OK) return rc;
  rc = rtk_json_value(rtk_json_member(root, "n"), arg, RTK_JSON_AS_NUMBER,
                      &value);
  if (rc == SQLITE_OK) check_int("\"116\"", "type", value.type, RTK_INTEGER);
  if (rc == SQLITE_OK) {
    rc = rtk_json_value(rtk_json_member(root, "a"), arg, RTK_JSON_AS_NUMBER,
                        &value);
  }
  rtk_json_free(root);
  return rc;
}

CASE(no_memory_is_not_taken_for_bad_json) {
  static char json[] = "{\"a\":[1,\"\\ud83d\",{\"c\":null}],\"n\":\"116\"}";
  check_nomem("parse and read", parse_and_read, json, false);
}

int main(void) { return check_run(); }
