/*
** One scan of one table.
**
** A scan is a batch of ids in order: a list from IN, or a single id.  Where a
** query has both, an equality and a list, the list is the set to read ahead
** from, and each scan then brings one id of it; the list is copied once, and
** SQLite checks again that the row is in it.  Where it has an equality alone,
** ahead.c may know which ids come.
*/
#include "sqlite/cursor.h"

#include "api/endpoint.h"
#include "api/reply.h"
#include "api/url.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/rows.h"
#include "base/show.h"
#include "config/config.h"
#include "fetch/ahead.h"
#include "fetch/batch.h"
#include "fetch/conn.h"
#include "fetch/memo.h"
#include "fetch/pages.h"
#include "sqlite/plan.h"
#include "sqlite/program.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

struct rtk_cursor {
  struct rtk_conn *conn;
  const struct rtk_endpoint *endpoint;
  struct rtk_batch batch; /* this scan's ids */
  struct rtk_batch list;  /* read ahead from here, scan after scan */
  struct rtk_pages pages; /* of the current reply's list */
  struct rtk_ids seen;    /* rows of that list, by their first column */
  bool is_list_off;   /* account or app vary: reading ahead makes no sense */
  bool is_collecting; /* of the collecting run */
  bool
      is_foretold; /* by a list of the query: nothing is left to be collected */
  /* Filters as they were given, to be echoed; NULL: not given. */
  sqlite3_value *given[RTK_INPUTS_MAX];
  /* Account and app as they are asked for; the batches borrow them. */
  char *scope[RTK_INPUTS_MAX];
  const sqlite3_vtab *vtab;      /* borrowed; SQLite's view of the table */
  int checked_bits;              /* of the last plan: no need to look again */
  bool is_stand_in;              /* the query compares `id` */
  const struct rtk_reply *reply; /* the current row's; NULL at the end */
  struct rtk_reply *own;         /* a failure without a request; owned */
  bool is_all_own; /* `own` is the reply of every id of the scan */
  size_t id_index; /* of the current reply, in batch.ids */
  int row;         /* in the reply */
};

int rtk_cursor_new(struct rtk_conn *conn, const struct rtk_endpoint *endpoint,
                   const sqlite3_vtab *vtab, struct rtk_cursor **cursor) {
  struct rtk_cursor *made = sqlite3_malloc64(sizeof(*made));
  if (made == NULL) return SQLITE_NOMEM;
  memset(made, 0, sizeof(*made));
  made->conn = conn;
  made->endpoint = endpoint;
  made->vtab = vtab;
  made->is_collecting = rtk_ahead_is_collecting(conn->ahead);
  made->batch.fetch = made->list.fetch = made->pages.fetch = conn->fetch;
  made->batch.is_known_only = made->list.is_known_only =
      made->pages.is_known_only = made->is_collecting;
  rtk_wanted_init(&made->batch.wanted, endpoint);
  rtk_wanted_init(&made->list.wanted, endpoint);
  int rc = rtk_conn_open_cursor(conn);
  if (rc != SQLITE_OK) {
    sqlite3_free(made);
    return rc;
  }
  *cursor = made;
  return SQLITE_OK;
}

static void forget_given(struct rtk_cursor *cursor, int k) {
  sqlite3_value_free(cursor->given[k]);
  cursor->given[k] = NULL;
}

void rtk_cursor_free(struct rtk_cursor *cursor) {
  for (int k = 0; k < RTK_INPUTS_MAX; k++) forget_given(cursor, k);
  rtk_pages_end(&cursor->pages);
  rtk_ids_deinit(&cursor->seen);
  rtk_reply_free(cursor->own);
  rtk_batch_deinit(&cursor->batch);
  rtk_batch_deinit(&cursor->list);
  for (int k = 0; k < RTK_INPUTS_MAX; k++) sqlite3_free(cursor->scope[k]);
  rtk_conn_close_cursor(cursor->conn);
  sqlite3_free(cursor);
}

/* --- arguments ------------------------------------------------------------- */

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

/* Adds an id to the scan's, if a request can carry it. */
static int add_id(struct rtk_cursor *cursor, sqlite3_value *value) {
  struct rtk_text text;
  int rc = SQLITE_OK;
  if (read_id(value, &text, &rc)) {
    return rtk_ids_add(&cursor->batch.ids, text);
  }
  if (rc == SQLITE_OK && !cursor->is_collecting) {
    cursor->conn->stats.unusable_ids++;
  }
  return rc;
}

