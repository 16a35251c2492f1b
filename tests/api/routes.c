/*
** A path to a reply: the routes of the API, pages of its lists, the published
** examples, and what the API says to a path that leads nowhere.
**
** A route is a row of the table `routes`; its pattern is the end of the path
** in the OpenAPI file, from which its example is taken, or made up of the schema
** where none is published.  Most routes give one row or a list of one kind, which
** the table says; the others have a function of their own.
*/
#include "api.h"

#include "../openapi.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECES_MAX = 12 };

static const struct piece no_id; /* the UUID of its number is written */

/* Of a page of a session's participants: the only published bound. */
enum { PARTICIPANTS_MAX = 200 };

static const char ROOT[] = "/client/v4";
/* One request on its way through this file. */
struct call {
  const struct request *request;
  struct piece pieces[PIECES_MAX]; /* the path below ROOT, decoded */
  int pieces_used;
  const struct route *route;
  struct piece id;    /* of the route's last {...}; data is NULL without one */
  struct piece owner; /* of the one before it */
  long number;        /* what the id stands for, when a fault is over; else 0 */
  const char *query;  /* what follows '?', still encoded; "" without one */
};

enum paging { NOT_PAGED, PAGED_INSIDE, PAGED_BESIDE };

struct route {
  const char *pattern;
  const char *example_id; /* the id that gets the published example */
  enum kind of;           /* what the last id in the path is of */
  enum kind kind;         /* of the rows; KIND_NONE: `answer` makes the reply */
  bool is_list;
  const char *inside; /* data.INSIDE has the rows; NULL: data has */
  enum paging paging; /* where `paging` is: inside data or beside it */
  enum kind owner;    /* what the id before the last one is of */
  void (*answer)(const struct call *call, struct reply *reply);
};

/* Replies ------------------------------------------------------------------ */

void reply_header(struct reply *reply, const char *name, const char *format,
                  ...) {
  struct header *header;
  va_list args;
  if (reply->headers_used == HEADERS_MAX) return;
  header = &reply->headers[reply->headers_used++];
  snprintf(header->name, sizeof header->name, "%s", name);
  va_start(args, format);
  vsnprintf(header->value, sizeof header->value, format, args);
  va_end(args);
}

void reply_error(struct reply *reply, unsigned status, long code,
                 const char *message) {
  reply->status = status;
  reply->type = "application/json";
  reply->body.len = 0;
  text_add(&reply->body,
           "{\"success\":false,\"errors\":[{\"code\":%ld,\"message\":", code);
  text_json(&reply->body, message, strlen(message));
  text_puts(&reply->body, "}],\"messages\":[],\"result\":null}");
}

void reply_fault(struct reply *reply, unsigned status, const char *format,
                 ...) {
  char message[256];
  va_list args;
  va_start(args, format);
  vsnprintf(message, sizeof message, format, args);
  va_end(args);
  reply->status = status;
  reply->type = "application/json";
  reply->body.len = 0;
  text_add(&reply->body,
           "{\"success\":false,\"error\":{\"code\":%u,\"message\":", status);
  text_json(&reply->body, message, strlen(message));
  text_puts(&reply->body, "}}");
}

void reply_session(struct reply *reply, long number, struct piece id) {
  text_puts(&reply->body, "{\"data\":");
  data_session(&reply->body, number, id);
  text_puts(&reply->body, ",\"success\":true}");
}

/* Ids ---------------------------------------------------------------------- */

static const char UUID[] = "00000000-0000-0000-0000-000000000000";

static bool is_hex_or_dash(struct piece piece, const char *pattern) {
  size_t i;
  if (piece.len != strlen(pattern)) return false;
  for (i = 0; i < piece.len; i++) {
    bool is_dash = piece.data[i] == '-';
    if (is_dash != (pattern[i] == '-')) return false;
    if (!is_dash && !memchr("0123456789abcdefABCDEF", piece.data[i], 22)) {
      return false;
    }
  }
  return true;
}

static bool is_account(struct piece piece) {
  return piece_is(piece, "ACCOUNT") || piece_is(piece, "acme") ||
         piece_begins(piece, "acc") ||
         is_hex_or_dash(piece, "00000000000000000000000000000000");
}

