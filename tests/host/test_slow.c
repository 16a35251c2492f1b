/*
** A program that takes more than timeout_ms between two rows: a pager, a debugger, a
** laptop that sleeps.  Nothing is lost by it, no row and no request.
**
** api: --delay 5 --livestreams 30 --page-max 1
**
** The time goes by in clock_gettime(), which rtk and libcurl call: this program has
** one of its own.
*/
#include "host.h"

#include <sys/syscall.h>
#include <unistd.h>

enum { ROWS = 30, PAUSE_MS = 61000 };

static atomic_long skew_ms;
static atomic_bool stands_still; /* it is 2026 then, whatever the clock */

int clock_gettime(clockid_t clock, struct timespec *now) {
  long ms = atomic_load(&skew_ms);
  int rc = (int)syscall(SYS_clock_gettime, clock, now);
  if (atomic_load(&stands_still)) {
    *now = (struct timespec){.tv_sec = 1800000000};
    return rc;
  }
  now->tv_sec += ms / 1000;
  now->tv_nsec += ms % 1000 * 1000000;
  if (now->tv_nsec >= 1000000000) now->tv_sec++, now->tv_nsec -= 1000000000;
  return rc;
}

static const struct {
  const char *name;
  const char *sql;
  int rows, requests;
} shapes[] = {
    {"IN",
     "SELECT id FROM rtk_livestream_session('ACCOUNT', 'APP')"
     " WHERE session_id IN (SELECT s FROM l)",
     ROWS, ROWS},
    {"LEFT JOIN with IN",
     "SELECT id FROM l LEFT JOIN rtk_livestream_session('ACCOUNT', 'APP') AS r"
     " ON r.session_id = l.s AND r.session_id IN (SELECT s FROM l)",
     ROWS, ROWS},
    {"plain join",
     "SELECT id FROM l JOIN rtk_livestream_session('ACCOUNT', 'APP', l.s)",
     ROWS, ROWS},
    {"list", "SELECT id FROM rtk_livestreams('ACCOUNT', 'APP')", ROWS, ROWS},
    {"list joined",
     "SELECT s.id FROM rtk_livestreams('ACCOUNT', 'APP') AS r"
     " JOIN rtk_livestream_sessions('ACCOUNT', 'APP', r.id) AS s",
     5 * ROWS, ROWS + 5 * ROWS},
};

static void loses_nothing(void **state) {
  size_t i = (size_t)(uintptr_t)*state;
  sqlite3 *db = open_loaded();
  int before = requests("GET");
  int rows = 0;
  int rc = SQLITE_ROW;
  if (strstr(shapes[i].sql, " IN (") != NULL) skip_where_in_is_no_batch();
  must_exec(db, "CREATE TABLE l(s);"
                "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c"
                " WHERE i < 30) INSERT INTO l SELECT 's' || i FROM c");
  sqlite3_stmt *stmt = prepared(db, shapes[i].sql);
  while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    rows++;
    assert_non_null(sqlite3_column_text(stmt, 0));
    (void)atomic_fetch_add(&skew_ms, PAUSE_MS);
  }
  if (rc != SQLITE_DONE) fail_msg("%d, %s", rc, sqlite3_errmsg(db));
  assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
  assert_int_equal(rows, shapes[i].rows);
  assert_int_equal(requests("GET") - before, shapes[i].requests);
  assert_rows(db, "SELECT value FROM rtk_stats WHERE name = 'retries'", "0\n");
  close_ok(db);
}

/* A wait for the quota is not longer by what the program did before it. */
CASE(a_pause_is_no_wait) {
  sqlite3 *db = open_loaded();
  int rows = 0;
  int rc = SQLITE_ROW;
  must_exec(db,
            "SELECT rtk_config('quota', 2), rtk_config('quota_window_s', 1),"
            " rtk_config('max_wait_ms', 5000), rtk_config('concurrency', 1)");
  sqlite3_stmt *stmt =
      prepared(db, "SELECT id FROM rtk_livestream_session('acc1', 'APP')"
                   " WHERE session_id IN ('s1', 's2', 's3', 's4', 's5')");
  while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    rows++;
    (void)atomic_fetch_add(&skew_ms, rows % 2 == 1 ? 10 : PAUSE_MS);
  }
  if (rc != SQLITE_DONE) fail_msg("%d, %s", rc, sqlite3_errmsg(db));
  assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
  assert_int_equal(rows, 5);
  close_ok(db);
}

/* Time that goes by in a wait counts, as ever. */
CASE(a_reply_that_does_not_come_times_out) {
  sqlite3 *db = open_loaded();
  must_exec(db, "SELECT rtk_config('timeout_ms', 50),"
                " rtk_config('max_retries', 0)");
  assert_fails(db,
               "SELECT id FROM rtk_livestream_session('ACCOUNT', 'APP',"
               " 'x:delay=600000')",
               SQLITE_ERROR, "waited for a reply, timeout_ms = 50 ms went by");
  close_ok(db);
}

/* A collecting run costs what SQLite has done so far. Where a request takes no time,
** as it does here, it saves less than to go through many rows again. */
CASE(a_costly_outer_part_is_not_read_again) {
  static const struct {
    const char *from, *words;
  } cases[] = {
      {"(SELECT 's' || (n % 3 + 1) AS s, sum(n) FROM big GROUP BY n % 3)",
       "off: to read the tables again costs more than it saves"},
      {"(SELECT 's1' AS s UNION ALL SELECT 's2' UNION ALL SELECT 's3')",
       "on: "},
  };
  for (size_t i = 0; i < ROWS_OF(cases); i++) {
    sqlite3 *db = open_loaded();
    char sql[512];
    must_exec(db, "CREATE TABLE big(n); WITH RECURSIVE c(i) AS (SELECT 1 UNION"
                  " ALL SELECT i + 1 FROM c LIMIT 100000)"
                  " INSERT INTO big SELECT i FROM c");
    atomic_store(&stands_still, true);
    (void)snprintf(sql, sizeof(sql),
                   "SELECT count(*) FROM %s AS b JOIN"
                   " rtk_livestream_session('acc2', 'APP', b.s)",
                   cases[i].from);
    assert_rows(db, sql, "3\n");
    (void)snprintf(sql, sizeof(sql),
                   "SELECT substr(value, 1, %d) FROM rtk_stats"
                   " WHERE name = 'read_ahead'",
                   (int)strlen(cases[i].words));
    char expected[128];
    (void)snprintf(expected, sizeof(expected), "%s\n", cases[i].words);
    assert_rows(db, sql, expected);
    atomic_store(&stands_still, false);
    close_ok(db);
  }
}

int main(void) {
  for (size_t i = 0; i < ROWS_OF(shapes); i++) {
    add_case(shapes[i].name, loses_nothing, (void *)(uintptr_t)i);
  }
  return RUN_CASES(NULL, NULL);
}
