/*
** What a reply announces about the server's quotas, as numbers: the headers
** Ratelimit and Ratelimit-Policy (lists of RFC 8941), and X-Ratelimit-*.
*/
#ifndef RTK_RATELIMIT_H
#define RTK_RATELIMIT_H

#include "base/limits.h"

#include <stdint.h>

struct rtk_response;

/* The name of what X-Ratelimit-* say: no name in a list has a tab in it. */
#define RTK_RATELIMIT_X_NAME "\tx-ratelimit"

/* One quota; -1 for what was not said. */
struct rtk_ratelimit_item {
  char name[RTK_RATELIMIT_NAME_MAX]; /* cut */
  int64_t quota;     /* requests: 1 to RTK_RATELIMIT_COUNT_MAX */
  int64_t window_ms; /* for so many: 1 to RTK_WAIT_MAX_MS */
  int64_t left;      /* requests: 0 to RTK_RATELIMIT_COUNT_MAX */
  int64_t reset_ms;  /* from the reply on: 0 to RTK_WAIT_MAX_MS */
};

struct rtk_ratelimit {
  int count; /* 0: nothing announced */
  struct rtk_ratelimit_item items[RTK_RATELIMIT_ITEMS_MAX];
};

/* Reads the headers of a reply; items of one name are joined into one, the
** tighter number holding.  What is malformed counts as not sent, larger numbers
** as the largest.  `now_unix_ms` is for an x-ratelimit-reset that names a
** moment. */
void rtk_ratelimit_read(const struct rtk_response *response,
                        int64_t now_unix_ms, struct rtk_ratelimit *news);

#endif
