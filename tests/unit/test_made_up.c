/*
** The promise of endpoints.c: an endpoint is one entry, and no new code.  Three
** that nobody has ever heard of, against a server of their own.
*/
#include "base/limits.h"

#include "server.h"

/* --- the entries ------------------------------------------------------------ */

#define SCOPE(its_name, its_setting)                                           \
  {                                                                            \
    .name = its_name, .kind = RTK_COLUMN_ARGUMENT,                             \
    .argument = RTK_ARGUMENT_SCOPE, .setting = its_setting, .max_bytes = 64    \
  }

#define ID(its_name)                                                           \
  { .name = its_name, .kind = RTK_COLUMN_ARGUMENT, .argument = RTK_ARGUMENT_ID }

#define ABOUT                                                                  \
  {.name = "error", .kind = RTK_COLUMN_ERROR},                                 \
      {.name = "http_status",                                                  \
       .kind = RTK_COLUMN_STATUS,                                              \
       .type = RTK_COLUMN_INTEGER},                                            \
      {.name = "response", .kind = RTK_COLUMN_RESPONSE}, {                     \
    .name = "row", .field = "", .type = RTK_COLUMN_JSON, .is_hidden = true     \
  }

static const struct rtk_column book_columns[] = {
    {.name = "isbn", .stands_for = "book"},
    {.name = "pages", .type = RTK_COLUMN_NUMERIC},
    SCOPE("account", RTK_ACCOUNT),
    ID("book"),
    ABOUT,
};

static const struct rtk_column shelf_columns[] = {
    {.name = "isbn"},
    {.name = "pages", .type = RTK_COLUMN_NUMERIC},
    {.name = "genre", .argument = RTK_ARGUMENT_FILTER, .values = "novel poem "},
    {.name = "authors"},
    SCOPE("account", RTK_ACCOUNT),
    ID("shelf"),
    {.name = "lent",
     .kind = RTK_COLUMN_ARGUMENT,
     .argument = RTK_ARGUMENT_FILTER,
     .is_switch = true,
     .doc = "1: only what is out"},
    {.name = "words",
     .kind = RTK_COLUMN_ARGUMENT,
     .argument = RTK_ARGUMENT_FILTER},
    ABOUT,
};

static const struct rtk_column weather_columns[] = {
    {.name = "sky"},
    {.name = "degrees", .type = RTK_COLUMN_NUMERIC},
    ABOUT,
};

static const struct rtk_column genre_columns[] = {
    {.name = "genre", .field = ""},
    SCOPE("account", RTK_ACCOUNT),
    ABOUT,
};

static const struct rtk_column loan_columns[] = {
    {.name = "id", .field = "loanId", .stands_for = "loan"},
    {.name = "city", .field = "reader.home.city"},
    {.name = "fee", .field = "reader.fee", .type = RTK_COLUMN_NUMERIC},
    {.name = "state", .stands_for = "states"},
    SCOPE("account", RTK_ACCOUNT),
    ID("reader"),
    ID("loan"),
    {.name = "states",
     .kind = RTK_COLUMN_ARGUMENT,
     .argument = RTK_ARGUMENT_FILTER,
     .field = "state",
     .values = "OUT BACK LOST ",
     .is_comma_list = true},
    ABOUT,
};

#define COLUMNS(array) .columns = array, .column_count = (int)COUNT(array)

static const struct rtk_endpoint made_up[] = {
    {.name = "rtk_book",
     .noun = "book",
     .path = "libraries/{account}/books/{book}",
     .rows = {"data"},
     COLUMNS(book_columns)},
    {.name = "rtk_shelf",
     .noun = "shelf",
     .path = "libraries/{account}/shelves/{shelf}/all",
     .rows = {"data.books", "data.book"},
     .is_list = true,
     .paging = {"paging", "data.paging"},
     .each = &made_up[0],
     COLUMNS(shelf_columns)},
    {.name = "rtk_weather", /* the body is the row; there are no arguments */
     .noun = "sky",
     .path = "weather",
     COLUMNS(weather_columns)},
    {.name = "rtk_genres", /* rows of text */
     .noun = "list",
     .path = "libraries/{account}/genres",
     .rows = {"data"},
     .is_list = true,
     .has_text_rows = true,
     COLUMNS(genre_columns)},
    {.name = "rtk_readers", /* other rows of the same reply */
     .noun = "list",
     .path = "libraries/{account}/genres",
     .rows = {"readers"},
     .is_list = true,
     .has_text_rows = true,
     COLUMNS(genre_columns)},
    {.name = "rtk_loan", /* two ids in the path */
     .noun = "loan",
     .path = "libraries/{account}/readers/{reader}/loans/{loan}",
     .rows = {"data"},
     COLUMNS(loan_columns)},
};

