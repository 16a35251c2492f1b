/*
** What is known or being asked, by URL: a hash table with chains, and a list
** of the entries that nobody holds, in the order in which they were let go.
*/
#include "fetch/memo.h"

#include "api/reply.h"
#include "base/hash.h"
#include "base/limits.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

#define BUCKETS_FIRST 256 /* a power of two, as all that follow */

struct rtk_memo {
  struct rtk_entry **buckets;
  size_t bucket_count;
  size_t count;
  struct rtk_entry *newest, *oldest; /* nobody holds them */
  int64_t idle_bytes;                /* of those */
  int64_t held_bytes; /* of entries with a reply and holders … */
  int64_t held_count; /* … and how many these are */
};

static int64_t bytes_of(const struct rtk_entry *entry) {
  return (int64_t)(entry->size + entry->reply->size + RTK_ENTRY_OVERHEAD);
}

int rtk_memo_new(struct rtk_memo **memo) {
  struct rtk_memo *made = sqlite3_malloc64(sizeof(*made));
  if (made == NULL) return SQLITE_NOMEM;
  memset(made, 0, sizeof(*made));
  made->bucket_count = BUCKETS_FIRST;
  made->buckets = sqlite3_malloc64(BUCKETS_FIRST * sizeof(*made->buckets));
  if (made->buckets == NULL) {
    sqlite3_free(made);
    return SQLITE_NOMEM;
  }
  memset(made->buckets, 0, BUCKETS_FIRST * sizeof(*made->buckets));
  *memo = made;
  return SQLITE_OK;
}

static struct rtk_entry **link_of(struct rtk_memo *memo, uint64_t hash,
                                  const char *url) {
  struct rtk_entry **link = &memo->buckets[hash & (memo->bucket_count - 1)];
  while (*link != NULL &&
         ((*link)->hash != hash || strcmp((*link)->url, url) != 0)) {
    link = &(*link)->hash_next;
  }
  return link;
}

static void forget(struct rtk_memo *memo, struct rtk_entry *entry) {
  struct rtk_entry **link = link_of(memo, entry->hash, entry->url);
  *link = entry->hash_next;
  memo->count--;
  rtk_reply_free(entry->reply);
  sqlite3_free(entry);
}

static void unlink_idle(struct rtk_memo *memo, struct rtk_entry *entry) {
  *(entry->newer == NULL ? &memo->newest : &entry->newer->older) = entry->older;
  *(entry->older == NULL ? &memo->oldest : &entry->older->newer) = entry->newer;
  entry->newer = entry->older = NULL;
  memo->idle_bytes -= bytes_of(entry);
}

static void link_idle(struct rtk_memo *memo, struct rtk_entry *entry) {
  entry->older = memo->newest;
  *(memo->newest == NULL ? &memo->oldest : &memo->newest->newer) = entry;
  memo->newest = entry;
  memo->idle_bytes += bytes_of(entry);
}

const char *rtk_memo_oldest(const struct rtk_memo *memo) {
  return memo->oldest == NULL ? NULL : memo->oldest->url;
}

void rtk_memo_drop_oldest(struct rtk_memo *memo) {
  struct rtk_entry *entry = memo->oldest;
  unlink_idle(memo, entry);
  forget(memo, entry);
}

static void shrink(struct rtk_memo *memo, int64_t max_bytes) {
  while (memo->oldest != NULL &&
         memo->idle_bytes + memo->held_bytes > max_bytes) {
    rtk_memo_drop_oldest(memo);
  }
}

void rtk_memo_drop_idle(struct rtk_memo *memo) {
  while (memo->oldest != NULL) rtk_memo_drop_oldest(memo);
}

void rtk_memo_free(struct rtk_memo *memo) {
  if (memo == NULL) return;
  rtk_memo_drop_idle(memo);
  sqlite3_free(memo->buckets);
  sqlite3_free(memo);
}

