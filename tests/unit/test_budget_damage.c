/* A count of requests in the cache file that is damaged, or made under another
** clock, keeps nobody from sending. */
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

#define HOUR_MS 3600000
#define UNIX_MS 1700000000000

static int64_t clock_ms = 1000;
static int64_t set_back_ms; /* of the calendar's clock */

int64_t rtk_clock_ms(void) { return clock_ms; }

int64_t rtk_clock_unix_ms(void) { return clock_ms + UNIX_MS - set_back_ms; }

static char folder[] = "/tmp/rtk-damage-XXXXXX";
static char path[64];

static void begin(struct side *side, const char *timeout_ms) {
  side_setting settings[] = {{"quota", "100000"},
                             {"rate_per_second", "0"},
                             {"timeout_ms", timeout_ms}};
  side_begin(side, settings, COUNT(settings), path, "url", "token");
}

static int take(struct side *side, int count) {
  int64_t wait_ms = RTK_WAIT_MAX_MS;
  return rtk_budget_take(side->budget, count, &wait_ms);
}

static void remove_cache(void) {
  static const char *const ends[] = {"", "-wal", "-shm"};
  for (size_t i = 0; i < COUNT(ends); i++) {
    char name[80];
    (void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
    (void)remove(name);
  }
}

/* Each number of the blob in turn. */
static void damage_blocks_nobody(void **state) {
  static const int64_t numbers[] = {INT64_MAX, INT64_MIN, (int64_t)1 << 62,
                                    UNIX_MS + 23 * (int64_t)HOUR_MS, INT32_MAX};
  struct side side;
  sqlite3 *db = NULL;
  sqlite3_stmt *damage = NULL;
  char what[40];
  (void)state;
  begin(&side, "1000");
  assert_int_equal(take(&side, 1), 1);
  rtk_budget_end(side.budget, NULL);
  rtk_budget_flush(side.budget);
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(
      sqlite3_prepare_v2(db,
                         "UPDATE blob SET data = CAST(substr(data, 1, ?1) || ?2"
                         " || substr(data, ?1 + 9) AS BLOB)"
                         " WHERE length(data) >= ?1 + 8",
                         -1, &damage, NULL),
      SQLITE_OK);
  for (int at = 0, is_in = 1; is_in; at += 8) {
    for (size_t i = 0; i < COUNT(numbers); i++) {
      sqlite3_bind_int(damage, 1, at);
      sqlite3_bind_blob(damage, 2, &numbers[i], 8, SQLITE_STATIC);
      assert_int_equal(sqlite3_step(damage), SQLITE_DONE);
      (void)sqlite3_reset(damage);
      is_in = sqlite3_changes(db) > 0;
      (void)snprintf(what, sizeof(what), "at %d, number %d", at, (int)i);
      clock_ms += 1;
      int granted = take(&side, 2);
      check_int(what, "granted", granted, 2);
      for (int k = 0; k < granted; k++) rtk_budget_end(side.budget, NULL);
      rtk_budget_flush(side.budget);
      if (check.failures > 20) is_in = 0;
    }
  }
  (void)sqlite3_finalize(damage);
  (void)sqlite3_close(db);
  side_end(&side);
  remove_cache();
}

/* What was under way when the clock was set back ends when it would have. */
static void a_clock_set_back_prolongs_no_lease(void **state) {
  struct side left, side;
  int64_t reset_ms = 0;
  (void)state;
  begin(&left, "1000");
  begin(&side, "1000");
  assert_int_equal(take(&left, 5), 5);
  set_back_ms = 48 * (int64_t)HOUR_MS;
  check_int("set back", "left", rtk_budget_left(side.budget, &reset_ms),
            100000 - 5);
  clock_ms += 1000 + RTK_LEASE_MARGIN_MS + 1;
  (void)rtk_budget_left(side.budget, &reset_ms);
  clock_ms += 400000; /* quota_window_s, and more */
  check_int("lease and window over", "left",
            rtk_budget_left(side.budget, &reset_ms), 100000);
  side_end(&left);
  side_end(&side);
  set_back_ms = 0;
  remove_cache();
}

/* A longer time-out of another connection is its own affair: it renews its
** lease, and ends what it has begun. */
static void a_longer_time_out_is_no_damage(void **state) {
  struct side slow, side;
  int64_t reset_ms = 0;
  (void)state;
  begin(&slow, "600000");
  begin(&side, "1000");
  assert_int_equal(take(&slow, 5), 5);
  check_int("begun", "left", rtk_budget_left(side.budget, &reset_ms),
            100000 - 5);
  clock_ms += 300000;
  check_int("running", "left", rtk_budget_left(side.budget, &reset_ms),
            100000 - 5);
  for (int i = 0; i < 5; i++) rtk_budget_end(slow.budget, NULL);
  rtk_budget_flush(slow.budget);
  clock_ms += 400000;
  check_int("ended", "left", rtk_budget_left(side.budget, &reset_ms), 100000);
  side_end(&slow);
  side_end(&side);
  remove_cache();
}

static int make_folder(void **state) {
  (void)state;
  if (mkdtemp(folder) == NULL) return 1;
  (void)snprintf(path, sizeof(path), "%s/cache.db", folder);
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  return rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {TEST(damage_blocks_nobody),
                                     TEST(a_clock_set_back_prolongs_no_lease),
                                     TEST(a_longer_time_out_is_no_damage)};
  check_init();
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
