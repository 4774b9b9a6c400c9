/* pricing_find.c - which offers of the book may hold for this basket, and which nearly would (pricing_inside.h).
 *
 * The postings of each product and tag of the basket mark offers in a bitset; its bits ascend as (priority, id) does.
 * What is left to ask is asked once for each: time, store, member, coupon, and for line offers the least that must be
 * there. */
#include "algo/pricing_inside.h"

bool pricing_matches(const souk_pricing *desk, uint32_t offer, size_t scope, const item *at)
{
    const scope_mark *mark = &desk->book->marks[desk->book->first_mark[offer] + scope];
    if (!mark->everything && !(mark->in & at->bits))
        return false;
    const souk_offer_scope *names = &offer_at(desk, offer)->scopes[scope];
    bool in = mark->everything || book_names(names->products, names->product_count, at->product);
    for (uint32_t i = 0; !in && i < at->tag_count; i++)
        in = book_names(names->tags, names->tag_count, at->tags[i]);
    if (!in || !(mark->out & at->bits))
        return in;
    if (book_names(names->not_products, names->not_product_count, at->product))
        return false;
    for (uint32_t i = 0; i < at->tag_count; i++)
        if (book_names(names->not_tags, names->not_tag_count, at->tags[i]))
            return false;
    return true;
}

/* ---- conditions ------------------------------------------------------------------------------------- */

static bool is_hour(const souk_offer *offer, const souk_basket *basket)
{
    unsigned from = offer->minute_from, until = offer->minute_until, weekday = basket->weekday;
    if (from || until) {
        bool over_midnight = until <= from;
        bool tail = over_midnight && basket->minute < until;
        if (over_midnight ? !tail && basket->minute < from
                          : basket->minute < from || basket->minute >= until)
            return false;
        if (tail)
            weekday = (weekday + 6) % 7;
    }
    return !offer->weekdays || (offer->weekdays >> weekday & 1);
}

static bool shares_audience(const souk_offer *offer, const souk_basket *basket)
{
    for (size_t a = 0, b = 0; a < offer->audience_count && b < basket->audience_count;) {
        if (offer->audiences[a] == basket->audiences[b])
            return true;
        if (offer->audiences[a] < basket->audiences[b])
            a++;
        else
            b++;
    }
    return false;
}

static bool finds_coupon(souk_pricing *desk, uint32_t offer)
{
    const souk_basket *basket = desk->basket;
    size_t from = 0, end = basket->coupon_count;
    while (from < end) {
        size_t middle = from + (end - from) / 2;
        if (basket->coupons[middle].coupon < offer_at(desk, offer)->coupon)
            from = middle + 1;
        else
            end = middle;
    }
    desk->coupon_at[offer] = (uint32_t)from;
    return from < basket->coupon_count && basket->coupons[from].count &&
           basket->coupons[from].coupon == offer_at(desk, offer)->coupon;
}

static bool is_in_force(souk_pricing *desk, uint32_t index)
{
    const souk_offer *offer = offer_at(desk, index);
    const souk_basket *basket = desk->basket;
    if ((offer->from && basket->now < offer->from) || (offer->until && basket->now >= offer->until))
        return false;
    if (offer->tiers && !(offer->tiers >> basket->tier & 1))
        return false;
    if (offer->store_count && !book_names(offer->stores, offer->store_count, basket->store))
        return false;
    if (!is_hour(offer, basket) || (offer->audience_count && !shares_audience(offer, basket)))
        return false;
    return !offer->coupon || finds_coupon(desk, index);
}

/* ---- what a scope holds, and what is missing --------------------------------------------------------- */

typedef struct content {
    int64_t quantity_micro, amount; /* at list prices, or after line offers */
    uint32_t pieces;                /* not weighed */
} content;

static content content_of(const souk_pricing *desk, uint32_t offer, size_t scope, bool after)
{
    content all = {0};
    for (size_t i = 0; i < desk->open_count; i++) {
        if (scope == 0 && (i = next_item(desk, offer, i)) == desk->open_count)
            break;
        const item *at = &desk->items[i];
        if (scope && !pricing_matches(desk, offer, scope, at))
            continue;
        all.quantity_micro += at->quantity_micro;
        all.amount += after ? at->after : at->base;
        all.pieces += at->weighed ? 0 : at->units;
    }
    return all;
}

static void hint(souk_pricing *desk, uint32_t offer, souk_hint_kind kind, int64_t missing)
{
    if (desk->priced.hint_count == SOUK_PRICING_HINTS)
        return;
    souk_hint *made = &desk->priced.hints[desk->priced.hint_count++];
    *made = (souk_hint){.offer = offer_at(desk, offer)->id, .kind = kind};
    if (kind == SOUK_HINT_QUANTITY)
        made->quantity.micro = missing;
    else
        made->amount_minor = missing;
}

enum { NEAR_MICRO = 2000000 };

/* Whether the least is there; hints where it nearly is. */
static bool has_least(souk_pricing *desk, uint32_t index, const content *all)
{
    const souk_offer *offer = offer_at(desk, index);
    int64_t units = offer->least_quantity.micro - all->quantity_micro;
    int64_t amount = offer->least_minor - all->amount;
    if (units <= 0 && amount <= 0)
        return true;
    if (units > 0 && units <= NEAR_MICRO && all->quantity_micro > 0 && amount <= 0)
        hint(desk, index, SOUK_HINT_QUANTITY, units);
    else if (units <= 0 && amount <= offer->least_minor / 4)
        hint(desk, index, SOUK_HINT_AMOUNT, amount);
    return false;
}

