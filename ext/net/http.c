/*
** Many HTTP transfers at once on one thread, by libcurl's multi interface.
**
** Every option relied on is set in configure(), whatever libcurl's default.
** Limits: RTK_CONNECTIONS_MAX connections, max_bytes for a body,
** RTK_HEADER_MAX for a header, and the time-outs.
**
** Time-outs are kept here, in a clock that runs only in rtk_http_poll().
** libcurl's own count wall time: a program that takes a minute between two rows
** would find all its requests timed out, their replies unread in the sockets.
**
** A pool is one multi handle with its connections.  The first is in use.  After a
** time-out or a broken connection it is retired: its transfers go on to their
** end, and new ones get a new pool.  Over HTTP/2 libcurl would go on using a
** connection that has gone silent, for ever.
*/
#include "net/http.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

#define USER_AGENT "rtk/" RTK_VERSION " (SQLite extension)"
#define HTTPS_ONLY_WORDS "https, or http to localhost"

/* From this libcurl on a transfer whose name is being resolved can be let go
** without waiting for the resolver. */
#define CURL_QUICK_EXIT_SINCE 0x075700
#define CURL_PROTOCOLS_STR_SINCE 0x075500
#define CURL_PREREQ_SINCE 0x075000

struct pool {
  struct pool *next; /* an older one */
  CURLM *multi;
  int transfers; /* that are in `multi` */
};

struct rtk_transfer {
  struct rtk_transfer *next;      /* in `done` or `adrift` of struct rtk_http */
  struct rtk_transfer *active[2]; /* before and behind it among the active */
  struct pool *pool;              /* NULL: in none any more */
  CURL *easy;
  void *owner;
  char *body; /* sqlite3_malloc() */
  size_t body_size;
  size_t body_room;
  int64_t max_bytes;
  int64_t timeout_ms;
  int64_t connect_timeout_ms;
  int64_t begun_ms; /* by http->clock_ms */
  int sends_max, sent;
  int socket; /* the last one that was opened for it; -1: none */
  CURLcode result;
  bool is_counted; /* libcurl tells how often it was sent */
  bool is_done;    /* its end is in `done`, or was told */
  bool is_too_large;
  bool is_nomem;
  bool is_out_of_files;
  bool is_https;
  bool may_have_proxy;
  bool has_status;      /* a status line has come */
  bool is_header_whole; /* and the empty line that ends the headers */
  struct rtk_response response;
  char detail[CURL_ERROR_SIZE];
};

struct rtk_http {
  struct pool *pools;          /* the first is in use, the rest are retired */
  struct rtk_transfer *active; /* begun, not done */
  struct rtk_transfer *done;   /* ended, not yet named; oldest first */
  struct rtk_transfer **done_end; /* where the next one is linked in */
  struct rtk_transfer *adrift;    /* cancelled, the resolver still has them */
  int64_t clock_ms;               /* the time spent in rtk_http_poll() */
  bool is_http2;                  /* the last reply came by it */
  pid_t pid;                      /* of the process that made it */
  bool has_quick_exit; /* libcurl ends a transfer without waiting for its
                                     resolver */
};

/* --- SIGPIPE -------------------------------------------------------------
** With CURLOPT_NOSIGNAL libcurl leaves signals alone, and a TLS library may
** then raise SIGPIPE on a broken connection.  It is held back for this thread
** around libcurl's work, and one that we caused is taken off. */

struct sigpipe {
  sigset_t before;
  bool was_pending;
};

static void sigpipe_begin(struct sigpipe *state) {
  sigset_t pending;
  sigset_t only;
  sigemptyset(&pending);
  sigemptyset(&only);
  sigaddset(&only, SIGPIPE);
  (void)sigpending(&pending);
  state->was_pending = sigismember(&pending, SIGPIPE) == 1;
  (void)pthread_sigmask(SIG_BLOCK, &only, &state->before);
}

static void sigpipe_end(const struct sigpipe *state) {
  sigset_t pending;
  sigset_t only;
  int number = 0;
  sigemptyset(&pending);
  sigemptyset(&only);
  sigaddset(&only, SIGPIPE);
  (void)sigpending(&pending);
  if (!state->was_pending && sigismember(&pending, SIGPIPE) == 1) {
    (void)sigwait(&only, &number);
  }
  (void)pthread_sigmask(SIG_SETMASK, &state->before, NULL);
}

/* --- start and end -------------------------------------------------------- */

static pthread_mutex_t curl_lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_curl_started;

/* Once in the process, and never undone: other users of libcurl may be at
** work. */
static CURLcode start_curl(void) {
  CURLcode rc = CURLE_OK;
  (void)pthread_mutex_lock(&curl_lock);
  if (!is_curl_started) rc = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (rc == CURLE_OK) is_curl_started = true;
  (void)pthread_mutex_unlock(&curl_lock);
  return rc;
}

/* --- pools ---------------------------------------------------------------- */

static void set_connections(const struct pool *pool, bool is_http2) {
  (void)curl_multi_setopt(pool->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                          is_http2 ? (long)RTK_HTTP2_CONNECTIONS_MAX
                                   : (long)RTK_CONNECTIONS_MAX);
}

