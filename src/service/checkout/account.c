/* account.c - shoppers' accounts: opened, topped up, looked at; and who a till's customer is. */
#include "service/checkout/checkout_inside.h"

#include "base/currency.h"
#include "base/pan.h"
#include "base/random.h"

static const char *const account_words[] = {"balance", "tab"};
static const unsigned account_kinds[] = {SOUK_BOOK_BALANCE, SOUK_BOOK_TAB};

/* ---- customers ------------------------------------------------------------------------------------------- */

static souk_err read_kind(souk_form *form, souk_json_node value)
{
    return souk_form_text(form, value, 1, 20, &((checkout_customer *)form->user)->kind);
}

static souk_err read_value(souk_form *form, souk_json_node value)
{
    return souk_form_text(form, value, 1, SOUK_ID_BYTES, &((checkout_customer *)form->user)->value);
}

souk_err checkout_read_customer(souk_form *form, souk_json_node value,
                                checkout_customer *ret_customer)
{
    static const souk_form_member members[] = {{"kind", read_kind}, {"value", read_value}};
    void *user = form->user;
    uint64_t seen;
    form->user = ret_customer;
    souk_err err = souk_form_object(form, value, members, 2, &seen);
    form->user = user;
    SOUK_TRY(err);
    if (seen != 3)
        return souk_form_refuse(form, "a customer has a kind and a value: "
                                      "{\"kind\":\"card\",\"value\":\"…\"}");
    if (souk_pan_is(ret_customer->value))
        return souk_form_refuse(form, "value: it reads as a payment card's number, and such a "
                                      "number names nobody here");
    return SOUK_OK;
}

souk_err checkout_read_account(souk_form *form, souk_json_node value, unsigned *ret_kind)
{
    size_t word;
    SOUK_TRY(souk_form_word(form, value, account_words, 2, &word));
    *ret_kind = account_kinds[word];
    return SOUK_OK;
}

const char *checkout_account_word(unsigned kind)
{
    return account_words[kind == SOUK_BOOK_TAB];
}

souk_err checkout_read_currency(souk_form *form, souk_json_node value, char ret_currency[4])
{
    souk_text text;
    SOUK_TRY(souk_form_text(form, value, 3, 3, &text));
    if (souk_currency_read(text, ret_currency))
        return souk_form_refuse(form, "no code of ISO 4217: send one, such as EUR");
    return SOUK_OK;
}

souk_err checkout_find_customer(souk_call *call, const checkout_customer *customer,
                                souk_person **ret_person)
{
    souk_err err = souk_call_person(call, customer->kind, customer->value, ret_person);
    if (err) {
        souk_diag words = call->diag;
        call->diag = (souk_diag){0};
        return souk_diag_say(&call->diag, err, "customer: %s", souk_diag_words(&words, err));
    }
    return SOUK_OK;
}

struct finding {
    const souk_person *person;
    souk_book book;
    bool found;
};

/* An account stays with the history that opened it, whoever she is merged with since. */
static souk_err find_account(souk_tx *tx, void *context)
{
    struct finding *finding = context;
    int64_t account;
    finding->found = false;
    for (uint32_t i = 0; i < finding->person->atom_count && !finding->found; i++) {
        finding->book.owner = finding->person->atoms[i];
        souk_err err = souk_books_find(tx, &finding->book, &account);
        if (err && err != SOUK_ENOENT)
            return err;
        finding->found = !err;
    }
    return SOUK_OK;
}

souk_err checkout_find_account(souk_call *call, const souk_person *person, unsigned kind,
                               const char currency[4], souk_book *ret_book)
{
    struct finding finding = {.person = person,
                              .book = {.merchant = call->caller.merchant, .kind = kind}};
    memcpy(finding.book.currency, currency, 4);
    SOUK_TRY(souk_ledger_read(souk_spine_ledger(call->spine), find_account, &finding));
    if (!finding.found)
        return souk_diag_say(&call->diag, SOUK_ENOENT,
                             "the customer has no %s in %s: open one with POST /v1/accounts",
                             kind == SOUK_BOOK_TAB ? "tab" : "balance", currency);
    *ret_book = finding.book;
    return SOUK_OK;
}

uint64_t checkout_owner(const souk_call *call, souk_text store, souk_text name)
{
    souk_text parts[] = {SOUK_TEXT("account"), store, name};
    return souk_hash128_of(&souk_spine_hashes(call->spine)->messages, parts, 3).low;
}

souk_err checkout_read_body(souk_call *call, souk_json_doc *doc)
{
    return souk_json_read(doc, call->body, NULL, &call->diag);
}

/* ---- requests ---------------------------------------------------------------------------------------------- */

struct request {
    souk_call *call;
    checkout_customer customer;
    souk_person *person;
    size_t kind;
    souk_text reference;
    char currency[4];
    souk_decimal amount, limits[4]; /* below, set, day, confirm */
    int64_t minor;
    souk_book book;
    int64_t account; /* told */
    souk_book_state state;
};

