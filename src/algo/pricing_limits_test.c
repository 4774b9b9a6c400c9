/* pricing_limits_test.c - baskets and offers that are refused, and what pricing asks of memory. */
#include "test/test.h"

#include "algo/pricing_rig.h"

static const uint32_t tea = 1, cup = 2;

/* ---- refusals -------------------------------------------------------------------------------------------- */

static void check_refused(rig *my, souk_err expected, const char *words)
{
    souk_test *test = my->test;
    SOUK_CHECK_ERR(rig_try(my), expected);
    if (!strstr(my->diag.words, words))
        test_fail(test, __FILE__, __LINE__, "'%s' lacks '%s'", my->diag.words, words);
}

SOUK_TEST("a basket with impossible numbers is refused with its line")
{
    rig my;
    rig_open(&my, test);
    rig_line(&my, tea, 1, 100);
    souk_basket_line *line = rig_line(&my, cup, 0, 100);
    check_refused(&my, SOUK_EINVAL, "line 2 has no quantity above 0");
    line->quantity.micro = -1000000;
    check_refused(&my, SOUK_EINVAL, "what comes back is a return");
    line->quantity.micro = 1500000;
    check_refused(&my, SOUK_EINVAL, "line 2 has part of a piece");
    line->quantity.micro = INT64_MAX / 1000000 * 1000000;
    check_refused(&my, SOUK_EOVERFLOW, "beyond 1000000 pieces");
    line->weighed = true;
    line->quantity.micro = INT64_MAX;
    line->unit_price.micro = INT64_MAX;
    check_refused(&my, SOUK_EOVERFLOW, "line 2 costs more than an amount can hold");
    line->unit_price.micro = 1;
    my.lines[0].weighed = true;
    my.lines[0].quantity.micro = INT64_MAX;
    check_refused(&my, SOUK_EOVERFLOW, "up to line 2");
    line->unit_price.micro = -1;
    my.lines[0].quantity.micro = 1;
    check_refused(&my, SOUK_EINVAL, "a price below 0");
    line->unit_price.micro = 0;
    line->quantity.micro--;
    SOUK_MUST(rig_try(&my));
    my.basket.weekday = 7;
    check_refused(&my, SOUK_EINVAL, "weekday 7");
    my.basket.weekday = 0;
    my.basket.tier = 64;
    check_refused(&my, SOUK_EINVAL, "tier 64 is none");
    my.basket.tier = 0;
    souk_coupons twice[] = {{1, 1}, {1, 1}};
    my.basket.coupons = twice;
    my.basket.coupon_count = 2;
    check_refused(&my, SOUK_EINVAL, "coupons do not ascend");
    rig_close(&my);
}

SOUK_TEST("the largest basket prices, and more lines than the desk has are refused")
{
    rig my;
    rig_open(&my, test);
    rig_line(&my, tea, SOUK_PRICING_PIECES_MOST - 1, 1000000);
    rig_line(&my, cup, 1, 900000000000000);
    souk_offer *sets = rig_offer(&my, SOUK_OFFER_N_FOR_PRICE);
    sets->take = 7;
    sets->amount_minor = 1;
    sets->most_minor = SOUK_OFFER_MINOR_MOST;
    rig_offer(&my, SOUK_OFFER_BASKET_PERCENT)->percent_micro = SOUK_PERCENT_ALL;
    SOUK_CHECK(rig_total(&my) == 0);
    static souk_basket_line many[2001];
    for (size_t i = 0; i < 2001; i++)
        many[i] = my.lines[1];
    my.basket.lines = many;
    my.basket.line_count = 2001;
    check_refused(&my, SOUK_ETOOBIG, "at most 2000 are priced");
    rig_close(&my);
}

/* A number of any size up to `most`. */
static int64_t any_size(souk_test *test, int64_t most)
{
    uint64_t number = test_random(test, (uint64_t)INT64_MAX) >> test_random(test, 63);
    return (int64_t)(number % (uint64_t)most) + 1;
}

