/* The pages of one list, in order. */
#include "fetch/pages.h"

#include "api/reply.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "fetch/fetch.h"
#include "fetch/memo.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

static struct rtk_entry **place(struct rtk_pages *pages, int page) {
  return &pages->entries[page % RTK_PAGES_AHEAD];
}

static int count_of(int64_t total, int size) {
  int64_t count = size == 0 ? 1 : (total + size - 1) / size;
  if (count < 1) count = 1;
  return count > RTK_PAGES_MAX ? RTK_PAGES_MAX : (int)count;
}

int rtk_pages_after(const struct rtk_reply *first) {
  bool is_known = first->outcome == RTK_OUTCOME_ROWS && first->total_count > 0;
  return is_known ? count_of(first->total_count, first->row_count) - 1 : 0;
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
  pages->is_same = print != 0 && print == pages->print;
  pages->print = print;
  pages->current = page;
  pages->last_size = reply->row_count;
  pages->is_failure = reply->outcome != RTK_OUTCOME_ROWS;
  if (pages->is_failure) {
    pages->has_failed = true;
    pages->is_cut_off = reply->kind == RTK_KIND_QUOTA;
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

static void release_out(struct rtk_pages *pages) {
  if (pages->out != NULL) rtk_fetch_release(pages->fetch, pages->out);
  pages->out = NULL;
}

/* Cancels what has been asked for ahead. */
static void let_go(struct rtk_pages *pages) {
  for (int i = 0; i < RTK_PAGES_AHEAD; i++) {
    if (pages->entries[i] == NULL) continue;
    rtk_fetch_release(pages->fetch, pages->entries[i]);
    pages->entries[i] = NULL;
  }
}

void rtk_pages_end(struct rtk_pages *pages) {
  release_out(pages);
  let_go(pages);
  pages->count = 0;
}

void rtk_pages_begin(struct rtk_pages *pages, const struct rtk_wanted *wanted,
                     const struct rtk_entry *first) {
  struct rtk_fetch *fetch = pages->fetch;
  bool is_known_only = pages->is_known_only;
  rtk_pages_end(pages);
  memset(pages, 0, sizeof(*pages));
  pages->fetch = fetch;
  pages->is_known_only = is_known_only;
  pages->wanted = *wanted;
  pages->total_count = -1;
  pages->current = 1;
  pages->turn = pages->ahead = 2;
  pages->count = 1;
  learn(pages, 1, first->reply);
}

void rtk_pages_take(struct rtk_pages *pages, struct rtk_entry *entry) {
  *place(pages, pages->ahead++) = entry;
}

/* Requests a page; the one that is requested once more, anew. */
static int want(struct rtk_pages *pages, int page, struct rtk_err *err) {
  bool is_again = pages->is_again && page == pages->current;
  pages->wanted.page = page;
  return rtk_fetch_want_since(pages->fetch, &pages->wanted,
                              is_again ? pages->again_ms : pages->since_ms,
                              place(pages, page), err);
}

/* May the page `ahead` be requested before the reader comes to it?  Not while it
** is in doubt whether the list goes on. */
static bool has_room(const struct rtk_pages *pages) {
  return !pages->is_known_only && !pages->is_again && pages->barren == 0 &&
         pages->ahead <= pages->count &&
         pages->ahead <= RTK_AHEAD_GROWTH * (pages->turn - 1) &&
         pages->ahead < pages->turn + RTK_PAGES_AHEAD - 1 &&
         rtk_fetch_has_room(pages->fetch);
}

static int want_ahead(struct rtk_pages *pages, struct rtk_err *err) {
  int rc = SQLITE_OK;
  if (*place(pages, pages->turn) == NULL) rc = want(pages, pages->turn, err);
  if (pages->ahead <= pages->turn) pages->ahead = pages->turn + 1;
  while (rc == SQLITE_OK && has_room(pages)) {
    rc = want(pages, pages->ahead, err);
    if (rc == SQLITE_OK) pages->ahead++;
  }
  return rc;
}

/* Have all rows come, as far as the total or the last page tells? */
static bool is_complete(const struct rtk_pages *pages) {
  /* Of a list that has changed, or of which a page failed, some rows do not come. */
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
  return pages->last_size == 0 || pages->last_size < full;
}

/* The page that came out last has been read.  Was it the last one?  If not,
** `turn` is the page to go on with. */
static bool is_over(struct rtk_pages *pages) {
  bool is_end =
      pages->is_failure ? pages->current >= pages->count : is_complete(pages);
  if (is_end || pages->is_cut_off) return true;
  if (pages->page_rows > 0 || pages->has_ever_changed || pages->is_failure) {
    pages->barren = 0;
    pages->is_again = false;
  } else if (!pages->is_again && !pages->is_known_only) {
    pages->is_again = true;
    pages->again_ms = rtk_clock_ms() + 1; /* this millisecond's are old */
    pages->turn = pages->current;
    return false;
  } else {
    pages->barren++;
    pages->is_again = false;
  }
  pages->turn = pages->current + 1;
  return pages->barren >= RTK_PAGES_BARREN_MAX || pages->turn > RTK_PAGES_MAX;
}

/* The list has changed: once more from its first page. */
static bool begin_again(struct rtk_pages *pages) {
  if (!pages->has_changed || pages->is_known_only || pages->is_cut_off ||
      pages->rounds == RTK_PAGES_ROUNDS_MAX) {
    return false;
  }
  let_go(pages); /* pages that are no more, or were not read */
  pages->has_changed = pages->is_again = false;
  pages->rounds++;
  pages->since_ms = rtk_clock_ms() + 1; /* this millisecond's are old */
  pages->turn = pages->ahead = 1;
  pages->print = 0;
  return true;
}

static enum rtk_pages_end how_it_ended(const struct rtk_pages *pages) {
  if (pages->turn > RTK_PAGES_MAX && !is_complete(pages)) {
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
         (pages->total_count < 0 || pages->turn > pages->count);
}

int rtk_pages_next(struct rtk_pages *pages, struct rtk_entry **entry,
                   enum rtk_pages_end *end, struct rtk_err *err) {
  release_out(pages);
  *entry = NULL;
  *end = RTK_PAGES_WHOLE;
  if (is_over(pages) && !begin_again(pages)) {
    *end = how_it_ended(pages);
    return SQLITE_OK;
  }
  int rc = want_ahead(pages, err);
  struct rtk_entry **wanted = place(pages, pages->turn);
  while (rc == SQLITE_OK && (*wanted)->reply == NULL) {
    if (pages->is_known_only) return SQLITE_OK;
    rc = rtk_fetch_drive(pages->fetch, true, err);
    if (rc == SQLITE_OK) rc = want_ahead(pages, err);
  }
  rtk_fetch_rest(pages->fetch);
  if (rc != SQLITE_OK) return rc;
  *entry = pages->out = *wanted;
  *wanted = NULL;
  if (is_behind_the_end(pages, (*entry)->reply)) {
    *entry = NULL;
    *end = how_it_ended(pages);
    return SQLITE_OK;
  }
  learn(pages, pages->turn, (*entry)->reply);
  pages->page_rows = 0;
  return SQLITE_OK;
}