/* Adds a whole IN list to `ids`, or only the id `just` when it is in there.  Each
** id once: integers come before texts, so a text may be an integer's digits. */
static int add_list(struct rtk_cursor *cursor, struct rtk_ids *ids,
                    sqlite3_value *list, const struct rtk_text *just,
                    struct rtk_err *err) {
#if SQLITE_VERSION_NUMBER >= RTK_SQLITE_VTAB_IN
  sqlite3_value *value = NULL;
  bool has_integer = false;
  int64_t unusable = 0;
  int rc = sqlite3_vtab_in_first(list, &value);
  while (rc == SQLITE_OK && value != NULL) {
    struct rtk_text text;
    bool is_new = true;
    bool is_usable = read_id(value, &text, &rc);
    bool is_meant =
        is_usable &&
        (just == NULL || (text.size == just->size &&
                          memcmp(text.bytes, just->bytes, text.size) == 0));
    if (rc == SQLITE_OK && !is_usable) unusable++;
    if (sqlite3_value_type(value) == SQLITE_INTEGER) has_integer = true;
    if (rc == SQLITE_OK && is_meant) {
      rc = has_integer ? rtk_ids_add_new(ids, text, &is_new)
                       : rtk_ids_add(ids, text);
      if (just != NULL) return rc;
    }
    if (rc == SQLITE_OK) rc = sqlite3_vtab_in_next(list, &value);
  }
  if (just == NULL && !cursor->is_collecting) {
    cursor->conn->stats.unusable_ids += unusable;
  }
  /* The end of the list is SQLITE_DONE. */
  if (rc == SQLITE_DONE) rc = SQLITE_OK;
  if (rc == SQLITE_OK || rc == SQLITE_NOMEM) return rc;
  return rtk_err_set(err, "the IN list cannot be read: %s", sqlite3_errstr(rc));
#else
  (void)cursor;
  (void)ids;
  (void)list;
  (void)just;
  return rtk_err_set(err, "built for a host without sqlite3_vtab_in()");
#endif
}

static void set_argument(struct rtk_cursor *cursor, int k,
                         struct rtk_text text) {
  cursor->batch.wanted.arguments[k] = text;
  cursor->list.wanted.arguments[k] = text;
}

/* Between two scans the account and app hardly ever change.  When they do,
** a list to read ahead from would be asked for under the wrong ones. */
static int set_scope(struct rtk_cursor *cursor, int k, struct rtk_text text) {
  const char *old = cursor->scope[k];
  if (old != NULL && strlen(old) == text.size &&
      memcmp(old, text.bytes, text.size) == 0) {
    return SQLITE_OK;
  }
  if (old != NULL) {
    rtk_batch_let_go(&cursor->list);
    cursor->is_list_off = true;
  }
  char *copy = sqlite3_mprintf("%.*s", (int)text.size, text.bytes);
  if (copy == NULL) return SQLITE_NOMEM;
  sqlite3_free(cursor->scope[k]);
  cursor->scope[k] = copy;
  set_argument(cursor, k, (struct rtk_text){copy, text.size});
  return SQLITE_OK;
}

/* An account or app: from the query, else from the settings.  *is_null when the
** query has NULL and there is no default. */
static int read_scope(struct rtk_cursor *cursor, int k,
                      const struct rtk_column *column, sqlite3_value *given,
                      bool *is_null, struct rtk_err *err) {
  struct rtk_text text = {NULL, 0};
  int rc = SQLITE_OK;
  if (given == NULL || sqlite3_value_type(given) == SQLITE_NULL) {
    text.bytes = rtk_config_text(cursor->conn->config, column->setting);
    *is_null = text.bytes == NULL && given != NULL;
    if (*is_null) {
      set_argument(cursor, k, text);
      return SQLITE_OK;
    }
    if (text.bytes == NULL) {
      return rtk_err_set(err,
                         "no %s: write it as the %s argument, or give it a"
                         " default: SELECT rtk_config('%s', '…')",
                         column->name, place(k),
                         rtk_config_name(column->setting));
    }
    text.size = strlen(text.bytes);
  } else if (!read_text(given, &text, &rc) && rc != SQLITE_OK) {
    return rc;
  }
  if (!rtk_url_can_carry(text, column->max_bytes) ||
      memchr(text.bytes, '/', text.size) != NULL) {
    return rtk_err_set(err,
                       "%s must be text of 1 to %d characters without '/', and"
                       " not '.' or '..'",
                       column->name, (int)column->max_bytes);
  }
  return set_scope(cursor, k, text);
}

/* `words` have a space behind each. */
static bool has_word(const char *words, struct rtk_text word) {
  for (; *words != '\0'; words += strcspn(words, " ") + 1) {
    if (strcspn(words, " ") == word.size &&
        memcmp(words, word.bytes, word.size) == 0) {
      return true;
    }
  }
  return false;
}

/* Says which values a filter takes, and which one it was given. */
static int refuse_filter(const struct rtk_column *column, sqlite3_value *given,
                         struct rtk_err *err) {
  /* Asked first: a blob that was read as text is one. */
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
  sqlite3_str_appendf(out, "%s must be one of ", column->name);
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
    rtk_show(out, text == NULL ? "" : text, text == NULL ? 0 : strlen(text),
             RTK_SHOW_ID_MAX, NULL);
    sqlite3_str_appendall(out, "'");
  }
  return rtk_err_finish(err, out);
}

