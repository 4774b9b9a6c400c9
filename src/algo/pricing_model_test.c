/* pricing_model_test.c - the engine against pricing_model.h on random books and baskets, and laws that hold whatever
 * the rules are. */
#include "test/test.h"

#include "algo/pricing_model.h"
#include "algo/pricing_rig.h"

enum { PRODUCTS = 12, TAGS = 6, SCOPES = 3 };

/* A random book and basket, with the lists they point to. */
typedef struct world {
    rig my;
    uint32_t line_tags[PRODUCTS][2], names[RIG_OFFERS][SCOPES][4][3];
    souk_offer_scope scopes[RIG_OFFERS][SCOPES];
    uint32_t stores[2], audiences[2];
    souk_coupons coupons[2];
    model model;
    model_claim claim;
} world;

static size_t fill_names(souk_test *test, uint32_t *names, uint64_t below, size_t most)
{
    size_t count = test_random(test, most + 1);
    for (size_t i = 0; i < count; i++)
        names[i] = (uint32_t)test_random(test, below);
    return count;
}

static void fill_scope(souk_test *test, souk_offer_scope *scope, uint32_t names[4][3])
{
    *scope = (souk_offer_scope){names[0], names[1], names[2], names[3], 0, 0, 0, 0, 0};
    scope->product_count = fill_names(test, names[0], PRODUCTS, 3);
    scope->tag_count = fill_names(test, names[1], TAGS, 2);
    if (test_random(test, 4) == 0) {
        scope->not_product_count = fill_names(test, names[2], PRODUCTS, 2);
        scope->not_tag_count = fill_names(test, names[3], TAGS, 1);
    }
}

static void fill_conditions(souk_test *test, world *all, souk_offer *offer)
{
    if (test_random(test, 5) == 0)
        offer->least_quantity.micro = (int64_t)test_random(test, 6) * 1000000;
    if (test_random(test, offer->kind >= SOUK_OFFER_BASKET_AMOUNT ? 2 : 5) == 0)
        offer->least_minor = (int64_t)test_random(test, 3000);
    if (test_random(test, 8) == 0)
        offer->weekdays = (uint8_t)(1 + test_random(test, 127));
    if (test_random(test, 8) == 0) {
        offer->minute_from = (uint16_t)test_random(test, 1440);
        offer->minute_until = (uint16_t)((offer->minute_from + 1 + test_random(test, 1438)) % 1440);
    }
    if (test_random(test, 10) == 0) {
        offer->stores = all->stores;
        offer->store_count = 2;
    }
    if (test_random(test, 10) == 0) {
        offer->audiences = all->audiences;
        offer->audience_count = 2;
    }
    if (test_random(test, 10) == 0)
        offer->tiers = 1 + test_random(test, 15);
    if (test_random(test, 6) == 0)
        offer->coupon = (uint32_t)(1 + test_random(test, 3));
    if (test_random(test, 4) == 0)
        offer->most_times = (uint32_t)(1 + test_random(test, 4));
    if (test_random(test, 6) == 0)
        offer->most_minor = (int64_t)(1 + test_random(test, 500));
}

