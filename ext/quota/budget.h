/*
** The request budget: one for each base URL and token.  It is shared by all
** connections of the process and outlives them; with a cache file, it is also
** shared by all processes that use that file.
**
** A struct rtk_budget is one connection's share, and is used by one thread at a
** time, as the connection is.  pace.c decides how many requests may start;
** budget.c keeps account of who has them in flight.
*/
#ifndef RTK_BUDGET_H
#define RTK_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct rtk_budget;
struct rtk_config;
struct rtk_ratelimit;
struct rtk_diskcache;

/* ms: timeout_ms and this after its start a request counts as ended, whatever
** happened to its statement or its process. */
#define RTK_LEASE_MARGIN_MS 10000

/* `config` and `disk` are borrowed and must outlive it.  SQLITE_OK with
** *budget given (free with rtk_budget_free()), or SQLITE_NOMEM. */
int rtk_budget_new(const struct rtk_config *config, struct rtk_diskcache *disk,
                   struct rtk_budget **budget);

/* Requests in flight count as ended now. */
void rtk_budget_free(struct rtk_budget *budget);

/* Changes to the budget of this base URL and token; nothing is in flight.
** SQLITE_OK or SQLITE_NOMEM. */
int rtk_budget_join(struct rtk_budget *budget, const char *base_url,
                    const char *token);

/* Returns how many of `wanted` requests may be sent now.  They are in flight
** until they are ended, or the lease expires: timeout_ms and
** RTK_LEASE_MARGIN_MS after the last acquire.  If fewer than wanted, *wait_ms
** is lowered to the time after which to ask again; 0: soon, as it is only a
** lock on the cache file that is in the way. */
int rtk_budget_acquire(struct rtk_budget *budget, int wanted, int64_t *wait_ms);

/* `count` requests in flight have ended: replied to, failed or cancelled.  They
** were sent `sent` times in all: 0 for those that never started, more than
** `count` when libcurl repeated some.  `news`: what the last reply announces,
** or NULL. */
void rtk_budget_end(struct rtk_budget *budget, int count, int sent,
                    const struct rtk_ratelimit *news);

/* A 429: nobody sends for wait_ms. */
void rtk_budget_block(struct rtk_budget *budget, int64_t wait_ms);

/* ms until the end of the block; 0: there is none. */
int64_t rtk_budget_blocked_ms(struct rtk_budget *budget);

/* Reports to the cache file what has ended, and writes its queued replies. */
void rtk_budget_flush(struct rtk_budget *budget);

/* For display: requests left in the tightest quota, or -1 when there is none;
** *reset_ms: the time until all of it is left again. */
int64_t rtk_budget_left(struct rtk_budget *budget, int64_t *reset_ms);

#endif
