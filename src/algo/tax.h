/* tax.h - the taxes of a receipt: by line and by rate, so that both tie exactly.
 *
 *     souk_tax_rate rates[] = {{"USt 19 %", 190000}, {"USt 7 %", 70000}};
 *     souk_tax_class classes[] = {{STANDARD, 1 << 0}, {REDUCED, 1 << 1}};
 *     souk_tax_rule germany = {.inclusive = true, .rounding = SOUK_ROUND_HALF_UP,
 *                              .rates = rates, .rate_count = 2, .classes = classes, .class_count = 2};
 *     souk_tax_line lines[] = {{REDUCED, 109}, {REDUCED, 249}, {STANDARD, 599}};
 *     const souk_taxed *taxed;
 *     SOUK_TRY(souk_tax_receipt(desk, &germany, 0, lines, 3, &taxed, diag));
 *     taxed->rates[1].tax_minor                                  23: 358 x 7 / 107 is 23.42, rounded once
 *
 * A class bears one or more rates: a state's, a county's and a city's stand on one line, each on the same base.
 *
 * Exclusive  amounts are net, tax comes on top.  By line: each rate of each line is rounded.  By receipt: each rate is
 *            rounded once, on all that bears it, and spread over those lines by largest remainder (share.h).
 * Inclusive  amounts hold their tax: amount x R / (1 + R), R the sum of the class's rates, rounded by line, or by
 *            receipt once for all lines that bear the same rates, and spread over them; then it is spread over the
 *            rates.  net + tax is the amount, always.
 * Exempt     rates that this receipt does not bear (a bit each).  Exclusive: nothing is added.  Inclusive: what they
 *            would be is taken off what is paid.
 * No rates   a class with none is outside the tax; a rate of 0 is a rate: its base is told.
 * Ties       the sum over lines equals the sum over rates, for net, tax and gross, in minor units
 * Not here   tax on tax (compound rates), and thresholds by price: choose another class for such a line
 * Memory     all of it is got by souk_tax_new
 * Cost       rates x lines
 * Threads    one desk each */
#ifndef SOUK_ALGO_TAX_H
#define SOUK_ALGO_TAX_H

#include "algo/ratio.h"
#include "base/mem.h"

enum { SOUK_TAX_RATES_MOST = 32 };

typedef struct souk_tax_rate {
    const char *name;
    uint32_t rate_micro; /* 19 %: 190000; at most 10 times the base */
} souk_tax_rate;

typedef struct souk_tax_class {
    uint32_t tax_class; /* the caller's number, each once */
    uint32_t rates;     /* bit n: rates[n] */
} souk_tax_class;

typedef struct souk_tax_rule {
    bool inclusive, by_line; /* else by receipt */
    souk_rounding rounding;
    const souk_tax_rate *rates;
    size_t rate_count;
    const souk_tax_class *classes;
    size_t class_count;
} souk_tax_rule;

typedef struct souk_tax_line {
    uint32_t tax_class;
    int64_t amount_minor; /* after all offers, 0 or above */
} souk_tax_line;

typedef struct souk_taxed_line {
    int64_t net_minor, tax_minor, gross_minor; /* net + tax = gross, which is what is paid */
    uint32_t rates;                            /* that it bears, a bit each */
    const int64_t *tax_of_rate;                /* [rate_count] */
} souk_taxed_line;

typedef struct souk_taxed_rate {
    int64_t base_minor, tax_minor; /* net of the lines that bear it */
    int64_t exempt_minor;          /* net of the lines that would */
} souk_taxed_rate;

/* In the desk, until its next receipt. */
typedef struct souk_taxed {
    const souk_taxed_line *lines; /* [line_count] */
    const souk_taxed_rate *rates; /* [rate_count] */
    size_t line_count, rate_count;
    int64_t net_minor, tax_minor, gross_minor;
} souk_taxed;

typedef struct souk_tax souk_tax;

/* A desk for receipts of at most so many lines.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_tax_new(souk_mem *mem, size_t lines, souk_tax **ret_desk);
void souk_tax_free(souk_tax *desk);
SOUK_AUTO(souk_tax)

/* SOUK_EINVAL: an amount below 0, a class that the rule does not have, a rule that is none (too many rates, a class
 * twice, a rate above its limit).  SOUK_EOVERFLOW: sums that do not fit.  SOUK_ETOOBIG: more lines than the desk has.
 * diag names the line, counted from 1. */
SOUK_CHECKED souk_err souk_tax_receipt(souk_tax *desk, const souk_tax_rule *rule, uint32_t exempt,
                                       const souk_tax_line *lines, size_t line_count,
                                       const souk_taxed **ret_taxed, souk_diag *diag);

#endif