/* By which ids a scan goes; borrowed from xFilter's values. */
struct by {
  sqlite3_value *one;
  sqlite3_value *list;
  int bits;     /* the plan */
  int value;    /* of the argument at hand, the place among xFilter's values */
  bool is_none; /* a filter is NULL: no row */
  const struct rtk_column *null_scope; /* an account or app without a value */
  int null_place;                      /* of that argument */
};

/* What the running statement does with an argument.  `value`: its place among
** xFilter's values, or -1. */
static int look_at_program(struct rtk_cursor *cursor, int bits, int k,
                           int value, struct rtk_program_use *use) {
  int index = rtk_endpoint_argument(cursor->endpoint, k);
  const struct rtk_column *column = &cursor->endpoint->columns[index];
  struct rtk_program_question question = {.vtab = cursor->vtab,
                                          .bits = bits,
                                          .argument = k,
                                          .column = index,
                                          .value = value,
                                          .is_scope = column->argument ==
                                                      RTK_ARGUMENT_SCOPE};
  if (question.is_scope) {
    question.expected = rtk_config_text(cursor->conn->config, column->setting);
  }
  return rtk_program_look(cursor->conn->db, &question, use);
}

/* A filter: sent to the server, or refused.  A parameter that is compared with NULL
** has no row.  A visible column may be compared with anything where the value comes
** of a join, or the API does not say what there is: then SQLite compares. */
static int read_filter(struct rtk_cursor *cursor, int k,
                       const struct rtk_column *column, struct by *by,
                       struct rtk_err *err) {
  struct rtk_text text = {NULL, 0};
  sqlite3_value *given = cursor->given[k];
  int rc = SQLITE_OK;
  set_argument(cursor, k, text);
  if (given == NULL) return SQLITE_OK;
  if (sqlite3_value_type(given) == SQLITE_NULL) {
    if (column->kind == RTK_COLUMN_ARGUMENT) by->is_none = true;
    return SQLITE_OK;
  }
  bool is_number = column->type == RTK_COLUMN_INTEGER;
  bool is_text = (is_number ? read_whole(given, &text, &rc)
                            : read_text(given, &text, &rc)) &&
                 text.size > 0 && text.size <= RTK_FILTER_MAX &&
                 memchr(text.bytes, '\0', text.size) == NULL;
  if (rc != SQLITE_OK) return rc;
  if (is_text && column->is_switch) {
    is_text = text.size == 1 && (*text.bytes == '0' || *text.bytes == '1');
    text.bytes = *text.bytes == '0' ? "false" : "true";
    text.size = strlen(text.bytes);
  }
  if (is_text && (column->values == NULL || has_word(column->values, text))) {
    set_argument(cursor, k, text);
    return SQLITE_OK;
  }
  bool is_visible = column->kind != RTK_COLUMN_ARGUMENT;
  struct rtk_program_use use = {.is_joined = column->values == NULL};
  if (is_visible && !use.is_joined) {
    rc = look_at_program(cursor, by->bits, k, by->value, &use);
    if (rc != SQLITE_OK) return rc;
  }
  return is_visible && use.is_joined ? SQLITE_OK
                                     : refuse_filter(column, given, err);
}

static int refuse_right_join(const struct rtk_cursor *cursor,
                             const struct rtk_column *column,
                             struct rtk_err *err) {
  return rtk_err_set(err,
                     "in a RIGHT or FULL JOIN SQLite does not tell which %s is"
                     " meant: write a LEFT JOIN with %s on its right side",
                     column->name, cursor->endpoint->name);
}

static int refuse_missing(struct rtk_cursor *cursor, int bits, int k,
                          const struct rtk_column *column,
                          struct rtk_err *err) {
  struct rtk_program_use use;
  int rc = look_at_program(cursor, bits, k, -1, &use);
  if (rc != SQLITE_OK) return rc;
  if (use.is_right) return refuse_right_join(cursor, column, err);
  return rtk_err_set(err,
                     "no usable %s: write it as the %s argument or as %s = …"
                     " or IN (…) outside OR; the table that supplies it must"
                     " stand to the left",
                     column->name, place(k), column->name);
}

/* An argument that the statement compares, but that xFilter got no value of. */
static int refuse_unoffered(const struct rtk_column *column,
                            struct rtk_err *err) {
  return rtk_err_set(err,
                     "%s works only as %s = … or IN (…), joined by AND: within"
                     " OR or an expression write two SELECTs with UNION (%s)",
                     column->name, column->name, column->doc);
}

/* The statement names the column.  It may only show it; does it compare it?  With
** the default that will be taken it may. */
static int check_unoffered(struct rtk_cursor *cursor, int bits, int k,
                           int index, struct rtk_err *err) {
  struct rtk_program_use use;
  int rc = look_at_program(cursor, bits, k, -1, &use);
  bool is_meant = use.is_decisive || (use.is_said && use.is_right);
  if (rc != SQLITE_OK || !is_meant) return rc;
  const struct rtk_column *column = &cursor->endpoint->columns[index];
  return use.is_right ? refuse_right_join(cursor, column, err)
                      : refuse_unoffered(column, err);
}