static struct request *request_of(souk_form *form)
{
    return form->user;
}
static souk_err read_customer(souk_form *form, souk_json_node value)
{
    return checkout_read_customer(form, value, &request_of(form)->customer);
}
static souk_err read_account(souk_form *form, souk_json_node value)
{
    return souk_form_word(form, value, account_words, 2, &request_of(form)->kind);
}
static souk_err read_currency(souk_form *form, souk_json_node value)
{
    return checkout_read_currency(form, value, request_of(form)->currency);
}
static souk_err read_amount(souk_form *form, souk_json_node value)
{
    return souk_form_decimal(form, value, 1, INT64_C(1000000000000000), &request_of(form)->amount);
}
static souk_err read_reference(souk_form *form, souk_json_node value)
{
    return souk_form_plain(form, value, 1, SOUK_BASKET_TEXT_BYTES, &request_of(form)->reference);
}
#define LIMIT(name, index)                                                  \
    static souk_err name(souk_form *form, souk_json_node value)             \
    {                                                                       \
        return souk_form_decimal(form, value, 0, INT64_C(1000000000000000), \
                                 &request_of(form)->limits[index]);         \
    }
LIMIT(read_below, 0)
LIMIT(read_set, 1)
LIMIT(read_day, 2)
LIMIT(read_confirm, 3)

static souk_err read_request(struct request *request, const souk_form_member *members, size_t count,
                             uint64_t needed)
{
    souk_call *call = request->call;
    souk_auto_value(souk_json_doc) doc = {.mem = call->arena.mem};
    souk_form form = {.doc = &doc,
                      .arena = &call->arena,
                      .diag = &call->diag,
                      .user = request,
                      .help = "docs/checkout.md"};
    uint64_t seen;
    SOUK_TRY(checkout_read_body(call, &doc));
    SOUK_TRY(souk_form_object(&form, souk_json_root(&doc), members, count, &seen));
    if ((seen & needed) != needed)
        return souk_form_refuse(&form, "customer, account and currency must be told, and an amount "
                                       "where money moves");
    return checkout_find_customer(call, &request->customer, &request->person);
}

static void write_state(souk_json_writer *json, const struct request *request)
{
    unsigned exponent = souk_currency_exponent(request->currency);
    souk_json_write_object(json);
    souk_json_put_words(json, "account", account_words[request->kind]);
    souk_json_put_words(json, "currency", request->currency);
    souk_money_put(json, "balance", request->state.balance, exponent);
    souk_money_put(json, "held", request->state.pending_out, exponent);
    souk_money_put(json, "available", request->state.available, exponent);
    souk_json_write_end(json);
}

/* ---- opening -------------------------------------------------------------------------------------------------- */

static souk_err open_in(souk_tx *tx, void *context)
{
    struct request *request = context;
    souk_diag *diag = &request->call->diag;
    *diag = (souk_diag){0};
    SOUK_TRY(souk_books_open(tx, &request->book,
                             souk_clock_now_ms(souk_spine_clock(request->call->spine)),
                             &request->account, diag));
    SOUK_TRY(souk_books_limit(tx, request->account, &request->book.limits, diag));
    return souk_books_state(tx, request->account, &request->state, diag);
}

static souk_err take_limits(struct request *request)
{
    souk_book_limits *limits = &request->book.limits;
    SOUK_TRY(checkout_minor(request->call, request->limits[0], request->currency, "credit_line",
                            &limits->below_minor));
    SOUK_TRY(checkout_minor(request->call, request->limits[1], request->currency, "limit_basket",
                            &limits->set_minor));
    SOUK_TRY(checkout_minor(request->call, request->limits[2], request->currency, "limit_day",
                            &limits->day_minor));
    SOUK_TRY(checkout_minor(request->call, request->limits[3], request->currency, "confirm_above",
                            &limits->confirm_minor));
    if (limits->below_minor && account_kinds[request->kind] != SOUK_BOOK_TAB)
        return souk_diag_say(&request->call->diag, SOUK_EINVAL,
                             "credit_line: a balance holds what was paid in; open a tab");
    return SOUK_OK;
}

static souk_err open_account(struct request *request)
{
    static const souk_form_member members[] = {
        {"customer", read_customer},    {"account", read_account},  {"currency", read_currency},
        {"credit_line", read_below},    {"limit_basket", read_set}, {"limit_day", read_day},
        {"confirm_above", read_confirm}};
    SOUK_TRY(read_request(request, members, sizeof members / sizeof *members, 7));
    request->book = (souk_book){.merchant = request->call->caller.merchant,
                                .kind = account_kinds[request->kind],
                                .owner = request->person->atoms[0]};
    memcpy(request->book.currency, request->currency, sizeof request->currency);
    SOUK_TRY(take_limits(request));
    souk_book there;
    souk_diag none = request->call->diag;
    if (!checkout_find_account(request->call, request->person, request->book.kind,
                               request->currency, &there))
        request->book.owner = there.owner; /* hers already, under another of her histories */
    request->call->diag = none;
    return souk_ledger_write(souk_spine_ledger(request->call->spine), SOUK_LANE_TILL, open_in,
                             request);
}

