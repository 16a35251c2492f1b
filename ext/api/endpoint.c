/*
** The read endpoints of the API as data.
**
** Names, paths and fields: Cloudflare's public API description of RealtimeKit
** (https://developers.cloudflare.com/api/resources/realtime_kit/).  Its column
** descriptions are shifted by some rows, so the doc lines are our own.
**
** Adding an endpoint is one entry in rtk_endpoints[] and the columns it names.
*/
#include "api/endpoint.h"

#include "base/err.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* Columns of every table. */
/* clang-format off */
#define ACCOUNT_AND_APP                                                        \
  {.name = "account", .kind = RTK_COLUMN_ARGUMENT,                             \
   .argument = RTK_ARGUMENT_SCOPE, .setting = RTK_ACCOUNT,                     \
   .max_bytes = RTK_ACCOUNT_MAX, .doc = "the Cloudflare account's id"},        \
  {.name = "app", .kind = RTK_COLUMN_ARGUMENT,                                 \
   .argument = RTK_ARGUMENT_SCOPE, .setting = RTK_APP,                         \
   .max_bytes = RTK_APP_MAX, .doc = "the RealtimeKit app's id"}

/* Call syntax fills hidden columns in order: one argument too many gets here
** and not into the first column behind the arguments. */
#define END_OF_ARGUMENTS                                                       \
  {.name = "surplus_argument", .kind = RTK_COLUMN_SURPLUS}

#define ABOUT_THE_REPLY                                                        \
  {.name = "error", .kind = RTK_COLUMN_ERROR,                                  \
   .doc = "why this id has no data (on_error = 'row'), else NULL"},            \
  {.name = "error_kind", .kind = RTK_COLUMN_KIND,                              \
   .doc = "the same as one word: " RTK_KIND_WORDS},                            \
  {.name = "http_status", .kind = RTK_COLUMN_STATUS,                           \
   .type = RTK_COLUMN_INTEGER, .doc = "the reply's HTTP status"},              \
  {.name = "response", .kind = RTK_COLUMN_RESPONSE,                            \
   .doc = "the reply's body as JSON text; of a list only this row"},           \
  {.name = "row", .field = "", .type = RTK_COLUMN_JSON, .is_hidden = true,     \
   .doc = "the row's own JSON, as it stands in the reply"}

/* Columns of the reply. */
#define TEXT(its_name, its_doc) {.name = its_name, .doc = its_doc}
#define NUMBER(its_name, its_doc)                                              \
  {.name = its_name, .type = RTK_COLUMN_NUMERIC, .doc = its_doc}
#define FLAG(its_name, its_doc)                                                \
  {.name = its_name, .type = RTK_COLUMN_INTEGER, .doc = its_doc}
#define HIDDEN(its_name, its_doc)                                              \
  {.name = its_name, .is_hidden = true, .doc = its_doc}
/* A text that stands for the argument `id`; NULL: for none. */
#define ID_OF(id, its_name, its_doc)                                           \
  {.name = its_name, .stands_for = id, .doc = its_doc}
/* A text that the server can filter by; `its_values`: a space after each. */
#define CHOICE(its_name, its_values, its_doc)                                  \
  {.name = its_name, .argument = RTK_ARGUMENT_FILTER, .values = its_values,    \
   .doc = its_doc}

/* Arguments. */
#define ID_ARGUMENT(its_name)                                                  \
  {.name = its_name, .kind = RTK_COLUMN_ARGUMENT,                              \
   .argument = RTK_ARGUMENT_ID, .doc = "the requested id"}
#define FILTER(its_name, its_doc)                                              \
  {.name = its_name, .kind = RTK_COLUMN_ARGUMENT,                              \
   .argument = RTK_ARGUMENT_FILTER, .doc = its_doc}
#define ORDER(its_name, its_values, its_doc)                                   \
  {.name = its_name, .kind = RTK_COLUMN_ARGUMENT,                              \
   .argument = RTK_ARGUMENT_FILTER, .values = its_values, .is_order = true,    \
   .doc = its_doc}
#define UNIX_TIME(its_name, its_doc)                                           \
  {.name = its_name, .kind = RTK_COLUMN_ARGUMENT,                              \
   .argument = RTK_ARGUMENT_FILTER, .type = RTK_COLUMN_INTEGER,                \
   .doc = its_doc}
