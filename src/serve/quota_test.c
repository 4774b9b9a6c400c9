/* quota_test.c - a caller spends a bucket and what flows in, beside a dumb count; others are not touched. */
#include "test/test.h"

#include "serve/quota.h"

SOUK_TEST(
    "a caller may spend a window at once, then as much as flows in, and hears how long to wait")
{
    souk_auto(souk_quota) quota = NULL;
    SOUK_MUST(souk_quota_new(test->mem, 5, &quota));
    for (uint32_t i = 0; i < 50; i++) {
        souk_quota_answer answer = souk_quota_take(quota, 7, 1000);
        SOUK_CHECK(answer.allowed && answer.quota == 50 && answer.left == 49 - i);
    }
    SOUK_CHECK(!souk_quota_take(quota, 7, 1000).allowed);
    SOUK_CHECK(souk_quota_take(quota, 7, 1000).wait_s == 1);
    SOUK_CHECK(souk_quota_take(quota, 8, 1000).allowed);
    SOUK_CHECK(!souk_quota_take(quota, 7, 1199).allowed);
    SOUK_CHECK(souk_quota_take(quota, 7, 1200).allowed);
    SOUK_CHECK(!souk_quota_take(quota, 7, 900).allowed); /* the clock went back */
    SOUK_CHECK(souk_quota_take(quota, 7, 20000).left == 49);
}

SOUK_TEST("whoever asks when, the bucket says what a count of thousandths says")
{
    enum { CALLERS = 20, STEPS = 20000, RATE = 3 };
    souk_auto(souk_quota) quota = NULL;
    static uint64_t level[CALLERS];
    static int64_t at[CALLERS];
    int64_t now = 5;
    uint64_t refused = 0;
    SOUK_MUST(souk_quota_new(test->mem, RATE, &quota));
    for (size_t i = 0; i < CALLERS; i++) {
        level[i] = RATE * 10000;
        at[i] = now;
    }
    for (unsigned i = 0; i < STEPS; i++) {
        size_t who = test_random(test, CALLERS);
        now += (int64_t)test_random(test, 30);
        level[who] += (uint64_t)(now - at[who]) * RATE;
        level[who] = level[who] > RATE * 10000 ? RATE * 10000 : level[who];
        at[who] = now;
        bool allowed = level[who] >= 1000;
        SOUK_CHECK(souk_quota_take(quota, who + 1, now).allowed == allowed);
        level[who] -= allowed ? 1000 : 0;
        refused += !allowed;
    }
    SOUK_CHECK(refused > 100 && refused < STEPS);
}

SOUK_TEST("more callers than there are buckets never cost a quiet one its requests")
{
    souk_auto(souk_quota) quota = NULL;
    SOUK_MUST(souk_quota_new(test->mem, 1, &quota));
    for (uint64_t i = 1; i < 100000; i++)
        SOUK_CHECK(souk_quota_take(quota, i, 1000).allowed);
}
