/*
** What one connection has done since it loaded rtk, in numbers.
*/
#ifndef RTK_STATS_H
#define RTK_STATS_H

#include "base/err.h"
#include "base/limits.h"
#include "net/http.h"

#include <stdint.h>

/* Bytes of the name of a table and two numbers. */
#define RTK_SHORT_LIST_MAX 128

/* Latencies that the percentiles of rtk_stats are taken from. */
#define RTK_LATENCIES 1024

struct rtk_stats {
  int64_t requests; /* sent, each retry one more */
  int64_t retries;
  int64_t rows;        /* given to SQLite */
  int64_t from_memory; /* replies that needed no request */
  int64_t from_file;
  int64_t bytes;        /* of bodies received, decompressed */
  int64_t waited_ms;    /* for the quota, nothing being under way */
  int64_t not_found;    /* ids that the API does not know: no row */
  int64_t unusable_ids; /* values that cannot be an id: no row, no request */
  int64_t short_lists;  /* with a filter, and fewer rows than total_count */
  char last_short_list[RTK_SHORT_LIST_MAX];
  char last_cf_ray[RTK_HEADER_MAX];

  /* The last failure: of a statement, or a row with an error. */
  enum rtk_kind last_error_kind;
  int last_http_status;  /* 0: none */
  int64_t retry_unix_ms; /* the last that was known; 0: none */

  /* The last RTK_LATENCIES requests that got a reply, in ms. */
  int32_t latencies[RTK_LATENCIES];
  int64_t latency_count; /* of all */
};

/* Keeps kind, status and time of a failure; a failure without a kind is
** RTK_KIND_USAGE. */
void rtk_stats_note_error(struct rtk_stats *stats, const struct rtk_err *err);

/* Keeps the cf-ray header of a response, of RTK_HEADER_MAX bytes, without the
** token. */
void rtk_stats_note_ray(struct rtk_stats *stats, const char *ray,
                        const char *token);

void rtk_stats_add_latency(struct rtk_stats *stats, int64_t ms);

/* The latency that `percent` % of the last requests stayed within; -1: none
** was made. */
int64_t rtk_stats_latency(const struct rtk_stats *stats, int percent);

#endif
