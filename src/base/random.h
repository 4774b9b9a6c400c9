/* random.h - chance that can be repeated, for simulations and samples; and chance that cannot, for
 * keys.
 *
 *     souk_random random = souk_random_of(seed);                  the same seed, the same world
 *     size_t shelf = souk_random_below(&random, shelf_count);
 *     if (souk_random_unit(&random) < 0.3) ...                    three times in ten
 *     souk_random_shuffle(&random, stores, store_count, sizeof *stores);
 *
 *     unsigned char key[32];
 *     souk_entropy(key, sizeof key);                              secrets come from here only
 *
 * A souk_random is predictable to anyone who sees a few numbers: nothing secret may come of it.
 * The sequence of a seed is a promise: simulated worlds with known truth depend on it.
 *
 * Cost     next: about ten instructions; entropy: a system call or so
 * Source   xoshiro256**: Blackman, Vigna, ACM TOMS 47(4), 2021; the seed is spread by splitmix64:
 *          Steele, Lea, Flood, OOPSLA 2014; below: Lemire, ACM TOMACS 29(1), 2019
 * Threads  one souk_random per thread; souk_entropy from any thread */
#ifndef SOUK_BASE_RANDOM_H
#define SOUK_BASE_RANDOM_H

#include "base/err.h"

/* Never all zero; a copy repeats what the original will say. */
typedef struct souk_random {
    uint64_t state[4];
} souk_random;

souk_random souk_random_of(uint64_t seed);
/* Uniform over all 64-bit numbers. */
uint64_t souk_random_next(souk_random *random);
/* Uniform in [0, below), without bias; below > 0. */
uint64_t souk_random_below(souk_random *random, uint64_t below);
/* Uniform in [0, 1), a multiple of 2^-53. */
double souk_random_unit(souk_random *random);
/* All orders alike. */
void souk_random_shuffle(souk_random *random, void *items, size_t count, size_t item_bytes);

/* Bytes that nobody can predict, from the operating system. */
void souk_entropy(void *to, size_t bytes);

#endif
