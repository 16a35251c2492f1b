/* The token, and the scopes that refused it. */
#include "fetch/access.h"

#include "api/reply.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "config/config.h"
#include "disk/diskcache.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Scopes that are remembered as not refused, from statement to statement. */
#define SCOPES_MAX 64

/* ms that the cache file remembers a scope as not refused. */
#define PROVEN_MS 3600000

void rtk_access_init(struct rtk_access *access, struct rtk_config *config,
                     struct rtk_diskcache *disk) {
  memset(access, 0, sizeof(*access));
  access->config = config;
  access->disk = disk;
  access->address_version = rtk_config_address_version(config);
}

/* Forgets the scopes that were refused, or all of them. */
static void drop_scopes(struct rtk_access *access, bool is_all) {
  struct rtk_scope **link = &access->scopes;
  while (*link != NULL) {
    struct rtk_scope *scope = *link;
    if (!is_all && scope->refusal == NULL) {
      link = &scope->next;
      continue;
    }
    *link = scope->next;
    access->scope_count--;
    rtk_reply_free(scope->refusal);
    sqlite3_free(scope);
  }
}

void rtk_access_forget(struct rtk_access *access) {
  drop_scopes(access, access->scope_count > SCOPES_MAX);
  rtk_config_wipe(access->token);
  access->token = NULL;
}

void rtk_access_deinit(struct rtk_access *access) {
  rtk_access_forget(access);
  drop_scopes(access, true);
}

bool rtk_access_is_outdated(const struct rtk_access *access) {
  return rtk_config_address_version(access->config) != access->address_version;
}

bool rtk_access_renew(struct rtk_access *access) {
  if (!rtk_access_is_outdated(access)) return false;
  rtk_access_deinit(access);
  access->address_version = rtk_config_address_version(access->config);
  return true;
}

int rtk_access_need_token(struct rtk_access *access, struct rtk_err *err) {
  int rc = rtk_config_check(access->config, err);
  if (rc != SQLITE_OK || access->token != NULL) return rc;
  return rtk_config_token(access->config, &access->token, &access->token_source,
                          err);
}

static bool is_scope(const struct rtk_scope *scope, const char *url,
                     size_t scope_size) {
  return scope->url.size == scope_size &&
         (scope_size == 0 || memcmp(scope->url.bytes, url, scope_size) == 0);
}

int rtk_access_scope(struct rtk_access *access, const char *url,
                     size_t scope_size, struct rtk_scope **scope) {
  struct rtk_scope *found = access->scopes;
  while (found != NULL && !is_scope(found, url, scope_size)) {
    found = found->next;
  }
  if (found == NULL) {
    found = sqlite3_malloc64(sizeof(*found) + scope_size);
    if (found == NULL) return SQLITE_NOMEM;
    char *copy = (char *)(found + 1);
    memcpy(copy, url, scope_size);
    *found =
        (struct rtk_scope){.next = access->scopes, .url = {copy, scope_size}};
    access->scopes = found;
    access->scope_count++;
  }
  *scope = found;
  return SQLITE_OK;
}

/* The name under which the cache file has the scope and the token. */
struct name {
  char text[32];
};

static struct name name_of(const struct rtk_access *access,
                           const struct rtk_scope *scope) {
  struct name name;
  uint64_t hash =
      rtk_hash_add(RTK_HASH_START, access->token, strlen(access->token));
  hash = rtk_hash_add(hash, scope->url.bytes, scope->url.size);
  sqlite3_snprintf((int)sizeof(name.text), name.text, "proven:%016llx", hash);
  return name;
}

/* Without the note, as when memory runs out, the next process asks once
** more. */
void rtk_access_prove(const struct rtk_access *access,
                      struct rtk_scope *scope) {
  if (scope->is_proven) return;
  scope->is_proven = true;
  struct rtk_disk_reply note = {.fetched_ms = rtk_clock_unix_ms(),
                                .keep_ms = PROVEN_MS};
  struct name name = name_of(access, scope);
  (void)rtk_diskcache_put(access->disk, name.text, &note);
}

void rtk_access_recall(const struct rtk_access *access,
                       struct rtk_scope *scope) {
  struct rtk_disk_reply note;
  struct name name = name_of(access, scope);
  if (rtk_diskcache_get(access->disk, name.text, &note) != SQLITE_OK) return;
  int64_t age_ms = rtk_clock_unix_ms() - note.fetched_ms;
  scope->is_proven = age_ms >= 0 && age_ms < PROVEN_MS;
}

const struct rtk_reply *rtk_access_refusal(const struct rtk_access *access,
                                           const char *url, size_t scope_size) {
  for (const struct rtk_scope *s = access->scopes; s != NULL; s = s->next) {
    bool is_meant = s->url.size == 0 || is_scope(s, url, scope_size);
    if (is_meant && s->refusal != NULL) return s->refusal;
  }
  return NULL;
}

int rtk_access_refuse(struct rtk_access *access, const struct rtk_reply *reply,
                      const char *url, size_t scope_size) {
  struct rtk_scope *scope = NULL;
  struct rtk_reply *copy = NULL;
  if (reply->outcome == RTK_OUTCOME_CALLER) scope_size = 0;
  int rc = rtk_access_scope(access, url, scope_size, &scope);
  if (rc == SQLITE_OK) {
    rc = rtk_reply_of_error(reply, &copy);
  }
  if (rc != SQLITE_OK) return rc;
  rtk_reply_free(scope->refusal);
  scope->refusal = copy;
  return SQLITE_OK;
}
