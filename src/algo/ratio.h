/* ratio.h - a part of an amount, rounded once.
 *
 *     int64_t tax;
 *     bool fits = souk_ratio(1190, 19, 119, SOUK_ROUND_HALF_EVEN, &tax);        190: 1190 x 19 / 119
 *
 * Error    none before the rounding: products have 128 bits
 * Cost     a multiplication and a division, in 64 bits where the product fits
 * Threads  no state */
#ifndef SOUK_ALGO_RATIO_H
#define SOUK_ALGO_RATIO_H

#include "base/err.h"

typedef enum souk_rounding {
    SOUK_ROUND_HALF_EVEN, /* IEEE 754-2019 4.3.1 */
    SOUK_ROUND_HALF_UP,   /* a half goes up */
    SOUK_ROUND_DOWN,
} souk_rounding;

__extension__ typedef unsigned __int128 souk_u128;

/* amount x times / by, for numbers at least 0, by above 0.  false: it does not fit; *ret_part keeps its value. */
static inline bool souk_ratio(int64_t amount, int64_t times, int64_t by, souk_rounding rounding,
                              int64_t *ret_part)
{
    uint64_t product, quotient, rest, of = (uint64_t)by;
    if (!__builtin_mul_overflow((uint64_t)amount, (uint64_t)times, &product)) {
        quotient = product / of;
        rest = product % of;
    } else {
        souk_u128 exact = (souk_u128)(uint64_t)amount * (uint64_t)times, whole = exact / of;
        if (whole >= INT64_MAX)
            return false;
        quotient = (uint64_t)whole;
        rest = (uint64_t)(exact % of);
    }
    uint64_t above = of - rest; /* what is missing to the next */
    bool up = rest > above || (rest == above && (rounding == SOUK_ROUND_HALF_UP || (quotient & 1)));
    quotient += up && rounding != SOUK_ROUND_DOWN;
    if (quotient > INT64_MAX)
        return false;
    *ret_part = (int64_t)quotient;
    return true;
}

#endif
