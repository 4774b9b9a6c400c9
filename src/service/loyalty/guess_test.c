/* guess_test.c - thirty misses, then one every ten seconds. */
#include "service/loyalty/guess.h"
#include "test/test.h"

SOUK_TEST("whoever misses thirty times waits, then tries once every ten seconds; others do not")
{
    souk_auto(souk_guess) guess = NULL;
    uint32_t wait_s;
    int64_t now = 1767268800000;
    SOUK_MUST(souk_guess_new(test->mem, &guess));
    for (int i = 0; i < SOUK_GUESS_MISSES; i++) {
        SOUK_CHECK(souk_guess_may(guess, 7, now, &wait_s));
        souk_guess_missed(guess, 7, now);
    }
    SOUK_CHECK(!souk_guess_may(guess, 7, now, &wait_s) && wait_s == 10);
    SOUK_CHECK(souk_guess_may(guess, 8, now, &wait_s));
    SOUK_CHECK(!souk_guess_may(guess, 7, now + 9999, &wait_s) && wait_s == 1);
    SOUK_CHECK(souk_guess_may(guess, 7, now + 10000, &wait_s));
    souk_guess_missed(guess, 7, now + 10000);
    SOUK_CHECK(!souk_guess_may(guess, 7, now + 10000, &wait_s));
    SOUK_CHECK(souk_guess_may(guess, 7, now + 400000, &wait_s));
}

SOUK_TEST("a stranger on a guesser's place waits with it, and takes it over once it has recovered")
{
    souk_auto(souk_guess) guess = NULL;
    uint32_t wait_s;
    uint64_t stranger = 7 + SOUK_GUESS_CALLERS;
    SOUK_MUST(souk_guess_new(test->mem, &guess));
    for (int i = 0; i < SOUK_GUESS_MISSES; i++)
        souk_guess_missed(guess, 7, 1000);
    SOUK_CHECK(!souk_guess_may(guess, stranger, 1000, &wait_s));
    SOUK_CHECK(souk_guess_may(guess, stranger, 1000 + SOUK_GUESS_MISSES * 10000, &wait_s));
    SOUK_CHECK(!souk_guess_may(guess, 7, -900000000, &wait_s) ||
               wait_s == 0); /* a clock put back */
}

SOUK_TEST("a table of guessers is made or refused for want of memory")
{
    SOUK_FAULT_LOOP (test) {
        souk_auto(souk_guess) guess = NULL;
        souk_err err = souk_guess_new(test->mem, &guess);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
    }
}
