/* pricing.c - the desk, and the alternatives between which exclusive offers make a basket choose (pricing.h). */
#include "algo/pricing_inside.h"

static souk_pricing_limits with_defaults(const souk_pricing_limits *limits)
{
    return (souk_pricing_limits){.lines = limits->lines ? limits->lines : 1000,
                                 .adjustments = limits->adjustments ? limits->adjustments : 16384,
                                 .offers = limits->offers ? limits->offers : 10000};
}

#define GET(array, count) \
    ((array) = souk_mem_array(desk->mem, (count) + 1, sizeof *(array)), (array) != NULL)

static bool get_rooms(souk_pricing *desk)
{
    size_t lines = desk->limits.lines, adjustments = desk->limits.adjustments;
    size_t offers = desk->limits.offers, words = offers / 64 + 1, runs = desk->run_room;
    return GET(desk->items, lines) && GET(desk->order, lines) && GET(desk->order_room, lines) &&
           GET(desk->runs, runs) && GET(desk->entries, adjustments) && GET(desk->parts, runs) &&
           GET(desk->picks, runs) && GET(desk->picks_room, runs) && GET(desk->weights, runs) &&
           GET(desk->seats, runs) && GET(desk->found, words) && GET(desk->done, words) &&
           GET(desk->candidates, offers) && GET(desk->members, offers) &&
           GET(desk->coupon_at, offers) && GET(desk->coupons_left, lines) &&
           GET(desk->held, offers) && GET(desk->held_kinds, offers) && GET(desk->sums, offers) &&
           GET(desk->quantities, offers) && GET(desk->lines, lines) &&
           GET(desk->adjustments, adjustments);
}

souk_err souk_pricing_new(souk_mem *mem, const souk_pricing_limits *limits, souk_pricing **ret_desk)
{
    souk_pricing_limits own = with_defaults(limits);
    if (own.lines >= NONE / 4 || own.adjustments >= NONE / 4 || own.offers > SOUK_BOOK_OFFERS_MOST)
        return SOUK_EINVAL;
    souk_auto(souk_pricing) desk = souk_mem_get(mem, sizeof *desk);
    if (!desk)
        return SOUK_ENOMEM;
    desk->mem = mem;
    desk->limits = own;
    desk->run_room = own.lines + own.adjustments;
    if (!get_rooms(desk))
        return SOUK_ENOMEM;
    *ret_desk = souk_take(&desk);
    return SOUK_OK;
}

void souk_pricing_free(souk_pricing *desk)
{
    if (!desk)
        return;
    void *rooms[] = {desk->items,
                     desk->order,
                     desk->order_room,
                     desk->runs,
                     desk->entries,
                     desk->parts,
                     desk->picks,
                     desk->picks_room,
                     desk->weights,
                     desk->seats,
                     desk->found,
                     desk->done,
                     desk->candidates,
                     desk->members,
                     desk->coupon_at,
                     desk->coupons_left,
                     desk->held,
                     desk->held_kinds,
                     desk->sums,
                     desk->quantities,
                     desk->lines,
                     desk->adjustments,
                     desk};
    souk_mem *mem = desk->mem;
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++)
        souk_mem_put(mem, rooms[i]);
}

/* The ordinary offers, or an exclusive one alone: whichever leaves least; the desk ends as that one left it. */
static int64_t hold_cheapest(souk_pricing *desk)
{
    uint32_t best = NONE, last = NONE;
    int64_t least = pricing_hold(desk, NONE);
    for (size_t i = 0; i < desk->candidate_count && !desk->full; i++) {
        uint32_t only = desk->candidates[i];
        if (!offer_at(desk, only)->exclusive)
            continue;
        int64_t left = pricing_hold(desk, only);
        last = only;
        if (left < least) {
            least = left;
            best = only;
        }
    }
    if (best != last && !desk->full)
        (void)pricing_hold(desk, best);
    return least;
}

souk_err souk_pricing_basket(souk_pricing *desk, const souk_book *book, const souk_basket *basket,
                             const souk_priced **ret_priced, souk_diag *diag)
{
    desk->book = book;
    desk->basket = basket;
    desk->full = false;
    SOUK_TRY(pricing_items(desk, diag));
    pricing_find(desk);
    int64_t left = hold_cheapest(desk);
    SOUK_TRY(pricing_tell(desk, diag));
    pricing_hint_basket(desk);
    desk->priced.held = desk->held;
    desk->priced.total_minor = desk->closed_minor + left;
    *ret_priced = &desk->priced;
    return SOUK_OK;
}
