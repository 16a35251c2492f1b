/*
** JSON text into values.  The only module that sees cJSON.
**
** cJSON's allocation hooks and its error pointer are process-wide: neither is
** set nor read here.  cJSON does not tell "no memory" from "not JSON", but
** malloc() does, through errno.
*/
#include "json.h"

#include "limits.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include <cjson/cJSON.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

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
** there without a word. */
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

int rtk_json_parse(const char *text, size_t size, struct rtk_json **root) {
  const char *end = NULL;
  if (has_nul(text, size)) return SQLITE_ERROR;
  errno = 0;
  cJSON *item = cJSON_ParseWithLengthOpts(text, size, &end, 0);
  if (item == NULL) return errno == ENOMEM ? SQLITE_NOMEM : SQLITE_ERROR;
  while (end < text + size && is_space(*end)) end++;
  if (end != text + size) {
    cJSON_Delete(item);
    return SQLITE_ERROR;
  }
  *root = (struct rtk_json *)(void *)item;
  return SQLITE_OK;
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

int rtk_json_int(const struct rtk_json *node, int otherwise) {
  const cJSON *item = item_of(node);
  if (!cJSON_IsNumber(item)) return otherwise;
  if (fabs(item->valuedouble) > 2147483647.0) return otherwise;
  return (int)item->valuedouble;
}

static struct rtk_value number_value(double number) {
  struct rtk_value value = {.type = RTK_REAL, .as.real = number};
  if (fabs(number) < EXACT_END && floor(number) == number) {
    value.type = RTK_INTEGER;
    value.as.integer = (int64_t)number;
  }
  return value;
}

static struct rtk_value text_value(const char *text) {
  struct rtk_value value = {.type = RTK_TEXT, .as.text = text};
  value.size = (uint32_t)strlen(text);
  return value;
}

static const char *skip_digits(const char *c) {
  while (*c >= '0' && *c <= '9') c++;
  return c;
}

/* Exactly a number as JSON has it; cJSON takes 007 and 5. as well. */
static bool is_number(const char *text) {
  const char *c = text + (*text == '-');
  const char *end = skip_digits(c);
  if (end == c || (*c == '0' && end > c + 1)) return false;
  if (*end == '.') {
    c = end + 1;
    end = skip_digits(c);
    if (end == c) return false;
  }
  if (*end == 'e' || *end == 'E') {
    c = end + 1;
    if (*c == '+' || *c == '-') c++;
    end = skip_digits(c);
    if (end == c) return false;
  }
  return *end == '\0';
}

/* "116" as 116.  Text that merely begins with a number stays text. */
static int number_in_string(const char *text, struct rtk_value *value) {
  struct rtk_json *root = NULL;
  *value = text_value(text);
  if (!is_number(text)) return SQLITE_OK;
  int rc = rtk_json_parse(text, strlen(text), &root);
  if (rc == SQLITE_OK) {
    *value = number_value(item_of(root)->valuedouble);
    rtk_json_free(root);
  }
  return rc == SQLITE_NOMEM ? SQLITE_NOMEM : SQLITE_OK;
}

int rtk_json_value(const struct rtk_json *node, bool is_numeric,
                   struct rtk_value *value, char **owned) {
  const cJSON *item = item_of(node);
  switch (rtk_json_kind(node)) {
  case RTK_JSON_NONE:
  case RTK_JSON_NULL:
    *value = (struct rtk_value){.type = RTK_NULL};
    return SQLITE_OK;
  case RTK_JSON_BOOL:
    *value = (struct rtk_value){.type = RTK_INTEGER,
                                .as.integer = cJSON_IsTrue(item) ? 1 : 0};
    return SQLITE_OK;
  case RTK_JSON_NUMBER:
    *value = number_value(item->valuedouble);
    return SQLITE_OK;
  case RTK_JSON_STRING:
    if (is_numeric) return number_in_string(item->valuestring, value);
    *value = text_value(item->valuestring);
    return SQLITE_OK;
  case RTK_JSON_ARRAY:
  case RTK_JSON_OBJECT:
    break;
  }
  char *text = cJSON_PrintUnformatted(item);
  if (text == NULL) return SQLITE_NOMEM;
  *owned = text;
  *value = text_value(text);
  return SQLITE_OK;
}

void rtk_json_text_free(char *text) { cJSON_free(text); }

const char *rtk_json_version(void) { return cJSON_Version(); }
