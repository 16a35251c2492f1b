/*
** Columns of livestreams, of their sessions, and of their figures.
*/
#ifndef RTK_COLUMNS_LIVESTREAMS_H
#define RTK_COLUMNS_LIVESTREAMS_H

#include "api/columns.h"

/* clang-format off */
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
  TIME("started_time", "when it started (ISO 8601, UTC), NULL before"),        \
  TIME("stopped_time",                                                         \
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
static const struct rtk_column livestreams_of_session_columns[] = {
  SESSION_COLUMNS(NULL, NULL, "meeting_session_id")};
static const struct rtk_column livestreams_of_meeting_columns[] = {
  SESSION_COLUMNS(NULL, NULL, "meeting_id")};

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
  SWITCH("exclude_meetings", "1: leave out livestreams of meetings"),
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
/* clang-format on */

#endif
