/* toml_test.c - toml.h on files made from known settings, and on every mistake it names. */
#include "base/toml.h"
#include "test/test.h"

#include <stdio.h>

static souk_toml *read_good(souk_test *test, const char *text)
{
    souk_toml *toml = NULL;
    souk_diag diag = {0};
    if (souk_toml_read(test->mem, souk_text_of(text), &toml, &diag))
        test_fail(test, __FILE__, __LINE__, "%s:%d: %s", text, (int)diag.line, diag.words);
    return toml;
}

SOUK_TEST("a settings file gives its values and leaves the defaults of the others")
{
    souk_auto(souk_toml) toml =
        read_good(test, "\xEF\xBB\xBF# souk.toml\r\n"
                        "listen = \"127.0.0.1:8080\"   # a comment\r\n"
                        "\r\n"
                        "[store]\n"
                        "\tzone = 'C:\\tills'\n"
                        "tills=1_2\n"
                        "share = 0.25\n"
                        "open = true\n"
                        "[ store . door ]\n"
                        "name = \"caf\\u00e9 \\\"\\U0001F6D2\\\" \\t\\\\\"\n"
                        "1 = -9223372036854775808\n"
                        "empty = ''");
    souk_text text = SOUK_TEXT("default");
    SOUK_MUST(souk_toml_text(toml, "nothing", &text, NULL));
    SOUK_CHECK_TEXT(text, "default");
    SOUK_MUST(souk_toml_text(toml, "store", &text, NULL)); /* a table is no value */
    SOUK_CHECK_TEXT(text, "default");
    SOUK_MUST(souk_toml_text(toml, "listen", &text, NULL));
    SOUK_CHECK_TEXT(text, "127.0.0.1:8080");
    SOUK_MUST(souk_toml_text(toml, "store.zone", &text, NULL));
    SOUK_CHECK_TEXT(text, "C:\\tills");
    SOUK_MUST(souk_toml_text(toml, "store.door.name", &text, NULL));
    SOUK_CHECK_TEXT(text, "caf\xC3\xA9 \"\xF0\x9F\x9B\x92\" \t\\");
    SOUK_MUST(souk_toml_text(toml, "store.door.empty", &text, NULL));
    SOUK_CHECK_TEXT(text, "");
    int64_t number = 1;
    SOUK_MUST(souk_toml_int(toml, "store.tills", 1, 12, &number, NULL));
    SOUK_CHECK(number == 12);
    SOUK_MUST(souk_toml_int(toml, "store.door.1", INT64_MIN, 0, &number, NULL));
    SOUK_CHECK(number == INT64_MIN);
    souk_decimal decimal;
    SOUK_MUST(souk_toml_decimal(toml, "store.share", &decimal, NULL));
    SOUK_CHECK(decimal.micro == 250000);
    SOUK_MUST(souk_toml_decimal(toml, "store.tills", &decimal, NULL));
    SOUK_CHECK(decimal.micro == 12000000);
    souk_diag diag = {0};
    SOUK_CHECK_ERR(souk_toml_unread(toml, &diag), SOUK_EINVAL);
    SOUK_CHECK_TEXT(souk_text_of(diag.words), "there is no setting store.open: is it misspelt?");
    SOUK_CHECK(diag.line == 8);
    bool open = false;
    SOUK_MUST(souk_toml_bool(toml, "store.open", &open, NULL));
    SOUK_CHECK(open);
    SOUK_MUST(souk_toml_unread(toml, NULL));
    SOUK_CHECK(souk_toml_count(toml) == 8);
    for (size_t i = 1; i < 8; i++)
        SOUK_CHECK(souk_text_compare(souk_toml_at(toml, i - 1).path, souk_toml_at(toml, i).path) <
                   0);
}

SOUK_TEST("a value of the wrong kind or out of range is refused with its line")
{
    souk_auto(souk_toml) toml = read_good(test, "\nt = 'x'\ni = 5\nd = 0.5\nb = false\n"
                                                "big = 9223372036855\n");
    souk_text text;
    int64_t number = 77;
    souk_decimal decimal;
    bool yes;
    SOUK_CHECK_ERR(souk_toml_text(toml, "i", &text, NULL), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_toml_bool(toml, "t", &yes, NULL), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_toml_decimal(toml, "b", &decimal, NULL), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_toml_decimal(toml, "big", &decimal, NULL), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_toml_int(toml, "d", 0, 9, &number, NULL), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_toml_int(toml, "i", 6, 9, &number, NULL), SOUK_EINVAL);
    souk_diag diag = {0};
    SOUK_CHECK_ERR(souk_toml_int(toml, "i", 0, 4, &number, &diag), SOUK_EINVAL);
    SOUK_CHECK_TEXT(souk_text_of(diag.words), "i must be an integer from 0 to 4");
    SOUK_CHECK(diag.line == 3 && diag.column == 5 && number == 77);
    SOUK_MUST(souk_toml_int(toml, "i", 5, 5, &number, NULL));
    SOUK_CHECK(number == 5);
}