static bool is_app(struct piece piece) {
  return piece_is(piece, "APP") || piece_is(piece, "webinars") ||
         piece_begins(piece, "app") || is_hex_or_dash(piece, UUID);
}

/* Lists -------------------------------------------------------------------- */

struct page {
  long total, first, last; /* places from 1; first and last 0: none */
};

/* Items of one kind: those of the app in the order of their times, or
** numbers from `first` on. */
struct list {
  enum kind kind;
  long count, first;
  const cJSON *model; /* see data_row() */
};

static void put_item(struct text *out, const struct list *list, long n,
                     struct piece id, const struct ask *ask) {
  cJSON *row;
  char *text;
  if (list->kind == KIND_SESSION) {
    data_session(out, n, id);
  } else if (list->kind == KIND_LIVESTREAM) {
    data_livestream(out, n, id);
  } else if (list->kind == KIND_MEETING_SESSION) {
    data_meeting_session(out, n, id);
  } else {
    row = data_row(list->model, list->kind, n, id, ask);
    text = cJSON_PrintUnformatted(row);
    text_puts(out, text);
    cJSON_free(text);
    cJSON_Delete(row);
  }
}

/* Is `word` one of those in `words`, between commas? */
static bool is_among(const char *word, const char *words) {
  size_t len = strlen(word);
  const char *at = words;
  while (*at != 0) {
    size_t next = strcspn(at, ",");
    if (next == len && strncmp(at, word, len) == 0) return true;
    at += next;
    if (*at == ',') at++;
  }
  return false;
}

/* A search finds any part of the row's JSON. */
static bool is_found(const struct list *list, long n, const struct ask *ask) {
  struct text row = {0};
  bool is_there;
  put_item(&row, list, n, no_id, ask);
  is_there = strstr(row.data, ask->search) != NULL;
  text_free(&row);
  return is_there;
}

static bool matches(const struct list *list, long n, const struct ask *ask) {
  const char *status = data_status(list->kind, n);
  if (!data_is_there(list->kind, n)) return false;
  if (list->kind == KIND_SESSION) return true;
  return data_created_ms(list->kind, n) >= ask->from_ms &&
         data_created_ms(list->kind, n) <= ask->to_ms &&
         (ask->status[0] == 0 || status[0] == 0 ||
          is_among(status, ask->status)) &&
         data_matches(list->kind, n, ask) &&
         (ask->search[0] == 0 || is_found(list, n, ask));
}

struct item {
  long key, place, number;
};

static int by_key(const void *left, const void *right) {
  const struct item *a = left, *b = right;
  if (a->key != b->key) return a->key < b->key ? -1 : 1;
  return a->place < b->place ? -1 : a->place > b->place;
}

/* Writes [...] of the items of one page. */
static struct page put_list(struct text *out, const struct ask *ask,
                            const struct list *list) {
  struct item *items = must_alloc((size_t)(list->count + 1) * sizeof *items);
  struct page page = {0, 0, 0};
  long i, skip = (ask->page_no - 1) * ask->per_page;
  for (i = 0; i < list->count; i++) {
    long n = list->first == 0 ? data_livestream_at(i) : list->first + i;
    if (!matches(list, n, ask)) continue;
    items[page.total++] = (struct item){data_sort_key(ask->sort_by, n), i, n};
  }
  if (ask->sort_by[0] != 0) {
    qsort(items, (size_t)page.total, sizeof *items, by_key);
  }
  text_puts(out, "[");
  for (i = skip; i < page.total && i < skip + ask->per_page; i++) {
    long place = ask->is_descending ? page.total - 1 - i : i;
    if (page.first == 0) page.first = i + 1;
    if (page.last != 0) text_puts(out, ",");
    page.last = i + 1;
    put_item(out, list, items[place].number, no_id, ask);
  }
  text_puts(out, "]");
  free(items);
  return page;
}

static void put_paging(struct text *out, struct page page) {
  text_add(out,
           ",\"paging\":{\"end_offset\":%ld,\"start_offset\":%ld,"
           "\"total_count\":%ld}",
           page.last, page.first, page.total);
}

static long page_max; /* rows of a page; 0: any number */

static bool is_live(long number) {
  return strcmp(data_livestream_status(number), "LIVE") == 0;
}