/* Puts a new pool in front; false: no memory. */
static bool add_pool(struct rtk_http *http) {
  struct pool *pool = sqlite3_malloc64(sizeof(*pool));
  if (pool == NULL) return false;
  *pool = (struct pool){.next = http->pools, .multi = curl_multi_init()};
  if (pool->multi == NULL) {
    sqlite3_free(pool);
    return false;
  }
  (void)curl_multi_setopt(pool->multi, CURLMOPT_PIPELINING,
                          (long)CURLPIPE_MULTIPLEX);
  (void)curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS,
                          (long)RTK_CONNECTIONS_MAX);
  (void)curl_multi_setopt(pool->multi, CURLMOPT_MAX_CONCURRENT_STREAMS,
                          (long)RTK_STREAMS_MAX);
  set_connections(pool, http->is_http2);
  http->pools = pool;
  return true;
}

/* Frees the retired pools that have no transfers left. */
static void drop_pools(struct rtk_http *http) {
  struct pool **link = &http->pools->next;
  while (*link != NULL) {
    struct pool *pool = *link;
    if (pool->transfers > 0) {
      link = &pool->next;
      continue;
    }
    *link = pool->next;
    (void)curl_multi_cleanup(pool->multi);
    sqlite3_free(pool);
  }
}

/* Takes a transfer out of its pool, which libcurl then has closed or kept the
** connection of. */
static void detach(struct rtk_transfer *t) {
  if (t->pool == NULL) return;
  (void)curl_multi_remove_handle(t->pool->multi, t->easy);
  t->pool->transfers--;
  t->pool = NULL;
}

bool rtk_http_is_foreign(const struct rtk_http *http) {
  return http->pid != getpid();
}

static bool has_quick_exit(void) {
  return LIBCURL_VERSION_NUM >= CURL_QUICK_EXIT_SINCE &&
         curl_version_info(CURLVERSION_NOW)->version_num >=
             CURL_QUICK_EXIT_SINCE;
}

int rtk_http_new(struct rtk_http **http, struct rtk_err *err) {
  CURLcode started = start_curl();
  if (started == CURLE_OUT_OF_MEMORY) return SQLITE_NOMEM;
  if (started != CURLE_OK) {
    return rtk_err_set(err, "libcurl does not start: %s",
                       curl_easy_strerror(started));
  }
  struct rtk_http *made = sqlite3_malloc64(sizeof(*made));
  if (made == NULL) return SQLITE_NOMEM;
  memset(made, 0, sizeof(*made));
  made->done_end = &made->done;
  made->pid = getpid();
  made->has_quick_exit = has_quick_exit();
  if (!add_pool(made)) {
    sqlite3_free(made);
    return SQLITE_NOMEM;
  }
  *http = made;
  return SQLITE_OK;
}

/* In a forked child libcurl's part stays as it is: closing a connection would
** write to the parent's socket. */
static void free_transfer(const struct rtk_http *http,
                          struct rtk_transfer *transfer) {
  if (!rtk_http_is_foreign(http)) {
    detach(transfer);
    curl_easy_cleanup(transfer->easy);
  }
  sqlite3_free(transfer->body);
  sqlite3_free(transfer);
}

static void free_list(const struct rtk_http *http, struct rtk_transfer *list) {
  while (list != NULL) {
    struct rtk_transfer *next = list->next;
    free_transfer(http, list);
    list = next;
  }
}

void rtk_http_free(struct rtk_http *http) {
  if (http == NULL) return;
  struct sigpipe sigpipe;
  sigpipe_begin(&sigpipe);
  free_list(http, http->done);
  free_list(http, http->adrift);
  while (http->pools != NULL) {
    struct pool *pool = http->pools;
    http->pools = pool->next;
    if (!rtk_http_is_foreign(http)) (void)curl_multi_cleanup(pool->multi);
    sqlite3_free(pool);
  }
  sigpipe_end(&sigpipe);
  sqlite3_free(http);
}

/* --- receiving ------------------------------------------------------------ */

static size_t on_body(char *bytes, size_t one, size_t size, void *user) {
  struct rtk_transfer *t = user;
  (void)one; /* always 1 */
  if (t->body_size + size > (size_t)t->max_bytes) {
    t->is_too_large = true;
    return 0;
  }
  if (t->body_size + size > t->body_room) {
    size_t room = t->body_room == 0 ? 1024 : t->body_room;
    while (room < t->body_size + size) room *= 2;
    char *body = sqlite3_realloc64(t->body, room);
    if (body == NULL) {
      t->is_nomem = true;
      return 0;
    }
    t->body = body;
    t->body_room = room;
  }
  memcpy(t->body + t->body_size, bytes, size);
  t->body_size += size;
  return size;
}

