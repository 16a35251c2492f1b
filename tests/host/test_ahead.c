/*
** Read-ahead for plain joins: that it does ask ahead, and each of its guards. In
** every refused case the rows are right, and rtk_stats says why.
**
** api: --livestreams 150 --sessions 20000
*/
#include "host.h"
#include "series.h"

#include <math.h>

#define JOIN " JOIN " SESSION ", l.s) AS s"
/* SQLite leaves out a LEFT JOIN that nothing is read from. */
#define LEFT_JOIN " LEFT" JOIN " WHERE s.error IS NULL"

/* The table l has `count` ids that no other test has asked for. */
static void fill(sqlite3 *db, int count) {
  static int base;
  char *sql = sqlite3_mprintf(
      "CREATE TABLE IF NOT EXISTS l(n INTEGER PRIMARY KEY, s);"
      "DELETE FROM l;"
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c"
      " WHERE i < %d) INSERT INTO l SELECT i, 's' || (%d + i) FROM c",
      count, base);
  must_exec(db, sql);
  sqlite3_free(sql);
  base += count;
}

static sqlite3 *open_free(void) {
  sqlite3 *db = open_loaded();
  must_exec(db, "SELECT rtk_config('max_retries', 0), rtk_config('quota', 0)");
  return db;
}

static sqlite3 *open_filled(int count) {
  sqlite3 *db = open_free();
  fill(db, count);
  return db;
}

/* As rtk_stats has it, without the time that a run took. */
static void assert_read_ahead(sqlite3 *db, const char *words) {
  char *rows = sqlite3_mprintf("%s\n", words);
  assert_rows(db,
              "SELECT CASE WHEN value LIKE 'on:%' THEN"
              " substr(value, 1, instr(value, ' ids') + 3) || CASE WHEN"
              " instr(value, ',') THEN substr(value, instr(value, ',')) ELSE ''"
              " END ELSE value END"
              " FROM rtk_stats WHERE name = 'read_ahead'",
              rows);
  sqlite3_free(rows);
}

static int requests_of(sqlite3 *db) {
  sqlite3_stmt *stmt = prepared(db, "SELECT value FROM rtk_stats"
                                    " WHERE name = 'requests'");
  assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
  int count = sqlite3_column_int(stmt, 0);
  (void)sqlite3_finalize(stmt);
  return count;
}

/* The result of a query that has one. */
static char *one(sqlite3 *db, const char *sql) {
  sqlite3_str *out = sqlite3_str_new(NULL);
  if (query(db, sql, out) != SQLITE_OK) fail_msg("%s", sqlite3_errmsg(db));
  return sqlite3_str_finish(out);
}

#define FIVE "1\n2\n3\n4\n5\n"

/* The query gives 1 to 5, and four ids were collected. */
static void assert_collects(sqlite3 *db, const char *sql) {
  assert_rows(db, sql, FIVE);
  assert_read_ahead(db, "on: 4 ids");
}

static void assert_step(sqlite3_stmt *stmt, int n) {
  assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
  assert_int_equal(sqlite3_column_int(stmt, 0), n);
}

/* All rows of a statement, 1 to `count`. */
static void assert_steps(sqlite3_stmt *stmt, int count) {
  for (int n = 1; n <= count; n++) assert_step(stmt, n);
  assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
}

/* --- functions and tables of the host -------------------------------------------- */

struct counted {
  int calls;
  int runs;              /* collecting runs, as the trace sees them */
  bool is_in_run;        /* of one */
  int interrupt_at_call; /* in a run; 0: never */
  int fails_with;        /* in a run */
  bool lies_in_run;
  bool interrupts_trace;
  bool is_judged; /* the functions of a statement are being looked up */
  sqlite3 *db;
};

/* tick(x) is x. */
static void tick(sqlite3_context *context, int count, sqlite3_value **values) {
  struct counted *counted = sqlite3_user_data(context);
  (void)count;
  counted->calls++;
  if (counted->is_in_run && counted->interrupt_at_call > 0 &&
      --counted->interrupt_at_call == 0) {
    sqlite3_interrupt(counted->db);
  }
  if (counted->is_in_run && counted->fails_with != SQLITE_OK) {
    sqlite3_result_error_code(context, counted->fails_with);
  } else if (counted->is_in_run && counted->lies_in_run) {
    sqlite3_result_int(context, counted->calls);
  } else {
    sqlite3_result_value(context, values[0]);
  }
}

/* The text that it is given begins with "-- " for a statement in another. */
static int trace(unsigned kind, void *user, void *stmt, void *text) {
  static const char mark[] = "/* rtk read-ahead */ ";
  struct counted *counted = user;
  const char *sql = sqlite3_sql(stmt);
  if (strstr(sql, "pragma_function_list") != NULL) {
    counted->is_judged = kind == SQLITE_TRACE_STMT;
  }
  if (strncmp(sql, mark, sizeof(mark) - 1) != 0) return 0;
  if (kind == SQLITE_TRACE_STMT) assert_non_null(strstr(text, mark));
  counted->is_in_run = kind == SQLITE_TRACE_STMT;
  if (!counted->is_in_run) return 0;
  counted->runs++;
  if (counted->interrupts_trace) sqlite3_interrupt(counted->db);
  return 0;
}

static int stops_in_run(void *user) {
  return ((const struct counted *)user)->is_in_run;
}

static int stops_while_judged(void *user) {
  return ((const struct counted *)user)->is_judged;
}

static void watch(sqlite3 *db, struct counted *counted) {
  *counted = (struct counted){.db = db};
  assert_int_equal(sqlite3_trace_v2(db,
                                    SQLITE_TRACE_STMT | SQLITE_TRACE_PROFILE,
                                    trace, counted),
                   SQLITE_OK);
}

static void add_function(sqlite3 *db, const char *name, int arguments,
                         int flags, struct counted *counted) {
  assert_int_equal(sqlite3_create_function_v2(db, name, arguments,
                                              SQLITE_UTF8 | flags, counted,
                                              tick, NULL, NULL, NULL),
                   SQLITE_OK);
}

#define FIT (SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS)
#define LONG_NAME                                                              \
  "a_function_with_a_name_of_more_than_one_hundred_bytes_that_EXPLAIN_of_"     \
  "older"                                                                      \
  "_versions_of_SQLite_does_not_show_whole"

/* --- it does -------------------------------------------------------------------- */

/* Memory for replies bounds what may be asked for again, not how many requests are
** under way: the first reply but one comes when the last has been asked for. */
CASE(no_memory_for_replies_is_a_batch_all_the_same) {
  struct gate gate = {"gate-0", "/y5last", 1};
  pthread_t thread;
  void *is_open = NULL;
  sqlite3 *db = open_filled(5);
  skip_where_in_is_no_batch();
  /* In the order of the list: the one that is held comes first but one. */
  char *sql = sqlite3_mprintf("DELETE FROM l; INSERT INTO l VALUES"
                              " (1, 'echo:a'), (2, 'x:hold=%q/%s'), (3, 'y3'),"
                              " (4, 'y4'), (5, 'y5last')",
                              here(), gate.file);
  must_exec(db, sql);
  must_exec(db, "SELECT rtk_config('cache_max_bytes', 0)");
  assert_int_equal(pthread_create(&thread, NULL, open_gate, &gate), 0);
  assert_rows(db,
              "SELECT count(*) FROM " SESSION ") WHERE session_id IN (SELECT s"
              " FROM l)",
              "2\n");
  (void)pthread_join(thread, &is_open);
  assert_non_null(is_open);
  sqlite3_free(sql);
  close_ok(db);
}

