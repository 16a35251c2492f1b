/* Requests under way of which nobody tells the end, in the process and in the
** cache file: two connections with a quota of 10 in 5 s, and leases of 11 s. */
#include "quota/budget.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "config/config.h"
#include "disk/diskcache.h"

#include "check.h"
#include "side.h"

#include <stdio.h>
#include <unistd.h>

#define WINDOW_MS 5100 /* and what a slot rounds up */
#define LEASE_MS (1000 + RTK_LEASE_MARGIN_MS)

static int64_t clock_ms = 1000;

int64_t rtk_clock_ms(void) { return clock_ms; }

int64_t rtk_clock_unix_ms(void) { return clock_ms + 1700000000000; }

static const char *where; /* the count is kept, for messages */

static void begin(struct side *side, const char *path) {
  static side_setting settings[] = {{"quota", "10"},
                                    {"quota_window_s", "5"},
                                    {"rate_per_second", "0"},
                                    {"timeout_ms", "1000"}};
  side_begin(side, settings, COUNT(settings), path, where, "token");
}

static void take(struct side *side, int count) {
  int64_t wait_ms = RTK_WAIT_MAX_MS;
  int granted = rtk_budget_take(side->budget, count, &wait_ms);
  check_int(where, "granted", granted, count);
}

static void end(struct side *side, int count) {
  for (int i = 0; i < count; i++) rtk_budget_end(side->budget, NULL);
  rtk_budget_flush(side->budget);
}

static void check_left(struct side *side, const char *what, int64_t left) {
  int64_t reset_ms = 0;
  check_int(where, what, rtk_budget_left(side->budget, &reset_ms), left);
}

static void leave_some_under_way(const char *path) {
  struct side one;
  struct side other;
  begin(&one, path);
  begin(&other, path);

  take(&one, 3);
  clock_ms += LEASE_MS;
  check_left(&other, "left at the end of the lease", 7);
  clock_ms += 1;
  check_left(&other, "left when it has run out", 7);
  clock_ms += WINDOW_MS;
  check_left(&other, "left a window later", 10);

  take(&one, 2);
  end(&one, 3);
  clock_ms += WINDOW_MS;
  check_left(&other, "left with two under way, three old ones over", 8);
  end(&one, 2);
  check_left(&other, "left when they have ended", 8);
  clock_ms += WINDOW_MS;
  check_left(&other, "left another window later", 10);

  take(&one, 2);
  clock_ms += LEASE_MS + 1;
  take(&other, 1);
  rtk_budget_give_back(one.budget, 2);
  rtk_budget_flush(one.budget);
  clock_ms += WINDOW_MS;
  check_left(&other, "left with the other's one under way", 9);
  take(&one, 3);
  end(&one, 3);
  end(&other, 1);
  clock_ms += WINDOW_MS;
  check_left(&other, "left at the end", 10);

  take(&one, 4);
  side_end(&one);
  clock_ms += WINDOW_MS;
  check_left(&other, "left when the one is closed", 10);
  side_end(&other);
}

static void in_the_process(void **state) {
  (void)state;
  where = "process";
  leave_some_under_way(NULL);
}

static void in_the_file(void **state) {
  static const char *const ends[] = {"", "-wal", "-shm"};
  char folder[] = "/tmp/rtk-budget-XXXXXX";
  char path[64];
  (void)state;
  where = "file";
  assert_non_null(mkdtemp(folder));
  (void)snprintf(path, sizeof(path), "%s/cache.db", folder);
  leave_some_under_way(path);
  for (size_t i = 0; i < COUNT(ends); i++) {
    (void)snprintf(path, sizeof(path), "%s/cache.db%s", folder, ends[i]);
    (void)remove(path);
  }
  assert_int_equal(rmdir(folder), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {TEST(in_the_process), TEST(in_the_file)};
  check_init();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
