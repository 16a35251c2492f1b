/* How many requests may start now: by itself, and against servers that play every
** kind of quota on a clock of their own.  Nothing is left to chance: each world has
** its own generator of numbers. */
#include "quota/pace.h"

#include "api/ratelimit.h"
#include "base/limits.h"
#include "net/http.h"

#include "check.h"

#include <stdio.h>
#include <stdlib.h>

#define START_MS 1700000000000
#define HOUR_MS 3600000
#define BACK_MS 5  /* a reply's way back, at least */
#define POLL_MS 20 /* of a process that waits for another one's request */

/* --- servers ------------------------------------------------------------------ */

enum kind {
  FIXED,    /* windows begin at any phase */
  FROM_USE, /* a window begins with its first request */
  SLIDING,
  BUCKET, /* of so many tokens, refilled in a window */
  KINDS
};

static const char *const kind_names[KINDS] = {"fixed", "from use", "sliding",
                                              "bucket"};

enum says { NOTHING, LISTS, NUMBERS, MOMENTS };

#define QUOTA_MAX 4000

struct server {
  enum kind kind;
  enum says says;
  int64_t quota, window_ms, phase_ms;
  bool is_terse; /* t: when one more may go, not all */

  int64_t window_from_ms; /* fixed */
  int64_t used;
  int64_t accepted_ms[QUOTA_MAX]; /* sliding: the last `quota` ones, a ring */
  int64_t next;
  int64_t level, level_ms; /* bucket: tokens times window_ms */
};

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

static void start_server(struct server *s) {
  s->window_from_ms = START_MS - s->window_ms * 2 + s->phase_ms;
  s->level = s->quota * s->window_ms;
  s->level_ms = START_MS;
  s->used = s->next = 0;
  memset(s->accepted_ms, 0, sizeof(s->accepted_ms));
}

/* How many may come now, and after how many ms something of what is missing is
** there again. */
static int64_t server_left(struct server *s, int64_t now, int64_t *reset_ms) {
  if (s->kind == BUCKET) {
    int64_t full = s->quota * s->window_ms;
    s->level = least(full, s->level + (now - s->level_ms) * s->quota);
    s->level_ms = now;
    int64_t wanted =
        s->is_terse ? (s->level / s->window_ms + 1) * s->window_ms : full;
    *reset_ms = (least(wanted, full) - s->level + s->quota - 1) / s->quota;
    return s->level / s->window_ms;
  }
  if (s->kind == SLIDING) {
    int64_t count = 0;
    int64_t oldest_ms = now;
    int64_t newest_ms = 0;
    for (int64_t i = 0; i < s->quota; i++) {
      int64_t at_ms = s->accepted_ms[i];
      if (at_ms + s->window_ms <= now) continue;
      count++;
      oldest_ms = least(oldest_ms, at_ms);
      newest_ms = most(newest_ms, at_ms);
    }
    *reset_ms =
        count == 0 ? 0
                   : (s->is_terse ? oldest_ms : newest_ms) + s->window_ms - now;
    return s->quota - count;
  }
  if (now >= s->window_from_ms + s->window_ms) {
    s->window_from_ms = s->kind == FROM_USE
                            ? now
                            : now - (now - s->window_from_ms) % s->window_ms;
    s->used = 0;
  }
  *reset_ms = s->window_from_ms + s->window_ms - now;
  return s->quota - s->used;
}

static bool server_accepts(struct server *s, int64_t now) {
  int64_t reset_ms = 0;
  if (server_left(s, now, &reset_ms) <= 0) return false;
  s->used++;
  s->accepted_ms[s->next++ % s->quota] = now;
  if (s->kind == BUCKET) s->level -= s->window_ms;
  return true;
}

static void put(char *text, size_t size, const char *format, int64_t a,
                int64_t b) {
  sqlite3_snprintf((int)size, text, format, (long long)a, (long long)b);
}

