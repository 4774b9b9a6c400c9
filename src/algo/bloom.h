/* bloom.h - have I perhaps seen this key?  One cache line a question, "no" is certain.
 *
 *     size_t bytes = souk_bloom_bytes(key_count, 12);
 *     souk_bloom filter = souk_bloom_over(memory, bytes);     64-aligned, zeroed: an empty filter
 *     souk_bloom_add(&filter, key);
 *     if (souk_bloom_maybe(&filter, key)) look_it_up(key);
 *
 * A blocked filter: a key owns one block of 512 bits and sets SOUK_BLOOM_PROBES bits in it.  Blocks
 * are ordered as keys are: the block is the key's high bits, scaled.  Sorted keys therefore fill a
 * filter from front to back, and a file's filter can be written as a stream, one block at a time.
 *
 * Keys     uint64_t that are hashes already, uniform in all 64 bits; mix other numbers first
 * Bytes    the caller's: an array, or a mapped file; the same on every machine (little endian)
 * Error    false "maybe", measured over 2 M and 32 M keys: 2.4 % at 8 bits a key, 0.96 % at 10,
 *          0.44 % at 12, 0.13 % at 16
 * Cost     one cache line a key; the batch has 32 lines under way at a time
 * Source   Putze, Sanders, Singler, "Cache-, hash- and space-efficient Bloom filters", WEA 2007
 * Threads  readers beside no writer */
#ifndef SOUK_ALGO_BLOOM_H
#define SOUK_ALGO_BLOOM_H

#include "base/err.h"

enum { SOUK_BLOOM_BLOCK = 64, SOUK_BLOOM_PROBES = 6 };

typedef struct souk_bloom {
    uint64_t *words; /* [block_count][8] */
    uint64_t block_count;
} souk_bloom;

/* Bytes for so many keys, whole blocks, at least one; bits_per_key in [1, 64].  0: does not fit. */
size_t souk_bloom_bytes(uint64_t key_count, unsigned bits_per_key);
/* A filter over `bytes` (a positive multiple of 64) at an address that is a multiple of 8, better
 * of 64.  The memory stays the caller's. */
souk_bloom souk_bloom_over(void *at, size_t bytes);

/* Which block the key owns; never decreases from a key to a greater one. */
static inline uint64_t souk_bloom_block(uint64_t key, uint64_t block_count)
{
    __extension__ typedef unsigned __int128 wide;
    return (uint64_t)(((wide)key * block_count) >> 64);
}
/* Sets the key's bits in its block. */
void souk_bloom_add_to(uint64_t block[8], uint64_t key);
void souk_bloom_add(souk_bloom *filter, uint64_t key);

/* false: certainly not added. */
bool souk_bloom_maybe(const souk_bloom *filter, uint64_t key);
/* The same for keys[count]; ret_maybe[count] is 1 or 0.  Returns how many are 1. */
size_t souk_bloom_maybe_batch(const souk_bloom *filter, const uint64_t *keys, size_t count,
                              uint8_t *ret_maybe);

#endif
