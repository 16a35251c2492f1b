/*
** Replies that are kept beyond their statement: the memo in front of the cache
** file.
*/
#include "fetch/cache.h"

#include "api/endpoint.h"
#include "api/json.h"
#include "api/life.h"
#include "api/reply.h"
#include "api/status.h"
#include "api/url.h"
#include "api/wanted.h"
#include "base/clock.h"
#include "base/limits.h"
#include "config/config.h"
#include "disk/store.h"
#include "fetch/memo.h"
#include "net/response.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

static int64_t max_bytes(const struct rtk_cache *cache) {
  return rtk_config_int(cache->config, RTK_CACHE_MAX_BYTES);
}

static struct rtk_life_times times_of(const struct rtk_cache *cache) {
  const struct rtk_config *config = cache->config;
  return (struct rtk_life_times){
      .live_ms = rtk_config_int(config, RTK_CACHE_TTL_LIVE_S) * 1000,
      .ended_ms = rtk_config_int(config, RTK_CACHE_TTL_ENDED_S) * 1000};
}

bool rtk_cache_is_kept(const struct rtk_cache *cache,
                       const struct rtk_entry *entry) {
  return rtk_life_ms(times_of(cache), entry->life) > 0;
}

bool rtk_cache_is_good(const struct rtk_cache *cache,
                       const struct rtk_entry *entry) {
  return rtk_life_is_fresh(times_of(cache), entry->life, entry->fetched_ms,
                           rtk_clock_unix_ms());
}

int64_t rtk_cache_kept_until(const struct rtk_cache *cache,
                             const struct rtk_entry *entry) {
  return entry->fetched_ms + rtk_life_ms(times_of(cache), entry->life);
}

void rtk_cache_settle(const struct rtk_cache *cache, struct rtk_entry *entry,
                      struct rtk_reply *reply, int64_t fetched_ms) {
  entry->fetched_ms = fetched_ms;
  entry->life = (int)rtk_life_of(entry->endpoint, reply, fetched_ms);
  rtk_memo_settle(cache->memo, entry, reply, max_bytes(cache));
}

/* Settles an entry with a body that was kept, or is to be: not when it turns
** out to be none. */
static int settle_kept(const struct rtk_cache *cache, struct rtk_entry *entry,
                       const struct rtk_response *response,
                       int64_t fetched_ms) {
  struct rtk_ask ask = {.endpoint = entry->endpoint, .id = entry->id};
  struct rtk_reply *reply = NULL;
  int rc = rtk_status_judge(&ask, response, &reply);
  if (rc != SQLITE_OK) return rc;
  if (rtk_life_of(entry->endpoint, reply, fetched_ms) == RTK_LIFE_NONE) {
    rtk_reply_free(reply);
  } else {
    rtk_cache_settle(cache, entry, reply, fetched_ms);
  }
  return SQLITE_OK;
}

int rtk_cache_find(const struct rtk_cache *cache, struct rtk_entry *entry) {
  struct rtk_stored stored;
  int rc = rtk_store_get(cache->store, entry->url, &stored);
  if (rc != SQLITE_OK) return rc == SQLITE_NOTFOUND ? SQLITE_OK : rc;
  if (!rtk_life_is_fresh(times_of(cache), stored.life, stored.fetched_ms,
                         rtk_clock_unix_ms())) {
    return SQLITE_OK;
  }
  struct rtk_response response = {.status = stored.status,
                                  .body = stored.body,
                                  .body_size = stored.body_size};
  return settle_kept(cache, entry, &response, stored.fetched_ms);
}

static int put(const struct rtk_cache *cache, const struct rtk_entry *entry,
               const struct rtk_response *response) {
  struct rtk_stored stored = {.status = response->status,
                              .body = response->body,
                              .body_size = response->body_size,
                              .fetched_ms = entry->fetched_ms,
                              .life = entry->life,
                              .keep_ms =
                                  rtk_life_ms(times_of(cache), entry->life)};
  if (stored.keep_ms == 0) return SQLITE_OK;
  return rtk_store_put(cache->store, entry->url, &stored);
}

