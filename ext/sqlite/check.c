/*
** rtk_check(account, app): tests everything that a query needs, in the order in
** which one needs the other, and says what to do about the first failure.
**
**     token     1   from CLOUDFLARE_API_TOKEN
**     network   0   no reply: the host's name has no address; check the …
**     tls           skipped: 'network' failed
**
** It sends at most three requests, without retries and over connections of its
** own: an old connection may still work when a new one would not.  First it
** asks the API whether it knows the token, then for one livestream of the app.
**
** status.c words the failure of a request; here it is decided which check
** failed.
**
** To add a check: a line of CHECKS and one note() before the rows are written.
*/
#include "sqlite/check.h"

#include "api/endpoint.h"
#include "api/reply.h"
#include "api/status.h"
#include "api/url.h"
#include "base/cells.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/sanitize.h"
#include "config/config.h"
#include "disk/diskcache.h"
#include "fetch/conn.h"
#include "fetch/fetch.h"
#include "net/cancel.h"
#include "net/http.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Bytes of the detail of one check: a whole message and what is added. */
#define DETAIL_MAX 2000

/* ms that this machine's clock may differ from the server's: more than the Date
** of a reply that took its time, less than a difference that would matter for a
** certificate's first minutes or for a date in a report. */
#define CLOCK_OFF_MAX_MS 60000

/* In the order in which one needs the other. */
#define CHECKS(X)                                                              \
  X(SETTINGS, "settings")                                                      \
  X(TOKEN, "token")                                                            \
  X(BASE_URL, "base_url")                                                      \
  X(PROXY, "proxy")                                                            \
  X(NETWORK, "network")                                                        \
  X(TLS, "tls")                                                                \
  X(CLOCK, "clock")                                                            \
  X(API, "api")                                                                \
  X(ACCEPTED, "token accepted")                                                \
  X(ACCOUNT, "account")                                                        \
  X(APP, "app")                                                                \
  X(CACHE_FILE, "cache_file")

#define MEMBER(name, word) CHECK_##name,
#define WORD(name, word) word,
enum check { CHECKS(MEMBER) CHECK_COUNT };
static const char *const names[CHECK_COUNT] = {CHECKS(WORD)};

/* The check that a request without a whole reply fails; 0: CHECK_NETWORK. */
static const enum check failed_check[RTK_FAILURE_COUNT] = {
    [RTK_FAILURE_PROXY] = CHECK_PROXY,   [RTK_FAILURE_TLS] = CHECK_TLS,
    [RTK_FAILURE_TRUST] = CHECK_TLS,     [RTK_FAILURE_CA_FILE] = CHECK_TLS,
    [RTK_FAILURE_TOO_LARGE] = CHECK_API, [RTK_FAILURE_HEADER] = CHECK_API,
};

/* The requests. */
enum { TOKEN_STATUS, TOKEN_EXPIRES_ON, TOKEN_COLUMNS };

static const struct rtk_column token_columns[TOKEN_COLUMNS] = {
    [TOKEN_STATUS] = {.name = "status"},
    [TOKEN_EXPIRES_ON] = {.name = "expires_on"},
};

static const struct rtk_endpoint user_token = {.path = "user/tokens/verify",
                                               .rows = {"result"},
                                               .columns = token_columns,
                                               .column_count = TOKEN_COLUMNS};

static const struct rtk_endpoint account_token = {
    .path = "accounts/{account}/tokens/verify",
    .rows = {"result"},
    .columns = token_columns,
    .column_count = TOKEN_COLUMNS};

static const struct rtk_endpoint livestreams = {
    .path = "accounts/{account}/realtime/kit/{app}/livestreams?per_page=1"};

enum verdict { NOT_ASKED, BAD, GOOD };

struct run {
  struct rtk_conn *conn;
  struct rtk_http *http;
  int rc;      /* the first SQLITE_NOMEM or SQLITE_INTERRUPT */
  char *token; /* owned */
  const char *token_source;
  struct rtk_text account, app; /* no bytes: not given */
  bool is_https, has_proxy;
  struct {
    enum verdict verdict;
    char *detail; /* owned; NULL: nothing was noted */
  } found[CHECK_COUNT];

