/*
** The pages of a list that does not hold still, or of which one fails.  The
** table is one of rtk's own; what is on its pages is the test's.
*/
#include "api/endpoint.h"
#include "base/err.h"
#include "base/limits.h"
#include "fetch/conn.h"
#include "sqlite/plan.h"
#include "sqlite/vtab.h"

#include "server.h"

#define PAGE "/accounts/ACCOUNT/realtime/kit/APP/livestreams/l1?per_page=100&"

/* The rows on page `page` when it is asked for the `nth` time, and the total
** there; ids are one letter.  NULL: the last one for good. */
struct version {
  const char *ids;
  int total; /* -1: is not told */
  int status;
};

enum { PAGES_MAX = 8, VERSIONS_MAX = 4, ANY = -1 };

struct scene {
  const char *name;
  const char *limit; /* behind the statement; NULL: nothing */
  struct version pages[PAGES_MAX][VERSIONS_MAX];
  const char *rows; /* the ids as they come out, and the message */
  int asked[PAGES_MAX];
};

static const struct scene *played;

static void answer(const char *target, int nth, int *status, char *body,
                   size_t room) {
  int page = server_number(target, "page_no");
  static const struct version nothing = {.ids = ""};
  const struct version *version =
      page > PAGES_MAX ? &nothing : played->pages[page - 1];
  int total = played->pages[0][0].total;
  while (page <= PAGES_MAX && --nth > 0 && version[1].ids != NULL) version++;
  if (version->status != 0) {
    *status = version->status;
    (void)snprintf(body, room,
                   "{\"success\":false,\"errors\":[{\"message\":\"no\"}]}");
    return;
  }
  size_t used = (size_t)snprintf(body, room, "{\"data\":{\"sessions\":[");
  const char *ids = version->ids == NULL ? "" : version->ids;
  if (version->ids != NULL && page <= PAGES_MAX) total = version->total;
  for (const char *id = ids; *id != '\0'; id++) {
    const char *name =
        *id >= 'a' ? "id" : "err_message"; /* A row without an id is "A" */
    used += (size_t)snprintf(body + used, room - used, "%s{\"%s\":\"%c\"}",
                             id == ids ? "" : ",", name, *id);
  }
  used += (size_t)snprintf(body + used, room - used, "]}");
  if (total >= 0) {
    used += (size_t)snprintf(body + used, room - used,
                             ",\"paging\":{\"total_count\":%d}", total);
  }
  (void)snprintf(body + used, room - used, "}");
}

static int open_list(sqlite3 **db) {
  struct rtk_conn *conn = NULL;
  struct rtk_err err = {0};
  const struct rtk_endpoint *endpoint = rtk_endpoints;
  while (strcmp(endpoint->name, "rtk_livestream_sessions") != 0) endpoint++;
  int rc = sqlite3_open(":memory:", db);
  if (rc == SQLITE_OK) rc = rtk_conn_new(*db, &conn, &err);
  if (rc == SQLITE_OK) rc = rtk_vtab_register(conn, endpoint);
  if (conn != NULL) rtk_conn_release(conn);
  rtk_err_clear(&err);
  return rc;
}

static void play(const struct scene *scene) {
  sqlite3 *db = NULL;
  played = scene;
  server_start(answer);
  assert_int_equal(open_list(&db), SQLITE_OK);
  char *sql =
      sqlite3_mprintf("SELECT coalesce(id, err_message, 'HTTP ' || http_status)"
                      " FROM rtk_livestream_sessions('ACCOUNT', 'APP',"
                      " 'l1') %s",
                      scene->limit == NULL ? "" : scene->limit);
  check_rows(db, sql, scene->rows);
  for (int i = 0; i < PAGES_MAX; i++) {
    char *target = sqlite3_mprintf(PAGE "page_no=%d", i + 1);
    /* server_count() counts this look, too. */
    int asked = server_count(target) - 1;
    if (scene->asked[i] != ANY) {
      check_int(scene->name, target, asked, scene->asked[i]);
    }
    sqlite3_free(target);
  }
  sqlite3_free(sql);
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
  server_end();
}

