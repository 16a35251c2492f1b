/*
** The generated apps, meetings, participants, recordings, presets and webhooks.
** Like all of data.c they follow from a number by formulas, the same for both
** sets of data.  A row begins as a copy of the one that is made up of the
** published schema (see openapi.h), so that it has every field; only what tells
** rows from each other is set here.
**
** Meeting M (from 1), id 00000000-0000-4000-a000-%012x of M, or m%d:
**   created_at  that of livestream M - 1 h; updated_at the same
**   title       "Meeting M"; the set for people has names
**   status      INACTIVE when M%10 is 1, else ACTIVE
** Meeting session K, id …-4000-b000-… or k%d: the only session of meeting K
**   created_at  that of livestream K; started_at 1 s later
**   minutes_consumed     m = 5 + K*7%300; ended_at created_at + m minutes
**   status      LIVE (ended_at is null) when livestream K is, else ENDED
**   participants         c = 2 + K%30 of them, all still there when LIVE
**   recording_status     NOT_RECORDED when K%4 is 1, UPLOADED when its recording
**                        is, else RECORDED
** Participant i (1 to c) of session K, id …-4001-8000-… of K*100+i, or p%d; its
**   peer id …-4001-b000-… of the same, or q%d:
**   joined_at   started_at + i s; left_at joined_at + duration, null when LIVE
**   duration    in minutes: floor(2000*m*i/(c*(c+1)))/1000, and the last has the
**               rest, so that all together are minutes_consumed
**   display_name "Person i", custom_participant_id "user-i", user_id
**               …-4002-b000-… of i: the same person in every session
**   peer_events (include_peer_events): PEER_JOINING at joined_at, and PEER_LEAVING
**   figures     in the report of peer N, everywhere the same: quality_mos.avg
**               1 + N%40/10, packet_loss.avg N%50/1000, rtt.avg N%300,
**               jitter_buffer_delay.avg N%200; ipv4 192.0.2.(N%256)
** Invited participant i (1 to c) of meeting M, id …-4001-9000-… or i%d: M*100+i
**   created_at  that of the meeting + i minutes; name and custom_participant_id
**               as above
** Recording R (unless R%4 is 1), id …-4001-a000-… or r%d: of session R
**   invoked_time started_at + 60 s; started_time 1 s later, null when INVOKED
**   status      RECORDING when the session is LIVE, else INVOKED when R%10 is 3,
**               PAUSED 6, ERRORED 7, UPLOADING 8, UPLOADED otherwise
**   stopped_time that of the session's end, null when INVOKED, RECORDING, PAUSED
**   recording_duration  60*m seconds; file_size 1,000,000*m when UPLOADED
**   download_url        when UPLOADED: see files.c
** App A (1 to 3), id …-4002-a000-… or a%d: created on day A of the data
** Preset t (1 to 6), …-4002-8000-… or t%d; webhook w (1 to 3), …-4002-9000-… or
**   w%d: created in hour t or w of the data
*/
#include "api.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOUR_MS = 3600 * 1000, MINUTE_MS = 60 * 1000, EACH = 100 };
/* Of an app that grows: see data.c. */
enum {
  SETTLE_MS = 10 * MINUTE_MS,
  KEPT_MS = 7 * 24 * HOUR_MS,
  LATE_MS = 20000
};
enum { APPS = 3, PRESETS = 6, WEBHOOKS = 3 };

static const char *const presets[PRESETS] = {
    "group_call_host", "group_call_participant", "webinar_presenter",
    "webinar_viewer",  "livestream_host",        "livestream_viewer"};

/* Numbers ------------------------------------------------------------------ */

static long owner(long n) { return n / EACH; }
static long place_in(long n) { return n % EACH; }
static long session_minutes(long k) { return 5 + k * 7 % 300; }
static long session_people(long k) { return 2 + k % 30; }
static bool is_recorded(long k) { return k % 4 != 1; }

static bool session_is_live(long k) {
  return strcmp(data_livestream_status(k), "LIVE") == 0;
}

static long session_started_ms(long k) {
  return data_livestream_created_ms(k) + 1000;
}

long data_session_ended_ms(long k) {
  return data_livestream_created_ms(k) + session_minutes(k) * MINUTE_MS;
}

long data_session_settled_ms(long k) {
  return data_session_ended_ms(k) + SETTLE_MS;
}

static bool is_settled(long k) {
  return !data_is_growing() || data_now_ms() >= data_session_settled_ms(k);
}