static void finish(struct request *request, souk_err err, int status)
{
    souk_call *call = request->call;
    if (err) {
        souk_call_fail(call, err);
        return;
    }
    write_state(souk_call_json(call), request);
    souk_call_answer(call, status);
}

static struct request *begin(souk_call *call)
{
    struct request *request = souk_arena_get(&call->arena, sizeof *request);
    if (call->arena.failed) {
        souk_call_fail(call, SOUK_ENOMEM);
        return NULL;
    }
    request->call = call;
    return request;
}

void checkout_open_account(souk_call *call)
{
    struct request *request = begin(call);
    if (request)
        finish(request, open_account(request), 200);
}

/* ---- top-up ------------------------------------------------------------------------------------------------------ */

static souk_err look_in(souk_tx *tx, void *context)
{
    struct request *request = context;
    SOUK_TRY(souk_books_find(tx, &request->book, &request->account));
    return souk_books_state(tx, request->account, &request->state, &request->call->diag);
}

/* As it is with what was paid in. */
static souk_err tell_top_up(souk_plan *plan, souk_tx *tx, souk_json_writer *json)
{
    SOUK_TRY(look_in(tx, plan->context));
    write_state(json, plan->context);
    return SOUK_OK;
}

static souk_err plan_top_up(struct request *request, souk_plan *plan)
{
    static const souk_form_member members[] = {{"customer", read_customer},
                                               {"account", read_account},
                                               {"currency", read_currency},
                                               {"amount", read_amount},
                                               {"reference", read_reference}};
    SOUK_TRY(read_request(request, members, sizeof members / sizeof *members, 15));
    SOUK_TRY(checkout_minor(request->call, request->amount, request->currency, "amount",
                            &request->minor));
    SOUK_TRY(checkout_find_account(request->call, request->person, account_kinds[request->kind],
                                   request->currency, &request->book));
    souk_charge *charge = souk_arena_get(&request->call->arena, sizeof *charge);
    if (request->call->arena.failed)
        return SOUK_ENOMEM;
    *charge = (souk_charge){
        .transfer = {.kind = SOUK_TRANSFER_POST, .amount_minor = request->minor},
        .debit = {.merchant = request->book.merchant,
                  .kind = SOUK_BOOK_TENDER,
                  .owner = checkout_owner(request->call, SOUK_TEXT(""), SOUK_TEXT("paid in"))},
        .credit = request->book};
    memcpy(charge->debit.currency, request->currency, sizeof request->currency);
    souk_entropy(&charge->transfer.id, sizeof charge->transfer.id);
    souk_plan_add(plan, SOUK_EFFECT_CHARGE, SOUK_TEXT(""), request->minor, charge);
    return SOUK_OK;
}

void checkout_top_up(souk_call *call)
{
    struct request *request = begin(call);
    souk_plan *plan = request ? souk_call_plan(call) : NULL;
    if (!request)
        return;
    souk_err err = plan ? plan_top_up(request, plan) : SOUK_ENOMEM;
    if (err) {
        souk_call_fail(call, err);
        return;
    }
    plan->context = request;
    souk_call_run(call, call->owners, plan, 201, tell_top_up);
}

/* ---- looking -------------------------------------------------------------------------------------------------------- */

souk_err checkout_account_of_path(souk_call *call, souk_book *ret_book)
{
    checkout_customer customer = {.kind = call->parts[0]};
    souk_text currency = SOUK_TEXT(""), account = SOUK_TEXT("balance");
    char code[4] = "";
    SOUK_TRY(souk_call_part(call, 1, &customer.value));
    (void)souk_call_query(call, SOUK_TEXT("account"), &account);
    bool tab = souk_text_equal(account, SOUK_TEXT("tab"));
    if (!tab && !souk_text_equal(account, SOUK_TEXT("balance")))
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "query field 'account': balance or tab is expected");
    if (!souk_call_query(call, SOUK_TEXT("currency"), &currency) ||
        souk_currency_read(currency, code))
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "query field 'currency': a code of ISO 4217 is expected");
    souk_person *person;
    SOUK_TRY(checkout_find_customer(call, &customer, &person));
    return checkout_find_account(call, person, account_kinds[tab], code, ret_book);
}

static souk_err look(struct request *request)
{
    SOUK_TRY(checkout_account_of_path(request->call, &request->book));
    request->kind = request->book.kind == SOUK_BOOK_TAB;
    memcpy(request->currency, request->book.currency, sizeof request->currency);
    return souk_ledger_read(souk_spine_ledger(request->call->spine), look_in, request);
}

void checkout_account(souk_call *call)
{
    struct request *request = begin(call);
    if (request)
        finish(request, look(request), 200);
}
