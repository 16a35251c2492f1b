/*
** A hash of 64 bits for look-ups; it keeps no secret.  FNV-1a, but eight bytes
** at a time: a URL has 150, and is hashed for each id.
*/
#ifndef RTK_HASH_H
#define RTK_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The hash of nothing. */
#define RTK_HASH_START UINT64_C(14695981039346656037)

/* Adds these bytes to `hash`.  The same bytes in other portions give another
** hash.  Keys in cache files are made with it; a file moved to a machine of the
** other byte order is found empty. */
static inline uint64_t rtk_hash_add(uint64_t hash, const void *bytes,
                                    size_t size) {
  const unsigned char *byte = bytes;
  for (; size >= sizeof(hash); size -= sizeof(hash), byte += sizeof(hash)) {
    uint64_t word = 0;
    memcpy(&word, byte, sizeof(word));
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    hash ^= hash >> 32; /* only a product's high bits depend on all others */
  }
  for (size_t i = 0; i < size; i++) {
    hash = (hash ^ byte[i]) * UINT64_C(1099511628211);
  }
  return hash;
}

#endif