/* --- the server -------------------------------------------------------------- */

static const char *const books[] = {
    "{\"isbn\":\"b1\",\"pages\":\"100\",\"genre\":\"novel\",\"authors\":[{}]}",
    "{\"isbn\":\"b2\",\"pages\":20.5,\"genre\":\"poem\",\"authors\":[]}",
    "{\"isbn\":\"b3\",\"genre\":\"novel\",\"new\":1}",
    "{\"isbn\":\"b4\",\"pages\":null,\"genre\":\"atlas\",\"authors\":\"Bo\"}",
    "{\"isbn\":\"b5\",\"pages\":5,\"genre\":\"novel\"}",
};

#define SHELF "/libraries/L/shelves/"
#define ALL "/all?per_page=100&page_no="

/* Shelf `a`: five books, two on a page, whatever is asked for, and no filter
** is obeyed.  The others: one reply each. */
static const struct {
  const char *target, *body;
} replies[] = {
    {SHELF "single" ALL "1",
     "{\"data\":{\"book\":{\"isbn\":\"b1\"},\"paging\":{\"total_count\":1}}}"},
    {SHELF "inside" ALL "1", "{\"data\":{\"book\":[{\"isbn\":\"b1\"}],"
                             "\"paging\":{\"total_count\":2}}}"},
    {SHELF "inside" ALL "2", "{\"data\":{\"book\":[{\"isbn\":\"b2\"}],"
                             "\"paging\":{\"total_count\":2}}}"},
    {SHELF "both" ALL "1", "{\"data\":{\"book\":[{\"isbn\":\"b1\"}],"
                           "\"books\":[{\"isbn\":\"b2\"}]}}"},
    {SHELF "uncounted" ALL "1",
     "{\"data\":{\"books\":[{\"isbn\":\"b1\"},{\"isbn\":\"b2\"}]}}"},
    {SHELF "uncounted" ALL "2", "{\"data\":{\"books\":[{\"isbn\":\"b3\"}]}}"},
    {SHELF "oddments" ALL "1",
     "{\"data\":{\"books\":[null,{\"isbn\":\"b1\"},7,[],{}]},"
     "\"paging\":{\"total_count\":2}}"},
    {SHELF "empty" ALL "1",
     "{\"data\":{\"books\":[]},\"paging\":{\"total_count\":0}}"},
    {SHELF "null" ALL "1",
     "{\"data\":{\"books\":null},\"paging\":{\"total_count\":0}}"},
    {SHELF "absent" ALL "1", "{\"data\":{},\"success\":true}"},
    {SHELF "text" ALL "1", "{\"data\":{\"books\":\"b1\"}}"},
    {SHELF "nine" ALL "1",
     "{\"data\":{\"book\":{\"isbn\":\"b9\",\"pages\":99}}}"},
    {SHELF "numbers" ALL "1",
     "{\"data\":{\"books\":[{\"isbn\":1},{\"isbn\":2},{\"isbn\":1}]},"
     "\"paging\":{\"total_count\":2}}"},
    {SHELF "object" ALL "1", "{\"data\":{\"book\":{}}}"},
    {"/libraries/L/books/b9", "{\"data\":{\"isbn\":\"b9\",\"pages\":9}}"},
    {"/libraries/L/genres", "{\"data\":[\"novel\",\"po\\u00e9m\",\"\"],"
                            "\"readers\":[\"Ann\"]}"},
    {"/libraries/T/genres", "{\"data\":[\"novel\",{\"a\":1}]}"},
    {"/weather", "{\"sky\":\"blue\",\"degrees\":\"21.5\"}"},
};