static void fill_offer(souk_test *test, world *all, size_t at)
{
    souk_offer *offer = &all->my.offers[at];
    *offer = (souk_offer){.id = at * 7 % 61 + 1,
                          .priority = (int32_t)test_random(test, 4) - 1,
                          .kind = (souk_offer_kind)test_random(test, SOUK_OFFER_KIND_COUNT),
                          .scopes = all->scopes[at],
                          .scope_count = 1,
                          .exclusive = test_random(test, 8) == 0};
    bool bundle =
        offer->kind == SOUK_OFFER_BUNDLE_PRICE || offer->kind == SOUK_OFFER_BUNDLE_PERCENT;
    bool basket = offer->kind >= SOUK_OFFER_BASKET_AMOUNT;
    for (size_t i = 0; i < SCOPES; i++) {
        fill_scope(test, &all->scopes[at][i], all->names[at][i]);
        if (bundle || (offer->kind == SOUK_OFFER_BASKET_FREE && i == 1))
            all->scopes[at][i].quantity = (uint32_t)(1 + test_random(test, 3));
    }
    offer->scope_count = bundle                                  ? 2 + test_random(test, 2)
                         : offer->kind == SOUK_OFFER_BASKET_FREE ? 2
                                                                 : 1;
    offer->group = (uint32_t)test_random(test, 4);
    offer->group += offer->group && basket ? 10 : 0;
    if (offer->kind == SOUK_OFFER_N_FOR_M || offer->kind == SOUK_OFFER_N_FOR_PRICE)
        offer->take = (uint32_t)(2 + test_random(test, 4));
    if (offer->kind == SOUK_OFFER_N_FOR_M)
        offer->pay = (uint32_t)(1 + test_random(test, offer->take - 1));
    else if (offer->kind == SOUK_OFFER_UNIT_PERCENT || offer->kind == SOUK_OFFER_BUNDLE_PERCENT ||
             offer->kind == SOUK_OFFER_BASKET_PERCENT)
        offer->percent_micro =
            (uint32_t)(1 + test_random(test, test_random(test, 6) ? 400000 : 1000000));
    else if (offer->kind != SOUK_OFFER_BASKET_FREE)
        offer->amount_minor =
            (int64_t)(1 + test_random(test, offer->kind >= SOUK_OFFER_N_FOR_PRICE ? 1500 : 300));
    fill_conditions(test, all, offer);
}

static void fill_line(souk_test *test, world *all, souk_basket_line *line)
{
    uint32_t product = (uint32_t)test_random(test, PRODUCTS);
    *line = (souk_basket_line){.product = product,
                               .tags = all->line_tags[product],
                               .tag_count = 1 + product % 2,
                               .weighed = product % 5 == 4,
                               .no_offers = product == 7,
                               .tax_class = product % 3,
                               .unit_price = {(int64_t)(1 + product * 73 % 900) * 10000},
                               .quantity = {(int64_t)(1 + test_random(test, 4)) * 1000000}};
    if (test_random(test, 6) == 0)
        line->unit_price.micro = (int64_t)(test_random(test, 1000)) * 10000;
    if (product == 3)
        line->unit_price.micro += 3300; /* not whole cents */
    if (line->weighed)
        line->quantity.micro = (int64_t)(1 + test_random(test, 3000)) * 1000;
    if (test_random(test, 12) == 0 && !line->weighed)
        line->quantity.micro *= 8;
}

static void fill_world(souk_test *test, world *all, size_t offers)
{
    rig *my = &all->my;
    for (uint32_t i = 0; i < PRODUCTS; i++) {
        all->line_tags[i][0] = i % TAGS;
        all->line_tags[i][1] = i / 3 % TAGS;
    }
    all->stores[0] = 3;
    all->stores[1] = 1;
    all->audiences[0] = 5;
    all->audiences[1] = 2;
    all->coupons[0] = (souk_coupons){1, (uint32_t)test_random(test, 4)};
    all->coupons[1] = (souk_coupons){2, (uint32_t)test_random(test, 2)};
    my->offer_count = offers;
    for (size_t i = 0; i < offers; i++)
        fill_offer(test, all, i);
    my->basket.line_count = test_random(test, test_random(test, 4) ? 11 : RIG_LINES);
    for (size_t i = 0; i < my->basket.line_count; i++)
        fill_line(test, all, &my->lines[i]);
    for (size_t i = 0; i < my->basket.line_count && my->basket.line_count > 10; i++)
        if (my->lines[i].quantity.micro > 4000000) /* the model holds MODEL_UNITS */
            my->lines[i].quantity.micro = 4000000;
    my->basket.store = (uint32_t)test_random(test, 4);
    my->basket.tier = (uint32_t)test_random(test, 4);
    my->basket.weekday = (unsigned)test_random(test, 7);
    my->basket.minute = (unsigned)test_random(test, 1440);
    my->basket.audiences = all->audiences + 1;
    my->basket.audience_count = test_random(test, 2);
    my->basket.coupons = all->coupons;
    my->basket.coupon_count = 2;
}

/* ---- the model ------------------------------------------------------------------------------------------- */

static size_t place_of(const model *said, uint64_t offer)
{
    for (size_t i = 0; i < said->offer_count; i++)
        if (said->offers[i]->id == offer)
            return i;
    return SIZE_MAX;
}

