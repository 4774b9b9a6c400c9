/* parking.c - baskets that are suspended at one till and taken up at another of the store (parked.h).
 *
 *     POST   /v1/baskets           put aside
 *     GET    /v1/baskets?store=    which there are
 *     GET, PUT, DELETE  /v1/baskets/{id}
 *
 * Who takes one up GETs it and DELETEs it with the ETag that came: of two tills one is told 200.
 *
 * A body is read as a basket that is priced, so that what is kept can be priced; kept is the JSON as it came. */
#include "service/checkout/checkout_inside.h"

#include "service/checkout/parked.h"

#include "base/random.h"

enum { WHO_BYTES = 64 };

struct parking {
    souk_call *call;
    souk_till_basket basket;
    souk_text raw; /* of the basket, in the request's body */
    souk_text who;
    checkout_customer customer;
    souk_parked parked;
    int64_t expected;
    souk_diag diag; /* of a closure */
};

/* ---- the request ---------------------------------------------------------------------------------------- */

static souk_err read_basket(souk_form *form, souk_json_node value)
{
    struct parking *parking = form->user;
    const souk_checkout *checkout = parking->call->state;
    parking->raw = souk_json_raw(form->doc, value);
    return souk_basket_read(&checkout->rooms, parking->parked.merchant, parking->parked.at,
                            form->doc, value, form->arena, &parking->basket, form->diag);
}
static souk_err read_who(souk_form *form, souk_json_node value)
{
    return souk_form_plain(form, value, 1, WHO_BYTES, &((struct parking *)form->user)->who);
}
static souk_err read_customer(souk_form *form, souk_json_node value)
{
    return checkout_read_customer(form, value, &((struct parking *)form->user)->customer);
}

/* What is sealed: {"basket":…,"who":…,"customer":…}. */
static souk_err write_body(struct parking *parking)
{
    souk_arena *arena = &parking->call->arena;
    souk_auto_value(souk_buf) text = {.mem = arena->mem, .limit_bytes = SOUK_PARKED_BODY_MOST};
    souk_json_writer json = {.out = &text};
    souk_json_write_object(&json);
    souk_json_write_key(&json, SOUK_TEXT("basket"));
    souk_json_write_raw(&json, parking->raw);
    if (parking->who.bytes)
        souk_json_put_text(&json, "who", parking->who);
    if (parking->customer.kind.bytes) {
        souk_json_put_object(&json, "customer");
        souk_json_put_text(&json, "kind", parking->customer.kind);
        souk_json_put_text(&json, "value", parking->customer.value);
        souk_json_write_end(&json);
    }
    souk_json_write_end(&json);
    SOUK_TRY(souk_json_write_check(&json));
    souk_text body = souk_buf_view(&text);
    parking->parked.body = (souk_text){souk_arena_copy(arena, body.at, body.bytes), body.bytes};
    return arena->failed ? SOUK_ENOMEM : SOUK_OK;
}

static souk_err read_request(struct parking *parking)
{
    static const souk_form_member members[] = {
        {"basket", read_basket}, {"who", read_who}, {"customer", read_customer}};
    souk_call *call = parking->call;
    souk_auto_value(souk_json_doc) doc = {.mem = call->arena.mem};
    souk_form form = {.doc = &doc,
                      .arena = &call->arena,
                      .diag = &call->diag,
                      .user = parking,
                      .help = "docs/checkout.md"};
    uint64_t seen;
    SOUK_TRY(checkout_read_body(call, &doc));
    SOUK_TRY(souk_form_object(&form, souk_json_root(&doc), members, 3, &seen));
    if (!(seen & 1))
        return souk_form_refuse(&form, "basket is missing: the store and the lines, as they are "
                                       "priced");
    parking->parked.store = parking->basket.store;
    parking->parked.till = parking->basket.till;
    parking->parked.lines = (int64_t)parking->basket.line_count;
    return write_body(parking);
}

static struct parking *begin(souk_call *call)
{
    struct parking *parking = souk_arena_get(&call->arena, sizeof *parking);
    if (call->arena.failed) {
        souk_call_fail(call, SOUK_ENOMEM);
        return NULL;
    }
    *parking = (struct parking){.call = call,
                                .parked = {.merchant = call->caller.merchant,
                                           .at = souk_clock_now_ms(souk_spine_clock(call->spine))}};
    return parking;
}

