/*
** How a running statement uses a column of one of our tables.  SQLite does not
** offer every term of a WHERE to xBestIndex: not those within an OR or an
** expression, nor, in the second pass of a RIGHT or FULL JOIN, those of its ON.
** The column is then read and compared all the same, which EXPLAIN shows:
**
**     VOpen    0  0  0  vtab:55d0c8a0    cursor 0 is our table
**     VFilter  0 21  1                   register 1 holds the plan
**     VColumn  0 11  3                   column 11 into register 3
**     Ne       4 19  3                   and compared with register 4
**     String8  0  4  0  APP              which is set before the program starts
*/
#ifndef RTK_PROGRAM_H
#define RTK_PROGRAM_H

#include <stdbool.h>

struct sqlite3;
struct sqlite3_vtab;

/* A scan, and one of its arguments. */
struct rtk_program_question {
  const struct sqlite3_vtab *vtab;
  int bits;             /* its plan (plan.h) */
  int argument;         /* from 0 */
  int column;           /* of that argument */
  bool is_scope;        /* an account or app */
  int value;            /* its place among xFilter's values; -1: it has none */
  const char *expected; /* the default that is taken; NULL: none */
};

struct rtk_program_use {
  /* The column decides about rows, by more than a comparison with the
  ** default. */
  bool is_decisive;
  /* Another scan of the table gives an account or app that is not the default,
  ** and this scan does not. */
  bool is_given_elsewhere;
  /* A RIGHT or FULL JOIN: this may be its second pass. */
  bool has_right_join;
  /* The argument's value comes from a row of another table. */
  bool is_joined;
};

/* Reads the programs of all statements that are running on `db`.  A statement
** that cannot be explained counts as not using the column.  SQLITE_OK,
** SQLITE_NOMEM or SQLITE_INTERRUPT. */
int rtk_program_look(struct sqlite3 *db,
                     const struct rtk_program_question *question,
                     struct rtk_program_use *use);

#endif
