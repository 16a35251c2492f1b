/* Two clocks: the monotonic clock and the calendar clock.  Tests link their
** own. */
#ifndef RTK_CLOCK_H
#define RTK_CLOCK_H

#include <stdint.h>

/* Milliseconds since some fixed moment; never goes back. */
int64_t rtk_clock_ms(void);

/* Milliseconds since 1970-01-01 UTC. */
int64_t rtk_clock_unix_ms(void);

#endif
