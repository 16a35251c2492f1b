/*
** Requests of one connection, from "this is wanted" to "this is the reply".
**
** An entry without a reply is in one of two lists: `pending` (to be started
** when there is room and its time has come) or `active` (a transfer is under
** way).  Everything happens inside rtk_fetch_drive(), on the caller's thread.
*/
#include "fetch.h"

#include "cancel.h"
#include "clock.h"
#include "config.h"
#include "endpoint.h"
#include "err.h"
#include "http.h"
#include "limits.h"
#include "memo.h"
#include "reply.h"
#include "response.h"
#include "retry.h"
#include "status.h"
#include "url.h"

#include <string.h>
#include <time.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

struct list {
  struct rtk_entry *first, *last;
  int count;
};

/* What a reply refused to more than its own id: to an account and app (403), or
** to everybody with this token (401).  It answers for all that is asked. */
struct refusal {
  struct refusal *next;
  struct rtk_reply *reply;
  size_t scope_size; /* 0: everything */
  char scope[];      /* the beginning of the URLs that are meant */
};

struct rtk_fetch {
  const struct rtk_config *config;
  struct rtk_cancel *cancel;
  struct rtk_http *http;
  struct rtk_memo *memo;
  struct list pending, active;
  int backing_off; /* of the pending ones, at the last drive: their time is yet
                      to come */
  int64_t driven_ms;

  /* Of the statement. */
  char *token; /* NULL until it is needed */
  const char *token_source;
  int64_t address_version; /* of the settings that the token was taken by */
  struct refusal *refusals;

  /* After a 429 nothing is sent until then. */
  int64_t paused_until_ms;
  int64_t paused_since_ms;
  int pauses; /* in a row */
};

/* --- lists ------------------------------------------------------------------ */

static void append(struct list *list, struct rtk_entry *entry) {
  entry->next = NULL;
  entry->previous = list->last;
  *(list->last == NULL ? &list->first : &list->last->next) = entry;
  list->last = entry;
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
}

/* --- new, free, begin, end --------------------------------------------------- */

int rtk_fetch_new(const struct rtk_config *config, struct rtk_cancel *cancel,
                  struct rtk_fetch **fetch, struct rtk_err *err) {
  struct rtk_fetch *made = sqlite3_malloc64(sizeof(*made));
  if (made == NULL) return SQLITE_NOMEM;
  memset(made, 0, sizeof(*made));
  made->config = config;
  made->cancel = cancel;
  made->address_version = rtk_config_address_version(config);
  int rc = rtk_http_new(&made->http, err);
  if (rc == SQLITE_OK) rc = rtk_memo_new(&made->memo);
  if (rc != SQLITE_OK) {
    rtk_fetch_free(made);
    return rc;
  }
  *fetch = made;
  return SQLITE_OK;
}

void rtk_fetch_free(struct rtk_fetch *fetch) {
  if (fetch == NULL) return;
  rtk_fetch_end(fetch);
  rtk_memo_free(fetch->memo);
  rtk_http_free(fetch->http);
  sqlite3_free(fetch);
}

/* What is known about the caller: its token, and what was refused to it. */
static void forget_caller(struct rtk_fetch *fetch) {
  while (fetch->refusals != NULL) {
    struct refusal *refusal = fetch->refusals;
    fetch->refusals = refusal->next;
    rtk_reply_free(refusal->reply);
    sqlite3_free(refusal);
  }
  rtk_config_wipe(fetch->token);
  fetch->token = NULL;
}

/* A pause was told to one token at one address, and is over when its time is;
** only within a statement one that follows another goes on from it. */
static void take_settings(struct rtk_fetch *fetch) {
  int64_t version = rtk_config_address_version(fetch->config);
  if (version != fetch->address_version) fetch->paused_until_ms = 0;
  if (rtk_clock_ms() >= fetch->paused_until_ms) fetch->pauses = 0;
  fetch->address_version = version;
}