static void fill_extremes(souk_test *test, rig *my)
{
    static const souk_offer_scope everything[2] = {{.quantity = 3}, {.quantity = 2}};
    my->offer_count = my->basket.line_count = 0;
    my->basket.exponent = (unsigned)test_random(test, 7);
    for (uint32_t i = 0; i < 8; i++) {
        souk_basket_line *line =
            rig_line(my, i % 5, any_size(test, SOUK_PRICING_PIECES_MOST / 4), 0);
        line->unit_price.micro = any_size(test, INT64_MAX - 1) >> test_random(test, 40);
        line->weighed = i == 7;
        if (line->weighed)
            line->quantity.micro = any_size(test, INT64_MAX - 1) >> test_random(test, 40) | 1;
    }
    for (int kind = 0; kind < SOUK_OFFER_KIND_COUNT; kind++) {
        souk_offer *offer = rig_offer(my, (souk_offer_kind)kind);
        offer->priority = (int32_t)test_random(test, 3);
        offer->group = (uint32_t)test_random(test, 3) + (kind >= SOUK_OFFER_BASKET_AMOUNT ? 3 : 0);
        offer->take = kind == SOUK_OFFER_N_FOR_M || kind == SOUK_OFFER_N_FOR_PRICE
                          ? (uint32_t)(2 + test_random(test, SOUK_OFFER_SET_MOST - 1))
                          : 0;
        offer->pay =
            kind == SOUK_OFFER_N_FOR_M ? 1 + (uint32_t)test_random(test, offer->take - 1) : 0;
        if (kind == SOUK_OFFER_UNIT_PERCENT || kind == SOUK_OFFER_BUNDLE_PERCENT ||
            kind == SOUK_OFFER_BASKET_PERCENT)
            offer->percent_micro = (uint32_t)any_size(test, 900000);
        else if (kind != SOUK_OFFER_N_FOR_M && kind != SOUK_OFFER_BASKET_FREE)
            offer->amount_minor = any_size(test, SOUK_OFFER_MINOR_MOST - 1);
        if (kind == SOUK_OFFER_BUNDLE_PRICE || kind == SOUK_OFFER_BUNDLE_PERCENT ||
            kind == SOUK_OFFER_BASKET_FREE)
            offer->scope_count = 2;
        static const souk_offer_scope gifts[2] = {{0}, {.quantity = 999}};
        offer->scopes = offer->scope_count == 1          ? &gifts[0]
                        : kind == SOUK_OFFER_BASKET_FREE ? gifts
                                                         : everything;
        if (test_random(test, 3) == 0)
            offer->most_times = (uint32_t)any_size(test, UINT32_MAX);
        if (test_random(test, 3) == 0)
            offer->most_minor = any_size(test, SOUK_OFFER_MINOR_MOST);
        if (kind >= SOUK_OFFER_BASKET_AMOUNT)
            offer->least_minor = (int64_t)test_random(test, 2) * any_size(test, 1000);
    }
}

SOUK_TEST("baskets of any size price, with sums that are exact, or are refused")
{
    rig my;
    unsigned priced = 0, refused = 0;
    rig_open(&my, test);
    for (int round = 0; round < 2000; round++) {
        fill_extremes(test, &my);
        souk_err err = rig_try(&my);
        if (err && err != SOUK_EOVERFLOW)
            test_fail(test, __FILE__, __LINE__, "%s: %s", souk_err_name(err), my.diag.words);
        refused += err != SOUK_OK;
        if (err)
            continue;
        rig_check_sums(test, my.priced);
        priced++;
    }
    SOUK_CHECK(priced > 200 && refused > 20);
    rig_close(&my);
}

