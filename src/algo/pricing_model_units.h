/* pricing_model_units.h - the units of pricing_model.h: what they are, which offers mean them.
 *
 * A unit knows its label: units of an item with one label are a run.  After each offer the units of a label share
 * evenly what is left of them, the first one more where it does not divide.  Slow and obvious; for tests only. */
#ifndef SOUK_ALGO_PRICING_MODEL_UNITS_H
#define SOUK_ALGO_PRICING_MODEL_UNITS_H

#include "algo/pricing.h"

#include <stdlib.h>

enum { MODEL_UNITS = 400, MODEL_LINES = 24, MODEL_OFFERS = 64 };

typedef struct model_unit {
    const souk_basket_line *line;
    uint32_t line_at, item;
    int label;
    int64_t price;
    bool in_set, contested;
    bool taken; /* scratch of one claim */
} model_unit;

typedef struct model_part {
    int64_t cost, off;
    bool of[MODEL_UNITS];
    int label;
} model_part;

typedef struct model_claim {
    const souk_offer *offer;
    int64_t amount;
    uint32_t times, coupons;
    model_part parts[MODEL_UNITS];
    size_t part_count;
} model_claim;

typedef struct model {
    const souk_basket *basket;
    const souk_offer *offers[MODEL_OFFERS]; /* by (priority, id), in force */
    size_t offer_count;
    model_unit units[MODEL_UNITS];
    size_t unit_count;
    int labels;
    uint32_t coupons[16];
    int64_t base[MODEL_LINES], after[MODEL_UNITS]; /* after: each unit's, behind line offers */
    int64_t off[MODEL_LINES][MODEL_OFFERS], quantity[MODEL_LINES][MODEL_OFFERS];
    uint32_t times[MODEL_OFFERS], used[MODEL_OFFERS];
    int64_t total;
} model;

/* ---- words ------------------------------------------------------------------------------------------ */

static bool model_has(const uint32_t *list, size_t count, uint32_t name)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == name)
            return true;
    return false;
}

static bool model_in_scope(const souk_offer_scope *scope, const souk_basket_line *line)
{
    bool in = scope->product_count + scope->tag_count == 0 ||
              model_has(scope->products, scope->product_count, line->product);
    for (uint32_t i = 0; i < line->tag_count; i++)
        in |= model_has(scope->tags, scope->tag_count, line->tags[i]);
    for (uint32_t i = 0; i < line->tag_count; i++)
        in &= !model_has(scope->not_tags, scope->not_tag_count, line->tags[i]);
    return in && !line->no_offers &&
           !model_has(scope->not_products, scope->not_product_count, line->product);
}

/* To the nearest, half to even; numbers of a test are small. */
static int64_t model_round(int64_t product, int64_t by)
{
    int64_t down = product / by, twice = product % by * 2;
    return down + (twice > by || (twice == by && down % 2));
}

static bool model_is_hour(const souk_offer *offer, const souk_basket *basket)
{
    unsigned from = offer->minute_from, until = offer->minute_until;
    for (unsigned ago = 0; ago < 2; ago++) { /* hours that began today, or yesterday */
        unsigned day = (basket->weekday + 7 - ago) % 7, minute = basket->minute + ago * 1440;
        unsigned begin = from, end = until > from ? until : until + 1440;
        if (!from && !until)
            end = 1440;
        if ((!offer->weekdays || (offer->weekdays >> day & 1)) && minute >= begin && minute < end)
            return true;
    }
    return false;
}

/* Whether each scope has the pieces of one set. */
static bool model_has_sets(const souk_offer *offer, const souk_basket *basket)
{
    for (size_t scope = 0; scope < offer->scope_count; scope++) {
        int64_t wanted = offer->take ? offer->take : offer->scopes[scope].quantity;
        for (size_t i = 0; i < basket->line_count; i++)
            if (!basket->lines[i].weighed &&
                model_in_scope(&offer->scopes[scope], &basket->lines[i]))
                wanted -= basket->lines[i].quantity.micro / 1000000;
        if (wanted > 0)
            return false;
    }
    return true;
}

static bool model_in_force(const souk_offer *offer, const souk_basket *basket)
{
    bool audience = offer->audience_count == 0, coupon = offer->coupon == 0;
    for (size_t i = 0; i < basket->audience_count; i++)
        audience |= model_has(offer->audiences, offer->audience_count, basket->audiences[i]);
    for (size_t i = 0; i < basket->coupon_count; i++)
        coupon |= basket->coupons[i].coupon == offer->coupon && basket->coupons[i].count;
    int64_t quantity = 0, amount = 0;
    for (size_t i = 0; i < basket->line_count; i++)
        if (model_in_scope(&offer->scopes[0], &basket->lines[i])) {
            quantity += basket->lines[i].quantity.micro;
            amount += model_round(basket->lines[i].quantity.micro / 1000 *
                                      (basket->lines[i].unit_price.micro / 100),
                                  10000000 / (basket->exponent == 2 ? 100 : 1));
        }
    bool basket_kind = offer->kind >= SOUK_OFFER_BASKET_AMOUNT;
    bool least = basket_kind || (quantity >= offer->least_quantity.micro &&
                                 amount >= offer->least_minor && model_has_sets(offer, basket));
    least &= quantity > 0;
    return audience && coupon && least && model_is_hour(offer, basket) &&
           (!offer->from || basket->now >= offer->from) &&
           (!offer->until || basket->now < offer->until) &&
           (!offer->tiers || (offer->tiers >> basket->tier & 1)) &&
           (!offer->store_count || model_has(offer->stores, offer->store_count, basket->store));
}

