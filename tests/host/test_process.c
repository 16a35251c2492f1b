/*
** rtk in a process that forks, that has few file descriptors, or whose host limits
** and interrupts statements.
**
** api: --delay 5
*/
#include "host.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- fork() ------------------------------------------------------------------- */

/* What the child finds; its exit code. */
static int be_a_child(sqlite3 *of_parent) {
  sqlite3_str *out = sqlite3_str_new(NULL);
  int rc = query(of_parent, "SELECT id FROM " SESSION ", 's2')", out);
  if (rc != SQLITE_ERROR ||
      strstr(sqlite3_errmsg(of_parent), "fork()") == NULL) {
    return 1;
  }
  /* Closing it must not end the parent's connections to the server. */
  if (sqlite3_close(of_parent) != SQLITE_OK) return 2;
  sqlite3 *own = NULL;
  if (sqlite3_open(":memory:", &own) != SQLITE_OK ||
      sqlite3_enable_load_extension(own, 1) != SQLITE_OK ||
      sqlite3_load_extension(own, need_env("RTK_SO"), NULL, NULL) !=
          SQLITE_OK) {
    return 3;
  }
  rc = query(own, "SELECT id FROM " SESSION ", 's3')", out);
  char *rows = sqlite3_str_finish(out);
  if (rc != SQLITE_OK || strcmp(rows, "s3\n") != 0) return 4;
  return sqlite3_close(own) == SQLITE_OK ? 0 : 5;
}

CASE(a_child_has_no_share_in_the_connection) {
  sqlite3 *db = open_loaded();
  int status = -1;
  assert_rows(db, "SELECT id FROM " SESSION ", 's1')", "s1\n");
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) _exit(be_a_child(db));
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  assert_rows(db, "SELECT id FROM " SESSION ", 's4')", "s4\n");
  assert_int_equal(requests("/s4 status=200 conn=1 "), 1);
  close_ok(db);
}

/* In the middle of a statement: its rows must not be the other's. */
CASE(a_statement_does_not_go_on_in_a_child) {
  sqlite3 *db = open_loaded();
  int status = -1;
  skip_where_in_is_no_batch();
  must_exec(db, "SELECT rtk_config('concurrency', 2)");
  sqlite3_stmt *stmt =
      prepared(db, "SELECT id FROM " SESSION ") WHERE session_id IN"
                   " ('s11', 's12', 's13', 's14', 's15', 's16')");
  assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    int rc = SQLITE_ROW;
    while (rc == SQLITE_ROW) rc = sqlite3_step(stmt);
    _exit(rc == SQLITE_ERROR && strstr(sqlite3_errmsg(db), "fork()") ? 0 : 1);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  for (int i = 12; i <= 16; i++) {
    char id[8];
    (void)snprintf(id, sizeof(id), "s%d", i);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(stmt, 0), id);
  }
  assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
  assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
  close_ok(db);
}

/* --- file descriptors ----------------------------------------------------------- */

/* Leaves so many free; gives back what it took at the call with -1. */
static void leave_descriptors(int left) {
  static int taken[4096];
  static int count;
  static struct rlimit before;
  if (left < 0) {
    while (count > 0) (void)close(taken[--count]);
    (void)setrlimit(RLIMIT_NOFILE, &before);
    return;
  }
  (void)getrlimit(RLIMIT_NOFILE, &before);
  struct rlimit few = before;
  few.rlim_cur = 256;
  (void)setrlimit(RLIMIT_NOFILE, &few);
  while (count < 4096) {
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0) break;
    taken[count++] = fd;
  }
  for (; left > 0 && count > 0; left--) (void)close(taken[--count]);
}

CASE(few_descriptors_make_fewer_connections) {
  sqlite3 *db = open_loaded();
  skip_where_in_is_no_batch();
  int before = requests("/acc6/");
  must_exec(db, "SELECT rtk_config('max_retries', 0)");
  leave_descriptors(4);
  sqlite3_str *out = sqlite3_str_new(NULL);
  int rc =
      query(db,
            "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c"
            " LIMIT 20) SELECT count(*) FROM"
            " rtk_livestream_session('acc6', 'APP')"
            " WHERE session_id IN (SELECT 's' || i FROM c)",
            out);
  leave_descriptors(-1);
  char *rows = sqlite3_str_finish(out);
  if (rc != SQLITE_OK) fail_msg("%d, %s", rc, sqlite3_errmsg(db));
  assert_string_equal(rows, "20\n");
  sqlite3_free(rows);
  assert_int_equal(requests("/acc6/") - before, 20);
  assert_rows(db, "SELECT value FROM rtk_stats WHERE name = 'requests'",
              "20\n"); /* what had no connection was none */
  close_ok(db);
}

