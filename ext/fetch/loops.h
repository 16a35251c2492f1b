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

/* *are: no loop around a virtual table can end before its time.  `has_rows`:
** the rows of the SELECT `sql` go to the host, who may stop.  SQLITE_OK or
** SQLite's code. */
int rtk_loops_are_whole(struct sqlite3 *db, const char *sql, bool has_rows,
                        bool *are);

#endif
