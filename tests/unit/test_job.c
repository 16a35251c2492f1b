/* The memory of one statement. */
#include "base/limits.h"
#include "fetch/job.h"

#include "api/reply.h"

#include "check.h"

#define MANY 3000            /* more than eight times the first table */
#define PLENTY (1024 * 1024) /* bytes */

static const struct rtk_text no_id = {NULL, 0};

static struct rtk_jobs *jobs; /* of the test that runs */

static void release(struct rtk_job *job, int64_t max_bytes) {
  rtk_jobs_release(jobs, job, max_bytes);
}

static struct rtk_job *hold(const char *url, bool expected_new) {
  struct rtk_job *job = NULL;
  bool is_new = !expected_new;
  check_int(url, "hold", rtk_jobs_hold(jobs, NULL, url, no_id, &job, &is_new),
            SQLITE_OK);
  check_int(url, "is new", is_new, expected_new);
  return job;
}

static void settle(struct rtk_job *job, int64_t max_bytes) {
  struct rtk_reply *reply = NULL;
  struct rtk_reply draft = {
      .outcome = RTK_OUTCOME_GONE, .http_status = 404, .error = "gone"};
  int rc = rtk_reply_of_error(&draft, &reply);
  assert_int_equal(rc, SQLITE_OK);
  rtk_jobs_finish(jobs, job, reply, max_bytes);
}

/* Asks for it, gets the reply and lets go. */
static void remember(const char *url, int64_t max_bytes) {
  struct rtk_job *job = hold(url, true);
  settle(job, max_bytes);
  release(job, max_bytes);
}

/* Is it there?  Asking makes it the newest. */
static bool is_known(const char *url, int64_t max_bytes) {
  struct rtk_job *job = NULL;
  bool is_new = false;
  assert_int_equal(rtk_jobs_hold(jobs, NULL, url, no_id, &job, &is_new),
                   SQLITE_OK);
  check_int(url, "new without a reply", job->reply == NULL, is_new);
  release(job, max_bytes);
  return !is_new;
}

static void begin(void) { assert_int_equal(rtk_jobs_new(&jobs), SQLITE_OK); }

/* Bytes of a job with a URL of one letter, as settle() fills it. */
static int64_t one_size(void) {
  struct rtk_jobs *others = jobs;
  assert_int_equal(rtk_jobs_new(&jobs), SQLITE_OK);
  struct rtk_job *job = hold("?", true);
  settle(job, PLENTY);
  int64_t size = rtk_jobs_held_bytes(jobs);
  check_int("one", "its bytes", size,
            (int64_t)(job->size + job->reply->size) + 48);
  release(job, PLENTY);
  rtk_jobs_free(jobs);
  jobs = others;
  return size;
}

CASE(each_url_has_one_entry) {
  begin();
  struct rtk_job *a = hold("a", true);
  struct rtk_job *b = hold("b", true);
  struct rtk_job *again = hold("a", false);
  check_int("a", "the same job", a == again, 1);
  check_int("a, b", "two entries", a != b, 1);
  check_text("a", "url", a->url, "a");
  check_int("a", "no reply yet", a->reply == NULL, 1);
  check_int("a, held twice", "last holder", rtk_job_is_last_holder(a), 0);
  release(again, PLENTY);
  check_int("a, held once", "last holder", rtk_job_is_last_holder(a), 1);
  check_int("no replies", "held bytes", rtk_jobs_held_bytes(jobs), 0);
  release(a, PLENTY);
  release(b, PLENTY);
  rtk_jobs_free(jobs);
}

CASE(url_and_id_are_copied) {
  char url[] = "https://x/a";
  char id[] = "a\0b!";
  begin();
  struct rtk_job *job = NULL;
  bool is_new = false;
  (void)rtk_jobs_hold(jobs, NULL, url, (struct rtk_text){id, 3}, &job, &is_new);
  memset(url, '?', sizeof(url) - 1);
  memset(id, '?', sizeof(id) - 1);
  check_text("copy", "url", job->url, "https://x/a");
  check_bytes("copy", "id", job->id.bytes, job->id.size, "a\0b", 3);
  release(job, PLENTY);
  rtk_jobs_free(jobs);
}

