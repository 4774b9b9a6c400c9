/* sha256.h - the plain hash that anybody can compute again: chains of receipts, files by their sum.
 *
 *     unsigned char sum[SOUK_SHA256_BYTES];
 *     souk_text parts[] = {label, before, text};
 *     souk_sha256(parts, 3, sum);                                 as if the parts stood together
 *
 * For what must not be computed by others there is hmac.h; for tables and identities hash.h is faster.
 *
 * Cost     about 4 ns a byte, a block of 64 at least
 * Source   FIPS 180-4, through libsodium
 * Threads  no state */
#ifndef SOUK_BASE_SHA256_H
#define SOUK_BASE_SHA256_H

#include "base/text.h"

enum { SOUK_SHA256_BYTES = 32 };

void souk_sha256(const souk_text *parts, size_t part_count,
                 unsigned char ret_sum[SOUK_SHA256_BYTES]);

#endif
