/* Prefetch for plain joins. */
#include "fetch/prefetch.h"

#include "api/endpoint.h"
#include "api/url.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/strset.h"
#include "config/config.h"
#include "fetch/conn.h"
#include "fetch/fetch.h"
#include "fetch/parameters.h"
#include "fetch/rerun.h"
#include "fetch/window.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* The most calls that are collected, and the bytes that they may take; each
** takes CALL_OVERHEAD beside its key (strset.h, and its place in the
** window). */
#define CALLS_MAX 1000000
#define BYTES_MAX 67108864
#define CALL_OVERHEAD 25

/* Unknown calls of a statement after which it is run once more. */
#define MISSES_FIRST 2

/* ms that a run may take from its first call on, beside what its calls would
** take one by one. */
#define GRACE_MS 1000

/* Rows of full scans that SQLite reads in a millisecond, at the least: with an
** aggregate over a million rows 0.2 to 0.5 s. */
#define ROWS_PER_MS 4000

/* Calls that differ in their ids alone are one family.  Both are found by a
** text:
**
**     family_keys   endpoint, arguments but the ids         -> its number
**     call_keys     number of the family (4 bytes), ids     -> the call's place
**
** In front of an outer id its size stands (4 bytes). */
typedef uint32_t family_number;
typedef uint32_t id_size;

static struct rtk_call *call_at(void *user, size_t place);

struct rtk_prefetch {
  const struct rtk_config *config;
  struct rtk_fetch *fetch;
  const struct rtk_stats *stats;
  struct rtk_rerun rerun;

  /* What was collected. */
  struct rtk_call **families; /* each with its arguments behind it */
  size_t family_room;
  struct rtk_strset family_keys; /* of each family */
  struct rtk_strset call_keys; /* of each call, in the order of the statement */
  size_t bytes;                /* that all this takes */
  char *key;                   /* for making a key */
  size_t key_room;
  struct rtk_window window; /* over the calls */

  bool has_one_scan; /* see rtk_prefetch_note_one_scan() */
  bool has_list;     /* there is an id that has to be in a list */
  int64_t lists;     /* that cursors have copied */
  int64_t singles;   /* calls that were not collected */
  int64_t misses;    /* of them, since the last run */
  int64_t misses_at; /* which make the next run due */
  int64_t run_ms;    /* what the last one took */
  int64_t spent_ms;  /* in all runs */

  /* In a run. */
  bool is_collecting;
  size_t first;       /* calls that were there at its beginning */
  int64_t since_ms;   /* when it found its first call; 0: none yet */
  int64_t latency_ms; /* of a request */

  char words[RTK_RERUN_WHY_MAX + 64];
};

int rtk_prefetch_new(sqlite3 *db, const struct rtk_config *config,
                     struct rtk_fetch *fetch, const struct rtk_stats *stats,
                     struct rtk_prefetch **prefetch) {
  struct rtk_prefetch *made = sqlite3_malloc64(sizeof(*made));
  if (made == NULL) return SQLITE_NOMEM;
  memset(made, 0, sizeof(*made));
  made->config = config;
  made->fetch = fetch;
  made->stats = stats;
  made->rerun.db = db;
  made->misses_at = MISSES_FIRST;
  made->window =
      (struct rtk_window){.fetch = fetch, .call_at = call_at, .user = made};
  *prefetch = made;
  return SQLITE_OK;
}

/* Describes read-ahead for the statement. */
static void say(struct rtk_prefetch *prefetch, const char *format, ...) {
  va_list values;
  va_start(values, format);
  sqlite3_vsnprintf((int)sizeof(prefetch->words), prefetch->words, format,
                    values);
  va_end(values);
}

