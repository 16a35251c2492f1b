/*
** The arguments of one table in a statement: the values that SQLite hands to
** xFilter are checked, and become a call (api/url.h) and its ids.
**
**     SELECT … FROM rtk_livestream_session('A', 'P') WHERE session_id IN (…)
**
**     bits   account: VALUE, app: VALUE, session_id: LIST     (plan.h)
**     argv   'A', 'P', the list
**     call   accounts/A/realtime/kit/P/…/{session_id}         ids: the list
*/
#ifndef RTK_ARGUMENTS_H
#define RTK_ARGUMENTS_H

#include "api/endpoint.h"
#include "api/url.h"
#include "base/limits.h"
#include "base/value.h"

#include <stdbool.h>

struct rtk_conn;
struct rtk_err;
struct rtk_strset;
struct sqlite3_value;
struct sqlite3_vtab;

struct rtk_arguments {
  struct rtk_conn *conn; /* borrowed, as are the next two */
  const struct rtk_signature *signature;
  const struct sqlite3_vtab *vtab; /* SQLite's view of the table */
  struct rtk_call call;            /* all but the id, which the cursor sets */
  struct sqlite3_value *given[RTK_INPUTS_MAX]; /* filters as they were given, to
                                                  be echoed; NULL: not given */
  char *path[RTK_INPUTS_MAX]; /* account, app and outer ids, for the call */
  int checked_bits;           /* of the last plan whose program was looked at */
  bool is_collecting;         /* in a collecting run */
};

/* The ids and exceptions of one scan; values are borrowed from xFilter. */
struct rtk_scan {
  int bits;                   /* the plan */
  struct sqlite3_value *one;  /* of `id = …` */
  struct sqlite3_value *list; /* of `id IN (…)` */
  bool is_empty; /* a filter is NULL, or an outer id unusable: no row */
  const struct rtk_column *null_scope; /* an account or app without a value */
  int null_argument;                   /* which argument that is */
  bool has_moved; /* anything but the id differs from the scan before */
  int value;      /* while reading: the place among xFilter's values */
};

void rtk_arguments_init(struct rtk_arguments *arguments, struct rtk_conn *conn,
                        const struct rtk_signature *signature,
                        const struct sqlite3_vtab *vtab);
void rtk_arguments_deinit(struct rtk_arguments *arguments);

/* Takes the values of a scan apart.  SQLITE_OK, SQLITE_NOMEM or
** SQLITE_ERROR. */
int rtk_arguments_read(struct rtk_arguments *arguments, int bits,
                       struct sqlite3_value **values, struct rtk_scan *scan,
                       struct rtk_err *err);

/* An id as text, borrowed from the value.  *is_usable: a request can carry it;
** else it has no row, and is counted.  SQLITE_OK or SQLITE_NOMEM. */
int rtk_arguments_read_id(struct rtk_arguments *arguments,
                          struct sqlite3_value *value, struct rtk_text *text,
                          bool *is_usable);

/* Adds the ids of a whole IN list to `ids`, each once.  SQLITE_OK, SQLITE_NOMEM
** or SQLITE_ERROR. */
int rtk_arguments_add_list(struct rtk_arguments *arguments,
                           struct sqlite3_value *list, struct rtk_strset *ids,
                           struct rtk_err *err);

/* Is this id in the list? */
int rtk_arguments_find(struct sqlite3_value *list, struct rtk_text id,
                       bool *is_found, struct rtk_err *err);

/* Does the call have a filter that leaves out rows? */
bool rtk_arguments_have_filter(const struct rtk_arguments *arguments);

/* Why the rows of a scan with `null_scope` cannot be requested.  Free with
** sqlite3_free(); NULL: no memory. */
char *rtk_arguments_explain_null(const struct rtk_scan *scan);

#endif
