/*
** A path to a reply: the routes of the API, pages of its lists, the published
** examples, and what the API says to a path that leads nowhere.
**
** A route is a row of the table `routes`; its pattern is the end of the path
** in the OpenAPI file, from which its published example is taken.
*/
#include "api.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECES_MAX = 12 };

static const char ROOT[] = "/client/v4";
static const char KIT[] = "/accounts/{account_id}/realtime/kit/{app_id}/";

/* One request on its way through this file. */
struct call {
  const struct request *request;
  struct piece pieces[PIECES_MAX]; /* the path below ROOT, decoded */
  int pieces_used;
  struct piece id;   /* of the route's {...}; data is NULL without one */
  long number;       /* what the id stands for, when a fault is over; else 0 */
  const char *query; /* what follows '?', still encoded; "" without one */
};

struct route {
  const char *pattern;
  const char *example_id; /* the id that gets the published example */
  bool has_example;
  bool is_lookup; /* app-example gives no example for other ids */
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

void reply_session(struct reply *reply, long number, struct piece id) {
  text_puts(&reply->body, "{\"data\":");
  data_session(&reply->body, number, id);
  text_puts(&reply->body, ",\"success\":true}");
}

/* Lists -------------------------------------------------------------------- */

struct page {
  long total, first, last; /* places from 1; first and last 0: none */
};

/* Whether the item at this place is asked for; NULL: it is. */
typedef bool (*match_fn)(long item, const struct ask *ask);
typedef void (*write_fn)(struct text *out, long item);

/* Writes [...] of the items of one page; item i is `at(i)` or first + i. */
static struct page put_list(struct text *out, const struct ask *ask, long count,
                            long (*at)(long place), long first,
                            match_fn matches, write_fn write) {
  struct page page = {0, 0, 0};
  long skip = (ask->page_no - 1) * ask->per_page, i;
  text_puts(out, "[");
  for (i = 0; i < count; i++) {
    long place = ask->is_descending ? count - 1 - i : i;
    long item = at != NULL ? at(place) : first + place;
    if (matches != NULL && !matches(item, ask)) continue;
    page.total++;
    if (page.total <= skip || page.total > skip + ask->per_page) continue;
    if (page.first == 0) page.first = page.total;
    if (page.last != 0) text_puts(out, ",");
    page.last = page.total;
    write(out, item);
  }
  text_puts(out, "]");
  return page;
}

static void put_paging(struct text *out, struct page page) {
  text_add(out,
           ",\"paging\":{\"end_offset\":%ld,\"start_offset\":%ld,"
           "\"total_count\":%ld}",
           page.last, page.first, page.total);
}

static long livestreams_count; /* how many the lists hold */
static long page_max;          /* rows of a page; 0: any number */

static bool is_in_time(long number, const struct ask *ask) {
  long created_ms = data_livestream_created_ms(number);
  return created_ms >= ask->from_ms && created_ms <= ask->to_ms;
}

static bool livestream_matches(long number, const struct ask *ask) {
  if (!is_in_time(number, ask)) return false;
  if (ask->without_meetings && data_livestream_has_meeting(number)) {
    return false;
  }
  return ask->status[0] == 0 ||
         strcmp(ask->status, data_livestream_status(number)) == 0;
}

static bool is_live(long number) {
  return strcmp(data_livestream_status(number), "LIVE") == 0;
}

static bool meeting_session_matches(long number, const struct ask *ask) {
  if (!is_in_time(number, ask)) return false;
  return ask->status[0] == 0 ||
         strcmp(ask->status, is_live(number) ? "LIVE" : "ENDED") == 0;
}

static void write_livestream(struct text *out, long number) {
  data_livestream(out, number, (struct piece){0});
}

static void write_session(struct text *out, long number) {
  data_session(out, number, (struct piece){0});
}

/* Answers, one for each route ---------------------------------------------- */

/* False after the reply has been made an error. */
static bool read_ask(const struct call *call, bool is_unix, struct reply *reply,
                     struct ask *ask) {
  const char *wrong = query_read(call->query, is_unix, ask);
  char message[128];
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

static void answer_livestreams(const struct call *call, struct reply *reply) {
  struct ask ask;
  struct page page;
  if (!read_ask(call, false, reply, &ask)) return;
  text_puts(&reply->body, "{\"data\":");
  page = put_list(&reply->body, &ask, livestreams_count, data_livestream_at, 0,
                  livestream_matches, write_livestream);
  put_paging(&reply->body, page);
  text_puts(&reply->body, ",\"success\":true}");
}

static void answer_livestream(const struct call *call, struct reply *reply) {
  long number = number_of(call, KIND_LIVESTREAM), first, count;
  struct ask ask;
  struct page page;
  if (number == 0) {
    reply_error(reply, 404, 404, "Livestream not found");
    return;
  }
  if (!read_ask(call, false, reply, &ask)) return;
  text_puts(&reply->body, "{\"data\":{\"livestream\":");
  data_livestream(&reply->body, number, call->id);
  text_puts(&reply->body, ",\"sessions\":");
  count = data_livestream_sessions(number, &first);
  page = put_list(&reply->body, &ask, count, NULL, first, NULL, write_session);
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
  write_livestream(&reply->body, number);
  text_puts(&reply->body, ",\"success\":true}");
}

static void answer_meeting_livestreams(const struct call *call,
                                       struct reply *reply) {
  long number = number_of(call, KIND_MEETING_SESSION), first, count;
  struct ask ask;
  struct page page;
  if (number == 0) {
    reply_error(reply, 404, 404, "Session not found");
    return;
  }
  if (!read_ask(call, false, reply, &ask)) return;
  text_puts(&reply->body, "{\"data\":{\"data\":");
  count = data_livestream_sessions(number, &first);
  page = put_list(&reply->body, &ask, count, NULL, first, NULL, write_session);
  put_paging(&reply->body, page);
  text_puts(&reply->body, "},\"success\":true}");
}

static void answer_meeting_sessions(const struct call *call,
                                    struct reply *reply) {
  struct ask ask;
  struct page page;
  if (!read_ask(call, false, reply, &ask)) return;
  text_puts(&reply->body, "{\"data\":{\"sessions\":");
  page = put_list(&reply->body, &ask, livestreams_count, data_livestream_at, 0,
                  meeting_session_matches, data_meeting_session);
  put_paging(&reply->body, page);
  text_puts(&reply->body, "},\"success\":true}");
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
    const struct day *day = data_day(i);
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

static void answer_overall(const struct call *call, struct reply *reply) {
  struct day sum = {0, 0, 0};
  struct ask ask;
  int i;
  if (!read_ask(call, true, reply, &ask)) return;
  for (i = 0; i < DAYS; i++) {
    const struct day *day = data_day(i);
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

static const char SESSION_ID[] = "cf55a850-c3fd-46b5-b5d2-25b3b9aa1686";
static const char LIVESTREAM_ID[] = "b60ef3da-fbbb-441b-9168-8235b0035248";
static const char MEETING_ID[] = "bbb03399-24e3-4b0c-90ec-172e97e636be";

static const struct route routes[] = {
    {"livestreams/sessions/{livestream-session-id}", SESSION_ID, true, true,
     answer_session},
    {"livestreams", NULL, true, false, answer_livestreams},
    {"livestreams/{livestream_id}", LIVESTREAM_ID, true, false,
     answer_livestream},
    {"livestreams/{livestream_id}/active-livestream-session", LIVESTREAM_ID,
     true, false, answer_active_session},
    {"meetings/{meeting_id}/active-livestream", MEETING_ID, true, false,
     answer_active_livestream},
    {"sessions/{session_id}/livestream-sessions", NULL, true, false,
     answer_meeting_livestreams},
    {"sessions", NULL, false, false, answer_meeting_sessions},
    {"analytics/livestreams/daywise", NULL, true, false, answer_daywise},
    {"analytics/livestreams/overall", NULL, true, false, answer_overall},
};

enum { ROUTES = sizeof routes / sizeof routes[0] };

static char *examples[ROUTES]; /* the published reply bodies */

/* Whether the pieces from the `from`-th on are those of the pattern; a {...}
** matches anything but nothing and goes to call->id. */
static bool route_matches(const char *pattern, struct call *call, int from) {
  int i;
  call->id = (struct piece){0};
  for (i = from; i < call->pieces_used; i++) {
    struct piece piece = call->pieces[i];
    size_t len = strcspn(pattern, "/");
    if (len == 0) return false;
    if (*pattern == '{') {
      if (piece.len == 0) return false;
      call->id = piece;
    } else if (piece.len != len || memcmp(piece.data, pattern, len) != 0) {
      return false;
    }
    pattern += len;
    if (*pattern == '/') pattern++;
  }
  return *pattern == 0;
}

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
         piece_begins(piece, "app") ||
         is_hex_or_dash(piece, "00000000-0000-0000-0000-000000000000");
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
  if (id.data != NULL && piece_begins(id, "x:")) {
    return faults_play((struct piece){id.data + 2, id.len - 2}, id,
                       call->request, reply, &call->number);
  }
  if (piece_begins(app, "app-x:")) {
    return faults_play((struct piece){app.data + 6, app.len - 6},
                       id.data != NULL ? id : app, call->request, reply,
                       &ignored);
  }
  return false;
}

/* /accounts/{account}/realtime/kit/{app}/... */
static void answer_kit(struct call *call, struct reply *reply) {
  struct piece app = call->pieces[4];
  int i = 0;
  if (!is_account(call->pieces[1]) || !is_app(app)) {
    no_route(call, reply);
    return;
  }
  while (i < ROUTES && !route_matches(routes[i].pattern, call, 5)) i++;
  if (i == ROUTES) {
    reply_error(reply, 404, 7000, "No route for that URI");
    return;
  }
  if (piece_is(app, "app-denied")) {
    reply_error(reply, 403, 10000, "Authentication error");
    return;
  }
  if (play_fault(call, reply)) return;
  if (examples[i] != NULL &&
      ((routes[i].example_id != NULL &&
        piece_is(call->id, routes[i].example_id)) ||
       (piece_is(app, "app-example") && !routes[i].is_lookup))) {
    text_puts(&reply->body, examples[i]);
    return;
  }
  routes[i].answer(call, reply);
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
  } else if (call.pieces_used > 5 && piece_is(call.pieces[0], "accounts") &&
             piece_is(call.pieces[2], "realtime") &&
             piece_is(call.pieces[3], "kit")) {
    answer_kit(&call, reply);
  } else {
    reply_error(reply, 404, 7000, "No route for that URI");
  }
  free(path);
}

/* Start and end ------------------------------------------------------------ */

/* The value of the first example of the 200 reply of this route, as text. */
static char *example_of(const cJSON *paths, const char *pattern) {
  static const char *const way[] = {"get",     "responses",        "200",
                                    "content", "application/json", "examples"};
  char path[256];
  const cJSON *at;
  size_t i;
  snprintf(path, sizeof path, "%s%s", KIT, pattern);
  at = cJSON_GetObjectItemCaseSensitive(paths, path);
  for (i = 0; i < sizeof way / sizeof way[0]; i++) {
    at = cJSON_GetObjectItemCaseSensitive(at, way[i]);
  }
  at = at == NULL ? NULL : at->child;
  at = cJSON_GetObjectItemCaseSensitive(at, "value");
  return at == NULL ? NULL : cJSON_PrintUnformatted(at);
}

bool routes_open(const struct options *options) {
  char *text = read_whole(API_EXAMPLES);
  cJSON *root = cJSON_Parse(text);
  const cJSON *paths = cJSON_GetObjectItemCaseSensitive(root, "paths");
  bool ok = text != NULL;
  size_t i;
  for (i = 0; ok && i < ROUTES; i++) {
    if (!routes[i].has_example) continue;
    examples[i] = example_of(paths, routes[i].pattern);
    if (examples[i] == NULL) {
      fprintf(stderr, "api: %s has no example for %s\n", API_EXAMPLES,
              routes[i].pattern);
      ok = false;
    }
  }
  cJSON_Delete(root);
  free(text);
  page_max = options->page_max;
  livestreams_count = data_open(options->sessions, options->livestreams);
  return ok;
}

void routes_close(void) {
  size_t i;
  for (i = 0; i < ROUTES; i++) cJSON_free(examples[i]);
  data_close();
}
