/*
** Is a request that failed made again, and when?  As the official SDKs do it.
*/
#ifndef RTK_RETRY_H
#define RTK_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct rtk_response;

/* What the kind of failure says by itself; status.c knows which is which. */
enum rtk_retry_kind {
  RTK_RETRY_NEVER,
  RTK_RETRY_AGAIN, /* this request, `max_retries` times */
  RTK_RETRY_PAUSE  /* 429: every request waits; no try is used up */
};

struct rtk_retry {
  bool is_retried;
  bool is_pause;   /* no request at all is to be made before the wait is over */
  int64_t wait_ms; /* 0 to RTK_WAIT_MAX_MS */
};

/* `tries` have been used up by this request, this one included (for a pause:
** pauses in a row); `now_unix_ms` is for dates in Retry-After; `random` (any
** value) spreads the waits. */
struct rtk_retry rtk_retry_decide(const struct rtk_response *response,
                                  enum rtk_retry_kind kind, int tries,
                                  int max_retries, int64_t now_unix_ms,
                                  uint32_t random);

#endif