void rtk_fetch_begin(struct rtk_fetch *fetch) {
  forget_caller(fetch);
  take_settings(fetch);
}

void rtk_fetch_end(struct rtk_fetch *fetch) {
  forget_caller(fetch);
  if (fetch->memo != NULL) rtk_memo_drop_idle(fetch->memo);
}

static int64_t cache_bytes(const struct rtk_fetch *fetch) {
  return rtk_config_int(fetch->config, RTK_CACHE_MAX_BYTES);
}

/* --- replies ------------------------------------------------------------------ */

static bool is_meant(const struct refusal *refusal,
                     const struct rtk_entry *entry) {
  if (refusal->scope_size == 0) return true;
  return refusal->scope_size == entry->scope_size &&
         memcmp(refusal->scope, entry->url, entry->scope_size) == 0;
}

static const struct refusal *find_refusal(const struct rtk_fetch *fetch,
                                          const struct rtk_entry *entry) {
  const struct refusal *refusal = fetch->refusals;
  while (refusal != NULL && !is_meant(refusal, entry)) refusal = refusal->next;
  return refusal;
}

/* Settles an entry that is in no list with a copy of the refusal. */
static int settle_refused(struct rtk_fetch *fetch, struct rtk_entry *entry,
                          const struct refusal *refusal) {
  struct rtk_reply *reply = NULL;
  int rc =
      rtk_reply_of_error(refusal->reply->outcome, refusal->reply->http_status,
                         refusal->reply->error, &reply);
  if (rc == SQLITE_OK) {
    rtk_memo_settle(fetch->memo, entry, reply, cache_bytes(fetch));
  }
  return rc;
}

