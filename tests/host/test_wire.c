/*
** What goes over the wire while statements are opened, read, left and mixed:
** which requests, how often, over how many connections.
*/
#include "host.h"

#include <poll.h>
#include <unistd.h>

static void assert_next(sqlite3_stmt *stmt, const char *first_column) {
  int rc = sqlite3_step(stmt);
  if (rc != SQLITE_ROW) {
    fail_msg("%s: %d, %s", sqlite3_sql(stmt), rc,
             sqlite3_errmsg(sqlite3_db_handle(stmt)));
  }
  assert_string_equal((const char *)sqlite3_column_text(stmt, 0), first_column);
}

static void assert_end(sqlite3_stmt *stmt) {
  assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
}

/* The number of the connection of the last request whose line holds `part`. */
static int connection_of(const char *part) {
  FILE *log = fopen(need_env("API_LOG"), "r");
  char line[8192];
  int connection = -1;
  assert_non_null(log);
  while (fgets(line, (int)sizeof(line), log) != NULL) {
    const char *at = strstr(line, " conn=");
    if (at != NULL && strstr(line, part) != NULL) connection = atoi(at + 6);
  }
  (void)fclose(log);
  return connection;
}

/* --- connections ------------------------------------------------------------ */

CASE(look_ups_share_a_connection) {
  sqlite3 *db = open_loaded();
  must_exec(db, "SELECT rtk_config('read_ahead', 'off')");
  assert_rows(db, "SELECT id FROM " SESSION ", 'echo:keep0')", "echo:keep0\n");
  int connection = connection_of("keep0 ");
  assert_true(connection > 0);
  assert_rows(db,
              "SELECT s.id FROM (VALUES('echo:keep1'), ('echo:keep2'),"
              " ('echo:keep3')) AS l JOIN " SESSION ", l.column1) AS s",
              "echo:keep1\necho:keep2\necho:keep3\n");
  /* Another statement, after an error, and after a 404, as well. */
  assert_fails(db, "SELECT id FROM " SESSION ", 'x:status=400,code=1')",
               SQLITE_ERROR, "HTTP 400");
  assert_rows(db, "SELECT id FROM " SESSION ", 'gone')", "");
  assert_rows(db, "SELECT id FROM " SESSION ", 'echo:keep4')", "echo:keep4\n");
  static const char *const parts[] = {"keep1 ", "keep2 ", "keep3 ", "keep4 "};
  for (size_t i = 0; i < ROWS_OF(parts); i++) {
    assert_int_equal(connection_of(parts[i]), connection);
  }
  close_ok(db);
}

/* No reply comes before all are asked for, and the first one's connection is new:
** the others do not wait for it. */
CASE(a_slow_reply_stalls_no_other) {
  skip_where_in_is_no_batch();
  sqlite3 *db = open_loaded();
  struct gate gate = {"gate", "hold%3D", 3};
  pthread_t thread;
  char *sql = sqlite3_mprintf("SELECT count(*) FROM " SESSION
                              ") WHERE session_id IN ('x:hold=%q/gate',"
                              " 'x:hold=%q/gate,n=1', 'x:hold=%q/gate,n=2')",
                              here(), here(), here());
  assert_int_equal(pthread_create(&thread, NULL, open_gate, &gate), 0);
  assert_rows(db, sql, "3\n");
  (void)pthread_join(thread, NULL);
  sqlite3_free(sql);
  close_ok(db);
}

CASE(a_batch_opens_16_connections_at_most) {
  sqlite3 *db = open_loaded();
  assert_rows(db,
              "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c"
              " WHERE i < 64) SELECT count(*) FROM " SESSION
              ") WHERE session_id IN (SELECT 'x:delay=20,code='||i FROM c)",
              "64\n");
  bool seen[10000] = {false};
  int connections = 0;
  for (int i = 1; i <= 64; i++) {
    char part[64];
    sqlite3_snprintf((int)sizeof(part), part, "delay%%3D20%%2Ccode%%3D%d ", i);
    assert_int_equal(requests(part), 1);
    int connection = connection_of(part);
    assert_in_range(connection, 1, ROWS_OF(seen) - 1);
    connections += !seen[connection];
    seen[connection] = true;
  }
  assert_in_range(connections, 1, 16);
  close_ok(db);
}

/* --- statements that end early ------------------------------------------------- */

