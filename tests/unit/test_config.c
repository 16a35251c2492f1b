/* The settings of one connection. */
#include "config/config.h"

#include "base/err.h"
#include "base/limits.h"
#include "net/http.h"

#include "check.h"

#include <stdio.h>
#include <unistd.h>

/* --- environment ---------------------------------------------------------- */

extern char **environ;

/* Settings with these variables and no others but cmocka's: NAME, VALUE, …,
** NULL. */
static struct rtk_config *config_with(const char *const *pairs) {
  struct rtk_config *config = NULL;
  for (char **v = environ; v != NULL && *v != NULL;) {
    char name[64];
    (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(*v, "="), *v);
    bool is_kept = strncmp(name, "CMOCKA_", 7) == 0 || strlen(name) == 63;
    if (is_kept || unsetenv(name) != 0) {
      v++;
    } else {
      v = environ;
    }
  }
  for (; *pairs != NULL; pairs += 2) (void)setenv(pairs[0], pairs[1], 1);
  assert_int_equal(rtk_config_new(NULL, &config), SQLITE_OK);
  return config;
}

#define WITH(...) ((const char *const[]){__VA_ARGS__, NULL})
#define WITHOUT ((const char *const[]){NULL})

static void set(struct rtk_config *config, const char *name,
                const char *value) {
  struct rtk_err err = {0};
  check_int(name, "set", rtk_config_set(config, name, value, &err), SQLITE_OK);
  check_text(name, "message", err.message, NULL);
  rtk_err_clear(&err);
}

/* --- values --------------------------------------------------------------- */

static void check_number(const char *name, int64_t value, bool is_good,
                         const char *message) {
  struct rtk_config *config = config_with(WITHOUT);
  enum rtk_setting setting = 0;
  struct rtk_err err = {0};
  char text[32];
  (void)snprintf(text, sizeof(text), "%lld", (long long)value);
  (void)rtk_config_find(name, &setting, &err);
  int64_t before = rtk_config_int(config, setting);
  check_int(name, text, rtk_config_set(config, name, text, &err),
            is_good ? SQLITE_OK : SQLITE_ERROR);
  check_text(name, "message", err.message, is_good ? NULL : message);
  check_int(name, "number", rtk_config_int(config, setting),
            is_good ? value : before);
  rtk_err_clear(&err);
  rtk_config_free(config);
}

CASE(numbers_have_a_range) {
  static const struct {
    const char *name;
    int64_t min, max;
  } cases[] = {
      {"timeout_ms", 1, 86400000},
      {"connect_timeout_ms", 1, 86400000},
      {"max_wait_ms", 0, 86400000},
      {"max_retries", 0, 10},
      {"concurrency", 1, 1000},
      {"cache_max_bytes", 0, 68719476736},
      {"max_response_bytes", 1, 1073741824},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char message[100];
    (void)snprintf(message, sizeof(message),
                   "%s must be a whole number from %lld to %lld", cases[i].name,
                   (long long)cases[i].min, (long long)cases[i].max);
    int64_t values[] = {cases[i].min,     cases[i].max, cases[i].min - 1,
                        cases[i].max + 1, INT64_MIN,    INT64_MAX};
    for (size_t k = 0; k < COUNT(values); k++) {
      check_number(cases[i].name, values[k], k < 2, message);
    }
  }
}

