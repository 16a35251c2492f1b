/*
** Pacing: how many requests may start now.
**
** Each limit keeps a short history, newest slot first: when the last request of
** the slot ended, and how many did.  With a limit of 10 in 60 s, at 12:01:00:
**
**     12:00:58  3  \  counted: 7.  With 2 requests in flight, 1 may start.
**     12:00:31  4  /
**     11:59:59  6     one window old: not counted any more
**
** A slot counts until its last request is one window old, so merging requests
** into a slot never allows too many.  One time for each request would be exact,
** but a quota may be 1,000,000.  A token bucket needs two numbers only, but
** allows twice the limit in one window: the full bucket and what flows in.
**
** Limits in force: the rate of the settings, and the quotas that the server
** announces; the quota of the settings while the server announces none.  With
** an announced quota come the requests left until its reset, which include
** those of other users of the token:
**
**     "left" not announced -> left until the reset -> reset is past
**                                    ^                    |
**                                    +-- the reply of one request that asks --+
*/
#include "quota/pace.h"

#include "api/ratelimit.h"
#include "base/limits.h"

#include <stdbool.h>
#include <string.h>

#define RATE_WINDOW_MS 1000

/* ms: announced times are whole seconds, rounded up or down. */
#define ROUNDING_MS 1000

/* ms: two announced resets no further apart are the same one.  Rounding, and up
** to two seconds that a reply was on its way. */
#define RESET_JITTER_MS 3000

/* 1/50 of an announced quota is left to other users of the token: exceeding the
** quota may block everybody for minutes. */
#define RESERVE_DIVISOR 50

/* ms: in shorter windows the number left is outdated, and the reset too coarse,
** when they are read. */
#define NEWS_WINDOW_MIN_MS 5000

/* ms: two threads may read the clock and take the lock in the opposite order. A
** lag up to this is that; more means that the clock was set back. */
#define CLOCK_LAG_MAX_MS 1000

/* ms: an announced limit holds for so long after its last announcement. */
#define ANNOUNCED_MS 3600000

/* ms: the request that asks for the number left after a reset may take so long;
** then another request may ask. */
#define ASK_AGAIN_MS 5000

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

int64_t rtk_pace_tick(struct rtk_pace *pace, int64_t unix_ms) {
  int64_t behind_ms = pace->clock_ms - (unix_ms + pace->offset_ms);
  if (behind_ms > CLOCK_LAG_MAX_MS) pace->offset_ms += behind_ms;
  pace->clock_ms = larger(pace->clock_ms, unix_ms + pace->offset_ms);
  return pace->clock_ms;
}

void rtk_pace_set(struct rtk_pace *pace, int64_t rate_per_second, int64_t quota,
                  int64_t quota_window_ms) {
  pace->limits[RTK_PACE_RATE].count = rate_per_second;
  pace->limits[RTK_PACE_RATE].window_ms = RATE_WINDOW_MS;
  pace->limits[RTK_PACE_QUOTA].count = quota;
  pace->limits[RTK_PACE_QUOTA].window_ms = quota_window_ms;
}

/* --- the history of a limit ----------------------------------------------- */

static bool is_counted(const struct rtk_pace_limit *limit, int slot,
                       int64_t now) {
  return slot < RTK_PACE_SLOTS &&
         limit->ended_ms[slot] + limit->window_ms > now;
}

static void record(struct rtk_pace_limit *limit, int64_t now, int64_t count) {
  const int last = RTK_PACE_SLOTS - 1;
  int64_t width_ms = limit->window_ms / (RTK_PACE_SLOTS - 2) + 1;
  if (limit->ended_ms[0] / width_ms != now / width_ms) {
    /* After a change to a longer window the last slot may still count. */
    uint32_t dropped = is_counted(limit, last, now) ? limit->ended[last] : 0;
    memmove(&limit->ended_ms[1], &limit->ended_ms[0],
            (size_t)last * sizeof(*limit->ended_ms));
    memmove(&limit->ended[1], &limit->ended[0],
            (size_t)last * sizeof(*limit->ended));
    limit->ended[last] += dropped;
    limit->ended[0] = 0;
  }
  limit->ended_ms[0] = now + 1; /* whole ms, rounded up */
  limit->ended[0] = (uint32_t)smaller(limit->ended[0] + count, INT32_MAX);
}

