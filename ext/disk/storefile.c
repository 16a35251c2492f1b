/*
** A path into an open SQLite database that is ours: with our application_id, our
** schema and nothing else in it.
**
** A path may be a mistake and name the host's own database.  So nothing is
** locked or read by SQLite before the header says that the file is ours (an empty
** one has none: there the host's connection is asked what it has open), and no
** descriptor of a file that was there is opened and closed by hand: that would
** drop all POSIX locks that this process holds on it.
*/
#include "disk/storefile.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

#define APPLICATION_ID 0x72746b31 /* "rtk1" */
#define SCHEMA_VERSION 1

/* The schema as sqlite_master has to show it, each with its name and the name of
** its table; tables before indexes, as VACUUM leaves them.  Short columns first:
** what follows a long body is slow to reach. */
static const char *const objects[][3] = {
    {"reply", "reply",
     "CREATE TABLE reply(key INTEGER PRIMARY KEY, status INTEGER, life INTEGER,"
     " fetched_ms INTEGER, keep_until_ms INTEGER, url TEXT, body BLOB)"},
    {"blob", "blob", "CREATE TABLE blob(key INTEGER PRIMARY KEY, data BLOB)"},
    {"reply_keep", "reply", "CREATE INDEX reply_keep ON reply(keep_until_ms)"},
};
#define OBJECT_COUNT (sizeof(objects) / sizeof(*objects))

/* --- is it ours? -------------------------------------------------------------- */

/* A name that SQLite takes for nothing but a file's: no URI, no ":memory:".  To
** be freed with sqlite3_free(); NULL: no memory. */
static char *plain_path(const char *path) {
  return sqlite3_mprintf(path[0] == '/' ? "%s" : "./%s", path);
}

/* Is the file a database that the host has open?  Where it may not be asked (an
** authorizer, an interrupt) it is none. */
static int look_at_host(sqlite3 *host, const struct stat *file,
                        const char **why) {
  sqlite3_stmt *list = NULL;
  struct stat other;
  if (host == NULL) return SQLITE_OK;
  int rc = rtk_probe_prepare(host, "PRAGMA database_list", &list);
  while (rc == SQLITE_OK && sqlite3_step(list) == SQLITE_ROW) {
    const char *name = (const char *)sqlite3_column_text(list, 2);
    if (name == NULL || stat(name, &other) != 0) continue;
    if (other.st_dev == file->st_dev && other.st_ino == file->st_ino) {
      *why = "it is a database of this connection; name another file";
    }
  }
  int ended = sqlite3_finalize(list);
  return rc == SQLITE_NOMEM || ended == SQLITE_NOMEM ? SQLITE_NOMEM : SQLITE_OK;
}

/* What SQLite's users write for something that is no file.  NULL: a file. */
static const char *look_at_words(const char *path) {
  if (path[0] == '\0') return "its name is empty; name a file";
  if (strcmp(path, ":memory:") == 0) {
    return "it is no file, and replies are kept in memory without it; name a"
           " file";
  }
  if (strncmp(path, "file:", 5) == 0) {
    return "it is a URI; name the file by its path";
  }
  return NULL;
}

/* What can be told without opening it (a pipe would wait for a writer): *why as
** rtk_storefile_open() has it. */
static int look_at_name(const char *path, sqlite3 *host, bool *is_missing,
                        bool *is_empty, const char **why) {
  struct stat file;
  *is_missing = *is_empty = false;
  if (stat(path, &file) != 0) {
    bool is_none = errno == ENOENT;
    if (is_none && lstat(path, &file) == 0 && S_ISLNK(file.st_mode)) {
      *why = "it is a link to a file that does not exist; name the file";
      return SQLITE_OK;
    }
    *is_missing = is_none;
    if (is_none) return SQLITE_OK;
    *why = strerror(errno);
    return SQLITE_CANTOPEN;
  }
  if (S_ISDIR(file.st_mode))
    *why = "it is a directory; name a file";
  else if (!S_ISREG(file.st_mode))
    *why = "it is not a file; name another one";
  *is_empty = file.st_size == 0;
  if (*why != NULL || !*is_empty) return SQLITE_OK;
  return look_at_host(host, &file, why);
}

static uint32_t read_uint32(const unsigned char *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
         at[3];
}

