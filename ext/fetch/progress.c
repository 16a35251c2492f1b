/* How far a statement is, in one line on stderr. */
#include "fetch/progress.h"

#include "base/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

#define LINE_MAX_BYTES 80

/* Is this program the sqlite3 shell?  Others' stderr is their own.  By its first
** argument: below a debugger or valgrind the process has their name. */
static bool is_shell(void) {
  static const char shell[] = "sqlite3";
#if defined(__APPLE__)
  const char *name = getprogname();
#else
  char first[512] = "";
  FILE *file = fopen("/proc/self/cmdline", "re");
  if (file == NULL) return false;
  if (fgets(first, (int)sizeof(first), file) == NULL) first[0] = '\0';
  (void)fclose(file);
  const char *slash = strrchr(first, '/');
  const char *name = slash == NULL ? first : slash + 1;
#endif
  return strncmp(name, shell, sizeof(shell) - 1) == 0;
}

void rtk_progress_init(struct rtk_progress *progress) {
  memset(progress, 0, sizeof(*progress));
  progress->is_terminal = isatty(STDERR_FILENO) == 1;
  progress->is_rows_there = isatty(STDOUT_FILENO) == 1;
  progress->is_shell = progress->is_terminal && is_shell();
}

void rtk_progress_warn(const char *what, const char *name, const char *why) {
  if (!is_shell()) return;
  (void)fprintf(stderr, "rtk: %s: %s: %s\n", what, name, why);
  (void)fflush(stderr);
}

/* Columns of the terminal that a line may take: one that fills the row makes the
** next row begin, and "\r" then goes back to the wrong place. */
static int columns_of_terminal(void) {
  struct winsize size = {0};
  int columns = LINE_MAX_BYTES;
  bool is_told = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0;
  if (is_told && size.ws_col > 0 && size.ws_col < columns) {
    columns = size.ws_col;
  }
  return columns - 1;
}

static int smaller(int a, int b) { return a < b ? a : b; }

void rtk_progress_begin(struct rtk_progress *progress, const char *mode,
                        int64_t now_ms) {
  bool is_auto = strcmp(mode, "auto") == 0;
  progress->is_on = is_auto ? progress->is_shell : strcmp(mode, "off") != 0;
  progress->is_visible = false;
  progress->begun_ms = now_ms;
  progress->due_ms = is_auto ? now_ms + RTK_PROGRESS_AUTO_MS : now_ms;
}

void rtk_progress_line(char *text, int size,
                       const struct rtk_progress_news *news,
                       int64_t elapsed_ms) {
  char of[32] = "";
  char rate[32] = "";
  char wait[48] = "";
  if (news->total > 0) {
    sqlite3_snprintf((int)sizeof(of), of, " of %lld", (long long)news->total);
  }
  if (news->done > 0 && elapsed_ms >= 1000) {
    sqlite3_snprintf((int)sizeof(rate), rate, ", %lld a second",
                     (long long)(news->done * 1000 / elapsed_ms));
  }
  if (news->wait_ms > 0) {
    sqlite3_snprintf((int)sizeof(wait), wait, ", %lld s to wait for the quota",
                     (long long)(news->wait_ms + 999) / 1000);
  }
  sqlite3_snprintf(size, text, "rtk: %lld%s %ss%s%s", (long long)news->done, of,
                   news->noun, rate, wait);
}

void rtk_progress_show(struct rtk_progress *progress,
                       const struct rtk_progress_news *news, int64_t now_ms) {
  char line[LINE_MAX_BYTES];
  if (!progress->is_on || now_ms < progress->due_ms) return;
  rtk_progress_line(line, (int)sizeof(line), news, now_ms - progress->begun_ms);
  if (progress->is_terminal) {
    int most = columns_of_terminal();
    int columns = smaller((int)strlen(line), most);
    int last = progress->is_visible ? smaller(progress->columns, most) : 0;
    int blank = last > columns ? last - columns : 0;
    (void)fprintf(stderr, "\r%.*s%*s\r", columns, line, blank, "");
    progress->columns = columns;
    progress->due_ms = now_ms + RTK_PROGRESS_EVERY_MS;
  } else {
    (void)fprintf(stderr, "%s\n", line);
    progress->due_ms = now_ms + RTK_PROGRESS_LOG_EVERY_MS;
  }
  (void)fflush(stderr);
  progress->is_visible = progress->is_terminal;
}

void rtk_progress_hide(struct rtk_progress *progress, bool is_end) {
  if (!progress->is_visible || !(is_end || progress->is_rows_there)) return;
  (void)fprintf(stderr, "\r%*s\r",
                smaller(progress->columns, columns_of_terminal()), "");
  (void)fflush(stderr);
  progress->is_visible = false;
}
