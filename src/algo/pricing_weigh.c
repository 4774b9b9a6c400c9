/* pricing_weigh.c - what an offer would take off the runs as they are now; nothing is changed but the desk's parts.
 *
 * A run of a million units is weighed in as many steps as one of a single unit: its units have two prices at most, so
 * sums over any stretch of them follow from first_units, and sets that lie within one run are counted in one step. */
#include "algo/pricing_inside.h"

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t percent_of(const souk_offer *offer, int64_t amount)
{
    int64_t off = 0;
    bool fits =
        souk_ratio(amount, offer->percent_micro, SOUK_PERCENT_ALL, SOUK_ROUND_HALF_EVEN, &off);
    souk_assert(fits && off <= amount);
    return off;
}

/* An amount a unit, for a weighed line's quantity; at most `most`. */
static int64_t for_quantity(int64_t each, int64_t quantity_micro, int64_t most)
{
    int64_t all;
    return souk_ratio(each, quantity_micro, 1000000, SOUK_ROUND_HALF_EVEN, &all) ? least(all, most)
                                                                                 : most;
}

int64_t pricing_weigh_units(const souk_pricing *desk, const souk_offer *offer, const run *of,
                            uint32_t count)
{
    const item *at = &desk->items[of->item];
    if (offer->kind == SOUK_OFFER_UNIT_PERCENT)
        return percent_of(offer, first_units(of->left, of->count, count));
    if (at->weighed) {
        int64_t all = for_quantity(offer->amount_minor, at->quantity_micro, of->left);
        return offer->kind == SOUK_OFFER_UNIT_AMOUNT ? all : of->left - all;
    }
    int64_t each = of->left / of->count, more = least(of->left % of->count, count);
    int64_t first = least(offer->amount_minor, each + 1), rest = least(offer->amount_minor, each);
    int64_t all = more * first + (count - more) * rest;
    return offer->kind == SOUK_OFFER_UNIT_AMOUNT ? all
                                                 : first_units(of->left, of->count, count) - all;
}

/* ---- runs and parts ---------------------------------------------------------------------------------- */

static bool is_free(const souk_pricing *desk, const run *of, uint32_t offer, bool won)
{
    return of->left && of->contest != desk->contest && (!won || of->winner == offer);
}

static void add_part(souk_pricing *desk, uint32_t at, uint32_t count, int64_t off, bool last)
{
    desk->parts[desk->part_count++] = (part){.off = off, .run = at, .count = count, .last = last};
}

/* Spreads an amount over the parts, in proportion to desk->weights. */
static void spread(souk_pricing *desk, int64_t amount)
{
    souk_share_spread(amount, desk->weights, desk->part_count, desk->seats, desk->weights);
    for (size_t i = 0; i < desk->part_count; i++)
        desk->parts[i].off = desk->weights[i];
}

static int64_t weigh_costs(souk_pricing *desk)
{
    int64_t sum = 0;
    for (size_t i = 0; i < desk->part_count; i++) {
        const part *at = &desk->parts[i];
        sum += desk->weights[i] = part_cost(&desk->runs[at->run], at->count, at->last);
    }
    return sum;
}

/* A ceiling shrinks each part alike. */
static claim claim_of(souk_pricing *desk, uint32_t index, uint32_t times)
{
    const souk_offer *offer = offer_at(desk, index);
    claim made = {.offer = index, .times = times};
    for (size_t i = 0; i < desk->part_count; i++)
        made.amount += desk->weights[i] = desk->parts[i].off;
    if (offer->most_minor && made.amount > offer->most_minor) {
        made.amount = offer->most_minor;
        spread(desk, made.amount);
    }
    if (offer->coupon)
        made.coupons = is_unit_kind(offer->kind) && !offer->most_times ? 1 : times;
    return made;
}

bool pricing_has_coupon(const souk_pricing *desk, uint32_t offer)
{
    return !offer_at(desk, offer)->coupon || desk->coupons_left[desk->coupon_at[offer]];
}

/* How often at most; 0: no coupon is left. */
static uint32_t most_times(const souk_pricing *desk, uint32_t index)
{
    const souk_offer *offer = offer_at(desk, index);
    uint32_t most = offer->most_times;
    if (!most)
        most = is_line_kind(offer->kind) ? UINT32_MAX : 1;
    if (!offer->coupon)
        return most;
    uint32_t left = desk->coupons_left[desk->coupon_at[index]];
    if (is_unit_kind(offer->kind) && !offer->most_times)
        return left ? most : 0;
    return most < left ? most : left;
}

/* ---- units by themselves ----------------------------------------------------------------------------- */

