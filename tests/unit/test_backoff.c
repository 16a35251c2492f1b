/* Is a request made again, and when? */
#include "api/backoff.h"

#include "base/limits.h"
#include "net/http.h"

#include "check.h"

/* Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110's examples. */
#define NOW_MS 784111777000

#define NINES "99999999999999999999999999999999999999999999999999"

static struct rtk_response response_of(const char *should_retry,
                                       const char *after, const char *ms) {
  struct rtk_response r = {.status = 500, .detail = ""};
  sqlite3_snprintf(RTK_HEADER_MAX, r.should_retry, "%s", should_retry);
  sqlite3_snprintf(RTK_HEADER_MAX, r.retry_after, "%s", after);
  sqlite3_snprintf(RTK_HEADER_MAX, r.retry_after_ms, "%s", ms);
  return r;
}

CASE(a_request_is_made_again_or_not) {
  static const struct {
    const char *name;
    enum rtk_retry_kind kind;
    int tries, max_retries;
    const char *should_retry;
    bool is_retried, is_pause;
  } cases[] = {
      {"never", RTK_RETRY_NEVER, 1, 2, "", false, false},
      {"first try", RTK_RETRY_AGAIN, 1, 2, "", true, false},
      {"last retry", RTK_RETRY_AGAIN, 2, 2, "", true, false},
      {"used up", RTK_RETRY_AGAIN, 3, 2, "", false, false},
      {"no retries wanted", RTK_RETRY_AGAIN, 1, 0, "", false, false},
      {"server: no", RTK_RETRY_AGAIN, 1, 2, "false", false, false},
      {"server: yes", RTK_RETRY_NEVER, 1, 2, "true", true, false},
      {"server: yes, used up", RTK_RETRY_NEVER, 3, 2, "true", false, false},
      {"server: yes, none wanted", RTK_RETRY_NEVER, 1, 0, "true", false, false},
      {"server: something", RTK_RETRY_NEVER, 1, 2, "yes", false, false},
      {"server: something else", RTK_RETRY_AGAIN, 1, 2, "no", true, false},
      {"pause", RTK_RETRY_PAUSE, 1, 2, "", true, true},
      {"pause, beyond the retries", RTK_RETRY_PAUSE, 2, 0, "", true, true},
      {"pause, no retries wanted", RTK_RETRY_PAUSE, 1, 0, "", true, true},
      {"pause, server: no", RTK_RETRY_PAUSE, 1, 2, "false", false, false},
      {"pause, server: yes", RTK_RETRY_PAUSE, 2, 0, "true", true, true},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_response r = response_of(cases[i].should_retry, "1", "");
    struct rtk_backoff retry = rtk_backoff_decide(
        &r, cases[i].kind, cases[i].tries, cases[i].max_retries, NOW_MS, 0);
    check_int(cases[i].name, "is_retried", retry.is_retried,
              cases[i].is_retried);
    check_int(cases[i].name, "is_pause", retry.is_pause, cases[i].is_pause);
    check_int(cases[i].name, "wait_ms", retry.wait_ms,
              cases[i].is_retried ? 1000 : 0);
  }
}

CASE(pauses_cannot_flood) {
  static const struct {
    const char *name, *retry_after_ms;
    int pauses;
    int64_t wait_ms;
  } cases[] = {
      {"the first is believed", "150", 1, 150},
      {"but not when it is none", "0", 1, 500},
      {"the second", "150", 2, 500},
      {"the second, longer than ours", "700", 2, 700},
      {"the fourth", "150", 4, 2000},
      {"the hundredth", "0", 100, 8000},
      {"not announced", "", 1, 500},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_response r = response_of("", "", cases[i].retry_after_ms);
    struct rtk_backoff retry =
        rtk_backoff_decide(&r, RTK_RETRY_PAUSE, cases[i].pauses, 2, NOW_MS, 0);
    check_int(cases[i].name, "wait_ms", retry.wait_ms, cases[i].wait_ms);
  }
}

