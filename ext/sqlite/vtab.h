/*
** The virtual table that all endpoints share:
**
**     SELECT * FROM rtk_livestream_session('ACCOUNT', 'APP', 'ID');
**     SELECT * FROM rtk_livestream_session
**      WHERE account = 'ACCOUNT' AND app = 'APP' AND session_id IN (…);
*/
#ifndef RTK_VTAB_H
#define RTK_VTAB_H

struct rtk_conn;
struct rtk_endpoint;

/* Registers the endpoint's table.  SQLITE_OK or SQLite's code. */
int rtk_vtab_register(struct rtk_conn *conn,
                      const struct rtk_endpoint *endpoint);

#endif
