/* basket.c - reading and pricing of basket.h; basket_write.c has the answer. */
#include "service/checkout/basket.h"

#include "base/currency.h"
#include "base/pan.h"
#include "base/scan.h"

#include <stdio.h>

struct souk_basket_desk {
    souk_mem *mem;
    souk_pricing *pricing;
    souk_tax *tax;
    souk_basket_line lines[SOUK_BASKET_LINES];
    souk_tax_line taxed[SOUK_BASKET_LINES];
};

souk_err souk_basket_desk_new(souk_mem *mem, souk_basket_desk **ret_desk)
{
    souk_auto(souk_basket_desk) desk = souk_mem_get(mem, sizeof *desk);
    if (!desk)
        return SOUK_ENOMEM;
    desk->mem = mem;
    SOUK_TRY(
        souk_pricing_new(mem, &(souk_pricing_limits){.lines = SOUK_BASKET_LINES}, &desk->pricing));
    SOUK_TRY(souk_tax_new(mem, SOUK_BASKET_LINES, &desk->tax));
    *ret_desk = souk_take(&desk);
    return SOUK_OK;
}

void souk_basket_desk_free(souk_basket_desk *desk)
{
    if (!desk)
        return;
    souk_pricing_free(desk->pricing);
    souk_tax_free(desk->tax);
    souk_mem_put(desk->mem, desk);
}

/* ---- texts ------------------------------------------------------------------------------------------- */

souk_err souk_form_plain(souk_form *form, souk_json_node value, size_t least, size_t most,
                         souk_text *ret_text)
{
    souk_text text;
    SOUK_TRY(souk_form_text(form, value, least, most, &text));
    if (souk_pan_find(text).at)
        return souk_form_refuse(form, "a payment card's number is in it: never send one; keep the "
                                      "payment provider's token and the last four digits");
    *ret_text = text;
    return SOUK_OK;
}

/* ---- lines ------------------------------------------------------------------------------------------- */

static souk_basket_reading *reading_of(souk_form *form)
{
    return form->user;
}

static souk_err read_scan(souk_form *form, souk_json_node value)
{
    souk_basket_reading *reading = reading_of(form);
    reading->has_scan = true;
    /* a scanner's GS (0x1D) parts the fields of a label: no plain text */
    if (souk_json_type(form->doc, value) != SOUK_JSON_STRING)
        return souk_form_refuse(form, "a text is expected, in quotes");
    SOUK_TRY(souk_json_text(form->doc, value, form->arena, &reading->scan));
    return SOUK_OK;
}

static souk_err read_product(souk_form *form, souk_json_node value)
{
    souk_basket_reading *reading = reading_of(form);
    reading->has_product = true;
    return souk_form_text(form, value, 1, SOUK_SHELF_CODE_BYTES, &reading->product);
}

static souk_err read_quantity(souk_form *form, souk_json_node value)
{
    souk_basket_reading *reading = reading_of(form);
    reading->has_quantity = true;
    return souk_form_decimal(form, value, 1, INT64_C(1000000000000), &reading->quantity);
}

static souk_err read_price(souk_form *form, souk_json_node value)
{
    souk_basket_reading *reading = reading_of(form);
    reading->has_price = true;
    return souk_form_decimal(form, value, 0, INT64_C(1000000000000000), &reading->price);
}

static souk_err read_reason(souk_form *form, souk_json_node value)
{
    return souk_form_plain(form, value, 1, SOUK_BASKET_TEXT_BYTES, &reading_of(form)->line.reason);
}

static souk_err find_scanned(souk_form *form, const souk_scan *scan)
{
    souk_basket_reading *reading = reading_of(form);
    const souk_till_basket *basket = reading->basket;
    for (size_t i = 0; i < scan->code_count; i++) {
        souk_err err = souk_shelf_find(reading->rooms->shelf, basket->merchant,
                                       souk_text_of(scan->codes[i].text), basket->store, basket->at,
                                       form->arena, &reading->line.item);
        if (err != SOUK_ENOENT)
            return err;
    }
    return souk_form_refuse(form, "no product has the code %s: add its bar code, or key it in",
                            scan->codes[0].text);
}

static souk_text keep(souk_form *form, const char *text)
{
    return (souk_text){souk_text_in(form->arena, souk_text_of(text)), strlen(text)};
}