CASE(what_has_no_reply_is_gone_with_its_holder) {
  begin();
  struct rtk_job *job = hold("a", true);
  release(job, PLENTY);
  job = hold("a", true);
  release(job, PLENTY);
  rtk_jobs_free(jobs);
}

CASE(a_reply_stays_until_its_room_is_needed) {
  begin();
  struct rtk_job *job = hold("a", true);
  settle(job, PLENTY);
  check_int("held", "held bytes", rtk_jobs_held_bytes(jobs), one_size());
  release(job, PLENTY);
  check_int("let go", "held bytes", rtk_jobs_held_bytes(jobs), 0);
  check_int("let go", "held", rtk_jobs_held_count(jobs), 0);
  struct rtk_job *again = hold("a", false);
  check_int("asked again", "the same job", again == job, 1);
  check_text("asked again", "its reply", again->reply->error, "gone");
  check_int("asked again", "held bytes", rtk_jobs_held_bytes(jobs), one_size());
  check_int("asked again", "held", rtk_jobs_held_count(jobs), 1);
  release(again, PLENTY);
  rtk_jobs_free(jobs);
}

/* Each case remembers a, b, c, then asks for some of them in order. */
CASE(the_least_recently_used_goes_first) {
  static const struct {
    const char *name;
    const char *touched; /* each letter a URL, asked for before d comes */
    int room;            /* entries */
    int spare;           /* bytes more or less than that */
    const char *kept;    /* of a, b, c, d */
  } cases[] = {
      {"room for all", "", 4, 0, "abcd"},
      {"a byte too few for all", "", 4, -1, "bcd"},
      {"room for three", "", 3, 0, "bcd"},
      {"room for two", "", 2, 0, "cd"},
      {"a used again", "a", 3, 0, "acd"},
      {"a, then b used again", "ab", 3, 0, "abd"},
      {"b, then a used again", "ba", 2, 0, "ad"},
      {"all used again", "cba", 3, 0, "abd"},
      {"the newest used again", "c", 3, 0, "bcd"},
      {"room for one", "", 1, 0, "d"},
      {"room for none", "", 1, -1, ""},
      {"no room", "", 0, 0, ""},
  };
  int64_t one = one_size();
  for (size_t i = 0; i < COUNT(cases); i++) {
    begin();
    int64_t max_bytes = cases[i].room * one + cases[i].spare;
    remember("a", PLENTY);
    remember("b", PLENTY);
    remember("c", PLENTY);
    for (const char *c = cases[i].touched; *c != '\0'; c++) {
      char url[2] = {*c, '\0'};
      check_int(cases[i].name, "known before", is_known(url, PLENTY), 1);
    }
    remember("d", max_bytes);
    char kept[5] = "";
    size_t count = 0;
    for (char c = 'a'; c <= 'd'; c++) {
      char url[2] = {c, '\0'};
      if (is_known(url, PLENTY)) kept[count++] = c;
    }
    check_text(cases[i].name, "kept", kept, cases[i].kept);
    check_int(cases[i].name, "held bytes", rtk_jobs_held_bytes(jobs), 0);
    rtk_jobs_free(jobs);
  }
}

