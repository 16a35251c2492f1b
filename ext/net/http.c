/*
** Many HTTP transfers at once on one thread, by libcurl's multi interface.
**
**     start() --> active --ended--> done --next_done()--> named
**                   |                |                      |
**                   +-------- rtk_http_end() ---------------+--> freed, or
**                                               adrift while its name resolves
**
** Every option relied on is set in configure(), whatever libcurl's default.
** libcurl is 7.81 (Ubuntu 22.04) or later.
**
** Time-outs are measured here, by a clock that runs only in rtk_http_poll().
** libcurl's own count wall time: a program that takes a minute between two rows
** would find all its requests timed out, their replies unread in the sockets.
**
** A pool is one multi handle with its connections.  The first is in use.  After
** a time-out or a broken connection it is retired: its transfers go on to their
** end, and new ones get a new pool.  Over HTTP/2 libcurl would go on using a
** connection that has gone silent, for ever.
*/
#include "net/http.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/list.h"
#include "net/address.h"

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

/* Requests in flight over HTTP/2: the streams that every server should allow on
** one connection (RFC 9113, 6.5.2).  More would wait inside libcurl while their
** time-outs run, or open a second connection. */
#define RTK_STREAMS_MAX 100

/* Connections to one host, over HTTP/1.1 and over HTTP/2. */
#define RTK_CONNECTIONS_MAX 16
#define RTK_HTTP2_CONNECTIONS_MAX 2

/* Hosts whose connections are kept: the API, and where links lead.  With room
** for one of them alone, each would push out the other's. */
#define RTK_HOSTS_MAX 2

/* ms: how long a poll waits for the pool in use while a retired pool has
** transfers left. */
#define RTK_RETIRED_POLL_MS 5

/* ms that one poll may count for beside its wait: it took longer only when the
** process was stopped. */
#define RTK_POLL_MAX_MS 1000

/* Seconds since 1970: the end of the year 9999, the latest date believed. */
#define RTK_DATE_MAX_S 253402300799

#define USER_AGENT "rtk/" RTK_VERSION " (SQLite extension)"

/* Options by their numbers: PROTOCOLS, deprecated since 7.85 but always there;
** QUICK_EXIT, which came with 7.87. */
#define OPTION_PROTOCOLS ((CURLoption)(CURLOPTTYPE_LONG + 181))
#define OPTION_QUICK_EXIT ((CURLoption)(CURLOPTTYPE_LONG + 322))

struct pool {
  struct pool *next; /* an older one */
  CURLM *multi;
  int transfers; /* that are in `multi` */
};

struct rtk_transfer {
  struct rtk_link link;
  struct rtk_list *list; /* of struct rtk_http; NULL: its end was told */
  struct pool *pool;     /* NULL: in none any more */
  CURL *easy;

  /* What was asked for. */
  void *owner;
  int64_t max_bytes;
  int64_t timeout_ms;
  int64_t connect_timeout_ms;
  int sends_max;
  bool is_https;
  bool may_have_proxy;
  bool is_of_link;
  bool is_public_only;

  /* How far it is. */
  int64_t begun_ms;     /* by http->clock_ms */
  int sent;             /* how often it has gone over the wire */
  int socket;           /* the last one that was opened for it; -1: none */
  bool has_quick_exit;  /* it can leave its pool while its name resolves */
  bool has_status;      /* a status line has come */
  bool is_header_whole; /* and the empty line that ends the headers */
  char *body;           /* sqlite3_malloc() */
  size_t body_size, body_room;

  /* How it ended. */
  CURLcode result;
  bool is_too_large;
  bool is_nomem;
  bool is_out_of_files;
  bool is_private; /* an address that a link must not lead to */
  struct rtk_response response;
  char detail[CURL_ERROR_SIZE];
};

