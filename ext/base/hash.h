/* FNV-1a with 64 bits: for look-ups, and no secret. */
#ifndef RTK_HASH_H
#define RTK_HASH_H

#include <stddef.h>
#include <stdint.h>

/* The hash of nothing. */
#define RTK_HASH_START UINT64_C(14695981039346656037)

/* The hash of what `hash` is of with these bytes behind it.  Keys in cache
** files are made with it: it has to stay as it is. */
uint64_t rtk_hash_add(uint64_t hash, const void *bytes, size_t size);

#endif
