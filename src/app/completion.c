/* completion.c - scripts by which bash, zsh and fish complete a command line, grown from the tables.
 *
 * A script walks the words before the one in hand and keeps three facts: the command, how many operands
 * stand behind it, and the first of them.  "rejects:1:replay" is then a place; the tables tell what may
 * stand there (places), and each place becomes a branch:
 *
 *     rejects:0:*)  _souk_choose 'replay' 'drop' ;;         words to choose from, with a ':' and what they are
 *     import:1:online-retail)  _souk_files ;;               or _souk_folders
 *
 * bash and zsh share a form of branches, fish has its own; what the three functions do is each shell's. */
#include "app/usage.h"

#include "base/log.h"

#include <stdio.h>

typedef struct dialect {
    const char *shell, *prologue, *epilogue;
    /* the parts of the script in order: values of flags, names of flags, commands, operands */
    const char *if_takes, *if_flag, *if_command, *if_operand, *fi;
    bool is_fish; /* in the form of its branches */
} dialect;

static const dialect dialects[] = {
    {.shell = "bash",
     .prologue =
         "# bash completion for souk, written by `souk completion bash`\n"
         "_souk_choose() {\n"
         "    local word\n"
         "    for word in \"${@%%:*}\"; do\n"
         "        [[ $word == \"$cur\"* ]] && COMPREPLY+=(\"$word\")\n"
         "    done\n"
         "}\n"
         "_souk_paths() {\n"
         "    local path\n"
         "    compopt -o filenames 2>/dev/null\n"
         "    while IFS= read -r path; do COMPREPLY+=(\"$path\"); done < <(compgen \"$1\" -- "
         "\"$cur\")\n"
         "}\n"
         "_souk_files() { _souk_paths -f; }\n"
         "_souk_folders() { _souk_paths -d; }\n"
         "_souk() {\n"
         "    local cur word takes= command= first= cut i n=0 words=()\n"
         "    COMPREPLY=()\n"
         "    # bash parts words at = and :, souk does not\n"
         "    for ((i = 1; i <= COMP_CWORD; i++)); do\n"
         "        word=${COMP_WORDS[i]}\n"
         "        if ((${#words[@]})) && [[ $word == [=:]* || ${words[-1]} == *[=:] ]]; then\n"
         "            words[-1]+=$word\n"
         "        else\n"
         "            words+=(\"$word\")\n"
         "        fi\n"
         "    done\n"
         "    cur=${words[-1]-}\n"
         "    for word in \"${words[@]:0:${#words[@]}-1}\"; do\n"
         "        if [[ $takes ]]; then\n"
         "            takes=\n"
         "        elif [[ $word == --* ]]; then\n"
         "            _souk_takes \"$word\" && takes=$word\n"
         "        elif [[ ! $command ]]; then\n"
         "            command=$word\n"
         "        else\n"
         "            ((n++)) || first=$word\n"
         "        fi\n"
         "    done\n",
     .epilogue = "    cut=${cur%\"${cur##*[=:]}\"}\n"
                 "    [[ $cut && $COMP_WORDBREAKS == *\"${cut: -1}\"* ]] && "
                 "COMPREPLY=(\"${COMPREPLY[@]#\"$cut\"}\")\n"
                 "    return 0\n"
                 "}\n"
                 "complete -F _souk souk\n",
     .if_takes = "if [[ $takes ]]; then\n",
     .if_flag = "elif [[ $cur == -* ]]; then\n",
     .if_command = "elif [[ ! $command ]]; then\n",
     .if_operand = "else\n",
     .fi = "fi\n"},
    {.shell = "zsh",
     .prologue = "#compdef souk\n"
                 "# zsh completion for souk, written by `souk completion zsh`\n"
                 "_souk_choose() {\n"
                 "    local -a choices\n"
                 "    choices=(\"$@\")\n"
                 "    _describe -V souk choices\n"
                 "}\n"
                 "_souk_files() { _files; }\n"
                 "_souk_folders() { _files -/; }\n"
                 "_souk() {\n"
                 "    local cur word takes= command= first=\n"
                 "    local -i n=0\n"
                 "    cur=${words[CURRENT]}\n"
                 "    for word in \"${(@)words[2,CURRENT-1]}\"; do\n"
                 "        if [[ -n $takes ]]; then\n"
                 "            takes=\n"
                 "        elif [[ $word == --* ]]; then\n"
                 "            _souk_takes \"$word\" && takes=$word\n"
                 "        elif [[ -z $command ]]; then\n"
                 "            command=$word\n"
                 "        else\n"
                 "            ((n++)) || first=$word\n"
                 "        fi\n"
                 "    done\n",
     .epilogue =
         "}\n"
         "if [[ $funcstack[1] == _souk ]]; then _souk \"$@\"; else compdef _souk souk; fi\n",
     .if_takes = "if [[ -n $takes ]]; then\n",
     .if_flag = "elif [[ $cur == -* ]]; then\n",
     .if_command = "elif [[ -z $command ]]; then\n",
     .if_operand = "else\n",
     .fi = "fi\n"},
    {.shell = "fish",
     .prologue = "# fish completion for souk, written by `souk completion fish`\n"
                 "function _souk_choose\n"
                 "    string replace ':' \\t -- $argv\n"
                 "end\n"
                 "function _souk_files\n"
                 "    __fish_complete_path (commandline -ct)\n"
                 "end\n"
                 "function _souk_folders\n"
                 "    __fish_complete_directories (commandline -ct) ''\n"
                 "end\n"
                 "function _souk\n"
                 "    set -l words (commandline -opc)\n"
                 "    set -l cur (commandline -ct)\n"
                 "    set -l takes ''\n"
                 "    set -l command ''\n"
                 "    set -l first ''\n"
                 "    set -l n 0\n"
                 "    for word in $words[2..]\n"
                 "        if test -n \"$takes\"\n"
                 "            set takes ''\n"
                 "        else if string match -q -- '--*' $word\n"
                 "            _souk_takes $word; and set takes $word\n"
                 "        else if test -z \"$command\"\n"
                 "            set command $word\n"
                 "        else\n"
                 "            test $n = 0; and set first $word\n"
                 "            set n (math $n + 1)\n"
                 "        end\n"
                 "    end\n",
     .epilogue = "end\n"
                 "complete -c souk -f -a '(_souk)'\n",
     .is_fish = true,
     .if_takes = "if test -n \"$takes\"\n",
     .if_flag = "else if string match -q -- '-*' \"$cur\"\n",
     .if_command = "else if test -z \"$command\"\n",
     .if_operand = "else\n",
     .fi = "end\n"},
};

