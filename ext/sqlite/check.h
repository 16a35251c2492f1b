/*
** rtk_check(account, app): everything that a query needs, looked at one after
** the other, and what to do about what is not there.
*/
#ifndef RTK_CHECK_H
#define RTK_CHECK_H

#include "base/value.h"

struct rtk_conn;
struct rtk_err;
struct rtk_rows;

/* Adds a row for each check: its name, whether it went well (1, 0, or NULL: not
** asked), and a detail.  The arguments are account and app; one without bytes
** is the setting.  Makes up to three requests, and none again.  What is wrong is rows: returns
** SQLITE_OK, SQLITE_INTERRUPT or SQLITE_NOMEM. */
int rtk_check_fill(struct rtk_conn *conn, const struct rtk_text *arguments,
                   struct rtk_rows *rows, struct rtk_err *err);

#endif
