/* What one request came to, in one block of memory. */
#include "api/reply.h"

#include "api/endpoint.h"
#include "api/json.h"
#include "base/limits.h"

#include "check.h"

static const struct rtk_column columns[] = {
    {.name = "id"},
    {.name = "seconds", .type = RTK_COLUMN_NUMERIC},
    {.name = "count", .type = RTK_COLUMN_INTEGER},
    {.name = "session_id", .kind = RTK_COLUMN_ARGUMENT},
    {.name = "note", .is_hidden = true},
    {.name = "error", .kind = RTK_COLUMN_ERROR},
    {.name = "http_status", .kind = RTK_COLUMN_STATUS},
    {.name = "response", .kind = RTK_COLUMN_RESPONSE},
};

static const struct rtk_endpoint endpoint = {.name = "rtk_thing",
                                             .noun = "thing",
                                             .rows = {"data"},
                                             .columns = columns,
                                             .column_count = COUNT(columns)};

/* The values of a row: those of the columns of data. */
enum { ID, SECONDS, NUMBER, NOTE, VALUES };

/* The reply of this row; the document is gone and overwritten by then. */
static struct rtk_reply *reply_of(const struct rtk_endpoint *of,
                                  const char *json, const char *body) {
  struct rtk_json *row = NULL;
  struct rtk_reply *reply = NULL;
  char *copy = sqlite3_mprintf("%s", body);
  int rc = rtk_json_parse(json, strlen(json), &row);
  check_int(json, "JSON", rc, SQLITE_OK);
  rc =
      rtk_reply_of_rows(of, 200,
                        &(struct rtk_reply_source){.rows = row,
                                                   .text = json,
                                                   .body = {copy, strlen(copy)},
                                                   .total_count = -1},
                        &reply);
  check_int(json, "reply", rc, SQLITE_OK);
  memset(copy, '?', strlen(copy));
  sqlite3_free(copy);
  rtk_json_free(row);
  return reply;
}

static void check_value(const char *name, const struct rtk_value *value,
                        enum rtk_type type, int64_t integer, const char *text) {
  check_int(name, "type", value->type, type);
  if (value->type != type) return;
  if (type == RTK_INTEGER) check_int(name, "value", value->as.integer, integer);
  if (type == RTK_REAL) check_real(name, "value", value->as.real, 1.5);
  if (type == RTK_TEXT) {
    check_bytes(name, "value", value->as.text, value->size, text, strlen(text));
  }
}

