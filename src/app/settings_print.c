/* settings_print.c - the table as a sample file, as the reference page, as words and as JSON. */
#include "app/settings.h"

#include "base/json_write.h"

#include <stdio.h>

/* The bytes of "limits" in "limits.body_ms"; 0 above every table. */
static size_t table_bytes(const char *name)
{
    const char *point = strchr(name, '.');
    return point ? (size_t)(point - name) : 0;
}

static bool is_first_of_table(int id)
{
    const char *name = app_setting_table[id].name;
    size_t bytes = table_bytes(name);
    return bytes && (id == 0 || strncmp(name, app_setting_table[id - 1].name, bytes + 1) != 0);
}

static void write_limits(const app_setting *setting, souk_buf *out)
{
    souk_buf_print(out, "%lld to %lld %s", (long long)setting->least, (long long)setting->most,
                   setting->unit);
}

/* ---- souk.toml --------------------------------------------------------------------------------- */

/* "# " and words, broken before column 100. */
static void write_comment(souk_text words, souk_buf *out)
{
    enum { WIDTH = 98 };
    size_t column = 0;
    while (words.bytes) {
        souk_text word = souk_text_cut(&words, ' ');
        if (column && column + 1 + word.bytes > WIDTH) {
            souk_buf_byte(out, '\n');
            column = 0;
        }
        souk_buf_print(out, "%s%.*s", column ? " " : "# ", SOUK_TEXT_PRINT(word));
        column += 1 + word.bytes;
    }
    souk_buf_byte(out, '\n');
}

void app_settings_write_sample(souk_buf *out)
{
    souk_buf_text(
        out,
        SOUK_TEXT("# souk.toml - the settings of this shop.  Each line shows the default: take "
                  "away its # to change\n"
                  "# it, and that of the [table] above it.  A flag wins over the environment, "
                  "that over this file.\n"
                  "# `souk config check` tells what is wrong here, `souk config show` what "
                  "holds and why.\n"));
    for (int id = 0; id < APP_SETTINGS; id++) {
        const app_setting *setting = &app_setting_table[id];
        size_t bytes = table_bytes(setting->name);
        bool count = setting->kind == APP_KIND_COUNT;
        souk_auto_value(souk_buf) words = {.mem = out->mem};
        if (is_first_of_table(id))
            souk_buf_print(out, "\n#[%.*s]\n", (int)bytes, setting->name);
        else if (!bytes)
            souk_buf_byte(out, '\n');
        souk_buf_print(&words, "%s", setting->purpose);
        if (count) {
            souk_buf_print(&words, " (");
            write_limits(setting, &words);
            souk_buf_print(&words, ")");
        }
        write_comment(souk_buf_view(&words), out);
        const char *quote = count ? "" : "\"";
        souk_buf_print(out, "#%s = %s%s%s\n", setting->name + bytes + (bytes != 0), quote,
                       setting->usual, quote);
        out->failed = out->failed ? out->failed : words.failed;
    }
}

/* "`drain_s`, `log.level`": what a server takes on SIGHUP. */
static void write_live(const char *quote, souk_buf *out)
{
    for (int id = 0, told = 0; id < APP_SETTINGS; id++)
        if (app_setting_is_live((app_setting_id)id))
            souk_buf_print(out, "%s%s%s%s", told++ ? ", " : "", quote, app_setting_table[id].name,
                           quote);
}

/* ---- docs/settings.md -------------------------------------------------------------------------- */