SOUK_TEST("too many adjustments are refused, and the desk prices the next basket")
{
    rig my;
    souk_pricing *small = NULL;
    rig_open(&my, test);
    SOUK_MUST(souk_pricing_new(test->mem, &(souk_pricing_limits){4, 6, 8}, &small));
    for (uint32_t i = 0; i < 4; i++)
        rig_line(&my, i, 3, 1000);
    for (unsigned i = 0; i < 3; i++)
        rig_offer(&my, SOUK_OFFER_UNIT_PERCENT)->percent_micro = 100000;
    SOUK_MUST(rig_try(&my));
    SOUK_CHECK_ERR(souk_pricing_basket(small, my.book, &my.basket, &my.priced, &my.diag),
                   SOUK_ETOOBIG);
    SOUK_CHECK(strstr(my.diag.words, "more than 6 adjustments"));
    my.basket.line_count = 2;
    SOUK_MUST(souk_pricing_basket(small, my.book, &my.basket, &my.priced, NULL));
    SOUK_CHECK(my.priced->total_minor == 2 * 2187);
    souk_pricing_free(small);
    rig_close(&my);
}

SOUK_TEST("a book refuses offers that are not as their kind wants them")
{
    static const uint32_t some = 1;
    const souk_offer_scope one = {0}, counted = {.quantity = 2}, two[] = {{.quantity = 1}, {0}};
    const struct {
        souk_offer offer;
        const char *words;
    } wrong[] = {
        {{.kind = SOUK_OFFER_UNIT_AMOUNT, .scopes = &one, .scope_count = 1},
         "the amount of offer 5 is 0"},
        {{.kind = SOUK_OFFER_UNIT_PERCENT,
          .percent_micro = 1000001,
          .scopes = &one,
          .scope_count = 1},
         "give 1 to 1000000"},
        {{.kind = SOUK_OFFER_UNIT_PRICE, .percent_micro = 1, .scopes = &one, .scope_count = 1},
         "fixed_price takes none"},
        {{.kind = SOUK_OFFER_N_FOR_M, .take = 2, .pay = 2, .scopes = &one, .scope_count = 1},
         "nothing is free"},
        {{.kind = SOUK_OFFER_N_FOR_PRICE,
          .take = 2000,
          .amount_minor = 1,
          .scopes = &one,
          .scope_count = 1},
         "is 2000"},
        {{.kind = SOUK_OFFER_BUNDLE_PRICE, .scopes = &one, .scope_count = 1}, "takes 2 to 8"},
        {{.kind = SOUK_OFFER_BUNDLE_PRICE, .scopes = two, .scope_count = 2},
         "scope 2 of offer 5 has no quantity"},
        {{.kind = SOUK_OFFER_UNIT_AMOUNT, .amount_minor = 1, .scopes = &counted, .scope_count = 1},
         "has a quantity in scope 1"},
        {{.kind = SOUK_OFFER_UNIT_AMOUNT,
          .amount_minor = 1,
          .scopes = &one,
          .scope_count = 1,
          .from = 9,
          .until = 8},
         "an end that is not after"},
        {{.kind = SOUK_OFFER_UNIT_AMOUNT,
          .amount_minor = 1,
          .scopes = &one,
          .scope_count = 1,
          .minute_from = 1440},
         "hours that are none"},
        {{.kind = SOUK_OFFER_UNIT_AMOUNT,
          .amount_minor = 1,
          .scopes = &one,
          .scope_count = 1,
          .weekdays = 128},
         "a weekday"},
        {{.kind = SOUK_OFFER_UNIT_AMOUNT, .amount_minor = -1, .scopes = &one, .scope_count = 1},
         "is -1"},
        {{.kind = (souk_offer_kind)99, .scopes = &one, .scope_count = 1}, "no known kind"},
    };
    souk_book *book = NULL;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        souk_offer offer = wrong[i].offer;
        souk_diag diag = {.words = ""};
        offer.id = 5;
        SOUK_CHECK_ERR(souk_book_new(test->mem, &offer, 1, 2, &book, &diag), SOUK_EINVAL);
        if (!strstr(diag.words, wrong[i].words))
            test_fail(test, __FILE__, __LINE__, "'%s' lacks '%s'", diag.words, wrong[i].words);
    }
    souk_offer twins[2] = {{.id = 5,
                            .kind = SOUK_OFFER_UNIT_AMOUNT,
                            .amount_minor = 1,
                            .scopes = &one,
                            .scope_count = 1}};
    souk_offer_scope large = {.products = &some, .product_count = SOUK_OFFER_NAMES_MOST + 1};
    souk_diag diag = {.words = ""};
    twins[1] = twins[0];
    SOUK_CHECK_ERR(souk_book_new(test->mem, twins, 2, 2, &book, &diag), SOUK_EINVAL);
    SOUK_CHECK(strstr(diag.words, "there twice"));
    twins[1].id = 6;
    twins[1].kind = SOUK_OFFER_BASKET_AMOUNT;
    twins[0].group = twins[1].group = 3;
    diag = (souk_diag){.words = ""};
    SOUK_CHECK_ERR(souk_book_new(test->mem, twins, 2, 2, &book, &diag), SOUK_EINVAL);
    SOUK_CHECK(strstr(diag.words, "offer 5 on units and offer 6 on the basket"));
    twins[0].scopes = &large;
    SOUK_CHECK_ERR(souk_book_new(test->mem, twins, 1, 2, &book, NULL), SOUK_ETOOBIG);
    SOUK_CHECK_ERR(souk_book_new(test->mem, NULL, 0, 7, &book, NULL), SOUK_EINVAL);
    SOUK_CHECK(book == NULL);
}

