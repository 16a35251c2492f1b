/* Values of parameters, read from the text that SQLite shows. */
#include "fetch/parameters.h"

#include "check.h"

static sqlite3 *db; /* of the test that runs */

/* "it's", a text in several bytes a character, and two that begin alike. */
static const struct rtk_text known_texts[] = {{NULL, 0},
                                              {"it's long", 9},
                                              {"\xc3\xa9\xc3\xa9", 4},
                                              {"acme-1", 6},
                                              {"acme-22", 7}};
static const struct rtk_parameters_known known = {
    known_texts, sizeof(known_texts) / sizeof(*known_texts)};

static sqlite3_stmt *prepared(const char *sql) {
  sqlite3_stmt *stmt = NULL;
  if (db == NULL) {
    check_int(sql, "open", sqlite3_open(":memory:", &db), SQLITE_OK);
  }
  check_int(sql, "prepare", sqlite3_prepare_v2(db, sql, -1, &stmt, NULL),
            SQLITE_OK);
  return stmt;
}

static void close_db(void) {
  check_int("close", "result", sqlite3_close(db), SQLITE_OK);
  db = NULL;
}

/* Binds each to its index, the odd ones negated. */
static void number(sqlite3_stmt *stmt) {
  for (int i = 1; i <= sqlite3_bind_parameter_count(stmt); i++) {
    (void)sqlite3_bind_int(stmt, i, i % 2 == 0 ? i : -i);
  }
}

CASE(a_parameter_is_found_in_any_text) {
  static const struct {
    const char *sql, *values; /* NULL: there are none */
  } cases[] = {
      {"SELECT 1", NULL},
      {"SELECT ?", "(1,-1)"},
      {"SELECT ?, ?", "(1,-1),(2,2)"},
      {"SELECT ?2, ?1, ?, ?002", "(2,2),(1,-1),(3,-3),(2,2)"},
      {"SELECT ?5, ?", "(5,-5),(6,6)"},
      {"SELECT :a, @a, $a, :a, ?, ?9, :a",
       "(1,-1),(2,2),(3,-3),(1,-1),(4,4),(9,-9),(1,-1)"},
      {"SELECT $a::b, $a::b(c-?), $a, ?, $a::b(c-?)",
       "(1,-1),(2,2),(3,-3),(4,4),(2,2)"},
      {"SELECT :\xc3\xa9$_1, ?", "(1,-1),(2,2)"},
      {"SELECT -?1, - -?1, 10-?1", "(1,-1),(1,-1),(1,-1)"},
      {"SELECT -?1--?2\n, ?", "(1,-1),(2,2)"},
      {"SELECT +?1/?1/*?2*/,?", "(1,-1),(1,-1),(2,2)"},
      {"SELECT '?', '''?', \"a?\", [a:b], `a?` /* ? */, ? FROM (SELECT 1 AS"
       " \"a?\", 2 AS [a:b]) -- ?",
       "(1,-1)"},
      {"SELECT ?1e5, ?", "(1,-1),(2,2)"},
      {"SELECT ?1'a', ?2\"b\",?3[c],?4x", "(1,-1),(2,2),(3,-3),(4,4)"},
      {"SELECT ?1IN(1),?1AND 2", "(1,-1),(1,-1)"},
      {"SELECT a$b, x'3f' || ? FROM (SELECT 1 AS a$b)", "(1,-1)"},
      {"\n\tSELECT(?)\n;", "(1,-1)"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char *values = NULL;
    char *expected = cases[i].values == NULL
                         ? NULL
                         : sqlite3_mprintf("VALUES%s", cases[i].values);
    sqlite3_stmt *stmt = prepared(cases[i].sql);
    number(stmt);
    check_int(cases[i].sql, "read", rtk_parameters_read(stmt, &known, &values),
              SQLITE_OK);
    check_text(cases[i].sql, "values", values, expected);
    sqlite3_free(values);
    sqlite3_free(expected);
    (void)sqlite3_finalize(stmt);
  }
  close_db();
}

/* `sql` is an expression that gives the value to bind. */
CASE(a_value_comes_as_it_is) {
  static const struct {
    const char *sql, *got; /* as quote() has it; NULL: refused */
  } cases[] = {
      {"NULL", "NULL"},
      {"0", "0"},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"100.0", "100.0"},
      {"-0.5", "-0.5"},
      {"1e15", "1.0e+15"},
      {"-1.5e-300", "-1.5e-300"},
      {"5e-324", "4.94065645841247e-324"},
      {"''", "''"},
      {"''''", "''''"},
      {"'a''''b''--?/*'", "'a''''b''--?/*'"},
      {"'\xc3\xa9\n\xff'", "'\xc3\xa9\n\xff'"},
      {"'NULL'", "'NULL'"},
      {"printf('%.100000c', 'x')", "100000"},
      {"x''", "X''"},
      {"x'00ff27'", "X'00FF27'"},
      /* not as they are */
      {"0.1 + 0.2", "0.3"},
      {"-0.0", "0.0"},
      {"1e999", NULL},
      {"-1e999", NULL},
      {"CAST(x'610062' AS TEXT)", "'a'"},
      {"printf('%.5000000c', 'x')", NULL},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    const char *name = cases[i].sql;
    char *sql = sqlite3_mprintf("SELECT %s", name);
    char *values = NULL;
    sqlite3_stmt *from = prepared("SELECT ?1");
    sqlite3_stmt *to = prepared(
        "SELECT CASE WHEN length(?1) < 100 OR ?1 IS NULL THEN quote(?1)"
        " ELSE length(?1) END");
    sqlite3_stmt *value = prepared(sql);
    check_int(name, "step", sqlite3_step(value), SQLITE_ROW);
    (void)sqlite3_bind_value(from, 1, sqlite3_column_value(value, 0));
    int rc = rtk_parameters_read(from, &known, &values);
    check_int(name, "read", rc,
              cases[i].got == NULL ? SQLITE_NOTFOUND : SQLITE_OK);
    if (rc == SQLITE_OK) {
      check_int(name, "bind", rtk_parameters_bind(values, to), SQLITE_OK);
      check_int(name, "step", sqlite3_step(to), SQLITE_ROW);
      check_text(name, "value", (const char *)sqlite3_column_text(to, 0),
                 cases[i].got);
    }
    sqlite3_free(values);
    sqlite3_free(sql);
    (void)sqlite3_finalize(value);
    (void)sqlite3_finalize(from);
    (void)sqlite3_finalize(to);
  }
  close_db();
}

