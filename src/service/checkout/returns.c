/* returns.c - what was sold comes back: some lines of a sale, or all of it as if it had never been.
 *
 * What a line brings back is counted from the receipt itself (algo/refund.h): its share of every offer and tax, so that
 * all parts together are what was paid.  The plan says how much had come back when it was counted; where another return
 * was quicker it is refused, and counted again when it is sent again.
 *
 *     money     sales -> tenders, each rate's tax account -> sales
 *     stock     what comes back to the shelf
 *     receipt   the next of the till that takes it back, naming the sale */
#include "service/checkout/checkout_inside.h"

#include "algo/refund.h"
#include "base/currency.h"
#include "base/random.h"

enum { RATES = SOUK_TAX_RATES_MOST };

struct part { /* of one line */
    uint32_t line;
    souk_decimal back; /* 0: the rest of it */
    /* as the sale has it */
    souk_text product, title, unit;
    souk_decimal sold, before;
    int64_t net_minor, taxes[RATES]; /* then: what comes back */
    int64_t total_minor;
};

struct taking {
    souk_call *call;
    bool voids;
    souk_text store, till;
    souk_receipt_name of;
    struct part *parts; /* [SOUK_BASKET_LINES] */
    size_t part_count;
    checkout_tenders tenders;
    checkout_customer customer;
    souk_person *person;

    souk_receipt_row sale;
    souk_json_doc body; /* of the sale */
    char currency[4];
    unsigned exponent;
    souk_text rates[RATES]; /* names, as they come */
    size_t rate_count;
    int64_t total_minor, rate_minor[RATES];
    souk_hash128 id;
    souk_receipt receipt;
    souk_receipt_back *backs;
};

/* ---- the request ---------------------------------------------------------------------------------------- */

static struct taking *taking_of(souk_form *form)
{
    return form->user;
}

static souk_err read_store(souk_form *form, souk_json_node value)
{
    return souk_form_plain(form, value, 1, SOUK_RECEIPT_STORE_BYTES, &taking_of(form)->store);
}
static souk_err read_till(souk_form *form, souk_json_node value)
{
    return souk_form_plain(form, value, 1, SOUK_RECEIPT_TILL_BYTES, &taking_of(form)->till);
}
static souk_err read_of_store(souk_form *form, souk_json_node value)
{
    return souk_form_plain(form, value, 1, SOUK_RECEIPT_STORE_BYTES, &taking_of(form)->of.store);
}
static souk_err read_of_till(souk_form *form, souk_json_node value)
{
    return souk_form_plain(form, value, 1, SOUK_RECEIPT_TILL_BYTES, &taking_of(form)->of.till);
}
static souk_err read_of_number(souk_form *form, souk_json_node value)
{
    return souk_form_i64(form, value, 1, INT64_MAX, &taking_of(form)->of.number);
}

static souk_err read_receipt(souk_form *form, souk_json_node value)
{
    static const souk_form_member members[] = {
        {"store", read_of_store}, {"till", read_of_till}, {"number", read_of_number}};
    uint64_t seen;
    SOUK_TRY(souk_form_object(form, value, members, 3, &seen));
    return seen == 7 ? SOUK_OK
                     : souk_form_refuse(form, "a receipt has a store, a till and a number");
}

static souk_err read_line(souk_form *form, souk_json_node value)
{
    struct taking *taking = taking_of(form);
    int64_t line;
    SOUK_TRY(souk_form_i64(form, value, 1, SOUK_BASKET_LINES, &line));
    for (size_t i = 0; i < taking->part_count; i++)
        if (taking->parts[i].line == line)
            return souk_form_refuse(form, "this line is there twice: add them up");
    taking->parts[taking->part_count].line = (uint32_t)line;
    return SOUK_OK;
}

static souk_err read_quantity(souk_form *form, souk_json_node value)
{
    struct taking *taking = taking_of(form);
    return souk_form_decimal(form, value, 1, INT64_C(1000000000000),
                             &taking->parts[taking->part_count].back);
}

static souk_err read_part(souk_form *form, souk_json_node value, size_t index)
{
    static const souk_form_member members[] = {{"line", read_line}, {"quantity", read_quantity}};
    uint64_t seen;
    (void)index;
    SOUK_TRY(souk_form_object(form, value, members, 2, &seen));
    if (!(seen & 1))
        return souk_form_refuse(form, "line is missing: which of the receipt?");
    taking_of(form)->part_count++;
    return SOUK_OK;
}

