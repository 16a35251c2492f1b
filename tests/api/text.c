/*
** A growing text, and the small transformations of it that a web server
** needs: JSON strings, percent-escapes, gzip.
*/
#include "api.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void out_of_memory(void) {
  fputs("api: out of memory\n", stderr);
  abort();
}

void *must_alloc(size_t size) {
  void *memory = calloc(1, size);
  if (memory == NULL) out_of_memory();
  return memory;
}

char *must_copy(const char *data, size_t len) {
  char *copy = must_alloc(len + 1);
  memcpy(copy, data, len);
  return copy;
}

static void reserve(struct text *text, size_t more) {
  size_t size = text->size == 0 ? 512 : text->size;
  char *data;
  if (text->len + more < text->size) return;
  while (size <= text->len + more) size *= 2;
  data = realloc(text->data, size);
  if (data == NULL) out_of_memory();
  text->data = data;
  text->size = size;
}

void text_put(struct text *text, const char *data, size_t len) {
  reserve(text, len);
  memcpy(text->data + text->len, data, len);
  text->len += len;
  text->data[text->len] = 0;
}

void text_puts(struct text *text, const char *string) {
  text_put(text, string, strlen(string));
}

void text_fill(struct text *text, char c, size_t count) {
  reserve(text, count);
  memset(text->data + text->len, c, count);
  text->len += count;
  text->data[text->len] = 0;
}

void text_add(struct text *text, const char *format, ...) {
  va_list args;
  int len;
  reserve(text, 512);
  va_start(args, format);
  len = vsnprintf(text->data + text->len, text->size - text->len, format, args);
  va_end(args);
  if (len < 0) return;
  if ((size_t)len >= text->size - text->len) {
    reserve(text, (size_t)len);
    va_start(args, format);
    vsnprintf(text->data + text->len, text->size - text->len, format, args);
    va_end(args);
  }
  text->len += (size_t)len;
}

void text_json(struct text *text, const char *data, size_t len) {
  size_t i;
  text_puts(text, "\"");
  for (i = 0; i < len; i++) {
    char c = data[i];
    if (c == '"' || c == '\\') {
      char escape[2] = {'\\', c};
      text_put(text, escape, 2);
    } else if ((unsigned char)c < 0x20) {
      text_add(text, "\\u%04x", (unsigned)(unsigned char)c);
    } else {
      text_put(text, &c, 1);
    }
  }
  text_puts(text, "\"");
}

void text_gzip(struct text *text) {
  enum { GZIP_WINDOW_BITS = 15 + 16, MEMORY_LEVEL = 8 };
  z_stream stream;
  struct text out = {0};
  memset(&stream, 0, sizeof stream);
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS,
                   MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
    out_of_memory();
  }
  reserve(&out, deflateBound(&stream, (uLong)text->len) + 64);
  stream.next_in = (Bytef *)text->data;
  stream.avail_in = (uInt)text->len;
  stream.next_out = (Bytef *)out.data;
  stream.avail_out = (uInt)out.size;
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) out_of_memory();
  out.len = stream.total_out;
  deflateEnd(&stream);
  text_free(text);
  *text = out;
}

void text_free(struct text *text) {
  free(text->data);
  memset(text, 0, sizeof *text);
}

static int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

size_t percent_decode(char *to, const char *from, size_t len) {
  size_t i, used = 0;
  for (i = 0; i < len; i++) {
    if (from[i] == '%' && len - i > 2 && hex_value(from[i + 1]) >= 0 &&
        hex_value(from[i + 2]) >= 0) {
      to[used++] = (char)(hex_value(from[i + 1]) * 16 + hex_value(from[i + 2]));
      i += 2;
    } else {
      to[used++] = from[i];
    }
  }
  return used;
}

bool piece_is(struct piece piece, const char *string) {
  size_t len = strlen(string);
  return piece.len == len && memcmp(piece.data, string, len) == 0;
}

bool piece_begins(struct piece piece, const char *prefix) {
  size_t len = strlen(prefix);
  return piece.len >= len && memcmp(piece.data, prefix, len) == 0;
}

bool parse_count(const char *string, long max, long *value) {
  char *end;
  long number;
  if (*string < '0' || *string > '9') return false;
  errno = 0;
  number = strtol(string, &end, 10);
  if (errno != 0 || *end != 0 || number > max) return false;
  *value = number;
  return true;
}

char *read_whole(const char *path) {
  struct text text = {0};
  char part[65536];
  size_t len;
  FILE *file = fopen(path, "re");
  if (file == NULL) {
    perror(path);
    return NULL;
  }
  while ((len = fread(part, 1, sizeof part, file)) > 0) {
    text_put(&text, part, len);
  }
  fclose(file);
  return text.data;
}
