/* Rows of values, made whole before the first one is read. */
#include "base/rows.h"

#include "check.h"

static void add_row(struct rtk_rows *rows, int64_t i) {
  rtk_rows_integer(rows, i);
  rtk_rows_text(rows, "text");
  rtk_rows_take(rows, sqlite3_mprintf("taken %lld", i));
  rtk_rows_null(rows);
  rtk_rows_text(rows, NULL);
  rtk_rows_take(rows, NULL);
}

static void cells_come_back_as_they_went_in(void **state) {
  static const enum rtk_type types[] = {RTK_INTEGER, RTK_TEXT, RTK_TEXT,
                                        RTK_NULL,    RTK_NULL, RTK_NULL};
  struct rtk_rows rows = {0};
  (void)state;
  for (int i = 0; i < 1000; i++) add_row(&rows, i);
  check_int("all", "count", (int64_t)rows.count, 6000);
  check_int("all", "is_nomem", rows.is_nomem, false);
  for (size_t i = 0; i < rows.count && check.failures == 0; i++) {
    check_int("cell", "type", rows.items[i].type, types[i % 6]);
  }
  const struct rtk_value *last = &rows.items[rows.count - 6];
  check_int("last row", "integer", last[0].as.integer, 999);
  check_bytes("last row", "text", last[1].as.text, last[1].size, "text", 4);
  check_bytes("last row", "taken", last[2].as.text, last[2].size, "taken 999",
              9);
  rtk_rows_clear(&rows);
  check_int("cleared", "count", (int64_t)rows.count, 0);
  rtk_rows_clear(&rows);
}

/* What comes after a failure is passed over, and given back. */
static int add_some(void *arg) {
  struct rtk_rows rows = {0};
  (void)arg;
  for (int i = 0; i < 20; i++) {
    rtk_rows_integer(&rows, i);
    rtk_rows_text(&rows, "text");
  }
  int rc = rows.is_nomem ? SQLITE_NOMEM : SQLITE_OK;
  if (!rows.is_nomem) check_int("some", "count", (int64_t)rows.count, 40);
  rtk_rows_clear(&rows);
  return rc;
}

static void no_memory_is_noticed_at_the_end(void **state) {
  (void)state;
  check_nomem("add", add_some, NULL, false);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(cells_come_back_as_they_went_in),
      TEST(no_memory_is_noticed_at_the_end),
  };
  check_init();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
