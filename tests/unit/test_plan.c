/* The terms of a WHERE in, the choice and its price out. */
#include "sqlite/plan.h"

#include "api/endpoint.h"

#include <stdio.h>

#include "check.h"

#define EQ SQLITE_INDEX_CONSTRAINT_EQ
#define IS SQLITE_INDEX_CONSTRAINT_IS
#define ISNULL SQLITE_INDEX_CONSTRAINT_ISNULL
#define GT SQLITE_INDEX_CONSTRAINT_GT
#define LIMIT 73 /* SQLITE_INDEX_CONSTRAINT_LIMIT, in headers since 3.38 */
#define OFFSET 74

/* What a term is like. */
#define LATER 1  /* its value is not known yet */
#define NOCASE 2 /* not compared by BINARY */
#define LIST 4   /* an IN that can be handed over whole */

/* What becomes of it. */
#define EXACT 1
#define WHOLE 2

#define ONE(k) RTK_PLAN_CODE(k, RTK_PLAN_VALUE)
#define ALL_OF(k) RTK_PLAN_CODE(k, RTK_PLAN_LIST)
#define ALL (ONE(0) | ONE(1) | ONE(2))

#define ROWID "(rowid)"

static const struct rtk_endpoint *session(void) {
  for (int i = 0; i < rtk_endpoint_count; i++) {
    if (strcmp(rtk_endpoints[i].name, "rtk_livestream_session") == 0) {
      return &rtk_endpoints[i];
    }
  }
  return NULL;
}

/* What that one implies; valid until the next call. */
static const struct rtk_signature *signature_of_session(void) {
  static struct rtk_signature signature;
  rtk_endpoint_describe(session(), &signature);
  return &signature;
}

static int column_of(const struct rtk_endpoint *endpoint, const char *name) {
  if (strcmp(name, ROWID) == 0) return -1;
  for (int i = 0; i < endpoint->column_count; i++) {
    if (strcmp(endpoint->columns[i].name, name) == 0) return i;
  }
  return -2;
}

static struct rtk_plan_term term_of(const char *column, int op, int like) {
  return (struct rtk_plan_term){.column = column_of(session(), column),
                                .op = op,
                                .is_usable = (like & LATER) == 0,
                                .is_binary = (like & NOCASE) == 0,
                                .is_list = (like & LIST) != 0,
                                .argv = 77, /* to be overwritten */
                                .is_whole = true,
                                .is_exact = true};
}

#define TERMS_MAX 6

/* Terms are written like "account = 1!, session_id =?": the column, how it is
** compared, what the term is like (? LATER, ~ NOCASE, * LIST), and what is
** expected: the value's number and its fate (! EXACT, * WHOLE, + both), if it is
** taken. */
struct plan_case {
  const char *name, *terms;
  int bits;
  double cost;
  int64_t rows;
  const char *words;
  int rc;
};

struct expected {
  char column[24];
  int argv, fate;
};

static int op_of(const char *text) {
  static const struct {
    const char *text;
    int op;
  } ops[] = {{"=", EQ}, {"ISNULL", ISNULL}, {"IS", IS},
             {">", GT}, {"LIMIT", LIMIT},   {"OFFSET", OFFSET}};
  for (size_t i = 0; i < COUNT(ops); i++) {
    if (strncmp(text, ops[i].text, strlen(ops[i].text)) == 0) return ops[i].op;
  }
  fail_msg("no operator %s", text);
  return 0;
}