/* The headers that rtk reads, and where they are kept. */
static const struct {
  const char *name;
  size_t offset;
  size_t room; /* bytes, the 0 at the end included */
  bool is_list;
} kept_headers[] = {
#define KEPT(name, field, is_list)                                             \
  {                                                                            \
    name, offsetof(struct rtk_response, field),                                \
        sizeof(((struct rtk_response *)NULL)->field), is_list                  \
  }
    KEPT("content-type", content_type, false),
    KEPT("cf-ray", cf_ray, false),
    KEPT("date", date, false),
    KEPT("location", location, false),
    KEPT("x-should-retry", should_retry, false),
    KEPT("retry-after", retry_after, false),
    KEPT("retry-after-ms", retry_after_ms, false),
    KEPT("x-ratelimit-limit", x_ratelimit_limit, false),
    KEPT("x-ratelimit-remaining", x_ratelimit_remaining, false),
    KEPT("x-ratelimit-reset", x_ratelimit_reset, false),
    KEPT("ratelimit", ratelimit, true),
    KEPT("ratelimit-policy", ratelimit_policy, true),
#undef KEPT
};

static size_t append_cut(char *kept, size_t room, size_t at, const char *text,
                         size_t size) {
  if (size > room - 1 - at) size = room - 1 - at;
  memcpy(kept + at, text, size);
  kept[at + size] = '\0';
  return at + size;
}

static void keep_header(char *kept, size_t room, bool is_list,
                        const char *value, size_t size) {
  while (size > 0 && (*value == ' ' || *value == '\t')) value++, size--;
  while (size > 0 && strchr(" \t\r\n", value[size - 1]) != NULL) size--;
  size_t at = is_list ? strlen(kept) : 0;
  if (at > 0 && size > 0) at = append_cut(kept, room, at, ", ", 2);
  (void)append_cut(kept, room, at, value, size);
}

/* A status line begins another reply (after 100, or a proxy's CONNECT): what
** was kept of the one before is forgotten. */
static size_t on_header(char *bytes, size_t one, size_t size, void *user) {
  struct rtk_transfer *t = user;
  (void)one;
  if (size >= 5 && memcmp(bytes, "HTTP/", 5) == 0) {
    memset(&t->response, 0, sizeof(t->response));
    t->has_status = true;
    t->is_header_whole = false;
    return size;
  }
  if (bytes[0] == '\r' || bytes[0] == '\n') t->is_header_whole = true;
  const char *colon = memchr(bytes, ':', size);
  if (colon == NULL) return size;
  size_t name_size = (size_t)(colon - bytes);
  for (size_t i = 0; i < sizeof(kept_headers) / sizeof(*kept_headers); i++) {
    const char *name = kept_headers[i].name;
    if (strlen(name) == name_size && strncasecmp(name, bytes, name_size) == 0) {
      keep_header((char *)&t->response + kept_headers[i].offset,
                  kept_headers[i].room, kept_headers[i].is_list, colon + 1,
                  size - name_size - 1);
    }
  }
  return size;
}

/* --- sending -------------------------------------------------------------- */

/* The socket is kept in mind to tell how far a transfer came. */
static curl_socket_t on_socket(void *user, curlsocktype purpose,
                               struct curl_sockaddr *address) {
  struct rtk_transfer *t = user;
  (void)purpose;
  t->socket = socket(address->family, address->socktype, address->protocol);
  if (t->socket < 0) {
    t->is_out_of_files = errno == EMFILE || errno == ENFILE;
    return CURL_SOCKET_BAD;
  }
  (void)fcntl(t->socket, F_SETFD, FD_CLOEXEC);
  return t->socket;
}

#if LIBCURL_VERSION_NUM >= CURL_PREREQ_SINCE
/* Called each time the request is about to go over the wire, for libcurl's own
** repeats too: on a kept connection that the server has closed, and over HTTP/2
** after REFUSED_STREAM and GOAWAY. */
static int on_request(void *user, char *to, char *from, int to_port,
                      int from_port) {
  struct rtk_transfer *t = user;
  (void)to;
  (void)from;
  (void)to_port;
  (void)from_port;
  if (t->sent == t->sends_max) return CURL_PREREQFUNC_ABORT;
  t->sent++;
  return CURL_PREREQFUNC_OK;
}
#endif

static bool is_plain_http(const char *url) {
  return strncasecmp(url, "http:", 5) == 0;
}

/* The first failure counts; the rest is then passed over. */
#define SET(option, value)                                                     \
  if (rc == CURLE_OK) rc = curl_easy_setopt(easy, option, value)

static CURLcode set_protocols(CURL *easy, const char *url) {
  CURLcode rc = CURLE_OK;
  bool is_plain = is_plain_http(url);
#if LIBCURL_VERSION_NUM >= CURL_PROTOCOLS_STR_SINCE
  rc = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR,
                        is_plain ? "http" : "https");
  if (rc != CURLE_UNKNOWN_OPTION) return rc;
  rc = CURLE_OK;
#endif
  /* 181 is CURLOPT_PROTOCOLS, deprecated since 7.85 but always there. */
  SET((CURLoption)(CURLOPTTYPE_LONG + 181),
      is_plain ? (long)CURLPROTO_HTTP : (long)CURLPROTO_HTTPS);
  return rc;
}

