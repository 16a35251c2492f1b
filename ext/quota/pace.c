/*
** How many requests may go out now.
**
** Limits in force: the rate; what the server announces, or else the quota of the
** settings.  Each counts the requests under way and those that ended within its
** window.  The latter are kept in a ring of time
** slots, in which a request counts as ended at its slot's end: less than 1 % of
** a window is lost by that, and nothing is gained.
**
** Of an announced quota the server also says how many requests are left until
** it is reset.  That knows of others who use the token.  What is left goes down
** only, until the reset; then one request goes out to learn the new number.
**
** A 429 blocks everybody for as long as it says.  Nothing is concluded from how many
** requests came before it: one stray 429 would slow everything down for an hour.
*/
#include "quota/pace.h"

#include "api/ratelimit.h"
#include "base/limits.h"

#include <string.h>

#define RATE_WINDOW_MS 1000

/* What is known of the requests that an announced quota has left. */
enum left_state {
  UNKNOWN, /* it was not said */
  KNOWN,   /* `left` until `reset_ms` */
  PASSED,  /* the reset is past */
  ASKED    /* … and a request is under way to learn what is left now */
};

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

static int64_t bounded(int64_t number, int64_t most) {
  return smaller(larger(number, 0), most);
}

/* --- one limit --------------------------------------------------------------- */

static int64_t slot_ms(const struct rtk_pace_limit *limit) {
  return limit->window_ms / RTK_PACE_WINDOW_SLOTS + 1;
}

/* The slot that is the newest but `age`. */
static uint32_t *slot_at(struct rtk_pace_limit *limit, int64_t age) {
  return &limit->slots[(limit->newest + RTK_PACE_SLOTS - (uint32_t)age) %
                       RTK_PACE_SLOTS];
}

static uint32_t in_slot(const struct rtk_pace_limit *limit, int64_t age) {
  return limit->slots[(limit->newest + RTK_PACE_SLOTS - (uint32_t)age) %
                      RTK_PACE_SLOTS];
}

/* When the requests in a slot ended, at the latest. */
static int64_t slot_end_ms(const struct rtk_pace_limit *limit, int64_t age) {
  return limit->newest_ms + (1 - age) * slot_ms(limit);
}

static void advance(struct rtk_pace_limit *limit, int64_t now) {
  int64_t steps = (now - limit->newest_ms) / slot_ms(limit);
  if (limit->window_ms == 0 || steps <= 0) return;
  limit->newest_ms += steps * slot_ms(limit);
  for (int64_t i = 0; i < smaller(steps, RTK_PACE_SLOTS); i++) {
    limit->newest = (limit->newest + 1) % RTK_PACE_SLOTS;
    *slot_at(limit, 0) = 0;
  }
}

/* So many requests ended then.  (A limit without a window keeps none.) */
static void record(struct rtk_pace_limit *limit, int64_t at_ms, int64_t count) {
  if (limit->window_ms == 0) return;
  int64_t size = slot_ms(limit);
  int64_t age = at_ms >= limit->newest_ms
                    ? 0
                    : (limit->newest_ms - at_ms + size - 1) / size;
  if (age >= RTK_PACE_SLOTS) return;
  uint32_t *slot = slot_at(limit, age);
  *slot = (uint32_t)smaller(*slot + count, UINT32_MAX);
}

static bool is_counted(const struct rtk_pace_limit *limit, int64_t age,
                       int64_t now) {
  return age < RTK_PACE_SLOTS &&
         slot_end_ms(limit, age) + limit->window_ms > now;
}

/* Requests that ended within the window. */
static int64_t ended_in(const struct rtk_pace_limit *limit, int64_t now) {
  int64_t sum = 0;
  for (int64_t age = 0; is_counted(limit, age, now); age++) {
    sum += in_slot(limit, age);
  }
  return sum;
}

static bool is_on(const struct rtk_pace_limit *limit) {
  return limit->count > 0 && limit->window_ms > 0;
}

/* ms until a limit without room has room for one more. */
static int64_t wait_for(const struct rtk_pace_limit *limit, int64_t now,
                        int64_t under_way) {
  int64_t sum = under_way;
  if (under_way >= limit->count) return RTK_PACE_AFTER_REPLY;
  for (int64_t age = 0; is_counted(limit, age, now); age++) {
    sum += in_slot(limit, age);
    if (sum >= limit->count) {
      return slot_end_ms(limit, age) + limit->window_ms - now;
    }
  }
  return 0;
}

