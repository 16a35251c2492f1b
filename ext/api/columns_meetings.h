/*
** Columns of apps, meetings, who is invited to them, presets and webhooks.
*/
#ifndef RTK_COLUMNS_MEETINGS_H
#define RTK_COLUMNS_MEETINGS_H

#include "api/columns.h"

/* clang-format off */
/* Apps. */
#define APP_COLUMNS(id_for)                                                    \
  ID_OF(id_for, "id", "the app's id"),                                         \
  TEXT("name", "its name, or NULL"),                                           \
  CREATED,                                                                     \
  ACCOUNT

static const struct rtk_column apps_columns[] = {
  APP_COLUMNS(NULL), END_OF_ARGUMENTS, SEARCH, SORT_ORDER, ABOUT_THE_REPLY};
static const struct rtk_column app_columns[] = {
  APP_COLUMNS("app_id"), ID_ARGUMENT("app_id"), END_OF_ARGUMENTS,
  ABOUT_THE_REPLY};

/* Meetings. */
#define MEETING_COLUMNS(id_for, status)                                        \
  ID_OF(id_for, "id", "the meeting's id (UUID)"),                              \
  TEXT("title", "its title, or NULL"),                                         \
  status,                                                                      \
  FLAG("live_stream_on_start", "1: it is livestreamed from its start on"),     \
  FLAG("record_on_start", "1: it is recorded from its start on"),              \
  FLAG("persist_chat", "1: its chat is kept from session to session"),         \
  FLAG("summarize_on_end", "1: a summary is made at the end"),                 \
  FLAG("transcribe_on_end", "1: a transcript is made at the end"),             \
  NUMBER("session_keep_alive_time_in_secs",                                    \
         "seconds that a session goes on without participants"),               \
  CREATED,                                                                     \
  UPDATED
#define MEETING_STATUS "ACTIVE or INACTIVE: may people join?"
#define RECORDING_CONFIG                                                       \
  HIDDEN("recording_config", "how it is recorded (JSON, may hold secrets)")

static const struct rtk_column meetings_columns[] = {
  MEETING_COLUMNS(NULL, CHOICE("status", "ACTIVE INACTIVE ", MEETING_STATUS)),
  ACCOUNT_AND_APP, END_OF_ARGUMENTS, PERIOD, SEARCH, RECORDING_CONFIG,
  ABOUT_THE_REPLY};
static const struct rtk_column meeting_columns[] = {
  MEETING_COLUMNS("meeting_id", TEXT("status", MEETING_STATUS)),
  TEXT("ai_config", "how it is transcribed and summarized (JSON)"),
  ONE_ID("meeting_id"),
  FILTER("name", "sent to the server, which does not say what it does"),
  RECORDING_CONFIG, ABOUT_THE_REPLY};

/* Who is invited. */
#define INVITED_COLUMNS(id_for)                                                \
  ID_OF(id_for, "id", "the participant's id (UUID)"),                          \
  TEXT("custom_participant_id", "the participant's id in your own system"),    \
  TEXT("preset_name", "the preset that says what the participant may do"),     \
  CREATED,                                                                     \
  UPDATED,                                                                     \
  ACCOUNT_AND_APP,                                                             \
  ID_ARGUMENT("meeting_id")
#define PERSON                                                                 \
  HIDDEN("name", "the participant's name (personal data)"),                    \
  HIDDEN("picture", "the address of a picture (personal data)")

static const struct rtk_column invited_columns[] = {
  INVITED_COLUMNS(NULL), END_OF_ARGUMENTS, PERSON, ABOUT_THE_REPLY};
static const struct rtk_column one_invited_columns[] = {
  INVITED_COLUMNS("participant_id"), ID_ARGUMENT("participant_id"),
  END_OF_ARGUMENTS, PERSON, ABOUT_THE_REPLY};

/* Presets. */
#define PRESET_COLUMNS(id_for)                                                 \
  ID_OF(id_for, "id", "the preset's id (UUID)"),                               \
  TEXT("name", "its name"),                                                    \
  CREATED,                                                                     \
  UPDATED

static const struct rtk_column presets_columns[] = {
  PRESET_COLUMNS(NULL), ACCOUNT_AND_APP, END_OF_ARGUMENTS, SEARCH,
  ABOUT_THE_REPLY};
static const struct rtk_column preset_columns[] = {
  PRESET_COLUMNS("preset_id"),
  TEXT_AT("view_type", "config.view_type",
          "GROUP_CALL, WEBINAR, AUDIO_ROOM or LIVESTREAM"),
  TEXT("config", "its settings for audio and video (JSON)"),
  TEXT("permissions", "what a participant may do (JSON)"),
  TEXT("ui", "how the meeting looks (JSON)"),
  ONE_ID("preset_id"), ABOUT_THE_REPLY};

/* Webhooks. */
#define WEBHOOK_COLUMNS(id_for)                                                \
  ID_OF(id_for, "id", "the webhook's id (UUID)"),                              \
  TEXT("name", "its name"),                                                    \
  TEXT("url", "where the events are sent"),                                    \
  FLAG("enabled", "1 while events are sent"),                                  \
  TEXT("events", "which events are sent (JSON)"),                              \
  CREATED,                                                                     \
  UPDATED

static const struct rtk_column webhooks_columns[] = {
  WEBHOOK_COLUMNS(NULL), ACCOUNT_AND_APP, END_OF_ARGUMENTS, ABOUT_THE_REPLY};
static const struct rtk_column webhook_columns[] = {
  WEBHOOK_COLUMNS("webhook_id"), ONE_ID("webhook_id"), ABOUT_THE_REPLY};
static const struct rtk_column webhook_events_columns[] = {
  TEXT_AT("event", "", "an event that a webhook can be sent"),
  ACCOUNT_AND_APP, END_OF_ARGUMENTS, ABOUT_THE_REPLY};
/* clang-format on */

#endif
