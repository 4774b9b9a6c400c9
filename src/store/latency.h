/* latency.h - how long something takes, told as percentiles.  Private to store/.
 *
 *     struct latency commits = {0};
 *     latency_add(&commits, 1830);
 *     uint64_t median_us = latency_percentile(&commits, 50);
 *
 * Shape    counts in buckets, four for each doubling of a microsecond, up to 2^40 us; above it the last
 * Error    a percentile is the end of its bucket: at most a quarter above the true one, never above the most
 * Threads  the caller's lock */
#ifndef SOUK_STORE_LATENCY_H
#define SOUK_STORE_LATENCY_H

#include <stddef.h>
#include <stdint.h>

enum { LATENCY_BUCKETS = 160 };

struct latency { /* {0} is empty */
    uint64_t buckets[LATENCY_BUCKETS];
    uint64_t count, most_us;
};

void latency_add(struct latency *latency, uint64_t us);
void latency_merge(struct latency *into, const struct latency *from);
/* 0 where nothing was added. */
uint64_t latency_percentile(const struct latency *latency, unsigned percent);

#endif
