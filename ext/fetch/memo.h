/*
** What is known or being asked, by URL: the memory of one connection, bounded,
** the least recently used forgotten first.
**
** An entry lives while somebody holds it; one that nobody holds lives on only
** if its reply has come, and until its room is needed.  Whether a reply is
** still good is for others to say.
*/
#ifndef RTK_MEMO_H
#define RTK_MEMO_H

#include "base/value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rtk_endpoint;
struct rtk_reply;
struct rtk_transfer;
struct rtk_memo;

struct rtk_entry {
  const char *url; /* with the id behind it in the entry's own memory */
  struct rtk_text id;
  int page;          /* of a list, from 1; 0: it has none */
  size_t scope_size; /* bytes of the URL that name the account and app */
  const struct rtk_endpoint *endpoint;
  struct rtk_reply *reply; /* NULL until it has come */
  int64_t fetched_ms;      /* when, by rtk_clock_unix_ms() */
  int life;                /* enum rtk_life */
  int64_t statement;       /* the last one that had to do with it */
  bool is_unasked;         /* nobody has: it stood in a list */

  /* For memo.c alone. */
  uint64_t hash;
  size_t size; /* bytes of memory without the reply */
  int holders;
  struct rtk_entry *hash_next;
  struct rtk_entry *newer, *older; /* among those that nobody holds */

  /* For fetch.c alone. */
  struct rtk_transfer *transfer; /* NULL when not under way */
  struct rtk_scope *scope;       /* borrowed; while there is no reply */
  int64_t started_ms;            /* of the last try */
  int tries;
  bool is_again; /* the last try got no reply */
  bool is_alone; /* the next try: nothing else is under way then */
  int64_t not_before_ms;
  struct rtk_entry *next, *previous; /* in one of its lists */
};

/* SQLITE_OK with *memo given (free with rtk_memo_free()) or SQLITE_NOMEM. */
int rtk_memo_new(struct rtk_memo **memo);

/* Nobody may hold an entry any more. */
void rtk_memo_free(struct rtk_memo *memo);

/* Drops the replies that nobody holds. */
void rtk_memo_drop_idle(struct rtk_memo *memo);

/* The same one by one: the URL of the next (NULL: none), borrowed until it is
** dropped. */
const char *rtk_memo_oldest(const struct rtk_memo *memo);
void rtk_memo_drop_oldest(struct rtk_memo *memo);

/* The entry of this URL, held once more; *is_new when it was not there and
** fetch.c has to fill it in.  SQLITE_OK or SQLITE_NOMEM. */
int rtk_memo_hold(struct rtk_memo *memo, const char *url, struct rtk_text id,
                  struct rtk_entry **entry, bool *is_new);

/* Lets go of an entry.  When that was the last holder and there is no reply,
** the entry is gone: fetch.c has stopped its transfer before. */
void rtk_memo_release(struct rtk_memo *memo, struct rtk_entry *entry,
                      int64_t max_bytes);
bool rtk_memo_is_last_holder(const struct rtk_entry *entry);

/* Takes the reply of an entry away again, as if it were new; the caller is its
** only holder. */
void rtk_memo_renew(struct rtk_memo *memo, struct rtk_entry *entry);

/* Gives an entry its reply, which the memo then owns. */
void rtk_memo_settle(struct rtk_memo *memo, struct rtk_entry *entry,
                     struct rtk_reply *reply, int64_t max_bytes);

/* All entries, one after the other and in no order: the one behind `entry`, NULL:
** the first, NULL after the last. */
const struct rtk_entry *rtk_memo_next(const struct rtk_memo *memo,
                                      const struct rtk_entry *entry);

/* Bytes of all entries with a reply that somebody holds, and their number. */
int64_t rtk_memo_held_bytes(const struct rtk_memo *memo);
int64_t rtk_memo_held_count(const struct rtk_memo *memo);

#endif
