/* till.c - price and commit: a basket becomes an answer, or a plan whose effects stand or fall together.
 *
 * What a commit does, in one transaction:
 *
 *     tenders     cash, card, other: tender -> sales; a shopper's account -> sales
 *     taxes       sales -> each rate's tax account
 *     stock       what leaves the shelf, by the neighbour who keeps it
 *     receipt     the next of its till's chain; the answer, kept under the request's key */
#include "service/checkout/checkout_inside.h"

#include "base/currency.h"
#include "base/random.h"

struct sale {
    souk_basket_reading reading; /* first: the form's user is a basket's reading */
    souk_till_basket basket;
    souk_call *call;
    checkout_tenders tenders;
    checkout_customer customer;
    souk_text codes[SOUK_BASKET_COUPONS];
    bool used[SOUK_BASKET_COUPONS]; /* codes whose offers held */
    size_t code_count;
    void *visit;         /* of loyalty; NULL: there is none */
    souk_person *person; /* NULL: nobody */
    bool has_expected;
    souk_decimal expected;
    int64_t change_minor;
    souk_hash128 id;
    souk_receipt receipt;
    souk_buf body;
};

/* ---- the request ------------------------------------------------------------------------------------------ */

static struct sale *sale_of(souk_form *form)
{
    return form->user;
}

static souk_err read_tenders(souk_form *form, souk_json_node value)
{
    return checkout_read_tenders(form, value, &sale_of(form)->tenders);
}

static souk_err read_customer(souk_form *form, souk_json_node value)
{
    return checkout_read_customer(form, value, &sale_of(form)->customer);
}

static souk_err read_code(souk_form *form, souk_json_node value, size_t index)
{
    sale_of(form)->code_count = index + 1;
    return souk_form_text(form, value, 1, 100, &sale_of(form)->codes[index]);
}

static souk_err read_codes(souk_form *form, souk_json_node value)
{
    return souk_form_array(form, value, SOUK_BASKET_COUPONS, read_code);
}

static souk_err read_expected(souk_form *form, souk_json_node value)
{
    struct sale *sale = sale_of(form);
    sale->has_expected = true;
    return souk_form_decimal(form, value, 0, INT64_MAX, &sale->expected);
}

static souk_err read_sale(struct sale *sale, const souk_json_doc *doc, bool commits)
{
    static const souk_form_member own[] = {{"customer", read_customer},
                                           {"coupons", read_codes},
                                           {"tenders", read_tenders},
                                           {"expected_total", read_expected}};
    souk_form_member members[SOUK_BASKET_MEMBERS + 4];
    souk_call *call = sale->call;
    souk_checkout *checkout = call->state;
    memcpy(members, souk_basket_members, SOUK_BASKET_MEMBERS * sizeof *members);
    memcpy(members + SOUK_BASKET_MEMBERS, own, sizeof own);
    souk_form form = {.doc = doc,
                      .arena = &call->arena,
                      .diag = &call->diag,
                      .user = sale,
                      .help = "docs/checkout.md"};
    souk_basket_begin(&sale->reading, &checkout->rooms, call->caller.merchant,
                      souk_clock_now_ms(souk_spine_clock(call->spine)), &sale->basket);
    SOUK_TRY(souk_form_object(&form, souk_json_root(doc), members,
                              SOUK_BASKET_MEMBERS + (commits ? 4 : 2), NULL));
    return souk_basket_end(&sale->reading, &form);
}

/* ---- who buys ------------------------------------------------------------------------------------------------ */

static souk_time wall_of(const struct sale *sale)
{
    const souk_front_store *store =
        sale->basket.front ? souk_front_store_of(sale->basket.front, sale->basket.store) : NULL;
    return souk_zone_local(store ? store->zone : NULL, sale->basket.at);
}

/* One more of the class, in its place by number. */
static void take_coupon(souk_till_basket *basket, uint32_t class)
{
    size_t at = 0;
    while (at < basket->coupon_count && basket->coupons[at].coupon < class)
        at++;
    if (at < basket->coupon_count && basket->coupons[at].coupon == class) {
        basket->coupons[at].count++;
        return;
    }
    memmove(basket->coupons + at + 1, basket->coupons + at,
            (basket->coupon_count++ - at) * sizeof *basket->coupons);
    basket->coupons[at] = (souk_coupons){class, 1};
}

