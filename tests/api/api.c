/*
** The local API server for playing, the demo and the tests: answers on 127.0.0.1
** as Cloudflare's RealtimeKit read endpoints do, with the published examples,
** with generated data, and with every fault that a client has to survive.
**
**   build/api [OPTIONS] [-- COMMAND ARGS...]
**
** With a COMMAND: runs it with CLOUDFLARE_BASE_URL, CLOUDFLARE_API_TOKEN and
** RTK_TEST_PORT in its environment, ends when it ends, with its exit status
** (128+n when signal n ended it). SIGINT and SIGTERM are passed on to it.
** Without: prints `port N`, and serves until the end of stdin or a signal.
** COMMAND also gets CLOUDFLARE_ACCOUNT_ID=acme and REALTIMEKIT_APP_ID=webinars,
** unless it has them or API_DATA=numbers is in the environment (see data.c).
**
** Options
**   --log FILE            one line for each request, see below
**   --token TOKEN         default: local-api-token-0123456789abcdefghijklmn
**   --keep-token          leave CLOUDFLARE_API_TOKEN as it is for COMMAND
**   --every PROGRAM       a fault program (see below) for every request
**   --tls FILE            https, with the key and certificate in this PEM file
**   --date-offset S       the Date header is so many seconds off, -3600 to the
**                         past
**   --sessions N          how many generated sessions exist (1000000)
**   --livestreams N       how many livestreams the lists hold (12; numbers: 200)
**   --page-max N          rows of a page at the most, whatever is asked for
**   --grow N,FILE         an app of N meeting sessions in a year that grows in an
**                         invented time, see data.c
**   --delay MS            wait before each reply
**   --delay-lognormal P50,P99   wait, spread log-normally, in ms
**   --stall-permille N,MS       N of 1,000 replies wait MS longer
**   --seed N              of these two
**   --hold-after N,FILE   all requests but the first N wait until FILE is there
**   --ratelimit Q,W       Q requests in W seconds: announced in Ratelimit and
**                         Ratelimit-Policy, then 429 with Retry-After; the
**                         window begins with the first request in it
**   --ratelimit-silent Q,W      the same, not announced
**
** Log
**   GET /client/v4/... status=200 conn=3 auth=ok at_once=1 attempt=1
** The URI is as it came over the wire. status is 0 when there is no reply.
** conn counts the TCP connections. auth is ok, missing, malformed or bad.
** attempt: the how-manieth request for exactly this URI. at_once: how many requests
** are under way, with this one (--delay shows what is sent together). A line is complete in
** the file before the reply's delay begins. The file is emptied at the start
** and appended to, so it may be truncated between two tests.
**
** Requests
** A token that begins with expired- or disabled- is so in tokens/verify, one with
** account-owned- is known to /accounts/{account}/tokens/verify alone, and one
** with unlisted- to neither.  CONNECT: 407, for this is no proxy.
** Everything below /client/v4 wants `Authorization: Bearer TOKEN`: missing 400
** (9106), malformed 400 (6003 with 6111 in its error_chain), wrong 401 (10000).
** Accounts: acme, ACCOUNT, acc*, 32 hex digits. Apps: webinars, APP, app*, UUIDs. Others: 404
** (7003). app-denied: 403 (10000). app-example: the published example from
** every endpoint but livestreams/sessions/{id}, whatever the id; where none is
** published, one with every field of the schema (../openapi.h). Other paths:
** 404 (7000); outside /client/v4: 404 in HTML, but for /files (see files.c).
** Not GET or HEAD: 405.
**
** Endpoints: the 33 of realtimekit.openapi.json, /user/tokens/verify and
** /accounts/{account}/tokens/verify; routes.c has them in one table. Lists take
** page_no, per_page (20, at most 1000; a session's participants 25, at most 200),
** status (a list with commas is one of them), start_time, end_time (on
** created_at, ISO 8601), search (any part of a row's JSON), sort_by, sort_order,
** and what some have: exclude_meetings, associated_id, meeting_id, participants
** (from:to), expired. Of participants, include_peer_events; of peer reports,
** filters, too; of transcripts, format. Other parameters are passed over.
** Analytics take start_time and end_time as seconds since 1970, or start_date and
** end_date, to the day. Only LIVE livestreams have an active session; only their
** meetings have one, and an active recording.
**
** Ids
**   the published ones    their published example
**   24c1a0a2-7f5f-4a4e-8a0c-6b2f6d1e5a01   the example, where none is published
**   s17 or its UUID form  generated data; the id is echoed as it was asked for.
**                         s, l: data.c; m (meetings), k (their sessions), p, i
**                         (participants), q (peers), r (recordings), t (presets),
**                         w (webhooks), a (apps): meetings.c, with the formulas
**   echo:ANYTHING         the data of session 1 with this id
**   x:PROGRAM             a fault, at any endpoint with an id
**   f:PROGRAM, u:URL      of a session with a transcript, chat or summary: a link
**                         to a file with this fault; this URL as the link
**   others                404 with the API's envelope
** An app `app-x:PROGRAM` plays the fault at every endpoint of that app, an
** account `acc-x:PROGRAM` at the list of its apps.
**
** Fault programs: key=value,key=value,... An unknown key or value: 500 with
** `unknown fault key or value: ...` as text.
**   status=503        200 to 599; from 300 on with an error envelope
**   code=7003         the error code in it
**   times=2           only the first 2 requests of this exact URI; later ones
**                     get the session
**   n=17              which session's data (1)
**   stopped_ago=S     body=stopped: a session that stopped S seconds ago
**   body=NAME         below
**   retry_after=1, retry_after_ms=50, retry_after_date=2   (date: now + 2 s)
**   should_retry=true|false     x-should-retry
**   header=NAME:VALUE any header; VALUE is percent-decoded once more
**   redirect=LOCATION 302
**   delay=MS          before the reply
**   hold=FILE         before the reply, until FILE is there (10 minutes)
**   stall=MS          in the middle of the body
**   truncate=1        half of the body, then the end of the connection
**   chunked=1         no Content-Length
**   gzip=1            Content-Encoding: gzip
**   huge=BYTES        the body padded to this size, at most 256 MiB: a session
**                     by one more field, any other body by spaces
**   reset=1, close=1  no reply: a TCP reset, an ordinary end
** Bodies, with their status when `status` is not given:
**   400  envelope   chain (nested error_chain)   echo_token (the token in the
**        message)
**   200  session (the default)   falsesuccess   html   empty   notjson
**        missing (data is {})   badutf8   bignum   strnum   nested   stopped
**        extra
*/
#include "api.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

