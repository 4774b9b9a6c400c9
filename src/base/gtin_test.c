/* gtin_test.c - bar codes of the shelf, and UPC-E against the plain rule of its table. */
#include "base/gtin.h"

#include "base/epc.h"
#include "test/test.h"

SOUK_TEST("the four lengths become one form, and are printed as short as they can be")
{
    static const struct {
        const char *told, *canonical, *shortest;
    } rows[] = {
        {"96385074", "00000096385074", "96385074"},
        {"036000291452", "00036000291452", "036000291452"},
        {"0036000291452", "00036000291452", "036000291452"}, /* the same as EAN-13 */
        {"00036000291452", "00036000291452", "036000291452"},
        {"4006381333931", "04006381333931", "4006381333931"},
        {"10614141000415", "10614141000415", "10614141000415"},
        {"00000096385074", "00000096385074", "96385074"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        souk_gtin gtin;
        char text[SOUK_GTIN_BYTES];
        SOUK_MUST(souk_gtin_read(souk_text_of(rows[i].told), &gtin, NULL));
        SOUK_CHECK_TEXT(souk_text_of(gtin.digits), rows[i].canonical);
        size_t bytes = souk_gtin_write(&gtin, text);
        SOUK_CHECK_TEXT(((souk_text){text, bytes}), rows[i].shortest);
    }
}

SOUK_TEST("a wrong bar code is refused with the digit that would be right, and changes nothing")
{
    static const struct {
        const char *told, *words;
        souk_err err;
    } bad[] = {
        {"4006381333934", "the check digit is 4, by the digits before it it should be 1",
         SOUK_EINVAL},
        {"96385079", "the check digit is 9, by the digits before it it should be 4", SOUK_EINVAL},
        {"", "this has 0", SOUK_ESYNTAX},
        {"400638133393", "the check digit is 3",
         SOUK_EINVAL}, /* one lost: a UPC-A, but for its check */
        {"40063813339", "this has 11", SOUK_ESYNTAX},
        {"106141410004155", "this has 15", SOUK_ESYNTAX},
        {"400638133393l", "digits only", SOUK_ESYNTAX},
        {"4006381 33393", "digits only", SOUK_ESYNTAX},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        souk_gtin gtin = {"unchanged"};
        souk_diag diag = {.words = ""};
        SOUK_CHECK_ERR(souk_gtin_read(souk_text_of(bad[i].told), &gtin, &diag), bad[i].err);
        SOUK_CHECK(strstr(diag.words, bad[i].words));
        SOUK_CHECK(!strcmp(gtin.digits, "unchanged"));
    }
}

SOUK_TEST("UPC-E has its zeros back by each of its rules, and is left out again")
{
    static const struct {
        const char *upce, *upca;
    } rows[] = {
        {"01234505", "012000003455"}, {"01234514", "012100003454"}, {"01234523", "012200003453"},
        {"01234531", "012300000451"}, {"01234543", "012340000053"}, {"01234558", "012345000058"},
        {"01234565", "012345000065"}, {"04252614", "042100005264"}, {"11234562", "112345000062"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        souk_gtin gtin;
        char text[SOUK_GTIN_BYTES];
        SOUK_MUST(souk_gtin_read_upce(souk_text_of(rows[i].upce), &gtin, NULL));
        SOUK_CHECK(souk_gtin_write(&gtin, text) == 12);
        SOUK_CHECK_TEXT(souk_text_of(text), rows[i].upca);
        SOUK_CHECK(souk_gtin_write_upce(&gtin, text) == 8);
        SOUK_CHECK_TEXT(souk_text_of(text), rows[i].upce);
        SOUK_MUST(souk_gtin_read_upce((souk_text){rows[i].upce, 7}, &gtin, NULL));
        SOUK_CHECK(souk_gtin_write_upce(&gtin, text) == 8 && !strcmp(text, rows[i].upce));
    }
    souk_gtin gtin;
    souk_diag diag = {.words = ""};
    SOUK_MUST(souk_gtin_read_upce(SOUK_TEXT("425261"), &gtin, NULL));
    SOUK_CHECK(!strcmp(gtin.digits, "00042100005264"));
    SOUK_CHECK_ERR(souk_gtin_read_upce(SOUK_TEXT("04252615"), &gtin, &diag), SOUK_EINVAL);
    SOUK_CHECK(strstr(diag.words, "the check digit is 5") && strstr(diag.words, "should be 4"));
    SOUK_CHECK_ERR(souk_gtin_read_upce(SOUK_TEXT("24252614"), &gtin, NULL), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_gtin_read_upce(SOUK_TEXT("42526"), &gtin, NULL), SOUK_ESYNTAX);
    SOUK_CHECK_ERR(souk_gtin_read_upce(SOUK_TEXT("4252x1"), &gtin, NULL), SOUK_ESYNTAX);
    char text[SOUK_UPCE_BYTES];
    SOUK_MUST(souk_gtin_read(SOUK_TEXT("4006381333931"), &gtin, NULL));
    SOUK_CHECK(souk_gtin_write_upce(&gtin, text) == 0 && text[0] == '\0');
}

SOUK_TEST("numbers of the shop's own walls are told from those of the world")
{
    static const struct {
        const char *told;
        bool internal;
    } rows[] = {{"2100001000005", true},  {"0200001000008", true}, {"200001000008", true},
                {"0412345678903", true},  {"20123451", true},      {"00123457", true},
                {"4006381333931", false}, {"96385074", false},     {"036000291452", false},
                {"22100001000009", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        souk_gtin gtin;
        char digits[SOUK_GTIN_BYTES];
        size_t bytes = strlen(rows[i].told);
        memcpy(digits, rows[i].told, bytes + 1);
        digits[bytes - 1] = souk_gs1_check_digit((souk_text){digits, bytes - 1});
        SOUK_MUST(souk_gtin_read(souk_text_of(digits), &gtin, NULL));
        SOUK_CHECK(souk_gtin_is_internal(&gtin) == rows[i].internal);
    }
}

/* The table of UPC-E, written as the text of each row; the longest rule wins. */
static bool dumb_upce(const char *upca, char *upce)
{
    static const char *const rows[] = {"abX0000cde", "abc00000de", "abcd00000e", "abcde0000X"};
    for (size_t row = 0; row < 4; row++) {
        char kept[7] = "", last = (char)("?34?"[row]);
        size_t n = 0;
        bool fits = upca[0] <= '1';
        for (size_t i = 0; i < 10 && fits; i++) {
            char rule = rows[row][i], digit = upca[1 + i];
            if (rule == 'X') {
                fits = row == 0 ? digit <= '2' : digit >= '5';
                last = digit;
            } else if (rule == '0') {
                fits = digit == '0';
            } else {
                kept[n++] = digit;
            }
        }
        if (!fits)
            continue;
        upce[0] = upca[0];
        memcpy(upce + 1, kept, 5);
        upce[6] = last;
        upce[7] = upca[11];
        upce[8] = '\0';
        return true;
    }
    return false;
}

SOUK_TEST("50,000 random UPC-A are shortened as the table says, and one wrong digit is noticed")
{
    size_t shortened = 0, noticed = 0;
    for (int round = 0; round < 50000; round++) {
        char upca[13] = "", expected[9] = "", got[SOUK_UPCE_BYTES];
        for (size_t i = 0; i < 11; i++)
            upca[i] = (char)('0' + (test_random(test, 3) ? 0 : test_random(test, 10)));
        upca[11] = souk_gs1_check_digit((souk_text){upca, 11});
        souk_gtin gtin, again;
        SOUK_MUST(souk_gtin_read((souk_text){upca, 12}, &gtin, NULL));
        bool has = dumb_upce(upca, expected);
        SOUK_CHECK((souk_gtin_write_upce(&gtin, got) == 8) == has);
        SOUK_CHECK(!strcmp(got, expected));
        if (has) {
            SOUK_MUST(souk_gtin_read_upce(souk_text_of(got), &again, NULL));
            SOUK_CHECK(!strcmp(again.digits, gtin.digits));
            shortened++;
        }
        size_t at = test_random(test, 12);
        upca[at] = (char)('0' + (upca[at] - '0' + 1 + (int)test_random(test, 9)) % 10);
        noticed += souk_gtin_read((souk_text){upca, 12}, &again, NULL) == SOUK_EINVAL;
    }
    SOUK_CHECK(shortened > 5000 && noticed == 50000);
}
