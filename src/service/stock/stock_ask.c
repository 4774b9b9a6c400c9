/* stock_ask.c - what is asked of stock over the API: bodies become plans: see stock.h, docs/stock.md. */
#include "base/pan.h"
#include "base/random.h"
#include "service/stock/stock_inside.h"

#include <stdio.h>

enum { MOVED_MOST = 250, COUNTED_MOST = 50 }; /* lines; of counts that have a moment of their own */

/* One request, in the call's arena. */
struct asked {
    souk_call *call;
    souk_json_doc doc;
    souk_json_node body;
    char where[40]; /* "lines[2]." */
    souk_text id;   /* of a reservation or transfer */
    souk_stock_line *lines;
    souk_stock_deed *deeds;
    size_t count;
    souk_hash128 reference;
    souk_stock_reservation reservation;
    souk_stock_transfer transfer;
};

/* ---- reading bodies ------------------------------------------------------------------------------------ */

static souk_err blame(struct asked *asked, const char *field, const char *words)
{
    return souk_diag_say(&asked->call->diag, SOUK_EINVAL, "%s%s %s", asked->where, field, words);
}

/* SOUK_JSON_NONE where it is missing, or null. */
static souk_json_node find(struct asked *asked, souk_json_node object, const char *field)
{
    souk_json_node node = souk_json_member(&asked->doc, object, souk_text_of(field));
    return souk_json_type(&asked->doc, node) == SOUK_JSON_NULL ? SOUK_JSON_NONE : node;
}

/* "" where it is missing. */
static souk_err read_text(struct asked *asked, souk_json_node object, const char *field,
                          souk_text *ret_text)
{
    souk_json_node node = find(asked, object, field);
    *ret_text = SOUK_TEXT("");
    if (node == SOUK_JSON_NONE)
        return SOUK_OK;
    if (souk_json_type(&asked->doc, node) != SOUK_JSON_STRING)
        return blame(asked, field, "is no text: send it in quotes");
    SOUK_TRY(souk_json_text(&asked->doc, node, &asked->call->arena, ret_text));
    for (size_t i = 0; i < ret_text->bytes; i++)
        if ((unsigned char)ret_text->at[i] < ' ')
            return blame(asked, field, "has a control character: leave it out");
    return SOUK_OK;
}

/* A name that somebody gave; a product's may be a bar code, which could read as a card's number. */
static souk_err read_name(struct asked *asked, souk_json_node object, const char *field,
                          souk_text *ret_text)
{
    SOUK_TRY(read_text(asked, object, field, ret_text));
    if (souk_pan_find(*ret_text).at)
        return blame(asked, field, "is the number of a payment card: never send one");
    return SOUK_OK;
}

static souk_err read_flag(struct asked *asked, souk_json_node object, const char *field,
                          bool *ret_flag)
{
    souk_json_node node = find(asked, object, field);
    *ret_flag = false;
    if (node != SOUK_JSON_NONE && souk_json_bool(&asked->doc, node, ret_flag))
        return blame(asked, field, "is true or false");
    return SOUK_OK;
}

/* 0 where it is missing. */
static souk_err read_time(struct asked *asked, souk_json_node object, const char *field,
                          souk_time *ret_time)
{
    souk_text text;
    SOUK_TRY(read_text(asked, object, field, &text));
    *ret_time = 0;
    if (text.bytes && (souk_time_read(text, NULL, ret_time) || *ret_time <= 0))
        return blame(asked, field, "is no time: send 2026-12-31T09:00:00Z, or a day");
    return SOUK_OK;
}

static souk_err read_quantity(struct asked *asked, souk_json_node line, souk_decimal *ret_quantity)
{
    bool rounded = false;
    souk_err err = souk_json_decimal_or_text(&asked->doc, find(asked, line, "quantity"),
                                             ret_quantity, &rounded);
    if (err || rounded)
        return blame(asked, "quantity", "is a number with up to six decimals, such as \"2\"");
    return SOUK_OK;
}

static souk_err read_line(struct asked *asked, souk_json_node node, souk_stock_line *line)
{
    if (souk_json_type(&asked->doc, node) != SOUK_JSON_OBJECT)
        return blame(asked, "", "is no object");
    SOUK_TRY(read_name(asked, node, "location", &line->location));
    SOUK_TRY(read_text(asked, node, "product", &line->product));
    SOUK_TRY(read_name(asked, node, "lot", &line->lot));
    SOUK_TRY(read_time(asked, node, "expires", &line->expires));
    return read_quantity(asked, node, &line->quantity);
}

