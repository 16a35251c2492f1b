/*
** Prefetch for plain joins: the ids that a statement is going to ask for one by
** one are collected first, and then requested together.
**
**     SELECT c.name, s.viewer_seconds FROM customer_session c
**     JOIN rtk_livestream_session('A', 'P', c.session_id) s
**
** SQLite asks this table for one id after another.  At the second unknown id
** the same statement is run once more, with rows that are empty where a reply
** is not known yet: the collecting run (rerun.c).  Its results are thrown away;
** it only tells which calls follow.  LIMIT, EXISTS and DISTINCT end it where
** they end the statement.  The calls then go through a window (window.h).
**
** Why not read the join's other tables directly? Only SQLite knows which of
** their rows reach this table.
*/
#ifndef RTK_PREFETCH_H
#define RTK_PREFETCH_H

#include <stdbool.h>
#include <stddef.h>

struct rtk_prefetch;
struct rtk_call;
struct rtk_config;
struct rtk_err;
struct rtk_fetch;
struct rtk_rerun_table;
struct rtk_stats;
struct rtk_window;
struct sqlite3;

/* All are borrowed and must outlive it.  SQLITE_OK with *prefetch given (free
** with rtk_prefetch_free()) or SQLITE_NOMEM. */
int rtk_prefetch_new(struct sqlite3 *db, const struct rtk_config *config,
                     struct rtk_fetch *fetch, const struct rtk_stats *stats,
                     struct rtk_prefetch **prefetch);
void rtk_prefetch_free(struct rtk_prefetch *prefetch);

/* Around the life of each virtual table of ours that a collecting run may
** read. */
void rtk_prefetch_add_table(struct rtk_prefetch *prefetch,
                            struct rtk_rerun_table *table);
void rtk_prefetch_remove_table(struct rtk_prefetch *prefetch,
                               struct rtk_rerun_table *table);

/* The statement is over: cancels what is in flight and forgets what was
** collected. */
void rtk_prefetch_clear(struct rtk_prefetch *prefetch);

/* The place of a call among those that were collected.  SQLITE_OK,
** SQLITE_NOTFOUND or SQLITE_NOMEM. */
int rtk_prefetch_find(struct rtk_prefetch *prefetch,
                      const struct rtk_call *call, size_t *place);

/* The window over what was collected; borrowed until rtk_prefetch_clear(). */
struct rtk_window *rtk_prefetch_window(struct rtk_prefetch *prefetch);

/* The statement asks for a call that is neither known nor collected.  After
** some of them a collecting run may be due.  *has_run: look again.  SQLITE_OK,
** SQLITE_INTERRUPT, SQLITE_NOMEM or SQLITE_ERROR. */
int rtk_prefetch_miss(struct rtk_prefetch *prefetch,
                      const struct rtk_call *call, bool *has_run,
                      struct rtk_err *err);

/* A cursor has copied a list.  Is it the first one of the statement?  Mostly it
** is the only one, and all its ids are read. */
bool rtk_prefetch_is_first_list(struct rtk_prefetch *prefetch);

/* The same as rtk_prefetch_miss() for an id of a further list. */
int rtk_prefetch_miss_list(struct rtk_prefetch *prefetch,
                           const struct rtk_call *call, struct rtk_err *err);

/* Are the ids of lists collected, too? */
bool rtk_prefetch_has_lists(const struct rtk_prefetch *prefetch);

/* The same for an id that has to be in a list: there are more, so this one
** makes a run due, and what it collects is requested as a list is. */
int rtk_prefetch_miss_listed(struct rtk_prefetch *prefetch,
                             const struct rtk_call *call, bool *has_run,
                             struct rtk_err *err);

/* Will the statement read all rows of its tables?  SQLITE_OK, SQLITE_INTERRUPT
** or SQLITE_NOMEM. */
int rtk_prefetch_look(struct rtk_prefetch *prefetch, bool *are_rows_whole);

/* A cursor had an id and a list, and only one scan: to copy the list for each
** scan would take longer than to look through it.  Forgotten with what was
** collected. */
void rtk_prefetch_note_one_scan(struct rtk_prefetch *prefetch);
bool rtk_prefetch_has_one_scan(const struct rtk_prefetch *prefetch);

/* Is this the collecting run? Then it reports its unknown calls.  SQLITE_OK, or
** SQLITE_ABORT: the run has to end. */
bool rtk_prefetch_is_collecting(const struct rtk_prefetch *prefetch);
int rtk_prefetch_collect(struct rtk_prefetch *prefetch,
                         const struct rtk_call *call);

/* Is this the collecting run, and is it no longer worth its time? */
bool rtk_prefetch_has_to_end(const struct rtk_prefetch *prefetch);

/* Whether the last statement that could be prefetched was, in words: "on: …" or
** "off: …".  Borrowed until the next call; NULL: there was no such
** statement. */
const char *rtk_prefetch_describe(struct rtk_prefetch *prefetch);

#endif
