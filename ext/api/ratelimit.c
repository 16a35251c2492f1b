/*
** What a reply announces about the server's quotas, as numbers.
**
**   Ratelimit-Policy: "default";q=100;w=60     100 requests in any 60 s
**   Ratelimit: "default";r=50;t=30             50 are left, whole in 30 s
**   Ratelimit-Policy: 100;w=60                 the same in older drafts
**   X-Ratelimit-Limit, -Remaining, -Reset      the same as separate numbers
**
** The lists are read by the grammar of RFC 8941: unknown parameters are
** skipped, and a list with a mistake is ignored whole, as is a list within a
** list.  Of more than RTK_RATELIMIT_ITEMS_MAX names the first ones are kept.
*/
#include "api/ratelimit.h"

#include "base/limits.h"
#include "base/number.h"
#include "net/http.h"

#include <stdbool.h>
#include <string.h>

/* RFC 8941, 3.3.1 and 3.3.2: digits of a number without a point; before the
** point; behind it. */
#define INTEGER_DIGITS 15
#define DECIMAL_DIGITS 12
#define FRACTION_DIGITS 3

/* A larger x-ratelimit-reset is not a wait (31 years) but a time: seconds since
** 1970. */
#define UNIX_SECONDS_MIN 1000000000

enum kind { NUMBER, NAME, OTHER };

struct bare {
  enum kind kind;
  int64_t thousandths;               /* of a number */
  char name[RTK_RATELIMIT_NAME_MAX]; /* of a string or token, or the digits */
};

/* --- characters: ASCII, whatever the locale ------------------------------- */

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define LETTERS LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define IN_TOKEN LETTERS DIGITS "!#$%&'*+-.^_`|~:/"
#define IN_KEY LOWER DIGITS "_-.*"
#define IN_BASE64 LETTERS DIGITS "+/="

static bool is_one_of(char c, const char *set) {
  return c != '\0' && strchr(set, c) != NULL;
}

/* --- bare items: each moves *at behind itself, or returns false ----------- */

static void add_to_name(char *name, size_t *size, char c) {
  if (*size >= RTK_RATELIMIT_NAME_MAX - 1) return;
  name[(*size)++] = c;
  name[*size] = '\0';
}

static bool read_number(const char **at, struct bare *bare) {
  bool is_negative = **at == '-';
  const char *c = *at + is_negative;
  const char *first = c;
  size_t named = 0;
  int64_t fraction = 0;
  int64_t whole = rtk_number_read(&c);
  int64_t digits = c - first;
  for (const char *d = first; d < c; d++) add_to_name(bare->name, &named, *d);
  if (digits < 1 || digits > (*c == '.' ? DECIMAL_DIGITS : INTEGER_DIGITS)) {
    return false;
  }
  if (*c == '.') {
    const char *behind = ++c;
    fraction = rtk_number_read_fraction(&c);
    if (c == behind || c - behind > FRACTION_DIGITS) return false;
  }
  bare->kind = NUMBER;
  bare->thousandths = whole * 1000 + fraction;
  if (is_negative) bare->thousandths = -bare->thousandths;
  *at = c;
  return true;
}

static bool read_string(const char **at, struct bare *bare) {
  const char *c = *at + 1;
  size_t named = 0;
  for (; *c != '"'; c++) {
    if (*c == '\\' && !is_one_of(*++c, "\"\\")) return false;
    if (*c < ' ' || *c > '~') return false;
    add_to_name(bare->name, &named, *c);
  }
  bare->kind = NAME;
  *at = c + 1;
  return true;
}

static bool read_token(const char **at, struct bare *bare) {
  size_t named = 0;
  for (; is_one_of(**at, IN_TOKEN); (*at)++) {
    add_to_name(bare->name, &named, **at);
  }
  bare->kind = NAME;
  return true;
}

/* Bytes, :YWJj:, and a boolean, ?1. */
static bool skip_other(const char **at) {
  const char *end = *at + 1 + (**at == ':' ? strspn(*at + 1, IN_BASE64) : 0);
  bool is_right = **at == ':' ? *end == ':' : is_one_of(*end, "01");
  *at = end + 1;
  return is_right;
}

static bool read_bare(const char **at, struct bare *bare) {
  *bare = (struct bare){.kind = OTHER};
  if (rtk_is_digit(**at) || **at == '-') return read_number(at, bare);
  if (**at == '"') return read_string(at, bare);
  if (is_one_of(**at, LETTERS "*")) return read_token(at, bare);
  return is_one_of(**at, ":?") && skip_other(at);
}

/* --- items ---------------------------------------------------------------- */

static int64_t at_most(int64_t number, int64_t most) {
  return number < most ? number : most;
}

/* A whole number of requests, at least `least`; -1 for anything else. */
static int64_t count_of(const struct bare *bare, int64_t least) {
  if (bare->kind != NUMBER || bare->thousandths % 1000 != 0) return -1;
  int64_t count = bare->thousandths / 1000;
  return count < least ? -1 : at_most(count, RTK_RATELIMIT_COUNT_MAX);
}

