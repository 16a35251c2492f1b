/* A growing array. */
#ifndef RTK_ARRAY_H
#define RTK_ARRAY_H

#include <stddef.h>

/* Room for `need` items of `item_size` bytes, at least half as much again as
** before when it has to grow: the array, moved perhaps, with *room items; NULL,
** with nothing changed, when there is no memory.  Free it with
** sqlite3_free(). */
void *rtk_array_grow(void *items, size_t *room, size_t need, size_t item_size);

#endif
