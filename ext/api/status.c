/*
** What a response means.
**
** No error reply of these endpoints is documented.  The shapes understood
** here are those that the rest of Cloudflare's API sends: errors[] with a
** nested error_chain, a single error, a bare message, HTML, and nothing.
*/
#include "api/status.h"

#include "api/endpoint.h"
#include "api/json.h"
#include "api/reply.h"
#include "base/limits.h"
#include "base/show.h"
#include "net/http.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* --- the rules -------------------------------------------------------------
** The first that fits holds. */

struct rule {
  int from, to; /* HTTP status */
  int code;     /* one of the error codes in the body; 0: whatever it is */
  enum rtk_outcome outcome;
  enum rtk_retry_kind retry;
  bool is_about_token; /* the hint goes on from "the API token (from …)" */
  const char *hint;
  enum rtk_kind kind;
};

#define HINT_TOKEN_FORM "is malformed: copy it again, without quotes or spaces"
#define HINT_PROXY "check the proxy: setting proxy, HTTPS_PROXY and NO_PROXY"
#define HINT_IN_FRONT                                                          \
  "this is not the API's own answer: a firewall, a proxy or a log-in page"     \
  " stands in front of it"
#define HINT_ROUTE                                                             \
  "the account or the app is wrong: compare both with the dashboard"

static const struct rule rules[] = {
    {200, 200, 0, RTK_OUTCOME_ROWS, RTK_RETRY_NEVER, false, NULL,
     RTK_KIND_REPLY},
    {201, 299, 0, RTK_OUTCOME_FAILED, RTK_RETRY_NEVER, false,
     "only 200 carries data: check base_url", RTK_KIND_NOT_API},
    {300, 399, 0, RTK_OUTCOME_FAILED, RTK_RETRY_NEVER, false,
     "redirects are not followed, to keep the token where it belongs:"
     " check base_url",
     RTK_KIND_NOT_API},
    {400, 400, 6003, RTK_OUTCOME_CALLER, RTK_RETRY_NEVER, true, HINT_TOKEN_FORM,
     RTK_KIND_TOKEN},
    {400, 400, 6111, RTK_OUTCOME_CALLER, RTK_RETRY_NEVER, true, HINT_TOKEN_FORM,
     RTK_KIND_TOKEN},
    {401, 401, 0, RTK_OUTCOME_CALLER, RTK_RETRY_NEVER, true,
     "is not accepted: it is wrong, expired or revoked", RTK_KIND_TOKEN},
    {403, 403, 0, RTK_OUTCOME_DENIED, RTK_RETRY_NEVER, true,
     "needs the permission \"Realtime\" or \"Realtime Admin\" for this"
     " account",
     RTK_KIND_DENIED},
    {404, 404, 7000, RTK_OUTCOME_FAILED, RTK_RETRY_NEVER, false, HINT_ROUTE,
     RTK_KIND_REQUEST},
    {404, 404, 7003, RTK_OUTCOME_FAILED, RTK_RETRY_NEVER, false, HINT_ROUTE,
     RTK_KIND_REQUEST},
    {404, 404, 0, RTK_OUTCOME_GONE, RTK_RETRY_NEVER, false,
     "this address does not speak the API: check base_url, which ends in"
     " /client/v4",
     RTK_KIND_NOT_API},
    {407, 407, 0, RTK_OUTCOME_FAILED, RTK_RETRY_NEVER, false, HINT_PROXY,
     RTK_KIND_NETWORK},
    {408, 409, 0, RTK_OUTCOME_FAILED, RTK_RETRY_AGAIN, false, "try again later",
     RTK_KIND_SERVER},
    {429, 429, 0, RTK_OUTCOME_CALLER, RTK_RETRY_PAUSE, false,
     "the quota of the token is used up: try again later", RTK_KIND_QUOTA},
    {400, 499, 0, RTK_OUTCOME_FAILED, RTK_RETRY_NEVER, false, NULL,
     RTK_KIND_REQUEST},
    {500, 599, 0, RTK_OUTCOME_FAILED, RTK_RETRY_AGAIN, false,
     "the server is in trouble: try again later", RTK_KIND_SERVER},
    {0, 999, 0, RTK_OUTCOME_FAILED, RTK_RETRY_NEVER, false, "check base_url",
     RTK_KIND_NOT_API},
};

