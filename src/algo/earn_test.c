/* earn_test.c - points by hand, and by a plain model in long double's place: fractions of 128 bits. */
#include "algo/earn.h"
#include "test/test.h"

static const souk_text tea = {"tea", 3}, tobacco = {"tobacco", 7};
static const souk_text gold[] = {{"gold", 4}}, south[] = {{"SH-014", 6}};

static souk_earn_line line_of(const char *product, const souk_text *tag, int64_t amount_minor)
{
    return (souk_earn_line){souk_text_of(product), tag, tag != NULL, amount_minor};
}

static int64_t points_of(souk_test *test, const souk_earn *earn, const souk_earn_line *lines,
                         size_t count, const souk_earn_when *when, int64_t *points)
{
    souk_share_seat seats[8];
    int64_t sum, check = 0;
    SOUK_MUST(souk_earn_points(earn, lines, count, when, seats, points, &sum));
    for (size_t i = 0; i < count; i++)
        check += points[i];
    SOUK_CHECK(check == sum);
    return sum;
}

SOUK_TEST("a point for each whole amount, rounded once for the receipt or once for each line")
{
    souk_earn earn = {.points = 1, .per_minor = 100, .rounding = SOUK_ROUND_DOWN};
    souk_earn_line lines[] = {line_of("a", NULL, 250), line_of("b", NULL, 250),
                              line_of("c", NULL, 99)};
    souk_earn_when when = {0};
    int64_t points[3];
    SOUK_CHECK(points_of(test, &earn, lines, 3, &when, points) == 5); /* 5.99 */
    SOUK_CHECK(points[0] + points[1] >= 4 && points[2] <= 1);
    earn.by_line = true;
    SOUK_CHECK(points_of(test, &earn, lines, 3, &when, points) == 4); /* 2, 2 and 0 */
    earn.rounding = SOUK_ROUND_HALF_UP;
    SOUK_CHECK(points_of(test, &earn, lines, 3, &when, points) == 7); /* 3, 3 and 1 */
    earn.rounding = SOUK_ROUND_HALF_EVEN;
    SOUK_CHECK(points_of(test, &earn, lines, 3, &when, points) == 5); /* 2, 2 and 1 */
    earn.by_line = false;
    SOUK_CHECK(points_of(test, &earn, lines, 3, &when, points) == 6);
}

SOUK_TEST("rules multiply what they name, the highest or all together, and exclude")
{
    souk_earn_rule rules[] = {{.tags = &tea, .tag_count = 1, .multiply_micro = 2000000},
                              {.tags = &tobacco, .tag_count = 1, .multiply_micro = 0},
                              {.weekdays = 1 << 2, .multiply_micro = 3000000},
                              {.tiers = gold,
                               .tier_count = 1,
                               .stores = south,
                               .store_count = 1,
                               .multiply_micro = 5000000},
                              {.from = 1000, .until = 2000, .multiply_micro = 4000000}};
    souk_earn earn = {.points = 1, .per_minor = 100, .rules = rules, .rule_count = 5};
    souk_earn_line lines[] = {line_of("a", NULL, 1000), line_of("b", &tea, 1000),
                              line_of("c", &tobacco, 5000)};
    souk_earn_when when = {.weekday = 1};
    int64_t points[3];
    SOUK_CHECK(points_of(test, &earn, lines, 3, &when, points) == 30);
    SOUK_CHECK(points[0] == 10 && points[1] == 20 && points[2] == 0);
    when.weekday = 2; /* a bonus day */
    SOUK_CHECK(points_of(test, &earn, lines, 3, &when, points) == 60);
    earn.together = true;
    SOUK_CHECK(points_of(test, &earn, lines, 3, &when, points) == 90); /* 30, 60 */
    when.tier_micro = 1500000;
    SOUK_CHECK(points_of(test, &earn, lines, 3, &when, points) == 135);
    earn.together = false;
    when.tier = gold[0];
    SOUK_CHECK(points_of(test, &earn, lines, 3, &when, points) == 90); /* the store is missing */
    when.store = south[0];
    SOUK_CHECK(points_of(test, &earn, lines, 3, &when, points) == 150);
    when = (souk_earn_when){.at = 1999};
    SOUK_CHECK(points_of(test, &earn, lines, 3, &when, points) == 80);
    when.at = 2000;
    SOUK_CHECK(points_of(test, &earn, lines, 3, &when, points) == 30);
}

