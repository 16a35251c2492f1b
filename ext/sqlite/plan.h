/*
** Chooses the way in which a query reads a table, from the terms of its WHERE,
** and its price.  Pure: knows endpoints, not SQLite's structures.
*/
#ifndef RTK_PLAN_H
#define RTK_PLAN_H

#include <stdbool.h>
#include <stdint.h>

struct rtk_signature;

/* sqlite3_vtab_in() is in the routine table from this version of SQLite on. */
#define RTK_SQLITE_VTAB_IN 3038000

/* One term `column op value`; the last three fields are the answer. */
struct rtk_plan_term {
  int column;     /* from 0; -1 is the rowid */
  int op;         /* SQLITE_INDEX_CONSTRAINT_… */
  bool is_usable; /* the value is known before this table is read */
  bool is_binary; /* compared by the BINARY collation */
  bool is_list;   /* an IN that the host can hand over whole */

  int argv;      /* place among xFilter's values, from 1; 0: not used */
  bool is_whole; /* a list to be handed over whole */
  bool is_exact; /* nothing is left for SQLite to check */
};

/* The plan as a number for xFilter.  xFilter's values follow in the order of
** the bits, for the codes that stand for values.
**
**     bit   29        …   4 3          2 1          0
**           surplus   …   argument 1   argument 0   stand-in
**
** Surplus: an argument too many.  Stand-in: the query compares the column that
** stands in for an argument (`id`).  Two bits for each argument:
**
**             of an id                  of an account, app or filter
**   VALUE     one value                 one value
**   LIST      an IN list                compared in a way that gives the server
**                                       no value
**   BOTH      a value and an IN list    the statement names the column, but
**                                       offered no term on it */
enum rtk_plan_code {
  RTK_PLAN_NONE,
  RTK_PLAN_VALUE,
  RTK_PLAN_LIST,
  RTK_PLAN_BOTH,
  RTK_PLAN_IN_VAIN = RTK_PLAN_LIST,
  RTK_PLAN_UNOFFERED = RTK_PLAN_BOTH
};
#define RTK_PLAN_STAND_IN 1
#define RTK_PLAN_CODE(argument, code) ((int)(code) << (1 + 2 * (argument)))
#define RTK_PLAN_CODE_OF(bits, argument)                                       \
  ((enum rtk_plan_code)((bits) >> (1 + 2 * (argument)) & 3))
#define RTK_PLAN_SURPLUS (1 << 29)

#define RTK_PLAN_WORDS_MAX 400

struct rtk_plan {
  int bits;
  double cost;
  int64_t rows;                   /* estimate */
  bool is_unique;                 /* at most one row */
  char words[RTK_PLAN_WORDS_MAX]; /* for EXPLAIN QUERY PLAN */
};

/* `used`: the columns that the statement names, SQLite's colUsed.  SQLITE_OK,
** or SQLITE_CONSTRAINT when the query has a needed value, but not in this join
** order. An argument that the query lacks altogether does not fail here: the
** plan gets a price that any other plan beats, and xFilter says what is
** missing. */
int rtk_plan_choose(const struct rtk_signature *signature,
                    struct rtk_plan_term *terms, int count, uint64_t used,
                    struct rtk_plan *plan);

#endif
