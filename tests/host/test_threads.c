/*
** Many connections in many threads at once: no state but libcurl's start is
** shared, so every one of them sees what it would see alone.
*/
#include "host.h"

enum { THREADS = 8, ROUNDS_MIN = 12, SESSIONS = 24, INTERRUPTS = 60 };

static const char *const statements[] = {
    /* A join, id by id. */
    "SELECT l.n, s.* FROM local AS l JOIN " SESSION ", l.id) AS s"
    " ORDER BY l.n",
    /* A LEFT JOIN with ids that are gone. */
    "SELECT l.n, s.viewer_seconds FROM local AS l LEFT JOIN " SESSION
    ", CASE WHEN n % 3 THEN l.id ELSE 'gone' END) AS s ORDER BY l.n",
    /* A batch. */
    "SELECT session_id, s.* FROM " SESSION ") AS s WHERE session_id IN"
    " (SELECT id FROM local)",
    /* A batch in which one id needs a second try. */
    "SELECT count(*), sum(viewer_seconds) FROM " SESSION
    ") WHERE session_id IN (SELECT id FROM local UNION ALL"
    " SELECT 'x:status=503,times=1,retry_after_ms=5')",
    /* A failure, as a row. */
    "SELECT session_id, http_status FROM " SESSION
    ") WHERE session_id IN ('s3', 'x:status=500,should_retry=false', 's4')",
};
enum { STATEMENTS = ROWS_OF(statements) };

static char *expected[STATEMENTS];

/* What failed first, for threads in which assertions do not work. */
static struct {
  pthread_mutex_t lock;
  char text[2000];
} complaint = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void complain(int thread, const char *sql, int rc, const char *is) {
  (void)pthread_mutex_lock(&complaint.lock);
  if (complaint.text[0] == '\0') {
    sqlite3_snprintf((int)sizeof(complaint.text), complaint.text,
                     "thread %d: %s\n  code %d: %s", thread, sql, rc, is);
  }
  (void)pthread_mutex_unlock(&complaint.lock);
}

struct worker {
  int number;
  pthread_t thread;
  pthread_mutex_t lock; /* of db: interrupted by the main thread */
  sqlite3 *db;
  int interrupted;
};

static atomic_bool is_calm; /* no more interrupts */

