/*
** Requests of one connection, from "this is wanted" to "this is the reply".
**
** An entry without a reply is in one of two lists: `pending` (to be started
** when there is room and its time has come) or `active` (a transfer is under
** way).  Everything happens inside rtk_fetch_drive(), on the caller's thread.
*/
#include "fetch/fetch.h"

#include "api/endpoint.h"
#include "api/ratelimit.h"
#include "api/reply.h"
#include "api/retry.h"
#include "api/status.h"
#include "api/wanted.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/show.h"
#include "config/config.h"
#include "disk/store.h"
#include "fetch/cache.h"
#include "fetch/caller.h"
#include "fetch/memo.h"
#include "fetch/progress.h"
#include "fetch/stats.h"
#include "net/cancel.h"
#include "net/http.h"
#include "net/response.h"
#include "quota/budget.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

struct list {
  struct rtk_entry *first, *last;
  int count;
};

/* Replies of one kind in a statement. */
struct tally {
  const char *noun;      /* static */
  int64_t count;         /* that are here */
  int64_t kept;          /* of those, that outlive the statement … */
  int64_t until_unix_ms; /* … the first of them until then */
};

struct rtk_fetch {
  const struct rtk_config *config;
  struct rtk_cancel *cancel;
  struct rtk_store *store; /* borrowed, as is the next */
  struct rtk_stats *stats;
  struct rtk_http *http;
  struct rtk_memo *memo;
  struct rtk_budget *budget;
  struct rtk_caller caller;
  struct rtk_cache cache;
  struct list pending, active;
  int backing_off; /* of the pending ones, at the last drive: their time is yet
                      to come */
  int64_t driven_ms;

  int64_t width_max;   /* of the statement: fewer requests at a time than the
                          settings allow, since file descriptors ran out or
                          the server refused some; 0: no such limit */
  int64_t narrowed_ms; /* when that was */
  int64_t replies;     /* since then */

  /* Of the statement. */
  int64_t statement; /* a number that no other has had */
  int64_t expected;  /* ids, as far as batches know; 0: they do not */
  int64_t answered;  /* ids, whose reply is here */
  struct tally tallies[RTK_TALLIES_MAX]; /* what these were, in order */
  int tally_count;
  const struct rtk_endpoint *endpoint; /* of what was asked for last */
  struct rtk_progress progress;        /* what it tells on stderr */

  /* Waits for the quota. */
  int64_t held_up_ms;       /* nothing may be sent for so long; 0: it may */
  int64_t waiting_since_ms; /* 0: no wait goes on */
  int64_t given_up_unix_ms; /* with on_error = 'row': until then nothing more is
                               requested; 0: the quota has not ended */
  int pauses;               /* that replies with 429 asked for, in a row */
};

/* --- lists ------------------------------------------------------------------ */

static void append(struct list *list, struct rtk_entry *entry) {
  entry->next = NULL;
  entry->previous = list->last;
  *(list->last == NULL ? &list->first : &list->last->next) = entry;
  list->last = entry;
  list->count++;
}

static void prepend(struct list *list, struct rtk_entry *entry) {
  entry->previous = NULL;
  entry->next = list->first;
  *(list->first == NULL ? &list->last : &list->first->previous) = entry;
  list->first = entry;
  list->count++;
}

static void remove_from(struct list *list, struct rtk_entry *entry) {
  *(entry->previous == NULL ? &list->first : &entry->previous->next) =
      entry->next;
  *(entry->next == NULL ? &list->last : &entry->next->previous) =
      entry->previous;
  entry->next = entry->previous = NULL;
  list->count--;
}

/* Takes an entry without a reply out of its list, its transfer with it. */
static void stop(struct rtk_fetch *fetch, struct rtk_entry *entry) {
  if (entry->transfer == NULL) {
    remove_from(&fetch->pending, entry);
    return;
  }
  rtk_http_end(fetch->http, entry->transfer);
  entry->transfer = NULL;
  remove_from(&fetch->active, entry);
  rtk_budget_end(fetch->budget, NULL);
}

/* --- new, free, begin, end --------------------------------------------------- */

int rtk_fetch_new(struct rtk_config *config, struct rtk_cancel *cancel,
                  struct rtk_store *store, struct rtk_stats *stats,
                  struct rtk_fetch **fetch, struct rtk_err *err) {
  struct rtk_fetch *made = sqlite3_malloc64(sizeof(*made));
  if (made == NULL) return SQLITE_NOMEM;
  memset(made, 0, sizeof(*made));
  made->config = config;
  made->cancel = cancel;
  made->store = store;
  made->stats = stats;
  rtk_caller_init(&made->caller, config);
  rtk_progress_init(&made->progress);
  int rc = rtk_http_new(&made->http, err);
  if (rc == SQLITE_OK) rc = rtk_memo_new(&made->memo);
  made->cache = (struct rtk_cache){config, made->memo, store};
  if (rc == SQLITE_OK) rc = rtk_budget_new(config, store, &made->budget);
  if (rc != SQLITE_OK) {
    rtk_fetch_free(made);
    return rc;
  }
  *fetch = made;
  return SQLITE_OK;
}

