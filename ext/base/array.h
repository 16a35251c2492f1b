/* A growing array. */
#ifndef RTK_ARRAY_H
#define RTK_ARRAY_H

#include <stddef.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

#define RTK_ARRAY_ROOM_MIN 16 /* items */

/* Room for `need` items of `item_size` bytes, at least half as much again as
** before when the array has to grow.  Returns the array, which may have moved,
** with *room items; NULL without memory, nothing changed.  Free it with
** sqlite3_free(). */
static inline void *rtk_array_grow(void *items, size_t *room, size_t need,
                                   size_t item_size) {
  if (need <= *room) return items;
  size_t wanted = *room + *room / 2;
  if (wanted < RTK_ARRAY_ROOM_MIN) wanted = RTK_ARRAY_ROOM_MIN;
  if (wanted < need) wanted = need;
  void *grown = sqlite3_realloc64(items, wanted * item_size);
  if (grown != NULL) *room = wanted;
  return grown;
}

#endif
