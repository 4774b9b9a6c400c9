/* pricing_test.c - the rules of pricing.h by their examples. */
#include "test/test.h"

#include "algo/pricing_rig.h"

static souk_offer_scope product_scope(const uint32_t *product, uint32_t quantity)
{
    return (souk_offer_scope){.products = product, .product_count = 1, .quantity = quantity};
}

static const uint32_t tea = 1, cup = 2, pot = 3;

/* ---- the rules, one by one ------------------------------------------------------------------------------- */

SOUK_TEST("a base is unit price times quantity, rounded once, half to even")
{
    rig my;
    rig_open(&my, test);
    *rig_line(&my, tea, 1, 0) = (souk_basket_line){
        .product = tea, .quantity = {345000}, .unit_price = {7990000}, .weighed = true};
    SOUK_CHECK(rig_total(&my) == 276); /* 2.75655 */
    my.lines[0].quantity.micro = 500000;
    my.lines[0].unit_price.micro = 50000;
    SOUK_CHECK(rig_total(&my) == 2); /* 0.025 */
    my.lines[0].unit_price.micro = 70000;
    SOUK_CHECK(rig_total(&my) == 4); /* 0.035 */
    rig_close(&my);
}

SOUK_TEST("line offers work in order of priority, then id, each on what is left")
{
    rig my;
    rig_open(&my, test);
    rig_line(&my, tea, 1, 2000);
    rig_offer(&my, SOUK_OFFER_UNIT_PERCENT)->percent_micro = 100000;
    rig_offer(&my, SOUK_OFFER_UNIT_AMOUNT)->amount_minor = 100;
    SOUK_CHECK(rig_total(&my) == 1700);
    my.offers[1].priority = -1;
    SOUK_CHECK(rig_total(&my) == 1710);
    const souk_priced_line *line = &my.priced->lines[0];
    SOUK_CHECK(line->adjustment_count == 2 && line->adjustments[0].offer == 2);
    SOUK_CHECK(line->adjustments[0].amount_minor == -100 &&
               line->adjustments[1].amount_minor == -190);
    SOUK_CHECK(line->adjustments[1].kind == SOUK_OFFER_UNIT_PERCENT);
    rig_close(&my);
}

SOUK_TEST("a percentage rounds once over all it concerns, and each line knows its share")
{
    rig my;
    rig_open(&my, test);
    rig_line(&my, tea, 1, 99);
    rig_line(&my, cup, 1, 99);
    rig_offer(&my, SOUK_OFFER_UNIT_PERCENT)->percent_micro = 150000;
    SOUK_CHECK(rig_total(&my) == 198 - 30);
    SOUK_CHECK(my.priced->lines[0].total_minor == 84 && my.priced->lines[1].total_minor == 84);
    rig_close(&my);
}

SOUK_TEST("an amount off never takes more than a unit costs, a fixed price above it does nothing")
{
    rig my;
    rig_open(&my, test);
    rig_line(&my, tea, 3, 80);
    rig_line(&my, cup, 1, 500);
    rig_offer(&my, SOUK_OFFER_UNIT_AMOUNT)->amount_minor = 100;
    SOUK_CHECK(rig_total(&my) == 400 && my.priced->lines[0].total_minor == 0);
    my.offers[0].kind = SOUK_OFFER_UNIT_PRICE;
    SOUK_CHECK(rig_total(&my) == 240 + 100);
    SOUK_CHECK(my.priced->lines[0].adjustment_count == 0);
    rig_close(&my);
}

SOUK_TEST("a weighed line takes an amount off, or a fixed price, for its weight")
{
    rig my;
    rig_open(&my, test);
    rig_line(&my, tea, 1, 1000);
    my.lines[0].quantity.micro = 1250000;
    my.lines[0].weighed = true;
    rig_offer(&my, SOUK_OFFER_UNIT_AMOUNT)->amount_minor = 200;
    SOUK_CHECK(rig_total(&my) == 1250 - 250);
    SOUK_CHECK(my.priced->lines[0].adjustments[0].quantity.micro == 1250000);
    my.offers[0].kind = SOUK_OFFER_UNIT_PRICE;
    my.offers[0].amount_minor = 799;
    SOUK_CHECK(rig_total(&my) == 999); /* 9.9875 */
    rig_close(&my);
}

SOUK_TEST("3 for 2 takes the dearest units first and gives the cheapest of each set")
{
    rig my;
    rig_open(&my, test);
    static const int64_t prices[] = {300, 50, 500, 100, 400, 200, 300};
    for (uint32_t i = 0; i < 7; i++)
        rig_line(&my, 10 + i, 1, prices[i]);
    souk_offer *offer = rig_offer(&my, SOUK_OFFER_N_FOR_M);
    offer->take = 3;
    offer->pay = 2;
    SOUK_CHECK(rig_total(&my) == 1850 - 400);
    SOUK_CHECK(my.priced->lines[1].adjustment_count == 0); /* the one for 50 is left over */
    SOUK_CHECK(my.priced->lines[2].total_minor > 0 && my.priced->lines[2].total_minor < 500);
    SOUK_CHECK(my.priced->held_count == 1 && my.priced->held[0].times == 2);
    offer->most_times = 1;
    SOUK_CHECK(rig_total(&my) == 1850 - 300);
    rig_close(&my);
}

