/*
** Opens the cache file safely: a path becomes an open database that has our
** application_id, our schema and nothing else in it.
**
** The path may be a mistake and name the host's own database, with the host in
** the middle of a transaction.  To open it as usual and look would do harm:
** SQLite would take locks and might recover its log, and a descriptor that is
** opened and closed by hand drops all POSIX locks that this process holds on
** the file.  So the file is examined from the outside in, and each step is
** taken only when the one before found nothing wrong:
**
**   the path    no URI and not ":memory:"               touches nothing
**   the name    a regular file, or missing              stat()
**   the host    an empty file is none of its databases  PRAGMA database_list
**   the header  our application_id and version          100 bytes, no lock
**   the owner   only we can write to it and to its log  stat(), chmod()
**   inside      the schema is ours, by the log too      SQLite, with locks
*/
#include "disk/openfile.h"

#include "base/err.h"
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
#define SCHEMA_VERSION 2
#define VALUE_MAX 8388608 /* bytes: twice the longest reply that is kept */

/* As sqlite_master shows it: tables before indexes, as VACUUM leaves them.
** Short columns first: what follows a long body is slow to reach.  The key, a
** hash, is not the rowid: replies written together lie together, so that a join
** that reads them in that order reads each page of the file once. */
static const char schema[] =
    "CREATE TABLE reply(key INTEGER, status INTEGER, life INTEGER,"
    " fetched_ms INTEGER, keep_until_ms INTEGER, url TEXT, body BLOB);"
    "CREATE TABLE blob(key INTEGER PRIMARY KEY, data BLOB);"
    "CREATE TABLE lease(budget INTEGER, pid INTEGER, connection INTEGER,"
    " in_flight INTEGER, until_ms INTEGER,"
    " PRIMARY KEY(budget, pid, connection)) WITHOUT ROWID;"
    "CREATE UNIQUE INDEX reply_key ON reply(key);"
    "CREATE INDEX reply_keep ON reply(keep_until_ms)";

/* A file that may turn out to be no cache file. */
struct candidate {
  char *path; /* a name that SQLite takes for a file only; ours */
  sqlite3 *host;
  sqlite3 *db; /* NULL: not open */
  bool is_missing, is_empty;
  const char *why; /* it cannot be used; NULL: nothing is wrong so far */
};

/* --- from the outside ----------------------------------------------------- */

/* What users of SQLite write for something that is no file.  NULL: a file. */
static const char *look_at_path(const char *path) {
  if (strcmp(path, ":memory:") == 0) {
    return "it is no file, and replies are kept in memory without it; name a"
           " file";
  }
  if (strncmp(path, "file:", 5) == 0) {
    return "it is a URI; name the file by its path";
  }
  if (path[0] == '~') {
    return "only a shell expands ~, and not within quotes; write the whole "
           "path";
  }
  return NULL;
}

/* Is the file a database that the host has open?  A host that cannot be asked
** (an authorizer, an interrupt) has none. */
static int look_at_host(struct candidate *file, const struct stat *self) {
  sqlite3_stmt *list = NULL;
  struct stat other;
  if (file->host == NULL) return SQLITE_OK;
  int rc = rtk_probe_prepare(file->host, "PRAGMA database_list", &list);
  while (rc == SQLITE_OK && sqlite3_step(list) == SQLITE_ROW) {
    const char *name = (const char *)sqlite3_column_text(list, 2);
    if (name == NULL || stat(name, &other) != 0) continue;
    if (other.st_dev == self->st_dev && other.st_ino == self->st_ino) {
      file->why = "it is a database of this connection; name another file";
    }
  }
  int ended = sqlite3_finalize(list);
  return rc == SQLITE_NOMEM || ended == SQLITE_NOMEM ? SQLITE_NOMEM : SQLITE_OK;
}

/* What can be told without opening it: to open a pipe would wait for a
** writer. */
static int look_at_name(struct candidate *file) {
  struct stat self;
  if (stat(file->path, &self) != 0) {
    if (errno != ENOENT) {
      file->why = strerror(errno);
      return SQLITE_CANTOPEN;
    }
    file->is_missing = lstat(file->path, &self) != 0;
    if (!file->is_missing) {
      file->why = "it is a link to a file that does not exist; name the file";
    }
    return SQLITE_OK;
  }
  file->is_empty = self.st_size == 0;
  if (S_ISDIR(self.st_mode)) {
    file->why = "it is a directory; name a file";
  } else if (!S_ISREG(self.st_mode)) {
    file->why = "it is not a file; name another one";
  } else if (file->is_empty) {
    return look_at_host(file, &self);
  }
  return SQLITE_OK;
}

