/* rtk_columns: every column of every endpoint's table, and what it means. */
#ifndef RTK_COLUMNS_H
#define RTK_COLUMNS_H

#include "base/value.h"

struct rtk_conn;
struct rtk_err;
struct rtk_rows;

/* Adds a row for each: table, column, type, hidden, argument, doc.  "argument"
** is 'path' for what is a part of the address, 'filter' for what the server
** filters by when it is given, else NULL.  SQLITE_OK. */
int rtk_columns_fill(struct rtk_conn *conn, const struct rtk_text *arguments,
                     struct rtk_rows *rows, struct rtk_err *err);

#endif