SOUK_TEST("3 for a price holds for the sets that cost more")
{
    rig my;
    rig_open(&my, test);
    static const int64_t prices[] = {300, 500, 100, 400, 200, 300};
    for (uint32_t i = 0; i < 6; i++)
        rig_line(&my, 10 + i, 1, prices[i]);
    souk_offer *offer = rig_offer(&my, SOUK_OFFER_N_FOR_PRICE);
    offer->take = 3;
    offer->amount_minor = 1000;
    SOUK_CHECK(rig_total(&my) == 1800 - 200);
    offer->amount_minor = 1300;
    SOUK_CHECK(rig_total(&my) == 1800);
    rig_close(&my);
}

SOUK_TEST("a unit is in one set only, and a bundle takes what is left")
{
    rig my;
    rig_open(&my, test);
    rig_line(&my, tea, 4, 500);
    rig_line(&my, cup, 2, 300);
    souk_offer *offer = rig_offer(&my, SOUK_OFFER_N_FOR_M);
    souk_offer_scope only_tea = product_scope(&tea, 0);
    souk_offer_scope both[] = {product_scope(&tea, 1), product_scope(&cup, 1)};
    offer->take = 3;
    offer->pay = 2;
    offer->scopes = &only_tea;
    souk_offer *bundle = rig_offer(&my, SOUK_OFFER_BUNDLE_PRICE);
    bundle->scopes = both;
    bundle->scope_count = 2;
    bundle->amount_minor = 700;
    SOUK_CHECK(rig_total(&my) == 2600 - 500 - 100); /* one tea is left for one bundle */
    SOUK_CHECK(my.priced->held_count == 2 && my.priced->held[1].times == 1);
    bundle->priority = -1;
    SOUK_CHECK(rig_total(&my) == 2600 - 200); /* two bundles leave two teas */
    bundle->kind = SOUK_OFFER_BUNDLE_PERCENT;
    bundle->amount_minor = 0;
    bundle->percent_micro = 250000;
    SOUK_CHECK(rig_total(&my) == 2600 - 400);
    rig_close(&my);
}

SOUK_TEST("of a group only the best for the shopper holds on a unit")
{
    rig my;
    rig_open(&my, test);
    souk_basket_line *line = rig_line(&my, tea, 3, 500);
    souk_offer *percent = rig_offer(&my, SOUK_OFFER_UNIT_PERCENT);
    percent->percent_micro = 200000;
    souk_offer *sets = rig_offer(&my, SOUK_OFFER_N_FOR_M);
    sets->take = 3;
    sets->pay = 2;
    SOUK_CHECK(rig_total(&my) == 1200 - 400); /* without a group they add up */
    percent->group = sets->group = 7;
    SOUK_CHECK(rig_total(&my) == 1000);
    line->quantity.micro = 4000000;
    SOUK_CHECK(rig_total(&my) == 1000 + 400);
    percent->percent_micro = 400000;
    SOUK_CHECK(rig_total(&my) == 1200 && my.priced->held_count == 1);
    rig_close(&my);
}

SOUK_TEST("of equal offers of a group the lower priority holds, then the lower id")
{
    rig my;
    rig_open(&my, test);
    rig_line(&my, tea, 1, 1000);
    souk_offer *amount = rig_offer(&my, SOUK_OFFER_UNIT_AMOUNT);
    souk_offer *percent = rig_offer(&my, SOUK_OFFER_UNIT_PERCENT);
    amount->group = percent->group = 1;
    amount->amount_minor = 100;
    percent->percent_micro = 100000;
    SOUK_CHECK(rig_total(&my) == 900 && my.priced->held[0].offer == 1);
    amount->priority = 1;
    SOUK_CHECK(rig_total(&my) == 900 && my.priced->held[0].offer == 2);
    rig_close(&my);
}

SOUK_TEST("within a group each product has its own best offer")
{
    rig my;
    rig_open(&my, test);
    rig_line(&my, tea, 1, 200);
    rig_line(&my, pot, 1, 1000);
    souk_offer *amount = rig_offer(&my, SOUK_OFFER_UNIT_AMOUNT);
    souk_offer *percent = rig_offer(&my, SOUK_OFFER_UNIT_PERCENT);
    amount->group = percent->group = 1;
    amount->amount_minor = 100;
    percent->percent_micro = 200000;
    SOUK_CHECK(rig_total(&my) == 1200 - 100 - 200);
    rig_close(&my);
}

