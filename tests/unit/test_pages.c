/*
** The pages of a list that does not hold still, or of which one fails.  The
** table is one of rtk's own; what is on its pages is the test's.
*/
#include "base/limits.h"
#include "sqlite/plan.h"

#include "server.h"

#define PAGE "/accounts/ACCOUNT/realtime/kit/APP/livestreams/l1?per_page=100&"

enum { PAGES_MAX = 8 };

/* A list, and what a statement makes of it. */
struct scene {
  const char *name;
  /* Its pages, `ab/5` with the ids a and b and a total of 5, `ab/` without a total;
  ** `!503` fails.  A capital is a row without an id.  `ab/5,xa/6`: at the second
  ** request it is another one, for good. */
  const char *pages;
  const char *rows;  /* the ids as they come out, and the message */
  const char *asked; /* how often for each page; ?: any number */
  const char *limit; /* behind the statement; NULL: nothing */
};

static const struct scene *played;

/* What stands in `pages` for the `nth` request for a page; "": there is no such
** page. */
static const char *version_of(int page, int nth) {
  const char *at = played->pages;
  for (; page > 1 && *at != '\0'; page--) {
    at += strcspn(at, " ");
    if (*at == ' ') at++;
  }
  for (; nth > 1 && at[strcspn(at, ", ")] == ','; nth--) {
    at += strcspn(at, ",") + 1;
  }
  return at;
}

static void answer(const char *target, int nth, int *status, char *body,
                   size_t room) {
  const char *version = version_of(server_number(target, "page_no"), nth);
  const char *total =
      strchr(*version == '\0' ? played->pages : version, '/') + 1;
  if (*version == '!') {
    *status = atoi(version + 1);
    (void)snprintf(body, room,
                   "{\"success\":false,\"errors\":[{\"message\":\"no\"}]}");
    return;
  }
  size_t used = (size_t)snprintf(body, room, "{\"data\":{\"sessions\":[");
  for (const char *id = version; *id != '\0' && *id != '/'; id++) {
    used += (size_t)snprintf(body + used, room - used, "%s{\"%s\":\"%c\"}",
                             id == version ? "" : ",",
                             *id >= 'a' ? "id" : "err_message", *id);
  }
  used += (size_t)snprintf(body + used, room - used, "]}");
  if (*total >= '0' && *total <= '9') {
    used += (size_t)snprintf(body + used, room - used,
                             ",\"paging\":{\"total_count\":%d}", atoi(total));
  }
  (void)snprintf(body + used, room - used, "}");
}

static int open_list(sqlite3 **db) {
  return server_open(rtk_endpoints, (size_t)rtk_endpoint_count, db);
}

/* All rows in a line, and the message behind them. */
static char *read_all(sqlite3 *db, const char *limit) {
  sqlite3_stmt *stmt = NULL;
  sqlite3_str *out = sqlite3_str_new(NULL);
  char *sql =
      sqlite3_mprintf("SELECT coalesce(id, err_message, '!' || http_status)"
                      " FROM rtk_livestream_sessions('ACCOUNT', 'APP',"
                      " 'l1') %s",
                      limit == NULL ? "" : limit);
  (void)sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
  while (sqlite3_step(stmt) == SQLITE_ROW) {
    sqlite3_str_appendf(out, "%s", sqlite3_column_text(stmt, 0));
  }
  if (sqlite3_finalize(stmt) != SQLITE_OK) {
    sqlite3_str_appendf(out, " | %s", sqlite3_errmsg(db));
  }
  sqlite3_free(sql);
  return sqlite3_str_finish(out);
}

static void play(const struct scene *scene) {
  sqlite3 *db = NULL;
  played = scene;
  server_start(answer);
  assert_int_equal(open_list(&db), SQLITE_OK);
  char *rows = read_all(db, scene->limit);
  check_text(scene->name, "rows", rows, scene->rows);
  for (size_t i = 0; i < PAGES_MAX; i++) {
    char *target = sqlite3_mprintf(PAGE "page_no=%d", (int)i + 1);
    char expected = i < strlen(scene->asked) ? scene->asked[i] : '0';
    /* server_count() counts this look, too. */
    int asked = server_count(target) - 1;
    if (expected != '?') check_int(scene->name, target, asked, expected - '0');
    sqlite3_free(target);
  }
  sqlite3_free(rows);
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
  server_end();
}

