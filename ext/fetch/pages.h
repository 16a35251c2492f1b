/*
** The pages of one list, in order.  A window over them requests pages before
** the reader comes to them.
**
**     page 1          total_count 350, 100 rows: pages 2, 3, 4 are known
**     page 2, 3, 4    requested together, delivered in order
**
** Why not simply read until a page is not full? Servers differ in what they
** count, and lists change while they are read.  A list ends
**   when total_count distinct rows have come, if the total is larger than the
**     first page (a total that only counts the page says nothing);
**   otherwise when a page is not full;
**   and always after RTK_PAGES_BARREN_MAX pages in a row without a new row,
**     or RTK_PAGES_MAX pages.
** A page without a new row (empty, or one that came before) is requested once
** more before it counts.
**
** When total_count changes from page to page, the list did: rows may have moved
** to a page that was read before.  Then all pages are requested again,
** RTK_PAGES_ROUNDS_MAX times at most, and the reader skips the rows it has
** seen.
*/
#ifndef RTK_PAGES_H
#define RTK_PAGES_H

#include "api/url.h"
#include "base/limits.h"
#include "fetch/window.h"

#include <stdbool.h>
#include <stdint.h>

/* Pages of a list that are requested before the reader has come to them, and of
** a list that other lists come before: its total_count has not been proven yet.
** How often all pages are requested again because the list has changed.  Pages
** in a row without a new row that end a list.  The most pages of one list: a
** million rows, 50 minutes of the default quota; a server that ignores page_no,
** or never ends, must not use up more. */
#define RTK_PAGES_AHEAD 64
#define RTK_PAGES_AHEAD_OF_OTHERS 4
#define RTK_PAGES_ROUNDS_MAX 2
#define RTK_PAGES_BARREN_MAX 2
#define RTK_PAGES_MAX 10000

struct rtk_err;
struct rtk_fetch;
struct rtk_job;
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
  bool is_known_only; /* nothing is requested: an unknown page is the end */
  bool is_whole;      /* all pages will be read: up to RTK_PAGES_AHEAD are
                         requested at once */
  /* Counted by the reader. */
  int64_t rows;      /* distinct ones of the list */
  int64_t page_rows; /* of these, in the current page */

  struct rtk_window window;
  struct rtk_call call;
  char *id;    /* that the call has; owned */
  int first;   /* the page at the window's place 0 */
  int current; /* the page that was read last, from 1 */
  int next;    /* the page to be read next */

  /* What the pages of this round tell. */
  int count;             /* of pages, as far as is known; 0: there is no list */
  int64_t total_count;   /* of rows; -1: not known */
  int first_size;        /* rows of page 1 */
  int largest;           /* rows of the largest page so far */
  int barren;            /* pages in a row without a new row */
  int rounds;            /* begun again */
  int64_t since_ms;      /* of this round: older replies are of no use; 0: all
                          are good */
  bool has_changed;      /* total_count, in this round … */
  bool has_ever_changed; /* … in any */
  bool has_failed;       /* a page */

  /* The current page. */
  struct {
    int size;       /* rows */
    uint64_t print; /* of its body; 0: its rows have ids */
    bool is_same;   /* the page before had the same print */
    bool is_failure;
    bool is_cut_off;  /* by the quota: there are no further pages */
    bool is_again;    /* it was requested once more … */
    int64_t again_ms; /* … and that reply is to be newer */
  } page;
};

/* The job `first` has page 1 of this call's list.  SQLITE_OK or
** SQLITE_NOMEM. */
int rtk_pages_begin(struct rtk_pages *pages, const struct rtk_call *call,
                    const struct rtk_job *first, struct rtk_window *outer);

/* The next page: its job, held for the caller, or NULL after the last one,
** where *end says how the list ended.  Returns what rtk_fetch_drive()
** returns. */
int rtk_pages_next(struct rtk_pages *pages, struct rtk_job **job,
                   enum rtk_pages_end *end, struct rtk_err *err);

/* How many pages a list has, as its first one tells. */
int rtk_pages_count(const struct rtk_reply *first);

/* Cancels what is in flight, and holds nothing any more.  The id stays until
** the next list begins. */
void rtk_pages_end(struct rtk_pages *pages);
void rtk_pages_deinit(struct rtk_pages *pages);

/* The id that the list was called by; borrowed. */
static inline struct rtk_text rtk_pages_id(const struct rtk_pages *pages) {
  return rtk_call_id(&pages->call);
}

#endif
