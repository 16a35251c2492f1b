/*
** Comma-separated values (RFC 4180) as JSON, so that the rest of rtk knows one
** kind of text only:
**
**     names   "timestamp name transcript "
**     text    1704067210,Ann,"Well, ""hello"""
**     JSON    [{"line":1,"timestamp":"1704067210","name":"Ann",
**               "transcript":"Well, \"hello\""}]
**
** A first line that has the names is no row; it says in which order the columns
** come, and how they are written does not matter: peerId, "Peer ID", peer_id.
** Without it they come as `names` has them.  What is missing at the end of a
** line, and an empty field without quotes, is left out.  Empty lines are passed
** over.
*/
#ifndef RTK_CSV_H
#define RTK_CSV_H

#include "base/value.h"

#include <stdbool.h>

#include <sqlite3ext.h>

/* Rows of one text: some days of talk.  A text of 1 MB could otherwise have
** half a million lines, which take hundreds of MB as rows. */
#define RTK_LINES_MAX 100000

/* Appends the rows; `names` has a space after each.  False: there are too many,
** or a quote does not end, for the text is cut. */
bool rtk_csv_put_json(sqlite3_str *out, const char *names,
                      struct rtk_text text);

/* Appends the bytes as they stand between the quotes of a JSON string. */
void rtk_csv_put_escaped(sqlite3_str *out, struct rtk_text text);

#endif
