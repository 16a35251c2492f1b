/*
** Replies by URL and small blobs in the tables of the cache file.  What a reply
** or a blob means is not known here.
**
** In WAL mode readers and the one writer do not stop each other.  A read costs
** locks, so look-ups that follow each other share one; yet it is renewed soon, and
** ends before any wait, since a read left open keeps the log from being reset.
** The row is copied and its statement reset at once.
*/
#include "disk/store.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "disk/storefile.h"
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
    [SWEEP] = "DELETE FROM reply WHERE key IN (SELECT key FROM reply"
              " WHERE keep_until_ms <= ?1 ORDER BY keep_until_ms LIMIT ?2)",
    [READ_BLOB] = "SELECT data FROM blob WHERE key = ?1",
    [WRITE_BLOB] = "REPLACE INTO blob(key, data) VALUES(?1, ?2)",
    [CLEAR] = "DELETE FROM reply",
    [COUNT] = "SELECT count(*) FROM reply",
};

/* A lock that others hold, and how often we have met it. */
struct lock {
  int64_t since_ms; /* 0: not met */
  int64_t retry_ms; /* worth another try then */
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

struct rtk_store {
  sqlite3 *host;
  char *path;  /* NULL: none */
  sqlite3 *db; /* NULL: not open */
  sqlite3_stmt *statements[STATEMENT_COUNT];
  struct lock reading, writing;
  struct rtk_cancel cancel;
  bool is_closing;  /* and with it the host, which may not be asked any more */
  int wait_left_ms; /* for locks, within one call */
  int64_t read_since_ms; /* the read that is open, if there is one */
  bool is_swept;         /* since the file was opened */
  bool is_passed_over;
  bool is_lasting; /* why; else worth another try at this time: */
  int64_t again_ms;
  char why[RTK_STORE_WHY_MAX]; /* of the last time */
  void (*warn)(void *user, const char *path, const char *why); /* or NULL */
  void *warn_user;

  struct queued *first, *last;
  size_t queue_bytes;

