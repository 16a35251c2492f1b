/* What a statement says to people. */
#include "fetch/messages.h"

#include "api/endpoint.h"
#include "base/err.h"
#include "base/sanitize.h"
#include "fetch/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* --- progress ------------------------------------------------------------- */

/* ms: when the mode is "auto", the first line comes after this time; how often
** the line changes on a terminal, and elsewhere. */
#define AUTO_MS 2000
#define EVERY_MS 250
#define LOG_EVERY_MS 5000

#define LINE_MAX_BYTES 80

/* Is this program the sqlite3 shell? Others' stderr is their own.  By its first
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

/* Columns of the terminal that a line may take: one that fills the row makes
** the next row begin, and "\r" then goes back to the wrong place. */
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
  progress->due_ms = is_auto ? now_ms + AUTO_MS : now_ms;
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
    progress->due_ms = now_ms + EVERY_MS;
  } else {
    (void)fprintf(stderr, "%s\n", line);
    progress->due_ms = now_ms + LOG_EVERY_MS;
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

/* --- the end of the quota ------------------------------------------------- */

void rtk_tallies_add(struct rtk_tallies *tallies, const char *noun,
                     int64_t until_unix_ms) {
  int i = 0;
  while (i < tallies->size && strcmp(tallies->tally[i].noun, noun) != 0) i++;
  if (i == RTK_TALLIES_MAX) i--;
  struct rtk_tally *tally = &tallies->tally[i];
  if (i == tallies->size) {
    *tally = (struct rtk_tally){.noun = noun};
    tallies->size++;
  }
  tallies->total++;
  tally->count++;
  if (until_unix_ms == 0) return;
  if (tally->kept++ == 0 || until_unix_ms < tally->until_unix_ms) {
    tally->until_unix_ms = until_unix_ms;
  }
}

/* "2 pages fetched and kept in memory until …" */
static void say_tally(sqlite3_str *out, const struct rtk_tally *tally,
                      int64_t expected, bool is_in_file) {
  char until[RTK_TIME_TEXT_SIZE];
  int64_t number = tally->kept > 0 ? tally->kept : tally->count;
  sqlite3_str_appendf(out, "%lld", (long long)number);
  if (expected > 0) {
    sqlite3_str_appendf(out, " of %lld", (long long)expected);
  }
  sqlite3_str_appendf(out, " %s%s fetched", tally->noun,
                      number == 1 && expected == 0 ? "" : "s");
  if (tally->kept == 0) return;
  rtk_time_text(until, tally->until_unix_ms);
  sqlite3_str_appendf(out, " and kept in %s until %s",
                      is_in_file ? "the cache file" : "memory", until);
}

int rtk_message_quota_end(struct rtk_quota_end *end, struct rtk_err *err) {
  struct rtk_tallies *kept = &end->kept;
  char go_on[RTK_TIME_TEXT_SIZE];
  sqlite3_str *out = sqlite3_str_new(NULL);
  err->kind = RTK_KIND_QUOTA;
  err->retry_unix_ms = end->go_on_unix_ms;
  sqlite3_str_appendf(out, "quota%s: ", end->is_blocked ? " (HTTP 429)" : "");
  if (kept->size == 0) {
    kept->tally[kept->size++] = (struct rtk_tally){.noun = end->noun};
  }
  for (int i = 0; i < kept->size; i++) {
    if (i > 0) sqlite3_str_appendall(out, ", ");
    say_tally(out, &kept->tally[i], kept->size == 1 ? end->expected : 0,
              end->is_in_file);
  }
  rtk_time_text(go_on, end->go_on_unix_ms);
  sqlite3_str_appendf(out, "; go on after %s, or set max_wait_ms to 0", go_on);
  return rtk_err_finish(err, out);
}

int rtk_message_quota_wait(int64_t go_on_unix_ms, struct rtk_err *err) {
  char go_on[RTK_TIME_TEXT_SIZE];
  err->kind = RTK_KIND_QUOTA;
  err->retry_unix_ms = go_on_unix_ms;
  rtk_time_text(go_on, go_on_unix_ms);
  return rtk_err_set(err,
                     "quota used up until %s: try again then, or set"
                     " max_wait_ms to 0",
                     go_on);
}

char *rtk_message_not_requested(const struct rtk_job *job, const char *token,
                                int64_t go_on_unix_ms) {
  char go_on[RTK_TIME_TEXT_SIZE];
  sqlite3_str *out = sqlite3_str_new(NULL);
  sqlite3_str_appendf(out, "not requested%s",
                      job->started_ms == 0 ? "" : " again");
  if (job->id.size > 0) {
    sqlite3_str_appendf(out, " for %s '", job->endpoint->noun);
    rtk_sanitize(out, job->id.bytes, job->id.size, RTK_SHOWN_ID_MAX, token);
    sqlite3_str_appendall(out, "'");
  }
  rtk_time_text(go_on, go_on_unix_ms);
  sqlite3_str_appendf(out,
                      ": the quota is used up; go on after %s, or set"
                      " max_wait_ms to 0",
                      go_on);
  return sqlite3_str_finish(out);
}