void app_settings_write_reference(souk_buf *out)
{
    souk_buf_text(
        out,
        SOUK_TEXT(
            "# Settings\n\n"
            "Written by `souk config reference`; a test compares.\n\n"
            "Each setting has a line in the file `souk.toml` of the data folder (or in the one "
            "that "
            "`--config FILE` or\n"
            "`SOUK_CONFIG` names), a variable of the environment and a flag. A flag wins over the "
            "environment, that over the\n"
            "file, that over the default. An empty variable counts as not set. `souk init` writes "
            "a "
            "sample with every line\n"
            "commented out. A command reads the settings when it "
            "starts; where a server\nowns the folder, those hold with which that server was "
            "started.\n"
            "A server that gets SIGHUP (`systemctl reload souk`) reads them again and takes "));
    write_live("`", out);
    souk_buf_text(
        out,
        SOUK_TEXT(
            "; of others that changed it logs that\n"
            "they hold from the next start on. A file with mistakes changes nothing.\n\n"
            "    souk config show         each setting with its value and where that comes from\n"
            "    souk config check        what is wrong, with file:line:column; exit code 1 if "
            "anything is\n"
            "    souk config check FILE   the same for a file alone (- for stdin)\n"
            "    souk config sample       the sample file\n\n"
            "`name = value` stands below the line of its `[table]`, so `limits.body_ms` is "
            "`body_ms "
            "= 10000` below `[limits]`.\n"
            "The file is a strict part of TOML 1.0: texts, numbers, true, false, tables and "
            "comments. Unknown names are refused.\n"
            "With anything wrong, a server does not start.\n\n"
            "| name | default | from, to | purpose | variable | flag |\n"
            "|---|---|---|---|---|---|\n"));
    for (int id = 0; id < APP_SETTINGS; id++) {
        const app_setting *setting = &app_setting_table[id];
        char flag[APP_SPELLING_BYTES], variable[APP_SPELLING_BYTES];
        app_setting_flag((app_setting_id)id, flag);
        app_setting_variable((app_setting_id)id, variable);
        souk_buf_print(out, "| `%s` | `%s` | ", setting->name, setting->usual);
        if (setting->kind == APP_KIND_COUNT)
            write_limits(setting, out);
        souk_buf_print(out, " | %s | `%s` | `%s` |\n", setting->purpose, variable, flag);
    }
}

/* ---- what holds -------------------------------------------------------------------------------- */

void app_settings_write_words(const app_settings *settings, souk_buf *out)
{
    souk_buf_print(out, "file: %s\n\n", settings->file[0] ? settings->file : "none");
    for (int id = 0; id < APP_SETTINGS; id++) {
        const app_setting *setting = &app_setting_table[id];
        const app_value *value = &settings->values[id];
        char amount[APP_SETTING_BYTES + 32];
        snprintf(amount, sizeof amount, "%s%s%s", value->text, *setting->unit ? " " : "",
                 setting->unit);
        souk_buf_print(out, "%-24s %-18s %-12s %s\n", setting->name, amount,
                       app_origin_word(value->origin), setting->purpose);
    }
}

static void write_member(souk_json_writer *json, const char *key, const char *text)
{
    souk_json_write_key(json, souk_text_of(key));
    souk_json_write_text(json, souk_text_of(text));
}

static void write_amount(souk_json_writer *json, const char *key, app_setting_kind kind,
                         const char *text)
{
    souk_json_write_key(json, souk_text_of(key));
    if (kind == APP_KIND_COUNT)
        souk_json_write_raw(json, souk_text_of(text)); /* of our own making: digits */
    else
        souk_json_write_text(json, souk_text_of(text));
}

void app_settings_write_json(const app_settings *settings, souk_buf *out)
{
    souk_json_writer json = {.out = out};
    souk_json_write_object(&json);
    souk_json_write_key(&json, SOUK_TEXT("file"));
    if (settings->file[0])
        souk_json_write_text(&json, souk_text_of(settings->file));
    else
        souk_json_write_null(&json);
    souk_json_put_array(&json, "settings");
    for (int id = 0; id < APP_SETTINGS; id++) {
        const app_setting *setting = &app_setting_table[id];
        const app_value *value = &settings->values[id];
        souk_json_write_object(&json);
        write_member(&json, "name", setting->name);
        write_amount(&json, "value", setting->kind, value->text);
        write_member(&json, "from", app_origin_word(value->origin));
        write_amount(&json, "default", setting->kind, setting->usual);
        write_member(&json, "unit", setting->unit);
        write_member(&json, "purpose", setting->purpose);
        souk_json_write_end(&json);
    }
    souk_json_write_end(&json);
    souk_json_write_end(&json);
}
