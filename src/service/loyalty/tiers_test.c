/* tiers_test.c - levels by hand, and the same whether a job came by each day or never. */
#include "service/loyalty/tiers.h"
#include "test/test.h"

#include "store/ledger_shop.h"

#include "service/loyalty/points_rig.h"

static souk_tiers levels_of(bool calendar, int64_t grace_days)
{
    return (souk_tiers){
        .calendar = calendar,
        .grace_ms = grace_days * RIG_DAY,
        .levels = {{SOUK_TEXT("silver"), 1000, 1000000}, {SOUK_TEXT("gold"), 5000, 2000000}},
        .level_count = 2};
}

/* ---- a list of receipts ------------------------------------------------------------------------------------- */

struct spent {
    souk_time at;
    int64_t minor;
};
struct list {
    struct spent spent[64];
    size_t count;
};

static souk_err count_list(void *context, souk_time from, souk_time to, int64_t *ret_counted)
{
    const struct list *list = context;
    *ret_counted = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->spent[i].at >= from && list->spent[i].at < to)
            *ret_counted += list->spent[i].minor;
    return SOUK_OK;
}

static souk_standing judged(souk_test *test, const souk_tiers *tiers, struct list *list,
                            souk_standing standing, souk_time at)
{
    souk_standing next;
    SOUK_MUST(souk_tiers_judge(tiers, standing, at, count_list, list, &next));
    return next;
}

static souk_standing spend(souk_test *test, const souk_tiers *tiers, struct list *list,
                           souk_standing standing, souk_time at, int64_t minor)
{
    list->spent[list->count++] = (struct spent){at, minor};
    return judged(test, tiers, list, standing, at);
}

SOUK_TEST("a level is reached at once, held for its year, kept through a grace, then lost")
{
    souk_tiers tiers = levels_of(false, 60);
    struct list list = {.count = 0};
    souk_standing standing = {0};
    souk_time start = RIG_NOW, end = RIG_NOW + 365 * RIG_DAY;
    standing = spend(test, &tiers, &list, standing, start - 1, 999);
    SOUK_CHECK(standing.level == 0 && standing.missing == 1);
    standing = spend(test, &tiers, &list, standing, start, 1);
    SOUK_CHECK(standing.level == 1 && standing.since == start && standing.until == end);
    SOUK_CHECK(standing.missing == 4000 && standing.counted == 1000);
    SOUK_CHECK(judged(test, &tiers, &list, standing, end - 1).level == 1);
    souk_standing grace = judged(test, &tiers, &list, standing, end);
    SOUK_CHECK(grace.level == 1 && grace.in_grace && grace.until == end);
    SOUK_CHECK(judged(test, &tiers, &list, standing, end + 60 * RIG_DAY - 1).level == 1);
    souk_standing lost = judged(test, &tiers, &list, standing, end + 60 * RIG_DAY);
    SOUK_CHECK(lost.level == 0 && !lost.in_grace);
    souk_standing renewed = spend(test, &tiers, &list, standing, end + 59 * RIG_DAY, 1000);
    SOUK_CHECK(renewed.level == 1 && !renewed.in_grace);
    SOUK_CHECK(renewed.until == end + (59 + 365) * RIG_DAY);
}

SOUK_TEST("a year that reached the level again renews it, and gold may fall to silver")
{
    souk_tiers tiers = levels_of(false, 0);
    struct list list = {.count = 0};
    souk_standing standing = {0};
    souk_time end = RIG_NOW + 365 * RIG_DAY;
    standing = spend(test, &tiers, &list, standing, RIG_NOW, 6000);
    SOUK_CHECK(standing.level == 2);
    standing = spend(test, &tiers, &list, standing, end - 10 * RIG_DAY, 1500);
    souk_standing fell = judged(test, &tiers, &list, standing, end + RIG_DAY);
    SOUK_CHECK(fell.level == 2); /* the year that ended holds 7500: renewed */
    SOUK_CHECK(fell.until == end + 365 * RIG_DAY);
    fell = judged(test, &tiers, &list, standing, end + 366 * RIG_DAY);
    SOUK_CHECK(fell.level == 0);
    list.spent[0].minor = 500; /* clawed back since: of the year 2000 are left */
    fell = judged(test, &tiers, &list, standing, end);
    SOUK_CHECK(fell.level == 1 && fell.since == end);
}

SOUK_TEST("a calendar year ends on 31 December, and the year before counts until the grace is over")
{
    souk_tiers tiers = levels_of(true, 31);
    struct list list = {.count = 0};
    souk_standing standing = {0};
    souk_time year = RIG_NOW - 12 * 3600000, next = year + 365 * RIG_DAY;
    standing = spend(test, &tiers, &list, standing, next - RIG_DAY, 1200);
    SOUK_CHECK(standing.level == 1 && standing.until == next);
    standing = judged(test, &tiers, &list, standing, next);
    SOUK_CHECK(standing.level == 1 && standing.until == next + 365 * RIG_DAY && !standing.in_grace);
    SOUK_CHECK(standing.counted == 0 && standing.missing == 5000);
    standing = judged(test, &tiers, &list, standing, standing.until + 30 * RIG_DAY);
    SOUK_CHECK(standing.level == 1 && standing.in_grace);
    standing = judged(test, &tiers, &list, standing, standing.until + 31 * RIG_DAY);
    SOUK_CHECK(standing.level == 0);
}