/* ---- branches ------------------------------------------------------------------------------ */

typedef struct script {
    const dialect *dialect;
    souk_buf *out;
    bool chooses; /* a list of choices is open */
} script;

/* What it is, in single quotes: a quote of its own becomes a typographic one. */
static void put_quoted(script *my, const char *text)
{
    for (; *text; text++)
        if (*text == '\'')
            souk_buf_print(my->out, "\xe2\x80\x99");
        else if (*text != '\\')
            souk_buf_byte(my->out, *text);
}

static void add_choice(script *my, const char *choice, const char *what)
{
    souk_buf_print(my->out, "%s'%s%s", my->chooses ? " " : "_souk_choose ", choice,
                   *what ? ":" : "");
    put_quoted(my, what);
    souk_buf_byte(my->out, '\'');
    my->chooses = true;
}

static void end_choices(script *my)
{
    if (my->chooses)
        souk_buf_byte(my->out, '\n');
    my->chooses = false;
}

static void open_branches(script *my, const char *value)
{
    souk_buf_print(my->out, my->dialect->is_fish ? "switch %s\n" : "case %s in\n", value);
}

static void begin_branch(script *my, const char *pattern)
{
    souk_buf_print(my->out, my->dialect->is_fish ? "case '%s'\n" : "%s)\n", pattern);
}

