/*
** A fault program, `key=value,key=value,...`, to a reply that a client has to
** survive. The keys and bodies are listed in api.c.
**
** Bodies are rows of a table: a text with $WORDS that are filled in.
*/
#include "api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum number_key {
  KEY_STATUS,
  KEY_TIMES,
  KEY_RETRY_AFTER,
  KEY_RETRY_AFTER_MS,
  KEY_RETRY_AFTER_DATE,
  KEY_CODE,
  KEY_DELAY,
  KEY_STALL,
  KEY_TRUNCATE,
  KEY_RESET,
  KEY_CLOSE,
  KEY_HUGE,
  KEY_GZIP,
  KEY_CHUNKED,
  KEY_N,
  KEY_STOPPED_AGO,
  NUMBER_KEYS
};

static const struct {
  const char *name;
  long max;
} number_keys[NUMBER_KEYS] = {
    [KEY_STATUS] = {"status", 599},
    [KEY_TIMES] = {"times", 1000000},
    [KEY_RETRY_AFTER] = {"retry_after", 1000000000},
    [KEY_RETRY_AFTER_MS] = {"retry_after_ms", 1000000000},
    [KEY_RETRY_AFTER_DATE] = {"retry_after_date", 1000000000},
    [KEY_CODE] = {"code", 1000000000},
    [KEY_DELAY] = {"delay", 3600000},
    [KEY_STALL] = {"stall", 3600000},
    [KEY_TRUNCATE] = {"truncate", 1},
    [KEY_RESET] = {"reset", 1},
    [KEY_CLOSE] = {"close", 1},
    [KEY_HUGE] = {"huge", 256L * 1024 * 1024},
    [KEY_GZIP] = {"gzip", 1},
    [KEY_CHUNKED] = {"chunked", 1},
    [KEY_N] = {"n", 999999999999L},
    [KEY_STOPPED_AGO] = {"stopped_ago", 1000000000},
};

static const char JSON[] = "application/json";

static const struct body {
  const char *name;
  unsigned status; /* when the program gives none */
  const char *type;
  const char *text; /* NULL: the session itself */
} bodies[] = {
    {"session", 200, JSON, NULL},
    {"envelope", 400, JSON,
     "{\"success\":false,\"errors\":[{\"code\":$CODE,\"message\":$MESSAGE}],"
     "\"messages\":[],\"result\":null}"},
    {"chain", 400, JSON,
     "{\"success\":false,\"errors\":[{\"code\":6003,\"message\":"
     "\"Invalid request headers\",\"error_chain\":[{\"code\":6111,\"message\":"
     "\"Invalid format for Authorization header\"}]}],\"messages\":[],"
     "\"result\":null}"},
    {"falsesuccess", 200, JSON,
     "{\"success\":false,\"errors\":[{\"code\":$CODE,\"message\":$MESSAGE}],"
     "\"messages\":[],\"data\":{\"id\":$ID}}"},
    {"echo_token", 400, JSON,
     "{\"success\":false,\"errors\":[{\"code\":$CODE,\"message\":"
     "\"Token $TOKEN is not known here\"}],\"messages\":[],"
     "\"result\":null}"},
    {"html", 200, "text/html; charset=utf-8",
     "<!DOCTYPE html>\n<html><head><title>Error</title></head><body><h1>"
     "Something is in between</h1><p>$STATUS</p></body></html>\n"},
    {"empty", 200, JSON, ""},
    {"notjson", 200, JSON, "{\"data\": {\"id\": "},
    {"missing", 200, JSON, "{\"data\":{},\"success\":true}"},
    {"badutf8", 200, JSON,
     "{\"data\":{\"id\":$ID,\"err_message\":\"a\xFF\xC3(b\"},"
     "\"success\":true}"},
    {"bignum", 200, JSON,
     "{\"data\":{\"id\":$ID,\"ingest_seconds\":123456789012345678901,"
     "\"viewer_seconds\":9007199254740993.5,\"created_at\":9007199254740993},"
     "\"success\":true}"},
    {"strnum", 200, JSON,
     "{\"data\":{\"id\":$ID,\"ingest_seconds\":\"118\","
     "\"viewer_seconds\":\"116.11599994199997\"},\"success\":true}"},
    {"nested", 200, JSON,
     "{\"data\":{\"id\":$ID,\"err_message\":{\"code\":5,\"why\":[\"a\","
     "null]},\"ingest_seconds\":60,\"viewer_seconds\":[1,2]},"
     "\"success\":true}"},
    {"stopped", 200, JSON,
     "{\"data\":{\"id\":$ID,\"stopped_time\":$TIME},\"success\":true}"},
    {"extra", 200, JSON,
     "{\"data\":{\"id\":$ID,\"new_field\":{\"a\":1},\"ingest_seconds\":60},"
     "\"success\":true,\"new_top\":1}"},
};

