/*
** The cache file, with real files in a directory of its own: what it keeps, and
** that nothing that can be wrong with a file does any harm.
*/
#include "base/limits.h"
#include "disk/diskcache.h"

#include "base/clock.h"
#include "base/err.h"
#include "disk/openfile.h"

static int begin(void **state);
static int end(void **state);
#define CASE_SETUP begin
#define CASE_TEARDOWN end
#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HOUR_MS 3600000
#define PROCESSES 4
#define ROUNDS 200 /* of each of them */
#define KILLS 30

/* --- the clock, which stands still unless a test moves it ----------------- */

static int64_t clock_ms = 1000;
static bool is_clock_real;

int64_t rtk_clock_ms(void) {
  struct timespec now = {0};
  if (!is_clock_real) return clock_ms;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t rtk_clock_unix_ms(void) { return clock_ms + 1000000000; }

/* --- warnings ------------------------------------------------------------- */

static int warnings;
static char warning[400];

static void hear(void *user, int code, const char *message) {
  (void)user;
  if (strncmp(message, "rtk: ", 5) != 0) return;
  check_int(message, "code", code, SQLITE_WARNING);
  warnings++;
  (void)snprintf(warning, sizeof(warning), "%s", message);
}

/* --- the file system ------------------------------------------------------ */

/* SQLite's own, with two methods replaced: it can be full or read-only (tests
** may run as root, whom no mode stops), and does not wait for the disk, as no
** test cuts the power. */
static struct {
  sqlite3_vfs *real;
  sqlite3_vfs vfs;
  sqlite3_io_methods methods[2]; /* of databases; of other files */
  int (*write[2])(sqlite3_file *, const void *, int, sqlite3_int64);
  int room; /* writes that still go well; -1: all */
  bool is_readonly;
  int sleeps;
  bool is_sleep_coarse; /* in whole seconds, as SQLite does without usleep() */
} shim;

static int shim_write(int kind, sqlite3_file *file, const void *bytes, int size,
                      sqlite3_int64 at) {
  if (shim.room == 0) return SQLITE_FULL;
  if (shim.room > 0) shim.room--;
  return shim.write[kind](file, bytes, size, at);
}

static int write_database(sqlite3_file *file, const void *bytes, int size,
                          sqlite3_int64 at) {
  return shim_write(0, file, bytes, size, at);
}

static int write_other(sqlite3_file *file, const void *bytes, int size,
                       sqlite3_int64 at) {
  return shim_write(1, file, bytes, size, at);
}

static int no_sync(sqlite3_file *file, int flags) {
  (void)file;
  (void)flags;
  return SQLITE_OK;
}

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file,
                     int flags, int *flags_then) {
  int kind = (flags & SQLITE_OPEN_MAIN_DB) == 0;
  (void)vfs;
  if (shim.is_readonly) {
    flags &= ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    flags |= SQLITE_OPEN_READONLY;
  }
  int rc = shim.real->xOpen(shim.real, name, file, flags, flags_then);
  if (rc != SQLITE_OK) return rc;
  shim.write[kind] = file->pMethods->xWrite;
  shim.methods[kind] = *file->pMethods;
  shim.methods[kind].xWrite = kind == 0 ? write_database : write_other;
  shim.methods[kind].xSync = no_sync;
  file->pMethods = &shim.methods[kind];
  return SQLITE_OK;
}

/* Nobody else is running who could end a lock meanwhile. */
static int shim_sleep(sqlite3_vfs *vfs, int microseconds) {
  (void)vfs;
  shim.sleeps++;
  if (shim.is_sleep_coarse) return 1000000;
  return is_clock_real ? shim.real->xSleep(shim.real, microseconds)
                       : microseconds;
}

static void begin_shim(void) {
  shim.real = sqlite3_vfs_find(NULL);
  shim.vfs = *shim.real;
  shim.vfs.zName = "shim";
  shim.vfs.pNext = NULL;
  shim.vfs.xOpen = shim_open;
  shim.vfs.xSleep = shim_sleep;
  shim.room = -1;
  (void)sqlite3_vfs_register(&shim.vfs, 1);
}

/* --- files ---------------------------------------------------------------- */

static char directory[] = "/tmp/rtk-disk-XXXXXX";
static char path[64]; /* of the cache file, in the directory */

static void empty_directory(void) {
  DIR *entries = opendir(directory);
  assert_non_null(entries);
  for (struct dirent *e = NULL; (e = readdir(entries)) != NULL;) {
    char name[400];
    if (e->d_name[0] == '.') continue;
    (void)snprintf(name, sizeof(name), "%s/%s", directory, e->d_name);
    if (remove(name) != 0) print_error("%s is left behind\n", name);
  }
  (void)closedir(entries);
}

static int file_count(void) {
  int count = 0;
  DIR *entries = opendir(directory);
  assert_non_null(entries);
  for (struct dirent *e = NULL; (e = readdir(entries)) != NULL;) {
    if (e->d_name[0] != '.') count++;
  }
  (void)closedir(entries);
  return count;
}

static void start_afresh(void) {
  empty_directory();
  (void)snprintf(path, sizeof(path), "%s/cache", directory);
  warnings = 0;
  warning[0] = '\0';
  is_clock_real = false;
}

static int begin(void **state) {
  start_afresh();
  return check_begin(state);
}

static int64_t size_of(const char *name) {
  struct stat file;
  return stat(name, &file) == 0 ? (int64_t)file.st_size : -1;
}

static void write_file(const char *name, const void *bytes, size_t size,
                       long at) {
  FILE *file = fopen(name, at < 0 ? "wb" : "r+b");
  assert_non_null(file);
  assert_int_equal(fseek(file, at < 0 ? 0 : at, SEEK_SET), 0);
  if (size > 0) assert_int_equal(fwrite(bytes, size, 1, file), 1);
  assert_int_equal(fclose(file), 0);
}

/* At most 64 KiB, in static memory. */
static const char *read_file(const char *name, size_t *size) {
  static char bytes[2][65536];
  static int turn;
  FILE *file = fopen(name, "rb");
  turn = !turn;
  *size = 0;
  if (file == NULL) return bytes[turn];
  *size = fread(bytes[turn], 1, sizeof(bytes[turn]), file);
  assert_int_equal(fclose(file), 0);
  return bytes[turn];
}

/* --- databases of others -------------------------------------------------- */

static sqlite3 *open_database(const char *name) {
  sqlite3 *db = NULL;
  assert_int_equal(sqlite3_open(name, &db), SQLITE_OK);
  return db;
}

static void execute(sqlite3 *db, const char *sql) {
  char *message = NULL;
  int rc = sqlite3_exec(db, sql, NULL, NULL, &message);
  check_int(sql, message == NULL ? "result" : message, rc, SQLITE_OK);
  sqlite3_free(message);
}

static void make_database(const char *sql) {
  sqlite3 *db = open_database(path);
  execute(db, sql);
  (void)sqlite3_close(db);
}

/* The first column of the first row; -1 when there is none. */
static int64_t query_int(const char *sql) {
  int64_t result = -1;
  sqlite3 *db = open_database(path);
  sqlite3_stmt *query = NULL;
  int rc = sqlite3_prepare_v2(db, sql, -1, &query, NULL);
  check_int(sql, "result", rc, SQLITE_OK);
  if (sqlite3_step(query) == SQLITE_ROW) {
    result = sqlite3_column_int64(query, 0);
  }
  (void)sqlite3_finalize(query);
  (void)sqlite3_close(db);
  return result;
}

static bool is_sound(void) {
  return query_int("SELECT integrity_check = 'ok'"
                   " FROM pragma_integrity_check") == 1;
}

