/* What all tables and functions of one database connection share. */
#include "fetch/conn.h"

#include "base/err.h"
#include "base/sanitize.h"
#include "config/config.h"
#include "disk/diskcache.h"
#include "fetch/fetch.h"
#include "fetch/messages.h"
#include "fetch/prefetch.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* --- numbers -------------------------------------------------------------- */

void rtk_stats_note_error(struct rtk_stats *stats, const struct rtk_err *err) {
  stats->last_error_kind =
      err->kind == RTK_KIND_NONE ? RTK_KIND_USAGE : err->kind;
  stats->last_http_status = err->http_status;
  if (err->retry_unix_ms > 0) stats->retry_unix_ms = err->retry_unix_ms;
}

void rtk_stats_add_latency(struct rtk_stats *stats, int64_t ms) {
  stats->latencies[stats->latency_count++ % RTK_LATENCIES] = (int32_t)ms;
}

/* The server may echo the token: it stands in no table.  rtk_sanitize() only
** runs when at least the token's first characters are in the header. */
void rtk_stats_note_ray(struct rtk_stats *stats, const char *ray,
                        const char *token) {
  char part[RTK_HIDDEN_TOKEN_PART_MIN + 1];
  sqlite3_snprintf((int)sizeof(part), part, "%s", token == NULL ? "" : token);
  if (strstr(ray, part) == NULL) {
    memcpy(stats->last_cf_ray, ray, sizeof(stats->last_cf_ray));
    return;
  }
  sqlite3_str *out = sqlite3_str_new(NULL);
  rtk_sanitize(out, ray, strlen(ray), RTK_SHOWN_ID_MAX, token);
  char *shown = sqlite3_str_finish(out);
  sqlite3_snprintf((int)sizeof(stats->last_cf_ray), stats->last_cf_ray, "%s",
                   shown == NULL ? "" : shown);
  sqlite3_free(shown);
}

static int compare(const void *a, const void *b) {
  const int32_t *left = a;
  const int32_t *right = b;
  return (*left > *right) - (*left < *right);
}

int64_t rtk_stats_latency(const struct rtk_stats *stats, int percent) {
  int32_t sorted[RTK_LATENCIES];
  int64_t count = stats->latency_count;
  if (count == 0) return -1;
  if (count > RTK_LATENCIES) count = RTK_LATENCIES;
  memcpy(sorted, stats->latencies, (size_t)count * sizeof(*sorted));
  qsort(sorted, (size_t)count, sizeof(*sorted), compare);
  return sorted[(count * percent + 99) / 100 - 1];
}

/* --- the connection ------------------------------------------------------- */

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