/* The code of one argument, where it stands for no value. */
static int check_code(struct rtk_cursor *cursor, int bits, int k, int index,
                      struct rtk_err *err) {
  enum rtk_plan_code code = RTK_PLAN_CODE_OF(bits, k);
  const struct rtk_column *column = &cursor->endpoint->columns[index];
  if (column->argument == RTK_ARGUMENT_ID) return SQLITE_OK;
  if (code == RTK_PLAN_IN_VAIN) {
    return rtk_err_set(
        err,
        "%s is compared with = or IN only, outside OR, and by the"
        " collation BINARY (%s)",
        column->name, column->doc);
  }
  if (code == RTK_PLAN_UNOFFERED && !cursor->is_collecting &&
      cursor->checked_bits != bits) {
    return check_unoffered(cursor, bits, k, index, err);
  }
  return SQLITE_OK;
}

static bool has_value(enum rtk_plan_code code, bool is_id) {
  return code == RTK_PLAN_VALUE || (is_id && code == RTK_PLAN_BOTH);
}

static int read_argument(struct rtk_cursor *cursor, int k, sqlite3_value *one,
                         struct by *by, struct rtk_err *err) {
  int index = rtk_endpoint_argument(cursor->endpoint, k);
  const struct rtk_column *column = &cursor->endpoint->columns[index];
  bool is_null = false;
  if (column->argument == RTK_ARGUMENT_SCOPE) {
    int rc = read_scope(cursor, k, column, one, &is_null, err);
    if (is_null && by->null_scope == NULL) {
      by->null_scope = column;
      by->null_place = k;
    }
    return rc;
  }
  forget_given(cursor, k);
  if (one != NULL) {
    cursor->given[k] = sqlite3_value_dup(one);
    if (cursor->given[k] == NULL) return SQLITE_NOMEM;
  }
  return read_filter(cursor, k, column, by, err);
}

/* Takes xFilter's values apart, in the order that plan.h describes. */
static int read_arguments(struct rtk_cursor *cursor, int bits,
                          sqlite3_value **values, struct by *by,
                          struct rtk_err *err) {
  const struct rtk_endpoint *endpoint = cursor->endpoint;
  sqlite3_value **argv = values;
  int rc = SQLITE_OK;
  by->bits = bits;
  for (int k = 0; rc == SQLITE_OK && rtk_endpoint_argument(endpoint, k) >= 0;
       k++) {
    int index = rtk_endpoint_argument(endpoint, k);
    enum rtk_plan_code code = RTK_PLAN_CODE_OF(bits, k);
    bool is_id = endpoint->columns[index].argument == RTK_ARGUMENT_ID;
    by->value = (int)(argv - values);
    sqlite3_value *one = has_value(code, is_id) ? *argv++ : NULL;
    rc = check_code(cursor, bits, k, index, err);
    if (rc != SQLITE_OK) return rc;
    if (!is_id) {
      rc = read_argument(cursor, k, one, by, err);
      continue;
    }
    by->one = one;
    by->list = code == RTK_PLAN_LIST || code == RTK_PLAN_BOTH ? *argv++ : NULL;
    if (code == RTK_PLAN_NONE) {
      rc = refuse_missing(cursor, bits, k, &endpoint->columns[index], err);
    }
  }
  return rc;
}

/* Says how many arguments there are, and how a filter is written. */
static int refuse_surplus(const struct rtk_endpoint *endpoint,
                          struct rtk_err *err) {
  int count = rtk_endpoint_path_count(endpoint);
  int filter = rtk_endpoint_argument(endpoint, count);
  sqlite3_str *out = sqlite3_str_new(NULL);
  sqlite3_str_appendf(out, "it takes %d arguments (", count);
  for (int k = 0; k < count; k++) {
    int column = rtk_endpoint_argument(endpoint, k);
    sqlite3_str_appendf(out, "%s%s", k == 0 ? "" : ", ",
                        endpoint->columns[column].name);
  }
  sqlite3_str_appendall(out, ")");
  if (filter >= 0) {
    sqlite3_str_appendf(out, "; a filter is written as WHERE %s = …",
                        endpoint->columns[filter].name);
  }
  return rtk_err_finish(err, out);
}

/* --- rows ------------------------------------------------------------------- */

static bool gives_error_rows(const struct rtk_cursor *cursor) {
  return strcmp(rtk_config_text(cursor->conn->config, RTK_ON_ERROR), "row") ==
         0;
}

/* The collecting run gets one row without data for what is not known. */
static int enter_unknown(struct rtk_cursor *cursor) {
  static const struct rtk_reply placeholder = {.outcome = RTK_OUTCOME_ROWS};
  const struct rtk_wanted *wanted = &cursor->batch.wanted;
  cursor->reply = &placeholder;
  cursor->row = 0;
  if (cursor->is_foretold || wanted->id < 0) return SQLITE_OK;
  return rtk_ahead_collect(cursor->conn->ahead, wanted);
}

