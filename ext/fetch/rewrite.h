/*
** The SELECT that is run to collect the ids of a statement.  A statement that
** writes contains one, which asks for the same ids and changes nothing:
**
**     INSERT INTO t SELECT … ON CONFLICT …   SELECT …
**     INSERT INTO t VALUES (…), (…)          VALUES (…), (…)
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

/* Puts a view in front, under whose name the statement then finds it:
**
**     CREATE VIEW v(d) AS SELECT …       WITH RECURSIVE v(d) AS (SELECT …)
**     SELECT d FROM v                    SELECT d FROM v
**
** Returns as rtk_rewrite_select(). */
int rtk_rewrite_inline(const char *sql, const char *view, char **text);

/* Common table expressions with a UNION, which may be recursive:
**
**     WITH c AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) …
**     bound    … (SELECT 1 UNION ALL SELECT i + 1 FROM c LIMIT 10000) …
**     cut      … (SELECT 1) …
**
** A LIMIT that is a smaller number stays.  SQLITE_OK with *text given (free
** with sqlite3_free()); SQLITE_NOTFOUND: another LIMIT, or too many of them;
** SQLITE_NOMEM. */
#define RTK_REWRITE_RECURSIONS "10000"
int rtk_rewrite_bound(const char *sql, char **text);
int rtk_rewrite_cut(const char *sql, char **text);

#endif
