/*
** The request budget of the process, and of all that share a cache file.
**
** Here is who asks and where the count is kept: in a list of this process,
** under a lock that is never held while anything else is done, and in a blob of
** the cache file, changed within one short transaction.  Both are asked; the
** one that allows less holds.
**
** In both each connection has a lease on the requests that it has under way,
** renewed whenever it starts some.  A cursor that is left unfinished, and a
** process that is killed, do not tell of their end: when the lease runs out
** they count as ended.  So what a killed process had under way counts for
** timeout_ms and RTK_LEASE_MARGIN_MS, and then for a window as all others do.
**
** After a fork() the requests under way are the parent's; the child goes on
** with its own connections and with what it knows of the past.
*/
#include "quota/budget.h"

#include "api/ratelimit.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "config/config.h"
#include "disk/diskcache.h"
#include "quota/pace.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* The budget of one base URL and token in this process.  From malloc(): it
** outlives SQLite's own shutting down. */
struct shared {
  struct shared *next;
  int64_t key;
  int64_t used_ms;
  struct rtk_budget *members;
  struct rtk_pace pace;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct shared *all;

static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static int fork_error; /* of pthread_atfork() */

/* What the settings of a connection say; 0: no limit. */
struct limits {
  int64_t rate, quota, window_ms;
};

/* Requests that count as under way, and until when at the most. */
struct lease {
  int64_t owner; /* in the file; 0: free */
  int64_t until_ms;
  int64_t count;
};

struct rtk_budget {
  const struct rtk_config *config;
  struct rtk_diskcache *disk;
  struct shared *shared;   /* NULL before the first request */
  struct rtk_budget *next; /* among its members */
  struct limits limits;    /* under the lock, as is the next */
  struct lease lease;      /* in the process */
  int64_t random;          /* of its own */
  int under_way;           /* leased or not any more */

  /* What the file has not yet been told. */
  int ended, given_back, repeated;
  bool has_news;
  struct rtk_ratelimit news;
  int64_t block_until_ms;

