/* Numbers in text, the same in every locale. */
#ifndef RTK_NUMBER_H
#define RTK_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Larger numbers are read as this one: thousandths of it, and the difference of
** two, still fit. */
#define RTK_NUMBER_MAX (INT64_MAX / 10000)

static inline bool rtk_is_digit(char c) { return c >= '0' && c <= '9'; }

/* Reads the digits at *at and moves it behind the last one; -1: there is
** none. */
static inline int64_t rtk_number_read(const char **at) {
  int64_t number = rtk_is_digit(**at) ? 0 : -1;
  for (; rtk_is_digit(**at); (*at)++) {
    number = number * 10 + (**at - '0');
    if (number > RTK_NUMBER_MAX) number = RTK_NUMBER_MAX;
  }
  return number;
}

/* Reads the digits behind a point as thousandths, "25" as 250; further ones are
** left out.  Moves *at behind the last one. */
static inline int64_t rtk_number_read_fraction(const char **at) {
  int64_t fraction = 0;
  for (int unit = 100; rtk_is_digit(**at); (*at)++, unit /= 10) {
    fraction += unit * (**at - '0');
  }
  return fraction;
}

#endif
