/* import_look.c - a file looked at: its sink stores nothing, counts, and keeps the first records to show. */
#include "os/clock.h"
#include "service/collect/import_file.h"
#include "service/collect/import_folder.h"
#include "service/collect/import_format.h"

enum { FAULTS_SHOWN = 5 };

struct look {
    souk_import_sink sink;
    souk_hashes hashes;
    souk_arena room;
    unsigned most; /* records to show */
    uint64_t records, faults;
    uint64_t named;               /* of the records: that name somebody */
    souk_buf shown, faults_shown; /* values of an array, with their commas */
};

static void write_time(souk_json_writer *json, const char *name, souk_time at)
{
    char text[SOUK_TIME_BYTES];
    souk_json_write_key(json, souk_text_of(name));
    souk_json_write_text(json, (souk_text){text, souk_time_write(at, text)});
}

static void write_text(souk_json_writer *json, const char *name, souk_text text)
{
    if (text.bytes == 0)
        return;
    souk_json_write_key(json, souk_text_of(name));
    souk_json_write_text(json, text);
}

static void write_event(souk_json_writer *json, const souk_event *event, souk_text body)
{
    write_time(json, "at", event->at);
    write_text(json, "type", event->type);
    write_text(json, "store", event->store);
    souk_json_write_key(json, SOUK_TEXT("amount"));
    souk_json_write_decimal(json, event->amount);
    write_text(json, "currency", souk_text_of(event->currency));
    souk_json_put_object(json, "identifiers");
    for (size_t i = 0; i < event->id_count; i++)
        write_text(json, souk_id_word(event->ids[i].kind), event->ids[i].value);
    souk_json_write_end(json);
    souk_json_put_array(json, "lines");
    for (size_t i = 0; i < event->line_count; i++) {
        souk_json_write_object(json);
        write_text(json, "product", event->lines[i].product);
        write_text(json, "category", event->lines[i].category);
        souk_json_write_key(json, SOUK_TEXT("quantity"));
        souk_json_write_decimal(json, event->lines[i].quantity);
        souk_json_write_key(json, SOUK_TEXT("amount"));
        souk_json_write_decimal(json, event->lines[i].amount);
        souk_json_write_end(json);
    }
    souk_json_write_end(json);
    souk_json_write_key(json, SOUK_TEXT("text"));
    souk_json_write_raw(json, body);
}

static void write_product(souk_json_writer *json, const souk_product *product)
{
    write_text(json, "product", product->code);
    write_text(json, "title", product->title);
    write_text(json, "brand", product->brand);
    write_text(json, "category", product->category);
    write_text(json, "gtin", product->gtin);
    if (product->currency[0]) {
        souk_json_write_key(json, SOUK_TEXT("price"));
        souk_json_write_decimal(json, product->price);
        write_text(json, "currency", souk_text_of(product->currency));
    }
    write_text(json, "url", product->url);
    write_text(json, "image", product->image);
    write_text(json, "availability", product->availability);
    if (product->attributes.bytes) {
        souk_json_write_key(json, SOUK_TEXT("attributes"));
        souk_json_write_raw(json, product->attributes);
    }
}

static void write_consent(souk_json_writer *json, const souk_consent_told *told)
{
    write_text(json, souk_id_word(told->kind), told->value);
    write_text(json, "purpose", told->purpose);
    write_text(json, "basis", souk_text_of(souk_basis_word(told->row.basis)));
    write_time(json, "from", told->row.from);
    if (told->row.until)
        write_time(json, "until", told->row.until);
    write_text(json, "age", souk_text_of(souk_age_word(told->age)));
    souk_json_put_bool(json, "guardian", told->row.guardian);
    write_text(json, "evidence", told->row.evidence);
}

static void write_store(souk_json_writer *json, const souk_import_entry *entry)
{
    souk_json_put_text(json, "store", entry->store.code);
    souk_json_write_key(json, SOUK_TEXT("described"));
    souk_json_write_raw(json, entry->store.text);
}

