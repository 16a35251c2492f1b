/*
** The generated livestreams and livestream sessions; meetings.c has the other
** data, with their formulas.  Everything follows from a number by formulas; nothing is stored but the order
** of the list and the sums of the analytics.
**
** There are two sets of formulas.  That for people, who play with the server or
** see the demo, looks like life: livestreams with names, on once a week for an
** hour, watched by hundreds (see `show`).  That for tests (API_DATA=numbers in the
** environment) is easy to compute:
**
** Livestream L (from 1), id 00000000-0000-4000-9000-%012x of L, or l%d:
**   created_at  2024-01-01T00:00:00Z + (L-1)*315792 s mod 2 years
**               + (L-1)/200*7 s, so that 200 of them fill 2024 and 2025
**   status      LIVE when L%10 is 0, INVOKED when 3, ERRORED when 7, else IDLE
**   meeting_id  null when L%5 is 4, else ...-a000-... of L (or m%d)
**   sessions    numbers 5*(L-1)+1 to 5*L
** Session n (from 1), id 00000000-0000-4000-8000-%012x of n, or s%d:
**   livestream_id   of L = (n-1)/5 + 1
**   created_at      that of L + (n-1)%5 * 20 h, milliseconds n*37%1000
**   started_time    created_at + 2 s, no milliseconds
**   ingest_seconds  60 + n*37%7200
**   viewer_seconds  n*12 when n is even, n*12.375 (has a fraction) when odd
**   stopped_time    started_time + ingest_seconds; null (live) when n%50 is 0
**   updated_at      started_time + ingest_seconds + 60 s
**   err_message     null, but a text when n%17 is 0
**   invoked_time    null, but created_at - 3 s when n%3 is 0
** Meeting session S (from 1), id ...-b000-... of S, or k%d: of meeting S, that of
**   livestream S; its livestream sessions are those of livestream S.
**
** An app that grows (--grow N,FILE) has N meeting sessions, evenly over 2024; FILE
** holds the time, in milliseconds since 1970.  It is read at each request, and
** each request takes 20 ms of it.  What is later than that is not there yet:
**   sessions       LIVE until ended_at; updated_at and minutes_consumed change
**                  until 10 minutes after
**   participants   the i-th appears 20*i s late, the last one when the figures of
**                  the session have settled
**   recordings     UPLOADING until the figures of the session have settled, then
**                  UPLOADED, ERRORED when R%10 is 7; gone after 7 days
**   texts          404 from 7 days after the end on; none is gone or expired before
**   livestreams    of every tenth meeting, with one session as long as the meeting's
*/
#include "api.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAY_MS = 86400 * 1000, LIVESTREAMS_IN_ORDER = 200 };

/* The times that differ between the two sets. */
static const struct {
  long base_ms;       /* the first day */
  long livestream_ms; /* from one livestream to the next … */
  long session_ms;    /* … and from one of its sessions to the next */
} numbers = {1704067200L * 1000, 315792L * 1000, 20L * 3600 * 1000},
  show = {1767571200L * 1000, 0, 7L * 86400 * 1000}, /* Monday, 2026-01-05 */
      *times = &show;

static bool is_show(void) { return times == &show; }

static const char *const names[] = {
    "Product webinar", "Weekly yoga",  "Town hall",   "Sales training",
    "Cooking class",   "Jazz evening", "Chess final", "Database lecture",
    "City council",    "Book club",    "Launch day",  "Morning news",
};
enum { NAMES = sizeof names / sizeof *names };

/* The id's forms: a letter and digits, or a UUID with this group. */
static const struct {
  char letter;
  const char *uuid_prefix;
} forms[] = {
    [KIND_SESSION] = {'s', "00000000-0000-4000-8000-"},
    [KIND_LIVESTREAM] = {'l', "00000000-0000-4000-9000-"},
    [KIND_MEETING] = {'m', "00000000-0000-4000-a000-"},
    [KIND_MEETING_SESSION] = {'k', "00000000-0000-4000-b000-"},
    [KIND_PARTICIPANT] = {'p', "00000000-0000-4001-8000-"},
    [KIND_INVITED] = {'i', "00000000-0000-4001-9000-"},
    [KIND_RECORDING] = {'r', "00000000-0000-4001-a000-"},
    [KIND_PEER] = {'q', "00000000-0000-4001-b000-"},
    [KIND_PRESET] = {'t', "00000000-0000-4002-8000-"},
    [KIND_WEBHOOK] = {'w', "00000000-0000-4002-9000-"},
    [KIND_APP] = {'a', "00000000-0000-4002-a000-"},
};

