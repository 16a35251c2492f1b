/* The ids of one batch, in order. */
#include "base/ids.h"

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

/* Makes room for `more` elements of `one` bytes behind `count`. */
static int grow(void **memory, size_t *room, size_t count, size_t more,
                size_t one) {
  if (count + more <= *room) return SQLITE_OK;
  size_t wanted = *room < 64 ? 64 : *room + *room / 2;
  if (wanted < count + more) wanted = count + more;
  void *grown = sqlite3_realloc64(*memory, wanted * one);
  if (grown == NULL) return SQLITE_NOMEM;
  *memory = grown;
  *room = wanted;
  return SQLITE_OK;
}

static int append(struct rtk_ids *ids, struct rtk_text text) {
  void *bytes = ids->bytes;
  void *starts = ids->starts;
  int rc = grow(&bytes, &ids->room, ids->size, text.size, 1);
  ids->bytes = bytes;
  if (rc != SQLITE_OK) return rc;
  rc = grow(&starts, &ids->starts_room, ids->count, 1, sizeof(size_t));
  ids->starts = starts;
  if (rc != SQLITE_OK) return rc;

  ids->starts[ids->count++] = ids->size;
  if (text.size > 0) memcpy(ids->bytes + ids->size, text.bytes, text.size);
  ids->size += text.size;
  return SQLITE_OK;
}

int rtk_ids_add(struct rtk_ids *ids, struct rtk_text text) {
  ids->bucket_count = 0; /* the table for finding is of the old list */
  return append(ids, text);
}

struct rtk_text rtk_ids_text(const struct rtk_ids *ids, size_t i) {
  size_t start = ids->starts[i];
  size_t end = i + 1 < ids->count ? ids->starts[i + 1] : ids->size;
  return (struct rtk_text){ids->bytes + start, end - start};
}

/* The bucket that holds this id, or the empty one where it would be. */
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
  if (ids->count == 0) return SQLITE_NOTFOUND;
  if (ids->bucket_count == 0) {
    int rc = make_buckets(ids, ids->count);
    if (rc != SQLITE_OK) return rc;
  }
  uint32_t place = *bucket_of(ids, text);
  if (place == 0) return SQLITE_NOTFOUND;
  *i = place - 1;
  return SQLITE_OK;
}

int rtk_ids_add_new(struct rtk_ids *ids, struct rtk_text text, bool *is_new) {
  int rc = SQLITE_OK;
  if (2 * (ids->count + 1) > ids->bucket_count) {
    rc = make_buckets(ids, 2 * (ids->count + 1));
    if (rc != SQLITE_OK) return rc;
  }
  uint32_t *bucket = bucket_of(ids, text);
  *is_new = *bucket == 0;
  if (!*is_new) return SQLITE_OK;
  rc = append(ids, text);
  if (rc == SQLITE_OK) *bucket = (uint32_t)ids->count;
  return rc;
}
