/*
** The rows of one table in a statement, scan by scan.
**
** The jobs that rows come from are, scan by scan:
**
**     id IN (…)             a window over the list; every id is read
**     id IN (l.a, l.b)      from the second list on: id by id, as the last
**     id = … AND id IN (…)  as the next, with a run at the first id.  Where no
**                           run can be made: a window over the list, which is
**                           copied once and kept from scan to scan
**     id = …                the window over the collected ids (prefetch.h), or
**                           one job
**     no id                 the same
**
** A list's first page is such a job; its other pages follow (pages.h).
*/
#include "sqlite/cursor.h"

#include "api/endpoint.h"
#include "api/reply.h"
#include "api/url.h"
#include "base/cells.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/strset.h"
#include "config/config.h"
#include "fetch/conn.h"
#include "fetch/fetch.h"
#include "fetch/job.h"
#include "fetch/pages.h"
#include "fetch/prefetch.h"
#include "fetch/window.h"
#include "sqlite/arguments.h"
#include "sqlite/plan.h"
#include "sqlite/table.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

struct cursor {
  sqlite3_vtab_cursor base; /* first: SQLite's view of it */
  struct rtk_conn *conn;
  const struct rtk_signature *signature;
  const struct rtk_endpoint *endpoint; /* of the signature */
  struct rtk_arguments arguments;
  struct rtk_scan scan;

  /* Where the scan's jobs come from. */
  struct rtk_strset ids;    /* of the IN list */
  struct rtk_window window; /* over them */
  size_t place;             /* of the next job, where the whole list is read */
  size_t scans;             /* that have begun */
  bool is_varying;        /* account, app or filters were not always the same */
  struct rtk_pages pages; /* of the current job's list */
  struct rtk_strset seen; /* the ids of that list's rows */

  /* The current row. */
  struct rtk_job *job;           /* held; NULL: the reply is `own` */
  struct rtk_reply *own;         /* a failure without a request; owned */
  const struct rtk_reply *reply; /* NULL at the end */
  struct rtk_text id; /* that was asked by: of the job, the list or `ids` */
  int row;            /* in the reply */
};

static struct rtk_call *call_of_id(void *user, size_t place) {
  struct cursor *cursor = user;
  struct rtk_call *call = &cursor->arguments.call;
  rtk_call_set(call, cursor->signature->id,
               rtk_strset_text(&cursor->ids, place));
  return call;
}

static struct cursor *cursor_of(sqlite3_vtab_cursor *base) {
  return (struct cursor *)(void *)base;
}

int rtk_cursor_open(sqlite3_vtab *vtab, sqlite3_vtab_cursor **out) {
  const struct rtk_table *table = rtk_table_of(vtab);
  struct rtk_conn *conn = table->module->conn;
  struct rtk_err err = {0};
  int rc = rtk_table_open(vtab, sizeof(struct cursor), out);
  if (rc != SQLITE_OK) return rc;
  struct cursor *made = cursor_of(*out);
  made->conn = conn;
  made->signature = &table->signature;
  made->endpoint = table->signature.endpoint;
  rtk_arguments_init(&made->arguments, conn, made->signature, vtab);
  made->window = (struct rtk_window){
      .fetch = conn->fetch, .call_at = call_of_id, .user = made};
  made->pages.fetch = conn->fetch;
  made->pages.is_known_only = made->arguments.is_collecting;
  rc = rtk_conn_open_cursor(conn);
  if (rc == SQLITE_OK) return rc;
  sqlite3_free(made);
  *out = NULL;
  return rtk_table_fail(vtab, rc, &err);
}

static void release_job(struct cursor *cursor) {
  if (cursor->job != NULL) rtk_fetch_release(cursor->conn->fetch, cursor->job);
  cursor->job = NULL;
}

static void clear_list(struct cursor *cursor) {
  rtk_window_clear(&cursor->window);
  rtk_strset_clear(&cursor->ids);
}

