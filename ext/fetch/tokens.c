/* Splits a text of SQL where SQLite's tokenizer splits it. */
#include "fetch/tokens.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         (unsigned char)c >= 0x80;
}

const char *rtk_tokens_skip_blank(const char *c) {
  for (;;) {
    while (*c == ' ' || (*c >= '\t' && *c <= '\r')) c++;
    if (c[0] == '-' && c[1] == '-') {
      c += strcspn(c, "\n");
    } else if (c[0] == '/' && c[1] == '*') {
      const char *end = strstr(c + 2, "*/");
      c = end == NULL ? c + strlen(c) : end + 2;
    } else {
      return c;
    }
  }
}

/* Behind `name`, `name::of` or `name(suffix)`, the last two as in Tcl. */
static const char *skip_name(const char *c) {
  const char *name = c;
  while (is_word_byte(*c) || (c[0] == ':' && c[1] == ':')) {
    c += *c == ':' ? 2 : 1;
  }
  if (*c != '(' || c == name) return c;
  const char *end = c + strcspn(c, ") \t\n\v\f\r");
  return *end == ')' ? end + 1 : c;
}

const char *rtk_tokens_skip(const char *c) {
  if (strchr("'\"`[", *c) != NULL) {
    const char close[] = {*c == '[' ? ']' : *c, '\0'};
    c += 1 + strcspn(c + 1, close);
    return *c == '\0' ? c : c + 1;
  }
  if (*c == '?') return c + 1 + strspn(c + 1, "0123456789");
  if (strchr(":@$", *c) != NULL) return skip_name(c + 1);
  if (!is_word_byte(*c)) return c + 1;
  while (is_word_byte(*c)) c++;
  return c;
}
