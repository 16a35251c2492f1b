/*
** An HTTP server of one thread for the unit tests that need replies which the
** API server does not give: on a port of its own of 127.0.0.1, one request for
** each connection, one after the other.  What it answers is the test's function.
*/
#ifndef RTK_SERVER_H
#define RTK_SERVER_H

#include "api/endpoint.h"
#include "base/err.h"
#include "fetch/conn.h"
#include "sqlite/infotab.h"
#include "sqlite/vtab.h"

#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { SERVER_TARGETS_MAX = 64, SERVER_TARGET_SIZE = 512 };

/* Fills in the reply to the `nth` request (from 1) for exactly this target;
** runs in the server's thread.  *body begins empty and is of JSON. */
typedef void (*server_answer)(const char *target, int nth, int *status,
                              char *body, size_t body_room);

/* Where it is set: writes to the socket what is no proper reply, and true; or
** false, and the request is answered. */
static bool (*server_rude)(int s, const char *target, int nth);

static struct {
  server_answer answer;
  pthread_t thread;
  int listener, stop[2];
  pthread_mutex_t lock;
  /* The targets that were asked for, and how often since server_start(). */
  char targets[SERVER_TARGETS_MAX][SERVER_TARGET_SIZE];
  int asked[SERVER_TARGETS_MAX];
  int fresh[SERVER_TARGETS_MAX]; /* since the last look */
} server = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The number behind `name=` in a target; 0: there is none. */
static inline int server_number(const char *target, const char *name) {
  const char *at = strstr(target, name);
  return at == NULL || at[strlen(name)] != '=' ? 0
                                               : atoi(at + strlen(name) + 1);
}

static inline int server_count(const char *target) {
  int i = 0;
  (void)pthread_mutex_lock(&server.lock);
  while (i < SERVER_TARGETS_MAX - 1 && server.targets[i][0] != '\0' &&
         strcmp(server.targets[i], target) != 0) {
    i++;
  }
  (void)snprintf(server.targets[i], SERVER_TARGET_SIZE, "%s", target);
  int nth = ++server.asked[i];
  server.fresh[i]++;
  (void)pthread_mutex_unlock(&server.lock);
  return nth;
}

/* One request, answered; a wait of 1 ms before a retry is announced. */
static inline void server_serve(int s) {
  static char body[65536];
  char request[4096] = "";
  char target[SERVER_TARGET_SIZE] = "";
  char head[256];
  size_t size = 0;
  int status = 200;
  while (strstr(request, "\r\n\r\n") == NULL && size < sizeof(request) - 1) {
    ssize_t got = recv(s, request + size, sizeof(request) - 1 - size, 0);
    if (got <= 0) return;
    size += (size_t)got;
    request[size] = '\0';
  }
  if (sscanf(request, "GET %511s", target) != 1) return;
  body[0] = '\0';
  int nth = server_count(target);
  if (server_rude != NULL && server_rude(s, target, nth)) return;
  server.answer(target, nth, &status, body, sizeof(body));
  int head_size = snprintf(head, sizeof(head),
                           "HTTP/1.1 %d x\r\nContent-Type: application/json\r\n"
                           "Content-Length: %zu\r\nConnection: close\r\n"
                           "retry-after-ms: 1\r\n\r\n",
                           status, strlen(body));
  (void)send(s, head, (size_t)head_size, 0);
  (void)send(s, body, strlen(body), 0);
}

static inline void *server_run(void *unused) {
  struct timeval limit = {.tv_sec = 600}; /* a client that hangs */
  struct pollfd ready[2] = {{.fd = server.listener, .events = POLLIN},
                            {.fd = server.stop[0], .events = POLLIN}};
  (void)unused;
  while (poll(ready, 2, -1) > 0 && ready[1].revents == 0) {
    int s = accept(server.listener, NULL, NULL);
    if (s < 0) continue;
    (void)setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    server_serve(s);
    (void)close(s);
  }
  return NULL;
}