static CURLcode set_security(CURL *easy, const struct rtk_request *request) {
  CURLcode rc = set_protocols(easy, request->url);
  SET(CURLOPT_FOLLOWLOCATION, 0L); /* a token goes to one host only */
  SET(CURLOPT_SSL_VERIFYPEER, 1L);
  SET(CURLOPT_SSL_VERIFYHOST, 2L);
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  if (request->ca_file != NULL) SET(CURLOPT_CAINFO, request->ca_file);
  if (request->ca_path != NULL) SET(CURLOPT_CAPATH, request->ca_path);
  SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
  SET(CURLOPT_XOAUTH2_BEARER, request->token);
  SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  /* Plain http is for loopback: a proxy would see the token. */
  if (is_plain_http(request->url)) {
    SET(CURLOPT_PROXY, "");
  } else if (request->proxy != NULL) {
    SET(CURLOPT_PROXY, request->proxy);
  }
  return rc;
}

static CURLcode configure(struct rtk_transfer *t,
                          const struct rtk_request *request, bool is_http2) {
  CURL *easy = t->easy;
  CURLcode rc = set_security(easy, request);
  SET(CURLOPT_URL, request->url);
  SET(CURLOPT_HTTPGET, 1L);
  SET(CURLOPT_USERAGENT, USER_AGENT);
  SET(CURLOPT_ACCEPT_ENCODING, "");
  SET(CURLOPT_PATH_AS_IS, 1L);
  SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  /* Over plain http this would wait for the first reply, not connection. */
  SET(CURLOPT_PIPEWAIT, is_plain_http(request->url) ? 0L : 1L);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_NOPROGRESS, 1L);
  SET(CURLOPT_TCP_KEEPALIVE, 1L);
  /* Wall time, and so no more than a backstop: see end_late(). */
  SET(CURLOPT_TIMEOUT_MS, (long)RTK_WAIT_MAX_MS);
  SET(CURLOPT_CONNECTTIMEOUT_MS, (long)RTK_WAIT_MAX_MS);
  /* Over HTTP/2 a new pool has done it. */
  SET(CURLOPT_FRESH_CONNECT, request->is_again && !is_http2 ? 1L : 0L);
  SET(CURLOPT_OPENSOCKETFUNCTION, on_socket);
  SET(CURLOPT_OPENSOCKETDATA, t);
  SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->max_bytes);
  SET(CURLOPT_WRITEFUNCTION, on_body);
  SET(CURLOPT_WRITEDATA, t);
  SET(CURLOPT_HEADERFUNCTION, on_header);
  SET(CURLOPT_HEADERDATA, t);
  SET(CURLOPT_ERRORBUFFER, t->detail);
  SET(CURLOPT_PRIVATE, t);
#if LIBCURL_VERSION_NUM >= CURL_PREREQ_SINCE
  if (rc == CURLE_OK) {
    t->is_counted =
        curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request) == CURLE_OK;
    (void)curl_easy_setopt(easy, CURLOPT_PREREQDATA, t);
  }
#endif
#if LIBCURL_VERSION_NUM >= CURL_QUICK_EXIT_SINCE
  /* Before 7.87 there is no such option, and nothing is lost. */
  if (rc == CURLE_OK) (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
  return rc;
}

/* Will libcurl find a proxy in the environment, as far as we know? */
static bool has_proxy(const struct rtk_request *request) {
  static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy",
                                      "ALL_PROXY"};
  if (is_plain_http(request->url)) return false;
  if (request->proxy != NULL) return true;
  for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
    if (getenv(names[i]) != NULL) return true;
  }
  return false;
}

/* A new easy handle for each transfer: after curl_easy_reset() without memory
** libcurl 7.88 receives into a buffer of one byte. */
static struct rtk_transfer *new_transfer(const struct rtk_http *http,
                                         const struct rtk_request *request) {
  struct rtk_transfer *t = sqlite3_malloc64(sizeof(*t));
  if (t == NULL) return NULL;
  memset(t, 0, sizeof(*t));
  t->easy = curl_easy_init();
  if (t->easy == NULL) {
    sqlite3_free(t);
    return NULL;
  }
  t->owner = request->owner;
  t->max_bytes = request->max_bytes;
  t->timeout_ms = request->timeout_ms;
  t->connect_timeout_ms = request->connect_timeout_ms;
  t->begun_ms = http->clock_ms;
  /* Over HTTP/2 a server that says GOAWAY refuses many at a time, which libcurl
  ** would send again all at once, and again: the caller has to ask for less. */
  t->sends_max = http->is_http2 ? 1 : request->sends_max;
  t->socket = -1;
  t->is_https = !is_plain_http(request->url);
  t->may_have_proxy = has_proxy(request);
  return t;
}

/* Over HTTP/2 one connection carries everything; the second is for the time
** when a server lets go of the first one.  Over HTTP/1.1 each transfer needs a
** connection of its own. */
static void set_http2(struct rtk_http *http, bool is_http2) {
  if (http->is_http2 == is_http2) return;
  http->is_http2 = is_http2;
  set_connections(http->pools, is_http2);
}

int rtk_http_width(const struct rtk_http *http) {
  return http->is_http2 ? RTK_STREAMS_MAX : RTK_CONNECTIONS_MAX;
}

int rtk_http_check_process(const struct rtk_http *http, struct rtk_err *err) {
  if (!rtk_http_is_foreign(http)) return SQLITE_OK;
  return rtk_err_set(err,
                     "this connection was opened before a fork(): the child"
                     " process has to open one of its own");
}

