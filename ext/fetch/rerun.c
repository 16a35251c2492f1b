/*
** Runs the host's statement a second time.
**
** What its program uses (uses.h) tells what it does: is every function SQLite's
** own or innocuous, with one result always?  Is every virtual table ours, or
** known (known.h)?
**
** A recursive query may have no end but the LIMIT of the whole statement, so
** its recursion is bounded (rewrite.h).  In doubt the statement is refused.
**
** Of a statement that writes, only the SELECT in it is run (rewrite.h).
**
** Parameters have the same values in the second run, as far as SQLite shows
** them (parameters.h).
*/
#include "fetch/rerun.h"

#include "base/err.h"
#include "base/probe.h"
#include "base/strset.h"
#include "fetch/known.h"
#include "fetch/parameters.h"
#include "fetch/rewrite.h"
#include "fetch/uses.h"

#include <stddef.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Bytes of a value in the run: a recursion may double a text with each row. */
#define VALUE_MAX 16777216

static int refuse(struct rtk_rerun *rerun, const char *format,
                  const char *name) {
  sqlite3_snprintf((int)sizeof(rerun->why), rerun->why, format, name);
  return SQLITE_ERROR;
}

/* --- what it may use ------------------------------------------------------ */

/* Flags of PRAGMA function_list (sqlite3.h): SQLITE_DETERMINISTIC,
** SQLITE_DIRECTONLY, SQLITE_INNOCUOUS.  SQLite's own carry the last one as
** builtin=1.  An aggregate never carries the first.  All functions of one name
** count, whatever their number of arguments.  No row: a function that cannot be
** called by a name.
**
** The functions named here only read, and give one value during a statement or,
** last_insert_rowid(), a value that matters to no look-up: the time is that of
** the statement (sqlite.org/lang_datefunc.html), the counts are those of the
** last statement that ended (sqlite.org/lang_corefunc.html). */
static const char judge_function[] =
    "SELECT min(flags & 0x80000 = 0 AND (builtin OR flags & 0x200000)"
    " AND (type <> 's' OR flags & 0x800 OR builtin AND name IN ('current_date',"
    " 'current_time', 'current_timestamp', 'changes', 'total_changes',"
    " 'last_insert_rowid', 'sqlite_version', 'sqlite_source_id'))"
    " AND name <> 'sqlite_log')"
    " FROM pragma_function_list WHERE name = ? COLLATE NOCASE";

static int check_functions(struct rtk_rerun *rerun,
                           const struct rtk_strset *names) {
  sqlite3_stmt *stmt = NULL;
  int rc = SQLITE_OK;
  if (names->count == 0) return SQLITE_OK;
  rc = rtk_probe_prepare(rerun->db, judge_function, &stmt);
  for (size_t i = 0; rc == SQLITE_OK && i < names->count; i++) {
    struct rtk_text name = rtk_strset_text(names, i);
    rc = sqlite3_bind_text(stmt, 1, name.bytes, (int)name.size, SQLITE_STATIC);
    if (rc != SQLITE_OK) break;
    bool is_fit =
        rtk_probe_step(stmt) == SQLITE_ROW && sqlite3_column_int(stmt, 0) != 0;
    rc = sqlite3_reset(stmt);
    if (is_fit || rc != SQLITE_OK) continue;
    sqlite3_snprintf((int)sizeof(rerun->why), rerun->why,
                     "%.*s() is called, which may do something", (int)name.size,
                     name.bytes);
    rc = SQLITE_ERROR;
  }
  (void)sqlite3_finalize(stmt);
  return rc;
}

static bool is_ours(const struct rtk_rerun *rerun, struct rtk_text name) {
  for (const struct rtk_rerun_table *t = rerun->tables; t != NULL;
       t = t->next) {
    struct rtk_probe_name ours = rtk_probe_name(t->vtab);
    if (name.size == strlen(ours.text) &&
        memcmp(name.bytes, ours.text, name.size) == 0) {
      return true;
    }
  }
  return false;
}

