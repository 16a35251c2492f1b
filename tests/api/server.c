/*
** HTTP on libmicrohttpd, one thread for each connection: authentication, the
** rate limit, delays, the log line, and sending a reply whole or broken.
**
** A request's line is in the log before its delay begins, so that a test can
** wait for it and interrupt a request that is known to be under way.
*/
#include "api.h"

#include <math.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#if MHD_VERSION >= 0x00097002
typedef enum MHD_Result mhd_result;
#else
typedef int mhd_result;
#endif

enum {
  STACK_BYTES = 256 * 1024,  /* of a connection's thread */
  MEMORY_BYTES = 128 * 1024, /* of a connection: request line, headers */
  CONNECTIONS_MAX = 4000,
  TOKEN_MIN = 20,
  TOKEN_MAX = 100,
};

static const struct options *options;
static struct MHD_Daemon *daemon_handle;
static int stop_fd;
static atomic_ulong connections, replies;
static atomic_uint under_way; /* requests that have no reply yet */

/* One request, from its first line to its end. */
struct transfer {
  char *uri;
  bool is_seen; /* the headers are; the reply waits for the body's end */
};

/* Time --------------------------------------------------------------------- */

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Waits, but not when the server is to end. */
static void sleep_ms(long ms) {
  struct pollfd stop = {.fd = stop_fd, .events = POLLIN};
  double end = now_s() + (double)ms / 1000;
  while (ms > 0 && poll(&stop, 1, (int)ms) <= 0) {
    ms = (long)((end - now_s()) * 1000 + 0.5);
  }
}

/* Waits until there is a file, or until the end; 10 minutes are for nobody. */
static void wait_for_file(const char *path) {
  enum { LOOK_MS = 5, LOOKS_MAX = 600 * 1000 / LOOK_MS };
  int looks;
  for (looks = 0; looks < LOOKS_MAX && access(path, F_OK) != 0; looks++) {
    struct pollfd stop = {.fd = stop_fd, .events = POLLIN};
    if (poll(&stop, 1, LOOK_MS) > 0) return;
  }
}

/* The i-th of a fixed sequence for each seed, in (0, 1). */
static double uniform(uint64_t i) { /* splitmix64 */
  uint64_t x = options->seed + (i + 1) * 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  x ^= x >> 31;
  return ((double)(x >> 11) + 0.5) / 9007199254740992.0;
}

static long delay_of(unsigned long reply) {
  const double p99_deviations = 2.3263, two_pi = 6.283185307179586;
  double ms = (double)options->delay_ms;
  if (options->delay_p50_ms > 0) { /* Box-Muller */
    double z = sqrt(-2 * log(uniform(3 * reply))) *
               cos(two_pi * uniform(3 * reply + 1));
    double sigma =
        log(options->delay_p99_ms / options->delay_p50_ms) / p99_deviations;
    ms += options->delay_p50_ms * exp(sigma * z);
  }
  if (uniform(3 * reply + 2) * 1000 < (double)options->stall_permille) {
    ms += (double)options->stall_ms;
  }
  return (long)(ms + 0.5);
}

/* Rate limit --------------------------------------------------------------- */

static struct {
  pthread_mutex_t lock;
  double end_s; /* of the window, which begins with its first request */
  long used;
} window = {PTHREAD_MUTEX_INITIALIZER, 0, 0};

/* Counts a request; true when it is over the limit. */
static bool limit(struct reply *reply, long *reset_s) {
  double now = data_is_growing() ? (double)data_now_ms() / 1000 : now_s();
  long left;
  bool is_over;
  if (options->quota == 0) return false;
  pthread_mutex_lock(&window.lock);
  if (now >= window.end_s) {
    window.end_s = now + (double)options->window_s;
    window.used = 0;
  }
  is_over = window.used >= options->quota;
  if (!is_over) window.used++;
  left = options->quota - window.used;
  /* Less what adding and taking away leaves over. */
  *reset_s = (long)ceil(window.end_s - now - 1e-6);
  pthread_mutex_unlock(&window.lock);
  if (!options->is_limit_silent) {
    reply_header(reply, "Ratelimit-Policy", "\"default\";q=%ld;w=%ld",
                 options->quota, options->window_s);
    reply_header(reply, "Ratelimit", "\"default\";r=%ld;t=%ld", left, *reset_s);
  }
  return is_over;
}

