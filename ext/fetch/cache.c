/* Replies that outlive their statement: the jobs in front of the cache file. */
#include "fetch/cache.h"

#include "api/endpoint.h"
#include "api/json.h"
#include "api/packed.h"
#include "api/reply.h"
#include "api/status.h"
#include "api/ttl.h"
#include "api/url.h"
#include "base/array.h"
#include "base/clock.h"
#include "config/config.h"
#include "disk/diskcache.h"
#include "fetch/job.h"
#include "net/http.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

static int64_t max_bytes(const struct rtk_cache *cache) {
  return rtk_config_int(cache->config, RTK_CACHE_MAX_BYTES);
}

static struct rtk_ttl_times times_of(const struct rtk_cache *cache) {
  const struct rtk_config *config = cache->config;
  return (struct rtk_ttl_times){
      .live_ms = rtk_config_int(config, RTK_CACHE_TTL_LIVE_S) * 1000,
      .ended_ms = rtk_config_int(config, RTK_CACHE_TTL_ENDED_S) * 1000};
}

bool rtk_cache_is_kept(const struct rtk_cache *cache,
                       const struct rtk_job *job) {
  return rtk_ttl_ms(times_of(cache), job->life) > 0;
}

bool rtk_cache_is_fresh(const struct rtk_cache *cache,
                        const struct rtk_job *job) {
  return rtk_ttl_is_fresh(times_of(cache), job->life, job->fetched_ms,
                          rtk_clock_unix_ms());
}

int64_t rtk_cache_kept_until(const struct rtk_cache *cache,
                             const struct rtk_job *job) {
  return job->fetched_ms + rtk_ttl_ms(times_of(cache), job->life);
}

static void finish(const struct rtk_cache *cache, struct rtk_job *job,
                   struct rtk_reply *reply, int64_t fetched_ms, int life) {
  job->fetched_ms = fetched_ms;
  job->life = life;
  rtk_jobs_finish(cache->jobs, job, reply, max_bytes(cache));
}

/* The reply that was stored as these bytes: given, as rtk_status_judge() does.
** SQLITE_OK or SQLITE_NOMEM. */
static int read_stored(const struct rtk_job *job,
                       const struct rtk_disk_reply *stored,
                       struct rtk_reply **reply) {
  struct rtk_text packed = {stored->body, stored->body_size};
  struct rtk_response response = {.status = stored->status};
  struct rtk_ask ask = {.endpoint = job->endpoint, .id = job->id};
  struct rtk_verdict verdict;
  struct rtk_text body;
  int rc = rtk_packed_read(job->endpoint, stored->status, packed, &body, reply);
  if (rc != SQLITE_OK || *reply != NULL) return rc;
  response.body = body.bytes;
  response.body_size = body.size;
  rc = rtk_status_judge(&ask, &response, &verdict);
  if (rc != SQLITE_OK) return rc;
  *reply = verdict.reply;
  rtk_verdict_deinit(&verdict);
  return SQLITE_OK;
}

int rtk_cache_find(const struct rtk_cache *cache, struct rtk_job *job) {
  struct rtk_disk_reply stored;
  int rc = rtk_diskcache_get(cache->disk, job->url, &stored);
  if (rc != SQLITE_OK) return rc == SQLITE_NOTFOUND ? SQLITE_OK : rc;
  if (!rtk_ttl_is_fresh(times_of(cache), stored.life, stored.fetched_ms,
                        rtk_clock_unix_ms())) {
    return SQLITE_OK;
  }
  struct rtk_reply *reply = NULL;
  rc = read_stored(job, &stored, &reply);
  if (rc != SQLITE_OK) return rc;
  if (reply != NULL && (reply->outcome == RTK_OUTCOME_ROWS ||
                        reply->outcome == RTK_OUTCOME_GONE)) {
    finish(cache, job, reply, stored.fetched_ms, stored.life);
  } else {
    rtk_reply_free(reply); /* damaged */
  }
  return SQLITE_OK;
}

/* --- replies of other jobs ------------------------------------------------ */