static int64_t count_ended(const struct rtk_pace_limit *limit, int64_t now) {
  int64_t sum = 0;
  for (int i = 0; is_counted(limit, i, now); i++) sum += limit->ended[i];
  return sum;
}

/* --- room ----------------------------------------------------------------- */

/* How many requests may start, and if none, how long to wait. */
struct room {
  int64_t count, wait_ms;
};

static void tighten(struct room *room, int64_t count, int64_t wait_ms) {
  room->count = smaller(room->count, larger(count, 0));
  if (count > 0 || room->wait_ms == RTK_PACE_AFTER_REPLY) return;
  bool has_end = wait_ms != RTK_PACE_AFTER_REPLY;
  room->wait_ms = has_end ? larger(room->wait_ms, wait_ms) : wait_ms;
}

static bool is_on(const struct rtk_pace_limit *limit) {
  return limit->count > 0 && limit->window_ms > 0;
}

static void check_window(const struct rtk_pace *pace,
                         const struct rtk_pace_limit *limit,
                         struct room *room) {
  int64_t now = pace->clock_ms;
  int64_t count = limit->count - pace->in_flight;
  int64_t wait_ms = count > 0 ? 0 : RTK_PACE_AFTER_REPLY;
  if (!is_on(limit)) return;
  for (int i = 0; is_counted(limit, i, now); i++) {
    count -= limit->ended[i];
    if (count > 0 || wait_ms != 0) continue;
    wait_ms = limit->ended_ms[i] + limit->window_ms - now;
  }
  tighten(room, count, wait_ms);
}

static bool is_left_known(const struct rtk_pace_limit *limit, int64_t now) {
  return now < limit->reset_ms;
}

static bool is_reset_past(const struct rtk_pace_limit *limit, int64_t now) {
  return limit->reset_ms != 0 && now >= limit->reset_ms;
}

static int64_t left_for_us(const struct rtk_pace_limit *limit) {
  return larger(limit->left - limit->count / RESERVE_DIVISOR, 0);
}

/* After the reset one request goes out to learn the new number. */
static void check_left(const struct rtk_pace *pace,
                       const struct rtk_pace_limit *limit, struct room *room) {
  int64_t now = pace->clock_ms;
  if (is_left_known(limit, now)) {
    bool may_reply_help = pace->in_flight > 0 && left_for_us(limit) > 0;
    tighten(room, left_for_us(limit) - pace->in_flight,
            may_reply_help ? RTK_PACE_AFTER_REPLY : limit->reset_ms - now);
  } else if (is_reset_past(limit, now)) {
    bool may_ask = now >= limit->ask_ms || pace->in_flight == 0;
    tighten(room, may_ask ? 1 : 0, RTK_PACE_AFTER_REPLY);
  }
}

static bool is_announced(const struct rtk_pace_limit *limit, int64_t now) {
  return limit->heard_ms != 0 && now - limit->heard_ms < ANNOUNCED_MS;
}

static bool is_in_force(const struct rtk_pace *pace, int which) {
  int64_t now = pace->clock_ms;
  if (which == RTK_PACE_RATE) return true;
  if (which != RTK_PACE_QUOTA) return is_announced(&pace->limits[which], now);
  for (int i = RTK_PACE_ANNOUNCED; i < RTK_PACE_LIMITS; i++) {
    if (is_announced(&pace->limits[i], now)) return false;
  }
  return true;
}

