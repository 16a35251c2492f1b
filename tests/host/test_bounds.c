/*
** How much is under way, waits or is kept at the most, and that what may be asked
** for together is.  Requests are counted while one reply does not come.
*/
#include "host.h"

/* --- what is asked for ahead of its turn -------------------------------------------- */

/* The first id's reply takes a second, in which all the others could be asked for.
** The log of the first is sought by `logged`. */
static void asks_for_no_more_than(sqlite3 *db, const char *others,
                                  const char *logged, int most) {
  char *sql = sqlite3_mprintf(
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c"
      " WHERE i < 500) SELECT session_id FROM " SESSION ") WHERE session_id IN"
      " (SELECT 'x:delay=1000,code=%d' UNION ALL SELECT 'x:%s,n='||i FROM c)"
      " LIMIT 1",
      most, others);
  char *row = sqlite3_mprintf("x:delay=1000,code=%d\n", most);
  assert_rows(db, sql, row);
  assert_in_range(requests(logged), 1, most);
  sqlite3_free(row);
  sqlite3_free(sql);
  close_ok(db);
}

/* As many ids as may be under way wait to be asked again, and no more. */
CASE(few_ids_back_off_at_a_time) {
  sqlite3 *db = open_loaded();
  skip_where_in_is_no_batch();
  must_exec(db, "SELECT rtk_config('concurrency', 4), rtk_config('quota', 0)");
  asks_for_no_more_than(db, "retry_after=50,status=503", "retry_after%3D50", 8);
}

/* What has arrived before its turn is bounded by cache_max_bytes. */
CASE(little_is_kept_ahead) {
  sqlite3 *db = open_loaded();
  skip_where_in_is_no_batch();
  must_exec(db, "SELECT rtk_config('cache_max_bytes', 20000),"
                " rtk_config('quota', 0), rtk_config('rate_per_second', 0)");
  asks_for_no_more_than(db, "gzip=0", "gzip%3D0", 60);
}

/* After n rows of a plain join at most 4 n ids have been asked for. */
CASE(a_join_asks_for_four_times_what_it_used) {
  sqlite3 *db = open_loaded();
  must_exec(db, "SELECT rtk_config('quota', 0), rtk_config('rate_per_second',"
                " 0)");
  must_exec(db,
            "CREATE TABLE l(n INTEGER PRIMARY KEY, s);"
            "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c"
            " WHERE i < 400) INSERT INTO l SELECT i, 'echo:grow' || i FROM c");
  sqlite3_stmt *stmt =
      prepared(db, "SELECT l.n, s.id FROM l JOIN " SESSION ", l.s) AS s");
  int most = 0; /* of what was asked for beyond that */
  for (int n = 1; n <= 60; n++) {
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(stmt, 0), n);
    pause_ms(3); /* rtk looks after its transfers every other ms */
    int more = requests("grow") - 4 * n;
    if (more > most) most = more;
  }
  assert_int_equal(most, 0);
  assert_in_range(requests("grow"), 200, 400);
  assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
  close_ok(db);
}

/* --- what is asked for together --------------------------------------------------------- */

static void assert_together(sqlite3 *db, const struct gate *gate,
                            const char *sql, const char *rows) {
  pthread_t thread;
  must_exec(db, "SELECT rtk_config('max_retries', 0)");
  assert_int_equal(
      pthread_create(&thread, NULL, open_gate, (void *)(uintptr_t)gate), 0);
  assert_rows(db, sql, rows);
  (void)pthread_join(thread, NULL);
  close_ok(db);
}

/* With an equality and a list, the second id brings the rest with it. */
CASE(the_second_id_brings_the_list) {
  static const struct gate gate = {"gate-list", "gate-list", 2};
  sqlite3 *db = open_loaded();
  skip_where_in_is_no_batch();
  char *sql = sqlite3_mprintf(
      "CREATE TABLE l(n INTEGER PRIMARY KEY, s); INSERT INTO l VALUES (1, "
      "'s1'),"
      " (2, 'x:hold=%q/gate-list,n=2'), (3, 'x:hold=%q/gate-list,n=3')",
      here(), here());
  must_exec(db, sql);
  sqlite3_free(sql);
  assert_together(db, &gate,
                  "SELECT l.n FROM l LEFT JOIN " SESSION
                  ") AS s ON s.session_id = l.s"
                  " AND s.session_id IN (SELECT s FROM l)"
                  " WHERE s.viewer_seconds > 0 OR s.error IS NULL",
                  "1\n2\n3\n");
}