/* Settles all that is still open and falls under the refusal. */
static int settle_open(struct rtk_fetch *fetch, const struct refusal *refusal) {
  struct list *lists[] = {&fetch->pending, &fetch->active};
  for (int i = 0; i < 2; i++) {
    struct rtk_entry *next = NULL;
    for (struct rtk_entry *e = lists[i]->first; e != NULL; e = next) {
      next = e->next;
      if (!is_meant(refusal, e)) continue;
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
  bool is_all = entry->reply->outcome == RTK_OUTCOME_CALLER;
  size_t scope_size = is_all ? 0 : entry->scope_size;
  struct refusal *refusal = sqlite3_malloc64(sizeof(*refusal) + scope_size);
  if (refusal == NULL) return SQLITE_NOMEM;
  *refusal = (struct refusal){.scope_size = scope_size};
  memcpy(refusal->scope, entry->url, scope_size);
  int rc = rtk_reply_of_error(entry->reply->outcome, entry->reply->http_status,
                              entry->reply->error, &refusal->reply);
  if (rc != SQLITE_OK) {
    sqlite3_free(refusal);
    return rc;
  }
  refusal->next = fetch->refusals;
  fetch->refusals = refusal;
  return settle_open(fetch, refusal);
}

/* The time so many ms from now, as people write it; `text` has 32 bytes. */
static void write_time(char *text, int64_t wait_ms) {
  time_t then = (time_t)((rtk_clock_unix_ms() + wait_ms + 999) / 1000);
  struct tm utc;
  text[0] = '\0';
  if (gmtime_r(&then, &utc) != NULL) {
    (void)strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
  }
}

/* The last word on an entry, which is in no list.  A wait (0: none) is one that
** the server asked for and that is too long to be sat out. */
static int settle(struct rtk_fetch *fetch, struct rtk_entry *entry,
                  const struct rtk_response *response, int64_t wait_ms) {
  char go_on[32] = "";
  if (wait_ms > 0) write_time(go_on, wait_ms);
  struct rtk_ask ask = {.endpoint = entry->endpoint,
                        .id = entry->id,
                        .token = fetch->token,
                        .token_source = fetch->token_source,
                        .go_on_after = wait_ms > 0 ? go_on : NULL,
                        .tries = entry->tries};
  struct rtk_reply *reply = NULL;
  int rc = rtk_status_judge(&ask, response, &reply);
  if (rc != SQLITE_OK) return rc;
  rtk_memo_settle(fetch->memo, entry, reply, cache_bytes(fetch));
  return rtk_reply_is_refusal(reply) ? refuse(fetch, entry) : SQLITE_OK;
}

/* A pause is for all.  Replies of requests that were under way when it began
** belong to it, and do not make it longer than they ask for. */
static void begin_pause(struct rtk_fetch *fetch, int64_t now, int64_t wait_ms) {
  if (fetch->pauses == 0) fetch->paused_since_ms = now;
  if (now >= fetch->paused_until_ms) fetch->pauses++;
  if (now + wait_ms > fetch->paused_until_ms) {
    fetch->paused_until_ms = now + wait_ms;
  }
}

/* A transfer has ended: ask again, or settle.  The entry is in no list. */
static int conclude(struct rtk_fetch *fetch, struct rtk_entry *entry,
                    const struct rtk_response *response) {
  int64_t now = rtk_clock_ms();
  int64_t max_wait = rtk_config_int(fetch->config, RTK_MAX_WAIT_MS);
  enum rtk_retry_kind kind = rtk_status_retry(response);
  uint32_t random = 0;
  sqlite3_randomness((int)sizeof(random), &random);
  bool is_new_pause = now >= fetch->paused_until_ms;
  int tries = kind != RTK_RETRY_PAUSE ? ++entry->tries
              : is_new_pause          ? fetch->pauses + 1
                                      : fetch->pauses;
  struct rtk_retry retry =
      rtk_retry_decide(response, kind, tries,
                       (int)rtk_config_int(fetch->config, RTK_MAX_RETRIES),
                       rtk_clock_unix_ms(), random);
  if (!retry.is_pause && response->status != 0) fetch->pauses = 0;
  if (!retry.is_retried) return settle(fetch, entry, response, 0);
  if (retry.is_pause) {
    begin_pause(fetch, now, retry.wait_ms);
  } else if (max_wait > 0 && retry.wait_ms > max_wait) {
    return settle(fetch, entry, response, retry.wait_ms);
  }
  entry->not_before_ms = now + retry.wait_ms;
  append(&fetch->pending, entry);
  return SQLITE_OK;
}

static int collect(struct rtk_fetch *fetch) {
  struct rtk_transfer *transfer = NULL;
  while ((transfer = rtk_http_next_done(fetch->http)) != NULL) {
    struct rtk_entry *entry = rtk_transfer_owner(transfer);
    bool is_nomem = rtk_transfer_is_nomem(transfer);
    remove_from(&fetch->active, entry);
    entry->transfer = NULL;
    int rc = is_nomem ? SQLITE_NOMEM
                      : conclude(fetch, entry, rtk_transfer_response(transfer));
    rtk_http_end(fetch->http, transfer);
    /* An entry without a reply stays in a list until it is released. */
    if (entry->reply == NULL && rc != SQLITE_OK &&
        fetch->pending.last != entry) {
      append(&fetch->pending, entry);
    }
    if (rc != SQLITE_OK) return rc;
  }
  return SQLITE_OK;
}

/* --- requests ------------------------------------------------------------------ */

/* Has a setting changed that says which token goes where?  What is open was
** asked for under the old ones, and nothing may mix the two. */
static bool has_moved(const struct rtk_fetch *fetch) {
  return rtk_config_address_version(fetch->config) != fetch->address_version;
}

static int refuse_move(struct rtk_err *err) {
  return rtk_err_set(err, "the token, or where it goes, was changed by"
                          " rtk_config() while this statement ran: run it"
                          " again");
}

/* The token is asked for when the first request of a statement goes out. */
static int need_token(struct rtk_fetch *fetch, struct rtk_err *err) {
  int rc = rtk_config_check(fetch->config, err);
  if (rc == SQLITE_OK && has_moved(fetch)) rc = refuse_move(err);
  if (rc != SQLITE_OK || fetch->token != NULL) return rc;
  return rtk_config_token(fetch->config, &fetch->token, &fetch->token_source,
                          err);
}

static int start(struct rtk_fetch *fetch, struct rtk_entry *entry,
                 struct rtk_err *err) {
  const struct rtk_config *config = fetch->config;
  int rc = need_token(fetch, err);
  if (rc != SQLITE_OK) return rc;
  struct rtk_request request = {
      .url = entry->url,
      .token = fetch->token,
      .ca_file = rtk_config_text(config, RTK_CA_FILE),
      .proxy = rtk_config_text(config, RTK_PROXY),
      .timeout_ms = rtk_config_int(config, RTK_TIMEOUT_MS),
      .connect_timeout_ms = rtk_config_int(config, RTK_CONNECT_TIMEOUT_MS),
      .max_bytes = rtk_config_int(config, RTK_MAX_RESPONSE_BYTES),
      .owner = entry};
  rc = rtk_http_start(fetch->http, &request, &entry->transfer, err);
  if (rc != SQLITE_OK) return rc;
  remove_from(&fetch->pending, entry);
  append(&fetch->active, entry);
  return SQLITE_OK;
}

/* How many requests may be under way. */
static int64_t width(const struct rtk_fetch *fetch) {
  int64_t concurrency = rtk_config_int(fetch->config, RTK_CONCURRENCY);
  int most = rtk_http_width(fetch->http);
  return concurrency < most ? concurrency : most;
}

/* Starts what may be started; *wait_ms is lowered to the time until the next
** one may. */
static int start_pending(struct rtk_fetch *fetch, int64_t *wait_ms,
                         struct rtk_err *err) {
  int64_t now = rtk_clock_ms();
  struct rtk_entry *next = NULL;
  fetch->backing_off = 0;
  for (struct rtk_entry *e = fetch->pending.first; e != NULL; e = next) {
    next = e->next;
    if (e->not_before_ms > now) fetch->backing_off++;
    int64_t at = e->not_before_ms > fetch->paused_until_ms
                     ? e->not_before_ms
                     : fetch->paused_until_ms;
    if (at > now) {
      if (at - now < *wait_ms) *wait_ms = at - now;
    } else if (fetch->active.count < width(fetch)) {
      int rc = start(fetch, e, err);
      if (rc != SQLITE_OK) return rc;
    }
  }
  return SQLITE_OK;
}

/* A pause that is longer than max_wait_ms, by itself or with those before it,
** is not sat out.  It outlives the statement that was told of it. */
static int check_pause(const struct rtk_fetch *fetch, struct rtk_err *err) {
  int64_t max_wait = rtk_config_int(fetch->config, RTK_MAX_WAIT_MS);
  int64_t left = fetch->paused_until_ms - rtk_clock_ms();
  int64_t whole = fetch->paused_until_ms - fetch->paused_since_ms;
  bool is_sat_out = max_wait == 0 || (left <= max_wait && whole <= max_wait);
  char go_on[32];
  if (left <= 0 || is_sat_out) return SQLITE_OK;
  write_time(go_on, left);
  return rtk_err_set(err,
                     "HTTP 429: %s max_wait_ms = %lld: go on after %s, or set"
                     " max_wait_ms to 0",
                     left > max_wait ? "the server asks for a wait longer than"
                                     : "still over the quota after waiting for",
                     (long long)max_wait, go_on);
}

int rtk_fetch_drive(struct rtk_fetch *fetch, bool is_idle,
                    struct rtk_err *err) {
  int64_t wait_ms = RTK_CANCEL_CHECK_MS;
  if (rtk_cancel_asked(fetch->cancel)) return SQLITE_INTERRUPT;
  int rc = start_pending(fetch, &wait_ms, err);
  if (rc == SQLITE_OK) {
    rc = rtk_http_poll(fetch->http, is_idle ? (int)wait_ms : 0, err);
  }
  if (rc == SQLITE_OK) rc = collect(fetch);
  if (rc == SQLITE_OK && is_idle && fetch->pending.count > 0) {
    rc = check_pause(fetch, err);
  }
  fetch->driven_ms = rtk_clock_ms();
  return rc;
}

bool rtk_fetch_is_due(const struct rtk_fetch *fetch) {
  return fetch->active.count + fetch->pending.count > 0 &&
         rtk_clock_ms() - fetch->driven_ms >= RTK_DRIVE_EVERY_MS;
}

bool rtk_fetch_has_room(const struct rtk_fetch *fetch) {
  int ready = fetch->active.count + fetch->pending.count - fetch->backing_off;
  if (rtk_clock_ms() < fetch->paused_until_ms) return false;
  return ready < width(fetch) &&
         fetch->backing_off < rtk_config_int(fetch->config, RTK_CONCURRENCY) &&
         rtk_memo_held_bytes(fetch->memo) < cache_bytes(fetch);
}

/* --- want, release --------------------------------------------------------------- */

/* With nothing open, what was known under the old settings is dropped. */
static int follow_settings(struct rtk_fetch *fetch, struct rtk_err *err) {
  if (!has_moved(fetch)) return SQLITE_OK;
  if (fetch->active.count + fetch->pending.count > 0) return refuse_move(err);
  forget_caller(fetch);
  rtk_memo_drop_idle(fetch->memo);
  take_settings(fetch);
  return SQLITE_OK;
}

/* Bytes of the URL up to the last argument that is an account or app. */
static size_t scope_size_of(const struct rtk_endpoint *endpoint,
                            const size_t *ends, size_t count) {
  size_t size = 0;
  for (size_t i = 0; i < count; i++) {
    int column = rtk_endpoint_argument(endpoint, (int)i);
    if (endpoint->columns[column].argument == RTK_ARGUMENT_SCOPE) {
      size = ends[i];
    }
  }
  return size;
}

int rtk_fetch_want(struct rtk_fetch *fetch, const struct rtk_endpoint *endpoint,
                   const struct rtk_text *arguments, size_t argument_count,
                   struct rtk_entry **entry, struct rtk_err *err) {
  size_t ends[RTK_INPUTS_MAX] = {0};
  bool is_new = false;
  int rc = follow_settings(fetch, err);
  if (rc != SQLITE_OK) return rc;
  char *url = rtk_url_make(rtk_config_text(fetch->config, RTK_BASE_URL),
                           endpoint->path, arguments, argument_count, ends);
  if (url == NULL) return SQLITE_NOMEM;
  struct rtk_entry *held = NULL;
  rc = rtk_memo_hold(fetch->memo, url, arguments[argument_count - 1], &held,
                     &is_new);
  sqlite3_free(url);
  if (rc != SQLITE_OK) return rc;
  if (is_new) {
    held->endpoint = endpoint;
    held->scope_size = scope_size_of(endpoint, ends, argument_count);
    const struct refusal *refusal = find_refusal(fetch, held);
    if (refusal != NULL) rc = settle_refused(fetch, held, refusal);
    if (held->reply == NULL) append(&fetch->pending, held);
  }
  if (rc == SQLITE_OK) {
    *entry = held;
  } else {
    rtk_fetch_release(fetch, held);
  }
  return rc;
}

void rtk_fetch_release(struct rtk_fetch *fetch, struct rtk_entry *entry) {
  if (entry->reply == NULL && rtk_memo_is_last_holder(entry)) {
    stop(fetch, entry);
  }
  rtk_memo_release(fetch->memo, entry, cache_bytes(fetch));
}
