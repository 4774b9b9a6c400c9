/* import_rig.h - for tests and fuzzers of formats: a sink that prints what it is given, and a reading in pieces.
 *
 *     souk_auto_value(souk_buf) out = {.mem = mem};
 *     souk_err err = rig_read(mem, &souk_import_orders, &options, text, 7, &out, &diag);      pieces of 7 bytes
 *
 *     event 2 2026-01-02T00:00:00.000Z Order Completed 9 CNY flags 5 card=90001 | S1 2 7 | S2 1 2 |
 *     product 3 A-1 ...
 *     fault 4 line 5: 'Menge' is no number, or does not fit: {"…":…}
 *     rows 4
 *
 * Each text given is checked: it lies within what was fed or the room, so a slice kept too long is found by ASan: the
 * room is given back after each put. */
#ifndef SOUK_SERVICE_COLLECT_IMPORT_RIG_H
#define SOUK_SERVICE_COLLECT_IMPORT_RIG_H

#include "service/collect/import_format.h"

enum { RIG_BODIES = 1 }; /* print events' texts, too */

typedef struct rig_sink {
    souk_import_sink sink;
    souk_hashes hashes;
    souk_arena room;
    souk_buf *out;
    unsigned flags;
    uint64_t through; /* of the last record */
    uint64_t events, entries, faults;
} rig_sink;

static inline void rig_time(souk_buf *out, souk_time at)
{
    char text[SOUK_TIME_BYTES];
    souk_buf_text(out, (souk_text){text, souk_time_write(at, text)});
}

static inline void rig_decimal(souk_buf *out, souk_decimal decimal)
{
    char text[SOUK_DECIMAL_BYTES];
    souk_buf_byte(out, ' ');
    souk_buf_text(out, (souk_text){text, souk_decimal_write(decimal, text)});
}

/* Records come in the order of their rows, and none of a row that has not begun. */
static inline void rig_order(rig_sink *rig, uint64_t through)
{
    souk_assert(through >= rig->through && through <= rig->sink.rows);
    rig->through = through;
}

static inline void rig_clear(rig_sink *rig)
{
    souk_arena_done(&rig->room);
    rig->room = (souk_arena){.mem = rig->sink.mem};
}

static inline souk_err rig_event(souk_import_sink *sink, uint64_t through, const souk_event *event,
                                 souk_text body)
{
    rig_sink *rig = (rig_sink *)(void *)sink;
    rig_order(rig, through);
    rig->events++;
    souk_assert(body.bytes > 0 && body.bytes <= SOUK_IMPORT_BODY_BYTES + 200);
    souk_assert(event->line_count <= SOUK_EVENT_LINES && event->type.bytes > 0);
    souk_buf_print(rig->out, "event %llu ", (unsigned long long)through);
    rig_time(rig->out, event->at);
    souk_buf_print(rig->out, " %.*s", SOUK_TEXT_PRINT(event->type));
    if (event->store.bytes)
        souk_buf_print(rig->out, " in %.*s", SOUK_TEXT_PRINT(event->store));
    rig_decimal(rig->out, event->amount);
    souk_buf_print(rig->out, " %s flags %u", event->currency, event->flags);
    for (size_t i = 0; i < event->id_count; i++)
        souk_buf_print(rig->out, " %s=%.*s", souk_id_word(event->ids[i].kind),
                       SOUK_TEXT_PRINT(event->ids[i].value));
    souk_buf_print(rig->out, " |");
    for (size_t i = 0; i < event->line_count; i++) {
        const souk_line *line = &event->lines[i];
        souk_assert(line->product.bytes <= SOUK_EVENT_NAME_BYTES);
        souk_assert(line->category.bytes <= SOUK_EVENT_NAME_BYTES);
        souk_buf_print(rig->out, " %.*s", SOUK_TEXT_PRINT(line->product));
        if (line->category.bytes)
            souk_buf_print(rig->out, " (%.*s)", SOUK_TEXT_PRINT(line->category));
        rig_decimal(rig->out, line->quantity);
        rig_decimal(rig->out, line->amount);
        souk_buf_print(rig->out, " |");
    }
    if (rig->flags & RIG_BODIES)
        souk_buf_print(rig->out, " %.*s", SOUK_TEXT_PRINT(body));
    souk_buf_byte(rig->out, '\n');
    rig_clear(rig);
    return souk_buf_check(rig->out);
}

