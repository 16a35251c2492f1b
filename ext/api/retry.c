/*
** Is a request that failed made again, and when?
**
** The rules are those of Cloudflare's official SDKs (TypeScript 7.3): the
** reply's x-should-retry overrides the status; retry-after-ms, then
** retry-after in seconds or as a date, name the wait; else it doubles from
** half a second up to eight, less up to a quarter at random.
*/
#include "api/retry.h"

#include "base/limits.h"
#include "net/http.h"

#include <string.h>

static int64_t bounded(double ms) {
  if (!(ms > 0)) return 0;
  return ms > RTK_WAIT_MAX_MS ? RTK_WAIT_MAX_MS : (int64_t)ms;
}

/* Digits with at most one point, by hand: strtod() follows the locale. */
static bool parse_decimal(const char *text, double *number) {
  double sum = 0;
  double unit = 0; /* of the next digit; 0 before the point */
  bool has_digit = false;
  for (; *text != '\0'; text++) {
    if (*text == '.' && unit == 0) {
      unit = 0.1;
    } else if (*text < '0' || *text > '9') {
      return false;
    } else if (unit > 0) {
      sum += (*text - '0') * unit;
      unit /= 10;
      has_digit = true;
    } else {
      sum = sum * 10 + (*text - '0');
      has_digit = true;
    }
  }
  *number = sum;
  return has_digit;
}

/* The wait that the server asks for, or -1. */
static int64_t announced_wait(const struct rtk_response *response,
                              int64_t now_unix_ms) {
  double number = 0;
  int64_t at_ms = 0;
  if (parse_decimal(response->retry_after_ms, &number)) return bounded(number);
  if (parse_decimal(response->retry_after, &number)) {
    return bounded(number * 1000);
  }
  if (rtk_http_parse_date(response->retry_after, &at_ms)) {
    return bounded((double)(at_ms - now_unix_ms));
  }
  return -1;
}

static int64_t backoff(int tries, uint32_t random) {
  int64_t wait = RTK_BACKOFF_FIRST_MS;
  for (int i = 1; i < tries && wait < RTK_BACKOFF_MAX_MS; i++) wait *= 2;
  if (wait > RTK_BACKOFF_MAX_MS) wait = RTK_BACKOFF_MAX_MS;
  return wait - wait * (int64_t)(random % 1024) / 4096;
}

/* x-should-retry is about a reply that is an error. */
static bool may_overrule(const struct rtk_response *response) {
  bool is_good = response->status >= 200 && response->status <= 299;
  return !is_good && response->failure != RTK_FAILURE_TOO_LARGE;
}

struct rtk_retry rtk_retry_decide(const struct rtk_response *response,
                                  enum rtk_retry_kind kind, int tries,
                                  int max_retries, int64_t now_unix_ms,
                                  uint32_t random) {
  struct rtk_retry retry = {.is_pause = kind == RTK_RETRY_PAUSE};
  retry.is_retried = kind != RTK_RETRY_NEVER;
  if (may_overrule(response)) {
    if (strcmp(response->should_retry, "true") == 0) retry.is_retried = true;
    if (strcmp(response->should_retry, "false") == 0) retry.is_retried = false;
  }
  if (!retry.is_pause && tries > max_retries) retry.is_retried = false;
  if (!retry.is_retried) return (struct rtk_retry){0};

  int64_t announced = announced_wait(response, now_unix_ms);
  retry.wait_ms = announced >= 0 ? announced : backoff(tries, random);
  /* Pauses have no number of tries to end them.  So one that follows another,
  ** or is announced as none at all, is at least as long as our own would be. */
  if (retry.is_pause && (announced == 0 || tries > 1)) {
    int64_t own = backoff(tries > 1 ? tries - 1 : 1, random);
    if (own > retry.wait_ms) retry.wait_ms = own;
  }
  return retry;
}