/* What the API says with a status, when the program gives no code. */
static const struct {
  unsigned status;
  long code;
  const char *message;
} errors[] = {
    {401, 10000, "Authentication error"},
    {403, 10000, "Authentication error"},
    {404, 404, "Livestream session not found"},
    {405, 10405, "Method not allowed"},
    {408, 10408, "Request timeout"},
    {409, 10409, "Conflict"},
    {429, 10100, "More than 1200 requests per 300 seconds reached"},
    {500, 10013, "Internal error"},
    {502, 10013, "Bad gateway"},
    {503, 10013, "Service temporarily unavailable"},
    {504, 10013, "Gateway timeout"},
};

struct fault {
  long numbers[NUMBER_KEYS]; /* -1: not given */
  const struct body *body;
  const char *redirect;
  const struct request *request;
  struct piece id;
};

/* The program -------------------------------------------------------------- */

static const struct body *body_named(const char *name) {
  size_t i;
  for (i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
    if (strcmp(bodies[i].name, name) == 0) return &bodies[i];
  }
  return NULL;
}

static bool set_number(struct fault *fault, const char *key,
                       const char *value) {
  int i;
  for (i = 0; i < NUMBER_KEYS; i++) {
    if (strcmp(number_keys[i].name, key) == 0) {
      return parse_count(value, number_keys[i].max, &fault->numbers[i]);
    }
  }
  return false;
}

/* `Name:value`, once more percent-decoded (%252C in the URI is a comma). */
static bool set_header(struct reply *reply, char *value) {
  char *colon = strchr(value, ':');
  size_t len;
  if (colon == NULL || colon == value) return false;
  *colon++ = 0;
  while (*colon == ' ') colon++;
  len = percent_decode(colon, colon, strlen(colon));
  colon[len] = 0;
  if (strpbrk(colon, "\r\n") != NULL) return false;
  reply_header(reply, value, "%s", colon);
  return true;
}

static bool set_key(struct fault *fault, struct reply *reply, const char *key,
                    char *value) {
  if (strcmp(key, "body") == 0) {
    fault->body = body_named(value);
    return fault->body != NULL;
  }
  if (strcmp(key, "redirect") == 0) {
    fault->redirect = value;
    return strpbrk(value, "\r\n") == NULL;
  }
  if (strcmp(key, "should_retry") == 0) {
    reply_header(reply, "x-should-retry", "%s", value);
    return strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
  }
  if (strcmp(key, "header") == 0) return set_header(reply, value);
  if (strcmp(key, "hold") == 0) {
    int len = snprintf(reply->hold_path, sizeof reply->hold_path, "%s", value);
    return len > 0 && (size_t)len < sizeof reply->hold_path;
  }
  return set_number(fault, key, value);
}

/* Cuts `program` into keys and values; true, or false with the culprit. */
static bool parse(struct fault *fault, struct reply *reply, char *program,
                  const char **culprit) {
  char *next, *at;
  for (at = program; at != NULL && *at != 0; at = next) {
    char *value;
    next = strchr(at, ',');
    if (next != NULL) *next++ = 0;
    *culprit = at;
    value = strchr(at, '=');
    if (value == NULL) return false;
    *value++ = 0;
    if (!set_key(fault, reply, at, value)) return false;
  }
  return true;
}

/* The body ----------------------------------------------------------------- */

static long error_of(const struct fault *fault, unsigned status,
                     const char **message) {
  size_t i;
  long code = 10001;
  *message = status >= 500 ? "Internal error" : "Bad request";
  for (i = 0; i < sizeof errors / sizeof errors[0]; i++) {
    if (errors[i].status == status) {
      code = errors[i].code;
      *message = errors[i].message;
    }
  }
  return fault->numbers[KEY_CODE] >= 0 ? fault->numbers[KEY_CODE] : code;
}

static void put_stopped_time(struct text *out, const struct fault *fault) {
  long ago_s = fault->numbers[KEY_STOPPED_AGO];
  char then[64];
  format_time(then, sizeof then,
              ((long)time(NULL) - (ago_s > 0 ? ago_s : 0)) * 1000);
  text_json(out, then, strlen(then));
}

static void put_word(struct text *out, const struct fault *fault,
                     unsigned status, const char **at) {
  static const char *const words[] = {"$CODE",   "$MESSAGE", "$TOKEN",
                                      "$STATUS", "$ID",      "$TIME"};
  const char *message;
  long code = error_of(fault, status, &message);
  size_t i = 0;
  while (strncmp(*at, words[i], strlen(words[i])) != 0) i++;
  *at += strlen(words[i]);
  if (i == 0) text_add(out, "%ld", code);
  if (i == 1) text_json(out, message, strlen(message));
  if (i == 2 && fault->request->token != NULL) {
    text_puts(out, fault->request->token);
  }
  if (i == 3) text_add(out, "%u", status);
  if (i == 4) text_json(out, fault->id.data, fault->id.len);
  if (i == 5) put_stopped_time(out, fault);
}

static void put_body(struct text *out, const struct fault *fault,
                     unsigned status) {
  const char *at = fault->body->text;
  while (*at != 0) {
    size_t plain = strcspn(at, "$");
    text_put(out, at, plain);
    at += plain;
    if (*at == '$') put_word(out, fault, status, &at);
  }
}

