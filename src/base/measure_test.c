/* measure_test.c - codes of scales of several countries, templates that make no sense, and random codes. */
#include "base/measure.h"

#include "base/epc.h"
#include "test/test.h"

#include <stdio.h>

static void set(souk_test *test, souk_measures *measures, const char *line)
{
    souk_diag diag = {.words = ""};
    if (souk_measure_add(measures, souk_text_of(line), &diag) != SOUK_OK)
        test_fail(test, __FILE__, __LINE__, "%s: %s", line, diag.words);
}

/* With the check digit that is right. */
static souk_text code(const char *without)
{
    static char out[40];
    size_t bytes = (size_t)snprintf(out, sizeof out, "%s", without);
    out[bytes] = souk_gs1_check_digit((souk_text){out, bytes});
    return (souk_text){out, bytes + 1};
}

SOUK_TEST("check digits of prices are those of the standard's examples")
{
    SOUK_CHECK(souk_measure_check_digit(SOUK_TEXT("2875")) == '9');
    SOUK_CHECK(souk_measure_check_digit(SOUK_TEXT("14685")) == '6');
    SOUK_CHECK(souk_measure_check_digit(SOUK_TEXT("0000")) == '0');
    SOUK_CHECK(souk_measure_check_digit(SOUK_TEXT("00000")) == '0');
    SOUK_CHECK(souk_measure_check_digit(SOUK_TEXT("123")) == 0);
    SOUK_CHECK(souk_measure_check_digit(SOUK_TEXT("12a4")) == 0);
}

SOUK_TEST("codes of scales tell item, weight and price by the shop's templates")
{
    souk_measures measures = {.count = 0};
    souk_measure got;
    set(test, &measures, "21 IIIII VVVVV C weight g");
    set(test, &measures, "2[23]IIIIIKVVVVC price 0.01");
    set(test, &measures, "24IIIIKVVVVVC price 0.001");
    set(test, &measures, "2IIIIIVVVVVC price 0.01"); /* UPC-A: 02 of EAN-13 */
    set(test, &measures, "28IIIIIVVVVVC count");
    set(test, &measures, "29IIIIIVVVVVC weight 0.01 lb");
    set(test, &measures, "2[0-9]IIIIIWWWWWPPPPPC weight g price 0.01");
    set(test, &measures, "04IIIIIVVVVVC weight 0.1 oz");

    SOUK_MUST(souk_measure_read(&measures, code("210004201250"), &got, NULL));
    SOUK_CHECK(got.has_weight && !got.has_price && got.weight.micro == 1250000);
    SOUK_CHECK(!strcmp(got.unit, "kg") && !strcmp(got.item, "00042") && got.template_index == 0);
    SOUK_CHECK_TEXT(code("210004200000"), got.code);

    SOUK_MUST(souk_measure_read(&measures, code("230004292875"), &got, NULL));
    SOUK_CHECK(got.has_price && got.price.micro == 28750000 && !strcmp(got.item, "00042"));
    SOUK_CHECK_TEXT(code("230004200000"), got.code);
    SOUK_MUST(souk_measure_read(&measures, code("240042614685"), &got, NULL));
    SOUK_CHECK(got.price.micro == 14685000 && !strcmp(got.item, "0042"));

    SOUK_MUST(souk_measure_read(&measures, code("21234500599"), &got, NULL));
    SOUK_CHECK(got.price.micro == 5990000 && !strcmp(got.item, "12345") && got.template_index == 3);
    SOUK_MUST(souk_measure_read(&measures, code("021234500599"), &got, NULL));
    SOUK_CHECK(got.price.micro == 5990000);
    SOUK_MUST(souk_measure_read(&measures, code("0021234500599"), &got, NULL));
    SOUK_CHECK(got.price.micro == 5990000);

    SOUK_MUST(souk_measure_read(&measures, code("280000100012"), &got, NULL));
    SOUK_CHECK(got.has_count && got.count == 12);
    SOUK_MUST(souk_measure_read(&measures, code("290000100250"), &got, NULL));
    SOUK_CHECK(got.weight.micro == 2500000 && !strcmp(got.unit, "lb"));
    SOUK_MUST(souk_measure_read(&measures, code("040000100160"), &got, NULL));
    SOUK_CHECK(got.weight.micro == 1000000 && !strcmp(got.unit, "lb"));

    SOUK_MUST(souk_measure_read(&measures, code("20000420125003125"), &got, NULL));
    SOUK_CHECK(got.has_weight && got.weight.micro == 1250000 && got.price.micro == 31250000);
    SOUK_CHECK(!strcmp(got.item, "00042"));
}

