/* settings_test.c - the table of settings, what outweighs what, and that every mistake is told once. */
#include "app/settings.h"

#include "base/json.h"
#include "base/toml.h"
#include "store/ledger_backend.h"
#include "test/test.h"

#include <stdio.h>
#include <stdlib.h>

/* One load, its file written where the test has its folder. */
struct load {
    souk_test *test;
    const char *file; /* its text; NULL: none */
    char *environment[8];
    const char *flags[APP_SETTINGS];
    app_settings settings;
    app_mistakes mistakes;
};

static souk_err load(struct load *my)
{
    souk_test *test = my->test;
    char path[300];
    snprintf(path, sizeof path, "%s/souk.toml", test_folder(test));
    app_settings_from from = {.file = path, .environment = my->environment, .flags = my->flags};
    remove(path);
    if (my->file) {
        FILE *file = fopen(path, "w");
        SOUK_CHECK(file && fputs(my->file, file) >= 0 && fclose(file) == 0);
    }
    my->mistakes.count = 0;
    return app_settings_load(test->mem, &from, &my->settings, &my->mistakes);
}

static const app_value *value_of(const struct load *my, app_setting_id id)
{
    return &my->settings.values[id];
}

/* What is told of mistake i, without the file's folder. */
static const char *told(struct load *my, size_t i)
{
    static char words[900];
    souk_test *test = my->test;
    SOUK_CHECK(i < my->mistakes.count);
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    app_mistake_write(&my->mistakes.at[i], &out);
    const char *text = souk_buf_ended(&out), *folder = test_folder(test);
    size_t skip = strncmp(text, folder, strlen(folder)) ? 0 : strlen(folder) + 1;
    snprintf(words, sizeof words, "%s", text + skip);
    return words;
}

#define CHECK_TOLD(my, i, starts)                                                                \
    do {                                                                                         \
        const char *check_told = told(my, i);                                                    \
        if (strncmp(check_told, starts, strlen(starts)) != 0)                                    \
            test_fail(test, __FILE__, __LINE__, "'%s' does not start '%s'", check_told, starts); \
    } while (0)

/* ---- the table --------------------------------------------------------------------------------- */

SOUK_TEST("every setting has a name, a default within its limits and a purpose of its own")
{
    struct load my = {.test = test};
    SOUK_MUST(load(&my));
    SOUK_CHECK(my.settings.file[0] == '\0');
    for (int id = 0; id < APP_SETTINGS; id++) {
        const app_setting *setting = &app_setting_table[id];
        SOUK_CHECK_TEXT(souk_text_of(value_of(&my, (app_setting_id)id)->text), setting->usual);
        SOUK_CHECK(value_of(&my, (app_setting_id)id)->origin == APP_DEFAULT);
        SOUK_CHECK(strlen(setting->purpose) > 20 && !strpbrk(setting->purpose, "|`\n"));
        SOUK_CHECK((setting->kind == APP_KIND_COUNT) == (setting->least < setting->most));
        for (int other = 0; other < id; other++) {
            char a[APP_SPELLING_BYTES], b[APP_SPELLING_BYTES];
            SOUK_CHECK(strcmp(setting->purpose, app_setting_table[other].purpose) != 0);
            app_setting_variable((app_setting_id)id, a);
            app_setting_variable((app_setting_id)other, b);
            SOUK_CHECK(strcmp(a, b) != 0);
            app_setting_flag((app_setting_id)id, a);
            app_setting_flag((app_setting_id)other, b);
            SOUK_CHECK(strcmp(a, b) != 0);
        }
    }
}

SOUK_TEST("the defaults of the ledger are those of its options")
{
    struct load my = {.test = test};
    souk_ledger_options usual = souk_ledger_options_of(NULL);
    SOUK_MUST(load(&my));
    SOUK_CHECK(app_setting_of(&my.settings, APP_LEDGER_READERS) == usual.readers);
    SOUK_CHECK(app_setting_of(&my.settings, APP_LEDGER_CACHE_KIB) == usual.cache_kib);
}

SOUK_TEST("a setting is spelt as a flag and as a variable by one rule")
{
    char to[APP_SPELLING_BYTES];
    app_setting_flag(APP_LIMITS_BODY_MS, to);
    SOUK_CHECK_TEXT(souk_text_of(to), "--limits-body-ms");
    app_setting_variable(APP_LIMITS_BODY_MS, to);
    SOUK_CHECK_TEXT(souk_text_of(to), "SOUK_LIMITS_BODY_MS");
    app_setting_flag(APP_LISTEN, to);
    SOUK_CHECK_TEXT(souk_text_of(to), "--listen");
}

