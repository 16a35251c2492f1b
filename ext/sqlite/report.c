/*
** Tables that show what rtk itself knows.  The rows of each are made whole when
** it is asked for, by its fill function.
**
** Arguments are hidden columns behind the others: rtk_x('a', 'b') and
** WHERE account = 'a' are the same.  Each may be left out.
*/
#include "sqlite/report.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/rows.h"
#include "config/config.h"
#include "fetch/conn.h"
#include "fetch/prefetch.h"
#include "fetch/rerun.h"
#include "sqlite/check.h"
#include "sqlite/columns.h"
#include "sqlite/guard.h"
#include "sqlite/statstable.h"

#include <stdbool.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* One table.  `fill` adds `column_count` cells for each row, the hidden columns
** left out; an argument that was not given, or is NULL, has no bytes.  It
** returns SQLITE_OK, SQLITE_ERROR with a message, SQLITE_INTERRUPT or
** SQLITE_NOMEM; rows.is_nomem is looked at for it. */
struct report {
  const char *name;
  const char *schema; /* the arguments are its last columns, TEXT HIDDEN */
  int column_count;   /* without them */
  int argument_count; /* up to RTK_REPORT_ARGUMENTS_MAX */
  bool has_requests;  /* it makes some: a collecting run must not read it */
  int (*fill)(struct rtk_conn *, const struct rtk_text *arguments,
              struct rtk_rows *, struct rtk_err *);
};

struct module {
  struct rtk_conn *conn; /* held */
  const struct report *report;
};

struct table {
  sqlite3_vtab base; /* first: SQLite's view of it */
  struct rtk_rerun_table known;
  const struct module *module;
};

struct cursor {
  sqlite3_vtab_cursor base; /* first: SQLite's view of it */
  const struct module *module;
  sqlite3_value *given[RTK_REPORT_ARGUMENTS_MAX]; /* owned; NULL: not given */
  struct rtk_rows rows;
  size_t row;
};

/* --- rtk_settings ------------------------------------------------------------ */

static int fill_settings(struct rtk_conn *conn,
                         const struct rtk_text *arguments,
                         struct rtk_rows *rows, struct rtk_err *err) {
  (void)arguments;
  (void)err;
  for (int i = 0; i < RTK_SETTING_COUNT; i++) {
    enum rtk_setting setting = (enum rtk_setting)i;
    bool is_nomem = false;
    rtk_rows_text(rows, rtk_config_name(setting));
    rtk_rows_take(rows, rtk_config_shown(conn->config, setting, &is_nomem));
    if (is_nomem) return SQLITE_NOMEM;
    rtk_rows_text(rows, rtk_config_default(setting));
    rtk_rows_text(rows, rtk_config_source(conn->config, setting));
    rtk_rows_text(rows, rtk_config_doc(setting));
  }
  return SQLITE_OK;
}

static const struct report reports[] = {
    {.name = "rtk_settings",
     .schema = "CREATE TABLE x(name TEXT, value TEXT, \"default\" TEXT,"
               " source TEXT, description TEXT)",
     .column_count = 5,
     .fill = fill_settings},
    {.name = "rtk_stats",
     .schema = "CREATE TABLE x(name TEXT, value)",
     .column_count = 2,
     .fill = rtk_statstable_fill},
    {.name = "rtk_columns",
     .schema = "CREATE TABLE x(\"table\" TEXT, \"column\" TEXT, type TEXT,"
               " hidden INTEGER, argument TEXT, doc TEXT)",
     .column_count = 6,
     .fill = rtk_columns_fill},
    {.name = "rtk_check",
     .schema = "CREATE TABLE x(\"check\" TEXT, ok INTEGER, detail TEXT,"
               " account TEXT HIDDEN, app TEXT HIDDEN)",
     .column_count = 3,
     .argument_count = 2,
     .has_requests = true,
     .fill = rtk_check_fill},
};

/* --- the virtual table -------------------------------------------------------- */