static souk_err class_of(struct sale *sale, size_t code, uint32_t *ret_class)
{
    const souk_checkout *checkout = sale->call->state;
    souk_text class = checkout->ports.opens(sale->visit, code);
    *ret_class = 0;
    if (class.bytes == 0)
        return SOUK_OK;
    return souk_names_number(checkout->rooms.names, sale->basket.merchant, SOUK_NOUN_COUPON, class,
                             ret_class);
}

/* Before the basket is priced: her tier and coupons decide which offers hold. */
static souk_err enter(struct sale *sale)
{
    souk_call *call = sale->call;
    const souk_checkout *checkout = call->state;
    if (!checkout->ports.loyalty)
        return SOUK_OK;
    int64_t day = souk_time_day(wall_of(sale));
    souk_text token = souk_call_header(call, SOUK_TEXT("authorization"));
    souk_till_member member = {
        .merchant = sale->basket.merchant,
        .person = sale->person,
        .store = sale->basket.store,
        .at = sale->basket.at,
        .day = day,
        .weekday = (unsigned)(((day + 3) % 7 + 7) % 7),
        .caller = souk_hash128_of(&souk_spine_hashes(call->spine)->messages, &token, 1).low,
        .codes = sale->codes,
        .code_count = sale->code_count};
    SOUK_TRY(checkout->ports.enter(checkout->ports.loyalty, &member, &call->arena, &sale->visit,
                                   &call->diag));
    sale->basket.tier = checkout->ports.tier(sale->visit);
    for (size_t i = 0; i < sale->code_count; i++) {
        uint32_t class;
        SOUK_TRY(class_of(sale, i, &class));
        if (class)
            take_coupon(&sale->basket, class);
    }
    return SOUK_OK;
}

/* The first codes of each class, as many as its offers took. */
static souk_err mark_used(struct sale *sale)
{
    const souk_priced *priced = sale->basket.priced;
    for (size_t i = 0; i < sale->code_count; i++) {
        uint32_t class, taken = 0;
        SOUK_TRY(class_of(sale, i, &class));
        for (size_t j = 0; class && j < priced->held_count; j++)
            if (souk_front_offer_coupon(sale->basket.front, priced->held[j].offer) == class)
                taken += priced->held[j].coupons;
        for (size_t j = 0; j < i; j++) {
            uint32_t other;
            SOUK_TRY(class_of(sale, j, &other));
            taken -= taken && other == class && sale->used[j];
        }
        sale->used[i] = taken > 0;
    }
    return SOUK_OK;
}

static souk_text join(souk_arena *arena, souk_text a, souk_text b)
{
    char *at = souk_arena_get(arena, a.bytes + b.bytes + 1);
    if (arena->failed)
        return SOUK_TEXT("");
    memcpy(at, a.at, a.bytes);
    memcpy(at + a.bytes, b.at, b.bytes);
    return (souk_text){at, a.bytes + b.bytes};
}

/* "brand:Oatly", "category:Drinks", "category:Drinks > Tea": as offers name them. */
static size_t tags_of(const souk_shelf_item *item, souk_arena *arena, souk_text *tags)
{
    size_t count = 0;
    souk_text category = item->category;
    if (item->brand.bytes)
        tags[count++] = join(arena, SOUK_TEXT("brand:"), item->brand);
    for (size_t i = 0; i + 3 <= category.bytes && count < SOUK_SHELF_TAGS - 1; i++)
        if (!memcmp(category.at + i, " > ", 3))
            tags[count++] = join(arena, SOUK_TEXT("category:"), (souk_text){category.at, i});
    if (category.bytes)
        tags[count++] = join(arena, SOUK_TEXT("category:"), category);
    return count;
}

static souk_err earn(struct sale *sale)
{
    souk_call *call = sale->call;
    const souk_checkout *checkout = call->state;
    const souk_till_basket *basket = &sale->basket;
    souk_earn_line *lines = souk_arena_get(&call->arena, basket->line_count * sizeof *lines);
    for (size_t i = 0; i < basket->line_count && !call->arena.failed; i++) {
        const souk_till_line *line = &basket->lines[i];
        souk_text *tags = souk_arena_get(&call->arena, SOUK_SHELF_TAGS * sizeof *tags);
        if (call->arena.failed)
            break;
        lines[i] = (souk_earn_line){.product = line->item.code,
                                    .tags = tags,
                                    .tag_count = tags_of(&line->item, &call->arena, tags),
                                    .amount_minor = line->taxed ? line->taxed->gross_minor
                                                                : line->priced->total_minor};
    }
    if (call->arena.failed)
        return SOUK_ENOMEM;
    return checkout->ports.earn(sale->visit, basket->currency, lines, basket->line_count,
                                &call->arena, &call->diag);
}

