/*
** A TCP relay on 127.0.0.1 between a client and a server, which breaks
** connections on command. It forwards bytes and does not read them, so it works
** with TLS and HTTP/2: put it between rtk and nginx, or between rtk and
** build/api.
**
**   build/relay [OPTIONS] TARGET-PORT
**
** Prints `port N`, and forwards until the end of stdin or a signal.
**
** Options
**   --log FILE            one line for each event, see below
**   --silent-when FILE    when FILE appears, every open connection goes silent
**   --cut-when FILE       when FILE appears, every open connection is reset
**
** Silent: nothing is forwarded any more, in neither direction. The connection
** stays open, and what the client sends is read and thrown away, as if the
** network in between had gone. Connections that are opened later work.
**
** The relay removes the FILE when it has done what the file asks for. So a test
** makes the file, waits until it is gone, and goes on; it may do so again.
**
** Log: N counts the connections from 1, BYTES are those to the client, LATE those
** that the client has sent into a silent connection.
**   open N
**   silent N
**   cut N
**   end N bytes=BYTES late=LATE
** A line is complete in the file before the client can see what it tells.
*/
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINKS_MAX = 512, BUFFER_BYTES = 65536, LOOK_MS = 10 };
enum { CLIENT, SERVER };

/* What came from fd and is not yet sent to the other side's. */
struct side {
  int fd;
  bool has_ended; /* it sends no more */
  size_t at, len;
  char buffer[BUFFER_BYTES];
};

struct link {
  unsigned long number, bytes, late;
  bool is_silent;
  struct side sides[2]; /* CLIENT, SERVER */
};

static struct {
  const char *log_path, *silent_path, *cut_path;
  int target;
} options;

static struct link *links[LINKS_MAX];
static int links_used;
static unsigned long opened;
static int log_fd = -1;
static int end_pipe[2]; /* readable: the relay is to end */

/* Log ---------------------------------------------------------------------- */

__attribute__((format(printf, 1, 2))) static void note(const char *format,
                                                       ...) {
  char line[128];
  va_list args;
  int len;
  if (log_fd < 0) return;
  va_start(args, format);
  len = vsnprintf(line, sizeof line, format, args);
  va_end(args);
  if (write(log_fd, line, (size_t)len) != len) perror(options.log_path);
}

/* Sockets ------------------------------------------------------------------ */

static struct sockaddr_in loopback(int port) {
  struct sockaddr_in address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((in_port_t)port);
  return address;
}

static int listen_anywhere(int *port) {
  struct sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
      listen(fd, SOMAXCONN) != 0 ||
      getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
    perror("relay: listen");
    exit(1);
  }
  *port = ntohs(address.sin_port);
  return fd;
}

static int connect_to_target(void) {
  struct sockaddr_in address = loopback(options.target);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
    close(fd);
    return -1;
  }
  return fd;
}

/* Connections -------------------------------------------------------------- */

static void open_link(int listen_fd) {
  int fd = accept(listen_fd, NULL, NULL), to, i;
  struct link *link;
  if (fd < 0) return;
  to = links_used < LINKS_MAX ? connect_to_target() : -1;
  link = to < 0 ? NULL : calloc(1, sizeof *link);
  if (link == NULL) {
    if (to >= 0) close(to);
    close(fd);
    return;
  }
  link->number = ++opened;
  link->sides[CLIENT].fd = fd;
  link->sides[SERVER].fd = to;
  for (i = 0; i < 2; i++) {
    fcntl(link->sides[i].fd, F_SETFL, O_NONBLOCK);
  }
  links[links_used++] = link;
  note("open %lu\n", link->number);
}

/* The last one takes its place in links[]. */
static void close_link(int index, bool is_reset) {
  struct link *link = links[index];
  struct linger linger = {.l_onoff = 1, .l_linger = 0};
  int i;
  if (is_reset) note("cut %lu\n", link->number);
  note("end %lu bytes=%lu late=%lu\n", link->number, link->bytes, link->late);
  for (i = 0; i < 2; i++) {
    if (is_reset) {
      setsockopt(link->sides[i].fd, SOL_SOCKET, SO_LINGER, &linger,
                 sizeof linger);
    }
    close(link->sides[i].fd);
  }
  free(link);
  links[index] = links[--links_used];
}

static void silence(struct link *link) {
  if (link->is_silent) return;
  link->is_silent = true;
  note("silent %lu\n", link->number);
}

/* Forwarding --------------------------------------------------------------- */

/* False when the connection is over. */
static bool read_side(struct link *link, int which) {
  struct side *side = &link->sides[which];
  ssize_t got = read(side->fd, side->buffer, BUFFER_BYTES);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (link->is_silent) {
    link->late += (unsigned long)got;
    return got > 0;
  }
  side->at = 0;
  side->len = (size_t)got;
  if (got > 0) return true;
  side->has_ended = true;
  shutdown(link->sides[!which].fd, SHUT_WR);
  return !link->sides[!which].has_ended;
}