  /* The last request, until the next. */
  struct rtk_transfer *transfer;
  const struct rtk_response *response;
  struct rtk_reply *reply;
  bool is_api; /* the API answered, and nothing in between */
};

static void RTK_PRINTF(4, 5)
    note(struct run *run, enum check check, enum verdict verdict,
         const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *text = sqlite3_vmprintf(format, args);
  va_end(args);
  sqlite3_str *shown = sqlite3_str_new(NULL);
  if (text != NULL) {
    rtk_sanitize(shown, text, strlen(text), DETAIL_MAX, run->token);
  }
  sqlite3_free(text);
  sqlite3_free(run->found[check].detail);
  run->found[check].verdict = verdict;
  run->found[check].detail = sqlite3_str_finish(shown);
  if (run->found[check].detail == NULL) run->rc = SQLITE_NOMEM;
}

/* Notes an error as the check's failure.  Any other code ends the run. */
static void note_error(struct run *run, enum check check, int rc,
                       struct rtk_err *err) {
  if (rc == SQLITE_ERROR) {
    note(run, check, BAD, "%s", err->message);
  } else {
    run->rc = rc;
  }
  rtk_err_clear(err);
}

/* --- a request ------------------------------------------------------------ */

static void forget_reply(struct run *run) {
  rtk_reply_free(run->reply);
  if (run->transfer != NULL) rtk_http_end(run->http, run->transfer);
  run->reply = NULL;
  run->transfer = NULL;
}

/* Sends a request and waits for its end.  SQLITE_OK, SQLITE_INTERRUPT,
** SQLITE_NOMEM or SQLITE_ERROR. */
static int perform(struct run *run, const char *url, struct rtk_err *err) {
  static const struct rtk_response nothing;
  struct rtk_request request = {
      .url = url, .token = run->token, .owner = run, .sends_max = 1};
  rtk_config_fill_request(run->conn->config, &request);
  int rc = rtk_http_start(run->http, &request, &run->transfer, err);
  while (rc == SQLITE_OK && rtk_http_next_done(run->http) == NULL) {
    rc = rtk_cancel_asked(&run->conn->cancel)
             ? SQLITE_INTERRUPT
             : rtk_http_poll(run->http, RTK_CANCEL_CHECK_MS, err);
  }
  if (rc == SQLITE_OK && rtk_transfer_is_nomem(run->transfer)) {
    rc = SQLITE_NOMEM;
  }
  bool is_sent = run->transfer != NULL;
  rtk_fetch_record(run->conn->fetch, run->token,
                   is_sent ? rtk_transfer_sent(run->transfer) : 0,
                   is_sent ? rtk_transfer_response(run->transfer) : &nothing);
  return rc;
}

static bool has_data(const struct run *run) {
  return run->reply != NULL && run->reply->outcome == RTK_OUTCOME_ROWS;
}

static int judge(struct run *run, const struct rtk_endpoint *endpoint) {
  struct rtk_ask ask = {.endpoint = endpoint,
                        .token = run->token,
                        .token_source = run->token_source,
                        .tries = 1};
  run->response = rtk_transfer_response(run->transfer);
  struct rtk_verdict verdict;
  int rc = rtk_status_judge(&ask, run->response, &verdict);
  if (rc != SQLITE_OK) return rc;
  run->reply = verdict.reply;
  run->is_api = verdict.is_api || has_data(run);
  rtk_verdict_deinit(&verdict);
  return SQLITE_OK;
}

