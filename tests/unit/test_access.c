/* What is known about the access: its token, and what is refused to it. */
#include "fetch/access.h"

#include "api/reply.h"
#include "base/err.h"
#include "base/limits.h"
#include "config/config.h"

#include "check.h"

static struct rtk_config *new_config(const char *token) {
  struct rtk_config *config = NULL;
  (void)unsetenv("CLOUDFLARE_BASE_URL");
  (void)unsetenv("CLOUDFLARE_API_TOKEN_FILE");
  (void)unsetenv("CLOUDFLARE_API_TOKEN");
  if (token != NULL) (void)setenv("CLOUDFLARE_API_TOKEN", token, 1);
  assert_int_equal(rtk_config_new(NULL, &config), SQLITE_OK);
  return config;
}

static void set(struct rtk_config *config, const char *name,
                const char *value) {
  struct rtk_err err = {0};
  check_int(name, "set", rtk_config_set(config, name, value, &err), SQLITE_OK);
  rtk_err_clear(&err);
}

static struct rtk_scope *scope_of(struct rtk_access *access, const char *url,
                                  size_t size) {
  struct rtk_scope *scope = NULL;
  check_int(url, "scope", rtk_access_scope(access, url, size, &scope),
            SQLITE_OK);
  return scope;
}

/* Refuses it; the reply is gone by then. */
static void refuse(struct rtk_access *access, enum rtk_outcome outcome,
                   const char *error, const char *url, size_t size) {
  struct rtk_reply *reply = NULL;
  struct rtk_reply draft = {
      .outcome = outcome, .http_status = 403, .error = error};
  int rc = rtk_reply_of_error(&draft, &reply);
  assert_int_equal(rc, SQLITE_OK);
  check_int(url, "refuse", rtk_access_refuse(access, reply, url, size),
            SQLITE_OK);
  rtk_reply_free(reply);
}

static void check_refusal(const struct rtk_access *access, const char *url,
                          size_t size, const char *error) {
  const struct rtk_reply *refusal = rtk_access_refusal(access, url, size);
  check_text(url, "refusal", refusal == NULL ? NULL : refusal->error, error);
}

static void a_scope_is_the_beginning_of_a_url(void **state) {
  struct rtk_config *config = new_config(NULL);
  struct rtk_access access;
  (void)state;
  rtk_access_init(&access, config);
  struct rtk_scope *scope = scope_of(&access, "/a/app/1", 6);
  check_int("/a/app/2", "the same", scope == scope_of(&access, "/a/app/2", 6),
            true);
  check_int("/a/app2/1", "the same", scope == scope_of(&access, "/a/app2/1", 7),
            false);
  check_int("/b/app/1", "the same", scope == scope_of(&access, "/b/app/1", 6),
            false);
  check_int("nothing", "the same", scope == scope_of(&access, "/a/app/1", 0),
            false);
  check_int("new", "is proven", scope->is_proven, false);
  check_int("all", "count", access.scope_count, 4);
  rtk_access_deinit(&access);
  check_int("deinit", "count", access.scope_count, 0);
  rtk_config_free(config);
}

static void what_is_refused_to_whom(void **state) {
  struct rtk_config *config = new_config(NULL);
  struct rtk_access access;
  (void)state;
  rtk_access_init(&access, config);
  check_refusal(&access, "/a/app/1", 6, NULL);
  refuse(&access, RTK_OUTCOME_DENIED, "denied", "/a/app/1", 6);
  check_refusal(&access, "/a/app/2", 6, "denied");
  check_refusal(&access, "/a/app2/1", 7, NULL);
  check_refusal(&access, "/a", 0, NULL);
  refuse(&access, RTK_OUTCOME_DENIED, "again", "/a/app/2", 6);
  check_refusal(&access, "/a/app/1", 6, "again");
  check_int("twice", "count", access.scope_count, 1);
  refuse(&access, RTK_OUTCOME_CALLER, "no token", "/b/app/1", 6);
  check_refusal(&access, "/c/app/1", 6, "no token");
  check_refusal(&access, "/a", 0, "no token");
  rtk_access_deinit(&access);
  rtk_config_free(config);
}

static void what_the_end_of_a_statement_forgets(void **state) {
  struct rtk_config *config = new_config("token-of-the-environment");
  struct rtk_access access;
  struct rtk_err err = {0};
  (void)state;
  rtk_access_init(&access, config);
  scope_of(&access, "/a/good/1", 7)->is_proven = true;
  refuse(&access, RTK_OUTCOME_DENIED, "denied", "/a/app/1", 6);
  refuse(&access, RTK_OUTCOME_CALLER, "no token", "/a/app/1", 6);
  check_int("token", "rc", rtk_access_need_token(&access, &err), SQLITE_OK);
  rtk_access_forget(&access);
  check_refusal(&access, "/a/app/1", 6, NULL);
  check_text("token", "after", access.token, NULL);
  check_int("proven", "after", scope_of(&access, "/a/good/1", 7)->is_proven,
            true);
  check_int("all", "count", access.scope_count, 1);
  rtk_access_deinit(&access);
  rtk_config_free(config);
}

