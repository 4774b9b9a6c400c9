/* measure.h - codes that a scale prints: item and weight or price in one number, by templates that a shop sets.
 *
 *     souk_measures measures = {0};
 *     SOUK_TRY(souk_measure_add(&measures, SOUK_TEXT("21IIIIIVVVVVC weight g"), diag));
 *     SOUK_TRY(souk_measure_add(&measures, SOUK_TEXT("2[3-5]IIIIIKVVVVC price 0.01"), diag));
 *     souk_measure measure;
 *     SOUK_TRY(souk_measure_read(&measures, SOUK_TEXT("2100042012509"), &measure, diag));
 *     measure.item, measure.weight, measure.unit                   "00042", 1.25, "kg"
 *     measure.code                                                 "2100042000001": the same, weighing nothing
 *
 * A template is a pattern and what its values are:
 *
 *     0 to 9      this digit                 [0-4], [135]   one of these
 *     d           any digit                  I              the item, all its digits together are its number
 *     V           the value                  P, W, N        price, weight and count, where a code has two of them
 *     K           the check digit of V, else of P, else of W, which has four or five digits (7.9.3, 7.9.4)
 *     C           the check digit of the whole, the last (7.9)
 *
 *     price 0.01      the value counts hundredths of the shop's currency
 *     weight g        or 0.01 kg, 5 g, lb, 0.1 oz: told in kg, or in lb
 *     count           pieces
 *
 *     02IIIIIKVVVVC price 0.01                EAN-13, or UPC-A without its 0: 2IIIIIKVVVVC
 *     2[0-4]IIIIIVVVVVC price 0.01            GB/T 18283 without check digit of the price
 *     2[0-4]IIIIIKVVVVC price 0.01            and with it
 *     2[5-9]IIIIIWWWWWPPPPPC weight g price 0.01          18 digits of a scale
 *
 * The first template that a code fits reads it.  Two that one code could fit are refused when they are set, as nobody
 * could say which of them reads it; so their order does not matter.  Spaces in a pattern are passed over.
 *
 * Limits   64 templates of 6 to 24 digits; of 8, 12 and 13 digits only those whose prefix GS1 leaves to shops
 * Errors   SOUK_ESYNTAX with the column: no such template.  SOUK_ECONFLICT: it fits codes of another one.
 *          SOUK_ENOENT: the code fits none.  SOUK_EINVAL: it fits, and a check digit is wrong
 * Cost     reading: a few dozen instructions a template
 * Source   GS1 General Specifications 2.1.12, 7.9; GB/T 18283-2008, 4.2 and annex A
 * Threads  a set may be shared once it is built */
#ifndef SOUK_BASE_MEASURE_H
#define SOUK_BASE_MEASURE_H

#include "base/decimal.h"

enum { SOUK_MEASURE_DIGITS = 24, SOUK_MEASURES = 64 };

typedef struct souk_measure_template {
    char parts[SOUK_MEASURE_DIGITS + 1]; /* of "dIVPWNKC", one a digit; V is written as P, W or N */
    uint16_t allowed[SOUK_MEASURE_DIGITS]; /* bit n: the digit n may stand here */
    size_t digits;
    souk_decimal price_scale, weight_scale; /* of one step of the value */
    const char *unit;                       /* of the weight: "kg" or "lb" */
} souk_measure_template;

typedef struct souk_measures {
    souk_measure_template rows[SOUK_MEASURES];
    size_t count;
} souk_measures;

/* One more template; on failure the set is as it was. */
SOUK_CHECKED souk_err souk_measure_add(souk_measures *measures, souk_text line, souk_diag *diag);

typedef struct souk_measure {
    char item[SOUK_MEASURE_DIGITS + 1]; /* with its zeros in front */
    char code[SOUK_MEASURE_DIGITS +
              1]; /* the code with values of 0: the same for every piece of an item */
    bool has_price, has_weight, has_count;
    souk_decimal price, weight;
    const char *unit; /* of the weight, a literal */
    uint64_t count;
    size_t template_index;
} souk_measure;

/* 12 digits are read as 13 with a 0 in front, as are 14 that begin with 0. */
SOUK_CHECKED souk_err souk_measure_read(const souk_measures *measures, souk_text digits,
                                        souk_measure *ret_measure, souk_diag *diag);

/* Prints the code of an item, as a scale does: values in steps of the template, the lowest digit where any is allowed.
 * SOUK_EINVAL: the item is not so many digits.  SOUK_EOVERFLOW: a value has too many. */
SOUK_CHECKED souk_err souk_measure_write(const souk_measure_template *row, souk_text item,
                                         uint64_t price, uint64_t weight, uint64_t count,
                                         char out[SOUK_MEASURE_DIGITS + 1], souk_diag *diag);

/* The check digit of a price or weight of four or five digits; 0: anything else. */
char souk_measure_check_digit(souk_text digits);

#endif
