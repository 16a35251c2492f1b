/*
** sqlite3_interrupt() and a progress handler end a statement that waits for
** the network, whatever it is that it waits for.
**
** This program has a getaddrinfo() of its own, which libcurl in rtk.so then
** uses: names below .invalid hang there until they are let go.  Its poll() counts
** how long the statement means to wait after it was asked to end.  What the
** statement waits for never comes, so it ends by that alone.
*/
#define _GNU_SOURCE /* RTLD_NEXT */
#include "host.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <unistd.h>

/* What is promised, of time that is waited. */
#define INTERRUPT_MAX_MS 100
#define PROGRESS_MAX_MS 300

int getaddrinfo(const char *name, const char *service,
                const struct addrinfo *hints, struct addrinfo **found);

typedef int (*getaddrinfo_function)(const char *, const char *,
                                    const struct addrinfo *,
                                    struct addrinfo **);

/* --- time that is waited ------------------------------------------------------ */

typedef int (*poll_function)(struct pollfd *, nfds_t, int);

static pthread_t querying;    /* the statement's thread */
static atomic_bool has_asked; /* the statement is to end */
static atomic_int
    waited_ms; /* by polls that ended after that, and by nothing */

int poll(struct pollfd *fds, nfds_t count, int timeout_ms) {
  poll_function real = NULL;
  *(void **)&real = dlsym(RTLD_NEXT, "poll");
  int rc = real(fds, count, timeout_ms);
  if (rc == 0 && atomic_load(&has_asked) &&
      pthread_equal(pthread_self(), querying)) {
    atomic_fetch_add(&waited_ms, timeout_ms);
  }
  return rc;
}

/* --- a resolver that does not answer ----------------------------------------- */

static struct {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int waiting;
  bool is_let_go;
} resolver = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false};

int getaddrinfo(const char *name, const char *service,
                const struct addrinfo *hints, struct addrinfo **found) {
  size_t size = name == NULL ? 0 : strlen(name);
  if (size > 8 && strcmp(name + size - 8, ".invalid") == 0) {
    (void)pthread_mutex_lock(&resolver.lock);
    resolver.waiting++;
    while (!resolver.is_let_go) {
      (void)pthread_cond_wait(&resolver.changed, &resolver.lock);
    }
    resolver.waiting--;
    (void)pthread_cond_broadcast(&resolver.changed);
    (void)pthread_mutex_unlock(&resolver.lock);
    return EAI_NONAME;
  }
  getaddrinfo_function real = NULL;
  *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
  return real(name, service, hints, found);
}

static int resolving(void) {
  (void)pthread_mutex_lock(&resolver.lock);
  int waiting = resolver.waiting;
  (void)pthread_mutex_unlock(&resolver.lock);
  return waiting;
}

static void let_resolver_go(void) {
  (void)pthread_mutex_lock(&resolver.lock);
  resolver.is_let_go = true;
  (void)pthread_cond_broadcast(&resolver.changed);
  while (resolver.waiting > 0) {
    (void)pthread_cond_wait(&resolver.changed, &resolver.lock);
  }
  resolver.is_let_go = false;
  (void)pthread_mutex_unlock(&resolver.lock);
}

/* --- listeners --------------------------------------------------------------- */

enum { FILLERS_MAX = 16 };

/* Fills the queue of a listener until it lets a connection hang.  Returns how
** many sockets there are in `fillers`, or 0: this system always answers. */
static int fill(const struct sockaddr_in *address, int *fillers) {
  for (int n = 0; n < FILLERS_MAX; n++) {
    int s = fillers[n] = socket(AF_INET, SOCK_STREAM, 0);
    struct pollfd connected = {.fd = s, .events = POLLOUT};
    assert_true(s >= 0);
    assert_int_equal(fcntl(s, F_SETFL, O_NONBLOCK), 0);
    int rc = connect(s, (const struct sockaddr *)address, sizeof(*address));
    if (rc != 0 && poll(&connected, 1, 1000) == 0) return n + 1;
  }
  for (int n = 0; n < FILLERS_MAX; n++) (void)close(fillers[n]);
  return 0;
}

/* Connections to this port that wait for an answer, as Linux lists them. */
static int connecting(int port) {
  FILE *table = fopen("/proc/net/tcp", "r");
  char line[512];
  int count = 0;
  if (table == NULL) return -1;
  while (fgets(line, (int)sizeof(line), table) != NULL) {
    unsigned remote = 0;
    unsigned state = 0;
    if (sscanf(line, " %*d: %*x:%*x %*x:%x %x", &remote, &state) == 2) {
      count += remote == (unsigned)port && state == 2;
    }
  }
  (void)fclose(table);
  return count;
}

