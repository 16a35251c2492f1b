/*
** A list of many pages, some of which are late: the pages behind those arrive
** meanwhile, up to as many as are asked for ahead, and all rows come, each once.
**
** api: --livestreams 700 --page-max 1 --stall-permille 15,300
*/
#include "host.h"

CASE(late_pages_keep_their_place) {
  sqlite3 *db = open_loaded();
  must_exec(db, "SELECT rtk_config('quota', 0), rtk_config('rate_per_second',"
                " 0), rtk_config('timeout_ms', " NEVER_MS ")");
  assert_rows(db,
              "SELECT count(*), count(DISTINCT id)"
              " FROM rtk_livestreams('ACCOUNT', 'APP')",
              "700|700\n");
  assert_int_equal(requests("page_no="), 700);
  close_ok(db);
}

int main(void) { return RUN_CASES(NULL, NULL); }