#define PERIOD                                                                 \
  FILTER("start_time", "only records after this time: 2024-01-31T00:00:00Z"),  \
  FILTER("end_time", "only records before this time: 2024-01-31T00:00:00Z")

#define CREATED TEXT("created_at", "when the record was made (ISO 8601, UTC)")
#define UPDATED                                                                \
  TEXT("updated_at", "when the record last changed (ISO 8601, UTC)")

/* Livestream sessions, as four endpoints give them; the session's id and its
** livestream's stand for an argument, where the table has it; `id` is that of
** the call. */
#define SESSION_COLUMNS(id_for, livestream_for, id)                            \
  ID_OF(id_for, "id", "the livestream session's id (UUID)"),                   \
  CREATED,                                                                     \
  TEXT("err_message", "why the session failed, NULL when it did not"),         \
  NUMBER("ingest_seconds",                                                     \
         "seconds of video received from the encoder or meeting"),             \
  ID_OF(livestream_for, "livestream_id",                                       \
        "the livestream that the session belongs to"),                         \
  TEXT("started_time", "when it started (ISO 8601, UTC), NULL before"),        \
  TEXT("stopped_time",                                                         \
       "when it stopped (ISO 8601, UTC), NULL while it runs"),                 \
  UPDATED,                                                                     \
  NUMBER("viewer_seconds", "seconds watched, summed over the viewers"),        \
  ACCOUNT_AND_APP,                                                             \
  ID_ARGUMENT(id),                                                             \
  END_OF_ARGUMENTS,                                                            \
  HIDDEN("invoked_time",                                                       \
         "when the session was invoked; not in the published schema"),         \
  ABOUT_THE_REPLY

static const struct rtk_column livestream_session_columns[] = {
  SESSION_COLUMNS("session_id", NULL, "session_id")};
static const struct rtk_column sessions_of_livestream_columns[] = {
  SESSION_COLUMNS(NULL, "for_livestream_id", "for_livestream_id")};
static const struct rtk_column sessions_of_meeting_columns[] = {
  SESSION_COLUMNS(NULL, NULL, "meeting_session_id")};

/* Livestreams, as three endpoints give them; one can filter by the status. */
#define LIVESTREAM_COLUMNS(id_for, status)                                     \
  ID_OF(id_for, "id", "the livestream's id (UUID)"),                           \
  TEXT("name", "its name, or NULL"),                           \
  status,                                                                      \
  TEXT("meeting_id", "the meeting that is streamed, or NULL"),              \
  FLAG("disabled", "1 when it takes no more video"),                           \
  TEXT("ingest_server", "where an encoder sends its video"),                   \
  TEXT("playback_url", "where viewers get it (HLS)"),                          \
  CREATED,                                                                     \
  UPDATED,                                                                     \
  ACCOUNT_AND_APP
#define STATUS_DOC "LIVE, IDLE, ERRORED or INVOKED"
#define STREAM_KEY                                                             \
  HIDDEN("stream_key", "the secret that lets an encoder send video")

static const struct rtk_column livestreams_columns[] = {
  LIVESTREAM_COLUMNS(
    NULL, CHOICE("status", "LIVE IDLE ERRORED INVOKED ", STATUS_DOC)),
  END_OF_ARGUMENTS,
  PERIOD,
  {.name = "exclude_meetings", .kind = RTK_COLUMN_ARGUMENT,
   .argument = RTK_ARGUMENT_FILTER, .is_switch = true,
   .doc = "1: leave out livestreams of meetings"},
  ORDER("sort_order", "ASC DSC ",
        "ASC or DSC: the order of the list"),
  STREAM_KEY,
  ABOUT_THE_REPLY,
};

#define ONE_LIVESTREAM(id_for, id)                                             \
  LIVESTREAM_COLUMNS(id_for, TEXT("status", STATUS_DOC)),                      \
  ID_ARGUMENT(id),                                                             \
  END_OF_ARGUMENTS,                                                            \
  STREAM_KEY,                                                                  \
  ABOUT_THE_REPLY

static const struct rtk_column livestream_columns[] = {
  ONE_LIVESTREAM("livestream_id", "livestream_id")};
static const struct rtk_column livestream_of_meeting_columns[] = {
  ONE_LIVESTREAM(NULL, "for_meeting_id")};

