/* basket_write.c - the answer of basket.h: what each line costs, and why. */
#include "service/checkout/basket.h"

void souk_money_put(souk_json_writer *json, const char *key, int64_t minor, unsigned exponent)
{
    char text[SOUK_MONEY_BYTES];
    souk_json_put_text(json, key, (souk_text){text, souk_money_write(minor, exponent, text)});
}

static void put_decimal(souk_json_writer *json, const char *key, souk_decimal decimal)
{
    char text[SOUK_DECIMAL_BYTES];
    souk_json_put_text(json, key, (souk_text){text, souk_decimal_write(decimal, text)});
}

static const char *offer_name(const souk_till_basket *basket, uint64_t offer)
{
    return basket->front ? souk_front_offer_name(basket->front, offer) : "";
}

/* ---- lines ------------------------------------------------------------------------------------------- */

static void write_adjustments(souk_json_writer *json, const souk_till_basket *basket,
                              const souk_priced_line *priced)
{
    souk_json_put_array(json, "offers");
    for (size_t i = 0; i < priced->adjustment_count; i++) {
        const souk_adjustment *adjustment = &priced->adjustments[i];
        souk_json_write_object(json);
        souk_json_put_u64(json, "offer", adjustment->offer);
        souk_json_put_words(json, "name", offer_name(basket, adjustment->offer));
        souk_json_put_words(json, "kind", souk_offer_kind_name(adjustment->kind));
        put_decimal(json, "quantity", adjustment->quantity);
        souk_money_put(json, "amount", adjustment->amount_minor, basket->exponent);
        souk_json_write_end(json);
    }
    souk_json_write_end(json);
}

static void write_label(souk_json_writer *json, const souk_till_line *line)
{
    if (line->batch.bytes)
        souk_json_put_text(json, "batch", line->batch);
    if (line->serial.bytes)
        souk_json_put_text(json, "serial", line->serial);
    if (line->expiry_day != SOUK_GS1_NO_DAY)
        souk_json_put_time(json, "expires", line->expiry_day * INT64_C(86400000));
}

static void write_tax(souk_json_writer *json, const souk_till_basket *basket,
                      const souk_taxed_line *taxed)
{
    souk_money_put(json, "net", taxed->net_minor, basket->exponent);
    souk_money_put(json, "tax", taxed->tax_minor, basket->exponent);
    souk_json_put_array(json, "taxes");
    for (size_t i = 0; i < basket->taxed->rate_count; i++) {
        if (!(taxed->rates >> i & 1))
            continue;
        souk_json_write_object(json);
        souk_json_put_words(json, "name", basket->tax->rule.rates[i].name);
        souk_money_put(json, "tax", taxed->tax_of_rate[i], basket->exponent);
        souk_json_write_end(json);
    }
    souk_json_write_end(json);
}

static void write_line(souk_json_writer *json, const souk_till_basket *basket, size_t index)
{
    const souk_till_line *line = &basket->lines[index];
    souk_json_write_object(json);
    souk_json_put_u64(json, "line", index + 1);
    souk_json_put_text(json, "product", line->item.code);
    souk_json_put_text(json, "title", line->item.title);
    put_decimal(json, "quantity", line->quantity);
    if (line->item.unit.bytes)
        souk_json_put_text(json, "unit", line->item.unit);
    put_decimal(json, "unit_price", line->unit_price);
    if (line->price_list.bytes)
        souk_json_put_text(json, "price_list", line->price_list);
    if (line->reason.bytes)
        souk_json_put_text(json, "price_reason", line->reason);
    write_label(json, line);
    souk_money_put(json, "base", line->priced->base_minor, basket->exponent);
    write_adjustments(json, basket, line->priced);
    souk_money_put(json, "total",
                   line->taxed ? line->taxed->gross_minor : line->priced->total_minor,
                   basket->exponent);
    if (line->taxed)
        write_tax(json, basket, line->taxed);
    souk_json_write_end(json);
}

/* ---- the whole --------------------------------------------------------------------------------------- */

static void write_held(souk_json_writer *json, const souk_till_basket *basket)
{
    souk_json_put_array(json, "offers");
    for (size_t i = 0; i < basket->priced->held_count; i++) {
        const souk_offer_held *held = &basket->priced->held[i];
        souk_json_write_object(json);
        souk_json_put_u64(json, "offer", held->offer);
        souk_json_put_words(json, "name", offer_name(basket, held->offer));
        souk_json_put_u64(json, "times", held->times);
        souk_money_put(json, "amount", held->amount_minor, basket->exponent);
        souk_json_write_end(json);
    }
    souk_json_write_end(json);
}

static void write_rates(souk_json_writer *json, const souk_till_basket *basket)
{
    souk_json_put_bool(json, "prices_with_tax", basket->tax->rule.inclusive);
    souk_json_put_array(json, "taxes");
    for (size_t i = 0; i < basket->taxed->rate_count; i++) {
        const souk_tax_rate *rate = &basket->tax->rule.rates[i];
        const souk_taxed_rate *taxed = &basket->taxed->rates[i];
        if (taxed->base_minor == 0 && taxed->tax_minor == 0)
            continue;
        souk_json_write_object(json);
        souk_json_put_words(json, "name", rate->name);
        put_decimal(json, "percent", (souk_decimal){(int64_t)rate->rate_micro * 100});
        souk_money_put(json, "net", taxed->base_minor, basket->exponent);
        souk_money_put(json, "tax", taxed->tax_minor, basket->exponent);
        souk_json_write_end(json);
    }
    souk_json_write_end(json);
}

static void write_hints(souk_json_writer *json, const souk_till_basket *basket)
{
    souk_json_put_array(json, "hints");
    for (size_t i = 0; i < basket->priced->hint_count; i++) {
        const souk_hint *hint = &basket->priced->hints[i];
        souk_json_write_object(json);
        souk_json_put_u64(json, "offer", hint->offer);
        souk_json_put_words(json, "name", offer_name(basket, hint->offer));
        if (hint->kind == SOUK_HINT_QUANTITY)
            put_decimal(json, "missing_quantity", hint->quantity);
        else
            souk_money_put(json, "missing_amount", hint->amount_minor, basket->exponent);
        souk_json_write_end(json);
    }
    souk_json_write_end(json);
}

void souk_basket_write(souk_json_writer *json, const souk_till_basket *basket)
{
    const souk_priced *priced = basket->priced;
    souk_json_put_words(json, "currency", basket->currency);
    souk_json_put_array(json, "lines");
    for (size_t i = 0; i < basket->line_count; i++)
        write_line(json, basket, i);
    souk_json_write_end(json);
    write_held(json, basket);
    souk_money_put(json, "base", priced->base_minor, basket->exponent);
    souk_money_put(json, "discount", priced->total_minor - priced->base_minor, basket->exponent);
    if (basket->taxed) {
        write_rates(json, basket);
        souk_money_put(json, "net", basket->taxed->net_minor, basket->exponent);
        souk_money_put(json, "tax", basket->taxed->tax_minor, basket->exponent);
    }
    souk_money_put(json, "total", basket->total_minor, basket->exponent);
    write_hints(json, basket);
}
