/*
** The engine: moves jobs from QUEUED to DONE (the picture is in job.h).
**
** Everything happens inside rtk_fetch_drive(), on the caller's thread: it
** starts queued jobs, polls the network, and judges the responses that came.
** Nothing runs between two calls of it.
*/
#include "fetch/fetch.h"

#include "api/backoff.h"
#include "api/endpoint.h"
#include "api/ratelimit.h"
#include "api/reply.h"
#include "api/status.h"
#include "api/url.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/sanitize.h"
#include "config/config.h"
#include "disk/diskcache.h"
#include "fetch/access.h"
#include "fetch/cache.h"

#include "fetch/conn.h"
#include "fetch/job.h"
#include "fetch/messages.h"
#include "net/address.h"
#include "net/cancel.h"
#include "net/http.h"
#include "quota/budget.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* A server that closes a connection after its last request refuses those under
** way (nginx: after 1,000).  Then half as many requests go out at a time, but
** at least RTK_WIDTH_MIN.  After each RTK_WIDEN_REPLIES replies it is one more
** again. */
#define RTK_WIDTH_MIN 8
#define RTK_WIDEN_REPLIES 8

/* ms: how long the first request for an account and app goes alone. When its
** reply tells that they are refused, no second one was made in vain; and one
** slow reply must not hold up all others. */
#define RTK_PROBE_MS 500

/* ms: while rows are read from what has arrived, transfers are driven at
** least this often, so that the connection stays busy. */
#define RTK_DRIVE_EVERY_MS 2

struct rtk_fetch {
  /* Borrowed. */
  const struct rtk_config *config;
  struct rtk_cancel *cancel;
  struct rtk_diskcache *disk;
  struct rtk_stats *stats;
  /* Owned. */
  struct rtk_http *http;
  struct rtk_jobs *jobs;
  struct rtk_budget *budget;
  struct rtk_access access;
  struct rtk_cache cache;
  struct rtk_list lists[RTK_JOB_DONE]; /* jobs without a reply, by state */
  int64_t driven_ms;                   /* the last drive */

  struct {
    int64_t max;     /* requests in flight, fewer than the settings allow;
                        0: no such limit */
    int64_t set_ms;  /* when it was set */
    int64_t replies; /* since then */
  } narrowed;

  /* Of the statement. */
  int64_t statement;           /* a number that no other statement has had */
  bool is_foreign;             /* it began in the child of a fork() */
  int64_t expected;            /* ids that it will ask for; 0: not known */
  struct rtk_tallies answered; /* replies that it got */
  const struct rtk_endpoint *endpoint; /* of its last request */
  struct rtk_progress progress;        /* what it tells on stderr */

  struct {
    int64_t wait_ms;      /* until the next request may be sent; 0: now */
    int64_t since_ms;     /* when the wait began; 0: there is none */
    int64_t over_unix_ms; /* with on_error = 'row': nothing is requested until
                             then; 0: the quota has not ended */
    int pauses;           /* 429s in a row */
  } quota;
};

/* --- states --------------------------------------------------------------- */

static struct rtk_job *job_of(struct rtk_link *link) {
  return (struct rtk_job *)(void *)link;
}

static struct rtk_job *first_job(const struct rtk_fetch *fetch, int state) {
  return job_of(rtk_list_first(&fetch->lists[state]));
}

static struct rtk_job *next_job(const struct rtk_fetch *fetch,
                                const struct rtk_job *job) {
  return job_of(rtk_list_next(&fetch->lists[job->state], &job->link));
}

static int count_of(const struct rtk_fetch *fetch, enum rtk_job_state state) {
  return fetch->lists[state].count;
}

/* Jobs without a reply. */
static int count_open(const struct rtk_fetch *fetch) {
  int count = 0;
  for (int state = 0; state < RTK_JOB_DONE; state++) {
    count += fetch->lists[state].count;
  }
  return count;
}

/* Where a job waits for its next transfer. */
static enum rtk_job_state queue_of(const struct rtk_job *job) {
  return job->text_url == NULL ? RTK_JOB_QUEUED : RTK_JOB_LINKED;
}

/* A link may lead to this machine where the API itself is here: in a test. */
static bool is_local_too(const struct rtk_fetch *fetch) {
  return rtk_address_is_local(rtk_config_text(fetch->config, RTK_BASE_URL));
}

/* Puts a job that is in no list into the list of a state. */
static void enter(struct rtk_fetch *fetch, struct rtk_job *job,
                  enum rtk_job_state state) {
  job->state = state;
  rtk_list_append(&fetch->lists[state], &job->link);
}

static void leave(struct rtk_fetch *fetch, struct rtk_job *job) {
  rtk_list_remove(&fetch->lists[job->state], &job->link);
}

/* Takes a job without a reply out of its list and ends its transfer. */
static void stop(struct rtk_fetch *fetch, struct rtk_job *job) {
  leave(fetch, job);
  if (job->transfer == NULL) return;
  rtk_http_end(fetch->http, job->transfer);
  job->transfer = NULL;
  if (job->text_url == NULL) rtk_budget_end(fetch->budget, 1, 1, NULL);
}

/* --- new, free, begin, end ------------------------------------------------ */