CASE(values_are_checked) {
  static const char numbers[] =
      "max_retries must be a whole number from 0 to 10";
  static const char empty[] = " must not be empty: NULL takes it back";
  static const char quotes[] = "api_token stands in quotes: leave them out";
  static const char bearer[] =
      "api_token begins with Bearer: leave that out, rtk adds it";
  static const char no_proxy[] =
      "proxy must look like [http://][user:password@]host[:port]";
  static const char token[] = "api_token must be visible ASCII characters"
                              " without spaces: copy the token again";
  static const char on_error[] = "on_error must be 'fail' or 'row'";
  static const char no_url[] =
      " is not a URL: it looks like https://api.cloudflare.com/client/v4";
  static const char user[] = " has a user: leave it out";
  static const char loopback[] =
      ": a token is sent by https, or http to localhost only";
  static const struct {
    const char *name, *value;
    const char *kept;    /* NULL: refused */
    const char *message; /* how it ends */
  } cases[] = {
      {"max_retries", "5", "5", NULL},
      {"max_retries", " 5\n", "5", NULL},
      {"max_retries", "007", "007", NULL},
      {"max_retries", "-0", "-0", NULL},
      {"max_retries", "x", NULL, numbers},
      {"max_retries", "", NULL, numbers},
      {"max_retries", "0x3", NULL, numbers},
      {"max_retries", "5x", NULL, numbers},
      {"max_retries", "5 6", NULL, numbers},
      {"max_retries", "5.0", NULL, numbers},
      {"max_retries", "5e0", NULL, numbers},
      {"max_retries", "+5", NULL, numbers},
      {"max_retries", "-", NULL, numbers},
      {"max_retries", "- 5", NULL, numbers},
      {"max_retries", "-99999999999999999999", NULL, numbers},
      {"account", "abc", "abc", NULL},
      {"account", " abc\r\n", "abc", NULL},
      {"account", "a b", "a b", NULL},
      {"account", " \t\r\n", NULL, empty},
      {"app", "", NULL, empty},
      {"account", "", NULL, empty},
      {"ca_file", "/etc/ssl/own.pem", "/etc/ssl/own.pem", NULL},
      {"ca_file", "", NULL, empty},
      {"cache_file", "", NULL, empty},
      {"proxy", "http://proxy:3128", "http://proxy:3128", NULL},
      {"proxy", "user:SECRET://x@proxy:3128", NULL, no_proxy},
      {"proxy", "HTTP://proxy:65535/", "HTTP://proxy:65535/", NULL},
      {"proxy", "[fe80::1%eth0]", "[fe80::1%eth0]", NULL},
      {"proxy", "[]", NULL, no_proxy},
      {"proxy", "", NULL, empty},
      {"proxy", "user:SECRET", NULL, no_proxy},
      {"proxy", "http://user:SECRET@", NULL, no_proxy},
      {"proxy", "SECRET@", NULL, no_proxy},
      {"proxy", "http://user%3ASECRET%40proxy.example", NULL, no_proxy},
      {"proxy", "http://user:SEC/RET@proxy.example", NULL, no_proxy},
      {"proxy", "http://user:SEC?RET@proxy.example", NULL, no_proxy},
      {"proxy", "http://proxy.example:SECRET", NULL, no_proxy},
      {"proxy", "http://proxy.example:65536", NULL, no_proxy},
      {"proxy", "http://proxy.example/SECRET", NULL, no_proxy},
      {"proxy", "SECRET://proxy.example", NULL, no_proxy},
      {"proxy", "http:user:SECRET", NULL, no_proxy},
      {"proxy", "//user:SECRET@proxy.example", NULL, no_proxy},
      {"proxy", "http://[::1", NULL, no_proxy},
      {"proxy", "http://user: SECRET", NULL, no_proxy},
      {"on_error", "fail", "fail", NULL},
      {"on_error", "row", "row", NULL},
      {"on_error", " row ", "row", NULL},
      {"on_error", "rows", NULL, on_error},
      {"on_error", "ROW", NULL, on_error},
      {"on_error", "", NULL, on_error},
      {"api_token", "abc", "abc", NULL},
      {"api_token", "\tabc \r\n", "abc", NULL},
      {"api_token", "!~", "!~", NULL},
      {"api_token", "a b", NULL, token},
      {"api_token", "a\x7F", NULL, token},
      {"api_token", "t\u00f6ken", NULL, token},
      {"api_token", "a\nX-Header: b", NULL, token},
      {"api_token", "'abc", NULL, quotes},
      {"api_token", "abc`", NULL, quotes},
      {"api_token", "abc\u2019", NULL, quotes},
      {"api_token", "\u201cabc\u201d", NULL, quotes},
      {"api_token", "\"", NULL, quotes},
      {"api_token", "a\"b", "a\"b", NULL},
      {"api_token", "bearer\tabc", NULL, bearer},
      {"api_token", "Bearer", NULL, bearer},
      {"api_token", "Authorization: Bearer abc", NULL,
       "api_token begins with Authorization: leave out all but the token"
       " itself"},
      {"api_token", "CLOUDFLARE_API_TOKEN=abc", NULL,
       "api_token begins with the variable's name: leave out all but the"
       " token itself"},
      {"api_token", "Bearerabc", "Bearerabc", NULL},
      {"api_token", " \n", NULL, empty},
      {"base_url", "https://example.com/client/v4",
       "https://example.com/client/v4", NULL},
      {"base_url", " https://example.com/\n", "https://example.com/", NULL},
      {"base_url", "HTTPS://example.com", "HTTPS://example.com", NULL},
      {"base_url", "http://127.0.0.1:8080/v4", "http://127.0.0.1:8080/v4",
       NULL},
      {"base_url", "http://localhost:8080", "http://localhost:8080", NULL},
      {"base_url", "http://[::1]:8080", "http://[::1]:8080", NULL},
      {"base_url", "", NULL, no_url},
      {"base_url", "example.com", NULL, NULL},
      {"base_url", "/client/v4", NULL, NULL},
      {"base_url", "https://", NULL, no_url},
      {"base_url", "http://127.9.9.9/v4", "http://127.9.9.9/v4", NULL},
      {"base_url", "http://LOCALHOST/v4", "http://LOCALHOST/v4", NULL},
      {"base_url", "http://128.0.0.1/v4", NULL, loopback},
      {"base_url", "http://126.0.0.1/v4", NULL, loopback},
      {"base_url", "http://localhost.example/v4", NULL, loopback},
      {"base_url", "http://127.0.0.1.example.com", NULL, loopback},
      {"base_url", "http://127.0.0.1.2/v4", NULL, loopback},
      {"base_url", "http://127.0.0.1./v4", NULL, loopback},
      {"base_url", "http://api.cloudflare.com/client/v4", NULL, loopback},
      {"base_url", "ftp://localhost/v4", NULL, loopback},
      {"base_url", "http://localhost@example.com", NULL, NULL},
      {"base_url", "http://[::2]", NULL, NULL},
      {"base_url", "http://0.0.0.0", NULL, NULL},
      {"base_url", "ftp://example.com", NULL, NULL},
      {"base_url", "file:///etc/passwd", NULL, no_url},
      {"base_url", "javascript:alert(1)", NULL, NULL},
      {"base_url", "https://user@example.com", NULL, NULL},
      {"base_url", "https://user:pw@example.com", NULL, user},
      {"base_url", "https://:pw@example.com", NULL, NULL},
      {"base_url", "https://example.com?a=b", NULL,
       " has a query or a fragment: leave it out"},
      {"base_url", "https://example.com/#a", NULL, NULL},
      {"base_url", "https://exa mple.com", NULL, NULL},
      {"base_url", "https://example.com/a\r\nb", NULL, NULL},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_config *config = config_with(WITHOUT);
    enum rtk_setting setting = 0;
    struct rtk_err err = {0};
    char *name = sqlite3_mprintf("%s = '%s'", cases[i].name, cases[i].value);
    (void)rtk_config_find(cases[i].name, &setting, &err);
    int rc = rtk_config_set(config, cases[i].name, cases[i].value, &err);
    bool is_kept = cases[i].kept != NULL;
    check_int(name, "set", rc, is_kept ? SQLITE_OK : SQLITE_ERROR);
    check_int(name, "message is there", err.message != NULL, !is_kept);
    check_text(name, "value", rtk_config_text(config, setting),
               is_kept ? cases[i].kept : rtk_config_default(setting));
    check_text(name, "source", rtk_config_source(config, setting),
               is_kept ? "set" : "default");
    if (!is_kept) {
      check_has(name, err.message, cases[i].name);
      if (cases[i].message != NULL) {
        check_has(name, err.message, cases[i].message);
      }
    }
    sqlite3_free(name);
    rtk_err_clear(&err);
    rtk_config_free(config);
  }
}

