/*
** Will a statement ask for all the ids that it is about to ask for, or may it
** end sooner?
**
**     SELECT sum(s.viewer_seconds) FROM l JOIN rtk_livestream_session(…) s
**
** reads all of l before it has a row.  Without the sum it has a row for each
** session: then the host may stop after any of them, or a LIMIT may.
*/
#ifndef RTK_LOOPS_H
#define RTK_LOOPS_H

#include <stdbool.h>

struct sqlite3;

struct rtk_loops {
  bool are_calls_whole; /* no loop around a virtual table ends before its time:
                           all calls are made */
  bool are_rows_whole;  /* nor does one over its rows: all pages are read */
};

/* Both are false in doubt.  `has_rows`: the rows of the SELECT `sql` go to the
** host, who may stop.  SQLITE_OK or SQLite's code. */
int rtk_loops_look(struct sqlite3 *db, const char *sql, bool has_rows,
                   struct rtk_loops *loops);

#endif