/* Its front is let go of, whatever was read of it. */
static souk_err read_parking(struct parking *parking)
{
    souk_err err = read_request(parking);
    souk_basket_done(&parking->basket);
    return err;
}

/* ---- answers -------------------------------------------------------------------------------------------- */

static void write_head(souk_json_writer *json, const souk_parked *parked)
{
    unsigned char id[16];
    char hex[2 * sizeof id];
    souk_put_u64(id, parked->id.low);
    souk_put_u64(id + 8, parked->id.high);
    souk_hex(id, sizeof id, hex);
    souk_json_write_object(json);
    souk_json_put_text(json, "id", (souk_text){hex, sizeof hex});
    souk_json_put_u64(json, "version", (uint64_t)parked->version);
    souk_json_put_text(json, "store", parked->store);
    if (parked->till.bytes)
        souk_json_put_text(json, "till", parked->till);
    souk_json_put_u64(json, "lines", (uint64_t)parked->lines);
    souk_json_put_time(json, "at", parked->at);
    souk_json_put_time(json, "expires", parked->at + SOUK_PARKED_MS);
}

/* Our own JSON: what does not read is damage. */
static souk_err write_parked(souk_json_writer *json, const souk_parked *parked, souk_mem *mem)
{
    souk_auto_value(souk_json_doc) doc = {.mem = mem};
    souk_err err = souk_json_read(&doc, parked->body, NULL, NULL);
    if (err)
        return err == SOUK_ENOMEM ? err : SOUK_ECORRUPT;
    write_head(json, parked);
    for (souk_json_node node = souk_json_first(&doc, souk_json_root(&doc)); node != SOUK_JSON_NONE;
         node = souk_json_next(&doc, node)) {
        souk_json_write_raw_key(json, souk_json_key(&doc, node));
        souk_json_write_raw(json, souk_json_raw(&doc, node));
    }
    souk_json_write_end(json);
    return SOUK_OK;
}

static void answer(struct parking *parking, souk_err err)
{
    souk_call *call = parking->call;
    if (!err)
        err = write_parked(souk_call_json(call), &parking->parked, call->arena.mem);
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer(call, 200);
}

/* ---- putting aside ---------------------------------------------------------------------------------------- */

static souk_err add_and_tell(souk_plan *plan, souk_tx *tx, souk_json_writer *json)
{
    struct parking *parking = plan->context;
    SOUK_TRY(souk_parked_add(tx, plan->arena->mem, souk_spine_vault(parking->call->spine),
                             &parking->parked, &plan->diag));
    return write_parked(json, &parking->parked, plan->arena->mem);
}

void checkout_park(souk_call *call)
{
    struct parking *parking = begin(call);
    souk_plan *plan = parking ? souk_call_plan(call) : NULL;
    if (!parking)
        return;
    souk_err err = plan ? read_parking(parking) : SOUK_ENOMEM;
    if (err) {
        souk_call_fail(call, err);
        return;
    }
    souk_entropy(&parking->parked.id, sizeof parking->parked.id);
    plan->context = parking;
    souk_call_run(call, call->owners, plan, 201, add_and_tell);
}

/* ---- which there are -------------------------------------------------------------------------------------- */

struct listing {
    souk_call *call;
    souk_json_writer *json;
    souk_text store;
};

static souk_err write_listed(void *context, const souk_parked *basket)
{
    struct listing *listing = context;
    write_head(listing->json, basket);
    souk_json_write_end(listing->json);
    return SOUK_OK;
}

static souk_err list_in(souk_tx *tx, void *context)
{
    struct listing *listing = context;
    return souk_parked_list(tx, listing->call->caller.merchant, listing->store,
                            souk_clock_now_ms(souk_spine_clock(listing->call->spine)),
                            SOUK_PARKED_MOST, write_listed, listing);
}

