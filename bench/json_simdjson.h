/* json_simdjson.h - simdjson's DOM parser behind a C function, for bench/json_bench.c. */
#ifndef SOUK_BENCH_JSON_SIMDJSON_H
#define SOUK_BENCH_JSON_SIMDJSON_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Parses every event with one reused parser and reads its three fields; returns the sum of their
 * lengths, 0 after an error.  events[i] has bytes[i] bytes and 64 readable bytes behind. */
size_t bench_json_simdjson(const char *const *events, const size_t *bytes, size_t count);

#ifdef __cplusplus
}
#endif

#endif
