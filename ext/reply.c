/*
** What one request came to.  Rows are read out of the JSON once, when it
** arrives, into one block: values, then their texts, then the body.
*/
#include "reply.h"

#include "endpoint.h"
#include "json.h"
#include "limits.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* The values of one row, their texts still those of the JSON document. */
struct draft {
  struct rtk_value values[RTK_COLUMNS_MAX];
  char *owned[RTK_COLUMNS_MAX];
  int count;
};

static void draft_free(struct draft *draft) {
  for (int i = 0; i < draft->count; i++) rtk_json_text_free(draft->owned[i]);
}

static int draft_row(struct draft *draft, const struct rtk_endpoint *endpoint,
                     const struct rtk_json *row) {
  memset(draft, 0, sizeof(*draft));
  draft->count = endpoint->column_count;
  for (int i = 0; i < draft->count; i++) {
    const struct rtk_column *column = &endpoint->columns[i];
    if (column->kind != RTK_COLUMN_DATA) continue;
    int rc = rtk_json_value(rtk_json_member(row, column->name),
                            column->type != RTK_COLUMN_TEXT, &draft->values[i],
                            &draft->owned[i]);
    if (rc != SQLITE_OK) return rc;
  }
  return SQLITE_OK;
}

static const char *put(char **out, const char *bytes, size_t size) {
  char *at = *out;
  if (size > 0) memcpy(at, bytes, size);
  *out += size;
  return at;
}

static struct rtk_reply *pack(const struct draft *draft, struct rtk_text body) {
  size_t values_size = (size_t)draft->count * sizeof(struct rtk_value);
  size_t size = sizeof(struct rtk_reply) + values_size + body.size;
  for (int i = 0; i < draft->count; i++) size += draft->values[i].size;
  struct rtk_reply *reply = sqlite3_malloc64(size);
  if (reply == NULL) return NULL;
  memset(reply, 0, sizeof(*reply));

  struct rtk_value *values = (struct rtk_value *)(void *)(reply + 1);
  memcpy(values, draft->values, values_size);
  char *out = (char *)values + values_size;
  for (int i = 0; i < draft->count; i++) {
    if (values[i].type != RTK_TEXT) continue;
    values[i].as.text = put(&out, values[i].as.text, values[i].size);
  }
  reply->size = size;
  reply->row_count = 1;
  reply->values = values;
  reply->body.bytes = put(&out, body.bytes, body.size);
  reply->body.size = body.size;
  return reply;
}

int rtk_reply_of_row(const struct rtk_endpoint *endpoint, int http_status,
                     const struct rtk_json *row, struct rtk_text body,
                     struct rtk_reply **reply) {
  struct draft draft;
  int rc = draft_row(&draft, endpoint, row);
  if (rc == SQLITE_OK) {
    struct rtk_reply *made = pack(&draft, body);
    rc = made == NULL ? SQLITE_NOMEM : SQLITE_OK;
    if (rc == SQLITE_OK) {
      made->outcome = RTK_OUTCOME_ROWS;
      made->http_status = http_status;
      *reply = made;
    }
  }
  draft_free(&draft);
  return rc;
}

int rtk_reply_of_error(enum rtk_outcome outcome, int http_status,
                       const char *error, struct rtk_reply **reply) {
  size_t error_size = strlen(error) + 1;
  struct rtk_reply *made = sqlite3_malloc64(sizeof(*made) + error_size);
  if (made == NULL) return SQLITE_NOMEM;
  memset(made, 0, sizeof(*made));
  char *copy = (char *)(made + 1);
  memcpy(copy, error, error_size);
  made->outcome = outcome;
  made->http_status = http_status;
  made->size = sizeof(*made) + error_size;
  made->error = copy;
  *reply = made;
  return SQLITE_OK;
}

void rtk_reply_free(struct rtk_reply *reply) { sqlite3_free(reply); }

bool rtk_reply_is_refusal(const struct rtk_reply *reply) {
  return reply->outcome == RTK_OUTCOME_DENIED ||
         reply->outcome == RTK_OUTCOME_CALLER;
}
