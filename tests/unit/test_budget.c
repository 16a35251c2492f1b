/* Who shares a budget, which limits hold, requests whose end nobody reports, and a
** cache file that is damaged, locked, or written by another process. */
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

#define HOUR_MS 3600000
#define UNIX_MS 1700000000000
#define WINDOW_MS 5001 /* and the ms that is rounded up */
#define LEASE_MS (1000 + RTK_LEASE_MARGIN_MS)

static int64_t clock_ms = 1000;
static int64_t set_back_ms; /* of the calendar's clock */

int64_t rtk_clock_ms(void) { return clock_ms; }

int64_t rtk_clock_unix_ms(void) { return clock_ms + UNIX_MS - set_back_ms; }

static char folder[] = "/tmp/rtk-budget-XXXXXX";
static char cache[64];

struct limits {
  const char *rate, *quota, *window_s, *timeout_ms;
};

static const struct limits usual = {"0", "10", "5", "1000"};

static void begin(struct side *side, const struct limits *limits,
                  const char *path, const char *base_url, const char *token) {
  side_setting settings[] = {{"rate_per_second", limits->rate},
                             {"quota", limits->quota},
                             {"quota_window_s", limits->window_s},
                             {"timeout_ms", limits->timeout_ms}};
  side_begin(side, settings, COUNT(settings), path, base_url, token);
}

static int acquire(struct side *side, int count) {
  int64_t wait_ms = RTK_WAIT_MAX_MS;
  return rtk_budget_acquire(side->budget, count, &wait_ms);
}

static void end(struct side *side, int count) {
  for (int i = 0; i < count; i++) rtk_budget_end(side->budget, 1, 1, NULL);
  rtk_budget_flush(side->budget);
}

/* How many of 1,000 go; they are released. */
static int granted(struct side *side) {
  int count = acquire(side, 1000);
  rtk_budget_end(side->budget, count, 0, NULL);
  return count;
}

static int64_t left_of(struct side *side) {
  int64_t reset_ms = 0;
  return rtk_budget_left(side->budget, &reset_ms);
}

/* --- who shares what --------------------------------------------------------------- */

CASE(the_strictest_of_each_kind_holds) {
  static const struct {
    const char *name;
    struct limits one, other;
    int granted, alone;
  } cases[] = {
      {"rate of the one", {"3", "0", "60", "1"}, {"7", "0", "60", "1"}, 3, 7},
      {"rate of the other", {"7", "0", "60", "1"}, {"3", "0", "60", "1"}, 3, 3},
      {"one has no rate", {"0", "0", "60", "1"}, {"3", "0", "60", "1"}, 3, 3},
      {"quota of the one", {"0", "4", "60", "1"}, {"0", "9", "60", "1"}, 4, 9},
      {"its other", {"0", "9", "60", "1"}, {"0", "4", "60", "1"}, 4, 4},
      {"long window", {"0", "4", "6", "1"}, {"0", "9", "60", "1"}, 9, 9},
      {"short window", {"0", "9", "60", "1"}, {"0", "4", "6", "1"}, 9, 4},
      {"rate and quota", {"8", "0", "60", "1"}, {"0", "5", "60", "1"}, 5, 5},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct side one, other;
    char url[32];
    (void)snprintf(url, sizeof(url), "http://%d", (int)i);
    begin(&one, &cases[i].one, NULL, url, "token");
    begin(&other, &cases[i].other, NULL, url, "token");
    (void)granted(&one); /* the limits of both are known from here on */
    (void)granted(&other);
    check_int(cases[i].name, "to the one", granted(&one), cases[i].granted);
    check_int(cases[i].name, "to the other", granted(&other), cases[i].granted);
    side_end(&one);
    check_int(cases[i].name, "alone", granted(&other), cases[i].alone);
    side_end(&other);
  }
}

CASE(a_budget_is_of_an_address_and_a_token) {
  static const struct {
    const char *base_url, *token;
    int granted;
  } others[] = {{"http://a", "token", 7},
                {"http://b", "token", 10},
                {"http://a", "other", 10},
                {"http://atoken", "", 10}};
  struct side one;
  begin(&one, &usual, NULL, "http://a", "token");
  check_int("the first", "granted", acquire(&one, 3), 3);
  for (size_t i = 0; i < COUNT(others); i++) {
    struct side other;
    begin(&other, &usual, NULL, others[i].base_url, others[i].token);
    check_int(others[i].base_url, others[i].token, granted(&other),
              others[i].granted);
    side_end(&other);
  }
  rtk_budget_end(one.budget, 3, 0, NULL);
  side_end(&one);
}

