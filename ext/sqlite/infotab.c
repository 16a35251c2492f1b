/*
** Tables about rtk itself.  A scan makes all rows of its table at once, by the
** table's `fill`.
**
**     SELECT "check", ok, detail FROM rtk_check('ACCOUNT', 'APP')
**
**     infos[]       name, schema, arguments, fill: one row per table
**     best_index    account and app are given: bits 0 and 1
**     filter        fill(conn, {"ACCOUNT", "APP"}) → cells, row after row
**
** Arguments are hidden columns behind the others: rtk_x('a', 'b') and WHERE
** account = 'a' are the same.  Each may be left out.
*/
#include "sqlite/infotab.h"

#include "api/endpoint.h"
#include "base/cells.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/sanitize.h"
#include "config/config.h"
#include "disk/diskcache.h"
#include "fetch/conn.h"
#include "fetch/fetch.h"
#include "fetch/prefetch.h"
#include "sqlite/check.h"
#include "sqlite/functions.h"
#include "sqlite/help.h"
#include "sqlite/table.h"

#include <stdbool.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

#define ARGUMENTS_MAX 2 /* of one table */

/* One table.  `fill` adds `column_count` cells for each row, without the hidden
** columns; an argument that was not given, or is NULL, has no bytes.
** SQLITE_OK, SQLITE_ERROR with a message, SQLITE_INTERRUPT or SQLITE_NOMEM; the
** caller checks cells.is_nomem. */
struct info {
  const char *name;
  const char *doc;    /* for rtk_help */
  const char *schema; /* the arguments are its last columns, TEXT HIDDEN */
  int column_count;   /* without them */
  int argument_count; /* up to ARGUMENTS_MAX */
  bool has_requests;  /* so a collecting run must not read it */
  int (*fill)(struct rtk_conn *, const struct rtk_text *arguments,
              struct rtk_cells *, struct rtk_err *);
};

struct cursor {
  sqlite3_vtab_cursor base;            /* first: SQLite's view of it */
  sqlite3_value *given[ARGUMENTS_MAX]; /* owned; NULL: not given */
  struct rtk_cells cells;
  size_t row;
};

/* --- rtk_settings --------------------------------------------------------- */

static int fill_settings(struct rtk_conn *conn,
                         const struct rtk_text *arguments,
                         struct rtk_cells *cells, struct rtk_err *err) {
  (void)arguments;
  (void)err;
  for (int i = 0; i < RTK_SETTING_COUNT; i++) {
    enum rtk_setting setting = (enum rtk_setting)i;
    bool is_nomem = false;
    rtk_cells_text(cells, rtk_config_name(setting));
    rtk_cells_take(cells, rtk_config_shown(conn->config, setting, &is_nomem));
    if (is_nomem) return SQLITE_NOMEM;
    rtk_cells_text(cells, rtk_config_default(setting));
    rtk_cells_text(cells, rtk_config_source(conn->config, setting));
    rtk_cells_text(cells, rtk_config_doc(setting));
  }
  return SQLITE_OK;
}

/* --- rtk_stats ------------------------------------------------------------ */

/* The counters, as they stand in struct rtk_stats. */
static const struct {
  const char *name;
  size_t offset;
} counters[] = {
    {"requests", offsetof(struct rtk_stats, requests)},
    {"retries", offsetof(struct rtk_stats, retries)},
    {"rows", offsetof(struct rtk_stats, rows)},
    {"from_memory", offsetof(struct rtk_stats, from_memory)},
    {"from_file", offsetof(struct rtk_stats, from_file)},
    {"bytes", offsetof(struct rtk_stats, bytes)},
    {"waited_ms", offsetof(struct rtk_stats, waited_ms)},
    {"not_found", offsetof(struct rtk_stats, not_found)},
    {"unusable_ids", offsetof(struct rtk_stats, unusable_ids)},
    {"short_lists", offsetof(struct rtk_stats, short_lists)},
};

