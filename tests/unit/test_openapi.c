/*
** Holds rtk_endpoints[] against tests/api/realtimekit.openapi.json: every GET has
** its entries, every field its column, every query parameter its filter, and
** every example comes back column by column.
**
** An operation of the file and an entry of ours belong together by their paths,
** whatever is in the {…}.  Where the rows are, the file says as "data.sessions[]",
** the entry as "data.sessions":
**
**     x-rows: "data.livestream, data.sessions[]"   rtk_livestream
**                                                  rtk_livestream_sessions
*/
#include "api/endpoint.h"
#include "api/json.h"
#include "api/reply.h"
#include "api/status.h"
#include "net/http.h"

#include "../openapi.h"
#include "check.h"

/* --- the file ------------------------------------------------------------- */

static cJSON *file; /* open while a test runs */

static const cJSON *open_paths(void) {
  file = openapi_open(API_EXAMPLES);
  assert_non_null(file);
  return openapi_get(file, "paths");
}

static void close_paths(void) {
  cJSON_Delete(file);
  file = NULL;
}

/* The file has the links to texts, but not what is in them. */
static bool is_in_file(const struct rtk_endpoint *endpoint) {
  return endpoint->link == NULL;
}

/* Are they the same but for what is in {…}? */
static bool is_same_path(const char *a, const char *b) {
  for (; *a != '\0' || *b != '\0'; a++, b++) {
    if (*a != *b) return false;
    if (*a == '{') {
      a += strcspn(a, "}");
      b += strcspn(b, "}");
    }
  }
  return true;
}

/* The next entry of the operation with this path, after `at` (-1: the first);
** -1: there is no more. */
static int next_entry(const char *path, int at) {
  for (at++; at < rtk_endpoint_count; at++) {
    if (is_same_path(path + 1, rtk_endpoints[at].path)) return at;
  }
  return -1;
}

static const cJSON *operation_of(const cJSON *paths,
                                 const struct rtk_endpoint *endpoint) {
  const cJSON *path;
  cJSON_ArrayForEach(path, paths) {
    if (is_same_path(path->string + 1, endpoint->path)) {
      return openapi_get(path, "get");
    }
  }
  return NULL;
}

/* What is below a name in a schema, whichever of its forms has it. */
static const cJSON *schema_member(const cJSON *schema, const char *name) {
  const cJSON *member, *form;
  const cJSON *items = openapi_get(schema, "items");
  if (items != NULL) schema = items;
  member = openapi_get(openapi_get(schema, "properties"), name);
  cJSON_ArrayForEach(form, openapi_get(schema, "oneOf")) {
    if (member == NULL) member = schema_member(form, name);
  }
  return member;
}

/* What is at a path with dots; NULL: nothing. */
static const cJSON *at_path(const cJSON *node, const char *path,
                            const cJSON *(*member)(const cJSON *,
                                                   const char *)) {
  char name[128];
  while (node != NULL && *path != '\0') {
    size_t size = strcspn(path, ".");
    sqlite3_snprintf((int)sizeof(name), name, "%.*s", (int)size, path);
    node = member(node, name);
    path += size;
    if (*path == '.') path++;
  }
  return node;
}

/* The schema of the entry's rows; NULL: the file has none there. */
static const cJSON *row_schema(const cJSON *operation,
                               const struct rtk_endpoint *endpoint) {
  const cJSON *schema = openapi_get(openapi_reply(operation), "schema");
  const cJSON *row = NULL;
  for (size_t i = 0; i < COUNT(endpoint->rows) && row == NULL; i++) {
    if (endpoint->rows[i] == NULL) continue;
    row = at_path(schema, endpoint->rows[i], schema_member);
  }
  return openapi_get(row, "items") != NULL ? openapi_get(row, "items") : row;
}

/* --- entries -------------------------------------------------------------- */

static bool has_rows_at(const struct rtk_endpoint *endpoint, const char *place,
                        size_t size) {
  const char *rows = endpoint->rows[0];
  return rows != NULL && strlen(rows) == size &&
         strncmp(rows, place, size) == 0;
}