static void end_scan(struct cursor *cursor) {
  rtk_pages_end(&cursor->pages);
  release_job(cursor);
  rtk_reply_free(cursor->own);
  cursor->own = NULL;
  cursor->reply = NULL;
}

int rtk_cursor_close(sqlite3_vtab_cursor *base) {
  struct cursor *cursor = cursor_of(base);
  if (cursor->scans == 1 && cursor->scan.one != NULL && cursor->ids.count > 0) {
    rtk_prefetch_note_one_scan(cursor->conn->prefetch);
  }
  end_scan(cursor);
  rtk_pages_deinit(&cursor->pages);
  rtk_window_deinit(&cursor->window);
  rtk_strset_deinit(&cursor->ids);
  rtk_strset_deinit(&cursor->seen);
  rtk_arguments_deinit(&cursor->arguments);
  rtk_conn_close_cursor(cursor->conn);
  sqlite3_free(cursor);
  return SQLITE_OK;
}

/* --- replies -------------------------------------------------------------- */

static bool gives_error_rows(const struct cursor *cursor) {
  return strcmp(rtk_config_text(cursor->conn->config, RTK_ON_ERROR), "row") ==
         0;
}

/* Makes the reply's first row the current one, if it has any. */
static int enter_reply(struct cursor *cursor, const struct rtk_reply *reply,
                       struct rtk_err *err) {
  bool is_failure = reply->outcome == RTK_OUTCOME_FAILED ||
                    reply->outcome == RTK_OUTCOME_DENIED;
  bool is_row = is_failure && gives_error_rows(cursor);
  bool is_collecting = cursor->arguments.is_collecting;
  if (is_failure || reply->outcome == RTK_OUTCOME_CALLER) {
    struct rtk_err why = {.kind = reply->kind,
                          .http_status = reply->http_status,
                          .retry_unix_ms = reply->retry_unix_ms};
    if (is_row && !is_collecting) {
      rtk_stats_note_error(&cursor->conn->stats, &why);
    } else if (!is_row) {
      why.message = err->message;
      *err = why;
      return rtk_err_set(err, "%s", reply->error);
    }
  }
  if (is_row || reply->row_count > 0) {
    cursor->reply = reply;
    if (!is_collecting) {
      cursor->conn->stats.rows += is_row ? 1 : reply->row_count;
    }
  }
  cursor->row = 0;
  return SQLITE_OK;
}

/* Makes a failure without a request the current row, or the error.  Takes the
** message. */
static int enter_own(struct cursor *cursor, enum rtk_kind kind, char *message,
                     struct rtk_err *err) {
  struct rtk_reply draft = {
      .outcome = RTK_OUTCOME_FAILED, .error = message, .kind = kind};
  if (message == NULL) return SQLITE_NOMEM;
  rtk_reply_free(cursor->own);
  cursor->own = NULL;
  int rc = rtk_reply_of_error(&draft, &cursor->own);
  sqlite3_free(message);
  return rc == SQLITE_OK ? enter_reply(cursor, cursor->own, err) : rc;
}

/* Will all further pages be read, if there are any?  A filter may leave out
** rows that the total counts. */
static int look_at_pages(struct cursor *cursor, const struct rtk_reply *first) {
  struct rtk_pages *pages = &cursor->pages;
  pages->is_whole = false;
  if (pages->is_known_only || rtk_pages_count(first) < 3 ||
      rtk_arguments_have_filter(&cursor->arguments)) {
    return SQLITE_OK;
  }
  return rtk_prefetch_look(cursor->conn->prefetch, &pages->is_whole);
}

