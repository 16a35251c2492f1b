/*
** The request log, and how often each raw URI has been asked for.
*/
#include "api.h"

#include <pthread.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A node of the tree of tsearch(3). */
struct asked {
  unsigned count;
  char uri[];
};

static void *counts; /* the tree */
static pthread_mutex_t counts_lock = PTHREAD_MUTEX_INITIALIZER;

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
  if (log_file != NULL) fclose(log_file);
  log_file = NULL;
}

static int compare(const void *a, const void *b) {
  return strcmp(((const struct asked *)a)->uri, ((const struct asked *)b)->uri);
}

unsigned log_count(const char *uri) {
  struct asked *entry = must_alloc(sizeof *entry + strlen(uri) + 1);
  struct asked **found;
  unsigned count;
  memcpy(entry->uri, uri, strlen(uri) + 1);
  pthread_mutex_lock(&counts_lock);
  found = tsearch(entry, &counts, compare);
  if (found == NULL) abort();
  if (*found != entry) free(entry);
  count = ++(*found)->count;
  pthread_mutex_unlock(&counts_lock);
  return count;
}

void log_write(const char *method, const char *uri, unsigned status,
               unsigned long connection, const char *auth, unsigned attempt,
               unsigned at_once) {
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
  text_add(&line, " status=%u conn=%lu auth=%s at_once=%u attempt=%u\n", status,
           connection, auth, at_once, attempt);
  pthread_mutex_lock(&log_lock);
  fwrite(line.data, 1, line.len, log_file);
  fflush(log_file);
  pthread_mutex_unlock(&log_lock);
  text_free(&line);
}
