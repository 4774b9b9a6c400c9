/* help.c - `souk help`, `souk help COMMAND`: grown from the rows of the commands, their words and their flags. */
#include "app/bench.h"
#include "app/usage.h"
#include "base/nearest.h"
#include "service/collect/import.h"

#include <stdio.h>

/* ---- words --------------------------------------------------------------------------------- */

static bool give(const char *word, char to[APP_CHOICE_BYTES])
{
    if (word)
        snprintf(to, APP_CHOICE_BYTES, "%s", word);
    return word != NULL;
}

static bool choose_kind(size_t i, char to[APP_CHOICE_BYTES], const char **ret_what)
{
    bool is_public = i + 1 == SOUK_ID_PUBLIC;
    *ret_what = is_public ? "the id that `souk shopper` prints" : "";
    return give(i + 1 < SOUK_ID_KINDS ? souk_id_word((souk_id_kind)(i + 1)) : NULL, to);
}

static bool choose_purpose(size_t i, char to[APP_CHOICE_BYTES], const char **ret_what)
{
    *ret_what = "";
    return give(i < SOUK_PURPOSE_FIXED ? souk_purpose_word((souk_purpose)i) : NULL, to);
}

static bool choose_basis(size_t i, char to[APP_CHOICE_BYTES], const char **ret_what)
{
    *ret_what = "";
    i += SOUK_BASIS_CONSENT;
    return give(i <= SOUK_BASIS_WITHDRAWN ? souk_basis_word((souk_basis)i) : NULL, to);
}

/* A source states what it has, so nothing that was withdrawn. */
static bool choose_statement(size_t i, char to[APP_CHOICE_BYTES], const char **ret_what)
{
    enum { BASES = SOUK_BASIS_WITHDRAWN - SOUK_BASIS_CONSENT };
    *ret_what = "";
    if (i >= (size_t)SOUK_PURPOSE_FIXED * BASES)
        return false;
    snprintf(to, APP_CHOICE_BYTES, "%s=%s", souk_purpose_word((souk_purpose)(i / BASES)),
             souk_basis_word((souk_basis)(SOUK_BASIS_CONSENT + i % BASES)));
    return true;
}

static bool choose_whom(size_t i, char to[APP_CHOICE_BYTES], const char **ret_what)
{
    static const char *const what[] = {"a browser or device that nobody signed in to",
                                       "whom a server of the shop's own names", "nobody at all"};
    if (i >= sizeof what / sizeof *what)
        return false;
    *ret_what = what[i];
    snprintf(to, APP_CHOICE_BYTES, "%s", souk_speaks_word((souk_speaks)(SOUK_SPEAKS_VISITOR + i)));
    return true;
}

static bool choose_age(size_t i, char to[APP_CHOICE_BYTES], const char **ret_what)
{
    *ret_what = "";
    return give(i < 2 ? souk_age_word(i ? SOUK_AGE_MINOR : SOUK_AGE_ADULT) : NULL, to);
}

static bool choose_scope(size_t i, char to[APP_CHOICE_BYTES], const char **ret_what)
{
    unsigned scope = (unsigned)SOUK_SCOPE_READ << (i < 8 ? i : 8);
    *ret_what = "";
    return give(scope <= SOUK_SCOPE_TILL ? souk_scope_word(scope) : NULL, to);
}

static bool choose_bench(size_t i, char to[APP_CHOICE_BYTES], const char **ret_what)
{
    const bench_entry *entry = bench_entry_at(i);
    *ret_what = entry ? entry->summary : "";
    return give(entry ? entry->name : NULL, to);
}

static bool choose_form(size_t i, char to[APP_CHOICE_BYTES], const char **ret_what)
{
    static const char *const forms[] = {"shopify", "woocommerce", NULL};
    *ret_what = "";
    return give(i < 2 ? forms[i] : NULL, to);
}

static bool choose_command(size_t i, char to[APP_CHOICE_BYTES], const char **ret_what)
{
    *ret_what = i < app_command_count ? app_commands[i].summary : "";
    return give(i < app_command_count ? app_commands[i].name : NULL, to);
}

static bool choose_format(size_t i, char to[APP_CHOICE_BYTES], const char **ret_what)
{
    const char *summary;
    const char *name = souk_import_at(i, &summary);
    *ret_what = name ? summary : "";
    return give(name, to);
}

static bool choose_order(size_t i, char to[APP_CHOICE_BYTES], const char **ret_what)
{
    static const char *const orders[] = {"dmy", "mdy", "ymd", NULL};
    *ret_what = "";
    return give(orders[i < 3 ? i : 3], to);
}

static bool choose_mark(size_t i, char to[APP_CHOICE_BYTES], const char **ret_what)
{
    static const char *const marks[] = {"comma", "point", NULL};
    *ret_what = "";
    return give(marks[i < 2 ? i : 2], to);
}

