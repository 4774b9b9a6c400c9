/* man.c - the manual as mdoc(7), grown from the tables of commands, words, flags and settings.
 *
 *     souk man            souk(1)              souk man import       souk-import(1)
 *     souk man --list     the pages' names     souk man souk.toml    souk.toml(5)
 *
 * `mandoc -T lint` finds nothing in them.  Words of the tables reach a page through put_words alone, which
 * breaks lines and takes away what roff would read as its own. */
#include "app/usage.h"

#include <stdio.h>

/* When something here last changed; a page's own date would need a clock, and builds repeat. */
#define PAGES_DATE "November 26, 2026"

enum { LINE_BYTES = 78 };

/* ---- text ---------------------------------------------------------------------------------- */

/* One word; `code` in back quotes gets roff's quotes, a back slash and an ellipsis their names. */
static void put_word(souk_text word, bool *quoted, souk_buf *out)
{
    if (strchr(".'", word.at[0]))
        souk_buf_print(out, "\\&");
    for (size_t i = 0; i < word.bytes; i++) {
        souk_text rest = {word.at + i, word.bytes - i};
        if (souk_text_starts(rest, SOUK_TEXT("\xe2\x80\xa6"))) {
            souk_buf_print(out, "...");
            i += 2;
        } else if (word.at[i] == '`') {
            *quoted = !*quoted;
            souk_buf_print(out, *quoted ? "\\(oq" : "\\(cq");
        } else if (word.at[i] == '\\') {
            souk_buf_print(out, "\\e");
        } else if (word.at[i] == '-' && (*quoted || i == 0)) {
            souk_buf_print(out, "\\-"); /* to be typed as it stands */
        } else {
            souk_buf_byte(out, word.at[i]);
        }
    }
}

/* Lines of text; a sentence starts a line. */
static void put_words(const char *words, souk_buf *out)
{
    souk_text rest = souk_text_of(words);
    size_t start = out->bytes;
    bool quoted = false;
    while (rest.bytes) {
        souk_text word = souk_text_cut(&rest, ' ');
        if (!word.bytes)
            continue;
        bool is_first = out->bytes == start;
        bool ends = !is_first && strchr(".?!", out->at[out->bytes - 1]);
        bool long_line = out->bytes - start + word.bytes > LINE_BYTES;
        if (!is_first)
            souk_buf_byte(out, ends || long_line ? '\n' : ' ');
        if (!is_first && (ends || long_line))
            start = out->bytes;
        put_word(word, &quoted, out);
        if (souk_buf_check(out))
            return;
    }
    souk_buf_byte(out, '\n');
}

static void put_head(const char *name, char section, const char *what, souk_buf *out)
{
    souk_buf_print(out, ".Dd " PAGES_DATE "\n.Dt ");
    for (const char *at = name; *at; at++)
        souk_buf_byte(out, *at >= 'a' && *at <= 'z' ? (char)(*at - 32) : *at);
    souk_buf_print(out, " %c\n.Os Souk " SOUK_VERSION "\n.Sh NAME\n.Nm %s\n.Nd %s\n", section, name,
                   what);
}

/* ---- synopsis ------------------------------------------------------------------------------ */

static void put_part(const app_part *part, bool starts_line, souk_buf *out)
{
    const char *macro = app_part_is_flag(part)      ? "Fl \\-"
                        : app_part_is_literal(part) ? "Cm "
                                                    : "Ar ";
    size_t skip = app_part_is_flag(part) ? 2 : 0;
    souk_buf_byte(out, starts_line ? '.' : ' ');
    for (unsigned i = 0; i < part->opens; i++)
        souk_buf_print(out, "Oo ");
    souk_buf_print(out, "%s%.*s", macro, (int)(part->word.bytes - skip), part->word.at + skip);
    if (part->repeats && !part->closes)
        souk_buf_print(out, " ...");
    for (unsigned i = 0; i < part->closes; i++)
        souk_buf_print(out, " Oc");
    if (part->repeats && part->closes)
        souk_buf_print(out, " ...");
}

/* A line of roff for each part and what its bracket holds. */
static void put_shape(const app_shape *shape, souk_buf *out)
{
    int depth = 0;
    for (size_t i = 0; i < shape->count; i++) {
        bool starts_line = depth == 0 && (i == 0 || !app_part_is_flag(&shape->parts[i - 1]));
        if (starts_line && i)
            souk_buf_byte(out, '\n');
        put_part(&shape->parts[i], starts_line, out);
        depth += shape->parts[i].opens;
        depth -= shape->parts[i].closes;
    }
    if (shape->count)
        souk_buf_byte(out, '\n');
}

