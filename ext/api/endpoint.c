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
#include "base/limits.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* What every table ends with. */
/* clang-format off */
#define ACCOUNT_AND_APP                                                        \
  {.name = "account", .kind = RTK_COLUMN_ARGUMENT,                             \
   .argument = RTK_ARGUMENT_SCOPE, .setting = RTK_ACCOUNT,                     \
   .max_bytes = RTK_ACCOUNT_MAX, .doc = "the Cloudflare account's id"},        \
  {.name = "app", .kind = RTK_COLUMN_ARGUMENT,                                 \
   .argument = RTK_ARGUMENT_SCOPE, .setting = RTK_APP,                         \
   .max_bytes = RTK_APP_MAX, .doc = "the RealtimeKit app's id"}

/* Call syntax fills hidden columns in order: an argument too many ends up here
** and not in the first column behind the arguments. */
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
   .doc = "the reply's body as JSON text"}

/* A livestream session, as four endpoints give it.  Where its id or its
** livestream's is what is asked by, that column stands for the argument; NULL
** where it is not. */
#define SESSION_COLUMNS(id_for, livestream_for)                                \
  {.name = "id", .stands_for = id_for,                                         \
   .doc = "the livestream session's id (UUID)"},                               \
  {.name = "created_at", .doc = "when the record was made (ISO 8601, UTC)"},   \
  {.name = "err_message",                                                      \
   .doc = "why the session failed, NULL when it did not"},                     \
  {.name = "ingest_seconds", .type = RTK_COLUMN_NUMERIC,                       \
   .doc = "seconds of video received from the encoder or meeting"},            \
  {.name = "livestream_id", .stands_for = livestream_for,                      \
   .doc = "the livestream that the session belongs to"},                       \
  {.name = "started_time",                                                     \
   .doc = "when it started (ISO 8601, UTC), NULL before"},                     \
  {.name = "stopped_time",                                                     \
   .doc = "when it stopped (ISO 8601, UTC), NULL while it runs"},              \
  {.name = "updated_at",                                                       \
   .doc = "when the record last changed (ISO 8601, UTC)"},                     \
  {.name = "viewer_seconds", .type = RTK_COLUMN_NUMERIC,                       \
   .doc = "seconds watched, summed over the viewers"}

#define INVOKED_TIME                                                           \
  {.name = "invoked_time", .is_hidden = true,                                  \
   .doc = "when the session was invoked; not in the published schema"}

/* A livestream, as three endpoints give it: the same for its meeting, and its
** status, which one of them can filter by. */
#define LIVESTREAM_COLUMNS(id_for, meeting_for, status)                        \
  {.name = "id", .stands_for = id_for, .doc = "the livestream's id (UUID)"},   \
  {.name = "name", .doc = "what it was called, NULL: nothing"},                \
  status,                                                                      \
  {.name = "meeting_id", .stands_for = meeting_for,                            \
   .doc = "the meeting that is streamed, NULL: none"},                         \
  {.name = "disabled", .type = RTK_COLUMN_INTEGER,                             \
   .doc = "1 when it takes no more video"},                                    \
  {.name = "ingest_server", .doc = "where an encoder sends its video"},        \
  {.name = "playback_url", .doc = "where viewers get it (HLS)"},               \
  {.name = "created_at", .doc = "when the record was made (ISO 8601, UTC)"},   \
  {.name = "updated_at",                                                       \
   .doc = "when the record last changed (ISO 8601, UTC)"}

#define STATUS_DOC "LIVE, IDLE, ERRORED or INVOKED"
#define STATUS {.name = "status", .doc = STATUS_DOC}
#define STATUS_FILTER                                                          \
  {.name = "status", .argument = RTK_ARGUMENT_FILTER,                          \
   .values = "LIVE IDLE ERRORED INVOKED ", .doc = STATUS_DOC}

#define STREAM_KEY                                                             \
  {.name = "stream_key", .is_hidden = true,                                    \
   .doc = "the secret that lets an encoder send video"}

