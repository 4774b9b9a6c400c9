/* import_record.c - see import_record.h. */
#include "service/collect/import_record.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- ordinals -------------------------------------------------------------------------------------------- */

enum { ORDINALS_FIRST = 1024 };

void import_ordinals_done(import_ordinals *ordinals)
{
    souk_mem_put(ordinals->mem, ordinals->places);
    *ordinals = (import_ordinals){.mem = ordinals->mem};
}

static void place(struct import_ordinal *places, size_t capacity, struct import_ordinal ordinal)
{
    size_t at = ordinal.hash & (capacity - 1);
    while (places[at].count)
        at = (at + 1) & (capacity - 1);
    places[at] = ordinal;
}

static souk_err make_room(import_ordinals *ordinals)
{
    if ((ordinals->count + 1) * 2 <= ordinals->capacity)
        return SOUK_OK;
    size_t capacity = souk_max_size(ORDINALS_FIRST, ordinals->capacity * 2);
    struct import_ordinal *grown = souk_mem_array(ordinals->mem, capacity, sizeof *grown);
    if (!grown)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < ordinals->capacity; i++)
        if (ordinals->places[i].count)
            place(grown, capacity, ordinals->places[i]);
    souk_mem_put(ordinals->mem, ordinals->places);
    ordinals->places = grown;
    ordinals->capacity = capacity;
    return SOUK_OK;
}

static struct import_ordinal *find(import_ordinals *ordinals, uint64_t hash)
{
    size_t mask = ordinals->capacity - 1, at = hash & mask;
    while (ordinals->places[at].count && ordinals->places[at].hash != hash)
        at = (at + 1) & mask;
    return &ordinals->places[at];
}

souk_err import_ordinal_next(import_ordinals *ordinals, uint64_t hash, uint32_t *ret_ordinal)
{
    SOUK_TRY(make_room(ordinals));
    struct import_ordinal *ordinal = find(ordinals, hash);
    ordinals->count += ordinal->count == 0;
    ordinal->hash = ordinals->last = hash;
    ordinal->count++;
    ordinal->is_lost |= ordinals->next_is_lost;
    ordinals->has_last = true;
    ordinals->next_is_lost = false;
    *ret_ordinal = ordinal->is_lost ? 0 : ordinal->count;
    return SOUK_OK;
}

void import_ordinal_lose(import_ordinals *ordinals, uint64_t hash)
{
    find(ordinals, hash)->is_lost = true;
}

void import_ordinals_lose(import_ordinals *ordinals)
{
    if (ordinals->has_last)
        import_ordinal_lose(ordinals, ordinals->last);
    ordinals->next_is_lost = true;
}

void import_ordinal_add(import_ordinals *ordinals, uint64_t hash, uint32_t count)
{
    if (count)
        find(ordinals, hash)->count += count;
}

uint64_t import_order_hash(const souk_import_sink *sink, souk_text order)
{
    return souk_hashes_message(sink->hashes, sink->source, order).low;
}

souk_hash128 import_identity(const souk_import_sink *sink, souk_text order, uint32_t ordinal)
{
    char id[IMPORT_ORDER_BYTES + 5];
    souk_assert(order.bytes <= IMPORT_ORDER_BYTES);
    if (order.bytes)
        memcpy(id, order.at, order.bytes);
    id[order.bytes] = '#';
    souk_put_u32(id + order.bytes + 1, ordinal);
    return souk_hashes_message(sink->hashes, sink->source, (souk_text){id, order.bytes + 5});
}

void import_put_hash(souk_hash128 hash, char to[IMPORT_HASH_DIGITS])
{
    uint64_t halves[] = {__builtin_bswap64(hash.high), __builtin_bswap64(hash.low)};
    souk_hex(halves, sizeof halves, to);
}

/* ---- whose ------------------------------------------------------------------------------------------------ */

void import_add_words(souk_diag *fault, const char *format, ...)
{
    size_t bytes = strlen(fault->words);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault->words + bytes, sizeof fault->words - bytes, format, arguments);
    va_end(arguments);
}

souk_text import_keep(souk_import_sink *sink, souk_text text)
{
    return (souk_text){souk_arena_copy(sink->room, text.at, text.bytes), text.bytes};
}

souk_err import_identify(souk_import_sink *sink, souk_event *event, souk_id_kind kind,
                         souk_text value, const char *name, souk_diag *diag)
{
    char room[SOUK_ID_BYTES];
    souk_text normal;
    if (value.bytes == 0)
        return SOUK_OK;
    if (souk_id_normalise(kind, value, room, &normal))
        return souk_diag_say(diag, SOUK_EINVAL, "%s is no identifier", name);
    souk_event_identify(event, sink->hashes, kind, import_keep(sink, normal));
    return sink->room->failed ? SOUK_ENOMEM : SOUK_OK;
}

void import_write_who(souk_json_writer *json, const souk_event *event)
{
    size_t others = 0;
    for (size_t i = 0; i < event->id_count; i++) {
        souk_id_kind kind = event->ids[i].kind;
        others += kind != SOUK_ID_USER && kind != SOUK_ID_ANONYMOUS;
        if (kind != SOUK_ID_USER && kind != SOUK_ID_ANONYMOUS)
            continue;
        souk_json_write_key(json,
                            kind == SOUK_ID_USER ? SOUK_TEXT("userId") : SOUK_TEXT("anonymousId"));
        souk_json_write_text(json, event->ids[i].value);
    }
    if (others == 0)
        return;
    souk_json_put_object(json, "context");
    souk_json_put_array(json, "externalIds");
    for (size_t i = 0; i < event->id_count; i++) {
        souk_id_kind kind = event->ids[i].kind;
        if (kind == SOUK_ID_USER || kind == SOUK_ID_ANONYMOUS)
            continue;
        souk_json_write_object(json);
        souk_json_put_text(json, "type", souk_text_of(souk_id_word(kind)));
        souk_json_put_text(json, "id", event->ids[i].value);
        souk_json_write_end(json);
    }
    souk_json_write_end(json);
    souk_json_write_end(json);
}
