/* payment.c - a shopper's account charged by itself: for a pump, a parking gate, a till of another maker.
 *
 *     POST /v1/payments                    hold, or post at once
 *     POST /v1/payments/{id}/capture       part of it, and the rest is free again
 *     POST /v1/payments/{id}/void
 *     POST /v1/payments/{id}/refund
 *     GET  /v1/payments/{id}
 *
 * Each is one effect of a plan.  What a payment had become when it was asked for is looked at only for the words of a
 * refusal; whether it may be captured, voided or refunded is decided by the books (books.h), where one of many wins. */
#include "service/checkout/checkout_inside.h"

#include "service/checkout/payment_book.h"

#include "base/currency.h"
#include "base/pan.h"
#include "base/random.h"

enum { HOLD_S = 900, HOLD_S_MOST = 30 * 86400 };
#define AMOUNT_MOST_MICRO INT64_C(1000000000000000)

struct paying {
    souk_call *call;
    checkout_customer customer;
    souk_decimal amount;
    int64_t hold_s;
    bool capture, confirmed;
    const char *verb;     /* of a step */
    souk_hash128 step;    /* its transfer */
    souk_payment payment; /* as it is asked for, then as it is */
};

/* ---- names ---------------------------------------------------------------------------------------------- */

static const souk_hash_key *key_of(const souk_call *call)
{
    return &souk_spine_hashes(call->spine)->messages;
}

static bool is_name(souk_text name)
{
    bool good = name.bytes > 0 && name.bytes <= SOUK_PAYMENT_NAME_BYTES;
    for (size_t i = 0; i < name.bytes && good; i++)
        good = name.at[i] > ' ' && name.at[i] < 127;
    return good && !souk_pan_find(name).at;
}

static souk_err refuse_name(souk_call *call)
{
    return souk_diag_say(&call->diag, SOUK_EINVAL,
                         "id: 1 to %d visible ASCII characters are expected, and never a payment "
                         "card's number: send a UUID",
                         SOUK_PAYMENT_NAME_BYTES);
}

/* A random one over the control socket, where no key need come. */
static souk_text key_told(souk_call *call)
{
    souk_text key = souk_call_header(call, SOUK_TEXT("idempotency-key"));
    if (key.bytes)
        return key;
    unsigned char random[16];
    char *hex = souk_arena_get(&call->arena, 2 * sizeof random);
    souk_entropy(random, sizeof random);
    souk_hex(random, sizeof random, hex);
    return (souk_text){hex, 2 * sizeof random};
}

/* ---- answers -------------------------------------------------------------------------------------------- */

static const char *step_word(enum souk_transfer_kind kind)
{
    switch (kind) {
    case SOUK_TRANSFER_HOLD:
        return souk_payment_word(SOUK_PAYMENT_AUTHORISED);
    case SOUK_TRANSFER_VOID:
        return souk_payment_word(SOUK_PAYMENT_VOIDED);
    case SOUK_TRANSFER_EXPIRE:
        return souk_payment_word(SOUK_PAYMENT_EXPIRED);
    case SOUK_TRANSFER_REFUND:
        return souk_payment_word(SOUK_PAYMENT_REFUNDED);
    default:
        return souk_payment_word(SOUK_PAYMENT_CAPTURED);
    }
}

static void write_payment(souk_json_writer *json, const souk_payment *payment)
{
    unsigned exponent = souk_currency_exponent(payment->currency);
    souk_json_write_object(json);
    souk_json_put_text(json, "id", payment->name);
    souk_json_put_words(json, "state", souk_payment_word(payment->state));
    souk_json_put_words(json, "account", checkout_account_word(payment->kind));
    souk_json_put_words(json, "currency", payment->currency);
    souk_money_put(json, "amount", payment->amount_minor, exponent);
    souk_money_put(json, "captured", payment->captured_minor, exponent);
    souk_money_put(json, "refunded", payment->refunded_minor, exponent);
    if (payment->store.bytes)
        souk_json_put_text(json, "store", payment->store);
    if (payment->reference.bytes)
        souk_json_put_text(json, "reference", payment->reference);
    souk_json_put_time(json, "at", payment->at);
    if (payment->due)
        souk_json_put_time(json, "expires", payment->due);
    souk_json_put_array(json, "history");
    for (size_t i = 0; i < payment->step_count; i++) {
        souk_json_write_object(json);
        souk_json_put_words(json, "kind", step_word(payment->steps[i].kind));
        souk_money_put(json, "amount", payment->steps[i].amount_minor, exponent);
        souk_json_put_time(json, "at", payment->steps[i].at);
        souk_json_write_end(json);
    }
    souk_json_write_end(json);
    souk_json_write_end(json);
}

