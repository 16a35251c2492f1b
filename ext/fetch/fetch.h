/*
** The engine of one connection: requests in, replies out.  Each URL is
** requested once in a statement, `concurrency` of them at a time, with retries,
** pauses and cancelling.
**
** A caller requests a call and gets its job, drives the engine until the job
** has a reply, and releases it.  A job that is released before its reply has
** come is cancelled.
*/
#ifndef RTK_FETCH_H
#define RTK_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rtk_call;
struct rtk_cancel;
struct rtk_config;
struct rtk_err;
struct rtk_fetch;
struct rtk_job;
struct rtk_response;
struct rtk_stats;
struct rtk_diskcache;

/* All but *fetch is borrowed and must outlive it.  SQLITE_OK with *fetch given
** (free with rtk_fetch_free()), SQLITE_NOMEM or SQLITE_ERROR. */
int rtk_fetch_new(struct rtk_config *config, struct rtk_cancel *cancel,
                  struct rtk_diskcache *disk, struct rtk_stats *stats,
                  struct rtk_fetch **fetch, struct rtk_err *err);

/* All jobs have been released. */
void rtk_fetch_free(struct rtk_fetch *fetch);

/* Around a statement, or several that overlap.  A reply stays valid until the
** statement ends, and after that for its time to live.  Failures are never used
** by a later statement.  SQLITE_OK or SQLITE_NOMEM. */
int rtk_fetch_begin(struct rtk_fetch *fetch);
void rtk_fetch_end(struct rtk_fetch *fetch);

/* Forgets the replies in memory that nobody holds; *count: how many, without
** those that the cache file has too.  SQLITE_OK or SQLITE_NOMEM. */
int rtk_fetch_forget(struct rtk_fetch *fetch, int64_t *count);

/* The statement will ask for this many more ids: for the progress line and the
** message at the quota's end. */
void rtk_fetch_expect(struct rtk_fetch *fetch, size_t count);

/* The budget of the current token: see rtk_budget_left() and
** rtk_budget_blocked_ms().  Without a usable token it is not known.  SQLITE_OK
** or SQLITE_NOMEM. */
int rtk_fetch_quota_left(struct rtk_fetch *fetch, int64_t *left,
                         int64_t *reset_ms);
int64_t rtk_fetch_blocked_ms(const struct rtk_fetch *fetch);

/* The job of a call, held for the caller: rtk_fetch_release() it.  A reply that
** is older than `since_ms` (of rtk_clock_ms()) is requested again, unless the
** job has another holder.  0: a reply of any age is used.  SQLITE_OK,
** SQLITE_NOMEM or SQLITE_ERROR. */
int rtk_fetch_request(struct rtk_fetch *fetch, struct rtk_call *call,
                      int64_t since_ms, struct rtk_job **job,
                      struct rtk_err *err);
void rtk_fetch_release(struct rtk_fetch *fetch, struct rtk_job *job);

/* The job of a call whose reply is known, held for the caller as above; NULL:
** it would have to be requested.  SQLITE_OK or SQLITE_NOMEM. */
int rtk_fetch_peek(struct rtk_fetch *fetch, struct rtk_call *call,
                   struct rtk_job **job);

/* May one more be requested ahead? Not when `concurrency` jobs are queued or in
** flight, or as many wait for a retry, or undelivered replies fill
** cache_max_bytes. */
bool rtk_fetch_has_room(const struct rtk_fetch *fetch);

/* One round: starts queued jobs, polls the network, judges what came.  With
** `is_idle` it waits for something to happen, RTK_CANCEL_CHECK_MS at most.
** SQLITE_OK; SQLITE_INTERRUPT; SQLITE_NOMEM; or SQLITE_ERROR: the statement has
** to end. */
int rtk_fetch_drive(struct rtk_fetch *fetch, bool is_idle, struct rtk_err *err);

/* Was the last drive so long ago that the network may be idle? */
bool rtk_fetch_needs_drive(const struct rtk_fetch *fetch);

/* Call before returning to SQLite: hides the progress line, so that a row can
** be printed over it. */
void rtk_fetch_before_row(struct rtk_fetch *fetch);

/* Around a request that is made beside the engine with this token: waits until
** the quota has room for it, then counts it.  SQLITE_OK: make it, then record
** how often it was sent and its response, all zeros for none.
** SQLITE_INTERRUPT, SQLITE_NOMEM, or SQLITE_ERROR when the wait is too long. */
int rtk_fetch_acquire_slot(struct rtk_fetch *fetch, const char *token,
                           struct rtk_err *err);
void rtk_fetch_record(struct rtk_fetch *fetch, const char *token, int sent,
                      const struct rtk_response *response);

#endif
