/* pricing.h - what a basket costs under a book of offers, and why.
 *
 *     souk_auto(souk_pricing) desk = NULL;                                       one a thread, used again and again
 *     SOUK_TRY(souk_pricing_new(mem, &(souk_pricing_limits){0}, &desk));
 *     souk_basket basket = {.lines = lines, .line_count = 3, .exponent = 2, .now = now, .weekday = 5, .minute = 615};
 *     const souk_priced *priced;
 *     SOUK_TRY(souk_pricing_basket(desk, book, &basket, &priced, diag));
 *     for (size_t i = 0; i < priced->lines[0].adjustment_count; i++) ...          3 for 2: -2.50 on 3 units
 *
 * The rules, in the order in which they work.  Amounts are minor units, here cents.
 *
 * 1 Base       A line's base is unit price x quantity, rounded once, half to even: 0.345 kg at 7.99 are 2.75655, 276.
 * 2 Units      A line of pieces is as many units; a weighed line is one.  Lines of one product at one price (and alike
 *              in all else) are one item, when that price is of whole minor units: 2 + 1 cost what 3 cost.  An item
 *              begins as one run.  An offer that concerns the first units of a run only cuts it in two; the units of
 *              a run bear equal parts of what is taken off: 100 left over three are 34, 33, 33.
 * 3 Line       Line offers come first, in order of (priority, id), each on what is left of the price.
 *                10 % off, then 1.00 off, on 20.00:   2000 - 200 - 100 = 1700
 *                1.00 off, then 10 % off:             2000 - 100 - 190 = 1710
 *              One offer rounds once, half to even, and its sum is spread over the runs it concerns by largest
 *              remainder (share.h), in proportion to what is left of them: 15 % off 0.99 + 0.99 takes 30, 15 + 15.
 *              UNIT_AMOUNT and UNIT_PRICE take from each unit by itself, and never more than it still costs; of a
 *              weighed line, their amount x its quantity, rounded.
 * 4 Sets       N_FOR_M, N_FOR_PRICE and bundles use units up: one that is in a set is in no other set.  Weighed lines
 *              are in none, nor are units that cost nothing any more.  Units are taken dearest first, in whole sets: by
 *              the mean price of their run, then by product number, then from the front of their item.
 *                3 for 2 of 500 400 300 300 200 100 and 50:   (500 400 300) (300 200 100), off 300 + 100, 50 is left
 *                3 for 10.00 of 500 400 300 300 200 100:      the first set costs 1200, off 200; the next is cheaper
 *              Bundles fill their scopes in the order written, each with the dearest unit that is still there: write
 *              the narrow scope before the wide one.  A set that would cost less without the offer stays as it is.
 *              What is taken off is spread over all units of the sets, so that no unit of a set is free to bring back.
 *              Limited UNIT_ offers (most_times) take their units dearest first, too.
 * 5 Groups     A stacking group has its turn in the place of its first offer that may hold here: in force, with a line
 *              in its first scope, the least, and for a set enough pieces.  Of its offers only one holds on a unit:
 *                those that choose units or have a ceiling (sets, most_times, most_minor) are judged as a whole: what
 *                they take, less what the best of the others would take from those very units; the greatest gain
 *                holds, and so on with those left over until none gains;
 *                of the others, on each run that is left, the one that takes most.
 *              Equal ones: lower priority, then lower id.  Offers of different groups, and without, add up.
 *                20 % off tea and 3 for 2 on tea, a group, 3 x 5.00:   300 against 500, 3 for 2 holds
 *                with 4 x 5.00:                                        3 for 2 on three, 20 % on the fourth
 * 6 Basket     Basket offers follow in order of (priority, id).  Whether one is reached, and how many times, is decided
 *              on what its scope holds after line offers; what it takes, on what is left at its turn; spread as in 3.
 *                5 % off, then 10.00 off, on 200.00:   20000 - 1000 - 1000
 *              BASKET_FREE gives the cheapest units of its second scope, which may be in the first as well.
 * 7 Exclusive  An exclusive offer stands alone in the basket.  The basket is priced with all that are not exclusive,
 *              then with each exclusive one alone; the cheapest holds; among equals the first named here.
 * 8 Never      below zero, and never upwards: a fixed price above what a unit costs does nothing.
 * 9 Same       The same basket and book give the same answer, whatever the order of offers in memory.  Lines may be
 *              scanned in any order: only lines that are alike in all, and pieces of one item, which fill its lines
 *              in order of quantity, larger first, are told apart by it.
 *
 * base_minor + the sum of a line's adjustments = total_minor, exactly.
 *
 * Hints    offers that nearly held: at most SOUK_PRICING_HINTS, those on lines first, each in order of (priority, id).
 *          A set or a quantity of which at most two units are missing and one at least is there; an amount reached to
 *          three quarters.
 * Limits   SOUK_PRICING_PIECES_MOST pieces in a basket; lines and adjustments by souk_pricing_limits
 * Memory   all of it is got by souk_pricing_new, 3.6 MiB with the limits left alone; pricing allocates nothing
 * Cost     lookups: products and tags of the basket; then, for each offer found, each item of the basket.  The worst
 *          are many exclusive offers (the basket once for each) and many set offers in one group (each against each).
 * Threads  one desk each; books are shared */
