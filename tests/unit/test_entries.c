/*
** Entries of endpoints.c that ask more of the module than a plain object: each
** reads a reply as the API's description has it, and sends what it is given.
*/
#include "server.h"

#define KIT "/accounts/A/realtime/kit/"
#define APP KIT "P/"
#define PAGE "per_page=100&page_no=1"

static const struct {
  const char *target, *body;
} replies[] = {
    {KIT "apps?" PAGE, "{\"data\":[{\"id\":\"a1\",\"name\":\"One\"}],"
                       "\"paging\":{\"total_count\":1}}"},
    {APP "meetings/m1/participants/p1",
     "{\"data\":{\"id\":\"p1\",\"name\":\"Ann\",\"preset_name\":\"host\"}}"},
    {APP "meetings/m1/livestream?" PAGE,
     "{\"data\":{\"livestream\":{\"id\":\"l1\"},\"sessions\":[{\"id\":\"x1\"},"
     "{\"id\":\"x2\"}]},\"paging\":{\"total_count\":2}}"},
    {APP "meetings/m1/livestream",
     "{\"data\":{\"livestreams\":[{\"id\":\"l1\",\"stream_key\":\"k\"}]}}"},
    {APP "meetings/m1/active-session",
     "{\"data\":{\"id\":\"s1\",\"associated_id\":\"m1\",\"total_participants\":"
     "3}}"},
    {APP "sessions?" PAGE,
     "{\"data\":{\"sessions\":[{\"id\":\"s1\",\"chat_minutes_consumed\":2.5}]},"
     "\"paging\":{\"total_count\":1}}"},
    {APP "sessions?participants=1%3A10&" PAGE, "{\"data\":{\"sessions\":[]}}"},
    {APP "sessions/s1?include_breakout_rooms=true",
     "{\"data\":{\"id\":\"s1\",\"breakout_rooms\":[{\"id\":\"b1\"}]}}"},
    {APP "sessions/s1/participants?view=consolidated&include_peer_events=true&"
         "sort_by=joinedAt&sort_order=DESC&" PAGE,
     "{\"data\":{\"participants\":[{\"id\":\"p1\",\"duration\":1.5,"
     "\"display_name\":\"Ann\"}],\"paging\":{\"total_count\":1}}}"},
    {APP "sessions/s1/participants/p1",
     "{\"data\":{\"participant\":{\"id\":\"p1\",\"duration\":1.5}}}"},
    {APP "sessions/peer-report/e1?filters=quality_stats",
     "{\"data\":{\"participant\":{\"id\":\"p1\",\"session_id\":\"s1\","
     "\"peer_report\":{\"metadata\":{\"device_info\":{\"os\":\"macOS\","
     "\"is_mobile\":false},\"ip_information\":{\"ipv4\":\"192.0.2.1\"}},"
     "\"quality\":{\"audio_producer_cumulative\":{\"quality_mos\":{\"avg\":4.1}"
     ","
     "\"rtt\":{\"avg\":30}},\"video_consumer_cumulative\":{"
     "\"frame_per_second\":{\"avg\":24}}}}}}}"},
    {APP "sessions/s1/transcript?format=VTT",
     "{\"data\":{\"sessionId\":\"s1\",\"transcript_download_url\":\"https://"
     "t\"}}"},
    {APP "sessions/s1/summary",
     "{\"data\":{\"sessionId\":\"s1\",\"summaryDownloadUrl\":\"https://s\","
     "\"summaryDownloadUrlExpiry\":\"2024-01-31\"}}"},
    {APP "recordings?meeting_id=m1&status=UPLOADED,ERRORED&expired=false&" PAGE,
     "{\"data\":[{\"id\":\"r1\",\"status\":\"UPLOADED\",\"session_id\":\"s1\","
     "\"meeting\":{\"id\":\"m1\"}},{\"id\":\"r2\",\"status\":\"ERRORED\"}],"
     "\"paging\":{\"total_count\":2}}"},
    {APP "recordings?meeting_id=m1&status=ERRORED&" PAGE,
     "{\"data\":[{\"id\":\"r2\",\"status\":\"ERRORED\"}],"
     "\"paging\":{\"total_count\":1}}"},
    {APP "recordings/r1",
     "{\"data\":{\"id\":\"r1\",\"start_reason\":{\"reason\":\"API_CALL\","
     "\"caller\":{\"type\":\"USER\",\"user_Id\":\"u1\",\"name\":\"Ann\"}}}}"},
    {APP "analytics/daywise?start_date=2024-01-01&end_date=2024-01-31",
     "{\"data\":{\"session_stats\":{\"day_stats\":[{\"day\":\"2024-01-01\","
     "\"total_sessions\":2}]},\"recording_stats\":{\"day_stats\":[{"
     "\"day\":\"2024-01-02\",\"total_recordings\":1}]}}}"},
    {APP "webhooks", "{\"data\":[{\"id\":\"w1\",\"enabled\":true,"
                     "\"events\":[\"meeting.started\"]}]}"},
    {APP "webhooks/all", "{\"data\":[\"meeting.started\",\"meeting.ended\"]}"},
};

static void answer(const char *target, int nth, int *status, char *body,
                   size_t room) {
  (void)nth;
  for (size_t i = 0; i < COUNT(replies); i++) {
    if (strcmp(target, replies[i].target) != 0) continue;
    (void)snprintf(body, room, "%s", replies[i].body);
    return;
  }
  *status = 500;
}

