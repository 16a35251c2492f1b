/*
** A call of an endpoint (with its arguments), and the URL of its request.
**
**     https://api…/v4/accounts/A/realtime/kit/P/livestreams/ID?status=LIVE…
**     |---- head: the same for all ids of a call ---------|    |- tail ---|
**     |---- scope: account and app -----------|
**
** Thousands of ids are requested by calls that differ only in the id.  So head
** and tail are made once, and only the id between them changes.
*/
#ifndef RTK_URL_H
#define RTK_URL_H

#include "api/endpoint.h"
#include "base/value.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the longest id.  A longer id fits no server's request line and is
** not requested. */
#define RTK_ID_MAX 1024

/* Rows requested of a page.  No limit is published; the server gives as many as
** it likes. */
#define RTK_PER_PAGE 100

/* An endpoint with its arguments and, of a list, the page.  Begins with
** rtk_call_init().  Texts are borrowed until rtk_call_deinit() or until they
** are set again. */
struct rtk_call {
  const struct rtk_signature *signature;     /* borrowed */
  struct rtk_text arguments[RTK_INPUTS_MAX]; /* a filter without bytes was not
                                                given */
  int page; /* from 1; 0: the reply is not one page of many */

  size_t scope_size; /* bytes of the last URL that name account and app */

  /* For url.c alone. */
  char *url, *tail;
  size_t url_room, tail_room;
  size_t base_size, head_size, tail_size;
  bool is_made; /* head and tail are those of the arguments */
};

/* Without arguments; of a list the first page. */
void rtk_call_init(struct rtk_call *call,
                   const struct rtk_signature *signature);
void rtk_call_deinit(struct rtk_call *call);

/* Sets an argument.  Setting only the id is cheap. */
void rtk_call_set(struct rtk_call *call, int argument, struct rtk_text text);

/* Takes account and app from the URL of another call, whose first `scope_size`
** bytes name them.  The endpoint has no other argument but the id.  False: no
** memory. */
bool rtk_call_take_scope(struct rtk_call *call, const char *url,
                         size_t scope_size);

/* The id, for messages; without bytes where the endpoint has none. */
struct rtk_text rtk_call_id(const struct rtk_call *call);

/* BASE/PATH?FILTERS&PAGE, with each argument percent-encoded as one segment
** (RFC 3986: all but letters, digits, "-", ".", "_" and "~").  White space and
** slashes at the end of `base` do not count; NULL: the scope was taken.
** Borrowed until the next call of a function here; NULL: no memory. */
const char *rtk_call_url(struct rtk_call *call, const char *base);

/* Can a path segment be this text?  Not when it is empty, "." or ".." (clients
** and servers remove these), has a NUL inside, or is longer than `max`
** bytes. */
bool rtk_url_can_carry(struct rtk_text text, size_t max);

#endif
