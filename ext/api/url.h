/*
** Where a request goes: a base URL and a path template with its arguments
** into one URL.
*/
#ifndef RTK_URL_H
#define RTK_URL_H

#include "base/value.h"

#include <stdbool.h>
#include <stddef.h>

/* Is there a path segment that could carry this text?  Not when it is empty,
** "." or ".." (which clients and servers remove), has a NUL inside, or is
** longer than `max` bytes. */
bool rtk_url_can_carry(struct rtk_text text, size_t max);

/* Makes BASE/PATH, where each "{…}" of the template is replaced by the next
** of the `count` values, percent-encoded as one segment (RFC 3986: all but
** letters, digits, "-", ".", "_" and "~").  White space and slashes at the
** end of `base` do not count.  The name inside the braces is for readers.
** ends[i] becomes the number of bytes up to the end of value i.
** Returns memory to be freed with sqlite3_free(), NULL when there is none. */
char *rtk_url_make(const char *base, const char *template,
                   const struct rtk_text *values, size_t count, size_t *ends);

/* Adds NAME=VALUE to the query of a URL, which it takes: NULL stays NULL.
** Returns memory to be freed with sqlite3_free(), NULL when there is none. */
char *rtk_url_add(char *url, const char *name, struct rtk_text value);

#endif
