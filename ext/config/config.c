/*
** The settings of one connection.
**
** Names in the environment are those that people know from Cloudflare's own
** SDKs (CLOUDFLARE_API_TOKEN, CLOUDFLARE_BASE_URL), Wrangler
** (CLOUDFLARE_ACCOUNT_ID) and curl (CURL_CA_BUNDLE, SSL_CERT_FILE, SSL_CERT_DIR);
** the others are RTK_ and the setting's name.
*/
#include "config/config.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/show.h"
#include "base/spelling.h"
#include "disk/storefile.h"
#include "net/cancel.h"
#include "net/http.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

enum kind {
  KIND_TEXT,
  KIND_INT,
  KIND_CHOICE,
  KIND_SWITCH, /* on or off; 1 and 0 are taken too */
  KIND_URL,
  KIND_CACHE_FILE,
  KIND_PROXY, /* may hold a password, which is not shown */
  KIND_TOKEN
};

enum { ENV_MAX = 3, ALSO_MAX = 2 };

struct row {
  const char *name;
  const char *env[ENV_MAX];   /* the first that is set and not empty counts */
  const char *also[ALSO_MAX]; /* RTK_ and this is not read, and meant for it */
  const char *standard;
  enum kind kind;
  int64_t min, max;       /* KIND_INT */
  const char *choices[3]; /* KIND_CHOICE, KIND_SWITCH */
  bool is_env_only;       /* cannot be set in SQL */
  bool is_destination;    /* decides where the token goes */
  const char *doc;
};