static souk_err read_lines(struct asked *asked, size_t most)
{
    souk_json_node lines = find(asked, asked->body, "lines");
    size_t count = souk_json_count(&asked->doc, lines);
    if (lines != SOUK_JSON_NONE && souk_json_type(&asked->doc, lines) != SOUK_JSON_ARRAY)
        return blame(asked, "lines", "is a list");
    if (count > most)
        return souk_diag_say(&asked->call->diag, SOUK_EINVAL, "lines has at most %zu of them",
                             most);
    asked->lines = souk_arena_get(&asked->call->arena, (count + 1) * sizeof *asked->lines);
    asked->deeds = souk_arena_get(&asked->call->arena, (count + 1) * sizeof *asked->deeds);
    if (asked->call->arena.failed)
        return SOUK_ENOMEM;
    for (souk_json_node node = souk_json_first(&asked->doc, lines); node != SOUK_JSON_NONE;
         node = souk_json_next(&asked->doc, node)) {
        snprintf(asked->where, sizeof asked->where, "lines[%zu].", asked->count);
        SOUK_TRY(read_line(asked, node, &asked->lines[asked->count++]));
    }
    asked->where[0] = '\0';
    return SOUK_OK;
}

static souk_err read_body(struct asked *asked)
{
    SOUK_TRY(souk_json_read(&asked->doc, asked->call->body, NULL, &asked->call->diag));
    asked->body = souk_json_root(&asked->doc);
    if (souk_json_type(&asked->doc, asked->body) != SOUK_JSON_OBJECT)
        return souk_diag_say(&asked->call->diag, SOUK_EINVAL,
                             "the body is no object: {\"lines\":…}");
    return SOUK_OK;
}

/* ---- from a call to its plan ------------------------------------------------------------------------------- */

/* Reads with `read`, plans with `plan`; `tell` answers. */
static void handle(souk_call *call, souk_err (*read)(struct asked *asked),
                   void (*add)(struct asked *asked, souk_plan *plan), int status,
                   souk_err (*tell)(souk_plan *plan, souk_tx *tx, souk_json_writer *out))
{
    struct asked *asked = souk_arena_get(&call->arena, sizeof *asked);
    souk_err err = call->arena.failed ? SOUK_ENOMEM : SOUK_OK;
    if (!err) {
        *asked = (struct asked){.call = call, .doc = {.mem = call->arena.mem}};
        err = read(asked);
        souk_json_doc_done(&asked->doc);
    }
    if (call->arena.failed) { /* whatever it led to */
        err = SOUK_ENOMEM;
        call->diag = (souk_diag){0};
    }
    souk_plan *plan = err ? NULL : souk_call_plan(call);
    if (!plan) {
        souk_call_fail(call, err ? err : SOUK_ENOMEM);
        return;
    }
    plan->context = asked;
    add(asked, plan);
    souk_call_run(call, call->owners, plan, status, tell);
}

/* ---- movements and counts ------------------------------------------------------------------------------------ */

static const struct {
    const char *word;
    souk_stock_verb verb;
} kinds[] = {{"received", SOUK_STOCK_PUT},
             {"sold", SOUK_STOCK_TAKE},
             {"returned", SOUK_STOCK_RETURN},
             {"written_off", SOUK_STOCK_WRITE_OFF},
             {"voided", SOUK_STOCK_VOID}};

static souk_err read_kind(struct asked *asked, souk_stock_verb *ret_verb)
{
    souk_text word;
    bool till;
    SOUK_TRY(read_text(asked, asked->body, "kind", &word));
    SOUK_TRY(read_flag(asked, asked->body, "till", &till));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (souk_text_equal(word, souk_text_of(kinds[i].word))) {
            *ret_verb = kinds[i].verb;
            if (till && *ret_verb == SOUK_STOCK_TAKE)
                *ret_verb = SOUK_STOCK_SELL;
            return SOUK_OK;
        }
    return blame(asked, "kind", "is received, sold, returned, written_off or voided");
}

static souk_err read_reference(struct asked *asked)
{
    souk_text text;
    SOUK_TRY(read_text(asked, asked->body, "reference", &text));
    if (text.bytes == 0)
        souk_entropy(&asked->reference, sizeof asked->reference);
    else if (text.bytes != 32 || !souk_unhex(text, &asked->reference, sizeof asked->reference))
        return blame(asked, "reference", "has 32 hexadecimal digits, or is left out");
    return SOUK_OK;
}

