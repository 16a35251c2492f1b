/* Which limits hold where connections of one process have different ones, and who
** shares a budget. */
#include "quota/budget.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "config/config.h"
#include "disk/diskcache.h"

#include "check.h"
#include "side.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static int64_t clock_ms = 1000;

int64_t rtk_clock_ms(void) { return clock_ms; }

int64_t rtk_clock_unix_ms(void) { return clock_ms + 1700000000000; }

struct limits {
  const char *rate, *quota, *window_s;
};

static void begin(struct side *side, const struct limits *limits,
                  const char *base_url, const char *token) {
  side_setting settings[] = {{"rate_per_second", limits->rate},
                             {"quota", limits->quota},
                             {"quota_window_s", limits->window_s}};
  side_begin(side, settings, COUNT(settings), NULL, base_url, token);
}

/* How many of 1,000 go; they are given back. */
static int granted(struct side *side) {
  int64_t wait_ms = RTK_WAIT_MAX_MS;
  int count = rtk_budget_take(side->budget, 1000, &wait_ms);
  rtk_budget_give_back(side->budget, count);
  return count;
}

static void the_strictest_of_each_kind_holds(void **state) {
  static const struct {
    const char *name;
    struct limits one, other;
    int granted;
  } cases[] = {
      {"the rate of the one", {"3", "0", "60"}, {"7", "0", "60"}, 3},
      {"the rate of the other", {"7", "0", "60"}, {"3", "0", "60"}, 3},
      {"one has no rate", {"0", "0", "60"}, {"3", "0", "60"}, 3},
      {"the quota of the one", {"0", "4", "60"}, {"0", "9", "60"}, 4},
      {"the quota of the other", {"0", "9", "60"}, {"0", "4", "60"}, 4},
      {"more in a much longer window", {"0", "4", "6"}, {"0", "9", "60"}, 9},
      {"the same, the other way round", {"0", "9", "60"}, {"0", "4", "6"}, 9},
      {"rate and quota", {"8", "0", "60"}, {"0", "5", "60"}, 5},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct side one, other;
    char url[32];
    (void)snprintf(url, sizeof(url), "http://%d", (int)i);
    begin(&one, &cases[i].one, url, "token");
    begin(&other, &cases[i].other, url, "token");
    (void)granted(&one); /* the limits of both are known from here on */
    (void)granted(&other);
    check_int(cases[i].name, "granted to the one", granted(&one),
              cases[i].granted);
    check_int(cases[i].name, "granted to the other", granted(&other),
              cases[i].granted);
    side_end(&other);
    side_end(&one);
  }
}

static void a_budget_is_of_an_address_and_a_token(void **state) {
  static const struct limits limits = {"0", "5", "60"};
  static const struct {
    const char *base_url, *token;
    int granted;
  } others[] = {{"http://a", "token", 2},
                {"http://b", "token", 5},
                {"http://a", "other", 5},
                {"http://atoken", "", 5}};
  int64_t wait_ms = 0;
  struct side one;
  (void)state;
  begin(&one, &limits, "http://a", "token");
  check_int("the first", "granted", rtk_budget_take(one.budget, 3, &wait_ms),
            3);
  for (size_t i = 0; i < COUNT(others); i++) {
    struct side other;
    begin(&other, &limits, others[i].base_url, others[i].token);
    check_int(others[i].base_url, others[i].token, granted(&other),
              others[i].granted);
    side_end(&other);
  }
  rtk_budget_give_back(one.budget, 3);
  side_end(&one);
}

/* --- what outlives a connection, and what another process says ------------------- */

static int64_t left_of(struct side *side) {
  int64_t reset_ms = 0;
  return rtk_budget_left(side->budget, &reset_ms);
}

static void it_outlives_its_connections(void **state) {
  static const struct limits limits = {"0", "5", "60"};
  struct side one, other;
  int64_t wait_ms = 0;
  (void)state;
  begin(&one, &limits, "http://once", "token");
  check_int("once", "granted", rtk_budget_take(one.budget, 3, &wait_ms), 3);
  for (int i = 0; i < 3; i++) rtk_budget_end(one.budget, NULL);
  side_end(&one);
  begin(&other, &limits, "http://in between", "token");
  side_end(&other);
  begin(&one, &limits, "http://once", "token");
  check_int("once more", "granted", granted(&one), 2);
  check_int("once more", "left", left_of(&one), 2);
  side_end(&one);
}

struct file {
  char folder[32], path[64];
};

static void make_folder(struct file *file) {
  (void)snprintf(file->folder, sizeof(file->folder), "/tmp/rtk-limits-XXXXXX");
  assert_non_null(mkdtemp(file->folder));
  (void)snprintf(file->path, sizeof(file->path), "%s/cache.db", file->folder);
}

static void remove_folder(const struct file *file) {
  static const char *const ends[] = {"", "-wal", "-shm"};
  char path[80];
  for (size_t i = 0; i < COUNT(ends); i++) {
    (void)snprintf(path, sizeof(path), "%s%s", file->path, ends[i]);
    (void)remove(path);
  }
  assert_int_equal(rmdir(file->folder), 0);
}

static void begin_with_file(struct side *side, const struct file *file) {
  static const struct limits limits = {"0", "5", "60"};
  begin(side, &limits, "http://file", "token");
  assert_int_equal(rtk_diskcache_use(side->disk, file->path), SQLITE_OK);
}

/* While somebody else writes into the file nothing goes, for it may be his. */
static void nothing_goes_beside_a_locked_file(void **state) {
  struct file file = {"", ""};
  struct side side;
  sqlite3 *db = NULL;
  (void)state;
  make_folder(&file);
  begin_with_file(&side, &file);
  check_int("free", "granted", granted(&side), 5);
  assert_int_equal(sqlite3_open(file.path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL),
                   SQLITE_OK);
  check_int("locked", "granted", granted(&side), 0);
  assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
  check_int("free again", "granted", granted(&side), 5);
  side_end(&side);
  remove_folder(&file);
}

static void another_process_says_when_to_go_on(void **state) {
  struct file file = {"", ""};
  struct side side;
  int status = 1;
  (void)state;
  make_folder(&file);
  pid_t child = fork();
  if (child == 0) {
    begin_with_file(&side, &file);
    rtk_budget_block(side.budget, 50000);
    rtk_budget_flush(side.budget);
    side_end(&side);
    _exit(0);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  begin_with_file(&side, &file);
  check_int("blocked", "granted", granted(&side), 0);
  check_int("blocked", "ms", rtk_budget_blocked_ms(side.budget), 50000);
  side_end(&side);
  remove_folder(&file);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(the_strictest_of_each_kind_holds),
      TEST(a_budget_is_of_an_address_and_a_token),
      TEST(it_outlives_its_connections),
      TEST(nothing_goes_beside_a_locked_file),
      TEST(another_process_says_when_to_go_on),
  };
  check_init();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
