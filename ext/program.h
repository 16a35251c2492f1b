/*
** What the program of a running statement does with a column of one of our
** tables.  SQLite does not offer every term of a WHERE to xBestIndex: not those
** within an OR, nor, in the first pass of a RIGHT or FULL JOIN, the arguments.
** The column is then read and compared all the same, which EXPLAIN shows:
**
**     VOpen    0  0  0  vtab:55d0c8a0    cursor 0 is our table
**     VColumn  0 11  3                   column 11 into register 3
**     Ne       4 19  3                   and compared with what register 4 holds
**     String8  0  4  0  APP              which is set at the program's beginning
*/
#ifndef RTK_PROGRAM_H
#define RTK_PROGRAM_H

#include <stdbool.h>

struct sqlite3;
struct sqlite3_vtab;

/* Looks at all statements that are running on `db`.  *is_compared: one of them
** compares column `column` of `vtab`, and not just with the constant text `expected`
** (NULL: none).  *is_right: that one has a RIGHT or FULL JOIN.  A statement that
** cannot be explained counts as one that does neither.  SQLITE_OK or
** SQLITE_INTERRUPT. */
int rtk_program_look(struct sqlite3 *db, const struct sqlite3_vtab *vtab,
                     int column, const char *expected, bool *is_compared,
                     bool *is_right);

#endif
