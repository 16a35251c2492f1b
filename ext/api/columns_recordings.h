/*
** Columns of recordings, and of the days of an app.
*/
#ifndef RTK_COLUMNS_RECORDINGS_H
#define RTK_COLUMNS_RECORDINGS_H

#include "api/columns.h"

/* clang-format off */
/* Recordings, as three endpoints give them. */
#define RECORDING_COLUMNS(id_for, status)                                      \
  ID_OF(id_for, "id", "the recording's id (UUID)"),                            \
  TEXT("output_file_name", "the name of its file"),                            \
  status,                                                                      \
  TEXT_AT("meeting_session_id", "session_id",                                  \
          "the meeting session that was recorded, or NULL"),                   \
  TIME("invoked_time", "when it was asked for (ISO 8601, UTC)"),               \
  TIME("started_time", "when it started (ISO 8601, UTC), NULL before"),        \
  TIME("stopped_time",                                                         \
       "when it stopped (ISO 8601, UTC), NULL while it runs"),                 \
  NUMBER("recording_duration", "its length in seconds"),                       \
  NUMBER("file_size", "bytes of its file, NULL before it is uploaded"),        \
  TIME("download_url_expiry", "when the links expire (ISO 8601, UTC)")
#define RECORDING_STATUS                                                       \
  "INVOKED, RECORDING, UPLOADING, UPLOADED, ERRORED or PAUSED"
#define DOWNLOADS                                                              \
  LINK("download_url", NULL, "the link to the video, for anybody who has it"), \
  LINK("audio_download_url", NULL,                                             \
       "the link to the audio, for anybody who has it")
#define STORAGE                                                                \
  HIDDEN("storage_config", "where it is stored (JSON, may hold secrets)")

static const struct rtk_column recordings_columns[] = {
  RECORDING_COLUMNS(NULL, ID_OF("statuses", "status", RECORDING_STATUS)),
  ID_AT("for_meeting_id", "meeting_id", "meeting.id", "the meeting's id"),
  ACCOUNT_AND_APP, END_OF_ARGUMENTS, PERIOD, SEARCH,
  {.name = "for_meeting_id", .field = "meeting_id",
   .kind = RTK_COLUMN_ARGUMENT, .argument = RTK_ARGUMENT_FILTER,
   .doc = "only recordings of this meeting"},
  {.name = "statuses", .field = "status", .kind = RTK_COLUMN_ARGUMENT,
   .argument = RTK_ARGUMENT_FILTER, .is_comma_list = true,
   .values = "INVOKED RECORDING UPLOADING UPLOADED ERRORED PAUSED ",
   .doc = "only recordings of these statuses: UPLOADED,ERRORED"},
  SWITCH("expired", "1 or 0: only recordings that have expired, or have not"),
  ORDER("sort_by", "invokedTime ", "invokedTime: what the list is sorted by"),
  SORT_ORDER, DOWNLOADS, STORAGE,
  HIDDEN("meeting", "the meeting (JSON, may hold secrets)"), ABOUT_THE_REPLY};

#define WHY(which)                                                             \
  TEXT_AT(which "_reason", which "_reason.reason", "why it was to " which),    \
  TEXT_AT(which "_caller_type", which "_reason.caller.type",                   \
          "who made it " which ": ORGANIZATION or USER")
#define WHO(which)                                                             \
  HIDDEN_AT(which "_caller_id", which "_reason.caller.user_Id",                \
            "the id of who made it " which " (personal data)"),                \
  HIDDEN_AT(which "_caller_name", which "_reason.caller.name",                 \
            "the name of who made it " which " (personal data)")

static const struct rtk_column recording_columns[] = {
  RECORDING_COLUMNS("recording_id", TEXT("status", RECORDING_STATUS)),
  WHY("start"), WHY("stop"), ONE_ID("recording_id"), DOWNLOADS, STORAGE,
  WHO("start"), WHO("stop"), ABOUT_THE_REPLY};
static const struct rtk_column recording_of_meeting_columns[] = {
  RECORDING_COLUMNS(NULL, TEXT("status", RECORDING_STATUS)),
  ONE_ID("meeting_id"), DOWNLOADS, ABOUT_THE_REPLY};

/* The days of an app. */
#define DAYS                                                                   \
  ACCOUNT_AND_APP, END_OF_ARGUMENTS,                                           \
  FILTER("start_date", "the first day: 2024-01-31; without one, 30 days"),     \
  FILTER("end_date", "the last day: 2024-01-31"), ABOUT_THE_REPLY
#define DAY TEXT("day", "the day (YYYY-MM-DD, UTC)")

static const struct rtk_column session_days_columns[] = {
  DAY, NUMBER("total_sessions", "meeting sessions on that day"),
  NUMBER("total_session_minutes", "minutes of their participants"), DAYS};
static const struct rtk_column recording_days_columns[] = {
  DAY, NUMBER("total_recordings", "recordings on that day"),
  NUMBER("total_recording_minutes", "minutes that were recorded"), DAYS};
/* clang-format on */

#endif