  int64_t file_blocked_until_ms; /* as it was last read */
};

/* --- leases ---------------------------------------------------------------------- */

/* How long a request may be under way. */
static int64_t read_lease_ms(const struct rtk_config *config) {
  return rtk_config_int(config, RTK_TIMEOUT_MS) + RTK_LEASE_MARGIN_MS;
}

static void add_to_lease(struct lease *lease, int64_t now, int64_t lease_ms,
                         int started) {
  if (started == 0) return;
  lease->count += started;
  lease->until_ms = now + lease_ms;
}

static void end_lease(struct lease *lease, struct rtk_pace *pace, int64_t now) {
  if (lease->count == 0) return;
  rtk_pace_end(pace, now, (int)lease->count, NULL);
  lease->count = 0;
}

/* A lease that seems to last longer than a new one was made before the clock was
** set back. */
static void end_lease_in_time(struct lease *lease, struct rtk_pace *pace,
                              int64_t now, int64_t lease_ms) {
  if (lease->until_ms > now + lease_ms) lease->until_ms = now + lease_ms;
  if (lease->until_ms < now) end_lease(lease, pace, now);
}

static void give_back(struct lease *lease, struct rtk_pace *pace, int count) {
  if (count > lease->count) count = (int)lease->count;
  lease->count -= count;
  rtk_pace_give_back(pace, count);
}

/* So many of `under_way` have ended, the last one with `news`.  Those that are
** not in the lease any more were counted when it ran out. */
static void end(struct lease *lease, struct rtk_pace *pace, int64_t now,
                int under_way, int ended, const struct rtk_ratelimit *news) {
  if (under_way > lease->count) ended -= under_way - (int)lease->count;
  if (ended <= 0) return;
  lease->count -= ended;
  if (ended > 1) rtk_pace_end(pace, now, ended - 1, NULL);
  rtk_pace_end(pace, now, 1, news);
}

/* --- the process --------------------------------------------------------------- */

/* With the end of both texts: 64 bits tell nothing of a token, and two budgets
** that got the same number would only be slower. */
static int64_t key_of(const char *base_url, const char *token) {
  uint64_t hash = rtk_hash_add(RTK_HASH_START, base_url, strlen(base_url) + 1);
  return (int64_t)rtk_hash_add(hash, token, strlen(token) + 1);
}

static struct limits read_limits(const struct rtk_config *config) {
  struct limits limits = {
      rtk_config_int(config, RTK_RATE_PER_SECOND),
      rtk_config_int(config, RTK_QUOTA),
      rtk_config_int(config, RTK_QUOTA_WINDOW_S) * 1000,
  };
  return limits;
}

/* The strictest of all members: the lowest rate, the lowest quota for its
** window. */
static struct limits strictest(const struct shared *shared) {
  struct limits least = {0, 0, 1000};
  for (const struct rtk_budget *m = shared->members; m != NULL; m = m->next) {
    const struct limits *its = &m->limits;
    if (its->rate > 0 && (least.rate == 0 || its->rate < least.rate)) {
      least.rate = its->rate;
    }
    if (its->quota > 0 &&
        (least.quota == 0 ||
         its->quota * least.window_ms < least.quota * its->window_ms)) {
      least.quota = its->quota;
      least.window_ms = its->window_ms;
    }
  }
  return least;
}

/* What runs out of the members' leases. */
static void end_leases_of(struct shared *shared, int64_t now,
                          int64_t lease_ms) {
  for (struct rtk_budget *m = shared->members; m != NULL; m = m->next) {
    end_lease_in_time(&m->lease, &shared->pace, now, lease_ms);
  }
}

static void leave(struct rtk_budget *budget) {
  struct shared *shared = budget->shared;
  if (shared == NULL) return;
  (void)pthread_mutex_lock(&lock);
  struct rtk_budget **link = &shared->members;
  while (*link != budget) link = &(*link)->next;
  *link = budget->next;
  (void)pthread_mutex_unlock(&lock);
  budget->shared = NULL;
}

/* Takes out of the list what nobody has used for longer than any window. */
static struct shared *take_old(int64_t now) {
  struct shared *old = NULL;
  struct shared **link = &all;
  while (*link != NULL) {
    struct shared *shared = *link;
    if (shared->members != NULL || now - shared->used_ms < RTK_WAIT_MAX_MS) {
      link = &shared->next;
      continue;
    }
    *link = shared->next;
    shared->next = old;
    old = shared;
  }
  return old;
}

int rtk_budget_join(struct rtk_budget *budget, const char *base_url,
                    const char *token) {
  int64_t key = key_of(base_url, token);
  int64_t now = rtk_clock_ms();
  if (budget->shared != NULL && budget->shared->key == key) return SQLITE_OK;
  struct shared *made = calloc(1, sizeof(*made));
  if (made == NULL) return SQLITE_NOMEM;
  leave(budget);

  (void)pthread_mutex_lock(&lock);
  struct shared *shared = all;
  while (shared != NULL && shared->key != key) shared = shared->next;
  if (shared == NULL) {
    shared = made;
    made = NULL;
    shared->key = key;
    shared->next = all;
    all = shared;
  }
  shared->used_ms = now;
  budget->next = shared->members;
  shared->members = budget;
  struct shared *old = take_old(now);
  (void)pthread_mutex_unlock(&lock);

  budget->shared = shared;
  free(made);
  while (old != NULL) {
    struct shared *next = old->next;
    free(old);
    old = next;
  }
  return SQLITE_OK;
}

static void before_fork(void) { (void)pthread_mutex_lock(&lock); }

static void in_parent(void) { (void)pthread_mutex_unlock(&lock); }

/* The parent's connections are of no use here. */
static void in_child(void) {
  int64_t now = rtk_clock_unix_ms();
  for (struct shared *shared = all; shared != NULL; shared = shared->next) {
    for (struct rtk_budget *m = shared->members; m != NULL; m = m->next) {
      end_lease(&m->lease, &shared->pace, now);
      m->limits = (struct limits){0};
    }
  }
  (void)pthread_mutex_unlock(&lock);
}

static void follow_forks(void) {
  fork_error = pthread_atfork(before_fork, in_parent, in_child);
}

int rtk_budget_new(const struct rtk_config *config, struct rtk_diskcache *disk,
                   struct rtk_budget **budget) {
  (void)pthread_once(&fork_once, follow_forks);
  if (fork_error != 0) return SQLITE_NOMEM;
  struct rtk_budget *made = sqlite3_malloc64(sizeof(*made));
  if (made == NULL) return SQLITE_NOMEM;
  memset(made, 0, sizeof(*made));
  made->config = config;
  made->disk = disk;
  sqlite3_randomness((int)sizeof(made->random), &made->random);
  *budget = made;
  return SQLITE_OK;
}

void rtk_budget_free(struct rtk_budget *budget) {
  if (budget == NULL) return;
  while (budget->under_way > 0) rtk_budget_end(budget, NULL);
  rtk_budget_flush(budget);
  leave(budget);
  sqlite3_free(budget);
}

/* --- the file ------------------------------------------------------------------ */

/* The blob.  All zero bytes are a new one.  A file may be damaged in a way that
** SQLite does not see, and one wrong bit could block everybody for a day: so the
** hash tells whether it is what was written. */
struct file_state {
  uint32_t format;
  uint32_t spare;
  uint64_t hash; /* of what follows */
  struct lease leases[RTK_LEASES_MAX];
  struct rtk_pace pace;
};

/* One visit to the file. */
struct visit {
  struct file_state state;
  struct rtk_budget *budget;
  struct limits limits;
  int64_t now;
  int64_t lease_ms;
  int wanted;
  int granted;
  int64_t wait_ms;
};

/* The lease of this owner, else a free one, else the last one: it is then
** shared, and runs out when the last of its requests must have ended. */
static struct lease *find_lease(struct lease *leases, int64_t owner) {
  int spare = RTK_LEASES_MAX - 1;
  for (int i = RTK_LEASES_MAX - 1; i >= 0; i--) {
    if (leases[i].owner == owner) return &leases[i];
    if (leases[i].owner == 0) spare = i;
  }
  leases[spare].owner = owner;
  return &leases[spare];
}

/* A child that was forked off is somebody else. */
static int64_t owner_of(const struct rtk_budget *budget) {
  return budget->random ^ (int64_t)getpid();
}

static void end_leases(struct file_state *state, int64_t now,
                       int64_t lease_ms) {
  for (int i = 0; i < RTK_LEASES_MAX; i++) {
    struct lease *lease = &state->leases[i];
    end_lease_in_time(lease, &state->pace, now, lease_ms);
    if (lease->count == 0) lease->owner = 0;
  }
}

static uint64_t hash_of(const struct file_state *state) {
  size_t begin = offsetof(struct file_state, leases);
  return rtk_hash_add(RTK_HASH_START, (const char *)state + begin,
                      sizeof(*state) - begin);
}

/* Is it what one of us has written, and does it make sense? */
static bool is_sound(const struct file_state *state) {
  int64_t leased = 0;
  if (state->format != RTK_PACE_FORMAT || state->hash != hash_of(state)) {
    return false;
  }
  for (int i = 0; i < RTK_LEASES_MAX; i++) {
    int64_t count = state->leases[i].count;
    if (count < 0 || count > RTK_QUOTA_MAX) return false;
    leased += count;
  }
  return rtk_pace_is_valid(&state->pace) && state->pace.under_way == leased;
}

/* What has ended since the file was last told. */
static void tell(const struct visit *visit, struct rtk_pace *pace,
                 struct lease *lease) {
  const struct rtk_budget *budget = visit->budget;
  give_back(lease, pace, budget->given_back);
  rtk_pace_repeat(pace, visit->now, budget->repeated);
  if (budget->block_until_ms > visit->now) {
    rtk_pace_block(pace, visit->now, budget->block_until_ms - visit->now);
  }
  end(lease, pace, visit->now, budget->under_way + budget->ended, budget->ended,
      budget->has_news ? &budget->news : NULL);
}

static void change(void *blob, void *user) {
  struct visit *visit = user;
  struct file_state *state = blob;
  if (!is_sound(state)) {
    memset(state, 0, sizeof(*state));
    state->format = RTK_PACE_FORMAT;
  }
  end_leases(state, visit->now, visit->lease_ms);
  struct lease *lease = find_lease(state->leases, owner_of(visit->budget));
  rtk_pace_set(&state->pace, visit->now, visit->limits.rate,
               visit->limits.quota, visit->limits.window_ms);
  tell(visit, &state->pace, lease);
  visit->granted = 0;
  if (visit->wanted > 0) {
    visit->granted =
        rtk_pace_take(&state->pace, visit->now, visit->wanted, &visit->wait_ms);
    add_to_lease(lease, visit->now, visit->lease_ms, visit->granted);
  }
  if (lease->count == 0) lease->owner = 0;
  state->hash = hash_of(state);
}

/* SQLITE_OK, SQLITE_BUSY: try again soon; SQLITE_NOTFOUND: there is no file. */
static int visit_file(struct rtk_budget *budget, struct visit *visit,
                      int wanted) {
  memset(visit, 0, sizeof(*visit));
  visit->budget = budget;
  visit->now = rtk_clock_unix_ms();
  visit->wanted = wanted;
  visit->limits = read_limits(budget->config);
  visit->lease_ms = read_lease_ms(budget->config);
  int rc = rtk_diskcache_edit(budget->disk, budget->shared->key, &visit->state,
                              sizeof(visit->state), change, visit);
  if (rc != SQLITE_OK) return rc;
  budget->ended = budget->given_back = budget->repeated = 0;
  budget->has_news = false;
  budget->block_until_ms = 0;
  budget->file_blocked_until_ms =
      visit->now + rtk_pace_blocked_ms(&visit->state.pace, visit->now);
  return SQLITE_OK;
}

/* --- both ------------------------------------------------------------------------ */

static int take_from_process(struct rtk_budget *budget, int wanted,
                             int64_t *wait_ms) {
  struct shared *shared = budget->shared;
  int64_t now = rtk_clock_unix_ms();
  struct limits own = read_limits(budget->config);
  int64_t lease_ms = read_lease_ms(budget->config);
  (void)pthread_mutex_lock(&lock);
  end_leases_of(shared, now, lease_ms);
  shared->used_ms = rtk_clock_ms();
  budget->limits = own;
  struct limits least = strictest(shared);
  rtk_pace_set(&shared->pace, now, least.rate, least.quota, least.window_ms);
  int granted = rtk_pace_take(&shared->pace, now, wanted, wait_ms);
  add_to_lease(&budget->lease, now, lease_ms, granted);
  (void)pthread_mutex_unlock(&lock);
  return granted;
}

static void give_back_to_process(struct rtk_budget *budget, int count) {
  (void)pthread_mutex_lock(&lock);
  give_back(&budget->lease, &budget->shared->pace, count);
  (void)pthread_mutex_unlock(&lock);
}

int rtk_budget_take(struct rtk_budget *budget, int wanted, int64_t *wait_ms) {
  struct visit visit;
  int64_t wait = RTK_PACE_AFTER_REPLY;
  int granted = take_from_process(budget, wanted, &wait);
  if (granted > 0) {
    int rc = visit_file(budget, &visit, granted);
    int allowed = rc == SQLITE_OK     ? visit.granted
                  : rc == SQLITE_BUSY ? 0
                                      : granted;
    if (allowed < granted) {
      give_back_to_process(budget, granted - allowed);
      wait = rc == SQLITE_BUSY ? 0 : visit.wait_ms;
      granted = allowed;
    }
  }
  budget->under_way += granted;
  /* The reply that is waited for may be another connection's. */
  if (wait == RTK_PACE_AFTER_REPLY) wait = RTK_CANCEL_CHECK_MS;
  if (granted < wanted && wait < *wait_ms) *wait_ms = wait;
  return granted;
}

void rtk_budget_give_back(struct rtk_budget *budget, int count) {
  if (count == 0) return;
  give_back_to_process(budget, count);
  budget->under_way -= count;
  budget->given_back += count;
}

void rtk_budget_end(struct rtk_budget *budget,
                    const struct rtk_ratelimit *news) {
  int64_t now = rtk_clock_unix_ms();
  (void)pthread_mutex_lock(&lock);
  end(&budget->lease, &budget->shared->pace, now, budget->under_way, 1, news);
  (void)pthread_mutex_unlock(&lock);
  budget->under_way--;
  budget->ended++;
  if (news != NULL) {
    budget->news = *news;
    budget->has_news = true;
  }
}

void rtk_budget_repeat(struct rtk_budget *budget, int count) {
  (void)pthread_mutex_lock(&lock);
  rtk_pace_repeat(&budget->shared->pace, rtk_clock_unix_ms(), count);
  (void)pthread_mutex_unlock(&lock);
  budget->repeated += count;
}

void rtk_budget_block(struct rtk_budget *budget, int64_t wait_ms) {
  int64_t now = rtk_clock_unix_ms();
  (void)pthread_mutex_lock(&lock);
  rtk_pace_block(&budget->shared->pace, now, wait_ms);
  (void)pthread_mutex_unlock(&lock);
  if (now + wait_ms > budget->block_until_ms) {
    budget->block_until_ms = now + wait_ms;
  }
}

int64_t rtk_budget_blocked_ms(const struct rtk_budget *budget) {
  int64_t now = rtk_clock_unix_ms();
  int64_t in_file = budget->file_blocked_until_ms - now;
  if (budget->shared == NULL) return 0;
  (void)pthread_mutex_lock(&lock);
  int64_t blocked = rtk_pace_blocked_ms(&budget->shared->pace, now);
  (void)pthread_mutex_unlock(&lock);
  return in_file > blocked ? in_file : blocked;
}

void rtk_budget_flush(struct rtk_budget *budget) {
  struct visit visit;
  bool is_news =
      budget->ended > 0 || budget->given_back > 0 || budget->block_until_ms > 0;
  if (budget->shared != NULL && is_news) {
    (void)visit_file(budget, &visit, 0);
  } else {
    (void)rtk_diskcache_flush(budget->disk);
  }
}

int64_t rtk_budget_left(struct rtk_budget *budget, int64_t *reset_ms) {
  struct visit visit;
  int64_t now = rtk_clock_unix_ms();
  *reset_ms = 0;
  if (budget->shared == NULL) return -1;
  if (visit_file(budget, &visit, 0) == SQLITE_OK) {
    return rtk_pace_left(&visit.state.pace, now, reset_ms);
  }
  (void)pthread_mutex_lock(&lock);
  end_leases_of(budget->shared, now, read_lease_ms(budget->config));
  int64_t left = rtk_pace_left(&budget->shared->pace, now, reset_ms);
  (void)pthread_mutex_unlock(&lock);
  return left;
}