static int read_terms(const char *text, struct rtk_plan_term *terms,
                      struct expected *expected) {
  int count = 0;
  for (; text != NULL && *text != '\0'; count++) {
    struct expected *e = &expected[count];
    char op[16];
    char fate = ' ';
    e->argv = 0;
    (void)sscanf(text, " %23s %15[^ ,] %d%c", e->column, op, &e->argv, &fate);
    e->fate = fate == '!'   ? EXACT
              : fate == '*' ? WHOLE
              : fate == '+' ? EXACT | WHOLE
                            : 0;
    terms[count] = term_of(e->column, op_of(op),
                           (strchr(op, '?') != NULL ? LATER : 0) |
                               (strchr(op, '~') != NULL ? NOCASE : 0) |
                               (strchr(op, '*') != NULL ? LIST : 0));
    if (terms[count].column == -2) fail_msg("no %s", e->column);
    text = strchr(text, ',');
    if (text != NULL) text++;
  }
  return count;
}

#define POINT 1000, 1000, "session_id = (id by id)"
#define BATCH 10000, 100, "session_id IN (batch)"
#define MISSING 1e99, 1000000000, "session_id is missing"
#define CONSTRAINT 0, 0, 0, NULL, SQLITE_CONSTRAINT

static const struct plan_case cases[] = {
    /* Point look-ups. */
    {"call syntax", "account = 1!, app = 2!, session_id = 3!", ALL, POINT},
    {"any order of the terms", "session_id = 3!, app = 2!, account = 1!", ALL,
     POINT},
    {"account and app by default", "session_id = 1!", ONE(2), POINT},
    {"app by default", "account = 1!, session_id = 2!", ONE(0) | ONE(2), POINT},
    {"account by default", "app = 1!, session_id = 2!", ONE(1) | ONE(2), POINT},
    {"IS", "account = 1!, app = 2!, session_id IS 3!", ALL, POINT},
    {"IS NULL", "account = 1!, app = 2!, session_id ISNULL 3!", ALL, POINT},
    {"account IS, app IS NULL", "account IS 1!, app ISNULL 2!, session_id = 3!",
     ALL, POINT},
    {"twice the same column", "session_id = 1!, session_id =", ONE(2), POINT},
    {"usable and unusable", "session_id =?, session_id = 1!", ONE(2), POINT},
    /* Lists. */
    {"IN", "account = 1!, app = 2!, session_id =* 3+",
     ONE(0) | ONE(1) | ALL_OF(2), BATCH},
    {"IN on a host that hands it over one by one",
     "account = 1!, app = 2!, session_id = 3!", ALL, POINT},
    {"two lists", "session_id =* 1+, session_id =*", ALL_OF(2), BATCH},
    {"account IN, app IN: value by value",
     "account =* 1!, app =* 2!, session_id =* 3+", ONE(0) | ONE(1) | ALL_OF(2),
     BATCH},
    {"account = beside account IN", "account =*, account = 1!, session_id = 2!",
     ONE(0) | ONE(2), POINT},
    {"unusable equality beside a usable IN", "session_id =?, session_id =* 1+",
     ALL_OF(2), BATCH},
    {"unusable IN beside a usable equality", "session_id =?*, session_id = 1!",
     ONE(2), POINT},
    /* The visible id. */
    {"id", "account = 1!, app = 2!, id = 3", ALL | RTK_PLAN_STAND_IN, POINT},
    {"id IN", "account = 1!, app = 2!, id =* 3*",
     ONE(0) | ONE(1) | ALL_OF(2) | RTK_PLAN_STAND_IN, BATCH},
    {"id beside session_id", "id =, session_id = 1!",
     ONE(2) | RTK_PLAN_STAND_IN, POINT},
    {"id = beside session_id IN", "id =, session_id =* 1+",
     ALL_OF(2) | RTK_PLAN_STAND_IN, BATCH},
    {"id beside an unusable session_id", "id = 1, session_id =?",
     ONE(2) | RTK_PLAN_STAND_IN, POINT},
    {"unusable id beside session_id", "id =?, session_id = 1!",
     ONE(2) | RTK_PLAN_STAND_IN, POINT},
    {"unusable id", "account = 1!, app = 2!, id =?", CONSTRAINT},
    {"id by another collation", "id =~", RTK_PLAN_STAND_IN, MISSING},
    /* SQLITE_CONSTRAINT (N6). */
    {"unusable session_id", "account = 1!, app = 2!, session_id =?",
     CONSTRAINT},
    {"unusable IN", "account = 1!, app = 2!, session_id =?*", CONSTRAINT},
    {"unusable IS", "account = 1!, app = 2!, session_id IS?", CONSTRAINT},
    {"unusable account", "account =?, session_id =", CONSTRAINT},
    {"unusable app", "app =?, session_id =", CONSTRAINT},
    {"unusable app, no session_id", "app =?", CONSTRAINT},
    {"unusable account beside a usable one",
     "account =?, account = 1!, session_id = 2!", ONE(0) | ONE(2), POINT},
    /* Nothing to ask by: a plan, but one that any other beats. */
    {"no terms", "", 0, MISSING},
    {"no session_id", "account = 1!, app = 2!", ONE(0) | ONE(1), MISSING},
    {"a range", "account = 1!, app = 2!, session_id >", ONE(0) | ONE(1),
     MISSING},
    {"an unusable range", "session_id >?", 0, MISSING},
    {"another collation", "account = 1!, app = 2!, session_id =~",
     ONE(0) | ONE(1), MISSING},
    {"IN by another collation", "session_id =~*", 0, MISSING},
    {"account by another collation", "account =~, session_id = 1!",
     RTK_PLAN_CODE(0, RTK_PLAN_IN_VAIN) | ONE(2), POINT},
    /* What is no argument. */
    {"LIMIT has column 0", "id LIMIT", 0, MISSING},
    {"LIMIT, not known yet", "id LIMIT?", 0, MISSING},
    {"LIMIT and OFFSET",
     "account = 1!, app = 2!, session_id = 3!, id LIMIT, id OFFSET?", ALL,
     POINT},
    {"rowid alone", "(rowid) =", 0, MISSING},
    {"rowid beside the arguments",
     "account = 1!, (rowid) =, app = 2!, session_id = 3!", ALL, POINT},
    {"unusable rowid", "session_id = 1!, (rowid) =?", ONE(2), POINT},
    {"rowid IN", "session_id = 1!, (rowid) =*", ONE(2), POINT},
    {"terms on data",
     "viewer_seconds >, err_message ISNULL, livestream_id =?, created_at =*, "
     "session_id = 1!",
     ONE(2), POINT},
    {"terms on other hidden columns",
     "error ISNULL, http_status =, response =?, invoked_time =, session_id =* "
     "1+",
     ALL_OF(2), BATCH},
};