static souk_err tell_payment(struct paying *paying, souk_plan *plan, souk_tx *tx,
                             souk_json_writer *json)
{
    souk_payment told;
    SOUK_TRY(souk_payment_read(tx, paying->payment.id, plan->at, plan->arena, &told));
    write_payment(json, &told);
    return SOUK_OK;
}

static souk_err keep_and_tell(souk_plan *plan, souk_tx *tx, souk_json_writer *json)
{
    struct paying *paying = plan->context;
    SOUK_TRY(souk_payment_keep(tx, &paying->payment, &plan->diag));
    return tell_payment(paying, plan, tx, json);
}

static souk_err keep_step_and_tell(souk_plan *plan, souk_tx *tx, souk_json_writer *json)
{
    struct paying *paying = plan->context;
    SOUK_TRY(souk_payment_keep_step(tx, paying->payment.id, paying->step, &plan->diag));
    return tell_payment(paying, plan, tx, json);
}

/* ---- the request ---------------------------------------------------------------------------------------- */

static struct paying *paying_of(souk_form *form)
{
    return form->user;
}
static souk_err read_customer(souk_form *form, souk_json_node value)
{
    return checkout_read_customer(form, value, &paying_of(form)->customer);
}
static souk_err read_account(souk_form *form, souk_json_node value)
{
    return checkout_read_account(form, value, &paying_of(form)->payment.kind);
}
static souk_err read_currency(souk_form *form, souk_json_node value)
{
    return checkout_read_currency(form, value, paying_of(form)->payment.currency);
}
static souk_err read_amount(souk_form *form, souk_json_node value)
{
    return souk_form_decimal(form, value, 1, AMOUNT_MOST_MICRO, &paying_of(form)->amount);
}
static souk_err read_capture(souk_form *form, souk_json_node value)
{
    return souk_form_bool(form, value, &paying_of(form)->capture);
}
static souk_err read_store(souk_form *form, souk_json_node value)
{
    return souk_form_plain(form, value, 1, SOUK_RECEIPT_STORE_BYTES,
                           &paying_of(form)->payment.store);
}
static souk_err read_reference(souk_form *form, souk_json_node value)
{
    return souk_form_plain(form, value, 1, SOUK_BASKET_TEXT_BYTES,
                           &paying_of(form)->payment.reference);
}
static souk_err read_hold(souk_form *form, souk_json_node value)
{
    return souk_form_i64(form, value, 1, HOLD_S_MOST, &paying_of(form)->hold_s);
}
static souk_err read_id(souk_form *form, souk_json_node value)
{
    return souk_form_text(form, value, 1, SOUK_PAYMENT_NAME_BYTES, &paying_of(form)->payment.name);
}
static souk_err read_confirmed(souk_form *form, souk_json_node value)
{
    return souk_form_bool(form, value, &paying_of(form)->confirmed);
}

static souk_err read_form(struct paying *paying, const souk_form_member *members, size_t count,
                          uint64_t needed, const char *words)
{
    souk_call *call = paying->call;
    souk_auto_value(souk_json_doc) doc = {.mem = call->arena.mem};
    souk_form form = {.doc = &doc,
                      .arena = &call->arena,
                      .diag = &call->diag,
                      .user = paying,
                      .help = "docs/checkout.md"};
    uint64_t seen;
    SOUK_TRY(checkout_read_body(call, &doc));
    SOUK_TRY(souk_form_object(&form, souk_json_root(&doc), members, count, &seen));
    return (seen & needed) == needed ? SOUK_OK : souk_form_refuse(&form, "%s", words);
}

static souk_err read_request(struct paying *paying)
{
    static const souk_form_member members[] = {
        {"customer", read_customer},   {"account", read_account}, {"currency", read_currency},
        {"amount", read_amount},       {"capture", read_capture}, {"store", read_store},
        {"reference", read_reference}, {"hold_s", read_hold},     {"id", read_id},
        {"confirmed", read_confirmed}};
    souk_call *call = paying->call;
    souk_payment *payment = &paying->payment;
    payment->store = payment->reference = SOUK_TEXT("");
    SOUK_TRY(read_form(paying, members, sizeof members / sizeof *members, 31,
                       "customer, account, currency, amount and capture must be told: with "
                       "capture true the money moves at once, with false it is held"));
    if (paying->capture && paying->hold_s)
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "hold_s: what is captured at once is not held: leave it out");
    if (payment->name.bytes == 0)
        payment->name = key_told(call);
    if (!is_name(payment->name))
        return refuse_name(call);
    payment->merchant = call->caller.merchant;
    payment->id = souk_payment_id(key_of(call), payment->merchant, payment->name);
    return SOUK_OK;
}

