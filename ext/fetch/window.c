/* A window over an ordered sequence of jobs. */
#include "fetch/window.h"

#include "api/reply.h"
#include "api/url.h"
#include "base/array.h"
#include "fetch/fetch.h"
#include "fetch/job.h"
#include "fetch/pages.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Stands in jobs[] for a place that the reader has come to. */
static struct rtk_job delivered;
#define DELIVERED (&delivered)

/* A further page of the list at a place. */
struct rtk_window_page {
  size_t place;
  struct rtk_job *job;
};

/* Makes jobs[] as long as the sequence, which may have grown. */
static int begin(struct rtk_window *window) {
  size_t count = window->count;
  if (count <= window->begun) return SQLITE_OK;
  struct rtk_job **jobs =
      rtk_array_grow(window->jobs, &window->room, count, sizeof(*jobs));
  if (jobs == NULL) return SQLITE_NOMEM;
  memset(jobs + window->begun, 0, (count - window->begun) * sizeof(*jobs));
  window->jobs = jobs;
  window->begun = count;
  return SQLITE_OK;
}

/* --- requests ------------------------------------------------------------- */

/* Makes room for one more list in the order of requests. */
static int grow_order(struct rtk_window *window) {
  size_t *order = rtk_array_grow(window->lists.order, &window->lists.order_room,
                                 window->lists.ordered + 1, sizeof(*order));
  if (order == NULL) return SQLITE_NOMEM;
  window->lists.order = order;
  return SQLITE_OK;
}

static int request(struct rtk_window *window, size_t place,
                   struct rtk_err *err) {
  struct rtk_call *call = window->call_at(window->user, place);
  bool is_first = window->jobs[place] == NULL;
  bool is_list = call->page > 0 && !window->is_one_list;
  int rc = is_first && is_list ? grow_order(window) : SQLITE_OK;
  if (rc == SQLITE_OK) {
    rc = rtk_fetch_request(window->fetch, call, window->since_ms,
                           &window->jobs[place], err);
  }
  if (rc != SQLITE_OK || !is_first) return rc;
  if (is_list) window->lists.order[window->lists.ordered++] = place;
  window->requested++;
  return SQLITE_OK;
}

/* May one more be requested ahead of the reader? */
static bool has_room(const struct rtk_window *window) {
  size_t pages = window->lists.count;
  size_t ahead = window->requested - window->delivered;
  bool is_begun =
      window->is_whole || window->growth > 0 || window->delivered > 1;
  return is_begun &&
         (window->growth == 0 ||
          window->requested + pages < window->growth * window->delivered) &&
         (window->ahead_max == 0 || ahead < window->ahead_max) &&
         rtk_fetch_has_room(window->fetch);
}

/* Requests places from `next` on and around the end.  A refusal of one is the
** refusal of the rest. */
static int request_places(struct rtk_window *window, struct rtk_err *err) {
  int rc = SQLITE_OK;
  bool is_refused = false;
  while (rc == SQLITE_OK && !is_refused && window->requested < window->begun &&
         has_room(window)) {
    while (window->jobs[window->next] != NULL) {
      if (++window->next == window->begun) window->next = 0;
    }
    if (window->next >= window->count) break;
    rc = request(window, window->next, err);
    if (rc != SQLITE_OK) break;
    const struct rtk_reply *reply = window->jobs[window->next]->reply;
    is_refused = reply != NULL && rtk_reply_is_refusal(reply);
  }
  return rc;
}

/* How many pages of the list at a place are to be requested ahead, the first
** included; 0: that is not known yet. */
static int pages_ahead(const struct rtk_window *window, size_t place) {
  const struct rtk_job *job = window->jobs[place];
  if (job == DELIVERED || place == window->reader) return 1; /* by pages.c */
  if (job->reply == NULL) return 0;
  int count = rtk_pages_count(job->reply);
  return count < RTK_PAGES_AHEAD_OF_OTHERS ? count : RTK_PAGES_AHEAD_OF_OTHERS;
}

static int request_page(struct rtk_window *window, size_t place, int page,
                        struct rtk_err *err) {
  struct rtk_window_page *pages =
      rtk_array_grow(window->lists.pages, &window->lists.room,
                     window->lists.count + 1, sizeof(*pages));
  if (pages == NULL) return SQLITE_NOMEM;
  window->lists.pages = pages;
  struct rtk_call *call = window->call_at(window->user, place);
  struct rtk_job *job = NULL;
  int first = call->page;
  call->page = page;
  int rc = rtk_fetch_request(window->fetch, call, 0, &job, err);
  call->page = first;
  if (rc != SQLITE_OK) return rc;
  pages[window->lists.count++] = (struct rtk_window_page){place, job};
  return SQLITE_OK;
}

