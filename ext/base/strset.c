/* A list of texts in one block of memory, and a hash table over it. */
#include "base/strset.h"

#include "base/array.h"
#include "base/hash.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

void rtk_strset_clear(struct rtk_strset *set) {
  set->size = set->count = set->bucket_count = 0;
}

void rtk_strset_deinit(struct rtk_strset *set) {
  sqlite3_free(set->bytes);
  sqlite3_free(set->starts);
  sqlite3_free(set->buckets);
  memset(set, 0, sizeof(*set));
}

static int append(struct rtk_strset *set, struct rtk_text text) {
  char *bytes =
      rtk_array_grow(set->bytes, &set->room, set->size + text.size, 1);
  if (bytes == NULL && set->size + text.size > 0) return SQLITE_NOMEM;
  set->bytes = bytes;
  size_t *starts = rtk_array_grow(set->starts, &set->starts_room,
                                  set->count + 1, sizeof(*starts));
  if (starts == NULL) return SQLITE_NOMEM;
  set->starts = starts;

  set->starts[set->count++] = set->size;
  if (text.size > 0) memcpy(set->bytes + set->size, text.bytes, text.size);
  set->size += text.size;
  return SQLITE_OK;
}

int rtk_strset_add(struct rtk_strset *set, struct rtk_text text) {
  set->bucket_count = 0; /* the hash table is that of the old list */
  return append(set, text);
}

struct rtk_text rtk_strset_text(const struct rtk_strset *set, size_t i) {
  size_t start = set->starts[i];
  size_t end = i + 1 < set->count ? set->starts[i + 1] : set->size;
  return (struct rtk_text){set->bytes + start, end - start};
}

/* The bucket that holds this text, or the empty one where it would be. */
static uint32_t *bucket_of(const struct rtk_strset *set, struct rtk_text text) {
  size_t mask = set->bucket_count - 1;
  size_t at =
      (size_t)rtk_hash_add(RTK_HASH_START, text.bytes, text.size) & mask;
  for (; set->buckets[at] != 0; at = (at + 1) & mask) {
    struct rtk_text other = rtk_strset_text(set, set->buckets[at] - 1);
    if (other.size == text.size &&
        memcmp(other.bytes, text.bytes, text.size) == 0) {
      break;
    }
  }
  return &set->buckets[at];
}

/* Half of the buckets stay empty, so that every search ends soon. */
static int make_buckets(struct rtk_strset *set, size_t room) {
  size_t count = 16;
  while (count < 2 * room) count *= 2;
  uint32_t *buckets =
      sqlite3_realloc64(set->buckets, count * sizeof(*set->buckets));
  if (buckets == NULL) return SQLITE_NOMEM;
  memset(buckets, 0, count * sizeof(*buckets));
  set->buckets = buckets;
  set->bucket_count = count;
  for (size_t i = 0; i < set->count; i++) {
    uint32_t *bucket = bucket_of(set, rtk_strset_text(set, i));
    if (*bucket == 0) *bucket = (uint32_t)(i + 1);
  }
  return SQLITE_OK;
}

int rtk_strset_find(struct rtk_strset *set, struct rtk_text text, size_t *i) {
  int rc = set->bucket_count == 0 ? make_buckets(set, set->count) : SQLITE_OK;
  if (rc != SQLITE_OK) return rc;
  uint32_t place = *bucket_of(set, text);
  if (place == 0) return SQLITE_NOTFOUND;
  *i = place - 1;
  return SQLITE_OK;
}

int rtk_strset_add_new(struct rtk_strset *set, struct rtk_text text,
                       bool *is_new) {
  if (2 * (set->count + 1) > set->bucket_count) {
    int rc = make_buckets(set, 2 * (set->count + 1));
    if (rc != SQLITE_OK) return rc;
  }
  uint32_t *bucket = bucket_of(set, text);
  *is_new = *bucket == 0;
  if (!*is_new) return SQLITE_OK;
  int rc = append(set, text);
  if (rc == SQLITE_OK) *bucket = (uint32_t)set->count;
  return rc;
}
