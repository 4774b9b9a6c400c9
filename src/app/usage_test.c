/* usage_test.c - every row of the tables can be taken apart, and pages and scripts say all of it and no more. */
#include "app/usage.h"

#include "test/test.h"

#include <stdio.h>

/* The shapes as one text: "replay ID (EVENT) / drop ID", "+" behind what repeats. */
static const char *told(souk_test *test, const char *usage)
{
    static char words[400];
    app_shapes shapes;
    SOUK_MUST(app_shapes_read(usage, &shapes));
    int at = snprintf(words, sizeof words, "%s", shapes.may_be_none ? "? " : "");
    for (size_t i = 0; i < shapes.count; i++)
        for (size_t j = 0; j < shapes.at[i].count; j++) {
            const app_part *part = &shapes.at[i].parts[j];
            const char *before = j ? " " : i ? " / " : "";
            at += snprintf(words + at, sizeof words - (size_t)at, "%s%.*s%.*s%.*s%s", before,
                           part->opens, "((((", SOUK_TEXT_PRINT(part->word), part->closes, "))))",
                           part->repeats ? "+" : "");
        }
    return words;
}

SOUK_TEST("a usage is taken apart into its shapes, brackets and repeats")
{
    static const char *const cases[][2] = {
        {"", ""},
        {"FILE", "FILE"},
        {"KIND VALUE [BY WHY]", "KIND VALUE (BY WHY)"},
        {"[replay ID [EVENT] | drop ID]", "? replay ID (EVENT) / drop ID"},
        {"[ID | cancel ID]", "? ID / cancel ID"},
        {"list | new SCOPE\xe2\x80\xa6 | revoke ID", "list / new SCOPE+ / revoke ID"},
        {"[--basis P=B \xe2\x80\xa6] [--age-band adult]", "(--basis P=B)+ (--age-band adult)"},
        {"[A [B]] [C]", "(A (B)) (C)"},
        {"[A | B] [C]", NULL}, /* a choice within half of it is not in the grammar */
        {"[A", NULL},
        {"A]", NULL},
        {"A | | B", NULL},
        {"A |", "A"},
        {"\xe2\x80\xa6", NULL},
        {"a b c d e f g h i j k l m n o p q r s t u v w x y", NULL},
        {"a | b | c | d | e | f | g | h | i", NULL},
        {"[]", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        app_shapes shapes;
        if (cases[i][1])
            SOUK_CHECK_TEXT(souk_text_of(told(test, cases[i][0])), cases[i][1]);
        else
            SOUK_CHECK_ERR(app_shapes_read(cases[i][0], &shapes), SOUK_EINVAL);
    }
}

static void check_part(souk_test *test, const app_command *command, const app_part *part,
                       bool is_first)
{
    if (app_part_is_flag(part)) {
        souk_text name = part->word;
        SOUK_CHECK(app_flag_find(name) || souk_text_equal(name, SOUK_TEXT("--SETTING")) ||
                   souk_text_equal(name, SOUK_TEXT("--listen")));
    } else if (app_part_is_literal(part)) {
        SOUK_CHECK(is_first || souk_text_equal(part->word, SOUK_TEXT("adult")));
    } else if (!app_word_find(part->word)) {
        test_fail(test, __FILE__, __LINE__, "%s: help.c does not say what %.*s is", command->name,
                  SOUK_TEXT_PRINT(part->word));
    }
}

SOUK_TEST("every word and flag of every row is known, and a literal comes first or nowhere")
{
    for (size_t i = 0; i < app_command_count; i++) {
        const app_command *command = &app_commands[i];
        const char *const usages[] = {command->operands, command->flags ? command->flags : ""};
        size_t most = 0;
        for (size_t u = 0; u < 2; u++) {
            app_shapes shapes;
            SOUK_MUST(app_shapes_read(usages[u], &shapes));
            for (size_t j = 0; j < shapes.count; j++)
                for (size_t k = 0; k < shapes.at[j].count; k++) {
                    check_part(test, command, &shapes.at[j].parts[k], k == 0 || u == 1);
                    most = u ? most : souk_max_size(most, k + 1);
                }
        }
        SOUK_CHECK(most <= command->most || !command->most);
        SOUK_CHECK(strlen(command->summary) > 10 && !strpbrk(command->summary, "\\\n"));
    }
}

/* The flag behind the command, with a value where it wants one. */
static souk_err read_flag(const app_command *command, const app_flag *flag, souk_diag *diag)
{
    char words[3][20] = {"souk"}, value[] = "x";
    snprintf(words[1], sizeof words[1], "%s", command->name);
    snprintf(words[2], sizeof words[2], "%s", flag->name);
    char *arguments[] = {words[0], words[1], words[2], value};
    app_options options = {.data = NULL};
    *diag = (souk_diag){.words = ""};
    return app_options_read(command, flag->kind == APP_FLAG_SWITCH ? 3 : 4, arguments, &options,
                            diag);
}

SOUK_TEST("each command takes its own flags and the common ones, and refuses those of others")
{
    souk_diag diag;
    for (size_t i = 0; i < app_command_count; i++)
        for (size_t j = 0; j < app_flag_count; j++) {
            const app_flag *flag = &app_flags[j];
            bool is_own = app_command_has_flag(&app_commands[i], souk_text_of(flag->name));
            souk_err err = read_flag(&app_commands[i], flag, &diag);
            SOUK_CHECK(err == (flag->common || is_own ? SOUK_OK : SOUK_EINVAL));
            SOUK_CHECK(!err || strstr(diag.words, "is no flag of this command: see `souk help "));
        }
    SOUK_CHECK_ERR(
        read_flag(app_command_find("erase"), app_flag_find(SOUK_TEXT("--dry-run")), &diag),
        SOUK_EINVAL);
    SOUK_MUST(read_flag(app_command_find("import"), app_flag_find(SOUK_TEXT("--dry-run")), &diag));
}

/* What a shell could read as its own in a word to choose. */
static bool is_plain(const char *word)
{
    return word[strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789._=-")] == '\0' && *word;
}

SOUK_TEST("every list of choices ends, repeats nothing and holds plain words")
{
    for (size_t i = 0; i < app_word_count; i++) {
        const app_word *word = &app_words[i];
        char choice[APP_CHOICE_BYTES], before[APP_CHOICE_BYTES] = "";
        const char *what;
        size_t count = 0;
        SOUK_CHECK(app_word_find(souk_text_of(word->word)) == word); /* it stands here once */
        SOUK_CHECK((word->kind == APP_WORD_CHOICE) == (word->choice != NULL));
        SOUK_CHECK(word->meaning || word->choice);
        for (; word->choice && word->choice(count, choice, &what); count++) {
            SOUK_CHECK(is_plain(choice) && strcmp(choice, before) != 0 && !strchr(what, '\n'));
            SOUK_CHECK(count < 1000);
            memcpy(before, choice, sizeof before);
        }
        SOUK_CHECK(!word->choice || (count > 0 && !word->choice(count + 1, choice, &what)));
    }
}

static bool text_has(const souk_buf *text, const char *words)
{
    return memmem(text->at, text->bytes, words, strlen(words)) != NULL;
}

SOUK_TEST("each command has a page, found by each of its names, and souk.toml(5) has every setting")
{
    char page[APP_CHOICE_BYTES], words[200];
    const char *what;
    size_t count = 0;
    for (; app_man_page(count, page, &what); count++) {
        souk_auto_value(souk_buf) out = {.mem = test->mem};
        souk_auto_value(souk_buf) bare = {.mem = test->mem};
        SOUK_MUST(app_man_write(souk_text_of(page), &out));
        SOUK_MUST(app_man_write((souk_text){page, strlen(page) - 2}, &bare));
        SOUK_CHECK(souk_text_equal(souk_buf_view(&out), souk_buf_view(&bare)));
        snprintf(words, sizeof words, ".Sh NAME\n.Nm %.*s\n", (int)strlen(page) - 2, page);
        SOUK_CHECK(text_has(&out, words) && text_has(&out, ".Sh SEE ALSO\n"));
    }
    SOUK_CHECK(count == app_command_count + 2);
    for (size_t i = 0; i < app_command_count; i++) {
        souk_auto_value(souk_buf) out = {.mem = test->mem};
        SOUK_MUST(app_man_write(souk_text_of(app_commands[i].name), &out));
    }
    souk_auto_value(souk_buf) settings = {.mem = test->mem};
    SOUK_MUST(app_man_write(SOUK_TEXT("souk.toml"), &settings));
    for (int id = 0; id < APP_SETTINGS; id++) {
        snprintf(words, sizeof words, ".It Cm %s\n", app_setting_table[id].name);
        SOUK_CHECK(text_has(&settings, words));
    }
    souk_auto_value(souk_buf) none = {.mem = test->mem};
    SOUK_CHECK_ERR(app_man_write(SOUK_TEXT("souk-"), &none), SOUK_ENOENT);
    SOUK_CHECK_ERR(app_man_write(SOUK_TEXT(""), &none), SOUK_ENOENT);
}

SOUK_TEST("each script names every command, flag and setting, and without memory says so")
{
    static const char *const shells[] = {"bash", "zsh", "fish"};
    char flag[APP_SPELLING_BYTES];
    for (size_t s = 0; s < 3; s++) {
        souk_auto_value(souk_buf) out = {.mem = test->mem};
        SOUK_MUST(app_completion_write(souk_text_of(shells[s]), &out));
        for (size_t i = 0; i < app_command_count; i++)
            SOUK_CHECK(text_has(&out, app_commands[i].name));
        for (size_t i = 0; i < app_flag_count; i++)
            SOUK_CHECK(text_has(&out, app_flags[i].name));
        for (int id = 0; id < APP_SETTINGS; id++) {
            app_setting_flag((app_setting_id)id, flag);
            SOUK_CHECK(text_has(&out, flag));
        }
    }
    SOUK_FAULT_LOOP (test) {
        souk_auto_value(souk_buf) script = {.mem = test->mem}, page = {.mem = test->mem};
        souk_err err = app_completion_write(SOUK_TEXT("fish"), &script);
        if (!err)
            err = app_man_write(SOUK_TEXT("consent"), &page);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
    }
    souk_auto_value(souk_buf) none = {.mem = test->mem};
    SOUK_CHECK_ERR(app_completion_write(SOUK_TEXT("csh"), &none), SOUK_ENOENT);
}