#define DAY_MS 86400000
#define YEAR_S 31536000
#define GIB 1073741824

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
                     .also = {"ACCOUNT_ID"},
                     .doc = "account used where a query names none"},
    [RTK_APP] = {.name = "app",
                 .env = {"REALTIMEKIT_APP_ID"},
                 .also = {"APP_ID"},
                 .doc = "app used where a query names none"},
    [RTK_BASE_URL] = {.name = "base_url",
                      .env = {"CLOUDFLARE_BASE_URL"},
                      .standard = "https://api.cloudflare.com/client/v4",
                      .kind = KIND_URL,
                      .is_destination = true,
                      .doc = "where the API is"},
    [RTK_TIMEOUT_MS] = {.name = "timeout_ms",
                        .env = {"RTK_TIMEOUT_MS"},
                        .standard = "60000",
                        .kind = KIND_INT,
                        .min = 1,
                        .max = DAY_MS,
                        .doc = "longest time for one request"},
    [RTK_CONNECT_TIMEOUT_MS] = {.name = "connect_timeout_ms",
                                .env = {"RTK_CONNECT_TIMEOUT_MS"},
                                .standard = "10000",
                                .kind = KIND_INT,
                                .min = 1,
                                .max = DAY_MS,
                                .doc = "longest time to get a connection"},
    [RTK_MAX_WAIT_MS] = {.name = "max_wait_ms",
                         .env = {"RTK_MAX_WAIT_MS"},
                         .also = {"WAIT", "WAIT_MS"},
                         .standard = "60000",
                         .kind = KIND_INT,
                         .min = 0,
                         .max = DAY_MS,
                         .doc = "longest wait for the quota or a retry that a"
                                " statement sits out; 0: any"},
    [RTK_MAX_RETRIES] = {.name = "max_retries",
                         .env = {"RTK_MAX_RETRIES"},
                         .also = {"RETRIES", "RETRY"},
                         .standard = "2",
                         .kind = KIND_INT,
                         .min = 0,
                         .max = 10,
                         .doc = "how often a request that failed is made"
                                " again"},
    [RTK_CONCURRENCY] = {.name = "concurrency",
                         .env = {"RTK_CONCURRENCY"},
                         .standard = "50",
                         .kind = KIND_INT,
                         .min = 1,
                         .max = 1000,
                         .doc = "how many requests are under way at once"},
    [RTK_RATE_PER_SECOND] = {.name = "rate_per_second",
                             .env = {"RTK_RATE_PER_SECOND"},
                             .also = {"RATE", "RATE_LIMIT"},
                             .standard = "150",
                             .kind = KIND_INT,
                             .min = 0,
                             .max = RTK_QUOTA_MAX,
                             .doc = "requests in any one second; 0: no limit"},
    [RTK_QUOTA] = {.name = "quota",
                   .env = {"RTK_QUOTA"},
                   .standard = "1000",
                   .kind = KIND_INT,
                   .min = 0,
                   .max = RTK_QUOTA_MAX,
                   .doc = "requests in any quota_window_s, while the server"
                          " announces no quota of its own; 0: no limit"},
    [RTK_QUOTA_WINDOW_S] = {.name = "quota_window_s",
                            .env = {"RTK_QUOTA_WINDOW_S"},
                            .standard = "300",
                            .kind = KIND_INT,
                            .min = 1,
                            .max = DAY_MS / 1000,
                            .doc = "seconds that quota is for"},
    [RTK_CACHE_FILE] = {.name = "cache_file",
                        .env = {"RTK_CACHE_FILE"},
                        .kind = KIND_CACHE_FILE,
                        .doc = "file that keeps replies and the count of"
                               " requests, shared by all processes that name"
                               " it"},
    [RTK_CACHE_TTL_ENDED_S] = {.name = "cache_ttl_ended_s",
                               .env = {"RTK_CACHE_TTL_ENDED_S"},
                               .standard = "86400",
                               .kind = KIND_INT,
                               .min = 0,
                               .max = YEAR_S,
                               .doc = "how long a session that ended more than"
                                      " an hour ago is kept; 0: for the"
                                      " statement"},
    [RTK_CACHE_TTL_LIVE_S] = {.name = "cache_ttl_live_s",
                              .env = {"RTK_CACHE_TTL_LIVE_S"},
                              .standard = "5",
                              .kind = KIND_INT,
                              .min = 0,
                              .max = YEAR_S,
                              .doc = "how long one that has not ended is kept;"
                                     " 0: for the statement"},
    [RTK_CACHE_MAX_BYTES] = {.name = "cache_max_bytes",
                             .env = {"RTK_CACHE_MAX_BYTES"},
                             .standard = "67108864",
                             .kind = KIND_INT,
                             .min = 0,
                             .max = 64LL * GIB,
                             .doc = "memory for replies that may be asked for"
                                    " again"},
    [RTK_MAX_RESPONSE_BYTES] = {.name = "max_response_bytes",
                                .env = {"RTK_MAX_RESPONSE_BYTES"},
                                .standard = "1048576",
                                .kind = KIND_INT,
                                .min = 1,
                                .max = GIB,
                                .doc = "longest body that is accepted"},
    [RTK_ON_ERROR] = {.name = "on_error",
                      .env = {"RTK_ON_ERROR"},
                      .standard = "fail",
                      .kind = KIND_CHOICE,
                      .choices = {"fail", "row"},
                      .doc = "what an id that cannot be fetched does: end the"
                             " statement, or give a row with its error"},
    [RTK_READ_AHEAD] = {.name = "read_ahead",
                        .env = {"RTK_READ_AHEAD"},
                        .standard = "on",
                        .kind = KIND_SWITCH,
                        .choices = {"off", "on"},
                        .doc = "on: a plain join asks for ids ahead of their"
                               " turn; rtk_stats says why it did not"},
    [RTK_PROGRESS] = {.name = "progress",
                      .env = {"RTK_PROGRESS"},
                      .standard = "auto",
                      .kind = KIND_CHOICE,
                      .choices = {"auto", "on", "off"},
                      .doc = "a line on stderr that tells how far a statement"
                             " is; auto: in the sqlite3 shell on a terminal,"
                             " after 2 seconds"},
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
                     .also = {"CA_BUNDLE"},
                     .is_destination = true,
                     .doc = "PEM file of trusted certificates; none: the"
                            " system's; or a directory (c_rehash), looked into"
                            " beside the system's"},
    [RTK_PROXY] = {.name = "proxy",
                   .kind = KIND_PROXY,
                   .is_destination = true,
                   .doc = "proxy for https; none: HTTPS_PROXY and NO_PROXY,"
                          " as libcurl reads them"},
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

/* --- checking a value ------------------------------------------------------ */

