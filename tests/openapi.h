/*
** What tests/api/realtimekit.openapi.json says: operations, schemas, examples.
** The API server answers with its examples, and unit/test_openapi.c holds the
** endpoint entries against it.
**
**     paths: { "/accounts/…/apps": { get: {
**       parameters: [ { name, in, schema: { type, enum } } … ],
**       responses: { 200: { content: { application/json: {
**         schema: { properties: { data: … } },
**         examples: { "Example 1": { value: { data: … } } } } } } },
**       x-rows: "data[]"                      where the rows are
**
** Where an operation has no published example, openapi_made_up() makes one of its
** schema, with every field in it: also those of x-documented: false.
*/
#ifndef RTK_TESTS_OPENAPI_H
#define RTK_TESTS_OPENAPI_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

/* What every path begins with; the next piece is the app's, or `apps`. */
static const char OPENAPI_KIT[] = "/accounts/{account_id}/realtime/kit/";

/* The whole file: cJSON_Delete() it.  NULL when it cannot be read. */
static inline cJSON *openapi_open(const char *path) {
  FILE *file = fopen(path, "rb");
  char *text = NULL;
  size_t size = 0, got;
  cJSON *root;
  if (file == NULL) return NULL;
  do {
    text = realloc(text, size + (1 << 16) + 1);
    if (text == NULL) abort();
    got = fread(text + size, 1, 1 << 16, file);
    size += got;
  } while (got > 0);
  text[size] = 0;
  fclose(file);
  root = cJSON_Parse(text);
  free(text);
  return root;
}

static inline const cJSON *openapi_get(const cJSON *node, const char *name) {
  return cJSON_GetObjectItemCaseSensitive(node, name);
}

static inline const char *openapi_text(const cJSON *node, const char *name) {
  const char *text = cJSON_GetStringValue(openapi_get(node, name));
  return text == NULL ? "" : text;
}

/* The reply with status 200 of an operation: has `schema` and `examples`. */
static inline const cJSON *openapi_reply(const cJSON *operation) {
  static const char *const way[] = {"responses", "200", "content",
                                    "application/json"};
  for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
    operation = openapi_get(operation, way[i]);
  }
  return operation;
}

/* The first published example (NULL: none); the others follow it as ->next. */
static inline const cJSON *openapi_examples(const cJSON *operation) {
  const cJSON *examples = openapi_get(openapi_reply(operation), "examples");
  return examples == NULL ? NULL : examples->child;
}

static inline int openapi_ends(const char *text, const char *end) {
  size_t len = strlen(text), end_len = strlen(end);
  return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* A text that suits the field's name. */
static inline const char *openapi_word(const char *name) {
  static const struct {
    const char *end, *word;
  } words[] = {
      {"id", "24c1a0a2-7f5f-4a4e-8a0c-6b2f6d1e5a01"},
      {"Id", "24c1a0a2-7f5f-4a4e-8a0c-6b2f6d1e5a02"},
      {"_at", "2025-01-31T10:11:12.013Z"},
      {"_time", "2025-01-31T10:11:12.013Z"},
      {"xpiry", "2025-02-07T10:11:12.013Z"},
      {"day", "2025-01-31"},
      {"rl", "https://example.com/files/1"},
  };
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (openapi_ends(name, words[i].end)) return words[i].word;
  }
  return name;
}

/* A value of this schema for the field `name`: cJSON_Delete() it. */
static inline cJSON *openapi_made_up(const cJSON *schema, const char *name) {
  const cJSON *choices = openapi_get(schema, "enum");
  const cJSON *forms = openapi_get(schema, "oneOf");
  const cJSON *example = openapi_get(schema, "example");
  const char *type = openapi_text(schema, "type");
  const cJSON *field;
  cJSON *made;
  if (example != NULL) return cJSON_Duplicate(example, 1);
  if (choices != NULL) return cJSON_Duplicate(choices->child, 1);
  if (forms != NULL) return openapi_made_up(forms->child, name);
  if (strcmp(type, "array") == 0) {
    const cJSON *items = openapi_get(schema, "items");
    if (openapi_get(items, "enum") != NULL) { /* one of each */
      return cJSON_Duplicate(openapi_get(items, "enum"), 1);
    }
    made = cJSON_CreateArray();
    cJSON_AddItemToArray(made, openapi_made_up(items, name));
    return made;
  }
  if (strcmp(type, "object") == 0) {
    made = cJSON_CreateObject();
    cJSON_ArrayForEach(field, openapi_get(schema, "properties")) {
      cJSON_AddItemToObject(made, field->string,
                            openapi_made_up(field, field->string));
    }
    return made;
  }
  if (strcmp(type, "boolean") == 0) return cJSON_CreateTrue();
  if (strcmp(type, "integer") == 0) return cJSON_CreateNumber(7);
  if (strcmp(type, "number") == 0) {
    return cJSON_CreateNumber(
        openapi_ends(name, "_count") || openapi_ends(name, "_offset") ? 1
                                                                      : 2.5);
  }
  return cJSON_CreateString(openapi_word(name));
}

/* The whole reply of an operation without an example: cJSON_Delete() it. */
static inline cJSON *openapi_made_up_reply(const cJSON *operation) {
  return openapi_made_up(openapi_get(openapi_reply(operation), "schema"), "");
}

#endif
