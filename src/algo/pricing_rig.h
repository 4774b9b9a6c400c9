/* pricing_rig.h - short words for tests of prices: lines, offers, and what came out.  Behind test/test.h. */
#ifndef SOUK_ALGO_PRICING_RIG_H
#define SOUK_ALGO_PRICING_RIG_H

#include "algo/pricing.h"

enum { RIG_LINES = 24, RIG_OFFERS = 64 };

typedef struct rig {
    souk_test *test;
    souk_pricing *desk;
    souk_book *book;
    souk_basket_line lines[RIG_LINES];
    souk_offer offers[RIG_OFFERS];
    size_t offer_count;
    souk_basket basket;
    const souk_priced *priced;
    souk_diag diag;
} rig;

static inline void rig_open(rig *my, souk_test *test)
{
    *my = (rig){
        .test = test,
        .basket = {.lines = my->lines, .exponent = 2, .now = 1000, .weekday = 2, .minute = 600}};
    SOUK_MUST(souk_pricing_new(
        test->mem, &(souk_pricing_limits){.lines = 2000, .adjustments = 4096, .offers = 1000},
        &my->desk));
}

static inline void rig_close(rig *my)
{
    souk_pricing_free(my->desk);
    souk_book_free(my->book);
}

/* `count` pieces of a product at a price in cents. */
static inline souk_basket_line *rig_line(rig *my, uint32_t product, int64_t count, int64_t cents)
{
    souk_basket_line *line = &my->lines[my->basket.line_count++];
    *line = (souk_basket_line){
        .product = product, .quantity = {count * 1000000}, .unit_price = {cents * 10000}};
    return line;
}

/* An offer of the next id, on everything until its scopes are set. */
static inline souk_offer *rig_offer(rig *my, souk_offer_kind kind)
{
    static const souk_offer_scope everything;
    souk_offer *offer = &my->offers[my->offer_count++];
    *offer =
        (souk_offer){.id = my->offer_count, .kind = kind, .scopes = &everything, .scope_count = 1};
    return offer;
}

static inline souk_err rig_try(rig *my)
{
    souk_test *test = my->test;
    my->diag = (souk_diag){.words = ""};
    souk_book_free(my->book);
    my->book = NULL;
    SOUK_MUST(souk_book_new(test->mem, my->offers, my->offer_count, my->basket.exponent, &my->book,
                            &my->diag));
    return souk_pricing_basket(my->desk, my->book, &my->basket, &my->priced, &my->diag);
}

/* Lines add up, always. */
static inline void rig_check_sums(souk_test *test, const souk_priced *priced)
{
    int64_t base = 0, total = 0, held = 0;
    for (size_t i = 0; i < priced->line_count; i++) {
        const souk_priced_line *line = &priced->lines[i];
        int64_t sum = line->base_minor;
        for (size_t k = 0; k < line->adjustment_count; k++) {
            SOUK_CHECK(line->adjustments[k].amount_minor < 0);
            SOUK_CHECK(line->adjustments[k].quantity.micro > 0);
            sum += line->adjustments[k].amount_minor;
        }
        SOUK_CHECK(sum == line->total_minor && line->total_minor >= 0);
        base += line->base_minor;
        total += line->total_minor;
    }
    for (size_t i = 0; i < priced->held_count; i++)
        held += priced->held[i].amount_minor;
    SOUK_CHECK(base == priced->base_minor && total == priced->total_minor);
    SOUK_CHECK(base + held == total);
}

static inline int64_t rig_total(rig *my)
{
    souk_test *test = my->test;
    SOUK_MUST(rig_try(my));
    rig_check_sums(test, my->priced);
    return my->priced->total_minor;
}

#endif
