/* An endpoint, its arguments and a page into one URL. */
#include "api/wanted.h"

#include "api/endpoint.h"

#include "check.h"

static const struct rtk_column columns[] = {
    {.name = "id"},
    {.name = "status", .argument = RTK_ARGUMENT_FILTER},
    {.name = "account",
     .kind = RTK_COLUMN_ARGUMENT,
     .argument = RTK_ARGUMENT_SCOPE},
    {.name = "shelf", .kind = RTK_COLUMN_ARGUMENT, .argument = RTK_ARGUMENT_ID},
    {.name = "since",
     .kind = RTK_COLUMN_ARGUMENT,
     .argument = RTK_ARGUMENT_FILTER},
};

#define COLUMNS(array) .columns = array, .column_count = (int)COUNT(array)

static const struct rtk_endpoint list = {.path = "a/{account}/shelves/{shelf}",
                                         .paging = {"paging"},
                                         COLUMNS(columns)};
static const struct rtk_endpoint one = {.path = "a/{account}/shelves/{shelf}/x",
                                        COLUMNS(columns)};
static const struct rtk_endpoint none = {
    .path = "weather", .columns = columns, .column_count = 1};

static struct rtk_text text_of(const char *text) {
  return (struct rtk_text){text, text == NULL ? 0 : strlen(text)};
}

CASE(what_an_endpoint_takes_is_looked_up) {
  static const struct {
    const char *name;
    const struct rtk_endpoint *endpoint;
    int count, path_count, scope, id, page;
  } cases[] = {
      {"list", &list, 4, 2, 0, 1, 1},
      {"one", &one, 4, 2, 0, 1, 0},
      {"none", &none, 0, 0, -1, -1, 0},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_wanted wanted;
    rtk_wanted_init(&wanted, cases[i].endpoint);
    check_int(cases[i].name, "count", wanted.count, cases[i].count);
    check_int(cases[i].name, "path_count", wanted.path_count,
              cases[i].path_count);
    check_int(cases[i].name, "scope", wanted.scope, cases[i].scope);
    check_int(cases[i].name, "id", wanted.id, cases[i].id);
    check_int(cases[i].name, "page", wanted.page, cases[i].page);
    check_int(cases[i].name, "bytes of the id that is shown",
              (int64_t)rtk_wanted_id(&wanted).size, 0);
  }
}

/* Arguments: account, shelf, status, since. */
CASE(a_url_has_what_was_given) {
  static const struct {
    const char *name;
    const struct rtk_endpoint *endpoint;
    const char *arguments[4];
    int page;
    const char *url;
    size_t scope_size;
  } cases[] = {
      {"first page",
       &list,
       {"A", "s/1"},
       1,
       "h/a/A/shelves/s%2F1?per_page=100&page_no=1",
       5},
      {"a later one",
       &list,
       {"A", "s"},
       12,
       "h/a/A/shelves/s?per_page=100&page_no=12",
       5},
      {"one filter",
       &list,
       {"A", "s", NULL, "x y"},
       2,
       "h/a/A/shelves/s?since=x%20y&per_page=100&page_no=2",
       5},
      {"both filters",
       &list,
       {"A", "s", "NEW", "?"},
       1,
       "h/a/A/shelves/s?status=NEW&since=%3F&per_page=100&page_no=1",
       5},
      {"no pages", &one, {"A&B", "s"}, 0, "h/a/A%26B/shelves/s/x", 9},
      {"no pages, a filter",
       &one,
       {"A", "s", "NEW"},
       0,
       "h/a/A/shelves/s/x?status=NEW",
       5},
      {"nothing", &none, {NULL}, 0, "h/weather", 0},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_wanted wanted;
    size_t scope_size = 99;
    rtk_wanted_init(&wanted, cases[i].endpoint);
    for (size_t k = 0; k < 4; k++) {
      wanted.arguments[k] = text_of(cases[i].arguments[k]);
    }
    wanted.page = cases[i].page;
    char *url = rtk_wanted_url(&wanted, "h", &scope_size);
    check_text(cases[i].name, "URL", url, cases[i].url);
    check_int(cases[i].name, "scope", (int64_t)scope_size,
              (int64_t)cases[i].scope_size);
    sqlite3_free(url);
  }
}

/* It is the URL that the row's own endpoint asks by. */
CASE(a_row_has_a_url_of_its_own) {
  static const char of_list[] = "h/a/A%26B/shelves/l1?per_page=100&page_no=1";
  struct rtk_wanted wanted;
  size_t scope_size = 0;
  char *url = rtk_wanted_url_of_row(&one, of_list, 9, text_of("s/1"));
  check_text("row", "URL", url, "h/a/A%26B/shelves/s%2F1/x");
  rtk_wanted_init(&wanted, &one);
  wanted.arguments[0] = text_of("A&B");
  wanted.arguments[1] = text_of("s/1");
  char *same = rtk_wanted_url(&wanted, "h", &scope_size);
  check_text("asked for", "URL", same, url);
  sqlite3_free(same);
  sqlite3_free(url);
}

static int make_both(void *arg) {
  size_t scope_size = 0;
  char *of_list = rtk_wanted_url(arg, "https://h/", &scope_size);
  if (of_list == NULL) return SQLITE_NOMEM;
  char *url = rtk_wanted_url_of_row(&one, of_list, scope_size, text_of("s"));
  sqlite3_free(of_list);
  if (url == NULL) return SQLITE_NOMEM;
  sqlite3_free(url);
  return SQLITE_OK;
}

CASE(no_memory_gives_no_url) {
  struct rtk_wanted wanted;
  rtk_wanted_init(&wanted, &list);
  for (size_t k = 0; k < 4; k++) wanted.arguments[k] = text_of("v");
  check_nomem("URLs", make_both, &wanted, false);
}

int main(void) { return check_run(); }
