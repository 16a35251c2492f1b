/*
** The result of one request: rows, "not found", or an error.  A reply is one
** block of memory and never changes:
**
**     struct rtk_reply | values of all rows | body | other texts
**
** A value's text is most often a piece of the body as it stands there.  The
** other texts had an escape, or are of a row of a list, whose body is made.
*/
#ifndef RTK_REPLY_H
#define RTK_REPLY_H

#include "base/err.h"
#include "base/value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rtk_endpoint;
struct rtk_json;

enum rtk_outcome {
  RTK_OUTCOME_ROWS,
  RTK_OUTCOME_GONE,   /* the API's own 404: no row */
  RTK_OUTCOME_FAILED, /* an error for this id */
  RTK_OUTCOME_DENIED, /* 403: an error for all ids of the account and app */
  RTK_OUTCOME_CALLER  /* an error for all requests: the statement ends */
};

struct rtk_reply {
  enum rtk_outcome outcome;
  int http_status; /* 0 when no reply came */
  size_t size;     /* bytes of memory that the reply takes */
  /* ROWS: for each row a value for each of the endpoint's columns of data. */
  int row_count;
  enum rtk_kind kind; /* of the error below */
  const struct rtk_value *values;
  struct rtk_text body; /* ROWS; JSON */
  int64_t total_count;  /* ROWS: of the list that this is a page of; -1: none */
  const char *error;    /* otherwise: what happened and what to do */
  int64_t retry_unix_ms; /* the time to try again; 0: none is known */
};

/* Rows of an endpoint: an object, or an array of objects. */
struct rtk_reply_source {
  const struct rtk_json *rows;
  const char *text;     /* the JSON that `rows` was parsed from */
  struct rtk_text body; /* the same without a byte order mark */
  int64_t total_count;
};

/* All return SQLITE_OK with *reply given, to be freed with rtk_reply_free(), or
** SQLITE_NOMEM.  Texts are copied.  Of `draft`, which may be another reply, are
** copied: by _of_values() http_status, row_count, body, total_count and the
** first `count` values; by _of_error() outcome, http_status, error, kind and
** retry_unix_ms. */
int rtk_reply_of_rows(const struct rtk_endpoint *endpoint, int http_status,
                      const struct rtk_reply_source *source,
                      struct rtk_reply **reply);
int rtk_reply_of_values(const struct rtk_reply *draft, size_t count,
                        struct rtk_reply **reply);
int rtk_reply_of_error(const struct rtk_reply *draft, struct rtk_reply **reply);

void rtk_reply_free(struct rtk_reply *reply);

/* ROWS: the body and the other texts behind it, which hold all texts. */
struct rtk_text rtk_reply_texts(const struct rtk_reply *reply);

/* Is it an error for more than its own id? */
bool rtk_reply_is_refusal(const struct rtk_reply *reply);

#endif