static void write_session(struct text *out, long number) {
  data_session(out, number, no_id);
}

/* Answers ------------------------------------------------------------------ */

/* False after the reply has been made an error. */
static bool read_ask(const struct call *call, bool is_unix, struct reply *reply,
                     struct ask *ask) {
  const char *wrong = query_read(call->query, is_unix, ask);
  char message[128];
  if (call->route->kind == KIND_PARTICIPANT && call->route->is_list) {
    if (strstr(call->query, "per_page=") == NULL) ask->per_page = 25;
    if (ask->per_page > PARTICIPANTS_MAX) wrong = "per_page";
  }
  if (call->route->kind == KIND_APP && !ask->has_order) {
    ask->is_descending = true;
  }
  if (page_max > 0 && ask->per_page > page_max) ask->per_page = page_max;
  if (wrong == NULL) return true;
  snprintf(message, sizeof message, "\"%s\" is not valid", wrong);
  reply_error(reply, 400, 400, message);
  return false;
}

/* What the id stands for, 0 when it is unknown. */
static long number_of(const struct call *call, enum kind kind) {
  return call->number != 0 ? call->number : data_number(kind, call->id);
}

static void answer_session(const struct call *call, struct reply *reply) {
  bool is_echo = piece_begins(call->id, "echo:");
  long number = is_echo ? 1 : number_of(call, KIND_SESSION);
  if (number == 0) {
    reply_error(reply, 404, 404, "Livestream session not found");
    return;
  }
  reply_session(reply, number, call->id);
}

/* Of a livestream, or of that of a meeting. */
static void answer_livestream(const struct call *call, struct reply *reply) {
  bool is_by_meeting = call->route->of == KIND_MEETING;
  long number = number_of(call, call->route->of);
  struct list list = {.kind = KIND_SESSION};
  struct ask ask;
  struct page page;
  if (number == 0) {
    reply_error(reply, 404, 404, "Livestream not found");
    return;
  }
  if (!read_ask(call, false, reply, &ask)) return;
  text_puts(&reply->body, "{\"data\":{\"livestream\":");
  data_livestream(&reply->body, number, is_by_meeting ? no_id : call->id);
  text_puts(&reply->body, ",\"sessions\":");
  list.count = data_livestream_sessions(number, &list.first);
  page = put_list(&reply->body, &ask, &list);
  text_puts(&reply->body, "}");
  put_paging(&reply->body, page);
  text_puts(&reply->body, ",\"success\":true}");
}

static void answer_active_session(const struct call *call,
                                  struct reply *reply) {
  long number = number_of(call, KIND_LIVESTREAM), first, count;
  count = number == 0 ? 0 : data_livestream_sessions(number, &first);
  if (count == 0 || !is_live(number)) {
    reply_error(reply, 404, 404, "No active livestream session found");
    return;
  }
  text_puts(&reply->body, "{\"data\":{\"livestream\":");
  data_livestream(&reply->body, number, call->id);
  text_puts(&reply->body, ",\"session\":");
  write_session(&reply->body, first + count - 1);
  text_puts(&reply->body, "},\"success\":true}");
}

static void answer_active_livestream(const struct call *call,
                                     struct reply *reply) {
  long number = number_of(call, KIND_MEETING);
  if (number == 0 || !is_live(number)) {
    reply_error(reply, 404, 404, "No active livestream found");
    return;
  }
  text_puts(&reply->body, "{\"data\":");
  data_livestream(&reply->body, number, no_id);
  text_puts(&reply->body, ",\"success\":true}");
}

/* The session of a meeting that is on. */
static void answer_active_meeting_session(const struct call *call,
                                          struct reply *reply) {
  long number = number_of(call, KIND_MEETING);
  if (number == 0 || !is_live(number)) {
    reply_fault(reply, 404, "No active session found for meeting_id %.*s",
                (int)call->id.len, call->id.data);
    return;
  }
  text_puts(&reply->body, "{\"data\":");
  data_meeting_session(&reply->body, number, no_id);
  text_puts(&reply->body, ",\"success\":true}");
}

static void answer_active_recording(const struct call *call,
                                    struct reply *reply);