/* Makes a job with its reply the current one.  Of a list the other pages
** follow, and `outer` (NULL: none) goes on while they are waited for. */
static int enter_job(struct cursor *cursor, struct rtk_job *job,
                     struct rtk_window *outer, struct rtk_err *err) {
  int rc = SQLITE_OK;
  release_job(cursor);
  cursor->job = job;
  cursor->id = job->id;
  if (job->page > 0) {
    rtk_strset_clear(&cursor->seen);
    rc = look_at_pages(cursor, job->reply);
    if (rc != SQLITE_OK) return rc;
    rc = rtk_pages_begin(&cursor->pages, &cursor->arguments.call, job, outer);
    if (rc == SQLITE_OK) cursor->id = rtk_pages_id(&cursor->pages);
  }
  return rc == SQLITE_OK ? enter_reply(cursor, job->reply, err) : rc;
}

/* In the collecting run: a known reply, or a row without data for an unknown
** one, which is collected unless the cursor's own list has it. */
static int enter_known(struct cursor *cursor, bool is_listed,
                       struct rtk_err *err) {
  static const struct rtk_reply placeholder = {.outcome = RTK_OUTCOME_ROWS};
  struct rtk_call *call = &cursor->arguments.call;
  struct rtk_job *job = NULL;
  int rc = rtk_fetch_peek(cursor->conn->fetch, call, &job);
  if (rc != SQLITE_OK) return rc;
  if (job != NULL) return enter_job(cursor, job, NULL, err);
  cursor->reply = &placeholder;
  cursor->id = rtk_call_id(call);
  cursor->row = 0;
  return is_listed ? SQLITE_OK
                   : rtk_prefetch_collect(cursor->conn->prefetch, call);
}

static int enter_place(struct cursor *cursor, struct rtk_window *window,
                       size_t place, struct rtk_err *err) {
  struct rtk_job *job = NULL;
  int rc = rtk_window_get(window, place, &job, err);
  return rc == SQLITE_OK ? enter_job(cursor, job, window, err) : rc;
}

/* Makes the call's reply the current one, if the call was collected. */
static int enter_collected(struct cursor *cursor, bool *is_collected,
                           struct rtk_err *err) {
  struct rtk_prefetch *prefetch = cursor->conn->prefetch;
  size_t place = 0;
  int rc = rtk_prefetch_find(prefetch, &cursor->arguments.call, &place);
  *is_collected = rc == SQLITE_OK;
  if (rc == SQLITE_NOTFOUND) return SQLITE_OK;
  return rc == SQLITE_OK
             ? enter_place(cursor, rtk_prefetch_window(prefetch), place, err)
             : rc;
}

/* --- rows ----------------------------------------------------------------- */

static const struct rtk_value *data_of(const struct cursor *cursor,
                                       int column) {
  static const struct rtk_value none = {.type = RTK_NULL};
  const struct rtk_reply *reply = cursor->reply;
  int place = cursor->signature->place_of[column];
  if (reply->row_count == 0 || place < 0) return &none;
  return &reply->values[cursor->row * cursor->signature->data_count + place];
}

static void count_new(struct cursor *cursor) {
  cursor->pages.rows++;
  cursor->pages.page_rows++;
}

/* Has the current row been in the list before?  Such a row is passed over. */
static int is_repeat(struct cursor *cursor, bool *is) {
  const struct rtk_value *key = data_of(cursor, 0);
  struct rtk_text text = {key->as.text, key->size};
  char digits[32];
  bool is_new = true;
  *is = false;
  if (cursor->pages.count == 0 || cursor->reply->row_count == 0) {
    return SQLITE_OK;
  }
  if (key->type == RTK_INTEGER) {
    sqlite3_snprintf((int)sizeof(digits), digits, "%lld", key->as.integer);
    text = (struct rtk_text){digits, strlen(digits)};
  } else if (key->type != RTK_TEXT) {
    *is = cursor->pages.page.is_same;
    if (!*is) count_new(cursor);
    return SQLITE_OK;
  }
  int rc = rtk_strset_add_new(&cursor->seen, text, &is_new);
  if (is_new) count_new(cursor);
  *is = !is_new;
  return rc;
}