static bool parse_int(const char *text, int64_t *number) {
  char *end = NULL;
  if (*text != '-' && (*text < '0' || *text > '9')) return false;
  errno = 0;
  *number = strtoll(text, &end, 10);
  return errno == 0 && *end == '\0';
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

/* What is wrong with a token, and what to do, without showing it; NULL: nothing.
** What is no visible ASCII could add a header of its own. */
static const char *token_problem(const char *value) {
  bool is_visible = true;
  for (const char *c = value; *c != '\0'; c++) {
    if (*c <= ' ' || *c > '~') is_visible = false;
  }
  size_t size = strlen(value);
  if (is_quote(value) || (size > 0 && is_quote(value + size - 1)) ||
      (size > 2 && is_quote(value + size - 3) && value[size - 3] < 0)) {
    return "stands in quotes: leave them out";
  }
  if (begins_with(value, "Authorization:")) {
    return "begins with Authorization: leave out all but the token itself";
  }
  if (begins_with(value, "Bearer") && (!is_visible || size == 6)) {
    return "begins with Bearer: leave that out, rtk adds it";
  }
  if (begins_with(value, "CLOUDFLARE_API_TOKEN=") ||
      begins_with(value, "export ")) {
    return "begins with the variable's name: leave out all but the token "
           "itself";
  }
  return is_visible ? NULL : not_visible;
}

static int check_not_empty(const struct row *row, const char *value,
                           struct rtk_err *err) {
  if (*value != '\0') return SQLITE_OK;
  return rtk_err_set(err, "%s must not be empty: NULL takes it back",
                     row->name);
}

/* Never shows the value. */
static int check_token(const struct row *row, const char *value,
                       struct rtk_err *err) {
  const char *problem = token_problem(value);
  if (*value == '\0') return check_not_empty(row, value, err);
  if (problem == NULL) return SQLITE_OK;
  return rtk_err_set(err, "%s %s", row->name, problem);
}

/* --- the form of a proxy's address ---------------------------------------------- */

#define PROXY_FORM "[http://][user:password@]host[:port]"

struct proxy_parts {
  size_t scheme_size; /* with its "://"; 0: none */
  const char *host;   /* and port */
};

/* Bytes of a scheme that libcurl knows, with its "://". */
static size_t scheme_size(const char *text) {
  static const char *const schemes[] = {"http://",   "https://",
                                        "socks4://", "socks4a://",
                                        "socks5://", "socks5h://"};
  for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
    size_t size = strlen(schemes[i]);
    if (sqlite3_strnicmp(text, schemes[i], (int)size) == 0) return size;
  }
  return 0;
}

static const char digits[] = "0123456789";

