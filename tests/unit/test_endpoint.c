/* Is each entry of rtk_endpoints[] well formed? */
#include "api/endpoint.h"

#include "base/err.h"
#include "base/limits.h"
#include "config/config.h"
#include "sqlite/plan.h"

#include "check.h"

CASE(names_are_usable_and_unique) {
  check_int("rtk_endpoints", "tables", rtk_endpoint_count, 39);
  for (int i = 0; i < rtk_endpoint_count; i++) {
    const struct rtk_endpoint *e = &rtk_endpoints[i];
    check_int(e->name, "begins with rtk_", strncmp(e->name, "rtk_", 4), 0);
    check_int(e->name, "characters of a bare name",
              (int64_t)strspn(e->name, "abcdefghijklmnopqrstuvwxyz_"),
              (int64_t)strlen(e->name));
    check_int(e->name, "has a noun", e->noun != NULL && e->noun[0] != '\0', 1);
    check_int(e->name, "in pages, and no list",
              e->paging[0] != NULL && !e->is_list, 0);
    check_int(e->name, "has rows", e->rows[0] != NULL && e->rows[0][0] != '\0',
              1);
    for (int k = 0; k < i; k++) {
      check_int(e->name, "place of its namesake",
                strcmp(e->name, rtk_endpoints[k].name) == 0 ? k : -1, -1);
    }
  }
}

CASE(columns_are_well_formed) {
  for (int i = 0; i < rtk_endpoint_count; i++) {
    const struct rtk_endpoint *e = &rtk_endpoints[i];
    int of_kind[RTK_COLUMN_RESPONSE + 1] = {0};
    check_int(e->name, "has 1 to RTK_COLUMNS_MAX columns",
              e->column_count >= 1 && e->column_count <= RTK_COLUMNS_MAX, 1);
    for (int k = 0; k < e->column_count; k++) {
      const struct rtk_column *c = &e->columns[k];
      of_kind[c->kind]++;
      check_int(c->name, "characters of a bare name",
                (int64_t)strspn(c->name, "abcdefghijklmnopqrstuvwxyz_"),
                (int64_t)strlen(c->name));
      check_int(c->name, "has a name", c->name[0] != '\0', 1);
      check_int(c->name, "has a doc, where it is of use",
                c->doc != NULL && c->doc[0] != '\0',
                c->kind != RTK_COLUMN_SURPLUS);
      for (int m = 0; m < k; m++) {
        check_int(c->name, "place of its namesake",
                  sqlite3_stricmp(c->name, e->columns[m].name) == 0 ? m : -1,
                  -1);
      }
    }
    check_int(e->name, "has data", of_kind[RTK_COLUMN_DATA] > 0, 1);
    check_int(e->name, "error columns", of_kind[RTK_COLUMN_ERROR], 1);
    check_int(e->name, "kind columns", of_kind[RTK_COLUMN_KIND], 1);
    check_int(e->name, "ends of arguments", of_kind[RTK_COLUMN_SURPLUS], 1);
    check_int(e->name, "status columns", of_kind[RTK_COLUMN_STATUS], 1);
    check_int(e->name, "response columns", of_kind[RTK_COLUMN_RESPONSE], 1);
    check_int(e->name, "has 1 to RTK_INPUTS_MAX arguments",
              of_kind[RTK_COLUMN_ARGUMENT] >= 1 &&
                  of_kind[RTK_COLUMN_ARGUMENT] <= RTK_INPUTS_MAX,
              1);
  }
}

/* Call syntax binds hidden columns from the first on. */
CASE(visible_columns_come_first_then_arguments) {
  for (int i = 0; i < rtk_endpoint_count; i++) {
    const struct rtk_endpoint *e = &rtk_endpoints[i];
    int stage = 0; /* 0: visible, 1: arguments of the path, 2: their end, 3:
                      filters, 4: other hidden */
    for (int k = 0; k < e->column_count; k++) {
      const struct rtk_column *c = &e->columns[k];
      int next = c->kind == RTK_COLUMN_DATA && !c->is_hidden ? 0
                 : c->kind == RTK_COLUMN_SURPLUS             ? 2
                 : c->kind != RTK_COLUMN_ARGUMENT            ? 4
                 : c->argument == RTK_ARGUMENT_FILTER        ? 3
                                                             : 1;
      check_int(c->name, "comes in order", next >= stage, 1);
      stage = next;
    }
  }
}

/* rtk_help shows it, in a line of 100 columns. */
CASE(each_entry_says_what_its_rows_are) {
  for (int i = 0; i < rtk_endpoint_count; i++) {
    const struct rtk_endpoint *e = &rtk_endpoints[i];
    check_int(e->name, "has a doc", e->doc != NULL, 1);
    check_int(e->name, "doc is short", e->doc != NULL && strlen(e->doc) < 60,
              1);
  }
}

