/*
** The virtual table that all endpoints share: SQLite's methods on one side,
** plan.c and batch.c on the other.  Knows no endpoint by name.
**
** A cursor's query is always a batch of ids, of one id for a point look-up;
** its rows are the rows of the replies, in the order of the ids.
**
** Return codes: only SQLITE_OK, SQLITE_ERROR, SQLITE_CONSTRAINT (xBestIndex),
** SQLITE_INTERRUPT and SQLITE_NOMEM.  SQLITE_IOERR or SQLITE_FULL from a
** method would roll back the host's transaction.
*/
#include "vtab.h"

#include "batch.h"
#include "config.h"
#include "conn.h"
#include "endpoint.h"
#include "err.h"
#include "limits.h"
#include "memo.h"
#include "plan.h"
#include "reply.h"
#include "url.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* What SQLite keeps for one registered table. */
struct module {
  struct rtk_conn *conn; /* held */
  const struct rtk_endpoint *endpoint;
};

struct table {
  sqlite3_vtab base; /* first: SQLite's view of it */
  struct rtk_conn *conn;
  const struct rtk_endpoint *endpoint;
};

struct cursor {
  sqlite3_vtab_cursor base; /* first: SQLite's view of it */
  struct rtk_batch batch;
  /* The arguments as they were given, to be echoed: NULL where the query had
  ** none, or a list. */
  sqlite3_value *given[RTK_INPUTS_MAX];
  /* What is asked for; memory behind the batch's arguments. */
  char *scope[RTK_INPUTS_MAX];
  const struct rtk_reply *reply; /* the current row's; NULL at the end */
  uint64_t url_hash;             /* of the current reply, for the rowid */
  size_t id_index;               /* of the current reply, in batch.ids */
  int row;                       /* in the reply */
};

static struct table *table_of(const struct cursor *cursor) {
  return (struct table *)(void *)cursor->base.pVtab;
}

/* Moves a message to where SQLite looks for it. */
static int fail(struct table *table, int rc, struct rtk_err *err) {
  rtk_err_prefix(err, table->endpoint->name);
  sqlite3_free(table->base.zErrMsg);
  table->base.zErrMsg = rtk_err_take(err);
  return rc;
}

/* --- the table ------------------------------------------------------------- */

static int connect(sqlite3 *db, void *user, int argc, const char *const *argv,
                   sqlite3_vtab **vtab, char **message) {
  const struct module *module = user;
  (void)argc;
  (void)argv;
  char *schema = rtk_endpoint_schema(module->endpoint);
  if (schema == NULL) return SQLITE_NOMEM;
  int rc = sqlite3_declare_vtab(db, schema);
  sqlite3_free(schema);
  /* The table reaches outside with a credential: a database from somebody
  ** else must not be able to use it from its views and triggers. */
  if (rc == SQLITE_OK && !rtk_conn_trusts_schema(module->conn)) {
    rc = sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
  }
  if (rc != SQLITE_OK) {
    *message = sqlite3_mprintf("%s", sqlite3_errmsg(db));
    return rc;
  }
  struct table *table = sqlite3_malloc64(sizeof(*table));
  if (table == NULL) return SQLITE_NOMEM;
  memset(table, 0, sizeof(*table));
  table->conn = module->conn;
  table->endpoint = module->endpoint;
  *vtab = &table->base;
  return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *vtab) {
  sqlite3_free(vtab);
  return SQLITE_OK;
}

/* --- planning -------------------------------------------------------------- */

static bool has_vtab_in(void) {
#if SQLITE_VERSION_NUMBER >= RTK_SQLITE_VTAB_IN
  return sqlite3_libversion_number() >= RTK_SQLITE_VTAB_IN;
#else
  return false;
#endif
}

static bool is_list(sqlite3_index_info *info, int i) {
#if SQLITE_VERSION_NUMBER >= RTK_SQLITE_VTAB_IN
  return has_vtab_in() && sqlite3_vtab_in(info, i, -1) != 0;
#else
  (void)info;
  (void)i;
  return false;
#endif
}

