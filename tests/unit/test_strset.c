/* Lists of texts. */
#include "base/strset.h"

#include "check.h"

CASE(ids_come_back_as_they_went_in) {
  static const struct {
    const char *name, *text;
    size_t size;
  } cases[] = {
      {"text", "cf55", 4},
      {"least integer", "-9223372036854775808", 20},
      {"greatest integer", "9223372036854775807", 19},
      {"zero", "0", 1},
      {"digits as text", "42", 2},
      {"followed by a digit", "5", 1},
      {"one byte", "x", 1},
      {"empty", "", 0},
      {"the kind's own letter", "i", 1},
      {"NUL inside", "a\0b", 3},
      {"part of a longer text", "abcdef", 3},
      {"UTF-8", "\xC3\xA9\xF0\x9F\x98\x80", 6},
  };
  struct rtk_strset set = {0};
  check_int("none", "count", (int64_t)set.count, 0);
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_text text = {cases[i].text, cases[i].size};
    check_int(cases[i].name, "add", rtk_strset_add(&set, text), SQLITE_OK);
  }
  check_int("all", "count", (int64_t)set.count, COUNT(cases));
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_text text = rtk_strset_text(&set, i);
    check_bytes(cases[i].name, "text", text.bytes, text.size, cases[i].text,
                cases[i].size);
  }
  rtk_strset_deinit(&set);
}

CASE(the_bytes_are_copied) {
  char own[] = "abc";
  struct rtk_strset set = {0};
  (void)rtk_strset_add(&set, (struct rtk_text){own, 3});
  memset(own, 'x', 3);
  struct rtk_text text = rtk_strset_text(&set, 0);
  check_bytes("copy", "text", text.bytes, text.size, "abc", 3);
  rtk_strset_deinit(&set);
}

/* 100,000 ids, as many as a cron job joins; sizes from 0 to 1023. */
CASE(a_long_list_grows) {
  static char bytes[1024];
  struct rtk_strset set = {0};
  size_t total = 0;
  for (size_t i = 0; i < 100000; i++) {
    size_t size = i % 1024;
    memset(bytes, (int)('a' + i % 26), size);
    int rc = rtk_strset_add(&set, (struct rtk_text){bytes, size});
    if (rc != SQLITE_OK) check_int("add", "result", rc, SQLITE_OK);
    total += size;
  }
  check_int("long list", "count", (int64_t)set.count, 100000);
  check_int("long list", "bytes of the texts", (int64_t)set.size,
            (int64_t)total);
  for (size_t i = 0; i < 100000; i++) {
    struct rtk_text text = rtk_strset_text(&set, i);
    bool is_right =
        text.size == i % 1024 &&
        (text.size == 0 || (text.bytes[0] == (char)('a' + i % 26) &&
                            text.bytes[text.size - 1] == (char)('a' + i % 26)));
    if (!is_right)
      check_int("long list", "index of a wrong id", (int64_t)i, -1);
  }
  rtk_strset_deinit(&set);
}

CASE(clearing_keeps_the_memory) {
  struct rtk_strset set = {0};
  rtk_strset_clear(&set); /* of one that has nothing yet */
  for (int i = 0; i < 200; i++) {
    (void)rtk_strset_add(&set, (struct rtk_text){"0123456789", 10});
  }
  const char *bytes = set.bytes;
  sqlite3_int64 used = sqlite3_memory_used();
  rtk_strset_clear(&set);
  check_int("clear", "count", (int64_t)set.count, 0);
  check_int("clear", "memory", sqlite3_memory_used(), used);
  (void)rtk_strset_add(&set, (struct rtk_text){"b", 1});
  check_int("add again", "same memory", set.bytes == bytes, true);
  struct rtk_text text = rtk_strset_text(&set, 0);
  check_bytes("add again", "text", text.bytes, text.size, "b", 1);
  rtk_strset_deinit(&set);
  check_int("deinit", "count", (int64_t)set.count, 0);
  (void)rtk_strset_add(&set, (struct rtk_text){"c", 1});
  check_int("add after deinit", "count", (int64_t)set.count, 1);
  rtk_strset_deinit(&set);
  rtk_strset_deinit(&set);
}