static int prepare(sqlite3 *db) {
  char sql[300];
  sqlite3_snprintf((int)sizeof(sql), sql,
                   "SELECT rtk_config('on_error', 'row');"
                   "CREATE TABLE local(n INTEGER PRIMARY KEY, id);"
                   "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1"
                   " FROM c WHERE i < %d) INSERT INTO local SELECT i, 's'||i"
                   " FROM c",
                   SESSIONS);
  return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* One statement; true: it ran to its end, and not into an interrupt. */
static bool work_once(struct worker *worker, int i, bool is_late) {
  sqlite3_str *out = sqlite3_str_new(NULL);
  int rc = query(worker->db, statements[i], out);
  char *got = sqlite3_str_finish(out);
  bool is_whole = rc == SQLITE_OK;
  if (rc == SQLITE_INTERRUPT && !is_late) {
    worker->interrupted++;
  } else if (rc != SQLITE_OK) {
    complain(worker->number, statements[i], rc, sqlite3_errmsg(worker->db));
  } else if (got == NULL || strcmp(got, expected[i]) != 0) {
    complain(worker->number, statements[i], rc, got == NULL ? "" : got);
  }
  sqlite3_free(got);
  return is_whole;
}

static void *work(void *user) {
  struct worker *worker = user;
  sqlite3 *db = NULL;
  int rc = sqlite3_open(":memory:", &db);
  if (rc == SQLITE_OK) rc = sqlite3_enable_load_extension(db, 1);
  if (rc == SQLITE_OK) {
    rc = sqlite3_load_extension(db, need_env("RTK_SO"), NULL, NULL);
  }
  if (rc == SQLITE_OK) rc = prepare(db);
  if (rc != SQLITE_OK) {
    complain(worker->number, "open", rc, sqlite3_errmsg(db));
    (void)sqlite3_close(db);
    return NULL;
  }
  (void)pthread_mutex_lock(&worker->lock);
  worker->db = db;
  (void)pthread_mutex_unlock(&worker->lock);
  int rounds = 0;
  while (rounds < ROUNDS_MIN || !atomic_load(&is_calm)) {
    (void)work_once(worker, (worker->number + rounds++) % STATEMENTS, false);
  }
  /* The last interrupt may have come after the last of those. */
  for (int i = 0; i < STATEMENTS; i++) (void)work_once(worker, i, i > 0);
  (void)pthread_mutex_lock(&worker->lock);
  worker->db = NULL;
  (void)pthread_mutex_unlock(&worker->lock);
  rc = sqlite3_close(db);
  if (rc != SQLITE_OK) complain(worker->number, "close", rc, "");
  return NULL;
}

static void interrupt_at_random(struct worker *workers) {
  unsigned random = 12345;
  for (int i = 0; i < INTERRUPTS; i++) {
    random = random * 1103515245u + 12345u;
    struct worker *worker = &workers[(random >> 16) % THREADS];
    (void)pthread_mutex_lock(&worker->lock);
    if (worker->db != NULL) sqlite3_interrupt(worker->db);
    (void)pthread_mutex_unlock(&worker->lock);
    pause_ms((random >> 20) % 20);
  }
  atomic_store(&is_calm, true);
}

static void all_see_the_same(void **state) {
  static struct worker workers[THREADS];
  (void)state;
  int interrupted = 0;
  for (int i = 0; i < THREADS; i++) {
    workers[i].number = i;
    assert_int_equal(pthread_mutex_init(&workers[i].lock, NULL), 0);
    assert_int_equal(
        pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
  }
  interrupt_at_random(workers);
  for (int i = 0; i < THREADS; i++) {
    (void)pthread_join(workers[i].thread, NULL);
    interrupted += workers[i].interrupted;
  }
  if (complaint.text[0] != '\0') fail_msg("%s", complaint.text);
  print_message("# %d of %d interrupts ended a statement\n", interrupted,
                INTERRUPTS);
}

/* What each statement gives when nothing else runs. */
static int expect(void **state) {
  (void)state;
  sqlite3 *db = open_loaded();
  if (prepare(db) != SQLITE_OK) return -1;
  for (int i = 0; i < STATEMENTS; i++) {
    sqlite3_str *out = sqlite3_str_new(NULL);
    int rc = query(db, statements[i], out);
    expected[i] = sqlite3_str_finish(out);
    if (rc != SQLITE_OK || expected[i] == NULL) return -1;
  }
  return sqlite3_close(db);
}

static int forget(void **state) {
  (void)state;
  for (int i = 0; i < STATEMENTS; i++) sqlite3_free(expected[i]);
  return 0;
}

/* All threads load rtk at the same moment, before it was ever loaded; the
** baseline is taken afterwards. */
static pthread_barrier_t barrier;

static void *load(void *user) {
  sqlite3 *db = NULL;
  int *rc = user;
  (void)pthread_barrier_wait(&barrier);
  *rc = sqlite3_open(":memory:", &db);
  if (*rc == SQLITE_OK) *rc = sqlite3_enable_load_extension(db, 1);
  if (*rc == SQLITE_OK) {
    *rc = sqlite3_load_extension(db, need_env("RTK_SO"), NULL, NULL);
  }
  if (*rc == SQLITE_OK) {
    *rc =
        sqlite3_exec(db, "SELECT id FROM " SESSION ", 's1')", NULL, NULL, NULL);
  }
  (void)sqlite3_close(db);
  return NULL;
}

CASE(load_for_the_first_time_together) {
  pthread_t threads[THREADS];
  int rc[THREADS];
  assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
  for (int i = 0; i < THREADS; i++) {
    assert_int_equal(pthread_create(&threads[i], NULL, load, &rc[i]), 0);
  }
  for (int i = 0; i < THREADS; i++) {
    (void)pthread_join(threads[i], NULL);
    assert_int_equal(rc[i], SQLITE_OK);
  }
  (void)pthread_barrier_destroy(&barrier);
}

int main(void) {
  cases_of_program.list[cases_of_program.count++] =
      (struct CMUnitTest)cmocka_unit_test_setup_teardown(all_see_the_same,
                                                         expect, forget);
  return RUN_CASES(NULL, NULL);
}