#define ID_ARGUMENT(its_name)                                                  \
  {.name = its_name, .kind = RTK_COLUMN_ARGUMENT,                              \
   .argument = RTK_ARGUMENT_ID, .doc = "the id that was asked for"}

#define FILTER(its_name, its_doc)                                              \
  {.name = its_name, .kind = RTK_COLUMN_ARGUMENT,                              \
   .argument = RTK_ARGUMENT_FILTER, .doc = its_doc}

/* What the rows come in order by; `its_values`: a space behind each. */
#define ORDER(its_name, its_values, its_doc)                                   \
  {.name = its_name, .kind = RTK_COLUMN_ARGUMENT,                              \
   .argument = RTK_ARGUMENT_FILTER, .values = its_values, .is_order = true,    \
   .doc = its_doc}

#define PERIOD                                                                 \
  FILTER("start_time", "only what is later: ISO 8601, 2024-01-31T00:00:00Z"),  \
  FILTER("end_time", "only what is earlier: ISO 8601, 2024-01-31T00:00:00Z")

#define UNIX_TIME(its_name, its_doc)                                           \
  {.name = its_name, .kind = RTK_COLUMN_ARGUMENT,                              \
   .argument = RTK_ARGUMENT_FILTER, .type = RTK_COLUMN_INTEGER,                \
   .doc = its_doc}

#define ANALYTICS_FILTERS                                                      \
  UNIX_TIME("start_time", "only what is later: Unix seconds, as from"          \
                          " strftime('%s', '2024-01-31')"),                    \
  UNIX_TIME("end_time", "only what is earlier: Unix seconds, as from"          \
                        " strftime('%s', '2024-01-31')"),                      \
  FILTER("filters", "what else the server is to go by, as it understands it")

#define TOTALS                                                                 \
  {.name = "total_ingest_seconds", .type = RTK_COLUMN_NUMERIC,                 \
   .doc = "seconds of video received"},                                        \
  {.name = "total_viewer_seconds", .type = RTK_COLUMN_NUMERIC,                 \
   .doc = "seconds watched, summed over the viewers"}

static const struct rtk_column livestream_session_columns[] = {
  SESSION_COLUMNS("session_id", NULL),
  ACCOUNT_AND_APP,
  ID_ARGUMENT("session_id"),
  END_OF_ARGUMENTS,
  INVOKED_TIME,
  ABOUT_THE_REPLY,
};

static const struct rtk_column sessions_of_livestream_columns[] = {
  SESSION_COLUMNS(NULL, "for_livestream_id"),
  ACCOUNT_AND_APP,
  ID_ARGUMENT("for_livestream_id"),
  END_OF_ARGUMENTS,
  INVOKED_TIME,
  ABOUT_THE_REPLY,
};

static const struct rtk_column sessions_of_meeting_columns[] = {
  SESSION_COLUMNS(NULL, NULL),
  ACCOUNT_AND_APP,
  ID_ARGUMENT("meeting_session_id"),
  END_OF_ARGUMENTS,
  INVOKED_TIME,
  ABOUT_THE_REPLY,
};

static const struct rtk_column livestreams_columns[] = {
  LIVESTREAM_COLUMNS(NULL, NULL, STATUS_FILTER),
  ACCOUNT_AND_APP,
  END_OF_ARGUMENTS,
  PERIOD,
  {.name = "exclude_meetings", .kind = RTK_COLUMN_ARGUMENT,
   .argument = RTK_ARGUMENT_FILTER, .is_switch = true,
   .doc = "1: only what an encoder streams"},
  ORDER("sort_order", "ASC DSC ", "ASC or DSC: the order in which the server"
                                   " gives them"),
  STREAM_KEY,
  ABOUT_THE_REPLY,
};

static const struct rtk_column livestream_columns[] = {
  LIVESTREAM_COLUMNS("livestream_id", NULL, STATUS),
  ACCOUNT_AND_APP,
  ID_ARGUMENT("livestream_id"),
  END_OF_ARGUMENTS,
  STREAM_KEY,
  ABOUT_THE_REPLY,
};

