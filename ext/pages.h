/*
** The pages of one list, in order.  The next ones are asked for ahead of their
** turn, RTK_AHEAD_GROWTH times as many as have come out.
**
** How many there are is what the latest page says.  When that number changes on
** the way, the list did: rows may have moved from a page to come to one that has
** been, and all pages are asked for again, RTK_PAGES_ROUNDS_MAX times at most.  Whoever
** reads them passes over the rows that it has seen.
*/
#ifndef RTK_PAGES_H
#define RTK_PAGES_H

#include "limits.h"
#include "wanted.h"

#include <stdbool.h>
#include <stdint.h>

struct rtk_entry;
struct rtk_err;
struct rtk_fetch;
struct rtk_reply;

struct rtk_pages {
  /* Set by the owner. */
  struct rtk_fetch *fetch; /* borrowed */
  bool is_known_only; /* nothing is waited for: a page whose reply is not here
                              is taken for the end */
  bool has_new;       /* the page that came out last has a row not met before */

  struct rtk_wanted wanted; /* what it points to is borrowed */
  int count;                /* of pages, as far as is known; 0: no list */
  int size;                 /* rows of a page */
  int turn;                 /* the page that comes out next */
  int ahead;                /* the page to be asked for next */
  int64_t total_count;      /* of rows; -1: not known */
  bool has_changed;
  int rounds;       /* that were begun anew */
  int64_t since_ms; /* replies from before that time are of no use; 0: all are
                       good */
  struct rtk_entry *entries[RTK_PAGES_AHEAD]; /* those asked for */
  struct rtk_entry *out;                      /* held */
};

/* The reply `first` is page 1 of what is wanted; it is held by somebody else,
** who lets go of it before the next page is asked for. */
void rtk_pages_begin(struct rtk_pages *pages, const struct rtk_wanted *wanted,
                     const struct rtk_entry *first);

/* The next page: *entry is borrowed until the next call, and NULL after the
** last one.  Returns what rtk_fetch_drive() returns. */
int rtk_pages_next(struct rtk_pages *pages, struct rtk_entry **entry,
                   struct rtk_err *err);

/* How many more pages its first one tells of. */
int rtk_pages_after(const struct rtk_reply *first);

/* Takes over the entry of the next page, which has been asked for: from page 2
** on, before anything else is done, and RTK_PAGES_AHEAD - 1 of them at the most. */
void rtk_pages_take(struct rtk_pages *pages, struct rtk_entry *entry);

/* Cancels what is under way, and holds nothing any more. */
void rtk_pages_end(struct rtk_pages *pages);

#endif