static bool has_paging_at(const struct rtk_endpoint *endpoint,
                          const char *place) {
  for (size_t i = 0; i < COUNT(endpoint->paging); i++) {
    if (endpoint->paging[i] != NULL &&
        strcmp(endpoint->paging[i], place) == 0) {
      return true;
    }
  }
  return false;
}

/* The entry for one place of x-rows, "data.sessions[]". */
static void check_place(const char *path, const char *place, size_t size,
                        const char *paging) {
  bool is_list = size > 2 && place[size - 1] == ']';
  for (int i = next_entry(path, -1); i >= 0; i = next_entry(path, i)) {
    const struct rtk_endpoint *e = &rtk_endpoints[i];
    if (!has_rows_at(e, place, is_list ? size - 2 : size)) continue;
    if (!is_list) return;
    check_int(e->name, "is_list", e->is_list, 1);
    check_int(e->name, paging, paging[0] == '\0' || has_paging_at(e, paging),
              1);
    return;
  }
  check.failures++;
  print_error("%s: no entry for its rows at %.*s\n", path, (int)size, place);
}

CASE(every_get_has_its_entries) {
  const cJSON *paths = open_paths(), *path;
  check_int("the file", "GETs", cJSON_GetArraySize(paths), 33);
  cJSON_ArrayForEach(path, paths) {
    const cJSON *operation = openapi_get(path, "get");
    const char *place = openapi_text(operation, "x-rows");
    check_int(path->string, "has x-rows", place[0] != '\0', 1);
    while (*place != '\0' && *place != '(') {
      size_t size = strcspn(place, ", ");
      check_place(path->string, place, size,
                  openapi_text(operation, "x-paging"));
      place += size;
      place += strspn(place, ", ");
    }
  }
  close_paths();
}

CASE(every_entry_has_its_get) {
  const cJSON *paths = open_paths();
  for (int i = 0; i < rtk_endpoint_count; i++) {
    const struct rtk_endpoint *e = &rtk_endpoints[i];
    if (!is_in_file(e)) continue;
    const cJSON *operation = operation_of(paths, e);
    check_int(e->name, "is in the file", operation != NULL, 1);
    check_int(e->name, "has a schema of its rows",
              row_schema(operation, e) != NULL, 1);
  }
  close_paths();
}

/* --- columns -------------------------------------------------------------- */

static const struct rtk_column *column_of(const struct rtk_endpoint *endpoint,
                                          const char *field) {
  for (int i = 0; i < endpoint->column_count; i++) {
    const struct rtk_column *column = &endpoint->columns[i];
    if (column->kind == RTK_COLUMN_DATA &&
        strcmp(rtk_endpoint_field(column), field) == 0) {
      return column;
    }
  }
  return NULL;
}

/* Each field has its column, or it is an object and each of its fields has. */
static void check_fields(const struct rtk_endpoint *endpoint,
                         const cJSON *schema, const char *prefix) {
  const cJSON *field;
  cJSON_ArrayForEach(field, openapi_get(schema, "properties")) {
    char name[256];
    const cJSON *below = openapi_get(field, "properties");
    sqlite3_snprintf((int)sizeof(name), name, "%s%s", prefix, field->string);
    if (column_of(endpoint, name) != NULL) continue;
    if (below != NULL && below->child != NULL) {
      sqlite3_snprintf((int)sizeof(name), name, "%s%s.", prefix, field->string);
      check_fields(endpoint, field, name);
    } else {
      check.failures++;
      print_error("%s: no column for %s\n", endpoint->name, name);
    }
  }
}

CASE(every_field_has_its_column) {
  const cJSON *paths = open_paths();
  for (int i = 0; i < rtk_endpoint_count; i++) {
    const struct rtk_endpoint *e = &rtk_endpoints[i];
    if (!is_in_file(e)) continue;
    check_fields(e, row_schema(operation_of(paths, e), e), "");
  }
  close_paths();
}

