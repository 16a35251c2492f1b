/* Statements of rtk on the host's connection. */
#include "base/probe.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* The host's limits, lifted while rtk prepares or steps. */
struct limits {
  int text, program;
};

static struct limits lift(sqlite3 *db) {
  return (struct limits){sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, INT32_MAX),
                         sqlite3_limit(db, SQLITE_LIMIT_VDBE_OP, INT32_MAX)};
}

static void put_back(sqlite3 *db, struct limits limits) {
  (void)sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, limits.text);
  (void)sqlite3_limit(db, SQLITE_LIMIT_VDBE_OP, limits.program);
}

int rtk_probe_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **stmt) {
  struct limits limits = lift(db);
  int rc = sqlite3_prepare_v2(db, sql, -1, stmt, NULL);
  put_back(db, limits);
  return rc;
}

int rtk_probe_step(sqlite3_stmt *stmt) {
  sqlite3 *db = sqlite3_db_handle(stmt);
  struct limits limits = lift(db);
  int rc = sqlite3_step(stmt);
  put_back(db, limits);
  return rc;
}

int rtk_probe_prepare_as(sqlite3 *db, const char *prefix, const char *sql,
                         sqlite3_stmt **stmt) {
  char *text = sqlite3_mprintf("%s%s", prefix, sql);
  if (text == NULL) return SQLITE_NOMEM;
  int rc = rtk_probe_prepare(db, text, stmt);
  sqlite3_free(text);
  return rc;
}

int rtk_probe_plan_has(sqlite3 *db, const char *sql, const char *step,
                       bool *has) {
  enum { DETAIL = 3 };
  sqlite3_stmt *stmt = NULL;
  int rc = rtk_probe_prepare_as(db, "EXPLAIN QUERY PLAN ", sql, &stmt);
  *has = false;
  while (rc == SQLITE_OK && !*has && rtk_probe_step(stmt) == SQLITE_ROW) {
    const char *detail = (const char *)sqlite3_column_text(stmt, DETAIL);
    *has = detail != NULL && strncmp(detail, step, strlen(step)) == 0;
  }
  int end = sqlite3_finalize(stmt);
  return rc == SQLITE_OK ? end : rc;
}

sqlite3_stmt *rtk_probe_running(sqlite3 *db) {
  sqlite3_stmt *running = NULL;
  for (sqlite3_stmt *s = sqlite3_next_stmt(db, NULL); s != NULL;
       s = sqlite3_next_stmt(db, s)) {
    if (!sqlite3_stmt_busy(s)) continue;
    if (running != NULL) return NULL;
    running = s;
  }
  return running;
}

struct rtk_probe_name rtk_probe_name(const sqlite3_vtab *vtab) {
  struct rtk_probe_name name;
  sqlite3_snprintf((int)sizeof(name.text), name.text, "vtab:%p", vtab);
  return name;
}

int rtk_probe_end(sqlite3 *db) {
  sqlite3_stmt *none = NULL;
  int rc = sqlite3_prepare_v2(db, " ", -1, &none, NULL);
  return rc == SQLITE_INTERRUPT ? rc : SQLITE_OK;
}
