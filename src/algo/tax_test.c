/* tax_test.c - receipts of four countries worked out by hand, and sums that tie for random ones. */
#include "test/test.h"

#include "algo/tax.h"

enum { STANDARD = 1, REDUCED, SERVICE, FREE };

static const souk_taxed *tax(souk_test *test, souk_tax *desk, const souk_tax_rule *rule,
                             uint32_t exempt, const souk_tax_line *lines, size_t count)
{
    const souk_taxed *taxed = NULL;
    SOUK_MUST(souk_tax_receipt(desk, rule, exempt, lines, count, &taxed, NULL));
    return taxed;
}

/* ---- fixtures --------------------------------------------------------------------------------------------- */

/* Value-Added Tax Law of the People's Republic of China (in force from 2026-01-01), article 10: 13 % goods, 9 % grain,
 * edible oil, books, transport, 6 % services.  Prices hold the tax; an invoice tells net and tax of each line.
 *   detergent  25.00 x 13 / 113 = 2.87611    2.88, net 22.12
 *   rice       59.90 x  9 / 109 = 4.94587    4.95, net 54.95
 *   delivery    8.00 x  6 / 106 = 0.45283    0.45, net  7.55 */
SOUK_TEST("a Chinese receipt holds 13, 9 and 6 % by line")
{
    const souk_tax_rate rates[] = {
        {"增值税 13%", 130000}, {"增值税 9%", 90000}, {"增值税 6%", 60000}};
    const souk_tax_class classes[] = {{STANDARD, 1}, {REDUCED, 2}, {SERVICE, 4}};
    const souk_tax_rule rule = {true, true, SOUK_ROUND_HALF_UP, rates, 3, classes, 3};
    const souk_tax_line lines[] = {{STANDARD, 2500}, {REDUCED, 5990}, {SERVICE, 800}};
    souk_auto(souk_tax) desk = NULL;
    SOUK_MUST(souk_tax_new(test->mem, 3, &desk));
    const souk_taxed *taxed = tax(test, desk, &rule, 0, lines, 3);
    SOUK_CHECK(taxed->lines[0].tax_minor == 288 && taxed->lines[0].net_minor == 2212);
    SOUK_CHECK(taxed->lines[1].tax_minor == 495 && taxed->lines[1].net_minor == 5495);
    SOUK_CHECK(taxed->lines[2].tax_minor == 45 && taxed->lines[2].net_minor == 755);
    SOUK_CHECK(taxed->gross_minor == 9290 && taxed->tax_minor == 828);
}

/* Hong Kong has neither value-added nor sales tax. */
SOUK_TEST("a receipt of Hong Kong has no tax")
{
    const souk_tax_class classes[] = {{STANDARD, 0}};
    const souk_tax_rule rule = {true, false, SOUK_ROUND_HALF_UP, NULL, 0, classes, 1};
    const souk_tax_line lines[] = {{STANDARD, 12990}, {STANDARD, 10}};
    souk_auto(souk_tax) desk = NULL;
    SOUK_MUST(souk_tax_new(test->mem, 2, &desk));
    const souk_taxed *taxed = tax(test, desk, &rule, 0, lines, 2);
    SOUK_CHECK(taxed->net_minor == 13000 && taxed->tax_minor == 0 && taxed->gross_minor == 13000);
}

/* UStG section 12 (1): 19 %, (2): 7 %; a receipt shows the gross amount and the rate (UStDV section 33 no. 4), so tax
 * is taken out of the sum of each rate.
 *   7 %:   1.09 + 2.49 = 3.58 x  7 / 107 = 0.23421   0.23, net 3.35
 *   19 %:  5.99 + 0.20 = 6.19 x 19 / 119 = 0.98832   0.99, net 5.20; on lines 0.95801 and 0.03199: 0.96 + 0.03 */