void rtk_fetch_free(struct rtk_fetch *fetch) {
  if (fetch == NULL) return;
  rtk_caller_deinit(&fetch->caller);
  rtk_memo_free(fetch->memo);
  rtk_budget_free(fetch->budget);
  rtk_http_free(fetch->http);
  sqlite3_free(fetch);
}

int rtk_fetch_begin(struct rtk_fetch *fetch) {
  rtk_caller_forget(&fetch->caller);
  fetch->statement++;
  fetch->expected = fetch->answered = 0;
  fetch->tally_count = 0;
  fetch->pauses = 0;
  fetch->width_max = fetch->narrowed_ms = fetch->replies = 0;
  fetch->held_up_ms = fetch->waiting_since_ms = fetch->given_up_unix_ms = 0;
  rtk_progress_begin(&fetch->progress,
                     rtk_config_text(fetch->config, RTK_PROGRESS),
                     rtk_clock_ms());
  if (rtk_http_is_foreign(fetch->http)) return SQLITE_OK; /* want() says so */
  return rtk_store_use(fetch->store,
                       rtk_config_text(fetch->config, RTK_CACHE_FILE));
}

void rtk_fetch_end(struct rtk_fetch *fetch) {
  rtk_progress_hide(&fetch->progress, true);
  rtk_caller_forget(&fetch->caller);
  if (rtk_http_is_foreign(fetch->http)) return;
  rtk_store_end_read(fetch->store);
  rtk_budget_flush(fetch->budget);
}

int rtk_fetch_forget(struct rtk_fetch *fetch, int64_t *count) {
  const char *url = NULL;
  for (*count = 0; (url = rtk_memo_oldest(fetch->memo)) != NULL;) {
    int rc = rtk_store_get(fetch->store, url, NULL);
    if (rc == SQLITE_NOMEM) return rc;
    if (rc == SQLITE_NOTFOUND) ++*count;
    rtk_memo_drop_oldest(fetch->memo);
  }
  return SQLITE_OK;
}

void rtk_fetch_expect(struct rtk_fetch *fetch, size_t count) {
  int64_t expected = fetch->answered + (int64_t)count;
  if (count > 1 && expected > fetch->expected) fetch->expected = expected;
}

static int64_t cache_bytes(const struct rtk_fetch *fetch) {
  return rtk_config_int(fetch->config, RTK_CACHE_MAX_BYTES);
}

/* --- replies ------------------------------------------------------------------ */

/* Adds an entry's reply to the tally of its noun; those of more than
** RTK_TALLIES_MAX nouns count with the last one. */
static void add_to_tally(const struct rtk_fetch *fetch, struct tally *tallies,
                         int *count, const struct rtk_entry *entry) {
  const char *noun = entry->endpoint->noun;
  int i = 0;
  while (i < *count && strcmp(tallies[i].noun, noun) != 0) i++;
  if (i == RTK_TALLIES_MAX) i--;
  if (i == *count) tallies[(*count)++] = (struct tally){.noun = noun};
  tallies[i].count++;
  if (!rtk_cache_is_kept(&fetch->cache, entry)) return;
  int64_t until = rtk_cache_kept_until(&fetch->cache, entry);
  if (tallies[i].kept++ == 0 || until < tallies[i].until_unix_ms) {
    tallies[i].until_unix_ms = until;
  }
}

static void count_answer(struct rtk_fetch *fetch,
                         const struct rtk_entry *entry) {
  fetch->answered++;
  add_to_tally(fetch, fetch->tallies, &fetch->tally_count, entry);
  if (entry->reply->outcome == RTK_OUTCOME_GONE) fetch->stats->not_found++;
}

/* Gives an entry that is in no list its reply. */
static void answer(struct rtk_fetch *fetch, struct rtk_entry *entry,
                   struct rtk_reply *reply, int64_t fetched_unix_ms) {
  rtk_cache_settle(&fetch->cache, entry, reply, fetched_unix_ms);
  count_answer(fetch, entry);
}

/* Settles an entry that is in no list with a copy of the refusal. */
static int settle_refused(struct rtk_fetch *fetch, struct rtk_entry *entry,
                          const struct rtk_reply *refusal) {
  struct rtk_reply *reply = NULL;
  int rc = rtk_reply_of_error(refusal, &reply);
  if (rc == SQLITE_OK) answer(fetch, entry, reply, 0);
  return rc;
}

/* Settles all that is still open and has been refused. */
static int settle_open(struct rtk_fetch *fetch) {
  struct list *lists[] = {&fetch->pending, &fetch->active};
  for (int i = 0; i < 2; i++) {
    struct rtk_entry *next = NULL;
    for (struct rtk_entry *e = lists[i]->first; e != NULL; e = next) {
      next = e->next;
      const struct rtk_reply *refusal =
          rtk_caller_refusal(&fetch->caller, e->url, e->scope_size);
      if (refusal == NULL) continue;
      stop(fetch, e);
      int rc = settle_refused(fetch, e, refusal);
      if (rc != SQLITE_OK) {
        append(&fetch->pending, e);
        return rc;
      }
    }
  }
  return SQLITE_OK;
}