/* By now: the last minute is counted when the session settles. */
static long minutes_consumed(long k) {
  long so_far = (data_now_ms() - data_livestream_created_ms(k)) / MINUTE_MS;
  long most = session_minutes(k) - 1;
  if (is_settled(k)) return session_minutes(k);
  return so_far < most ? so_far : most;
}

static long updated_ms(long k) {
  if (!data_is_growing()) return data_session_ended_ms(k);
  return is_settled(k) ? data_session_settled_ms(k) : data_now_ms();
}

/* Thousandths of minutes. */
static long duration(long n) {
  long k = owner(n), people = session_people(k), i, left;
  long total = session_minutes(k) * 1000, weights = people * (people + 1);
  if (place_in(n) < people) return 2 * total * place_in(n) / weights;
  for (i = 1, left = total; i < people; i++) left -= 2 * total * i / weights;
  return left;
}

static long joined_ms(long n) {
  return session_started_ms(owner(n)) + place_in(n) * 1000;
}

static const char *recording_status(long r) {
  static const char *const by_digit[10] = {
      [3] = "INVOKED", [6] = "PAUSED", [7] = "ERRORED", [8] = "UPLOADING"};
  if (session_is_live(r)) return "RECORDING";
  if (data_is_growing()) {
    return !is_settled(r) ? "UPLOADING" : r % 10 == 7 ? "ERRORED" : "UPLOADED";
  }
  return by_digit[r % 10] != NULL ? by_digit[r % 10] : "UPLOADED";
}

static bool is_uploaded(long r) {
  return is_recorded(r) && strcmp(recording_status(r), "UPLOADED") == 0;
}

long data_created_ms(enum kind kind, long n) {
  switch (kind) {
  case KIND_MEETING:
    return data_livestream_created_ms(n) - HOUR_MS;
  case KIND_INVITED:
    return data_created_ms(KIND_MEETING, owner(n)) + place_in(n) * MINUTE_MS;
  case KIND_PARTICIPANT:
  case KIND_PEER:
    return joined_ms(n);
  case KIND_RECORDING:
    return session_started_ms(n) + MINUTE_MS;
  case KIND_APP:
    return data_first_day_ms() + (n - 1) * 24 * HOUR_MS;
  case KIND_PRESET:
  case KIND_WEBHOOK:
    return data_first_day_ms() + (n - 1) * HOUR_MS;
  default:
    return data_livestream_created_ms(n);
  }
}

const char *data_status(enum kind kind, long n) {
  switch (kind) {
  case KIND_LIVESTREAM:
    return data_livestream_status(n);
  case KIND_MEETING_SESSION:
    return session_is_live(n) ? "LIVE" : "ENDED";
  case KIND_MEETING:
    return n % 10 == 1 ? "INACTIVE" : "ACTIVE";
  case KIND_RECORDING:
    return recording_status(n);
  default:
    return "";
  }
}

long data_sort_key(const char *sort_by, long n) {
  if (strcmp(sort_by, "minutesConsumed") == 0) return session_minutes(n);
  if (strcmp(sort_by, "duration") == 0) return duration(n);
  return 0; /* createdAt, joinedAt, invokedTime: the order of the list */
}

/* Filters that only some lists have: those that are not given match. */
bool data_matches(enum kind kind, long n, const struct ask *ask) {
  if (kind == KIND_LIVESTREAM) {
    if (data_is_growing() && n % 10 != 0) return false;
    return !ask->without_meetings || !data_livestream_has_meeting(n);
  }
  if (kind == KIND_RECORDING) {
    bool is_expired = files_expire_ms(n) < data_now_ms();
    if (!is_recorded(n)) return false;
    if (ask->expired >= 0 && is_uploaded(n) != 0 &&
        is_expired != (ask->expired == 1)) {
      return false;
    }
  }
  if (kind != KIND_RECORDING && kind != KIND_MEETING_SESSION) return true;
  if (ask->meeting[0] != 0) {
    struct piece id = {ask->meeting, strlen(ask->meeting)};
    if (data_number(KIND_MEETING, id) != n) return false;
  }
  return session_people(n) >= ask->people_from &&
         session_people(n) <= ask->people_to;
}

