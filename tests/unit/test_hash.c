/* The hash that keys in cache files are made with. */
#include "base/hash.h"

#include "check.h"

/* Fewer than eight bytes: FNV-1a's published values. */
CASE(published_values) {
  static const struct {
    const char *text;
    size_t size;
    uint64_t hash;
  } cases[] = {
      {"", 0, RTK_HASH_START},
      {"", 1, UINT64_C(0xaf63bd4c8601b7df)}, /* its end, too */
      {"a", 1, UINT64_C(0xaf63dc4c8601ec8c)},
      {"foobar", 6, UINT64_C(0x85944171f73967e8)},
      {"foobar", 7, UINT64_C(0x34531ca7168b8f38)},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    uint64_t hash = rtk_hash_add(RTK_HASH_START, cases[i].text, cases[i].size);
    check_int(cases[i].text, "hash", (int64_t)hash, (int64_t)cases[i].hash);
    hash = RTK_HASH_START;
    for (size_t at = 0; at < cases[i].size; at++) {
      hash = rtk_hash_add(hash, cases[i].text + at, 1);
    }
    check_int(cases[i].text, "hash in parts", (int64_t)hash,
              (int64_t)cases[i].hash);
  }
}

/* Two texts that differ in one bit have other hashes, in the upper and in the
** lower half, wherever the bit is. */
CASE(every_bit_counts) {
  char text[29] = "01234567abcdefgh01234567abcde";
  uint64_t hash = rtk_hash_add(RTK_HASH_START, text, sizeof(text));
  for (size_t bit = 0; bit < 8 * sizeof(text); bit++) {
    text[bit / 8] ^= (char)(1 << bit % 8);
    uint64_t other = rtk_hash_add(RTK_HASH_START, text, sizeof(text)) ^ hash;
    check_int("upper half", "differs", other >> 32 != 0, 1);
    check_int("lower half", "differs", (uint32_t)other != 0, 1);
    text[bit / 8] ^= (char)(1 << bit % 8);
  }
}

int main(void) { return check_run(); }
