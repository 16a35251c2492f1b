/*
** How many requests may go out now: one account for everybody who uses one
** token at one address.
**
** A request counts against a limit of so many in a window from when it is taken
** until a window after it ended.  That is right whatever the server's windows
** are (fixed ones of any phase, sliding ones, token buckets), because the
** server counted it at some moment in between.
**
** All times are Unix ms given by the caller.  When that clock is set back, what
** is remembered moves with it: nothing is forgotten, nobody waits longer than
** before.  Set forward, it makes time pass that did not: only the server's
** next reply can tell.
*/
#ifndef RTK_PACE_H
#define RTK_PACE_H

#include "base/limits.h"

#include <stdbool.h>
#include <stdint.h>

struct rtk_ratelimit;

/* Of struct rtk_pace, to be stored beside it: another number, other bytes. */
#define RTK_PACE_FORMAT 2

/* No time makes it possible, only the end of a request under way. */
#define RTK_PACE_AFTER_REPLY (-1)

/* So many requests in any window; 0 of either: no limit.  How many ended in
** which slot of time is kept even while `count` is 0. */
struct rtk_pace_limit {
  int64_t count;
  int64_t window_ms;
  int64_t newest_ms; /* when the newest slot begins */
  uint32_t newest;
  uint32_t slots[RTK_PACE_SLOTS];
};

/* What the server announces under one name. */
struct rtk_pace_announced {
  char name[RTK_RATELIMIT_NAME_MAX];
  struct rtk_pace_limit limit;
  int64_t heard_ms;
  int64_t left;     /* requests, until reset_ms */
  int64_t reset_ms; /* the earliest that was announced for it */
  int64_t ask_ms;   /* when one more may ask what is left after the reset */
  int32_t state;    /* enum left_state */
  int32_t is_used;
};

/* Plain data: may be copied and stored, and all zeros are a new one.  For
** pace.c alone. */
struct rtk_pace {
  int64_t clock_ms; /* the latest seen */
  int64_t blocked_until_ms;
  int64_t under_way;
  int64_t is_alone; /* one is under way, and no other was since it was */
  struct rtk_pace_limit rate, quota;
  struct rtk_pace_announced announced[RTK_RATELIMIT_ITEMS_MAX];
};

/* Can it be used?  For what comes out of a file. */
bool rtk_pace_is_valid(const struct rtk_pace *pace);

/* The limits that hold as long as the server announces none, and the rate, which
** holds always.  0 turns one off.  Cheap when nothing changes; what is known of
** the past is kept when something does. */
void rtk_pace_set(struct rtk_pace *pace, int64_t now_ms,
                  int64_t rate_per_second, int64_t quota,
                  int64_t quota_window_ms);

/* Every request that was taken has to be ended or given back; when a process
** dies, by somebody else.
**
** Returns how many of `wanted` requests may start now: they are under way from
** here on.  If those are fewer, *wait_ms is the time (>= 1) until it makes
** sense to ask again, or RTK_PACE_AFTER_REPLY; else 0.  The end of a request
** may make it possible earlier.  With several processes it may be another's
** request whose end is waited for. */
int rtk_pace_take(struct rtk_pace *pace, int64_t now_ms, int wanted,
                  int64_t *wait_ms);

/* So many were taken and never sent. */
void rtk_pace_give_back(struct rtk_pace *pace, int count);

/* So many have ended: with a reply, without, or cancelled (the server may have
** counted it).  `news` is what their reply announces, NULL without a reply. */
void rtk_pace_end(struct rtk_pace *pace, int64_t now_ms, int count,
                  const struct rtk_ratelimit *news);

/* A request that is under way was sent so many times more: they count as ended. */
void rtk_pace_repeat(struct rtk_pace *pace, int64_t now_ms, int count);

/* A 429 says: nothing for so long (up to RTK_WAIT_MAX_MS), and no more than that:
** its reason may be a burst, or other users of the token.  A shorter wait does not
** shorten a longer one. */
void rtk_pace_block(struct rtk_pace *pace, int64_t now_ms, int64_t wait_ms);

/* ms until the end of the block; 0: there is none. */
int64_t rtk_pace_blocked_ms(const struct rtk_pace *pace, int64_t now_ms);

/* For showing: how many may still go by the tightest limit, the rate and blocks
** apart, and in *reset_ms the time until all of it may (0: now).  -1: there is
** no such limit. */
int64_t rtk_pace_left(const struct rtk_pace *pace, int64_t now_ms,
                      int64_t *reset_ms);

#endif
