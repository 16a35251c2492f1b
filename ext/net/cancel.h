/*
** Does the host want the running statement to stop?  sqlite3_interrupt()
** (Ctrl-C in the shell) and a progress handler both count.
*/
#ifndef RTK_CANCEL_H
#define RTK_CANCEL_H

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;

struct rtk_cancel {
  struct sqlite3 *db;  /* borrowed: the connection that rtk was loaded in */
  int64_t checked_ms;  /* when the host was last asked, by rtk_clock_ms() */
  int64_t progress_ms; /* when a progress handler could last run */
};

/* Cheap enough for every round of a loop: asks at most once in
** RTK_CANCEL_CHECK_MS. */
bool rtk_cancel_asked(struct rtk_cancel *cancel);

#endif