/* What the label tells besides the product. */
static souk_err take_scan(souk_form *form, const souk_scan *scan)
{
    souk_basket_reading *reading = reading_of(form);
    souk_till_line *line = &reading->line;
    line->batch = keep(form, scan->batch);
    line->serial = keep(form, scan->serial);
    line->expiry_day = scan->expiry_day;
    if (souk_pan_find(line->batch).at || souk_pan_find(line->serial).at)
        return souk_form_refuse(form, "scan: its batch or serial number reads as a payment card's "
                                      "number: key in the product");
    if (scan->has_measure && scan->measure.micro <= 0)
        return souk_form_refuse(form,
                                "scan: the label says that it weighs nothing: weigh it again");
    if (scan->has_measure || scan->has_price) {
        if (reading->has_quantity)
            return souk_form_refuse(form, "the label says how much it is: leave quantity out");
        line->quantity = scan->has_measure ? scan->measure : (souk_decimal){1000000};
    } else if (scan->count) {
        if (scan->count > 1000000)
            return souk_form_refuse(form, "the label says more than a million pieces");
        line->quantity.micro = (int64_t)scan->count * 1000000;
    }
    reading->has_label_price = scan->has_price;
    if (scan->has_price) { /* of this very piece: what it weighs does not matter any more */
        line->quantity.micro = 1000000;
        line->unit_price = scan->price;
        line->price_list = SOUK_TEXT("scale");
        line->item.unit = SOUK_TEXT("");
    }
    return SOUK_OK;
}

static souk_err resolve_scan(souk_form *form)
{
    souk_basket_reading *reading = reading_of(form);
    const souk_till_basket *basket = reading->basket;
    souk_scan scan;
    souk_diag diag = {0};
    const souk_measures *measures = basket->front ? souk_front_measures(basket->front) : NULL;
    souk_err err = souk_scan_read(reading->scan, measures, souk_time_day(basket->at), &scan, &diag);
    if (err)
        return souk_form_refuse(form, "scan: %s", diag.words);
    SOUK_TRY(find_scanned(form, &scan));
    return take_scan(form, &scan);
}

static souk_err resolve_product(souk_form *form)
{
    souk_basket_reading *reading = reading_of(form);
    const souk_till_basket *basket = reading->basket;
    souk_err err = souk_shelf_find(reading->rooms->shelf, basket->merchant, reading->product,
                                   basket->store, basket->at, form->arena, &reading->line.item);
    if (err == SOUK_ENOENT)
        return souk_form_refuse(form, "there is no product '%.*s'",
                                SOUK_TEXT_PRINT(reading->product));
    return err;
}

static souk_err take_quantity(souk_form *form)
{
    souk_basket_reading *reading = reading_of(form);
    souk_till_line *line = &reading->line;
    if (line->quantity.micro == 0) {
        souk_decimal told = reading->has_quantity ? reading->quantity : (souk_decimal){1000000};
        if (souk_decimal_mul(told, line->item.pieces, &line->quantity, NULL))
            return souk_form_refuse(form, "quantity: too many pieces");
    }
    if (line->item.unit.bytes == 0 && line->quantity.micro % 1000000)
        return souk_form_refuse(form,
                                "quantity: '%.*s' is sold by the piece: give a whole number, or "
                                "the product a unit",
                                SOUK_TEXT_PRINT(line->item.code));
    return SOUK_OK;
}

static souk_err take_price(souk_form *form)
{
    souk_basket_reading *reading = reading_of(form);
    souk_till_line *line = &reading->line;
    if (reading->has_price != (line->reason.bytes > 0))
        return souk_form_refuse(form, "a price that is given needs a reason, and only it has one");
    if (reading->has_price) {
        line->unit_price = reading->price;
        line->price_list = SOUK_TEXT("");
        return SOUK_OK;
    }
    if (reading->has_label_price)
        return SOUK_OK;
    if (!line->item.has_price)
        return souk_form_refuse(form, "'%.*s' has no price here and now: tell one, or give `price`",
                                SOUK_TEXT_PRINT(line->item.code));
    line->unit_price = line->item.price;
    line->price_list = line->item.price_list;
    return SOUK_OK;
}

/* The first price says what currency it is, where neither till nor store did. */
static souk_err take_currency(souk_form *form)
{
    souk_basket_reading *reading = reading_of(form);
    souk_till_basket *basket = reading->basket;
    const souk_shelf_item *item = &reading->line.item;
    bool own = !reading->has_price && !reading->has_label_price;
    if (!item->has_price || !own)
        return SOUK_OK;
    if (!basket->currency[0])
        memcpy(basket->currency, item->currency, sizeof basket->currency);
    if (memcmp(basket->currency, item->currency, sizeof basket->currency))
        return souk_form_refuse(form, "'%.*s' is priced in %s, and the basket is in %s",
                                SOUK_TEXT_PRINT(item->code), item->currency, basket->currency);
    return SOUK_OK;
}

