/*
** Torture: the 1st, 2nd, 3rd … allocation fails, of SQLite's and of those that
** libcurl and cJSON make.  Each time the answer is either right or an error,
** and afterwards the connection works.
**
** libcurl and cJSON get their allocators from this program, their host, before
** rtk starts them: so no other library's allocations are touched.
*/
#include "host.h"

#include <dlfcn.h>
#include <errno.h>

/* All of them when that takes less; else every k-th. */
#define BUDGET_MS 2500

/* --- allocators that fail ------------------------------------------------------- */

/* The allocations of one kind, counted from 1 from the start of a run. */
struct counter {
  int made;
  int fails_at;  /* 0: none */
  bool fails_on; /* and all that follow */
};

static struct counter of_sqlite, of_libraries;

static bool is_refused(struct counter *counter) {
  counter->made++;
  if (counter->fails_at == 0) return false;
  return counter->made == counter->fails_at ||
         (counter->fails_on && counter->made > counter->fails_at);
}

static sqlite3_mem_methods real;

static void *sqlite_malloc(int size) {
  return is_refused(&of_sqlite) ? NULL : real.xMalloc(size);
}

static void *sqlite_realloc(void *old, int size) {
  return is_refused(&of_sqlite) ? NULL : real.xRealloc(old, size);
}

static bool library_refuses(void) {
  bool is = is_refused(&of_libraries);
  if (is) errno = ENOMEM; /* as malloc() does it */
  return is;
}

static void *library_malloc(size_t size) {
  return library_refuses() ? NULL : malloc(size);
}

static void *library_calloc(size_t count, size_t size) {
  return library_refuses() ? NULL : calloc(count, size);
}

static void *library_realloc(void *old, size_t size) {
  return library_refuses() ? NULL : realloc(old, size);
}

static char *library_strdup(const char *text) {
  return library_refuses() ? NULL : strdup(text);
}

static void library_free(void *old) { free(old); }

/* Before the first connection is opened, and before rtk starts libcurl. */
static int install(void **state) {
  typedef int (*curl_global_init_mem_function)(
      long, void *(*)(size_t), void (*)(void *), void *(*)(void *, size_t),
      char *(*)(const char *), void *(*)(size_t, size_t));
  typedef void (*cjson_init_hooks_function)(void *hooks);
  struct {
    void *(*malloc_function)(size_t);
    void (*free_function)(void *);
  } hooks = {library_malloc, library_free};
  (void)state;
  if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real) != SQLITE_OK) return -1;
  sqlite3_mem_methods failing = real;
  failing.xMalloc = sqlite_malloc;
  failing.xRealloc = sqlite_realloc;
  if (sqlite3_config(SQLITE_CONFIG_MALLOC, &failing) != SQLITE_OK) return -1;
  /* Else most small allocations would never get to it. */
  if (sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) != SQLITE_OK) return -1;

  curl_global_init_mem_function start_curl = NULL;
  cjson_init_hooks_function start_cjson = NULL;
  void *library = dlopen(need_env("RTK_SO"), RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return -1;
  *(void **)&start_curl = dlsym(library, "curl_global_init_mem");
  *(void **)&start_cjson = dlsym(library, "cJSON_InitHooks");
  if (start_curl == NULL || start_cjson == NULL) return -1;
  start_cjson(&hooks);
  return start_curl(3 /* CURL_GLOBAL_ALL */, library_malloc, library_free,
                    library_realloc, library_strdup, library_calloc);
}

/* --- what is tortured ------------------------------------------------------------- */

static const char settings[] = "SELECT rtk_config('max_retries', 0),"
                               " rtk_config('on_error', 'row'),"
                               " rtk_config('concurrency', 7),"
                               " rtk_config('quota', 0),"
                               " rtk_config('rate_per_second', 0)";

