/*
** The query of a URI to what a list is asked for: page, filters, order.
** Unknown parameters are passed over.
*/
#include "api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PER_PAGE_DEFAULT = 20, PER_PAGE_MAX = 1000 };

/* The decoded value of the parameter; false when it is absent or too long. */
static bool query_value(const char *query, const char *name, char *out,
                        size_t size) {
  const char *at = query;
  size_t name_len = strlen(name);
  while (*at != 0) {
    size_t len = strcspn(at, "&");
    if (len > name_len && strncmp(at, name, name_len) == 0 &&
        at[name_len] == '=') {
      size_t value_len = len - name_len - 1;
      if (value_len >= size) return false;
      out[percent_decode(out, at + name_len + 1, value_len)] = 0;
      return true;
    }
    at += len;
    if (*at == '&') at++;
  }
  return false;
}

/* timegm() is not in POSIX. */
static long days_since_1970(long year, long month, long day) {
  long era_days, day_of_year;
  if (month <= 2) year--; /* a year begins in March: the leap day ends it */
  era_days = year * 365 + year / 4 - year / 100 + year / 400;
  day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
  return era_days + day_of_year - 719468;
}

/* 2024-01-31, or with T10:11:12.013Z behind it; milliseconds out. */
static bool parse_time(const char *text, long *time_ms) {
  int year, month, day, hour = 0, minute = 0;
  double second = 0;
  int read = sscanf(text, "%4d-%2d-%2dT%2d:%2d:%lf", &year, &month, &day, &hour,
                    &minute, &second);
  if (read != 3 && read != 6) return false;
  *time_ms =
      ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60000 +
      (long)(second * 1000 + 0.5);
  return true;
}

static bool read_number(const char *query, const char *name, long max,
                        long *value) {
  char text[64];
  if (!query_value(query, name, text, sizeof text)) return true;
  return parse_count(text, max, value) && *value > 0;
}

static bool read_time(const char *query, const char *name, bool is_unix,
                      long *time_ms) {
  char text[64];
  if (!query_value(query, name, text, sizeof text)) return true;
  if (!is_unix) return parse_time(text, time_ms);
  if (!parse_count(text, 100000000000L, time_ms)) return false;
  *time_ms *= 1000;
  return true;
}

static bool read_flag(const char *query, const char *name) {
  char text[64];
  return query_value(query, name, text, sizeof text) &&
         strcmp(text, "true") == 0;
}

const char *query_read(const char *query, bool is_unix, struct ask *ask) {
  const struct {
    const char *name;
    char *out;
    size_t size;
  } texts[] = {{"status", ask->status, sizeof ask->status},
               {"sort_by", ask->sort_by, sizeof ask->sort_by},
               {"search", ask->search, sizeof ask->search},
               {"associated_id", ask->meeting, sizeof ask->meeting},
               {"meeting_id", ask->meeting, sizeof ask->meeting},
               {"filters", ask->filters, sizeof ask->filters},
               {"format", ask->format, sizeof ask->format}};
  char text[64];
  size_t i;
  const char *wrong = NULL;
  memset(ask, 0, sizeof *ask);
  ask->page_no = 1;
  ask->per_page = PER_PAGE_DEFAULT;
  ask->to_ms = INT64_MAX / 2;
  if (!read_number(query, "page_no", 1000000, &ask->page_no)) wrong = "page_no";
  if (!read_number(query, "per_page", PER_PAGE_MAX, &ask->per_page)) {
    wrong = "per_page";
  }
  if (!read_time(query, "start_time", is_unix, &ask->from_ms))
    wrong = "start_time";
  if (!read_time(query, "end_time", is_unix, &ask->to_ms)) wrong = "end_time";
  if (!read_time(query, "start_date", false, &ask->from_ms))
    wrong = "start_date";
  if (!read_time(query, "end_date", false, &ask->to_ms)) wrong = "end_date";
  for (i = 0; i < sizeof texts / sizeof *texts; i++) {
    query_value(query, texts[i].name, texts[i].out, texts[i].size);
  }
  ask->without_meetings = read_flag(query, "exclude_meetings");
  ask->has_peer_events = read_flag(query, "include_peer_events");
  ask->expired = -1;
  if (query_value(query, "expired", text, sizeof text)) {
    ask->expired = strcmp(text, "true") == 0;
  }
  ask->people_to = INT64_MAX;
  if (query_value(query, "participants", text, sizeof text) &&
      sscanf(text, "%ld:%ld", &ask->people_from, &ask->people_to) != 2) {
    wrong = "participants";
  }
  ask->has_order = query_value(query, "sort_order", text, sizeof text);
  ask->is_descending = ask->has_order && strcmp(text, "ASC") != 0;
  return wrong;
}