/* --- what a statement waits for ------------------------------------------------ */

struct scene {
  const char *name;
  const char *base_url; /* printf format with the listener's port, or NULL */
  const char *sql;
  const char *logged; /* it waits when that many such requests are logged */
  int logged_count;
  int settle_ms; /* and as long again for the reply to have come */
  bool is_tls;   /* … when the listener has got the first bytes */
  bool is_full;  /* … when one more connection to the listener hangs */
  bool is_resolving;
};

static const struct scene scenes[] = {
    {.name = "no reply",
     .sql = "SELECT id FROM " SESSION ", 'x:delay=" NEVER_MS ",n=1')",
     .logged = "delay%3D" NEVER_MS "%2Cn%3D1 ",
     .logged_count = 1},
    {.name = "half a body",
     .sql = "SELECT id FROM " SESSION ", 'x:stall=" NEVER_MS "')",
     .logged = "stall",
     .logged_count = 1,
     .settle_ms = 30},
    {.name = "a text",
     .sql = "SELECT line FROM rtk_chat_messages('ACCOUNT', 'APP',"
            " 'f:delay=" NEVER_MS "')",
     .logged = "/files/chat/x:",
     .logged_count = 1},
    {.name = "back-off of a text",
     .sql = "SELECT text FROM rtk_summary_text('ACCOUNT', 'APP',"
            " 'f:status=503,retry_after=50')",
     .logged = "/files/summary/x:",
     .logged_count = 1,
     .settle_ms = 30},
    {.name = "back-off",
     .sql = "SELECT id FROM " SESSION ", 'x:status=503,retry_after=50')",
     .logged = "status%3D503%2Cretry_after%3D50 ",
     .logged_count = 1,
     .settle_ms = 30},
    {.name = "pause after 429",
     .sql = "SELECT id FROM " SESSION ", 'x:status=429,retry_after=1')",
     .logged = "status%3D429",
     .logged_count = 1,
     .settle_ms = 30},
    {.name = "batch of 200",
     .sql = "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c"
            " WHERE i < 200) SELECT id FROM " SESSION ") WHERE session_id IN"
            " (SELECT 'x:delay=" NEVER_MS ",code='||i FROM c)",
     .logged = "Ccode",
     .logged_count = 16},
    {.name = "natural join",
     .sql = "SELECT s.id FROM (SELECT 'x:delay=" NEVER_MS ",n=3' AS i UNION ALL"
            " SELECT 's4') AS l JOIN " SESSION ", l.i) AS s",
     .logged = "n%3D3",
     .logged_count = 1},
    {.name = "rtk_check",
     .sql = "SELECT * FROM rtk_check('ACCOUNT', 'app-x:delay=" NEVER_MS "')",
     .logged = "app-x",
     .logged_count = 1},
    {.name = "rtk_check, pause after 429",
     .sql = "SELECT * FROM rtk_check('ACCOUNT', 'app-x:status=429,"
            "retry_after=1') AS a CROSS JOIN rtk_check('ACCOUNT', 'APP') AS b",
     .logged = "app-x%3Astatus%3D429",
     .logged_count = 1,
     .settle_ms = 30},
    {.name = "rtk_check, resolving",
     .base_url = "https://rtk-test-%d.invalid/client/v4",
     .sql = "SELECT * FROM rtk_check('ACCOUNT', 'APP')",
     .is_resolving = true},
    {.name = "TLS handshake",
     .base_url = "https://127.0.0.1:%d/client/v4",
     .sql = "SELECT id FROM " SESSION ", 's1')",
     .is_tls = true},
    {.name = "connecting",
     .base_url = "https://127.0.0.1:%d/client/v4",
     .sql = "SELECT id FROM " SESSION ", 's1')",
     .is_full = true},
    {.name = "resolving",
     .base_url = "https://rtk-test-%d.invalid/client/v4",
     .sql = "SELECT id FROM " SESSION ", 's1')",
     .is_resolving = true},
    {.name = "resolving, batch",
     .base_url = "https://rtk-test-%d.invalid/client/v4",
     .sql = "SELECT id FROM " SESSION ") WHERE session_id IN ('s1','s2','s3')",
     .is_resolving = true},
};

/* One run of a scene. */
struct run {
  const struct scene *scene;
  sqlite3 *db;
  int listener;
  int accepted;
  int port;
  int connecting_before;
  int logged_before;
  bool by_progress;
  bool has_come; /* did the statement come to wait? */
  double asked_ms;
  atomic_bool stop; /* for the progress handler */
};