static void link_active(struct rtk_http *http, struct rtk_transfer *t) {
  t->active[1] = http->active;
  if (http->active != NULL) http->active->active[0] = t;
  http->active = t;
}

static void unlink_active(struct rtk_http *http, struct rtk_transfer *t) {
  struct rtk_transfer *before = t->active[0];
  struct rtk_transfer *behind = t->active[1];
  *(before == NULL ? &http->active : &before->active[1]) = behind;
  if (behind != NULL) behind->active[0] = before;
}

int rtk_http_start(struct rtk_http *http, const struct rtk_request *request,
                   struct rtk_transfer **transfer, struct rtk_err *err) {
  int checked = rtk_http_check_process(http, err);
  if (checked != SQLITE_OK) return checked;
  struct rtk_transfer *t = new_transfer(http, request);
  if (t == NULL) return SQLITE_NOMEM;
  CURLcode rc = configure(t, request, http->is_http2);
  if (rc != CURLE_OK) {
    free_transfer(http, t);
    if (rc == CURLE_OUT_OF_MEMORY) return SQLITE_NOMEM;
    return rtk_err_set(err, "libcurl refuses a setting: %s",
                       curl_easy_strerror(rc));
  }
  if (is_plain_http(request->url)) set_http2(http, false);
  CURLMcode added = curl_multi_add_handle(http->pools->multi, t->easy);
  if (added != CURLM_OK) {
    free_transfer(http, t);
    if (added == CURLM_OUT_OF_MEMORY) return SQLITE_NOMEM;
    return rtk_err_set(err, "libcurl: %s", curl_multi_strerror(added));
  }
  t->pool = http->pools;
  t->pool->transfers++;
  link_active(http, t);
  *transfer = t;
  return SQLITE_OK;
}

/* --- how it ended --------------------------------------------------------- */

static const struct failure {
  CURLcode result;
  enum rtk_failure failure;
  const char *words; /* NULL: libcurl's own say more */
} failures[] = {
    {CURLE_OK, RTK_FAILURE_NONE, ""},
    {CURLE_COULDNT_RESOLVE_HOST, RTK_FAILURE_RESOLVE,
     "the host's name has no address"},
    {CURLE_COULDNT_CONNECT, RTK_FAILURE_CONNECT, NULL},
    {CURLE_SEND_ERROR, RTK_FAILURE_CONNECT, "the connection broke"},
    {CURLE_RECV_ERROR, RTK_FAILURE_CONNECT, "the connection broke"},
    {CURLE_GOT_NOTHING, RTK_FAILURE_CONNECT,
     "the connection ended without a reply"},
    {CURLE_PARTIAL_FILE, RTK_FAILURE_CONNECT,
     "the connection ended within the reply"},
    {CURLE_HTTP2, RTK_FAILURE_CONNECT, NULL},
    {CURLE_HTTP2_STREAM, RTK_FAILURE_CONNECT, NULL},
    {CURLE_OPERATION_TIMEDOUT, RTK_FAILURE_TIMEOUT, NULL},
    {CURLE_COULDNT_RESOLVE_PROXY, RTK_FAILURE_PROXY,
     "the proxy's name has no address"},
    {CURLE_SSL_CONNECT_ERROR, RTK_FAILURE_TLS, NULL},
    {CURLE_PEER_FAILED_VERIFICATION, RTK_FAILURE_TRUST, NULL},
    {CURLE_SSL_CACERT_BADFILE, RTK_FAILURE_CA_FILE, NULL},
    {CURLE_FILESIZE_EXCEEDED, RTK_FAILURE_TOO_LARGE, NULL},
    {CURLE_OUT_OF_MEMORY, RTK_FAILURE_MEMORY, "libcurl ran out of memory"},
    {CURLE_ABORTED_BY_CALLBACK, RTK_FAILURE_REFUSED,
     "the server closed the connection or refused the request"},
#if LIBCURL_VERSION_NUM >= 0x074900
    {CURLE_PROXY, RTK_FAILURE_PROXY, NULL},
#endif
};

/* What a proxy answered to CONNECT instead of letting it through.  libcurl's
** code for it is that of a broken connection. */
static const char *proxy_refusal(CURL *easy) {
  long status = 0;
  (void)curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
  if (status < 300) return NULL;
  return status == 407 ? "the proxy wants a name and a password (HTTP 407)"
                       : "the proxy does not let it through";
}

/* libcurl has a buffer of 100 kB for one header and calls it out of memory, or
** too large, or a broken connection, when that is full. */
static bool is_header_too_long(const struct rtk_transfer *t) {
  if (t->is_nomem || !t->has_status || t->is_header_whole) return false;
  return t->result == CURLE_OUT_OF_MEMORY || (int)t->result == 100 ||
         strstr(t->detail, "Too large response header") != NULL;
}

