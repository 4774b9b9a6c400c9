/* json_souk.h - our JSON reader behind a C function, for tests/json_simdjson.cc. */
#ifndef SOUK_TESTS_JSON_SOUK_H
#define SOUK_TESTS_JSON_SOUK_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Reads the text with our reader and tells what it holds in one line per value, order kept:
 *
 *     {2            an object of two members          k5:event      a key of 5 bytes
 *     [3            an array                          s3:abc        a string
 *     i-12          an integer in [-2^63, 2^64)       d3fe0...      a double, its bits
 *     t f n         true, false, null
 *
 * Returns the text, ended by NUL, in memory of its own which the next call reuses, its length in
 * *ret_bytes; NULL where the reader refuses.  *ret_huge: a number stands outside both ranges (told
 * as the line "huge"). */
const char *json_souk_tell(const char *text, size_t bytes, size_t *ret_bytes, int *ret_huge);
/* Chooses the n-th kernel that runs here; 0 where there is none. */
int json_souk_kernel(int n);

#ifdef __cplusplus
}
#endif

#endif