static void take_whole(sqlite3_index_info *info, int i) {
#if SQLITE_VERSION_NUMBER >= RTK_SQLITE_VTAB_IN
  if (has_vtab_in()) (void)sqlite3_vtab_in(info, i, 1);
#else
  (void)info;
  (void)i;
#endif
}

static struct rtk_plan_term read_term(sqlite3_index_info *info, int i) {
  const struct sqlite3_index_constraint *from = &info->aConstraint[i];
  struct rtk_plan_term term = {
      .column = from->iColumn, .op = from->op, .is_usable = from->usable != 0};
  const char *collation = sqlite3_vtab_collation(info, i);
  term.is_binary =
      collation != NULL && sqlite3_stricmp(collation, "BINARY") == 0;
  term.is_list = is_list(info, i);
  return term;
}

static int best_index(sqlite3_vtab *vtab, sqlite3_index_info *info) {
  const struct table *table = (const struct table *)(void *)vtab;
  size_t size = (size_t)info->nConstraint * sizeof(struct rtk_plan_term);
  struct rtk_plan_term *terms = sqlite3_malloc64(size == 0 ? 1 : size);
  struct rtk_plan plan;
  if (terms == NULL) return SQLITE_NOMEM;
  for (int i = 0; i < info->nConstraint; i++) terms[i] = read_term(info, i);

  int rc = rtk_plan_choose(table->endpoint, terms, info->nConstraint, &plan);
  if (rc != SQLITE_OK) goto done;
  for (int i = 0; i < info->nConstraint; i++) {
    info->aConstraintUsage[i].argvIndex = terms[i].argv;
    info->aConstraintUsage[i].omit = terms[i].is_exact;
    if (terms[i].is_whole) take_whole(info, i);
  }
  info->idxNum = plan.bits;
  info->estimatedCost = plan.cost;
  info->estimatedRows = plan.rows;
  if (plan.is_unique) info->idxFlags = SQLITE_INDEX_SCAN_UNIQUE;
  info->idxStr = sqlite3_mprintf("%s", plan.words);
  info->needToFreeIdxStr = 1;
  if (info->idxStr == NULL) rc = SQLITE_NOMEM;

done:
  sqlite3_free(terms);
  return rc;
}

/* --- cursors --------------------------------------------------------------- */

static int open_cursor(sqlite3_vtab *vtab, sqlite3_vtab_cursor **out) {
  struct table *table = (struct table *)(void *)vtab;
  struct cursor *cursor = sqlite3_malloc64(sizeof(*cursor));
  if (cursor == NULL) return SQLITE_NOMEM;
  memset(cursor, 0, sizeof(*cursor));
  cursor->batch.fetch = table->conn->fetch;
  cursor->batch.endpoint = table->endpoint;
  rtk_conn_open_cursor(table->conn);
  *out = &cursor->base;
  return SQLITE_OK;
}

static void clear_cursor(struct cursor *cursor) {
  for (int k = 0; k < RTK_INPUTS_MAX; k++) {
    sqlite3_value_free(cursor->given[k]);
    sqlite3_free(cursor->scope[k]);
    cursor->given[k] = NULL;
    cursor->scope[k] = NULL;
  }
  cursor->reply = NULL;
  rtk_batch_clear(&cursor->batch);
}

static int close_cursor(sqlite3_vtab_cursor *base) {
  struct cursor *cursor = (struct cursor *)(void *)base;
  struct table *table = table_of(cursor);
  clear_cursor(cursor);
  rtk_batch_deinit(&cursor->batch);
  rtk_conn_close_cursor(table->conn);
  sqlite3_free(cursor);
  return SQLITE_OK;
}

/* --- arguments ------------------------------------------------------------- */

static const char *const places[] = {"first",  "second", "third",
                                     "fourth", "fifth",  "sixth"};