/* The second reply comes when the fifth id has been asked for, and no sooner. */
static void asks_before_their_turn(const char *query, const char *name) {
  char *last = sqlite3_mprintf("echo%%3A%s5", name);
  struct gate gate = {name, last, 1};
  pthread_t thread;
  void *is_open = NULL;
  sqlite3 *db = open_filled(5);
  char *sql = sqlite3_mprintf("UPDATE l SET s = CASE n WHEN 2 THEN"
                              " 'x:hold=%q/%s' ELSE 'echo:%s' || n END",
                              here(), gate.file, name);
  must_exec(db, sql);
  assert_int_equal(pthread_create(&thread, NULL, open_gate, &gate), 0);
  assert_rows(db, query, FIVE);
  (void)pthread_join(thread, &is_open);
  assert_non_null(is_open);
  assert_read_ahead(db, "on: 4 ids");
  assert_int_equal(requests(name), 5); /* each one once */
  sqlite3_free(sql);
  sqlite3_free(last);
  close_ok(db);
}

CASE(rows_are_asked_for_before_their_turn) {
  asks_before_their_turn("SELECT l.n FROM l" JOIN, "gate-1-");
}

/* There is no row before all ids have been asked for. */
CASE(sorted_rows_are_asked_for_before_their_turn) {
  asks_before_their_turn("SELECT l.n FROM l" JOIN " ORDER BY s.error, l.n",
                         "gate-2-");
}

/* Every form in which SQLite hands ids over one by one: four are collected after
** the first. */
static const struct {
  const char *name, *sql;
  const char *option; /* of SQLite, without which the case is skipped */
  const char *setup;
} taken[] = {
    /* Ours, under whatever name, and what only shows what rtk knows. */
    {"other name", "SELECT l.n FROM l JOIN mine('ACCOUNT', 'APP', l.s)"},
    {"settings", "SELECT l.n FROM rtk_settings AS p JOIN l" JOIN
                 " WHERE p.name = 'concurrency'"},
    {"stats",
     "SELECT l.n FROM rtk_stats AS p JOIN l" JOIN " WHERE p.name = 'requests'"},
    {"join", "SELECT l.n FROM l" JOIN},
    {"left join", "SELECT l.n FROM l" LEFT_JOIN},
    {"exists",
     "SELECT n FROM l WHERE EXISTS (SELECT 1 FROM " SESSION ", l.s))"},
    {"scalar subquery",
     "SELECT n FROM l WHERE (SELECT viewer_seconds FROM " SESSION
     ", l.s)) > 0"},
    {"self join", "SELECT l.n FROM l" JOIN " JOIN " SESSION ", l.s) AS t"
                  " WHERE t.id = s.id"},
    {"duplicates and NULL",
     "SELECT DISTINCT n FROM (SELECT * FROM l UNION ALL SELECT * FROM l UNION"
     " ALL SELECT 9, NULL UNION ALL SELECT 9, 1.5) AS l" JOIN},
    {"json_each",
     "SELECT j.value FROM json_each('[1,2,3,4,5]') AS j JOIN l ON l.n = "
     "j.value" JOIN},
    {"series", "SELECT l.n FROM generate_series(1, 5) AS j JOIN l ON l.n ="
               " j.value" JOIN},
    {"R-Tree",
     "SELECT l.n FROM space AS j JOIN l ON l.n = j.id" JOIN
     " WHERE j.a BETWEEN 1 AND 5",
     "ENABLE_RTREE",
     "CREATE VIRTUAL TABLE space USING rtree(id, a, b);"
     "INSERT INTO space SELECT n, n, n FROM l"},
    {"full text",
     "SELECT l.n FROM words AS j JOIN l ON l.n = j.rowid" JOIN
     " WHERE words MATCH 'word' ORDER BY j.rank, l.n",
     "ENABLE_FTS5",
     "CREATE VIRTUAL TABLE words USING fts5(w);"
     "INSERT INTO words(rowid, w) SELECT n, 'word' FROM l"},
    {"database's pages", "SELECT DISTINCT l.n FROM dbstat AS j, l" JOIN,
     "ENABLE_DBSTAT_VTAB", NULL},
    {"table of a PRAGMA",
     "SELECT l.n FROM pragma_table_info('five') AS j JOIN l ON l.n = j.cid +"
     " 1" JOIN},
    {"functions", "SELECT abs(l.n) FROM l" JOIN " WHERE length(l.s) > 0"},
    {"functions of the statement",
     "SELECT l.n FROM l" JOIN " WHERE changes() + total_changes() +"
     " last_insert_rowid() >= 0 AND current_timestamp > current_date AND"
     " current_time > '' AND date('now') > '' AND sqlite_version() > '3' AND"
     " sqlite_source_id() > ''"},
    {"calendar",
     "WITH RECURSIVE day(d) AS (SELECT 1 UNION ALL SELECT d + 1 FROM day WHERE"
     " d < 5) SELECT day.d FROM day LEFT JOIN l ON l.n = day.d" LEFT_JOIN},
    {"tree",
     "WITH up(n) AS MATERIALIZED (VALUES (1), (2) UNION SELECT n + 1 FROM up"
     " WHERE n < 5 ORDER BY 1 -- )\n) SELECT l.n FROM up JOIN l USING "
     "(n)" JOIN},
    {"calendar in a view",
     "WITH w AS (SELECT * FROM l) SELECT day.i FROM day LEFT JOIN w AS l ON"
     " l.n = day.i" LEFT_JOIN " AND day.i <= 5",
     NULL,
     "CREATE TEMP VIEW day(i) AS WITH c(i) AS (SELECT 1 UNION ALL SELECT"
     " i + 1 FROM c WHERE i < 7) SELECT i FROM c -- )\n"},
    {"comments", "-- one\n/* two */ SELECT l.n FROM l" JOIN " -- three"},
    {"WITH", "WITH w AS (SELECT * FROM l) SELECT l.n FROM w AS l" JOIN},
    {"order", "SELECT l.n FROM l" JOIN " ORDER BY s.error, l.n"},
    {"several accounts",
     "SELECT l.n FROM l JOIN rtk_livestream_session('acc' || l.n, 'APP', l.s)"
     " AS s"},
};

static void is_taken(void **state) {
  size_t i = (size_t)(uintptr_t)*state;
  sqlite3 *db = open_filled(5);
  if (taken[i].option != NULL && !sqlite3_compileoption_used(taken[i].option)) {
    close_ok(db);
    skip();
  }
  must_exec(db, "CREATE VIRTUAL TABLE temp.mine USING"
                " rtk_livestream_session;"
                "CREATE TABLE five(a, b, c, d, e)");
  add_series(db, "generate_series",
             "CREATE TABLE x(value, start HIDDEN, stop HIDDEN, step HIDDEN)");
  if (taken[i].setup != NULL) must_exec(db, taken[i].setup);
  assert_collects(db, taken[i].sql);
  assert_int_equal(requests_of(db), 5);
  close_ok(db);
}

/* --- statements that write -------------------------------------------------------- */

#define NEW_TABLE "CREATE TABLE w(n UNIQUE, v)"
#define OLD_TABLE NEW_TABLE "; INSERT INTO w SELECT n, 0 FROM l"

