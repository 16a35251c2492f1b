/* What is run of a statement to collect its ids. */
#include "fetch/rewrite.h"

#include "check.h"

/* One blank for several, and none at the end. */
static void squeeze(char *text) {
  char *to = text;
  for (const char *from = text; *from != '\0'; from++) {
    if (*from != ' ' || (from[1] != ' ' && from[1] != '\0')) *to++ = *from;
  }
  *to = '\0';
}

CASE(a_view_goes_in_front) {
  static const struct {
    const char *sql, *view, *text; /* NULL: none */
  } cases[] = {
      {"SELECT 1 FROM v", "CREATE VIEW v AS SELECT 2",
       "WITH RECURSIVE v AS ( SELECT 2\n) SELECT 1 FROM v"},
      {"/**/ WITH c AS (SELECT 3) SELECT 1",
       "CREATE VIEW \"a AS\"(b, \"as\") AS SELECT 2, 3 -- as",
       "WITH RECURSIVE \"a AS\"(b, \"as\") AS ( SELECT 2, 3 -- as\n), c AS"
       " (SELECT 3) SELECT 1"},
      {"WITH RECURSIVE c(i) AS (SELECT 1) SELECT 1",
       "CREATE VIEW v as SELECT 2",
       "WITH RECURSIVE v AS ( SELECT 2\n), c(i) AS (SELECT 1) SELECT 1"},
      {"SELECT 1", "CREATE VIEW v", NULL},
      {"SELECT 1", "", NULL},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char *text = NULL;
    int rc = rtk_rewrite_inline(cases[i].sql, cases[i].view, &text);
    if (text != NULL) squeeze(text);
    check_int(cases[i].sql, "rc", rc,
              cases[i].text == NULL ? SQLITE_NOTFOUND : SQLITE_OK);
    check_text(cases[i].sql, "text", text, cases[i].text);
    sqlite3_free(text);
  }
}

CASE(a_statement_has_its_select) {
  static const struct {
    const char *sql, *select; /* NULL: none; runs of blanks count as one */
  } cases[] = {
      {"INSERT INTO t SELECT a FROM u", "SELECT a FROM u"},
      {"insert or replace into main.t(a, b) select a, 'x;--)' from u;",
       "select a, 'x;--)' from u"},
      {"REPLACE INTO t SELECT a FROM u JOIN v ON u.i = v.i WHERE true"
       " ON CONFLICT (a) DO UPDATE SET a = 1 RETURNING a",
       "SELECT a FROM u JOIN v ON u.i = v.i WHERE true"},
      {"INSERT INTO t SELECT a FROM u RETURNING a", "SELECT a FROM u"},
      {"WITH c AS (SELECT 1) INSERT INTO t SELECT * FROM c",
       "WITH c AS (SELECT 1) SELECT * FROM c"},
      {"INSERT INTO t WITH c AS (SELECT 1) SELECT * FROM c",
       "WITH c AS (SELECT 1) SELECT * FROM c"},
      {"INSERT INTO \"select\" SELECT 1", "SELECT 1"},
      {"INSERT INTO t -- SELECT\n /* SELECT */ SELECT 1", "SELECT 1"},
      {"INSERT INTO t(values_of) VALUES (1), ((SELECT 2)) ON CONFLICT DO"
       " NOTHING",
       "VALUES (1), ((SELECT 2))"},
      {"INSERT INTO t DEFAULT VALUES", NULL},
      {"CREATE TABLE t AS SELECT a FROM u", "SELECT a FROM u"},
      {"CREATE TEMP TABLE IF NOT EXISTS t AS WITH c AS (SELECT 1) SELECT * FROM"
       " c",
       "WITH c AS (SELECT 1) SELECT * FROM c"},
      {"CREATE TABLE t(a AS (1))", NULL},
      {"CREATE VIEW v AS SELECT 1", NULL},
      {"DELETE FROM t WHERE a IN (SELECT 1)",
       "SELECT 1 FROM t WHERE a IN (SELECT 1)"},
      {"WITH c AS (SELECT 1) DELETE FROM t AS x WHERE x.a = 1 RETURNING x.a",
       "WITH c AS (SELECT 1) SELECT 1 FROM t AS x WHERE x.a = 1"},
      {"UPDATE t SET a = (SELECT 1)", "SELECT (SELECT 1) FROM t"},
      {"UPDATE OR IGNORE t AS x SET a = b = c, b = f(1, 2) FROM u, v WHERE x.i "
       "="
       " u.i RETURNING *",
       "SELECT b = c , f(1, 2) FROM t AS x , u, v WHERE x.i = u.i"},
      {"UPDATE t SET (a, b) = (SELECT 1, 2), (c, d) = (3, (4)) WHERE e",
       "SELECT (SELECT count(*) FROM (SELECT 1, 2) ), 3, (4) FROM t WHERE e"},
      {"UPDATE t SET (a) = u.b FROM u", "SELECT u.b FROM t , u"},
      {"UPDATE t SET (a, b) = (1, 2) -- )\n, (c) = (SELECT 3 -- )\n)",
       "SELECT 1, 2 , (SELECT count(*) FROM (SELECT 3 -- )\n) ) FROM t"},
      {"UPDATE t SET a = b IS NOT DISTINCT FROM (SELECT 1), c = d IS DISTINCT"
       " FROM e FROM u",
       "SELECT b IS NOT DISTINCT FROM (SELECT 1) , d IS DISTINCT FROM e FROM t "
       ","
       " u"},
      {"UPDATE t", NULL},
      {"SELECT 1", NULL},
      {"PRAGMA user_version = 1", NULL},
      {"", NULL},
      {"INSERT INTO t SELECT 'no end", "SELECT 'no end"},
      {"INSERT INTO t(a SELECT 1", NULL},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char *select = NULL;
    int rc = rtk_rewrite_select(cases[i].sql, &select);
    check_int(cases[i].sql, "result", rc,
              cases[i].select == NULL ? SQLITE_NOTFOUND : SQLITE_OK);
    if (select != NULL) squeeze(select);
    check_text(cases[i].sql, "select", select, cases[i].select);
    sqlite3_free(select);
  }
}

