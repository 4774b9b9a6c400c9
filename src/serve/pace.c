/* pace.c - the waits and the bucket of pace.h. */
#include "serve/pace.h"

/* In units of the first wait: 5 s become 30 s, 2 min, … 48 h. */
static const int64_t waits[SOUK_PACE_TRIES - 1] = {1, 6, 24, 120, 720, 2160, 5760, 17280, 34560};

int64_t souk_pace_wait_ms(unsigned tries, int64_t first_ms, uint64_t random)
{
    if (tries >= SOUK_PACE_TRIES)
        return -1;
    int64_t wait_ms = waits[tries ? tries - 1 : 0] * first_ms;
    int64_t fifth = wait_ms / 5;
    return wait_ms - fifth + (int64_t)(random % (uint64_t)(2 * fifth + 1));
}

static int64_t each_ns(unsigned rate)
{
    souk_assert(rate > 0);
    return 1000000000 / rate;
}

int64_t souk_bucket_wait_ns(const souk_bucket *bucket, unsigned rate, int64_t now_ns)
{
    int64_t room_ns = each_ns(rate) * ((int64_t)rate - 1); /* taken, while one is left */
    int64_t wait_ns = bucket->full_ns - now_ns - room_ns;
    return wait_ns > 0 ? wait_ns : 0;
}

bool souk_bucket_take(souk_bucket *bucket, unsigned rate, int64_t now_ns)
{
    if (souk_bucket_wait_ns(bucket, rate, now_ns) > 0)
        return false;
    if (bucket->full_ns < now_ns)
        bucket->full_ns = now_ns;
    bucket->full_ns += each_ns(rate);
    return true;
}
