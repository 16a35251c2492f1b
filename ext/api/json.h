/*
** JSON text into values.  The only module that sees cJSON.
**
**     {"data": [{"id": "a", "n": "7"}]}   rtk_json_at(root, "data")  one row
**                                         id as text 'a', n as number 7
**
** A struct rtk_json is a node of a parsed document and borrowed from it:
** rtk_json_free() of the root, which rtk_json_parse() gives, frees all nodes.
** All functions take NULL for a node that does not exist.
*/
#ifndef RTK_JSON_H
#define RTK_JSON_H

#include "base/value.h"

#include <stdbool.h>
#include <stddef.h>

struct rtk_json;

enum rtk_json_kind {
  RTK_JSON_NONE, /* there is no such node */
  RTK_JSON_NULL,
  RTK_JSON_BOOL,
  RTK_JSON_NUMBER,
  RTK_JSON_STRING,
  RTK_JSON_ARRAY,
  RTK_JSON_OBJECT
};

/* Parses exactly `size` bytes of UTF-8; white space around the value is
** allowed, anything else after it is not.  One half of a surrogate pair, as in
** "cut \ud83d", becomes U+FFFD.  Returns SQLITE_OK with *root given (free with
** rtk_json_free()), SQLITE_ERROR when it is not JSON or holds a NUL character,
** which no SQLite text can, or SQLITE_NOMEM. */
int rtk_json_parse(const char *text, size_t size, struct rtk_json **root);

/* Bytes of the byte order mark in front, which is no part of the JSON; or 0. */
size_t rtk_json_bom_size(const char *text, size_t size);

void rtk_json_free(struct rtk_json *root);

enum rtk_json_kind rtk_json_kind(const struct rtk_json *node);

/* A member of an object by exact name; the first element of an array.  NULL
** when there is none. */
const struct rtk_json *rtk_json_member(const struct rtk_json *node,
                                       const char *name);
const struct rtk_json *rtk_json_first(const struct rtk_json *node);

/* The rows of a node: the elements of an array; any other node is one row.  How
** many there are; and the row after `row` (NULL: the first), NULL after the
** last. */
size_t rtk_json_row_count(const struct rtk_json *rows);
const struct rtk_json *rtk_json_next_row(const struct rtk_json *rows,
                                         const struct rtk_json *row);

/* The node at a path of names with dots, "data.session". */
const struct rtk_json *rtk_json_at(const struct rtk_json *node,
                                   const char *path);

/* True for the JSON literal `true` only. */
bool rtk_json_is_true(const struct rtk_json *node);

/* The text of a string, borrowed from the document; NULL for anything else. */
const char *rtk_json_string(const struct rtk_json *node);

/* A whole number, also in a string; `otherwise` for anything else and beyond
** ±2^53. */
int64_t rtk_json_int(const struct rtk_json *node, int64_t otherwise);

/* An object, array or string as it stands in `text`, which the document was
** parsed from and which it is borrowed from. */
struct rtk_text rtk_json_raw(const struct rtk_json *node, const char *text);

/* What a column wants of a value. */
enum rtk_json_form {
  RTK_JSON_AS_TEXT,
  RTK_JSON_AS_TIME, /* as text, and the string "null" as null */
  RTK_JSON_AS_NUMBER,
  RTK_JSON_AS_BOOL,
  RTK_JSON_AS_JSON /* as text, and a string with its quotes */
};

/* A node as a value:
**
**     JSON                AS_TEXT       AS_NUMBER             AS_BOOL
**     null                NULL          NULL                  NULL
**     {…} […]             as it stands  as it stands          as it stands
**     true false          as it stands  1 0                   1 0
**     7 1e2 0.5 1e999     as it stands  7 100 0.5 NULL        the same
**     "7" "007" "x"       the string    7 '007' 'x'           the same
**     "" "NaN" "Infinity" the string    NULL                  NULL
**     "Yes" "off" "true"  the string    the string            1 0 1
**
** As text a number joins with a TEXT column.  A number without a fraction and
** below 2^53 is an INTEGER, any other a REAL.  Text is borrowed from `text` or
** from the document, which is an object or array and was parsed from `text`.
** Returns SQLITE_OK or SQLITE_NOMEM. */
int rtk_json_value(const struct rtk_json *node, const char *text,
                   enum rtk_json_form form, struct rtk_value *value);

/* A column of rows: what is at this path in each, "quality.audio.mos"; the row
** itself at "". */
struct rtk_json_column {
  const char *path;
  enum rtk_json_form form;
  bool is_member; /* the path is one name */
};

struct rtk_json_column rtk_json_column(const char *path,
                                       enum rtk_json_form form);

/* All rows as values, as above: `count` for each row, in the order of
** `columns`. */
int rtk_json_read(const struct rtk_json *rows, const char *text,
                  const struct rtk_json_column *columns, int count,
                  struct rtk_value *values);

/* Is every row of this kind? */
bool rtk_json_has_only(const struct rtk_json *rows, enum rtk_json_kind kind);

/* cJSON's version, for rtk_version(). */
const char *rtk_json_version(void);

#endif
