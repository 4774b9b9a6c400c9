/* payload.c - the bodies of payload.h. */
#include "serve/payload.h"

#include "base/json_write.h"
#include "core/log.h"

struct souk_payload {
    souk_mem *mem;
    souk_spine *spine;
    souk_arena arena;
    souk_block *block; /* of the last event; what erasures change of it is asked of the index */
    souk_person person;
};

souk_err souk_payload_new(souk_mem *mem, souk_spine *spine, souk_payload **ret_payload)
{
    souk_payload *payload = souk_mem_get(mem, sizeof *payload);
    if (!payload)
        return SOUK_ENOMEM;
    payload->mem = mem;
    payload->spine = spine;
    payload->arena.mem = mem;
    *ret_payload = payload;
    return SOUK_OK;
}

void souk_payload_free(souk_payload *payload)
{
    if (!payload)
        return;
    souk_block_free(payload->block);
    souk_arena_done(&payload->arena);
    souk_mem_put(payload->mem, payload);
}

/* ---- members ------------------------------------------------------------------------------------------- */

static void write_micro(souk_json_writer *out, const char *key, int64_t micro)
{
    char text[SOUK_DECIMAL_BYTES];
    souk_json_put_text(out, key,
                       (souk_text){text, souk_decimal_write((souk_decimal){micro}, text)});
}

static void write_name(const souk_payload *payload, souk_json_writer *out, const char *key,
                       souk_name_kind kind, uint32_t number)
{
    char name[SOUK_EVENT_NAME_BYTES + 1];
    if (!number)
        return;
    souk_catalogue_name(souk_spine_catalogue(payload->spine), kind, number, name, sizeof name);
    souk_json_put_text(out, key, souk_text_of(name));
}

/* Up to where the members of "data" begin. */
static void begin(souk_json_writer *out, souk_text type, souk_time at)
{
    souk_json_write_object(out);
    souk_json_put_text(out, "type", type);
    souk_json_put_time(out, "timestamp", at);
    souk_json_put_object(out, "data");
}

static souk_err end(souk_json_writer *out)
{
    souk_json_write_end(out);
    souk_json_write_end(out);
    return souk_json_write_check(out);
}

/* ---- the person ---------------------------------------------------------------------------------------- */

static void write_shopper(souk_payload *payload, souk_json_writer *out)
{
    char id[33];
    uint32_t shopper = payload->person.shopper;
    souk_json_write_key(out, SOUK_TEXT("shopper"));
    if (shopper && souk_spine_public_id(payload->spine, shopper, id) == SOUK_OK)
        souk_json_write_text(out, souk_text_of(id));
    else
        souk_json_write_null(out); /* a visitor, or erased in this moment */
}

static souk_err find_person(souk_payload *payload, uint32_t atom)
{
    souk_index *index = souk_spine_index(payload->spine);
    souk_index_read(index);
    souk_err err = souk_index_person_of_atom(index, atom, &payload->person);
    souk_index_read_done(index);
    return err;
}

static souk_err ask(souk_payload *payload, souk_text purpose_word, uint32_t atom,
                    souk_grant *ret_grant)
{
    souk_index *index = souk_spine_index(payload->spine);
    const souk_consent *consent = souk_spine_consent(payload->spine);
    souk_time now = souk_clock_now_ms(souk_spine_clock(payload->spine));
    souk_purpose purpose;
    SOUK_TRY(souk_consent_purpose(consent, purpose_word, &purpose));
    souk_index_read(index);
    souk_err err = souk_index_person_of_atom(index, atom, &payload->person);
    if (!err)
        err = souk_consent_ask(consent, index, &payload->person, purpose, SOUK_OPERATOR, now,
                               ret_grant, NULL);
    souk_index_read_done(index);
    return err;
}

/* The event as it was sent; SOUK_ENOENT: it is hers no more. */
static souk_err find_story(souk_payload *payload, const souk_grant *grant, uint64_t position,
                           souk_story **ret_story)
{
    size_t count;
    SOUK_TRY(souk_spine_timeline(payload->spine, &payload->person, grant, position + 1, 1,
                                 &payload->arena, ret_story, &count));
    return count && (*ret_story)->fact.position == position ? SOUK_OK : SOUK_ENOENT;
}