/* Keeps the entry's reply in mind as a refusal to all of its scope, or to
** everybody. */
static int refuse(struct rtk_fetch *fetch, const struct rtk_entry *entry) {
  int rc = rtk_caller_refuse(&fetch->caller, entry->reply, entry->url,
                             entry->scope_size);
  return rc == SQLITE_OK ? settle_open(fetch) : rc;
}

/* The last word on an entry, which is in no list.  A wait (0: none) is one that
** the server asked for and that is too long to be sat out. */
static int settle(struct rtk_fetch *fetch, struct rtk_entry *entry,
                  const struct rtk_response *response, int64_t wait_ms) {
  char go_on[RTK_SHOW_TIME_SIZE] = "";
  int64_t go_on_unix_ms = wait_ms > 0 ? rtk_clock_unix_ms() + wait_ms : 0;
  if (wait_ms > 0) rtk_show_time(go_on, go_on_unix_ms);
  struct rtk_ask ask = {.endpoint = entry->endpoint,
                        .id = entry->id,
                        .page = entry->page,
                        .token = fetch->caller.token,
                        .token_source = fetch->caller.token_source,
                        .go_on_after = wait_ms > 0 ? go_on : NULL,
                        .go_on_unix_ms = go_on_unix_ms,
                        .tries = entry->tries};
  struct rtk_reply *reply = NULL;
  int rc = rtk_status_judge(&ask, response, &reply);
  if (rc != SQLITE_OK) return rc;
  answer(fetch, entry, reply, rtk_clock_unix_ms());
  if (rtk_reply_is_refusal(reply)) return refuse(fetch, entry);
  if (response->status != 0) entry->scope->is_proven = true;
  return rtk_cache_keep(&fetch->cache, entry, response);
}

/* A 429: nobody sends any more for a while.  Replies of requests that were
** under way when the pause began belong to it. */
static void pause_all(struct rtk_fetch *fetch, int64_t wait_ms) {
  if (rtk_budget_blocked_ms(fetch->budget) == 0) fetch->pauses++;
  rtk_budget_block(fetch->budget, wait_ms);
}

static struct rtk_retry decide(const struct rtk_fetch *fetch,
                               struct rtk_entry *entry, int sent,
                               const struct rtk_response *response) {
  enum rtk_retry_kind kind = rtk_status_retry(response);
  uint32_t random = 0;
  sqlite3_randomness((int)sizeof(random), &random);
  bool is_new_pause = rtk_budget_blocked_ms(fetch->budget) == 0;
  if (kind != RTK_RETRY_PAUSE) entry->tries += sent == 0 ? 1 : sent;
  int tries = kind != RTK_RETRY_PAUSE ? entry->tries
              : is_new_pause          ? fetch->pauses + 1
                                      : fetch->pauses;
  return rtk_retry_decide(response, kind, tries,
                          (int)rtk_config_int(fetch->config, RTK_MAX_RETRIES),
                          rtk_clock_unix_ms(), random);
}

/* How many requests may be under way.  After narrow() one more for each
** RTK_WIDEN_REPLIES replies. */
static int64_t width(const struct rtk_fetch *fetch) {
  int64_t concurrency = rtk_config_int(fetch->config, RTK_CONCURRENCY);
  int64_t most = rtk_http_width(fetch->http);
  int64_t narrowed = fetch->width_max + fetch->replies / RTK_WIDEN_REPLIES;
  if (fetch->width_max > 0 && narrowed < most) most = narrowed;
  return concurrency < most ? concurrency : most;
}

/* Fewer at a time from now on, but for what was started before. */
static void narrow(struct rtk_fetch *fetch, int64_t width) {
  fetch->width_max = width < 1 ? 1 : width;
  fetch->narrowed_ms = rtk_clock_ms();
  fetch->replies = 0;
}

/* Did the request fail because too many were under way?  Then it goes out again,
** with fewer at a time.  Either there was no file descriptor, and nothing was sent;
** or the server closes a connection after a number of requests, and refused this
** one. */
static bool is_too_wide(struct rtk_fetch *fetch, struct rtk_entry *entry,
                        int sent, const struct rtk_response *response) {
  int64_t most = rtk_config_int(fetch->config, RTK_MAX_RETRIES);
  /* One repeat is always allowed: a kept connection may have been closed by the
  ** server meanwhile, and then nothing has reached it. */
  if (most < 1) most = 1;
  entry->is_alone = false;
  if (response->failure == RTK_FAILURE_FILES && fetch->active.count > 0) {
    narrow(fetch, fetch->active.count);
    return true;
  }
  if (response->failure != RTK_FAILURE_REFUSED) return false;
  /* What was started before that belongs to the same refusal. */
  if (entry->started_ms > fetch->narrowed_ms) {
    int64_t half = width(fetch) / 2;
    narrow(fetch, half < RTK_WIDTH_MIN ? RTK_WIDTH_MIN : half);
  }
  if (entry->tries + sent > most) return false; /* decide() counts it */
  entry->tries += sent;
  entry->is_alone = entry->tries == most; /* and so not one of too many */
  fetch->stats->retries++;
  return true;
}