static souk_err read_lines(souk_form *form, souk_json_node value)
{
    return souk_form_array(form, value, SOUK_BASKET_LINES, read_part);
}
static souk_err read_tenders(souk_form *form, souk_json_node value)
{
    return checkout_read_tenders(form, value, &taking_of(form)->tenders);
}
static souk_err read_customer(souk_form *form, souk_json_node value)
{
    return checkout_read_customer(form, value, &taking_of(form)->customer);
}

static souk_err read_request(struct taking *taking)
{
    static const souk_form_member members[] = {
        {"store", read_store},     {"till", read_till},         {"receipt", read_receipt},
        {"tenders", read_tenders}, {"customer", read_customer}, {"lines", read_lines}};
    souk_call *call = taking->call;
    souk_auto_value(souk_json_doc) doc = {.mem = call->arena.mem};
    souk_form form = {.doc = &doc,
                      .arena = &call->arena,
                      .diag = &call->diag,
                      .user = taking,
                      .help = "docs/checkout.md"};
    uint64_t seen;
    size_t count = sizeof members / sizeof *members - taking->voids; /* a void has all lines */
    SOUK_TRY(checkout_read_body(call, &doc));
    SOUK_TRY(souk_form_object(&form, souk_json_root(&doc), members, count, &seen));
    if ((seen & 15) != 15 || (!taking->voids && taking->part_count == 0))
        return souk_form_refuse(&form, "store, till, receipt, tenders%s must be told",
                                taking->voids ? "" : " and lines");
    taking->of.merchant = call->caller.merchant;
    return SOUK_OK;
}

/* ---- the sale --------------------------------------------------------------------------------------------- */

static souk_err read_sale(souk_tx *tx, void *context)
{
    struct taking *taking = context;
    SOUK_TRY(souk_receipt_read(tx, &taking->of, &taking->call->arena, &taking->sale));
    for (size_t i = 0; i < taking->part_count; i++)
        SOUK_TRY(souk_receipt_returned(tx, &taking->of, taking->parts[i].line,
                                       &taking->parts[i].before));
    return SOUK_OK;
}

static souk_err find_sale(struct taking *taking)
{
    souk_diag *diag = &taking->call->diag;
    souk_err err = souk_ledger_read(souk_spine_ledger(taking->call->spine), read_sale, taking);
    if (err == SOUK_ENOENT)
        return souk_diag_say(diag, err, "receipt: there is no %.*s/%.*s/%lld",
                             SOUK_TEXT_PRINT(taking->of.store), SOUK_TEXT_PRINT(taking->of.till),
                             (long long)taking->of.number);
    SOUK_TRY(err);
    if (taking->sale.kind != SOUK_RECEIPT_SALE)
        return souk_diag_say(diag, SOUK_ECONFLICT, "receipt: it is a %s: give that of the sale",
                             souk_receipt_word(taking->sale.kind));
    memcpy(taking->currency, taking->sale.currency, sizeof taking->currency);
    taking->exponent = souk_currency_exponent(taking->currency);
    return souk_json_read(&taking->body, taking->sale.body, NULL, NULL);
}

/* Our own receipts: what does not read is damage. */
static souk_err money_of(struct taking *taking, souk_json_node object, const char *key,
                         int64_t *ret_minor)
{
    souk_decimal amount;
    bool rounded;
    souk_json_node node = souk_json_member(&taking->body, object, souk_text_of(key));
    if (souk_json_decimal_or_text(&taking->body, node, &amount, &rounded) ||
        souk_decimal_to_minor(amount, taking->exponent, ret_minor, &rounded))
        return SOUK_ECORRUPT;
    return SOUK_OK;
}

static souk_err text_of(struct taking *taking, souk_json_node object, const char *key,
                        souk_text *ret_text)
{
    souk_json_node node = souk_json_member(&taking->body, object, souk_text_of(key));
    *ret_text = SOUK_TEXT("");
    if (node == SOUK_JSON_NONE)
        return SOUK_OK;
    return souk_json_text(&taking->body, node, &taking->call->arena, ret_text) ? SOUK_ECORRUPT
                                                                               : SOUK_OK;
}

