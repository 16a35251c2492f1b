/*
** The SELECT that a writing statement contains, for a collecting run: it asks
** for the same ids and changes nothing.
**
**     INSERT INTO t SELECT … ON CONFLICT …   SELECT …
**     CREATE TABLE t AS SELECT …             SELECT …
**     UPDATE t SET a = x FROM u WHERE y      SELECT x FROM t, u WHERE y
**     DELETE FROM t WHERE y                  SELECT 1 FROM t WHERE y
**
** A WITH in front stays in front.  The text is split at the words outside all
** brackets.  It need not be understood: what is split wrongly cannot be
** prepared, and rows never come from it.
*/
#ifndef RTK_REWRITE_H
#define RTK_REWRITE_H

/* SQLITE_OK with *select given (free with sqlite3_free()); SQLITE_NOTFOUND:
** there is no SELECT in the statement; SQLITE_NOMEM. */
int rtk_rewrite_select(const char *sql, char **select);

#endif
