/*
** An error on its way to the user: an SQLite result code and a message that
** says what happened and what to do.
**
**     if (url == NULL) return rtk_err_set(err, "%s is not set", name);
**
** Functions that can fail return the code and take a struct rtk_err last.  The
** message is set once, where the cause is known, and passed up unchanged.
*/
#ifndef RTK_ERR_H
#define RTK_ERR_H

#include <stdint.h>

/* The kind of failure, for programs: SQLite's code is SQLITE_ERROR for nearly
** all of them.  README.md lists the kinds, and no kind is added. */
#define RTK_KINDS(X)                                                           \
  X(USAGE, "usage")     /* the statement or a setting is wrong */              \
  X(TOKEN, "token")     /* no API token, or the API does not accept it */      \
  X(DENIED, "denied")   /* HTTP 403 */                                         \
  X(QUOTA, "quota")     /* the request quota is used up */                     \
  X(NETWORK, "network") /* no connection, or it broke; DNS, TLS, proxy */      \
  X(TIMEOUT, "timeout") /* timeout_ms or connect_timeout_ms went by */         \
  X(SERVER, "server")   /* HTTP 408, 409 and 5xx, after the retries */         \
  X(REQUEST, "request") /* any other HTTP 4xx of the API */                    \
  X(REPLY, "reply")     /* a reply that is damaged, too large, or short */     \
  X(NOT_API, "not_api") /* something other than the API answered */            \
  X(MEMORY, "memory")   /* out of memory */                                    \
  X(INTERRUPTED, "interrupted")

#define RTK_KIND_WORDS                                                         \
  "usage, token, denied, quota, network, timeout, server, request, reply,"     \
  " not_api, memory or interrupted"

enum rtk_kind {
  RTK_KIND_NONE,
#define RTK_KIND_MEMBER(name, word) RTK_KIND_##name,
  RTK_KINDS(RTK_KIND_MEMBER)
#undef RTK_KIND_MEMBER
};

struct sqlite3_str;

struct rtk_err {
  char *message; /* from sqlite3_malloc(); NULL when there is none */
  enum rtk_kind kind;
  int http_status;       /* 0: none */
  int64_t retry_unix_ms; /* the time to try again; 0: none is known */
};

#if defined(__GNUC__)
#define RTK_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define RTK_PRINTF(text, first)
#endif

/* The kind as one word, static; NULL for RTK_KIND_NONE. */
const char *rtk_kind_word(enum rtk_kind kind);

/* Replaces the message and returns SQLITE_ERROR, or SQLITE_NOMEM when there
** was no memory for the message.  The format is that of sqlite3_mprintf().
** Leaves the other fields as they are: a message without a kind is about the
** statement or a setting (RTK_KIND_USAGE). */
int rtk_err_set(struct rtk_err *err, const char *format, ...) RTK_PRINTF(2, 3);

/* The same with the text of `message`, which is freed. */
int rtk_err_finish(struct rtk_err *err, struct sqlite3_str *message);

/* Puts `prefix` and ": " before the message, if there is one. */
void rtk_err_prefix(struct rtk_err *err, const char *prefix);

/* Hands the message to the caller, who frees it with sqlite3_free(). */
char *rtk_err_take(struct rtk_err *err);

void rtk_err_clear(struct rtk_err *err);

#endif
