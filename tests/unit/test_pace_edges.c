/* Pacing where a number is just at its limit: what is too old to count when a
** window changes, a clock that is set back by little, and each field of a record
** from a file that cannot be right. */
#include "quota/pace.h"

#include "api/ratelimit.h"
#include "base/limits.h"

#include "check.h"

#define START_MS 1700000000000

/* A request that is over long ago does not come back when the window changes,
** whatever the sizes of the slots that it is remembered in. */
static void what_is_too_old_stays_so(void **state) {
  const int64_t before_ms = 12000, after_ms = 2000; /* slots of 101 and 17 ms */
  (void)state;
  for (int64_t age_ms = after_ms + 101 + 17; age_ms < 4000; age_ms++) {
    struct rtk_pace pace = {0};
    int64_t wait_ms = 0, reset_ms = 0;
    rtk_pace_set(&pace, START_MS, 0, 5, before_ms);
    (void)rtk_pace_take(&pace, START_MS, 1, &wait_ms);
    rtk_pace_end(&pace, START_MS, 1, NULL);
    rtk_pace_set(&pace, START_MS + age_ms, 0, 5, after_ms);
    check_int("after a change", "left",
              rtk_pace_left(&pace, START_MS + age_ms, &reset_ms), 5);
  }
}

/* A clock that is set back by some seconds holds nobody up for as long. */
static void a_clock_set_back_by_seconds(void **state) {
  static const int64_t backs_ms[] = {1001, 5000, 60000, 900000};
  (void)state;
  for (size_t i = 0; i < COUNT(backs_ms); i++) {
    struct rtk_pace pace = {0};
    int64_t wait_ms = 0;
    int64_t now = START_MS;
    rtk_pace_set(&pace, now, 0, 2, 1200);
    check_int("before", "taken", rtk_pace_take(&pace, now, 2, &wait_ms), 2);
    rtk_pace_end(&pace, now, 2, NULL);
    now -= backs_ms[i];
    check_int("at once", "taken", rtk_pace_take(&pace, now, 1, &wait_ms), 0);
    now += 1200 + 11;
    check_int("a window later", "taken", rtk_pace_take(&pace, now, 2, &wait_ms),
              2);
  }
}

/* --- records that cannot be right ------------------------------------------------ */

static struct rtk_pace good_pace(void) {
  struct rtk_pace pace = {0};
  int64_t wait_ms = 0;
  rtk_pace_set(&pace, START_MS, 10, 100, 60000);
  (void)rtk_pace_take(&pace, START_MS, 5, &wait_ms);
  rtk_pace_end(&pace, START_MS, 2, NULL);
  check_int("good", "valid", rtk_pace_is_valid(&pace), 1);
  return pace;
}

static void check_bad(const char *name, const struct rtk_pace *pace) {
  check_int(name, "valid", rtk_pace_is_valid(pace), 0);
}

static void each_field_is_looked_at(void **state) {
  struct rtk_pace pace = good_pace();
  (void)state;
  pace.under_way = -1;
  check_bad("less than none under way", &pace);
  pace = good_pace();
  pace.rate.newest_ms = pace.clock_ms + 1;
  check_bad("a slot of the future", &pace);
  pace = good_pace();
  pace.quota.window_ms = RTK_WAIT_MAX_MS + 1;
  check_bad("a window of more than a day", &pace);
  pace = good_pace();
  pace.blocked_until_ms = pace.clock_ms + RTK_WAIT_MAX_MS + 1;
  check_bad("blocked for more than a day", &pace);
  pace = good_pace();
  pace.announced[0].left = -1;
  check_bad("less than none left", &pace);
  pace = good_pace();
  memset(pace.announced[1].name, 'a', sizeof(pace.announced[1].name));
  check_bad("a name without end", &pace);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(what_is_too_old_stays_so),
      TEST(a_clock_set_back_by_seconds),
      TEST(each_field_is_looked_at),
  };
  check_init();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
