/*
** Columns of meeting sessions, of who was there, and of what was said.
*/
#ifndef RTK_COLUMNS_SESSIONS_H
#define RTK_COLUMNS_SESSIONS_H

#include "api/columns.h"

/* clang-format off */
/* Meeting sessions, as three endpoints give them. */
#define MEETING_SESSION_COLUMNS(id_for, meeting, status)                       \
  ID_OF(id_for, "id", "the meeting session's id (UUID)"),                      \
  meeting,                                                                     \
  TEXT("meeting_display_name", "the name of the meeting"),                     \
  status,                                                                      \
  TEXT("type", "the kind of meeting"),                                         \
  NUMBER("live_participants", "participants now"),                             \
  NUMBER("max_concurrent_participants", "participants at once, at most"),      \
  NUMBER("minutes_consumed", "minutes of all participants together"),          \
  TIME("started_at", "when it started (ISO 8601, UTC)"),                       \
  TIME("ended_at", "when it ended (ISO 8601, UTC), NULL while it runs"),       \
  CREATED,                                                                     \
  UPDATED,                                                                     \
  TEXT("organization_id", "the id of its organization"),                       \
  TEXT("breakout_rooms", "its breakout rooms (JSON)"),                         \
  TEXT("meta", "further data (JSON)")
#define ITS_MEETING "the id of its meeting"
#define SESSION_STATUS "LIVE or ENDED"

/* Live replies have these fields; no description has them. */
#define UNDOCUMENTED " (in no description)"
#define MINUTES(kind, its_doc)                                                 \
  HIDDEN_NUMBER(kind "_minutes_consumed", "minutes " its_doc UNDOCUMENTED)
#define MORE_OF_SESSION                                                        \
  HIDDEN_NUMBER("total_participants", "participants in all" UNDOCUMENTED),     \
  MINUTES("group_call", "of group calls"),                                     \
  MINUTES("webinar", "of webinars"),                                           \
  MINUTES("audio_room", "of audio rooms"),                                     \
  MINUTES("livestream", "of livestreams"),                                     \
  MINUTES("chat", "of chat"),                                                  \
  MINUTES("recording", "of recordings"),                                       \
  MINUTES("transcription", "of transcription"),                                \
  HIDDEN("recording_status", "whether it is recorded" UNDOCUMENTED),           \
  HIDDEN("livestream_status", "whether it is livestreamed" UNDOCUMENTED),      \
  HIDDEN("parent_session_id",                                                  \
         "of a breakout room, the session it belongs to" UNDOCUMENTED),        \
  HIDDEN("settings", "its settings (JSON)" UNDOCUMENTED)

static const struct rtk_column meeting_sessions_columns[] = {
  MEETING_SESSION_COLUMNS(NULL, CHOICE("associated_id", NULL, ITS_MEETING),
                          CHOICE("status", "LIVE ENDED ", SESSION_STATUS)),
  ACCOUNT_AND_APP, END_OF_ARGUMENTS, PERIOD, SEARCH,
  ORDER("sort_by", "minutesConsumed createdAt ",
        "minutesConsumed or createdAt: what the list is sorted by"),
  SORT_ORDER,
  FILTER("participants", "only sessions of as many participants: 1:10"),
  MORE_OF_SESSION, ABOUT_THE_REPLY};
static const struct rtk_column meeting_session_columns[] = {
  MEETING_SESSION_COLUMNS("meeting_session_id",
                          TEXT("associated_id", ITS_MEETING),
                          TEXT("status", SESSION_STATUS)),
  ONE_ID("meeting_session_id"),
  SWITCH("include_breakout_rooms", "1: fill in breakout_rooms"),
  MORE_OF_SESSION, ABOUT_THE_REPLY};
static const struct rtk_column session_of_meeting_columns[] = {
  MEETING_SESSION_COLUMNS(NULL, ID_OF("meeting_id", "associated_id",
                                      ITS_MEETING),
                          TEXT("status", SESSION_STATUS)),
  ONE_ID("meeting_id"), MORE_OF_SESSION, ABOUT_THE_REPLY};

