/* What a statement says when the quota ends before it does. */
#include "fetch/messages.h"

#include "api/endpoint.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/show.h"
#include "fetch/job.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

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
  char until[RTK_SHOW_TIME_SIZE];
  int64_t number = tally->kept > 0 ? tally->kept : tally->count;
  sqlite3_str_appendf(out, "%lld", (long long)number);
  if (expected > 0) {
    sqlite3_str_appendf(out, " of %lld", (long long)expected);
  }
  sqlite3_str_appendf(out, " %s%s fetched", tally->noun,
                      number == 1 && expected == 0 ? "" : "s");
  if (tally->kept == 0) return;
  rtk_show_time(until, tally->until_unix_ms);
  sqlite3_str_appendf(out, " and kept in %s until %s",
                      is_in_file ? "the cache file" : "memory", until);
}

int rtk_message_quota_end(struct rtk_quota_end *end, struct rtk_err *err) {
  struct rtk_tallies *kept = &end->kept;
  char go_on[RTK_SHOW_TIME_SIZE];
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
  rtk_show_time(go_on, end->go_on_unix_ms);
  sqlite3_str_appendf(out, "; go on after %s, or set max_wait_ms to 0", go_on);
  return rtk_err_finish(err, out);
}

int rtk_message_quota_wait(int64_t go_on_unix_ms, struct rtk_err *err) {
  char go_on[RTK_SHOW_TIME_SIZE];
  err->kind = RTK_KIND_QUOTA;
  err->retry_unix_ms = go_on_unix_ms;
  rtk_show_time(go_on, go_on_unix_ms);
  return rtk_err_set(err,
                     "quota used up until %s: try again then, or set"
                     " max_wait_ms to 0",
                     go_on);
}

char *rtk_message_not_requested(const struct rtk_job *job, const char *token,
                                int64_t go_on_unix_ms) {
  char go_on[RTK_SHOW_TIME_SIZE];
  sqlite3_str *out = sqlite3_str_new(NULL);
  sqlite3_str_appendf(out, "not requested%s",
                      job->started_ms == 0 ? "" : " again");
  if (job->id.size > 0) {
    sqlite3_str_appendf(out, " for %s '", job->endpoint->noun);
    rtk_show(out, job->id.bytes, job->id.size, RTK_SHOW_ID_MAX, token);
    sqlite3_str_appendall(out, "'");
  }
  rtk_show_time(go_on, go_on_unix_ms);
  sqlite3_str_appendf(out,
                      ": the quota is used up; go on after %s, or set"
                      " max_wait_ms to 0",
                      go_on);
  return sqlite3_str_finish(out);
}
