/* Two clocks: the monotonic clock and the calendar clock. */
#include "base/clock.h"

#include <time.h>

static int64_t read_ms(clockid_t clock) {
  struct timespec now = {0};
  (void)clock_gettime(clock, &now); /* cannot fail for these two clocks */
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t rtk_clock_ms(void) { return read_ms(CLOCK_MONOTONIC); }

int64_t rtk_clock_unix_ms(void) { return read_ms(CLOCK_REALTIME); }
