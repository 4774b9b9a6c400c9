/* guess.h - who tries codes that are none has to wait: so many misses at once, then one every few seconds.
 *
 *     if (!souk_guess_may(guess, caller, now_ms, &wait_s))         429, Retry-After: wait_s
 *     … the code is none …
 *     souk_guess_missed(guess, caller, now_ms);
 *
 * A code has 128 random bits and nobody guesses one; shared codes are short, and leaked lists are tried.  A caller is the hash of its
 * token; whoever hits is not slowed down.
 *
 * Limit    SOUK_GUESS_MISSES at once, one more every SOUK_GUESS_PACE_S seconds
 * Memory   SOUK_GUESS_CALLERS callers of 24 bytes, found by their hash; a stranger that lands on a place takes it over only where it has
 *          recovered, and shares its fate otherwise
 * Threads  any */
#ifndef SOUK_SERVICE_LOYALTY_GUESS_H
#define SOUK_SERVICE_LOYALTY_GUESS_H

#include "base/mem.h"

enum { SOUK_GUESS_CALLERS = 4096, SOUK_GUESS_MISSES = 30, SOUK_GUESS_PACE_S = 10 };

typedef struct souk_guess souk_guess;
SOUK_CHECKED souk_err souk_guess_new(souk_mem *mem, souk_guess **ret_guess);
void souk_guess_free(souk_guess *guess);
SOUK_AUTO(souk_guess)

/* False: wait_s seconds until one more may be tried. */
bool souk_guess_may(souk_guess *guess, uint64_t caller, int64_t now_ms, uint32_t *ret_wait_s);
void souk_guess_missed(souk_guess *guess, uint64_t caller, int64_t now_ms);

#endif