static struct room find_room(const struct rtk_pace *pace) {
  struct room room = {INT64_MAX, 0};
  int64_t blocked_ms = rtk_pace_blocked_ms(pace);
  if (blocked_ms > 0) tighten(&room, 0, blocked_ms);
  for (int i = 0; i < RTK_PACE_LIMITS; i++) {
    if (!is_in_force(pace, i)) continue;
    check_window(pace, &pace->limits[i], &room);
    check_left(pace, &pace->limits[i], &room);
  }
  return room;
}

int rtk_pace_acquire(struct rtk_pace *pace, int wanted, int64_t *wait_ms) {
  int64_t now = pace->clock_ms;
  int64_t count = smaller(find_room(pace).count, larger(wanted, 0));
  if (count > 0) {
    pace->is_alone = pace->in_flight == 0 && count == 1;
    pace->in_flight += count;
    for (int i = RTK_PACE_ANNOUNCED; i < RTK_PACE_LIMITS; i++) {
      struct rtk_pace_limit *limit = &pace->limits[i];
      if (!is_reset_past(limit, now)) continue;
      limit->ask_ms = now + ASK_AGAIN_MS;
    }
  }
  *wait_ms = count < wanted ? find_room(pace).wait_ms : 0;
  return (int)count;
}

/* --- what replies announce ------------------------------------------------ */

/* The announced limit of this name, made if needed; it replaces the one that
** was not announced for the longest time.  A new one starts with the history of
** the quota of the settings. */
static struct rtk_pace_limit *find_announced(
    struct rtk_pace *pace, const struct rtk_ratelimit_item *item) {
  struct rtk_pace_limit *oldest = &pace->limits[RTK_PACE_ANNOUNCED];
  for (int i = RTK_PACE_ANNOUNCED; i < RTK_PACE_LIMITS; i++) {
    struct rtk_pace_limit *limit = &pace->limits[i];
    bool is_same = strcmp(limit->name, item->name) == 0;
    if (is_same && is_announced(limit, pace->clock_ms)) return limit;
    if (limit->heard_ms < oldest->heard_ms) oldest = limit;
  }
  *oldest = pace->limits[RTK_PACE_QUOTA];
  oldest->count = oldest->window_ms = 0;
  memcpy(oldest->name, item->name, sizeof(oldest->name));
  return oldest;
}

/* The reply says: `left` until `reset_ms`.  It may be older than other replies
** that arrived before it, and speak of a window that is over.  So the number
** left only goes down, unless - the reply's request was alone in flight: no
** other reply can be newer, or - a new window has begun: the reset is clearly
** later than the last one, or the
**   last one is past and the number allows more.
** Without a window to count in, requests of the last second that the reply may
** not include are taken off. */
static void hear_left(const struct rtk_pace *pace, struct rtk_pace_limit *limit,
                      int64_t left, int64_t reset_ms) {
  int64_t now = pace->clock_ms;
  bool is_known = is_left_known(limit, now);
  bool is_alone = pace->is_alone && pace->in_flight == 0;
  bool is_later = reset_ms > limit->reset_ms + RESET_JITTER_MS;
  bool is_useful = is_on(limit) && left > pace->in_flight;
  int64_t lower = is_known ? smaller(limit->left, left) : 0;
  if (is_known && !is_later) {
    limit->left = is_alone ? left : lower;
    limit->reset_ms = smaller(limit->reset_ms, reset_ms);
    return;
  }
  if (limit->reset_ms != 0 && !is_alone && !is_later && !is_useful) return;
  if (!is_alone && !is_on(limit)) {
    left -= count_ended(&pace->limits[RTK_PACE_RATE], now);
  }
  limit->left = larger(left, lower);
  limit->reset_ms = reset_ms;
  limit->ask_ms = 0;
}

