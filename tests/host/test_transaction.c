/*
** A failure of the network never takes the host's transaction with it: what
** was written before is still there, and the transaction is still open.
*/
#include "host.h"

struct failure {
  const char *name;
  const char *setting; /* SQL before it, or NULL */
  const char *id;
  int code;
  const char *part;         /* of the message */
  const char *interrupt_at; /* interrupt when this is logged, or NULL */
};

static const struct failure failures[] = {
    {"HTTP 500", NULL, "x:status=500,should_retry=false", SQLITE_ERROR,
     "HTTP 500", NULL},
    {"reset", "SELECT rtk_config('max_retries', 0)", "x:reset=1", SQLITE_ERROR,
     "no reply", NULL},
    {"half a body", "SELECT rtk_config('max_retries', 0)", "x:truncate=1",
     SQLITE_ERROR, "check the network", NULL},
    {"not JSON", NULL, "x:body=notjson", SQLITE_ERROR, "not JSON", NULL},
    {"too large", "SELECT rtk_config('max_response_bytes', 1000)",
     "x:huge=5000", SQLITE_ERROR, "max_response_bytes", NULL},
    {"HTTP 401",
     "SELECT rtk_config('api_token', "
     "'0123456789012345678901234567890123456789')",
     "s1", SQLITE_ERROR, "HTTP 401", NULL},
    {"HTTP 403", NULL, "x:status=403", SQLITE_ERROR, "HTTP 403", NULL},
    {"429, longer than max_wait_ms", "SELECT rtk_config('max_wait_ms', 50)",
     "x:status=429,retry_after_ms=300", SQLITE_ERROR, "HTTP 429", NULL},
    {"time-out",
     "SELECT rtk_config('timeout_ms', 150), rtk_config('max_retries', 0)",
     "x:delay=" NEVER_MS, SQLITE_ERROR, "timeout_ms", NULL},
    {"nobody listens",
     "SELECT rtk_config('base_url', 'http://127.0.0.1:1'),"
     " rtk_config('api_token', 'some'), rtk_config('max_retries', 0)",
     "s1", SQLITE_ERROR, "no reply", NULL},
    {"no token", "SELECT rtk_config('base_url', 'https://example.invalid')",
     "s1", SQLITE_ERROR, "base_url was set in SQL", NULL},
    {"no argument", NULL, NULL, SQLITE_ERROR, "no usable session_id", NULL},
    {"interrupt", NULL, "x:delay=" NEVER_MS, SQLITE_INTERRUPT, "interrupted",
     "delay%3D" NEVER_MS},
};

struct interrupter {
  sqlite3 *db;
  const char *logged;
  int count;
};

static void *interrupt(void *user) {
  const struct interrupter *one = user;
  (void)wait_requests(one->logged, one->count);
  sqlite3_interrupt(one->db);
  return NULL;
}

/* In an open transaction with one row written, a SELECT fails. */
static void is_survived(void **state) {
  const struct failure *failure = *state;
  sqlite3 *db = open_loaded();
  pthread_t thread;
  struct interrupter interrupter = {.db = db, .logged = failure->interrupt_at};
  must_exec(db, "CREATE TABLE local(n)");
  if (failure->setting != NULL) must_exec(db, failure->setting);
  char *sql =
      failure->id == NULL
          ? sqlite3_mprintf("SELECT id FROM " SESSION ")")
          : sqlite3_mprintf("SELECT l.n, s.id FROM local AS l JOIN " SESSION
                            ", %Q) AS s",
                            failure->id);
  must_exec(db, "BEGIN; INSERT INTO local VALUES(1);"
                "SAVEPOINT inner; INSERT INTO local VALUES(2)");
  if (failure->interrupt_at != NULL) {
    interrupter.count = requests(interrupter.logged) + 1;
    assert_int_equal(pthread_create(&thread, NULL, interrupt, &interrupter), 0);
  }
  assert_fails(db, sql, failure->code, failure->part);
  if (failure->interrupt_at != NULL) (void)pthread_join(thread, NULL);
  assert_int_equal(sqlite3_get_autocommit(db), 0);
  assert_rows(db, "SELECT n FROM local", "1\n2\n");
  must_exec(db, "ROLLBACK TO inner; COMMIT");
  assert_rows(db, "SELECT n FROM local", "1\n");
  sqlite3_free(sql);
  close_ok(db);
}

/* INSERT … SELECT fails at the second id, having written the first one's row:
** that row is gone again, and nothing else is. */
CASE(takes_back_its_own_statement_only) {
  static const char *const statements[] = {
      "INSERT INTO local SELECT session_id FROM " SESSION
      ") WHERE session_id IN ('echo:a', 'x:status=500,should_retry=false')",
      "INSERT INTO local SELECT s.session_id FROM (SELECT 'echo:a' AS i"
      " UNION ALL SELECT 'x:status=500,should_retry=false') AS l JOIN " SESSION
      ", l.i) AS s",
      "UPDATE local SET n = (SELECT session_id FROM " SESSION
      ", 'x:body=html,code='||n))",
      "DELETE FROM local WHERE n IN (SELECT 1 UNION ALL SELECT session_id"
      " FROM " SESSION ", 'x:status=500,should_retry=false'))",
  };
  for (size_t i = 0; i < ROWS_OF(statements); i++) {
    sqlite3 *db = open_loaded();
    must_exec(db, "CREATE TABLE local(n UNIQUE)");
    must_exec(db, "BEGIN; INSERT INTO local VALUES(1), (2)");
    assert_fails(db, statements[i], SQLITE_ERROR, "rtk_livestream_session");
    assert_int_equal(sqlite3_get_autocommit(db), 0);
    assert_rows(db, "SELECT n FROM local", "1\n2\n");
    must_exec(db, "COMMIT");
    assert_rows(db, "SELECT n FROM local", "1\n2\n");
    close_ok(db);
  }
}

/* A write that fails outside a transaction leaves nothing behind, and no
** transaction open. */
CASE(leaves_no_transaction_open) {
  sqlite3 *db = open_loaded();
  must_exec(db, "CREATE TABLE local(n)");
  assert_fails(db,
               "INSERT INTO local SELECT session_id FROM " SESSION
               ") WHERE session_id IN ('echo:a',"
               " 'x:status=500,should_retry=false')",
               SQLITE_ERROR, "HTTP 500");
  assert_int_equal(sqlite3_get_autocommit(db), 1);
  assert_rows(db, "SELECT count(*) FROM local", "0\n");
  assert_fails(db,
               "CREATE TABLE made AS SELECT session_id FROM " SESSION
               ") WHERE session_id IN ('echo:a',"
               " 'x:status=500,should_retry=false')",
               SQLITE_ERROR, "HTTP 500");
  assert_rows(db, "SELECT count(*) FROM sqlite_master WHERE name = 'made'",
              "0\n");
  close_ok(db);
}

int main(void) {
  for (size_t i = 0; i < ROWS_OF(failures); i++) {
    add_case(failures[i].name, is_survived, &failures[i]);
  }
  return RUN_CASES(NULL, NULL);
}
