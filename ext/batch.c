/*
** Ids in, replies out.
**
** In the order of the list, only the number of requests under way and the
** memory of what waits for its turn bound how far ahead is asked: one slow
** reply does not hold up the others.  By id it is the same from the second on.
*/
#include "batch.h"

#include "fetch.h"
#include "memo.h"
#include "reply.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Stands in entries[] for an id whose turn has been. */
static struct rtk_entry passed;

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
  if (batch->entries[index] == NULL) batch->unasked--;
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
  int rc = want_ahead(batch, err);
  if (rc == SQLITE_OK && wanted->reply != NULL &&
      rtk_fetch_is_due(batch->fetch)) {
    rc = rtk_fetch_drive(batch->fetch, false, err);
  }
  while (rc == SQLITE_OK && wanted->reply == NULL) {
    rc = rtk_fetch_drive(batch->fetch, true, err);
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
  if (!batch->is_known_only) rc = wait_for(batch, wanted, err);
  if (rc != SQLITE_OK) return rc;
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
  batch->begun = batch->turn = batch->ahead = 0;
  batch->unasked = 0;
  batch->is_ahead = false;
}

void rtk_batch_clear(struct rtk_batch *batch) {
  rtk_batch_let_go(batch);
  rtk_ids_clear(&batch->ids);
}

void rtk_batch_deinit(struct rtk_batch *batch) {
  rtk_batch_clear(batch);
  sqlite3_free(batch->entries);
  rtk_ids_deinit(&batch->ids);
  memset(batch, 0, sizeof(*batch));
}
