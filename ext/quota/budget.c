/*
** The request budget of the process, and of all processes that share a cache
** file.
**
**     connection A --.                         .-- connection C
**     connection B --+-- struct shared         +-- struct shared
**                    |   of process 1          |   of process 2
**                    '------- cache file ------'
**
** There is a pace in each process, under a lock that is held for arithmetic
** only, and a pace in the cache file, changed within one short transaction.  A
** request needs room in both.
**
** In both each connection has a lease: how many requests it has in flight, and
** until when at the latest.  An unfinished statement and a killed process do
** not report the end of their requests; when the lease expires they count as
** ended, and then for one more window.  In the file leases are rows:
**
**     budget  pid   connection  in_flight  until_ms
**     77…     4711  31…         16         1700000070000
**
** After a fork() the requests in flight are the parent's.  The child starts
** with the history, and has leases of its own, as its pid differs.
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

/* The limits in the settings of a connection; 0: no limit. */
struct limits {
  int64_t rate, quota, window_ms;
};

/* What the cache file has not yet been told. */
struct report {
  int ended, sent;
  bool has_news;
  struct rtk_ratelimit news; /* of the last reply */
  int64_t block_until_ms;
};

struct rtk_budget {
  const struct rtk_config *config;
  struct rtk_diskcache *disk;
  struct shared *shared;   /* NULL before the first request */
  struct rtk_budget *next; /* among the members of `shared` */
  struct limits limits;    /* under the lock, as is the next */
  struct rtk_lease lease;  /* in the process */
  int64_t connection;      /* random, for the lease in the file */
  int in_flight;           /* requests, those of an expired lease included */
  struct report report;
};

/* --- one connection's requests in a pace ---------------------------------- */

/* A pace that has been set to the present, and the lease of the connection in
** it. */
struct account {
  struct rtk_pace *pace;
  struct rtk_lease *lease;
};

static int acquire(const struct account *account,
                   const struct rtk_config *config, int wanted,
                   int64_t *wait_ms) {
  int granted = rtk_pace_acquire(account->pace, wanted, wait_ms);
  if (granted == 0) return 0;
  account->lease->in_flight += granted;
  account->lease->until_ms = account->pace->clock_ms +
                             rtk_config_int(config, RTK_TIMEOUT_MS) +
                             RTK_LEASE_MARGIN_MS;
  return granted;
}

/* Of the connection's `in_flight` requests `ended` have ended.  Those that the
** lease does not include were recorded when an older lease expired, and are the
** first to end. */
static void end(const struct account *account, int in_flight, int ended,
                int sent, const struct rtk_ratelimit *news) {
  int expired = in_flight - (int)account->lease->in_flight;
  if (expired > ended) expired = ended;
  account->lease->in_flight -= ended - expired;
  if (sent > 0) sent = sent > expired ? sent - expired : 0;
  if (ended > expired) rtk_pace_end(account->pace, ended - expired, sent, news);
}

/* --- the process ---------------------------------------------------------- */

/* With the terminators of both texts.  64 bits reveal nothing of a token, and
** two budgets with the same key would only be slower. */
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

/* The lowest rate and the lowest quota for its window of all members. */
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

/* Ends the requests of leases that expired before clock_ms. */
static void expire_leases(struct shared *shared, int64_t clock_ms) {
  for (struct rtk_budget *m = shared->members; m != NULL; m = m->next) {
    int count = (int)m->lease.in_flight;
    if (count == 0 || m->lease.until_ms >= clock_ms) continue;
    rtk_pace_end(&shared->pace, count, count, NULL);
    m->lease.in_flight = 0;
  }
}

/* Returns the connection's account in the process, with the lock held. */
static struct account lock_account(struct rtk_budget *budget) {
  struct shared *shared = budget->shared;
  int64_t unix_ms = rtk_clock_unix_ms();
  (void)pthread_mutex_lock(&lock);
  expire_leases(shared, rtk_pace_tick(&shared->pace, unix_ms));
  return (struct account){&shared->pace, &budget->lease};
}

static void unlock(void) { (void)pthread_mutex_unlock(&lock); }

static void leave(struct rtk_budget *budget) {
  if (budget->shared == NULL) return;
  (void)pthread_mutex_lock(&lock);
  struct rtk_budget **link = &budget->shared->members;
  while (*link != budget) link = &(*link)->next;
  *link = budget->next;
  unlock();
  budget->shared = NULL;
}

/* With the lock held.  Also frees budgets that were not used for longer than
** any window.  NULL: no memory. */
static struct shared *find_shared(int64_t key, int64_t now) {
  struct shared *found = NULL;
  struct shared **link = &all;
  while (*link != NULL) {
    struct shared *shared = *link;
    bool is_used =
        shared->members != NULL || now - shared->used_ms < RTK_WAIT_MAX_MS;
    if (shared->key == key) found = shared;
    if (is_used || found == shared) {
      link = &shared->next;
    } else {
      *link = shared->next;
      free(shared);
    }
  }
  if (found != NULL) return found;
  found = calloc(1, sizeof(*found));
  if (found == NULL) return NULL;
  found->key = key;
  found->next = all;
  all = found;
  return found;
}