/* A reply that is there already keeps nobody from asking for the next. */
CASE(a_known_reply_stops_nothing) {
  static const struct gate gate = {"gate-known", "gate-known", 3};
  sqlite3 *db = open_loaded();
  char path[4200];
  skip_where_in_is_no_batch();
  (void)snprintf(path, sizeof(path), "%s/gate-known", here());
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  (void)fclose(file);
  char *sql = sqlite3_mprintf(
      "SELECT count(*) FROM " SESSION ", 'x:hold=%q,n=15')", path);
  assert_rows(db, sql, "1\n");
  sqlite3_free(sql);
  assert_int_equal(remove(path), 0);
  sql = sqlite3_mprintf("SELECT count(*) FROM " SESSION ") WHERE session_id IN"
                        " ('x:hold=%q,n=1', 'x:hold=%q,n=15', 'x:hold=%q,n=2')",
                        path, path, path);
  assert_together(db, &gate, sql, "3\n");
  sqlite3_free(sql);
}

/* --- settings that change meanwhile -------------------------------------------------------- */

/* While a statement has requests under way under one token, no other statement is
** begun under another. */
CASE(no_statement_begins_with_another_token) {
  sqlite3 *db = open_loaded();
  skip_where_in_is_no_batch();
  sqlite3_stmt *stmt =
      prepared(db, "SELECT session_id FROM " SESSION ") WHERE session_id IN"
                   " ('s1', 'x:delay=" NEVER_MS ",n=1')");
  assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
  must_exec(db, "SELECT rtk_config('api_token', 'another-token')");
  int before = requests("GET");
  assert_fails(db, "SELECT id FROM " SESSION ", 's2')", SQLITE_ERROR,
               "was changed by rtk_config() while this statement ran");
  assert_int_equal(requests("GET"), before);
  assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
  close_ok(db);
}

/* --- aggregates of the host ---------------------------------------------------------------- */

static void count_step(sqlite3_context *context, int count,
                       sqlite3_value **values) {
  (void)count;
  (void)values;
  ++*(int *)sqlite3_user_data(context);
}

static void give_zero(sqlite3_context *context) {
  sqlite3_result_int(context, 0);
}

/* One that may do something is called for the rows there are. */
CASE(an_aggregate_is_called_once) {
  sqlite3 *db = open_loaded();
  int steps = 0;
  must_exec(db,
            "CREATE TABLE l(n INTEGER PRIMARY KEY, s);"
            "INSERT INTO l VALUES (1, 's1'), (2, 's2'), (3, 's3'), (4, 's4')");
  assert_int_equal(sqlite3_create_function_v2(db, "tell", 1, SQLITE_UTF8,
                                              &steps, NULL, count_step,
                                              give_zero, NULL),
                   SQLITE_OK);
  assert_rows(db, "SELECT tell(s.id) FROM l JOIN " SESSION ", l.s) AS s",
              "0\n");
  assert_int_equal(steps, 4);
  close_ok(db);
}

/* Two statements wait for the same replies; the first one ends, and the other gets
** them all. */
CASE(a_statement_that_ends_takes_nothing_away) {
  sqlite3 *db = open_loaded();
  skip_where_in_is_no_batch();
  must_exec(db, "CREATE TABLE l(s);"
                "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c"
                " WHERE i < 12) INSERT INTO l SELECT 'x:delay=' ||"
                " CASE i WHEN 1 THEN 0 ELSE 400 END || ',n=' || i FROM c");
  const char *sql = "SELECT session_id FROM " SESSION
                    ") WHERE session_id IN (SELECT s FROM l)";
  int before = requests("%2Cn%3D");
  sqlite3_stmt *first = prepared(db, sql);
  sqlite3_stmt *second = prepared(db, sql);
  assert_int_equal(sqlite3_step(first), SQLITE_ROW);
  assert_int_equal(sqlite3_step(second), SQLITE_ROW);
  assert_int_equal(sqlite3_finalize(first), SQLITE_OK);
  int rows = 1;
  while (sqlite3_step(second) == SQLITE_ROW) rows++;
  assert_int_equal(sqlite3_finalize(second), SQLITE_OK);
  assert_int_equal(rows, 12);
  assert_int_equal(requests("%2Cn%3D") - before, 12);
  close_ok(db);
}

int main(void) { return RUN_CASES(NULL, NULL); }