CASE(arguments_say_what_they_have_to_be) {
  for (int i = 0; i < rtk_endpoint_count; i++) {
    const struct rtk_endpoint *e = &rtk_endpoints[i];
    struct rtk_signature signature;
    bool has_id = false;
    rtk_endpoint_describe(e, &signature);
    for (int k = 0; k < signature.count; k++) {
      const struct rtk_column *c = rtk_endpoint_argument(&signature, k);
      check_int(c->name, "is text or a number",
                c->type == RTK_COLUMN_TEXT ||
                    (c->argument == RTK_ARGUMENT_FILTER && !c->is_switch &&
                     c->type == RTK_COLUMN_INTEGER),
                1);
      if (c->argument == RTK_ARGUMENT_FILTER) {
        size_t size = c->values == NULL ? 0 : strlen(c->values);
        check_int(c->name, "is behind those of the path",
                  k >= signature.path_count, 1);
        check_int(c->name, "has a space behind each value",
                  size == 0 || c->values[size - 1] == ' ', 1);
        check_int(c->name, "is one kind of filter",
                  c->is_switch && c->values != NULL, 0);
      } else if (c->argument == RTK_ARGUMENT_SCOPE) {
        check_int(c->name, "comes before the ids", has_id, 0);
        check_int(c->name, "has a limit", c->max_bytes > 0, 1);
        check_text(c->name, "setting", rtk_config_name(c->setting), c->name);
      } else {
        has_id = true;
      }
    }
  }
}

/* rtk_plan.words has to hold the longest of its texts. */
CASE(the_words_of_a_plan_fit) {
  for (int i = 0; i < rtk_endpoint_count; i++) {
    for (int k = 0; k < rtk_endpoints[i].column_count; k++) {
      const struct rtk_column *c = &rtk_endpoints[i].columns[k];
      if (c->kind != RTK_COLUMN_ARGUMENT) continue;
      check_int(c->name, "fits",
                strlen(c->name) + sizeof(" = (id by id)") <=
                    sizeof(((struct rtk_plan *)NULL)->words),
                1);
    }
  }
}

CASE(stand_ins_stand_for_arguments) {
  for (int i = 0; i < rtk_endpoint_count; i++) {
    const struct rtk_endpoint *e = &rtk_endpoints[i];
    struct rtk_signature signature;
    rtk_endpoint_describe(e, &signature);
    for (int k = 0; k < e->column_count; k++) {
      const struct rtk_column *c = &e->columns[k];
      if (c->stands_for == NULL) continue;
      check_int(c->name, "is data", c->kind, RTK_COLUMN_DATA);
      int argument = signature.argument_of[k];
      check_int(c->stands_for, "is an argument", argument >= 0, 1);
      check_text(c->stands_for, "its column",
                 rtk_endpoint_argument(&signature, argument)->name,
                 c->stands_for);
      check_int(c->stands_for, "stand-in", signature.stand_ins[argument], k);
    }
  }
}

CASE(placeholders_are_the_arguments_in_order) {
  for (int i = 0; i < rtk_endpoint_count; i++) {
    const struct rtk_endpoint *e = &rtk_endpoints[i];
    const char *at = e->path;
    struct rtk_signature signature;
    int nth = 0;
    rtk_endpoint_describe(e, &signature);
    check_int(e->path, "begins with a slash", e->path[0] == '/', 0);
    check_lacks("no empty segment", e->path, "//");
    check_int(e->path, "has a query or filters",
              strchr(e->path, '?') != NULL &&
                  signature.count > signature.path_count,
              0);
    for (; (at = strchr(at, '{')) != NULL; nth++) {
      const char *end = strchr(at, '}');
      if (end == NULL || nth >= signature.path_count) {
        fail_msg("case '%s': placeholder %d has no end or no argument", e->path,
                 nth);
      }
      const char *name = rtk_endpoint_argument(&signature, nth)->name;
      check_bytes(e->path, "placeholder", at + 1, (size_t)(end - at - 1), name,
                  strlen(name));
      check_int(e->path, "fills a segment",
                at[-1] == '/' && (end[1] == '/' || end[1] == '\0'), 1);
      at = end;
    }
    check_int(e->path, "placeholders", nth, signature.path_count);
  }
}

