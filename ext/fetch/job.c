/*
** The index of jobs: a hash table with chains, and a list of the jobs that are
** DONE and not held, in the order of their release.
*/
#include "fetch/job.h"

#include "api/reply.h"
#include "base/hash.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

#define BUCKETS_FIRST 256 /* a power of two, as all that follow */

/* Bytes that a job takes beside its own and its reply's: two headers of
** malloc() and its share of the hash table. */
#define OVERHEAD 48

struct rtk_jobs {
  struct rtk_job **buckets;
  size_t bucket_count;
  size_t count;
  struct rtk_list idle; /* DONE and not held, the oldest first … */
  int64_t idle_bytes;   /* … and their bytes */
  int64_t held_bytes;   /* of jobs that are DONE and held … */
  int64_t held_count;   /* … and their number */
};

static int64_t bytes_of(const struct rtk_job *job) {
  return (int64_t)(job->size + job->reply->size + OVERHEAD);
}

int rtk_jobs_new(struct rtk_jobs **jobs) {
  size_t size = BUCKETS_FIRST * sizeof(struct rtk_job *);
  struct rtk_jobs *made = sqlite3_malloc64(sizeof(*made));
  struct rtk_job **buckets = sqlite3_malloc64(size);
  if (made == NULL || buckets == NULL) {
    sqlite3_free(made);
    sqlite3_free(buckets);
    return SQLITE_NOMEM;
  }
  memset(buckets, 0, size);
  *made = (struct rtk_jobs){.buckets = buckets, .bucket_count = BUCKETS_FIRST};
  rtk_list_init(&made->idle);
  *jobs = made;
  return SQLITE_OK;
}

static struct rtk_job **link_of(struct rtk_jobs *jobs, uint64_t hash,
                                const struct rtk_endpoint *endpoint,
                                const char *url) {
  struct rtk_job **link = &jobs->buckets[hash & (jobs->bucket_count - 1)];
  while (*link != NULL &&
         ((*link)->hash != hash || (*link)->endpoint != endpoint ||
          strcmp((*link)->url, url) != 0)) {
    link = &(*link)->hash_next;
  }
  return link;
}

static void drop(struct rtk_jobs *jobs, struct rtk_job *job) {
  struct rtk_job **link = link_of(jobs, job->hash, job->endpoint, job->url);
  *link = job->hash_next;
  jobs->count--;
  sqlite3_free(job->text_url);
  rtk_reply_free(job->reply);
  sqlite3_free(job);
}

static struct rtk_job *oldest(const struct rtk_jobs *jobs) {
  return (struct rtk_job *)(void *)rtk_list_first(&jobs->idle);
}

const char *rtk_jobs_oldest(const struct rtk_jobs *jobs) {
  const struct rtk_job *job = oldest(jobs);
  return job == NULL ? NULL : job->url;
}

static void remove_idle(struct rtk_jobs *jobs, struct rtk_job *job) {
  rtk_list_remove(&jobs->idle, &job->link);
  jobs->idle_bytes -= bytes_of(job);
}

void rtk_jobs_drop_oldest(struct rtk_jobs *jobs) {
  struct rtk_job *job = oldest(jobs);
  remove_idle(jobs, job);
  drop(jobs, job);
}

static void shrink(struct rtk_jobs *jobs, int64_t max_bytes) {
  while (jobs->idle.count > 0 &&
         jobs->idle_bytes + jobs->held_bytes > max_bytes) {
    rtk_jobs_drop_oldest(jobs);
  }
}

void rtk_jobs_drop_idle(struct rtk_jobs *jobs) {
  while (jobs->idle.count > 0) rtk_jobs_drop_oldest(jobs);
}

void rtk_jobs_free(struct rtk_jobs *jobs) {
  if (jobs == NULL) return;
  rtk_jobs_drop_idle(jobs);
  sqlite3_free(jobs->buckets);
  sqlite3_free(jobs);
}

/* Doubles the table when it is full.  Without memory the chains get longer, and
** nothing else happens. */
static void widen(struct rtk_jobs *jobs) {
  if (jobs->count < jobs->bucket_count) return;
  size_t count = jobs->bucket_count * 2;
  struct rtk_job **buckets = sqlite3_malloc64(count * sizeof(*buckets));
  if (buckets == NULL) return;
  memset(buckets, 0, count * sizeof(*buckets));
  for (size_t i = 0; i < jobs->bucket_count; i++) {
    struct rtk_job *next = NULL;
    for (struct rtk_job *job = jobs->buckets[i]; job != NULL; job = next) {
      struct rtk_job **bucket = &buckets[job->hash & (count - 1)];
      next = job->hash_next;
      job->hash_next = *bucket;
      *bucket = job;
    }
  }
  sqlite3_free(jobs->buckets);
  jobs->buckets = buckets;
  jobs->bucket_count = count;
}