static souk_err rate_of(struct taking *taking, souk_text name, size_t *ret_rate)
{
    size_t i = 0;
    while (i < taking->rate_count && !souk_text_equal(taking->rates[i], name))
        i++;
    if (i == RATES)
        return SOUK_ECORRUPT;
    if (i == taking->rate_count)
        taking->rates[taking->rate_count++] = name;
    *ret_rate = i;
    return SOUK_OK;
}

static souk_err read_taxes(struct taking *taking, souk_json_node line, struct part *part)
{
    souk_json_node taxes = souk_json_member(&taking->body, line, SOUK_TEXT("taxes"));
    for (souk_json_node tax = souk_json_first(&taking->body, taxes); tax != SOUK_JSON_NONE;
         tax = souk_json_next(&taking->body, tax)) {
        souk_text name;
        size_t rate;
        SOUK_TRY(text_of(taking, tax, "name", &name));
        SOUK_TRY(rate_of(taking, name, &rate));
        SOUK_TRY(money_of(taking, tax, "tax", &part->taxes[rate]));
    }
    return SOUK_OK;
}

static souk_err read_sold(struct taking *taking, souk_json_node line, struct part *part)
{
    souk_json_node quantity = souk_json_member(&taking->body, line, SOUK_TEXT("quantity"));
    bool taxed = souk_json_member(&taking->body, line, SOUK_TEXT("net")) != SOUK_JSON_NONE;
    if (souk_json_decimal_or_text(&taking->body, quantity, &part->sold, NULL))
        return SOUK_ECORRUPT;
    SOUK_TRY(text_of(taking, line, "product", &part->product));
    SOUK_TRY(text_of(taking, line, "title", &part->title));
    SOUK_TRY(text_of(taking, line, "unit", &part->unit));
    SOUK_TRY(money_of(taking, line, taxed ? "net" : "total", &part->net_minor));
    return read_taxes(taking, line, part);
}

static souk_json_node line_of(struct taking *taking, uint32_t number)
{
    souk_json_node lines =
        souk_json_member(&taking->body, souk_json_root(&taking->body), SOUK_TEXT("lines"));
    souk_json_node line = souk_json_first(&taking->body, lines);
    for (uint32_t i = 1; i < number && line != SOUK_JSON_NONE; i++)
        line = souk_json_next(&taking->body, line);
    return line;
}

/* ---- what comes back ----------------------------------------------------------------------------------------- */

static souk_err count_back(struct taking *taking, struct part *part)
{
    souk_diag diag = {0};
    int64_t columns[1 + RATES];
    souk_refund_line line = {
        .quantity = part->sold, .before = part->before, .weighed = part->unit.bytes > 0};
    if (part->back.micro == 0)
        part->back.micro = part->sold.micro - part->before.micro;
    columns[0] = part->net_minor;
    memcpy(columns + 1, part->taxes, sizeof part->taxes);
    souk_err err = souk_refund(&line, part->back, columns, 1 + taking->rate_count, columns, &diag);
    if (err)
        return souk_diag_say(&taking->call->diag, err == SOUK_EINVAL ? SOUK_ECONFLICT : err,
                             "line %u: %s", part->line, souk_diag_words(&diag, err));
    part->net_minor = part->total_minor = columns[0];
    for (size_t rate = 0; rate < taking->rate_count; rate++) {
        part->taxes[rate] = columns[1 + rate];
        part->total_minor += columns[1 + rate];
        taking->rate_minor[rate] += columns[1 + rate];
    }
    taking->total_minor += part->total_minor;
    return SOUK_OK;
}

static souk_err take_all_lines(struct taking *taking)
{
    souk_json_node lines =
        souk_json_member(&taking->body, souk_json_root(&taking->body), SOUK_TEXT("lines"));
    taking->part_count = souk_json_count(&taking->body, lines);
    if (taking->part_count > SOUK_BASKET_LINES)
        return SOUK_ECORRUPT;
    for (uint32_t i = 0; i < taking->part_count; i++)
        taking->parts[i] = (struct part){.line = i + 1};
    return SOUK_OK;
}