/* Sends what came from this side to the other one. False when the connection
** is over. */
static bool write_side(struct link *link, int which) {
  struct side *side = &link->sides[which];
  ssize_t sent = send(link->sides[!which].fd, side->buffer + side->at,
                      side->len, MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN || errno == EINTR;
  side->at += (size_t)sent;
  side->len -= (size_t)sent;
  if (which == SERVER) link->bytes += (unsigned long)sent;
  return true;
}

/* Events wanted of one side; -1: leave it out, for its end would wake poll() at
** once, again and again. */
static int wanted(const struct link *link, int which) {
  const struct side *side = &link->sides[which];
  const struct side *other = &link->sides[!which];
  int events = 0;
  if (link->is_silent) return which == CLIENT ? POLLIN : -1;
  if (!side->has_ended && side->len == 0) events |= POLLIN;
  if (other->len > 0) events |= POLLOUT;
  return events == 0 ? -1 : events;
}

/* What poll() said about one connection. */
static void serve_link(int index, short client, short server) {
  enum { READABLE = POLLIN | POLLHUP | POLLERR };
  struct link *link = links[index];
  const short seen[2] = {client, server};
  bool is_open = true;
  int which;
  for (which = 0; which < 2 && is_open; which++) {
    const struct side *side = &link->sides[which];
    if ((seen[which] & READABLE) != 0 &&
        (link->is_silent || (side->len == 0 && !side->has_ended))) {
      is_open = read_side(link, which);
    }
  }
  for (which = 0; which < 2 && is_open && !link->is_silent; which++) {
    if (link->sides[which].len > 0) is_open = write_side(link, which);
  }
  if (!is_open) close_link(index, false);
}

/* Files -------------------------------------------------------------------- */

static void look_for_files(void) {
  int i;
  if (options.silent_path != NULL && access(options.silent_path, F_OK) == 0) {
    for (i = 0; i < links_used; i++) silence(links[i]);
    unlink(options.silent_path);
  }
  if (options.cut_path != NULL && access(options.cut_path, F_OK) == 0) {
    while (links_used > 0) close_link(links_used - 1, true);
    unlink(options.cut_path);
  }
}

/* From the last connection to the first, for close_link() moves the last one
** into the place of the one that it closes. */
static void serve_links(const struct pollfd *fds, const int *slots, int count) {
  short seen[LINKS_MAX][2] = {{0}};
  int i;
  for (i = 0; i < count; i++) seen[slots[i] / 2][slots[i] % 2] = fds[i].revents;
  for (i = links_used - 1; i >= 0; i--) {
    if (seen[i][0] != 0 || seen[i][1] != 0) {
      serve_link(i, seen[i][0], seen[i][1]);
    }
  }
}

static void forward(int listen_fd) {
  static struct pollfd fds[3 + 2 * LINKS_MAX];
  static int slots[2 * LINKS_MAX];
  char ignored[256];
  for (;;) {
    int used = 3, i, which;
    fds[0] = (struct pollfd){.fd = listen_fd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = end_pipe[0], .events = POLLIN};
    fds[2] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    for (i = 0; i < links_used; i++) {
      for (which = 0; which < 2; which++) {
        int events = wanted(links[i], which);
        if (events < 0) continue;
        slots[used - 3] = 2 * i + which;
        fds[used++] = (struct pollfd){.fd = links[i]->sides[which].fd,
                                      .events = (short)events};
      }
    }
    if (poll(fds, (nfds_t)used, LOOK_MS) < 0 && errno != EINTR) return;
    if (fds[1].revents != 0) return;
    if (fds[2].revents != 0 && read(0, ignored, sizeof ignored) <= 0) return;
    serve_links(fds + 3, slots, used - 3);
    look_for_files(); /* before a new connection, which it does not concern */
    if (fds[0].revents != 0) open_link(listen_fd);
  }
}

static void on_signal(int number) {
  ssize_t written = write(end_pipe[1], "x", 1);
  (void)written, (void)number;
}

/* Arguments ---------------------------------------------------------------- */

static void read_arguments(char **argv) {
  for (argv++; argv[0] != NULL && argv[1] != NULL; argv += 2) {
    if (strcmp(argv[0], "--log") == 0) {
      options.log_path = argv[1];
    } else if (strcmp(argv[0], "--silent-when") == 0) {
      options.silent_path = argv[1];
    } else if (strcmp(argv[0], "--cut-when") == 0) {
      options.cut_path = argv[1];
    } else {
      break;
    }
  }
  options.target = argv[0] == NULL || argv[1] != NULL ? 0 : atoi(argv[0]);
  if (options.target <= 0 || options.target > 65535) {
    fprintf(stderr, "relay: not understood: %s\n", argv[0] ? argv[0] : "");
    exit(2);
  }
}

int main(int argc, char **argv) {
  struct sigaction action;
  int port, listen_fd;
  (void)argc;
  read_arguments(argv);
  if (options.log_path != NULL) {
    log_fd = open(options.log_path,
                  O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0) perror(options.log_path);
  }
  listen_fd = listen_anywhere(&port);
  if (pipe(end_pipe) != 0) {
    perror("relay: pipe");
    return 1;
  }
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  printf("port %d\n", port);
  fflush(stdout);
  forward(listen_fd);
  while (links_used > 0) close_link(links_used - 1, false);
  return 0;
}
