/* rtk_stats: what this connection has done and where it stands, in numbers. */
#include "sqlite/statstable.h"

#include "base/clock.h"
#include "base/rows.h"
#include "base/show.h"
#include "disk/store.h"
#include "fetch/conn.h"
#include "fetch/fetch.h"
#include "fetch/prefetch.h"

#include <stddef.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

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

/* NULL for a number that is not known. */
static void add(struct rtk_rows *rows, const char *name, int64_t number) {
  rtk_rows_text(rows, name);
  if (number < 0) {
    rtk_rows_null(rows);
  } else {
    rtk_rows_integer(rows, number);
  }
}

/* NULL for what is empty. */
static void add_text(struct rtk_rows *rows, const char *name,
                     const char *text) {
  rtk_rows_text(rows, name);
  rtk_rows_text(rows, text[0] == '\0' ? NULL : text);
}

/* The last failure, for programs: what kind it was; and when to try again, until
** then. */
static void add_failure(struct rtk_rows *rows, const struct rtk_stats *stats) {
  char at[RTK_SHOW_TIME_SIZE] = "";
  if (stats->retry_unix_ms > rtk_clock_unix_ms()) {
    rtk_show_time(at, stats->retry_unix_ms);
  }
  rtk_rows_text(rows, "last_error_kind");
  rtk_rows_text(rows, rtk_kind_word(stats->last_error_kind));
  add(rows, "last_http_status",
      stats->last_http_status == 0 ? -1 : stats->last_http_status);
  add_text(rows, "retry_at", at);
}

int rtk_statstable_fill(struct rtk_conn *conn, const struct rtk_text *arguments,
                        struct rtk_rows *rows, struct rtk_err *err) {
  const struct rtk_stats *stats = &conn->stats;
  (void)arguments;
  (void)err;
  for (size_t i = 0; i < sizeof(counters) / sizeof(*counters); i++) {
    const char *at = (const char *)stats + counters[i].offset;
    add(rows, counters[i].name, *(const int64_t *)(const void *)at);
  }
  add(rows, "latency_p50_ms", rtk_stats_latency(stats, 50));
  add(rows, "latency_p95_ms", rtk_stats_latency(stats, 95));

  int64_t reset_ms = -1;
  int64_t left = -1;
  int rc = rtk_conn_use_cache_file(conn);
  if (rc == SQLITE_OK) {
    rc = rtk_fetch_quota_left(conn->fetch, &left, &reset_ms);
  }
  if (rc != SQLITE_OK) return rc;
  add(rows, "quota_left", left);
  add(rows, "quota_reset_ms", left < 0 ? -1 : reset_ms);
  add(rows, "blocked_ms", rtk_fetch_blocked_ms(conn->fetch));

  add_text(rows, "last_cf_ray", stats->last_cf_ray);
  add_text(rows, "last_short_list", stats->last_short_list);
  add_failure(rows, stats);

  rtk_rows_text(rows, "read_ahead");
  rtk_rows_text(rows, rtk_prefetch_describe(conn->prefetch));

  sqlite3_str *words = sqlite3_str_new(NULL);
  rtk_store_describe(conn->store, words);
  rtk_rows_text(rows, "cache_file");
  char *text = sqlite3_str_finish(words);
  if (text == NULL) return SQLITE_NOMEM;
  rtk_rows_take(rows, text);
  return SQLITE_OK;
}