/* What is written is in w(n, v). */
static const struct {
  const char *name, *setup, *sql;
} written[] = {
    {"insert", NEW_TABLE,
     "INSERT INTO w SELECT l.n, s.viewer_seconds FROM l" JOIN},
    {"insert in a transaction", "BEGIN; " NEW_TABLE,
     "INSERT INTO w(v, n) SELECT s.id, l.n FROM l" JOIN
     " ORDER BY s.id; COMMIT"},
    {"insert with", NEW_TABLE,
     "WITH c AS (SELECT * FROM l) INSERT INTO w SELECT l.n, 1 FROM c AS "
     "l" JOIN},
    {"with within insert", NEW_TABLE,
     "INSERT INTO w WITH c AS (SELECT * FROM l) SELECT l.n, 1 FROM c AS "
     "l" JOIN},
    {"only what is new",
     OLD_TABLE "; DELETE FROM w; INSERT INTO w VALUES(9, 9)",
     "INSERT INTO w SELECT l.n, 1 FROM l" JOIN
     " WHERE l.n NOT IN (SELECT n FROM w)"},
    {"a row for each row", OLD_TABLE,
     "INSERT OR IGNORE INTO w SELECT l.n, 1 FROM l" JOIN},
    {"replace", OLD_TABLE, "REPLACE INTO w SELECT l.n, s.id FROM l" JOIN},
    {"upsert", OLD_TABLE,
     "INSERT INTO w SELECT l.n, s.id FROM l" JOIN
     " WHERE true ON CONFLICT(n) DO UPDATE SET v = excluded.v || n"},
    {"returning", NEW_TABLE,
     "INSERT INTO w SELECT l.n, 1 FROM l" JOIN " WHERE true RETURNING n"},
    {"a trigger of the table",
     NEW_TABLE "; CREATE TABLE twice(n); CREATE TRIGGER t AFTER INSERT ON w"
               " BEGIN INSERT INTO twice VALUES (new.n); END",
     "INSERT INTO w SELECT l.n, 1 FROM l" JOIN},
    {"create table", NULL,
     "CREATE TABLE w AS SELECT l.n, s.id AS v FROM l" JOIN},
    {"create temp table", NULL,
     "CREATE TEMP TABLE IF NOT EXISTS w AS SELECT l.n, 1 AS v FROM l" JOIN},
    {"update", OLD_TABLE,
     "UPDATE w SET v = (SELECT viewer_seconds FROM " SESSION
     ", (SELECT s FROM l WHERE l.n = w.n)))"},
    {"update of several columns", OLD_TABLE,
     "UPDATE OR REPLACE w AS x SET (v, n) = (SELECT s.id, x.n FROM l" JOIN
     " WHERE l.n = x.n), n = x.n"},
    {"update of a column in brackets", OLD_TABLE,
     "UPDATE w SET (v) = s.id FROM l" JOIN " WHERE l.n = w.n"},
    {"update from", OLD_TABLE,
     "UPDATE w SET v = s.id FROM l" JOIN " WHERE l.n = w.n"},
    {"delete", OLD_TABLE "; INSERT INTO w VALUES(9, 9)",
     "DELETE FROM w WHERE NOT EXISTS (SELECT 1 FROM l" JOIN
     " WHERE l.n = w.n AND w.n < 9)"},
    {"failing",
     OLD_TABLE "; DELETE FROM w WHERE n < 5; BEGIN;"
               " INSERT INTO w VALUES (10, 10)",
     "INSERT INTO w SELECT l.n, 1 FROM l" JOIN},
};

static void log_change(void *out, int verb, const char *database,
                       const char *table, sqlite3_int64 row) {
  sqlite3_str_appendf(out, "%d %s.%s %lld\n", verb, database, table, row);
}

/* The changes, their counts, the message and the table after it. */
static char *effects(size_t i, const char *read_ahead, const char *words) {
  sqlite3 *db = open_filled(5);
  sqlite3_str *out = sqlite3_str_new(NULL);
  char *sql =
      sqlite3_mprintf("SELECT rtk_config('read_ahead', %Q)", read_ahead);
  must_exec(db, sql);
  must_exec(db, "UPDATE l SET s = s WHERE n = 1");
  if (written[i].setup != NULL) must_exec(db, written[i].setup);
  sqlite3_update_hook(db, log_change, out);
  int before = requests_of(db);
  int rc = sqlite3_exec(db, written[i].sql, NULL, NULL, NULL);
  sqlite3_str_appendf(out, "%d %s, %d\n", rc, sqlite3_errmsg(db),
                      sqlite3_get_autocommit(db));
  sqlite3_update_hook(db, NULL, NULL);
  int queried =
      query(db, "SELECT changes(), total_changes(), last_insert_rowid()", out);
  assert_int_equal(queried, SQLITE_OK);
  queried = query(db, "SELECT rowid, n, v IS NULL FROM w", out);
  assert_int_equal(queried, SQLITE_OK);
  sqlite3_str_appendf(out, "%d requests\n", requests_of(db) - before);
  if (words != NULL) assert_read_ahead(db, words);
  if (!sqlite3_get_autocommit(db)) must_exec(db, "ROLLBACK");
  sqlite3_free(sql);
  close_ok(db);
  return sqlite3_str_finish(out);
}

static void is_written(void **state) {
  size_t i = (size_t)(uintptr_t)*state;
  char *on = effects(i, "on", "on: 4 ids");
  char *off = effects(i, "off", "off: the setting read_ahead");
  assert_string_equal(on, off);
  sqlite3_free(on);
  sqlite3_free(off);
}

/* --- what is refused -------------------------------------------------------------- */

#define OTHER_TABLE "off: another virtual table is in the statement"
#define NO_ID "off: its SELECT, run on its own, asks for no id"

static const struct {
  const char *name;
  const char *setup; /* or NULL */
  const char *sql;
  const char *read; /* what it has written; NULL: sql gives the rows itself */
  const char *words;
  int more_requests; /* than one for each id */
} refused[] = {
    {"off", "SELECT rtk_config('read_ahead', 'off')", "SELECT l.n FROM l" JOIN,
     NULL, "off: the setting read_ahead"},
    {"only in RETURNING", "CREATE TABLE w(n)",
     "INSERT INTO w SELECT n FROM l WHERE true RETURNING (SELECT id "
     "FROM " SESSION ", (SELECT s FROM l WHERE l.n = w.n)))",
     "SELECT n FROM w", NO_ID},
    {"trigger",
     "CREATE TABLE w(n); CREATE TABLE of(n);"
     "CREATE TEMP TRIGGER t AFTER INSERT ON of BEGIN"
     " INSERT INTO w SELECT l.n FROM l" JOIN "; END",
     "INSERT INTO of VALUES(1)", "SELECT n FROM w", NO_ID},
    {"recursive view of a view",
     "CREATE TEMP VIEW up AS WITH c(i) AS (SELECT 1 UNION ALL SELECT"
     " i + 1 FROM c WHERE i < 5) SELECT i FROM c;"
     "CREATE TEMP VIEW v AS SELECT i FROM up",
     "WITH c AS (SELECT 1 UNION SELECT 2) SELECT l.n FROM v JOIN l ON l.n ="
     " v.i" JOIN,
     NULL, "off: a recursive query may have no end"},
    {"recursive without a bound", NULL,
     "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE"
     " i < 5 LIMIT -1) SELECT l.n FROM c JOIN l ON l.n = c.i" JOIN,
     NULL, "off: a recursive query may have no end"},
    {"random", NULL, "SELECT l.n FROM l" JOIN " WHERE random() IS NOT NULL",
     NULL, "off: random() is called, which may do something"},
    {"changed changes", NULL, "SELECT l.n FROM l" JOIN " WHERE changes(1) = 1",
     NULL, "off: changes() is called, which may do something"},
    {"our own function", NULL,
     "SELECT l.n FROM l" JOIN " WHERE rtk_config('concurrency') > 0", NULL,
     "off: rtk_config() is called, which may do something"},
    {"not innocuous", NULL, "SELECT tick(l.n) FROM l" JOIN, NULL,
     "off: tick() is called, which may do something"},
    {"not deterministic", NULL, "SELECT varies(l.n) FROM l" JOIN, NULL,
     "off: varies() is called, which may do something"},
    {"direct only", NULL, "SELECT direct(l.n) FROM l" JOIN, NULL,
     "off: direct() is called, which may do something"},
    {"overloaded", NULL, "SELECT abs(l.n) FROM l" JOIN " WHERE abs(1, 2) = 1",
     NULL, "off: abs() is called, which may do something"},
    {"long name", NULL, "SELECT " LONG_NAME "(l.n) FROM l" JOIN, NULL, NULL},
    {"PRAGMA that does something", NULL,
     "SELECT l.n FROM l" JOIN " LEFT JOIN pragma_optimize AS p", NULL,
     OTHER_TABLE},
    {"series with a LIMIT", NULL,
     "SELECT l.n FROM generate_series(1, 5) AS p JOIN l ON l.n = p.value" JOIN
     " WHERE s.error IS NULL LIMIT 5",
     NULL, "off: a series may have no end but the LIMIT"},
    {"host's table", NULL,
     "SELECT l.n FROM series AS p JOIN l ON l.n = p.value" JOIN, NULL,
     OTHER_TABLE},
    {"host's json_each", NULL,
     "SELECT l.n FROM json_each AS p JOIN l ON l.n = p.value" JOIN, NULL,
     OTHER_TABLE},
    {"host's fts5", "CREATE VIRTUAL TABLE words USING fts5(w)",
     "SELECT l.n FROM words AS p JOIN l ON l.n = p.w" JOIN, NULL, OTHER_TABLE},
    /* It would make its two requests again. */
    {"rtk_check", NULL,
     "SELECT l.n FROM rtk_check('ACCOUNT', 'APP') AS p JOIN l" JOIN
     " WHERE p.\"check\" = 'token'",
     NULL, OTHER_TABLE, 2},
};

