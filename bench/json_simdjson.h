/* json_simdjson.h - simdjson's DOM parser behind C functions, for json_bench.c and json_peers.c. */
#ifndef SOUK_BENCH_JSON_SIMDJSON_H
#define SOUK_BENCH_JSON_SIMDJSON_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Parses every event with one reused parser and reads its three fields; returns the sum of their
 * lengths, 0 after an error.  events[i] has bytes[i] bytes and 64 readable bytes behind. */
size_t bench_json_simdjson(const char *const *events, const size_t *bytes, size_t count);
/* The same of every event of {"batch":[...]} documents; a userId may be missing. */
size_t bench_json_simdjson_batches(const char *const *documents, const size_t *bytes, size_t count);
const char *bench_json_simdjson_version(void);

#ifdef __cplusplus
}
#endif

#endif