/* With a variable of the environment. */
static void play_all(const struct scene *scenes, size_t count, const char *name,
                     const char *value) {
  (void)setenv(name, value, 1);
  for (size_t i = 0; i < count; i++) play(&scenes[i]);
  (void)unsetenv(name);
}

/* With no page requested ahead. */
static void play_in_turn(const struct scene *scenes, size_t count) {
  play_all(scenes, count, "RTK_CONCURRENCY", "1");
}

/* --- lists that change ----------------------------------------------------------- */

/* N27: no row twice; what was passed is asked for again, twice at the most. */
CASE(a_list_may_change_underneath) {
  static const struct scene scenes[] = {
      {"it holds still", "ab/5 cd/5 e/5", "abcde", "1110"},
      {"one more in front", "ab/5,xa/6 bc/6 de/6", "abcdex", "2220"},
      {"one less in front", "ab/5,bc/4 de/4 /4", "abdec", "2200"},
      {"one more page at the end", "ab/4,ab/5 cd/5 e/5", "abcde", "2220"},
      {"at the first page of the second round",
       "ab/3,xa/5,yx/5 c/4,bc/5,ab/5 z/5,c/5", "abcxzy", "3320"},
      {"for ever: then a gap cannot be excluded",
       "ab/3,ab/5,ab/7 cd/4,cd/6,cd/8 ef/6,eg/8 h/8", "abcdefgh", "3321"},
  };
  play_in_turn(scenes, COUNT(scenes));
}

/* Four times as many as were read: a LIMIT wastes no more. */
CASE(pages_are_asked_for_ahead) {
  static const struct scene scenes[] = {
      {"ahead", "ab/8 cd/8 ef/8 gh/8", "abcdefgh", "1111"},
      {"a limit in the second page",
       "ab/16 cd/16 ef/16 gh/16 ij/16 kl/16 mn/16 op/16", "abc", "11???",
       "LIMIT 3"},
  };
  for (size_t i = 0; i < COUNT(scenes); i++) play(&scenes[i]);
}

/* --- several lists ---------------------------------------------------------------- */

/* The first second page may come by itself. The next one is only served when
** somebody waits behind it, until that was seen once. Where it was requested before
** the other lists' first pages had come, nobody does: so the wait has an end, long
** before the client's time-out, and the one after it has its chance. */
#define PATIENCE_MS 5000

static int patience_ms = PATIENCE_MS;
static int second_pages;
static bool was_together;

/* Two pages a list; was anybody waiting while a second one was served? */
static void answer_two_pages(const char *target, int nth, int *status,
                             char *body, size_t room) {
  struct pollfd next = {.fd = server.listener, .events = POLLIN};
  int page = server_number(target, "page_no");
  (void)nth;
  (void)status;
  if (page == 2 && ++second_pages > 1 && !was_together &&
      poll(&next, 1, patience_ms) == 1) {
    was_together = true;
  }
  (void)snprintf(body, room,
                 "{\"data\":{\"sessions\":[{\"id\":\"%d%s\"}]},"
                 "\"paging\":{\"total_count\":2}}",
                 page, strstr(target, "/l"));
}

CASE(second_pages_of_many_lists_come_together) {
  static const struct {
    const char *from;
  } cases[] = {
      {"l JOIN rtk_livestream_sessions('ACCOUNT', 'APP') AS s ON"
       " s.for_livestream_id = l.id AND s.for_livestream_id IN (SELECT id FROM"
       " l)"},
      {"rtk_livestream_sessions('ACCOUNT', 'APP') AS s WHERE"
       " s.for_livestream_id IN (SELECT id FROM l)"},
  };
  /* Before, SQLite hands a list over one by one. */
  if (sqlite3_libversion_number() < RTK_SQLITE_VTAB_IN) skip();
  for (size_t i = 0; i < COUNT(cases); i++) {
    sqlite3 *db = NULL;
    server_start(answer_two_pages);
    was_together = false;
    second_pages = 0;
    assert_int_equal(open_list(&db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
                     "CREATE TABLE l(id); INSERT INTO l VALUES ('l5'), ('l4'),"
                     " ('l3'), ('l2'), ('l1')",
                     NULL, NULL, NULL),
        SQLITE_OK);
    char *sql = sqlite3_mprintf("SELECT count(*), count(DISTINCT s.id) FROM %s",
                                cases[i].from);
    check_rows(db, sql, "10|10\n");
    check_int(cases[i].from, "second pages together", was_together, true);
    char *requests = server_requests();
    check_lacks(cases[i].from, requests, " times");
    sqlite3_free(requests);
    sqlite3_free(sql);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    server_end();
  }
}

