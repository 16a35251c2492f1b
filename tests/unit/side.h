/* One of several connections that share a budget, for its unit tests. */
#ifndef RTK_SIDE_H
#define RTK_SIDE_H

#include "base/err.h"
#include "config/config.h"
#include "disk/diskcache.h"
#include "quota/budget.h"

#include "check.h"

struct side {
  struct rtk_config *config;
  struct rtk_diskcache *disk;
  struct rtk_budget *budget;
};

/* A setting and its value. */
typedef const char *const side_setting[2];

/* `path`: of the cache file, or NULL. */
static void side_begin(struct side *side, side_setting *settings, size_t count,
                       const char *path, const char *base_url,
                       const char *token) {
  struct rtk_err err = {0};
  assert_int_equal(rtk_config_new(NULL, &side->config), SQLITE_OK);
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(
        rtk_config_set(side->config, settings[i][0], settings[i][1], &err),
        SQLITE_OK);
  }
  assert_int_equal(rtk_diskcache_new(NULL, &side->disk), SQLITE_OK);
  assert_int_equal(rtk_diskcache_use(side->disk, path), SQLITE_OK);
  assert_int_equal(rtk_budget_new(side->config, side->disk, &side->budget),
                   SQLITE_OK);
  assert_int_equal(rtk_budget_join(side->budget, base_url, token), SQLITE_OK);
}

static void side_end(struct side *side) {
  rtk_budget_free(side->budget);
  rtk_diskcache_free(side->disk);
  rtk_config_free(side->config);
}

#endif
