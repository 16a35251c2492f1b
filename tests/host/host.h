/*
** What the host programs share.  A host program is what rtk is loaded into: it
** runs under the API server (tests/programs), with RTK_SO, API_LOG and
** CLOUDFLARE_* in its environment.
*/
#ifndef RTK_TESTS_HOST_H
#define RTK_TESTS_HOST_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "../unit/cases.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

/* What takes so long has come to a standstill.  No test is to come near it,
** however slow or busy the machine is. */
#define HANGS_MS 600000

/* The same for a reply of the API server that is not to come, in its words. */
#define NEVER_MS "3600000"

#define ROWS_OF(table) (sizeof(table) / sizeof(*(table)))

/* The table, with account and app; what follows are further arguments. */
#define SESSION "rtk_livestream_session('ACCOUNT', 'APP'"

static inline double now_ms(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Between two looks at a condition; never instead of one. */
static inline void pause_ms(long ms) {
  struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
  (void)nanosleep(&t, NULL);
}

static inline const char *need_env(const char *name) {
  const char *value = getenv(name);
  if (value != NULL) return value;
  (void)fprintf(stderr, "%s is not set: run this by tests/programs\n", name);
  exit(2);
}

/* --- connections ------------------------------------------------------------ */

static inline sqlite3 *open_plain(void) {
  sqlite3 *db = NULL;
  assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
  assert_int_equal(sqlite3_enable_load_extension(db, 1), SQLITE_OK);
  return db;
}

static inline sqlite3 *open_loaded(void) {
  sqlite3 *db = open_plain();
  char *message = NULL;
  int rc = sqlite3_load_extension(db, need_env("RTK_SO"), NULL, &message);
  if (rc != SQLITE_OK) fail_msg("load: %d, %s", rc, message);
  return db;
}

static inline void close_ok(sqlite3 *db) {
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static inline void must_exec(sqlite3 *db, const char *sql) {
  char *message = NULL;
  int rc = sqlite3_exec(db, sql, NULL, NULL, &message);
  if (rc != SQLITE_OK) fail_msg("%s: %d, %s", sql, rc, message);
}

static inline sqlite3_stmt *prepared(sqlite3 *db, const char *sql) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
  if (rc != SQLITE_OK) fail_msg("%s: %s", sql, sqlite3_errmsg(db));
  return stmt;
}

/* All rows as text, `a|b` and a line end for each, behind what is in `out`.
** Asserts nothing, for it runs in threads too.  Returns the statement's code. */
static inline int query(sqlite3 *db, const char *sql, sqlite3_str *out) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
  if (rc != SQLITE_OK) return rc;
  while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    for (int i = 0; i < sqlite3_column_count(stmt); i++) {
      const char *text = (const char *)sqlite3_column_text(stmt, i);
      if (i > 0) sqlite3_str_appendall(out, "|");
      if (text == NULL && sqlite3_column_type(stmt, i) != SQLITE_NULL) {
        (void)sqlite3_finalize(stmt);
        return SQLITE_NOMEM;
      }
      sqlite3_str_appendall(out, text == NULL ? "NULL" : text);
    }
    sqlite3_str_appendall(out, "\n");
  }
  int ended = sqlite3_finalize(stmt);
  return rc == SQLITE_DONE ? ended : rc;
}

static inline void assert_rows(sqlite3 *db, const char *sql, const char *rows) {
  sqlite3_str *out = sqlite3_str_new(NULL);
  int rc = query(db, sql, out);
  char *got = sqlite3_str_finish(out);
  if (rc != SQLITE_OK) fail_msg("%s: %d, %s", sql, rc, sqlite3_errmsg(db));
  assert_string_equal(got == NULL ? "" : got, rows);
  sqlite3_free(got);
}

/* Where ids of IN come value by value, there is no batch to look at. */
static inline void skip_where_in_is_no_batch(void) {
  if (sqlite3_libversion_number() < 3038000) skip();
}

/* The statement fails with this code, and this is part of its message. */
static inline void assert_fails(sqlite3 *db, const char *sql, int code,
                                const char *part) {
  sqlite3_str *out = sqlite3_str_new(NULL);
  int rc = query(db, sql, out);
  sqlite3_free(sqlite3_str_finish(out));
  if (rc != code || strstr(sqlite3_errmsg(db), part) == NULL) {
    fail_msg("%s\n  is    %d, %s\n  not   %d, …%s…", sql, rc,
             sqlite3_errmsg(db), code, part);
  }
}

/* --- the server's request log ------------------------------------------------ */

/* Requests so far, whose line holds `part`. */
static inline int requests(const char *part) {
  FILE *log = fopen(need_env("API_LOG"), "r");
  char line[8192];
  int count = 0;
  if (log == NULL) return 0;
  while (fgets(line, (int)sizeof(line), log) != NULL) {
    count += strchr(line, '\n') != NULL && strstr(line, part) != NULL;
  }
  (void)fclose(log);
  return count;
}

/* Waits until so many such lines are there; false: it has hung. */
static inline bool wait_requests(const char *part, int count) {
  double end = now_ms() + HANGS_MS;
  while (requests(part) < count) {
    if (now_ms() > end) return false;
    pause_ms(1);
  }
  return true;
}

/* A reply that the API server holds back (`x:hold=FILE`) until so many requests of
** a kind have been made. */
struct gate {
  const char *file, *logged;
  int count;
};

/* The thread that opens it; NULL: it has hung. */
static inline void *open_gate(void *user) {
  const struct gate *gate = user;
  if (!wait_requests(gate->logged, gate->count)) return NULL;
  FILE *file = fopen(gate->file, "w");
  if (file != NULL) (void)fclose(file);
  return user;
}

/* A socket that listens on a port of its own. */
static inline int listen_anywhere(int backlog, struct sockaddr_in *address) {
  socklen_t size = sizeof(*address);
  int s = socket(AF_INET, SOCK_STREAM, 0);
  *address = (struct sockaddr_in){.sin_family = AF_INET};
  address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  assert_true(s >= 0);
  assert_int_equal(bind(s, (struct sockaddr *)address, size), 0);
  assert_int_equal(listen(s, backlog), 0);
  assert_int_equal(getsockname(s, (struct sockaddr *)address, &size), 0);
  return s;
}

/* The directory of the program, for `hold`. */
static inline const char *here(void) {
  static char path[4096];
  assert_non_null(getcwd(path, sizeof(path)));
  return path;
}

#endif