/* A transfer that went over the wire `sent` times has ended: ask again, or settle.
** The entry is in no list. */
static int conclude(struct rtk_fetch *fetch, struct rtk_entry *entry, int sent,
                    const struct rtk_response *response) {
  int64_t max_wait = rtk_config_int(fetch->config, RTK_MAX_WAIT_MS);
  if (is_too_wide(fetch, entry, sent, response)) {
    prepend(&fetch->pending, entry);
    return SQLITE_OK;
  }
  if (response->status != 0) fetch->replies++;
  entry->is_again = response->status == 0;
  struct rtk_retry retry = decide(fetch, entry, sent, response);
  if (retry.is_pause) {
    pause_all(fetch, retry.wait_ms);
  } else if (response->status != 0) {
    fetch->pauses = 0;
    fetch->waiting_since_ms = 0;
  }
  if (!retry.is_retried) return settle(fetch, entry, response, 0);
  fetch->stats->retries++;
  entry->scope->probe_until_ms = 0; /* another one may try its luck */
  if (!retry.is_pause) {            /* a pause is the budget's */
    if (response->status != 0) entry->scope->is_proven = true;
    if (max_wait > 0 && retry.wait_ms > max_wait) {
      return settle(fetch, entry, response, retry.wait_ms);
    }
    entry->not_before_ms = rtk_clock_ms() + retry.wait_ms;
  }
  append(&fetch->pending, entry);
  return SQLITE_OK;
}

/* The server may send back the token: it stands in no table.  Where not even its
** first characters are there, nothing is. */
static void note_ray(struct rtk_stats *stats, const char *ray,
                     const char *token) {
  char part[RTK_SHOW_TOKEN_PART_MIN + 1];
  sqlite3_snprintf((int)sizeof(part), part, "%s", token == NULL ? "" : token);
  if (strstr(ray, part) == NULL) {
    memcpy(stats->last_cf_ray, ray, sizeof(stats->last_cf_ray));
    return;
  }
  sqlite3_str *out = sqlite3_str_new(NULL);
  rtk_show(out, ray, strlen(ray), RTK_SHOW_ID_MAX, token);
  char *shown = sqlite3_str_finish(out);
  sqlite3_snprintf((int)sizeof(stats->last_cf_ray), stats->last_cf_ray, "%s",
                   shown == NULL ? "" : shown);
  sqlite3_free(shown);
}

/* What a transfer that has ended leaves behind beside its reply.  It was counted as
** one request when it began; what went over the wire counts. */
static void account_for(struct rtk_fetch *fetch, const char *token,
                        int64_t took_ms, int sent,
                        const struct rtk_response *response) {
  struct rtk_stats *stats = fetch->stats;
  struct rtk_ratelimit news;
  stats->bytes += (int64_t)response->body_size;
  stats->requests += sent - 1;
  if (sent == 0) { /* there was no connection */
    rtk_budget_give_back(fetch->budget, 1);
    return;
  }
  if (sent > 1) {
    stats->retries += sent - 1;
    rtk_budget_repeat(fetch->budget, sent - 1);
  }
  if (response->status == 0) {
    rtk_budget_end(fetch->budget, NULL);
    return;
  }
  rtk_stats_add_latency(stats, took_ms);
  note_ray(stats, response->cf_ray, token);
  rtk_ratelimit_read(response, rtk_clock_unix_ms(), &news);
  rtk_budget_end(fetch->budget, &news);
}

int rtk_fetch_take_turn(struct rtk_fetch *fetch, const char *token,
                        struct rtk_err *err) {
  const struct rtk_config *config = fetch->config;
  int64_t max_wait = rtk_config_int(config, RTK_MAX_WAIT_MS);
  int64_t begun_ms = rtk_clock_ms();
  int rc = SQLITE_OK;
  if (fetch->active.count == 0) {
    rc = rtk_budget_join(fetch->budget, rtk_config_text(config, RTK_BASE_URL),
                         token);
  }
  while (rc == SQLITE_OK) {
    int64_t wait_ms = RTK_WAIT_MAX_MS;
    char until[RTK_SHOW_TIME_SIZE];
    if (rtk_budget_take(fetch->budget, 1, &wait_ms) == 1) break;
    int64_t waited_ms = rtk_clock_ms() - begun_ms;
    if (max_wait > 0 && waited_ms + wait_ms > max_wait) {
      err->kind = RTK_KIND_QUOTA;
      err->retry_unix_ms = rtk_clock_unix_ms() + wait_ms;
      rtk_show_time(until, err->retry_unix_ms);
      return rtk_err_set(err,
                         "quota used up until %s: try again then, or set"
                         " max_wait_ms to 0",
                         until);
    }
    rc = rtk_cancel_asked(fetch->cancel)
             ? SQLITE_INTERRUPT
             : rtk_http_poll(fetch->http, RTK_CANCEL_CHECK_MS, err);
  }
  if (rc == SQLITE_OK) fetch->stats->requests++;
  return rc;
}