CASE(a_setting_is_taken_back_by_null) {
  static const struct {
    const char *name, *value; /* set one after the other */
    enum rtk_setting setting;
    int64_t number;
    const char *source;
  } steps[] = {
      {"concurrency", "20", RTK_CONCURRENCY, 20, "set"},
      {"concurrency", "007", RTK_CONCURRENCY, 7, "set"},
      {"concurrency", "20", RTK_CONCURRENCY, 20, "set"},
      {"concurrency", NULL, RTK_CONCURRENCY, 5, "environment"},
      {"concurrency", NULL, RTK_CONCURRENCY, 5, "environment"},
      {"max_retries", "-0", RTK_MAX_RETRIES, 0, "set"},
      {"timeout_ms", "5", RTK_TIMEOUT_MS, 5, "set"},
      {"timeout_ms", NULL, RTK_TIMEOUT_MS, 60000, "default"},
  };
  struct rtk_config *config =
      config_with(WITH("RTK_CONCURRENCY", "5", "CLOUDFLARE_ACCOUNT_ID", "env"));
  for (size_t i = 0; i < COUNT(steps); i++) {
    set(config, steps[i].name, steps[i].value);
    check_int(steps[i].name, "number", rtk_config_int(config, steps[i].setting),
              steps[i].number);
    check_text(steps[i].name, "source",
               rtk_config_source(config, steps[i].setting), steps[i].source);
  }
  set(config, "account", "sql");
  check_text("account", "value", rtk_config_text(config, RTK_ACCOUNT), "sql");
  set(config, "account", NULL);
  check_text("account", "value", rtk_config_text(config, RTK_ACCOUNT), "env");
  rtk_config_free(config);
}

/* --- the environment ------------------------------------------------------ */

