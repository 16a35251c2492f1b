/*
** The meaning of a response.
**
** No error reply of these endpoints is documented.  The forms read here are
** those that the rest of Cloudflare's API sends: errors[] with a nested
** error_chain, a single error, a bare message, HTML, and an empty body.
*/
#include "api/status.h"

#include "api/csv.h"
#include "api/endpoint.h"
#include "api/json.h"
#include "api/reply.h"
#include "api/text.h"
#include "base/limits.h"
#include "base/sanitize.h"
#include "net/address.h"
#include "net/http.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Rows of one reply: 10 times the most that a page can have been asked for, and
** more days than an analytics reply can cover.  A body of 1 MB could otherwise
** hold 340,000 empty objects, which take 300 MB as rows. */
#define RTK_ROWS_MAX 10000

/* --- the rules ------------------------------------------------------------ */

/* The meaning of a status or a failure alone. */
struct meaning {
  enum rtk_outcome outcome;
  enum rtk_retry_kind retry;
  enum rtk_kind kind;
  const char *hint; /* what to do; is_about_token(): what the token lacks */
};

/* The hint goes on from "the API token (from …) ". */
static bool is_about_token(const struct meaning *meaning) {
  return meaning->kind == RTK_KIND_TOKEN || meaning->kind == RTK_KIND_DENIED;
}

/* clang-format off */
#define FATAL(kind, hint) {RTK_OUTCOME_CALLER, RTK_RETRY_NEVER, kind, hint}
#define FAILED(kind, hint) {RTK_OUTCOME_FAILED, RTK_RETRY_NEVER, kind, hint}
#define AGAIN(kind, hint) {RTK_OUTCOME_FAILED, RTK_RETRY_AGAIN, kind, hint}
#define FATAL_LAST(kind, hint) {RTK_OUTCOME_CALLER, RTK_RETRY_AGAIN, kind, hint}

#define HINT_TOKEN_FORM "is malformed: copy it again, without quotes or spaces"
#define HINT_PROXY "check the proxy: setting proxy, HTTPS_PROXY and NO_PROXY"
#define HINT_BETWEEN "check base_url and what stands between"
#define HINT_IN_FRONT                                                          \
  "this is not the API's own answer: a firewall, a proxy or a log-in page"     \
  " stands in front of it"
#define HINT_GONE                                                              \
  "the text is gone, or the link to it is too old: RealtimeKit keeps texts for"\
  " 7 days"
#define HINT_LINK                                                              \
  "the host of the text is in trouble, not the API: try again later"
#define TEXT_GONE FAILED(RTK_KIND_REQUEST, HINT_GONE)
#define HOST_AGAIN AGAIN(RTK_KIND_SERVER, HINT_LINK)
#define HINT_ROUTE                                                             \
  "the account or the app is wrong: compare both with the dashboard"

/* The first rule that fits holds. */
static const struct rule {
  int from, to; /* HTTP status */
  int code;     /* one of the error codes in the body; 0: any or none */
  struct meaning meaning;
} rules[] = {
    {200, 200, 0, {RTK_OUTCOME_ROWS, RTK_RETRY_NEVER, RTK_KIND_REPLY, NULL}},
    {201, 299, 0, FAILED(RTK_KIND_NOT_API,
                          "only 200 carries data: check base_url")},
    {300, 399, 0, FAILED(RTK_KIND_NOT_API, "redirects are not followed, to keep"
                         " the token where it belongs: check base_url")},
    {400, 400, 6003, FATAL(RTK_KIND_TOKEN, HINT_TOKEN_FORM)},
    {400, 400, 6111, FATAL(RTK_KIND_TOKEN, HINT_TOKEN_FORM)},
    {401, 401, 0, FATAL(RTK_KIND_TOKEN,
                        "is not accepted: it is wrong, expired or revoked")},
    {403, 403, 0, {RTK_OUTCOME_DENIED, RTK_RETRY_NEVER, RTK_KIND_DENIED,
                   "needs the permission \"Realtime\" or \"Realtime Admin\" for"
                   " this account"}},
    {404, 404, 7000, FAILED(RTK_KIND_REQUEST, HINT_ROUTE)},
    {404, 404, 7003, FAILED(RTK_KIND_REQUEST, HINT_ROUTE)},
    {404, 404, 0, {RTK_OUTCOME_GONE, RTK_RETRY_NEVER, RTK_KIND_NOT_API,
                   "this address does not speak the API: check base_url, which"
                   " ends in /client/v4"}},
    {407, 407, 0, FAILED(RTK_KIND_NETWORK, HINT_PROXY)},
    {408, 409, 0, AGAIN(RTK_KIND_SERVER, "try again later")},
    {429, 429, 0, {RTK_OUTCOME_CALLER, RTK_RETRY_PAUSE, RTK_KIND_QUOTA,
                   "the quota of the token is used up: try again later"}},
    {400, 499, 0, FAILED(RTK_KIND_REQUEST, NULL)},
    {500, 599, 0, AGAIN(RTK_KIND_SERVER,
                         "the server is in trouble: try again later")},
    {0, 999, 0, FAILED(RTK_KIND_NOT_API, "check base_url")},
};

