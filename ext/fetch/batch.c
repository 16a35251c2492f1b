/*
** Ids in, replies out.
**
** In the order of the list, only the number of requests under way and the
** memory of what waits for its turn bound how far ahead is asked: one slow
** reply does not hold up the others.  By id it is the same from the second on.
*/
#include "fetch/batch.h"

#include "api/reply.h"
#include "fetch/fetch.h"
#include "fetch/memo.h"
#include "fetch/pages.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Stands in entries[] for an id whose turn has been. */
static struct rtk_entry passed;

struct rtk_batch_page {
  size_t index; /* of the id */
  struct rtk_entry *entry;
};

/* Makes entries[] as long as the list, which may have grown. */
static int begin(struct rtk_batch *batch) {
  size_t count = batch->ids.count;
  size_t more = count - batch->begun;
  if (more == 0) return SQLITE_OK;
  if (batch->room < count) {
    struct rtk_entry **entries =
        sqlite3_realloc64(batch->entries, count * sizeof(*entries));
    if (entries == NULL) return SQLITE_NOMEM;
    batch->entries = entries;
    if (batch->wanted.page > 0) {
      size_t *order = sqlite3_realloc64(batch->order, count * sizeof(*order));
      if (order == NULL) return SQLITE_NOMEM;
      batch->order = order;
    }
    batch->room = count;
  }
  memset(batch->entries + batch->begun, 0, more * sizeof(*batch->entries));
  batch->begun = count;
  batch->unasked += more;
  rtk_fetch_expect(batch->fetch, more);
  return SQLITE_OK;
}

void rtk_batch_set_id(struct rtk_batch *batch, size_t index) {
  int id = batch->wanted.id;
  if (id >= 0) batch->wanted.arguments[id] = rtk_ids_text(&batch->ids, index);
}

static int want(struct rtk_batch *batch, size_t index, struct rtk_err *err) {
  struct rtk_entry *entry = NULL;
  rtk_batch_set_id(batch, index);
  int rc = rtk_fetch_want(batch->fetch, &batch->wanted, &entry, err);
  if (rc != SQLITE_OK) return rc;
  if (batch->entries[index] == NULL) {
    batch->unasked--;
    if (batch->order != NULL) batch->order[batch->order_count++] = index;
  }
  batch->entries[index] = entry;
  return SQLITE_OK;
}

/* May one more be asked for ahead of its turn? */
static bool has_room(const struct rtk_batch *batch) {
  size_t asked = batch->begun - batch->unasked;
  return batch->is_ahead && batch->unasked > 0 &&
         (batch->growth == 0 || asked < batch->growth * batch->turn) &&
         rtk_fetch_has_room(batch->fetch);
}

/* Asks for what has not been asked for, from `ahead` on and around the end.
** What is refused to one id is refused to the rest. */
static int want_ahead(struct rtk_batch *batch, struct rtk_err *err) {
  int rc = SQLITE_OK;
  bool is_refused = false;
  while (rc == SQLITE_OK && !is_refused && has_room(batch)) {
    while (batch->entries[batch->ahead] != NULL) {
      if (++batch->ahead == batch->begun) batch->ahead = 0;
    }
    rc = want(batch, batch->ahead, err);
    if (rc != SQLITE_OK) break;
    const struct rtk_reply *reply = batch->entries[batch->ahead]->reply;
    is_refused = reply != NULL && rtk_reply_is_refusal(reply);
  }
  return rc;
}

/* How many pages the list at `index` has after the first, to be asked for ahead:
** none when its turn has come.  *is_known: the first is here. */
static int pages_after(const struct rtk_batch *batch, size_t index,
                       bool *is_known) {
  const struct rtk_entry *entry = batch->entries[index];
  bool is_due = entry == &passed || index == batch->due;
  *is_known = is_due || entry->reply != NULL;
  if (is_due || !*is_known) return 0;
  int count = rtk_pages_after(entry->reply);
  return count < RTK_PAGES_AHEAD_OF_OTHERS ? count
                                           : RTK_PAGES_AHEAD_OF_OTHERS - 1;
}

static int want_page(struct rtk_batch *batch, size_t index,
                     struct rtk_err *err) {
  struct rtk_entry *entry = NULL;
  if (batch->page_count == batch->page_room) {
    size_t room = batch->page_room == 0 ? 64 : batch->page_room * 2;
    struct rtk_batch_page *pages =
        sqlite3_realloc64(batch->pages, room * sizeof(*pages));
    if (pages == NULL) return SQLITE_NOMEM;
    batch->pages = pages;
    batch->page_room = room;
  }
  rtk_batch_set_id(batch, index);
  struct rtk_wanted wanted = batch->wanted;
  wanted.page = batch->page + 2;
  int rc = rtk_fetch_want(batch->fetch, &wanted, &entry, err);
  if (rc != SQLITE_OK) return rc;
  batch->pages[batch->page_count++] = (struct rtk_batch_page){index, entry};
  batch->page++;
  batch->pages_asked++;
  return SQLITE_OK;
}

static bool has_room_for_page(const struct rtk_batch *batch) {
  return batch->is_ahead && batch->list < batch->order_count &&
         (batch->growth == 0 ||
          batch->pages_asked < batch->growth * (batch->pages_out + 1)) &&
         rtk_fetch_has_room(batch->fetch);
}

/* Asks for the further pages of the lists whose first page is here. */
static int want_pages(struct rtk_batch *batch, struct rtk_err *err) {
  int rc = SQLITE_OK;
  while (rc == SQLITE_OK && has_room_for_page(batch)) {
    size_t index = batch->order[batch->list];
    bool is_known = false;
    int count = pages_after(batch, index, &is_known);
    if (!is_known) break;
    if (batch->page < count) {
      rc = want_page(batch, index, err);
    } else {
      batch->list++;
      batch->page = 0;
    }
  }
  return rc;
}