struct rtk_http {
  struct pool *pools;     /* the first is in use, the rest are retired */
  struct rtk_list active; /* begun, not ended */
  struct rtk_list done;   /* ended, not yet named; oldest first */
  struct rtk_list adrift; /* cancelled, the resolver still has them */
  int64_t clock_ms;       /* the time spent in rtk_http_poll() */
  bool is_http2;          /* the API's last reply came by it */
  int links;              /* transfers that are not to the API */
  pid_t pid;              /* of the process that made it */
};

/* --- SIGPIPE ---------------------------------------------------------------
** With CURLOPT_NOSIGNAL libcurl leaves signals alone, and a TLS library may
** then raise SIGPIPE on a broken connection.  This thread blocks the signal
** while libcurl works, and removes the one that libcurl caused. */

struct sigpipe {
  sigset_t only, before;
  bool was_pending;
};

static bool is_sigpipe_pending(void) {
  sigset_t pending;
  sigemptyset(&pending);
  (void)sigpending(&pending);
  return sigismember(&pending, SIGPIPE) == 1;
}

static void sigpipe_begin(struct sigpipe *state) {
  sigemptyset(&state->only);
  sigaddset(&state->only, SIGPIPE);
  state->was_pending = is_sigpipe_pending();
  (void)pthread_sigmask(SIG_BLOCK, &state->only, &state->before);
}

static void sigpipe_end(const struct sigpipe *state) {
  int number = 0;
  if (!state->was_pending && is_sigpipe_pending()) {
    (void)sigwait(&state->only, &number);
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
                          (long)(RTK_HOSTS_MAX * RTK_CONNECTIONS_MAX));
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

/* Takes a transfer out of its pool.  libcurl closes the connection or keeps it
** for the next transfer. */
static void detach(struct rtk_transfer *t) {
  if (t->pool == NULL) return;
  (void)curl_multi_remove_handle(t->pool->multi, t->easy);
  t->pool->transfers--;
  t->pool = NULL;
}

static struct rtk_transfer *transfer_of(struct rtk_link *link) {
  return (struct rtk_transfer *)(void *)link;
}

/* Moves a transfer to the end of a list; NULL: out of all. */
static void move(struct rtk_transfer *t, struct rtk_list *list) {
  if (t->list != NULL) rtk_list_remove(t->list, &t->link);
  if (list != NULL) rtk_list_append(list, &t->link);
  t->list = list;
}

bool rtk_http_is_foreign(const struct rtk_http *http) {
  return http->pid != getpid();
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
  rtk_list_init(&made->active);
  rtk_list_init(&made->done);
  rtk_list_init(&made->adrift);
  made->pid = getpid();
  if (!add_pool(made)) {
    sqlite3_free(made);
    return SQLITE_NOMEM;
  }
  *http = made;
  return SQLITE_OK;
}

/* In a forked child libcurl's part stays as it is: closing a connection would
** write to the parent's socket. */
static void free_transfer(struct rtk_http *http,
                          struct rtk_transfer *transfer) {
  move(transfer, NULL);
  if (transfer->is_of_link && --http->links == 0) {
    set_connections(http->pools, http->is_http2);
  }
  if (!rtk_http_is_foreign(http)) {
    detach(transfer);
    curl_easy_cleanup(transfer->easy);
  }
  sqlite3_free(transfer->body);
  sqlite3_free(transfer);
}

static void free_list(struct rtk_http *http, const struct rtk_list *list) {
  struct rtk_link *link = NULL;
  while ((link = rtk_list_first(list)) != NULL) {
    free_transfer(http, transfer_of(link));
  }
}

void rtk_http_free(struct rtk_http *http) {
  if (http == NULL) return;
  struct sigpipe sigpipe;
  sigpipe_begin(&sigpipe);
  free_list(http, &http->done);
  free_list(http, &http->adrift);
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
  char *body = rtk_array_grow(t->body, &t->body_room, t->body_size + size, 1);
  if (body == NULL) {
    t->is_nomem = size > 0;
    return 0;
  }
  t->body = body;
  memcpy(body + t->body_size, bytes, size);
  t->body_size += size;
  return size;
}

/* The headers that rtk reads, and where they are kept. */
static const struct {
  const char *name;
  size_t offset, room;
} kept_headers[] = {
#define KEPT(field, name, room)                                                \
  {name, offsetof(struct rtk_response, field), room},
    RTK_HEADERS(KEPT)
#undef KEPT
};

/* The value without white space around it, cut; behind the earlier ones of a
** list. */
static void keep_header(char *kept, int room, const char *value, size_t size) {
  int at = room == RTK_HEADER_LIST_MAX ? (int)strlen(kept) : 0;
  while (size > 0 && strchr(" \t", *value) != NULL) value++, size--;
  while (size > 0 && strchr(" \t\r\n", value[size - 1]) != NULL) size--;
  sqlite3_snprintf(room - at, kept + at, "%s%.*s",
                   at > 0 && size > 0 ? ", " : "", (int)size, value);
}

/* A status line begins another reply (after 100, or a proxy's CONNECT): the
** headers of the one before are dropped. */
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
                  (int)kept_headers[i].room, colon + 1, size - name_size - 1);
    }
  }
  return size;
}