/* Makes the reply's first row the current one, if it has any. */
static int enter_reply(struct rtk_cursor *cursor, const struct rtk_reply *reply,
                       struct rtk_err *err) {
  if (reply == NULL) return enter_unknown(cursor);
  bool is_failure = reply->outcome == RTK_OUTCOME_FAILED ||
                    reply->outcome == RTK_OUTCOME_DENIED;
  bool is_row = is_failure && gives_error_rows(cursor);
  if (is_failure || reply->outcome == RTK_OUTCOME_CALLER) {
    struct rtk_err why = {.kind = reply->kind,
                          .http_status = reply->http_status,
                          .retry_unix_ms = reply->retry_unix_ms};
    if (is_row && !cursor->is_collecting) {
      rtk_stats_note_error(&cursor->conn->stats, &why);
    } else if (!is_row) {
      why.message = err->message;
      *err = why;
      return rtk_err_set(err, "%s", reply->error);
    }
  }
  if (is_row || reply->row_count > 0) {
    cursor->reply = reply;
    if (!cursor->is_collecting) {
      cursor->conn->stats.rows += is_row ? 1 : reply->row_count;
    }
  }
  cursor->row = 0;
  return SQLITE_OK;
}

/* Makes a failure that came of no request the current row, or the error.  Takes
** the message. */
static int enter_own(struct rtk_cursor *cursor, enum rtk_kind kind,
                     char *message, struct rtk_err *err) {
  struct rtk_reply draft = {
      .outcome = RTK_OUTCOME_FAILED, .error = message, .kind = kind};
  if (message == NULL) return SQLITE_NOMEM;
  rtk_reply_free(cursor->own);
  cursor->own = NULL;
  int rc = rtk_reply_of_error(&draft, &cursor->own);
  sqlite3_free(message);
  return rc == SQLITE_OK ? enter_reply(cursor, cursor->own, err) : rc;
}

/* The reply that is `index` in the batch `from` has come; of a list it is the first
** page, and the others follow it. */
static int begin_reply(struct rtk_cursor *cursor, struct rtk_batch *from,
                       size_t index, const struct rtk_entry *first,
                       struct rtk_err *err) {
  struct rtk_batch *batch = &cursor->batch;
  cursor->id_index = from == batch ? index : 0;
  rtk_ids_clear(&cursor->seen);
  rtk_batch_set_id(batch, cursor->id_index);
  if (batch->wanted.page > 0 && first->reply != NULL) {
    rtk_pages_begin(&cursor->pages, &batch->wanted, first);
    rtk_batch_give_pages(from, index, &cursor->pages);
  }
  return enter_reply(cursor, first->reply, err);
}

static const struct rtk_value *data_of(const struct rtk_cursor *cursor,
                                       int column) {
  static const struct rtk_value none = {.type = RTK_NULL};
  const struct rtk_reply *reply = cursor->reply;
  int width = cursor->endpoint->column_count;
  if (reply->row_count == 0) return &none;
  return &reply->values[cursor->row * width + column];
}

static void count_new(struct rtk_cursor *cursor) {
  cursor->pages.rows++;
  cursor->pages.page_rows++;
}

/* Has the current row been in the list before?  Such a row is passed over. */
static int is_repeat(struct rtk_cursor *cursor, bool *is) {
  const struct rtk_value *key = data_of(cursor, 0);
  struct rtk_text text = {key->as.text, key->size};
  char digits[32];
  bool is_new = true;
  *is = false;
  if (cursor->pages.count == 0 || cursor->reply->row_count == 0) {
    return SQLITE_OK;
  }
  if (key->type == RTK_INTEGER) {
    sqlite3_snprintf((int)sizeof(digits), digits, "%lld", key->as.integer);
    text = (struct rtk_text){digits, strlen(digits)};
  } else if (key->type != RTK_TEXT) {
    *is = cursor->pages.is_same;
    if (!*is) count_new(cursor);
    return SQLITE_OK;
  }
  int rc = rtk_ids_add_new(&cursor->seen, text, &is_new);
  if (is_new) count_new(cursor);
  *is = !is_new;
  return rc;
}

static bool has_filter(const struct rtk_cursor *cursor) {
  const struct rtk_wanted *wanted = &cursor->batch.wanted;
  for (int k = wanted->path_count; k < wanted->count; k++) {
    int column = rtk_endpoint_argument(cursor->endpoint, k);
    if (wanted->arguments[k].bytes != NULL &&
        !cursor->endpoint->columns[column].is_order) {
      return true;
    }
  }
  return false;
}

