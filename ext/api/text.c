/* The text behind a link as the body of a reply of the API. */
#include "api/text.h"

#include "api/csv.h"
#include "api/endpoint.h"
#include "api/json.h"
#include "base/value.h"
#include "net/http.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* The first byte that is not white space; 0: there is none. */
static char first_of(struct rtk_text file) {
  size_t i = 0;
  while (i < file.size && strchr(" \t\r\n", file.bytes[i]) != NULL) i++;
  return i < file.size ? file.bytes[i] : '\0';
}

/* JSON as it stands, once it is known to be whole: what is put around it has to
** stay around it. */
static int put_json(sqlite3_str *out, struct rtk_text file) {
  struct rtk_json *root = NULL;
  int rc = rtk_json_parse(file.bytes, file.size, &root);
  if (rc != SQLITE_OK) return rc;
  rtk_json_free(root);
  sqlite3_str_append(out, file.bytes, (int)file.size);
  return SQLITE_OK;
}

static int put_rows(sqlite3_str *out, const char *names, struct rtk_text file) {
  if (names != NULL) {
    char first = first_of(file);
    if (first == '[') return put_json(out, file);
    /* An object without rows that are known, or an error page in XML. */
    if (first == '{' || first == '<') return SQLITE_ERROR;
    return rtk_csv_put_json(out, names, file) ? SQLITE_OK : SQLITE_ERROR;
  }
  sqlite3_str_appendall(out, file.size > 0 ? "[{\"text\":\"" : "[");
  rtk_csv_put_escaped(out, file);
  sqlite3_str_appendall(out, file.size > 0 ? "\"}]" : "]");
  return SQLITE_OK;
}

int rtk_text_as_reply(const struct rtk_endpoint *endpoint,
                      const struct rtk_response *response, char **body) {
  struct rtk_text file = {response->body == NULL ? "" : response->body,
                          response->body_size};
  size_t bom = rtk_json_bom_size(file.bytes, file.size);
  file.bytes += bom;
  file.size -= bom;
  if (sqlite3_strnicmp(response->content_type, "text/html", 9) == 0) {
    return SQLITE_ERROR;
  }
  sqlite3_str *out = sqlite3_str_new(NULL);
  sqlite3_str_appendall(out, "{\"data\":{\"text\":");
  int rc = put_rows(out, endpoint->text_names, file);
  sqlite3_str_appendall(out, "}}");
  *body = sqlite3_str_finish(out);
  if (*body == NULL) return SQLITE_NOMEM;
  if (rc != SQLITE_OK) {
    sqlite3_free(*body);
    *body = NULL;
  }
  return rc;
}
