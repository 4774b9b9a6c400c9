/* flags.c - the flags of the commands, and how they are read; settings are flags, too (settings.h). */
#include "app/usage.h"
#include "base/nearest.h"

#include <stdlib.h>

const app_flag app_flags[] = {
    {"--data", "DIR", "the data folder, `data` here where nothing is said", "SOUK_DATA",
     APP_FLAG_TEXT, true, offsetof(app_options, data)},
    {"--config", "FILE", "the file of settings (default: souk.toml in the data folder)",
     "SOUK_CONFIG", APP_FLAG_TEXT, true, offsetof(app_options, config)},
    {"--name", "NAME", "the name of a new shop, or of a token", NULL, APP_FLAG_TEXT, false,
     offsetof(app_options, name)},
    {"--source", "NAME", "who sent the events (of an import, by default: the format)", NULL,
     APP_FLAG_TEXT, false, offsetof(app_options, source)},
    {"--age-band", "adult", "the importer states that these shoppers are adults", NULL,
     APP_FLAG_TEXT, false, offsetof(app_options, age_band)},
    {"--speaks-for", "WHOM", "of whom a source's events may say yes: visitor, anybody or nobody",
     NULL, APP_FLAG_TEXT, false, offsetof(app_options, speaks_for)},
    {"--secret-file", "FILE", "the file with a hook's secret; - is standard input", NULL,
     APP_FLAG_TEXT, false, offsetof(app_options, secret_file)},
    {"--type", "TYPE", "events of this type alone; may be repeated", NULL, APP_FLAG_TYPES, false,
     0},
    {"--store", "STORE", "events of this store alone", NULL, APP_FLAG_TEXT, false,
     offsetof(app_options, store)},
    {"--product", "PRODUCT", "events with this product alone", NULL, APP_FLAG_TEXT, false,
     offsetof(app_options, product)},
    {"--shopper", "SHOPPER", "events of one shopper alone, with their texts", NULL, APP_FLAG_TEXT,
     false, offsetof(app_options, shopper)},
    {"--from", "POSITION", "from this event on (default: from now on)", NULL, APP_FLAG_TEXT, false,
     offsetof(app_options, from)},
    {"--rate", "NUMBER", "events a second at most (default: 1000)", NULL, APP_FLAG_TEXT, false,
     offsetof(app_options, rate)},
    {"--to", "DIR", "where a backup goes, or comes from", NULL, APP_FLAG_TEXT, false,
     offsetof(app_options, to)},
    {"--shoppers", "N", "of a simulated world (default: 10000)", NULL, APP_FLAG_TEXT, false,
     offsetof(app_options, shoppers)},
    {"--stores", "N", "of it (default: 5)", NULL, APP_FLAG_TEXT, false,
     offsetof(app_options, stores)},
    {"--days", "N", "of it (default: 30)", NULL, APP_FLAG_TEXT, false, offsetof(app_options, days)},
    {"--seed", "N", "another number is another world (default: 1)", NULL, APP_FLAG_TEXT, false,
     offsetof(app_options, seed)},
    {"--out", "FOLDER", "where its files go (default: world); - is its events alone, on stdout",
     NULL, APP_FLAG_TEXT, false, offsetof(app_options, out)},
    {"--force", NULL, "write over a world that the folder holds already", NULL, APP_FLAG_SWITCH,
     false, offsetof(app_options, force)},
    {"--dry-run", NULL, "an import says what it would do, and stores nothing", NULL,
     APP_FLAG_SWITCH, false, offsetof(app_options, dry_run)},
    {"--map", "C=M", "what columns of an imported table mean, where the guess is wrong", NULL,
     APP_FLAG_TEXT, false, offsetof(app_options, map)},
    {"--zone", "ZONE", "of an imported table's times (default: UTC)", NULL, APP_FLAG_TEXT, false,
     offsetof(app_options, zone)},
    {"--currency", "CODE", "of an imported table's money where no column tells it", NULL,
     APP_FLAG_TEXT, false, offsetof(app_options, currency)},
    {"--dates", "ORDER", "which number is the day in an imported table's 1/2/2026", NULL,
     APP_FLAG_TEXT, false, offsetof(app_options, dates)},
    {"--decimal", "MARK", "the decimal mark of an imported table", NULL, APP_FLAG_TEXT, false,
     offsetof(app_options, decimal)},
    {"--separator", "SIGN", "of an imported table: , ; | or tab", NULL, APP_FLAG_TEXT, false,
     offsetof(app_options, separator)},
    {"--quote", "SIGN", "of an imported table: \" ' or none", NULL, APP_FLAG_TEXT, false,
     offsetof(app_options, quote)},
    {"--encoding", "CHARSET", "of an imported table", NULL, APP_FLAG_TEXT, false,
     offsetof(app_options, encoding)},
    {"--basis", "P=B",
     "purpose and basis that an import or a source states, as profile=consent; may be repeated",
     NULL, APP_FLAG_BASES, false, 0},
    {"--events", "EVENTS", "what a webhook is told of: names, commas between, or *", NULL,
     APP_FLAG_TEXT, false, offsetof(app_options, events)},
    {"--purpose", "PURPOSE", "for which a webhook is told of persons, too (default: it is not)",
     NULL, APP_FLAG_TEXT, false, offsetof(app_options, purpose)},
    {"--list", NULL, "the names of what there is", NULL, APP_FLAG_SWITCH, false,
     offsetof(app_options, list)},
    {"--json", NULL, "one JSON object a line on stdout", NULL, APP_FLAG_SWITCH, true,
     offsetof(app_options, json)},
    {"--help", NULL, "what the words of the command mean", NULL, APP_FLAG_SWITCH, true,
     offsetof(app_options, help)},
};
const size_t app_flag_count = sizeof app_flags / sizeof *app_flags;