static uint32_t *model_coupons(model *my, const souk_offer *offer)
{
    for (size_t i = 0; i < my->basket->coupon_count; i++)
        if (my->basket->coupons[i].coupon == offer->coupon)
            return &my->coupons[i];
    return NULL;
}

/* ---- units ------------------------------------------------------------------------------------------- */

static void model_level(model *my, int label)
{
    int64_t sum = 0, count = 0, nth = 0;
    for (size_t i = 0; i < my->unit_count; i++)
        if (my->units[i].label == label) {
            sum += my->units[i].price;
            count++;
        }
    for (size_t i = 0; i < my->unit_count; i++)
        if (my->units[i].label == label)
            my->units[i].price = sum / count + (nth++ < sum % count);
}

static bool model_alike(const souk_basket_line *a, const souk_basket_line *b)
{
    if (a->tag_count != b->tag_count)
        return false;
    for (uint32_t i = 0; i < a->tag_count; i++)
        if (a->tags[i] != b->tags[i])
            return false;
    return a->product == b->product && a->unit_price.micro == b->unit_price.micro &&
           a->weighed == b->weighed && a->no_offers == b->no_offers && a->tax_class == b->tax_class;
}

static int model_compare_lines(const void *left, const void *right)
{
    const souk_basket_line *a = *(const souk_basket_line *const *)left;
    const souk_basket_line *b = *(const souk_basket_line *const *)right;
    int64_t keys[][2] = {{a->product, b->product},
                         {a->unit_price.micro, b->unit_price.micro},
                         {a->weighed, b->weighed},
                         {a->tax_class, b->tax_class},
                         {a->tag_count, b->tag_count}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    for (uint32_t i = 0; i < a->tag_count; i++)
        if (a->tags[i] != b->tags[i])
            return a->tags[i] < b->tags[i] ? -1 : 1;
    if (a->quantity.micro != b->quantity.micro)
        return a->quantity.micro > b->quantity.micro ? -1 : 1;
    return a < b ? -1 : a > b;
}

static void model_start(model *my)
{
    const souk_basket_line *order[MODEL_LINES], *before = NULL;
    size_t count = 0;
    uint32_t item = 0;
    for (size_t i = 0; i < my->basket->line_count; i++)
        if (!my->basket->lines[i].no_offers)
            order[count++] = &my->basket->lines[i];
    qsort(order, count, sizeof *order, model_compare_lines);
    my->unit_count = 0;
    my->labels = 0;
    memset(my->off, 0, sizeof my->off);
    memset(my->quantity, 0, sizeof my->quantity);
    memset(my->times, 0, sizeof my->times);
    memset(my->used, 0, sizeof my->used);
    for (size_t i = 0; i < my->basket->coupon_count; i++)
        my->coupons[i] = my->basket->coupons[i].count;
    for (size_t i = 0; i < count; i++) {
        int64_t minor = my->basket->exponent == 2 ? 10000 : 1000000;
        bool join = before && model_alike(before, order[i]) && !before->weighed &&
                    before->unit_price.micro % minor == 0;
        item += !join;
        uint32_t line_at = (uint32_t)(order[i] - my->basket->lines);
        int64_t units = order[i]->weighed ? 1 : order[i]->quantity.micro / 1000000;
        for (int64_t k = 0; k < units; k++)
            my->units[my->unit_count++] = (model_unit){.line = order[i],
                                                       .line_at = line_at,
                                                       .item = item,
                                                       .label = (int)item,
                                                       .price = k ? 0 : my->base[line_at]};
        model_level(my, (int)item);
        before = order[i];
    }
    my->labels = (int)item + 1;
}

/* Units that a claim may have, run by run, dearest run first; returns how many. */
static size_t model_sequence(model *my, bool (*may)(const model_unit *, const souk_offer *),
                             const souk_offer *offer, size_t *sequence)
{
    int64_t sums[MODEL_UNITS] = {0}, counts[MODEL_UNITS] = {0};
    size_t count = 0;
    for (size_t i = 0; i < my->unit_count; i++) {
        sums[my->units[i].label] += my->units[i].price;
        counts[my->units[i].label]++;
    }
    for (size_t i = 0; i < my->unit_count; i++) {
        int label = my->units[i].label;
        if (!sums[label] || my->units[i].contested || !may(&my->units[i], offer))
            continue;
        size_t at = count++;
        for (; at > 0; at--) { /* behind every run that is as dear or dearer */
            int other = my->units[sequence[at - 1]].label;
            if (other == label || sums[other] * counts[label] >= sums[label] * counts[other])
                break;
            sequence[at] = sequence[at - 1];
        }
        sequence[at] = i;
    }
    return count;
}

#endif
