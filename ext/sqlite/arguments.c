/*
** The arguments of one table in a statement: values in, a call and its ids out.
**
** SQLite does not offer every comparison of an argument to xBestIndex.  A table
** that took the default account all the same would give wrong rows without a
** word, so program.c tells whether the statement compares it, and the scan
** fails with a message.
*/
#include "sqlite/arguments.h"

#include "base/err.h"
#include "base/sanitize.h"
#include "base/strset.h"
#include "base/words.h"
#include "config/config.h"
#include "fetch/conn.h"
#include "fetch/prefetch.h"
#include "sqlite/plan.h"
#include "sqlite/program.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Bytes of the longest filter: a server's request line has 8,000. */
#define FILTER_MAX 1024

void rtk_arguments_init(struct rtk_arguments *arguments, struct rtk_conn *conn,
                        const struct rtk_signature *signature,
                        const sqlite3_vtab *vtab) {
  *arguments = (struct rtk_arguments){
      .conn = conn,
      .signature = signature,
      .vtab = vtab,
      .is_collecting = rtk_prefetch_is_collecting(conn->prefetch)};
  rtk_call_init(&arguments->call, signature);
}

static void forget_given(struct rtk_arguments *arguments, int k) {
  sqlite3_value_free(arguments->given[k]);
  arguments->given[k] = NULL;
}

void rtk_arguments_deinit(struct rtk_arguments *arguments) {
  for (int k = 0; k < RTK_INPUTS_MAX; k++) {
    forget_given(arguments, k);
    sqlite3_free(arguments->path[k]);
  }
  rtk_call_deinit(&arguments->call);
}

/* --- values --------------------------------------------------------------- */

/* The place of an argument in a call, in words. */
static const char *place(int k) {
  static const char *const places[] = {"first",  "second", "third",
                                       "fourth", "fifth",  "sixth"};
  return k < (int)(sizeof(places) / sizeof(*places)) ? places[k] : "last";
}

/* The value as text, borrowed from it; false without memory. */
static bool borrow(sqlite3_value *value, struct rtk_text *text, int *rc) {
  text->bytes = (const char *)sqlite3_value_text(value);
  text->size = (size_t)sqlite3_value_bytes(value);
  if (text->bytes == NULL) *rc = SQLITE_NOMEM;
  return text->bytes != NULL;
}

/* Text as it is, an integer as its digits; false for any other type. */
static bool read_text(sqlite3_value *value, struct rtk_text *text, int *rc) {
  int type = sqlite3_value_type(value);
  return (type == SQLITE_TEXT || type == SQLITE_INTEGER) &&
         borrow(value, text, rc);
}

/* A whole number as its digits, also one that is REAL or stands in text: "42",
** "42.0".  Looks at the text alone: SQLite's own conversion would change the
** value, and crashes in 3.52 and 3.53 where it is a copy (sqlite-notes). */
static bool read_whole(sqlite3_value *value, struct rtk_text *text, int *rc) {
  bool is_real = sqlite3_value_type(value) == SQLITE_FLOAT;
  if (!(is_real ? borrow(value, text, rc) : read_text(value, text, rc))) {
    return false;
  }
  size_t sign = text->size > 0 && text->bytes[0] == '-' ? 1 : 0;
  size_t end = sign;
  while (end < text->size && text->bytes[end] >= '0' &&
         text->bytes[end] <= '9') {
    end++;
  }
  size_t rest = end;
  if (rest < text->size && text->bytes[rest] == '.') rest++;
  while (rest < text->size && rest > end && text->bytes[rest] == '0') rest++;
  bool is_whole = end > sign && rest == text->size;
  text->size = end;
  return is_whole;
}

/* The id as text; false for one that no request can carry, which has no row.
** The text is borrowed from the value. */
static bool read_id(sqlite3_value *value, struct rtk_text *text, int *rc) {
  return read_text(value, text, rc) && rtk_url_can_carry(*text, RTK_ID_MAX);
}