/* What differs, in words, or NULL. */
static const char *difference(const souk_priced *priced, const model *said)
{
    if (priced->total_minor != said->total)
        return "the total";
    for (size_t i = 0; i < priced->line_count; i++) {
        const souk_priced_line *line = &priced->lines[i];
        int64_t sum = line->base_minor, count = 0;
        if (line->base_minor != said->base[i])
            return "a base";
        for (size_t k = 0; k < line->adjustment_count; k++) {
            size_t at = place_of(said, line->adjustments[k].offer);
            if (at == SIZE_MAX)
                return "an offer that is not in force";
            if (line->adjustments[k].amount_minor != -said->off[i][at])
                return "an adjustment";
            if (line->adjustments[k].quantity.micro != said->quantity[i][at])
                return "a quantity";
        }
        for (size_t k = 0; k < said->offer_count; k++) {
            sum -= said->off[i][k];
            count += said->off[i][k] != 0;
        }
        if (sum != line->total_minor || (size_t)count != line->adjustment_count)
            return "a line";
    }
    for (size_t i = 0; i < priced->held_count; i++) {
        size_t at = place_of(said, priced->held[i].offer);
        if (at == SIZE_MAX || said->times[at] != priced->held[i].times ||
            said->used[at] != priced->held[i].coupons)
            return "the times an offer held";
    }
    return NULL;
}

SOUK_TEST("random books and baskets price as the model says, and a planted error is noticed")
{
    static world all;
    unsigned noticed = 0, planted = 0;
    rig_open(&all.my, test);
    for (int round = 0; round < 1500; round++) {
        all.my.basket.exponent = test_random(test, 4) ? 2 : 0;
        fill_world(test, &all, test_random(test, test_random(test, 3) ? 8 : 24));
        (void)rig_total(&all.my);
        model_price(&all.model, all.my.offers, all.my.offer_count, &all.my.basket, &all.claim);
        const char *wrong = difference(all.my.priced, &all.model);
        if (wrong)
            test_fail(test, __FILE__, __LINE__, "round %d: %s differs: %lld, not %lld", round,
                      wrong, (long long)all.my.priced->total_minor, (long long)all.model.total);
        if (all.my.priced->held_count == 0 || noticed > 20)
            continue;
        for (size_t i = 0; i < all.my.offer_count;
             i++) /* the offer that holds takes a little more */
            if (all.my.offers[i].id == all.my.priced->held[0].offer) {
                all.my.offers[i].amount_minor += all.my.offers[i].amount_minor != 0;
                all.my.offers[i].percent_micro += all.my.offers[i].percent_micro ? 99999 : 0;
                all.my.offers[i].percent_micro %= SOUK_PERCENT_ALL + 1;
            }
        planted++;
        (void)rig_total(&all.my);
        noticed += difference(all.my.priced, &all.model) != NULL;
    }
    SOUK_CHECK(noticed > 20 && noticed > planted / 4);
    rig_close(&all.my);
}

/* ---- laws ------------------------------------------------------------------------------------------------ */

typedef struct told {
    int64_t total, lines[RIG_LINES];
    size_t held;
} told;

static told tell(rig *my)
{
    told all = {.total = rig_total(my), .held = my->priced->held_count};
    for (size_t i = 0; i < my->priced->line_count; i++)
        all.lines[i] = my->priced->lines[i].total_minor;
    return all;
}

SOUK_TEST("the order of offers in memory changes nothing")
{
    static world all;
    rig_open(&all.my, test);
    for (int round = 0; round < 300; round++) {
        fill_world(test, &all, 16);
        told before = tell(&all.my);
        for (size_t i = all.my.offer_count; i > 1; i--) {
            size_t at = test_random(test, i);
            souk_offer swap = all.my.offers[i - 1];
            all.my.offers[i - 1] = all.my.offers[at];
            all.my.offers[at] = swap;
        }
        told after = tell(&all.my);
        SOUK_CHECK(!memcmp(&before, &after, sizeof before));
    }
    rig_close(&all.my);
}