CASE(the_environment_is_read_once) {
  static const struct {
    const char *variable, *value, *name, *expected;
  } cases[] = {
      {"CLOUDFLARE_API_TOKEN", " abc\n", "api_token", "abc"},
      {"CLOUDFLARE_API_TOKEN_FILE", "/x", "api_token_file", "/x"},
      {"CLOUDFLARE_ACCOUNT_ID", "a\n", "account", "a"},
      {"REALTIMEKIT_APP_ID", "a", "app", "a"},
      {"CLOUDFLARE_BASE_URL", "https://x.example", "base_url",
       "https://x.example"},
      {"RTK_TIMEOUT_MS", "5", "timeout_ms", "5"},
      {"RTK_CONNECT_TIMEOUT_MS", "5", "connect_timeout_ms", "5"},
      {"RTK_MAX_WAIT_MS", "0", "max_wait_ms", "0"},
      {"RTK_MAX_RETRIES", "0", "max_retries", "0"},
      {"RTK_CONCURRENCY", "5", "concurrency", "5"},
      {"RTK_CACHE_MAX_BYTES", "5", "cache_max_bytes", "5"},
      {"RTK_MAX_RESPONSE_BYTES", "5", "max_response_bytes", "5"},
      {"RTK_ON_ERROR", "row", "on_error", "row"},
      {"RTK_TRUST_SCHEMA", "1", "trust_schema", "on"},
      {"RTK_TRUST_SCHEMA", "on", "trust_schema", "on"},
      {"RTK_TRUST_SCHEMA", "0", "trust_schema", "off"},
      {"CURL_CA_BUNDLE", "/x.pem", "ca_file", "/x.pem"},
      {"SSL_CERT_FILE", "/x.pem", "ca_file", "/x.pem"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    enum rtk_setting setting = 0;
    struct rtk_err err = {0};
    struct rtk_config *config =
        config_with(WITH(cases[i].variable, cases[i].value));
    (void)setenv(cases[i].variable, "1", 1); /* comes too late */
    (void)rtk_config_find(cases[i].name, &setting, &err);
    check_int(cases[i].variable, "problem", rtk_config_check(config, &err),
              SQLITE_OK);
    check_text(cases[i].variable, "value", rtk_config_text(config, setting),
               cases[i].expected);
    check_text(cases[i].variable, "source", rtk_config_source(config, setting),
               "environment");
    rtk_config_free(config);
  }
}

/* Of two variables the first that is not empty counts.  For libcurl a
** directory, or a list of them, is another thing than a file. */
CASE(certificates_are_in_a_file_or_a_directory) {
  static const struct {
    const char *variable, *value, *file, *path;
    const char *second; /* SSL_CERT_FILE or NULL */
  } cases[] = {
      {"CURL_CA_BUNDLE", "/a", "/a", NULL, "/b"},
      {"CURL_CA_BUNDLE", "", "/b", NULL, "/b"},
      {"CURL_CA_BUNDLE", "/a", "/a", NULL, ""},
      {"CURL_CA_BUNDLE", "", NULL, NULL, ""},
      {"SSL_CERT_DIR", "/tmp", NULL, "/tmp", NULL},
      {"SSL_CERT_DIR", "/tmp:/no-such", NULL, "/tmp:/no-such", NULL},
      {"SSL_CERT_DIR", "/no-such", "/no-such", NULL, NULL},
      {"SSL_CERT_FILE", "/tmp", NULL, "/tmp", NULL},
      {"CURL_CA_BUNDLE", "/dev/null", "/dev/null", NULL, NULL},
      {"CURL_CA_BUNDLE", "/no-such:/tmp", "/no-such:/tmp", NULL, NULL},
      {"CURL_CA_BUNDLE", "", NULL, NULL, NULL},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_request request = {.ca_file = "?", .ca_path = "?"};
    struct rtk_config *config = config_with(
        cases[i].second == NULL ? WITH(cases[i].variable, cases[i].value)
                                : WITH(cases[i].variable, cases[i].value,
                                       "SSL_CERT_FILE", cases[i].second));
    rtk_config_fill_request(config, &request);
    check_text(cases[i].value, "file", request.ca_file, cases[i].file);
    check_text(cases[i].value, "directory", request.ca_path, cases[i].path);
    rtk_config_free(config);
  }
}

CASE(a_bad_variable_is_reported) {
  static const char timeout[] =
      "environment variable RTK_TIMEOUT_MS: timeout_ms"
      " must be a whole number from 1 to 86400000";
  static const struct {
    const char *variable, *value, *problem; /* NULL: none */
  } cases[] = {
      {"RTK_TIMEOUT_MS", "soon", timeout},
      {"RTK_TIMEOUT_MS", "0", timeout},
      {"RTK_TIMEOUT_MS", "", NULL},
      {"RTK_ON_ERROR", "ignore",
       "environment variable RTK_ON_ERROR: on_error must be 'fail' or 'row'"},
      {"RTK_TRUST_SCHEMA", "yes",
       "environment variable RTK_TRUST_SCHEMA: trust_schema must be 'off' or"
       " 'on'"},
      {"CLOUDFLARE_API_TOKEN", "two words",
       "environment variable CLOUDFLARE_API_TOKEN: api_token must be visible"
       " ASCII characters without spaces: copy the token again"},
      {"CLOUDFLARE_API_TOKEN", "\n", NULL},
      {"CLOUDFLARE_ACCOUNT_ID", "", NULL},
  };
  struct rtk_err err = {0};
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_config *config =
        config_with(WITH(cases[i].variable, cases[i].value));
    check_int(cases[i].variable, "check", rtk_config_check(config, &err),
              cases[i].problem == NULL ? SQLITE_OK : SQLITE_ERROR);
    check_text(cases[i].variable, "message", err.message, cases[i].problem);
    rtk_err_clear(&err);
    rtk_config_free(config);
  }
  struct rtk_config *config =
      config_with(WITH("RTK_ON_ERROR", "x", "RTK_TIMEOUT_MS", "x"));
  for (int i = 0; i < 2; i++) {
    check_int("two", "check", rtk_config_check(config, &err), SQLITE_ERROR);
    check_has("two: the first setting", err.message, "RTK_TIMEOUT_MS");
    rtk_err_clear(&err);
  }
  check_int("bad", "number", rtk_config_int(config, RTK_TIMEOUT_MS), 60000);
  rtk_config_free(config);
}

