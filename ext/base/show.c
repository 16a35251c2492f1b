/* Text from elsewhere made fit to stand in a message. */
#include "base/show.h"

#include "base/limits.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Bytes of the UTF-8 character that begins here, 0 when it is none: the
** well-formed sequences of Unicode's table 3-7. */
static size_t utf8_size(const unsigned char *c, size_t left) {
  static const struct {
    unsigned char first_from, first_to, second_from, second_to;
    size_t size;
  } forms[] = {
      {0x00, 0x7F, 0x00, 0xFF, 1}, {0xC2, 0xDF, 0x80, 0xBF, 2},
      {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
      {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
      {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4},
      {0xF4, 0xF4, 0x80, 0x8F, 4},
  };
  size_t form = 0;
  size_t count = sizeof(forms) / sizeof(*forms);
  while (form < count && c[0] > forms[form].first_to) form++;
  if (form == count || c[0] < forms[form].first_from) return 0;
  size_t size = forms[form].size;
  if (size > left) return 0;
  if (size > 1 &&
      (c[1] < forms[form].second_from || c[1] > forms[form].second_to)) {
    return 0;
  }
  for (size_t i = 2; i < size; i++) {
    if (c[i] < 0x80 || c[i] > 0xBF) return 0;
  }
  return size;
}

/* U+0000 to U+001F, U+007F to U+009F: some make a terminal act. */
static bool is_control(const unsigned char *c, size_t size) {
  if (size == 2) return c[0] == 0xC2 && c[1] < 0xA0;
  return size == 1 && (c[0] < 0x20 || c[0] == 0x7F);
}

/* Bytes of the token at `at`: all of it; or, where the text ends, its first part, as
** the text may have been cut before it came here.  A word of its own, "account", may
** be the beginning of a token by chance: then there have to be more.  0: none. */
static size_t token_bytes(const char *text, size_t size, size_t at,
                          const char *token) {
  size_t token_size = token == NULL ? 0 : strlen(token);
  size_t left = size - at;
  size_t shared = token_size < left ? token_size : left;
  bool is_word = at == 0 || text[at - 1] == ' ';
  size_t least = is_word ? RTK_SHOW_TOKEN_WORD_MIN : RTK_SHOW_TOKEN_PART_MIN;
  if (shared == 0 || memcmp(text + at, token, shared) != 0) return 0;
  return shared == token_size || shared >= least ? shared : 0;
}

void rtk_show(struct sqlite3_str *out, const char *text, size_t size,
              size_t max, const char *token) {
  size_t i = 0;
  while (i < size) {
    const unsigned char *c = (const unsigned char *)text + i;
    size_t step = utf8_size(c, size - i);
    size_t secret = i < max ? token_bytes(text, size, i, token) : 0;
    if (secret > 0) {
      sqlite3_str_appendall(out, "***");
      i += secret;
      continue;
    }
    if (i + (step == 0 ? 1 : step) > max) {
      sqlite3_str_appendall(out, "…");
      return;
    }
    if (step == 0) {
      sqlite3_str_appendchar(out, 1, '?');
      step = 1;
    } else if (is_control(c, step)) {
      sqlite3_str_appendchar(out, 1, ' ');
    } else {
      sqlite3_str_append(out, (const char *)c, (int)step);
    }
    i += step;
  }
}

void rtk_show_time(char *text, int64_t unix_ms) {
  time_t seconds = (time_t)((unix_ms + 999) / 1000);
  struct tm utc;
  text[0] = '\0';
  if (gmtime_r(&seconds, &utc) != NULL) {
    (void)strftime(text, RTK_SHOW_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc);
  }
}