long data_count(enum kind kind, long parent, long *first) {
  long people = session_people(parent);
  *first = parent * EACH + 1;
  switch (kind) {
  case KIND_SESSION:
    return data_livestream_sessions(parent, first);
  case KIND_PARTICIPANT:
  case KIND_PEER:
  case KIND_INVITED:
    return people;
  case KIND_APP:
    return *first = 1, APPS;
  case KIND_PRESET:
    return *first = 1, PRESETS;
  case KIND_WEBHOOK:
    return *first = 1, WEBHOOKS;
  default:
    *first = 0; /* in the order of their times */
    return data_livestreams_listed();
  }
}

bool data_exists(enum kind kind, long n, long livestreams) {
  long first, count;
  if (kind == KIND_RECORDING && !is_recorded(n)) return false;
  if (kind == KIND_INVITED || kind == KIND_PARTICIPANT || kind == KIND_PEER) {
    return owner(n) >= 1 && owner(n) <= livestreams && place_in(n) >= 1 &&
           place_in(n) <= session_people(owner(n));
  }
  count = data_count(kind, 1, &first);
  return n <= (first == 1 ? count : livestreams);
}

long data_owner(long n) { return owner(n); }

bool data_is_there(enum kind kind, long n) {
  long now_ms = data_now_ms(), late_ms = 0;
  if (!data_is_growing()) return true;
  if (kind == KIND_SESSION) {
    kind = KIND_LIVESTREAM;
    n = (n - 1) / SESSIONS_EACH + 1;
  }
  if (kind == KIND_RECORDING && now_ms >= data_created_ms(kind, n) + KEPT_MS) {
    return false;
  }
  if (kind == KIND_PARTICIPANT) {
    if (place_in(n) == session_people(owner(n))) return is_settled(owner(n));
    late_ms = place_in(n) * LATE_MS;
  }
  return now_ms >= data_created_ms(kind, n) + late_ms;
}

void data_add_to_day(long k, struct day *day) {
  day->sessions++;
  day->session_minutes += session_minutes(k);
  day->recordings += is_recorded(k);
  day->recording_minutes += is_recorded(k) ? session_minutes(k) : 0;
}

/* Rows --------------------------------------------------------------------- */

/* Sets a field that the schema has; others are left out. */
static void set(cJSON *row, const char *name, cJSON *value) {
  if (!cJSON_ReplaceItemInObjectCaseSensitive(row, name, value)) {
    cJSON_Delete(value);
  }
}

static void set_text(cJSON *row, const char *name, const char *format, ...)
    PRINTF_LIKE(3, 4);

static void set_text(cJSON *row, const char *name, const char *format, ...) {
  char text[256];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  set(row, name, cJSON_CreateString(text));
}

static void set_time(cJSON *row, const char *name, bool is_null, long time_ms) {
  char time[64];
  format_time(time, sizeof time, time_ms);
  set(row, name, is_null ? cJSON_CreateNull() : cJSON_CreateString(time));
}

static void set_number(cJSON *row, const char *name, double number) {
  set(row, name, cJSON_CreateNumber(number));
}

static void set_id(cJSON *row, const char *name, enum kind kind, long n,
                   struct piece id) {
  struct text text = {0};
  data_id(&text, kind, n, id);
  set(row, name, cJSON_Parse(text.data));
  text_free(&text);
}

static const struct piece none;

static void fill_meeting(cJSON *row, long m) {
  struct text name = {0};
  data_name(&name, "Meeting ", m);
  set_text(row, "title", "%s", name.data);
  set_text(row, "status", "%s", data_status(KIND_MEETING, m));
  text_free(&name);
}

/* Who it is: the same in every meeting. */
static void fill_person(cJSON *row, long n) {
  long i = place_in(n);
  set_text(row, "name", "Person %ld", i);
  set_text(row, "display_name", "Person %ld", i);
  set_text(row, "custom_participant_id", "user-%ld", i);
  set_text(row, "user_id", "00000000-0000-4002-b000-%012lx", (unsigned long)i);
  set_text(row, "preset_name", "%s", presets[i == 1 ? 0 : 1]);
}

static void fill_events(cJSON *row, long n, bool is_left, long left_ms) {
  cJSON *events = cJSON_GetObjectItemCaseSensitive(row, "peer_events"), *last;
  cJSON *event = events->child;
  set_id(event, "peer_id", KIND_PEER, n, none);
  set_id(event, "participant_id", KIND_PARTICIPANT, n, none);
  set_id(event, "session_id", KIND_MEETING_SESSION, owner(n), none);
  set_text(event, "event_name", "PEER_JOINING");
  set_time(event, "created_at", false, joined_ms(n));
  set_time(event, "updated_at", false, joined_ms(n));
  set_number(event, "minutes_consumed", 0);
  if (!is_left) return;
  last = cJSON_Duplicate(event, 1);
  set_text(last, "event_name", "PEER_LEAVING");
  set_time(last, "created_at", false, left_ms);
  set_time(last, "updated_at", false, left_ms);
  set_number(last, "minutes_consumed", (double)duration(n) / 1000);
  cJSON_AddItemToArray(events, last);
}