/* What is left to a default costs a million times as much, and has a million
** times the rows. */
static double defaults_factor(double cost, int bits) {
  if (cost >= 1e99) return 1;
  return ((bits & ONE(0)) != 0 ? 1 : 1e6) * ((bits & ONE(1)) != 0 ? 1 : 1e6);
}

static void check_plan(const struct plan_case *row) {
  struct rtk_plan_term terms[TERMS_MAX];
  struct expected expected[TERMS_MAX];
  struct rtk_plan plan;
  int count = read_terms(row->terms, terms, expected);
  memset(&plan, 0x55, sizeof(plan));
  int rc = rtk_plan_choose(signature_of_session(), terms, count, 0, &plan);
  check_int(row->name, "result", rc, row->rc);
  if (rc != SQLITE_OK || row->rc != SQLITE_OK) return;
  for (int i = 0; i < count; i++) {
    const char *column = expected[i].column;
    check_int(row->name, column, terms[i].argv, expected[i].argv);
    check_int(row->name, "is_whole", terms[i].is_whole,
              (expected[i].fate & WHOLE) != 0);
    check_int(row->name, "is_exact", terms[i].is_exact,
              (expected[i].fate & EXACT) != 0);
  }
  check_int(row->name, "bits", plan.bits, row->bits);
  double factor = defaults_factor(row->cost, plan.bits);
  check_real(row->name, "cost", plan.cost, row->cost * factor);
  check_real(row->name, "rows", (double)plan.rows, (double)row->rows * factor);
  check_int(row->name, "is_unique", plan.is_unique, (row->bits & ONE(2)) != 0);
  check_text(row->name, "words", plan.words, row->words);
}