/* ---- the sink -------------------------------------------------------------------------------------------------- */

static void begin_value(souk_buf *values, souk_json_writer *json)
{
    if (values->bytes)
        souk_buf_byte(values, ',');
    *json = (souk_json_writer){.out = values};
    souk_json_write_object(json);
}

static souk_err look_at_event(souk_import_sink *sink, uint64_t through, const souk_event *event,
                              souk_text body)
{
    struct look *look = (struct look *)(void *)sink;
    souk_json_writer json;
    (void)through;
    look->named += event->id_count > 0;
    if (look->records++ < look->most) {
        begin_value(&look->shown, &json);
        write_event(&json, event, body);
        souk_json_write_end(&json);
    }
    souk_arena_clear(&look->room);
    return souk_buf_check(&look->shown);
}

static souk_err look_at_entry(souk_import_sink *sink, uint64_t through,
                              const souk_import_entry *entry)
{
    struct look *look = (struct look *)(void *)sink;
    souk_json_writer json;
    (void)through;
    look->named += entry->kind == SOUK_IMPORT_CONSENT;
    if (look->records++ < look->most) {
        begin_value(&look->shown, &json);
        if (entry->kind == SOUK_IMPORT_PRODUCT)
            write_product(&json, &entry->product);
        else if (entry->kind == SOUK_IMPORT_STORE)
            write_store(&json, entry);
        else
            write_consent(&json, &entry->consent);
        souk_json_write_end(&json);
    }
    souk_arena_clear(&look->room);
    return souk_buf_check(&look->shown);
}

static souk_err look_at_fault(souk_import_sink *sink, const souk_import_fault *fault)
{
    struct look *look = (struct look *)(void *)sink;
    souk_json_writer json;
    if (look->faults++ < FAULTS_SHOWN) {
        begin_value(&look->faults_shown, &json);
        souk_json_put_u64(&json, "line", fault->line ? fault->line : sink->rows);
        write_text(&json, "fault", souk_text_of(fault->diag->words));
        souk_json_write_end(&json);
    }
    souk_arena_clear(&look->room);
    return souk_buf_check(&look->faults_shown);
}

/* ---- the file --------------------------------------------------------------------------------------------------- */

static void write_array(souk_json_writer *out, const char *name, const souk_buf *values)
{
    souk_json_write_key(out, souk_text_of(name));
    souk_json_write_array(out);
    if (values->bytes)
        souk_json_write_raw(out, souk_buf_view(values));
    souk_json_write_end(out);
}

struct counts {
    uint64_t rows, records, faults, rejected, named;
};

static void add_counts(struct counts *sum, const struct look *look)
{
    sum->rows += look->sink.rows;
    sum->records += look->records;
    sum->faults += look->faults;
    sum->rejected += look->faults + look->sink.stayed_out;
    sum->named += look->named;
}

static void tell_counts(const struct counts *counts, souk_json_writer *out)
{
    souk_json_put_u64(out, "rows", counts->rows);
    souk_json_put_u64(out, "records", counts->records);
    souk_json_put_u64(out, "named", counts->named);
    souk_json_put_u64(out, "faults", counts->faults);
    souk_json_put_u64(out, "rejected", counts->rejected);
}

/* Members of an open object. */
static void tell_look(const struct look *look, const souk_import_format *format, const void *state,
                      souk_json_writer *out)
{
    struct counts counts = {.rows = 0};
    if (format->tell)
        format->tell(state, out);
    if (!look->most)
        return;
    add_counts(&counts, look);
    tell_counts(&counts, out);
    write_array(out, "first", &look->shown);
    write_array(out, "first_faults", &look->faults_shown);
}

/* A look without records ends with the first piece: the guess is made of less. */
static souk_err read_pieces(const struct look *look, const souk_import_format *format, void *state,
                            import_file *file, souk_diag *diag)
{
    do {
        SOUK_TRY(import_file_next(file, diag));
        SOUK_TRY(format->feed(state, file->piece, file->piece.bytes == 0, diag));
    } while (file->piece.bytes && (look->most || file->bytes <= IMPORT_PIECE_BYTES));
    return SOUK_OK;
}