/* The same for a request to where a link leads: that host is not the API, and
** knows nothing of tokens and quotas. */
static const struct rule link_rules[] = {
    {200, 200, 0, {RTK_OUTCOME_ROWS, RTK_RETRY_NEVER, RTK_KIND_REPLY, NULL}},
    {300, 399, 0, FAILED(RTK_KIND_NOT_API,
                         "a link that leads on to another is not followed")},
    {401, 401, 0, TEXT_GONE},
    {403, 404, 0, TEXT_GONE},
    {410, 410, 0, TEXT_GONE},
    {408, 409, 0, HOST_AGAIN},
    {429, 429, 0, HOST_AGAIN},
    {500, 599, 0, HOST_AGAIN},
    {0, 999, 0, FAILED(RTK_KIND_NOT_API, HINT_LINK)},
};

/* The same for a request that got no whole reply. */
static const struct meaning failures[RTK_FAILURE_COUNT] = {
    [RTK_FAILURE_RESOLVE] = AGAIN(RTK_KIND_NETWORK,
                                  "check the network and base_url"),
    [RTK_FAILURE_CONNECT] = AGAIN(RTK_KIND_NETWORK,
                                  "check the network, base_url and the proxy,"
                                  " if there is one"),
    [RTK_FAILURE_PROXY] = AGAIN(RTK_KIND_NETWORK, HINT_PROXY),
    [RTK_FAILURE_TLS] = AGAIN(RTK_KIND_NETWORK, HINT_BETWEEN),
    [RTK_FAILURE_TRUST] = FATAL(RTK_KIND_NETWORK,
                                "check base_url and the clock, or name your"
                                " certificates in ca_file"),
    [RTK_FAILURE_CA_FILE] = FATAL(RTK_KIND_NETWORK,
                                  "install the package ca-certificates, or"
                                  " name your certificates in ca_file"),
    [RTK_FAILURE_TIMEOUT] = AGAIN(RTK_KIND_TIMEOUT,
                                  "check the network, or allow more time"),
    [RTK_FAILURE_TOO_LARGE] = FAILED(RTK_KIND_REPLY,
                                     "raise max_response_bytes if it is right"),
    [RTK_FAILURE_HEADER] = FAILED(RTK_KIND_REPLY, HINT_BETWEEN),
    [RTK_FAILURE_MEMORY] = FATAL_LAST(RTK_KIND_MEMORY, NULL),
    [RTK_FAILURE_REFUSED] = AGAIN(RTK_KIND_NETWORK, "try again later"),
    [RTK_FAILURE_FILES] = FATAL_LAST(RTK_KIND_NETWORK,
                                     "raise it (ulimit -n), or close files"),
    [RTK_FAILURE_OTHER] = FAILED(RTK_KIND_NETWORK, NULL),
};
/* clang-format on */

/* --- the envelope --------------------------------------------------------- */

/* One error of the envelope; the causes of errors[] follow it, outermost
** first. */
struct reason {
  const char *message; /* borrowed from the JSON; NULL when there is none */
  int64_t code;        /* 0 when there is none */
  int entry;           /* of errors[], from 0 */
};

