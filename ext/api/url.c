/*
** Where a request goes.  Knows nothing of endpoints or of HTTP.
*/
#include "api/url.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

bool rtk_url_can_carry(struct rtk_text text, size_t max) {
  if (text.size == 0 || text.size > max) return false;
  if (memchr(text.bytes, '\0', text.size) != NULL) return false;
  if (text.size == 1 && text.bytes[0] == '.') return false;
  return !(text.size == 2 && text.bytes[0] == '.' && text.bytes[1] == '.');
}

/* By value, not by isalnum(), which depends on the host's locale. */
static bool is_unreserved(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

static char *put_segment(char *out, struct rtk_text text) {
  static const char hex[] = "0123456789ABCDEF";
  for (size_t i = 0; i < text.size; i++) {
    unsigned char c = (unsigned char)text.bytes[i];
    if (is_unreserved(c)) {
      *out++ = (char)c;
      continue;
    }
    *out++ = '%';
    *out++ = hex[c >> 4];
    *out++ = hex[c & 15];
  }
  return out;
}

char *rtk_url_make(const char *base, const char *template,
                   const struct rtk_text *values, size_t count, size_t *ends) {
  size_t base_size = strlen(base);
  while (base_size > 0 && strchr("/ \t\r\n", base[base_size - 1]) != NULL) {
    base_size--;
  }
  size_t room = base_size + 1 + strlen(template) + 1;
  for (size_t i = 0; i < count; i++) room += 3 * values[i].size;
  char *url = sqlite3_malloc64(room);
  if (url == NULL) return NULL;

  memcpy(url, base, base_size);
  char *out = url + base_size;
  *out++ = '/';
  size_t used = 0;
  for (const char *in = template; *in != '\0'; in++) {
    if (*in != '{') {
      *out++ = *in;
      continue;
    }
    if (used < count) {
      out = put_segment(out, values[used]);
      ends[used++] = (size_t)(out - url);
    }
    in = strchr(in, '}');
  }
  *out = '\0';
  return url;
}

char *rtk_url_add(char *url, const char *name, struct rtk_text value) {
  if (url == NULL) return NULL;
  size_t size = strlen(url);
  size_t name_size = strlen(name);
  char *longer = sqlite3_realloc64(url, size + name_size + 3 * value.size + 3);
  if (longer == NULL) {
    sqlite3_free(url);
    return NULL;
  }
  char *out = longer + size;
  *out++ = strchr(longer, '?') == NULL ? '?' : '&';
  memcpy(out, name, name_size);
  out += name_size;
  *out++ = '=';
  out = put_segment(out, value);
  *out = '\0';
  return longer;
}
