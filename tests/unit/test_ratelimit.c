/* What a reply announces about quotas. */
#include "api/ratelimit.h"

#include "base/limits.h"
#include "net/http.h"

#include "check.h"

#define NOW_MS 1700000000000
#define FUZZ_ROUNDS 200000

static struct rtk_ratelimit read_all(const char *ratelimit, const char *policy,
                                     const char *limit, const char *remaining,
                                     const char *reset) {
  static struct rtk_response r;
  struct rtk_ratelimit news;
  memset(&r, 0, sizeof(r));
  sqlite3_snprintf(RTK_HEADER_LIST_MAX, r.ratelimit, "%s", ratelimit);
  sqlite3_snprintf(RTK_HEADER_LIST_MAX, r.ratelimit_policy, "%s", policy);
  sqlite3_snprintf(RTK_HEADER_MAX, r.x_ratelimit_limit, "%s", limit);
  sqlite3_snprintf(RTK_HEADER_MAX, r.x_ratelimit_remaining, "%s", remaining);
  sqlite3_snprintf(RTK_HEADER_MAX, r.x_ratelimit_reset, "%s", reset);
  rtk_ratelimit_read(&r, NOW_MS, &news);
  return news;
}

/* "name q/w r/t; …", what was not said being "-". */
static const char *show(const struct rtk_ratelimit *news) {
  static char text[1000];
  size_t at = 0;
  text[0] = '\0';
  for (int i = 0; i < news->count; i++) {
    const struct rtk_ratelimit_item *item = &news->items[i];
    const int64_t numbers[] = {item->quota, item->window_ms, item->left,
                               item->reset_ms};
    sqlite3_snprintf((int)(sizeof(text) - at), text + at, "%s%s",
                     i == 0 ? "" : "; ", item->name);
    at = strlen(text);
    for (size_t j = 0; j < COUNT(numbers); j++) {
      char number[32] = "-";
      if (numbers[j] >= 0) {
        sqlite3_snprintf(sizeof(number), number, "%lld", (long long)numbers[j]);
      }
      sqlite3_snprintf((int)(sizeof(text) - at), text + at, "%s%s",
                       j % 2 == 0 ? " " : "/", number);
      at = strlen(text);
    }
  }
  return text;
}

