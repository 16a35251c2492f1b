/*
** What one request came to: rows, nothing, or the reason for neither.  A
** reply is one block of memory and never changes once it is made.
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
  RTK_OUTCOME_FAILED, /* this id has no data */
  RTK_OUTCOME_DENIED, /* 403: nor has any other id of the account and app */
  RTK_OUTCOME_CALLER  /* nothing can be had: the statement ends */
};

struct rtk_reply {
  enum rtk_outcome outcome;
  int http_status; /* 0 when no reply came */
  size_t size;     /* bytes of memory that the reply takes */
  /* ROWS: row_count times as many values as the endpoint has columns, NULL
  ** for those that are not data. */
  int row_count;
  const struct rtk_value *values;
  struct rtk_text body;  /* ROWS; JSON */
  int64_t total_count;   /* ROWS: of the list that this is a page of; -1 */
  const char *error;     /* otherwise: what happened and what to do … */
  enum rtk_kind kind;    /* … and as one word */
  int64_t retry_unix_ms; /* the time to try again; 0: none is known */
};

/* Rows of an endpoint: an object, or an array of nothing but objects. */
struct rtk_reply_source {
  const struct rtk_json *rows;
  const char *text;     /* which `rows` was made of */
  struct rtk_text body; /* the same, without a byte order mark */
  int64_t total_count;
};

/* Both return SQLITE_OK with *reply given, to be freed with rtk_reply_free(),
** or SQLITE_NOMEM.  Texts are copied.  `draft` has outcome, http_status, error,
** kind and retry_unix_ms; it may be a reply that is to be copied. */
int rtk_reply_of_rows(const struct rtk_endpoint *endpoint, int http_status,
                      const struct rtk_reply_source *source,
                      struct rtk_reply **reply);
int rtk_reply_of_error(const struct rtk_reply *draft, struct rtk_reply **reply);

void rtk_reply_free(struct rtk_reply *reply);

/* Does it refuse more than its own id: the account and app, or everything? */
bool rtk_reply_is_refusal(const struct rtk_reply *reply);

#endif