static void is_refused(void **state) {
  size_t i = (size_t)(uintptr_t)*state;
  struct counted counted = {0};
  bool is_written = refused[i].read != NULL;
  sqlite3 *db = open_filled(5);
  add_function(db, "tick", 1, SQLITE_DETERMINISTIC, &counted);
  add_function(db, "varies", 1, SQLITE_INNOCUOUS, &counted);
  add_function(db, "direct", 1, FIT | SQLITE_DIRECTONLY, &counted);
  add_function(db, "abs", 2, SQLITE_DETERMINISTIC, &counted);
  add_function(db, "changes", 1, SQLITE_INNOCUOUS, &counted);
  add_function(db, LONG_NAME, 1, SQLITE_DETERMINISTIC, &counted);
  add_series(db, "series", "CREATE TABLE x(value)");
  add_series(db, "generate_series",
             "CREATE TABLE x(value, start HIDDEN, stop HIDDEN, step HIDDEN)");
  add_series(db, "json_each", "CREATE TABLE x(value)");
  add_series(db, "fts5", "CREATE TABLE x(w)");
  if (refused[i].setup != NULL) must_exec(db, refused[i].setup);
  if (is_written) must_exec(db, refused[i].sql);
  int asked = requests_of(db);
  assert_rows(db, is_written ? refused[i].read : refused[i].sql, FIVE);
  assert_int_equal(is_written ? asked : requests_of(db),
                   5 + refused[i].more_requests);
  if (refused[i].words != NULL) {
    assert_read_ahead(db, refused[i].words);
  } else {
    assert_rows(db,
                "SELECT value LIKE 'off: a_function%() is called%' FROM"
                " rtk_stats WHERE name = 'read_ahead'",
                "1\n");
  }
  close_ok(db);
}

/* --- lists ------------------------------------------------------------------------ */

#define SESSIONS SESSION ") AS s"

/* The third reply comes when the fifth id has been requested.  Whether each row
** of a subquery has a cursor of its own depends on SQLite. */
static const struct {
  const char *name, *sql;
} listed[] = {
    {"scalar subquery with a list",
     "SELECT n FROM l WHERE (SELECT id FROM " SESSIONS " WHERE"
     " s.session_id = l.s AND s.session_id IN (SELECT s FROM l)) > ''"},
    {"exists with a list that varies",
     "SELECT n FROM l WHERE EXISTS (SELECT 1 FROM " SESSIONS " WHERE"
     " s.session_id = l.s AND s.session_id IN (l.s, 'none'))"},
    {"list that varies",
     "SELECT l.n FROM l JOIN " SESSIONS " ON s.session_id IN (l.s, '')"},
    {"lists that overlap", "SELECT DISTINCT l.n FROM l JOIN " SESSIONS
                           " ON s.session_id IN (SELECT s FROM l AS o WHERE"
                           " o.n IN (l.n, l.n % 5 + 1))"},
    {"either of two", "SELECT l.n FROM l JOIN " SESSIONS
                      " ON s.session_id = l.s OR s.session_id = l.s || ''"},
    {"list that varies in a subquery",
     "SELECT n FROM l WHERE (SELECT count(*) FROM " SESSIONS
     " WHERE s.session_id IN (l.s, '')) = 1"},
};

static void is_listed(void **state) {
  size_t i = (size_t)(uintptr_t)*state;
  char name[16];
  char part[16];
  (void)snprintf(name, sizeof(name), "gate-list-%d", (int)i);
  (void)snprintf(part, sizeof(part), "listed%d5", (int)i);
  struct gate gate = {name, part, 1};
  pthread_t thread;
  void *is_open = NULL;
  sqlite3 *db = open_filled(5);
  char *sql = sqlite3_mprintf("UPDATE l SET s = CASE n WHEN 3 THEN"
                              " 'x:hold=%q/%s' ELSE 'echo:listed%d' || n END",
                              here(), gate.file, (int)i);
  must_exec(db, sql);
  assert_int_equal(pthread_create(&thread, NULL, open_gate, &gate), 0);
  assert_rows(db, listed[i].sql, FIVE);
  (void)pthread_join(thread, &is_open);
  assert_non_null(is_open);
  assert_int_equal(requests_of(db), 5);
  sqlite3_free(sql);
  close_ok(db);
}

/* --- functions ------------------------------------------------------------------- */

/* One that may do something is called just as often as without read-ahead; for
** one that cannot, it makes no difference that anyone sees. */
CASE(functions_are_called_as_often) {
  static const int flags[] = {0, SQLITE_DETERMINISTIC, SQLITE_INNOCUOUS};
  for (size_t i = 0; i < ROWS_OF(flags); i++) {
    for (int is_on = 0; is_on < 2; is_on++) {
      struct counted counted = {0};
      sqlite3 *db = open_filled(4);
      add_function(db, "tick", 1, flags[i], &counted);
      must_exec(db, is_on ? "SELECT rtk_config('read_ahead', 'on')"
                          : "SELECT rtk_config('read_ahead', 'off')");
      must_exec(db, "INSERT INTO l VALUES(5, 'gone')");
      assert_rows(db, "SELECT tick(l.n) FROM l" LEFT_JOIN, FIVE);
      assert_int_equal(counted.calls, 5);
      close_ok(db);
    }
  }
}

CASE(an_innocuous_function_is_called_again) {
  struct counted counted = {0};
  sqlite3 *db = open_filled(5);
  add_function(db, "tick", 1, FIT, &counted);
  assert_collects(db, "SELECT tick(l.n) FROM l" LEFT_JOIN);
  assert_true(counted.calls > 5);
  close_ok(db);
}

/* The view may call any function. */
CASE(full_text_of_a_view_is_not_read_twice) {
  struct counted counted = {0};
  sqlite3 *db = open_filled(5);
  if (!sqlite3_compileoption_used("ENABLE_FTS5")) {
    close_ok(db);
    skip();
  }
  add_function(db, "tick", 1, 0, &counted);
  must_exec(db, "CREATE VIEW v AS SELECT n, tick('word') AS w FROM l;"
                "CREATE VIRTUAL TABLE words USING fts5(w, content='v',"
                " content_rowid='n');"
                "INSERT INTO words(words) VALUES('rebuild')");
  counted.calls = 0;
  assert_rows(db,
              "SELECT l.n FROM words AS p JOIN l ON l.n = p.rowid" JOIN
              " WHERE words MATCH 'word' AND p.w = 'word'",
              FIVE);
  assert_int_equal(counted.calls, 5);
  assert_read_ahead(db, OTHER_TABLE);
  close_ok(db);
}

/* The function says that it is deterministic, and is not. */
CASE(what_is_not_used_is_not_called_read_ahead) {
  struct counted counted;
  sqlite3 *db = open_filled(5);
  add_function(db, "tick", 1, FIT, &counted);
  watch(db, &counted);
  counted.lies_in_run = true;
  assert_rows(db, "SELECT l.n FROM l JOIN " SESSION ", tick(l.s)) AS s", FIVE);
  assert_rows(db,
              "SELECT value LIKE 'off: % ids were collected, none of them was"
              " used' FROM rtk_stats WHERE name = 'read_ahead'",
              "1\n");
  assert_int_equal(requests_of(db), 5);
  close_ok(db);
}

