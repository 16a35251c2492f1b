/* What is known about the access: its token, and what is refused to it. */
#include "fetch/access.h"

#include "api/reply.h"
#include "base/err.h"
#include "base/limits.h"
#include "config/config.h"
#include "disk/diskcache.h"

#include "check.h"

#include <stdio.h>

static struct rtk_config *config;
static struct rtk_access access;
static struct rtk_diskcache *disk; /* without a file, but in one test */
static struct rtk_err err;

/* With this token in the environment, or none. */
static void begin(const char *token) {
  (void)unsetenv("CLOUDFLARE_BASE_URL");
  (void)unsetenv("CLOUDFLARE_API_TOKEN_FILE");
  (void)unsetenv("CLOUDFLARE_API_TOKEN");
  if (token != NULL) (void)setenv("CLOUDFLARE_API_TOKEN", token, 1);
  assert_int_equal(rtk_config_new(NULL, &config), SQLITE_OK);
  assert_int_equal(rtk_diskcache_new(NULL, &disk), SQLITE_OK);
  rtk_access_init(&access, config, disk);
}

static void end(void) {
  rtk_err_clear(&err);
  rtk_access_deinit(&access);
  check_int("the end", "scopes", access.scope_count, 0);
  rtk_diskcache_free(disk);
  rtk_config_free(config);
}

static void set(const char *name, const char *value) {
  check_int(name, "set", rtk_config_set(config, name, value, &err), SQLITE_OK);
}

static struct rtk_scope *scope_of(const char *url, size_t size) {
  struct rtk_scope *scope = NULL;
  check_int(url, "scope", rtk_access_scope(&access, url, size, &scope),
            SQLITE_OK);
  return scope;
}

/* Refuses it; the reply is gone by then. */
static void refuse(enum rtk_outcome outcome, const char *error, const char *url,
                   size_t size) {
  struct rtk_reply *reply = NULL;
  struct rtk_reply draft = {
      .outcome = outcome, .http_status = 403, .error = error};
  int rc = rtk_reply_of_error(&draft, &reply);
  assert_int_equal(rc, SQLITE_OK);
  check_int(url, "refuse", rtk_access_refuse(&access, reply, url, size),
            SQLITE_OK);
  rtk_reply_free(reply);
}

static void check_refusal(const char *url, size_t size, const char *error) {
  const struct rtk_reply *refusal = rtk_access_refusal(&access, url, size);
  check_text(url, "refusal", refusal == NULL ? NULL : refusal->error, error);
}

CASE(a_scope_is_the_beginning_of_a_url) {
  begin(NULL);
  struct rtk_scope *scope = scope_of("/a/app/1", 6);
  check_int("/a/app/2", "the same", scope == scope_of("/a/app/2", 6), true);
  check_int("/a/app2/1", "the same", scope == scope_of("/a/app2/1", 7), false);
  check_int("/b/app/1", "the same", scope == scope_of("/b/app/1", 6), false);
  check_int("nothing", "the same", scope == scope_of("/a/app/1", 0), false);
  check_int("new", "is proven", scope->is_proven, false);
  check_int("all", "count", access.scope_count, 4);
  end();
}

CASE(what_is_refused_to_whom) {
  begin(NULL);
  check_refusal("/a/app/1", 6, NULL);
  refuse(RTK_OUTCOME_DENIED, "denied", "/a/app/1", 6);
  check_refusal("/a/app/2", 6, "denied");
  check_refusal("/a/app2/1", 7, NULL);
  check_refusal("/a", 0, NULL);
  refuse(RTK_OUTCOME_DENIED, "again", "/a/app/2", 6);
  check_refusal("/a/app/1", 6, "again");
  check_int("twice", "count", access.scope_count, 1);
  refuse(RTK_OUTCOME_CALLER, "no token", "/b/app/1", 6);
  check_refusal("/c/app/1", 6, "no token");
  check_refusal("/a", 0, "no token");
  end();
}

CASE(what_the_end_of_a_statement_forgets) {
  begin("token-of-the-environment");
  scope_of("/a/good/1", 7)->is_proven = true;
  refuse(RTK_OUTCOME_DENIED, "denied", "/a/app/1", 6);
  refuse(RTK_OUTCOME_CALLER, "no token", "/a/app/1", 6);
  check_int("token", "rc", rtk_access_need_token(&access, &err), SQLITE_OK);
  rtk_access_forget(&access);
  check_refusal("/a/app/1", 6, NULL);
  check_text("token", "after", access.token, NULL);
  check_int("proven", "after", scope_of("/a/good/1", 7)->is_proven, true);
  check_int("all", "count", access.scope_count, 1);
  end();
}

/* More proven scopes than are remembered: all go, and none at the limit. */
CASE(they_do_not_add_up) {
  begin(NULL);
  for (int i = 0; i <= 64; i++) {
    char url[20];
    rtk_access_forget(&access);
    check_int("before", "count", access.scope_count, i);
    sqlite3_snprintf((int)sizeof(url), url, "/a/%04d/1", i);
    scope_of(url, 7)->is_proven = true;
  }
  rtk_access_forget(&access);
  check_int("too many", "count", access.scope_count, 0);
  end();
}