void rtk_fetch_count(struct rtk_fetch *fetch, const char *token, int sent,
                     const struct rtk_response *response) {
  if (rtk_status_retry(response) == RTK_RETRY_PAUSE) {
    struct rtk_retry retry = rtk_retry_decide(response, RTK_RETRY_PAUSE, 1, 0,
                                              rtk_clock_unix_ms(), 0);
    rtk_budget_block(fetch->budget, retry.wait_ms);
  }
  account_for(fetch, token, response->took_ms, sent, response);
  rtk_budget_flush(fetch->budget);
}

static int collect(struct rtk_fetch *fetch) {
  struct rtk_transfer *transfer = NULL;
  bool is_news = false;
  while ((transfer = rtk_http_next_done(fetch->http)) != NULL) {
    is_news = true;
    struct rtk_entry *entry = rtk_transfer_owner(transfer);
    bool is_nomem = rtk_transfer_is_nomem(transfer);
    remove_from(&fetch->active, entry);
    entry->transfer = NULL;
    int sent = rtk_transfer_sent(transfer);
    const struct rtk_response *response = rtk_transfer_response(transfer);
    int rc = is_nomem ? SQLITE_NOMEM : conclude(fetch, entry, sent, response);
    account_for(fetch, fetch->caller.token, rtk_clock_ms() - entry->started_ms,
                sent, response);
    rtk_http_end(fetch->http, transfer);
    /* An entry without a reply stays in a list until it is released. */
    if (entry->reply == NULL && rc != SQLITE_OK &&
        fetch->pending.last != entry && fetch->pending.first != entry) {
      append(&fetch->pending, entry);
    }
    if (rc != SQLITE_OK) return rc;
  }
  if (is_news) rtk_budget_flush(fetch->budget);
  return SQLITE_OK;
}

/* --- requests ------------------------------------------------------------------ */

static int refuse_move(struct rtk_err *err) {
  return rtk_err_set(err, "the token, or where it goes, was changed by"
                          " rtk_config() while this statement ran: run it"
                          " again");
}

/* The token is asked for when the first request of a statement goes out. */
static int need_token(struct rtk_fetch *fetch, struct rtk_err *err) {
  bool is_new = fetch->caller.token == NULL;
  if (rtk_caller_has_moved(&fetch->caller)) return refuse_move(err);
  int rc = rtk_caller_need_token(&fetch->caller, err);
  if (rc == SQLITE_ERROR && rtk_config_check(fetch->config, err) == SQLITE_OK) {
    err->kind = RTK_KIND_TOKEN;
  }
  if (rc != SQLITE_OK || !is_new) return rc;
  return rtk_budget_join(fetch->budget,
                         rtk_config_text(fetch->config, RTK_BASE_URL),
                         fetch->caller.token);
}

static int start(struct rtk_fetch *fetch, struct rtk_entry *entry,
                 struct rtk_err *err) {
  int64_t retries = rtk_config_int(fetch->config, RTK_MAX_RETRIES);
  int sends_left = (int)retries + 1 - entry->tries;
  struct rtk_request request = {
      .url = entry->url,
      .token = fetch->caller.token,
      .owner = entry,
      /* One repeat is always allowed: a kept connection may have been closed by
      ** the server meanwhile, and then nothing has reached it. */
      .sends_max = sends_left < 2 ? 2 : sends_left,
      .is_again = entry->is_again};
  rtk_config_fill_request(fetch->config, &request);
  int rc = rtk_http_start(fetch->http, &request, &entry->transfer, err);
  if (rc != SQLITE_OK) return rc;
  remove_from(&fetch->pending, entry);
  append(&fetch->active, entry);
  entry->started_ms = rtk_clock_ms();
  if (entry->scope->probe_until_ms == 0) {
    entry->scope->probe_until_ms = entry->started_ms + RTK_PROBE_MS;
  }
  fetch->stats->requests++;
  return SQLITE_OK;
}

/* When a pending entry may be started: its time has come, and it need not wait
** for the first reply of its account and app. */
static int64_t start_time(const struct rtk_entry *entry) {
  const struct rtk_scope *scope = entry->scope;
  int64_t at = entry->not_before_ms;
  if (!scope->is_proven && scope->probe_until_ms > at) {
    at = scope->probe_until_ms;
  }
  return at;
}

/* How many there are room and time for; *wait_ms is lowered to the time until
** the next one.  Beside one that is to be alone there is no room. */
static int count_ready(struct rtk_fetch *fetch, int64_t now, int64_t *wait_ms) {
  int64_t room = width(fetch) - fetch->active.count;
  int64_t ready = 0;
  bool is_full = fetch->active.first != NULL && fetch->active.first->is_alone;
  fetch->backing_off = 0;
  for (struct rtk_entry *e = fetch->pending.first; e != NULL; e = e->next) {
    int64_t at = start_time(e);
    if (e->not_before_ms > now) fetch->backing_off++;
    if (at <= now) {
      if (e->is_alone && ready + fetch->active.count > 0) is_full = true;
      if (!is_full) ready++;
      if (e->is_alone) is_full = true;
    } else if (at - now < *wait_ms) {
      *wait_ms = at - now;
    }
  }
  if (ready > room) ready = room;
  return ready > 0 ? (int)ready : 0;
}