/* --- other statements ------------------------------------------------------------- */

/* The look-ups of RETURNING are not collected. */
CASE(what_is_not_collected_is_told) {
  sqlite3 *db = open_filled(10);
  must_exec(db, "CREATE TABLE w(n);"
                "INSERT INTO w SELECT l.n FROM (SELECT * FROM l WHERE n <= 5)"
                " AS l" JOIN " WHERE true RETURNING (SELECT id FROM " SESSION
                ", (SELECT s FROM l WHERE l.n = w.n + 5)))");
  assert_rows(db,
              "SELECT value LIKE 'on: 4 ids collected in % ms, % others one"
              " after another' FROM rtk_stats WHERE name = 'read_ahead'",
              "1\n");
  assert_int_equal(requests_of(db), 10);
  close_ok(db);
}

/* What matters is which of the running statements reads a table of ours. */
CASE(another_unfinished_statement_may_run) {
  sqlite3 *db = open_filled(5);
  sqlite3_blob *blob = NULL;
  must_exec(db, "CREATE TABLE b(x); INSERT INTO b VALUES(x'010203')");
  sqlite3_stmt *other = prepared(db, "SELECT x FROM b, l");
  assert_int_equal(sqlite3_step(other), SQLITE_ROW);
  assert_int_equal(sqlite3_blob_open(db, "main", "b", "x", 1, 0, &blob),
                   SQLITE_OK);
  assert_collects(db, "SELECT l.n FROM l" JOIN);
  (void)sqlite3_finalize(other);

  /* Of two it could be either. */
  fill(db, 5);
  other = prepared(db, "SELECT l.n FROM l" JOIN);
  assert_int_equal(sqlite3_step(other), SQLITE_ROW);
  assert_rows(db, "SELECT l.n FROM l" JOIN, FIVE);
  assert_read_ahead(db, "off: several unfinished statements of the connection"
                        " read tables of rtk");
  assert_int_equal(requests_of(db), 10);
  (void)sqlite3_blob_close(blob);
  (void)sqlite3_finalize(other);
  close_ok(db);
}

/* Two of ours take turns: each row is right, and each id is asked for once. */
CASE(two_statements_take_turns) {
  sqlite3 *db = open_filled(6);
  sqlite3_stmt *a = prepared(db, "SELECT l.n FROM l" JOIN);
  sqlite3_stmt *b =
      prepared(db, "SELECT 7 - l.n FROM l" JOIN " ORDER BY l.n DESC");
  for (int n = 1; n <= 6; n++) {
    assert_step(a, n);
    assert_step(b, n);
  }
  assert_int_equal(sqlite3_step(a), SQLITE_DONE);
  assert_int_equal(sqlite3_step(b), SQLITE_DONE);
  (void)sqlite3_finalize(a);
  (void)sqlite3_finalize(b);
  assert_int_equal(requests_of(db), 6);
  close_ok(db);
}

/* A statement that was found fit is gone while another keeps the tables open;
** one that is not fit may get its address. */
CASE(a_statement_is_judged_by_its_text) {
  struct counted counted = {0};
  for (int round = 0; round < 20; round++) {
    sqlite3 *db = open_filled(12);
    add_function(db, "tick", 1, SQLITE_DETERMINISTIC, &counted);
    counted.calls = 0;
    sqlite3_stmt *fit =
        prepared(db, "SELECT abs(l.n) FROM l" JOIN " WHERE l.n < 5");
    for (int n = 1; n < 5; n++) {
      assert_int_equal(sqlite3_step(fit), SQLITE_ROW);
    }
    sqlite3_stmt *keeper = prepared(db, "SELECT 1 FROM l" JOIN);
    assert_int_equal(sqlite3_step(keeper), SQLITE_ROW);
    (void)sqlite3_finalize(fit);
    sqlite3_stmt *unfit =
        prepared(db, "SELECT tick(l.n) FROM l" JOIN " WHERE l.n > 4");
    bool is_same = unfit == fit;
    assert_int_equal(sqlite3_step(unfit), SQLITE_ROW);
    (void)sqlite3_finalize(keeper);
    while (sqlite3_step(unfit) == SQLITE_ROW) continue;
    (void)sqlite3_finalize(unfit);
    assert_int_equal(counted.calls, 8);
    close_ok(db);
    if (is_same) return;
  }
}

CASE(explain_asks_for_nothing) {
  sqlite3 *db = open_filled(5);
  must_exec(db, "EXPLAIN SELECT l.n FROM l" JOIN);
  must_exec(db, "EXPLAIN QUERY PLAN SELECT l.n FROM l" JOIN);
  assert_int_equal(requests_of(db), 0);
  assert_rows(db, "SELECT value FROM rtk_stats WHERE name = 'read_ahead'",
              "NULL\n");
  close_ok(db);
}

CASE(an_old_prepare_is_read_ahead_for) {
  sqlite3 *db = open_filled(5);
  sqlite3_stmt *stmt = NULL;
  assert_int_equal(
      sqlite3_prepare(db, "SELECT l.n FROM l" JOIN, -1, &stmt, NULL),
      SQLITE_OK);
  assert_steps(stmt, 5);
  (void)sqlite3_finalize(stmt);
  assert_read_ahead(db, "on: 4 ids");
  close_ok(db);
}

/* --- hooks of the host -------------------------------------------------------------- */

static int no_functions(void *user, int action, const char *a, const char *b,
                        const char *c, const char *d) {
  (void)user, (void)a, (void)c, (void)d;
  return action == SQLITE_FUNCTION && strcmp(b, "min") == 0 ? SQLITE_DENY
                                                            : SQLITE_OK;
}

/* From the second time on that l.n is read. */
static int no_second_prepare(void *user, int action, const char *a,
                             const char *b, const char *c, const char *d) {
  int *prepared_count = user;
  (void)a, (void)b, (void)c, (void)d;
  if (action != SQLITE_SELECT) return SQLITE_OK;
  return ++*prepared_count > 1 ? SQLITE_DENY : SQLITE_OK;
}

CASE(an_authorizer_may_deny_it) {
  sqlite3 *db = open_filled(5);
  int prepared_count = 0;
  (void)sqlite3_set_authorizer(db, no_functions, NULL);
  sqlite3_stmt *stmt = prepared(db, "SELECT abs(l.n) FROM l" JOIN);
  for (int n = 1; n <= 5; n++) {
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_null(strstr(sqlite3_errmsg(db), "authorized")); /* nobody's error */
  }
  assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
  (void)sqlite3_set_authorizer(db, NULL, NULL);
  assert_read_ahead(db, "off: the statement cannot be prepared again:"
                        " SQL logic error");
  fill(db, 5);
  (void)sqlite3_set_authorizer(db, no_second_prepare, &prepared_count);
  assert_rows(db, "SELECT l.n FROM l" JOIN, FIVE);
  (void)sqlite3_set_authorizer(db, NULL, NULL);
  assert_read_ahead(db, "off: the statement cannot be prepared again:"
                        " authorization denied");
  assert_int_equal(requests_of(db), 10);
  close_ok(db);
}

CASE(a_trace_sees_it) {
  struct counted counted;
  sqlite3 *db = open_filled(5);
  watch(db, &counted);
  assert_rows(db, "SELECT l.n FROM l" JOIN, FIVE);
  assert_int_equal(counted.runs, 1);
  assert_false(counted.is_in_run);
  close_ok(db);
}

/* Who may interrupt a run, and how. */
static const struct {
  const char *name;
  int at_call; /* of tick() in the run */
  bool is_by_trace;
  int (*progress)(void *);
  int runs;
} interrupts[] = {
    {"a function in the run interrupts", 2, false, NULL, 1},
    {"a trace interrupts the run", 0, true, NULL, 1},
    {"a progress handler stops the run", 0, false, stops_in_run, 1},
    {"a progress handler stops the judging", 0, false, stops_while_judged, 0},
};