int rtk_fetch_new(struct rtk_config *config, struct rtk_cancel *cancel,
                  struct rtk_diskcache *disk, struct rtk_stats *stats,
                  struct rtk_fetch **fetch, struct rtk_err *err) {
  struct rtk_fetch *made = sqlite3_malloc64(sizeof(*made));
  if (made == NULL) return SQLITE_NOMEM;
  memset(made, 0, sizeof(*made));
  made->config = config;
  made->cancel = cancel;
  made->disk = disk;
  made->stats = stats;
  for (int i = 0; i < RTK_JOB_DONE; i++) rtk_list_init(&made->lists[i]);
  rtk_access_init(&made->access, config, disk);
  rtk_progress_init(&made->progress);
  int rc = rtk_http_new(&made->http, err);
  if (rc == SQLITE_OK) rc = rtk_jobs_new(&made->jobs);
  made->cache = (struct rtk_cache){config, made->jobs, disk};
  if (rc == SQLITE_OK) rc = rtk_budget_new(config, disk, &made->budget);
  if (rc != SQLITE_OK) {
    rtk_fetch_free(made);
    return rc;
  }
  *fetch = made;
  return SQLITE_OK;
}

void rtk_fetch_free(struct rtk_fetch *fetch) {
  if (fetch == NULL) return;
  rtk_access_deinit(&fetch->access);
  rtk_jobs_free(fetch->jobs);
  rtk_budget_free(fetch->budget);
  rtk_http_free(fetch->http);
  sqlite3_free(fetch);
}

int rtk_fetch_begin(struct rtk_fetch *fetch) {
  rtk_access_forget(&fetch->access);
  fetch->statement++;
  fetch->expected = 0;
  memset(&fetch->answered, 0, sizeof(fetch->answered));
  memset(&fetch->narrowed, 0, sizeof(fetch->narrowed));
  memset(&fetch->quota, 0, sizeof(fetch->quota));
  rtk_progress_begin(&fetch->progress,
                     rtk_config_text(fetch->config, RTK_PROGRESS),
                     rtk_clock_ms());
  fetch->is_foreign = rtk_http_is_foreign(fetch->http);
  if (fetch->is_foreign) return SQLITE_OK; /* rtk_fetch_request() says so */
  return rtk_diskcache_use(fetch->disk,
                           rtk_config_text(fetch->config, RTK_CACHE_FILE));
}

void rtk_fetch_end(struct rtk_fetch *fetch) {
  rtk_progress_hide(&fetch->progress, true);
  rtk_access_forget(&fetch->access);
  if (rtk_http_is_foreign(fetch->http)) return;
  rtk_diskcache_end_read(fetch->disk);
  rtk_budget_flush(fetch->budget);
}

int rtk_fetch_forget(struct rtk_fetch *fetch, int64_t *count) {
  const char *url = NULL;
  for (*count = 0; (url = rtk_jobs_oldest(fetch->jobs)) != NULL;) {
    int rc = rtk_diskcache_get(fetch->disk, url, NULL);
    if (rc == SQLITE_NOMEM) return rc;
    if (rc == SQLITE_NOTFOUND) ++*count;
    rtk_jobs_drop_oldest(fetch->jobs);
  }
  return SQLITE_OK;
}

void rtk_fetch_expect(struct rtk_fetch *fetch, size_t count) {
  int64_t expected = fetch->answered.total + (int64_t)count;
  if (count > 1 && expected > fetch->expected) fetch->expected = expected;
}

static int64_t cache_bytes(const struct rtk_fetch *fetch) {
  return rtk_config_int(fetch->config, RTK_CACHE_MAX_BYTES);
}

/* --- replies -------------------------------------------------------------- */

static void tally(const struct rtk_fetch *fetch, const struct rtk_job *job,
                  struct rtk_tallies *tallies) {
  bool is_kept = rtk_cache_is_kept(&fetch->cache, job);
  rtk_tallies_add(tallies, job->endpoint->noun,
                  is_kept ? rtk_cache_kept_until(&fetch->cache, job) : 0);
}

static void count_answer(struct rtk_fetch *fetch, const struct rtk_job *job) {
  tally(fetch, job, &fetch->answered);
  if (job->reply->outcome == RTK_OUTCOME_GONE) fetch->stats->not_found++;
}

/* All finish…() give a reply to a job that is in no list. */
static void finish(struct rtk_fetch *fetch, struct rtk_job *job,
                   struct rtk_reply *reply, int64_t fetched_unix_ms) {
  rtk_cache_finish(&fetch->cache, job, reply, fetched_unix_ms);
  count_answer(fetch, job);
}

/* With a copy of the refusal. */
static int finish_refused(struct rtk_fetch *fetch, struct rtk_job *job,
                          const struct rtk_reply *refusal) {
  struct rtk_reply *reply = NULL;
  int rc = rtk_reply_of_error(refusal, &reply);
  if (rc == SQLITE_OK) finish(fetch, job, reply, 0);
  return rc;
}