SOUK_TEST("a value tells the line and the columns of its key and of itself")
{
    souk_auto(souk_toml) toml =
        read_good(test, "[shop]\n  name = 'caf\xC3\xA9' # é\n\tzone  =\t7\n");
    souk_diag diag = {0};
    souk_toml_value name = souk_toml_at(toml, 0), zone = souk_toml_at(toml, 1);
    SOUK_CHECK(name.line == 2 && name.key_column == 3 && name.column == 10);
    SOUK_CHECK(zone.line == 3 && zone.key_column == 2 && zone.column == 10);
    SOUK_CHECK_ERR(souk_toml_unread(toml, &diag), SOUK_EINVAL);
    SOUK_CHECK(diag.line == 2 && diag.column == 3);
}

SOUK_TEST("each mistake is named, with its line and column")
{
    static const struct {
        const char *text;
        uint64_t line, column;
        const char *words;
    } rows[] = {
        {"a = 1\na = 2", 2, 1, "a is there already, in line 1"},
        {"[t]\na = 1\n[t]", 3, 3, "the table [t] is there already, in line 1"},
        {"[t.u]\n[t]\nu = 1", 3, 1, "t.u is there already, in line 1"},
        {"t = 1\n[t]", 2, 3, "t is a value since line 1, not a table"},
        {"[t]\nu = 1\n[t.u.v]", 3, 5, "t.u is a value since line 2"},
        {"\xC3\xA9", 1, 1, "a key is missing"},
        {"a", 1, 2, "behind a key stands ="},
        {"a b = 1", 1, 3, "behind a key stands ="},
        {"a.b = 1", 1, 2, "a key with points"},
        {"\"a\" = 1", 1, 1, "a key in quotes"},
        {"a =", 1, 4, "a value is missing"},
        {"a = # 1", 1, 5, "a value is missing"},
        {"a = x", 1, 5, "this is no value"},
        {"a = True", 1, 5, "this is no value"},
        {"a = inf", 1, 5, "this is no value"},
        {"a = 1 2", 1, 7, "text follows the value"},
        {"a = '\xC3\xA9' b", 1, 9, "text follows the value"},
        {"a = [1]", 1, 5, "lists are not read"},
        {"a = {}", 1, 5, "tables in one line"},
        {"a = \"\"\"x\"\"\"", 1, 5, "texts over several lines"},
        {"a = '''", 1, 5, "texts over several lines"},
        {"a = \"x", 1, 5, "the text does not end"},
        {"a = \"x\\\"", 1, 5, "the text does not end"},
        {"a = \"x\\q\"", 1, 7, "this escape is not known"},
        {"a = \"\\", 1, 6, "this escape is not known"},
        {"a = \"\\u12\"", 1, 6, "\\u needs 4 hexadecimal digits"},
        {"a = \"\\ud800\"", 1, 6, "there is no character U+D800"},
        {"a = \"\\U00110000\"", 1, 6, "there is no character U+110000"},
        {"a = 01", 1, 5, "this is no number"},
        {"a = .5", 1, 5, "this is no number"},
        {"a = 5.", 1, 5, "this is no number"},
        {"a = +-5", 1, 5, "this is no number"},
        {"a = 1__0", 1, 5, "this is no number"},
        {"a = 1_", 1, 5, "this is no number"},
        {"a = _1", 1, 5, "this is no value"},
        {"a = +", 1, 5, "this is no number"},
        {"a = 1_.5", 1, 5, "this is no number"},
        {"a = 0x10", 1, 5, "numbers to other bases"},
        {"a = 2026-01-02", 1, 5, "dates and times"},
        {"a = 07:30:00", 1, 5, "dates and times"},
        {"a = 0.0000001", 1, 5, "the number has more than six decimals"},
        {"[t", 1, 3, "the table's name does not end"},
        {"[]", 1, 2, "a key is missing"},
        {"[t.]", 1, 4, "a key is missing"},
        {"[t] x", 1, 5, "text follows the table's name"},
        {"[[t]]", 1, 1, "lists of tables"},
        {"a = 1 # \x01", 1, 9, "a control character, U+0001"},
        {"a = '\x7f'", 1, 6, "a control character, U+007F"},
        {"a = 1\rb = 2\n", 1, 6, "a control character, U+000D"},
        {"a = 1\r", 1, 6, "a control character, U+000D"},
        {"a = 1\n# \xff", 2, 1, "this line is not UTF-8"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        souk_diag diag = {0};
        souk_toml *toml = NULL;
        souk_err err = souk_toml_read(test->mem, souk_text_of(rows[i].text), &toml, &diag);
        if (err != SOUK_ESYNTAX || diag.line != rows[i].line || diag.column != rows[i].column ||
            strncmp(diag.words, rows[i].words, strlen(rows[i].words)) != 0 || toml)
            test_fail(test, __FILE__, __LINE__, "'%s': %s at %d:%d: %s", rows[i].text,
                      souk_err_name(err), (int)diag.line, (int)diag.column, diag.words);
    }
    souk_toml *toml = NULL;
    SOUK_CHECK_ERR(souk_toml_read(test->mem, (souk_text){"a = 1\0", 6}, &toml, NULL), SOUK_ESYNTAX);
    SOUK_CHECK_ERR(souk_toml_read(test->mem, SOUK_TEXT("a = 9223372036854775808"), &toml, NULL),
                   SOUK_EOVERFLOW);
    SOUK_CHECK_ERR(souk_toml_read(test->mem, SOUK_TEXT("a = 1e13"), &toml, NULL), SOUK_EOVERFLOW);
    char number[80];
    snprintf(number, sizeof number, "a = 0.%062d", 0);
    SOUK_MUST(souk_toml_read(test->mem, souk_text_of(number), &toml, NULL));
    souk_toml_free(toml);
    snprintf(number, sizeof number, "a = 0.%063d", 0);
    SOUK_CHECK_ERR(souk_toml_read(test->mem, souk_text_of(number), &toml, NULL), SOUK_ETOOBIG);
}

SOUK_TEST("files, names and numbers of keys end at their ceilings")
{
    souk_auto_value(souk_buf) text = {0};
    souk_toml *toml = NULL;
    souk_diag diag = {0};
    for (int i = 0; i < SOUK_TOML_KEYS; i++)
        souk_buf_print(&text, "k%d = %d\n", i * 7919 % SOUK_TOML_KEYS, i);
    SOUK_MUST(souk_toml_read(test->mem, souk_buf_view(&text), &toml, NULL));
    SOUK_CHECK(souk_toml_count(toml) == SOUK_TOML_KEYS);
    souk_toml_free(toml);
    toml = NULL;
    souk_buf_print(&text, "one_more = 1");
    SOUK_CHECK_ERR(souk_toml_read(test->mem, souk_buf_view(&text), &toml, &diag), SOUK_ETOOBIG);
    SOUK_CHECK(diag.line == SOUK_TOML_KEYS + 1);

    char name[300];
    for (size_t bytes = 190; bytes < 210; bytes++) {
        snprintf(name, sizeof name, "[%0*d]\n", (int)bytes, 0);
        souk_err err = souk_toml_read(test->mem, souk_text_of(name), &toml, NULL);
        SOUK_CHECK(err == (bytes < SOUK_TOML_PATH_BYTES ? SOUK_OK : SOUK_ETOOBIG));
        souk_toml_free(toml);
        toml = NULL;
        snprintf(name, sizeof name, "[abcd]\n%0*d = 1\n", (int)bytes - 5, 0);
        err = souk_toml_read(test->mem, souk_text_of(name), &toml, NULL);
        SOUK_CHECK(err == (bytes <= SOUK_TOML_PATH_BYTES ? SOUK_OK : SOUK_ETOOBIG));
        souk_toml_free(toml);
        toml = NULL;
    }
    souk_buf_clear(&text);
    souk_buf_print(&text, "%*s", SOUK_TOML_FILE_BYTES + 1, "");
    SOUK_CHECK_ERR(souk_toml_read(test->mem, souk_buf_view(&text), &toml, NULL), SOUK_ETOOBIG);
    text.bytes--;
    SOUK_MUST(souk_toml_read(test->mem, souk_buf_view(&text), &toml, NULL));
    souk_toml_free(toml);
}

/* ---- random settings, written in every manner ---- */

enum { TABLES = 5, KEYS = 6 };
typedef struct setting {
    souk_toml_kind kind;
    bool there;
    int64_t number; /* micro-units of a decimal */
    char text[12];
} setting;

static const char *const table_names[TABLES] = {"", "store", "store.door", "a-b", "x.y.z"};

static void put_space(souk_test *test, souk_buf *out)
{
    souk_buf_append(out, " \t  ", test_random(test, 4));
}

static void put_setting(souk_test *test, souk_buf *out, const setting *s)
{
    char decimal[SOUK_DECIMAL_BYTES];
    switch (s->kind) {
    case SOUK_TOML_INT:
        souk_buf_print(out, s->number >= 0 && test_random(test, 2) ? "+%lld" : "%lld",
                       (long long)s->number);
        break;
    case SOUK_TOML_DECIMAL:
        souk_decimal_write((souk_decimal){s->number}, decimal);
        souk_buf_print(out, strchr(decimal, '.') ? "%s" : "%s.0", decimal);
        break;
    case SOUK_TOML_BOOL:
        souk_buf_print(out, s->number ? "true" : "false");
        break;
    case SOUK_TOML_TEXT:
        if (!strchr(s->text, '\'') && !strchr(s->text, '\n') && test_random(test, 2)) {
            souk_buf_print(out, "'%s'", s->text);
            break;
        }
        souk_buf_byte(out, '"');
        for (const char *at = s->text; *at; at++) {
            if (*at == '\n' || *at == '"' || *at == '\\' || test_random(test, 3) == 0)
                souk_buf_print(out, test_random(test, 2) ? "\\u%04x" : "\\U%08X", (unsigned)*at);
            else
                souk_buf_byte(out, *at);
        }
        souk_buf_byte(out, '"');
        break;
    }
}

static void make_file(souk_test *test, souk_buf *out, setting all[TABLES][KEYS])
{
    for (int t = 0; t < TABLES; t++) {
        if (t)
            souk_buf_print(out, test_random(test, 2) ? "[%s]\r\n" : " [ %s ] # [t]\n",
                           table_names[t]);
        for (int k = 0; k < KEYS; k++) {
            setting *s = &all[t][k];
            *s = (setting){.kind = (souk_toml_kind)test_random(test, 4),
                           .there = test_random(test, 3) > 0};
            s->number = s->kind == SOUK_TOML_BOOL
                            ? (int64_t)test_random(test, 2)
                            : (int64_t)(test_random(test, 0) >> test_random(test, 64));
            for (uint64_t i = test_random(test, sizeof s->text); i > 0; i--)
                s->text[i - 1] = "ab#=\n\"\\'[] x"[test_random(test, 12)];
            s->text[sizeof s->text - 1] = '\0';
            if (!s->there)
                continue;
            put_space(test, out);
            souk_buf_print(out, "k%d", k);
            put_space(test, out);
            souk_buf_byte(out, '=');
            put_space(test, out);
            put_setting(test, out, s);
            put_space(test, out);
            souk_buf_print(out, test_random(test, 3) ? "\n" : "# k1 = 2\r\n\n");
        }
    }
}

static bool agrees(const setting *s, const souk_toml_value *value)
{
    if (s->kind != value->kind)
        return false;
    switch (s->kind) {
    case SOUK_TOML_INT:
        return value->number == s->number;
    case SOUK_TOML_DECIMAL:
        return value->decimal.micro == s->number;
    case SOUK_TOML_BOOL:
        return value->yes == (s->number != 0);
    case SOUK_TOML_TEXT:
        return souk_text_equal(value->text, souk_text_of(s->text));
    }
    return false;
}

static bool file_agrees(const souk_toml *toml, setting all[TABLES][KEYS])
{
    size_t expected = 0;
    for (int t = 0; t < TABLES; t++)
        for (int k = 0; k < KEYS; k++) {
            char path[40];
            snprintf(path, sizeof path, "%s%sk%d", table_names[t], t ? "." : "", k);
            bool found = false, good = false;
            for (size_t i = 0; i < souk_toml_count(toml); i++) {
                souk_toml_value value = souk_toml_at(toml, i);
                if (souk_text_equal(value.path, souk_text_of(path))) {
                    found = true;
                    good = agrees(&all[t][k], &value);
                }
            }
            expected += all[t][k].there;
            if (found != all[t][k].there || (found && !good))
                return false;
        }
    return souk_toml_count(toml) == expected;
}

SOUK_TEST("random settings come back as they were, and a changed one would be noticed")
{
    for (int round = 0; round < 1500; round++) {
        souk_auto_value(souk_buf) text = {.mem = test->mem};
        setting all[TABLES][KEYS];
        make_file(test, &text, all);
        souk_auto(souk_toml) toml = read_good(test, souk_buf_ended(&text));
        SOUK_CHECK(file_agrees(toml, all));
        setting *planted = &all[test_random(test, TABLES)][test_random(test, KEYS)];
        planted->there = !planted->there;
        SOUK_CHECK(!file_agrees(toml, all));
    }
}

SOUK_TEST("a settings file survives the lack of memory")
{
    souk_auto_value(souk_buf) text = {0};
    for (int i = 0; i < 40; i++)
        souk_buf_print(&text, "[table%d]\nkey = \"%0*d\"\n", i, 300, i);
    SOUK_FAULT_LOOP (test) {
        souk_auto(souk_toml) toml = NULL;
        souk_err err = souk_toml_read(test->mem, souk_buf_view(&text), &toml, NULL);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        SOUK_CHECK(err || souk_toml_count(toml) == 40);
        test_fault_seen(test, err);
    }
}
