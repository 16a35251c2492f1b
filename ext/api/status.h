/*
** The meaning of a response: from its HTTP status (or the failure) and the
** API's envelope to an outcome, a message and a kind.  All status codes are
** judged here.
**
**     401, {"success": false, "errors": [{"code": 1000, "message": "no"}]}
**     --> RTK_OUTCOME_CALLER, "token", "HTTP 401: no (code 1000); the API …"
*/
#ifndef RTK_STATUS_H
#define RTK_STATUS_H

#include "api/backoff.h"
#include "base/value.h"

#include <stdbool.h>
#include <stdint.h>

/* How deep an error_chain is followed, and how many errors are read in all. */
#define RTK_ERROR_CHAIN_MAX 8
#define RTK_ERRORS_MAX 16

struct rtk_endpoint;
struct rtk_json;
struct rtk_reply;
struct rtk_response;

/* The request, for the message.  All borrowed for the call. */
struct rtk_ask {
  const struct rtk_endpoint *endpoint;
  struct rtk_text id;       /* empty: there is none */
  int page;                 /* of a list, from 1; 0: it has none */
  const char *token;        /* never shown in the message */
  const char *token_source; /* in words: "from CLOUDFLARE_API_TOKEN" */
  const char *go_on_after;  /* the end of a wait over max_wait_ms; NULL: none */
  int64_t go_on_unix_ms;    /* the same time; 0: none */
  int tries;                /* this one included */
  bool is_local_too; /* a link may lead to this machine: base_url does so */
};

/* May a request with this response be sent again?  Looks at the status only. */
enum rtk_retry_kind rtk_status_retry(const struct rtk_response *response);

/* The meaning of a response.  Ends with rtk_verdict_deinit(). */
struct rtk_verdict {
  struct rtk_reply *reply;     /* given: rtk_reply_free(); NULL: a link */
  const char *link;            /* the request to be made now, in the document */
  struct rtk_json *document;   /* owned; NULL: the body is not JSON */
  const struct rtk_json *rows; /* of a reply with rows, in the document: an
                                  object or an array; NULL: none */
  bool is_api; /* the body has the form of the API's replies, good or bad; else
                  something other than the API answered */
};

/* Returns SQLITE_OK, or SQLITE_NOMEM with nothing to be freed. */
int rtk_status_judge(const struct rtk_ask *ask,
                     const struct rtk_response *response,
                     struct rtk_verdict *verdict);
void rtk_verdict_deinit(struct rtk_verdict *verdict);

#endif
