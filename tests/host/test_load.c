/*
** Loading, loading again, and closing, in every order that hosts do it.
*/
#include "host.h"

#include <dirent.h>
#include <dlfcn.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

/* For the routine table's type only: this program calls SQLite directly. */
#define SQLITE_CORE 1
#include <sqlite3ext.h>

#define ONE_ROW "SELECT session_id FROM " SESSION ", 's1')"

/* Rounds, and how many of them may still fill caches that live as long as the
** process does. */
enum { ROUNDS = 1000, ROUNDS_WARM = 100 };

/* Bytes that may be in use more after the other 900 rounds: less than 100 a
** round is no leak of ours, whose smallest structure is larger. */
enum { GROWTH_MAX = 64 * 1024 };

static long bytes_in_use(void) {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
  struct mallinfo2 info = mallinfo2();
  return (long)(info.uordblks + info.hblkhd);
#else
  return 0;
#endif
}

/* Descriptors that are open, this directory's own among them; 0: unknown. */
static int descriptors(void) {
  DIR *dir = opendir("/dev/fd");
  int count = 0;
  if (dir == NULL) return 0;
  while (readdir(dir) != NULL) count++;
  (void)closedir(dir);
  return count;
}

static void a_thousand_times_leaks_nothing(void **state) {
  (void)state;
  long bytes = 0;
  long sqlite_bytes = 0;
  int open = 0;
  for (int i = 0; i < ROUNDS; i++) {
    if (i == ROUNDS_WARM) {
      bytes = bytes_in_use();
      sqlite_bytes = (long)sqlite3_memory_used();
      open = descriptors();
    }
    sqlite3 *db = open_loaded();
    must_exec(db, "SELECT rtk_config('rate_per_second', 0),"
                  " rtk_config('quota', 0)");
    /* One with a row, one without, one that fails, one that is left open. */
    assert_rows(db, i % 2 ? ONE_ROW : "SELECT 's1'", "s1\n");
    if (i % 4 == 0) {
      assert_rows(db, "SELECT id FROM " SESSION ", 'gone')", "");
      assert_fails(db, "SELECT id FROM " SESSION ", 'x:status=400')",
                   SQLITE_ERROR, "HTTP 400");
    }
    close_ok(db);
  }
  long grown = bytes_in_use() - bytes;
  print_message(
      "# %d rounds: %ld bytes, %ld of SQLite's, %d descriptors more\n",
      ROUNDS - ROUNDS_WARM, grown, (long)sqlite3_memory_used() - sqlite_bytes,
      descriptors() - open);
  assert_int_equal(descriptors(), open);
  assert_int_equal(sqlite3_memory_used(), sqlite_bytes);
  /* A sanitizer has a heap, and a leak check, of its own. */
  if (!IS_SANITIZED) assert_true(grown < GROWTH_MAX);
}

/* --- a second time --------------------------------------------------------------- */

CASE(a_second_time_changes_nothing) {
  sqlite3 *db = open_loaded();
  must_exec(db, "SELECT rtk_config('concurrency', 7)");
  assert_int_equal(sqlite3_load_extension(db, need_env("RTK_SO"), NULL, NULL),
                   SQLITE_OK);
  char *sql = sqlite3_mprintf("SELECT load_extension(%Q)", need_env("RTK_SO"));
  assert_rows(db, sql, "NULL\n");
  assert_rows(db, "SELECT rtk_config('concurrency')", "7\n");
  assert_rows(db, ONE_ROW, "s1\n");
  sqlite3_free(sql);
  close_ok(db);
}

