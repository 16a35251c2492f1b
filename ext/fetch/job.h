/*
** A job: one request and its reply.  The jobs of a connection are indexed by
** URL, so that each URL is requested once in a statement, and a reply that is
** still fresh serves later statements.
**
** The life of a job:
**
**                          +------ retried after a wait ------+
**                          v                                  |
**   hold ---- new ----> QUEUED ---- started ----> IN_FLIGHT --+
**     |                 ^    |                        |
**     |        its time |    | refused, or in         | judged
**     |            came |    | the cache file         v
**     |              WAITING +--------------------> DONE <---+
**     |                                               |      | a list's rows
**     +------------------- known ---------------------+      | are replies
**
** A job whose reply is a link to a text becomes LINKED instead of DONE, and is
** in flight once more, without the quota.  Then it is retried as LINKED.
**
** A job is counted by reference: hold and release.  The last release of a job
** without a reply cancels it.  A job that is DONE stays in the index until its
** memory is needed; the least recently released goes first.
**
** fetch.c moves jobs between states.  Whether a reply is still fresh is decided
** in cache.c.
*/
#ifndef RTK_JOB_H
#define RTK_JOB_H

#include "base/list.h"
#include "base/value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rtk_endpoint;
struct rtk_jobs;
struct rtk_reply;
struct rtk_scope;
struct rtk_transfer;

enum rtk_job_state {
  RTK_JOB_QUEUED,    /* is started when the quota has room */
  RTK_JOB_WAITING,   /* for `not_before_ms` */
  RTK_JOB_LINKED,    /* its text is requested next; that is of no quota */
  RTK_JOB_IN_FLIGHT, /* has a transfer */
  RTK_JOB_DONE       /* has a reply */
};

/* Numbers of four bytes stand in pairs: there are as many jobs as ids. */
struct rtk_job {
  struct rtk_link link; /* in the list of its state; of a job that is DONE: in
                           the list of those that nobody holds */
  /* What is requested. */
  const struct rtk_endpoint *endpoint;
  const char *url; /* in the job's own memory, as is the next */
  struct rtk_text id;
  size_t scope_size; /* bytes of the URL that name the account and app */
  int page;          /* of a list, from 1; 0: it has none */

  /* The reply. */
  int life;                /* enum rtk_ttl_class */
  struct rtk_reply *reply; /* owned; NULL until the job is DONE */
  int64_t fetched_ms;      /* Unix time */
  int64_t statement;       /* the last statement that used it */
  bool is_unrequested;     /* so far only a row of a list */

  /* The request, for fetch.c alone. */
  enum rtk_job_state state;
  struct rtk_transfer *transfer; /* IN_FLIGHT */
  struct rtk_scope *scope;       /* borrowed; until it is DONE */
  char *text_url;                /* the link in its first reply; owned, until it
                                    is DONE: links are secret, and expire */
  int64_t started_ms;            /* of the last try */
  int64_t not_before_ms;         /* the earliest time of the next try */
  int tries;
  bool is_again; /* the last try got no reply */
  bool is_alone; /* the next try needs an idle network */

  /* The index, for job.c alone. */
  int holders;
  uint32_t size; /* bytes of memory without the reply */
  uint64_t hash;
  struct rtk_job *hash_next;
};

/* SQLITE_OK with *jobs given (free with rtk_jobs_free()) or SQLITE_NOMEM. */
int rtk_jobs_new(struct rtk_jobs **jobs);

/* All jobs have been released. */
void rtk_jobs_free(struct rtk_jobs *jobs);

/* Frees the jobs that nobody holds. */
void rtk_jobs_drop_idle(struct rtk_jobs *jobs);

/* The same one by one, the least recently released first.  The URL (NULL: there
** is none) is borrowed until its job is dropped. */
const char *rtk_jobs_oldest(const struct rtk_jobs *jobs);
void rtk_jobs_drop_oldest(struct rtk_jobs *jobs);

/* The job of this endpoint and URL, held once more: two endpoints may read one
** reply, each other rows of it.  *is_new: there was none, and the caller fills
** in the rest.  SQLITE_OK or SQLITE_NOMEM. */
int rtk_jobs_hold(struct rtk_jobs *jobs, const struct rtk_endpoint *endpoint,
                  const char *url, struct rtk_text id, struct rtk_job **job,
                  bool *is_new);

/* Frees a job without a reply when that was its last holder: it is in no list
** of fetch.c.  Jobs that nobody holds may be dropped to stay below
** `max_bytes`. */
void rtk_jobs_release(struct rtk_jobs *jobs, struct rtk_job *job,
                      int64_t max_bytes);

static inline bool rtk_job_is_last_holder(const struct rtk_job *job) {
  return job->holders == 1;
}

/* Takes the reply away: the job is as new.  The caller is its only holder. */
void rtk_jobs_restart(struct rtk_jobs *jobs, struct rtk_job *job);

/* Gives the job its reply, which it then owns: it is DONE. */
void rtk_jobs_finish(struct rtk_jobs *jobs, struct rtk_job *job,
                     struct rtk_reply *reply, int64_t max_bytes);

/* All jobs in no order: the next one, from NULL to NULL. */
const struct rtk_job *rtk_jobs_next(const struct rtk_jobs *jobs,
                                    const struct rtk_job *job);

/* Jobs that are DONE and held: their bytes, their number. */
int64_t rtk_jobs_held_bytes(const struct rtk_jobs *jobs);
int64_t rtk_jobs_held_count(const struct rtk_jobs *jobs);

#endif
