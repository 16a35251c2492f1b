/* What is asked for, and the URL of that. */
#include "api/wanted.h"

#include "api/endpoint.h"
#include "api/url.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

void rtk_wanted_init(struct rtk_wanted *wanted,
                     const struct rtk_endpoint *endpoint) {
  int column = 0;
  *wanted = (struct rtk_wanted){.endpoint = endpoint,
                                .path_count = rtk_endpoint_path_count(endpoint),
                                .scope = -1,
                                .id = rtk_endpoint_id(endpoint),
                                .page = endpoint->paging[0] == NULL ? 0 : 1};
  while ((column = rtk_endpoint_argument(endpoint, wanted->count)) >= 0) {
    if (endpoint->columns[column].argument == RTK_ARGUMENT_SCOPE) {
      wanted->scope = wanted->count;
    }
    wanted->count++;
  }
}

struct rtk_text rtk_wanted_id(const struct rtk_wanted *wanted) {
  return wanted->id < 0 ? (struct rtk_text){NULL, 0}
                        : wanted->arguments[wanted->id];
}

/* Takes the URL; gives NULL without memory. */
static char *add_number(char *url, const char *name, int number) {
  char digits[16];
  sqlite3_snprintf((int)sizeof(digits), digits, "%d", number);
  return rtk_url_add(url, name, (struct rtk_text){digits, strlen(digits)});
}

char *rtk_wanted_url(const struct rtk_wanted *wanted, const char *base,
                     size_t *scope_size) {
  const struct rtk_endpoint *endpoint = wanted->endpoint;
  size_t ends[RTK_INPUTS_MAX] = {0};
  char *url = rtk_url_make(base, endpoint->path, wanted->arguments,
                           (size_t)wanted->path_count, ends);
  *scope_size = wanted->scope < 0 ? 0 : ends[wanted->scope];
  for (int k = wanted->path_count; k < wanted->count; k++) {
    if (wanted->arguments[k].bytes == NULL) continue;
    int column = rtk_endpoint_argument(endpoint, k);
    url =
        rtk_url_add(url, endpoint->columns[column].name, wanted->arguments[k]);
  }
  if (wanted->page > 0) {
    url = add_number(url, "per_page", RTK_PER_PAGE);
    url = add_number(url, "page_no", wanted->page);
  }
  return url;
}

char *rtk_wanted_url_of_row(const struct rtk_endpoint *endpoint,
                            const char *list_url, size_t scope_size,
                            struct rtk_text id) {
  size_t end = 0;
  const char *rest = endpoint->path;
  for (int k = rtk_endpoint_id(endpoint); k > 0; k--) {
    rest = strchr(rest, '}') + 1; /* behind what the scope is made of */
  }
  char *scope = sqlite3_mprintf("%.*s", (int)scope_size, list_url);
  if (scope == NULL) return NULL;
  char *url = rtk_url_make(scope, rest + 1, &id, 1, &end);
  sqlite3_free(scope);
  return url;
}