SOUK_TEST("a code whose check digits are wrong is refused, and one that fits nothing is nobody's")
{
    souk_measures measures = {.count = 0};
    souk_measure got = {.count = 42};
    souk_diag diag = {.words = ""};
    set(test, &measures, "23IIIIIKVVVVC price 0.01");
    SOUK_CHECK_ERR(souk_measure_read(&measures, code("230004282875"), &got, &diag), SOUK_EINVAL);
    SOUK_CHECK(strstr(diag.words, "check digit of the price is 8, by its digits it should be 9"));
    diag.words[0] = '\0';
    char wrong[14] = "";
    memcpy(wrong, code("230004292875").at, 13);
    wrong[12] = wrong[12] == '9' ? '0' : (char)(wrong[12] + 1);
    SOUK_CHECK_ERR(souk_measure_read(&measures, souk_text_of(wrong), &got, &diag), SOUK_EINVAL);
    SOUK_CHECK(strstr(diag.words, "the digits before it it should be"));
    SOUK_CHECK_ERR(souk_measure_read(&measures, code("220004292875"), &got, NULL), SOUK_ENOENT);
    SOUK_CHECK_ERR(souk_measure_read(&measures, SOUK_TEXT("23000429287x5"), &got, NULL),
                   SOUK_ENOENT);
    SOUK_CHECK_ERR(souk_measure_read(&measures, SOUK_TEXT(""), &got, NULL), SOUK_ENOENT);
    SOUK_CHECK(got.count == 42);
}

SOUK_TEST("a template that makes no sense is refused at its column")
{
    static const struct {
        const char *line, *words;
        uint64_t column;
    } bad[] = {
        {"", "say what the value is", 1},
        {"21IIIIIVVVVVC", "say what the value is", 14},
        {"21IIIIIVVVVVC weigth g", "price, weight or count", 15},
        {"21IIIIIVVVVVC weight", "in g, kg, oz or lb", 21},
        {"21IIIIIVVVVVC weight st", "in g, kg, oz or lb", 22},
        {"21IIIIIVVVVVC price 0", "a number above 0", 21},
        {"21IIIIIVVVVVC price 0.0000001", "a number above 0", 21},
        {"21IIIIIVVVVVC price 1001", "a number above 0", 21},
        {"21IIIIIVVVVVC weight 0.0001 g", "finer", 29},
        {"21IIIIIVVVVVC price 0.01 price", "twice", 26},
        {"21IIIIIVVVVVC price 0.01 weight g", "each has its letter", 8},
        {"21IIIIIPPPPPC weight g", "nothing behind the pattern", 8},
        {"21IIIIIPPPPPC price 0.01 weight g", "has no digits", 1},
        {"21IIIVVIIVVVC price 0.01", "stand together", 10},
        {"21dddddVVVVVC price 0.01", "no I", 1},
        {"21IIIIIVVVVVd price 0.01", "end with a check digit", 13},
        {"21IIIIICVVVVV price 0.01", "C is the last", 8},
        {"21IIIIKVVVVKC price 0.01", "a second K", 12},
        {"21IIIKVVVVVVC price 0.01", "four or five", 6},
        {"21IIIIIVVVVVX price 0.01", "none of digits", 13},
        {"2[1-IIIIIVVVVC price 0.01", "in brackets stand digits", 3},
        {"2[4-1]IIIIVVVVVC price 0.01", "in brackets stand digits", 3},
        {"2[]IIIIIVVVVVC price 0.01", "nothing in it", 2},
        {"2[1", "no end", 2},
        {"69IIIIIVVVVVC price 0.01", "belong to companies", 1},
        {"0[0-4]IIIIIVVVVVC price 0.01", "belong to companies", 1},
        {"ddIIIIIVVVVVC price 0.01", "belong to companies", 1},
        {"3IIIIIVVVVVC price 0.01", "belong to companies", 1},
        {"1IIIVVVC price 0.01", "belong to companies", 1},
        {"02IIIIIIVVVVVC price 0.01", "6 to 13 or 15 to 24", 1},
        {"IIVVC price 0.01", "6 to 13 or 15 to 24", 1},
        {"2IIIIIIIIIIIIIIIIIIIVVVVVC price 1", "more than 24", 25},
        {"2IIIIIIVVVVVVVVVVVVVC price 1", "at most 12", 8},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        souk_measures measures = {.count = 0};
        souk_diag diag = {.words = ""};
        SOUK_CHECK_ERR(souk_measure_add(&measures, souk_text_of(bad[i].line), &diag), SOUK_ESYNTAX);
        if (!strstr(diag.words, bad[i].words) || diag.column != bad[i].column)
            test_fail(test, __FILE__, __LINE__, "%s: column %d: %s", bad[i].line, (int)diag.column,
                      diag.words);
        SOUK_CHECK(measures.count == 0);
    }
}

