/* decimal.h - exact numbers with six places: unit prices, line amounts, quantities.
 *
 *     souk_decimal price, total;
 *     bool rounded;
 *     SOUK_TRY(souk_decimal_read(SOUK_TEXT("2.55"), &price, &rounded));
 *     SOUK_TRY(souk_decimal_mul_int(price, 3, &total));
 *     char text[SOUK_DECIMAL_BYTES];
 *     souk_decimal_write(total, text);                               "7.65"
 *     int64_t cents;
 *     SOUK_TRY(souk_decimal_to_minor(total, 2, &cents, &rounded));   765
 *
 * Shape    int64 x 1e-6: -9223372036854.775808 to 9223372036854.775807
 * Error    half to even (IEEE 754-2019 4.3.1) wherever digits are lost; ret_rounded then says true
 * Errors   SOUK_EOVERFLOW: the result does not fit.  On any error the results keep their old
 * values. Cost     reading: two passes over the text; the rest: a few instructions Source   the
 * grammar of numbers is RFC 8259 section 6 Threads  values, free to share.  Every ret_rounded may
 * be NULL. */
#ifndef SOUK_BASE_DECIMAL_H
#define SOUK_BASE_DECIMAL_H

#include "base/text.h"

typedef struct souk_decimal {
    int64_t micro;
} souk_decimal;

enum {
    SOUK_DECIMAL_BYTES = 24,      /* room for any decimal as text, with its NUL */
    SOUK_DECIMAL_MAX_EXPONENT = 6 /* of minor units; ISO 4217 goes to 4 */
};

/* Reads a JSON number of any length: sign, fraction, exponent, no space around it.
 * SOUK_ESYNTAX: not such a number, also "", "+1", "01", "1.", ".5". */
SOUK_CHECKED souk_err souk_decimal_read(souk_text number, souk_decimal *ret_decimal,
                                        bool *ret_rounded);

/* Writes the shortest exact text, "-0.5", "12", "9747747.934", with a NUL; returns its length. */
size_t souk_decimal_write(souk_decimal decimal, char out[SOUK_DECIMAL_BYTES]);

SOUK_CHECKED souk_err souk_decimal_add(souk_decimal a, souk_decimal b, souk_decimal *ret_sum);
SOUK_CHECKED souk_err souk_decimal_sub(souk_decimal a, souk_decimal b, souk_decimal *ret_rest);
SOUK_CHECKED souk_err souk_decimal_mul_int(souk_decimal a, int64_t times,
                                           souk_decimal *ret_product);
/* The exact product, then rounded once. */
SOUK_CHECKED souk_err souk_decimal_mul(souk_decimal a, souk_decimal b, souk_decimal *ret_product,
                                       bool *ret_rounded);

/* Less than, equal to or greater than zero, as a stands to b. */
static inline int souk_decimal_compare(souk_decimal a, souk_decimal b)
{
    return (a.micro > b.micro) - (a.micro < b.micro);
}

/* Settled money counts minor units; exponent is the currency's in ISO 4217: JPY 0, GBP 2, KWD 3.
 * SOUK_EINVAL: exponent above SOUK_DECIMAL_MAX_EXPONENT. */
SOUK_CHECKED souk_err souk_decimal_from_minor(int64_t minor, unsigned exponent,
                                              souk_decimal *ret_decimal);
SOUK_CHECKED souk_err souk_decimal_to_minor(souk_decimal decimal, unsigned exponent,
                                            int64_t *ret_minor, bool *ret_rounded);

#endif