/* Describes what was collected.  LIMIT, or a WHERE over the replies, may leave
** some of it unused.  What only RETURNING asks for, or a second unfinished
** statement, is not collected: if that is much, it is told. */
static void say_collected(struct rtk_prefetch *prefetch) {
  long long count = (long long)prefetch->call_keys.count;
  long long used = (long long)prefetch->window.delivered;
  char some[40] = "";
  char others[50] = "";
  if (used == 0) {
    say(prefetch, "off: %lld ids were collected, none of them was used", count);
    return;
  }
  if (used < count) {
    sqlite3_snprintf((int)sizeof(some), some, ", %lld of them used", used);
  }
  if (prefetch->singles > count / 2 + 1) {
    sqlite3_snprintf((int)sizeof(others), others,
                     ", %lld others one after another", prefetch->singles);
  }
  say(prefetch, "on: %lld ids collected in %lld ms%s%s", count,
      prefetch->spent_ms, some, others);
}

void rtk_prefetch_clear(struct rtk_prefetch *prefetch) {
  size_t count = prefetch->family_keys.count;
  if (prefetch->call_keys.count > 0) say_collected(prefetch);
  rtk_window_deinit(&prefetch->window);
  for (size_t i = 0; i < count; i++) {
    rtk_call_deinit(prefetch->families[i]);
    sqlite3_free(prefetch->families[i]);
  }
  sqlite3_free(prefetch->families);
  sqlite3_free(prefetch->key);
  rtk_strset_deinit(&prefetch->family_keys);
  rtk_strset_deinit(&prefetch->call_keys);
  prefetch->families = NULL;
  prefetch->key = NULL;
  prefetch->family_room = prefetch->key_room = prefetch->bytes = 0;
  prefetch->misses = prefetch->run_ms = prefetch->spent_ms = 0;
  prefetch->singles = 0;
  prefetch->misses_at = MISSES_FIRST;
  prefetch->has_one_scan = prefetch->has_list = false;
  prefetch->lists = 0;
  rtk_rerun_forget(&prefetch->rerun);
}

void rtk_prefetch_free(struct rtk_prefetch *prefetch) {
  if (prefetch == NULL) return;
  rtk_prefetch_clear(prefetch);
  sqlite3_free(prefetch);
}

void rtk_prefetch_add_table(struct rtk_prefetch *prefetch,
                            struct rtk_rerun_table *table) {
  table->next = prefetch->rerun.tables;
  prefetch->rerun.tables = table;
}

void rtk_prefetch_remove_table(struct rtk_prefetch *prefetch,
                               struct rtk_rerun_table *table) {
  struct rtk_rerun_table **link = &prefetch->rerun.tables;
  while (*link != table) link = &(*link)->next;
  *link = table->next;
}

/* --- what was collected --------------------------------------------------- */

/* Both keys are made in memory that the next one takes. */
static int make_key(struct rtk_prefetch *prefetch, size_t size) {
  char *key = rtk_array_grow(prefetch->key, &prefetch->key_room, size, 1);
  if (key == NULL) return SQLITE_NOMEM;
  prefetch->key = key;
  return SQLITE_OK;
}

static char *put(char *out, const void *bytes, size_t size) {
  if (size > 0) memcpy(out, bytes, size);
  return out + size;
}

static bool is_id(const struct rtk_signature *signature, int k) {
  return k == signature->id || rtk_endpoint_is_outer_id(signature, k);
}

static int make_family_key(struct rtk_prefetch *prefetch,
                           const struct rtk_call *call, struct rtk_text *key) {
  const struct rtk_signature *signature = call->signature;
  const struct rtk_endpoint *endpoint = signature->endpoint;
  size_t size = sizeof(endpoint);
  for (int k = 0; k < signature->count; k++) {
    size += sizeof(size) + call->arguments[k].size;
  }
  int rc = make_key(prefetch, size);
  if (rc != SQLITE_OK) return rc;
  char *out = put(prefetch->key, &endpoint, sizeof(endpoint));
  for (int k = 0; k < signature->count; k++) {
    const struct rtk_text *argument = &call->arguments[k];
    size_t mark = argument->bytes == NULL ? SIZE_MAX : argument->size;
    if (is_id(signature, k)) continue;
    out = put(out, &mark, sizeof(mark));
    out = put(out, argument->bytes, argument->size);
  }
  *key = (struct rtk_text){prefetch->key, (size_t)(out - prefetch->key)};
  return SQLITE_OK;
}

