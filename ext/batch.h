/*
** Ids in, replies out in the same order: the first as soon as it has come,
** while the following ones are asked for ahead of their turn.
*/
#ifndef RTK_BATCH_H
#define RTK_BATCH_H

#include "ids.h"
#include "limits.h"
#include "value.h"

#include <stddef.h>

struct rtk_endpoint;
struct rtk_entry;
struct rtk_err;
struct rtk_fetch;

struct rtk_batch {
  /* Set by the owner before the first rtk_batch_next(). */
  struct rtk_fetch *fetch; /* borrowed */
  const struct rtk_endpoint *endpoint;
  struct rtk_text arguments[RTK_INPUTS_MAX]; /* borrowed; the last is the id */
  size_t argument_count;
  struct rtk_ids ids;

  /* For batch.c alone. */
  size_t turn;                /* the id that comes out next */
  size_t wanted;              /* ids asked for so far */
  struct rtk_entry **entries; /* a ring: those in between, and the last out */
  size_t room;                /* of the ring, a power of two or 0 */
  struct rtk_entry *out;
};

/* The reply of the next id: *entry is borrowed until the next call and NULL
** at the end; *index is the id's place in `ids`.  SQLITE_OK, or what
** rtk_fetch_drive() returns. */
int rtk_batch_next(struct rtk_batch *batch, struct rtk_entry **entry,
                   size_t *index, struct rtk_err *err);

/* Lets go of everything, cancels what is under way and empties the list of
** ids; memory is kept for the next round. */
void rtk_batch_clear(struct rtk_batch *batch);
void rtk_batch_deinit(struct rtk_batch *batch);

#endif
