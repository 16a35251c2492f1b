/* The line that tells how far a statement is. */
#include "fetch/messages.h"

#include "base/limits.h"

#include "check.h"

CASE(the_line_tells_what_is_known) {
  static const struct {
    const char *name;
    struct rtk_progress_news news;
    int64_t elapsed_ms;
    const char *line;
  } cases[] = {
      {"nothing yet", {0, 0, "session", 0}, 0, "rtk: 0 sessions"},
      {"of how many", {0, 5, "session", 0}, 5000, "rtk: 0 of 5 sessions"},
      {"no rate before a second",
       {2, 5, "session", 0},
       999,
       "rtk: 2 of 5 sessions"},
      {"with a rate",
       {512, 1000, "session", 0},
       15000,
       "rtk: 512 of 1000 sessions, 34 a second"},
      {"a wait is rounded up",
       {512, 1000, "session", 11001},
       15000,
       "rtk: 512 of 1000 sessions, 34 a second, 12 s to wait for the quota"},
      {"total unknown",
       {7, 0, "livestream", 1},
       0,
       "rtk: 7 livestreams, 1 s to wait for the quota"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char line[80];
    rtk_progress_line(line, (int)sizeof(line), &cases[i].news,
                      cases[i].elapsed_ms);
    check_text(cases[i].name, "line", line, cases[i].line);
  }
}

/* A line never fills the terminal's row. */
CASE(the_line_is_cut) {
  char line[16];
  struct rtk_progress_news news = {INT64_MAX / 1000, INT64_MAX, "session",
                                   RTK_WAIT_MAX_MS};
  rtk_progress_line(line, (int)sizeof(line), &news, 1000);
  check_text("long", "line", line, "rtk: 9223372036");
}

/* stderr is no terminal here: "auto" is off, "on" is not. */
CASE(the_mode_says_when) {
  struct rtk_progress progress;
  rtk_progress_init(&progress);
  check_int("here", "is shell", progress.is_shell, false);
  rtk_progress_begin(&progress, "off", 1000);
  check_int("off", "is on", progress.is_on, false);
  rtk_progress_begin(&progress, "auto", 1000);
  check_int("auto", "is on", progress.is_on, false);
  check_int("auto", "due", progress.due_ms, 1000 + 2000);
  rtk_progress_begin(&progress, "on", 1000);
  check_int("on", "is on", progress.is_on, true);
  check_int("on", "due", progress.due_ms, 1000);
}

/* What the program is, is kept from statement to statement; the line is not. */
CASE(a_statement_begins_anew) {
  struct rtk_progress progress;
  rtk_progress_init(&progress);
  progress.is_terminal = progress.is_rows_there = progress.is_shell = true;
  progress.is_visible = true;
  rtk_progress_begin(&progress, "auto", 1000);
  check_int("shell", "is on", progress.is_on, true);
  check_int("shell", "is terminal", progress.is_terminal, true);
  check_int("shell", "is rows there", progress.is_rows_there, true);
  check_int("shell", "is visible", progress.is_visible, false);
  rtk_progress_begin(&progress, "off", 2000);
  check_int("shell, off", "is on", progress.is_on, false);
}

int main(void) { return check_run(); }
