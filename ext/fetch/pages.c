/* The pages of one list, in order. */
#include "fetch/pages.h"

#include "api/reply.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "fetch/fetch.h"
#include "fetch/job.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

static int count_of(int64_t total, int size) {
  int64_t count = size == 0 ? 1 : (total + size - 1) / size;
  if (count < 1) count = 1;
  return count > RTK_PAGES_MAX ? RTK_PAGES_MAX : (int)count;
}

int rtk_pages_count(const struct rtk_reply *first) {
  bool is_known = first->outcome == RTK_OUTCOME_ROWS && first->total_count > 0;
  return is_known ? count_of(first->total_count, first->row_count) : 1;
}

/* A page whose rows have no ids is told by all of it; 0: they have. */
static uint64_t print_of(const struct rtk_reply *reply) {
  if (reply->row_count == 0 || reply->values[0].type != RTK_NULL) return 0;
  return rtk_hash_add(RTK_HASH_START, reply->body.bytes, reply->body.size) | 1;
}

/* What a page tells of the whole list. */
static void learn(struct rtk_pages *pages, int page,
                  const struct rtk_reply *reply) {
  int64_t total = reply->total_count;
  uint64_t print = print_of(reply);
  pages->page.is_same = print != 0 && print == pages->page.print;
  pages->page.print = print;
  pages->page.size = reply->row_count;
  pages->page.is_failure = reply->outcome != RTK_OUTCOME_ROWS;
  pages->current = page;
  pages->page_rows = 0;
  if (pages->page.is_failure) {
    pages->has_failed = true;
    pages->page.is_cut_off = reply->kind == RTK_KIND_QUOTA;
    return;
  }
  if (page == 1) pages->first_size = reply->row_count;
  if (reply->row_count > pages->largest) pages->largest = reply->row_count;
  if (total < 0) {
    pages->count = page + 1; /* perhaps: see is_complete() */
    return;
  }
  if (pages->total_count >= 0 && total != pages->total_count) {
    pages->has_changed = pages->has_ever_changed = true;
  }
  pages->total_count = total;
  pages->count = count_of(total, pages->first_size);
}

void rtk_pages_end(struct rtk_pages *pages) {
  if (pages->count == 0) return;
  rtk_window_deinit(&pages->window);
  rtk_call_deinit(&pages->call);
  pages->count = 0;
}

void rtk_pages_deinit(struct rtk_pages *pages) {
  rtk_pages_end(pages);
  sqlite3_free(pages->id);
  pages->id = NULL;
}

static struct rtk_call *call_of_page(void *user, size_t place) {
  struct rtk_pages *pages = user;
  pages->call.page = pages->first + (int)place;
  return &pages->call;
}

int rtk_pages_begin(struct rtk_pages *pages, const struct rtk_call *call,
                    const struct rtk_job *first, struct rtk_window *outer) {
  struct rtk_fetch *fetch = pages->fetch;
  struct rtk_pages old = *pages;
  size_t growth = old.is_whole ? 0 : RTK_AHEAD_GROWTH;
  char *id = sqlite3_mprintf("%.*s", (int)first->id.size, first->id.bytes);
  if (id == NULL) return SQLITE_NOMEM;
  rtk_pages_deinit(pages);
  *pages = (struct rtk_pages){.fetch = fetch,
                              .is_known_only = old.is_known_only,
                              .is_whole = old.is_whole,
                              .window = {.fetch = fetch,
                                         .call_at = call_of_page,
                                         .user = pages,
                                         .outer = outer,
                                         .growth = growth,
                                         .ahead_max = RTK_PAGES_AHEAD,
                                         .is_whole = old.is_whole,
                                         .is_one_list = true},
                              .id = id,
                              .total_count = -1,
                              .current = 1,
                              .first = 2,
                              .next = 2,
                              .count = 1};
  rtk_call_init(&pages->call, call->signature);
  memcpy(pages->call.arguments, call->arguments, sizeof(call->arguments));
  if (call->signature->id >= 0) {
    pages->call.arguments[call->signature->id] =
        (struct rtk_text){id, first->id.size};
  }
  learn(pages, 1, first->reply);
  return outer == NULL ? SQLITE_OK
                       : rtk_window_move_pages(outer, &pages->window);
}

