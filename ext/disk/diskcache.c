/*
** Replies by URL, small blobs, and leases (requests in flight) as rows of the
** cache file.  What a reply or a blob means is not known here.
**
**   put(url, reply) --> queue --flush, edit--> one transaction --> file
**   get(url) <-- read transaction, shared for 20 ms <------------- file
**
** Writes are queued because a transaction costs more than a hundred rows in it.
** In WAL mode readers and the one writer do not stop each other.  A read costs
** locks, so look-ups that follow each other share one read transaction; but one
** left open would keep the log from being reset, so it ends soon, and before
** any wait.
**
** The file is in one of four states:
**
**   none --use(path)--> not opened --first use--> in use
**                          ^                        |
**                          |       an error that is no lock, or 10 s of locks
**                          |                        v
**                          +-- a minute later, -- passed over: nothing is read
**                              or it is deleted   or written any more
*/
#include "disk/diskcache.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "disk/openfile.h"
#include "net/cancel.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

enum statement {
  BEGIN_READ,
  BEGIN,
  COMMIT,
  ROLLBACK,
  GET,
  PUT,
  SWEEP,
  READ_BLOB,
  WRITE_BLOB,
  READ_LEASES,
  EXPIRE_LEASES,
  WRITE_LEASE,
  CLEAR,
  COUNT,
  STATEMENT_COUNT
};

