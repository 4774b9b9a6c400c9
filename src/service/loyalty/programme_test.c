/* programme_test.c - a programme as somebody wrote it, the end of lots, points as money. */
#include "service/loyalty/programme.h"
#include "test/test.h"

#include <stdio.h>

static const char club[] =
    "{\"name\":\"Tea Club\",\"currency\":\"EUR\",\"earn\":{\"points\":1,\"per\":\"1.00\","
    "\"least\":5,\"rules_go\":\"together\",\"rules\":[{\"name\":\"double tea\",\"tags\":[\"tea\","
    "\"cake\"],\"multiply\":2,\"weekdays\":[\"tue\"]},{\"products\":[\"b\",\"a\"],\"multiply\":0},"
    "{\"tiers\":[\"gold\"],\"stores\":[\"SH-014\"],\"from\":\"2026-12-01\",\"multiply\":\"1.5\"}]},"
    "\"expire\":{\"months\":24,\"end_of\":\"month\"},"
    "\"worth\":{\"points\":100,\"amount\":\"1.00\",\"least\":200,\"step\":100},"
    "\"returns\":{\"debt\":1000,\"grace_days\":7},"
    "\"tiers\":{\"levels\":[{\"name\":\"silver\",\"from\":\"500\"},{\"name\":\"gold\",\"from\":"
    "\"2000.00\",\"multiply\":1.5}],\"year\":\"calendar\",\"grace_days\":60}}";

static const souk_programme *read(souk_test *test, souk_arena *arena, const char *json)
{
    const souk_programme *programme = NULL;
    souk_diag diag = {0};
    if (souk_programme_read(souk_text_of(json), arena, &programme, &diag))
        test_fail(test, __FILE__, __LINE__, "%s", diag.words);
    return programme;
}

SOUK_TEST("a programme says how points are earned, what they pay for and how long they hold")
{
    souk_arena arena = {.mem = test->mem};
    const souk_programme *programme = read(test, &arena, club);
    SOUK_CHECK_TEXT(programme->name, "Tea Club");
    SOUK_CHECK(!strcmp(programme->currency, "EUR") && programme->earn.per_minor == 100);
    SOUK_CHECK(programme->earn.rule_count == 3 && programme->earn.together);
    SOUK_CHECK_TEXT(programme->earn.rules[0].tags[0], "cake"); /* in order */
    SOUK_CHECK(programme->earn.rules[0].weekdays == 4);
    SOUK_CHECK(programme->earn.rules[2].until == SOUK_TIME_LAST);
    SOUK_CHECK(programme->earn.least_minor == 500 && programme->debt_most == 1000);
    SOUK_CHECK(programme->tiers.level_count == 2 && programme->tiers.calendar);
    SOUK_CHECK(programme->tiers.levels[1].from == 200000);
    SOUK_CHECK(programme->tiers.levels[0].multiply_micro == 1000000);
    souk_arena_done(&arena);
}

