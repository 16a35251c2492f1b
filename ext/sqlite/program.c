/*
** What the program of a running statement does with a column of our table.
**
** The value is followed from VColumn on: through registers, through what is computed
** of it, through records, and through the tables and sorters they are put into.  It
** decides about rows where a jump depends on it that passes over what makes a row.
** A jump within an expression (CASE, coalesce()) joins its other way before that.
*/
#include "sqlite/program.h"

#include "base/probe.h"
#include "sqlite/plan.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Cursors, registers and instructions are looked at up to these; beyond them
** nothing is found. */
#define CURSORS_MAX 256
#define REGISTERS_MAX 4096
#define INSTRUCTIONS_MAX 50000

/* Columns of EXPLAIN. */
enum { ADDRESS, OPCODE, P1, P2, P3, P4, P5 };

/* Of a function with any number of arguments EXPLAIN does not tell the number. */
#define ARGUMENTS_MAX 16

enum role {
  ROLE_OTHER,
  ROLE_VALUE,    /* computes a value */
  ROLE_COPY,     /* of P3 + 1 registers from P1 on to P2 on */
  ROLE_MOVE,     /* of P3 registers */
  ROLE_FUNCTION, /* its arguments begin in P2 */
  ROLE_AGGREGATE,
  ROLE_RECORD, /* of P2 registers from P1 on */
  ROLE_INSERT, /* the record P2 into the cursor P1 */
  ROLE_DATA,   /* the record of the cursor P1 into P2 */
  ROLE_PSEUDO, /* the cursor P1 reads the record P2 */
  ROLE_SAME,   /* the cursor P1 reads what the cursor P2 does */
  ROLE_FIELD,  /* the field P2 of the cursor P1 */
  ROLE_READ,   /* opens a table */
  ROLE_OPEN,   /* opens a virtual table */
  ROLE_FILTER, /* with the plan that the register P3 holds */
  ROLE_COLUMN, /* the column P2 of a virtual table */
  ROLE_JUMP,   /* to P2, by what it reads */
  ROLE_FIND,   /* to P2, by what the cursor P1 holds */
  ROLE_HOP,    /* to P2, by something else */
  ROLE_EFFECT  /* makes a row, or goes on to the next */
};

