/* pricing_hold.c - offers take their turns: alone, or as a group that contests each unit (pricing.h, rules 3 to 6). */
#include "algo/pricing_inside.h"

/* ---- runs are cut, histories grow ------------------------------------------------------------------------ */

static uint32_t new_entry(souk_pricing *desk, int64_t amount, uint32_t held, uint32_t older)
{
    if (desk->entry_count == desk->limits.adjustments) {
        desk->full = true;
        return older;
    }
    desk->entries[desk->entry_count] = (entry){amount, held, older};
    return (uint32_t)desk->entry_count++;
}

/* Cuts a run behind its first `count` units and returns the new run, of the others.  Each entry is cut to what those
 * units bear of it; entries are walked newest first, so `left` and `behind` go back in time. */
static uint32_t cut_run(souk_pricing *desk, uint32_t at, uint32_t count)
{
    if (desk->run_count == desk->run_room) {
        desk->full = true;
        return at;
    }
    uint32_t made = (uint32_t)desk->run_count++;
    run *first = &desk->runs[at], *other = &desk->runs[made];
    uint32_t units = first->count, *link = &other->history;
    int64_t left = first->left, of_first = first_units(left, units, count);
    *other = *first;
    other->history = NONE;
    for (uint32_t i = first->history; i != NONE; i = desk->entries[i].older) {
        entry *old = &desk->entries[i];
        int64_t before = first_units(left + old->amount, units, count);
        int64_t stays = before - first_units(left, units, count), goes = old->amount - stays;
        left += old->amount;
        old->amount = stays;
        *link = new_entry(desk, goes, old->held, NONE);
        if (desk->full)
            return at;
        link = &desk->entries[*link].older;
    }
    other->left = first->left - of_first;
    other->count = units - count;
    first->left = of_first;
    first->count = count;
    first->next = made;
    return made;
}

/* The claim whose parts lie in the desk holds. */
static void hold(souk_pricing *desk, const claim *made)
{
    const souk_offer *offer = offer_at(desk, made->offer);
    uint32_t held = (uint32_t)desk->priced.held_count++;
    desk->held[held] = (souk_offer_held){offer->id, made->times, made->coupons, -made->amount};
    desk->held_kinds[held] = offer->kind;
    if (made->coupons)
        desk->coupons_left[desk->coupon_at[made->offer]] -= made->coupons;
    for (size_t i = 0; i < desk->part_count && !desk->full; i++) {
        const part *at = &desk->parts[i];
        uint32_t mine = at->run;
        if (at->count < desk->runs[mine].count) {
            uint32_t other =
                cut_run(desk, mine, at->last ? desk->runs[mine].count - at->count : at->count);
            mine = at->last ? other : mine;
        }
        run *of = &desk->runs[mine];
        of->contest = desk->contest;
        of->in_set |= is_set_kind(offer->kind);
        of->left -= at->off;
        if (at->off)
            of->history = new_entry(desk, at->off, held, of->history);
    }
}

/* ---- a group contests ------------------------------------------------------------------------------------- */

static void mark_done(souk_pricing *desk, uint32_t offer)
{
    desk->done[offer / 64] |= (uint64_t)1 << offer % 64;
}

static bool is_in(const uint64_t *bits, uint32_t offer)
{
    return bits[offer / 64] >> offer % 64 & 1;
}

static bool takes_part(const souk_pricing *desk, uint32_t offer, uint32_t only)
{
    return only == NONE ? !offer_at(desk, offer)->exclusive : offer == only;
}

/* Chooses its units or has a ceiling: cannot be judged run by run. */
static bool is_whole(const souk_offer *offer)
{
    return !is_unit_kind(offer->kind) || offer->most_times || offer->most_minor;
}

/* The most that one of the offers judged by run takes off `count` units of a run; *ret_best: that one, or NONE. */
static int64_t best_by_run(const souk_pricing *desk, size_t members, const run *of, uint32_t count,
                           uint32_t *ret_best)
{
    int64_t most = 0;
    *ret_best = NONE;
    for (size_t i = 0; i < members; i++) {
        uint32_t index = desk->members[i];
        const souk_offer *offer = offer_at(desk, index);
        if (is_whole(offer) || !pricing_has_coupon(desk, index) ||
            next_item(desk, index, of->item) != of->item)
            continue;
        int64_t off = pricing_weigh_units(desk, offer, of, count);
        if (off > most) {
            most = off;
            *ret_best = index;
        }
    }
    return most;
}

