/* share_test.c - every unit is handed out, to whom it belongs; against one unit at a time. */
#include "test/test.h"

#include "algo/share.h"

enum { MOST = 40 };

SOUK_TEST("a share is spread by the largest fractions, the earlier weight first on a tie")
{
    souk_share_seat seats[4];
    int64_t parts[4];
    souk_share_spread(101, (int64_t[]){500, 300, 200}, 3, seats, parts);
    SOUK_CHECK(parts[0] == 51 && parts[1] == 30 && parts[2] == 20);
    souk_share_spread(2, (int64_t[]){1, 1, 1}, 3, seats, parts);
    SOUK_CHECK(parts[0] == 1 && parts[1] == 1 && parts[2] == 0);
    souk_share_spread(0, (int64_t[]){0, 0}, 2, seats, parts);
    SOUK_CHECK(parts[0] == 0 && parts[1] == 0);
    souk_share_spread(0, NULL, 0, NULL, NULL);
}

SOUK_TEST("a share of the largest amounts is exact")
{
    souk_share_seat seats[3];
    int64_t parts[3], weights[3] = {INT64_MAX / 2, INT64_MAX / 4, 3};
    souk_share_spread(INT64_MAX, weights, 3, seats, parts);
    SOUK_CHECK(parts[0] + parts[1] + parts[2] == INT64_MAX);
    SOUK_CHECK(parts[0] / 2 - parts[1] < 2 && parts[2] == 4);
}

/* One unit at a time to whom it is owed most: exact share less what was given, at least 1 below it for the floors. */
static void spread_slowly(int64_t amount, const int64_t *weights, size_t count, int64_t *parts)
{
    int64_t sum = 0, given = 0;
    for (size_t i = 0; i < count; i++)
        sum += weights[i];
    for (size_t i = 0; i < count; i++)
        given += parts[i] = sum ? amount * weights[i] / sum : 0;
    for (; given < amount; given++) {
        size_t most = 0;
        for (size_t i = 1; i < count; i++)
            if (amount * weights[i] - parts[i] * sum > amount * weights[most] - parts[most] * sum)
                most = i;
        parts[most]++;
    }
}

SOUK_TEST("random shares equal those handed out one unit at a time, and a stolen unit is noticed")
{
    unsigned noticed = 0;
    for (int round = 0; round < 20000; round++) {
        int64_t weights[MOST], parts[MOST], slow[MOST], sum = 0, total = 0;
        souk_share_seat seats[MOST];
        size_t count = 1 + test_random(test, MOST);
        uint64_t most = test_random(test, 2) ? 4 : 100000;
        for (size_t i = 0; i < count; i++)
            sum += weights[i] = (int64_t)test_random(test, most);
        int64_t amount = sum ? (int64_t)test_random(test, (uint64_t)sum + 1) : 0;
        souk_share_spread(amount, weights, count, seats, parts);
        spread_slowly(amount, weights, count, slow);
        for (size_t i = 0; i < count; i++) {
            SOUK_CHECK(parts[i] == slow[i] && parts[i] <= weights[i]);
            total += parts[i];
        }
        SOUK_CHECK(total == amount);
        parts[0]--;
        noticed += memcmp(parts, slow, count * sizeof *parts) != 0;
    }
    SOUK_CHECK(noticed == 20000);
}

SOUK_TEST("a share may be written over its own weights")
{
    souk_share_seat seats[3];
    int64_t both[3] = {7, 2, 1};
    souk_share_spread(5, both, 3, seats, both);
    SOUK_CHECK(both[0] == 4 && both[1] == 1 && both[2] == 0);
}
