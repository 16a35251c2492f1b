/* Rows of values, made whole before the first one is read. */
#include "base/cells.h"

#include "check.h"

static void add_row(struct rtk_cells *cells, int64_t i) {
  rtk_cells_integer(cells, i);
  rtk_cells_text(cells, "text");
  rtk_cells_take(cells, sqlite3_mprintf("taken %lld", i));
  rtk_cells_null(cells);
  rtk_cells_text(cells, NULL);
  rtk_cells_take(cells, NULL);
}

CASE(cells_come_back_as_they_went_in) {
  static const enum rtk_type types[] = {RTK_INTEGER, RTK_TEXT, RTK_TEXT,
                                        RTK_NULL,    RTK_NULL, RTK_NULL};
  struct rtk_cells cells = {0};
  for (int i = 0; i < 1000; i++) add_row(&cells, i);
  check_int("all", "count", (int64_t)cells.count, 6000);
  check_int("all", "is_nomem", cells.is_nomem, false);
  for (size_t i = 0; i < cells.count && check.failures == 0; i++) {
    check_int("cell", "type", cells.items[i].type, types[i % 6]);
  }
  const struct rtk_value *last = &cells.items[cells.count - 6];
  check_int("last row", "integer", last[0].as.integer, 999);
  check_bytes("last row", "text", last[1].as.text, last[1].size, "text", 4);
  check_bytes("last row", "taken", last[2].as.text, last[2].size, "taken 999",
              9);
  rtk_cells_clear(&cells);
  check_int("cleared", "count", (int64_t)cells.count, 0);
  rtk_cells_clear(&cells);
}

/* What comes after a failure is passed over, and given back. */
static int add_some(void *arg) {
  struct rtk_cells cells = {0};
  (void)arg;
  for (int i = 0; i < 20; i++) {
    rtk_cells_integer(&cells, i);
    rtk_cells_text(&cells, "text");
  }
  int rc = cells.is_nomem ? SQLITE_NOMEM : SQLITE_OK;
  if (!cells.is_nomem) check_int("some", "count", (int64_t)cells.count, 40);
  rtk_cells_clear(&cells);
  return rc;
}

CASE(no_memory_is_noticed_at_the_end) {
  check_nomem("add", add_some, NULL, false);
}

int main(void) { return check_run(); }