CASE(no_descriptor_is_told) {
  sqlite3 *db = open_loaded();
  must_exec(db, "SELECT rtk_config('max_retries', 0)");
  leave_descriptors(0);
  sqlite3_str *out = sqlite3_str_new(NULL);
  int rc = query(
      db, "SELECT id FROM rtk_livestream_session('acc7', 'APP', 's1')", out);
  leave_descriptors(-1);
  sqlite3_free(sqlite3_str_finish(out));
  assert_int_equal(rc, SQLITE_ERROR);
  assert_non_null(strstr(sqlite3_errmsg(db), "limit of open files"));
  assert_rows(db, "SELECT id FROM rtk_livestream_session('acc7', 'APP', 's1')",
              "s1\n");
  close_ok(db);
}

/* --- what the host limits ----------------------------------------------------------- */

/* SQLite answers SQLITE_NOMEM to a program that is too long, and rolls back what
** the host has begun. */
CASE(a_low_limit_of_programs_loses_nothing) {
  static const char join[] =
      "SELECT l.n, upper(s.id) FROM l JOIN " SESSION ", l.s) AS s";
  for (int limit = 100; limit <= 1000; limit += 300) {
    sqlite3 *db = open_loaded();
    must_exec(db, "CREATE TABLE l(n, s); INSERT INTO l VALUES (1, 's1'),"
                  " (2, 's2'), (3, 's3'), (4, 's4'), (5, 's5')");
    must_exec(db, "BEGIN; INSERT INTO l VALUES (6, 's6')");
    (void)sqlite3_limit(db, SQLITE_LIMIT_VDBE_OP, limit);
    assert_rows(db, join, "1|S1\n2|S2\n3|S3\n4|S4\n5|S5\n6|S6\n");
    assert_int_equal(sqlite3_get_autocommit(db), 0);
    assert_int_equal(sqlite3_limit(db, SQLITE_LIMIT_VDBE_OP, -1), limit);
    must_exec(db, "COMMIT");
    assert_rows(db, "SELECT count(*) FROM l", "6\n");
    close_ok(db);
  }
}

/* --- an interrupt at a table's first use ----------------------------------------------- */

static int interrupt_at_once(void *db, int action, const char *a, const char *b,
                             const char *c, const char *d) {
  (void)action, (void)a, (void)b, (void)c, (void)d;
  sqlite3_interrupt(db);
  return SQLITE_OK;
}

#define CODE_PASSES_SINCE 3052000

/* SQLite forgets an interrupt when nothing runs: so something does. */
CASE(an_interrupted_first_use_is_no_failure) {
  static const char *const tables[] = {"rtk_livestream_session",
                                       "rtk_settings"};
  for (size_t i = 0; i < ROWS_OF(tables); i++) {
    sqlite3 *db = open_loaded();
    char sql[128];
    must_exec(db, "CREATE TABLE l(n); INSERT INTO l VALUES (1), (2)");
    sqlite3_stmt *running = prepared(db, "SELECT n FROM l");
    assert_int_equal(sqlite3_step(running), SQLITE_ROW);
    (void)sqlite3_set_authorizer(db, interrupt_at_once, db);
    (void)snprintf(sql, sizeof(sql), "SELECT (SELECT n FROM l) FROM %s",
                   tables[i]);
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    (void)sqlite3_set_authorizer(db, NULL, NULL);
    (void)sqlite3_finalize(stmt);
    if (sqlite3_libversion_number() >= CODE_PASSES_SINCE) {
      assert_int_equal(rc, SQLITE_INTERRUPT);
    } else { /* SQLite makes SQLITE_ERROR of every code */
      assert_string_equal(sqlite3_errmsg(db), "interrupted");
    }
    (void)sqlite3_finalize(running);
    close_ok(db);
  }
}

/* At a first use nothing else need run: the interrupt comes from another call. */
static int interrupt_a_first_use(void *db, int action, const char *a,
                                 const char *b, const char *c, const char *d) {
  (void)c, (void)d;
  bool is_declared = action == SQLITE_CREATE_TABLE && a != NULL && b != NULL;
  if (is_declared || action == SQLITE_READ || action == SQLITE_SELECT) {
    sqlite3_interrupt(db);
  }
  return SQLITE_OK;
}

CASE(an_interrupt_is_told_from_a_failure) {
  sqlite3 *db = open_loaded();
  sqlite3_stmt *stmt = NULL;
  (void)sqlite3_set_authorizer(db, interrupt_a_first_use, db);
  int rc =
      sqlite3_prepare_v2(db, "SELECT id FROM rtk_livestreams", -1, &stmt, NULL);
  (void)sqlite3_set_authorizer(db, NULL, NULL);
  (void)sqlite3_finalize(stmt);
  if (rc != SQLITE_OK) {
    assert_string_equal(sqlite3_errmsg(db), "interrupted");
    if (sqlite3_libversion_number() >= CODE_PASSES_SINCE) {
      assert_int_equal(rc, SQLITE_INTERRUPT);
    }
  }
  close_ok(db);
}

int main(void) { return RUN_CASES(NULL, NULL); }
