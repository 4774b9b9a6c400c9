/* import.c - `souk import FORMAT FILE`: what a table's columns are taken for, on stderr; then a job where the owner
 * is, resumable.  --dry-run reads the file here and stores nothing: it needs no shop. */
#include "service/collect/import.h"
#include "app/app.h"

enum { RECORDS_SHOWN = 5, SAMPLE_WIDTH = 26, NAME_WIDTH = 22 };

struct app_import_option {
    const char *name;
    const char *value;
};
enum { OPTIONS = 8 };

static void list_options(const app_options *options, struct app_import_option list[OPTIONS])
{
    const struct app_import_option all[OPTIONS] = {{"map", options->map},
                                                   {"encoding", options->encoding},
                                                   {"separator", options->separator},
                                                   {"quote", options->quote},
                                                   {"decimal", options->decimal},
                                                   {"dates", options->dates},
                                                   {"zone", options->zone},
                                                   {"currency", options->currency}};
    memcpy(list, all, sizeof all);
}

/* ---- the table of columns ------------------------------------------------------------------------------------ */

struct showing {
    const souk_json_doc *doc;
    souk_arena *arena;
};

static souk_text text_at(const struct showing *showing, souk_json_node object, const char *key)
{
    return souk_field(showing->doc, object, key, showing->arena);
}

/* Characters that a terminal shows two wide: those of Chinese, Japanese and Korean (Unicode's East Asian Width). */
static int width_of(souk_text text)
{
    int width = 0;
    for (size_t i = 0; i < text.bytes; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        width += (byte & 0xC0) != 0x80;
        width += byte >= 0xE3 && byte <= 0xED;
    }
    return width;
}

/* Cut or filled to a width; control characters, which a cell may hold, as '.', for the terminal's sake. */
static void print_cell(souk_text text, int width)
{
    souk_text shown = {text.at, 0};
    for (size_t i = 0; i < text.bytes; i++) {
        if (i + 1 < text.bytes && ((unsigned char)text.at[i + 1] & 0xC0) == 0x80)
            continue; /* within a character */
        souk_text longer = {text.at, i + 1};
        if (width_of(longer) > width)
            break;
        shown = longer;
    }
    for (size_t i = 0; i < shown.bytes; i++) {
        unsigned char byte = (unsigned char)shown.at[i];
        bool is_c1 = byte == 0xC2 && i + 1 < shown.bytes && (unsigned char)shown.at[i + 1] < 0xA0;
        fputc(byte < 32 || byte == 127 || is_c1 ? '.' : byte, stderr);
        i += is_c1;
    }
    for (int i = width_of(shown); i < width + 2; i++)
        fputc(' ', stderr);
}

static void print_column(const struct showing *showing, souk_json_node column)
{
    int64_t confidence = 0;
    souk_text meaning = text_at(showing, column, "meaning");
    if (souk_json_i64(showing->doc, souk_json_member(showing->doc, column, SOUK_TEXT("confidence")),
                      &confidence))
        confidence = 0;
    fputs("  ", stderr);
    print_cell(text_at(showing, column, "column"), NAME_WIDTH);
    print_cell(meaning.bytes ? meaning : SOUK_TEXT("-"), 12);
    print_cell(text_at(showing, column, "sample"), SAMPLE_WIDTH);
    if (meaning.bytes)
        fprintf(stderr, "%3d %%  ", (int)confidence);
    else
        fputs("       ", stderr);
    fprintf(stderr, "%.*s\n", SOUK_TEXT_PRINT(text_at(showing, column, "why")));
}

static void print_mapping(const struct showing *showing)
{
    static const char *const habits[] = {"encoding", "separator", "quote",   "decimal",
                                         "dates",    "zone",      "currency"};
    souk_json_node root = souk_json_root(showing->doc);
    souk_json_node columns = souk_json_member(showing->doc, root, SOUK_TEXT("columns"));
    souk_json_node notes = souk_json_member(showing->doc, root, SOUK_TEXT("notes"));
    if (columns == SOUK_JSON_NONE)
        return;
    for (size_t i = 0; i < sizeof habits / sizeof *habits; i++) {
        souk_text value = text_at(showing, root, habits[i]);
        if (value.bytes)
            fprintf(stderr, "%s%s %.*s", i ? "   " : "", habits[i], SOUK_TEXT_PRINT(value));
    }
    fputs("\n  ", stderr);
    print_cell(SOUK_TEXT("COLUMN"), NAME_WIDTH);
    print_cell(SOUK_TEXT("MEANS"), 12);
    print_cell(SOUK_TEXT("FOR EXAMPLE"), SAMPLE_WIDTH);
    fputs(" SURE  WHY\n", stderr);
    for (souk_json_node column = souk_json_first(showing->doc, columns); column != SOUK_JSON_NONE;
         column = souk_json_next(showing->doc, column))
        print_column(showing, column);
    for (souk_json_node note = souk_json_first(showing->doc, notes); note != SOUK_JSON_NONE;
         note = souk_json_next(showing->doc, note)) {
        souk_text words;
        if (souk_json_text(showing->doc, note, showing->arena, &words) == SOUK_OK)
            fprintf(stderr, "note: %.*s\n", SOUK_TEXT_PRINT(words));
    }
}