/* What the parts in the desk would bring without their claim. */
static int64_t instead(const souk_pricing *desk, size_t members)
{
    int64_t sum = 0;
    uint32_t best;
    for (size_t i = 0; i < desk->part_count; i++)
        sum += best_by_run(desk, members, &desk->runs[desk->parts[i].run], desk->parts[i].count,
                           &best);
    return sum;
}

/* The offer judged as a whole that gains most holds; false: none gains. */
static bool hold_best_whole(souk_pricing *desk, size_t members)
{
    uint32_t best = NONE;
    int64_t most = 0;
    claim made = {.offer = NONE};
    for (size_t i = 0; i < members; i++) {
        uint32_t index = desk->members[i];
        if (!is_whole(offer_at(desk, index)) || is_in(desk->done, index))
            continue;
        made = pricing_weigh(desk, index, false);
        int64_t gain = made.amount ? made.amount - instead(desk, members) : 0;
        if (gain > most) {
            most = gain;
            best = index;
        }
    }
    if (best == NONE)
        return false;
    if (made.offer != best) /* the parts in the desk are another's */
        made = pricing_weigh(desk, best, false);
    hold(desk, &made);
    mark_done(desk, best);
    return true;
}

static void hold_by_run(souk_pricing *desk, size_t members)
{
    for (uint32_t i = 0; i < desk->run_count; i++) {
        run *of = &desk->runs[i];
        of->winner = NONE;
        if (of->left && of->contest != desk->contest)
            (void)best_by_run(desk, members, of, of->count, &of->winner);
    }
    for (size_t i = 0; i < members && !desk->full; i++) {
        uint32_t index = desk->members[i];
        if (is_whole(offer_at(desk, index)))
            continue;
        claim made = pricing_weigh(desk, index, true);
        if (made.amount)
            hold(desk, &made);
    }
}

static void hold_group(souk_pricing *desk, uint32_t first, uint32_t only)
{
    size_t members = 0, by_run = 0;
    for (uint32_t i = first; i != NONE; i = desk->book->group_next[i])
        if (is_in(desk->found, i) && takes_part(desk, i, only)) {
            desk->members[members++] = i;
            by_run += !is_whole(offer_at(desk, i));
        }
    while (members > by_run && !desk->full && hold_best_whole(desk, members))
        ;
    if (by_run)
        hold_by_run(desk, members);
    for (size_t i = 0; i < members; i++)
        mark_done(desk, desk->members[i]);
}

/* ---- turns -------------------------------------------------------------------------------------------- */

static void hold_stage(souk_pricing *desk, bool lines, uint32_t only)
{
    for (size_t i = 0; i < desk->candidate_count && !desk->full; i++) {
        uint32_t index = desk->candidates[i];
        const souk_offer *offer = offer_at(desk, index);
        if (is_line_kind(offer->kind) != lines || !takes_part(desk, index, only) ||
            is_in(desk->done, index))
            continue;
        desk->contest++;
        if (offer->group) {
            hold_group(desk, index, only);
            continue;
        }
        claim made = pricing_weigh(desk, index, false);
        if (made.amount)
            hold(desk, &made);
    }
}

static int64_t left_of(const souk_pricing *desk, const item *of)
{
    int64_t left = 0;
    for (uint32_t at = of->first_run; at != NONE; at = desk->runs[at].next)
        left += desk->runs[at].left;
    return left;
}

int64_t pricing_hold(souk_pricing *desk, uint32_t only)
{
    int64_t left = 0;
    pricing_start(desk);
    memset(desk->done, 0, desk->book->words * sizeof *desk->done);
    hold_stage(desk, true, only);
    for (size_t i = 0; i < desk->open_count; i++)
        desk->items[i].after = left_of(desk, &desk->items[i]);
    hold_stage(desk, false, only);
    for (size_t i = 0; i < desk->open_count; i++)
        left += left_of(desk, &desk->items[i]);
    return left;
}