static souk_err fill_deeds(struct asked *asked, souk_stock_verb verb, souk_time counted_at)
{
    SOUK_TRY(read_reference(asked));
    SOUK_TRY(read_lines(asked, MOVED_MOST));
    if (asked->count == 0)
        return blame(asked, "lines", "has nothing: send 1 to 250 of them");
    for (size_t i = 0; i < asked->count; i++) {
        const souk_stock_line *line = &asked->lines[i];
        if (line->location.bytes + line->product.bytes >= SOUK_EFFECT_KEY_BYTES ||
            memchr(line->location.at, '/', line->location.bytes)) {
            snprintf(asked->where, sizeof asked->where, "lines[%zu].", i);
            return blame(asked, "location",
                         "is a code of 1 to 64 bytes without '/', product one of 1 to 100");
        }
        asked->deeds[i] = (souk_stock_deed){.verb = verb,
                                            .reference = asked->reference,
                                            .lot = line->lot,
                                            .expires = line->expires,
                                            .counted_at = counted_at};
    }
    return SOUK_OK;
}

static souk_err read_movements(struct asked *asked)
{
    souk_stock_verb verb = SOUK_STOCK_TAKE;
    SOUK_TRY(read_body(asked));
    SOUK_TRY(read_kind(asked, &verb));
    return fill_deeds(asked, verb, 0);
}

static souk_err read_counts(struct asked *asked)
{
    souk_time at;
    souk_call *call = asked->call;
    SOUK_TRY(read_body(asked));
    SOUK_TRY(read_time(asked, asked->body, "at", &at));
    if (at > souk_clock_now_ms(souk_spine_clock(call->spine)))
        return blame(asked, "at", "is to come: send the moment at which it was counted");
    SOUK_TRY(fill_deeds(asked, SOUK_STOCK_COUNT, at));
    return at && asked->count > COUNTED_MOST
               ? blame(asked, "lines", "has at most 50 of them where `at` is told")
               : SOUK_OK;
}

static void add_deeds(struct asked *asked, souk_plan *plan)
{
    for (size_t i = 0; i < asked->count; i++) {
        const souk_stock_line *line = &asked->lines[i];
        souk_plan_add(plan, SOUK_EFFECT_STOCK,
                      souk_stock_key(plan->arena, line->location, line->product),
                      line->quantity.micro, &asked->deeds[i]);
    }
}

static souk_err tell_deeds(souk_plan *plan, souk_tx *tx, souk_json_writer *out)
{
    const struct asked *asked = plan->context;
    char reference[32];
    (void)tx;
    souk_hex(&asked->reference, sizeof asked->reference, reference);
    souk_json_write_object(out);
    souk_json_put_text(out, "reference", (souk_text){reference, sizeof reference});
    souk_json_put_array(out, "moved");
    for (size_t i = 0; i < asked->count; i++) {
        const souk_stock_deed *deed = &asked->deeds[i];
        souk_json_write_object(out);
        souk_json_put_text(out, "location", asked->lines[i].location);
        souk_json_put_text(out, "product", asked->lines[i].product);
        souk_json_put_bool(out, "kept", deed->kept);
        if (deed->verb == SOUK_STOCK_COUNT)
            stock_put_decimal(out, "difference", deed->difference);
        if (deed->kept)
            stock_put_level(out, &deed->after);
        souk_json_write_end(out);
    }
    souk_json_write_end(out);
    souk_json_write_end(out);
    return SOUK_OK;
}

void stock_post_movements(souk_call *call)
{
    handle(call, read_movements, add_deeds, 201, tell_deeds);
}

void stock_post_counts(souk_call *call)
{
    handle(call, read_counts, add_deeds, 201, tell_deeds);
}

/* ---- reservations ------------------------------------------------------------------------------------------------ */

/* Its own, or that of the request, or one of ours. */
static souk_err read_id(struct asked *asked)
{
    SOUK_TRY(read_text(asked, asked->body, "id", &asked->id));
    if (asked->id.bytes)
        return SOUK_OK;
    souk_text key = souk_call_header(asked->call, SOUK_TEXT("idempotency-key"));
    if (key.bytes && key.bytes <= SOUK_STOCK_ID_BYTES) {
        asked->id = key;
        return SOUK_OK;
    }
    unsigned char random[16];
    char *hex = souk_arena_get(&asked->call->arena, 32);
    souk_entropy(random, sizeof random);
    souk_hex(random, sizeof random, hex);
    asked->id = (souk_text){hex, 32};
    return asked->call->arena.failed ? SOUK_ENOMEM : SOUK_OK;
}