/* --- caches --------------------------------------------------------------- */

static struct rtk_diskcache *disk;   /* of the test that runs */
static struct rtk_diskcache *second; /* of the same file */

/* What follows is the other one's. */
static void take_turns(void) {
  struct rtk_diskcache *before = disk;
  disk = second;
  second = before;
}

static void close_cache(void) {
  rtk_diskcache_free(disk);
  disk = NULL;
}

/* Opens the file, once more if it is open. */
static void open_cache(void) {
  close_cache();
  assert_int_equal(rtk_diskcache_new(NULL, &disk), SQLITE_OK);
  assert_int_equal(rtk_diskcache_use(disk, path), SQLITE_OK);
}

static int end(void **state) {
  close_cache();
  take_turns();
  close_cache();
  return check_end(state);
}

static struct rtk_disk_reply reply_of(const char *body, size_t size) {
  return (struct rtk_disk_reply){.status = 200,
                                 .life = 3,
                                 .body = body,
                                 .body_size = size,
                                 .fetched_ms = rtk_clock_unix_ms(),
                                 .keep_ms = HOUR_MS};
}

static int put(const char *url, const char *body) {
  struct rtk_disk_reply reply = reply_of(body, strlen(body));
  return rtk_diskcache_put(disk, url, &reply);
}

static void put_and_flush(const char *url, const char *body) {
  check_int(url, "put", put(url, body), SQLITE_OK);
  check_int(url, "flush", rtk_diskcache_flush(disk), SQLITE_OK);
}

static void other_puts(const char *url, const char *body) {
  take_turns();
  if (disk == NULL) open_cache();
  put_and_flush(url, body);
  take_turns();
}

/* Body NULL: it must not be found. */
static void check_get(const char *url, const char *body) {
  struct rtk_disk_reply found = {.status = -1};
  int rc = rtk_diskcache_get(disk, url, &found);
  check_int(url, "get", rc, body == NULL ? SQLITE_NOTFOUND : SQLITE_OK);
  if (rc != SQLITE_OK) {
    check_int(url, "status of nothing", found.status, -1);
    return;
  }
  if (body == NULL) return;
  check_bytes(url, "body", found.body, found.body_size, body, strlen(body));
  check_int(url, "status", found.status, 200);
}

static void check_state(const char *expected) {
  char text[300];
  sqlite3_str *out = sqlite3_str_new(NULL);
  rtk_diskcache_describe(disk, out);
  char *got = sqlite3_str_finish(out);
  bool has_path = expected[0] == ':';
  (void)snprintf(text, sizeof(text), "%s%s", has_path ? path : "", expected);
  check_text("describe", "state", got, text);
  sqlite3_free(got);
}

static int edits; /* how often add_one() was called */

/* Adds one to the count in the blob and to the requests of a lease. */
static int add_one(void *blob, void *user) {
  (void)user;
  struct rtk_lease own = {.pid = 1, .connection = 2};
  struct rtk_lease_sums sums;
  int64_t count = 0;
  edits++;
  memcpy(&count, blob, sizeof(count));
  count++;
  memcpy(blob, &count, sizeof(count));
  int rc = rtk_diskcache_read_leases(disk, 1, clock_ms, &own, &sums);
  if (rc != SQLITE_OK) return rc;
  own.in_flight++;
  own.until_ms = clock_ms;
  return rtk_diskcache_write_lease(disk, 1, &own);
}

static int add(int64_t key, int64_t *count) {
  return rtk_diskcache_edit(disk, key, count, sizeof(*count), add_one, NULL);
}

/* It is there, and nothing of it works. */
static void check_passed_over(const char *name, const char *why) {
  char text[300];
  int64_t count = 7;
  int64_t dropped = 7;
  check_get("url", NULL);
  check_get("url", NULL);
  check_int(name, "put", put("url", "body"), SQLITE_OK);
  check_int(name, "flush", rtk_diskcache_flush(disk), SQLITE_OK);
  check_int(name, "edit", add(1, &count), SQLITE_NOTFOUND);
  check_int(name, "count", count, 7);
  check_int(name, "clear", rtk_diskcache_clear(disk, &dropped),
            SQLITE_NOTFOUND);
  check_int(name, "dropped", dropped, 7);
  check_int(name, "warnings", warnings, 1);
  (void)snprintf(text, sizeof(text), "rtk: cache_file %s is passed over: %s",
                 path, why);
  check_text(name, "warning", warning, text);
  (void)snprintf(text, sizeof(text), ": passed over: %s", why);
  check_state(text);
}

/* --- what is kept --------------------------------------------------------- */

CASE(replies_come_back) {
  static const struct {
    const char *url;
    struct rtk_disk_reply reply;
  } cases[] = {
      {"https://x/a", {200, 1, "{\"data\":1}", 10, 1000000000, HOUR_MS}},
      {"https://x/b", {404, 2, NULL, 0, 999999999, 2}},
      {"https://x/nul", {200, 0, "a\0b", 3, 1000000001, INT64_MAX}},
      {"", {200, -1, "no url", 6, 1, 1000001000}},
      {"https://x/\xc3\xa9", {200, 1, "\xc3\xa9", 2, 1000000000, HOUR_MS}},
  };
  open_cache();
  clock_ms = 0;
  for (int round = 0; round < 3; round++) {
    if (round == 2) { /* opened again */
      open_cache();
    }
    for (size_t i = 0; i < COUNT(cases); i++) {
      const struct rtk_disk_reply *expected = &cases[i].reply;
      const char *url = cases[i].url;
      struct rtk_disk_reply got = {0};
      int rc = rtk_diskcache_get(disk, url, &got);
      check_int(url, "get", rc, round == 0 ? SQLITE_NOTFOUND : SQLITE_OK);
      if (round == 0) {
        check_int(url, "put", rtk_diskcache_put(disk, url, expected),
                  SQLITE_OK);
        continue;
      }
      int64_t keep_ms = expected->keep_ms;
      if (keep_ms == INT64_MAX) keep_ms -= expected->fetched_ms;
      check_bytes(url, "body", got.body, got.body_size, expected->body,
                  expected->body_size);
      check_int(url, "body is NULL", got.body == NULL, expected->body == NULL);
      check_int(url, "status", got.status, expected->status);
      check_int(url, "life", got.life, expected->life);
      check_int(url, "fetched", got.fetched_ms, expected->fetched_ms);
      check_int(url, "keep", got.keep_ms, keep_ms);
    }
    if (round > 0) continue;
    check_get("https://x/a", NULL); /* only queued */
    check_int("all", "flush", rtk_diskcache_flush(disk), SQLITE_OK);
  }
  check_get("https://x/", NULL);
  check_get("https://x/A", NULL);
  check_state(": in use, 5 replies");
  close_cache();
  check_int("closed", "files", file_count(), 1);
  check_int("closed", "sound", is_sound(), 1);
  clock_ms = 1000;
}

CASE(the_newest_reply_counts) {
  open_cache();
  put_and_flush("url", "one");
  (void)put("url", "two");
  put_and_flush("url", "three");
  check_get("url", "three");
  check_state(": in use, 1 reply");
}

CASE(what_is_queued_is_written_at_the_end) {
  char other[80];
  open_cache();
  (void)put("first", "1");
  (void)snprintf(other, sizeof(other), "%s-2", path);
  assert_int_equal(rtk_diskcache_use(disk, other), SQLITE_OK);
  check_int("use", "other file's size", size_of(other), -1);
  check_get("first", NULL);
  (void)put("second", "2");
  open_cache();
  check_get("first", "1");
  check_get("second", NULL);
  assert_int_equal(rtk_diskcache_use(disk, other), SQLITE_OK);
  check_get("second", "2");
}

