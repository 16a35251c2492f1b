/* What a response means, and the words in which the user is told. */
#include "api/status.h"

#include "api/csv.h"
#include "api/endpoint.h"
#include "api/json.h"
#include "api/reply.h"
#include "base/limits.h"
#include "base/sanitize.h"
#include "net/http.h"

#include "check.h"

#define TOKEN "v1.0-0123456789abcdef0123456789abcdef0123"
#define SOURCE "from CLOUDFLARE_API_TOKEN"
#define JSON "application/json"

#define HINT_REDIRECT                                                          \
  "redirects are not followed, to keep the token where it belongs: check"      \
  " base_url"
#define HINT_FORM                                                              \
  "the API token (" SOURCE ") is malformed: copy it again, without quotes or"  \
  " spaces"
#define HINT_401                                                               \
  "the API token (" SOURCE ") is not accepted: it is wrong, expired or"        \
  " revoked"
#define HINT_403                                                               \
  "the API token (" SOURCE ") needs the permission \"Realtime\" or"            \
  " \"Realtime Admin\" for this account"
#define HINT_FRONT                                                             \
  "this is not the API's own answer: a firewall, a proxy or a log-in page"     \
  " stands in front of it"
#define HINT_ROUTE                                                             \
  "the account or the app is wrong: compare both with the dashboard"
#define HINT_404                                                               \
  "this address does not speak the API: check base_url, which ends in"         \
  " /client/v4"
#define HINT_PROXY "check the proxy: setting proxy, HTTPS_PROXY and NO_PROXY"
#define HINT_LATER "try again later"
#define HINT_429 "the quota of the token is used up: try again later"
#define HINT_5XX "the server is in trouble: try again later"
#define HINT_DAMAGED "the reply is damaged, or holds what SQLite's text cannot"
#define HINT_NO_JSON                                                           \
  "something other than the API answered: check base_url and proxy"
#define HINT_SHAPE "check base_url, and report it if it is right"

#define NO_GUID                                                                \
  "{\"code\":400,\"message\":\"BAD_REQUEST: \\\"id\\\" must be a valid "       \
  "GUID\"}"

#define EMPTY ": empty reply; "
#define FOR " for session 'cf55'"

static struct rtk_ask ask_for(const char *id, int tries) {
  return (struct rtk_ask){.endpoint = &rtk_endpoints[0],
                          .id = {id, strlen(id)},
                          .token = TOKEN,
                          .token_source = SOURCE,
                          .tries = tries};
}

static struct rtk_response response_of(int status, const char *type,
                                       const char *body) {
  struct rtk_response r = {.status = status,
                           .detail = "",
                           .body = body,
                           .body_size = body == NULL ? 0 : strlen(body)};
  sqlite3_snprintf(RTK_HEADER_MAX, r.content_type, "%s", type);
  return r;
}

static struct rtk_reply *judge(const char *name, const struct rtk_ask *ask,
                               const struct rtk_response *response) {
  struct rtk_verdict verdict;
  check_int(name, "judged", rtk_status_judge(ask, response, &verdict),
            SQLITE_OK);
  struct rtk_reply *reply = verdict.reply;
  assert_non_null(reply);
  check_int(name, "rows in the document",
            (int64_t)rtk_json_row_count(verdict.rows), reply->row_count);
  rtk_verdict_deinit(&verdict);
  check_int(name, "http_status", reply->http_status, response->status);
  return reply;
}

/* --- every rule ----------------------------------------------------------- */

enum {
  FAILED = RTK_OUTCOME_FAILED,
  CALLER = RTK_OUTCOME_CALLER,
  DENIED = RTK_OUTCOME_DENIED
};

struct status_case {
  int status, outcome;
  const char *error; /* behind the status and the session */
  const char *body;  /* with ' in place of " */
  const char *type;  /* NULL: JSON, or none if there is no body */
};

static void check_status(const struct status_case *row) {
  struct rtk_ask ask = ask_for("cf55", 1);
  char *body = row->body == NULL ? NULL : check_json(row->body);
  const char *type = row->type != NULL ? row->type : body != NULL ? JSON : "";
  char *begin = row->status == 0 ? sqlite3_mprintf("no reply")
                                 : sqlite3_mprintf("HTTP %d", row->status);
  char *error = sqlite3_mprintf("%s" FOR "%s", begin, row->error);
  struct rtk_response response = response_of(row->status, type, body);
  struct rtk_reply *reply = judge(error, &ask, &response);
  check_int(error, "outcome", reply->outcome, row->outcome);
  check_text(error, "error", reply->error, error);
  rtk_reply_free(reply);
  sqlite3_free(body);
  sqlite3_free(begin);
  sqlite3_free(error);
}

