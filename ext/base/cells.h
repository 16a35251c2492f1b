/*
** The cells of a table that is made whole before its first row is read: that of
** a check, of the settings, of the statistics.
*/
#ifndef RTK_CELLS_H
#define RTK_CELLS_H

#include "base/value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Begins as {0}.  Cells follow one another, row after row; the reader knows how
** many make a row. */
struct rtk_cells {
  struct rtk_value *items; /* owned, their texts too */
  size_t count, room;
  bool is_nomem;
};

/* Each adds one cell.  When memory runs out `is_nomem` is set and every later
** cell is left out: it is enough to look at the end. */
void rtk_cells_null(struct rtk_cells *cells);
void rtk_cells_integer(struct rtk_cells *cells, int64_t integer);
void rtk_cells_text(struct rtk_cells *cells, const char *text); /* copied */

/* The same with text from sqlite3_malloc(), which is taken.  In both, NULL
** gives SQL's NULL. */
void rtk_cells_take(struct rtk_cells *cells, char *text);

/* One cell, or another value, as the result of a column. */
static inline void rtk_cells_result(sqlite3_context *out,
                                    const struct rtk_value *value) {
  switch (value->type) {
  case RTK_NULL:
    sqlite3_result_null(out);
    break;
  case RTK_INTEGER:
    sqlite3_result_int64(out, value->as.integer);
    break;
  case RTK_REAL:
    sqlite3_result_double(out, value->as.real);
    break;
  case RTK_TEXT:
    sqlite3_result_text(out, value->as.text, (int)value->size,
                        SQLITE_TRANSIENT);
    break;
  }
}

/* Frees all memory; then there are no cells. */
void rtk_cells_clear(struct rtk_cells *cells);

#endif
