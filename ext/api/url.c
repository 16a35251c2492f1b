/* A call of an endpoint, and its URL. */
#include "api/url.h"

#include "base/array.h"
#include "base/limits.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

bool rtk_url_can_carry(struct rtk_text text, size_t max) {
  if (text.size == 0 || text.size > max) return false;
  if (memchr(text.bytes, '\0', text.size) != NULL) return false;
  if (text.size == 1 && text.bytes[0] == '.') return false;
  return !(text.size == 2 && text.bytes[0] == '.' && text.bytes[1] == '.');
}

void rtk_call_init(struct rtk_call *call,
                   const struct rtk_signature *signature) {
  *call =
      (struct rtk_call){.signature = signature,
                        .page = signature->endpoint->paging[0] == NULL ? 0 : 1};
}

void rtk_call_deinit(struct rtk_call *call) {
  sqlite3_free(call->url);
  sqlite3_free(call->tail);
  call->url = call->tail = NULL;
  call->url_room = call->tail_room = 0;
  call->is_made = false;
}

void rtk_call_set(struct rtk_call *call, int argument, struct rtk_text text) {
  struct rtk_text old = call->arguments[argument];
  call->arguments[argument] = text;
  if (old.bytes == NULL && text.bytes == NULL) return;
  if (argument != call->signature->id) call->is_made = false;
}

struct rtk_text rtk_call_id(const struct rtk_call *call) {
  int id = call->signature->id;
  return id < 0 ? (struct rtk_text){NULL, 0} : call->arguments[id];
}

/* Not isalnum(), which follows the host's locale. */
static bool is_unreserved(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

/* All put_…() write at `out`, where there is room, and return the end. */
static char *put(char *out, const char *bytes, size_t size) {
  memcpy(out, bytes, size);
  return out + size;
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

/* Writes the head after `size` bytes: the path from `in` on, whose next
** argument is `k`, up to the id or to its end.  Returns the rest of the
** path. */
static const char *make_head(struct rtk_call *call, size_t size, const char *in,
                             int k) {
  const struct rtk_signature *signature = call->signature;
  char *out = call->url + size;
  for (; *in != '\0'; in++) {
    if (*in != '{') {
      *out++ = *in;
      continue;
    }
    in = strchr(in, '}');
    if (k == signature->id) {
      in++;
      break;
    }
    out = put_segment(out, call->arguments[k]);
    if (k++ == signature->scope) call->scope_size = (size_t)(out - call->url);
  }
  call->head_size = (size_t)(out - call->url);
  return in;
}

/* The rest of the path, the filters, and the page without its number. */
static char *put_tail(const struct rtk_call *call, const char *rest) {
  const struct rtk_signature *signature = call->signature;
  static const char page[] = "per_page=" RTK_TEXT_OF(RTK_PER_PAGE) "&page_no=";
  char *out = put(call->tail, rest, strlen(rest));
  char separator = '?';
  for (int k = signature->path_count; k < signature->count; k++) {
    const struct rtk_column *column = rtk_endpoint_argument(signature, k);
    const char *name = rtk_endpoint_field(column);
    if (call->arguments[k].bytes == NULL) continue;
    *out++ = separator;
    out = put(out, name, strlen(name));
    *out++ = '=';
    /* The commas of a list are not encoded, and nothing in it has to be. */
    struct rtk_text text = call->arguments[k];
    out = column->is_comma_list ? put(out, text.bytes, text.size)
                                : put_segment(out, text);
    separator = '&';
  }
  if (call->page == 0) return out;
  *out++ = separator;
  return put(out, page, sizeof(page) - 1);
}

/* Bytes that are enough for head or tail after `before` other bytes. */
static size_t room_for(const struct rtk_call *call, size_t before) {
  const struct rtk_signature *signature = call->signature;
  size_t room = before + strlen(signature->endpoint->path) + 64;
  for (int k = 0; k < signature->count; k++) {
    room += 3 * call->arguments[k].size + 2 +
            strlen(rtk_endpoint_field(rtk_endpoint_argument(signature, k)));
  }
  return room;
}

/* Makes head and tail: `size` bytes, then the path; `k` is its next
** argument. */
static bool make(struct rtk_call *call, const char *before, size_t size,
                 const char *path, int k) {
  size_t room = room_for(call, size);
  char *url = rtk_array_grow(call->url, &call->url_room, room, 1);
  if (url == NULL) return false;
  call->url = url;
  char *tail = rtk_array_grow(call->tail, &call->tail_room, room, 1);
  if (tail == NULL) return false;
  call->tail = tail;
  memcpy(url, before, size);
  if (k == 0) url[size++] = '/'; /* between the base and the path */
  const char *rest = make_head(call, size, path, k);
  call->tail_size = (size_t)(put_tail(call, rest) - tail);
  call->is_made = true;
  return true;
}

bool rtk_call_take_scope(struct rtk_call *call, const char *url,
                         size_t scope_size) {
  const char *rest = call->signature->endpoint->path;
  int scope = call->signature->scope;
  for (int k = 0; k <= scope; k++) rest = strchr(rest, '}') + 1;
  call->scope_size = scope_size;
  return make(call, url, scope_size, rest, scope + 1);
}

/* Makes head and tail, unless they are there. */
static bool make_from_base(struct rtk_call *call, const char *base) {
  size_t size = strlen(base);
  while (size > 0 && strchr("/ \t\r\n", base[size - 1]) != NULL) size--;
  if (call->is_made && call->base_size == size &&
      memcmp(call->url, base, size) == 0) {
    return true;
  }
  call->scope_size = 0;
  call->base_size = size;
  return make(call, base, size, call->signature->endpoint->path, 0);
}

const char *rtk_call_url(struct rtk_call *call, const char *base) {
  if (base != NULL && !make_from_base(call, base)) return NULL;
  struct rtk_text id = rtk_call_id(call);
  size_t room = call->head_size + 3 * id.size + call->tail_size + 16;
  char *url = rtk_array_grow(call->url, &call->url_room, room, 1);
  if (url == NULL) return NULL;
  call->url = url;
  char *out = put_segment(url + call->head_size, id);
  out = put(out, call->tail, call->tail_size);
  *out = '\0';
  if (call->page > 0) sqlite3_snprintf(16, out, "%d", call->page);
  return url;
}
