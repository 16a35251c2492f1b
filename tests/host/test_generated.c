/*
** The answer of a query is the same with read-ahead, without it, and from an
** ordinary table that holds what the API has: generated queries, each run all
** three ways. What CREATE TABLE … AS writes is the same, too.
**
** api: --sessions 1000
**
** RTK_TEST_SEED and RTK_TEST_QUERIES, when they are set, make others and more.
*/
#include "host.h"

enum { QUERIES = 1000, PARAMETERS = 3, IDS = 9 };

/* --- chance --------------------------------------------------------------------- */

static uint64_t seed = 20240229;

static unsigned chance(unsigned below) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return (unsigned)((seed >> 20) % below);
}

#define ONE_OF(table) ((table)[chance((unsigned)ROWS_OF(table))])

static long from_env(const char *name, long otherwise) {
  const char *text = getenv(name);
  return text == NULL ? otherwise : strtol(text, NULL, 10);
}

/* --- a query ---------------------------------------------------------------------- */

/* The same query for the API and for the copy: only the joins differ. */
struct query {
  sqlite3_str *api, *copy;
};

static void put(struct query *query, const char *text) {
  sqlite3_str_appendall(query->api, text);
  sqlite3_str_appendall(query->copy, text);
}

/* The id of each row of `to` as a table called `alias`; or two ids of each row;
** or each row's id in one of some apps, which all have the same sessions. */
static void put_session(struct query *query, const char *join,
                        const char *alias, const char *to) {
  unsigned kind = chance(8);
  put(query, join);
  if (kind < 3) {
    sqlite3_str_appendf(query->api,
                        " rtk_livestream_session('ACCOUNT', %s, %s) AS %s",
                        kind == 2 ? "'app' || (o.n % 3)" : "'APP'", to, alias);
  } else {
    sqlite3_str_appendf(query->api, " rtk_livestream_session AS %s ON %s.",
                        alias, alias);
    sqlite3_str_appendf(
        query->api,
        kind == 3 ? "session_id IN (%s, 's' || o.n)" : "session_id = %s", to);
  }
  sqlite3_str_appendf(query->copy, " copy AS %s ON %s.", alias, alias);
  sqlite3_str_appendf(
      query->copy,
      kind == 3 ? "session_id IN (%s, 's' || o.n)" : "session_id = %s", to);
}

/* In a subquery: `alias` where its id is that of `to`, or one of a list, or
** both. */
static void put_inner(struct query *query, const char *select, const char *to,
                      const char *more) {
  static const char *const lists[] = {
      "",
      "",
      " AND x.session_id IN (SELECT s FROM l)",
      " AND x.session_id IN (o.s, 's4')",
  };
  const char *list = ONE_OF(lists);
  bool is_list = strcmp(select, "x.viewer_seconds") != 0 && chance(4) == 0;
  sqlite3_str_appendf(
      query->api, "(SELECT %s FROM rtk_livestream_session AS x WHERE ", select);
  sqlite3_str_appendf(query->copy, "(SELECT %s FROM copy AS x WHERE ", select);
  put(query, is_list ? "x.session_id IN ('s2', " : "x.session_id = ");
  put(query, to);
  put(query, is_list ? ")" : "");
  put(query, list);
  put(query, more);
  put(query, ")");
}

static const char *const joins[] = {" JOIN", " LEFT JOIN", " JOIN",
                                    " LEFT JOIN"};

/* FROM: a local part o(n, s), its sessions a, and perhaps more. */
static void put_from(struct query *query) {
  static const char *const outer[] = {
      "l AS o",
      "l AS o",
      "m AS o",
      "(SELECT min(n) AS n, s FROM l GROUP BY s) AS o",
      "(SELECT n, s FROM l ORDER BY n LIMIT 5) AS o",
      "(SELECT n, s, row_number() OVER (ORDER BY n) AS r FROM l) AS o",
      "w AS o",
      "(SELECT n, s FROM l UNION ALL SELECT n, s FROM m) AS o",
      "(SELECT l.n, m.s FROM l JOIN m ON l.n = m.n) AS o",
  };
  const char *place = chance(2) == 0 ? "before" : "after";
  put(query, " FROM ");
  put(query, ONE_OF(outer));
  bool has_m = chance(3) == 0;
  if (has_m && *place == 'b') {
    put(query, ONE_OF(joins));
    put(query, " m ON m.n = o.n");
  }
  put_session(query, ONE_OF(joins), "a",
              has_m && *place == 'b' && chance(2) == 0 ? "m.s" : "o.s");
  if (has_m && *place == 'a') {
    put(query, ONE_OF(joins));
    put(query, chance(2) == 0 ? " m ON m.s = a.id" : " m ON m.n = o.n");
  }
  if (chance(4) == 0) {
    put_session(query, ONE_OF(joins), "b",
                has_m            ? "m.s"
                : chance(2) == 0 ? "a.id"
                                 : "o.s");
  }
}