  char *copy; /* of the last body or blob that was read */
  size_t copy_room;
};

/* --- the queue --------------------------------------------------------------- */

static void drop_first(struct rtk_store *store) {
  struct queued *queued = store->first;
  store->first = queued->next;
  if (store->first == NULL) store->last = NULL;
  store->queue_bytes -= queued->size;
  sqlite3_free(queued);
}

static void drop_queue(struct rtk_store *store) {
  while (store->first != NULL) drop_first(store);
}

static struct queued *make_queued(const char *url,
                                  const struct rtk_stored *reply) {
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

static void append(struct rtk_store *store, struct queued *queued) {
  *(store->last == NULL ? &store->first : &store->last->next) = queued;
  store->last = queued;
  store->queue_bytes += queued->size;
}

/* --- what becomes of the file ------------------------------------------------- */

static void close_file(struct rtk_store *store) {
  for (int i = 0; i < STATEMENT_COUNT; i++) {
    (void)sqlite3_finalize(store->statements[i]);
    store->statements[i] = NULL;
  }
  (void)sqlite3_close(store->db);
  store->db = NULL;
}

/* What to do about a file that failed with this code.  Nothing but another file
** helps where it is lasting. */
static const struct trouble {
  int code;
  bool is_lasting;
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

/* Why a file is not to be used for good, advice included (rc SQLITE_OK), or an
** error and, if not NULL, its own words. */
static int pass_over(struct rtk_store *store, int rc, const char *why) {
  const struct trouble *trouble = troubles;
  char text[RTK_STORE_WHY_MAX];
  while (trouble->code != 0 && trouble->code != (rc & 0xff)) trouble++;
  store->is_lasting = rc == SQLITE_OK || trouble->is_lasting;
  store->again_ms = rtk_clock_ms() + RTK_STORE_AGAIN_MS;
  if (why == NULL) why = sqlite3_errstr(rc);
  sqlite3_snprintf(RTK_STORE_WHY_MAX, text, "%s%s%s%s", why,
                   rc == SQLITE_OK ? "" : "; ",
                   rc == SQLITE_OK ? "" : trouble->advice,
                   store->is_lasting ? "" : " (tried again after a minute)");
  bool is_news = strcmp(text, store->why) != 0;
  memcpy(store->why, text, sizeof(text));
  store->is_passed_over = true;
  close_file(store);
  drop_queue(store);
  if (is_news) {
    sqlite3_log(SQLITE_WARNING, "rtk: cache_file %s is passed over: %s",
                store->path, store->why);
    if (store->warn != NULL) {
      store->warn(store->warn_user, store->path, store->why);
    }
  }
  return SQLITE_NOTFOUND;
}

/* Locked, yet not for long enough to give the file up.  What was met a good
** while ago is another matter. */
static int meet_lock(struct rtk_store *store, struct lock *lock,
                     const char *why) {
  int64_t now = rtk_clock_ms();
  int64_t max_ms =
      why == NULL ? RTK_STORE_LOCKED_MAX_MS : RTK_STORE_EMPTY_LOCKED_MAX_MS;
  if (why == NULL) why = "another connection or process keeps it locked";
  if (lock->since_ms == 0 || now - lock->retry_ms > RTK_STORE_LOCKED_MAX_MS) {
    lock->since_ms = now;
  }
  lock->retry_ms = now + RTK_STORE_RETRY_MS;
  if (now - lock->since_ms < max_ms) return SQLITE_BUSY;
  return pass_over(store, SQLITE_BUSY, why);
}

static bool is_waiting(const struct lock *lock) {
  return lock->since_ms != 0 && rtk_clock_ms() < lock->retry_ms;
}

static int run(sqlite3_stmt *statement) {
  (void)sqlite3_step(statement);
  return sqlite3_reset(statement);
}

/* Gives the database up that cannot even undo what it has begun. */
static void roll_back(struct rtk_store *store) {
  if (store->db == NULL || sqlite3_get_autocommit(store->db)) return;
  (void)run(store->statements[ROLLBACK]);
  if (!sqlite3_get_autocommit(store->db)) close_file(store);
}

/* Turns SQLite's result into ours; `why` as rtk_storefile_open() has it. */
static int conclude(struct rtk_store *store, struct lock *lock, int rc,
                    const char *why) {
  if (rc == SQLITE_OK && why == NULL) {
    *lock = (struct lock){0};
    return SQLITE_OK;
  }
  roll_back(store);
  switch (rc & 0xff) {
  case SQLITE_NOMEM:
  case SQLITE_NOTFOUND:
    return rc & 0xff;
  case SQLITE_BUSY:
  case SQLITE_PROTOCOL: /* too many at the log's lock at once */
    return meet_lock(store, lock, why);
  default:
    return pass_over(store, rc, why);
  }
}

/* --- opening ------------------------------------------------------------------ */

/* The busy handler: 1: try again.  A host that wants to stop need not wait.
** An SQLite built without usleep() sleeps whole seconds, and says so. */
static int wait_for_lock(void *user, int tries) {
  struct rtk_store *store = user;
  (void)tries; /* for one statement */
  if (store->wait_left_ms <= 0) return 0;
  if (!store->is_closing && rtk_cancel_asked(&store->cancel)) return 0;
  int slept_ms = sqlite3_sleep(RTK_STORE_LOCK_POLL_MS);
  bool is_long = slept_ms > RTK_STORE_LOCK_POLL_MS;
  store->wait_left_ms -= is_long ? slept_ms : RTK_STORE_LOCK_POLL_MS;
  return 1;
}

static void begin_wait(struct rtk_store *store, int wait_ms) {
  store->wait_left_ms = wait_ms;
}

static int open_file(struct rtk_store *store, const char **why) {
  int rc = rtk_storefile_open(store->path, store->host, wait_for_lock, store,
                              &store->db, why);
  for (int i = 0; rc == SQLITE_OK && *why == NULL && i < STATEMENT_COUNT; i++) {
    rc = sqlite3_prepare_v3(store->db, statements[i], -1,
                            SQLITE_PREPARE_PERSISTENT, &store->statements[i],
                            NULL);
  }
  return rc;
}

/* SQLITE_OK: store->db is open.  Else as conclude() has it. */
static int need_file(struct rtk_store *store, struct lock *lock) {
  const char *why = NULL;
  if (store->path == NULL || store->is_passed_over) return SQLITE_NOTFOUND;
  if (store->db != NULL) return SQLITE_OK;
  int rc = open_file(store, &why);
  if (rc == SQLITE_OK && why == NULL) {
    store->is_swept = false;
    return SQLITE_OK;
  }
  close_file(store);
  return conclude(store, lock, rc, why);
}

/* --- new, free, use ------------------------------------------------------------ */

int rtk_store_new(struct sqlite3 *host, struct rtk_store **store) {
  struct rtk_store *made = sqlite3_malloc64(sizeof(*made));
  if (made == NULL) return SQLITE_NOMEM;
  memset(made, 0, sizeof(*made));
  made->host = made->cancel.db = host;
  made->is_closing = host == NULL;
  *store = made;
  return SQLITE_OK;
}

void rtk_store_warn_by(struct rtk_store *store,
                       void (*warn)(void *user, const char *path,
                                    const char *why),
                       void *user) {
  store->warn = warn;
  store->warn_user = user;
}

static void end_use(struct rtk_store *store) {
  if (store->first != NULL) (void)rtk_store_flush(store);
  drop_queue(store);
  close_file(store);
  sqlite3_free(store->path);
  store->path = NULL;
  store->is_passed_over = false;
  store->why[0] = '\0';
  store->reading = store->writing = (struct lock){0};
}

void rtk_store_free(struct rtk_store *store) {
  if (store == NULL) return;
  store->is_closing = true;
  end_use(store);
  sqlite3_free(store->copy);
  sqlite3_free(store);
}

/* The log is found by the file's name: what it holds goes into the file that was
** moved, before it is taken for the log of the one at that name. */
static void let_go(struct rtk_store *store) {
  rtk_store_end_read(store);
  (void)sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE,
                                  NULL, NULL);
  close_file(store);
}

static void look_again(struct rtk_store *store) {
  int is_moved = 0;
  if (store->is_passed_over) {
    store->is_passed_over = store->is_lasting
                                ? access(store->path, F_OK) == 0
                                : rtk_clock_ms() < store->again_ms;
  } else if (store->db != NULL) {
    (void)sqlite3_file_control(store->db, "main", SQLITE_FCNTL_HAS_MOVED,
                               &is_moved);
    if (is_moved != 0) let_go(store);
  }
}

int rtk_store_use(struct rtk_store *store, const char *path) {
  bool is_none = path == NULL || store->path == NULL;
  if (is_none ? path == store->path : strcmp(path, store->path) == 0) {
    look_again(store);
    return SQLITE_OK;
  }
  end_use(store);
  if (path == NULL) return SQLITE_OK;
  store->path = sqlite3_mprintf("%s", path);
  return store->path == NULL ? SQLITE_NOMEM : SQLITE_OK;
}

/* --- reading ------------------------------------------------------------------- */

/* Two URLs with the same key take each other's place. */
static int64_t key_of(const char *url) {
  return (int64_t)rtk_hash_add(RTK_HASH_START, url, strlen(url));
}

static int make_room(struct rtk_store *store, size_t size) {
  if (size <= store->copy_room) return SQLITE_OK;
  char *copy = sqlite3_realloc64(store->copy, size);
  if (copy == NULL) return SQLITE_NOMEM;
  store->copy = copy;
  store->copy_room = size;
  return SQLITE_OK;
}

/* Copies a column's bytes to store->copy. */
static int copy_column(struct rtk_store *store, sqlite3_stmt *row, int column,
                       size_t *size) {
  const void *bytes = sqlite3_column_blob(row, column);
  *size = (size_t)sqlite3_column_bytes(row, column);
  if (bytes == NULL) {
    *size = 0;
    return sqlite3_errcode(store->db) == SQLITE_NOMEM ? SQLITE_NOMEM
                                                      : SQLITE_OK;
  }
  int rc = make_room(store, *size);
  if (rc == SQLITE_OK) memcpy(store->copy, bytes, *size);
  return rc;
}

/* Unix ms with which sums are far from overflow: another one is damage. */
static bool is_time(int64_t ms) { return ms >= 0 && ms <= (int64_t)1 << 53; }

static int read_reply(struct rtk_store *store, const char *url,
                      struct rtk_stored *found) {
  sqlite3_stmt *get = store->statements[GET];
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
    rc = copy_column(store, get, 4, &found->body_size);
    found->body = found->body_size == 0 ? NULL : store->copy;
  }
  int ended = sqlite3_reset(get);
  (void)sqlite3_bind_null(get, 2); /* the URL is the caller's */
  if (rc == SQLITE_OK) rc = ended;
  return rc == SQLITE_OK && !is_found ? SQLITE_NOTFOUND : rc;
}

void rtk_store_end_read(struct rtk_store *store) { roll_back(store); }

/* Looks at what is in the file now, not some ms ago. */
static bool renew_read(struct rtk_store *store) {
  if (sqlite3_get_autocommit(store->db)) return true;
  if (rtk_clock_ms() <= store->read_since_ms) return false;
  rtk_store_end_read(store);
  return store->db != NULL;
}

static int need_read(struct rtk_store *store) {
  if (!sqlite3_get_autocommit(store->db)) return SQLITE_OK;
  store->read_since_ms = rtk_clock_ms();
  return run(store->statements[BEGIN_READ]);
}

int rtk_store_get(struct rtk_store *store, const char *url,
                  struct rtk_stored *found) {
  struct rtk_stored read = {0};
  if (is_waiting(&store->reading)) return SQLITE_NOTFOUND;
  if (rtk_clock_ms() - store->read_since_ms >= RTK_STORE_READ_MS) {
    rtk_store_end_read(store);
  }
  begin_wait(store, RTK_STORE_READ_LOCK_MS);
  int rc = need_file(store, &store->reading);
  if (rc == SQLITE_OK) {
    rc = need_read(store);
    if (rc == SQLITE_OK) rc = read_reply(store, url, found ? &read : NULL);
    if (rc == SQLITE_NOTFOUND && renew_read(store)) {
      rc = need_read(store);
      if (rc == SQLITE_OK) rc = read_reply(store, url, found ? &read : NULL);
    }
    bool is_missing = rc == SQLITE_NOTFOUND;
    rc = conclude(store, &store->reading, is_missing ? SQLITE_OK : rc, NULL);
    if (rc == SQLITE_OK && is_missing) return SQLITE_NOTFOUND;
  }
  if (rc == SQLITE_OK && found != NULL) *found = read;
  return rc == SQLITE_BUSY ? SQLITE_NOTFOUND : rc;
}

/* --- writing ------------------------------------------------------------------- */

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

/* Deletes at the most `limit` replies that nobody wants any more. */
static int sweep(struct rtk_store *store, int64_t limit) {
  sqlite3_stmt *statement = store->statements[SWEEP];
  (void)sqlite3_bind_int64(statement, 1, rtk_clock_unix_ms());
  (void)sqlite3_bind_int64(statement, 2, limit);
  return run(statement);
}

/* Each write takes out up to twice as many expired replies as it puts in: so the
** file stops growing, and no write takes long. */
static int write_queue(struct rtk_store *store) {
  int64_t limit = store->is_swept ? 0 : RTK_STORE_SWEEP_FIRST;
  int rc = SQLITE_OK;
  for (const struct queued *queued = store->first; queued != NULL;
       queued = queued->next) {
    limit += 2;
    rc = write_reply(store->statements[PUT], queued);
    if (rc != SQLITE_OK) return rc;
  }
  return limit > 0 ? sweep(store, limit) : SQLITE_OK;
}

struct job {
  int (*work)(struct rtk_store *store, const struct job *job);
  int64_t key;
  size_t size;
  void (*edit)(void *blob, void *user);
  void *user;
  int64_t *dropped;
};

/* One transaction, begun with the lock in hand, so that nothing is read that
** somebody else is about to change. */
static int write_all(struct rtk_store *store, const struct job *job) {
  rtk_store_end_read(store);
  begin_wait(store, RTK_STORE_LOCK_MS);
  int rc = need_file(store, &store->writing);
  if (rc != SQLITE_OK) return rc;
  rc = run(store->statements[BEGIN]);
  if (rc == SQLITE_OK && job->work != NULL) rc = job->work(store, job);
  if (rc == SQLITE_OK) rc = write_queue(store);
  if (rc == SQLITE_OK) rc = run(store->statements[COMMIT]);
  rc = conclude(store, &store->writing, rc, NULL);
  if (rc != SQLITE_OK) return rc;
  store->is_swept = true;
  drop_queue(store);
  return SQLITE_OK;
}

int rtk_store_flush(struct rtk_store *store) {
  static const struct job job = {0};
  return store->first == NULL ? SQLITE_OK : write_all(store, &job);
}

int rtk_store_put(struct rtk_store *store, const char *url,
                  const struct rtk_stored *reply) {
  if (store->path == NULL || store->is_passed_over) return SQLITE_OK;
  if (reply->keep_ms <= 0) return SQLITE_OK;
  if (reply->body_size > RTK_STORE_QUEUE_MAX) return SQLITE_OK;
  struct queued *queued = make_queued(url, reply);
  if (queued == NULL) return SQLITE_NOMEM;
  append(store, queued);
  if (store->queue_bytes <= RTK_STORE_QUEUE_MAX) return SQLITE_OK;
  int rc = is_waiting(&store->writing) ? SQLITE_BUSY : rtk_store_flush(store);
  while (store->queue_bytes > RTK_STORE_QUEUE_MAX) drop_first(store);
  return rc == SQLITE_NOMEM ? rc : SQLITE_OK;
}

/* The blob is read to store->copy, changed there, and written. */
static int edit_blob(struct rtk_store *store, const struct job *job) {
  sqlite3_stmt *read = store->statements[READ_BLOB];
  sqlite3_stmt *save = store->statements[WRITE_BLOB];
  size_t size = 0;
  int rc = make_room(store, job->size);
  if (rc != SQLITE_OK) return rc;
  (void)sqlite3_bind_int64(read, 1, job->key);
  if (sqlite3_step(read) == SQLITE_ROW &&
      (size_t)sqlite3_column_bytes(read, 0) == job->size) {
    rc = copy_column(store, read, 0, &size);
  }
  int ended = sqlite3_reset(read);
  if (rc == SQLITE_OK) rc = ended;
  if (rc != SQLITE_OK) return rc;
  if (size != job->size) memset(store->copy, 0, job->size);
  job->edit(store->copy, job->user);
  (void)sqlite3_bind_int64(save, 1, job->key);
  rc = sqlite3_bind_blob64(save, 2, store->copy, job->size, SQLITE_STATIC);
  return rc == SQLITE_OK ? run(save) : rc;
}

int rtk_store_edit(struct rtk_store *store, int64_t key, void *blob,
                   size_t size, void (*edit)(void *blob, void *user),
                   void *user) {
  struct job job = {
      .work = edit_blob, .key = key, .size = size, .edit = edit, .user = user};
  int rc = write_all(store, &job);
  if (rc == SQLITE_OK) memcpy(blob, store->copy, size);
  return rc;
}

static int clear(struct rtk_store *store, const struct job *job) {
  int rc = run(store->statements[CLEAR]);
  *job->dropped = sqlite3_changes(store->db);
  return rc;
}

int rtk_store_clear(struct rtk_store *store, int64_t *dropped) {
  int64_t count = 0;
  struct job job = {.work = clear, .dropped = &count};
  drop_queue(store);
  int rc = write_all(store, &job);
  if (rc != SQLITE_OK) return rc;
  *dropped = count;
  /* Quick, as only blobs are left.  Where others are reading, the room comes back
  ** at a later checkpoint. */
  (void)sqlite3_exec(store->db, "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)", NULL,
                     NULL, NULL);
  return SQLITE_OK;
}

/* --- in words ------------------------------------------------------------------- */

bool rtk_store_is_in_use(const struct rtk_store *store) {
  return store->db != NULL && !store->is_passed_over;
}

bool rtk_store_is_passed_over(const struct rtk_store *store) {
  return store->is_passed_over;
}

void rtk_store_describe(struct rtk_store *store, struct sqlite3_str *out) {
  if (store->path == NULL) {
    sqlite3_str_appendall(out, "none");
  } else if (store->is_passed_over) {
    sqlite3_str_appendf(out, "%s: passed over: %s", store->path, store->why);
  } else if (store->db == NULL) {
    sqlite3_str_appendf(out, "%s: not opened yet", store->path);
  } else {
    sqlite3_stmt *count = store->statements[COUNT];
    sqlite3_str_appendf(out, "%s: in use", store->path);
    if (sqlite3_step(count) == SQLITE_ROW) {
      int64_t rows = sqlite3_column_int64(count, 0);
      sqlite3_str_appendf(out, ", %lld %s", (long long)rows,
                          rows == 1 ? "reply" : "replies");
    }
    (void)sqlite3_reset(count);
  }
}
