/* pace_test.c - the schedule of tries, and the bucket against a count of tokens. */
#include "test/test.h"

#include "os/clock.h"
#include "serve/pace.h"

SOUK_TEST("what fails is tried ten times in three and a half days, never sooner than its schedule")
{
    static const int64_t wanted_s[] = {5, 30, 120, 600, 3600, 10800, 28800, 86400, 172800};
    souk_clock_fake clock;
    souk_clock_fake_init(&clock, 1767268800000);
    unsigned tries = 0;
    for (;;) {
        tries++;
        int64_t wait_ms = souk_pace_wait_ms(tries, 5000, test_random(test, 0));
        if (wait_ms < 0)
            break;
        SOUK_CHECK(wait_ms >= wanted_s[tries - 1] * 800 && wait_ms <= wanted_s[tries - 1] * 1200);
        souk_clock_fake_advance(&clock, wait_ms);
    }
    int64_t took_ms = souk_clock_now_ms(&clock.clock) - 1767268800000;
    SOUK_CHECK(tries == SOUK_PACE_TRIES);
    SOUK_CHECK(took_ms >= (int64_t)303155 * 800 && took_ms <= (int64_t)303155 * 1200);
}

SOUK_TEST("waits differ by chance, over the whole of their fifths")
{
    int64_t least = INT64_MAX, most = 0;
    for (unsigned i = 0; i < 10000; i++) {
        int64_t wait_ms = souk_pace_wait_ms(1, 5000, test_random(test, 0));
        least = wait_ms < least ? wait_ms : least;
        most = wait_ms > most ? wait_ms : most;
    }
    SOUK_CHECK(least >= 4000 && least < 4020 && most <= 6000 && most > 5980);
    SOUK_CHECK(souk_pace_wait_ms(1, 1, 7) == 1); /* a first wait without a fifth */
    SOUK_CHECK(souk_pace_wait_ms(10, 5000, 0) == -1 &&
               souk_pace_wait_ms(4000000000u, 5000, 0) == -1);
}

/* Tokens as billionths: they come `rate` a second, at most `rate` of them. */
struct tokens {
    int64_t have, at_ns;
};

static bool take_token(struct tokens *tokens, unsigned rate, int64_t now_ns, int64_t cost)
{
    int64_t most = cost * (int64_t)rate, come = now_ns - tokens->at_ns;
    tokens->have = come > most - tokens->have ? most : tokens->have + come;
    tokens->at_ns = now_ns;
    if (tokens->have < cost)
        return false;
    tokens->have -= cost;
    return true;
}

SOUK_TEST("a bucket lets through what a count of tokens lets through")
{
    unsigned noticed = 0;
    for (unsigned round = 0; round < 300; round++) {
        unsigned rate = 1 + (unsigned)test_random(test, 1000);
        int64_t each_ns = 1000000000 / rate, now_ns = 1000000000;
        souk_bucket bucket = {0}, wrong = {0};
        struct tokens tokens = {.have = each_ns * (int64_t)rate, .at_ns = now_ns};
        for (unsigned i = 0; i < 1000; i++) {
            now_ns += (int64_t)test_random(
                test, (uint64_t)(test_random(test, 20) ? each_ns : 20 * each_ns));
            bool has = take_token(&tokens, rate, now_ns, each_ns);
            SOUK_CHECK((souk_bucket_wait_ns(&bucket, rate, now_ns) == 0) == has);
            SOUK_CHECK(souk_bucket_take(&bucket, rate, now_ns) == has);
            noticed +=
                souk_bucket_take(&wrong, rate + 1, now_ns) != has; /* planted: one more a second */
        }
    }
    SOUK_CHECK(noticed > 0);
}

SOUK_TEST("a bucket that is empty says when to come again, and is right")
{
    souk_bucket bucket = {0};
    int64_t now_ns = 5000000000;
    for (unsigned i = 0; i < 10; i++)
        SOUK_CHECK(souk_bucket_take(&bucket, 10, now_ns));
    SOUK_CHECK(!souk_bucket_take(&bucket, 10, now_ns));
    int64_t wait_ns = souk_bucket_wait_ns(&bucket, 10, now_ns);
    SOUK_CHECK(wait_ns == 100000000);
    SOUK_CHECK(!souk_bucket_take(&bucket, 10, now_ns + wait_ns - 1));
    SOUK_CHECK(souk_bucket_take(&bucket, 10, now_ns + wait_ns));
}