static int connect(sqlite3 *db, void *user, int argc, const char *const *argv,
                   sqlite3_vtab **vtab, char **message) {
  const struct module *module = user;
  const struct report *report = module->report;
  if (!rtk_guard_may_be_created(report->name, argc, argv)) {
    *message = sqlite3_mprintf("%s: it is there without CREATE VIRTUAL TABLE,"
                               " and under no other name",
                               report->name);
    return SQLITE_ERROR;
  }
  int rc =
      rtk_guard_declare(db, report->schema, SQLITE_VTAB_DIRECTONLY, message);
  if (rc != SQLITE_OK) return rc;
  struct table *table = sqlite3_malloc64(sizeof(*table));
  if (table == NULL) {
    *message = sqlite3_mprintf("out of memory");
    return SQLITE_ERROR;
  }
  memset(table, 0, sizeof(*table));
  table->module = module;
  table->known.vtab = &table->base;
  if (!report->has_requests) {
    rtk_prefetch_add_table(module->conn->prefetch, &table->known);
  }
  *vtab = &table->base;
  return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *vtab) {
  struct table *table = (struct table *)(void *)vtab;
  if (!table->module->report->has_requests) {
    rtk_prefetch_remove_table(table->module->conn->prefetch, &table->known);
  }
  sqlite3_free(table);
  return SQLITE_OK;
}

/* Bit k of the plan's number: argument k is given, in the order of the
** arguments.  It is the same value that the hidden column then shows, so
** SQLite need not compare again. */
static int best_index(sqlite3_vtab *vtab, sqlite3_index_info *info) {
  const struct report *report =
      ((const struct table *)(const void *)vtab)->module->report;
  int used = 0;
  for (int k = 0; k < report->argument_count; k++) {
    bool is_unusable = false;
    int taken = -1;
    for (int i = 0; i < info->nConstraint; i++) {
      const struct sqlite3_index_constraint *term = &info->aConstraint[i];
      if (term->op != SQLITE_INDEX_CONSTRAINT_EQ &&
          term->op != SQLITE_INDEX_CONSTRAINT_IS) {
        continue;
      }
      if (term->iColumn != report->column_count + k) continue;
      if (term->usable != 0 && taken < 0) taken = i;
      if (term->usable == 0) is_unusable = true;
    }
    if (taken < 0 && is_unusable) return SQLITE_CONSTRAINT;
    if (taken < 0) continue;
    info->aConstraintUsage[taken].argvIndex = ++used;
    info->aConstraintUsage[taken].omit = 1;
    info->idxNum |= 1 << k;
  }
  info->estimatedCost = 100.0;
  info->estimatedRows = 20;
  return SQLITE_OK;
}

/* As in vtab.c: SQLITE_NOMEM would roll the host's transaction back. */
static int fail(sqlite3_vtab *vtab, int rc, struct rtk_err *err) {
  if (rc == SQLITE_NOMEM) {
    (void)rtk_err_set(err, "out of memory");
    rc = SQLITE_ERROR;
  }
  rtk_err_prefix(
      err, ((const struct table *)(const void *)vtab)->module->report->name);
  sqlite3_free(vtab->zErrMsg);
  vtab->zErrMsg = rtk_err_take(err);
  return rc;
}

static int open_cursor(sqlite3_vtab *vtab, sqlite3_vtab_cursor **out) {
  const struct module *module =
      ((const struct table *)(const void *)vtab)->module;
  struct rtk_err err = {0};
  int rc = rtk_guard_check_table(module->conn->db, module->report->name, &err);
  if (rc != SQLITE_OK) return fail(vtab, rc, &err);
  struct cursor *cursor = sqlite3_malloc64(sizeof(*cursor));
  if (cursor == NULL) return fail(vtab, SQLITE_NOMEM, &err);
  memset(cursor, 0, sizeof(*cursor));
  cursor->module = module;
  *out = &cursor->base;
  return SQLITE_OK;
}

