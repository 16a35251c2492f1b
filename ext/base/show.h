/*
** Text from elsewhere (a server, a user) made fit to stand in a message: cut,
** on one line, valid UTF-8, and without the token.
*/
#ifndef RTK_SHOW_H
#define RTK_SHOW_H

#include <stddef.h>
#include <stdint.h>

struct sqlite3_str;

/* Appends at most `max` bytes; control characters become spaces, bytes that
** are not UTF-8 become "?", the token (NULL: none) becomes "***"; "…" stands
** for what was cut.  Where the text ends in the first part of the token
** (RTK_SHOW_TOKEN_PART_MIN), that is "***" too: headers come here cut. */
void rtk_show(struct sqlite3_str *out, const char *text, size_t size,
              size_t max, const char *token);

/* Bytes of "2024-01-31T00:00:00Z" and its end. */
#define RTK_SHOW_TIME_SIZE 32

/* Writes a time, ms since 1970, in that form: UTC, the second rounded up.  "" for
** one that is too far off.  `text` has RTK_SHOW_TIME_SIZE bytes. */
void rtk_show_time(char *text, int64_t unix_ms);

#endif
