/* A growing array. */
#include "base/array.h"

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

#define ROOM_MIN 16 /* items */

void *rtk_array_grow(void *items, size_t *room, size_t need, size_t item_size) {
  if (need <= *room) return items;
  size_t wanted = *room + *room / 2;
  if (wanted < ROOM_MIN) wanted = ROOM_MIN;
  if (wanted < need) wanted = need;
  void *grown = sqlite3_realloc64(items, wanted * item_size);
  if (grown != NULL) *room = wanted;
  return grown;
}
