/* import_shoppers.c - a table of shoppers: a row is an event "Identify" of one, with traits.
 *
 * Required: one of user, card, phone, email, open.  The event's identity is all that the row says, so a file again adds
 * nothing and a row that changed adds what is new; without a column of times it is dated to the import.  Traits have the
 * names of the Segment protocol; what no column means is a trait under its heading. */
#include "service/collect/import_record.h"
#include "service/collect/import_table.h"

#include <stdio.h>

struct state {
    import_table table;
};

static const struct {
    int meaning;
    souk_id_kind kind;
} ids[] = {{IMPORT_S_USER, SOUK_ID_USER},
           {IMPORT_S_CARD, SOUK_ID_CARD},
           {IMPORT_S_PHONE, SOUK_ID_PHONE},
           {IMPORT_S_EMAIL, SOUK_ID_EMAIL},
           {IMPORT_S_OPEN, SOUK_ID_OPEN}};
enum { IDS = sizeof ids / sizeof *ids };

static souk_err ready(import_table *table, souk_diag *diag)
{
    int meanings[IDS];
    for (size_t i = 0; i < IDS; i++)
        meanings[i] = ids[i].meaning;
    return import_guess_need_one(table->guess, meanings, IDS, diag);
}

/* ---- traits ---------------------------------------------------------------------------------------------------- */

static void write_trait(souk_json_writer *json, const char *name, souk_text value)
{
    if (value.bytes == 0)
        return;
    souk_json_write_key(json, souk_text_of(name));
    souk_json_write_text(json, value);
}

/* The day as 2000-01-31; what is none stays as it was told. */
static void write_birthday(const import_table *table, souk_json_writer *json)
{
    souk_text cell = import_table_cell(table, IMPORT_S_BIRTHDAY);
    import_habits habits = table->guess->habits;
    souk_time at;
    char day[24];
    habits.zone = NULL; /* a birthday has no zone */
    if (cell.bytes && import_read_time(cell, &habits, &at)) {
        souk_date date = souk_date_of(souk_time_day(at));
        int bytes = snprintf(day, sizeof day, "%04d-%02u-%02u", (int)date.year,
                             (unsigned)date.month, (unsigned)date.day);
        cell = (souk_text){day, (size_t)bytes};
    }
    write_trait(json, "birthday", cell);
}

static void write_address(const import_table *table, souk_json_writer *json)
{
    static const struct {
        int meaning;
        const char *name;
    } parts[] = {{IMPORT_S_STREET, "street"},
                 {IMPORT_S_POSTCODE, "postalCode"},
                 {IMPORT_S_CITY, "city"},
                 {IMPORT_S_COUNTRY, "country"}};
    bool any = false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        any |= import_table_cell(table, parts[i].meaning).bytes > 0;
    if (!any)
        return;
    souk_json_put_object(json, "address");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        write_trait(json, parts[i].name, import_table_cell(table, parts[i].meaning));
    souk_json_write_end(json);
}

static void write_traits(const import_table *table, souk_json_writer *json)
{
    static const struct {
        int meaning;
        const char *name;
    } traits[] = {{IMPORT_S_EMAIL, "email"},        {IMPORT_S_PHONE, "phone"},
                  {IMPORT_S_NAME, "name"},          {IMPORT_S_FIRST_NAME, "firstName"},
                  {IMPORT_S_LAST_NAME, "lastName"}, {IMPORT_S_GENDER, "gender"},
                  {IMPORT_S_AT, "createdAt"}};
    souk_json_put_object(json, "traits");
    for (size_t i = 0; i < sizeof traits / sizeof *traits; i++)
        write_trait(json, traits[i].name, import_table_cell(table, traits[i].meaning));
    write_birthday(table, json);
    write_address(table, json);
    import_table_write_rest(table, json);
    souk_json_write_end(json);
}

/* ---- a row ------------------------------------------------------------------------------------------------------- */

static souk_err read_who(const import_table *table, souk_event *event, souk_diag *fault)
{
    for (size_t i = 0; i < IDS; i++)
        SOUK_TRY(import_identify(table->sink, event, ids[i].kind,
                                 import_table_cell(table, ids[i].meaning),
                                 table->kind->meanings[ids[i].meaning].name, fault));
    if (event->id_count == 0)
        return souk_diag_say(fault, SOUK_EINVAL,
                             "the row names nobody: no user, card, phone or email");
    return SOUK_OK;
}

static souk_err read_row(import_table *table, souk_diag *fault)
{
    souk_import_sink *sink = table->sink;
    souk_event event = {
        .received = sink->received, .at = sink->received, .type = SOUK_TEXT("Identify")};
    souk_json_writer json = {.out = &table->body};
    enum { prefix = sizeof "shopper/" - 1 };
    char key[prefix + IMPORT_HASH_DIGITS] = "shopper/";
    SOUK_TRY(read_who(table, &event, fault));
    if (import_table_cell(table, IMPORT_S_AT).bytes)
        SOUK_TRY(import_table_time(table, IMPORT_S_AT, -1, &event.at, fault));
    souk_buf_clear(&table->body);
    souk_json_write_object(&json);
    souk_json_put_text(&json, "type", SOUK_TEXT("identify"));
    import_write_who(&json, &event);
    write_traits(table, &json);
    souk_json_write_end(&json);
    SOUK_TRY(souk_json_write_check(&json));
    souk_text body = souk_buf_view(&table->body);
    if (body.bytes > SOUK_IMPORT_BODY_BYTES)
        return souk_diag_say(fault, SOUK_EINVAL, "the row has more than %d bytes: shorten it",
                             SOUK_IMPORT_BODY_BYTES);
    souk_hash128 hash = souk_hashes_message(sink->hashes, sink->source, body);
    import_put_hash(hash, key + prefix);
    event.message = import_identity(sink, (souk_text){key, sizeof key}, 1);
    return sink->room->failed ? SOUK_ENOMEM : souk_import_put_event(sink, sink->rows, &event, body);
}

static souk_err begin(void *opaque, souk_import_sink *sink, souk_diag *diag)
{
    struct state *state = opaque;
    (void)diag;
    return import_table_begin(&state->table, sink, &import_shoppers_kind, ready, read_row);
}

static souk_err feed(void *opaque, souk_text piece, bool last, souk_diag *diag)
{
    struct state *state = opaque;
    return import_table_feed(&state->table, piece, last, diag);
}

static void done(void *opaque)
{
    struct state *state = opaque;
    import_table_done(&state->table);
}

const souk_import_format souk_import_shoppers = {
    .name = "shoppers",
    .summary = "CSV of any heading: a row is a shopper with traits",
    .state_bytes = sizeof(struct state),
    .begin = begin,
    .feed = feed,
    .done = done,
    .tell = import_table_tell,
    .is_mapped = true,
};
