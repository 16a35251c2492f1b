/* Can a statement end before it has asked for all its ids? */
#include "fetch/loops.h"

#include "check.h"

#define JOIN " FROM l, json_each(l.s) AS j"
#define SCALAR "(SELECT value FROM json_each(l.s))"

#define NONE ""
#define CALLS "calls"
#define BOTH "calls, rows"

static const char *word(const struct rtk_loops *loops) {
  return loops->are_rows_whole ? BOTH : loops->are_calls_whole ? CALLS : NONE;
}

static const char *look(sqlite3 *db, const char *sql, bool has_rows) {
  struct rtk_loops loops;
  check_int(sql, "rc", rtk_loops_look(db, sql, has_rows, &loops), SQLITE_OK);
  return word(&loops);
}

CASE(a_statement_may_end_before_its_time) {
  static const struct {
    const char *sql;
    const char *whole, *without_rows; /* for the host */
  } cases[] = {
      {"SELECT count(*)" JOIN, BOTH, BOTH},
      {"SELECT j.value" JOIN, NONE, BOTH},
      {"SELECT DISTINCT j.value" JOIN, NONE, BOTH},
      {"SELECT j.value" JOIN " LIMIT 5", NONE, NONE},
      {"SELECT j.value" JOIN " ORDER BY j.value", BOTH, BOTH},
      {"SELECT j.value" JOIN " ORDER BY j.value LIMIT 5", BOTH, BOTH},
      {"SELECT j.value, count(*)" JOIN " GROUP BY 1", BOTH, BOTH},
      {"SELECT l.n, count(*)" JOIN " GROUP BY 1", NONE, BOTH},
      {"SELECT count(*), sum(j.value)" JOIN " LEFT JOIN m ON m.n = j.value",
       BOTH, BOTH},
      {"SELECT max(j.value)" JOIN " WHERE j.value > 3 AND l.n > 5", BOTH, BOTH},
      {"SELECT min(l.n)" JOIN, NONE, NONE},
      {"SELECT " SCALAR " FROM l", NONE, CALLS},
      {"SELECT sum(" SCALAR ") FROM l", CALLS, CALLS},
      {"SELECT n FROM l ORDER BY " SCALAR, CALLS, CALLS},
      {"SELECT count(*) FROM (SELECT j.value" JOIN " LIMIT 5)", NONE, NONE},
      {"SELECT count(*) FROM l WHERE EXISTS (SELECT 1 FROM json_each(l.s))",
       CALLS, CALLS},
      {"SELECT count(*) FROM l WHERE EXISTS (SELECT 1 FROM m, json_each(m.s) AS"
       " j WHERE j.value = l.n)",
       NONE, NONE},
      {"SELECT j.value" JOIN " UNION ALL SELECT n FROM m", NONE, BOTH},
      {"WITH c AS MATERIALIZED (SELECT j.value AS v" JOIN ") SELECT count(*)"
       " FROM c AS a, c AS b LIMIT 1",
       BOTH, BOTH},
      {"SELECT v FROM (SELECT l.n AS v, count(*) AS c" JOIN " GROUP BY 1)"
       " WHERE c > 1 LIMIT 5",
       NONE, NONE},
      {"SELECT count(*) FROM (SELECT s FROM m ORDER BY n LIMIT 5) AS l,"
       " json_each(l.s)",
       BOTH, BOTH},
      {"SELECT count(*)" JOIN " WHERE j.value IN (SELECT value FROM"
       " json_each('[1]'))",
       BOTH, BOTH},
      {"SELECT count(*) FROM (SELECT l.n" JOIN " ORDER BY l.n, j.value LIMIT"
       " 2)",
       NONE, NONE},
      {"SELECT n FROM l", BOTH, BOTH},
      {"SELECT l.n, count(*)" JOIN " GROUP BY 1 LIMIT 5", NONE, NONE},
      {"SELECT value FROM json_each('[1]')", CALLS, BOTH}, /* read once */
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
    const char *sql = cases[i].sql;
    check_text(sql, "whole", look(db, sql, true), cases[i].whole);
    check_text(sql, "without rows", look(db, sql, false),
               cases[i].without_rows);
  }
  struct rtk_loops loops = {true, true};
  check_int("error", "rc", rtk_loops_look(db, "SELECT", true, &loops),
            SQLITE_ERROR);
  check_text("error", "whole", word(&loops), NONE);
  check_int("close", "rc", sqlite3_close(db), SQLITE_OK);
}

static int read_all(void *user) {
  struct rtk_loops loops;
  sqlite3 *db = NULL;
  (void)user;
  int rc = sqlite3_open(":memory:", &db);
  if (rc == SQLITE_OK) {
    rc = sqlite3_exec(db, "CREATE TABLE l(n, s)", NULL, NULL, NULL);
  }
  if (rc == SQLITE_OK) {
    rc = rtk_loops_look(db, "SELECT count(*)" JOIN, true, &loops);
  }
  (void)sqlite3_close(db);
  return rc;
}

CASE(no_memory_is_told) { check_nomem("loops", read_all, NULL, true); }

int main(void) { return check_run(); }