SOUK_TEST(
    "basket offers act on the subtotal, each on what is left, thresholds on what line offers left")
{
    rig my;
    rig_open(&my, test);
    rig_line(&my, tea, 1, 15000);
    rig_line(&my, cup, 1, 5000);
    rig_offer(&my, SOUK_OFFER_BASKET_PERCENT)->percent_micro = 50000;
    souk_offer *amount = rig_offer(&my, SOUK_OFFER_BASKET_AMOUNT);
    amount->amount_minor = 1000;
    SOUK_CHECK(rig_total(&my) == 18000);
    SOUK_CHECK(my.priced->lines[0].total_minor == 13500 && my.priced->lines[1].total_minor == 4500);
    amount->least_minor = 20000; /* reached before the 5 % */
    SOUK_CHECK(rig_total(&my) == 18000);
    amount->least_minor = 20001;
    SOUK_CHECK(rig_total(&my) == 19000);
    amount->least_minor = 6000;
    amount->most_times = 5;
    SOUK_CHECK(rig_total(&my) == 19000 - 3000 && my.priced->held[1].times == 3);
    amount->most_minor = 2500;
    SOUK_CHECK(rig_total(&my) == 19000 - 2500);
    rig_close(&my);
}

SOUK_TEST("a threshold gives the cheapest units of its gift scope")
{
    rig my;
    rig_open(&my, test);
    rig_line(&my, pot, 1, 6000);
    rig_line(&my, cup, 2, 300);
    souk_offer_scope scopes[] = {{0}, product_scope(&cup, 1)};
    souk_offer *gift = rig_offer(&my, SOUK_OFFER_BASKET_FREE);
    gift->scopes = scopes;
    gift->scope_count = 2;
    gift->least_minor = 5000;
    SOUK_CHECK(rig_total(&my) == 6300 && my.priced->lines[1].total_minor == 300);
    SOUK_CHECK(my.priced->lines[1].adjustments[0].quantity.micro == 1000000);
    rig_close(&my);
}

SOUK_TEST("an exclusive offer stands alone where that is cheaper")
{
    rig my;
    rig_open(&my, test);
    rig_line(&my, tea, 1, 1000);
    rig_offer(&my, SOUK_OFFER_UNIT_PERCENT)->percent_micro = 100000;
    rig_offer(&my, SOUK_OFFER_BASKET_AMOUNT)->amount_minor = 100;
    souk_offer *alone = rig_offer(&my, SOUK_OFFER_UNIT_PERCENT);
    alone->percent_micro = 200000;
    alone->exclusive = true;
    SOUK_CHECK(rig_total(&my) == 800 && my.priced->held_count == 2); /* equal: the ordinary ones */
    alone->percent_micro = 300000;
    SOUK_CHECK(rig_total(&my) == 700 && my.priced->held_count == 1);
    alone->percent_micro = 100000;
    SOUK_CHECK(rig_total(&my) == 800 && my.priced->held_count == 2);
    rig_close(&my);
}

SOUK_TEST("limits, ceilings and coupons bound what an offer takes")
{
    rig my;
    rig_open(&my, test);
    rig_line(&my, tea, 5, 1000);
    rig_line(&my, cup, 1, 2000);
    souk_offer *offer = rig_offer(&my, SOUK_OFFER_UNIT_PERCENT);
    offer->percent_micro = 500000;
    offer->most_times = 2;
    SOUK_CHECK(rig_total(&my) == 7000 - 1000 - 500 && my.priced->held[0].times == 2);
    offer->most_minor = 1200;
    SOUK_CHECK(rig_total(&my) == 7000 - 1200);
    offer->most_minor = 0;
    offer->coupon = 9;
    SOUK_CHECK(rig_total(&my) == 7000);
    souk_coupons coupons[] = {{4, 1}, {9, 1}};
    my.basket.coupons = coupons;
    my.basket.coupon_count = 2;
    SOUK_CHECK(rig_total(&my) == 7000 - 1000 && my.priced->held[0].coupons == 1);
    offer->most_times = 0;
    SOUK_CHECK(rig_total(&my) == 3500 && my.priced->held[0].coupons == 1);
    rig_offer(&my, SOUK_OFFER_BASKET_AMOUNT)->amount_minor = 100;
    my.offers[1].coupon = 9; /* the only one is gone */
    SOUK_CHECK(rig_total(&my) == 3500);
    rig_close(&my);
}

