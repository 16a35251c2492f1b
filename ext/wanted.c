/* What is asked for, and the URL of that. */
#include "wanted.h"

#include "endpoint.h"
#include "url.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

struct rtk_text rtk_wanted_id(const struct rtk_wanted *wanted) {
  int id = rtk_endpoint_id(wanted->endpoint);
  return id < 0 ? (struct rtk_text){NULL, 0} : wanted->arguments[id];
}

static size_t scope_size_of(const struct rtk_endpoint *endpoint,
                            const size_t *ends, int count) {
  size_t size = 0;
  for (int k = 0; k < count; k++) {
    int column = rtk_endpoint_argument(endpoint, k);
    if (endpoint->columns[column].argument == RTK_ARGUMENT_SCOPE) {
      size = ends[k];
    }
  }
  return size;
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
  int count = rtk_endpoint_path_count(endpoint);
  char *url = rtk_url_make(base, endpoint->path, wanted->arguments,
                           (size_t)count, ends);
  *scope_size = scope_size_of(endpoint, ends, count);
  for (int k = count; rtk_endpoint_argument(endpoint, k) >= 0; k++) {
    const char *name =
        endpoint->columns[rtk_endpoint_argument(endpoint, k)].name;
    if (wanted->arguments[k].bytes == NULL) continue;
    url = rtk_url_add(url, name, wanted->arguments[k]);
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
