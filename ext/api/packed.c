/* A reply with rows as bytes, and back. */
#include "api/packed.h"

#include "api/endpoint.h"
#include "api/reply.h"
#include "base/hash.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* In the machine's byte order: a file from another one has other sums. */
struct header {
  uint64_t sum;     /* of all bytes behind it */
  uint64_t columns; /* a hash of the endpoint's columns of data */
  int64_t total_count;
  uint32_t row_count;
  uint32_t body_size;
};

/* Nine bytes: more of them would cost more pages of the file. */
struct cell {
  unsigned char type;    /* enum rtk_type */
  unsigned char bits[8]; /* of the number; TEXT: where it begins, counted from
                            the body on, and its size, 32 bits each */
};

static uint64_t sum_of(const char *bytes, size_t size) {
  const size_t from = sizeof(uint64_t);
  return rtk_hash_add(RTK_HASH_START, bytes + from, size - from);
}

/* Of names, fields, types and places, and where the rows are.  *count: how many
** columns there are. */
static uint64_t hash_columns(const struct rtk_endpoint *endpoint,
                             size_t *count) {
  uint64_t hash = RTK_HASH_START;
  *count = 0;
  for (int i = 0; i < 2 && endpoint->rows[i] != NULL; i++) {
    hash = rtk_hash_add(hash, endpoint->rows[i], strlen(endpoint->rows[i]) + 1);
  }
  for (int i = 0; i < endpoint->column_count; i++) {
    const struct rtk_column *column = &endpoint->columns[i];
    if (column->kind != RTK_COLUMN_DATA) continue;
    hash = rtk_hash_add(hash, column->name, strlen(column->name));
    if (column->field != NULL) {
      hash = rtk_hash_add(hash, column->field, strlen(column->field) + 1);
    }
    hash = rtk_hash_add(hash, &column->type, sizeof(column->type));
    ++*count;
  }
  return hash;
}

static struct cell cell_of(const struct rtk_value *value, const char *texts) {
  struct cell cell = {.type = (unsigned char)value->type};
  uint32_t text[2] = {0, value->size};
  if (value->type == RTK_TEXT) {
    text[0] = (uint32_t)(value->as.text - texts);
    memcpy(cell.bits, text, sizeof(text));
  } else if (value->type != RTK_NULL) {
    memcpy(cell.bits, &value->as, sizeof(cell.bits));
  }
  return cell;
}

int rtk_packed_make(const struct rtk_endpoint *endpoint,
                    const struct rtk_reply *reply, struct rtk_text *packed) {
  struct rtk_text texts = rtk_reply_texts(reply);
  size_t data_count = 0;
  struct header header = {.columns = hash_columns(endpoint, &data_count),
                          .total_count = reply->total_count,
                          .row_count = (uint32_t)reply->row_count,
                          .body_size = (uint32_t)reply->body.size};
  size_t cells = header.row_count * data_count;
  size_t size = sizeof(header) + texts.size + cells * sizeof(struct cell);
  char *made = sqlite3_malloc64(size);
  if (made == NULL) return SQLITE_NOMEM;
  memcpy(made, &header, sizeof(header));
  if (texts.size > 0) memcpy(made + sizeof(header), texts.bytes, texts.size);
  char *end = made + sizeof(header) + texts.size;
  for (size_t i = 0; i < cells; i++, end += sizeof(struct cell)) {
    struct cell cell = cell_of(&reply->values[i], texts.bytes);
    memcpy(end, &cell, sizeof(cell));
  }
  header.sum = sum_of(made, size);
  memcpy(made, &header, sizeof(header));
  *packed = (struct rtk_text){made, size};
  return SQLITE_OK;
}

/* False: the cell is damaged. */
static bool read_cell(const char *from, struct rtk_text texts,
                      struct rtk_value *value) {
  struct cell cell;
  uint32_t text[2];
  memcpy(&cell, from, sizeof(cell));
  *value = (struct rtk_value){.type = (enum rtk_type)cell.type};
  memcpy(&value->as, cell.bits, sizeof(cell.bits));
  if (cell.type != RTK_TEXT) return cell.type < RTK_TEXT;
  memcpy(text, cell.bits, sizeof(text));
  value->size = text[1];
  value->as.text = texts.bytes + text[0];
  return text[0] <= texts.size && text[1] <= texts.size - text[0];
}

int rtk_packed_read(const struct rtk_endpoint *endpoint, int http_status,
                    struct rtk_text packed, struct rtk_text *body,
                    struct rtk_reply **reply) {
  struct header header;
  size_t data_count = 0;
  *reply = NULL;
  *body = packed;
  if (packed.size < sizeof(header)) return SQLITE_OK;
  memcpy(&header, packed.bytes, sizeof(header));
  size_t room = packed.size - sizeof(header);
  if (header.sum != sum_of(packed.bytes, packed.size) ||
      header.body_size > room) {
    return SQLITE_OK;
  }
  *body = (struct rtk_text){packed.bytes + sizeof(header), header.body_size};
  if (header.columns != hash_columns(endpoint, &data_count)) return SQLITE_OK;
  uint64_t cells = (uint64_t)header.row_count * data_count;
  if (cells > (room - header.body_size) / sizeof(struct cell)) return SQLITE_OK;
  size_t count = (size_t)cells;
  struct rtk_text texts = {body->bytes, room - count * sizeof(struct cell)};
  struct rtk_value *values = sqlite3_malloc64((count + 1) * sizeof(*values));
  if (values == NULL) return SQLITE_NOMEM;
  struct rtk_reply draft = {.http_status = http_status,
                            .row_count = (int)header.row_count,
                            .values = values,
                            .body = *body,
                            .total_count = header.total_count};
  const char *from = texts.bytes + texts.size;
  bool is_good = header.row_count <= INT32_MAX;
  for (size_t i = 0; i < count && is_good; i++, from += sizeof(struct cell)) {
    is_good = read_cell(from, texts, &values[i]);
  }
  int rc = is_good ? rtk_reply_of_values(&draft, count, reply) : SQLITE_OK;
  sqlite3_free(values);
  return rc;
}