SOUK_TEST("the order of scanning changes no line")
{
    static world all;
    rig_open(&all.my, test);
    for (int round = 0; round < 300; round++) {
        fill_world(test, &all, 16);
        size_t count = all.my.basket.line_count, places[RIG_LINES];
        for (size_t i = 0; i < count; i++) /* lines of one item are told apart by quantity only */
            for (size_t k = 0; k < i; k++)
                if (all.my.lines[i].product == all.my.lines[k].product)
                    all.my.lines[i].quantity = all.my.lines[k].quantity;
        told before = tell(&all.my);
        souk_basket_line lines[RIG_LINES];
        for (size_t i = 0; i < count; i++) {
            lines[i] = all.my.lines[i];
            places[i] = i;
        }
        for (size_t i = count; i > 1; i--) {
            size_t at = test_random(test, i), swap = places[i - 1];
            places[i - 1] = places[at];
            places[at] = swap;
        }
        for (size_t i = 0; i < count; i++)
            all.my.lines[i] = lines[places[i]];
        told after = tell(&all.my);
        SOUK_CHECK(before.total == after.total && before.held == after.held);
        int64_t sums[2][PRODUCTS] = {{0}};
        for (size_t i = 0; i < count; i++) {
            sums[0][lines[i].product] += before.lines[i];
            sums[1][all.my.lines[i].product] += after.lines[i];
        }
        SOUK_CHECK(!memcmp(sums[0], sums[1], sizeof sums[0]));
    }
    rig_close(&all.my);
}

SOUK_TEST("two lines of a product price as one line with both quantities")
{
    static world all;
    unsigned split = 0;
    rig_open(&all.my, test);
    for (int round = 0; round < 600; round++) {
        fill_world(test, &all, 16);
        if (all.my.basket.line_count == 0 || all.my.basket.line_count == RIG_LINES)
            continue;
        told before = tell(&all.my);
        size_t at = test_random(test, all.my.basket.line_count);
        souk_basket_line *line = &all.my.lines[at],
                         *other = &all.my.lines[all.my.basket.line_count];
        int64_t pieces = line->quantity.micro / 1000000;
        if (line->weighed || line->product == 3 || pieces < 2)
            continue;
        *other = *line;
        other->quantity.micro = (int64_t)(1 + test_random(test, (uint64_t)pieces - 1)) * 1000000;
        line->quantity.micro -= other->quantity.micro;
        all.my.basket.line_count++;
        told after = tell(&all.my);
        SOUK_CHECK(before.total == after.total && before.held == after.held);
        int64_t sums[2][PRODUCTS] = {{0}};
        for (size_t i = 0; i < all.my.basket.line_count; i++) {
            sums[0][all.my.lines[i].product] += before.lines[i];
            sums[1][all.my.lines[i].product] += after.lines[i];
        }
        SOUK_CHECK(!memcmp(sums[0], sums[1], sizeof sums[0]));
        split++;
    }
    SOUK_CHECK(split > 100);
    rig_close(&all.my);
}

SOUK_TEST("another line leaves every base as it was, and its price is the most that it adds")
{
    static world all;
    rig_open(&all.my, test);
    for (int round = 0; round < 300; round++) {
        fill_world(test, &all, 16);
        (void)rig_total(&all.my);
        int64_t bases[RIG_LINES], base = all.my.priced->base_minor;
        for (size_t i = 0; i < all.my.basket.line_count; i++)
            bases[i] = all.my.priced->lines[i].base_minor;
        fill_line(test, &all, &all.my.lines[all.my.basket.line_count++]);
        (void)rig_total(&all.my);
        for (size_t i = 0; i + 1 < all.my.basket.line_count; i++)
            SOUK_CHECK(all.my.priced->lines[i].base_minor == bases[i]);
        int64_t added = all.my.priced->lines[all.my.basket.line_count - 1].base_minor;
        SOUK_CHECK(all.my.priced->base_minor == base + added);
    }
    rig_close(&all.my);
}