CASE(what_is_held_is_never_dropped) {
  int64_t one = one_size();
  begin();
  struct rtk_job *a = hold("a", true);
  struct rtk_job *b = hold("b", true);
  settle(a, 0);
  settle(b, 0);
  check_int("no room", "held bytes", rtk_jobs_held_bytes(jobs), 2 * one);
  check_text("no room", "a's reply", a->reply->error, "gone");

  remember("c", 3 * one);
  check_int("c beside them", "known", is_known("c", 3 * one), 1);
  struct rtk_job *d = hold("d", true);
  settle(d, 3 * one); /* takes the room that c had */
  check_int("d instead of c", "known", is_known("c", PLENTY), 0);

  rtk_jobs_drop_idle(jobs);
  check_int("drop idle", "held bytes", rtk_jobs_held_bytes(jobs), 3 * one);
  check_int("drop idle", "a is known", is_known("a", PLENTY), 1);
  release(a, 0);
  release(b, PLENTY);
  release(d, PLENTY);
  check_int("released with no room", "a is known", is_known("a", PLENTY), 0);
  check_int("released with room", "b is known", is_known("b", PLENTY), 1);
  rtk_jobs_drop_idle(jobs);
  check_int("dropped", "b is known", is_known("b", PLENTY), 0);
  rtk_jobs_drop_idle(jobs);
  rtk_jobs_free(jobs);
}

CASE(many_entries_are_all_found) {
  static struct rtk_job *entries[MANY];
  begin();
  char url[32];
  for (int i = 0; i < MANY; i++) {
    sqlite3_snprintf(sizeof(url), url, "https://x/%d", i);
    entries[i] = hold(url, true);
    if (i % 2 == 0) settle(entries[i], PLENTY);
  }
  for (int i = 0; i < MANY; i++) {
    sqlite3_snprintf(sizeof(url), url, "https://x/%d", i);
    struct rtk_job *again = hold(url, false);
    check_int(url, "the same job", again == entries[i], 1);
    release(again, PLENTY);
  }
  const struct rtk_job *walked = NULL;
  int seen = 0;
  while ((walked = rtk_jobs_next(jobs, walked)) != NULL) {
    int number = atoi(walked->url + strlen("https://x/"));
    check_int(walked->url, "the same job", entries[number] == walked, 1);
    seen++;
  }
  check_int("all", "walked", seen, MANY);
  for (int i = 0; i < MANY; i++) release(entries[i], INT64_MAX);
  check_int("all let go", "held bytes", rtk_jobs_held_bytes(jobs), 0);
  for (int i = 0; i < MANY; i++) {
    sqlite3_snprintf(sizeof(url), url, "https://x/%d", i);
    check_int(url, "known", is_known(url, INT64_MAX), i % 2 == 0);
  }
  rtk_jobs_drop_idle(jobs);
  check_int("dropped", "known", is_known("https://x/0", PLENTY), 0);
  rtk_jobs_free(jobs);
}

/* Bounded, whatever passes through. */
CASE(memory_does_not_grow_with_the_batch) {
  int64_t max_bytes = 10 * one_size();
  begin();
  sqlite3_int64 start = sqlite3_memory_used();
  char url[32];
  for (int i = 0; i < MANY; i++) {
    sqlite3_snprintf(sizeof(url), url, "%d", i);
    remember(url, max_bytes);
    sqlite3_int64 used = sqlite3_memory_used() - start;
    if (used > 2 * max_bytes) check_int(url, "memory used", used, max_bytes);
  }
  rtk_jobs_free(jobs);
}

static int hold_300(void *arg) {
  static struct rtk_job *entries[300];
  jobs = NULL;
  int rc = rtk_jobs_new(&jobs);
  int count = 0;
  (void)arg;
  while (rc == SQLITE_OK && count < 300) {
    char url[32];
    bool is_new = false;
    sqlite3_snprintf(sizeof(url), url, "%d", count);
    rc = rtk_jobs_hold(jobs, NULL, url, no_id, &entries[count], &is_new);
    if (rc == SQLITE_OK) check_int(url, "is new", is_new, 1);
    if (rc == SQLITE_OK) count++;
  }
  for (int i = 0; i < count; i++) {
    char url[32];
    sqlite3_snprintf(sizeof(url), url, "%d", i);
    check_text("no memory", "url", entries[i]->url, url);
    release(entries[i], PLENTY);
  }
  rtk_jobs_free(jobs);
  return rc;
}

CASE(no_memory_loses_no_entry) {
  rtk_jobs_free(NULL);
  /* Without memory for a wider table the narrow one serves on. */
  check_nomem("hold 300", hold_300, NULL, true);
}

int main(void) { return check_run(); }
