/* What the program of a statement uses. */
#include "fetch/uses.h"

#include "base/probe.h"
#include "base/value.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

void rtk_uses_deinit(struct rtk_uses *uses) {
  rtk_strset_deinit(&uses->functions);
  rtk_strset_deinit(&uses->tables);
}

static struct rtk_text text_of(sqlite3_stmt *stmt, int column) {
  const char *bytes = (const char *)sqlite3_column_text(stmt, column);
  size_t size = (size_t)sqlite3_column_bytes(stmt, column);
  return (struct rtk_text){bytes == NULL ? "" : bytes, size};
}

static int add(struct rtk_strset *ids, struct rtk_text text) {
  bool is_new = false;
  return rtk_strset_add_new(ids, text, &is_new);
}

/* One operation.  Every opcode that calls a function has it in P4, as
** `name(arguments)`. */
static int read_operation(sqlite3_stmt *stmt, struct rtk_uses *uses) {
  enum { OPCODE = 1, P4 = 5 };
  static const char *const callers[] = {"Function", "PureFunc", "Agg"};
  const char *opcode = text_of(stmt, OPCODE).bytes;
  struct rtk_text p4 = text_of(stmt, P4);
  if (strcmp(opcode, "VOpen") == 0) return add(&uses->tables, p4);
  for (size_t i = 0; i < sizeof(callers) / sizeof(*callers); i++) {
    if (strncmp(opcode, callers[i], strlen(callers[i])) != 0) continue;
    const char *bracket = memchr(p4.bytes, '(', p4.size);
    if (bracket != NULL) p4.size = (size_t)(bracket - p4.bytes);
    return add(&uses->functions, p4);
  }
  return SQLITE_OK;
}

int rtk_uses_read(sqlite3 *db, const char *sql, struct rtk_uses *uses) {
  sqlite3_stmt *stmt = NULL;
  int rc = rtk_probe_prepare_as(db, "EXPLAIN ", sql, &stmt);
  while (rc == SQLITE_OK && (rc = rtk_probe_step(stmt)) == SQLITE_ROW) {
    rc = read_operation(stmt, uses);
  }
  (void)sqlite3_finalize(stmt);
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}
