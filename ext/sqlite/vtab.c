/*
** The virtual table that all endpoints share: SQLite's methods on one side,
** plan.c and cursor.c on the other.  Knows no endpoint by name.
**
** Return codes: only SQLITE_OK, SQLITE_ERROR, SQLITE_CONSTRAINT (xBestIndex) and
** SQLITE_INTERRUPT; SQLITE_ABORT in a collecting run.  SQLITE_NOMEM, SQLITE_IOERR
** or SQLITE_FULL from a method would roll back the host's transaction, although
** these tables are only read: so what ran out of memory here is SQLITE_ERROR,
** `out of memory`.  (When an allocation of SQLite itself fails, it is SQLITE_NOMEM
** and the transaction is lost, whatever a method returns.)
*/
#include "sqlite/vtab.h"

#include "api/endpoint.h"
#include "base/err.h"
#include "base/limits.h"
#include "fetch/conn.h"
#include "fetch/prefetch.h"
#include "fetch/rerun.h"
#include "sqlite/cursor.h"
#include "sqlite/guard.h"
#include "sqlite/plan.h"

#include <stdbool.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* What SQLite keeps for one registered table. */
struct module {
  struct rtk_conn *conn; /* held */
  const struct rtk_endpoint *endpoint;
};

struct table {
  sqlite3_vtab base; /* first: SQLite's view of it */
  struct rtk_rerun_table known;
  struct rtk_conn *conn;
  const struct rtk_endpoint *endpoint;
  struct rtk_signature signature; /* of the endpoint */
};

struct scan {
  sqlite3_vtab_cursor base; /* first: SQLite's view of it */
  struct rtk_cursor *cursor;
};

static struct rtk_cursor *cursor_of(const sqlite3_vtab_cursor *base) {
  return ((const struct scan *)(const void *)base)->cursor;
}

/* A collecting run must end quietly. */
static int as_code(const struct table *table, int rc) {
  bool is_quiet = rtk_prefetch_is_collecting(table->conn->prefetch);
  return is_quiet && rc != SQLITE_INTERRUPT ? SQLITE_ABORT : rc;
}

/* Ends a method: moves the message to where SQLite looks for it, and takes the
** failure down for rtk_stats. */
static int fail(sqlite3_vtab *vtab, int rc, struct rtk_err *err) {
  const struct table *table = (const struct table *)(void *)vtab;
  if (rc == SQLITE_NOMEM) {
    (void)rtk_err_set(err, "out of memory");
    err->kind = RTK_KIND_MEMORY;
    rc = SQLITE_ERROR;
  }
  if (rc == SQLITE_INTERRUPT) err->kind = RTK_KIND_INTERRUPTED;
  if (!rtk_prefetch_is_collecting(table->conn->prefetch)) {
    rtk_stats_note_error(&table->conn->stats, err);
  }
  rtk_err_prefix(err, table->endpoint->name);
  sqlite3_free(vtab->zErrMsg);
  vtab->zErrMsg = rtk_err_take(err);
  return as_code(table, rc);
}

static int fail_nomem(sqlite3_vtab *vtab) {
  struct rtk_err err = {0};
  return fail(vtab, SQLITE_NOMEM, &err);
}

/* --- the table ------------------------------------------------------------- */

/* The table reaches outside with a credential, and a database from somebody else
** must not be able to use it from its views and triggers.  Who trusts all schemas
** wants just that, whatever PRAGMA trusted_schema says. */
static int connect(sqlite3 *db, void *user, int argc, const char *const *argv,
                   sqlite3_vtab **vtab, char **message) {
  const struct module *module = user;
  int risk = rtk_conn_trusts_schema(module->conn) ? SQLITE_VTAB_INNOCUOUS
                                                  : SQLITE_VTAB_DIRECTONLY;
  if (!rtk_guard_may_be_created(module->endpoint->name, argc, argv)) {
    *message = sqlite3_mprintf("%s: it is there without CREATE VIRTUAL TABLE,"
                               " which makes TEMP tables only, without"
                               " arguments",
                               module->endpoint->name);
    return SQLITE_ERROR;
  }
  char *schema = rtk_endpoint_schema(module->endpoint);
  int rc = rtk_guard_declare(db, schema, risk, message);
  sqlite3_free(schema);
  if (rc != SQLITE_OK) return rc;
  struct table *table = sqlite3_malloc64(sizeof(*table));
  if (table == NULL) {
    *message = sqlite3_mprintf("out of memory");
    return SQLITE_ERROR;
  }
  memset(table, 0, sizeof(*table));
  table->conn = module->conn;
  table->endpoint = module->endpoint;
  rtk_endpoint_describe(module->endpoint, &table->signature);
  table->known.vtab = &table->base;
  rtk_prefetch_add_table(module->conn->prefetch, &table->known);
  *vtab = &table->base;
  return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *vtab) {
  struct table *table = (struct table *)(void *)vtab;
  rtk_prefetch_remove_table(table->conn->prefetch, &table->known);
  sqlite3_free(table);
  return SQLITE_OK;
}

