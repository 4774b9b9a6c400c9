/* pricing_items.c - lines are checked, put in an order that does not depend on how they were scanned, and joined.
 *
 * Lines that are alike in all but quantity are one item where its units have the same price in minor units; then a
 * line's base is that of its units.  Weighed lines, and pieces at a price such as 0.335, stay by themselves. */
#include "algo/pricing_inside.h"

static const int64_t power10[] = {1,           10,           100,          1000,      10000,
                                  100000,      1000000,      10000000,     100000000, 1000000000,
                                  10000000000, 100000000000, 1000000000000};

static souk_err check_basket(const souk_pricing *desk, souk_diag *diag)
{
    const souk_basket *basket = desk->basket;
    if (basket->line_count > desk->limits.lines)
        return souk_diag_say(diag, SOUK_ETOOBIG, "the basket has %zu lines: at most %zu are priced",
                             basket->line_count, desk->limits.lines);
    if (desk->book->count > desk->limits.offers)
        return souk_diag_say(
            diag, SOUK_ETOOBIG,
            "the book has %zu offers and the desk room for %zu: make a larger desk",
            desk->book->count, desk->limits.offers);
    if (basket->exponent != desk->book->exponent)
        return souk_diag_say(
            diag, SOUK_EINVAL,
            "the basket's currency has %u decimal places and the book's %u: take the "
            "book of the basket's currency",
            basket->exponent, desk->book->exponent);
    if (basket->weekday > 6 || basket->minute > 1439)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "weekday %u, minute %u are no time: give 0 to 6 and 0 to 1439",
                             basket->weekday, basket->minute);
    if (basket->tier >= SOUK_OFFER_TIERS)
        return souk_diag_say(diag, SOUK_EINVAL, "tier %u is none: give 0 to %d", basket->tier,
                             SOUK_OFFER_TIERS - 1);
    if (basket->coupon_count > desk->limits.lines)
        return souk_diag_say(diag, SOUK_ETOOBIG,
                             "%zu classes of coupons: at most %zu are looked at",
                             basket->coupon_count, desk->limits.lines);
    for (size_t i = 1; i < basket->coupon_count; i++)
        if (basket->coupons[i].coupon <= basket->coupons[i - 1].coupon)
            return souk_diag_say(diag, SOUK_EINVAL, "coupons do not ascend: sort them by class");
    for (size_t i = 1; i < basket->audience_count; i++)
        if (basket->audiences[i] <= basket->audiences[i - 1])
            return souk_diag_say(diag, SOUK_EINVAL, "audiences do not ascend: sort them");
    return SOUK_OK;
}

static souk_err check_line(const souk_pricing *desk, size_t at, uint64_t *pieces, souk_diag *diag)
{
    const souk_basket_line *line = &desk->basket->lines[at];
    if (line->quantity.micro <= 0)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "line %zu has no quantity above 0: what comes back is a return",
                             at + 1);
    if (line->unit_price.micro < 0)
        return souk_diag_say(diag, SOUK_EINVAL, "line %zu has a price below 0: mend the price",
                             at + 1);
    if (!line->weighed && line->quantity.micro % 1000000)
        return souk_diag_say(
            diag, SOUK_EINVAL,
            "line %zu has part of a piece: give a whole number, or mark it as weighed", at + 1);
    *pieces += line->weighed ? 1 : (uint64_t)line->quantity.micro / 1000000;
    if (*pieces > SOUK_PRICING_PIECES_MOST)
        return souk_diag_say(diag, SOUK_EOVERFLOW,
                             "line %zu is beyond %d pieces in a basket: split the basket", at + 1,
                             SOUK_PRICING_PIECES_MOST);
    return SOUK_OK;
}

static souk_err base_of(const souk_pricing *desk, size_t at, int64_t *ret_base, souk_diag *diag)
{
    const souk_basket_line *line = &desk->basket->lines[at];
    if (!souk_ratio(line->unit_price.micro, line->quantity.micro,
                    power10[12 - desk->basket->exponent], SOUK_ROUND_HALF_EVEN, ret_base))
        return souk_diag_say(diag, SOUK_EOVERFLOW, "line %zu costs more than an amount can hold",
                             at + 1);
    return SOUK_OK;
}

/* Below, equal, above 0 as a stands to b in all that makes them one item. */
static int compare_kinds(const souk_basket_line *a, const souk_basket_line *b)
{
    if (a->no_offers != b->no_offers)
        return a->no_offers ? 1 : -1;
    if (a->product != b->product)
        return a->product < b->product ? -1 : 1;
    if (a->unit_price.micro != b->unit_price.micro)
        return a->unit_price.micro < b->unit_price.micro ? -1 : 1;
    if (a->weighed != b->weighed)
        return a->weighed ? 1 : -1;
    if (a->tax_class != b->tax_class)
        return a->tax_class < b->tax_class ? -1 : 1;
    if (a->tag_count != b->tag_count)
        return a->tag_count < b->tag_count ? -1 : 1;
    for (uint32_t i = 0; a->tags != b->tags && i < a->tag_count; i++)
        if (a->tags[i] != b->tags[i])
            return a->tags[i] < b->tags[i] ? -1 : 1;
    return 0;
}