CASE(every_status_is_judged) {
  static const struct status_case cases[] = {
      {100, FAILED, EMPTY "check base_url"},
      {201, FAILED, EMPTY "only 200 carries data: check base_url"},
      {202, FAILED, EMPTY "only 200 carries data: check base_url"},
      {206, FAILED, EMPTY "only 200 carries data: check base_url"},
      {204, FAILED, EMPTY "only 200 carries data: check base_url"},
      {299, FAILED,
       ": the reply is no error message (application/json, 26 bytes); only 200 "
       "carries data: check base_url",
       "{'success':true,'data':{}}"},
      {300, FAILED, EMPTY HINT_REDIRECT},
      {301, FAILED, EMPTY HINT_REDIRECT},
      {399, FAILED, EMPTY HINT_REDIRECT},
      {400, FAILED, ": empty reply"},
      {400, CALLER, ": m (code 6003); " HINT_FORM,
       "{'success':false,'errors':[{'code':6003,'message':'m'}]}"},
      {400, CALLER, ": m (code 6111); " HINT_FORM,
       "{'success':false,'errors':[{'code':6111,'message':'m'}]}"},
      {400, FAILED, ": m (code 6004)",
       "{'success':false,'errors':[{'code':6004,'message':'m'}]}"},
      {401, CALLER, EMPTY HINT_401},
      {402, FAILED, ": empty reply"},
      {403, DENIED, EMPTY HINT_403},
      {403, DENIED, ": m (code 7003); " HINT_403,
       "{'success':false,'errors':[{'code':7003,'message':'m'}]}"},
      {405, FAILED, ": empty reply"},
      {407, FAILED, EMPTY HINT_PROXY},
      {408, FAILED, EMPTY HINT_LATER},
      {409, FAILED, EMPTY HINT_LATER},
      {410, FAILED, ": empty reply"},
      {429, CALLER, EMPTY HINT_429},
      {499, FAILED, ": empty reply"},
      {500, FAILED, EMPTY HINT_5XX},
      {503, FAILED, EMPTY HINT_5XX},
      {599, FAILED, EMPTY HINT_5XX},
      {600, FAILED, EMPTY "check base_url"},
      {999, FAILED, EMPTY "check base_url"},
      {0, FAILED, EMPTY "check base_url"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) check_status(&cases[i]);
}

/* What is not the API's says nothing of the token. */
CASE(a_refusal_of_somebody_else_is_told_apart) {
  static const struct status_case cases[] = {
      {403, DENIED, ": the reply is not JSON (text/html, 9 bytes); " HINT_FRONT,
       "<b>no</b>", "text/html"},
      {403, DENIED, ": blocked by waf; " HINT_FRONT,
       "{'message':'blocked by waf'}"},
      {403, DENIED, ": denied; " HINT_FRONT, "{'error':'denied'}"},
      {401, CALLER,
       ": the reply is no error message (application/json, 8 "
       "bytes); " HINT_FRONT,
       "'denied'"},
      {403, DENIED, EMPTY HINT_FRONT, NULL, "text/html; charset=utf-8"},
      {403, DENIED, EMPTY HINT_403},
      {403, DENIED, ": m; " HINT_403, "{'success':false,'message':'m'}"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) check_status(&cases[i]);
}

/* There is no such id only if all of errors[] says so. */
CASE(an_error_beside_a_bad_id_is_one) {
  static const struct {
    const char *errors;
    enum rtk_outcome outcome;
  } cases[] = {
      {"[" NO_GUID "]", RTK_OUTCOME_GONE},
      {"[" NO_GUID "," NO_GUID "]", RTK_OUTCOME_GONE},
      {"[" NO_GUID ",{\"code\":9,\"message\":\"m\"}]", RTK_OUTCOME_FAILED},
      {"[{\"code\":9,\"message\":\"m\"}," NO_GUID "]", RTK_OUTCOME_FAILED},
      {"[{\"code\":9,\"message\":\"m\",\"error_chain\":[" NO_GUID "]}]",
       RTK_OUTCOME_GONE},
      {"[]", RTK_OUTCOME_FAILED},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_ask ask = ask_for("cf55", 1);
    char *body =
        sqlite3_mprintf("{\"success\":false,\"errors\":%s}", cases[i].errors);
    struct rtk_response response = response_of(400, JSON, body);
    struct rtk_reply *reply = judge(cases[i].errors, &ask, &response);
    check_int(cases[i].errors, "outcome", reply->outcome, cases[i].outcome);
    rtk_reply_free(reply);
    sqlite3_free(body);
  }
}

CASE(a_404_is_told_apart) {
  static const struct status_case cases[] = {
      {404, FAILED, ": No route for that URI (code 7000); " HINT_ROUTE,
       "{'success':false,'errors':[{'code':7000,'message':'No route for that "
       "URI'}],'messages':[],'result':null}"},
      {404, FAILED, ": m (code 7003); " HINT_ROUTE,
       "{'success':false,'errors':[{'code':7003,'message':'m'}]}"},
      {404, FAILED, ": m (code 1): n (code 7003); " HINT_ROUTE,
       "{'success':false,'errors':[{'code':1,'message':'m','error_chain':[{'"
       "code':7003,'message':'n'}]}]}"},
      {404, FAILED, ": a (code 1000); route (code 7003); " HINT_ROUTE,
       "{'success':false,'errors':[{'code':1000,'message':'a'},{'code':7003,'"
       "message':'route'}]}"},
      {404, FAILED, ": the reply is not JSON (text/html, 60 bytes); " HINT_404,
       "<h1>Not found " TOKEN "</h1>", "text/html"},
      {404, FAILED, ": the reply is not JSON (text/plain, 4 bytes); " HINT_404,
       "oops", "text/plain"},
      {404, FAILED,
       ": the reply is no error message (application/json, 16 "
       "bytes); " HINT_404,
       "{'success':true}"},
      {404, FAILED, EMPTY HINT_404, NULL, JSON},
      {404, FAILED,
       ": the reply is no error message (application/json, 14 "
       "bytes); " HINT_404,
       "{'status':404}"},
      {404, FAILED, ": no Route matched; " HINT_404,
       "{'message':'no Route matched'}"},
      {404, FAILED, ": m (code 5); " HINT_404,
       "{'error':{'code':5,'message':'m'}}"},
      {404, FAILED,
       ": the reply is no error message (application/json, 2 bytes); " HINT_404,
       "[]"},
      {404, FAILED,
       ": the reply is no error message (application/json, 27 "
       "bytes); " HINT_404,
       "{'errors':[],'result':null}"},
  };
  static const char *const gone[] = {
      "{\"success\":false}",
      "{\"success\":false,\"errors\":[]}",
      "{\"success\":false,\"error\":{\"code\":404,\"message\":\"m\"}}",
      "{\"success\":false,\"message\":\"m\"}",
      "{\"errors\":[{\"code\":10007,\"message\":\"m\"}]}",
      "{\"success\":false,\"errors\":[{\"code\":7001,\"message\":\"m\"}]}",
      "{\"success\":false,\"errors\":[{\"code\":70030,\"message\":\"m\"}]}",
  };
  for (size_t i = 0; i < COUNT(cases); i++) check_status(&cases[i]);
  for (size_t i = 0; i < COUNT(gone); i++) {
    struct rtk_ask ask = ask_for("cf55", 1);
    struct rtk_response response = response_of(404, JSON, gone[i]);
    struct rtk_reply *reply = judge(gone[i], &ask, &response);
    check_int(gone[i], "outcome", reply->outcome, RTK_OUTCOME_GONE);
    check_lacks(gone[i], reply->error, HINT_404);
    rtk_reply_free(reply);
  }
}

/* Only an id can be unknown. */
CASE(a_404_of_a_list_or_a_page_is_a_failure) {
  static const struct {
    const char *id;
    int page;
    const char *hint; /* NULL: it is gone */
  } cases[] = {
      {"cf55", 0, NULL},
      {"cf55", 1, NULL},
      {"cf55", 2, "the list has changed while it was read: try again"},
      {"", 0, "the account or the app is wrong"},
      {"", 1, "the account or the app is wrong"},
      {"", 2, "the list has changed while it was read: try again"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_ask ask = ask_for(cases[i].id, 1);
    struct rtk_response response =
        response_of(404, JSON, "{\"success\":false,\"message\":\"m\"}");
    ask.page = cases[i].page;
    struct rtk_reply *reply = judge("404", &ask, &response);
    check_int(cases[i].id, "outcome", reply->outcome,
              cases[i].hint == NULL ? RTK_OUTCOME_GONE : RTK_OUTCOME_FAILED);
    if (cases[i].hint != NULL) {
      check_int(cases[i].hint, "is said",
                strstr(reply->error, cases[i].hint) != NULL, true);
      check_int(cases[i].hint, "page is said",
                strstr(reply->error, "on page 2: m;") != NULL,
                cases[i].page == 2);
    }
    rtk_reply_free(reply);
  }
}

CASE(no_reply_is_judged_by_its_failure) {
  static const struct {
    const char *name;
    enum rtk_failure failure;
    int status;
    enum rtk_outcome outcome;
    enum rtk_retry_kind retry;
    const char *hint;
  } cases[] = {
      {"resolve", RTK_FAILURE_RESOLVE, 0, RTK_OUTCOME_FAILED, RTK_RETRY_AGAIN,
       "; check the network and base_url"},
      {"connect", RTK_FAILURE_CONNECT, 0, RTK_OUTCOME_FAILED, RTK_RETRY_AGAIN,
       "; check the network, base_url and the proxy, if there is one"},
      {"proxy", RTK_FAILURE_PROXY, 0, RTK_OUTCOME_FAILED, RTK_RETRY_AGAIN,
       "; check the proxy: setting proxy, HTTPS_PROXY and NO_PROXY"},
      {"TLS", RTK_FAILURE_TLS, 0, RTK_OUTCOME_FAILED, RTK_RETRY_AGAIN,
       "; check base_url and what stands between"},
      {"trust", RTK_FAILURE_TRUST, 0, RTK_OUTCOME_CALLER, RTK_RETRY_NEVER,
       "; check base_url and the clock, or name your certificates in"
       " ca_file"},
      {"CA file", RTK_FAILURE_CA_FILE, 0, RTK_OUTCOME_CALLER, RTK_RETRY_NEVER,
       "; install the package ca-certificates, or name your certificates in"
       " ca_file"},
      {"time-out", RTK_FAILURE_TIMEOUT, 0, RTK_OUTCOME_FAILED, RTK_RETRY_AGAIN,
       "; check the network, or allow more time"},
      {"time-out in the body", RTK_FAILURE_TIMEOUT, 200, RTK_OUTCOME_FAILED,
       RTK_RETRY_AGAIN, "; check the network, or allow more time"},
      {"too large", RTK_FAILURE_TOO_LARGE, 200, RTK_OUTCOME_FAILED,
       RTK_RETRY_NEVER, "; raise max_response_bytes if it is right"},
      {"long header", RTK_FAILURE_HEADER, 200, RTK_OUTCOME_FAILED,
       RTK_RETRY_NEVER, "; check base_url and what stands between"},
      {"memory", RTK_FAILURE_MEMORY, 0, RTK_OUTCOME_CALLER, RTK_RETRY_AGAIN,
       ""},
      {"open files", RTK_FAILURE_FILES, 0, RTK_OUTCOME_CALLER, RTK_RETRY_AGAIN,
       "; raise it (ulimit -n), or close files"},
      {"refused", RTK_FAILURE_REFUSED, 0, RTK_OUTCOME_FAILED, RTK_RETRY_AGAIN,
       "; try again later"},
      {"other", RTK_FAILURE_OTHER, 0, RTK_OUTCOME_FAILED, RTK_RETRY_NEVER, ""},
  };
  check_int("failures", "with a case (one has two)", COUNT(cases),
            RTK_FAILURE_COUNT);
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_ask ask = ask_for("cf55", 1);
    struct rtk_response response = response_of(cases[i].status, JSON, NULL);
    response.failure = cases[i].failure;
    response.detail = "curl's\nwords " TOKEN;
    struct rtk_reply *reply = judge(cases[i].name, &ask, &response);
    const char *begin = cases[i].status == 200 ? "HTTP 200" : "no reply";
    char *expected =
        sqlite3_mprintf("%s" FOR ": curl's words ***%s", begin, cases[i].hint);
    check_int(cases[i].name, "outcome", reply->outcome, cases[i].outcome);
    check_text(cases[i].name, "error", reply->error, expected);
    check_int(cases[i].name, "retry", rtk_status_retry(&response),
              cases[i].retry);
    sqlite3_free(expected);
    rtk_reply_free(reply);
  }
}

CASE(what_may_pass_is_asked_again) {
  static const struct {
    int from, to;
    enum rtk_retry_kind expected;
  } cases[] = {
      {0, 407, RTK_RETRY_NEVER},   {408, 409, RTK_RETRY_AGAIN},
      {410, 428, RTK_RETRY_NEVER}, {429, 429, RTK_RETRY_PAUSE},
      {430, 499, RTK_RETRY_NEVER}, {500, 599, RTK_RETRY_AGAIN},
      {600, 999, RTK_RETRY_NEVER},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    for (int status = cases[i].from; status <= cases[i].to; status++) {
      struct rtk_response response = response_of(status, "", NULL);
      char name[16];
      sqlite3_snprintf(sizeof(name), name, "HTTP %d", status);
      check_int(name, "retry", rtk_status_retry(&response), cases[i].expected);
    }
  }
}

/* --- the envelope --------------------------------------------------------- */

CASE(every_form_of_the_envelope_is_read) {
  static const struct status_case cases[] = {
      {418, FAILED, ": Authentication error (code 10000)",
       "{'success':false,'errors':[{'code':10000,'message':'Authentication "
       "error'}],'messages':[],'result':null}"},
      {418, FAILED, ": one (code 1); two (code 2)",
       "{'errors':[{'code':1,'message':'one'},{'code':2,'message':'two'}]}"},
      {418, FAILED, ": a (code 1): b (code 2); c (code 3)",
       "{'errors':[{'code':1,'message':'a','error_chain':[{'code':2,'message':'"
       "b'}]},{'code':3,'message':'c'}]}"},
      {400, CALLER,
       ": Invalid request headers (code 6003): Invalid format for "
       "Authorization header (code 6111); " HINT_FORM,
       "{'success':false,'errors':[{'code':6003,'message':'Invalid request "
       "headers','error_chain':[{'code':6111,'message':'Invalid format for "
       "Authorization header'}]}]}"},
      {418, FAILED, ": a (code 1): b (code 2): c (code 3)",
       "{'errors':[{'code':1,'message':'a','error_chain':[{'code':2,'message':'"
       "b','error_chain':[{'code':3,'message':'c'}]}]}]}"},
      {418, FAILED, ": b (code 2)",
       "{'errors':[{'error_chain':[{'code':2,'message':'b'}]}]}"},
      {418, FAILED, ": m", "{'errors':[{'code':0,'message':'m'}]}"},
      {418, FAILED, ": error (code 9)", "{'errors':[{'code':9}]}"},
      {418, FAILED, ": m", "{'errors':[{'message':'m'}]}"},
      {418, FAILED, ": m", "{'errors':[{'code':'E9','message':'m'}]}"},
      {418, FAILED, ": m (code 404)",
       "{'success':false,'error':{'code':404,'message':'m'}}"},
      {401, CALLER, ": Unauthorized; " HINT_FRONT,
       "{'message':'Unauthorized'}"},
      {418, FAILED, ": a",
       "{'message':'c','error':{'message':'b'},'errors':[{'message':'a'}]}"},
      {418, FAILED, ": b",
       "{'message':'c','error':{'message':'b'},'errors':[]}"},
      {418, FAILED, ": oops", "{'errors':'oops'}"},
      {418, FAILED,
       ": the reply is no error message (application/json, 13 bytes)",
       "{'errors':17}"},
      {418, FAILED, ": oops", "{'errors':['oops']}"},
      {418, FAILED, ": plain words", "{'error':'plain words'}"},
      {418, FAILED,
       ": the reply is no error message (application/json, 6 bytes)", "'oops'"},
      {418, FAILED, ": m", "\r\n {'message':'m'} \n"},
      {502, FAILED,
       ": the reply is not JSON (text/html; charset=UTF-8, 18 "
       "bytes); " HINT_5XX,
       "<html>nginx</html>", "text/html; charset=UTF-8"},
      {502, FAILED,
       ": the reply is not JSON (no content type, 4 bytes); " HINT_5XX, "oops",
       ""},
      {502, FAILED,
       ": the reply is not JSON (application/json, 17 bytes); " HINT_5XX,
       "{'success':false,"},
      {418, FAILED, ": a  b [31m", "{'message':'a\\r\\nb\\u001b[31m'}"},
      {418, FAILED, ": 100%s %n", "{'message':'100%s %n'}"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) check_status(&cases[i]);
}

CASE(a_200_without_data_is_an_error) {
  static const struct status_case cases[] = {
      {200, FAILED, ": m (code 6003)",
       "{'success':false,'errors':[{'code':6003,'message':'m'}]}"},
      {200, FAILED,
       ": the reply has no \"data\" of the expected form; " HINT_SHAPE,
       "{'data':[],'success':true}"},
      {200, FAILED,
       ": the reply is not JSON (text/plain, 4 bytes); " HINT_NO_JSON, "oops",
       "text/plain"},
      {200, FAILED, EMPTY HINT_DAMAGED, NULL, JSON},
      {200, FAILED,
       ": the reply is not JSON (text/html, 20 bytes); " HINT_NO_JSON,
       "<html>sign in</html>", "text/html"},
      {200, FAILED,
       ": the reply is not JSON (application/json, 16 bytes); " HINT_DAMAGED,
       "{'data':{'id':'a"},
      {200, FAILED,
       ": the reply is not JSON (application/json, 19 bytes); " HINT_DAMAGED,
       "{'data':{}}<!-- -->"},
      {200, FAILED, ": \"success\" is false, with no reason given; " HINT_SHAPE,
       "{'success':false,'data':{}}"},
      {200, FAILED, ": m (code 1)",
       "{'success':false,'data':{},'errors':[{'code':1,'message':'m'}]}"},
      {200, FAILED,
       ": the reply has no \"data\" of the expected form; " HINT_SHAPE,
       "{'success':true}"},
      {200, FAILED,
       ": the reply has no \"data\" of the expected form; " HINT_SHAPE,
       "{'success':true,'data':null}"},
      {200, FAILED,
       ": the reply has no \"data\" of the expected form; " HINT_SHAPE,
       "{'success':true,'data':[{},{}]}"},
      {200, FAILED,
       ": the reply has no \"data\" of the expected form; " HINT_SHAPE,
       "{'success':true,'Data':{}}"},
      {200, FAILED,
       ": the reply has no \"data\" of the expected form; " HINT_SHAPE,
       "[{'data':{}}]"},
      {200, FAILED,
       ": the reply has no \"data\" of the expected form; " HINT_SHAPE, "null"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) check_status(&cases[i]);
}

CASE(a_200_with_data_is_a_row) {
  static const struct {
    const char *name, *body, *id, *response;
  } cases[] = {
      {"normal", "{\"data\":{\"id\":\"a\"},\"success\":true}", "a", NULL},
      {"success absent", "{\"data\":{\"id\":\"a\"}}", "a", NULL},
      {"no fields", "{\"data\":{},\"success\":true}", NULL, NULL},
      {"messages beside it",
       "{\"success\":true,\"errors\":[],\"messages\":[{\"message\":\"m\"}],"
       "\"message\":\"m\",\"data\":{\"id\":\"a\"}}",
       "a", NULL},
      {"byte order mark", "\xEF\xBB\xBF{\"data\":{\"id\":\"a\"}}", "a",
       "{\"data\":{\"id\":\"a\"}}"},
      {"white space", " {\"data\":{\"id\":\"a\"}}\n", "a",
       " {\"data\":{\"id\":\"a\"}}\n"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_ask ask = ask_for("cf55", 1);
    struct rtk_response response =
        response_of(200, "text/plain", cases[i].body);
    struct rtk_reply *reply = judge(cases[i].name, &ask, &response);
    const char *expected =
        cases[i].response == NULL ? cases[i].body : cases[i].response;
    check_int(cases[i].name, "outcome", reply->outcome, RTK_OUTCOME_ROWS);
    if (reply->outcome == RTK_OUTCOME_ROWS) {
      check_bytes(cases[i].name, "response", reply->body.bytes,
                  reply->body.size, expected, strlen(expected));
      check_int(cases[i].name, "id's type", reply->values[0].type,
                cases[i].id == NULL ? RTK_NULL : RTK_TEXT);
      if (cases[i].id != NULL && reply->values[0].type == RTK_TEXT) {
        check_bytes(cases[i].name, "id", reply->values[0].as.text,
                    reply->values[0].size, cases[i].id, strlen(cases[i].id));
      }
    } else {
      check_text(cases[i].name, "error", reply->error, NULL);
    }
    rtk_reply_free(reply);
  }
}

/* A total beyond 2^31 is known, too. */
CASE(a_total_may_be_large) {
  static const struct rtk_column columns[] = {{.name = "id"}};
  static const struct rtk_endpoint list = {.path = "x",
                                           .noun = "page",
                                           .rows = {"data"},
                                           .is_list = true,
                                           .paging = {"paging"},
                                           .columns = columns,
                                           .column_count = 1};
  static const struct {
    const char *total;
    int64_t expected;
  } cases[] = {
      {"5", 5},
      {"5000000000", 5000000000},
      {"\"5000000000\"", 5000000000},
      {"-1", -1},
      {"1.5", -1},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_ask ask = {.endpoint = &list, .tries = 1};
    char *body = sqlite3_mprintf(
        "{\"data\":[],\"paging\":{\"total_count\":%s}}", cases[i].total);
    struct rtk_response response = response_of(200, JSON, body);
    struct rtk_reply *reply = judge(cases[i].total, &ask, &response);
    check_int(cases[i].total, "total", reply->total_count, cases[i].expected);
    rtk_reply_free(reply);
    sqlite3_free(body);
  }
}

/* --- messages ------------------------------------------------------------- */

CASE(the_message_names_what_was_asked) {
  static const struct {
    const char *name, *id;
    int tries;
    const char *cf_ray, *expected;
  } cases[] = {
      {"normal", "cf55", 1, "8c1a-AMS",
       "HTTP 418 for session 'cf55': m [cf-ray 8c1a-AMS]"},
      {"no id", "", 1, "", "HTTP 418: m"},
      {"one retry", "cf55", 2, "", "HTTP 418 for session 'cf55' (2 tries): m"},
      {"not sent", "cf55", 0, "", "HTTP 418 for session 'cf55': m"},
      {"an id that would break the line", "a\nb\x1B[2J", 1, "",
       "HTTP 418 for session 'a b [2J': m"},
      {"an id that is no UTF-8", "caf\xE9", 1, "",
       "HTTP 418 for session 'caf?': m"},
      {"an id of 64 bytes",
       "0123456789012345678901234567890123456789012345678901234567890123", 1,
       "",
       "HTTP 418 for session '012345678901234567890123456789012345678901234567"
       "8901234567890123': m"},
      {"an id of 65 bytes",
       "01234567890123456789012345678901234567890123456789012345678901234", 1,
       "",
       "HTTP 418 for session '012345678901234567890123456789012345678901234567"
       "8901234567890123\xE2\x80\xA6': m"},
      {"a ray that would break the line", "cf55", 1, "8c\r\n1a",
       "HTTP 418 for session 'cf55': m [cf-ray 8c  1a]"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_ask ask = ask_for(cases[i].id, cases[i].tries);
    struct rtk_response response =
        response_of(418, JSON, "{\"message\":\"m\"}");
    sqlite3_snprintf(RTK_HEADER_MAX, response.cf_ray, "%s", cases[i].cf_ray);
    struct rtk_reply *reply = judge(cases[i].name, &ask, &response);
    check_text(cases[i].name, "error", reply->error, cases[i].expected);
    rtk_reply_free(reply);
  }
}

/* A chain that goes on for ever, each link as long as it may be. */
CASE(a_message_has_a_limit) {
  sqlite3_str *body = sqlite3_str_new(NULL);
  struct rtk_ask ask = ask_for("cf55", 1);
  sqlite3_str_appendall(body, "{\"errors\":[");
  for (int i = 0; i < 100; i++) {
    sqlite3_str_appendall(body, "{\"message\":\"");
    sqlite3_str_appendchar(body, 5000, 'x');
    sqlite3_str_appendall(body, "\",\"error_chain\":[");
  }
  for (int i = 0; i < 100; i++) sqlite3_str_appendall(body, "]}");
  sqlite3_str_appendall(body, "]}");
  char *text = sqlite3_str_finish(body);
  struct rtk_response response = response_of(418, JSON, text);
  struct rtk_reply *reply = judge("long chain", &ask, &response);
  size_t most = RTK_ERRORS_MAX * (RTK_SHOWN_TEXT_MAX + 8) + 100;
  size_t size = strlen(reply->error);
  if (size > most) {
    check_int("long chain", "bytes", (int64_t)size, (int64_t)most);
  }
  rtk_reply_free(reply);
  sqlite3_free(text);
}

/* No 8 bytes of the token in a row. */
static void check_token_is_absent(const char *name, const char *message) {
  for (size_t i = 0; i + 8 < sizeof(TOKEN); i++) {
    char part[9] = "";
    memcpy(part, &TOKEN[i], 8);
    check_lacks(name, message, part);
  }
}

CASE(the_token_is_never_in_a_message) {
  static const struct {
    const char *name, *id, *type, *cf_ray;
    int filler; /* characters before the token in the server's words */
  } cases[] = {
      {"echoed", "cf55", JSON, "", 0},
      {"echoed further on", "cf55", JSON, "", 100},
      {"at the end of what is shown", "cf55", JSON, "", 259},
      {"cut in its middle", "cf55", JSON, "", 280},
      {"cut before its last byte", "cf55", JSON, "", 260},
      {"behind the cut", "cf55", JSON, "", 300},
      {"as the id", TOKEN, JSON, "", 0},
      {"in an id, cut", "x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x." TOKEN, JSON, "", 0},
      {"in the content type", "cf55", "text/" TOKEN, "", 0},
      {"in the ray", "cf55", JSON, TOKEN, 0},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    for (int is_json = 0; is_json < 2; is_json++) {
      struct rtk_ask ask = ask_for(cases[i].id, 1);
      sqlite3_str *body = sqlite3_str_new(NULL);
      if (is_json) sqlite3_str_appendall(body, "{\"message\":\"");
      sqlite3_str_appendchar(body, cases[i].filler, '.');
      sqlite3_str_appendall(body, TOKEN);
      if (is_json) sqlite3_str_appendall(body, " is bad\"}");
      char *text = sqlite3_str_finish(body);
      struct rtk_response response = response_of(401, cases[i].type, text);
      sqlite3_snprintf(RTK_HEADER_MAX, response.cf_ray, "%s", cases[i].cf_ray);
      struct rtk_reply *reply = judge(cases[i].name, &ask, &response);
      check_token_is_absent(cases[i].name, reply->error);
      check_has(cases[i].name, reply->error, "HTTP 401");
      rtk_reply_free(reply);
      sqlite3_free(text);
    }
  }
}

CASE(a_body_that_is_not_json_is_never_shown) {
  static const int statuses[] = {100, 200, 204, 302, 400, 401, 403,
                                 404, 408, 418, 429, 500, 600};
  static const char *const bodies[] = {
      "<b>PRIVATE</b>",
      "PRIVATE",
      "{\"message\":\"PRIVATE\"",
      "{\"message\":\"PRIVATE\"} PRIVATE",
      "{\"message\":\"PRIVATE\\u0000\"}",
  };
  for (size_t i = 0; i < COUNT(statuses); i++) {
    for (size_t k = 0; k < COUNT(bodies); k++) {
      struct rtk_ask ask = ask_for("cf55", 1);
      struct rtk_response response =
          response_of(statuses[i], "text/html", bodies[k]);
      struct rtk_reply *reply = judge(bodies[k], &ask, &response);
      check_lacks(bodies[k], reply->error, "PRIVATE");
      check_has(bodies[k], reply->error, "the reply is not JSON (text/html, ");
      rtk_reply_free(reply);
    }
  }
}

/* --- what is no endpoint's row --------------------------------------------- */

/* A reply whose row is the body itself. */
CASE(the_body_may_be_the_row) {
  static const struct rtk_column columns[] = {{.name = "success"}};
  static const struct rtk_endpoint whole = {
      .path = "x", .columns = columns, .column_count = 1};
  static const struct {
    const char *body;
    enum rtk_outcome outcome;
  } cases[] = {
      {"{\"data\":[],\"success\":true}", RTK_OUTCOME_ROWS},
      {"{}", RTK_OUTCOME_ROWS},
      {"[]", RTK_OUTCOME_FAILED},
      {"{\"success\":false}", RTK_OUTCOME_FAILED},
      {"<html>", RTK_OUTCOME_FAILED},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_ask ask = {.endpoint = &whole, .tries = 1};
    struct rtk_response response = response_of(200, JSON, cases[i].body);
    struct rtk_reply *reply = judge(cases[i].body, &ask, &response);
    check_int(cases[i].body, "outcome", reply->outcome, cases[i].outcome);
    if (i == 0) {
      check_bytes("success", "value", reply->values[0].as.text,
                  reply->values[0].size, "true", 4);
    }
    rtk_reply_free(reply);
  }
}

CASE(who_answered_is_told) {
  static const struct {
    const char *body;
    bool is_api;
  } cases[] = {
      {"{\"success\":true,\"data\":{}}", true},
      {"{\"success\":false}", true},
      {"{\"errors\":[{\"code\":1,\"message\":\"m\"}]}", true},
      {"{\"errors\":[]}", false},
      {"{\"success\":\"true\"}", false},
      {"{\"message\":\"Unauthorized\"}", false},
      {"[true]", false},
      {"{}", false},
      {"<html>success</html>", false},
      {NULL, false},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    const char *name = cases[i].body == NULL ? "empty" : cases[i].body;
    struct rtk_response response = response_of(403, JSON, cases[i].body);
    struct rtk_ask ask = ask_for("cf55", 1);
    struct rtk_verdict verdict;
    check_int(name, "result", rtk_status_judge(&ask, &response, &verdict),
              SQLITE_OK);
    check_int(name, "is the API's", verdict.is_api, cases[i].is_api);
    rtk_reply_free(verdict.reply);
    rtk_verdict_deinit(&verdict);
  }
}

/* --- no memory ------------------------------------------------------------ */

static int judge_one(void *arg) {
  struct rtk_ask ask = ask_for("cf55", 1);
  struct rtk_verdict verdict;
  int rc = rtk_status_judge(&ask, arg, &verdict);
  check_int("no memory", "reply is there", verdict.reply != NULL,
            rc == SQLITE_OK);
  if (rc != SQLITE_OK) return rc;
  rtk_reply_free(verdict.reply);
  rtk_verdict_deinit(&verdict);
  return rc;
}

CASE(no_memory_is_told) {
  struct rtk_response row = response_of(
      200, JSON, "{\"data\":{\"id\":[1],\"viewer_seconds\":\"5\"}}");
  struct rtk_response refused = response_of(
      403, JSON,
      "{\"success\":false,\"errors\":[{\"code\":10000,\"message\":\"m\"}]}");
  struct rtk_response empty = response_of(500, "", NULL);
  check_nomem("row", judge_one, &row, false);
  check_nomem("refused", judge_one, &refused, false);
  check_nomem("empty", judge_one, &empty, false);
}

/* --- links and the texts behind them --------------------------------------- */

static const struct rtk_endpoint text_endpoint = {
    .noun = "session",
    .rows = {"data.text"},
    .is_list = true,
    .link = "data.url",
    .text_names = "line name ",
};

static struct rtk_ask ask_for_text(void) {
  struct rtk_ask ask = ask_for("cf55", 1);
  ask.endpoint = &text_endpoint;
  return ask;
}

CASE(a_first_reply_has_a_link) {
  static const char refused[] =
      "HTTP 200" FOR ": the link to the text is not followed: it is not https,"
      " or leads to a private address; check base_url";
  static const char shapeless[] =
      "HTTP 200" FOR ": the reply has no \"data\" of the expected form;"
      " " HINT_SHAPE;
  static const struct {
    const char *body, *link, *error; /* neither: no rows */
  } cases[] = {
      {"{'data':{'url':'https://files.example/a?b'}}",
       "https://files.example/a?b", NULL},
      /* No text, or none yet. */
      {"{'data':{'url':null}}", NULL, NULL},
      {"{'data':{'url':''}}", NULL, NULL},
      /* As the cache file has it. */
      {"{'data':{'text':[]}}", NULL, NULL},
      {"{'data':{'url':'http://files.example/?SECRET'}}", NULL, refused},
      {"{'data':{'url':'https://10.0.0.1/?SECRET'}}", NULL, refused},
      {"{'data':{'url':7}}", NULL, shapeless},
      {"{'data':{}}", NULL, shapeless},
  };
  struct rtk_ask ask = ask_for_text();
  for (size_t i = 0; i < COUNT(cases); i++) {
    char *body = check_json(cases[i].body);
    struct rtk_response response = response_of(200, JSON, body);
    struct rtk_verdict verdict;
    check_int(body, "judged", rtk_status_judge(&ask, &response, &verdict),
              SQLITE_OK);
    check_text(body, "link", verdict.link, cases[i].link);
    check_int(body, "has a reply", verdict.reply != NULL,
              cases[i].link == NULL);
    if (verdict.reply != NULL) {
      check_text(body, "error", verdict.reply->error, cases[i].error);
      check_int(body, "rows", verdict.reply->row_count, 0);
    }
    rtk_reply_free(verdict.reply);
    rtk_verdict_deinit(&verdict);
    sqlite3_free(body);
  }
}

#define FROM_HOST " from the link's host" FOR
#define HINT_GONE                                                              \
  "the text is gone, or the link to it is too old: RealtimeKit keeps texts"    \
  " for 7 days"
#define HINT_HOST                                                              \
  "the host of the text is in trouble, not the API: try again later"
#define DAMAGED "the text is damaged, too long, or a page for people"

/* Nothing that the host says is about the token, the account or the quota, and
** nothing of it is shown. */
CASE(the_host_of_a_text_is_not_the_api) {
  static const struct {
    int status;
    enum rtk_failure failure;
    int outcome;
    enum rtk_retry_kind retry;
    enum rtk_kind kind;
    const char *error;
  } cases[] = {
      {301, 0, FAILED, RTK_RETRY_NEVER, RTK_KIND_NOT_API,
       "a link that leads on to another is not followed"},
      {401, 0, FAILED, RTK_RETRY_NEVER, RTK_KIND_REQUEST, HINT_GONE},
      {403, 0, FAILED, RTK_RETRY_NEVER, RTK_KIND_REQUEST, HINT_GONE},
      {404, 0, FAILED, RTK_RETRY_NEVER, RTK_KIND_REQUEST, HINT_GONE},
      {410, 0, FAILED, RTK_RETRY_NEVER, RTK_KIND_REQUEST, HINT_GONE},
      {400, 0, FAILED, RTK_RETRY_NEVER, RTK_KIND_NOT_API, HINT_HOST},
      {204, 0, FAILED, RTK_RETRY_NEVER, RTK_KIND_NOT_API, HINT_HOST},
      {408, 0, FAILED, RTK_RETRY_AGAIN, RTK_KIND_SERVER, HINT_HOST},
      {429, 0, FAILED, RTK_RETRY_AGAIN, RTK_KIND_SERVER, HINT_HOST},
      {503, 0, FAILED, RTK_RETRY_AGAIN, RTK_KIND_SERVER, HINT_HOST},
      {0, RTK_FAILURE_RESOLVE, FAILED, RTK_RETRY_AGAIN, RTK_KIND_NETWORK,
       "x; " HINT_HOST},
      {0, RTK_FAILURE_TRUST, FAILED, RTK_RETRY_NEVER, RTK_KIND_NETWORK,
       "x; " HINT_HOST},
      {0, RTK_FAILURE_OTHER, FAILED, RTK_RETRY_NEVER, RTK_KIND_NETWORK,
       "x; " HINT_HOST},
      {0, RTK_FAILURE_PROXY, FAILED, RTK_RETRY_AGAIN, RTK_KIND_NETWORK,
       "x; " HINT_PROXY},
      {0, RTK_FAILURE_TIMEOUT, FAILED, RTK_RETRY_AGAIN, RTK_KIND_TIMEOUT,
       "x; check the network, or allow more time"},
      {0, RTK_FAILURE_TOO_LARGE, FAILED, RTK_RETRY_NEVER, RTK_KIND_REPLY,
       "x; raise max_response_bytes if it is right"},
      /* These are this machine's. */
      {0, RTK_FAILURE_CA_FILE, CALLER, RTK_RETRY_NEVER, RTK_KIND_NETWORK,
       "x; install the package ca-certificates, or name your certificates in"
       " ca_file"},
      {200, 0, FAILED, RTK_RETRY_NEVER, RTK_KIND_REPLY, DAMAGED},
  };
  static const char body[] =
      "{\"success\":false,\"errors\":[{\"code\":7003,\"message\":\"SECRET\"}]";
  struct rtk_ask ask = ask_for_text();
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_response response = response_of(cases[i].status, "SECRET", body);
    response.failure = cases[i].failure;
    response.is_of_link = true;
    response.detail = "x";
    sqlite3_snprintf(RTK_HEADER_MAX, response.cf_ray, "SECRET");
    char *error =
        cases[i].status == 0
            ? sqlite3_mprintf("no reply" FROM_HOST ": %s", cases[i].error)
            : sqlite3_mprintf("HTTP %d" FROM_HOST ": %s", cases[i].status,
                              cases[i].error);
    check_int(error, "retry", rtk_status_retry(&response), cases[i].retry);
    struct rtk_reply *reply = judge(error, &ask, &response);
    check_int(error, "outcome", reply->outcome, cases[i].outcome);
    check_int(error, "kind", reply->kind, cases[i].kind);
    check_text(error, "error", reply->error, error);
    rtk_reply_free(reply);
    sqlite3_free(error);
  }
}

/* A text has no link in it, whatever it looks like. */
CASE(a_text_is_read_as_a_reply) {
  static const struct {
    const char *file;
    int rows; /* -1: it is a failure */
  } cases[] = {
      {"", 0},
      {"1,Ann\n2,Bob\n", 2},
      {"[{'line':1},{'line':2},{'line':3}]", 3},
      {"{'url':'https://files.example/'}", -1},
      {"{'data':{'url':'https://files.example/'}}", -1},
      {"{'success':false}", -1},
  };
  struct rtk_ask ask = ask_for_text();
  for (size_t i = 0; i < COUNT(cases); i++) {
    char *file = check_json(cases[i].file);
    struct rtk_response response = response_of(200, "", file);
    response.is_of_link = true;
    struct rtk_reply *reply = judge(file, &ask, &response);
    check_int(file, "is a failure", reply->error != NULL, cases[i].rows < 0);
    if (cases[i].rows >= 0) {
      check_int(file, "rows", reply->row_count, cases[i].rows);
    }
    rtk_reply_free(reply);
    sqlite3_free(file);
  }
}

CASE(rows_of_a_text_are_bounded) {
  struct rtk_ask ask = ask_for_text();
  for (int count = RTK_LINES_MAX; count <= RTK_LINES_MAX + 1; count++) {
    sqlite3_str *out = sqlite3_str_new(NULL);
    for (int i = 0; i < count; i++) {
      sqlite3_str_appendall(out, i == 0 ? "[{}" : ",{}");
    }
    sqlite3_str_appendall(out, "]");
    char *file = sqlite3_str_finish(out);
    struct rtk_response response = response_of(200, JSON, file);
    response.is_of_link = true;
    struct rtk_reply *reply = judge("rows of a text", &ask, &response);
    check_text("rows of a text", "error", reply->error,
               count == RTK_LINES_MAX ? NULL
                                      : "HTTP 200" FROM_HOST
                                        ": the text has more than " RTK_TEXT_OF(
                                            RTK_LINES_MAX) " rows");
    rtk_reply_free(reply);
    sqlite3_free(file);
  }
}

int main(void) { return check_run(); }
