/* main.c - the command line: finds the command, reads its flags, prints errors, leaves with the code. */
#include "app/usage.h"

#include <stdio.h>

static souk_err check_operands(const app_command *command, const app_options *options,
                               souk_diag *diag)
{
    char usage[400];
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
    const char *word = count < 2 ? "" : arguments[1];
    if (count < 2) {
        app_help_all(stderr);
        return 2;
    }
    if (!strcmp(word, "--help") || !strcmp(word, "-h"))
        word = "help";
    const app_command *command = app_command_find(strcmp(word, "--version") ? word : "version");
    if (!command) {
        souk_err none = app_no_command(word, &diag);
        fprintf(stderr, "souk: %s\n", diag.words);
        return souk_err_exit(none);
    }
    souk_err err = app_options_read(command, count, arguments, &options, &diag);
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
