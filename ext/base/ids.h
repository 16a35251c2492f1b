/*
** The ids of one batch, in order: nothing is kept of them but their bytes and
** 8 more each, and up to 8 more when they are looked for.
*/
#ifndef RTK_IDS_H
#define RTK_IDS_H

#include "base/value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rtk_ids {
  char *bytes; /* for each id a byte for its kind, then its text */
  size_t size, room;
  size_t *starts;
  size_t count, starts_room;
  uint32_t *buckets;   /* for finding: places in the list, from 1; 0 is empty */
  size_t bucket_count; /* a power of two; 0: not made for this list */
};

/* Empties the list but keeps its memory. */
void rtk_ids_clear(struct rtk_ids *ids);
void rtk_ids_deinit(struct rtk_ids *ids);

/* Copies one id to the end.  SQLITE_OK or SQLITE_NOMEM. */
int rtk_ids_add(struct rtk_ids *ids, struct rtk_text text);

/* Borrowed until the next add. */
struct rtk_text rtk_ids_text(const struct rtk_ids *ids, size_t i);

/* The place of an id by its text.  SQLITE_OK, SQLITE_NOTFOUND or
** SQLITE_NOMEM. */
int rtk_ids_find(struct rtk_ids *ids, struct rtk_text text, size_t *i);

/* Adds a text that is not in the list yet; *is_new: it was not.  SQLITE_OK or
** SQLITE_NOMEM. */
int rtk_ids_add_new(struct rtk_ids *ids, struct rtk_text text, bool *is_new);

#endif