static souk_err read_line(souk_form *form, souk_json_node value, size_t index)
{
    static const souk_form_member members[] = {{"scan", read_scan},
                                               {"product", read_product},
                                               {"quantity", read_quantity},
                                               {"price", read_price},
                                               {"reason", read_reason}};
    souk_basket_reading *reading = reading_of(form);
    reading->has_scan = reading->has_product = reading->has_quantity = reading->has_price =
        reading->has_label_price = false;
    reading->line = (souk_till_line){.expiry_day = SOUK_GS1_NO_DAY};
    SOUK_TRY(souk_form_object(form, value, members, sizeof members / sizeof *members, NULL));
    if (reading->has_scan == reading->has_product)
        return souk_form_refuse(form, "give either scan or product");
    SOUK_TRY(reading->has_scan ? resolve_scan(form) : resolve_product(form));
    SOUK_TRY(take_quantity(form));
    SOUK_TRY(take_price(form));
    SOUK_TRY(take_currency(form));
    reading->basket->lines[index] = reading->line;
    reading->basket->line_count = index + 1;
    return SOUK_OK;
}

/* ---- the basket ----------------------------------------------------------------------------------------- */

static souk_err read_store(souk_form *form, souk_json_node value)
{
    souk_till_basket *basket = reading_of(form)->basket;
    SOUK_TRY(souk_form_plain(form, value, 1, SOUK_SHELF_STORE_BYTES, &basket->store));
    return SOUK_OK;
}

static souk_err read_till(souk_form *form, souk_json_node value)
{
    return souk_form_plain(form, value, 1, 32, &reading_of(form)->basket->till);
}

static souk_err read_currency(souk_form *form, souk_json_node value)
{
    souk_text code;
    SOUK_TRY(souk_form_text(form, value, 3, 3, &code));
    if (souk_currency_read(code, reading_of(form)->basket->currency))
        return souk_form_refuse(form, "no code of ISO 4217: send one, such as EUR");
    return SOUK_OK;
}

/* Lines are read at the end: they want the store, wherever it stands. */
static souk_err note_lines(souk_form *form, souk_json_node value)
{
    reading_of(form)->lines_node = value;
    return SOUK_OK;
}

const souk_form_member souk_basket_members[SOUK_BASKET_MEMBERS] = {
    {"store", read_store}, {"till", read_till}, {"currency", read_currency}, {"lines", note_lines}};

void souk_basket_begin(souk_basket_reading *reading, const souk_basket_rooms *rooms,
                       uint32_t merchant, souk_time now, souk_till_basket *basket)
{
    *reading =
        (souk_basket_reading){.rooms = rooms, .basket = basket, .lines_node = SOUK_JSON_NONE};
    *basket = (souk_till_basket){
        .merchant = merchant, .at = now, .front = souk_front_hold(rooms->fronts, merchant)};
}

souk_err souk_basket_end(souk_basket_reading *reading, souk_form *form)
{
    souk_till_basket *basket = reading->basket;
    if (basket->store.bytes == 0)
        return souk_form_refuse(form, "store is missing: prices and offers are of a store");
    size_t count = souk_json_count(form->doc, reading->lines_node);
    if (count == 0)
        return souk_form_refuse(form, "lines is missing, or has none");
    const souk_front_store *store =
        basket->front ? souk_front_store_of(basket->front, basket->store) : NULL;
    if (!basket->currency[0] && store)
        memcpy(basket->currency, store->currency, sizeof basket->currency);
    basket->lines = souk_arena_get(form->arena,
                                   souk_min_size(count, SOUK_BASKET_LINES) * sizeof *basket->lines);
    if (form->arena->failed)
        return SOUK_ENOMEM;
    snprintf(form->path, sizeof form->path, "lines");
    SOUK_TRY(souk_form_array(form, reading->lines_node, SOUK_BASKET_LINES, read_line));
    form->path[0] = '\0';
    if (!basket->currency[0])
        return souk_form_refuse(form, "currency is missing: neither store nor products say it");
    basket->exponent = souk_currency_exponent(basket->currency);
    return SOUK_OK;
}

