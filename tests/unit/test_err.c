/* Messages on their way to the user. */
#include "base/err.h"

#include "check.h"

CASE(a_message_is_set_prefixed_and_taken) {
  struct rtk_err err = {0};
  rtk_err_prefix(&err, "nothing");
  check_text("prefix of nothing", "message", err.message, NULL);
  check_text("take nothing", "message", rtk_err_take(&err), NULL);

  check_int("set", "result", rtk_err_set(&err, "id %d", 7), SQLITE_ERROR);
  check_text("set", "message", err.message, "id 7");
  check_int("set again", "result", rtk_err_set(&err, "%s!", err.message),
            SQLITE_ERROR);
  check_text("set again from itself", "message", err.message, "id 7!");
  rtk_err_prefix(&err, "100%s");
  check_text("prefix", "message", err.message, "100%s: id 7!");

  char *taken = rtk_err_take(&err);
  check_text("take", "message", taken, "100%s: id 7!");
  check_text("take", "what is left", err.message, NULL);
  sqlite3_free(taken);

  (void)rtk_err_set(&err, "%s", "");
  check_text("empty", "message", err.message, "");
  rtk_err_clear(&err);
  rtk_err_clear(&err);
  check_text("clear", "message", err.message, NULL);
}

static int set_and_prefix(void *arg) {
  struct rtk_err err = {0};
  int rc = rtk_err_set(&err, "%s", (const char *)arg);
  rtk_err_prefix(&err, "before");
  if (rc == SQLITE_ERROR) {
    check_has("no memory for a prefix", err.message, "message");
  } else {
    check_text("no memory for a message", "message", err.message, NULL);
  }
  rtk_err_clear(&err);
  return rc == SQLITE_ERROR ? SQLITE_OK : rc;
}

CASE(no_memory_is_told) {
  check_nomem("set and prefix", set_and_prefix, "message", true);
}

int main(void) { return check_run(); }