/* The list ended and not all of it has come.  With a filter the total may count
** what the filter leaves out (the reference does not say): that is only
** counted. */
static int end_list(struct cursor *cursor, enum rtk_pages_end end,
                    struct rtk_err *err) {
  const struct rtk_pages *pages = &cursor->pages;
  struct rtk_stats *stats = &cursor->conn->stats;
  char *message = NULL;
  if (end == RTK_PAGES_SHORT && rtk_arguments_have_filter(&cursor->arguments)) {
    stats->short_lists++;
    sqlite3_snprintf((int)sizeof(stats->last_short_list),
                     stats->last_short_list, "%s: %lld of %lld rows",
                     cursor->endpoint->name, (long long)pages->rows,
                     (long long)pages->total_count);
    return SQLITE_OK;
  }
  if (end == RTK_PAGES_WHOLE) return SQLITE_OK;
  if (end == RTK_PAGES_SHORT) {
    message =
        sqlite3_mprintf("%lld of %lld rows: the list ended before its"
                        " total_count; run the statement again, and report"
                        " it if it stays so",
                        (long long)pages->rows, (long long)pages->total_count);
  } else {
    message = sqlite3_mprintf("%lld rows, and there are more: a list ends after"
                              " %d pages; ask for less of it with a filter",
                              (long long)pages->rows, RTK_PAGES_MAX);
  }
  return enter_own(cursor, RTK_KIND_REPLY, message, err);
}

/* The next page of the current list, or its end. */
static int next_page(struct cursor *cursor, struct rtk_err *err) {
  struct rtk_job *page = NULL;
  enum rtk_pages_end end = RTK_PAGES_WHOLE;
  release_job(cursor);
  int rc = rtk_pages_next(&cursor->pages, &page, &end, err);
  if (rc != SQLITE_OK) return rc;
  cursor->job = page;
  if (page != NULL) return enter_reply(cursor, page->reply, err);
  rc = end_list(cursor, end, err);
  rtk_pages_end(&cursor->pages);
  return rc;
}

/* The next id of the list that the scan reads. */
static int next_id(struct cursor *cursor, struct rtk_err *err) {
  struct rtk_prefetch *prefetch = cursor->conn->prefetch;
  size_t place = cursor->place++;
  bool is_collected = false;
  if (cursor->scan.null_scope != NULL) {
    cursor->id = rtk_strset_text(&cursor->ids, place);
    return enter_reply(cursor, cursor->own, err);
  }
  (void)call_of_id(cursor, place);
  if (cursor->arguments.is_collecting) {
    return enter_known(cursor, !rtk_prefetch_has_lists(prefetch), err);
  }
  int rc = enter_collected(cursor, &is_collected, err);
  return rc == SQLITE_OK && !is_collected
             ? enter_place(cursor, &cursor->window, place, err)
             : rc;
}

/* The next reply: a page of the current list, or that of the next id. */
static int next_reply(struct cursor *cursor, bool *is_end,
                      struct rtk_err *err) {
  cursor->reply = NULL;
  if (cursor->pages.count > 0) {
    int rc = next_page(cursor, err);
    if (rc != SQLITE_OK || cursor->pages.count > 0) return rc;
    if (cursor->reply != NULL) return rc;
  }
  release_job(cursor);
  *is_end = cursor->place >= cursor->ids.count;
  return *is_end ? SQLITE_OK : next_id(cursor, err);
}

/* From the current row on to the first that has not been before, in this reply
** or those that follow; none at the end. */
static int find_row(struct cursor *cursor, struct rtk_err *err) {
  bool is_end = false;
  int rc = SQLITE_OK;
  while (rc == SQLITE_OK && !is_end) {
    bool is_over = true;
    while (is_over && cursor->reply != NULL) {
      int count = cursor->reply->row_count == 0 ? 1 : cursor->reply->row_count;
      if (cursor->row >= count) break;
      rc = is_repeat(cursor, &is_over);
      if (rc != SQLITE_OK || !is_over) return rc;
      cursor->row++;
    }
    rc = next_reply(cursor, &is_end, err);
  }
  return rc;
}