static void over_limit(struct reply *reply, long reset_s) {
  char message[128];
  snprintf(message, sizeof message,
           "More than %ld requests per %ld seconds reached", options->quota,
           options->window_s);
  reply_error(reply, 429, 10100, message);
  reply_header(reply, "Retry-After", "%ld", reset_s);
}

/* Authentication ----------------------------------------------------------- */

/* The token of "Bearer <20 to 100 visible characters>", or NULL. */
static const char *bearer(const char *value) {
  static const char scheme[] = "Bearer ";
  size_t len, i;
  if (strncmp(value, scheme, strlen(scheme)) != 0) return NULL;
  value += strlen(scheme);
  len = strlen(value);
  if (len < TOKEN_MIN || len > TOKEN_MAX) return NULL;
  for (i = 0; i < len; i++) {
    if (value[i] <= ' ' || value[i] > '~') return NULL;
  }
  return value;
}

/* The word for the log; fills in the request's token when it can be read. */
static const char *judge_token(struct MHD_Connection *connection,
                               struct request *request) {
  const char *value = MHD_lookup_connection_value(
      connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
  if (value == NULL) return "missing";
  request->token = bearer(value);
  if (request->token == NULL) return "malformed";
  return strcmp(request->token, options->token) == 0 ? "ok" : "bad";
}

/* What the API says to a request whose token is not "ok". */
static void refuse(const char *auth, const char *uri, struct reply *reply) {
  if (strcmp(auth, "missing") == 0) {
    reply_error(reply, 400, 9106,
                "Missing X-Auth-Key, X-Auth-Email or Authorization headers");
  } else if (strcmp(auth, "malformed") == 0) {
    reply->status = 400;
    reply->type = "application/json";
    text_puts(&reply->body,
              "{\"success\":false,\"errors\":[{\"code\":6003,\"message\":"
              "\"Invalid request headers\",\"error_chain\":[{\"code\":6111,"
              "\"message\":\"Invalid format for Authorization header\"}]}],"
              "\"messages\":[],\"result\":null}");
  } else if (routes_is_verify(uri)) {
    reply_error(reply, 401, 1000, "Invalid API Token");
  } else {
    reply_error(reply, 401, 10000, "Authentication error");
  }
}

/* The token is in no log line, not even when it is in the URI. */
static void write_log(const char *method, const struct request *request,
                      unsigned status, unsigned long connection,
                      const char *auth, unsigned at_once) {
  const char *found = strstr(request->uri, options->token);
  struct text uri = {0};
  if (found == NULL) {
    log_write(method, request->uri, status, connection, auth, request->attempt,
              at_once);
    return;
  }
  text_put(&uri, request->uri, (size_t)(found - request->uri));
  text_puts(&uri, "[TOKEN]");
  log_write(method, uri.data, status, connection, auth, request->attempt,
            at_once);
  text_free(&uri);
}

/* Sending ------------------------------------------------------------------ */

/* A body that is sent with a pause, or cut off, in its middle. */
struct broken {
  struct text body;
  long stall_ms;
  bool is_truncated, has_stalled;
};

static ssize_t read_broken(void *cls, uint64_t position, char *buffer,
                           size_t max) {
  struct broken *broken = cls;
  size_t at = (size_t)position, half = broken->body.len / 2;
  size_t end = at < half ? half : broken->body.len, len;
  if (at >= half && !broken->has_stalled) {
    broken->has_stalled = true;
    sleep_ms(broken->stall_ms);
  }
  if (at >= half && broken->is_truncated) {
    return MHD_CONTENT_READER_END_WITH_ERROR;
  }
  if (at >= broken->body.len) return MHD_CONTENT_READER_END_OF_STREAM;
  len = end - at < max ? end - at : max;
  memcpy(buffer, broken->body.data + at, len);
  return (ssize_t)len;
}

static void free_broken(void *cls) {
  struct broken *broken = cls;
  text_free(&broken->body);
  free(broken);
}

/* Takes the reply's body. */
static struct MHD_Response *new_response(struct reply *reply) {
  enum { BLOCK_BYTES = 65536 };
  struct MHD_Response *response;
  struct text *body = &reply->body;
  if (reply->stall_ms > 0 || reply->is_truncated || reply->is_chunked) {
    struct broken *broken = must_alloc(sizeof *broken);
    uint64_t size = reply->is_chunked ? MHD_SIZE_UNKNOWN : body->len;
    broken->body = *body;
    broken->stall_ms = reply->stall_ms;
    broken->is_truncated = reply->is_truncated;
    response = MHD_create_response_from_callback(size, BLOCK_BYTES, read_broken,
                                                 broken, free_broken);
  } else {
    text_puts(body, ""); /* so that data is not NULL */
    response = MHD_create_response_from_buffer(body->len, body->data,
                                               MHD_RESPMEM_MUST_FREE);
  }
  memset(body, 0, sizeof *body);
  return response;
}

/* Ends the connection with a TCP reset: the socket's number is given to
** another, unconnected socket, and the real one closes without a farewell. */
static void reset(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  struct linger linger = {.l_onoff = 1, .l_linger = 0};
  int other = socket(AF_INET, SOCK_STREAM, 0);
  if (info == NULL || other < 0) return;
  setsockopt(info->connect_fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  dup2(other, info->connect_fd);
  close(other);
}

static mhd_result send_reply(struct MHD_Connection *connection,
                             struct reply *reply, unsigned long number) {
  struct MHD_Response *response;
  mhd_result result;
  char ray[48];
  int i;
  if (reply->is_reset) reset(connection);
  if (reply->is_reset || reply->is_closed) {
    text_free(&reply->body);
    return MHD_NO;
  }
  if (reply->is_gzip) text_gzip(&reply->body);
  response = new_response(reply);
  snprintf(ray, sizeof ray, "8c1f00d0%08lx-FRA", number & 0xffffffff);
  MHD_add_response_header(response, "cf-ray", ray);
  MHD_add_response_header(response, "Content-Type", reply->type);
  if (reply->is_gzip) {
    MHD_add_response_header(response, "Content-Encoding", "gzip");
  }
  if (options->date_offset_s != 0) {
    char date[64];
    time_t then = time(NULL) + options->date_offset_s;
    struct tm utc;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT",
             gmtime_r(&then, &utc));
    MHD_add_response_header(response, "Date", date);
  }
  for (i = 0; i < reply->headers_used; i++) {
    MHD_add_response_header(response, reply->headers[i].name,
                            reply->headers[i].value);
  }
  result = MHD_queue_response(connection, reply->status, response);
  MHD_destroy_response(response);
  return result;
}

/* Requests ----------------------------------------------------------------- */

static unsigned long connection_number(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info == NULL ? 0 : (unsigned long)(uintptr_t)info->socket_context;
}

/* Everything but the sending. */
static void make_reply(const char *method, const char *auth,
                       const struct request *request, struct reply *reply) {
  long reset_s, ignored;
  struct piece program = {options->every, 0};
  if (options->every != NULL) program.len = strlen(options->every);
  if (strcmp(method, "CONNECT") == 0) {
    reply_error(reply, 407, 407, "this is no proxy");
    reply_header(reply, "Proxy-Authenticate", "Basic realm=\"none\"");
  } else if (options->every != NULL &&
             faults_play(program, (struct piece){"", 0}, request, reply,
                         &ignored)) {
    return;
  } else if (files_has(request->uri)) {
    files_answer(request, auth, reply);
  } else if (!routes_has(request->uri)) {
    reply->status = 404;
    reply->type = "text/html";
    text_puts(&reply->body, "<html><head><title>404 Not Found</title></head>"
                            "<body><h1>not found</h1></body></html>\n");
  } else if (strcmp(auth, "ok") != 0) {
    refuse(auth, request->uri, reply);
  } else if (limit(reply, &reset_s)) {
    over_limit(reply, reset_s);
  } else if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
    reply_error(reply, 405, 10405, "Method not allowed");
  } else {
    routes_answer(request, reply);
  }
}