/* The quota has no request for it, or no further one behind its 429. */
static int finish_unrequested(struct rtk_fetch *fetch, struct rtk_job *job) {
  struct rtk_reply *reply = NULL;
  char *message = rtk_message_not_requested(job, fetch->access.token,
                                            fetch->quota.over_unix_ms);
  if (message == NULL) return SQLITE_NOMEM;
  struct rtk_reply draft = {.outcome = RTK_OUTCOME_FAILED,
                            .error = message,
                            .kind = RTK_KIND_QUOTA,
                            .retry_unix_ms = fetch->quota.over_unix_ms};
  int rc = rtk_reply_of_error(&draft, &reply);
  sqlite3_free(message);
  if (rc == SQLITE_OK) finish(fetch, job, reply, 0);
  return rc;
}

/* Finishes all jobs whose scope refused them. */
static int finish_all_refused(struct rtk_fetch *fetch) {
  for (int state = 0; state < RTK_JOB_DONE; state++) {
    struct rtk_job *next = NULL;
    for (struct rtk_job *job = first_job(fetch, state); job != NULL;
         job = next) {
      next = next_job(fetch, job);
      const struct rtk_reply *refusal =
          rtk_access_refusal(&fetch->access, job->url, job->scope_size);
      if (refusal == NULL) continue;
      stop(fetch, job);
      int rc = finish_refused(fetch, job, refusal);
      if (rc != SQLITE_OK) {
        enter(fetch, job, RTK_JOB_QUEUED);
        return rc;
      }
    }
  }
  return SQLITE_OK;
}

/* With on_error = 'row': what could not be requested fails, id by id, and what
** has come is delivered. */
static int finish_all_unrequested(struct rtk_fetch *fetch) {
  fetch->quota.over_unix_ms = rtk_clock_unix_ms() + fetch->quota.wait_ms;
  for (int state = RTK_JOB_QUEUED; state <= RTK_JOB_WAITING; state++) {
    struct rtk_job *job = NULL;
    while ((job = first_job(fetch, state)) != NULL) {
      leave(fetch, job);
      int rc = finish_unrequested(fetch, job);
      if (rc != SQLITE_OK) {
        enter(fetch, job, RTK_JOB_QUEUED);
        return rc;
      }
    }
  }
  fetch->quota.wait_ms = fetch->quota.since_ms = 0;
  return SQLITE_OK;
}

/* The reply is a link, which is requested next. */
static int follow_link(struct rtk_fetch *fetch, struct rtk_job *job,
                       const char *link) {
  rtk_access_prove(&fetch->access, job->scope);
  job->text_url = sqlite3_mprintf("%s", link);
  if (job->text_url == NULL) return SQLITE_NOMEM;
  job->tries = 0;
  enter(fetch, job, RTK_JOB_LINKED);
  return SQLITE_OK;
}

/* With the verdict on its response.  `wait_ms` (0: none): the wait that the
** server asked for, which is longer than max_wait_ms. */
static int finish_judged(struct rtk_fetch *fetch, struct rtk_job *job,
                         const struct rtk_response *response, int64_t wait_ms) {
  char go_on[RTK_TIME_TEXT_SIZE] = "";
  int64_t go_on_unix_ms = wait_ms > 0 ? rtk_clock_unix_ms() + wait_ms : 0;
  if (wait_ms > 0) rtk_time_text(go_on, go_on_unix_ms);
  struct rtk_ask ask = {.endpoint = job->endpoint,
                        .id = job->id,
                        .page = job->page,
                        .token = fetch->access.token,
                        .token_source = fetch->access.token_source,
                        .go_on_after = wait_ms > 0 ? go_on : NULL,
                        .go_on_unix_ms = go_on_unix_ms,
                        .tries = job->tries,
                        .is_local_too =
                            job->endpoint->link != NULL && is_local_too(fetch)};
  struct rtk_verdict verdict;
  int rc = rtk_status_judge(&ask, response, &verdict);
  if (rc != SQLITE_OK) return rc;
  if (verdict.link != NULL) {
    rc = follow_link(fetch, job, verdict.link);
    rtk_verdict_deinit(&verdict);
    return rc;
  }
  finish(fetch, job, verdict.reply, rtk_clock_unix_ms());
  if (rtk_reply_is_refusal(job->reply)) {
    rc = rtk_access_refuse(&fetch->access, job->reply, job->url,
                           job->scope_size);
    if (rc == SQLITE_OK) rc = finish_all_refused(fetch);
  } else {
    if (response->status != 0) rtk_access_prove(&fetch->access, job->scope);
    rc = rtk_cache_keep(&fetch->cache, job, response, verdict.rows);
  }
  rtk_verdict_deinit(&verdict);
  return rc;
}

/* --- retries -------------------------------------------------------------- */

/* After a 429 nobody sends anything for a while.  Replies to requests that were
** in flight when the pause began belong to it. */
static void pause_all(struct rtk_fetch *fetch, int64_t wait_ms) {
  if (rtk_budget_blocked_ms(fetch->budget) == 0) fetch->quota.pauses++;
  rtk_budget_block(fetch->budget, wait_ms);
}

