/* rtk_stats: what this connection has done and where it stands, in numbers. */
#ifndef RTK_STATSTABLE_H
#define RTK_STATSTABLE_H

#include "base/value.h"

struct rtk_conn;
struct rtk_err;
struct rtk_rows;

/* Adds a row for each: its name and its value.  SQLITE_OK or SQLITE_NOMEM. */
int rtk_statstable_fill(struct rtk_conn *conn, const struct rtk_text *arguments,
                        struct rtk_rows *rows, struct rtk_err *err);

#endif
