/* What the program of a running statement does with a column of our table. */
#include "program.h"

#include "probe.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Cursors and registers are looked at by their number, up to these; beyond them
** nothing is found. */
#define CURSORS_MAX 256
#define REGISTERS_MAX 4096

/* Columns of EXPLAIN. */
enum { OPCODE = 1, P1, P2, P3, P4 };

struct look {
  char table[32]; /* as P4 of VOpen shows it */
  int column;
  const char *expected;
  bool is_ours[CURSORS_MAX];
  bool is_read[REGISTERS_MAX];     /* holds the column */
  bool is_expected[REGISTERS_MAX]; /* holds the text `expected` */
  bool is_compared;
};

/* Prepares `prefix` and the text of a statement; NULL: it cannot be. */
static sqlite3_stmt *explain(sqlite3 *db, const char *prefix,
                             sqlite3_stmt *running) {
  sqlite3_stmt *stmt = NULL;
  const char *sql = sqlite3_sql(running);
  char *text = sql == NULL ? NULL : sqlite3_mprintf("%s%s", prefix, sql);
  if (text == NULL) return NULL;
  (void)rtk_probe_prepare(db, text, &stmt);
  sqlite3_free(text);
  return stmt;
}

/* The operations that take a column's value for more than a result: which of P1, P2
** and P3 name a register that they read. */
static const struct operation {
  const char *opcode;
  bool p1, p2, p3;
} operations[] = {
    {"Eq", true, false, true},       {"Ne", true, false, true},
    {"Lt", true, false, true},       {"Le", true, false, true},
    {"Gt", true, false, true},       {"Ge", true, false, true},
    {"If", true, false, false},      {"IfNot", true, false, false},
    {"IsNull", true, false, false},  {"NotNull", true, false, false},
    {"Not", true, false, false},     {"And", true, true, false},
    {"Or", true, true, false},       {"Concat", true, true, false},
    {"Add", true, true, false},      {"Subtract", true, true, false},
    {"Multiply", true, true, false}, {"Divide", true, true, false},
};

static const struct operation *find_operation(const char *opcode) {
  for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
    if (strcmp(opcode, operations[i].opcode) == 0) return &operations[i];
  }
  return NULL;
}

static bool is_in(const bool *registers, int reg) {
  return reg >= 0 && reg < REGISTERS_MAX && registers[reg];
}

/* Constants are set at the end of a program, where it begins. */
static void read_constant(sqlite3_stmt *stmt, struct look *look) {
  const char *opcode = (const char *)sqlite3_column_text(stmt, OPCODE);
  const char *p4 = (const char *)sqlite3_column_text(stmt, P4);
  int p2 = sqlite3_column_int(stmt, P2);
  if (opcode == NULL || p4 == NULL || look->expected == NULL) return;
  if (strcmp(opcode, "String8") == 0 && p2 >= 0 && p2 < REGISTERS_MAX) {
    look->is_expected[p2] = strcmp(p4, look->expected) == 0;
  }
}

/* A function reads as many registers from P2 on as P4 says: `substr(3)`. */
static bool is_argument(const struct look *look, const char *p4, int first) {
  const char *bracket = p4 == NULL ? NULL : strchr(p4, '(');
  int count = bracket == NULL ? 1 : atoi(bracket + 1);
  for (int i = 0; i < count; i++) {
    if (is_in(look->is_read, first + i)) return true;
  }
  return false;
}

/* Is the column used with anything but the expected text? */
static bool is_compared(const struct look *look, const struct operation *op,
                        const int *p) {
  bool has_column = (op->p1 && is_in(look->is_read, p[0])) ||
                    (op->p2 && is_in(look->is_read, p[1])) ||
                    (op->p3 && is_in(look->is_read, p[2]));
  bool has_expected = (op->p1 && is_in(look->is_expected, p[0])) ||
                      (op->p3 && is_in(look->is_expected, p[2]));
  return has_column && !has_expected;
}

static void read_operation(sqlite3_stmt *stmt, struct look *look) {
  const char *opcode = (const char *)sqlite3_column_text(stmt, OPCODE);
  const char *p4 = (const char *)sqlite3_column_text(stmt, P4);
  int p[] = {sqlite3_column_int(stmt, P1), sqlite3_column_int(stmt, P2),
             sqlite3_column_int(stmt, P3)};
  if (opcode == NULL) return;
  const struct operation *op = find_operation(opcode);
  if (strcmp(opcode, "VOpen") == 0 && p[0] >= 0 && p[0] < CURSORS_MAX) {
    look->is_ours[p[0]] = p4 != NULL && strcmp(p4, look->table) == 0;
  } else if (strcmp(opcode, "VColumn") == 0 && p[2] >= 0 &&
             p[2] < REGISTERS_MAX) {
    bool is_ours = p[0] >= 0 && p[0] < CURSORS_MAX && look->is_ours[p[0]];
    look->is_read[p[2]] = is_ours && p[1] == look->column;
  } else if (op != NULL && is_compared(look, op, p)) {
    look->is_compared = true;
  } else if (strncmp(opcode, "Function", 8) == 0 ||
             strcmp(opcode, "PureFunc") == 0) {
    if (is_argument(look, p4, p[1])) look->is_compared = true;
  }
}

static void read_program(sqlite3_stmt *stmt, struct look *look) {
  while (stmt != NULL && rtk_probe_step(stmt) == SQLITE_ROW) {
    read_constant(stmt, look);
  }
  if (stmt != NULL) (void)sqlite3_reset(stmt);
  while (stmt != NULL && rtk_probe_step(stmt) == SQLITE_ROW) {
    read_operation(stmt, look);
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

int rtk_program_look(sqlite3 *db, const struct sqlite3_vtab *vtab, int column,
                     const char *expected, bool *is_compared, bool *is_right) {
  struct look *look = sqlite3_malloc64(sizeof(*look));
  sqlite3_stmt *none = NULL;
  *is_compared = *is_right = false;
  for (sqlite3_stmt *s = sqlite3_next_stmt(db, NULL); s != NULL && look != NULL;
       s = sqlite3_next_stmt(db, s)) {
    if (!sqlite3_stmt_busy(s)) continue;
    memset(look, 0, sizeof(*look));
    sqlite3_snprintf((int)sizeof(look->table), look->table, "vtab:%p", vtab);
    look->column = column;
    look->expected = expected;
    sqlite3_stmt *stmt = explain(db, "EXPLAIN ", s);
    read_program(stmt, look);
    (void)sqlite3_finalize(stmt);
    if (look->is_compared) *is_compared = true;
    if (look->is_compared && has_right_join(db, s)) *is_right = true;
  }
  sqlite3_free(look);
  /* What failed here is nobody's error. */
  int rc = sqlite3_prepare_v2(db, " ", -1, &none, NULL);
  return rc == SQLITE_INTERRUPT ? rc : SQLITE_OK;
}