/* Requests the further pages of the lists whose first page is here. */
static int request_pages(struct rtk_window *window, struct rtk_err *err) {
  int rc = SQLITE_OK;
  while (rc == SQLITE_OK && window->lists.list < window->lists.ordered &&
         has_room(window)) {
    size_t place = window->lists.order[window->lists.list];
    int count = pages_ahead(window, place);
    if (count == 0) break;
    if (window->lists.page < 1) window->lists.page = 1;
    if (window->lists.page < count) {
      rc = request_page(window, place, ++window->lists.page, err);
    } else {
      window->lists.list++;
      window->lists.page = 0;
    }
  }
  return rc;
}

static int go_on(struct rtk_window *window, struct rtk_err *err) {
  int rc = SQLITE_OK;
  for (; window != NULL && rc == SQLITE_OK; window = window->outer) {
    rc = request_pages(window, err);
    if (rc == SQLITE_OK) rc = request_places(window, err);
  }
  return rc;
}

/* --- the reader ----------------------------------------------------------- */

int rtk_window_await(struct rtk_fetch *fetch, struct rtk_window *window,
                     const struct rtk_job *job, struct rtk_err *err) {
  int rc = go_on(window, err);
  if (rc == SQLITE_OK && job->reply != NULL && rtk_fetch_needs_drive(fetch)) {
    rc = rtk_fetch_drive(fetch, false, err);
  }
  while (rc == SQLITE_OK && job->reply == NULL) {
    rc = rtk_fetch_drive(fetch, true, err);
    if (rc == SQLITE_OK) rc = go_on(window, err);
  }
  rtk_fetch_before_row(fetch);
  return rc;
}

int rtk_window_move_pages(struct rtk_window *from, struct rtk_window *to) {
  size_t left = 0;
  size_t count = 0;
  for (size_t i = 0; i < from->lists.count; i++) {
    if (from->lists.pages[i].place == from->reader) count++;
  }
  to->count = count;
  int rc = begin(to);
  if (rc != SQLITE_OK) return rc;
  for (size_t i = 0; i < from->lists.count; i++) {
    struct rtk_window_page page = from->lists.pages[i];
    if (page.place == from->reader) {
      to->jobs[to->requested++] = page.job;
    } else {
      from->lists.pages[left++] = page;
    }
  }
  from->lists.count = left;
  return SQLITE_OK;
}

int rtk_window_get(struct rtk_window *window, size_t place,
                   struct rtk_job **job, struct rtk_err *err) {
  int rc = begin(window);
  if (rc != SQLITE_OK) return rc;
  bool is_first = window->jobs[place] != DELIVERED;
  if (window->delivered == 0 || window->next < place) window->next = place;
  if (window->jobs[place] == NULL || !is_first) {
    rc = request(window, place, err);
    if (rc != SQLITE_OK) return rc;
  }
  struct rtk_job *wanted = window->jobs[place];
  window->reader = place;
  if (is_first) window->delivered++; /* a place that is read again is no more */
  rc = rtk_window_await(window->fetch, window, wanted, err);
  if (rc != SQLITE_OK) return rc;
  window->jobs[place] = DELIVERED;
  *job = wanted;
  return SQLITE_OK;
}

void rtk_window_repeat(struct rtk_window *window, size_t place) {
  if (place >= window->begun || window->jobs[place] != DELIVERED) return;
  window->jobs[place] = NULL;
  window->requested--;
  window->delivered--;
}

void rtk_window_clear(struct rtk_window *window) {
  for (size_t i = 0; i < window->begun; i++) {
    struct rtk_job *job = window->jobs[i];
    if (job != NULL && job != DELIVERED) {
      rtk_fetch_release(window->fetch, job);
    }
  }
  for (size_t i = 0; i < window->lists.count; i++) {
    rtk_fetch_release(window->fetch, window->lists.pages[i].job);
  }
  window->count = window->begun = window->next = 0;
  window->requested = window->delivered = window->reader = 0;
  window->lists.count = window->lists.ordered = window->lists.list = 0;
  window->lists.page = 0;
}

void rtk_window_deinit(struct rtk_window *window) {
  rtk_window_clear(window);
  sqlite3_free(window->jobs);
  sqlite3_free(window->lists.pages);
  sqlite3_free(window->lists.order);
  window->jobs = NULL;
  window->lists.pages = NULL;
  window->lists.order = NULL;
  window->room = window->lists.room = window->lists.order_room = 0;
}