/* Text as it is, an integer as its digits; false for any other type.  The
** text is borrowed from the value. */
static bool read_text(sqlite3_value *value, struct rtk_text *text, int *rc) {
  int type = sqlite3_value_type(value);
  if (type != SQLITE_TEXT && type != SQLITE_INTEGER) return false;
  text->bytes = (const char *)sqlite3_value_text(value);
  text->size = (size_t)sqlite3_value_bytes(value);
  if (text->bytes == NULL) *rc = SQLITE_NOMEM;
  return text->bytes != NULL;
}

/* An id that no request can carry is left out: it has no row. */
static int add_id(struct cursor *cursor, sqlite3_value *value) {
  struct rtk_text text;
  int rc = SQLITE_OK;
  bool is_integer = sqlite3_value_type(value) == SQLITE_INTEGER;
  if (!read_text(value, &text, &rc)) return rc;
  if (!rtk_url_can_carry(text, RTK_ID_MAX)) return SQLITE_OK;
  return rtk_ids_add(&cursor->batch.ids, text, is_integer);
}

static int add_list(struct cursor *cursor, sqlite3_value *list,
                    struct rtk_err *err) {
#if SQLITE_VERSION_NUMBER >= RTK_SQLITE_VTAB_IN
  sqlite3_value *value = NULL;
  int rc = sqlite3_vtab_in_first(list, &value);
  while (rc == SQLITE_OK && value != NULL) {
    rc = add_id(cursor, value);
    if (rc == SQLITE_OK) rc = sqlite3_vtab_in_next(list, &value);
  }
  if (rc == SQLITE_DONE || rc == SQLITE_OK || rc == SQLITE_NOMEM) {
    return rc == SQLITE_NOMEM ? rc : SQLITE_OK;
  }
  return rtk_err_set(err, "the IN list cannot be read: %s", sqlite3_errstr(rc));
#else
  (void)cursor;
  (void)list;
  return rtk_err_set(err, "built for a host without sqlite3_vtab_in()");
#endif
}

/* An account or app: from the query, else from the settings.  *is_none when
** the query has NULL and there is no default. */
static int read_scope(struct cursor *cursor, int k,
                      const struct rtk_column *column, bool *is_none,
                      struct rtk_err *err) {
  struct rtk_text text = {NULL, 0};
  sqlite3_value *given = cursor->given[k];
  int rc = SQLITE_OK;
  if (given == NULL || sqlite3_value_type(given) == SQLITE_NULL) {
    const struct rtk_config *config = table_of(cursor)->conn->config;
    enum rtk_setting setting = 0;
    rc = rtk_config_find(column->setting, &setting, err);
    if (rc != SQLITE_OK) return rc;
    text.bytes = rtk_config_text(config, setting);
    if (text.bytes == NULL && given != NULL) *is_none = true;
    if (*is_none) return SQLITE_OK;
    if (text.bytes == NULL) {
      return rtk_err_set(err,
                         "no %s: write it as the %s argument, or give it a"
                         " default: SELECT rtk_config('%s', '…')",
                         column->name, places[k], column->setting);
    }
    text.size = strlen(text.bytes);
  } else if (!read_text(given, &text, &rc) && rc != SQLITE_OK) {
    return rc;
  }
  if (!rtk_url_can_carry(text, column->max_chars) ||
      memchr(text.bytes, '/', text.size) != NULL) {
    return rtk_err_set(err,
                       "%s must be text of 1 to %d characters without '/', and"
                       " not '.' or '..'",
                       column->name, (int)column->max_chars);
  }
  cursor->scope[k] = sqlite3_mprintf("%.*s", (int)text.size, text.bytes);
  if (cursor->scope[k] == NULL) return SQLITE_NOMEM;
  cursor->batch.arguments[k] = (struct rtk_text){cursor->scope[k], text.size};
  return SQLITE_OK;
}

static int missing(int k, const struct rtk_column *column,
                   struct rtk_err *err) {
  return rtk_err_set(err,
                     "no usable %s: write it as the %s argument or as %s = …"
                     " or IN (…) outside OR; the table that supplies it must"
                     " stand to the left",
                     column->name, places[k], column->name);
}