/* --- ids ------------------------------------------------------------------ */

int rtk_arguments_read_id(struct rtk_arguments *arguments, sqlite3_value *value,
                          struct rtk_text *text, bool *is_usable) {
  int rc = SQLITE_OK;
  *is_usable = read_id(value, text, &rc);
  if (rc == SQLITE_OK && !*is_usable && !arguments->is_collecting) {
    arguments->conn->stats.unusable_ids++;
  }
  return rc;
}

#if SQLITE_VERSION_NUMBER >= RTK_SQLITE_VTAB_IN
/* The end of the list is SQLITE_DONE. */
static int end_list(int rc, struct rtk_err *err) {
  if (rc == SQLITE_DONE || rc == SQLITE_OK) return SQLITE_OK;
  if (rc == SQLITE_NOMEM) return rc;
  return rtk_err_set(err, "the IN list cannot be read: %s", sqlite3_errstr(rc));
}

int rtk_arguments_add_list(struct rtk_arguments *arguments, sqlite3_value *list,
                           struct rtk_strset *ids, struct rtk_err *err) {
  sqlite3_value *value = NULL;
  bool has_integer = false;
  int rc = sqlite3_vtab_in_first(list, &value);
  while (rc == SQLITE_OK && value != NULL) {
    struct rtk_text text;
    bool is_new = true;
    bool is_usable = false;
    rc = rtk_arguments_read_id(arguments, value, &text, &is_usable);
    /* Integers come before texts, so a text may be an integer's digits. */
    if (sqlite3_value_type(value) == SQLITE_INTEGER) has_integer = true;
    if (rc == SQLITE_OK && is_usable) {
      rc = has_integer ? rtk_strset_add_new(ids, text, &is_new)
                       : rtk_strset_add(ids, text);
    }
    if (rc == SQLITE_OK) rc = sqlite3_vtab_in_next(list, &value);
  }
  return end_list(rc, err);
}

int rtk_arguments_find(sqlite3_value *list, struct rtk_text id, bool *is_found,
                       struct rtk_err *err) {
  sqlite3_value *value = NULL;
  *is_found = false;
  int rc = sqlite3_vtab_in_first(list, &value);
  while (rc == SQLITE_OK && value != NULL) {
    struct rtk_text text;
    if (read_id(value, &text, &rc) && text.size == id.size &&
        memcmp(text.bytes, id.bytes, id.size) == 0) {
      *is_found = true;
      return SQLITE_OK;
    }
    if (rc == SQLITE_OK) rc = sqlite3_vtab_in_next(list, &value);
  }
  return end_list(rc, err);
}
#else
static int refuse_list(struct rtk_err *err) {
  return rtk_err_set(err, "built for a host without sqlite3_vtab_in()");
}

int rtk_arguments_add_list(struct rtk_arguments *arguments, sqlite3_value *list,
                           struct rtk_strset *ids, struct rtk_err *err) {
  (void)arguments;
  (void)list;
  (void)ids;
  return refuse_list(err);
}

int rtk_arguments_find(sqlite3_value *list, struct rtk_text id, bool *is_found,
                       struct rtk_err *err) {
  (void)list;
  (void)id;
  *is_found = false;
  return refuse_list(err);
}
#endif

/* --- account, app and filters --------------------------------------------- */

/* Is it the value of the scan before?  Account and app seldom change: then the
** beginning of the URL is kept. */
static bool is_same(const struct rtk_arguments *arguments, int k,
                    struct rtk_text text) {
  struct rtk_text old = arguments->call.arguments[k];
  return old.bytes != NULL && old.size == text.size &&
         memcmp(old.bytes, text.bytes, text.size) == 0;
}

