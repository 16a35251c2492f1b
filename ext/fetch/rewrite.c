/* What is run of a statement to collect its ids. */
#include "fetch/rewrite.h"

#include "base/words.h"
#include "fetch/tokens.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* --- tokens --------------------------------------------------------------- */

/* A bracket with its content is one token.  At the end of the statement, or of
** the bracket in which the tokens are, begin == end. */
struct token {
  const char *begin, *end;
};

static struct token token_at(const char *c) {
  struct token token = {rtk_tokens_skip_blank(c), NULL};
  int depth = 0;
  c = token.begin;
  do {
    c = rtk_tokens_skip_blank(c);
    if (*c == '\0' || (depth == 0 && (*c == ';' || *c == ')'))) break;
    if (*c == '(') depth++;
    if (*c == ')') depth--;
    c = rtk_tokens_skip(c);
  } while (depth > 0);
  token.end = c;
  return token;
}

/* Where the content of a bracket ends, which may have no end itself. */
static const char *content_end(struct token bracket) {
  bool is_closed = bracket.end - bracket.begin > 1 && bracket.end[-1] == ')';
  return is_closed ? bracket.end - 1 : bracket.end;
}

static struct token next(struct token token) { return token_at(token.end); }

static bool is_end(struct token token) { return token.begin == token.end; }