static const struct rtk_column meeting_sessions_columns[] = {
  TEXT("id", "the meeting session's id (UUID)"),
  CHOICE("associated_id", NULL, "the id of its meeting"),
  TEXT("meeting_display_name", "the name of the meeting"),
  CHOICE("status", "LIVE ENDED ", "LIVE or ENDED"),
  TEXT("type", "the kind of meeting"),
  NUMBER("live_participants", "participants now"),
  NUMBER("max_concurrent_participants", "participants at once, at most"),
  NUMBER("minutes_consumed", "minutes of all participants together"),
  TEXT("started_at", "when it started (ISO 8601, UTC)"),
  TEXT("ended_at", "when it ended (ISO 8601, UTC), NULL while it runs"),
  CREATED,
  UPDATED,
  TEXT("organization_id", "the id of its organization"),
  TEXT("breakout_rooms", "its breakout rooms (JSON)"),
  TEXT("meta", "further data (JSON)"),
  ACCOUNT_AND_APP,
  END_OF_ARGUMENTS,
  PERIOD,
  FILTER("search", "only records that match these words"),
  ORDER("sort_by", "minutesConsumed createdAt ",
        "minutesConsumed or createdAt: what the list is sorted by"),
  ORDER("sort_order", "ASC DESC ",
        "ASC or DESC: the order of the list"),
  ABOUT_THE_REPLY,
};

#define TOTALS                                                                 \
  NUMBER("count", "the number of livestream sessions"),                  \
  NUMBER("total_ingest_seconds", "seconds of video received"),                 \
  NUMBER("total_viewer_seconds", "seconds watched, summed over the viewers"),  \
  ACCOUNT_AND_APP,                                                             \
  END_OF_ARGUMENTS,                                                            \
  UNIX_TIME("start_time", "only records after this time, in Unix seconds:"     \
                                     " strftime('%s', '2024-01-31')"),                    \
  UNIX_TIME("end_time", "only records before this time, in Unix seconds:"       \
                        " strftime('%s', '2024-01-31')"),                      \
  FILTER("filters", "further filters, sent unchanged"), \
  ABOUT_THE_REPLY

static const struct rtk_column analytics_columns[] = {
  TEXT("date", "the day (YYYY-MM-DD, UTC)"), TOTALS};
static const struct rtk_column totals_columns[] = {TOTALS};

#define APP "accounts/{account}/realtime/kit/{app}/"
#define COLUMNS(array) .columns = array, .column_count = COUNT(array)

const struct rtk_endpoint rtk_endpoints[] = {
  {.name = "rtk_livestream_session",
   .noun = "session",
   .path = APP "livestreams/sessions/{session_id}",
   .rows = {"data"},
   .ended = "stopped_time",
   COLUMNS(livestream_session_columns)},
  {.name = "rtk_livestreams",
   .noun = "page",
   .path = APP "livestreams",
   .rows = {"data"},
   .is_list = true,
   .paging = {"paging", "data.paging"},
   COLUMNS(livestreams_columns)},
  {.name = "rtk_livestream",
   .noun = "livestream",
   .path = APP "livestreams/{livestream_id}",
   .rows = {"data.livestream"},
   COLUMNS(livestream_columns)},
  {.name = "rtk_livestream_sessions",
   .noun = "livestream",
   .path = APP "livestreams/{for_livestream_id}",
   .rows = {"data.sessions", "data.session"},
   .is_list = true,
   .paging = {"paging", "data.paging"},
   .each = &rtk_endpoints[0],
   COLUMNS(sessions_of_livestream_columns)},
  {.name = "rtk_active_livestream_session",
   .noun = "livestream",
   .path = APP "livestreams/{for_livestream_id}/active-livestream-session",
   .rows = {"data.session", "data.sessions"},
   .is_list = true,
   .each = &rtk_endpoints[0],
   COLUMNS(sessions_of_livestream_columns)},
  {.name = "rtk_meeting_active_livestream",
   .noun = "meeting",
   .path = APP "meetings/{for_meeting_id}/active-livestream",
   .rows = {"data"},
   COLUMNS(livestream_of_meeting_columns)},
  {.name = "rtk_meeting_session_livestreams",
   .noun = "meeting session",
   .path = APP "sessions/{meeting_session_id}/livestream-sessions",
   .rows = {"data.data", "data.sessions"},
   .is_list = true,
   .paging = {"data.paging", "paging"},
   .each = &rtk_endpoints[0],
   COLUMNS(sessions_of_meeting_columns)},
  {.name = "rtk_meeting_sessions",
   .noun = "page",
   .path = APP "sessions",
   .rows = {"data.sessions", "data.data"},
   .is_list = true,
   .paging = {"data.paging", "paging"},
   COLUMNS(meeting_sessions_columns)},
  {.name = "rtk_livestream_analytics",
   .noun = "report",
   .path = APP "analytics/livestreams/daywise",
   .rows = {"data"},
   .is_list = true,
   COLUMNS(analytics_columns)},
  {.name = "rtk_livestream_totals",
   .noun = "report",
   .path = APP "analytics/livestreams/overall",
   .rows = {"data"},
   COLUMNS(totals_columns)},
};
/* clang-format on */

