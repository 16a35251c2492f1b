/*
** The request budget: one for each base URL and token, shared by all
** connections of the process and outliving them; where there is a cache file,
** by all processes that name it, too.
**
** A struct rtk_budget is one connection's share in it and is used by one
** thread at a time, as the connection is.  What may be sent is pace.c's to
** say; here is who asks.
*/
#ifndef RTK_BUDGET_H
#define RTK_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct rtk_budget;
struct rtk_config;
struct rtk_ratelimit;
struct rtk_diskcache;

/* `config` and `disk` are borrowed and must outlive it.  SQLITE_OK with
** *budget given (free with rtk_budget_free()), or SQLITE_NOMEM. */
int rtk_budget_new(const struct rtk_config *config, struct rtk_diskcache *disk,
                   struct rtk_budget **budget);

/* What is under way counts as ended now. */
void rtk_budget_free(struct rtk_budget *budget);

/* Goes over to the budget of this base URL and token; nothing is under way.
** SQLITE_OK or SQLITE_NOMEM. */
int rtk_budget_join(struct rtk_budget *budget, const char *base_url,
                    const char *token);

/* How many of `wanted` requests may be sent now, 0 to `wanted`: they count as
** under way until they are ended or given back, or timeout_ms and
** RTK_LEASE_MARGIN_MS have gone by since the last were taken.  When they are fewer, *wait_ms is lowered to the time after which
** to ask again; 0: soon, it is no quota but a lock on the cache file that is in
** the way. */
int rtk_budget_take(struct rtk_budget *budget, int wanted, int64_t *wait_ms);

/* Taken, and not sent after all. */
void rtk_budget_give_back(struct rtk_budget *budget, int count);

/* One that was under way has ended: replied to, failed or cancelled.  `news`:
** what the reply announces, or NULL. */
void rtk_budget_end(struct rtk_budget *budget,
                    const struct rtk_ratelimit *news);

/* libcurl has sent a request that is under way so many times more. */
void rtk_budget_repeat(struct rtk_budget *budget, int count);

/* A 429: nobody sends for so long. */
void rtk_budget_block(struct rtk_budget *budget, int64_t wait_ms);

/* What is left of that time; 0: none. */
int64_t rtk_budget_blocked_ms(const struct rtk_budget *budget);

/* Tells the cache file of what has ended, its queued replies with it. */
void rtk_budget_flush(struct rtk_budget *budget);

/* For showing: requests left in the tightest quota, or -1 when there is none;
** *reset_ms: until it is whole again. */
int64_t rtk_budget_left(struct rtk_budget *budget, int64_t *reset_ms);

#endif
