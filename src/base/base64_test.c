/* base64_test.c - base64.h against the vectors of the standard and a reader that goes bit by bit. */
#include "base/base64.h"
#include "test/test.h"

#include <stdio.h>

static souk_err decode(const char *letters, unsigned form, char *to, size_t *ret_bytes,
                       souk_diag *diag)
{
    return souk_base64_decode(souk_text_of(letters), form, to, ret_bytes, diag);
}

SOUK_TEST("the vectors of RFC 4648 are written and read, and both alphabets differ in two letters")
{
    static const struct {
        const char *plain, *coded, *bare;
    } cases[] = {
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"fooba", "Zm9vYmE=", "Zm9vYmE"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    };
    char text[32], plain[32];
    size_t bytes;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t count = strlen(cases[i].plain);
        bytes = souk_base64_encode(cases[i].plain, count, SOUK_BASE64_STANDARD, text);
        SOUK_CHECK(bytes == strlen(cases[i].coded) && !strcmp(text, cases[i].coded));
        bytes = souk_base64_encode(cases[i].plain, count, SOUK_BASE64_BARE, text);
        SOUK_CHECK(bytes == strlen(cases[i].bare) && !strcmp(text, cases[i].bare));
        SOUK_MUST(decode(cases[i].coded, SOUK_BASE64_STANDARD, plain, &bytes, NULL));
        SOUK_CHECK(bytes == count && !memcmp(plain, cases[i].plain, count));
        SOUK_MUST(decode(cases[i].bare, SOUK_BASE64_BARE, plain, &bytes, NULL));
        SOUK_CHECK(bytes == count && !memcmp(plain, cases[i].plain, count));
        SOUK_MUST(decode(cases[i].bare, SOUK_BASE64_EITHER, plain, &bytes, NULL));
        SOUK_MUST(decode(cases[i].coded, SOUK_BASE64_EITHER, plain, &bytes, NULL));
    }
    souk_base64_encode("\xfb\xff\xfe", 3, SOUK_BASE64_STANDARD, text);
    SOUK_CHECK(!strcmp(text, "+//+"));
    souk_base64_encode("\xfb\xff\xfe", 3, SOUK_BASE64_URL, text);
    SOUK_CHECK(!strcmp(text, "-__-"));
    SOUK_CHECK_ERR(decode("+//+", SOUK_BASE64_URL, plain, &bytes, NULL), SOUK_ESYNTAX);
    SOUK_CHECK_ERR(decode("-__-", SOUK_BASE64_STANDARD, plain, &bytes, NULL), SOUK_ESYNTAX);
}

SOUK_TEST("what is no base64 is refused with its place")
{
    static const struct {
        const char *coded;
        unsigned form;
        size_t column;
    } cases[] = {
        {"Zg", SOUK_BASE64_STANDARD, 3},     /* padding missing */
        {"Zg=", SOUK_BASE64_STANDARD, 3},    /* half of it */
        {"Zg===", SOUK_BASE64_STANDARD, 4},  /* too much */
        {"Zm9v=", SOUK_BASE64_STANDARD, 5},  /* where none belongs */
        {"Zm9v====", SOUK_BASE64_EITHER, 5}, /* a whole group of it */
        {"Zg==", SOUK_BASE64_BARE, 3},       {"Z", SOUK_BASE64_EITHER, 2},
        {"Zm9vY", SOUK_BASE64_EITHER, 6},    {"=", SOUK_BASE64_EITHER, 1},
        {"Zm 9v", SOUK_BASE64_EITHER, 6},    {"Zm9v\n", SOUK_BASE64_EITHER, 6},
        {"Zm9\n", SOUK_BASE64_EITHER, 4},    {"Z=9v", SOUK_BASE64_EITHER, 2},
        {"Zh==", SOUK_BASE64_STANDARD, 2}, /* a bit behind the last byte */
        {"Zm9=", SOUK_BASE64_STANDARD, 3},   {"Zm9v\xc3\xa9==", SOUK_BASE64_EITHER, 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char plain[32];
        size_t bytes = 77;
        souk_diag diag = {.words = ""};
        SOUK_CHECK_ERR(decode(cases[i].coded, cases[i].form, plain, &bytes, &diag), SOUK_ESYNTAX);
        SOUK_CHECK(bytes == 77 && strstr(diag.words, ": "));
        SOUK_CHECK(diag.column == cases[i].column);
    }
}

/* The dumb reader: all bits one by one.  -1: refused.  keep_bits plants the error of not looking at the bits
 * behind the last byte. */
static int model(const char *letters, size_t count, bool keep_bits, unsigned char *to)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char bits[600];
    size_t total = 0;
    while (count && letters[count - 1] == '=' && count % 4 != 2)
        count--;
    for (size_t i = 0; i < count; i++) {
        const char *found = letters[i] ? strchr(alphabet, letters[i]) : NULL;
        if (!found)
            return -1;
        for (int k = 5; k >= 0; k--)
            bits[total++] = (char)((found - alphabet) >> k & 1);
    }
    for (size_t i = total / 8 * 8; i < total; i++)
        if (total % 8 == 6 || (bits[i] && !keep_bits))
            return -1;
    for (size_t i = 0; i < total / 8; i++) {
        to[i] = 0;
        for (size_t k = 0; k < 8; k++)
            to[i] = (unsigned char)(to[i] << 1 | bits[i * 8 + k]);
    }
    return (int)(total / 8);
}

SOUK_TEST("random letters are read as bit by bit, and a bit behind the last byte is noticed")
{
    size_t noticed = 0, read = 0;
    for (int round = 0; round < 20000; round++) {
        static const char pool[] = "ABCDwxyz0129+/AQgwZm9vYQ=!";
        char letters[64], plain[64];
        unsigned char expected[64], planted[64];
        size_t count = test_random(test, 5) * 4 + (test_random(test, 8) == 0), bytes = 0;
        for (size_t i = 0; i < count; i++)
            letters[i] = pool[test_random(test, sizeof pool - 3)];
        for (size_t pad = test_random(test, 4); count && pad; pad--)
            if (pad < 3 && count >= pad)
                letters[count - pad] = '=';
        souk_err err = souk_base64_decode((souk_text){letters, count}, SOUK_BASE64_STANDARD, plain,
                                          &bytes, NULL);
        int told = count % 4 ? -1 : model(letters, count, false, expected);
        SOUK_CHECK((err == SOUK_OK) == (told >= 0));
        SOUK_CHECK(err || (bytes == (size_t)told && !memcmp(plain, expected, bytes)));
        read += !err;
        noticed += told < 0 && count % 4 == 0 && model(letters, count, true, planted) >= 0;
    }
    SOUK_CHECK(noticed > 100 && read > 1000);
}

SOUK_TEST("random bytes come back as they were, in place too, in each form")
{
    for (int round = 0; round < 5000; round++) {
        unsigned char plain[100];
        char text[SOUK_BASE64_BYTES(100)];
        size_t count = test_random(test, sizeof plain + 1), bytes;
        unsigned form = (unsigned)test_random(test, 4);
        for (size_t i = 0; i < count; i++)
            plain[i] = (unsigned char)test_random(test, 256);
        size_t letters = souk_base64_encode(plain, count, form, text);
        SOUK_CHECK(letters < SOUK_BASE64_BYTES(count) && count <= SOUK_BASE64_ROOM(letters));
        SOUK_MUST(souk_base64_decode((souk_text){text, letters}, form, text, &bytes, NULL));
        SOUK_CHECK(bytes == count && !memcmp(text, plain, count));
    }
}