/* *has_series: one of them is a series. */
static int check_tables(struct rtk_rerun *rerun,
                        const struct rtk_strset *tables, bool *has_series) {
  bool is_known = true;
  int rc = SQLITE_OK;
  *has_series = false;
  for (size_t i = 0; rc == SQLITE_OK && is_known && i < tables->count; i++) {
    struct rtk_text name = rtk_strset_text(tables, i);
    bool is_series = false;
    if (is_ours(rerun, name)) continue;
    rc = rtk_known_find(rerun->db, name, &is_known, &is_series);
    *has_series = *has_series || is_series;
  }
  return rc == SQLITE_OK && !is_known
             ? refuse(rerun, "another virtual table is in the statement", "")
             : rc;
}

/* A LIMIT that ends the statement may not end the run, whose rows have no data:
** it would read the series to its end. */
static int check_series(struct rtk_rerun *rerun, const char *sql) {
  struct rtk_loops loops;
  int rc = rtk_loops_look(rerun->db, sql, false, &loops);
  return rc == SQLITE_OK && !loops.are_calls_whole
             ? refuse(rerun, "a series may have no end but the LIMIT", "")
             : rc;
}

/* Replaces *text by what was made of it. */
static void replace(char **text, char *made) {
  sqlite3_free(*text);
  *text = made;
}