/* The same for a request that got no whole reply. */
static const struct {
  enum rtk_outcome outcome;
  enum rtk_retry_kind retry;
  const char *hint;
  enum rtk_kind kind;
} failures[RTK_FAILURE_COUNT] = {
    [RTK_FAILURE_RESOLVE] = {RTK_OUTCOME_FAILED, RTK_RETRY_AGAIN,
                             "check the network and base_url",
                             RTK_KIND_NETWORK},
    [RTK_FAILURE_CONNECT] = {RTK_OUTCOME_FAILED, RTK_RETRY_AGAIN,
                             "check the network, base_url and the proxy, if"
                             " there is one",
                             RTK_KIND_NETWORK},
    [RTK_FAILURE_PROXY] = {RTK_OUTCOME_FAILED, RTK_RETRY_AGAIN, HINT_PROXY,
                           RTK_KIND_NETWORK},
    [RTK_FAILURE_TLS] = {RTK_OUTCOME_FAILED, RTK_RETRY_AGAIN,
                         "check base_url and what stands between",
                         RTK_KIND_NETWORK},
    [RTK_FAILURE_TRUST] = {RTK_OUTCOME_CALLER, RTK_RETRY_NEVER,
                           "check base_url and the clock, or name your"
                           " certificates in ca_file",
                           RTK_KIND_NETWORK},
    [RTK_FAILURE_CA_FILE] = {RTK_OUTCOME_CALLER, RTK_RETRY_NEVER,
                             "install the package ca-certificates, or name"
                             " your certificates in ca_file",
                             RTK_KIND_NETWORK},
    [RTK_FAILURE_TIMEOUT] = {RTK_OUTCOME_FAILED, RTK_RETRY_AGAIN,
                             "check the network, or allow more time",
                             RTK_KIND_TIMEOUT},
    [RTK_FAILURE_TOO_LARGE] = {RTK_OUTCOME_FAILED, RTK_RETRY_NEVER,
                               "raise max_response_bytes if it is right",
                               RTK_KIND_REPLY},
    [RTK_FAILURE_HEADER] = {RTK_OUTCOME_FAILED, RTK_RETRY_NEVER,
                            "check base_url and what stands between",
                            RTK_KIND_REPLY},
    [RTK_FAILURE_MEMORY] = {RTK_OUTCOME_CALLER, RTK_RETRY_AGAIN, NULL,
                            RTK_KIND_MEMORY},
    [RTK_FAILURE_REFUSED] = {RTK_OUTCOME_FAILED, RTK_RETRY_AGAIN,
                             "try again later", RTK_KIND_NETWORK},
    [RTK_FAILURE_FILES] = {RTK_OUTCOME_CALLER, RTK_RETRY_AGAIN,
                           "raise it (ulimit -n), or close files",
                           RTK_KIND_NETWORK},
    [RTK_FAILURE_OTHER] = {RTK_OUTCOME_FAILED, RTK_RETRY_NEVER, NULL,
                           RTK_KIND_NETWORK},
};

/* --- the envelope --------------------------------------------------------- */

/* One error of the envelope: of each of errors[] from the outermost to the innermost
** cause. */
struct reason {
  const char *message; /* borrowed from the JSON; NULL when there is none */
  int64_t code;        /* 0 when there is none */
  int entry;           /* of errors[], from 0 */
};