/* ms until none of the ended requests counts any more. */
static int64_t whole_after(const struct rtk_pace_limit *limit, int64_t now) {
  int64_t age = 0;
  while (is_counted(limit, age, now) && in_slot(limit, age) == 0) age++;
  if (!is_counted(limit, age, now)) return 0;
  return slot_end_ms(limit, age) + limit->window_ms - now;
}

/* --- all limits ----------------------------------------------------------------- */

#define LIMITS_MAX (2 + RTK_RATELIMIT_ITEMS_MAX)

/* Those that keep requests; `limits` has LIMITS_MAX. */
static int list_limits(struct rtk_pace *pace, struct rtk_pace_limit **limits) {
  int count = 0;
  limits[count++] = &pace->rate;
  limits[count++] = &pace->quota;
  for (int i = 0; i < RTK_RATELIMIT_ITEMS_MAX; i++) {
    limits[count++] = &pace->announced[i].limit;
  }
  return count;
}

/* The finest record that goes back as far as the window, or the longest. */
static const struct rtk_pace_limit *best_record(struct rtk_pace *pace,
                                                int64_t window_ms) {
  struct rtk_pace_limit *limits[LIMITS_MAX];
  int count = list_limits(pace, limits);
  const struct rtk_pace_limit *best = limits[0];
  for (int i = 1; i < count; i++) {
    int64_t length = limits[i]->window_ms;
    bool is_better = best->window_ms < window_ms
                         ? length > best->window_ms
                         : length >= window_ms && length < best->window_ms;
    if (is_better) best = limits[i];
  }
  return best;
}

/* Gives a limit another window, with what is known about that: each request
** as late as it may have ended. */
static void set_window(struct rtk_pace *pace, struct rtk_pace_limit *limit,
                       int64_t now, int64_t window_ms) {
  if (window_ms == limit->window_ms) return;
  struct rtk_pace_limit known = *best_record(pace, window_ms);
  *limit = (struct rtk_pace_limit){
      .count = limit->count, .window_ms = window_ms, .newest_ms = now};
  if (known.window_ms == 0) return;
  for (int64_t age = 0; age < RTK_PACE_SLOTS; age++) {
    record(limit, smaller(slot_end_ms(&known, age), now), in_slot(&known, age));
  }
}

/* --- time ------------------------------------------------------------------------- */

/* The clock was set by so much. */
static void shift(struct rtk_pace *pace, int64_t by_ms) {
  struct rtk_pace_limit *limits[LIMITS_MAX];
  int count = list_limits(pace, limits);
  for (int i = 0; i < count; i++) limits[i]->newest_ms += by_ms;
  for (int i = 0; i < RTK_RATELIMIT_ITEMS_MAX; i++) {
    pace->announced[i].heard_ms += by_ms;
    pace->announced[i].reset_ms += by_ms;
    pace->announced[i].ask_ms += by_ms;
  }
  pace->blocked_until_ms += by_ms;
}

/* Brings everything up to now, and returns what that is on our clock. */
static int64_t tick(struct rtk_pace *pace, int64_t now) {
  struct rtk_pace_limit *limits[LIMITS_MAX];
  int count = list_limits(pace, limits);
  int64_t behind_ms = pace->clock_ms - now;
  if (behind_ms > RTK_PACE_CLOCK_STEP_MS) {
    shift(pace, -behind_ms);
  } else if (behind_ms > 0) {
    now = pace->clock_ms;
  }
  pace->clock_ms = now;
  for (int i = 0; i < count; i++) advance(limits[i], now);
  for (int i = 0; i < RTK_RATELIMIT_ITEMS_MAX; i++) {
    struct rtk_pace_announced *a = &pace->announced[i];
    if (now - a->heard_ms >= RTK_PACE_LIMIT_LIFE_MS) a->is_used = false;
    if (a->state == KNOWN && now >= a->reset_ms) a->state = PASSED;
  }
  return now;
}

static bool is_announced(const struct rtk_pace *pace) {
  bool is_any = false;
  for (int i = 0; i < RTK_RATELIMIT_ITEMS_MAX; i++) {
    if (pace->announced[i].is_used) is_any = true;
  }
  return is_any;
}

/* Those in force; `limits` has LIMITS_MAX.  The first one is the rate, if
** `with_rate`. */
static int list_in_force(const struct rtk_pace *pace, bool with_rate,
                         const struct rtk_pace_limit **limits) {
  int count = 0;
  bool is_told = is_announced(pace);
  if (with_rate && is_on(&pace->rate)) limits[count++] = &pace->rate;
  if (!is_told && is_on(&pace->quota)) limits[count++] = &pace->quota;
  for (int i = 0; i < RTK_RATELIMIT_ITEMS_MAX; i++) {
    const struct rtk_pace_announced *a = &pace->announced[i];
    if (a->is_used && is_on(&a->limit)) limits[count++] = &a->limit;
  }
  return count;
}

