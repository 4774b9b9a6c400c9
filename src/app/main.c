/* main.c - the command line: reads flags, finds the command, prints errors, leaves with the code. */
#include "app/app.h"
#include "base/nearest.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

bool app_interrupted(void)
{
    return interrupted != 0;
}

void app_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* ---- flags ------------------------------------------------------------------------------------------- */

typedef struct app_flag {
    const char *name, *value, *words, *variable; /* variable: of the environment; NULL: none */
    size_t at;                                   /* offset of a const char * in app_options */
} app_flag;

static const app_flag flags[] = {
    {"--data", "DIR", "the data folder, `data` here where nothing is said", "SOUK_DATA",
     offsetof(app_options, data)},
    {"--config", "FILE", "the file of settings (default: souk.toml in the data folder)",
     "SOUK_CONFIG", offsetof(app_options, config)},
    {"--name", "NAME", "the name of a new shop, or of a token", NULL, offsetof(app_options, name)},
    {"--source", "NAME", "who sent the imported events (default: the format)", NULL,
     offsetof(app_options, source)},
    {"--age-band", "adult", "the importer states that these shoppers are adults", NULL,
     offsetof(app_options, age_band)},
    {"--to", "DIR", "where a backup goes, or comes from", NULL, offsetof(app_options, to)},
};

/* Characters, not bytes: an ellipsis is one of three. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += (*text & 0xC0) != 0x80;
    return width;
}

static void print_help(FILE *to)
{
    fprintf(to, "souk " SOUK_VERSION " - a retailer's own shopper data server\n\n");
    for (size_t i = 0; i < app_command_count; i++) {
        const app_command *command = &app_commands[i];
        int bytes = (int)strlen(command->operands), shown = width_of(command->operands);
        fprintf(to, "  souk %-10s %-*s %s\n", command->name, 40 + bytes - shown, command->operands,
                command->summary);
    }
    fprintf(to, "\n`souk help COMMAND` says what its words mean.  Flags:\n\n");
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        fprintf(to, "  %-10s %-6s %s%s%s%s\n", flags[i].name, flags[i].value, flags[i].words,
                flags[i].variable ? " (or " : "", flags[i].variable ? flags[i].variable : "",
                flags[i].variable ? ")" : "");
    fprintf(to,
            "  --basis    P=B    purpose and basis that an import or a source states, as "
            "profile=consent; "
            "may be repeated\n"
            "  --listen   ADDR   where the server listens; each setting of `souk config show` is a "
            "flag, too\n"
            "  --json            one JSON object a line on stdout\n");
}

static void set_text(app_options *options, const app_flag *flag, const char *value)
{
    memcpy((char *)options + flag->at, &value, sizeof value);
}

static bool is_setting(const char *word, int setting)
{
    char flag[APP_SPELLING_BYTES];
    app_setting_flag((app_setting_id)setting, flag);
    return !strcmp(word, flag);
}

static souk_err no_flag(const char *word, souk_diag *diag)
{
    static const char *const others[] = {"--json", "--list", "--help", "--basis"};
    char settings[APP_SETTINGS][APP_SPELLING_BYTES];
    souk_nearest near = {.word = souk_text_of(word)};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        souk_nearest_try(&near, flags[i].name);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        souk_nearest_try(&near, others[i]);
    for (int i = 0; i < APP_SETTINGS; i++) {
        app_setting_flag((app_setting_id)i, settings[i]);
        souk_nearest_try(&near, settings[i]);
    }
    if (near.best)
        return souk_diag_say(diag, SOUK_EINVAL, "%s is no flag: do you mean %s?", word, near.best);
    return souk_diag_say(diag, SOUK_EINVAL, "%s is no flag: see `souk help`", word);
}

static souk_err read_flag(app_options *options, char **arguments, int count, int *at,
                          souk_diag *diag)
{
    const char *word = arguments[*at];
    if (!strcmp(word, "--json")) {
        options->json = true;
        return SOUK_OK;
    }
    if (!strcmp(word, "--list")) {
        options->list = true;
        return SOUK_OK;
    }
    if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
        options->help = true;
        return SOUK_OK;
    }
    bool basis = !strcmp(word, "--basis");
    size_t i = 0;
    int setting = 0;
    while (i < sizeof flags / sizeof *flags && strcmp(word, flags[i].name) != 0)
        i++;
    while (setting < APP_SETTINGS && !is_setting(word, setting))
        setting++;
    if (!basis && setting == APP_SETTINGS && i == sizeof flags / sizeof *flags)
        return no_flag(word, diag);
    if (*at + 1 >= count || !strncmp(arguments[*at + 1], "--", 2))
        return souk_diag_say(diag, SOUK_EINVAL, "%s needs a value", word);
    const char *value = arguments[++*at];
    if (setting < APP_SETTINGS)
        options->settings[setting] = value;
    else if (!basis)
        set_text(options, &flags[i], value);
    else if (options->base_count < APP_BASES)
        options->bases[options->base_count++] = value;
    return SOUK_OK;
}

static souk_err read_arguments(int count, char **arguments, app_options *options, souk_diag *diag)
{
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (flags[i].variable && getenv(flags[i].variable))
            set_text(options, &flags[i], getenv(flags[i].variable));
    for (int at = 2; at < count; at++) {
        if (!strncmp(arguments[at], "--", 2) || !strcmp(arguments[at], "-h")) {
            SOUK_TRY(read_flag(options, arguments, count, &at, diag));
            continue;
        }
        if (options->operand_count == APP_OPERANDS)
            return souk_diag_say(diag, SOUK_EINVAL, "too many words: see `souk help`");
        options->operands[options->operand_count++] = arguments[at];
    }
    return SOUK_OK;
}

static int no_command(const char *word)
{
    souk_nearest near = {.word = souk_text_of(word)};
    for (size_t i = 0; i < app_command_count; i++)
        souk_nearest_try(&near, app_commands[i].name);
    fprintf(stderr, "souk: '%s' is no command: %s%s%s\n", word,
            near.best ? "do you mean `souk " : "see `souk help", near.best ? near.best : "",
            near.best ? "`?" : "`");
    return 2;
}

/* `souk help`, `souk help COMMAND`. */
static int help(int count, char **arguments)
{
    const app_command *command = count > 2 ? app_command_find(arguments[2]) : NULL;
    if (count > 2 && !command)
        return no_command(arguments[2]);
    if (command)
        app_help_command(command, stdout);
    else
        print_help(count < 2 ? stderr : stdout);
    return count < 2 ? 2 : 0;
}