struct envelope {
  const struct rtk_ask *ask;
  const struct rtk_response *response;
  struct rtk_text body;  /* the response's, or of a text what it is made into */
  char *made;            /* that; owned */
  struct rtk_json *root; /* NULL when the body is not JSON */
  bool is_ours;          /* has the marks of the API's own errors */
  bool is_refusal;       /* "success": false */
  struct reason reasons[RTK_ERRORS_MAX];
  int reason_count;
  int entry_count; /* of errors[], as far as they were read */
};

/* An error is an object, or plain words. */
static void add_reason(struct envelope *envelope, const struct rtk_json *error,
                       bool has_code, int entry) {
  const struct rtk_json *message = rtk_json_kind(error) == RTK_JSON_STRING
                                       ? error
                                       : rtk_json_member(error, "message");
  const struct rtk_json *code =
      has_code ? rtk_json_member(error, "code") : NULL;
  struct reason reason = {rtk_json_string(message), rtk_json_int(code, 0),
                          entry};
  if (reason.message == NULL && reason.code == 0) return;
  if (envelope->reason_count == RTK_ERRORS_MAX) return;
  envelope->reasons[envelope->reason_count++] = reason;
}

/* Each of errors[], and behind it the first of its error_chain, and so on. */
static void read_errors(struct envelope *envelope,
                        const struct rtk_json *errors) {
  const struct rtk_json *first = NULL;
  if (rtk_json_kind(errors) == RTK_JSON_STRING) {
    add_reason(envelope, errors, true, 0);
  } else if (rtk_json_kind(errors) == RTK_JSON_ARRAY) {
    while (envelope->entry_count < RTK_ERRORS_MAX &&
           (first = rtk_json_next_row(errors, first)) != NULL) {
      const struct rtk_json *error = first;
      for (int i = 0; error != NULL && i < RTK_ERROR_CHAIN_MAX; i++) {
        add_reason(envelope, error, true, envelope->entry_count);
        error = rtk_json_first(rtk_json_member(error, "error_chain"));
      }
      envelope->entry_count++;
    }
  }
}

/* What is read as a reply of the API.  Of the host of a link it is a text, or
** nothing: what else it says is not shown, for it may hold the link. */
static int find_body(struct envelope *envelope) {
  const struct rtk_response *response = envelope->response;
  bool is_whole =
      response->failure == RTK_FAILURE_NONE && response->status == 200;
  if (!response->is_of_link) {
    envelope->body = (struct rtk_text){response->body, response->body_size};
    return SQLITE_OK;
  }
  if (!is_whole) return SQLITE_OK;
  int rc =
      rtk_text_as_reply(envelope->ask->endpoint, response, &envelope->made);
  if (rc == SQLITE_OK) {
    envelope->body = (struct rtk_text){envelope->made, strlen(envelope->made)};
  }
  return rc == SQLITE_NOMEM ? rc : SQLITE_OK;
}

static int read_envelope(struct envelope *envelope) {
  struct rtk_text body = envelope->body;
  if (body.size == 0) return SQLITE_OK;
  int rc = rtk_json_parse(body.bytes, body.size, &envelope->root);
  if (rc != SQLITE_OK) return rc == SQLITE_NOMEM ? rc : SQLITE_OK;

  const struct rtk_json *root = envelope->root;
  const struct rtk_json *success = rtk_json_member(root, "success");
  const struct rtk_json *errors = rtk_json_member(root, "errors");
  const struct rtk_json *error = rtk_json_member(root, "error");
  envelope->is_refusal =
      rtk_json_kind(success) == RTK_JSON_BOOL && !rtk_json_is_true(success);
  envelope->is_ours = envelope->is_refusal || rtk_json_first(errors) != NULL;
  read_errors(envelope, errors);
  if (envelope->reason_count == 0) add_reason(envelope, error, true, 0);
  if (envelope->reason_count == 0 && rtk_json_kind(root) == RTK_JSON_OBJECT) {
    add_reason(envelope, root, false, 0);
  }
  return SQLITE_OK;
}