/* Takes xFilter's values apart, in the order that plan.h describes. */
static int read_arguments(struct cursor *cursor, int bits, sqlite3_value **argv,
                          struct rtk_err *err) {
  const struct rtk_endpoint *endpoint = table_of(cursor)->endpoint;
  bool is_none = false;
  int rc = SQLITE_OK;
  int k = 0;
  for (; rc == SQLITE_OK && rtk_endpoint_argument(endpoint, k) >= 0; k++) {
    int index = rtk_endpoint_argument(endpoint, k);
    const struct rtk_column *column = &endpoint->columns[index];
    sqlite3_value *one = (bits & RTK_PLAN_ONE(k)) != 0 ? *argv++ : NULL;
    sqlite3_value *list = (bits & RTK_PLAN_LIST(k)) != 0 ? *argv++ : NULL;
    if (one != NULL) {
      cursor->given[k] = sqlite3_value_dup(one);
      if (cursor->given[k] == NULL) return SQLITE_NOMEM;
    }
    if (column->argument == RTK_ARGUMENT_SCOPE) {
      rc = read_scope(cursor, k, column, &is_none, err);
    } else if (one != NULL) {
      rc = add_id(cursor, one);
    } else if (list != NULL) {
      rc = add_list(cursor, list, err);
    } else {
      rc = missing(k, column, err);
    }
  }
  cursor->batch.argument_count = (size_t)k;
  if (is_none) rtk_ids_clear(&cursor->batch.ids);
  return rc;
}

/* --- rows ------------------------------------------------------------------- */

static bool gives_error_rows(const struct table *table) {
  return strcmp(rtk_config_text(table->conn->config, RTK_ON_ERROR), "row") == 0;
}

/* Makes the reply's first row the current one; false: it has none. */
static int enter_reply(struct cursor *cursor, const struct rtk_entry *entry,
                       bool *has_row, struct rtk_err *err) {
  const struct rtk_reply *reply = entry->reply;
  bool is_failure = reply->outcome == RTK_OUTCOME_FAILED ||
                    reply->outcome == RTK_OUTCOME_DENIED;
  bool is_row = is_failure && gives_error_rows(table_of(cursor));
  if (reply->outcome == RTK_OUTCOME_CALLER || (is_failure && !is_row)) {
    return rtk_err_set(err, "%s", reply->error);
  }
  *has_row = is_row || reply->row_count > 0;
  cursor->reply = reply;
  cursor->url_hash = entry->hash;
  cursor->row = 0;
  return SQLITE_OK;
}

static int next_row(struct cursor *cursor, struct rtk_err *err) {
  bool has_row = false;
  if (cursor->reply != NULL && ++cursor->row < cursor->reply->row_count) {
    return SQLITE_OK;
  }
  while (!has_row) {
    struct rtk_entry *entry = NULL;
    cursor->reply = NULL;
    int rc = rtk_batch_next(&cursor->batch, &entry, &cursor->id_index, err);
    if (rc == SQLITE_OK && entry == NULL) return SQLITE_OK;
    if (rc == SQLITE_OK) rc = enter_reply(cursor, entry, &has_row, err);
    if (rc != SQLITE_OK) {
      cursor->reply = NULL;
      return rc;
    }
  }
  return SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *base, int bits, const char *words,
                  int argc, sqlite3_value **argv) {
  struct cursor *cursor = (struct cursor *)(void *)base;
  struct rtk_err err = {0};
  (void)words;
  (void)argc;
  clear_cursor(cursor);
  int rc = read_arguments(cursor, bits, argv, &err);
  if (rc == SQLITE_OK) rc = next_row(cursor, &err);
  return rc == SQLITE_OK ? rc : fail(table_of(cursor), rc, &err);
}

static int next(sqlite3_vtab_cursor *base) {
  struct cursor *cursor = (struct cursor *)(void *)base;
  struct rtk_err err = {0};
  int rc = next_row(cursor, &err);
  return rc == SQLITE_OK ? rc : fail(table_of(cursor), rc, &err);
}

static int eof(sqlite3_vtab_cursor *base) {
  return ((const struct cursor *)(void *)base)->reply == NULL;
}