/* The page `next`, requested anew where it is requested once more. */
static int get_page(struct rtk_pages *pages, struct rtk_job **job,
                    struct rtk_err *err) {
  struct rtk_window *window = &pages->window;
  size_t place = (size_t)(pages->next - pages->first);
  if (pages->is_known_only) {
    return rtk_fetch_peek(pages->fetch, call_of_page(pages, place), job);
  }
  /* Nothing is requested ahead while it is in doubt whether the list goes
  ** on. */
  bool is_in_doubt =
      pages->page.is_again || pages->barren > 0 || pages->count < pages->next;
  window->count =
      is_in_doubt ? place + 1 : (size_t)(pages->count - pages->first + 1);
  window->since_ms = pages->since_ms;
  if (pages->page.is_again) {
    window->since_ms = pages->page.again_ms;
    rtk_window_repeat(window, place);
  }
  return rtk_window_get(window, place, job, err);
}

/* Have all rows come, as far as the total or the last page tells? */
static bool is_complete(const struct rtk_pages *pages) {
  /* Of a list that has changed, or of which a page failed, some rows do not
  ** come. */
  if (pages->has_ever_changed || pages->has_failed) {
    return pages->current >= pages->count;
  }
  if (pages->total_count > pages->first_size) {
    return pages->rows >= pages->total_count;
  }
  /* A total of just the first page may be the list's or the page's: only a page
  ** as large as was asked for is full then. */
  bool is_same = pages->total_count == pages->first_size;
  int full = is_same ? RTK_PER_PAGE : pages->largest;
  return pages->page.size == 0 || pages->page.size < full;
}

/* The current page has been read.  Was it the last one?  If not,
** `next` is the page to go on with. */
static bool is_over(struct rtk_pages *pages) {
  bool is_end = pages->page.is_failure ? pages->current >= pages->count
                                       : is_complete(pages);
  if (is_end || pages->page.is_cut_off) return true;
  if (pages->page_rows > 0 || pages->has_ever_changed ||
      pages->page.is_failure) {
    pages->barren = 0;
    pages->page.is_again = false;
  } else if (!pages->page.is_again && !pages->is_known_only) {
    pages->page.is_again = true;
    pages->page.again_ms = rtk_clock_ms() + 1; /* this millisecond's are old */
    pages->next = pages->current;
    if (pages->first > pages->next) pages->first = pages->next;
    return false;
  } else {
    pages->barren++;
    pages->page.is_again = false;
  }
  pages->next = pages->current + 1;
  return pages->barren >= RTK_PAGES_BARREN_MAX || pages->next > RTK_PAGES_MAX;
}

/* The list has changed: once more from its first page. */
static bool begin_again(struct rtk_pages *pages) {
  if (!pages->has_changed || pages->is_known_only || pages->page.is_cut_off ||
      pages->rounds == RTK_PAGES_ROUNDS_MAX) {
    return false;
  }
  rtk_window_clear(&pages->window);
  pages->has_changed = pages->page.is_again = false;
  pages->rounds++;
  pages->since_ms = rtk_clock_ms() + 1; /* this millisecond's are old */
  pages->first = pages->next = 1;
  pages->page.print = 0;
  return true;
}

static enum rtk_pages_end how_it_ended(const struct rtk_pages *pages) {
  if (pages->next > RTK_PAGES_MAX && !is_complete(pages)) {
    return RTK_PAGES_TOO_MANY;
  }
  bool is_short = pages->rows < pages->total_count &&
                  !pages->has_ever_changed && !pages->has_failed &&
                  !pages->is_known_only;
  return is_short ? RTK_PAGES_SHORT : RTK_PAGES_WHOLE;
}

/* The API's 404 to a page that nobody said is there. */
static bool is_behind_the_end(const struct rtk_pages *pages,
                              const struct rtk_reply *reply) {
  return reply->http_status == 404 &&
         (pages->total_count < 0 || pages->next > pages->count);
}

int rtk_pages_next(struct rtk_pages *pages, struct rtk_job **job,
                   enum rtk_pages_end *end, struct rtk_err *err) {
  struct rtk_job *page = NULL;
  *job = NULL;
  *end = RTK_PAGES_WHOLE;
  if (is_over(pages) && !begin_again(pages)) {
    *end = how_it_ended(pages);
    return SQLITE_OK;
  }
  int rc = get_page(pages, &page, err);
  if (rc != SQLITE_OK || page == NULL) return rc;
  if (is_behind_the_end(pages, page->reply)) {
    rtk_fetch_release(pages->fetch, page);
    *end = how_it_ended(pages);
    return SQLITE_OK;
  }
  learn(pages, pages->next, page->reply);
  *job = page;
  return SQLITE_OK;
}