/* --- scans ---------------------------------------------------------------- */

/* The scan's list: its ids, which the window is over. */
static int take_list(struct cursor *cursor, struct rtk_err *err) {
  int rc = rtk_arguments_add_list(&cursor->arguments, cursor->scan.list,
                                  &cursor->ids, err);
  cursor->window.count = cursor->ids.count;
  if (!cursor->arguments.is_collecting) {
    rtk_fetch_expect(cursor->conn->fetch, cursor->ids.count);
  }
  return rc;
}

/* A list has been copied.  If one of its ids is neither known nor collected, it
** may be the time to collect: a further list may be one of many. */
static int collect_lists(struct cursor *cursor, struct rtk_err *err) {
  struct rtk_prefetch *prefetch = cursor->conn->prefetch;
  struct rtk_job *job = NULL;
  if (rtk_prefetch_is_first_list(prefetch)) return SQLITE_OK;
  for (size_t i = 0; i < cursor->ids.count; i++) {
    size_t place = 0;
    struct rtk_call *call = call_of_id(cursor, i);
    int rc = rtk_prefetch_find(prefetch, call, &place);
    if (rc != SQLITE_NOTFOUND) return rc;
    rc = rtk_fetch_peek(cursor->conn->fetch, call, &job);
    if (rc != SQLITE_OK) return rc;
    if (job == NULL) return rtk_prefetch_miss_list(prefetch, call, err);
    rtk_fetch_release(cursor->conn->fetch, job);
  }
  return SQLITE_OK;
}

static int begin_list(struct cursor *cursor, struct rtk_err *err) {
  clear_list(cursor);
  cursor->window.is_whole = true;
  int rc = take_list(cursor, err);
  if (rc == SQLITE_OK && !cursor->arguments.is_collecting) {
    rc = collect_lists(cursor, err);
  }
  cursor->place = 0;
  return rc == SQLITE_OK ? find_row(cursor, err) : rc;
}

/* A call that is neither known nor collected: it may be the time to collect.
** Otherwise the job is waited for. */
static int await_one(struct cursor *cursor, struct rtk_job *job,
                     struct rtk_err *err) {
  struct rtk_prefetch *prefetch = cursor->conn->prefetch;
  bool has_run = false;
  bool is_collected = false;
  int rc = SQLITE_OK;
  cursor->job = job; /* the cursor releases it, whatever happens */
  if (job->reply == NULL) {
    rc = rtk_prefetch_miss(prefetch, &cursor->arguments.call, &has_run, err);
  }
  if (rc == SQLITE_OK && has_run) {
    rc = enter_collected(cursor, &is_collected, err);
  }
  if (rc != SQLITE_OK || is_collected) return rc;
  rc = rtk_window_await(cursor->conn->fetch, rtk_prefetch_window(prefetch), job,
                        err);
  if (rc != SQLITE_OK) return rc;
  cursor->job = NULL;
  return enter_job(cursor, job, NULL, err);
}

/* The scan's one call. */
static int begin_one(struct cursor *cursor, struct rtk_err *err) {
  struct rtk_job *job = NULL;
  bool is_collected = false;
  if (cursor->arguments.is_collecting) return enter_known(cursor, false, err);
  int rc = enter_collected(cursor, &is_collected, err);
  if (rc != SQLITE_OK || is_collected) return rc;
  rc = rtk_fetch_request(cursor->conn->fetch, &cursor->arguments.call, 0, &job,
                         err);
  return rc == SQLITE_OK ? await_one(cursor, job, err) : rc;
}

