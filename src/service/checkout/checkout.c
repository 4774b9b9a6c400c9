/* checkout.c - the checkout's life and its table of routes: see checkout.h. */
#include "service/checkout/checkout_inside.h"

#include "core/document.h"
#include "service/checkout/parked.h"
#include "service/checkout/payment_book.h"

enum { BEAT_MS = 50, BEATS = 10 /* to a refresh */, ROLL_LAG_MS = 3000 };

/* ---- desks ------------------------------------------------------------------------------------------- */

souk_err checkout_take_desk(souk_checkout *checkout, souk_basket_desk **ret_desk)
{
    {
        souk_auto_lock(&checkout->lock);
        if (checkout->desk_count) {
            *ret_desk = checkout->desks[--checkout->desk_count];
            return SOUK_OK;
        }
    }
    return souk_basket_desk_new(checkout->mem, ret_desk);
}

void checkout_put_desk(souk_checkout *checkout, souk_basket_desk *desk)
{
    if (!desk)
        return;
    {
        souk_auto_lock(&checkout->lock);
        if (checkout->desk_count < CHECKOUT_DESKS) {
            checkout->desks[checkout->desk_count++] = desk;
            return;
        }
    }
    souk_basket_desk_free(desk);
}

/* ---- the keeper -------------------------------------------------------------------------------------- */

static uint64_t now_ms(souk_checkout *checkout)
{
    return (uint64_t)souk_clock_monotonic_ns(souk_spine_clock(checkout->spine)) / 1000000u + 1;
}

/* One at a time: the keeper, or whoever told something. */
souk_err checkout_refresh(souk_checkout *checkout)
{
    souk_auto_lock(&checkout->refreshing);
    SOUK_TRY(souk_shelf_refresh(checkout->rooms.shelf, now_ms(checkout)));
    return souk_fronts_refresh(checkout->rooms.fronts);
}

struct chunk {
    souk_books_when when;
    int64_t lag_ms;
    size_t count;
    souk_diag diag;
};

static souk_err expire(souk_tx *tx, void *context)
{
    struct chunk *chunk = context;
    return souk_books_expire(tx, &chunk->when, &chunk->count, &chunk->diag);
}

static souk_err roll(souk_tx *tx, void *context)
{
    struct chunk *chunk = context;
    return souk_books_roll(tx, chunk->when.at, chunk->lag_ms, &chunk->count, &chunk->diag);
}

static souk_err sweep(souk_tx *tx, void *context)
{
    struct chunk *chunk = context;
    return souk_parked_sweep(tx, chunk->when.at, &chunk->count);
}

/* Chunks until there is nothing left; an error waits for the next beat. */
static void run_chunks(souk_checkout *checkout, souk_tx_closure *step)
{
    struct chunk chunk = {.lag_ms = ROLL_LAG_MS};
    souk_err err;
    do {
        chunk.when.at = souk_clock_now_ms(souk_spine_clock(checkout->spine));
        chunk.count = 0;
        chunk.diag = (souk_diag){0};
        err = souk_ledger_write(checkout->ledger, SOUK_LANE_JOB, step, &chunk);
    } while (!err && chunk.count && !__atomic_load_n(&checkout->stopping, __ATOMIC_RELAXED));
}

static bool wait_for_beat(souk_checkout *checkout)
{
    souk_auto_lock(&checkout->lock);
    int64_t until = souk_clock_monotonic_ns(souk_clock_real()) + (int64_t)BEAT_MS * 1000000;
    while (!checkout->stopping && souk_cond_wait_until(&checkout->wake, &checkout->lock, until))
        ;
    return !checkout->stopping;
}

/* What failed is tried again at a later beat. */
static void keep(void *context)
{
    souk_checkout *checkout = context;
    for (unsigned beat = 0; wait_for_beat(checkout); beat++) {
        bool more = true;
        while (more && !__atomic_load_n(&checkout->stopping, __ATOMIC_RELAXED) &&
               checkout_tell(checkout->teller, &more) == SOUK_OK)
            ;
        if (beat % BEATS)
            continue;
        souk_err err = checkout_refresh(checkout);
        (void)err;
        run_chunks(checkout, expire);
        run_chunks(checkout, roll);
        run_chunks(checkout, sweep);
    }
}

