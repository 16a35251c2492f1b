/* The result of one request.  Its JSON is read once, when it arrives. */
#include "api/reply.h"

#include "api/endpoint.h"
#include "api/json.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* The values of all rows; their texts are borrowed from the JSON document. */
struct draft {
  struct rtk_value *values;
  size_t count;
  int row_count;
};

static int draft_rows(struct draft *draft, const struct rtk_endpoint *endpoint,
                      const struct rtk_reply_source *source) {
  static const enum rtk_json_form forms[] = {
      [RTK_COLUMN_TEXT] = RTK_JSON_AS_TEXT,
      [RTK_COLUMN_INTEGER] = RTK_JSON_AS_BOOL,
      [RTK_COLUMN_NUMERIC] = RTK_JSON_AS_NUMBER,
  };
  struct rtk_json_column columns[RTK_COLUMNS_MAX] = {{NULL, RTK_JSON_AS_TEXT}};
  int width = endpoint->column_count;
  for (int i = 0; i < width; i++) {
    const struct rtk_column *column = &endpoint->columns[i];
    columns[i].form = forms[column->type];
    if (column->kind == RTK_COLUMN_DATA) columns[i].name = column->name;
  }
  size_t rows = rtk_json_row_count(source->rows);
  draft->row_count = (int)rows;
  draft->count = rows * (size_t)width;
  draft->values = sqlite3_malloc64((draft->count + 1) * sizeof(*draft->values));
  if (draft->values == NULL) return SQLITE_NOMEM;
  return rtk_json_read(source->rows, source->text, columns, width,
                       draft->values);
}

static const char *put(char **out, const char *bytes, size_t size) {
  char *at = *out;
  if (size > 0) memcpy(at, bytes, size);
  *out += size;
  return at;
}

static struct rtk_reply *pack(const struct draft *draft, struct rtk_text body) {
  size_t values_size = draft->count * sizeof(struct rtk_value);
  size_t size = sizeof(struct rtk_reply) + values_size + body.size;
  for (size_t i = 0; i < draft->count; i++) size += draft->values[i].size;
  struct rtk_reply *reply = sqlite3_malloc64(size);
  if (reply == NULL) return NULL;
  memset(reply, 0, sizeof(*reply));

  struct rtk_value *values = (struct rtk_value *)(void *)(reply + 1);
  memcpy(values, draft->values, values_size);
  char *out = (char *)values + values_size;
  for (size_t i = 0; i < draft->count; i++) {
    if (values[i].type != RTK_TEXT) continue;
    values[i].as.text = put(&out, values[i].as.text, values[i].size);
  }
  reply->size = size;
  reply->row_count = draft->row_count;
  reply->values = values;
  reply->body.bytes = put(&out, body.bytes, body.size);
  reply->body.size = body.size;
  return reply;
}

int rtk_reply_of_rows(const struct rtk_endpoint *endpoint, int http_status,
                      const struct rtk_reply_source *source,
                      struct rtk_reply **reply) {
  struct draft draft = {0};
  int rc = draft_rows(&draft, endpoint, source);
  if (rc == SQLITE_OK) {
    struct rtk_reply *made = pack(&draft, source->body);
    rc = made == NULL ? SQLITE_NOMEM : SQLITE_OK;
    if (rc == SQLITE_OK) {
      made->outcome = RTK_OUTCOME_ROWS;
      made->http_status = http_status;
      made->total_count = source->total_count;
      *reply = made;
    }
  }
  sqlite3_free(draft.values);
  return rc;
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