/* Look-ups share a read for a while, which a writer of the same disk, time and
** rtk_diskcache_end_read() end. */
CASE(look_ups_share_a_read) {
  static const char reset[] = "PRAGMA wal_checkpoint(TRUNCATE)"; /* 1: busy */
  open_cache();
  put_and_flush("url", "one");
  check_get("url", "one");
  other_puts("url", "two");
  clock_ms += RTK_DISKCACHE_READ_MS - 1;
  check_get("url", "one");
  other_puts("new", "what is missing is looked for anew");
  check_get("new", "what is missing is looked for anew");
  other_puts("url", "one");
  clock_ms += RTK_DISKCACHE_READ_MS;
  check_get("url", "one");
  other_puts("url", "two");
  clock_ms += RTK_DISKCACHE_READ_MS - 1;
  check_get("url", "one");
  clock_ms += 1;
  check_get("url", "two");
  other_puts("url", "three");
  check_int("open", "reset", query_int(reset), 1);
  rtk_diskcache_end_read(disk);
  check_int("ended", "reset", query_int(reset), 0);
  check_get("url", "three");
  other_puts("url", "four");
  put_and_flush("own", "five");
  check_get("own", "five");
  check_get("url", "four");
}

CASE(no_path_is_no_file) {
  int64_t count = 0;
  rtk_diskcache_free(NULL);
  assert_int_equal(rtk_diskcache_new(NULL, &disk), SQLITE_OK);
  for (int i = 0; i < 2; i++) {
    check_int("none", "use", rtk_diskcache_use(disk, NULL), SQLITE_OK);
    check_int("none", "put", put("url", "body"), SQLITE_OK);
    check_int("none", "flush", rtk_diskcache_flush(disk), SQLITE_OK);
    check_get("url", NULL);
    check_int("none", "edit", add(1, &count), SQLITE_NOTFOUND);
    check_state("none");
    check_int("path", "use", rtk_diskcache_use(disk, path), SQLITE_OK);
    check_state(": not opened yet");
    check_int("path", "files", file_count(), i);
    check_get("url", NULL);
    check_state(": in use, 0 replies");
    sqlite3_int64 used = sqlite3_memory_used();
    check_int("same path", "use", rtk_diskcache_use(disk, path), SQLITE_OK);
    check_int("same path", "memory", sqlite3_memory_used(), used);
  }
  close_cache();
  check_int("none", "warnings", warnings, 0);
}

/* Such names mean something else to SQLite. */
CASE(a_name_is_a_file_name) {
  static const char *const names[] = {"x y%20#", ":memory", "-x", "?mode=ro"};
  char before[200];
  assert_non_null(getcwd(before, sizeof(before)));
  assert_int_equal(chdir(directory), 0);
  for (size_t i = 0; i < COUNT(names); i++) {
    (void)snprintf(path, sizeof(path), "%s", names[i]);
    open_cache();
    put_and_flush("url", "body");
    check_get("url", "body");
    close_cache();
    check_int(names[i], "is a file", size_of(names[i]) > 0, 1);
  }
  assert_int_equal(chdir(before), 0);
}

/* --- what goes ------------------------------------------------------------ */

CASE(what_is_too_old_is_not_found) {
  open_cache();
  struct rtk_disk_reply reply = reply_of("body", 4);
  reply.keep_ms = 0;
  check_int("0", "put", rtk_diskcache_put(disk, "0", &reply), SQLITE_OK);
  reply.keep_ms = 10;
  check_int("10", "put", rtk_diskcache_put(disk, "10", &reply), SQLITE_OK);
  check_int("all", "flush", rtk_diskcache_flush(disk), SQLITE_OK);
  check_state(": in use, 1 reply");
  clock_ms += 9;
  check_get("10", "body");
  clock_ms += 1;
  check_get("10", NULL);
  check_int("10", "still there", rtk_diskcache_get(disk, "10", NULL),
            SQLITE_OK);
}

static int64_t row_count(void) {
  return query_int("SELECT count(*) FROM reply");
}

static void put_many(const char *name, int count, int64_t keep_ms) {
  struct rtk_disk_reply reply = reply_of("body", 4);
  reply.keep_ms = keep_ms;
  for (int i = 0; i < count; i++) {
    char url[40];
    (void)snprintf(url, sizeof(url), "%s/%d", name, i);
    check_int(url, "put", rtk_diskcache_put(disk, url, &reply), SQLITE_OK);
  }
  check_int(name, "flush", rtk_diskcache_flush(disk), SQLITE_OK);
}

CASE(expired_replies_make_room) {
  open_cache();
  put_many("kept", 5, HOUR_MS);
  put_many("old", 100, 10);
  check_int("all", "rows", row_count(), 105);
  clock_ms += 10;
  put_many("new", 3, HOUR_MS);
  check_int("twice as many go", "rows", row_count(), 105 + 3 - 6);
  put_many("last", 50, HOUR_MS);
  check_int("none left", "rows", row_count(), 5 + 3 + 50);
  check_get("kept/4", "body");
}

CASE(clear_gives_the_room_back) {
  open_cache();
  int64_t count = 0;
  int64_t dropped = -1;
  check_int("empty", "clear", rtk_diskcache_clear(disk, &dropped), SQLITE_OK);
  check_int("empty", "dropped", dropped, 0);
  int64_t empty = size_of(path) + 4096; /* a blob */
  put_many("many", 2000, HOUR_MS);
  check_int("many", "edit", add(9, &count), SQLITE_OK);
  (void)put("queued", "body");
  check_int("many", "clear", rtk_diskcache_clear(disk, &dropped), SQLITE_OK);
  check_int("many", "dropped", dropped, 2000);
  check_int("many", "flush", rtk_diskcache_flush(disk), SQLITE_OK);
  check_get("many/7", NULL);
  check_get("queued", NULL);
  check_int("blob", "edit", add(9, &count), SQLITE_OK);
  check_int("blob", "count", count, 2);
  check_int("file", "is small again", size_of(path) <= empty, 1);
  put_and_flush("again", "body");
  check_get("again", "body");
  close_cache();
  check_int("file", "sound", is_sound(), 1);
}

/* --- blobs ---------------------------------------------------------------- */

struct big {
  char bytes[8192];
};

static int fill_big(void *blob, void *user) {
  struct big *big = blob;
  int *zeros = user;
  *zeros = 0;
  for (size_t i = 0; i < sizeof(big->bytes); i++) {
    if (big->bytes[i] == 0) ++*zeros;
    big->bytes[i] = (char)('a' + i % 26);
  }
  return SQLITE_OK;
}

CASE(blobs_are_edited_in_place) {
  static struct big big;
  open_cache();
  int64_t count = 40;
  int zeros = 0;
  check_int("new", "edit", add(1, &count), SQLITE_OK);
  check_int("new", "count", count, 1);
  check_int("other key", "edit", add(-2, &count), SQLITE_OK);
  check_int("other key", "count", count, 1);
  check_int("again", "edit", add(1, &count), SQLITE_OK);
  check_int("again", "count", count, 2);
  (void)put("queued", "body");
  rtk_diskcache_edit(disk, 1, &big, sizeof(big), fill_big, &zeros);
  check_int("other size", "zeros", zeros, sizeof(big));
  check_get("queued", "body");
  open_cache();
  memset(&big, 0, sizeof(big));
  rtk_diskcache_edit(disk, 1, &big, sizeof(big), fill_big, &zeros);
  check_int("same size", "zeros", zeros, 0);
  check_int("same size", "last byte", big.bytes[8191], 'a' + 8191 % 26);
  check_int("smaller", "edit", add(1, &count), SQLITE_OK);
  check_int("smaller", "count", count, 1);
}