/* Returns the limit whose number left the item tells; NULL: none. */
static const struct rtk_pace_limit *hear(
    struct rtk_pace *pace, const struct rtk_ratelimit_item *item) {
  bool is_policy = item->quota > 0 && item->window_ms > 0;
  bool has_left = item->left >= 0 && (item->reset_ms >= 0 || is_policy);
  if (!has_left && !is_policy) return NULL;
  struct rtk_pace_limit *limit = find_announced(pace, item);
  limit->heard_ms = pace->clock_ms;
  if (item->quota > 0) limit->count = item->quota;
  if (is_policy) limit->window_ms = item->window_ms;
  if (!has_left) return NULL;
  if (limit->window_ms > 0 && limit->window_ms < NEWS_WINDOW_MIN_MS) {
    return limit;
  }
  int64_t reset_ms = item->reset_ms >= 0 ? item->reset_ms : item->window_ms;
  if (reset_ms == 0) reset_ms = ROUNDING_MS;
  hear_left(pace, limit, item->left, pace->clock_ms + reset_ms);
  return limit;
}

/* `count` requests ended about which the server said nothing under this
** name. */
static void end_untold(struct rtk_pace_limit *limit, int64_t now, int64_t count,
                       bool has_reply) {
  if (is_left_known(limit, now)) limit->left -= smaller(limit->left, count);
  if (!is_reset_past(limit, now) || limit->ask_ms == 0) return;
  limit->ask_ms = 0;
  if (has_reply) limit->reset_ms = 0; /* the server does not say it any more */
}

void rtk_pace_end(struct rtk_pace *pace, int count, int sent,
                  const struct rtk_ratelimit *news) {
  int64_t now = pace->clock_ms;
  int without_reply = news == NULL ? sent : sent - 1;
  bool is_told[RTK_PACE_LIMITS] = {false};
  pace->in_flight -= smaller(count, pace->in_flight);
  for (int i = 0; i < RTK_PACE_LIMITS && without_reply > 0; i++) {
    end_untold(&pace->limits[i], now, without_reply, false);
  }
  for (int i = 0; news != NULL && i < news->count; i++) {
    const struct rtk_pace_limit *limit = hear(pace, &news->items[i]);
    if (limit != NULL) is_told[limit - pace->limits] = true;
  }
  for (int i = 0; i < RTK_PACE_LIMITS && sent > 0; i++) {
    struct rtk_pace_limit *limit = &pace->limits[i];
    if (news != NULL && !is_told[i]) end_untold(limit, now, 1, true);
    record(limit, now, sent);
  }
}

/* --- blocks, and display -------------------------------------------------- */

void rtk_pace_block(struct rtk_pace *pace, int64_t wait_ms) {
  int64_t until_ms = pace->clock_ms + smaller(wait_ms, RTK_WAIT_MAX_MS);
  pace->blocked_until_ms = larger(pace->blocked_until_ms, until_ms);
}

int64_t rtk_pace_blocked_ms(const struct rtk_pace *pace) {
  return larger(pace->blocked_until_ms - pace->clock_ms, 0);
}

int64_t rtk_pace_left(const struct rtk_pace *pace, int64_t *reset_ms) {
  int64_t now = pace->clock_ms;
  struct room room = {INT64_MAX, 0};
  *reset_ms = 0;
  for (int i = RTK_PACE_QUOTA; i < RTK_PACE_LIMITS; i++) {
    const struct rtk_pace_limit *limit = &pace->limits[i];
    int64_t before = room.count;
    if (!is_in_force(pace, i)) continue;
    check_window(pace, limit, &room);
    if (room.count < before) {
      int64_t newest_ms = pace->in_flight > 0 ? now : limit->ended_ms[0];
      *reset_ms = larger(newest_ms + limit->window_ms - now, 0);
    }
    before = room.count;
    if (is_left_known(limit, now)) check_left(pace, limit, &room);
    if (room.count < before) *reset_ms = limit->reset_ms - now;
  }
  return room.count == INT64_MAX ? -1 : room.count;
}