static souk_err price_sale(struct sale *sale, souk_basket_desk *desk)
{
    souk_checkout *checkout = sale->call->state;
    if (sale->customer.kind.bytes)
        SOUK_TRY(checkout_find_customer(sale->call, &sale->customer, &sale->person));
    SOUK_TRY(enter(sale));
    SOUK_TRY(souk_basket_price(&checkout->rooms, desk, &sale->basket, &sale->call->arena,
                               &sale->call->diag));
    if (!sale->visit)
        return SOUK_OK;
    SOUK_TRY(mark_used(sale));
    return earn(sale);
}

/* ---- price --------------------------------------------------------------------------------------------------- */

static void write_visit(souk_json_writer *json, const struct sale *sale)
{
    const souk_checkout *checkout = sale->call->state;
    if (sale->visit)
        checkout->ports.write(sale->visit, json, sale->used);
}

static void write_priced(struct sale *sale)
{
    souk_json_writer *out = souk_call_json(sale->call);
    souk_json_write_object(out);
    souk_json_put_text(out, "store", sale->basket.store);
    souk_basket_write(out, &sale->basket);
    write_visit(out, sale);
    souk_json_write_end(out);
}

static souk_err price(souk_call *call, struct sale *sale)
{
    souk_auto_value(souk_json_doc) doc = {.mem = call->arena.mem};
    souk_basket_desk *desk = NULL;
    SOUK_TRY(checkout_read_body(call, &doc));
    SOUK_TRY(read_sale(sale, &doc, false));
    SOUK_TRY(checkout_take_desk(call->state, &desk));
    souk_err err = price_sale(sale, desk);
    if (!err)
        write_priced(sale);
    checkout_put_desk(call->state, desk);
    return err;
}

void checkout_price(souk_call *call)
{
    struct sale *sale = souk_arena_get(&call->arena, sizeof *sale);
    if (call->arena.failed) {
        souk_call_fail(call, SOUK_ENOMEM);
        return;
    }
    sale->call = call;
    souk_err err = price(call, sale);
    souk_basket_done(&sale->basket);
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer(call, 200);
}

/* ---- paying --------------------------------------------------------------------------------------------------- */

static souk_err check_expected(struct sale *sale)
{
    int64_t minor;
    if (!sale->has_expected)
        return souk_diag_say(&sale->call->diag, SOUK_EINVAL,
                             "expected_total is missing: send the total that the shopper was told");
    SOUK_TRY(checkout_minor(sale->call, sale->expected, sale->basket.currency, "expected_total",
                            &minor));
    if (minor != sale->basket.total_minor)
        return souk_diag_say(&sale->call->diag, SOUK_ECONFLICT,
                             "the basket costs another total by now: price it again, and tell the "
                             "shopper");
    return SOUK_OK;
}

/* Points are told by their number, and pay what the programme says. */
static souk_err price_points(struct sale *sale, int64_t *ret_points)
{
    const souk_checkout *checkout = sale->call->state;
    *ret_points = 0;
    for (size_t i = 0; i < sale->tenders.count; i++) {
        checkout_tender *tender = &sale->tenders.list[i];
        if (tender->kind != CHECKOUT_POINTS)
            continue;
        if (*ret_points || !sale->visit || !sale->person)
            return souk_diag_say(&sale->call->diag, SOUK_EINVAL,
                                 "tenders[%zu]: points pay once, and for a customer who is named",
                                 i);
        SOUK_TRY(checkout->ports.worth(sale->visit, tender->points, sale->basket.currency,
                                       &tender->minor, &sale->call->diag));
        *ret_points = tender->points;
    }
    return SOUK_OK;
}