/* What it says with a reply, and how long one has to wait after a 429. */
static int64_t server_words(struct server *s, int64_t now,
                            struct rtk_response *r) {
  bool was_terse = s->is_terse;
  int64_t wait_ms = 0;
  int64_t reset_ms = 0;
  int64_t left = server_left(s, now, &reset_ms);
  s->is_terse = true;
  (void)server_left(s, now, &wait_ms);
  s->is_terse = was_terse;
  memset(r, 0, sizeof(*r));
  if (s->says == LISTS) {
    put(r->ratelimit, sizeof(r->ratelimit), "\"all\";r=%lld;t=%lld", left,
        (reset_ms + 999) / 1000);
    put(r->ratelimit_policy, sizeof(r->ratelimit_policy),
        "\"all\";q=%lld;w=%lld", s->quota, s->window_ms / 1000);
  } else if (s->says != NOTHING) {
    bool is_moment = s->says == MOMENTS;
    put(r->x_ratelimit_limit, RTK_HEADER_MAX, "%lld", s->quota, 0);
    put(r->x_ratelimit_remaining, RTK_HEADER_MAX, "%lld", left, 0);
    put(r->x_ratelimit_reset, RTK_HEADER_MAX, "%lld",
        (reset_ms + (is_moment ? now : 0) + 999) / 1000, 0);
  }
  return (wait_ms + 999) / 1000 * 1000;
}

/* --- clients -------------------------------------------------------------------- */

#define LINES_MAX 8
#define WINDOW_MS 10000
#define WINDOWS 20

/* Settings that let everything pass. */
#define NO_QUOTA 1000000
#define LONG_WINDOW_MS 300000

/* ms of requests that are quick beside the window, and of slow ones. */
#define QUICKEST_MS 6
#define QUICK_MS 50
#define SLOW_MS 2000

/* One request at a time.  Lines of one process are told of each other's ends. */
struct line {
  int process;
  int64_t ask_ms;    /* when it asks next, if idle */
  int64_t served_ms; /* INT64_MAX: it has been */
  int64_t end_ms;
  bool is_busy, is_refused;
  int64_t retry_ms;
  struct rtk_response response;
};

struct world {
  const char *name;
  struct server server;
  int lines, processes;
  int64_t rate, quota, quota_window_ms; /* settings */
  int64_t slowest_ms;                   /* of a request */
  int64_t run_ms;
  int other_per_s; /* requests of somebody else with the same token */
  int lost_in_100; /* requests without a reply */
  int64_t jump_ms; /* the clock is set by that, every JUMP_EVERY_MS */

  uint32_t seed;
  int64_t clock_ms; /* what it is wrong by */
  struct rtk_pace pace;
  struct line line[LINES_MAX];

  int64_t accepted, refused;
  int64_t rounds;          /* blocks that began */
  int64_t longest_idle_ms; /* between two that were accepted */
  int64_t last_accepted_ms;
};

#define JUMP_EVERY_MS 53000

static int64_t any(struct world *w, int64_t from, int64_t to) {
  w->seed = w->seed * 1664525 + 1013904223;
  return from + (int64_t)(w->seed >> 8) % (to - from + 1);
}

/* The caller's clock; a process may have looked at it some ms ago. */
static int64_t tick(struct world *w, int64_t now) {
  int64_t at_ms = now + w->clock_ms - (w->processes > 1 ? any(w, 0, 5) : 0);
  (void)rtk_pace_tick(&w->pace, at_ms);
  return at_ms;
}

static void ask(struct world *w, struct line *line, int64_t now) {
  int64_t wait_ms = 0;
  (void)tick(w, now);
  rtk_pace_set(&w->pace, w->rate, w->quota, w->quota_window_ms);
  if (rtk_pace_acquire(&w->pace, 1, &wait_ms) == 1) {
    int64_t latency_ms = any(w, QUICKEST_MS, w->slowest_ms);
    line->is_busy = true;
    line->served_ms = now + any(w, 0, latency_ms - BACK_MS);
    line->end_ms = now + latency_ms;
    return;
  }
  if (wait_ms == RTK_PACE_AFTER_REPLY) wait_ms = POLL_MS;
  check_int(w->name, "wait of 1 ms or more", wait_ms >= 1, 1);
  line->ask_ms = now + wait_ms;
}

static void serve(struct world *w, struct line *line, int64_t now) {
  line->is_refused = !server_accepts(&w->server, now);
  line->retry_ms = server_words(&w->server, now, &line->response);
  line->served_ms = INT64_MAX;
  if (line->is_refused) {
    w->refused++;
    return;
  }
  w->accepted++;
  w->longest_idle_ms = most(w->longest_idle_ms, now - w->last_accepted_ms);
  w->last_accepted_ms = now;
}