/* As the rows of a list's pages are told apart. */
/* 7 and '7' are two of a list, and one text: the first place is meant. */
CASE(the_first_of_two_is_found) {
  struct rtk_strset set = {0};
  size_t at = 77;
  for (int i = 0; i < 3; i++) {
    assert_int_equal(rtk_strset_add(&set, (struct rtk_text){"7", 1}),
                     SQLITE_OK);
  }
  check_int("7", "find", rtk_strset_find(&set, (struct rtk_text){"7", 1}, &at),
            SQLITE_OK);
  check_int("7", "place", (int64_t)at, 0);
  rtk_strset_deinit(&set);
}

CASE(a_set_has_each_text_once) {
  static const struct {
    const char *text;
    bool is_new;
  } cases[] = {{"a", true},  {"b", true},  {"a", false},
               {"", true},   {"", false},  {"A", true},
               {"ab", true}, {"b", false}, {"abc", true}};
  struct rtk_strset set = {0};
  size_t place = 99;
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_text text = {cases[i].text, strlen(cases[i].text)};
    bool is_new = !cases[i].is_new;
    check_int(cases[i].text, "add", rtk_strset_add_new(&set, text, &is_new),
              SQLITE_OK);
    check_int(cases[i].text, "is new", is_new, cases[i].is_new);
  }
  check_int("set", "count", (int64_t)set.count, 6);
  check_int("ab", "found",
            rtk_strset_find(&set, (struct rtk_text){"ab", 2}, &place),
            SQLITE_OK);
  check_int("ab", "place", (int64_t)place, 4);
  /* What is added plainly counts as well. */
  bool is_new = true;
  check_int("plain", "add", rtk_strset_add(&set, (struct rtk_text){"p", 1}),
            SQLITE_OK);
  check_int("plain", "add again",
            rtk_strset_add_new(&set, (struct rtk_text){"p", 1}, &is_new),
            SQLITE_OK);
  check_int("plain", "is new", is_new, false);
  rtk_strset_clear(&set);
  check_int("cleared", "add",
            rtk_strset_add_new(&set, (struct rtk_text){"a", 1}, &is_new),
            SQLITE_OK);
  check_int("cleared", "is new", is_new, true);
  rtk_strset_deinit(&set);
}

static int add_to_set(void *arg) {
  struct rtk_strset set = {0};
  int rc = SQLITE_OK;
  size_t added = 0;
  (void)arg;
  for (int i = 0; rc == SQLITE_OK && i < 2000; i++) {
    char text[16];
    bool is_new = false;
    sqlite3_snprintf((int)sizeof(text), text, "%d", i % 1000);
    rc = rtk_strset_add_new(&set, (struct rtk_text){text, strlen(text)},
                            &is_new);
    if (rc == SQLITE_OK && is_new != (i < 1000)) {
      check_int(text, "is new", is_new, i < 1000);
    }
    if (rc == SQLITE_OK && is_new) added++;
  }
  check_int("set", "count", (int64_t)set.count, (int64_t)added);
  rtk_strset_deinit(&set);
  return rc;
}

CASE(no_memory_leaves_a_set_as_it_was) {
  check_nomem("set", add_to_set, NULL, false);
}

/* What was in the list before an add that failed is still there. */
static int add_many(void *arg) {
  struct rtk_strset set = {0};
  int rc = SQLITE_OK;
  size_t added = 0;
  (void)arg;
  while (rc == SQLITE_OK && added < 500) {
    rc = rtk_strset_add(&set, (struct rtk_text){"0123456789", 10});
    if (rc == SQLITE_OK) added++;
  }
  check_int("after a failed add", "count", (int64_t)set.count, (int64_t)added);
  for (size_t i = 0; i < set.count; i++) {
    struct rtk_text text = rtk_strset_text(&set, i);
    check_bytes("after a failed add", "text", text.bytes, text.size,
                "0123456789", 10);
  }
  rtk_strset_deinit(&set);
  return rc;
}

CASE(no_memory_loses_no_id) { check_nomem("add", add_many, NULL, false); }

int main(void) { return check_run(); }