static struct rtk_backoff decide(const struct rtk_fetch *fetch,
                                 struct rtk_job *job, int sent,
                                 const struct rtk_response *response) {
  enum rtk_retry_kind kind = rtk_status_retry(response);
  uint32_t random = 0;
  sqlite3_randomness((int)sizeof(random), &random);
  bool is_new_pause = rtk_budget_blocked_ms(fetch->budget) == 0;
  if (kind != RTK_RETRY_PAUSE) job->tries += sent == 0 ? 1 : sent;
  int tries = kind != RTK_RETRY_PAUSE ? job->tries
              : is_new_pause          ? fetch->quota.pauses + 1
                                      : fetch->quota.pauses;
  return rtk_backoff_decide(response, kind, tries,
                            (int)rtk_config_int(fetch->config, RTK_MAX_RETRIES),
                            rtk_clock_unix_ms(), random);
}

/* The most requests in flight.  After narrow() it grows by one for each
** RTK_WIDEN_REPLIES replies. */
static int64_t in_flight_max(const struct rtk_fetch *fetch) {
  int64_t concurrency = rtk_config_int(fetch->config, RTK_CONCURRENCY);
  int64_t most = rtk_http_width(fetch->http);
  int64_t narrowed =
      fetch->narrowed.max + fetch->narrowed.replies / RTK_WIDEN_REPLIES;
  if (fetch->narrowed.max > 0 && narrowed < most) most = narrowed;
  return concurrency < most ? concurrency : most;
}

/* Fewer requests in flight from now on, except those already started. */
static void narrow(struct rtk_fetch *fetch, int64_t max) {
  fetch->narrowed.max = max < 1 ? 1 : max;
  fetch->narrowed.set_ms = rtk_clock_ms();
  fetch->narrowed.replies = 0;
}

/* Did the request fail because too many were in flight? Then it goes out again,
** with fewer at a time.  Either there was no file descriptor, and nothing was
** sent; or the server closes a connection after a number of requests, and
** refused this one. */
static bool is_one_too_many(struct rtk_fetch *fetch, struct rtk_job *job,
                            int sent, const struct rtk_response *response) {
  int64_t most = rtk_config_int(fetch->config, RTK_MAX_RETRIES);
  /* One repeat is always allowed: a kept connection may have been closed by the
  ** server meanwhile, and then nothing has reached it. */
  if (most < 1) most = 1;
  job->is_alone = false;
  if (response->failure == RTK_FAILURE_FILES &&
      count_of(fetch, RTK_JOB_IN_FLIGHT) > 0) {
    narrow(fetch, count_of(fetch, RTK_JOB_IN_FLIGHT));
    return true;
  }
  if (response->failure != RTK_FAILURE_REFUSED) return false;
  /* Requests started before the last narrow() belong to the same refusal. */
  if (job->started_ms > fetch->narrowed.set_ms) {
    int64_t half = in_flight_max(fetch) / 2;
    narrow(fetch, half < RTK_WIDTH_MIN ? RTK_WIDTH_MIN : half);
  }
  if (job->tries + sent > most) return false; /* decide() counts it */
  job->tries += sent;
  job->is_alone = job->tries == most; /* and so not one of too many */
  fetch->stats->retries++;
  return true;
}

/* A transfer has ended that went over the wire `sent` times: the job, which is
** in no list, is tried again or finished. */
static int conclude(struct rtk_fetch *fetch, struct rtk_job *job, int sent,
                    const struct rtk_response *response) {
  int64_t max_wait = rtk_config_int(fetch->config, RTK_MAX_WAIT_MS);
  if (is_one_too_many(fetch, job, sent, response)) {
    job->state = queue_of(job);
    rtk_list_prepend(&fetch->lists[job->state], &job->link);
    return SQLITE_OK;
  }
  if (response->status != 0) fetch->narrowed.replies++;
  job->is_again = response->status == 0;
  struct rtk_backoff retry = decide(fetch, job, sent, response);
  if (retry.is_pause) {
    pause_all(fetch, retry.wait_ms);
  } else if (response->status != 0 && !response->is_of_link) {
    fetch->quota.pauses = 0;
    fetch->quota.since_ms = 0;
  }
  if (!retry.is_retried) return finish_judged(fetch, job, response, 0);
  fetch->stats->retries++;
  job->scope->probe_until_ms =
      0;                /* another job may be the first of its scope */
  if (retry.is_pause) { /* nothing is sent until it is over: see the budget */
    enter(fetch, job, RTK_JOB_QUEUED);
    return SQLITE_OK;
  }
  if (response->status != 0) rtk_access_prove(&fetch->access, job->scope);
  if (max_wait > 0 && retry.wait_ms > max_wait) {
    return finish_judged(fetch, job, response, retry.wait_ms);
  }
  job->not_before_ms = rtk_clock_ms() + retry.wait_ms;
  enter(fetch, job, RTK_JOB_WAITING);
  return SQLITE_OK;
}

/* Counts a transfer that has ended.  It was counted as one request when it
** began; what counts is how often it went over the wire. */
static void account_for(struct rtk_fetch *fetch, const char *token,
                        int64_t took_ms, int sent,
                        const struct rtk_response *response) {
  struct rtk_stats *stats = fetch->stats;
  struct rtk_ratelimit news;
  stats->bytes += (int64_t)response->body_size;
  if (!response->is_of_link) stats->requests += sent - 1;
  if (sent > 1) stats->retries += sent - 1;
  if (response->is_of_link) return;
  if (sent == 0 || response->status == 0) { /* 0: there was no connection */
    rtk_budget_end(fetch->budget, 1, sent, NULL);
    return;
  }
  rtk_stats_add_latency(stats, took_ms);
  rtk_stats_note_ray(stats, response->cf_ray, token);
  rtk_ratelimit_read(response, rtk_clock_unix_ms(), &news);
  rtk_budget_end(fetch->budget, 1, sent, &news);
}