/* With 4 at a time and all but the first id slow, at most 3 of the others are
** asked for before the first has been read, and one more after. */
CASE(limit_asks_for_no_more) {
  static const struct {
    const char *limit; /* else the statement is reset */
    int delay;         /* sets its requests apart in the log */
  } ways[] = {{" LIMIT 1", 3599998}, {"", 3599999}};
  for (size_t i = 0; i < ROWS_OF(ways); i++) {
    sqlite3 *db = open_loaded();
    must_exec(db, "SELECT rtk_config('concurrency', 4)");
    char *sql = sqlite3_mprintf(
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c"
        " WHERE i < 50) SELECT id FROM " SESSION ") WHERE session_id IN"
        " (SELECT 'x:delay=%d,code='||i FROM c UNION ALL"
        " SELECT 'echo:first')%s",
        ways[i].delay, ways[i].limit);
    sqlite3_stmt *stmt = prepared(db, sql);
    assert_next(stmt, "echo:first");
    if (ways[i].limit[0] == '\0') {
      assert_int_equal(sqlite3_reset(stmt), SQLITE_OK);
    } else {
      assert_end(stmt);
    }
    char *part = sqlite3_mprintf("delay%%3D%d", ways[i].delay);
    /* What is said afterwards is said after all that was sent. */
    assert_rows(db, "SELECT id FROM " SESSION ", 'x:delay=50')",
                "x:delay=50\n");
    assert_in_range(requests(part), 0, 4);
    sqlite3_free(part);
    sqlite3_free(sql);
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    close_ok(db);
  }
}

/* Requests under way are let go with their statement, and the next one neither
** waits for them nor takes their replies for its own. */
CASE(reset_lets_go_of_what_is_under_way) {
  sqlite3 *db = open_loaded();
  sqlite3_stmt *stmt = prepared(
      db, "SELECT session_id FROM " SESSION ") WHERE session_id IN"
          " ('s1', 'x:delay=" NEVER_MS ",n=1', 'x:delay=" NEVER_MS ",n=2')");
  assert_next(stmt, "s1");
  assert_int_equal(sqlite3_reset(stmt), SQLITE_OK);
  assert_rows(db, "SELECT session_id FROM " SESSION ", 's2')", "s2\n");
  assert_next(stmt, "s1"); /* the same statement starts again */
  assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
  close_ok(db);
}

/* --- several statements at once ------------------------------------------------- */

CASE(two_statements_in_turns) {
  sqlite3 *db = open_loaded();
  sqlite3_stmt *one =
      prepared(db, "SELECT id FROM " SESSION ") WHERE session_id IN"
                   " ('echo:turn1', 'echo:turn2', 'echo:turn3', 'echo:turn4')");
  sqlite3_stmt *two =
      prepared(db, "SELECT s.id FROM (VALUES('echo:turn3'), ('echo:turn5'),"
                   " ('echo:turn1')) AS l JOIN " SESSION ", l.column1) AS s");
  assert_next(one, "echo:turn1");
  assert_next(two, "echo:turn3");
  assert_next(one, "echo:turn2");
  assert_next(one, "echo:turn3");
  assert_next(two, "echo:turn5");
  assert_next(two, "echo:turn1");
  assert_end(two);
  assert_next(one, "echo:turn4");
  assert_end(one);
  assert_int_equal(sqlite3_finalize(one), SQLITE_OK);
  assert_int_equal(sqlite3_finalize(two), SQLITE_OK);
  /* Both were open at once: turn3, which one had not delivered, is shared. */
  assert_int_equal(requests("turn3 "), 1);
  assert_int_equal(requests("turn5 "), 1);
  close_ok(db);
}

/* One statement fails, the other one goes on. */
CASE(a_failure_is_of_its_statement) {
  sqlite3 *db = open_loaded();
  sqlite3_stmt *one =
      prepared(db, "SELECT id FROM " SESSION ") WHERE session_id IN"
                   " ('echo:own1', 'echo:own2', 'x:delay=100,n=9')");
  assert_next(one, "echo:own1");
  assert_fails(db, "SELECT id FROM " SESSION ", 'x:status=400,code=2')",
               SQLITE_ERROR, "HTTP 400");
  assert_fails(db,
               "SELECT id FROM rtk_livestream_session('ACCOUNT', 'app-denied',"
               " 's1')",
               SQLITE_ERROR, "HTTP 403");
  assert_next(one, "echo:own2");
  assert_next(one, "x:delay=100,n=9");
  assert_end(one);
  assert_int_equal(sqlite3_finalize(one), SQLITE_OK);
  close_ok(db);
}

