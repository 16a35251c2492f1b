/*
** Pacing: how many requests may start now, for everybody who uses one token at
** one base URL.
**
** A request counts against a limit from its start until one window after its
** end.  The server counts the request at some moment in between, so this is
** safe with fixed windows of any phase, sliding windows and token buckets.
*/
#ifndef RTK_PACE_H
#define RTK_PACE_H

#include "api/ratelimit.h"
#include "base/limits.h"

#include <stdint.h>

struct rtk_ratelimit;

/* Version of struct rtk_pace, which is stored in the cache file: change it
** whenever the struct changes. */
#define RTK_PACE_FORMAT 3

/* A wait: no time makes room, only the end of a request in flight. */
#define RTK_PACE_AFTER_REPLY (-1)

/* Slots of time for the requests of one window, two of them to spare: rounding
** costs at most 1/46 of the window. */
#define RTK_PACE_SLOTS 48

/* At most `count` requests in any window; 0 of either: no limit. */
struct rtk_pace_limit {
  int64_t count, window_ms;

  /* How many requests ended in which slot of time, newest first. */
  int64_t ended_ms[RTK_PACE_SLOTS]; /* the last one of the slot */
  uint32_t ended[RTK_PACE_SLOTS];

  /* Where the server announced the limit: */
  char name[RTK_RATELIMIT_NAME_MAX];
  int64_t heard_ms; /* the last announcement; 0: none */
  int64_t left;     /* requests, until reset_ms */
  int64_t reset_ms; /* 0: the server did not say how many are left */
  int64_t ask_ms;   /* After the reset, 0: no request asks for the new number;
                    ** else another one may ask at this time. */
};

enum rtk_pace_which {
  RTK_PACE_RATE,  /* of the settings, always in force */
  RTK_PACE_QUOTA, /* of the settings, unless the server announces a limit */
  RTK_PACE_ANNOUNCED,
  RTK_PACE_LIMITS = RTK_PACE_ANNOUNCED + RTK_RATELIMIT_ITEMS_MAX
};

/* Plain data: may be copied and stored.  All zeros are a new one. */
struct rtk_pace {
  int64_t clock_ms;  /* now, on the pace's own clock, which never goes back */
  int64_t offset_ms; /* clock_ms less the caller's clock */
  int64_t blocked_until_ms;
  int64_t in_flight;
  int64_t is_alone; /* One request is in flight, and no other one was since it
                    ** started. */
  struct rtk_pace_limit limits[RTK_PACE_LIMITS];
};

/* Sets the time for the calls that follow, and returns it on the pace's own
** clock.  `unix_ms` may have been set back: then the pace's clock stands still
** once, nothing is forgotten, and nobody waits longer than before.  A clock set
** forward makes time pass that did not; the server's next reply corrects
** that. */
int64_t rtk_pace_tick(struct rtk_pace *pace, int64_t unix_ms);

/* Sets the limits of the settings; 0 turns one off.  The history stays. */
void rtk_pace_set(struct rtk_pace *pace, int64_t rate_per_second, int64_t quota,
                  int64_t quota_window_ms);

/* Returns how many of `wanted` requests may start now: they are in flight from
** here on, and each must be ended.  If fewer than wanted, *wait_ms is the time
** (>= 1) after which to ask again, or RTK_PACE_AFTER_REPLY; else 0.  The end of
** any request may make room earlier. */
int rtk_pace_acquire(struct rtk_pace *pace, int wanted, int64_t *wait_ms);

/* `count` requests in flight have ended: replied to, failed or cancelled (the
** server may have counted those, too).  They were sent `sent` times in all: 0
** for one that never started, 2 for one that was repeated.  `news`: what the
** last reply announces; NULL without a reply. */
void rtk_pace_end(struct rtk_pace *pace, int count, int sent,
                  const struct rtk_ratelimit *news);

/* A 429: nobody sends for wait_ms (up to RTK_WAIT_MAX_MS).  A shorter block
** does not end a longer one.  Nothing else is concluded from a 429: its reason
** may be a burst, or another user of the token. */
void rtk_pace_block(struct rtk_pace *pace, int64_t wait_ms);

/* ms until the end of the block; 0: there is none. */
int64_t rtk_pace_blocked_ms(const struct rtk_pace *pace);

/* For display: how many requests the tightest limit still allows (without the
** rate and blocks), and in *reset_ms the time until it allows all of them (0:
** now).  -1: no limit is known. */
int64_t rtk_pace_left(const struct rtk_pace *pace, int64_t *reset_ms);

#endif