SOUK_TEST("the sample says nothing as it is, and every default once its marks are taken away")
{
    souk_auto_value(souk_buf) sample = {.mem = test->mem};
    app_settings_write_sample(&sample);
    SOUK_MUST(souk_buf_check(&sample));
    struct load my = {.test = test, .file = souk_buf_ended(&sample)};
    SOUK_MUST(load(&my));
    for (int id = 0; id < APP_SETTINGS; id++)
        SOUK_CHECK(value_of(&my, (app_setting_id)id)->origin == APP_DEFAULT);

    souk_auto_value(souk_buf) bare = {.mem = test->mem};
    for (size_t i = 0; i < sample.bytes; i++)
        if (sample.at[i] != '#' || sample.at[i + 1] == ' ')
            souk_buf_byte(&bare, sample.at[i]);
    my.file = souk_buf_ended(&bare);
    SOUK_MUST(load(&my));
    for (int id = 0; id < APP_SETTINGS; id++) {
        SOUK_CHECK_TEXT(souk_text_of(value_of(&my, (app_setting_id)id)->text),
                        app_setting_table[id].usual);
        SOUK_CHECK(value_of(&my, (app_setting_id)id)->origin == APP_FILE);
    }
    for (size_t i = 0, column = 0; i < sample.bytes; i++) {
        column = sample.at[i] == '\n' ? 0 : column + 1;
        SOUK_CHECK(column <= 100);
    }
}

SOUK_TEST("what is printed names every setting, and the JSON reads back")
{
    struct load my = {.test = test, .file = "[log]\nlevel = \"warn\"\n"};
    SOUK_MUST(load(&my));
    souk_auto_value(souk_buf) json = {.mem = test->mem};
    souk_auto_value(souk_buf) words = {.mem = test->mem};
    souk_auto_value(souk_buf) page = {.mem = test->mem};
    app_settings_write_json(&my.settings, &json);
    app_settings_write_words(&my.settings, &words);
    app_settings_write_reference(&page);
    for (int id = 0; id < APP_SETTINGS; id++) {
        SOUK_CHECK(strstr(souk_buf_ended(&json), app_setting_table[id].purpose));
        SOUK_CHECK(strstr(souk_buf_ended(&words), app_setting_table[id].purpose));
        SOUK_CHECK(strstr(souk_buf_ended(&page), app_setting_table[id].purpose));
    }
    souk_json_doc doc = {.mem = test->mem};
    SOUK_MUST(souk_json_read(&doc, souk_buf_view(&json), NULL, NULL));
    souk_json_node list = souk_json_member(&doc, souk_json_root(&doc), SOUK_TEXT("settings"));
    SOUK_CHECK(souk_json_count(&doc, list) == APP_SETTINGS);
    SOUK_CHECK(strstr(souk_buf_ended(&json),
                      "\"name\":\"log.level\",\"value\":\"warn\",\"from\":\"file\","
                      "\"default\":\"info\""));
    souk_json_doc_done(&doc);
}

/* ---- who wins ---------------------------------------------------------------------------------- */

/* A value of its own for each origin, and none in between that is a mistake. */
static int64_t number_of(app_setting_id id, app_origin origin)
{
    const app_setting *setting = &app_setting_table[id];
    return setting->most - (int64_t)origin * ((setting->most - setting->least) / 16);
}

