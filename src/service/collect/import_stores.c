/* import_stores.c - a table of stores: a row is what a store's code in events stands for (core/store.h).
 *
 * Required: a code.  Without a name a store that nobody has described is called by its code.  What is told replaces what was
 * known under the same name, and the rest of what is known stays: cells that are empty take nothing away.  What no column
 * means goes to "attributes" under its heading.  A code that stands twice in a file is a fault. */
#include "base/utf8.h"
#include "core/store.h"
#include "service/collect/import_record.h"
#include "service/collect/import_table.h"

#include <stdio.h>

struct state {
    import_table table;
    import_ordinals codes;
    souk_json_doc doc; /* of the row in hand, to be checked as at any door */
    souk_arena arena;
};

static souk_err ready(import_table *table, souk_diag *diag)
{
    return import_guess_need(table->guess, IMPORT_ST_CODE, diag);
}

static void write_cell(const import_table *table, int meaning, const char *name,
                       souk_json_writer *json)
{
    souk_text cell = import_table_cell(table, meaning);
    if (cell.bytes)
        souk_json_put_text(json, name, cell);
}

/* "9:30", "9:30 AM" as "09:30". */
static souk_err write_hour(const import_table *table, int meaning, const char *name,
                           souk_json_writer *json, souk_diag *fault)
{
    souk_text cell = import_table_cell(table, meaning);
    char clock[16];
    int64_t ms;
    if (cell.bytes == 0)
        return SOUK_OK;
    if (!import_read_time_of_day(cell, &ms))
        return import_table_blame(table, meaning, "is no time of day: write it as 09:30", fault);
    snprintf(clock, sizeof clock, "%02d:%02d", (int)(ms / 3600000), (int)(ms / 60000 % 60));
    souk_json_put_text(json, name, souk_text_of(clock));
    return SOUK_OK;
}

static souk_err write_address(const import_table *table, souk_json_writer *json)
{
    static const struct {
        int meaning;
        const char *name;
    } parts[] = {{IMPORT_ST_STREET, "street"},
                 {IMPORT_ST_POSTCODE, "postcode"},
                 {IMPORT_ST_CITY, "city"},
                 {IMPORT_ST_COUNTRY, "country"}};
    bool any = false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        any |= import_table_cell(table, parts[i].meaning).bytes > 0;
    if (!any)
        return SOUK_OK;
    souk_json_put_object(json, "address");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        write_cell(table, parts[i].meaning, parts[i].name, json);
    souk_json_write_end(json);
    return SOUK_OK;
}

static souk_err write_place(const import_table *table, souk_json_writer *json, souk_diag *fault)
{
    static const struct {
        int meaning, most;
        const char *name, *words;
    } parts[] = {
        {IMPORT_ST_LAT, 90, "latitude", "is no latitude: write degrees, from -90 to 90"},
        {IMPORT_ST_LON, 180, "longitude", "is no longitude: write degrees, from -180 to 180"}};
    souk_decimal degrees[2];
    bool there[2] = {false};
    for (size_t i = 0; i < 2; i++) {
        souk_text cell = import_table_cell(table, parts[i].meaning);
        int64_t most = (int64_t)parts[i].most * 1000000;
        there[i] = cell.bytes > 0;
        if (there[i] && (!import_read_number(cell, &table->guess->habits, &degrees[i]) ||
                         degrees[i].micro > most || degrees[i].micro < -most))
            return import_table_blame(table, parts[i].meaning, parts[i].words, fault);
    }
    if (there[0] != there[1])
        return souk_diag_say(fault, SOUK_EINVAL,
                             "the row has one of latitude and longitude: write both, or none");
    if (!there[0])
        return SOUK_OK;
    souk_json_put_object(json, "location");
    for (size_t i = 0; i < 2; i++) {
        souk_json_write_key(json, souk_text_of(parts[i].name));
        souk_json_write_decimal(json, degrees[i]);
    }
    souk_json_write_end(json);
    return SOUK_OK;
}

