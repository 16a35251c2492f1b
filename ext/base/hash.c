/* FNV-1a, taking eight bytes at a time: a URL has 150, and is hashed per id. */
#include "base/hash.h"

#include <string.h>

uint64_t rtk_hash_add(uint64_t hash, const void *bytes, size_t size) {
  const unsigned char *byte = bytes;
  for (; size >= sizeof(hash); size -= sizeof(hash), byte += sizeof(hash)) {
    uint64_t word = 0;
    memcpy(&word, byte, sizeof(word));
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    hash ^=
        hash >> 32; /* a product's high bits depend on all, its low ones not */
  }
  for (size_t i = 0; i < size; i++) {
    hash = (hash ^ byte[i]) * UINT64_C(1099511628211);
  }
  return hash;
}
