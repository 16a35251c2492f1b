/*
** One scan of one table: the values of xFilter in, rows out.
*/
#ifndef RTK_CURSOR_H
#define RTK_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

struct rtk_conn;
struct rtk_cursor;
struct rtk_signature;
struct rtk_err;
struct sqlite3_context;
struct sqlite3_value;
struct sqlite3_vtab;

/* `conn`, `signature` and `vtab` are borrowed and must outlive it.  SQLITE_OK
** with *cursor given (free with rtk_cursor_free()), or SQLITE_NOMEM. */
int rtk_cursor_new(struct rtk_conn *conn, const struct rtk_signature *signature,
                   const struct sqlite3_vtab *vtab, struct rtk_cursor **cursor);
void rtk_cursor_free(struct rtk_cursor *cursor);

/* Begins a scan at its first row.  `bits` is the plan's, `argv` its values,
** borrowed for the call.  Both return SQLITE_OK, SQLITE_INTERRUPT,
** SQLITE_NOMEM or SQLITE_ERROR. */
int rtk_cursor_filter(struct rtk_cursor *cursor, int bits,
                      struct sqlite3_value **argv, struct rtk_err *err);
int rtk_cursor_next(struct rtk_cursor *cursor, struct rtk_err *err);

bool rtk_cursor_is_at_end(const struct rtk_cursor *cursor);

/* A column of the current row.  SQLITE_OK; in a collecting run SQLITE_ABORT
** when the run has taken too long: a placeholder row can pass a join condition
** that the real row would fail, so inner loops may run longer than in the real
** statement. */
int rtk_cursor_column(const struct rtk_cursor *cursor,
                      struct sqlite3_context *out, int column);
int64_t rtk_cursor_rowid(const struct rtk_cursor *cursor);

#endif
