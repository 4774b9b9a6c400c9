/* latency.c - the buckets of latency.h. */
#include "store/latency.h"

#include "base/mem.h"

static size_t bucket_of(uint64_t us)
{
    if (us < 4)
        return (size_t)us;
    unsigned octave = 63u - (unsigned)__builtin_clzll(us);
    size_t bucket = (octave - 1) * 4 + ((us >> (octave - 2)) & 3);
    return souk_min_size(bucket, LATENCY_BUCKETS - 1);
}

/* The largest microsecond that falls into the bucket. */
static uint64_t bucket_end(size_t bucket)
{
    if (bucket < 4)
        return bucket;
    size_t octave = bucket / 4 + 1;
    return ((uint64_t)(4 + bucket % 4 + 1) << (octave - 2)) - 1;
}

void latency_add(struct latency *latency, uint64_t us)
{
    latency->buckets[bucket_of(us)]++;
    latency->count++;
    if (us > latency->most_us)
        latency->most_us = us;
}

void latency_merge(struct latency *into, const struct latency *from)
{
    for (size_t i = 0; i < LATENCY_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
    into->count += from->count;
    into->most_us = into->most_us > from->most_us ? into->most_us : from->most_us;
}

uint64_t latency_percentile(const struct latency *latency, unsigned percent)
{
    uint64_t seen = 0;
    for (size_t i = 0; i < LATENCY_BUCKETS && latency->count; i++) {
        seen += latency->buckets[i];
        if (seen * 100 >= latency->count * percent)
            return bucket_end(i) < latency->most_us ? bucket_end(i) : latency->most_us;
    }
    return 0;
}