souk_err souk_basket_read(const souk_basket_rooms *rooms, uint32_t merchant, souk_time now,
                          const souk_json_doc *doc, souk_json_node node, souk_arena *arena,
                          souk_till_basket *ret_basket, souk_diag *diag)
{
    souk_basket_reading reading;
    souk_form form = {
        .doc = doc, .arena = arena, .diag = diag, .user = &reading, .help = "docs/checkout.md"};
    souk_basket_begin(&reading, rooms, merchant, now, ret_basket);
    SOUK_TRY(souk_form_object(&form, node, souk_basket_members, SOUK_BASKET_MEMBERS, NULL));
    return souk_basket_end(&reading, &form);
}

void souk_basket_done(souk_till_basket *basket)
{
    souk_front_drop(basket->front);
    basket->front = NULL;
}

/* ---- pricing ------------------------------------------------------------------------------------------------ */

static souk_err fill_lines(souk_basket_desk *desk, const souk_till_basket *basket,
                           souk_arena *arena)
{
    for (size_t i = 0; i < basket->line_count; i++) {
        const souk_till_line *line = &basket->lines[i];
        desk->lines[i] = (souk_basket_line){.product = line->item.number,
                                            .tags = line->item.tags,
                                            .tag_count = (uint32_t)line->item.tag_count,
                                            .quantity = line->quantity,
                                            .unit_price = line->unit_price,
                                            .price_list = souk_text_in(arena, line->price_list),
                                            .weighed = line->item.unit.bytes > 0,
                                            .no_offers = line->item.no_offers};
    }
    return arena->failed ? SOUK_ENOMEM : SOUK_OK;
}

static souk_err price(const souk_basket_rooms *rooms, souk_basket_desk *desk,
                      souk_till_basket *basket, souk_diag *diag)
{
    const souk_front_store *store =
        basket->front ? souk_front_store_of(basket->front, basket->store) : NULL;
    const souk_book *book = souk_front_book(rooms->fronts, basket->front, basket->currency);
    souk_time wall = souk_zone_local(store ? store->zone : NULL, basket->at);
    int64_t day = souk_time_day(wall);
    souk_basket priced = {
        .lines = desk->lines,
        .line_count = basket->line_count,
        .exponent = basket->exponent,
        .now = basket->at,
        .weekday = (unsigned)(((day + 3) % 7 + 7) % 7), /* 1 January 1970 was a Thursday */
        .minute = (unsigned)((wall - day * INT64_C(86400000)) / 60000),
        .tier = basket->tier,
        .coupons = basket->coupons,
        .coupon_count = basket->coupon_count,
        .store = souk_names_find(rooms->names, basket->merchant, SOUK_NOUN_STORE, basket->store)};
    return souk_pricing_basket(desk->pricing, book, &priced, &basket->priced, diag);
}

static souk_err tax(souk_basket_desk *desk, souk_till_basket *basket, souk_diag *diag)
{
    basket->tax = basket->front ? souk_front_tax_of(basket->front, basket->store) : NULL;
    basket->total_minor = basket->priced->total_minor;
    if (!basket->tax)
        return SOUK_OK;
    for (size_t i = 0; i < basket->line_count; i++) {
        uint32_t class;
        if (souk_front_tax_class(basket->front, basket->tax, basket->lines[i].item.tax_class,
                                 &class))
            return souk_diag_say(diag, SOUK_EINVAL,
                                 "lines[%zu]: the product's tax class '%.*s' is not told for this "
                                 "store",
                                 i, SOUK_TEXT_PRINT(basket->lines[i].item.tax_class));
        desk->taxed[i] = (souk_tax_line){class, basket->priced->lines[i].total_minor};
    }
    SOUK_TRY(souk_tax_receipt(desk->tax, &basket->tax->rule, 0, desk->taxed, basket->line_count,
                              &basket->taxed, diag));
    basket->total_minor = basket->taxed->gross_minor;
    return SOUK_OK;
}

souk_err souk_basket_price(const souk_basket_rooms *rooms, souk_basket_desk *desk,
                           souk_till_basket *basket, souk_arena *arena, souk_diag *diag)
{
    SOUK_TRY(fill_lines(desk, basket, arena));
    SOUK_TRY(price(rooms, desk, basket, diag));
    SOUK_TRY(tax(desk, basket, diag));
    for (size_t i = 0; i < basket->line_count; i++) {
        basket->lines[i].priced = &basket->priced->lines[i];
        basket->lines[i].taxed = basket->taxed ? &basket->taxed->lines[i] : NULL;
    }
    return SOUK_OK;
}
