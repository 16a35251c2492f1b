/* Rows of values, made whole before the first one is read. */
#include "base/rows.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

static void free_cell(struct rtk_value *cell) {
  if (cell->type == RTK_TEXT) sqlite3_free((char *)cell->as.text);
}

/* Takes the cell's text. */
static void add(struct rtk_rows *rows, struct rtk_value cell) {
  if (!rows->is_nomem && rows->count == rows->room) {
    size_t room = rows->room == 0 ? 32 : rows->room * 2;
    struct rtk_value *cells =
        sqlite3_realloc64(rows->cells, room * sizeof(*cells));
    rows->is_nomem = cells == NULL;
    if (cells != NULL) {
      rows->cells = cells;
      rows->room = room;
    }
  }
  if (rows->is_nomem) {
    free_cell(&cell);
  } else {
    rows->cells[rows->count++] = cell;
  }
}

void rtk_rows_null(struct rtk_rows *rows) {
  add(rows, (struct rtk_value){.type = RTK_NULL});
}

void rtk_rows_integer(struct rtk_rows *rows, int64_t integer) {
  add(rows, (struct rtk_value){.type = RTK_INTEGER, .as.integer = integer});
}

void rtk_rows_real(struct rtk_rows *rows, double real) {
  add(rows, (struct rtk_value){.type = RTK_REAL, .as.real = real});
}

void rtk_rows_text(struct rtk_rows *rows, const char *text) {
  char *copy = text == NULL ? NULL : sqlite3_mprintf("%s", text);
  if (text != NULL && copy == NULL) rows->is_nomem = true;
  rtk_rows_take(rows, copy);
}

void rtk_rows_take(struct rtk_rows *rows, char *text) {
  if (text == NULL) {
    rtk_rows_null(rows);
    return;
  }
  add(rows, (struct rtk_value){.type = RTK_TEXT,
                               .size = (uint32_t)strlen(text),
                               .as.text = text});
}

void rtk_rows_clear(struct rtk_rows *rows) {
  for (size_t i = 0; i < rows->count; i++) free_cell(&rows->cells[i]);
  sqlite3_free(rows->cells);
  *rows = (struct rtk_rows){0};
}