/* Another URL with the same key, as if the two had the same hash. */
CASE(a_collision_is_a_miss) {
  open_cache();
  put_and_flush("url", "body");
  make_database("UPDATE reply SET url = 'other'");
  check_get("url", NULL);
  check_get("other", NULL);
  put_and_flush("url", "again");
  check_get("url", "again");
  check_int("all", "rows", row_count(), 1);
}

/* --- files that are not ours ---------------------------------------------- */

static void make_cache(void) {
  open_cache();
  int64_t count = 0;
  put_and_flush("url", "body");
  check_int("make", "edit", add(1, &count), SQLITE_OK);
  close_cache();
}

/* Only root can make such files. */
CASE(files_of_others_are_passed_over) {
  static const char *const ends[] = {"", "-wal", "-journal"};
  for (size_t i = 0; geteuid() == 0 && i < COUNT(ends); i++) {
    char name[80];
    start_afresh();
    if (i > 0) make_cache();
    (void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
    write_file(name, "", 0, -1);
    assert_int_equal(chown(name, 1, 1), 0);
    open_cache();
    check_passed_over(
        name, i == 0 ? "it belongs to another user; name another file"
                     : "its log belongs to another user; name another file");
    close_cache();
  }
}

static void change_cache(const char *sql) {
  make_cache();
  make_database(sql);
}

static void make_nothing(const char *arg) { (void)arg; }
static void make_file(const char *arg) {
  write_file(path, arg, strlen(arg), -1);
}
static void make_directory(const char *arg) {
  (void)arg;
  assert_int_equal(mkdir(path, 0700), 0);
}
static void make_pipe(const char *arg) {
  (void)arg;
  assert_int_equal(mkfifo(path, 0600), 0);
}
static void make_file_above(const char *arg) {
  make_file(arg);
  (void)snprintf(path, sizeof(path), "%s/cache/cache", directory);
}
static void make_link(const char *arg) {
  assert_int_equal(symlink(arg, path), 0);
}
static void make_mode(const char *arg) {
  make_file("");
  assert_int_equal(chmod(path, (mode_t)strtol(arg, NULL, 8)), 0);
}
static void make_ours(const char *arg) {
  if (*arg == '\0') make_cache();
  if (*arg != '\0') change_cache(arg);
}
static void make_ours_with_mode(const char *arg) {
  make_cache();
  assert_int_equal(chmod(path, (mode_t)strtol(arg, NULL, 8)), 0);
}
static void truncate_cache(const char *arg) {
  make_cache();
  assert_int_equal(truncate(path, atol(arg)), 0);
}

CASE(only_what_is_ours_is_used) {
  static const char malformed[] =
      "database disk image is malformed; delete it, or name another file";
  static const char schema[] =
      "its schema is not that of rtk; delete it, or name another file";
  static const char mode[] =
      "other users can write to it; chmod 600 it, or name another file";
  static const char no_database[] =
      "it is not an SQLite database; name another file";
  static const char other[] = "it is another database; name another file";
  static const char version[] =
      "it was made by another version of rtk; delete it, or name another file";
  static const struct {
    const char *name;
    void (*make)(const char *arg);
    const char *arg;
    enum { USED, REFUSED, PASSED_OVER } then; /* refused: by the check, too */
    const char *why;
    const char *advice; /* in the warning only */
  } cases[] = {
      {"missing", make_nothing, "", USED, NULL, ""},
      {"empty", make_file, "", USED, NULL, ""},
      {"ours", make_ours, "", USED, NULL, ""},
      {"ours, no WAL", make_ours, "PRAGMA journal_mode = DELETE", USED, NULL,
       ""},
      {"vacuumed", make_ours, "VACUUM", USED, NULL, ""},
      {"one byte", make_file, "x", REFUSED, no_database, ""},
      {"text", make_file, "SQLite format 4", REFUSED, no_database, ""},
      {"header cut", make_file, "SQLite format 3", REFUSED, other, ""},
      {"directory", make_directory, "", REFUSED,
       "it is a directory; name a file", ""},
      {"pipe", make_pipe, "", REFUSED, "it is not a file; name another one",
       ""},
      {"below a file", make_file_above, "", REFUSED, "Not a directory",
       "; mend it, or name another file (tried again after a minute)"},
      {"link", make_link, "nothing", REFUSED,
       "it is a link to a file that does not exist; name the file", ""},
      {"writable for others", make_mode, "620", REFUSED, mode, ""},
      {"writable for all", make_mode, "606", REFUSED, mode, ""},
      {"readable for all", make_mode, "644", USED, NULL, ""},
      {"ours, writable", make_ours_with_mode, "660", REFUSED, mode, ""},
      {"ours, readable", make_ours_with_mode, "644", USED, NULL, ""},
      {"database", make_database, "CREATE TABLE t(x)", REFUSED, other, ""},
      {"no tables", make_database, "VACUUM", REFUSED, other, ""},
      {"WAL database", make_database,
       "PRAGMA journal_mode = WAL; CREATE TABLE t(x)", REFUSED, other, ""},
      {"newer", make_ours, "PRAGMA user_version = 1000", REFUSED, version, ""},
      {"older", make_ours, "PRAGMA user_version = 0", REFUSED, version, ""},
      {"trigger", make_ours,
       "CREATE TRIGGER t AFTER INSERT ON reply BEGIN SELECT 1; END",
       PASSED_OVER, schema, ""},
      {"view", make_ours, "CREATE VIEW v AS SELECT 1", PASSED_OVER, schema, ""},
      {"index", make_ours, "CREATE INDEX i ON reply(url)", PASSED_OVER, schema,
       ""},
      {"no table", make_ours, "DROP TABLE blob", PASSED_OVER, schema, ""},
      {"no index", make_ours, "DROP INDEX reply_keep", PASSED_OVER, schema, ""},
      {"other table", make_ours,
       "DROP TABLE blob; CREATE TABLE blob(key, data)", PASSED_OVER, schema,
       ""},
      {"column", make_ours, "ALTER TABLE blob ADD COLUMN x", PASSED_OVER,
       schema, ""},
      {"cut after the header", truncate_cache, "100", PASSED_OVER, malformed,
       ""},
      {"cut after a page", truncate_cache, "4096", PASSED_OVER, malformed, ""},
      {"cut in a page", truncate_cache, "9000", PASSED_OVER, malformed, ""},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    const char *name = cases[i].name;
    bool is_refused = cases[i].then == REFUSED;
    struct rtk_err err = {0};
    size_t size = 0, size_then = 0;
    char text[300];
    start_afresh();
    cases[i].make(cases[i].arg);
    bool is_file = size_of(path) >= 0 && cases[i].make != make_pipe &&
                   cases[i].make != make_directory;
    int files = file_count();
    const char *before = is_file ? read_file(path, &size) : "";

    check_int(name, "check", rtk_openfile_check(path, NULL, &err),
              is_refused ? SQLITE_ERROR : SQLITE_OK);
    (void)snprintf(text, sizeof(text), "cache_file '%s' cannot be used: %s",
                   path, cases[i].why);
    check_text(name, "message", err.message, is_refused ? text : NULL);
    rtk_err_clear(&err);
    const char *after = is_file ? read_file(path, &size_then) : "";
    check_bytes(name, "bytes after the check", after, size_then, before, size);
    check_int(name, "files after the check", file_count(), files);

    open_cache();
    if (cases[i].then == USED) {
      put_and_flush("url", "new");
      check_get("url", "new");
      check_int(name, "warnings", warnings, 0);
      close_cache();
      check_int(name, "sound", is_sound(), 1);
      continue;
    }
    (void)snprintf(text, sizeof(text), "%s%s", cases[i].why, cases[i].advice);
    check_passed_over(name, text);
    close_cache();
    after = is_file ? read_file(path, &size_then) : "";
    check_bytes(name, "bytes after use", after, size_then, before, size);
    check_int(name, "files after use", file_count(), files);
  }
  start_afresh();
}

/* The header is ours, what the log says is not; and a body that no reply
** has. */
CASE(what_is_read_is_looked_at_too) {
  make_cache();
  sqlite3 *db = open_database(path);
  execute(db, "PRAGMA user_version = 3"); /* in the log while this is open */
  open_cache();
  check_passed_over(
      "log",
      "it was made by another version of rtk; delete it, or name another file");
  close_cache();
  (void)sqlite3_close(db);

  start_afresh();
  change_cache("UPDATE reply SET body = zeroblob(10000000)");
  open_cache();
  check_passed_over("large",
                    "string or blob too big; delete it, or name another file");
}

/* No sum of such times overflows. */
CASE(times_that_make_no_sense_are_not_found) {
  static const struct {
    const char *set;
    bool is_found;
  } cases[] = {
      {"fetched_ms = 9007199254740992", true},
      {"fetched_ms = 9007199254740993", false},
      {"fetched_ms = 9223372036854775807", false},
      {"fetched_ms = -1", false},
      {"fetched_ms = -9223372036854775807 - 1", false},
      {"fetched_ms = 0", true},
      {"fetched_ms = 'x'", true}, /* 0 as a number */
      {"fetched_ms = 1e300", false},
      {"keep_until_ms = 9223372036854775807, fetched_ms = -5", false},
      {"keep_until_ms = 9223372036854775807, fetched_ms = 0", true},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char sql[120];
    struct rtk_disk_reply found;
    start_afresh();
    (void)snprintf(sql, sizeof(sql), "UPDATE reply SET %s", cases[i].set);
    change_cache(sql);
    open_cache();
    int rc = rtk_diskcache_get(disk, "url", &found);
    check_int(cases[i].set, "get", rc,
              cases[i].is_found ? SQLITE_OK : SQLITE_NOTFOUND);
    put_and_flush("url", "new");
    check_get("url", "new");
    close_cache();
  }
}

/* Which lock does this process hold on the byte?  Asked by another process, as
** a process does not see its own locks. */
static int lock_at(const char *name, long at) {
  int status = 0;
  pid_t child = fork();
  if (child == 0) {
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
    int file = open(name, O_RDWR);
    _exit(file < 0 || fcntl(file, F_GETLK, &lock) != 0 ? 99 : lock.l_type);
  }
  (void)waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The host's own database, in the middle of a transaction. */
CASE(locks_of_the_host_stay) {
  static const struct {
    const char *journal_mode;
    const char *lock_end; /* of the file's name */
    long lock_at;
  } cases[] = {
      {"PRAGMA journal_mode = DELETE", "", 0x40000000 + 1}, /* RESERVED */
      {"PRAGMA journal_mode = WAL", "-shm", 120},           /* WRITE */
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    const char *name = cases[i].journal_mode;
    struct rtk_err err = {0};
    char locked[80], log[80];
    size_t size[4];
    start_afresh();
    (void)snprintf(locked, sizeof(locked), "%s%s", path, cases[i].lock_end);
    (void)snprintf(log, sizeof(log), "%s-wal", path);
    sqlite3 *db = open_database(path);
    execute(db, cases[i].journal_mode);
    execute(db, "CREATE TABLE t(x); INSERT INTO t VALUES(1)");
    execute(db, "BEGIN IMMEDIATE; INSERT INTO t VALUES(2)");
    check_int(name, "lock before", lock_at(locked, cases[i].lock_at), F_WRLCK);
    /* Read by a descriptor that is never closed, or the locks were gone. */
    int file = open(path, O_RDONLY);
    static char before[65536], after[65536];
    size[0] = (size_t)pread(file, before, sizeof(before), 0);
    size[1] = (size_t)size_of(log);
    int files = file_count();

    check_int(name, "check", rtk_openfile_check(path, NULL, &err),
              SQLITE_ERROR);
    rtk_err_clear(&err);
    open_cache();
    check_passed_over(name, "it is another database; name another file");
    close_cache();

    check_int(name, "lock after", lock_at(locked, cases[i].lock_at), F_WRLCK);
    check_int(name, "files", file_count(), files);
    size[2] = (size_t)pread(file, after, sizeof(after), 0);
    size[3] = (size_t)size_of(log);
    check_bytes(name, "bytes", after, size[2], before, size[0]);
    check_int(name, "log", (int64_t)size[3], (int64_t)size[1]);
    execute(db, "COMMIT");
    (void)sqlite3_close(db);
    (void)close(file);
    check_int(name, "rows", query_int("SELECT count(*) FROM t"), 2);
  }
}

/* An empty one says nothing of itself. */
CASE(an_empty_database_of_the_host_is_not_filled) {
  static const char why[] =
      "it is a database of this connection; name another file";
  static const char *const opened[] = {"main", "attached"};
  for (size_t i = 0; i < COUNT(opened); i++) {
    const char *name = opened[i];
    struct rtk_err err = {0};
    char sql[120];
    start_afresh();
    sqlite3 *host = open_database(i == 0 ? path : ":memory:");
    (void)snprintf(sql, sizeof(sql), "ATTACH '%s' AS a", path);
    execute(host, i == 0 ? "BEGIN EXCLUSIVE" : sql);
    check_int(name, "size", size_of(path), 0);
    check_int(name, "check", rtk_openfile_check(path, host, &err),
              SQLITE_ERROR);
    check_has(name, err.message, why);
    rtk_err_clear(&err);
    assert_int_equal(rtk_diskcache_new(host, &disk), SQLITE_OK);
    assert_int_equal(rtk_diskcache_use(disk, path), SQLITE_OK);
    check_passed_over(name, why);
    check_int(name, "size", size_of(path), 0);
    close_cache();

    /* Another file is none of the host's. */
    (void)snprintf(path, sizeof(path), "%s/other", directory);
    write_file(path, "", 0, -1);
    check_int(name, "check", rtk_openfile_check(path, host, &err), SQLITE_OK);
    assert_int_equal(rtk_diskcache_new(host, &disk), SQLITE_OK);
    assert_int_equal(rtk_diskcache_use(disk, path), SQLITE_OK);
    put_and_flush("url", "body");
    close_cache();
    (void)sqlite3_close(host);
  }
}

/* A file that was there before is never closed by hand, a new one not while
** somebody else has it open. */
CASE(two_stores_share_a_new_file) {
  int64_t count = 0;
  for (int i = 0; i < 3; i++, take_turns()) {
    if (disk == NULL) open_cache();
    check_int("each", "edit", add(1, &count), SQLITE_OK);
  }
  check_int("both", "count", count, 3);
  put_and_flush("url", "body");
  take_turns();
  check_get("url", "body");
  take_turns();
  close_cache();
  take_turns();
  put_and_flush("url", "again");
  close_cache();
  check_int("both", "sound", is_sound(), 1);
}

/* --- files that break ----------------------------------------------------- */

CASE(what_breaks_later_is_passed_over) {
  char bytes[4096];
  open_cache();
  put_many("many", 100, HOUR_MS);
  close_cache();
  memset(bytes, 0xa5, sizeof(bytes));
  for (long page = 1; page < 5; page++) { /* 0 holds the schema */
    write_file(path, bytes, sizeof(bytes), page * 4096);
  }
  open_cache();
  check_passed_over(
      "damaged",
      "database disk image is malformed; delete it, or name another file");
  check_int("damaged", "use", rtk_diskcache_use(disk, NULL), SQLITE_OK);
  empty_directory();
  check_int("new", "use", rtk_diskcache_use(disk, path), SQLITE_OK);
  put_and_flush("url", "body");
  check_get("url", "body");
  check_int("new", "warnings", warnings, 1);
}

static bool is_result(int rc) {
  return rc == SQLITE_OK || rc == SQLITE_NOTFOUND;
}

/* Always the same "random" places. */
CASE(damage_anywhere_does_no_harm) {
  size_t size = 0;
  uint32_t random = 12345;
  int passed_over = 0;
  open_cache();
  put_many("many", 100, HOUR_MS);
  close_cache();
  char *sound = malloc(65536);
  memcpy(sound, read_file(path, &size), 65536);
  for (int i = 0; i < 200; i++) {
    unsigned char bytes[8];
    int64_t count = 0;
    warnings = 0;
    write_file(path, sound, size, -1);
    for (size_t j = 0; j < sizeof(bytes); j++) {
      random = random * 1664525 + 1013904223;
      bytes[j] = (unsigned char)(random >> 24);
    }
    write_file(path, bytes, sizeof(bytes), (long)(random >> 4) % (long)size);
    open_cache();
    for (int j = 0; j < 100; j++) {
      struct rtk_disk_reply found;
      char url[40];
      (void)snprintf(url, sizeof(url), "many/%d", j);
      check_int(url, "get", is_result(rtk_diskcache_get(disk, url, &found)), 1);
    }
    check_int("damaged", "put", put("url", "body"), SQLITE_OK);
    check_int("damaged", "flush", is_result(rtk_diskcache_flush(disk)), 1);
    check_int("damaged", "edit", is_result(add(1, &count)), 1);
    check_int("damaged", "clear", is_result(rtk_diskcache_clear(disk, &count)),
              1);
    check_int("damaged", "warnings", warnings <= 1, 1);
    passed_over += warnings;
    close_cache();
    empty_directory();
  }
  check_int("damaged", "some are noticed", passed_over > 10, 1);
  free(sound);
}

/* Deleted, or another one moved to its place, while it is in use: from the next
** statement on it is the one at the path. */
CASE(a_file_in_use_can_be_replaced) {
  open_cache();
  char aside[80];
  (void)snprintf(aside, sizeof(aside), "%s-aside", path);
  put_and_flush("url", "first");
  assert_int_equal(rename(path, aside), 0);
  check_int("deleted", "queued", put("queued", "body"), SQLITE_OK);
  check_int("deleted", "use", rtk_diskcache_use(disk, path), SQLITE_OK);
  check_get("url", NULL);
  put_and_flush("url", "second");
  check_get("queued", "body");
  assert_int_equal(rename(aside, path), 0);
  check_get("url", "second"); /* until a statement begins */
  check_int("replaced", "use", rtk_diskcache_use(disk, path), SQLITE_OK);
  check_get("url", "first");
  check_int("same", "use", rtk_diskcache_use(disk, path), SQLITE_OK);
  check_get("url", "first");
  check_int("none", "get", rtk_diskcache_get(disk, "queued", NULL),
            SQLITE_NOTFOUND);
  check_state(": in use, 1 reply");
  close_cache();
  check_int("replaced", "warnings", warnings, 0);
  check_int("replaced", "sound", is_sound(), 1);
}

/* What may pass is tried again after a while, and warned of once; what does not
** pass only when the file is gone. */
CASE(a_file_passed_over_is_tried_again) {
  make_cache();
  shim.is_readonly = true;
  open_cache();
  check_passed_over("read-only",
                    "it is read-only; make it and its directory writable "
                    "(tried again after a minute)");
  clock_ms += RTK_DISKCACHE_AGAIN_MS;
  check_get("url", NULL); /* not before a statement begins */
  check_int("read-only", "use", rtk_diskcache_use(disk, path), SQLITE_OK);
  check_get("url", NULL);
  check_int("read-only", "warnings", warnings, 1);
  shim.is_readonly = false;
  clock_ms += RTK_DISKCACHE_AGAIN_MS - 1;
  check_int("too early", "use", rtk_diskcache_use(disk, path), SQLITE_OK);
  check_get("url", NULL);
  clock_ms++;
  check_int("writable", "use", rtk_diskcache_use(disk, path), SQLITE_OK);
  check_get("url", "body");
  put_and_flush("url", "new");
  close_cache();

  start_afresh();
  write_file(path, "text", 4, -1);
  open_cache();
  check_get("url", NULL);
  clock_ms += 10 * RTK_DISKCACHE_AGAIN_MS;
  check_int("text", "use", rtk_diskcache_use(disk, path), SQLITE_OK);
  check_state(": passed over: it is not an SQLite database; name another"
              " file");
  empty_directory();
  check_int("gone", "use", rtk_diskcache_use(disk, path), SQLITE_OK);
  put_and_flush("url", "body");
  check_get("url", "body");
}

CASE(a_full_disk_is_passed_over) {
  int rooms = 0;
  bool is_enough = false;
  /* Full from the first, second, third … write on, until there is room for
  ** all.  What was there before stays. */
  for (; !is_enough && rooms < 1000; rooms++) {
    start_afresh();
    if (rooms % 2 == 1) make_cache();
    shim.room = rooms / 2;
    open_cache();
    int64_t count = 0;
    (void)put("new", "body");
    int flushed = rtk_diskcache_flush(disk);
    int edited = add(1, &count);
    check_int("full", "results", is_result(flushed) && is_result(edited), 1);
    is_enough = flushed == SQLITE_OK && edited == SQLITE_OK;
    check_int("full", "warnings", warnings, is_enough ? 0 : 1);
    if (!is_enough) check_has("full", warning, "database or disk is full");
    shim.room = -1;
    open_cache();
    check_get("url", rooms % 2 == 1 ? "body" : NULL);
    put_and_flush("now", "body");
    check_get("now", "body");
    close_cache();
    check_int("full", "sound", is_sound(), 1);
  }
  check_int("full", "some writes", rooms > 6 && rooms < 1000, 1);
}

/* --- locks ---------------------------------------------------------------- */

CASE(a_locked_file_is_written_later) {
  open_cache();
  int64_t count = 5;
  int64_t dropped = 5;
  put_and_flush("before", "body");
  sqlite3 *db = open_database(path);
  execute(db, "BEGIN EXCLUSIVE");
  check_get("before", "body"); /* a writer stops no reader */
  check_int("locked", "put", put("url", "body"), SQLITE_OK);
  edits = 0;
  for (int i = 0; i < 3; i++) {
    check_int("locked", "flush", rtk_diskcache_flush(disk), SQLITE_BUSY);
    check_int("locked", "edit", add(1, &count), SQLITE_BUSY);
    check_int("locked", "count", count, 5);
    check_int("locked", "edits", edits, 0);
    clock_ms += RTK_DISKCACHE_LOCKED_MAX_MS / 3 - 1;
  }
  execute(db, "COMMIT");
  check_int("free", "edit", add(1, &count), SQLITE_OK);
  check_int("free", "count", count, 1);
  check_get("url", "body");
  clock_ms += RTK_DISKCACHE_LOCKED_MAX_MS - 1; /* the count starts again */
  execute(db, "BEGIN EXCLUSIVE");
  check_int("again", "edit", add(1, &count), SQLITE_BUSY);
  check_int("again", "clear", rtk_diskcache_clear(disk, &dropped), SQLITE_BUSY);
  check_int("again", "dropped", dropped, 5);
  /* What was met long ago is no steady lock. */
  clock_ms += RTK_DISKCACHE_RETRY_MS + RTK_DISKCACHE_LOCKED_MAX_MS + 1;
  check_int("long after", "edit", add(1, &count), SQLITE_BUSY);
  (void)sqlite3_close(db);
  check_int("free", "edit", add(1, &count), SQLITE_OK);
  check_int("free", "warnings", warnings, 0);
}

/* Locked before it is opened, for reading too. */
CASE(a_file_locked_at_opening_is_opened_later) {
  int64_t count = 0;
  make_cache();
  for (int round = 0; round < 2; round++) {
    open_cache();
    sqlite3 *db = open_database(path);
    execute(db, "PRAGMA locking_mode = EXCLUSIVE;"
                "PRAGMA user_version = 2"); /* writes, and so locks */
    check_get("url", NULL);
    check_state(": not opened yet");
    check_int("locked", "put", put("new", "body"), SQLITE_OK);
    check_int("locked", "flush", rtk_diskcache_flush(disk), SQLITE_BUSY);
    check_int("locked", "edit", add(1, &count), SQLITE_BUSY);
    if (round == 0) {
      (void)sqlite3_close(db);
      check_get("url", NULL); /* not tried again yet */
      clock_ms += RTK_DISKCACHE_RETRY_MS;
      check_get("url", "body");
      check_int("free", "flush", rtk_diskcache_flush(disk), SQLITE_OK);
      check_get("new", "body");
    } else {
      for (int i = 0; i < 2; i++) {
        check_int("locked", "warnings", warnings, 0);
        check_get("url", NULL);
        clock_ms += RTK_DISKCACHE_LOCKED_MAX_MS / 2;
      }
      check_passed_over("locked",
                        "another connection or process keeps it locked; end "
                        "its transaction there (tried again after a minute)");
      (void)sqlite3_close(db);
    }
    close_cache();
  }
}

/* The wait for a lock is measured in time, however long one sleep is. */
CASE(a_wait_for_a_lock_has_an_end) {
  static const struct {
    const char *name;
    bool is_coarse;
    int read_sleeps, write_sleeps;
  } cases[] = {
      {"fine", false, 2000 / 2, 50 / 2},
      {"whole seconds", true, 2, 1},
  };
  int64_t count = 0;
  make_cache();
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    open_cache();
    sqlite3 *db = open_database(path);
    execute(db, "PRAGMA locking_mode = EXCLUSIVE;"
                "PRAGMA user_version = 2"); /* writes, and so locks */
    shim.is_sleep_coarse = cases[i].is_coarse;
    shim.sleeps = 0;
    check_get("url", NULL);
    check_int(cases[i].name, "read", shim.sleeps, cases[i].read_sleeps);
    shim.sleeps = 0;
    check_int(cases[i].name, "edit", add(1, &count), SQLITE_BUSY);
    check_int(cases[i].name, "write", shim.sleeps, cases[i].write_sleeps);
    shim.is_sleep_coarse = false;
    (void)sqlite3_close(db);
    close_cache();
  }
}

CASE(a_full_queue_drops_the_oldest) {
  enum { SIZE = 100000, FIT = RTK_DISKCACHE_QUEUE_MAX / SIZE };
  char *body = malloc(RTK_DISKCACHE_QUEUE_MAX + 1);
  open_cache();
  char url[40];
  int found = 0;
  memset(body, 'x', RTK_DISKCACHE_QUEUE_MAX + 1);
  put_and_flush("url", "body");
  sqlite3 *db = open_database(path);
  execute(db, "BEGIN EXCLUSIVE");
  sqlite3_int64 before = sqlite3_memory_used();
  for (int i = 0; i < FIT + 20; i++) {
    struct rtk_disk_reply reply = reply_of(body, SIZE);
    (void)snprintf(url, sizeof(url), "%d", i);
    check_int(url, "put", rtk_diskcache_put(disk, url, &reply), SQLITE_OK);
    sqlite3_int64 used = sqlite3_memory_used() - before;
    if (used > RTK_DISKCACHE_QUEUE_MAX + 65536) {
      check_int(url, "memory", used, RTK_DISKCACHE_QUEUE_MAX);
    }
  }
  (void)sqlite3_close(db);
  struct rtk_disk_reply large = reply_of(body, RTK_DISKCACHE_QUEUE_MAX + 1);
  check_int("large", "put", rtk_diskcache_put(disk, "large", &large),
            SQLITE_OK);
  check_int("free", "flush", rtk_diskcache_flush(disk), SQLITE_OK);
  for (int i = 0; i < FIT + 20; i++) {
    struct rtk_disk_reply got;
    (void)snprintf(url, sizeof(url), "%d", i);
    int rc = rtk_diskcache_get(disk, url, &got);
    check_int(url, "get", rc, i < 20 ? SQLITE_NOTFOUND : SQLITE_OK);
    found += rc == SQLITE_OK;
  }
  check_int("all", "found", found, FIT);
  check_get("large", NULL);

  /* With no lock in the way a full queue is written, not dropped. */
  for (int i = 0; i < FIT + 20; i++) {
    struct rtk_disk_reply reply = reply_of(body, SIZE);
    (void)snprintf(url, sizeof(url), "more/%d", i);
    check_int(url, "put", rtk_diskcache_put(disk, url, &reply), SQLITE_OK);
  }
  check_int("more", "flush", rtk_diskcache_flush(disk), SQLITE_OK);
  check_int("more", "rows",
            query_int("SELECT count(*) FROM reply WHERE url LIKE 'more/%'"),
            FIT + 20);
  close_cache();
  free(body);
}

/* --- processes ------------------------------------------------------------ */

static void body_of(const char *url, char *body, size_t size) {
  (void)snprintf(body, size, "%s %0*d %s", url, 300, 7, url);
}

static void put_url(const char *url) {
  char body[400];
  body_of(url, body, sizeof(body));
  if (put(url, body) != SQLITE_OK) _exit(1);
}

static void get_url(const char *url) {
  char body[400];
  struct rtk_disk_reply found;
  int rc = rtk_diskcache_get(disk, url, &found);
  body_of(url, body, sizeof(body));
  if (rc == SQLITE_NOTFOUND) return; /* locked for the moment, or not there */
  if (rc != SQLITE_OK) _exit(2);
  if (found.body_size != strlen(body)) _exit(3);
  if (memcmp(found.body, body, strlen(body)) != 0) _exit(4);
}

static void insist_on_flush(void) {
  int rc = SQLITE_BUSY;
  while (rc == SQLITE_BUSY) rc = rtk_diskcache_flush(disk);
  if (rc != SQLITE_OK) _exit(5);
}

static void insist_on_add(void) {
  int64_t count = 0;
  int rc = SQLITE_BUSY;
  while (rc == SQLITE_BUSY) rc = add(1, &count);
  if (rc != SQLITE_OK) _exit(6);
}

/* One of several processes at work on one file, beginning with no file. */
static void work(int process) {
  char url[40];
  if (rtk_diskcache_new(NULL, &disk) != SQLITE_OK) _exit(7);
  if (rtk_diskcache_use(disk, path) != SQLITE_OK) _exit(7);
  for (int i = 0; i < ROUNDS; i++) {
    (void)snprintf(url, sizeof(url), "%d/%d", process, i);
    put_url(url);
    insist_on_add();
    if (i % 10 == 0) insist_on_flush();
    for (int p = 0; p < PROCESSES; p++) {
      (void)snprintf(url, sizeof(url), "%d/%d", p, i / 2);
      get_url(url);
    }
  }
  insist_on_flush();
  close_cache();
  _exit(warnings == 0 ? 0 : 8);
}

CASE(processes_lose_nothing) {
  pid_t children[PROCESSES];
  char url[40], body[400];
  int64_t count = 0;
  is_clock_real = true;
  for (int p = 0; p < PROCESSES; p++) {
    children[p] = fork();
    if (children[p] == 0) work(p);
  }
  for (int p = 0; p < PROCESSES; p++) {
    int status = -1;
    assert_int_equal(waitpid(children[p], &status, 0), children[p]);
    check_int("process", "status", status, 0);
  }
  open_cache();
  check_int("all", "edit", add(1, &count), SQLITE_OK);
  check_int("all", "count", count, PROCESSES * ROUNDS + 1);
  for (int p = 0; p < PROCESSES; p++) {
    for (int i = 0; i < ROUNDS; i++) {
      (void)snprintf(url, sizeof(url), "%d/%d", p, i);
      body_of(url, body, sizeof(body));
      check_get(url, body);
    }
  }
  close_cache();
  check_int("all", "sound", is_sound(), 1);
}

/* Tells of each reply that is written. */
static void write_until_killed(int round, int out) {
  if (rtk_diskcache_new(NULL, &disk) != SQLITE_OK) _exit(1);
  if (rtk_diskcache_use(disk, path) != SQLITE_OK) _exit(1);
  for (int i = 0;; i++) {
    char url[40];
    (void)snprintf(url, sizeof(url), "%d/%d", round, i);
    put_url(url);
    insist_on_flush();
    if (write(out, "", 1) != 1) _exit(1);
    insist_on_add();
  }
}

/* Killed after 0, 7, 14 … replies, at any point of the next; every third time
** with a file to be created. */
CASE(what_was_written_survives_a_kill) {
  is_clock_real = true;
  for (int round = 0; round < KILLS; round++) {
    int ends[2];
    char byte = 0;
    int written = 0, status = 0;
    int64_t count = 0;
    if (round % 3 == 0) empty_directory();
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
      (void)close(ends[0]);
      write_until_killed(round, ends[1]);
    }
    (void)close(ends[1]);
    while (written < round * 7 && read(ends[0], &byte, 1) == 1) written++;
    (void)kill(child, SIGKILL);
    (void)waitpid(child, &status, 0);
    check_int("child", "killed", WIFSIGNALED(status), 1);
    while (read(ends[0], &byte, 1) == 1) written++;
    (void)close(ends[0]);

    open_cache();
    for (int i = 0; i < written; i++) {
      char url[40], body[400];
      (void)snprintf(url, sizeof(url), "%d/%d", round, i);
      body_of(url, body, sizeof(body));
      check_get(url, body);
    }
    check_int("killed", "edit", add(1, &count), SQLITE_OK);
    check_int("killed", "count", count >= written, 1);
    close_cache();
    check_int("killed", "sound", is_sound(), 1);
    check_int("killed", "warnings", warnings, 0);
  }
}

