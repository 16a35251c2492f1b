/*
** How far a statement is, in one line on stderr while it waits for the network.
**
** On a terminal the line is written over itself, and is taken away before
** rows are printed there; elsewhere there is a new one every few seconds.
*/
#ifndef RTK_PROGRESS_H
#define RTK_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct rtk_progress {
  /* Of the program, looked up once. */
  bool is_terminal;   /* stderr is one … */
  bool is_rows_there; /* … and so is stdout */
  bool is_shell;      /* the program is the sqlite3 shell, on a terminal */

  /* Of the statement. */
  bool is_on;
  bool is_visible;  /* the line stands on the terminal now … */
  int columns;      /* … and takes so many */
  int64_t begun_ms; /* by rtk_clock_ms(), as is the next */
  int64_t due_ms;   /* the next line */
};

/* What there is to tell. */
struct rtk_progress_news {
  int64_t done;
  int64_t total;    /* 0: not known */
  const char *noun; /* "session" */
  int64_t wait_ms;  /* for the quota; 0: none */
};

/* Looks at what the program is and where it writes; nothing to undo. */
void rtk_progress_init(struct rtk_progress *progress);

/* A statement begins.  `mode` is the setting: "on"; "auto": in the sqlite3
** shell, when stderr is a terminal, after RTK_PROGRESS_AUTO_MS; or "off". */
void rtk_progress_begin(struct rtk_progress *progress, const char *mode,
                        int64_t now_ms);

/* Shows it if it is time to; on a terminal cut to fit into one row. */
void rtk_progress_show(struct rtk_progress *progress,
                       const struct rtk_progress_news *news, int64_t now_ms);

/* Takes the line away if rows would be printed over it, or, at the end of the
** statement, in any case. */
void rtk_progress_hide(struct rtk_progress *progress, bool is_end);

/* One line on stderr for somebody who uses the sqlite3 shell: "rtk: WHAT: NAME:
** WHY".  Nothing in other programs, whose stderr is their own. */
void rtk_progress_warn(const char *what, const char *name, const char *why);

/* The line itself, into `size` bytes of `text`: "rtk: 512 of 1000 sessions,
** 34 a second, 12 s to wait for the quota". */
void rtk_progress_line(char *text, int size,
                       const struct rtk_progress_news *news,
                       int64_t elapsed_ms);

#endif