/* A negative number is not known: NULL. */
static void add(struct rtk_cells *cells, const char *name, int64_t number) {
  rtk_cells_text(cells, name);
  if (number < 0) {
    rtk_cells_null(cells);
  } else {
    rtk_cells_integer(cells, number);
  }
}

/* An empty text is NULL. */
static void add_text(struct rtk_cells *cells, const char *name,
                     const char *text) {
  rtk_cells_text(cells, name);
  rtk_cells_text(cells, text == NULL || text[0] == '\0' ? NULL : text);
}

/* The last failure, for programs.  retry_at is NULL once that time has come. */
static void add_failure(struct rtk_cells *cells,
                        const struct rtk_stats *stats) {
  char at[RTK_TIME_TEXT_SIZE] = "";
  if (stats->retry_unix_ms > rtk_clock_unix_ms()) {
    rtk_time_text(at, stats->retry_unix_ms);
  }
  add_text(cells, "last_error_kind", rtk_kind_word(stats->last_error_kind));
  add(cells, "last_http_status",
      stats->last_http_status == 0 ? -1 : stats->last_http_status);
  add_text(cells, "retry_at", at);
}

static int fill_stats(struct rtk_conn *conn, const struct rtk_text *arguments,
                      struct rtk_cells *cells, struct rtk_err *err) {
  const struct rtk_stats *stats = &conn->stats;
  (void)arguments;
  (void)err;
  for (size_t i = 0; i < sizeof(counters) / sizeof(*counters); i++) {
    const char *at = (const char *)stats + counters[i].offset;
    add(cells, counters[i].name, *(const int64_t *)(const void *)at);
  }
  add(cells, "latency_p50_ms", rtk_stats_latency(stats, 50));
  add(cells, "latency_p95_ms", rtk_stats_latency(stats, 95));

  int64_t reset_ms = -1;
  int64_t left = -1;
  int rc = rtk_conn_use_cache_file(conn);
  if (rc == SQLITE_OK) {
    rc = rtk_fetch_quota_left(conn->fetch, &left, &reset_ms);
  }
  if (rc != SQLITE_OK) return rc;
  add(cells, "quota_left", left);
  add(cells, "quota_reset_ms", left < 0 ? -1 : reset_ms);
  add(cells, "blocked_ms", rtk_fetch_blocked_ms(conn->fetch));

  add_text(cells, "last_cf_ray", stats->last_cf_ray);
  add_text(cells, "last_short_list", stats->last_short_list);
  add_failure(cells, stats);
  add_text(cells, "read_ahead", rtk_prefetch_describe(conn->prefetch));

  sqlite3_str *words = sqlite3_str_new(NULL);
  rtk_diskcache_describe(conn->disk, words);
  rtk_cells_text(cells, "cache_file");
  char *text = sqlite3_str_finish(words);
  if (text == NULL) return SQLITE_NOMEM;
  rtk_cells_take(cells, text);
  return SQLITE_OK;
}

/* --- rtk_columns ---------------------------------------------------------- */

static const char *argument_of(const struct rtk_column *column) {
  if (column->argument == RTK_ARGUMENT_FILTER) return "filter";
  return column->kind == RTK_COLUMN_ARGUMENT ? "path" : NULL;
}

static int fill_columns(struct rtk_conn *conn, const struct rtk_text *arguments,
                        struct rtk_cells *cells, struct rtk_err *err) {
  (void)conn;
  (void)arguments;
  (void)err;
  for (int i = 0; i < rtk_endpoint_count; i++) {
    for (int k = 0; k < rtk_endpoints[i].column_count; k++) {
      const struct rtk_column *column = &rtk_endpoints[i].columns[k];
      if (column->kind == RTK_COLUMN_SURPLUS) continue;
      rtk_cells_text(cells, rtk_endpoints[i].name);
      rtk_cells_text(cells, column->name);
      rtk_cells_text(cells, rtk_endpoint_type(column));
      rtk_cells_integer(cells, rtk_endpoint_is_hidden(column));
      rtk_cells_text(cells, argument_of(column));
      rtk_cells_text(cells, column->doc);
    }
  }
  return SQLITE_OK;
}

