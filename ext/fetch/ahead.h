/*
** Ids before their turn: those that a statement is going to ask for one by one
** are collected by running it once more, and asked for ahead.
**
** The collecting run gives real rows for what is known and a placeholder for
** what is not, so that LIMIT, EXISTS and DISTINCT end it where they end the
** statement.  Its results go nowhere: it only tells which ids come.
*/
#ifndef RTK_AHEAD_H
#define RTK_AHEAD_H

#include <stdbool.h>
#include <stddef.h>

struct rtk_ahead;
struct rtk_batch;
struct rtk_config;
struct rtk_err;
struct rtk_fetch;
struct rtk_rerun_table;
struct rtk_stats;
struct rtk_wanted;
struct sqlite3;

/* All are borrowed and must outlive it.  SQLITE_OK with *ahead given (free with
** rtk_ahead_free()) or SQLITE_NOMEM. */
int rtk_ahead_new(struct sqlite3 *db, const struct rtk_config *config,
                  struct rtk_fetch *fetch, const struct rtk_stats *stats,
                  struct rtk_ahead **ahead);
void rtk_ahead_free(struct rtk_ahead *ahead);

/* Around the life of each virtual table of ours that a collecting run may read. */
void rtk_ahead_add_table(struct rtk_ahead *ahead,
                         struct rtk_rerun_table *table);
void rtk_ahead_remove_table(struct rtk_ahead *ahead,
                            struct rtk_rerun_table *table);

/* The statement is over: nothing is asked for any more. */
void rtk_ahead_clear(struct rtk_ahead *ahead);

/* Where this has been collected: *batch, borrowed until rtk_ahead_clear(), and
** its place there.  SQLITE_OK, SQLITE_NOTFOUND or SQLITE_NOMEM. */
int rtk_ahead_find(struct rtk_ahead *ahead, const struct rtk_wanted *wanted,
                   struct rtk_batch **batch, size_t *index);

/* Something is asked for that is not known and has not been collected: it is
** worth a run if that has happened before.  *has_run: look again.  SQLITE_OK,
** SQLITE_INTERRUPT, SQLITE_NOMEM or SQLITE_ERROR. */
int rtk_ahead_miss(struct rtk_ahead *ahead, bool *has_run, struct rtk_err *err);

/* Is this the collecting run?  Then what is not known is told to it.  SQLITE_OK,
** or SQLITE_ABORT: the run has to end. */
bool rtk_ahead_is_collecting(const struct rtk_ahead *ahead);
int rtk_ahead_collect(struct rtk_ahead *ahead, const struct rtk_wanted *wanted);

/* Is this the collecting run, and is it no longer worth its time? */
bool rtk_ahead_has_to_end(const struct rtk_ahead *ahead);

/* What became of it in the last statement that could have used it, in words;
** borrowed until the next call.  NULL: there was none. */
const char *rtk_ahead_describe(const struct rtk_ahead *ahead);

#endif
