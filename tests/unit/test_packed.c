/*
** Replies as bytes: they come back as they were, and nothing that can be wrong
** with the bytes does any harm.
*/
#include "api/packed.h"

#include "api/endpoint.h"
#include "api/json.h"
#include "api/reply.h"
#include "base/hash.h"

#include "check.h"

static const struct rtk_column columns[] = {
    {.name = "id"},
    {.name = "session_id", .kind = RTK_COLUMN_ARGUMENT},
    {.name = "seconds", .type = RTK_COLUMN_NUMERIC},
    {.name = "on", .type = RTK_COLUMN_INTEGER},
    {.name = "note", .is_hidden = true},
    {.name = "response", .kind = RTK_COLUMN_RESPONSE},
};

static const struct rtk_endpoint endpoint = {
    .name = "rtk_thing", .columns = columns, .column_count = COUNT(columns)};

#define TWO "[{\"id\":\"a\\n\",\"seconds\":\"7\",\"note\":{}},{\"on\":true}]"

static struct rtk_reply *reply_of(const char *json) {
  struct rtk_json *rows = NULL;
  struct rtk_reply *reply = NULL;
  struct rtk_text body = {json, strlen(json)};
  check_int(json, "JSON", rtk_json_parse(json, body.size, &rows), SQLITE_OK);
  (void)rtk_reply_of_rows(
      &endpoint, 200,
      &(struct rtk_reply_source){
          .rows = rows, .text = json, .body = body, .total_count = 25},
      &reply);
  rtk_json_free(rows);
  assert_non_null(reply);
  return reply;
}

/* The bytes of this reply, to be changed and freed. */
static char *pack(const char *json, size_t *size) {
  struct rtk_reply *reply = reply_of(json);
  struct rtk_text packed = {NULL, 0};
  int rc = rtk_packed_make(&endpoint, reply, &packed);
  check_int(json, "packed", rc, SQLITE_OK);
  rtk_reply_free(reply);
  *size = packed.size;
  return (char *)packed.bytes;
}

static void check_value(const char *name, const struct rtk_value *got,
                        const struct rtk_value *expected) {
  check_int(name, "type", got->type, expected->type);
  check_int(name, "size", got->size, expected->size);
  if (got->type != expected->type) return;
  if (got->type == RTK_INTEGER) {
    check_int(name, "integer", got->as.integer, expected->as.integer);
  } else if (got->type == RTK_REAL) {
    check_real(name, "real", got->as.real, expected->as.real);
  } else if (got->type == RTK_TEXT) {
    check_bytes(name, "text", got->as.text, got->size, expected->as.text,
                expected->size);
  }
}

CASE(a_reply_comes_back_as_it_was) {
  static const char *const cases[] = {
      "{}",
      "[]",
      TWO,
      "{\"id\":\"\",\"note\":null}",
      "{\"id\":\"a\",\"seconds\":1.5,\"on\":true,\"note\":{\"a\":[1, 2]}}",
      "{\"id\":\"\\ud83d\\ude00 \\\" \\u00e9\",\"seconds\":-7,\"on\":\"x\"}",
      "{\"id\":9007199254740993,\"seconds\":9007199254740991}",
      "{\"note\":\"cut \\ud83d\",\"id\":false,\"seconds\":\"1.50\"}",
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_reply *expected = reply_of(cases[i]);
    struct rtk_reply *reply = NULL;
    struct rtk_text body = {NULL, 0};
    size_t size = 0;
    char *bytes = pack(cases[i], &size);
    int rc = rtk_packed_read(&endpoint, 203, (struct rtk_text){bytes, size},
                             &body, &reply);
    memset(bytes, '?', size);
    sqlite3_free(bytes);
    check_int(cases[i], "result", rc, SQLITE_OK);
    assert_non_null(reply);
    check_int(cases[i], "outcome", reply->outcome, RTK_OUTCOME_ROWS);
    check_int(cases[i], "status", reply->http_status, 203);
    check_int(cases[i], "rows", reply->row_count, expected->row_count);
    check_int(cases[i], "total", reply->total_count, 25);
    check_int(cases[i], "memory", (int64_t)reply->size,
              (int64_t)expected->size);
    check_bytes(cases[i], "body", reply->body.bytes, reply->body.size, cases[i],
                strlen(cases[i]));
    for (int k = 0; k < reply->row_count * 4; k++) {
      check_value(cases[i], &reply->values[k], &expected->values[k]);
    }
    rtk_reply_free(reply);
    rtk_reply_free(expected);
  }
}

/* Nothing is read; what is to be judged instead begins at `from`. */
static void check_refused(const char *name, const struct rtk_endpoint *of,
                          const char *bytes, size_t size, const char *from,
                          size_t from_size) {
  struct rtk_reply *reply = NULL;
  struct rtk_text body = {NULL, 0};
  int rc =
      rtk_packed_read(of, 200, (struct rtk_text){bytes, size}, &body, &reply);
  check_int(name, "result", rc, SQLITE_OK);
  check_int(name, "a reply", reply != NULL, false);
  check_bytes(name, "body", body.bytes, body.size, from, from_size);
  rtk_reply_free(reply);
}