/* Asks for an endpoint.  False: there is neither a reply nor a failure to
** judge, which is noted at `check`. */
static bool ask(struct run *run, enum check check,
                const struct rtk_endpoint *endpoint) {
  struct rtk_signature signature;
  struct rtk_call call;
  struct rtk_err err = {0};
  forget_reply(run);
  if (run->rc != SQLITE_OK) return false;
  rtk_endpoint_describe(endpoint, &signature);
  rtk_call_init(&call, &signature);
  rtk_call_set(&call, 0, run->account);
  rtk_call_set(&call, 1, run->app);
  call.page = 0; /* the whole list, as long as the server makes it */
  const char *url =
      rtk_call_url(&call, rtk_config_text(run->conn->config, RTK_BASE_URL));
  int rc = url == NULL
               ? SQLITE_NOMEM
               : rtk_fetch_acquire_slot(run->conn->fetch, run->token, &err);
  /* The first request can only be held up by the API's quota. */
  if (rc != SQLITE_OK && check == CHECK_NETWORK) check = CHECK_API;
  if (rc == SQLITE_OK) rc = perform(run, url, &err);
  if (rc == SQLITE_OK) rc = judge(run, endpoint);
  if (rc != SQLITE_OK) note_error(run, check, rc, &err);
  rtk_call_deinit(&call);
  return rc == SQLITE_OK;
}

/* --- before anything is sent ---------------------------------------------- */

static void look_at_proxy(struct run *run) {
  const char *source = NULL;
  bool is_nomem = false;
  char *proxy = rtk_config_shown_proxy(run->conn->config, &source, &is_nomem);
  const char *without = getenv("NO_PROXY");
  if (without == NULL) without = getenv("no_proxy");
  if (is_nomem) run->rc = SQLITE_NOMEM;
  run->has_proxy = proxy != NULL && run->is_https && without == NULL;
  if (!run->is_https) {
    note(run, CHECK_PROXY, GOOD, "none for http, which is on this machine");
  } else if (proxy == NULL) {
    note(run, CHECK_PROXY, GOOD, "none");
  } else {
    note(run, CHECK_PROXY, GOOD, "%s (%s)%s", proxy, source,
         without == NULL ? "" : ", unless NO_PROXY names the host");
  }
  sqlite3_free(proxy);
}

/* Takes an account or app from the argument, or else from the setting. */
static void look_at_scope(struct run *run, enum check check,
                          struct rtk_text given, enum rtk_setting setting,
                          size_t max, struct rtk_text *scope) {
  const char *name = rtk_config_name(setting);
  if (given.bytes == NULL) {
    given.bytes = rtk_config_text(run->conn->config, setting);
    given.size = given.bytes == NULL ? 0 : strlen(given.bytes);
  }
  if (given.bytes == NULL) {
    note(run, check, NOT_ASKED,
         "no %s given: rtk_check('ACCOUNT', 'APP'), or rtk_config('%s', '…')",
         name, name);
  } else if (!rtk_url_can_carry(given, max) ||
             memchr(given.bytes, '/', given.size) != NULL) {
    note(run, check, BAD, "%s is not text of 1 to %d characters without '/'",
         name, (int)max);
  } else {
    *scope = given;
  }
}

/* False: nothing can be sent. */
static bool look_around(struct run *run, const struct rtk_text *arguments) {
  struct rtk_config *config = run->conn->config;
  struct rtk_err err = {0};
  int rc = rtk_config_check(config, &err);
  if (rc != SQLITE_OK) {
    note_error(run, CHECK_SETTINGS, rc, &err);
    return false;
  }
  note(run, CHECK_SETTINGS, GOOD, "nothing wrong in the environment");
  rc = rtk_config_token(config, &run->token, &run->token_source, &err);
  if (rc == SQLITE_OK) note(run, CHECK_TOKEN, GOOD, "%s", run->token_source);
  if (rc != SQLITE_OK) note_error(run, CHECK_TOKEN, rc, &err);

  const char *base_url = rtk_config_text(config, RTK_BASE_URL);
  run->is_https = strncasecmp(base_url, "https:", 6) == 0;
  note(run, CHECK_BASE_URL, GOOD, "%s", base_url);
  look_at_proxy(run);
  look_at_scope(run, CHECK_ACCOUNT, arguments[0], RTK_ACCOUNT, RTK_ACCOUNT_MAX,
                &run->account);
  look_at_scope(run, CHECK_APP, arguments[1], RTK_APP, RTK_APP_MAX, &run->app);
  return run->token != NULL && run->rc == SQLITE_OK;
}