static mhd_result answer(void *cls, struct MHD_Connection *connection,
                         const char *url, const char *method,
                         const char *version, const char *upload,
                         size_t *upload_size, void **context) {
  struct transfer *transfer = *context;
  struct request request = {0};
  struct reply reply;
  const char *auth;
  unsigned long number;
  unsigned status;
  (void)cls, (void)url, (void)version, (void)upload;
  if (!transfer->is_seen) {
    transfer->is_seen = true;
    return MHD_YES;
  }
  if (*upload_size > 0) {
    *upload_size = 0;
    return MHD_YES;
  }
  memset(&reply, 0, sizeof reply);
  request.uri = transfer->uri;
  data_tick();
  request.attempt = log_count(transfer->uri);
  auth = judge_token(connection, &request);
  make_reply(method, auth, &request, &reply);
  status = reply.is_reset || reply.is_closed ? 0 : reply.status;
  write_log(method, &request, status, connection_number(connection), auth,
            atomic_fetch_add(&under_way, 1) + 1);
  number = atomic_fetch_add(&replies, 1);
  sleep_ms(delay_of(number) + reply.delay_ms);
  if (reply.hold_path[0] != 0) wait_for_file(reply.hold_path);
  if (options->hold_path != NULL &&
      number >= (unsigned long)options->hold_after) {
    wait_for_file(options->hold_path);
  }
  /* Before the client can know: its next request is not at once with this. */
  atomic_fetch_sub(&under_way, 1);
  return send_reply(connection, &reply, number);
}