static void put_call(const app_command *command, const app_shape *operands, const app_shapes *flags,
                     souk_buf *out)
{
    souk_buf_print(out, ".Nm souk\n.Cm %s\n", command->name);
    if (operands)
        put_shape(operands, out);
    for (size_t i = 0; i < flags->count; i++)
        put_shape(&flags->at[i], out);
}

static void read_shapes(const char *usage, app_shapes *ret_shapes)
{
    souk_err err = app_shapes_read(usage ? usage : "", ret_shapes);
    souk_assert(!err); /* of our own making, and tested */
}

static void put_synopsis(const app_command *command, souk_buf *out)
{
    app_shapes operands, flags;
    read_shapes(command->operands, &operands);
    read_shapes(command->flags, &flags);
    souk_buf_print(out, ".Sh SYNOPSIS\n");
    if (!operands.count || operands.may_be_none)
        put_call(command, NULL, &flags, out);
    for (size_t i = 0; i < operands.count; i++)
        put_call(command, &operands.at[i], &flags, out);
}

/* ---- lists --------------------------------------------------------------------------------- */

static void put_flag(const app_flag *flag, souk_buf *out)
{
    souk_buf_print(out, ".It Fl \\-%s", flag->name + 2);
    if (flag->value)
        souk_buf_print(out, " %s %s",
                       app_word_find(souk_text_of(flag->value)) || flag->value[0] < 'a' ? "Ar"
                                                                                        : "Cm",
                       flag->value);
    souk_buf_byte(out, '\n');
    put_words(flag->words, out);
}

static void put_flags(const app_command *command, souk_buf *out)
{
    souk_buf_print(out, ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < app_flag_count; i++)
        if (command ? app_command_has_flag(command, souk_text_of(app_flags[i].name)) &&
                          !app_flags[i].common
                    : app_flags[i].common)
            put_flag(&app_flags[i], out);
    if (command && app_command_has_flag(command, SOUK_TEXT("--SETTING"))) {
        souk_buf_print(out, ".It Fl \\-SETTING Ar VALUE\n");
        put_words("a setting, with - in place of its points and underscores, as --limits-body-ms:",
                  out);
        souk_buf_print(out, "see\n.Xr souk.toml 5\n");
    }
    souk_buf_print(out, ".El\n");
}

static bool has_flags(const app_command *command)
{
    bool any = app_command_has_flag(command, SOUK_TEXT("--SETTING"));
    for (size_t i = 0; i < app_flag_count; i++)
        any |= app_command_has_flag(command, souk_text_of(app_flags[i].name));
    return any;
}

static bool uses_word(const app_command *command, const app_word *word)
{
    return app_command_has_flag(command,
                                souk_text_of(word->word)); /* operands are looked at, too */
}

static void put_word_list(const app_command *command, souk_buf *out)
{
    bool told = false;
    for (size_t i = 0; i < app_word_count; i++) {
        souk_auto_value(souk_buf) meaning = {.mem = out->mem};
        if (!uses_word(command, &app_words[i]))
            continue;
        souk_buf_print(out, "%s.It Ar %s\n", told ? "" : ".Pp\nIts words:\n.Bl -tag -width Ds\n",
                       app_words[i].word);
        told = true;
        app_word_write(&app_words[i], &meaning);
        put_words(souk_buf_ended(&meaning), out);
        out->failed = out->failed ? out->failed : meaning.failed;
    }
    if (told)
        souk_buf_print(out, ".El\n");
}

static void put_exit_status(souk_buf *out)
{
    souk_buf_print(out, ".Sh EXIT STATUS\n.Bl -tag -width Ds\n"
                        ".It 0\ndone\n"
                        ".It 1\nit could not be done; stderr says why\n"
                        ".It 2\nit was asked wrongly; stderr says what to do\n.El\n");
}

/* ---- pages --------------------------------------------------------------------------------- */

/* What only some need to know. */
static void put_of_serve(souk_buf *out)
{
    souk_buf_print(
        out,
        ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n"
        ".It Ev LISTEN_FDS , LISTEN_PID , LISTEN_FDNAMES\n"
        "Sockets that a supervisor opened: they are served in place of the setting listen.\n"
        ".It Ev NOTIFY_SOCKET\n"
        "Where the supervisor hears READY=1, STATUS=, RELOADING=1, STOPPING=1 and WATCHDOG=1.\n"
        ".It Ev WATCHDOG_USEC , WATCHDOG_PID\n"
        "Twice in this time WATCHDOG=1 is sent, while writer, loops and readers of bodies\n"
        "answer.\n.El\n"
        ".Sh SIGNALS\n.Bl -tag -width Ds\n"
        ".It Dv SIGTERM , SIGINT\n"
        "Accepts no more, finishes what is under way within drain_s, and ends.\n"
        ".It Dv SIGHUP\n"
        "Reads the settings again and takes those that may change, see\n"
        ".Xr souk.toml 5 .\n"
        "Where stdin is a terminal, which closes, it ends the server as\n"
        ".Dv SIGTERM\ndoes.\n.El\n");
}