/* The first that fits holds. */
static struct failure failure_of(const struct rtk_transfer *t) {
  const char *refusal = t->result == CURLE_OK ? NULL : proxy_refusal(t->easy);
  if (t->is_too_large) {
    return (struct failure){t->result, RTK_FAILURE_TOO_LARGE, NULL};
  }
  if (refusal != NULL) {
    return (struct failure){t->result, RTK_FAILURE_PROXY, refusal};
  }
  if (is_header_too_long(t)) {
    return (struct failure){t->result, RTK_FAILURE_HEADER,
                            "a header of the reply is longer than libcurl takes"
                            " (100 kB), or libcurl ran out of memory"};
  }
  if (t->result != CURLE_OK && t->is_out_of_files) {
    return (struct failure){t->result, RTK_FAILURE_FILES,
                            "the process has reached its limit of open files"};
  }
  if (t->result == CURLE_OK && !t->is_header_whole) {
    return (struct failure){t->result, RTK_FAILURE_CONNECT,
                            "the connection ended within the reply's header"};
  }
  for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
    if (failures[i].result == t->result) return failures[i];
  }
  return (struct failure){t->result, RTK_FAILURE_OTHER, NULL};
}

static curl_off_t time_us(CURL *easy, CURLINFO info) {
  curl_off_t us = 0;
  (void)curl_easy_getinfo(easy, info, &us);
  return us;
}

static bool is_connected(const struct rtk_transfer *t) {
  return time_us(t->easy, CURLINFO_PRETRANSFER_TIME_T) > 0;
}

/* Does the transfer's socket have a peer?  libcurl's time of the connection is
** that of the whole way, TLS and the proxy included. */
static bool has_peer(const struct rtk_transfer *t) {
  struct sockaddr_storage peer;
  socklen_t size = sizeof(peer);
  return t->socket >= 0 &&
         getpeername(t->socket, (struct sockaddr *)&peer, &size) == 0;
}

/* How far a transfer came before its time was up: that is what tells a wrong
** address from a slow server. */
static const char *phase_of(const struct rtk_transfer *t) {
  long connect_code = 0;
  if (is_connected(t)) {
    return time_us(t->easy, CURLINFO_STARTTRANSFER_TIME_T) > 0
               ? "the reply to end"
               : "a reply";
  }
  if (time_us(t->easy, CURLINFO_NAMELOOKUP_TIME_T) == 0) {
    return "the name to be resolved";
  }
  (void)curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &connect_code);
  if (!has_peer(t) || !t->is_https) return "the connection";
  return t->may_have_proxy && connect_code == 0
             ? "the proxy, or the TLS handshake"
             : "the TLS handshake";
}

static void describe_timeout(struct rtk_transfer *t) {
  bool is_connecting =
      !is_connected(t) && t->connect_timeout_ms < t->timeout_ms;
  sqlite3_snprintf((int)sizeof(t->detail), t->detail,
                   "waited for %s, %s = %lld ms went by", phase_of(t),
                   is_connecting ? "connect_timeout_ms" : "timeout_ms",
                   is_connecting ? t->connect_timeout_ms : t->timeout_ms);
}

/* Which host refused: libcurl's message has it, and a time. */
static void describe_refusal(struct rtk_transfer *t) {
  static const char format[] = "Failed to connect to %127s port %d";
  char host[128] = "";
  int port = 0;
  long number = 0;
  (void)curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &number);
  bool is_named = sscanf(t->detail, format, host, &port) == 2;
  const char *why = number == ECONNREFUSED ? "it refused the connection"
                    : number != 0          ? strerror((int)number)
                                           : "it does not answer";
  if (is_named) {
    sqlite3_snprintf((int)sizeof(t->detail), t->detail, "%s port %d: %s", host,
                     port, why);
  } else {
    sqlite3_snprintf((int)sizeof(t->detail), t->detail, "the host: %s", why);
  }
}

static void describe(struct rtk_transfer *t) {
  struct rtk_response *r = &t->response;
  struct failure failure = failure_of(t);
  int room = (int)sizeof(t->detail);
  long status = 0;
  char *address = NULL; /* borrowed from libcurl */
  (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
  (void)curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_IP, &address);
  sqlite3_snprintf((int)sizeof(r->address), r->address, "%s",
                   address == NULL ? "" : address);
  r->took_ms = time_us(t->easy, CURLINFO_TOTAL_TIME_T) / 1000;
  r->status = (int)status;
  r->failure = failure.failure;
  r->body = t->body;
  r->body_size = t->body_size;
  r->detail = t->detail;
  if (failure.words != NULL) {
    sqlite3_snprintf(room, t->detail, "%s", failure.words);
  } else if (r->failure == RTK_FAILURE_TIMEOUT) {
    describe_timeout(t);
  } else if (t->result == CURLE_COULDNT_CONNECT) {
    describe_refusal(t);
  } else if (r->failure == RTK_FAILURE_TOO_LARGE) {
    sqlite3_snprintf(room, t->detail,
                     "the reply is larger than max_response_bytes = %lld",
                     t->max_bytes);
  } else if (t->detail[0] == '\0') {
    sqlite3_snprintf(room, t->detail, "%s", curl_easy_strerror(t->result));
  }
}

static void note_version(struct rtk_http *http, CURL *easy) {
  long version = 0;
  (void)curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
  set_http2(http, version >= CURL_HTTP_VERSION_2_0);
}