CASE(a_recursion_is_bounded_and_cut) {
  static const struct {
    const char *sql, *bound, *cut; /* NULL: it cannot be said */
  } cases[] = {
      {"WITH c AS (SELECT 1 UNION ALL SELECT i FROM c) SELECT 2",
       "WITH c AS (SELECT 1 UNION ALL SELECT i FROM c\nLIMIT 10000) SELECT 2",
       "WITH c AS (SELECT 1 ) SELECT 2"},
      {"WITH c(i) AS NOT MATERIALIZED (SELECT (SELECT 1) UNION SELECT 2 LIMIT "
       "3)"
       ", d AS (SELECT 1) SELECT 2",
       "WITH c(i) AS NOT MATERIALIZED (SELECT (SELECT 1) UNION SELECT 2 LIMIT "
       "3)"
       ", d AS (SELECT 1) SELECT 2",
       "WITH c(i) AS NOT MATERIALIZED (SELECT (SELECT 1) ), d AS (SELECT 1)"
       " SELECT 2"},
      {"SELECT (WITH c AS (WITH d AS (SELECT 1 UNION SELECT 2) SELECT 3 UNION"
       " SELECT 4 -- )\n) SELECT 5), 'AS (1 UNION 2)'",
       "SELECT (WITH c AS (WITH d AS (SELECT 1 UNION SELECT 2\nLIMIT 10000)"
       " SELECT 3 UNION SELECT 4 -- )\n\nLIMIT 10000) SELECT 5), 'AS (1 UNION"
       " 2)'",
       "SELECT (WITH c AS (WITH d AS (SELECT 1 ) SELECT 3 ) SELECT 5), 'AS (1"
       " UNION 2)'"},
      {"SELECT (SELECT 1 UNION SELECT 2)", "SELECT (SELECT 1 UNION SELECT 2)",
       "SELECT (SELECT 1 UNION SELECT 2)"},
      {"SELECT 1 UNION SELECT 2", "SELECT 1 UNION SELECT 2",
       "SELECT 1 UNION SELECT 2"},
      {"WITH c AS (SELECT 1 UNION SELECT 2 LIMIT -1) SELECT 2", NULL,
       "WITH c AS (SELECT 1 ) SELECT 2"},
      {"WITH c AS (SELECT 1 UNION SELECT 2 LIMIT 10000) SELECT 2", NULL,
       "WITH c AS (SELECT 1 ) SELECT 2"},
      {"WITH c AS (SELECT 1 UNION SELECT 2 LIMIT 9 * 99999) SELECT 2", NULL,
       "WITH c AS (SELECT 1 ) SELECT 2"},
      {"WITH c AS (SELECT 1 UNION SELECT 2 LIMIT 1, 99999) SELECT 2", NULL,
       "WITH c AS (SELECT 1 ) SELECT 2"},
      {"WITH c AS (SELECT 1 UNION SELECT 2 LIMIT 9 OFFSET 99999) SELECT 2",
       NULL, "WITH c AS (SELECT 1 ) SELECT 2"},
      {"WITH c AS (SELECT 1 UNION SELECT 2; SELECT 3) SELECT 4",
       "WITH c AS (SELECT 1 UNION SELECT 2; SELECT 3\nLIMIT 10000) SELECT 4",
       "WITH c AS (SELECT 1 ) SELECT 4"},
      {"WITH c AS (SELECT 1; SELECT 2 UNION SELECT 3) SELECT 4",
       "WITH c AS (SELECT 1; SELECT 2 UNION SELECT 3) SELECT 4",
       "WITH c AS (SELECT 1; SELECT 2 UNION SELECT 3) SELECT 4"},
      {"WITH a AS (SELECT 1 UNION SELECT 2), b AS (SELECT 1 UNION SELECT 2),"
       " c AS (SELECT 1 UNION SELECT 2) SELECT 2",
       NULL,
       "WITH a AS (SELECT 1 ), b AS (SELECT 1 ), c AS (SELECT 1 ) SELECT"
       " 2"},
      {"WITH c AS (SELECT 1 UNION SELECT 2",
       "WITH c AS (SELECT 1 UNION SELECT 2\nLIMIT 10000",
       "WITH c AS (SELECT 1 "},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char *bound = NULL;
    char *cut = NULL;
    check_int(cases[i].sql, "bound", rtk_rewrite_bound(cases[i].sql, &bound),
              cases[i].bound == NULL ? SQLITE_NOTFOUND : SQLITE_OK);
    check_int(cases[i].sql, "cut", rtk_rewrite_cut(cases[i].sql, &cut),
              SQLITE_OK);
    check_text(cases[i].sql, "bound", bound, cases[i].bound);
    check_text(cases[i].sql, "cut", cut, cases[i].cut);
    sqlite3_free(bound);
    sqlite3_free(cut);
  }
}

static int rewrite(void *sql) {
  char *select = NULL;
  int rc = rtk_rewrite_select(sql, &select);
  sqlite3_free(select);
  if (rc == SQLITE_OK) rc = rtk_rewrite_bound(sql, &select);
  if (rc == SQLITE_OK) sqlite3_free(select);
  return rc;
}

CASE(no_memory_is_told) {
  static char sql[] = "INSERT INTO t SELECT 1";
  check_nomem("select", rewrite, sql, false);
}

int main(void) { return check_run(); }