static const char *const statements[STATEMENT_COUNT] = {
    [BEGIN_READ] = "BEGIN",
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [GET] = "SELECT status, life, fetched_ms, keep_until_ms, body FROM reply"
            " WHERE key = ?1 AND url = ?2 AND keep_until_ms > ?3",
    [PUT] = "REPLACE INTO reply(key, status, life, fetched_ms, keep_until_ms,"
            " url, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [SWEEP] = "DELETE FROM reply WHERE rowid IN (SELECT rowid FROM reply"
              " WHERE keep_until_ms <= ?1 ORDER BY keep_until_ms LIMIT ?2)",
    [READ_BLOB] = "SELECT data FROM blob WHERE key = ?1",
    [WRITE_BLOB] = "REPLACE INTO blob(key, data) VALUES(?1, ?2)",
    [READ_LEASES] = "SELECT pid, connection, in_flight, until_ms FROM lease"
                    " WHERE budget = ?1",
    [EXPIRE_LEASES] = "DELETE FROM lease WHERE budget = ?1 AND until_ms < ?2",
    [WRITE_LEASE] = "REPLACE INTO lease(budget, pid, connection, in_flight,"
                    " until_ms) VALUES(?1, ?2, ?3, ?4, ?5)",
    [CLEAR] = "DELETE FROM reply WHERE status <> 0",
    [COUNT] = "SELECT count(*) FROM reply WHERE status <> 0",
};

/* ms that a write waits for a lock, and a read: readers meet none but for
** moments, and a reply that is not read costs a request. */
#define WRITE_LOCK_MS 50
#define READ_LOCK_MS 2000
#define LOCK_POLL_MS 2

/* A lock that another process or connection holds. */
struct lock {
  int64_t since_ms; /* when it was first met; 0: it is free */
  int64_t retry_ms; /* no try before that */
};

/* A reply that waits to be written, its URL and body behind it. */
struct queued {
  struct queued *next;
  size_t size; /* bytes of memory */
  const char *url;
  const char *body;
  size_t body_size;
  int status, life;
  int64_t fetched_ms, keep_until_ms;
};

struct rtk_diskcache {
  sqlite3 *host;
  char *path;  /* NULL: none */
  sqlite3 *db; /* NULL: not open */
  sqlite3_stmt *statements[STATEMENT_COUNT];
  struct lock reading, writing;
  struct rtk_cancel cancel;
  bool is_closing;       /* the host may not be asked any more */
  int wait_left_ms;      /* for locks, within one call */
  int64_t read_since_ms; /* when the read that is open began */

  bool is_passed_over;
  bool is_permanent; /* until the file is gone; else until retry_ms: */
  int64_t retry_ms;
  char why[RTK_DISKCACHE_WHY_MAX]; /* it was last passed over, and what to do */
  void (*warn)(void *user, const char *path, const char *why); /* or NULL */
  void *warn_user;

  struct queued *first, *last;
  size_t queue_bytes;

  char *copy; /* of the last body or blob that was read */
  size_t copy_room;
};

/* --- the queue ------------------------------------------------------------ */

static void drop_first(struct rtk_diskcache *disk) {
  struct queued *queued = disk->first;
  disk->first = queued->next;
  if (disk->first == NULL) disk->last = NULL;
  disk->queue_bytes -= queued->size;
  sqlite3_free(queued);
}

static void drop_queue(struct rtk_diskcache *disk) {
  while (disk->first != NULL) drop_first(disk);
}

static struct queued *make_queued(const char *url,
                                  const struct rtk_disk_reply *reply) {
  size_t url_size = strlen(url) + 1;
  size_t size = sizeof(struct queued) + url_size + reply->body_size;
  struct queued *made = sqlite3_malloc64(size);
  if (made == NULL) return NULL;
  char *url_copy = (char *)(made + 1);
  memcpy(url_copy, url, url_size);
  char *body_copy = url_copy + url_size;
  if (reply->body_size > 0) memcpy(body_copy, reply->body, reply->body_size);
  bool is_ever = reply->keep_ms > INT64_MAX - reply->fetched_ms;
  *made = (struct queued){.size = size,
                          .url = url_copy,
                          .body = body_copy,
                          .body_size = reply->body_size,
                          .status = reply->status,
                          .life = reply->life,
                          .fetched_ms = reply->fetched_ms};
  made->keep_until_ms =
      is_ever ? INT64_MAX : reply->fetched_ms + reply->keep_ms;
  return made;
}

static void append(struct rtk_diskcache *disk, struct queued *queued) {
  *(disk->last == NULL ? &disk->first : &disk->last->next) = queued;
  disk->last = queued;
  disk->queue_bytes += queued->size;
}

/* --- what becomes of the file --------------------------------------------- */

static void close_file(struct rtk_diskcache *disk) {
  for (int i = 0; i < STATEMENT_COUNT; i++) {
    (void)sqlite3_finalize(disk->statements[i]);
    disk->statements[i] = NULL;
  }
  (void)sqlite3_close(disk->db);
  disk->db = NULL;
}

/* What to do about a file that failed with this code. */
static const struct trouble {
  int code;
  bool is_permanent; /* only another file helps */
  const char *advice;
} troubles[] = {
    {SQLITE_CORRUPT, true, "delete it, or name another file"},
    {SQLITE_NOTADB, true, "delete it, or name another file"},
    {SQLITE_TOOBIG, true, "delete it, or name another file"},
    {SQLITE_FULL, false, "make room"},
    {SQLITE_BUSY, false, "end its transaction there"},
    {SQLITE_READONLY, false, "make it and its directory writable"},
    {0, false, "mend it, or name another file"},
};

/* Gives the file up.  rc SQLITE_OK: for good, and `why` says what to do.  Else
** an error, with better words for it in `why` or NULL. */
static int pass_over(struct rtk_diskcache *disk, int rc, const char *why) {
  const struct trouble *trouble = troubles;
  char text[RTK_DISKCACHE_WHY_MAX];
  while (trouble->code != 0 && trouble->code != (rc & 0xff)) trouble++;
  disk->is_permanent = rc == SQLITE_OK || trouble->is_permanent;
  disk->retry_ms = rtk_clock_ms() + RTK_DISKCACHE_AGAIN_MS;
  sqlite3_snprintf(RTK_DISKCACHE_WHY_MAX, text, "%s%s%s%s",
                   why == NULL ? sqlite3_errstr(rc) : why,
                   rc == SQLITE_OK ? "" : "; ",
                   rc == SQLITE_OK ? "" : trouble->advice,
                   disk->is_permanent ? "" : " (tried again after a minute)");
  bool is_news = strcmp(text, disk->why) != 0;
  memcpy(disk->why, text, sizeof(text));
  disk->is_passed_over = true;
  close_file(disk);
  drop_queue(disk);
  if (!is_news) return SQLITE_NOTFOUND;
  sqlite3_log(SQLITE_WARNING, "rtk: cache_file %s is passed over: %s",
              disk->path, disk->why);
  if (disk->warn != NULL) {
    disk->warn(disk->warn_user, disk->path, disk->why);
  }
  return SQLITE_NOTFOUND;
}

/* The file is given up when it stays locked.  A lock that was met long ago is
** another one. */
static int meet_lock(struct rtk_diskcache *disk, struct lock *lock) {
  int64_t now = rtk_clock_ms();
  if (lock->since_ms == 0 ||
      now - lock->retry_ms > RTK_DISKCACHE_LOCKED_MAX_MS) {
    lock->since_ms = now;
  }
  lock->retry_ms = now + RTK_DISKCACHE_RETRY_MS;
  if (now - lock->since_ms < RTK_DISKCACHE_LOCKED_MAX_MS) return SQLITE_BUSY;
  return pass_over(disk, SQLITE_BUSY,
                   "another connection or process keeps it locked");
}

static bool is_waiting(const struct lock *lock) {
  return lock->since_ms != 0 && rtk_clock_ms() < lock->retry_ms;
}

static int run(sqlite3_stmt *statement) {
  (void)sqlite3_step(statement);
  return sqlite3_reset(statement);
}

/* A database that cannot even be rolled back is closed. */
static void roll_back(struct rtk_diskcache *disk) {
  if (disk->db == NULL || sqlite3_get_autocommit(disk->db)) return;
  (void)run(disk->statements[ROLLBACK]);
  if (!sqlite3_get_autocommit(disk->db)) close_file(disk);
}

/* Turns SQLite's result into ours; `why`: as rtk_openfile_open() has it. */
static int conclude(struct rtk_diskcache *disk, struct lock *lock, int rc,
                    const char *why) {
  if (rc == SQLITE_OK && why == NULL) {
    *lock = (struct lock){0};
    return SQLITE_OK;
  }
  roll_back(disk);
  switch (rc & 0xff) {
  case SQLITE_NOMEM:
  case SQLITE_NOTFOUND:
    return rc & 0xff;
  case SQLITE_BUSY:
  case SQLITE_PROTOCOL: /* too many at the log's lock at once */
    return meet_lock(disk, lock);
  default:
    return pass_over(disk, rc, why);
  }
}

/* --- opening -------------------------------------------------------------- */

/* The busy handler; 1: try again.  A host that wants to stop need not wait.  An
** SQLite built without usleep() sleeps for whole seconds, and says so. */
static int wait_for_lock(void *user, int tries) {
  struct rtk_diskcache *disk = user;
  (void)tries; /* of one statement */
  if (disk->wait_left_ms <= 0) return 0;
  if (!disk->is_closing && rtk_cancel_asked(&disk->cancel)) return 0;
  disk->wait_left_ms -= sqlite3_sleep(LOCK_POLL_MS);
  return 1;
}

/* SQLITE_OK: disk->db is open.  Else as conclude() has it. */
static int need_file(struct rtk_diskcache *disk, struct lock *lock) {
  const char *why = NULL;
  if (!rtk_diskcache_has_file(disk)) return SQLITE_NOTFOUND;
  if (disk->db != NULL) return SQLITE_OK;
  int rc = rtk_openfile_open(disk->path, disk->host, wait_for_lock, disk,
                             &disk->db, &why);
  for (int i = 0; rc == SQLITE_OK && why == NULL && i < STATEMENT_COUNT; i++) {
    rc = sqlite3_prepare_v3(disk->db, statements[i], -1,
                            SQLITE_PREPARE_PERSISTENT, &disk->statements[i],
                            NULL);
  }
  if (rc == SQLITE_OK && why == NULL) return SQLITE_OK;
  close_file(disk);
  return conclude(disk, lock, rc, why);
}

/* --- new, free, use ------------------------------------------------------- */

int rtk_diskcache_new(struct sqlite3 *host, struct rtk_diskcache **disk) {
  struct rtk_diskcache *made = sqlite3_malloc64(sizeof(*made));
  if (made == NULL) return SQLITE_NOMEM;
  memset(made, 0, sizeof(*made));
  made->host = made->cancel.db = host;
  made->is_closing = host == NULL;
  *disk = made;
  return SQLITE_OK;
}

void rtk_diskcache_warn_by(struct rtk_diskcache *disk,
                           void (*warn)(void *user, const char *path,
                                        const char *why),
                           void *user) {
  disk->warn = warn;
  disk->warn_user = user;
}

static void end_use(struct rtk_diskcache *disk) {
  if (disk->first != NULL) (void)rtk_diskcache_flush(disk);
  drop_queue(disk);
  close_file(disk);
  sqlite3_free(disk->path);
  disk->path = NULL;
  disk->is_passed_over = false;
  disk->why[0] = '\0';
  disk->reading = disk->writing = (struct lock){0};
}

void rtk_diskcache_free(struct rtk_diskcache *disk) {
  if (disk == NULL) return;
  disk->is_closing = true;
  end_use(disk);
  sqlite3_free(disk->copy);
  sqlite3_free(disk);
}

/* SQLite finds a log by the file's name.  So a file that was moved takes up
** what its log holds, before the log is taken for that of the next file. */
static void close_moved_file(struct rtk_diskcache *disk) {
  rtk_diskcache_end_read(disk);
  (void)sqlite3_wal_checkpoint_v2(disk->db, NULL, SQLITE_CHECKPOINT_TRUNCATE,
                                  NULL, NULL);
  close_file(disk);
}

static void look_again(struct rtk_diskcache *disk) {
  int is_moved = 0;
  if (disk->is_passed_over) {
    disk->is_passed_over = disk->is_permanent ? access(disk->path, F_OK) == 0
                                              : rtk_clock_ms() < disk->retry_ms;
  } else if (disk->db != NULL) {
    (void)sqlite3_file_control(disk->db, "main", SQLITE_FCNTL_HAS_MOVED,
                               &is_moved);
    if (is_moved != 0) close_moved_file(disk);
  }
}

int rtk_diskcache_use(struct rtk_diskcache *disk, const char *path) {
  bool is_none = path == NULL || disk->path == NULL;
  if (is_none ? path == disk->path : strcmp(path, disk->path) == 0) {
    look_again(disk);
    return SQLITE_OK;
  }
  end_use(disk);
  if (path == NULL) return SQLITE_OK;
  disk->path = sqlite3_mprintf("%s", path);
  return disk->path == NULL ? SQLITE_NOMEM : SQLITE_OK;
}

/* --- reading -------------------------------------------------------------- */

/* Two URLs with the same key take each other's place. */
static int64_t key_of(const char *url) {
  return (int64_t)rtk_hash_add(RTK_HASH_START, url, strlen(url));
}

static int make_room(struct rtk_diskcache *disk, size_t size) {
  if (size <= disk->copy_room) return SQLITE_OK;
  char *copy = sqlite3_realloc64(disk->copy, size);
  if (copy == NULL) return SQLITE_NOMEM;
  disk->copy = copy;
  disk->copy_room = size;
  return SQLITE_OK;
}

/* Copies a column's bytes to disk->copy. */
static int copy_column(struct rtk_diskcache *disk, sqlite3_stmt *row,
                       int column, size_t *size) {
  const void *bytes = sqlite3_column_blob(row, column);
  *size = (size_t)sqlite3_column_bytes(row, column);
  if (bytes == NULL) {
    *size = 0;
    return sqlite3_errcode(disk->db) == SQLITE_NOMEM ? SQLITE_NOMEM : SQLITE_OK;
  }
  int rc = make_room(disk, *size);
  if (rc == SQLITE_OK) memcpy(disk->copy, bytes, *size);
  return rc;
}

/* Unix ms with which sums are far from overflow: another one is damage. */
static bool is_time(int64_t ms) { return ms >= 0 && ms <= (int64_t)1 << 53; }

static int read_reply(struct rtk_diskcache *disk, const char *url,
                      struct rtk_disk_reply *found) {
  sqlite3_stmt *get = disk->statements[GET];
  (void)sqlite3_bind_int64(get, 1, key_of(url));
  int rc = sqlite3_bind_text(get, 2, url, -1, SQLITE_STATIC);
  (void)sqlite3_bind_int64(get, 3, found == NULL ? -1 : rtk_clock_unix_ms());
  bool is_found = rc == SQLITE_OK && sqlite3_step(get) == SQLITE_ROW;
  if (is_found && found != NULL) {
    found->status = sqlite3_column_int(get, 0);
    found->life = sqlite3_column_int(get, 1);
    found->fetched_ms = sqlite3_column_int64(get, 2);
    int64_t keep_until_ms = sqlite3_column_int64(get, 3);
    is_found = is_time(found->fetched_ms) && keep_until_ms >= 0;
    found->keep_ms = is_found ? keep_until_ms - found->fetched_ms : 0;
    rc = copy_column(disk, get, 4, &found->body_size);
    found->body = found->body_size == 0 ? NULL : disk->copy;
  }
  int ended = sqlite3_reset(get);
  (void)sqlite3_bind_null(get, 2); /* the URL is the caller's */
  if (rc == SQLITE_OK) rc = ended;
  return rc == SQLITE_OK && !is_found ? SQLITE_NOTFOUND : rc;
}

void rtk_diskcache_end_read(struct rtk_diskcache *disk) { roll_back(disk); }

/* Reads in the read transaction that is open, or in a new one. */
static int read_shared(struct rtk_diskcache *disk, const char *url,
                       struct rtk_disk_reply *found) {
  int rc = SQLITE_OK;
  if (disk->db == NULL) return SQLITE_NOTFOUND; /* it was closed meanwhile */
  if (sqlite3_get_autocommit(disk->db)) {
    disk->read_since_ms = rtk_clock_ms();
    rc = run(disk->statements[BEGIN_READ]);
  }
  return rc == SQLITE_OK ? read_reply(disk, url, found) : rc;
}

int rtk_diskcache_get(struct rtk_diskcache *disk, const char *url,
                      struct rtk_disk_reply *found) {
  struct rtk_disk_reply read = {0};
  int64_t now = rtk_clock_ms();
  if (is_waiting(&disk->reading)) return SQLITE_NOTFOUND;
  if (now - disk->read_since_ms >= RTK_DISKCACHE_READ_MS) {
    rtk_diskcache_end_read(disk);
  }
  disk->wait_left_ms = READ_LOCK_MS;
  int rc = need_file(disk, &disk->reading);
  if (rc != SQLITE_OK) return rc == SQLITE_BUSY ? SQLITE_NOTFOUND : rc;
  rc = read_shared(disk, url, found == NULL ? NULL : &read);
  if (rc == SQLITE_NOTFOUND && now > disk->read_since_ms) {
    rtk_diskcache_end_read(disk); /* it may have been written meanwhile */
    rc = read_shared(disk, url, found == NULL ? NULL : &read);
  }
  if (rc == SQLITE_NOTFOUND) {
    disk->reading = (struct lock){0};
    return rc;
  }
  rc = conclude(disk, &disk->reading, rc, NULL);
  if (rc == SQLITE_OK && found != NULL) *found = read;
  return rc == SQLITE_BUSY ? SQLITE_NOTFOUND : rc;
}

/* --- writing -------------------------------------------------------------- */

static int write_reply(sqlite3_stmt *put, const struct queued *queued) {
  (void)sqlite3_bind_int64(put, 1, key_of(queued->url));
  (void)sqlite3_bind_int(put, 2, queued->status);
  (void)sqlite3_bind_int(put, 3, queued->life);
  (void)sqlite3_bind_int64(put, 4, queued->fetched_ms);
  (void)sqlite3_bind_int64(put, 5, queued->keep_until_ms);
  int rc = sqlite3_bind_text(put, 6, queued->url, -1, SQLITE_STATIC);
  if (rc == SQLITE_OK) {
    rc = sqlite3_bind_blob64(put, 7, queued->body, queued->body_size,
                             SQLITE_STATIC);
  }
  return rc == SQLITE_OK ? run(put) : rc;
}

/* Deletes expired replies, at most `limit`. */
static int sweep(struct rtk_diskcache *disk, int64_t limit) {
  sqlite3_stmt *statement = disk->statements[SWEEP];
  (void)sqlite3_bind_int64(statement, 1, rtk_clock_unix_ms());
  (void)sqlite3_bind_int64(statement, 2, limit);
  return run(statement);
}

/* Each write deletes up to twice as many expired replies as it adds: so the
** file stops growing, and no write takes long. */
static int write_queue(struct rtk_diskcache *disk) {
  int64_t limit = 0;
  int rc = SQLITE_OK;
  for (const struct queued *queued = disk->first;
       queued != NULL && rc == SQLITE_OK; queued = queued->next) {
    limit += 2;
    rc = write_reply(disk->statements[PUT], queued);
  }
  return rc == SQLITE_OK && limit > 0 ? sweep(disk, limit) : rc;
}

struct job {
  int (*work)(struct rtk_diskcache *disk, const struct job *job);
  int64_t key;
  size_t size;
  int (*edit)(void *blob, void *user);
  void *user;
  int64_t *dropped;
};

/* One transaction, begun with the lock in hand, so that nothing is read that
** somebody else is about to change. */
static int write_all(struct rtk_diskcache *disk, const struct job *job) {
  rtk_diskcache_end_read(disk);
  disk->wait_left_ms = WRITE_LOCK_MS;
  int rc = need_file(disk, &disk->writing);
  if (rc != SQLITE_OK) return rc;
  rc = run(disk->statements[BEGIN]);
  if (rc == SQLITE_OK && job->work != NULL) rc = job->work(disk, job);
  if (rc == SQLITE_OK) rc = write_queue(disk);
  if (rc == SQLITE_OK) rc = run(disk->statements[COMMIT]);
  rc = conclude(disk, &disk->writing, rc, NULL);
  if (rc == SQLITE_OK) drop_queue(disk);
  return rc;
}

int rtk_diskcache_flush(struct rtk_diskcache *disk) {
  static const struct job job = {0};
  return disk->first == NULL ? SQLITE_OK : write_all(disk, &job);
}

int rtk_diskcache_put(struct rtk_diskcache *disk, const char *url,
                      const struct rtk_disk_reply *reply) {
  if (!rtk_diskcache_has_file(disk)) return SQLITE_OK;
  if (reply->keep_ms <= 0) return SQLITE_OK;
  if (reply->body_size > RTK_DISKCACHE_QUEUE_MAX) return SQLITE_OK;
  struct queued *queued = make_queued(url, reply);
  if (queued == NULL) return SQLITE_NOMEM;
  append(disk, queued);
  if (disk->queue_bytes <= RTK_DISKCACHE_QUEUE_MAX) return SQLITE_OK;
  int rc = is_waiting(&disk->writing) ? SQLITE_BUSY : rtk_diskcache_flush(disk);
  while (disk->queue_bytes > RTK_DISKCACHE_QUEUE_MAX) drop_first(disk);
  return rc == SQLITE_NOMEM ? rc : SQLITE_OK;
}

/* The blob is read to disk->copy, changed there, and written. */
static int edit_blob(struct rtk_diskcache *disk, const struct job *job) {
  sqlite3_stmt *read = disk->statements[READ_BLOB];
  sqlite3_stmt *save = disk->statements[WRITE_BLOB];
  size_t size = 0;
  int rc = make_room(disk, job->size);
  if (rc != SQLITE_OK) return rc;
  (void)sqlite3_bind_int64(read, 1, job->key);
  if (sqlite3_step(read) == SQLITE_ROW &&
      (size_t)sqlite3_column_bytes(read, 0) == job->size) {
    rc = copy_column(disk, read, 0, &size);
  }
  int ended = sqlite3_reset(read);
  if (rc == SQLITE_OK) rc = ended;
  if (rc != SQLITE_OK) return rc;
  if (size != job->size) memset(disk->copy, 0, job->size);
  rc = job->edit(disk->copy, job->user);
  if (rc != SQLITE_OK) return rc;
  (void)sqlite3_bind_int64(save, 1, job->key);
  rc = sqlite3_bind_blob64(save, 2, disk->copy, job->size, SQLITE_STATIC);
  return rc == SQLITE_OK ? run(save) : rc;
}

int rtk_diskcache_edit(struct rtk_diskcache *disk, int64_t key, void *blob,
                       size_t size, int (*edit)(void *blob, void *user),
                       void *user) {
  struct job job = {
      .work = edit_blob, .key = key, .size = size, .edit = edit, .user = user};
  int rc = write_all(disk, &job);
  if (rc == SQLITE_OK) memcpy(blob, disk->copy, size);
  return rc;
}

int rtk_diskcache_read_leases(struct rtk_diskcache *disk, int64_t budget,
                              int64_t now_ms, struct rtk_lease *own,
                              struct rtk_lease_sums *sums) {
  sqlite3_stmt *read = disk->statements[READ_LEASES];
  sqlite3_stmt *expire = disk->statements[EXPIRE_LEASES];
  *sums = (struct rtk_lease_sums){0};
  own->in_flight = own->until_ms = 0;
  (void)sqlite3_bind_int64(read, 1, budget);
  while (sqlite3_step(read) == SQLITE_ROW) {
    int64_t in_flight = sqlite3_column_int64(read, 2);
    int64_t until_ms = sqlite3_column_int64(read, 3);
    if (in_flight < 0 || in_flight > RTK_QUOTA_MAX) in_flight = 0; /* damage */
    if (until_ms < now_ms) {
      sums->expired += in_flight;
      sums->expired_rows++;
    } else if (sqlite3_column_int64(read, 0) == own->pid &&
               sqlite3_column_int64(read, 1) == own->connection) {
      own->in_flight = in_flight;
      own->until_ms = until_ms;
    } else {
      sums->others += in_flight;
    }
  }
  int rc = sqlite3_reset(read);
  if (rc != SQLITE_OK || sums->expired_rows == 0) return rc;
  (void)sqlite3_bind_int64(expire, 1, budget);
  (void)sqlite3_bind_int64(expire, 2, now_ms);
  return run(expire);
}

int rtk_diskcache_write_lease(struct rtk_diskcache *disk, int64_t budget,
                              const struct rtk_lease *own) {
  sqlite3_stmt *save = disk->statements[WRITE_LEASE];
  (void)sqlite3_bind_int64(save, 1, budget);
  (void)sqlite3_bind_int64(save, 2, own->pid);
  (void)sqlite3_bind_int64(save, 3, own->connection);
  (void)sqlite3_bind_int64(save, 4, own->in_flight);
  (void)sqlite3_bind_int64(save, 5, own->until_ms);
  return run(save);
}

static int clear(struct rtk_diskcache *disk, const struct job *job) {
  int rc = run(disk->statements[CLEAR]);
  *job->dropped = sqlite3_changes(disk->db);
  return rc;
}

int rtk_diskcache_clear(struct rtk_diskcache *disk, int64_t *dropped) {
  int64_t count = 0;
  struct job job = {.work = clear, .dropped = &count};
  drop_queue(disk);
  int rc = write_all(disk, &job);
  if (rc != SQLITE_OK) return rc;
  *dropped = count;
  /* Quick, as only blobs are left.  Where others are reading, the room comes
  ** back at a later checkpoint. */
  (void)sqlite3_exec(disk->db, "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)", NULL,
                     NULL, NULL);
  return SQLITE_OK;
}

/* --- in words ------------------------------------------------------------- */

bool rtk_diskcache_has_file(const struct rtk_diskcache *disk) {
  return disk->path != NULL && !disk->is_passed_over;
}

bool rtk_diskcache_is_in_use(const struct rtk_diskcache *disk) {
  return disk->db != NULL && !disk->is_passed_over;
}

bool rtk_diskcache_is_passed_over(const struct rtk_diskcache *disk) {
  return disk->is_passed_over;
}

void rtk_diskcache_describe(struct rtk_diskcache *disk,
                            struct sqlite3_str *out) {
  if (disk->path == NULL) {
    sqlite3_str_appendall(out, "none");
  } else if (disk->is_passed_over) {
    sqlite3_str_appendf(out, "%s: passed over: %s", disk->path, disk->why);
  } else if (disk->db == NULL) {
    sqlite3_str_appendf(out, "%s: not opened yet", disk->path);
  } else {
    sqlite3_stmt *count = disk->statements[COUNT];
    sqlite3_str_appendf(out, "%s: in use", disk->path);
    if (sqlite3_step(count) == SQLITE_ROW) {
      int64_t rows = sqlite3_column_int64(count, 0);
      sqlite3_str_appendf(out, ", %lld %s", (long long)rows,
                          rows == 1 ? "reply" : "replies");
    }
    (void)sqlite3_reset(count);
  }
}
