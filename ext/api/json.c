/*
** JSON text into values.  The only module that sees cJSON.
**
** cJSON's allocation hooks and its error pointer are process-wide: neither is
** set nor read here.  cJSON does not tell "no memory" from "not JSON", but
** malloc() does, through errno.
*/
#include "api/json.h"

#include "base/number.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include <cjson/cJSON.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Bytes of one name in the path to a reply's rows. */
#define RTK_JSON_NAME_MAX 64

/* 2^53: below it every integer is a double of its own.  The bound itself may
** have been 2^53 + 1, so it stays a double. */
#define EXACT_END 9007199254740992.0

static const cJSON *item_of(const struct rtk_json *node) {
  return (const cJSON *)(const void *)node;
}

static const struct rtk_json *node_of(const cJSON *item) {
  return (const struct rtk_json *)(const void *)item;
}

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Is there a NUL in some string, escaped or not?  cJSON would cut the string
** there and not tell. */
static bool has_nul(const char *text, size_t size) {
  const char *end = text + size;
  if (memchr(text, '\0', size) != NULL) return true;
  while ((text = memchr(text, '\\', (size_t)(end - text))) != NULL) {
    if (end - text < 6) return false;
    if (memcmp(text, "\\u0000", 6) == 0) return true;
    text += 2; /* what is escaped, a backslash perhaps */
  }
  return false;
}

/* --- half surrogate pairs ------------------------------------------------- */

/* The code unit of an escape \uXXXX; -1: there is none. */
static int unit_at(const char *c, const char *end) {
  static const char hex[] = "0123456789ABCDEFabcdef";
  int unit = 0;
  if (end - c < 6 || c[0] != '\\' || c[1] != 'u') return -1;
  for (int i = 2; i < 6; i++) {
    const char *digit = memchr(hex, c[i], sizeof(hex) - 1);
    if (digit == NULL) return -1;
    unit = unit * 16 + (int)(digit - hex) - (digit - hex > 15 ? 6 : 0);
  }
  return unit;
}

static bool is_high(int unit) { return unit >= 0xD800 && unit <= 0xDBFF; }