static souk_err check_operands(const app_command *command, const app_options *options,
                               souk_diag *diag)
{
    char usage[200];
    app_command_usage(command, usage, sizeof usage);
    if (options->operand_count > command->most)
        return souk_diag_say(diag, SOUK_EINVAL, "'%s' is a word too many: %s",
                             options->operands[command->most], usage);
    if (options->operand_count < command->least)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "too few words: %s; `souk help %s` says what they are", usage,
                             command->name);
    return SOUK_OK;
}

int main(int count, char **arguments)
{
    app_options options = {.data = "data", .program = count ? arguments[0] : "souk"};
    souk_diag diag = {.words = ""};
    const char *word = count < 2 ? "help" : arguments[1];
    if (!strcmp(word, "help") || !strcmp(word, "--help") || !strcmp(word, "-h"))
        return help(count, arguments);
    const app_command *command = app_command_find(strcmp(word, "--version") ? word : "version");
    if (!command)
        return no_command(word);
    souk_err err = read_arguments(count, arguments, &options, &diag);
    if (!err && options.help) {
        app_help_command(command, stdout);
        return 0;
    }
    if (!err)
        err = check_operands(command, &options, &diag);
    if (!err)
        err = command->run(&options, &diag);
    if (err)
        fprintf(stderr, "souk %s: %s\n", command->name, souk_diag_words(&diag, err));
    return souk_err_exit(err);
}