/* Serves until server_end(); rtk finds it by CLOUDFLARE_BASE_URL. */
static inline void server_start(server_answer answer) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t size = sizeof(address);
  char url[64];
  (void)signal(SIGPIPE, SIG_IGN); /* of a client that went away */
  server.answer = answer;
  memset(server.targets, 0, sizeof(server.targets));
  memset(server.asked, 0, sizeof(server.asked));
  memset(server.fresh, 0, sizeof(server.fresh));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  server.listener = socket(AF_INET, SOCK_STREAM, 0);
  assert_true(server.listener >= 0);
  assert_int_equal(bind(server.listener, (struct sockaddr *)&address, size), 0);
  assert_int_equal(listen(server.listener, 128), 0);
  assert_int_equal(
      getsockname(server.listener, (struct sockaddr *)&address, &size), 0);
  assert_int_equal(pipe(server.stop), 0);
  assert_int_equal(pthread_create(&server.thread, NULL, server_run, NULL), 0);
  (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d",
                 ntohs(address.sin_port));
  (void)setenv("CLOUDFLARE_BASE_URL", url, 1);
  (void)setenv("CLOUDFLARE_API_TOKEN",
               "local-api-token-0123456789abcdefghijklmn", 1);
}

static inline void server_end(void) {
  (void)close(server.stop[1]); /* poll() sees the end of the pipe */
  (void)pthread_join(server.thread, NULL);
  (void)close(server.stop[0]);
  (void)close(server.listener);
}

static inline int server_by_text(const void *a, const void *b) {
  return strcmp(a, b);
}

/* The requests since the last call, sorted, ` N times` behind those that came
** more than once; a line for each, free it with sqlite3_free(). */
static inline char *server_requests(void) {
  static char lines[SERVER_TARGETS_MAX][SERVER_TARGET_SIZE + 16];
  size_t count = 0;
  sqlite3_str *out = sqlite3_str_new(NULL);
  (void)pthread_mutex_lock(&server.lock);
  for (int i = 0; i < SERVER_TARGETS_MAX; i++) {
    if (server.fresh[i] == 0) continue;
    (void)snprintf(lines[count], sizeof(lines[count]),
                   server.fresh[i] == 1 ? "%s" : "%s %d times",
                   server.targets[i], server.fresh[i]);
    server.fresh[i] = 0;
    count++;
  }
  (void)pthread_mutex_unlock(&server.lock);
  qsort(lines, count, sizeof(lines[0]), server_by_text);
  for (size_t i = 0; i < count; i++) {
    sqlite3_str_appendf(out, "%s\n", lines[i]);
  }
  return sqlite3_str_finish(out);
}

/* --- statements ------------------------------------------------------------- */

/* A connection with these tables.  SQLITE_OK, or SQLITE_NOMEM. */
static inline int server_open(const struct rtk_endpoint *tables, size_t count,
                              sqlite3 **db) {
  struct rtk_conn *conn = NULL;
  struct rtk_err err = {0};
  int rc = sqlite3_open(":memory:", db);
  if (rc == SQLITE_OK) rc = rtk_conn_new(*db, &conn, &err);
  for (size_t i = 0; rc == SQLITE_OK && i < count; i++) {
    rc = rtk_vtab_register(conn, &tables[i]);
  }
  if (rc == SQLITE_OK) rc = rtk_infotab_register(conn);
  if (conn != NULL) rtk_conn_release(conn);
  rtk_err_clear(&err);
  return rc;
}

/* The same to a server that has just been started, and the end of both. */
static inline sqlite3 *server_begin(server_answer answer,
                                    const struct rtk_endpoint *tables,
                                    size_t count) {
  sqlite3 *db = NULL;
  server_start(answer);
  assert_int_equal(server_open(tables, count, &db), SQLITE_OK);
  return db;
}

static inline void server_close(sqlite3 *db) {
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
  server_end();
}

/* All rows, `a|b` and a line end for each; at an error, the message behind the
** rows that came before it. */
static inline void check_rows(sqlite3 *db, const char *sql,
                              const char *expected) {
  sqlite3_stmt *stmt = NULL;
  sqlite3_str *out = sqlite3_str_new(NULL);
  int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
  while (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    for (int i = 0; i < sqlite3_column_count(stmt); i++) {
      const char *text = (const char *)sqlite3_column_text(stmt, i);
      sqlite3_str_appendf(out, i == 0 ? "%s" : "|%s",
                          text == NULL ? "NULL" : text);
    }
    sqlite3_str_appendall(out, "\n");
  }
  if (rc == SQLITE_OK) rc = sqlite3_finalize(stmt);
  if (rc != SQLITE_OK) sqlite3_str_appendf(out, "%s\n", sqlite3_errmsg(db));
  char *rows = sqlite3_str_finish(out);
  check_text(sql, "rows", rows == NULL ? "" : rows, expected);
  sqlite3_free(rows);
}

static inline void check_requests(const char *name, const char *expected) {
  char *requests = server_requests();
  check_text(name, "requests", requests == NULL ? "" : requests, expected);
  sqlite3_free(requests);
}

#endif
