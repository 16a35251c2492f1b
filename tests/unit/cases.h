/*
** A test is `CASE(name) { … }`: it is one of the program's tests by that alone.
** main() ends with `return RUN_CASES(setup, teardown)`, which runs them in the
** order in which they stand; add_case() adds one for a row of a table.
*/
#ifndef RTK_TESTS_CASES_H
#define RTK_TESTS_CASES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A row of a table may leave out its last fields. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* Before and after each case; the header that includes this may say which. */
#ifndef CASE_SETUP
#define CASE_SETUP NULL
#define CASE_TEARDOWN NULL
#endif

static struct {
  struct CMUnitTest list[200];
  size_t count;
} cases_of_program;

static inline void add_case(const char *name, CMUnitTestFunction run,
                            const void *state) {
  cases_of_program.list[cases_of_program.count++] = (struct CMUnitTest){
      name, run, CASE_SETUP, CASE_TEARDOWN, (void *)(uintptr_t)state};
}

#define CASE(name)                                                             \
  static void name(void **state);                                              \
  __attribute__((constructor)) static void add_##name(void) {                  \
    add_case(#name, name, NULL);                                               \
  }                                                                            \
  static void name(__attribute__((unused)) void **state)

#define RUN_CASES(setup, teardown)                                             \
  _cmocka_run_group_tests("tests", cases_of_program.list,                      \
                          cases_of_program.count, setup, teardown)

#endif
