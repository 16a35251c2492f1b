/* Can a statement end before it has asked for all its ids? */
#include "fetch/loops.h"

#include "check.h"

#define JOIN " FROM l, json_each(l.s) AS j"
#define SCALAR "(SELECT value FROM json_each(l.s))"

CASE(a_statement_may_end_before_its_time) {
  static const struct {
    const char *sql;
    bool is_whole, is_whole_without_rows; /* for the host */
  } cases[] = {
      {"SELECT count(*)" JOIN, true, true},
      {"SELECT j.value" JOIN, false, true},
      {"SELECT DISTINCT j.value" JOIN, false, true},
      {"SELECT j.value" JOIN " LIMIT 5", false, false},
      {"SELECT j.value" JOIN " ORDER BY j.value", true, true},
      {"SELECT j.value" JOIN " ORDER BY j.value LIMIT 5", true, true},
      {"SELECT j.value, count(*)" JOIN " GROUP BY 1", true, true},
      {"SELECT l.n, count(*)" JOIN " GROUP BY 1", false, true},
      {"SELECT count(*), sum(j.value)" JOIN " LEFT JOIN m ON m.n = j.value",
       true, true},
      {"SELECT max(j.value)" JOIN " WHERE j.value > 3 AND l.n > 5", true, true},
      {"SELECT min(l.n)" JOIN, false, false},
      {"SELECT " SCALAR " FROM l", false, true},
      {"SELECT sum(" SCALAR ") FROM l", true, true},
      {"SELECT n FROM l ORDER BY " SCALAR, true, true},
      {"SELECT count(*) FROM (SELECT j.value" JOIN " LIMIT 5)", false, false},
      {"SELECT count(*) FROM l WHERE EXISTS (SELECT 1 FROM json_each(l.s))",
       true, true},
      {"SELECT count(*) FROM l WHERE EXISTS (SELECT 1 FROM m, json_each(m.s) AS"
       " j WHERE j.value = l.n)",
       false, false},
      {"SELECT j.value" JOIN " UNION ALL SELECT n FROM m", false, true},
      {"WITH c AS MATERIALIZED (SELECT j.value AS v" JOIN ") SELECT count(*)"
       " FROM c AS a, c AS b LIMIT 1",
       false, false},
      {"SELECT v FROM (SELECT l.n AS v, count(*) AS c" JOIN " GROUP BY 1)"
       " WHERE c > 1 LIMIT 5",
       false, false},
      {"SELECT count(*) FROM (SELECT s FROM m ORDER BY n LIMIT 5) AS l,"
       " json_each(l.s)",
       true, true},
      {"SELECT n FROM l", true, true},
      {"SELECT l.n, count(*)" JOIN " GROUP BY 1 LIMIT 5", false, false},
      {"SELECT value FROM json_each('[1]')", true, true}, /* read once */
  };
  sqlite3 *db = NULL;
  check_int("open", "rc", sqlite3_open(":memory:", &db), SQLITE_OK);
  check_int("tables", "rc",
            sqlite3_exec(db,
                         "CREATE TABLE l(n INTEGER PRIMARY KEY, s);"
                         "CREATE TABLE m(n, s)",
                         NULL, NULL, NULL),
            SQLITE_OK);
  for (size_t i = 0; i < COUNT(cases); i++) {
    bool are = false;
    const char *sql = cases[i].sql;
    check_int(sql, "rc", rtk_loops_are_whole(db, sql, true, &are), SQLITE_OK);
    check_int(sql, "whole", are, cases[i].is_whole);
    check_int(sql, "rc", rtk_loops_are_whole(db, sql, false, &are), SQLITE_OK);
    check_int(sql, "whole without rows", are, cases[i].is_whole_without_rows);
  }
  bool are = true;
  check_int("error", "rc", rtk_loops_are_whole(db, "SELECT", true, &are),
            SQLITE_ERROR);
  check_int("error", "whole", are, false);
  check_int("close", "rc", sqlite3_close(db), SQLITE_OK);
}

static int read_all(void *user) {
  bool are = false;
  sqlite3 *db = NULL;
  (void)user;
  int rc = sqlite3_open(":memory:", &db);
  if (rc == SQLITE_OK) {
    rc = sqlite3_exec(db, "CREATE TABLE l(n, s)", NULL, NULL, NULL);
  }
  if (rc == SQLITE_OK) {
    rc = rtk_loops_are_whole(db, "SELECT count(*)" JOIN, true, &are);
  }
  (void)sqlite3_close(db);
  return rc;
}

CASE(no_memory_is_told) { check_nomem("loops", read_all, NULL, true); }

int main(void) { return check_run(); }
