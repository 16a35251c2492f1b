/*
** Runs the statement that the host is running once more, beside it on the same
** connection, for the sake of what its tables see.
**
** Nobody may notice: a statement is refused when a second run could do
** something, could give other rows, or might never end.
*/
#ifndef RTK_RERUN_H
#define RTK_RERUN_H

#include "base/limits.h"

#include <stdbool.h>
#include <stdint.h>

struct rtk_err;
struct sqlite3;
struct sqlite3_stmt;
struct sqlite3_vtab;

/* A virtual table that may be read once more: one of ours that SQLite has open,
** under whatever name. */
struct rtk_rerun_table {
  struct rtk_rerun_table *next;
  const struct sqlite3_vtab *vtab; /* a program names it by this address */
};

/* The statement, and why it is not run again: "" if it is. */
struct rtk_rerun {
  struct sqlite3 *db; /* borrowed; set by the owner, as is the next */
  struct rtk_rerun_table *tables;
  struct sqlite3_stmt *stmt; /* the last one that was found fit; not held */
  char *sql;                 /* its text; owned */
  char why[RTK_RERUN_WHY_MAX];
};

/* Is there just one statement running, and is it fit for it?  Looks closely at
** each statement once, until rtk_rerun_forget().  SQLITE_OK; SQLITE_INTERRUPT;
** SQLITE_NOMEM; or SQLITE_ERROR with `why` set. */
int rtk_rerun_find(struct rtk_rerun *rerun);
void rtk_rerun_forget(struct rtk_rerun *rerun);

/* How many rows the running statement has gone through in full scans, as SQLite
** counts them; 0 when there are several statements. */
int64_t rtk_rerun_scanned(const struct rtk_rerun *rerun);

/* Runs the statement that was found from its beginning to its end, or until one
** of its tables returns SQLITE_ABORT, or goes_on() is false after a row.
** SQLITE_OK, however else the run ended; SQLITE_INTERRUPT; SQLITE_NOMEM; or
** SQLITE_ERROR with a message: the host's transaction was rolled back in it. */
int rtk_rerun_step(const struct rtk_rerun *rerun, bool (*goes_on)(const void *),
                   const void *user, struct rtk_err *err);

#endif
