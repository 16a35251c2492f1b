/*
** The read endpoints of the API as data.  Everything that distinguishes one
** table from another is in its entry in endpoints.c; the rest of rtk reads
** these fields and never compares a name.
*/
#ifndef RTK_ENDPOINT_H
#define RTK_ENDPOINT_H

#include "base/setting.h"

#include <stdbool.h>
#include <stddef.h>

/* Columns and arguments of one endpoint, checked by the unit tests.  A plan has
** 31 bits, two for each argument. */
#define RTK_COLUMNS_MAX 64
#define RTK_INPUTS_MAX 14

/* Bytes of account and app, which are ASCII.  The reference says 32 for both,
** yet real app ids are UUIDs with dashes (36). */
#define RTK_ACCOUNT_MAX 32
#define RTK_APP_MAX 64

enum rtk_column_kind {
  RTK_COLUMN_DATA,     /* a field of the row */
  RTK_COLUMN_ARGUMENT, /* hidden; fills the next {…} of the path, or filters */
  RTK_COLUMN_SURPLUS,  /* hidden; follows the arguments of the path: a call that
                          gives it a value has one argument too many */
  RTK_COLUMN_ERROR,    /* hidden; why there is no data */
  RTK_COLUMN_KIND,     /* hidden; the kind of that error, one word (err.h) */
  RTK_COLUMN_STATUS,   /* hidden; the HTTP status */
  RTK_COLUMN_RESPONSE  /* hidden; the reply's body; of a list the row */
};

enum rtk_column_type {
  RTK_COLUMN_TEXT,
  RTK_COLUMN_TIME,    /* text; the published example of a meeting session that
                         runs has "null" as a text, which is NULL here */
  RTK_COLUMN_INTEGER, /* of data: true and false */
  RTK_COLUMN_NUMERIC, /* INTEGER or REAL, as the reply has it */
  RTK_COLUMN_JSON     /* of data: text, a string with its quotes */
};

/* For arguments: which values are usable. */
enum rtk_argument_kind {
  RTK_ARGUMENT_ID,    /* an unusable value: no row, no request */
  RTK_ARGUMENT_SCOPE, /* an unusable value is an error; has a default */
  RTK_ARGUMENT_FILTER /* optional; a query parameter of the URL; a whole number
                         where the column's type is INTEGER */
};

struct rtk_column {
  const char *name;
  enum rtk_column_kind kind;
  enum rtk_column_type type;
  bool is_hidden; /* DATA only; every other kind is always hidden */
  /* What the API calls it.  DATA: the path in the row, "quality.audio.mos"; ""
  ** is the row itself.  ARGUMENT: the query parameter.  NULL: as the column. */
  const char *field;
  const char *doc;

  /* DATA: a link that expires.  A reply with one is kept no longer than the
  ** statement, and not in the cache file. */
  bool is_link;

  /* DATA: the argument that an equality on this column gives a value to. */
  const char *stands_for;

  /* ARGUMENT; DATA: FILTER where the server can filter by the column. */
  enum rtk_argument_kind argument;
  enum rtk_setting setting; /* SCOPE: the setting that holds the default */
  size_t max_bytes;         /* SCOPE */
  const char *values;       /* FILTER: the values that the server knows, a space
                               after each; NULL: it takes any text */
  bool is_comma_list;       /* FILTER: any number of the values, "A,B" */
  bool is_switch;           /* FILTER: 1 and 0 are sent as true and false */
  bool is_order;            /* FILTER: the same rows, in another order */
};

struct rtk_endpoint {
  const char *name; /* of the table */
  const char *doc;  /* what its rows are, for rtk_help: up to 48 characters */
  const char *noun; /* for messages: the thing with the id, "session"; without
                       an id the reply, "page" */
  const char *path; /* below the base URL, {…} for each argument in order */
  /* The path to the rows in the reply, as `data.sessions`.  It leads to one
  ** object or to an array.  The first path that exists is used.  Without a path
  ** the body is the row. */
  const char *rows[2];
  bool is_list;       /* an array of any size is right, too */
  bool has_text_rows; /* the rows are strings, and no objects */
  /* Where total_count is.  None: the reply is not one page of many. */
  const char *paging[2];
  /* Where the reply has the link to a text, which has the rows: a second
  ** request follows it, without the token.  `text_names`: of the columns, where
  ** the text is CSV (csv.h); NULL: all of it is one row.  `lasts_as`: when the
  ** reply of this endpoint for the same id no longer changes, the text does not
  ** either.  The path ends in "#text": a fragment is not sent, and by it the
  ** URL of the text's job is not that of the link's own table. */
  const char *link;
  const char *text_names;
  const struct rtk_endpoint *lasts_as;
  /* Each row of this list is also a reply of this endpoint (for the id in its
  ** first column) and is cached as such.  NULL: it is not. */
  const struct rtk_endpoint *each;
  const char *ended; /* the column with the time after which a row no longer
                        changes; NULL: a row may change at any time */
  const struct rtk_column *columns; /* in the order of the table; the last one
                                       is the row itself */
  int column_count;
};

/* Every endpoint, for registering and for documentation. */
extern const struct rtk_endpoint rtk_endpoints[];
extern const int rtk_endpoint_count;

/* The arguments of an endpoint, worked out once per table.  They are numbered
** from 0: those of the path in its order, then the filters.
**
**     CREATE TABLE x(id, name, status, account HIDDEN, livestream_id HIDDEN …)
**     columns[]        {3, 4, 2}               account, livestream_id, status
**     argument_of[]    {1, -1, 2, 0, 1 …}      `id` stands for livestream_id
**     path_count = 2, count = 3, scope = 0, id = 1
**     place_of[]       {0, 1, 2, -1, -1 …}     a reply has three values a row
**     data_count = 3 */
struct rtk_signature {
  const struct rtk_endpoint *endpoint;
  int count;                             /* of arguments */
  int path_count;                        /* of those, in the path */
  int scope;                             /* the last account or app; -1: none */
  int id;                                /* the last id in the path, the one
                                            that lists are of; -1: none */
  signed char columns[RTK_INPUTS_MAX];   /* each argument's column */
  signed char stand_ins[RTK_INPUTS_MAX]; /* the column that may be compared in
                                           its place; -1: none */
  signed char argument_of[RTK_COLUMNS_MAX]; /* the argument that a column is or
                                               stands for; -1: none */
  int data_count;                           /* of columns of data */
  signed char place_of[RTK_COLUMNS_MAX];    /* a column's place in the rows of a
                                            reply; -1: it is not of data */
};

void rtk_endpoint_describe(const struct rtk_endpoint *endpoint,
                           struct rtk_signature *signature);

/* Is the argument an id of the path, and not the last one?  A meeting's, where
** the id is a participant's. */
bool rtk_endpoint_is_outer_id(const struct rtk_signature *signature,
                              int argument);

/* The column of an argument. */
const struct rtk_column *rtk_endpoint_argument(
    const struct rtk_signature *signature, int argument);

/* What the API calls the column. */
const char *rtk_endpoint_field(const struct rtk_column *column);

/* The column's type in SQL; and does SELECT * leave it out? */
const char *rtk_endpoint_type(const struct rtk_column *column);
bool rtk_endpoint_is_hidden(const struct rtk_column *column);

/* The statement for sqlite3_declare_vtab(): free with sqlite3_free(); NULL
** when there is no memory. */
char *rtk_endpoint_schema(const struct rtk_endpoint *endpoint);

#endif