static int set_path(struct rtk_arguments *arguments, int k,
                    struct rtk_text text, struct rtk_scan *scan) {
  char *copy = sqlite3_mprintf("%.*s", (int)text.size, text.bytes);
  if (copy == NULL) return SQLITE_NOMEM;
  sqlite3_free(arguments->path[k]);
  scan->has_moved = true;
  arguments->path[k] = copy;
  rtk_call_set(&arguments->call, k, (struct rtk_text){copy, text.size});
  return SQLITE_OK;
}

/* An account or app: from the query, else from the settings.  Where the query
** has NULL and there is no default, it has no value. */
static int read_scope(struct rtk_arguments *arguments, int k,
                      const struct rtk_column *column, sqlite3_value *given,
                      struct rtk_scan *scan, struct rtk_err *err) {
  struct rtk_text text = {NULL, 0};
  int rc = SQLITE_OK;
  if (given == NULL || sqlite3_value_type(given) == SQLITE_NULL) {
    text.bytes = rtk_config_text(arguments->conn->config, column->setting);
    if (text.bytes == NULL && given != NULL) {
      rtk_call_set(&arguments->call, k, text);
      if (scan->null_scope == NULL) {
        scan->null_scope = column;
        scan->null_argument = k;
      }
      return SQLITE_OK;
    }
    if (text.bytes == NULL) {
      return rtk_err_set(err,
                         "no %s: write it as the %s argument, or set %s, or"
                         " SELECT rtk_config('%s', '…')",
                         column->name, place(k),
                         rtk_config_env(column->setting),
                         rtk_config_name(column->setting));
    }
    text.size = strlen(text.bytes);
  } else if (!read_text(given, &text, &rc) && rc != SQLITE_OK) {
    return rc;
  }
  if (text.bytes != NULL && is_same(arguments, k, text)) return SQLITE_OK;
  if (!rtk_url_can_carry(text, column->max_bytes) ||
      memchr(text.bytes, '/', text.size) != NULL) {
    return rtk_err_set(err,
                       "%s (the %s argument) must be text of 1 to %d characters"
                       " without '/', and not '.' or '..'",
                       column->name, place(k), (int)column->max_bytes);
  }
  return set_path(arguments, k, text, scan);
}

char *rtk_arguments_explain_null(const struct rtk_scan *scan) {
  const struct rtk_column *column = scan->null_scope;
  return sqlite3_mprintf(
      "%s is NULL: give its id as the %s argument, or a default: SELECT"
      " rtk_config('%s', '…')",
      column->name, place(scan->null_argument),
      rtk_config_name(column->setting));
}

/* Says which values a filter takes, and which one it was given. */
static int refuse_filter(const struct rtk_column *column, sqlite3_value *given,
                         struct rtk_err *err) {
  /* First, because sqlite3_value_text() makes a blob text. */
  bool is_blob = sqlite3_value_type(given) == SQLITE_BLOB;
  const char *text = (const char *)sqlite3_value_text(given);
  const char *form = column->is_switch                    ? "1 or 0"
                     : column->type == RTK_COLUMN_INTEGER ? "a whole number"
                                                          : "text of 1 to"
                                                            " 1,024 bytes";
  if (column->values == NULL) {
    return rtk_err_set(err, "%s must be %s (%s)", column->name, form,
                       column->doc);
  }
  sqlite3_str *out = sqlite3_str_new(NULL);
  sqlite3_str_appendf(out, "%s must be one of %s", column->name,
                      column->is_comma_list ? "these, or some with commas: "
                                            : "");
  for (const char *word = column->values; *word != '\0';) {
    int size = (int)strcspn(word, " ");
    sqlite3_str_appendf(out, "%s'%.*s'", word == column->values ? "" : ", ",
                        size, word);
    word += size + 1;
  }
  if (is_blob) {
    sqlite3_str_appendall(out, ", not a blob");
  } else {
    sqlite3_str_appendall(out, ", not '");
    rtk_sanitize(out, text == NULL ? "" : text, text == NULL ? 0 : strlen(text),
                 RTK_SHOWN_ID_MAX, NULL);
    sqlite3_str_appendall(out, "'");
  }
  return rtk_err_finish(err, out);
}