int rtk_budget_join(struct rtk_budget *budget, const char *base_url,
                    const char *token) {
  int64_t key = key_of(base_url, token);
  int64_t now = rtk_clock_ms();
  if (budget->shared != NULL && budget->shared->key == key) return SQLITE_OK;
  leave(budget);
  (void)pthread_mutex_lock(&lock);
  struct shared *shared = find_shared(key, now);
  if (shared != NULL) {
    shared->used_ms = now;
    budget->next = shared->members;
    shared->members = budget;
  }
  unlock();
  budget->shared = shared;
  return shared == NULL ? SQLITE_NOMEM : SQLITE_OK;
}

static void before_fork(void) { (void)pthread_mutex_lock(&lock); }

/* The parent's connections are of no use here. */
static void in_child(void) {
  int64_t unix_ms = rtk_clock_unix_ms();
  for (struct shared *shared = all; shared != NULL; shared = shared->next) {
    (void)rtk_pace_tick(&shared->pace, unix_ms);
    expire_leases(shared, INT64_MAX);
    for (struct rtk_budget *m = shared->members; m != NULL; m = m->next) {
      m->limits = (struct limits){0};
    }
  }
  unlock();
}

static void follow_forks(void) {
  fork_error = pthread_atfork(before_fork, unlock, in_child);
}

int rtk_budget_new(const struct rtk_config *config, struct rtk_diskcache *disk,
                   struct rtk_budget **budget) {
  (void)pthread_once(&fork_once, follow_forks);
  if (fork_error != 0) return SQLITE_NOMEM;
  struct rtk_budget *made = sqlite3_malloc64(sizeof(*made));
  if (made == NULL) return SQLITE_NOMEM;
  *made = (struct rtk_budget){.config = config, .disk = disk};
  sqlite3_randomness((int)sizeof(made->connection), &made->connection);
  *budget = made;
  return SQLITE_OK;
}

void rtk_budget_free(struct rtk_budget *budget) {
  if (budget == NULL) return;
  rtk_budget_end(budget, budget->in_flight, budget->in_flight, NULL);
  rtk_budget_flush(budget);
  leave(budget);
  sqlite3_free(budget);
}

/* --- the file ------------------------------------------------------------- */

/* The pace as a blob; all zeros are a new one.  A file may be damaged in a way
** that SQLite does not notice, and one wrong bit could block everybody for a
** day: the hash tells whether the blob is what was written. */
struct stored_pace {
  int64_t format;
  uint64_t hash; /* of the pace */
  struct rtk_pace pace;
};

/* One transaction on the file. */
struct visit {
  struct stored_pace stored;
  struct rtk_budget *budget;
  int64_t unix_ms;
  int wanted, granted;
  int64_t wait_ms;
};

static uint64_t hash_of(const struct rtk_pace *pace) {
  return rtk_hash_add(RTK_HASH_START, (const char *)pace, sizeof(*pace));
}

/* Enters what has ended since the last visit. */
static void enter_report(const struct account *account,
                         const struct rtk_budget *budget, int64_t unix_ms) {
  const struct report *report = &budget->report;
  if (report->block_until_ms > unix_ms) {
    rtk_pace_block(account->pace, report->block_until_ms - unix_ms);
  }
  end(account, budget->in_flight + report->ended, report->ended, report->sent,
      report->has_news ? &report->news : NULL);
}

static int edit(void *blob, void *user) {
  struct visit *visit = user;
  struct stored_pace *stored = blob;
  struct rtk_pace *pace = &stored->pace;
  const struct rtk_budget *budget = visit->budget;
  struct rtk_lease lease = {.pid = getpid(), .connection = budget->connection};
  struct account account = {pace, &lease};
  struct limits limits = read_limits(budget->config);
  struct rtk_lease_sums sums;
  bool is_sound =
      stored->format == RTK_PACE_FORMAT && stored->hash == hash_of(pace);
  if (!is_sound) memset(stored, 0, sizeof(*stored));
  /* A new pace has another clock: the times of the leases mean nothing
  ** there. */
  int64_t now = rtk_pace_tick(pace, visit->unix_ms);
  int rc = rtk_diskcache_read_leases(budget->disk, budget->shared->key,
                                     is_sound ? now : INT64_MAX, &lease, &sums);
  if (rc != SQLITE_OK) return rc;
  pace->in_flight = lease.in_flight + sums.others + sums.expired;
  if (sums.expired > 0) {
    rtk_pace_end(pace, (int)sums.expired, (int)sums.expired, NULL);
  }
  rtk_pace_set(pace, limits.rate, limits.quota, limits.window_ms);
  enter_report(&account, budget, visit->unix_ms);
  visit->granted = 0;
  if (visit->wanted > 0) {
    visit->granted =
        acquire(&account, budget->config, visit->wanted, &visit->wait_ms);
  }
  stored->format = RTK_PACE_FORMAT;
  stored->hash = hash_of(pace);
  return rtk_diskcache_write_lease(budget->disk, budget->shared->key, &lease);
}

