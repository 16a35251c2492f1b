/*
** Runs the host's statement a second time, on the same connection and while the
** host runs it, to collect the ids that its tables will ask for (prefetch.h).
**
**     SELECT c.name, s.viewer_seconds FROM customer_session AS c
**       JOIN rtk_livestream_session('A', 'P', c.session_id) AS s
**
** The second run must have no visible effect.  Statements that could write,
** return different rows, or run forever are refused.
*/
#ifndef RTK_RERUN_H
#define RTK_RERUN_H

#include "fetch/loops.h"

#include <stdbool.h>
#include <stdint.h>

struct rtk_err;
struct rtk_parameters_known;
struct sqlite3;
struct sqlite3_stmt;
struct sqlite3_vtab;

/* Bytes of why a statement is not run again: the name of a function has up to
** 255. */
#define RTK_RERUN_WHY_MAX 320

/* A table of ours that SQLite has open, under any name, and that a second run
** may read. */
struct rtk_rerun_table {
  struct rtk_rerun_table *next;
  const struct sqlite3_vtab *vtab; /* a program names it by this address */
};

/* The statement that was checked last; its texts are owned. */
struct rtk_rerun {
  struct sqlite3 *db; /* borrowed; set by the owner, as is the next */
  struct rtk_rerun_table *tables;
  struct sqlite3_stmt *stmt;   /* the last that was found fit; not held */
  char *sql;                   /* its text */
  char *text;                  /* what is run: it, or its SELECT */
  char *values;                /* of its parameters (parameters.h); or NULL */
  struct sqlite3_stmt *looped; /* whose loops were looked at last; not held */
  struct rtk_loops loops;
  char why[RTK_RERUN_WHY_MAX]; /* it is not run again; "": it is */
};

/* Does only one of the running statements read our tables, and is it fit to be
** run again? Each statement is checked once, until rtk_rerun_forget(); its
** parameters are read each time.
** SQLITE_OK; SQLITE_INTERRUPT; SQLITE_NOMEM; or SQLITE_ERROR with `why` set. */
int rtk_rerun_find(struct rtk_rerun *rerun,
                   const struct rtk_parameters_known *known);
void rtk_rerun_forget(struct rtk_rerun *rerun);

/* The loops of the statement that reads our tables.  Each statement is looked
** at once, until rtk_rerun_forget().  SQLITE_OK, SQLITE_INTERRUPT or
** SQLITE_NOMEM. */
int rtk_rerun_look(struct rtk_rerun *rerun, struct rtk_loops *loops);

/* How many rows the statement that was found has read in full scans, as SQLite
** counts them. */
int64_t rtk_rerun_scanned(const struct rtk_rerun *rerun);

/* Runs the statement that was found, until its end, or until one of its tables
** returns SQLITE_ABORT, or until goes_on() is false after a row.  SQLITE_OK for
** any end but these: SQLITE_INTERRUPT; SQLITE_NOMEM; SQLITE_ERROR with a
** message: the host's transaction was rolled back in the run. */
int rtk_rerun_step(const struct rtk_rerun *rerun, bool (*goes_on)(const void *),
                   const void *user, struct rtk_err *err);

#endif