static void play_all(const struct scene *scenes, size_t count) {
  for (size_t i = 0; i < count; i++) play(&scenes[i]);
}

/* --- lists that change ----------------------------------------------------------- */

/* N27: no row twice; what was passed is asked for again, twice at the most. */
static void a_list_may_change_underneath(void **state) {
  static const struct scene scenes[] = {
      {.name = "it holds still",
       .pages = {{{"ab", 5, 0}}, {{"cd", 5, 0}}, {{"e", 5, 0}}},
       .rows = "a\nb\nc\nd\ne\n",
       .asked = {1, 1, 1, 0}},
      {.name = "one more in front",
       .pages = {{{"ab", 5, 0}, {"xa", 6, 0}}, {{"bc", 6, 0}}, {{"de", 6, 0}}},
       .rows = "a\nb\nc\nd\ne\nx\n",
       .asked = {2, 2, 2, 0}},
      {.name = "one less in front",
       .pages = {{{"ab", 5, 0}, {"bc", 4, 0}}, {{"de", 4, 0}}, {{"", 4, 0}}},
       .rows = "a\nb\nd\ne\nc\n",
       .asked = {2, 2, 0, 0}},
      {.name = "one more page at the end",
       .pages = {{{"ab", 4, 0}, {"ab", 5, 0}}, {{"cd", 5, 0}}, {{"e", 5, 0}}},
       .rows = "a\nb\nc\nd\ne\n",
       .asked = {2, 2, 2, 0}},
      {.name = "at the first page of the second round",
       .pages = {{{"ab", 3, 0}, {"xa", 5, 0}, {"yx", 5, 0}},
                 {{"c", 4, 0}, {"bc", 5, 0}, {"ab", 5, 0}},
                 {{"z", 5, 0}, {"c", 5, 0}}},
       .rows = "a\nb\nc\nx\nz\ny\n",
       .asked = {3, 3, 2, 0}},
      {.name = "for ever: then a gap cannot be excluded",
       .pages = {{{"ab", 3, 0}, {"ab", 5, 0}, {"ab", 7, 0}},
                 {{"cd", 4, 0}, {"cd", 6, 0}, {"cd", 8, 0}},
                 {{"ef", 6, 0}, {"eg", 8, 0}},
                 {{"h", 8, 0}}},
       .rows = "a\nb\nc\nd\ne\nf\ng\nh\n",
       .asked = {3, 3, 2, 1}},
  };
  (void)state;
  (void)setenv("RTK_CONCURRENCY", "1", 1); /* else pages are asked ahead */
  play_all(scenes, COUNT(scenes));
  (void)unsetenv("RTK_CONCURRENCY");
}

static void pages_are_asked_for_ahead(void **state) {
  static const struct scene scene = {
      .name = "ahead",
      .pages = {{{"ab", 8, 0}}, {{"cd", 8, 0}}, {{"ef", 8, 0}}, {{"gh", 8, 0}}},
      .rows = "a\nb\nc\nd\ne\nf\ng\nh\n",
      .asked = {1, 1, 1, 1}};
  (void)state;
  play(&scene);
}