/* Who was there. */
#define PRESENT_COLUMNS(id_for)                                                \
  ID_OF(id_for, "id", "the participant's id (UUID)"),                          \
  TEXT("custom_participant_id", "the participant's id in your own system"),    \
  TEXT("user_id", "the user's id"),                                            \
  TIME("joined_at", "when the participant joined (ISO 8601, UTC)"),            \
  TIME("left_at", "when the participant left (ISO 8601, UTC)"),                \
  NUMBER("duration", "minutes that the participant was there"),                \
  CREATED,                                                                     \
  UPDATED,                                                                     \
  TEXT("peer_events", "what the connection went through (JSON)")
#define PRESET_NAME                                                            \
  TEXT("preset_name", "the preset that says what the participant may do")
#define DISPLAY_NAME                                                           \
  HIDDEN("display_name", "the participant's name (personal data)")

static const struct rtk_column present_columns[] = {
  PRESENT_COLUMNS(NULL), PRESET_NAME,
  ONE_ID("meeting_session_id"),
  SEARCH,
  OPTION("view", "raw consolidated ",
         "raw or consolidated: a row for each time someone joined, or one"),
  INCLUDE_PEER_EVENTS,
  ORDER("sort_by", "joinedAt duration ",
        "joinedAt or duration: what the list is sorted by"),
  SORT_ORDER, DISPLAY_NAME, ABOUT_THE_REPLY};
static const struct rtk_column one_present_columns[] = {
  PRESENT_COLUMNS("participant_id"), PRESET_NAME,
  ACCOUNT_AND_APP, ID_ARGUMENT("meeting_session_id"),
  ID_ARGUMENT("participant_id"), END_OF_ARGUMENTS, INCLUDE_PEER_EVENTS,
  DISPLAY_NAME, ABOUT_THE_REPLY};

/* How the connection was.  A stream is sent by a producer and received by a
** consumer. */
#define OF_REPORT "peer_report.metadata."
#define OF_STREAM(stream, path) "peer_report.quality." stream "_cumulative." path
#define QUALITY(stream, what)                                                  \
  NUMBER_AT(stream "_mos", OF_STREAM(stream, "quality_mos.avg"),               \
            "mean opinion score of " what ", 1 (bad) to 5"),                   \
  NUMBER_AT(stream "_packet_loss", OF_STREAM(stream, "packet_loss.avg"),       \
            "share of the packets lost of " what)
#define ROUND_TRIP(stream, what)                                               \
  NUMBER_AT(stream "_rtt", OF_STREAM(stream, "rtt.avg"),                       \
            "mean round trip of " what)
#define FRAME_RATE(stream, what)                                               \
  NUMBER_AT(stream "_frame_per_second",                                        \
            OF_STREAM(stream, "frame_per_second.avg"),                         \
            "mean frames per second of " what)
#define DEVICE                                                                 \
  TEXT_AT("os", OF_REPORT "device_info.os", "the operating system"),           \
  FLAG_AT("is_mobile", OF_REPORT "device_info.is_mobile", "1: a mobile device"),\
  TEXT_AT("browser", OF_REPORT "browser_metadata.browser", "the browser"),     \
  TEXT_AT("sdk_name", OF_REPORT "sdk_name", "the SDK"),                        \
  TEXT_AT("sdk_version", OF_REPORT "sdk_version", "the SDK's version")
#define FIGURES                                                                \
  QUALITY("audio_producer", "the sent audio"),                                 \
  ROUND_TRIP("audio_producer", "the sent audio"),                              \
  QUALITY("audio_consumer", "the received audio"),                             \
  QUALITY("video_producer", "the sent video"),                                 \
  ROUND_TRIP("video_producer", "the sent video"),                              \
  FRAME_RATE("video_producer", "the sent video"),                              \
  QUALITY("video_consumer", "the received video"),                             \
  FRAME_RATE("video_consumer", "the received video")

