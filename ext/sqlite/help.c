/*
** rtk_help's rows of the API's tables and of the files in sql/.
**
** An example has to run on any app, so it names no id: it takes one from the
** list that has them.  The names tell which: a `meeting_id`, or a
** `for_meeting_id`, is an id of `rtk_meetings`.
**
**     SELECT * FROM rtk_meeting
**      WHERE meeting_id IN (SELECT id FROM rtk_meetings LIMIT 1)
**
** Where there is no such list, the example asks for the id 'ID', which has no
** row.
*/
#include "sqlite/help.h"

#include "api/endpoint.h"
#include "base/cells.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Files, with the beginning of their first line (tests/generated compares). */
static const struct {
  const char *kind, *name, *doc;
} files[] = {
    {"report", "sql/reports/meeting_minutes.sql",
     "How many minutes did people meet, and the cost?"},
    {"report", "sql/reports/attendance.sql", "Who attended, and how long?"},
    {"report", "sql/reports/bad_calls.sql",
     "Which participants had a bad connection?"},
    {"report", "sql/reports/expiring_recordings.sql",
     "Which recordings are about to be deleted?"},
    {"report", "sql/reports/viewer_hours.sql",
     "How much did each customer watch, by month?"},
    {"report", "sql/reports/failed_sessions.sql",
     "Which livestream sessions failed, and why?"},
    {"report", "sql/reports/concurrency.sql",
     "How many livestream sessions ran at once?"},
    {"report", "sql/reports/unwatched.sql",
     "Which livestreams has nobody watched?"},
    {"report", "sql/reports/ingest_and_views.sql",
     "How much was ingested and watched, day by day?"},
    {"script", "sql/dashboard.sql", "Writes a dashboard: one HTML page"},
    {"script", "sql/views.sql", "Views over a whole app"},
    {"script", "sql/archive.sql", "Keeps an app's data in ordinary tables"},
    {"script", "sql/sync.sql",
     "Keeps an ordinary table of livestream sessions"},
};

void rtk_help_add(struct rtk_cells *cells, const char *kind, const char *name,
                  char *usage, const char *doc, char *example) {
  if (usage == NULL || example == NULL) cells->is_nomem = true;
  rtk_cells_text(cells, kind);
  rtk_cells_text(cells, name);
  rtk_cells_take(cells, usage);
  rtk_cells_text(cells, doc);
  rtk_cells_take(cells, example);
}

static const struct rtk_endpoint *find(const char *name) {
  for (int i = 0; i < rtk_endpoint_count; i++) {
    if (strcmp(rtk_endpoints[i].name, name) == 0) return &rtk_endpoints[i];
  }
  return NULL;
}

/* The list of the ids that a column takes: "for_meeting_id" → rtk_meetings. */
static const struct rtk_endpoint *list_of(const char *column) {
  char name[64];
  if (strncmp(column, "for_", 4) == 0) column += 4;
  int length = (int)strlen(column) - (int)strlen("_id");
  sqlite3_snprintf(sizeof(name), name, "rtk_%.*ss", length, column);
  return find(name);
}

static char *example_of(const struct rtk_endpoint *endpoint) {
  sqlite3_str *sql = sqlite3_str_new(NULL);
  const char *word = "WHERE";
  sqlite3_str_appendf(sql, "SELECT * FROM %s", endpoint->name);
  for (int k = 0; k < endpoint->column_count; k++) {
    const struct rtk_column *column = &endpoint->columns[k];
    if (column->kind != RTK_COLUMN_ARGUMENT) continue;
    if (column->argument != RTK_ARGUMENT_ID) continue;
    const struct rtk_endpoint *list = list_of(column->name);
    sqlite3_str_appendf(sql, " %s %s ", word, column->name);
    if (list != NULL) {
      sqlite3_str_appendf(sql, "IN (SELECT id FROM %s LIMIT 1)", list->name);
    } else {
      sqlite3_str_appendall(sql, "= 'ID'");
    }
    word = "AND";
  }
  if (strcmp(word, "WHERE") == 0) sqlite3_str_appendall(sql, " LIMIT 3");
  return sqlite3_str_finish(sql);
}

/* The call with its arguments. */
static char *usage_of(const struct rtk_endpoint *endpoint) {
  sqlite3_str *call = sqlite3_str_new(NULL);
  const char *before = "(";
  sqlite3_str_appendall(call, endpoint->name);
  for (int k = 0; k < endpoint->column_count; k++) {
    const struct rtk_column *column = &endpoint->columns[k];
    if (column->kind != RTK_COLUMN_ARGUMENT) continue;
    if (column->argument == RTK_ARGUMENT_FILTER) continue;
    sqlite3_str_appendf(call, "%s%s", before, column->name);
    before = ", ";
  }
  sqlite3_str_appendall(call, ")");
  return sqlite3_str_finish(call);
}

static int by_name(const void *a, const void *b) {
  const struct rtk_endpoint *const *left = a, *const *right = b;
  return strcmp((*left)->name, (*right)->name);
}

/* By name, so that what is about meetings stands together. */
void rtk_help_endpoints(struct rtk_cells *cells) {
  const struct rtk_endpoint *sorted[64] = {NULL};
  size_t count = 0;
  while (count < sizeof(sorted) / sizeof(*sorted) &&
         count < (size_t)rtk_endpoint_count) {
    sorted[count] = &rtk_endpoints[count];
    count++;
  }
  qsort(sorted, count, sizeof(*sorted), by_name);
  for (size_t i = 0; i < count; i++) {
    rtk_help_add(cells, "table", sorted[i]->name, usage_of(sorted[i]),
                 sorted[i]->doc, example_of(sorted[i]));
  }
}

void rtk_help_files(struct rtk_cells *cells) {
  for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
    rtk_help_add(cells, files[i].kind, files[i].name,
                 sqlite3_mprintf(".read %s", files[i].name), files[i].doc,
                 sqlite3_mprintf(".read %s", files[i].name));
  }
}