/* What an entry implies: arguments are counted from 0, filters come behind the
** path. */
CASE(a_signature_is_worked_out) {
  static const struct rtk_column columns[] = {
      {.name = "kind", .argument = RTK_ARGUMENT_FILTER},
      {.name = "app",
       .kind = RTK_COLUMN_ARGUMENT,
       .argument = RTK_ARGUMENT_SCOPE},
      {.name = "one", .stands_for = "id"},
      {.name = "error", .kind = RTK_COLUMN_ERROR},
      {.name = "id", .kind = RTK_COLUMN_ARGUMENT},
      {.name = "since",
       .kind = RTK_COLUMN_ARGUMENT,
       .argument = RTK_ARGUMENT_FILTER},
  };
  static const struct {
    int count, path_count, scope, id, columns[4];
  } cases[] = {
      {0, 0, -1, -1, {0}}, /* of the first 0 columns … */
      {1, 0, -1, -1, {0}},     {2, 1, 0, -1, {1, 0}},
      {2, 1, 0, -1, {1, 0}},   {2, 1, 0, -1, {1, 0}},
      {3, 2, 0, 1, {1, 4, 0}}, {4, 2, 0, 1, {1, 4, 0, 5}},
  };
  for (int i = 0; i < (int)COUNT(cases); i++) {
    const struct rtk_endpoint some = {.columns = columns, .column_count = i};
    struct rtk_signature signature;
    rtk_endpoint_describe(&some, &signature);
    check_int("some", "arguments", signature.count, cases[i].count);
    check_int("some", "of the path", signature.path_count, cases[i].path_count);
    check_int("some", "account or app", signature.scope, cases[i].scope);
    check_int("some", "the id", signature.id, cases[i].id);
    for (int k = 0; k < signature.count; k++) {
      int column = signature.columns[k];
      check_int("some", "column", column, cases[i].columns[k]);
      check_int("some", "argument", signature.argument_of[column], k);
      check_int("some", "stand-in", signature.stand_ins[k],
                column == 4 ? 2 : -1);
    }
  }
}

/* What nobody should see without asking for it. */
CASE(secrets_and_personal_data_are_hidden) {
  static const struct {
    const char *column;
    int tables;
  } secrets[] = {
      {"stream_key", 4},
      {"storage_config", 2},
      {"recording_config", 2},
      {"meeting", 1},
      {"download_url", 3},
      {"audio_download_url", 3},
      {"chat_download_url", 1},
      {"transcript_download_url", 1},
      {"summary_download_url", 1},
      {"ip_address", 1},
      {"country", 1},
      {"city", 1},
      {"metadata", 1},
      {"name", 13}, /* of persons in three of them */
      {"display_name", 4},
      {"picture", 2},
      {"start_caller_id", 1},
      {"start_caller_name", 1},
      {"stop_caller_id", 1},
      {"stop_caller_name", 1},
      {"row", 39},
  };
  for (size_t n = 0; n < COUNT(secrets); n++) {
    int found = 0;
    for (int i = 0; i < rtk_endpoint_count; i++) {
      const struct rtk_endpoint *e = &rtk_endpoints[i];
      for (int k = 0; k < e->column_count; k++) {
        const struct rtk_column *c = &e->columns[k];
        if (c->kind != RTK_COLUMN_DATA ||
            strcmp(c->name, secrets[n].column) != 0) {
          continue;
        }
        bool is_name = strcmp(c->name, "name") == 0;
        bool is_of_thing = is_name && strstr(e->name, "participant") == NULL &&
                           e->link == NULL;
        found++;
        check_int(e->name, c->name, rtk_endpoint_is_hidden(c), !is_of_thing);
      }
    }
    check_int(secrets[n].column, "tables", found, secrets[n].tables);
  }
}

/* --- what the module cannot serve ------------------------------------------ */

/* Names with a dot between them, none too long for rtk_json_at(). */
static bool is_path(const char *field) {
  static const char names[] = "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  for (;;) {
    size_t size = strspn(field, names);
    if (size == 0 || size >= 64) return false;
    field += size;
    if (*field == '\0') return true;
    if (*field++ != '.') return false;
  }
}