/* The list ended and not all of it has come.  With a filter the total may count
** what the filter leaves out (the reference does not say): that is only counted. */
static int end_list(struct rtk_cursor *cursor, enum rtk_pages_end end,
                    struct rtk_err *err) {
  const struct rtk_pages *pages = &cursor->pages;
  struct rtk_stats *stats = &cursor->conn->stats;
  char *message = NULL;
  if (end == RTK_PAGES_SHORT && has_filter(cursor)) {
    stats->short_lists++;
    sqlite3_snprintf((int)sizeof(stats->last_short_list),
                     stats->last_short_list, "%s: %lld of %lld rows",
                     cursor->endpoint->name, (long long)pages->rows,
                     (long long)pages->total_count);
    return SQLITE_OK;
  }
  if (end == RTK_PAGES_WHOLE) return SQLITE_OK;
  if (end == RTK_PAGES_SHORT) {
    message =
        sqlite3_mprintf("%lld of %lld rows: the list ended before its"
                        " total_count; run the statement again, and report"
                        " it if it stays so",
                        (long long)pages->rows, (long long)pages->total_count);
  } else {
    message = sqlite3_mprintf("%lld rows, and there are more: a list ends after"
                              " %d pages; ask for less of it with a filter",
                              (long long)pages->rows, RTK_PAGES_MAX);
  }
  return enter_own(cursor, RTK_KIND_REPLY, message, err);
}

/* The next reply: a page of the current list, or of the next id. */
static int next_reply(struct rtk_cursor *cursor, bool *is_end,
                      struct rtk_err *err) {
  struct rtk_entry *entry = NULL;
  enum rtk_pages_end end = RTK_PAGES_WHOLE;
  size_t index = 0;
  cursor->reply = NULL;
  if (cursor->is_all_own) {
    *is_end = ++cursor->id_index >= cursor->batch.ids.count;
    return *is_end ? SQLITE_OK : enter_reply(cursor, cursor->own, err);
  }
  if (cursor->pages.count > 0) {
    rtk_batch_release_out(&cursor->batch);
    int rc = rtk_pages_next(&cursor->pages, &entry, &end, err);
    if (rc != SQLITE_OK) return rc;
    if (entry != NULL) return enter_reply(cursor, entry->reply, err);
    rc = end_list(cursor, end, err);
    rtk_pages_end(&cursor->pages);
    if (rc != SQLITE_OK || cursor->reply != NULL) return rc;
  }
  int rc = rtk_batch_next(&cursor->batch, &entry, &index, err);
  *is_end = entry == NULL;
  return *is_end ? rc : begin_reply(cursor, &cursor->batch, index, entry, err);
}

/* From the current row on to the first that has not been before, in this reply
** or those that follow; none at the end. */
static int find_row(struct rtk_cursor *cursor, struct rtk_err *err) {
  bool is_end = false;
  int rc = SQLITE_OK;
  while (rc == SQLITE_OK && !is_end) {
    bool is_over = true;
    while (is_over && cursor->reply != NULL) {
      int count = cursor->reply->row_count == 0 ? 1 : cursor->reply->row_count;
      if (cursor->row >= count) break;
      rc = is_repeat(cursor, &is_over);
      if (rc != SQLITE_OK || !is_over) return rc;
      cursor->row++;
    }
    rc = next_reply(cursor, &is_end, err);
  }
  return rc;
}

/* --- scans ------------------------------------------------------------------- */

/* The scan's one id is the one at `index` of a batch that scans share. */
static int begin_shared(struct rtk_cursor *cursor, struct rtk_batch *shared,
                        size_t index, struct rtk_err *err) {
  struct rtk_entry *entry = NULL;
  int rc = rtk_batch_get(shared, index, &entry, err);
  if (rc != SQLITE_OK) return rc;
  rtk_batch_take_out(&cursor->batch, shared);
  rc = begin_reply(cursor, shared, index, entry, err);
  return rc == SQLITE_OK ? find_row(cursor, err) : rc;
}

/* An equality with a list to read ahead from.  An id that is not in the copy
** of the list may be in the list as it is now, if that depends on an outer
** row; if it is in neither, it is not asked for. */
static int begin_in_list(struct rtk_cursor *cursor, const struct by *by,
                         struct rtk_err *err) {
  struct rtk_text id;
  struct rtk_batch *list = &cursor->list;
  size_t index = 0;
  int rc = SQLITE_OK;
  if (!read_id(by->one, &id, &rc)) return add_id(cursor, by->one);
  if (list->ids.count == 0) {
    rc = add_list(cursor, &list->ids, by->list, NULL, err);
  }
  if (rc == SQLITE_OK) rc = rtk_ids_find(&list->ids, id, &index);
  if (rc == SQLITE_NOTFOUND) {
    rc = add_list(cursor, &cursor->batch.ids, by->list, &id, err);
  } else if (rc == SQLITE_OK) {
    rc = add_id(cursor, by->one);
    if (rc == SQLITE_OK && !cursor->is_list_off) {
      return begin_shared(cursor, list, index, err);
    }
  }
  return rc == SQLITE_OK ? find_row(cursor, err) : rc;
}

