/* share.h - an amount spread over weights so that no minor unit is lost: largest remainder.
 *
 *     int64_t weights[3] = {500, 300, 200}, parts[3];
 *     souk_share_seat seats[3];
 *     souk_share_spread(101, weights, 3, seats, parts);           51 30 20: 50.5, 30.3 and 20.2 exactly
 *
 * Each part is first its exact share rounded down; what is left over, fewer units than there are parts, goes one by
 * one to the largest fractions cut off, the earlier weight first where two are equal.
 *
 * Exact    the parts sum to the amount; each is less than 1 away from its exact share; a weight of 0 gets 0; where the
 *          amount is at most the sum of the weights, no part is above its weight
 * Shape    weights, seats, parts: [count]; parts may be the weights' own array
 * Cost     a division for each weight, in 64 bits where amount x weight fits; a heap of the fractions
 * Source   Hamilton's method; Balinski, Young, Fair Representation, 2nd ed. 2001, appendix A
 * Threads  no state */
#ifndef SOUK_ALGO_SHARE_H
#define SOUK_ALGO_SHARE_H

#include "base/err.h"

/* Scratch: who waits for one unit more. */
typedef struct souk_share_seat {
    uint64_t rest; /* the fraction cut off, in units of 1 / sum of weights */
    uint32_t index;
} souk_share_seat;

/* amount and weights at least 0, their sum fits an int64_t, and above 0 where amount is: our own callers know
 * (asserted).  count at most UINT32_MAX. */
void souk_share_spread(int64_t amount, const int64_t *weights, size_t count, souk_share_seat *seats,
                       int64_t *ret_parts);

#endif
