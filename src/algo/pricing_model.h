/* pricing_model.h - pricing.h word for word, one unit at a time: no index, no arithmetic on runs.
 * For tests, and the peer of `souk bench pricing`. */
#ifndef SOUK_ALGO_PRICING_MODEL_H
#define SOUK_ALGO_PRICING_MODEL_H

#include "algo/pricing_model_units.h"

/* ---- claims ------------------------------------------------------------------------------------------- */

static bool model_may(const model_unit *unit, const souk_offer *offer)
{
    bool in = false, gift = offer->kind == SOUK_OFFER_BASKET_FREE;
    for (size_t i = gift; i < offer->scope_count; i++)
        in |= model_in_scope(&offer->scopes[i], unit->line);
    bool set = offer->kind >= SOUK_OFFER_N_FOR_M && offer->kind <= SOUK_OFFER_BUNDLE_PERCENT;
    return in && !((set || gift) && unit->line->weighed) && !(set && unit->in_set);
}

/* The units marked as taken, by label, become the claim's parts. */
static void model_parts(model *my, model_claim *claim)
{
    claim->part_count = 0;
    for (size_t i = 0; i < my->unit_count; i++) {
        if (!my->units[i].taken)
            continue;
        size_t at = 0;
        while (at < claim->part_count && claim->parts[at].label != my->units[i].label)
            at++;
        if (at == claim->part_count) {
            memset(&claim->parts[at], 0, sizeof claim->parts[at]);
            claim->parts[claim->part_count++].label = my->units[i].label;
        }
        claim->parts[at].of[i] = true;
        claim->parts[at].cost += my->units[i].price;
    }
}

/* Largest remainder, one unit at a time; the earlier run first on a tie. */
static void model_spread(model_claim *claim, int64_t amount, const size_t *rank)
{
    int64_t sum = 0, given = 0;
    for (size_t i = 0; i < claim->part_count; i++)
        sum += claim->parts[i].cost;
    for (size_t i = 0; i < claim->part_count; i++)
        given += claim->parts[i].off = sum ? amount * claim->parts[i].cost / sum : 0;
    for (; given < amount; given++) {
        size_t most = SIZE_MAX;
        int64_t owed = INT64_MIN;
        for (size_t i = 0; i < claim->part_count; i++) {
            const model_part *part = &claim->parts[i];
            int64_t here = amount * part->cost - part->off * sum;
            if (here > owed || (here == owed && rank[i] < rank[most])) {
                owed = here;
                most = i;
            }
        }
        claim->parts[most].off++;
    }
}

static int64_t model_unit_off(const souk_offer *offer, const model_unit *unit)
{
    int64_t amount = offer->amount_minor;
    if (unit->line->weighed)
        amount = model_round(amount * (unit->line->quantity.micro / 1000), 1000);
    if (amount > unit->price)
        amount = unit->price;
    return offer->kind == SOUK_OFFER_UNIT_AMOUNT ? amount : unit->price - amount;
}

/* The sum of a claim: spread over its parts in the order `rank`, then cut to the ceiling. */
static void model_finish(model_claim *claim, int64_t amount, bool spread, const size_t *rank)
{
    if (spread)
        model_spread(claim, amount, rank);
    claim->amount = 0;
    for (size_t i = 0; i < claim->part_count; i++)
        claim->amount += claim->parts[i].off;
    if (!claim->offer->most_minor || claim->amount <= claim->offer->most_minor)
        return;
    for (size_t i = 0; i < claim->part_count; i++)
        claim->parts[i].cost = claim->parts[i].off;
    claim->amount = claim->offer->most_minor;
    model_spread(claim, claim->amount, rank);
}

/* Parts come in the order in which their first unit stands in the sequence. */
static void model_rank(const model_claim *claim, const size_t *sequence, size_t count, size_t *rank)
{
    for (size_t i = 0; i < claim->part_count; i++)
        for (size_t k = count; k-- > 0;)
            if (claim->parts[i].of[sequence[k]])
                rank[i] = k;
}