/* ---- looking ------------------------------------------------------------------------------------------------- */

static int64_t number_at(const souk_json_doc *doc, const char *key)
{
    int64_t number;
    souk_json_node node = souk_json_member(doc, souk_json_root(doc), souk_text_of(key));
    return souk_json_i64(doc, node, &number) ? 0 : number;
}

static souk_err show_look(const app_options *options, souk_text told, souk_diag *diag)
{
    souk_json_doc doc = {.mem = souk_mem_heap()};
    souk_arena arena = {.mem = souk_mem_heap()};
    souk_json_limits limits = {.bytes = SOUK_JSON_BYTES_MAX};
    souk_err err = souk_json_read(&doc, told, &limits, diag);
    if (!err) {
        print_mapping(&(struct showing){&doc, &arena});
        if (options->dry_run)
            app_print(options, told);
        if (options->base_count == 0 && number_at(&doc, "named"))
            fprintf(stderr, "note: without --basis a source that is new " SOUK_NO_BASIS_WORDS "\n");
    }
    souk_json_doc_done(&doc);
    souk_arena_done(&arena);
    return err;
}

static souk_err look(const app_options *options, const char *path, souk_diag *diag)
{
    struct app_import_option list[OPTIONS];
    souk_import import = {.spine = NULL};
    souk_auto_value(souk_buf) told = {.mem = souk_mem_heap()};
    souk_json_writer json = {.out = &told};
    list_options(options, list);
    souk_text *const values[OPTIONS] = {&import.options.map,       &import.options.encoding,
                                        &import.options.separator, &import.options.quote,
                                        &import.options.decimal,   &import.options.dates,
                                        &import.options.zone,      &import.options.currency};
    for (size_t i = 0; i < OPTIONS; i++)
        *values[i] = souk_text_of(list[i].value);
    SOUK_TRY(souk_import_look(souk_mem_heap(), &import, souk_text_of(options->operands[0]), path,
                              options->dry_run ? RECORDS_SHOWN : 0, &json, diag));
    SOUK_TRY(souk_json_write_check(&json));
    return show_look(options, souk_buf_view(&told), diag);
}

/* ---- the job -------------------------------------------------------------------------------------------------- */

static void write_member(souk_json_writer *json, const char *name, souk_text value)
{
    souk_json_write_key(json, souk_text_of(name));
    souk_json_write_text(json, value);
}

souk_err app_import(const app_options *options, souk_diag *diag)
{
    souk_auto_value(souk_buf) body = {.mem = souk_mem_heap()}, path = {.mem = souk_mem_heap()};
    struct app_import_option list[OPTIONS];
    souk_json_writer json = {.out = &body};
    souk_text format = souk_text_of(options->operands[0]);
    if (!souk_import_known(format))
        return souk_diag_say(diag, SOUK_EINVAL, "'%s' is no format; there is: %s",
                             options->operands[0], souk_import_list());
    SOUK_TRY(app_absolute(options->operands[1], &path, diag));
    if (options->dry_run || souk_import_is_mapped(format))
        SOUK_TRY(look(options, souk_buf_ended(&path), diag));
    if (options->dry_run)
        return SOUK_OK;
    list_options(options, list);
    souk_json_write_object(&json);
    write_member(&json, "kind", SOUK_TEXT("import"));
    write_member(&json, "format", format);
    write_member(&json, "file", souk_buf_view(&path));
    write_member(&json, "source", options->source ? souk_text_of(options->source) : format);
    for (size_t i = 0; i < OPTIONS; i++)
        if (list[i].value)
            write_member(&json, list[i].name, souk_text_of(list[i].value));
    app_write_statement(options, &json);
    souk_json_write_end(&json);
    SOUK_TRY(souk_json_write_check(&json));
    return app_job(options, "import", souk_buf_view(&body), diag);
}