static void put_condition(struct query *query) {
  static const char *const conditions[] = {
      "a.viewer_seconds > 30",
      "a.viewer_seconds <= ?1",
      "a.id > ?2",
      "a.id LIKE '%2%'",
      "a.err_message IS NULL",
      "a.err_message IS NOT NULL",
      "a.id IS NULL",
      "a.id IS NOT NULL",
      "o.n % 2 = 0",
      "o.n - ?1 > 3",
      "10 -?3 > o.n",
      "o.s > ?2",
      "?3 IS NULL",
      "o.n BETWEEN 2 AND 9",
      "a.ingest_seconds > o.n",
      "length(o.s) = 2",
  };
  unsigned kind = chance(22);
  if (kind < 2) {
    put(query, kind == 0 ? "EXISTS " : "NOT EXISTS ");
    put_inner(query, "1", "o.s", chance(2) == 0 ? "" : " AND x.id = a.id");
  } else if (kind == 2) {
    put(query, "o.n < ");
    put_inner(query, "x.viewer_seconds", "o.s", "");
  } else {
    put(query, ONE_OF(conditions));
  }
}

static void put_where(struct query *query) {
  unsigned count = chance(4);
  for (unsigned i = 0; i < count; i++) {
    put(query, i == 0 ? " WHERE " : chance(4) == 0 ? " OR " : " AND ");
    put_condition(query);
  }
}

/* Three columns always, so that two of them can stand in a compound. */
static void put_select(struct query *query, bool may_group) {
  static const char *const rows[] = {
      "o.n, o.s, a.id",
      "o.n, a.id, a.viewer_seconds",
      "a.id, a.error, a.session_id",
      "DISTINCT o.s, a.viewer_seconds, a.livestream_id",
      "o.n, ?1, a.viewer_seconds - ?3",
      "o.n, coalesce(a.id, '-'), ?2",
      "o.n, a.id, sum(a.viewer_seconds) OVER (PARTITION BY a.err_message)",
      "o.n, a.id, count(*) OVER (ORDER BY o.n RANGE 1 PRECEDING)",
  };
  static const char *const groups[] = {
      "count(*), count(a.id), sum(a.viewer_seconds)",
      "max(a.id), min(o.n), count(DISTINCT a.livestream_id)",
      "o.s, count(*), total(a.ingest_seconds)",
      "o.n % 3, count(a.id), max(a.viewer_seconds)",
  };
  put(query, "SELECT ");
  if (may_group && chance(3) == 0) {
    unsigned kind = chance((unsigned)ROWS_OF(groups));
    put(query, groups[kind]);
    put_from(query);
    put_where(query);
    if (kind >= 2) put(query, " GROUP BY 1");
    if (kind >= 2 && chance(3) == 0) put(query, " HAVING count(*) > 1");
    return;
  }
  if (chance(8) == 0) {
    put(query, "o.n, o.s, ");
    put_inner(query, "max(x.viewer_seconds)", "o.s", "");
  } else {
    put(query, ONE_OF(rows));
  }
  put_from(query);
  put_where(query);
}

static void make(struct query *query) {
  static const char *const compounds[] = {" UNION ALL ", " UNION ",
                                          " INTERSECT ", " EXCEPT "};
  char limit[32];
  query->api = sqlite3_str_new(NULL);
  query->copy = sqlite3_str_new(NULL);
  put(query, "WITH w(n, s) AS (SELECT n, s FROM l WHERE n > 1) ");
  put_select(query, true);
  if (chance(6) == 0) {
    put(query, ONE_OF(compounds));
    put_select(query, true);
  }
  if (chance(3) > 0) return;
  put(query, " ORDER BY 1, 2, 3");
  if (chance(2) > 0) return;
  (void)snprintf(limit, sizeof(limit), " LIMIT %u OFFSET %u", chance(6),
                 chance(3));
  put(query, limit);
}

