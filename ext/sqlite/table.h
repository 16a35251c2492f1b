/*
** What the tables of the endpoints (vtab.c) and those about rtk itself
** (infotab.c) have in common for SQLite: connecting, opening a cursor, failing.
**
**     SELECT * FROM rtk_stats      xConnect, xOpen: the same in all tables
**                                  xFilter, xNext, xColumn: vtab.c or infotab.c
*/
#ifndef RTK_TABLE_H
#define RTK_TABLE_H

#include "api/endpoint.h"
#include "fetch/rerun.h"

#include <stdbool.h>
#include <stddef.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

struct rtk_conn;
struct rtk_err;

/* One registered table. */
struct rtk_module {
  struct rtk_conn *conn; /* held */
  const char *name;
  bool may_rerun;                      /* a collecting run may read it */
  const struct rtk_endpoint *endpoint; /* NULL: a table about rtk itself, … */
  const char *schema;                  /* … which has this schema, … */
  const void *info;                    /* … and this in infotab.c */
};

/* One table that SQLite has connected. */
struct rtk_table {
  sqlite3_vtab base; /* first: SQLite's view of the table */
  struct rtk_rerun_table rerun;
  const struct rtk_module *module;
  struct rtk_signature signature; /* of the endpoint */
};

static inline const struct rtk_table *rtk_table_of(const sqlite3_vtab *vtab) {
  return (const struct rtk_table *)(const void *)vtab;
}

/* Registers the table, whose module is copied.  SQLITE_OK or SQLite's code. */
int rtk_table_register(const struct rtk_module *module,
                       const sqlite3_module *methods);

/* xConnect and xDisconnect. */
int rtk_table_connect(sqlite3 *db, void *user, int argc,
                      const char *const *argv, sqlite3_vtab **vtab,
                      char **message);
int rtk_table_disconnect(sqlite3_vtab *vtab);

/* xOpen, of a cursor of `size` bytes, which are zero. */
int rtk_table_open(sqlite3_vtab *vtab, size_t size,
                   sqlite3_vtab_cursor **cursor);

/* Ends a method: moves the message to where SQLite looks for it.  Returns the
** code for SQLite, which is never SQLITE_NOMEM: see table.c. */
int rtk_table_fail(sqlite3_vtab *vtab, int rc, struct rtk_err *err);

#endif
