/*
** How a running statement uses a column of one of our tables.
**
** The program that EXPLAIN shows is followed once from its beginning to its
** end:
**
**     VFilter  0 21  1         did the scan get the argument?  If not:
**     VColumn  0 11  3         register 3 is followed
**     Add      3  5  6         register 6 is too: computed from a followed one
**     MakeRecord 6 2 7         and field 0 of the record in register 7
**     SorterInsert 1 7         and field 0 of what cursor 1 reads
**     Ne       4 19  3         a jump by a followed register …
**     ResultRow 8 1            … over the row: the column decides about rows
**   19 VNext    0 10
**
** A jump within an expression (CASE, coalesce()) decides nothing: its two ways
** join before a row is made.  What is written until they join depends on the
** column.
*/
#include "sqlite/program.h"

#include "base/probe.h"
#include "base/words.h"
#include "sqlite/plan.h"

#include <stddef.h>
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

/* Of a function with any number of arguments EXPLAIN does not tell the
** number. */
#define ARGUMENTS_MAX 16

enum role {
  ROLE_VALUE,    /* computes a value from the registers in `reads` */
  ROLE_COPY,     /* copies P3 + 1 registers from P1 on to P2 on */
  ROLE_MOVE,     /* moves P3 registers */
  ROLE_FUNCTION, /* calls a function, into P3; its arguments begin in P2 */
  ROLE_AGGREGATE,
  ROLE_RECORD, /* makes a record in P3 of P2 registers from P1 on */
  ROLE_INSERT, /* inserts the record P2 into the cursor P1 */
  ROLE_DATA,   /* reads the record of the cursor P1 into P2 */
  ROLE_PSEUDO, /* makes the cursor P1 read the record P2 */
  ROLE_SAME,   /* makes the cursor P1 read what the cursor P2 does */
  ROLE_FIELD,  /* reads the field P2 of the cursor P1 into P3 */
  ROLE_READ,   /* opens a table */
  ROLE_OPEN,   /* opens a virtual table */
  ROLE_FILTER, /* filters it by the plan that the register P3 holds */
  ROLE_COLUMN, /* reads the column P2 of a virtual table into P3 */
  ROLE_JUMP,   /* jumps to P2, by the registers in `reads` */
  ROLE_FIND,   /* jumps to P2, by the content of the cursor P1 */
  ROLE_HOP,    /* jumps to P2, by something else */
  ROLE_EFFECT  /* makes a row, or goes on to the next */
};

/* What an operation reads: P1 is 1, P2 is 2, P3 is 4.  The register that a
** ROLE_VALUE writes to: P2 or P3.  Operations without a row do not matter. */
static const struct operation {
  enum role role;
  int reads, writes;
  const char *opcodes;
} operations[] = {
    {ROLE_VALUE, 0, P2,
     "Integer Int64 Real String8 String Blob Null Variable Rowid Sequence"
     " NewRowid Param"},
    {ROLE_VALUE, 1, P2, "Not BitNot IsTrue IntCopy SCopy"},
    {ROLE_VALUE, 1, P3, "AggValue"},
    {ROLE_VALUE, 1 | 4, P2, "ZeroOrNull"},
    {ROLE_VALUE, 1 | 2, P3,
     "Add Subtract Multiply Divide Remainder Concat BitAnd BitOr ShiftLeft"
     " ShiftRight And Or"},
    {ROLE_COPY, 0, 0, "Copy"},
    {ROLE_MOVE, 0, 0, "Move"},
    {ROLE_FUNCTION, 0, 0, "Function PureFunc"},
    {ROLE_AGGREGATE, 0, 0, "AggStep"},
    {ROLE_RECORD, 0, 0, "MakeRecord"},
    {ROLE_INSERT, 0, 0, "Insert IdxInsert SorterInsert"},
    {ROLE_DATA, 0, 0, "SorterData RowData"},
    {ROLE_PSEUDO, 0, 0, "OpenPseudo"},
    {ROLE_SAME, 0, 0, "OpenDup"},
    {ROLE_FIELD, 0, 0, "Column"},
    {ROLE_READ, 0, 0, "OpenRead OpenAutoindex"},
    {ROLE_OPEN, 0, 0, "VOpen"},
    {ROLE_FILTER, 0, 0, "VFilter"},
    {ROLE_COLUMN, 0, 0, "VColumn"},
    {ROLE_JUMP, 1 | 4, 0, "Eq Ne Lt Le Gt Ge"},
    {ROLE_JUMP, 1, 0, "If IfNot IsNull NotNull IsType MustBeInt"},
    {ROLE_FIND, 0, 0, "NotFound Found"},
    {ROLE_HOP, 0, 0,
     "Goto Once Rewind DecrJumpZero IfPos IfNotZero IfNullRow SeekRowid"
     " NotExists SeekGE SeekGT SeekLE SeekLT ElseEq"},
    {ROLE_EFFECT, 0, 0,
     "ResultRow Yield Gosub Program Delete IdxDelete RowSetAdd VUpdate Next"
     " Prev VNext SorterNext"},
};

