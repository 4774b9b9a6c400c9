/* basket.c - what somebody buys on a day: a function of the world's key, her number and the day, so that a return
 * can find again what it brings back. */
#include "world/inside.h"

/* ---- going out -------------------------------------------------------------------------------------- */

unsigned world_outing_of(const souk_world *world, const struct world_person *person,
                         const struct world_today *today)
{
    bool not_yet = person->joined && today->number < person->joined;
    if (not_yet || today->number >= person->left)
        return 0;
    world_dice dice = world_dice_of(world->key, person->number, today->number, WORLD_OUTING);
    uint32_t trip_ppm = person->trip_ppm / 100 * today->trip_percent;
    unsigned outing = 0;
    if (world_below(&dice, 1000000) < trip_ppm)
        outing = world_percent(&dice, person->online_percent) ? SHOPS | ONLINE : SHOPS;
    if (world_below(&dice, 1000000) < person->browse_ppm)
        outing |= BROWSES;
    return outing;
}

uint32_t world_store_of(const souk_world *world, const struct world_person *person, int32_t day)
{
    world_dice dice = world_dice_of(world->key, person->number, day, WORLD_STORE);
    bool elsewhere = world_percent(&dice, 14);
    uint32_t other = world_below(&dice, world->options.stores);
    return elsewhere ? other : person->home_store;
}

/* ---- what runs out ----------------------------------------------------------------------------------- */

/* Whether it ran out after the day `last` and not after `day`.  She uses it or not, at a pace of her own; the k-th
 * pack is used up around phase + k * interval, a quarter of the interval early or late. */
static bool ran_out(const souk_world *world, const struct world_person *person, uint32_t leaf,
                    int32_t last, int32_t day)
{
    const struct world_leaf *row = &world_leaves[leaf];
    world_dice dice = world_dice_of(world->key, person->number, (int32_t)leaf, WORLD_NEED);
    uint32_t users = world_has(person, row->trait) ? row->with : row->without;
    if (world_below(&dice, 1000) >= users)
        return false;
    int32_t pace =
        (int32_t)(row->interval_days * (60 + world_below(&dice, 91)) / 100); /* 0.6 to 1.5 */
    int32_t interval = pace < 2 ? 2 : pace, spread = interval / 4;
    int32_t phase =
        (int32_t)world_below(&dice, (uint32_t)interval) - 20 * interval; /* before day 0 */
    for (int32_t k = (last - phase - spread) / interval; phase + k * interval - spread <= day;
         k++) {
        world_dice jitter = {dice.state + (uint64_t)k * 0x9e3779b97f4a7c15u * 8};
        int32_t empty =
            phase + k * interval - spread + (int32_t)world_below(&jitter, 2 * (uint32_t)spread + 1);
        if (empty > last && empty <= day)
            return true;
    }
    return false;
}

/* ---- what tempts ------------------------------------------------------------------------------------- */

/* Of a million trips, how many buy it with nothing else in the basket. */
static uint32_t impulse_ppm(const struct world_person *person, const struct world_today *today,
                            uint32_t leaf)
{
    const struct world_leaf *row = &world_leaves[leaf];
    uint32_t ppm = (world_has(person, row->trait) ? row->with : row->without) * 1000u;
    ppm = ppm / 100 * (20 + person->tastes[row->taste] * 8u / 5);
    ppm = ppm / 100 * world_season_percent[row->season][today->month];
    return ppm / 100 * (100u + today->extra_percent[leaf] * person->response);
}

uint32_t world_interest(const struct world_person *person, const struct world_today *today,
                        uint32_t leaf)
{
    const struct world_leaf *row = &world_leaves[leaf];
    if (row->interval_days == 0)
        return impulse_ppm(person, today, leaf);
    return (world_has(person, row->trait) ? row->with : row->without) * 60u;
}