/* Starts what may be started, if the quota has room for it. */
static int start_pending(struct rtk_fetch *fetch, int64_t *wait_ms,
                         struct rtk_err *err) {
  int64_t now = rtk_clock_ms();
  int64_t quota_wait_ms = RTK_WAIT_MAX_MS;
  int ready = count_ready(fetch, now, wait_ms);
  fetch->held_up_ms = 0;
  if (ready == 0) return SQLITE_OK;
  int rc = need_token(fetch, err);
  if (rc != SQLITE_OK) return rc;
  int granted = rtk_budget_take(fetch->budget, ready, &quota_wait_ms);
  if (granted < ready && quota_wait_ms > 0 && quota_wait_ms < *wait_ms) {
    *wait_ms = quota_wait_ms;
  }
  if (granted == 0 && fetch->active.count == 0) {
    fetch->held_up_ms = quota_wait_ms;
  }
  struct rtk_entry *next = NULL;
  for (struct rtk_entry *e = fetch->pending.first;
       e != NULL && granted > 0 && rc == SQLITE_OK; e = next) {
    next = e->next;
    if (start_time(e) > now) continue;
    rc = start(fetch, e, err);
    if (rc == SQLITE_OK) granted--;
  }
  rtk_budget_give_back(fetch->budget, granted);
  return rc;
}

/* 0: not known. */
static int64_t expected(const struct rtk_fetch *fetch) {
  bool is_known = fetch->expected > 1 && fetch->expected >= fetch->answered;
  return is_known ? fetch->expected : 0;
}

/* The tallies of what need not be requested again: not all that came, for failures
** are not kept, and without a file nor is what memory has no room for. */
static int tally_kept(const struct rtk_fetch *fetch, struct tally *tallies) {
  const struct rtk_entry *entry = NULL;
  int count = 0;
  if (rtk_store_is_in_use(fetch->store)) {
    memcpy(tallies, fetch->tallies, sizeof(fetch->tallies));
    return fetch->tally_count;
  }
  while ((entry = rtk_memo_next(fetch->memo, entry)) != NULL) {
    if (entry->statement == fetch->statement && entry->reply != NULL &&
        !entry->is_unasked) {
      add_to_tally(fetch, tallies, &count, entry);
    }
  }
  return count;
}

/* "2 pages kept in memory until …, 4 of 9 sessions until …" */
static void say_tallies(const struct rtk_fetch *fetch, sqlite3_str *out) {
  struct tally tallies[RTK_TALLIES_MAX];
  int count = tally_kept(fetch, tallies);
  const char *where =
      rtk_store_is_in_use(fetch->store) ? "the cache file" : "memory";
  if (count == 0) {
    tallies[count++] = (struct tally){.noun = fetch->endpoint->noun};
  }
  for (int i = 0; i < count; i++) {
    const struct tally *tally = &tallies[i];
    char until[RTK_SHOW_TIME_SIZE];
    bool is_kept = tally->kept > 0;
    int64_t number = is_kept ? tally->kept : tally->count;
    rtk_show_time(until, tally->until_unix_ms);
    sqlite3_str_appendf(out, "%s%lld", i == 0 ? "" : ", ", (long long)number);
    bool is_part = count == 1 && expected(fetch) > 0;
    if (is_part) {
      sqlite3_str_appendf(out, " of %lld", (long long)expected(fetch));
    }
    sqlite3_str_appendf(out, " %s%s fetched", tally->noun,
                        number == 1 && !is_part ? "" : "s");
    if (is_kept) {
      sqlite3_str_appendf(out, " and kept in %s until %s", where, until);
    }
  }
}

static int refuse_wait(const struct rtk_fetch *fetch, struct rtk_err *err) {
  char go_on[RTK_SHOW_TIME_SIZE];
  sqlite3_str *out = sqlite3_str_new(NULL);
  err->kind = RTK_KIND_QUOTA;
  err->retry_unix_ms = rtk_clock_unix_ms() + fetch->held_up_ms;
  rtk_show_time(go_on, err->retry_unix_ms);
  sqlite3_str_appendf(out, "quota%s: ",
                      rtk_budget_blocked_ms(fetch->budget) > 0 ? " (HTTP 429)"
                                                               : "");
  say_tallies(fetch, out);
  sqlite3_str_appendf(out, "; go on after %s, or set max_wait_ms to 0", go_on);
  return rtk_err_finish(err, out);
}