static void answer(const char *target, int nth, int *status, char *body,
                   size_t room) {
  static const char shelf[] = SHELF "a/all?";
  enum { TOTAL = (int)COUNT(books), EACH = 2 };
  int reader = 0;
  int loan = 0;
  (void)nth;
  if (sscanf(target, "/libraries/L/readers/r%d/loans/l%d", &reader, &loan) ==
      2) {
    (void)snprintf(body, room,
                   "{\"data\":{\"loanId\":\"l%d\",\"state\":\"OUT\","
                   "\"reader\":{\"home\":{\"city\":\"C%d\"},\"fee\":\"%d\"}}}",
                   loan, reader, reader * 100 + loan);
    return;
  }
  for (size_t i = 0; i < COUNT(replies); i++) {
    if (strcmp(target, replies[i].target) != 0) continue;
    (void)snprintf(body, room, "%s", replies[i].body);
    return;
  }
  if (strncmp(target, shelf, strlen(shelf)) != 0) {
    *status = 404;
    (void)snprintf(body, room, "{\"success\":false,\"errors\":[]}");
    return;
  }
  int first = (server_number(target, "page_no") - 1) * EACH;
  size_t used = (size_t)snprintf(body, room, "{\"data\":{\"books\":[");
  for (int i = first; i < first + EACH && i < TOTAL; i++) {
    used += (size_t)snprintf(body + used, room - used, "%s%s",
                             i == first ? "" : ",", books[i]);
  }
  (void)snprintf(body + used, room - used,
                 "]},\"paging\":{\"total_count\":%d}}", TOTAL);
}

/* --- tests --------------------------------------------------------------------- */

static sqlite3 *open_kept_for(const char *seconds) {
  (void)setenv("RTK_CACHE_TTL_LIVE_S", seconds, 1);
  return server_begin(answer, made_up, COUNT(made_up));
}

/* Kept for longer than the test. */
static sqlite3 *open_made_up(void) { return open_kept_for("3600"); }

CASE(an_entry_is_a_table) {
  sqlite3 *db = open_made_up();
  check_rows(db, "SELECT * FROM rtk_shelf('L', 'a')",
             "b1|100|novel|[{}]\n"
             "b2|20.5|poem|[]\n"
             "b3|NULL|novel|NULL\n"
             "b4|NULL|atlas|Bo\n"
             "b5|5|novel|NULL\n");
  check_requests("pages",
                 SHELF "a" ALL "1\n" SHELF "a" ALL "2\n" SHELF "a" ALL "3\n");
  check_rows(db, "SELECT isbn, typeof(pages) FROM rtk_shelf('L', 'a') LIMIT 2",
             "b1|integer\nb2|real\n");
  check_rows(db,
             "SELECT DISTINCT account, shelf, lent, words, error, http_status"
             " FROM rtk_shelf('L') WHERE shelf = 'a'",
             "L|a|NULL|NULL|NULL|200\n");
  check_rows(db,
             "SELECT count(*), count(DISTINCT rowid) FROM rtk_shelf('L', 'a')",
             "5|5\n");
  check_requests("the same again is remembered", "");
  check_rows(db, "SELECT * FROM rtk_shelf('L')",
             "rtk_shelf: no usable shelf: write it as the second argument or"
             " as shelf = … or IN (…) outside OR; the table that supplies it"
             " must come before this one in FROM\n");
  check_rows(db, "SELECT * FROM rtk_shelf('L', 'gone')", "");
  server_close(db);
}

CASE(a_limit_asks_for_no_page_beyond) {
  sqlite3 *db = open_made_up();
  check_rows(db, "SELECT isbn FROM rtk_shelf('L', 'a') LIMIT 2", "b1\nb2\n");
  check_requests("limit", SHELF "a" ALL "1\n");
  server_close(db);
}

/* A filter on a column is obeyed also where the server passes over it. */
CASE(filters_are_parameters) {
  sqlite3 *db = open_made_up();
  check_rows(db,
             "SELECT isbn FROM rtk_shelf('L', 'a') WHERE genre = 'novel' AND"
             " lent = 0 AND words = 'a b&c=d/é' LIMIT 1",
             "b1\n");
  check_requests("all three",
                 SHELF "a/all?genre=novel&lent=false&words=a%20b%26c%3Dd%2F"
                       "%C3%A9&per_page=100&page_no=1\n");
  check_rows(db, "SELECT isbn FROM rtk_shelf('L', 'a') WHERE genre = 'novel'",
             "b1\nb3\nb5\n");
  check_requests("one", SHELF "a/all?genre=novel&per_page=100&page_no=1\n" SHELF
                              "a/all?genre=novel&per_page=100&page_no=2\n" SHELF
                              "a/all?genre=novel&per_page=100&page_no=3\n");
  check_rows(db, "SELECT isbn FROM rtk_shelf('L', 'a') WHERE genre = 'atlas'",
             "rtk_shelf: genre must be one of 'novel', 'poem', not 'atlas'\n");
  check_requests("what the server does not know", "");
  check_rows(db, "SELECT isbn FROM rtk_shelf('L', 'a') WHERE lent = NULL", "");
  check_rows(db, "SELECT isbn FROM rtk_shelf('L', 'a') WHERE lent = 'yes'",
             "rtk_shelf: lent must be 1 or 0 (1: only what is out)\n");
  check_rows(db, "SELECT isbn, words FROM rtk_shelf('L', 'empty', 1, 'x')", "");
  check_requests("as arguments",
                 SHELF "empty/all?lent=true&words=x&per_page=100&page_no=1\n");
  server_close(db);
}

