/*
** A virtual table of the host, under any name and with any columns, whose first
** column has 1 to 5.
*/
#ifndef TEST_SERIES_H
#define TEST_SERIES_H

#include "host.h"

struct series {
  sqlite3_vtab_cursor base;
  int i;
};

static int series_connect(sqlite3 *db, void *columns, int argc,
                          const char *const *argv, sqlite3_vtab **vtab,
                          char **message) {
  (void)argc;
  (void)argv;
  (void)message;
  *vtab = sqlite3_malloc64(sizeof(**vtab));
  assert_non_null(*vtab);
  memset(*vtab, 0, sizeof(**vtab));
  return sqlite3_declare_vtab(db, columns);
}

static int series_disconnect(sqlite3_vtab *vtab) {
  sqlite3_free(vtab);
  return SQLITE_OK;
}

static int series_best_index(sqlite3_vtab *vtab, sqlite3_index_info *info) {
  (void)vtab;
  info->estimatedCost = 5;
  return SQLITE_OK;
}

static int series_open(sqlite3_vtab *vtab, sqlite3_vtab_cursor **cursor) {
  struct series *made = sqlite3_malloc64(sizeof(*made));
  (void)vtab;
  assert_non_null(made);
  memset(made, 0, sizeof(*made));
  *cursor = &made->base;
  return SQLITE_OK;
}

static int series_close(sqlite3_vtab_cursor *cursor) {
  sqlite3_free(cursor);
  return SQLITE_OK;
}

static struct series *series_of(sqlite3_vtab_cursor *cursor) {
  return (struct series *)(void *)cursor;
}

static int series_filter(sqlite3_vtab_cursor *cursor, int plan,
                         const char *words, int argc, sqlite3_value **argv) {
  (void)plan;
  (void)words;
  (void)argc;
  (void)argv;
  series_of(cursor)->i = 1;
  return SQLITE_OK;
}

static int series_next(sqlite3_vtab_cursor *cursor) {
  series_of(cursor)->i++;
  return SQLITE_OK;
}

static int series_eof(sqlite3_vtab_cursor *cursor) {
  return series_of(cursor)->i > 5;
}

/* The hidden columns are as they were asked for. */
static int series_column(sqlite3_vtab_cursor *cursor, sqlite3_context *context,
                         int column) {
  static const int hidden[] = {0, 1, 5, 1};
  sqlite3_result_int(context,
                     column == 0 ? series_of(cursor)->i : hidden[column]);
  return SQLITE_OK;
}

static int series_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid) {
  *rowid = series_of(cursor)->i;
  return SQLITE_OK;
}

static inline void add_series(sqlite3 *db, const char *name,
                              const char *columns) {
  static const sqlite3_module module = {.xCreate = series_connect,
                                        .xConnect = series_connect,
                                        .xBestIndex = series_best_index,
                                        .xDisconnect = series_disconnect,
                                        .xDestroy = series_disconnect,
                                        .xOpen = series_open,
                                        .xClose = series_close,
                                        .xFilter = series_filter,
                                        .xNext = series_next,
                                        .xEof = series_eof,
                                        .xColumn = series_column,
                                        .xRowid = series_rowid};
  assert_int_equal(sqlite3_create_module(db, name, &module, (void *)columns),
                   SQLITE_OK);
}

#endif
