/*
** A window over an ordered sequence of jobs: while the reader waits for one
** place, the places behind it are requested too.
**
**     place    0   1   2   3   4   5   6   7   8   9  …  count
**              d   d   R   r   r   r   .   .   .   .
**                      |   |-- ahead --|   `next` is 6
**                      the reader is here
**
**     d  delivered     r  requested     .  not yet
**
** The sequence is the ids of an IN list, the ids that a statement is going to
** ask for (prefetch.h), or the pages of one list (pages.h).  Replies come in
** any order.  They are delivered in the reader's order, so that one slow reply
** does not hold up the requests behind it.
**
** How far ahead? Where all places will be read, only the engine's room limits
** it (concurrency, memory).  Otherwise `growth` does: after n places have been
** read, at most growth × n have been requested.  So a LIMIT wastes little, and
** still the number in flight grows fast.
**
** Where the places are lists, their further pages are requested ahead as well:
** a list of 300 rows whose first page is here is three requests.
*/
#ifndef RTK_WINDOW_H
#define RTK_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rtk_call;
struct rtk_err;
struct rtk_fetch;
struct rtk_job;

struct rtk_window {
  /* Set by the owner, the rest zero. */
  struct rtk_fetch *fetch; /* borrowed, as is all that follows */
  /* The call of a place: borrowed until the next use of the window. */
  struct rtk_call *(*call_at)(void *user, size_t place);
  void *user;
  struct rtk_window *outer; /* of lists, whose pages this one is over: goes on
                               while this one waits; NULL: none */
  size_t count;             /* places; may grow at any time */
  size_t growth;    /* 0: all places will be read, or from the second on, so
                        it seems */
  size_t ahead_max; /* places ahead of the reader; 0: any number */
  bool is_whole;    /* all places will be read */
  bool is_one_list; /* the places are the pages of one list */
  int64_t since_ms; /* see rtk_fetch_request() */

  /* For window.c alone. */
  struct rtk_job **jobs; /* by place: NULL, the job, or DELIVERED */
  size_t room;           /* of jobs */
  size_t begun;          /* places that jobs[] is filled in for */
  size_t next;           /* the place to look at for the next request */
  size_t requested;      /* places … */
  size_t delivered;      /* … and of those that the reader has come to */
  size_t reader;         /* the last one of them */
  struct {
    struct rtk_window_page *pages; /* further pages, held */
    size_t room, count;
    size_t *order;  /* the places of lists in the order of their requests */
    size_t ordered; /* how many there are */
    size_t order_room;
    size_t list; /* in `order`: the list whose pages are requested next */
    int page;    /* the last page of it that was requested; 0: none */
  } lists;
};

/* The job of a place, with its reply, held for the caller.  Returns SQLITE_OK,
** or what rtk_fetch_drive() returns. */
int rtk_window_get(struct rtk_window *window, size_t place,
                   struct rtk_job **job, struct rtk_err *err);

/* Waits for the reply of a job; meanwhile the window goes on (NULL: none). */
int rtk_window_await(struct rtk_fetch *fetch, struct rtk_window *window,
                     const struct rtk_job *job, struct rtk_err *err);

/* Gives the further pages of the list that the reader has come to, as far as
** they have been requested, to a new window over them: page 2 is its place 0.
** SQLITE_OK or SQLITE_NOMEM. */
int rtk_window_move_pages(struct rtk_window *from, struct rtk_window *to);

/* Lets a place that was delivered be requested anew. */
void rtk_window_repeat(struct rtk_window *window, size_t place);

/* Releases all jobs, which cancels those in flight, and begins again without
** any place; memory is kept. */
void rtk_window_clear(struct rtk_window *window);
void rtk_window_deinit(struct rtk_window *window);

#endif