/* The second list changes; its second page was requested while the first list was
** read. */
static void answer_two_lists(const char *target, int nth, int *status,
                             char *body, size_t room) {
  static const struct scene first = {.pages = "y/2 z/2"};
  static const struct scene second = {.pages = "ab/6,bc/5 cd/6,de/5 f/5"};
  played = strstr(target, "/l1?") != NULL ? &first : &second;
  answer(target, nth, status, body, room);
}

CASE(a_list_behind_another_may_change_underneath) {
  sqlite3 *db = NULL;
  if (sqlite3_libversion_number() < RTK_SQLITE_VTAB_IN) skip();
  server_start(answer_two_lists);
  assert_int_equal(open_list(&db), SQLITE_OK);
  check_rows(db,
             "SELECT group_concat(id, '') FROM rtk_livestream_sessions("
             "'ACCOUNT', 'APP') WHERE for_livestream_id IN ('l1', 'l2')",
             "yzabcdfe\n");
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
  server_end();
}

#define SHORT(rows)                                                            \
  " | rtk_livestream_sessions: " rows                                          \
  " rows: the list ended before its total_count; run the statement again, and" \
  " report it if it stays so"

/* A page that brings nothing new is requested once more; two such in a row end the
** list.  What is then missing is an error. */
CASE(a_list_ends_when_it_is_complete) {
  static const struct scene scenes[] = {
      {"a total that is too large", "ab/99 c/99 /99", "abc" SHORT("3 of 99"),
       "11220"},
      {"a total that is too small", "abc/2", "abc", "1100"},
      {"a total that is too small, and more", "abc/0 def/0 g/0", "abcdefg",
       "1110"},
      {"an empty page in the middle, once", "ab/7 /7,cd/7 ef/7 g/7", "abcdefg",
       "12110"},
      {"an empty page in the middle, for good", "ab/7 /7 ef/7 gh/7",
       "abefgh" SHORT("6 of 7"), "1211220"},
      {"an empty first page", "/500", SHORT("0 of 500"), "220"},
      {"an empty first page, once", "/3,ab/3 c/3", "abc", "210"},
      {"a repeated page in the middle", "ab/6 ba/6 cd/6 ef/6", "abcdef",
       "12110"},
      {"page_no is ignored", "ab/62 ab/62 ab/62", "ab" SHORT("2 of 62"),
       "1220"},
      {"page_no is ignored, with an absurd total",
       "ab/1000000000 ab/1000000000 ab/1000000000",
       "ab" SHORT("2 of 1000000000"), "1220"},
      {"no total, the last page is full", "ab/ cd/ /", "abcd", "1110"},
      {"no total, the last page is not full", "ab/ c/", "abc", "1100"},
      {"pages of several sizes", "ab/5 c/5 de/5", "abcde", "1110"},
      {"no total, page_no is ignored", "ab/ ab/ ab/", "ab", "1220"},
      {"rows without ids, page_no is ignored", "AA/ AA/ AA/", "AA", "1220"},
      {"rows without ids", "AA/ AB/ A/", "AAABA", "1110"},
      {"no total, there is no page behind the last", "ab/ !404", "ab", "1100"},
      {"the same row twice on the only page", "aab/3", "ab" SHORT("2 of 3"),
       "1000"},
      {"the same row twice", "aa/4 ab/4", "ab" SHORT("2 of 4"), "1122"},
      {"a limit in the first page", "ab/4 cd/4", "ab", "1000", "LIMIT 2"},
      {"a limit in the second page", "ab/6 cd/6 ef/6", "abc", "1100",
       "LIMIT 3"},
  };
  play_in_turn(scenes, COUNT(scenes));
}