int rtk_fetch_acquire_slot(struct rtk_fetch *fetch, const char *token,
                           struct rtk_err *err) {
  const struct rtk_config *config = fetch->config;
  int64_t max_wait = rtk_config_int(config, RTK_MAX_WAIT_MS);
  int64_t begun_ms = rtk_clock_ms();
  int rc = SQLITE_OK;
  if (count_of(fetch, RTK_JOB_IN_FLIGHT) == 0) {
    rc = rtk_budget_join(fetch->budget, rtk_config_text(config, RTK_BASE_URL),
                         token);
  }
  while (rc == SQLITE_OK) {
    int64_t wait_ms = RTK_WAIT_MAX_MS;
    if (rtk_budget_acquire(fetch->budget, 1, &wait_ms) == 1) break;
    int64_t waited_ms = rtk_clock_ms() - begun_ms;
    if (max_wait > 0 && waited_ms + wait_ms > max_wait) {
      return rtk_message_quota_wait(rtk_clock_unix_ms() + wait_ms, err);
    }
    rc = rtk_cancel_asked(fetch->cancel)
             ? SQLITE_INTERRUPT
             : rtk_http_poll(fetch->http, RTK_CANCEL_CHECK_MS, err);
  }
  if (rc == SQLITE_OK) fetch->stats->requests++;
  return rc;
}

void rtk_fetch_record(struct rtk_fetch *fetch, const char *token, int sent,
                      const struct rtk_response *response) {
  if (rtk_status_retry(response) == RTK_RETRY_PAUSE) {
    struct rtk_backoff retry = rtk_backoff_decide(response, RTK_RETRY_PAUSE, 1,
                                                  0, rtk_clock_unix_ms(), 0);
    rtk_budget_block(fetch->budget, retry.wait_ms);
  }
  account_for(fetch, token, response->took_ms, sent, response);
  rtk_budget_flush(fetch->budget);
}

/* Concludes all transfers that have ended. */
static int collect(struct rtk_fetch *fetch) {
  struct rtk_transfer *transfer = NULL;
  bool has_ended = false;
  while ((transfer = rtk_http_next_done(fetch->http)) != NULL) {
    has_ended = true;
    struct rtk_job *job = rtk_transfer_owner(transfer);
    int sent = rtk_transfer_sent(transfer);
    const struct rtk_response *response = rtk_transfer_response(transfer);
    leave(fetch, job);
    job->transfer = NULL;
    int rc = rtk_transfer_is_nomem(transfer)
                 ? SQLITE_NOMEM
                 : conclude(fetch, job, sent, response);
    account_for(fetch, fetch->access.token, rtk_clock_ms() - job->started_ms,
                sent, response);
    rtk_http_end(fetch->http, transfer);
    /* A job without a reply stays in a list until it is released. */
    if (rc != SQLITE_OK && job->reply == NULL && job->link.next == NULL) {
      enter(fetch, job, queue_of(job));
    }
    if (rc != SQLITE_OK) return rc;
  }
  if (has_ended) rtk_budget_flush(fetch->budget);
  return SQLITE_OK;
}

/* --- requests ------------------------------------------------------------- */

static int refuse_move(struct rtk_err *err) {
  return rtk_err_set(err, "the token, or where it goes, was changed by"
                          " rtk_config() while this statement ran: run it"
                          " again");
}

/* The token is asked for when the first request of a statement goes out. */
static int need_token(struct rtk_fetch *fetch, struct rtk_err *err) {
  bool is_new = fetch->access.token == NULL;
  if (rtk_access_is_outdated(&fetch->access)) return refuse_move(err);
  int rc = rtk_access_need_token(&fetch->access, err);
  if (rc == SQLITE_ERROR && rtk_config_check(fetch->config, err) == SQLITE_OK) {
    err->kind = RTK_KIND_TOKEN;
  }
  if (rc != SQLITE_OK || !is_new) return rc;
  return rtk_budget_join(fetch->budget,
                         rtk_config_text(fetch->config, RTK_BASE_URL),
                         fetch->access.token);
}

static int start(struct rtk_fetch *fetch, struct rtk_job *job,
                 struct rtk_err *err) {
  int64_t retries = rtk_config_int(fetch->config, RTK_MAX_RETRIES);
  int sends_left = (int)retries + 1 - job->tries;
  bool is_of_link = job->text_url != NULL;
  struct rtk_request request = {
      .url = is_of_link ? job->text_url : job->url,
      .token = is_of_link ? NULL : fetch->access.token,
      .is_local_too = is_of_link && is_local_too(fetch),
      .owner = job,
      /* One repeat is always allowed: a kept connection may have been closed by
      ** the server meanwhile, and then nothing has reached it. */
      .sends_max = sends_left < 2 ? 2 : sends_left,
      .is_again = job->is_again};
  rtk_config_fill_request(fetch->config, &request);
  int rc = rtk_http_start(fetch->http, &request, &job->transfer, err);
  if (rc != SQLITE_OK) return rc;
  leave(fetch, job);
  enter(fetch, job, RTK_JOB_IN_FLIGHT);
  job->started_ms = rtk_clock_ms();
  if (is_of_link) return SQLITE_OK;
  if (job->scope->probe_until_ms == 0) {
    job->scope->probe_until_ms = job->started_ms + RTK_PROBE_MS;
    if (!job->scope->is_proven) rtk_access_recall(&fetch->access, job->scope);
  }
  fetch->stats->requests++;
  return SQLITE_OK;
}