static void add_units(souk_pricing *desk, const souk_offer *offer, uint32_t at, uint32_t count)
{
    if (offer->kind == SOUK_OFFER_UNIT_PERCENT) {
        add_part(desk, at, count, 0, false); /* one sum, spread at the end */
        return;
    }
    int64_t off = pricing_weigh_units(desk, offer, &desk->runs[at], count);
    if (off)
        add_part(desk, at, count, off, false);
}

static void finish_units(souk_pricing *desk, const souk_offer *offer)
{
    if (offer->kind == SOUK_OFFER_UNIT_PERCENT && desk->part_count)
        spread(desk, percent_of(offer, weigh_costs(desk)));
}

static claim weigh_all_units(souk_pricing *desk, uint32_t index, bool won)
{
    const souk_offer *offer = offer_at(desk, index);
    for (size_t i = 0; (i = next_item(desk, index, i)) < desk->open_count; i++) {
        for (uint32_t at = desk->items[i].first_run; at != NONE; at = desk->runs[at].next)
            if (is_free(desk, &desk->runs[at], index, won))
                add_units(desk, offer, at, desk->runs[at].count);
    }
    finish_units(desk, offer);
    return claim_of(desk, index, 1);
}

/* ---- units that are chosen, dearest first --------------------------------------------------------------- */

static bool is_cheaper(const souk_pricing *desk, const pick *a, const pick *b)
{
    const run *left = &desk->runs[a->run], *right = &desk->runs[b->run];
    return (souk_u128)(uint64_t)left->left * right->count <
           (souk_u128)(uint64_t)right->left * left->count;
}

/* Dearest first, else as they are: insertion in tens, then merging. */
static void sort_picks(souk_pricing *desk)
{
    enum { TEN = 16 };
    size_t count = desk->pick_count;
    pick *from = desk->picks, *to = desk->picks_room;
    for (size_t i = 1; i < count; i++) {
        size_t at = i, begin = i / TEN * TEN;
        pick moved = from[i];
        for (; at > begin && is_cheaper(desk, &from[at - 1], &moved); at--)
            from[at] = from[at - 1];
        from[at] = moved;
    }
    for (size_t width = TEN; width < count; width *= 2) {
        for (size_t begin = 0; begin < count; begin += 2 * width) {
            size_t middle = souk_min_size(begin + width, count);
            size_t end = souk_min_size(begin + 2 * width, count), a = begin, b = middle;
            for (size_t i = begin; i < end; i++)
                to[i] = b == end || (a < middle && !is_cheaper(desk, &from[a], &from[b]))
                            ? from[a++]
                            : from[b++];
        }
        pick *swap = from;
        from = to;
        to = swap;
    }
    desk->picks = from;
    desk->picks_room = to;
}

static unsigned scopes_of(const souk_pricing *desk, uint32_t index, size_t at)
{
    unsigned scopes = next_item(desk, index, at) == at;
    for (size_t i = 1; i < offer_at(desk, index)->scope_count; i++)
        scopes |= (unsigned)pricing_matches(desk, index, i, &desk->items[at]) << i;
    return scopes;
}

/* Runs that may give units, sorted; `gift`: of the second scope. */
static void pick_runs(souk_pricing *desk, uint32_t index, bool gift)
{
    const souk_offer *offer = offer_at(desk, index);
    bool sets = is_set_kind(offer->kind), one_scope = offer->scope_count == 1;
    desk->pick_count = 0;
    for (size_t i = 0; i < desk->open_count; i++) {
        if (one_scope && (i = next_item(desk, index, i)) == desk->open_count)
            break;
        const item *of = &desk->items[i];
        unsigned scopes = one_scope ? 1 : scopes_of(desk, index, i);
        if ((sets || gift) && of->weighed)
            continue;
        if (gift ? !(scopes & 2) : !scopes)
            continue;
        for (uint32_t at = of->first_run; at != NONE; at = desk->runs[at].next)
            if (is_free(desk, &desk->runs[at], index, false) && !(sets && desk->runs[at].in_set))
                desk->picks[desk->pick_count++] =
                    (pick){.run = at, .count = desk->runs[at].count, .scopes = scopes};
    }
    sort_picks(desk);
}

static claim weigh_some_units(souk_pricing *desk, uint32_t index)
{
    const souk_offer *offer = offer_at(desk, index);
    uint32_t most = most_times(desk, index), times = 0;
    pick_runs(desk, index, false);
    for (size_t i = 0; i < desk->pick_count && times < most; i++) {
        uint32_t count = (uint32_t)least(desk->picks[i].count, most - times);
        size_t before = desk->part_count;
        add_units(desk, offer, desk->picks[i].run, count);
        times += desk->part_count > before ? count : 0;
    }
    finish_units(desk, offer);
    return claim_of(desk, index, times);
}

