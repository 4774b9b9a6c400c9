/* gs1_test.c - labels of shops and warehouses, both written forms, links, and random labels against a dumb cutter. */
#include "base/gs1.h"

#include "base/epc.h"
#include "base/gs1_link.h"
#include "base/time.h"
#include "test/test.h"

#include <stdio.h>

static int64_t day(int32_t year, uint8_t month, uint8_t of_month)
{
    return souk_date_day((souk_date){year, month, of_month});
}

static souk_text plain(const souk_gs1 *gs1)
{
    static char out[SOUK_GS1_BYTES];
    size_t bytes = souk_gs1_write_plain(gs1, out);
    return (souk_text){out, bytes};
}

SOUK_TEST("a label reads the same as a scanner sends it and as people type it")
{
    static const char *const rows[][2] = {
        {"(01)90614141000015(3103)001250(3922)1999(15)261231", "]C101906141410000153103001250"
                                                               "39221999\x1d"
                                                               "15261231"},
        {"(01)09506000134352(10)B7(21)S9", "]d20109506000134352"
                                           "10B7\x1d"
                                           "21S9"},
        {"(8013)1987654Ad4X4bL5ttr2310c2K", "]d280131987654Ad4X4bL5ttr2310c2K"}, /* 7.9.5 */
        {"(01)09506000134352(21)(10(x", "\x1d"
                                        "0109506000134352"
                                        "21(10(x"},
        {"(00)106141412345678908", "]e000106141412345678908"},
        {"(01)09506000134352(17)261200(37)5", "]Q30109506000134352"
                                              "17261200"
                                              "375"},
        {"(3103)000195", "]J13103000195"},
        {"(01)09506000134352(3100)000001", "0109506000134352\x1d"
                                           "3100000001\x1d"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        souk_gs1 typed, scanned;
        char a[SOUK_GS1_BYTES], b[SOUK_GS1_BYTES];
        SOUK_MUST(souk_gs1_read(souk_text_of(rows[i][0]), &typed, NULL));
        SOUK_MUST(souk_gs1_read(souk_text_of(rows[i][1]), &scanned, NULL));
        souk_gs1_write(&typed, a);
        souk_gs1_write(&scanned, b);
        SOUK_CHECK_TEXT(souk_text_of(a), b);
        SOUK_MUST(souk_gs1_read(plain(&typed), &scanned, NULL));
        souk_gs1_write(&scanned, b);
        SOUK_CHECK_TEXT(souk_text_of(a), b);
    }
}

SOUK_TEST("a label that is wrong is refused with its field, its column and what to do")
{
    static const struct {
        const char *told, *words;
        uint64_t column;
    } bad[] = {
        {"(01)09506000134353", "(01) at character 1: the check digit is wrong", 5},
        {"]C10109506000134353", "the check digit is wrong", 6},
        {"(01)0950600013435", "(01) at character 14: it is too short", 18},
        {"(01)09506000134352(17)261301", "(17) at character 1: there is no such day", 23},
        {"(17)260229", "no such day", 5},
        {"(15)261232", "no such day", 5},
        {"(7003)2612002460", "no such day", 7},
        {"(7003)2612012460", "no such time", 13},
        {"(10)", "(10) at character 1: there is nothing in it", 5},
        {"(10)123456789012345678901", "(10) at character 21: it is too long", 25},
        {"(10)a b", "(10) at character 2: this character may not stand in it", 6},
        {"(10)a#b", "this character may not", 6},
        {"(8010)0950600a", "this character may not", 14},
        {"(30)12x", "(30) at character 3: here must be a digit", 7},
        {"(05)1", "at character 1 must be an application identifier", 1},
        {"(3106)000001", "must be an application identifier", 1},
        {"01)09506000134352", "here must be a digit", 3},
        {"x", "at character 1 begins no application identifier", 1},
        {"0109506000134352"
         "14261231",
         "at character 17 begins no", 17},
        {"(10)A(10)B", "(10) comes twice and says two things", 0},
        {"(8013)1987654Ad4X4bL5ttr2310c3K", "the two check characters are wrong", 7},
        {"", "there is nothing in it", 0},
        {"]C1", "there is nothing in it", 0},
        {"]C1\x1d", "there is nothing in it", 0},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        souk_gs1 gs1 = {.count = 42};
        souk_diag diag = {.words = ""};
        souk_err err = souk_gs1_read(souk_text_of(bad[i].told), &gs1, &diag);
        SOUK_CHECK_ERR(err, SOUK_ESYNTAX);
        if (!strstr(diag.words, bad[i].words) || diag.column != bad[i].column)
            test_fail(test, __FILE__, __LINE__, "%s: column %d: %s", bad[i].told, (int)diag.column,
                      diag.words);
        SOUK_CHECK(gs1.count == 42);
    }
}

SOUK_TEST("a counter's label tells item, weight, price, batch, serial and days")
{
    souk_gs1 gs1;
    souk_gs1_reading reading;
    int64_t today = day(2026, 11, 26);
    SOUK_MUST(souk_gs1_read(SOUK_TEXT("(01)90614141000015(3103)001250(3932)978"
                                      "1999(10)B7(21)S9"
                                      "(17)261200(15)251231(16)261130(13)261101(11)261031"
                                      "(3952)001599"),
                            &gs1, NULL));
    SOUK_MUST(souk_gs1_tell(&gs1, today, &reading, NULL));
    SOUK_CHECK_TEXT(reading.gtin, "90614141000015");
    SOUK_CHECK_TEXT(reading.batch, "B7");
    SOUK_CHECK_TEXT(reading.serial, "S9");
    SOUK_CHECK(reading.measure.micro == 1250000 && !strcmp(reading.unit, "kg"));
    SOUK_CHECK(reading.has_price && reading.price.micro == 19990000);
    SOUK_CHECK(!strcmp(reading.currency, "EUR"));
    SOUK_CHECK(reading.has_unit_price && reading.unit_price.micro == 15990000);
    SOUK_CHECK(reading.expiry_day == day(2026, 12, 31));
    SOUK_CHECK(reading.best_before_day == day(2025, 12, 31));
    SOUK_CHECK(reading.sell_by_day == day(2026, 11, 30));
    SOUK_CHECK(reading.packed_day == day(2026, 11, 1) && reading.made_day == day(2026, 10, 31));
    SOUK_MUST(souk_gs1_read(SOUK_TEXT("(01)09506000134352(30)12(3929)1234567890"), &gs1, NULL));
    SOUK_CHECK_ERR(souk_gs1_tell(&gs1, today, &reading, NULL), SOUK_EOVERFLOW);
    SOUK_MUST(souk_gs1_read(SOUK_TEXT("(01)09506000134352(30)12(3920)1234"), &gs1, NULL));
    SOUK_MUST(souk_gs1_tell(&gs1, today, &reading, NULL));
    SOUK_CHECK(reading.count == 12 && reading.price.micro == 1234000000 && !reading.currency[0]);
    SOUK_CHECK(reading.expiry_day == SOUK_GS1_NO_DAY && reading.unit == NULL);
    SOUK_MUST(souk_gs1_read(SOUK_TEXT("(3930)000"
                                      "1"),
                            &gs1, NULL));
    souk_diag diag = {.words = ""};
    SOUK_CHECK_ERR(souk_gs1_tell(&gs1, today, &reading, &diag), SOUK_EINVAL);
    SOUK_CHECK(strstr(diag.words, "no currency 000"));
    SOUK_MUST(souk_gs1_read(SOUK_TEXT("(3205)000195(7003)2611262359"), &gs1, NULL));
    SOUK_MUST(souk_gs1_tell(&gs1, today, &reading, NULL));
    SOUK_CHECK(reading.measure.micro == 1950 && !strcmp(reading.unit, "lb"));
    SOUK_CHECK(reading.expiry_day == today && reading.gtin.at == NULL);
}

SOUK_TEST("a year of two digits is the nearest one, and day 00 the last of its month")
{
    static const struct {
        int32_t this_year;
        const char *told;
        souk_date is; /* year 0: there is none */
    } rows[] = {
        {2026, "261231", {2026, 12, 31}}, {2026, "761231", {2076, 12, 31}},
        {2026, "771231", {1977, 12, 31}}, {2026, "260200", {2026, 2, 28}},
        {2026, "280200", {2028, 2, 29}},  {2026, "261200", {2026, 12, 31}},
        {2026, "000229", {2000, 2, 29}},  {2060, "000229", {0, 0, 0}},
        {2060, "000200", {2100, 2, 28}},  {2060, "100101", {2110, 1, 1}},
        {2060, "110101", {2011, 1, 1}},   {1999, "010101", {2001, 1, 1}},
        {1999, "490101", {2049, 1, 1}},   {1999, "500101", {1950, 1, 1}},
        {2026, "261300", {0, 0, 0}},      {2026, "260431", {0, 0, 0}},
        {2026, "26043", {0, 0, 0}},       {2026, "26043x", {0, 0, 0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t got = 0, today = day(rows[i].this_year, 6, 15);
        souk_err err = souk_gs1_day(souk_text_of(rows[i].told), today, &got);
        SOUK_CHECK((err == SOUK_OK) == (rows[i].is.year != 0));
        SOUK_CHECK(err || got == souk_date_day(rows[i].is));
    }
}

SOUK_TEST("what a field needs must be there, and what it excludes must not")
{
    static const struct {
        const char *told, *words; /* NULL: they go together */
    } rows[] = {
        {"(01)90614141000015(3103)001250(3922)1999", NULL},
        {"(01)90614141000015(30)5(3932)9781999", NULL},
        {"(02)09506000134352(37)24(10)A", NULL},
        {"(00)106141412345678908(02)09506000134352(37)24(400)X", NULL},
        {"(8006)095060001343520102(21)S", NULL},
        {"(91)ours", NULL},
        {"(10)A", "(10) needs the item it tells about"},
        {"(3103)001250", "(3103) needs the item"},
        {"(01)90614141000015(3922)1999", "(3922) needs the item, as (01), and its measure"},
        {"(02)09506000134352", "(02) needs (37)"},
        {"(01)09506000134352(37)24", "(01) and (37) do not go together"},
        {"(00)106141412345678908(37)24", "(37) needs (02)"},
        {"(01)90614141000015(02)09506000134352(37)1", "(01) and (02) do not go together"},
        {"(01)90614141000015(3103)001250(3102)000125", "(3103) and (3102) do not go together"},
        {"(01)90614141000015(30)5(3920)5(3930)9785", "(3920) and (3930) do not go together"},
        {"(01)90614141000015(30)5(3920)5(3922)500", "(3920) and (3922) do not go together"},
        {"(01)09506000134352(21)A(235)B", "(21) and (235) do not go together"},
        {"(403)X", "(403) needs the box"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        souk_gs1 gs1;
        souk_diag diag = {.words = ""};
        SOUK_MUST(souk_gs1_read(souk_text_of(rows[i].told), &gs1, &diag));
        souk_err err = souk_gs1_pairs(&gs1, &diag);
        SOUK_CHECK_ERR(err, rows[i].words ? SOUK_EINVAL : SOUK_OK);
        if (rows[i].words && !strstr(diag.words, rows[i].words))
            test_fail(test, __FILE__, __LINE__, "%s: %s", rows[i].told, diag.words);
    }
}

SOUK_TEST("links of any domain are read, and written in one form")
{
    static const struct {
        const char *url, *fields, *link;
    } rows[] = {
        {"https://id.gs1.org/01/09506000134352", "(01)09506000134352",
         "https://id.gs1.org/01/09506000134352"},
        {"HTTP://Shop.example:8443/a/b/01/09506000134352/10/B%2F7/21/S%2a9?17=261231&linkType=all"
         "&3103=000195#top",
         "(01)09506000134352(10)B/7(21)S*9(17)261231(3103)000195",
         "https://id.gs1.org/01/09506000134352/10/B%2F7/21/S%2A9?17=261231&3103=000195"},
        {"https://x.y/01/9506000134352?21=s&10=b", "(01)09506000134352(21)s(10)b",
         "https://id.gs1.org/01/09506000134352/10/b/21/s"},
        {"https://x.y/414/0614141123452/254/5678/", "(414)0614141123452(254)5678",
         "https://id.gs1.org/414/0614141123452/254/5678"},
        {"https://x.y/01/10/00/106141412345678908?3922=1999&3103=1&3103=001250", "", NULL},
        {"https://x.y/01/09506000134352/235/abc+d", "(01)09506000134352(235)abc+d",
         "https://id.gs1.org/01/09506000134352/235/abc%2Bd"},
        {"]Q1https://x.y/8006/095060001343520102/21/a", "(8006)095060001343520102(21)a",
         "https://id.gs1.org/8006/095060001343520102/21/a"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        souk_gs1 gs1, again;
        souk_diag diag = {.words = ""};
        char out[SOUK_GS1_BYTES];
        size_t bytes = 0;
        souk_err err = souk_gs1_link_read(souk_text_of(rows[i].url), &gs1, &diag);
        if (!rows[i].link) {
            SOUK_CHECK_ERR(err, SOUK_ESYNTAX);
            continue;
        }
        SOUK_MUST(err);
        SOUK_CHECK_TEXT(plain(&gs1), rows[i].fields);
        SOUK_MUST(souk_gs1_link_write(&gs1, SOUK_TEXT(""), out, &bytes, NULL));
        SOUK_CHECK_TEXT(((souk_text){out, bytes}), rows[i].link);
        SOUK_MUST(souk_gs1_link_read((souk_text){out, bytes}, &again, NULL));
        SOUK_CHECK(again.count == gs1.count);
    }
}

SOUK_TEST("what is no link of GS1, or can be none, is refused")
{
    static const char *const bad[][2] = {
        {"ftp://x.y/01/09506000134352", "begins with https://"},
        {"https:///01/09506000134352", "no domain"},
        {"https://x.y", "no key of GS1"},
        {"https://x.y/about/us", "no key of GS1"},
        {"https://x.y/gtin/09506000134352", "write /01/"},
        {"https://x.y/01/09506000134353", "check digit"},
        {"https://x.y/01/09506000134352/21/a/10/b", "no key of GS1"},
        {"https://x.y/01/09506000134352/10/", "no key of GS1"},
        {"https://x.y/01/09506000134352/10/%", "hexadecimal"},
        {"https://x.y/01/09506000134352/10/%00", "hexadecimal"},
        {"https://x.y/01/09506000134352?18=261231", "18 in the query is no application"},
        {"https://x.y/01/09506000134352?17=26123", "too short"},
        {"https://x.y/01/09506000134352?17=", "nothing in it"},
        {"https://x.y/01/09506000134352?01=09506000134369", "comes twice"},
    };
    souk_gs1 gs1;
    char out[SOUK_GS1_BYTES];
    size_t bytes;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        souk_diag diag = {.words = ""};
        SOUK_CHECK_ERR(souk_gs1_link_read(souk_text_of(bad[i][0]), &gs1, &diag), SOUK_ESYNTAX);
        if (!strstr(diag.words, bad[i][1]))
            test_fail(test, __FILE__, __LINE__, "%s: %s", bad[i][0], diag.words);
    }
    SOUK_MUST(souk_gs1_read(SOUK_TEXT("(10)A"), &gs1, NULL));
    SOUK_CHECK_ERR(souk_gs1_link_write(&gs1, SOUK_TEXT(""), out, &bytes, NULL), SOUK_EINVAL);
    SOUK_MUST(souk_gs1_read(SOUK_TEXT("(00)106141412345678908(21)A"), &gs1, NULL));
    SOUK_CHECK_ERR(souk_gs1_link_write(&gs1, SOUK_TEXT(""), out, &bytes, NULL), SOUK_EINVAL);
    SOUK_MUST(souk_gs1_read(SOUK_TEXT("(01)09506000134352"), &gs1, NULL));
    SOUK_MUST(souk_gs1_link_write(&gs1, SOUK_TEXT("http://a.b/c/"), out, &bytes, NULL));
    SOUK_CHECK_TEXT(((souk_text){out, bytes}), "http://a.b/c/01/09506000134352");
    static const char *const stems[] = {"a.b", "https://", "https:///a", "https://a?b",
                                        "http://a b"};
    for (size_t i = 0; i < sizeof stems / sizeof *stems; i++)
        SOUK_CHECK_ERR(souk_gs1_link_write(&gs1, souk_text_of(stems[i]), out, &bytes, NULL),
                       SOUK_EINVAL);
}

/* ---- random labels ----------------------------------------------------------------------------------- */

struct label {
    unsigned ai[SOUK_GS1_FIELDS];
    char value[SOUK_GS1_FIELDS][32];
    size_t count;
    char raw[SOUK_GS1_TEXT], plain[SOUK_GS1_TEXT];
};

/* A dumb writer of its own, for fields of which it knows the kind. */
static void random_label(souk_test *test, struct label *label)
{
    static const struct {
        unsigned ai;
        char kind; /* g: GTIN, d: date, w: six digits, n: up to eight digits, t: text */
        bool mark;
    } kinds[] = {{1, 'g', false},   {17, 'd', false}, {3103, 'w', false}, {10, 't', true},
                 {21, 't', true},   {30, 'n', true},  {99, 't', true},    {400, 't', true},
                 {3922, 'n', true}, {15, 'd', false}, {240, 't', true},   {8005, 'w', true}};
    static const char text[] = "ABCxyz019-/()+.%&_\"";
    size_t raw = 0, out = 0, first = test_random(test, 12);
    label->count = 1 + test_random(test, 12);
    for (size_t i = 0; i < label->count; i++) {
        size_t kind = (first + i) % 12, bytes = 6;
        char *value = label->value[i];
        switch (kinds[kind].kind) {
        case 'g':
            for (bytes = 0; bytes < 13; bytes++)
                value[bytes] = (char)('0' + test_random(test, 10));
            value[13] = souk_gs1_check_digit((souk_text){value, 13});
            bytes = 14;
            break;
        case 'd':
            snprintf(value, 32, "%02u%02u%02u", (unsigned)test_random(test, 100),
                     1 + (unsigned)test_random(test, 12), (unsigned)test_random(test, 29));
            break;
        case 'w':
            snprintf(value, 32, "%06u", (unsigned)test_random(test, 1000000));
            break;
        case 'n':
            bytes = (size_t)snprintf(value, 32, "%u", (unsigned)test_random(test, 100000000));
            break;
        default:
            bytes = 1 + test_random(test, 20);
            for (size_t k = 0; k < bytes; k++)
                value[k] = text[test_random(test, sizeof text - 1)];
        }
        value[bytes] = '\0';
        label->ai[i] = kinds[kind].ai;
        raw += (size_t)sprintf(label->raw + raw, "%02u%s%s", label->ai[i], value,
                               i + 1 < label->count && kinds[kind].mark ? "\x1d" : "");
        out += (size_t)sprintf(label->plain + out, "(%02u)", label->ai[i]);
        for (size_t k = 0; k < bytes; k++)
            out += (size_t)sprintf(label->plain + out, value[k] == '(' ? "\\%c" : "%c", value[k]);
    }
}

SOUK_TEST("20,000 random labels come back as they were made, and a planted fault is noticed")
{
    static struct label label;
    size_t noticed = 0, planted = 0;
    for (int round = 0; round < 20000; round++) {
        souk_gs1 gs1, again;
        char raw[SOUK_GS1_BYTES];
        random_label(test, &label);
        souk_diag diag = {.words = ""};
        if (souk_gs1_read(souk_text_of(label.raw), &gs1, &diag) != SOUK_OK)
            test_fail(test, __FILE__, __LINE__, "%s: %s", label.raw, diag.words);
        SOUK_CHECK(gs1.count == label.count);
        for (size_t i = 0; i < gs1.count; i++) {
            SOUK_CHECK(gs1.fields[i].ai == label.ai[i]);
            SOUK_CHECK_TEXT(souk_gs1_value(&gs1, i), label.value[i]);
        }
        SOUK_CHECK_TEXT(plain(&gs1), label.plain);
        SOUK_MUST(souk_gs1_read(souk_text_of(label.plain), &again, NULL));
        souk_gs1_write(&again, raw);
        SOUK_CHECK_TEXT(souk_text_of(raw), label.raw);
        char *gtin = label.ai[0] == 1 ? label.raw + 2 : NULL;
        if (gtin) {
            size_t at = test_random(test, 14);
            gtin[at] = (char)('0' + (gtin[at] - '0' + 1 + (int)test_random(test, 9)) % 10);
            noticed += souk_gs1_read(souk_text_of(label.raw), &gs1, NULL) == SOUK_ESYNTAX;
            planted++;
        }
    }
    SOUK_CHECK(planted > 1000 && noticed == planted);
}

SOUK_TEST("the table is in order, its identifiers are prefix-free, and predefined lengths are "
          "those of 7.8.5")
{
    static const char predefined[] = "00 01 02 03 11 12 13 15 16 17 20 31 32 33 34 35 36 41 ";
    const souk_gs1_ai *ai, *before = NULL;
    size_t numbers = 0;
    for (size_t i = 0; (ai = souk_gs1_ai_at(i)) != NULL; before = ai, i++) {
        SOUK_CHECK(ai->first <= ai->last && (!before || before->last < ai->first));
        for (unsigned number = ai->first; number <= ai->last; number++, numbers++) {
            char text[16];
            snprintf(text, sizeof text, "%02u", number);
            SOUK_CHECK(souk_gs1_ai_of(number) == ai);
            SOUK_CHECK(souk_gs1_ai_find(souk_text_of(text)) == ai);
            text[2] = ' ';
            text[3] = '\0';
            SOUK_CHECK(ai->predefined == (strstr(predefined, text) != NULL));
            for (size_t bytes = 2; bytes < strlen(text) - 1; bytes++)
                SOUK_CHECK(souk_gs1_ai_find((souk_text){text, bytes}) == NULL);
        }
    }
    SOUK_CHECK(numbers > 500);
    SOUK_CHECK(souk_gs1_ai_of(14) == NULL && souk_gs1_ai_of(9999) == NULL);
}

SOUK_TEST("a label of too many fields or characters is refused")
{
    souk_gs1 gs1;
    char text[SOUK_GS1_TEXT + 2];
    memset(text, '1', sizeof text);
    SOUK_CHECK_ERR(souk_gs1_read((souk_text){text, SOUK_GS1_TEXT + 1}, &gs1, NULL), SOUK_ETOOBIG);
    size_t bytes = 0;
    for (unsigned ai = 91; ai <= 99; ai++)
        bytes += (size_t)sprintf(text + bytes, "%u%090d\x1d", ai, 7);
    for (unsigned ai = 4302; ai <= 4306; ai++)
        bytes += (size_t)sprintf(text + bytes, "%u%070d\x1d", ai, 7);
    SOUK_CHECK_ERR(souk_gs1_read((souk_text){text, bytes}, &gs1, NULL), SOUK_ETOOBIG);
    bytes = 0;
    for (unsigned ai = 0; ai < 33; ai++)
        bytes += (size_t)sprintf(text + bytes, "%u1\x1d", 3900 + ai);
    souk_diag diag = {.words = ""};
    SOUK_CHECK(souk_gs1_read((souk_text){text, bytes}, &gs1, &diag));
}