static void write_command_page(const app_command *command, souk_buf *out)
{
    char name[APP_CHOICE_BYTES];
    snprintf(name, sizeof name, "souk-%s", command->name);
    put_head(name, '1', command->summary, out);
    put_synopsis(command, out);
    souk_buf_print(out, ".Sh DESCRIPTION\n");
    souk_auto_value(souk_buf) sentence = {.mem = out->mem};
    souk_buf_print(&sentence, "`souk %s`: %s", command->name, command->summary);
    put_words(souk_buf_ended(&sentence), out);
    put_word_list(command, out);
    if (has_flags(command)) {
        souk_buf_print(out, ".Pp\nIts flags:\n");
        put_flags(command, out);
    }
    souk_buf_print(out, ".Pp\nEach command takes these, too:\n");
    put_flags(NULL, out);
    if (!strcmp(command->name, "serve"))
        put_of_serve(out);
    put_exit_status(out);
    if (command->example) {
        souk_buf_print(out, ".Sh EXAMPLES\n.Bd -literal -offset indent\n");
        bool quoted = false;
        put_word(souk_text_of(command->example), &quoted, out);
        souk_buf_print(out, "\n.Ed\n");
    }
    souk_buf_print(out, ".Sh SEE ALSO\n.Xr souk 1 ,\n.Xr souk.toml 5\n");
}

static void write_main_page(souk_buf *out)
{
    put_head("souk", '1', "a retailer's own shopper data server", out);
    souk_buf_print(out, ".Sh SYNOPSIS\n.Nm souk\n.Ar COMMAND\n.Op Ar WORD ...\n"
                        ".Op Fl \\-data Ar DIR\n.Op Fl \\-config Ar FILE\n.Op Fl \\-json\n"
                        ".Sh DESCRIPTION\n");
    put_words("Souk joins what shoppers do online and in shops into one consenting person, keeps "
              "it durable, exact and erasable, and answers for it. It is one process and one "
              "folder of data. A command beside a running server speaks to that server; else it "
              "works on the folder itself. Data goes to stdout, words and progress bars to "
              "stderr.",
              out);
    souk_buf_print(out, ".Pp\nThe commands:\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < app_command_count; i++) {
        souk_buf_print(out, ".It Xr souk-%s 1\n", app_commands[i].name);
        put_words(app_commands[i].summary, out);
    }
    souk_buf_print(out, ".El\n.Pp\nFlags that each of them takes:\n");
    put_flags(NULL, out);
    souk_buf_print(out, ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < app_flag_count; i++)
        if (app_flags[i].variable)
            souk_buf_print(out, ".It Ev %s\nas\n.Fl \\-%s ,\nwhich wins\n", app_flags[i].variable,
                           app_flags[i].name + 2);
    souk_buf_print(out, ".It Ev SOUK_SETTING\na setting, see\n.Xr souk.toml 5\n.El\n"
                        ".Sh FILES\nIn the data folder:\n.Bl -tag -width Ds\n"
                        ".It Pa souk.toml\nthe settings\n"
                        ".It Pa root.key\nopens all the other keys; in no backup\n"
                        ".It Pa keys\none key for each shopper\n"
                        ".It Pa ledger\nevery event, sealed\n"
                        ".It Pa erasures\nwho was forgotten\n"
                        ".It Pa control\na running server's own socket\n.El\n");
    put_exit_status(out);
    souk_buf_print(out, ".Sh EXAMPLES\n.Bd -literal -offset indent\n"
                        "souk init \\-\\-data shop\n"
                        "souk serve \\-\\-data shop\n"
                        "souk stats \\-\\-data shop \\-\\-json\n.Ed\n"
                        ".Sh SEE ALSO\n.Xr souk-help 1 ,\n.Xr souk.toml 5\n");
}