/* The links of a session: the pattern's last word says which. */
static void answer_link(const struct call *call, struct reply *reply) {
  struct ask ask;
  if (!read_ask(call, false, reply, &ask)) return;
  if (!files_reply(&reply->body, strrchr(call->route->pattern, '/') + 1,
                   call->id, number_of(call, KIND_MEETING_SESSION), &ask)) {
    reply_fault(reply, 404, "Session not found");
  }
}

/* Whether the whole or a part of that day is asked for. */
static bool is_day_asked(int day, const struct ask *ask) {
  const long day_ms = 86400L * 1000;
  long start_ms = data_first_day_ms() + day * day_ms;
  return start_ms + day_ms > ask->from_ms && start_ms <= ask->to_ms;
}

static void answer_daywise(const struct call *call, struct reply *reply) {
  struct ask ask;
  const char *comma = "";
  int i;
  if (!read_ask(call, true, reply, &ask)) return;
  text_puts(&reply->body, "{\"data\":[");
  for (i = 0; i < DAYS; i++) {
    const struct day now = data_day(i), *day = &now;
    char date[32];
    if (day->count == 0 || !is_day_asked(i, &ask)) continue;
    format_day(date, sizeof date, data_first_day_ms() + i * (86400L * 1000));
    text_add(&reply->body,
             "%s{\"count\":%ld,\"date\":\"%s\",\"total_ingest_seconds\":%ld,"
             "\"total_viewer_seconds\":%ld}",
             comma, day->count, date, day->ingest_seconds, day->viewer_seconds);
    comma = ",";
  }
  text_puts(&reply->body, "],\"success\":true}");
}

/* Two lists in one reply. */
static void answer_meeting_days(const struct call *call, struct reply *reply) {
  struct day sum = {0};
  struct text sessions = {0}, recordings = {0};
  struct ask ask;
  int i;
  if (!read_ask(call, false, reply, &ask)) return;
  for (i = 0; i < DAYS; i++) {
    const struct day now = data_day(i), *day = &now;
    char date[32];
    if (day->sessions == 0 || !is_day_asked(i, &ask)) continue;
    format_day(date, sizeof date, data_first_day_ms() + i * (86400L * 1000));
    text_add(&sessions,
             "%s{\"day\":\"%s\",\"total_session_minutes\":%ld,"
             "\"total_sessions\":%ld}",
             sum.sessions > 0 ? "," : "", date, day->session_minutes,
             day->sessions);
    text_add(&recordings,
             "%s{\"day\":\"%s\",\"total_recording_minutes\":%ld,"
             "\"total_recordings\":%ld}",
             sum.sessions > 0 ? "," : "", date, day->recording_minutes,
             day->recordings);
    sum.sessions += day->sessions;
    sum.session_minutes += day->session_minutes;
    sum.recordings += day->recordings;
    sum.recording_minutes += day->recording_minutes;
  }
  text_add(&reply->body,
           "{\"data\":{\"session_stats\":{\"day_stats\":[%s],"
           "\"sessions_count\":%ld,\"sessions_minutes_consumed\":%ld},"
           "\"recording_stats\":{\"day_stats\":[%s],\"recording_count\":%ld,"
           "\"recording_minutes_consumed\":%ld}},\"success\":true}",
           sessions.data == NULL ? "" : sessions.data, sum.sessions,
           sum.session_minutes, recordings.data == NULL ? "" : recordings.data,
           sum.recordings, sum.recording_minutes);
  text_free(&sessions);
  text_free(&recordings);
}

static void answer_overall(const struct call *call, struct reply *reply) {
  struct day sum = {0};
  struct ask ask;
  int i;
  if (!read_ask(call, true, reply, &ask)) return;
  for (i = 0; i < DAYS; i++) {
    const struct day now = data_day(i), *day = &now;
    if (!is_day_asked(i, &ask)) continue;
    sum.count += day->count;
    sum.ingest_seconds += day->ingest_seconds;
    sum.viewer_seconds += day->viewer_seconds;
  }
  text_add(&reply->body,
           "{\"data\":{\"count\":%ld,\"total_ingest_seconds\":%ld,"
           "\"total_viewer_seconds\":%ld},\"success\":true}",
           sum.count, sum.ingest_seconds, sum.viewer_seconds);
}

/* Routes ------------------------------------------------------------------- */

