/*
** Keeps what a database stores away from rtk: expressions away from its
** functions, and virtual tables of other modules away from its tables.
*/
#ifndef RTK_GUARD_H
#define RTK_GUARD_H

struct rtk_err;
struct sqlite3;

/* May the function, or the table, of this name be used now?  A table asks when
** it is opened.  SQLITE_OK; SQLITE_ERROR with a message if a part of a database
** of `db` may be the caller, or if a schema cannot be read;
** SQLITE_INTERRUPT. */
int rtk_guard_check_function(struct sqlite3 *db, const char *function,
                             struct rtk_err *err);
int rtk_guard_check_table(struct sqlite3 *db, const char *table,
                          struct rtk_err *err);

#endif