/* The call, if it is known, was collected or can be collected now; else
** *is_begun is false. */
static int begin_collected(struct cursor *cursor, bool *is_begun,
                           struct rtk_err *err) {
  struct rtk_call *call = &cursor->arguments.call;
  struct rtk_job *job = NULL;
  bool has_run = false;
  int rc = enter_collected(cursor, is_begun, err);
  if (rc != SQLITE_OK || *is_begun || cursor->ids.count > 0) return rc;
  rc = rtk_fetch_peek(cursor->conn->fetch, call, &job);
  if (rc != SQLITE_OK) return rc;
  *is_begun = job != NULL;
  if (job != NULL) return enter_job(cursor, job, NULL, err);
  rc = rtk_prefetch_miss_listed(cursor->conn->prefetch, call, &has_run, err);
  return rc == SQLITE_OK && has_run ? enter_collected(cursor, is_begun, err)
                                    : rc;
}

/* Has this scan's own list the id?  Then the call is begun. */
static int begin_listed(struct cursor *cursor, struct rtk_text id,
                        struct rtk_err *err) {
  bool is_found = true;
  int rc = rtk_arguments_find(cursor->scan.list, id, &is_found, err);
  return rc == SQLITE_OK && is_found ? begin_one(cursor, err) : rc;
}

/* One id, which has to be in a list: SQLite checks that it is, but an id that
** is not in the list is not requested.  The ids are collected, as of any join.
** Where that cannot be, the list tells which ids come: the first scan copies
** it, unless cursors of this statement have one scan each.  If account or app
** vary, the list is not used: each id is requested under its own account and
** app.  If the list depends on an outer row, an id that is not in the copy may
** be in the list of this scan. */
static int begin_in_list(struct cursor *cursor, struct rtk_text id,
                         struct rtk_err *err) {
  bool is_collecting = cursor->arguments.is_collecting;
  bool is_begun = false;
  size_t place = 0;
  int rc = SQLITE_OK;
  if (cursor->is_varying) return begin_one(cursor, err);
  if (!is_collecting) rc = begin_collected(cursor, &is_begun, err);
  if (rc != SQLITE_OK || is_begun) return rc;
  if (cursor->ids.count == 0) {
    if (rtk_prefetch_has_one_scan(cursor->conn->prefetch)) {
      return begin_listed(cursor, id, err);
    }
    rc = take_list(cursor, err);
  }
  cursor->window.count = cursor->ids.count;
  if (rc == SQLITE_OK) rc = rtk_strset_find(&cursor->ids, id, &place);
  if (rc == SQLITE_NOTFOUND) return begin_listed(cursor, id, err);
  if (rc != SQLITE_OK) return rc;
  return is_collecting ? enter_known(cursor, false, err)
                       : enter_place(cursor, &cursor->window, place, err);
}

static int begin_id(struct cursor *cursor, struct rtk_err *err) {
  struct rtk_text id;
  bool is_usable = false;
  struct rtk_scan *scan = &cursor->scan;
  int rc =
      rtk_arguments_read_id(&cursor->arguments, scan->one, &id, &is_usable);
  if (rc != SQLITE_OK || !is_usable) return rc;
  rtk_call_set(&cursor->arguments.call, cursor->signature->id, id);
  return scan->list == NULL ? begin_one(cursor, err)
                            : begin_in_list(cursor, id, err);
}

/* The account or app is NULL, as a variable that was not set.  Each id that
** could be requested fails; the NULL id of an outer join has no row. */
static int begin_null_scope(struct cursor *cursor, struct rtk_err *err) {
  struct rtk_scan *scan = &cursor->scan;
  struct rtk_text id = {"", 0};
  bool is_usable = true;
  int rc = SQLITE_OK;
  clear_list(cursor);
  if (scan->one != NULL) {
    rc = rtk_arguments_read_id(&cursor->arguments, scan->one, &id, &is_usable);
  } else if (scan->list != NULL) {
    is_usable = false;
    rc = take_list(cursor, err);
  }
  if (rc == SQLITE_OK && is_usable) rc = rtk_strset_add(&cursor->ids, id);
  cursor->place = cursor->ids.count;
  if (rc != SQLITE_OK || cursor->ids.count == 0) return rc;
  cursor->place = 1;
  cursor->id = rtk_strset_text(&cursor->ids, 0);
  return enter_own(cursor, RTK_KIND_USAGE, rtk_arguments_explain_null(scan),
                   err);
}

