/* What one connection has done, in numbers. */
#include "fetch/stats.h"

#include "base/sanitize.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

void rtk_stats_note_error(struct rtk_stats *stats, const struct rtk_err *err) {
  stats->last_error_kind =
      err->kind == RTK_KIND_NONE ? RTK_KIND_USAGE : err->kind;
  stats->last_http_status = err->http_status;
  if (err->retry_unix_ms > 0) stats->retry_unix_ms = err->retry_unix_ms;
}

void rtk_stats_add_latency(struct rtk_stats *stats, int64_t ms) {
  stats->latencies[stats->latency_count++ % RTK_LATENCIES] = (int32_t)ms;
}

/* The server may echo the token: it stands in no table.  rtk_sanitize() only runs
** when at least the token's first characters are in the header. */
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
