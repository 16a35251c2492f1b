/* A call of an endpoint into its URL. */
#include "api/url.h"

#include "check.h"

static struct rtk_text text_of(const char *text) {
  return (struct rtk_text){text, text == NULL ? 0 : strlen(text)};
}

/* --- rtk_url_can_carry() -------------------------------------------------- */

CASE(some_texts_fit_no_segment) {
  static const struct {
    const char *name, *text;
    size_t size, max;
    bool expected;
  } cases[] = {
      {"normal", "cf55", 4, 32, true},
      {"one character", "a", 1, 32, true},
      {"empty", "", 0, 32, false},
      {"no text at all", NULL, 0, 32, false},
      {"one dot", ".", 1, 32, false},
      {"two dots", "..", 2, 32, false},
      {"three dots", "...", 3, 32, true},
      {"a dot before", ".a", 2, 32, true},
      {"a dot behind", "a.", 2, 32, true},
      {"dot, slash", "./", 2, 32, true},
      {"encoded dots, which get encoded again", "%2e%2e", 6, 32, true},
      {"slash", "a/b", 3, 32, true},
      {"white space", " ", 1, 32, true},
      {"NUL inside", "a\0b", 3, 32, false},
      {"NUL first", "\0ab", 3, 32, false},
      {"NUL last", "ab\0", 3, 32, false},
      {"NUL alone", "\0", 1, 32, false},
      {"NUL behind the end", "ab\0", 2, 32, true},
      {"at the limit", "abcd", 4, 4, true},
      {"over the limit", "abcde", 5, 4, false},
      {"bytes count, not characters", "\xC3\xA9\xC3\xA9", 4, 3, false},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_text text = {cases[i].text, cases[i].size};
    check_int(cases[i].name, "can be carried",
              rtk_url_can_carry(text, cases[i].max), cases[i].expected);
  }
}

/* --- rtk_call_url() ------------------------------------------------------- */

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

/* An endpoint of this path without filters, whose placeholders are as many ids. */
static const struct rtk_column ids[] = {
    {.name = "a", .kind = RTK_COLUMN_ARGUMENT},
    {.name = "b", .kind = RTK_COLUMN_ARGUMENT},
    {.name = "c", .kind = RTK_COLUMN_ARGUMENT},
};

static void begin(struct rtk_call *call, struct rtk_signature *signature,
                  const struct rtk_endpoint *endpoint) {
  rtk_endpoint_describe(endpoint, signature);
  rtk_call_init(call, signature);
}