static bool is_tempted(const struct world_person *person, const struct world_today *today,
                       uint32_t leaf, uint64_t in_basket, world_dice *dice)
{
    uint32_t ppm = impulse_ppm(person, today, leaf);
    for (uint32_t i = 0; i < WORLD_COMPLEMENTS; i++)
        if (world_complements[i].effect == leaf && in_basket >> world_complements[i].cause & 1)
            ppm *= world_complements[i].factor;
    return world_below(dice, 1000000) < ppm;
}

/* ---- which one --------------------------------------------------------------------------------------- */

static bool turns_to_rival(const struct world_person *person, const struct world_today *today,
                           uint32_t leaf, uint32_t brand)
{
    return today->risen && leaf == WORLD_RIVAL_LEAF && brand == WORLD_RIVAL_BRAND &&
           person->tastes[SPICY] >= WORLD_RIVAL_TASTE;
}

static uint32_t choose_brand(const souk_world *world, const struct world_person *person,
                             const struct world_today *today, uint32_t leaf, world_dice *dice)
{
    static const uint32_t zipf[WORLD_BRANDS] = {60, 30, 20, 15, 12}; /* 60 / rank */
    static const uint32_t nearness[3] = {3, 2, 1};
    uint32_t shares[WORLD_BRANDS], sum = 0, count = world->brand_count[leaf];
    world_dice favourites =
        world_dice_of(world->key, person->number, (int32_t)leaf, WORLD_FAVOURITE);
    uint32_t favourite = world_pick(&favourites, zipf, 137);
    int wanted = person->tastes[PREMIUM] < 34 ? 1 : person->tastes[PREMIUM] < 67 ? 2 : 3;
    for (uint32_t i = 0; i < count; i++) {
        int apart = world->bands[leaf][i] - wanted;
        shares[i] = zipf[i] * nearness[apart < 0 ? -apart : apart] * (i == favourite ? 5 : 1);
        if (turns_to_rival(person, today, leaf, i))
            shares[i] *= WORLD_RIVAL_FACTOR;
        sum += shares[i];
    }
    return world_pick(dice, shares, sum);
}

uint16_t world_choose_product(const souk_world *world, const struct world_person *person,
                              const struct world_today *today, uint32_t leaf, world_dice *dice)
{
    static const uint32_t zipf[WORLD_VARIETIES] = {12, 6, 4, 3};
    static const uint32_t sums[WORLD_VARIETIES + 1] = {0, 12, 18, 22, 25};
    uint32_t brand = choose_brand(world, person, today, leaf, dice);
    uint32_t variety = world_pick(dice, zipf, sums[world->variety_count[leaf]]);
    if (turns_to_rival(person, today, leaf, brand))
        variety = WORLD_RIVAL_VARIETY;
    bool large = world_percent(dice, person->couple && person->child_count ? 60 : 25);
    return (uint16_t)world_product_at(world, leaf, brand, variety, large);
}

/* ---- the basket -------------------------------------------------------------------------------------- */

uint32_t world_basket_of(const souk_world *world, const struct world_person *person,
                         const struct world_today *today, int32_t last,
                         struct world_line lines[WORLD_LINES])
{
    static const uint32_t quantities[3] = {78, 16, 6};
    world_dice dice = world_dice_of(world->key, person->number, today->number, WORLD_BASKET);
    uint64_t in_basket = 0;
    uint32_t count = 0;
    for (uint32_t leaf = 0; leaf < LEAVES && count < WORLD_LINES; leaf++) {
        bool buys = world_leaves[leaf].interval_days
                        ? ran_out(world, person, leaf, last, today->number)
                        : is_tempted(person, today, leaf, in_basket, &dice);
        if (!buys)
            continue;
        in_basket |= (uint64_t)1 << leaf;
        uint16_t product = world_choose_product(world, person, today, leaf, &dice);
        uint32_t price = world->products[product].price_minor;
        lines[count++] = (struct world_line){
            .price_minor = price - price * today->discount_percent[leaf] / 100,
            .product = product,
            .quantity = (uint8_t)(1 + world_pick(&dice, quantities, 100)),
            .leaf = (uint8_t)leaf,
        };
    }
    return count;
}