CASE(it_outlives_its_connections) {
  struct side one, other;
  begin(&one, &usual, NULL, "http://once", "token");
  check_int("once", "granted", acquire(&one, 3), 3);
  end(&one, 3);
  side_end(&one);
  begin(&other, &usual, NULL, "http://in between", "token");
  side_end(&other);
  begin(&one, &usual, NULL, "http://once", "token");
  check_int("once more", "granted", granted(&one), 7);
  check_int("once more", "left", left_of(&one), 7);
  side_end(&one);
}

/* --- requests whose end nobody reports --------------------------------------------- */

/* The count is kept in the process, or in the file `path`. */
static void leave_some_in_flight(const char *path) {
  struct side one, other;
  const char *where = path == NULL ? "process" : "file";
  begin(&one, &usual, path, where, "token");
  begin(&other, &usual, path, where, "token");

  check_int(where, "granted", acquire(&one, 3), 3);
  clock_ms += LEASE_MS;
  check_int(where, "left at the end of the lease", left_of(&other), 7);
  clock_ms += 1;
  check_int(where, "left when it has expired", left_of(&other), 7);
  clock_ms += WINDOW_MS;
  check_int(where, "left a window later", left_of(&other), 10);

  check_int(where, "granted", acquire(&one, 2), 2);
  end(&one, 3);
  clock_ms += WINDOW_MS;
  check_int(where, "two in flight, three old ones over", left_of(&other), 8);
  end(&one, 2);
  check_int(where, "left when they have ended", left_of(&other), 8);
  clock_ms += WINDOW_MS;
  check_int(where, "left another window later", left_of(&other), 10);

  check_int(where, "granted", acquire(&one, 2), 2);
  clock_ms += LEASE_MS + 1;
  check_int(where, "granted", acquire(&other, 1), 1);
  rtk_budget_end(one.budget, 2, 0, NULL);
  rtk_budget_flush(one.budget);
  clock_ms += WINDOW_MS;
  check_int(where, "the other's one in flight", left_of(&other), 9);
  check_int(where, "granted", acquire(&one, 3), 3);
  end(&one, 3);
  end(&other, 1);
  clock_ms += WINDOW_MS;
  check_int(where, "left at the end", left_of(&other), 10);

  check_int(where, "granted", acquire(&one, 4), 4);
  side_end(&one);
  clock_ms += WINDOW_MS;
  check_int(where, "left when the one is closed", left_of(&other), 10);
  side_end(&other);
}

CASE(an_unfinished_statement_holds_nobody_up) {
  leave_some_in_flight(NULL);
  leave_some_in_flight(cache);
}

/* What was in flight when the clock was set back ends when it would have. */
CASE(a_clock_set_back_prolongs_no_lease) {
  struct side left, side;
  begin(&left, &usual, cache, "url", "token");
  begin(&side, &usual, cache, "url", "token");
  check_int("before", "granted", acquire(&left, 5), 5);
  set_back_ms = 48 * (int64_t)HOUR_MS;
  check_int("set back", "left", left_of(&side), 5);
  clock_ms += LEASE_MS + 1;
  (void)left_of(&side);
  clock_ms += WINDOW_MS;
  check_int("lease and window over", "left", left_of(&side), 10);
  side_end(&left);
  side_end(&side);
  set_back_ms = 0;
}

/* The time-out of another connection holds for its own lease only. */
CASE(a_longer_time_out_is_no_damage) {
  static const struct limits patient = {"0", "10", "5", "600000"};
  struct side slow, side;
  begin(&slow, &patient, cache, "url", "token");
  begin(&side, &usual, cache, "url", "token");
  check_int("slow", "granted", acquire(&slow, 5), 5);
  clock_ms += 300000;
  check_int("in flight", "left", left_of(&side), 5);
  end(&slow, 5);
  check_int("ended", "left", left_of(&side), 5);
  clock_ms += WINDOW_MS;
  check_int("over", "left", left_of(&side), 10);
  side_end(&slow);
  side_end(&side);
}

/* --- the file ------------------------------------------------------------------------ */

static sqlite3 *open_cache(void) {
  sqlite3 *db = NULL;
  assert_int_equal(sqlite3_open(cache, &db), SQLITE_OK);
  return db;
}