/* What it reads: bit 0 stands for P1.  What it writes: 0 is nothing, 1 is P1. */
static const struct operation {
  const char *opcode;
  enum role role;
  int reads, writes;
} operations[] = {
    {"Integer", ROLE_VALUE, 0, 2},
    {"Int64", ROLE_VALUE, 0, 2},
    {"Real", ROLE_VALUE, 0, 2},
    {"String8", ROLE_VALUE, 0, 2},
    {"String", ROLE_VALUE, 0, 2},
    {"Blob", ROLE_VALUE, 0, 2},
    {"Null", ROLE_VALUE, 0, 2},
    {"Variable", ROLE_VALUE, 0, 2},
    {"Rowid", ROLE_VALUE, 0, 2},
    {"Sequence", ROLE_VALUE, 0, 2},
    {"NewRowid", ROLE_VALUE, 0, 2},
    {"Param", ROLE_VALUE, 0, 2},
    {"Not", ROLE_VALUE, 1, 2},
    {"BitNot", ROLE_VALUE, 1, 2},
    {"IsTrue", ROLE_VALUE, 1, 2},
    {"IntCopy", ROLE_VALUE, 1, 2},
    {"SCopy", ROLE_VALUE, 1, 2},
    {"ZeroOrNull", ROLE_VALUE, 5, 2},
    {"Add", ROLE_VALUE, 3, 3},
    {"Subtract", ROLE_VALUE, 3, 3},
    {"Multiply", ROLE_VALUE, 3, 3},
    {"Divide", ROLE_VALUE, 3, 3},
    {"Remainder", ROLE_VALUE, 3, 3},
    {"Concat", ROLE_VALUE, 3, 3},
    {"BitAnd", ROLE_VALUE, 3, 3},
    {"BitOr", ROLE_VALUE, 3, 3},
    {"ShiftLeft", ROLE_VALUE, 3, 3},
    {"ShiftRight", ROLE_VALUE, 3, 3},
    {"And", ROLE_VALUE, 3, 3},
    {"Or", ROLE_VALUE, 3, 3},
    {"AggValue", ROLE_VALUE, 1, 3},
    {"Copy", ROLE_COPY, 0, 0},
    {"Move", ROLE_MOVE, 0, 0},
    {"Function", ROLE_FUNCTION, 0, 3},
    {"Function0", ROLE_FUNCTION, 0, 3},
    {"PureFunc", ROLE_FUNCTION, 0, 3},
    {"PureFunc0", ROLE_FUNCTION, 0, 3},
    {"AggStep", ROLE_AGGREGATE, 0, 3},
    {"AggStep0", ROLE_AGGREGATE, 0, 3},
    {"AggStep1", ROLE_AGGREGATE, 0, 3},
    {"MakeRecord", ROLE_RECORD, 0, 3},
    {"Insert", ROLE_INSERT, 0, 0},
    {"IdxInsert", ROLE_INSERT, 0, 0},
    {"SorterInsert", ROLE_INSERT, 0, 0},
    {"SorterData", ROLE_DATA, 0, 2},
    {"RowData", ROLE_DATA, 0, 2},
    {"OpenPseudo", ROLE_PSEUDO, 0, 0},
    {"OpenDup", ROLE_SAME, 0, 0},
    {"Column", ROLE_FIELD, 0, 3},
    {"OpenRead", ROLE_READ, 0, 0},
    {"OpenAutoindex", ROLE_READ, 0, 0},
    {"VOpen", ROLE_OPEN, 0, 0},
    {"VFilter", ROLE_FILTER, 0, 0},
    {"VColumn", ROLE_COLUMN, 0, 3},
    {"Eq", ROLE_JUMP, 5, 0},
    {"Ne", ROLE_JUMP, 5, 0},
    {"Lt", ROLE_JUMP, 5, 0},
    {"Le", ROLE_JUMP, 5, 0},
    {"Gt", ROLE_JUMP, 5, 0},
    {"Ge", ROLE_JUMP, 5, 0},
    {"If", ROLE_JUMP, 1, 0},
    {"IfNot", ROLE_JUMP, 1, 0},
    {"IsNull", ROLE_JUMP, 1, 0},
    {"NotNull", ROLE_JUMP, 1, 0},
    {"IsType", ROLE_JUMP, 1, 0},
    {"MustBeInt", ROLE_JUMP, 1, 0},
    {"NotFound", ROLE_FIND, 0, 0},
    {"Found", ROLE_FIND, 0, 0},
    {"Goto", ROLE_HOP, 0, 0},
    {"Once", ROLE_HOP, 0, 0},
    {"Rewind", ROLE_HOP, 0, 0},
    {"DecrJumpZero", ROLE_HOP, 0, 0},
    {"IfPos", ROLE_HOP, 0, 0},
    {"IfNotZero", ROLE_HOP, 0, 0},
    {"IfNullRow", ROLE_HOP, 0, 0},
    {"SeekRowid", ROLE_HOP, 0, 0},
    {"NotExists", ROLE_HOP, 0, 0},
    {"SeekGE", ROLE_HOP, 0, 0},
    {"SeekGT", ROLE_HOP, 0, 0},
    {"SeekLE", ROLE_HOP, 0, 0},
    {"SeekLT", ROLE_HOP, 0, 0},
    {"ElseEq", ROLE_HOP, 0, 0},
    {"ElseNotEq", ROLE_HOP, 0, 0},
    {"ResultRow", ROLE_EFFECT, 0, 0},
    {"Yield", ROLE_EFFECT, 0, 0},
    {"Gosub", ROLE_EFFECT, 0, 0},
    {"Program", ROLE_EFFECT, 0, 0},
    {"Delete", ROLE_EFFECT, 0, 0},
    {"IdxDelete", ROLE_EFFECT, 0, 0},
    {"RowSetAdd", ROLE_EFFECT, 0, 0},
    {"VUpdate", ROLE_EFFECT, 0, 0},
    {"Next", ROLE_EFFECT, 0, 0},
    {"Prev", ROLE_EFFECT, 0, 0},
    {"VNext", ROLE_EFFECT, 0, 0},
    {"SorterNext", ROLE_EFFECT, 0, 0},
};

struct instruction {
  const struct operation *operation; /* NULL: not in the table */
  int p1, p2, p3;
  int first; /* the instruction that is address 0 of its program */
  int more; /* a number of arguments or of fields; of VOpen: is it our table? of
                String8: is it the expected text? */
};

/* A bit for each field of a record; the last one stands for all beyond. */
struct reg {
  uint64_t fields;
  int number;
  bool is_followed;
  bool is_direct;   /* as it came from VColumn */
  bool is_expected; /* the expected text */
  bool is_stored;   /* as it came from a table */
};

struct cursor {
  uint64_t fields;
  int record;     /* the register that it reads; 0: none */
  int same;       /* the cursor whose table it reads; 0: its own */
  bool is_stored; /* open on any table, and not on what the program has made */
  bool is_table;  /* open on our table */
  bool is_unsaid; /* filtered without a value of the argument */
};