/* Two tables of one statement, one id: one request, be it a row or none. */
CASE(a_statement_asks_once) {
  sqlite3 *db = open_loaded();
  assert_rows(db,
              "SELECT a.id, b.id, c.id FROM (VALUES('echo:once'),"
              " ('echo:once')) AS l JOIN " SESSION ", l.column1) AS a"
              " LEFT JOIN " SESSION ", l.column1) AS b"
              " LEFT JOIN " SESSION ", 'gone-once') AS c",
              "echo:once|echo:once|NULL\necho:once|echo:once|NULL\n");
  assert_int_equal(requests("echo%3Aonce "), 1);
  assert_int_equal(requests("gone-once "), 1);
  /* The next statement asks anew, or from a cache that is still fresh. */
  assert_rows(db, "SELECT id FROM " SESSION ", 'echo:once')", "echo:once\n");
  assert_in_range(requests("echo%3Aonce "), 1, 2);
  close_ok(db);
}

/* --- settings that change while a statement is open ------------------------------- */

/* In the middle of a batch that is not over, requests of it still to come, a
** setting names somebody else's address.  Nothing goes there. */
CASE(the_token_does_not_follow) {
  static const struct {
    const char *setting; /* printf format with the port */
    const char *rest;    /* of the batch, after 's1' */
  } cases[] = {
      {"SELECT rtk_config('base_url', 'http://127.0.0.1:%d')",
       "'s2', 's3', 's4'"},
      {"SELECT rtk_config('proxy', 'http://127.0.0.1:%d')", "'s2', 's3', 's4'"},
      {"SELECT rtk_config('base_url', 'http://127.0.0.1:%d')",
       "'x:status=503,times=1,retry_after_ms=100,code=1'"},
      {"SELECT rtk_config('proxy', 'http://127.0.0.1:%d')",
       "'x:status=503,times=1,retry_after_ms=100,code=2'"},
  };
  for (size_t i = 0; i < ROWS_OF(cases); i++) {
    struct sockaddr_in address;
    int s = listen_anywhere(8, &address);
    sqlite3 *db = open_loaded();
    if (i < 2) must_exec(db, "SELECT rtk_config('concurrency', 1)");
    char *sql = sqlite3_mprintf("SELECT session_id FROM " SESSION
                                ") WHERE session_id IN ('s1', %s)",
                                cases[i].rest);
    char *setting = sqlite3_mprintf(cases[i].setting, ntohs(address.sin_port));
    sqlite3_stmt *stmt = prepared(db, sql);
    assert_next(stmt, "s1");
    must_exec(db, setting);
    int rc = sqlite3_step(stmt);
    while (rc == SQLITE_ROW) rc = sqlite3_step(stmt);
    if (rc != SQLITE_DONE) { /* what was under way may still come */
      assert_int_equal(rc, SQLITE_ERROR);
      assert_non_null(strstr(sqlite3_errmsg(db), "rtk_config()") != NULL
                          ? sqlite3_errmsg(db)
                          : strstr(sqlite3_errmsg(db), "set in SQL"));
    }
    (void)sqlite3_finalize(stmt);
    /* A new statement does not send it either, and says why. */
    assert_fails(db, "SELECT id FROM " SESSION ", 's5')", SQLITE_ERROR,
                 "was set in SQL, so the token from the environment is not"
                 " sent there");
    struct pollfd called = {.fd = s, .events = POLLIN};
    if (poll(&called, 1, 0) != 0) fail_msg("case %d: it was called", (int)i);
    (void)close(s);
    sqlite3_free(sql);
    sqlite3_free(setting);
    close_ok(db);
  }
}

/* With a token of its own, and nothing open, the new address is taken. */
CASE(a_new_address_with_its_own_token) {
  sqlite3 *db = open_loaded();
  assert_rows(db, "SELECT id FROM " SESSION ", 'echo:moved')", "echo:moved\n");
  char *sql = sqlite3_mprintf("SELECT rtk_config('base_url', %Q),"
                              " rtk_config('api_token', %Q)",
                              need_env("CLOUDFLARE_BASE_URL"),
                              need_env("CLOUDFLARE_API_TOKEN"));
  must_exec(db, sql);
  sqlite3_free(sql);
  assert_rows(db, "SELECT id FROM " SESSION ", 'echo:moved')", "echo:moved\n");
  close_ok(db);
}

int main(void) { return RUN_CASES(NULL, NULL); }
