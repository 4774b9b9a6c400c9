/* shelf_price.c - which price of a product holds, and which can hold no more: see shelf_inside.h. */
#include "service/checkout/shelf_inside.h"

#include <stdlib.h>

enum {
    MOST = 10000, /* of one product */
    CROWDED =
        9000, /* from here on those that are over are forgotten; a request tells at most 500 */
    SWEEP_MS = 3600000,
};

/* ---- telling ----------------------------------------------------------------------------------------- */

/* By store, then by `from`. */
static int compare(const void *left, const void *right)
{
    const shelf_price *a = left, *b = right;
    if (a->store != b->store)
        return a->store < b->store ? -1 : 1;
    return (a->from > b->from) - (a->from < b->from);
}

/* From here on until somebody says otherwise, whatever began before it. */
static bool replaces(const shelf_price *price, souk_time at)
{
    return !price->ends && price->from <= at && price->until == 0;
}

/* Of each store, what ended, and what the last that began for good has replaced. */
static void forget(shelf_prices *prices, souk_time at)
{
    size_t kept = 0, first = 0; /* kept in all, and before this store */
    uint32_t store = 0;
    qsort(prices->list, prices->count, sizeof *prices->list, compare);
    for (size_t i = 0; i < prices->count; i++) {
        shelf_price price = prices->list[i];
        if (price.store != store)
            first = kept;
        store = price.store;
        if (replaces(&price, at))
            kept = first;
        if (price.until == 0 || price.until > at)
            prices->list[kept++] = price;
    }
    prices->count = kept;
    if (kept > CROWDED / 2) /* hardly worth it: not for a while */
        prices->swept = at;
}

bool shelf_prices_crowded(const shelf_prices *prices, souk_time now)
{
    return prices->count >= CROWDED && now - prices->swept < SWEEP_MS;
}

souk_err shelf_prices_put(shelf_prices *prices, souk_mem *mem, const shelf_price *told,
                          souk_time at)
{
    for (size_t i = 0; i < prices->count; i++) {
        shelf_price *there = &prices->list[i];
        if (there->store != told->store || there->from != told->from)
            continue;
        if (there->id < told->id)
            *there = *told;
        return SOUK_OK;
    }
    if (prices->count >= CROWDED && !shelf_prices_crowded(prices, at))
        forget(prices, at);
    if (prices->count == MOST)
        return SOUK_OK;
    SOUK_TRY(souk_mem_grow(mem, &prices->list, &prices->capacity, prices->count + 1, MOST,
                           sizeof *prices->list));
    prices->list[prices->count++] = *told;
    return SOUK_OK;
}

/* ---- looking ----------------------------------------------------------------------------------------- */

static bool is_better(const shelf_price *price, const shelf_price *best)
{
    if (!best)
        return true;
    if ((price->store != 0) != (best->store != 0))
        return price->store != 0;
    return price->from != best->from ? price->from > best->from : price->id > best->id;
}

const shelf_price *shelf_prices_at(const shelf_prices *prices, uint32_t store, souk_time at)
{
    const shelf_price *best = NULL;
    for (size_t i = 0; i < prices->count; i++) {
        const shelf_price *price = &prices->list[i];
        bool holds = !price->ends && price->from <= at &&
                     (price->until == 0 || at < price->until) &&
                     (price->store == 0 || price->store == store);
        if (holds && is_better(price, best))
            best = price;
    }
    return best;
}