SOUK_TEST("two templates that one code could fit are refused when they are set")
{
    souk_measures measures = {.count = 0};
    souk_diag diag = {.words = ""};
    set(test, &measures, "2[0-4]IIIIIVVVVVC price 0.01");
    SOUK_CHECK_ERR(souk_measure_add(&measures, SOUK_TEXT("24IIIIIKVVVVC price 0.01"), &diag),
                   SOUK_ECONFLICT);
    SOUK_CHECK(strstr(diag.words, "fits codes of template 1") && measures.count == 1);
    set(test, &measures, "25IIIIIKVVVVC price 0.01");
    set(test, &measures, "2dIIIIIWWWWWPPPPPC weight g price 0.01"); /* 18 digits */
    set(test, &measures, "2IIIIIVVVVVC price 0.01");
    SOUK_CHECK_ERR(souk_measure_add(&measures, SOUK_TEXT("02IIIIIVVVVVC price 0.01"), NULL),
                   SOUK_ECONFLICT); /* the UPC-A above, as EAN-13 */
    for (int i = 0; measures.count < SOUK_MEASURES; i++) {
        char line[64];
        snprintf(line, sizeof line, "%02dIIIIVVVVV price 0.01", i);
        set(test, &measures, line);
        SOUK_CHECK(i < 100);
    }
    SOUK_CHECK_ERR(souk_measure_add(&measures, SOUK_TEXT("99IIIIVVVVV price 0.01"), NULL),
                   SOUK_ETOOBIG);
}

SOUK_TEST(
    "50,000 random codes come back as they were printed, and one wrong digit of a price is noticed")
{
    souk_measures measures = {.count = 0};
    size_t noticed = 0, planted = 0;
    set(test, &measures, "21IIIIIVVVVVC weight g");
    set(test, &measures, "22IIIIIKVVVVC price 0.01");
    set(test, &measures, "23IIIIKVVVVVC price 0.01");
    set(test, &measures, "24IIIIIWWWWWPPPPPC weight g price 0.01");
    set(test, &measures, "2VVVIIIC count");
    for (int round = 0; round < 50000; round++) {
        size_t which = test_random(test, measures.count);
        souk_measure_template *row = &measures.rows[which];
        unsigned item_number = (unsigned)test_random(test, 1000),
                 value = (unsigned)test_random(test, which == 4 ? 1000 : 10000);
        char item[12], out[SOUK_MEASURE_DIGITS + 1];
        size_t digits = which == 4 ? 3 : which == 2 ? 4 : 5;
        snprintf(item, sizeof item, "%0*u", (int)digits, item_number);
        SOUK_MUST(souk_measure_write(row, souk_text_of(item), value, value / 2, value, out, NULL));
        souk_measure got;
        SOUK_MUST(souk_measure_read(&measures, souk_text_of(out), &got, NULL));
        SOUK_CHECK(got.template_index == which && !strcmp(got.item, item));
        SOUK_CHECK(!got.has_price || got.price.micro == value * INT64_C(10000));
        SOUK_CHECK(!got.has_weight || got.weight.micro == value / 2 * INT64_C(1000));
        SOUK_CHECK(!got.has_count || got.count == value);
        if (which != 1 && which != 2)
            continue;
        /* a digit of the price read wrong, the check digit of the whole made right for it */
        size_t at = row->digits - 2 - test_random(test, which == 1 ? 4 : 5);
        out[at] = (char)('0' + (out[at] - '0' + 1 + (int)test_random(test, 9)) % 10);
        out[row->digits - 1] = souk_gs1_check_digit((souk_text){out, row->digits - 1});
        noticed += souk_measure_read(&measures, souk_text_of(out), &got, NULL) == SOUK_EINVAL;
        planted++;
    }
    SOUK_CHECK(planted > 10000 && noticed == planted);
    char out[SOUK_MEASURE_DIGITS + 1];
    SOUK_CHECK_ERR(souk_measure_write(&measures.rows[0], SOUK_TEXT("1"), 0, 1, 0, out, NULL),
                   SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_measure_write(&measures.rows[0], SOUK_TEXT("0000x"), 0, 1, 0, out, NULL),
                   SOUK_EINVAL);
    SOUK_CHECK_ERR(
        souk_measure_write(&measures.rows[0], SOUK_TEXT("00001"), 0, 100000, 0, out, NULL),
        SOUK_EOVERFLOW);
}
