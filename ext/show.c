/* Text from elsewhere made fit to stand in a message. */
#include "show.h"

#include <stdbool.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Bytes of the UTF-8 character that begins here, 0 when it is none.  Enough
** to keep a terminal and a JSON encoder happy: overlong forms pass. */
static size_t utf8_size(const unsigned char *c, size_t left) {
  size_t size = *c < 0x80                 ? 1
                : *c >= 0xC2 && *c < 0xE0 ? 2
                : *c >= 0xE0 && *c < 0xF0 ? 3
                : *c >= 0xF0 && *c < 0xF5 ? 4
                                          : 0;
  if (size > left) return 0;
  for (size_t i = 1; i < size; i++) {
    if ((c[i] & 0xC0) != 0x80) return 0;
  }
  return size;
}

static bool begins_with(const char *text, size_t size, const char *token) {
  size_t token_size = token == NULL ? 0 : strlen(token);
  return token_size > 0 && token_size <= size &&
         memcmp(text, token, token_size) == 0;
}

void rtk_show(struct sqlite3_str *out, const char *text, size_t size,
              size_t max, const char *token) {
  size_t i = 0;
  while (i < size) {
    const unsigned char *c = (const unsigned char *)text + i;
    size_t step = utf8_size(c, size - i);
    if (begins_with(text + i, size - i, token)) {
      sqlite3_str_appendall(out, "***");
      i += strlen(token);
      continue;
    }
    if (i + (step == 0 ? 1 : step) > max) {
      sqlite3_str_appendall(out, "…");
      return;
    }
    if (step == 0) {
      sqlite3_str_appendchar(out, 1, '?');
      step = 1;
    } else if (step == 1 && (*c < 0x20 || *c == 0x7F)) {
      sqlite3_str_appendchar(out, 1, ' ');
    } else {
      sqlite3_str_append(out, (const char *)c, (int)step);
    }
    i += step;
  }
}