CASE(other_bytes_are_a_body) {
  static const char *const cases[] = {
      "", "{}", "{\"data\":{\"id\":\"a\",\"seconds\":1,\"on\":true}}"};
  for (size_t i = 0; i < COUNT(cases); i++) {
    size_t size = strlen(cases[i]);
    check_refused(cases[i], &endpoint, cases[i], size, cases[i], size);
  }
}

CASE(damage_is_found) {
  size_t size = 0;
  char *bytes = pack(TWO, &size);
  for (size_t i = 0; i < size; i++) {
    char name[40];
    (void)sqlite3_snprintf(sizeof(name), name, "byte %d", (int)i);
    bytes[i] ^= 0x10;
    check_refused(name, &endpoint, bytes, size, bytes, size);
    bytes[i] ^= 0x10;
    check_refused("cut", &endpoint, bytes, i, bytes, i);
  }
  sqlite3_free(bytes);
}

/* The columns of another version of rtk: the body is read again. */
CASE(cells_of_other_columns_are_not_used) {
  struct rtk_column other[COUNT(columns)];
  struct rtk_endpoint changed = endpoint;
  size_t size = 0;
  char *bytes = pack(TWO, &size);
  const char *body = strstr(bytes + 32, TWO);
  changed.columns = other;
  memcpy(other, columns, sizeof(columns));
  other[0].name = "id2";
  check_refused("name", &changed, bytes, size, body, strlen(TWO));
  other[0].name = "id";
  other[2].type = RTK_COLUMN_TEXT;
  check_refused("type", &changed, bytes, size, body, strlen(TWO));
  other[2].type = RTK_COLUMN_NUMERIC;
  changed.column_count--; /* none of data */
  other[4].kind = RTK_COLUMN_ARGUMENT;
  check_refused("one less", &changed, bytes, size, body, strlen(TWO));
  sqlite3_free(bytes);
}

/* Bytes that somebody made, with a sum that is right. */
CASE(nothing_is_followed_out_of_the_bytes) {
  enum { ROWS = 24, BODY_SIZE = 28 }; /* in the header */
  static const struct {
    const char *name;
    int at; /* below 0: of the last cell */
    uint32_t value;
    bool has_body;
  } cases[] = {
      {"rows", ROWS, UINT32_MAX, true},
      {"rows beyond the bytes", ROWS, 40, true},
      {"rows whose cells overlap the body", ROWS, 3, true},
      {"body", BODY_SIZE, UINT32_MAX, false},
      {"body beyond the bytes", BODY_SIZE, 300, false},
      {"body over the cells", BODY_SIZE, 90, true},
      {"type", -9, 0x04040404, true},
      {"begin", -8, UINT32_MAX, true},
      {"begin behind the texts", -8, 53, true},
      {"end behind the texts", -8, 52, true},
      {"size", -4, UINT32_MAX, true},
      {"size beyond the texts", -4, 70, true},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct rtk_reply *reply = NULL;
    struct rtk_text body = {NULL, 0};
    size_t size = 0;
    uint32_t one = 1;
    char *bytes = pack(TWO, &size);
    bytes[size - 9] = RTK_TEXT;
    memcpy(bytes + size - 4, &one, sizeof(one));
    char *at =
        cases[i].at < 0 ? bytes + size + cases[i].at : bytes + cases[i].at;
    memcpy(at, &cases[i].value, sizeof(cases[i].value));
    uint64_t sum = rtk_hash_add(RTK_HASH_START, bytes + 8, size - 8);
    memcpy(bytes, &sum, sizeof(sum));
    int rc = rtk_packed_read(&endpoint, 200, (struct rtk_text){bytes, size},
                             &body, &reply);
    check_int(cases[i].name, "result", rc, SQLITE_OK);
    check_int(cases[i].name, "a reply", reply != NULL, false);
    check_int(cases[i].name, "all bytes are judged", body.size == size,
              !cases[i].has_body);
    rtk_reply_free(reply);
    sqlite3_free(bytes);
  }
}

static int make_and_read(void *arg) {
  struct rtk_reply *reply = NULL;
  struct rtk_text packed = {NULL, 0};
  struct rtk_text body = {NULL, 0};
  int rc = rtk_packed_make(&endpoint, arg, &packed);
  if (rc == SQLITE_OK) {
    rc = rtk_packed_read(&endpoint, 200, packed, &body, &reply);
  }
  check_int("no memory", "reply is there", reply != NULL, rc == SQLITE_OK);
  rtk_reply_free(reply);
  sqlite3_free((char *)packed.bytes);
  return rc;
}

CASE(no_memory_gives_no_reply) {
  struct rtk_reply *reply = reply_of(TWO);
  check_nomem("packed", make_and_read, reply, false);
  rtk_reply_free(reply);
}

int main(void) { return check_run(); }