/* Other programs' variables begin with RTK_ too. */
CASE(a_misspelt_variable_is_reported) {
  static const struct {
    const char *variable, *value, *right; /* NULL: none */
  } cases[] = {
      {"RTK_TIMEOUT", "5", "RTK_TIMEOUT_MS"},
      {"RTK_QUOTA_WINDOW", "5", "RTK_QUOTA_WINDOW_S"},
      {"RTK_MAX_RETRYS", "x", "RTK_MAX_RETRIES"},
      {"rtk_quota", "5", "RTK_QUOTA"},
      {"RTK_CACHEFILE", "x", "RTK_CACHE_FILE"},
      {"RTK_API_TOKEN", "two words", "CLOUDFLARE_API_TOKEN"},
      {"RTK_API_TOKEN_FILE", "x", "CLOUDFLARE_API_TOKEN_FILE"},
      {"RTK_BASE_URL", "x", "CLOUDFLARE_BASE_URL"},
      {"RTK_CA_FILE", "x", "CURL_CA_BUNDLE"},
      {"RTK_PROXY", "http://u:two words@h", "HTTPS_PROXY"},
      {"RTK_ACCOUNT_ID", "x", "CLOUDFLARE_ACCOUNT_ID"},
      {"RTK_APP_ID", "x", "REALTIMEKIT_APP_ID"},
      {"RTK_CA_BUNDLE", "x", "CURL_CA_BUNDLE"},
      {"RTK_RETRIES", "5", "RTK_MAX_RETRIES"},
      {"RTK_RETRY", "5", "RTK_MAX_RETRIES"},
      {"RTK_RATE", "5", "RTK_RATE_PER_SECOND"},
      {"RTK_RATE_LIMIT", "5", "RTK_RATE_PER_SECOND"},
      {"rtk_wait_ms", "5", "RTK_MAX_WAIT_MS"},
      {"RTK_WAIT", "5", "RTK_MAX_WAIT_MS"},
      {"RTK_RATED", "5", NULL},
      {"RTK_APP_IDS", "x", NULL},
      {"RTK_TIMEOUT", "", NULL},
      {"RTK_TIMEOUT_MS", "5", NULL},
      {"RTK_APP", "x", NULL},
      {"RTK_ACCOUNT", "x", NULL},
      {"RTK_SO", "x", NULL},
      {"RTK_TEST_PORT", "1", NULL},
      {"RTK_LIVE_SESSION", "x", NULL},
      {"RTK_HOME", "x", NULL},
      {"RTK_", "x", NULL},
      {"MY_RTK_TIMEOUT", "x", NULL},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    const char *name = cases[i].variable;
    struct rtk_err err = {0};
    char text[120];
    struct rtk_config *config = config_with(WITH(name, cases[i].value));
    check_int(name, "check", rtk_config_check(config, &err),
              cases[i].right == NULL ? SQLITE_OK : SQLITE_ERROR);
    (void)snprintf(text, sizeof(text),
                   "environment variable %s: it is not read; the name is %s",
                   name, cases[i].right);
    check_text(name, "message", err.message,
               cases[i].right == NULL ? NULL : text);
    rtk_err_clear(&err);
    rtk_config_free(config);
  }
  struct rtk_err err = {0};
  struct rtk_config *config =
      config_with(WITH("RTK_TIMEOUT", "5", "RTK_TIMEOUT_MS", "6000"));
  check_int("both", "check", rtk_config_check(config, &err), SQLITE_OK);
  rtk_config_free(config);
  config = config_with(WITH("RTK_TIMOUT_MS", "5"));
  set(config, "timeout_ms", "7000");
  check_int("set in SQL", "check", rtk_config_check(config, &err), SQLITE_OK);
  rtk_config_free(config);
}