/* Grows the body to `size` bytes: a session's by one more field, so that it
** stays a good reply; any other by white space after it. */
static void pad(struct reply *reply, size_t size, bool is_session) {
  static const char field[] = "\"padding\":\"", end[] = "\",";
  struct text *body = &reply->body, padded = {0};
  size_t at =
      is_session ? (size_t)(strchr(body->data, ':') - body->data) + 2 : 0;
  if (size <= body->len) return;
  if (!is_session) {
    text_fill(body, ' ', size - body->len);
    return;
  }
  text_put(&padded, body->data, at);
  text_puts(&padded, field);
  if (size > body->len + sizeof field + sizeof end - 2) {
    text_fill(&padded, 'a', size - body->len - sizeof field - sizeof end + 2);
  }
  text_puts(&padded, end);
  text_put(&padded, body->data + at, body->len - at);
  text_free(body);
  *body = padded;
}

/* The reply ---------------------------------------------------------------- */

static void retry_headers(const struct fault *fault, struct reply *reply) {
  const long *numbers = fault->numbers;
  if (numbers[KEY_RETRY_AFTER] >= 0) {
    reply_header(reply, "Retry-After", "%ld", numbers[KEY_RETRY_AFTER]);
  }
  if (numbers[KEY_RETRY_AFTER_MS] >= 0) {
    reply_header(reply, "retry-after-ms", "%ld", numbers[KEY_RETRY_AFTER_MS]);
  }
  if (numbers[KEY_RETRY_AFTER_DATE] >= 0) {
    time_t then = time(NULL) + numbers[KEY_RETRY_AFTER_DATE];
    struct tm tm;
    char date[64];
    gmtime_r(&then, &tm);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    reply_header(reply, "Retry-After", "%s", date);
  }
}

static void play(struct fault *fault, struct reply *reply) {
  const long *numbers = fault->numbers;
  bool has_status = numbers[KEY_STATUS] >= 0, is_session;
  unsigned status = has_status ? (unsigned)numbers[KEY_STATUS] : 200;
  if (fault->body == NULL && fault->redirect != NULL) {
    fault->body = body_named("html");
    if (!has_status) status = 302;
  } else if (fault->body == NULL && numbers[KEY_STOPPED_AGO] >= 0) {
    fault->body = body_named("stopped");
  } else if (fault->body == NULL) {
    fault->body = body_named(status < 300 ? "session" : "envelope");
  } else if (!has_status) {
    status = fault->body->status;
  }
  if (status == 204 || status == 304) fault->body = body_named("empty");
  is_session = fault->body->text == NULL;
  if (is_session) {
    reply_session(reply, numbers[KEY_N], fault->id);
  } else {
    put_body(&reply->body, fault, status);
  }
  reply->status = status;
  reply->type = fault->body->type;
  retry_headers(fault, reply);
  if (fault->redirect != NULL) {
    reply_header(reply, "Location", "%s", fault->redirect);
  }
  if (numbers[KEY_HUGE] > 0) pad(reply, (size_t)numbers[KEY_HUGE], is_session);
  reply->delay_ms = numbers[KEY_DELAY] > 0 ? numbers[KEY_DELAY] : 0;
  reply->stall_ms = numbers[KEY_STALL] > 0 ? numbers[KEY_STALL] : 0;
  reply->is_truncated = numbers[KEY_TRUNCATE] > 0;
  reply->is_reset = numbers[KEY_RESET] > 0;
  reply->is_closed = numbers[KEY_CLOSE] > 0;
  reply->is_gzip = numbers[KEY_GZIP] > 0;
  reply->is_chunked = numbers[KEY_CHUNKED] > 0;
}

bool faults_play(struct piece program, struct piece id,
                 const struct request *request, struct reply *reply,
                 long *number) {
  struct fault fault = {.request = request, .id = id};
  char *copy = must_copy(program.data, program.len);
  const char *culprit = "";
  bool is_over;
  int i;
  for (i = 0; i < NUMBER_KEYS; i++) fault.numbers[i] = -1;
  fault.numbers[KEY_N] = 1;
  if (!parse(&fault, reply, copy, &culprit) || fault.numbers[KEY_N] == 0 ||
      (fault.numbers[KEY_STATUS] >= 0 && fault.numbers[KEY_STATUS] < 200)) {
    reply->headers_used = 0;
    reply->status = 500;
    reply->type = "text/plain";
    text_add(&reply->body, "unknown fault key or value: %s\n", culprit);
    free(copy);
    return true;
  }
  *number = fault.numbers[KEY_N];
  is_over = fault.numbers[KEY_TIMES] >= 0 &&
            (long)request->attempt > fault.numbers[KEY_TIMES];
  if (is_over) {
    reply->headers_used = 0;
    reply->hold_path[0] = 0;
  } else {
    play(&fault, reply);
  }
  free(copy);
  return !is_over;
}