SOUK_TEST("an empty book and an empty basket price, and books are read in order")
{
    rig my;
    rig_open(&my, test);
    SOUK_CHECK(rig_total(&my) == 0);
    rig_line(&my, tea, 2, 100);
    SOUK_CHECK(rig_total(&my) == 200 && souk_book_count(my.book) == 0);
    uint32_t names[] = {9, 3, 9};
    souk_offer_scope scope = {.products = names, .product_count = 3};
    rig_offer(&my, SOUK_OFFER_UNIT_AMOUNT)->amount_minor = 5;
    rig_offer(&my, SOUK_OFFER_UNIT_AMOUNT)->amount_minor = 6;
    my.offers[1].priority = -4;
    my.offers[1].scopes = &scope;
    my.basket.line_count = 0;
    SOUK_CHECK(rig_total(&my) == 0);
    SOUK_CHECK(souk_book_count(my.book) == 2 && souk_book_exponent(my.book) == 2);
    const souk_offer *first = souk_book_at(my.book, 0);
    SOUK_CHECK(first->id == 2 && first->scopes[0].product_count == 2);
    SOUK_CHECK(first->scopes[0].products[0] == 3 && first->scopes[0].products[1] == 9);
    rig_close(&my);
}

/* ---- memory ---------------------------------------------------------------------------------------------- */

SOUK_TEST("making a book and a desk survives every failure of memory")
{
    uint32_t names[] = {1, 2};
    souk_offer_scope scope = {.products = names, .product_count = 2, .tags = names, .tag_count = 2};
    souk_offer offers[2] = {{.id = 1,
                             .kind = SOUK_OFFER_UNIT_AMOUNT,
                             .amount_minor = 1,
                             .scopes = &scope,
                             .scope_count = 1,
                             .group = 1}};
    offers[1] = offers[0];
    offers[1].id = 2;
    SOUK_FAULT_LOOP (test) {
        souk_auto(souk_book) book = NULL;
        souk_auto(souk_pricing) desk = NULL;
        souk_err err = souk_book_new(test->mem, offers, 2, 2, &book, NULL);
        if (!err)
            err = souk_pricing_new(test->mem, &(souk_pricing_limits){10, 10, 10}, &desk);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
    }
}

SOUK_TEST("pricing allocates nothing")
{
    rig my;
    rig_open(&my, test);
    for (uint32_t i = 0; i < 20; i++)
        rig_line(&my, i, 1 + i % 3, 100 + i);
    rig_offer(&my, SOUK_OFFER_UNIT_PERCENT)->percent_micro = 100000;
    souk_offer *sets = rig_offer(&my, SOUK_OFFER_N_FOR_M);
    sets->take = 3;
    sets->pay = 2;
    SOUK_MUST(rig_try(&my));
    test->fault_calls = 0;
    SOUK_MUST(souk_pricing_basket(my.desk, my.book, &my.basket, &my.priced, NULL));
    SOUK_CHECK(test->fault_calls == 0);
    rig_close(&my);
}