SOUK_TEST("a flag wins over the environment, that over the file, that over the default")
{
    /* Each may be there or not, for a random setting: the dumb model is "the last one there". */
    size_t planted = 0;
    for (int round = 0; round < 300; round++) {
        app_setting_id id = (app_setting_id)test_random(test, APP_SETTINGS);
        const app_setting *setting = &app_setting_table[id];
        if (setting->kind != APP_KIND_COUNT)
            continue;
        struct load my = {.test = test};
        char file[200], variable[200], flag[40], name[APP_SPELLING_BYTES];
        app_origin expected = APP_DEFAULT;
        int64_t number = strtoll(setting->usual, NULL, 10);
        const char *point = strchr(setting->name, '.');
        if (test_random(test, 2)) {
            expected = APP_FILE;
            snprintf(file, sizeof file, "%s%.*s%s%s = %lld\n", point ? "[" : "",
                     point ? (int)(point - setting->name) : 0, setting->name, point ? "]\n" : "",
                     point ? point + 1 : setting->name, (long long)number_of(id, APP_FILE));
            my.file = file;
        }
        if (test_random(test, 2)) {
            expected = APP_ENVIRONMENT;
            app_setting_variable(id, name);
            snprintf(variable, sizeof variable, "%s=%lld", name,
                     (long long)number_of(id, APP_ENVIRONMENT));
            my.environment[0] = variable;
        }
        if (test_random(test, 2)) {
            expected = APP_FLAG;
            snprintf(flag, sizeof flag, "%lld", (long long)number_of(id, APP_FLAG));
            my.flags[id] = flag;
        }
        if (expected != APP_DEFAULT)
            number = number_of(id, expected);
        souk_err err = load(&my); /* SOUK_EINVAL: it broke a rule with a default of another */
        SOUK_CHECK(err == SOUK_OK || err == SOUK_EINVAL);
        SOUK_CHECK(value_of(&my, id)->origin == expected);
        SOUK_CHECK(app_setting_of(&my.settings, id) == number);
        planted += my.environment[0] && expected != APP_ENVIRONMENT;
    }
    SOUK_CHECK(planted > 20); /* a flag had something to win over */
}

SOUK_TEST("an empty variable counts as not set, and other people's variables are left alone")
{
    struct load my = {.test = test,
                      .environment = {"SOUK_LISTEN=", "SOUK_DATA=/srv", "SOUK_WHATEVER_ELSE=1",
                                      "LISTEN=no address", "SOUK_LOG_LEVEL=error", "PATH"}};
    SOUK_MUST(load(&my));
    SOUK_CHECK(value_of(&my, APP_LISTEN)->origin == APP_DEFAULT);
    SOUK_CHECK_TEXT(souk_text_of(app_setting_text(&my.settings, APP_LOG_LEVEL)), "error");
}

SOUK_TEST("a number is written plainly however many zeros stand before it")
{
    struct load my = {.test = test, .environment = {"SOUK_LOOPS=007"}};
    SOUK_MUST(load(&my));
    SOUK_CHECK_TEXT(souk_text_of(app_setting_text(&my.settings, APP_LOOPS)), "7");
}

/* ---- mistakes ---------------------------------------------------------------------------------- */

SOUK_TEST("each mistake of a file is told with line, column, what is wrong and what to do")
{
    struct load my = {.test = test,
                      .file = "lisetn = ':80'\n"
                              "loops = \"two\"\n"
                              "drain_s = 0\n"
                              "body_bytes = 70000\n"
                              "colour = 'red'\n"
                              "[log]\n"
                              "level = 'loud'\n"
                              "[limits]\n"
                              "  head_ms =  1.5\n"
                              "batch_events = 3 # fine\n"
                              "body_ms = \n"
                              "[spine]\n"
                              "group_events = 8\n"
                              "group_events = 9\n"};
    SOUK_CHECK_ERR(load(&my), SOUK_EINVAL);
    SOUK_CHECK(my.mistakes.count == 9);
    CHECK_TOLD(&my, 0, "souk.toml:1:1: there is no setting lisetn: do you mean listen");
    CHECK_TOLD(&my, 1, "souk.toml:2:9: loops is a text, and must be a whole number from 1 to 64");
    CHECK_TOLD(&my, 2,
               "souk.toml:3:11: drain_s is 0, and must be a whole number from 1 to 3600 (s)");
    CHECK_TOLD(&my, 3,
               "souk.toml:4:1: there is no setting body_bytes: do you mean "
               "limits.body_bytes, below the line [limits]?");
    CHECK_TOLD(&my, 4, "souk.toml:5:1: there is no setting colour: `souk config show` lists");
    CHECK_TOLD(&my, 5, "souk.toml:7:9: log.level is 'loud', and must be debug, info");
    CHECK_TOLD(&my, 6, "souk.toml:9:14: limits.head_ms is no whole number, and must be");
    CHECK_TOLD(&my, 7, "souk.toml:11:11: a value is missing");
    CHECK_TOLD(&my, 8, "souk.toml:14:1: spine.group_events is there already, in line 13");
    SOUK_CHECK(app_setting_of(&my.settings, APP_LIMITS_BATCH_EVENTS) == 3);
    SOUK_CHECK(app_setting_of(&my.settings, APP_SPINE_GROUP_EVENTS) == 8);
}

