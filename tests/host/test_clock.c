/*
** Time-outs, on a clock of this program's own: rtk.so and the libcurl in it use its
** clock_gettime().  The clock goes a twentieth as fast as the real one, so that a
** slow machine runs into no time-out, and is set forward instead of waiting.
*/
#define _GNU_SOURCE /* RTLD_NEXT */
#include "host.h"

#include <dlfcn.h>
#include <unistd.h>

enum { SLOWER = 20 };

typedef int (*clock_function)(clockid_t, struct timespec *);

static atomic_int ahead_ms;

/* The calendar's clock is left alone. */
int clock_gettime(clockid_t clock, struct timespec *now) {
  clock_function real = NULL;
  *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
  int failed = real(clock, now);
  if (failed != 0 || clock == CLOCK_REALTIME) return failed;
  int64_t ns = ((int64_t)now->tv_sec * 1000000000 + now->tv_nsec) / SLOWER +
               (int64_t)ahead_ms * 1000000;
  *now = (struct timespec){.tv_sec = (time_t)(ns / 1000000000),
                           .tv_nsec = (long)(ns % 1000000000)};
  return failed;
}

enum { CONNECTIONS = 16, IDS = 40, REPLY_MS = 700, TIMEOUT_MS = 1500 };

/* Whenever all connections are busy, or all that is left is under way: lets the
** time of a reply go by and opens the next gate. */
static void *open_gates(void *unused) {
  (void)unused;
  for (int gate = 0; gate * CONNECTIONS < IDS; gate++) {
    int sent = (gate + 1) * CONNECTIONS;
    char name[32];
    if (!wait_requests("hold%3D", sent < IDS ? sent : IDS)) return NULL;
    ahead_ms += REPLY_MS;
    (void)snprintf(name, sizeof(name), "gate-%d", gate);
    FILE *file = fopen(name, "w");
    if (file != NULL) (void)fclose(file);
  }
  return NULL;
}

/* More ids than connections: time in the queue is not time of the request. */
CASE(waiting_for_a_connection_is_no_time_out) {
  sqlite3 *db = open_loaded();
  pthread_t thread;
  char path[4096];
  char sql[8192];
  skip_where_in_is_no_batch();
  assert_non_null(getcwd(path, sizeof(path)));
  must_exec(db, "SELECT rtk_config('max_retries', 0)");
  assert_rows(db, "SELECT id FROM " SESSION ", 's1')", "s1\n");
  sqlite3_snprintf((int)sizeof(sql), sql, "SELECT rtk_config('timeout_ms', %d)",
                   TIMEOUT_MS);
  must_exec(db, sql);
  sqlite3_snprintf(
      (int)sizeof(sql), sql,
      "WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c"
      " WHERE i < %d) SELECT count(*) FROM " SESSION
      ") WHERE session_id IN (SELECT 'x:hold=%q/gate-'||(i / %d)||',n='||(i + "
      "1)"
      " FROM c)",
      IDS - 1, path, CONNECTIONS);
  assert_int_equal(pthread_create(&thread, NULL, open_gates, NULL), 0);
  assert_rows(db, sql, "40\n");
  (void)pthread_join(thread, NULL);
  assert_int_equal(requests("hold%3D"), IDS);
  close_ok(db);
}

/* The time of the request itself counts. */
static void *let_time_pass(void *unused) {
  (void)unused;
  if (wait_requests("delay%3D", 1)) ahead_ms += TIMEOUT_MS + 1;
  return NULL;
}

CASE(a_reply_that_takes_too_long_is_a_time_out) {
  sqlite3 *db = open_loaded();
  pthread_t thread;
  char sql[100];
  must_exec(db, "SELECT rtk_config('max_retries', 0)");
  sqlite3_snprintf((int)sizeof(sql), sql, "SELECT rtk_config('timeout_ms', %d)",
                   TIMEOUT_MS);
  must_exec(db, sql);
  assert_int_equal(pthread_create(&thread, NULL, let_time_pass, NULL), 0);
  assert_fails(db, "SELECT id FROM " SESSION ", 'x:delay=" NEVER_MS "')",
               SQLITE_ERROR, "timeout_ms = 1500 ms went by");
  (void)pthread_join(thread, NULL);
  close_ok(db);
}

int main(void) { return RUN_CASES(NULL, NULL); }