/* Seconds as milliseconds, at least `least`; -1 for anything else. */
static int64_t ms_of(const struct bare *bare, int64_t least) {
  if (bare->kind != NUMBER || bare->thousandths < least) return -1;
  return at_most(bare->thousandths, RTK_WAIT_MAX_MS);
}

static void take_parameter(struct rtk_ratelimit_item *item, char key,
                           const struct bare *value) {
  if (key == 'q') item->quota = count_of(value, 1);
  if (key == 'w') item->window_ms = ms_of(value, 1);
  if (key == 'r') item->left = count_of(value, 0);
  if (key == 't') item->reset_ms = ms_of(value, 0);
}

/* ;key=value;key … */
static bool read_parameters(const char **at, struct rtk_ratelimit_item *item) {
  while (**at == ';') {
    *at += 1 + strspn(*at + 1, " ");
    const char *key = *at;
    if (!is_one_of(*key, LOWER "*")) return false;
    *at += strspn(key, IN_KEY);
    bool is_short = *at - key == 1;
    struct bare value = {.kind = OTHER};
    if (**at == '=') {
      (*at)++;
      if (!read_bare(at, &value)) return false;
    }
    if (is_short) take_parameter(item, *key, &value);
  }
  return true;
}

static bool read_item(const char **at, struct rtk_ratelimit_item *item) {
  static const struct rtk_ratelimit_item nothing_said = {
      .quota = -1, .window_ms = -1, .left = -1, .reset_ms = -1};
  struct bare bare;
  *item = nothing_said;
  if (!read_bare(at, &bare)) return false;
  memcpy(item->name, bare.name, sizeof(item->name));
  if (bare.kind == NUMBER) item->quota = count_of(&bare, 1);
  if (!read_parameters(at, item)) return false;
  if (bare.kind == OTHER) *item = nothing_said; /* no name: ignored */
  return true;
}

static bool has_news(const struct rtk_ratelimit_item *item) {
  return item->quota >= 0 || item->window_ms >= 0 || item->left >= 0;
}

/* Adds an item, or joins it with the earlier one of its name: the tighter
** number holds. */
static void join(struct rtk_ratelimit *news,
                 const struct rtk_ratelimit_item *item) {
  int i = 0;
  if (!has_news(item)) return;
  while (i < news->count && strcmp(news->items[i].name, item->name) != 0) i++;
  if (i == RTK_RATELIMIT_ITEMS_MAX) return;
  struct rtk_ratelimit_item *known = &news->items[i];
  if (i == news->count) {
    *known = *item;
    news->count++;
  }
  if (item->quota >= 0 && (known->quota < 0 || item->quota < known->quota)) {
    known->quota = item->quota;
  }
  if (item->window_ms > known->window_ms) known->window_ms = item->window_ms;
  if (item->left >= 0 && (known->left < 0 || item->left < known->left)) {
    known->left = item->left;
    known->reset_ms = item->reset_ms;
  }
}

static void skip_white(const char **at) { *at += strspn(*at, " \t"); }

static void read_list(const char *text, struct rtk_ratelimit *news) {
  struct rtk_ratelimit joined = *news;
  struct rtk_ratelimit_item item;
  const char *at = text;
  if (strlen(text) >= RTK_HEADER_LIST_MAX - 1) return; /* cut */
  skip_white(&at);
  while (*at != '\0') {
    if (!read_item(&at, &item)) return;
    join(&joined, &item);
    skip_white(&at);
    if (*at == '\0') break;
    if (*at != ',') return;
    at++;
    skip_white(&at);
    if (*at == '\0') return;
  }
  *news = joined;
}

/* --- x-ratelimit-* -------------------------------------------------------- */

static struct bare number_in(const char *text) {
  struct bare bare = {.kind = OTHER};
  if (!read_number(&text, &bare) || *text != '\0') bare.kind = OTHER;
  return bare;
}

static void read_x(const struct rtk_response *response, int64_t now_unix_ms,
                   struct rtk_ratelimit *news) {
  struct rtk_ratelimit_item item = {.name = RTK_RATELIMIT_X_NAME,
                                    .window_ms = -1};
  struct bare limit = number_in(response->x_ratelimit_limit);
  struct bare left = number_in(response->x_ratelimit_remaining);
  struct bare reset = number_in(response->x_ratelimit_reset);
  if (reset.thousandths > UNIX_SECONDS_MIN * (int64_t)1000) {
    int64_t wait_ms = reset.thousandths - now_unix_ms;
    reset.thousandths = wait_ms > 0 ? wait_ms : 0;
  }
  item.quota = count_of(&limit, 1);
  item.left = count_of(&left, 0);
  item.reset_ms = ms_of(&reset, 0);
  join(news, &item);
}

void rtk_ratelimit_read(const struct rtk_response *response,
                        int64_t now_unix_ms, struct rtk_ratelimit *news) {
  memset(news, 0, sizeof(*news));
  read_list(response->ratelimit, news);
  read_list(response->ratelimit_policy, news);
  read_x(response, now_unix_ms, news);
}