/* The day that the limits of a day go by: that of the store. */
static int32_t day_of(souk_call *call, souk_text code, souk_time at)
{
    souk_checkout *checkout = call->state;
    const souk_front *front = souk_front_hold(checkout->rooms.fronts, call->caller.merchant);
    const souk_front_store *store = front ? souk_front_store_of(front, code) : NULL;
    int64_t day = souk_time_day(souk_zone_local(store ? store->zone : NULL, at));
    souk_front_drop(front);
    return (int32_t)day;
}

static souk_err plan_payment(struct paying *paying, souk_plan *plan)
{
    souk_call *call = paying->call;
    souk_payment *payment = &paying->payment;
    souk_charge *charge = souk_arena_get(&call->arena, sizeof *charge);
    souk_person *person;
    int64_t minor;
    if (call->arena.failed)
        return SOUK_ENOMEM;
    SOUK_TRY(read_request(paying));
    SOUK_TRY(checkout_minor(call, paying->amount, payment->currency, "amount", &minor));
    SOUK_TRY(checkout_find_customer(call, &paying->customer, &person));
    checkout_deal deal = {.call = call, .store = payment->store, .currency = payment->currency};
    *charge = (souk_charge){
        .transfer = {.id = payment->id,
                     .kind = paying->capture ? SOUK_TRANSFER_POST : SOUK_TRANSFER_HOLD,
                     .amount_minor = minor},
        .credit = checkout_sales_book(&deal),
        .day = day_of(call, payment->store, plan->at),
        .confirmed = paying->confirmed};
    if (!paying->capture)
        charge->transfer.due =
            plan->at + 1000 * (paying->hold_s ? paying->hold_s : (int64_t)HOLD_S);
    SOUK_TRY(checkout_find_account(call, person, payment->kind, payment->currency, &charge->debit));
    souk_plan_add(plan, SOUK_EFFECT_CHARGE, SOUK_TEXT(""), minor, charge);
    return SOUK_OK;
}

static struct paying *begin(souk_call *call, souk_plan **ret_plan)
{
    struct paying *paying = souk_arena_get(&call->arena, sizeof *paying);
    souk_plan *plan = souk_call_plan(call);
    if (call->arena.failed) {
        souk_call_fail(call, SOUK_ENOMEM);
        return NULL;
    }
    *paying = (struct paying){.call = call};
    plan->context = paying;
    *ret_plan = plan;
    return paying;
}

void checkout_pay(souk_call *call)
{
    souk_plan *plan;
    struct paying *paying = begin(call, &plan);
    if (!paying)
        return;
    souk_err err = plan_payment(paying, plan);
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_run(call, call->owners, plan, 201, keep_and_tell);
}

/* ---- a payment by its id ---------------------------------------------------------------------------------- */

struct finding {
    struct paying *paying;
    souk_time now;
};

static souk_err find_in(souk_tx *tx, void *context)
{
    struct finding *finding = context;
    struct paying *paying = finding->paying;
    return souk_payment_read(tx, paying->payment.id, finding->now, &paying->call->arena,
                             &paying->payment);
}

static souk_err find_payment(struct paying *paying, souk_time now)
{
    souk_call *call = paying->call;
    souk_text name;
    SOUK_TRY(souk_call_part(call, 0, &name));
    if (!is_name(name))
        return refuse_name(call);
    paying->payment.id = souk_payment_id(key_of(call), call->caller.merchant, name);
    struct finding finding = {paying, now};
    souk_err err = souk_ledger_read(souk_spine_ledger(call->spine), find_in, &finding);
    if (err == SOUK_ENOENT)
        return souk_diag_say(&call->diag, err, "there is no payment '%.*s'", SOUK_TEXT_PRINT(name));
    return err;
}

void checkout_payment(souk_call *call)
{
    struct paying *paying = souk_arena_get(&call->arena, sizeof *paying);
    souk_err err = SOUK_ENOMEM;
    if (!call->arena.failed) {
        *paying = (struct paying){.call = call};
        err = find_payment(paying, souk_clock_now_ms(souk_spine_clock(call->spine)));
    }
    if (err) {
        souk_call_fail(call, err);
        return;
    }
    write_payment(souk_call_json(call), &paying->payment);
    souk_call_answer(call, 200);
}

/* ---- steps ------------------------------------------------------------------------------------------------ */

static souk_err read_step(struct paying *paying)
{
    static const souk_form_member members[] = {{"amount", read_amount}};
    bool voids = !strcmp(paying->verb, "void");
    if (souk_text_trim(paying->call->body).bytes == 0)
        return SOUK_OK;
    return read_form(paying, members, !voids, 0, "");
}

