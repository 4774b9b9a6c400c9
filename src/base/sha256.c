/* sha256.c - see sha256.h. */
#include "base/sha256.h"

#include <sodium.h>

_Static_assert(SOUK_SHA256_BYTES == crypto_hash_sha256_BYTES, "the size of a sum");

void souk_sha256(const souk_text *parts, size_t part_count,
                 unsigned char ret_sum[SOUK_SHA256_BYTES])
{
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    for (size_t i = 0; i < part_count; i++)
        crypto_hash_sha256_update(&state, (const unsigned char *)parts[i].at, parts[i].bytes);
    crypto_hash_sha256_final(&state, ret_sum);
}