/* A filter has one value in a request, so a list comes value by value. */
CASE(a_filter_takes_a_list) {
  sqlite3 *db = open_made_up();
  check_rows(db,
             "SELECT isbn, genre FROM rtk_shelf('L', 'a')"
             " WHERE genre IN ('poem', 'novel') ORDER BY isbn",
             "b1|novel\nb2|poem\nb3|novel\nb5|novel\n");
  check_rows(db,
             "SELECT isbn, lent FROM rtk_shelf('L', 'a')"
             " WHERE lent IN (0, 1) AND isbn = 'b5' ORDER BY lent",
             "b5|0\nb5|1\n");
  server_close(db);
}

CASE(the_shape_of_a_list_may_vary) {
  static const struct {
    const char *shelf, *rows;
  } cases[] = {
      {"single", "b1\n"},
      {"inside", "b1\nb2\n"},
      {"both", "b2\n"},
      {"uncounted", "b1\nb2\nb3\n"},
      {"object", "NULL\n"},
      {"numbers", "1\n2\n"},
      {"oddments", "rtk_shelf: HTTP 200 for shelf 'oddments': an item of the"
                   " list is no object; check base_url, and report it if it is"
                   " right\n"},
      {"empty", ""},
      {"null", ""},
      {"absent", "rtk_shelf: HTTP 200 for shelf 'absent': the reply has no"
                 " \"data\" of the expected form; check base_url, and report it"
                 " if it is right\n"},
      {"text", "rtk_shelf: HTTP 200 for shelf 'text': the reply has no"
               " \"data\" of the expected form; check base_url, and report it"
               " if it is right\n"},
  };
  sqlite3 *db = open_made_up();
  for (size_t i = 0; i < COUNT(cases); i++) {
    char *sql =
        sqlite3_mprintf("SELECT isbn FROM rtk_shelf('L', %Q)", cases[i].shelf);
    check_rows(db, sql, cases[i].rows);
    sqlite3_free(sql);
  }
  server_close(db);
}

CASE(ids_come_as_a_list) {
  sqlite3 *db = open_made_up();
  check_rows(db,
             "SELECT shelf, isbn FROM rtk_shelf('L')"
             " WHERE shelf IN ('inside', 'a', 'gone') AND pages IS NULL"
             " ORDER BY 1, 2",
             "a|b3\na|b4\ninside|b1\ninside|b2\n");
  server_close(db);
}

/* The row's own JSON; a list's response is no more than that. */
CASE(a_row_has_its_json) {
  sqlite3 *db = open_made_up();
  check_rows(db,
             "SELECT row, response = row FROM rtk_shelf('L', 'a')"
             " WHERE isbn > 'b2' AND pages IS NULL",
             "{\"isbn\":\"b3\",\"genre\":\"novel\",\"new\":1}|1\n"
             "{\"isbn\":\"b4\",\"pages\":null,\"genre\":\"atlas\","
             "\"authors\":\"Bo\"}|1\n");
  check_rows(db, "SELECT row, response FROM rtk_book('L', 'b9')",
             "{\"isbn\":\"b9\",\"pages\":9}|"
             "{\"data\":{\"isbn\":\"b9\",\"pages\":9}}\n");
  check_rows(db, "SELECT row, response FROM rtk_book('L', 'b2')",
             "{\"isbn\":\"b2\",\"pages\":20.5,\"genre\":\"poem\","
             "\"authors\":[]}|"
             "{\"data\":{\"isbn\":\"b2\",\"pages\":20.5,\"genre\":\"poem\","
             "\"authors\":[]}}\n");
  check_rows(db, "SELECT row = response FROM rtk_weather", "1\n");
  server_close(db);
}

