/*
** A server with a quota: all connections and threads of one process together
** stay within it.
**
** api: --ratelimit 40,1
*/
#include "host.h"

enum { THREADS = 8, EACH = 20, ALONE = 60 };

/* The sessions FIRST to LAST in one batch: 1 when all are there and right. */
static const char batch[] =
    "WITH RECURSIVE c(i) AS (SELECT %d UNION ALL SELECT i + 1 FROM c"
    " WHERE i < %d) SELECT count(*) = %d AND sum(viewer_seconds) ="
    " (SELECT sum(i * CASE WHEN i %% 2 THEN 12.375 ELSE 12 END) FROM c)"
    " FROM " SESSION ") WHERE session_id IN (SELECT 's'||i FROM c)";

static sqlite3 *try_open(void) {
  sqlite3 *db = NULL;
  int rc = sqlite3_open(":memory:", &db);
  if (rc == SQLITE_OK) rc = sqlite3_enable_load_extension(db, 1);
  if (rc == SQLITE_OK) {
    rc = sqlite3_load_extension(db, need_env("RTK_SO"), NULL, NULL);
  }
  if (rc == SQLITE_OK) return db;
  (void)sqlite3_close(db);
  return NULL;
}

struct worker {
  pthread_t thread;
  int first; /* session */
  bool is_right;
};

static void *work(void *user) {
  struct worker *worker = user;
  char sql[400];
  sqlite3_str *out = sqlite3_str_new(NULL);
  sqlite3 *db = try_open();
  sqlite3_snprintf((int)sizeof(sql), sql, batch, worker->first,
                   worker->first + EACH - 1, EACH);
  int rc = db == NULL ? SQLITE_ERROR : query(db, sql, out);
  char *got = sqlite3_str_finish(out);
  worker->is_right = rc == SQLITE_OK && got != NULL && strcmp(got, "1\n") == 0;
  sqlite3_free(got);
  (void)sqlite3_close(db);
  return NULL;
}

CASE(threads_share_it) {
  struct worker workers[THREADS];
  int before = requests("GET");
  for (int i = 0; i < THREADS; i++) {
    struct worker *worker = &workers[i];
    worker->first = 1 + i * EACH;
    assert_int_equal(pthread_create(&worker->thread, NULL, work, worker), 0);
  }
  for (int i = 0; i < THREADS; i++) {
    (void)pthread_join(workers[i].thread, NULL);
    assert_true(workers[i].is_right);
  }
  assert_int_equal(requests("GET") - before, THREADS * EACH);
  assert_int_equal(requests("status=429"), 0);
}

CASE(a_connection_for_each_request) {
  int before = requests("GET");
  for (int i = 1; i <= ALONE; i++) {
    char sql[200];
    char row[20];
    sqlite3_snprintf((int)sizeof(sql), sql,
                     "SELECT id FROM " SESSION ", 's%d')", i);
    sqlite3_snprintf((int)sizeof(row), row, "s%d\n", i);
    sqlite3 *db = open_loaded();
    assert_rows(db, sql, row);
    close_ok(db);
  }
  assert_int_equal(requests("GET") - before, ALONE);
  assert_int_equal(requests("status=429"), 0);
}

int main(void) {
  (void)setenv("RTK_MAX_WAIT_MS", "0", 1);
  return RUN_CASES(NULL, NULL);
}
