/* How long a reply may be kept. */
#include "api/ttl.h"

#include "api/endpoint.h"
#include "api/reply.h"
#include "base/limits.h"

#include "check.h"

/* --- times ---------------------------------------------------------------- */

#define NONE INT64_MIN /* is not read */

CASE(times_are_read) {
  static const struct {
    const char *text;
    int64_t unix_s;
  } cases[] = {
      {"1970-01-01T00:00:00Z", 0},
      {"1970-01-01T00:00:00.000Z", 0},
      {"1969-12-31T23:59:59Z", -1},
      {"2023-07-15T07:08:39.000Z", 1689404919},
      {"2023-07-15T07:08:39.999Z", 1689404919},
      {"2023-07-15T07:08:39.123456789Z", 1689404919},
      {"2023-07-15T07:08:39.1Z", 1689404919},
      {"2000-02-29T00:00:00Z", 951782400},
      {"2000-03-01T00:00:00Z", 951868800},
      {"2024-02-28T23:59:59Z", 1709164799},
      {"2024-02-29T00:00:00Z", 1709164800},
      {"2024-03-01T00:00:00Z", 1709251200},
      {"2023-02-28T23:59:59Z", 1677628799},
      {"2023-03-01T00:00:00Z", 1677628800},
      {"2100-03-01T00:00:00Z", 4107542400},
      {"2016-12-31T23:59:60Z", 1483228800},
      {"2024-12-31T23:59:59Z", 1735689599},
      {"9999-12-31T23:59:59Z", 253402300799},
      {"0001-01-01T00:00:00Z", -62135596800},
      {"", NONE},
      {"Z", NONE},
      {"2023-07-15", NONE},
      {"2023-07-15T07:08:39", NONE},
      {"2023-07-15T07:08:39z", NONE},
      {"2023-07-15 07:08:39Z", NONE},
      {"2023-07-15T07:08Z", NONE},
      {"2023-07-15T07:08:39+00:00", NONE},
      {"2023-07-15T07:08:39.Z", NONE},
      {"2023-07-15T07:08:39,5Z", NONE},
      {"2023-07-15T07:08:39.5xZ", NONE},
      {"2023-07-15T07:08:39.5ZZ", NONE},
      {"2023-07-15T07:08:39 Z", NONE},
      {" 023-07-15T07:08:39Z", NONE},
      {"-023-07-15T07:08:39Z", NONE},
      {"12023-07-15T07:08:39Z", NONE},
      {"2023-00-15T07:08:39Z", NONE},
      {"2023-13-15T07:08:39Z", NONE},
      {"2023-07-00T07:08:39Z", NONE},
      {"2023-07-32T07:08:39Z", NONE},
      {"2023-07-15T24:08:39Z", NONE},
      {"2023-07-15T07:60:39Z", NONE},
      {"2023-07-15T07:08:61Z", NONE},
      {"null", NONE},
      {"1689404919", NONE},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    const char *text = cases[i].text;
    int64_t ms = 0;
    bool is_read = rtk_ttl_parse_time(text, (uint32_t)strlen(text), &ms);
    check_int(text, "is read", is_read, cases[i].unix_s != NONE);
    if (is_read) check_int(text, "ms", ms, cases[i].unix_s * 1000);
  }
}

/* What stands behind the text is not looked at. */
CASE(a_time_ends_with_its_size) {
  static const char text[] = "2023-07-15T07:08:39.000Z";
  int64_t ms = 0;
  for (uint32_t size = 0; size < sizeof(text) - 1; size++) {
    check_int("cut", "is read", rtk_ttl_parse_time(text, size, &ms), false);
  }
}

/* --- lives ---------------------------------------------------------------- */

static const struct rtk_column columns[] = {{.name = "id"}, {.name = "end"}};
static const struct rtk_endpoint endings = {
    .ended = "end", .columns = columns, .column_count = COUNT(columns)};
static const struct rtk_endpoint endless = {.columns = columns,
                                            .column_count = COUNT(columns)};

static const struct rtk_column link_columns[] = {
    {.name = "id"}, {.name = "end"}, {.name = "link", .is_link = true}};
static const struct rtk_endpoint with_link = {.ended = "end",
                                              .columns = link_columns,
                                              .column_count =
                                                  COUNT(link_columns)};

#define END_MS 1709164800000 /* 2024-02-29T00:00:00Z */
#define HOUR_MS 3600000