/* Every row of every answer is right, or there is an error. */
static const struct {
  const char *sql;
  const char *rows;
} statements[] = {
    {"SELECT l.n, s.session_id, s.viewer_seconds, s.error FROM local AS l"
     " LEFT JOIN " SESSION ", l.id) AS s ORDER BY l.n",
     "1|s1|12.375|NULL\n2|s2|24|NULL\n3|NULL|NULL|NULL\n4|s2|24|NULL\n"},
    /* Failures are not kept: each run reads ahead, with a parameter and a function
    ** to be looked at. */
    {"SELECT l.column1, s.id, length(:unbound) FROM (VALUES('1'), ('2'), ('3'),"
     " ('4'), ('5')) AS l LEFT JOIN " SESSION ", 'x:status=400,code=' ||"
     " l.column1) AS s WHERE abs(1) = 1",
     "1|NULL|NULL\n2|NULL|NULL\n3|NULL|NULL\n4|NULL|NULL\n5|NULL|NULL\n"},
    {"SELECT session_id, ingest_seconds, error FROM " SESSION
     ") WHERE session_id IN (SELECT id FROM local)",
     "s1|97|NULL\ns2|134|NULL\n"},
    {"SELECT session_id, http_status, CASE WHEN error LIKE 'HTTP 400%' THEN "
     "400 ELSE error END FROM " SESSION
     ") WHERE session_id IN ('s1', 'x:status=400')",
     "s1|200|NULL\nx:status=400|400|400\n"},
    {"SELECT err_message, viewer_seconds FROM " SESSION ", 'x:body=nested')",
     "{\"code\":5,\"why\":[\"a\",null]}|[1,2]\n"},
    {"SELECT ingest_seconds, viewer_seconds = 116.11599994199997 FROM " SESSION
     ", 'x:body=strnum')",
     "118|1\n"},
    {"SELECT length(response) > 1000000 FROM " SESSION ", 'x:huge=1000010')",
     "1\n"},
    {"SELECT count(id), count(DISTINCT id), max(error)"
     " FROM rtk_livestreams('ACCOUNT', 'APP')",
     "200|200|NULL\n"},
    {"SELECT count(line), max(transcript), max(error)"
     " FROM rtk_transcript_lines('ACCOUNT', 'APP', 'k4')",
     "6|Line 6 of session 4, \"quoted\"|NULL\n"},
    {"SELECT text, error FROM rtk_summary_text('ACCOUNT', 'APP', 'k1')",
     "# Summary\n\nSession 1 had 3 lines.\n|NULL\n"},
    {"SELECT value, source FROM rtk_settings WHERE name = 'api_token'",
     "set|environment\n"},
    {"SELECT \"check\", ok, CASE WHEN ok = 0 THEN detail END"
     " FROM rtk_check('ACCOUNT', 'WRONG') WHERE ok IS NOT 1"
     " AND detail NOT LIKE '%dashboard%'",
     "account|NULL|NULL\n"},
    {"SELECT count(*) FROM rtk_check('ACCOUNT', 'APP')", "12\n"},
    {"SELECT rtk_config('timeout_ms', 30000 + 0)", "30000\n"},
    {"SELECT rtk_version() LIKE 'rtk %'", "1\n"},
};

static sqlite3 *open_for_it(void) {
  sqlite3 *db = open_loaded();
  must_exec(db, settings);
  must_exec(db, "CREATE TABLE local(n, id);"
                "INSERT INTO local VALUES(1, 's1'), (2, 's2'), (3, 'gone'),"
                " (4, 's2')");
  return db;
}

/* libcurl tells of some failed allocations as if the server had closed the
** connection.  Then there is a row that says so: an error, and no wrong row. */
enum { has_failed_reply = -1 };

static int run_statement(sqlite3 *db, size_t i) {
  sqlite3_str *out = sqlite3_str_new(NULL);
  int rc = query(db, statements[i].sql, out);
  int out_rc = sqlite3_str_errcode(out);
  char *got = sqlite3_str_finish(out);
  if (rc == SQLITE_OK && out_rc != SQLITE_OK) rc = out_rc;
  if (rc == SQLITE_OK && got != NULL &&
      (strstr(got, "check the network") != NULL ||
       strstr(got, "libcurl ran out of memory") != NULL)) {
    rc = has_failed_reply;
  } else if (rc == SQLITE_OK &&
             (got == NULL || strcmp(got, statements[i].rows) != 0)) {
    fail_msg("%s\n  allocation %d of SQLite, %d of libcurl and cJSON failed,"
             " and the rows are\n%s  not\n%s",
             statements[i].sql, of_sqlite.fails_at, of_libraries.fails_at, got,
             statements[i].rows);
  }
  sqlite3_free(got);
  return rc;
}