struct envelope {
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

static int read_envelope(const struct rtk_response *response,
                         struct envelope *envelope) {
  memset(envelope, 0, sizeof(*envelope));
  if (response->body_size == 0) return SQLITE_OK;
  int rc = rtk_json_parse(response->body, response->body_size, &envelope->root);
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

static const struct rule *find_rule(int status,
                                    const struct envelope *envelope) {
  const struct rule *rule = rules;
  while (status < rule->from || status > rule->to ||
         !has_code(envelope, rule->code)) {
    rule++; /* the last one fits all */
  }
  return rule;
}

enum rtk_retry_kind rtk_status_retry(const struct rtk_response *response) {
  static const struct envelope unread;
  if (response->failure != RTK_FAILURE_NONE) {
    return failures[response->failure].retry;
  }
  return find_rule(response->status, &unread)->retry;
}

/* --- messages ------------------------------------------------------------- */

static void say_reasons(sqlite3_str *out, const struct rtk_ask *ask,
                        const struct envelope *envelope) {
  for (int i = 0; i < envelope->reason_count; i++) {
    const struct reason *reason = &envelope->reasons[i];
    const char *message = reason->message == NULL ? "error" : reason->message;
    if (i > 0) {
      bool is_cause = envelope->reasons[i - 1].entry == reason->entry;
      sqlite3_str_appendall(out, is_cause ? ": " : "; ");
    }
    rtk_show(out, message, strlen(message), RTK_SHOW_TEXT_MAX, ask->token);
    if (reason->code != 0) {
      sqlite3_str_appendf(out, " (code %lld)", (long long)reason->code);
    }
  }
}

/* Of a body that is not the API's only its type and length are told. */
static void say_body(sqlite3_str *out, const struct rtk_ask *ask,
                     const struct envelope *envelope,
                     const struct rtk_response *response) {
  const char *type = response->content_type;
  if (response->body_size == 0) {
    sqlite3_str_appendall(out, "empty reply");
    return;
  }
  sqlite3_str_appendall(out, envelope->root == NULL ? "the reply is not JSON"
                                                    : "the reply is no error"
                                                      " message");
  sqlite3_str_appendall(out, " (");
  if (type[0] == '\0') type = "no content type";
  rtk_show(out, type, strlen(type), RTK_SHOW_ID_MAX, ask->token);
  sqlite3_str_appendf(out, ", %lld bytes)", (long long)response->body_size);
}

static void say_whose(sqlite3_str *out, const struct rtk_ask *ask) {
  if (ask->id.size > 0) {
    sqlite3_str_appendf(out, " for %s '", ask->endpoint->noun);
    rtk_show(out, ask->id.bytes, ask->id.size, RTK_SHOW_ID_MAX, ask->token);
    sqlite3_str_appendall(out, "'");
  }
  if (ask->page > 1) sqlite3_str_appendf(out, " on page %d", ask->page);
}

/* What a reply without rows says: `what` in the middle, or NULL to tell what the
** body says, and a hint, or NULL. */
struct finding {
  enum rtk_outcome outcome;
  const char *what;
  const char *hint;
  bool is_about_token;
  enum rtk_kind kind;
};

static char *make_message(const struct rtk_ask *ask,
                          const struct rtk_response *response,
                          const struct envelope *envelope,
                          const struct finding *finding) {
  sqlite3_str *out = sqlite3_str_new(NULL);
  if (response->status != 0) {
    sqlite3_str_appendf(out, "HTTP %d", response->status);
  } else {
    sqlite3_str_appendall(out, "no reply");
  }
  say_whose(out, ask);
  if (ask->tries > 1) sqlite3_str_appendf(out, " (%d tries)", ask->tries);
  sqlite3_str_appendall(out, ": ");
  if (finding->what != NULL) {
    rtk_show(out, finding->what, strlen(finding->what), RTK_SHOW_TEXT_MAX,
             ask->token);
  } else if (envelope->reason_count > 0) {
    say_reasons(out, ask, envelope);
  } else {
    say_body(out, ask, envelope, response);
  }
  if (ask->go_on_after != NULL) {
    sqlite3_str_appendf(out,
                        "; the server asks for a wait longer than max_wait_ms:"
                        " go on after %s",
                        ask->go_on_after);
  } else if (finding->hint != NULL) {
    sqlite3_str_appendall(out, "; ");
    if (finding->is_about_token) {
      sqlite3_str_appendf(out, "the API token (%s) ", ask->token_source);
    }
    sqlite3_str_appendall(out, finding->hint);
  }
  if (response->cf_ray[0] != '\0') {
    sqlite3_str_appendall(out, " [cf-ray ");
    rtk_show(out, response->cf_ray, strlen(response->cf_ray), RTK_SHOW_ID_MAX,
             ask->token);
    sqlite3_str_appendall(out, "]");
  }
  return sqlite3_str_finish(out);
}

/* --- the last word -------------------------------------------------------- */

static int reply_error(const struct rtk_ask *ask,
                       const struct rtk_response *response,
                       const struct envelope *envelope, struct finding finding,
                       struct rtk_reply **reply) {
  char *message = make_message(ask, response, envelope, &finding);
  if (message == NULL) return SQLITE_NOMEM;
  struct rtk_reply draft = {.outcome = finding.outcome,
                            .http_status = response->status,
                            .error = message,
                            .kind = finding.kind,
                            .retry_unix_ms = ask->go_on_unix_ms};
  int rc = rtk_reply_of_error(&draft, reply);
  sqlite3_free(message);
  return rc;
}

static int64_t find_total(const struct rtk_endpoint *endpoint,
                          const struct rtk_json *root) {
  for (size_t i = 0; i < 2 && endpoint->paging[i] != NULL; i++) {
    const struct rtk_json *paging = rtk_json_at(root, endpoint->paging[i]);
    int64_t total = rtk_json_int(rtk_json_member(paging, "total_count"), -1);
    if (total >= 0) return total;
  }
  return -1;
}

/* The rows of the reply, or NULL.  Where the schema says that they are inside
** "data", null there is "none"; so it is in a list of 0. */
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
static const char *look_at_rows(const struct rtk_json *rows) {
  if (rtk_json_row_count(rows) > RTK_ROWS_MAX) {
    return "the reply has more than " RTK_TEXT_OF(RTK_ROWS_MAX) " rows";
  }
  return rtk_json_has_objects_only(rows) ? NULL
                                         : "an item of the list is no object";
}

/* Why a 200 has no rows. */
static void find_fault(const struct rtk_response *response,
                       const struct envelope *envelope,
                       struct finding *finding) {
  if (envelope->root == NULL) {
    bool is_json = strstr(response->content_type, "json") != NULL;
    finding->hint =
        is_json ? "the reply is damaged, or holds what SQLite's text cannot"
                : "something other than the API answered: check base_url and"
                  " proxy";
    if (!is_json) finding->kind = RTK_KIND_NOT_API;
  } else if (envelope->reason_count == 0) {
    if (finding->what == NULL) {
      finding->what = envelope->is_refusal
                          ? "\"success\" is false, with no reason given"
                          : "the reply has no \"data\" of the expected form";
    }
    finding->hint = "check base_url, and report it if it is right";
  }
}

/* A 200 whose body may yet not be what it should. */
static int judge_data(const struct rtk_ask *ask,
                      const struct rtk_response *response,
                      const struct envelope *envelope,
                      struct rtk_verdict *verdict) {
  struct finding finding = {.outcome = RTK_OUTCOME_FAILED,
                            .kind = RTK_KIND_REPLY};
  bool is_none = false;
  struct rtk_reply_source source = {
      .rows = find_rows(ask->endpoint, envelope->root, &is_none),
      .text = response->body,
      .body = {response->body, response->body_size},
      .total_count = find_total(ask->endpoint, envelope->root)};
  /* A single object is the whole of its list. */
  if (rtk_json_kind(source.rows) == RTK_JSON_OBJECT) source.total_count = 1;
  if (source.rows != NULL) finding.what = look_at_rows(source.rows);
  if (!envelope->is_refusal && finding.what == NULL &&
      (source.rows != NULL || is_none)) {
    size_t bom = rtk_json_bom_size(source.body.bytes, source.body.size);
    source.body.bytes += bom;
    source.body.size -= bom;
    verdict->rows = source.rows;
    return rtk_reply_of_rows(ask->endpoint, response->status, &source,
                             &verdict->reply);
  }
  find_fault(response, envelope, &finding);
  return reply_error(ask, response, envelope, finding, &verdict->reply);
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

/* The API's 400 to an id that is no GUID: nothing can have it.  An error beside it
** is one of the request. */
static bool is_no_guid(const struct rtk_ask *ask,
                       const struct envelope *envelope) {
  if (ask->id.size == 0 || ask->page > 1 || is_guid(ask->id)) return false;
  int entry = 0;
  do {
    if (!says_no_guid(envelope, entry)) return false;
  } while (++entry < envelope->entry_count);
  return true;
}

/* What is not there is an id: neither a list that nothing else is asked by, nor
** one of the pages of a list that has begun. */
static void judge_gone(const struct rtk_ask *ask,
                       const struct envelope *envelope,
                       struct finding *finding) {
  bool is_id = ask->id.size > 0 && ask->page <= 1;
  if (envelope->is_ours && is_id) {
    finding->hint = NULL;
    return;
  }
  finding->outcome = RTK_OUTCOME_FAILED;
  if (envelope->is_ours) {
    finding->kind = RTK_KIND_REQUEST;
    finding->hint = ask->page > 1
                        ? "the list has changed while it was read: try again"
                        : HINT_ROUTE;
  }
}

/* Such a reply is without words, and yet for people. */
static bool is_empty_page(const struct rtk_response *response) {
  return response->body_size == 0 &&
         sqlite3_strnicmp(response->content_type, "text/html", 9) == 0;
}

/* 401 and 403 that are not the API's say nothing of the token; nothing at all might
** be the API's. */
static void judge_refusal(const struct rtk_response *response,
                          const struct envelope *envelope,
                          struct finding *finding) {
  if (envelope->is_ours) return;
  if (response->body_size == 0 && !is_empty_page(response)) return;
  finding->is_about_token = false;
  finding->hint = HINT_IN_FRONT;
  finding->kind = RTK_KIND_NOT_API;
}

static int judge(const struct rtk_ask *ask, const struct rtk_response *response,
                 const struct envelope *envelope, struct rtk_verdict *verdict) {
  if (response->failure != RTK_FAILURE_NONE) {
    struct finding failure = {.outcome = failures[response->failure].outcome,
                              .what = response->detail,
                              .hint = failures[response->failure].hint,
                              .kind = failures[response->failure].kind};
    return reply_error(ask, response, envelope, failure, &verdict->reply);
  }
  const struct rule *rule = find_rule(response->status, envelope);
  struct finding finding = {.outcome = rule->outcome,
                            .hint = rule->hint,
                            .is_about_token = rule->is_about_token,
                            .kind = rule->kind};
  if (finding.outcome == RTK_OUTCOME_ROWS) {
    return judge_data(ask, response, envelope, verdict);
  }
  if (response->status == 400 && is_no_guid(ask, envelope)) {
    finding.outcome = RTK_OUTCOME_GONE;
  } else if (finding.outcome == RTK_OUTCOME_GONE) {
    judge_gone(ask, envelope, &finding);
  } else if (finding.is_about_token) {
    judge_refusal(response, envelope, &finding);
  }
  return reply_error(ask, response, envelope, finding, &verdict->reply);
}

int rtk_status_judge(const struct rtk_ask *ask,
                     const struct rtk_response *response,
                     struct rtk_verdict *verdict) {
  struct envelope envelope;
  *verdict = (struct rtk_verdict){0};
  int rc = read_envelope(response, &envelope);
  if (rc == SQLITE_OK) rc = judge(ask, response, &envelope, verdict);
  verdict->document = envelope.root;
  verdict->is_api =
      envelope.is_ours ||
      rtk_json_kind(rtk_json_member(envelope.root, "success")) == RTK_JSON_BOOL;
  if (rc != SQLITE_OK) rtk_verdict_deinit(verdict);
  return rc;
}

void rtk_verdict_deinit(struct rtk_verdict *verdict) {
  rtk_json_free(verdict->document);
  verdict->document = NULL;
  verdict->rows = NULL;
}
