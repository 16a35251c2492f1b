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
** The functions are SQLITE_DIRECTONLY.  That stops views, triggers and DEFAULT,
** and lets the rest pass:
**
**     CHECK                 before 3.50: SQLite marks the call as a stored one
**                           only where the function is flagged DETERMINISTIC
**     CHECK, generated      on every version, with any flags, when SQLite read
**     columns, indexes on   the schema before rtk was loaded: it looked for
**     expressions, partial  unsafe calls then, did not know the function, and
**     indexes               does not look again
**     OVER and FILTER in    before 3.35: SQLite passes over what is in there,
**     views and triggers    and a query of a SQLITE_VTAB_DIRECTONLY table too
**     CREATE VIRTUAL TABLE  a full-text table reads the table that `content` names
**     t USING fts5(…,       by a statement of its own, which SQLite takes for the
**     content='rtk_stats')  host's
**
** So a function looks for itself before it runs, and a table where it may be such a
** statement that reads it.
** A stored expression runs only while its database has a transaction open, and its
** text is in the sqlite_master of that database.  Nothing can hide the name in
** there: SQL has no escapes for the characters of an identifier.  While a database
** is in use whose schema names the function, the function refuses to run, whoever
** calls it.
**
** The TEMP database is not looked at: what is in it was written on this connection.
*/
#include "sqlite/guard.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/probe.h"

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

int rtk_guard_declare(sqlite3 *db, const char *schema, int risk,
                      char **message) {
  int rc = schema == NULL ? SQLITE_NOMEM : sqlite3_declare_vtab(db, schema);
  if (rc == SQLITE_OK) rc = sqlite3_vtab_config(db, risk);
  if (rc == SQLITE_OK) return rc;
  /* sqlite3_declare_vtab() says SQLITE_ERROR of an interrupt, too.  Its message is
  ** all there is: to prepare another statement would clear the interrupt. */
  const char *why = rc == SQLITE_NOMEM ? "out of memory" : sqlite3_errmsg(db);
  bool is_stopped = strcmp(why, sqlite3_errstr(SQLITE_INTERRUPT)) == 0;
  *message = sqlite3_mprintf("%s", why);
  return is_stopped ? SQLITE_INTERRUPT : SQLITE_ERROR;
}

/* Can it be a part of a longer name?  SQLite's tokenizer takes all bytes from 0x80 on
** for that, but a byte order mark for white space: they count as none. */
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

/* What may not be reached: a function by any text that names it, a table only by
** a virtual table of another module, and on an old SQLite from within OVER and
** FILTER. */
struct target {
  const char *name;
  bool is_table;
};

static bool may_reach(const char *sql, const struct target *target) {
  static const char virtual[] = "CREATE VIRTUAL";
  bool is_old = sqlite3_libversion_number() < RTK_SQLITE_DIRECTONLY_OVER;
  if (!is_named_in(sql, target->name)) return false;
  if (!target->is_table) return true;
  return sqlite3_strnicmp(sql, virtual, (int)strlen(virtual)) == 0 ||
         (is_old && (is_named_in(sql, "OVER") || is_named_in(sql, "FILTER")));
}

/* Has the database a transaction open?  An old SQLite does not tell (it tells of
** locks, and a file opened with immutable=1 has none): there each counts as one that
** has.  NULL: has any? */
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
static int check_schema(sqlite3 *db, const char *schema,
                        const struct target *target, struct rtk_err *err) {
  sqlite3_stmt *rows = NULL;
  char *sql = sqlite3_mprintf("SELECT name, sql FROM \"%w\".sqlite_master"
                              " WHERE sql IS NOT NULL",
                              schema);
  int rc = sql == NULL ? SQLITE_NOMEM : rtk_probe_prepare(db, sql, &rows);
  if (rc == SQLITE_OK) rc = rtk_probe_step(rows);
  while (rc == SQLITE_ROW) {
    const char *name = (const char *)sqlite3_column_text(rows, 0);
    const char *text = (const char *)sqlite3_column_text(rows, 1);
    if (text == NULL) {
      rc = SQLITE_NOMEM;
    } else if (may_reach(text, target)) {
      rc = rtk_err_set(err,
                       "what is stored in a database may not use it, and"
                       " \"%.64s\" of database \"%s\" would: use it while no"
                       " statement or transaction uses that database",
                       name == NULL ? "" : name, schema);
      goto done;
    } else {
      rc = rtk_probe_step(rows);
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

static int check(sqlite3 *db, const struct target *target,
                 struct rtk_err *err) {
  enum { COLUMN_SEQ, COLUMN_NAME, TEMP_SEQ = 1 };
  sqlite3_stmt *databases = NULL;
  if (!is_in_use(db, NULL)) return SQLITE_OK;
  int rc = rtk_probe_prepare(db, "PRAGMA database_list", &databases);
  if (rc == SQLITE_OK) rc = rtk_probe_step(databases);
  while (rc == SQLITE_ROW) {
    const char *schema =
        (const char *)sqlite3_column_text(databases, COLUMN_NAME);
    if (schema == NULL) {
      rc = SQLITE_NOMEM;
      break;
    }
    if (sqlite3_column_int(databases, COLUMN_SEQ) != TEMP_SEQ &&
        is_in_use(db, schema)) {
      rc = check_schema(db, schema, target, err);
      if (rc != SQLITE_OK) goto done;
    }
    rc = rtk_probe_step(databases);
  }
  rc = rc == SQLITE_DONE ? SQLITE_OK : refuse(err, rc, db, "main");

done:
  (void)sqlite3_finalize(databases);
  return rc;
}

int rtk_guard_check_function(sqlite3 *db, const char *function,
                             struct rtk_err *err) {
  struct target target = {.name = function, .is_table = false};
  return check(db, &target, err);
}

/* Is more than one statement running? */
static bool is_nested(sqlite3 *db) {
  int busy = 0;
  for (sqlite3_stmt *s = sqlite3_next_stmt(db, NULL); s != NULL && busy < 2;
       s = sqlite3_next_stmt(db, s)) {
    busy += sqlite3_stmt_busy(s) != 0;
  }
  return busy > 1;
}

/* What reads a table beside a view or a trigger is another module, by a statement of
** its own within the host's. */
int rtk_guard_check_table(sqlite3 *db, const char *table, struct rtk_err *err) {
  struct target target = {.name = table, .is_table = true};
  bool is_old = sqlite3_libversion_number() < RTK_SQLITE_DIRECTONLY_OVER;
  return is_old || is_nested(db) ? check(db, &target, err) : SQLITE_OK;
}