static bool has_set(souk_pricing *desk, uint32_t index, uint32_t pieces)
{
    const souk_offer *offer = offer_at(desk, index);
    uint32_t rest = pieces % offer->take, missing = offer->take - rest;
    bool may_more = !offer->most_times || pieces / offer->take < offer->most_times;
    if (rest && missing <= 2 && may_more)
        hint(desk, index, SOUK_HINT_QUANTITY, (int64_t)missing * 1000000);
    return pieces >= offer->take;
}

static bool has_bundle(souk_pricing *desk, uint32_t index, uint32_t first_pieces)
{
    const souk_offer *offer = offer_at(desk, index);
    uint32_t missing = 0, there = 0;
    for (size_t i = 0; i < offer->scope_count; i++) {
        uint32_t wanted = offer->scopes[i].quantity;
        uint32_t pieces = i ? content_of(desk, index, i, false).pieces : first_pieces;
        missing += pieces < wanted ? wanted - pieces : 0;
        there += pieces < wanted ? pieces : wanted;
    }
    if (missing && missing <= 2 && there)
        hint(desk, index, SOUK_HINT_QUANTITY, (int64_t)missing * 1000000);
    return !missing;
}

/* What an offer wants to find in the basket, as it was scanned. */
static bool finds_enough(souk_pricing *desk, uint32_t index)
{
    const souk_offer *offer = offer_at(desk, index);
    bool has_no_least = !offer->least_minor && !offer->least_quantity.micro;
    if (!is_line_kind(offer->kind) || (is_unit_kind(offer->kind) && has_no_least))
        return next_item(desk, index, 0) < desk->open_count;
    content all = content_of(desk, index, 0, false);
    if (!all.quantity_micro || !has_least(desk, index, &all))
        return false;
    if (offer->take)
        return has_set(desk, index, all.pieces);
    return is_unit_kind(offer->kind) || has_bundle(desk, index, all.pieces);
}

void pricing_hint_basket(souk_pricing *desk)
{
    for (size_t i = 0; i < desk->candidate_count; i++) {
        if (desk->priced.hint_count == SOUK_PRICING_HINTS)
            break;
        const souk_offer *offer = offer_at(desk, desk->candidates[i]);
        if (is_line_kind(offer->kind) || (!offer->least_minor && !offer->least_quantity.micro))
            continue;
        content all = content_of(desk, desk->candidates[i], 0, true);
        (void)has_least(desk, desk->candidates[i], &all);
    }
}

/* ---- candidates ------------------------------------------------------------------------------------- */

/* Offers whose first scope names what an item is. */
static void mark_found(souk_pricing *desk, size_t item_at, uint32_t name, int what)
{
    const book_entry *at = book_find(desk->book, name, what);
    if (!at)
        return;
    const uint32_t *postings = desk->book->postings + at->first;
    for (uint32_t i = 0; i < at->count; i++) {
        uint32_t offer = postings[i];
        uint64_t *word = &desk->found[offer / 64], bit = (uint64_t)1 << offer % 64;
        if (!(*word & bit))
            desk->first[offer] = 0;
        *word |= bit;
        desk->first[offer] |= (uint64_t)1 << item_at % ITEM_BITS;
    }
}

/* What the postings do not say: everything is in such a scope, and what it excepts is not. */
static void finish_first(souk_pricing *desk, uint32_t offer)
{
    const scope_mark *mark = &desk->book->marks[desk->book->first_mark[offer]];
    if (mark->everything)
        desk->first[offer] = UINT64_MAX >> (ITEM_BITS - souk_min_size(desk->open_count, ITEM_BITS));
    for (uint64_t bits = mark->out ? desk->first[offer] : 0; bits; bits &= bits - 1) {
        const item *at = &desk->items[__builtin_ctzll(bits)];
        if ((mark->out & at->bits) && !pricing_matches(desk, offer, 0, at))
            desk->first[offer] &= ~(bits & -bits);
    }
}

static void find_by_name(souk_pricing *desk)
{
    memcpy(desk->found, desk->book->everywhere, desk->book->words * sizeof *desk->found);
    for (size_t i = 0; i < desk->open_count; i++) {
        const item *at = &desk->items[i];
        mark_found(desk, i, at->product, BOOK_PRODUCT);
        for (uint32_t k = 0; k < at->tag_count; k++)
            mark_found(desk, i, at->tags[k], BOOK_TAG);
    }
}

void pricing_find(souk_pricing *desk)
{
    desk->candidate_count = 0;
    if (desk->open_count == 0)
        return;
    find_by_name(desk);
    for (uint32_t word = 0; word < desk->book->words; word++) {
        uint64_t kept = 0;
        for (uint64_t bits = desk->found[word]; bits; bits &= bits - 1) {
            uint32_t offer = word * 64 + (uint32_t)__builtin_ctzll(bits);
            if (!is_in_force(desk, offer))
                continue;
            finish_first(desk, offer);
            if (!finds_enough(desk, offer))
                continue;
            kept |= bits & -bits;
            desk->candidates[desk->candidate_count++] = offer;
        }
        desk->found[word] = kept;
    }
}
