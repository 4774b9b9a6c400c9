/* offer_json_write.c - the other way round: an offer as the JSON that offer_json.c reads. */
#include "service/checkout/offer_json.h"

#include <stdio.h>

const char *const souk_offer_weekdays[7] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static bool is_bundle(souk_offer_kind kind)
{
    return kind == SOUK_OFFER_BUNDLE_PRICE || kind == SOUK_OFFER_BUNDLE_PERCENT;
}

/* An amount of 0 is a price, too. */
static bool has_amount(souk_offer_kind kind)
{
    return kind == SOUK_OFFER_UNIT_AMOUNT || kind == SOUK_OFFER_UNIT_PRICE ||
           kind == SOUK_OFFER_N_FOR_PRICE || kind == SOUK_OFFER_BUNDLE_PRICE ||
           kind == SOUK_OFFER_BASKET_AMOUNT;
}

static void put_list(souk_json_writer *json, const char *key, const uint32_t *list, size_t count)
{
    if (!count)
        return;
    souk_json_put_array(json, key);
    for (size_t i = 0; i < count; i++)
        souk_json_write_u64(json, list[i]);
    souk_json_write_end(json);
}

static void write_scope(souk_json_writer *json, const souk_offer_scope *scope)
{
    souk_json_write_object(json);
    put_list(json, "products", scope->products, scope->product_count);
    put_list(json, "tags", scope->tags, scope->tag_count);
    if (scope->not_product_count || scope->not_tag_count) {
        souk_json_put_object(json, "except");
        put_list(json, "products", scope->not_products, scope->not_product_count);
        put_list(json, "tags", scope->not_tags, scope->not_tag_count);
        souk_json_write_end(json);
    }
    if (scope->quantity)
        souk_json_put_u64(json, "quantity", scope->quantity);
    souk_json_write_end(json);
}

static void put_decimal(souk_json_writer *json, const char *key, souk_decimal decimal)
{
    souk_json_write_key(json, souk_text_of(key));
    souk_json_write_decimal(json, decimal);
}

static void put_amount(souk_json_writer *json, const char *key, int64_t minor, unsigned exponent)
{
    souk_decimal amount;
    souk_err err = souk_decimal_from_minor(minor, exponent, &amount);
    souk_assert(!err); /* SOUK_OFFER_MINOR_MOST fits whatever the exponent */
    put_decimal(json, key, amount);
}

static void write_scopes(souk_json_writer *json, const souk_offer *offer)
{
    if (!is_bundle(offer->kind)) {
        souk_json_write_key(json, SOUK_TEXT("on"));
        write_scope(json, &offer->scopes[0]);
        if (offer->kind == SOUK_OFFER_BASKET_FREE) {
            souk_json_write_key(json, SOUK_TEXT("gift"));
            write_scope(json, &offer->scopes[1]);
        }
        return;
    }
    souk_json_put_array(json, "bundle");
    for (size_t i = 0; i < offer->scope_count; i++)
        write_scope(json, &offer->scopes[i]);
    souk_json_write_end(json);
}

static void write_days(souk_json_writer *json, const souk_offer *offer)
{
    if (offer->weekdays) {
        souk_json_put_array(json, "weekdays");
        for (unsigned day = 0; day < 7; day++)
            if (offer->weekdays >> day & 1)
                souk_json_write_text(json, souk_text_of(souk_offer_weekdays[day]));
        souk_json_write_end(json);
    }
    if (offer->minute_from || offer->minute_until) {
        char hours[48];
        snprintf(hours, sizeof hours, "%02u:%02u-%02u:%02u", offer->minute_from / 60u,
                 offer->minute_from % 60u, offer->minute_until / 60u, offer->minute_until % 60u);
        souk_json_put_words(json, "hours", hours);
    }
    if (offer->tiers) {
        souk_json_put_array(json, "tiers");
        for (unsigned tier = 0; tier < SOUK_OFFER_TIERS; tier++)
            if (offer->tiers >> tier & 1)
                souk_json_write_u64(json, tier);
        souk_json_write_end(json);
    }
}

static void write_when(souk_json_writer *json, const souk_offer *offer)
{
    souk_json_put_object(json, "when");
    if (offer->from)
        souk_json_put_time(json, "from", offer->from);
    if (offer->until)
        souk_json_put_time(json, "until", offer->until);
    write_days(json, offer);
    put_list(json, "stores", offer->stores, offer->store_count);
    put_list(json, "audiences", offer->audiences, offer->audience_count);
    if (offer->coupon)
        souk_json_put_u64(json, "coupon", offer->coupon);
    souk_json_write_end(json);
}

static void write_bounds(souk_json_writer *json, const souk_offer *offer, unsigned exponent)
{
    souk_json_put_object(json, "at_least");
    if (offer->least_quantity.micro)
        put_decimal(json, "quantity", offer->least_quantity);
    if (offer->least_minor)
        put_amount(json, "amount", offer->least_minor, exponent);
    souk_json_write_end(json);
    souk_json_put_object(json, "limit");
    if (offer->most_times)
        souk_json_put_u64(json, "times", offer->most_times);
    if (offer->most_minor)
        put_amount(json, "amount", offer->most_minor, exponent);
    souk_json_write_end(json);
}

void souk_offer_write(souk_json_writer *json, const souk_offer *offer, unsigned exponent)
{
    souk_json_write_object(json);
    souk_json_put_u64(json, "id", offer->id);
    souk_json_put_words(json, "kind", souk_offer_kind_name(offer->kind));
    souk_json_write_key(json, SOUK_TEXT("priority"));
    souk_json_write_i64(json, offer->priority);
    if (offer->group)
        souk_json_put_u64(json, "group", offer->group);
    souk_json_put_bool(json, "exclusive", offer->exclusive);
    write_scopes(json, offer);
    if (has_amount(offer->kind))
        put_amount(json, "amount", offer->amount_minor, exponent);
    if (offer->percent_micro)
        put_decimal(json, "percent", (souk_decimal){(int64_t)offer->percent_micro * 100});
    if (offer->take)
        souk_json_put_u64(json, "take", offer->take);
    if (offer->pay)
        souk_json_put_u64(json, "pay", offer->pay);
    write_when(json, offer);
    write_bounds(json, offer, exponent);
    souk_json_write_end(json);
}
