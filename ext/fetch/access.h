/*
** Access: the token, and which accounts and apps refused it.
**
** A scope is the beginning of a URL, up to account and app.  A refusal (403) is
** remembered until the statement ends: every further id of that scope fails
** without a request.
**
** The first request of a scope is sent alone: a wrong app costs one request and
** not a hundred.  That a scope was not refused is remembered until a setting
** changes that decides which token is sent where, and for an hour in the cache
** file, for this token.
*/
#ifndef RTK_ACCESS_H
#define RTK_ACCESS_H

#include "base/value.h"

#include <stdbool.h>
#include <stdint.h>

struct rtk_config;
struct rtk_diskcache;
struct rtk_err;
struct rtk_reply;

struct rtk_scope {
  struct rtk_scope *next;
  struct rtk_reply *refusal; /* owned; NULL: none */
  bool is_proven;            /* a reply came that was no refusal */
  int64_t probe_until_ms;    /* until then other requests wait for the first
                                reply; 0: no request has been made */
  struct rtk_text url;       /* size 0: the scope is everything */
};

struct rtk_access {
  struct rtk_config *config; /* borrowed, as is the next */
  struct rtk_diskcache *disk;
  char *token;              /* NULL until the first request */
  const char *token_source; /* static text */
  int64_t address_version;  /* of the settings that it came from */
  struct rtk_scope *scopes;
  int scope_count;
};

void rtk_access_init(struct rtk_access *access, struct rtk_config *config,
                     struct rtk_diskcache *disk);
void rtk_access_deinit(struct rtk_access *access);

/* Between two statements: forgets the token and the refusals. */
void rtk_access_forget(struct rtk_access *access);

/* Have settings changed that decide which token is sent where?  Replies to
** both tokens must not be mixed.  rtk_access_renew() takes the new settings,
** forgets everything, and says whether anything had changed. */
bool rtk_access_is_outdated(const struct rtk_access *access);
bool rtk_access_renew(struct rtk_access *access);

/* Reads the token, if there is none, and checks the settings.  SQLITE_OK,
** SQLITE_NOMEM or SQLITE_ERROR. */
int rtk_access_need_token(struct rtk_access *access, struct rtk_err *err);

/* The scope that the first `scope_size` bytes of a URL name: *scope is borrowed
** until the statement ends.  SQLITE_OK or SQLITE_NOMEM. */
int rtk_access_scope(struct rtk_access *access, const char *url,
                     size_t scope_size, struct rtk_scope **scope);

/* Notes that a scope was not refused.  Sets is_proven, if the cache file has
** such a note.  Both need the token. */
void rtk_access_prove(const struct rtk_access *access, struct rtk_scope *scope);
void rtk_access_recall(const struct rtk_access *access,
                       struct rtk_scope *scope);

/* The refusal of this URL's scope or of everything; NULL: none. */
const struct rtk_reply *rtk_access_refusal(const struct rtk_access *access,
                                           const char *url, size_t scope_size);

/* Remembers a copy of the reply as the refusal of the URL's scope or, where the
** outcome is RTK_OUTCOME_CALLER, of everything.  SQLITE_OK or SQLITE_NOMEM. */
int rtk_access_refuse(struct rtk_access *access, const struct rtk_reply *reply,
                      const char *url, size_t scope_size);

#endif