static souk_err look_through(struct look *look, const souk_import_format *format, void *state,
                             import_file *file, souk_json_writer *out, souk_diag *diag)
{
    SOUK_TRY(import_file_peek(file, diag));
    souk_err err = format->begin(state, &look->sink, diag);
    if (!err)
        err = read_pieces(look, format, state, file, diag);
    if (!err)
        tell_look(look, format, state, out);
    format->done(state);
    return err;
}

/* What is to be looked at, and with what. */
struct looking {
    souk_mem *mem;
    const souk_import *import;
    const souk_import_format *format;
    void *shared;
    unsigned records;
    souk_json_writer *out;
    struct counts sum;
};

static souk_err look_at_file(struct looking *looking, const char *path, souk_diag *diag)
{
    souk_mem *mem = looking->mem;
    import_file file = {.path = path, .fd = -1, .room.mem = mem};
    struct look look = {.room = {.mem = mem},
                        .shown = {.mem = mem},
                        .faults_shown = {.mem = mem},
                        .most = looking->records};
    void *state = souk_mem_get(mem, looking->format->state_bytes);
    look.sink = (souk_import_sink){.mem = mem,
                                   .hashes = &look.hashes,
                                   .received = souk_clock_now_ms(souk_clock_real()),
                                   .options = &looking->import->options,
                                   .shared = looking->shared,
                                   .room = &look.room,
                                   .event = look_at_event,
                                   .entry = look_at_entry,
                                   .fault = look_at_fault};
    souk_err err = state ? look_through(&look, looking->format, state, &file, looking->out, diag)
                         : SOUK_ENOMEM;
    add_counts(&looking->sum, &look);
    souk_mem_put(mem, state);
    souk_arena_done(&look.room);
    souk_buf_done(&look.shown);
    souk_buf_done(&look.faults_shown);
    import_file_done(&file);
    return err;
}

static souk_err look_at_folder(struct looking *looking, const char *path, souk_diag *diag)
{
    souk_auto_value(import_folder) folder = {.mem = looking->mem};
    souk_json_writer *out = looking->out;
    SOUK_TRY(import_folder_list(&folder, looking->format, path, diag));
    souk_json_put_array(out, "files");
    for (size_t i = 0; i < folder.count; i++) {
        const import_folder_file *file = &folder.files[i];
        souk_json_write_object(out);
        souk_json_put_text(out, "file", souk_text_of(import_folder_name(file->path)));
        if (file->part)
            SOUK_TRY(look_at_file(looking, file->path, diag));
        else
            souk_json_put_bool(out, "passed_over", true);
        souk_json_write_end(out);
    }
    souk_json_write_end(out);
    tell_counts(&looking->sum, out);
    return SOUK_OK;
}

souk_err souk_import_look(souk_mem *mem, const souk_import *import, souk_text name,
                          const char *path, unsigned records, souk_json_writer *out,
                          souk_diag *diag)
{
    struct looking looking = {.mem = mem,
                              .import = import,
                              .format = souk_import_find(name),
                              .records = records,
                              .out = out};
    if (!looking.format)
        return souk_diag_say(diag, SOUK_EINVAL, "'%.*s' is no format; there is: %s",
                             SOUK_TEXT_PRINT(name), souk_import_list());
    looking.shared = souk_mem_get(mem, souk_max_size(looking.format->shared_bytes, 1));
    if (!looking.shared)
        return SOUK_ENOMEM;
    souk_json_write_object(out);
    souk_json_put_text(out, "format", souk_text_of(looking.format->name));
    souk_err err = import_folder_is(looking.format, path) ? look_at_folder(&looking, path, diag)
                                                          : look_at_file(&looking, path, diag);
    souk_json_write_end(out);
    if (looking.format->shared_done)
        looking.format->shared_done(looking.shared, mem);
    souk_mem_put(mem, looking.shared);
    return err ? err : souk_buf_check(out->out);
}