static struct {
  pthread_mutex_t lock;
  const char *path;
  long each_ms; /* from one session to the next; 0: nothing grows */
  _Atomic long now_ms;
} grow = {.lock = PTHREAD_MUTEX_INITIALIZER};

bool data_is_growing(void) { return grow.each_ms > 0; }

static long sessions_total, livestreams_total, livestreams_listed;
static long *listed; /* livestream numbers by created_at */
static struct day days[DAYS];

void format_time(char *out, size_t size, long time_ms) {
  time_t seconds = (time_t)(time_ms / 1000);
  struct tm tm;
  char text[32];
  gmtime_r(&seconds, &tm);
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
  snprintf(out, size, "%s.%03ldZ", text, time_ms % 1000);
}

void format_day(char *out, size_t size, long time_ms) {
  time_t seconds = (time_t)(time_ms / 1000);
  struct tm tm;
  gmtime_r(&seconds, &tm);
  strftime(out, size, "%Y-%m-%d", &tm);
}

/* Numbers ------------------------------------------------------------------ */

/* In evenings: three weekdays, with some livestreams at the same time on each. */
static long show_offset_ms(long place) {
  long day = place % 3 * 2 + place / 3 * 7;
  return (day * 24 + 19) * 3600 * 1000 + place % 2 * 1800 * 1000;
}

long data_livestream_created_ms(long number) {
  long place = number - 1;
  if (data_is_growing()) return times->base_ms + place * grow.each_ms;
  long offset_ms = place % LIVESTREAMS_IN_ORDER * times->livestream_ms +
                   place / LIVESTREAMS_IN_ORDER * 7000;
  if (is_show()) offset_ms = show_offset_ms(place);
  return times->base_ms + offset_ms;
}

static long livestream_of(long session) {
  return (session - 1) / SESSIONS_EACH + 1;
}

static long session_created_ms(long n) {
  if (data_is_growing()) return data_livestream_created_ms(livestream_of(n));
  long created = data_livestream_created_ms((n - 1) / SESSIONS_EACH + 1);
  return created + (n - 1) % SESSIONS_EACH * times->session_ms + n * 37 % 1000;
}

/* Three quarters of an hour to one and a half; less when it failed. */
static long session_ingest_seconds(long n) {
  long of = livestream_of(n);
  if (data_is_growing()) {
    return (data_session_ended_ms(of) - data_livestream_created_ms(of)) / 1000 -
           2;
  }
  if (is_show()) return n % 17 == 0 ? 300 + n % 600 : 2700 + n * 997 % 2700;
  return 60 + n * 37 % 7200;
}

/* In thousandths: of 60 to 700 viewers; n*12.375 or n*12. */
static long session_viewer_ms(long n) {
  if (is_show()) return session_ingest_seconds(n) * (60 + n * 131 % 640) * 1000;
  return n % 2 ? n * 12375 : n * 12000;
}

const char *data_livestream_status(long number) {
  if (data_is_growing()) {
    return grow.now_ms < data_session_ended_ms(number) ? "LIVE" : "IDLE";
  }
  switch (number % 10) {
  case 0:
    return "LIVE";
  case 3:
    return "INVOKED";
  case 7:
    return "ERRORED";
  default:
    return "IDLE";
  }
}

bool data_livestream_has_meeting(long number) { return number % 5 != 4; }

long data_livestream_sessions(long number, long *first) {
  long left;
  *first = SESSIONS_EACH * (number - 1) + 1;
  if (data_is_growing()) return 1;
  left = sessions_total - *first + 1;
  return left < 0 ? 0 : left < SESSIONS_EACH ? left : SESSIONS_EACH;
}

long data_first_day_ms(void) { return times->base_ms; }

struct day data_day(int day) {
  struct day sum = {0};
  long start_ms = (long)day * DAY_MS, k;
  if (!data_is_growing()) return days[day];
  k = (start_ms + grow.each_ms - 1) / grow.each_ms + 1; /* its first session */
  for (; k <= livestreams_listed && (k - 1) * grow.each_ms < start_ms + DAY_MS;
       k++) {
    if (grow.now_ms >= data_session_settled_ms(k)) data_add_to_day(k, &sum);
  }
  return sum;
}

