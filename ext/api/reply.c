/* The result of one request.  Its JSON is read once, when it arrives. */
#include "api/reply.h"

#include "api/endpoint.h"
#include "api/json.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* The endpoint's columns of data; returns how many there are. */
static int read_columns(const struct rtk_endpoint *endpoint,
                        struct rtk_json_column *columns) {
  static const enum rtk_json_form forms[] = {
      [RTK_COLUMN_TEXT] = RTK_JSON_AS_TEXT,
      [RTK_COLUMN_TIME] = RTK_JSON_AS_TIME,
      [RTK_COLUMN_INTEGER] = RTK_JSON_AS_BOOL,
      [RTK_COLUMN_NUMERIC] = RTK_JSON_AS_NUMBER,
      [RTK_COLUMN_JSON] = RTK_JSON_AS_JSON,
  };
  int count = 0;
  for (int i = 0; i < endpoint->column_count; i++) {
    const struct rtk_column *column = &endpoint->columns[i];
    if (column->kind != RTK_COLUMN_DATA) continue;
    columns[count++] =
        rtk_json_column(rtk_endpoint_field(column), forms[column->type]);
  }
  return count;
}

int rtk_reply_of_rows(const struct rtk_endpoint *endpoint, int http_status,
                      const struct rtk_reply_source *source,
                      struct rtk_reply **reply) {
  struct rtk_json_column columns[RTK_COLUMNS_MAX];
  int width = read_columns(endpoint, columns);
  size_t rows = rtk_json_row_count(source->rows);
  size_t count = rows * (size_t)width;
  struct rtk_value *values = sqlite3_malloc64((count + 1) * sizeof(*values));
  struct rtk_reply draft = {.http_status = http_status,
                            .row_count = (int)rows,
                            .values = values,
                            .body = source->body,
                            .total_count = source->total_count};
  if (values == NULL) return SQLITE_NOMEM;
  int rc = rtk_json_read(source->rows, source->text, columns, width, values);
  if (rc == SQLITE_OK) rc = rtk_reply_of_values(&draft, count, reply);
  sqlite3_free(values);
  return rc;
}

/* Does a value's text stand in the body? */
static bool is_within(const struct rtk_value *value, struct rtk_text body) {
  return (uintptr_t)value->as.text - (uintptr_t)body.bytes < body.size;
}

/* Copies the bytes to *end, and moves it on. */
static const char *put(char **end, const char *bytes, size_t size) {
  char *at = *end;
  if (size > 0) memcpy(at, bytes, size);
  *end += size;
  return at;
}

int rtk_reply_of_values(const struct rtk_reply *draft, size_t count,
                        struct rtk_reply **reply) {
  struct rtk_text body = draft->body;
  size_t values_size = count * sizeof(struct rtk_value);
  size_t size = sizeof(struct rtk_reply) + values_size + body.size;
  for (size_t i = 0; i < count; i++) {
    const struct rtk_value *value = &draft->values[i];
    if (value->size > 0 && !is_within(value, body)) size += value->size;
  }
  struct rtk_reply *made = sqlite3_malloc64(size);
  if (made == NULL) return SQLITE_NOMEM;
  struct rtk_value *values = (struct rtk_value *)(void *)(made + 1);
  if (count > 0) memcpy(values, draft->values, values_size);
  char *end = (char *)(values + count);
  const char *copy = put(&end, body.bytes, body.size);
  for (size_t i = 0; i < count; i++) {
    struct rtk_value *value = &values[i];
    if (value->type != RTK_TEXT) continue;
    value->as.text = value->size == 0 ? copy
                     : is_within(value, body)
                         ? copy + (value->as.text - body.bytes)
                         : put(&end, value->as.text, value->size);
  }
  *made = (struct rtk_reply){.outcome = RTK_OUTCOME_ROWS,
                             .http_status = draft->http_status,
                             .size = size,
                             .row_count = draft->row_count,
                             .values = values,
                             .body = {copy, body.size},
                             .total_count = draft->total_count};
  *reply = made;
  return SQLITE_OK;
}

struct rtk_text rtk_reply_texts(const struct rtk_reply *reply) {
  const char *end = (const char *)reply + reply->size;
  return (struct rtk_text){reply->body.bytes,
                           (size_t)(end - reply->body.bytes)};
}

int rtk_reply_of_error(const struct rtk_reply *draft,
                       struct rtk_reply **reply) {
  size_t error_size = strlen(draft->error) + 1;
  struct rtk_reply *made = sqlite3_malloc64(sizeof(*made) + error_size);
  if (made == NULL) return SQLITE_NOMEM;
  char *copy = (char *)(made + 1);
  memcpy(copy, draft->error, error_size);
  *made = (struct rtk_reply){.outcome = draft->outcome,
                             .http_status = draft->http_status,
                             .size = sizeof(*made) + error_size,
                             .error = copy,
                             .kind = draft->kind,
                             .retry_unix_ms = draft->retry_unix_ms};
  *reply = made;
  return SQLITE_OK;
}

void rtk_reply_free(struct rtk_reply *reply) { sqlite3_free(reply); }

bool rtk_reply_is_refusal(const struct rtk_reply *reply) {
  return reply->outcome == RTK_OUTCOME_DENIED ||
         reply->outcome == RTK_OUTCOME_CALLER;
}
