/* random.c - the generators of random.h. */
#include "base/random.h"

#include "base/hash.h"

#include <sodium.h>

__extension__ typedef unsigned __int128 wide;

souk_random souk_random_of(uint64_t seed)
{
    souk_random random;
    for (int i = 0; i < 4; i++)
        random.state[i] = souk_mix64(seed += 0x9e3779b97f4a7c15u);
    return random;
}

static uint64_t rotate(uint64_t number, int left)
{
    return number << left | number >> (64 - left);
}

uint64_t souk_random_next(souk_random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9, shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 45);
    return result;
}

/* The high half of a 128-bit product is in [0, below); it is fair once the few low halves beneath
 * 2^64 mod below are thrown again. */
uint64_t souk_random_below(souk_random *random, uint64_t below)
{
    souk_assert(below > 0);
    wide product = (wide)souk_random_next(random) * below;
    if ((uint64_t)product < below) {
        uint64_t unfair = (0 - below) % below;
        while ((uint64_t)product < unfair)
            product = (wide)souk_random_next(random) * below;
    }
    return (uint64_t)(product >> 64);
}

double souk_random_unit(souk_random *random)
{
    return (double)(souk_random_next(random) >> 11) * 0x1p-53;
}

static void swap(unsigned char *a, unsigned char *b, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        unsigned char kept = a[i];
        a[i] = b[i];
        b[i] = kept;
    }
}

void souk_random_shuffle(souk_random *random, void *items, size_t count, size_t item_bytes)
{
    unsigned char *at = items;
    for (size_t left = count; left > 1; left--) {
        size_t chosen = souk_random_below(random, left);
        if (chosen != left - 1)
            swap(at + chosen * item_bytes, at + (left - 1) * item_bytes, item_bytes);
    }
}

void souk_entropy(void *to, size_t bytes)
{
    /* Repeated calls are cheap; it fails only where the kernel has no randomness at all. */
    souk_assert(sodium_init() >= 0);
    randombytes_buf(to, bytes);
}
