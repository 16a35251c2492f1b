/*
** Is a failed request sent again, and when?
**
**     HTTP 503, no header             again after 500, 1000, 2000 … ms
**     HTTP 503, Retry-After: 7        again after 7 s
**     HTTP 503, X-Should-Retry: false never
**     HTTP 429                        no request is sent before the wait ends
*/
#ifndef RTK_BACKOFF_H
#define RTK_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

/* ms: waits before a retry when the server names none, as the official SDKs
** have them: 500, 1000, 2000 … 8000, less up to a quarter. */
#define RTK_BACKOFF_FIRST_MS 500
#define RTK_BACKOFF_MAX_MS 8000

struct rtk_response;

/* What a status or failure means for a retry, without the headers: status.c. */
enum rtk_retry_kind {
  RTK_RETRY_NEVER,
  RTK_RETRY_AGAIN, /* this request, `max_retries` times */
  RTK_RETRY_PAUSE  /* 429: all requests wait; this is not counted as a try */
};

struct rtk_backoff {
  bool is_retried;
  bool is_pause;   /* no request may be sent before the wait is over */
  int64_t wait_ms; /* 0 to RTK_WAIT_MAX_MS */
};

/* `tries` is how often this request was sent, 1 or more.  For a pause it is the
** number of pauses in a row.  `now_unix_ms` is for dates in
** Retry-After; `random` (any value) spreads the waits. */
struct rtk_backoff rtk_backoff_decide(const struct rtk_response *response,
                                      enum rtk_retry_kind kind, int tries,
                                      int max_retries, int64_t now_unix_ms,
                                      uint32_t random);

#endif
