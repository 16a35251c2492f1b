/*
** Is a failed request sent again, and when?
**
** The rules are those of Cloudflare's official SDKs (TypeScript 7.3): the
** reply's x-should-retry overrides the status; retry-after-ms, then
** retry-after in seconds or as a date, name the wait; else it doubles from
** half a second up to eight, less up to a quarter at random.
*/
#include "api/backoff.h"

#include "base/limits.h"
#include "base/number.h"
#include "net/http.h"

#include <string.h>

static int64_t bounded(int64_t ms) {
  if (ms < 0) return 0;
  return ms > RTK_WAIT_MAX_MS ? RTK_WAIT_MAX_MS : ms;
}

/* Digits with at most one point, as thousandths; -1 for anything else. */
static int64_t parse_thousandths(const char *text) {
  const char *at = text;
  int64_t whole = rtk_number_read(&at);
  int64_t fraction = *at == '.' ? (at++, rtk_number_read_fraction(&at)) : 0;
  bool has_digit = whole >= 0 || at > text + 1;
  if (*at != '\0' || !has_digit) return -1;
  return (whole < 0 ? 0 : whole) * 1000 + fraction;
}

/* The wait that the server asks for, or -1. */
static int64_t announced_wait(const struct rtk_response *response,
                              int64_t now_unix_ms) {
  int64_t at_ms = 0;
  int64_t wait_us = parse_thousandths(response->retry_after_ms);
  int64_t wait_ms = parse_thousandths(response->retry_after);
  if (wait_us >= 0) return bounded(wait_us / 1000);
  if (wait_ms >= 0) return bounded(wait_ms);
  if (!rtk_http_parse_date(response->retry_after, &at_ms)) return -1;
  return bounded(at_ms - now_unix_ms);
}

static int64_t backoff(int tries, uint32_t random) {
  int64_t wait = RTK_BACKOFF_FIRST_MS;
  for (int i = 1; i < tries && wait < RTK_BACKOFF_MAX_MS; i++) wait *= 2;
  if (wait > RTK_BACKOFF_MAX_MS) wait = RTK_BACKOFF_MAX_MS;
  return wait - wait * (int64_t)(random % 1024) / 4096;
}

/* x-should-retry counts for an error only. */
static bool may_overrule(const struct rtk_response *response) {
  bool is_good = response->status >= 200 && response->status <= 299;
  return !is_good && response->failure != RTK_FAILURE_TOO_LARGE;
}

struct rtk_backoff rtk_backoff_decide(const struct rtk_response *response,
                                      enum rtk_retry_kind kind, int tries,
                                      int max_retries, int64_t now_unix_ms,
                                      uint32_t random) {
  struct rtk_backoff retry = {.is_pause = kind == RTK_RETRY_PAUSE};
  retry.is_retried = kind != RTK_RETRY_NEVER;
  if (may_overrule(response)) {
    if (strcmp(response->should_retry, "true") == 0) retry.is_retried = true;
    if (strcmp(response->should_retry, "false") == 0) retry.is_retried = false;
  }
  if (!retry.is_pause && tries > max_retries) retry.is_retried = false;
  if (!retry.is_retried) return (struct rtk_backoff){0};

  int64_t announced = announced_wait(response, now_unix_ms);
  retry.wait_ms = announced >= 0 ? announced : backoff(tries, random);
  /* No number of tries ends a series of pauses.  So a pause that follows
  ** another, or is announced as 0, lasts at least as long as our own
  ** back-off. */
  if (retry.is_pause && (announced == 0 || tries > 1)) {
    int64_t own = backoff(tries > 1 ? tries - 1 : 1, random);
    if (own > retry.wait_ms) retry.wait_ms = own;
  }
  return retry;
}
