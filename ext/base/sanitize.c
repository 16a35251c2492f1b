/* Text from a server or a user made safe for a message. */
#include "base/sanitize.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Bytes of the UTF-8 character that begins here; 0: it is not well-formed
** (Unicode, table 3-7). */
static size_t utf8_size(const unsigned char *c, size_t left) {
  size_t size = c[0] < 0x80   ? 1
                : c[0] < 0xC2 ? 0
                : c[0] < 0xE0 ? 2
                : c[0] < 0xF0 ? 3
                : c[0] < 0xF5 ? 4
                              : 0;
  if (size > left) return 0;
  for (size_t i = 1; i < size; i++) {
    if (c[i] < 0x80 || c[i] > 0xBF) return 0;
  }
  bool is_too_long =
      (c[0] == 0xE0 && c[1] < 0xA0) || (c[0] == 0xF0 && c[1] < 0x90);
  bool is_no_character =
      (c[0] == 0xED && c[1] > 0x9F) || (c[0] == 0xF4 && c[1] > 0x8F);
  return is_too_long || is_no_character ? 0 : size;
}

/* U+0000 to U+001F, U+007F to U+009F: a terminal obeys some of them. */
static bool is_control(const unsigned char *c, size_t size) {
  if (size == 2) return c[0] == 0xC2 && c[1] < 0xA0;
  return size == 1 && (c[0] < 0x20 || c[0] == 0x7F);
}

/* Bytes of the token at `at`; 0: none.  At the end of the text its first part
** counts, because the text may have been cut.  A word like "account" may be the
** beginning of a token by chance: then more bytes have to match. */
static size_t token_bytes(const char *text, size_t size, size_t at,
                          const char *token) {
  size_t token_size = token == NULL ? 0 : strlen(token);
  size_t left = size - at;
  size_t shared = token_size < left ? token_size : left;
  bool is_word = at == 0 || text[at - 1] == ' ';
  size_t least =
      is_word ? RTK_HIDDEN_TOKEN_WORD_MIN : RTK_HIDDEN_TOKEN_PART_MIN;
  if (shared == 0 || memcmp(text + at, token, shared) != 0) return 0;
  return shared == token_size || shared >= least ? shared : 0;
}

void rtk_sanitize(struct sqlite3_str *out, const char *text, size_t size,
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

void rtk_time_text(char *text, int64_t unix_ms) {
  time_t seconds = (time_t)((unix_ms + 999) / 1000);
  struct tm utc;
  text[0] = '\0';
  if (gmtime_r(&seconds, &utc) != NULL) {
    (void)strftime(text, RTK_TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc);
  }
}