/* ---- n for m ------------------------------------------------------------------------------------------ */

/* How many of the first n units, dearest first, are free. */
static int64_t free_among(const souk_offer *offer, int64_t n)
{
    int64_t beyond = n % offer->take - offer->pay;
    return n / offer->take * (offer->take - offer->pay) + (beyond > 0 ? beyond : 0);
}

static claim weigh_n_for_m(souk_pricing *desk, uint32_t index)
{
    const souk_offer *offer = offer_at(desk, index);
    int64_t units = 0, at = 0, off = 0, most = most_times(desk, index);
    pick_runs(desk, index, false);
    for (size_t i = 0; i < desk->pick_count; i++)
        units += desk->picks[i].count;
    int64_t times = least(units / offer->take, most);
    units = times * offer->take;
    for (size_t i = 0; at < units; i++) {
        const run *of = &desk->runs[desk->picks[i].run];
        int64_t count = least(of->count, units - at), more = least(of->left % of->count, count);
        off += (free_among(offer, at + count) - free_among(offer, at)) * (of->left / of->count) +
               free_among(offer, at + more) - free_among(offer, at);
        add_part(desk, desk->picks[i].run, (uint32_t)count, 0, false);
        at += count;
    }
    (void)weigh_costs(desk);
    spread(desk, off);
    return claim_of(desk, index, (uint32_t)times);
}

/* ---- sets filled from picks: n for a price is a bundle of one scope -------------------------------------- */

typedef struct filling {
    const souk_offer *offer;
    size_t first[SOUK_OFFER_SCOPES_MOST]; /* pick from which each scope goes on */
    size_t touched_from, touched_end;     /* picks that the set needs */
} filling;

static uint32_t wanted(const filling *my, size_t scope)
{
    return my->offer->kind == SOUK_OFFER_N_FOR_PRICE ? my->offer->take
                                                     : my->offer->scopes[scope].quantity;
}

/* Notes in `need` what the next set takes; false: no set is left. */
static bool fill_set(souk_pricing *desk, filling *my)
{
    for (size_t i = my->touched_from; i < my->touched_end; i++)
        desk->picks[i].need = 0;
    my->touched_from = desk->pick_count;
    my->touched_end = 0;
    for (size_t scope = 0; scope < my->offer->scope_count; scope++) {
        uint32_t missing = wanted(my, scope);
        for (size_t i = my->first[scope]; missing; i++) {
            if (i == desk->pick_count)
                return false;
            pick *at = &desk->picks[i];
            uint32_t there = at->scopes >> scope & 1 ? at->count - at->taken : 0;
            if (!there && i == my->first[scope])
                my->first[scope]++;
            uint32_t taken = (uint32_t)least(there - (there ? at->need : 0), missing);
            if (!taken)
                continue;
            at->need += taken;
            missing -= taken;
            my->touched_from = souk_min_size(my->touched_from, i);
            my->touched_end = souk_max_size(my->touched_end, i + 1);
        }
    }
    return true;
}

/* What the sets [from, from + count) cost that follow each other from the same picks. */
static int64_t sets_cost(const souk_pricing *desk, const filling *my, uint32_t from, uint32_t count)
{
    int64_t sum = 0;
    for (size_t i = my->touched_from; i < my->touched_end; i++) {
        const pick *at = &desk->picks[i];
        const run *of = &desk->runs[at->run];
        uint32_t begin = at->taken + from * at->need;
        if (at->need)
            sum += first_units(of->left, of->count, begin + count * at->need) -
                   first_units(of->left, of->count, begin);
    }
    return sum;
}

/* How many sets can be taken from these very picks, as long as each costs more than the offer's price. */
static uint32_t count_sets(const souk_pricing *desk, const filling *my, uint32_t most)
{
    for (size_t i = my->touched_from; i < my->touched_end; i++) {
        const pick *at = &desk->picks[i];
        if (at->need && (at->count - at->taken) / at->need < most)
            most = (at->count - at->taken) / at->need;
    }
    if (my->offer->kind == SOUK_OFFER_BUNDLE_PERCENT)
        return most;
    uint32_t good = 0; /* sets become cheaper: the first `good` are dear enough */
    while (good < most) {
        uint32_t middle = most - (most - good) / 2;
        if (sets_cost(desk, my, middle - 1, 1) > my->offer->amount_minor)
            good = middle;
        else
            most = middle - 1;
    }
    return good;
}

