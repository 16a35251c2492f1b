/*
** The virtual table that all endpoints share: SQLite's methods on one side,
** plan.c and cursor.c on the other.  Knows no endpoint by name.
**
**     SELECT name FROM rtk_livestream('A', 'P', 'L')
**
**     xBestIndex   the terms of WHERE and of the call → a plan      plan.c
**     xFilter      the plan and its values → jobs                   cursor.c
**     xNext …      their replies → rows                             cursor.c
*/
#include "sqlite/vtab.h"

#include "api/endpoint.h"
#include "base/err.h"
#include "fetch/conn.h"
#include "sqlite/cursor.h"
#include "sqlite/plan.h"
#include "sqlite/table.h"

#include <stdbool.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

static int fail_nomem(sqlite3_vtab *vtab) {
  struct rtk_err err = {0};
  return rtk_table_fail(vtab, SQLITE_NOMEM, &err);
}

/* sqlite3_vtab_in(): can SQLite hand the term over as a whole list?  And let it
** do so. */
enum { LIST_ASK = -1, LIST_TAKE = 1 };

static bool handle_list(sqlite3_index_info *info, int i, int how) {
#if SQLITE_VERSION_NUMBER >= RTK_SQLITE_VTAB_IN
  return sqlite3_libversion_number() >= RTK_SQLITE_VTAB_IN &&
         sqlite3_vtab_in(info, i, how) != 0;
#else
  (void)info, (void)i, (void)how;
  return false;
#endif
}

static struct rtk_plan_term read_term(sqlite3_index_info *info, int i) {
  const struct sqlite3_index_constraint *from = &info->aConstraint[i];
  struct rtk_plan_term term = {
      .column = from->iColumn, .op = from->op, .is_usable = from->usable != 0};
  const char *collation = sqlite3_vtab_collation(info, i);
  term.is_binary =
      collation != NULL && sqlite3_stricmp(collation, "BINARY") == 0;
  term.is_list = handle_list(info, i, LIST_ASK);
  return term;
}

static int best_index(sqlite3_vtab *vtab, sqlite3_index_info *info) {
  size_t size = (size_t)info->nConstraint * sizeof(struct rtk_plan_term);
  struct rtk_plan_term *terms = sqlite3_malloc64(size == 0 ? 1 : size);
  struct rtk_plan plan;
  if (terms == NULL) return fail_nomem(vtab);
  for (int i = 0; i < info->nConstraint; i++) terms[i] = read_term(info, i);

  int rc = rtk_plan_choose(&rtk_table_of(vtab)->signature, terms,
                           info->nConstraint, info->colUsed, &plan);
  if (rc != SQLITE_OK) goto done;
  for (int i = 0; i < info->nConstraint; i++) {
    info->aConstraintUsage[i].argvIndex = terms[i].argv;
    info->aConstraintUsage[i].omit = terms[i].is_exact;
    if (terms[i].is_whole) (void)handle_list(info, i, LIST_TAKE);
  }
  info->idxNum = plan.bits;
  info->estimatedCost = plan.cost;
  info->estimatedRows = plan.rows;
  if (plan.is_unique) info->idxFlags = SQLITE_INDEX_SCAN_UNIQUE;
  info->idxStr = sqlite3_mprintf("%s", plan.words);
  info->needToFreeIdxStr = 1;
  if (info->idxStr == NULL) rc = fail_nomem(vtab);

done:
  sqlite3_free(terms);
  return rc;
}

/* xCreate is xConnect: the table is there without CREATE VIRTUAL TABLE.  SQLite
** takes that one for a part of "main", and holds a read lock on it while a
** statement uses the table.  A TEMP table holds none. */
static const sqlite3_module methods = {
    .xCreate = rtk_table_connect,
    .xConnect = rtk_table_connect,
    .xBestIndex = best_index,
    .xDisconnect = rtk_table_disconnect,
    .xDestroy = rtk_table_disconnect,
    .xOpen = rtk_cursor_open,
    .xClose = rtk_cursor_close,
    .xFilter = rtk_cursor_filter,
    .xNext = rtk_cursor_next,
    .xEof = rtk_cursor_eof,
    .xColumn = rtk_cursor_column,
    .xRowid = rtk_cursor_rowid,
};

int rtk_vtab_register(struct rtk_conn *conn,
                      const struct rtk_endpoint *endpoint) {
  struct rtk_module module = {.conn = conn,
                              .name = endpoint->name,
                              .may_rerun = true,
                              .endpoint = endpoint};
  return rtk_table_register(&module, &methods);
}
