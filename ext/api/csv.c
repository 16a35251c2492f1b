/* Comma-separated values as JSON. */
#include "api/csv.h"

#include "api/endpoint.h"

#include <stddef.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

struct csv {
  sqlite3_str *out;
  const char *at, *end;
  struct rtk_text names[RTK_COLUMNS_MAX]; /* of each column of the text; without
                                             bytes it is left out */
  int count;
};

/* --- names ---------------------------------------------------------------- */

/* A letter in lower case, or a digit; 0: neither. */
static char plain(char c) {
  if (c >= 'A' && c <= 'Z') return (char)(c - 'A' + 'a');
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '\0';
}

/* The next letter or digit, and moves on; 0 at the end. */
static char next_plain(struct rtk_text *text) {
  while (text->size > 0) {
    text->size--;
    char c = plain(*text->bytes++);
    if (c != '\0') return c;
  }
  return '\0';
}

static bool is_same_name(struct rtk_text a, struct rtk_text b) {
  char c = '\0';
  do {
    c = next_plain(&a);
    if (c != next_plain(&b)) return false;
  } while (c != '\0');
  return true;
}

static void take_names(struct csv *csv, const char *names) {
  for (; *names != '\0' && csv->count < RTK_COLUMNS_MAX; names++) {
    size_t size = strcspn(names, " ");
    csv->names[csv->count++] = (struct rtk_text){names, size};
    names += size;
  }
}

static struct rtk_text find_name(const struct csv *csv, struct rtk_text name) {
  for (int i = 0; i < csv->count; i++) {
    if (is_same_name(csv->names[i], name)) return csv->names[i];
  }
  return (struct rtk_text){NULL, 0};
}

/* --- fields --------------------------------------------------------------- */

static bool is_line_end(const struct csv *csv) {
  return csv->at == csv->end || *csv->at == '\r' || *csv->at == '\n';
}

/* The next field as it stands, quotes included, and moves on behind it.  Within
** quotes, where a quote is written twice, it goes on over commas and line
** ends.  False: they do not end. */
static bool read_field(struct csv *csv, struct rtk_text *field) {
  const char *begin = csv->at;
  bool is_quoted = csv->at < csv->end && *csv->at == '"';
  bool is_inside = false;
  while (csv->at < csv->end &&
         (is_inside || (*csv->at != ',' && !is_line_end(csv)))) {
    if (is_quoted && *csv->at == '"') is_inside = !is_inside;
    csv->at++;
  }
  *field = (struct rtk_text){begin, (size_t)(csv->at - begin)};
  return !is_inside;
}

/* Is there another field in the line?  Passes over the comma. */
static bool has_next(struct csv *csv) {
  if (is_line_end(csv)) return false;
  csv->at++;
  return true;
}

/* Is the first line one of names?  More than half of its fields have to be
** known.  Then the columns are as it says. */
static void read_names(struct csv *csv) {
  struct csv found = *csv;
  struct rtk_text name;
  int known = 0;
  found.count = 0;
  do {
    if (found.count == RTK_COLUMNS_MAX || !read_field(&found, &name)) return;
    found.names[found.count] = find_name(csv, name);
    known += found.names[found.count++].size > 0;
  } while (has_next(&found));
  if (2 * known > found.count) *csv = found;
}

/* --- rows ----------------------------------------------------------------- */

static void put_char(sqlite3_str *out, char c) {
  if ((unsigned char)c < ' ') {
    sqlite3_str_appendf(out, "\\u%04x", c);
    return;
  }
  if (c == '"' || c == '\\') sqlite3_str_appendchar(out, 1, '\\');
  sqlite3_str_appendchar(out, 1, c);
}

void rtk_csv_put_escaped(sqlite3_str *out, struct rtk_text text) {
  for (size_t i = 0; i < text.size; i++) put_char(out, text.bytes[i]);
}

/* `,"name":"value"` */
static void put_field(sqlite3_str *out, struct rtk_text name,
                      struct rtk_text field) {
  bool is_quoted = field.size > 0 && *field.bytes == '"';
  if (field.size == 0 || name.size == 0) return;
  sqlite3_str_appendf(out, ",\"%.*s\":\"", (int)name.size, name.bytes);
  for (size_t i = is_quoted; i < field.size; i++) {
    /* Of two quotes the second; a single one is the end of the quoted part. */
    if (is_quoted && field.bytes[i] == '"' &&
        (++i == field.size || field.bytes[i] != '"')) {
      i--;
      continue;
    }
    put_char(out, field.bytes[i]);
  }
  sqlite3_str_appendchar(out, 1, '"');
}

static bool put_line(struct csv *csv, int line) {
  struct rtk_text field;
  sqlite3_str_appendf(csv->out, "%s{\"line\":%d", line > 1 ? "," : "", line);
  int i = 0;
  do {
    if (!read_field(csv, &field)) return false;
    if (i < csv->count) put_field(csv->out, csv->names[i++], field);
  } while (has_next(csv));
  sqlite3_str_appendchar(csv->out, 1, '}');
  return true;
}

bool rtk_csv_put_json(sqlite3_str *out, const char *names,
                      struct rtk_text text) {
  struct csv csv = {
      .out = out, .at = text.bytes, .end = text.bytes + text.size};
  int line = 0;
  take_names(&csv, names);
  read_names(&csv);
  sqlite3_str_appendchar(out, 1, '[');
  while (csv.at < csv.end) {
    if (is_line_end(&csv)) {
      csv.at++;
    } else if (++line > RTK_LINES_MAX || !put_line(&csv, line)) {
      return false;
    }
  }
  sqlite3_str_appendchar(out, 1, ']');
  return true;
}