/* SQL text may go on behind it. */
CASE(a_nul_ends_no_value) {
  static const struct {
    const char *name, *value;
    size_t size;
    const char *message; /* NULL: set */
    int64_t quota;
  } steps[] = {
      {"quota", "7\0x", 3, "quota has a NUL character in it", 1000},
      {"quota", "7", 1, NULL, 7},
      {"quota", NULL, 0, NULL, 1000},
      {"x", "7", 2, "no setting 'x'", 1000},
  };
  struct rtk_config *config = config_with(WITHOUT);
  for (size_t i = 0; i < COUNT(steps); i++) {
    struct rtk_err err = {0};
    int rc = rtk_config_set_bytes(config, steps[i].name, steps[i].value,
                                  steps[i].size, &err);
    check_int(steps[i].name, "set", rc,
              steps[i].message == NULL ? SQLITE_OK : SQLITE_ERROR);
    if (rc != SQLITE_OK) check_has("message", err.message, steps[i].message);
    check_int("quota", "number", rtk_config_int(config, RTK_QUOTA),
              steps[i].quota);
    rtk_err_clear(&err);
  }
  rtk_config_free(config);
}

/* --- what is shown -------------------------------------------------------- */

/* Without a scheme before it, "://" is part of the password. */
CASE(the_proxy_that_libcurl_finds_is_shown) {
  static const char hidden[] = "an address that is not shown: a proxy is"
                               " [http://][user:password@]host[:port]";
  /* Each comes before those above it. */
  static const struct {
    const char *variable, *value, *expected, *source;
  } cases[] = {
      {"ALL_PROXY", "http://all:1", "http://all:1", "ALL_PROXY"},
      {"all_proxy", "", "http://all:1", "ALL_PROXY"},
      {"all_proxy", "http://u:SECRET@low:1", "http://low:1", "all_proxy"},
      {"HTTPS_PROXY", "u:SECRET@up:1", "up:1", "HTTPS_PROXY"},
      {"https_proxy", "http://u:SE@CRET@own:1", "http://own:1", "https_proxy"},
      {"https_proxy", "http://u:SECRET", hidden, "https_proxy"},
      {"https_proxy", "u:SECRET", hidden, "https_proxy"},
      {"https_proxy", "http://u%3ASECRET%40own:1", hidden, "https_proxy"},
      {"https_proxy", "http://u:SEC/RET@own:1", hidden, "https_proxy"},
  };
  struct rtk_config *config = config_with(WITHOUT);
  const char *source = NULL;
  bool nomem = true;
  check_text("none", "shown", rtk_config_shown_proxy(config, &source, &nomem),
             NULL);
  check_int("none", "no memory", nomem, 0);
  for (size_t i = 0; i < COUNT(cases); i++) {
    (void)setenv(cases[i].variable, cases[i].value, 1);
    char *shown = rtk_config_shown_proxy(config, &source, &nomem);
    check_text(cases[i].value, "shown", shown, cases[i].expected);
    check_text(cases[i].value, "source", source, cases[i].source);
    sqlite3_free(shown);
  }
  set(config, "proxy", "http://u:SECRET@set:1");
  char *shown = rtk_config_shown_proxy(config, &source, &nomem);
  check_text("set", "shown", shown, "http://set:1");
  check_text("set", "source", source, "setting proxy");
  sqlite3_free(shown);
  rtk_config_free(config);
}

/* --- the token ------------------------------------------------------------ */

static void check_token(const char *name, struct rtk_config *config,
                        const char *expected, const char *expected_source) {
  char *token = NULL;
  const char *source = NULL;
  struct rtk_err err = {0};
  int rc = rtk_config_token(config, &token, &source, &err);
  check_int(name, "result", rc, expected == NULL ? SQLITE_ERROR : SQLITE_OK);
  check_text(name, "token", token, expected);
  if (expected != NULL) {
    check_text(name, "source", source, expected_source);
    check_text(name, "message", err.message, NULL);
  } else {
    check_has(name, err.message, expected_source);
  }
  rtk_config_wipe(token);
  rtk_err_clear(&err);
}

/* Makes a file; its name is to be freed with drop_file(). */
static char *make_file(const char *bytes, size_t size) {
  char *path = sqlite3_mprintf("./rtk-token-XXXXXX");
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, bytes, size), (int)size);
  (void)close(fd);
  return path;
}

static void drop_file(char *path) {
  (void)unlink(path);
  sqlite3_free(path);
}

#define BY_SQL "set by rtk_config()"
#define BY_ENV "from CLOUDFLARE_API_TOKEN"
#define BY_FILE "from the file in CLOUDFLARE_API_TOKEN_FILE"

