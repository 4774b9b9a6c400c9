/* nearest_test.c - the distance against one that tries everything, and what is suggested. */
#include "base/nearest.h"
#include "test/test.h"

#include <stdio.h>

/* Optimal string alignment as its definition says, from the ends: slow and plain. */
static size_t slow(const char *a, size_t m, const char *b, size_t n)
{
    if (m == 0 || n == 0)
        return m + n;
    size_t best = slow(a, m - 1, b, n - 1) + (a[m - 1] != b[n - 1]);
    best = souk_min_size(best, slow(a, m - 1, b, n) + 1);
    best = souk_min_size(best, slow(a, m, b, n - 1) + 1);
    if (m > 1 && n > 1 && a[m - 1] == b[n - 2] && a[m - 2] == b[n - 1])
        best = souk_min_size(best, slow(a, m - 2, b, n - 2) + 1);
    return best;
}

SOUK_TEST("the distance of random words equals that of its definition")
{
    size_t planted = 0;
    for (int round = 0; round < 400; round++) {
        char a[6], b[6];
        size_t m = test_random(test, sizeof a + 1), n = test_random(test, sizeof b + 1);
        for (size_t i = 0; i < m; i++)
            a[i] = "abc"[test_random(test, 3)];
        for (size_t i = 0; i < n; i++)
            b[i] = "abc"[test_random(test, 3)];
        size_t distance = souk_nearest_distance((souk_text){a, m}, (souk_text){b, n});
        SOUK_CHECK(distance == slow(a, m, b, n));
        if (n > 1) { /* the model is awake: two neighbours swapped change some answers */
            char first = b[0];
            b[0] = b[1];
            b[1] = first;
            planted += distance != slow(a, m, b, n);
        }
    }
    SOUK_CHECK(planted > 20);
}

static const char *suggest(const char *word)
{
    static const char *const known[] = {"listen", "log.level", "limits.body_bytes", "drain_s",
                                        "limits.body_ms"};
    souk_nearest near = {.word = souk_text_of(word)};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        souk_nearest_try(&near, known[i]);
    return near.best ? near.best : "none";
}

SOUK_TEST("a misspelt word gets the nearest known one, and a far one gets none")
{
    SOUK_CHECK_TEXT(souk_text_of(suggest("lisetn")), "listen");
    SOUK_CHECK_TEXT(souk_text_of(suggest("LISTEN")), "listen");
    SOUK_CHECK_TEXT(souk_text_of(suggest("limits.body_byte")), "limits.body_bytes");
    SOUK_CHECK_TEXT(souk_text_of(suggest("limit.body_ms")), "limits.body_ms");
    SOUK_CHECK_TEXT(souk_text_of(suggest("colour")), "none");
    SOUK_CHECK_TEXT(souk_text_of(suggest("")), "none");
}

SOUK_TEST("words above the ceiling are near to none")
{
    char longest[SOUK_NEAREST_BYTES + 1];
    memset(longest, 'x', sizeof longest);
    souk_text at_ceiling = {longest, SOUK_NEAREST_BYTES}, above = {longest, sizeof longest};
    SOUK_CHECK(souk_nearest_distance(at_ceiling, at_ceiling) == 0);
    SOUK_CHECK(souk_nearest_distance(above, at_ceiling) == SIZE_MAX);
    souk_nearest near = {.word = above};
    souk_nearest_try(&near, "xxx");
    SOUK_CHECK(!near.best);
}