CASE(rows_of_a_list_are_kept) {
  sqlite3 *db = open_made_up();
  check_rows(db, "SELECT count(*) FROM rtk_shelf('L', 'a')", "5\n");
  check_requests("list",
                 SHELF "a" ALL "1\n" SHELF "a" ALL "2\n" SHELF "a" ALL "3\n");
  check_rows(db, "SELECT isbn, pages, response FROM rtk_book('L', 'b5')",
             "b5|5|{\"data\":{\"isbn\":\"b5\",\"pages\":5,"
             "\"genre\":\"novel\"}}\n");
  check_requests("kept", "");
  check_rows(db, "SELECT * FROM rtk_book WHERE account = 'L' AND isbn = 'b9'",
             "b9|9\n");
  check_requests("not kept", "/libraries/L/books/b9\n");
  server_close(db);
}

/* A list is newer than what was known before: a 404, and what is kept no more. */
CASE(a_list_replaces_what_is_outdated) {
  static const char *const seconds[] = {"3600", "0"};
  for (size_t i = 0; i < COUNT(seconds); i++) {
    sqlite3 *db = open_kept_for(seconds[i]);
    check_rows(db, "SELECT pages FROM rtk_book('L', 'b1')", "");
    check_requests("unknown", "/libraries/L/books/b1\n");
    check_rows(db,
               "SELECT s.isbn, b.pages FROM rtk_shelf('L', 'a') AS s LEFT JOIN"
               " rtk_book('L', s.isbn) AS b",
               "b1|100\nb2|20.5\nb3|NULL\nb4|NULL\nb5|5\n");
    check_requests("list",
                   SHELF "a" ALL "1\n" SHELF "a" ALL "2\n" SHELF "a" ALL "3\n");
    check_rows(db, "SELECT pages FROM rtk_book('L', 'b1')",
               i == 0 ? "100\n" : "");
    check_requests("afterwards", i == 0 ? "" : "/libraries/L/books/b1\n");
    server_close(db);
  }
}

/* What a statement was told of an id is true to its end, whatever is kept. */
CASE(a_list_replaces_nothing_of_its_statement) {
  sqlite3 *db = open_kept_for("0");
  check_rows(db,
             "SELECT 'own', pages FROM rtk_book('L', 'b9') UNION ALL"
             " SELECT isbn, pages FROM rtk_shelf('L', 'nine') UNION ALL"
             " SELECT 'own', pages FROM rtk_book('L', 'b9')",
             "own|9\nb9|99\nown|9\n");
  check_requests("one each", "/libraries/L/books/b9\n" SHELF "nine" ALL "1\n");
  server_close(db);
}

CASE(a_row_may_be_text) {
  sqlite3 *db = open_made_up();
  check_rows(db, "SELECT genre, row, response FROM rtk_genres('L')",
             "novel|\"novel\"|\"novel\"\n"
             "poém|\"po\\u00e9m\"|\"po\\u00e9m\"\n"
             "|\"\"|\"\"\n");
  check_rows(db, "SELECT genre FROM rtk_genres('T')",
             "rtk_genres: HTTP 200: an item of the list is no text; check"
             " base_url, and report it if it is right\n");
  server_close(db);
}

CASE(two_tables_may_read_one_reply) {
  sqlite3 *db = open_made_up();
  check_rows(db,
             "SELECT g.genre, r.genre FROM rtk_genres('L') AS g"
             " JOIN rtk_readers('L') AS r LIMIT 1",
             "novel|Ann\n");
  server_close(db);
}

#define LOAN(reader, loan) "/libraries/L/readers/" reader "/loans/" loan

