/* Opens the cache file safely: a path may be a mistake. */
#ifndef RTK_OPENFILE_H
#define RTK_OPENFILE_H

struct rtk_err;
struct sqlite3;

/* Can this be the cache file?  SQLITE_OK when the file is ours, empty and no
** database of `host` (may be NULL), or missing where it can be made, and nobody
** but this user can write to it.  Else SQLITE_ERROR and why not, or
** SQLITE_NOMEM.  Reads at most 100 bytes, takes no lock and changes nothing. */
int rtk_openfile_check(const char *path, struct sqlite3 *host,
                       struct rtk_err *err);

/* Opens the file.  A missing one is created, with the directories above it, for
** this user alone (0600, 0700); a file of ours that others can read gets that
** mode too.  The database then has the tables
**
**   reply(key INTEGER, status, life, fetched_ms, keep_until_ms, url, body),
**         with a unique index on key and an index on keep_until_ms
**   blob(key INTEGER PRIMARY KEY, data)
**   lease(budget, pid, connection, in_flight, until_ms), one row for each
**         connection with requests in flight
**
** Three results:
**   SQLITE_OK, *why NULL    it is open
**   SQLITE_OK, *why set     never use this file; *why says what to do
**   an extended error code  *why has better words for it, or is NULL
**
** *why is borrowed until the next call.  *db is given in any case and may be
** NULL: close it with sqlite3_close().  `wait` is the database's busy handler
** from the first moment on. */
int rtk_openfile_open(const char *path, struct sqlite3 *host,
                      int (*wait)(void *user, int tries), void *user,
                      struct sqlite3 **db, const char **why);

#endif