/* Is it one of these words, or of these operators, in any case? */
static bool is(struct token token, const char *words) {
  char upper[16]; /* longer words are not asked for */
  size_t size = (size_t)(token.end - token.begin);
  if (size > sizeof(upper)) return false;
  for (size_t i = 0; i < size; i++) {
    char c = token.begin[i];
    upper[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
  }
  return rtk_words_have(words, (struct rtk_text){upper, size});
}

/* The first of these words from here on, or the end.  The FROM of `IS DISTINCT
** FROM` is none. */
static struct token find(struct token token, const char *words) {
  while (!is_end(token) && !is(token, words)) {
    bool is_distinct = is(token, "DISTINCT");
    token = next(token);
    if (is_distinct && is(token, "FROM")) token = next(token);
  }
  return token;
}

/* Where the part ends that is read: at ON CONFLICT, RETURNING or the end. */
static struct token find_tail(struct token token) {
  for (; !is_end(token); token = next(token)) {
    if (is(token, "RETURNING")) break;
    if (is(token, "ON") && is(next(token), "CONFLICT")) break;
  }
  return token;
}

/* --- statements ----------------------------------------------------------- */

static void add(sqlite3_str *out, const char *begin, const char *end) {
  sqlite3_str_append(out, begin, (int)(end - begin));
  sqlite3_str_append(out, " ", 1);
}

/* SQLITE_OK, SQLITE_NOTFOUND or SQLITE_NOMEM. */
static int finish(sqlite3_str *out, bool is_found, char **text) {
  *text = sqlite3_str_finish(out);
  if (is_found) return *text == NULL ? SQLITE_NOMEM : SQLITE_OK;
  sqlite3_free(*text);
  *text = NULL;
  return SQLITE_NOTFOUND;
}

/* INSERT and CREATE TABLE: from the SELECT on. */
static bool add_select(sqlite3_str *out, struct token token) {
  token = find(token, "SELECT WITH VALUES DEFAULT");
  if (!is(token, "SELECT WITH VALUES")) return false;
  add(out, token.begin, find_tail(token).begin);
  return true;
}

static bool add_delete(sqlite3_str *out, struct token token) {
  token = find(token, "FROM");
  if (is_end(token)) return false;
  sqlite3_str_appendall(out, "SELECT 1 ");
  add(out, token.begin, find_tail(token).begin);
  return true;
}

/* The right side of one assignment.  That of several columns, (a, b) = (…), is
** a SELECT, or as many expressions. */
static void add_value(sqlite3_str *out, struct token left, struct token value,
                      const char *end) {
  if (*left.begin != '(' || *value.begin != '(') {
    add(out, value.begin, end);
  } else if (is(token_at(value.begin + 1), "SELECT WITH VALUES")) {
    sqlite3_str_appendall(out, "(SELECT count(*) FROM ");
    add(out, value.begin, value.end);
    sqlite3_str_appendall(out, ")");
  } else {
    add(out, value.begin + 1, content_end(value));
  }
}

#define UPDATE_ENDS "FROM WHERE ORDER LIMIT RETURNING"

static bool add_update(sqlite3_str *out, struct token token) {
  struct token table = next(token);
  if (is(table, "OR")) table = next(next(table));
  struct token set = find(table, "SET");
  if (is_end(set)) return false;
  sqlite3_str_appendall(out, "SELECT ");
  struct token left = next(set);
  struct token behind = set;
  for (;;) {
    struct token equals = find(left, "=");
    if (is_end(equals)) return false;
    struct token value = next(equals);
    behind = find(value, ", " UPDATE_ENDS);
    add_value(out, left, value, behind.begin);
    if (!is(behind, ",")) break;
    sqlite3_str_appendall(out, ", ");
    left = next(behind);
  }
  sqlite3_str_appendall(out, " FROM ");
  add(out, table.begin, set.begin);
  if (is(behind, "FROM")) {
    sqlite3_str_appendall(out, ", ");
    behind = next(behind);
  }
  add(out, behind.begin, find_tail(behind).begin);
  return true;
}

int rtk_rewrite_select(const char *sql, char **select) {
  struct token first = token_at(sql);
  struct token verb = first;
  sqlite3_str *out = sqlite3_str_new(NULL);
  bool is_found = false;
  if (is(first, "WITH")) {
    verb = find(first, "INSERT REPLACE UPDATE DELETE");
    add(out, first.begin, verb.begin);
  }
  if (is(verb, "INSERT REPLACE")) {
    is_found = add_select(out, next(verb));
  } else if (is(verb, "UPDATE")) {
    is_found = add_update(out, verb);
  } else if (is(verb, "DELETE")) {
    is_found = add_delete(out, verb);
  } else if (is(verb, "CREATE")) {
    struct token table = next(verb);
    if (is(table, "TEMP TEMPORARY")) table = next(table);
    is_found = is(table, "TABLE") && add_select(out, table);
  }
  return finish(out, is_found, select);
}

int rtk_rewrite_inline(const char *sql, const char *view, char **text) {
  struct token name = next(next(token_at(view)));
  struct token as = find(name, "AS");
  struct token first = token_at(sql);
  bool has_with = is(first, "WITH");
  if (has_with) first = next(first);
  if (has_with && is(first, "RECURSIVE")) first = next(first);
  sqlite3_str *out = sqlite3_str_new(NULL);
  sqlite3_str_appendall(out, "WITH RECURSIVE ");
  add(out, name.begin, as.begin);
  sqlite3_str_appendf(out, "AS (%s\n)%s %s", as.end, has_with ? "," : "",
                      first.begin);
  return finish(out, !is_end(as), text);
}

/* --- recursion ------------------------------------------------------------ */

/* Two recursions of 10,000 rows, joined, are a matter of seconds. */
#define RECURSIONS_MAX 2

struct bounding {
  sqlite3_str *out;
  bool is_cut;     /* leave the recursion out */
  bool is_unclear; /* the bound of a recursion is not a small number */
  int count;       /* of bounds that were added */
};

static void bound(struct bounding *bounding, const char *c, const char *end);

/* A number below 10,000, and nothing behind it. */
static bool is_small(struct token number) {
  size_t size = (size_t)(number.end - number.begin);
  return size <= 4 && strspn(number.begin, "0123456789") == size &&
         is_end(next(number));
}

/* The body of a common table expression, from behind its bracket on. */
static void bound_body(struct bounding *bounding, const char *c,
                       const char *end) {
  struct token in_union = find(token_at(c), "UNION");
  if (is_end(in_union)) {
    bound(bounding, c, end);
    return;
  }
  if (bounding->is_cut) end = in_union.begin;
  bound(bounding, c, end);
  if (bounding->is_cut) return;
  struct token limit = find(in_union, "LIMIT");
  if (is_end(limit)) {
    sqlite3_str_appendall(bounding->out, "\nLIMIT " RTK_REWRITE_RECURSIONS);
    if (++bounding->count > RECURSIONS_MAX) bounding->is_unclear = true;
  } else if (!is_small(next(limit))) {
    bounding->is_unclear = true;
  }
}

static void bound(struct bounding *bounding, const char *c, const char *end) {
  struct token before = {c, c};
  while (c < end) {
    struct token at = {rtk_tokens_skip_blank(c), NULL};
    if (at.begin > end) at.begin = end;
    at.end = at.begin < end ? rtk_tokens_skip(at.begin) : end;
    if (at.end > end) at.end = end;
    sqlite3_str_append(bounding->out, c, (int)(at.end - c));
    c = at.end;
    if (at.begin < end && *at.begin == '(' && is(before, "AS MATERIALIZED")) {
      const char *close = content_end(token_at(at.begin));
      if (close > end) close = end;
      bound_body(bounding, c, close);
      c = close;
    }
    before = at;
  }
}

/* SQLITE_NOTFOUND: it cannot be said. */
static int bounded(const char *sql, bool is_cut, char **text) {
  struct bounding bounding = {.out = sqlite3_str_new(NULL), .is_cut = is_cut};
  bound(&bounding, sql, sql + strlen(sql));
  return finish(bounding.out, !bounding.is_unclear, text);
}

int rtk_rewrite_bound(const char *sql, char **text) {
  return bounded(sql, false, text);
}

int rtk_rewrite_cut(const char *sql, char **text) {
  return bounded(sql, true, text);
}