/* Change is given in cash, and of cash alone. */
static souk_err check_tenders(struct sale *sale)
{
    int64_t paid, cash;
    SOUK_TRY(
        checkout_tenders_total(sale->call, &sale->tenders, sale->basket.currency, &paid, &cash));
    sale->change_minor = paid - sale->basket.total_minor;
    if (sale->change_minor < 0)
        return souk_diag_say(&sale->call->diag, SOUK_ECONFLICT,
                             "tenders: they do not pay the basket's total");
    if (sale->change_minor > cash)
        return souk_diag_say(&sale->call->diag, SOUK_ECONFLICT,
                             "tenders: more than the total, and change is given of cash alone");
    return SOUK_OK;
}

static checkout_deal deal_of(struct sale *sale)
{
    return (checkout_deal){.call = sale->call,
                           .store = sale->basket.store,
                           .currency = sale->basket.currency,
                           .id = sale->id,
                           .day = (int32_t)souk_time_day(wall_of(sale))};
}

/* The books ask once for the whole set: a yes is one to each account that pays. */
static bool is_confirmed(const checkout_tenders *tenders)
{
    bool all = true;
    for (size_t i = 0; i < tenders->count; i++) {
        const checkout_tender *tender = &tenders->list[i];
        if (tender->kind == CHECKOUT_BALANCE || tender->kind == CHECKOUT_TAB)
            all &= tender->confirmed;
    }
    return all;
}

static souk_err plan_tenders(struct sale *sale, souk_plan *plan)
{
    int64_t change = sale->change_minor;
    checkout_deal deal = deal_of(sale);
    for (unsigned i = 0; i < sale->tenders.count; i++) {
        const checkout_tender *tender = &sale->tenders.list[i];
        int64_t minor = tender->minor;
        if (tender->kind == CHECKOUT_CASH) {
            int64_t back = change < minor ? change : minor;
            minor -= back;
            change -= back;
        }
        souk_book payer;
        SOUK_TRY(checkout_tender_book(&deal, tender, sale->person, &payer));
        SOUK_TRY(
            checkout_charge(&deal, plan, i, minor, &payer, NULL, is_confirmed(&sale->tenders)));
    }
    return SOUK_OK;
}

static souk_err plan_taxes(struct sale *sale, souk_plan *plan)
{
    const souk_till_basket *basket = &sale->basket;
    checkout_deal deal = deal_of(sale);
    for (unsigned i = 0; basket->taxed && i < basket->taxed->rate_count; i++) {
        souk_book tax = checkout_tax_book(&deal, souk_text_of(basket->tax->rule.rates[i].name));
        SOUK_TRY(checkout_charge(&deal, plan, CHECKOUT_TENDERS + i,
                                 basket->taxed->rates[i].tax_minor, NULL, &tax, false));
    }
    return SOUK_OK;
}

static void plan_goods(struct sale *sale, souk_plan *plan)
{
    const souk_checkout *checkout = sale->call->state;
    for (size_t i = 0; checkout->ports.sell && i < sale->basket.line_count; i++) {
        const souk_till_line *line = &sale->basket.lines[i];
        souk_till_goods goods = {.location = sale->basket.store,
                                 .product = line->item.code,
                                 .quantity = line->quantity,
                                 .lot = line->batch,
                                 .reference = sale->id};
        checkout->ports.sell(checkout->ports.stock, plan, &goods);
    }
}

/* ---- the receipt -------------------------------------------------------------------------------------------- */

static void write_body(souk_json_writer *json, const void *of)
{
    const struct sale *sale = of;
    souk_json_write_object(json);
    souk_json_put_words(json, "kind", "sale");
    souk_json_put_time(json, "at", sale->basket.at);
    souk_basket_write(json, &sale->basket);
    checkout_write_tenders(json, &sale->tenders, sale->basket.exponent);
    if (sale->change_minor)
        souk_money_put(json, "change", sale->change_minor, sale->basket.exponent);
    write_visit(json, sale);
    souk_json_write_end(json);
}

static souk_err plan_receipt(struct sale *sale, souk_plan *plan)
{
    const souk_till_basket *basket = &sale->basket;
    if (basket->till.bytes == 0)
        return souk_diag_say(&sale->call->diag, SOUK_EINVAL,
                             "till is missing: receipts are numbered by till");
    sale->receipt = (souk_receipt){.store = basket->store,
                                   .till = basket->till,
                                   .kind = SOUK_RECEIPT_SALE,
                                   .at = basket->at,
                                   .total_minor = basket->total_minor,
                                   .id = sale->id};
    memcpy(sale->receipt.currency, basket->currency, sizeof basket->currency);
    return checkout_plan_receipt(sale->call, plan, &sale->receipt, &sale->customer, write_body,
                                 sale);
}

