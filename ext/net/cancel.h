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
  int64_t checked_ms;  /* when it was last asked, by rtk_clock_ms() */
  int64_t progress_ms; /* when a progress handler last had its turn */
};

/* Cheap enough for every turn of a loop: looks at most once in
** RTK_CANCEL_CHECK_MS. */
bool rtk_cancel_asked(struct rtk_cancel *cancel);

#endif