static bool is_waiting(struct run *run) {
  const struct scene *scene = run->scene;
  if (scene->is_full) return connecting(run->port) > run->connecting_before;
  if (scene->is_resolving) return resolving() > 0;
  if (!scene->is_tls) {
    return requests(scene->logged) >= run->logged_before + scene->logged_count;
  }
  struct pollfd wait = {.fd = run->listener, .events = POLLIN};
  char byte = 0;
  if (run->accepted < 0 && poll(&wait, 1, 0) == 1) {
    run->accepted = accept(run->listener, NULL, NULL);
  }
  return run->accepted >= 0 && recv(run->accepted, &byte, 1, MSG_DONTWAIT) == 1;
}

static void *interrupt(void *user) {
  struct run *run = user;
  double end = now_ms() + HANGS_MS;
  while (!(run->has_come = is_waiting(run)) && now_ms() < end) pause_ms(1);
  pause_ms(run->scene->settle_ms);
  run->asked_ms = now_ms();
  atomic_store(&has_asked, true);
  if (run->by_progress) {
    atomic_store(&run->stop, true);
  } else {
    sqlite3_interrupt(run->db);
  }
  return NULL;
}

static int progress(void *user) {
  return atomic_load(&((struct run *)user)->stop);
}

/* Points the environment at the scene's address, loads rtk. */
static sqlite3 *open_at(const struct scene *scene, int port) {
  char *api = sqlite3_mprintf("%s", need_env("CLOUDFLARE_BASE_URL"));
  if (scene->base_url != NULL) {
    char *url = sqlite3_mprintf(scene->base_url, port);
    assert_int_equal(setenv("CLOUDFLARE_BASE_URL", url, 1), 0);
    sqlite3_free(url);
  }
  sqlite3 *db = open_loaded();
  assert_int_equal(setenv("CLOUDFLARE_BASE_URL", api, 1), 0);
  sqlite3_free(api);
  return db;
}

/* The connection goes on working, at the API server's address too, and no
** request is made but the one of this statement. */
static void assert_usable(struct run *run) {
  char *token = sqlite3_mprintf("SELECT rtk_config('api_token', %Q)",
                                need_env("CLOUDFLARE_API_TOKEN"));
  char *url = sqlite3_mprintf("SELECT rtk_config('base_url', %Q)",
                              need_env("CLOUDFLARE_BASE_URL"));
  must_exec(run->db, url);
  assert_rows(run->db, token, "set\n"); /* after it, which voids one before */
  sqlite3_free(token);
  sqlite3_free(url);
  int before = requests("/sessions/");
  assert_rows(run->db, "SELECT id FROM " SESSION ", 'x:delay=40')",
              "x:delay=40\n");
  assert_int_equal(requests("/sessions/"), before + 1);
}

static void play(const struct scene *scene, bool by_progress) {
  struct run run = {.scene = scene,
                    .by_progress = by_progress,
                    .listener = -1,
                    .accepted = -1,
                    .logged_before =
                        scene->logged == NULL ? 0 : requests(scene->logged)};
  struct sockaddr_in address = {0};
  int fillers[FILLERS_MAX];
  int filler_count = 0;
  pthread_t thread;

  if (scene->logged_count > 1) skip_where_in_is_no_batch();
  if (scene->base_url != NULL) {
    run.listener = listen_anywhere(scene->is_full ? 0 : 8, &address);
    run.port = ntohs(address.sin_port);
  }
  if (scene->is_full) filler_count = fill(&address, fillers);
  run.connecting_before = connecting(run.port);
  if (scene->is_full && (filler_count == 0 || run.connecting_before < 1)) {
    (void)close(run.listener);
    skip();
  }
  run.db = open_at(scene, run.port);
  if (by_progress) sqlite3_progress_handler(run.db, 1000, progress, &run);

  sqlite3_str *out = sqlite3_str_new(NULL);
  querying = pthread_self();
  atomic_store(&has_asked, false);
  atomic_store(&waited_ms, 0);
  assert_int_equal(pthread_create(&thread, NULL, interrupt, &run), 0);
  int rc = query(run.db, scene->sql, out);
  double ended_ms = now_ms();
  int waited = atomic_load(&waited_ms);
  const char *message = sqlite3_errmsg(run.db);
  char *said = sqlite3_mprintf("%s", message);
  (void)pthread_join(thread, NULL);
  sqlite3_progress_handler(run.db, 0, NULL, NULL);

  double took_ms = ended_ms - run.asked_ms;
  print_message("# %s by %s: %.0f ms, %d of them waited\n", scene->name,
                by_progress ? "progress handler" : "interrupt", took_ms,
                waited);
  if (!run.has_come || rc != SQLITE_INTERRUPT) {
    fail_msg("%s: came to wait: %d, ended with %d, %s", scene->name,
             run.has_come, rc, said);
  }
  assert_string_equal(said, "interrupted");
  assert_in_range(waited, 0, by_progress ? PROGRESS_MAX_MS : INTERRUPT_MAX_MS);
  sqlite3_free(said);
  assert_null(sqlite3_str_finish(out)); /* no row came */
  assert_usable(&run);
  close_ok(
      run.db); /* must not wait for the resolver, which would be for ever */
  if (scene->is_resolving) let_resolver_go();
  for (int i = 0; i < filler_count; i++) (void)close(fillers[i]);
  if (run.accepted >= 0) (void)close(run.accepted);
  if (run.listener >= 0) (void)close(run.listener);
}