static void end_branch(script *my)
{
    end_choices(my);
    souk_buf_print(my->out, "%s", my->dialect->is_fish ? "" : ";;\n");
}

static void close_branches(script *my)
{
    souk_buf_print(my->out, my->dialect->is_fish ? "end\n" : "esac\n");
}

/* What may stand for a word of a usage: nothing where it may be anything. */
static void add_word(script *my, souk_text text)
{
    char choice[APP_CHOICE_BYTES];
    const char *what;
    const app_word *word = app_word_find(text);
    if (!word) {
        snprintf(choice, sizeof choice, "%.*s", SOUK_TEXT_PRINT(text));
        if (choice[0] >= 'a' && choice[0] <= 'z')
            add_choice(my, choice, "");
        return;
    }
    for (size_t i = 0; word->kind == APP_WORD_CHOICE && word->choice(i, choice, &what); i++)
        add_choice(my, choice, what);
    if (word->kind != APP_WORD_FILE && word->kind != APP_WORD_FOLDER)
        return;
    end_choices(my);
    souk_buf_print(my->out, "%s\n", word->kind == APP_WORD_FILE ? "_souk_files" : "_souk_folders");
}

/* ---- flags --------------------------------------------------------------------------------- */

static void add_level_words(script *my)
{
#define ADD_LEVEL(name, word) add_choice(my, word, "");
    SOUK_LOG_LEVEL_TABLE(ADD_LEVEL)
#undef ADD_LEVEL
}

/* _souk_takes FLAG: whether a value stands behind it. */
static void write_takes(script *my)
{
    char flag[APP_SPELLING_BYTES];
    bool is_fish = my->dialect->is_fish;
    const char *between = is_fish ? " " : "|";
    souk_buf_print(my->out, is_fish ? "function _souk_takes\ncontains -- $argv[1]"
                                    : "_souk_takes() {\ncase $1 in\n");
    for (size_t i = 0, told = 0; i < app_flag_count; i++)
        if (app_flags[i].value)
            souk_buf_print(my->out, "%s%s", told++ || is_fish ? between : "", app_flags[i].name);
    for (int id = 0; id < APP_SETTINGS; id++) {
        app_setting_flag((app_setting_id)id, flag);
        souk_buf_print(my->out, "%s%s", between, flag);
    }
    souk_buf_print(my->out, is_fish ? "\nend\n" : ") return 0 ;;\nesac\nreturn 1\n}\n");
}

static void write_values(script *my)
{
    char flag[APP_SPELLING_BYTES];
    open_branches(my, "\"$takes\"");
    for (size_t i = 0; i < app_flag_count; i++) {
        if (!app_flags[i].value)
            continue;
        begin_branch(my, app_flags[i].name);
        add_word(my, souk_text_of(app_flags[i].value));
        end_branch(my);
    }
    for (int id = 0; id < APP_SETTINGS; id++) {
        if (app_setting_table[id].kind != APP_KIND_LEVEL)
            continue;
        app_setting_flag((app_setting_id)id, flag);
        begin_branch(my, flag);
        add_level_words(my);
        end_branch(my);
    }
    close_branches(my);
}

static void write_flags_of(script *my, const app_command *command)
{
    char flag[APP_SPELLING_BYTES];
    begin_branch(my, command->name);
    for (size_t i = 0; i < app_flag_count; i++)
        if (app_flags[i].common || app_command_has_flag(command, souk_text_of(app_flags[i].name)))
            add_choice(my, app_flags[i].name, app_flags[i].words);
    for (int id = 0; id < APP_SETTINGS && app_command_has_flag(command, SOUK_TEXT("--SETTING"));
         id++) {
        app_setting_flag((app_setting_id)id, flag);
        add_choice(my, flag, app_setting_table[id].purpose);
    }
    end_branch(my);
}

static void write_flags(script *my)
{
    open_branches(my, "\"$command\"");
    for (size_t i = 0; i < app_command_count; i++)
        write_flags_of(my, &app_commands[i]);
    close_branches(my);
}

/* ---- operands ------------------------------------------------------------------------------ */

