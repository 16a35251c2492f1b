/*
** One value of one column, as a reply gave it.  Text is borrowed from
** whatever holds the value (a reply, a JSON document), is UTF-8, not
** NUL-terminated, and `size` bytes long.
*/
#ifndef RTK_VALUE_H
#define RTK_VALUE_H

#include <stddef.h>
#include <stdint.h>

enum rtk_type { RTK_NULL, RTK_INTEGER, RTK_REAL, RTK_TEXT };

struct rtk_value {
  enum rtk_type type;
  uint32_t size; /* bytes of text; 0 for the other types */
  union {
    int64_t integer;
    double real;
    const char *text;
  } as;
};

/* Text that need not end in NUL. */
struct rtk_text {
  const char *bytes;
  size_t size;
};

#endif