static bool has_code(const struct envelope *envelope, int code) {
  for (int i = 0; i < envelope->reason_count; i++) {
    if (envelope->reasons[i].code == code) return true;
  }
  return code == 0;
}

/* Of a failure: does it come from the other side? */
static bool is_of_host(enum rtk_failure failure) {
  return failures[failure].kind == RTK_KIND_NETWORK &&
         failure != RTK_FAILURE_CA_FILE && failure != RTK_FAILURE_FILES &&
         failure != RTK_FAILURE_PROXY;
}

static struct meaning meaning_of(const struct envelope *envelope) {
  const struct rtk_response *response = envelope->response;
  const struct rule *rule = response->is_of_link ? link_rules : rules;
  if (response->failure != RTK_FAILURE_NONE) {
    struct meaning meaning = failures[response->failure];
    if (response->is_of_link && is_of_host(response->failure)) {
      meaning.outcome = RTK_OUTCOME_FAILED;
      meaning.hint = HINT_LINK;
    }
    return meaning;
  }
  while (response->status < rule->from || response->status > rule->to ||
         !has_code(envelope, rule->code)) {
    rule++; /* the last one fits all */
  }
  return rule->meaning;
}

enum rtk_retry_kind rtk_status_retry(const struct rtk_response *response) {
  const struct envelope unread = {.response = response};
  return meaning_of(&unread).retry;
}

/* --- messages ------------------------------------------------------------- */

static void say(sqlite3_str *out, const struct envelope *envelope,
                const char *text, size_t max) {
  rtk_sanitize(out, text, strlen(text), max, envelope->ask->token);
}

static void say_reasons(sqlite3_str *out, const struct envelope *envelope) {
  for (int i = 0; i < envelope->reason_count; i++) {
    const struct reason *reason = &envelope->reasons[i];
    const char *message = reason->message == NULL ? "error" : reason->message;
    if (i > 0) {
      bool is_cause = envelope->reasons[i - 1].entry == reason->entry;
      sqlite3_str_appendall(out, is_cause ? ": " : "; ");
    }
    say(out, envelope, message, RTK_SHOWN_TEXT_MAX);
    if (reason->code != 0) {
      sqlite3_str_appendf(out, " (code %lld)", (long long)reason->code);
    }
  }
}

/* Of a body that is not the API's only type and length are shown. */
static void say_body(sqlite3_str *out, const struct envelope *envelope) {
  const struct rtk_response *response = envelope->response;
  const char *type = response->content_type;
  if (response->body_size == 0) {
    sqlite3_str_appendall(out, "empty reply");
    return;
  }
  sqlite3_str_appendf(out, "the reply is %s (",
                      envelope->root == NULL ? "not JSON" : "no error message");
  say(out, envelope, type[0] == '\0' ? "no content type" : type,
      RTK_SHOWN_ID_MAX);
  sqlite3_str_appendf(out, ", %lld bytes)", (long long)response->body_size);
}

/* "HTTP 404 for session 'a' on page 2 (2 tries): " */
static void say_request(sqlite3_str *out, const struct envelope *envelope) {
  const struct rtk_ask *ask = envelope->ask;
  int status = envelope->response->status;
  if (status == 0) sqlite3_str_appendall(out, "no reply");
  if (status != 0) sqlite3_str_appendf(out, "HTTP %d", status);
  if (envelope->response->is_of_link) {
    sqlite3_str_appendall(out, " from the link's host");
  }
  if (ask->id.size > 0) {
    sqlite3_str_appendf(out, " for %s '", ask->endpoint->noun);
    rtk_sanitize(out, ask->id.bytes, ask->id.size, RTK_SHOWN_ID_MAX,
                 ask->token);
    sqlite3_str_appendall(out, "'");
  }
  if (ask->page > 1) sqlite3_str_appendf(out, " on page %d", ask->page);
  if (ask->tries > 1) sqlite3_str_appendf(out, " (%d tries)", ask->tries);
  sqlite3_str_appendall(out, ": ");
}

