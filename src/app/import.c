/* import.c - `souk import FORMAT FILE`, with a bar, resumable, and what the importer states. */
#include "service/collect/import.h"
#include "app/app.h"
#include "base/progress.h"

static souk_err show_import(void *context, uint64_t done, uint64_t total)
{
    souk_progress *bar = context;
    bar->options.total = total;
    souk_progress_set(bar, done);
    return app_interrupted() ? SOUK_EINTERRUPT : SOUK_OK;
}

static souk_err read_statement(const app_options *options, souk_statement *statement,
                               souk_diag *diag)
{
    for (size_t i = 0; i < options->base_count; i++)
        SOUK_TRY(souk_statement_read(statement, souk_text_of(options->bases[i]), diag));
    if (!options->age_band)
        return SOUK_OK;
    if (strcmp(options->age_band, "adult") != 0)
        return souk_diag_say(diag, SOUK_EINVAL, "--age-band takes 'adult', or is left out");
    statement->age = SOUK_AGE_ADULT;
    return SOUK_OK;
}

static void write_result(const souk_import *import, souk_json_writer *json)
{
    const struct {
        const char *name;
        uint64_t value;
    } fields[] = {{"rows", import->rows},         {"events", import->events},
                  {"repeats", import->repeats},   {"rejected", import->rejected},
                  {"shoppers", import->shoppers}, {"resumed", import->resumed}};
    souk_json_write_object(json);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        souk_json_write_key(json, souk_text_of(fields[i].name));
        souk_json_write_u64(json, fields[i].value);
    }
    souk_json_write_end(json);
}

static souk_err import_file(const app_options *options, app_shop *shop,
                            const souk_statement *statement, souk_diag *diag)
{
    souk_auto_value(souk_progress) bar = {0};
    souk_auto_value(souk_buf) out = {.mem = souk_mem_heap()};
    souk_json_writer json = {.out = &out};
    souk_import import = {.spine = shop->spine, .progress = show_import, .context = &bar};
    const char *name = options->source ? options->source : options->operands[0];
    souk_err err = souk_merchants_source(shop->merchants, SOUK_OPERATOR, souk_text_of(name),
                                         statement, &import.source, NULL);
    if (err == SOUK_ECONFLICT)
        return souk_diag_say(diag, err,
                             "source '%s' stated something else before: name another with --source",
                             name);
    SOUK_TRY(err);
    souk_progress_start(&bar, &(souk_progress_options){.label = "import", .unit = "bytes"});
    SOUK_TRY(souk_import_file(souk_mem_heap(), &import, souk_text_of(options->operands[0]),
                              options->operands[1], diag));
    souk_progress_finish(&bar);
    write_result(&import, &json);
    SOUK_TRY(souk_json_write_check(&json));
    app_print(options, souk_buf_view(&out));
    return SOUK_OK;
}

souk_err app_import(const app_options *options, souk_diag *diag)
{
    souk_statement statement = {.age = SOUK_AGE_UNKNOWN};
    app_shop shop = {.disk = NULL};
    if (options->operand_count != 2)
        return souk_diag_say(diag, SOUK_EINVAL, "souk import online-retail FILE");
    SOUK_TRY(read_statement(options, &statement, diag));
    app_catch_signals();
    SOUK_TRY(app_shop_open(options, &shop, diag));
    souk_err err = import_file(options, &shop, &statement, diag);
    souk_err closed = app_shop_close(&shop);
    return err ? err : closed;
}
