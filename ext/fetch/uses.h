/*
** What the program of a statement uses, as EXPLAIN shows it:
**
**     Function  1  2  3  upper(1)           functions   upper
**     VOpen     0  0  0  vtab:55d0c8a0      tables      vtab:55d0c8a0
*/
#ifndef RTK_USES_H
#define RTK_USES_H

#include "base/strset.h"

struct sqlite3;

/* Begins as {0}.  Each name once; a virtual table has that of
** rtk_probe_name(). */
struct rtk_uses {
  struct rtk_strset functions;
  struct rtk_strset tables;
};

/* Adds what the statement uses.  SQLITE_OK or SQLite's code. */
int rtk_uses_read(struct sqlite3 *db, const char *sql, struct rtk_uses *uses);
void rtk_uses_deinit(struct rtk_uses *uses);

#endif