static claim weigh_sets(souk_pricing *desk, uint32_t index)
{
    filling my = {.offer = offer_at(desk, index)};
    uint32_t most = most_times(desk, index), times = 0;
    int64_t cost = 0;
    pick_runs(desk, index, false);
    while (times < most && fill_set(desk, &my)) {
        uint32_t count = count_sets(desk, &my, most - times);
        if (!count)
            break;
        cost += sets_cost(desk, &my, 0, count);
        for (size_t i = my.touched_from; i < my.touched_end; i++)
            desk->picks[i].taken += count * desk->picks[i].need;
        times += count;
    }
    for (size_t i = 0; i < desk->pick_count; i++)
        if (desk->picks[i].taken)
            add_part(desk, desk->picks[i].run, desk->picks[i].taken, 0, false);
    (void)weigh_costs(desk);
    spread(desk, my.offer->kind == SOUK_OFFER_BUNDLE_PERCENT
                     ? percent_of(my.offer, cost)
                     : cost - times * my.offer->amount_minor);
    return claim_of(desk, index, times);
}

/* ---- the basket --------------------------------------------------------------------------------------- */

/* How often the least fits into what the scope holds after line offers; without a least once. */
static uint32_t times_reached(const souk_pricing *desk, uint32_t index)
{
    const souk_offer *offer = offer_at(desk, index);
    int64_t amount = 0, quantity = 0, times = most_times(desk, index);
    bool any = false;
    for (size_t i = 0; (i = next_item(desk, index, i)) < desk->open_count; i++) {
        amount += desk->items[i].after;
        quantity += desk->items[i].quantity_micro;
        any = true;
    }
    if (offer->least_minor)
        times = least(times, amount / offer->least_minor);
    if (offer->least_quantity.micro)
        times = least(times, quantity / offer->least_quantity.micro);
    if (!offer->least_minor && !offer->least_quantity.micro)
        times = least(times, 1);
    return any ? (uint32_t)times : 0;
}

static void give_cheapest(souk_pricing *desk, uint32_t index, uint32_t times)
{
    int64_t units = (int64_t)times * offer_at(desk, index)->scopes[1].quantity;
    pick_runs(desk, index, true);
    for (size_t i = desk->pick_count; i-- > 0 && units;) {
        uint32_t count = (uint32_t)least(desk->picks[i].count, units);
        int64_t off = part_cost(&desk->runs[desk->picks[i].run], count, true);
        add_part(desk, desk->picks[i].run, count, off, true);
        units -= count;
    }
}

static claim weigh_basket(souk_pricing *desk, uint32_t index)
{
    const souk_offer *offer = offer_at(desk, index);
    uint32_t times = times_reached(desk, index);
    if (!times)
        return (claim){.offer = index};
    if (offer->kind == SOUK_OFFER_BASKET_FREE) {
        give_cheapest(desk, index, times);
        return claim_of(desk, index, times);
    }
    for (size_t i = 0; (i = next_item(desk, index, i)) < desk->open_count; i++) {
        for (uint32_t at = desk->items[i].first_run; at != NONE; at = desk->runs[at].next)
            if (is_free(desk, &desk->runs[at], index, false))
                add_part(desk, at, desk->runs[at].count, 0, false);
    }
    int64_t left = weigh_costs(desk), off;
    if (offer->kind == SOUK_OFFER_BASKET_PERCENT) {
        off = percent_of(offer, left);
        times = 1;
    } else if (__builtin_mul_overflow(offer->amount_minor, (int64_t)times, &off) || off > left) {
        off = left;
    }
    spread(desk, off);
    return claim_of(desk, index, times);
}

claim pricing_weigh(souk_pricing *desk, uint32_t offer, bool won)
{
    desk->part_count = 0;
    if (!pricing_has_coupon(desk, offer))
        return (claim){.offer = offer};
    switch (offer_at(desk, offer)->kind) {
    case SOUK_OFFER_UNIT_AMOUNT:
    case SOUK_OFFER_UNIT_PERCENT:
    case SOUK_OFFER_UNIT_PRICE:
        return offer_at(desk, offer)->most_times ? weigh_some_units(desk, offer)
                                                 : weigh_all_units(desk, offer, won);
    case SOUK_OFFER_N_FOR_M:
        return weigh_n_for_m(desk, offer);
    case SOUK_OFFER_N_FOR_PRICE:
    case SOUK_OFFER_BUNDLE_PRICE:
    case SOUK_OFFER_BUNDLE_PERCENT:
        return weigh_sets(desk, offer);
    default:
        return weigh_basket(desk, offer);
    }
}