/* Until when a queued job waits for the first reply of its account and app. */
static int64_t probe_end(const struct rtk_job *job) {
  return job->scope->is_proven ? 0 : job->scope->probe_until_ms;
}

/* Queues the jobs whose wait is over.  *wait_ms is lowered to the time until
** the next one. */
static void end_waits(struct rtk_fetch *fetch, int64_t now, int64_t *wait_ms) {
  struct rtk_job *next = NULL;
  for (struct rtk_job *job = first_job(fetch, RTK_JOB_WAITING); job != NULL;
       job = next) {
    next = next_job(fetch, job);
    if (job->not_before_ms <= now) {
      leave(fetch, job);
      enter(fetch, job, queue_of(job));
    } else if (job->not_before_ms - now < *wait_ms) {
      *wait_ms = job->not_before_ms - now;
    }
  }
}

/* How many queued jobs may be started now; *wait_ms as above.  A job that is to
** be alone neither joins others nor lets others join. */
static int count_ready(struct rtk_fetch *fetch, int64_t now, int64_t *wait_ms) {
  const struct rtk_job *in_flight = first_job(fetch, RTK_JOB_IN_FLIGHT);
  int64_t room = in_flight_max(fetch) - count_of(fetch, RTK_JOB_IN_FLIGHT);
  int64_t ready = 0;
  bool is_full = in_flight != NULL && in_flight->is_alone;
  for (const struct rtk_job *job = first_job(fetch, RTK_JOB_QUEUED);
       job != NULL && ready < room; job = next_job(fetch, job)) {
    int64_t at = probe_end(job);
    if (at <= now) {
      if (job->is_alone && (ready > 0 || in_flight != NULL)) is_full = true;
      if (!is_full) ready++;
      if (job->is_alone) is_full = true;
    } else if (at - now < *wait_ms) {
      *wait_ms = at - now;
    }
  }
  return (int)ready;
}

/* Starts the requests for texts: the quota is not theirs. */
static int start_linked(struct rtk_fetch *fetch, struct rtk_err *err) {
  struct rtk_job *job = NULL;
  int rc = SQLITE_OK;
  while (rc == SQLITE_OK && (job = first_job(fetch, RTK_JOB_LINKED)) != NULL &&
         count_of(fetch, RTK_JOB_IN_FLIGHT) < in_flight_max(fetch)) {
    rc = start(fetch, job, err);
  }
  return rc;
}

/* Starts the queued jobs that the quota has room for. */
static int start_queued(struct rtk_fetch *fetch, int64_t *wait_ms,
                        struct rtk_err *err) {
  int64_t now = rtk_clock_ms();
  int64_t quota_wait_ms = RTK_WAIT_MAX_MS;
  end_waits(fetch, now, wait_ms);
  int rc = start_linked(fetch, err);
  int ready = count_ready(fetch, now, wait_ms);
  fetch->quota.wait_ms = 0;
  if (rc != SQLITE_OK || ready == 0) return rc;
  rc = need_token(fetch, err);
  if (rc != SQLITE_OK) return rc;
  int granted = rtk_budget_acquire(fetch->budget, ready, &quota_wait_ms);
  if (granted < ready && quota_wait_ms > 0 && quota_wait_ms < *wait_ms) {
    *wait_ms = quota_wait_ms;
  }
  if (granted == 0 && count_of(fetch, RTK_JOB_IN_FLIGHT) == 0) {
    fetch->quota.wait_ms = quota_wait_ms;
  }
  struct rtk_job *next = NULL;
  for (struct rtk_job *job = first_job(fetch, RTK_JOB_QUEUED);
       job != NULL && granted > 0 && rc == SQLITE_OK; job = next) {
    next = next_job(fetch, job);
    if (probe_end(job) > now) continue;
    rc = start(fetch, job, err);
    if (rc == SQLITE_OK) granted--;
  }
  rtk_budget_end(fetch->budget, granted, 0, NULL);
  return rc;
}

/* Ids that the statement will ask for; 0: not known. */
static int64_t expected(const struct rtk_fetch *fetch) {
  bool is_known =
      fetch->expected > 1 && fetch->expected >= fetch->answered.total;
  return is_known ? fetch->expected : 0;
}

/* Failures are not kept; without a cache file, neither are replies that memory
** has no room for. */
static int refuse_wait(const struct rtk_fetch *fetch, struct rtk_err *err) {
  const struct rtk_job *job = NULL;
  struct rtk_quota_end end = {
      .noun = fetch->endpoint->noun,
      .expected = expected(fetch),
      .is_in_file = rtk_diskcache_is_in_use(fetch->disk),
      .is_blocked = rtk_budget_blocked_ms(fetch->budget) > 0,
      .go_on_unix_ms = rtk_clock_unix_ms() + fetch->quota.wait_ms};
  if (end.is_in_file) {
    end.kept = fetch->answered;
  } else {
    while ((job = rtk_jobs_next(fetch->jobs, job)) != NULL) {
      if (job->statement == fetch->statement && job->reply != NULL &&
          !job->is_unrequested) {
        tally(fetch, job, &end.kept);
      }
    }
  }
  return rtk_message_quota_end(&end, err);
}