static void end(struct world *w, struct line *line, int64_t now) {
  struct rtk_ratelimit news;
  int64_t at_ms = tick(w, now);
  bool is_lost = any(w, 1, 100) <= w->lost_in_100;
  rtk_ratelimit_read(&line->response, at_ms, &news);
  if (line->is_refused && !is_lost) {
    if (rtk_pace_blocked_ms(&w->pace) == 0) w->rounds++;
    rtk_pace_block(&w->pace, line->retry_ms);
  }
  rtk_pace_end(&w->pace, 1, 1, is_lost ? NULL : &news);
  line->is_busy = false;
  for (int i = 0; i < w->lines; i++) {
    if (w->line[i].process == line->process) w->line[i].ask_ms = now;
  }
}

/* The line to which something happens next, and when. */
static struct line *next_line(struct world *w, int64_t *at_ms) {
  struct line *next = NULL;
  *at_ms = INT64_MAX;
  for (int i = 0; i < w->lines; i++) {
    struct line *l = &w->line[i];
    int64_t mine = !l->is_busy ? l->ask_ms : least(l->served_ms, l->end_ms);
    if (mine >= *at_ms) continue;
    *at_ms = mine;
    next = l;
  }
  return next;
}

static void run(struct world *w) {
  int64_t other_ms = w->other_per_s > 0 ? START_MS + 500 : INT64_MAX;
  int64_t jump_ms = w->jump_ms != 0 ? START_MS + JUMP_EVERY_MS : INT64_MAX;
  start_server(&w->server);
  w->last_accepted_ms = START_MS;
  for (int i = 0; i < w->lines; i++) {
    w->line[i] = (struct line){.process = i % w->processes, .ask_ms = START_MS};
  }
  for (;;) {
    int64_t at_ms = 0;
    struct line *line = next_line(w, &at_ms);
    int64_t now = least(at_ms, least(other_ms, jump_ms));
    if (now >= START_MS + w->run_ms) break;
    if (now == other_ms) {
      (void)server_accepts(&w->server, now);
      other_ms += 1 + any(w, 0, 2000) / w->other_per_s;
    } else if (now == jump_ms) {
      w->clock_ms += w->jump_ms;
      jump_ms += JUMP_EVERY_MS;
    } else if (!line->is_busy) {
      ask(w, line, now);
    } else if (line->served_ms <= line->end_ms) {
      serve(w, line, now);
    } else {
      end(w, line, now);
    }
  }
  w->longest_idle_ms =
      most(w->longest_idle_ms, START_MS + w->run_ms - w->last_accepted_ms);
}

/* --- worlds ----------------------------------------------------------------------- */

static const struct clients {
  const char *name;
  int lines, processes;
} all_clients[] = {
    {"8 lines", 8, 1}, {"4 processes", 8, 4}, {"one at a time", 1, 1}};

/* What varies in a trial, as bits: the kinds of the server, the clients, requests
** quick or slow, and the server's words in full or terse. */
#define ALL 15
#define ANEW (1 << FIXED | 1 << FROM_USE)
#define FLOWING (1 << SLIDING | 1 << BUCKET)
#define LINES 1
#define PROCESSES 2
#define QUICK 1
#define SLOW 2
#define FULL 1
#define TERSE 2

/* The worlds of a trial, and the most that may be refused (in percent; -1: all),
** rounds of 429s, ms without any request, and the least percent of the quota that
** has to be used (0: any). */
struct trial {
  const char *name;
  enum says says;
  int kinds, clients, speeds, words;
  enum { STEADY, BACK, FORWARD } clock;
  struct world world;
  bool is_set_right; /* the settings are the server's quota */
  int refused, rounds, idle_ms, use;
};

enum { USUAL = -1 }; /* as use_expected() and check_world() have it */

/* What the clock is set by, in ms. */
static const int64_t jumps_ms[][4] = {
    [BACK] = {-700, -5000, -HOUR_MS, -30 * HOUR_MS},
    [FORWARD] = {700, 5000, HOUR_MS}};