static bool is_low(int unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

/* A copy of the same size with U+FFFD for each half pair, which cJSON refuses.
** *copy stays NULL where there is none.  SQLITE_OK or SQLITE_NOMEM. */
static int mend_surrogates(const char *text, size_t size, char **copy) {
  const char *end = text + size;
  const char *c = text;
  while ((c = memchr(c, '\\', (size_t)(end - c))) != NULL) {
    int unit = unit_at(c, end);
    if (is_high(unit) && is_low(unit_at(c + 6, end))) {
      c += 12;
    } else if (is_high(unit) || is_low(unit)) {
      if (*copy == NULL) {
        *copy = sqlite3_malloc64(size);
        if (*copy == NULL) return SQLITE_NOMEM;
        memcpy(*copy, text, size);
      }
      memcpy(*copy + (c - text), "\\uFFFD", 6);
      c += 6;
    } else {
      c += end - c < 2 ? 1 : 2;
    }
  }
  return SQLITE_OK;
}

/* --- where a value stands in the text ------------------------------------- */

/* What cJSON takes for white space: more than JSON does. */
static const char *skip_space(const char *c) {
  while ((unsigned char)*c <= ' ') c++;
  return c;
}

/* Behind the string that begins at `c`. */
static const char *skip_string(const char *c) {
  int escapes = 0;
  do {
    c = strchr(c + 1, '"');
    for (escapes = 0; c[-1 - escapes] == '\\'; escapes++) {
    }
  } while (escapes % 2 != 0);
  return c + 1;
}

/* Behind the number or word that begins at `c`. */
static const char *skip_word(const char *c) {
  while ((unsigned char)*c > ' ' && *c != ',' && *c != ']' && *c != '}') c++;
  return c;
}

/* Walks through the text and the document that cJSON has made of it: their
** elements have the same order.  Stores where each object, array and string
** begins and its size, in the fields that cJSON has for numbers; and where each
** number begins, in the field for integers, which nothing else reads.  Returns
** the end of the value at `c`.  The outermost value is an object or array: its
** bracket ends every walk. */
static const char *note_place(cJSON *item, const char *text, const char *c) {
  const char *begin = c = skip_space(c);
  if (*c == '"') {
    c = skip_string(c);
  } else if (*c == '{' || *c == '[') {
    bool is_object = *c++ == '{';
    for (cJSON *child = item->child; child != NULL; child = child->next) {
      c = skip_space(c);
      if (is_object) c = skip_space(skip_string(c)) + 1; /* the colon */
      c = skip_space(note_place(child, text, c));
      if (*c == ',') c++;
    }
    c = skip_space(c) + 1; /* the bracket */
  } else {
    if (cJSON_IsNumber(item)) item->valueint = (int)(c - text);
    return skip_word(c);
  }
  item->valuedouble = (double)(begin - text);
  item->valueint = (int)(c - begin);
  return c;
}

struct rtk_text rtk_json_raw(const struct rtk_json *node, const char *text) {
  const cJSON *item = item_of(node);
  return (struct rtk_text){text + (size_t)item->valuedouble,
                           (size_t)item->valueint};
}

/* The digits of a number as they stand in `text`. */
static struct rtk_text raw_number(const cJSON *item, const char *text) {
  const char *begin = text + item->valueint;
  return (struct rtk_text){begin, (size_t)(skip_word(begin) - begin)};
}

/* --- parsing -------------------------------------------------------------- */

size_t rtk_json_bom_size(const char *text, size_t size) {
  return size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

int rtk_json_parse(const char *text, size_t size, struct rtk_json **root) {
  const char *end = NULL;
  char *mended = NULL;
  if (has_nul(text, size)) return SQLITE_ERROR;
  int rc = mend_surrogates(text, size, &mended);
  if (rc != SQLITE_OK) return rc;
  const char *parsed = mended == NULL ? text : mended;
  errno = 0;
  cJSON *item = cJSON_ParseWithLengthOpts(parsed, size, &end, 0);
  if (item == NULL) rc = errno == ENOMEM ? SQLITE_NOMEM : SQLITE_ERROR;
  while (item != NULL && end < parsed + size && is_space(*end)) end++;
  if (item != NULL && end != parsed + size) rc = SQLITE_ERROR;
  if (rc == SQLITE_OK) {
    if (cJSON_IsObject(item) || cJSON_IsArray(item)) {
      (void)note_place(item, parsed, parsed + rtk_json_bom_size(parsed, size));
    }
    *root = (struct rtk_json *)(void *)item;
  } else {
    cJSON_Delete(item);
  }
  sqlite3_free(mended);
  return rc;
}

void rtk_json_free(struct rtk_json *root) {
  cJSON_Delete((cJSON *)(void *)root);
}

enum rtk_json_kind rtk_json_kind(const struct rtk_json *node) {
  const cJSON *item = item_of(node);
  if (cJSON_IsObject(item)) return RTK_JSON_OBJECT;
  if (cJSON_IsArray(item)) return RTK_JSON_ARRAY;
  if (cJSON_IsString(item)) return RTK_JSON_STRING;
  if (cJSON_IsNumber(item)) return RTK_JSON_NUMBER;
  if (cJSON_IsBool(item)) return RTK_JSON_BOOL;
  if (cJSON_IsNull(item)) return RTK_JSON_NULL;
  return RTK_JSON_NONE;
}

const struct rtk_json *rtk_json_member(const struct rtk_json *node,
                                       const char *name) {
  if (!cJSON_IsObject(item_of(node))) return NULL;
  return node_of(cJSON_GetObjectItemCaseSensitive(item_of(node), name));
}

const struct rtk_json *rtk_json_first(const struct rtk_json *node) {
  if (!cJSON_IsArray(item_of(node))) return NULL;
  return node_of(item_of(node)->child);
}

size_t rtk_json_row_count(const struct rtk_json *rows) {
  if (!cJSON_IsArray(item_of(rows))) return rows != NULL;
  return (size_t)cJSON_GetArraySize(item_of(rows));
}

const struct rtk_json *rtk_json_next_row(const struct rtk_json *rows,
                                         const struct rtk_json *row) {
  if (!cJSON_IsArray(item_of(rows))) return row == NULL ? rows : NULL;
  return row == NULL ? rtk_json_first(rows) : node_of(item_of(row)->next);
}

const struct rtk_json *rtk_json_at(const struct rtk_json *node,
                                   const char *path) {
  char name[RTK_JSON_NAME_MAX];
  while (node != NULL && *path != '\0') {
    size_t size = strcspn(path, ".");
    if (size >= sizeof(name)) return NULL;
    memcpy(name, path, size);
    name[size] = '\0';
    node = rtk_json_member(node, name);
    path += size + (path[size] == '.');
  }
  return node;
}

bool rtk_json_is_true(const struct rtk_json *node) {
  return cJSON_IsTrue(item_of(node)) != 0;
}

const char *rtk_json_string(const struct rtk_json *node) {
  return cJSON_IsString(item_of(node)) ? item_of(node)->valuestring : NULL;
}

/* NULL for what no double can hold: "Inf" is greater than any number, and JSON
** has no such thing. */
static struct rtk_value number_value(double number) {
  struct rtk_value value = {.type = RTK_REAL, .as.real = number};
  if (!isfinite(number)) {
    value.type = RTK_NULL;
  } else if (fabs(number) < EXACT_END && floor(number) == number) {
    value.type = RTK_INTEGER;
    value.as.integer = (int64_t)number;
  }
  return value;
}

static struct rtk_value text_value(struct rtk_text text) {
  return (struct rtk_value){
      .type = RTK_TEXT, .size = (uint32_t)text.size, .as.text = text.bytes};
}

/* Of text that ends in NUL. */
static struct rtk_value string_value(const char *string) {
  return text_value((struct rtk_text){string, strlen(string)});
}

/* A string, where it can be as it stands in `text`: a reply keeps that anyway.
** An escape is longer than what it stands for. */
static struct rtk_value placed_value(const cJSON *item, const char *text) {
  struct rtk_text raw = rtk_json_raw(node_of(item), text);
  struct rtk_value value = string_value(item->valuestring);
  if (value.size + 2 == raw.size) value.as.text = raw.bytes + 1;
  return value;
}

/* Exactly a number as JSON has it; cJSON takes 007 and 5. as well. */
static bool is_number(struct rtk_text text) {
  const char *c = text.bytes + (*text.bytes == '-');
  if (*c == '0' && rtk_is_digit(c[1])) return false;
  if (rtk_number_read(&c) < 0) return false;
  if (*c == '.' && (c++, rtk_number_read(&c) < 0)) return false;
  if (*c == 'e' || *c == 'E') {
    c++;
    if (*c == '+' || *c == '-') c++;
    if (rtk_number_read(&c) < 0) return false;
  }
  return c == text.bytes + text.size;
}

static struct rtk_text trim(const char *string) {
  struct rtk_text text = {string + strspn(string, " \t\r\n"), 0};
  text.size = strlen(text.bytes);
  while (text.size > 0 && is_space(text.bytes[text.size - 1])) text.size--;
  return text;
}

static bool is_word(struct rtk_text text, const char *word) {
  return text.size == strlen(word) &&
         sqlite3_strnicmp(text.bytes, word, (int)text.size) == 0;
}

/* A word in quotes as a number or bool; false: it is neither.  NaN and
** infinities are NULL: as text they would be greater than any number. */
static bool read_word(struct rtk_text text, enum rtk_json_form form,
                      struct rtk_value *value) {
  static const struct {
    const char *word;
    enum rtk_type type;
    int64_t integer;
    bool is_bool; /* only where the column is one */
  } words[] = {
      {"", RTK_NULL, 0, false},         {"NaN", RTK_NULL, 0, false},
      {"Infinity", RTK_NULL, 0, false}, {"-Infinity", RTK_NULL, 0, false},
      {"true", RTK_INTEGER, 1, true},   {"false", RTK_INTEGER, 0, true},
      {"yes", RTK_INTEGER, 1, true},    {"no", RTK_INTEGER, 0, true},
      {"on", RTK_INTEGER, 1, true},     {"off", RTK_INTEGER, 0, true},
  };
  for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
    if (words[i].is_bool && form != RTK_JSON_AS_BOOL) continue;
    if (!is_word(text, words[i].word)) continue;
    *value = (struct rtk_value){.type = words[i].type,
                                .as.integer = words[i].integer};
    return true;
  }
  return false;
}

/* "116" as 116.  Text that merely begins with a number stays text. */
static int value_in_string(const char *string, enum rtk_json_form form,
                           struct rtk_value *value) {
  struct rtk_text text = trim(string);
  struct rtk_json *root = NULL;
  *value = (struct rtk_value){.type = RTK_NULL};
  if (read_word(text, form, value)) return SQLITE_OK;
  if (!is_number(text)) {
    *value = string_value(string);
    return SQLITE_OK;
  }
  int rc = rtk_json_parse(text.bytes, text.size, &root);
  if (rc == SQLITE_OK) {
    *value = number_value(item_of(root)->valuedouble);
    rtk_json_free(root);
  }
  return rc == SQLITE_NOMEM ? SQLITE_NOMEM : SQLITE_OK;
}

int64_t rtk_json_int(const struct rtk_json *node, int64_t otherwise) {
  const cJSON *item = item_of(node);
  struct rtk_value value = {.type = RTK_NULL};
  if (cJSON_IsNumber(item)) {
    value = number_value(item->valuedouble);
  } else if (cJSON_IsString(item)) {
    (void)value_in_string(item->valuestring, RTK_JSON_AS_NUMBER, &value);
  }
  return value.type == RTK_INTEGER ? value.as.integer : otherwise;
}

static bool is_textual(enum rtk_json_form form) {
  return form == RTK_JSON_AS_TEXT || form == RTK_JSON_AS_TIME ||
         form == RTK_JSON_AS_JSON;
}

static struct rtk_value bool_value(bool is_true, enum rtk_json_form form) {
  if (is_textual(form)) return string_value(is_true ? "true" : "false");
  return (struct rtk_value){.type = RTK_INTEGER, .as.integer = is_true};
}

int rtk_json_value(const struct rtk_json *node, const char *text,
                   enum rtk_json_form form, struct rtk_value *value) {
  const cJSON *item = item_of(node);
  *value = (struct rtk_value){.type = RTK_NULL};
  switch (rtk_json_kind(node)) {
  case RTK_JSON_NONE:
  case RTK_JSON_NULL:
    break;
  case RTK_JSON_BOOL:
    *value = bool_value(cJSON_IsTrue(item), form);
    break;
  case RTK_JSON_NUMBER:
    *value = is_textual(form) ? text_value(raw_number(item, text))
                              : number_value(item->valuedouble);
    break;
  case RTK_JSON_STRING:
    if (form == RTK_JSON_AS_JSON) {
      *value = text_value(rtk_json_raw(node, text));
      break;
    }
    if (form == RTK_JSON_AS_TIME && strcmp(item->valuestring, "null") == 0) {
      break;
    }
    if (!is_textual(form)) {
      return value_in_string(item->valuestring, form, value);
    }
    *value = placed_value(item, text);
    break;
  case RTK_JSON_ARRAY:
  case RTK_JSON_OBJECT:
    *value = text_value(rtk_json_raw(node, text));
    break;
  }
  return SQLITE_OK;
}

struct rtk_json_column rtk_json_column(const char *path,
                                       enum rtk_json_form form) {
  bool is_member = *path != '\0' && strchr(path, '.') == NULL;
  return (struct rtk_json_column){path, form, is_member};
}

int rtk_json_read(const struct rtk_json *rows, const char *text,
                  const struct rtk_json_column *columns, int count,
                  struct rtk_value *values) {
  const struct rtk_json *row = NULL;
  while ((row = rtk_json_next_row(rows, row)) != NULL) {
    for (int i = 0; i < count; i++) {
      const struct rtk_json_column *column = &columns[i];
      const struct rtk_json *node = column->is_member
                                        ? rtk_json_member(row, column->path)
                                        : rtk_json_at(row, column->path);
      int rc = rtk_json_value(node, text, column->form, values++);
      if (rc != SQLITE_OK) return rc;
    }
  }
  return SQLITE_OK;
}

bool rtk_json_has_only(const struct rtk_json *rows, enum rtk_json_kind kind) {
  const struct rtk_json *row = NULL;
  while ((row = rtk_json_next_row(rows, row)) != NULL) {
    if (rtk_json_kind(row) != kind) return false;
  }
  return true;
}

const char *rtk_json_version(void) { return cJSON_Version(); }