/* Is what ended this transfer a sign that its pool's other connections may be as
** bad?  Over HTTP/1.1 libcurl has closed the one that broke. */
static bool is_suspect(const struct rtk_http *http,
                       const struct rtk_transfer *t) {
  switch (t->response.failure) {
  case RTK_FAILURE_TIMEOUT:
  case RTK_FAILURE_MEMORY:
    return true;
  case RTK_FAILURE_CONNECT:
    return http->is_http2 && t->result != CURLE_COULDNT_CONNECT &&
           t->result != CURLE_HTTP2_STREAM;
  default:
    return t->is_nomem;
  }
}

/* The end of a transfer, for rtk_http_next_done(). */
static void finish(struct rtk_http *http, struct rtk_transfer *t,
                   CURLcode result) {
  t->is_done = true;
  t->result = result;
  unlink_active(http, t);
  if (result == CURLE_OK) note_version(http, t->easy);
  describe(t);
  if (is_suspect(http, t) && t->pool == http->pools) (void)add_pool(http);
  t->next = NULL;
  *http->done_end = t;
  http->done_end = &t->next;
}

static void collect_done(struct rtk_http *http, const struct pool *pool) {
  int left = 0;
  CURLMsg *message = NULL;
  while ((message = curl_multi_info_read(pool->multi, &left)) != NULL) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL *easy = message->easy_handle; /* copied: removing frees the message */
    CURLcode result = message->data.result;
    char *private = NULL;
    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
    struct rtk_transfer *t = (struct rtk_transfer *)(void *)private;
    if (!t->is_done) finish(http, t, result); /* while it is in its pool */
    detach(t);
  }
}

/* Is the resolver's thread still at this transfer? */
static bool is_resolving(const struct rtk_transfer *t) {
  return t->pool != NULL && time_us(t->easy, CURLINFO_NAMELOOKUP_TIME_T) == 0;
}

/* Can it be taken out of its pool without waiting for the resolver? */
static bool is_removable(const struct rtk_http *http,
                         const struct rtk_transfer *t) {
  return http->has_quick_exit || !is_resolving(t);
}

/* Cancelled transfers that the resolver has let go of. */
static void release_adrift(struct rtk_http *http) {
  struct rtk_transfer **link = &http->adrift;
  while (*link != NULL) {
    struct rtk_transfer *t = *link;
    if (!is_removable(http, t)) {
      link = &t->next;
      continue;
    }
    *link = t->next;
    free_transfer(http, t);
  }
}

/* Ends the transfers whose time is up. */
static void end_late(struct rtk_http *http) {
  struct rtk_transfer *behind = NULL;
  for (struct rtk_transfer *t = http->active; t != NULL; t = behind) {
    int64_t age_ms = http->clock_ms - t->begun_ms;
    behind = t->active[1];
    bool is_late = age_ms >= t->timeout_ms ||
                   (age_ms >= t->connect_timeout_ms && !is_connected(t));
    if (!is_late) continue;
    finish(http, t, CURLE_OPERATION_TIMEDOUT);
    if (is_removable(http, t))
      detach(t); /* else rtk_http_end() sets it adrift */
  }
}

static CURLMcode perform(struct rtk_http *http, int wait_ms) {
  int running = 0;
  CURLMcode rc = CURLM_OK;
  struct pool *first = http->pools;
  /* A retired pool cannot be waited for at the same time. */
  if (first->next != NULL && wait_ms > RTK_RETIRED_POLL_MS) {
    wait_ms = RTK_RETIRED_POLL_MS;
  }
  /* Returns at once when a transfer has just been added. */
  if (wait_ms > 0) rc = curl_multi_poll(first->multi, NULL, 0, wait_ms, NULL);
  for (struct pool *p = first; rc == CURLM_OK && p != NULL; p = p->next) {
    rc = curl_multi_perform(p->multi, &running);
    if (rc == CURLM_OK) collect_done(http, p);
  }
  return rc;
}

int rtk_http_poll(struct rtk_http *http, int wait_ms, struct rtk_err *err) {
  struct sigpipe sigpipe;
  int checked = rtk_http_check_process(http, err);
  if (checked != SQLITE_OK) return checked;
  int64_t begun_ms = rtk_clock_ms();
  sigpipe_begin(&sigpipe);
  CURLMcode rc = perform(http, wait_ms);
  int64_t spent_ms = rtk_clock_ms() - begun_ms;
  /* More than that is not spent here: the process was stopped. */
  int64_t most_ms = wait_ms + RTK_POLL_MAX_MS;
  http->clock_ms += spent_ms < most_ms ? spent_ms : most_ms;
  if (rc == CURLM_OK) end_late(http);
  release_adrift(http);
  drop_pools(http);
  sigpipe_end(&sigpipe);
  if (rc == CURLM_OK) return SQLITE_OK;
  if (rc == CURLM_OUT_OF_MEMORY) return SQLITE_NOMEM;
  return rtk_err_set(err, "libcurl: %s", curl_multi_strerror(rc));
}

struct rtk_transfer *rtk_http_next_done(struct rtk_http *http) {
  struct rtk_transfer *t = http->done;
  if (t == NULL) return NULL;
  http->done = t->next;
  if (http->done == NULL) http->done_end = &http->done;
  t->next = NULL;
  return t;
}

int rtk_transfer_sent(const struct rtk_transfer *transfer) {
  return transfer->is_counted ? transfer->sent : 1;
}