static bool comes_after(const souk_basket_line *lines, uint32_t a, uint32_t b)
{
    int order = compare_kinds(&lines[a], &lines[b]);
    return order > 0 || (order == 0 && lines[a].quantity.micro < lines[b].quantity.micro);
}

/* Stable: insertion in tens, then merging. */
static void sort_lines(souk_pricing *desk)
{
    enum { TEN = 16 };
    const souk_basket_line *lines = desk->basket->lines;
    size_t count = desk->basket->line_count;
    uint32_t *from = desk->order, *to = desk->order_room;
    for (uint32_t i = 0; i < count; i++) {
        size_t at = i, begin = i / TEN * TEN;
        for (; at > begin && comes_after(lines, from[at - 1], i); at--)
            from[at] = from[at - 1];
        from[at] = i;
    }
    for (size_t width = TEN; width < count; width *= 2) {
        for (size_t begin = 0; begin < count; begin += 2 * width) {
            size_t middle = souk_min_size(begin + width, count);
            size_t end = souk_min_size(begin + 2 * width, count), a = begin, b = middle;
            for (size_t i = begin; i < end; i++)
                to[i] = b == end || (a < middle && !comes_after(lines, from[a], from[b]))
                            ? from[a++]
                            : from[b++];
        }
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    desk->order = from;
    desk->order_room = to;
}

static bool is_whole_price(const souk_pricing *desk, const souk_basket_line *line)
{
    return line->unit_price.micro % power10[6 - desk->basket->exponent] == 0;
}

static void begin_item(souk_pricing *desk, uint32_t order_at)
{
    const souk_basket_line *line = &desk->basket->lines[desk->order[order_at]];
    item *made = &desk->items[desk->item_count++];
    *made = (item){.tags = line->tags,
                   .product = line->product,
                   .tag_count = line->tag_count,
                   .first_line = order_at,
                   .weighed = line->weighed,
                   .bits = book_bit(line->product, BOOK_PRODUCT)};
    for (uint32_t i = 0; i < line->tag_count; i++)
        made->bits |= book_bit(line->tags[i], BOOK_TAG);
    desk->open_count += !line->no_offers;
}

static void join_lines(souk_pricing *desk)
{
    const souk_basket_line *before = NULL;
    desk->item_count = desk->open_count = 0;
    for (uint32_t i = 0; i < desk->basket->line_count; i++) {
        const souk_basket_line *line = &desk->basket->lines[desk->order[i]];
        if (!before || line->weighed || compare_kinds(before, line) || !is_whole_price(desk, line))
            begin_item(desk, i);
        item *last = &desk->items[desk->item_count - 1];
        last->base += desk->lines[desk->order[i]].base_minor;
        last->quantity_micro += line->quantity.micro;
        last->units += line->weighed ? 1 : (uint32_t)(line->quantity.micro / 1000000);
        last->line_count++;
        before = line;
    }
}

souk_err pricing_items(souk_pricing *desk, souk_diag *diag)
{
    uint64_t pieces = 0;
    int64_t quantity = 0; /* sums of it must fit, whatever a scope holds */
    desk->priced = (souk_priced){.lines = desk->lines, .line_count = desk->basket->line_count};
    desk->closed_minor = 0;
    SOUK_TRY(check_basket(desk, diag));
    for (size_t i = 0; i < desk->basket->line_count; i++) {
        int64_t base = 0; /* for compilers that lose sight of the error */
        SOUK_TRY(check_line(desk, i, &pieces, diag));
        SOUK_TRY(base_of(desk, i, &base, diag));
        if (__builtin_add_overflow(desk->priced.base_minor, base, &desk->priced.base_minor) ||
            __builtin_add_overflow(quantity, desk->basket->lines[i].quantity.micro, &quantity))
            return souk_diag_say(diag, SOUK_EOVERFLOW,
                                 "up to line %zu the basket is more than an amount can hold",
                                 i + 1);
        desk->lines[i] = (souk_priced_line){.base_minor = base,
                                            .total_minor = base,
                                            .price_list = desk->basket->lines[i].price_list};
        if (desk->basket->lines[i].no_offers)
            desk->closed_minor += base;
    }
    sort_lines(desk);
    join_lines(desk);
    return SOUK_OK;
}

void pricing_start(souk_pricing *desk)
{
    for (uint32_t i = 0; i < desk->open_count; i++) {
        desk->items[i].first_run = i;
        desk->runs[i] = (run){.left = desk->items[i].base,
                              .count = desk->items[i].units,
                              .item = i,
                              .next = NONE,
                              .history = NONE};
    }
    desk->run_count = desk->open_count;
    desk->entry_count = 0;
    desk->contest = 0;
    desk->priced.held_count = 0;
    for (size_t i = 0; i < desk->basket->coupon_count; i++)
        desk->coupons_left[i] = desk->basket->coupons[i].count;
}
