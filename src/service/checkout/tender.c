/* tender.c - how a receipt is paid, or paid back; private to service/checkout/. */
#include "service/checkout/checkout_inside.h"

#include "base/currency.h"

#include <stdio.h>

static const char *const tender_words[] = {"cash", "card", "other", "balance", "tab", "points"};

/* ---- reading ------------------------------------------------------------------------------------------ */

/* The form's user while tenders are read. */
struct reading {
    checkout_tenders *tenders;
    checkout_tender *one;
};

static checkout_tender *one_of(souk_form *form)
{
    return ((struct reading *)form->user)->one;
}

static souk_err read_kind(souk_form *form, souk_json_node value)
{
    size_t word;
    SOUK_TRY(souk_form_word(form, value, tender_words, sizeof tender_words / sizeof *tender_words,
                            &word));
    one_of(form)->kind = (checkout_tender_kind)word;
    return SOUK_OK;
}

static souk_err read_amount(souk_form *form, souk_json_node value)
{
    return souk_form_decimal(form, value, 1, INT64_C(1000000000000000), &one_of(form)->amount);
}

static souk_err read_points(souk_form *form, souk_json_node value)
{
    return souk_form_i64(form, value, 1, INT64_C(1000000000000), &one_of(form)->points);
}

static souk_err read_reference(souk_form *form, souk_json_node value)
{
    return souk_form_plain(form, value, 1, SOUK_BASKET_TEXT_BYTES, &one_of(form)->reference);
}

static souk_err read_provider(souk_form *form, souk_json_node value)
{
    return souk_form_plain(form, value, 1, 64, &one_of(form)->provider);
}

static souk_err read_last4(souk_form *form, souk_json_node value)
{
    souk_text *last4 = &one_of(form)->last4;
    SOUK_TRY(souk_form_text(form, value, 4, 4, last4));
    for (size_t i = 0; i < 4; i++)
        if (last4->at[i] < '0' || last4->at[i] > '9')
            return souk_form_refuse(form, "the last four digits of the card are expected");
    return SOUK_OK;
}

static souk_err read_confirmed(souk_form *form, souk_json_node value)
{
    return souk_form_bool(form, value, &one_of(form)->confirmed);
}

static souk_err read_tender(souk_form *form, souk_json_node value, size_t index)
{
    static const souk_form_member members[] = {
        {"kind", read_kind},         {"amount", read_amount}, {"reference", read_reference},
        {"provider", read_provider}, {"last4", read_last4},   {"confirmed", read_confirmed},
        {"points", read_points}};
    struct reading *reading = form->user;
    uint64_t seen;
    reading->one = &reading->tenders->list[index];
    SOUK_TRY(souk_form_object(form, value, members, sizeof members / sizeof *members, &seen));
    bool is_points = reading->one->kind == CHECKOUT_POINTS;
    if (!(seen & 1) || !(seen & 2) != is_points || !(seen & 64) == is_points)
        return souk_form_refuse(form, "a tender has a kind and an amount; points have points in "
                                      "place of it");
    reading->tenders->count = index + 1;
    return SOUK_OK;
}

souk_err checkout_read_tenders(souk_form *form, souk_json_node value, checkout_tenders *tenders)
{
    struct reading reading = {.tenders = tenders};
    void *user = form->user;
    form->user = &reading;
    souk_err err = souk_form_array(form, value, CHECKOUT_TENDERS, read_tender);
    form->user = user;
    return err;
}

/* ---- amounts ------------------------------------------------------------------------------------------- */

souk_err checkout_minor(souk_call *call, souk_decimal amount, const char currency[4],
                        const char *what, int64_t *ret_minor)
{
    bool rounded = false;
    unsigned exponent = souk_currency_exponent(currency);
    souk_err err = souk_decimal_to_minor(amount, exponent, ret_minor, &rounded);
    if (err || rounded)
        return souk_diag_say(&call->diag, SOUK_EINVAL, "%s: %s has %u decimal places", what,
                             currency, exponent);
    return SOUK_OK;
}

souk_err checkout_tenders_total(souk_call *call, checkout_tenders *tenders, const char currency[4],
                                int64_t *ret_minor, int64_t *ret_cash_minor)
{
    int64_t all = 0, cash = 0; /* at most eight of 10^15 micro: far from the end */
    for (size_t i = 0; i < tenders->count; i++) {
        checkout_tender *tender = &tenders->list[i];
        char what[40];
        snprintf(what, sizeof what, "tenders[%zu].amount", i);
        if (tender->kind != CHECKOUT_POINTS) /* whose worth is told already */
            SOUK_TRY(checkout_minor(call, tender->amount, currency, what, &tender->minor));
        all += tender->minor;
        cash += tender->kind == CHECKOUT_CASH ? tender->minor : 0;
    }
    *ret_minor = all;
    *ret_cash_minor = cash;
    return SOUK_OK;
}

void checkout_write_tenders(souk_json_writer *json, const checkout_tenders *tenders,
                            unsigned exponent)
{
    souk_json_put_array(json, "tenders");
    for (size_t i = 0; i < tenders->count; i++) {
        const checkout_tender *tender = &tenders->list[i];
        souk_json_write_object(json);
        souk_json_put_words(json, "kind", tender_words[tender->kind]);
        souk_money_put(json, "amount", tender->minor, exponent);
        if (tender->points) {
            souk_json_write_key(json, SOUK_TEXT("points"));
            souk_json_write_i64(json, tender->points);
        }
        if (tender->provider.bytes)
            souk_json_put_text(json, "provider", tender->provider);
        if (tender->reference.bytes)
            souk_json_put_text(json, "reference", tender->reference);
        if (tender->last4.bytes)
            souk_json_put_text(json, "last4", tender->last4);
        souk_json_write_end(json);
    }
    souk_json_write_end(json);
}