/* Why the ids do not belong to a cache of ours; NULL: they do. */
static const char *look_at_ids(uint32_t application_id, uint32_t version) {
  if (application_id != APPLICATION_ID) {
    return "it is another database; name another file";
  }
  if (version != SCHEMA_VERSION) {
    return "it was made by another version of rtk; delete it, or name another"
           " file";
  }
  return NULL;
}

/* Reads the database's header past SQLite, which would lock the file and might
** recover or checkpoint its log.  *why is NULL when it is ours. */
static int look_at_header(sqlite3 *db, const char **why) {
  static const char magic[16] = "SQLite format 3";
  unsigned char header[100] = {0};
  sqlite3_file *file = NULL;
  int rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (rc == SQLITE_OK && file->pMethods == NULL) rc = SQLITE_CANTOPEN;
  if (rc != SQLITE_OK) return rc;
  rc = file->pMethods->xRead(file, header, sizeof(header), 0);
  if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ) return rc;
  *why = memcmp(header, magic, sizeof(magic)) != 0
             ? "it is not an SQLite database; name another file"
             : look_at_ids(read_uint32(header + 68), read_uint32(header + 60));
  return SQLITE_OK;
}

/* The ends of the names of the file and of those that SQLite puts beside it. */
static const char *const file_ends[] = {"", "-wal", "-shm", "-journal"};
#define FILE_END_COUNT (sizeof(file_ends) / sizeof(*file_ends))

