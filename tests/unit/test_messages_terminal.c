/* The line that tells how far a statement is, on a terminal of any width. */
#define _XOPEN_SOURCE 700 /* posix_openpt() */
#include "fetch/messages.h"

#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const struct rtk_progress_news long_news = {512, 100000, "livestream",
                                                   11000};
static const struct rtk_progress_news short_news = {7, 0, "session", 0};

/* What goes to stderr while it is a terminal of so many columns, cut into what
** stands between two "\r"; returns how many. */
static int write_on_terminal(int columns, int columns_then, char parts[][100]) {
  struct winsize size = {.ws_row = 20, .ws_col = (unsigned short)columns};
  struct rtk_progress progress;
  char text[1000];
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
  int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
  int before = dup(STDERR_FILENO);
  assert_int_equal(ioctl(slave, TIOCSWINSZ, &size), 0);
  (void)dup2(slave, STDERR_FILENO);
  rtk_progress_init(&progress);
  rtk_progress_begin(&progress, "on", 1000);
  rtk_progress_show(&progress, &long_news, 5000);
  size.ws_col = (unsigned short)columns_then;
  (void)ioctl(slave, TIOCSWINSZ, &size);
  rtk_progress_show(&progress, &short_news, 6000);
  rtk_progress_hide(&progress, true);
  (void)dup2(before, STDERR_FILENO);
  (void)close(before);
  (void)close(slave); /* the only one: what has been written ends there */
  size_t size_read = 0;
  ssize_t got = 0;
  while ((got = read(master, text + size_read, sizeof(text) - 1 - size_read)) >
         0) {
    size_read += (size_t)got;
  }
  (void)close(master);
  text[size_read] = '\0';
  int count = 0;
  for (const char *at = text; *at != '\0' && count < 10;) {
    size_t bytes = strcspn(at, "\r");
    if (bytes > 0) {
      (void)snprintf(parts[count++], 100, "%.*s", (int)bytes, at);
    }
    at += at[bytes] == '\0' ? bytes : bytes + 1;
  }
  return count;
}

CASE(a_line_fits_into_a_row) {
  static const struct {
    int columns, then;
    const char *parts[3];
  } cases[] = {
      {200,
       200,
       {"rtk: 512 of 100000 livestreams, 128 a second, 11 s to wait for the quo"
        "ta",
        "rtk: 7 sessions, 1 a second"
        "                                             ",
        "                           "}},
      {60,
       60,
       {"rtk: 512 of 100000 livestreams, 128 a second, 11 s to wait ",
        "rtk: 7 sessions, 1 a second                                ",
        "                           "}},
      {60,
       20,
       {"rtk: 512 of 100000 livestreams, 128 a second, 11 s to wait ",
        "rtk: 7 sessions, 1 ", "                   "}},
      {0,
       0, /* not told */
       {"rtk: 512 of 100000 livestreams, 128 a second, 11 s to wait for the quo"
        "ta",
        "rtk: 7 sessions, 1 a second"
        "                                             ",
        "                           "}},
      {2, 2, {"r", "r", " "}},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char parts[10][100], name[40];
    (void)snprintf(name, sizeof(name), "%d columns, then %d", cases[i].columns,
                   cases[i].then);
    int count = write_on_terminal(cases[i].columns, cases[i].then, parts);
    check_int(name, "parts", count, 3);
    for (int k = 0; k < count && k < 3; k++) {
      check_text(name, "line", parts[k], cases[i].parts[k]);
    }
  }
}

int main(void) { return check_run(); }
