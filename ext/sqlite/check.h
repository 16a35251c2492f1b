/*
** rtk_check(account, app): tests everything that a query needs, and says what
** to do about the first failure.
*/
#ifndef RTK_CHECK_H
#define RTK_CHECK_H

#include "base/value.h"

struct rtk_conn;
struct rtk_err;
struct rtk_cells;

/* Adds a row for each check: its name; 1, 0, or NULL (not asked); and a detail.
** `arguments` are account and app; without bytes the setting counts.  Sends up
** to three requests.  A failed check is a row: returns SQLITE_OK,
** SQLITE_INTERRUPT or SQLITE_NOMEM. */
int rtk_check_fill(struct rtk_conn *conn, const struct rtk_text *arguments,
                   struct rtk_cells *cells, struct rtk_err *err);

#endif