static const struct trial trials[] = {
    {"right settings are never refused", NOTHING, ALL, ALL, QUICK | SLOW, FULL,
     .is_set_right = true, .idle_ms = USUAL, .use = USUAL},
    {"announced quotas are never overrun", LISTS, ALL, ALL, QUICK | SLOW,
     FULL | TERSE, .idle_ms = USUAL, .use = USUAL},
    /* X-Ratelimit-* say no window.  So they are safe with windows that begin
    ** anew, which is what they were made for … */
    {"separate numbers are never overrun", NUMBERS, ANEW, ALL, QUICK | SLOW,
     FULL, .idle_ms = USUAL, .use = USUAL},
    {"separate moments are never overrun", MOMENTS, ANEW, ALL, QUICK | SLOW,
     FULL, .idle_ms = USUAL, .use = USUAL},
    /* … and others are refused now and then. */
    {"separate numbers of other windows", NUMBERS, FLOWING, ALL, QUICK | SLOW,
     FULL | TERSE, .refused = 5, .use = 50},
    /* A window of seconds whose announced numbers are of no use. */
    {"short windows are kept", LISTS, ALL, LINES, QUICK, FULL,
     .world = {.server = {.window_ms = 1000, .quota = 40}, .slowest_ms = 20},
     .use = 95},
    {"the rate is kept", NOTHING, ALL, PROCESSES, QUICK, FULL,
     .world = {.server = {.window_ms = 1000, .quota = 40},
               .slowest_ms = 20,
               .rate = 40},
     .use = 95},
    /* A server that says nothing before its quota is used up: a round of 429s for
    ** each block, which ends with a window of its own or lets one more request
    ** through, and nearly all of the quota. */
    {"wrong settings, 3 s", NOTHING, ANEW, LINES | PROCESSES, QUICK, FULL,
     .world = {.server = {.window_ms = 3000}, .run_ms = 90000}, .refused = -1,
     .rounds = 31, .use = 50},
    {"wrong settings, 3 s", NOTHING, FLOWING, LINES | PROCESSES, QUICK, FULL,
     .world = {.server = {.window_ms = 3000}, .run_ms = 90000}, .refused = -1,
     .rounds = 90, .use = 50},
    {"wrong settings, 30 s", NOTHING, ANEW, LINES | PROCESSES, QUICK, FULL,
     .world = {.server = {.window_ms = 30000}, .run_ms = 900000}, .refused = -1,
     .rounds = 31, .use = 65},
    {"wrong settings, 30 s", NOTHING, FLOWING, LINES | PROCESSES, QUICK, FULL,
     .world = {.server = {.window_ms = 30000}, .run_ms = 900000}, .refused = -1,
     .rounds = 900, .use = 65},
    /* Somebody else takes a part.  Who is quick learns of it in time, but for the
    ** last few: at most one round of 429s until each reset. */
    {"few others", LISTS, ALL & ~(1 << SLIDING), LINES, QUICK, FULL,
     .world = {.other_per_s = 2}, .refused = -1, .rounds = 2, .use = 10},
    {"many others", LISTS, ALL & ~(1 << SLIDING), LINES, QUICK, FULL,
     .world = {.other_per_s = 6}, .refused = -1, .rounds = WINDOWS + 1,
     .use = 10},
    {"few others, slow", LISTS, ALL & ~(1 << SLIDING), LINES, SLOW, FULL,
     .world = {.other_per_s = 1}, .refused = -1, .rounds = WINDOWS + 1,
     .use = 10},
    {"many others, slow", LISTS, ALL & ~(1 << SLIDING), LINES, SLOW, FULL,
     .world = {.other_per_s = 3}, .refused = -1, .rounds = WINDOWS + 1,
     .use = 10},
    {"others, resets each second", LISTS, 1 << SLIDING, LINES, QUICK | SLOW,
     TERSE, .world = {.other_per_s = 6}, .refused = -1, .rounds = 100,
     .use = 10},
    {"lost requests are counted", NOTHING, ALL, PROCESSES, QUICK, TERSE,
     .world = {.lost_in_100 = 30}, .is_set_right = true, .use = 90},
    {"lost requests are counted", LISTS, ALL, PROCESSES, QUICK, TERSE,
     .world = {.lost_in_100 = 30}, .use = 90},
    /* The clock is set; the time between the last call before and the first after
    ** is lost, a window at most.  What happens too early is mended by replies. */
    {"set back", NOTHING, ALL, PROCESSES, QUICK, TERSE, BACK,
     .is_set_right = true, .idle_ms = 2 * WINDOW_MS + 1000, .use = 70},
    {"set back", LISTS, ALL, PROCESSES, QUICK, TERSE, BACK,
     .is_set_right = true, .idle_ms = 2 * WINDOW_MS + 1000, .use = 70},
    {"set forward", LISTS, ALL, PROCESSES, QUICK, TERSE, FORWARD, .refused = -1,
     .rounds = 6, .idle_ms = WINDOW_MS + 2000},
};

