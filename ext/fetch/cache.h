/*
** Replies that outlive their statement: in memory and, where there is one, in
** the cache file, each for the time that ttl.c says.
**
** The file keeps replies with rows packed (packed.h), and the body of any
** other.  A body is judged again when it is read; so is a packed one, when the
** columns of its table have changed.  A row of a list is kept as a reply of
** that row's own endpoint: after a list of sessions each of them is known.
*/
#ifndef RTK_CACHE_H
#define RTK_CACHE_H

#include <stdbool.h>
#include <stdint.h>

struct rtk_config;
struct rtk_job;
struct rtk_jobs;
struct rtk_json;
struct rtk_reply;
struct rtk_response;
struct rtk_diskcache;

struct rtk_cache {
  const struct rtk_config *config; /* borrowed, as all of them */
  struct rtk_jobs *jobs;
  struct rtk_diskcache *disk;
};

/* Gives a job its reply, which it then owns, fetched at this Unix time in
** ms. */
void rtk_cache_finish(const struct rtk_cache *cache, struct rtk_job *job,
                      struct rtk_reply *reply, int64_t fetched_ms);

/* Finishes a new job from the file, if its reply is there and still fresh.
** SQLITE_OK or SQLITE_NOMEM. */
int rtk_cache_find(const struct rtk_cache *cache, struct rtk_job *job);

/* Keeps what the server sent for a job that is DONE: the reply in the file, and
** `rows` (NULL: none), if they are a list's, one by one.  Rows that have a
** newer reply of their own are left out.  SQLITE_OK or SQLITE_NOMEM. */
int rtk_cache_keep(const struct rtk_cache *cache, const struct rtk_job *job,
                   const struct rtk_response *response,
                   const struct rtk_json *rows);

/* Does the reply of a job outlive the statement; and is it still fresh? */
bool rtk_cache_is_kept(const struct rtk_cache *cache,
                       const struct rtk_job *job);
bool rtk_cache_is_fresh(const struct rtk_cache *cache,
                        const struct rtk_job *job);

/* Of a reply that outlives the statement: until when, Unix time in ms. */
int64_t rtk_cache_kept_until(const struct rtk_cache *cache,
                             const struct rtk_job *job);

#endif