static souk_err write_person(souk_payload *payload, const souk_endpoint *endpoint, uint32_t atom,
                             uint64_t position, souk_json_writer *out,
                             souk_payload_person *ret_person)
{
    souk_grant grant;
    souk_story *story = NULL;
    souk_err err = atom ? ask(payload, endpoint->purpose, atom, &grant) : SOUK_ENOENT;
    if (!err)
        err = find_story(payload, &grant, position, &story);
    bool withheld = err == SOUK_EDENIED || err == SOUK_ETOOBIG;
    if (err && !withheld && err != SOUK_ENOENT && err != SOUK_EERASED)
        return err;
    souk_json_write_key(out, SOUK_TEXT("person"));
    if (err) {
        souk_json_write_null(out);
    } else {
        souk_json_write_object(out);
        write_shopper(payload, out);
        souk_json_write_key(out, SOUK_TEXT("event"));
        if (story->text.bytes)
            souk_json_write_raw(out, story->text); /* the door read it as JSON */
        else
            souk_json_write_null(out);
        souk_json_write_end(out);
    }
    if (withheld) {
        souk_json_put_bool(out, "withheld", true);
    }
    *ret_person = withheld ? SOUK_PAYLOAD_WITHHELD : err ? SOUK_PAYLOAD_NOBODY : SOUK_PAYLOAD_TOLD;
    return SOUK_OK;
}

/* ---- an event ------------------------------------------------------------------------------------------ */

struct finding {
    souk_payload *payload;
    uint64_t position;
};

static bool holds(const souk_block *block, uint64_t position)
{
    return block && position >= block->first_position &&
           position - block->first_position < block->count;
}

static souk_err load_block(souk_tx *tx, void *context)
{
    struct finding *finding = context;
    souk_payload *payload = finding->payload;
    uint64_t first;
    size_t count;
    souk_block_free(souk_take(&payload->block));
    SOUK_TRY(souk_log_find(tx, finding->position, &first, &count));
    return souk_log_columns(payload->mem, tx, first, &payload->block);
}

static souk_err find_fact(souk_payload *payload, uint64_t position, const souk_fact **ret_fact)
{
    struct finding finding = {payload, position};
    if (!holds(payload->block, position))
        SOUK_TRY(souk_ledger_read(souk_spine_ledger(payload->spine), load_block, &finding));
    souk_assert(holds(payload->block, position));
    *ret_fact = &payload->block->facts[position - payload->block->first_position];
    return SOUK_OK;
}

static void write_products(const souk_payload *payload, const souk_fact *fact,
                           souk_json_writer *out)
{
    souk_json_put_array(out, "products");
    for (uint32_t i = 0; i < fact->line_count; i++) {
        const souk_fact_line *line = &payload->block->lines[fact->first_line + i];
        souk_json_write_object(out);
        write_name(payload, out, "product", SOUK_NAME_PRODUCT, line->product);
        write_name(payload, out, "category", SOUK_NAME_CATEGORY, line->category);
        write_micro(out, "quantity", line->quantity_micro);
        write_micro(out, "amount", line->amount_micro);
        souk_json_write_end(out);
    }
    souk_json_write_end(out);
}

static void write_clear(const souk_payload *payload, const souk_fact *fact, souk_json_writer *out)
{
    char currency[4];
    souk_json_put_u64(out, "position", fact->position);
    write_name(payload, out, "event", SOUK_NAME_TYPE, fact->type);
    souk_json_put_time(out, "at", fact->at);
    souk_json_put_time(out, "received", fact->received);
    write_name(payload, out, "store", SOUK_NAME_STORE, fact->store);
    souk_currency_name(fact->currency, currency);
    if (fact->flags & SOUK_EVENT_SALE || fact->amount_micro)
        write_micro(out, "amount", fact->amount_micro);
    if (currency[0])
        souk_json_put_words(out, "currency", currency);
    if (fact->line_count)
        write_products(payload, fact, out);
}

