/* earn.c - multipliers by rule, then one division: see earn.h. */
#include "algo/earn.h"

#define ONE_MICRO INT64_C(1000000)

static bool holds(const souk_text *sorted, size_t count, souk_text text)
{
    size_t from = 0, to = count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = souk_text_compare(sorted[middle], text);
        if (order == 0)
            return true;
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return false;
}

static bool fits_line(const souk_earn_rule *rule, const souk_earn_line *line)
{
    if (rule->product_count == 0 && rule->tag_count == 0)
        return true;
    if (holds(rule->products, rule->product_count, line->product))
        return true;
    for (size_t i = 0; i < line->tag_count; i++)
        if (holds(rule->tags, rule->tag_count, line->tags[i]))
            return true;
    return false;
}

static bool fits_when(const souk_earn_rule *rule, const souk_earn_when *when)
{
    if ((rule->from || rule->until) && (when->at < rule->from || when->at >= rule->until))
        return false;
    if (rule->weekdays && !(rule->weekdays >> when->weekday & 1))
        return false;
    if (rule->store_count && !holds(rule->stores, rule->store_count, when->store))
        return false;
    return rule->tier_count == 0 || holds(rule->tiers, rule->tier_count, when->tier);
}

/* a x b in 1e-6, half to even, at most the most. */
static int64_t times(int64_t a, int64_t b)
{
    int64_t product;
    if (!souk_ratio(a, b, ONE_MICRO, SOUK_ROUND_HALF_EVEN, &product))
        return SOUK_EARN_MULTIPLY_MOST;
    return product < SOUK_EARN_MULTIPLY_MOST ? product : SOUK_EARN_MULTIPLY_MOST;
}

int64_t souk_earn_multiplier(const souk_earn *earn, const souk_earn_line *line,
                             const souk_earn_when *when)
{
    int64_t best = -1, product = ONE_MICRO;
    for (size_t i = 0; i < earn->rule_count; i++) {
        const souk_earn_rule *rule = &earn->rules[i];
        if (!fits_when(rule, when) || !fits_line(rule, line))
            continue;
        if (rule->multiply_micro == 0)
            return 0;
        product = times(product, rule->multiply_micro);
        best = rule->multiply_micro > best ? rule->multiply_micro : best;
    }
    int64_t by_rules = best < 0 ? ONE_MICRO : earn->together ? product : best;
    return when->tier_micro ? times(by_rules, when->tier_micro) : times(by_rules, ONE_MICRO);
}

/* The exact value of a line in units of 1 / (per x 1e6): at most 10^12 x 10^8 x 10^12. */
static souk_u128 value_of(const souk_earn *earn, const souk_earn_line *line, int64_t multiplier)
{
    return (souk_u128)(uint64_t)line->amount_minor * (uint64_t)multiplier * (uint64_t)earn->points;
}

static souk_err divide(const souk_earn *earn, souk_u128 value, int64_t *ret_points)
{
    souk_u128 of = (souk_u128)(uint64_t)earn->per_minor * ONE_MICRO;
    souk_u128 whole = value / of, rest = value % of, above = of - rest;
    bool up =
        rest > above || (rest == above && (earn->rounding == SOUK_ROUND_HALF_UP || (whole & 1)));
    whole += up && earn->rounding != SOUK_ROUND_DOWN;
    if (whole > (souk_u128)SOUK_EARN_POINTS_MOST) {
        *ret_points = SOUK_EARN_POINTS_MOST;
        return SOUK_EOVERFLOW;
    }
    *ret_points = (int64_t)whole;
    return SOUK_OK;
}

/* Weights in proportion to the values, small enough that their sum fits. */
static void weigh(const souk_earn *earn, const souk_earn_line *lines, size_t count,
                  const souk_earn_when *when, souk_u128 sum, int64_t *ret_weights)
{
    souk_u128 scale = (sum >> 62) + 1;
    for (size_t i = 0; i < count; i++) {
        int64_t multiplier = souk_earn_multiplier(earn, &lines[i], when);
        souk_u128 value = value_of(earn, &lines[i], multiplier);
        ret_weights[i] = (int64_t)(value / scale) + (value > 0 && value < scale);
    }
}

static souk_err by_line(const souk_earn *earn, const souk_earn_line *lines, size_t count,
                        const souk_earn_when *when, int64_t *ret_points, int64_t *ret_sum)
{
    int64_t sum = 0;
    souk_err over = SOUK_OK;
    for (size_t i = 0; i < count; i++) {
        int64_t multiplier = souk_earn_multiplier(earn, &lines[i], when);
        souk_err err = divide(earn, value_of(earn, &lines[i], multiplier), &ret_points[i]);
        over = err ? err : over;
        sum += ret_points[i];
    }
    *ret_sum = sum < SOUK_EARN_POINTS_MOST ? sum : SOUK_EARN_POINTS_MOST;
    return sum > SOUK_EARN_POINTS_MOST ? SOUK_EOVERFLOW : over;
}

souk_err souk_earn_points(const souk_earn *earn, const souk_earn_line *lines, size_t line_count,
                          const souk_earn_when *when, souk_share_seat *seats, int64_t *ret_points,
                          int64_t *ret_sum)
{
    souk_u128 sum = 0;
    int64_t paid = 0, points;
    if (line_count > SOUK_EARN_LINES_MOST)
        return SOUK_EINVAL;
    for (size_t i = 0; i < line_count; i++) {
        if (lines[i].amount_minor < 0 || lines[i].amount_minor > SOUK_EARN_AMOUNT_MOST)
            return SOUK_EINVAL;
        int64_t multiplier = souk_earn_multiplier(earn, &lines[i], when);
        sum += value_of(earn, &lines[i], multiplier);
        paid += multiplier ? lines[i].amount_minor : 0;
        ret_points[i] = 0;
    }
    *ret_sum = 0;
    if (sum == 0 || paid < earn->least_minor)
        return SOUK_OK;
    souk_err over = earn->by_line ? by_line(earn, lines, line_count, when, ret_points, &points)
                                  : divide(earn, sum, &points);
    bool lowers = earn->most && points > earn->most;
    if (over && !lowers)
        return over;
    if (lowers)
        points = earn->most;
    if (lowers || !earn->by_line) {
        weigh(earn, lines, line_count, when, sum, ret_points);
        souk_share_spread(points, ret_points, line_count, seats, ret_points);
    }
    *ret_sum = points;
    return SOUK_OK;
}