CASE(entries_read_what_the_api_describes) {
  static const struct {
    const char *sql, *rows;
  } cases[] = {
      {"SELECT id, name FROM rtk_apps('A')", "a1|One\n"},
      {"SELECT id, name, response FROM rtk_app('A', 'a1')",
       "a1|One|{\"data\":{\"id\":\"a1\",\"name\":\"One\"}}\n"}, /* of the list */
      {"SELECT id, preset_name, name FROM rtk_meeting_participant('A', 'P')"
       " WHERE meeting_id = 'm1' AND id = 'p1'",
       "p1|host|Ann\n"},
      {"SELECT id FROM rtk_meeting_livestream_sessions('A', 'P', 'm1')",
       "x1\nx2\n"},
      {"SELECT id, stream_key FROM rtk_meeting_livestream('A', 'P', 'm1')",
       "l1|k\n"},
      {"SELECT id, total_participants, webinar_minutes_consumed"
       " FROM rtk_meeting_active_session('A', 'P') WHERE associated_id = 'm1'",
       "s1|3|NULL\n"},
      {"SELECT id, chat_minutes_consumed FROM rtk_meeting_sessions('A', 'P')",
       "s1|2.5\n"},
      {"SELECT id FROM rtk_meeting_sessions('A', 'P')"
       " WHERE participants = '1:10'",
       ""},
      {"SELECT id FROM rtk_meeting_session('A', 'P', 's1')", "s1\n"},
      {"SELECT id, breakout_rooms FROM rtk_meeting_session('A', 'P', 's1')"
       " WHERE include_breakout_rooms = 1",
       "s1|[{\"id\":\"b1\"}]\n"},
      {"SELECT id, duration, display_name"
       " FROM rtk_meeting_session_participants('A', 'P', 's1')"
       " WHERE view = 'consolidated' AND include_peer_events = 1"
       " AND sort_by = 'joinedAt' AND sort_order = 'DESC'",
       "p1|1.5|Ann\n"},
      {"SELECT id, duration"
       " FROM rtk_meeting_session_participant('A', 'P', 's1', 'p1')",
       "p1|1.5\n"},
      {"SELECT id, meeting_session_id, os, is_mobile, ip_address,"
       " audio_producer_mos, audio_producer_rtt, audio_consumer_mos,"
       " video_consumer_frame_per_second FROM rtk_peer_report('A', 'P', 'e1')"
       " WHERE filters = 'quality_stats'",
       "p1|s1|macOS|0|192.0.2.1|4.1|30|NULL|24\n"},
      {"SELECT *, transcript_download_url FROM rtk_transcript('A', 'P', 's1')"
       " WHERE format = 'VTT'",
       "s1|NULL|https://t\n"},
      {"SELECT *, summary_download_url FROM rtk_summary('A', 'P')"
       " WHERE meeting_session_id = 's1'",
       "s1|2024-01-31|https://s\n"},
      {"SELECT id, meeting_session_id, meeting_id"
       " FROM rtk_recordings('A', 'P') WHERE for_meeting_id = 'm1'"
       " AND statuses = 'UPLOADED,ERRORED' AND expired = 0",
       "r1|s1|m1\nr2|NULL|NULL\n"},
      /* What the reply leaves out was asked for. */
      {"SELECT id, meeting_id FROM rtk_recordings('A', 'P')"
       " WHERE meeting_id = 'm1' AND status = 'ERRORED'",
       "r2|m1\n"},
      {"SELECT id, start_reason, start_caller_type, start_caller_id,"
       " stop_reason FROM rtk_recording('A', 'P', 'r1')",
       "r1|API_CALL|USER|u1|NULL\n"},
      {"SELECT s.day, s.total_sessions, r.day, r.total_recordings"
       " FROM rtk_session_days('A', 'P') AS s,"
       " rtk_recording_days('A', 'P') AS r"
       " WHERE s.start_date = '2024-01-01' AND s.end_date = '2024-01-31'"
       " AND r.start_date = '2024-01-01' AND r.end_date = '2024-01-31'",
       "2024-01-01|2|2024-01-02|1\n"},
      {"SELECT id, enabled, events FROM rtk_webhooks('A', 'P')",
       "w1|1|[\"meeting.started\"]\n"},
      {"SELECT enabled FROM rtk_webhook('A', 'P', 'w1')", "1\n"},
      {"SELECT event, row FROM rtk_webhook_events('A', 'P')",
       "meeting.started|\"meeting.started\"\nmeeting.ended|\"meeting."
       "ended\"\n"},
      {"SELECT id FROM rtk_meeting_session_participants('A', 'P', 's1')"
       " WHERE view = 'all'",
       "rtk_meeting_session_participants: view must be one of 'raw',"
       " 'consolidated', not 'all'\n"},
      {"SELECT id FROM rtk_recordings('A', 'P') WHERE sort_by = 'createdAt'",
       "rtk_recordings: sort_by must be one of 'invokedTime', not"
       " 'createdAt'\n"},
      {"SELECT id FROM rtk_apps('A', 'P')",
       "rtk_apps: it takes 1 argument (account); a filter is written as WHERE"
       " search = …\n"},
  };
  (void)setenv("RTK_CACHE_TTL_LIVE_S", "3600", 1);
  sqlite3 *db = server_begin(answer, rtk_endpoints, (size_t)rtk_endpoint_count);
  for (size_t i = 0; i < COUNT(cases); i++) {
    check_rows(db, cases[i].sql, cases[i].rows);
  }
  server_close(db);
}

int main(void) { return check_run(); }