static souk_err count_all(struct taking *taking)
{
    if (taking->voids)
        SOUK_TRY(take_all_lines(taking));
    for (size_t i = 0; i < taking->part_count; i++) {
        struct part *part = &taking->parts[i];
        souk_json_node line = line_of(taking, part->line);
        if (line == SOUK_JSON_NONE)
            return souk_diag_say(&taking->call->diag, SOUK_EINVAL,
                                 "lines[%zu].line: the receipt has no line %u", i, part->line);
        SOUK_TRY(read_sold(taking, line, part));
    }
    for (size_t i = 0; i < taking->part_count; i++)
        SOUK_TRY(count_back(taking, &taking->parts[i]));
    return SOUK_OK;
}

static souk_err check_tenders(struct taking *taking)
{
    int64_t all, cash;
    char text[SOUK_MONEY_BYTES];
    for (size_t i = 0; i < taking->tenders.count; i++)
        if (taking->tenders.list[i].kind == CHECKOUT_POINTS)
            return souk_diag_say(&taking->call->diag, SOUK_EUNSUPPORTED,
                                 "tenders[%zu]: points are not paid back as a tender; adjust them "
                                 "with POST /v1/loyalty/adjust",
                                 i);
    SOUK_TRY(checkout_tenders_total(taking->call, &taking->tenders, taking->currency, &all, &cash));
    if (all == taking->total_minor)
        return SOUK_OK;
    (void)souk_money_write(taking->total_minor, taking->exponent, text);
    return souk_diag_say(&taking->call->diag, SOUK_ECONFLICT,
                         "tenders: %s %s comes back, pay back that", text, taking->currency);
}

/* ---- the plan --------------------------------------------------------------------------------------------------- */

static souk_err plan_money(struct taking *taking, souk_plan *plan)
{
    checkout_deal deal = {.call = taking->call,
                          .store = taking->of.store,
                          .currency = taking->currency,
                          .id = taking->id,
                          .back = true};
    for (unsigned i = 0; i < taking->tenders.count; i++) {
        souk_book payer;
        SOUK_TRY(checkout_tender_book(&deal, &taking->tenders.list[i], taking->person, &payer));
        SOUK_TRY(
            checkout_charge(&deal, plan, i, taking->tenders.list[i].minor, &payer, NULL, true));
    }
    for (unsigned rate = 0; rate < taking->rate_count; rate++) {
        souk_book tax = checkout_tax_book(&deal, taking->rates[rate]);
        SOUK_TRY(checkout_charge(&deal, plan, CHECKOUT_TENDERS + rate, taking->rate_minor[rate],
                                 NULL, &tax, true));
    }
    return SOUK_OK;
}

static void plan_goods(struct taking *taking, souk_plan *plan)
{
    const souk_checkout *checkout = taking->call->state;
    for (size_t i = 0; checkout->ports.bring_back && i < taking->part_count; i++) {
        souk_till_goods goods = {.location = taking->store,
                                 .product = taking->parts[i].product,
                                 .quantity = taking->parts[i].back,
                                 .reference = taking->id};
        checkout->ports.bring_back(checkout->ports.stock, plan, &goods, taking->voids);
    }
}

/* What the sale earned and redeemed goes back with it. */
static souk_err plan_undo(struct taking *taking, souk_plan *plan)
{
    const souk_checkout *checkout = taking->call->state;
    souk_till_back *backs =
        souk_arena_get(&taking->call->arena, taking->part_count * sizeof *backs + 1);
    if (!checkout->ports.loyalty)
        return SOUK_OK;
    if (taking->call->arena.failed)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < taking->part_count; i++)
        backs[i] =
            (souk_till_back){taking->parts[i].line, taking->parts[i].back, taking->parts[i].sold};
    return checkout->ports.undo(checkout->ports.loyalty, plan, taking->sale.id, backs,
                                taking->part_count, taking->voids, &taking->call->diag);
}

static void write_part(souk_json_writer *json, const struct taking *taking, const struct part *part)
{
    char quantity[SOUK_DECIMAL_BYTES];
    souk_json_write_object(json);
    souk_json_put_u64(json, "line", part->line);
    souk_json_put_text(json, "product", part->product);
    souk_json_put_text(json, "title", part->title);
    souk_json_put_text(
        json, "quantity",
        (souk_text){quantity, souk_decimal_write((souk_decimal){-part->back.micro}, quantity)});
    if (part->unit.bytes)
        souk_json_put_text(json, "unit", part->unit);
    souk_money_put(json, "total", -part->total_minor, taking->exponent);
    if (taking->rate_count) {
        souk_money_put(json, "net", -part->net_minor, taking->exponent);
        souk_json_put_array(json, "taxes");
        for (size_t rate = 0; rate < taking->rate_count; rate++) {
            if (part->taxes[rate] == 0)
                continue;
            souk_json_write_object(json);
            souk_json_put_text(json, "name", taking->rates[rate]);
            souk_money_put(json, "tax", -part->taxes[rate], taking->exponent);
            souk_json_write_end(json);
        }
        souk_json_write_end(json);
    }
    souk_json_write_end(json);
}

