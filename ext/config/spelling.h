/* Is a word a misspelling of another one? */
#ifndef RTK_SPELLING_H
#define RTK_SPELLING_H

#include <stdbool.h>

/* Is `word` not `right`, yet likely meant to be? Upper and lower case are the
** same. Two letters are left out, put in, exchanged or swapped at the most, in
** a short word one; or the last words of `right` ("_MS" of "TIMEOUT_MS") are
** missing, or its unit is another. */
bool rtk_spelling_is_near(const char *word, const char *right);

#endif