CASE(the_token_comes_from_sql_environment_or_file) {
  char *path = make_file("from-file\n", 10);
  const char *none = "no API token: set the environment variable";
  const struct {
    const char *name, *variable, *file;
    const char *token, *source; /* while none is set in SQL */
  } cases[] = {
      {"none", "", "", NULL, none},
      {"a blank variable", "\n", "", NULL, none},
      {"file", "", path, "from-file", BY_FILE},
      {"both", " from-env\r\n", path, "from-env", BY_ENV},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_config *config =
        config_with(WITH("CLOUDFLARE_API_TOKEN", cases[i].variable,
                         "CLOUDFLARE_API_TOKEN_FILE", cases[i].file));
    check_token(cases[i].name, config, cases[i].token, cases[i].source);
    set(config, "api_token", "from-sql\n");
    check_token(cases[i].name, config, "from-sql", BY_SQL);
    set(config, "api_token", NULL);
    check_token(cases[i].name, config, cases[i].token, cases[i].source);
    rtk_config_free(config);
  }
  drop_file(path);
}

/* Half a token would be sent and answered with 401: so none is cut. */
CASE(a_token_file_is_read) {
  static char longest[RTK_TOKEN_MAX + 2];
  static const struct {
    const char *name, *bytes;
    size_t size;
    const char *token; /* NULL: refused */
  } cases[] = {
      {"no line end", "abc", 3, "abc"},
      {"white space around it", "\r\n \tabc \r\n\n", 11, "abc"},
      {"white space", " \n", 2, NULL},
      {"in quotes", "\"abc\"\n", 6, NULL},
      {"a header", "Bearer abc\n", 11, NULL},
      {"two lines", "abc\ndef\n", 8, NULL},
      {"byte order mark", "\xEF\xBB\xBFx", 4, NULL},
      {"UTF-16", "\xFF\xFEx\0y\0", 6, NULL},
      {"as long as may be", longest + 1, RTK_TOKEN_MAX, longest + 1},
      {"a byte too long", longest, RTK_TOKEN_MAX + 1, NULL},
      {"NUL inside", "abc\0def", 7, NULL},
      {"NUL behind", "abc\0", 4, NULL},
  };
  memset(longest, 'a', RTK_TOKEN_MAX + 1);
  for (size_t i = 0; i < COUNT(cases); i++) {
    char *path = make_file(cases[i].bytes, cases[i].size);
    struct rtk_config *config =
        config_with(WITH("CLOUDFLARE_API_TOKEN_FILE", path));
    check_token(cases[i].name, config, cases[i].token,
                cases[i].token == NULL ? "CLOUDFLARE_API_TOKEN_FILE: "
                                       : BY_FILE);
    rtk_config_free(config);
    drop_file(path);
  }
}

/* The reading end of a pipe that has these bytes in it, as a path. */
static int make_pipe(const char *bytes, char *path, size_t room,
                     int *writing_end) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  assert_int_equal(write(ends[1], bytes, strlen(bytes)), (int)strlen(bytes));
  (void)snprintf(path, room, "/dev/fd/%d", ends[0]);
  *writing_end = ends[1];
  return ends[0];
}

