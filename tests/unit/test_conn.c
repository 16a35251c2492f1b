/* What one connection has done, in numbers. */
#include "fetch/conn.h"

#include "check.h"

static struct rtk_stats stats;

static void check_latencies(const char *name, int64_t p50, int64_t p95) {
  check_int(name, "p50", rtk_stats_latency(&stats, 50), p50);
  check_int(name, "p95", rtk_stats_latency(&stats, 95), p95);
}

/* The smallest latency that so many per cent stay within: nearest rank. */
CASE(percentiles) {
  static const struct {
    const char *name;
    int64_t ms[20]; /* up to the first -1 */
    int64_t p50, p95;
  } cases[] = {
      {"none", {-1}, -1, -1},
      {"one", {7, -1}, 7, 7},
      {"zero", {0, -1}, 0, 0},
      {"two", {9, 1, -1}, 1, 9},
      {"three", {9, 1, 5, -1}, 5, 9},
      {"equal", {4, 4, 4, 4, -1}, 4, 4},
      {"nineteen",
       {19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, -1},
       10,
       19},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    memset(&stats, 0, sizeof(stats));
    for (int k = 0; cases[i].ms[k] >= 0; k++) {
      rtk_stats_add_latency(&stats, cases[i].ms[k]);
    }
    check_latencies(cases[i].name, cases[i].p50, cases[i].p95);
    check_latencies(cases[i].name, cases[i].p50, cases[i].p95);
  }
}

/* In an order that is neither up nor down. */
CASE(the_last_ones_count) {
  memset(&stats, 0, sizeof(stats));
  for (int i = 0; i < 100; i++) {
    rtk_stats_add_latency(&stats, i * 37 % 100 + 1);
  }
  check_latencies("1 to 100", 50, 95);
  check_int("1 to 100", "p1", rtk_stats_latency(&stats, 1), 1);
  check_int("1 to 100", "p100", rtk_stats_latency(&stats, 100), 100);
  for (int i = 0; i < RTK_LATENCIES; i++) rtk_stats_add_latency(&stats, 3);
  check_latencies("as many as are kept", 3, 3);
  for (int i = 0; i < RTK_LATENCIES / 2 + 1; i++) {
    rtk_stats_add_latency(&stats, 1000);
  }
  check_latencies("half of them and one", 1000, 1000);
  check_int("all", "count", stats.latency_count,
            100 + RTK_LATENCIES + RTK_LATENCIES / 2 + 1);
}

int main(void) { return check_run(); }