/* Fills in the candidate.  As rtk_openfile_open() has it. */
static int look_from_outside(struct candidate *file, const char *path,
                             sqlite3 *host) {
  *file = (struct candidate){.host = host, .why = look_at_path(path)};
  file->path = sqlite3_mprintf(path[0] == '/' ? "%s" : "./%s", path);
  if (file->path == NULL) return SQLITE_NOMEM;
  return file->why == NULL ? look_at_name(file) : SQLITE_OK;
}

static int open_database(struct candidate *file, int flags) {
  return sqlite3_open_v2(file->path, &file->db,
                         flags | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_NOMUTEX,
                         NULL);
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

static uint32_t read_uint32(const unsigned char *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
         at[3];
}

/* Reads the header through SQLite's descriptor, yet not by SQLite, which would
** lock the file. */
static int look_at_header(struct candidate *file) {
  static const char magic[16] = "SQLite format 3";
  unsigned char header[100] = {0};
  sqlite3_file *opened = NULL;
  int rc = sqlite3_file_control(file->db, "main", SQLITE_FCNTL_FILE_POINTER,
                                &opened);
  if (rc == SQLITE_OK && opened->pMethods == NULL) rc = SQLITE_CANTOPEN;
  if (rc != SQLITE_OK) return rc;
  rc = opened->pMethods->xRead(opened, header, sizeof(header), 0);
  if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ) return rc;
  file->why =
      memcmp(header, magic, sizeof(magic)) != 0
          ? "it is not an SQLite database; name another file"
          : look_at_ids(read_uint32(header + 68), read_uint32(header + 60));
  return SQLITE_OK;
}

/* Why the cache file, or a file that SQLite puts beside it, is not to be
** trusted; NULL: it is, or there is none. */
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

