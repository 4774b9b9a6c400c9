/* latency_test.c - percentiles beside a sorted list. */
#include "test/test.h"

#include "store/latency.h"

#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* The value that so many percent do not exceed. */
static uint64_t sorted_percentile(const uint64_t *values, size_t count, unsigned percent)
{
    return values[(count * percent + 99) / 100 - 1];
}

SOUK_TEST(
    "a percentile is that of a sorted list, or up to a quarter more, and never above the most")
{
    enum { MOST = 500 };
    static uint64_t values[MOST];
    for (int round = 0; round < 200; round++) {
        struct latency latency = {.count = 0};
        size_t count = 1 + test_random(test, MOST);
        for (size_t i = 0; i < count; i++) {
            values[i] = test_random(test, (uint64_t)1 << test_random(test, 40));
            latency_add(&latency, values[i]);
        }
        qsort(values, count, sizeof *values, by_size);
        for (unsigned percent = 1; percent <= 100; percent += 7) {
            uint64_t right = sorted_percentile(values, count, percent);
            uint64_t told = latency_percentile(&latency, percent);
            SOUK_CHECK(told >= right && told <= right + right / 4 && told <= values[count - 1]);
        }
        SOUK_CHECK(latency.most_us == values[count - 1]);
        SOUK_CHECK(latency_percentile(&latency, 100) == values[count - 1]);
    }
}

SOUK_TEST("of nothing every percentile is 0, and what is longer than the last bucket is the most")
{
    struct latency latency = {.count = 0};
    SOUK_CHECK(latency_percentile(&latency, 50) == 0 && latency_percentile(&latency, 99) == 0);
    latency_add(&latency, UINT64_MAX);
    SOUK_CHECK(latency.most_us == UINT64_MAX && latency_percentile(&latency, 50) > 0);
}