long data_livestream_at(long place) { return listed[place]; }

long data_livestreams_listed(void) { return livestreams_listed; }

/* Ids ---------------------------------------------------------------------- */

static long number_of_digits(const char *digits, size_t len, int base) {
  char text[20];
  size_t i;
  for (i = 0; i < len; i++) {
    bool is_digit = digits[i] >= '0' && digits[i] <= '9';
    bool is_hex = base == 16 && digits[i] >= 'a' && digits[i] <= 'f';
    if (!is_digit && !is_hex) return 0;
  }
  memcpy(text, digits, len);
  text[len] = 0;
  return strtol(text, NULL, base);
}

long data_number(enum kind kind, struct piece id) {
  enum { PREFIX_LEN = 24, DIGITS = 12 };
  long number = 0;
  if (id.len >= 2 && id.len <= 1 + DIGITS && id.data[0] == forms[kind].letter &&
      id.data[1] != '0') {
    number = number_of_digits(id.data + 1, id.len - 1, 10);
  } else if (id.len == PREFIX_LEN + DIGITS &&
             piece_begins(id, forms[kind].uuid_prefix)) {
    number = number_of_digits(id.data + PREFIX_LEN, DIGITS, 16);
  }
  if (kind == KIND_SESSION) return number > sessions_total ? 0 : number;
  return number > 0 && data_exists(kind, number, livestreams_total) &&
                 data_is_there(kind, number)
             ? number
             : 0;
}

void data_id(struct text *out, enum kind kind, long number, struct piece id) {
  if (id.data != NULL) {
    text_json(out, id.data, id.len);
  } else {
    text_add(out, "\"%s%012lx\"", forms[kind].uuid_prefix,
             (unsigned long)number);
  }
}

/* A name from the list, with a number from the second round on. */
void data_name(struct text *out, const char *what, long number) {
  long round = (number - 1) / NAMES;
  if (!is_show()) {
    text_add(out, "%s%ld", what, number);
  } else if (round == 0) {
    text_puts(out, names[number - 1]);
  } else {
    text_add(out, "%s %ld", names[(number - 1) % NAMES], round + 1);
  }
}

/* Objects ------------------------------------------------------------------ */

static bool is_running(long session) {
  if (!data_is_growing()) return session % 50 == 0;
  return strcmp(data_livestream_status(livestream_of(session)), "LIVE") == 0;
}

void put_time(struct text *out, const char *name, bool is_null, long time_ms) {
  char time[64];
  if (is_null) {
    text_add(out, "\"%s\":null,", name);
    return;
  }
  format_time(time, sizeof time, time_ms);
  text_add(out, "\"%s\":\"%s\",", name, time);
}

void data_session(struct text *out, long n, struct piece id) {
  long created_ms = session_created_ms(n);
  long started_ms = created_ms / 1000 * 1000 + 2000;
  long ended_ms = started_ms + session_ingest_seconds(n) * 1000;
  long viewer_ms = session_viewer_ms(n);
  text_puts(out, "{");
  put_time(out, "created_at", false, created_ms);
  text_add(out, "\"err_message\":%s,\"id\":",
           n % 17 == 0 ? "\"ingest lost: the encoder closed the connection\""
                       : "null");
  data_id(out, KIND_SESSION, n, id);
  text_add(out, ",\"ingest_seconds\":%ld,", session_ingest_seconds(n));
  put_time(out, "invoked_time", n % 3 != 0, created_ms - 3000);
  text_puts(out, "\"livestream_id\":");
  data_id(out, KIND_LIVESTREAM, (n - 1) / SESSIONS_EACH + 1, (struct piece){0});
  text_puts(out, ",");
  put_time(out, "started_time", false, started_ms);
  put_time(out, "stopped_time", is_running(n), ended_ms);
  put_time(out, "updated_at", false, ended_ms + 60000);
  text_add(out, "\"viewer_seconds\":%ld", viewer_ms / 1000);
  if (viewer_ms % 1000 != 0) text_add(out, ".%03ld", viewer_ms % 1000);
  text_puts(out, "}");
}