/* ---- books ------------------------------------------------------------------------------------------------ */

static souk_book book_of(const checkout_deal *deal, unsigned kind, souk_text name)
{
    souk_book book = {.merchant = deal->call->caller.merchant,
                      .kind = kind,
                      .owner = checkout_owner(deal->call, deal->store, name)};
    memcpy(book.currency, deal->currency, sizeof book.currency);
    return book;
}

souk_book checkout_tax_book(const checkout_deal *deal, souk_text rate)
{
    return book_of(deal, SOUK_BOOK_TAX, rate);
}

souk_book checkout_sales_book(const checkout_deal *deal)
{
    return book_of(deal, SOUK_BOOK_SALES, SOUK_TEXT("sales"));
}

souk_err checkout_tender_book(const checkout_deal *deal, const checkout_tender *tender,
                              const souk_person *person, souk_book *ret_book)
{
    if (tender->kind != CHECKOUT_BALANCE && tender->kind != CHECKOUT_TAB) {
        *ret_book = book_of(deal, SOUK_BOOK_TENDER, souk_text_of(tender_words[tender->kind]));
        return SOUK_OK;
    }
    if (!person)
        return souk_diag_say(&deal->call->diag, SOUK_EINVAL, "customer is missing: whose account?");
    return checkout_find_account(deal->call, person,
                                 tender->kind == CHECKOUT_TAB ? SOUK_BOOK_TAB : SOUK_BOOK_BALANCE,
                                 deal->currency, ret_book);
}

souk_err checkout_charge(const checkout_deal *deal, souk_plan *plan, unsigned part, int64_t minor,
                         const souk_book *from, const souk_book *to, bool confirmed)
{
    if (minor == 0)
        return SOUK_OK;
    souk_charge *charge = souk_arena_get(plan->arena, sizeof *charge);
    if (plan->arena->failed)
        return SOUK_ENOMEM;
    souk_book sales = checkout_sales_book(deal);
    const souk_book *debit = from ? from : &sales, *credit = to ? to : &sales;
    *charge = (souk_charge){.transfer = {.id = {deal->id.low, deal->id.high + part + 1},
                                         .kind = SOUK_TRANSFER_POST,
                                         .amount_minor = minor,
                                         .reason = deal->id},
                            .debit = deal->back ? *credit : *debit,
                            .credit = deal->back ? *debit : *credit,
                            .day = deal->day,
                            .confirmed = confirmed};
    souk_plan_add(plan, SOUK_EFFECT_CHARGE, SOUK_TEXT(""), minor, charge);
    return SOUK_OK;
}

/* ---- receipts ------------------------------------------------------------------------------------------------ */

souk_err checkout_plan_receipt(souk_call *call, souk_plan *plan, souk_receipt *receipt,
                               const checkout_customer *customer,
                               void (*write)(souk_json_writer *json, const void *of),
                               const void *of)
{
    souk_auto_value(souk_buf)
        text = {.mem = call->arena.mem, .limit_bytes = SOUK_RECEIPT_BODY_MOST};
    souk_json_writer json = {.out = &text};
    char key[SOUK_RECEIPT_STORE_BYTES + SOUK_RECEIPT_TILL_BYTES + 2];
    write(&json, of);
    souk_err err = souk_json_write_check(&json);
    if (err == SOUK_ETOOBIG)
        return souk_diag_say(
            &call->diag, err,
            "the receipt would have more than %d bytes: part the lines between two",
            SOUK_RECEIPT_BODY_MOST);
    SOUK_TRY(err);
    souk_text body = souk_buf_view(&text);
    receipt->body = (souk_text){souk_arena_copy(&call->arena, body.at, body.bytes), body.bytes};
    if (call->arena.failed)
        return SOUK_ENOMEM;
    SOUK_TRY(checkout_seal_who(call, customer, receipt->id, &receipt->who));
    souk_receipt_prepare(receipt);
    snprintf(key, sizeof key, "%.*s/%.*s", SOUK_TEXT_PRINT(receipt->store),
             SOUK_TEXT_PRINT(receipt->till));
    souk_plan_add(plan, SOUK_EFFECT_RECEIPT, souk_text_of(key), receipt->total_minor, receipt);
    return SOUK_OK;
}

void checkout_put_hash(souk_json_writer *json, const char *key,
                       const unsigned char hash[SOUK_SHA256_BYTES])
{
    char hex[2 * SOUK_SHA256_BYTES];
    souk_hex(hash, SOUK_SHA256_BYTES, hex);
    souk_json_put_text(json, key, (souk_text){hex, sizeof hex});
}

void checkout_write_receipt(souk_json_writer *json, const souk_receipt *receipt)
{
    souk_json_write_object(json);
    souk_json_put_text(json, "store", receipt->store);
    souk_json_put_text(json, "till", receipt->till);
    souk_json_put_u64(json, "number", (uint64_t)receipt->number);
    checkout_put_hash(json, "hash", receipt->hash);
    souk_json_write_key(json, SOUK_TEXT("receipt"));
    souk_json_write_raw(json, receipt->body);
    souk_json_write_end(json);
}
