/*
** What came back for one request, before anybody has judged it: plain data
** between http.c, which fills it in, and status.c and retry.c, which read it.
*/
#ifndef RTK_RESPONSE_H
#define RTK_RESPONSE_H

#include "base/limits.h"

#include <stddef.h>
#include <stdint.h>

/* Why there is no whole reply. */
enum rtk_failure {
  RTK_FAILURE_NONE,
  RTK_FAILURE_RESOLVE,   /* the host's name has no address */
  RTK_FAILURE_CONNECT,   /* no connection, or it broke */
  RTK_FAILURE_PROXY,     /* the proxy did not let it through */
  RTK_FAILURE_TLS,       /* the handshake broke */
  RTK_FAILURE_TRUST,     /* the certificate is not trusted */
  RTK_FAILURE_CA_FILE,   /* the file of trusted certificates is unusable */
  RTK_FAILURE_TIMEOUT,   /* timeout_ms or connect_timeout_ms went by */
  RTK_FAILURE_TOO_LARGE, /* more than max_response_bytes */
  RTK_FAILURE_HEADER,    /* a header longer than libcurl takes */
  RTK_FAILURE_MEMORY,    /* libcurl's */
  RTK_FAILURE_FILES,     /* no file descriptor was left */
  RTK_FAILURE_REFUSED,   /* the server closed the connection, or refused the
                            stream, before it began to answer */
  RTK_FAILURE_OTHER,
  RTK_FAILURE_COUNT
};

struct rtk_response {
  enum rtk_failure failure;
  int status;         /* HTTP status; 0 when none came */
  const char *detail; /* of a failure, in words; "" when there is none */
  const char *body;   /* NULL when empty */
  size_t body_size;   /* bytes */
  int64_t took_ms;    /* from the start to the end, or the failure */
  char address[RTK_ADDRESS_MAX]; /* that was connected to, the server's or the
                                    proxy's; "" when there was none */
  /* Reply headers, cut at RTK_HEADER_MAX - 1 bytes; "" when not sent. */
  char content_type[RTK_HEADER_MAX];
  char cf_ray[RTK_HEADER_MAX];
  char date[RTK_HEADER_MAX];
  char location[RTK_HEADER_MAX];
  char should_retry[RTK_HEADER_MAX];
  char retry_after[RTK_HEADER_MAX];
  char retry_after_ms[RTK_HEADER_MAX];
  char x_ratelimit_limit[RTK_HEADER_MAX];
  char x_ratelimit_remaining[RTK_HEADER_MAX];
  char x_ratelimit_reset[RTK_HEADER_MAX];
  /* Lists: several headers of the name are joined by ", ".  One that was cut
  ** fills its room. */
  char ratelimit[RTK_HEADER_LIST_MAX];
  char ratelimit_policy[RTK_HEADER_LIST_MAX];
};

#endif
