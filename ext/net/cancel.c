/*
** Does the host want the running statement to stop?
**
** sqlite3_is_interrupted() came with 3.41.  On every version preparing a
** statement, even a single space, gives SQLITE_INTERRUPT; it costs 0.2 µs.
**
** SQLite calls a progress handler (with which Python cancels) every n opcodes
** of a statement.  While rtk waits for the network the host's statement runs no
** opcodes.  So rtk runs a small statement now and then.  It does not stay
** prepared: the host could not close its connection.
*/
#include "net/cancel.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/probe.h"

#include <stddef.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* ms between two runs of the statement that lets a host's progress handler run,
** promised to be heard within 300 ms; and the length of that statement in steps
** of a recursive query, about 5,000 opcodes. */
#define RTK_PROGRESS_CHECK_MS 200
#define RTK_PROGRESS_STEPS 400

/* Failures other than SQLITE_INTERRUPT (an authorizer, no memory) do not mean
** that the host wants to stop. */
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
