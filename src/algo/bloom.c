/* bloom.c - blocks of eight words; a key's bits are six numbers of nine bits cut from one product.
 *
 * The block comes from the key's high bits, so the bits inside it must not: keys of one block have
 * the same high bits.  Two multiplications spread the low bits over the word first. */
#include "algo/bloom.h"

enum { WORDS = SOUK_BLOOM_BLOCK / 8, AHEAD = 32 };

size_t souk_bloom_bytes(uint64_t key_count, unsigned bits_per_key)
{
    souk_assert(bits_per_key >= 1 && bits_per_key <= 64);
    if (key_count > SIZE_MAX / 64 - 1024)
        return 0;
    uint64_t blocks = (key_count * bits_per_key + 511) / 512;
    return (size_t)(blocks ? blocks : 1) * SOUK_BLOOM_BLOCK;
}

souk_bloom souk_bloom_over(void *at, size_t bytes)
{
    souk_assert(bytes >= SOUK_BLOOM_BLOCK && bytes % SOUK_BLOOM_BLOCK == 0);
    souk_assert((uintptr_t)at % sizeof(uint64_t) == 0);
    return (souk_bloom){at, bytes / SOUK_BLOOM_BLOCK};
}

/* Multipliers with bits spread evenly: the fractions of the golden ratio and of sqrt(2), odd. */
static inline uint64_t probes_of(uint64_t key)
{
    key *= 0x9e3779b97f4a7c15u;
    key ^= key >> 32;
    return key * 0x6a09e667f3bcc909u;
}

void souk_bloom_add_to(uint64_t block[WORDS], uint64_t key)
{
    uint64_t probes = probes_of(key);
    for (int i = 0; i < SOUK_BLOOM_PROBES; i++, probes <<= 9)
        block[probes >> 61] |= (uint64_t)1 << ((probes >> 55) & 63);
}

void souk_bloom_add(souk_bloom *filter, uint64_t key)
{
    souk_bloom_add_to(filter->words + souk_bloom_block(key, filter->block_count) * WORDS, key);
}

/* Without branches: most callers ask for keys that are not there, and half the words are ones. */
static inline bool block_maybe(const uint64_t block[WORDS], uint64_t key)
{
    uint64_t probes = probes_of(key), all = 1;
    for (int i = 0; i < SOUK_BLOOM_PROBES; i++, probes <<= 9)
        all &= block[probes >> 61] >> ((probes >> 55) & 63);
    return all;
}

bool souk_bloom_maybe(const souk_bloom *filter, uint64_t key)
{
    return block_maybe(filter->words + souk_bloom_block(key, filter->block_count) * WORDS, key);
}

size_t souk_bloom_maybe_batch(const souk_bloom *filter, const uint64_t *keys, size_t count,
                              uint8_t *ret_maybe)
{
    size_t yes = 0;
    const uint64_t *under_way[AHEAD];
    for (size_t from = 0; from < count; from += AHEAD) {
        size_t here = count - from < AHEAD ? count - from : AHEAD;
        for (size_t i = 0; i < here; i++) {
            uint64_t block = souk_bloom_block(keys[from + i], filter->block_count);
            under_way[i] = filter->words + block * WORDS;
            __builtin_prefetch(under_way[i]);
        }
        for (size_t i = 0; i < here; i++)
            yes += ret_maybe[from + i] = block_maybe(under_way[i], keys[from + i]);
    }
    return yes;
}
