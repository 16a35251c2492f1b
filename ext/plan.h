/*
** Which way a query takes into a table: the terms of its WHERE in, the choice
** and its price out.  Pure: knows endpoints, not SQLite's structures.
*/
#ifndef RTK_PLAN_H
#define RTK_PLAN_H

#include <stdbool.h>
#include <stdint.h>

struct rtk_endpoint;

/* One term `column op value`; the last three fields are the answer. */
struct rtk_plan_term {
  int column;     /* from 0; -1 is the rowid */
  int op;         /* SQLITE_INDEX_CONSTRAINT_… */
  bool is_usable; /* the value is known when this table's turn comes */
  bool is_binary; /* compared by the BINARY collation */
  bool is_list;   /* an IN that the host can hand over whole */

  int argv;      /* position among xFilter's values from 1; 0: not taken */
  bool is_whole; /* a list to be handed over whole */
  bool is_exact; /* nothing is left for SQLite to check */
};

/* The choice as a number for xFilter: whether the query compares the column
** that stands in for an argument (`id`), then two bits for each argument (from
** 0).  The values follow in the order of the bits.  A filter has no list: there
** the second bit tells that the query compares it, but in no way that gives the
** server a value, and nothing follows it. */
#define RTK_PLAN_STAND_IN 1
#define RTK_PLAN_ONE(argument) (2 << (2 * (argument)))
#define RTK_PLAN_LIST(argument) (4 << (2 * (argument)))
#define RTK_PLAN_NO_VALUE(filter) RTK_PLAN_LIST(filter)

struct rtk_plan {
  int bits;
  double cost;
  int64_t rows;   /* estimate */
  bool is_unique; /* at most one row */
  char words[64]; /* for EXPLAIN QUERY PLAN */
};

/* Returns SQLITE_OK, or SQLITE_CONSTRAINT when the query has what is needed
** but not in this join order.  An argument that the query lacks altogether
** does not fail here: the plan is made too dear to be taken when there is
** another, and xFilter, finding its bit unset, says what is missing. */
int rtk_plan_choose(const struct rtk_endpoint *endpoint,
                    struct rtk_plan_term *terms, int count,
                    struct rtk_plan *plan);

#endif