/* The job of the call, in the account and app of `job`, held. */
static int hold_beside(const struct rtk_cache *cache, struct rtk_call *call,
                       struct rtk_text id, struct rtk_job **held,
                       bool *is_new) {
  const struct rtk_signature *signature = call->signature;
  rtk_call_set(call, signature->id, id);
  const char *url = rtk_call_url(call, NULL);
  if (url == NULL) return SQLITE_NOMEM;
  return rtk_jobs_hold(cache->jobs, signature->endpoint, url, id, held, is_new);
}

/* What it has from the job beside it; no statement has asked for it. */
static void mark_beside(struct rtk_job *held, const struct rtk_job *job) {
  held->scope_size = job->scope_size;
  held->statement = job->statement;
  held->is_unrequested = true;
}

/* The class of a text: that which its session would have now, if its reply is
** known. */
static int find_life(const struct rtk_cache *cache, struct rtk_call *call,
                     const struct rtk_job *text, int64_t now_unix_ms,
                     int *life) {
  struct rtk_job *job = NULL;
  bool is_new = false;
  int rc = hold_beside(cache, call, text->id, &job, &is_new);
  if (rc != SQLITE_OK) return rc;
  if (is_new) {
    mark_beside(job, text);
    rc = rtk_cache_find(cache, job);
  }
  if (job->reply != NULL && job->reply->outcome == RTK_OUTCOME_ROWS) {
    *life = (int)rtk_ttl_class_of(job->endpoint, job->reply, now_unix_ms);
  }
  rtk_jobs_release(cache->jobs, job, max_bytes(cache));
  return rc;
}

/* Without memory the text is kept for a shorter time. */
static int life_of_text(const struct rtk_cache *cache,
                        const struct rtk_job *text, int64_t now_unix_ms) {
  struct rtk_signature signature;
  struct rtk_call call;
  int life = RTK_TTL_LIVE;
  rtk_endpoint_describe(text->endpoint->lasts_as, &signature);
  rtk_call_init(&call, &signature);
  if (rtk_call_take_scope(&call, text->url, text->scope_size)) {
    (void)find_life(cache, &call, text, now_unix_ms, &life);
  }
  rtk_call_deinit(&call);
  return life;
}

void rtk_cache_finish(const struct rtk_cache *cache, struct rtk_job *job,
                      struct rtk_reply *reply, int64_t fetched_ms) {
  bool is_text =
      job->endpoint->lasts_as != NULL && reply->outcome == RTK_OUTCOME_ROWS;
  finish(cache, job, reply, fetched_ms,
         is_text ? life_of_text(cache, job, fetched_ms)
                 : (int)rtk_ttl_class_of(job->endpoint, reply, fetched_ms));
}

/* Puts the reply of a job into the file; `body`: as the server sent it. */
static int put(const struct rtk_cache *cache, const struct rtk_job *job,
               struct rtk_text body) {
  const struct rtk_reply *reply = job->reply;
  int64_t keep_ms = rtk_ttl_ms(times_of(cache), job->life);
  struct rtk_text packed = {NULL, 0};
  if (keep_ms == 0 || !rtk_diskcache_has_file(cache->disk)) return SQLITE_OK;
  if (reply->outcome == RTK_OUTCOME_ROWS) {
    int rc = rtk_packed_make(job->endpoint, reply, &packed);
    if (rc != SQLITE_OK) return rc;
    body = packed;
  }
  struct rtk_disk_reply stored = {.status = reply->http_status,
                                  .life = job->life,
                                  .body = body.bytes,
                                  .body_size = body.size,
                                  .fetched_ms = job->fetched_ms,
                                  .keep_ms = keep_ms};
  int rc = rtk_diskcache_put(cache->disk, job->url, &stored);
  sqlite3_free((char *)packed.bytes);
  return rc;
}

/* The rows of one list on their way into the cache. */
struct rows {
  const struct rtk_cache *cache;
  const struct rtk_job *list;
  const char *text;     /* of the document */
  struct rtk_call call; /* of a row's own endpoint */
  char *body;           /* of the reply that such a call would have got */
  size_t room;          /* of it */
};