/* The part of the shape at this place; NULL: none. */
static const app_part *part_at(const app_shape *shape, size_t place)
{
    if (place < shape->count)
        return &shape->parts[place];
    const app_part *last = &shape->parts[shape->count - 1];
    return last->repeats ? last : NULL;
}

static bool has_first(const app_shape *shape, souk_text first)
{
    return app_part_is_literal(&shape->parts[0]) && souk_text_equal(shape->parts[0].word, first);
}

/* The branch of a place behind the literal `first`, or (no bytes) of those that begin with anything. */
static void write_place(script *my, const app_command *command, const app_shapes *shapes,
                        size_t place, souk_text first)
{
    char pattern[2 * APP_CHOICE_BYTES];
    size_t before = my->out->bytes;
    snprintf(pattern, sizeof pattern, "%s:%zu:%.*s", command->name, place,
             first.bytes ? (int)first.bytes : 1, first.bytes ? first.at : "*");
    begin_branch(my, pattern);
    size_t empty = my->out->bytes;
    for (size_t i = 0; i < shapes->count; i++) {
        const app_shape *shape = &shapes->at[i];
        bool is_meant = place == 0 || (first.bytes ? has_first(shape, first)
                                                   : !app_part_is_literal(&shape->parts[0]));
        const app_part *part = is_meant ? part_at(shape, place) : NULL;
        if (part && !app_part_is_flag(part))
            add_word(my, part->word);
    }
    if (my->out->bytes == empty && !my->out->failed)
        my->out->bytes = before; /* anything may stand there: no branch */
    else
        end_branch(my);
}

static void write_places(script *my, const app_command *command)
{
    app_shapes shapes;
    souk_err err = app_shapes_read(command->operands, &shapes);
    souk_assert(!err); /* of our own making, and tested */
    for (size_t place = 0; place < command->most; place++) {
        for (size_t i = 0; place && i < shapes.count; i++)
            if (app_part_is_literal(&shapes.at[i].parts[0]))
                write_place(my, command, &shapes, place, shapes.at[i].parts[0].word);
        write_place(my, command, &shapes, place, SOUK_TEXT(""));
    }
}

static void write_operands(script *my)
{
    open_branches(my, "\"$command:$n:$first\"");
    for (size_t i = 0; i < app_command_count; i++)
        write_places(my, &app_commands[i]);
    close_branches(my);
}

/* ---- the script ------------------------------------------------------------------------------ */

static void write_script(script *my)
{
    const dialect *d = my->dialect;
    size_t line = strcspn(d->prologue, "\n") + 1; /* zsh wants its first line first */
    souk_buf_print(my->out, "%.*s", (int)line, d->prologue);
    write_takes(my);
    souk_buf_print(my->out, "%s%s", d->prologue + line, d->if_takes);
    write_values(my);
    souk_buf_print(my->out, "%s", d->if_flag);
    write_flags(my);
    souk_buf_print(my->out, "%s", d->if_command);
    for (size_t i = 0; i < app_command_count; i++)
        add_choice(my, app_commands[i].name, app_commands[i].summary);
    end_choices(my);
    souk_buf_print(my->out, "%s", d->if_operand);
    write_operands(my);
    souk_buf_print(my->out, "%s%s", d->fi, d->epilogue);
}

souk_err app_completion_write(souk_text shell, souk_buf *out)
{
    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++) {
        script my = {.dialect = &dialects[i], .out = out};
        if (!souk_text_equal(shell, souk_text_of(dialects[i].shell)))
            continue;
        write_script(&my);
        return souk_buf_check(out);
    }
    return SOUK_ENOENT;
}

souk_err app_completion(const app_options *options, souk_diag *diag)
{
    souk_auto_value(souk_buf) out = {.mem = souk_mem_heap()};
    souk_err err = app_completion_write(souk_text_of(options->operands[0]), &out);
    if (err == SOUK_ENOENT)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "there is no completion for '%s': write bash, zsh or fish",
                             options->operands[0]);
    fwrite(out.at, 1, out.bytes, stdout);
    return err;
}