/* ---- in the ledger -------------------------------------------------------------------------------------------- */

struct reading {
    const souk_tiers *tiers;
    int64_t owner, account;
    souk_time at;
    souk_standing standing;
    unsigned changes;
};

static souk_err count_change(void *context, const souk_tier_change *change)
{
    (void)change;
    ++*(unsigned *)context;
    return SOUK_OK;
}

static souk_err read_standing(souk_tx *tx, void *context)
{
    struct reading *reading = context;
    reading->changes = 0;
    SOUK_TRY(
        souk_tiers_account(tx, RIG_MERCHANT, SOUK_PURSE_ATOM, reading->owner, &reading->account));
    SOUK_TRY(souk_tiers_changes(tx, reading->account, 100, count_change, &reading->changes));
    return souk_tiers_read(tx, reading->tiers, reading->account, reading->at, &reading->standing);
}

static struct reading standing_of(souk_test *test, struct shop *shop, const souk_tiers *tiers,
                                  int64_t owner, souk_time at)
{
    struct reading reading = {.tiers = tiers, .owner = owner, .at = at};
    SOUK_MUST(souk_ledger_read(shop->ledger, read_standing, &reading));
    return reading;
}

static void earn_tier(souk_test *test, struct shop *shop, const souk_tiers *tiers, int64_t owner,
                      uint64_t receipt, int64_t points, souk_time at)
{
    souk_purse purse = {SOUK_PURSE_ATOM, owner};
    souk_points_share share = {.line = 1, .points = points, .spend_minor = 100 * points};
    souk_points_act act = {.kind = SOUK_POINTS_EARNED,
                           .purses = &purse,
                           .purse_count = 1,
                           .receipt = receipt_of(receipt),
                           .at = at,
                           .expires = SOUK_TIME_LAST,
                           .spend_minor = 100 * points,
                           .tiers = tiers,
                           .shares = &share,
                           .share_count = 1};
    SOUK_MUST(points_do(shop, &act, &points, 1, NULL));
}

static void review(souk_test *test, struct shop *shop, const souk_tiers *tiers, souk_time at)
{
    bool more = true;
    while (more)
        SOUK_MUST(souk_tiers_review(shop->ledger, RIG_MERCHANT, tiers, at, 2, &more));
}

SOUK_TEST(
    "an earn lifts the account in its own transaction; a return lowers the year, not the level")
{
    EACH_BANK(shop, .readers = 1)
    {
        int64_t forgiven;
        souk_tiers tiers = levels_of(false, 0);
        earn_tier(test, &shop, &tiers, 42, 1, 12, RIG_NOW);
        struct reading reading = standing_of(test, &shop, &tiers, 42, RIG_NOW);
        SOUK_CHECK(reading.standing.level == 1 && reading.standing.counted == 1200);
        SOUK_CHECK(reading.changes == 1);
        SOUK_MUST(claw_points(&shop, 1, 5, 10, RIG_NOW + 9 * RIG_DAY, 0, &forgiven, NULL));
        reading = standing_of(test, &shop, &tiers, 42, RIG_NOW + 9 * RIG_DAY);
        SOUK_CHECK(reading.standing.level == 1 && reading.standing.counted == 600);
        review(test, &shop, &tiers, RIG_NOW + 365 * RIG_DAY);
        reading = standing_of(test, &shop, &tiers, 42, RIG_NOW + 365 * RIG_DAY);
        SOUK_CHECK(reading.standing.level == 0 && reading.changes == 2);
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM loyalty_standing") == 0);
    }
}

SOUK_TEST("over years a standing is the same whether the job came by each week or never")
{
    EACH_BANK(shop, .readers = 1)
    {
        if (shop.how->real_disk)
            continue; /* a question of sums, not of disks */
        unsigned levels = 0;
        for (int calendar = 0; calendar < 2; calendar++) {
            souk_tiers tiers = levels_of(calendar, 45);
            souk_tiers none = {0};
            souk_time at = RIG_NOW;
            int64_t often = 10 + calendar, never = 20 + calendar;
            souk_standing kept = {0};
            struct list list = {.count = 0};
            for (uint64_t i = 0; i < 50; i++) {
                souk_time until = at + (int64_t)test_random(test, 60) * RIG_DAY;
                for (; at < until; at += 7 * RIG_DAY)
                    review(test, &shop, &tiers, at);
                at = until;
                int64_t points = 1 + (int64_t)test_random(test, 12);
                earn_tier(test, &shop, &tiers, often, 1000 + i, points, at);
                /* the other one's standing is kept by hand, from receipt to receipt */
                earn_tier(test, &shop, &none, never, 2000 + i, points, at);
                kept = spend(test, &tiers, &list, kept, at, 100 * points);
                struct reading one = standing_of(test, &shop, &tiers, often, at);
                SOUK_CHECK(one.standing.level == kept.level && one.standing.until == kept.until);
                SOUK_CHECK(one.standing.counted == kept.counted);
                levels |= 1u << kept.level;
            }
        }
        SOUK_CHECK(levels == 7); /* all were met */
    }
}