static souk_err write_event(souk_payload *payload, const souk_endpoint *endpoint,
                            const souk_delivery *delivery, souk_json_writer *out,
                            souk_payload_person *ret_person)
{
    const souk_fact *fact;
    char type[SOUK_EVENT_NAME_BYTES + 1];
    SOUK_TRY(find_fact(payload, delivery->position, &fact));
    souk_catalogue_name(souk_spine_catalogue(payload->spine), SOUK_NAME_TYPE, fact->type, type,
                        sizeof type);
    begin(out, type[0] ? souk_text_of(type) : SOUK_TEXT("unnamed"), fact->at);
    write_clear(payload, fact, out);
    if (endpoint->purpose.bytes)
        SOUK_TRY(write_person(payload, endpoint, fact->atom, delivery->position, out, ret_person));
    return end(out);
}

/* ---- Souk's own ---------------------------------------------------------------------------------------- */

static souk_err write_withdrawal(souk_payload *payload, const souk_endpoint *endpoint,
                                 const souk_delivery *delivery, souk_json_writer *out)
{
    const char *word = delivery->number < SOUK_PURPOSE_FIXED
                           ? souk_purpose_word((souk_purpose)delivery->number)
                           : "share";
    souk_json_put_words(out, "purpose", word);
    souk_json_put_time(out, "at", delivery->at);
    if (!endpoint->purpose.bytes)
        return SOUK_OK;
    souk_err err = find_person(payload, delivery->atom);
    if (err) /* erased meanwhile */
        payload->person.shopper = 0;
    write_shopper(payload, out);
    return SOUK_OK;
}

/* Which copies are to be deleted; told to those alone who are told of persons. */
static souk_err write_erased(souk_payload *payload, const souk_endpoint *endpoint,
                             const souk_delivery *delivery, souk_json_writer *out)
{
    enum { DIGITS = 32 };
    souk_auto_value(souk_buf) ids = {.mem = payload->mem};
    souk_json_put_u64(out, "position", delivery->position);
    souk_json_put_time(out, "at", delivery->at);
    if (!endpoint->purpose.bytes)
        return SOUK_OK;
    SOUK_TRY(souk_spine_erased_ids(payload->spine, delivery->position, &ids));
    souk_json_put_array(out, "shoppers");
    for (size_t i = 0; i + DIGITS <= ids.bytes; i += DIGITS)
        souk_json_write_text(out, (souk_text){ids.at + i, DIGITS});
    souk_json_write_end(out);
    return SOUK_OK;
}

static souk_err write_own(souk_payload *payload, const souk_endpoint *endpoint,
                          const souk_delivery *delivery, souk_json_writer *out)
{
    begin(out, souk_text_of(souk_delivery_kind_name(delivery->kind)), delivery->at);
    switch (delivery->kind) {
    case SOUK_DELIVERY_ERASED:
        SOUK_TRY(write_erased(payload, endpoint, delivery, out));
        break;
    case SOUK_DELIVERY_WITHDRAWN:
        SOUK_TRY(write_withdrawal(payload, endpoint, delivery, out));
        break;
    case SOUK_DELIVERY_REJECTS:
        souk_json_put_u64(out, "count", delivery->number);
        souk_json_put_u64(out, "newest", delivery->position);
        souk_json_put_time(out, "at", delivery->at);
        break;
    default:
        souk_json_put_u64(out, "webhook", (uint64_t)endpoint->id);
        break;
    }
    return end(out);
}

souk_err souk_payload_write(souk_payload *payload, const souk_endpoint *endpoint,
                            const souk_delivery *delivery, souk_buf *body,
                            souk_payload_person *ret_person)
{
    souk_json_writer out = {.out = body};
    souk_payload_person person = SOUK_PAYLOAD_NOBODY;
    souk_err err = delivery->kind == SOUK_DELIVERY_EVENT
                       ? write_event(payload, endpoint, delivery, &out, &person)
                       : write_own(payload, endpoint, delivery, &out);
    souk_arena_clear(&payload->arena);
    SOUK_TRY(err);
    *ret_person = person;
    return SOUK_OK;
}
