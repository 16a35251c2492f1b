/* The pages of one list, in order. */
#include "pages.h"

#include "clock.h"
#include "fetch.h"
#include "memo.h"
#include "reply.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

static struct rtk_entry **place(struct rtk_pages *pages, int page) {
  return &pages->entries[page % RTK_PAGES_AHEAD];
}

static int count_of(int64_t total, int size) {
  int64_t count = size == 0 ? 1 : (total + size - 1) / size;
  return count > RTK_PAGES_MAX ? RTK_PAGES_MAX : (int)count;
}

int rtk_pages_after(const struct rtk_reply *first) {
  bool is_known = first->outcome == RTK_OUTCOME_ROWS && first->total_count > 0;
  return is_known ? count_of(first->total_count, first->row_count) - 1 : 0;
}

/* What a page tells of the whole list.  One without a total is the last when it
** is not full. */
static void learn(struct rtk_pages *pages, int page,
                  const struct rtk_reply *reply) {
  int64_t total = reply->total_count;
  if (reply->outcome != RTK_OUTCOME_ROWS) return;
  if (pages->size == 0) pages->size = reply->row_count;
  if (total < 0) {
    bool is_full = reply->row_count > 0 && reply->row_count >= pages->size;
    pages->count = is_full ? page + 1 : page;
    return;
  }
  if (pages->total_count >= 0 && total != pages->total_count) {
    pages->has_changed = true;
  }
  pages->total_count = total;
  pages->count = count_of(total, pages->size);
  if (reply->row_count == 0) pages->count = page; /* there are no more */
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
  pages->turn = pages->ahead = 2;
  pages->count = 1;
  learn(pages, 1, first->reply);
}

void rtk_pages_take(struct rtk_pages *pages, struct rtk_entry *entry) {
  *place(pages, pages->ahead++) = entry;
}

static int want(struct rtk_pages *pages, int page, struct rtk_err *err) {
  pages->wanted.page = page;
  return rtk_fetch_want_since(pages->fetch, &pages->wanted, pages->since_ms,
                              place(pages, page), err);
}

/* May the page `ahead` be asked for before its turn? */
static bool has_room(const struct rtk_pages *pages) {
  return !pages->is_known_only &&
         pages->ahead <= RTK_AHEAD_GROWTH * (pages->turn - 1) &&
         rtk_fetch_has_room(pages->fetch);
}

static int want_ahead(struct rtk_pages *pages, struct rtk_err *err) {
  int rc = SQLITE_OK;
  if (pages->ahead < pages->turn) pages->ahead = pages->turn;
  while (rc == SQLITE_OK && pages->ahead <= pages->count &&
         pages->ahead < pages->turn + RTK_PAGES_AHEAD &&
         (pages->ahead == pages->turn || has_room(pages))) {
    rc = want(pages, pages->ahead, err);
    if (rc == SQLITE_OK) pages->ahead++;
  }
  return rc;
}

/* Without a total, a server that does not know page_no would give the same page
** for ever. */
static bool is_over(const struct rtk_pages *pages) {
  return pages->turn > pages->count ||
         (pages->total_count < 0 && !pages->has_new);
}

/* The list has changed: once more from its first page. */
static bool begin_again(struct rtk_pages *pages) {
  if (!pages->has_changed || pages->is_known_only ||
      pages->rounds == RTK_PAGES_ROUNDS_MAX) {
    return false;
  }
  let_go(pages); /* pages that are no more, or were not read */
  pages->has_changed = false;
  pages->rounds++;
  pages->since_ms = rtk_clock_ms() + 1; /* this millisecond's are old */
  pages->turn = pages->ahead = 1;
  return true;
}

/* Nobody said that there was such a page. */
static bool is_behind_the_end(const struct rtk_pages *pages,
                              const struct rtk_reply *reply) {
  return pages->total_count < 0 && reply->http_status == 404;
}

int rtk_pages_next(struct rtk_pages *pages, struct rtk_entry **entry,
                   struct rtk_err *err) {
  release_out(pages);
  *entry = NULL;
  if (is_over(pages) && !begin_again(pages)) return SQLITE_OK;
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
    return SQLITE_OK;
  }
  learn(pages, pages->turn, (*entry)->reply);
  pages->turn++;
  pages->has_new = false;
  return SQLITE_OK;
}