/* --- settings ---------------------------------------------------------------------- */

void rtk_pace_set(struct rtk_pace *pace, int64_t now_ms,
                  int64_t rate_per_second, int64_t quota,
                  int64_t quota_window_ms) {
  int64_t window_ms = bounded(quota_window_ms, RTK_WAIT_MAX_MS);
  pace->rate.count = bounded(rate_per_second, RTK_RATELIMIT_COUNT_MAX);
  pace->quota.count = bounded(quota, RTK_RATELIMIT_COUNT_MAX);
  if (pace->rate.window_ms == RATE_WINDOW_MS &&
      pace->quota.window_ms == window_ms) {
    return;
  }
  int64_t now = tick(pace, now_ms);
  set_window(pace, &pace->rate, now, RATE_WINDOW_MS);
  set_window(pace, &pace->quota, now, window_ms);
}

/* --- take and give back --------------------------------------------------------------- */

/* Requests that are left for us: a few are for others with the same token, who
** ask while we do not look. */
static int64_t left_for_us(const struct rtk_pace_announced *a) {
  return larger(a->left - a->limit.count / RTK_PACE_RESERVE, 0);
}

/* How many more `a` leaves room for. */
static int64_t announced_room(const struct rtk_pace *pace,
                              const struct rtk_pace_announced *a, int64_t now) {
  if (!a->is_used || a->state == UNKNOWN) return INT64_MAX;
  if (a->state == KNOWN) return left_for_us(a) - pace->under_way;
  bool may_ask = a->state == PASSED || now >= a->ask_ms;
  return may_ask || pace->under_way == 0 ? 1 : 0;
}

static int64_t room(const struct rtk_pace *pace, int64_t now) {
  const struct rtk_pace_limit *limits[LIMITS_MAX];
  int count = list_in_force(pace, true, limits);
  int64_t least = INT64_MAX;
  if (now < pace->blocked_until_ms) return 0;
  for (int i = 0; i < count; i++) {
    least = smaller(least, limits[i]->count - pace->under_way -
                               ended_in(limits[i], now));
  }
  for (int i = 0; i < RTK_RATELIMIT_ITEMS_MAX; i++) {
    least = smaller(least, announced_room(pace, &pace->announced[i], now));
  }
  return larger(least, 0);
}

/* The longer of two waits; that for a reply has no end. */
static int64_t longer(int64_t a, int64_t b) {
  if (a == RTK_PACE_AFTER_REPLY || b == RTK_PACE_AFTER_REPLY) {
    return RTK_PACE_AFTER_REPLY;
  }
  return larger(a, b);
}

/* ms until there is room for one. */
static int64_t wait_for_room(const struct rtk_pace *pace, int64_t now) {
  const struct rtk_pace_limit *limits[LIMITS_MAX];
  int count = list_in_force(pace, true, limits);
  int64_t wait_ms = larger(pace->blocked_until_ms - now, 0);
  for (int i = 0; i < count; i++) {
    wait_ms = longer(wait_ms, wait_for(limits[i], now, pace->under_way));
  }
  for (int i = 0; i < RTK_RATELIMIT_ITEMS_MAX; i++) {
    const struct rtk_pace_announced *a = &pace->announced[i];
    if (announced_room(pace, a, now) > 0) continue;
    bool may_help =
        pace->under_way > 0 && (a->state != KNOWN || left_for_us(a) > 0);
    wait_ms =
        longer(wait_ms, may_help ? RTK_PACE_AFTER_REPLY : a->reset_ms - now);
  }
  return wait_ms;
}

static void begin(struct rtk_pace *pace, int64_t now, int64_t count) {
  pace->is_alone = pace->under_way == 0 && count == 1;
  pace->under_way += count;
  for (int i = 0; i < RTK_RATELIMIT_ITEMS_MAX; i++) {
    struct rtk_pace_announced *a = &pace->announced[i];
    if (a->state != PASSED && a->state != ASKED) continue;
    a->state = ASKED;
    a->ask_ms = now + RTK_PACE_ASK_AGAIN_MS;
  }
}

int rtk_pace_take(struct rtk_pace *pace, int64_t now_ms, int wanted,
                  int64_t *wait_ms) {
  int64_t now = tick(pace, now_ms);
  int64_t count = bounded(room(pace, now), larger(wanted, 0));
  if (count > 0) begin(pace, now, count);
  *wait_ms = count < wanted ? wait_for_room(pace, now) : 0;
  return (int)count;
}