static int stop_pipe[2];            /* readable: the server is to end */
static volatile sig_atomic_t child; /* 0: none */

static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP};
enum { PASSED_ON = sizeof passed_on / sizeof passed_on[0] };

/* Arguments ---------------------------------------------------------------- */

static bool two_longs(const char *value, long *first, long *second) {
  char left;
  return sscanf(value, "%ld,%ld%c", first, second, &left) == 2 && *first >= 0 &&
         *second >= 0;
}

static bool set_delays(struct options *options, const char *value) {
  char left;
  return sscanf(value, "%lf,%lf%c", &options->delay_p50_ms,
                &options->delay_p99_ms, &left) == 2 &&
         options->delay_p50_ms > 0 &&
         options->delay_p99_ms >= options->delay_p50_ms;
}

static bool set_limit(struct options *options, const char *value,
                      bool is_silent) {
  options->is_limit_silent = is_silent;
  return two_longs(value, &options->quota, &options->window_s) &&
         options->quota > 0 && options->window_s > 0;
}

static bool set_hold(struct options *options, const char *value) {
  const char *comma = strchr(value, ',');
  options->hold_path = comma == NULL ? NULL : comma + 1;
  return comma != NULL && sscanf(value, "%ld,", &options->hold_after) == 1 &&
         options->hold_after >= 0;
}

static bool set_grow(struct options *options, const char *value) {
  const char *comma = strchr(value, ',');
  options->grow_path = comma == NULL ? NULL : comma + 1;
  return comma != NULL && sscanf(value, "%ld,", &options->grow_sessions) == 1 &&
         options->grow_sessions > 0 && options->grow_sessions <= 1000000;
}