const app_word app_words[] = {
    {"FORMAT", ": docs/import.md tells each", APP_WORD_CHOICE, choose_format},
    {"C=M", "a heading, or a column's number as #3, and what it means; several parted by commas",
     APP_WORD_FREE, NULL},
    {"ZONE", "as Asia/Shanghai or Europe/Berlin", APP_WORD_FREE, NULL},
    {"CODE", "of ISO 4217, as CNY", APP_WORD_FREE, NULL},
    {"ORDER", NULL, APP_WORD_CHOICE, choose_order},
    {"MARK", NULL, APP_WORD_CHOICE, choose_mark},
    {"SIGN", "the character itself, or its name: tab, none", APP_WORD_FREE, NULL},
    {"CHARSET", "UTF-8, UTF-16LE, UTF-16BE, GB18030 or windows-1252", APP_WORD_FREE, NULL},
    {"KIND", ": public is the id that `souk shopper` prints", APP_WORD_CHOICE, choose_kind},
    {"VALUE", "the identifier as events carry it: userId for user, traits.email for email",
     APP_WORD_FREE, NULL},
    {"PURPOSE", "; where it is left out, a read asks for serve and a webhook is told of no person",
     APP_WORD_CHOICE, choose_purpose},
    {"BASIS", NULL, APP_WORD_CHOICE, choose_basis},
    {"EVIDENCE", "where it is written that she said so, in your words", APP_WORD_FREE, NULL},
    {"AGE", "; unknown where it is left out", APP_WORD_CHOICE, choose_age},
    {"BY", "who decided, in your words", APP_WORD_FREE, NULL},
    {"WHY", "the reason, in your words", APP_WORD_FREE, NULL},
    {"NAME", "a name of your choice", APP_WORD_FREE, NULL},
    {"SOURCE", "the name of one of `souk source list`", APP_WORD_FREE, NULL},
    {"FORM", ": who signs the hook", APP_WORD_CHOICE, choose_form},
    {"SCOPE", "; several may be given", APP_WORD_CHOICE, choose_scope},
    {"ID", "as the list of this command shows it", APP_WORD_FREE, NULL},
    {"EVENT", "the whole event as JSON, mended", APP_WORD_FREE, NULL},
    {"EVENTS", "names of events, commas between, or * for all", APP_WORD_FREE, NULL},
    {"URL", "where they are sent, as https://crm.example/souk", APP_WORD_FREE, NULL},
    {"DELIVERY", "the id of a delivery that `souk webhook deliveries ID` shows", APP_WORD_FREE,
     NULL},
    {"BENCH", "one of `souk bench --list`", APP_WORD_CHOICE, choose_bench},
    {"P=B", "a purpose and its basis, as profile=consent", APP_WORD_CHOICE, choose_statement},
    {"ADDR", "ADDRESS:PORT, port 0 for any free one, or the path of a unix socket", APP_WORD_FREE,
     NULL},
    {"SETTING", "a setting with its value, as --drain-s 5: see `souk config show`", APP_WORD_FREE,
     NULL},
    {"WHOM", "of whom a source's events may say yes", APP_WORD_CHOICE, choose_whom},
    {"DIR", "a folder; that of a backup is empty for `souk backup`, filled for `souk restore`",
     APP_WORD_FOLDER, NULL},
    {"FILE", "a file", APP_WORD_FILE, NULL},
    {"CLASS", "a class of coupons, as GET /v1/loyalty/coupons lists them", APP_WORD_FREE, NULL},
    {"COUNT", "how many", APP_WORD_FREE, NULL},
    {"N", "a whole number; 10000 shoppers, 5 stores, 30 days and seed 1 where nothing is said",
     APP_WORD_FREE, NULL},
    {"FOLDER",
     "where the files go; ./world where nothing is said, - for the events alone on stdout",
     APP_WORD_FOLDER, NULL},
    {"TYPE", "a type of events as senders name it, as \"Order Completed\"", APP_WORD_FREE, NULL},
    {"STORE", "a store as events name it", APP_WORD_FREE, NULL},
    {"PRODUCT", "a product's code", APP_WORD_FREE, NULL},
    {"SHOPPER", "a kind of identifier and the identifier, as user:u1", APP_WORD_FREE, NULL},
    {"POSITION", "the number of an event in the log", APP_WORD_FREE, NULL},
    {"NUMBER", "a number", APP_WORD_FREE, NULL},
    {"COMMAND", "one of `souk help`", APP_WORD_CHOICE, choose_command},
    {"PAGE", "one of `souk man --list`, or a command; souk.1 where it is left out", APP_WORD_CHOICE,
     app_man_page},
};
const size_t app_word_count = sizeof app_words / sizeof *app_words;

const app_word *app_word_find(souk_text word)
{
    for (size_t i = 0; i < app_word_count; i++)
        if (souk_text_equal(word, souk_text_of(app_words[i].word)))
            return &app_words[i];
    return NULL;
}