static void is_interrupted(void **state) {
  size_t i = (size_t)(uintptr_t)*state;
  struct counted counted;
  sqlite3 *db = open_filled(5);
  must_exec(db, "BEGIN; INSERT INTO l VALUES(7, 'gone')");
  watch(db, &counted);
  add_function(db, "tick", 1, FIT, &counted);
  counted.interrupt_at_call = interrupts[i].at_call;
  counted.interrupts_trace = interrupts[i].is_by_trace;
  sqlite3_progress_handler(db, 1, interrupts[i].progress, &counted);
  assert_fails(db, "SELECT tick(l.n) FROM l" LEFT_JOIN, SQLITE_INTERRUPT,
               "interrupted");
  sqlite3_progress_handler(db, 0, NULL, NULL);
  assert_int_equal(counted.runs, interrupts[i].runs);
  assert_int_equal(requests_of(db), 1); /* the second was not sent yet */
  assert_int_equal(sqlite3_get_autocommit(db), 0);
  must_exec(db, "COMMIT");
  (void)sqlite3_trace_v2(db, 0, NULL, NULL);
  assert_rows(db, "SELECT tick(l.n) FROM l" LEFT_JOIN, "1\n2\n3\n4\n5\n7\n");
  close_ok(db);
}

/* --- transactions ----------------------------------------------------------------- */

CASE(uncommitted_rows_are_read_ahead_for) {
  sqlite3 *db = open_filled(3);
  must_exec(db, "BEGIN; INSERT INTO l VALUES(4, 's19001'); SAVEPOINT x;"
                " INSERT INTO l VALUES(5, 's19002')");
  assert_collects(db, "SELECT l.n FROM l" JOIN);
  assert_int_equal(requests_of(db), 5);
  assert_int_equal(sqlite3_get_autocommit(db), 0);
  must_exec(db, "ROLLBACK TO x; RELEASE x");
  assert_rows(db, "SELECT n FROM l", "1\n2\n3\n4\n");
  must_exec(db, "ROLLBACK");
  assert_rows(db, "SELECT n FROM l", "1\n2\n3\n");
  close_ok(db);
}

/* What rolls back the transaction in the run ends the statement, which reads from
** it. */
CASE(a_transaction_lost_in_the_run) {
  struct counted counted;
  sqlite3 *db = open_filled(5);
  watch(db, &counted);
  add_function(db, "tick", 1, FIT, &counted);
  counted.fails_with = SQLITE_FULL;
  must_exec(db, "BEGIN; INSERT INTO l VALUES(7, 'gone')");
  assert_fails(db, "SELECT tick(l.n) FROM l" LEFT_JOIN, SQLITE_ERROR,
               "the transaction was rolled back: database or disk is full");
  assert_int_equal(sqlite3_get_autocommit(db), 1);
  /* With none open, the run alone fails. */
  assert_rows(db, "SELECT tick(l.n) FROM l" LEFT_JOIN, FIVE);
  close_ok(db);
}

/* --- parameters ------------------------------------------------------------------- */

static void bind_all(sqlite3_stmt *stmt) {
  (void)sqlite3_bind_text(stmt, 1, "APP", -1, SQLITE_TRANSIENT);
  (void)sqlite3_bind_int(stmt, 2, -40);
  (void)sqlite3_bind_double(stmt, 3, 0.1 + 0.2);
  (void)sqlite3_bind_blob(stmt, 4, "\0\1\2", 3, SQLITE_TRANSIENT);
  (void)sqlite3_bind_null(stmt, 5);
  (void)sqlite3_bind_text(stmt, 6, "a\0'b", 4, SQLITE_STATIC);
  (void)sqlite3_bind_int64(stmt, 7, INT64_MIN);
  (void)sqlite3_bind_blob(stmt, 8, "", 0, SQLITE_STATIC);
  (void)sqlite3_bind_pointer(stmt, 9, stmt, "stmt", NULL);
  /* 10 is not bound */
}

/* Of any type, they count in the run, and are what they were after it. */
CASE(parameters_of_every_type) {
  static const char sql[] =
      "SELECT l.n, 10 - ?2, ?3 = 0.1 + 0.2, hex(?4), ?5, hex(?6), ?7, hex(?8),"
      " ?9, ?10 FROM l JOIN rtk_livestream_session('ACCOUNT', ?1, l.s) AS s"
      " WHERE l.n < 10 - ?2 AND ?3 > 0.2 AND ?4 IS x'000102' AND ?8 IS x'' AND"
      " ?5 IS NULL AND length(?6) = 1 AND ?7 < 0 AND ?9 IS NULL AND ?10 IS "
      "NULL";
  static const char values[] = "50|1|000102|NULL|61002762|-9223372036854775808|"
                               "|NULL|NULL";
  sqlite3 *db = open_filled(12);
  sqlite3_stmt *stmt = prepared(db, sql);
  bind_all(stmt);
  char *before = sqlite3_expanded_sql(stmt);
  for (int round = 0; round < 2; round++) {
    for (int n = 1; n <= 12; n++) {
      assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
      sqlite3_str *row = sqlite3_str_new(NULL);
      for (int c = 1; c < sqlite3_column_count(stmt); c++) {
        const char *text = (const char *)sqlite3_column_text(stmt, c);
        sqlite3_str_appendf(row, c == 1 ? "%s" : "|%s", text ? text : "NULL");
      }
      char *got = sqlite3_str_finish(row);
      assert_int_equal(sqlite3_column_int(stmt, 0), n);
      assert_string_equal(got, values);
      sqlite3_free(got);
    }
    assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
    char *after = sqlite3_expanded_sql(stmt);
    assert_string_equal(after, before);
    sqlite3_free(after);
    (void)sqlite3_reset(stmt);
    if (round == 0) {
      assert_read_ahead(db, "on: 11 ids");
      fill(db, 12);
    }
  }
  assert_read_ahead(db, "on: 11 ids");
  assert_int_equal(requests_of(db), 24);
  sqlite3_free(before);
  (void)sqlite3_finalize(stmt);
  close_ok(db);
}

/* The LIMIT of the statement ends it, and no LIMIT the collecting run. */
CASE(an_endless_recursion_is_bounded) {
  sqlite3 *db = open_filled(5);
  must_exec(db, "CREATE TABLE w(n)");
  assert_rows(db,
              "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c)"
              " SELECT l.n FROM c CROSS JOIN l ON l.n = c.i CROSS" JOIN
              " LIMIT 5",
              FIVE);
  assert_read_ahead(db, "on: 4 ids");
  fill(db, 5);
  must_exec(
      db,
      "INSERT INTO w WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT"
      " i + 1 FROM c) SELECT l.n FROM c CROSS JOIN l ON l.n = c.i CROSS" JOIN
      " WHERE true LIMIT 5");
  assert_rows(db, "SELECT n FROM w", FIVE);
  assert_read_ahead(db, "on: 4 ids");
  close_ok(db);
}