/* Begins a scan at its first row. */
static int begin(struct cursor *cursor, int bits, sqlite3_value **argv,
                 struct rtk_err *err) {
  struct rtk_scan *scan = &cursor->scan;
  end_scan(cursor);
  cursor->place = SIZE_MAX; /* no list is read */
  int rc = rtk_arguments_read(&cursor->arguments, bits, argv, scan, err);
  if (rc != SQLITE_OK || scan->is_empty) return rc;
  if (scan->has_moved && cursor->scans > 0 && !cursor->is_varying) {
    clear_list(cursor);
    cursor->is_varying = true;
  }
  cursor->scans++;
  if (scan->null_scope != NULL) return begin_null_scope(cursor, err);
  if (scan->one == NULL && scan->list != NULL) return begin_list(cursor, err);
  rc = cursor->signature->id < 0 ? begin_one(cursor, err)
                                 : begin_id(cursor, err);
  return rc == SQLITE_OK ? find_row(cursor, err) : rc;
}

int rtk_cursor_filter(sqlite3_vtab_cursor *base, int bits, const char *words,
                      int argc, sqlite3_value **argv) {
  struct rtk_err err = {0};
  (void)words, (void)argc;
  int rc = begin(cursor_of(base), bits, argv, &err);
  return rc == SQLITE_OK ? rc : rtk_table_fail(base->pVtab, rc, &err);
}

int rtk_cursor_next(sqlite3_vtab_cursor *base) {
  struct cursor *cursor = cursor_of(base);
  struct rtk_err err = {0};
  cursor->row++;
  int rc = find_row(cursor, &err);
  return rc == SQLITE_OK ? rc : rtk_table_fail(base->pVtab, rc, &err);
}

int rtk_cursor_eof(sqlite3_vtab_cursor *base) {
  return cursor_of(base)->reply == NULL;
}

/* --- columns -------------------------------------------------------------- */

static void put_text(sqlite3_context *out, struct rtk_text text) {
  if (text.size == 0) return; /* NULL */
  sqlite3_result_text(out, text.bytes, (int)text.size, SQLITE_TRANSIENT);
}

/* A filter as it was given, its type included.  An id, account or app as the
** text that was requested: the columns are declared TEXT, and SQLite does not
** convert what such a column holds before it compares it with another. */
static void put_argument(sqlite3_context *out, const struct cursor *cursor,
                         int argument) {
  const struct rtk_arguments *arguments = &cursor->arguments;
  if (argument == cursor->signature->id) {
    put_text(out, cursor->id);
  } else if (arguments->given[argument] != NULL) {
    sqlite3_result_value(out, arguments->given[argument]);
  } else {
    put_text(out, arguments->call.arguments[argument]);
  }
}

/* A row with an error has no data, but where the query compares `id`, or a
** column that the server filters by, what was asked for is echoed: SQLite would
** drop the row otherwise, and the error with it. */
static void put_data(sqlite3_context *out, const struct cursor *cursor, int i) {
  const struct rtk_column *column = &cursor->endpoint->columns[i];
  const struct rtk_value *value = data_of(cursor, i);
  bool is_stand_in = (cursor->scan.bits & RTK_PLAN_STAND_IN) != 0;
  if (value->type != RTK_NULL) {
    rtk_cells_result(out, value);
  } else if ((is_stand_in && column->stands_for != NULL) ||
             (cursor->reply->row_count == 0 &&
              column->argument == RTK_ARGUMENT_FILTER)) {
    put_argument(out, cursor, cursor->signature->argument_of[i]);
  }
}