CASE(a_reply_has_a_life) {
  static const char time[] = "2024-02-29T00:00:00.000Z";
  static const struct {
    const char *name;
    enum rtk_outcome outcome;
    const struct rtk_endpoint *endpoint;
    int row_count;
    const char *end;
    int64_t now_ms;
    enum rtk_ttl_class life;
  } cases[] = {
      {"gone", RTK_OUTCOME_GONE, &endings, 0, NULL, 0, RTK_TTL_GONE},
      {"gone now", RTK_OUTCOME_GONE, &endless, 0, NULL, 0, RTK_TTL_LIVE},
      {"failed", RTK_OUTCOME_FAILED, &endings, 0, NULL, 0, RTK_TTL_NONE},
      {"denied", RTK_OUTCOME_DENIED, &endings, 0, NULL, 0, RTK_TTL_NONE},
      {"caller", RTK_OUTCOME_CALLER, &endings, 0, NULL, 0, RTK_TTL_NONE},
      {"a link", RTK_OUTCOME_ROWS, &with_link, 1, time, END_MS + 2 * HOUR_MS,
       RTK_TTL_NONE},
      {"no link", RTK_OUTCOME_GONE, &with_link, 0, NULL, 0, RTK_TTL_GONE},
      {"never ends", RTK_OUTCOME_ROWS, &endless, 1, time, END_MS + 2 * HOUR_MS,
       RTK_TTL_LIVE},
      {"no end yet", RTK_OUTCOME_ROWS, &endings, 1, NULL, END_MS + 2 * HOUR_MS,
       RTK_TTL_LIVE},
      {"nonsense", RTK_OUTCOME_ROWS, &endings, 1, "soon", END_MS + 2 * HOUR_MS,
       RTK_TTL_LIVE},
      {"no row", RTK_OUTCOME_ROWS, &endings, 0, time, END_MS + 2 * HOUR_MS,
       RTK_TTL_LIVE},
      {"two rows", RTK_OUTCOME_ROWS, &endings, 2, time, END_MS + 2 * HOUR_MS,
       RTK_TTL_LIVE},
      {"ends later", RTK_OUTCOME_ROWS, &endings, 1, time, END_MS - HOUR_MS,
       RTK_TTL_SETTLING},
      {"just ended", RTK_OUTCOME_ROWS, &endings, 1, time, END_MS,
       RTK_TTL_SETTLING},
      {"an hour ago", RTK_OUTCOME_ROWS, &endings, 1, time, END_MS + HOUR_MS,
       RTK_TTL_SETTLING},
      {"and a bit", RTK_OUTCOME_ROWS, &endings, 1, time, END_MS + HOUR_MS + 1,
       RTK_TTL_ENDED},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_value values[4] = {{.type = RTK_NULL}};
    for (int row = 0; row < 2 && cases[i].end != NULL; row++) {
      struct rtk_value *end = &values[row * 2 + 1];
      end->type = RTK_TEXT;
      end->as.text = cases[i].end;
      end->size = (uint32_t)strlen(cases[i].end);
    }
    struct rtk_reply reply = {.outcome = cases[i].outcome,
                              .row_count = cases[i].row_count,
                              .values = values};
    check_int(cases[i].name, "life",
              rtk_ttl_class_of(cases[i].endpoint, &reply, cases[i].now_ms),
              cases[i].life);
  }
}

/* Every endpoint names a column that it has. */
CASE(endpoints_end_by_a_column) {
  for (int i = 0; i < rtk_endpoint_count; i++) {
    const struct rtk_endpoint *endpoint = &rtk_endpoints[i];
    bool is_there = endpoint->ended == NULL;
    for (int k = 0; k < endpoint->column_count && !is_there; k++) {
      is_there = strcmp(endpoint->columns[k].name, endpoint->ended) == 0;
    }
    check_int(endpoint->name, "has its end", is_there, true);
  }
}

/* --- how long ------------------------------------------------------------- */

/* The settings' own are checked with them. */
#define DEFAULTS                                                               \
  { .live_ms = 5000, .ended_ms = 86400000 }

CASE(a_life_is_so_long) {
  static const struct {
    const char *name;
    struct rtk_ttl_times times;
    int64_t settling;
  } cases[] = {
      {"default", DEFAULTS, 60000},
      {"nothing is kept", {.live_ms = 0, .ended_ms = 0}, 0},
      {"less than a minute", {.live_ms = 100000, .ended_ms = 59000}, 59000},
      {"more than a minute", {.live_ms = 1000, .ended_ms = 61000}, 60000},
      {"a year", {.live_ms = 31536000000, .ended_ms = 31536000000}, 60000},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    const char *name = cases[i].name;
    struct rtk_ttl_times times = cases[i].times;
    check_int(name, "none", rtk_ttl_ms(times, RTK_TTL_NONE), 0);
    check_int(name, "live", rtk_ttl_ms(times, RTK_TTL_LIVE), times.live_ms);
    check_int(name, "settling", rtk_ttl_ms(times, RTK_TTL_SETTLING),
              cases[i].settling);
    check_int(name, "ended", rtk_ttl_ms(times, RTK_TTL_ENDED), times.ended_ms);
    check_int(name, "gone", rtk_ttl_ms(times, RTK_TTL_GONE), cases[i].settling);
    check_int(name, "unknown", rtk_ttl_ms(times, 99), 0);
    check_int(name, "negative", rtk_ttl_ms(times, -1), 0);
  }
}

CASE(it_is_fresh_until_then) {
  static const struct {
    const char *name;
    int life;
    int64_t age_ms;
    bool is_fresh;
  } cases[] = {
      {"ended, new", RTK_TTL_ENDED, 0, true},
      {"ended, last ms", RTK_TTL_ENDED, 86399999, true},
      {"ended, over", RTK_TTL_ENDED, 86400000, false},
      {"settling, last ms", RTK_TTL_SETTLING, 59999, true},
      {"settling, over", RTK_TTL_SETTLING, 60000, false},
      {"gone, last ms", RTK_TTL_GONE, 59999, true},
      {"gone, over", RTK_TTL_GONE, 60000, false},
      {"live, last ms", RTK_TTL_LIVE, 4999, true},
      {"live, over", RTK_TTL_LIVE, 5000, false},
      {"an error, new", RTK_TTL_NONE, 0, false},
      {"unknown, new", 99, 0, false},
      {"the clock was set back", RTK_TTL_ENDED, -1, false},
      {"by a year", RTK_TTL_ENDED, -31536000000, false},
  };
  static const struct rtk_ttl_times times = DEFAULTS;
  for (size_t i = 0; i < COUNT(cases); i++) {
    check_int(cases[i].name, "is fresh",
              rtk_ttl_is_fresh(times, cases[i].life, END_MS,
                               END_MS + cases[i].age_ms),
              cases[i].is_fresh);
  }
}

int main(void) { return check_run(); }