struct instruction {
  const struct operation *operation; /* NULL: not in the table */
  int p1, p2, p3;
  int first; /* the instruction that is address 0 of its program */
  int more;  /* how many registers or fields; VOpen: is the table ours?
                String8: is the text the expected one? */
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
  bool lacks_value; /* filtered without a value of the argument */
};

struct look {
  const struct rtk_program_question *question;
  struct rtk_probe_name table; /* as P4 of VOpen shows it */
  int count;                   /* of instructions */
  int at;                      /* the current one */
  int within;    /* what is written before this one depends on the column */
  bool has_left; /* a LEFT JOIN */
  bool has_scan, is_given_elsewhere, is_decisive, is_joined;
  struct cursor cursors[CURSORS_MAX];
  struct reg registers[REGISTERS_MAX];
  struct instruction instructions[INSTRUCTIONS_MAX];
};

/* --- reading -------------------------------------------------------------- */

static const struct operation *find_operation(const char *opcode) {
  struct rtk_text word = {opcode, strlen(opcode)};
  for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
    if (rtk_words_have(operations[i].opcodes, word)) return &operations[i];
  }
  return NULL;
}

/* P4 of a function is `substr(3)`, or `max(-1)` for any number; P4 of Found is
** the number of fields. */
static int read_more(const struct look *look, sqlite3_stmt *stmt,
                     const char *opcode, enum role role) {
  const char *p4 = (const char *)sqlite3_column_text(stmt, P4);
  const char *expected = look->question->expected;
  if (role == ROLE_AGGREGATE) return sqlite3_column_int(stmt, P5);
  if (p4 == NULL) return 0;
  if (role == ROLE_OPEN) return strcmp(p4, look->table.text) == 0;
  if (role == ROLE_FIND) return atoi(p4);
  if (role == ROLE_FUNCTION) {
    const char *bracket = strchr(p4, '(');
    int count = bracket == NULL ? 1 : atoi(bracket + 1);
    return count < 0 ? ARGUMENTS_MAX : count;
  }
  return expected != NULL && strcmp(opcode, "String8") == 0 &&
         strcmp(p4, expected) == 0;
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

/* --- following ------------------------------------------------------------ */

/* An index out of bounds stands for the last register, which no program
** uses. */
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

/* The register of a ROLE_VALUE. */
static int written_by(const struct instruction *in) {
  return in->operation->writes == P2 ? in->p2 : in->p3;
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

/* VFilter: does this scan give the argument a value other than the default?
** The values follow the register of the plan, in the order of the arguments. */
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
  cursor->lacks_value = !is_given;
  if (is_given && look->question->is_scope &&
      !reg_of(look, place)->is_expected) {
    look->is_given_elsewhere = true;
  }
  if (bits != look->question->bits) return;
  look->has_scan = true;
  place = in->p3 + 2 + look->question->value;
  if (look->question->value >= 0 && reg_of(look, place)->is_stored) {
    look->is_joined = true;
  }
}

/* A jump that depends on the column.  Its two ways join again where every jump
** between has its target before.  If a row is made until there, or a loop goes
** on, the column decided that.  Otherwise what is written until there depends
** on the column. */
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

/* Does the jump only compare an account or app with the default?  An account or
** app is never NULL, and in a LEFT JOIN the table on the right may be looked up
** by the default. */
static bool is_about_default(struct look *look, const struct instruction *in) {
  const struct reg *one = reg_of(look, in->p1);
  const struct reg *other = reg_of(look, in->p3);
  bool is_comparison = (in->operation->reads & 4) != 0;
  if (!look->question->is_scope) return false;
  if (!is_comparison) return one->is_direct;
  return one->is_expected || other->is_expected ||
         (look->has_left && ((one->is_direct && other->is_stored) ||
                             (other->is_direct && one->is_stored)));
}

static void follow_column(struct look *look, const struct instruction *in) {
  bool is_followed =
      cursor_of(look, in->p1)->lacks_value && in->p2 == look->question->column;
  write_reg(look, in->p3,
            (struct reg){.is_followed = is_followed,
                         .is_direct = is_followed,
                         .is_stored = true});
}

static void follow_cursor(struct look *look, const struct instruction *in,
                          struct cursor *cursor) {
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

/* Does it jump by the column?  ROLE_FIND without a number of fields is
** INTERSECT. */
static bool is_jump(struct look *look, const struct instruction *in) {
  enum role role = in->operation->role;
  if (role == ROLE_JUMP)
    return reads_followed(look, in) && !is_about_default(look, in);
  return role == ROLE_FIND && in->more > 0 &&
         cursor_of(look, in->p1)->fields != 0;
}

static void follow(struct look *look, const struct instruction *in) {
  struct cursor *cursor = cursor_of(look, in->p1);
  struct reg value = {0};
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
    if (is_any_followed(look, in->p2, in->more)) {
      reg_of(look, in->p3)->is_followed = true;
    }
    break;
  case ROLE_RECORD:
    make_record(look, in);
    break;
  case ROLE_DATA:
    value.fields = cursor->fields;
    write_reg(look, in->p2, value);
    break;
  case ROLE_FIELD:
    read_field(look, in);
    break;
  case ROLE_COLUMN:
    follow_column(look, in);
    break;
  default:
    follow_cursor(look, in, cursor);
    break;
  }
  if (is_jump(look, in)) jump(look, in);
}

/* A program starts at its end, where constants are set: they are read first. */
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

static void look_at(sqlite3 *db, const char *sql, struct look *look,
                    struct rtk_program_use *use) {
  sqlite3_stmt *stmt = NULL;
  memset(&look->count, 0,
         offsetof(struct look, instructions) - offsetof(struct look, count));
  if (rtk_probe_prepare_as(db, "EXPLAIN ", sql, &stmt) == SQLITE_OK) {
    read_program(stmt, look);
  }
  (void)sqlite3_finalize(stmt);
  follow_all(look);
  if (look->is_decisive) use->is_decisive = true;
  if (look->is_joined) use->is_joined = true;
  if (look->has_scan && look->is_given_elsewhere)
    use->is_given_elsewhere = true;
  if (look->has_scan && !use->has_right_join) {
    (void)rtk_probe_plan_has(db, sql, "RIGHT-JOIN", &use->has_right_join);
  }
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
    const char *sql = sqlite3_sql(s);
    if (sql != NULL && sqlite3_stmt_busy(s)) look_at(db, sql, look, use);
  }
  sqlite3_free(look);
  return rtk_probe_end(db);
}