/* The row itself is the last column, and else only a column of text rows. */
CASE(fields_can_be_read) {
  for (int i = 0; i < rtk_endpoint_count; i++) {
    const struct rtk_endpoint *e = &rtk_endpoints[i];
    bool has_text = false;
    for (int k = 0; k < e->column_count; k++) {
      const struct rtk_column *c = &e->columns[k];
      bool is_row = strcmp(rtk_endpoint_field(c), "") == 0;
      bool is_last = k == e->column_count - 1;
      check_int(e->name, "the row is the last column",
                strcmp(c->name, "row") == 0, is_last);
      check_int(c->name, "is the row as JSON",
                is_row && c->type == RTK_COLUMN_JSON && c->is_hidden &&
                    c->kind == RTK_COLUMN_DATA,
                is_last);
      if (is_row && !is_last) has_text = true;
      if (c->kind == RTK_COLUMN_DATA) {
        check_int(c->name, "has a path",
                  is_row || is_path(rtk_endpoint_field(c)), 1);
        check_int(c->name, "names a path that is not its name",
                  c->field == NULL || strcmp(c->field, c->name) != 0, 1);
      } else if (c->argument != RTK_ARGUMENT_FILTER) {
        check_int(c->name, "is not called otherwise", c->field == NULL, 1);
      }
    }
    check_int(e->name, "text rows", has_text, e->has_text_rows);
    for (int k = 0; k < 2; k++) {
      check_int(e->name, "has paths",
                (e->rows[k] == NULL || is_path(e->rows[k])) &&
                    (e->paging[k] == NULL || is_path(e->paging[k])),
                1);
    }
  }
}

/* Of the path without the fragment the first reply comes, with the link; the
** text is made into rows as text.h says. */
CASE(texts_are_well_formed) {
  int texts = 0;
  for (int i = 0; i < rtk_endpoint_count; i++) {
    const struct rtk_endpoint *e = &rtk_endpoints[i];
    const char *fragment = strchr(e->path, '#');
    check_text(e->name, "fragment", fragment, e->link == NULL ? NULL : "#text");
    check_int(e->name, "lasts as another", e->lasts_as != NULL,
              e->link != NULL);
    if (e->link == NULL) continue;
    texts++;
    check_text(e->name, "rows", e->rows[0], "data.text");
    check_int(e->name, "is a list of one page",
              e->is_list && e->paging[0] == NULL && e->each == NULL, 1);
    check_int(e->name, "path of the link", is_path(e->link), 1);
    check_text(e->name, "lasts as", e->lasts_as->name, "rtk_meeting_session");
    if (e->text_names == NULL) continue;
    size_t size = strlen(e->text_names);
    check_text(e->name, "a space after each", e->text_names + size - 1, " ");
    /* The rows of a list are told apart by their first column. */
    check_text(e->name, "first column", e->columns[0].name, "line");
  }
  check_int("entries", "texts", texts, 3);
}

/* Each sends its own parameter, beside those of the page. */
CASE(parameters_are_unique) {
  for (int i = 0; i < rtk_endpoint_count; i++) {
    struct rtk_signature signature;
    rtk_endpoint_describe(&rtk_endpoints[i], &signature);
    for (int k = signature.path_count; k < signature.count; k++) {
      const struct rtk_column *c = rtk_endpoint_argument(&signature, k);
      /* A column of data is sent by its name: its field is a path. */
      const char *name =
          c->kind == RTK_COLUMN_DATA ? c->name : rtk_endpoint_field(c);
      check_int(c->name, "is a parameter",
                (int64_t)strspn(name, "abcdefghijklmnopqrstuvwxyz_"),
                (int64_t)strlen(name));
      check_int(c->name, "is sent by its name",
                c->kind == RTK_COLUMN_DATA && c->field != NULL, 0);
      check_int(c->name, "is no page",
                strcmp(name, "page_no") == 0 || strcmp(name, "per_page") == 0,
                0);
      check_int(c->name, "is a comma list of known values",
                c->is_comma_list && c->values == NULL, 0);
      for (int m = signature.path_count; m < k; m++) {
        const struct rtk_column *other = rtk_endpoint_argument(&signature, m);
        check_int(c->name, "shares its parameter",
                  strcmp(name, rtk_endpoint_field(other)) == 0, 0);
      }
    }
  }
}

static bool has_field(const struct rtk_endpoint *e, const char *field) {
  for (int k = 0; k < e->column_count; k++) {
    const struct rtk_column *c = &e->columns[k];
    if (c->kind == RTK_COLUMN_DATA &&
        strcmp(rtk_endpoint_field(c), field) == 0) {
      return true;
    }
  }
  return false;
}