/* "; try again later [cf-ray 8a]" */
static void say_hint(sqlite3_str *out, const struct envelope *envelope,
                     const struct meaning *meaning) {
  const struct rtk_ask *ask = envelope->ask;
  if (ask->go_on_after != NULL) {
    sqlite3_str_appendf(out,
                        "; the server asks for a wait longer than max_wait_ms:"
                        " go on after %s",
                        ask->go_on_after);
  } else if (meaning->hint != NULL) {
    sqlite3_str_appendall(out, "; ");
    if (is_about_token(meaning)) {
      sqlite3_str_appendf(out, "the API token (%s) ", ask->token_source);
    }
    sqlite3_str_appendall(out, meaning->hint);
  }
  if (envelope->response->cf_ray[0] != '\0' &&
      !envelope->response->is_of_link) {
    sqlite3_str_appendall(out, " [cf-ray ");
    say(out, envelope, envelope->response->cf_ray, RTK_SHOWN_ID_MAX);
    sqlite3_str_appendall(out, "]");
  }
}

/* A reply without rows.  `what`: NULL to tell what the body says. */
static int reply_error(const struct envelope *envelope, struct meaning meaning,
                       const char *what, struct rtk_reply **reply) {
  sqlite3_str *out = sqlite3_str_new(NULL);
  say_request(out, envelope);
  if (what != NULL) {
    say(out, envelope, what, RTK_SHOWN_TEXT_MAX);
  } else if (envelope->reason_count > 0) {
    say_reasons(out, envelope);
  } else {
    say_body(out, envelope);
  }
  say_hint(out, envelope, &meaning);
  char *message = sqlite3_str_finish(out);
  if (message == NULL) return SQLITE_NOMEM;
  struct rtk_reply draft = {.outcome = meaning.outcome,
                            .http_status = envelope->response->status,
                            .error = message,
                            .kind = meaning.kind,
                            .retry_unix_ms = envelope->ask->go_on_unix_ms};
  int rc = rtk_reply_of_error(&draft, reply);
  sqlite3_free(message);
  return rc;
}

/* --- the verdict ---------------------------------------------------------- */

static int64_t find_total(const struct rtk_endpoint *endpoint,
                          const struct rtk_json *root) {
  for (size_t i = 0; i < 2 && endpoint->paging[i] != NULL; i++) {
    const struct rtk_json *paging = rtk_json_at(root, endpoint->paging[i]);
    int64_t total = rtk_json_int(rtk_json_member(paging, "total_count"), -1);
    if (total >= 0) return total;
  }
  return -1;
}

/* The rows of the reply, or NULL.  Where the schema has them inside "data",
** null there means no rows; so it does in a list of 0. */
static const struct rtk_json *find_rows(const struct rtk_endpoint *endpoint,
                                        const struct rtk_json *root,
                                        bool *is_none) {
  *is_none = false;
  for (size_t i = 0; i < 2 && endpoint->rows[i] != NULL; i++) {
    const struct rtk_json *node = rtk_json_at(root, endpoint->rows[i]);
    enum rtk_json_kind kind = rtk_json_kind(node);
    if (kind == RTK_JSON_OBJECT) return node;
    /* One row in an array is the row. */
    if (kind == RTK_JSON_ARRAY &&
        (endpoint->is_list || rtk_json_row_count(node) == 1)) {
      return node;
    }
    if (kind == RTK_JSON_NULL && (strchr(endpoint->rows[i], '.') != NULL ||
                                  find_total(endpoint, root) == 0)) {
      *is_none = true;
    }
  }
  if (endpoint->rows[0] != NULL) return NULL;
  return rtk_json_kind(root) == RTK_JSON_OBJECT ? root : NULL;
}

/* What is wrong with the rows; NULL: nothing. */
static const char *look_at_rows(const struct rtk_endpoint *endpoint,
                                const struct rtk_json *rows) {
  bool is_text = endpoint->has_text_rows;
  size_t count = rtk_json_row_count(rows);
  if (endpoint->link != NULL && count > RTK_LINES_MAX) {
    return "the text has more than " RTK_TEXT_OF(RTK_LINES_MAX) " rows";
  }
  if (endpoint->link == NULL && count > RTK_ROWS_MAX) {
    return "the reply has more than " RTK_TEXT_OF(RTK_ROWS_MAX) " rows";
  }
  if (rtk_json_has_only(rows, is_text ? RTK_JSON_STRING : RTK_JSON_OBJECT)) {
    return NULL;
  }
  return is_text ? "an item of the list is no text"
                 : "an item of the list is no object";
}