static void put_setting(app_setting_id id, souk_buf *out)
{
    const app_setting *setting = &app_setting_table[id];
    char flag[APP_SPELLING_BYTES], variable[APP_SPELLING_BYTES];
    app_setting_flag(id, flag);
    app_setting_variable(id, variable);
    souk_buf_print(out, ".It Cm %s\n", setting->name);
    put_words(setting->purpose, out);
    souk_buf_print(out, ".br\nDefault\n.Li %s", setting->usual);
    if (setting->kind == APP_KIND_COUNT)
        souk_buf_print(out, " ,\nfrom %lld to %lld %s", (long long)setting->least,
                       (long long)setting->most, setting->unit);
    souk_buf_print(out, "; flag\n.Fl \\-%s ,\nvariable\n.Ev %s\n", flag + 2, variable);
    if (app_setting_is_live(id))
        souk_buf_print(out, ".br\nA server takes a new value on\n.Dv SIGHUP .\n");
}

static void write_settings_page(souk_buf *out)
{
    put_head("souk.toml", '5', "settings of souk", out);
    souk_buf_print(out, ".Sh DESCRIPTION\n");
    put_words("The settings of a shop stand in the file souk.toml of its data folder, or in the "
              "one that --config names. It is a strict part of TOML 1.0: texts, numbers, true, "
              "false, tables and comments. The setting limits.body_ms is the line body_ms = 10000 "
              "below the line [limits]. Unknown names are refused, and with anything wrong a "
              "server does not start.",
              out);
    souk_buf_print(out, ".Pp\n");
    put_words("A flag wins over the environment, that over the file, that over the default. An "
              "empty variable counts as not set. `souk config show` tells each value and where it "
              "comes from, `souk config check` what is wrong, with file, line and column.",
              out);
    souk_buf_print(out, ".Pp\nThe settings:\n.Bl -tag -width Ds\n");
    for (int id = 0; id < APP_SETTINGS; id++)
        put_setting((app_setting_id)id, out);
    souk_buf_print(out, ".El\n.Sh FILES\n.Bl -tag -width Ds\n.It Pa souk.toml\n"
                        "written by\n.Xr souk-init 1 ,\nwith every line commented out\n.El\n"
                        ".Sh EXAMPLES\n.Bd -literal -offset indent\n"
                        "listen = \"127.0.0.1:7010\"\n\n[limits]\nbatch_events = 5000\n.Ed\n"
                        ".Sh SEE ALSO\n.Xr souk 1 ,\n.Xr souk-config 1 ,\n.Xr souk-serve 1\n");
}

/* ---- which --------------------------------------------------------------------------------- */

bool app_man_page(size_t i, char to[APP_CHOICE_BYTES], const char **ret_what)
{
    *ret_what = "";
    if (i == 0)
        snprintf(to, APP_CHOICE_BYTES, "souk.1");
    else if (i <= app_command_count)
        snprintf(to, APP_CHOICE_BYTES, "souk-%s.1", app_commands[i - 1].name);
    else if (i == app_command_count + 1)
        snprintf(to, APP_CHOICE_BYTES, "souk.toml.5");
    else
        return false;
    return true;
}

/* "souk-import.1", "souk-import" and "import" are one page. */
static bool names_page(souk_text asked, const char *page, const char *before)
{
    souk_text full = souk_text_of(page);
    souk_text bare = {full.at, full.bytes - 2};
    size_t skip = strlen(before);
    return souk_text_equal(asked, full) || souk_text_equal(asked, bare) ||
           (skip && souk_text_equal(asked, (souk_text){bare.at + skip, bare.bytes - skip}));
}

souk_err app_man_write(souk_text asked, souk_buf *out)
{
    char page[APP_CHOICE_BYTES];
    const char *what;
    for (size_t i = 0; app_man_page(i, page, &what); i++) {
        bool is_command = i >= 1 && i <= app_command_count;
        if (!names_page(asked, page, is_command ? "souk-" : ""))
            continue;
        if (is_command)
            write_command_page(&app_commands[i - 1], out);
        else if (i)
            write_settings_page(out);
        else
            write_main_page(out);
        return souk_buf_check(out);
    }
    return SOUK_ENOENT;
}

souk_err app_man(const app_options *options, souk_diag *diag)
{
    souk_auto_value(souk_buf) out = {.mem = souk_mem_heap()};
    char page[APP_CHOICE_BYTES];
    const char *what, *asked = options->operand_count ? options->operands[0] : "souk";
    for (size_t i = 0; options->list && app_man_page(i, page, &what); i++)
        printf("%s\n", page);
    if (options->list)
        return SOUK_OK;
    souk_err err = app_man_write(souk_text_of(asked), &out);
    if (err == SOUK_ENOENT)
        return souk_diag_say(diag, SOUK_EINVAL, "there is no page '%s': see `souk man --list`",
                             asked);
    fwrite(out.at, 1, out.bytes, stdout);
    return err;
}