static int64_t model_cost(const model_claim *claim)
{
    int64_t cost = 0;
    for (size_t i = 0; i < claim->part_count; i++)
        cost += claim->parts[i].cost;
    return cost;
}

static uint32_t model_least(int64_t a, int64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

static void model_weigh_units(model *my, model_claim *claim, const size_t *sequence, size_t count,
                              uint32_t most)
{
    const souk_offer *offer = claim->offer;
    bool percent = offer->kind == SOUK_OFFER_UNIT_PERCENT;
    size_t rank[MODEL_UNITS];
    uint32_t times = 0;
    for (size_t i = 0; i < count && times < most; i++) {
        int64_t of_run =
            0; /* a run counts where any of the units that may be taken of it gives something */
        for (size_t k = i; k < count && k - i < most - times; k++)
            if (my->units[sequence[k]].label == my->units[sequence[i]].label)
                of_run += model_unit_off(offer, &my->units[sequence[k]]);
        bool began = i && my->units[sequence[i]].label == my->units[sequence[i - 1]].label &&
                     my->units[sequence[i - 1]].taken;
        my->units[sequence[i]].taken = percent || of_run || began;
        times += my->units[sequence[i]].taken;
    }
    model_parts(my, claim);
    model_rank(claim, sequence, count, rank);
    for (size_t i = 0; i < claim->part_count; i++)
        for (size_t k = 0; !percent && k < my->unit_count; k++)
            if (claim->parts[i].of[k])
                claim->parts[i].off += model_unit_off(offer, &my->units[k]);
    model_finish(claim, model_round(model_cost(claim) * offer->percent_micro, 1000000), percent,
                 rank);
    claim->times = offer->most_times ? times : 1;
}

/* The next set of units in the sequence, scope by scope; false: there is none. */
static bool model_fill(model *my, const souk_offer *offer, const size_t *sequence, size_t count,
                       bool *set)
{
    memset(set, 0, MODEL_UNITS * sizeof *set);
    for (size_t scope = 0; scope < offer->scope_count; scope++) {
        uint32_t missing = offer->take ? offer->take : offer->scopes[scope].quantity;
        for (size_t i = 0; i < count && missing; i++) {
            const model_unit *unit = &my->units[sequence[i]];
            if (set[sequence[i]] || unit->taken ||
                !model_in_scope(&offer->scopes[scope], unit->line))
                continue;
            set[sequence[i]] = true;
            missing--;
        }
        if (missing)
            return false;
    }
    return true;
}

static void model_weigh_sets(model *my, model_claim *claim, const size_t *sequence, size_t count,
                             uint32_t most)
{
    const souk_offer *offer = claim->offer;
    bool set[MODEL_UNITS];
    size_t rank[MODEL_UNITS];
    int64_t off = 0;
    while (claim->times < most && model_fill(my, offer, sequence, count, set)) {
        int64_t cost = 0;
        uint32_t nth = 0;
        for (size_t i = 0; i < count; i++)
            if (set[sequence[i]]) {
                cost += my->units[sequence[i]].price;
                if (offer->kind == SOUK_OFFER_N_FOR_M && nth++ >= offer->pay)
                    off += my->units[sequence[i]].price;
            }
        bool price =
            offer->kind == SOUK_OFFER_N_FOR_PRICE || offer->kind == SOUK_OFFER_BUNDLE_PRICE;
        if (price && cost <= offer->amount_minor)
            break;
        off += price ? cost - offer->amount_minor : 0;
        for (size_t i = 0; i < my->unit_count; i++)
            my->units[i].taken |= set[i];
        claim->times++;
    }
    model_parts(my, claim);
    model_rank(claim, sequence, count, rank);
    if (offer->kind == SOUK_OFFER_BUNDLE_PERCENT)
        off = model_round(model_cost(claim) * offer->percent_micro, 1000000);
    model_finish(claim, off, true, rank);
}

static void model_weigh_basket(model *my, model_claim *claim, const size_t *sequence, size_t count,
                               uint32_t most)
{
    const souk_offer *offer = claim->offer;
    int64_t amount = 0, quantity = 0, times = most;
    size_t rank[MODEL_UNITS];
    bool any = false;
    for (size_t i = 0; i < my->unit_count; i++)
        if (model_in_scope(&offer->scopes[0], my->units[i].line)) {
            amount += my->after[i];
            quantity += my->units[i].line->weighed ? my->units[i].line->quantity.micro : 1000000;
            any = true;
        }
    if (offer->least_minor)
        times = model_least(times, amount / offer->least_minor);
    if (offer->least_quantity.micro)
        times = model_least(times, quantity / offer->least_quantity.micro);
    if (!offer->least_minor && !offer->least_quantity.micro)
        times = model_least(times, 1);
    claim->times = any ? (uint32_t)times : 0;
    if (!claim->times)
        return;
    if (offer->kind == SOUK_OFFER_BASKET_FREE) {
        int64_t units = times * offer->scopes[1].quantity;
        for (size_t i = count; i-- > 0 && units; units--)
            my->units[sequence[i]].taken = true;
    } else {
        for (size_t i = 0; i < count; i++)
            my->units[sequence[i]].taken = true;
    }
    model_parts(my, claim);
    bool gift = offer->kind == SOUK_OFFER_BASKET_FREE;
    for (size_t i = 0; i < claim->part_count; i++) {
        rank[i] = i; /* by unit, that is by item and front to back */
        for (size_t k = 0; gift && k < count; k++)
            if (claim->parts[i].of[sequence[k]])
                rank[i] = count - k; /* cheapest first */
        claim->parts[i].off = gift ? claim->parts[i].cost : 0;
    }
    int64_t off = model_cost(claim);
    if (offer->kind == SOUK_OFFER_BASKET_PERCENT) {
        off = model_round(off * offer->percent_micro, 1000000);
        claim->times = 1;
    } else if (off > times * offer->amount_minor) {
        off = times * offer->amount_minor;
    }
    model_finish(claim, off, !gift, rank);
}

/* won: labels for which the offer takes most; NULL: all. */
static void model_weigh(model *my, const souk_offer *offer, const bool *won, model_claim *claim)
{
    size_t sequence[MODEL_UNITS], count;
    bool basket = offer->kind >= SOUK_OFFER_BASKET_AMOUNT, unit = offer->kind < SOUK_OFFER_N_FOR_M;
    uint32_t most = offer->most_times ? offer->most_times : basket ? 1 : UINT32_MAX;
    uint32_t *coupons = offer->coupon ? model_coupons(my, offer) : NULL;
    claim->offer = offer;
    claim->amount = 0;
    claim->times = claim->coupons = 0;
    claim->part_count = 0;
    if (coupons && !*coupons)
        return;
    if (coupons && *coupons < most && !(unit && !offer->most_times))
        most = *coupons;
    for (size_t i = 0; i < my->unit_count; i++)
        my->units[i].taken = false;
    count = model_sequence(my, model_may, offer, sequence);
    if (won || (unit && !offer->most_times)) { /* by unit, not by price */
        count = 0;
        for (size_t i = 0; i < my->unit_count; i++) {
            int64_t sum = 0;
            for (size_t k = 0; k < my->unit_count; k++)
                sum += my->units[k].label == my->units[i].label ? my->units[k].price : 0;
            if (sum && !my->units[i].contested && model_may(&my->units[i], offer) &&
                (!won || won[my->units[i].label]))
                sequence[count++] = i;
        }
    }
    if (unit)
        model_weigh_units(my, claim, sequence, count, most);
    else if (!basket)
        model_weigh_sets(my, claim, sequence, count, most);
    else
        model_weigh_basket(my, claim, sequence, count, most);
    if (coupons)
        claim->coupons = unit && !offer->most_times ? 1 : claim->times;
}

static void model_hold(model *my, const model_claim *claim)
{
    size_t at = 0;
    while (my->offers[at] != claim->offer)
        at++;
    if (!claim->amount)
        return;
    my->times[at] = claim->times;
    my->used[at] = claim->coupons;
    if (claim->coupons)
        *model_coupons(my, claim->offer) -= claim->coupons;
    bool set = claim->offer->take || (claim->offer->kind == SOUK_OFFER_BUNDLE_PRICE ||
                                      claim->offer->kind == SOUK_OFFER_BUNDLE_PERCENT);
    for (size_t p = 0; p < claim->part_count; p++) {
        const model_part *part = &claim->parts[p];
        int64_t before[MODEL_UNITS], off = part->off;
        int label = part->label;
        for (size_t i = 0; i < my->unit_count && label == part->label; i++)
            if (my->units[i].label == label && !part->of[i])
                label = my->labels++; /* others stay behind */
        souk_assert(label < MODEL_UNITS);
        for (size_t i = 0; i < my->unit_count; i++)
            if (part->of[i]) {
                before[i] = my->units[i].price;
                my->units[i].label = label;
                my->units[i].contested = true;
                my->units[i].in_set |= set;
                int64_t here = off < my->units[i].price ? off : my->units[i].price;
                my->units[i].price -= here;
                off -= here;
            }
        model_level(my, label);
        for (size_t i = 0; i < my->unit_count; i++)
            if (part->of[i] && part->off) {
                my->off[my->units[i].line_at][at] += before[i] - my->units[i].price;
                my->quantity[my->units[i].line_at][at] +=
                    my->units[i].line->weighed ? my->units[i].line->quantity.micro : 1000000;
            }
    }
}

/* ---- groups, stages, alternatives ------------------------------------------------------------------------ */

static bool model_whole(const souk_offer *offer)
{
    return offer->kind >= SOUK_OFFER_N_FOR_M || offer->most_times || offer->most_minor;
}

/* The best of the group's offers judged by run, on some units of one run. */
static int64_t model_best(model *my, const souk_offer **members, size_t count, const bool *of,
                          const souk_offer **ret_best)
{
    int64_t most = 0;
    *ret_best = NULL;
    for (size_t m = 0; m < count; m++) {
        int64_t cost = 0, off = 0;
        bool in = false;
        if (model_whole(members[m]) || (members[m]->coupon && !*model_coupons(my, members[m])))
            continue;
        for (size_t i = 0; i < my->unit_count; i++)
            if (of[i]) {
                in = model_in_scope(&members[m]->scopes[0], my->units[i].line);
                cost += my->units[i].price;
                off += model_unit_off(members[m], &my->units[i]);
            }
        if (members[m]->kind == SOUK_OFFER_UNIT_PERCENT)
            off = model_round(cost * members[m]->percent_micro, 1000000);
        if (in && off > most) {
            most = off;
            *ret_best = members[m];
        }
    }
    return most;
}

static void model_group(model *my, const souk_offer **members, size_t count, model_claim *claim)
{
    bool gone[MODEL_OFFERS] = {false};
    const souk_offer *other;
    for (;;) {
        size_t best = SIZE_MAX;
        int64_t most = 0;
        for (size_t m = 0; m < count; m++) {
            if (!model_whole(members[m]) || gone[m])
                continue;
            model_weigh(my, members[m], NULL, claim);
            int64_t gain = claim->amount;
            for (size_t p = 0; p < claim->part_count; p++)
                gain -= model_best(my, members, count, claim->parts[p].of, &other);
            if (claim->amount && gain > most) {
                most = gain;
                best = m;
            }
        }
        if (best == SIZE_MAX)
            break;
        gone[best] = true;
        model_weigh(my, members[best], NULL, claim);
        model_hold(my, claim);
    }
    const souk_offer *winners[MODEL_UNITS] = {NULL};
    for (int label = 0; label < my->labels; label++) {
        bool of[MODEL_UNITS] = {false}, any = false;
        for (size_t i = 0; i < my->unit_count; i++)
            any |= of[i] = my->units[i].label == label && !my->units[i].contested;
        if (any)
            (void)model_best(my, members, count, of, &winners[label]);
    }
    for (size_t m = 0; m < count; m++) {
        bool won[MODEL_UNITS];
        for (int label = 0; label < MODEL_UNITS; label++)
            won[label] = winners[label] == members[m];
        if (model_whole(members[m]))
            continue;
        model_weigh(my, members[m], won, claim);
        model_hold(my, claim);
    }
}

static int64_t model_stages(model *my, const souk_offer *only, model_claim *claim)
{
    model_start(my);
    for (int stage = 0; stage < 2; stage++) {
        for (size_t i = 0; i < my->unit_count; i++)
            my->after[i] = my->units[i].price;
        bool done[MODEL_OFFERS] = {false};
        for (size_t i = 0; i < my->offer_count; i++) {
            const souk_offer *members[MODEL_OFFERS];
            size_t count = 0;
            for (size_t k = i; k < my->offer_count; k++) {
                const souk_offer *offer = my->offers[k];
                if (done[k] || (offer->kind >= SOUK_OFFER_BASKET_AMOUNT) != stage ||
                    (only ? offer != only : offer->exclusive) ||
                    (k != i && (!offer->group || offer->group != my->offers[i]->group)))
                    continue;
                if (k != i && count == 0)
                    break; /* the first is not in play: its turn is nobody's */
                members[count++] = offer;
                done[k] = true;
            }
            for (size_t k = 0; k < my->unit_count; k++)
                my->units[k].contested = false;
            if (count && my->offers[i]->group) {
                model_group(my, members, count, claim);
            } else if (count) {
                model_weigh(my, members[0], NULL, claim);
                model_hold(my, claim);
            }
        }
    }
    int64_t left = 0;
    for (size_t i = 0; i < my->unit_count; i++)
        left += my->units[i].price;
    return left;
}

static int model_compare_offers(const void *left, const void *right)
{
    const souk_offer *a = *(const souk_offer *const *)left, *b = *(const souk_offer *const *)right;
    if (a->priority != b->priority)
        return a->priority < b->priority ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

/* Prices a basket of at most MODEL_LINES lines and MODEL_UNITS / 2 units, prices of at most 4 places. */
static void model_price(model *my, const souk_offer *offers, size_t count,
                        const souk_basket *basket, model_claim *claim)
{
    my->basket = basket;
    my->offer_count = 0;
    my->total = 0;
    for (size_t i = 0; i < basket->line_count; i++) {
        const souk_basket_line *line = &basket->lines[i];
        my->base[i] = model_round(line->quantity.micro / 1000 * (line->unit_price.micro / 100),
                                  10000000 / (basket->exponent == 2 ? 100 : 1));
        my->total += line->no_offers ? my->base[i] : 0;
    }
    for (size_t i = 0; i < count; i++)
        if (model_in_force(&offers[i], basket)) {
            souk_assert(my->offer_count < MODEL_OFFERS);
            my->offers[my->offer_count++] = &offers[i];
        }
    qsort(my->offers, my->offer_count, sizeof *my->offers, model_compare_offers);
    const souk_offer *best = NULL;
    int64_t least = model_stages(my, NULL, claim);
    for (size_t i = 0; i < my->offer_count; i++) {
        int64_t left =
            my->offers[i]->exclusive ? model_stages(my, my->offers[i], claim) : INT64_MAX;
        if (left < least) {
            least = left;
            best = my->offers[i];
        }
    }
    my->total += model_stages(my, best, claim);
}

#endif
