/* Ids before their turn. */
#include "fetch/ahead.h"

#include "base/clock.h"
#include "config/config.h"
#include "fetch/batch.h"
#include "fetch/rerun.h"
#include "fetch/stats.h"

#include <stdint.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* What differs in nothing but its id. */
struct list {
  struct rtk_batch batch;
  char *arguments; /* those that batch.wanted points to */
};

struct rtk_ahead {
  const struct rtk_config *config;
  struct rtk_fetch *fetch;
  const struct rtk_stats *stats;
  struct rtk_rerun rerun;
  struct list lists[RTK_AHEAD_LISTS_MAX];
  int list_count;
  size_t id_count, bytes; /* in all lists */

  int64_t misses;    /* since the last run */
  int64_t misses_at; /* which make the next run due */
  int64_t run_ms;    /* what the last one took */
  int64_t spent_ms;  /* in all runs */

  /* In a run. */
  bool is_collecting;
  size_t first_id;    /* id_count at its beginning */
  int64_t since_ms;   /* when the first id of it came; 0: none yet */
  int64_t latency_ms; /* of a request */

  char words[RTK_RERUN_WHY_MAX + 64];
};

int rtk_ahead_new(sqlite3 *db, const struct rtk_config *config,
                  struct rtk_fetch *fetch, const struct rtk_stats *stats,
                  struct rtk_ahead **ahead) {
  struct rtk_ahead *made = sqlite3_malloc64(sizeof(*made));
  if (made == NULL) return SQLITE_NOMEM;
  memset(made, 0, sizeof(*made));
  made->config = config;
  made->fetch = fetch;
  made->stats = stats;
  made->rerun.db = db;
  made->misses_at = RTK_AHEAD_MISSES;
  *ahead = made;
  return SQLITE_OK;
}

void rtk_ahead_clear(struct rtk_ahead *ahead) {
  for (int i = 0; i < ahead->list_count; i++) {
    rtk_batch_deinit(&ahead->lists[i].batch);
    sqlite3_free(ahead->lists[i].arguments);
  }
  ahead->list_count = 0;
  ahead->id_count = ahead->bytes = 0;
  ahead->misses = ahead->run_ms = ahead->spent_ms = 0;
  ahead->misses_at = RTK_AHEAD_MISSES;
  rtk_rerun_forget(&ahead->rerun);
}

void rtk_ahead_free(struct rtk_ahead *ahead) {
  if (ahead == NULL) return;
  rtk_ahead_clear(ahead);
  sqlite3_free(ahead);
}

void rtk_ahead_add_table(struct rtk_ahead *ahead,
                         struct rtk_rerun_table *table) {
  table->next = ahead->rerun.tables;
  ahead->rerun.tables = table;
}

void rtk_ahead_remove_table(struct rtk_ahead *ahead,
                            struct rtk_rerun_table *table) {
  struct rtk_rerun_table **link = &ahead->rerun.tables;
  while (*link != table) link = &(*link)->next;
  *link = table->next;
}

/* --- the lists --------------------------------------------------------------- */

static bool is_same(const struct rtk_wanted *a, const struct rtk_wanted *b) {
  if (a->endpoint != b->endpoint) return false;
  for (int k = 0; k < a->count; k++) {
    struct rtk_text x = a->arguments[k];
    struct rtk_text y = b->arguments[k];
    if (k == a->id) continue;
    if ((x.bytes == NULL) != (y.bytes == NULL) || x.size != y.size)
      return false;
    if (x.size > 0 && memcmp(x.bytes, y.bytes, x.size) != 0) return false;
  }
  return true;
}

static struct list *find_list(struct rtk_ahead *ahead,
                              const struct rtk_wanted *wanted) {
  for (int i = 0; i < ahead->list_count; i++) {
    struct list *list = &ahead->lists[i];
    if (is_same(&list->batch.wanted, wanted)) return list;
  }
  return NULL;
}

/* Copies the arguments of a new list, one after another. */
static int copy_arguments(struct list *list, const struct rtk_wanted *wanted) {
  size_t size = 1;
  for (int k = 0; k < wanted->count; k++) size += wanted->arguments[k].size;
  char *at = sqlite3_malloc64(size);
  if (at == NULL) return SQLITE_NOMEM;
  list->arguments = at;
  list->batch.wanted = *wanted;
  for (int k = 0; k < wanted->count; k++) {
    struct rtk_text *argument = &list->batch.wanted.arguments[k];
    if (argument->bytes == NULL) continue;
    if (argument->size > 0) memcpy(at, argument->bytes, argument->size);
    argument->bytes = at;
    at += argument->size;
  }
  return SQLITE_OK;
}

/* NULL: no memory, or there are too many. */
static struct list *add_list(struct rtk_ahead *ahead,
                             const struct rtk_wanted *wanted) {
  if (ahead->list_count == RTK_AHEAD_LISTS_MAX) return NULL;
  struct list *list = &ahead->lists[ahead->list_count];
  memset(list, 0, sizeof(*list));
  if (copy_arguments(list, wanted) != SQLITE_OK) return NULL;
  list->batch.fetch = ahead->fetch;
  list->batch.growth = RTK_AHEAD_GROWTH;
  ahead->list_count++;
  return list;
}

