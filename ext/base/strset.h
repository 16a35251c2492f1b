/*
** A list of texts that can be looked up: ids that a batch requests, or names.
** A text costs its bytes, 8 more, and up to 16 for the hash table, which is
** made when it is needed.
**
**     bytes    a b c d e f g        starts   0 1 4
**              | |     |            buckets  . 3 . . 1 . 2 . (place + 1; .: 0)
*/
#ifndef RTK_STRSET_H
#define RTK_STRSET_H

#include "base/value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rtk_strset {
  char *bytes; /* text after text */
  size_t size, room;
  size_t *starts;
  size_t count, starts_room;
  uint32_t *buckets;
  size_t bucket_count; /* a power of two; 0: the table has to be made */
};

/* Empties the list but keeps its memory. */
void rtk_strset_clear(struct rtk_strset *set);
void rtk_strset_deinit(struct rtk_strset *set);

/* Copies one text to the end.  SQLITE_OK or SQLITE_NOMEM. */
int rtk_strset_add(struct rtk_strset *set, struct rtk_text text);

/* The text at place `i`, from 0; borrowed until the next add. */
struct rtk_text rtk_strset_text(const struct rtk_strset *set, size_t i);

/* The first place of a text.  SQLITE_OK, SQLITE_NOTFOUND or SQLITE_NOMEM. */
int rtk_strset_find(struct rtk_strset *set, struct rtk_text text, size_t *i);

/* Adds a text unless the list has it; *is_new tells.  SQLITE_OK or
** SQLITE_NOMEM. */
int rtk_strset_add_new(struct rtk_strset *set, struct rtk_text text,
                       bool *is_new);

#endif
