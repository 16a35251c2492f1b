/* A hash of 64 bits: for look-ups, and no secret. */
#ifndef RTK_HASH_H
#define RTK_HASH_H

#include <stddef.h>
#include <stdint.h>

/* The hash of nothing. */
#define RTK_HASH_START UINT64_C(14695981039346656037)

/* Goes on from `hash` with these bytes.  The same bytes in other portions give
** another hash.  Keys in cache files are made with it; one moved to a machine
** of the other byte order is found empty. */
uint64_t rtk_hash_add(uint64_t hash, const void *bytes, size_t size);

#endif
