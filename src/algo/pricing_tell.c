/* pricing_tell.c - from runs to lines: what each offer took off each line.
 *
 * The units of an item fill its lines in order; a run is a stretch of them.  Where a line has a whole run its entries
 * are the line's; where a run is shared, a line bears of each entry what its units do (pricing_inside.h). */
#include "algo/pricing_inside.h"

/* Units [from, from + count) of a run go to the line whose sums are in the desk. */
static void tell_stretch(souk_pricing *desk, const run *of, uint32_t from, uint32_t count,
                         int64_t quantity_micro)
{
    int64_t left = of->left;
    for (uint32_t i = of->history; i != NONE; i = desk->entries[i].older) {
        const entry *at = &desk->entries[i];
        int64_t now =
            first_units(left, of->count, from + count) - first_units(left, of->count, from);
        left += at->amount;
        desk->sums[at->held] +=
            first_units(left, of->count, from + count) - first_units(left, of->count, from) - now;
        desk->quantities[at->held] += quantity_micro;
    }
}

/* The sums become the line's adjustments, and are 0 again; false: no room. */
static bool tell_sums(souk_pricing *desk, souk_priced_line *line, size_t *count)
{
    line->adjustments = desk->adjustments + *count;
    for (size_t held = 0; held < desk->priced.held_count; held++) {
        if (desk->sums[held]) {
            if (*count == desk->limits.adjustments)
                return false;
            desk->adjustments[(*count)++] = (souk_adjustment){desk->held[held].offer,
                                                              desk->held_kinds[held],
                                                              {desk->quantities[held]},
                                                              -desk->sums[held]};
            line->adjustment_count++;
            line->total_minor -= desk->sums[held];
        }
        desk->sums[held] = desk->quantities[held] = 0;
    }
    return true;
}

/* One line, one run: its entries, the oldest first. */
static bool tell_alone(souk_pricing *desk, const item *of, size_t *count)
{
    souk_priced_line *line = &desk->lines[desk->order[of->first_line]];
    const run *at = &desk->runs[of->first_run];
    size_t told = 0;
    for (uint32_t i = at->history; i != NONE; i = desk->entries[i].older)
        told++;
    if (told > desk->limits.adjustments - *count)
        return false;
    line->adjustments = desk->adjustments + *count;
    line->adjustment_count = told;
    line->total_minor = at->left;
    *count += told;
    for (uint32_t i = at->history; i != NONE; i = desk->entries[i].older) {
        const entry *old = &desk->entries[i];
        desk->adjustments[*count - line->adjustment_count + --told] =
            (souk_adjustment){desk->held[old->held].offer,
                              desk->held_kinds[old->held],
                              {of->quantity_micro},
                              -old->amount};
    }
    return true;
}

static bool tell_item(souk_pricing *desk, const item *of, size_t *count)
{
    uint32_t at = of->first_run, from = 0; /* the first unit that is not told yet */
    if (of->line_count == 1 && desk->runs[at].next == NONE)
        return tell_alone(desk, of, count);
    for (uint32_t i = 0; i < of->line_count; i++) {
        uint32_t index = desk->order[of->first_line + i];
        uint32_t units = of->units;
        if (of->line_count > 1)
            units = (uint32_t)(desk->basket->lines[index].quantity.micro / 1000000);
        while (units) {
            const run *here = &desk->runs[at];
            uint32_t told = here->count - from < units ? here->count - from : units;
            tell_stretch(desk, here, from, told,
                         of->weighed ? of->quantity_micro : (int64_t)told * 1000000);
            units -= told;
            from += told;
            if (from == here->count) {
                at = here->next;
                from = 0;
            }
        }
        if (!tell_sums(desk, &desk->lines[index], count))
            return false;
    }
    return true;
}

souk_err pricing_tell(souk_pricing *desk, souk_diag *diag)
{
    size_t count = 0;
    memset(desk->sums, 0, desk->priced.held_count * sizeof *desk->sums);
    memset(desk->quantities, 0, desk->priced.held_count * sizeof *desk->quantities);
    for (size_t i = 0; i < desk->open_count && !desk->full; i++)
        desk->full = !tell_item(desk, &desk->items[i], &count);
    if (desk->full)
        return souk_diag_say(
            diag, SOUK_ETOOBIG,
            "the offers make more than %zu adjustments to this basket: split it, or "
            "let fewer offers add up",
            desk->limits.adjustments);
    return SOUK_OK;
}