struct look {
  const struct rtk_program_question *question;
  struct rtk_probe_name table; /* as P4 of VOpen shows it */
  int count;
  int at;
  int within;    /* up to here what is written depends on the value */
  bool has_left; /* a LEFT JOIN */
  bool is_here, is_said, is_decisive, is_joined;
  struct cursor cursors[CURSORS_MAX];
  struct reg registers[REGISTERS_MAX];
  struct instruction instructions[INSTRUCTIONS_MAX];
};

/* --- reading ---------------------------------------------------------------- */

/* NULL: it cannot be explained. */
static sqlite3_stmt *explain(sqlite3 *db, const char *prefix,
                             sqlite3_stmt *running) {
  sqlite3_stmt *stmt = NULL;
  const char *sql = sqlite3_sql(running);
  if (sql != NULL) (void)rtk_probe_explain(db, prefix, sql, &stmt);
  return stmt;
}

static const struct operation *find_operation(const char *opcode) {
  for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
    if (strcmp(opcode, operations[i].opcode) == 0) return &operations[i];
  }
  return NULL;
}

/* P4 of a function is `substr(3)`, or `max(-1)` for any number; of Found it is the
** number of fields. */
static int read_more(const struct look *look, sqlite3_stmt *stmt,
                     const char *opcode, enum role role) {
  const char *p4 = (const char *)sqlite3_column_text(stmt, P4);
  if (role == ROLE_AGGREGATE) return sqlite3_column_int(stmt, P5);
  if (p4 == NULL) return 0;
  if (role == ROLE_OPEN) return strcmp(p4, look->table.text) == 0;
  if (role == ROLE_FIND) return atoi(p4);
  if (role == ROLE_FUNCTION) {
    const char *bracket = strchr(p4, '(');
    int count = bracket == NULL ? 1 : atoi(bracket + 1);
    return count < 0 ? ARGUMENTS_MAX : count;
  }
  return look->question->expected != NULL && strcmp(opcode, "String8") == 0 &&
         strcmp(p4, look->question->expected) == 0;
}

/* A trigger's program follows, from address 0 on. */
static void read_program(sqlite3_stmt *stmt, struct look *look) {
  int first = 0;
  while (rtk_probe_step(stmt) == SQLITE_ROW && look->count < INSTRUCTIONS_MAX) {
    struct instruction *to = &look->instructions[look->count];
    const char *opcode = (const char *)sqlite3_column_text(stmt, OPCODE);
    if (sqlite3_column_int(stmt, ADDRESS) == 0) first = look->count;
    look->count++;
    *to = (struct instruction){.first = first};
    if (opcode != NULL && strcmp(opcode, "NullRow") == 0) look->has_left = true;
    to->operation = opcode == NULL ? NULL : find_operation(opcode);
    if (to->operation == NULL) continue;
    to->p1 = sqlite3_column_int(stmt, P1);
    to->p2 = sqlite3_column_int(stmt, P2);
    to->p3 = sqlite3_column_int(stmt, P3);
    to->more = read_more(look, stmt, opcode, to->operation->role);
  }
}

/* --- following --------------------------------------------------------------- */

/* What is out of bounds is the last one, which no program uses. */
static struct reg *reg_of(struct look *look, int i) {
  bool is_known = i >= 0 && i < REGISTERS_MAX;
  return &look->registers[is_known ? i : REGISTERS_MAX - 1];
}

static struct cursor *cursor_of(struct look *look, int i) {
  bool is_known = i >= 0 && i < CURSORS_MAX;
  struct cursor *cursor = &look->cursors[is_known ? i : CURSORS_MAX - 1];
  return cursor->same > 0 ? &look->cursors[cursor->same] : cursor;
}

static uint64_t field_bit(int i) { return (uint64_t)1 << (i < 63 ? i : 63); }

static int written_by(const struct instruction *in) {
  const int p[] = {0, in->p1, in->p2, in->p3};
  return p[in->operation->writes];
}

static void write_reg(struct look *look, int i, struct reg value) {
  if (look->at < look->within) value.is_followed = true;
  *reg_of(look, i) = value;
}

static bool is_any_followed(struct look *look, int first, int count) {
  for (int i = 0; i < count; i++) {
    if (reg_of(look, first + i)->is_followed) return true;
  }
  return false;
}

static bool reads_followed(struct look *look, const struct instruction *in) {
  int reads = in->operation->reads;
  return ((reads & 1) != 0 && reg_of(look, in->p1)->is_followed) ||
         ((reads & 2) != 0 && reg_of(look, in->p2)->is_followed) ||
         ((reads & 4) != 0 && reg_of(look, in->p3)->is_followed);
}

