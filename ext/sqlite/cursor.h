/*
** The rows of one table in a statement: SQLite's cursor methods, from xOpen to
** xClose.  Their errors are those of rtk_table_fail().
**
** In a collecting run xColumn returns SQLITE_ABORT when the run is no longer
** worth its time: a placeholder row can pass a join condition that the real row
** would fail, so inner loops may run longer than in the real statement.
*/
#ifndef RTK_CURSOR_H
#define RTK_CURSOR_H

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

int rtk_cursor_open(sqlite3_vtab *vtab, sqlite3_vtab_cursor **cursor);
int rtk_cursor_close(sqlite3_vtab_cursor *cursor);
int rtk_cursor_filter(sqlite3_vtab_cursor *cursor, int bits, const char *words,
                      int argc, sqlite3_value **argv);
int rtk_cursor_next(sqlite3_vtab_cursor *cursor);
int rtk_cursor_eof(sqlite3_vtab_cursor *cursor);
int rtk_cursor_column(sqlite3_vtab_cursor *cursor, sqlite3_context *out,
                      int column);

/* The same row has the same number in every cursor. */
int rtk_cursor_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid);

#endif