CASE(a_token_comes_out_of_a_pipe_once) {
  static const struct {
    const char *name, *bytes;
    bool is_open; /* its writer is still there, and writes nothing */
    const char *token, *message;
  } cases[] = {
      {"twice", "abc\n", false, "abc", BY_FILE},
      {"empty", "", false, NULL, "is empty: a pipe can be read only once"},
      {"two words", "a b", false, NULL, "does not hold a token"},
      {"no end", "abc", true, NULL,
       "it is a pipe, and nobody wrote to it in time"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char path[32];
    int writing = -1;
    int reading = make_pipe(cases[i].bytes, path, sizeof(path), &writing);
    if (!cases[i].is_open) (void)close(writing);
    struct rtk_config *config =
        config_with(WITH("CLOUDFLARE_API_TOKEN_FILE", path));
    check_token(cases[i].name, config, cases[i].token, cases[i].message);
    if (cases[i].token != NULL) {
      check_token("again", config, cases[i].token, cases[i].message);
    }
    rtk_config_free(config);
    if (cases[i].is_open) (void)close(writing);
    (void)close(reading);
  }
}

CASE(who_can_only_write_sql_cannot_divert_the_token) {
  static const struct {
    const char *name, *value;
    bool is_void;
  } cases[] = {
      {"base_url", "https://evil.example", true},
      {"base_url", "https://api.cloudflare.com/client/v4", true},
      {"proxy", "http://evil.example", true},
      {"ca_file", "/tmp/evil.pem", true},
      {"account", "x", false},
      {"app", "x", false},
      {"timeout_ms", "5", false},
      {"on_error", "row", false},
  };
  char *path = make_file("secret", 6);
  for (size_t i = 0; i < 2 * COUNT(cases); i++) {
    const char *name = cases[i / 2].name;
    bool is_void = cases[i / 2].is_void;
    const char *source = i % 2 == 1 ? BY_FILE : BY_ENV;
    struct rtk_config *config =
        i % 2 == 1 ? config_with(WITH("CLOUDFLARE_API_TOKEN_FILE", path))
                   : config_with(WITH("CLOUDFLARE_API_TOKEN", "secret"));
    char message[100];
    (void)snprintf(message, sizeof(message),
                   "%s was set in SQL, so the token from the environment",
                   name);
    set(config, name, cases[i / 2].value);
    for (int round = 0; round < 2; round++) {
      check_token(name, config, is_void ? NULL : "secret",
                  is_void ? message : source);
      set(config, "api_token", "own");
      check_token(name, config, "own", BY_SQL);
      set(config, name, cases[i / 2].value); /* again, and so after it */
      check_token(name, config, is_void ? NULL : "own",
                  is_void ? "was set in SQL after api_token, so that token is"
                            " not sent any more"
                          : BY_SQL);
      set(config, "api_token", NULL);
    }
    set(config, name, NULL);
    check_token(name, config, "secret", source);
    rtk_config_free(config);
  }
  drop_file(path);

  struct rtk_config *config =
      config_with(WITH("CLOUDFLARE_API_TOKEN", "secret", "CLOUDFLARE_BASE_URL",
                       "https://own.example", "CURL_CA_BUNDLE", "/own.pem"));
  check_token("address from the environment", config, "secret", BY_ENV);
  rtk_config_free(config);
}

CASE(a_change_of_address_has_a_new_version) {
  static const struct {
    const char *name, *value;
    bool is_new;
  } cases[] = {
      {"base_url", "https://x.example", true},
      {"base_url", NULL, true},
      {"proxy", "http://x.example", true},
      {"proxy", NULL, true},
      {"ca_file", "/x", true},
      {"ca_file", NULL, true},
      {"api_token", "x", true},
      {"api_token", NULL, true},
      {"account", "x", false},
      {"app", "x", false},
      {"timeout_ms", "5", false},
      {"concurrency", NULL, false},
  };
  struct rtk_config *config = config_with(WITHOUT);
  struct rtk_err err = {0};
  for (size_t i = 0; i < COUNT(cases); i++) {
    int64_t before = rtk_config_address_version(config);
    set(config, cases[i].name, cases[i].value);
    check_int(cases[i].name, "is new",
              rtk_config_address_version(config) > before, cases[i].is_new);
  }
  int64_t before = rtk_config_address_version(config);
  (void)rtk_config_set(config, "base_url", "http://example.com", &err);
  check_int("refused", "version", rtk_config_address_version(config), before);
  rtk_err_clear(&err);
  rtk_config_free(config);
}

/* --- no memory ------------------------------------------------------------ */

static int use_config(void *arg) {
  struct rtk_config *config = NULL;
  struct rtk_err err = {0};
  enum rtk_setting setting = 0;
  char *token = NULL;
  const char *source = NULL;
  bool nomem = false;
  (void)arg;
  int rc = rtk_config_new(NULL, &config);
  if (rc != SQLITE_OK) return rc;
  rc = rtk_config_set(config, "timeout_ms", "5", &err);
  if (rc == SQLITE_OK) rc = rtk_config_set(config, "api_token", "abc", &err);
  if (rc == SQLITE_OK) {
    rc = rtk_config_set(config, "timeout_ms", "x", &err);
    if (rc == SQLITE_ERROR) rc = SQLITE_OK; /* as it should be */
  }
  if (rc == SQLITE_OK) {
    rc = rtk_config_find("nothing", &setting, &err);
    if (rc == SQLITE_ERROR) rc = SQLITE_OK;
  }
  if (rc == SQLITE_OK) rc = rtk_config_token(config, &token, &source, &err);
  if (rc == SQLITE_OK) {
    sqlite3_free(rtk_config_shown(config, RTK_PROXY, &nomem));
    if (nomem) rc = SQLITE_NOMEM;
  }
  rtk_config_wipe(token);
  rtk_err_clear(&err);
  rtk_config_free(config);
  return rc;
}

static int read_file(void *arg) {
  char *token = NULL;
  const char *source = NULL;
  struct rtk_err err = {0};
  int rc = rtk_config_token(arg, &token, &source, &err);
  check_int("no memory", "token is there", token != NULL, rc == SQLITE_OK);
  rtk_config_wipe(token);
  rtk_err_clear(&err);
  return rc;
}

CASE(no_memory_is_told) {
  char *path = make_file("abc", 3);
  rtk_config_free(NULL);
  rtk_config_wipe(NULL);
  /* A bad variable makes a message, whose prefixes may be lost. */
  rtk_config_free(config_with(WITH("RTK_ON_ERROR", "x", "RTK_CONCURRENCY", "5",
                                   "RTK_TRUST_SCHEMA", "1")));
  check_nomem("settings", use_config, NULL, true);
  rtk_config_free(config_with(WITH("RTK_CONCURRENCY", "5")));
  check_nomem("settings, all well", use_config, NULL, false);
  struct rtk_config *config =
      config_with(WITH("CLOUDFLARE_API_TOKEN_FILE", path));
  check_nomem("file", read_file, config, false);
  rtk_config_free(config);
  drop_file(path);
}

int main(void) { return check_run(); }