SOUK_TEST("what is wrong with a programme is told with its place")
{
    static const char *const cases[][2] = {
        {"{}", "currency is missing: that of all amounts here, such as EUR"},
        {"{\"currency\":\"EURO\"}", "currency: a text of 3 to 3 bytes is expected"},
        {"{\"currency\":\"EUR\"}", "earn is missing: {\"points\":1,\"per\":\"1.00\"}"},
        {"{\"currency\":\"EUR\",\"earn\":{\"points\":1}}",
         "earn: points and per are needed: so many points for so much"},
        {"{\"currency\":\"JPY\",\"earn\":{\"points\":1,\"per\":\"1.5\"}}",
         "earn.per: the currency has 0 decimal places: write no more"},
        {"{\"currency\":\"EUR\",\"earn\":{\"points\":1,\"per\":0}}",
         "earn.per: an amount from 1 to 10^12 minor units is expected"},
        {"{\"currency\":\"EUR\",\"earn\":{\"points\":1,\"per\":1,\"rules\":[{\"tags\":[\"a\"]}]}}",
         "earn.rules[0]: multiply is missing: 2 doubles, 0 excludes"},
        {"{\"currency\":\"EUR\",\"earn\":{\"points\":1,\"per\":1,\"rules\":[{\"multiply\":2,"
         "\"tag\":[]}]}}",
         "earn.rules[0].tag: there is no such member: do you mean tags?"},
        {"{\"currency\":\"EUR\",\"earn\":{\"points\":1,\"per\":1,\"rules\":[{\"multiply\":2,"
         "\"tags\":[]}]}}",
         "earn.rules[0].tags: an empty list means nothing: name some, or leave it out"},
        {"{\"currency\":\"EUR\",\"earn\":{\"points\":1,\"per\":1,\"rules\":[{\"multiply\":200}]}}",
         "earn.rules[0].multiply: a number from 0 to 100 is expected"},
        {"{\"currency\":\"EUR\",\"earn\":{\"points\":1,\"per\":1},\"expire\":{\"days\":1,"
         "\"months\":2}}",
         "expire: either days or months are needed"},
        {"{\"currency\":\"EUR\",\"earn\":{\"points\":1,\"per\":1},\"worth\":{\"points\":1}}",
         "worth: points and amount are needed: so many points pay so much"},
        {"{\"currency\":\"EUR\",\"earn\":{\"points\":1,\"per\":1},\"tiers\":{\"levels\":[{\"name\":"
         "\"a\",\"from\":5},{\"name\":\"b\",\"from\":5}]}}",
         "tiers.levels[1]: from is not above that of the level before: put them in order"},
        {"{\"currency\":\"EUR\",\"earn\":{\"points\":1,\"per\":1},\"tiers\":{\"levels\":[{\"name\":"
         "\"a\",\"from\":5},{\"name\":\"a\",\"from\":6}]}}",
         "tiers.levels[1]: another level has this name"},
        {"{\"currency\":\"EUR\",\"earn\":{\"points\":1,\"per\":1},\"tiers\":{\"by\":\"points\","
         "\"levels\":[{\"name\":\"a\",\"from\":\"5.5\"}]}}",
         "tiers.levels[0].from: a whole number from 1 to 1000000000000 is expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        souk_arena arena = {.mem = test->mem};
        const souk_programme *programme;
        souk_diag diag = {0};
        souk_err err = souk_programme_read(souk_text_of(cases[i][0]), &arena, &programme, &diag);
        if (err != SOUK_EINVAL || strcmp(diag.words, cases[i][1]))
            test_fail(test, __FILE__, __LINE__, "%s: %s", cases[i][0], diag.words);
        souk_arena_done(&arena);
    }
}

SOUK_TEST("a basket's preview says which line earns, by rule, tier and store")
{
    souk_arena arena = {.mem = test->mem};
    const souk_programme *programme = read(test, &arena, club);
    souk_text tea = SOUK_TEXT("tea");
    souk_earn_line lines[] = {{SOUK_TEXT("a"), NULL, 0, 5000},
                              {SOUK_TEXT("x"), &tea, 1, 1000},
                              {SOUK_TEXT("y"), NULL, 0, 1000}};
    souk_earn_when when = {.at = 1796083200000, .weekday = 2, .store = SOUK_TEXT("SH-014")};
    souk_programme_earning earning;
    SOUK_MUST(souk_programme_preview(programme, lines, 3, when, &arena, &earning));
    SOUK_CHECK(earning.points == 30 && earning.spend_minor == 2000 && earning.share_count == 2);
    SOUK_CHECK(earning.shares[0].line == 2 && earning.shares[0].points == 20);
    when.tier = SOUK_TEXT("gold"); /* 1.5 by the rule, 1.5 as gold */
    SOUK_MUST(souk_programme_preview(programme, lines, 3, when, &arena, &earning));
    SOUK_CHECK(earning.points == 67); /* 20 x 2.25 and 10 x 2.25 */
    souk_arena_done(&arena);
}

static int64_t expiry(souk_test *test, const char *expire, const char *at, const char *expected)
{
    char json[300];
    souk_arena arena = {.mem = test->mem};
    souk_time from, to;
    snprintf(json, sizeof json,
             "{\"currency\":\"EUR\",\"earn\":{\"points\":1,\"per\":1},\"expire\":%s}", expire);
    SOUK_MUST(souk_time_read(souk_text_of(at), NULL, &from));
    SOUK_MUST(souk_time_read(souk_text_of(expected), NULL, &to));
    souk_time told = souk_programme_expires(read(test, &arena, json), from);
    souk_arena_done(&arena);
    return told - to;
}

SOUK_TEST("lots end after days or months, at the moment or at the end of its day, month or year")
{
    SOUK_CHECK(!expiry(test, "{\"days\":30}", "2026-01-31T10:00", "2026-03-02T10:00"));
    SOUK_CHECK(!expiry(test, "{\"months\":1}", "2026-01-31T10:00", "2026-02-28T10:00"));
    SOUK_CHECK(!expiry(test, "{\"months\":25}", "2026-01-31T10:00", "2028-02-29T10:00"));
    SOUK_CHECK(
        !expiry(test, "{\"months\":12,\"end_of\":\"day\"}", "2026-12-31T10:00", "2028-01-01"));
    SOUK_CHECK(!expiry(test, "{\"months\":2,\"end_of\":\"month\"}", "2026-11-05", "2027-02-01"));
    SOUK_CHECK(!expiry(test, "{\"months\":12,\"end_of\":\"year\"}", "2026-11-05", "2028-01-01"));
    SOUK_CHECK(!expiry(test, "{\"days\":1,\"end_of\":\"moment\"}", "2026-11-05", "2026-11-06"));
    souk_arena arena = {.mem = test->mem};
    const char *ever = "{\"currency\":\"EUR\",\"earn\":{\"points\":1,\"per\":1}}";
    SOUK_CHECK(souk_programme_expires(read(test, &arena, ever), 0) == SOUK_TIME_LAST);
    souk_arena_done(&arena);
}

SOUK_TEST("points pay their worth rounded down, and cost enough whole steps")
{
    souk_arena arena = {.mem = test->mem};
    const souk_programme *programme = read(test, &arena, club);
    souk_diag diag = {0};
    SOUK_CHECK(souk_programme_worth(programme, 500) == 500);
    SOUK_CHECK(souk_programme_worth(programme, -5) == 0);
    SOUK_CHECK(souk_programme_cost(programme, 1) == 200); /* the least */
    SOUK_CHECK(souk_programme_cost(programme, 201) == 300);
    SOUK_CHECK(souk_programme_cost(programme, INT64_MAX) == SOUK_POINTS_MOST + 1);
    SOUK_MUST(souk_programme_burnable(programme, 300, &diag));
    SOUK_CHECK_ERR(souk_programme_burnable(programme, 100, &diag), SOUK_EINVAL);
    SOUK_CHECK_TEXT(souk_text_of(diag.words), "points are burnt from 200 on");
    SOUK_CHECK_ERR(souk_programme_burnable(programme, 250, &diag), SOUK_EINVAL);
    programme =
        read(test, &arena,
             "{\"currency\":\"EUR\",\"earn\":{\"points\":1,\"per\":1},\"worth\":{\"points\":"
             "300,\"amount\":\"1.00\"}}");
    for (int i = 0; i < 2000; i++) {
        int64_t minor = 1 + (int64_t)test_random(test, 100000);
        int64_t cost = souk_programme_cost(programme, minor);
        SOUK_CHECK(souk_programme_worth(programme, cost) >= minor);
        SOUK_CHECK(souk_programme_worth(programme, cost - 1) < minor);
    }
    SOUK_CHECK_ERR(souk_programme_burnable(programme, 2, &diag), SOUK_EINVAL); /* worth nothing */
    souk_arena_done(&arena);
}

SOUK_TEST("whatever allocation fails, a programme is read or refused for want of memory")
{
    SOUK_FAULT_LOOP (test) {
        souk_arena arena = {.mem = test->mem};
        const souk_programme *programme;
        souk_err err = souk_programme_read(souk_text_of(club), &arena, &programme, NULL);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        souk_arena_done(&arena);
        test_fault_seen(test, err);
    }
}