/* Four times as many as were read: a LIMIT wastes no more. */
static void a_limit_bounds_what_is_asked_ahead(void **state) {
  static const struct scene scene = {.name = "a limit in the second page",
                                     .limit = "LIMIT 3",
                                     .pages = {{{"ab", 16, 0}},
                                               {{"cd", 16, 0}},
                                               {{"ef", 16, 0}},
                                               {{"gh", 16, 0}},
                                               {{"ij", 16, 0}},
                                               {{"kl", 16, 0}},
                                               {{"mn", 16, 0}},
                                               {{"op", 16, 0}}},
                                     .rows = "a\nb\nc\n",
                                     .asked = {1, 1, ANY, ANY, ANY, 0, 0, 0}};
  (void)state;
  play(&scene);
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

static void second_pages_of_many_lists_come_together(void **state) {
  static const struct {
    const char *from;
  } cases[] = {
      {"l JOIN rtk_livestream_sessions('ACCOUNT', 'APP') AS s ON"
       " s.for_livestream_id = l.id AND s.for_livestream_id IN (SELECT id FROM"
       " l)"},
      {"rtk_livestream_sessions('ACCOUNT', 'APP') AS s WHERE"
       " s.for_livestream_id IN (SELECT id FROM l)"},
  };
  (void)state;
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

#define SHORT(rows)                                                            \
  "rtk_livestream_sessions: " rows                                             \
  " rows: the list ended before its total_count; run the statement again, and" \
  " report it if it stays so\n"

/* A page that brings nothing new is requested once more; two such in a row end the
** list.  What is then missing is an error. */
static void a_list_ends_when_it_is_complete(void **state) {
  static const struct scene scenes[] = {
      {.name = "a total that is too large",
       .pages = {{{"ab", 99, 0}}, {{"c", 99, 0}}, {{"", 99, 0}}},
       .rows = "a\nb\nc\n" SHORT("3 of 99"),
       .asked = {1, 1, 2, 2, 0}},
      {.name = "a total that is too small",
       .pages = {{{"abc", 2, 0}}},
       .rows = "a\nb\nc\n",
       .asked = {1, 1, 0, 0}},
      {.name = "a total that is too small, and more",
       .pages = {{{"abc", 0, 0}}, {{"def", 0, 0}}, {{"g", 0, 0}}},
       .rows = "a\nb\nc\nd\ne\nf\ng\n",
       .asked = {1, 1, 1, 0}},
      {.name = "an empty page in the middle, once",
       .pages = {{{"ab", 7, 0}},
                 {{"", 7, 0}, {"cd", 7, 0}},
                 {{"ef", 7, 0}},
                 {{"g", 7, 0}}},
       .rows = "a\nb\nc\nd\ne\nf\ng\n",
       .asked = {1, 2, 1, 1, 0}},
      {.name = "an empty page in the middle, for good",
       .pages = {{{"ab", 7, 0}}, {{"", 7, 0}}, {{"ef", 7, 0}}, {{"gh", 7, 0}}},
       .rows = "a\nb\ne\nf\ng\nh\n" SHORT("6 of 7"),
       .asked = {1, 2, 1, 1, 2, 2, 0}},
      {.name = "an empty first page",
       .pages = {{{"", 500, 0}}},
       .rows = SHORT("0 of 500"),
       .asked = {2, 2, 0}},
      {.name = "an empty first page, once",
       .pages = {{{"", 3, 0}, {"ab", 3, 0}}, {{"c", 3, 0}}},
       .rows = "a\nb\nc\n",
       .asked = {2, 1, 0}},
      {.name = "a repeated page in the middle",
       .pages =
           {{{"ab", 6, 0}}, {{"ba", 6, 0}}, {{"cd", 6, 0}}, {{"ef", 6, 0}}},
       .rows = "a\nb\nc\nd\ne\nf\n",
       .asked = {1, 2, 1, 1, 0}},
      {.name = "page_no is ignored",
       .pages = {{{"ab", 62, 0}}, {{"ab", 62, 0}}, {{"ab", 62, 0}}},
       .rows = "a\nb\n" SHORT("2 of 62"),
       .asked = {1, 2, 2, 0}},
      {.name = "page_no is ignored, with an absurd total",
       .pages = {{{"ab", 1000000000, 0}},
                 {{"ab", 1000000000, 0}},
                 {{"ab", 1000000000, 0}}},
       .rows = "a\nb\n" SHORT("2 of 1000000000"),
       .asked = {1, 2, 2, 0}},
      {.name = "no total, the last page is full",
       .pages = {{{"ab", -1, 0}}, {{"cd", -1, 0}}, {{"", -1, 0}}},
       .rows = "a\nb\nc\nd\n",
       .asked = {1, 1, 1, 0}},
      {.name = "no total, the last page is not full",
       .pages = {{{"ab", -1, 0}}, {{"c", -1, 0}}},
       .rows = "a\nb\nc\n",
       .asked = {1, 1, 0, 0}},
      {.name = "pages of several sizes",
       .pages = {{{"ab", 5, 0}}, {{"c", 5, 0}}, {{"de", 5, 0}}},
       .rows = "a\nb\nc\nd\ne\n",
       .asked = {1, 1, 1, 0}},
      {.name = "no total, page_no is ignored",
       .pages = {{{"ab", -1, 0}}, {{"ab", -1, 0}}, {{"ab", -1, 0}}},
       .rows = "a\nb\n",
       .asked = {1, 2, 2, 0}},
      {.name = "rows without ids, page_no is ignored",
       .pages = {{{"AA", -1, 0}}, {{"AA", -1, 0}}, {{"AA", -1, 0}}},
       .rows = "A\nA\n",
       .asked = {1, 2, 2, 0}},
      {.name = "rows without ids",
       .pages = {{{"AA", -1, 0}}, {{"AB", -1, 0}}, {{"A", -1, 0}}},
       .rows = "A\nA\nA\nB\nA\n",
       .asked = {1, 1, 1, 0}},
      {.name = "no total, there is no page behind the last",
       .pages = {{{"ab", -1, 0}}, {{"", 0, 404}}},
       .rows = "a\nb\n",
       .asked = {1, 1, 0, 0}},
      {.name = "the same row twice on the only page",
       .pages = {{{"aab", 3, 0}}},
       .rows = "a\nb\n" SHORT("2 of 3"),
       .asked = {1, 0, 0, 0}},
      {.name = "the same row twice",
       .pages = {{{"aa", 4, 0}}, {{"ab", 4, 0}}},
       .rows = "a\nb\n" SHORT("2 of 4"),
       .asked = {1, 1, 2, 2}},
      {.name = "a limit in the first page",
       .limit = "LIMIT 2",
       .pages = {{{"ab", 4, 0}}, {{"cd", 4, 0}}},
       .rows = "a\nb\n",
       .asked = {1, 0, 0, 0}},
      {.name = "a limit in the second page",
       .limit = "LIMIT 3",
       .pages = {{{"ab", 6, 0}}, {{"cd", 6, 0}}, {{"ef", 6, 0}}},
       .rows = "a\nb\nc\n",
       .asked = {1, 1, 0, 0}},
  };
  (void)state;
  (void)setenv("RTK_CONCURRENCY", "1", 1);
  play_all(scenes, COUNT(scenes));
  (void)unsetenv("RTK_CONCURRENCY");
}

/* --- pages that fail --------------------------------------------------------------- */

#define FAILED                                                                 \
  "rtk_livestream_sessions: HTTP 500 for livestream 'l1' on page 2 (3"         \
  " tries): no; the server is in trouble: try again later\n"
#define PAGE_IS_GONE                                                           \
  "rtk_livestream_sessions: HTTP 404 for livestream 'l1' on page 2: no; the"   \
  " list has changed while it was read: try again\n"

static void a_page_that_fails_is_asked_again_alone(void **state) {
  static const struct scene scenes[] = {
      {.name = "once",
       .pages = {{{"ab", 5, 0}}, {{"", 0, 503}, {"cd", 5, 0}}, {{"e", 5, 0}}},
       .rows = "a\nb\nc\nd\ne\n",
       .asked = {1, 2, 1, 0}},
      {.name = "for ever",
       .pages = {{{"ab", 5, 0}}, {{"", 0, 500}}, {{"e", 5, 0}}},
       .rows = "a\nb\n" FAILED,
       .asked = {1, 3, 0, 0}},
      {.name = "not there any more",
       .pages = {{{"ab", 5, 0}}, {{"", 0, 404}}, {{"e", 5, 0}}},
       .rows = "a\nb\n" PAGE_IS_GONE,
       .asked = {1, 1, 0, 0}},
  };
  (void)state;
  (void)setenv("RTK_CONCURRENCY", "1", 1);
  play_all(scenes, COUNT(scenes));
  (void)unsetenv("RTK_CONCURRENCY");
}

/* One row stands for the page; what is on the others is there. */
static void a_page_that_fails_may_be_a_row(void **state) {
  static const struct scene scenes[] = {
      {.name = "in the middle",
       .pages = {{{"ab", 5, 0}}, {{"", 0, 500}}, {{"e", 5, 0}}},
       .rows = "a\nb\nHTTP 500\ne\n",
       .asked = {1, 3, 1, 0}},
      {.name = "the first",
       .pages = {{{"", 0, 500}}, {{"cd", 5, 0}}},
       .rows = "HTTP 500\n",
       .asked = {3, 0, 0, 0}},
      {.name = "the last, without a total",
       .pages = {{{"ab", -1, 0}}, {{"", 0, 400}}},
       .rows = "a\nb\nHTTP 400\n",
       .asked = {1, 1, 0, 0}},
  };
  (void)state;
  (void)setenv("RTK_ON_ERROR", "row", 1);
  play_all(scenes, COUNT(scenes));
  (void)unsetenv("RTK_ON_ERROR");
}

/* --- memory, and the user's wish to stop ----------------------------------------------- */

static int count_row(void *count, int columns, char **values, char **names) {
  (void)columns;
  (void)values;
  (void)names;
  ++*(int *)count;
  return 0;
}

/* As SQLITE_NOMEM, the message of a table that ran out of memory. */
static int count_rows(sqlite3 *db, const char *sql, int *count) {
  char *message = NULL;
  *count = 0;
  int rc = sqlite3_exec(db, sql, count_row, count, &message);
  bool is_nomem = message != NULL && strstr(message, "out of memory") != NULL;
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

static void no_memory_is_told(void **state) {
  static const struct scene scene = {
      .pages = {{{"ab", 5, 0}, {"xa", 6, 0}}, {{"bc", 6, 0}}, {{"de", 6, 0}}}};
  played = &scene;
  (void)state;
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

static void no_memory_for_many_lists_is_told(void **state) {
  (void)state;
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

static void a_list_can_be_interrupted(void **state) {
  static const struct scene scene = {
      .pages = {{{"ab", 6, 0}}, {{"cd", 6, 0}}, {{"ef", 6, 0}}}};
  played = &scene;
  (void)state;
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
static void a_second_round_is_new(void **state) {
  static const struct scene scene = {
      .name = "with a cache file",
      .pages = {{{"ab", 5, 0}, {"xa", 6, 0}}, {{"bc", 6, 0}}, {{"de", 6, 0}}},
      .rows = "a\nb\nc\nd\ne\nx\n",
      .asked = {2, 2, 2, 0}};
  char path[] = "/tmp/rtk-pages-XXXXXX";
  char other[64];
  int file = mkstemp(path);
  (void)state;
  assert_true(file >= 0);
  (void)close(file);
  (void)setenv("RTK_CONCURRENCY", "1", 1);
  (void)setenv("RTK_CACHE_FILE", path, 1);
  (void)setenv("RTK_CACHE_TTL_LIVE_S", "3600", 1);
  play(&scene);
  (void)unsetenv("RTK_CACHE_TTL_LIVE_S");
  (void)unsetenv("RTK_CACHE_FILE");
  (void)unsetenv("RTK_CONCURRENCY");
  (void)unlink(path);
  (void)snprintf(other, sizeof(other), "%s-wal", path);
  (void)unlink(other);
  (void)snprintf(other, sizeof(other), "%s-shm", path);
  (void)unlink(other);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_list_may_change_underneath),
      TEST(pages_are_asked_for_ahead),
      TEST(a_limit_bounds_what_is_asked_ahead),
      TEST(second_pages_of_many_lists_come_together),
      TEST(a_list_ends_when_it_is_complete),
      TEST(a_page_that_fails_is_asked_again_alone),
      TEST(a_page_that_fails_may_be_a_row),
      TEST(no_memory_is_told),
      TEST(no_memory_for_many_lists_is_told),
      TEST(a_list_can_be_interrupted),
      TEST(a_second_round_is_new),
  };
  check_init();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
