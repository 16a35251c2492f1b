/*
** What is known about the caller: its token, and which accounts and apps are
** refused to it, or were not.
**
** A scope is the beginning of a URL, up to the account and app.  What is
** refused is remembered for the statement; that something was not refused,
** until the settings change that say which token goes where.
*/
#ifndef RTK_CALLER_H
#define RTK_CALLER_H

#include "base/value.h"

#include <stdbool.h>
#include <stdint.h>

struct rtk_config;
struct rtk_err;
struct rtk_reply;

struct rtk_scope {
  struct rtk_scope *next;
  struct rtk_reply *refusal; /* owned; NULL: none */
  bool is_proven;            /* a reply came that was no refusal */
  int64_t probe_until_ms;    /* others wait until then for the first reply;
                                0: none has been asked for */
  struct rtk_text url;       /* its beginning; size 0: everything */
};

struct rtk_caller {
  struct rtk_config *config; /* borrowed */
  char *token;               /* NULL until it is needed */
  const char *token_source;  /* static */
  int64_t address_version;   /* of the settings that it was taken by */
  struct rtk_scope *scopes;
  int scope_count;
};

void rtk_caller_init(struct rtk_caller *caller, struct rtk_config *config);
void rtk_caller_deinit(struct rtk_caller *caller);

/* Between two statements: the token and what was refused. */
void rtk_caller_forget(struct rtk_caller *caller);

/* Have settings changed since that say which token goes where?  Nothing may
** mix the two: rtk_caller_move() goes over to the new ones, forgets all, and
** says whether anything had changed. */
bool rtk_caller_has_moved(const struct rtk_caller *caller);
bool rtk_caller_move(struct rtk_caller *caller);

/* Makes sure that there is a token, and that settings make sense.  SQLITE_OK,
** SQLITE_NOMEM or SQLITE_ERROR. */
int rtk_caller_need_token(struct rtk_caller *caller, struct rtk_err *err);

/* The scope of this URL, whose first `scope_size` bytes name it: *scope is
** borrowed until the next statement.  SQLITE_OK or SQLITE_NOMEM. */
int rtk_caller_scope(struct rtk_caller *caller, const char *url,
                     size_t scope_size, struct rtk_scope **scope);

/* What was refused to this URL, or to everybody; NULL: nothing. */
const struct rtk_reply *rtk_caller_refusal(const struct rtk_caller *caller,
                                           const char *url, size_t scope_size);

/* Keeps a copy of the reply in mind as a refusal to its scope, or to everybody
** when that is what it says.  SQLITE_OK or SQLITE_NOMEM. */
int rtk_caller_refuse(struct rtk_caller *caller, const struct rtk_reply *reply,
                      const char *url, size_t scope_size);

#endif
