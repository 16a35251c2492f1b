/*
** Many HTTP transfers at once on one thread.  The only module beside
** address.c that sees libcurl; it knows nothing of the API behind the URLs.
**
** One struct rtk_http belongs to one database connection and is used by one
** thread at a time, as the connection is.  It keeps its network connections,
** TLS sessions and DNS answers until it is freed.  After a fork() the child
** must not use it: a connection has one reader.
*/
#ifndef RTK_HTTP_H
#define RTK_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes kept of any reply header that rtk reads, and of a header that is a
** list: four quotas of some 100 bytes each. */
#define RTK_HEADER_MAX 128
#define RTK_HEADER_LIST_MAX 512

/* Bytes of an IP address as text: IPv6 with a zone. */
#define RTK_ADDRESS_MAX 64

struct rtk_err;
struct rtk_http;
struct rtk_transfer;

/* One GET.  Everything is borrowed for the call of rtk_http_start() only. */
struct rtk_request {
  const char *url;     /* https, or http to loopback */
  const char *token;   /* bearer token: visible ASCII; NULL: a link is followed,
                          and nothing says who asks */
  bool is_local_too;   /* without a token: private addresses are allowed */
  const char *ca_file; /* PEM; NULL: the system's */
  const char *ca_path; /* directory with more of them, by their hash; or NULL */
  const char *proxy;   /* URL; NULL: HTTPS_PROXY and NO_PROXY */
  int64_t timeout_ms;  /* more than 0, as is the next; both count only time
                          that is spent in rtk_http_poll() */
  int64_t connect_timeout_ms;
  int sends_max;     /* how often libcurl may send it: it repeats a request on a
                    broken connection; 1 or more */
  bool is_again;     /* the connection of the last try broke: use a new one */
  int64_t max_bytes; /* of the body, decompressed */
  void *owner;       /* handed back by rtk_transfer_owner() */
};

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

/* The reply headers that rtk reads, and the bytes kept of each. */
#define RTK_HEADERS(X)                                                         \
  X(content_type, "content-type", RTK_HEADER_MAX)                              \
  X(cf_ray, "cf-ray", RTK_HEADER_MAX)                                          \
  X(date, "date", RTK_HEADER_MAX)                                              \
  X(location, "location", RTK_HEADER_MAX)                                      \
  X(should_retry, "x-should-retry", RTK_HEADER_MAX)                            \
  X(retry_after, "retry-after", RTK_HEADER_MAX)                                \
  X(retry_after_ms, "retry-after-ms", RTK_HEADER_MAX)                          \
  X(x_ratelimit_limit, "x-ratelimit-limit", RTK_HEADER_MAX)                    \
  X(x_ratelimit_remaining, "x-ratelimit-remaining", RTK_HEADER_MAX)            \
  X(x_ratelimit_reset, "x-ratelimit-reset", RTK_HEADER_MAX)                    \
  X(ratelimit, "ratelimit", RTK_HEADER_LIST_MAX)                               \
  X(ratelimit_policy, "ratelimit-policy", RTK_HEADER_LIST_MAX)

struct rtk_response {
  enum rtk_failure failure;
  bool is_of_link;    /* the request had no token, and this is not the API */
  int status;         /* HTTP status; 0 when none came */
  const char *detail; /* the failure in words; "" when there is none */
  const char *body;   /* NULL when empty */
  size_t body_size;   /* bytes */
  int64_t took_ms;    /* from the start to the end, or the failure */
  char address[RTK_ADDRESS_MAX]; /* of the server or the proxy; "": there was no
                                    connection */
  /* Of each header its value, cut; "" when not sent.  Values of a list are
  ** joined by ", ", and a list that was cut fills its room. */
#define RTK_HEADER_FIELD(field, name, room) char field[room];
  RTK_HEADERS(RTK_HEADER_FIELD)
#undef RTK_HEADER_FIELD
};

/* Returns SQLITE_OK with *http given, SQLITE_NOMEM, or SQLITE_ERROR when
** libcurl does not start. */
int rtk_http_new(struct rtk_http **http, struct rtk_err *err);

/* Cancels transfers in flight.  NULL is allowed. */
void rtk_http_free(struct rtk_http *http);

/* Was it made before a fork(), by the parent?  Then nothing can be sent, and
** freeing it leaves the parent's connections as they are. */
bool rtk_http_is_foreign(const struct rtk_http *http);

/* The same as an error: SQLITE_OK, SQLITE_ERROR or SQLITE_NOMEM. */
int rtk_http_check_process(const struct rtk_http *http, struct rtk_err *err);

/* Begins a transfer; it moves on in rtk_http_poll().  *transfer is freed by
** rtk_http_end() and must not outlive `http`. */
int rtk_http_start(struct rtk_http *http, const struct rtk_request *request,
                   struct rtk_transfer **transfer, struct rtk_err *err);

/* The most transfers at a time: more would wait inside libcurl while their
** time-outs run.  Before the first reply by HTTP/2, the limit of HTTP/1.1. */
int rtk_http_width(const struct rtk_http *http);

/* Moves all transfers on, waiting at most `wait_ms` (0: not at all) for
** something to happen.  Returns SQLITE_OK, SQLITE_NOMEM or SQLITE_ERROR. */
int rtk_http_poll(struct rtk_http *http, int wait_ms, struct rtk_err *err);

/* The next transfer that has ended, in the order of their ends; NULL: none.
** Each is returned once. */
struct rtk_transfer *rtk_http_next_done(struct rtk_http *http);

/* How often the request has gone over the wire: 0 when there was no connection
** for it, and more than once when libcurl has repeated it on a broken one. */
int rtk_transfer_sent(const struct rtk_transfer *transfer);

void *rtk_transfer_owner(const struct rtk_transfer *transfer);

/* Of a transfer that rtk_http_next_done() returned: borrowed until
** rtk_http_end(). */
const struct rtk_response *rtk_transfer_response(
    const struct rtk_transfer *transfer);

/* Did memory run out while it was received? */
bool rtk_transfer_is_nomem(const struct rtk_transfer *transfer);

/* Frees a transfer; cancels it when it is in flight. */
void rtk_http_end(struct rtk_http *http, struct rtk_transfer *transfer);

/* An HTTP date as milliseconds since 1970; false when it is none. */
bool rtk_http_parse_date(const char *text, int64_t *unix_ms);

/* Writes "libcurl 7.88.1 (OpenSSL/3.0.17, nghttp2/1.52.0)", at most `size`
** bytes. */
void rtk_http_version(char *text, int size);

#endif