void checkout_parked_list(souk_call *call)
{
    struct listing listing = {.call = call, .json = souk_call_json(call)};
    souk_err err = SOUK_OK;
    if (!souk_call_query(call, SOUK_TEXT("store"), &listing.store) || listing.store.bytes == 0)
        err = souk_diag_say(&call->diag, SOUK_EINVAL,
                            "query field 'store': the code of the store is expected");
    souk_json_write_object(listing.json);
    souk_json_put_array(listing.json, "baskets");
    if (!err)
        err = souk_ledger_read(souk_spine_ledger(call->spine), list_in, &listing);
    if (err) {
        souk_call_fail(call, err);
        return;
    }
    souk_json_write_end(listing.json);
    souk_json_write_end(listing.json);
    souk_call_answer(call, 200);
}

/* ---- one -------------------------------------------------------------------------------------------------- */

static souk_err read_id(struct parking *parking)
{
    souk_text hex;
    unsigned char id[16];
    SOUK_TRY(souk_call_part(parking->call, 0, &hex));
    if (hex.bytes != 2 * sizeof id || !souk_unhex(hex, id, sizeof id))
        return souk_diag_say(&parking->call->diag, SOUK_ENOENT,
                             "there is no such basket: an id has 32 hexadecimal digits");
    parking->parked.id = (souk_hash128){souk_get_u64(id), souk_get_u64(id + 8)};
    return SOUK_OK;
}

static souk_err read_expected(struct parking *parking)
{
    uint64_t expected;
    SOUK_TRY(souk_call_expected(parking->call, SOUK_VERSION_TOLD, &expected));
    parking->expected = expected < INT64_MAX ? (int64_t)expected : INT64_MAX;
    return SOUK_OK;
}

static souk_err find_in(souk_tx *tx, void *context)
{
    struct parking *parking = context;
    return souk_parked_read(tx, souk_spine_vault(parking->call->spine), parking->parked.merchant,
                            parking->parked.id, parking->parked.at, &parking->call->arena,
                            &parking->parked);
}

void checkout_parked(souk_call *call)
{
    struct parking *parking = begin(call);
    if (!parking)
        return;
    souk_err err = read_id(parking);
    if (!err) {
        err = souk_ledger_read(souk_spine_ledger(call->spine), find_in, parking);
        if (err == SOUK_ENOENT)
            err = souk_diag_say(&call->diag, err,
                                "there is no such basket: it was taken up, or its day is over");
    }
    if (!err && souk_call_version(call, (uint64_t)parking->parked.version))
        souk_call_answer_same(call);
    else
        answer(parking, err);
}

static souk_err change_in(souk_tx *tx, void *context)
{
    struct parking *parking = context;
    parking->diag = (souk_diag){0};
    return souk_parked_change(tx, parking->call->arena.mem, souk_spine_vault(parking->call->spine),
                              &parking->parked, parking->expected, &parking->diag);
}

static souk_err remove_in(souk_tx *tx, void *context)
{
    struct parking *parking = context;
    parking->diag = (souk_diag){0};
    return souk_parked_remove(tx, &parking->parked, parking->expected, &parking->diag);
}

static souk_err write(struct parking *parking, souk_tx_closure *closure)
{
    souk_call *call = parking->call;
    souk_err err =
        souk_ledger_write(souk_spine_ledger(call->spine), SOUK_LANE_TILL, closure, parking);
    if (err && parking->diag.words[0])
        call->diag = parking->diag;
    return err;
}

static souk_err change(struct parking *parking)
{
    SOUK_TRY(read_id(parking));
    SOUK_TRY(read_expected(parking));
    SOUK_TRY(read_parking(parking));
    SOUK_TRY(write(parking, change_in));
    (void)souk_call_version(parking->call, (uint64_t)parking->parked.version);
    return SOUK_OK;
}

void checkout_change_parked(souk_call *call)
{
    struct parking *parking = begin(call);
    if (parking)
        answer(parking, change(parking));
}

static souk_err take_up(struct parking *parking)
{
    SOUK_TRY(read_id(parking));
    SOUK_TRY(read_expected(parking));
    return write(parking, remove_in);
}

void checkout_delete_parked(souk_call *call)
{
    struct parking *parking = begin(call);
    if (!parking)
        return;
    souk_err err = take_up(parking);
    if (err) {
        souk_call_fail(call, err);
        return;
    }
    souk_json_writer *json = souk_call_json(call);
    souk_json_write_object(json);
    souk_json_put_bool(json, "deleted", true);
    souk_json_write_end(json);
    souk_call_answer(call, 200);
}