/* --- the tables ----------------------------------------------------------- */

static int fill_help(struct rtk_conn *conn, const struct rtk_text *arguments,
                     struct rtk_cells *cells, struct rtk_err *err);

static const struct info infos[] = {
    {.name = "rtk_help",
     .doc = "this list; hidden column example: SQL that runs",
     .schema = "CREATE TABLE x(kind TEXT, name TEXT, usage TEXT, doc TEXT,"
               " example TEXT HIDDEN)",
     .column_count = 5,
     .fill = fill_help},
    {.name = "rtk_check",
     .doc = "can a query run? if not, what is missing",
     .schema = "CREATE TABLE x(\"check\" TEXT, ok INTEGER, detail TEXT,"
               " account TEXT HIDDEN, app TEXT HIDDEN)",
     .column_count = 3,
     .argument_count = 2,
     .has_requests = true,
     .fill = rtk_check_fill},
    {.name = "rtk_settings",
     .doc = "the settings, their values and where from",
     .schema = "CREATE TABLE x(name TEXT, value TEXT, \"default\" TEXT,"
               " source TEXT, description TEXT)",
     .column_count = 5,
     .fill = fill_settings},
    {.name = "rtk_stats",
     .doc = "what was requested, and what is left",
     .schema = "CREATE TABLE x(name TEXT, value)",
     .column_count = 2,
     .fill = fill_stats},
    {.name = "rtk_columns",
     .doc = "the columns and filters of every table",
     .schema = "CREATE TABLE x(table_name TEXT, column_name TEXT, type TEXT,"
               " hidden INTEGER, argument TEXT, doc TEXT)",
     .column_count = 6,
     .fill = fill_columns},
};

/* What a lost user looks for first comes first. */
static int fill_help(struct rtk_conn *conn, const struct rtk_text *arguments,
                     struct rtk_cells *cells, struct rtk_err *err) {
  (void)conn;
  (void)arguments;
  (void)err;
  for (size_t i = 0; i < sizeof(infos) / sizeof(*infos); i++) {
    rtk_help_add(
        cells, "table", infos[i].name,
        sqlite3_mprintf("%s%s", infos[i].name,
                        infos[i].argument_count > 0 ? "(account, app)" : ""),
        infos[i].doc, sqlite3_mprintf("SELECT * FROM %s", infos[i].name));
  }
  rtk_help_endpoints(cells);
  rtk_functions_help(cells);
  for (int i = 0; i < RTK_SETTING_COUNT; i++) {
    const char *name = rtk_config_name((enum rtk_setting)i);
    rtk_help_add(cells, "setting", name,
                 sqlite3_mprintf("rtk_config('%s', value)", name),
                 rtk_config_doc((enum rtk_setting)i),
                 sqlite3_mprintf("SELECT rtk_config('%s')", name));
  }
  rtk_help_files(cells);
  return SQLITE_OK;
}

/* --- the virtual table ---------------------------------------------------- */

static const struct info *info_of(const sqlite3_vtab *vtab) {
  return rtk_table_of(vtab)->module->info;
}

static bool is_equality(int op) {
  return op == SQLITE_INDEX_CONSTRAINT_EQ || op == SQLITE_INDEX_CONSTRAINT_IS;
}

