/*
** The time to live of a reply: how long it may be used again.
**
**     a session that stopped 2 hours ago    cache_ttl_ended_s: it is final
**     a session that stopped a minute ago   60 s: its figures still settle
**     a session that runs, a list           cache_ttl_live_s
**     "not found"                           60 s
**     a link that expires, any other error  within the statement only
*/
#ifndef RTK_TTL_H
#define RTK_TTL_H

#include <stdbool.h>
#include <stdint.h>

struct rtk_endpoint;
struct rtk_reply;

/* The numbers stand in cache files. */
enum rtk_ttl_class {
  RTK_TTL_NONE = 0,     /* an error, a link: not kept beyond the statement */
  RTK_TTL_LIVE = 1,     /* may change at any time */
  RTK_TTL_SETTLING = 2, /* ended a short while ago: figures may change */
  RTK_TTL_ENDED = 3,    /* final */
  RTK_TTL_GONE = 4      /* not found */
};

/* The class of a reply that has just arrived. */
enum rtk_ttl_class rtk_ttl_class_of(const struct rtk_endpoint *endpoint,
                                    const struct rtk_reply *reply,
                                    int64_t now_unix_ms);

/* The settings cache_ttl_live_s and cache_ttl_ended_s, in ms. */
struct rtk_ttl_times {
  int64_t live_ms, ended_ms;
};

/* The time to live of such a reply in ms; 0: not beyond the statement. */
int64_t rtk_ttl_ms(struct rtk_ttl_times times, int class);

/* May a reply fetched at that time still be used?  Not a reply from the future:
** the clock was set back. */
bool rtk_ttl_is_fresh(struct rtk_ttl_times times, int class,
                      int64_t fetched_unix_ms, int64_t now_unix_ms);

/* Reads "2023-07-15T07:08:39.000Z" as milliseconds since 1970, without the
** fraction, which is optional.  False for any other form. */
bool rtk_ttl_parse_time(const char *text, uint32_t size, int64_t *unix_ms);

#endif