void *rtk_transfer_owner(const struct rtk_transfer *transfer) {
  return transfer->owner;
}

const struct rtk_response *rtk_transfer_response(
    const struct rtk_transfer *transfer) {
  return &transfer->response;
}

bool rtk_transfer_is_nomem(const struct rtk_transfer *transfer) {
  return transfer->is_nomem;
}

static void unlink_done(struct rtk_http *http, struct rtk_transfer *t) {
  struct rtk_transfer **link = &http->done;
  while (*link != NULL && *link != t) link = &(*link)->next;
  if (*link == NULL) return;
  *link = t->next;
  if (*link == NULL) http->done_end = link;
}

void rtk_http_end(struct rtk_http *http, struct rtk_transfer *transfer) {
  struct sigpipe sigpipe;
  bool is_in_pool = transfer->pool != NULL; /* else it has no connection */
  if (is_in_pool) sigpipe_begin(&sigpipe);
  if (transfer->is_done) {
    unlink_done(http, transfer); /* if nobody has been told of it */
  } else {
    unlink_active(http, transfer);
    transfer->is_done = true;
  }
  if (is_removable(http, transfer) || rtk_http_is_foreign(http)) {
    free_transfer(http, transfer);
  } else {
    transfer->next = http->adrift;
    http->adrift = transfer;
  }
  if (is_in_pool) sigpipe_end(&sigpipe);
}

/* --- addresses, dates, versions ------------------------------------------- */

/* 127.0.0.0/8 as an address of four numbers: 127.example.com and 127.0.0.1.2
** are names, which somebody else may answer for. */
static bool is_loopback(const char *host) {
  unsigned char address[4];
  return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
         (inet_pton(AF_INET, host, address) == 1 && address[0] == 127);
}

/* What a base URL has no use for.  Anything but a clear "there is none" counts
** as there. */
static int check_extras(CURLU *parts, const char *url, struct rtk_err *err) {
  static const struct {
    CURLUPart part;
    CURLUcode none;
    const char *what;
  } extras[] = {{CURLUPART_USER, CURLUE_NO_USER, "a user"},
                {CURLUPART_PASSWORD, CURLUE_NO_PASSWORD, "a password"}};
  if (strpbrk(url, "?#") != NULL) { /* also an empty one, which has no part */
    return rtk_err_set(err, "base_url has a query or a fragment: leave it out");
  }
  for (size_t i = 0; i < sizeof(extras) / sizeof(*extras); i++) {
    char *text = NULL;
    CURLUcode rc = curl_url_get(parts, extras[i].part, &text, 0);
    curl_free(text);
    if (rc == CURLUE_OUT_OF_MEMORY) return SQLITE_NOMEM;
    if (rc == extras[i].none) continue;
    return rtk_err_set(err, "base_url has %s: leave it out", extras[i].what);
  }
  return SQLITE_OK;
}

static int check_parts(CURLU *parts, const char *url, struct rtk_err *err) {
  char *scheme = NULL;
  char *host = NULL;
  int rc = SQLITE_OK;
  CURLUcode part = curl_url_set(parts, CURLUPART_URL, url, 0);
  if (part == CURLUE_OK) {
    part = curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0);
  }
  if (part == CURLUE_OK) part = curl_url_get(parts, CURLUPART_HOST, &host, 0);
  if (part == CURLUE_OUT_OF_MEMORY) {
    rc = SQLITE_NOMEM;
  } else if (part != CURLUE_OK) {
    rc = rtk_err_set(err, "base_url is not a URL: it looks like"
                          " https://api.cloudflare.com/client/v4");
  } else if (strcasecmp(scheme, "https") != 0 &&
             !(strcasecmp(scheme, "http") == 0 && is_loopback(host))) {
    rc = rtk_err_set(err,
                     "base_url begins with %s://%s: a token is sent by"
                     " " HTTPS_ONLY_WORDS " only",
                     scheme, host);
  } else {
    rc = check_extras(parts, url, err);
  }
  curl_free(host);
  curl_free(scheme);
  return rc;
}

int rtk_http_check_base_url(const char *url, struct rtk_err *err) {
  CURLU *parts = curl_url();
  if (parts == NULL) return SQLITE_NOMEM;
  int rc = check_parts(parts, url, err);
  curl_url_cleanup(parts);
  return rc;
}

bool rtk_http_parse_date(const char *text, int64_t *unix_ms) {
  time_t seconds = text[0] == '\0' ? -1 : curl_getdate(text, NULL);
  if (seconds < 0) return false;
  if (seconds > RTK_DATE_MAX_S) seconds = RTK_DATE_MAX_S;
  *unix_ms = (int64_t)seconds * 1000;
  return true;
}

void rtk_http_version(char *text, int size) {
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  const char *http2 =
      (info->features & CURL_VERSION_HTTP2) != 0 ? info->nghttp2_version : NULL;
  sqlite3_snprintf(size, text, "libcurl %s (%s, %s%s)", info->version,
                   info->ssl_version == NULL ? "no TLS" : info->ssl_version,
                   http2 == NULL ? "no HTTP/2" : "nghttp2/",
                   http2 == NULL ? "" : http2);
}
