/* pricing.c - the desk, and the alternatives between which exclusive offers make a basket choose (pricing.h). */
#include "algo/pricing_inside.h"

static souk_pricing_limits with_defaults(const souk_pricing_limits *limits)
{
    return (souk_pricing_limits){.lines = limits->lines ? limits->lines : 1000,
                                 .adjustments = limits->adjustments ? limits->adjustments : 16384,
                                 .offers = limits->offers ? limits->offers : 10000};
}

/* Each array of the desk and how many it holds. */
#define ROOMS(X)                \
    X(items, lines)             \
    X(order, lines)             \
    X(order_room, lines)        \
    X(lines, lines)             \
    X(coupons_left, lines)      \
    X(runs, runs)               \
    X(parts, runs)              \
    X(picks, runs)              \
    X(picks_room, runs)         \
    X(weights, runs)            \
    X(seats, runs)              \
    X(entries, adjustments)     \
    X(adjustments, adjustments) \
    X(found, words)             \
    X(done, words)              \
    X(first, offers)            \
    X(candidates, offers)       \
    X(members, offers)          \
    X(coupon_at, offers)        \
    X(held, offers)             \
    X(held_kinds, offers)       \
    X(sums, offers)             \
    X(quantities, offers)

static bool get_rooms(souk_pricing *desk)
{
    size_t lines = desk->limits.lines, adjustments = desk->limits.adjustments;
    size_t offers = desk->limits.offers, words = offers / 64, runs = desk->run_room;
    bool good = true;
#define GET(array, count) \
    good = good && (desk->array = souk_mem_array(desk->mem, (count) + 1, sizeof *desk->array));
    ROOMS(GET)
#undef GET
    return good;
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
#define PUT(array, count) souk_mem_put(desk->mem, desk->array);
    ROOMS(PUT)
#undef PUT
    souk_mem_put(desk->mem, desk);
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