/* Of a text or number or boolean; objects and arrays are text. */
static enum rtk_column_type type_of(const cJSON *schema) {
  const char *type = openapi_text(schema, "type");
  if (strcmp(type, "boolean") == 0) return RTK_COLUMN_INTEGER;
  return strcmp(type, "number") == 0 || strcmp(type, "integer") == 0
             ? RTK_COLUMN_NUMERIC
             : RTK_COLUMN_TEXT;
}

CASE(every_column_is_a_field_of_the_same_type) {
  const cJSON *paths = open_paths();
  for (int i = 0; i < rtk_endpoint_count; i++) {
    const struct rtk_endpoint *e = &rtk_endpoints[i];
    if (!is_in_file(e)) continue;
    const cJSON *row = row_schema(operation_of(paths, e), e);
    for (int k = 0; k < e->column_count; k++) {
      const struct rtk_column *c = &e->columns[k];
      const char *field = rtk_endpoint_field(c);
      const cJSON *schema;
      if (c->kind != RTK_COLUMN_DATA || field[0] == '\0') continue;
      schema = at_path(row, field, schema_member);
      if (schema == NULL) {
        check.failures++;
        print_error("%s: the file has no %s\n", e->name, field);
      } else if (c->type != RTK_COLUMN_JSON) {
        bool is_time = c->type == RTK_COLUMN_TIME;
        check_int(e->name, field, is_time ? RTK_COLUMN_TEXT : c->type,
                  type_of(schema));
      }
    }
  }
  close_paths();
}

/* --- parameters ----------------------------------------------------------- */

static const struct rtk_column *filter_of(const struct rtk_endpoint *endpoint,
                                          const char *name) {
  for (int i = 0; i < endpoint->column_count; i++) {
    const struct rtk_column *column = &endpoint->columns[i];
    if (column->argument == RTK_ARGUMENT_FILTER &&
        strcmp(rtk_endpoint_field(column), name) == 0) {
      return column;
    }
  }
  return NULL;
}

/* The published values, in any order. */
static void check_choices(const char *name, const struct rtk_column *filter,
                          const cJSON *choices) {
  const cJSON *choice;
  size_t size = 0;
  const char *values = filter->values == NULL ? "" : filter->values;
  cJSON_ArrayForEach(choice, choices) {
    char word[64];
    sqlite3_snprintf((int)sizeof(word), word, "%s ", choice->valuestring);
    size += strlen(word);
    check_int(name, word, strstr(values, word) != NULL, 1);
  }
  check_int(name, "bytes of all its values", (int64_t)strlen(values),
            (int64_t)size);
}

static void check_parameter(const struct rtk_endpoint *endpoint,
                            const cJSON *parameter) {
  const char *name = openapi_text(parameter, "name");
  const cJSON *schema = openapi_get(parameter, "schema");
  const char *type = openapi_text(schema, "type");
  const struct rtk_column *filter = filter_of(endpoint, name);
  char what[128];
  sqlite3_snprintf((int)sizeof(what), what, "%s.%s", endpoint->name, name);
  if (filter == NULL) {
    check.failures++;
    print_error("%s: no filter for %s\n", endpoint->name, name);
    return;
  }
  check_int(what, "is_switch", filter->is_switch, strcmp(type, "boolean") == 0);
  check_int(what, "is_comma_list", filter->is_comma_list,
            strcmp(type, "array") == 0);
  check_int(what, "is a whole number",
            filter->kind == RTK_COLUMN_ARGUMENT &&
                filter->type == RTK_COLUMN_INTEGER && !filter->is_switch,
            strcmp(type, "integer") == 0);
  if (strcmp(type, "array") == 0) schema = openapi_get(schema, "items");
  check_choices(what, filter, openapi_get(schema, "enum"));
  check_int(what, "is_order", filter->is_order, strncmp(name, "sort_", 5) == 0);
}