static void fill_participant(cJSON *row, long n, const struct ask *ask) {
  long left_ms = joined_ms(n) + duration(n) * 60;
  bool is_left =
      data_is_growing() ? left_ms <= data_now_ms() : !session_is_live(owner(n));
  fill_person(row, n);
  set_time(row, "joined_at", false, joined_ms(n));
  set_time(row, "left_at", !is_left, left_ms);
  set_time(row, "updated_at", false, left_ms);
  set_number(row, "duration", (double)duration(n) / 1000);
  set_id(row, "session_id", KIND_MEETING_SESSION, owner(n), none);
  if (ask->has_peer_events) {
    fill_events(row, n, is_left, left_ms);
  } else {
    cJSON_DeleteItemFromObjectCaseSensitive(row, "peer_events");
  }
}

/* Of the report, only what `filters` names. */
static void keep_part(cJSON *report, const char *filter) {
  static const char *const parts[][2] = {
      {"device_info", "device_info"},
      {"ip_information", "ip_information"},
      {"precall_network_information", "pc_metadata"},
      {"events", "events"}};
  cJSON *metadata = cJSON_GetObjectItemCaseSensitive(report, "metadata");
  size_t i;
  if (filter[0] == 0) return;
  if (strcmp(filter, "quality_stats") == 0) {
    cJSON_DeleteItemFromObjectCaseSensitive(report, "metadata");
    return;
  }
  cJSON_DeleteItemFromObjectCaseSensitive(report, "quality");
  for (i = 0; i < sizeof parts / sizeof *parts; i++) {
    if (strcmp(filter, parts[i][0]) == 0) {
      cJSON *only = cJSON_CreateObject();
      cJSON_AddItemToObject(
          only, parts[i][1],
          cJSON_DetachItemFromObjectCaseSensitive(metadata, parts[i][1]));
      set(report, "metadata", only);
    }
  }
}

static void fill_report(cJSON *row, long n, const struct ask *ask) {
  const struct {
    const char *name;
    double avg;
  } figures[] = {{"quality_mos", 1 + (double)(n % 40) / 10},
                 {"packet_loss", (double)(n % 50) / 1000},
                 {"rtt", (double)(n % 300)},
                 {"jitter_buffer_delay", (double)(n % 200)}};
  cJSON *report = cJSON_GetObjectItemCaseSensitive(row, "peer_report"), *part;
  cJSON *metadata = cJSON_GetObjectItemCaseSensitive(report, "metadata");
  size_t i;
  fill_participant(row, n, ask);
  set_text(cJSON_GetObjectItemCaseSensitive(metadata, "ip_information"), "ipv4",
           "192.0.2.%ld", n % 256);
  cJSON_ArrayForEach(part,
                     cJSON_GetObjectItemCaseSensitive(report, "quality")) {
    for (i = 0; i < sizeof figures / sizeof *figures; i++) {
      set_number(cJSON_GetObjectItemCaseSensitive(part, figures[i].name), "avg",
                 figures[i].avg);
    }
  }
  keep_part(report, ask->filters);
}