/* Why a 200 has no rows.  *what: a fault of the rows; or NULL, and then it may
** be found here. */
static struct meaning fault_of(const struct envelope *envelope,
                               const char **what) {
  struct meaning fault = FAILED(RTK_KIND_REPLY, NULL);
  if (envelope->response->is_of_link) {
    if (*what == NULL)
      *what = "the text is damaged, too long, or a page for people";
  } else if (envelope->root == NULL) {
    bool is_json = strstr(envelope->response->content_type, "json") != NULL;
    fault.hint =
        is_json ? "the reply is damaged, or holds what SQLite's text cannot"
                : "something other than the API answered: check base_url"
                  " and proxy";
    if (!is_json) fault.kind = RTK_KIND_NOT_API;
  } else if (envelope->reason_count == 0) {
    fault.hint = "check base_url, and report it if it is right";
    if (*what != NULL) return fault;
    *what = envelope->is_refusal
                ? "\"success\" is false, with no reason given"
                : "the reply has no \"data\" of the expected form";
  }
  return fault;
}

/* The link to the text, if this is a reply that has one: "" where there is no
** text yet. */
static const char *find_link(const struct envelope *envelope) {
  const char *path = envelope->ask->endpoint->link;
  if (path == NULL || envelope->response->is_of_link || envelope->is_refusal) {
    return NULL;
  }
  const struct rtk_json *link = rtk_json_at(envelope->root, path);
  return rtk_json_kind(link) == RTK_JSON_NULL ? "" : rtk_json_string(link);
}

static int judge_link(const struct envelope *envelope, const char *link,
                      struct rtk_verdict *verdict) {
  static const char refused[] =
      "the link to the text is not followed: it is not https, or leads to a"
      " private address";
  struct meaning fault = FAILED(RTK_KIND_REPLY, "check base_url");
  int rc = rtk_address_check_link(link, envelope->ask->is_local_too);
  if (rc == SQLITE_OK) verdict->link = link;
  return rc == SQLITE_ERROR
             ? reply_error(envelope, fault, refused, &verdict->reply)
             : rc;
}

/* A 200, whose body may still be wrong. */
static int judge_data(const struct envelope *envelope,
                      struct rtk_verdict *verdict) {
  const struct rtk_response *response = envelope->response;
  const struct rtk_endpoint *endpoint = envelope->ask->endpoint;
  const char *what = NULL;
  const char *link = find_link(envelope);
  bool is_none = false;
  if (link != NULL && link[0] != '\0') {
    return judge_link(envelope, link, verdict);
  }
  struct rtk_reply_source source = {
      .rows = find_rows(endpoint, envelope->root, &is_none),
      .text = envelope->body.bytes,
      .body = envelope->body,
      .total_count = find_total(endpoint, envelope->root)};
  /* A single object is the whole of its list. */
  if (rtk_json_kind(source.rows) == RTK_JSON_OBJECT) source.total_count = 1;
  if (source.rows != NULL) what = look_at_rows(endpoint, source.rows);
  if (!envelope->is_refusal && what == NULL &&
      (source.rows != NULL || is_none || link != NULL)) {
    size_t bom = rtk_json_bom_size(source.body.bytes, source.body.size);
    source.body.bytes += bom;
    source.body.size -= bom;
    verdict->rows = source.rows;
    return rtk_reply_of_rows(endpoint, response->status, &source,
                             &verdict->reply);
  }
  struct meaning fault = fault_of(envelope, &what);
  return reply_error(envelope, fault, what, &verdict->reply);
}

/* 8-4-4-4-12 hex digits. */
static bool is_guid(struct rtk_text id) {
  if (id.size != 36) return false;
  for (size_t i = 0; i < id.size; i++) {
    bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? id.bytes[i] != '-'
                : strchr("0123456789abcdefABCDEF", id.bytes[i]) == NULL) {
      return false;
    }
  }
  return true;
}