/* Settles a new entry with one row of a list. */
static int settle_row(const struct rtk_cache *cache, struct rtk_entry *entry,
                      struct rtk_text row, int64_t fetched_ms) {
  char *body = sqlite3_mprintf("{\"data\":%.*s}", (int)row.size, row.bytes);
  if (body == NULL) return SQLITE_NOMEM;
  struct rtk_response response = {
      .status = 200, .body = body, .body_size = strlen(body)};
  int rc = settle_kept(cache, entry, &response, fetched_ms);
  if (rc == SQLITE_OK && entry->reply != NULL) {
    rc = put(cache, entry, &response);
  }
  sqlite3_free(body);
  return rc;
}

/* Does what a list says replace this reply?  Not one of the same statement, nor
** one that is still good and has data. */
static bool is_outdated(const struct rtk_cache *cache,
                        const struct rtk_entry *entry,
                        const struct rtk_entry *list) {
  return entry->reply != NULL && rtk_memo_is_last_holder(entry) &&
         entry->statement != list->statement &&
         (entry->reply->outcome == RTK_OUTCOME_GONE ||
          !rtk_cache_is_good(cache, entry));
}

/* Keeps what a list says about one row, unless there is a reply of that row's
** own. */
static int keep_row(const struct rtk_cache *cache, const struct rtk_entry *list,
                    const struct rtk_json *row, const char *body) {
  const struct rtk_endpoint *each = list->endpoint->each;
  const char *id = rtk_json_string(rtk_json_member(row, each->columns[0].name));
  struct rtk_entry *entry = NULL;
  bool is_new = false;
  if (id == NULL) return SQLITE_OK;
  struct rtk_text text = {id, strlen(id)};
  if (!rtk_url_can_carry(text, RTK_ID_MAX)) return SQLITE_OK;
  char *url = rtk_wanted_url_of_row(each, list->url, list->scope_size, text);
  if (url == NULL) return SQLITE_NOMEM;
  int rc = rtk_memo_hold(cache->memo, url, text, &entry, &is_new);
  sqlite3_free(url);
  if (rc != SQLITE_OK) return rc;
  if (is_outdated(cache, entry, list)) {
    rtk_memo_renew(cache->memo, entry);
    is_new = true;
  }
  if (is_new) {
    entry->endpoint = each;
    entry->scope_size = list->scope_size;
    entry->statement = list->statement;
    entry->is_unasked = true;
    rc = settle_row(cache, entry, rtk_json_raw(row, body), list->fetched_ms);
  }
  rtk_memo_release(cache->memo, entry, max_bytes(cache));
  return rc;
}

static int keep_rows(const struct rtk_cache *cache,
                     const struct rtk_entry *list,
                     const struct rtk_response *response) {
  struct rtk_json *root = NULL;
  int rc = rtk_json_parse(response->body, response->body_size, &root);
  if (rc == SQLITE_ERROR) return SQLITE_OK;
  const struct rtk_json *rows = rtk_status_rows(list->endpoint, root);
  const struct rtk_json *row = NULL;
  while (rc == SQLITE_OK && (row = rtk_json_next_row(rows, row)) != NULL) {
    rc = keep_row(cache, list, row, response->body);
  }
  rtk_json_free(root);
  return rc;
}

int rtk_cache_keep(const struct rtk_cache *cache, const struct rtk_entry *entry,
                   const struct rtk_response *response) {
  int rc = put(cache, entry, response);
  if (rc != SQLITE_OK || entry->endpoint->each == NULL) return rc;
  return entry->reply->outcome == RTK_OUTCOME_ROWS
             ? keep_rows(cache, entry, response)
             : SQLITE_OK;
}
