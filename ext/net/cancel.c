/*
** Does the host want the running statement to stop?
**
** sqlite3_is_interrupted() came with 3.41.  Preparing any statement, even
** one of a single space, answers SQLITE_INTERRUPT on every version and costs
** 0.2 µs, so that is the one way used.
**
** While rtk waits for the network, the statement's own opcodes stand still,
** and with them the host's progress handler (how Python cancels).  So now
** and then a small statement is run for it.  Nothing stays prepared between
** two rounds: a host could not close its connection.
*/
#include "net/cancel.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/probe.h"

#include <stddef.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* A failure other than SQLITE_INTERRUPT (an authorizer that forbids it, no
** memory) does not count: it says nothing about wanting to stop. */
static bool progress_handler_stops(sqlite3 *db) {
  static const char steps[] =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n)"
      " SELECT i FROM n LIMIT 1 OFFSET " RTK_TEXT_OF(RTK_PROGRESS_STEPS);
  sqlite3_stmt *stmt = NULL;
  int rc = rtk_probe_prepare(db, steps, &stmt);
  if (rc == SQLITE_OK) rc = rtk_probe_step(stmt);
  (void)sqlite3_finalize(stmt);
  return rc == SQLITE_INTERRUPT;
}

bool rtk_cancel_asked(struct rtk_cancel *cancel) {
  int64_t now = rtk_clock_ms();
  if (now - cancel->checked_ms < RTK_CANCEL_CHECK_MS) return false;
  cancel->checked_ms = now;
  if (rtk_probe_end(cancel->db) == SQLITE_INTERRUPT) return true;
  if (now - cancel->progress_ms < RTK_PROGRESS_CHECK_MS) return false;
  cancel->progress_ms = now;
  return progress_handler_stops(cancel->db);
}