/* What the running statement does with an argument.  `value`: its place among
** xFilter's values, or -1. */
static int look_at_program(struct rtk_arguments *arguments, int bits, int k,
                           int value, struct rtk_program_use *use) {
  const struct rtk_signature *signature = arguments->signature;
  const struct rtk_column *column = rtk_endpoint_argument(signature, k);
  struct rtk_program_question question = {.vtab = arguments->vtab,
                                          .bits = bits,
                                          .argument = k,
                                          .column = signature->columns[k],
                                          .value = value,
                                          .is_scope = column->argument ==
                                                      RTK_ARGUMENT_SCOPE};
  if (question.is_scope) {
    question.expected =
        rtk_config_text(arguments->conn->config, column->setting);
  }
  return rtk_program_look(arguments->conn->db, &question, use);
}

/* Does the server know this value, or each of a comma list? */
static bool has_known_values(const struct rtk_column *column,
                             struct rtk_text text) {
  const char *end = text.bytes + text.size;
  if (column->values == NULL) return true;
  for (const char *word = text.bytes;;) {
    const char *comma = memchr(word, ',', (size_t)(end - word));
    const char *stop = column->is_comma_list && comma != NULL ? comma : end;
    struct rtk_text one = {word, (size_t)(stop - word)};
    if (!rtk_words_have(column->values, one)) return false;
    if (stop == end) return true;
    word = stop + 1;
  }
}

/* A filter: sent to the server, or refused.  A parameter that is compared with
** NULL has no row.  A visible column may be compared with any value if the
** value comes from a join, or if the API does not list the values: SQLite
** compares. */
static int read_filter(struct rtk_arguments *arguments, int k,
                       const struct rtk_column *column, struct rtk_scan *scan,
                       struct rtk_err *err) {
  struct rtk_text text = {NULL, 0};
  sqlite3_value *given = arguments->given[k];
  int rc = SQLITE_OK;
  rtk_call_set(&arguments->call, k, text);
  if (given == NULL) return SQLITE_OK;
  if (sqlite3_value_type(given) == SQLITE_NULL) {
    if (column->kind == RTK_COLUMN_ARGUMENT) scan->is_empty = true;
    return SQLITE_OK;
  }
  bool is_number = column->type == RTK_COLUMN_INTEGER;
  bool is_text = (is_number ? read_whole(given, &text, &rc)
                            : read_text(given, &text, &rc)) &&
                 text.size > 0 && text.size <= FILTER_MAX &&
                 memchr(text.bytes, '\0', text.size) == NULL;
  if (rc != SQLITE_OK) return rc;
  if (is_text && column->is_switch) {
    is_text = text.size == 1 && (*text.bytes == '0' || *text.bytes == '1');
    text.bytes = *text.bytes == '0' ? "false" : "true";
    text.size = strlen(text.bytes);
  }
  if (is_text && has_known_values(column, text)) {
    rtk_call_set(&arguments->call, k, text);
    return SQLITE_OK;
  }
  bool is_visible = column->kind != RTK_COLUMN_ARGUMENT;
  struct rtk_program_use use = {.is_joined = column->values == NULL};
  if (is_visible && !use.is_joined) {
    rc = look_at_program(arguments, scan->bits, k, scan->value, &use);
    if (rc != SQLITE_OK) return rc;
  }
  return is_visible && use.is_joined ? SQLITE_OK
                                     : refuse_filter(column, given, err);
}

static int refuse_right_join(const struct rtk_arguments *arguments,
                             const struct rtk_column *column,
                             struct rtk_err *err) {
  return rtk_err_set(err,
                     "in a RIGHT or FULL JOIN SQLite does not tell which %s is"
                     " meant: write a LEFT JOIN with %s on its right side",
                     column->name, arguments->signature->endpoint->name);
}

