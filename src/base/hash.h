/* hash.h - keyed hashes of what strangers send, a mix for numbers we trust, a checksum for blocks.
 *
 *     souk_hash_key key;
 *     souk_entropy(&key, sizeof key);                           random.h; or from the key file
 *     uint64_t slot = souk_hash64(&key, name.at, name.bytes);
 *     souk_text parts[] = {source, message_id};
 *     souk_hash128 identity = souk_hash128_of(&key, parts, 2);  ("ab","c") differs from ("a","bc")
 *
 *     uint32_t sum = souk_crc32c(0, block, block_bytes);
 *     sum = souk_crc32c(sum, more, more_bytes);                 as if the two stood together
 *
 * A table whose keys come from outside takes souk_hash64 (nobody can aim collisions without the
 * key); one of our own numbers takes souk_mix64.  128 bits are for identities that must not repeat:
 * among 10^12 of them the chance of any two alike is about 10^-15.  Ledgers and files store these
 * hashes: they never change.
 *
 * Shape    of the list of parts each gives its length, 8 bytes little end first, then its bytes, or
 *          where these are more than SOUK_HASH_INLINE_BYTES their own 128-bit hash; so a list has
 *          one reading only
 * Cost     hash128_of: one SipHash and one more for each long part; crc32c: 8 bytes in 3 cycles
 *          with SSE4.2, one byte in 3 from tables; nothing allocates
 * Source   SipHash-2-4: Aumasson, Bernstein, INDOCRYPT 2012, through libsodium; mix64: variant 13
 *          of D. Stafford, "Better bit mixing", 2011; CRC-32C: RFC 3720 appendix B.4
 * Threads  no state; the code for the CRC is chosen before main */
#ifndef SOUK_BASE_HASH_H
#define SOUK_BASE_HASH_H

#include "base/text.h"

enum { SOUK_HASH_PARTS = 8, SOUK_HASH_INLINE_BYTES = 64 };

typedef struct souk_hash_key {
    unsigned char bytes[16];
} souk_hash_key;

/* Stored as low, then high, both little end first. */
typedef struct souk_hash128 {
    uint64_t low, high;
} souk_hash128;

uint64_t souk_hash64(const souk_hash_key *key, const void *from, size_t bytes);
/* Of a list of at most SOUK_HASH_PARTS parts. */
souk_hash128 souk_hash128_of(const souk_hash_key *key, const souk_text *parts, size_t part_count);

static inline bool souk_hash128_equal(souk_hash128 a, souk_hash128 b)
{
    return ((a.low ^ b.low) | (a.high ^ b.high)) == 0;
}
/* As numbers, high half first; the order of sorted files. */
static inline int souk_hash128_compare(souk_hash128 a, souk_hash128 b)
{
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    return (a.low > b.low) - (a.low < b.low);
}

/* A bijection that spreads every input bit over all output bits; unkeyed. */
static inline uint64_t souk_mix64(uint64_t number)
{
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9u;
    number = (number ^ (number >> 27)) * 0x94d049bb133111ebu;
    return number ^ (number >> 31);
}

/* The checksum of iSCSI and ext4; before is 0, or the sum of the bytes that stood before. */
uint32_t souk_crc32c(uint32_t before, const void *from, size_t bytes);
/* The same from tables on any machine: what souk_crc32c does without SSE4.2, here for the tests. */
uint32_t souk_crc32c_portable(uint32_t before, const void *from, size_t bytes);

#endif