/* A wait for the quota that is longer than max_wait_ms, alone or together with
** the waits in vain before it, ends the statement. */
static int check_wait(struct rtk_fetch *fetch, struct rtk_err *err) {
  int64_t max_wait = rtk_config_int(fetch->config, RTK_MAX_WAIT_MS);
  int64_t now = rtk_clock_ms();
  if (fetch->quota.wait_ms == 0) return SQLITE_OK;
  if (fetch->quota.since_ms == 0) fetch->quota.since_ms = now;
  int64_t whole = now + fetch->quota.wait_ms - fetch->quota.since_ms;
  if (max_wait == 0 || whole <= max_wait) return SQLITE_OK;
  bool is_row =
      strcmp(rtk_config_text(fetch->config, RTK_ON_ERROR), "row") == 0;
  return is_row ? finish_all_unrequested(fetch) : refuse_wait(fetch, err);
}

/* Has the quota ended in this statement, and is it not yet time to go on? */
static bool is_quota_over(const struct rtk_fetch *fetch) {
  return fetch->quota.over_unix_ms > 0 &&
         rtk_clock_unix_ms() < fetch->quota.over_unix_ms;
}

static void show_progress(struct rtk_fetch *fetch) {
  struct rtk_progress_news news = {.done = fetch->answered.total,
                                   .total = expected(fetch),
                                   .noun = fetch->endpoint->noun,
                                   .wait_ms = fetch->quota.wait_ms};
  rtk_progress_show(&fetch->progress, &news, rtk_clock_ms());
}

void rtk_fetch_before_row(struct rtk_fetch *fetch) {
  fetch->quota.since_ms = 0; /* the program's own time is no wait */
  rtk_progress_hide(&fetch->progress, false);
}

int rtk_fetch_drive(struct rtk_fetch *fetch, bool is_idle,
                    struct rtk_err *err) {
  int64_t wait_ms = RTK_CANCEL_CHECK_MS;
  int64_t begun_ms = rtk_clock_ms();
  rtk_diskcache_end_read(fetch->disk);
  if (rtk_cancel_asked(fetch->cancel)) return SQLITE_INTERRUPT;
  int rc = start_queued(fetch, &wait_ms, err);
  if (rc == SQLITE_OK && is_idle) rc = check_wait(fetch, err);
  if (rc == SQLITE_OK && is_idle) show_progress(fetch);
  if (rc == SQLITE_OK) {
    rc = rtk_http_poll(fetch->http, is_idle ? (int)wait_ms : 0, err);
  }
  if (rc == SQLITE_OK) rc = collect(fetch);
  fetch->driven_ms = rtk_clock_ms();
  if (fetch->quota.wait_ms > 0) {
    fetch->stats->waited_ms += fetch->driven_ms - begun_ms;
  }
  return rc;
}

bool rtk_fetch_needs_drive(const struct rtk_fetch *fetch) {
  return count_open(fetch) > 0 &&
         rtk_clock_ms() - fetch->driven_ms >= RTK_DRIVE_EVERY_MS;
}

/* With a small cache_max_bytes only as many replies wait for their turn as
** requests may be in flight. */
bool rtk_fetch_has_room(const struct rtk_fetch *fetch) {
  int64_t max = in_flight_max(fetch);
  int64_t ready = count_of(fetch, RTK_JOB_QUEUED) +
                  count_of(fetch, RTK_JOB_LINKED) +
                  count_of(fetch, RTK_JOB_IN_FLIGHT);
  bool has_memory = rtk_jobs_held_bytes(fetch->jobs) < cache_bytes(fetch) ||
                    ready + rtk_jobs_held_count(fetch->jobs) < max;
  return !is_quota_over(fetch) && has_memory && ready < max &&
         count_of(fetch, RTK_JOB_WAITING) <
             rtk_config_int(fetch->config, RTK_CONCURRENCY);
}

/* Drops the replies of the old settings when no job is open. */
static int follow_settings(struct rtk_fetch *fetch, struct rtk_err *err) {
  if (!rtk_access_is_outdated(&fetch->access)) return SQLITE_OK;
  if (count_open(fetch) > 0) return refuse_move(err);
  (void)rtk_access_renew(&fetch->access);
  rtk_jobs_drop_idle(fetch->jobs);
  return SQLITE_OK;
}

/* --- where it stands ------------------------------------------------------ */

int rtk_fetch_quota_left(struct rtk_fetch *fetch, int64_t *left,
                         int64_t *reset_ms) {
  struct rtk_err err = {0};
  int rc = SQLITE_OK;
  if (count_open(fetch) == 0) {
    rc = follow_settings(fetch, &err);
    if (rc == SQLITE_OK) rc = need_token(fetch, &err);
    rtk_err_clear(&err);
  }
  if (rc == SQLITE_NOMEM) return rc;
  *left = rtk_budget_left(fetch->budget, reset_ms);
  return SQLITE_OK;
}

