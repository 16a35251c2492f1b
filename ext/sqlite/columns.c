/* rtk_columns: the entries of the endpoints as rows. */
#include "sqlite/columns.h"

#include "api/endpoint.h"
#include "base/rows.h"

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

static const char *argument_of(const struct rtk_column *column) {
  if (column->argument == RTK_ARGUMENT_FILTER) return "filter";
  return column->kind == RTK_COLUMN_ARGUMENT ? "path" : NULL;
}

int rtk_columns_fill(struct rtk_conn *conn, const struct rtk_text *arguments,
                     struct rtk_rows *rows, struct rtk_err *err) {
  (void)conn;
  (void)arguments;
  (void)err;
  for (int i = 0; i < rtk_endpoint_count; i++) {
    for (int k = 0; k < rtk_endpoints[i].column_count; k++) {
      const struct rtk_column *column = &rtk_endpoints[i].columns[k];
      if (column->kind == RTK_COLUMN_SURPLUS) continue; /* of no use */
      rtk_rows_text(rows, rtk_endpoints[i].name);
      rtk_rows_text(rows, column->name);
      rtk_rows_text(rows, rtk_endpoint_type(column));
      rtk_rows_integer(rows, rtk_endpoint_is_hidden(column));
      rtk_rows_text(rows, argument_of(column));
      rtk_rows_text(rows, column->doc);
    }
  }
  return SQLITE_OK;
}