void data_livestream(struct text *out, long number, struct piece id) {
  long created_ms = data_livestream_created_ms(number);
  text_puts(out, "{");
  put_time(out, "created_at", false, created_ms);
  text_add(out, "\"disabled\":%s,\"id\":", number % 20 == 1 ? "true" : "false");
  data_id(out, KIND_LIVESTREAM, number, id);
  text_puts(out, ",\"ingest_server\":\"rtmps://live.cloudflare.com:443/live/\","
                 "\"meeting_id\":");
  if (data_livestream_has_meeting(number)) {
    data_id(out, KIND_MEETING, number, (struct piece){0});
  } else {
    text_puts(out, "null");
  }
  text_puts(out, ",\"name\":\"");
  data_name(out, "livestream-", number);
  text_add(out,
           "\",\"playback_url\":"
           "\"https://customer-example.cloudflarestream.com/%032lx/manifest/"
           "video.m3u8\",\"status\":\"%s\","
           "\"stream_key\":\"EXAMPLE-STREAM-KEY-%ld\",",
           (unsigned long)number, data_livestream_status(number), number);
  put_time(out, "updated_at", false, created_ms + 3600 * 1000L);
  out->len--; /* the comma */
  text_puts(out, "}");
}

/* Start and end ------------------------------------------------------------ */

static int by_created(const void *left, const void *right) {
  long a = data_livestream_created_ms(*(const long *)left);
  long b = data_livestream_created_ms(*(const long *)right);
  return a < b ? -1 : a > b;
}

/* The analytics are those of the listed livestreams' sessions. */
static struct day *day_of(long time_ms) {
  static struct day beyond;
  long day = (time_ms - times->base_ms) / DAY_MS;
  return day < DAYS ? &days[day] : &beyond;
}

static void add_sessions(long number) {
  long first, i, count = data_livestream_sessions(number, &first);
  data_add_to_day(number, day_of(data_livestream_created_ms(number)));
  for (i = first; i < first + count; i++) {
    struct day *day = day_of(session_created_ms(i));
    day->count++;
    day->ingest_seconds += session_ingest_seconds(i);
    day->viewer_seconds += session_viewer_ms(i) / 1000;
  }
}

bool data_is_numbers(void) {
  const char *set = getenv("API_DATA");
  return set != NULL && strcmp(set, "numbers") == 0;
}

static void grow_open(const struct options *options) {
  const long year_ms = 366L * DAY_MS;
  if (options->grow_sessions == 0) return;
  grow.path = options->grow_path;
  grow.each_ms = year_ms / options->grow_sessions;
  data_tick();
}

void data_tick(void) {
  enum { REQUEST_MS = 20 };
  FILE *file;
  long time_ms;
  if (!data_is_growing()) return;
  pthread_mutex_lock(&grow.lock);
  grow.now_ms += REQUEST_MS;
  file = fopen(grow.path, "r");
  if (file != NULL && fscanf(file, "%ld", &time_ms) == 1 &&
      time_ms > grow.now_ms) {
    grow.now_ms = time_ms;
  }
  if (file != NULL) fclose(file);
  pthread_mutex_unlock(&grow.lock);
}

long data_now_ms(void) {
  return data_is_growing() ? grow.now_ms : (long)time(NULL) * 1000;
}

long data_open(const struct options *options) {
  long sessions = options->sessions;
  long livestreams = options->grow_sessions > 0 ? options->grow_sessions
                                                : options->livestreams;
  long i, for_sessions = (sessions + SESSIONS_EACH - 1) / SESSIONS_EACH;
  if (data_is_numbers()) times = &numbers;
  grow_open(options);
  if (livestreams < 0) livestreams = is_show() ? NAMES : 200;
  sessions_total = sessions;
  livestreams_listed = livestreams;
  livestreams_total = livestreams > for_sessions ? livestreams : for_sessions;
  listed = must_alloc((size_t)(livestreams_listed + 1) * sizeof *listed);
  for (i = 0; i < livestreams_listed; i++) {
    listed[i] = i + 1;
    add_sessions(i + 1);
  }
  qsort(listed, (size_t)livestreams_listed, sizeof *listed, by_created);
  return livestreams_listed;
}

void data_close(void) {
  free(listed);
  listed = NULL;
}