SOUK_TEST("below a table that does not parse nothing is looked at, and that is said")
{
    struct load my = {.test = test, .file = "loops = 2\n[log\nlevel = 7\n"};
    SOUK_CHECK_ERR(load(&my), SOUK_EINVAL);
    SOUK_CHECK(my.mistakes.count == 1);
    SOUK_CHECK(strstr(told(&my, 0), "souk.toml:2:5:") && strstr(told(&my, 0), "not looked at"));
    SOUK_CHECK(app_setting_of(&my.settings, APP_LOOPS) == 2);
}

SOUK_TEST("mistakes of variables and flags are told with their names")
{
    struct load my = {.test = test, .environment = {"SOUK_LISTN=:80", "SOUK_LOOPS=65"}};
    my.flags[APP_LISTEN] = "nowhere";
    my.flags[APP_LEDGER_READERS] = "-1";
    SOUK_CHECK_ERR(load(&my), SOUK_EINVAL);
    SOUK_CHECK(my.mistakes.count == 4);
    CHECK_TOLD(&my, 0, "SOUK_LISTN: there is no such setting: do you mean SOUK_LISTEN?");
    CHECK_TOLD(&my, 1, "SOUK_LOOPS: loops is 65, and must be a whole number from 1 to 64");
    CHECK_TOLD(&my, 2, "--listen: listen: ");
    CHECK_TOLD(&my, 3, "--ledger-readers: ledger.readers is -1, and must be");
    SOUK_CHECK(app_setting_of(&my.settings, APP_LOOPS) == 1);
}

SOUK_TEST("settings that do not fit each other are told where the one was set")
{
    struct load my = {.test = test, .file = "[limits]\nbatch_events = 90000\n"};
    SOUK_CHECK_ERR(load(&my), SOUK_EINVAL);
    SOUK_CHECK(my.mistakes.count == 1);
    CHECK_TOLD(&my, 0,
               "souk.toml:2:16: spine.queue_events is 65536, and must be at least "
               "limits.batch_events, which is 90000");
    my.environment[0] = "SOUK_SPINE_QUEUE_EVENTS=90000";
    SOUK_MUST(load(&my));
}

SOUK_TEST("of very many mistakes twenty are told, in the order of the file")
{
    souk_auto_value(souk_buf) text = {.mem = test->mem};
    for (int i = 0; i < 3 * APP_MISTAKES; i++)
        souk_buf_print(&text, i % 2 ? "x%d = 1\n" : "y%d = \n", i);
    struct load my = {.test = test, .file = souk_buf_ended(&text)};
    SOUK_CHECK_ERR(load(&my), SOUK_EINVAL);
    SOUK_CHECK(my.mistakes.count == APP_MISTAKES);
    for (size_t i = 0; i < APP_MISTAKES; i++)
        SOUK_CHECK(my.mistakes.at[i].line &&
                   (!i || my.mistakes.at[i].line > my.mistakes.at[i - 1].line));
}

SOUK_TEST("a file that is named must be there, one that is a folder or too large is refused")
{
    app_settings settings;
    app_mistakes mistakes = {.count = 0};
    char path[300];
    snprintf(path, sizeof path, "%s/none.toml", test_folder(test));
    app_settings_from from = {.file = path, .file_must_exist = true};
    SOUK_CHECK_ERR(app_settings_load(test->mem, &from, &settings, &mistakes), SOUK_ENOENT);
    SOUK_CHECK(mistakes.count == 1 && strstr(mistakes.at[0].words, "cannot be read"));
    from.file = test_folder(test);
    mistakes.count = 0;
    SOUK_CHECK_ERR(app_settings_load(test->mem, &from, &settings, &mistakes), SOUK_EIO);

    souk_auto_value(souk_buf) text = {.mem = test->mem};
    for (int i = 0; i <= SOUK_TOML_FILE_BYTES; i++)
        souk_buf_byte(&text, '#');
    struct load my = {.test = test, .file = souk_buf_ended(&text)};
    SOUK_CHECK_ERR(load(&my), SOUK_EINVAL);
    SOUK_CHECK(my.mistakes.count == 1 && strstr(told(&my, 0), "larger than"));
}

SOUK_TEST("settings survive the lack of memory")
{
    struct load my = {.test = test, .file = "loops = 3\nlisetn = 1\nx\n"};
    SOUK_FAULT_LOOP (test) {
        souk_err err = load(&my);
        SOUK_CHECK(err == SOUK_EINVAL || err == SOUK_ENOMEM);
        if (err == SOUK_EINVAL)
            SOUK_CHECK(my.mistakes.count == 2 && app_setting_of(&my.settings, APP_LOOPS) == 3);
        test_fault_seen(test, err == SOUK_EINVAL ? SOUK_OK : err);
    }
}