static const char MADE_UP_ID[] = "24c1a0a2-7f5f-4a4e-8a0c-6b2f6d1e5a01";
static const char APP_ID[] = "14a396e7-ca44-4937-bf1f-050a69118543";
static const char SESSION_ID[] = "cf55a850-c3fd-46b5-b5d2-25b3b9aa1686";
static const char LIVESTREAM_ID[] = "b60ef3da-fbbb-441b-9168-8235b0035248";
static const char MEETING_ID[] = "bbb03399-24e3-4b0c-90ec-172e97e636be";
static const char LIVE_MEETING_ID[] = "6bf2b8be-04dd-4191-b602-1128921a306b";
static const char LIVESTREAM_MEETING_ID[] =
    "aaa87945-df1c-49d9-8159-262a7ae6cfde";

/* clang-format off */
#define LIST(its_kind, its_paging)                                             \
  .kind = its_kind, .is_list = true, .paging = its_paging
#define ONE(its_kind) .kind = its_kind, .of = its_kind

/* A path with a word comes before one with an id in the same place. */
static const struct route routes[] = {
  {"apps", NULL, LIST(KIND_APP, PAGED_BESIDE)},
  {"apps/{app_id}", APP_ID, ONE(KIND_APP)},
  {"meetings", NULL, LIST(KIND_MEETING, PAGED_BESIDE)},
  {"meetings/{meeting_id}", MADE_UP_ID, ONE(KIND_MEETING)},
  {"meetings/{meeting_id}/participants", MADE_UP_ID, KIND_MEETING,
   LIST(KIND_INVITED, PAGED_BESIDE)},
  {"meetings/{meeting_id}/participants/{participant_id}", MADE_UP_ID,
   ONE(KIND_INVITED), .owner = KIND_MEETING},
  {"meetings/{meeting_id}/active-session", LIVE_MEETING_ID, KIND_MEETING,
   .answer = answer_active_meeting_session},
  {"meetings/{meeting_id}/active-livestream", MEETING_ID, KIND_MEETING,
   .answer = answer_active_livestream},
  {"meetings/{meeting_id}/livestream", LIVESTREAM_MEETING_ID, KIND_MEETING,
   .answer = answer_livestream},
  {"presets", NULL, LIST(KIND_PRESET, PAGED_BESIDE)},
  {"presets/{preset_id}", MADE_UP_ID, ONE(KIND_PRESET)},
  {"sessions", NULL, LIST(KIND_MEETING_SESSION, PAGED_INSIDE),
   .inside = "sessions"},
  {"sessions/peer-report/{peer_id}", MADE_UP_ID, ONE(KIND_PEER),
   .inside = "participant"},
  {"sessions/{session_id}", MADE_UP_ID, ONE(KIND_MEETING_SESSION)},
  {"sessions/{session_id}/participants", NULL, KIND_MEETING_SESSION,
   LIST(KIND_PARTICIPANT, PAGED_INSIDE), .inside = "participants"},
  {"sessions/{session_id}/participants/{participant_id}", MADE_UP_ID,
   ONE(KIND_PARTICIPANT), .inside = "participant",
   .owner = KIND_MEETING_SESSION},
  {"sessions/{session_id}/chat", MADE_UP_ID, .answer = answer_link},
  {"sessions/{session_id}/transcript", MADE_UP_ID, .answer = answer_link},
  {"sessions/{session_id}/summary", MADE_UP_ID, .answer = answer_link},
  {"sessions/{session_id}/livestream-sessions", NULL, KIND_MEETING_SESSION,
   LIST(KIND_SESSION, PAGED_INSIDE), .inside = "data"},
  {"recordings", NULL, LIST(KIND_RECORDING, PAGED_BESIDE)},
  {"recordings/active-recording/{meeting_id}", MADE_UP_ID, KIND_MEETING,
   .answer = answer_active_recording},
  {"recordings/{recording_id}", MADE_UP_ID, ONE(KIND_RECORDING)},
  {"livestreams", NULL, LIST(KIND_LIVESTREAM, PAGED_BESIDE)},
  {"livestreams/{livestream_id}", LIVESTREAM_ID, KIND_LIVESTREAM,
   .answer = answer_livestream},
  {"livestreams/{livestream_id}/active-livestream-session", LIVESTREAM_ID,
   .answer = answer_active_session},
  {"livestreams/sessions/{livestream-session-id}", SESSION_ID,
   .answer = answer_session},
  {"analytics/daywise", NULL, .answer = answer_meeting_days},
  {"analytics/livestreams/daywise", NULL, .answer = answer_daywise},
  {"analytics/livestreams/overall", NULL, .answer = answer_overall},
  {"webhooks", NULL, LIST(KIND_WEBHOOK, NOT_PAGED)},
  {"webhooks/all", NULL, .answer = NULL}, /* its example */
  {"webhooks/{webhook_id}", MADE_UP_ID, ONE(KIND_WEBHOOK)},
};
/* clang-format on */