static bool is_filter_parameter(const cJSON *parameter) {
  const char *name = openapi_text(parameter, "name");
  return strcmp(openapi_text(parameter, "in"), "query") == 0 &&
         strcmp(name, "page_no") != 0 && strcmp(name, "per_page") != 0;
}

CASE(every_parameter_has_its_filter) {
  const cJSON *paths = open_paths();
  for (int i = 0; i < rtk_endpoint_count; i++) {
    const struct rtk_endpoint *e = &rtk_endpoints[i];
    if (!is_in_file(e)) continue;
    const cJSON *operation = operation_of(paths, e), *parameter;
    int count = 0, filters = 0;
    cJSON_ArrayForEach(parameter, openapi_get(operation, "parameters")) {
      const char *name = openapi_text(parameter, "name");
      if (!is_filter_parameter(parameter)) continue;
      check_parameter(e, parameter);
      count += filter_of(e, name) != NULL;
    }
    for (int k = 0; k < e->column_count; k++) {
      filters += e->columns[k].argument == RTK_ARGUMENT_FILTER;
    }
    check_int(e->name, "filters that are parameters", count, filters);
  }
  close_paths();
}

/* --- examples ------------------------------------------------------------- */

static struct rtk_reply *reply_of(const struct rtk_endpoint *endpoint,
                                  const char *body) {
  struct rtk_ask ask = {.endpoint = endpoint,
                        .id = {"id", 2},
                        .token = "token",
                        .token_source = "from nowhere",
                        .tries = 1};
  struct rtk_response response = {.status = 200,
                                  .detail = "",
                                  .body = body,
                                  .body_size = strlen(body),
                                  .content_type = "application/json"};
  struct rtk_verdict verdict;
  check_int(endpoint->name, "judged",
            rtk_status_judge(&ask, &response, &verdict), SQLITE_OK);
  rtk_verdict_deinit(&verdict);
  check_text(endpoint->name, "error", verdict.reply->error, NULL);
  return verdict.reply;
}

/* The same JSON, however it is written? */
static bool is_json(const struct rtk_value *value, const cJSON *expected) {
  cJSON *got = cJSON_ParseWithLength(value->as.text, value->size);
  bool is_same = cJSON_Compare(got, expected, 1);
  cJSON_Delete(got);
  return is_same;
}

static bool is_text(const struct rtk_value *value, const char *expected) {
  return value->type == RTK_TEXT && value->size == strlen(expected) &&
         memcmp(value->as.text, expected, value->size) == 0;
}

static bool is_number(const struct rtk_value *value, double expected) {
  return value->type == RTK_INTEGER
             ? (double)value->as.integer == expected
             : value->type == RTK_REAL && value->as.real == expected;
}

/* Is this what a column of this type makes of the JSON? */
static bool is_value(enum rtk_column_type type, const struct rtk_value *value,
                     const cJSON *json) {
  if (json == NULL || cJSON_IsNull(json)) return value->type == RTK_NULL;
  if (cJSON_IsString(json) && type == RTK_COLUMN_TIME &&
      strcmp(json->valuestring, "null") == 0) {
    return value->type == RTK_NULL;
  }
  if (cJSON_IsString(json) && type != RTK_COLUMN_JSON) {
    return is_text(value, json->valuestring);
  }
  if (cJSON_IsNumber(json) && type != RTK_COLUMN_TEXT) {
    return is_number(value, json->valuedouble);
  }
  if (cJSON_IsBool(json) && type == RTK_COLUMN_INTEGER) {
    return is_number(value, cJSON_IsTrue(json));
  }
  return value->type == RTK_TEXT && is_json(value, json);
}

