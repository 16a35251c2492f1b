/*
** The cache file: an SQLite database of our own with replies by URL, small
** blobs that several processes edit in turn, and the requests that they have in
** flight.
**
** Nothing about the file ever fails a query.  A file that is corrupt, full,
** unwritable, locked for long or not ours is passed over: rtk goes on without
** it, with one warning through sqlite3_log() for each reason.  Whether it is
** tried again says rtk_diskcache_use().
*/
#ifndef RTK_DISKCACHE_H
#define RTK_DISKCACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of replies that wait to be written, and of one reply that is kept at
** all: a page of 100 sessions has some 60,000. */
#define RTK_DISKCACHE_QUEUE_MAX 4194304

/* ms that look-ups share a read of the file: some thousand of them, and others'
** writes are seen soon. */
#define RTK_DISKCACHE_READ_MS 20

/* ms before a locked file is tried again for reading or to make room; ms of
** locks after which it is passed over; ms after which a file that was passed
** over for a reason that may pass is tried again. */
#define RTK_DISKCACHE_RETRY_MS 500
#define RTK_DISKCACHE_LOCKED_MAX_MS 10000
#define RTK_DISKCACHE_AGAIN_MS 60000

/* Bytes of why it is passed over, and of what to do. */
#define RTK_DISKCACHE_WHY_MAX 200

struct rtk_diskcache;
struct sqlite3;
struct sqlite3_str;

struct rtk_disk_reply {
  int status; /* 0: a note of the caller's, which is found like a reply, and
                 neither counted nor cleared */
  int life;   /* a small number of the caller's */
  const char *body; /* NULL when empty */
  size_t body_size;
  int64_t fetched_ms; /* Unix time */
  int64_t keep_ms;    /* how long it is found, counted from fetched_ms */
};

/* Both codes below stand for "go on without": SQLITE_NOTFOUND, there is no such
** row, no file, or the file is passed over; SQLITE_BUSY, another process holds
** the lock and nothing was changed.  A call waits for locks for 50 ms, a
** look-up for 2 seconds, or until the host wants to stop; a file that stays
** locked is passed over after RTK_DISKCACHE_LOCKED_MAX_MS. */

/* A database that `host` (borrowed, may be NULL) has open is not filled.
** SQLITE_OK with *disk given (free with rtk_diskcache_free()) or
** SQLITE_NOMEM. */
int rtk_diskcache_new(struct sqlite3 *host, struct rtk_diskcache **disk);

/* Calls warn(user, path, why) whenever the file is passed over for another
** reason than the last time, beside the warning through sqlite3_log(). */
void rtk_diskcache_warn_by(struct rtk_diskcache *disk,
                           void (*warn)(void *user, const char *path,
                                        const char *why),
                           void *user);

/* Tries once to write what is queued, and closes the file. */
void rtk_diskcache_free(struct rtk_diskcache *disk);

/* Which file; NULL: none.  The path is copied.  The file is opened, and created
** with mode 0600, when it is first used.  Another path than before ends the use
** of the old file as rtk_diskcache_free() does.
**
** Call this as each statement begins, also when the path is the same.  A file
** that was deleted or replaced is closed, so that the one now at the path is
** opened.  A file that was passed over is tried again: after
** RTK_DISKCACHE_AGAIN_MS when the reason may pass, else when the file is gone.
** SQLITE_OK, or SQLITE_NOMEM: no file. */
int rtk_diskcache_use(struct rtk_diskcache *disk, const char *path);

/* The reply of this URL; its body is borrowed until the next call.  A reply in
** the queue is not found.  A reply that is found may have been replaced up to
** RTK_DISKCACHE_READ_MS ago.  "Not found" is exact, as it costs a request.
** `found` NULL: is there a reply, expired or not? SQLITE_OK, SQLITE_NOTFOUND
** (also while locked) or SQLITE_NOMEM. */
int rtk_diskcache_get(struct rtk_diskcache *disk, const char *url,
                      struct rtk_disk_reply *found);

/* Ends the read transaction that the last look-up left open for the next one.
** Call this before anything that takes time. */
void rtk_diskcache_end_read(struct rtk_diskcache *disk);

/* Queues a copy; the next flush or edit writes it.  A full queue is written at
** once; when that cannot be done, its oldest replies are dropped.  A reply
** larger than RTK_DISKCACHE_QUEUE_MAX is not kept.  SQLITE_OK or
** SQLITE_NOMEM. */
int rtk_diskcache_put(struct rtk_diskcache *disk, const char *url,
                      const struct rtk_disk_reply *reply);

/* Writes the queue in one transaction.  SQLITE_OK (also when it is empty),
** SQLITE_BUSY (it is kept), SQLITE_NOTFOUND or SQLITE_NOMEM. */
int rtk_diskcache_flush(struct rtk_diskcache *disk);

/* Reads blob `key` (zeros, when there is none of this size), calls edit(), and
** writes it back, and the queue with it: one transaction, which no other
** process comes between.  edit() is called at most once and must not call
** SQLite, but for the two functions below; it returns SQLITE_OK, or an error
** that undoes everything.  `blob` is changed with SQLITE_OK only.  SQLITE_OK,
** SQLITE_BUSY, SQLITE_NOTFOUND or SQLITE_NOMEM. */
int rtk_diskcache_edit(struct rtk_diskcache *disk, int64_t key, void *blob,
                       size_t size, int (*edit)(void *blob, void *user),
                       void *user);

/* A row of the file: the requests that a connection of a process has in flight.
** After until_ms the row is void: the process may have been killed. */
struct rtk_lease {
  int64_t pid, connection; /* its key, beside the budget */
  int64_t in_flight, until_ms;
};

/* Requests in flight of other connections, and of leases that have expired. */
struct rtk_lease_sums {
  int64_t others, expired, expired_rows;
};

/* For edit(): reads the leases of a budget, deletes the expired ones, and fills
** in the one with the pid and connection of `own` (zeros: there is none).  Both
** return SQLITE_OK or an error to be returned by edit(). */
int rtk_diskcache_read_leases(struct rtk_diskcache *disk, int64_t budget,
                              int64_t now_ms, struct rtk_lease *own,
                              struct rtk_lease_sums *sums);
int rtk_diskcache_write_lease(struct rtk_diskcache *disk, int64_t budget,
                              const struct rtk_lease *own);

/* Deletes all replies, those in the queue too, and shrinks the file; *dropped
** rows were in the file.  Blobs stay.  SQLITE_OK, SQLITE_BUSY (only the queue
** is empty now), SQLITE_NOTFOUND or SQLITE_NOMEM. */
int rtk_diskcache_clear(struct rtk_diskcache *disk, int64_t *dropped);

/* Is there a file that is not passed over? Is it open? */
bool rtk_diskcache_has_file(const struct rtk_diskcache *disk);
bool rtk_diskcache_is_in_use(const struct rtk_diskcache *disk);
bool rtk_diskcache_is_passed_over(const struct rtk_diskcache *disk);

/* Appends the state in words: "none", or the path and "not opened yet", "in
** use, N replies" or "passed over: WHY; WHAT TO DO".  Opens nothing. */
void rtk_diskcache_describe(struct rtk_diskcache *disk,
                            struct sqlite3_str *out);

#endif