enum { ROUTES = sizeof routes / sizeof routes[0] };

static char *examples[ROUTES]; /* the published reply bodies */
static cJSON *models[ROUTES];  /* a row with every field; see data_row() */

static const cJSON *model_of(const struct route *route) {
  return models[route - routes];
}

static void answer_active_recording(const struct call *call,
                                    struct reply *reply) {
  long number = number_of(call, KIND_MEETING);
  struct list list = {.kind = KIND_RECORDING, .model = model_of(call->route)};
  struct ask ask;
  if (!read_ask(call, false, reply, &ask)) return;
  if (number == 0 || !is_live(number)) {
    reply_fault(reply, 404, "No active recording found");
    return;
  }
  text_puts(&reply->body, "{\"data\":");
  put_item(&reply->body, &list, number, no_id, &ask);
  text_puts(&reply->body, ",\"success\":true}");
}

static const char *noun(enum kind kind) {
  static const char *const nouns[] = {
      [KIND_LIVESTREAM] = "Livestream",   [KIND_MEETING] = "Meeting",
      [KIND_MEETING_SESSION] = "Session", [KIND_PARTICIPANT] = "Participant",
      [KIND_INVITED] = "Participant",     [KIND_PEER] = "Peer",
      [KIND_RECORDING] = "Recording",     [KIND_PRESET] = "Preset",
      [KIND_WEBHOOK] = "Webhook",         [KIND_APP] = "App"};
  return nouns[kind];
}

/* One row, or a list of rows, as the route's row of the table says. */
static void answer_rows(const struct call *call, struct reply *reply) {
  const struct route *route = call->route;
  struct list list = {.kind = route->kind, .model = model_of(route)};
  struct text *out = &reply->body;
  struct page page = {0, 0, 0};
  struct ask ask;
  long number = route->of == KIND_NONE ? 0 : number_of(call, route->of);
  /* Any app is one, not only those of the list. */
  if (number == 0 && route->of == KIND_APP && is_app(call->id)) number = 1;
  if ((route->of != KIND_NONE && number == 0) ||
      (route->owner != KIND_NONE && call->number == 0 &&
       data_number(route->owner, call->owner) != data_owner(number))) {
    reply_fault(reply, 404, "%s not found", noun(route->of));
    return;
  }
  if (!read_ask(call, false, reply, &ask)) return;
  text_puts(out, "{\"data\":");
  if (route->inside != NULL) text_add(out, "{\"%s\":", route->inside);
  if (route->is_list) {
    list.count = data_count(list.kind, number, &list.first);
    page = put_list(out, &ask, &list);
  } else {
    put_item(out, &list, number, call->id, &ask);
  }
  if (route->paging == PAGED_INSIDE) put_paging(out, page);
  if (route->inside != NULL) text_puts(out, "}");
  if (route->paging == PAGED_BESIDE) put_paging(out, page);
  text_puts(out, ",\"success\":true}");
}

/* Whether the pieces from the `from`-th on are those of the pattern; a {...}
** matches anything but nothing and goes to call->id, one before it to ->owner. */
static bool route_matches(const char *pattern, struct call *call, int from) {
  int i;
  call->id = call->owner = (struct piece){0};
  for (i = from; i < call->pieces_used; i++) {
    struct piece piece = call->pieces[i];
    size_t len = strcspn(pattern, "/");
    if (len == 0) return false;
    if (*pattern == '{') {
      if (piece.len == 0) return false;
      call->owner = call->id;
      call->id = piece;
    } else if (piece.len != len || memcmp(piece.data, pattern, len) != 0) {
      return false;
    }
    pattern += len;
    if (*pattern == '/') pattern++;
  }
  return *pattern == 0;
}