CASE(a_path_is_filled_in) {
  static const struct {
    const char *name, *base, *path;
    const char *values[3];
    const char *expected;
  } cases[] = {
      {"normal",
       "https://x/v4",
       "accounts/{a}/kit/{b}/sessions/{c}",
       {"A", "B", "C"},
       "https://x/v4/accounts/A/kit/B/sessions/C"},
      {"no placeholder", "https://x", "a/b", {NULL}, "https://x/a/b"},
      {"empty path", "https://x", "", {NULL}, "https://x/"},
      {"empty base", "", "a", {NULL}, "/a"},
      {"base of slashes", "///", "a", {NULL}, "/a"},
      {"slash behind the base", "https://x/", "a", {NULL}, "https://x/a"},
      {"much behind the base",
       "https://x/ /\t//\r\n",
       "a",
       {NULL},
       "https://x/a"},
      {"empty value", "h", "a/{a}/c", {""}, "h/a//c"},
      {"text after the last one", "h", "a/{a}/c", {"v"}, "h/a/v/c"},
      {"two side by side", "h", "{a}{b}", {"v", "w"}, "h/vw"},
      {"the name does not matter", "h", "{}", {"v"}, "h/v"},
      {"braces in a value", "h", "{a}/{b}", {"{b}", "w"}, "h/%7Bb%7D/w"},
      {"slash", "h", "{a}", {"a/b"}, "h/a%2Fb"},
      {"dots", "h", "{a}", {"../x"}, "h/..%2Fx"},
      {"query and fragment", "h", "{a}", {"a?b#c&d=e"}, "h/a%3Fb%23c%26d%3De"},
      {"percent", "h", "{a}", {"%2F"}, "h/%252F"},
      {"space and plus", "h", "{a}", {"a b+c"}, "h/a%20b%2Bc"},
      {"line break", "h", "{a}", {"a\r\nHost: x"}, "h/a%0D%0AHost%3A%20x"},
      {"UTF-8", "h", "{a}", {"\xC3\xA9"}, "h/%C3%A9"},
      {"the unreserved ones", "h", "{a}", {"aZ09-._~"}, "h/aZ09-._~"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_endpoint endpoint = {.path = cases[i].path, .columns = ids};
    struct rtk_signature signature;
    struct rtk_call call;
    int count = 0;
    while (count < 3 && cases[i].values[count] != NULL) count++;
    endpoint.column_count = count;
    begin(&call, &signature, &endpoint);
    for (int k = 0; k < count; k++) {
      rtk_call_set(&call, k, text_of(cases[i].values[k]));
    }
    check_text(cases[i].name, "URL", rtk_call_url(&call, cases[i].base),
               cases[i].expected);
    rtk_call_deinit(&call);
  }
}

CASE(every_byte_is_encoded_as_rfc_3986_says) {
  static const char unreserved[] = "abcdefghijklmnopqrstuvwxyz"
                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789-._~";
  static const struct rtk_endpoint endpoint = {
      .path = "{a}", .columns = ids, .column_count = 1};
  struct rtk_signature signature;
  struct rtk_call call;
  begin(&call, &signature, &endpoint);
  for (int byte = 0; byte < 256; byte++) {
    char c = (char)byte;
    char expected[8];
    bool is_plain = byte != 0 && strchr(unreserved, c) != NULL;
    sqlite3_snprintf(sizeof(expected), expected, is_plain ? "/%c" : "/%%%02X",
                     byte);
    rtk_call_set(&call, 0, (struct rtk_text){&c, 1});
    check_text(expected, "URL", rtk_call_url(&call, ""), expected);
  }
  rtk_call_deinit(&call);
}

CASE(the_longest_values_fit) {
  static char long_value[3000];
  static const struct rtk_endpoint endpoint = {
      .path = "{a}{b}{c}", .columns = ids, .column_count = 3};
  struct rtk_signature signature;
  struct rtk_call call;
  memset(long_value, '/', sizeof(long_value));
  begin(&call, &signature, &endpoint);
  for (int i = 0; i < 3; i++) {
    rtk_call_set(&call, i, (struct rtk_text){long_value, sizeof(long_value)});
  }
  check_int("3 × 3000", "size", (int64_t)strlen(rtk_call_url(&call, "h")),
            2 + 9 * 3000);
  rtk_call_deinit(&call);
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
       {"A", "s", "NEW", "&=?#+ %\xC3\xA9"},
       1,
       "h/a/A/shelves/s?status=NEW&since=%26%3D%3F%23%2B%20%25%C3%A9"
       "&per_page=100&page_no=1",
       5},
      {"no pages", &one, {"A&B", "s"}, 0, "h/a/A%26B/shelves/s/x", 9},
      {"no pages, a filter",
       &one,
       {"A", "?", "NEW"},
       0,
       "h/a/A/shelves/%3F/x?status=NEW",
       5},
      {"an empty filter",
       &one,
       {"A", "s", ""},
       0,
       "h/a/A/shelves/s/x?status=",
       5},
      {"nothing", &none, {NULL}, 0, "h/weather", 0},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_signature signature;
    struct rtk_call call;
    begin(&call, &signature, cases[i].endpoint);
    for (int k = 0; k < signature.count; k++) {
      rtk_call_set(&call, k, text_of(cases[i].arguments[k]));
    }
    call.page = cases[i].page;
    check_text(cases[i].name, "URL", rtk_call_url(&call, "h"), cases[i].url);
    check_int(cases[i].name, "scope", (int64_t)call.scope_size,
              (int64_t)cases[i].scope_size);
    rtk_call_deinit(&call);
  }
}