CASE(terms_make_a_plan) {
  for (size_t i = 0; i < COUNT(cases); i++) check_plan(&cases[i]);
}

/* SQLite leaves out a LEFT JOIN that nothing is read from, if it says that it has
** one row at the most: no list may. */
CASE(a_list_is_not_unique) {
  int lists = 0;
  for (int i = 0; i < rtk_endpoint_count; i++) {
    const struct rtk_endpoint *e = &rtk_endpoints[i];
    struct rtk_signature signature;
    rtk_endpoint_describe(e, &signature);
    if (signature.id < 0) continue;
    struct rtk_plan_term terms[RTK_INPUTS_MAX];
    struct rtk_plan plan;
    for (int k = 0; k <= signature.id; k++) {
      terms[k] = (struct rtk_plan_term){.column = signature.columns[k],
                                        .op = SQLITE_INDEX_CONSTRAINT_EQ,
                                        .is_usable = true,
                                        .is_binary = true};
    }
    assert_int_equal(
        rtk_plan_choose(&signature, terms, signature.id + 1, 0, &plan),
        SQLITE_OK);
    check_int(e->name, "is_unique", plan.is_unique, !e->is_list);
    lists += e->is_list;
  }
  check_int("lists by an id", "number", lists, 9);
}

/* Only the last id of a path takes a list whole; the outer one is needed. */
CASE(an_outer_id_comes_value_by_value) {
  static const struct rtk_column columns[] = {
      {.name = "data", .stands_for = "outer"},
      {.name = "outer", .kind = RTK_COLUMN_ARGUMENT},
      {.name = "inner", .kind = RTK_COLUMN_ARGUMENT},
  };
  static const struct rtk_endpoint some = {.columns = columns,
                                           .column_count = COUNT(columns)};
  static const struct {
    const char *name;
    int outer; /* column of the term; -1: there is none */
    bool is_list, is_usable;
    int rc, code;
    const char *words;
  } outers[] = {
      {"equality", 1, false, true, SQLITE_OK, RTK_PLAN_VALUE,
       "inner IN (batch)"},
      {"list", 1, true, true, SQLITE_OK, RTK_PLAN_VALUE, "inner IN (batch)"},
      {"stand-in", 0, true, true, SQLITE_OK, RTK_PLAN_VALUE,
       "inner IN (batch)"},
      {"none", -1, false, true, SQLITE_OK, RTK_PLAN_NONE, "outer is missing"},
      {"later", 1, false, false, SQLITE_CONSTRAINT, RTK_PLAN_NONE, NULL},
  };
  struct rtk_signature signature;
  rtk_endpoint_describe(&some, &signature);
  for (size_t i = 0; i < COUNT(outers); i++) {
    struct rtk_plan_term terms[] = {{.column = 2,
                                     .op = EQ,
                                     .is_usable = true,
                                     .is_binary = true,
                                     .is_list = true},
                                    {.column = outers[i].outer,
                                     .op = EQ,
                                     .is_usable = outers[i].is_usable,
                                     .is_binary = true,
                                     .is_list = outers[i].is_list}};
    struct rtk_plan plan;
    int rc = rtk_plan_choose(&signature, terms, 2, 0, &plan);
    check_int(outers[i].name, "result", rc, outers[i].rc);
    if (rc != SQLITE_OK) continue;
    check_int(outers[i].name, "outer", RTK_PLAN_CODE_OF(plan.bits, 0),
              outers[i].code);
    check_int(outers[i].name, "inner", RTK_PLAN_CODE_OF(plan.bits, 1),
              RTK_PLAN_LIST);
    check_int(outers[i].name, "outer is whole", terms[1].is_whole, 0);
    check_text(outers[i].name, "words", plan.words, outers[i].words);
  }
}

