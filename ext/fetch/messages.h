/*
** What a statement says when the quota ends before it does:
**
**     quota: 120 of 500 sessions fetched and kept in the cache file until
**     2026-03-01 12:00:00 UTC; go on after 11:05:00, or set max_wait_ms to 0
*/
#ifndef RTK_MESSAGES_H
#define RTK_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>

struct rtk_err;
struct rtk_job;

/* Replies of one noun ("session", "page"). */
struct rtk_tally {
  const char *noun; /* static */
  int64_t count;
  int64_t kept;          /* of those, how many outlive the statement … */
  int64_t until_unix_ms; /* … all of them until then */
};

/* Nouns that are counted apart; what is more counts with the last one. */
#define RTK_TALLIES_MAX 16

struct rtk_tallies {
  int64_t total; /* of all counts */
  struct rtk_tally tally[RTK_TALLIES_MAX];
  int size; /* of it */
};

/* Counts a reply that is kept until that Unix time in ms; 0: it is not kept. */
void rtk_tallies_add(struct rtk_tallies *tallies, const char *noun,
                     int64_t until_unix_ms);

/* The end of the quota, as it is told. */
struct rtk_quota_end {
  struct rtk_tallies kept; /* what need not be requested again */
  const char *noun;        /* of the last request */
  int64_t expected;        /* ids of the statement; 0: not known */
  bool is_in_file;         /* the replies are kept in the cache file */
  bool is_blocked;         /* by a 429 */
  int64_t go_on_unix_ms;
};

/* Returns SQLITE_ERROR with the message in `err`, or SQLITE_NOMEM. */
int rtk_message_quota_end(struct rtk_quota_end *end, struct rtk_err *err);

/* The same for a single request that is not made. */
int rtk_message_quota_wait(int64_t go_on_unix_ms, struct rtk_err *err);

/* Why a job has no reply when the quota has ended; `token` is kept out of it.
** Free with sqlite3_free(); NULL: no memory. */
char *rtk_message_not_requested(const struct rtk_job *job, const char *token,
                                int64_t go_on_unix_ms);

#endif