/* Puts those views of a schema that *text names, and that may be recursive,
** into *text. */
static int inline_schema(struct rtk_rerun *rerun, const unsigned char *schema,
                         char **text) {
  sqlite3_stmt *views = NULL;
  char *sql = sqlite3_mprintf("SELECT sql FROM \"%w\".sqlite_master WHERE type"
                              " = 'view' AND sql LIKE '%%UNION%%' AND"
                              " instr(lower(%Q), lower(name))",
                              schema, *text);
  int rc =
      sql == NULL ? SQLITE_NOMEM : rtk_probe_prepare(rerun->db, sql, &views);
  while (rc == SQLITE_OK && (rc = rtk_probe_step(views)) == SQLITE_ROW) {
    char *inlined = NULL;
    const char *view = (const char *)sqlite3_column_text(views, 0);
    rc =
        view == NULL ? SQLITE_NOMEM : rtk_rewrite_inline(*text, view, &inlined);
    if (rc == SQLITE_OK) replace(text, inlined);
  }
  (void)sqlite3_finalize(views);
  sqlite3_free(sql);
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int inline_views(struct rtk_rerun *rerun, char **text) {
  sqlite3_stmt *schemas = NULL;
  int rc = rtk_probe_prepare(rerun->db, "SELECT name FROM pragma_database_list",
                             &schemas);
  while (rc == SQLITE_OK && (rc = rtk_probe_step(schemas)) == SQLITE_ROW) {
    rc = inline_schema(rerun, sqlite3_column_text(schemas, 0), text);
  }
  (void)sqlite3_finalize(schemas);
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Bounds the recursions in *text.  *is: without them none is left, such as that
** of a view. */
static int bound_text(struct rtk_rerun *rerun, char **text, bool *is) {
  bool is_recursive = false;
  char *cut = NULL;
  char *bounded = NULL;
  int rc = rtk_rewrite_cut(*text, &cut);
  *is = false;
  if (rc == SQLITE_OK) {
    rc = rtk_probe_plan_has(rerun->db, cut, "RECURSIVE", &is_recursive);
  }
  sqlite3_free(cut);
  if (rc == SQLITE_OK && !is_recursive) rc = rtk_rewrite_bound(*text, &bounded);
  if (bounded == NULL) return rc;
  replace(text, bounded);
  *is = true;
  return SQLITE_OK;
}

/* Bounds the recursions of the statement and of the views that it names. */
static int bound_recursion(struct rtk_rerun *rerun, char **text) {
  bool is_recursive = false;
  bool is_bound = false;
  int rc = rtk_probe_plan_has(rerun->db, *text, "RECURSIVE", &is_recursive);
  if (!is_recursive || rc != SQLITE_OK) return rc;
  rc = bound_text(rerun, text, &is_bound);
  if (!is_bound && !rtk_probe_is_fatal(rc)) rc = inline_views(rerun, text);
  if (!is_bound && rc == SQLITE_OK) rc = bound_text(rerun, text, &is_bound);
  if (is_bound || rtk_probe_is_fatal(rc)) return rc;
  return refuse(rerun, "a recursive query may have no end", "");
}

/* What is run: the text of a SELECT, or the SELECT in a statement that
** writes. */
static int find_text(struct rtk_rerun *rerun, sqlite3_stmt *stmt, char **text) {
  const char *sql = sqlite3_sql(stmt);
  if (sqlite3_stmt_readonly(stmt) && sqlite3_column_count(stmt) > 0) {
    *text = sqlite3_mprintf("%s", sql);
    return *text == NULL ? SQLITE_NOMEM : SQLITE_OK;
  }
  sqlite3_stmt *select = NULL;
  int rc = sql == NULL ? SQLITE_NOTFOUND : rtk_rewrite_select(sql, text);
  if (rc == SQLITE_OK) rc = rtk_probe_prepare(rerun->db, *text, &select);
  bool is_fit = rc == SQLITE_OK && sqlite3_stmt_readonly(select) &&
                sqlite3_column_count(select) > 0;
  (void)sqlite3_finalize(select);
  if (is_fit || rtk_probe_is_fatal(rc)) return rc;
  return refuse(rerun, "no SELECT can be taken out of the statement", "");
}

static int check(struct rtk_rerun *rerun, const char *sql) {
  struct rtk_uses uses = {0};
  bool has_series = false;
  int rc = rtk_uses_read(rerun->db, sql, &uses);
  if (rc == SQLITE_OK) rc = check_functions(rerun, &uses.functions);
  if (rc == SQLITE_OK) rc = check_tables(rerun, &uses.tables, &has_series);
  if (rc == SQLITE_OK && has_series) rc = check_series(rerun, sql);
  rtk_uses_deinit(&uses);
  return rc;
}

/* Is it the statement that was found fit?  There may be another at its
** address. */
static bool is_found(const struct rtk_rerun *rerun, sqlite3_stmt *stmt) {
  const char *sql = sqlite3_sql(stmt);
  return stmt == rerun->stmt && sql != NULL && strcmp(sql, rerun->sql) == 0;
}

/* Takes over `text`. */
static int keep(struct rtk_rerun *rerun, sqlite3_stmt *stmt, char *text) {
  rtk_rerun_forget(rerun);
  rerun->text = text;
  rerun->sql = sqlite3_mprintf("%s", sqlite3_sql(stmt));
  if (rerun->sql == NULL) return SQLITE_NOMEM;
  rerun->stmt = stmt;
  return SQLITE_OK;
}

static int find(struct rtk_rerun *rerun, sqlite3_stmt *stmt) {
  char *text = NULL;
  int rc = find_text(rerun, stmt, &text);
  if (rc == SQLITE_OK) rc = bound_recursion(rerun, &text);
  if (rc == SQLITE_OK) rc = check(rerun, text);
  if (rc == SQLITE_OK) return keep(rerun, stmt, text);
  sqlite3_free(text);
  return rc;
}

static int read_parameters(struct rtk_rerun *rerun, sqlite3_stmt *stmt,
                           const struct rtk_parameters_known *known) {
  sqlite3_free(rerun->values);
  int rc = rtk_parameters_read(stmt, known, &rerun->values);
  return rc == SQLITE_NOTFOUND
             ? refuse(
                   rerun,
                   "a parameter is too long to be read, infinite or a zeroblob",
                   "")
             : rc;
}

int64_t rtk_rerun_scanned(const struct rtk_rerun *rerun) {
  return sqlite3_stmt_status(rerun->stmt, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0);
}

static int reads_ours(struct rtk_rerun *rerun, const char *sql, bool *does) {
  struct rtk_uses uses = {0};
  int rc = sql == NULL ? SQLITE_OK : rtk_uses_read(rerun->db, sql, &uses);
  *does = false;
  for (size_t i = 0; i < uses.tables.count; i++) {
    if (is_ours(rerun, rtk_strset_text(&uses.tables, i))) *does = true;
  }
  rtk_uses_deinit(&uses);
  return rtk_probe_is_fatal(rc) ? rc : SQLITE_OK;
}

/* Finds the statement that called us.  It is the only one that runs, or the
** only one that reads a table of ours: FTS5 and R-Tree run their own within it.
** *found is NULL when several read ours. */
static int find_statement(struct rtk_rerun *rerun, sqlite3_stmt **found) {
  int rc = SQLITE_OK;
  *found = rtk_probe_running(rerun->db);
  if (*found != NULL) return SQLITE_OK;
  for (sqlite3_stmt *s = sqlite3_next_stmt(rerun->db, NULL);
       rc == SQLITE_OK && s != NULL; s = sqlite3_next_stmt(rerun->db, s)) {
    bool does = false;
    if (!sqlite3_stmt_busy(s)) continue;
    rc = reads_ours(rerun, sqlite3_sql(s), &does);
    if (does && *found != NULL) {
      *found = NULL;
      return rc;
    }
    if (does) *found = s;
  }
  return rc;
}

static int look(struct rtk_rerun *rerun, sqlite3_stmt *stmt) {
  bool has_rows = sqlite3_stmt_readonly(stmt) != 0;
  char *text = NULL;
  int rc = find_text(rerun, stmt, &text);
  if (rc == SQLITE_OK) {
    rc = rtk_loops_look(rerun->db, text, has_rows, &rerun->loops);
  }
  sqlite3_free(text);
  rerun->looped = stmt;
  return rtk_probe_is_fatal(rc) ? rc : SQLITE_OK;
}

int rtk_rerun_look(struct rtk_rerun *rerun, struct rtk_loops *loops) {
  sqlite3_stmt *stmt = NULL;
  int rc = find_statement(rerun, &stmt);
  *loops = (struct rtk_loops){false, false};
  if (rc != SQLITE_OK || stmt == NULL) return rc;
  if (stmt != rerun->looped) {
    rerun->loops = *loops;
    rc = look(rerun, stmt);
    (void)rtk_probe_end(rerun->db);
  }
  *loops = rerun->loops;
  return rc;
}

int rtk_rerun_find(struct rtk_rerun *rerun,
                   const struct rtk_parameters_known *known) {
  sqlite3_stmt *stmt = NULL;
  rerun->why[0] = '\0';
  int rc = find_statement(rerun, &stmt);
  if (rc != SQLITE_OK) return rc;
  if (stmt == NULL) {
    return refuse(rerun,
                  "several unfinished statements of the connection read"
                  " tables of rtk",
                  "");
  }
  rc = is_found(rerun, stmt) ? SQLITE_OK : find(rerun, stmt);
  if (rc == SQLITE_OK) rc = read_parameters(rerun, stmt, known);
  if (rc == SQLITE_OK) return rc;
  if (rerun->why[0] == '\0') {
    (void)refuse(rerun, "the statement cannot be prepared again: %s",
                 sqlite3_errstr(rc));
  }
  (void)rtk_probe_end(rerun->db);
  /* After SQLITE_NOMEM, SQLite may have rolled the host's transaction back. */
  return rtk_probe_is_fatal(rc) ? rc : SQLITE_ERROR;
}

void rtk_rerun_forget(struct rtk_rerun *rerun) {
  sqlite3_free(rerun->sql);
  sqlite3_free(rerun->text);
  sqlite3_free(rerun->values);
  rerun->sql = NULL;
  rerun->text = NULL;
  rerun->values = NULL;
  rerun->stmt = rerun->looped = NULL;
}

/* --- the run -------------------------------------------------------------- */

int rtk_rerun_step(const struct rtk_rerun *rerun, bool (*goes_on)(const void *),
                   const void *user, struct rtk_err *err) {
  sqlite3 *db = rerun->db;
  sqlite3_stmt *again = NULL;
  int was_autocommit = sqlite3_get_autocommit(db);
  int rc =
      rtk_probe_prepare_as(db, "/* rtk read-ahead */ ", rerun->text, &again);
  if (rc == SQLITE_OK && rerun->values != NULL) {
    rc = rtk_parameters_bind(rerun->values, again);
  }
  if (rc == SQLITE_OK) {
    int limit = sqlite3_limit(db, SQLITE_LIMIT_LENGTH, -1);
    if (limit > VALUE_MAX) {
      (void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, VALUE_MAX);
    }
    while ((rc = sqlite3_step(again)) == SQLITE_ROW && goes_on(user)) continue;
    (void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, limit);
  }
  if (rc != SQLITE_INTERRUPT && rc != SQLITE_NOMEM) {
    bool is_rolled_back = sqlite3_get_autocommit(db) != was_autocommit;
    rc = is_rolled_back
             ? rtk_err_set(err, "the transaction was rolled back: %s",
                           sqlite3_errmsg(db))
             : SQLITE_OK;
  }
  (void)sqlite3_finalize(again);
  (void)rtk_probe_end(db);
  return rc;
}