static souk_err say(const struct paying *paying, const char *words, int64_t minor)
{
    char text[SOUK_MONEY_BYTES];
    const souk_payment *payment = &paying->payment;
    (void)souk_money_write(minor, souk_currency_exponent(payment->currency), text);
    return souk_diag_say(&paying->call->diag, SOUK_ECONFLICT, "payment '%.*s': %s %s %s",
                         SOUK_TEXT_PRINT(payment->name), text, payment->currency, words);
}

/* None of these states ends: what is refused here the books would refuse, with fewer words. */
static souk_err check_held(const struct paying *paying, int64_t minor)
{
    const souk_payment *payment = &paying->payment;
    switch (payment->state) {
    case SOUK_PAYMENT_CAPTURED:
    case SOUK_PAYMENT_REFUNDED:
        return say(paying, "of it was already captured: refund it, or make a new payment",
                   payment->captured_minor);
    case SOUK_PAYMENT_VOIDED:
        return say(paying, "was voided, and nothing is held: make a new payment",
                   payment->amount_minor);
    case SOUK_PAYMENT_EXPIRED:
        return say(paying, "was held until its hold was over: make a new payment",
                   payment->amount_minor);
    default:
        break;
    }
    if (minor > payment->amount_minor)
        return say(paying, "is held: capture that or less, and pay the rest in another way",
                   payment->amount_minor);
    return SOUK_OK;
}

static souk_err check_captured(const struct paying *paying, int64_t minor)
{
    const souk_payment *payment = &paying->payment;
    int64_t left = payment->captured_minor - payment->refunded_minor;
    if (payment->captured_minor == 0)
        return say(paying,
                   payment->state == SOUK_PAYMENT_AUTHORISED
                       ? "is only held, and nothing was captured: void it"
                       : "is free again, and nothing was captured to refund",
                   payment->amount_minor);
    if (left == 0 || minor > left)
        return say(paying, "is left to refund: ask for that or less", left);
    return SOUK_OK;
}

/* Of how much, and whether it may be; a step that was made before is told again. */
static souk_err weigh_step(struct paying *paying, souk_transfer *transfer)
{
    const souk_payment *payment = &paying->payment;
    const souk_payment_step *made = souk_payment_find_step(payment, paying->step);
    bool told = paying->amount.micro != 0, refunds = transfer->kind == SOUK_TRANSFER_REFUND;
    int64_t minor =
        refunds ? payment->captured_minor - payment->refunded_minor : payment->amount_minor;
    if (made)
        minor = made->amount_minor;
    if (told)
        SOUK_TRY(checkout_minor(paying->call, paying->amount, payment->currency, "amount", &minor));
    if (!made)
        SOUK_TRY(refunds ? check_captured(paying, minor) : check_held(paying, minor));
    transfer->of = refunds ? payment->captured : payment->id;
    transfer->amount_minor = transfer->kind == SOUK_TRANSFER_VOID ? 0 : minor;
    return SOUK_OK;
}

static souk_err plan_step(struct paying *paying, souk_plan *plan, enum souk_transfer_kind kind)
{
    souk_call *call = paying->call;
    souk_charge *charge = souk_arena_get(&call->arena, sizeof *charge);
    if (call->arena.failed)
        return SOUK_ENOMEM;
    SOUK_TRY(read_step(paying));
    SOUK_TRY(find_payment(paying, plan->at));
    paying->step = souk_payment_step_id(key_of(call), paying->payment.id,
                                        souk_text_of(paying->verb), key_told(call));
    *charge = (souk_charge){.transfer = {.id = paying->step, .kind = kind}};
    SOUK_TRY(weigh_step(paying, &charge->transfer));
    souk_plan_add(plan, SOUK_EFFECT_CHARGE, SOUK_TEXT(""), charge->transfer.amount_minor, charge);
    return SOUK_OK;
}

static void take_step(souk_call *call, const char *verb, enum souk_transfer_kind kind)
{
    souk_plan *plan;
    struct paying *paying = begin(call, &plan);
    if (!paying)
        return;
    paying->verb = verb;
    souk_err err = plan_step(paying, plan, kind);
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_run(call, call->owners, plan, 200, keep_step_and_tell);
}

void checkout_capture(souk_call *call)
{
    take_step(call, "capture", SOUK_TRANSFER_CAPTURE);
}

void checkout_void_payment(souk_call *call)
{
    take_step(call, "void", SOUK_TRANSFER_VOID);
}

void checkout_refund(souk_call *call)
{
    take_step(call, "refund", SOUK_TRANSFER_REFUND);
}