int rtk_ahead_find(struct rtk_ahead *ahead, const struct rtk_wanted *wanted,
                   struct rtk_batch **batch, size_t *index) {
  struct list *list = find_list(ahead, wanted);
  if (list == NULL) return SQLITE_NOTFOUND;
  *batch = &list->batch;
  return rtk_ids_find(&list->batch.ids, rtk_wanted_id(wanted), index);
}

/* --- the run ------------------------------------------------------------------- */

bool rtk_ahead_is_collecting(const struct rtk_ahead *ahead) {
  return ahead->is_collecting;
}

/* Is the run worth more time?  Not when it already takes longer than its ids
** would, one after another. */
static bool goes_on(const void *user) {
  const struct rtk_ahead *ahead = user;
  int64_t ids = (int64_t)(ahead->id_count - ahead->first_id);
  if (ahead->since_ms == 0) return true;
  return rtk_clock_ms() - ahead->since_ms <
         RTK_AHEAD_GRACE_MS + ids * ahead->latency_ms;
}

bool rtk_ahead_has_to_end(const struct rtk_ahead *ahead) {
  return ahead->is_collecting && !goes_on(ahead);
}

static int collect(struct rtk_ahead *ahead, const struct rtk_wanted *wanted) {
  bool is_new = false;
  struct rtk_text id = rtk_wanted_id(wanted);
  struct list *list = find_list(ahead, wanted);
  if (list == NULL) list = add_list(ahead, wanted);
  if (list == NULL) return SQLITE_ABORT;
  int rc = rtk_ids_add_new(&list->batch.ids, id, &is_new);
  if (rc != SQLITE_OK || !is_new) return rc;
  ahead->id_count++;
  ahead->bytes += id.size + RTK_AHEAD_ID_OVERHEAD;
  return SQLITE_OK;
}

int rtk_ahead_collect(struct rtk_ahead *ahead,
                      const struct rtk_wanted *wanted) {
  if (ahead->since_ms == 0) ahead->since_ms = rtk_clock_ms();
  bool is_full = ahead->id_count >= RTK_AHEAD_IDS_MAX ||
                 ahead->bytes >= RTK_AHEAD_BYTES_MAX || !goes_on(ahead);
  return is_full || collect(ahead, wanted) != SQLITE_OK ? SQLITE_ABORT
                                                        : SQLITE_OK;
}

/* 0: not known yet. */
static int64_t latency(const struct rtk_ahead *ahead) {
  int64_t ms = rtk_stats_latency(ahead->stats, 50);
  return ms < 0 ? 0 : ms;
}

/* A run that found nothing new makes the next one less likely. */
static int run(struct rtk_ahead *ahead, struct rtk_err *err) {
  int64_t begun_ms = rtk_clock_ms();
  ahead->latency_ms = latency(ahead);
  ahead->first_id = ahead->id_count;
  ahead->since_ms = 0;
  ahead->is_collecting = true;
  int rc = rtk_rerun_step(&ahead->rerun, goes_on, ahead, err);
  ahead->is_collecting = false;
  ahead->run_ms = rtk_clock_ms() - begun_ms;
  ahead->spent_ms += ahead->run_ms;
  ahead->misses = 0;
  if (ahead->id_count > ahead->first_id) {
    ahead->misses_at = RTK_AHEAD_MISSES;
  } else {
    ahead->misses_at *= 2;
  }
  sqlite3_snprintf((int)sizeof(ahead->words), ahead->words,
                   "on: %lld ids collected in %lld ms",
                   (long long)ahead->id_count, (long long)ahead->spent_ms);
  return rc;
}

/* A run goes through what the statement has gone through so far, such as a GROUP BY
** over many rows.  How many ids are to come nobody knows: it has to be worth it for
** as many as have come. */
static bool is_too_costly(const struct rtk_ahead *ahead) {
  int64_t request_ms = latency(ahead) < 1 ? 1 : latency(ahead);
  int64_t again_ms = rtk_rerun_scanned(&ahead->rerun) / RTK_AHEAD_ROWS_PER_MS;
  return ahead->misses * request_ms < again_ms;
}

int rtk_ahead_miss(struct rtk_ahead *ahead, bool *has_run,
                   struct rtk_err *err) {
  *has_run = false;
  if (++ahead->misses < ahead->misses_at) return SQLITE_OK;
  if (ahead->misses * latency(ahead) < ahead->run_ms) return SQLITE_OK;
  if (is_too_costly(ahead)) {
    sqlite3_snprintf((int)sizeof(ahead->words), ahead->words,
                     "off: to read the tables again costs more than it saves");
    return SQLITE_OK;
  }
  if (strcmp(rtk_config_text(ahead->config, RTK_READ_AHEAD), "on") != 0) {
    sqlite3_snprintf((int)sizeof(ahead->words), ahead->words,
                     "off: the setting read_ahead");
    return SQLITE_OK;
  }
  int rc = rtk_rerun_find(&ahead->rerun);
  if (rc == SQLITE_INTERRUPT || rc == SQLITE_NOMEM) return rc;
  if (rc != SQLITE_OK) {
    sqlite3_snprintf((int)sizeof(ahead->words), ahead->words, "off: %s",
                     ahead->rerun.why);
    ahead->misses_at *= 2;
    return SQLITE_OK;
  }
  *has_run = true;
  return run(ahead, err);
}

const char *rtk_ahead_describe(const struct rtk_ahead *ahead) {
  return ahead->words[0] == '\0' ? NULL : ahead->words;
}