/* Bit k of idxNum: argument k is given, in the order of the arguments.  The
** hidden column then shows the same value, so SQLite need not compare again. */
static int best_index(sqlite3_vtab *vtab, sqlite3_index_info *index) {
  const struct info *info = info_of(vtab);
  int used = 0;
  for (int k = 0; k < info->argument_count; k++) {
    bool is_unusable = false;
    int taken = -1;
    for (int i = 0; i < index->nConstraint; i++) {
      const struct sqlite3_index_constraint *term = &index->aConstraint[i];
      if (!is_equality(term->op) || term->iColumn != info->column_count + k) {
        continue;
      }
      if (term->usable == 0) is_unusable = true;
      if (term->usable != 0 && taken < 0) taken = i;
    }
    if (taken < 0 && is_unusable) return SQLITE_CONSTRAINT;
    if (taken < 0) continue;
    index->aConstraintUsage[taken].argvIndex = ++used;
    index->aConstraintUsage[taken].omit = 1;
    index->idxNum |= 1 << k;
  }
  index->estimatedCost = 100.0;
  index->estimatedRows = 20;
  return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *vtab, sqlite3_vtab_cursor **cursor) {
  return rtk_table_open(vtab, sizeof(struct cursor), cursor);
}

static struct cursor *cursor_of(sqlite3_vtab_cursor *base) {
  return (struct cursor *)(void *)base;
}

static void clear(struct cursor *cursor) {
  for (int k = 0; k < ARGUMENTS_MAX; k++) {
    sqlite3_value_free(cursor->given[k]);
    cursor->given[k] = NULL;
  }
  rtk_cells_clear(&cursor->cells);
  cursor->row = 0;
}

static int close_cursor(sqlite3_vtab_cursor *base) {
  clear(cursor_of(base));
  sqlite3_free(base);
  return SQLITE_OK;
}

/* Keeps the arguments as they were given, for the hidden columns, and as
** text. */
static int take_arguments(struct cursor *cursor, int given,
                          sqlite3_value **argv, struct rtk_text *arguments) {
  for (int k = 0; k < ARGUMENTS_MAX; k++) {
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
  const struct rtk_module *module = rtk_table_of(base->pVtab)->module;
  const struct info *info = module->info;
  struct rtk_text arguments[ARGUMENTS_MAX] = {{NULL, 0}};
  struct rtk_err err = {0};
  (void)words;
  (void)argc;
  clear(cursor);
  int rc = take_arguments(cursor, given, argv, arguments);
  if (rc == SQLITE_OK) {
    rc = info->fill(module->conn, arguments, &cursor->cells, &err);
  }
  if (rc == SQLITE_OK && cursor->cells.is_nomem) rc = SQLITE_NOMEM;
  return rc == SQLITE_OK ? rc : rtk_table_fail(base->pVtab, rc, &err);
}

static int next(sqlite3_vtab_cursor *base) {
  cursor_of(base)->row++;
  return SQLITE_OK;
}

static int eof(sqlite3_vtab_cursor *base) {
  const struct cursor *cursor = cursor_of(base);
  size_t width = (size_t)info_of(base->pVtab)->column_count;
  return cursor->row >= cursor->cells.count / width;
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *out, int i) {
  const struct cursor *cursor = cursor_of(base);
  int width = info_of(base->pVtab)->column_count;
  if (i < width) {
    rtk_cells_result(
        out, &cursor->cells.items[cursor->row * (size_t)width + (size_t)i]);
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
    .xConnect = rtk_table_connect,
    .xBestIndex = best_index,
    .xDisconnect = rtk_table_disconnect,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = filter,
    .xNext = next,
    .xEof = eof,
    .xColumn = column,
    .xRowid = rowid,
};

int rtk_infotab_register(struct rtk_conn *conn) {
  int rc = SQLITE_OK;
  for (size_t i = 0; i < sizeof(infos) / sizeof(*infos); i++) {
    if (rc != SQLITE_OK) break;
    struct rtk_module module = {.conn = conn,
                                .name = infos[i].name,
                                .may_rerun = !infos[i].has_requests,
                                .schema = infos[i].schema,
                                .info = &infos[i]};
    rc = rtk_table_register(&module, &methods);
  }
  return rc;
}