/* Has the scan's one id been collected?  If it is not known either, it may now
** be the time to do so. */
static int look_ahead(struct rtk_cursor *cursor, struct rtk_batch **collected,
                      size_t *index, struct rtk_err *err) {
  struct rtk_ahead *ahead = cursor->conn->ahead;
  struct rtk_batch *batch = &cursor->batch;
  bool is_known = false;
  bool has_run = false;
  rtk_batch_set_id(batch, 0);
  int rc = rtk_ahead_find(ahead, &batch->wanted, collected, index);
  if (rc != SQLITE_NOTFOUND) return rc;
  rc = rtk_batch_ask(batch, &is_known, err);
  if (rc == SQLITE_OK && !is_known) rc = rtk_ahead_miss(ahead, &has_run, err);
  if (rc != SQLITE_OK) return rc;
  return has_run ? rtk_ahead_find(ahead, &batch->wanted, collected, index)
                 : SQLITE_NOTFOUND;
}

static int begin_one(struct rtk_cursor *cursor, const struct by *by,
                     struct rtk_err *err) {
  struct rtk_batch *collected = NULL;
  size_t index = 0;
  int rc = add_id(cursor, by->one);
  if (rc != SQLITE_OK || cursor->batch.ids.count == 0) return rc;
  if (!cursor->is_collecting) {
    rc = look_ahead(cursor, &collected, &index, err);
    if (rc == SQLITE_OK) return begin_shared(cursor, collected, index, err);
    if (rc != SQLITE_NOTFOUND) return rc;
  }
  return find_row(cursor, err);
}

/* The account or app is NULL, as a variable that was not set.  Each id that could
** be asked for fails; an outer join's NULL id is no row, as ever. */
static int begin_null_scope(struct rtk_cursor *cursor, const struct by *by,
                            struct rtk_err *err) {
  struct rtk_ids *ids = &cursor->batch.ids;
  const struct rtk_column *column = by->null_scope;
  int rc = SQLITE_OK;
  if (cursor->batch.wanted.id < 0) {
    rc = rtk_ids_add(ids, (struct rtk_text){"", 0});
  } else if (by->one != NULL) {
    rc = add_id(cursor, by->one);
  } else {
    rc = add_list(cursor, ids, by->list, NULL, err);
  }
  if (rc != SQLITE_OK || ids->count == 0) return rc;
  cursor->is_all_own = true;
  cursor->id_index = 0;
  char *message = sqlite3_mprintf(
      "%s is NULL: give its id as the %s argument, or a default: SELECT"
      " rtk_config('%s', '…')",
      column->name, place(by->null_place), rtk_config_name(column->setting));
  return enter_own(cursor, RTK_KIND_USAGE, message, err);
}

static void end_scan(struct rtk_cursor *cursor) {
  rtk_pages_end(&cursor->pages);
  rtk_batch_clear(&cursor->batch);
  rtk_reply_free(cursor->own);
  cursor->own = NULL;
  cursor->is_all_own = false;
  cursor->reply = NULL;
}

int rtk_cursor_filter(struct rtk_cursor *cursor, int bits, sqlite3_value **argv,
                      struct rtk_err *err) {
  struct by by = {0};
  end_scan(cursor);
  cursor->is_stand_in = (bits & RTK_PLAN_STAND_IN) != 0;
  if ((bits & RTK_PLAN_SURPLUS) != 0) {
    return refuse_surplus(cursor->endpoint, err);
  }
  int rc = read_arguments(cursor, bits, argv, &by, err);
  if (rc != SQLITE_OK) return rc;
  cursor->checked_bits = bits;
  if (by.is_none) return SQLITE_OK;
  if (by.null_scope != NULL) return begin_null_scope(cursor, &by, err);
  if (cursor->batch.wanted.id < 0) {
    rc = rtk_ids_add(&cursor->batch.ids, (struct rtk_text){"", 0});
    return rc == SQLITE_OK ? find_row(cursor, err) : rc;
  }
  cursor->is_foretold = by.list != NULL;
  if (by.list == NULL) return begin_one(cursor, &by, err);
  if (by.one != NULL) return begin_in_list(cursor, &by, err);
  rc = add_list(cursor, &cursor->batch.ids, by.list, NULL, err);
  return rc == SQLITE_OK ? find_row(cursor, err) : rc;
}

int rtk_cursor_next(struct rtk_cursor *cursor, struct rtk_err *err) {
  cursor->row++;
  return find_row(cursor, err);
}

bool rtk_cursor_is_at_end(const struct rtk_cursor *cursor) {
  return cursor->reply == NULL;
}

static void put_text(sqlite3_context *out, struct rtk_text text) {
  if (text.size == 0) return; /* NULL */
  sqlite3_result_text(out, text.bytes, (int)text.size, SQLITE_TRANSIENT);
}

