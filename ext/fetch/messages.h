/*
** What a statement says to people: how far it is, in one line on stderr while
** it waits for the network, and what it got when the quota ends before it does.
**
**     rtk: 512 of 1000 sessions, 34 a second, 12 s to wait for the quota
**
**     quota: 120 of 500 sessions fetched and kept in the cache file until
**     2026-03-01T12:00:00Z; go on after 2026-02-28T11:05:00Z, or set
**     max_wait_ms to 0
**
** On a terminal the progress line is written over itself, and is removed before
** rows are printed there.  Elsewhere there is a new line every few seconds.
*/
#ifndef RTK_MESSAGES_H
#define RTK_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>

struct rtk_err;
struct rtk_job;

/* --- progress ------------------------------------------------------------- */

struct rtk_progress {
  /* Of the program, looked up once. */
  bool is_terminal;   /* stderr is a terminal … */
  bool is_rows_there; /* … and so is stdout */
  bool is_shell;      /* the program is the sqlite3 shell, on a terminal */

  /* Of the statement. */
  bool is_on;
  bool is_visible;  /* the line stands on the terminal now … */
  int columns;      /* … and has this many */
  int64_t begun_ms; /* by rtk_clock_ms(), as is the next */
  int64_t due_ms;   /* the next line */
};

/* What is shown. */
struct rtk_progress_news {
  int64_t done;
  int64_t total;    /* 0: not known */
  const char *noun; /* "session" */
  int64_t wait_ms;  /* for the quota; 0: none */
};

/* Looks at what the program is and where it writes.  Needs no deinit. */
void rtk_progress_init(struct rtk_progress *progress);

/* A statement begins.  `mode` is the setting: "on"; "auto": in the sqlite3
** shell, when stderr is a terminal, after 2 s; or "off". */
void rtk_progress_begin(struct rtk_progress *progress, const char *mode,
                        int64_t now_ms);

/* Shows the line when it is due; on a terminal cut to fit into one row. */
void rtk_progress_show(struct rtk_progress *progress,
                       const struct rtk_progress_news *news, int64_t now_ms);

/* Removes the line if rows would be printed over it, and always at the end of
** the statement. */
void rtk_progress_hide(struct rtk_progress *progress, bool is_end);

/* One line on stderr for somebody who uses the sqlite3 shell: "rtk: WHAT: NAME:
** WHY".  Nothing in other programs, whose stderr is their own. */
void rtk_progress_warn(const char *what, const char *name, const char *why);

/* The line itself, into `size` bytes of `text`: "rtk: 512 of 1000 sessions,
** 34 a second, 12 s to wait for the quota". */
void rtk_progress_line(char *text, int size,
                       const struct rtk_progress_news *news,
                       int64_t elapsed_ms);

/* --- the end of the quota ------------------------------------------------- */

/* Replies of one noun ("session", "page"). */
struct rtk_tally {
  const char *noun; /* static */
  int64_t count;
  int64_t kept;          /* of those, how many outlive the statement … */
  int64_t until_unix_ms; /* … all of them until then */
};

/* Nouns that are counted apart; what is more counts with the last one. */
#define RTK_TALLIES_MAX 16

struct rtk_tallies {
  int64_t total; /* of all counts */
  struct rtk_tally tally[RTK_TALLIES_MAX];
  int size; /* of it */
};

/* Counts a reply that is kept until that Unix time in ms; 0: it is not kept. */
void rtk_tallies_add(struct rtk_tallies *tallies, const char *noun,
                     int64_t until_unix_ms);

/* The end of the quota, as it is told. */
struct rtk_quota_end {
  struct rtk_tallies kept; /* what need not be requested again */
  const char *noun;        /* of the last request */
  int64_t expected;        /* ids of the statement; 0: not known */
  bool is_in_file;         /* the replies are kept in the cache file */
  bool is_blocked;         /* by a 429 */
  int64_t go_on_unix_ms;
};

/* Returns SQLITE_ERROR with the message in `err`, or SQLITE_NOMEM. */
int rtk_message_quota_end(struct rtk_quota_end *end, struct rtk_err *err);

/* The same for a single request that is not made. */
int rtk_message_quota_wait(int64_t go_on_unix_ms, struct rtk_err *err);

/* Why a job has no reply when the quota has ended; `token` is kept out of it.
** Free with sqlite3_free(); NULL: no memory. */
char *rtk_message_not_requested(const struct rtk_job *job, const char *token,
                                int64_t go_on_unix_ms);

#endif