/* Where a filter may leave out rows that the total counts, a short list is only
** counted.  An order leaves out none. */
CASE(an_order_is_no_filter) {
  static const struct scene scene = {.pages = "ab/3 /3"};
  sqlite3 *db = server_begin(answer, rtk_endpoints, (size_t)rtk_endpoint_count);
  played = &scene;
  check_rows(db,
             "SELECT id FROM rtk_meeting_sessions('ACCOUNT', 'APP')"
             " WHERE search = 'x'",
             "a\nb\n");
  check_rows(
      db,
      "SELECT id FROM rtk_meeting_sessions('ACCOUNT', 'APP')"
      " WHERE sort_order = 'ASC'",
      "a\nb\nrtk_meeting_sessions: 2 of 3 rows: the list ended before its"
      " total_count; run the statement again, and report it if it stays"
      " so\n");
  server_close(db);
}

/* --- pages that fail --------------------------------------------------------------- */

#define FAILED                                                                 \
  " | rtk_livestream_sessions: HTTP 500 for livestream 'l1' on page 2 (3"      \
  " tries): no; the server is in trouble: try again later"
#define PAGE_3_IS_GONE                                                         \
  " | rtk_livestream_sessions: HTTP 404 for livestream 'l1' on page 3: no; "   \
  "the"                                                                        \
  " list has changed while it was read: try again"
#define PAGE_IS_GONE                                                           \
  " | rtk_livestream_sessions: HTTP 404 for livestream 'l1' on page 2: no; "   \
  "the"                                                                        \
  " list has changed while it was read: try again"

CASE(a_page_that_fails_is_asked_again_alone) {
  static const struct scene scenes[] = {
      {"once", "ab/5 !503,cd/5 e/5", "abcde", "1210"},
      {"for ever", "ab/5 !500 e/5", "ab" FAILED, "1300"},
      {"not there any more", "ab/5 !404 e/5", "ab" PAGE_IS_GONE, "1100"},
      {"the last one is not there", "ab/5 cd/5 !404", "abcd" PAGE_3_IS_GONE,
       "111"},
  };
  play_in_turn(scenes, COUNT(scenes));
}

/* One row stands for the page; what is on the others is there. */
CASE(a_page_that_fails_may_be_a_row) {
  static const struct scene scenes[] = {
      {"in the middle", "ab/5 !500 e/5", "ab!500e", "1310"},
      {"the first", "!500 cd/5", "!500", "3000"},
      {"the last, without a total", "ab/ !400", "ab!400", "1100"},
  };
  play_all(scenes, COUNT(scenes), "RTK_ON_ERROR", "row");
}

/* --- memory, and the user's wish to stop ----------------------------------------------- */

static int count_row(void *count, int columns, char **values, char **names) {
  (void)columns;
  (void)values;
  (void)names;
  ++*(int *)count;
  return 0;
}

/* SQLITE_NOMEM, too, when a table of ours is out of memory.  Its own code is not
** that, because SQLite would roll the transaction back. */
static int count_rows(sqlite3 *db, const char *sql, int *count) {
  char *message = NULL;
  *count = 0;
  int rc = sqlite3_exec(db, sql, count_row, count, &message);
  bool is_nomem = message != NULL && strstr(message, "out of memory") != NULL;
  if (is_nomem && strstr(message, "rtk_") != NULL) {
    check_int("out of memory", "code", rc, SQLITE_ERROR);
  }
  sqlite3_free(message);
  return is_nomem || (rc == SQLITE_ERROR && message == NULL) ? SQLITE_NOMEM
                                                             : rc;
}

static int read_list(sqlite3 *db, int *count) {
  return count_rows(db,
                    "SELECT id FROM rtk_livestream_sessions('ACCOUNT', 'APP',"
                    " 'l1')",
                    count);
}

/* On a connection of its own, which is all that may keep memory. */
static int open_and_read(void *unused) {
  sqlite3 *db = NULL;
  int count = 0;
  int rc = open_list(&db);
  (void)unused;
  if (rc == SQLITE_OK) rc = read_list(db, &count);
  if (rc == SQLITE_OK) check_int("list", "rows", count, 6);
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
  return rc;
}

