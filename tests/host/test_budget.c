/*
** The budget of requests outlives the connections of a process, and the
** extension's being loaded.
*/
#include "host.h"

enum { QUOTA = 5 };

static sqlite3 *open_with(const char *quota) {
  char sql[100];
  sqlite3 *db = open_loaded();
  sqlite3_snprintf((int)sizeof(sql), sql,
                   "SELECT rtk_config('quota', %s),"
                   " rtk_config('max_wait_ms', 1)",
                   quota);
  must_exec(db, sql);
  return db;
}

static void a_new_connection_has_no_new_budget(void **state) {
  (void)state;
  for (int i = 0; i < QUOTA; i++) {
    sqlite3 *db = open_with("5");
    assert_rows(db, "SELECT id FROM " SESSION ", 's1')", "s1\n");
    close_ok(db);
  }
  assert_int_equal(requests("GET"), QUOTA);
  sqlite3 *db = open_with("5");
  assert_fails(db, "SELECT id FROM " SESSION ", 's1')", SQLITE_ERROR,
               "quota: 0 sessions fetched; go on after ");
  assert_rows(db, "SELECT value FROM rtk_stats WHERE name = 'quota_left'",
              "0\n");
  close_ok(db);
  assert_int_equal(requests("GET"), QUOTA);
}

/* The lowest limit of all that are open holds for all. */
static void the_strictest_connection_counts(void **state) {
  (void)state;
  sqlite3 *strict = open_with("5");
  sqlite3 *db = open_with("6");
  const char sql[] = "SELECT id FROM " SESSION ", 's2')";
  assert_fails(strict, sql, SQLITE_ERROR, "quota: ");
  assert_fails(db, sql, SQLITE_ERROR, "quota: ");
  close_ok(strict);
  assert_rows(db, sql, "s2\n");
  close_ok(db);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_new_connection_has_no_new_budget),
      cmocka_unit_test(the_strictest_connection_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