static void execute(sqlite3 *db, const char *sql) {
  assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* Each number of the blob in turn. */
CASE(a_damaged_pace_blocks_nobody) {
  static const struct limits wide = {"0", "100000", "300", "1000"};
  static const int64_t numbers[] = {INT64_MAX, INT64_MIN, (int64_t)1 << 62,
                                    UNIX_MS + 23 * (int64_t)HOUR_MS, INT32_MAX};
  struct side side;
  sqlite3_stmt *damage = NULL;
  char what[40];
  begin(&side, &wide, cache, "url", "token");
  check_int("before", "granted", acquire(&side, 1), 1);
  end(&side, 1);
  sqlite3 *db = open_cache();
  assert_int_equal(
      sqlite3_prepare_v2(db,
                         "UPDATE blob SET data = CAST(substr(data, 1, ?1) || ?2"
                         " || substr(data, ?1 + 9) AS BLOB)"
                         " WHERE length(data) >= ?1 + 8",
                         -1, &damage, NULL),
      SQLITE_OK);
  for (int at = 0, is_in = 1; is_in && check.failures < 20; at += 8) {
    for (size_t i = 0; i < COUNT(numbers); i++) {
      sqlite3_bind_int(damage, 1, at);
      sqlite3_bind_blob(damage, 2, &numbers[i], 8, SQLITE_STATIC);
      assert_int_equal(sqlite3_step(damage), SQLITE_DONE);
      (void)sqlite3_reset(damage);
      is_in = sqlite3_changes(db) > 0;
      (void)snprintf(what, sizeof(what), "at %d, number %d", at, (int)i);
      clock_ms += 1;
      check_int(what, "granted", acquire(&side, 2), 2);
      end(&side, 2);
    }
  }
  (void)sqlite3_finalize(damage);
  (void)sqlite3_close(db);
  side_end(&side);
}

/* A person can read who has how many in flight; nonsense there is no request. */
CASE(leases_are_rows) {
  static const struct {
    const char *sql;
    int left;
  } cases[] = {{"UPDATE lease SET in_flight = 2", 8},
               {"UPDATE lease SET in_flight = -5", 10},
               {"UPDATE lease SET in_flight = 1 << 40", 10},
               {"UPDATE lease SET in_flight = 'x'", 10},
               {"DELETE FROM lease", 10}};
  struct side one, other;
  sqlite3_stmt *row = NULL;
  clock_ms += 2 * LEASE_MS;
  begin(&one, &usual, cache, "url", "token");
  begin(&other, &usual, cache, "url", "token");
  check_int("lease", "left before", left_of(&other), 10);
  check_int("lease", "granted", acquire(&one, 3), 3);
  sqlite3 *db = open_cache();
  assert_int_equal(
      sqlite3_prepare_v2(db,
                         "SELECT sum(in_flight), max(until_ms), pid FROM lease"
                         " WHERE in_flight > 0",
                         -1, &row, NULL),
      SQLITE_OK);
  assert_int_equal(sqlite3_step(row), SQLITE_ROW);
  check_int("lease", "in flight", sqlite3_column_int64(row, 0), 3);
  check_int("lease", "ms", sqlite3_column_int64(row, 1) - clock_ms - UNIX_MS,
            LEASE_MS);
  check_int("lease", "pid", sqlite3_column_int64(row, 2), getpid());
  (void)sqlite3_finalize(row);
  for (size_t i = 0; i < COUNT(cases); i++) {
    execute(db, cases[i].sql);
    check_int(cases[i].sql, "left", left_of(&other), cases[i].left);
  }
  (void)sqlite3_close(db);
  side_end(&one);
  side_end(&other);
}

/* While another process writes into the file nothing goes. */
CASE(nothing_goes_beside_a_locked_file) {
  struct side side;
  begin(&side, &usual, cache, "locked", "token");
  check_int("free", "granted", granted(&side), 10);
  sqlite3 *db = open_cache();
  execute(db, "BEGIN IMMEDIATE");
  check_int("locked", "granted", granted(&side), 0);
  execute(db, "ROLLBACK");
  (void)sqlite3_close(db);
  check_int("free again", "granted", granted(&side), 10);
  side_end(&side);
}

CASE(another_process_says_when_to_go_on) {
  struct side side;
  int status = 1;
  pid_t child = fork();
  if (child == 0) {
    begin(&side, &usual, cache, "blocked", "token");
    rtk_budget_block(side.budget, 50000);
    rtk_budget_flush(side.budget);
    side_end(&side);
    _exit(0);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  begin(&side, &usual, cache, "blocked", "token");
  check_int("blocked", "granted", granted(&side), 0);
  check_int("blocked", "ms", rtk_budget_blocked_ms(side.budget), 50000);
  side_end(&side);
}

static int make_folder(void **state) {
  (void)state;
  if (mkdtemp(folder) == NULL) return 1;
  (void)snprintf(cache, sizeof(cache), "%s/cache.db", folder);
  return 0;
}

static int remove_folder(void **state) {
  static const char *const ends[] = {"", "-wal", "-shm"};
  char path[80];
  (void)state;
  for (size_t i = 0; i < COUNT(ends); i++) {
    (void)snprintf(path, sizeof(path), "%s%s", cache, ends[i]);
    (void)remove(path);
  }
  return rmdir(folder);
}

int main(void) {
  check_init();
  return RUN_CASES(make_folder, remove_folder);
}
