/*
** Four processes with one cache file, in which all is that they ask for, while
** another one keeps it locked: nobody asks the server again.
*/
#include "host.h"

#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES 4
#define LOCKED_MS 600
#define COUNT_SQL                                                              \
  "SELECT count(*) FROM rtk_livestream_session('ACCOUNT', 'APP')"              \
  " WHERE session_id IN (SELECT 's' || value FROM json_each("                  \
  "'[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]'))"
#define REQUESTS "SELECT value FROM rtk_stats WHERE name = 'requests'"

static char file[] = "shared.db";

/* Keeps the file locked, for readers too, as a process does that makes it or cleans
** it up; tells when the lock is held. */
static void keep_locked(int told) {
  sqlite3 *db = NULL;
  int rc = sqlite3_open(file, &db);
  (void)sqlite3_busy_timeout(db, 5000);
  if (rc == SQLITE_OK) {
    rc = sqlite3_exec(db,
                      "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;"
                      "UPDATE reply SET life = life",
                      NULL, NULL, NULL);
  }
  (void)!write(told, rc == SQLITE_OK ? "y" : "n", 1);
  (void)sqlite3_sleep(LOCKED_MS);
  (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
  (void)sqlite3_close(db);
  _exit(0);
}

/* In a child: asserts nothing. */
static bool reads_without_a_request(void) {
  sqlite3 *db = NULL;
  sqlite3_str *out = sqlite3_str_new(NULL);
  int rc = sqlite3_open(":memory:", &db);
  if (rc == SQLITE_OK) rc = sqlite3_enable_load_extension(db, 1);
  if (rc == SQLITE_OK) {
    rc = sqlite3_load_extension(db, need_env("RTK_SO"), NULL, NULL);
  }
  if (rc == SQLITE_OK) rc = query(db, COUNT_SQL, out);
  if (rc == SQLITE_OK) rc = query(db, REQUESTS, out);
  char *text = sqlite3_str_finish(out);
  bool is_right =
      rc == SQLITE_OK && text != NULL && strcmp(text, "20\n0\n") == 0;
  if (!is_right) {
    print_error("rc %d: %s (%s)\n", rc, text == NULL ? "" : text,
                sqlite3_errmsg(db));
  }
  return is_right;
}

CASE(what_is_in_the_file_is_not_asked_for) {
  int pipe_of[2];
  int failed = 0;
  char told = '?';
  skip_where_in_is_no_batch();
  (void)setenv("RTK_CACHE_FILE", file, 1);
  sqlite3 *db = open_loaded();
  assert_rows(db, COUNT_SQL, "20\n");
  close_ok(db);

  assert_int_equal(pipe(pipe_of), 0);
  pid_t locker = fork();
  if (locker == 0) keep_locked(pipe_of[1]);
  assert_int_equal(read(pipe_of[0], &told, 1), 1);
  assert_int_equal(told, 'y');
  for (int i = 0; i < PROCESSES; i++) {
    if (fork() == 0) _exit(reads_without_a_request() ? 0 : 1);
  }
  for (int i = 0; i < PROCESSES + 1; i++) {
    int status = 0;
    pid_t ended = wait(&status);
    assert_true(ended > 0);
    failed += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
  }
  assert_int_equal(failed, 0);
}

int main(void) { return RUN_CASES(NULL, NULL); }
