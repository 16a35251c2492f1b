/*
** What a response means: its HTTP status, or the failure instead of one, and
** the API's envelope into an outcome.  This is where a status is judged.
*/
#ifndef RTK_STATUS_H
#define RTK_STATUS_H

#include "api/retry.h"
#include "base/value.h"

#include <stdbool.h>
#include <stdint.h>

struct rtk_endpoint;
struct rtk_json;
struct rtk_reply;
struct rtk_response;

/* What was asked, for the message.  All borrowed for the call. */
struct rtk_ask {
  const struct rtk_endpoint *endpoint;
  struct rtk_text id;       /* as asked; empty when there is none */
  int page;                 /* of a list, from 1; 0: it has none */
  const char *token;        /* is kept out of the message */
  const char *token_source; /* in words: "from CLOUDFLARE_API_TOKEN" */
  const char *go_on_after;  /* the end of a wait not sat out; NULL: none */
  int64_t go_on_unix_ms;    /* the same time; 0: none */
  int tries;                /* made in all, this one included */
};

/* May a request with this response be made again?  Cheap: looks at the
** status only. */
enum rtk_retry_kind rtk_status_retry(const struct rtk_response *response);

/* What a response came to.  Ends with rtk_verdict_deinit(). */
struct rtk_verdict {
  struct rtk_reply *reply;     /* given: rtk_reply_free() */
  struct rtk_json *document;   /* owned; NULL: the body is not JSON */
  const struct rtk_json *rows; /* of a reply with rows, in the document: an
                                  object or an array; NULL: none */
  bool is_api; /* the body has the marks of the API's replies, good or bad;
                  without them somebody else has answered */
};

/* Returns SQLITE_OK, or SQLITE_NOMEM with nothing to be freed. */
int rtk_status_judge(const struct rtk_ask *ask,
                     const struct rtk_response *response,
                     struct rtk_verdict *verdict);
void rtk_verdict_deinit(struct rtk_verdict *verdict);

#endif
