/*
** What all tables and functions of one database connection share.  Lives from
** the loading of rtk to the closing of the connection.
*/
#ifndef RTK_CONN_H
#define RTK_CONN_H

#include "fetch/stats.h"
#include "net/cancel.h"

#include <stdbool.h>

struct rtk_prefetch;
struct rtk_config;
struct rtk_err;
struct rtk_fetch;
struct rtk_diskcache;
struct sqlite3;

struct rtk_conn {
  struct sqlite3 *db;        /* borrowed: the host closes it */
  struct rtk_config *config; /* owned, as are the next three */
  struct rtk_diskcache *disk;
  struct rtk_fetch *fetch;
  struct rtk_prefetch *prefetch;
  struct rtk_stats stats;
  struct rtk_cancel cancel;
  bool has_warned; /* that the cache file is not used */
  int cursors;     /* open */
  int holders;
};

/* SQLITE_OK with *conn given and held once, SQLITE_NOMEM or SQLITE_ERROR. */
int rtk_conn_new(struct sqlite3 *db, struct rtk_conn **conn,
                 struct rtk_err *err);

/* Every module and function that SQLite knows holds the connection; its
** destructor, which SQLite calls also when registering fails, releases it. */
struct rtk_conn *rtk_conn_hold(struct rtk_conn *conn);
void rtk_conn_release(void *conn);

/* Around the life of each cursor: what is asked once per statement is
** remembered from the first that opens until the last has closed.  SQLITE_OK
** or SQLITE_NOMEM, after which the cursor is not open. */
int rtk_conn_open_cursor(struct rtk_conn *conn);
void rtk_conn_close_cursor(struct rtk_conn *conn);

/* Uses the cache file that is set, as the first cursor does; a statement that
** goes on keeps the one it began with.  SQLITE_OK or SQLITE_NOMEM. */
int rtk_conn_use_cache_file(struct rtk_conn *conn);

/* May tables be used from the views and triggers of a database? */
bool rtk_conn_trusts_schema(const struct rtk_conn *conn);

#endif
