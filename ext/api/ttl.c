/* The time to live of a reply. */
#include "api/ttl.h"

#include "api/endpoint.h"
#include "api/reply.h"
#include "base/number.h"
#include "base/value.h"

#include <stddef.h>
#include <string.h>

/* ms: a session that stopped longer ago has its final figures.  Those of a
** session that stopped within this time still settle: a published example was
** updated a minute after it stopped. */
#define RTK_SETTLED_AFTER_MS 3600000

/* ms: how long such a reply, and a "not found", is kept. */
#define RTK_SETTLING_KEPT_MS 60000

/* ms since 1970: 1971.  An earlier time is no time: some servers write zero so
** (0001-01-01, 1970-01-01). */
#define RTK_TIME_MIN_MS 31536000000

/* Days from 1970-01-01 in the Gregorian calendar, counted in years that begin
** in March. */
static int64_t days(int64_t year, int64_t month, int64_t day) {
  int64_t y = month > 2 ? year : year - 1;
  int64_t m = month > 2 ? month - 3 : month + 9;
  return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 -
         719468;
}

bool rtk_ttl_parse_time(const char *text, uint32_t size, int64_t *unix_ms) {
  static const char form[] = "0000-00-00T00:00:00.0";
  enum { WHOLE = 19, FRACTION = 21 }; /* bytes of the form without ".0", with */
  int64_t part[6] = {0};              /* year, month, day, hour … */
  if (size <= WHOLE || size == FRACTION || text[size - 1] != 'Z') return false;
  for (uint32_t i = 0; i + 1 < size; i++) {
    char wanted = i < FRACTION ? form[i] : '0';
    if (wanted == '0' ? !rtk_is_digit(text[i]) : text[i] != wanted) {
      return false;
    }
  }
  for (int i = 0; i < 6; i++, text++) part[i] = rtk_number_read(&text);
  int64_t year = part[0], month = part[1], day = part[2];
  int64_t hour = part[3], minute = part[4], second = part[5];
  if (month < 1 || month > 12 || day < 1 || day > 31) return false;
  if (hour > 23 || minute > 59 || second > 60) return false; /* 60: a leap */
  *unix_ms =
      (days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second) *
      1000;
  return true;
}

/* The time in a column of a row; false when there is none or a zero time.
** sql/sync.sql has the same rule. */
static bool read_time(const struct rtk_endpoint *endpoint,
                      const struct rtk_value *row, const char *name,
                      int64_t *unix_ms) {
  for (int i = 0; i < endpoint->column_count; i++) {
    const struct rtk_column *column = &endpoint->columns[i];
    if (column->kind != RTK_COLUMN_DATA) continue;
    if (strcmp(column->name, name) == 0) {
      return row->type == RTK_TEXT &&
             rtk_ttl_parse_time(row->as.text, row->size, unix_ms) &&
             *unix_ms >= RTK_TIME_MIN_MS;
    }
    row++;
  }
  return false;
}

static bool has_link(const struct rtk_endpoint *endpoint) {
  for (int i = 0; i < endpoint->column_count; i++) {
    if (endpoint->columns[i].is_link) return true;
  }
  return false;
}

enum rtk_ttl_class rtk_ttl_class_of(const struct rtk_endpoint *endpoint,
                                    const struct rtk_reply *reply,
                                    int64_t now_unix_ms) {
  int64_t ended_ms = 0;
  bool is_gone = reply->outcome == RTK_OUTCOME_GONE;
  if (is_gone) return endpoint->ended != NULL ? RTK_TTL_GONE : RTK_TTL_LIVE;
  if (reply->outcome != RTK_OUTCOME_ROWS || has_link(endpoint)) {
    return RTK_TTL_NONE;
  }
  if (endpoint->ended == NULL || reply->row_count != 1 ||
      !read_time(endpoint, reply->values, endpoint->ended, &ended_ms)) {
    return RTK_TTL_LIVE;
  }
  return now_unix_ms - ended_ms > RTK_SETTLED_AFTER_MS ? RTK_TTL_ENDED
                                                       : RTK_TTL_SETTLING;
}

int64_t rtk_ttl_ms(struct rtk_ttl_times times, int class) {
  int64_t settling = times.ended_ms < RTK_SETTLING_KEPT_MS
                         ? times.ended_ms
                         : RTK_SETTLING_KEPT_MS;
  switch (class) {
  case RTK_TTL_ENDED:
    return times.ended_ms;
  case RTK_TTL_SETTLING:
  case RTK_TTL_GONE:
    return settling;
  case RTK_TTL_LIVE:
    return times.live_ms;
  default:
    return 0;
  }
}

bool rtk_ttl_is_fresh(struct rtk_ttl_times times, int class,
                      int64_t fetched_unix_ms, int64_t now_unix_ms) {
  int64_t age_ms = now_unix_ms - fetched_unix_ms;
  return age_ms >= 0 && age_ms < rtk_ttl_ms(times, class);
}
