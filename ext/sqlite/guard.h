/*
** Keeps what a database stores away from rtk: expressions away from its functions,
** and CREATE VIRTUAL TABLE away from its tables.
*/
#ifndef RTK_GUARD_H
#define RTK_GUARD_H

#include <stdbool.h>

struct rtk_err;
struct sqlite3;

/* May the function, or the table, of this name be used now?  SQLITE_OK; SQLITE_ERROR
** with a message when what is stored in a database of `db` may be what uses it, or
** when that cannot be told; SQLITE_INTERRUPT.  A table asks when it is opened. */
int rtk_guard_check_function(struct sqlite3 *db, const char *function,
                             struct rtk_err *err);
int rtk_guard_check_table(struct sqlite3 *db, const char *table,
                          struct rtk_err *err);

/* Every xConnect asks this with what SQLite gave it.  SQLite connects a module
** under any name that a schema has for it:
**
**     CREATE VIRTUAL TABLE customer USING rtk_check
**
** False for every name but the module's own, and for arguments: such a table would
** make requests under a name that does not tell.  A TEMP table may have any name:
** it was made on this connection. */
bool rtk_guard_may_be_created(const char *module, int argc,
                              const char *const *argv);

/* Declares a table from its xConnect: its schema (NULL: no memory for it), and who
** may use it, SQLITE_VTAB_DIRECTONLY or _INNOCUOUS.  SQLITE_OK; SQLITE_ERROR or
** SQLITE_INTERRUPT with *message for SQLite: an interrupt at a table's first use is
** no error in the table. */
int rtk_guard_declare(struct sqlite3 *db, const char *schema, int risk,
                      char **message);

#endif
