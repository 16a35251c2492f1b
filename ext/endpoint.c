/*
** The read endpoints of the API as data.
**
** Names, paths and fields: Cloudflare's public API description of RealtimeKit
** (https://developers.cloudflare.com/api/resources/realtime_kit/).  Its column
** descriptions are shifted by some rows, so the doc lines are our own.
**
** Adding an endpoint is one entry in rtk_endpoints[] and the columns it names.
*/
#include "endpoint.h"

#include "limits.h"

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* What every table ends with. */
/* clang-format off */
#define ACCOUNT_AND_APP                                                        \
  {.name = "account", .kind = RTK_COLUMN_ARGUMENT,                             \
   .argument = RTK_ARGUMENT_SCOPE, .setting = RTK_ACCOUNT,                       \
   .max_bytes = RTK_ACCOUNT_MAX, .doc = "the Cloudflare account's id"},        \
  {.name = "app", .kind = RTK_COLUMN_ARGUMENT,                                 \
   .argument = RTK_ARGUMENT_SCOPE, .setting = RTK_APP,                           \
   .max_bytes = RTK_APP_MAX, .doc = "the RealtimeKit app's id"}

#define ABOUT_THE_REPLY                                                        \
  {.name = "error", .kind = RTK_COLUMN_ERROR,                                  \
   .doc = "why this id has no data (on_error = 'row'), else NULL"},            \
  {.name = "http_status", .kind = RTK_COLUMN_STATUS,                           \
   .type = RTK_COLUMN_INTEGER, .doc = "the reply's HTTP status"},              \
  {.name = "response", .kind = RTK_COLUMN_RESPONSE,                            \
   .doc = "the reply's body as JSON text"}

static const struct rtk_column livestream_session_columns[] = {
  {.name = "id", .stands_for = "session_id",
   .doc = "the livestream session's id (UUID)"},
  {.name = "created_at", .doc = "when the record was made (ISO 8601, UTC)"},
  {.name = "err_message",
   .doc = "why the session failed, NULL when it did not"},
  {.name = "ingest_seconds", .type = RTK_COLUMN_NUMERIC,
   .doc = "seconds of video received from the encoder or meeting"},
  {.name = "livestream_id",
   .doc = "the livestream that the session belongs to"},
  {.name = "started_time",
   .doc = "when it started (ISO 8601, UTC), NULL before"},
  {.name = "stopped_time",
   .doc = "when it stopped (ISO 8601, UTC), NULL while it runs"},
  {.name = "updated_at", .doc = "when the record last changed (ISO 8601, UTC)"},
  {.name = "viewer_seconds", .type = RTK_COLUMN_NUMERIC,
   .doc = "seconds watched, summed over the viewers"},
  ACCOUNT_AND_APP,
  {.name = "session_id", .kind = RTK_COLUMN_ARGUMENT,
   .argument = RTK_ARGUMENT_ID, .doc = "the id that was asked for"},
  {.name = "invoked_time", .is_hidden = true,
   .doc = "when the session was invoked; not in the published schema"},
  ABOUT_THE_REPLY,
};

const struct rtk_endpoint rtk_endpoints[] = {
  {.name = "rtk_livestream_session",
   .noun = "session",
   .path = "accounts/{account}/realtime/kit/{app}"
           "/livestreams/sessions/{session_id}",
   .rows = "data",
   .ended = "stopped_time",
   .columns = livestream_session_columns,
   .column_count = COUNT(livestream_session_columns)},
};
/* clang-format on */

const int rtk_endpoint_count = COUNT(rtk_endpoints);

int rtk_endpoint_argument(const struct rtk_endpoint *endpoint, int nth) {
  for (int i = 0; i < endpoint->column_count; i++) {
    if (endpoint->columns[i].kind != RTK_COLUMN_ARGUMENT) continue;
    if (nth-- == 0) return i;
  }
  return -1;
}

static bool is_hidden(const struct rtk_column *column) {
  return column->is_hidden || column->kind != RTK_COLUMN_DATA;
}

char *rtk_endpoint_schema(const struct rtk_endpoint *endpoint) {
  static const char *const types[] = {
      [RTK_COLUMN_TEXT] = "TEXT",
      [RTK_COLUMN_INTEGER] = "INTEGER",
      [RTK_COLUMN_NUMERIC] = "NUMERIC",
  };
  sqlite3_str *text = sqlite3_str_new(NULL);
  for (int i = 0; i < endpoint->column_count; i++) {
    const struct rtk_column *column = &endpoint->columns[i];
    sqlite3_str_appendf(text, "%s\"%w\" %s%s", i == 0 ? "CREATE TABLE x(" : ",",
                        column->name, types[column->type],
                        is_hidden(column) ? " HIDDEN" : "");
  }
  sqlite3_str_appendall(text, ")");
  return sqlite3_str_finish(text);
}