static void copy(struct look *look, const struct instruction *in, int count) {
  for (int i = 0; i < count; i++) {
    write_reg(look, in->p2 + i, *reg_of(look, in->p1 + i));
  }
}

static void make_record(struct look *look, const struct instruction *in) {
  struct reg record = {0};
  for (int i = 0; i < in->p2; i++) {
    if (reg_of(look, in->p1 + i)->is_followed) record.fields |= field_bit(i);
  }
  *reg_of(look, in->p3) = record;
}

static void read_field(struct look *look, const struct instruction *in) {
  const struct cursor *cursor = cursor_of(look, in->p1);
  uint64_t fields = cursor->record > 0 ? reg_of(look, cursor->record)->fields
                                       : cursor->fields;
  bool is_in = (fields & field_bit(in->p2)) != 0;
  write_reg(look, in->p3,
            (struct reg){.is_followed = is_in, .is_stored = cursor->is_stored});
}

/* Are accounts and apps given, and not just the expected text?  Those of the
** arguments before it that have a value come first. */
static void filter(struct look *look, const struct instruction *in) {
  struct cursor *cursor = cursor_of(look, in->p1);
  int bits = reg_of(look, in->p3)->number;
  int place = in->p3 + 2;
  bool is_given =
      RTK_PLAN_CODE_OF(bits, look->question->argument) == RTK_PLAN_VALUE;
  if (!cursor->is_table) return;
  for (int k = 0; k < look->question->argument; k++) {
    if (RTK_PLAN_CODE_OF(bits, k) == RTK_PLAN_VALUE) place++;
  }
  cursor->is_unsaid = !is_given;
  if (is_given && look->question->is_scope &&
      !reg_of(look, place)->is_expected) {
    look->is_said = true;
  }
  if (bits != look->question->bits) return;
  look->is_here = true;
  place = in->p3 + 2 + look->question->value;
  if (look->question->value >= 0 && reg_of(look, place)->is_stored) {
    look->is_joined = true;
  }
}

/* The ways of a jump that depends on the value.  They have joined again when every
** jump between has its target before.  A row that is made until then, or another
** turn of a loop, was decided by it; else what is written until then was. */
static void jump(struct look *look, const struct instruction *in) {
  int end = in->first + in->p2;
  for (int i = look->at + 1; i < end; i++) {
    const struct instruction *next = &look->instructions[i];
    if (i >= look->count) return;
    if (next->operation == NULL) continue;
    switch (next->operation->role) {
    case ROLE_JUMP:
    case ROLE_FIND:
    case ROLE_HOP:
      if (next->first + next->p2 > end) end = next->first + next->p2;
      if (next->first + next->p2 <= look->at) look->is_decisive = true;
      break;
    case ROLE_EFFECT:
    case ROLE_INSERT:
    case ROLE_AGGREGATE:
    case ROLE_FILTER:
      look->is_decisive = true;
      break;
    default:
      break;
    }
    if (look->is_decisive) return;
  }
  if (end <= look->at) look->is_decisive = true;
  if (end > look->within) look->within = end;
}

/* Does the jump name no other account or app than the default?  They are never
** NULL; and in a LEFT JOIN a table to the right may be looked up by the default. */
static bool is_idle(struct look *look, const struct instruction *in) {
  const struct reg *one = reg_of(look, in->p1);
  const struct reg *other = reg_of(look, in->p3);
  bool is_comparison = in->operation->reads == 5;
  if (!look->question->is_scope) return false;
  if (!is_comparison) return one->is_direct;
  return one->is_expected || other->is_expected ||
         (look->has_left && ((one->is_direct && other->is_stored) ||
                             (other->is_direct && one->is_stored)));
}

/* What an instruction writes into registers. */
static void follow_value(struct look *look, const struct instruction *in) {
  struct reg value = {0};
  struct reg *sum = NULL;
  switch (in->operation->role) {
  case ROLE_VALUE:
    value.is_followed = reads_followed(look, in);
    value.is_expected = in->more != 0;
    value.number = in->p1;
    write_reg(look, written_by(in), value);
    break;
  case ROLE_COPY:
    copy(look, in, in->p3 + 1);
    break;
  case ROLE_MOVE:
    copy(look, in, in->p3);
    break;
  case ROLE_FUNCTION:
    value.is_followed = is_any_followed(look, in->p2, in->more);
    write_reg(look, in->p3, value);
    break;
  case ROLE_AGGREGATE:
    sum = reg_of(look, in->p3);
    sum->is_followed |= is_any_followed(look, in->p2, in->more);
    break;
  case ROLE_RECORD:
    make_record(look, in);
    break;
  case ROLE_DATA:
    value.fields = cursor_of(look, in->p1)->fields;
    write_reg(look, in->p2, value);
    break;
  case ROLE_FIELD:
    read_field(look, in);
    break;
  case ROLE_COLUMN:
    value.is_followed = value.is_direct =
        cursor_of(look, in->p1)->is_unsaid && in->p2 == look->question->column;
    value.is_stored = true;
    write_reg(look, in->p3, value);
    break;
  default:
    break;
  }
}