static void check_row(const struct rtk_endpoint *endpoint,
                      const struct rtk_value *values, const cJSON *row) {
  for (int i = 0; i < endpoint->column_count; i++) {
    const struct rtk_column *column = &endpoint->columns[i];
    const char *field = rtk_endpoint_field(column);
    const cJSON *json;
    if (column->kind != RTK_COLUMN_DATA) continue;
    json = at_path(row, field, openapi_get);
    if (!is_value(column->type, values, json)) {
      char *text = cJSON_PrintUnformatted(json);
      check.failures++;
      print_error("%s.%s is not %s\n", endpoint->name, column->name,
                  text == NULL ? "NULL" : text);
      cJSON_free(text);
    }
    values++;
  }
}

static const cJSON *rows_at(const struct rtk_endpoint *endpoint,
                            const cJSON *reply) {
  const cJSON *rows = NULL;
  for (size_t i = 0; i < COUNT(endpoint->rows) && rows == NULL; i++) {
    if (endpoint->rows[i] == NULL) continue;
    rows = at_path(reply, endpoint->rows[i], openapi_get);
  }
  return rows;
}

static int data_count(const struct rtk_endpoint *endpoint) {
  struct rtk_signature signature;
  rtk_endpoint_describe(endpoint, &signature);
  return signature.data_count;
}

/* Every row and column of a reply; the total of its list. */
static void check_reply(const struct rtk_endpoint *endpoint,
                        const cJSON *json) {
  const cJSON *rows = rows_at(endpoint, json);
  const cJSON *row = cJSON_IsArray(rows) ? rows->child : rows;
  char *body = cJSON_PrintUnformatted(json);
  struct rtk_reply *reply = reply_of(endpoint, body);
  int count = 0, width = data_count(endpoint);
  check_int(endpoint->name, "has rows in the example", row != NULL, 1);
  for (; row != NULL; row = cJSON_IsArray(rows) ? row->next : NULL) {
    if (count < reply->row_count) {
      check_row(endpoint, &reply->values[count * width], row);
    }
    count++;
  }
  check_int(endpoint->name, "rows", reply->row_count, count);
  for (size_t i = 0; i < COUNT(endpoint->paging); i++) {
    const cJSON *total;
    if (endpoint->paging[i] == NULL || !cJSON_IsArray(rows)) continue;
    total = openapi_get(at_path(json, endpoint->paging[i], openapi_get),
                        "total_count");
    if (total == NULL) continue;
    check_int(endpoint->name, "total_count", reply->total_count,
              (int64_t)total->valuedouble);
  }
  rtk_reply_free(reply);
  cJSON_free(body);
}

CASE(every_example_comes_back) {
  const cJSON *paths = open_paths();
  for (int i = 0; i < rtk_endpoint_count; i++) {
    const struct rtk_endpoint *e = &rtk_endpoints[i];
    if (!is_in_file(e)) continue;
    const cJSON *operation = operation_of(paths, e);
    const cJSON *example = openapi_examples(operation);
    for (; example != NULL; example = example->next) {
      check_reply(e, openapi_get(example, "value"));
    }
  }
  close_paths();
}

/* A reply with every field that the schema has. */
CASE(every_schema_comes_back) {
  const cJSON *paths = open_paths();
  for (int i = 0; i < rtk_endpoint_count; i++) {
    const struct rtk_endpoint *e = &rtk_endpoints[i];
    if (!is_in_file(e)) continue;
    cJSON *made_up = openapi_made_up_reply(operation_of(paths, e));
    check_reply(e, made_up);
    cJSON_Delete(made_up);
  }
  close_paths();
}

/* --- where the published schema and the published example disagree -------- */

