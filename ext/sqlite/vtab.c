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

struct scan {
  sqlite3_vtab_cursor base; /* first: SQLite's view of it */
  struct rtk_cursor *cursor;
};

static struct rtk_cursor *cursor_of(const sqlite3_vtab_cursor *base) {
  return ((const struct scan *)(const void *)base)->cursor;
}

static int fail_nomem(sqlite3_vtab *vtab) {
  struct rtk_err err = {0};
  return rtk_table_fail(vtab, SQLITE_NOMEM, &err);
}

/* --- planning ------------------------------------------------------------- */

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

/* --- scanning ------------------------------------------------------------- */

static int open_scan(sqlite3_vtab *vtab, sqlite3_vtab_cursor **out) {
  const struct rtk_table *table = rtk_table_of(vtab);
  struct scan *scan = NULL;
  int rc = rtk_table_open(vtab, sizeof(*scan), out);
  if (rc != SQLITE_OK) return rc;
  scan = (struct scan *)(void *)*out;
  rc = rtk_cursor_new(table->module->conn, &table->signature, vtab,
                      &scan->cursor);
  if (rc == SQLITE_OK) return rc;
  sqlite3_free(scan);
  *out = NULL;
  return fail_nomem(vtab);
}

static int close_scan(sqlite3_vtab_cursor *base) {
  rtk_cursor_free(cursor_of(base));
  sqlite3_free(base);
  return SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *base, int bits, const char *words,
                  int argc, sqlite3_value **argv) {
  struct rtk_err err = {0};
  (void)words;
  (void)argc;
  int rc = rtk_cursor_filter(cursor_of(base), bits, argv, &err);
  return rc == SQLITE_OK ? rc : rtk_table_fail(base->pVtab, rc, &err);
}

static int next(sqlite3_vtab_cursor *base) {
  struct rtk_err err = {0};
  int rc = rtk_cursor_next(cursor_of(base), &err);
  return rc == SQLITE_OK ? rc : rtk_table_fail(base->pVtab, rc, &err);
}

static int eof(sqlite3_vtab_cursor *base) {
  return rtk_cursor_is_at_end(cursor_of(base));
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *out, int i) {
  return rtk_cursor_column(cursor_of(base), out, i);
}

static int rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out) {
  *out = rtk_cursor_rowid(cursor_of(base));
  return SQLITE_OK;
}

/* --- registering ---------------------------------------------------------- */

/* xCreate is xConnect: the table is there without CREATE VIRTUAL TABLE.  SQLite
** takes that one for a part of "main", and holds a read lock on it while a
** statement uses the table.  A TEMP table holds none. */
static const sqlite3_module methods = {
    .xCreate = rtk_table_connect,
    .xConnect = rtk_table_connect,
    .xBestIndex = best_index,
    .xDisconnect = rtk_table_disconnect,
    .xDestroy = rtk_table_disconnect,
    .xOpen = open_scan,
    .xClose = close_scan,
    .xFilter = filter,
    .xNext = next,
    .xEof = eof,
    .xColumn = column,
    .xRowid = rowid,
};

int rtk_vtab_register(struct rtk_conn *conn,
                      const struct rtk_endpoint *endpoint) {
  struct rtk_module module = {.conn = conn,
                              .name = endpoint->name,
                              .may_rerun = true,
                              .endpoint = endpoint};
  return rtk_table_register(&module, &methods);
}
