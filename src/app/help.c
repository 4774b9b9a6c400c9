/* help.c - `souk help COMMAND`: grown from the command's row, and what the words of its usage mean. */
#include "app/app.h"

static void print_kinds(FILE *to)
{
    fprintf(to, "user, card, phone, email, open, device, anonymous, or public: the id that "
                "`souk shopper` prints");
}

static void print_purposes(FILE *to)
{
    for (int i = 0; i < SOUK_PURPOSE_FIXED; i++)
        fprintf(to, "%s%s", i ? ", " : "", souk_purpose_word((souk_purpose)i));
    fprintf(to, "; reading asks for serve where it is left out");
}

static void print_bases(FILE *to)
{
    for (int i = SOUK_BASIS_CONSENT; i <= SOUK_BASIS_WITHDRAWN; i++)
        fprintf(to, "%s%s", i > SOUK_BASIS_CONSENT ? ", " : "", souk_basis_word((souk_basis)i));
}

/* A word means the same in every command. */
static const struct {
    const char *word, *meaning;
    void (*print)(FILE *to); /* where the meaning is a list that the code has */
} words[] = {
    {"KIND", NULL, print_kinds},
    {"VALUE", "the identifier as events carry it: userId for user, traits.email for email", NULL},
    {"PURPOSE", NULL, print_purposes},
    {"BASIS", NULL, print_bases},
    {"EVIDENCE", "where it is written that she said so, in your words", NULL},
    {"AGE", "adult or minor; unknown where it is left out", NULL},
    {"BY", "who decided, in your words", NULL},
    {"WHY", "the reason, in your words", NULL},
    {"SOURCE", "the name of one of `souk source list`", NULL},
    {"SCOPE", "read, manage or admin; several may be given", NULL},
    {"ID", "as the list of this command shows it", NULL},
    {"EVENT", "the whole event as JSON, mended", NULL},
    {"BENCH", "one of `souk bench --list`", NULL},
    {"P=B", "a purpose and its basis, as profile=consent", NULL},
    {"ADDR", "ADDRESS:PORT, port 0 for any free one, or the path of a unix socket", NULL},
    {"DIR", "the folder of the backup: empty for `souk backup`, filled for `souk restore`", NULL},
};

static bool has_word(const char *usage, const char *word)
{
    size_t bytes = strlen(word);
    for (const char *at = strstr(usage, word); at; at = strstr(at + 1, word)) {
        bool begins = at == usage || strchr(" [", at[-1]);
        bool is_shout = at[bytes] >= 'A' && at[bytes] <= 'Z';
        if (begins && !is_shout)
            return true;
    }
    return false;
}

const app_command *app_command_find(const char *name)
{
    for (size_t i = 0; i < app_command_count; i++)
        if (!strcmp(name, app_commands[i].name))
            return &app_commands[i];
    return NULL;
}

void app_command_usage(const app_command *command, char *ret_usage, size_t bytes)
{
    snprintf(ret_usage, bytes, "souk %s%s%s%s%s", command->name, command->operands[0] ? " " : "",
             command->operands, command->flags ? " " : "", command->flags ? command->flags : "");
}

void app_help_command(const app_command *command, FILE *to)
{
    char usage[200];
    app_command_usage(command, usage, sizeof usage);
    fprintf(to, "%s\n  %s\n", usage, command->summary);
    for (size_t i = 0, told = 0; i < sizeof words / sizeof *words; i++) {
        if (!has_word(usage, words[i].word))
            continue;
        fprintf(to, "%s  %-9s ", told++ ? "" : "\n", words[i].word);
        if (words[i].print)
            words[i].print(to);
        else
            fprintf(to, "%s", words[i].meaning);
        fprintf(to, "\n");
    }
    if (command->example)
        fprintf(to, "\nfor example\n  %s\n", command->example);
    fprintf(to,
            "\nEach command takes --data DIR, --config FILE and --json, too: see `souk help`.\n");
}