/* One option that has a value. */
static bool set_option(struct options *options, const char *name,
                       const char *value) {
  const long most = 1000000000;
  long seed;
  if (strcmp(name, "--log") == 0) {
    options->log_path = value;
  } else if (strcmp(name, "--token") == 0) {
    options->token = value;
  } else if (strcmp(name, "--every") == 0) {
    options->every = value;
  } else if (strcmp(name, "--tls") == 0) {
    options->tls_path = value;
  } else if (strcmp(name, "--date-offset") == 0) {
    bool is_past = value[0] == '-';
    if (!parse_count(value + is_past, most, &options->date_offset_s)) {
      return false;
    }
    if (is_past) options->date_offset_s = -options->date_offset_s;
  } else if (strcmp(name, "--sessions") == 0) {
    return parse_count(value, most, &options->sessions);
  } else if (strcmp(name, "--livestreams") == 0) {
    return parse_count(value, 1000000, &options->livestreams);
  } else if (strcmp(name, "--page-max") == 0) {
    return parse_count(value, most, &options->page_max);
  } else if (strcmp(name, "--grow") == 0) {
    return set_grow(options, value);
  } else if (strcmp(name, "--delay") == 0) {
    return parse_count(value, 3600000, &options->delay_ms);
  } else if (strcmp(name, "--delay-lognormal") == 0) {
    return set_delays(options, value);
  } else if (strcmp(name, "--stall-permille") == 0) {
    return two_longs(value, &options->stall_permille, &options->stall_ms);
  } else if (strcmp(name, "--seed") == 0) {
    if (!parse_count(value, most, &seed)) return false;
    options->seed = (uint64_t)seed;
  } else if (strcmp(name, "--hold-after") == 0) {
    return set_hold(options, value);
  } else if (strcmp(name, "--ratelimit") == 0) {
    return set_limit(options, value, false);
  } else if (strcmp(name, "--ratelimit-silent") == 0) {
    return set_limit(options, value, true);
  } else {
    return false;
  }
  return true;
}

static void show_help(void) {
  puts("A local server that plays Cloudflare's RealtimeKit API: no token, no "
       "network.\n"
       "\n"
       "  build/api -- sqlite3 -box -cmd '.load ./rtk' my.db\n"
       "      a shell to play in; account and app are set: SELECT * FROM "
       "rtk_livestreams;\n"
       "  build/api --log requests.txt -- sqlite3 …\n"
       "      each request becomes a line of the file\n"
       "  build/api --ratelimit 10,60 -- sqlite3 …\n"
       "      10 requests in 60 seconds, as a quota that ends\n"
       "  build/api --delay 200 -- sqlite3 …\n"
       "      each reply takes 200 ms\n"
       "\n"
       "An id such as x:status=503 asks for a fault.  All options and faults "
       "are in the\n"
       "head of tests/api/api.c.");
}

/* The COMMAND goes to *command, NULL without one. */
static bool read_arguments(struct options *options, char **argv,
                           char ***command) {
  int i = 1;
  *command = NULL;
  while (argv[i] != NULL) {
    if (strcmp(argv[i], "--") == 0 && argv[i + 1] != NULL) {
      *command = argv + i + 1;
      return true;
    }
    if (strcmp(argv[i], "--help") == 0) {
      show_help();
      exit(0);
    }
    if (strcmp(argv[i], "--keep-token") == 0) {
      options->keep_token = true;
      i++;
      continue;
    }
    if (argv[i + 1] == NULL || !set_option(options, argv[i], argv[i + 1])) {
      fprintf(stderr, "api: not understood: %s %s\n", argv[i],
              argv[i + 1] == NULL ? "" : argv[i + 1]);
      return false;
    }
    i += 2;
  }
  return true;
}

/* Port --------------------------------------------------------------------- */

/* A listening socket on a free port, or -1 after a message. */
static int listen_anywhere(int *port) {
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
      bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
      listen(fd, SOMAXCONN) != 0 ||
      getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
    perror("api: listen");
    if (fd >= 0) close(fd);
    return -1;
  }
  *port = ntohs(address.sin_port);
  return fd;
}

/* Signals and the child ---------------------------------------------------- */

static void stop(void) {
  ssize_t written = write(stop_pipe[1], "x", 1);
  (void)written; /* a full pipe is as readable */
}

static void on_signal(int number, siginfo_t *info, void *context) {
  int saved = errno;
  (void)context;
  if (child == 0) {
    stop();
  } else if (number != SIGINT || info->si_pid != 0) {
    /* A SIGINT of no process is Ctrl-C: the child has had it from the
    ** terminal, and a second one ends some programs at once. */
    kill((pid_t)child, number);
  }
  errno = saved;
}

