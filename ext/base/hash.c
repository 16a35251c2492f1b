/* FNV-1a with 64 bits. */
#include "base/hash.h"

uint64_t rtk_hash_add(uint64_t hash, const void *bytes, size_t size) {
  const unsigned char *byte = bytes;
  for (size_t i = 0; i < size; i++) {
    hash = (hash ^ byte[i]) * UINT64_C(1099511628211);
  }
  return hash;
}