/* A filter as it was given, its type included.  An id, account or app as the text
** that was asked for: the columns are declared TEXT, and SQLite does not convert
** what such a column holds before it compares it with another. */
static void put_argument(sqlite3_context *out, const struct rtk_cursor *cursor,
                         int column) {
  const struct rtk_endpoint *endpoint = cursor->endpoint;
  const struct rtk_ids *ids = &cursor->batch.ids;
  int k = 0;
  while (rtk_endpoint_argument(endpoint, k) != column) k++;
  if (endpoint->columns[column].argument == RTK_ARGUMENT_ID) {
    put_text(out, rtk_ids_text(ids, cursor->id_index));
  } else if (cursor->given[k] != NULL) {
    sqlite3_result_value(out, cursor->given[k]);
  } else {
    put_text(out, cursor->batch.wanted.arguments[k]);
  }
}

static int stood_for(const struct rtk_endpoint *endpoint,
                     const struct rtk_column *column) {
  int i = 0;
  while (strcmp(endpoint->columns[i].name, column->stands_for) != 0) i++;
  return i;
}

/* A row with an error has no data, but where the query compares `id`, or a
** column that the server filters by, what was asked for is echoed: SQLite would
** drop the row otherwise, and the error with it. */
void rtk_cursor_column(const struct rtk_cursor *cursor, sqlite3_context *out,
                       int i) {
  const struct rtk_endpoint *endpoint = cursor->endpoint;
  const struct rtk_reply *reply = cursor->reply;
  const struct rtk_column *column = &endpoint->columns[i];
  const struct rtk_value *value = NULL;
  switch (column->kind) {
  case RTK_COLUMN_DATA:
    value = data_of(cursor, i);
    if (value->type == RTK_NULL && cursor->is_stand_in &&
        column->stands_for != NULL) {
      put_argument(out, cursor, stood_for(endpoint, column));
    } else if (reply->row_count == 0 &&
               column->argument == RTK_ARGUMENT_FILTER) {
      put_argument(out, cursor, i);
    } else {
      rtk_rows_result(out, value);
    }
    break;
  case RTK_COLUMN_ARGUMENT:
    put_argument(out, cursor, i);
    break;
  case RTK_COLUMN_ERROR:
    if (reply->error != NULL) {
      sqlite3_result_text(out, reply->error, -1, SQLITE_TRANSIENT);
    }
    break;
  case RTK_COLUMN_KIND:
    sqlite3_result_text(out, rtk_kind_word(reply->kind), -1, SQLITE_STATIC);
    break;
  case RTK_COLUMN_SURPLUS: /* NULL */
    break;
  case RTK_COLUMN_STATUS:
    if (reply->http_status != 0) sqlite3_result_int(out, reply->http_status);
    break;
  case RTK_COLUMN_RESPONSE:
    put_text(out, reply->body);
    break;
  }
}

static uint64_t add_text(uint64_t hash, struct rtk_text text) {
  uint64_t size = text.size;
  hash = rtk_hash_add(hash, &size, sizeof(size));
  return text.size == 0 ? hash : rtk_hash_add(hash, text.bytes, text.size);
}

static uint64_t add_value(uint64_t hash, const struct rtk_value *value) {
  hash = rtk_hash_add(hash, &value->type, sizeof(value->type));
  switch (value->type) {
  case RTK_NULL:
    break;
  case RTK_INTEGER:
    return rtk_hash_add(hash, &value->as.integer, sizeof(value->as.integer));
  case RTK_REAL:
    return rtk_hash_add(hash, &value->as.real, sizeof(value->as.real));
  case RTK_TEXT:
    return add_text(hash, (struct rtk_text){value->as.text, value->size});
  }
  return hash;
}

/* The same row has the same number in every cursor, whatever the filters: SQLite
** tells the rows of an OR apart by it, and those of a RIGHT JOIN, which reads the
** table once with the terms of its ON and once without.  Of: the table, account,
** app, the ids of the path, and the row's own id.  A row without an id is told by all
** of its values: under another filter it stands in another place.  A row that only
** holds an error is told by its page. */
int64_t rtk_cursor_rowid(const struct rtk_cursor *cursor) {
  const struct rtk_wanted *wanted = &cursor->batch.wanted;
  const struct rtk_endpoint *endpoint = cursor->endpoint;
  uint64_t hash =
      rtk_hash_add(RTK_HASH_START, endpoint->name, strlen(endpoint->name));
  for (int k = 0; k < wanted->path_count; k++) {
    hash = add_text(hash, k == wanted->id ? rtk_ids_text(&cursor->batch.ids,
                                                         cursor->id_index)
                                          : wanted->arguments[k]);
  }
  if (endpoint->is_list && cursor->reply->row_count == 0) {
    hash = rtk_hash_add(hash, &cursor->pages.current,
                        sizeof(cursor->pages.current));
  } else if (endpoint->is_list) {
    bool is_named = data_of(cursor, 0)->type != RTK_NULL;
    int count = is_named ? 1 : endpoint->column_count;
    for (int i = 0; i < count; i++) hash = add_value(hash, data_of(cursor, i));
  }
  return (int64_t)(hash & INT64_MAX);
}