SOUK_TEST("a German receipt holds 19 and 7 % by receipt and rate")
{
    const souk_tax_rate rates[] = {{"USt 19 %", 190000}, {"USt 7 %", 70000}};
    const souk_tax_class classes[] = {{STANDARD, 1}, {REDUCED, 2}};
    const souk_tax_rule rule = {true, false, SOUK_ROUND_HALF_UP, rates, 2, classes, 2};
    const souk_tax_line lines[] = {{REDUCED, 109}, {STANDARD, 599}, {REDUCED, 249}, {STANDARD, 20}};
    souk_auto(souk_tax) desk = NULL;
    SOUK_MUST(souk_tax_new(test->mem, 4, &desk));
    const souk_taxed *taxed = tax(test, desk, &rule, 0, lines, 4);
    SOUK_CHECK(taxed->rates[0].tax_minor == 99 && taxed->rates[0].base_minor == 520);
    SOUK_CHECK(taxed->rates[1].tax_minor == 23 && taxed->rates[1].base_minor == 335);
    SOUK_CHECK(taxed->lines[1].tax_minor == 96 && taxed->lines[3].tax_minor == 3);
    SOUK_CHECK(taxed->gross_minor == 977);
}

/* New York City: state 4 % (Tax Law section 1105), city 4.5 % (Administrative Code section 11-2001), metropolitan
 * commuter district 0.375 % (Tax Law section 1109); food is exempt (section 1115 (a) (1)).
 * Three notebooks of 1.10, and bread of 3.99:
 *   by receipt on 3.30:   0.132, 0.1485, 0.012375   0.13 + 0.15 + 0.01 = 0.29
 *   by line on 1.10:      0.044, 0.0495, 0.004125   0.04 + 0.05 + 0.00, three times = 0.27 */
SOUK_TEST("three rates of New York stand on one line, and rounding by line differs from rounding "
          "by receipt")
{
    const souk_tax_rate rates[] = {
        {"New York State", 40000}, {"New York City", 45000}, {"MCTD", 3750}};
    const souk_tax_class classes[] = {{STANDARD, 7}, {FREE, 0}};
    souk_tax_rule rule = {false, false, SOUK_ROUND_HALF_UP, rates, 3, classes, 2};
    const souk_tax_line lines[] = {{STANDARD, 110}, {FREE, 399}, {STANDARD, 110}, {STANDARD, 110}};
    souk_auto(souk_tax) desk = NULL;
    SOUK_MUST(souk_tax_new(test->mem, 4, &desk));
    const souk_taxed *taxed = tax(test, desk, &rule, 0, lines, 4);
    SOUK_CHECK(taxed->rates[0].tax_minor == 13 && taxed->rates[1].tax_minor == 15);
    SOUK_CHECK(taxed->rates[2].tax_minor == 1 && taxed->rates[2].base_minor == 330);
    SOUK_CHECK(taxed->tax_minor == 29 && taxed->gross_minor == 330 + 399 + 29);
    SOUK_CHECK(taxed->lines[0].tax_minor == 5 + 5 + 1 && taxed->lines[1].tax_minor == 0);
    rule.by_line = true;
    taxed = tax(test, desk, &rule, 0, lines, 4);
    SOUK_CHECK(taxed->tax_minor == 27 && taxed->rates[2].tax_minor == 0);
    SOUK_CHECK(taxed->lines[3].tax_of_rate[1] == 5 && taxed->lines[3].gross_minor == 119);
    taxed = tax(test, desk, &rule, 6, lines, 4); /* city and district forgo theirs */
    SOUK_CHECK(taxed->tax_minor == 12 && taxed->rates[1].exempt_minor == 330);
    SOUK_CHECK(taxed->rates[1].base_minor == 0 && taxed->lines[0].rates == 1);
}

/* Japan, Consumption Tax Act article 29: 10 %, food to take away 8 %; rounded once for each rate of an invoice (Order for
 * Enforcement article 70-10), here down; a yen has no minor unit.
 *   8 %:   128 + 98 = 226 -> 18.08    18
 *   10 %:  555 -> 55.5                55, half up it would be 56 */
SOUK_TEST("a Japanese receipt adds 10 and 8 % to whole yen")
{
    const souk_tax_rate rates[] = {{"10%", 100000}, {"8%", 80000}};
    const souk_tax_class classes[] = {{STANDARD, 1}, {REDUCED, 2}};
    souk_tax_rule rule = {false, false, SOUK_ROUND_DOWN, rates, 2, classes, 2};
    const souk_tax_line lines[] = {{REDUCED, 128}, {REDUCED, 98}, {STANDARD, 555}};
    souk_auto(souk_tax) desk = NULL;
    SOUK_MUST(souk_tax_new(test->mem, 3, &desk));
    const souk_taxed *taxed = tax(test, desk, &rule, 0, lines, 3);
    SOUK_CHECK(taxed->rates[0].tax_minor == 55 && taxed->rates[1].tax_minor == 18);
    SOUK_CHECK(taxed->gross_minor == 781 + 73);
    rule.rounding = SOUK_ROUND_HALF_UP;
    SOUK_CHECK(tax(test, desk, &rule, 0, lines, 3)->rates[0].tax_minor == 56);
}

