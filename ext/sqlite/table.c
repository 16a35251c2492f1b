/*
** What all tables of rtk have in common for SQLite.
**
** Return codes: only SQLITE_OK, SQLITE_ERROR, SQLITE_CONSTRAINT (xBestIndex)
** and SQLITE_INTERRUPT; SQLITE_ABORT in a collecting run.  SQLITE_NOMEM,
** SQLITE_IOERR or SQLITE_FULL from a method would roll back the host's
** transaction, although these tables are only read.  So a failed allocation is
** SQLITE_ERROR, `out of memory`.  (When an allocation of SQLite itself fails,
** the code is SQLITE_NOMEM and the transaction is lost, whatever a method
** returns.)
*/
#include "sqlite/table.h"

#include "base/err.h"
#include "fetch/conn.h"
#include "fetch/prefetch.h"
#include "sqlite/guard.h"

#include <stdint.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Everybody's databases may use this table. */
static bool is_trusting(const struct rtk_module *module) {
  return module->endpoint != NULL && rtk_conn_trusts_schema(module->conn);
}

/* SQLite connects a module under any name that a schema has for it:
**
**     CREATE VIRTUAL TABLE customer USING rtk_check
**
** Such a table would make requests under a name that does not tell.  So only
** the module's own name is right, without arguments.  A TEMP table may have any
** name: it was made on this connection. */
static bool may_connect(const struct rtk_module *module, int argc,
                        const char *const *argv) {
  enum { ARGV_SCHEMA = 1, ARGV_NAME, ARGV_COUNT };
  return argc == ARGV_COUNT &&
         (sqlite3_stricmp(argv[ARGV_SCHEMA], "temp") == 0 ||
          sqlite3_stricmp(argv[ARGV_NAME], module->name) == 0);
}

/* The tables of the endpoints make requests with a credential, and a database
** from somebody else must not use them from its views and triggers.  Who trusts
** all schemas wants just that, whatever PRAGMA trusted_schema says. */
static int declare(sqlite3 *db, const struct rtk_module *module,
                   char **message) {
  char *schema = module->endpoint == NULL
                     ? sqlite3_mprintf("%s", module->schema)
                     : rtk_endpoint_schema(module->endpoint);
  int limit = sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, INT32_MAX);
  int rc = schema == NULL ? SQLITE_NOMEM : sqlite3_declare_vtab(db, schema);
  (void)sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, limit); /* the host's */
  sqlite3_free(schema);
  if (rc == SQLITE_OK) {
    rc = sqlite3_vtab_config(db, is_trusting(module) ? SQLITE_VTAB_INNOCUOUS
                                                     : SQLITE_VTAB_DIRECTONLY);
  }
  if (rc == SQLITE_OK) return rc;
  /* sqlite3_declare_vtab() returns SQLITE_ERROR for an interrupt, too, which
  ** only its message tells: to prepare another statement would clear the
  ** interrupt. An interrupt at a table's first use is no error in the table. */
  const char *why = rc == SQLITE_NOMEM ? "out of memory" : sqlite3_errmsg(db);
  bool is_stopped = strcmp(why, sqlite3_errstr(SQLITE_INTERRUPT)) == 0;
  *message = sqlite3_mprintf("%s", why);
  return is_stopped ? SQLITE_INTERRUPT : SQLITE_ERROR;
}

int rtk_table_connect(sqlite3 *db, void *user, int argc,
                      const char *const *argv, sqlite3_vtab **vtab,
                      char **message) {
  const struct rtk_module *module = user;
  if (!may_connect(module, argc, argv)) {
    *message = sqlite3_mprintf(
        "%s: it is there without CREATE VIRTUAL TABLE, %s", module->name,
        module->endpoint == NULL
            ? "and under no other name"
            : "which makes TEMP tables only, without arguments");
    return SQLITE_ERROR;
  }
  int rc = declare(db, module, message);
  if (rc != SQLITE_OK) return rc;
  struct rtk_table *table = sqlite3_malloc64(sizeof(*table));
  if (table == NULL) {
    *message = sqlite3_mprintf("out of memory");
    return SQLITE_ERROR;
  }
  memset(table, 0, sizeof(*table));
  table->module = module;
  table->rerun.vtab = &table->base;
  if (module->endpoint != NULL) {
    rtk_endpoint_describe(module->endpoint, &table->signature);
  }
  if (module->may_rerun) {
    rtk_prefetch_add_table(module->conn->prefetch, &table->rerun);
  }
  *vtab = &table->base;
  return SQLITE_OK;
}

int rtk_table_disconnect(sqlite3_vtab *vtab) {
  struct rtk_table *table = (struct rtk_table *)(void *)vtab;
  if (table->module->may_rerun) {
    rtk_prefetch_remove_table(table->module->conn->prefetch, &table->rerun);
  }
  sqlite3_free(table);
  return SQLITE_OK;
}

int rtk_table_open(sqlite3_vtab *vtab, size_t size,
                   sqlite3_vtab_cursor **cursor) {
  const struct rtk_module *module = rtk_table_of(vtab)->module;
  struct rtk_err err = {0};
  int rc = is_trusting(module)
               ? SQLITE_OK
               : rtk_guard_check_table(module->conn->db, module->name, &err);
  if (rc == SQLITE_OK) {
    *cursor = sqlite3_malloc64(size);
    rc = *cursor == NULL ? SQLITE_NOMEM : SQLITE_OK;
  }
  if (rc != SQLITE_OK) return rtk_table_fail(vtab, rc, &err);
  memset(*cursor, 0, size);
  return SQLITE_OK;
}

int rtk_table_fail(sqlite3_vtab *vtab, int rc, struct rtk_err *err) {
  const struct rtk_module *module = rtk_table_of(vtab)->module;
  if (rc == SQLITE_NOMEM) {
    (void)rtk_err_set(err, "out of memory");
    err->kind = RTK_KIND_MEMORY;
    rc = SQLITE_ERROR;
  }
  if (rc == SQLITE_INTERRUPT) err->kind = RTK_KIND_INTERRUPTED;
  if (module->endpoint != NULL &&
      !rtk_prefetch_is_collecting(module->conn->prefetch)) {
    rtk_stats_note_error(&module->conn->stats, err);
  }
  rtk_err_prefix(err, module->name);
  sqlite3_free(vtab->zErrMsg);
  vtab->zErrMsg = rtk_err_take(err);
  return rc;
}

static void free_module(void *user) {
  struct rtk_module *module = user;
  rtk_conn_release(module->conn);
  sqlite3_free(module);
}

int rtk_table_register(const struct rtk_module *module,
                       const sqlite3_module *methods) {
  struct rtk_module *copy = sqlite3_malloc64(sizeof(*copy));
  if (copy == NULL) return SQLITE_NOMEM;
  *copy = *module;
  (void)rtk_conn_hold(copy->conn);
  return sqlite3_create_module_v2(copy->conn->db, copy->name, methods, copy,
                                  free_module);
}