/* --- sending -------------------------------------------------------------- */

/* has_peer() needs the socket. */
static curl_socket_t on_socket(void *user, curlsocktype purpose,
                               struct curl_sockaddr *address) {
  struct rtk_transfer *t = user;
  (void)purpose;
  if (t->is_public_only && !rtk_address_is_public(&address->addr)) {
    t->is_private = true;
    return CURL_SOCKET_BAD;
  }
  t->socket = socket(address->family, address->socktype, address->protocol);
  if (t->socket < 0) {
    t->is_out_of_files = errno == EMFILE || errno == ENFILE;
    return CURL_SOCKET_BAD;
  }
  (void)fcntl(t->socket, F_SETFD, FD_CLOEXEC);
  return t->socket;
}

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

static bool is_plain_http(const char *url) {
  return strncasecmp(url, "http:", 5) == 0;
}

/* Will libcurl find a proxy in the environment, as far as we know? */
static bool has_proxy(const struct rtk_request *request) {
  static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy",
                                      "ALL_PROXY"};
  if (is_plain_http(request->url)) return false;
  if (request->proxy != NULL) return request->proxy[0] != '\0';
  for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
    const char *value = getenv(names[i]);
    if (value != NULL && value[0] != '\0') return true;
  }
  return false;
}

/* After the first failure nothing more is set. */
#define SET(option, value)                                                     \
  if (rc == CURLE_OK) rc = curl_easy_setopt(easy, option, value)

