/*
** What the unit tests share: checks that print the case and both values, and
** go on with the next case; allocations of SQLite and cJSON that fail on
** purpose; and after each test a look at whether all memory came back.
*/
#ifndef RTK_CHECK_H
#define RTK_CHECK_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <sqlite3.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct {
  sqlite3_mem_methods sqlite;
  int failures;          /* of the test that runs */
  sqlite3_int64 used;    /* SQLite's bytes when it began */
  int blocks;            /* of cJSON */
  int countdown;         /* until an allocation fails; 0: none does */
  bool is_out_of_memory; /* one has failed */
} check;

/* --- values --------------------------------------------------------------- */

static inline void check_int(const char *name, const char *what, int64_t got,
                             int64_t expected) {
  if (got == expected) return;
  check.failures++;
  print_error("case '%s': %s is %lld, expected %lld\n", name, what,
              (long long)got, (long long)expected);
}

static inline void check_real(const char *name, const char *what, double got,
                              double expected) {
  if (memcmp(&got, &expected, sizeof(got)) == 0) return;
  check.failures++;
  print_error("case '%s': %s is %.17g, expected %.17g\n", name, what, got,
              expected);
}

/* NULL is a value of its own. */
static inline void check_text(const char *name, const char *what,
                              const char *got, const char *expected) {
  if (got == NULL && expected == NULL) return;
  if (got != NULL && expected != NULL && strcmp(got, expected) == 0) return;
  check.failures++;
  print_error("case '%s': %s is\n  \"%s\", expected\n  \"%s\"\n", name, what,
              got == NULL ? "(NULL)" : got,
              expected == NULL ? "(NULL)" : expected);
}

static inline void check_bytes(const char *name, const char *what,
                               const char *got, size_t got_size,
                               const char *expected, size_t expected_size) {
  if (got_size == expected_size &&
      (got_size == 0 || memcmp(got, expected, got_size) == 0)) {
    return;
  }
  check.failures++;
  print_error("case '%s': %s is \"%.*s\" (%llu bytes), expected \"%.*s\""
              " (%llu bytes)\n",
              name, what, (int)got_size, got_size == 0 ? "" : got,
              (unsigned long long)got_size, (int)expected_size,
              expected_size == 0 ? "" : expected,
              (unsigned long long)expected_size);
}

static inline void check_lacks(const char *name, const char *text,
                               const char *part) {
  if (text == NULL || strstr(text, part) == NULL) return;
  check.failures++;
  print_error("case '%s': \"%s\" has in it what it must not: \"%s\"\n", name,
              text, part);
}

static inline void check_has(const char *name, const char *text,
                             const char *part) {
  if (text != NULL && strstr(text, part) != NULL) return;
  check.failures++;
  print_error("case '%s': \"%s\" does not have in it: \"%s\"\n", name,
              text == NULL ? "(NULL)" : text, part);
}

/* JSON with ' in place of ", to be freed with sqlite3_free(). */
static inline char *check_json(const char *text) {
  char *json = sqlite3_mprintf("%s", text);
  for (char *c = json; *c != '\0'; c++) {
    if (*c == '\'') *c = '"';
  }
  return json;
}

/* --- allocations that fail ------------------------------------------------ */

static inline bool check_fails_now(void) {
  if (check.countdown == 0 || --check.countdown > 0) return false;
  check.is_out_of_memory = true;
  return true;
}

static inline void *check_sqlite_malloc(int size) {
  return check_fails_now() ? NULL : check.sqlite.xMalloc(size);
}

static inline void *check_sqlite_realloc(void *memory, int size) {
  return check_fails_now() ? NULL : check.sqlite.xRealloc(memory, size);
}

static inline void *check_cjson_malloc(size_t size) {
  void *memory = check_fails_now() ? NULL : malloc(size);
  if (memory == NULL) errno = ENOMEM;
  if (memory != NULL) check.blocks++;
  return memory;
}

static inline void check_cjson_free(void *memory) {
  if (memory != NULL) check.blocks--;
  free(memory);
}

/* To be called before anything else. */
static inline void check_init(void) {
  sqlite3_mem_methods methods;
  cJSON_Hooks hooks = {check_cjson_malloc, check_cjson_free};
  (void)sqlite3_config(SQLITE_CONFIG_GETMALLOC, &check.sqlite);
  methods = check.sqlite;
  methods.xMalloc = check_sqlite_malloc;
  methods.xRealloc = check_sqlite_realloc;
  (void)sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
  (void)sqlite3_initialize();
  cJSON_InitHooks(&hooks);
}

static inline void check_memory(const char *name) {
  check_int(name, "SQLite's memory in use", sqlite3_memory_used(), check.used);
  check_int(name, "cJSON's blocks in use", check.blocks, 0);
}

/* Calls `run` with its 1st, 2nd, 3rd … allocation failing until it gets by
** without that.  Each time it has to return SQLITE_NOMEM, or SQLITE_OK when
** it `can_do_without`, and to give all memory back. */
static inline void check_nomem(const char *name, int (*run)(void *), void *arg,
                               bool can_do_without) {
  sqlite3_int64 used = sqlite3_memory_used();
  int blocks = check.blocks;
  int nth = 0;
  do {
    check.countdown = ++nth;
    check.is_out_of_memory = false;
    int rc = run(arg);
    check.countdown = 0;
    if (!check.is_out_of_memory) {
      check_int(name, "result with enough memory", rc, SQLITE_OK);
    } else if (rc != SQLITE_NOMEM && !(can_do_without && rc == SQLITE_OK)) {
      check.failures++;
      print_error("case '%s': allocation %d fails: result is %d, expected %d\n",
                  name, nth, rc, SQLITE_NOMEM);
    }
    if (sqlite3_memory_used() == used && check.blocks == blocks) continue;
    check.failures++;
    print_error("case '%s': allocation %d fails: %lld bytes of SQLite and %d"
                " blocks of cJSON in use, expected %lld and %d\n",
                name, nth, (long long)sqlite3_memory_used(), check.blocks,
                (long long)used, blocks);
    return;
  } while (check.is_out_of_memory && nth < 10000);
  if (nth < 2 || nth == 10000) {
    check.failures++;
    print_error("case '%s': %d allocations\n", name, nth - 1);
  }
}

/* --- tests ---------------------------------------------------------------- */

static inline int check_begin(void **state) {
  (void)state;
  check.failures = 0;
  check.used = sqlite3_memory_used();
  check.blocks = 0;
  return 0;
}

static inline int check_end(void **state) {
  (void)state;
  check.countdown = 0;
  check_memory("the end of the test");
  return check.failures == 0 ? 0 : -1;
}

/* A program may have its own, which end with these two. */
#ifndef CASE_SETUP
#define CASE_SETUP check_begin
#define CASE_TEARDOWN check_end
#endif
#include "cases.h"

static inline int check_run(void) {
  check_init();
  return RUN_CASES(NULL, NULL);
}

#endif