/* The body that a row's own endpoint would send.  The row has moved into it:
** source->text is where the document would begin if all of it had, so that the
** row's texts are pieces of the body, and are not kept twice. */
static int make_body(struct rows *rows, const struct rtk_json *row,
                     struct rtk_reply_source *source) {
  static const char before[] = "{\"data\":";
  struct rtk_text raw = rtk_json_raw(row, rows->text);
  size_t size = sizeof(before) - 1 + raw.size + 1;
  char *bytes = rtk_array_grow(rows->body, &rows->room, size, 1);
  if (bytes == NULL) return SQLITE_NOMEM;
  rows->body = bytes;
  memcpy(bytes, before, sizeof(before) - 1);
  memcpy(bytes + sizeof(before) - 1, raw.bytes, raw.size);
  bytes[size - 1] = '}';
  source->body = (struct rtk_text){bytes, size};
  /* Nodes know their places in the document: this is where the document would
  ** have to begin for the row to stand in the body.  Only the row is read. */
  uintptr_t moved = (uintptr_t)(bytes + sizeof(before) - 1);
  size_t place = (size_t)(raw.bytes - rows->text);
  source->text = (const char *)(moved - place);
  return SQLITE_OK;
}

/* Finishes a new job with a row, and puts it into the file. */
static int finish_row(struct rows *rows, struct rtk_job *job,
                      const struct rtk_json *row) {
  struct rtk_reply_source source = {.rows = row, .total_count = 1};
  struct rtk_reply *reply = NULL;
  int rc = make_body(rows, row, &source);
  if (rc == SQLITE_OK) {
    rc = rtk_reply_of_rows(job->endpoint, 200, &source, &reply);
  }
  if (rc != SQLITE_OK) return rc;
  rtk_cache_finish(rows->cache, job, reply, rows->list->fetched_ms);
  return put(rows->cache, job, source.body);
}

/* Does a row of `list` replace this reply?  A reply of the same statement
** stays.  So does a fresh reply that has data. */
static bool is_outdated(const struct rtk_cache *cache,
                        const struct rtk_job *job, const struct rtk_job *list) {
  return job->reply != NULL && rtk_job_is_last_holder(job) &&
         job->statement != list->statement &&
         (job->reply->outcome == RTK_OUTCOME_GONE ||
          !rtk_cache_is_fresh(cache, job));
}

static int keep_row(struct rows *rows, const struct rtk_json *row) {
  const struct rtk_cache *cache = rows->cache;
  const struct rtk_job *list = rows->list;
  const struct rtk_signature *signature = rows->call.signature;
  const char *key = rtk_endpoint_field(&signature->endpoint->columns[0]);
  const char *id = rtk_json_string(rtk_json_at(row, key));
  struct rtk_job *job = NULL;
  bool is_new = false;
  if (id == NULL) return SQLITE_OK;
  struct rtk_text text = {id, strlen(id)};
  if (!rtk_url_can_carry(text, RTK_ID_MAX)) return SQLITE_OK;
  int rc = hold_beside(cache, &rows->call, text, &job, &is_new);
  if (rc != SQLITE_OK) return rc;
  if (is_outdated(cache, job, list)) {
    rtk_jobs_restart(cache->jobs, job);
    is_new = true;
  }
  if (is_new) {
    mark_beside(job, list);
    rc = finish_row(rows, job, row);
  }
  rtk_jobs_release(cache->jobs, job, max_bytes(cache));
  return rc;
}

static int keep_rows(const struct rtk_cache *cache, const struct rtk_job *list,
                     const struct rtk_response *response,
                     const struct rtk_json *nodes) {
  struct rtk_signature signature;
  struct rows rows = {.cache = cache, .list = list, .text = response->body};
  const struct rtk_json *row = NULL;
  rtk_endpoint_describe(list->endpoint->each, &signature);
  rtk_call_init(&rows.call, &signature);
  bool is_made = rtk_call_take_scope(&rows.call, list->url, list->scope_size);
  int rc = is_made ? SQLITE_OK : SQLITE_NOMEM;
  while (rc == SQLITE_OK && (row = rtk_json_next_row(nodes, row)) != NULL) {
    rc = keep_row(&rows, row);
  }
  rtk_call_deinit(&rows.call);
  sqlite3_free(rows.body);
  return rc;
}

int rtk_cache_keep(const struct rtk_cache *cache, const struct rtk_job *job,
                   const struct rtk_response *response,
                   const struct rtk_json *rows) {
  int rc =
      put(cache, job, (struct rtk_text){response->body, response->body_size});
  if (rc != SQLITE_OK || job->endpoint->each == NULL || rows == NULL) return rc;
  return keep_rows(cache, job, response, rows);
}
