/*
** The cache file: replies by URL, and small blobs that several processes edit
** in turn, in an SQLite database of our own.
**
** Nothing about the file ever fails a query.  One that is corrupt, full,
** unwritable, locked for long or somebody else's is passed over, with one
** warning through sqlite3_log() for each reason.  That may pass: see
** rtk_store_use().
*/
#ifndef RTK_STORE_H
#define RTK_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rtk_store;
struct sqlite3;
struct sqlite3_str;

struct rtk_stored {
  int status;
  int life;         /* a small number that means something to the caller */
  const char *body; /* NULL when empty */
  size_t body_size;
  int64_t fetched_ms; /* Unix time */
  int64_t keep_ms;    /* from then on; a row past that is not found */
};

/* Both codes below stand for "go on without": SQLITE_NOTFOUND, there is no such
** row, no file, or the file is passed over; SQLITE_BUSY, somebody else holds
** the lock and nothing was changed.  A call waits RTK_STORE_LOCK_MS for locks, a
** look-up RTK_STORE_READ_LOCK_MS, or until the host wants to stop; a file that
** stays locked is passed over after RTK_STORE_LOCKED_MAX_MS. */

/* A database that `host` (borrowed, may be NULL) has open is not filled.
** SQLITE_OK with *store given (free with rtk_store_free()) or SQLITE_NOMEM. */
int rtk_store_new(struct sqlite3 *host, struct rtk_store **store);

/* Calls warn(user, path, why) whenever the file is passed over for another reason
** than the last time, beside the warning through sqlite3_log(). */
void rtk_store_warn_by(struct rtk_store *store,
                       void (*warn)(void *user, const char *path,
                                    const char *why),
                       void *user);

/* Tries once to write what is queued, and closes the file. */
void rtk_store_free(struct rtk_store *store);

/* Which file; NULL: none.  The path is copied.  One that is not the one before
** ends that as rtk_store_free() does; the file is opened, and created with mode
** 0600, when it is first used.
**
** To be called as a statement begins, also with the path as before: a file that
** was deleted or replaced is let go and the one at the path opened; one passed
** over is tried again, after RTK_STORE_AGAIN_MS when the reason may pass, else when
** there is no file any more.  SQLITE_OK, or SQLITE_NOMEM: none is set. */
int rtk_store_use(struct rtk_store *store, const char *path);

/* The reply of this URL; its body is borrowed until the next call.  What is only
** queued is not found.  What is found may be RTK_STORE_READ_MS old; what is not
** found is not in the file now, as it costs a request.  `found` NULL: only whether
** there is one, too old or not.
** SQLITE_OK, SQLITE_NOTFOUND (also while locked) or SQLITE_NOMEM. */
int rtk_store_get(struct rtk_store *store, const char *url,
                  struct rtk_stored *found);

/* Ends the read that the last look-up left open for the next one.  To be called
** before anything that takes time. */
void rtk_store_end_read(struct rtk_store *store);

/* Queues a copy, to be written by the next flush or edit.  A full queue is
** written, and where that cannot be done its oldest replies are dropped.  A
** reply larger than RTK_STORE_QUEUE_MAX is not kept.  SQLITE_OK or
** SQLITE_NOMEM. */
int rtk_store_put(struct rtk_store *store, const char *url,
                  const struct rtk_stored *reply);

/* Writes the queue in one transaction.  SQLITE_OK (also when it is empty),
** SQLITE_BUSY (it is kept), SQLITE_NOTFOUND or SQLITE_NOMEM. */
int rtk_store_flush(struct rtk_store *store);

/* Reads blob `key` (zeros, when there is none of this size), calls edit(), and
** writes it back, and the queue with it: one transaction, which no other process
** comes between.  edit() is called at most once and must not call SQLite; what it
** made of the blob counts with SQLITE_OK only, and only then is `blob` changed.
** SQLITE_OK, SQLITE_BUSY, SQLITE_NOTFOUND or SQLITE_NOMEM. */
int rtk_store_edit(struct rtk_store *store, int64_t key, void *blob,
                   size_t size, void (*edit)(void *blob, void *user),
                   void *user);

/* Drops all replies, those queued too, and gives the room back; *dropped rows
** were in the file.  Blobs stay.  SQLITE_OK, SQLITE_BUSY (those queued are
** dropped), SQLITE_NOTFOUND or SQLITE_NOMEM. */
int rtk_store_clear(struct rtk_store *store, int64_t *dropped);

/* Is it open, and not passed over? */
bool rtk_store_is_in_use(const struct rtk_store *store);
bool rtk_store_is_passed_over(const struct rtk_store *store);

/* Appends the state in words: "none", or the path and "not opened yet", "in use,
** N replies" or "passed over: WHY; WHAT TO DO".  Opens nothing. */
void rtk_store_describe(struct rtk_store *store, struct sqlite3_str *out);

#endif