static struct rtk_job *make(uint64_t hash, const char *url, size_t url_size,
                            struct rtk_text id) {
  /* An id at the end of its URL, as most are, needs no copy of its own. */
  bool is_end = id.size > 0 && id.size <= url_size &&
                memcmp(url + url_size - id.size, id.bytes, id.size) == 0;
  size_t id_at = is_end ? url_size - id.size : url_size + 1;
  size_t size = sizeof(struct rtk_job) + url_size + 1 + (is_end ? 0 : id.size);
  struct rtk_job *job = sqlite3_malloc64(size);
  if (job == NULL) return NULL;
  char *copy = (char *)(job + 1);
  memcpy(copy, url, url_size + 1);
  if (id.size > 0) memcpy(copy + id_at, id.bytes, id.size);
  *job = (struct rtk_job){.url = copy,
                          .id = {copy + id_at, id.size},
                          .hash = hash,
                          .size = (uint32_t)size,
                          .holders = 1};
  return job;
}

int rtk_jobs_hold(struct rtk_jobs *jobs, const struct rtk_endpoint *endpoint,
                  const char *url, struct rtk_text id, struct rtk_job **job,
                  bool *is_new) {
  size_t url_size = strlen(url);
  uint64_t hash = rtk_hash_add(RTK_HASH_START, url, url_size);
  struct rtk_job *found = *link_of(jobs, hash, endpoint, url);
  *is_new = found == NULL;
  if (found == NULL) {
    found = make(hash, url, url_size, id);
    if (found == NULL) return SQLITE_NOMEM;
    found->endpoint = endpoint;
    widen(jobs);
    *link_of(jobs, hash, endpoint, url) = found;
    jobs->count++;
  } else if (found->holders++ == 0) {
    remove_idle(jobs, found);
    jobs->held_bytes += bytes_of(found);
    jobs->held_count++;
  }
  *job = found;
  return SQLITE_OK;
}

void rtk_jobs_release(struct rtk_jobs *jobs, struct rtk_job *job,
                      int64_t max_bytes) {
  if (--job->holders > 0) return;
  if (job->reply == NULL) {
    drop(jobs, job);
    return;
  }
  jobs->held_bytes -= bytes_of(job);
  jobs->held_count--;
  rtk_list_append(&jobs->idle, &job->link);
  jobs->idle_bytes += bytes_of(job);
  shrink(jobs, max_bytes);
}

void rtk_jobs_restart(struct rtk_jobs *jobs, struct rtk_job *job) {
  jobs->held_bytes -= bytes_of(job);
  jobs->held_count--;
  rtk_reply_free(job->reply);
  job->reply = NULL;
  job->state = RTK_JOB_QUEUED;
  job->tries = 0;
  job->is_again = job->is_alone = false;
  job->not_before_ms = 0;
}

void rtk_jobs_finish(struct rtk_jobs *jobs, struct rtk_job *job,
                     struct rtk_reply *reply, int64_t max_bytes) {
  sqlite3_free(job->text_url);
  job->text_url = NULL;
  job->reply = reply;
  job->state = RTK_JOB_DONE;
  jobs->held_bytes += bytes_of(job);
  jobs->held_count++;
  shrink(jobs, max_bytes);
}

const struct rtk_job *rtk_jobs_next(const struct rtk_jobs *jobs,
                                    const struct rtk_job *job) {
  size_t i = 0;
  if (job != NULL) {
    if (job->hash_next != NULL) return job->hash_next;
    i = (job->hash & (jobs->bucket_count - 1)) + 1;
  }
  while (i < jobs->bucket_count && jobs->buckets[i] == NULL) i++;
  return i < jobs->bucket_count ? jobs->buckets[i] : NULL;
}

int64_t rtk_jobs_held_count(const struct rtk_jobs *jobs) {
  return jobs->held_count;
}

int64_t rtk_jobs_held_bytes(const struct rtk_jobs *jobs) {
  return jobs->held_bytes;
}
