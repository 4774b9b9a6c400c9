/* pace.h - when something that failed is tried again, and how often somebody may be called.
 *
 *     int64_t wait_ms = souk_pace_wait_ms(attempts, 5000, random);
 *     if (wait_ms < 0) ...                                  it was tried often enough
 *
 *     souk_bucket bucket = {0};                             full
 *     if (souk_bucket_take(&bucket, 50, now_ns)) ...        at most 50 a second, and 50 at once
 *
 * Waits    5 s, 30 s, 2 min, 10 min, 1 h, 3 h, 8 h, 24 h, 48 h, each longer or shorter by up to a fifth, so that what
 *          failed together does not come again together: ten tries in three and a half days
 * Bucket   as a virtual clock: one number says when it will be full (GCRA: ITU-T I.371 A.1)
 * Threads  pure; a bucket belongs to one */
#ifndef SOUK_SERVE_PACE_H
#define SOUK_SERVE_PACE_H

#include "base/err.h"

enum { SOUK_PACE_TRIES = 10 };

/* How long to wait after so many tries that failed; first_ms is the first wait, and the others grow with it.
 * -1 after SOUK_PACE_TRIES.  random: any number. */
int64_t souk_pace_wait_ms(unsigned tries, int64_t first_ms, uint64_t random);

typedef struct souk_bucket {
    int64_t full_ns; /* when it is full again; in the past: it is */
} souk_bucket;

/* Takes one of `rate` a second, rate > 0; false: none is left. */
bool souk_bucket_take(souk_bucket *bucket, unsigned rate, int64_t now_ns);
/* How long until one is there; 0: now. */
int64_t souk_bucket_wait_ns(const souk_bucket *bucket, unsigned rate, int64_t now_ns);

#endif