/* ---- life --------------------------------------------------------------------------------------------- */

static void close_checkout(void *state)
{
    souk_checkout *checkout = state;
    if (!checkout)
        return;
    {
        souk_auto_lock(&checkout->lock);
        checkout->stopping = true;
        souk_cond_broadcast(&checkout->wake);
    }
    souk_thread_join(&checkout->keeper);
    checkout_teller_free(checkout->teller);
    while (checkout->desk_count)
        souk_basket_desk_free(checkout->desks[--checkout->desk_count]);
    souk_fronts_free(checkout->rooms.fronts);
    souk_shelf_free(checkout->rooms.shelf);
    souk_names_free(checkout->rooms.names);
    souk_cond_done(&checkout->wake);
    souk_mutex_done(&checkout->refreshing);
    souk_mutex_done(&checkout->lock);
    souk_mem_put(checkout->mem, checkout);
}

static souk_err fill(souk_checkout *checkout)
{
    const souk_hash_key *key = &souk_spine_hashes(checkout->spine)->messages;
    souk_basket_rooms *rooms = &checkout->rooms;
    SOUK_TRY(souk_documents_migrate(checkout->ledger, NULL));
    SOUK_TRY(souk_books_migrate(checkout->ledger, NULL));
    SOUK_TRY(souk_receipts_migrate(checkout->ledger, NULL));
    SOUK_TRY(souk_payments_migrate(checkout->ledger, NULL));
    SOUK_TRY(souk_parked_migrate(checkout->ledger, NULL));
    SOUK_TRY(souk_names_new(checkout->mem, key, &rooms->names));
    SOUK_TRY(souk_shelf_open(checkout->mem, checkout->ledger, rooms->names, &rooms->shelf, NULL));
    SOUK_TRY(souk_fronts_new(checkout->mem, checkout->ledger, rooms->names, &rooms->fronts));
    SOUK_TRY(souk_fronts_refresh(rooms->fronts));
    SOUK_TRY(checkout_teller_new(checkout, &checkout->teller));
    if (!souk_spine_is_threaded(checkout->spine))
        return SOUK_OK; /* everything happens in the caller, who wants no more than the tables */
    return souk_thread_start(&checkout->keeper, "checkout", keep, checkout);
}

static souk_err open_checkout(souk_mem *mem, souk_spine *spine, souk_merchants *merchants,
                              void **ret_state)
{
    souk_checkout *checkout = souk_mem_get(mem, sizeof *checkout);
    if (!checkout)
        return SOUK_ENOMEM;
    checkout->mem = mem;
    checkout->spine = spine;
    checkout->merchants = merchants;
    checkout->ledger = souk_spine_ledger(spine);
    souk_mutex_init(&checkout->lock);
    souk_mutex_init(&checkout->refreshing);
    souk_cond_init(&checkout->wake);
    souk_err err = fill(checkout);
    if (err)
        close_checkout(checkout);
    else
        *ret_state = checkout;
    return err;
}

void souk_checkout_plug(souk_checkout *checkout, const souk_till_ports *ports)
{
    checkout->ports = *ports;
}

static void own(void *state, souk_effect_owners *owners)
{
    (void)state;
    owners->of[SOUK_EFFECT_RECEIPT] = (souk_effect_owner){souk_receipt_apply, NULL};
    owners->of[SOUK_EFFECT_CHARGE] = (souk_effect_owner){souk_charge_apply, NULL};
}

static souk_err verify_books(souk_tx *tx, void *context)
{
    return souk_books_verify(tx, context);
}

static souk_err verify(void *state, souk_diag *diag)
{
    souk_checkout *checkout = state;
    uint64_t receipts;
    SOUK_TRY(souk_receipts_verify(checkout->ledger, &receipts, diag));
    SOUK_TRY(souk_payments_verify(checkout->ledger, diag));
    return souk_ledger_read(checkout->ledger, verify_books, diag);
}

/* ---- routes --------------------------------------------------------------------------------------------- */

