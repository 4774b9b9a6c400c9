/* shelf_price_test.c - of very many prices only those are forgotten that could hold no more. */
#include "service/checkout/shelf_inside.h"

#include "test/test.h"

enum { TOLD = 12000, STORES = 3, BEGUN = 100000000, NOW = BEGUN + 1000000 };

/* The last one told of a store and moment, and of those that hold the store's own, then the one that began last. */
static const shelf_price *find_plainly(const shelf_price *told, size_t count, uint32_t store,
                                       souk_time at)
{
    const shelf_price *best = NULL;
    for (size_t i = 0; i < count; i++) {
        const shelf_price *price = &told[i];
        if (price->ends || price->from > at || (price->until && at >= price->until) ||
            (price->store && price->store != store))
            continue;
        if (!best || (price->store && !best->store) ||
            (!price->store == !best->store && price->from > best->from))
            best = price;
    }
    return best;
}

SOUK_TEST(
    "of thousands of prices those that are over are forgotten, and each that holds or will is "
    "found")
{
    static shelf_price told[TOLD];
    shelf_prices prices = {.list = NULL};
    for (int64_t i = 0; i < TOLD; i++) { /* each moment once; a few are yet to come */
        uint32_t span = (uint32_t)test_random(test, 400);
        int64_t from = BEGUN + (i * 7919) % TOLD * 100;
        told[i] = (shelf_price){.id = i + 1,
                                .from = from,
                                .until = span < 300 ? from + 1 + span * 1000 : 0,
                                .micro = i,
                                .store = (uint32_t)test_random(test, STORES),
                                .ends = span % 2 == 0};
        SOUK_MUST(shelf_prices_put(&prices, test->mem, &told[i], NOW));
    }
    SOUK_CHECK(prices.count < TOLD && !shelf_prices_crowded(&prices, NOW));
    for (souk_time at = NOW; at < NOW + 250000; at += 997)
        for (uint32_t store = 1; store < STORES + 2; store++) {
            const shelf_price *found = shelf_prices_at(&prices, store, at);
            const shelf_price *plain = find_plainly(told, TOLD, store, at);
            SOUK_CHECK(!found == !plain && (!found || found->id == plain->id));
        }
    souk_mem_put(test->mem, prices.list);
}

SOUK_TEST("a product in more stores than there is room for keeps what it has, and nobody fails")
{
    shelf_prices prices = {.list = NULL};
    for (uint32_t i = 0; i < TOLD; i++) {
        shelf_price price = {.id = i + 1, .store = i + 1, .micro = i};
        SOUK_MUST(shelf_prices_put(&prices, test->mem, &price, NOW));
    }
    SOUK_CHECK(shelf_prices_crowded(&prices, NOW));
    SOUK_CHECK(!shelf_prices_crowded(&prices, NOW + 3600000)); /* by then some may be over */
    SOUK_CHECK(shelf_prices_at(&prices, 9000, NOW)->micro == 8999);
    SOUK_CHECK(!shelf_prices_at(&prices, TOLD, NOW));
    souk_mem_put(test->mem, prices.list);
}
