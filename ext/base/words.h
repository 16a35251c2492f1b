/* Lists of words in one text. */
#ifndef RTK_WORDS_H
#define RTK_WORDS_H

#include "base/value.h"

#include <stdbool.h>
#include <string.h>

/* Is `word` one of `words`, which have a space between them? */
static inline bool rtk_words_have(const char *words, struct rtk_text word) {
  while (*words != '\0') {
    size_t size = strcspn(words, " ");
    if (size == word.size && memcmp(words, word.bytes, size) == 0) return true;
    words += size + (words[size] == ' ');
  }
  return false;
}

#endif