static int refuse_missing(struct rtk_arguments *arguments, int bits, int k,
                          const struct rtk_column *column,
                          struct rtk_err *err) {
  struct rtk_program_use use;
  int rc = look_at_program(arguments, bits, k, -1, &use);
  if (rc != SQLITE_OK) return rc;
  if (use.has_right_join) return refuse_right_join(arguments, column, err);
  return rtk_err_set(err,
                     "no usable %s: write it as the %s argument or as %s = …"
                     " or IN (…) outside OR; the table that supplies it must"
                     " come before this one in FROM",
                     column->name, place(k), column->name);
}

/* The statement compares an argument whose value xFilter did not get. */
static int refuse_unoffered(const struct rtk_column *column,
                            struct rtk_err *err) {
  return rtk_err_set(err,
                     "%s works only as %s = … or IN (…), joined by AND: within"
                     " OR or an expression write two SELECTs with UNION (%s)",
                     column->name, column->name, column->doc);
}

/* The statement names the column.  It may show the column, and compare it with
** the default; any other comparison is refused. */
static int check_unoffered(struct rtk_arguments *arguments, int bits, int k,
                           struct rtk_err *err) {
  struct rtk_program_use use;
  int rc = look_at_program(arguments, bits, k, -1, &use);
  bool is_meant =
      use.is_decisive || (use.is_given_elsewhere && use.has_right_join);
  if (rc != SQLITE_OK || !is_meant) return rc;
  const struct rtk_column *column =
      rtk_endpoint_argument(arguments->signature, k);
  return use.has_right_join ? refuse_right_join(arguments, column, err)
                            : refuse_unoffered(column, err);
}

/* The code of an account, app or filter that stands for no value. */
static int check_code(struct rtk_arguments *arguments, int bits, int k,
                      struct rtk_err *err) {
  enum rtk_plan_code code = RTK_PLAN_CODE_OF(bits, k);
  if (code == RTK_PLAN_IN_VAIN) {
    const struct rtk_column *column =
        rtk_endpoint_argument(arguments->signature, k);
    return rtk_err_set(err,
                       "%s works only with = or IN, outside OR, and with the"
                       " collation BINARY (%s)",
                       column->name, column->doc);
  }
  if (code == RTK_PLAN_UNOFFERED && !arguments->is_collecting &&
      arguments->checked_bits != bits) {
    return check_unoffered(arguments, bits, k, err);
  }
  return SQLITE_OK;
}

/* The same type and text; NULL: not given. */
static bool is_same_value(sqlite3_value *a, sqlite3_value *b) {
  if (a == NULL || b == NULL) return a == b;
  if (sqlite3_value_type(a) != sqlite3_value_type(b)) return false;
  const void *left = sqlite3_value_text(a);
  const void *right = sqlite3_value_text(b);
  size_t size = (size_t)sqlite3_value_bytes(a);
  if (left == NULL || right == NULL) return left == right;
  return size == (size_t)sqlite3_value_bytes(b) &&
         memcmp(left, right, size) == 0;
}

/* An id in front of the last one: one value for each scan. */
static int read_outer_id(struct rtk_arguments *arguments, int k,
                         sqlite3_value *one, struct rtk_scan *scan,
                         struct rtk_err *err) {
  struct rtk_text text;
  bool is_usable = false;
  if (one == NULL) {
    return refuse_missing(arguments, scan->bits, k,
                          rtk_endpoint_argument(arguments->signature, k), err);
  }
  int rc = rtk_arguments_read_id(arguments, one, &text, &is_usable);
  if (rc != SQLITE_OK || !is_usable) {
    scan->is_empty = true;
    return rc;
  }
  if (is_same(arguments, k, text)) return SQLITE_OK;
  return set_path(arguments, k, text, scan);
}