static void write_body(souk_json_writer *json, const void *of)
{
    const struct taking *taking = of;
    souk_json_write_object(json);
    souk_json_put_words(json, "kind", taking->voids ? "void" : "return");
    souk_json_put_time(json, "at", taking->receipt.at);
    souk_json_put_object(json, "of");
    souk_json_put_text(json, "store", taking->of.store);
    souk_json_put_text(json, "till", taking->of.till);
    souk_json_put_u64(json, "number", (uint64_t)taking->of.number);
    souk_json_write_end(json);
    souk_json_put_words(json, "currency", taking->currency);
    souk_json_put_array(json, "lines");
    for (size_t i = 0; i < taking->part_count; i++)
        write_part(json, taking, &taking->parts[i]);
    souk_json_write_end(json);
    souk_money_put(json, "total", -taking->total_minor, taking->exponent);
    checkout_write_tenders(json, &taking->tenders, taking->exponent);
    souk_json_write_end(json);
}

static souk_err plan_receipt(struct taking *taking, souk_plan *plan)
{
    souk_arena *arena = &taking->call->arena;
    taking->backs = souk_arena_get(arena, taking->part_count * sizeof *taking->backs + 1);
    if (arena->failed)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < taking->part_count; i++)
        taking->backs[i] = (souk_receipt_back){.line = taking->parts[i].line,
                                               .quantity = taking->parts[i].back,
                                               .sold = taking->parts[i].sold,
                                               .before = taking->parts[i].before};
    taking->receipt =
        (souk_receipt){.store = taking->store,
                       .till = taking->till,
                       .kind = taking->voids ? SOUK_RECEIPT_VOID : SOUK_RECEIPT_RETURN,
                       .at = plan->at,
                       .total_minor = -taking->total_minor,
                       .id = taking->id,
                       .of = taking->of,
                       .backs = taking->backs,
                       .back_count = taking->voids ? 0 : taking->part_count};
    memcpy(taking->receipt.currency, taking->currency, sizeof taking->currency);
    return checkout_plan_receipt(taking->call, plan, &taking->receipt, &taking->customer,
                                 write_body, taking);
}

static souk_err make_plan(struct taking *taking, souk_plan *plan)
{
    SOUK_TRY(read_request(taking));
    SOUK_TRY(find_sale(taking));
    SOUK_TRY(count_all(taking));
    SOUK_TRY(check_tenders(taking));
    if (taking->customer.kind.bytes)
        SOUK_TRY(checkout_find_customer(taking->call, &taking->customer, &taking->person));
    souk_entropy(&taking->id, sizeof taking->id);
    SOUK_TRY(plan_money(taking, plan));
    plan_goods(taking, plan);
    SOUK_TRY(plan_undo(taking, plan));
    return plan_receipt(taking, plan);
}

static souk_err tell(souk_plan *plan, souk_tx *tx, souk_json_writer *json)
{
    const struct taking *taking = plan->context;
    (void)tx;
    checkout_write_receipt(json, &taking->receipt);
    return SOUK_OK;
}

static void take_back(souk_call *call, bool voids)
{
    struct taking *taking = souk_arena_get(&call->arena, sizeof *taking);
    souk_plan *plan = souk_call_plan(call);
    if (!call->arena.failed)
        taking->parts = souk_arena_get(&call->arena, SOUK_BASKET_LINES * sizeof *taking->parts);
    if (call->arena.failed) {
        souk_call_fail(call, SOUK_ENOMEM);
        return;
    }
    taking->call = call;
    taking->voids = voids;
    taking->body.mem = call->arena.mem;
    plan->context = taking;
    souk_err err = make_plan(taking, plan);
    souk_json_doc_done(&taking->body);
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_run(call, call->owners, plan, 201, tell);
}

void checkout_return(souk_call *call)
{
    take_back(call, false);
}

void checkout_void(souk_call *call)
{
    take_back(call, true);
}