static void no_route(const struct call *call, struct reply *reply) {
  struct text message = {0};
  int i;
  text_puts(&message, "Could not route to ");
  for (i = 0; i < call->pieces_used; i++) {
    text_puts(&message, "/");
    text_put(&message, call->pieces[i].data, call->pieces[i].len);
  }
  text_puts(&message, ", perhaps your object identifier is invalid?");
  reply_error(reply, 404, 7003, message.data);
  text_free(&message);
}

static bool token_begins(const struct call *call, const char *prefix) {
  return strncmp(call->request->token, prefix, strlen(prefix)) == 0;
}

/* Both forms of tokens/verify. */
static void answer_verify(const struct call *call, bool is_by_account,
                          struct reply *reply) {
  bool is_account_owned = token_begins(call, "account-owned-");
  const char *status = token_begins(call, "expired-")    ? "expired"
                       : token_begins(call, "disabled-") ? "disabled"
                                                         : "active";
  if (is_account_owned != is_by_account || token_begins(call, "unlisted-")) {
    reply_error(reply, 401, 1000, "Invalid API Token");
    return;
  }
  text_add(&reply->body,
           "{\"success\":true,\"errors\":[],\"messages\":[{\"code\":10000,"
           "\"message\":\"This API Token is valid and %s\"}],"
           "\"result\":{\"id\":\"ed17574386854bf78a67040be0a770b0\","
           "\"status\":\"%s\"%s}}",
           status, status,
           status[0] == 'e' ? ",\"expires_on\":\"2020-01-01T00:00:00Z\"" : "");
}

/* Plays the fault that the id or the app asks for, if one does. */
static bool play_fault(struct call *call, struct reply *reply) {
  struct piece app = call->pieces[4], id = call->id;
  long ignored;
  if (call->owner.data != NULL && piece_begins(call->owner, "x:")) {
    id = call->owner;
  }
  if (piece_is(app, "apps")) app = call->pieces[1]; /* acc-x:PROGRAM */
  if (id.data != NULL && piece_begins(id, "x:")) {
    return faults_play((struct piece){id.data + 2, id.len - 2}, id,
                       call->request, reply, &call->number);
  }
  if (piece_begins(app, "app-x:") || piece_begins(app, "acc-x:")) {
    return faults_play((struct piece){app.data + 6, app.len - 6},
                       id.data != NULL ? id : app, call->request, reply,
                       &ignored);
  }
  return false;
}

/* Is the example asked for: by its id, or by the app for all but sessions? */
static bool is_example(const struct call *call) {
  const char *id = call->route->example_id;
  return (id != NULL && piece_is(call->id, id)) ||
         (piece_is(call->pieces[4], "app-example") &&
          call->route->answer != answer_session);
}

/* /accounts/{account}/realtime/kit/{app}/..., or /apps... */
static void answer_kit(struct call *call, struct reply *reply) {
  struct piece app = call->pieces[4];
  bool is_apps = piece_is(app, "apps");
  int i = 0;
  if (!is_account(call->pieces[1]) || (!is_apps && !is_app(app))) {
    no_route(call, reply);
    return;
  }
  while (i < ROUTES && !route_matches(routes[i].pattern, call, is_apps ? 4 : 5))
    i++;
  if (i == ROUTES) {
    reply_error(reply, 404, 7000, "No route for that URI");
    return;
  }
  call->route = &routes[i];
  if (piece_is(app, "app-denied")) {
    reply_error(reply, 403, 10000, "Authentication error");
    return;
  }
  if (play_fault(call, reply)) return;
  if (is_example(call) ||
      (call->route->kind == KIND_NONE && call->route->answer == NULL)) {
    text_puts(&reply->body, examples[i]);
  } else if (call->route->kind == KIND_WEBHOOK &&
             call->route->of != KIND_NONE &&
             number_of(call, KIND_WEBHOOK) == 0 &&
             !is_hex_or_dash(call->id, UUID)) {
    reply_fault(reply, 400, "BAD_REQUEST: \"id\" must be a valid GUID");
  } else if (call->route->answer != NULL) {
    call->route->answer(call, reply);
  } else {
    answer_rows(call, reply);
  }
}

