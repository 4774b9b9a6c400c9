/* earn.h - how many points a priced basket earns, and which line earned how many.
 *
 *     souk_earn_rule rules[] = {{.tags = &tea, .tag_count = 1, .multiply_micro = 2000000},
 *                               {.tags = &tobacco, .tag_count = 1, .multiply_micro = 0}};
 *     souk_earn earn = {.points = 1, .per_minor = 100, .rules = rules, .rule_count = 2};      1 point for 1.00, tea twice
 *     SOUK_TRY(souk_earn_points(&earn, lines, line_count, &when, seats, points, &sum));
 *
 * Line     what was paid of it in money: after discounts, without what points paid; at least 0
 * Rules    of those that fit a line (all that a rule tells must fit) one with multiply 0 excludes it.  Otherwise the highest multiplier
 *          holds, or, where rules go `together`, all of them multiply; the tier's multiplier comes on top of either
 * Exact    amount x points x multiplier / per, in 128 bits; rounded once for the receipt and spread over the lines by largest
 *          remainder (share.h), or, `by_line`, once for each line.  Multipliers are products in 1e-6, half to even, and end at
 *          SOUK_EARN_MULTIPLY_MOST
 * Least    below it (what was paid of lines that are not excluded) the basket earns nothing; `most` is a ceiling of the receipt, by
 *          which its lines are lowered in proportion
 * Shape    points, seats: [line_count]; products and tags of rules: ascending, byte by byte
 * Cost     rules x lines x (a binary search for the product and for each of its tags)
 * Threads  no state */
#ifndef SOUK_ALGO_EARN_H
#define SOUK_ALGO_EARN_H

#include "algo/ratio.h"
#include "algo/share.h"
#include "base/text.h"

#define SOUK_EARN_AMOUNT_MOST   INT64_C(1000000000000) /* minor units, of a line */
#define SOUK_EARN_POINTS_MOST   INT64_C(1000000000000) /* of a receipt */
#define SOUK_EARN_MULTIPLY_MOST INT64_C(100000000)     /* x 1e-6: a hundred times */
enum { SOUK_EARN_LINES_MOST = 10000 };

typedef struct souk_earn_line {
    souk_text product;
    const souk_text *tags; /* [tag_count] categories, brands, any */
    size_t tag_count;
    int64_t amount_minor;
} souk_earn_line;

typedef struct souk_earn_when {
    int64_t at;         /* ms UTC */
    unsigned weekday;   /* of the store: 0 Sunday to 6 Saturday */
    souk_text store;    /* "": online */
    souk_text tier;     /* of who buys; "": none */
    int64_t tier_micro; /* its multiplier; 0: once */
} souk_earn_when;

typedef struct souk_earn_rule {
    const souk_text *products, *tags; /* either fits a line; none of both: every line */
    size_t product_count, tag_count;
    const souk_text *stores, *tiers; /* none: every one */
    size_t store_count, tier_count;
    int64_t from, until; /* ms UTC, from <= at < until; both 0: always */
    unsigned weekdays;   /* a bit each, 1 << 0 Sunday; 0: every day */
    int64_t multiply_micro;
} souk_earn_rule;

typedef struct souk_earn {
    int64_t points, per_minor; /* so many points for so much */
    souk_rounding rounding;
    bool by_line;
    bool together;
    int64_t least_minor;
    int64_t most; /* of a receipt; 0: SOUK_EARN_POINTS_MOST */
    const souk_earn_rule *rules;
    size_t rule_count;
} souk_earn;

/* SOUK_EINVAL: an amount below 0 or above SOUK_EARN_AMOUNT_MOST, or too many lines.  SOUK_EOVERFLOW: more points than
 * SOUK_EARN_POINTS_MOST, where `most` does not say less. */
SOUK_CHECKED souk_err souk_earn_points(const souk_earn *earn, const souk_earn_line *lines,
                                       size_t line_count, const souk_earn_when *when,
                                       souk_share_seat *seats, int64_t *ret_points,
                                       int64_t *ret_sum);
/* What a line's points are multiplied by, x 1e-6; 0: it is excluded. */
int64_t souk_earn_multiplier(const souk_earn *earn, const souk_earn_line *line,
                             const souk_earn_when *when);

#endif