static CURLcode set_security(CURL *easy, const struct rtk_request *request) {
  CURLcode rc = CURLE_OK;
  bool is_plain = is_plain_http(request->url);
  SET(OPTION_PROTOCOLS,
      is_plain ? (long)CURLPROTO_HTTP : (long)CURLPROTO_HTTPS);
  SET(CURLOPT_FOLLOWLOCATION, 0L); /* a token goes to one host only */
  SET(CURLOPT_SSL_VERIFYPEER, 1L);
  SET(CURLOPT_SSL_VERIFYHOST, 2L);
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  if (request->ca_file != NULL) SET(CURLOPT_CAINFO, request->ca_file);
  if (request->ca_path != NULL) SET(CURLOPT_CAPATH, request->ca_path);
  if (request->token != NULL) {
    SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
    SET(CURLOPT_XOAUTH2_BEARER, request->token);
  }
  SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  /* Plain http is for loopback: a proxy would see the token. */
  if (is_plain) {
    SET(CURLOPT_PROXY, "");
  } else if (request->proxy != NULL) {
    SET(CURLOPT_PROXY, request->proxy);
  }
  /* A link goes by the proxy, which has rules of its own, or to addresses that
  ** we check. */
  if (request->token == NULL && !request->is_local_too) {
    SET(has_proxy(request) ? CURLOPT_NOPROXY : CURLOPT_PROXY, "");
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
  SET(CURLOPT_PREREQFUNCTION, on_request);
  SET(CURLOPT_PREREQDATA, t);
  t->has_quick_exit = curl_easy_setopt(easy, OPTION_QUICK_EXIT, 1L) == CURLE_OK;
  return rc;
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
  /* Over HTTP/2 a server that says GOAWAY refuses many requests at a time.
  ** libcurl would send all of them again at once: the caller sends fewer. */
  t->sends_max = http->is_http2 ? 1 : request->sends_max;
  t->socket = -1;
  t->is_https = !is_plain_http(request->url);
  t->may_have_proxy = has_proxy(request);
  t->is_of_link = request->token == NULL;
  t->is_public_only =
      t->is_of_link && !request->is_local_too && !t->may_have_proxy;
  return t;
}

/* Over HTTP/2 one connection carries all transfers; the second is for the time
** when a server closes the first.  Over HTTP/1.1 each transfer needs its
** own. */
static void set_http2(struct rtk_http *http, bool is_http2) {
  if (http->is_http2 == is_http2) return;
  http->is_http2 = is_http2;
  set_connections(http->pools, is_http2);
}

int rtk_http_width(const struct rtk_http *http) {
  return http->is_http2 && http->links == 0 ? RTK_STREAMS_MAX
                                            : RTK_CONNECTIONS_MAX;
}

int rtk_http_check_process(const struct rtk_http *http, struct rtk_err *err) {
  if (!rtk_http_is_foreign(http)) return SQLITE_OK;
  return rtk_err_set(err,
                     "this connection was opened before a fork(): the child"
                     " process has to open one of its own");
}

int rtk_http_start(struct rtk_http *http, const struct rtk_request *request,
                   struct rtk_transfer **transfer, struct rtk_err *err) {
  int checked = rtk_http_check_process(http, err);
  if (checked != SQLITE_OK) return checked;
  struct rtk_transfer *t = new_transfer(http, request);
  if (t == NULL) return SQLITE_NOMEM;
  http->links += t->is_of_link;
  CURLMcode added = CURLM_OK;
  CURLcode rc = configure(t, request, http->is_http2);
  if (rc == CURLE_OK) {
    /* Its host may speak HTTP/1.1, even when the API does not. */
    if (t->is_of_link) set_connections(http->pools, false);
    if (!t->is_of_link && !t->is_https) set_http2(http, false);
    added = curl_multi_add_handle(http->pools->multi, t->easy);
  }
  if (rc != CURLE_OK || added != CURLM_OK) {
    bool is_nomem = rc == CURLE_OUT_OF_MEMORY || added == CURLM_OUT_OF_MEMORY;
    free_transfer(http, t);
    if (is_nomem) return SQLITE_NOMEM;
    return rc != CURLE_OK
               ? rtk_err_set(err, "libcurl refuses a setting: %s",
                             curl_easy_strerror(rc))
               : rtk_err_set(err, "libcurl: %s", curl_multi_strerror(added));
  }
  t->pool = http->pools;
  t->pool->transfers++;
  move(t, &http->active);
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
    {CURLE_PROXY, RTK_FAILURE_PROXY, NULL},
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

/* libcurl's buffer for one header has 100 kB.  When it is full the result is
** "out of memory", "too large" or "broken connection". */
static bool is_header_too_long(const struct rtk_transfer *t) {
  if (t->is_nomem || !t->has_status || t->is_header_whole) return false;
  return t->result == CURLE_OUT_OF_MEMORY || (int)t->result == 100 ||
         strstr(t->detail, "Too large response header") != NULL;
}

/* The first that fits holds. */
static struct failure failure_of(const struct rtk_transfer *t) {
  const char *refusal = t->result == CURLE_OK ? NULL : proxy_refusal(t->easy);
  const struct {
    bool fits;
    struct failure failure;
  } others[] = {
      {t->is_too_large, {.failure = RTK_FAILURE_TOO_LARGE}},
      {t->result != CURLE_OK && t->is_private,
       {.failure = RTK_FAILURE_OTHER,
        .words = "the link leads to an address that is not public"}},
      {refusal != NULL, {.failure = RTK_FAILURE_PROXY, .words = refusal}},
      {is_header_too_long(t),
       {.failure = RTK_FAILURE_HEADER,
        .words = "a header of the reply is longer than libcurl takes"
                 " (100 kB), or libcurl ran out of memory"}},
      {t->result != CURLE_OK && t->is_out_of_files,
       {.failure = RTK_FAILURE_FILES,
        .words = "the process has reached its limit of open files"}},
      {t->result == CURLE_OK && !t->is_header_whole,
       {.failure = RTK_FAILURE_CONNECT,
        .words = "the connection ended within the reply's header"}}};
  for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
    if (others[i].fits) return others[i].failure;
  }
  for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
    if (failures[i].result == t->result) return failures[i];
  }
  return (struct failure){.failure = RTK_FAILURE_OTHER};
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

/* What a transfer waited for when its time was up: this tells a wrong address
** from a slow server. */
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
  r->is_of_link = t->is_of_link;
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

/* May the pool's other connections have the fault that ended this transfer?
** Over HTTP/1.1 libcurl has closed the connection that broke. */
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
  t->result = result;
  if (result == CURLE_OK && !t->is_of_link) note_version(http, t->easy);
  describe(t);
  if (is_suspect(http, t) && t->pool == http->pools) (void)add_pool(http);
  move(t, &http->done);
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
    /* While it is in its pool. */
    if (t->list == &http->active) finish(http, t, result);
    detach(t);
  }
}