/* --- planning -------------------------------------------------------------- */

static bool has_vtab_in(void) {
#if SQLITE_VERSION_NUMBER >= RTK_SQLITE_VTAB_IN
  return sqlite3_libversion_number() >= RTK_SQLITE_VTAB_IN;
#else
  return false;
#endif
}

static bool is_list(sqlite3_index_info *info, int i) {
#if SQLITE_VERSION_NUMBER >= RTK_SQLITE_VTAB_IN
  return has_vtab_in() && sqlite3_vtab_in(info, i, -1) != 0;
#else
  (void)info;
  (void)i;
  return false;
#endif
}

static void take_whole(sqlite3_index_info *info, int i) {
#if SQLITE_VERSION_NUMBER >= RTK_SQLITE_VTAB_IN
  if (has_vtab_in()) (void)sqlite3_vtab_in(info, i, 1);
#else
  (void)info;
  (void)i;
#endif
}

static struct rtk_plan_term read_term(sqlite3_index_info *info, int i) {
  const struct sqlite3_index_constraint *from = &info->aConstraint[i];
  struct rtk_plan_term term = {
      .column = from->iColumn, .op = from->op, .is_usable = from->usable != 0};
  const char *collation = sqlite3_vtab_collation(info, i);
  term.is_binary =
      collation != NULL && sqlite3_stricmp(collation, "BINARY") == 0;
  term.is_list = is_list(info, i);
  return term;
}

static int best_index(sqlite3_vtab *vtab, sqlite3_index_info *info) {
  const struct table *table = (const struct table *)(void *)vtab;
  size_t size = (size_t)info->nConstraint * sizeof(struct rtk_plan_term);
  struct rtk_plan_term *terms = sqlite3_malloc64(size == 0 ? 1 : size);
  struct rtk_plan plan;
  if (terms == NULL) return fail_nomem(vtab);
  for (int i = 0; i < info->nConstraint; i++) terms[i] = read_term(info, i);

  int rc = rtk_plan_choose(&table->signature, terms, info->nConstraint,
                           info->colUsed, &plan);
  if (rc != SQLITE_OK) goto done;
  for (int i = 0; i < info->nConstraint; i++) {
    info->aConstraintUsage[i].argvIndex = terms[i].argv;
    info->aConstraintUsage[i].omit = terms[i].is_exact;
    if (terms[i].is_whole) take_whole(info, i);
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

/* --- scanning -------------------------------------------------------------- */

static int open_scan(sqlite3_vtab *vtab, sqlite3_vtab_cursor **out) {
  const struct table *table = (const struct table *)(void *)vtab;
  struct rtk_err err = {0};
  int rc =
      rtk_conn_trusts_schema(table->conn)
          ? SQLITE_OK
          : rtk_guard_check_table(table->conn->db, table->endpoint->name, &err);
  if (rc != SQLITE_OK) return fail(vtab, rc, &err);
  struct scan *scan = sqlite3_malloc64(sizeof(*scan));
  if (scan == NULL) return fail_nomem(vtab);
  memset(scan, 0, sizeof(*scan));
  rc = rtk_cursor_new(table->conn, &table->signature, vtab, &scan->cursor);
  if (rc != SQLITE_OK) {
    sqlite3_free(scan);
    return fail_nomem(vtab);
  }
  *out = &scan->base;
  return SQLITE_OK;
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
  return rc == SQLITE_OK ? rc : fail(base->pVtab, rc, &err);
}

static int next(sqlite3_vtab_cursor *base) {
  struct rtk_err err = {0};
  int rc = rtk_cursor_next(cursor_of(base), &err);
  return rc == SQLITE_OK ? rc : fail(base->pVtab, rc, &err);
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

/* --- registering ------------------------------------------------------------ */

/* xCreate is xConnect: the table is there without CREATE VIRTUAL TABLE.  SQLite
** takes that one for a part of "main", and holds a read lock on it while a
** statement uses the table.  A TEMP table holds none. */
static const sqlite3_module methods = {
    .xCreate = connect,
    .xConnect = connect,
    .xBestIndex = best_index,
    .xDisconnect = disconnect,
    .xDestroy = disconnect,
    .xOpen = open_scan,
    .xClose = close_scan,
    .xFilter = filter,
    .xNext = next,
    .xEof = eof,
    .xColumn = column,
    .xRowid = rowid,
};

static void free_module(void *user) {
  struct module *module = user;
  rtk_conn_release(module->conn);
  sqlite3_free(module);
}

int rtk_vtab_register(struct rtk_conn *conn,
                      const struct rtk_endpoint *endpoint) {
  struct module *module = sqlite3_malloc64(sizeof(*module));
  if (module == NULL) return SQLITE_NOMEM;
  module->conn = rtk_conn_hold(conn);
  module->endpoint = endpoint;
  return sqlite3_create_module_v2(conn->db, endpoint->name, &methods, module,
                                  free_module);
}
