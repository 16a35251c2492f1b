/*
** A reply with rows as bytes, for the cache file: what the JSON was read to
** stands beside the JSON.  To read a reply back parses nothing, which would
** take two thirds of the time of a join from the file.
**
**     header | body | other texts | a cell for each column of data, row by row
**
** Bytes from a file are not trusted: a sum over all of them finds damage, and
** the cells of other columns are not used.  Nothing in them is followed out of
** the bytes, whatever the sum says.
*/
#ifndef RTK_PACKED_H
#define RTK_PACKED_H

#include "base/value.h"

struct rtk_endpoint;
struct rtk_reply;

/* The bytes of a reply with rows; packed->bytes is given (sqlite3_free()).
** SQLITE_OK or SQLITE_NOMEM. */
int rtk_packed_make(const struct rtk_endpoint *endpoint,
                    const struct rtk_reply *reply, struct rtk_text *packed);

/* The reply in these bytes, which are those of a response with `http_status`.
** SQLITE_OK with *reply given, or with NULL: then *body is what is to be judged
** instead, borrowed from the bytes.  That is the body in them when the columns
** have changed, and else all of them: they are an unpacked body, or damaged,
** and then no JSON.  Or SQLITE_NOMEM. */
int rtk_packed_read(const struct rtk_endpoint *endpoint, int http_status,
                    struct rtk_text packed, struct rtk_text *body,
                    struct rtk_reply **reply);

#endif
