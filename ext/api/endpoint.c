/* What an entry of endpoints.c implies: its arguments, and its schema. */
#include "api/endpoint.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

static bool is_filter(const struct rtk_column *column) {
  return column->argument == RTK_ARGUMENT_FILTER;
}

static bool is_of_path(const struct rtk_column *column) {
  return column->kind == RTK_COLUMN_ARGUMENT && !is_filter(column);
}

/* The column that stands in for the argument of this name, or -1. */
static int find_stand_in(const struct rtk_endpoint *endpoint,
                         const char *name) {
  for (int i = 0; i < endpoint->column_count; i++) {
    const char *stands_for = endpoint->columns[i].stands_for;
    if (stands_for != NULL && strcmp(stands_for, name) == 0) return i;
  }
  return -1;
}

static void add_argument(struct rtk_signature *signature, int column) {
  const struct rtk_column *argument = &signature->endpoint->columns[column];
  int k = signature->count++;
  int stand_in = find_stand_in(signature->endpoint, argument->name);
  signature->columns[k] = (signed char)column;
  signature->stand_ins[k] = (signed char)stand_in;
  signature->argument_of[column] = (signed char)k;
  if (stand_in >= 0) signature->argument_of[stand_in] = (signed char)k;
  if (argument->argument == RTK_ARGUMENT_SCOPE) signature->scope = k;
  if (argument->argument == RTK_ARGUMENT_ID) signature->id = k;
}

void rtk_endpoint_describe(const struct rtk_endpoint *endpoint,
                           struct rtk_signature *signature) {
  memset(signature, -1, sizeof(*signature));
  signature->endpoint = endpoint;
  signature->count = signature->data_count = 0;
  for (int i = 0; i < endpoint->column_count; i++) {
    const struct rtk_column *column = &endpoint->columns[i];
    if (is_of_path(column)) add_argument(signature, i);
    if (column->kind == RTK_COLUMN_DATA) {
      signature->place_of[i] = (signed char)signature->data_count++;
    }
  }
  signature->path_count = signature->count;
  for (int i = 0; i < endpoint->column_count; i++) {
    if (is_filter(&endpoint->columns[i])) add_argument(signature, i);
  }
}

const struct rtk_column *rtk_endpoint_argument(
    const struct rtk_signature *signature, int argument) {
  return &signature->endpoint->columns[signature->columns[argument]];
}

bool rtk_endpoint_is_outer_id(const struct rtk_signature *signature,
                              int argument) {
  return argument < signature->id &&
         rtk_endpoint_argument(signature, argument)->argument ==
             RTK_ARGUMENT_ID;
}

const char *rtk_endpoint_field(const struct rtk_column *column) {
  return column->field == NULL ? column->name : column->field;
}

bool rtk_endpoint_is_hidden(const struct rtk_column *column) {
  return column->is_hidden || column->kind != RTK_COLUMN_DATA;
}

const char *rtk_endpoint_type(const struct rtk_column *column) {
  static const char *const types[] = {
      [RTK_COLUMN_TEXT] = "TEXT",       [RTK_COLUMN_TIME] = "TEXT",
      [RTK_COLUMN_INTEGER] = "INTEGER", [RTK_COLUMN_NUMERIC] = "NUMERIC",
      [RTK_COLUMN_JSON] = "TEXT",
  };
  return types[column->type];
}

char *rtk_endpoint_schema(const struct rtk_endpoint *endpoint) {
  sqlite3_str *text = sqlite3_str_new(NULL);
  for (int i = 0; i < endpoint->column_count; i++) {
    const struct rtk_column *column = &endpoint->columns[i];
    sqlite3_str_appendf(text, "%s\"%w\" %s%s", i == 0 ? "CREATE TABLE x(" : ",",
                        column->name, rtk_endpoint_type(column),
                        rtk_endpoint_is_hidden(column) ? " HIDDEN" : "");
  }
  sqlite3_str_appendall(text, ")");
  return sqlite3_str_finish(text);
}