/* They keep their indices in the SELECT that is taken out of the statement, which
** may lack the last of them. */
CASE(parameters_of_a_statement_that_writes) {
  static const struct {
    const char *sql, *written;
  } cases[] = {
      {"INSERT INTO w SELECT l.n, ?1 FROM l" JOIN " WHERE l.n < ? AND l.s <>"
       " :none",
       "1|a\n2|a\n3|a\n4|a\n5|a\n"},
      {"WITH c AS (SELECT ?3 AS none) INSERT INTO w SELECT l.n, ?1 FROM c, "
       "l" JOIN " WHERE l.n < ?2 AND l.s <> c.none",
       "1|a\n2|a\n3|a\n4|a\n5|a\n"},
      {"INSERT INTO w SELECT l.n, ? FROM l" JOIN " WHERE l.n < ? ON CONFLICT"
       " DO UPDATE SET v = ?",
       "1|a\n2|a\n3|a\n4|a\n5|a\n"},
      {"INSERT INTO w SELECT l.n, ? FROM l" JOIN " WHERE l.n < ? RETURNING ?",
       "1|a\n2|a\n3|a\n4|a\n5|a\n"},
      {"UPDATE w SET v = ? || (s.id IS NOT NULL) FROM l" JOIN
       " WHERE l.n = w.n AND l.n < ?"
       " AND l.s <> ?",
       "1|a1\n2|a1\n3|a1\n4|a1\n5|a1\n6|b\n"},
      {"DELETE FROM w WHERE v <> ? AND n < ? AND EXISTS (SELECT 1 FROM l" JOIN
       " WHERE l.n = w.n AND l.s <> ?)",
       "6|b\n"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    sqlite3 *db = open_filled(6);
    must_exec(db, "CREATE TABLE w(n, v)");
    if (strstr(cases[i].sql, "INSERT") == NULL) {
      must_exec(db, "INSERT INTO w SELECT n, 'b' FROM l");
    }
    sqlite3_stmt *stmt = prepared(db, cases[i].sql);
    (void)sqlite3_bind_text(stmt, 1, "a", 1, SQLITE_STATIC);
    (void)sqlite3_bind_int(stmt, 2, 6);
    (void)sqlite3_bind_text(stmt, 3, "", 0, SQLITE_STATIC);
    while (sqlite3_step(stmt) == SQLITE_ROW) continue;
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    assert_rows(db, "SELECT * FROM w", cases[i].written);
    assert_read_ahead(db, "on: 4 ids");
    close_ok(db);
  }
}

#define UNREADABLE                                                             \
  "off: a parameter is too long to be read, infinite or a zeroblob"

CASE(a_parameter_that_cannot_be_read) {
  sqlite3 *db = open_filled(5);
  for (int kind = 0; kind < 3; kind++) {
    sqlite3_stmt *stmt = prepared(db, "SELECT l.n FROM l" JOIN
                                      " WHERE l.n < ?1 OR ?1 = x'000000'");
    (void)(kind == 0   ? sqlite3_bind_double(stmt, 1, HUGE_VAL)
           : kind == 1 ? sqlite3_bind_zeroblob(stmt, 1, 3)
                       : sqlite3_bind_int(stmt, 1, 9));
    fill(db, 5);
    assert_steps(stmt, 5);
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    assert_read_ahead(db, kind < 2 ? UNREADABLE : "on: 4 ids");
  }
  close_ok(db);
}

CASE(a_huge_parameter_is_not_copied) {
  enum { size = 20000000 };
  sqlite3 *db = open_filled(5);
  char *huge = calloc(1, size);
  assert_non_null(huge);
  memset(huge, 'x', size);
  sqlite3_stmt *stmt =
      prepared(db, "SELECT l.n, ?1 FROM l" JOIN " WHERE length(?1) > 0");
  assert_int_equal(sqlite3_bind_blob(stmt, 1, huge, size, SQLITE_STATIC),
                   SQLITE_OK);
  (void)sqlite3_memory_highwater(1);
  for (int n = 1; n <= 5; n++) {
    assert_step(stmt, n);
    assert_int_equal(sqlite3_column_bytes(stmt, 1), size);
    assert_ptr_equal(sqlite3_column_blob(stmt, 1), huge);
  }
  assert_true(sqlite3_memory_highwater(0) < size / 2);
  assert_int_equal(sqlite3_limit(db, SQLITE_LIMIT_LENGTH, -1), 1000000000);
  (void)sqlite3_finalize(stmt);
  assert_read_ahead(db, UNREADABLE);
  free(huge);
  close_ok(db);
}

/* SQLite prepares the second statement again for its values.  The statement that
** runs must not be taken for out of date: it would fail where it opens a table. */
CASE(a_plan_may_depend_on_a_parameter) {
  sqlite3 *db = open_filled(5);
  must_exec(db, "CREATE TABLE o(n); INSERT INTO o SELECT n FROM l");
  sqlite3_stmt *stmt =
      prepared(db, "SELECT (SELECT n FROM o WHERE o.n = l.n) FROM l" JOIN
                   " WHERE l.s LIKE ?1");
  (void)sqlite3_bind_text(stmt, 1, "s%", -1, SQLITE_STATIC);
  assert_steps(stmt, 5);
  (void)sqlite3_finalize(stmt);
  assert_read_ahead(db, "on: 4 ids");
  close_ok(db);
}

/* A plan of the part that is left out of the run: RETURNING. */
CASE(a_plan_may_depend_on_a_parameter_behind_the_select) {
  sqlite3 *db = open_filled(5);
  must_exec(db, "CREATE TABLE w(n, v); CREATE TABLE o(n COLLATE NOCASE);"
                "CREATE INDEX i ON o(n); INSERT INTO o VALUES ('abcd')");
  sqlite3_stmt *stmt =
      prepared(db, "INSERT INTO w SELECT l.n, ?1 FROM l" JOIN " WHERE true"
                   " RETURNING (SELECT count(*) FROM o WHERE n LIKE ?1)");
  (void)sqlite3_bind_text(stmt, 1, "abc%", -1, SQLITE_STATIC);
  for (int n = 1; n <= 5; n++) assert_step(stmt, 1);
  assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
  (void)sqlite3_finalize(stmt);
  assert_read_ahead(db, "on: 4 ids");
  close_ok(db);
}

/* --- how much ----------------------------------------------------------------------- */

/* A LIMIT wastes three times what it used at the most. */
static const struct {
  const char *name, *sql;
  int rows, most;
  const char *words; /* or NULL */
} limited[] = {
    {"LIMIT", "SELECT count(*) FROM (SELECT 1 FROM l" JOIN " LIMIT 10)", 10, 40,
     "on: 9 ids"},
    {"LIMIT with a filter",
     "SELECT count(*) FROM (SELECT 1 FROM l" JOIN
     " WHERE s.viewer_seconds > 0 LIMIT 10)",
     10, 40, NULL},
    {"LIMIT 1", "SELECT count(*) FROM (SELECT 1 FROM l" JOIN " LIMIT 1)", 1, 1,
     NULL},
    {"LIMIT 2", "SELECT count(*) FROM (SELECT 1 FROM l" JOIN " LIMIT 2)", 2, 5,
     "on: 1 ids"},
    {"EXISTS",
     "SELECT EXISTS (SELECT 1 FROM l" JOIN " WHERE s.viewer_seconds > 0)", 1, 4,
     NULL},
    {"sample",
     "SELECT count(*) FROM (SELECT 1 FROM (SELECT * FROM l ORDER BY random()"
     " LIMIT 50) AS l" JOIN ")",
     50, 60, NULL},
};

static void is_within(void **state) {
  size_t i = (size_t)(uintptr_t)*state;
  char rows[16];
  sqlite3 *db = open_free();
  must_exec(db, "CREATE TABLE l(n, s);"
                "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c"
                " WHERE i < 10000) INSERT INTO l SELECT i, 's'||i FROM c");
  sqlite3_snprintf((int)sizeof(rows), rows, "%d\n", limited[i].rows);
  assert_rows(db, limited[i].sql, rows);
  assert_in_range(requests_of(db), limited[i].rows, limited[i].most);
  if (limited[i].words != NULL) assert_read_ahead(db, limited[i].words);
  close_ok(db);
}

/* The real rows end the loops within theirs at once, but a row without data would
** go through all of 10,000,000,000. */
CASE(a_run_that_is_not_worth_it_ends) {
  sqlite3 *db = open_filled(5);
  must_exec(db, "CREATE TABLE b(x);"
                "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c"
                " WHERE i < 100000) INSERT INTO b SELECT 0 FROM c");
  assert_rows(
      db,
      "SELECT l.n FROM l" JOIN " WHERE EXISTS (SELECT 1 FROM b CROSS"
      " JOIN b AS c WHERE ifnull(s.viewer_seconds, -1) + b.x + c.x > 0)",
      FIVE);
  assert_rows(db,
              "SELECT value LIKE 'on: 1 ids collected in % ms, % others one"
              " after another' FROM rtk_stats WHERE name = 'read_ahead'",
              "1\n");
  close_ok(db);
}

/* An account for each id, all in one order. */
CASE(many_accounts_in_one_join) {
  sqlite3 *db = open_filled(40);
  assert_rows(db,
              "SELECT count(*), sum(l.n), count(DISTINCT s.account) FROM l JOIN"
              " rtk_livestream_session('acc-' || l.n, 'APP', l.s) AS s",
              "40|820|40\n");
  assert_int_equal(requests_of(db), 40);
  assert_read_ahead(db, "on: 39 ids");
  close_ok(db);
}

/* The same text, if one wrote account and app one behind the other. */
CASE(accounts_and_apps_are_told_apart) {
  sqlite3 *db = open_filled(6);
  assert_rows(db,
              "SELECT count(s.id) FROM (SELECT 'acc' AS a, 'appapp1' AS p UNION"
              " ALL SELECT 'accapp', 'app1') AS f CROSS JOIN l CROSS JOIN"
              " rtk_livestream_session(f.a, f.p, l.s) AS s",
              "12\n");
  assert_int_equal(requests("/acc/realtime/kit/appapp1/"), 6);
  assert_int_equal(requests("/accapp/realtime/kit/app1/"), 6);
  close_ok(db);
}

/* --- chains ------------------------------------------------------------------------- */

/* The lists have two pages; each livestream has its own list of sessions. */
CASE(a_list_and_then_each_ones_list) {
  sqlite3 *db = open_free();
  char *alone = one(db, "SELECT count(*), count(DISTINCT x.id) FROM"
                        " rtk_livestream_sessions('ACCOUNT', 'APP') AS x WHERE"
                        " x.for_livestream_id IN (SELECT id FROM"
                        " rtk_livestreams('ACCOUNT', 'APP'))");
  close_ok(db);
  db = open_free();
  int before = requests("/livestreams");
  assert_rows(db,
              "SELECT count(*), count(DISTINCT x.id) FROM"
              " rtk_livestreams('ACCOUNT', 'APP') AS l JOIN"
              " rtk_livestream_sessions('ACCOUNT', 'APP', l.id) AS x",
              alone);
  assert_int_equal(requests("/livestreams") - before, requests_of(db));
  assert_in_range(requests_of(db), 152, 154); /* 2 or 3 pages, then 150 */
  assert_read_ahead(db, "on: 149 ids");
  sqlite3_free(alone);
  close_ok(db);
}

/* The ids of the second table are known when the first one's rows are. */
CASE(tables_behind_one_another) {
  sqlite3 *db = open_filled(8);
  must_exec(db, "CREATE TABLE next(s, t);"
                "INSERT INTO next SELECT s, 's' || (15000 + n) FROM l");
  assert_rows(db,
              "SELECT count(*), count(t.viewer_seconds) FROM l" JOIN
              " JOIN next ON next.s = s.id JOIN " SESSION ", next.t) AS t",
              "8|8\n");
  assert_int_equal(requests_of(db), 16);
  close_ok(db);
}

/* Tables with the same account and app. */
CASE(two_tables) {
  sqlite3 *db = open_filled(8);
  assert_rows(db,
              "SELECT count(s.id), count(v.name) FROM l" JOIN
              " JOIN rtk_livestream('ACCOUNT', 'APP', s.livestream_id) AS v",
              "8|8\n");
  close_ok(db);
}

CASE(two_cursors_of_one_table) {
  sqlite3 *db = open_filled(30);
  assert_rows(db,
              "SELECT count(*), sum(a.id = l.s), sum(b.id = m.s) FROM l JOIN"
              " l AS m ON m.n = 31 - l.n JOIN " SESSION
              ", l.s) AS a JOIN " SESSION ", m.s) AS b",
              "30|30|30\n");
  assert_int_equal(requests_of(db), 30);
  close_ok(db);
}

/* --- errors -------------------------------------------------------------------------- */

/* The third of five fails. */
static const struct {
  const char *name;
  const char *id;
  const char *part;
} failing[] = {
    {"HTTP 500", "x:status=500,should_retry=false", "HTTP 500"},
    {"HTTP 400", "x:status=400", "HTTP 400"},
    {"no reply", "x:reset=1", "no reply"},
    {"not JSON", "x:body=notjson", "not JSON"},
    {"HTTP 403", "x:status=403", "HTTP 403"},
};

/* Which rows come before it fails. */
static void assert_until(sqlite3 *db, const char *sql, int code, int at_least) {
  sqlite3_stmt *stmt = prepared(db, sql);
  int rc = SQLITE_ROW;
  int count = 0;
  while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    assert_int_equal(sqlite3_column_int(stmt, 0), ++count);
  }
  (void)sqlite3_finalize(stmt);
  assert_int_equal(rc, code);
  assert_in_range(count, at_least, 2);
}

