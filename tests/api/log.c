/*
** The request log, and how often each raw URI has been asked for.
**
** The counts are a hash table of chains that doubles as it fills, so that a
** hundred thousand different URIs cost no more each than the first.
*/
#include "api.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
  struct entry *next;
  uint64_t hash;
  unsigned count;
  char uri[];
};

static struct {
  pthread_mutex_t lock;
  struct entry **slots;
  size_t size, used; /* size is a power of two */
} counts = {PTHREAD_MUTEX_INITIALIZER, NULL, 0, 0};

static FILE *log_file; /* a line is one fwrite and one fflush, under log_lock */
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

bool log_open(const char *path) {
  if (path == NULL) return true;
  /* Empty, then append: who truncates the file between two tests gets the
  ** next line at its beginning. */
  log_file = fopen(path, "we");
  if (log_file != NULL) fclose(log_file);
  log_file = fopen(path, "ae");
  if (log_file == NULL) perror(path);
  return log_file != NULL;
}

void log_close(void) {
  size_t i;
  for (i = 0; i < counts.size; i++) {
    struct entry *entry = counts.slots[i];
    while (entry != NULL) {
      struct entry *next = entry->next;
      free(entry);
      entry = next;
    }
  }
  free(counts.slots);
  counts.slots = NULL;
  counts.size = counts.used = 0;
  if (log_file != NULL) fclose(log_file);
  log_file = NULL;
}

static uint64_t hash_of(const char *s) { /* FNV-1a */
  uint64_t hash = 14695981039346656037u;
  while (*s != 0) hash = (hash ^ (unsigned char)*s++) * 1099511628211u;
  return hash;
}

static void grow(void) {
  size_t i, size = counts.size == 0 ? 1024 : counts.size * 2;
  struct entry **slots = must_alloc(size * sizeof *slots);
  for (i = 0; i < counts.size; i++) {
    struct entry *entry = counts.slots[i];
    while (entry != NULL) {
      struct entry *next = entry->next;
      struct entry **slot = &slots[entry->hash & (size - 1)];
      entry->next = *slot;
      *slot = entry;
      entry = next;
    }
  }
  free(counts.slots);
  counts.slots = slots;
  counts.size = size;
}

unsigned log_count(const char *uri) {
  uint64_t hash = hash_of(uri);
  struct entry *entry;
  unsigned count;
  pthread_mutex_lock(&counts.lock);
  if (counts.used == counts.size) grow();
  entry = counts.slots[hash & (counts.size - 1)];
  while (entry != NULL &&
         (entry->hash != hash || strcmp(entry->uri, uri) != 0)) {
    entry = entry->next;
  }
  if (entry == NULL) {
    struct entry **slot = &counts.slots[hash & (counts.size - 1)];
    entry = must_alloc(sizeof *entry + strlen(uri) + 1);
    entry->hash = hash;
    memcpy(entry->uri, uri, strlen(uri) + 1);
    entry->next = *slot;
    *slot = entry;
    counts.used++;
  }
  count = ++entry->count;
  pthread_mutex_unlock(&counts.lock);
  return count;
}

void log_write(const char *method, const char *uri, unsigned status,
               unsigned long connection, const char *auth, unsigned attempt) {
  struct text line = {0};
  const char *c;
  if (log_file == NULL) return;
  text_add(&line, "%s ", method);
  for (c = uri; *c != 0; c++) {
    if ((unsigned char)*c > 0x20 && (unsigned char)*c < 0x7f) {
      text_put(&line, c, 1);
    } else {
      text_add(&line, "\\x%02x", (unsigned)(unsigned char)*c);
    }
  }
  text_add(&line, " status=%u conn=%lu auth=%s attempt=%u\n", status,
           connection, auth, attempt);
  pthread_mutex_lock(&log_lock);
  fwrite(line.data, 1, line.len, log_file);
  fflush(log_file);
  pthread_mutex_unlock(&log_lock);
  text_free(&line);
}
