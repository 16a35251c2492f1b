/*
** What is asked for: an endpoint, its arguments, and which page of a list; and
** the URL of that.
*/
#ifndef RTK_WANTED_H
#define RTK_WANTED_H

#include "base/limits.h"
#include "base/value.h"

#include <stddef.h>

struct rtk_endpoint;

/* Everything is borrowed.  Begins with rtk_wanted_init(), which looks up what
** would else be looked up for each request. */
struct rtk_wanted {
  const struct rtk_endpoint *endpoint;
  int count;      /* of arguments */
  int path_count; /* of those, in the path */
  int scope;      /* the last that is an account or app; -1: none */
  int id;         /* the one that ids are asked by; -1: none */
  struct rtk_text arguments[RTK_INPUTS_MAX]; /* as rtk_endpoint_argument() has
                                                them; a filter without bytes
                                                was not given */
  int page; /* from 1; 0: the reply is not one page of many */
};

/* Nothing is given yet; of a list the first page. */
void rtk_wanted_init(struct rtk_wanted *wanted,
                     const struct rtk_endpoint *endpoint);

/* The argument that is shown in messages; no bytes: there is none. */
struct rtk_text rtk_wanted_id(const struct rtk_wanted *wanted);

/* The URL, to be freed with sqlite3_free(); NULL: no memory.  *scope_size is the
** number of its bytes up to the account and app. */
char *rtk_wanted_url(const struct rtk_wanted *wanted, const char *base,
                     size_t *scope_size);

/* The URL of one row's own endpoint, from that of the list it stands in, whose
** first `scope_size` bytes name the account and app.  As above. */
char *rtk_wanted_url_of_row(const struct rtk_endpoint *endpoint,
                            const char *list_url, size_t scope_size,
                            struct rtk_text id);

#endif
