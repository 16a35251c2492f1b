/*
** Tables that show what rtk itself knows.  Each is a list of rows of text,
** made whole when it is asked for.
*/
#include "report.h"

#include "config.h"
#include "conn.h"

#include <stdbool.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* One table: how it is declared, how many rows it has, and its cells. */
struct report {
  const char *name;
  const char *schema;
  int (*row_count)(void);
  int (*cell)(sqlite3_context *, const struct rtk_conn *, int row, int column);
};

struct module {
  struct rtk_conn *conn; /* held */
  const struct report *report;
};

struct table {
  sqlite3_vtab base; /* first: SQLite's view of it */
  const struct module *module;
};

struct cursor {
  sqlite3_vtab_cursor base; /* first: SQLite's view of it */
  int row;
};

/* --- rtk_settings ------------------------------------------------------------ */

static int settings_row_count(void) { return RTK_SETTING_COUNT; }

static int settings_cell(sqlite3_context *out, const struct rtk_conn *conn,
                         int row, int column) {
  enum rtk_setting setting = (enum rtk_setting)row;
  const struct rtk_config *config = conn->config;
  const char *text = NULL;
  bool is_nomem = false;
  switch (column) {
  case 0:
    text = rtk_config_name(setting);
    break;
  case 1:
    sqlite3_result_text(out, rtk_config_shown(config, setting, &is_nomem), -1,
                        sqlite3_free);
    return is_nomem ? SQLITE_NOMEM : SQLITE_OK;
  case 2:
    text = rtk_config_default(setting);
    break;
  case 3:
    text = rtk_config_source(config, setting);
    break;
  default:
    text = rtk_config_doc(setting);
    break;
  }
  sqlite3_result_text(out, text, -1, SQLITE_STATIC);
  return SQLITE_OK;
}

static const struct report reports[] = {
    {"rtk_settings",
     "CREATE TABLE x(name TEXT, value TEXT, \"default\" TEXT, source TEXT,"
     " description TEXT)",
     settings_row_count, settings_cell},
};

/* --- the virtual table -------------------------------------------------------- */

static int connect(sqlite3 *db, void *user, int argc, const char *const *argv,
                   sqlite3_vtab **vtab, char **message) {
  const struct module *module = user;
  (void)argc;
  (void)argv;
  (void)message;
  int rc = sqlite3_declare_vtab(db, module->report->schema);
  if (rc == SQLITE_OK) rc = sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
  if (rc != SQLITE_OK) return rc;
  struct table *table = sqlite3_malloc64(sizeof(*table));
  if (table == NULL) return SQLITE_NOMEM;
  memset(table, 0, sizeof(*table));
  table->module = module;
  *vtab = &table->base;
  return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *vtab) {
  sqlite3_free(vtab);
  return SQLITE_OK;
}

static int best_index(sqlite3_vtab *vtab, sqlite3_index_info *info) {
  (void)vtab;
  info->estimatedCost = 100.0;
  info->estimatedRows = 20;
  return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *vtab, sqlite3_vtab_cursor **out) {
  struct cursor *cursor = sqlite3_malloc64(sizeof(*cursor));
  (void)vtab;
  if (cursor == NULL) return SQLITE_NOMEM;
  memset(cursor, 0, sizeof(*cursor));
  *out = &cursor->base;
  return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base) {
  sqlite3_free(base);
  return SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *base, int number, const char *words,
                  int argc, sqlite3_value **argv) {
  (void)number;
  (void)words;
  (void)argc;
  (void)argv;
  ((struct cursor *)(void *)base)->row = 0;
  return SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *base) {
  ((struct cursor *)(void *)base)->row++;
  return SQLITE_OK;
}

static const struct module *module_of(const sqlite3_vtab_cursor *base) {
  return ((const struct table *)(const void *)base->pVtab)->module;
}

static int eof(sqlite3_vtab_cursor *base) {
  const struct cursor *cursor = (const struct cursor *)(const void *)base;
  return cursor->row >= module_of(base)->report->row_count();
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *out, int i) {
  const struct cursor *cursor = (const struct cursor *)(const void *)base;
  const struct module *module = module_of(base);
  return module->report->cell(out, module->conn, cursor->row, i);
}

static int rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out) {
  *out = ((const struct cursor *)(const void *)base)->row;
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