/* --- the first response: the way to the API ------------------------------- */

static void look_at_clock(struct run *run) {
  static const struct {
    int64_t ms;
    const char *name;
  } units[] = {{86400000, "days"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}};
  int64_t server_ms = 0;
  size_t i = 0;
  if (!rtk_http_parse_date(run->response->date, &server_ms)) {
    note(run, CHECK_CLOCK, NOT_ASKED, "the reply has no date");
    return;
  }
  int64_t ahead_ms = rtk_clock_unix_ms() - server_ms;
  int64_t off_ms = ahead_ms > 0 ? ahead_ms : -ahead_ms;
  if (off_ms <= CLOCK_OFF_MAX_MS) {
    note(run, CHECK_CLOCK, GOOD, "less than %d s off the server's",
         CLOCK_OFF_MAX_MS / 1000);
    return;
  }
  while (i < 3 && off_ms < 2 * units[i].ms) i++;
  note(run, CHECK_CLOCK, BAD,
       "this machine's clock is %lld %s %s the server's: set it, for"
       " certificates and dates go by it",
       (long long)((off_ms + units[i].ms / 2) / units[i].ms), units[i].name,
       ahead_ms > 0 ? "ahead of" : "behind");
}

/* The check that the response fails; CHECK_ACCEPTED when the API answered. */
static enum check check_of(const struct run *run) {
  const struct rtk_response *response = run->response;
  if (response->failure == RTK_FAILURE_CONNECT &&
      response->address[0] == '\0' && run->has_proxy) {
    return CHECK_PROXY;
  }
  if (response->failure != RTK_FAILURE_NONE) {
    enum check check = failed_check[response->failure];
    return check == 0 ? CHECK_NETWORK : check;
  }
  if (!run->is_api && response->status == 407) return CHECK_PROXY;
  bool is_busy = rtk_status_retry(response) != RTK_RETRY_NEVER;
  return run->is_api && !is_busy ? CHECK_ACCEPTED : CHECK_API;
}

/* The header is shown by itself first: it may be cut within the token. */
static void note_location(struct run *run, enum check check) {
  const char *location = run->response->location;
  sqlite3_str *out = sqlite3_str_new(NULL);
  rtk_sanitize(out, location, strlen(location), RTK_HEADER_MAX, run->token);
  char *shown = sqlite3_str_finish(out);
  if (shown == NULL) {
    run->rc = SQLITE_NOMEM;
    return;
  }
  note(run, check, BAD,
       "%s; it leads to %s: does the network want a log-in first?",
       run->reply->error, shown);
  sqlite3_free(shown);
}

/* Adds to the message of a failure what status.c does not know. */
static void note_failure(struct run *run, enum check check) {
  const char *message = run->reply->error;
  const char *location = run->response->location;
  const char *ca_file = rtk_config_text(run->conn->config, RTK_CA_FILE);
  bool is_ok = run->response->failure == RTK_FAILURE_NONE &&
               run->response->status == 200;
  char now[32] = "";
  struct tm utc;
  time_t seconds = (time_t)(rtk_clock_unix_ms() / 1000);
  if (run->response->failure == RTK_FAILURE_TRUST &&
      gmtime_r(&seconds, &utc) != NULL) {
    (void)strftime(now, sizeof(now), "%Y-%m-%d %H:%M", &utc);
    note(run, check, BAD, "%s; ca_file is %s, the clock here says %s UTC",
         message, ca_file == NULL ? "not set" : ca_file, now);
  } else if (check == CHECK_PROXY && run->has_proxy) {
    note(run, check, BAD, "%s; it is %s", message, run->found[check].detail);
  } else if (check == CHECK_API && location[0] != '\0') {
    note_location(run, check);
  } else if (check == CHECK_API && !run->is_api && is_ok) {
    note(run, check, BAD, "%s; does the network want a log-in first?", message);
  } else {
    note(run, check, BAD, "%s", message);
  }
}