static int start(struct counter *counter, int fails_at, bool fails_on) {
  int made = counter->made;
  counter->made = 0;
  counter->fails_at = fails_at;
  counter->fails_on = fails_on;
  return made;
}

/* How far from one failing allocation to the next. */
static int stride_of(int allocations, double run_ms) {
  double stride = allocations * run_ms / BUDGET_MS;
  return stride < 1 ? 1 : (int)stride + 1;
}

/* What the statements may fail with; the database error codes that SQLite
** itself gives for want of memory are among them. */
static void assert_clean(sqlite3 *db, int rc, size_t i) {
  if (rc == SQLITE_OK || rc == SQLITE_NOMEM || rc == SQLITE_IOERR_NOMEM) return;
  if (rc == has_failed_reply && of_libraries.fails_at > 0) return;
  const char *message = sqlite3_errmsg(db);
  if (rc == SQLITE_ERROR && message != NULL && message[0] != '\0' &&
      strcmp(message, "SQL logic error") != 0) {
    return;
  }
  fail_msg("%s\n  allocation %d of SQLite, %d of libcurl and cJSON failed: %d,"
           " %s",
           statements[i].sql, of_sqlite.fails_at, of_libraries.fails_at, rc,
           message);
}

/* On one connection, so that what a failure leaves behind would show. */
static void torture(struct counter *counter, bool fails_on, const char *whose) {
  sqlite3_int64 used = sqlite3_memory_used();
  sqlite3 *db = open_for_it();
  int allocations[ROWS_OF(statements)];
  int failed = 0;
  int runs = 0;
  int other = 0;
  for (int round = 0; round < 2; round++) { /* the second one counts */
    for (size_t i = 0; i < ROWS_OF(statements); i++) {
      (void)start(counter, 0, false);
      assert_int_equal(run_statement(db, i), SQLITE_OK);
      allocations[i] = counter->made;
    }
  }
  for (size_t i = 0; i < ROWS_OF(statements); i++) {
    double began = now_ms();
    assert_int_equal(run_statement(db, i), SQLITE_OK);
    int stride =
        stride_of(allocations[i] * (int)ROWS_OF(statements), now_ms() - began);
    for (int n = 1; n <= allocations[i] + 2; n += stride) {
      (void)start(counter, n, fails_on);
      int rc = run_statement(db, i);
      assert_clean(db, rc, i);
      (void)start(counter, 0, false);
      failed += rc != SQLITE_OK;
      other += rc == SQLITE_ERROR || rc == has_failed_reply;
      runs++;
    }
    /* All is well again. */
    assert_int_equal(run_statement(db, i), SQLITE_OK);
    assert_rows(db, "SELECT rtk_config('concurrency')", "7\n");
  }
  print_message("# %s: %d runs, %d failed, %d of them as another error\n",
                whose, runs, failed, other);
  assert_true(failed > 0);
  close_ok(db);
  assert_int_equal(sqlite3_memory_used(), used); /* all was given back */
}

/* --- loading ------------------------------------------------------------------------- */

static void torture_load(struct counter *counter) {
  int refused = 0;
  (void)start(counter, 0, false);
  close_ok(open_loaded());
  int allocations = counter->made;
  for (int n = 1; n <= allocations; n++) {
    sqlite3 *db = open_plain();
    char *message = NULL;
    (void)start(counter, n, false);
    int rc = sqlite3_load_extension(db, need_env("RTK_SO"), NULL, &message);
    (void)start(counter, 0, false);
    sqlite3_free(message);
    if (rc != SQLITE_OK) {
      refused++;
      assert_true(rc == SQLITE_NOMEM || rc == SQLITE_ERROR);
      /* The same connection gets it at the second attempt, whole. */
      assert_int_equal(
          sqlite3_load_extension(db, need_env("RTK_SO"), NULL, NULL),
          SQLITE_OK);
    }
    must_exec(db, "SELECT rtk_config('account', 'ACCOUNT'),"
                  " rtk_config('app', 'APP')");
    assert_rows(db, "SELECT value FROM rtk_settings WHERE name = 'app'",
                "APP\n");
    assert_rows(db,
                "SELECT session_id FROM rtk_livestream_session"
                " WHERE session_id = 's1'",
                "s1\n");
    close_ok(db);
  }
  print_message("# load: %d allocations, %d refusals\n", allocations, refused);
}