static void check_most(const char *name, const char *what, int64_t got,
                       int64_t expected) {
  if (got <= expected) return;
  check.failures++;
  print_error("case '%s': %s is %lld, expected %lld at most\n", name, what,
              (long long)got, (long long)expected);
}

/* Percent of the quota that has to be used.  A window is longer by the request
** itself, so slow ones use less; a sliding window that announces when all of it
** is back is believed; whole seconds cost a tenth of 10. */
static int use_expected(const struct world *w) {
  bool is_believed = w->server.kind == SLIDING && w->server.says != NOTHING;
  if (is_believed && !w->server.is_terse) return 50;
  if (w->slowest_ms == SLOW_MS) return 75;
  if (w->lines == 1 && is_believed) return 90;
  return w->server.says == MOMENTS ? 88 : 95;
}

/* Runs one world in all phases of its server's window, each with two seeds. */
static void check_world(const struct trial *trial, const struct world *world) {
  static const int64_t phases[] = {0, 3, 50, 99}; /* percent of the window */
  int runs = world->server.kind == FIXED ? 2 * (int)COUNT(phases) : 2;
  int64_t usual_idle_ms =
      world->server.window_ms + 2 * world->slowest_ms + 1000;
  static struct world w;
  for (int i = 0; i < runs; i++) {
    w = *world;
    w.seed = 1 + (uint32_t)i % 2;
    w.server.phase_ms = phases[i / 2] * w.server.window_ms / 100;
    run(&w);
    int64_t use =
        100 * w.accepted * w.server.window_ms / (w.server.quota * w.run_ms);
    if (trial->refused != -1) {
      check_most(w.name, "refused", w.refused,
                 w.accepted * trial->refused / 100);
    }
    if (trial->rounds > 0) {
      check_most(w.name, "rounds of 429", w.rounds, trial->rounds);
    }
    if (trial->idle_ms != 0) {
      check_most(w.name, "longest idle time", w.longest_idle_ms,
                 trial->idle_ms == USUAL ? usual_idle_ms : trial->idle_ms);
    }
    check_most(w.name, "percent unused", 100 - use,
               100 - (trial->use == USUAL ? use_expected(&w) : trial->use));
  }
}

static void run_trial(const struct trial *trial, int64_t jump_ms) {
  static struct world w;
  char name[100];
  for (int i = 0; i < KINDS * (int)COUNT(all_clients) * 4; i++) {
    int kind = i % KINDS, c = i / KINDS % 3, variant = i / KINDS / 3;
    bool is_slow = variant % 2 == 1, is_terse = variant / 2 == 1;
    if (!(trial->kinds >> kind & 1) || !(trial->clients >> c & 1) ||
        !(trial->speeds >> is_slow & 1) || !(trial->words >> is_terse & 1)) {
      continue;
    }
    w = trial->world;
    w.name = name;
    w.lines = all_clients[c].lines;
    w.processes = all_clients[c].processes;
    w.server.kind = (enum kind)kind;
    w.server.says = trial->says;
    w.server.is_terse = is_terse;
    w.jump_ms = jump_ms;
    if (w.slowest_ms == 0) w.slowest_ms = is_slow ? SLOW_MS : QUICK_MS;
    if (w.server.window_ms == 0) w.server.window_ms = WINDOW_MS;
    if (w.run_ms == 0) w.run_ms = WINDOWS * WINDOW_MS;
    /* Less than the lines can ask for: there is always work. */
    int quota = !is_slow ? 100 : w.lines == 1 ? 6 : 30;
    if (w.server.quota == 0) w.server.quota = quota;
    w.quota = trial->is_set_right ? w.server.quota : NO_QUOTA;
    w.quota_window_ms =
        trial->is_set_right ? w.server.window_ms : LONG_WINDOW_MS;
    sqlite3_snprintf(sizeof(name), name, "%s: %s%s, %s, up to %d ms%s",
                     trial->name, kind_names[kind], is_terse ? " (terse)" : "",
                     all_clients[c].name, (int)w.slowest_ms,
                     jump_ms == 0 ? "" : ", clock set");
    check_world(trial, &w);
  }
}