static void handle_signals(void) {
  struct sigaction action;
  int i;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (i = 0; i < PASSED_ON; i++) sigaction(passed_on[i], &action, NULL);
}

/* This process gets SIGTERM when the one that started it has ended. */
static void end_with_parent(void) {
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
}

/* Must come before any thread: it does what only one thread may do between
** fork and exec. */
static pid_t start_child(const struct options *options, char **command,
                         int port, const sigset_t *mask) {
  char number[16], url[64];
  pid_t pid;
  snprintf(number, sizeof number, "%d", port);
  snprintf(url, sizeof url, "%s://127.0.0.1:%d/client/v4",
           options->tls_path == NULL ? "http" : "https", port);
  pid = fork();
  if (pid != 0) return pid;
  end_with_parent();
  setenv("CLOUDFLARE_BASE_URL", url, 1);
  setenv("RTK_TEST_PORT", number, 1);
  if (!data_is_numbers()) {
    setenv("CLOUDFLARE_ACCOUNT_ID", "acme", 0);
    setenv("REALTIMEKIT_APP_ID", "webinars", 0);
  }
  if (!options->keep_token) {
    setenv("CLOUDFLARE_API_TOKEN", options->token, 1);
  }
  sigprocmask(SIG_SETMASK, mask, NULL);
  execvp(command[0], command);
  perror(command[0]);
  _exit(127);
}

static int wait_for_child(pid_t pid) {
  int status;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return 1;
  }
  child = 0;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Until the end of stdin or a signal. */
static void wait_for_end(void) {
  struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                          {.fd = stop_pipe[0], .events = POLLIN}};
  char ignored[4096];
  for (;;) {
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return;
    if (fds[1].revents != 0) return;
    if (fds[0].revents != 0 &&
        read(STDIN_FILENO, ignored, sizeof ignored) <= 0) {
      return;
    }
  }
}

/* Serves until there is nothing left to serve; the exit status. */
static int serve(const struct options *options, char **command, int listen_fd,
                 int port) {
  sigset_t blocked, before;
  pid_t pid = 0;
  int status = 0, i;
  /* The server's threads inherit the blocked signals: the main thread is the
  ** one that is interrupted. */
  sigemptyset(&blocked);
  for (i = 0; i < PASSED_ON; i++) sigaddset(&blocked, passed_on[i]);
  sigprocmask(SIG_BLOCK, &blocked, &before);
  if (command != NULL) {
    pid = start_child(options, command, port, &before);
    if (pid < 0) {
      perror("api: fork");
      return 1;
    }
  }
  child = pid;
  signal(SIGPIPE, SIG_IGN);
  handle_signals();
  if (!server_start(options, listen_fd, stop_pipe[0])) {
    fputs("api: the server does not start\n", stderr);
    if (pid != 0) kill(pid, SIGTERM);
    return 1;
  }
  pthread_sigmask(SIG_UNBLOCK, &blocked, NULL);
  if (command != NULL) {
    status = wait_for_child(pid);
  } else {
    printf("port %d\n", port);
    fflush(stdout);
    wait_for_end();
  }
  stop();
  server_stop();
  return status;
}

int main(int argc, char **argv) {
  struct options options = {
      .token = "local-api-token-0123456789abcdefghijklmn",
      .seed = 1,
      .sessions = 1000000,
      .livestreams = -1,
  };
  char **command;
  int listen_fd, status = 2;
  (void)argc;
  end_with_parent();
  if (!read_arguments(&options, argv, &command)) return status;
  if (pipe(stop_pipe) != 0 || fcntl(stop_pipe[0], F_SETFD, FD_CLOEXEC) != 0 ||
      fcntl(stop_pipe[1], F_SETFD, FD_CLOEXEC) != 0 ||
      fcntl(stop_pipe[1], F_SETFL, O_NONBLOCK) != 0) {
    perror("api: pipe");
    return status;
  }
  listen_fd = listen_anywhere(&options.port);
  if (routes_open(&options) && log_open(options.log_path) && listen_fd >= 0) {
    status = serve(&options, command, listen_fd, options.port);
  }
  log_close();
  routes_close();
  return status;
}