static int make_call_key(struct rtk_prefetch *prefetch, size_t family,
                         const struct rtk_call *call, struct rtk_text *key) {
  const struct rtk_signature *signature = call->signature;
  struct rtk_text id = rtk_call_id(call);
  family_number number = (family_number)family;
  size_t most = sizeof(number) + id.size;
  for (int k = 0; k < signature->id; k++) {
    most += sizeof(id_size) + call->arguments[k].size;
  }
  int rc = make_key(prefetch, most);
  if (rc != SQLITE_OK) return rc;
  char *out = put(prefetch->key, &number, sizeof(number));
  for (int k = 0; k < signature->id; k++) {
    id_size size = (id_size)call->arguments[k].size;
    if (!rtk_endpoint_is_outer_id(signature, k)) continue;
    out = put(out, &size, sizeof(size));
    out = put(out, call->arguments[k].bytes, size);
  }
  out = put(out, id.bytes, id.size);
  *key = (struct rtk_text){prefetch->key, (size_t)(out - prefetch->key)};
  return SQLITE_OK;
}

int rtk_prefetch_find(struct rtk_prefetch *prefetch,
                      const struct rtk_call *call, size_t *place) {
  struct rtk_text key = {NULL, 0};
  size_t family = 0;
  if (prefetch->call_keys.count == 0) return SQLITE_NOTFOUND;
  int rc = make_family_key(prefetch, call, &key);
  if (rc == SQLITE_OK) {
    rc = rtk_strset_find(&prefetch->family_keys, key, &family);
  }
  if (rc == SQLITE_OK) {
    rc = make_call_key(prefetch, family, call, &key);
  }
  return rc == SQLITE_OK ? rtk_strset_find(&prefetch->call_keys, key, place)
                         : rc;
}

static struct rtk_call *call_at(void *user, size_t place) {
  struct rtk_prefetch *prefetch = user;
  struct rtk_text key = rtk_strset_text(&prefetch->call_keys, place);
  family_number number = 0;
  memcpy(&number, key.bytes, sizeof(number));
  struct rtk_call *call = prefetch->families[number];
  const struct rtk_signature *signature = call->signature;
  struct rtk_text rest = {key.bytes + sizeof(number),
                          key.size - sizeof(number)};
  for (int k = 0; k < signature->id; k++) {
    id_size size = 0;
    if (!rtk_endpoint_is_outer_id(signature, k)) continue;
    memcpy(&size, rest.bytes, sizeof(size));
    rtk_call_set(call, k, (struct rtk_text){rest.bytes + sizeof(size), size});
    rest.bytes += sizeof(size) + size;
    rest.size -= sizeof(size) + size;
  }
  if (signature->id >= 0) rtk_call_set(call, signature->id, rest);
  return call;
}

struct rtk_window *rtk_prefetch_window(struct rtk_prefetch *prefetch) {
  return &prefetch->window;
}

/* Copies the arguments of a new family, one after another. */
static struct rtk_call *make_family(const struct rtk_call *call, size_t *size) {
  const struct rtk_signature *signature = call->signature;
  *size = sizeof(*call);
  for (int k = 0; k < signature->count; k++) *size += call->arguments[k].size;
  struct rtk_call *family = sqlite3_malloc64(*size);
  if (family == NULL) return NULL;
  char *out = (char *)(family + 1);
  rtk_call_init(family, signature);
  for (int k = 0; k < signature->count; k++) {
    const struct rtk_text *from = &call->arguments[k];
    if (from->bytes == NULL || is_id(signature, k)) continue;
    family->arguments[k] = (struct rtk_text){out, from->size};
    out = put(out, from->bytes, from->size);
  }
  return family;
}