/* Enters a block in the pace of the process. */
static void block_process(struct rtk_budget *budget, int64_t wait_ms) {
  struct account account = lock_account(budget);
  rtk_pace_block(account.pace, wait_ms);
  unlock();
}

/* SQLITE_OK, SQLITE_BUSY: try again soon; SQLITE_NOTFOUND: there is no file. */
static int visit_file(struct rtk_budget *budget, struct visit *visit,
                      int wanted) {
  *visit = (struct visit){
      .budget = budget, .unix_ms = rtk_clock_unix_ms(), .wanted = wanted};
  int rc = rtk_diskcache_edit(budget->disk, budget->shared->key, &visit->stored,
                              sizeof(visit->stored), edit, visit);
  if (rc != SQLITE_OK) return rc;
  budget->report = (struct report){0};
  int64_t blocked_ms = rtk_pace_blocked_ms(&visit->stored.pace);
  if (blocked_ms > 0) block_process(budget, blocked_ms);
  return SQLITE_OK;
}

/* --- both ----------------------------------------------------------------- */

static int acquire_in_process(struct rtk_budget *budget, int wanted,
                              int64_t *wait_ms) {
  struct shared *shared = budget->shared;
  struct limits own = read_limits(budget->config);
  int64_t now = rtk_clock_ms();
  struct account account = lock_account(budget);
  shared->used_ms = now;
  budget->limits = own;
  struct limits least = strictest(shared);
  rtk_pace_set(&shared->pace, least.rate, least.quota, least.window_ms);
  int granted = acquire(&account, budget->config, wanted, wait_ms);
  unlock();
  return granted;
}

static void end_in_process(struct rtk_budget *budget, int in_flight, int count,
                           int sent, const struct rtk_ratelimit *news) {
  struct account account = lock_account(budget);
  end(&account, in_flight, count, sent, news);
  unlock();
}

int rtk_budget_acquire(struct rtk_budget *budget, int wanted,
                       int64_t *wait_ms) {
  struct visit visit;
  int64_t wait = RTK_PACE_AFTER_REPLY;
  int granted = acquire_in_process(budget, wanted, &wait);
  if (granted > 0) {
    int rc = visit_file(budget, &visit, granted);
    int allowed = rc == SQLITE_OK     ? visit.granted
                  : rc == SQLITE_BUSY ? 0
                                      : granted;
    if (allowed < granted) {
      end_in_process(budget, budget->in_flight + granted, granted - allowed, 0,
                     NULL);
      wait = rc == SQLITE_BUSY ? 0 : visit.wait_ms;
      granted = allowed;
    }
  }
  budget->in_flight += granted;
  /* The reply may be another connection's. */
  if (wait == RTK_PACE_AFTER_REPLY) wait = RTK_CANCEL_CHECK_MS;
  if (granted < wanted && wait < *wait_ms) *wait_ms = wait;
  return granted;
}

void rtk_budget_end(struct rtk_budget *budget, int count, int sent,
                    const struct rtk_ratelimit *news) {
  if (count == 0) return;
  end_in_process(budget, budget->in_flight, count, sent, news);
  budget->in_flight -= count;
  budget->report.ended += count;
  budget->report.sent += sent;
  if (news != NULL) {
    budget->report.news = *news;
    budget->report.has_news = true;
  }
}

void rtk_budget_block(struct rtk_budget *budget, int64_t wait_ms) {
  int64_t until_ms = rtk_clock_unix_ms() + wait_ms;
  block_process(budget, wait_ms);
  if (until_ms > budget->report.block_until_ms) {
    budget->report.block_until_ms = until_ms;
  }
}

int64_t rtk_budget_blocked_ms(struct rtk_budget *budget) {
  if (budget->shared == NULL) return 0;
  struct account account = lock_account(budget);
  int64_t blocked_ms = rtk_pace_blocked_ms(account.pace);
  unlock();
  return blocked_ms;
}

void rtk_budget_flush(struct rtk_budget *budget) {
  struct visit visit;
  bool is_news = budget->report.ended > 0 || budget->report.block_until_ms > 0;
  if (budget->shared != NULL && is_news) {
    (void)visit_file(budget, &visit, 0);
  } else {
    (void)rtk_diskcache_flush(budget->disk);
  }
}

int64_t rtk_budget_left(struct rtk_budget *budget, int64_t *reset_ms) {
  struct visit visit;
  *reset_ms = 0;
  if (budget->shared == NULL) return -1;
  if (visit_file(budget, &visit, 0) == SQLITE_OK) {
    return rtk_pace_left(&visit.stored.pace, reset_ms);
  }
  struct account account = lock_account(budget);
  int64_t left = rtk_pace_left(account.pace, reset_ms);
  unlock();
  return left;
}