/* What other versions and builds of SQLite show. */
CASE(what_is_not_the_text_is_refused) {
  static const struct {
    const char *sql, *shown, *values; /* NULL: refused */
  } cases[] = {
      {"SELECT ?1", "SELECT 5", "VALUES(1,5)"},
      {"SELECT ?1", "", NULL},
      {"SELECT ?1", "SELECT ", NULL},
      {"SELECT ?1", "-- SELECT ?1", NULL}, /* in a statement within another */
      {"SELECT ?1", "SELECT 'ab'/*+4 bytes*/", NULL}, /* of a long text */
      {"SELECT ?1", "SELECT x'ab'/*+4 bytes*/", NULL},
      {"SELECT ?1/*+4 bytes*/", "SELECT 'ab'/*+4 bytes*//*+4 bytes*/", NULL},
      {"SELECT ?1", "SELECT 'it''s'/*+5 bytes*/", "VALUES(1,'it''s long')"},
      {"SELECT ?1", "SELECT ''/*+4 bytes*/", "VALUES(1,'\xc3\xa9\xc3\xa9')"},
      {"SELECT ?1, ?2/*?*/",
       "SELECT 'acme'/*+2 bytes*/, 'acme'/*+3 bytes*//*?*/",
       "VALUES(1,'acme-1'),(2,'acme-22')"},
      {"SELECT ?1", "SELECT 'acme'/*+1 bytes*/", NULL},
      {"SELECT ?1", "SELECT 'acmd'/*+2 bytes*/", NULL},
      {"SELECT ?1", "SELECT 'acme'/*+2 bytes", NULL},
      {"SELECT ?1", "SELECT 'acme'/*+-2 bytes*/", NULL},
      {"SELECT ?1", "SELECT zeroblob(3)", NULL},
      {"SELECT ?1", "SELECT Inf", NULL},
      {"SELECT ?1", "SELECT -Inf", NULL},
      {"SELECT ?1", "SELECT NaN", NULL},
      {"SELECT ?1", "SELECT -", NULL},
      {"SELECT ?1", "SELECT 5 ", NULL},
      {"SELECT ?1, 2", "SELECT 5, 3", NULL},
      {"SELECT ?1, 2", "SELECT 5", NULL},
      {"SELECT ?1 AS e5", "SELECT 9.0e+999 AS e5", "VALUES(1,9.0e+999)"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char *values = NULL;
    sqlite3_stmt *stmt = prepared(cases[i].sql);
    check_int(cases[i].shown, "read",
              rtk_parameters_read_shown(stmt, cases[i].shown, &known, &values),
              cases[i].values == NULL ? SQLITE_NOTFOUND : SQLITE_OK);
    check_text(cases[i].shown, "values", values, cases[i].values);
    sqlite3_free(values);
    (void)sqlite3_finalize(stmt);
  }
  close_db();
}

CASE(a_text_of_another_encoding_comes_as_it_is) {
  char *values = NULL;
  (void)sqlite3_finalize(prepared("SELECT 1"));
  check_int("UTF-16", "exec",
            sqlite3_exec(db, "PRAGMA encoding = 'UTF-16'", NULL, NULL, NULL),
            SQLITE_OK);
  sqlite3_stmt *stmt = prepared("SELECT ?1");
  (void)sqlite3_bind_text(stmt, 1, "\xc3\xa9'\xf0\x9f\x98\x80", -1,
                          SQLITE_STATIC);
  check_int("UTF-16", "read", rtk_parameters_read(stmt, &known, &values),
            SQLITE_OK);
  check_text("UTF-16", "values", values,
             "VALUES(1,'\xc3\xa9''\xf0\x9f\x98\x80')");
  (void)sqlite3_clear_bindings(stmt);
  check_int("UTF-16", "bind", rtk_parameters_bind(values, stmt), SQLITE_OK);
  check_int("UTF-16", "step", sqlite3_step(stmt), SQLITE_ROW);
  check_text("UTF-16", "value", (const char *)sqlite3_column_text(stmt, 0),
             "\xc3\xa9'\xf0\x9f\x98\x80");
  sqlite3_free(values);
  (void)sqlite3_finalize(stmt);
  close_db();
}

/* More than a compound SELECT may have terms, or a SELECT columns. */
CASE(there_may_be_many) {
  enum { many = 20000 };
  char *values = NULL;
  sqlite3_str *sql = sqlite3_str_new(NULL);
  sqlite3_str_appendall(sql, "SELECT sum(value IN (?");
  for (int i = 1; i < many; i++) sqlite3_str_appendall(sql, ",?");
  sqlite3_str_appendall(sql, ")) FROM json_each('[0, -1, 20000, 20002]')");
  char *text = sqlite3_str_finish(sql);
  sqlite3_stmt *stmt = prepared(text);
  number(stmt);
  check_int("many", "read", rtk_parameters_read(stmt, &known, &values),
            SQLITE_OK);
  (void)sqlite3_clear_bindings(stmt);
  check_int("many", "bind", rtk_parameters_bind(values, stmt), SQLITE_OK);
  check_int("many", "step", sqlite3_step(stmt), SQLITE_ROW);
  check_int("many", "found", sqlite3_column_int(stmt, 0), 2);
  sqlite3_free(values);
  sqlite3_free(text);
  (void)sqlite3_finalize(stmt);
  close_db();
}

/* A parameter that the other statement lacks is left out. */
CASE(the_other_statement_may_have_fewer) {
  sqlite3_stmt *to = prepared("SELECT ?2");
  check_int("fewer", "bind",
            rtk_parameters_bind("VALUES(1,5),(3,6),(2,7),(2,7)", to),
            SQLITE_OK);
  check_int("fewer", "step", sqlite3_step(to), SQLITE_ROW);
  check_int("fewer", "value", sqlite3_column_int(to, 0), 7);
  (void)sqlite3_finalize(to);
  close_db();
}

static int read_all(void *stmt) {
  char *values = NULL;
  int rc = rtk_parameters_read_shown(stmt, "SELECT 'a', 'b'", &known, &values);
  sqlite3_free(values);
  return rc;
}

CASE(no_memory_is_told) {
  sqlite3_stmt *stmt = prepared("SELECT ?1, ?2");
  check_nomem("read", read_all, stmt, false);
  (void)sqlite3_finalize(stmt);
  close_db();
}

int main(void) { return check_run(); }