static int read_argument(struct rtk_arguments *arguments, int k,
                         sqlite3_value *one, struct rtk_scan *scan,
                         struct rtk_err *err) {
  const struct rtk_column *column =
      rtk_endpoint_argument(arguments->signature, k);
  if (column->argument == RTK_ARGUMENT_SCOPE) {
    return read_scope(arguments, k, column, one, scan, err);
  }
  if (column->argument == RTK_ARGUMENT_ID) {
    return read_outer_id(arguments, k, one, scan, err);
  }
  if (!is_same_value(arguments->given[k], one)) scan->has_moved = true;
  if (arguments->given[k] != NULL) forget_given(arguments, k);
  if (one != NULL) {
    arguments->given[k] = sqlite3_value_dup(one);
    if (arguments->given[k] == NULL) return SQLITE_NOMEM;
  }
  return read_filter(arguments, k, column, scan, err);
}

/* The values of the id's argument. */
static int read_ids(struct rtk_arguments *arguments, int k,
                    sqlite3_value ***values, struct rtk_scan *scan,
                    struct rtk_err *err) {
  enum rtk_plan_code code = RTK_PLAN_CODE_OF(scan->bits, k);
  bool has_one = code == RTK_PLAN_VALUE || code == RTK_PLAN_BOTH;
  bool has_list = code == RTK_PLAN_LIST || code == RTK_PLAN_BOTH;
  if (has_one) scan->one = *(*values)++;
  if (has_list) scan->list = *(*values)++;
  if (has_one || has_list) return SQLITE_OK;
  return refuse_missing(arguments, scan->bits, k,
                        rtk_endpoint_argument(arguments->signature, k), err);
}

/* Says how many arguments there are, and how a filter is written. */
static int refuse_surplus(const struct rtk_signature *signature,
                          struct rtk_err *err) {
  int count = signature->path_count;
  sqlite3_str *out = sqlite3_str_new(NULL);
  sqlite3_str_appendf(out, "it takes %d argument%s (", count,
                      count == 1 ? "" : "s");
  for (int k = 0; k < count; k++) {
    sqlite3_str_appendf(out, "%s%s", k == 0 ? "" : ", ",
                        rtk_endpoint_argument(signature, k)->name);
  }
  sqlite3_str_appendall(out, ")");
  if (count < signature->count) {
    sqlite3_str_appendf(out, "; a filter is written as WHERE %s = …",
                        rtk_endpoint_argument(signature, count)->name);
  }
  return rtk_err_finish(err, out);
}

int rtk_arguments_read(struct rtk_arguments *arguments, int bits,
                       sqlite3_value **values, struct rtk_scan *scan,
                       struct rtk_err *err) {
  const struct rtk_signature *signature = arguments->signature;
  sqlite3_value **next = values;
  int rc = SQLITE_OK;
  *scan = (struct rtk_scan){.bits = bits};
  if ((bits & RTK_PLAN_SURPLUS) != 0) return refuse_surplus(signature, err);
  for (int k = 0; rc == SQLITE_OK && k < signature->count; k++) {
    if (k == signature->id) {
      rc = read_ids(arguments, k, &next, scan, err);
      continue;
    }
    rc = check_code(arguments, bits, k, err);
    if (rc != SQLITE_OK) return rc;
    bool has_value = RTK_PLAN_CODE_OF(bits, k) == RTK_PLAN_VALUE;
    scan->value = (int)(next - values);
    rc = read_argument(arguments, k, has_value ? *next++ : NULL, scan, err);
  }
  if (rc == SQLITE_OK) arguments->checked_bits = bits;
  return rc;
}

bool rtk_arguments_have_filter(const struct rtk_arguments *arguments) {
  const struct rtk_signature *signature = arguments->signature;
  for (int k = signature->path_count; k < signature->count; k++) {
    if (arguments->call.arguments[k].bytes != NULL &&
        !rtk_endpoint_argument(signature, k)->is_order) {
      return true;
    }
  }
  return false;
}
