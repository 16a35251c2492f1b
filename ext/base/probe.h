/*
** Statements of our own on the host's connection, while the host's statement runs.
*/
#ifndef RTK_PROBE_H
#define RTK_PROBE_H

struct sqlite3;
struct sqlite3_stmt;

/* sqlite3_prepare_v2() of the whole text, and sqlite3_step(), with the host's limit
** on the length of a program lifted for the call: some tables of SQLite prepare a
** statement in a step.  A program over that limit is SQLITE_NOMEM, after which
** SQLite would end the host's statement and roll its transaction back. */
int rtk_probe_prepare(struct sqlite3 *db, const char *sql,
                      struct sqlite3_stmt **stmt);
int rtk_probe_step(struct sqlite3_stmt *stmt);

#endif