const app_flag *app_flag_find(souk_text name)
{
    for (size_t i = 0; i < app_flag_count; i++)
        if (souk_text_equal(name, souk_text_of(app_flags[i].name)))
            return &app_flags[i];
    return NULL;
}

static void set_text(app_options *options, const app_flag *flag, const char *value)
{
    memcpy((char *)options + flag->at, &value, sizeof value);
}

static void set_switch(app_options *options, const app_flag *flag)
{
    memcpy((char *)options + flag->at, &(bool){true}, sizeof(bool));
}

/* APP_SETTINGS: none has this flag. */
static int setting_of(const char *word)
{
    char flag[APP_SPELLING_BYTES];
    for (int id = 0; id < APP_SETTINGS; id++) {
        app_setting_flag((app_setting_id)id, flag);
        if (!strcmp(word, flag))
            return id;
    }
    return APP_SETTINGS;
}

static bool takes(const app_command *command, const app_flag *flag)
{
    return flag->common || app_command_has_flag(command, souk_text_of(flag->name));
}

static souk_err no_flag(const app_command *command, const char *word, souk_diag *diag)
{
    char settings[APP_SETTINGS][APP_SPELLING_BYTES];
    souk_nearest near = {.word = souk_text_of(word)};
    for (size_t i = 0; i < app_flag_count; i++)
        if (takes(command, &app_flags[i]))
            souk_nearest_try(&near, app_flags[i].name);
    for (int i = 0; i < APP_SETTINGS; i++) {
        app_setting_flag((app_setting_id)i, settings[i]);
        souk_nearest_try(&near, settings[i]);
    }
    if (near.best)
        return souk_diag_say(diag, SOUK_EINVAL, "%s is no flag: do you mean %s?", word, near.best);
    return souk_diag_say(diag, SOUK_EINVAL, "%s is no flag: see `souk help`", word);
}

static souk_err read_flag(const app_command *command, app_options *options, char **arguments,
                          int count, int *at, souk_diag *diag)
{
    const char *word = strcmp(arguments[*at], "-h") ? arguments[*at] : "--help";
    const app_flag *flag = app_flag_find(souk_text_of(word));
    int setting = setting_of(word);
    if (!flag && setting == APP_SETTINGS)
        return no_flag(command, word, diag);
    if (flag && !takes(command, flag)) /* `erase --dry-run` must not erase */
        return souk_diag_say(diag, SOUK_EINVAL, "%s is no flag of this command: see `souk help %s`",
                             word, command->name);
    if (flag && flag->kind == APP_FLAG_SWITCH) {
        set_switch(options, flag);
        return SOUK_OK;
    }
    if (*at + 1 >= count || !strncmp(arguments[*at + 1], "--", 2))
        return souk_diag_say(diag, SOUK_EINVAL, "%s needs a value", word);
    const char *value = arguments[++*at];
    if (!flag)
        options->settings[setting] = value;
    else if (flag->kind == APP_FLAG_TEXT)
        set_text(options, flag, value);
    else if (flag->kind == APP_FLAG_TYPES && options->type_count == APP_TYPES)
        return souk_diag_say(diag, SOUK_EINVAL, "%s may be repeated %d times", word, APP_TYPES);
    else if (flag->kind == APP_FLAG_TYPES)
        options->types[options->type_count++] = value;
    else if (options->base_count < APP_BASES)
        options->bases[options->base_count++] = value;
    return SOUK_OK;
}

souk_err app_options_read(const app_command *command, int count, char **arguments,
                          app_options *options, souk_diag *diag)
{
    for (size_t i = 0; i < app_flag_count; i++)
        if (app_flags[i].variable && getenv(app_flags[i].variable))
            set_text(options, &app_flags[i], getenv(app_flags[i].variable));
    for (int at = 2; at < count; at++) {
        if (!strncmp(arguments[at], "--", 2) || !strcmp(arguments[at], "-h")) {
            SOUK_TRY(read_flag(command, options, arguments, count, &at, diag));
            continue;
        }
        if (options->operand_count == APP_OPERANDS)
            return souk_diag_say(diag, SOUK_EINVAL, "too many words: see `souk help`");
        options->operands[options->operand_count++] = arguments[at];
    }
    return SOUK_OK;
}
