/*
** The server's quotas as its replies announce them: the headers Ratelimit and
** Ratelimit-Policy (lists of RFC 8941), and X-Ratelimit-*.
*/
#ifndef RTK_RATELIMIT_H
#define RTK_RATELIMIT_H

#include "base/limits.h"

#include <stdint.h>

/* Quotas that one server announces: a reply has one or two.  Bytes of a quota's
** name, and the largest number of requests that is believed. */
#define RTK_RATELIMIT_ITEMS_MAX 4
#define RTK_RATELIMIT_NAME_MAX 32
#define RTK_RATELIMIT_COUNT_MAX 1000000000

struct rtk_response;

/* The name of the quota in X-Ratelimit-*: no name in a list can have a tab. */
#define RTK_RATELIMIT_X_NAME "\tx-ratelimit"

/* One quota; -1 for each number that the reply does not have. */
struct rtk_ratelimit_item {
  char name[RTK_RATELIMIT_NAME_MAX]; /* cut */
  int64_t quota;     /* requests: 1 to RTK_RATELIMIT_COUNT_MAX */
  int64_t window_ms; /* in which they are allowed: 1 to RTK_WAIT_MAX_MS */
  int64_t left;      /* requests: 0 to RTK_RATELIMIT_COUNT_MAX */
  int64_t reset_ms;  /* from the reply on: 0 to RTK_WAIT_MAX_MS */
};

struct rtk_ratelimit {
  int count; /* 0: nothing announced */
  struct rtk_ratelimit_item items[RTK_RATELIMIT_ITEMS_MAX];
};

/* Reads the headers of a reply.  Items of one name become one item with the
** tighter numbers.  A malformed header counts as not sent, a number that is too
** large as the largest.  `now_unix_ms` is for an x-ratelimit-reset that is a
** time. */
void rtk_ratelimit_read(const struct rtk_response *response,
                        int64_t now_unix_ms, struct rtk_ratelimit *news);

#endif