/* A row of a list is kept as the reply of another endpoint: that one has no
** other field, and no other argument but account, app and the row's id. */
CASE(each_row_is_a_whole_reply) {
  int found = 0;
  for (int i = 0; i < rtk_endpoint_count; i++) {
    const struct rtk_endpoint *e = &rtk_endpoints[i];
    struct rtk_signature list, each;
    if (e->each == NULL) continue;
    found++;
    rtk_endpoint_describe(e, &list);
    rtk_endpoint_describe(e->each, &each);
    check_int(e->name, "is a list", e->is_list, 1);
    check_int(e->each->name, "is one object",
              e->each->is_list || e->each->has_text_rows, 0);
    check_int(e->each->name, "same account and app", each.scope, list.scope);
    check_int(e->each->name, "one id", each.id, each.scope + 1);
    check_text(e->each->name, "the first column is the id",
               e->each->columns[0].stands_for,
               rtk_endpoint_argument(&each, each.id)->name);
    for (int k = 0; k < e->each->column_count; k++) {
      const struct rtk_column *c = &e->each->columns[k];
      if (c->kind != RTK_COLUMN_DATA) continue;
      check_int(c->name, "is in the list", has_field(e, rtk_endpoint_field(c)),
                1);
    }
  }
  check_int("each", "lists", found, 7);
}

CASE(ended_is_a_time) {
  for (int i = 0; i < rtk_endpoint_count; i++) {
    const struct rtk_endpoint *e = &rtk_endpoints[i];
    if (e->ended == NULL) continue;
    check_int(e->name, "has that column", has_field(e, e->ended), 1);
    check_int(e->name, "is no list", e->is_list, 0);
  }
}

/* --- the schema ----------------------------------------------------------- */

static const struct rtk_endpoint *find(const char *name) {
  for (int i = 0; i < rtk_endpoint_count; i++) {
    if (strcmp(rtk_endpoints[i].name, name) == 0) return &rtk_endpoints[i];
  }
  fail_msg("no endpoint %s", name);
  return NULL;
}

CASE(livestream_session_is_as_designed) {
  const struct rtk_endpoint *e = find("rtk_livestream_session");
  char *schema = rtk_endpoint_schema(e);
  check_text(e->name, "schema", schema,
             "CREATE TABLE x(\"id\" TEXT,\"created_at\" TEXT,"
             "\"err_message\" TEXT,\"ingest_seconds\" NUMERIC,"
             "\"livestream_id\" TEXT,\"started_time\" TEXT,"
             "\"stopped_time\" TEXT,\"updated_at\" TEXT,"
             "\"viewer_seconds\" NUMERIC,\"account\" TEXT HIDDEN,"
             "\"app\" TEXT HIDDEN,\"session_id\" TEXT HIDDEN,"
             "\"surplus_argument\" TEXT HIDDEN,"
             "\"invoked_time\" TEXT HIDDEN,\"error\" TEXT HIDDEN,"
             "\"error_kind\" TEXT HIDDEN,"
             "\"http_status\" INTEGER HIDDEN,\"response\" TEXT HIDDEN,"
             "\"row\" TEXT HIDDEN)");
  check_text(e->name, "path", e->path,
             "accounts/{account}/realtime/kit/{app}/livestreams/sessions/"
             "{session_id}");
  check_text(e->name, "noun", e->noun, "session");
  check_text(e->name, "rows", e->rows[0], "data");
  check_text("id", "stands for", e->columns[0].stands_for, "session_id");
  sqlite3_free(schema);
}

CASE(a_schema_is_sql) {
  for (int i = 0; i < rtk_endpoint_count; i++) {
    const struct rtk_endpoint *e = &rtk_endpoints[i];
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    char *schema = rtk_endpoint_schema(e);
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    check_int(e->name, "schema", sqlite3_exec(db, schema, NULL, NULL, NULL),
              SQLITE_OK);
    (void)sqlite3_prepare_v2(db, "SELECT * FROM x", -1, &stmt, NULL);
    check_int(e->name, "columns", sqlite3_column_count(stmt), e->column_count);
    for (int k = 0; k < e->column_count; k++) {
      check_text(e->name, "column", sqlite3_column_name(stmt, k),
                 e->columns[k].name);
    }
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
    sqlite3_free(schema);
  }
}

CASE(names_in_a_schema_are_quoted) {
  static const struct rtk_column columns[] = {{.name = "a\"b"},
                                              {.name = "order"}};
  static const struct rtk_endpoint odd = {.columns = columns,
                                          .column_count = COUNT(columns)};
  char *schema = rtk_endpoint_schema(&odd);
  check_text("odd names", "schema", schema,
             "CREATE TABLE x(\"a\"\"b\" TEXT,\"order\" TEXT)");
  sqlite3_free(schema);
}

static int make_schema(void *arg) {
  char *schema = rtk_endpoint_schema(arg);
  int rc = schema == NULL ? SQLITE_NOMEM : SQLITE_OK;
  sqlite3_free(schema);
  return rc;
}

CASE(no_memory_gives_no_schema) {
  struct rtk_endpoint copy = rtk_endpoints[0];
  check_nomem("schema", make_schema, &copy, false);
}

int main(void) { return check_run(); }
