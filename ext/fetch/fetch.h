/*
** Requests of one connection, from "this is wanted" to "this is the reply":
** each URL asked for once in a statement, `concurrency` of them at a time,
** with retries, pauses and cancelling.
**
** An entry is wanted, waited for by rtk_fetch_drive() until its `reply` is
** there, and released; what is released before its reply has come is
** cancelled.
*/
#ifndef RTK_FETCH_H
#define RTK_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rtk_cancel;
struct rtk_config;
struct rtk_entry;
struct rtk_err;
struct rtk_fetch;
struct rtk_response;
struct rtk_stats;
struct rtk_store;
struct rtk_wanted;

/* `config`, `cancel`, `store` and `stats` are borrowed and must outlive it.  SQLITE_OK with
** *fetch given (free with rtk_fetch_free()), SQLITE_NOMEM or SQLITE_ERROR. */
int rtk_fetch_new(struct rtk_config *config, struct rtk_cancel *cancel,
                  struct rtk_store *store, struct rtk_stats *stats,
                  struct rtk_fetch **fetch, struct rtk_err *err);

/* Every entry has been released. */
void rtk_fetch_free(struct rtk_fetch *fetch);

/* Around a statement, or several that overlap.  What came in one of them is
** good for all of it; later on for as long as life.c says, failures never.
** SQLITE_OK or SQLITE_NOMEM. */
int rtk_fetch_begin(struct rtk_fetch *fetch);
void rtk_fetch_end(struct rtk_fetch *fetch);

/* Forgets what nobody holds, in memory; *count: how many replies, without those
** that the cache file has too.  SQLITE_OK or SQLITE_NOMEM. */
int rtk_fetch_forget(struct rtk_fetch *fetch, int64_t *count);

/* So many more ids are going to be asked for, as far as a batch knows; of a single
** one nobody knows what follows it. */
void rtk_fetch_expect(struct rtk_fetch *fetch, size_t count);

/* Where the budget of the token in force stands: see rtk_budget_left() and
** rtk_budget_blocked_ms().  Without a usable token it is not known.  SQLITE_OK or
** SQLITE_NOMEM. */
int rtk_fetch_quota_left(struct rtk_fetch *fetch, int64_t *left,
                         int64_t *reset_ms);
int64_t rtk_fetch_blocked_ms(const struct rtk_fetch *fetch);

/* Asks for it.  *entry is held for the caller: rtk_fetch_release() it.
** SQLITE_OK, SQLITE_NOMEM or SQLITE_ERROR. */
int rtk_fetch_want(struct rtk_fetch *fetch, const struct rtk_wanted *wanted,
                   struct rtk_entry **entry, struct rtk_err *err);
/* The same, but a reply from before `since_ms`, by rtk_clock_ms(), is asked for
** anew, if nobody else is at it. */
int rtk_fetch_want_since(struct rtk_fetch *fetch,
                         const struct rtk_wanted *wanted, int64_t since_ms,
                         struct rtk_entry **entry, struct rtk_err *err);
void rtk_fetch_release(struct rtk_fetch *fetch, struct rtk_entry *entry);

/* May one more be asked ahead of its turn?  Not when `concurrency` are under
** way or ready, nor when as many wait to be made again, nor when what waits for
** its turn fills cache_max_bytes. */
bool rtk_fetch_has_room(const struct rtk_fetch *fetch);

/* Moves everything on.  `is_idle`: the caller can do nothing without the next
** reply; a few milliseconds are then waited for it, and a wait for the
** quota that is too long to be sat out is an error.  SQLITE_OK, SQLITE_INTERRUPT, SQLITE_NOMEM or
** SQLITE_ERROR, after which the statement has to end. */
int rtk_fetch_drive(struct rtk_fetch *fetch, bool is_idle, struct rtk_err *err);

/* Around a request that is made beside it with this token: waits until the quota
** has room for it, and counts it.  SQLITE_OK: make it, and tell how often it was
** sent and what became of it, all zeros for nothing; SQLITE_INTERRUPT,
** SQLITE_NOMEM, or SQLITE_ERROR when the wait is too long. */
int rtk_fetch_take_turn(struct rtk_fetch *fetch, const char *token,
                        struct rtk_err *err);
void rtk_fetch_count(struct rtk_fetch *fetch, const char *token, int sent,
                     const struct rtk_response *response);

/* The caller goes back to SQLite, which may print a row. */
void rtk_fetch_rest(struct rtk_fetch *fetch);

/* Has it been so long since the last drive that the network may be idle? */
bool rtk_fetch_is_due(const struct rtk_fetch *fetch);

#endif
