/* refund.h - what comes back when part of a line is returned, so that all parts together are what was paid.
 *
 *     int64_t paid[2] = {839, 159}, back[2];                        net and tax of 3 shirts, after every offer
 *     souk_refund_line line = {.quantity = {3000000}, .before = {1000000}};
 *     SOUK_TRY(souk_refund(&line, (souk_decimal){1000000}, paid, 2, back, diag));       the second shirt: 279 53
 *
 * Policy   Each unit of a line cost the same: its line's share of every offer, spread evenly, for who returns one of
 *          three has not got the free one.  Units come back in the order in which they are returned; the first q of Q
 *          have brought back amount x q / Q, rounded half up, and the next bring what is new.
 * Columns  net and each tax by themselves; what is given back is their sum.  So in any sequence of returns every
 *          column, and the sum, add up to exactly what was paid when all is back, and are never above it, nor below 0.
 * Weight   weighed goods return any part of their quantity, pieces whole ones
 * Cost     two divisions a column
 * Threads  no state */
#ifndef SOUK_ALGO_REFUND_H
#define SOUK_ALGO_REFUND_H

#include "base/decimal.h"

typedef struct souk_refund_line {
    souk_decimal quantity; /* sold, above 0 */
    souk_decimal before;   /* returned already, [0, quantity] */
    bool weighed;
} souk_refund_line;

/* What `back` more brings, for each of columns[count]; ret_back may be columns.
 * SOUK_EINVAL: back is not above 0, is more than is left, or part of a piece. */
SOUK_CHECKED souk_err souk_refund(const souk_refund_line *line, souk_decimal back,
                                  const int64_t *columns, size_t count, int64_t *ret_back,
                                  souk_diag *diag);

#endif
