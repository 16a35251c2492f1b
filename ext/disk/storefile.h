/*
** A path into an open SQLite database that is ours.
*/
#ifndef RTK_STOREFILE_H
#define RTK_STOREFILE_H

struct rtk_err;
struct sqlite3;

/* SQLITE_OK when the file is missing where it can be made, empty and no database
** of `host` (may be NULL), or ours; and nobody but this user can write to it.  Else
** SQLITE_ERROR and why not, or SQLITE_NOMEM.  ":memory:" and a URI are no file.
** Looks at 100 bytes only, takes no lock and changes nothing. */
int rtk_storefile_check(const char *path, struct sqlite3 *host,
                        struct rtk_err *err);

/* Opens the file.  Where there is none it is created, and directories above it that
** are missing, for this user alone (0600, 0700); a file of ours that others can
** read gets that mode too.  SQLITE_OK with *why NULL: it has the tables
**
**   reply(key INTEGER PRIMARY KEY, status, life, fetched_ms, keep_until_ms, url,
**         body), with an index on keep_until_ms
**   blob(key INTEGER PRIMARY KEY, data)
**
** SQLITE_OK with *why set (borrowed until the next call): the file is not to be
** used for good; *why says what to do.  Else an extended result code of SQLite, and
** in *why better words for it, or NULL.  SQLITE_BUSY with words: the file is empty.
** `wait` is the database's busy handler from the first moment on.  In any case
** *db, which may be NULL, is given: close it with sqlite3_close(). */
int rtk_storefile_open(const char *path, struct sqlite3 *host,
                       int (*wait)(void *user, int tries), void *user,
                       struct sqlite3 **db, const char **why);

#endif