/* What it does with cursors. */
static void follow_cursor(struct look *look, const struct instruction *in) {
  struct cursor *cursor = cursor_of(look, in->p1);
  switch (in->operation->role) {
  case ROLE_INSERT:
    cursor->fields |= reg_of(look, in->p2)->fields;
    break;
  case ROLE_PSEUDO:
    cursor->record = in->p2;
    break;
  case ROLE_SAME:
    cursor->same = in->p2;
    break;
  case ROLE_READ:
    *cursor = (struct cursor){.is_stored = true};
    break;
  case ROLE_OPEN:
    *cursor = (struct cursor){.is_table = in->more != 0};
    break;
  case ROLE_FILTER:
    filter(look, in);
    break;
  default:
    break;
  }
}

/* Does it jump by the value?  ROLE_FIND without a number of fields is INTERSECT. */
static bool is_jump(struct look *look, const struct instruction *in) {
  enum role role = in->operation->role;
  if (role == ROLE_JUMP) return reads_followed(look, in) && !is_idle(look, in);
  return role == ROLE_FIND && in->more > 0 &&
         cursor_of(look, in->p1)->fields != 0;
}

static void follow(struct look *look, const struct instruction *in) {
  follow_value(look, in);
  follow_cursor(look, in);
  if (is_jump(look, in)) jump(look, in);
}

/* Constants are set at the end of a program, where it begins: they are read first. */
static void follow_all(struct look *look) {
  for (int i = 0; i < look->count; i++) {
    const struct instruction *in = &look->instructions[i];
    if (in->operation == NULL || in->operation->role != ROLE_VALUE) continue;
    reg_of(look, written_by(in))->is_expected = in->more != 0;
  }
  for (look->at = 0; look->at < look->count; look->at++) {
    const struct instruction *in = &look->instructions[look->at];
    if (in->operation != NULL && !look->is_decisive) follow(look, in);
  }
}

static bool has_right_join(sqlite3 *db, sqlite3_stmt *running) {
  enum { DETAIL = 3 };
  bool has = false;
  sqlite3_stmt *stmt = explain(db, "EXPLAIN QUERY PLAN ", running);
  while (stmt != NULL && rtk_probe_step(stmt) == SQLITE_ROW) {
    const char *detail = (const char *)sqlite3_column_text(stmt, DETAIL);
    if (detail != NULL && strncmp(detail, "RIGHT-JOIN", 10) == 0) has = true;
  }
  (void)sqlite3_finalize(stmt);
  return has;
}

static void look_at(sqlite3 *db, sqlite3_stmt *running, struct look *look,
                    struct rtk_program_use *use) {
  sqlite3_stmt *stmt = explain(db, "EXPLAIN ", running);
  look->count = look->within = 0;
  look->has_left = look->is_here = false;
  look->is_said = look->is_decisive = look->is_joined = false;
  memset(look->cursors, 0, sizeof(look->cursors));
  memset(look->registers, 0, sizeof(look->registers));
  if (stmt != NULL) read_program(stmt, look);
  (void)sqlite3_finalize(stmt);
  follow_all(look);
  if (look->is_decisive) use->is_decisive = true;
  if (look->is_joined) use->is_joined = true;
  if (look->is_here && look->is_said) use->is_said = true;
  if (look->is_here && has_right_join(db, running)) use->is_right = true;
}

int rtk_program_look(sqlite3 *db, const struct rtk_program_question *question,
                     struct rtk_program_use *use) {
  struct look *look = sqlite3_malloc64(sizeof(*look));
  *use = (struct rtk_program_use){0};
  if (look == NULL) return SQLITE_NOMEM;
  look->question = question;
  look->table = rtk_probe_name(question->vtab);
  for (sqlite3_stmt *s = sqlite3_next_stmt(db, NULL); s != NULL;
       s = sqlite3_next_stmt(db, s)) {
    if (sqlite3_stmt_busy(s)) look_at(db, s, look, use);
  }
  sqlite3_free(look);
  return rtk_probe_end(db);
}
