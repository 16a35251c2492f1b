/*
** Statements of rtk on the host's connection, while the host's own runs.
*/
#ifndef RTK_PROBE_H
#define RTK_PROBE_H

#include <stdbool.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

struct sqlite3;
struct sqlite3_stmt;
struct sqlite3_vtab;

/* sqlite3_prepare_v2() of the whole text, and sqlite3_step().  Both lift the
** host's limits on the length of a text and of a program for the call: a longer
** program gives SQLITE_NOMEM, and SQLite would roll the host's transaction
** back. Some tables of SQLite prepare a statement in a step. */
int rtk_probe_prepare(struct sqlite3 *db, const char *sql,
                      struct sqlite3_stmt **stmt);
int rtk_probe_step(struct sqlite3_stmt *stmt);

/* Prepares the text with something in front, such as "EXPLAIN ". */
int rtk_probe_prepare_as(struct sqlite3 *db, const char *prefix,
                         const char *sql, struct sqlite3_stmt **stmt);

/* Of a probe's code: the host has to hear of it.  Any other means that nothing
** is known. */
static inline bool rtk_probe_is_fatal(int rc) {
  return rc == SQLITE_NOMEM || rc == SQLITE_INTERRUPT;
}

/* *has: a line of the plan that EXPLAIN QUERY PLAN shows begins with `step`.
** SQLITE_OK or SQLite's code. */
int rtk_probe_plan_has(struct sqlite3 *db, const char *sql, const char *step,
                       bool *has);

/* The only statement that is running on `db`; NULL when there are several. */
struct sqlite3_stmt *rtk_probe_running(struct sqlite3 *db);

/* The name that EXPLAIN has for an open virtual table, in P4. */
struct rtk_probe_name {
  char text[32];
};
struct rtk_probe_name rtk_probe_name(const struct sqlite3_vtab *vtab);

/* Call after probes: clears the error that they may have left on the
** connection.  SQLITE_INTERRUPT when the host has interrupted its statement,
** else SQLITE_OK. */
int rtk_probe_end(struct sqlite3 *db);

#endif