static struct cursor *cursor_of(sqlite3_vtab_cursor *base) {
  return (struct cursor *)(void *)base;
}

static void clear(struct cursor *cursor) {
  for (int k = 0; k < RTK_REPORT_ARGUMENTS_MAX; k++) {
    sqlite3_value_free(cursor->given[k]);
    cursor->given[k] = NULL;
  }
  rtk_rows_clear(&cursor->rows);
  cursor->row = 0;
}

static int close_cursor(sqlite3_vtab_cursor *base) {
  clear(cursor_of(base));
  sqlite3_free(base);
  return SQLITE_OK;
}

/* Keeps the arguments, as they are and as text. */
static int take_arguments(struct cursor *cursor, int given,
                          sqlite3_value **argv, struct rtk_text *arguments) {
  for (int k = 0; k < cursor->module->report->argument_count; k++) {
    if ((given & 1 << k) == 0) continue;
    cursor->given[k] = sqlite3_value_dup(*argv++);
    if (cursor->given[k] == NULL) return SQLITE_NOMEM;
    if (sqlite3_value_type(cursor->given[k]) == SQLITE_NULL) continue;
    arguments[k].bytes = (const char *)sqlite3_value_text(cursor->given[k]);
    if (arguments[k].bytes == NULL) return SQLITE_NOMEM;
    arguments[k].size = (size_t)sqlite3_value_bytes(cursor->given[k]);
  }
  return SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *base, int given, const char *words,
                  int argc, sqlite3_value **argv) {
  struct cursor *cursor = cursor_of(base);
  const struct module *module = cursor->module;
  struct rtk_text arguments[RTK_REPORT_ARGUMENTS_MAX] = {{NULL, 0}};
  struct rtk_err err = {0};
  (void)words;
  (void)argc;
  clear(cursor);
  int rc = take_arguments(cursor, given, argv, arguments);
  if (rc == SQLITE_OK) {
    rc = module->report->fill(module->conn, arguments, &cursor->rows, &err);
  }
  if (rc == SQLITE_OK && cursor->rows.is_nomem) rc = SQLITE_NOMEM;
  return rc == SQLITE_OK ? rc : fail(base->pVtab, rc, &err);
}

static int next(sqlite3_vtab_cursor *base) {
  cursor_of(base)->row++;
  return SQLITE_OK;
}

static int eof(sqlite3_vtab_cursor *base) {
  const struct cursor *cursor = cursor_of(base);
  size_t width = (size_t)cursor->module->report->column_count;
  return cursor->row >= cursor->rows.count / width;
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *out, int i) {
  const struct cursor *cursor = cursor_of(base);
  int width = cursor->module->report->column_count;
  if (i < width) {
    rtk_rows_result(
        out, &cursor->rows.cells[cursor->row * (size_t)width + (size_t)i]);
  } else if (cursor->given[i - width] != NULL) {
    sqlite3_result_value(out, cursor->given[i - width]);
  }
  return SQLITE_OK;
}

static int rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out) {
  *out = (sqlite3_int64)cursor_of(base)->row;
  return SQLITE_OK;
}

static const sqlite3_module methods = {
    .xConnect = connect,
    .xBestIndex = best_index,
    .xDisconnect = disconnect,
    .xOpen = open_cursor,
    .xClose = close_cursor,
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

int rtk_report_register(struct rtk_conn *conn) {
  int rc = SQLITE_OK;
  for (size_t i = 0; i < sizeof(reports) / sizeof(*reports); i++) {
    if (rc != SQLITE_OK) break;
    struct module *module = sqlite3_malloc64(sizeof(*module));
    if (module == NULL) return SQLITE_NOMEM;
    module->conn = rtk_conn_hold(conn);
    module->report = &reports[i];
    rc = sqlite3_create_module_v2(conn->db, reports[i].name, &methods, module,
                                  free_module);
  }
  return rc;
}