CASE(a_second_time_while_a_statement_runs) {
  sqlite3 *db = open_loaded();
  must_exec(db, "SELECT rtk_config('concurrency', 7)");
  sqlite3_stmt *stmt = prepared(db, "SELECT session_id FROM " SESSION
                                    ") WHERE session_id IN ('s1', 's2', 's3')");
  assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
  assert_int_equal(sqlite3_load_extension(db, need_env("RTK_SO"), NULL, NULL),
                   SQLITE_OK);
  char *sql = sqlite3_mprintf("SELECT load_extension(%Q)", need_env("RTK_SO"));
  assert_rows(db, sql, "NULL\n");
  sqlite3_free(sql);
  assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
  assert_string_equal((const char *)sqlite3_column_text(stmt, 0), "s2");
  assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
  assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
  assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
  assert_rows(db, "SELECT rtk_config('concurrency')", "7\n");
  close_ok(db);
}

/* The first load, too, may come while a statement runs. */
CASE(a_first_time_from_a_statement) {
  sqlite3 *db = open_plain();
  char *sql = sqlite3_mprintf("SELECT load_extension(%Q)", need_env("RTK_SO"));
  assert_rows(db, sql, "NULL\n");
  assert_rows(db, ONE_ROW, "s1\n");
  sqlite3_free(sql);
  close_ok(db);
}

/* Has the host asked for a stop while rtk is loaded, the load of a connection
** that has rtk already still forgets nothing. */
CASE(a_second_time_while_interrupted) {
  sqlite3 *db = open_loaded();
  must_exec(db, "SELECT rtk_config('account', 'ACCOUNT'),"
                " rtk_config('app', 'APP')");
  sqlite3_stmt *stmt = prepared(db, "VALUES(1), (2)");
  assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
  sqlite3_interrupt(db); /* in force until no statement runs */
  (void)sqlite3_load_extension(db, need_env("RTK_SO"), NULL, NULL);
  assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
  assert_rows(db, "SELECT rtk_config('app')", "APP\n");
  assert_rows(db,
              "SELECT session_id FROM rtk_livestream_session"
              " WHERE session_id = 's1'",
              "s1\n");
  must_exec(db, "SELECT rtk_config('app', 'app-x:status=400')");
  assert_fails(db,
               "SELECT id FROM rtk_livestream_session"
               " WHERE session_id = 's1'",
               SQLITE_ERROR, "HTTP 400");
  close_ok(db);
}

CASE(beside_another_connection) {
  sqlite3 *one = open_loaded();
  sqlite3_stmt *stmt = prepared(one, "SELECT session_id FROM " SESSION
                                     ") WHERE session_id IN ('s1', 's2')");
  assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
  must_exec(one, "SELECT rtk_config('concurrency', 7)");
  sqlite3 *two = open_loaded();
  assert_rows(two, "SELECT rtk_config('concurrency')", "50\n");
  assert_rows(two, ONE_ROW, "s1\n");
  close_ok(two);
  assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
  assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
  assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
  close_ok(one);
}

/* --- closing ------------------------------------------------------------------------ */

CASE(close_after_a_statement_left_early) {
  static const char *const statements[] = {
      "SELECT id FROM " SESSION ") WHERE session_id IN"
      " ('s1', 's2', 'x:delay=" NEVER_MS "')",
      "SELECT s.id FROM (VALUES('s1'), ('x:delay=" NEVER_MS
      "')) AS l JOIN " SESSION ", l.column1) AS s",
      "SELECT value FROM rtk_settings",
  };
  for (size_t i = 0; i < ROWS_OF(statements); i++) {
    sqlite3 *db = open_loaded();
    sqlite3_stmt *stmt = prepared(db, statements[i]);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    /* SQLite's own rule; sqlite3_close_v2() waits for the statement. */
    assert_int_equal(sqlite3_close(db), SQLITE_BUSY);
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    close_ok(db); /* waits for no reply */
  }
}

CASE(close_v2_before_the_statement_is_finalized) {
  sqlite3 *db = open_loaded();
  sqlite3_stmt *stmt =
      prepared(db, "SELECT id FROM " SESSION ") WHERE session_id IN"
                   " ('s1', 'x:delay=" NEVER_MS "')");
  assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
  assert_int_equal(sqlite3_close_v2(db), SQLITE_OK);
  assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
}

CASE(close_unused) { close_ok(open_loaded()); }

