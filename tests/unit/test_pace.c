/* How many requests may go out now: by itself, and against servers that play
** every kind of quota on a clock of their own.  Nothing is left to chance: each
** world has its own generator of numbers. */
#include "quota/pace.h"

#include "api/ratelimit.h"
#include "base/limits.h"
#include "net/http.h"

#include "check.h"

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
  bool is_stored; /* the pace is copied from a file and back for each call */
  int64_t rate, quota, quota_window_ms; /* settings */
  int64_t fastest_ms, slowest_ms;       /* of a request */
  int64_t run_ms;
  int other_per_s; /* requests of somebody else with the same token */
  int lost_in_100; /* requests without a reply */
  int64_t jump_ms; /* the clock is set by that, every jump_every_ms */
  int64_t jump_every_ms;

  uint32_t seed;
  int64_t clock_ms; /* what it is wrong by */
  struct rtk_pace pace;
  struct line line[LINES_MAX];

  int64_t accepted;
  int64_t refused;
  int64_t rounds;          /* blocks that began */
  int64_t longest_idle_ms; /* between two that were accepted */
  int64_t last_accepted_ms;
};

static int64_t any(struct world *w, int64_t from, int64_t to) {
  w->seed = w->seed * 1664525 + 1013904223;
  return from + (int64_t)(w->seed >> 8) % (to - from + 1);
}

/* The pace is worked on where it is, or in a copy of its bytes. */
static struct rtk_pace *open_pace(struct world *w, struct rtk_pace *copy) {
  if (!w->is_stored) return &w->pace;
  memcpy(copy, &w->pace, sizeof(*copy));
  check_int(w->name, "valid", rtk_pace_is_valid(copy), 1);
  return copy;
}

static void close_pace(struct world *w, const struct rtk_pace *pace) {
  if (pace != &w->pace) memcpy(&w->pace, pace, sizeof(*pace));
}

/* The caller's clock; a process may have looked at it some ms ago. */
static int64_t caller_ms(struct world *w, int64_t now) {
  return now + w->clock_ms - (w->processes > 1 ? any(w, 0, 5) : 0);
}

