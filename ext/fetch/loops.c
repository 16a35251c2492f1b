/*
** Loops in the program of a statement.
**
**     4  Rewind  0 11            l
**     5    Column  0 0 6                       loop 5 to 10
**     6    VFilter 1 10 4        our table
**     7      VColumn 1 1 8                     loop 7 to 9
**     8      AggStep 0 8 2       ResultRow in its place is a row for the host
**     9    VNext   1 7
**    10  Next    0 5             jumps back: the end of a loop
**    11  AggFinal 2 1
**    12  ResultRow 3 1           after the loops: it does not matter
**
** A loop around a VFilter may end before its time by a ResultRow, by a LIMIT
** (DecrJumpZero) or by a Goto that leaves it.  What calls it from elsewhere may
** have such a reason, too: a loop in a subroutine or coroutine counts as one
** that may end.
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

enum role { OTHER, FILTER, BACK, JUMP, LIMIT, ROW, CALL, COROUTINE, RETURN };

static const struct {
  enum role role;
  const char *opcodes;
} roles[] = {
    {FILTER, "VFilter"},
    {BACK, "Next Prev VNext SorterNext"},
    {JUMP, "Goto"},
    {LIMIT, "DecrJumpZero"},
    {ROW, "ResultRow"},
    {CALL, "Gosub"},
    {COROUTINE, "InitCoroutine"},
    {RETURN, "Return"},
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
  int rc = rtk_probe_explain(db, "EXPLAIN ", sql, &stmt);
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

static bool has_filter(const struct program *program, int first, int last) {
  for (int i = first; i <= last && i < program->count; i++) {
    if (program->operations[i].role == FILTER) return true;
  }
  return false;
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

/* Is what the operation at `i` closes, calls or begins a reason to end? */
static bool is_reason(const struct program *program, int i, bool has_rows) {
  const struct operation *operation = &program->operations[i];
  int to = operation->p2;
  switch (operation->role) {
  case BACK:
  case JUMP: /* to 1: back from the set-up to the beginning */
    return to > 1 && to <= i && has_filter(program, to, i) &&
           may_end(program, to, i, has_rows, 0);
  case CALL:
    return has_filter(program, to, end_of(program, operation));
  case COROUTINE:
    return has_filter(program, operation->p3, to);
  default:
    return false;
  }
}

int rtk_loops_are_whole(sqlite3 *db, const char *sql, bool has_rows,
                        bool *are) {
  struct program program = {NULL, 0, 0};
  int rc = read(db, sql, &program);
  *are = rc == SQLITE_OK;
  for (int i = 0; *are && i < program.count; i++) {
    *are = !is_reason(&program, i, has_rows);
  }
  sqlite3_free(program.operations);
  return rc;
}