SOUK_TEST("halves go up or to even as the rule says")
{
    const souk_tax_rate rates[] = {{"1 %", 10000}};
    const souk_tax_class classes[] = {{STANDARD, 1}};
    souk_tax_rule rule = {false, true, SOUK_ROUND_HALF_UP, rates, 1, classes, 1};
    const souk_tax_line lines[] = {{STANDARD, 50}, {STANDARD, 150}, {STANDARD, 51}};
    souk_auto(souk_tax) desk = NULL;
    SOUK_MUST(souk_tax_new(test->mem, 3, &desk));
    const souk_taxed *taxed = tax(test, desk, &rule, 0, lines, 3);
    SOUK_CHECK(taxed->lines[0].tax_minor == 1 && taxed->lines[1].tax_minor == 2);
    rule.rounding = SOUK_ROUND_HALF_EVEN;
    taxed = tax(test, desk, &rule, 0, lines, 3);
    SOUK_CHECK(taxed->lines[0].tax_minor == 0 && taxed->lines[1].tax_minor == 2);
    SOUK_CHECK(taxed->lines[2].tax_minor == 1);
}

SOUK_TEST("an exempt shopper pays prices that hold tax without it")
{
    const souk_tax_rate rates[] = {{"USt 19 %", 190000}};
    const souk_tax_class classes[] = {{STANDARD, 1}};
    const souk_tax_rule rule = {true, false, SOUK_ROUND_HALF_UP, rates, 1, classes, 1};
    const souk_tax_line lines[] = {{STANDARD, 11900}};
    souk_auto(souk_tax) desk = NULL;
    SOUK_MUST(souk_tax_new(test->mem, 1, &desk));
    const souk_taxed *taxed = tax(test, desk, &rule, 1, lines, 1);
    SOUK_CHECK(taxed->gross_minor == 10000 && taxed->tax_minor == 0);
    SOUK_CHECK(taxed->rates[0].exempt_minor == 10000);
}

/* ---- random receipts --------------------------------------------------------------------------------------- */

/* Both ways of adding up, by themselves; false: they do not tie. */
static bool ties(const souk_tax_rule *rule, const souk_taxed *taxed, const souk_tax_line *lines)
{
    int64_t net = 0, all = 0, gross = 0, of_rates = 0;
    bool good = true;
    for (size_t i = 0; i < taxed->line_count; i++) {
        const souk_taxed_line *line = &taxed->lines[i];
        int64_t sum = 0;
        for (size_t rate = 0; rate < rule->rate_count; rate++) {
            good &= line->tax_of_rate[rate] >= 0;
            sum += line->tax_of_rate[rate];
        }
        good &= sum == line->tax_minor && line->net_minor >= 0;
        good &= line->net_minor + line->tax_minor == line->gross_minor;
        good &= (rule->inclusive ? line->gross_minor : line->net_minor) == lines[i].amount_minor;
        net += line->net_minor;
        all += line->tax_minor;
        gross += line->gross_minor;
    }
    for (size_t rate = 0; rate < rule->rate_count; rate++) {
        int64_t base = 0, sum = 0;
        for (size_t i = 0; i < taxed->line_count; i++) {
            base += taxed->lines[i].rates >> rate & 1 ? taxed->lines[i].net_minor : 0;
            sum += taxed->lines[i].tax_of_rate[rate];
        }
        good &= base == taxed->rates[rate].base_minor && sum == taxed->rates[rate].tax_minor;
        of_rates += sum;
    }
    return good && net == taxed->net_minor && all == taxed->tax_minor && of_rates == all &&
           gross == taxed->gross_minor;
}