bool routes_has(const char *uri) {
  size_t len = strlen(ROOT);
  return strncmp(uri, ROOT, len) == 0 && strchr("/?", uri[len]) != NULL;
}

bool routes_is_verify(const char *uri) {
  static const char end[] = "/tokens/verify";
  size_t len = strcspn(uri, "?");
  return len >= strlen(end) &&
         strncmp(uri + len - strlen(end), end, strlen(end)) == 0;
}

/* Cuts the path below ROOT into decoded pieces, in `path`. */
static bool cut(struct call *call, char *path) {
  char *at = path;
  while (*at == '/') {
    char *end = at + 1 + strcspn(at + 1, "/");
    struct piece *piece = &call->pieces[call->pieces_used];
    bool is_last = *end == 0;
    if (call->pieces_used == PIECES_MAX) return false;
    piece->data = at + 1;
    piece->len = percent_decode(at + 1, at + 1, (size_t)(end - at - 1));
    call->pieces_used++;
    if (is_last) break;
    at = end;
  }
  return true;
}

void routes_answer(const struct request *request, struct reply *reply) {
  struct call call = {.request = request, .query = ""};
  const char *below = request->uri + strlen(ROOT);
  size_t len = strcspn(below, "?");
  char *path = must_copy(below, len);
  if (below[len] == '?') call.query = below + len + 1;
  reply->status = 200;
  reply->type = "application/json";
  if (!cut(&call, path)) {
    reply_error(reply, 404, 7000, "No route for that URI");
  } else if (route_matches("user/tokens/verify", &call, 0)) {
    answer_verify(&call, false, reply);
  } else if (route_matches("accounts/{a}/tokens/verify", &call, 0)) {
    if (is_account(call.pieces[1])) {
      answer_verify(&call, true, reply);
    } else {
      no_route(&call, reply);
    }
  } else if (call.pieces_used > 4 && piece_is(call.pieces[0], "accounts") &&
             piece_is(call.pieces[2], "realtime") &&
             piece_is(call.pieces[3], "kit")) {
    answer_kit(&call, reply);
  } else {
    reply_error(reply, 404, 7000, "No route for that URI");
  }
  free(path);
}

/* Start and end ------------------------------------------------------------ */

/* The rows of a reply of this route: its own array or object. */
static const cJSON *row_of(const struct route *route, const cJSON *reply) {
  const cJSON *at = openapi_get(reply, "data");
  if (route->inside != NULL) at = openapi_get(at, route->inside);
  return cJSON_IsArray(at) ? at->child : at;
}

static bool open_route(const cJSON *paths, int i) {
  bool is_apps = strncmp(routes[i].pattern, "apps", 4) == 0;
  const cJSON *operation, *example;
  cJSON *made_up;
  char path[256];
  snprintf(path, sizeof path, "%s%s%s", OPENAPI_KIT, is_apps ? "" : "{app_id}/",
           routes[i].pattern);
  operation = openapi_get(openapi_get(paths, path), "get");
  if (operation == NULL) {
    fprintf(stderr, "api: %s has no %s\n", API_EXAMPLES, path);
    return false;
  }
  made_up = openapi_made_up_reply(operation);
  example = openapi_examples(operation);
  example = example == NULL ? made_up : openapi_get(example, "value");
  examples[i] = cJSON_PrintUnformatted(example);
  models[i] = cJSON_Duplicate(row_of(&routes[i], made_up), 1);
  cJSON_Delete(made_up);
  return true;
}

bool routes_open(const struct options *options) {
  cJSON *root = openapi_open(API_EXAMPLES);
  bool ok = root != NULL;
  int i;
  if (!ok) fprintf(stderr, "api: cannot read %s\n", API_EXAMPLES);
  for (i = 0; ok && i < ROUTES; i++) {
    ok = open_route(openapi_get(root, "paths"), i);
  }
  cJSON_Delete(root);
  page_max = options->page_max;
  files_open(options);
  data_open(options);
  return ok;
}

void routes_close(void) {
  size_t i;
  for (i = 0; i < ROUTES; i++) {
    cJSON_free(examples[i]);
    cJSON_Delete(models[i]);
  }
  data_close();
}