/* Why this file, the log beside the cache file or the cache file itself, is not to be
** trusted; NULL: it is, or is not there. */
static const char *look_at_mode(const char *name, bool is_log) {
  struct stat file;
  if ((is_log ? lstat(name, &file) : stat(name, &file)) != 0) return NULL;
  if (!S_ISREG(file.st_mode)) return "its log is not a file; name another file";
  if (file.st_uid != geteuid()) {
    return is_log ? "its log belongs to another user; name another file"
                  : "it belongs to another user; name another file";
  }
  if ((file.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return "other users can write to it; chmod 600 it, or name another file";
  }
  return NULL;
}

/* Where others can write to the file, or to SQLite's log of it, its replies are
** whatever they like.  With `is_private` only this user can read it from here on
** (not by fchmod(): see above). */
static int look_at_owner(const char *path, bool is_private, const char **why) {
  size_t size = strlen(path);
  char *name = sqlite3_mprintf("%s-journal", path);
  if (name == NULL) return SQLITE_NOMEM;
  for (size_t i = 0; i < FILE_END_COUNT && *why == NULL; i++) {
    memcpy(name + size, file_ends[i], strlen(file_ends[i]) + 1);
    *why = look_at_mode(name, i > 0);
    if (is_private && *why == NULL) (void)chmod(name, 0600);
  }
  sqlite3_free(name);
  return SQLITE_OK;
}

/* Why no file can be made there; NULL: nothing is known.  Cuts the path. */
static const char *look_at_directory(char *path) {
  struct stat directory;
  int rc = 0;
  do {
    char *end = strrchr(path, '/');
    if (end == NULL) return NULL;
    end[end == path ? 1 : 0] = '\0';
    rc = stat(path, &directory);
  } while (rc != 0 && errno == ENOENT && strcmp(path, "/") != 0);
  if (rc == 0 && access(path, W_OK | X_OK) == 0) return NULL;
  return "it cannot be made there: the directory is not writable";
}

int rtk_storefile_check(const char *path, sqlite3 *host, struct rtk_err *err) {
  sqlite3 *db = NULL;
  const char *why = NULL;
  bool is_missing = false, is_empty = false;
  char *plain = plain_path(path);
  int rc = plain == NULL ? SQLITE_NOMEM : SQLITE_OK;
  if (rc != SQLITE_OK) goto done;
  why = look_at_words(path);
  if (why == NULL) rc = look_at_name(plain, host, &is_missing, &is_empty, &why);
  if (is_missing) {
    why = look_at_directory(plain);
  } else if (rc == SQLITE_OK && why == NULL && !is_empty) {
    rc = sqlite3_open_v2(plain, &db,
                         SQLITE_OPEN_READONLY | SQLITE_OPEN_PRIVATECACHE |
                             SQLITE_OPEN_NOMUTEX,
                         NULL);
    if (rc == SQLITE_OK) rc = look_at_header(db, &why);
  }
  if (rc == SQLITE_OK && why == NULL && !is_missing) {
    rc = look_at_owner(plain, false, &why);
  }
  bool is_nomem = (rc & 0xff) == SQLITE_NOMEM;
  if (rc != SQLITE_OK && why == NULL) why = sqlite3_errstr(rc);
  if (why != NULL && !is_nomem) {
    rc = rtk_err_set(err, "cache_file '%s' cannot be used: %s", path, why);
  }
done:
  (void)sqlite3_close(db);
  sqlite3_free(plain);
  return rc;
}

static int query_int(sqlite3 *db, const char *sql, int64_t *result) {
  sqlite3_stmt *query = NULL;
  int rc = sqlite3_prepare_v2(db, sql, -1, &query, NULL);
  if (rc == SQLITE_OK && sqlite3_step(query) == SQLITE_ROW) {
    *result = sqlite3_column_int64(query, 0);
  }
  int ended = sqlite3_finalize(query);
  return rc == SQLITE_OK ? ended : rc;
}

static bool is_text(sqlite3_stmt *row, int column, const char *expected) {
  const unsigned char *text = sqlite3_column_text(row, column);
  return text != NULL && strcmp((const char *)text, expected) == 0;
}

static const char strange_schema[] =
    "its schema is not that of rtk; delete it, or name another file";

/* Does the schema hold our tables, and nothing that could run?  *count objects
** are ours. */
static int look_at_schema(sqlite3 *db, size_t *count, const char **why) {
  sqlite3_stmt *query = NULL;
  int rc = sqlite3_prepare_v2(
      db, "SELECT name, tbl_name, sql FROM sqlite_master ORDER BY rowid", -1,
      &query, NULL);
  *count = 0;
  while (rc == SQLITE_OK && sqlite3_step(query) == SQLITE_ROW) {
    bool is_ours = *count < OBJECT_COUNT;
    for (int i = 0; is_ours && i < 3; i++) {
      is_ours = is_text(query, i, objects[*count][i]);
    }
    if (!is_ours) {
      rc = sqlite3_errcode(db) == SQLITE_NOMEM ? SQLITE_NOMEM : SQLITE_DONE;
    } else {
      ++*count;
    }
  }
  int ended = sqlite3_finalize(query);
  if (rc == SQLITE_DONE) {
    *why = strange_schema;
    return SQLITE_OK;
  }
  return rc == SQLITE_OK ? ended : rc;
}

/* What the file says of itself when it is read by the rules, its log too.  *why
** is NULL when it is ours, or empty. */
static int look_inside(sqlite3 *db, bool *is_empty, const char **why) {
  int64_t id = 0, version = 0;
  size_t count = 0;
  int rc = query_int(db, "PRAGMA application_id", &id);
  if (rc == SQLITE_OK) rc = query_int(db, "PRAGMA user_version", &version);
  if (rc == SQLITE_OK) rc = look_at_schema(db, &count, why);
  if (rc != SQLITE_OK || *why != NULL) return rc;
  *is_empty = id == 0 && version == 0 && count == 0;
  if (*is_empty) return SQLITE_OK;
  *why = look_at_ids((uint32_t)id, (uint32_t)version);
  if (*why == NULL && count != OBJECT_COUNT) {
    *why = strange_schema;
  }
  return SQLITE_OK;
}

/* --- opening ------------------------------------------------------------------ */

/* Makes the directories above the file that are missing, for nobody but us. */
static int make_directories(const char *path, const char **why) {
  struct stat directory;
  char *name = sqlite3_mprintf("%s", path);
  if (name == NULL) return SQLITE_NOMEM;
  int rc = SQLITE_OK;
  for (char *end = strchr(name + 1, '/'); end != NULL && rc == SQLITE_OK;
       end = strchr(end + 1, '/')) {
    *end = '\0';
    if (stat(name, &directory) != 0 && mkdir(name, 0700) != 0 &&
        errno != EEXIST) {
      *why = strerror(errno);
      rc = SQLITE_CANTOPEN;
    }
    *end = '/';
  }
  sqlite3_free(name);
  return rc;
}

/* Makes the file under another name and links it to its own: the descriptor is
** closed before anybody in this process can have locked the file, and nobody
** ever sees it with another mode.  (A forked process has its parent's random
** numbers, but not its id.) */
static int create_file(const char *path, const char **why) {
  uint32_t random = 0;
  sqlite3_randomness((int)sizeof(random), &random);
  char *made = sqlite3_mprintf("%s-new%ld-%08x", path, (long)getpid(), random);
  if (made == NULL) return SQLITE_NOMEM;
  int file = open(made, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) {
    *why = strerror(errno);
    sqlite3_free(made);
    return SQLITE_CANTOPEN;
  }
  (void)close(file);
  int rc = SQLITE_OK;
  if (link(made, path) == 0 || errno == EEXIST) {
    (void)unlink(made);
  } else if (rename(made, path) != 0) { /* a file system without links */
    *why = strerror(errno);
    rc = SQLITE_CANTOPEN;
    (void)unlink(made);
  }
  sqlite3_free(made);
  return rc;
}

/* No code of the file's can run, and no page is trusted. */
static void restrict_database(sqlite3 *db) {
  static const struct {
    int what, value;
  } settings[] = {
      {SQLITE_DBCONFIG_DEFENSIVE, 1},
      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
      {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
      {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
      {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
  };
  for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
    (void)sqlite3_db_config(db, settings[i].what, settings[i].value, NULL);
  }
  (void)sqlite3_extended_result_codes(db, 1);
  (void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 2 * RTK_STORE_QUEUE_MAX);
}

static int execute(sqlite3 *db, const char *sql) {
  return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* Fills an empty file, unless somebody was faster.  Outside of WAL mode, so that
** the header says whose the file is from the first moment on. */
static int fill(sqlite3 *db, const char **why) {
  bool is_empty = false;
  char ids[80];
  sqlite3_snprintf(sizeof(ids), ids,
                   "PRAGMA application_id = %d; PRAGMA user_version = %d",
                   APPLICATION_ID, SCHEMA_VERSION);
  int rc = execute(db, "BEGIN IMMEDIATE");
  if (rc == SQLITE_OK) rc = look_inside(db, &is_empty, why);
  for (size_t i = 0; is_empty && i < OBJECT_COUNT && rc == SQLITE_OK; i++) {
    rc = execute(db, objects[i][2]);
  }
  if (is_empty && rc == SQLITE_OK) rc = execute(db, ids);
  return rc == SQLITE_OK ? execute(db, "COMMIT") : rc;
}

/* Reads on only as long as the file is ours.  A file can be ours by its header
** and yet empty, when somebody was killed while filling it. */
static int prepare_file(sqlite3 *db, const char *path, bool is_empty,
                        const char **why) {
  int rc = is_empty ? SQLITE_OK : look_at_header(db, why);
  if (rc == SQLITE_OK && *why == NULL) rc = look_at_owner(path, true, why);
  if (rc != SQLITE_OK || *why != NULL) return rc;
  if (sqlite3_db_readonly(db, "main")) {
    *why = "it is read-only";
    return SQLITE_READONLY;
  }
  rc = execute(db, "PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON");
  if (rc == SQLITE_OK && !is_empty) rc = look_inside(db, &is_empty, why);
  if (rc == SQLITE_OK && is_empty) rc = fill(db, why);
  if (rc != SQLITE_OK || *why != NULL) return rc;
  char log[80];
  sqlite3_snprintf(sizeof(log), log, "PRAGMA journal_size_limit = %d",
                   RTK_STORE_LOG_MAX);
  rc = execute(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  return rc == SQLITE_OK ? execute(db, log) : rc;
}

int rtk_storefile_open(const char *path, sqlite3 *host,
                       int (*wait)(void *user, int tries), void *user,
                       sqlite3 **db, const char **why) {
  bool is_missing = false, is_empty = false;
  char *plain = plain_path(path);
  int rc = plain == NULL ? SQLITE_NOMEM : SQLITE_OK;
  *db = NULL;
  *why = NULL;
  if (rc != SQLITE_OK) goto done;
  *why = look_at_words(path);
  if (*why != NULL) goto done;
  rc = look_at_name(plain, host, &is_missing, &is_empty, why);
  if (is_missing) rc = make_directories(plain, why);
  if (is_missing && rc == SQLITE_OK) rc = create_file(plain, why);
  if (rc != SQLITE_OK || *why != NULL) goto done;
  rc = sqlite3_open_v2(plain, db,
                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_PRIVATECACHE |
                           SQLITE_OPEN_NOMUTEX,
                       NULL);
  if (rc == SQLITE_OK) {
    restrict_database(*db);
    (void)sqlite3_busy_handler(*db, wait, user);
    rc = prepare_file(*db, plain, is_missing || is_empty, why);
  }
  if ((rc & 0xff) == SQLITE_BUSY && is_empty) {
    *why = "it is empty, and another connection or process keeps it locked";
  }
done:
  sqlite3_free(plain);
  return rc;
}