/* Both ids are needed.  An unusable one has no row, and no request. */
CASE(a_path_may_have_two_ids) {
  static const char *const nothing[] = {
      "SELECT * FROM rtk_loan('L', NULL, 'l1')",
      "SELECT * FROM rtk_loan('L', 'r1', NULL)",
      "SELECT * FROM rtk_loan('L', '', 'l1')",
      "SELECT * FROM rtk_loan('L', '..', 'l1')",
      "SELECT * FROM rtk_loan('L', x'41', 'l1')",
      "SELECT * FROM rtk_loan('L', NULL) WHERE loan IN ('l1', 'l2')",
  };
  sqlite3 *db = open_made_up();
  check_rows(db, "SELECT *, reader, loan FROM rtk_loan('L', 'r1', 'l2')",
             "l2|C1|102|OUT|r1|l2\n");
  check_requests("one", LOAN("r1", "l2") "\n");
  for (size_t i = 0; i < COUNT(nothing); i++) check_rows(db, nothing[i], "");
  check_requests("unusable", "");
  check_rows(db, "SELECT value FROM rtk_stats WHERE name = 'unusable_ids'",
             "6\n");
  check_rows(db, "SELECT * FROM rtk_loan('L')",
             "rtk_loan: no usable reader: write it as the second argument or"
             " as reader = … or IN (…) outside OR; the table that supplies it"
             " must come before this one in FROM\n");
  check_rows(db, "SELECT * FROM rtk_loan('L') WHERE loan = 'l1'",
             "rtk_loan: no usable reader: write it as the second argument or"
             " as reader = … or IN (…) outside OR; the table that supplies it"
             " must come before this one in FROM\n");
  check_rows(db, "SELECT * FROM rtk_loan('L', 'r1')",
             "rtk_loan: no usable loan: write it as the third argument or"
             " as loan = … or IN (…) outside OR; the table that supplies it"
             " must come before this one in FROM\n");
  check_rows(db,
             "SELECT reader, loan, id, fee FROM rtk_loan"
             " WHERE account = 'L' AND reader IN ('r3', 'r4')"
             " AND id IN ('l5', 'l6') ORDER BY 1, 2",
             "r3|l5|l5|305\nr3|l6|l6|306\nr4|l5|l5|405\nr4|l6|l6|406\n");
  check_rows(db,
             "SELECT count(DISTINCT rowid) FROM rtk_loan WHERE account = 'L'"
             " AND reader IN ('r3', 'r4') AND loan IN ('l5', 'l6')",
             "4\n");
  server_close(db);
}

/* Both ids vary from row to row, and what is collected is right for each. */
CASE(two_ids_are_read_ahead) {
  static const char pairs[] =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
      " WHERE i < 40) SELECT count(*), sum(l.fee = n.i % 7 * 100 + n.i),"
      " sum(l.city = 'C' || (n.i % 7)) FROM n JOIN"
      " rtk_loan('L', 'r' || (n.i % 7), 'l' || n.i) AS l";
  sqlite3 *db = open_made_up();
  check_rows(db, pairs, "40|40|40\n");
  check_rows(
      db,
      "SELECT value LIKE 'on: 39 ids collected %' OR value FROM rtk_stats"
      " WHERE name = 'read_ahead'",
      "1\n");
  server_close(db);
}

/* A filter that takes several of its values, and one of them from a column. */
CASE(a_filter_may_be_a_comma_list) {
  static const struct {
    const char *where, *rows, *query;
  } cases[] = {
      {"states = 'OUT'", "l1\n", "?state=OUT"},
      {"states = 'OUT,LOST'", "l1\n", "?state=OUT,LOST"},
      {"state = 'OUT'", "l1\n", "?state=OUT"},
      {"state = 'BACK'", "", "?state=BACK"},
      {"state = 'OUT' AND states = 'OUT,BACK'", "l1\n", "?state=OUT,BACK"},
      {"states = 'OUT,'",
       "rtk_loan: states must be one of these, or some with commas: 'OUT',"
       " 'BACK', 'LOST', not 'OUT,'\n",
       NULL},
      {"states = 'OUT, BACK'",
       "rtk_loan: states must be one of these, or some with commas: 'OUT',"
       " 'BACK', 'LOST', not 'OUT, BACK'\n",
       NULL},
      {"states = NULL", "", NULL},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    sqlite3 *db = open_made_up();
    char *sql = sqlite3_mprintf(
        "SELECT id FROM rtk_loan('L', 'r1', 'l1') WHERE %s", cases[i].where);
    char *wanted =
        cases[i].query == NULL
            ? sqlite3_mprintf("")
            : sqlite3_mprintf("%s%s\n", LOAN("r1", "l1"), cases[i].query);
    check_rows(db, sql, cases[i].rows);
    check_requests(cases[i].where, wanted);
    sqlite3_free(wanted);
    sqlite3_free(sql);
    server_close(db);
  }
}

CASE(a_table_may_have_no_arguments) {
  sqlite3 *db = open_made_up();
  check_rows(db, "SELECT * FROM rtk_weather", "blue|21.5\n");
  check_requests("no arguments", "/weather\n");
  server_close(db);
}

int main(void) { return check_run(); }
