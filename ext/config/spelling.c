/*
** Is a word a misspelling of another one?
**
**     TIMOUT_MS        TIMEOUT_MS    near: a letter is missing
**     TIMEOUT          TIMEOUT_MS    near: the beginning, and more than half
**     TIMEOUT_SECONDS  TIMEOUT_MS    near: another unit
**     HOME             TIMEOUT_MS    far
**
** The number of letters that differ is the optimal string alignment distance:
** the usual table, row by row, of the distances of all beginnings of the two
** words.
*/
#include "config/spelling.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#define LETTERS_MAX 32 /* longer words are never near */
#define SHORT_MAX 5    /* letters of a word with one mistake at the most */
#define PLAIN_MIN 4    /* letters: a shorter word is never near */
#define UNIT_MAX 3     /* bytes of "_MS" and "_S" */

static int smaller(int a, int b) { return a < b ? a : b; }

static bool is_same(char a, char b) {
  return toupper((unsigned char)a) == toupper((unsigned char)b);
}

static int distance(const char *a, size_t a_size, const char *b,
                    size_t b_size) {
  int rows[3]
          [LETTERS_MAX + 1]; /* the row before the last, the last, this one */
  for (size_t k = 0; k <= b_size; k++) rows[1][k] = (int)k;
  memset(rows[0], 0, sizeof(rows[0]));
  for (size_t i = 1; i <= a_size; i++) {
    rows[2][0] = (int)i;
    for (size_t k = 1; k <= b_size; k++) {
      int change = is_same(a[i - 1], b[k - 1]) ? 0 : 1;
      int least = smaller(rows[1][k] + 1, rows[2][k - 1] + 1);
      least = smaller(least, rows[1][k - 1] + change);
      if (i > 1 && k > 1 && is_same(a[i - 1], b[k - 2]) &&
          is_same(a[i - 2], b[k - 1])) {
        least = smaller(least, rows[0][k - 2] + 1);
      }
      rows[2][k] = least;
    }
    memmove(rows[0], rows[1], 2 * sizeof(rows[0]));
  }
  return rows[1][b_size];
}

bool rtk_spelling_is_near(const char *word, const char *right) {
  size_t size = strlen(word);
  size_t right_size = strlen(right);
  if (size < PLAIN_MIN || size > LETTERS_MAX || right_size > LETTERS_MAX) {
    return false;
  }
  int letters = distance(word, size, right, right_size);
  if (letters == 0) return strcmp(word, right) != 0;
  if (letters <= (size <= SHORT_MAX ? 1 : 2)) return true;
  const char *unit = strrchr(right, '_');
  if (unit != NULL && strlen(unit) <= UNIT_MAX) {
    size_t stem = (size_t)(unit - right) + 1;
    if (size > stem && distance(word, stem, right, stem) == 0) return true;
  }
  return size < right_size && right[size] == '_' && 2 * size >= right_size &&
         distance(word, size, right, size) == 0;
}