static void ends_by_interrupt(void **state) { play(*state, false); }
static void ends_by_progress(void **state) { play(*state, true); }

/* --- other moments --------------------------------------------------------------- */

/* Nothing is sent later for a statement that is over, even when its back-off
** is over too and another statement keeps the connection busy. */
CASE(sends_nothing_afterwards) {
  static const struct scene scene = {
      .name = "short back-off",
      .sql = "SELECT id FROM " SESSION
             ", 'x:status=503,retry_after_ms=2000,code=77')",
      .logged = "code%3D77",
      .logged_count = 1};
  struct run run = {.scene = &scene, .listener = -1, .accepted = -1};
  pthread_t thread;
  run.db = open_loaded();
  sqlite3_str *out = sqlite3_str_new(NULL);
  querying = pthread_self();
  atomic_store(&has_asked, false);
  atomic_store(&waited_ms, 0);
  assert_int_equal(pthread_create(&thread, NULL, interrupt, &run), 0);
  int rc = query(run.db, scene.sql, out);
  (void)pthread_join(thread, NULL);
  sqlite3_free(sqlite3_str_finish(out));
  assert_int_equal(rc, SQLITE_INTERRUPT);
  int before = requests("/sessions/");
  assert_rows(run.db,
              "SELECT n.id IS NOT NULL FROM " SESSION ", 'x:delay=2500') AS n",
              "1\n");
  assert_int_equal(requests("/sessions/"), before + 1);
  close_ok(run.db);
}

/* An interrupt is for statements that run then: a later one goes through. */
CASE(does_not_stop_a_later_statement) {
  sqlite3 *db = open_loaded();
  sqlite3_interrupt(db);
  assert_rows(db, "SELECT session_id FROM " SESSION ", 's5')", "s5\n");
  close_ok(db);
}

/* Opens the gate at the third call. */
static int never(void *user) {
  if (atomic_fetch_add((atomic_int *)user, 1) == 2) {
    FILE *file = fopen("gate", "w");
    if (file != NULL) (void)fclose(file);
  }
  return 0;
}

/* A progress handler that lets go on is called while rtk waits, and changes
** nothing. */
CASE(a_patient_progress_handler_is_heard) {
  sqlite3 *db = open_loaded();
  atomic_int calls = 0;
  char *sql = sqlite3_mprintf(
      "SELECT count(*) FROM " SESSION ", 'x:hold=%q/gate')", here());
  sqlite3_progress_handler(db, 1000, never, &calls);
  assert_rows(db, sql, "1\n");
  sqlite3_free(sql);
  assert_in_range(atomic_load(&calls), 3, 1000);
  close_ok(db);
}

int main(void) {
  static char names[2 * ROWS_OF(scenes)][64];
  for (size_t i = 0; i < ROWS_OF(names); i++) {
    bool by_progress = i % 2 == 1;
    sqlite3_snprintf((int)sizeof(names[i]), names[i], "%s ends %s",
                     by_progress ? "progress handler" : "interrupt",
                     scenes[i / 2].name);
    add_case(names[i], by_progress ? ends_by_progress : ends_by_interrupt,
             &scenes[i / 2]);
  }
  (void)setenv("RTK_TIMEOUT_MS", NEVER_MS, 1);
  (void)setenv("RTK_CONNECT_TIMEOUT_MS", NEVER_MS, 1);
  return RUN_CASES(NULL, NULL);
}
