/*
** What one connection has done since it loaded rtk, in numbers.
*/
#ifndef RTK_STATS_H
#define RTK_STATS_H

#include "limits.h"

#include <stdint.h>

struct rtk_stats {
  int64_t requests; /* sent, each retry one more */
  int64_t retries;
  int64_t rows;        /* given to SQLite */
  int64_t from_memory; /* replies that needed no request */
  int64_t from_file;
  int64_t bytes;     /* of bodies received, decompressed */
  int64_t waited_ms; /* for the quota, nothing being under way */
  char last_cf_ray[RTK_HEADER_MAX];

  /* The last RTK_LATENCIES requests that got a reply, in ms. */
  int32_t latencies[RTK_LATENCIES];
  int64_t latency_count; /* of all */
};

void rtk_stats_add_latency(struct rtk_stats *stats, int64_t ms);

/* The latency that `percent` % of the last requests stayed within; -1: none
** was made. */
int64_t rtk_stats_latency(const struct rtk_stats *stats, int percent);

#endif
