/* refund_test.c - parts come back in any sequence, and together they are what was paid. */
#include "test/test.h"

#include "algo/pricing_rig.h"
#include "algo/refund.h"
#include "algo/tax.h"

SOUK_TEST("a part of a line brings its part of every column, rounded over the whole")
{
    int64_t paid[2] = {839, 159}, back[2], sum[2] = {0, 0};
    souk_refund_line line = {.quantity = {3000000}};
    static const int64_t expected[3][2] = {{280, 53}, {279, 53}, {280, 53}};
    for (size_t i = 0; i < 3; i++) {
        SOUK_MUST(souk_refund(&line, (souk_decimal){1000000}, paid, 2, back, NULL));
        SOUK_CHECK(back[0] == expected[i][0] && back[1] == expected[i][1]);
        line.before.micro += 1000000;
        sum[0] += back[0];
        sum[1] += back[1];
    }
    SOUK_CHECK(sum[0] == 839 && sum[1] == 159);
}

SOUK_TEST("a return of nothing, of too much, or of part of a piece is refused")
{
    int64_t paid = 100, back = -7;
    souk_refund_line line = {.quantity = {3000000}, .before = {2000000}};
    souk_diag diag = {.words = ""};
    SOUK_CHECK_ERR(souk_refund(&line, (souk_decimal){0}, &paid, 1, &back, NULL), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_refund(&line, (souk_decimal){-1}, &paid, 1, &back, NULL), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_refund(&line, (souk_decimal){2000000}, &paid, 1, &back, &diag),
                   SOUK_EINVAL);
    SOUK_CHECK(strstr(diag.words, "1 can come back"));
    SOUK_CHECK_ERR(souk_refund(&line, (souk_decimal){500000}, &paid, 1, &back, NULL), SOUK_EINVAL);
    SOUK_CHECK(back == -7);
    line.weighed = true;
    SOUK_MUST(souk_refund(&line, (souk_decimal){500000}, &paid, 1, &back, NULL));
    SOUK_CHECK(back == 16); /* 83.33 less 66.67 */
}

/* A basket under offers, taxed; then its lines come back bit by bit. */
static void sell(souk_test *test, rig *my, souk_tax *taxes, const souk_taxed **ret_taxed)
{
    static const souk_tax_rate rates[] = {{"a", 190000}, {"b", 70000}, {"c", 3750}};
    static const souk_tax_class classes[] = {{0, 1}, {1, 2}, {2, 5}};
    static souk_tax_line lines[RIG_LINES];
    souk_tax_rule rule = {
        test_random(test, 2), test_random(test, 2), SOUK_ROUND_HALF_UP, rates, 3, classes, 3};
    my->basket.line_count = 0;
    for (uint32_t i = 0; i < 6; i++) {
        souk_basket_line *line =
            rig_line(my, i, 1 + (int64_t)test_random(test, 5), (int64_t)test_random(test, 900));
        line->tax_class = i % 3;
        line->weighed = i == 5;
        line->quantity.micro -= line->weighed ? (int64_t)test_random(test, 999999) : 0;
    }
    (void)rig_total(my);
    for (size_t i = 0; i < 6; i++)
        lines[i] = (souk_tax_line){my->lines[i].tax_class, my->priced->lines[i].total_minor};
    SOUK_MUST(souk_tax_receipt(taxes, &rule, 0, lines, 6, ret_taxed, NULL));
}

SOUK_TEST(
    "any sequence of partial returns of a promoted basket sums to what was paid, tax included")
{
    rig my;
    souk_auto(souk_tax) taxes = NULL;
    rig_open(&my, test);
    SOUK_MUST(souk_tax_new(test->mem, RIG_LINES, &taxes));
    rig_offer(&my, SOUK_OFFER_UNIT_PERCENT)->percent_micro = 150000;
    souk_offer *sets = rig_offer(&my, SOUK_OFFER_N_FOR_M);
    sets->take = 3;
    sets->pay = 2;
    rig_offer(&my, SOUK_OFFER_BASKET_AMOUNT)->amount_minor = 77;
    for (int round = 0; round < 400; round++) {
        const souk_taxed *taxed = NULL;
        int64_t given = 0;
        souk_refund_line lines[6];
        sell(test, &my, taxes, &taxed);
        for (size_t i = 0; i < 6; i++)
            lines[i] = (souk_refund_line){.quantity = my.lines[i].quantity,
                                          .weighed = my.lines[i].weighed};
        for (size_t open = 6; open;) {
            size_t at = test_random(test, 6);
            int64_t left = lines[at].quantity.micro - lines[at].before.micro, columns[4];
            if (!left)
                continue;
            int64_t back =
                lines[at].weighed
                    ? 1 + (int64_t)test_random(test, (uint64_t)left)
                    : (1 + (int64_t)test_random(test, (uint64_t)left / 1000000)) * 1000000;
            columns[0] = taxed->lines[at].net_minor;
            memcpy(columns + 1, taxed->lines[at].tax_of_rate, 3 * sizeof *columns);
            SOUK_MUST(souk_refund(&lines[at], (souk_decimal){back}, columns, 4, columns, NULL));
            for (size_t i = 0; i < 4; i++) {
                SOUK_CHECK(columns[i] >= 0);
                given += columns[i];
            }
            SOUK_CHECK(given <= taxed->gross_minor);
            lines[at].before.micro += back;
            open -= lines[at].before.micro == lines[at].quantity.micro;
        }
        SOUK_CHECK(given == taxed->gross_minor);
    }
    rig_close(&my);
}