static inline souk_err rig_entry(souk_import_sink *sink, uint64_t through,
                                 const souk_import_entry *entry)
{
    rig_sink *rig = (rig_sink *)(void *)sink;
    const souk_product *product = &entry->product;
    const souk_consent_told *told = &entry->consent;
    rig_order(rig, through);
    rig->entries++;
    if (entry->kind == SOUK_IMPORT_PRODUCT) {
        souk_assert(souk_product_check(product, NULL) == SOUK_OK);
        souk_buf_print(rig->out, "product %llu %.*s", (unsigned long long)through,
                       SOUK_TEXT_PRINT(product->code));
        const souk_text texts[] = {product->title,       product->brand, product->category,
                                   product->gtin,        product->url,   product->image,
                                   product->availability};
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            souk_buf_print(rig->out, " | %.*s", SOUK_TEXT_PRINT(texts[i]));
        souk_buf_print(rig->out, " |");
        if (product->currency[0])
            rig_decimal(rig->out, product->price);
        souk_buf_print(rig->out, " %s | %.*s\n", product->currency,
                       SOUK_TEXT_PRINT(product->attributes));
    } else if (entry->kind == SOUK_IMPORT_STORE) {
        souk_assert(entry->store.code.bytes && entry->store.code.bytes <= SOUK_EVENT_NAME_BYTES);
        souk_buf_print(rig->out, "store %llu %.*s %.*s\n", (unsigned long long)through,
                       SOUK_TEXT_PRINT(entry->store.code), SOUK_TEXT_PRINT(entry->store.text));
    } else {
        souk_buf_print(rig->out, "consent %llu %s=%.*s %.*s %s from ", (unsigned long long)through,
                       souk_id_word(told->kind), SOUK_TEXT_PRINT(told->value),
                       SOUK_TEXT_PRINT(told->purpose), souk_basis_word(told->row.basis));
        rig_time(rig->out, told->row.from);
        souk_assert(told->row.until == 0 || told->row.until > told->row.from);
        if (told->row.until) {
            souk_buf_print(rig->out, " until ");
            rig_time(rig->out, told->row.until);
        }
        souk_buf_print(rig->out, " %s%s '%.*s'\n", souk_age_word(told->age),
                       told->row.guardian ? " guardian" : "", SOUK_TEXT_PRINT(told->row.evidence));
    }
    rig_clear(rig);
    return souk_buf_check(rig->out);
}

static inline souk_err rig_fault(souk_import_sink *sink, const souk_import_fault *fault)
{
    rig_sink *rig = (rig_sink *)(void *)sink;
    rig->faults++;
    souk_assert(fault->diag->words[0]);
    souk_buf_print(rig->out, "fault %llu line %llu: %s: %.*s\n", (unsigned long long)sink->rows,
                   (unsigned long long)fault->line, fault->diag->words,
                   SOUK_TEXT_PRINT(fault->text));
    rig_clear(rig);
    return souk_buf_check(rig->out);
}

static inline bool rig_has(souk_buf *out, const char *what)
{
    return strstr(souk_buf_ended(out), what) != NULL;
}

#define RIG_NOW ((souk_time)1767268800000) /* 2026-01-01T12:00:00Z */

/* The text in pieces, each in memory of its own; chunk_bytes 0: in one. */
static inline souk_err rig_feed(const souk_import_format *format, void *state, souk_text text,
                                size_t chunk_bytes, souk_diag *diag)
{
    bool last = false;
    while (!last) {
        size_t bytes = souk_min_size(chunk_bytes ? chunk_bytes : text.bytes, text.bytes);
        char *piece = souk_mem_get(souk_mem_heap(), bytes + 1);
        last = bytes == text.bytes;
        if (bytes)
            memcpy(piece, text.at, bytes);
        souk_err err = format->feed(state, (souk_text){piece, bytes}, last, diag);
        souk_mem_put(souk_mem_heap(), piece);
        SOUK_TRY(err);
        text = last ? text : (souk_text){text.at + bytes, text.bytes - bytes};
    }
    return SOUK_OK;
}

/* shared: as souk_import_sink has it, may be NULL for formats of one file. */
static inline souk_err rig_read_with(souk_mem *mem, const souk_import_format *format,
                                     const souk_import_options *options, void *shared,
                                     unsigned flags, souk_text text, size_t chunk_bytes,
                                     souk_buf *out, souk_diag *diag)
{
    static const souk_import_options none = {{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0},
                                             {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
    rig_sink rig = {.room = {.mem = mem}, .out = out, .flags = flags};
    rig.sink = (souk_import_sink){.mem = mem,
                                  .hashes = &rig.hashes,
                                  .source = 1,
                                  .received = RIG_NOW,
                                  .options = options ? options : &none,
                                  .shared = shared,
                                  .room = &rig.room,
                                  .event = rig_event,
                                  .entry = rig_entry,
                                  .fault = rig_fault};
    void *state = souk_mem_get(mem, format->state_bytes);
    if (!state)
        return SOUK_ENOMEM;
    souk_err err = format->begin(state, &rig.sink, diag);
    if (!err)
        err = rig_feed(format, state, text, chunk_bytes, diag);
    if (!err)
        souk_buf_print(out, "rows %llu", (unsigned long long)rig.sink.rows);
    if (!err && rig.sink.stayed_out)
        souk_buf_print(out, ", %llu stayed out", (unsigned long long)rig.sink.stayed_out);
    if (!err)
        souk_buf_byte(out, '\n');
    format->done(state);
    souk_mem_put(mem, state);
    souk_arena_done(&rig.room);
    return err ? err : souk_buf_check(out);
}

static inline souk_err rig_read(souk_mem *mem, const souk_import_format *format,
                                const souk_import_options *options, souk_text text,
                                size_t chunk_bytes, souk_buf *out, souk_diag *diag)
{
    return rig_read_with(mem, format, options, NULL, 0, text, chunk_bytes, out, diag);
}

#endif