/* A million requests are dearer than any batch; nothing is dearer than what
** cannot be done. */
CASE(a_request_is_the_unit_of_cost) {
  struct rtk_plan_term one = term_of("session_id", EQ, 0);
  struct rtk_plan_term list = term_of("session_id", EQ, LIST);
  struct rtk_plan point, batch, none;
  (void)rtk_plan_choose(signature_of_session(), &one, 1, 0, &point);
  (void)rtk_plan_choose(signature_of_session(), &list, 1, 0, &batch);
  (void)rtk_plan_choose(signature_of_session(), NULL, 0, 0, &none);
  check_real("N9", "batch : look-up", batch.cost / point.cost, 10);
  check_int("N6", "the impossible is dearer", none.cost > 1e9 * batch.cost, 1);
}

/* A plan that takes a default account or app for want of a term must lose
** against one that has the term within an OR. */
CASE(a_default_is_dear) {
  struct rtk_plan_term terms[] = {term_of("session_id", EQ, 0),
                                  term_of("app", EQ, 0),
                                  term_of("account", EQ, 0)};
  struct rtk_plan none, app, both;
  (void)rtk_plan_choose(signature_of_session(), terms, 1, 0, &none);
  (void)rtk_plan_choose(signature_of_session(), terms, 2, 0, &app);
  (void)rtk_plan_choose(signature_of_session(), terms, 3, 0, &both);
  check_int("two defaults", "dearer than one", none.cost > 1e5 * app.cost, 1);
  check_int("one default", "dearer than none", app.cost > 1e5 * both.cost, 1);
}

/* N10: the list is then the read-ahead set of the look-ups; N9: 30. */
CASE(equality_and_list_are_both_taken) {
  struct rtk_plan_term terms[] = {term_of("session_id", EQ, LIST),
                                  term_of("session_id", EQ, 0)};
  struct rtk_plan plan;
  check_int("both", "result",
            rtk_plan_choose(signature_of_session(), terms, 2, 0, &plan),
            SQLITE_OK);
  check_int("both", "has the equality", plan.bits & ONE(2), ONE(2));
  check_int("both", "has the list", plan.bits & ALL_OF(2), ALL_OF(2));
  check_int("both", "argv of =", terms[1].argv, 1);
  check_int("both", "argv of IN", terms[0].argv, 2);
  check_int("both", "IN is_whole", terms[0].is_whole, 1);
  check_real("both", "cost", plan.cost / defaults_factor(30, plan.bits), 30);
}

/* --- all combinations ----------------------------------------------------- */

/* What a query may say about one column. */
static const struct {
  int count;
  struct {
    int op, like;
  } terms[2];
} ways[] = {
    {0, {{0}}},
    {1, {{EQ, 0}}},
    {1, {{EQ, LATER}}},
    {1, {{EQ, LIST}}},
    {1, {{EQ, LIST | LATER}}},
    {1, {{IS, 0}}},
    {1, {{ISNULL, 0}}},
    {1, {{EQ, NOCASE}}},
    {1, {{GT, LATER}}},
    {1, {{LIMIT, 0}}},
    {2, {{EQ, 0}, {EQ, LIST}}},
    {2, {{EQ, LATER}, {EQ, LIST}}},
    {2, {{EQ, LIST | LATER}, {EQ, 0}}},
};

static bool is_candidate(const struct rtk_plan_term *term) {
  return term->is_binary &&
         (term->op == EQ || term->op == IS || term->op == ISNULL);
}

/* Does N6 let this set of terms on the columns of one argument through? */
static void look(const struct rtk_plan_term *terms, int count, int column,
                 bool *has_usable, bool *has_later) {
  for (int i = 0; i < count; i++) {
    if (terms[i].column != column || !is_candidate(&terms[i])) continue;
    if (terms[i].is_usable) *has_usable = true;
    if (!terms[i].is_usable) *has_later = true;
  }
}