static souk_err write_store(import_table *table, souk_json_writer *json, souk_diag *fault)
{
    const import_table *of = table;
    char currency[4] = "";
    souk_text zone = import_table_cell(of, IMPORT_ST_ZONE);
    if (zone.bytes == 0)
        zone = of->sink->options->zone;
    SOUK_TRY(import_table_currency(of, IMPORT_ST_CURRENCY, currency, fault));
    souk_buf_clear(&table->body);
    souk_json_write_object(json);
    write_cell(of, IMPORT_ST_NAME, "name", json);
    if (zone.bytes)
        souk_json_put_text(json, "time_zone", zone);
    if (currency[0])
        souk_json_put_text(json, "currency", souk_text_of(currency));
    SOUK_TRY(write_hour(of, IMPORT_ST_OPENS, "opens", json, fault));
    SOUK_TRY(write_hour(of, IMPORT_ST_CLOSES, "closes", json, fault));
    SOUK_TRY(write_address(of, json));
    SOUK_TRY(write_place(of, json, fault));
    if (import_table_has_rest(of)) {
        souk_json_put_object(json, "attributes");
        import_table_write_rest(of, json);
        souk_json_write_end(json);
    }
    souk_json_write_end(json);
    return souk_json_write_check(json);
}

/* As what is sent to /v1/stores is. */
static souk_err check(struct state *state, souk_text text, souk_diag *fault)
{
    SOUK_TRY(souk_json_read(&state->doc, text, NULL, fault));
    souk_arena_clear(&state->arena);
    return souk_store_check(&state->doc, false, &state->arena, fault);
}

static souk_err read_row(import_table *table, souk_diag *fault)
{
    struct state *state = (struct state *)(void *)table;
    souk_import_sink *sink = table->sink;
    souk_import_entry entry = {.kind = SOUK_IMPORT_STORE};
    souk_json_writer json = {.out = &table->body};
    souk_text code = import_table_cell(table, IMPORT_ST_CODE);
    uint32_t ordinal;
    if (code.bytes == 0 || code.bytes > SOUK_EVENT_NAME_BYTES)
        return import_table_blame(table, IMPORT_ST_CODE, "is empty or above 100 bytes", fault);
    if (!souk_utf8_plain(code))
        return import_table_blame(table, IMPORT_ST_CODE, "has a control character: mend it", fault);
    SOUK_TRY(write_store(table, &json, fault));
    souk_text text = souk_buf_view(&table->body);
    if (text.bytes > SOUK_IMPORT_BODY_BYTES)
        return souk_diag_say(fault, SOUK_EINVAL, "the row has more than %d bytes: shorten it",
                             SOUK_IMPORT_BODY_BYTES);
    SOUK_TRY(check(state, text, fault));
    SOUK_TRY(import_ordinal_next(&state->codes, import_order_hash(sink, code), &ordinal));
    if (ordinal > 1)
        return import_table_blame(table, IMPORT_ST_CODE,
                                  "stands in this file before: one row a store", fault);
    entry.store.code = import_keep(sink, code);
    entry.store.text = import_keep(sink, text);
    return sink->room->failed ? SOUK_ENOMEM : souk_import_put_entry(sink, sink->rows, &entry);
}

static souk_err begin(void *opaque, souk_import_sink *sink, souk_diag *diag)
{
    struct state *state = opaque;
    (void)diag;
    state->codes.mem = state->doc.mem = state->arena.mem = sink->mem;
    return import_table_begin(&state->table, sink, &import_stores_kind, ready, read_row);
}

static souk_err feed(void *opaque, souk_text piece, bool last, souk_diag *diag)
{
    struct state *state = opaque;
    return import_table_feed(&state->table, piece, last, diag);
}

static void done(void *opaque)
{
    struct state *state = opaque;
    import_ordinals_done(&state->codes);
    souk_json_doc_done(&state->doc);
    souk_arena_done(&state->arena);
    import_table_done(&state->table);
}

const souk_import_format souk_import_stores = {
    .name = "stores",
    .summary = "CSV of any heading: a row is a store",
    .state_bytes = sizeof(struct state),
    .begin = begin,
    .feed = feed,
    .done = done,
    .tell = import_table_tell,
    .is_mapped = true,
    .has_entries = true,
};