/* Settles an entry that is in no list, for which the quota has no request, or no other
** one behind its 429. */
static int settle_unasked(struct rtk_fetch *fetch, struct rtk_entry *entry) {
  struct rtk_reply *reply = NULL;
  char go_on[RTK_SHOW_TIME_SIZE];
  sqlite3_str *out = sqlite3_str_new(NULL);
  rtk_show_time(go_on, fetch->given_up_unix_ms);
  sqlite3_str_appendall(out, entry->started_ms == 0 ? "not requested"
                                                    : "not requested again");
  if (entry->id.size > 0) {
    sqlite3_str_appendf(out, " for %s '", entry->endpoint->noun);
    rtk_show(out, entry->id.bytes, entry->id.size, RTK_SHOW_ID_MAX,
             fetch->caller.token);
    sqlite3_str_appendall(out, "'");
  }
  sqlite3_str_appendf(out,
                      ": the quota is used up; go on after %s, or set"
                      " max_wait_ms to 0",
                      go_on);
  char *message = sqlite3_str_finish(out);
  if (message == NULL) return SQLITE_NOMEM;
  struct rtk_reply draft = {.outcome = RTK_OUTCOME_FAILED,
                            .error = message,
                            .kind = RTK_KIND_QUOTA,
                            .retry_unix_ms = fetch->given_up_unix_ms};
  int rc = rtk_reply_of_error(&draft, &reply);
  sqlite3_free(message);
  if (rc == SQLITE_OK) answer(fetch, entry, reply, 0);
  return rc;
}

/* With on_error = 'row' what could not be requested fails, id by id, and what has
** come is delivered. */
static int give_up(struct rtk_fetch *fetch) {
  fetch->given_up_unix_ms = rtk_clock_unix_ms() + fetch->held_up_ms;
  while (fetch->pending.first != NULL) {
    struct rtk_entry *entry = fetch->pending.first;
    remove_from(&fetch->pending, entry);
    int rc = settle_unasked(fetch, entry);
    if (rc != SQLITE_OK) {
      append(&fetch->pending, entry);
      return rc;
    }
  }
  fetch->held_up_ms = fetch->waiting_since_ms = 0;
  return SQLITE_OK;
}

/* A wait for the quota that is longer than max_wait_ms, by itself or with
** those before it that were in vain, is not sat out. */
static int check_wait(struct rtk_fetch *fetch, struct rtk_err *err) {
  int64_t max_wait = rtk_config_int(fetch->config, RTK_MAX_WAIT_MS);
  int64_t now = rtk_clock_ms();
  if (fetch->held_up_ms == 0) return SQLITE_OK;
  if (fetch->waiting_since_ms == 0) fetch->waiting_since_ms = now;
  int64_t whole = now + fetch->held_up_ms - fetch->waiting_since_ms;
  if (max_wait == 0 || whole <= max_wait) return SQLITE_OK;
  if (strcmp(rtk_config_text(fetch->config, RTK_ON_ERROR), "row") == 0) {
    return give_up(fetch);
  }
  return refuse_wait(fetch, err);
}

/* Has the quota ended in this statement, and is its time not yet over? */
static bool has_given_up(const struct rtk_fetch *fetch) {
  return fetch->given_up_unix_ms > 0 &&
         rtk_clock_unix_ms() < fetch->given_up_unix_ms;
}

static void show_progress(struct rtk_fetch *fetch) {
  struct rtk_progress_news news = {.done = fetch->answered,
                                   .total = expected(fetch),
                                   .noun = fetch->endpoint->noun,
                                   .wait_ms = fetch->held_up_ms};
  rtk_progress_show(&fetch->progress, &news, rtk_clock_ms());
}

void rtk_fetch_rest(struct rtk_fetch *fetch) {
  fetch->waiting_since_ms = 0; /* what the program does now is no wait */
  rtk_progress_hide(&fetch->progress, false);
}

int rtk_fetch_drive(struct rtk_fetch *fetch, bool is_idle,
                    struct rtk_err *err) {
  int64_t wait_ms = RTK_CANCEL_CHECK_MS;
  int64_t begun_ms = rtk_clock_ms();
  rtk_store_end_read(fetch->store);
  if (rtk_cancel_asked(fetch->cancel)) return SQLITE_INTERRUPT;
  int rc = start_pending(fetch, &wait_ms, err);
  if (rc == SQLITE_OK && is_idle) rc = check_wait(fetch, err);
  if (rc == SQLITE_OK && is_idle) show_progress(fetch);
  if (rc == SQLITE_OK) {
    rc = rtk_http_poll(fetch->http, is_idle ? (int)wait_ms : 0, err);
  }
  if (rc == SQLITE_OK) rc = collect(fetch);
  fetch->driven_ms = rtk_clock_ms();
  if (fetch->held_up_ms > 0) {
    fetch->stats->waited_ms += fetch->driven_ms - begun_ms;
  }
  return rc;
}

bool rtk_fetch_is_due(const struct rtk_fetch *fetch) {
  return fetch->active.count + fetch->pending.count > 0 &&
         rtk_clock_ms() - fetch->driven_ms >= RTK_DRIVE_EVERY_MS;
}

