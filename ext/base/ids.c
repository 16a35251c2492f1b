/* A list of texts in one block of memory, and a hash table over it. */
#include "base/ids.h"

#include "base/array.h"
#include "base/hash.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

void rtk_ids_clear(struct rtk_ids *ids) {
  ids->size = ids->count = ids->bucket_count = 0;
}

void rtk_ids_deinit(struct rtk_ids *ids) {
  sqlite3_free(ids->bytes);
  sqlite3_free(ids->starts);
  sqlite3_free(ids->buckets);
  memset(ids, 0, sizeof(*ids));
}

static int append(struct rtk_ids *ids, struct rtk_text text) {
  char *bytes =
      rtk_array_grow(ids->bytes, &ids->room, ids->size + text.size, 1);
  if (bytes == NULL && ids->size + text.size > 0) return SQLITE_NOMEM;
  ids->bytes = bytes;
  size_t *starts = rtk_array_grow(ids->starts, &ids->starts_room,
                                  ids->count + 1, sizeof(*starts));
  if (starts == NULL) return SQLITE_NOMEM;
  ids->starts = starts;

  ids->starts[ids->count++] = ids->size;
  if (text.size > 0) memcpy(ids->bytes + ids->size, text.bytes, text.size);
  ids->size += text.size;
  return SQLITE_OK;
}

int rtk_ids_add(struct rtk_ids *ids, struct rtk_text text) {
  ids->bucket_count = 0; /* the hash table is that of the old list */
  return append(ids, text);
}

struct rtk_text rtk_ids_text(const struct rtk_ids *ids, size_t i) {
  size_t start = ids->starts[i];
  size_t end = i + 1 < ids->count ? ids->starts[i + 1] : ids->size;
  return (struct rtk_text){ids->bytes + start, end - start};
}

/* The bucket that holds this text, or the empty one where it would be. */
static uint32_t *bucket_of(const struct rtk_ids *ids, struct rtk_text text) {
  size_t mask = ids->bucket_count - 1;
  size_t at =
      (size_t)rtk_hash_add(RTK_HASH_START, text.bytes, text.size) & mask;
  for (; ids->buckets[at] != 0; at = (at + 1) & mask) {
    struct rtk_text other = rtk_ids_text(ids, ids->buckets[at] - 1);
    if (other.size == text.size &&
        memcmp(other.bytes, text.bytes, text.size) == 0) {
      break;
    }
  }
  return &ids->buckets[at];
}

/* Half of the buckets stay empty, so that every search ends soon. */
static int make_buckets(struct rtk_ids *ids, size_t room) {
  size_t count = 16;
  while (count < 2 * room) count *= 2;
  uint32_t *buckets =
      sqlite3_realloc64(ids->buckets, count * sizeof(*ids->buckets));
  if (buckets == NULL) return SQLITE_NOMEM;
  memset(buckets, 0, count * sizeof(*buckets));
  ids->buckets = buckets;
  ids->bucket_count = count;
  for (size_t i = 0; i < ids->count; i++) {
    uint32_t *bucket = bucket_of(ids, rtk_ids_text(ids, i));
    if (*bucket == 0) *bucket = (uint32_t)(i + 1);
  }
  return SQLITE_OK;
}

int rtk_ids_find(struct rtk_ids *ids, struct rtk_text text, size_t *i) {
  int rc = ids->bucket_count == 0 ? make_buckets(ids, ids->count) : SQLITE_OK;
  if (rc != SQLITE_OK) return rc;
  uint32_t place = *bucket_of(ids, text);
  if (place == 0) return SQLITE_NOTFOUND;
  *i = place - 1;
  return SQLITE_OK;
}

int rtk_ids_add_new(struct rtk_ids *ids, struct rtk_text text, bool *is_new) {
  if (2 * (ids->count + 1) > ids->bucket_count) {
    int rc = make_buckets(ids, 2 * (ids->count + 1));
    if (rc != SQLITE_OK) return rc;
  }
  uint32_t *bucket = bucket_of(ids, text);
  *is_new = *bucket == 0;
  if (!*is_new) return SQLITE_OK;
  int rc = append(ids, text);
  if (rc == SQLITE_OK) *bucket = (uint32_t)ids->count;
  return rc;
}
