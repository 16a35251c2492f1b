/*
** Counts the calls between modules of the extension: it is linked with objects
** that were compiled with -finstrument-functions.  At the end of the process each
** pair of function and place of call goes to $RTK_TRACE, with its number.
*/
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define HIDDEN __attribute__((no_instrument_function))
#define SLOTS 65536 /* far more than there are calls in the text */

static struct pair {
  void *function, *place;
  long count;
} pairs[SLOTS];

void __cyg_profile_func_enter(void *function, void *place) HIDDEN;
void __cyg_profile_func_exit(void *function, void *place) HIDDEN;
static void write_all(void) HIDDEN __attribute__((destructor));

void __cyg_profile_func_enter(void *function, void *place) {
  uintptr_t hash = (uintptr_t)function * 31 + (uintptr_t)place;
  struct pair *pair = &pairs[hash * 2654435761u % SLOTS];
  while (pair->count > 0 &&
         (pair->function != function || pair->place != place)) {
    if (++pair == pairs + SLOTS) pair = pairs;
  }
  pair->function = function;
  pair->place = place;
  pair->count++;
}

void __cyg_profile_func_exit(void *function, void *place) {
  (void)function;
  (void)place;
}

/* Addresses are relative to the extension; a call from elsewhere, such as SQLite,
** is none of its modules'. */
static void write_all(void) {
  const char *path = getenv("RTK_TRACE");
  FILE *file = path == NULL ? NULL : fopen(path, "w");
  Dl_info ours, theirs;
  if (file == NULL || dladdr((void *)(uintptr_t)write_all, &ours) == 0) return;
  for (struct pair *pair = pairs; pair < pairs + SLOTS; pair++) {
    if (pair->count == 0 || dladdr(pair->place, &theirs) == 0) continue;
    if (theirs.dli_fbase != ours.dli_fbase) continue;
    fprintf(file, "%#lx %#lx %ld\n",
            (unsigned long)((char *)pair->function - (char *)ours.dli_fbase),
            (unsigned long)((char *)pair->place - (char *)ours.dli_fbase - 1),
            pair->count);
  }
  (void)fclose(file);
}
