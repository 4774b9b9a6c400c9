/* random_test.c - random.h against the published sequence and against counting. */
#include "base/random.h"
#include "test/test.h"

SOUK_TEST("the sequence is that of xoshiro256**")
{
    souk_random random = {{1, 2, 3, 4}};
    static const uint64_t expected[] = {
        11520u, 0u, 1509978240u, 1215971899390074240u, 1216172134540287360u, 607988272756665600u};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        SOUK_CHECK(souk_random_next(&random) == expected[i]);
}

SOUK_TEST("a seed repeats its sequence and another seed does not")
{
    souk_random a = souk_random_of(7), b = souk_random_of(7), c = souk_random_of(8);
    int alike = 0;
    for (int i = 0; i < 100; i++) {
        uint64_t number = souk_random_next(&a);
        SOUK_CHECK(number == souk_random_next(&b));
        alike += number == souk_random_next(&c);
    }
    SOUK_CHECK(alike == 0);
    souk_random zero = souk_random_of(0);
    SOUK_CHECK(zero.state[0] == 0xe220a8397b1dcdafu); /* splitmix64 from 0, as published */
}

/* Pearson's sum over throws below 3/4 of 2^64, where plain remainders give the lowest third twice
 * the chance of the others. */
static double pearson(souk_test *test, bool biased)
{
    enum { CELLS = 6, THROWS = 60000 };
    const uint64_t below = UINT64_MAX / 8 * 6;
    souk_random random = souk_random_of(test_random(test, 0));
    double cells[CELLS] = {0}, sum = 0;
    for (int i = 0; i < THROWS; i++) {
        uint64_t number =
            biased ? souk_random_next(&random) % below : souk_random_below(&random, below);
        SOUK_CHECK(number < below);
        cells[number / (below / CELLS + 1)]++;
    }
    for (int i = 0; i < CELLS; i++) {
        double off = cells[i] - (double)THROWS / CELLS;
        sum += off * off / ((double)THROWS / CELLS);
    }
    return sum;
}

SOUK_TEST("numbers below a bound are fair, and plain remainders would be noticed")
{
    SOUK_CHECK(pearson(test, false) < 30); /* 5 degrees of freedom: beyond 30 once in 70000 */
    SOUK_CHECK(pearson(test, true) > 1000);
    souk_random random = souk_random_of(1);
    for (int i = 0; i < 100; i++)
        SOUK_CHECK(souk_random_below(&random, 1) == 0);
}

SOUK_TEST("unit numbers lie in [0, 1) and their mean and square mean are right")
{
    souk_random random = souk_random_of(test_random(test, 0));
    double sum = 0, squares = 0;
    enum { THROWS = 100000 };
    for (int i = 0; i < THROWS; i++) {
        double unit = souk_random_unit(&random);
        SOUK_CHECK(unit >= 0 && unit < 1);
        sum += unit;
        squares += unit * unit;
    }
    SOUK_CHECK(sum / THROWS > 0.495 && sum / THROWS < 0.505);
    SOUK_CHECK(squares / THROWS > 0.3283 && squares / THROWS < 0.3383);
}

SOUK_TEST("a shuffle keeps the items and makes all 24 orders of four alike")
{
    souk_random random = souk_random_of(test_random(test, 0));
    int seen[256] = {0};
    for (int round = 0; round < 24000; round++) {
        struct {
            unsigned char name[3];
        } items[4] = {{"0"}, {"1"}, {"2"}, {"3"}};
        souk_random_shuffle(&random, items, 4, sizeof *items);
        unsigned order = 0, met = 0;
        for (int i = 0; i < 4; i++) {
            SOUK_CHECK(items[i].name[1] == 0);
            order = order * 4 + (unsigned)(items[i].name[0] - '0');
            met |= 1u << (items[i].name[0] - '0');
        }
        SOUK_CHECK(met == 15);
        seen[order]++;
    }
    int orders = 0;
    for (int i = 0; i < 256; i++) {
        orders += seen[i] > 0;
        SOUK_CHECK(seen[i] == 0 || (seen[i] > 800 && seen[i] < 1200)); /* 1000 +- 6 sigma */
    }
    SOUK_CHECK(orders == 24);
    souk_random_shuffle(&random, NULL, 0, 8);
}

SOUK_TEST("entropy does not repeat and fills every byte")
{
    unsigned char a[64] = {0}, b[64] = {0}, any[64] = {0};
    souk_entropy(a, sizeof a);
    souk_entropy(b, sizeof b);
    SOUK_CHECK(memcmp(a, b, sizeof a) != 0);
    for (int round = 0; round < 40; round++) {
        souk_entropy(a, sizeof a);
        for (size_t i = 0; i < sizeof a; i++)
            any[i] |= a[i];
    }
    for (size_t i = 0; i < sizeof any; i++)
        SOUK_CHECK(any[i] == 0xff);
}