/* --- other hosts ---------------------------------------------------------------------- */

typedef int (*entry_function)(sqlite3 *, char **, const sqlite3_api_routines *);

static void *library; /* rtk, held open */
static entry_function entry;
static const sqlite3_api_routines *routines; /* SQLite's own */
static int second_called;

/* As an auto-extension SQLite hands over its table of routines. */
static int take_routines(sqlite3 *db, char **message,
                         const sqlite3_api_routines *api) {
  (void)db;
  (void)message;
  routines = api;
  second_called++;
  return SQLITE_OK;
}

static int find_entry(void **state) {
  (void)state;
  library = dlopen(need_env("RTK_SO"), RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return -1;
  *(void **)&entry = dlsym(library, "sqlite3_rtk_init");
  if (entry == NULL) return -1;
  if (sqlite3_auto_extension((void (*)(void))take_routines) != SQLITE_OK) {
    return -1;
  }
  close_ok(open_plain());
  sqlite3_reset_auto_extension();
  return routines == NULL ? -1 : 0;
}

static int let_go(void **state) {
  (void)state;
  return dlclose(library);
}

static int no_auto_extension(void **state) {
  (void)state;
  sqlite3_reset_auto_extension();
  return 0;
}

static void as_an_auto_extension(void **state) {
  (void)state;
  assert_int_equal(sqlite3_auto_extension((void (*)(void))entry), SQLITE_OK);
  assert_int_equal(sqlite3_auto_extension((void (*)(void))take_routines),
                   SQLITE_OK);
  second_called = 0;
  for (int i = 1; i <= 3; i++) {
    sqlite3 *db = NULL;
    int rc = sqlite3_open(":memory:", &db);
    if (rc != SQLITE_OK) fail_msg("open: %d, %s", rc, sqlite3_errmsg(db));
    assert_int_equal(second_called, i); /* those after it have their turn */
    assert_rows(db, ONE_ROW, "s1\n");
    assert_int_equal(sqlite3_enable_load_extension(db, 1), SQLITE_OK);
    assert_int_equal(sqlite3_load_extension(db, need_env("RTK_SO"), NULL, NULL),
                     SQLITE_OK);
    close_ok(db);
  }
}

static int old_number(void) { return 3036000; }
static const char *old_version(void) { return "3.36.0"; }

CASE(an_old_sqlite_is_refused) {
  sqlite3 *db = open_plain();
  char *message = NULL;
  sqlite3_api_routines old = *routines;
  old.libversion_number = old_number;
  old.libversion = old_version;
  assert_int_equal(entry(db, &message, &old), SQLITE_ERROR);
  assert_string_equal(message,
                      "rtk needs SQLite 3.37 or later, this is 3.36.0");
  sqlite3_free(message);
  /* It leaves no trace: the right one still gets in. */
  assert_fails(db, "SELECT rtk_version()", SQLITE_ERROR, "no such function");
  assert_int_equal(entry(db, NULL, routines), SQLITE_OK);
  assert_rows(db, ONE_ROW, "s1\n");
  close_ok(db);
}

CASE(a_second_sqlite_is_refused) {
  sqlite3 *first = open_loaded();
  sqlite3 *db = open_plain();
  char *message = NULL;
  sqlite3_api_routines other = *routines;
  assert_int_equal(entry(db, &message, &other), SQLITE_ERROR);
  assert_string_equal(message, "rtk is in use by another SQLite library of"
                               " this process: load it through one of them"
                               " only");
  sqlite3_free(message);
  assert_rows(first, ONE_ROW, "s1\n");
  close_ok(db);
  close_ok(first);
}

int main(void) {
  cases_of_program.list[cases_of_program.count++] =
      (struct CMUnitTest)cmocka_unit_test_teardown(as_an_auto_extension,
                                                   no_auto_extension);
  /* Last, for it uses up the quota. */
  add_case("a_thousand_times_leaks_nothing", a_thousand_times_leaks_nothing,
           NULL);
  return RUN_CASES(find_entry, let_go);
}