/* What holds for every plan; `text` names the combination. */
static void check_combination(const char *text, struct rtk_plan_term *terms,
                              int count) {
  const struct rtk_endpoint *endpoint = session();
  const struct rtk_signature *signature = signature_of_session();
  struct rtk_plan plan;
  bool is_later = false;
  int session_id = column_of(endpoint, "session_id");
  int id = column_of(endpoint, "id");
  int argv = 0;
  int taken = 0;
  int rc = rtk_plan_choose(signature, terms, count, 0, &plan);
  int bits = 0;
  for (int k = 0; k < 3; k++) {
    int column = signature->columns[k];
    bool has_usable = false;
    bool has_later = false;
    look(terms, count, column, &has_usable, &has_later);
    if (column == session_id) look(terms, count, id, &has_usable, &has_later);
    if (has_usable) bits |= ONE(k) | ALL_OF(k);
    if (!has_usable && has_later) is_later = true;
  }
  check_int(text, "result", rc, is_later ? SQLITE_CONSTRAINT : SQLITE_OK);
  if (rc != SQLITE_OK) return;

  for (int k = 0; k < 3; k++) {
    int mask = ONE(k) | ALL_OF(k);
    bool is_vain = k < 2 && RTK_PLAN_CODE_OF(plan.bits, k) == RTK_PLAN_IN_VAIN;
    if (is_vain) {
      check_int(text, "in vain: no value is there", (bits & mask) != 0, 0);
      continue;
    }
    check_int(text, "is taken", (plan.bits & mask) != 0, (bits & mask) != 0);
    for (int bit = ONE(k); bit <= ALL_OF(k); bit <<= 1) {
      if ((plan.bits & bit) == 0) continue;
      argv++;
      for (int i = 0; i < count; i++) {
        const struct rtk_plan_term *term = &terms[i];
        if (term->argv != argv) continue;
        taken++;
        bool is_own = term->column == signature->columns[k];
        check_int(text, "takes from the argument or id",
                  is_own || (k == 2 && term->column == id), 1);
        check_int(text, "takes what can be taken",
                  is_candidate(term) && term->is_usable, 1);
        check_int(text, "is_whole", term->is_whole, bit == ALL_OF(k));
        check_int(text, "is_exact", term->is_exact,
                  is_own && (bit == ONE(k) || (plan.bits & ONE(k)) == 0));
      }
    }
  }
  check_int(text, "values", taken, argv);
  for (int i = 0; i < count; i++) {
    if (terms[i].argv == 0) taken++;
  }
  check_int(text, "terms taken once or left", taken, count);
  check_int(text, "is dear", plan.cost == 1e99, (bits & ONE(2)) == 0);
  check_int(text, "is_unique", plan.is_unique, (plan.bits & ONE(2)) != 0);
}

CASE(every_combination_keeps_the_rules) {
  static const char *const columns[] = {"account", "app", "session_id", "id"};
  size_t combination = 0;
  size_t all = 1;
  for (size_t i = 0; i < COUNT(columns); i++) all *= COUNT(ways);
  for (; combination < all && check.failures < 20; combination++) {
    struct rtk_plan_term terms[2 * COUNT(columns)];
    char text[32];
    int count = 0;
    size_t rest = combination;
    size_t digits[COUNT(columns)];
    for (size_t i = 0; i < COUNT(columns); i++, rest /= COUNT(ways)) {
      digits[i] = rest % COUNT(ways);
      for (int k = 0; k < ways[digits[i]].count; k++) {
        terms[count++] = term_of(columns[i], ways[digits[i]].terms[k].op,
                                 ways[digits[i]].terms[k].like);
      }
    }
    sqlite3_snprintf(sizeof(text), text, "ways %d %d %d %d", (int)digits[0],
                     (int)digits[1], (int)digits[2], (int)digits[3]);
    check_combination(text, terms, count);
  }
}

int main(void) { return check_run(); }