CASE(load_with_one_of_sqlite) { torture_load(&of_sqlite); }

CASE(load_with_one_of_the_libraries) { torture_load(&of_libraries); }

/* Loaded already, a second load that fails takes nothing away. */
CASE(a_second_load_keeps_the_settings) {
  for (int n = 1; n <= 60; n++) {
    sqlite3 *db = open_loaded();
    must_exec(db, "SELECT rtk_config('account', 'ACCOUNT'),"
                  " rtk_config('app', 'APP')");
    (void)start(&of_sqlite, n, false);
    (void)sqlite3_load_extension(db, need_env("RTK_SO"), NULL, NULL);
    (void)start(&of_sqlite, 0, false);
    assert_rows(db, "SELECT rtk_config('app')", "APP\n");
    assert_rows(db,
                "SELECT session_id FROM rtk_livestream_session"
                " WHERE session_id = 's1'",
                "s1\n");
    close_ok(db);
  }
}

/* A setting that could not be changed for want of memory is as it was. */
CASE(a_setting_is_changed_or_not) {
  sqlite3 *db = open_loaded();
  for (int n = 1; n <= 60; n++) {
    must_exec(db, "SELECT rtk_config('concurrency', 20)");
    (void)start(&of_sqlite, n, false);
    sqlite3_str *out = sqlite3_str_new(NULL);
    int rc = query(db, "SELECT rtk_config('concurrency', 10 * 3)", out);
    (void)start(&of_sqlite, 0, false);
    sqlite3_free(sqlite3_str_finish(out));
    out = sqlite3_str_new(NULL);
    assert_int_equal(query(db, "SELECT rtk_config('concurrency')", out),
                     SQLITE_OK);
    char *now = sqlite3_str_finish(out);
    if (strcmp(now, "30\n") != 0 && (rc == SQLITE_OK || strcmp(now, "20\n"))) {
      fail_msg("allocation %d failed: code %d, concurrency is %s", n, rc, now);
    }
    sqlite3_free(now);
  }
  close_ok(db);
}

/* --- statements ---------------------------------------------------------------------- */

/* While ids are collected by a run within the statement, the host's transaction
** is open; it is gone only if SQLite took it, and then the statement fails. */
CASE(a_transaction_is_kept_or_the_statement_fails) {
  enum { reads_ahead = 1 };
  sqlite3 *db = open_for_it();
  int kept = 0;
  int right = 0;
  int runs = 0;
  (void)start(&of_sqlite, 0, false);
  assert_int_equal(run_statement(db, reads_ahead), SQLITE_OK);
  int allocations = of_sqlite.made;
  double began = now_ms();
  assert_int_equal(run_statement(db, reads_ahead), SQLITE_OK);
  int stride = stride_of(allocations, now_ms() - began);
  for (int n = 1; n <= allocations; n += stride) {
    must_exec(db, "BEGIN; INSERT INTO local VALUES(9, 'mine')");
    (void)start(&of_sqlite, n, false);
    int rc = run_statement(db, reads_ahead);
    assert_clean(db, rc, reads_ahead);
    (void)start(&of_sqlite, 0, false);
    bool is_open = sqlite3_get_autocommit(db) == 0;
    kept += is_open && rc != SQLITE_OK;
    right += rc == SQLITE_OK;
    runs++;
    if (rc == SQLITE_OK) assert_true(is_open);
    assert_rows(db, "SELECT count(*) FROM local WHERE id = 'mine'",
                is_open ? "1\n" : "0\n");
    if (is_open) must_exec(db, "ROLLBACK");
  }
  print_message("# a transaction: %d runs, %d right, kept in %d others\n", runs,
                right, kept);
  assert_true(kept > 0);
  close_ok(db);
}

CASE(one_of_sqlite) { torture(&of_sqlite, false, "SQLite, one"); }

CASE(all_of_sqlite_from_one_on) {
  torture(&of_sqlite, true, "SQLite, all from one on");
}

CASE(one_of_the_libraries) {
  torture(&of_libraries, false, "libcurl and cJSON, one");
}

CASE(all_of_the_libraries_from_one_on) {
  torture(&of_libraries, true, "libcurl and cJSON, all from one on");
}

int main(void) { return RUN_CASES(install, NULL); }
