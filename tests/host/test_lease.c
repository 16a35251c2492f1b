/*
** Requests in flight whose end nobody reports: of a statement that is left
** unfinished, and in the child of a fork().
**
** This program has a clock_gettime() of its own, which rtk.so then uses: the
** calendar's clock stands still, or goes on where a statement waits by itself, and
** is set forward instead of waiting.
*/
#define _GNU_SOURCE /* RTLD_NEXT */
#include "host.h"

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#define WINDOW_MS 2000 /* quota_window_s, and more */
#define LEASE_MS                                                               \
  (60000 + 10000 + 1) /* timeout_ms, RTK_LEASE_MARGIN_MS, past it */

typedef int (*clock_function)(clockid_t, struct timespec *);

static atomic_int ahead_ms;
static atomic_long stands_at_s; /* 0: it goes on */

int clock_gettime(clockid_t clock, struct timespec *now) {
  clock_function real = NULL;
  *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
  int failed = real(clock, now);
  if (clock != CLOCK_REALTIME) return failed;
  if (stands_at_s != 0) *now = (struct timespec){.tv_sec = stands_at_s};
  int64_t nsec = now->tv_nsec + (int64_t)ahead_ms % 1000 * 1000000;
  now->tv_sec += ahead_ms / 1000 + nsec / 1000000000;
  now->tv_nsec = (long)(nsec % 1000000000);
  return failed;
}

static void stop_clock(void) { stands_at_s = (long)time(NULL); }

static void start_clock(void) { stands_at_s = 0; }

/* Two requests of `db` are in flight, which is the quota, and none other counts
** any more. */
static sqlite3_stmt *leave_unfinished(sqlite3 *db) {
  sqlite3_stmt *stmt = NULL;
  must_exec(db, "SELECT rtk_config('quota', 3)");
  assert_rows(db, "SELECT id FROM " SESSION ", 's1')", "s1\n");
  ahead_ms += WINDOW_MS;
  const char sql[] = "SELECT id FROM " SESSION ") WHERE session_id IN"
                     " ('s2', 'x:stall=3600000', 'x:stall=3599999')";
  assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
  ahead_ms += WINDOW_MS;
  return stmt;
}

CASE(a_left_statement_holds_nobody_up_for_ever) {
  skip_where_in_is_no_batch();
  stop_clock();
  sqlite3 *left = open_loaded();
  sqlite3 *db = open_loaded();
  const char sql[] = "SELECT id FROM " SESSION ", 's3')";
  sqlite3_stmt *stmt = leave_unfinished(left);
  assert_fails(db, sql, SQLITE_ERROR, "quota: ");
  must_exec(db, "SELECT rtk_config('max_wait_ms', 0)");
  ahead_ms += LEASE_MS;
  start_clock();
  assert_rows(db, sql, "s3\n");
  (void)sqlite3_finalize(stmt);
  ahead_ms += WINDOW_MS;
  assert_rows(db, "SELECT value FROM rtk_stats WHERE name = 'quota_left'",
              "2\n");
  assert_rows(left, "SELECT id FROM " SESSION ", 's4')", "s4\n");
  close_ok(left);
  close_ok(db);
}

/* In the child: asserts nothing. */
static bool child_is_right(void) {
  sqlite3 *db = NULL;
  sqlite3_str *out = sqlite3_str_new(NULL);
  int rc = sqlite3_open(":memory:", &db);
  ahead_ms += WINDOW_MS;
  if (rc == SQLITE_OK) rc = sqlite3_enable_load_extension(db, 1);
  if (rc == SQLITE_OK) {
    rc = sqlite3_load_extension(db, need_env("RTK_SO"), NULL, NULL);
  }
  if (rc == SQLITE_OK) {
    rc = query(db, "SELECT id FROM " SESSION ", 's5')", out);
  }
  if (rc != SQLITE_OK) (void)fprintf(stderr, "child: %s\n", sqlite3_errmsg(db));
  char *got = sqlite3_str_finish(out);
  bool is_right = rc == SQLITE_OK && got != NULL && strcmp(got, "s5\n") == 0;
  sqlite3_free(got);
  return sqlite3_close(db) == SQLITE_OK && is_right;
}

CASE(a_child_has_nothing_in_flight) {
  int status = 1;
  skip_where_in_is_no_batch();
  stop_clock();
  sqlite3 *left = open_loaded();
  sqlite3 *db = open_loaded();
  sqlite3_stmt *stmt = leave_unfinished(left);
  pid_t child = fork();
  if (child == 0) _exit(child_is_right() ? 0 : 1);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_fails(db, "SELECT id FROM " SESSION ", 's6')", SQLITE_ERROR,
               "quota: ");
  (void)sqlite3_finalize(stmt);
  ahead_ms += WINDOW_MS;
  assert_rows(left, "SELECT id FROM " SESSION ", 's6')", "s6\n");
  assert_rows(db, "SELECT id FROM " SESSION ", 's6')", "s6\n");
  close_ok(left);
  close_ok(db);
}

int main(void) {
  (void)setenv("RTK_QUOTA", "2", 1);
  (void)setenv("RTK_QUOTA_WINDOW_S", "1", 1);
  (void)setenv("RTK_RATE_PER_SECOND", "0", 1);
  (void)setenv("RTK_TIMEOUT_MS", "60000", 1);
  (void)setenv("RTK_MAX_WAIT_MS", "1", 1);
  return RUN_CASES(NULL, NULL);
}