int64_t rtk_fetch_blocked_ms(const struct rtk_fetch *fetch) {
  return rtk_budget_blocked_ms(fetch->budget);
}

/* --- request, release ----------------------------------------------------- */

/* Is the reply that an idle job kept good for this statement? */
static bool is_good(const struct rtk_fetch *fetch, const struct rtk_job *job) {
  return job->statement == fetch->statement ||
         rtk_cache_is_fresh(&fetch->cache, job);
}

/* Finishes a new job from the cache file, if its reply is there. */
static int find_in_file(struct rtk_fetch *fetch, struct rtk_job *job) {
  int rc = rtk_cache_find(&fetch->cache, job);
  if (rc != SQLITE_OK || job->reply == NULL) return rc;
  count_answer(fetch, job);
  fetch->stats->from_file++;
  return SQLITE_OK;
}

/* Finishes a new job, from the file if it `may_be_old` or as refused, or queues
** it. */
static int begin(struct rtk_fetch *fetch, struct rtk_job *job,
                 bool may_be_old) {
  int rc = may_be_old ? find_in_file(fetch, job) : SQLITE_OK;
  if (rc != SQLITE_OK || job->reply != NULL) return rc;
  const struct rtk_reply *refusal =
      rtk_access_refusal(&fetch->access, job->url, job->scope_size);
  if (refusal != NULL) return finish_refused(fetch, job, refusal);
  if (is_quota_over(fetch)) return finish_unrequested(fetch, job);
  rc = rtk_access_scope(&fetch->access, job->url, job->scope_size, &job->scope);
  if (rc == SQLITE_OK) enter(fetch, job, RTK_JOB_QUEUED);
  return rc;
}

/* The statement uses this job. */
static void mark(struct rtk_fetch *fetch, struct rtk_job *job) {
  job->statement = fetch->statement;
  job->is_unrequested = false;
}

/* Begins a job that is new, or whose reply is too old, or counts its reply. */
static int use(struct rtk_fetch *fetch, struct rtk_job *job, bool is_new,
               int64_t since_ms) {
  bool is_first = job->statement != fetch->statement || job->is_unrequested;
  if (!is_new && job->reply != NULL && rtk_job_is_last_holder(job) &&
      (!is_good(fetch, job) || job->started_ms < since_ms)) {
    rtk_jobs_restart(fetch->jobs, job);
    is_new = true;
  }
  mark(fetch, job);
  if (is_new) return begin(fetch, job, since_ms == 0);
  if (is_first) {
    count_answer(fetch, job);
    fetch->stats->from_memory++;
  }
  return SQLITE_OK;
}

/* The job of a call, held. */
static int hold(struct rtk_fetch *fetch, struct rtk_call *call,
                struct rtk_job **job, bool *is_new) {
  const char *url =
      rtk_call_url(call, rtk_config_text(fetch->config, RTK_BASE_URL));
  if (url == NULL) return SQLITE_NOMEM;
  int rc = rtk_jobs_hold(fetch->jobs, call->signature->endpoint, url,
                         rtk_call_id(call), job, is_new);
  if (rc != SQLITE_OK || !*is_new) return rc;
  (*job)->scope_size = call->scope_size;
  (*job)->page = call->page;
  return SQLITE_OK;
}

int rtk_fetch_request(struct rtk_fetch *fetch, struct rtk_call *call,
                      int64_t since_ms, struct rtk_job **job,
                      struct rtk_err *err) {
  struct rtk_job *held = NULL;
  bool is_new = false;
  int rc = fetch->is_foreign ? rtk_http_check_process(fetch->http, err)
                             : follow_settings(fetch, err);
  if (rc == SQLITE_OK) rc = hold(fetch, call, &held, &is_new);
  if (rc != SQLITE_OK) return rc;
  fetch->endpoint = held->endpoint;
  rc = use(fetch, held, is_new, since_ms);
  if (rc != SQLITE_OK) {
    rtk_jobs_release(fetch->jobs, held, cache_bytes(fetch));
    return rc;
  }
  *job = held;
  return SQLITE_OK;
}

int rtk_fetch_peek(struct rtk_fetch *fetch, struct rtk_call *call,
                   struct rtk_job **job) {
  struct rtk_job *held = NULL;
  bool is_new = false;
  *job = NULL;
  int rc = hold(fetch, call, &held, &is_new);
  if (rc != SQLITE_OK) return rc;
  if (is_new) {
    rc = find_in_file(fetch, held);
    mark(fetch, held);
  } else if (held->reply != NULL && is_good(fetch, held)) {
    rc = use(fetch, held, false, 0);
  }
  if (rc == SQLITE_OK && held->reply != NULL && is_good(fetch, held)) {
    *job = held;
  } else {
    rtk_jobs_release(fetch->jobs, held, cache_bytes(fetch));
  }
  return rc;
}

void rtk_fetch_release(struct rtk_fetch *fetch, struct rtk_job *job) {
  if (job->reply == NULL && rtk_job_is_last_holder(job)) stop(fetch, job);
  rtk_jobs_release(fetch->jobs, job, cache_bytes(fetch));
}