/* --- the answer ------------------------------------------------------------------- */

static int compare_lines(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Lines in order: where the query has none, each way has its own. */
static char *sorted(char *rows) {
  char *lines[4096] = {NULL};
  size_t count = 0;
  sqlite3_str *out = sqlite3_str_new(NULL);
  for (char *at = rows, *end = NULL; (end = strchr(at, '\n')) != NULL;
       at = end + 1) {
    assert_true(count < ROWS_OF(lines));
    *end = '\0';
    lines[count++] = at;
  }
  qsort(lines, count, sizeof(*lines), compare_lines);
  for (size_t i = 0; i < count; i++) {
    sqlite3_str_appendf(out, "%s\n", lines[i]);
  }
  sqlite3_free(rows);
  return sqlite3_str_finish(out);
}

/* What each parameter is bound to, by its kind. */
static void bind_one(sqlite3_stmt *stmt, int i, unsigned kind) {
  int rc = i > sqlite3_bind_parameter_count(stmt) ? SQLITE_OK
           : kind == 0 ? sqlite3_bind_int(stmt, i, -40)
           : kind == 1 ? sqlite3_bind_int(stmt, i, 5)
           : kind == 2 ? sqlite3_bind_double(stmt, i, 24.000000000000004)
           : kind == 3 ? sqlite3_bind_text(stmt, i, "s2", -1, SQLITE_STATIC)
           : kind == 4 ? sqlite3_bind_blob(stmt, i, "s2", 2, SQLITE_STATIC)
                       : SQLITE_OK; /* NULL */
  assert_int_equal(rc, SQLITE_OK);
}

static char *answer(sqlite3 *db, const char *sql, const unsigned *kinds) {
  sqlite3_stmt *stmt = NULL;
  sqlite3_str *out = sqlite3_str_new(NULL);
  int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
  for (int i = 0; rc == SQLITE_OK && i < PARAMETERS; i++) {
    bind_one(stmt, i + 1, kinds[i]);
  }
  while (rc == SQLITE_OK || rc == SQLITE_ROW) {
    rc = sqlite3_step(stmt);
    if (rc != SQLITE_ROW) break;
    for (int i = 0; i < sqlite3_column_count(stmt); i++) {
      const char *text = (const char *)sqlite3_column_text(stmt, i);
      sqlite3_str_appendf(out, "%d:%s|", sqlite3_column_type(stmt, i),
                          text == NULL ? "" : text);
    }
    sqlite3_str_appendall(out, "\n");
  }
  if (rc != SQLITE_DONE) fail_msg("%d, %s: %s", rc, sqlite3_errmsg(db), sql);
  (void)sqlite3_finalize(stmt);
  char *rows = sqlite3_str_finish(out);
  return rows == NULL ? sqlite3_mprintf("") : sorted(rows);
}

/* What a table that is made from the query holds. */
static char *stored(sqlite3 *db, const char *sql, const unsigned *kinds) {
  char *create = sqlite3_mprintf("CREATE TEMP TABLE made AS %s", sql);
  char *none = answer(db, create, kinds);
  char *rows = answer(db, "SELECT * FROM made", kinds);
  must_exec(db, "DROP TABLE made");
  sqlite3_free(create);
  sqlite3_free(none);
  return rows;
}

/* Collecting runs, as a trace hook sees them. */
static int count_runs(unsigned type, void *count, void *stmt, void *text) {
  static const char mark[] = "/* rtk read-ahead */";
  (void)type;
  (void)text;
  *(int *)count += strncmp(sqlite3_sql(stmt), mark, sizeof(mark) - 1) == 0;
  return 0;
}

static void prepare_tables(sqlite3 *db) {
  must_exec(
      db,
      "SELECT rtk_config('account', 'ACCOUNT'), rtk_config('app', 'APP'),"
      " rtk_config('cache_ttl_ended_s', 0), rtk_config('cache_ttl_live_s', 0),"
      " rtk_config('quota', 0), rtk_config('rate_per_second', 0);"
      "CREATE TABLE l(n INTEGER, s TEXT);"
      "INSERT INTO l VALUES (1, 's1'), (2, 's2'), (3, 'gone'), (4, NULL),"
      " (5, 's4'), (6, 's2'), (7, 's5'), (8, ''), (9, 's7'), (10, 's1'),"
      " (11, 's8'), (12, 's9');"
      "CREATE TABLE m(n INTEGER, s TEXT);"
      "INSERT INTO m VALUES (2, 's4'), (3, 's1'), (5, 's5'), (6, NULL),"
      " (9, 's10'), (12, 's2');"
      "CREATE TABLE copy AS SELECT *, session_id, error"
      " FROM rtk_livestream_session WHERE session_id IN"
      " (SELECT s FROM l UNION SELECT s FROM m UNION SELECT 's' || n FROM l);");
  assert_rows(db, "SELECT count(*) FROM copy", "12\n");
}

CASE(all_ways_agree) {
  static const char count[] =
      "SELECT value FROM rtk_stats WHERE name = 'requests'";
  sqlite3 *db = open_loaded();
  int runs = 0;
  int with_runs = 0;
  int written_with_runs = 0;
  long queries = from_env("RTK_TEST_QUERIES", QUERIES);
  seed = (uint64_t)from_env("RTK_TEST_SEED", (long)seed);
  prepare_tables(db);
  assert_int_equal(sqlite3_trace_v2(db, SQLITE_TRACE_STMT, count_runs, &runs),
                   SQLITE_OK);
  for (long i = 0; i < queries; i++) {
    struct query query;
    unsigned kinds[PARAMETERS];
    uint64_t at = seed;
    int runs_before = runs;
    make(&query);
    for (int k = 0; k < PARAMETERS; k++) kinds[k] = chance(6);
    char *api = sqlite3_str_finish(query.api);
    char *copy = sqlite3_str_finish(query.copy);
    char *wanted = answer(db, copy, kinds);
    char *before = answer(db, count, kinds);
    char *with = answer(db, api, kinds);
    char *after = answer(db, count, kinds);
    with_runs += runs > runs_before;
    runs_before = runs;
    char *made = stored(db, api, kinds);
    char *made_of_copy = stored(db, copy, kinds);
    written_with_runs += runs > runs_before;
    if (strcmp(made, made_of_copy) != 0) {
      fail_msg("query %ld, seed %llu\nCREATE TABLE … AS %s\nis\n%s\nof the"
               " copy\n%s",
               i, (unsigned long long)at, api, made, made_of_copy);
    }
    must_exec(db, "SELECT rtk_config('read_ahead', 'off')");
    char *without = answer(db, api, kinds);
    must_exec(db, "SELECT rtk_config('read_ahead', 'on')");
    if (strcmp(with, wanted) != 0 || strcmp(without, wanted) != 0) {
      fail_msg("query %ld, seed %llu\n%s\nwith\n%s\nwithout\n%s\ncopy\n%s", i,
               (unsigned long long)at, api, with, without, wanted);
    }
    /* Other ids and apps; a list in EXISTS, whose requests are cancelled at the
    ** first row, may be asked for once more. */
    bool has_more = strstr(api, "|| o.n)") != NULL ||
                    strstr(api, "|| (o.n") != NULL ||
                    strstr(api, "IN ('s2'") != NULL;
    int most = has_more ? 4 * (IDS + 12) : IDS;
    if (atoi(after + 2) - atoi(before + 2) > most) {
      fail_msg("query %ld: an id was asked for twice\n%s", i, api);
    }
    char *const texts[] = {api,   copy,    wanted, before,      with,
                           after, without, made,   made_of_copy};
    for (size_t k = 0; k < ROWS_OF(texts); k++) sqlite3_free(texts[k]);
  }
  print_message("# %ld queries, %d of them with read-ahead, %d when written\n",
                queries, with_runs, written_with_runs);
  assert_true(with_runs > queries / 2);
  assert_true(written_with_runs > queries / 2);
  close_ok(db);
}

int main(void) { return RUN_CASES(NULL, NULL); }