/* Where cache_max_bytes is small, as many as may be under way are all that waits. */
bool rtk_fetch_has_room(const struct rtk_fetch *fetch) {
  int64_t ready =
      fetch->active.count + fetch->pending.count - fetch->backing_off;
  bool has_memory = rtk_memo_held_bytes(fetch->memo) < cache_bytes(fetch) ||
                    ready + rtk_memo_held_count(fetch->memo) < width(fetch);
  return !has_given_up(fetch) && has_memory && ready < width(fetch) &&
         fetch->backing_off < rtk_config_int(fetch->config, RTK_CONCURRENCY);
}

/* With nothing open, what was known under the old settings is dropped. */
static int follow_settings(struct rtk_fetch *fetch, struct rtk_err *err) {
  if (!rtk_caller_has_moved(&fetch->caller)) return SQLITE_OK;
  if (fetch->active.count + fetch->pending.count > 0) return refuse_move(err);
  (void)rtk_caller_move(&fetch->caller);
  rtk_memo_drop_idle(fetch->memo);
  return SQLITE_OK;
}

/* --- where it stands ------------------------------------------------------------- */

int rtk_fetch_quota_left(struct rtk_fetch *fetch, int64_t *left,
                         int64_t *reset_ms) {
  struct rtk_err err = {0};
  int rc = SQLITE_OK;
  if (fetch->active.count + fetch->pending.count == 0) {
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

/* --- want, release --------------------------------------------------------------- */

/* Is what an idle entry held good for this statement? */
static bool is_good(const struct rtk_fetch *fetch,
                    const struct rtk_entry *entry) {
  return entry->statement == fetch->statement ||
         rtk_cache_is_good(&fetch->cache, entry);
}

/* A new entry: answered from the cache file, if it `may_be_old`, refused, or to
** be asked for. */
static int enter(struct rtk_fetch *fetch, struct rtk_entry *entry,
                 bool may_be_old) {
  int rc = may_be_old ? rtk_cache_find(&fetch->cache, entry) : SQLITE_OK;
  if (rc != SQLITE_OK) return rc;
  if (entry->reply != NULL) {
    count_answer(fetch, entry);
    fetch->stats->from_file++;
    return SQLITE_OK;
  }
  const struct rtk_reply *refusal =
      rtk_caller_refusal(&fetch->caller, entry->url, entry->scope_size);
  if (refusal != NULL) return settle_refused(fetch, entry, refusal);
  if (has_given_up(fetch)) return settle_unasked(fetch, entry);
  rc = rtk_caller_scope(&fetch->caller, entry->url, entry->scope_size,
                        &entry->scope);
  if (rc == SQLITE_OK) append(&fetch->pending, entry);
  return rc;
}

int rtk_fetch_want(struct rtk_fetch *fetch, const struct rtk_wanted *wanted,
                   struct rtk_entry **entry, struct rtk_err *err) {
  return rtk_fetch_want_since(fetch, wanted, 0, entry, err);
}

int rtk_fetch_want_since(struct rtk_fetch *fetch,
                         const struct rtk_wanted *wanted, int64_t since_ms,
                         struct rtk_entry **entry, struct rtk_err *err) {
  size_t scope_size = 0;
  bool is_new = false;
  int rc = rtk_http_check_process(fetch->http, err);
  if (rc == SQLITE_OK) rc = follow_settings(fetch, err);
  if (rc != SQLITE_OK) return rc;
  char *url = rtk_wanted_url(
      wanted, rtk_config_text(fetch->config, RTK_BASE_URL), &scope_size);
  if (url == NULL) return SQLITE_NOMEM;
  struct rtk_entry *held = NULL;
  fetch->endpoint = wanted->endpoint;
  rc = rtk_memo_hold(fetch->memo, url, rtk_wanted_id(wanted), &held, &is_new);
  sqlite3_free(url);
  if (rc != SQLITE_OK) return rc;
  bool is_first = held->statement != fetch->statement || held->is_unasked;
  if (is_new) {
    held->endpoint = wanted->endpoint;
    held->scope_size = scope_size;
    held->page = wanted->page;
  } else if (held->reply != NULL && rtk_memo_is_last_holder(held) &&
             (!is_good(fetch, held) || held->started_ms < since_ms)) {
    rtk_memo_renew(fetch->memo, held);
    is_new = true;
  } else if (is_first) {
    count_answer(fetch, held);
    fetch->stats->from_memory++;
  }
  held->statement = fetch->statement;
  held->is_unasked = false;
  if (is_new) rc = enter(fetch, held, since_ms == 0);
  if (rc != SQLITE_OK) {
    rtk_memo_release(fetch->memo, held, cache_bytes(fetch));
    return rc;
  }
  *entry = held;
  return SQLITE_OK;
}

void rtk_fetch_release(struct rtk_fetch *fetch, struct rtk_entry *entry) {
  if (entry->reply == NULL && rtk_memo_is_last_holder(entry)) {
    stop(fetch, entry);
  }
  rtk_memo_release(fetch->memo, entry, cache_bytes(fetch));
}