/* The form of the schema; the file has that of the example (x-quirks). */
static const struct {
  const char *table, *body;
  int rows;
  const char *field, *expected; /* of the first row, as JSON */
} forms[] = {
    {"rtk_livestreams",
     "{\"data\":[{\"id\":\"a\",\"disabled\":\"true\"}],\"success\":true}", 1,
     "disabled", "1"},
    {"rtk_livestreams",
     "{\"data\":{\"id\":\"a\",\"paging\":{\"total_count\":1}},"
     "\"success\":true}",
     1, "id", "\"a\""},
    {"rtk_livestream_sessions",
     "{\"data\":{\"livestream\":{\"id\":\"l\"},\"session\":{\"id\":\"a\"},"
     "\"paging\":{\"total_count\":1}},\"success\":true}",
     1, "id", "\"a\""},
    {"rtk_active_livestream_session",
     "{\"data\":{\"session\":{\"id\":\"a\",\"ingest_seconds\":\"60\"}},"
     "\"success\":true}",
     1, "ingest_seconds", "60"},
    {"rtk_active_livestream_session",
     "{\"data\":{\"session\":{\"id\":\"a\",\"viewer_seconds\":\"1.5\"}},"
     "\"success\":true}",
     1, "viewer_seconds", "1.5"},
    {"rtk_meeting_active_livestream",
     "{\"data\":{\"id\":\"a\",\"disabled\":\"false\"},\"success\":true}", 1,
     "disabled", "0"},
    {"rtk_meeting_livestream",
     "{\"data\":{\"livestreams\":[{\"id\":\"a\"}],\"sessions\":{\"id\":\"s\"},"
     "\"paging\":{\"total_count\":1}},\"success\":true}",
     1, "id", "\"a\""},
    {"rtk_meeting_livestream_sessions",
     "{\"data\":{\"livestreams\":[{\"id\":\"a\"}],\"sessions\":{\"id\":\"s\"},"
     "\"paging\":{\"total_count\":1}},\"success\":true}",
     1, "id", "\"s\""},
    {"rtk_meeting_session_livestreams",
     "{\"data\":{\"id\":\"a\",\"err_message\":\"LIVE\"},\"success\":true}", 1,
     "id", "\"a\""},
    {"rtk_meeting_sessions",
     "{\"data\":{\"sessions\":[{\"id\":\"a\"}]},\"paging\":{\"total_count\":1},"
     "\"success\":true}",
     1, "id", "\"a\""},
    {"rtk_meeting_session_participants",
     "{\"data\":{\"participants\":[{\"id\":\"a\"}]},\"success\":true}", 1, "id",
     "\"a\""},
    {"rtk_livestream_analytics",
     "{\"data\":[{\"date\":\"2023-07-15\",\"count\":1},{\"date\":null}],"
     "\"success\":true}",
     2, "date", "\"2023-07-15\""},
    {"rtk_livestream_totals",
     "{\"data\":[{\"date\":\"2023-07-15\",\"count\":4}],\"success\":true}", 1,
     "count", "4"},
};

static const struct rtk_endpoint *endpoint_named(const char *name) {
  for (int i = 0; i < rtk_endpoint_count; i++) {
    if (strcmp(rtk_endpoints[i].name, name) == 0) return &rtk_endpoints[i];
  }
  return NULL;
}

static const struct rtk_value *value_of(const struct rtk_endpoint *endpoint,
                                        const struct rtk_reply *reply,
                                        const char *field) {
  struct rtk_signature signature;
  const struct rtk_column *column = column_of(endpoint, field);
  rtk_endpoint_describe(endpoint, &signature);
  if (column == NULL) return NULL;
  return &reply->values[signature.place_of[column - endpoint->columns]];
}

CASE(both_forms_are_read) {
  for (size_t i = 0; i < COUNT(forms); i++) {
    const struct rtk_endpoint *e = endpoint_named(forms[i].table);
    struct rtk_reply *reply;
    cJSON *expected = cJSON_Parse(forms[i].expected);
    check_int(forms[i].table, "is there", e != NULL, 1);
    if (e != NULL) {
      reply = reply_of(e, forms[i].body);
      check_int(forms[i].body, "rows", reply->row_count, forms[i].rows);
      if (reply->row_count > 0) {
        const struct rtk_value *value = value_of(e, reply, forms[i].field);
        check_int(
            forms[i].body, forms[i].field,
            value != NULL && is_value(RTK_COLUMN_NUMERIC, value, expected), 1);
      }
      rtk_reply_free(reply);
    }
    cJSON_Delete(expected);
  }
}

int main(void) { return check_run(); }
