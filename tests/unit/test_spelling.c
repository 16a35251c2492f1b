/* What is a misspelling of a name, and what another name. */
#include "config/spelling.h"

#include "check.h"

CASE(near_is_what_was_meant) {
  static const struct {
    const char *word, *right;
    bool is_near;
  } cases[] = {
      {"TIMEOUT_MS", "TIMEOUT_MS", false},
      {"timeout_ms", "TIMEOUT_MS", true},
      {"TIMEOUT", "TIMEOUT_MS", true},
      {"TIMEOUT_S", "TIMEOUT_MS", true},
      {"TIMOUT_MS", "TIMEOUT_MS", true},
      {"TIMEOUTMS", "TIMEOUT_MS", true},
      {"TIEMOUT_MS", "TIMEOUT_MS", true},
      {"TMIEOUT_SM", "TIMEOUT_MS", true},
      {"XXIMEOUT_MS", "TIMEOUT_MS", true},
      {"XXXMEOUT_MS", "TIMEOUT_MS", false},
      {"TIMEOUT_SEC", "TIMEOUT_MS", true},
      {"TIMEOUT_HOURS", "TIMEOUT_MS", true},
      {"TIMEOUT_", "TIMEOUT_MS", true},
      {"CACHE_TTL_LIVE_MINUTES", "CACHE_TTL_LIVE_S", true},
      {"CONCURENCY", "CONCURRENCY", true},
      {"CONCURRENT", "CONCURRENCY", true},
      {"CACHE", "CACHE_FILE", true},
      {"cache", "CACHE_FILE", true},
      {"CACHE_DIR", "CACHE_FILE", false},
      {"CACHE_", "CACHE_FILE", false},
      {"CONNECT", "CONNECT_TIMEOUT_MS", false},
      {"QOUTA", "QUOTA", true},
      {"QUOTAS", "QUOTA", true},
      {"QUOTES", "QUOTA", true},
      {"QOUTE", "QUOTA", false},
      {"SO", "ON", false},
      {"APP", "APPS", false},
      {"", "QUOTA", false},
      {"QUOTA", "", false},
      {"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEG",
       true},
      {"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF",
       false},
      {"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG",
       false},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    check_int(cases[i].word, cases[i].right,
              rtk_spelling_is_near(cases[i].word, cases[i].right),
              cases[i].is_near);
  }
}

int main(void) { return check_run(); }