SOUK_TEST("conditions of time, store and member decide whether an offer is in force")
{
    rig my;
    rig_open(&my, test);
    rig_line(&my, tea, 1, 1000);
    souk_offer *offer = rig_offer(&my, SOUK_OFFER_UNIT_AMOUNT);
    offer->amount_minor = 1;
    offer->from = 1000;
    offer->until = 1001;
    SOUK_CHECK(rig_total(&my) == 999);
    my.basket.now = 1001;
    SOUK_CHECK(rig_total(&my) == 1000);
    offer->from = offer->until = 0;
    offer->weekdays = 1 << 2;
    offer->minute_from = 22 * 60;
    offer->minute_until = 2 * 60; /* Wednesday night */
    SOUK_CHECK(rig_total(&my) == 1000);
    my.basket.minute = 23 * 60;
    SOUK_CHECK(rig_total(&my) == 999);
    my.basket.weekday = 3;
    SOUK_CHECK(rig_total(&my) == 1000);
    my.basket.minute = 60;
    SOUK_CHECK(rig_total(&my) == 999);
    uint32_t stores[] = {5, 3}, audiences[] = {8, 6}, mine[] = {2, 6};
    offer->stores = stores;
    offer->store_count = 2;
    SOUK_CHECK(rig_total(&my) == 1000);
    my.basket.store = 3;
    SOUK_CHECK(rig_total(&my) == 999);
    offer->audiences = audiences;
    offer->audience_count = 2;
    SOUK_CHECK(rig_total(&my) == 1000);
    my.basket.audiences = mine;
    my.basket.audience_count = 2;
    SOUK_CHECK(rig_total(&my) == 999);
    offer->tiers = 6;
    SOUK_CHECK(rig_total(&my) == 1000);
    my.basket.tier = 2;
    SOUK_CHECK(rig_total(&my) == 999);
    rig_close(&my);
}

SOUK_TEST("scopes include by product or tag, exclude, and never mean lines without offers")
{
    rig my;
    rig_open(&my, test);
    uint32_t snack = 100, organic = 101, both[] = {100, 101};
    *rig_line(&my, 1, 1, 100) = (souk_basket_line){.product = 1,
                                                   .quantity = {1000000},
                                                   .unit_price = {1000000},
                                                   .tags = &snack,
                                                   .tag_count = 1};
    my.lines[1] = my.lines[2] = my.lines[3] = my.lines[0];
    my.lines[1].product = 2;
    my.lines[1].tags = both;
    my.lines[1].tag_count = 2;
    my.lines[2].product = 3;
    my.lines[2].no_offers = true;
    my.lines[3].product = 4;
    my.lines[3].tag_count = 0;
    my.basket.line_count = 4;
    souk_offer_scope scope = {.tags = &snack, .tag_count = 1};
    souk_offer *offer = rig_offer(&my, SOUK_OFFER_UNIT_AMOUNT);
    offer->amount_minor = 10;
    offer->scopes = &scope;
    SOUK_CHECK(rig_total(&my) == 400 - 20);
    scope.not_tags = &organic;
    scope.not_tag_count = 1;
    SOUK_CHECK(rig_total(&my) == 400 - 10 && my.priced->lines[0].total_minor == 90);
    scope = (souk_offer_scope){.not_products = &tea, .not_product_count = 1};
    SOUK_CHECK(rig_total(&my) == 400 - 20 && my.priced->lines[3].total_minor == 90);
    rig_close(&my);
}

SOUK_TEST("hints tell what is missing to an offer that nearly holds")
{
    rig my;
    rig_open(&my, test);
    rig_line(&my, tea, 2, 400);
    souk_offer *sets = rig_offer(&my, SOUK_OFFER_N_FOR_M);
    sets->take = 3;
    sets->pay = 2;
    souk_offer *spend = rig_offer(&my, SOUK_OFFER_BASKET_AMOUNT);
    spend->amount_minor = 100;
    spend->least_minor = 1000;
    souk_offer_scope scopes[] = {product_scope(&tea, 1), product_scope(&cup, 1)};
    souk_offer *bundle = rig_offer(&my, SOUK_OFFER_BUNDLE_PRICE);
    bundle->amount_minor = 1;
    bundle->scopes = scopes;
    bundle->scope_count = 2;
    SOUK_CHECK(rig_total(&my) == 800 && my.priced->hint_count == 3);
    const souk_hint *hints = my.priced->hints;
    SOUK_CHECK(hints[0].offer == 1 && hints[0].kind == SOUK_HINT_QUANTITY);
    SOUK_CHECK(hints[0].quantity.micro == 1000000);
    SOUK_CHECK(hints[1].offer == 3 && hints[1].quantity.micro == 1000000);
    SOUK_CHECK(hints[2].offer == 2 && hints[2].kind == SOUK_HINT_AMOUNT);
    SOUK_CHECK(hints[2].amount_minor == 200);
    spend->least_minor = 1100; /* 8.00 are less than three quarters */
    SOUK_CHECK(rig_total(&my) == 800 && my.priced->hint_count == 2);
    rig_close(&my);
}
