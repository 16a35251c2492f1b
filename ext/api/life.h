/*
** How long a reply may be kept: what it says about a session that has ended
** stays true, what it says about one that runs does not.
*/
#ifndef RTK_LIFE_H
#define RTK_LIFE_H

#include <stdbool.h>
#include <stdint.h>

struct rtk_endpoint;
struct rtk_reply;

/* The numbers stand in cache files. */
enum rtk_life {
  RTK_LIFE_NONE = 0,     /* not kept beyond the statement: errors */
  RTK_LIFE_LIVE = 1,     /* may change at any time */
  RTK_LIFE_SETTLING = 2, /* ended, its figures may yet change */
  RTK_LIFE_ENDED = 3,
  RTK_LIFE_GONE = 4 /* the API does not know it */
};

/* What a reply is at the time `now_unix_ms`, when it has just come. */
enum rtk_life rtk_life_of(const struct rtk_endpoint *endpoint,
                          const struct rtk_reply *reply, int64_t now_unix_ms);

/* How long what may change is kept, and what will not, in ms. */
struct rtk_life_times {
  int64_t live_ms, ended_ms;
};

/* How long such a reply is kept, in ms; 0: not beyond the statement. */
int64_t rtk_life_ms(struct rtk_life_times times, int life);

/* Is a reply of this life, fetched then, still good now?  One that comes from
** the future, because the clock was set back, is not. */
bool rtk_life_is_fresh(struct rtk_life_times times, int life,
                       int64_t fetched_unix_ms, int64_t now_unix_ms);

/* Reads "2023-07-15T07:08:39.000Z" as milliseconds since 1970, to the second: a
** fraction may be there and is left out.  False when it is anything else. */
bool rtk_life_parse_time(const char *text, uint32_t size, int64_t *unix_ms);

#endif
