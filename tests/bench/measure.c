/*
** Runs a command and writes what it cost into a file, on one line:
** wall-clock seconds, CPU seconds (user and system), peak memory in kB.
**
**   build/bench/measure FILE COMMAND ARGS...
**
** Its exit status is the command's (128+n when signal n ended it). SIGTERM is
** passed on to the command.
*/
#ifdef __APPLE__
#define _DARWIN_C_SOURCE /* ru_maxrss, in bytes there */
enum { MAXRSS_PER_KB = 1024 };
#else
enum { MAXRSS_PER_KB = 1 };
#endif

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t child;

static void pass_on(int signal_number) {
  if (child != 0) kill((pid_t)child, signal_number);
}

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds(struct timeval t) {
  return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* There is one child only, so that "children" are this one. */
static int write_cost(const char *path, double wall_s) {
  struct rusage used;
  FILE *file = fopen(path, "w");
  if (file == NULL || getrusage(RUSAGE_CHILDREN, &used) != 0) {
    perror(path);
    return 1;
  }
  fprintf(file, "%.4f %.4f %ld\n", wall_s,
          seconds(used.ru_utime) + seconds(used.ru_stime),
          used.ru_maxrss / MAXRSS_PER_KB);
  return fclose(file) == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
  struct sigaction action = {.sa_handler = pass_on};
  double begin_s = now_s();
  int status = 0;
  pid_t pid;
  if (argc < 3) {
    fputs("usage: measure FILE COMMAND ARGS...\n", stderr);
    return 2;
  }
  pid = fork();
  if (pid == 0) {
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    _exit(127);
  }
  if (pid < 0) {
    perror("measure: fork");
    return 2;
  }
  child = pid;
  sigaction(SIGTERM, &action, NULL);
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return 2;
  }
  if (write_cost(argv[1], now_s() - begin_s) != 0) return 2;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