/* Sends the first request.  False: the API has not answered. */
static bool reach_api(struct run *run) {
  if (!ask(run, CHECK_NETWORK, &user_token)) return false;
  const struct rtk_response *response = run->response;
  enum check failed = check_of(run);
  if (failed > CHECK_NETWORK) {
    /* libcurl 8 names no address when the handshake fails. */
    note(run, CHECK_NETWORK, GOOD, "%s answered in %lld ms",
         response->address[0] == '\0' ? "the host" : response->address,
         (long long)response->took_ms);
  }
  if (failed > CHECK_TLS) {
    note(run, CHECK_TLS, GOOD, "%s",
         run->is_https ? "the certificate is trusted"
                       : "none for http, which is on this machine");
    look_at_clock(run);
  }
  if (failed == CHECK_ACCEPTED) {
    note(run, CHECK_API, GOOD, "answers (HTTP %d)", response->status);
    return true;
  }
  note_failure(run, failed);
  return false;
}

/* --- token, account, app -------------------------------------------------- */

static bool is_text(const struct rtk_value *value, const char *text) {
  return value->type == RTK_TEXT && value->size == strlen(text) &&
         memcmp(value->as.text, text, value->size) == 0;
}

static void note_token(struct run *run, const char *owner) {
  const struct rtk_value *status = &run->reply->values[TOKEN_STATUS];
  const struct rtk_value *end = &run->reply->values[TOKEN_EXPIRES_ON];
  bool has_end = end->type == RTK_TEXT;
  if (status->type != RTK_TEXT) {
    note(run, CHECK_ACCEPTED, BAD, "the reply has no status: check base_url");
  } else if (is_text(status, "active")) {
    note(run, CHECK_ACCEPTED, GOOD, "active, owned by %s%s%.*s", owner,
         has_end ? ", until " : "", has_end ? (int)end->size : 0,
         has_end ? end->as.text : "");
  } else {
    note(run, CHECK_ACCEPTED, BAD,
         "the API token (%s) is %.*s: make a new one in the dashboard",
         run->token_source, (int)status->size, status->as.text);
  }
}

/* Judges the reply to user_token, which does not know the tokens of
** accounts. */
static void judge_token(struct run *run) {
  if (has_data(run)) {
    note_token(run, "a user");
    return;
  }
  note(run, CHECK_ACCEPTED, BAD, "%s%s", run->reply->error,
       run->account.bytes != NULL
           ? ""
           : "; if an account owns it, name the account to be sure");
  if (run->reply->http_status == 400 || run->account.bytes == NULL) return;
  if (!ask(run, CHECK_ACCEPTED, &account_token) || !has_data(run)) return;
  note_token(run, "the account");
  if (run->found[CHECK_ACCEPTED].verdict == GOOD) {
    note(run, CHECK_ACCOUNT, GOOD, "the token is its own");
  }
}

/* A 404 can be about the account or the app. */
static void tell_apart(struct run *run) {
  note(run, CHECK_APP, BAD, "%s", run->reply->error);
  if (run->found[CHECK_ACCOUNT].verdict == GOOD) return;
  if (!ask(run, CHECK_ACCOUNT, &account_token)) return;
  if (run->reply->http_status == 404) {
    note(run, CHECK_ACCOUNT, BAD, "%s", run->found[CHECK_APP].detail);
    note(run, CHECK_APP, NOT_ASKED, "cannot be told without the account");
  } else {
    note(run, CHECK_ACCOUNT, NOT_ASKED,
         "unknown: the app is wrong, or both are");
  }
}

