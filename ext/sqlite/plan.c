/*
** Chooses the way in which a query reads a table.
**
**     SELECT … FROM rtk_livestream_session('A', 'P') WHERE session_id IN (…)
**
**     terms    account = 'A'    app = 'P'    session_id IN (…)
**     bits     VALUE            VALUE        LIST                    (plan.h)
**     way      WAY_LIST         cost 10000, 100 rows, "session_id IN (batch)"
*/
#include "sqlite/plan.h"

#include "api/endpoint.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* SQLITE_INDEX_CONSTRAINT_LIMIT and _OFFSET, which the headers of SQLite 3.37
** do not have. */
#define OP_LIMIT 73
#define OP_OFFSET 74

/* The unit of cost is a thousandth of a request.  The length of an IN list is
** not known; at these prices the planner reads the list once, whatever the
** join, instead of once for each outer row.
**
** A look-up has at most one row, as is_unique says.  The planner is told of
** more: with 1 row it would place the look-up before local tables whose filters
** leave few of its rows, and the other requests would be wasted.  Tried with 1
** to 100,000 on SQLite 3.40 and 3.54. */
enum way { WAY_ONE, WAY_LIST, WAY_ONE_OF_LIST, WAY_ALL, WAY_NONE };

static const struct {
  double cost;
  int64_t rows;
  bool is_unique;
  const char *words;
} ways[] = {
    [WAY_ONE] = {1000, 1000, true, "%s = (id by id)"},
    [WAY_LIST] = {10000, 100, false, "%s IN (batch)"},
    [WAY_ONE_OF_LIST] = {30, 1000, true, "%s = (id by id, of a list)"},
    [WAY_ALL] = {3000, 1000, false, "all%s"},
    [WAY_NONE] = {1e99, 1000000000, false, "%s is missing"},
};

/* Multiplies cost and rows for each default account or app.  When a query names
** accounts only within OR, SQLite first asks for a plan without them.  That
** plan would read the default account alone, and must lose against a plan with
** them.  The rows are multiplied as well because SQLite neglects a cost below a
** thirtieth of another: with few rows the price of a local table behind the
** look-up would not count, whatever its filter leaves. */
#define COST_DEFAULT_FACTOR 1e6

/* What the query offers for one argument: indexes of terms, or -1. */
struct offer {
  int one;
  int list;
  bool is_later; /* there is a term, but its value is not known yet */
};

static bool is_equality(int op) {
  return op == SQLITE_INDEX_CONSTRAINT_EQ || op == SQLITE_INDEX_CONSTRAINT_IS ||
         op == SQLITE_INDEX_CONSTRAINT_ISNULL;
}

/* LIMIT and OFFSET come with column 0, so the operator is looked at first. */
static void look_at(const struct rtk_plan_term *terms, int count, int column,
                    enum rtk_argument_kind kind, bool takes_list,
                    struct offer *offer) {
  *offer = (struct offer){.one = -1, .list = -1};
  for (int i = 0; i < count; i++) {
    const struct rtk_plan_term *term = &terms[i];
    if (!is_equality(term->op) || term->column != column) continue;
    if (kind == RTK_ARGUMENT_FILTER && term->op != SQLITE_INDEX_CONSTRAINT_EQ) {
      continue; /* IS NULL gives the server no value */
    }
    if (!term->is_binary) continue;
    if (!term->is_usable) {
      offer->is_later = true;
    } else if (term->is_list) {
      if (offer->list < 0) offer->list = i;
    } else if (offer->one < 0) {
      offer->one = i;
    }
  }
  /* SQLite hands other lists over value by value. */
  if (!takes_list) {
    if (offer->one < 0) offer->one = offer->list;
    offer->list = -1;
  }
}

static bool has_any(const struct offer *offer) {
  return offer->one >= 0 || offer->list >= 0;
}

/* Is the column compared by `=` or IS, even if not usable?  A column of -1 is
** not. */
static bool is_compared(const struct rtk_plan_term *terms, int count,
                        int column) {
  for (int i = 0; i < count && column >= 0; i++) {
    if (terms[i].column == column && is_equality(terms[i].op)) return true;
  }
  return false;
}

/* Is there a term on the column by any operator but `but` (0: by any)?  LIMIT
** and OFFSET are no terms of a column. */
static bool has_term(const struct rtk_plan_term *terms, int count, int column,
                     int but) {
  for (int i = 0; i < count; i++) {
    int op = terms[i].op;
    bool is_limit = op == OP_LIMIT || op == OP_OFFSET;
    if (terms[i].column == column && !is_limit && op != but) return true;
  }
  return false;
}

/* SQLite has one bit for each column; the last bit stands for all columns
** beyond. */
static bool is_used(uint64_t used, int column) {
  return (used >> (column < 63 ? column : 63) & 1) != 0;
}

/* The code of an account, an app or a hidden filter that has no value.  The
** filter is NULL then: a term other than IS NULL is true of no row. */
static enum rtk_plan_code code_without_value(const struct rtk_column *argument,
                                             const struct rtk_plan_term *terms,
                                             int count, int column,
                                             uint64_t used) {
  if (argument->argument == RTK_ARGUMENT_ID) return RTK_PLAN_NONE;
  if (has_term(terms, count, column, SQLITE_INDEX_CONSTRAINT_ISNULL)) {
    return RTK_PLAN_IN_VAIN;
  }
  bool is_offered = has_term(terms, count, column, 0);
  return is_used(used, column) && !is_offered ? RTK_PLAN_UNOFFERED
                                              : RTK_PLAN_NONE;
}

