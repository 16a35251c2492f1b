/*
** Ids in, replies out: one after another, or by id in any order.  While one is
** waited for, the others of the list are asked for ahead of their turn; and where
** a reply is the first page of many, the others of those to come.
*/
#ifndef RTK_BATCH_H
#define RTK_BATCH_H

#include "api/wanted.h"
#include "base/ids.h"

#include <stdbool.h>
#include <stddef.h>

struct rtk_entry;
struct rtk_err;
struct rtk_fetch;
struct rtk_pages;

struct rtk_batch {
  /* Set by the owner. */
  struct rtk_fetch *fetch;  /* borrowed */
  struct rtk_wanted wanted; /* but for the id */
  struct rtk_ids ids;       /* where the endpoint has none: one, any text; may
                               grow while the batch is in use by id */
  size_t growth;      /* by id: for each that was got, so many may have been
                               asked for, and of pages; 0: any number from the
                               second on */
  bool is_known_only; /* nothing is waited for: an entry without a reply
                               comes out as it is */

  /* For batch.c alone. */
  struct rtk_entry **entries; /* for each id: NULL, its entry, or `passed` */
  size_t room;                /* of entries */
  size_t begun;               /* ids that entries[] is made for; 0: none yet */
  size_t turn;                /* the id that comes out next, or calls by id */
  size_t due;                 /* the id whose turn it is, or was last */
  size_t ahead;               /* the id to be asked for ahead next */
  size_t unasked;             /* ids not yet asked for */
  bool is_ahead;              /* others are asked for ahead of their turn */
  struct rtk_entry *out;      /* the last one out; held */
  /* The pages after the first of the lists to come. */
  size_t *order;      /* of lists: the ids, as they were asked for */
  size_t order_count; /* of those */
  size_t list;        /* place in `order` of the next to be asked for pages */
  int page;           /* how many of them it has been asked for */
  struct rtk_batch_page *pages;
  size_t page_room;  /* of pages */
  size_t page_count; /* held */
  size_t pages_asked;
  size_t pages_out; /* of those whose turn was before the one that is out */
  size_t pages_of_out;
};

/* The reply of the next id in the order of the list: *entry is borrowed until
** the next call and NULL at the end; *index is the id's place in `ids`.
** Returns SQLITE_OK, or what rtk_fetch_drive() returns. */
int rtk_batch_next(struct rtk_batch *batch, struct rtk_entry **entry,
                   size_t *index, struct rtk_err *err);

/* The same for the id at `index`, whose turn it is now.  Without `growth` others
** are asked for ahead from the second call on: a look-up that stays the only one,
** as in a correlated subquery, wastes nothing. */
int rtk_batch_get(struct rtk_batch *batch, size_t index,
                  struct rtk_entry **entry, struct rtk_err *err);

/* Asks for the id whose turn is next and waits for nothing.  *is_known: its reply
** is here. */
int rtk_batch_ask(struct rtk_batch *batch, bool *is_known, struct rtk_err *err);

/* The id at `index` has come out, and these are its pages: they take over what has
** been asked for. */
void rtk_batch_give_pages(struct rtk_batch *batch, size_t index,
                          struct rtk_pages *pages);

/* Takes over the entry that `from` has out, as the reply of the last id here. */
void rtk_batch_take_out(struct rtk_batch *batch, struct rtk_batch *from);

/* Lets go of the entry that came out last, before its time. */
void rtk_batch_release_out(struct rtk_batch *batch);

/* Makes `wanted` that of the id at `index`. */
void rtk_batch_set_id(struct rtk_batch *batch, size_t index);

/* Cancels what is under way for it and holds nothing any more; begins anew. */
void rtk_batch_let_go(struct rtk_batch *batch);

/* The same, and empties the list of ids; memory is kept for the next round. */
void rtk_batch_clear(struct rtk_batch *batch);
void rtk_batch_deinit(struct rtk_batch *batch);

#endif