const int rtk_endpoint_count = COUNT(rtk_endpoints);

static bool is_filter(const struct rtk_column *column) {
  return column->argument == RTK_ARGUMENT_FILTER;
}

static bool is_of_path(const struct rtk_column *column) {
  return column->kind == RTK_COLUMN_ARGUMENT && !is_filter(column);
}

/* The column that stands in for the argument of this name, or -1. */
static int find_stand_in(const struct rtk_endpoint *endpoint,
                         const char *name) {
  for (int i = 0; i < endpoint->column_count; i++) {
    const char *stands_for = endpoint->columns[i].stands_for;
    if (stands_for != NULL && strcmp(stands_for, name) == 0) return i;
  }
  return -1;
}

static void add_argument(struct rtk_signature *signature, int column) {
  const struct rtk_column *argument = &signature->endpoint->columns[column];
  int k = signature->count++;
  int stand_in = find_stand_in(signature->endpoint, argument->name);
  signature->columns[k] = (signed char)column;
  signature->stand_ins[k] = (signed char)stand_in;
  signature->argument_of[column] = (signed char)k;
  if (stand_in >= 0) signature->argument_of[stand_in] = (signed char)k;
  if (argument->argument == RTK_ARGUMENT_SCOPE) signature->scope = k;
  if (argument->argument == RTK_ARGUMENT_ID) signature->id = k;
}

void rtk_endpoint_describe(const struct rtk_endpoint *endpoint,
                           struct rtk_signature *signature) {
  memset(signature, -1, sizeof(*signature));
  signature->endpoint = endpoint;
  signature->count = signature->data_count = 0;
  for (int i = 0; i < endpoint->column_count; i++) {
    const struct rtk_column *column = &endpoint->columns[i];
    if (is_of_path(column)) add_argument(signature, i);
    if (column->kind == RTK_COLUMN_DATA) {
      signature->place_of[i] = (signed char)signature->data_count++;
    }
  }
  signature->path_count = signature->count;
  for (int i = 0; i < endpoint->column_count; i++) {
    if (is_filter(&endpoint->columns[i])) add_argument(signature, i);
  }
}

const struct rtk_column *rtk_endpoint_argument(
    const struct rtk_signature *signature, int argument) {
  return &signature->endpoint->columns[signature->columns[argument]];
}

bool rtk_endpoint_is_outer_id(const struct rtk_signature *signature,
                              int argument) {
  return argument < signature->id &&
         rtk_endpoint_argument(signature, argument)->argument ==
             RTK_ARGUMENT_ID;
}

const char *rtk_endpoint_field(const struct rtk_column *column) {
  return column->field == NULL ? column->name : column->field;
}

bool rtk_endpoint_is_hidden(const struct rtk_column *column) {
  return column->is_hidden || column->kind != RTK_COLUMN_DATA;
}

const char *rtk_endpoint_type(const struct rtk_column *column) {
  static const char *const types[] = {
      [RTK_COLUMN_TEXT] = "TEXT",
      [RTK_COLUMN_INTEGER] = "INTEGER",
      [RTK_COLUMN_NUMERIC] = "NUMERIC",
      [RTK_COLUMN_JSON] = "TEXT",
  };
  return types[column->type];
}

char *rtk_endpoint_schema(const struct rtk_endpoint *endpoint) {
  sqlite3_str *text = sqlite3_str_new(NULL);
  for (int i = 0; i < endpoint->column_count; i++) {
    const struct rtk_column *column = &endpoint->columns[i];
    sqlite3_str_appendf(text, "%s\"%w\" %s%s", i == 0 ? "CREATE TABLE x(" : ",",
                        column->name, rtk_endpoint_type(column),
                        rtk_endpoint_is_hidden(column) ? " HIDDEN" : "");
  }
  sqlite3_str_appendall(text, ")");
  return sqlite3_str_finish(text);
}
