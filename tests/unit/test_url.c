/* Base URL, template and arguments into one URL. */
#include "api/url.h"

#include "check.h"

static struct rtk_text text_of(const char *text) {
  return (struct rtk_text){text, text == NULL ? 0 : strlen(text)};
}

/* --- rtk_url_can_carry() -------------------------------------------------- */

CASE(some_texts_fit_no_segment) {
  static const struct {
    const char *name, *text;
    size_t size, max;
    bool expected;
  } cases[] = {
      {"normal", "cf55", 4, 32, true},
      {"one character", "a", 1, 32, true},
      {"empty", "", 0, 32, false},
      {"no text at all", NULL, 0, 32, false},
      {"one dot", ".", 1, 32, false},
      {"two dots", "..", 2, 32, false},
      {"three dots", "...", 3, 32, true},
      {"a dot before", ".a", 2, 32, true},
      {"a dot behind", "a.", 2, 32, true},
      {"dot, slash", "./", 2, 32, true},
      {"encoded dots, which get encoded again", "%2e%2e", 6, 32, true},
      {"slash", "a/b", 3, 32, true},
      {"white space", " ", 1, 32, true},
      {"NUL inside", "a\0b", 3, 32, false},
      {"NUL first", "\0ab", 3, 32, false},
      {"NUL last", "ab\0", 3, 32, false},
      {"NUL alone", "\0", 1, 32, false},
      {"NUL behind the end", "ab\0", 2, 32, true},
      {"at the limit", "abcd", 4, 4, true},
      {"over the limit", "abcde", 5, 4, false},
      {"bytes count, not characters", "\xC3\xA9\xC3\xA9", 4, 3, false},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_text text = {cases[i].text, cases[i].size};
    check_int(cases[i].name, "can be carried",
              rtk_url_can_carry(text, cases[i].max), cases[i].expected);
  }
}

/* --- rtk_url_make() ------------------------------------------------------- */