static bool says_no_guid(const struct envelope *envelope, int entry) {
  for (int i = 0; i < envelope->reason_count; i++) {
    const struct reason *reason = &envelope->reasons[i];
    if (reason->entry == entry && reason->message != NULL &&
        strstr(reason->message, "\"id\" must be a valid GUID") != NULL) {
      return true;
    }
  }
  return false;
}

/* The API's 400 for an id that is no GUID: nothing can have such an id.  Any
** other error beside it is an error of the request. */
static bool is_no_guid(const struct envelope *envelope) {
  const struct rtk_ask *ask = envelope->ask;
  if (ask->id.size == 0 || ask->page > 1 || is_guid(ask->id)) return false;
  int entry = 0;
  do {
    if (!says_no_guid(envelope, entry)) return false;
  } while (++entry < envelope->entry_count);
  return true;
}

/* Only an id can be "not found": not a list without an id, and not a later page
** of a list. */
static void judge_gone(const struct envelope *envelope,
                       struct meaning *meaning) {
  const struct rtk_ask *ask = envelope->ask;
  bool is_id = ask->id.size > 0 && ask->page <= 1;
  if (envelope->is_ours && is_id) {
    meaning->hint = NULL;
    return;
  }
  meaning->outcome = RTK_OUTCOME_FAILED;
  if (envelope->is_ours) {
    meaning->kind = RTK_KIND_REQUEST;
    meaning->hint = ask->page > 1
                        ? "the list has changed while it was read: try again"
                        : HINT_ROUTE;
  }
}

/* A 401 or 403 that is not the API's says nothing about the token.  An empty
** reply may be the API's, an empty HTML page is not. */
static bool is_not_api(const struct envelope *envelope) {
  const struct rtk_response *response = envelope->response;
  bool is_html = sqlite3_strnicmp(response->content_type, "text/html", 9) == 0;
  return !envelope->is_ours && (response->body_size > 0 || is_html);
}

static int judge(const struct envelope *envelope, struct rtk_verdict *verdict) {
  const struct rtk_response *response = envelope->response;
  struct meaning meaning = meaning_of(envelope);
  bool is_failure = response->failure != RTK_FAILURE_NONE;
  const char *what = is_failure ? response->detail : NULL;
  if (meaning.outcome == RTK_OUTCOME_ROWS) {
    return judge_data(envelope, verdict);
  }
  if (is_failure) {
    /* Nothing came that could tell more. */
  } else if (response->is_of_link) {
    what = meaning.hint;
    meaning.hint = NULL;
  } else if (response->status == 400 && is_no_guid(envelope)) {
    meaning.outcome = RTK_OUTCOME_GONE;
  } else if (meaning.outcome == RTK_OUTCOME_GONE) {
    judge_gone(envelope, &meaning);
  } else if (is_about_token(&meaning) && is_not_api(envelope)) {
    meaning.hint = HINT_IN_FRONT;
    meaning.kind = RTK_KIND_NOT_API;
  }
  return reply_error(envelope, meaning, what, &verdict->reply);
}

int rtk_status_judge(const struct rtk_ask *ask,
                     const struct rtk_response *response,
                     struct rtk_verdict *verdict) {
  struct envelope envelope = {.ask = ask, .response = response};
  *verdict = (struct rtk_verdict){0};
  int rc = find_body(&envelope);
  if (rc == SQLITE_OK) rc = read_envelope(&envelope);
  if (rc == SQLITE_OK) rc = judge(&envelope, verdict);
  verdict->document = envelope.root;
  verdict->is_api =
      envelope.is_ours ||
      rtk_json_kind(rtk_json_member(envelope.root, "success")) == RTK_JSON_BOOL;
  sqlite3_free(envelope.made);
  if (rc != SQLITE_OK) rtk_verdict_deinit(verdict);
  return rc;
}

void rtk_verdict_deinit(struct rtk_verdict *verdict) {
  rtk_json_free(verdict->document);
  verdict->document = NULL;
  verdict->rows = NULL;
  verdict->link = NULL;
}