/* --- no memory ------------------------------------------------------------ */

static bool is_nomem;

/* Notes whether memory ran out, and takes it as an answer. */
static bool went_well(const char *what, int rc, bool can_be_missing) {
  if (rc == SQLITE_NOMEM) is_nomem = true;
  if (rc == SQLITE_NOTFOUND && can_be_missing) return false;
  check_int("no memory", what, rc, rc == SQLITE_NOMEM ? rc : SQLITE_OK);
  return rc == SQLITE_OK;
}

static int use_all(void *arg) {
  const bool *is_new = arg;
  struct rtk_disk_reply found;
  struct rtk_err err = {0};
  static struct big big;
  int zeros = 0;
  int64_t count = 0, dropped = 0;
  is_nomem = false;
  warnings = 0;
  if (*is_new) {
    int countdown = check.countdown;
    check.countdown = 0;
    empty_directory();
    check.countdown = countdown;
  }
  (void)went_well("check", rtk_openfile_check(path, NULL, &err), false);
  rtk_err_clear(&err);
  if (rtk_diskcache_new(NULL, &disk) != SQLITE_OK) return SQLITE_NOMEM;
  (void)went_well("use", rtk_diskcache_use(disk, path), false);
  if (went_well("get", rtk_diskcache_get(disk, "url", &found), true)) {
    check_bytes("no memory", "old", found.body, found.body_size, "body", 4);
  }
  bool is_put = went_well("put", put("new", "one"), false);
  is_put = went_well("put", put("new", "two"), false) && is_put;
  bool is_written =
      went_well("flush", rtk_diskcache_flush(disk), true) && is_put;
  if (went_well("get", rtk_diskcache_get(disk, "new", &found), true)) {
    bool is_one = found.body_size == 3 && memcmp(found.body, "one", 3) == 0;
    bool is_two = found.body_size == 3 && memcmp(found.body, "two", 3) == 0;
    check_int("no memory", "new", is_two || (is_one && !is_written), 1);
  } else {
    check_int("no memory", "not found, with all in memory", is_nomem, 1);
  }
  int rc = rtk_diskcache_edit(disk, 6, &big, sizeof(big), fill_big, &zeros);
  (void)went_well("edit", rc, true);
  bool is_edited = went_well("edit", add(5, &count), true);
  if (is_edited) check_int("no memory", "count", count, 1);
  if (went_well("edit", add(5, &count), true)) {
    check_int("no memory", "count", count, is_edited ? 2 : 1);
  }
  sqlite3_str *out = sqlite3_str_new(NULL);
  rtk_diskcache_describe(disk, out);
  sqlite3_free(sqlite3_str_finish(out));
  (void)put("last", "body");
  bool is_cleared =
      went_well("clear", rtk_diskcache_clear(disk, &dropped), true);
  close_cache();
  check_text("no memory", "warning", warnings == 0 ? NULL : warning, NULL);

  int countdown = check.countdown;
  check.countdown = 0;
  if (size_of(path) > 0) {
    make_database("DELETE FROM blob WHERE key IN (5, 6)");
    if (is_cleared) check_int("clear", "rows", row_count(), 0);
    open_cache();
    put_and_flush("url", "body");
    close_cache();
    check_int("no memory", "sound", is_sound(), 1);
  }
  check.countdown = countdown;
  return is_nomem ? SQLITE_NOMEM : SQLITE_OK;
}

static int look_at_host(void *arg) {
  struct rtk_err err = {0};
  int countdown = check.countdown;
  (void)arg;
  check.countdown = 0;
  sqlite3 *host = open_database(path);
  execute(host, "BEGIN");
  check.countdown = countdown;
  int rc = rtk_openfile_check(path, host, &err);
  check.countdown = 0;
  if (rc == SQLITE_ERROR)
    rc = SQLITE_OK; /* as it should be */
  else if (rc == SQLITE_OK)
    check_int("no memory", "taken for a cache", 1, 0);
  rtk_err_clear(&err);
  (void)sqlite3_close(host);
  return rc;
}

CASE(no_memory_costs_no_file) {
  bool is_new = true;
  check_nomem("host's file", look_at_host, NULL, true);
  check_nomem("new file", use_all, &is_new, true);
  is_new = false;
  check_nomem("old file", use_all, &is_new, true);
}

static int remove_directory(void **state) {
  (void)state;
  empty_directory();
  return rmdir(directory);
}

int main(void) {
  (void)sqlite3_config(SQLITE_CONFIG_LOG, hear, NULL);
  check_init();
  begin_shim();
  if (mkdtemp(directory) == NULL) return 1;
  return RUN_CASES(NULL, remove_directory);
}