#ifndef SOUK_ALGO_PRICING_H
#define SOUK_ALGO_PRICING_H

#include "algo/offer.h"

enum { SOUK_PRICING_HINTS = 4, SOUK_PRICING_PIECES_MOST = 1000000 };

typedef struct souk_basket_line {
    uint32_t product;
    const uint32_t *tags; /* in any order, the same for all lines of a product */
    uint32_t tag_count;
    uint32_t tax_class;
    souk_decimal quantity;   /* above 0; whole for pieces */
    souk_decimal unit_price; /* 0 or above */
    const char *price_list;  /* where the price is from; carried along */
    bool weighed, no_offers;
} souk_basket_line;

typedef struct souk_coupons {
    uint32_t coupon, count; /* class, how many in hand */
} souk_coupons;

typedef struct souk_basket {
    const souk_basket_line *lines;
    size_t line_count;
    unsigned exponent;
    int64_t now;      /* ms UTC */
    unsigned weekday; /* local, 0: Monday */
    unsigned minute;  /* local, of the day */
    uint32_t store;
    uint32_t tier;             /* 0: none */
    const uint32_t *audiences; /* ascending */
    size_t audience_count;
    const souk_coupons *coupons; /* ascending by class, each once */
    size_t coupon_count;
} souk_basket;

typedef struct souk_adjustment {
    uint64_t offer;
    souk_offer_kind kind;
    souk_decimal quantity; /* of the line, that the offer concerned */
    int64_t amount_minor;  /* below 0 */
} souk_adjustment;

typedef struct souk_priced_line {
    int64_t base_minor, total_minor;
    const souk_adjustment *adjustments; /* in the order in which they worked */
    size_t adjustment_count;
    const char *price_list;
} souk_priced_line;

typedef struct souk_offer_held {
    uint64_t offer;
    uint32_t times, coupons; /* coupons of its class used */
    int64_t amount_minor;    /* below 0: over all lines, for a budget */
} souk_offer_held;

typedef enum souk_hint_kind { SOUK_HINT_QUANTITY, SOUK_HINT_AMOUNT } souk_hint_kind;
typedef struct souk_hint {
    uint64_t offer;
    souk_hint_kind kind;
    souk_decimal quantity; /* missing */
    int64_t amount_minor;  /* missing */
} souk_hint;

/* In the desk, until its next basket. */
typedef struct souk_priced {
    const souk_priced_line *lines; /* [line_count] as in the basket */
    size_t line_count;
    int64_t base_minor, total_minor;
    const souk_offer_held *held; /* in the order in which they worked */
    size_t held_count;
    souk_hint hints[SOUK_PRICING_HINTS];
    size_t hint_count;
} souk_priced;

typedef struct souk_pricing_limits {
    size_t lines;       /* of a basket; 0: 1,000 */
    size_t adjustments; /* of a basket, counted by runs; 0: 16,384 */
    size_t offers;      /* of a book; 0: 10,000 */
} souk_pricing_limits;

typedef struct souk_pricing souk_pricing;

/* SOUK_ENOMEM.  SOUK_EINVAL: a limit above what a uint32_t holds. */
SOUK_CHECKED souk_err souk_pricing_new(souk_mem *mem, const souk_pricing_limits *limits,
                                       souk_pricing **ret_desk);
void souk_pricing_free(souk_pricing *desk);
SOUK_AUTO(souk_pricing)

/* Prices one basket; *ret_priced lies in the desk.
 * SOUK_EINVAL: a quantity that is not above 0, part of a piece, a price below 0, another exponent than the book's, a
 * time that is none, lists that do not ascend.  SOUK_EOVERFLOW: more pieces than SOUK_PRICING_PIECES_MOST, or amounts
 * that do not fit.  SOUK_ETOOBIG: above a limit of the desk.  diag names the line, counted from 1. */
SOUK_CHECKED souk_err souk_pricing_basket(souk_pricing *desk, const souk_book *book,
                                          const souk_basket *basket, const souk_priced **ret_priced,
                                          souk_diag *diag);

#endif
