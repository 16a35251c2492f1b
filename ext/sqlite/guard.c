/*
** Keeps what a database stores away from rtk: expressions away from its
** functions, and virtual tables of other modules away from its tables.
**
** A database from somebody else must not change settings, read them, or empty
** the cache:
**
**     CREATE TABLE t(a CHECK (rtk_config('base_url', 'https://evil.example')
**                             IS NOT NULL));
**
** The functions are SQLITE_DIRECTONLY.  That stops views, triggers and DEFAULT,
** but not:
**
**     CHECK                 before 3.50: SQLite marks a call in a CHECK as
**                           stored only if the function is DETERMINISTIC
**     CHECK, generated      every version, if SQLite read the schema before rtk
**     columns, indexes      was loaded: SQLite looked for unsafe calls then,
**                           did not know the function, and never looks again
**     CREATE VIRTUAL TABLE  a full-text table reads the table that `content`
**     t USING fts5(…,       names by a statement of its own, which SQLite takes
**     content='rtk_stats')  for the host's
**
** So a function checks before it runs, and a table checks when such a statement
** may be what reads it.  A stored expression runs only while its database has a
** transaction open, and its text is in the sqlite_master of that database.  The
** name cannot be hidden there: SQL has no escapes for the characters of an
** identifier.  While a database is in use whose schema names the function, the
** function refuses to run, whoever calls it.
**
** The TEMP database is not checked: its schema was written on this connection.
*/
#include "sqlite/guard.h"

#include "base/err.h"
#include "base/probe.h"

#include <stdbool.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Can it be a part of a longer name?  SQLite's tokenizer takes all bytes from
** 0x80 on for that, but a byte order mark for white space.  Here no such byte
** counts. */
static bool is_of_identifier(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '_' || c == '$';
}

static bool is_named_in(const char *sql, const char *name) {
  int size = (int)strlen(name);
  for (const char *at = sql; *at != '\0'; at++) {
    if (sqlite3_strnicmp(at, name, size) == 0 && !is_of_identifier(at[size]) &&
        (at == sql || !is_of_identifier(at[-1]))) {
      return true;
    }
  }
  return false;
}

/* Can this part of a schema call the function, or read the table, of that name?
** Only another module reads a table beyond SQLite's own checks. */
static bool may_reach(const char *sql, const char *name, bool is_table) {
  static const char virtual[] = "CREATE VIRTUAL";
  return is_named_in(sql, name) &&
         (!is_table ||
          sqlite3_strnicmp(sql, virtual, (int)strlen(virtual)) == 0);
}

/* The end of reading: an error without a message gets one. */
static int finish(sqlite3 *db, const char *schema, int rc,
                  struct rtk_err *err) {
  if (rc == SQLITE_DONE) return SQLITE_OK;
  if (rc == SQLITE_INTERRUPT || err->message != NULL) return rc;
  return rtk_err_set(err, "the schema of database \"%s\" cannot be read: %s",
                     schema, sqlite3_errmsg(db));
}

/* SQLITE_BUSY: another process has the database, so no statement of this
** connection is reading it. */
static int check_schema(sqlite3 *db, const char *schema, const char *target,
                        bool is_table, struct rtk_err *err) {
  sqlite3_stmt *rows = NULL;
  char *sql = sqlite3_mprintf("SELECT name, sql FROM \"%w\".sqlite_master"
                              " WHERE sql IS NOT NULL",
                              schema);
  int rc = sql == NULL ? SQLITE_NOMEM : rtk_probe_prepare(db, sql, &rows);
  while (rc == SQLITE_OK && (rc = rtk_probe_step(rows)) == SQLITE_ROW) {
    const char *name = (const char *)sqlite3_column_text(rows, 0);
    const char *text = (const char *)sqlite3_column_text(rows, 1);
    rc = text == NULL ? SQLITE_NOMEM : SQLITE_OK;
    if (rc != SQLITE_OK || !may_reach(text, target, is_table)) continue;
    rc = rtk_err_set(err,
                     "what is stored in a database may not use it, and"
                     " \"%.64s\" of database \"%s\" would: use it while no"
                     " statement or transaction uses that database",
                     name == NULL ? "" : name, schema);
  }
  rc = finish(db, schema, rc == SQLITE_BUSY ? SQLITE_DONE : rc, err);
  (void)sqlite3_finalize(rows);
  sqlite3_free(sql);
  return rc;
}

static int check(sqlite3 *db, const char *target, bool is_table,
                 struct rtk_err *err) {
  enum { COLUMN_SEQ, COLUMN_NAME, TEMP_SEQ = 1 };
  sqlite3_stmt *databases = NULL;
  if (sqlite3_txn_state(db, NULL) <= SQLITE_TXN_NONE) return SQLITE_OK;
  int rc = rtk_probe_prepare(db, "PRAGMA database_list", &databases);
  while (rc == SQLITE_OK && (rc = rtk_probe_step(databases)) == SQLITE_ROW) {
    const char *schema =
        (const char *)sqlite3_column_text(databases, COLUMN_NAME);
    rc = schema == NULL ? SQLITE_NOMEM : SQLITE_OK;
    if (schema != NULL &&
        sqlite3_column_int(databases, COLUMN_SEQ) != TEMP_SEQ &&
        sqlite3_txn_state(db, schema) > SQLITE_TXN_NONE) {
      rc = check_schema(db, schema, target, is_table, err);
    }
  }
  rc = finish(db, "main", rc, err);
  (void)sqlite3_finalize(databases);
  return rc;
}

int rtk_guard_check_function(sqlite3 *db, const char *function,
                             struct rtk_err *err) {
  return check(db, function, false, err);
}

/* The statement of another module runs within the host's. */
int rtk_guard_check_table(sqlite3 *db, const char *table, struct rtk_err *err) {
  bool is_nested = rtk_probe_running(db) == NULL;
  return is_nested ? check(db, table, true, err) : SQLITE_OK;
}