/* The family of a call, found or made. */
static int find_family(struct rtk_prefetch *prefetch,
                       const struct rtk_call *call, size_t *number) {
  struct rtk_text key = {NULL, 0};
  size_t size = 0;
  bool is_new = false;
  size_t count = prefetch->family_keys.count;
  int rc = make_family_key(prefetch, call, &key);
  if (rc == SQLITE_OK) {
    rc = rtk_strset_find(&prefetch->family_keys, key, number);
  }
  if (rc != SQLITE_NOTFOUND) return rc;
  struct rtk_call **families = rtk_array_grow(
      prefetch->families, &prefetch->family_room, count + 1, sizeof(*families));
  if (families == NULL) return SQLITE_NOMEM;
  prefetch->families = families;
  struct rtk_call *family = make_family(call, &size);
  if (family == NULL) return SQLITE_NOMEM;
  rc = rtk_strset_add_new(&prefetch->family_keys, key, &is_new);
  if (rc != SQLITE_OK) {
    sqlite3_free(family);
    return rc;
  }
  families[count] = family;
  prefetch->bytes += size + key.size;
  *number = count;
  return SQLITE_OK;
}

/* --- the run -------------------------------------------------------------- */

bool rtk_prefetch_is_collecting(const struct rtk_prefetch *prefetch) {
  return prefetch->is_collecting;
}

/* Is the run worth more time?  Not when it already takes longer than its ids
** would, one after another. */
static bool goes_on(const void *user) {
  const struct rtk_prefetch *prefetch = user;
  int64_t ids = (int64_t)(prefetch->call_keys.count - prefetch->first);
  if (prefetch->since_ms == 0) return true;
  return rtk_clock_ms() - prefetch->since_ms <
         GRACE_MS + ids * prefetch->latency_ms;
}

bool rtk_prefetch_has_to_end(const struct rtk_prefetch *prefetch) {
  return prefetch->is_collecting && !goes_on(prefetch);
}

static int collect(struct rtk_prefetch *prefetch, const struct rtk_call *call) {
  struct rtk_text key = {NULL, 0};
  size_t family = 0;
  bool is_new = false;
  int rc = find_family(prefetch, call, &family);
  if (rc == SQLITE_OK) {
    rc = make_call_key(prefetch, family, call, &key);
  }
  if (rc == SQLITE_OK)
    rc = rtk_strset_add_new(&prefetch->call_keys, key, &is_new);
  if (rc == SQLITE_OK && is_new) {
    prefetch->bytes += key.size + CALL_OVERHEAD;
  }
  return rc;
}

int rtk_prefetch_collect(struct rtk_prefetch *prefetch,
                         const struct rtk_call *call) {
  if (prefetch->since_ms == 0) prefetch->since_ms = rtk_clock_ms();
  bool is_full = prefetch->call_keys.count >= CALLS_MAX ||
                 prefetch->bytes >= BYTES_MAX || !goes_on(prefetch);
  return is_full || collect(prefetch, call) != SQLITE_OK ? SQLITE_ABORT
                                                         : SQLITE_OK;
}

/* 0: not known yet. */
static int64_t latency(const struct rtk_prefetch *prefetch) {
  int64_t ms = rtk_stats_latency(prefetch->stats, 50);
  return ms < 0 ? 0 : ms;
}

/* A run that found nothing new makes the next one less likely. */
static int run(struct rtk_prefetch *prefetch, struct rtk_err *err) {
  struct rtk_window *window = &prefetch->window;
  int64_t begun_ms = rtk_clock_ms();
  struct rtk_loops loops;
  int rc = rtk_rerun_look(&prefetch->rerun, &loops);
  if (rc != SQLITE_OK) return rc;
  window->is_whole = loops.are_calls_whole;
  window->growth =
      window->is_whole || prefetch->has_list ? 0 : RTK_AHEAD_GROWTH;
  prefetch->latency_ms = latency(prefetch);
  prefetch->first = prefetch->call_keys.count;
  prefetch->since_ms = 0;
  prefetch->is_collecting = true;
  rc = rtk_rerun_step(&prefetch->rerun, goes_on, prefetch, err);
  prefetch->is_collecting = false;
  window->count = prefetch->call_keys.count;
  rtk_fetch_expect(prefetch->fetch,
                   prefetch->call_keys.count - prefetch->first);
  prefetch->run_ms = rtk_clock_ms() - begun_ms;
  prefetch->spent_ms += prefetch->run_ms;
  prefetch->misses = 0;
  if (prefetch->call_keys.count > prefetch->first) {
    prefetch->misses_at = MISSES_FIRST;
  } else {
    prefetch->misses_at *= 2;
  }
  if (prefetch->call_keys.count == 0) {
    say(prefetch, "off: its SELECT, run on its own, asks for no id");
  }
  return rc;
}