static souk_err read_reservation(struct asked *asked)
{
    SOUK_TRY(read_body(asked));
    SOUK_TRY(read_id(asked));
    souk_stock_reservation *what = &asked->reservation;
    what->verb = SOUK_STOCK_RESERVE;
    SOUK_TRY(read_time(asked, asked->body, "until", &what->until));
    SOUK_TRY(read_lines(asked, SOUK_STOCK_LINES_MOST));
    what->lines = asked->lines;
    what->line_count = asked->count;
    return SOUK_OK;
}

static souk_err read_release(struct asked *asked)
{
    asked->reservation.verb = SOUK_STOCK_RELEASE;
    return souk_call_part(asked->call, 0, &asked->id);
}

static souk_err read_fulfil(struct asked *asked)
{
    asked->reservation.verb = SOUK_STOCK_FULFIL;
    return souk_call_part(asked->call, 0, &asked->id);
}

static souk_text key_of(const struct asked *asked)
{
    return (souk_text){asked->id.at, souk_min_size(asked->id.bytes, SOUK_STOCK_ID_BYTES + 1)};
}

static void add_reservation(struct asked *asked, souk_plan *plan)
{
    souk_plan_add(plan, SOUK_EFFECT_STOCK, key_of(asked), 0, &asked->reservation);
}

static souk_err tell_reservation(souk_plan *plan, souk_tx *tx, souk_json_writer *out)
{
    const struct asked *asked = plan->context;
    return reservation_write(tx, plan->merchant, asked->id, out);
}

void stock_post_reservation(souk_call *call)
{
    handle(call, read_reservation, add_reservation, 201, tell_reservation);
}

void stock_delete_reservation(souk_call *call)
{
    handle(call, read_release, add_reservation, 200, tell_reservation);
}

void stock_post_fulfil(souk_call *call)
{
    handle(call, read_fulfil, add_reservation, 200, tell_reservation);
}

/* ---- transfers ----------------------------------------------------------------------------------------------------- */

static souk_err read_transfer(struct asked *asked)
{
    SOUK_TRY(read_body(asked));
    SOUK_TRY(read_id(asked));
    souk_stock_transfer *what = &asked->transfer;
    what->verb = SOUK_STOCK_SEND;
    SOUK_TRY(read_name(asked, asked->body, "from", &what->origin));
    SOUK_TRY(read_name(asked, asked->body, "to", &what->destination));
    SOUK_TRY(read_time(asked, asked->body, "expected", &what->expected));
    SOUK_TRY(read_lines(asked, SOUK_STOCK_LINES_MOST));
    what->lines = asked->lines;
    what->line_count = asked->count;
    return SOUK_OK;
}

static souk_err read_arrival(struct asked *asked)
{
    souk_text difference;
    SOUK_TRY(souk_call_part(asked->call, 0, &asked->id));
    SOUK_TRY(read_body(asked));
    souk_stock_transfer *what = &asked->transfer;
    what->verb = SOUK_STOCK_ARRIVE;
    SOUK_TRY(read_flag(asked, asked->body, "last", &what->last));
    SOUK_TRY(read_text(asked, asked->body, "difference", &difference));
    what->books = souk_text_equal(difference, SOUK_TEXT("book"));
    if (difference.bytes && !what->books && !souk_text_equal(difference, SOUK_TEXT("ask")))
        return blame(asked, "difference", "is ask or book");
    SOUK_TRY(read_lines(asked, SOUK_STOCK_LINES_MOST));
    what->lines = asked->lines;
    what->line_count = asked->count;
    return SOUK_OK;
}

static void add_transfer(struct asked *asked, souk_plan *plan)
{
    souk_plan_add(plan, SOUK_EFFECT_STOCK, key_of(asked), 0, &asked->transfer);
}

static souk_err tell_transfer(souk_plan *plan, souk_tx *tx, souk_json_writer *out)
{
    const struct asked *asked = plan->context;
    return transfer_write(tx, plan->merchant, asked->id, out);
}

void stock_post_transfer(souk_call *call)
{
    handle(call, read_transfer, add_transfer, 201, tell_transfer);
}

void stock_post_arrive(souk_call *call)
{
    handle(call, read_arrival, add_transfer, 200, tell_transfer);
}
