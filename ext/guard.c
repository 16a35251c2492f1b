/*
** Keeps what a database stores away from rtk: expressions away from its functions,
** and CREATE VIRTUAL TABLE away from its tables.
**
** A database from somebody else must not change settings, read them, or empty
** the cache:
**
**     CREATE TABLE t(a CHECK (rtk_config('base_url', 'https://evil.example')
**                             IS NOT NULL));
**
** The functions are SQLITE_DIRECTONLY, and that stops views, triggers and
** DEFAULT.  It does not stop the rest, on any version of SQLite:
**
**     CHECK              called: before 3.50, SQLite asks where an expression
**                        comes from only for functions flagged DETERMINISTIC
**     CHECK, generated   called on all versions when SQLite read the schema
**     column, index      before rtk was loaded, with any flags: the function
**     expression, WHERE  was unknown when SQLite looked for unsafe calls, and
**     of an index        SQLite does not look again
**
** So a function looks for itself.  Such an expression runs only while its
** database has a transaction open, and its text is in that database's
** sqlite_master.  Nothing hides the name in there: SQL has no escapes for the
** characters of an identifier.  While a database is in use whose tables or
** indexes name the function, the function refuses to run, whoever calls.
**
** Views and triggers are passed over.  The TEMP database is not looked at: what is
** in it was written on this connection.
*/
#include "guard.h"

#include "err.h"
#include "limits.h"

#include <ctype.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

bool rtk_guard_may_be_created(const char *module, int argc,
                              const char *const *argv) {
  enum { ARGV_SCHEMA = 1, ARGV_NAME, ARGV_COUNT };
  return argc == ARGV_COUNT &&
         (sqlite3_stricmp(argv[ARGV_SCHEMA], "temp") == 0 ||
          sqlite3_stricmp(argv[ARGV_NAME], module) == 0);
}

/* As SQLite's tokenizer has it. */
static bool is_of_identifier(char c) {
  unsigned char byte = (unsigned char)c;
  return isalnum(byte) || byte == '_' || byte == '$' || byte >= 0x80;
}

/* Does the text of a table or an index name the function within parentheses?
** What stands before the first one is the name of the table, which is free. */
static bool is_named_in(const char *sql, const char *function) {
  static const char *const covered[] = {"CREATE VIEW ", "CREATE TRIGGER "};
  int size = (int)strlen(function);
  for (size_t i = 0; i < sizeof(covered) / sizeof(*covered); i++) {
    if (strncmp(sql, covered[i], strlen(covered[i])) == 0) return false;
  }
  const char *at = strchr(sql, '(');
  for (; at != NULL && *at != '\0'; at++) {
    if (sqlite3_strnicmp(at, function, size) == 0 &&
        !is_of_identifier(at[size]) && !is_of_identifier(at[-1])) {
      return true;
    }
  }
  return false;
}

static bool is_in_use(sqlite3 *db, const char *schema) {
#if SQLITE_VERSION_NUMBER >= RTK_SQLITE_TXN_STATE
  if (sqlite3_libversion_number() >= RTK_SQLITE_TXN_STATE) {
    return sqlite3_txn_state(db, schema) > SQLITE_TXN_NONE;
  }
#endif
  (void)db;
  (void)schema;
  return true;
}

static int refuse(struct rtk_err *err, int rc, sqlite3 *db,
                  const char *schema) {
  if (rc == SQLITE_INTERRUPT) return rc;
  return rtk_err_set(err, "the schema of database \"%s\" cannot be read: %s",
                     schema, sqlite3_errmsg(db));
}

/* SQLITE_BUSY: another process has the database, so no statement of this
** connection is reading it. */
static int check_schema(sqlite3 *db, const char *schema, const char *function,
                        struct rtk_err *err) {
  sqlite3_stmt *rows = NULL;
  char *sql = sqlite3_mprintf("SELECT name, sql FROM \"%w\".sqlite_master"
                              " WHERE sql IS NOT NULL",
                              schema);
  int rc =
      sql == NULL ? SQLITE_NOMEM : sqlite3_prepare_v2(db, sql, -1, &rows, NULL);
  if (rc == SQLITE_OK) rc = sqlite3_step(rows);
  while (rc == SQLITE_ROW) {
    const char *name = (const char *)sqlite3_column_text(rows, 0);
    const char *text = (const char *)sqlite3_column_text(rows, 1);
    if (text == NULL) {
      rc = SQLITE_NOMEM;
    } else if (is_named_in(text, function)) {
      rc = rtk_err_set(err,
                       "an expression stored in a database may not call it,"
                       " and \"%.64s\" of database \"%s\" has one: call it"
                       " while no statement or transaction uses that database",
                       name == NULL ? "" : name, schema);
      goto done;
    } else {
      rc = sqlite3_step(rows);
    }
  }
  if (rc == SQLITE_DONE || rc == SQLITE_BUSY) {
    rc = SQLITE_OK;
  } else {
    rc = refuse(err, rc, db, schema);
  }

done:
  (void)sqlite3_finalize(rows);
  sqlite3_free(sql);
  return rc;
}

int rtk_guard_check(sqlite3 *db, const char *function, struct rtk_err *err) {
  enum { COLUMN_SEQ, COLUMN_NAME, TEMP_SEQ = 1 };
  sqlite3_stmt *databases = NULL;
  if (!is_in_use(db, NULL)) return SQLITE_OK;
  int rc = sqlite3_prepare_v2(db, "PRAGMA database_list", -1, &databases, NULL);
  if (rc == SQLITE_OK) rc = sqlite3_step(databases);
  while (rc == SQLITE_ROW) {
    const char *schema =
        (const char *)sqlite3_column_text(databases, COLUMN_NAME);
    if (schema == NULL) {
      rc = SQLITE_NOMEM;
      break;
    }
    if (sqlite3_column_int(databases, COLUMN_SEQ) != TEMP_SEQ &&
        is_in_use(db, schema)) {
      rc = check_schema(db, schema, function, err);
      if (rc != SQLITE_OK) goto done;
    }
    rc = sqlite3_step(databases);
  }
  rc = rc == SQLITE_DONE ? SQLITE_OK : refuse(err, rc, db, "main");

done:
  (void)sqlite3_finalize(databases);
  return rc;
}