static void fails_in_its_turn(void **state) {
  size_t i = (size_t)(uintptr_t)*state;
  bool is_denied = strcmp(failing[i].part, "HTTP 403") == 0;
  sqlite3 *db = open_filled(5);
  char *sql = sqlite3_mprintf("UPDATE l SET s = %Q WHERE n = 3", failing[i].id);
  must_exec(db, sql);
  /* What is refused to one id is refused to the rest: the limit may be met
  ** sooner, but never by a wrong row. */
  if (!is_denied) {
    assert_until(db, "SELECT l.n FROM l" JOIN " LIMIT 2", SQLITE_DONE, 2);
    fill(db, 5);
    must_exec(db, sql);
  }
  sqlite3_free(sql);
  assert_until(db, "SELECT l.n FROM l" JOIN, SQLITE_ERROR, is_denied ? 1 : 2);
  if (!is_denied) assert_read_ahead(db, "on: 4 ids, 2 of them used");
  must_exec(db, "SELECT rtk_config('on_error', 'row')");
  if (!is_denied) {
    assert_rows(db, "SELECT l.n, s.error IS NOT NULL FROM l" JOIN,
                "1|0\n2|0\n3|1\n4|0\n5|0\n");
  } else {
    assert_rows(db, "SELECT count(*) FROM l" JOIN, "5\n");
  }
  close_ok(db);
}

CASE(a_rejected_token_ends_it) {
  sqlite3 *db = open_filled(50);
  must_exec(db, "SELECT rtk_config('api_token', 'wrong-token-0123456789-abcdef"
                "ghijklmnop')");
  assert_fails(db, "SELECT l.n FROM l" JOIN, SQLITE_ERROR, "HTTP 401");
  assert_int_equal(requests_of(db), 1);
  must_exec(db, "SELECT rtk_config('on_error', 'row')");
  assert_fails(db, "SELECT l.n FROM l" LEFT_JOIN, SQLITE_ERROR, "HTTP 401");
  assert_int_equal(requests_of(db), 2);
  close_ok(db);
}

CASE(a_denied_app_is_asked_once) {
  sqlite3 *db = open_filled(50);
  must_exec(db, "SELECT rtk_config('on_error', 'row')");
  assert_rows(db,
              "SELECT count(*), count(s.error) FROM l JOIN"
              " rtk_livestream_session('ACCOUNT', 'app-denied', l.s) AS s",
              "50|50\n");
  assert_int_equal(requests_of(db), 1);
  close_ok(db);
}

/* --- main ------------------------------------------------------------------------------ */

#define CASES_OF(table, function)                                              \
  for (size_t i = 0; i < ROWS_OF(table); i++) {                                \
    add_case((table)[i].name, function, (void *)(uintptr_t)i);                 \
  }

int main(void) {
  CASES_OF(taken, is_taken)
  CASES_OF(written, is_written)
  CASES_OF(listed, is_listed)
  CASES_OF(refused, is_refused)
  CASES_OF(interrupts, is_interrupted)
  CASES_OF(limited, is_within)
  CASES_OF(failing, fails_in_its_turn)
  /* Else EXPLAIN of older versions happens to show long names whole. */
  if (sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) != SQLITE_OK) return 1;
  return RUN_CASES(NULL, NULL);
}