void rtk_batch_give_pages(struct rtk_batch *batch, size_t index,
                          struct rtk_pages *pages) {
  size_t left = 0;
  for (size_t i = 0; i < batch->page_count; i++) {
    if (batch->pages[i].index == index) {
      rtk_pages_take(pages, batch->pages[i].entry);
    } else {
      batch->pages[left++] = batch->pages[i];
    }
  }
  batch->page_count = left;
}

void rtk_batch_release_out(struct rtk_batch *batch) {
  if (batch->out != NULL) rtk_fetch_release(batch->fetch, batch->out);
  batch->out = NULL;
}

static int want_once(struct rtk_batch *batch, size_t index,
                     struct rtk_err *err) {
  struct rtk_entry *entry = batch->entries[index];
  return entry == NULL || entry == &passed ? want(batch, index, err)
                                           : SQLITE_OK;
}

/* Waits until `wanted`, which has been asked for, has its reply. */
static int wait_for(struct rtk_batch *batch, const struct rtk_entry *wanted,
                    struct rtk_err *err) {
  int rc = want_pages(batch, err);
  if (rc == SQLITE_OK) rc = want_ahead(batch, err);
  if (rc == SQLITE_OK && wanted->reply != NULL &&
      rtk_fetch_is_due(batch->fetch)) {
    rc = rtk_fetch_drive(batch->fetch, false, err);
  }
  while (rc == SQLITE_OK && wanted->reply == NULL) {
    rc = rtk_fetch_drive(batch->fetch, true, err);
    if (rc == SQLITE_OK) rc = want_pages(batch, err);
    if (rc == SQLITE_OK) rc = want_ahead(batch, err);
  }
  rtk_fetch_rest(batch->fetch);
  return rc;
}

/* Makes the entry of an id the one that is out. */
static int bring(struct rtk_batch *batch, size_t index,
                 struct rtk_entry **entry, struct rtk_err *err) {
  int rc = want_once(batch, index, err);
  if (rc != SQLITE_OK) return rc;
  struct rtk_entry *wanted = batch->entries[index];
  batch->due = index;
  batch->pages_out += batch->pages_of_out;
  batch->pages_of_out = 0;
  if (!batch->is_known_only) rc = wait_for(batch, wanted, err);
  if (rc != SQLITE_OK) return rc;
  if (wanted->reply != NULL) {
    batch->pages_of_out = (size_t)rtk_pages_after(wanted->reply);
  }
  batch->entries[index] = &passed;
  *entry = batch->out = wanted;
  return SQLITE_OK;
}

int rtk_batch_next(struct rtk_batch *batch, struct rtk_entry **entry,
                   size_t *index, struct rtk_err *err) {
  rtk_batch_release_out(batch);
  *entry = NULL;
  if (batch->turn == batch->ids.count) return SQLITE_OK;
  int rc = begin(batch);
  if (rc != SQLITE_OK) return rc;
  batch->is_ahead = true;
  *index = batch->turn++;
  return bring(batch, *index, entry, err);
}

int rtk_batch_get(struct rtk_batch *batch, size_t index,
                  struct rtk_entry **entry, struct rtk_err *err) {
  rtk_batch_release_out(batch);
  *entry = NULL;
  int rc = begin(batch);
  if (rc != SQLITE_OK) return rc;
  if (batch->turn == 0 || batch->ahead < index) batch->ahead = index;
  batch->is_ahead = batch->turn++ > 0 || batch->growth > 0;
  return bring(batch, index, entry, err);
}

int rtk_batch_ask(struct rtk_batch *batch, bool *is_known,
                  struct rtk_err *err) {
  int rc = begin(batch);
  if (rc == SQLITE_OK) rc = want_once(batch, batch->turn, err);
  if (rc == SQLITE_OK) *is_known = batch->entries[batch->turn]->reply != NULL;
  return rc;
}

void rtk_batch_take_out(struct rtk_batch *batch, struct rtk_batch *from) {
  rtk_batch_let_go(batch);
  batch->turn = batch->ids.count;
  batch->out = from->out;
  from->out = NULL;
}

void rtk_batch_let_go(struct rtk_batch *batch) {
  rtk_batch_release_out(batch);
  for (size_t i = 0; i < batch->begun; i++) {
    struct rtk_entry *entry = batch->entries[i];
    if (entry != NULL && entry != &passed) {
      rtk_fetch_release(batch->fetch, entry);
    }
  }
  for (size_t i = 0; i < batch->page_count; i++) {
    rtk_fetch_release(batch->fetch, batch->pages[i].entry);
  }
  batch->begun = batch->turn = batch->ahead = 0;
  batch->unasked = 0;
  batch->order_count = batch->list = batch->page_count = 0;
  batch->page = 0;
  batch->pages_asked = batch->pages_out = batch->pages_of_out = 0;
  batch->is_ahead = false;
}

void rtk_batch_clear(struct rtk_batch *batch) {
  rtk_batch_let_go(batch);
  rtk_ids_clear(&batch->ids);
}

void rtk_batch_deinit(struct rtk_batch *batch) {
  rtk_batch_clear(batch);
  sqlite3_free(batch->entries);
  sqlite3_free(batch->order);
  sqlite3_free(batch->pages);
  rtk_ids_deinit(&batch->ids);
  memset(batch, 0, sizeof(*batch));
}