CASE(a_template_is_filled_in) {
  static const struct {
    const char *name, *base, *template;
    const char *values;   /* v|w; NULL: none */
    const char *expected; /* with | where a value ends */
  } cases[] = {
      {"normal", "https://x/v4", "accounts/{account}/kit/{app}/sessions/{id}",
       "A|B|C", "https://x/v4/accounts/A|/kit/B|/sessions/C|"},
      {"no placeholder", "https://x", "a/b", NULL, "https://x/a/b"},
      {"empty template", "https://x", "", NULL, "https://x/"},
      {"empty base", "", "a", NULL, "/a"},
      {"base of slashes", "///", "a", NULL, "/a"},
      {"slash behind the base", "https://x/", "a", NULL, "https://x/a"},
      {"much behind the base", "https://x/ /\t//\r\n", "a", NULL,
       "https://x/a"},
      {"empty value", "h", "a/{b}/c", "", "h/a/|/c"},
      {"text after the last one", "h", "a/{b}/c", "v", "h/a/v|/c"},
      {"two side by side", "h", "{a}{b}", "v|w", "h/v|w|"},
      {"the name does not matter", "h", "{}", "v", "h/v|"},
      {"more placeholders than values", "h", "{a}/{b}", "v", "h/v|/"},
      {"braces in a value", "h", "{a}/{b}", "{b}|w", "h/%7Bb%7D|/w|"},
      {"slash", "h", "{a}", "a/b", "h/a%2Fb|"},
      {"dots", "h", "{a}", "../x", "h/..%2Fx|"},
      {"query and fragment", "h", "{a}", "a?b#c&d=e", "h/a%3Fb%23c%26d%3De|"},
      {"percent", "h", "{a}", "%2F", "h/%252F|"},
      {"space and plus", "h", "{a}", "a b+c", "h/a%20b%2Bc|"},
      {"line break", "h", "{a}", "a\r\nHost: x", "h/a%0D%0AHost%3A%20x|"},
      {"UTF-8", "h", "{a}", "\xC3\xA9", "h/%C3%A9|"},
      {"the unreserved ones", "h", "{a}", "aZ09-._~", "h/aZ09-._~|"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_text values[3] = {{NULL, 0}};
    size_t ends[3] = {0};
    size_t count = 0;
    const char *at = cases[i].values;
    for (; at != NULL && count < 3; count++) {
      values[count] = (struct rtk_text){at, strcspn(at, "|")};
      at = strchr(at, '|');
      if (at != NULL) at++;
    }
    char *url =
        rtk_url_make(cases[i].base, cases[i].template, values, count, ends);
    sqlite3_str *marked = sqlite3_str_new(NULL);
    size_t from = 0;
    for (size_t k = 0; k < 3 && ends[k] > 0; k++) {
      sqlite3_str_appendf(marked, "%.*s|", (int)(ends[k] - from), url + from);
      from = ends[k];
    }
    sqlite3_str_appendall(marked, url + from);
    char *got = sqlite3_str_finish(marked);
    check_text(cases[i].name, "URL", got, cases[i].expected);
    sqlite3_free(got);
    sqlite3_free(url);
  }
}

CASE(every_byte_is_encoded_as_rfc_3986_says) {
  static const char unreserved[] = "abcdefghijklmnopqrstuvwxyz"
                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789-._~";
  for (int byte = 0; byte < 256; byte++) {
    char c = (char)byte;
    char expected[8];
    size_t end = 0;
    char *url = rtk_url_make("", "{x}", &(struct rtk_text){&c, 1}, 1, &end);
    bool is_plain = byte != 0 && strchr(unreserved, c) != NULL;
    sqlite3_snprintf(sizeof(expected), expected, is_plain ? "/%c" : "/%%%02X",
                     byte);
    check_text(expected, "URL", url, expected);
    check_int(expected, "end", (int64_t)end, (int64_t)strlen(expected));
    sqlite3_free(url);
  }
}

CASE(the_longest_values_fit) {
  static char long_value[3000];
  struct rtk_text values[3];
  size_t ends[3] = {0};
  memset(long_value, '/', sizeof(long_value));
  for (int i = 0; i < 3; i++) {
    values[i] = (struct rtk_text){long_value, sizeof(long_value)};
  }
  char *url = rtk_url_make("h", "{a}{b}{c}", values, 3, ends);
  check_int("3 × 3000", "size", (int64_t)strlen(url), 2 + 9 * 3000);
  check_int("3 × 3000", "last end", (int64_t)ends[2], 2 + 9 * 3000);
  sqlite3_free(url);
}

/* --- rtk_url_add() -------------------------------------------------------- */

CASE(a_query_grows) {
  static const struct {
    const char *name, *url, *key, *value, *expected;
  } cases[] = {
      {"first", "h/a", "b", "c", "h/a?b=c"},
      {"second", "h/a?b=c", "d", "e", "h/a?b=c&d=e"},
      {"empty value", "h/a", "b", "", "h/a?b="},
      {"what has a meaning in a query", "h", "a", "&=?#+ %",
       "h?a=%26%3D%3F"
       "%23%2B%20%25"},
      {"UTF-8", "h", "a", "\xC3\xA9", "h?a=%C3%A9"},
      {"a question mark in a value before", "h/%3F", "a", "b", "h/%3F?a=b"},
      {"no URL", NULL, "a", "b", NULL},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char *url =
        cases[i].url == NULL ? NULL : sqlite3_mprintf("%s", cases[i].url);
    url = rtk_url_add(url, cases[i].key, text_of(cases[i].value));
    check_text(cases[i].name, "URL", url, cases[i].expected);
    sqlite3_free(url);
  }
}

/* --- memory ------------------------------------------------------------------ */

static int make_one(void *arg) {
  size_t end = 0;
  char *url = rtk_url_make("https://x", "a/{b}", arg, 1, &end);
  for (int i = 0; i < 20; i++) {
    url = rtk_url_add(url, "parameter", *(struct rtk_text *)arg);
  }
  int rc = url == NULL ? SQLITE_NOMEM : SQLITE_OK;
  sqlite3_free(url);
  return rc;
}

CASE(no_memory_gives_no_url) {
  struct rtk_text value = {"v", 1};
  check_nomem("make", make_one, &value, false);
}

int main(void) { return check_run(); }
