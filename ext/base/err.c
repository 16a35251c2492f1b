/* An error on its way to the user. */
#include "base/err.h"

#include <stdarg.h>
#include <stddef.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

const char *rtk_kind_word(enum rtk_kind kind) {
  static const char *const words[] = {
#define RTK_KIND_WORD(name, word) [RTK_KIND_##name] = (word),
      RTK_KINDS(RTK_KIND_WORD)
#undef RTK_KIND_WORD
  };
  return words[kind];
}

int rtk_err_set(struct rtk_err *err, const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *message = sqlite3_vmprintf(format, args);
  va_end(args);
  sqlite3_free(err->message);
  err->message = message;
  return message == NULL ? SQLITE_NOMEM : SQLITE_ERROR;
}

int rtk_err_finish(struct rtk_err *err, sqlite3_str *message) {
  char *text = sqlite3_str_finish(message);
  if (text == NULL) return SQLITE_NOMEM;
  sqlite3_free(err->message);
  err->message = text;
  return SQLITE_ERROR;
}

void rtk_err_prefix(struct rtk_err *err, const char *prefix) {
  if (err->message == NULL) return;
  char *longer = sqlite3_mprintf("%s: %s", prefix, err->message);
  if (longer == NULL) return; /* the message alone still says it */
  sqlite3_free(err->message);
  err->message = longer;
}

char *rtk_err_take(struct rtk_err *err) {
  char *message = err->message;
  err->message = NULL;
  return message;
}

void rtk_err_clear(struct rtk_err *err) {
  sqlite3_free(err->message);
  *err = (struct rtk_err){0};
}
