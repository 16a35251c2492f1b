/* What is known about the caller. */
#include "fetch/caller.h"

#include "api/reply.h"
#include "base/err.h"
#include "base/limits.h"
#include "config/config.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

void rtk_caller_init(struct rtk_caller *caller, struct rtk_config *config) {
  memset(caller, 0, sizeof(*caller));
  caller->config = config;
  caller->address_version = rtk_config_address_version(config);
}

/* Drops the scopes that were refused, or all. */
static void drop_scopes(struct rtk_caller *caller, bool is_all) {
  struct rtk_scope **link = &caller->scopes;
  while (*link != NULL) {
    struct rtk_scope *scope = *link;
    if (!is_all && scope->refusal == NULL) {
      link = &scope->next;
      continue;
    }
    *link = scope->next;
    caller->scope_count--;
    rtk_reply_free(scope->refusal);
    sqlite3_free(scope);
  }
}

void rtk_caller_forget(struct rtk_caller *caller) {
  drop_scopes(caller, caller->scope_count > RTK_SCOPES_MAX);
  rtk_config_wipe(caller->token);
  caller->token = NULL;
}

void rtk_caller_deinit(struct rtk_caller *caller) {
  rtk_caller_forget(caller);
  drop_scopes(caller, true);
}

bool rtk_caller_has_moved(const struct rtk_caller *caller) {
  return rtk_config_address_version(caller->config) != caller->address_version;
}

bool rtk_caller_move(struct rtk_caller *caller) {
  if (!rtk_caller_has_moved(caller)) return false;
  rtk_caller_deinit(caller);
  caller->address_version = rtk_config_address_version(caller->config);
  return true;
}

int rtk_caller_need_token(struct rtk_caller *caller, struct rtk_err *err) {
  int rc = rtk_config_check(caller->config, err);
  if (rc != SQLITE_OK || caller->token != NULL) return rc;
  return rtk_config_token(caller->config, &caller->token, &caller->token_source,
                          err);
}

static bool is_scope(const struct rtk_scope *scope, const char *url,
                     size_t scope_size) {
  return scope->url.size == scope_size &&
         (scope_size == 0 || memcmp(scope->url.bytes, url, scope_size) == 0);
}

int rtk_caller_scope(struct rtk_caller *caller, const char *url,
                     size_t scope_size, struct rtk_scope **scope) {
  struct rtk_scope *found = caller->scopes;
  while (found != NULL && !is_scope(found, url, scope_size)) {
    found = found->next;
  }
  if (found == NULL) {
    found = sqlite3_malloc64(sizeof(*found) + scope_size);
    if (found == NULL) return SQLITE_NOMEM;
    memset(found, 0, sizeof(*found));
    char *copy = (char *)(found + 1);
    memcpy(copy, url, scope_size);
    found->url = (struct rtk_text){copy, scope_size};
    found->next = caller->scopes;
    caller->scopes = found;
    caller->scope_count++;
  }
  *scope = found;
  return SQLITE_OK;
}

const struct rtk_reply *rtk_caller_refusal(const struct rtk_caller *caller,
                                           const char *url, size_t scope_size) {
  for (const struct rtk_scope *s = caller->scopes; s != NULL; s = s->next) {
    bool is_meant = s->url.size == 0 || is_scope(s, url, scope_size);
    if (is_meant && s->refusal != NULL) return s->refusal;
  }
  return NULL;
}

int rtk_caller_refuse(struct rtk_caller *caller, const struct rtk_reply *reply,
                      const char *url, size_t scope_size) {
  struct rtk_scope *scope = NULL;
  struct rtk_reply *copy = NULL;
  if (reply->outcome == RTK_OUTCOME_CALLER) scope_size = 0;
  int rc = rtk_caller_scope(caller, url, scope_size, &scope);
  if (rc == SQLITE_OK) {
    rc = rtk_reply_of_error(reply, &copy);
  }
  if (rc != SQLITE_OK) return rc;
  rtk_reply_free(scope->refusal);
  scope->refusal = copy;
  return SQLITE_OK;
}
