/*
** The settings of one connection.
**
** Each setting is a row of one table.  Its value is the first of these:
**
**   set in SQL            SELECT rtk_config('timeout_ms', 5000)
**   from the environment  RTK_TIMEOUT_MS=5000
**   the default           60000
**
** A value is trimmed and checked before it is kept, so a reader never meets a
** bad one.  A bad variable cannot be refused when it is read, because no
** statement is running that could fail: its message is kept, and the next
** statement fails with it (rtk_config_check()).
**
** Variables have the names that people know from Cloudflare's own SDKs
** (CLOUDFLARE_API_TOKEN), Wrangler (CLOUDFLARE_ACCOUNT_ID) and curl
** (CURL_CA_BUNDLE); all others are RTK_ and the name of the setting.
*/
#include "config/config.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/number.h"
#include "base/sanitize.h"
#include "config/spelling.h"
#include "disk/openfile.h"
#include "net/address.h"
#include "net/cancel.h"
#include "net/http.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

#define TOKEN_PIPE_MS 2000 /* a password manager that asks nothing is faster */

enum kind {
  KIND_TEXT,
  KIND_INT,
  KIND_CHOICE,
  KIND_SWITCH, /* on or off; 1 and 0 are accepted too */
  KIND_URL,
  KIND_CACHE_FILE,
  KIND_PROXY, /* may hold a password, which is not shown */
  KIND_TOKEN  /* is not shown */
};

enum { ENV_MAX = 3 };

struct row {
  const char *name;
  const char *env[ENV_MAX]; /* the first that is set and not blank counts */
  const char *standard;
  enum kind kind;
  int64_t min, max;       /* KIND_INT */
  const char *choices[3]; /* KIND_CHOICE, KIND_SWITCH */
  bool is_env_only;       /* cannot be set in SQL */
  bool is_destination;    /* decides where the token goes */
  const char *doc;
};

#define DAY_S 86400
#define DAY_MS 86400000
#define YEAR_S 31536000
#define GIB 1073741824

