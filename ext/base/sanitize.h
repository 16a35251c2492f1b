/*
** Text from a server or a user made safe for a message: cut, on one line, valid
** UTF-8, and without the token.
**
**     "no\nsuch token SECRET"  -->  "no such token ***"
*/
#ifndef RTK_SANITIZE_H
#define RTK_SANITIZE_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of an id, and of the server's own words, shown in a message. */
#define RTK_SHOWN_ID_MAX 64
#define RTK_SHOWN_TEXT_MAX 300

/* Bytes of a token's beginning that are hidden at the end of a text, which may
** have been cut there; and of a token's beginning that is a word of its own. */
#define RTK_HIDDEN_TOKEN_PART_MIN 4
#define RTK_HIDDEN_TOKEN_WORD_MIN 8

struct sqlite3_str;

/* Appends at most `max` bytes, and "…" where the text is cut.  Control
** characters become spaces, bytes that are not UTF-8 "?", the token (NULL:
** none) "***".  So does its first part at the end of the text: headers were cut
** before. */
void rtk_sanitize(struct sqlite3_str *out, const char *text, size_t size,
                  size_t max, const char *token);

/* Bytes of "2024-01-31T00:00:00Z" and its end. */
#define RTK_TIME_TEXT_SIZE 32

/* Writes a time, ms since 1970, in that form: UTC, rounded up to the second; ""
** for a time that has no such form.  `text` has RTK_TIME_TEXT_SIZE bytes. */
void rtk_time_text(char *text, int64_t unix_ms);

#endif