/* Is the resolver's thread still at this transfer? */
static bool is_resolving(const struct rtk_transfer *t) {
  return t->pool != NULL && time_us(t->easy, CURLINFO_NAMELOOKUP_TIME_T) == 0;
}

/* Can it be taken out of its pool without waiting for the resolver? */
static bool is_removable(const struct rtk_transfer *t) {
  return t->has_quick_exit || !is_resolving(t);
}

/* Frees the cancelled transfers whose names are resolved. */
static void release_adrift(struct rtk_http *http) {
  struct rtk_link *next = NULL;
  for (struct rtk_link *l = rtk_list_first(&http->adrift); l != NULL;
       l = next) {
    struct rtk_transfer *t = transfer_of(l);
    next = rtk_list_next(&http->adrift, l);
    if (is_removable(t)) free_transfer(http, t);
  }
}

/* Ends the transfers whose time is up. */
static void end_late(struct rtk_http *http) {
  struct rtk_link *next = NULL;
  for (struct rtk_link *l = rtk_list_first(&http->active); l != NULL;
       l = next) {
    struct rtk_transfer *t = transfer_of(l);
    int64_t age_ms = http->clock_ms - t->begun_ms;
    next = rtk_list_next(&http->active, l);
    bool is_late = age_ms >= t->timeout_ms ||
                   (age_ms >= t->connect_timeout_ms && !is_connected(t));
    if (!is_late) continue;
    finish(http, t, CURLE_OPERATION_TIMEDOUT);
    if (is_removable(t)) detach(t); /* else rtk_http_end() sets it adrift */
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
  struct rtk_link *link = rtk_list_first(&http->done);
  if (link == NULL) return NULL;
  move(transfer_of(link), NULL);
  return transfer_of(link);
}

int rtk_transfer_sent(const struct rtk_transfer *transfer) {
  return transfer->sent;
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

void rtk_http_end(struct rtk_http *http, struct rtk_transfer *transfer) {
  struct sigpipe sigpipe;
  bool is_in_pool = transfer->pool != NULL; /* else it has no connection */
  if (is_in_pool) sigpipe_begin(&sigpipe);
  if (is_removable(transfer) || rtk_http_is_foreign(http)) {
    free_transfer(http, transfer);
  } else {
    move(transfer, &http->adrift);
  }
  if (is_in_pool) sigpipe_end(&sigpipe);
}

/* --- dates, versions ------------------------------------------------------ */

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
