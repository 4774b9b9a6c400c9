/* config.c - `souk config`: the settings that hold, what is wrong with them, and the table in other forms. */
#include "app/app.h"

#include <stdio.h>

extern char **environ;

/* The file that a command in this folder reads. */
static void find_file(const app_options *options, char *path, size_t room)
{
    if (options->config)
        snprintf(path, room, "%s", options->config);
    else
        snprintf(path, room, "%s/souk.toml", options->data);
}

souk_err app_load_settings(const app_options *options, app_settings *settings,
                           app_mistakes *mistakes)
{
    char path[4096];
    find_file(options, path, sizeof path);
    app_settings_from from = {.file = path,
                              .file_must_exist = options->config != NULL,
                              .environment = environ,
                              .flags = options->settings};
    return app_settings_load(souk_mem_heap(), &from, settings, mistakes);
}

static void print_mistakes(const app_mistakes *mistakes, FILE *to)
{
    for (size_t i = 0; i < mistakes->count; i++) {
        souk_auto_value(souk_buf) line = {.mem = souk_mem_heap()};
        app_mistake_write(&mistakes->at[i], &line);
        fprintf(to, "%s\n", souk_buf_ended(&line));
    }
}

souk_err app_read_settings(const app_options *options, app_settings *settings, souk_diag *diag)
{
    app_mistakes mistakes = {.count = 0};
    souk_err err = app_load_settings(options, settings, &mistakes);
    print_mistakes(&mistakes, stderr);
    if (mistakes.count)
        return souk_diag_say(diag, err, "the settings are wrong: mend the %zu mistake%s above",
                             mistakes.count, mistakes.count > 1 ? "s" : "");
    return err;
}

/* ---- the command ------------------------------------------------------------------------------- */

static souk_err print(souk_buf *out)
{
    SOUK_TRY(souk_buf_check(out));
    fwrite(out->at, 1, out->bytes, stdout);
    return SOUK_OK;
}

static souk_err show(const app_options *options, souk_diag *diag)
{
    app_settings settings;
    souk_auto_value(souk_buf) out = {.mem = souk_mem_heap()};
    SOUK_TRY(app_read_settings(options, &settings, diag));
    if (options->json) {
        app_settings_write_json(&settings, &out);
        souk_buf_byte(&out, '\n');
    } else {
        app_settings_write_words(&settings, &out);
    }
    return print(&out);
}

static void write_mistake(const app_mistake *mistake, souk_json_writer *json)
{
    souk_json_write_object(json);
    souk_json_put_text(json, "where", souk_text_of(mistake->where));
    if (mistake->line) {
        souk_json_put_u64(json, "line", mistake->line);
        souk_json_put_u64(json, "column", mistake->column);
    }
    souk_json_put_text(json, "words", souk_text_of(mistake->words));
    souk_json_write_end(json);
}

static souk_err print_check_json(const app_settings *settings, const app_mistakes *mistakes)
{
    souk_auto_value(souk_buf) out = {.mem = souk_mem_heap()};
    souk_json_writer json = {.out = &out};
    souk_json_write_object(&json);
    souk_json_write_key(&json, SOUK_TEXT("file"));
    if (settings->file[0])
        souk_json_write_text(&json, souk_text_of(settings->file));
    else
        souk_json_write_null(&json);
    souk_json_put_array(&json, "mistakes");
    for (size_t i = 0; i < mistakes->count; i++)
        write_mistake(&mistakes->at[i], &json);
    souk_json_write_end(&json);
    souk_json_write_end(&json);
    souk_buf_byte(&out, '\n');
    return print(&out);
}

/* Mistakes are this command's data: they go to stdout. */
static souk_err check(const app_options *options, souk_diag *diag)
{
    app_settings settings;
    app_mistakes mistakes = {.count = 0};
    souk_err err;
    if (options->operand_count == 2) {
        app_settings_from alone = {.file = options->operands[1], .file_must_exist = true};
        err = app_settings_load(souk_mem_heap(), &alone, &settings, &mistakes);
    } else {
        err = app_load_settings(options, &settings, &mistakes);
    }
    if (err && err != SOUK_EINVAL && !mistakes.count)
        return err;
    if (options->json)
        SOUK_TRY(print_check_json(&settings, &mistakes));
    else if (err)
        print_mistakes(&mistakes, stdout);
    else
        printf("%s\n", settings.file[0] ? "the settings are right"
                                        : "there is no file of settings, and the rest is right");
    if (err == SOUK_EINVAL) /* the file is wrong, not the question: exit code 1 */
        err = souk_diag_say(diag, SOUK_ECONFLICT, "%zu mistake%s", mistakes.count,
                            mistakes.count > 1 ? "s" : "");
    return err;
}

souk_err app_config(const app_options *options, souk_diag *diag)
{
    souk_auto_value(souk_buf) out = {.mem = souk_mem_heap()};
    const char *verb = options->operand_count ? options->operands[0] : "";
    bool is_check = !strcmp(verb, "check");
    if (options->operand_count > (is_check ? 2u : 1u))
        return souk_diag_say(diag, SOUK_EINVAL, "config %s takes no %s", verb,
                             options->operands[is_check ? 2 : 1]);
    if (is_check)
        return check(options, diag);
    if (!strcmp(verb, "show"))
        return show(options, diag);
    if (!strcmp(verb, "sample"))
        app_settings_write_sample(&out);
    else if (!strcmp(verb, "reference"))
        app_settings_write_reference(&out);
    else
        return souk_diag_say(diag, SOUK_EINVAL, "config show | check [FILE] | sample | reference");
    return print(&out);
}
