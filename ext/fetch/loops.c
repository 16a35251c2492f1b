/*
** Loops in the program of a statement.
**
**     4  Rewind  0 11            l
**     5    Column  0 0 6                       loop 5 to 10: of calls
**     6    VFilter 1 10 4        our table
**     7      VColumn 1 1 8                     loop 7 to 9: of rows
**     8      AggStep 0 8 2       ResultRow in its place is a row for the host
**     9    VNext   1 7
**    10  Next    0 5             jumps back: the end of a loop
**    11  AggFinal 2 1
**    12  ResultRow 3 1           after the loops: it does not matter
**
** A loop may end before its time by a ResultRow, by a LIMIT (DecrJumpZero) or
** by a Goto that leaves it.  A subroutine (Gosub) is a part of the loop that it
** is called from.  A coroutine goes on as long as its caller likes: a loop in
** a coroutine may end early.
*/
#include "fetch/loops.h"

#include "base/array.h"
#include "base/probe.h"
#include "base/words.h"

#include <stddef.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Subroutines that call one another up to here are looked into. */
#define DEPTH_MAX 4

enum role {
  OTHER,
  FILTER,
  NEXT,
  BACK,
  JUMP,
  LIMIT,
  ROW,
  CALL,
  COROUTINE,
  RETURN,
  ONCE
};

static const struct {
  enum role role;
  const char *opcodes;
} roles[] = {
    {FILTER, "VFilter"},
    {NEXT, "VNext"},
    {BACK, "Next Prev SorterNext"},
    {JUMP, "Goto If IfNot IfNotZero IsNull NotNull Eq Ne Lt Le Gt Ge Found"
           " NotFound NoConflict"},
    {LIMIT, "DecrJumpZero"},
    {ROW, "ResultRow"},
    {CALL, "Gosub"},
    {COROUTINE, "InitCoroutine"},
    {RETURN, "Return"},
    {ONCE, "Once"},
};

struct operation {
  enum role role;
  int p1, p2, p3;
};

struct program {
  struct operation *operations; /* by address */
  size_t room;
  int count;
};

static enum role role_of(const char *opcode) {
  struct rtk_text word = {opcode, strlen(opcode)};
  for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++) {
    if (rtk_words_have(roles[i].opcodes, word)) return roles[i].role;
  }
  return OTHER;
}

static int read(sqlite3 *db, const char *sql, struct program *program) {
  enum { OPCODE = 1, P1, P2, P3 };
  sqlite3_stmt *stmt = NULL;
  int rc = rtk_probe_prepare_as(db, "EXPLAIN ", sql, &stmt);
  while (rc == SQLITE_OK && rtk_probe_step(stmt) == SQLITE_ROW) {
    const char *opcode = (const char *)sqlite3_column_text(stmt, OPCODE);
    struct operation *operations =
        rtk_array_grow(program->operations, &program->room,
                       (size_t)program->count + 1, sizeof(*operations));
    if (operations == NULL || opcode == NULL) {
      rc = SQLITE_NOMEM;
    } else {
      operations[program->count++] = (struct operation){
          role_of(opcode), sqlite3_column_int(stmt, P1),
          sqlite3_column_int(stmt, P2), sqlite3_column_int(stmt, P3)};
    }
    if (operations != NULL) program->operations = operations;
  }
  int end = sqlite3_finalize(stmt);
  return rc == SQLITE_OK ? end : rc;
}

/* The last operation of the subroutine that a Gosub calls.  It may return from
** several places. */
static int end_of(const struct program *program,
                  const struct operation *gosub) {
  int end = gosub->p2;
  for (int i = end; i < program->count; i++) {
    const struct operation *operation = &program->operations[i];
    if (operation->role == RETURN && operation->p1 == gosub->p1) end = i;
  }
  return end;
}

/* Is there a VFilter in the program from `first` to `last`, or in what is
** called from there? A subroutine that runs once does not count: it runs to its
** end, whatever becomes of the loop that it is called from.  `depth`: of
** subroutines. */
static bool has_filter(const struct program *program, int first, int last,
                       int depth) {
  for (int i = first; i <= last && i < program->count; i++) {
    const struct operation *operation = &program->operations[i];
    if (operation->role == FILTER) return true;
    if (operation->role != CALL) continue;
    int to = operation->p2;
    bool is_once = to >= program->count || program->operations[to].role == ONCE;
    if (!is_once &&
        (depth == DEPTH_MAX ||
         has_filter(program, to, end_of(program, operation), depth + 1))) {
      return true;
    }
  }
  return false;
}

/* Can the loop, or subroutine, from `first` to `last` end the loop that it is
** in, or itself, before its time?  `depth`: of subroutines. */
static bool may_end(const struct program *program, int first, int last,
                    bool has_rows, int depth) {
  for (int i = first; i <= last; i++) {
    const struct operation *operation = &program->operations[i];
    switch (operation->role) {
    case ROW:
      if (has_rows) return true;
      break;
    case JUMP:
    case LIMIT:
      if (operation->p2 < first || operation->p2 > last) return true;
      break;
    case CALL:
      if (depth == DEPTH_MAX ||
          may_end(program, operation->p2, end_of(program, operation), has_rows,
                  depth + 1)) {
        return true;
      }
      break;
    default:
      break;
    }
  }
  return false;
}

/* Does the operation at `i` close a loop that may end before its time? */
static bool closes(const struct program *program, int i, bool has_rows) {
  int to = program->operations[i].p2;
  return to > 1 && to <= i && /* to 1: back from the set-up to the beginning */
         may_end(program, to, i, has_rows, 0);
}

static void judge(const struct program *program, int i, bool has_rows,
                  struct rtk_loops *loops) {
  const struct operation *operation = &program->operations[i];
  bool makes_calls = false; /* what may end before its time */
  switch (operation->role) {
  case NEXT:
  case BACK:
  case JUMP:
    if (!closes(program, i, has_rows)) return;
    makes_calls = has_filter(program, operation->p2, i, 0);
    break;
  case COROUTINE:
    makes_calls = has_filter(program, operation->p3, operation->p2, 0);
    break;
  default:
    return;
  }
  if (makes_calls) loops->are_calls_whole = false;
  if (makes_calls || operation->role == NEXT) loops->are_rows_whole = false;
}

int rtk_loops_look(sqlite3 *db, const char *sql, bool has_rows,
                   struct rtk_loops *loops) {
  struct program program = {NULL, 0, 0};
  int rc = read(db, sql, &program);
  loops->are_calls_whole = loops->are_rows_whole = rc == SQLITE_OK;
  for (int i = 0; rc == SQLITE_OK && i < program.count; i++) {
    judge(&program, i, has_rows, loops);
  }
  sqlite3_free(program.operations);
  return rc;
}
