/* What all tables and functions of one database connection share. */
#include "fetch/conn.h"

#include "base/err.h"
#include "config/config.h"
#include "disk/diskcache.h"
#include "fetch/fetch.h"
#include "fetch/messages.h"
#include "fetch/prefetch.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Nobody has called for the cache file that the environment names, and few read
** rtk_stats: a shell's user is told on stderr.  What rtk_config() has set is
** checked there; other programs' stderr is their own. */
static void warn_of_cache_file(void *user, const char *path, const char *why) {
  struct rtk_conn *conn = user;
  const char *source = rtk_config_source(conn->config, RTK_CACHE_FILE);
  if (conn->has_warned || strcmp(source, "environment") != 0) return;
  conn->has_warned = true;
  rtk_progress_warn("the file in RTK_CACHE_FILE is not used", path, why);
}

int rtk_conn_new(struct sqlite3 *db, struct rtk_conn **conn,
                 struct rtk_err *err) {
  struct rtk_conn *made = sqlite3_malloc64(sizeof(*made));
  if (made == NULL) return SQLITE_NOMEM;
  memset(made, 0, sizeof(*made));
  made->db = made->cancel.db = db;
  made->holders = 1;
  int rc = rtk_config_new(db, &made->config);
  if (rc == SQLITE_OK) rc = rtk_diskcache_new(db, &made->disk);
  if (rc == SQLITE_OK) {
    rtk_diskcache_warn_by(made->disk, warn_of_cache_file, made);
    rc = rtk_fetch_new(made->config, &made->cancel, made->disk, &made->stats,
                       &made->fetch, err);
  }
  if (rc == SQLITE_OK) {
    rc = rtk_prefetch_new(db, made->config, made->fetch, &made->stats,
                          &made->prefetch);
  }
  if (rc != SQLITE_OK) {
    rtk_conn_release(made);
    return rc;
  }
  *conn = made;
  return SQLITE_OK;
}

struct rtk_conn *rtk_conn_hold(struct rtk_conn *conn) {
  conn->holders++;
  return conn;
}

void rtk_conn_release(void *conn) {
  struct rtk_conn *released = conn;
  if (--released->holders > 0) return;
  rtk_prefetch_free(released->prefetch);
  rtk_fetch_free(released->fetch);
  rtk_diskcache_free(released->disk);
  rtk_config_free(released->config);
  sqlite3_free(released);
}

int rtk_conn_open_cursor(struct rtk_conn *conn) {
  int rc = conn->cursors == 0 ? rtk_fetch_begin(conn->fetch) : SQLITE_OK;
  if (rc == SQLITE_OK) conn->cursors++;
  return rc;
}

void rtk_conn_close_cursor(struct rtk_conn *conn) {
  if (--conn->cursors > 0) return;
  rtk_prefetch_clear(conn->prefetch);
  rtk_fetch_end(conn->fetch);
}

int rtk_conn_use_cache_file(struct rtk_conn *conn) {
  if (conn->cursors > 0) return SQLITE_OK;
  return rtk_diskcache_use(conn->disk,
                           rtk_config_text(conn->config, RTK_CACHE_FILE));
}

bool rtk_conn_trusts_schema(const struct rtk_conn *conn) {
  return strcmp(rtk_config_text(conn->config, RTK_TRUST_SCHEMA), "on") == 0;
}