#define BASKET_MEMBERS                                                                            \
    "store: text 'its code', till?: text, currency?: text 'ISO 4217; else that of the store', "   \
    "lines: [{scan?: text 'what the scanner sent', product?: text 'or its code', quantity?: any " \
    "'number or text; 1', price?: any 'given by a person', reason?: text 'why'}]"
#define CUSTOMER "{kind: text 'card, phone, email, user, …', value: text}"
#define PARKED_MEMBERS \
    "{basket: {" BASKET_MEMBERS "}, customer?: " CUSTOMER ", who?: text 'the clerk'}"

static const souk_shape_name shapes[] = {
    {"TillLine",
     "{line: integer, product: text, title: text, quantity: decimal, unit?: text, unit_price?: "
     "decimal, price_list?: text, price_reason?: text, batch?: text, serial?: text, expires?: "
     "time, "
     "base?: decimal, offers?: [{offer: integer, name: text, kind: text, quantity: decimal, "
     "amount: decimal}], total: decimal, net?: decimal, tax?: decimal, taxes?: [{name: text, tax: "
     "decimal}]}"},
    {"Basket",
     "{store?: text, currency: text, lines: [TillLine], offers?: [{offer: integer, name: text, "
     "times: integer, amount: decimal}], base?: decimal, discount?: decimal, prices_with_tax?: "
     "boolean, taxes?: [{name: text, percent: decimal, net: decimal, tax: decimal}], net?: "
     "decimal, "
     "tax?: decimal, total: decimal, hints?: [{offer: integer, name: text, missing_quantity?: "
     "decimal, missing_amount?: decimal}], *: any}"},
    {"Receipt", "{store: text, till: text, number: integer, hash: text, before?: text, void?: "
                "boolean, receipt: Basket}"},
    {"Setting", "{key: text, version: integer, document: any}"},
    {"Account",
     "{account: balance|tab, currency: text, balance: decimal, held: decimal, available: decimal}"},
    {"ParkedHead", "{id: id, version: integer, store: text, till?: text, lines: integer, at: time, "
                   "expires: time}"},
    {"Parked", "{id: id, version: integer, store: text, till?: text, lines: integer, at: time, "
               "expires: time, basket: any, who?: text, customer?: " CUSTOMER "}"},
    {"Payment",
     "{id: text, state: authorised|captured|refunded|voided|expired, account: balance|tab, "
     "currency: text, amount: decimal, captured: decimal, refunded: decimal, store?: text, "
     "reference?: text, at: time, expires?: time 'of a hold', history: [{kind: "
     "authorised|captured|refunded|voided|expired, amount: decimal, at: time}]}"},
};

#define STEP(verb, handler, summary_words, more_words, body)                              \
    {                                                                                     \
        "POST", "/v1/payments/{id}/" verb, SOUK_SCOPE_TILL, handler,                      \
            .slow = true, .operators = true, .needs_key = true, .summary = summary_words, \
            .words = more_words, .takes_maybe = body, .gives = "Payment"                  \
    }

#define SETTING(path, part, words)                                                   \
    {"GET",                                                                          \
     path,                                                                           \
     SOUK_SCOPE_READ,                                                                \
     checkout_list_settings,                                                         \
     .summary = "All " words,                                                        \
     .query = "limit?: integer(1..1000) '100', cursor?: text",                       \
     .gives = "{documents: [Setting], next_cursor?: text}"},                         \
        {"GET",                                                                      \
         path part,                                                                  \
         SOUK_SCOPE_READ,                                                            \
         checkout_get_setting,                                                       \
         .summary = "One of the " words,                                             \
         .gives = "Setting"},                                                        \
        {"PUT",                                                                      \
         path part,                                                                  \
         SOUK_SCOPE_ADMIN,                                                           \
         checkout_put_setting,                                                       \
         .slow = true,                                                               \
         .versioned = true,                                                          \
         .summary = "One of the " words ", new or changed",                          \
         .takes = "any",                                                             \
         .gives = "Setting"},                                                        \
    {                                                                                \
        "DELETE", path part, SOUK_SCOPE_ADMIN, checkout_delete_setting,              \
            .slow = true, .versioned = true, .summary = "One of the " words " ends", \
            .gives = "{deleted: boolean}"                                            \
    }