static void ask(struct world *w, struct line *line, int64_t now) {
  struct rtk_pace copy;
  int64_t wait_ms = 0;
  struct rtk_pace *pace = open_pace(w, &copy);
  int64_t at_ms = caller_ms(w, now);
  rtk_pace_set(pace, at_ms, w->rate, w->quota, w->quota_window_ms);
  int count = rtk_pace_take(pace, at_ms, 1, &wait_ms);
  close_pace(w, pace);
  if (count == 1) {
    int64_t latency_ms = any(w, w->fastest_ms, w->slowest_ms);
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
  struct rtk_pace copy;
  struct rtk_ratelimit news;
  struct rtk_pace *pace = open_pace(w, &copy);
  int64_t at_ms = caller_ms(w, now);
  bool is_lost = any(w, 1, 100) <= w->lost_in_100;
  rtk_ratelimit_read(&line->response, at_ms, &news);
  if (line->is_refused && !is_lost) {
    if (rtk_pace_blocked_ms(pace, at_ms) == 0) w->rounds++;
    rtk_pace_block(pace, at_ms, line->retry_ms);
  }
  rtk_pace_end(pace, at_ms, 1, is_lost ? NULL : &news);
  close_pace(w, pace);
  line->is_busy = false;
  for (int i = 0; i < w->lines; i++) {
    if (w->line[i].process == line->process) w->line[i].ask_ms = now;
  }
}

/* The moment of what happens next, and to which line. */
static int64_t next_event(const struct world *w, int *which) {
  int64_t at_ms = INT64_MAX;
  for (int i = 0; i < w->lines; i++) {
    const struct line *l = &w->line[i];
    int64_t mine = !l->is_busy ? l->ask_ms : least(l->served_ms, l->end_ms);
    if (mine < at_ms) {
      at_ms = mine;
      *which = i;
    }
  }
  return at_ms;
}

static void run(struct world *w) {
  int64_t other_ms = w->other_per_s > 0 ? START_MS + 500 : INT64_MAX;
  int64_t jump_ms = w->jump_ms != 0 ? START_MS + w->jump_every_ms : INT64_MAX;
  start_server(&w->server);
  w->last_accepted_ms = START_MS;
  for (int i = 0; i < w->lines; i++) {
    w->line[i] = (struct line){.process = i % w->processes, .ask_ms = START_MS};
  }
  for (;;) {
    int which = 0;
    int64_t at_ms = next_event(w, &which);
    struct line *line = &w->line[which];
    int64_t now = least(at_ms, least(other_ms, jump_ms));
    if (now >= START_MS + w->run_ms) break;
    if (now == other_ms) {
      (void)server_accepts(&w->server, now);
      other_ms += 1 + any(w, 0, 2000) / w->other_per_s;
    } else if (now == jump_ms) {
      w->clock_ms += w->jump_ms;
      jump_ms += w->jump_every_ms;
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

/* Percent of the quota that was used. */
static double used_percent(const struct world *w) {
  return 100.0 * (double)w->accepted * (double)w->server.window_ms /
         ((double)w->server.quota * (double)w->run_ms);
}

/* --- worlds ----------------------------------------------------------------------- */

#define WINDOW_MS 10000
#define WINDOWS 20
#define SEEDS 2

/* Settings that let everything pass. */
#define NO_QUOTA 1000000
#define LONG_WINDOW_MS 300000

/* ms of requests that are quick beside the window, and of slow ones. */
#define QUICKEST_MS 6
#define QUICK_MS 50
#define SLOW_MS 2000

static const int64_t phases_ms[] = {0, 300, 5000, 9900};

struct clients {
  const char *name;
  int lines, processes;
  bool is_stored;
};

static const struct clients all_clients[] = {
    {"8 lines", 8, 1, false},
    {"4 processes", 8, 4, true},
    {"one at a time", 1, 1, true},
};

static struct world new_world(enum kind kind, enum says says,
                              const struct clients *clients, bool is_slow) {
  struct world w = {.lines = clients->lines,
                    .processes = clients->processes,
                    .is_stored = clients->is_stored,
                    .quota = NO_QUOTA,
                    .quota_window_ms = LONG_WINDOW_MS,
                    .fastest_ms = QUICKEST_MS,
                    .slowest_ms = is_slow ? SLOW_MS : QUICK_MS,
                    .run_ms = WINDOWS * WINDOW_MS};
  w.server.kind = kind;
  w.server.says = says;
  w.server.window_ms = WINDOW_MS;
  /* Less than the lines can ask for: there is always work. */
  w.server.quota = !is_slow ? 100 : clients->lines == 1 ? 6 : 30;
  return w;
}

/* The sums and extremes of one world run in all phases. */
struct result {
  int64_t accepted, refused;
  int64_t most_rounds, longest_idle_ms;
  double least_use; /* percent */
};

static struct result run_all(const struct world *world, const char *name) {
  static struct world w;
  struct result result = {.least_use = 1000};
  for (size_t i = 0; i < COUNT(phases_ms); i++) {
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
      w = *world;
      w.name = name;
      w.seed = seed;
      w.server.phase_ms = phases_ms[i] * w.server.window_ms / WINDOW_MS;
      run(&w);
      double use = used_percent(&w);
      result.accepted += w.accepted;
      result.refused += w.refused;
      result.most_rounds = most(result.most_rounds, w.rounds);
      result.longest_idle_ms = most(result.longest_idle_ms, w.longest_idle_ms);
      if (use < result.least_use) result.least_use = use;
      if (w.server.kind != FIXED && seed == SEEDS) return result;
    }
  }
  return result;
}

static const char *name_world(char *name, int size, const struct world *w,
                              const struct clients *clients) {
  static const char *const says[] = {"silent", "lists", "numbers", "moments"};
  sqlite3_snprintf(size, name, "%s, %s%s, %s, up to %d ms",
                   kind_names[w->server.kind], says[w->server.says],
                   w->server.is_terse ? " (terse)" : "", clients->name,
                   (int)w->slowest_ms);
  return name;
}

static void check_least(const char *name, const char *what, double got,
                        double expected) {
  if (got >= expected) return;
  check.failures++;
  print_error("case '%s': %s is %g, expected %g at least\n", name, what, got,
              expected);
}

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
static double use_expected(const struct world *w) {
  bool is_slow = w->slowest_ms == SLOW_MS;
  bool is_believed = w->server.kind == SLIDING && w->server.says != NOTHING;
  if (is_believed && !w->server.is_terse) return 50;
  if (is_slow) return 75;
  if (w->lines == 1 && is_believed) return 90;
  return w->server.says == MOMENTS ? 88 : 95;
}

static void check_world(const struct world *w, const struct clients *clients,
                        int64_t refused) {
  char name[100];
  (void)name_world(name, sizeof(name), w, clients);
  struct result r = run_all(w, name);
  check_most(name, "refused", r.refused, refused);
  check_least(name, "percent used", r.least_use, use_expected(w));
  check_most(name, "longest idle time", r.longest_idle_ms,
             w->server.window_ms + 2 * w->slowest_ms + 1000);
}

static void right_settings_are_never_refused(void **state) {
  (void)state;
  for (int kind = 0; kind < KINDS; kind++) {
    for (size_t i = 0; i < COUNT(all_clients) * 2; i++) {
      const struct clients *clients = &all_clients[i / 2];
      struct world w = new_world((enum kind)kind, NOTHING, clients, i % 2 == 1);
      w.quota = w.server.quota;
      w.quota_window_ms = w.server.window_ms;
      check_world(&w, clients, 0);
    }
  }
}

static void announced_quotas_are_never_overrun(void **state) {
  (void)state;
  for (int kind = 0; kind < KINDS; kind++) {
    for (size_t i = 0; i < COUNT(all_clients) * 4; i++) {
      const struct clients *clients = &all_clients[i / 4];
      struct world w = new_world((enum kind)kind, LISTS, clients, i % 2 == 1);
      w.server.is_terse = i % 4 >= 2;
      check_world(&w, clients, 0);
    }
  }
}

/* X-Ratelimit-* say no window.  So they are safe with windows that begin anew,
** which is what they were made for. */
static void separate_numbers_are_never_overrun(void **state) {
  (void)state;
  for (int kind = FIXED; kind <= FROM_USE; kind++) {
    for (size_t i = 0; i < COUNT(all_clients) * 4; i++) {
      const struct clients *clients = &all_clients[i / 4];
      struct world w = new_world(
          (enum kind)kind, i % 4 >= 2 ? MOMENTS : NUMBERS, clients, i % 2 == 1);
      check_world(&w, clients, 0);
    }
  }
}

/* … and with the others refused now and then. */
static void separate_numbers_of_other_windows(void **state) {
  (void)state;
  for (int kind = SLIDING; kind <= BUCKET; kind++) {
    for (size_t i = 0; i < COUNT(all_clients) * 4; i++) {
      char name[100];
      const struct clients *clients = &all_clients[i / 4];
      struct world w = new_world((enum kind)kind, NUMBERS, clients, i % 2 == 1);
      w.server.is_terse = i % 4 >= 2;
      (void)name_world(name, sizeof(name), &w, clients);
      struct result r = run_all(&w, name);
      check_most(name, "refused", r.refused, r.accepted / 20);
      check_least(name, "percent used", r.least_use, 50);
    }
  }
}

/* A window of seconds whose announced numbers are of no use. */
static void short_windows_are_kept(void **state) {
  (void)state;
  for (int kind = 0; kind < KINDS; kind++) {
    struct world w = new_world((enum kind)kind, LISTS, &all_clients[0], false);
    w.server.window_ms = 1000;
    w.server.quota = 40;
    w.slowest_ms = 20;
    struct result r = run_all(&w, kind_names[kind]);
    check_int(kind_names[kind], "refused", r.refused, 0);
    check_least(kind_names[kind], "percent used", r.least_use, 95);
  }
}

static void the_rate_is_kept(void **state) {
  (void)state;
  for (int kind = 0; kind < KINDS; kind++) {
    struct world w =
        new_world((enum kind)kind, NOTHING, &all_clients[1], false);
    w.server.window_ms = 1000;
    w.server.quota = 40;
    w.slowest_ms = 20;
    w.rate = 40;
    struct result r = run_all(&w, kind_names[kind]);
    check_int(kind_names[kind], "refused", r.refused, 0);
    check_least(kind_names[kind], "percent used", r.least_use, 95);
  }
}

/* A server that says nothing before its quota is used up: a round of 429s for each
** block, which ends with a window of its own or lets one more request through, and
** nearly all of the quota. */
static void wrong_settings_cost_a_round_each_block(void **state) {
  (void)state;
  for (int kind = 0; kind < KINDS; kind++) {
    for (size_t i = 0; i < 4; i++) {
      const char *name = kind_names[kind];
      struct world w =
          new_world((enum kind)kind, NOTHING, &all_clients[i % 2], false);
      w.server.window_ms = i < 2 ? 3000 : 30000;
      w.run_ms = 30 * w.server.window_ms;
      struct result r = run_all(&w, name);
      bool is_whole = kind == FIXED || kind == FROM_USE;
      check_most(name, "rounds of 429", r.most_rounds,
                 is_whole ? 31 : w.run_ms / 1000);
      check_least(name, "percent used", r.least_use, i < 2 ? 50 : 65);
    }
  }
}

/* Somebody else takes a part.  Who is quick learns of it in time, but for the
** last few: at most one round of 429s until each reset. */
static void others_use_the_same_token(void **state) {
  (void)state;
  for (int kind = 0; kind < KINDS; kind++) {
    for (size_t i = 0; i < 4; i++) {
      const char *name = kind_names[kind];
      bool is_slow = i % 2 == 1;
      struct world w =
          new_world((enum kind)kind, LISTS, &all_clients[0], is_slow);
      w.server.is_terse = kind == SLIDING; /* resets each second */
      w.other_per_s = (i < 2 ? 2 : 6) / (is_slow ? 2 : 1);
      struct result r = run_all(&w, name);
      check_most(name, "rounds of 429", r.most_rounds,
                 w.server.is_terse ? w.run_ms / 2000
                 : i == 0          ? 2
                                   : WINDOWS + 1);
      check_least(name, "percent used", r.least_use, 10);
    }
  }
}

static void lost_requests_are_counted(void **state) {
  (void)state;
  for (int kind = 0; kind < KINDS; kind++) {
    for (int says = NOTHING; says <= LISTS; says++) {
      const char *name = kind_names[kind];
      struct world w =
          new_world((enum kind)kind, (enum says)says, &all_clients[1], false);
      w.server.is_terse = true;
      w.lost_in_100 = 30;
      if (says == NOTHING) {
        w.quota = w.server.quota;
        w.quota_window_ms = w.server.window_ms;
      }
      struct result r = run_all(&w, name);
      check_int(name, "refused", r.refused, 0);
      check_least(name, "percent used", r.least_use, 90);
    }
  }
}

/* The time between the last call before and the first after is lost, a window
** at most. */
static void the_clock_is_set_back(void **state) {
  static const int64_t jumps_ms[] = {-700, -5000, -HOUR_MS, -30 * HOUR_MS};
  (void)state;
  for (int kind = 0; kind < KINDS; kind++) {
    for (size_t i = 0; i < COUNT(jumps_ms) * 2; i++) {
      const char *name = kind_names[kind];
      struct world w = new_world((enum kind)kind, i % 2 == 0 ? NOTHING : LISTS,
                                 &all_clients[1], false);
      w.server.is_terse = true;
      w.quota = w.server.quota;
      w.quota_window_ms = w.server.window_ms;
      w.jump_ms = jumps_ms[i / 2];
      w.jump_every_ms = 53000;
      struct result r = run_all(&w, name);
      check_int(name, "refused", r.refused, 0);
      check_most(name, "longest idle time", r.longest_idle_ms,
                 2 * w.server.window_ms + 1000);
      check_least(name, "percent used", r.least_use, 70);
    }
  }
}

/* What then happened too early is mended by the replies. */
static void the_clock_is_set_forward(void **state) {
  static const int64_t jumps_ms[] = {700, 5000, HOUR_MS};
  (void)state;
  for (int kind = 0; kind < KINDS; kind++) {
    for (size_t i = 0; i < COUNT(jumps_ms); i++) {
      const char *name = kind_names[kind];
      struct world w =
          new_world((enum kind)kind, LISTS, &all_clients[1], false);
      w.server.is_terse = true;
      w.jump_ms = jumps_ms[i];
      w.jump_every_ms = 53000;
      struct result r = run_all(&w, name);
      check_most(name, "rounds of 429", r.most_rounds,
                 2 * (w.run_ms / w.jump_every_ms));
      check_most(name, "longest idle time", r.longest_idle_ms,
                 w.server.window_ms + 2000);
    }
  }
}

/* --- by itself ---------------------------------------------------------------------- */

static const struct rtk_ratelimit no_news = {0};

static struct rtk_ratelimit news_of(const char *ratelimit, const char *policy) {
  static struct rtk_response r;
  struct rtk_ratelimit news;
  sqlite3_snprintf(RTK_HEADER_LIST_MAX, r.ratelimit, "%s", ratelimit);
  sqlite3_snprintf(RTK_HEADER_LIST_MAX, r.ratelimit_policy, "%s", policy);
  rtk_ratelimit_read(&r, START_MS, &news);
  return news;
}

static void check_take(const char *name, struct rtk_pace *pace, int64_t at_ms,
                       int wanted, int expected, int64_t expected_wait_ms) {
  int64_t wait_ms = -77;
  check_int(name, "taken",
            rtk_pace_take(pace, START_MS + at_ms, wanted, &wait_ms), expected);
  check_int(name, "wait_ms", wait_ms, expected_wait_ms);
}

static void check_left(const char *name, const struct rtk_pace *pace,
                       int64_t at_ms, int64_t expected,
                       int64_t expected_reset_ms) {
  int64_t reset_ms = -77;
  check_int(name, "left", rtk_pace_left(pace, START_MS + at_ms, &reset_ms),
            expected);
  check_int(name, "reset_ms", reset_ms, expected_reset_ms);
}

static struct rtk_pace new_pace(int64_t rate, int64_t quota,
                                int64_t window_ms) {
  struct rtk_pace pace = {0};
  rtk_pace_set(&pace, START_MS, rate, quota, window_ms);
  return pace;
}

static void end_at(struct rtk_pace *pace, int64_t at_ms, int count) {
  rtk_pace_end(pace, START_MS + at_ms, count, &no_news);
}

static void zeros_are_a_new_one(void **state) {
  struct rtk_pace pace = {0};
  (void)state;
  check_int("zeros", "valid", rtk_pace_is_valid(&pace), 1);
  check_most("size", "bytes", (int64_t)sizeof(pace), 8192);
  check_left("zeros", &pace, 0, -1, 0);
  check_int("zeros", "blocked", rtk_pace_blocked_ms(&pace, START_MS), 0);
  check_take("no limits", &pace, 0, 1000000, 1000000, 0);
  check_take("none wanted", &pace, 0, 0, 0, 0);
  check_take("less than none", &pace, 0, -5, 0, 0);
  end_at(&pace, 0, 2000000);
  check_take("after more have ended than went", &pace, 0, 7, 7, 0);
  rtk_pace_give_back(&pace, 100);
  rtk_pace_give_back(&pace, -100);
  check_int("after it all", "under way", pace.under_way, 0);
  check_int("after it all", "valid", rtk_pace_is_valid(&pace), 1);
}

static void a_request_counts_until_a_window_after_its_end(void **state) {
  struct rtk_pace pace = new_pace(0, 3, 1200); /* slots of 11 ms */
  (void)state;
  check_left("new", &pace, 0, 3, 0);
  check_take("at the limit", &pace, 0, 3, 3, 0);
  check_take("all under way", &pace, 5000, 1, 0, RTK_PACE_AFTER_REPLY);
  check_left("all under way", &pace, 5000, 0, 1200);
  end_at(&pace, 5500, 1);
  check_take("one ended", &pace, 5500, 1, 0, 1211);
  end_at(&pace, 5511, 1);
  check_left("two ended", &pace, 5511, 0, 1200);
  check_take("not yet", &pace, 6710, 5, 0, 1);
  check_take("the first is over", &pace, 6711, 5, 1, 11);
  end_at(&pace, 6711, 2);
  check_left("all ended", &pace, 6711, 0, 1210);
  check_left("but one", &pace, 6722, 1, 1199);
  check_left("whole again", &pace, 7922, 3, 0);
}

static void what_is_given_back_was_never_taken(void **state) {
  struct rtk_pace pace = new_pace(0, 3, 1000);
  (void)state;
  check_take("all", &pace, 0, 3, 3, 0);
  rtk_pace_give_back(&pace, 2);
  check_left("two given back", &pace, 0, 2, 1000);
  check_take("taken again", &pace, 0, 3, 2, RTK_PACE_AFTER_REPLY);
}

static void the_tightest_limit_holds(void **state) {
  struct rtk_pace pace = new_pace(2, 3, 60000);
  (void)state;
  check_take("the rate", &pace, 0, 5, 2, RTK_PACE_AFTER_REPLY);
  end_at(&pace, 100, 2);
  check_take("the rate's second", &pace, 100, 5, 0, 1008);
  check_take("then the quota", &pace, 1108, 5, 1, 59393);
  check_left("the rate is not shown", &pace, 1108, 0, 60000);
  rtk_pace_set(&pace, START_MS + 1108, 2, 0, 60000);
  check_take("the quota is off", &pace, 1108, 5, 1, RTK_PACE_AFTER_REPLY);
  rtk_pace_set(&pace, START_MS + 1108, 0, 0, 60000);
  check_take("the rate too", &pace, 1108, 5, 5, 0);
}

static void settings_change_in_flight(void **state) {
  struct rtk_pace pace = new_pace(0, 10, 12000); /* slots of 101 ms */
  struct rtk_pace before;
  (void)state;
  check_take("ten", &pace, 0, 10, 10, 0);
  end_at(&pace, 0, 6);
  before = pace;
  rtk_pace_set(&pace, START_MS + 500, 0, 10, 12000);
  check_int("nothing changed", "bytes", memcmp(&pace, &before, sizeof(pace)),
            0);
  rtk_pace_set(&pace, START_MS, 0, 12, 12000);
  check_take("more", &pace, 0, 5, 2, 12101);
  rtk_pace_set(&pace, START_MS, 0, 5, 12000);
  check_take("fewer than are under way", &pace, 0, 5, 0, RTK_PACE_AFTER_REPLY);
  rtk_pace_set(&pace, START_MS + 1000, 0, 13, 24000);
  check_take("a longer window", &pace, 1000, 5, 1, 23196);
  rtk_pace_set(&pace, START_MS + 1000, 0, 13, 500);
  check_take("a shorter one", &pace, 1000, 9, 6, RTK_PACE_AFTER_REPLY);
  rtk_pace_set(&pace, START_MS + 1000, -5, -5, -5);
  check_take("nonsense is off", &pace, 1000, 9, 9, 0);
  rtk_pace_set(&pace, START_MS + 1000, INT64_MAX, INT64_MAX, INT64_MAX);
  check_take("huge", &pace, 1000, 9, 9, 0);
  check_int("huge", "valid", rtk_pace_is_valid(&pace), 1);
}

static void a_limit_that_appears_knows_the_past(void **state) {
  struct rtk_pace pace = new_pace(100, 0, 60000);
  struct rtk_ratelimit news = news_of("", "a;q=10;w=30");
  (void)state;
  check_take("four", &pace, 0, 4, 4, 0);
  end_at(&pace, 0, 3);
  check_left("none yet", &pace, 20000, -1, 0);
  rtk_pace_end(&pace, START_MS + 20000, 1, &news);
  check_left("a policy", &pace, 20000, 6, 30251);
  check_left("the three are over", &pace, 31002, 9, 19249);
  rtk_pace_set(&pace, START_MS + 20000, 100, 2, 60000);
  check_take("the quota stands back", &pace, 20000, 9, 6, 10673);
  check_left("forgotten after an hour", &pace, 20000 + RTK_PACE_LIMIT_LIFE_MS,
             0, 60000);
}

static void a_block_is_for_all(void **state) {
  struct rtk_pace pace = new_pace(0, 0, 0);
  (void)state;
  check_take("three", &pace, 0, 3, 3, 0);
  rtk_pace_block(&pace, START_MS + 100, 5000);
  rtk_pace_end(&pace, START_MS + 100, 1, NULL);
  rtk_pace_block(&pace, START_MS + 200, 1000);
  rtk_pace_end(&pace, START_MS + 200, 1, NULL);
  check_take("a shorter one", &pace, 200, 1, 0, 4900);
  rtk_pace_block(&pace, START_MS + 300, 6000);
  rtk_pace_end(&pace, START_MS + 300, 1, NULL);
  check_take("a longer one", &pace, 300, 1, 0, 6000);
  check_int("blocked", "ms", rtk_pace_blocked_ms(&pace, START_MS + 6299), 1);
  check_int("over", "ms", rtk_pace_blocked_ms(&pace, START_MS + 6300), 0);
  check_take("over", &pace, 6300, 1, 1, 0);
  check_left("over", &pace, 6300, -1, 0);
  rtk_pace_block(&pace, START_MS + 6300, 0);
  rtk_pace_block(&pace, START_MS + 6300, -5);
  check_int("none", "ms", rtk_pace_blocked_ms(&pace, START_MS + 6300), 0);
  rtk_pace_block(&pace, START_MS + 6300, INT64_MAX);
  check_int("huge", "ms", rtk_pace_blocked_ms(&pace, START_MS + 6300),
            RTK_WAIT_MAX_MS);
  check_int("clock set back", "ms",
            rtk_pace_blocked_ms(&pace, START_MS - HOUR_MS), RTK_WAIT_MAX_MS);
  check_take("clock set back", &pace, -HOUR_MS, 1, 0, RTK_WAIT_MAX_MS);
  check_int("then it runs", "ms",
            rtk_pace_blocked_ms(&pace, START_MS - HOUR_MS + 1000),
            RTK_WAIT_MAX_MS - 1000);
}

/* 20 pass and 3 are refused: the block ends at 3000. */
static struct rtk_pace pace_blocked(void) {
  struct rtk_pace pace = new_pace(0, 1000, LONG_WINDOW_MS);
  int64_t wait_ms = 0;
  (void)rtk_pace_take(&pace, START_MS, 23, &wait_ms);
  end_at(&pace, 100, 16);
  rtk_pace_block(&pace, START_MS + 300, 2700);
  end_at(&pace, 300, 1);
  end_at(&pace, 400, 4); /* they had passed, too */
  rtk_pace_block(&pace, START_MS + 400, 2600);
  rtk_pace_block(&pace, START_MS + 400, 2600);
  end_at(&pace, 400, 2);
  return pace;
}

/* It blocks for as long as it says; after that all goes on as before. */
static void a_429_teaches_nothing(void **state) {
  struct rtk_pace pace = pace_blocked();
  (void)state;
  check_take("blocked", &pace, 2999, 500, 0, 1);
  check_take("after the block", &pace, 3000, 500, 500, 0);
  end_at(&pace, 3100, 500);
  for (int i = 0; i < 10; i++) {
    int64_t at_ms = 4000 + i * 2000;
    check_take("a stray one", &pace, at_ms, 21, 21, 0);
    rtk_pace_block(&pace, START_MS + at_ms, 1000);
    end_at(&pace, at_ms, 21);
    check_take("blocked", &pace, at_ms + 500, 9, 0, 500);
  }
  check_left("what the settings say", &pace, 30000, 1000 - 23 - 500 - 210,
             292509);
  check_take("all of it", &pace, 30000, 500, 1000 - 23 - 500 - 210, 272501);
}

static void what_is_left_is_known_until_the_reset(void **state) {
  struct rtk_pace pace = new_pace(0, 0, 0);
  struct rtk_ratelimit news = news_of("a;r=10;t=30", "");
  (void)state;
  check_take("four", &pace, 0, 4, 4, 0);
  rtk_pace_end(&pace, START_MS, 1, &news);
  check_left("three under way", &pace, 0, 7, 30000);
  news = news_of("a;r=8;t=30", "");
  rtk_pace_end(&pace, START_MS + 500, 1, &news);
  check_left("fewer; the earliest reset", &pace, 500, 6, 29500);
  news = news_of("a;r=9;t=30", "");
  rtk_pace_end(&pace, START_MS + 600, 1, &news);
  check_left("overtaken", &pace, 600, 7, 29400);
  rtk_pace_end(&pace, START_MS + 600, 1, NULL);
  check_left("lost", &pace, 600, 7, 29400);
  check_take("all", &pace, 600, 9, 7, RTK_PACE_AFTER_REPLY);
  rtk_pace_end(&pace, START_MS + 700, 7, NULL);
  check_take("none left", &pace, 700, 9, 0, 29300);
  check_take("the reset", &pace, 30000, 9, 1, RTK_PACE_AFTER_REPLY);
  check_take("it takes long", &pace, 30000 + RTK_PACE_ASK_AGAIN_MS, 9, 1,
             RTK_PACE_AFTER_REPLY);
  news = news_of("a;r=99;t=25", "");
  rtk_pace_end(&pace, START_MS + 35100, 1, &news);
  check_left("a new window", &pace, 35100, 98, 25000);
}

static void hear(struct rtk_pace *pace, int64_t at_ms, const char *ratelimit) {
  struct rtk_ratelimit news = news_of(ratelimit, "");
  rtk_pace_end(pace, START_MS + at_ms, 1, &news);
}

static void a_reply_that_was_alone_is_believed(void **state) {
  struct rtk_pace pace = new_pace(0, 0, 0);
  (void)state;
  check_take("one", &pace, 0, 1, 1, 0);
  hear(&pace, 0, "a;r=5;t=30");
  check_take("another", &pace, 0, 1, 1, 0);
  hear(&pace, 100, "a;r=9;t=20");
  check_left("more", &pace, 100, 9, 20000);
  check_take("two", &pace, 100, 2, 2, 0);
  hear(&pace, 200, "a;r=8;t=20");
  hear(&pace, 200, "a;r=12;t=20");
  check_left("not alone", &pace, 200, 8, 19900);
  check_take("one", &pace, 200, 1, 1, 0);
  hear(&pace, 300, "a;r=0;t=0");
  check_take("at once is a second", &pace, 300, 1, 0, 1000);
}

static void a_new_window_has_a_later_reset(void **state) {
  struct rtk_pace pace = new_pace(0, 0, 0);
  (void)state;
  check_take("six", &pace, 0, 6, 6, 0);
  hear(&pace, 0, "a;r=8;t=2");
  rtk_pace_end(&pace, START_MS + 100, 2, NULL);
  check_left("two lost", &pace, 100, 3, 1900);
  hear(&pace, 200, "a;r=50;t=30");
  check_left("it may not know of three", &pace, 200, 47 - 2, 30000);
  check_take("nearly all", &pace, 1500, 44, 44, 0);
  rtk_pace_end(&pace, START_MS + 1500, 44, NULL);
  check_left("one is left", &pace, 1500, 1, 28700);
}

static void an_old_window_is_over(void **state) {
  struct rtk_pace pace = new_pace(0, 0, 0);
  (void)state;
  check_take("three", &pace, 0, 3, 3, 0);
  hear(&pace, 0, "a;r=5;t=2");
  hear(&pace, 2100, "a;r=4;t=1");
  check_take("one asks", &pace, 2100, 5, 1, RTK_PACE_AFTER_REPLY);
  check_take("others wait", &pace, 2200, 5, 0, RTK_PACE_AFTER_REPLY);
  check_take("clock set back", &pace, -HOUR_MS, 5, 0, RTK_PACE_AFTER_REPLY);
  check_take("one more asks", &pace, -HOUR_MS + RTK_PACE_ASK_AGAIN_MS, 5, 1,
             RTK_PACE_AFTER_REPLY);
}

static void a_429_that_is_given_back_is_none(void **state) {
  struct rtk_pace pace = new_pace(0, 0, 0);
  (void)state;
  check_take("one", &pace, 0, 1, 1, 0);
  rtk_pace_block(&pace, START_MS, 1000);
  rtk_pace_give_back(&pace, 1);
  check_int("given back", "valid", rtk_pace_is_valid(&pace), 1);
  check_take("one", &pace, 1000, 1, 1, 0);
  end_at(&pace, 1000, 1);
}

static void others_are_left_a_part(void **state) {
  struct rtk_pace pace = new_pace(0, 0, 0);
  struct rtk_ratelimit news = news_of("a;r=12;t=30", "a;q=500;w=60");
  (void)state;
  check_take("one", &pace, 0, 1, 1, 0);
  rtk_pace_end(&pace, START_MS, 1, &news);
  check_left("a fiftieth of 500", &pace, 0, 2, 30000);
  check_take("two", &pace, 0, 5, 2, RTK_PACE_AFTER_REPLY);
  rtk_pace_end(&pace, START_MS, 2, NULL);
  check_take("none", &pace, 0, 5, 0, 30000);
}

static void a_server_may_stop_announcing(void **state) {
  struct rtk_pace pace = new_pace(0, 0, 0);
  struct rtk_ratelimit news = news_of("a;r=1;t=1", "");
  (void)state;
  check_take("one", &pace, 0, 1, 1, 0);
  rtk_pace_end(&pace, START_MS, 1, &news);
  check_take("the last", &pace, 0, 1, 1, 0);
  end_at(&pace, 0, 1);
  check_take("after the reset", &pace, 1000, 5, 1, RTK_PACE_AFTER_REPLY);
  rtk_pace_end(&pace, START_MS + 1100, 1, NULL);
  check_take("without a reply: once more", &pace, 1100, 5, 1,
             RTK_PACE_AFTER_REPLY);
  rtk_pace_give_back(&pace, 1);
  check_take("given back: once more", &pace, 1100, 5, 1, RTK_PACE_AFTER_REPLY);
  end_at(&pace, 1200, 1);
  check_take("a reply says nothing", &pace, 1200, 5, 5, 0);
}

/* Five names in four places: the one not heard of for the longest time goes. */
static void names_make_room(void **state) {
  struct rtk_pace pace = new_pace(0, 0, 0);
  static const char *const policies[] = {"a;q=9;w=60", "b;q=8;w=60",
                                         "c;q=7;w=60", "d;q=6;w=60",
                                         "b;q=8;w=60", "e;q=50;w=60"};
  (void)state;
  for (int i = 0; i < (int)COUNT(policies); i++) {
    struct rtk_ratelimit news = news_of("", policies[i]);
    int64_t wait_ms = 0;
    (void)rtk_pace_take(&pace, START_MS + i, 1, &wait_ms);
    rtk_pace_end(&pace, START_MS + i, 1, &news);
  }
  int names = 0;
  for (int i = 0; i < RTK_RATELIMIT_ITEMS_MAX; i++) {
    check_int("the oldest", "is there",
              strcmp(pace.announced[i].name, "a") == 0, 0);
    names += pace.announced[i].is_used;
  }
  check_int("names", "count", names, RTK_RATELIMIT_ITEMS_MAX);
  check_left("the tightest", &pace, 10, 0, 60494);
}

/* A file may hold anything.  What is valid can be used. */
static void bytes_that_make_no_sense_are_refused(void **state) {
  static struct rtk_pace good;
  uint32_t seed = 5;
  int valid = 0;
  (void)state;
  good = pace_blocked();
  struct rtk_ratelimit news = news_of("a;r=10;t=30", "a;q=100;w=60, b;q=9;w=1");
  int64_t wait_ms = 0;
  (void)rtk_pace_take(&good, START_MS + 9000, 2, &wait_ms);
  rtk_pace_end(&good, START_MS + 9000, 1, &news);
  check_int("good", "valid", rtk_pace_is_valid(&good), 1);
  for (int round = 0; round < 40000; round++) {
    struct rtk_pace pace = good;
    unsigned char *bytes = (unsigned char *)&pace;
    for (int i = 0; i < 1 + round % 3; i++) {
      seed = seed * 1664525 + 1013904223;
      size_t range = round % 2 == 0 ? 160 : sizeof(pace);
      bytes[(seed >> 8) % range] = (unsigned char)(seed >> 24);
    }
    if (!rtk_pace_is_valid(&pace)) continue;
    valid++;
    rtk_pace_set(&pace, START_MS + 9000, 10, 100, 5000);
    int taken = rtk_pace_take(&pace, START_MS + 9000, 5, &wait_ms);
    check_int("any", "taken", taken >= 0 && taken <= 5, 1);
    check_int("any", "wait_ms", wait_ms >= -1 && wait_ms <= 2 * RTK_WAIT_MAX_MS,
              1);
    rtk_pace_block(&pace, START_MS + 9000, 1000);
    rtk_pace_end(&pace, START_MS + 9100, 1, &news);
    (void)rtk_pace_left(&pace, START_MS + 9200, &wait_ms);
  }
  check_int("some", "valid", valid > 1000 && valid < 39000, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(zeros_are_a_new_one),
      TEST(a_request_counts_until_a_window_after_its_end),
      TEST(what_is_given_back_was_never_taken),
      TEST(the_tightest_limit_holds),
      TEST(settings_change_in_flight),
      TEST(a_limit_that_appears_knows_the_past),
      TEST(a_block_is_for_all),
      TEST(a_429_teaches_nothing),
      TEST(what_is_left_is_known_until_the_reset),
      TEST(a_reply_that_was_alone_is_believed),
      TEST(a_new_window_has_a_later_reset),
      TEST(an_old_window_is_over),
      TEST(a_429_that_is_given_back_is_none),
      TEST(others_are_left_a_part),
      TEST(a_server_may_stop_announcing),
      TEST(names_make_room),
      TEST(bytes_that_make_no_sense_are_refused),
      TEST(right_settings_are_never_refused),
      TEST(announced_quotas_are_never_overrun),
      TEST(separate_numbers_are_never_overrun),
      TEST(separate_numbers_of_other_windows),
      TEST(short_windows_are_kept),
      TEST(the_rate_is_kept),
      TEST(wrong_settings_cost_a_round_each_block),
      TEST(others_use_the_same_token),
      TEST(lost_requests_are_counted),
      TEST(the_clock_is_set_back),
      TEST(the_clock_is_set_forward),
  };
  check_init();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
