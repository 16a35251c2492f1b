/* Gives one statement the values of another's parameters. */
#include "fetch/parameters.h"

#include "base/probe.h"
#include "fetch/tokens.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Bytes that all values may have as they are shown: they are copied for a run,
** and SQLite shows a blob byte by byte. */
#define SHOWN_MAX (4 * 1024 * 1024)

/* Where the value at c ends.  Returns c itself for a value that is not read:
** Inf, or a zeroblob(), which the application may have redefined. */
static const char *skip_value(const char *c) {
  static const char digits[] = "0123456789";
  if (strncmp(c, "NULL", 4) == 0) return c + 4;
  if (c[0] == '\'' || (c[0] == 'x' && c[1] == '\'')) {
    if (*c == 'x') c++;
    while (*c == '\'') c = rtk_tokens_skip(c);
    return c;
  }
  const char *number = c + (*c == '-');
  size_t size = strspn(number, "0123456789.");
  if (size == 0) return c;
  c = number + size;
  bool has_exponent = c[0] == 'e' && (c[1] == '+' || c[1] == '-');
  return has_exponent ? c + 2 + strspn(c + 2, digits) : c;
}

/* The index that SQLite gave to the parameter: `last` is the highest so far. */
static int index_of(sqlite3_stmt *stmt, const char *c, size_t size, int last) {
  if (size == 1) return last + 1;
  if (*c == '?') return (int)strtol(c + 1, NULL, 10);
  char *name = sqlite3_mprintf("%.*s", (int)size, c);
  int index = name == NULL ? 0 : sqlite3_bind_parameter_index(stmt, name);
  sqlite3_free(name);
  return index;
}

/* The value that is shown in part, `'abc'` with this many bytes more: is it one
** of the known texts?  Then *whole is given (free with sqlite3_free()). */
static int complete(const char *part, size_t size, size_t more,
                    const struct rtk_parameters_known *known, char **whole) {
  *whole = NULL;
  for (int k = 0; k < known->count; k++) {
    struct rtk_text text = known->texts[k];
    if (text.bytes == NULL || text.size < more) continue;
    char *begin =
        sqlite3_mprintf("'%.*q'", (int)(text.size - more), text.bytes);
    bool is =
        begin != NULL && strlen(begin) == size && !memcmp(begin, part, size);
    sqlite3_free(begin);
    if (!is) continue;
    *whole = sqlite3_mprintf("'%.*q'", (int)text.size, text.bytes);
    return *whole == NULL ? SQLITE_NOMEM : SQLITE_OK;
  }
  return SQLITE_NOTFOUND;
}

/* Appends `(index, value),` and returns what is behind the value; `shown` when
** it is not known.  Some hosts show the begin of a long text, and
** in a comment behind it how many bytes more there are: 'abc', +33 bytes. */
static const char *add_value(int index, const char *shown,
                             const struct rtk_parameters_known *known,
                             sqlite3_str *values) {
  static const char mark[] = "/*+";
  const char *behind = skip_value(shown);
  size_t size = (size_t)(behind - shown);
  char *whole = NULL;
  if (strncmp(behind, mark, strlen(mark)) != 0) {
    sqlite3_str_appendf(values, "(%d,%.*s),", index, (int)size, shown);
    return behind;
  }
  long more = strtol(behind + strlen(mark), NULL, 10);
  const char *end = strstr(behind, "*/");
  if (more <= 0 || end == NULL ||
      complete(shown, size, (size_t)more, known, &whole) != SQLITE_OK) {
    return shown;
  }
  sqlite3_str_appendf(values, "(%d,%s),", index, whole);
  sqlite3_free(whole);
  return end + 2;
}

/* Appends `(index, value),` for each parameter.  False: the texts differ in
** something else. */
static bool add_values(sqlite3_stmt *stmt, const char *shown,
                       const struct rtk_parameters_known *known,
                       sqlite3_str *values) {
  int last = 0;
  for (const char *c = sqlite3_sql(stmt);;) {
    const char *same = c;
    c = rtk_tokens_skip_blank(c);
    bool is_parameter = *c != '\0' && strchr("?:@$", *c) != NULL;
    bool is_end = *c == '\0';
    if (!is_parameter && !is_end) c = rtk_tokens_skip(c);
    if (strncmp(same, shown, (size_t)(c - same)) != 0) return false;
    shown += c - same;
    if (is_end) return *shown == '\0';
    if (!is_parameter) continue;
    const char *end = rtk_tokens_skip(c);
    int index = index_of(stmt, c, (size_t)(end - c), last);
    const char *behind = add_value(index, shown, known, values);
    if (index <= 0 || behind == shown) return false;
    if (index > last) last = index;
    shown = behind;
    c = end;
  }
}

int rtk_parameters_read_shown(sqlite3_stmt *stmt, const char *shown,
                              const struct rtk_parameters_known *known,
                              char **values) {
  sqlite3_str *out = sqlite3_str_new(NULL);
  sqlite3_str_appendall(out, "VALUES");
  bool is_read = add_values(stmt, shown, known, out);
  char *text = sqlite3_str_finish(out);
  if (!is_read) {
    sqlite3_free(text);
    return SQLITE_NOTFOUND;
  }
  if (text == NULL) return SQLITE_NOMEM;
  text[strlen(text) - 1] = '\0'; /* the last comma */
  *values = text;
  return SQLITE_OK;
}

int rtk_parameters_read(sqlite3_stmt *stmt,
                        const struct rtk_parameters_known *known,
                        char **values) {
  sqlite3 *db = sqlite3_db_handle(stmt);
  *values = NULL;
  if (sqlite3_bind_parameter_count(stmt) == 0) return SQLITE_OK;
  int limit = sqlite3_limit(db, SQLITE_LIMIT_LENGTH, -1);
  int most = (int)strlen(sqlite3_sql(stmt)) + SHOWN_MAX;
  (void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, most < limit ? most : limit);
  char *shown = sqlite3_expanded_sql(stmt);
  (void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, limit);
  if (shown == NULL) return SQLITE_NOTFOUND; /* it was too long, or no memory */
  int rc = rtk_parameters_read_shown(stmt, shown, known, values);
  sqlite3_free(shown);
  return rc;
}

int rtk_parameters_bind(const char *values, sqlite3_stmt *to) {
  sqlite3_stmt *stmt = NULL;
  int rc = rtk_probe_prepare(sqlite3_db_handle(to), values, &stmt);
  while (rc == SQLITE_OK && (rc = rtk_probe_step(stmt)) == SQLITE_ROW) {
    int index = sqlite3_column_int(stmt, 0);
    rc = index > sqlite3_bind_parameter_count(to)
             ? SQLITE_OK
             : sqlite3_bind_value(to, index, sqlite3_column_value(stmt, 1));
  }
  (void)sqlite3_finalize(stmt);
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}