/* Others who can write to the file or its log decide what its replies say.
** With `is_private` only this user can read it from here on. */
static int look_at_owner(struct candidate *file, bool is_private) {
  static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
  for (size_t i = 0; i < sizeof(ends) / sizeof(*ends) && file->why == NULL;
       i++) {
    char *name = sqlite3_mprintf("%s%s", file->path, ends[i]);
    if (name == NULL) return SQLITE_NOMEM;
    file->why = look_at_mode(name, i > 0);
    if (is_private && file->why == NULL) (void)chmod(name, 0600);
    sqlite3_free(name);
  }
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

int rtk_openfile_check(const char *path, sqlite3 *host, struct rtk_err *err) {
  struct candidate file;
  int rc = look_from_outside(&file, path, host);
  bool is_there = rc == SQLITE_OK && file.why == NULL && !file.is_missing;
  if (file.is_missing) file.why = look_at_directory(file.path);
  if (is_there && !file.is_empty) {
    rc = open_database(&file, SQLITE_OPEN_READONLY);
    if (rc == SQLITE_OK) rc = look_at_header(&file);
  }
  if (is_there && rc == SQLITE_OK) rc = look_at_owner(&file, false);
  if (rc != SQLITE_OK && file.why == NULL) file.why = sqlite3_errstr(rc);
  rc &= 0xff;
  if (rc != SQLITE_NOMEM && file.why != NULL) {
    rc = rtk_err_set(err, "cache_file '%s' cannot be used: %s", path, file.why);
  }
  (void)sqlite3_close(file.db);
  sqlite3_free(file.path);
  return rc;
}

/* --- opening -------------------------------------------------------------- */

/* Makes the directories above the file that are missing, for nobody but us. */
static int make_directories(struct candidate *file) {
  struct stat directory;
  for (char *end = strchr(file->path + 1, '/'); end != NULL;
       end = strchr(end + 1, '/')) {
    *end = '\0';
    bool is_made = stat(file->path, &directory) == 0 ||
                   mkdir(file->path, 0700) == 0 || errno == EEXIST;
    *end = '/';
    if (is_made) continue;
    file->why = strerror(errno);
    return SQLITE_CANTOPEN;
  }
  return SQLITE_OK;
}

/* Makes the file under another name and links it to its own: the descriptor is
** closed before anybody in this process can have locked the file, and nobody
** ever sees it with another mode.  (A forked process has its parent's random
** numbers, but not its id.) */
static int create_file(struct candidate *file) {
  uint32_t random = 0;
  sqlite3_randomness((int)sizeof(random), &random);
  char *made =
      sqlite3_mprintf("%s-new%ld-%08x", file->path, (long)getpid(), random);
  if (made == NULL) return SQLITE_NOMEM;
  int opened = open(made, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  bool is_made = opened >= 0 && close(opened) == 0;
  if (is_made && link(made, file->path) != 0 && errno != EEXIST) {
    is_made = rename(made, file->path) == 0; /* a file system without links */
  }
  if (!is_made) file->why = strerror(errno);
  if (opened >= 0) (void)unlink(made);
  sqlite3_free(made);
  return is_made ? SQLITE_OK : SQLITE_CANTOPEN;
}

/* No code in the file can run, and no page is trusted. */
static void restrict_database(sqlite3 *db) {
  static const int settings[][2] = {
      {SQLITE_DBCONFIG_DEFENSIVE, 1},
      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
      {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
      {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
      {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
  };
  for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
    (void)sqlite3_db_config(db, settings[i][0], settings[i][1], NULL);
  }
  (void)sqlite3_extended_result_codes(db, 1);
  (void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, VALUE_MAX);
}

static int execute(sqlite3 *db, const char *sql) {
  return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* What the file says of itself when SQLite reads it, its log too. */
static int look_inside(struct candidate *file) {
  static const char sql[] = "SELECT application_id, user_version, count(name),"
                            " group_concat(sql, ';') = ?1"
                            " FROM pragma_application_id, pragma_user_version "
                            "LEFT JOIN sqlite_master";
  sqlite3_stmt *query = NULL;
  int rc = sqlite3_prepare_v2(file->db, sql, -1, &query, NULL);
  if (rc == SQLITE_OK) {
    rc = sqlite3_bind_text(query, 1, schema, -1, SQLITE_STATIC);
  }
  if (rc == SQLITE_OK && sqlite3_step(query) == SQLITE_ROW) {
    uint32_t id = (uint32_t)sqlite3_column_int(query, 0);
    uint32_t version = (uint32_t)sqlite3_column_int(query, 1);
    file->is_empty =
        id == 0 && version == 0 && sqlite3_column_int(query, 2) == 0;
    if (!file->is_empty) file->why = look_at_ids(id, version);
    if (!file->is_empty && file->why == NULL &&
        sqlite3_column_int(query, 3) == 0) {
      file->why =
          "its schema is not that of rtk; delete it, or name another file";
    }
  }
  int ended = sqlite3_finalize(query);
  return rc == SQLITE_OK ? ended : rc;
}

/* Fills an empty file, unless another process was faster.  Before WAL mode, so
** that the header has our ids from the first moment on. */
static int fill(struct candidate *file) {
  char ids[80];
  sqlite3_snprintf(sizeof(ids), ids,
                   "PRAGMA application_id = %d; PRAGMA user_version = %d",
                   APPLICATION_ID, SCHEMA_VERSION);
  int rc = execute(file->db, "BEGIN IMMEDIATE");
  if (rc == SQLITE_OK) rc = look_inside(file);
  if (rc == SQLITE_OK && file->is_empty) rc = execute(file->db, schema);
  if (rc == SQLITE_OK && file->is_empty) rc = execute(file->db, ids);
  return rc == SQLITE_OK ? execute(file->db, "COMMIT") : rc;
}

/* Looks on only as long as the file is ours.  A file can be ours by its header
** and yet empty, when a process was killed while filling it. */
static int prepare_database(struct candidate *file) {
  bool has_header = !file->is_missing && !file->is_empty;
  int rc = has_header ? look_at_header(file) : SQLITE_OK;
  if (rc == SQLITE_OK && file->why == NULL) rc = look_at_owner(file, true);
  if (rc != SQLITE_OK || file->why != NULL) return rc;
  if (sqlite3_db_readonly(file->db, "main")) {
    file->why = "it is read-only";
    return SQLITE_READONLY;
  }
  rc = execute(file->db, "PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON");
  if (rc == SQLITE_OK && has_header) rc = look_inside(file);
  if (rc == SQLITE_OK && (!has_header || file->is_empty)) rc = fill(file);
  if (rc != SQLITE_OK || file->why != NULL) return rc;
  /* The log is cut back to 4 MiB. */
  return execute(file->db,
                 "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                 "PRAGMA journal_size_limit = 4194304");
}

int rtk_openfile_open(const char *path, sqlite3 *host,
                      int (*wait)(void *user, int tries), void *user,
                      sqlite3 **db, const char **why) {
  struct candidate file;
  int rc = look_from_outside(&file, path, host);
  if (rc == SQLITE_OK && file.why == NULL && file.is_missing) {
    rc = make_directories(&file);
    if (rc == SQLITE_OK) rc = create_file(&file);
  }
  if (rc == SQLITE_OK && file.why == NULL) {
    rc = open_database(&file, SQLITE_OPEN_READWRITE);
    if (rc == SQLITE_OK) {
      restrict_database(file.db);
      (void)sqlite3_busy_handler(file.db, wait, user);
      rc = prepare_database(&file);
    }
  }
  sqlite3_free(file.path);
  *db = file.db;
  *why = file.why;
  return rc;
}