SOUK_TEST(
    "taxes of random receipts tie by line and by rate, and stay within a unit of the exact tax")
{
    enum { LINES = 20, RATES = 4 };
    souk_auto(souk_tax) desk = NULL;
    SOUK_MUST(souk_tax_new(test->mem, LINES, &desk));
    for (int round = 0; round < 5000; round++) {
        souk_tax_rate rates[RATES];
        souk_tax_class classes[3];
        souk_tax_line lines[LINES];
        souk_tax_rule rule = {test_random(test, 2),
                              test_random(test, 2),
                              (souk_rounding)test_random(test, 3),
                              rates,
                              RATES,
                              classes,
                              3};
        size_t count = test_random(test, LINES + 1);
        for (size_t i = 0; i < RATES; i++)
            rates[i] = (souk_tax_rate){
                "", (uint32_t)test_random(test, test_random(test, 9) ? 250000 : 10000001)};
        for (uint32_t i = 0; i < 3; i++)
            classes[i] = (souk_tax_class){i, (uint32_t)test_random(test, 1 << RATES)};
        for (size_t i = 0; i < count; i++)
            lines[i] =
                (souk_tax_line){(uint32_t)test_random(test, 3),
                                (int64_t)test_random(test, test_random(test, 2) ? 5 : 100000)};
        const souk_taxed *taxed = tax(test, desk, &rule, 0, lines, count);
        SOUK_CHECK(ties(&rule, taxed, lines));
        for (size_t rate = 0; rate < RATES && !rule.inclusive; rate++) {
            double exact = (double)taxed->rates[rate].base_minor * rates[rate].rate_micro / 1e6;
            double off = exact - (double)taxed->rates[rate].tax_minor;
            double most = rule.by_line ? (double)count : 1;
            SOUK_CHECK(off < most + 1e-6 && off > -most - 1e-6);
        }
        if (count && lines[0].amount_minor) { /* a planted unit is noticed */
            souk_tax_line planted[LINES];
            memcpy(planted, lines, sizeof planted);
            planted[0].amount_minor--;
            SOUK_CHECK(!ties(&rule, taxed, planted));
        }
    }
}

/* ---- refusals ---------------------------------------------------------------------------------------------- */

SOUK_TEST("taxes refuse what is no receipt and no rule, with words")
{
    souk_tax_rate rates[33] = {{"", 190000}};
    souk_tax_class classes[] = {{STANDARD, 1}, {REDUCED, 1}};
    souk_tax_rule rule = {false, true, SOUK_ROUND_HALF_UP, rates, 1, classes, 2};
    souk_tax_line lines[] = {{STANDARD, 1}, {SERVICE, 1}};
    const souk_taxed *taxed = NULL;
    souk_auto(souk_tax) desk = NULL;
    souk_diag diag = {.words = ""};
    SOUK_MUST(souk_tax_new(test->mem, 2, &desk));
#define REFUSED(expected, part)                                                                \
    do {                                                                                       \
        diag = (souk_diag){.words = ""};                                                       \
        SOUK_CHECK_ERR(souk_tax_receipt(desk, &rule, 0, lines, 2, &taxed, &diag), (expected)); \
        SOUK_CHECK(strstr(diag.words, (part)));                                                \
    } while (0)
    REFUSED(SOUK_EINVAL, "line 2 is of tax class 3");
    lines[1] = (souk_tax_line){REDUCED, -5};
    REFUSED(SOUK_EINVAL, "line 2 is below 0");
    lines[1].amount_minor = INT64_MAX;
    REFUSED(SOUK_EOVERFLOW, "up to line 2");
    lines[1].amount_minor = INT64_MAX - 1;
    REFUSED(SOUK_EOVERFLOW, "with its taxes");
    classes[1].tax_class = STANDARD;
    REFUSED(SOUK_EINVAL, "class 1 is there twice");
    classes[1] = (souk_tax_class){REDUCED, 2};
    REFUSED(SOUK_EINVAL, "class 2 bears a rate");
    rates[0].rate_micro = 10000001;
    REFUSED(SOUK_EINVAL, "more than 1000 %");
    rule.rate_count = 33;
    REFUSED(SOUK_EINVAL, "33 rates");
    SOUK_CHECK_ERR(souk_tax_receipt(desk, &rule, 0, lines, 3, &taxed, NULL), SOUK_ETOOBIG);
    SOUK_CHECK(taxed == NULL);
}

SOUK_TEST("making a desk for taxes survives every failure of memory")
{
    SOUK_FAULT_LOOP (test) {
        souk_auto(souk_tax) desk = NULL;
        souk_err err = souk_tax_new(test->mem, 5, &desk);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
    }
}
