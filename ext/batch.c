/*
** Ids in, replies out in the same order.
**
** Only the number of requests under way and the memory of what waits for its
** turn bound how far ahead is asked: one slow reply does not hold up the
** others.
*/
#include "batch.h"

#include "fetch.h"
#include "memo.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

static struct rtk_entry **slot(const struct rtk_batch *batch, size_t index) {
  return &batch->entries[index & (batch->room - 1)];
}

static int make_room(struct rtk_batch *batch) {
  if (batch->wanted - batch->turn < batch->room) return SQLITE_OK;
  size_t room = batch->room == 0 ? 1 : batch->room * 2;
  struct rtk_entry **entries = sqlite3_malloc64(room * sizeof(*entries));
  if (entries == NULL) return SQLITE_NOMEM;
  for (size_t i = batch->turn; i < batch->wanted; i++) {
    entries[i & (room - 1)] = *slot(batch, i);
  }
  sqlite3_free(batch->entries);
  batch->entries = entries;
  batch->room = room;
  return SQLITE_OK;
}

static int want_next(struct rtk_batch *batch, struct rtk_err *err) {
  int rc = make_room(batch);
  if (rc != SQLITE_OK) return rc;
  batch->arguments[batch->argument_count - 1] =
      rtk_ids_text(&batch->ids, batch->wanted);
  struct rtk_entry *entry = NULL;
  rc = rtk_fetch_want(batch->fetch, batch->endpoint, batch->arguments,
                      batch->argument_count, &entry, err);
  if (rc != SQLITE_OK) return rc;
  *slot(batch, batch->wanted++) = entry;
  return SQLITE_OK;
}

/* The id whose turn it is, always; those after it while there is room. */
static int want_ahead(struct rtk_batch *batch, struct rtk_err *err) {
  int rc = SQLITE_OK;
  while (rc == SQLITE_OK && batch->wanted < batch->ids.count &&
         (batch->wanted == batch->turn || rtk_fetch_has_room(batch->fetch))) {
    rc = want_next(batch, err);
  }
  return rc;
}

static void release_out(struct rtk_batch *batch) {
  if (batch->out != NULL) rtk_fetch_release(batch->fetch, batch->out);
  batch->out = NULL;
}

int rtk_batch_next(struct rtk_batch *batch, struct rtk_entry **entry,
                   size_t *index, struct rtk_err *err) {
  release_out(batch);
  *entry = NULL;
  if (batch->turn == batch->ids.count) return SQLITE_OK;
  int rc = want_ahead(batch, err);
  if (rc != SQLITE_OK) return rc;
  struct rtk_entry *head = *slot(batch, batch->turn);
  if (head->reply != NULL && rtk_fetch_is_due(batch->fetch)) {
    rc = rtk_fetch_drive(batch->fetch, false, err);
  }
  while (rc == SQLITE_OK && head->reply == NULL) {
    rc = rtk_fetch_drive(batch->fetch, true, err);
    if (rc == SQLITE_OK) rc = want_ahead(batch, err);
  }
  if (rc != SQLITE_OK) return rc;
  *index = batch->turn++;
  *entry = batch->out = head;
  return SQLITE_OK;
}

void rtk_batch_clear(struct rtk_batch *batch) {
  release_out(batch);
  for (size_t i = batch->turn; i < batch->wanted; i++) {
    rtk_fetch_release(batch->fetch, *slot(batch, i));
  }
  batch->turn = batch->wanted = 0;
  rtk_ids_clear(&batch->ids);
}

void rtk_batch_deinit(struct rtk_batch *batch) {
  rtk_batch_clear(batch);
  sqlite3_free(batch->entries);
  rtk_ids_deinit(&batch->ids);
  memset(batch, 0, sizeof(*batch));
}