CASE(lists_are_read) {
  static const struct {
    const char *name, *ratelimit, *policy, *expected;
  } cases[] = {
      {"nothing", "", "", ""},
      {"white space only", " \t", "  ", ""},
      {"left", "\"a\";r=50;t=30", "", "a -/- 50/30000"},
      {"policy", "", "\"a\";q=100;w=60", "a 100/60000 -/-"},
      {"both, joined by name", "\"a\";r=50;t=30", "\"a\";q=100;w=60",
       "a 100/60000 50/30000"},
      {"two of each, in another order", "\"a\";r=50;t=30, \"b\";r=3;t=1",
       "\"b\";q=10;w=1,\"a\";q=100;w=60",
       "a 100/60000 50/30000; b 10/1000 3/1000"},
      {"one of them only in one", "\"a\";r=5;t=3", "\"b\";q=10;w=1",
       "a -/- 5/3000; b 10/1000 -/-"},
      {"tokens", "a;r=5;t=3,*b/c:d;r=1", "", "a -/- 5/3000; *b/c:d -/- 1/-"},
      {"token and string are one name", "a;r=5;t=3", "\"a\";q=9;w=1",
       "a 9/1000 5/3000"},
      {"names know their case", "A;r=5", "a;q=9;w=1",
       "A -/- 5/-; a 9/1000 -/-"},
      {"white space", " \"a\"; r=5;  t=3 \t,\t \"b\";r=1 ", "",
       "a -/- 5/3000; b -/- 1/-"},
      {"parameters that are not known",
       "a;pk=:cHNzc3Q=:;x;y=?0;z=\"r=9, t\";r=5;v=*t;n=-1.5;t=3;rr=8;*=1", "",
       "a -/- 5/3000"},
      {"the last one of a name holds", "a;r=5;r=4", "", "a -/- 4/-"},
      {"escapes", "\"a\\\"b\\\\c, d;r=1\";r=5", "", "a\"b\\c, d;r=1 -/- 5/-"},
      {"an empty name", "\"\";r=5", "\"\";q=7;w=1", " 7/1000 5/-"},
      {"integer items", "", "100;w=60, 10;w=1",
       "100 100/60000 -/-; 10 10/1000 -/-"},
      {"an integer with a name", "\"a\";r=1", "100;w=60;comment=\"a\"",
       "a -/- 1/-; 100 100/60000 -/-"},
      {"no news", "a;x=1, b", "c", ""},
      {"items without a name", "?1;r=5, :aGk=:;r=6", "", ""},
      {"zeros that mean something", "a;r=0;t=0", "", "a -/- 0/0"},
      {"zeros that do not", "a;r=1", "a;q=0;w=0", "a -/- 1/-"},
      {"negative", "a;r=-1;t=-1, b;r=2", "a;q=-1;w=-5", "b -/- 2/-"},
      {"fractions", "a;r=1.0;t=0.25", "a;q=10.0;w=1.5", "a 10/1500 1/250"},
      {"parts of a request", "a;r=1.5", "a;q=10.001;w=1", "a -/1000 -/-"},
      {"words for numbers", "a;r=\"5\";t=x", "a;q;w=?1", ""},
      {"at the limit", "a;r=1000000000;t=86400", "a;q=1000000000;w=86400",
       "a 1000000000/86400000 1000000000/86400000"},
      {"beyond it", "a;r=1000000001;t=86401", "a;q=999999999999999;w=999999999",
       "a 1000000000/86400000 1000000000/86400000"},
      {"one name twice: the tighter holds", "a;r=5;t=1, a;r=3;t=9, a;r=4;t=2",
       "a;q=10;w=60, a;q=20;w=1, a;q=5;w=2", "a 5/60000 3/9000"},
      {"more names than are kept", "a;r=1,b;r=2,c;r=3,d;r=4,e;r=5", "c;q=1;w=1",
       "a -/- 1/-; b -/- 2/-; c 1/1000 3/-; d -/- 4/-"},
      {"a long name is cut", "abcdefghijklmnopqrstuvwxyz0123456789;r=1", "",
       "abcdefghijklmnopqrstuvwxyz01234 -/- 1/-"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_ratelimit news =
        read_all(cases[i].ratelimit, cases[i].policy, "", "", "");
    check_text(cases[i].name, "news", show(&news), cases[i].expected);
  }
}

CASE(a_list_with_a_mistake_is_no_list) {
  static const char *const cases[] = {
      "a;r=1,",
      "a;r=1, ",
      ",a;r=1",
      "a;r=1,,b;r=2",
      "a;r=1 b;r=2",
      "a;r=1;",
      "a;r=",
      "a;=1",
      "a;r=1;T=2",
      "a;R=1",
      "a;r =1",
      "a;r= 1",
      "a ;r=1",
      "a\t;r=1",
      "a;\tr=1",
      "\"a;r=1",
      "\"a\\x\";r=1",
      "\"a\\",
      "\"a\x7f\";r=1",
      "\"\xc3\xa4\";r=1",
      "\"a\tb\";r=1",
      "a;r=-",
      "a;r=1.",
      "a;r=.5",
      "a;r=1;t=1.2345",
      "a;r=+1",
      "a;r=0x1",
      "a;r=1e3",
      "a;r=1;t=?2",
      "a;r=1;t=?",
      "a;r=1;p=:YQ",
      "a;r=1;p=:Y Q:",
      "a;r=1;p=@5",
      "(a b);r=1",
      "limit=10, r=5",
      "{\"r\":1}",
      "a;r=1\n",
      "a;r=1;t=\"x",
      "a;r=1, \"",
      "=",
      "a;r=1000000000000000", /* 16 digits */
      "a;r=1;t=1000000000000.1",
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_ratelimit news = read_all(cases[i], "b;q=1;w=1", "", "", "");
    check_text(cases[i], "news", show(&news), "b 1/1000 -/-");
    news = read_all("b;r=1", cases[i], "", "", "");
    check_text(cases[i], "news, as policy", show(&news), "b -/- 1/-");
  }
}

/* A list that fills its room may have been cut, in a number too. */
CASE(a_list_that_was_cut_is_no_list) {
  char text[RTK_HEADER_LIST_MAX];
  struct rtk_ratelimit news;
  for (size_t size = sizeof(text) - 3; size < sizeof(text); size++) {
    memset(text, 'x', sizeof(text));
    memcpy(text, "a;r=7;y=", 8);
    text[size] = '\0';
    news = read_all(text, "", "", "", "");
    check_text(size < sizeof(text) - 1 ? "whole" : "cut", "news", show(&news),
               size < sizeof(text) - 1 ? "a -/- 7/-" : "");
  }
}

CASE(separate_numbers_are_read) {
  static const char x[] = RTK_RATELIMIT_X_NAME;
  static const struct {
    const char *name, *limit, *remaining, *reset, *expected;
  } cases[] = {
      {"nothing", "", "", "", ""},
      {"all", "100", "7", "30", "100/- 7/30000"},
      {"none left", "100", "0", "30", "100/- 0/30000"},
      {"limit only", "100", "", "", "100/- -/-"},
      {"left only", "", "7", "", "-/- 7/-"},
      {"reset only", "", "", "30", ""},
      {"part of a second", "", "7", "0.25", "-/- 7/250"},
      {"a moment", "", "7", "1700000030", "-/- 7/30000"},
      {"a moment with a fraction", "", "7", "1700000030.5", "-/- 7/30500"},
      {"a moment that is past", "", "7", "1699999999", "-/- 7/0"},
      {"a moment in years", "", "7", "1900000000", "-/- 7/86400000"},
      {"ten digits at least", "", "7", "1000000000", "-/- 7/86400000"},
      {"one more is a moment", "", "7", "1000000001", "-/- 7/0"},
      {"longer than a day", "", "7", "86401", "-/- 7/86400000"},
      {"huge", "999999999999999", "7", "999999999999999",
       "1000000000/- 7/86400000"},
      {"too huge", "9999999999999999", "7", "9999999999999999", "-/- 7/-"},
      {"negative", "-1", "-1", "-1", ""},
      {"words", "many", "some", "soon", ""},
      {"with more behind it", "100, 100;w=60", "7 left", "6m0s", ""},
      {"a quota of nothing", "0", "0", "1", "-/- 0/1000"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char expected[100] = "";
    struct rtk_ratelimit news =
        read_all("", "", cases[i].limit, cases[i].remaining, cases[i].reset);
    if (cases[i].expected[0] != '\0') {
      sqlite3_snprintf(sizeof(expected), expected, "%s %s", x,
                       cases[i].expected);
    }
    check_text(cases[i].name, "news", show(&news), expected);
  }
  struct rtk_ratelimit news =
      read_all("\"x-ratelimit\";r=1", "", "100", "7", "30");
  check_text("beside a list", "news", show(&news),
             "x-ratelimit -/- 1/-; \tx-ratelimit 100/- 7/30000");
}

static bool is_in_bounds(int64_t number, int64_t least, int64_t most) {
  return number == -1 || (number >= least && number <= most);
}

static void check_bounds(const char *text, const struct rtk_ratelimit *news) {
  check_int(text, "count in bounds",
            news->count >= 0 && news->count <= RTK_RATELIMIT_ITEMS_MAX, 1);
  for (int i = 0; i < news->count; i++) {
    const struct rtk_ratelimit_item *item = &news->items[i];
    bool is_good = memchr(item->name, '\0', sizeof(item->name)) != NULL &&
                   is_in_bounds(item->quota, 1, RTK_RATELIMIT_COUNT_MAX) &&
                   is_in_bounds(item->window_ms, 1, RTK_WAIT_MAX_MS) &&
                   is_in_bounds(item->left, 0, RTK_RATELIMIT_COUNT_MAX) &&
                   is_in_bounds(item->reset_ms, 0, RTK_WAIT_MAX_MS);
    check_int(text, "item in bounds", is_good, 1);
  }
}

/* Any bytes: nothing is read outside of them, and no number is out of bounds.
** Half of them are mistakes in a good list, so that much is read. */
CASE(any_bytes_do_no_harm) {
  static const char good[] =
      "\"de\\\"f\";r=50;t=30;pk=:YWI=:, b;q=10;w=1.5;x=?1 , 100;w=60;y=-2";
  static const char likely[] = "\"\\;=,:?.-0123456789 \tqwrtab*()";
  uint32_t seed = 1;
  for (int round = 0; round < FUZZ_ROUNDS && check.failures == 0; round++) {
    char text[sizeof(good)];
    memcpy(text, good, sizeof(good));
    for (int i = 0; i < (round % 2 == 0 ? 3 : (int)sizeof(good) - 1); i++) {
      seed = seed * 1664525 + 1013904223;
      size_t at = round % 2 == 0 ? (seed >> 8) % (sizeof(good) - 1) : (size_t)i;
      text[at] = (seed >> 31) != 0
                     ? (char)(seed >> 16)
                     : likely[(seed >> 16) % (sizeof(likely) - 1)];
    }
    struct rtk_ratelimit news =
        read_all(text, text + round % 7, text + 8, text + 9, text + 10);
    check_bounds(text, &news);
  }
}

int main(void) { return check_run(); }
