/*
** Gives one statement the values of another's parameters.  SQLite has no
** function that reads them, but it shows the text of a statement with its
** values in it, sqlite3_expanded_sql():
**
**     the text   SELECT … WHERE n > -?1 AND s = :s -- ?
**     as shown   SELECT … WHERE n > --5 AND s = 'it''s' -- ?
**
** The shown text cannot be run in its place: `--5` begins a comment.  Between
** the parameters both are the same, so what stands in the place of a parameter
** is its value: -5, 'it''s'.
**
** The values are as good as SQLite shows them, which is good enough to foretell
** requests and not for rows:
**   - A real has 15 digits.  0.1 + 0.2 comes as 0.3, and nothing in the text
**     tells that it was another.  JavaScript's numbers are all reals, so to
**     refuse them would be to refuse nearly all.
**   - A text ends at its first NUL byte.
**   - A pointer is NULL.
** sqlite3_transfer_bindings() would hand on the values themselves, but many
** hosts are built without it (SQLITE_OMIT_DEPRECATED), and it makes SQLite fail
** the statement that runs when its plan depends on a parameter, as with LIKE ?.
*/
#ifndef RTK_PARAMETERS_H
#define RTK_PARAMETERS_H

#include "base/value.h"

struct sqlite3_stmt;

/* Texts that parameters may have: account, app and id of the call at hand.
** better-sqlite3 shows only the first 32 bytes of a text, and an app id has 36.
** What is shown in part is the known text that begins so and is as long. */
struct rtk_parameters_known {
  const struct rtk_text *texts; /* borrowed; one without bytes is none */
  int count;
};

/* *values is a query of the values, (index, value) in each row; free it with
** sqlite3_free(); NULL: the statement has no parameters.  SQLITE_NOTFOUND: a
** value is not shown in full, or is none of NULL, a number, a text and a blob;
** SQLITE_NOMEM. */
int rtk_parameters_read(struct sqlite3_stmt *stmt,
                        const struct rtk_parameters_known *known,
                        char **values);

/* The same, from the text that sqlite3_expanded_sql() gave. */
int rtk_parameters_read_shown(struct sqlite3_stmt *stmt, const char *shown,
                              const struct rtk_parameters_known *known,
                              char **values);

/* Binds the values to the parameters of `to` that have these indices; those
** that it lacks are left out.  SQLITE_OK or SQLite's code. */
int rtk_parameters_bind(const char *values, struct sqlite3_stmt *to);

#endif
