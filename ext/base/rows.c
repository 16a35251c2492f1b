/* Cells of a table that is made whole before its first row is read. */
#include "base/rows.h"

#include "base/array.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

static void free_cell(struct rtk_value *cell) {
  if (cell->type == RTK_TEXT) sqlite3_free((char *)cell->as.text);
}

/* Takes the cell's text. */
static void add(struct rtk_rows *rows, struct rtk_value cell) {
  struct rtk_value *items =
      rtk_array_grow(rows->items, &rows->room, rows->count + 1, sizeof(cell));
  if (items != NULL) rows->items = items;
  if (items == NULL) rows->is_nomem = true;
  if (rows->is_nomem) {
    free_cell(&cell);
  } else {
    items[rows->count++] = cell;
  }
}

void rtk_rows_null(struct rtk_rows *rows) {
  add(rows, (struct rtk_value){.type = RTK_NULL});
}

void rtk_rows_integer(struct rtk_rows *rows, int64_t integer) {
  add(rows, (struct rtk_value){.type = RTK_INTEGER, .as.integer = integer});
}

void rtk_rows_text(struct rtk_rows *rows, const char *text) {
  char *copy = text == NULL ? NULL : sqlite3_mprintf("%s", text);
  if (text != NULL && copy == NULL) rows->is_nomem = true;
  rtk_rows_take(rows, copy);
}

void rtk_rows_take(struct rtk_rows *rows, char *text) {
  struct rtk_value cell = {.type = RTK_NULL};
  if (text != NULL) {
    cell = (struct rtk_value){
        .type = RTK_TEXT, .size = (uint32_t)strlen(text), .as.text = text};
  }
  add(rows, cell);
}

void rtk_rows_clear(struct rtk_rows *rows) {
  for (size_t i = 0; i < rows->count; i++) free_cell(&rows->items[i]);
  sqlite3_free(rows->items);
  *rows = (struct rtk_rows){0};
}