static void judge_scope(struct run *run) {
  bool is_accepted = run->found[CHECK_ACCEPTED].verdict == GOOD;
  if (run->account.bytes == NULL || run->app.bytes == NULL) {
    if (run->account.bytes != NULL &&
        run->found[CHECK_ACCOUNT].detail == NULL) {
      note(run, CHECK_ACCOUNT, NOT_ASKED, "can only be asked with an app");
    }
    return;
  }
  if (!ask(run, CHECK_ACCOUNT, &livestreams)) return;
  if (has_data(run)) {
    if (!is_accepted) {
      note(run, CHECK_ACCEPTED, GOOD,
           "not known to tokens/verify, but good for this app");
    }
    note(run, CHECK_ACCOUNT, GOOD, "found, and the token may read it");
    note(run, CHECK_APP, GOOD, "found");
  } else if (is_accepted && run->is_api && run->reply->http_status == 404) {
    tell_apart(run);
  } else if (is_accepted) {
    note(run, CHECK_ACCOUNT, BAD, "%s", run->reply->error);
  }
}

/* Is the token known to be useless, so that more requests tell nothing? */
static bool is_dead(const struct run *run) {
  return run->found[CHECK_ACCEPTED].verdict == BAD &&
         (run->reply == NULL || has_data(run) ||
          run->reply->http_status == 400);
}

/* Asks the file for a reply that is not in it, which opens it. */
static void look_at_cache_file(struct run *run) {
  struct rtk_diskcache *disk = run->conn->disk;
  struct rtk_disk_reply nothing;
  int rc = rtk_conn_use_cache_file(run->conn);
  if (rc == SQLITE_OK) rc = rtk_diskcache_get(disk, "", &nothing);
  sqlite3_str *words = sqlite3_str_new(NULL);
  rtk_diskcache_describe(disk, words);
  char *text = sqlite3_str_finish(words);
  if (rc == SQLITE_NOMEM || text == NULL) {
    run->rc = SQLITE_NOMEM;
  } else {
    bool is_set = rtk_config_text(run->conn->config, RTK_CACHE_FILE) != NULL;
    bool is_good = !is_set || rtk_diskcache_is_in_use(disk);
    note(run, CHECK_CACHE_FILE, is_good ? GOOD : BAD, "%s", text);
  }
  sqlite3_free(text);
}

/* --- the rows ------------------------------------------------------------- */

static void write_rows(struct run *run, struct rtk_cells *cells) {
  const char *first_bad = "app";
  for (int i = CHECK_COUNT - 1; i >= 0; i--) {
    if (run->found[i].verdict == BAD) first_bad = names[i];
  }
  for (int i = 0; i < CHECK_COUNT; i++) {
    char *detail = run->found[i].detail;
    run->found[i].detail = NULL;
    rtk_cells_text(cells, names[i]);
    if (run->found[i].verdict == NOT_ASKED) {
      rtk_cells_null(cells);
    } else {
      rtk_cells_integer(cells, run->found[i].verdict == GOOD);
    }
    if (detail == NULL) {
      detail = sqlite3_mprintf("skipped: '%s' failed", first_bad);
      if (detail == NULL) run->rc = SQLITE_NOMEM;
    }
    rtk_cells_take(cells, detail);
  }
}

int rtk_check_fill(struct rtk_conn *conn, const struct rtk_text *arguments,
                   struct rtk_cells *cells, struct rtk_err *err) {
  struct run run = {.conn = conn};
  if (look_around(&run, arguments)) {
    int rc = rtk_http_new(&run.http, err);
    if (rc != SQLITE_OK) {
      note_error(&run, CHECK_NETWORK, rc, err);
    } else if (reach_api(&run)) {
      judge_token(&run);
      if (run.rc == SQLITE_OK && !is_dead(&run)) judge_scope(&run);
    }
  }
  if (run.rc == SQLITE_OK) look_at_cache_file(&run);
  if (run.rc == SQLITE_OK) write_rows(&run, cells);
  for (int i = 0; i < CHECK_COUNT; i++) sqlite3_free(run.found[i].detail);
  forget_reply(&run);
  rtk_http_free(run.http);
  rtk_config_wipe(run.token);
  return run.rc;
}