static void take(struct rtk_plan_term *terms, const struct offer *offer,
                 bool is_echoed, int argument, int *argv,
                 struct rtk_plan *plan) {
  if (offer->one >= 0) {
    plan->bits |= RTK_PLAN_CODE(argument, RTK_PLAN_VALUE);
    terms[offer->one].argv = ++*argv;
    terms[offer->one].is_exact = is_echoed;
  }
  if (offer->list >= 0) {
    plan->bits |= RTK_PLAN_CODE(argument, RTK_PLAN_LIST);
    terms[offer->list].argv = ++*argv;
    terms[offer->list].is_whole = true;
    /* Beside an equality, SQLite checks that the id is in the list. */
    terms[offer->list].is_exact = is_echoed && offer->one < 0;
  }
}

/* Which filters go to the server, in the way in which EXPLAIN QUERY PLAN shows
** the columns of an index: "all (status=? AND search=?)". */
static void describe_filters(const struct rtk_signature *signature,
                             struct rtk_plan *plan) {
  char filters[RTK_PLAN_WORDS_MAX] = "";
  const char *before = "";
  for (int k = signature->path_count; k < signature->count; k++) {
    size_t size = strlen(filters);
    if (RTK_PLAN_CODE_OF(plan->bits, k) != RTK_PLAN_VALUE) continue;
    sqlite3_snprintf((int)(sizeof(filters) - size), filters + size, "%s%s=?",
                     before, rtk_endpoint_argument(signature, k)->name);
    before = " AND ";
  }
  size_t size = strlen(plan->words);
  if (*filters == '\0') return;
  sqlite3_snprintf((int)(sizeof(plan->words) - size), plan->words + size,
                   " (%s)", filters);
}

/* The way depends on the ids; account and app have defaults, and a filter saves
** little.  Only a look-up in a table that is no list has at most one row. */
static void price(const struct rtk_signature *signature,
                  struct rtk_plan *plan) {
  enum way way = WAY_ALL;
  const char *name = "";
  double factor = 1;
  for (int k = 0; k < signature->count; k++) {
    const struct rtk_column *column = rtk_endpoint_argument(signature, k);
    enum rtk_plan_code code = RTK_PLAN_CODE_OF(plan->bits, k);
    if (column->argument == RTK_ARGUMENT_SCOPE) {
      if (code != RTK_PLAN_VALUE) factor *= COST_DEFAULT_FACTOR;
    } else if (column->argument == RTK_ARGUMENT_FILTER) {
      if (code != RTK_PLAN_IN_VAIN) continue;
      name = column->name;
      way = WAY_NONE;
    } else if (way != WAY_NONE) { /* an outer id is not missing */
      static const enum way by_code[] = {[RTK_PLAN_NONE] = WAY_NONE,
                                         [RTK_PLAN_VALUE] = WAY_ONE,
                                         [RTK_PLAN_LIST] = WAY_LIST,
                                         [RTK_PLAN_BOTH] = WAY_ONE_OF_LIST};
      name = column->name;
      way = by_code[code];
    }
  }
  if (way == WAY_NONE) factor = 1;
  plan->cost = ways[way].cost * factor;
  plan->rows = (int64_t)((double)ways[way].rows * factor);
  plan->is_unique = ways[way].is_unique && !signature->endpoint->is_list;
  sqlite3_snprintf(sizeof(plan->words), plan->words, ways[way].words, name);
  describe_filters(signature, plan);
}

/* Does the call have an argument too many?  That is a term on the surplus
** column. */
static bool has_surplus(const struct rtk_endpoint *endpoint,
                        const struct rtk_plan_term *terms, int count) {
  for (int i = 0; i < endpoint->column_count; i++) {
    if (endpoint->columns[i].kind == RTK_COLUMN_SURPLUS &&
        has_term(terms, count, i, 0)) {
      return true;
    }
  }
  return false;
}

int rtk_plan_choose(const struct rtk_signature *signature,
                    struct rtk_plan_term *terms, int count, uint64_t used,
                    struct rtk_plan *plan) {
  int argv = 0;
  *plan = (struct rtk_plan){0};
  if (has_surplus(signature->endpoint, terms, count))
    plan->bits |= RTK_PLAN_SURPLUS;
  for (int i = 0; i < count; i++) {
    terms[i].argv = 0;
    terms[i].is_whole = terms[i].is_exact = false;
  }
  for (int k = 0; k < signature->count; k++) {
    int column = signature->columns[k];
    const struct rtk_column *argument = rtk_endpoint_argument(signature, k);
    bool is_data = argument->kind == RTK_COLUMN_DATA;
    bool is_echoed = !is_data;
    bool takes_list = k == signature->id;
    struct offer offer;
    look_at(terms, count, column, argument->argument, takes_list, &offer);
    int stands_in = signature->stand_ins[k];
    if (!has_any(&offer) && stands_in >= 0) {
      struct offer other;
      look_at(terms, count, stands_in, argument->argument, takes_list, &other);
      /* A filter can do without the value of a column that stands for it. */
      if (argument->argument == RTK_ARGUMENT_FILTER) other.is_later = false;
      other.is_later = other.is_later || offer.is_later;
      offer = other;
      is_echoed = false;
    }
    if (is_compared(terms, count, stands_in)) plan->bits |= RTK_PLAN_STAND_IN;
    if (!has_any(&offer) && offer.is_later && !is_data) {
      return SQLITE_CONSTRAINT;
    }
    if (!has_any(&offer) && !is_data) {
      plan->bits |= RTK_PLAN_CODE(
          k, code_without_value(argument, terms, count, column, used));
    }
    take(terms, &offer, is_echoed, k, &argv, plan);
  }
  price(signature, plan);
  return SQLITE_OK;
}