void rtk_pace_give_back(struct rtk_pace *pace, int count) {
  pace->under_way -= bounded(count, pace->under_way);
}

/* --- news ------------------------------------------------------------------------------ */

/* What is known by that name, made when there is news; the one that was not
** heard of for the longest time makes room. */
static struct rtk_pace_announced *find_announced(
    struct rtk_pace *pace, const struct rtk_ratelimit_item *item) {
  struct rtk_pace_announced *oldest = &pace->announced[0];
  for (int i = 0; i < RTK_RATELIMIT_ITEMS_MAX; i++) {
    struct rtk_pace_announced *a = &pace->announced[i];
    if (a->is_used && strcmp(a->name, item->name) == 0) return a;
    if (!oldest->is_used) continue;
    if (!a->is_used || a->heard_ms < oldest->heard_ms) oldest = a;
  }
  memset(oldest, 0, sizeof(*oldest));
  memcpy(oldest->name, item->name, sizeof(oldest->name));
  oldest->is_used = true;
  return oldest;
}

static bool is_policy(const struct rtk_ratelimit_item *item) {
  return item->quota > 0 && item->window_ms > 0;
}

/* So many are left until then.  The reply may be older than others that were
** here before it, and the window it speaks of over.  So what is left goes down
** only, unless no other request was under way beside the reply's own, or a new
** window has begun: the reset is clearly later than the last one, or that is
** past and more may go.  What the reply may not know of is taken off then, if
** there is no policy that counts it. */
static void hear_left(const struct rtk_pace *pace, struct rtk_pace_announced *a,
                      int64_t left, int64_t reset_ms) {
  bool is_known = a->state == KNOWN;
  bool is_alone = pace->is_alone && pace->under_way == 0;
  bool is_later = reset_ms > a->reset_ms + RTK_PACE_RESET_JITTER_MS;
  bool is_useful = is_on(&a->limit) && left > pace->under_way;
  int64_t certain = is_alone || is_on(&a->limit)
                        ? left
                        : left - ended_in(&pace->rate, pace->clock_ms);
  int64_t lower = is_known ? smaller(a->left, left) : 0;
  if (is_known && !is_later) {
    a->left = is_alone ? left : lower;
    a->reset_ms = smaller(a->reset_ms, reset_ms);
  } else if (a->state == UNKNOWN || is_alone || is_later || is_useful) {
    a->state = KNOWN;
    a->left = larger(certain, lower);
    a->reset_ms = reset_ms;
  }
}

/* Returns what the item is about; NULL when it says nothing of use. */
static struct rtk_pace_announced *hear(struct rtk_pace *pace, int64_t now,
                                       const struct rtk_ratelimit_item *item) {
  bool has_left = item->left >= 0 && (item->reset_ms >= 0 || is_policy(item));
  if (!has_left && !is_policy(item)) return NULL;
  struct rtk_pace_announced *a = find_announced(pace, item);
  a->heard_ms = now;
  if (item->quota > 0) a->limit.count = item->quota;
  if (is_policy(item)) {
    set_window(pace, &a->limit, now, item->window_ms);
  }
  bool is_short = a->limit.window_ms > 0 &&
                  a->limit.window_ms < RTK_PACE_NEWS_WINDOW_MIN_MS;
  if (!has_left || is_short) return a;
  int64_t reset_ms = item->reset_ms >= 0 ? item->reset_ms : item->window_ms;
  if (reset_ms == 0) reset_ms = RTK_PACE_ROUNDING_MS;
  hear_left(pace, a, item->left, now + reset_ms);
  return a;
}

/* So many ended, of which the server said nothing under this name. */
static void end_untold(struct rtk_pace_announced *a, int64_t count,
                       bool has_reply) {
  if (a->state == KNOWN) a->left -= smaller(a->left, count);
  if (a->state == ASKED) a->state = has_reply ? UNKNOWN : PASSED;
}

static void hear_all(struct rtk_pace *pace, int64_t now, int64_t count,
                     const struct rtk_ratelimit *news) {
  bool is_told[RTK_RATELIMIT_ITEMS_MAX] = {false};
  for (int i = 0; news != NULL && i < news->count; i++) {
    struct rtk_pace_announced *a = hear(pace, now, &news->items[i]);
    if (a != NULL) is_told[a - pace->announced] = news->items[i].left >= 0;
  }
  for (int i = 0; i < RTK_RATELIMIT_ITEMS_MAX; i++) {
    int64_t untold = count - (is_told[i] ? 1 : 0);
    if (untold > 0) end_untold(&pace->announced[i], untold, news != NULL);
  }
}

