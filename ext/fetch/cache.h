/*
** Replies that are kept beyond their statement: in memory and, where there is
** one, in the cache file, each for as long as life.c says.
**
** The file has bodies as they came, which are judged again when they are
** wanted.  A row of a list is kept as the reply of that row's own endpoint.
*/
#ifndef RTK_CACHE_H
#define RTK_CACHE_H

#include <stdbool.h>
#include <stdint.h>

struct rtk_config;
struct rtk_entry;
struct rtk_memo;
struct rtk_reply;
struct rtk_response;
struct rtk_store;

struct rtk_cache {
  const struct rtk_config *config; /* borrowed, as all of them */
  struct rtk_memo *memo;
  struct rtk_store *store;
};

/* Gives an entry of the memo its reply, which the memo then owns, fetched at
** this Unix time in ms. */
void rtk_cache_settle(const struct rtk_cache *cache, struct rtk_entry *entry,
                      struct rtk_reply *reply, int64_t fetched_ms);

/* Settles a new entry from the file, if it is in there and still good: then it
** has a reply.  SQLITE_OK or SQLITE_NOMEM. */
int rtk_cache_find(const struct rtk_cache *cache, struct rtk_entry *entry);

/* Keeps the response of an entry that it has settled, if it is one to be kept:
** its body in the file, and the rows of a list one by one, but for those that
** there are replies of.  SQLITE_OK or SQLITE_NOMEM. */
int rtk_cache_keep(const struct rtk_cache *cache, const struct rtk_entry *entry,
                   const struct rtk_response *response);

/* Is its reply kept beyond the statement at all; and is it still good now? */
bool rtk_cache_is_kept(const struct rtk_cache *cache,
                       const struct rtk_entry *entry);
bool rtk_cache_is_good(const struct rtk_cache *cache,
                       const struct rtk_entry *entry);

/* Of a reply that is kept: until when, Unix time in ms. */
int64_t rtk_cache_kept_until(const struct rtk_cache *cache,
                             const struct rtk_entry *entry);

#endif