static const souk_route routes[] = {
    {"POST", "/v1/till/price", SOUK_SCOPE_TILL, checkout_price,
     .summary = "What a basket costs here and now, and why",
     .takes = "{" BASKET_MEMBERS ", customer?: " CUSTOMER ", coupons?: [text]}", .gives = "Basket",
     .body_limit = 256 << 10},
    {"POST", "/v1/till/commit", SOUK_SCOPE_TILL, checkout_commit, .slow = true, .needs_key = true,
     .plans = true, .summary = "A basket is paid: money, stock and receipt at once",
     .words = "expected_total is what the shopper was told: another total is refused with 409",
     .takes =
         "{" BASKET_MEMBERS ", customer?: " CUSTOMER ", coupons?: [text], expected_total: any, "
         "tenders: [{kind: cash|card|other|balance|tab|points, amount?: any, points?: integer, "
         "provider?: text, reference?: text, last4?: text, confirmed?: boolean}]}",
     .gives = "Receipt", .gives_status = 201, .body_limit = 256 << 10},
    {"POST", "/v1/till/return", SOUK_SCOPE_TILL, checkout_return, .slow = true, .needs_key = true,
     .summary = "Lines of a sale come back",
     .words = "Without a quantity, all that is left of the line. The tenders must pay back exactly "
              "what the lines bring; 409 says how much that is.",
     .takes = "{store: text 'where it comes back', till: text, receipt: {store: text, till: text, "
              "number: integer}, lines: [{line: integer, quantity?: any}], customer?: " CUSTOMER
              ", tenders: [{kind: cash|card|other|balance|tab, amount: any, provider?: text, "
              "reference?: text, last4?: text}]}",
     .gives = "Receipt", .gives_status = 201},
    {"POST", "/v1/till/void", SOUK_SCOPE_TILL, checkout_void, .slow = true, .needs_key = true,
     .summary = "A whole sale, as if it had never been",
     .words = "Refused where part of it was returned: then the rest is returned",
     .takes = "{store: text, till: text, receipt: {store: text, till: text, number: integer}, "
              "customer?: " CUSTOMER ", tenders: [{kind: cash|card|other|balance|tab, amount: any, "
              "provider?: text, reference?: text, last4?: text}]}",
     .gives = "Receipt", .gives_status = 201},
    {"POST", "/v1/baskets", SOUK_SCOPE_TILL, checkout_park, .slow = true, .needs_key = true,
     .summary = "A basket is suspended, for a day",
     .words = "It is taken up at any till of the store: GET it, then DELETE it with the ETag that "
              "came. Of two tills one is told 200, and has it.",
     .takes = PARKED_MEMBERS, .gives = "Parked", .gives_status = 201, .body_limit = 256 << 10},
    {"GET", "/v1/baskets", SOUK_SCOPE_TILL, checkout_parked_list,
     .summary = "Suspended baskets of a store, newest first", .query = "store: text 'its code'",
     .gives = "{baskets: [ParkedHead]}"},
    {"GET", "/v1/baskets/{id}", SOUK_SCOPE_TILL, checkout_parked, .summary = "A suspended basket",
     .gives = "Parked"},
    {"PUT", "/v1/baskets/{id}", SOUK_SCOPE_TILL, checkout_change_parked, .slow = true,
     .versioned = true, .summary = "A suspended basket, changed: its day begins again",
     .takes = PARKED_MEMBERS, .gives = "Parked", .body_limit = 256 << 10},
    {"DELETE", "/v1/baskets/{id}", SOUK_SCOPE_TILL, checkout_delete_parked, .slow = true,
     .versioned = true, .summary = "A suspended basket is taken up, or given up",
     .gives = "{deleted: boolean}"},
    {"GET", "/v1/receipts/{store}/{till}/{number}", SOUK_SCOPE_READ, checkout_receipt,
     .summary = "A receipt, as it stands in its till's chain", .gives = "Receipt"},
    SETTING("/v1/offers", "/{offer}", "offers"),
    SETTING("/v1/taxes", "/{store}", "taxes"),
    SETTING("/v1/measures", "/{key}", "scales' codes"),
    {"POST", "/v1/prices", SOUK_SCOPE_ADMIN, checkout_put_prices, .slow = true,
     .summary = "Prices by store and time, and bar codes",
     .takes =
         "{prices?: [{product: text, price: any, currency: text, store?: text, list?: text, "
         "from?: time, until?: time, ends?: boolean}], barcodes?: [{code: text, product: text, "
         "pieces?: any}]}",
     .gives = "{stored: integer}", .gives_status = 201},
    {"POST", "/v1/accounts", SOUK_SCOPE_ADMIN, checkout_open_account, .slow = true,
     .operators = true, .summary = "A shopper's account, opened, or its limits changed",
     .takes = "{customer: " CUSTOMER ", account: balance|tab, currency: text, credit_line?: any, "
              "limit_basket?: any, limit_day?: any, confirm_above?: any}",
     .gives = "Account"},
    {"POST", "/v1/accounts/top-ups", SOUK_SCOPE_TILL, checkout_top_up, .slow = true,
     .operators = true, .needs_key = true, .summary = "decimal is paid into an account",
     .takes = "{customer: " CUSTOMER ", account: balance|tab, currency: text, amount: any, "
              "reference?: text}",
     .gives = "Account", .gives_status = 201},
    {"GET", "/v1/accounts/{kind}/{value}", SOUK_SCOPE_READ, checkout_account, .operators = true,
     .summary = "What a shopper's account holds",
     .query = "currency: text 'ISO 4217', account?: balance|tab", .gives = "Account"},
    {"GET", "/v1/accounts/{kind}/{value}/entries", SOUK_SCOPE_READ, checkout_entries,
     .operators = true, .summary = "A shopper's statement, newest first",
     .words = "amount is below zero where money left the account. What a hold takes has moved: "
              "false, and so has what a void or an end of it frees.",
     .query = "currency: text 'ISO 4217', account?: balance|tab, limit?: integer(1..200) '50', "
              "cursor?: text",
     .gives = "{account: balance|tab, currency: text, entries: [{number: integer, at: time, kind: "
              "posted|held|captured|voided|expired|refunded, amount: decimal, moved: boolean, "
              "expires?: time 'of a hold', payment?: text 'its id'}], next_cursor?: text}"},
    {"POST", "/v1/payments", SOUK_SCOPE_TILL, checkout_pay, .slow = true, .operators = true,
     .needs_key = true, .summary = "A shopper's account is charged, or an amount of it held",
     .words =
         "With capture the money moves at once; without it is held, for hold_s seconds or "
         "until it is captured or voided. The same id with the same content is the same "
         "payment, told as it is now. 403 says which limit forbids it: above confirm_above, make "
         "sure that it is she and send it again with confirmed.",
     .takes = "{customer: " CUSTOMER ", account: balance|tab, currency: text, amount: any, "
              "capture: boolean, store?: text, reference?: text, hold_s?: integer(1..2592000) "
              "'900', id?: text 'else the Idempotency-Key', confirmed?: boolean 'it is she'}",
     .gives = "Payment", .gives_status = 201},
    {"GET", "/v1/payments/{id}", SOUK_SCOPE_TILL, checkout_payment, .operators = true,
     .summary = "A payment and its history", .gives = "Payment"},
    STEP("capture", checkout_capture, "What is held is taken, all of it or a part",
         "Without an amount, all of it. What is not taken is free again.", "{amount?: any}"),
    STEP("void", checkout_void_payment, "What is held is free again", NULL, "{}"),
    STEP("refund", checkout_refund, "What was captured goes back, all of it or a part",
         "Without an amount, all that is left.", "{amount?: any}"),
};

const souk_service souk_checkout_service = {
    .name = "checkout",
    .title = "Checkout",
    .words = "Baskets priced, paid and written down in one transaction",
    .shapes = shapes,
    .shape_count = sizeof shapes / sizeof *shapes,
    .open = open_checkout,
    .close = close_checkout,
    .own = own,
    .verify = verify,
    .routes = routes,
    .route_count = sizeof routes / sizeof *routes,
};