CASE(quotas_are_kept_and_used) {
  for (size_t i = 0; i < COUNT(trials); i++) {
    const int64_t *jump_ms = jumps_ms[trials[i].clock];
    int n = 0;
    do {
      run_trial(&trials[i], jump_ms[n++]);
    } while (n < 4 && jump_ms[n] != 0);
  }
}

/* --- by itself ---------------------------------------------------------------------- */

/* One pace each: steps at so many ms, of
**     new, set RATE QUOTA WINDOW_MS       the limits of the settings
**     take WANTED = GRANTED WAIT_MS       -1: until a reply
**     left = REQUESTS RESET_MS
**     end COUNT [r RATELIMIT] [p POLICY]  with a reply that has this header
**     lost, unsent COUNT                  without a reply; never sent
**     repeat TIMES                        one request that was sent so often
**     block MS
**     blocked = MS */
static const struct {
  const char *name, *steps;
} scenarios[] = {
    {"zeros", "0 new 0 0 0 | 0 left = -1 0 | 0 blocked = 0 | "
              "0 take 1000000 = 1000000 0 | 0 take 0 = 0 0 | 0 take -5 = 0 0 | "
              "0 end 2000000 | 0 take 7 = 7 0"},
    {"it counts until a window after its end",
     "0 new 0 3 1199 | 0 left = 3 0 | 0 take 3 = 3 0 | "
     "5000 take 1 = 0 -1 | 5000 left = 0 1199 | 5500 end 1 | "
     "5500 take 1 = 0 1200 | 5530 end 1 | 5530 left = 0 1199 | "
     "6699 take 5 = 0 1 | 6700 take 5 = 1 30 | 6711 end 1 | 6712 end 1 | "
     "6729 left = 0 1183 | 6730 left = 1 1182 | 7911 left = 1 1 | "
     "7912 left = 3 0"},
    {"what was not sent was never taken",
     "0 new 0 3 1000 | 0 take 3 = 3 0 | 0 unsent 2 | 0 left = 2 1000 | "
     "0 take 3 = 2 -1"},
    {"what is sent twice counts twice",
     "0 new 0 5 1000 | 0 take 2 = 2 0 | 0 repeat 3 | 0 left = 1 1000 | "
     "1001 left = 4 1000"},
    {"the tightest limit holds",
     "0 new 2 3 60000 | 0 take 5 = 2 -1 | 100 end 2 | "
     "100 take 5 = 0 1001 | 1101 take 5 = 1 59000 | 1101 left = 0 60000 | "
     "1101 set 2 0 60000 | 1101 take 5 = 1 -1 | 1101 set 0 0 60000 | "
     "1100 take 5 = 5 0"},
    {"settings change in flight",
     "0 new 0 10 12000 | 0 take 10 = 10 0 | 0 end 6 | 0 set 0 12 12000 | "
     "0 take 5 = 2 12001 | 0 set 0 5 12000 | 0 take 5 = 0 -1 | "
     "0 set 0 13 24000 | 1000 take 5 = 1 23001 | 1000 set 0 13 500 | "
     "1000 take 9 = 6 -1"},
    {"what is too old stays so",
     "0 new 0 5 12000 | 0 take 1 = 1 0 | 0 lost 1 | 0 set 0 5 2000 | "
     "2000 left = 4 1 | 2001 left = 5 0"},
    {"a limit that appears knows the past",
     "0 new 100 0 60000 | 0 take 4 = 4 0 | 0 end 3 | 20000 left = -1 0 | "
     "20000 end 1 p a;q=10;w=30 | 20000 left = 6 30001 | "
     "30001 left = 9 20000 | 30000 set 100 2 60000 | "
     "30001 take 10 = 9 20000 | 3620000 left = 0 60000"},
    {"a block is for all",
     "0 new 0 0 0 | 0 take 3 = 3 0 | 100 block 5000 | 100 lost 1 | "
     "200 block 1000 | 200 lost 1 | 200 take 1 = 0 4900 | 300 block 6000 | "
     "300 unsent 1 | 300 take 1 = 0 6000 | 6299 blocked = 1 | "
     "6300 blocked = 0 | 6300 take 1 = 1 0 | 6300 left = -1 0 | "
     "6300 block 0 | 6300 block -5 | 6300 blocked = 0 | "
     "6300 block 9223372036854775807 | 6300 blocked = 86400000 | "
     "-3600000 blocked = 86400000 | -3600000 take 1 = 0 86400000 | "
     "-3599000 blocked = 86399000"},
    {"a 429 teaches nothing",
     "0 new 0 1000 300000 | 0 take 23 = 23 0 | 100 end 16 | "
     "300 block 2700 | 300 end 7 | 2999 take 500 = 0 1 | "
     "3000 take 500 = 500 0 | 3100 end 500 | 4000 take 21 = 21 0 | "
     "4000 block 1000 | 4000 end 21 | 4500 take 9 = 0 500 | "
     "5000 take 21 = 21 0 | 5000 block 1000 | 5000 end 21 | "
     "30000 take 1000 = 435 273101"},
    {"what is left is known until the reset",
     "0 new 0 0 0 | 0 take 4 = 4 0 | 0 end 1 r a;r=10;t=30 | "
     "0 left = 7 30000 | 500 end 1 r a;r=8;t=30 | 500 left = 6 29500 | "
     "600 end 1 r a;r=9;t=30 | 600 left = 7 29400 | 600 lost 1 | "
     "600 left = 7 29400 | 600 take 9 = 7 -1 | 700 lost 7 | "
     "700 take 9 = 0 29300 | 30000 take 9 = 1 -1 | 35000 take 9 = 1 -1 | "
     "35100 end 1 r a;r=99;t=25 | 35100 left = 98 25000"},
    {"a reply that was alone is believed",
     "0 new 0 0 0 | 0 take 1 = 1 0 | 0 end 1 r a;r=5;t=30 | "
     "0 take 1 = 1 0 | 100 end 1 r a;r=9;t=20 | 100 left = 9 20000 | "
     "100 take 2 = 2 0 | 200 end 1 r a;r=8;t=20 | "
     "200 end 1 r a;r=12;t=20 | 200 left = 8 19900 | 200 take 1 = 1 0 | "
     "300 end 1 r a;r=0;t=0 | 300 take 1 = 0 1000"},
    {"a new window has a later reset",
     "0 new 0 0 0 | 0 take 6 = 6 0 | 0 end 1 r a;r=8;t=2 | 100 lost 2 | "
     "100 left = 3 1900 | 200 end 1 r a;r=50;t=30 | 200 left = 45 30000 | "
     "1500 take 44 = 44 0 | 1500 lost 44 | 1500 left = 1 28700"},
    {"an old window is over",
     "0 new 0 0 0 | 0 take 3 = 3 0 | 0 end 1 r a;r=5;t=2 | "
     "2100 end 1 r a;r=4;t=1 | 2100 take 5 = 1 -1 | 2200 take 5 = 0 -1 | "
     "-3600000 take 5 = 0 -1 | -3595000 take 5 = 1 -1"},
    {"others are left a part",
     "0 new 0 0 0 | 0 take 2 = 2 0 | 0 end 1 p a;q=500;w=60 | "
     "0 end 1 r a;r=12;t=30 | 0 left = 2 30000 | 0 take 5 = 2 -1 | "
     "0 lost 2 | 0 take 5 = 0 30000"},
    {"a server may stop announcing",
     "0 new 0 0 0 | 0 take 1 = 1 0 | 0 end 1 r a;r=1;t=1 | "
     "0 take 1 = 1 0 | 0 end 1 | 1000 take 5 = 1 -1 | 1100 lost 1 | "
     "1100 take 5 = 1 -1 | 1100 unsent 1 | 1100 take 5 = 1 -1 | "
     "1200 end 1 | 1200 take 5 = 5 0"},
    {"five names in four places: the oldest goes",
     "0 new 0 0 0 | 0 take 6 = 6 0 | 0 end 1 p a;q=1;w=60 | "
     "1 end 1 p b;q=8;w=60 | 2 end 1 p c;q=9;w=60 | 3 end 1 p d;q=9;w=60 | "
     "3 left = 0 60000 | 4 end 1 p b;q=8;w=60 | 5 end 1 p e;q=50;w=60 | "
     "5 left = 2 60001"},
    {"a clock set back by a second",
     "0 new 0 2 1199 | 0 take 2 = 2 0 | 0 lost 2 | -1001 take 1 = 0 1200 | "
     "199 take 2 = 2 0"},
    {"a clock set back by minutes",
     "0 new 0 2 1199 | 0 take 2 = 2 0 | 0 lost 2 | "
     "-900000 take 1 = 0 1200 | -898800 take 2 = 2 0"},
};