SOUK_TEST("a least amount of what may earn, and a ceiling that lowers every line in proportion")
{
    souk_earn_rule none = {.tags = &tobacco, .tag_count = 1, .multiply_micro = 0};
    souk_earn earn = {
        .points = 1, .per_minor = 10, .least_minor = 1000, .rules = &none, .rule_count = 1};
    souk_earn_line lines[] = {line_of("a", NULL, 900), line_of("c", &tobacco, 5000),
                              line_of("b", NULL, 99)};
    souk_earn_when when = {0};
    int64_t points[3];
    SOUK_CHECK(points_of(test, &earn, lines, 3, &when, points) == 0);
    lines[2].amount_minor = 100;
    SOUK_CHECK(points_of(test, &earn, lines, 3, &when, points) == 100);
    earn.most = 50;
    SOUK_CHECK(points_of(test, &earn, lines, 3, &when, points) == 50);
    SOUK_CHECK(points[0] == 45 && points[1] == 0 && points[2] == 5);
    earn.by_line = true;
    SOUK_CHECK(points_of(test, &earn, lines, 3, &when, points) == 50);
}

SOUK_TEST("amounts out of bounds are refused, and more points than there may be are an overflow")
{
    souk_earn earn = {.points = 1000000, .per_minor = 1};
    souk_earn_line line = line_of("a", NULL, -1);
    souk_earn_when when = {0};
    souk_share_seat seats[1];
    int64_t points[1], sum;
    SOUK_CHECK_ERR(souk_earn_points(&earn, &line, 1, &when, seats, points, &sum), SOUK_EINVAL);
    line.amount_minor = SOUK_EARN_AMOUNT_MOST + 1;
    SOUK_CHECK_ERR(souk_earn_points(&earn, &line, 1, &when, seats, points, &sum), SOUK_EINVAL);
    line.amount_minor = SOUK_EARN_AMOUNT_MOST;
    SOUK_CHECK_ERR(souk_earn_points(&earn, &line, 1, &when, seats, points, &sum), SOUK_EOVERFLOW);
    earn.by_line = true;
    SOUK_CHECK_ERR(souk_earn_points(&earn, &line, 1, &when, seats, points, &sum), SOUK_EOVERFLOW);
    earn.most = 7;
    SOUK_MUST(souk_earn_points(&earn, &line, 1, &when, seats, points, &sum));
    SOUK_CHECK(sum == 7 && points[0] == 7);
    SOUK_CHECK_ERR(
        souk_earn_points(&earn, &line, SOUK_EARN_LINES_MOST + 1, &when, seats, points, &sum),
        SOUK_EINVAL);
}

/* The same said without shares or searches: what each line is worth, in 1 / (per x 1e6). */
static souk_u128 plain_value(const souk_earn *earn, const souk_earn_line *line, unsigned weekday)
{
    int64_t best = 1000000;
    bool found = false;
    for (size_t i = 0; i < earn->rule_count; i++) {
        const souk_earn_rule *rule = &earn->rules[i];
        if (rule->weekdays && !(rule->weekdays & 1u << weekday))
            continue;
        if (rule->tag_count && !(line->tag_count && souk_text_equal(*rule->tags, *line->tags)))
            continue;
        if (rule->multiply_micro == 0)
            return 0;
        best = !found || rule->multiply_micro > best ? rule->multiply_micro : best;
        found = true;
    }
    return (souk_u128)(uint64_t)line->amount_minor * (uint64_t)best * (uint64_t)earn->points;
}

SOUK_TEST(
    "random baskets earn what a plain sum says, and each line is within one point of its part")
{
    for (int round = 0; round < 3000; round++) {
        souk_earn_rule rules[2];
        souk_earn_line lines[8];
        souk_earn_when when = {.weekday = (unsigned)test_random(test, 7)};
        souk_u128 sum = 0;
        int64_t points[8], told;
        souk_earn earn = {.points = 1 + (int64_t)test_random(test, 50),
                          .per_minor = 1 + (int64_t)test_random(test, 500),
                          .rounding = SOUK_ROUND_DOWN,
                          .rules = rules,
                          .rule_count = test_random(test, 3)};
        for (int i = 0; i < 2; i++)
            rules[i] = (souk_earn_rule){.tags = &tea,
                                        .tag_count = test_random(test, 2),
                                        .weekdays = (unsigned)test_random(test, 128),
                                        .multiply_micro = (int64_t)test_random(test, 4) * 700001};
        size_t count = 1 + test_random(test, 8);
        for (size_t i = 0; i < count; i++) {
            lines[i] = line_of("x", test_random(test, 2) ? &tea : NULL,
                               (int64_t)test_random(test, test_random(test, 9) ? 9999 : 999999999));
            sum += plain_value(&earn, &lines[i], when.weekday);
        }
        souk_u128 of = (souk_u128)(uint64_t)earn.per_minor * 1000000;
        told = points_of(test, &earn, lines, count, &when, points);
        SOUK_CHECK(told == (int64_t)(sum / of));
        for (size_t i = 0; i < count; i++) {
            souk_u128 value = plain_value(&earn, &lines[i], when.weekday);
            SOUK_CHECK(points[i] <= (int64_t)(value / of) + 1);
            SOUK_CHECK(value > 0 || points[i] == 0);
            /* at least its part of what was not cut off by the receipt's rounding */
            SOUK_CHECK(points[i] + 2 > (int64_t)(value / of));
        }
    }
}