CASE(no_memory_is_told) {
  static const struct scene scene = {.pages = "ab/5,xa/6 bc/6 de/6"};
  played = &scene;
  (void)setenv("RTK_QUOTA", "0", 1); /* for more requests than it has */
  (void)setenv("RTK_RATE_PER_SECOND", "0", 1);
  server_start(answer);
  check_nomem("list", open_and_read, NULL, true);
  server_end();
  (void)unsetenv("RTK_RATE_PER_SECOND");
  (void)unsetenv("RTK_QUOTA");
}

static int open_and_read_lists(void *unused) {
  sqlite3 *db = NULL;
  int count = 0;
  int rc = open_list(&db);
  (void)unused;
  if (rc == SQLITE_OK) {
    rc = count_rows(db,
                    "SELECT id FROM rtk_livestream_sessions('ACCOUNT', 'APP')"
                    " WHERE for_livestream_id IN ('l1', 'l2', 'l3', 'l4')",
                    &count);
  }
  if (rc == SQLITE_OK) check_int("lists", "rows", count, 8);
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
  return rc;
}

CASE(no_memory_for_many_lists_is_told) {
  (void)setenv("RTK_QUOTA", "0", 1);
  (void)setenv("RTK_RATE_PER_SECOND", "0", 1);
  patience_ms = 0;
  server_start(answer_two_pages);
  check_nomem("lists", open_and_read_lists, NULL, true);
  server_end();
  patience_ms = PATIENCE_MS;
  (void)unsetenv("RTK_RATE_PER_SECOND");
  (void)unsetenv("RTK_QUOTA");
}

/* The server has page 2 asked for, and interrupts instead of answering. */
static struct {
  sqlite3 *db;
  int has_ended[2]; /* a pipe: it is closed when the statement has ended */
  bool was_in_time;
} stop;

static void answer_or_interrupt(const char *target, int nth, int *status,
                                char *body, size_t room) {
  struct pollfd end = {.fd = stop.has_ended[0], .events = POLLIN};
  if (server_number(target, "page_no") == 2) {
    sqlite3_interrupt(stop.db);
    stop.was_in_time = poll(&end, 1, 10000) == 1;
  }
  answer(target, nth, status, body, room);
}

CASE(a_list_can_be_interrupted) {
  static const struct scene scene = {.pages = "ab/6 cd/6 ef/6"};
  played = &scene;
  int count = 0;
  assert_int_equal(pipe(stop.has_ended), 0);
  server_start(answer_or_interrupt);
  assert_int_equal(open_list(&stop.db), SQLITE_OK);
  check_int("list", "result", read_list(stop.db, &count), SQLITE_INTERRUPT);
  check_int("list", "rows before", count, 2);
  (void)close(stop.has_ended[1]);
  assert_int_equal(sqlite3_close(stop.db), SQLITE_OK);
  server_end();
  (void)close(stop.has_ended[0]);
  check_int("list", "ended before the reply", stop.was_in_time, true);
}

/* --- the cache file ------------------------------------------------------------------ */

/* Pages that are asked for again do not come out of the file. */
CASE(a_second_round_is_new) {
  static const struct scene scene = {"with a cache file", "ab/5,xa/6 bc/6 de/6",
                                     "abcdex", "2220"};
  char path[] = "/tmp/rtk-pages-XXXXXX";
  char other[64];
  int file = mkstemp(path);
  assert_true(file >= 0);
  (void)close(file);
  (void)setenv("RTK_CACHE_FILE", path, 1);
  (void)setenv("RTK_CACHE_TTL_LIVE_S", "3600", 1);
  play_in_turn(&scene, 1);
  (void)unsetenv("RTK_CACHE_TTL_LIVE_S");
  (void)unsetenv("RTK_CACHE_FILE");
  (void)unlink(path);
  (void)snprintf(other, sizeof(other), "%s-wal", path);
  (void)unlink(other);
  (void)snprintf(other, sizeof(other), "%s-shm", path);
  (void)unlink(other);
}

int main(void) { return check_run(); }
