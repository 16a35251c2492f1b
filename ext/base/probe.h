/*
** Statements of our own on the host's connection, while the host's statement
** runs.
*/
#ifndef RTK_PROBE_H
#define RTK_PROBE_H

#include <stdbool.h>

struct sqlite3;
struct sqlite3_stmt;
struct sqlite3_vtab;

/* sqlite3_prepare_v2() of the whole text, and sqlite3_step(), with the host's
** limit on the length of a program lifted for the call: some tables of SQLite
** prepare a statement in a step.  A program over that limit is SQLITE_NOMEM,
** after which SQLite would end the host's statement and roll its transaction
** back. */
int rtk_probe_prepare(struct sqlite3 *db, const char *sql,
                      struct sqlite3_stmt **stmt);
int rtk_probe_step(struct sqlite3_stmt *stmt);

/* The same with `prefix` in front of the text: "EXPLAIN ". */
int rtk_probe_explain(struct sqlite3 *db, const char *prefix, const char *sql,
                      struct sqlite3_stmt **stmt);

/* *has: a line of the plan that EXPLAIN QUERY PLAN shows begins with `step`.
** SQLITE_OK or SQLite's code. */
int rtk_probe_plan_has(struct sqlite3 *db, const char *sql, const char *step,
                       bool *has);

/* The only statement that is running on `db`; NULL when there are several. */
struct sqlite3_stmt *rtk_probe_running(struct sqlite3 *db);

/* How EXPLAIN names a virtual table that is open, in P4. */
struct rtk_probe_name {
  char text[32];
};
struct rtk_probe_name rtk_probe_name(const struct sqlite3_vtab *vtab);

/* Behind probes: what failed in them is nobody's error, and the connection
** forgets it.  SQLITE_INTERRUPT when the host wants to stop, which SQLite knows
** while a statement runs; else SQLITE_OK. */
int rtk_probe_end(struct sqlite3 *db);

#endif
