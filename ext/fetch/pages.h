/*
** The pages of one list, in order.  Further pages are requested before the reader
** comes to them, RTK_AHEAD_GROWTH times as many as have been read.
**
** A list ends
**   when total_count distinct rows have come, if the total is larger than the
**     first page (a total that only counts the page says nothing);
**   otherwise when a page is not full;
**   and in any case after RTK_PAGES_BARREN_MAX pages in a row without a new row,
**     or RTK_PAGES_MAX pages.
** A page without a new row (empty, or one that came before) is requested once
** more before it counts.
**
** When total_count changes from page to page, the list did: rows may have moved
** to a page that was read before, and all pages are requested again,
** RTK_PAGES_ROUNDS_MAX times at most.  The reader skips rows it has seen.
*/
#ifndef RTK_PAGES_H
#define RTK_PAGES_H

#include "api/wanted.h"
#include "base/limits.h"

#include <stdbool.h>
#include <stdint.h>

struct rtk_entry;
struct rtk_err;
struct rtk_fetch;
struct rtk_reply;

/* How a list ended. */
enum rtk_pages_end {
  RTK_PAGES_WHOLE,
  RTK_PAGES_SHORT,   /* with fewer rows than its total_count, which never
                        changed; no page failed */
  RTK_PAGES_TOO_MANY /* after RTK_PAGES_MAX pages, and there may be more */
};

struct rtk_pages {
  /* Set by the owner. */
  struct rtk_fetch *fetch; /* borrowed */
  bool is_known_only; /* nothing is waited for: a page whose reply is not here
                              is taken for the end */
  /* Counted by the reader. */
  int64_t rows;      /* distinct ones of the list */
  int64_t page_rows; /* of these, in the page that came out last */

  struct rtk_wanted wanted; /* what it points to is borrowed */
  int count;                /* of pages, as far as is known; 0: no list */
  int current;              /* the page that came out last, from 1 */
  int turn;                 /* the page that comes out next */
  int ahead;                /* the page to be requested next */
  int first_size;           /* rows of page 1 */
  int last_size;            /* rows of the page that came out last */
  int largest;              /* rows of the largest page so far */
  int barren;               /* pages in a row without a new row */
  uint64_t print; /* of the page that came out last; 0: its rows have ids */
  bool is_same;   /* as the page before it, by that */
  int64_t total_count; /* of rows; -1: not known */
  bool has_changed;    /* total_count, in this round */
  bool has_ever_changed;
  bool has_failed;  /* a page has */
  bool is_failure;  /* the page that came out last is one */
  bool is_cut_off;  /* by the quota: no further page can be had */
  bool is_again;    /* the page that came out last was requested once more */
  int rounds;       /* that were begun anew */
  int64_t since_ms; /* replies from before that time are of no use; 0: all are
                        good */
  int64_t again_ms; /* the same for the page that is requested once more */
  struct rtk_entry *entries[RTK_PAGES_AHEAD]; /* those requested */
  struct rtk_entry *out;                      /* held */
};

/* The reply `first` is page 1 of what is wanted; it is held by somebody else,
** who lets go of it before the next page is asked for. */
void rtk_pages_begin(struct rtk_pages *pages, const struct rtk_wanted *wanted,
                     const struct rtk_entry *first);

/* The next page: *entry is borrowed until the next call, and NULL after the
** last one; *end then says how the list ended.  Returns what rtk_fetch_drive()
** returns. */
int rtk_pages_next(struct rtk_pages *pages, struct rtk_entry **entry,
                   enum rtk_pages_end *end, struct rtk_err *err);

/* How many more pages its first one tells of. */
int rtk_pages_after(const struct rtk_reply *first);

/* Takes over the entry of the next page, which has been asked for: from page 2
** on, before anything else is done, and RTK_PAGES_AHEAD - 1 of them at the most. */
void rtk_pages_take(struct rtk_pages *pages, struct rtk_entry *entry);

/* Cancels what is under way, and holds nothing any more. */
void rtk_pages_end(struct rtk_pages *pages);

#endif