static souk_err tell_receipt(souk_plan *plan, souk_tx *tx, souk_json_writer *json)
{
    const struct sale *sale = plan->context;
    (void)tx;
    checkout_write_receipt(json, &sale->receipt);
    return SOUK_OK;
}

/* ---- commit ---------------------------------------------------------------------------------------------------- */

static souk_err make_plan(struct sale *sale, souk_plan *plan)
{
    const souk_checkout *checkout = sale->call->state;
    int64_t points;
    SOUK_TRY(check_expected(sale));
    SOUK_TRY(price_points(sale, &points));
    SOUK_TRY(check_tenders(sale));
    souk_entropy(&sale->id, sizeof sale->id);
    SOUK_TRY(plan_tenders(sale, plan));
    SOUK_TRY(plan_taxes(sale, plan));
    plan_goods(sale, plan);
    if (sale->visit)
        checkout->ports.leave(sale->visit, plan, sale->id, points, sale->used);
    return plan_receipt(sale, plan);
}

static souk_err commit(souk_call *call, struct sale *sale, souk_plan *plan)
{
    souk_auto_value(souk_json_doc) doc = {.mem = call->arena.mem};
    souk_basket_desk *desk = NULL;
    SOUK_TRY(checkout_read_body(call, &doc));
    SOUK_TRY(read_sale(sale, &doc, true));
    SOUK_TRY(checkout_take_desk(call->state, &desk));
    souk_err err = price_sale(sale, desk);
    if (!err)
        err = make_plan(sale, plan);
    checkout_put_desk(call->state, desk);
    return err;
}

void checkout_commit(souk_call *call)
{
    struct sale *sale = souk_arena_get(&call->arena, sizeof *sale);
    souk_plan *plan = souk_call_plan(call);
    if (call->arena.failed) {
        souk_call_fail(call, SOUK_ENOMEM);
        return;
    }
    sale->call = call;
    plan->context = sale;
    souk_err err = commit(call, sale, plan);
    souk_basket_done(&sale->basket);
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_run(call, call->owners, plan, 201, tell_receipt);
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

struct reading {
    souk_call *call;
    souk_receipt_name name;
    souk_receipt_row row;
};

static souk_err read_receipt(souk_tx *tx, void *context)
{
    struct reading *reading = context;
    return souk_receipt_read(tx, &reading->name, &reading->call->arena, &reading->row);
}

static souk_err show_receipt(souk_call *call)
{
    struct reading reading = {.call = call, .name = {.merchant = call->caller.merchant}};
    souk_text number;
    uint64_t count;
    SOUK_TRY(souk_call_part(call, 0, &reading.name.store));
    SOUK_TRY(souk_call_part(call, 1, &reading.name.till));
    SOUK_TRY(souk_call_part(call, 2, &number));
    if (souk_text_to_u64(number, &count) || count == 0 || count > INT64_MAX)
        return souk_diag_say(&call->diag, SOUK_EINVAL, "receipts are numbered from 1");
    reading.name.number = (int64_t)count;
    souk_err err = souk_ledger_read(souk_spine_ledger(call->spine), read_receipt, &reading);
    if (err == SOUK_ENOENT)
        return souk_diag_say(&call->diag, err, "there is no such receipt");
    SOUK_TRY(err);
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    souk_json_put_text(out, "store", reading.name.store);
    souk_json_put_text(out, "till", reading.name.till);
    souk_json_put_u64(out, "number", count);
    checkout_put_hash(out, "hash", reading.row.hash);
    checkout_put_hash(out, "before", reading.row.before);
    souk_json_put_bool(out, "void", reading.row.is_void);
    souk_json_write_key(out, SOUK_TEXT("receipt"));
    souk_json_write_raw(out, reading.row.body);
    souk_json_write_end(out);
    return SOUK_OK;
}

void checkout_receipt(souk_call *call)
{
    souk_err err = show_receipt(call);
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer(call, 200);
}
