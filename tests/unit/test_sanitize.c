/* Text from elsewhere made fit to stand in a message. */
#include "base/sanitize.h"

#include "check.h"

#define TEXT(literal) literal, sizeof(literal) - 1

#define E_ACUTE "\xC3\xA9"
#define EURO "\xE2\x82\xAC"
#define SMILE "\xF0\x9F\x98\x80"
#define CUT "\xE2\x80\xA6" /* … */

struct show_case {
  const char *name, *text;
  size_t size, max;
  const char *expected;
};

static void check_show(const struct show_case *row) {
  sqlite3_str *out = sqlite3_str_new(NULL);
  sqlite3_str_appendall(out, "<");
  char *copy = malloc(row->size + 1); /* reading on is seen by a sanitizer */
  assert_non_null(copy);
  memcpy(copy + 1, row->text, row->size);
  rtk_sanitize(out, copy + 1, row->size, row->max, NULL);
  free(copy);
  char *shown = sqlite3_str_finish(out);
  check_text(row->name, "shown", shown == NULL ? NULL : shown + 1,
             row->expected);
  sqlite3_free(shown);
}

CASE(text_is_cut_and_cleaned) {
  static const struct show_case cases[] = {
      {"normal", TEXT("cf55"), 64, "cf55"},
      {"empty", TEXT(""), 64, ""},
      {"empty, no room", TEXT(""), 0, ""},
      {"no room", TEXT("a"), 0, CUT},
      {"at the limit", TEXT("abcd"), 4, "abcd"},
      {"over the limit", TEXT("abcde"), 4, "abcd" CUT},
      {"NUL ends nothing", TEXT("a\0b"), 64, "a b"},
      {"control characters", TEXT("a\r\n\tb\x1B[31m\x7F"), 64, "a   b [31m "},
      {"all below space", TEXT("\x01\x08\x0B\x0C\x1F"), 64, "     "},
      {"space and tilde stay", TEXT(" ~"), 64, " ~"},
      {"quotes and percent stay", TEXT("'%s%n\""), 64, "'%s%n\""},
      {"two bytes", TEXT(E_ACUTE), 2, E_ACUTE},
      {"two bytes do not fit", TEXT(E_ACUTE), 1, CUT},
      {"three bytes", TEXT("a" EURO), 4, "a" EURO},
      {"three bytes do not fit", TEXT("a" EURO), 3, "a" CUT},
      {"four bytes", TEXT(SMILE), 4, SMILE},
      {"four bytes do not fit", TEXT(SMILE "x"), 3, CUT},
      {"what follows does not fit", TEXT(SMILE "x"), 4, SMILE CUT},
      {"ends within a character", TEXT("a\xC3"), 64, "a?"},
      {"ends within three bytes", TEXT("a\xE2\x82"), 64, "a??"},
      {"ends within four bytes", TEXT("a\xF0\x9F\x98"), 64, "a???"},
      {"the rest stands behind the end", E_ACUTE, 1, 64, "?"},
      {"continuation alone",
       TEXT("\x80"
            "a"),
       64, "?a"},
      {"Latin 1", TEXT("caf\xE9!"), 64, "caf?!"},
      {"no UTF-8 at all", TEXT("\xFF\xFE\xF8\xC0\xC1"), 64, "?????"},
      {"broken off by ASCII",
       TEXT("\xE2"
            "ab"),
       64, "?ab"},
      {"broken off by another", TEXT("\xE2\x82" E_ACUTE), 64, "??" E_ACUTE},
      {"bad bytes count too", TEXT("\xFF\xFF\xFF"), 2, "??" CUT},
      {"first and last of two bytes", TEXT("\xC2\xA0\xDF\xBF"), 64,
       "\xC2\xA0\xDF\xBF"},
      {"first and last of three bytes", TEXT("\xE0\xA0\x80\xEF\xBF\xBF"), 64,
       "\xE0\xA0\x80\xEF\xBF\xBF"},
      {"first and last of four bytes", TEXT("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"),
       64, "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) check_show(&cases[i]);
}

/* U+0080 to U+009F; U+009B is what ESC [ is in one, and terminals obey it. */
CASE(control_characters_of_two_bytes_become_spaces) {
  static const struct show_case cases[] = {
      {"U+009B",
       TEXT("a\xC2\x9B"
            "31mb"),
       64, "a 31mb"},
      {"U+0085, next line",
       TEXT("a\xC2\x85"
            "b"),
       64, "a b"},
      {"U+0080", TEXT("\xC2\x80"), 64, " "},
      {"U+009F", TEXT("\xC2\x9F"), 64, " "},
  };
  for (size_t i = 0; i < COUNT(cases); i++) check_show(&cases[i]);
}

/* Python's sqlite3 and others decode messages strictly. */
CASE(what_is_shown_is_utf8) {
  static const struct show_case cases[] = {
      {"overlong, three bytes", TEXT("\xE0\x80\xAF"), 64, "???"},
      {"overlong, four bytes", TEXT("\xF0\x80\x80\xAF"), 64, "????"},
      {"surrogate", TEXT("\xED\xA0\x80"), 64, "???"},
      {"last surrogate", TEXT("\xED\xBF\xBF"), 64, "???"},
      {"beyond U+10FFFF", TEXT("\xF4\x90\x80\x80"), 64, "????"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) check_show(&cases[i]);
}

CASE(the_token_is_taken_out) {
  static const struct {
    const char *name, *text, *token;
    size_t max;
    const char *expected;
  } cases[] = {
      {"no token in it", "HTTP 403", "secret", 64, "HTTP 403"},
      {"alone", "secret", "secret", 64, "***"},
      {"in the middle", "a secret.", "secret", 64, "a ***."},
      {"at the end", "Bearer secret", "secret", 64, "Bearer ***"},
      {"twice", "secret, secret", "secret", 64, "***, ***"},
      {"side by side", "secretsecret", "secret", 64, "******"},
      {"part of it", "secre ecret", "secret", 64, "secre ecret"},
      {"all but its last byte", "=secre", "secret", 64, "=***"},
      {"a word that is its beginning", "no account", "account-123", 64,
       "no account"},
      {"more than a word", "no account-", "account-123", 64, "no ***"},
      {"nothing else", "account-", "account-123", 64, "***"},
      {"four bytes at the end", "x?t=secr", "secret", 64, "x?t=***"},
      {"three bytes at the end", "x?t=sec", "secret", 64, "x?t=sec"},
      {"its beginning, not at the end", "secr ", "secret", 64, "secr "},
      {"the end of another one", "xsecretsecre", "secret", 64, "x******"},
      {"its beginning at the end, behind the cut", "abcdefgh=secr", "secret", 8,
       "abcdefgh" CUT},
      {"a short token's beginning", "sec", "secr", 64, "sec"},
      {"another case", "SECRET", "secret", 64, "SECRET"},
      {"overlapping itself", "xaaa", "aa", 64, "x***a"},
      {"a token of stars", "invalid: ****", "****", 64, "invalid: ***"},
      {"one character", "banana", "a", 64, "b***n***n***"},
      {"empty text", "", "secret", 64, ""},
      {"empty token", "HTTP 403", "", 64, "HTTP 403"},
      {"no token", "HTTP 403", NULL, 64, "HTTP 403"},
      {"beside what is no UTF-8", "\xFFsecret\xFF", "secret", 64, "?***?"},
      {"where the text is cut", "abcdefghsecretx", "secret", 10,
       "abcdefgh***" CUT},
      {"behind the cut", "abcdefgh secret", "secret", 8, "abcdefgh" CUT},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    sqlite3_str *out = sqlite3_str_new(NULL);
    rtk_sanitize(out, cases[i].text, strlen(cases[i].text), cases[i].max,
                 cases[i].token);
    char *shown = sqlite3_str_finish(out);
    check_text(cases[i].name, "shown", shown == NULL ? "" : shown,
               cases[i].expected);
    sqlite3_free(shown);
  }
}

/* A server may send a megabyte of it. */
CASE(many_tokens_are_cut_too) {
  sqlite3_str *out = sqlite3_str_new(NULL);
  sqlite3_str *text = sqlite3_str_new(NULL);
  for (int i = 0; i < 1000; i++) sqlite3_str_appendall(text, "secret");
  char *many = sqlite3_str_finish(text);
  rtk_sanitize(out, many, strlen(many), 60, "secret");
  /* at most 60 bytes, one token's stars beyond, and the ellipsis */
  int64_t size = sqlite3_str_length(out);
  if (size > 60 + 3 + 3) check_int("1000 tokens", "bytes shown", size, 60);
  sqlite3_free(sqlite3_str_finish(out));
  sqlite3_free(many);
}

static int show_long(void *arg) {
  sqlite3_str *out = sqlite3_str_new(NULL);
  rtk_sanitize(out, arg, strlen(arg), 2000, "token");
  char *shown = sqlite3_str_finish(out);
  int rc = shown == NULL ? SQLITE_NOMEM : SQLITE_OK;
  sqlite3_free(shown);
  return rc;
}

CASE(no_memory_gives_nothing) {
  static char text[1500];
  memset(text, 'x', sizeof(text) - 1);
  check_nomem("show", show_long, text, false);
}

int main(void) { return check_run(); }