/* Returns the step after this one, or NULL. */
static const char *run_step(const char *name, const char *step,
                            struct rtk_pace *pace) {
  static struct rtk_response r;
  struct rtk_ratelimit news;
  const char *rest = step + strcspn(step, "|");
  int64_t n[3] = {0};
  int64_t ms = -77;
  char action[16], text[64] = "";
  char *at = NULL;
  (void)rtk_pace_tick(pace, START_MS + strtoll(step, &at, 10));
  int end = 0;
  assert_int_equal(sscanf(at, "%15s%n", action, &end), 1);
  at += end;
  for (int i = 0; i < 3; i++) n[i] = strtoll(at + strspn(at, " ="), &at, 10);
  (void)sscanf(at, " %*c %63[^| ]", text);
  bool is_policy = strncmp(at, " p", 2) == 0;
  sqlite3_snprintf(RTK_HEADER_LIST_MAX, r.ratelimit, is_policy ? "" : text);
  sqlite3_snprintf(RTK_HEADER_LIST_MAX, r.ratelimit_policy,
                   is_policy ? text : "");
  rtk_ratelimit_read(&r, START_MS, &news);
  int count = (int)n[0];
  if (strcmp(action, "new") == 0 || strcmp(action, "set") == 0) {
    rtk_pace_set(pace, n[0], n[1], n[2]);
  } else if (strcmp(action, "take") == 0) {
    check_int(name, step, rtk_pace_acquire(pace, count, &ms), n[1]);
    check_int(name, step, ms, n[2]);
  } else if (strcmp(action, "left") == 0) {
    check_int(name, step, rtk_pace_left(pace, &ms), n[0]);
    check_int(name, step, ms, n[1]);
  } else if (strcmp(action, "end") == 0) {
    rtk_pace_end(pace, count, count, &news);
  } else if (strcmp(action, "repeat") == 0) {
    rtk_pace_end(pace, 1, count, &news);
  } else if (strcmp(action, "lost") == 0) {
    rtk_pace_end(pace, count, count, NULL);
  } else if (strcmp(action, "unsent") == 0) {
    rtk_pace_end(pace, count, 0, NULL);
  } else if (strcmp(action, "block") == 0) {
    rtk_pace_block(pace, n[0]);
  } else {
    assert_string_equal(action, "blocked");
    check_int(name, step, rtk_pace_blocked_ms(pace), n[0]);
  }
  return *rest == '|' ? rest + 2 : NULL;
}

CASE(step_by_step) {
  for (size_t i = 0; i < COUNT(scenarios); i++) {
    struct rtk_pace pace = {0};
    const char *step = scenarios[i].steps;
    while (step != NULL) step = run_step(scenarios[i].name, step, &pace);
  }
}

/* 49 requests in 48 slots of a short window are all counted in a longer one. */
CASE(a_longer_window_keeps_the_history) {
  struct rtk_pace pace = {0};
  int64_t ms = 0;
  rtk_pace_set(&pace, 0, 1000, 46);
  for (int i = 0; i <= RTK_PACE_SLOTS; i++) {
    if (i == RTK_PACE_SLOTS) rtk_pace_set(&pace, 0, 1000, 60000);
    (void)rtk_pace_tick(&pace, START_MS + i * (i < RTK_PACE_SLOTS ? 3 : 50));
    check_int("each", "taken", rtk_pace_acquire(&pace, 1, &ms), 1);
    rtk_pace_end(&pace, 1, 1, NULL);
  }
  check_int("all", "left", rtk_pace_left(&pace, &ms), 1000 - 49);
}

int main(void) { return check_run(); }