/* One call for many: what is kept of the last URL is right for the next. */
CASE(a_call_is_used_again) {
  struct rtk_signature signature;
  struct rtk_call call;
  begin(&call, &signature, &list);
  rtk_call_set(&call, 0, text_of("A"));
  rtk_call_set(&call, 1, text_of("s"));
  check_text("first", "URL", rtk_call_url(&call, "h"),
             "h/a/A/shelves/s?per_page=100&page_no=1");
  rtk_call_set(&call, 1, text_of("longer/than before"));
  call.page = 20;
  check_text("id, page", "URL", rtk_call_url(&call, "h"),
             "h/a/A/shelves/longer%2Fthan%20before?per_page=100&page_no=20");
  rtk_call_set(&call, 0, text_of("BB"));
  check_text("account", "URL", rtk_call_url(&call, "h"),
             "h/a/BB/shelves/longer%2Fthan%20before?per_page=100&page_no=20");
  check_int("account", "scope", (int64_t)call.scope_size, 6);
  rtk_call_set(&call, 3, text_of("now"));
  rtk_call_set(&call, 1, text_of("s"));
  call.page = 1;
  check_text("filter, base", "URL", rtk_call_url(&call, "h/2/"),
             "h/2/a/BB/shelves/s?since=now&per_page=100&page_no=1");
  rtk_call_set(&call, 3, text_of(NULL));
  check_text("a shorter base", "URL", rtk_call_url(&call, "h"),
             "h/a/BB/shelves/s?per_page=100&page_no=1");
  check_text("another base", "URL", rtk_call_url(&call, "i"),
             "i/a/BB/shelves/s?per_page=100&page_no=1");
  rtk_call_deinit(&call);
}

/* It is the URL that the row's own endpoint is called by. */
CASE(a_row_has_a_url_of_its_own) {
  static const char of_list[] = "h/a/A%26B/shelves/l1?per_page=100&page_no=1";
  struct rtk_signature signature;
  struct rtk_call call;
  begin(&call, &signature, &one);
  check_int("scope", "taken", rtk_call_take_scope(&call, of_list, 9), 1);
  rtk_call_set(&call, 1, text_of("s/1"));
  check_text("row", "URL", rtk_call_url(&call, NULL),
             "h/a/A%26B/shelves/s%2F1/x");
  rtk_call_deinit(&call);
}

CASE(the_id_is_for_messages) {
  struct rtk_signature signature;
  struct rtk_call call;
  begin(&call, &signature, &one);
  check_int("not given", "bytes", (int64_t)rtk_call_id(&call).size, 0);
  rtk_call_set(&call, 1, text_of("s"));
  check_int("given", "bytes", (int64_t)rtk_call_id(&call).size, 1);
  begin(&call, &signature, &none);
  check_int("has none", "bytes", (int64_t)rtk_call_id(&call).size, 0);
}

/* --- memory ------------------------------------------------------------------ */

static int make_both(void *arg) {
  struct rtk_signature signature;
  struct rtk_call call;
  struct rtk_call row = {0};
  begin(&call, &signature, arg);
  for (int k = 0; k < signature.count; k++) {
    rtk_call_set(&call, k, text_of("v"));
  }
  const char *url = rtk_call_url(&call, "https://h/");
  int rc = url == NULL ? SQLITE_NOMEM : SQLITE_OK;
  if (rc == SQLITE_OK) {
    rtk_call_init(&row, &signature);
    bool is_taken = rtk_call_take_scope(&row, url, call.scope_size);
    rtk_call_set(&row, 1, text_of("s"));
    if (!is_taken || rtk_call_url(&row, NULL) == NULL) rc = SQLITE_NOMEM;
  }
  rtk_call_deinit(&row);
  rtk_call_deinit(&call);
  return rc;
}

CASE(no_memory_gives_no_url) {
  check_nomem("URLs", make_both, (void *)(uintptr_t)&list, false);
}

int main(void) { return check_run(); }