SOUK_TEST(
    "a group is at least as good for the shopper as the best of its offers alone, but for rounding")
{
    static world all;
    unsigned several = 0;
    rig_open(&all.my, test);
    for (int round = 0; round < 300; round++) {
        souk_offer offers[6];
        fill_world(test, &all, 6);
        for (size_t i = 0; i < 6; i++) {
            while (all.my.offers[i].kind >= SOUK_OFFER_BASKET_AMOUNT)
                fill_offer(test, &all, i);
            all.my.offers[i].group = 1;
            all.my.offers[i].exclusive = false;
            all.my.offers[i].coupon = 0;
        }
        memcpy(offers, all.my.offers, sizeof offers);
        int64_t together = rig_total(&all.my);
        several += all.my.priced->held_count > 1;
        all.my.offer_count = 1;
        for (size_t i = 0; i < 6; i++) {
            all.my.offers[0] = offers[i];
            SOUK_CHECK(together <=
                       rig_total(&all.my) + 6); /* half a cent each, and what shares of it win */
        }
    }
    SOUK_CHECK(several > 20);
    rig_close(&all.my);
}

SOUK_TEST("lines that no offer means change no other line, however many they are")
{
    enum { OTHERS = 90 };
    static world all;
    static souk_basket_line lines[RIG_LINES + OTHERS];
    rig_open(&all.my, test);
    for (int round = 0; round < 300; round++) {
        fill_world(test, &all, 16);
        for (size_t i = 0; i < all.my.offer_count; i++)
            for (size_t k = 0; k < SCOPES; k++) /* none means everything */
                if (all.scopes[i][k].product_count + all.scopes[i][k].tag_count == 0)
                    all.scopes[i][k].tag_count = 1;
        told before = tell(&all.my);
        size_t count = all.my.basket.line_count;
        for (size_t i = 0; i < OTHERS; i++)
            lines[i] = (souk_basket_line){.product = 1000 + (uint32_t)i * 7,
                                          .quantity = {3000000},
                                          .unit_price = {(int64_t)test_random(test, 500) * 10000}};
        memcpy(lines + OTHERS, all.my.lines, count * sizeof *lines);
        all.my.basket.lines = lines;
        all.my.basket.line_count = OTHERS + count;
        int64_t others = 0, total = rig_total(&all.my);
        for (size_t i = 0; i < OTHERS; i++)
            others += all.my.priced->lines[i].total_minor;
        SOUK_CHECK(total == before.total + others && all.my.priced->held_count == before.held);
        for (size_t i = 0; i < count; i++)
            SOUK_CHECK(all.my.priced->lines[OTHERS + i].total_minor == before.lines[i]);
        all.my.basket.lines = all.my.lines;
    }
    rig_close(&all.my);
}

/* 10 % off, then 1 off, of prices in thousands: nothing is rounded, so places behind the point are all zero. */
SOUK_TEST("a currency with more places gives the same prices in more digits")
{
    static world all;
    rig_open(&all.my, test);
    for (int round = 0; round < 300; round++) {
        fill_world(test, &all, 6);
        all.my.basket.exponent = 0;
        for (size_t i = 0; i < all.my.offer_count; i++) {
            souk_offer *offer = &all.my.offers[i];
            offer->kind = i % 2    ? SOUK_OFFER_UNIT_AMOUNT
                          : i == 4 ? SOUK_OFFER_BASKET_PERCENT
                                   : SOUK_OFFER_UNIT_PERCENT;
            offer->amount_minor = i % 2 ? 1000 : 0;
            offer->percent_micro = i % 2 ? 0 : 100000;
            offer->scope_count = 1;
            offer->group = offer->take = offer->pay = all.scopes[i][0].quantity = 0;
            offer->most_minor = 0;
        }
        for (size_t i = 0; i < all.my.basket.line_count; i++) {
            all.my.lines[i].unit_price.micro = (int64_t)(1 + test_random(test, 9)) * 1000000000000;
            all.my.lines[i].quantity.micro = (int64_t)(1 + test_random(test, 5)) * 1000000;
        }
        told before = tell(&all.my);
        all.my.basket.exponent = 2;
        for (size_t i = 0; i < all.my.offer_count; i++) {
            all.my.offers[i].amount_minor *= 100;
            all.my.offers[i].least_minor *= 100;
        }
        told after = tell(&all.my);
        SOUK_CHECK(before.total * 100 == after.total && before.held == after.held);
        for (size_t i = 0; i < all.my.basket.line_count; i++)
            SOUK_CHECK(before.lines[i] * 100 == after.lines[i]);
    }
    rig_close(&all.my);
}
