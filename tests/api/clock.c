/*
** A library that goes before libc (LD_PRELOAD) and sets a process's calendar clock:
** CLOCK_MS=1704067200000 in the environment is the time at the start, in
** milliseconds since 1970; from there on it goes at the usual speed.  For tests of
** what takes days.  The monotonic clock, by which time-outs are measured, stays.
**
** SQLite reads gettimeofday(), rtk clock_gettime().
*/
#define _GNU_SOURCE /* syscall() */
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* The kernel itself: a sanitizer asks for the time before dlsym() works. */
static int real(clockid_t clock, struct timespec *now) {
  return (int)syscall(SYS_clock_gettime, clock, now);
}

static int64_t ahead_s;

__attribute__((constructor)) static void start(void) {
  const char *text = getenv("CLOCK_MS");
  struct timespec now;
  if (text == NULL || real(CLOCK_REALTIME, &now) != 0) return;
  ahead_s = strtoll(text, NULL, 10) / 1000 - (int64_t)now.tv_sec;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int rc = real(clock, now);
  if (clock == CLOCK_REALTIME) now->tv_sec += ahead_s;
  return rc;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec at;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &at);
  now->tv_sec = at.tv_sec;
  now->tv_usec = at.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *out) {
  struct timespec at;
  clock_gettime(CLOCK_REALTIME, &at);
  if (out != NULL) *out = at.tv_sec;
  return at.tv_sec;
}