/* A run goes through what the statement has gone through so far, such as a
** GROUP BY over many rows.  How many ids are to come nobody knows: it has to be
** worth it for as many as have come. */
static bool is_too_costly(const struct rtk_prefetch *prefetch) {
  int64_t request_ms = latency(prefetch) < 1 ? 1 : latency(prefetch);
  int64_t again_ms = rtk_rerun_scanned(&prefetch->rerun) / ROWS_PER_MS;
  return prefetch->misses * request_ms < again_ms;
}

/* Is read-ahead off for this statement, or not worth it now? */
static int judge(struct rtk_prefetch *prefetch, const struct rtk_call *call,
                 bool *is_off) {
  struct rtk_parameters_known known = {call->arguments, call->signature->count};
  const char *why = prefetch->rerun.why;
  int rc = SQLITE_OK;
  *is_off = true;
  if (strcmp(rtk_config_text(prefetch->config, RTK_READ_AHEAD), "on") != 0) {
    why = "the setting read_ahead";
  } else if ((rc = rtk_rerun_find(&prefetch->rerun, &known)) == SQLITE_ERROR) {
    prefetch->misses_at *= 2;
  } else if (rc != SQLITE_OK) {
    return rc;
  } else if (is_too_costly(prefetch)) {
    why = "to read the tables again costs more than it saves";
  } else {
    *is_off = false;
    return SQLITE_OK;
  }
  say(prefetch, "off: %s", why);
  return SQLITE_OK;
}

int rtk_prefetch_miss(struct rtk_prefetch *prefetch,
                      const struct rtk_call *call, bool *has_run,
                      struct rtk_err *err) {
  bool is_off = false;
  *has_run = false;
  prefetch->singles++;
  if (++prefetch->misses < prefetch->misses_at) return SQLITE_OK;
  if (prefetch->misses * latency(prefetch) < prefetch->run_ms) return SQLITE_OK;
  int rc = judge(prefetch, call, &is_off);
  if (rc != SQLITE_OK || is_off) return rc;
  *has_run = true;
  prefetch->singles--;
  return run(prefetch, err);
}

bool rtk_prefetch_is_first_list(struct rtk_prefetch *prefetch) {
  return prefetch->lists++ == 0;
}

int rtk_prefetch_miss_list(struct rtk_prefetch *prefetch,
                           const struct rtk_call *call, struct rtk_err *err) {
  bool has_run = false;
  if (prefetch->lists == 2) prefetch->misses_at = 1;
  return rtk_prefetch_miss(prefetch, call, &has_run, err);
}

bool rtk_prefetch_has_lists(const struct rtk_prefetch *prefetch) {
  return prefetch->lists > 1;
}

int rtk_prefetch_miss_listed(struct rtk_prefetch *prefetch,
                             const struct rtk_call *call, bool *has_run,
                             struct rtk_err *err) {
  if (!prefetch->has_list) prefetch->misses_at = 1;
  prefetch->has_list = true;
  return rtk_prefetch_miss(prefetch, call, has_run, err);
}

int rtk_prefetch_look(struct rtk_prefetch *prefetch, bool *are_rows_whole) {
  struct rtk_loops loops;
  int rc = rtk_rerun_look(&prefetch->rerun, &loops);
  *are_rows_whole = loops.are_rows_whole;
  return rc;
}

void rtk_prefetch_note_one_scan(struct rtk_prefetch *prefetch) {
  prefetch->has_one_scan = true;
}

bool rtk_prefetch_has_one_scan(const struct rtk_prefetch *prefetch) {
  return prefetch->has_one_scan;
}

const char *rtk_prefetch_describe(struct rtk_prefetch *prefetch) {
  if (prefetch->call_keys.count > 0) say_collected(prefetch);
  return prefetch->words[0] == '\0' ? NULL : prefetch->words;
}