void app_word_write(const app_word *word, souk_buf *out)
{
    char choice[APP_CHOICE_BYTES], next[APP_CHOICE_BYTES];
    const char *what;
    if (word->meaning && !strchr(";:", word->meaning[0])) {
        souk_buf_print(out, "%s", word->meaning);
        return;
    }
    bool more = word->choice(0, next, &what);
    for (size_t i = 1; more; i++) {
        memcpy(choice, next, sizeof choice);
        more = word->choice(i, next, &what);
        const char *between = i == 1 ? "" : more ? ", " : " or ";
        souk_buf_print(out, "%s%s", between, choice);
    }
    souk_buf_print(out, "%s", word->meaning ? word->meaning : "");
}

static bool has_word(const char *usage, const char *word)
{
    size_t bytes = strlen(word);
    for (const char *at = strstr(usage, word); at; at = strstr(at + 1, word)) {
        bool begins = at == usage || strchr(" [-", at[-1]);
        bool is_shout = (at[bytes] >= 'A' && at[bytes] <= 'Z') || at[bytes] == '=';
        if (begins && !is_shout)
            return true;
    }
    return false;
}

/* ---- commands ------------------------------------------------------------------------------ */

const app_command *app_command_find(const char *name)
{
    for (size_t i = 0; i < app_command_count; i++)
        if (!strcmp(name, app_commands[i].name))
            return &app_commands[i];
    return NULL;
}

souk_err app_no_command(const char *word, souk_diag *diag)
{
    souk_nearest near = {.word = souk_text_of(word)};
    for (size_t i = 0; i < app_command_count; i++)
        souk_nearest_try(&near, app_commands[i].name);
    return souk_diag_say(diag, SOUK_EINVAL, "'%s' is no command: %s%s%s", word,
                         near.best ? "do you mean `souk " : "see `souk help",
                         near.best ? near.best : "", near.best ? "`?" : "`");
}

void app_command_usage(const app_command *command, char *ret_usage, size_t bytes)
{
    snprintf(ret_usage, bytes, "souk %s%s%s%s%s", command->name, command->operands[0] ? " " : "",
             command->operands, command->flags ? " " : "", command->flags ? command->flags : "");
}

static void print_word(const app_word *word, FILE *to)
{
    souk_auto_value(souk_buf) meaning = {.mem = souk_mem_heap()};
    app_word_write(word, &meaning);
    fprintf(to, "  %-9s %s\n", word->word, souk_buf_ended(&meaning));
}

void app_help_command(const app_command *command, FILE *to)
{
    char usage[400];
    app_command_usage(command, usage, sizeof usage);
    fprintf(to, "%s\n  %s\n", usage, command->summary);
    for (size_t i = 0, told = 0; i < app_word_count; i++) {
        if (!has_word(usage, app_words[i].word))
            continue;
        fprintf(to, "%s", told++ ? "" : "\n");
        print_word(&app_words[i], to);
    }
    if (command->example)
        fprintf(to, "\nfor example\n  %s\n", command->example);
    fprintf(to,
            "\nEach command takes --data DIR, --config FILE and --json, too: see `souk help`.\n");
}

/* Characters, not bytes: an ellipsis is one of three. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += (*text & 0xC0) != 0x80;
    return width;
}

void app_help_all(FILE *to)
{
    fprintf(to, "souk " SOUK_VERSION " - a retailer's own shopper data server\n\n");
    for (size_t i = 0; i < app_command_count; i++) {
        const app_command *command = &app_commands[i];
        int bytes = (int)strlen(command->operands), shown = width_of(command->operands);
        fprintf(to, "  souk %-10s %-*s ", command->name, 40 + bytes - shown, command->operands);
        if (shown > 40) /* its summary on a line of its own */
            fprintf(to, "\n%-57s ", "");
        fprintf(to, "%s\n", command->summary);
    }
    fprintf(to, "\n`souk help COMMAND` says what its words mean.  Flags:\n\n");
    for (size_t i = 0; i < app_flag_count; i++) {
        const app_flag *flag = &app_flags[i];
        fprintf(to, "  %-10s %-6s %s%s%s%s\n", flag->name, flag->value ? flag->value : "",
                flag->words, flag->variable ? " (or " : "", flag->variable ? flag->variable : "",
                flag->variable ? ")" : "");
    }
    fprintf(to, "  --listen   ADDR   where the server listens; each setting of `souk config show` "
                "is a flag, too\n");
}

souk_err app_help(const app_options *options, souk_diag *diag)
{
    if (!options->operand_count) {
        app_help_all(stdout);
        return SOUK_OK;
    }
    const app_command *command = app_command_find(options->operands[0]);
    if (!command)
        return app_no_command(options->operands[0], diag);
    app_help_command(command, stdout);
    return SOUK_OK;
}