int rtk_cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *out, int i) {
  const struct cursor *cursor = cursor_of(base);
  const struct rtk_reply *reply = cursor->reply;
  switch (cursor->endpoint->columns[i].kind) {
  case RTK_COLUMN_DATA:
    put_data(out, cursor, i);
    break;
  case RTK_COLUMN_ARGUMENT:
    put_argument(out, cursor, cursor->signature->argument_of[i]);
    break;
  case RTK_COLUMN_ERROR:
    if (reply->error != NULL) {
      sqlite3_result_text(out, reply->error, -1, SQLITE_TRANSIENT);
    }
    break;
  case RTK_COLUMN_KIND:
    sqlite3_result_text(out, rtk_kind_word(reply->kind), -1, SQLITE_STATIC);
    break;
  case RTK_COLUMN_SURPLUS: /* NULL */
    break;
  case RTK_COLUMN_STATUS:
    if (reply->http_status != 0) sqlite3_result_int(out, reply->http_status);
    break;
  case RTK_COLUMN_RESPONSE: /* a list's body would come once for each row */
    if (cursor->endpoint->is_list) {
      put_data(out, cursor, cursor->endpoint->column_count - 1);
    } else {
      put_text(out, reply->body);
    }
    break;
  }
  bool is_over = cursor->arguments.is_collecting &&
                 rtk_prefetch_has_to_end(cursor->conn->prefetch);
  return is_over ? SQLITE_ABORT : SQLITE_OK;
}

static uint64_t add_text(uint64_t hash, struct rtk_text text) {
  uint64_t size = text.size;
  hash = rtk_hash_add(hash, &size, sizeof(size));
  return text.size == 0 ? hash : rtk_hash_add(hash, text.bytes, text.size);
}

static uint64_t add_value(uint64_t hash, const struct rtk_value *value) {
  hash = rtk_hash_add(hash, &value->type, sizeof(value->type));
  switch (value->type) {
  case RTK_NULL:
    break;
  case RTK_INTEGER:
    return rtk_hash_add(hash, &value->as.integer, sizeof(value->as.integer));
  case RTK_REAL:
    return rtk_hash_add(hash, &value->as.real, sizeof(value->as.real));
  case RTK_TEXT:
    return add_text(hash, (struct rtk_text){value->as.text, value->size});
  }
  return hash;
}

/* A row has the same rowid in every cursor, whatever the filters.  SQLite tells
** the rows of an OR apart by the rowid, and those of a RIGHT JOIN, which reads
** the table once with the terms of its ON and once without.  The rowid is a
** hash of the table, account, app, the ids of the path, and the row's own id.
** If the row has no id, of all its values: its place depends on the filter.  If
** the row only has an error, of its page. */
int rtk_cursor_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *rowid) {
  const struct cursor *cursor = cursor_of(base);
  const struct rtk_signature *signature = cursor->signature;
  const struct rtk_endpoint *endpoint = cursor->endpoint;
  uint64_t hash =
      rtk_hash_add(RTK_HASH_START, endpoint->name, strlen(endpoint->name));
  for (int k = 0; k < signature->path_count; k++) {
    hash = add_text(hash, k == signature->id
                              ? cursor->id
                              : cursor->arguments.call.arguments[k]);
  }
  if (endpoint->is_list && cursor->reply->row_count == 0) {
    hash = rtk_hash_add(hash, &cursor->pages.current,
                        sizeof(cursor->pages.current));
  } else if (endpoint->is_list) {
    bool is_named = data_of(cursor, 0)->type != RTK_NULL;
    int count = is_named ? 1 : endpoint->column_count;
    for (int i = 0; i < count; i++) hash = add_value(hash, data_of(cursor, i));
  }
  *rowid = (sqlite3_int64)(hash & INT64_MAX);
  return SQLITE_OK;
}
