/*
** The SQL functions.
**
** A database from somebody else must not reach them: SQLITE_DIRECTONLY keeps
** views and triggers away, guard.c every other stored expression.  They are not
** SQLITE_DETERMINISTIC: SQLite would take the last value here for the first:
**
**     SELECT rtk_config('app'), rtk_config('app', 'P'), rtk_config('app')
*/
#include "sqlite/functions.h"

#include "api/json.h"
#include "base/err.h"
#include "config/config.h"
#include "disk/diskcache.h"
#include "fetch/conn.h"
#include "fetch/fetch.h"
#include "net/http.h"
#include "sqlite/guard.h"
#include "sqlite/help.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Not SQLITE_NOMEM, which would roll the host's transaction back (table.c). */
static void result_nomem(sqlite3_context *out) {
  sqlite3_result_error(out, "out of memory", -1);
}

static void result_error(sqlite3_context *out, int rc, const char *function,
                         struct rtk_err *err) {
  if (rc == SQLITE_NOMEM || (rc == SQLITE_ERROR && err->message == NULL)) {
    result_nomem(out);
  } else if (rc == SQLITE_INTERRUPT) {
    sqlite3_result_error_code(out, rc);
  } else {
    rtk_err_prefix(err, function);
    sqlite3_result_error(out, err->message, -1);
  }
  rtk_err_clear(err);
}

/* False: the function may not run, and the error is the result.  If the first
** argument is a constant, as in WHERE account = rtk_config('account'), the
** schemas are read once in a statement. */
static bool may_run(sqlite3_context *out, const char *function) {
  static char is_checked;
  struct rtk_err err = {0};
  if (sqlite3_get_auxdata(out, 0) == &is_checked) return true;
  int rc =
      rtk_guard_check_function(sqlite3_context_db_handle(out), function, &err);
  if (rc == SQLITE_OK) {
    sqlite3_set_auxdata(out, 0, &is_checked, NULL);
  } else {
    result_error(out, rc, function, &err);
  }
  return rc == SQLITE_OK;
}

static void config_function(sqlite3_context *out, int argc,
                            sqlite3_value **argv) {
  struct rtk_conn *conn = sqlite3_user_data(out);
  if (!may_run(out, "rtk_config")) return;
  const char *name = (const char *)sqlite3_value_text(argv[0]);
  struct rtk_err err = {0};
  enum rtk_setting setting = 0;
  bool is_nomem = false;
  bool is_cut =
      name != NULL && strlen(name) != (size_t)sqlite3_value_bytes(argv[0]);
  int rc = rtk_config_find(name == NULL || is_cut ? "" : name, &setting, &err);
  if (rc == SQLITE_OK && argc == 2) {
    int type = sqlite3_value_type(argv[1]); /* before it becomes text */
    const char *value = (const char *)sqlite3_value_text(argv[1]);
    rc = value == NULL && type != SQLITE_NULL
             ? SQLITE_NOMEM
             : rtk_config_set_bytes(conn->config, name, value,
                                    (size_t)sqlite3_value_bytes(argv[1]), &err);
  }
  if (rc != SQLITE_OK) {
    result_error(out, rc, "rtk_config", &err);
    return;
  }
  char *shown = rtk_config_shown(conn->config, setting, &is_nomem);
  if (is_nomem) {
    result_nomem(out);
  } else if (rtk_config_is_number(setting)) {
    sqlite3_result_int64(out, rtk_config_int(conn->config, setting));
    sqlite3_free(shown);
  } else {
    sqlite3_result_text(out, shown, -1, sqlite3_free);
  }
}

static void version_function(sqlite3_context *out, int argc,
                             sqlite3_value **argv) {
  char http[160];
  (void)argc;
  (void)argv;
  rtk_http_version(http, (int)sizeof(http));
  char *text = sqlite3_mprintf("rtk %s, SQLite %s, %s, cJSON %s", RTK_VERSION,
                               sqlite3_libversion(), http, rtk_json_version());
  if (text == NULL) {
    result_nomem(out);
  } else {
    sqlite3_result_text(out, text, -1, sqlite3_free);
  }
}

/* The replies in memory are forgotten, those in the cache file are not. */
static void result_uncleared(sqlite3_context *out, struct rtk_conn *conn,
                             int rc) {
  sqlite3_str *words = sqlite3_str_new(NULL);
  sqlite3_str_appendall(words, "rtk_cache_clear: memory is cleared, the cache"
                               " file is not: ");
  if (rc == SQLITE_BUSY) {
    sqlite3_str_appendall(words, "another connection or process keeps it"
                                 " locked; try again");
  } else {
    rtk_diskcache_describe(conn->disk, words);
  }
  char *text = sqlite3_str_finish(words);
  if (text == NULL) {
    result_nomem(out);
  } else {
    sqlite3_result_error(out, text, -1);
  }
  sqlite3_free(text);
}

/* Replies that a running statement holds stay until it has ended.  A locked
** file is an error at once. */
static void cache_clear_function(sqlite3_context *out, int argc,
                                 sqlite3_value **argv) {
  struct rtk_conn *conn = sqlite3_user_data(out);
  int64_t in_memory = 0, in_file = 0;
  (void)argc;
  (void)argv;
  if (!may_run(out, "rtk_cache_clear")) return;
  int rc = rtk_conn_use_cache_file(conn);
  if (rc == SQLITE_OK) rc = rtk_fetch_forget(conn->fetch, &in_memory);
  if (rc == SQLITE_OK) rc = rtk_diskcache_clear(conn->disk, &in_file);
  if (rc == SQLITE_NOMEM) {
    result_nomem(out);
  } else if (rc == SQLITE_BUSY || rtk_diskcache_is_passed_over(conn->disk)) {
    result_uncleared(out, conn, rc);
  } else {
    sqlite3_result_int64(out, in_memory + in_file);
  }
}

static const struct {
  const char *name;
  int argc;
  int flags;
  void (*function)(sqlite3_context *, int, sqlite3_value **);
  const char *usage, *doc, *example; /* for rtk_help */
} functions[] = {
    {"rtk_config", 1, SQLITE_UTF8 | SQLITE_DIRECTONLY, config_function,
     "rtk_config('setting')", "a setting's value", "SELECT rtk_config('app')"},
    {"rtk_config", 2, SQLITE_UTF8 | SQLITE_DIRECTONLY, config_function,
     "rtk_config('setting', value)",
     "changes a setting; NULL: back to its default",
     "SELECT rtk_config('max_retries', 3)"},
    {"rtk_cache_clear", 0, SQLITE_UTF8 | SQLITE_DIRECTONLY,
     cache_clear_function, "rtk_cache_clear()", "forgets all replies",
     "SELECT rtk_cache_clear()"},
    {"rtk_version", 0, SQLITE_UTF8 | SQLITE_INNOCUOUS, version_function,
     "rtk_version()", "rtk and the libraries below it", "SELECT rtk_version()"},
};

void rtk_functions_help(struct rtk_cells *cells) {
  for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
    rtk_help_add(cells, "function", functions[i].name,
                 sqlite3_mprintf("%s", functions[i].usage), functions[i].doc,
                 sqlite3_mprintf("%s", functions[i].example));
  }
}

int rtk_functions_register(struct rtk_conn *conn) {
  int rc = SQLITE_OK;
  for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
    if (rc != SQLITE_OK) break;
    rc = sqlite3_create_function_v2(conn->db, functions[i].name,
                                    functions[i].argc, functions[i].flags,
                                    rtk_conn_hold(conn), functions[i].function,
                                    NULL, NULL, rtk_conn_release);
  }
  return rc;
}