/* Bytes of a host's name or address; 0: it is none. */
static size_t host_size(const char *text) {
  static const char in_name[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-_";
  static const char in_address[] = "0123456789abcdefABCDEF:.";
  if (text[0] != '[') return strspn(text, in_name);
  size_t size = 1 + strspn(text + 1, in_address);
  if (text[size] == '%') size += 1 + strspn(text + size + 1, in_name);
  return size > 1 && text[size] == ']' ? size + 1 : 0;
}

/* ":3128", a "/" behind it, or nothing. */
static bool is_port(const char *text) {
  if (text[0] == ':') {
    size_t count = strspn(text + 1, digits);
    if (count == 0 || count > 5 || atoi(text + 1) > 65535) return false;
    text += 1 + count;
  }
  return strcmp(text, "") == 0 || strcmp(text, "/") == 0;
}

/* Takes an address apart; false when it has another form than PROXY_FORM: then
** nobody knows where in it the password is. */
static bool read_proxy(const char *text, struct proxy_parts *parts) {
  const char *at = strrchr(text, '@');
  parts->scheme_size = scheme_size(text);
  const char *userinfo = text + parts->scheme_size;
  parts->host = at == NULL ? userinfo : at + 1;
  for (const char *c = userinfo; c < parts->host; c++) {
    if ((unsigned char)*c <= ' ' || strchr("/?#", *c) != NULL) return false;
  }
  size_t size = host_size(parts->host);
  return size > 0 && is_port(parts->host + size);
}

/* Never shows the value. */
static int check_proxy(const struct row *row, const char *value,
                       struct rtk_err *err) {
  struct proxy_parts parts;
  if (*value == '\0') return check_not_empty(row, value, err);
  if (read_proxy(value, &parts)) return SQLITE_OK;
  return rtk_err_set(err, "%s must look like " PROXY_FORM, row->name);
}

/* --- any value ------------------------------------------------------------------- */

static int check_value(const struct rtk_config *config, const struct row *row,
                       const char *value, struct rtk_err *err) {
  switch (row->kind) {
  case KIND_INT:
    return check_int(row, value, err);
  case KIND_CHOICE:
  case KIND_SWITCH:
    return check_choice(row, value, err);
  case KIND_URL:
    return rtk_http_check_base_url(value, err);
  case KIND_TOKEN:
    return check_token(row, value, err);
  case KIND_CACHE_FILE:
    if (*value != '\0') return rtk_storefile_check(value, config->host, err);
    break;
  case KIND_PROXY:
    return check_proxy(row, value, err);
  case KIND_TEXT:
    break;
  }
  return check_not_empty(row, value, err);
}

/* A copy without the white space around it; NULL: no memory. */
static char *trimmed(const char *text) {
  static const char space[] = " \t\r\n";
  text += strspn(text, space);
  size_t size = strlen(text);
  while (size > 0 && strchr(space, text[size - 1]) != NULL) size--;
  char *copy = sqlite3_malloc64(size + 1);
  if (copy == NULL) return NULL;
  memcpy(copy, text, size);
  copy[size] = '\0';
  return copy;
}

/* The value as it is kept. */
static char *normalised(const struct row *row, const char *value) {
  if (row->kind == KIND_SWITCH && strcmp(value, "0") == 0) value = "off";
  if (row->kind == KIND_SWITCH && strcmp(value, "1") == 0) value = "on";
  return trimmed(value);
}

/* --- new, free ------------------------------------------------------------- */

static int read_env(struct rtk_config *config, int i) {
  struct rtk_err err = {0};
  for (int k = 0; k < ENV_MAX && config->env[i] == NULL; k++) {
    const char *name = rows[i].env[k];
    const char *value = name == NULL ? NULL : getenv(name);
    if (value == NULL || value[0] == '\0') continue;
    char *copy = normalised(&rows[i], value);
    if (copy == NULL) return SQLITE_NOMEM;
    if (copy[0] == '\0') { /* only white space: as good as not set */
      sqlite3_free(copy);
      continue;
    }
    /* A cache file that is no good must not stop a query: store.c says so. */
    bool is_checked = rows[i].kind != KIND_CACHE_FILE;
    int rc = is_checked ? check_value(config, &rows[i], copy, &err) : SQLITE_OK;
    if (rc == SQLITE_OK) {
      config->env[i] = copy;
      continue;
    }
    rtk_config_wipe(copy);
    if (rc == SQLITE_NOMEM) return rc;
    config->problem[i] =
        sqlite3_mprintf("environment variable %s: %s", name, err.message);
    rtk_err_clear(&err);
    return config->problem[i] == NULL ? SQLITE_NOMEM : SQLITE_OK;
  }
  return SQLITE_OK;
}

/* --- variables that are misspelt ---------------------------------------------- */

#if defined(__APPLE__)
#include <crt_externs.h>
#define ENVIRONMENT (*_NSGetEnviron())
#else
extern char **environ;
#define ENVIRONMENT environ
#endif

/* The variable that sets it. */
static const char *right_variable(enum rtk_setting i) {
  return i == RTK_PROXY ? "HTTPS_PROXY" : rows[i].env[0];
}

/* Was setting i meant by a variable that is RTK_ and this?  Other programs' names
** begin with RTK_ too, and are none of our business. */
static bool is_meant(enum rtk_setting i, const char *plain) {
  const char *right = right_variable(i);
  for (int k = 0; k < ALSO_MAX && rows[i].also[k] != NULL; k++) {
    if (sqlite3_stricmp(plain, rows[i].also[k]) == 0) return true;
  }
  if (begins_with(right, "RTK_")) return rtk_spelling_is_near(plain, right + 4);
  /* RTK_APP may be another program's. */
  if (i == RTK_ACCOUNT || i == RTK_APP) return false;
  return sqlite3_stricmp(plain, rows[i].name) == 0;
}

static int look_at_variable(struct rtk_config *config, enum rtk_setting i,
                            const char *name) {
  if (config->env[i] != NULL || config->problem[i] != NULL) return SQLITE_OK;
  if (!is_meant(i, name + 4)) return SQLITE_OK;
  config->problem[i] =
      sqlite3_mprintf("environment variable %s: it is not read; the name is %s",
                      name, right_variable(i));
  return config->problem[i] == NULL ? SQLITE_NOMEM : SQLITE_OK;
}

/* Is this the name of a variable that is read? */
static bool is_variable(const char *name) {
  for (int i = 0; i < RTK_SETTING_COUNT; i++) {
    for (int k = 0; k < ENV_MAX; k++) {
      const char *env = rows[i].env[k];
      if (env != NULL && strcmp(env, name) == 0) return true;
    }
  }
  return false;
}

/* Who sets RTK_TIMEOUT would else wait for a minute, and never know why. */
static int look_for_misspelt(struct rtk_config *config) {
  int rc = SQLITE_OK;
  for (char **v = ENVIRONMENT; v != NULL && *v != NULL; v++) {
    size_t size = strcspn(*v, "=");
    bool is_empty = (*v)[size] == '\0' || (*v)[size + 1] == '\0';
    char name[64];
    if (is_empty || size >= sizeof(name) || !begins_with(*v, "RTK_")) continue;
    memcpy(name, *v, size);
    name[size] = '\0';
    if (is_variable(name)) continue;
    for (int i = 0; i < RTK_SETTING_COUNT && rc == SQLITE_OK; i++) {
      rc = look_at_variable(config, (enum rtk_setting)i, name);
    }
  }
  return rc;
}

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

/* What is worked out once of the value in force, which has been checked. */
static void take_up(struct rtk_config *config, enum rtk_setting i) {
  const char *text = rtk_config_text(config, i);
  if (rows[i].kind == KIND_INT) (void)parse_int(text, &config->number[i]);
  if (i == RTK_CA_FILE) {
    config->is_ca_directory = text != NULL && is_directory(text);
  }
}

int rtk_config_new(struct sqlite3 *host, struct rtk_config **config) {
  struct rtk_config *made = sqlite3_malloc64(sizeof(*made));
  if (made == NULL) return SQLITE_NOMEM;
  memset(made, 0, sizeof(*made));
  made->host = host;
  for (int i = 0; i < RTK_SETTING_COUNT; i++) {
    int rc = read_env(made, i);
    if (rc != SQLITE_OK) {
      rtk_config_free(made);
      return rc;
    }
    take_up(made, (enum rtk_setting)i);
  }
  int rc = look_for_misspelt(made);
  if (rc != SQLITE_OK) {
    rtk_config_free(made);
    return rc;
  }
  *config = made;
  return SQLITE_OK;
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

/* --- set and get ------------------------------------------------------------ */

int rtk_config_find(const char *name, enum rtk_setting *setting,
                    struct rtk_err *err) {
  for (int i = 0; i < RTK_SETTING_COUNT; i++) {
    if (strcmp(name, rows[i].name) != 0) continue;
    *setting = (enum rtk_setting)i;
    return SQLITE_OK;
  }
  sqlite3_str *names = sqlite3_str_new(NULL);
  sqlite3_str_appendall(names, "no setting '");
  rtk_show(names, name, strlen(name), RTK_SHOW_ID_MAX, NULL);
  sqlite3_str_appendall(names, "': there are ");
  for (int i = 0; i < RTK_SETTING_COUNT; i++) {
    sqlite3_str_appendf(names, "%s%s", i == 0 ? "" : ", ", rows[i].name);
  }
  return rtk_err_finish(err, names);
}

/* Setting i was set in SQL; `is_change`: its value is another one now.  Who can
** only run SQL must not send a token to another place than the one it was given
** for.  That holds for the environment's token (see rtk_config_token()), and here
** for one that was set in SQL before. */
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
  take_up(config, i);
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
  return sqlite3_mprintf("%.*s%s", (int)parts.scheme_size, text, parts.host);
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

/* --- the token -------------------------------------------------------------- */

/* A token file while it is read. */
struct source {
  const char *path;
  int file;
  bool is_pipe;
  int64_t until_ms; /* by rtk_clock_ms(): how long a pipe is waited for */
  const char *why;  /* it cannot be read; NULL: it can */
};

/* Without O_NONBLOCK a pipe that nobody writes to would hang here. */
static void open_source(struct source *source) {
  struct stat kind;
  source->until_ms = rtk_clock_ms() + RTK_TOKEN_PIPE_MS;
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

/* Until the pipe has data, or has had its last.  Its writer may still be at work, as
** in `<(pass show cf)`.  SQLITE_OK or SQLITE_INTERRUPT. */
static int wait_for_pipe(const struct rtk_config *config,
                         struct source *source) {
  struct pollfd ready = {.fd = source->file, .events = POLLIN};
  struct rtk_cancel cancel = {.db = config->host};
  while (source->why == NULL) {
    int got = poll(&ready, 1, RTK_CANCEL_CHECK_MS);
    if (got > 0) return SQLITE_OK;
    if (got < 0 && errno != EINTR) source->why = strerror(errno);
    if (rtk_clock_ms() >= source->until_ms) {
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
  int rc = SQLITE_OK;
  ssize_t got = 1;
  *size = 0;
  while (*size <= RTK_TOKEN_MAX && got != 0) {
    if (source->is_pipe) rc = wait_for_pipe(config, source);
    if (rc != SQLITE_OK || source->why != NULL) break;
    got = read(source->file, text + *size, RTK_TOKEN_MAX + 1 - *size);
    if (got > 0) *size += (size_t)got;
    if (got < 0 && errno != EINTR && errno != EAGAIN) {
      source->why = strerror(errno);
    }
  }
  text[*size] = '\0';
  return rc;
}

static int read_file(const struct rtk_config *config, struct source *source,
                     char *text, size_t *size, struct rtk_err *err) {
  open_source(source);
  int rc = read_source(config, source, text, size);
  if (source->file >= 0) (void)close(source->file);
  if (rc != SQLITE_OK || source->why == NULL) return rc;
  return rtk_err_set(err, "CLOUDFLARE_API_TOKEN_FILE: cannot read %s: %s",
                     source->path, source->why);
}

/* `problem`: NULL where the file is empty. */
static int refuse_token(const struct source *source, const char *problem,
                        struct rtk_err *err) {
  const char *what =
      source->is_pipe ? "is empty: a pipe can be read only once" : "is empty";
  if (problem != NULL && problem != not_visible) {
    return rtk_err_set(err, "CLOUDFLARE_API_TOKEN_FILE: the token in %s %s",
                       source->path, problem);
  }
  if (problem != NULL) {
    what = "does not hold a token: it must be visible ASCII characters without"
           " spaces";
  }
  return rtk_err_set(err, "CLOUDFLARE_API_TOKEN_FILE: %s %s", source->path,
                     what);
}

static int read_token_file(struct rtk_config *config, const char *path,
                           char **token, struct rtk_err *err) {
  char text[RTK_TOKEN_MAX + 2];
  struct source source = {.path = path};
  size_t size = 0;
  if (config->piped != NULL) {
    *token = sqlite3_mprintf("%s", config->piped);
    return *token == NULL ? SQLITE_NOMEM : SQLITE_OK;
  }
  int rc = read_file(config, &source, text, &size, err);
  bool is_whole = size <= RTK_TOKEN_MAX && strlen(text) == size;
  char *copy = rc == SQLITE_OK ? trimmed(text) : NULL;
  for (volatile char *c = text; *c != '\0'; c++) *c = '\0';
  if (rc != SQLITE_OK) return rc;
  if (copy == NULL) return SQLITE_NOMEM;
  const char *problem = is_whole ? token_problem(copy) : not_visible;
  if (problem != NULL || copy[0] == '\0') {
    rc = refuse_token(&source, problem, err);
  } else if (source.is_pipe) {
    config->piped = sqlite3_mprintf("%s", copy);
    if (config->piped == NULL) rc = SQLITE_NOMEM;
  }
  if (rc == SQLITE_OK) {
    *token = copy;
  } else {
    rtk_config_wipe(copy);
  }
  return rc;
}

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
    *source = "from the file in CLOUDFLARE_API_TOKEN_FILE";
    return read_token_file(config, path, token, err);
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