/* More proven scopes than are remembered: all go, and none at the limit. */
static void they_do_not_add_up(void **state) {
  struct rtk_config *config = new_config(NULL);
  struct rtk_access access;
  (void)state;
  rtk_access_init(&access, config);
  for (int i = 0; i <= 64; i++) {
    char url[20];
    rtk_access_forget(&access);
    check_int("before", "count", access.scope_count, i);
    sqlite3_snprintf((int)sizeof(url), url, "/a/%04d/1", i);
    scope_of(&access, url, 7)->is_proven = true;
  }
  rtk_access_forget(&access);
  check_int("too many", "count", access.scope_count, 0);
  rtk_access_deinit(&access);
  rtk_config_free(config);
}

static void the_token_is_taken_once(void **state) {
  struct rtk_config *config = new_config("token-of-the-environment");
  struct rtk_access access;
  struct rtk_err err = {0};
  (void)state;
  rtk_access_init(&access, config);
  check_int("first", "rc", rtk_access_need_token(&access, &err), SQLITE_OK);
  check_text("first", "token", access.token, "token-of-the-environment");
  check_text("first", "source", access.token_source,
             "from CLOUDFLARE_API_TOKEN");
  set(config, "api_token", "token-of-the-settings");
  check_int("again", "rc", rtk_access_need_token(&access, &err), SQLITE_OK);
  check_text("again", "token", access.token, "token-of-the-environment");
  rtk_access_deinit(&access);
  rtk_config_free(config);
}

static void no_token_is_an_error(void **state) {
  struct rtk_config *config = new_config(NULL);
  struct rtk_access access;
  struct rtk_err err = {0};
  (void)state;
  rtk_access_init(&access, config);
  check_int("none", "rc", rtk_access_need_token(&access, &err), SQLITE_ERROR);
  check_has("none", err.message, "no API token: ");
  check_text("none", "token", access.token, NULL);
  rtk_err_clear(&err);
  rtk_access_deinit(&access);
  rtk_config_free(config);
}

static void moving_forgets_everything(void **state) {
  struct rtk_config *config = new_config("token-of-the-environment");
  struct rtk_access access;
  struct rtk_err err = {0};
  (void)state;
  rtk_access_init(&access, config);
  scope_of(&access, "/a/good/1", 7)->is_proven = true;
  check_int("token", "rc", rtk_access_need_token(&access, &err), SQLITE_OK);
  set(config, "timeout_ms", "1000");
  check_int("a time-out", "has moved", rtk_access_is_outdated(&access), false);
  check_int("a time-out", "move", rtk_access_renew(&access), false);
  check_int("a time-out", "count", access.scope_count, 1);
  set(config, "api_token", "token-of-the-settings");
  check_int("a token", "has moved", rtk_access_is_outdated(&access), true);
  check_int("a token", "move", rtk_access_renew(&access), true);
  check_int("moved", "has moved", rtk_access_is_outdated(&access), false);
  check_int("moved", "count", access.scope_count, 0);
  check_int("moved", "rc", rtk_access_need_token(&access, &err), SQLITE_OK);
  check_text("moved", "token", access.token, "token-of-the-settings");
  set(config, "base_url", "https://example.com/client/v4");
  check_int("an address", "has moved", rtk_access_is_outdated(&access), true);
  rtk_access_deinit(&access);
  rtk_config_free(config);
}

/* --- no memory ------------------------------------------------------------ */

static int refuse_all(void *arg) {
  struct rtk_access access;
  struct rtk_reply *reply = NULL;
  rtk_access_init(&access, arg);
  int rc = rtk_access_need_token(&access, NULL);
  if (rc == SQLITE_OK) {
    struct rtk_reply draft = {
        .outcome = RTK_OUTCOME_DENIED, .http_status = 403, .error = "denied"};
    rc = rtk_reply_of_error(&draft, &reply);
  }
  if (rc == SQLITE_OK) rc = rtk_access_refuse(&access, reply, "/a/app/1", 6);
  if (rc == SQLITE_OK) check_refusal(&access, "/a/app/2", 6, "denied");
  rtk_reply_free(reply);
  rtk_access_deinit(&access);
  return rc;
}

static void no_memory(void **state) {
  struct rtk_config *config = new_config("token-of-the-environment");
  (void)state;
  check_nomem("refuse", refuse_all, config, false);
  rtk_config_free(config);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_scope_is_the_beginning_of_a_url),
      TEST(what_is_refused_to_whom),
      TEST(what_the_end_of_a_statement_forgets),
      TEST(they_do_not_add_up),
      TEST(the_token_is_taken_once),
      TEST(no_token_is_an_error),
      TEST(moving_forgets_everything),
      TEST(no_memory),
  };
  check_init();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