static void put_value(sqlite3_context *out, const struct rtk_value *value) {
  switch (value->type) {
  case RTK_NULL:
    sqlite3_result_null(out);
    break;
  case RTK_INTEGER:
    sqlite3_result_int64(out, value->as.integer);
    break;
  case RTK_REAL:
    sqlite3_result_double(out, value->as.real);
    break;
  case RTK_TEXT:
    sqlite3_result_text(out, value->as.text, (int)value->size,
                        SQLITE_TRANSIENT);
    break;
  }
}

static void put_text(sqlite3_context *out, struct rtk_text text) {
  if (text.size == 0) return; /* NULL */
  sqlite3_result_text(out, text.bytes, (int)text.size, SQLITE_TRANSIENT);
}

/* The argument as it was given, its type included; from a list, the id whose
** turn it is; else the default that was taken. */
static void put_argument(sqlite3_context *out, const struct cursor *cursor,
                         int column) {
  const struct rtk_endpoint *endpoint = table_of(cursor)->endpoint;
  const struct rtk_ids *ids = &cursor->batch.ids;
  int64_t integer = 0;
  int k = 0;
  while (rtk_endpoint_argument(endpoint, k) != column) k++;
  if (cursor->given[k] != NULL) {
    sqlite3_result_value(out, cursor->given[k]);
  } else if (endpoint->columns[column].argument == RTK_ARGUMENT_SCOPE) {
    put_text(out, cursor->batch.arguments[k]);
  } else if (rtk_ids_integer(ids, cursor->id_index, &integer)) {
    sqlite3_result_int64(out, integer);
  } else {
    put_text(out, rtk_ids_text(ids, cursor->id_index));
  }
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *out, int i) {
  const struct cursor *cursor = (const struct cursor *)(const void *)base;
  const struct rtk_endpoint *endpoint = table_of(cursor)->endpoint;
  const struct rtk_reply *reply = cursor->reply;
  switch (endpoint->columns[i].kind) {
  case RTK_COLUMN_DATA:
    if (reply->row_count == 0) break;
    put_value(out, &reply->values[cursor->row * endpoint->column_count + i]);
    break;
  case RTK_COLUMN_ARGUMENT:
    put_argument(out, cursor, i);
    break;
  case RTK_COLUMN_ERROR:
    if (reply->error != NULL) {
      sqlite3_result_text(out, reply->error, -1, SQLITE_TRANSIENT);
    }
    break;
  case RTK_COLUMN_STATUS:
    if (reply->http_status != 0) sqlite3_result_int(out, reply->http_status);
    break;
  case RTK_COLUMN_RESPONSE:
    put_text(out, reply->body);
    break;
  }
  return SQLITE_OK;
}

/* The same row has the same number in every cursor: SQLite tells the rows of
** an OR apart by it. */
static int rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out) {
  const struct cursor *cursor = (const struct cursor *)(const void *)base;
  uint64_t hash = cursor->url_hash + (uint64_t)cursor->row * 2654435761u;
  *out = (sqlite3_int64)(hash & INT64_MAX);
  return SQLITE_OK;
}

/* --- registering ------------------------------------------------------------ */

/* No xCreate: the table is there without CREATE VIRTUAL TABLE. */
static const sqlite3_module methods = {
    .xConnect = connect,
    .xBestIndex = best_index,
    .xDisconnect = disconnect,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = filter,
    .xNext = next,
    .xEof = eof,
    .xColumn = column,
    .xRowid = rowid,
};

static void free_module(void *user) {
  struct module *module = user;
  rtk_conn_release(module->conn);
  sqlite3_free(module);
}

int rtk_vtab_register(struct rtk_conn *conn,
                      const struct rtk_endpoint *endpoint) {
  struct module *module = sqlite3_malloc64(sizeof(*module));
  if (module == NULL) return SQLITE_NOMEM;
  module->conn = rtk_conn_hold(conn);
  module->endpoint = endpoint;
  return sqlite3_create_module_v2(conn->db, endpoint->name, &methods, module,
                                  free_module);
}