/* Doubles the table when it is full.  Without memory for that the chains get
** longer, and nothing else happens. */
static void widen(struct rtk_memo *memo) {
  if (memo->count < memo->bucket_count) return;
  size_t count = memo->bucket_count * 2;
  struct rtk_entry **buckets = sqlite3_malloc64(count * sizeof(*buckets));
  if (buckets == NULL) return;
  memset(buckets, 0, count * sizeof(*buckets));
  for (size_t i = 0; i < memo->bucket_count; i++) {
    struct rtk_entry *entry = memo->buckets[i];
    while (entry != NULL) {
      struct rtk_entry *next = entry->hash_next;
      entry->hash_next = buckets[entry->hash & (count - 1)];
      buckets[entry->hash & (count - 1)] = entry;
      entry = next;
    }
  }
  sqlite3_free(memo->buckets);
  memo->buckets = buckets;
  memo->bucket_count = count;
}

static struct rtk_entry *make(uint64_t hash, const char *url,
                              struct rtk_text id) {
  size_t url_size = strlen(url) + 1;
  size_t size = sizeof(struct rtk_entry) + url_size + id.size;
  struct rtk_entry *entry = sqlite3_malloc64(size);
  if (entry == NULL) return NULL;
  memset(entry, 0, sizeof(*entry));
  char *url_copy = (char *)(entry + 1);
  memcpy(url_copy, url, url_size);
  if (id.size > 0) memcpy(url_copy + url_size, id.bytes, id.size);
  entry->url = url_copy;
  entry->id = (struct rtk_text){url_copy + url_size, id.size};
  entry->hash = hash;
  entry->size = size;
  entry->holders = 1;
  return entry;
}

int rtk_memo_hold(struct rtk_memo *memo, const char *url, struct rtk_text id,
                  struct rtk_entry **entry, bool *is_new) {
  uint64_t hash = rtk_hash_add(RTK_HASH_START, url, strlen(url));
  struct rtk_entry *found = *link_of(memo, hash, url);
  *is_new = found == NULL;
  if (found == NULL) {
    found = make(hash, url, id);
    if (found == NULL) return SQLITE_NOMEM;
    widen(memo);
    *link_of(memo, hash, url) = found;
    memo->count++;
  } else if (found->holders++ == 0) {
    unlink_idle(memo, found);
    memo->held_bytes += bytes_of(found);
    memo->held_count++;
  }
  *entry = found;
  return SQLITE_OK;
}

bool rtk_memo_is_last_holder(const struct rtk_entry *entry) {
  return entry->holders == 1;
}

void rtk_memo_release(struct rtk_memo *memo, struct rtk_entry *entry,
                      int64_t max_bytes) {
  if (--entry->holders > 0) return;
  if (entry->reply == NULL) {
    forget(memo, entry);
    return;
  }
  memo->held_bytes -= bytes_of(entry);
  memo->held_count--;
  link_idle(memo, entry);
  shrink(memo, max_bytes);
}

void rtk_memo_renew(struct rtk_memo *memo, struct rtk_entry *entry) {
  memo->held_bytes -= bytes_of(entry);
  memo->held_count--;
  rtk_reply_free(entry->reply);
  entry->reply = NULL;
  entry->tries = 0;
  entry->is_again = entry->is_alone = false;
  entry->not_before_ms = 0;
}

void rtk_memo_settle(struct rtk_memo *memo, struct rtk_entry *entry,
                     struct rtk_reply *reply, int64_t max_bytes) {
  entry->reply = reply;
  memo->held_bytes += bytes_of(entry);
  memo->held_count++;
  shrink(memo, max_bytes);
}

const struct rtk_entry *rtk_memo_next(const struct rtk_memo *memo,
                                      const struct rtk_entry *entry) {
  size_t i = 0;
  if (entry != NULL) {
    if (entry->hash_next != NULL) return entry->hash_next;
    i = (entry->hash & (memo->bucket_count - 1)) + 1;
  }
  while (i < memo->bucket_count && memo->buckets[i] == NULL) i++;
  return i < memo->bucket_count ? memo->buckets[i] : NULL;
}

int64_t rtk_memo_held_count(const struct rtk_memo *memo) {
  return memo->held_count;
}

int64_t rtk_memo_held_bytes(const struct rtk_memo *memo) {
  return memo->held_bytes;
}