static const struct rtk_column peer_report_columns[] = {
  PRESENT_COLUMNS(NULL),
  TEXT_AT("meeting_session_id", "session_id", "the meeting session's id"),
  TEXT("role", "the participant's role"),
  DEVICE, FIGURES,
  ONE_ID("peer_id"),
  OPTION("filters", "device_info ip_information precall_network_information"
                    " events quality_stats ",
         "the only part of the report that is wanted: quality_stats"),
  INCLUDE_PEER_EVENTS, DISPLAY_NAME,
  HIDDEN_AT("ip_address", OF_REPORT "ip_information.ipv4",
            "the IP address (personal data)"),
  HIDDEN_AT("country", OF_REPORT "ip_information.country",
            "the country of the IP address"),
  HIDDEN_AT("city", OF_REPORT "ip_information.city",
            "the city of the IP address (personal data)"),
  HIDDEN_AT("metadata", "peer_report.metadata",
            "device, network and events (JSON, personal data)"),
  HIDDEN_AT("quality", "peer_report.quality",
            "all figures of all streams, second by second (JSON)"),
  ABOUT_THE_REPLY};

/* What was said: a link to it. */
#define EXPIRY(its_name, path)                                                 \
  TEXT_AT(its_name, path, "when the link expires (ISO 8601, UTC)")
#define SESSION_ID_AT(path)                                                    \
  ID_AT("for_meeting_session_id", "meeting_session_id", path,                  \
        "the meeting session's id")

static const struct rtk_column chat_columns[] = {
  EXPIRY("chat_download_url_expiry", NULL),
  ONE_ID("meeting_session_id"),
  LINK("chat_download_url", NULL, "the link to the chat, for anybody who has it"), ABOUT_THE_REPLY};
static const struct rtk_column transcript_columns[] = {
  SESSION_ID_AT("sessionId"),
  EXPIRY("transcript_download_url_expiry", NULL),
  ONE_ID("for_meeting_session_id"),
  OPTION("format", "SRT VTT JSON CSV ", "SRT, VTT, JSON or CSV"),
  LINK("transcript_download_url", NULL,
       "the link to the transcript, for anybody who has it"), ABOUT_THE_REPLY};
static const struct rtk_column summary_columns[] = {
  SESSION_ID_AT("sessionId"),
  EXPIRY("summary_download_url_expiry", "summaryDownloadUrlExpiry"),
  ONE_ID("for_meeting_session_id"),
  LINK("summary_download_url", "summaryDownloadUrl",
       "the link to the summary, for anybody who has it"),
  ABOUT_THE_REPLY};

/* What was said: the text itself. */
#define LINE NUMBER("line", "its place in the text, from 1")

static const struct rtk_column messages_columns[] = {
  LINE,
  TEXT("id", "the message's id"),
  TEXT_AT("participant_id", "participantId", "the id of who wrote it"),
  TEXT_AT("meeting_id", "meetingId", "the meeting's id"),
  TEXT_AT("payload_type", "payloadType", "TEXT_MESSAGE, or another kind"),
  TEXT("payload", "what was written"),
  FLAG("pinned", "1: it is pinned"),
  FLAG_AT("is_edited", "isEdited", "1: it was changed later"),
  TEXT_AT("created_at", "createdAt", "when it was written (ISO 8601, UTC)"),
  ONE_ID("meeting_session_id"),
  HIDDEN_AT("display_name", "displayName",
            "the name of who wrote it (personal data)"),
  ABOUT_THE_REPLY};
static const struct rtk_column lines_columns[] = {
  LINE,
  NUMBER("timestamp", "when it was said (seconds since 1970)"),
  TEXT("peer_id", "the id of the speaker's connection"),
  TEXT("user_id", "the id of the speaker"),
  TEXT("custom_participant_id", "the speaker's id in your own system"),
  TEXT("transcript", "what was said"),
  ONE_ID("meeting_session_id"),
  HIDDEN("name", "the speaker's name (personal data)"),
  ABOUT_THE_REPLY};
static const struct rtk_column summary_text_columns[] = {
  TEXT("text", "the summary (Markdown)"),
  ONE_ID("meeting_session_id"), ABOUT_THE_REPLY};
/* clang-format on */

#endif
