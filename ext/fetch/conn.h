/*
** What all tables and functions of one database connection share, and what the
** connection has done, in numbers.  Lives from the loading of rtk to the
** closing of the connection.
*/
#ifndef RTK_CONN_H
#define RTK_CONN_H

#include "base/err.h"
#include "base/limits.h"
#include "net/cancel.h"
#include "net/http.h"

#include <stdbool.h>
#include <stdint.h>

struct rtk_prefetch;
struct rtk_config;
struct rtk_err;
struct rtk_fetch;
struct rtk_diskcache;
struct sqlite3;

/* --- numbers -------------------------------------------------------------- */

/* Bytes of the name of a table and two numbers. */
#define RTK_SHORT_LIST_MAX 128

/* Latencies that the percentiles of rtk_stats are taken from. */
#define RTK_LATENCIES 1024

struct rtk_stats {
  int64_t requests; /* sent, each retry one more */
  int64_t retries;
  int64_t rows;        /* given to SQLite */
  int64_t from_memory; /* replies that needed no request */
  int64_t from_file;
  int64_t bytes;        /* of bodies received, decompressed */
  int64_t waited_ms;    /* for the quota, nothing being under way */
  int64_t not_found;    /* ids that the API does not know: no row */
  int64_t unusable_ids; /* values that cannot be an id: no row, no request */
  int64_t short_lists;  /* with a filter, and fewer rows than total_count */
  char last_short_list[RTK_SHORT_LIST_MAX];
  char last_cf_ray[RTK_HEADER_MAX];

  /* The last failure: of a statement, or a row with an error. */
  enum rtk_kind last_error_kind;
  int last_http_status;  /* 0: none */
  int64_t retry_unix_ms; /* the last that was known; 0: none */

  /* The last RTK_LATENCIES requests that got a reply, in ms. */
  int32_t latencies[RTK_LATENCIES];
  int64_t latency_count; /* of all */
};

/* Keeps kind, status and time of a failure; a failure without a kind is
** RTK_KIND_USAGE. */
void rtk_stats_note_error(struct rtk_stats *stats, const struct rtk_err *err);

/* Keeps the cf-ray header of a response, of RTK_HEADER_MAX bytes, without the
** token. */
void rtk_stats_note_ray(struct rtk_stats *stats, const char *ray,
                        const char *token);

void rtk_stats_add_latency(struct rtk_stats *stats, int64_t ms);

/* The latency that `percent` % of the last requests stayed within; -1: none
** was made. */
int64_t rtk_stats_latency(const struct rtk_stats *stats, int percent);

/* --- the connection ------------------------------------------------------- */

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
