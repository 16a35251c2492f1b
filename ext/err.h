/*
** What went wrong, on its way to the user: an SQLite result code and a
** message that says what happened and what to do.
**
** Functions that can fail return the code and take a struct rtk_err last.
** A message is set once, where the cause is known, and handed up unchanged.
*/
#ifndef RTK_ERR_H
#define RTK_ERR_H

struct rtk_err {
  char *message; /* from sqlite3_malloc(); NULL when there is none */
};

#if defined(__GNUC__)
#define RTK_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define RTK_PRINTF(text, first)
#endif

/* Replaces the message and returns SQLITE_ERROR, or SQLITE_NOMEM when there
** was no memory for the message.  The format is that of sqlite3_mprintf(). */
int rtk_err_set(struct rtk_err *err, const char *format, ...) RTK_PRINTF(2, 3);

/* Puts `prefix` and ": " before the message, if there is one. */
void rtk_err_prefix(struct rtk_err *err, const char *prefix);

/* Hands the message to the caller, who frees it with sqlite3_free(). */
char *rtk_err_take(struct rtk_err *err);

void rtk_err_clear(struct rtk_err *err);

#endif
