/*
** rtk: Cloudflare RealtimeKit read endpoints as SQLite tables.
**
**     .load ./rtk
**     SELECT c.name, s.viewer_seconds
**       FROM customer_session AS c
**       JOIN rtk_livestream_session('ACCOUNT', 'APP', c.session_id) AS s;
**
** This file only has the entry point, under two names.
*/
#include "api/endpoint.h"
#include "base/err.h"
#include "fetch/conn.h"
#include "sqlite/functions.h"
#include "sqlite/infotab.h"
#include "sqlite/vtab.h"

#if defined(__APPLE__)
#include <dlfcn.h>
#endif
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

#if defined(_WIN32)
#error "rtk has not been built for Windows"
#endif

/* The oldest SQLite: that of Ubuntu 22.04. */
#define SQLITE_MIN 3037000
#define SQLITE_MIN_TEXT "3.37"

#define EXPORT __attribute__((visibility("default")))

EXPORT int sqlite3_rtk_init(sqlite3 *db, char **message,
                            const sqlite3_api_routines *api);
#ifndef SQLITE_CORE
EXPORT int sqlite3_extension_init(sqlite3 *db, char **message,
                                  const sqlite3_api_routines *api);
#endif

#ifndef SQLITE_CORE
static pthread_mutex_t api_lock = PTHREAD_MUTEX_INITIALIZER;

/* The process has one table of SQLite's routines, sqlite3_api: the first that
** came.  A second SQLite library in the process has its own table, and rtk
** would hand its connections to the wrong library. */
static bool is_same_sqlite(const sqlite3_api_routines *api) {
  (void)pthread_mutex_lock(&api_lock);
  if (sqlite3_api == NULL) sqlite3_api = api;
  bool is_same = sqlite3_api == api;
  (void)pthread_mutex_unlock(&api_lock);
  return is_same;
}

/* SQLite unloads the library with its last connection.  The request budget
** would be lost, and a thread of libcurl may still run.  On Linux the linker
** keeps the library loaded (Makefile). */
static void stay_loaded(void) {
#if defined(__APPLE__)
  Dl_info library;
  if (dladdr(&api_lock, &library) != 0) {
    (void)dlopen(library.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
  }
#endif
}
#endif

/* Has this connection loaded rtk before?  To register again would fail while a
** statement runs, and lose the settings.  SQLITE_ERROR is "no such function":
** it has not.  Any other code is a failure. */
static int find_loaded(sqlite3 *db, bool *is_loaded) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(db, "SELECT rtk_version()", -1, &stmt, NULL);
  (void)sqlite3_finalize(stmt);
  *is_loaded = rc == SQLITE_OK;
  if (rc != SQLITE_ERROR) return rc;
  /* Clears the error, which sqlite3_open() would take for one of an
  ** auto-extension. */
  rc = sqlite3_prepare_v2(db, " ", -1, &stmt, NULL);
  (void)sqlite3_finalize(stmt);
  return rc;
}

static int register_all(struct rtk_conn *conn) {
  int rc = SQLITE_OK;
  for (int i = 0; i < rtk_endpoint_count && rc == SQLITE_OK; i++) {
    rc = rtk_vtab_register(conn, &rtk_endpoints[i]);
  }
  if (rc == SQLITE_OK) rc = rtk_infotab_register(conn);
  if (rc == SQLITE_OK) rc = rtk_functions_register(conn);
  return rc;
}

/* The entry points do not call each other: SQLite loads libraries into one name
** space, and another extension may have an entry point of the second name. */
static int init(sqlite3 *db, char **message, const sqlite3_api_routines *api) {
  struct rtk_conn *conn = NULL;
  struct rtk_err err = {0};
#ifndef SQLITE_CORE
  if (api->libversion_number() < SQLITE_MIN) {
    *message = api->mprintf("rtk needs SQLite " SQLITE_MIN_TEXT
                            " or later, this is %s",
                            api->libversion());
    return SQLITE_ERROR;
  }
  if (!is_same_sqlite(api)) {
    *message = api->mprintf("rtk is in use by another SQLite library of this"
                            " process: load it through one of them only");
    return SQLITE_ERROR;
  }
  stay_loaded();
#else
  (void)api;
#endif
  bool is_loaded = false;
  int rc = find_loaded(db, &is_loaded);
  if (rc != SQLITE_OK || is_loaded) return rc;
  rc = rtk_conn_new(db, &conn, &err);
  if (rc == SQLITE_OK) {
    rc = register_all(conn);
    rtk_conn_release(conn);
  }
  if (err.message != NULL) *message = rtk_err_take(&err);
  return rc;
}

int sqlite3_rtk_init(sqlite3 *db, char **message,
                     const sqlite3_api_routines *api) {
  return init(db, message, api);
}

#ifndef SQLITE_CORE
/* SQLite looks for this name first, whatever the file is called. */
int sqlite3_extension_init(sqlite3 *db, char **message,
                           const sqlite3_api_routines *api) {
  return init(db, message, api);
}
#endif
