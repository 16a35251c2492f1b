/* Cells of a table that is made whole before its first row is read. */
#include "base/cells.h"

#include "base/array.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

static void free_cell(struct rtk_value *cell) {
  if (cell->type == RTK_TEXT) sqlite3_free((char *)cell->as.text);
}

/* Takes the cell's text. */
static void add(struct rtk_cells *cells, struct rtk_value cell) {
  struct rtk_value *items = rtk_array_grow(cells->items, &cells->room,
                                           cells->count + 1, sizeof(cell));
  if (items != NULL) cells->items = items;
  if (items == NULL) cells->is_nomem = true;
  if (cells->is_nomem) {
    free_cell(&cell);
  } else {
    items[cells->count++] = cell;
  }
}

void rtk_cells_null(struct rtk_cells *cells) {
  add(cells, (struct rtk_value){.type = RTK_NULL});
}

void rtk_cells_integer(struct rtk_cells *cells, int64_t integer) {
  add(cells, (struct rtk_value){.type = RTK_INTEGER, .as.integer = integer});
}

void rtk_cells_text(struct rtk_cells *cells, const char *text) {
  char *copy = text == NULL ? NULL : sqlite3_mprintf("%s", text);
  if (text != NULL && copy == NULL) cells->is_nomem = true;
  rtk_cells_take(cells, copy);
}

void rtk_cells_take(struct rtk_cells *cells, char *text) {
  struct rtk_value cell = {.type = RTK_NULL};
  if (text != NULL) {
    cell = (struct rtk_value){
        .type = RTK_TEXT, .size = (uint32_t)strlen(text), .as.text = text};
  }
  add(cells, cell);
}

void rtk_cells_clear(struct rtk_cells *cells) {
  for (size_t i = 0; i < cells->count; i++) free_cell(&cells->items[i]);
  sqlite3_free(cells->items);
  *cells = (struct rtk_cells){0};
}