CASE(the_token_is_taken_once) {
  begin("token-of-the-environment");
  check_int("first", "rc", rtk_access_need_token(&access, &err), SQLITE_OK);
  check_text("first", "token", access.token, "token-of-the-environment");
  check_text("first", "source", access.token_source,
             "from CLOUDFLARE_API_TOKEN");
  set("api_token", "token-of-the-settings");
  check_int("again", "rc", rtk_access_need_token(&access, &err), SQLITE_OK);
  check_text("again", "token", access.token, "token-of-the-environment");
  end();
}

CASE(no_token_is_an_error) {
  begin(NULL);
  check_int("none", "rc", rtk_access_need_token(&access, &err), SQLITE_ERROR);
  check_has("none", err.message, "no API token: ");
  check_text("none", "token", access.token, NULL);
  end();
}

CASE(moving_forgets_everything) {
  begin("token-of-the-environment");
  scope_of("/a/good/1", 7)->is_proven = true;
  check_int("token", "rc", rtk_access_need_token(&access, &err), SQLITE_OK);
  set("timeout_ms", "1000");
  check_int("a time-out", "has moved", rtk_access_is_outdated(&access), false);
  check_int("a time-out", "move", rtk_access_renew(&access), false);
  check_int("a time-out", "count", access.scope_count, 1);
  set("api_token", "token-of-the-settings");
  check_int("a token", "has moved", rtk_access_is_outdated(&access), true);
  check_int("a token", "move", rtk_access_renew(&access), true);
  check_int("moved", "has moved", rtk_access_is_outdated(&access), false);
  check_int("moved", "count", access.scope_count, 0);
  check_int("moved", "rc", rtk_access_need_token(&access, &err), SQLITE_OK);
  check_text("moved", "token", access.token, "token-of-the-settings");
  set("base_url", "https://example.com/client/v4");
  check_int("an address", "has moved", rtk_access_is_outdated(&access), true);
  end();
}

/* --- no memory ------------------------------------------------------------ */

static int refuse_all(void *arg) {
  struct rtk_reply *reply = NULL;
  (void)arg;
  rtk_access_init(&access, config, disk);
  int rc = rtk_access_need_token(&access, NULL);
  if (rc == SQLITE_OK) {
    struct rtk_reply draft = {
        .outcome = RTK_OUTCOME_DENIED, .http_status = 403, .error = "denied"};
    rc = rtk_reply_of_error(&draft, &reply);
  }
  if (rc == SQLITE_OK) rc = rtk_access_refuse(&access, reply, "/a/app/1", 6);
  if (rc == SQLITE_OK) check_refusal("/a/app/2", 6, "denied");
  rtk_reply_free(reply);
  rtk_access_deinit(&access);
  return rc;
}

CASE(no_memory) {
  begin("token-of-the-environment");
  check_nomem("refuse", refuse_all, NULL, false);
  end();
}

/* --- what the cache file remembers ---------------------------------------- */

#define ONE "https://a/accounts/A/realtime/kit/P/"
#define OTHER "https://a/accounts/A/realtime/kit/Q/"
static const char file[] = "proven.db";

/* A process with this token: does it know the scope, and does it prove it? */
static bool knows(const char *token, const char *url, bool proves) {
  begin(token);
  check_int(url, "use", rtk_diskcache_use(disk, file), SQLITE_OK);
  check_int(url, "token", rtk_access_need_token(&access, &err), SQLITE_OK);
  struct rtk_scope *scope = scope_of(url, strlen(url));
  rtk_access_recall(&access, scope);
  bool does = scope->is_proven;
  if (proves) rtk_access_prove(&access, scope);
  end();
  return does;
}

CASE(a_proven_scope_is_remembered_for_an_hour) {
  static const char a[] = "token-a-0123456789-0123456789-0123456789";
  static const char b[] = "token-b-0123456789-0123456789-0123456789";
  sqlite3 *db = NULL;
  (void)remove(file);
  check_int("first", "knows", knows(a, ONE, true), false);
  check_int("again", "knows", knows(a, ONE, false), true);
  check_int("other token", "knows", knows(b, ONE, false), false);
  check_int("other app", "knows", knows(a, OTHER, false), false);
  check_int("file", "open", sqlite3_open(file, &db), SQLITE_OK);
  for (int i = 0; i < 2; i++) { /* an hour later, an hour earlier */
    check_int("file", "update",
              sqlite3_exec(db,
                           i == 0 ? "UPDATE reply SET fetched_ms = fetched_ms"
                                    " - 3600000"
                                  : "UPDATE reply SET fetched_ms = fetched_ms"
                                    " + 7200000",
                           NULL, NULL, NULL),
              SQLITE_OK);
    check_int("old", "knows", knows(a, ONE, false), false);
  }
  check_int("file", "close", sqlite3_close(db), SQLITE_OK);
}

int main(void) { return check_run(); }