void rtk_pace_end(struct rtk_pace *pace, int64_t now_ms, int count,
                  const struct rtk_ratelimit *news) {
  struct rtk_pace_limit *limits[LIMITS_MAX];
  int limit_count = list_limits(pace, limits);
  int64_t now = tick(pace, now_ms);
  int64_t ended = bounded(count, pace->under_way);
  pace->under_way -= ended;
  hear_all(pace, now, ended, news);
  for (int i = 0; i < limit_count; i++) record(limits[i], now, ended);
}

void rtk_pace_repeat(struct rtk_pace *pace, int64_t now_ms, int count) {
  struct rtk_pace_limit *limits[LIMITS_MAX];
  int limit_count = list_limits(pace, limits);
  int64_t now = tick(pace, now_ms);
  for (int i = 0; i < limit_count; i++) record(limits[i], now, count);
  for (int i = 0; i < RTK_RATELIMIT_ITEMS_MAX; i++) {
    struct rtk_pace_announced *a = &pace->announced[i];
    if (a->state == KNOWN) a->left -= smaller(a->left, count);
  }
}

/* --- 429 --------------------------------------------------------------------------------- */

void rtk_pace_block(struct rtk_pace *pace, int64_t now_ms, int64_t wait_ms) {
  int64_t now = tick(pace, now_ms);
  int64_t until_ms = now + bounded(wait_ms, RTK_WAIT_MAX_MS);
  pace->blocked_until_ms = larger(pace->blocked_until_ms, until_ms);
}

int64_t rtk_pace_blocked_ms(const struct rtk_pace *pace, int64_t now_ms) {
  return larger(pace->blocked_until_ms - larger(now_ms, pace->clock_ms), 0);
}

/* --- for showing, and for files ------------------------------------------------------------ */

int64_t rtk_pace_left(const struct rtk_pace *pace, int64_t now_ms,
                      int64_t *reset_ms) {
  const struct rtk_pace_limit *limits[LIMITS_MAX];
  struct rtk_pace then = *pace;
  int64_t now = tick(&then, now_ms);
  int count = list_in_force(&then, false, limits);
  int64_t least = -1;
  *reset_ms = 0;
  for (int i = 0; i < count; i++) {
    int64_t left = limits[i]->count - then.under_way - ended_in(limits[i], now);
    if (least >= 0 && left >= least) continue;
    least = larger(left, 0);
    *reset_ms =
        then.under_way > 0 ? limits[i]->window_ms : whole_after(limits[i], now);
  }
  for (int i = 0; i < RTK_RATELIMIT_ITEMS_MAX; i++) {
    const struct rtk_pace_announced *a = &then.announced[i];
    if (!a->is_used || a->state != KNOWN) continue;
    int64_t left = larger(left_for_us(a) - then.under_way, 0);
    if (least >= 0 && left >= least) continue;
    least = left;
    *reset_ms = a->reset_ms - now;
  }
  return least;
}

/* Numbers and times with sums far from overflow. */
#define SAFE ((int64_t)1 << 53)

/* No wait is longer than a day. */
static bool is_time(const struct rtk_pace *pace, int64_t ms) {
  return ms > -SAFE && ms <= pace->clock_ms + RTK_WAIT_MAX_MS;
}

static bool is_in(int64_t number, int64_t most) {
  return number >= 0 && number <= most;
}

static bool is_valid_limit(const struct rtk_pace *pace,
                           const struct rtk_pace_limit *limit) {
  return limit->newest_ms <= pace->clock_ms &&
         is_time(pace, limit->newest_ms) && is_in(limit->count, SAFE) &&
         is_in(limit->window_ms, RTK_WAIT_MAX_MS);
}

static bool is_valid_announced(const struct rtk_pace *pace,
                               const struct rtk_pace_announced *a) {
  return is_valid_limit(pace, &a->limit) && is_time(pace, a->heard_ms) &&
         is_time(pace, a->reset_ms) &&
         is_in(a->left, RTK_RATELIMIT_COUNT_MAX) && is_in(a->state, ASKED) &&
         memchr(a->name, '\0', sizeof(a->name)) != NULL;
}

bool rtk_pace_is_valid(const struct rtk_pace *pace) {
  bool is_valid =
      is_in(pace->clock_ms, SAFE) && is_time(pace, pace->blocked_until_ms) &&
      is_in(pace->under_way, INT32_MAX) && is_valid_limit(pace, &pace->rate) &&
      is_valid_limit(pace, &pace->quota);
  for (int i = 0; i < RTK_RATELIMIT_ITEMS_MAX; i++) {
    is_valid = is_valid && is_valid_announced(pace, &pace->announced[i]);
  }
  return is_valid;
}