static void *begin_transfer(void *cls, const char *uri,
                            struct MHD_Connection *connection) {
  struct transfer *transfer = must_alloc(sizeof *transfer);
  (void)cls, (void)connection;
  transfer->uri = must_copy(uri, strlen(uri));
  return transfer;
}

static void end_transfer(void *cls, struct MHD_Connection *connection,
                         void **context, enum MHD_RequestTerminationCode code) {
  struct transfer *transfer = *context;
  (void)cls, (void)connection, (void)code;
  if (transfer == NULL) return;
  free(transfer->uri);
  free(transfer);
  *context = NULL;
}

static void begin_connection(void *cls, struct MHD_Connection *connection,
                             void **context,
                             enum MHD_ConnectionNotificationCode code) {
  (void)cls, (void)connection;
  if (code != MHD_CONNECTION_NOTIFY_STARTED) return;
  *context = (void *)(uintptr_t)(atomic_fetch_add(&connections, 1) + 1);
}

bool server_start(const struct options *the_options, int listen_fd,
                  int the_stop_fd) {
  unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD |
                   MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL | MHD_USE_ITC;
  char *pem = NULL;
  struct MHD_OptionItem tls[3] = {{MHD_OPTION_END, 0, NULL}};
  options = the_options;
  stop_fd = the_stop_fd;
  if (options->tls_path != NULL) {
    pem = read_whole(options->tls_path);
    if (pem == NULL) return false;
    flags |= MHD_USE_TLS;
    tls[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, pem};
    tls[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, pem};
    tls[2] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
  }
  daemon_handle = MHD_start_daemon(
      flags, 0, NULL, NULL, answer, NULL, MHD_OPTION_LISTEN_SOCKET, listen_fd,
      MHD_OPTION_URI_LOG_CALLBACK, begin_transfer, NULL,
      MHD_OPTION_NOTIFY_COMPLETED, end_transfer, NULL,
      MHD_OPTION_NOTIFY_CONNECTION, begin_connection, NULL,
      MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_BYTES,
      MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES, MHD_OPTION_ARRAY, tls,
      MHD_OPTION_END);
  free(pem);
  return daemon_handle != NULL;
}

void server_stop(void) { MHD_stop_daemon(daemon_handle); }
