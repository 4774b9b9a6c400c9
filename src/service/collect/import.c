/* import.c - which formats there are, and a file or a folder of them from its first piece to its last (import.h).
 *
 *     file (import_file.c) -> pieces -> format (its reader) -> records -> sink (import_batches.c) -> shop */
#include "service/collect/import_batches.h"
#include "service/collect/import_folder.h"

#include <stdio.h>

static const souk_import_format *const formats[] = {
    &souk_import_orders,        &souk_import_products,  &souk_import_stores,
    &souk_import_shoppers,      &souk_import_consents,  &souk_import_merchant_feed,
    &souk_import_online_retail, &souk_import_tafeng,    &souk_import_complete_journey,
    &souk_import_cdnow,         &souk_import_groceries, &souk_import_events,
    &souk_import_poslog,
};
enum { FORMATS = sizeof formats / sizeof *formats };

const souk_import_format *souk_import_find(souk_text name)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (souk_text_equal(name, souk_text_of(formats[i]->name)))
            return formats[i];
    return NULL;
}

/* Rejects made before places named the file say "line 3" alone. */
bool souk_import_place(souk_text place, souk_text *ret_row)
{
    souk_text import = SOUK_TEXT("import ");
    *ret_row = place;
    if (souk_text_starts(place, SOUK_TEXT("line ")) ||
        souk_text_starts(place, SOUK_TEXT("record ")))
        return true;
    if (!souk_text_starts(place, import))
        return false;
    souk_text_cut(ret_row, ':');
    *ret_row = souk_text_trim(*ret_row);
    return true;
}

bool souk_import_known(souk_text format)
{
    return souk_import_find(format) != NULL;
}

bool souk_import_is_mapped(souk_text format)
{
    const souk_import_format *found = souk_import_find(format);
    return found && found->is_mapped;
}

const char *souk_import_at(size_t i, const char **ret_summary)
{
    *ret_summary = i < FORMATS ? formats[i]->summary : NULL;
    return i < FORMATS ? formats[i]->name : NULL;
}

static char names[400];

__attribute__((constructor)) static void list_names(void)
{
    for (size_t i = 0; i < FORMATS; i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? ", " : "",
                 formats[i]->name);
}

const char *souk_import_list(void)
{
    return names;
}

/* ---- one file -------------------------------------------------------------------------------------------- */

struct run {
    souk_mem *mem;
    souk_import *import;
    const souk_import_format *format;
    void *shared;
    import_customers customers;
    uint64_t bytes_before, bytes_total; /* of a folder */
};

static souk_err read_pieces(const souk_import_format *format, void *state, import_file *file,
                            souk_diag *diag)
{
    do {
        SOUK_TRY(import_file_next(file, diag));
        SOUK_TRY(format->feed(state, file->piece, file->piece.bytes == 0, diag));
    } while (file->piece.bytes);
    return import_file_check(file, diag);
}

static souk_err read_file(struct run *run, void *state, import_file *file, uint64_t bytes_here,
                          souk_diag *diag)
{
    souk_auto(import_batches) batches = NULL;
    import_batches_options options = {.import = run->import,
                                      .format = run->format,
                                      .file = file,
                                      .shared = run->shared,
                                      .bytes_before = run->bytes_before,
                                      .bytes_here = bytes_here,
                                      .bytes_total = run->bytes_total};
    SOUK_TRY(import_file_open(file, diag));
    SOUK_TRY(import_batches_new(run->mem, &options, &run->customers, &batches, diag));
    souk_import_sink *sink = import_batches_sink(batches);
    souk_err err = run->format->begin(state, sink, diag);
    if (!err)
        err = read_pieces(run->format, state, file, diag);
    run->import->rows += sink->rows;
    run->import->rejected += sink->stayed_out;
    err = import_batches_end(batches, err);
    run->format->done(state);
    return err;
}

static souk_err import_one(struct run *run, const char *path, uint64_t bytes_here, souk_diag *diag)
{
    import_file file = {.path = path, .fd = -1, .room.mem = run->mem};
    void *state = souk_mem_get(run->mem, run->format->state_bytes);
    souk_err err = state ? read_file(run, state, &file, bytes_here, diag) : SOUK_ENOMEM;
    souk_mem_put(run->mem, state);
    import_file_done(&file);
    return err;
}

/* ---- a folder ---------------------------------------------------------------------------------------------- */

static souk_err import_folder_of(struct run *run, const char *path, souk_diag *diag)
{
    souk_auto_value(import_folder) folder = {.mem = run->mem};
    SOUK_TRY(import_folder_list(&folder, run->format, path, diag));
    size_t first = folder.count - folder.parts;
    for (size_t i = first; i < folder.count; i++)
        run->bytes_total += folder.files[i].bytes;
    for (size_t i = first; i < folder.count; i++) {
        SOUK_TRY(import_one(run, folder.files[i].path, folder.files[i].bytes, diag));
        run->bytes_before += folder.files[i].bytes;
    }
    return SOUK_OK;
}

souk_err souk_import_file(souk_mem *mem, souk_import *import, souk_text format, const char *path,
                          souk_diag *diag)
{
    struct run run = {.mem = mem,
                      .import = import,
                      .format = souk_import_find(format),
                      .customers = {.mem = mem}};
    if (!run.format)
        return souk_diag_say(diag, SOUK_EINVAL, "'%.*s' is no format; there is: %s",
                             SOUK_TEXT_PRINT(format), souk_import_list());
    import->has_entries = run.format->has_entries;
    if (run.format->shared_bytes && !(run.shared = souk_mem_get(mem, run.format->shared_bytes)))
        return SOUK_ENOMEM;
    souk_err err = import_folder_is(run.format, path) ? import_folder_of(&run, path, diag)
                                                      : import_one(&run, path, 0, diag);
    if (run.shared)
        run.format->shared_done(run.shared, mem);
    souk_mem_put(mem, run.shared);
    import_customers_done(&run.customers);
    return err;
}