static const struct rtk_column livestream_of_meeting_columns[] = {
  LIVESTREAM_COLUMNS(NULL, "for_meeting_id", STATUS),
  ACCOUNT_AND_APP,
  ID_ARGUMENT("for_meeting_id"),
  END_OF_ARGUMENTS,
  STREAM_KEY,
  ABOUT_THE_REPLY,
};

static const struct rtk_column meeting_sessions_columns[] = {
  {.name = "id", .doc = "the meeting session's id (UUID)"},
  {.name = "associated_id", .argument = RTK_ARGUMENT_FILTER,
   .doc = "the meeting that it is a session of"},
  {.name = "meeting_display_name", .doc = "what the meeting is called"},
  {.name = "status", .argument = RTK_ARGUMENT_FILTER,
   .values = "LIVE ENDED ", .doc = "LIVE or ENDED"},
  {.name = "type", .doc = "the kind of meeting"},
  {.name = "live_participants", .type = RTK_COLUMN_NUMERIC,
   .doc = "how many are in it now"},
  {.name = "max_concurrent_participants", .type = RTK_COLUMN_NUMERIC,
   .doc = "the most that were in it at once"},
  {.name = "minutes_consumed", .type = RTK_COLUMN_NUMERIC,
   .doc = "participants' minutes, summed"},
  {.name = "started_at", .doc = "when it started (ISO 8601, UTC)"},
  {.name = "ended_at", .doc = "when it ended (ISO 8601, UTC), NULL: it runs"},
  {.name = "created_at", .doc = "when the record was made (ISO 8601, UTC)"},
  {.name = "updated_at",
   .doc = "when the record last changed (ISO 8601, UTC)"},
  {.name = "organization_id", .doc = "the organization it belongs to"},
  {.name = "breakout_rooms", .doc = "its breakout rooms (JSON)"},
  {.name = "meta", .doc = "what else is known of it (JSON)"},
  ACCOUNT_AND_APP,
  END_OF_ARGUMENTS,
  PERIOD,
  FILTER("search", "only what matches these words"),
  ORDER("sort_by", "minutesConsumed createdAt ",
         "minutesConsumed or createdAt: what the server puts them in order"
         " by"),
  ORDER("sort_order", "ASC DESC ", "ASC or DESC: the order in which the server"
                                    " gives them"),
  ABOUT_THE_REPLY,
};

static const struct rtk_column analytics_columns[] = {
  {.name = "date", .doc = "the day (YYYY-MM-DD, UTC)"},
  {.name = "count", .type = RTK_COLUMN_NUMERIC,
   .doc = "how many livestream sessions there were"},
  TOTALS,
  ACCOUNT_AND_APP,
  END_OF_ARGUMENTS,
  ANALYTICS_FILTERS,
  ABOUT_THE_REPLY,
};

static const struct rtk_column totals_columns[] = {
  {.name = "count", .type = RTK_COLUMN_NUMERIC,
   .doc = "how many livestream sessions there were"},
  TOTALS,
  ACCOUNT_AND_APP,
  END_OF_ARGUMENTS,
  ANALYTICS_FILTERS,
  ABOUT_THE_REPLY,
};

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
  signature->count = 0;
  for (int i = 0; i < endpoint->column_count; i++) {
    if (is_of_path(&endpoint->columns[i])) add_argument(signature, i);
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

bool rtk_endpoint_is_hidden(const struct rtk_column *column) {
  return column->is_hidden || column->kind != RTK_COLUMN_DATA;
}

const char *rtk_endpoint_type(const struct rtk_column *column) {
  static const char *const types[] = {
      [RTK_COLUMN_TEXT] = "TEXT",
      [RTK_COLUMN_INTEGER] = "INTEGER",
      [RTK_COLUMN_NUMERIC] = "NUMERIC",
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
