/*
** A path into an open SQLite database that is ours.
*/
#ifndef RTK_STOREFILE_H
#define RTK_STOREFILE_H

struct rtk_err;
struct sqlite3;

/* SQLITE_OK when the file is missing in a folder that exists, empty, or ours;
** else SQLITE_ERROR and why not, or SQLITE_NOMEM.  Looks at 100 bytes only, takes
** no lock and changes nothing. */
int rtk_storefile_check(const char *path, struct rtk_err *err);

/* Opens the file, and creates it with mode 0600 where there is none.  SQLITE_OK
** with *why NULL: it has the tables
**
**   reply(key INTEGER PRIMARY KEY, status, life, fetched_ms, keep_until_ms, url,
**         body), with an index on keep_until_ms
**   blob(key INTEGER PRIMARY KEY, data)
**
** SQLITE_OK with *why set (borrowed until the next call): the file is not to be
** used.  Else an extended result code of SQLite.  In any case *db, which may be
** NULL, is given: close it with sqlite3_close(). */
int rtk_storefile_open(const char *path, struct sqlite3 **db, const char **why);

#endif