CASE(the_server_names_the_wait) {
  static const int64_t backoff = RTK_BACKOFF_FIRST_MS;
  const struct {
    const char *name, *after, *ms;
    int64_t wait_ms;
  } cases[] = {
      {"nothing", "", "", backoff},
      {"seconds", "7", "", 7000},
      {"no wait", "0", "", 0},
      {"part of a second", "0.25", "", 250},
      {"point first", ".5", "", 500},
      {"point last", "5.", "", 5000},
      {"leading zeros", "007", "", 7000},
      {"milliseconds", "", "1500", 1500},
      {"milliseconds with a fraction", "", "1500.9", 1500},
      {"milliseconds before seconds", "7", "1500", 1500},
      {"bad milliseconds", "7", "soon", 7000},
      {"both bad", "soon", "soon", backoff},
      {"point alone", ".", ".", backoff},
      {"two points", "1.2.3", "1.2.3", backoff},
      {"negative", "-5", "-5", backoff},
      {"plus", "+5", "+5", backoff},
      {"exponent", "1e3", "1e3", backoff},
      {"hexadecimal", "0x10", "0x10", backoff},
      {"infinity", "inf", "inf", backoff},
      {"not a number", "nan", "nan", backoff},
      {"comma", "1,5", "1,5", backoff},
      {"at the limit", "86400", "", RTK_WAIT_MAX_MS},
      {"below the limit", "86399.999", "", RTK_WAIT_MAX_MS - 1},
      {"above the limit", "86401", "", RTK_WAIT_MAX_MS},
      {"milliseconds above the limit", "", "86400001", RTK_WAIT_MAX_MS},
      {"a hundred digits", NINES NINES, "", RTK_WAIT_MAX_MS},
      {"a hundred digits of ms", "", NINES NINES, RTK_WAIT_MAX_MS},
      {"date", "Sun, 06 Nov 1994 08:50:37 GMT", "", 60000},
      {"date, RFC 850", "Sunday, 06-Nov-94 08:50:37 GMT", "", 60000},
      {"date, asctime", "Sun Nov  6 08:50:37 1994", "", 60000},
      {"date: now", "Sun, 06 Nov 1994 08:49:37 GMT", "", 0},
      {"date: past", "Sun, 06 Nov 1994 08:49:36 GMT", "", 0},
      {"date: long past", "Thu, 01 Jan 1970 00:00:00 GMT", "", 0},
      {"date: in a day", "Mon, 07 Nov 1994 08:49:37 GMT", "", RTK_WAIT_MAX_MS},
      {"date: in years", "Fri, 06 Nov 2037 08:49:37 GMT", "", RTK_WAIT_MAX_MS},
      {"date of no kind", "Sun, 99 Nov 1994 08:50:37 GMT", "", backoff},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_response r = response_of("", cases[i].after, cases[i].ms);
    struct rtk_backoff retry =
        rtk_backoff_decide(&r, RTK_RETRY_AGAIN, 1, 2, NOW_MS, 0);
    check_int(cases[i].name, "wait_ms", retry.wait_ms, cases[i].wait_ms);
    check_int(cases[i].name, "is_retried", retry.is_retried, true);
  }
}

CASE(else_the_wait_doubles) {
  static const struct {
    const char *name;
    int tries;
    uint32_t random;
    int64_t wait_ms;
  } cases[] = {
      {"first", 1, 0, 500},
      {"second", 2, 0, 1000},
      {"third", 3, 0, 2000},
      {"fourth", 4, 0, 4000},
      {"fifth", 5, 0, 8000},
      {"sixth", 6, 0, 8000},
      {"after very many", 2147483647, 0, 8000},
      {"none yet", 0, 0, 500},
      {"a quarter less at the most", 1, 1023, 376},
      {"any random value", 1, UINT32_MAX, 376},
      {"half of that", 5, 512, 7000},
  };
  struct rtk_response r = response_of("", "", "");
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_backoff retry = rtk_backoff_decide(
        &r, RTK_RETRY_PAUSE, cases[i].tries, 2, NOW_MS, cases[i].random);
    check_int(cases[i].name, "wait_ms", retry.wait_ms, cases[i].wait_ms);
  }
  for (uint32_t random = 0; random < 3000; random++) {
    struct rtk_backoff retry =
        rtk_backoff_decide(&r, RTK_RETRY_AGAIN, 1, 2, NOW_MS, random);
    if (retry.wait_ms <= 375 || retry.wait_ms > 500) {
      check_int("375 to 500", "wait_ms", retry.wait_ms, 500);
    }
  }
}

CASE(dates_are_those_of_http) {
  static const struct {
    const char *name, *text;
    bool is_date;
    int64_t unix_ms;
  } cases[] = {
      {"IMF", "Sun, 06 Nov 1994 08:49:37 GMT", true, NOW_MS},
      {"the first second", "Thu, 01 Jan 1970 00:00:00 GMT", true, 0},
      {"leap day", "Thu, 29 Feb 2024 00:00:00 GMT", true, 1709164800000},
      {"empty", "", false, 0},
      {"words", "tomorrow", false, 0},
      {"before 1970", "Wed, 31 Dec 1969 23:00:00 GMT", false, 0},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    int64_t unix_ms = 0;
    check_int(cases[i].name, "is a date",
              rtk_http_parse_date(cases[i].text, &unix_ms), cases[i].is_date);
    check_int(cases[i].name, "ms", unix_ms, cases[i].unix_ms);
  }
}

int main(void) { return check_run(); }