static void fill_recording(cJSON *row, long r) {
  const char *status = recording_status(r);
  bool is_started = strcmp(status, "INVOKED") != 0;
  bool is_stopped = is_started && strcmp(status, "RECORDING") != 0 &&
                    strcmp(status, "PAUSED") != 0;
  bool is_there = is_uploaded(r);
  long invoked_ms = data_created_ms(KIND_RECORDING, r);
  cJSON *meeting = cJSON_GetObjectItemCaseSensitive(row, "meeting");
  struct text url = {0};
  files_link(&url, "recording", r, "mp4");
  set_text(row, "status", "%s", status);
  set_text(row, "output_file_name", "meeting-%ld.mp4", r);
  set_id(row, "session_id", KIND_MEETING_SESSION, r, none);
  set_time(row, "invoked_time", false, invoked_ms);
  set_time(row, "started_time", !is_started, invoked_ms + 1000);
  set_time(row, "stopped_time", !is_stopped, data_session_ended_ms(r));
  set_number(row, "recording_duration", (double)session_minutes(r) * 60);
  set_number(row, "file_size", (double)session_minutes(r) * 1e6);
  set_text(row, "download_url", "%s", url.data);
  set_time(row, "download_url_expiry", !is_there, files_expire_ms(r));
  set(row, "audio_download_url", cJSON_CreateNull());
  if (!is_there) {
    set(row, "file_size", cJSON_CreateNull());
    set(row, "download_url", cJSON_CreateNull());
  }
  if (meeting != NULL) {
    set_id(meeting, "id", KIND_MEETING, r, none);
    set_time(meeting, "created_at", false, data_created_ms(KIND_MEETING, r));
    set_time(meeting, "updated_at", false, data_created_ms(KIND_MEETING, r));
    fill_meeting(meeting, r);
  }
  text_free(&url);
}

cJSON *data_row(const cJSON *model, enum kind kind, long n, struct piece id,
                const struct ask *ask) {
  cJSON *row = cJSON_Duplicate(model, 1);
  set_id(row, "id", kind, n, id);
  set_time(row, "created_at", false, data_created_ms(kind, n));
  set_time(row, "updated_at", false, data_created_ms(kind, n));
  if (kind == KIND_MEETING) fill_meeting(row, n);
  if (kind == KIND_INVITED) fill_person(row, n);
  if (kind == KIND_PARTICIPANT) fill_participant(row, n, ask);
  if (kind == KIND_PEER) fill_report(row, n, ask);
  if (kind == KIND_RECORDING) fill_recording(row, n);
  if (kind == KIND_PRESET) set_text(row, "name", "%s", presets[n - 1]);
  if (kind == KIND_APP) set_text(row, "name", "App %ld", n);
  if (kind == KIND_WEBHOOK) set_text(row, "name", "Webhook %ld", n);
  if (kind == KIND_WEBHOOK) {
    set_text(row, "url", "https://example.com/hooks/%ld", n);
  }
  return row;
}

void data_meeting_session(struct text *out, long number, struct piece id) {
  long created_ms = data_livestream_created_ms(number);
  bool is_live = session_is_live(number);
  long minutes = minutes_consumed(number), people = session_people(number);
  text_puts(out, "{\"id\":");
  data_id(out, KIND_MEETING_SESSION, number, id);
  text_puts(out, ",\"associated_id\":");
  data_id(out, KIND_MEETING, number, none);
  text_puts(out, ",");
  put_time(out, "created_at", false, created_ms);
  put_time(out, "started_at", false, session_started_ms(number));
  put_time(out, "ended_at", is_live, data_session_ended_ms(number));
  put_time(out, "updated_at", false, updated_ms(number));
  text_add(out,
           "\"live_participants\":%ld,\"max_concurrent_participants\":%ld,"
           "\"meeting_display_name\":\"",
           is_live ? people : 0, people);
  data_name(out, "Meeting ", number);
  text_add(out,
           "\",\"minutes_consumed\":%ld,"
           "\"organization_id\":\"00000000-0000-4000-8000-0000000000aa\","
           "\"status\":\"%s\",\"type\":\"meeting\",\"meta\":{},"
           "\"breakout_rooms\":0,",
           minutes, is_live ? "LIVE" : "ENDED");
  /* In no description, but in live replies. */
  text_add(out,
           "\"total_participants\":%ld,\"group_call_minutes_consumed\":%ld,"
           "\"webinar_minutes_consumed\":0,\"audio_room_minutes_consumed\":0,"
           "\"livestream_minutes_consumed\":0,\"chat_minutes_consumed\":0,"
           "\"recording_minutes_consumed\":%ld,"
           "\"transcription_minutes_consumed\":%ld,\"recording_status\":\"%s\","
           "\"livestream_status\":\"NOT_LIVESTREAMED\","
           "\"parent_session_id\":null,\"settings\":{}}",
           people, minutes, is_recorded(number) ? minutes : 0, minutes,
           !is_recorded(number)  ? "NOT_RECORDED"
           : is_uploaded(number) ? "UPLOADED"
                                 : "RECORDED");
}

/* What the transcript and the chat of a session need. */
long data_session_line_ms(long k, long line) {
  return session_started_ms(k) + line * 10000;
}

long data_session_speaker(long k, long line) {
  return k * EACH + 1 + (line - 1) % session_people(k);
}