CASE(a_row_has_a_value_for_each_column) {
  static const struct {
    const char *name, *json;
    int column;
    enum rtk_type type;
    int64_t integer;
    const char *text;
  } cases[] = {
      {"text", "{\"id\":\"a\"}", ID, RTK_TEXT, 0, "a"},
      {"empty text", "{\"id\":\"\"}", ID, RTK_TEXT, 0, ""},
      {"missing", "{}", ID, RTK_NULL, 0, NULL},
      {"null", "{\"id\":null}", ID, RTK_NULL, 0, NULL},
      {"another case", "{\"ID\":\"a\"}", ID, RTK_NULL, 0, NULL},
      {"number in a text column", "{\"id\":7}", ID, RTK_TEXT, 0, "7"},
      {"quoted number in a text column", "{\"id\":\"7\"}", ID, RTK_TEXT, 0,
       "7"},
      {"integer", "{\"seconds\":7}", SECONDS, RTK_INTEGER, 7, NULL},
      {"real", "{\"seconds\":1.5}", SECONDS, RTK_REAL, 0, NULL},
      {"quoted number", "{\"seconds\":\"7\"}", SECONDS, RTK_INTEGER, 7, NULL},
      {"quoted real", "{\"seconds\":\"1.5\"}", SECONDS, RTK_REAL, 0, NULL},
      {"words for a number", "{\"seconds\":\"none\"}", SECONDS, RTK_TEXT, 0,
       "none"},
      {"quoted integer", "{\"count\":\"7\"}", NUMBER, RTK_INTEGER, 7, NULL},
      {"empty number", "{\"seconds\":\"\"}", SECONDS, RTK_NULL, 0, NULL},
      {"no double", "{\"seconds\":1e400}", SECONDS, RTK_NULL, 0, NULL},
      {"quoted, no double", "{\"seconds\":\"1e400\"}", SECONDS, RTK_NULL, 0,
       NULL},
      {"true in quotes", "{\"count\":\"true\"}", NUMBER, RTK_INTEGER, 1, NULL},
      {"false in quotes", "{\"count\":\"False\"}", NUMBER, RTK_INTEGER, 0,
       NULL},
      {"true for a number", "{\"seconds\":\"true\"}", SECONDS, RTK_TEXT, 0,
       "true"},
      {"digits beyond 2^53", "{\"note\":{\"n\":9007199254740993}}", NOTE,
       RTK_TEXT, 0, "{\"n\":9007199254740993}"},
      {"hidden", "{\"note\":\"n\"}", NOTE, RTK_TEXT, 0, "n"},
      {"argument, though the reply has one", "{\"session_id\":\"n\"}", NOTE,
       RTK_NULL, 0, NULL},
      {"object", "{\"note\":{\"a\":[1]}}", NOTE, RTK_TEXT, 0, "{\"a\":[1]}"},
      {"array", "{\"note\":[]}", NOTE, RTK_TEXT, 0, "[]"},
      {"true", "{\"note\":true}", NOTE, RTK_TEXT, 0, "true"},
      {"unknown fields", "{\"more\":1,\"id\":\"a\",\"other\":{}}", ID, RTK_TEXT,
       0, "a"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_reply *reply = reply_of(&endpoint, cases[i].json, "{}");
    if (reply == NULL) continue;
    check_value(cases[i].name, &reply->values[cases[i].column], cases[i].type,
                cases[i].integer, cases[i].text);
    rtk_reply_free(reply);
  }
}

CASE(everything_is_copied) {
  struct rtk_reply *reply =
      reply_of(&endpoint, "{\"id\":\"one\",\"note\":{\"a\":1},\"seconds\":1.5}",
               "the body");
  assert_non_null(reply);
  check_int("row", "outcome", reply->outcome, RTK_OUTCOME_ROWS);
  check_int("row", "http_status", reply->http_status, 200);
  check_int("row", "row_count", reply->row_count, 1);
  check_text("row", "error", reply->error, NULL);
  check_value("id", &reply->values[ID], RTK_TEXT, 0, "one");
  check_value("note", &reply->values[NOTE], RTK_TEXT, 0, "{\"a\":1}");
  check_value("seconds", &reply->values[SECONDS], RTK_REAL, 0, NULL);
  check_bytes("row", "body", reply->body.bytes, reply->body.size, "the body",
              8);
  check_int("row", "size", (int64_t)reply->size,
            (int64_t)(sizeof(*reply) + 3 + 7 + 8 +
                      VALUES * sizeof(struct rtk_value)));
  rtk_reply_free(reply);
}

CASE(a_list_has_a_row_for_each_object) {
  static const struct {
    const char *name, *json;
    int row_count;
  } cases[] = {
      {"none", "[]", 0},
      {"one", "[{\"id\":\"a\"}]", 1},
      {"three", "[{\"id\":\"a\"},{},{\"id\":[2]}]", 3},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_reply *reply = reply_of(&endpoint, cases[i].json, "body");
    if (reply == NULL) continue;
    check_int(cases[i].name, "rows", reply->row_count, cases[i].row_count);
    if (cases[i].row_count > 0) {
      check_value(cases[i].name, &reply->values[ID], RTK_TEXT, 0, "a");
    }
    if (cases[i].row_count > 1) {
      check_value(cases[i].name, &reply->values[VALUES + ID], RTK_NULL, 0,
                  NULL);
    }
    if (cases[i].row_count > 2) {
      check_value(cases[i].name, &reply->values[2 * VALUES + ID], RTK_TEXT, 0,
                  "[2]");
    }
    check_int(cases[i].name, "total", reply->total_count, -1);
    rtk_reply_free(reply);
  }
}

/* A reply whose schema says that there is none. */
CASE(no_rows_are_no_row) {
  struct rtk_reply_source source = {.body = {"{}", 2}, .total_count = 250};
  struct rtk_reply *reply = NULL;
  assert_int_equal(rtk_reply_of_rows(&endpoint, 200, &source, &reply),
                   SQLITE_OK);
  check_int("none", "outcome", reply->outcome, RTK_OUTCOME_ROWS);
  check_int("none", "rows", reply->row_count, 0);
  check_int("none", "total", reply->total_count, 250);
  check_bytes("none", "body", reply->body.bytes, reply->body.size, "{}", 2);
  rtk_reply_free(reply);
}

CASE(a_body_may_be_empty_or_have_nul) {
  struct rtk_json *row = NULL;
  struct rtk_reply *reply = NULL;
  assert_int_equal(rtk_json_parse("{}", 2, &row), SQLITE_OK);
  (void)rtk_reply_of_rows(&endpoint, 200,
                          &(struct rtk_reply_source){.rows = row}, &reply);
  check_int("empty", "size", (int64_t)reply->body.size, 0);
  rtk_reply_free(reply);
  (void)rtk_reply_of_rows(
      &endpoint, 203,
      &(struct rtk_reply_source){.rows = row, .body = {"a\0b", 3}}, &reply);
  check_bytes("NUL", "body", reply->body.bytes, reply->body.size, "a\0b", 3);
  check_int("NUL", "http_status", reply->http_status, 203);
  rtk_reply_free(reply);
  rtk_json_free(row);
  rtk_reply_free(NULL);
}

/* As many columns as there may be, each with a nested value of its own. */
CASE(the_widest_endpoint_fits) {
  static struct rtk_column wide[RTK_COLUMNS_MAX];
  static char names[RTK_COLUMNS_MAX][8];
  struct rtk_endpoint widest = endpoint;
  sqlite3_str *json = sqlite3_str_new(NULL);
  for (int i = 0; i < RTK_COLUMNS_MAX; i++) {
    sqlite3_snprintf(sizeof(names[i]), names[i], "c%d", i);
    wide[i] = (struct rtk_column){.name = names[i]};
    sqlite3_str_appendf(json, "%s\"c%d\":[%d]", i == 0 ? "{" : ",", i, i);
  }
  sqlite3_str_appendall(json, "}");
  char *text = sqlite3_str_finish(json);
  widest.columns = wide;
  widest.column_count = RTK_COLUMNS_MAX;
  struct rtk_reply *reply = reply_of(&widest, text, text);
  assert_non_null(reply);
  for (int i = 0; i < RTK_COLUMNS_MAX; i++) {
    char expected[8];
    sqlite3_snprintf(sizeof(expected), expected, "[%d]", i);
    check_value(names[i], &reply->values[i], RTK_TEXT, 0, expected);
  }
  check_bytes("widest", "body", reply->body.bytes, reply->body.size, text,
              strlen(text));
  rtk_reply_free(reply);
  sqlite3_free(text);
}

CASE(an_error_is_copied) {
  static const struct {
    const char *name, *error;
    enum rtk_outcome outcome;
    int http_status;
  } cases[] = {
      {"gone", "HTTP 404", RTK_OUTCOME_GONE, 404},
      {"failed", "no reply", RTK_OUTCOME_FAILED, 0},
      {"denied", "HTTP 403", RTK_OUTCOME_DENIED, 403},
      {"caller", "HTTP 401", RTK_OUTCOME_CALLER, 401},
      {"empty", "", RTK_OUTCOME_FAILED, 500},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char *error = sqlite3_mprintf("%s", cases[i].error);
    struct rtk_reply *reply = NULL;
    struct rtk_reply draft = {.outcome = cases[i].outcome,
                              .http_status = cases[i].http_status,
                              .error = error,
                              .kind = RTK_KIND_SERVER,
                              .retry_unix_ms = 77};
    int rc = rtk_reply_of_error(&draft, &reply);
    memset(error, '?', strlen(error));
    sqlite3_free(error);
    check_int(cases[i].name, "result", rc, SQLITE_OK);
    if (reply == NULL) continue;
    check_int(cases[i].name, "outcome", reply->outcome, cases[i].outcome);
    check_int(cases[i].name, "http_status", reply->http_status,
              cases[i].http_status);
    check_text(cases[i].name, "error", reply->error, cases[i].error);
    check_int(cases[i].name, "kind", reply->kind, RTK_KIND_SERVER);
    check_int(cases[i].name, "time to retry", reply->retry_unix_ms, 77);
    check_int(cases[i].name, "row_count", reply->row_count, 0);
    check_int(cases[i].name, "body", (int64_t)reply->body.size, 0);
    check_int(cases[i].name, "size", (int64_t)reply->size,
              (int64_t)(sizeof(*reply) + strlen(cases[i].error) + 1));
    rtk_reply_free(reply);
  }
}

static const char *source; /* of the rows of make_row() */

static int make_row(void *arg) {
  struct rtk_reply *reply = NULL;
  int rc = rtk_reply_of_rows(
      &endpoint, 200,
      &(struct rtk_reply_source){.rows = arg, .text = source, .body = {"x", 1}},
      &reply);
  check_int("no memory", "reply is there", reply != NULL, rc == SQLITE_OK);
  rtk_reply_free(reply);
  return rc;
}

static int make_error(void *arg) {
  struct rtk_reply *reply = NULL;
  struct rtk_reply draft = {.outcome = RTK_OUTCOME_FAILED, .error = arg};
  int rc = rtk_reply_of_error(&draft, &reply);
  check_int("no memory", "reply is there", reply != NULL, rc == SQLITE_OK);
  rtk_reply_free(reply);
  return rc;
}

CASE(no_memory_gives_no_reply) {
  static char message[] = "message";
  static const char json[] =
      "{\"id\":[1],\"seconds\":\"7\",\"count\":{},\"note\":[[]]}";
  static const char list[] = "[{\"id\":[1]},{},{\"note\":[[]]}]";
  struct rtk_json *row = NULL;
  struct rtk_json *rows = NULL;
  assert_int_equal(rtk_json_parse(json, strlen(json), &row), SQLITE_OK);
  assert_int_equal(rtk_json_parse(list, strlen(list), &rows), SQLITE_OK);
  source = json;
  check_nomem("row", make_row, row, false);
  source = list;
  check_nomem("rows", make_row, rows, false);
  check_nomem("error", make_error, message, false);
  rtk_json_free(row);
  rtk_json_free(rows);
}

int main(void) { return check_run(); }