/* A row whose variable is RTK_ and its name. */
#define NUMBER(UPPER, lower, fallback, least, most, text)                      \
  [RTK_##UPPER] = {.name = lower,                                              \
                   .env = {"RTK_" #UPPER},                                     \
                   .standard = fallback,                                       \
                   .kind = KIND_INT,                                           \
                   .min = least,                                               \
                   .max = most,                                                \
                   .doc = text}
#define CHOICE(UPPER, lower, fallback, text, ...)                              \
  [RTK_##UPPER] = {.name = lower,                                              \
                   .env = {"RTK_" #UPPER},                                     \
                   .standard = fallback,                                       \
                   .kind = KIND_CHOICE,                                        \
                   .choices = {__VA_ARGS__},                                   \
                   .doc = text}

static const struct row rows[RTK_SETTING_COUNT] = {
    [RTK_API_TOKEN] = {.name = "api_token",
                       .env = {"CLOUDFLARE_API_TOKEN"},
                       .kind = KIND_TOKEN,
                       .doc = "Cloudflare API token with the permission"
                              " Realtime or Realtime Admin"},
    [RTK_API_TOKEN_FILE] = {.name = "api_token_file",
                            .env = {"CLOUDFLARE_API_TOKEN_FILE"},
                            .is_env_only = true,
                            .doc = "file to read the token from when"
                                   " api_token is not set"},
    [RTK_ACCOUNT] = {.name = "account",
                     .env = {"CLOUDFLARE_ACCOUNT_ID"},
                     .doc = "account used where a query names none"},
    [RTK_APP] = {.name = "app",
                 .env = {"REALTIMEKIT_APP_ID"},
                 .doc = "app used where a query names none"},
    [RTK_BASE_URL] = {.name = "base_url",
                      .env = {"CLOUDFLARE_BASE_URL"},
                      .standard = "https://api.cloudflare.com/client/v4",
                      .kind = KIND_URL,
                      .is_destination = true,
                      .doc = "where the API is"},
    NUMBER(TIMEOUT_MS, "timeout_ms", "60000", 1, DAY_MS,
           "longest time for one request"),
    NUMBER(CONNECT_TIMEOUT_MS, "connect_timeout_ms", "10000", 1, DAY_MS,
           "longest time to get a connection"),
    NUMBER(MAX_WAIT_MS, "max_wait_ms", "60000", 0, DAY_MS,
           "longest single wait for the quota or a retry; a longer one ends"
           " the statement; 0: no limit"),
    NUMBER(MAX_RETRIES, "max_retries", "2", 0, 10,
           "how many times a failed request is made again"),
    NUMBER(CONCURRENCY, "concurrency", "50", 1, 1000,
           "requests in flight at once"),
    NUMBER(RATE_PER_SECOND, "rate_per_second", "150", 0, RTK_QUOTA_MAX,
           "requests in any one second; 0: no limit"),
    NUMBER(QUOTA, "quota", "1000", 0, RTK_QUOTA_MAX,
           "requests in any quota_window_s, while the server announces no"
           " quota of its own; 0: no limit"),
    NUMBER(QUOTA_WINDOW_S, "quota_window_s", "300", 1, DAY_S,
           "seconds that quota is for"),
    [RTK_CACHE_FILE] = {.name = "cache_file",
                        .env = {"RTK_CACHE_FILE"},
                        .kind = KIND_CACHE_FILE,
                        .doc = "file that keeps replies and the count of"
                               " requests, shared by all processes that name"
                               " it"},
    NUMBER(CACHE_TTL_ENDED_S, "cache_ttl_ended_s", "86400", 0, YEAR_S,
           "seconds that a session which ended more than an hour ago is kept;"
           " 0: until the statement ends"),
    NUMBER(CACHE_TTL_LIVE_S, "cache_ttl_live_s", "5", 0, YEAR_S,
           "seconds that any other reply is kept: a running session, a list;"
           " 0: until the statement ends"),
    NUMBER(CACHE_MAX_BYTES, "cache_max_bytes", "67108864", 0, 64LL * GIB,
           "memory for replies that are kept, in bytes"),
    NUMBER(MAX_RESPONSE_BYTES, "max_response_bytes", "1048576", 1, GIB,
           "longest body that is accepted, in bytes"),
    CHOICE(ON_ERROR, "on_error", "fail",
           "when an id cannot be fetched: fail ends the statement, row gives a"
           " row with the error",
           "fail", "row"),
    [RTK_READ_AHEAD] = {.name = "read_ahead",
                        .env = {"RTK_READ_AHEAD"},
                        .standard = "on",
                        .kind = KIND_SWITCH,
                        .choices = {"off", "on"},
                        .doc = "on: the ids of a plain join are requested"
                               " together; rtk_stats says when they were"
                               " not, and why"},
    CHOICE(PROGRESS, "progress", "auto",
           "a line on stderr that tells how far a statement is; auto: in the"
           " sqlite3 shell on a terminal, after 2 seconds",
           "auto", "on", "off"),
    [RTK_TRUST_SCHEMA] = {.name = "trust_schema",
                          .env = {"RTK_TRUST_SCHEMA"},
                          .standard = "off",
                          .kind = KIND_SWITCH,
                          .choices = {"off", "on"},
                          .is_env_only = true,
                          .doc = "on: views and triggers stored in a database"
                                 " may make requests"},
    [RTK_CA_FILE] = {.name = "ca_file",
                     .env = {"CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"},
                     .is_destination = true,
                     .doc = "PEM file of trusted certificates in place of the"
                            " system's; or a directory (c_rehash), used as"
                            " well as the system's"},
    [RTK_PROXY] = {.name = "proxy",
                   .kind = KIND_PROXY,
                   .is_destination = true,
                   .doc = "proxy for https; without it HTTPS_PROXY and NO_PROXY"
                          " count, as in libcurl"},
};

/* Variables that do not exist: RTK_ and this.  A user who sets one means that
** setting.  Others are recognised as misspelt. */
static const struct {
  const char *plain;
  int meant; /* enum rtk_setting */
} mistaken[] = {
    {"API_TOKEN", RTK_API_TOKEN},  {"API_TOKEN_FILE", RTK_API_TOKEN_FILE},
    {"ACCOUNT_ID", RTK_ACCOUNT},   {"APP_ID", RTK_APP},
    {"BASE_URL", RTK_BASE_URL},    {"CA_FILE", RTK_CA_FILE},
    {"CA_BUNDLE", RTK_CA_FILE},    {"PROXY", RTK_PROXY},
    {"WAIT", RTK_MAX_WAIT_MS},     {"WAIT_MS", RTK_MAX_WAIT_MS},
    {"RETRIES", RTK_MAX_RETRIES},  {"RETRY", RTK_MAX_RETRIES},
    {"RATE", RTK_RATE_PER_SECOND}, {"RATE_LIMIT", RTK_RATE_PER_SECOND},
};

struct rtk_config {
  sqlite3 *host;
  char *env[RTK_SETTING_COUNT]; /* sqlite3_malloc(); NULL: not set */
  char *set[RTK_SETTING_COUNT];
  int64_t number[RTK_SETTING_COUNT]; /* KIND_INT: the value in force */
  int64_t address_version;
  const char *voided_by; /* the setting that voided api_token set in SQL; NULL:
                            none since it was set */
  char *problem[RTK_SETTING_COUNT]; /* of a value in the environment; NULL */
  char *piped;          /* the token that came out of a pipe, which can be read
                           only once; NULL: none */
  bool is_ca_directory; /* RTK_CA_FILE is one */
};

/* --- checking a value ----------------------------------------------------- */

static bool parse_int(const char *text, int64_t *number) {
  bool is_negative = *text == '-';
  if (is_negative) text++;
  int64_t size = rtk_number_read(&text);
  *number = is_negative ? -size : size;
  return size >= 0 && *text == '\0';
}

static int check_int(const struct row *row, const char *value,
                     struct rtk_err *err) {
  int64_t number = 0;
  if (parse_int(value, &number) && number >= row->min && number <= row->max) {
    return SQLITE_OK;
  }
  return rtk_err_set(err, "%s must be a whole number from %lld to %lld",
                     row->name, (long long)row->min, (long long)row->max);
}

static int check_choice(const struct row *row, const char *value,
                        struct rtk_err *err) {
  const char *const *choices = row->choices;
  for (int i = 0; i < 3 && choices[i] != NULL; i++) {
    if (strcmp(value, choices[i]) == 0) return SQLITE_OK;
  }
  if (choices[2] == NULL) {
    return rtk_err_set(err, "%s must be '%s' or '%s'", row->name, choices[0],
                       choices[1]);
  }
  return rtk_err_set(err, "%s must be '%s', '%s' or '%s'", row->name,
                     choices[0], choices[1], choices[2]);
}

static bool begins_with(const char *text, const char *start) {
  return sqlite3_strnicmp(text, start, (int)strlen(start)) == 0;
}

static bool is_quote(const char *text) {
  static const char *const quotes[] = {"'",      "\"",     "`",     "\u201C",
                                       "\u201D", "\u2018", "\u2019"};
  for (size_t i = 0; i < sizeof(quotes) / sizeof(*quotes); i++) {
    if (begins_with(text, quotes[i])) return true;
  }
  return false;
}

static const char not_visible[] =
    "must be visible ASCII characters without spaces: copy the token again";

/* What is wrong with a token and what to do, without showing it; NULL: nothing.
** Control characters could add a header to the request. */
static const char *token_problem(const char *value) {
  static const char *const whole_lines[][2] = {
      {"Authorization:",
       "begins with Authorization: leave out all but the token itself"},
      {"CLOUDFLARE_API_TOKEN=",
       "begins with the variable's name: leave out all but the token itself"},
      {"export ",
       "begins with the variable's name: leave out all but the token itself"},
  };
  bool is_visible = true;
  size_t size = strlen(value);
  for (const char *c = value; *c != '\0'; c++) {
    if (*c <= ' ' || *c > '~') is_visible = false;
  }
  if (is_quote(value) || (size > 0 && is_quote(value + size - 1)) ||
      (size > 2 && is_quote(value + size - 3) && value[size - 3] < 0)) {
    return "stands in quotes: leave them out";
  }
  for (size_t i = 0; i < sizeof(whole_lines) / sizeof(*whole_lines); i++) {
    if (begins_with(value, whole_lines[i][0])) return whole_lines[i][1];
  }
  if (begins_with(value, "Bearer") && (!is_visible || size == 6)) {
    return "begins with Bearer: leave that out, rtk adds it";
  }
  return is_visible ? NULL : not_visible;
}

#define PROXY_FORM "[http://][user:password@]host[:port]"

/* The parts of a proxy's address that may be shown. */
struct proxy_parts {
  int scheme_size;  /* with its "://"; 0: none */
  const char *host; /* and port */
};

/* Splits an address of the form PROXY_FORM.  False for any other: nobody knows
** where in it the password is. */
static bool read_proxy(const char *text, struct proxy_parts *parts) {
  enum { SCHEME = 1, HOST = 4, PORT = 7, PARTS };
  static const char form[] =
      "^((https?|socks4a?|socks5h?)://)?([^[:cntrl:] /?#]*@)?"
      "((\\[[0-9a-f:.]+(%[-a-z0-9._]+)?]|[-a-z0-9._]+)(:([0-9]{1,5}))?/?)$";
  regmatch_t at[PARTS];
  regex_t regex;
  if (regcomp(&regex, form, REG_EXTENDED | REG_ICASE) != 0) return false;
  int rc = regexec(&regex, text, PARTS, at, 0);
  regfree(&regex);
  if (rc != 0) return false;
  parts->scheme_size = at[SCHEME].rm_so < 0 ? 0 : (int)at[SCHEME].rm_eo;
  parts->host = text + at[HOST].rm_so;
  const char *port = at[PORT].rm_so < 0 ? "" : text + at[PORT].rm_so + 1;
  return rtk_number_read(&port) <= 65535;
}

/* A message never shows a token or a proxy. */
static int check_value(const struct rtk_config *config, const struct row *row,
                       const char *value, struct rtk_err *err) {
  struct proxy_parts parts;
  const char *problem = NULL;
  switch (row->kind) {
  case KIND_INT:
    return check_int(row, value, err);
  case KIND_CHOICE:
  case KIND_SWITCH:
    return check_choice(row, value, err);
  case KIND_URL:
    return rtk_address_check_base_url(value, err);
  case KIND_TOKEN:
    problem = token_problem(value);
    break;
  case KIND_PROXY:
    if (!read_proxy(value, &parts)) problem = "must look like " PROXY_FORM;
    break;
  case KIND_CACHE_FILE:
    if (*value != '\0') return rtk_openfile_check(value, config->host, err);
    break;
  case KIND_TEXT:
    break;
  }
  if (*value == '\0') problem = "must not be empty: NULL takes it back";
  if (problem == NULL) return SQLITE_OK;
  return rtk_err_set(err, "%s %s", row->name, problem);
}

/* A copy without the white space around it; NULL: no memory. */
static char *trimmed(const char *text) {
  static const char space[] = " \t\r\n";
  text += strspn(text, space);
  size_t size = strlen(text);
  while (size > 0 && strchr(space, text[size - 1]) != NULL) size--;
  return sqlite3_mprintf("%.*s", (int)size, text);
}

/* The value as it is kept. */
static char *normalised(const struct row *row, const char *value) {
  if (row->kind == KIND_SWITCH && strcmp(value, "0") == 0) value = "off";
  if (row->kind == KIND_SWITCH && strcmp(value, "1") == 0) value = "on";
  return trimmed(value);
}

/* --- new, free ------------------------------------------------------------ */

/* A directory, or as in SSL_CERT_DIR several with colons between them. */
static bool is_directory(const char *path) {
  struct stat file;
  char first[PATH_MAX];
  size_t size = strcspn(path, ":");
  if (stat(path, &file) == 0) return S_ISDIR(file.st_mode);
  if (path[size] != ':' || size >= sizeof(first)) return false;
  memcpy(first, path, size);
  first[size] = '\0';
  return stat(first, &file) == 0 && S_ISDIR(file.st_mode);
}

/* Computes what follows from the value in force, which has been checked. */
static void update_derived(struct rtk_config *config, enum rtk_setting i) {
  const char *text = rtk_config_text(config, i);
  if (rows[i].kind == KIND_INT) (void)parse_int(text, &config->number[i]);
  if (i == RTK_CA_FILE) {
    config->is_ca_directory = text != NULL && is_directory(text);
  }
}

/* Keeps the value of one variable, or what is wrong with it.  A bad cache file
** is no problem here: it must not stop a query, so the disk cache reports
** it. */
static int read_variable(struct rtk_config *config, enum rtk_setting i,
                         const char *name) {
  struct rtk_err err = {0};
  const char *value = getenv(name);
  if (value == NULL) return SQLITE_OK;
  char *copy = normalised(&rows[i], value);
  if (copy == NULL) return SQLITE_NOMEM;
  bool is_checked = copy[0] != '\0' && rows[i].kind != KIND_CACHE_FILE;
  int rc = is_checked ? check_value(config, &rows[i], copy, &err) : SQLITE_OK;
  if (rc == SQLITE_OK && copy[0] != '\0') {
    config->env[i] = copy;
    return SQLITE_OK;
  }
  rtk_config_wipe(copy);
  if (rc != SQLITE_ERROR) return rc;
  config->problem[i] =
      sqlite3_mprintf("environment variable %s: %s", name, err.message);
  rtk_err_clear(&err);
  return config->problem[i] == NULL ? SQLITE_NOMEM : SQLITE_OK;
}

/* --- variables that are misspelt ------------------------------------------ */

#if defined(__APPLE__)
#include <crt_externs.h>
#define ENVIRONMENT (*_NSGetEnviron())
#else
extern char **environ;
#define ENVIRONMENT environ
#endif

/* The setting that was meant by a variable that is RTK_ and this, or
** RTK_SETTING_COUNT.  Other programs' variables begin with RTK_ too. */
static int meant_by(const char *plain) {
  int meant = RTK_SETTING_COUNT;
  for (size_t k = 0; k < sizeof(mistaken) / sizeof(*mistaken); k++) {
    if (sqlite3_stricmp(plain, mistaken[k].plain) == 0)
      return mistaken[k].meant;
  }
  for (int i = 0; i < RTK_SETTING_COUNT; i++) {
    const char *env = rows[i].env[0];
    if (env == NULL || !begins_with(env, "RTK_")) continue;
    if (strcmp(plain, env + 4) == 0) return RTK_SETTING_COUNT;
    if (meant == RTK_SETTING_COUNT && rtk_spelling_is_near(plain, env + 4)) {
      meant = i;
    }
  }
  return meant;
}

/* Whoever sets RTK_TIMEOUT would else wait for a minute and never know why. */
static int look_for_misspelt(struct rtk_config *config) {
  for (char **v = ENVIRONMENT; v != NULL && *v != NULL; v++) {
    size_t size = strcspn(*v, "=");
    bool is_empty = (*v)[size] == '\0' || (*v)[size + 1] == '\0';
    char name[64];
    if (is_empty || size >= sizeof(name) || !begins_with(*v, "RTK_")) continue;
    memcpy(name, *v, size);
    name[size] = '\0';
    int i = meant_by(name + 4);
    if (i == RTK_SETTING_COUNT) continue;
    if (config->env[i] != NULL || config->problem[i] != NULL) continue;
    config->problem[i] = sqlite3_mprintf(
        "environment variable %s: it is not read; the name is %s", name,
        i == RTK_PROXY ? "HTTPS_PROXY" : rows[i].env[0]);
    if (config->problem[i] == NULL) return SQLITE_NOMEM;
  }
  return SQLITE_OK;
}

static int read_environment(struct rtk_config *config) {
  int rc = SQLITE_OK;
  for (int i = 0; i < RTK_SETTING_COUNT && rc == SQLITE_OK; i++) {
    for (int k = 0; k < ENV_MAX && rows[i].env[k] != NULL; k++) {
      if (config->env[i] != NULL || config->problem[i] != NULL) break;
      rc = read_variable(config, (enum rtk_setting)i, rows[i].env[k]);
      if (rc != SQLITE_OK) break;
    }
    update_derived(config, (enum rtk_setting)i);
  }
  return rc == SQLITE_OK ? look_for_misspelt(config) : rc;
}

int rtk_config_new(struct sqlite3 *host, struct rtk_config **config) {
  struct rtk_config *made = sqlite3_malloc64(sizeof(*made));
  if (made == NULL) return SQLITE_NOMEM;
  memset(made, 0, sizeof(*made));
  made->host = host;
  int rc = read_environment(made);
  if (rc == SQLITE_OK) {
    *config = made;
  } else {
    rtk_config_free(made);
  }
  return rc;
}

void rtk_config_free(struct rtk_config *config) {
  if (config == NULL) return;
  for (int i = 0; i < RTK_SETTING_COUNT; i++) {
    rtk_config_wipe(config->env[i]);
    rtk_config_wipe(config->set[i]);
    sqlite3_free(config->problem[i]);
  }
  rtk_config_wipe(config->piped);
  sqlite3_free(config);
}

/* Through a volatile pointer, so that the compiler does not leave it out. */
void rtk_config_wipe(char *token) {
  if (token == NULL) return;
  for (volatile char *c = token; *c != '\0'; c++) *c = '\0';
  sqlite3_free(token);
}

/* --- set and get ---------------------------------------------------------- */

int rtk_config_find(const char *name, enum rtk_setting *setting,
                    struct rtk_err *err) {
  for (int i = 0; i < RTK_SETTING_COUNT; i++) {
    if (strcmp(name, rows[i].name) != 0) continue;
    *setting = (enum rtk_setting)i;
    return SQLITE_OK;
  }
  sqlite3_str *names = sqlite3_str_new(NULL);
  sqlite3_str_appendall(names, "no setting '");
  rtk_sanitize(names, name, strlen(name), RTK_SHOWN_ID_MAX, NULL);
  sqlite3_str_appendall(names, "': there are ");
  for (int i = 0; i < RTK_SETTING_COUNT; i++) {
    sqlite3_str_appendf(names, "%s%s", i == 0 ? "" : ", ", rows[i].name);
  }
  return rtk_err_finish(err, names);
}

/* Setting i was set in SQL; `is_change`: its value is another one now.  Who can
** only run SQL must not send a token to another place than the one it was given
** for.  rtk_config_token() sees to that for the environment's token, this
** function for a token that was set in SQL. */
static void void_token(struct rtk_config *config, enum rtk_setting i,
                       bool is_change) {
  if (i == RTK_API_TOKEN) config->voided_by = NULL;
  if (!rows[i].is_destination || !is_change) return;
  if (config->set[RTK_API_TOKEN] == NULL) return;
  rtk_config_wipe(config->set[RTK_API_TOKEN]);
  config->set[RTK_API_TOKEN] = NULL;
  config->voided_by = rows[i].name;
}

int rtk_config_set(struct rtk_config *config, const char *name,
                   const char *value, struct rtk_err *err) {
  enum rtk_setting i = 0;
  int rc = rtk_config_find(name, &i, err);
  if (rc != SQLITE_OK) return rc;
  if (rows[i].is_env_only) {
    return rtk_err_set(err,
                       "%s cannot be set in SQL: set the environment variable"
                       " %s before the program starts",
                       name, rows[i].env[0]);
  }
  char *copy = NULL;
  if (value != NULL) {
    copy = normalised(&rows[i], value);
    if (copy == NULL) return SQLITE_NOMEM;
    rc = check_value(config, &rows[i], copy, err);
    if (rc != SQLITE_OK) {
      rtk_config_wipe(copy);
      return rc;
    }
  }
  bool is_change = copy != NULL || config->set[i] != NULL;
  rtk_config_wipe(config->set[i]);
  config->set[i] = copy;
  update_derived(config, i);
  void_token(config, i, is_change);
  if (rows[i].is_destination || rows[i].kind == KIND_TOKEN) {
    config->address_version++;
  }
  return SQLITE_OK;
}

int rtk_config_set_bytes(struct rtk_config *config, const char *name,
                         const char *value, size_t size, struct rtk_err *err) {
  enum rtk_setting i = 0;
  int rc = rtk_config_find(name, &i, err);
  if (rc != SQLITE_OK || value == NULL || strlen(value) == size) {
    return rc == SQLITE_OK ? rtk_config_set(config, name, value, err) : rc;
  }
  return rtk_err_set(err, "%s has a NUL character in it: take it out", name);
}

const char *rtk_config_text(const struct rtk_config *config,
                            enum rtk_setting setting) {
  if (config->set[setting] != NULL) return config->set[setting];
  if (config->env[setting] != NULL) return config->env[setting];
  return rows[setting].standard;
}

int64_t rtk_config_int(const struct rtk_config *config,
                       enum rtk_setting setting) {
  return config->number[setting];
}

void rtk_config_fill_request(const struct rtk_config *config,
                             struct rtk_request *request) {
  const char *ca = rtk_config_text(config, RTK_CA_FILE);
  request->ca_file = config->is_ca_directory ? NULL : ca;
  request->ca_path = config->is_ca_directory ? ca : NULL;
  request->proxy = rtk_config_text(config, RTK_PROXY);
  request->timeout_ms = rtk_config_int(config, RTK_TIMEOUT_MS);
  request->connect_timeout_ms = rtk_config_int(config, RTK_CONNECT_TIMEOUT_MS);
  request->max_bytes = rtk_config_int(config, RTK_MAX_RESPONSE_BYTES);
}

/* "http://user:password@proxy:3128" is shown as "http://proxy:3128". */
static char *without_userinfo(const char *text) {
  struct proxy_parts parts;
  if (!read_proxy(text, &parts)) {
    return sqlite3_mprintf("an address that is not shown: a proxy is"
                           " " PROXY_FORM);
  }
  return sqlite3_mprintf("%.*s%s", parts.scheme_size, text, parts.host);
}

char *rtk_config_shown(const struct rtk_config *config,
                       enum rtk_setting setting, bool *nomem) {
  const char *text = rtk_config_text(config, setting);
  *nomem = false;
  if (text == NULL) return NULL;
  if (rows[setting].kind == KIND_TOKEN) text = "set";
  char *shown = rows[setting].kind == KIND_PROXY ? without_userinfo(text)
                                                 : sqlite3_mprintf("%s", text);
  *nomem = shown == NULL;
  return shown;
}

char *rtk_config_shown_proxy(const struct rtk_config *config,
                             const char **source, bool *nomem) {
  /* As libcurl looks for it, one after the other. */
  static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy",
                                      "ALL_PROXY"};
  const char *text = rtk_config_text(config, RTK_PROXY);
  *source = "setting proxy";
  for (size_t i = 0; text == NULL && i < sizeof(names) / sizeof(*names); i++) {
    const char *value = getenv(names[i]);
    if (value == NULL || value[0] == '\0') continue;
    text = value;
    *source = names[i];
  }
  char *shown = text == NULL ? NULL : without_userinfo(text);
  *nomem = text != NULL && shown == NULL;
  return shown;
}

const char *rtk_config_env(enum rtk_setting setting) {
  return rows[setting].env[0];
}

const char *rtk_config_name(enum rtk_setting setting) {
  return rows[setting].name;
}

const char *rtk_config_default(enum rtk_setting setting) {
  return rows[setting].standard;
}

const char *rtk_config_source(const struct rtk_config *config,
                              enum rtk_setting setting) {
  if (config->set[setting] != NULL) return "set";
  return config->env[setting] != NULL ? "environment" : "default";
}

const char *rtk_config_doc(enum rtk_setting setting) {
  return rows[setting].doc;
}

bool rtk_config_is_number(enum rtk_setting setting) {
  return rows[setting].kind == KIND_INT;
}

int64_t rtk_config_address_version(const struct rtk_config *config) {
  return config->address_version;
}

int rtk_config_check(const struct rtk_config *config, struct rtk_err *err) {
  for (int i = 0; i < RTK_SETTING_COUNT; i++) {
    if (config->problem[i] != NULL && config->set[i] == NULL) {
      return rtk_err_set(err, "%s", config->problem[i]);
    }
  }
  return SQLITE_OK;
}

/* --- the token's file ----------------------------------------------------- */

/* A token file while it is read. */
struct source {
  const char *path;
  int file;
  bool is_pipe;
  const char *why; /* it cannot be read; NULL: it can */
};

/* O_NONBLOCK: a pipe that nobody writes to would hang in open(). */
static void open_source(struct source *source) {
  struct stat kind;
  source->file = open(source->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (source->file < 0 || fstat(source->file, &kind) != 0) {
    source->why = strerror(errno);
    return;
  }
  source->is_pipe = S_ISFIFO(kind.st_mode);
  if (S_ISDIR(kind.st_mode)) {
    source->why = strerror(EISDIR);
  } else if (!S_ISREG(kind.st_mode) && !source->is_pipe) {
    source->why = "it is neither a file nor a pipe";
  }
}

/* Waits until the pipe has data or has ended: its writer may still be working,
** as in `<(pass show cf)`.  SQLITE_OK or SQLITE_INTERRUPT. */
static int wait_for_pipe(const struct rtk_config *config, struct source *source,
                         int64_t until_ms) {
  struct pollfd ready = {.fd = source->file, .events = POLLIN};
  struct rtk_cancel cancel = {.db = config->host};
  while (source->why == NULL) {
    int got = poll(&ready, 1, RTK_CANCEL_CHECK_MS);
    if (got > 0) return SQLITE_OK;
    if (got < 0 && errno != EINTR) source->why = strerror(errno);
    if (rtk_clock_ms() >= until_ms) {
      source->why = "it is a pipe, and nobody wrote to it in time";
    }
    if (config->host != NULL && rtk_cancel_asked(&cancel)) {
      return SQLITE_INTERRUPT;
    }
  }
  return SQLITE_OK;
}

/* Reads up to RTK_TOKEN_MAX + 1 bytes, so that too many are noticed, and ends
** them with a NUL. */
static int read_source(const struct rtk_config *config, struct source *source,
                       char *text, size_t *size) {
  int64_t until_ms = rtk_clock_ms() + TOKEN_PIPE_MS;
  int rc = SQLITE_OK;
  ssize_t got = 1;
  open_source(source);
  while (source->why == NULL && *size <= RTK_TOKEN_MAX && got != 0) {
    if (source->is_pipe) rc = wait_for_pipe(config, source, until_ms);
    if (rc != SQLITE_OK || source->why != NULL) break;
    got = read(source->file, text + *size, RTK_TOKEN_MAX + 1 - *size);
    if (got > 0) *size += (size_t)got;
    if (got < 0 && errno != EINTR && errno != EAGAIN) {
      source->why = strerror(errno);
    }
  }
  if (source->file >= 0) (void)close(source->file);
  text[*size] = '\0';
  return rc;
}

/* `problem`: as token_problem() has it; NULL where the file is empty. */
static int refuse_file(const struct source *source, const char *problem,
                       struct rtk_err *err) {
  const char *before = "";
  if (problem == NULL) {
    problem =
        source->is_pipe ? "is empty: a pipe can be read only once" : "is empty";
  } else if (problem == not_visible) {
    problem = "does not hold a token: it must be visible ASCII characters"
              " without spaces";
  } else {
    before = "the token in ";
  }
  return rtk_err_set(err, "CLOUDFLARE_API_TOKEN_FILE: %s%s %s", before,
                     source->path, problem);
}

/* *token is given. */
static int read_token_file(struct rtk_config *config, const char *path,
                           char **token, struct rtk_err *err) {
  char text[RTK_TOKEN_MAX + 2];
  struct source source = {.path = path};
  size_t size = 0;
  int rc = read_source(config, &source, text, &size);
  bool is_whole = size <= RTK_TOKEN_MAX && strlen(text) == size;
  char *copy = trimmed(text);
  for (volatile char *c = text; *c != '\0'; c++) *c = '\0';
  if (rc == SQLITE_OK && source.why != NULL) {
    rc = rtk_err_set(err, "CLOUDFLARE_API_TOKEN_FILE: cannot read %s: %s", path,
                     source.why);
  }
  if (rc == SQLITE_OK && copy == NULL) rc = SQLITE_NOMEM;
  if (rc == SQLITE_OK) {
    const char *problem = is_whole ? token_problem(copy) : not_visible;
    if (problem != NULL || copy[0] == '\0') {
      rc = refuse_file(&source, problem, err);
    } else if (source.is_pipe) {
      config->piped = sqlite3_mprintf("%s", copy);
      if (config->piped == NULL) rc = SQLITE_NOMEM;
    }
  }
  if (rc == SQLITE_OK) {
    *token = copy;
  } else {
    rtk_config_wipe(copy);
  }
  return rc;
}

/* --- which token is sent -------------------------------------------------- */

/* The setting made in SQL that decides where the token goes; NULL: none. */
static const char *destination_set(const struct rtk_config *config) {
  for (int i = 0; i < RTK_SETTING_COUNT; i++) {
    if (rows[i].is_destination && config->set[i] != NULL) return rows[i].name;
  }
  return NULL;
}

/* A base_url, proxy or ca_file that was set in SQL voids every token that was
** there before. */
static int check_not_void(const struct rtk_config *config,
                          struct rtk_err *err) {
  const char *destination = destination_set(config);
  if (config->set[RTK_API_TOKEN] != NULL) return SQLITE_OK;
  if (config->voided_by != NULL) {
    return rtk_err_set(err,
                       "%s was set in SQL after api_token, so that token is not"
                       " sent any more: SELECT rtk_config('api_token', '…')"
                       " again",
                       config->voided_by);
  }
  if (destination == NULL) return SQLITE_OK;
  return rtk_err_set(err,
                     "%s was set in SQL, so the token from the environment"
                     " is not sent there: SELECT rtk_config('api_token',"
                     " '…') too, or set %s outside SQL",
                     destination, destination);
}

int rtk_config_token(struct rtk_config *config, char **token,
                     const char **source, struct rtk_err *err) {
  const char *path = config->env[RTK_API_TOKEN_FILE];
  const char *value = config->set[RTK_API_TOKEN];
  int rc = check_not_void(config, err);
  if (rc != SQLITE_OK) return rc;
  *source = "set by rtk_config()";
  if (value == NULL) {
    value = config->env[RTK_API_TOKEN];
    *source = "from CLOUDFLARE_API_TOKEN";
  }
  if (value == NULL && path != NULL) {
    value = config->piped;
    *source = "from the file in CLOUDFLARE_API_TOKEN_FILE";
    if (value == NULL) return read_token_file(config, path, token, err);
  }
  if (value == NULL) {
    return rtk_err_set(err,
                       "no API token: set the environment variable"
                       " CLOUDFLARE_API_TOKEN before the program starts, or"
                       " SELECT rtk_config('api_token', '…')");
  }
  *token = sqlite3_mprintf("%s", value);
  return *token == NULL ? SQLITE_NOMEM : SQLITE_OK;
}
