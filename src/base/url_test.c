/* url_test.c - percent-decoding and queries, against known texts and their own encoder. */
#include "base/url.h"
#include "test/test.h"

SOUK_TEST("percent-encoded text decodes, in place too, and broken escapes are refused")
{
    const struct {
        souk_text from;
        const char *path, *form; /* NULL: refused */
    } table[] = {
        {SOUK_TEXT(""), "", ""},
        {SOUK_TEXT("a+b"), "a+b", "a b"},
        {SOUK_TEXT("%41%5a%e4%BD%A0"), "AZ\xe4\xbd\xa0", "AZ\xe4\xbd\xa0"},
        {SOUK_TEXT("%2B%25"), "+%", "+%"},
        {SOUK_TEXT("%"), NULL, NULL},
        {SOUK_TEXT("%4"), NULL, NULL},
        {SOUK_TEXT("%4g"), NULL, NULL},
        {SOUK_TEXT("a%00b"), NULL, NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        for (int is_form = 0; is_form < 2; is_form++) {
            const char *want = is_form ? table[i].form : table[i].path;
            char room[50];
            if (table[i].from.bytes)
                memcpy(room, table[i].from.at, table[i].from.bytes);
            size_t bytes = 99;
            souk_err err =
                souk_url_decode((souk_text){room, table[i].from.bytes}, is_form, room, &bytes);
            SOUK_CHECK(err == (want ? SOUK_OK : SOUK_ESYNTAX));
            SOUK_CHECK(want || bytes == 99);
            if (want)
                SOUK_CHECK_TEXT(((souk_text){room, bytes}), want);
        }
}

SOUK_TEST("a query yields its parameters in order, empty pieces left out")
{
    souk_text rest = SOUK_TEXT("&a=1&&b&c=&=d&e=f=g&"), name, value;
    static const char *const want[][2] = {
        {"a", "1"}, {"b", ""}, {"c", ""}, {"", "d"}, {"e", "f=g"}};
    for (size_t i = 0; i < 5; i++) {
        SOUK_CHECK(souk_url_next(&rest, &name, &value));
        SOUK_CHECK_TEXT(name, want[i][0]);
        SOUK_CHECK_TEXT(value, want[i][1]);
        SOUK_CHECK((value.at != NULL) == (i != 1));
    }
    SOUK_CHECK(!souk_url_next(&rest, &name, &value));
}

SOUK_TEST("a parameter is found by its decoded name, the first one")
{
    souk_text query = SOUK_TEXT("ab=0&a=1&%61=2&sto%72e+id=3&%zz=4&a%00=5&e"), value = {0};
    SOUK_CHECK(souk_url_find(query, SOUK_TEXT("a"), &value));
    SOUK_CHECK_TEXT(value, "1");
    SOUK_CHECK(souk_url_find(query, SOUK_TEXT("store id"), &value));
    SOUK_CHECK_TEXT(value, "3");
    SOUK_CHECK(souk_url_find(query, SOUK_TEXT("e"), &value));
    SOUK_CHECK(value.at == NULL);
    SOUK_CHECK(!souk_url_find(query, SOUK_TEXT("%zz"), &value));
    SOUK_CHECK(!souk_url_find(query, SOUK_TEXT("A"), &value));
    SOUK_CHECK(!souk_url_find((souk_text){NULL, 0}, SOUK_TEXT("a"), &value));
}

SOUK_TEST("any name and value without NUL survive encoding and decoding")
{
    static const char digits[] = "0123456789ABCDEF";
    for (unsigned round = 0; round < 5000; round++) {
        char plain[2][20], wire[200];
        size_t bytes[2], at = 0;
        for (int part = 0; part < 2; part++) {
            bytes[part] = (size_t)test_random(test, 20) + (part == 0);
            bytes[part] = souk_min_size(bytes[part], 20);
            for (size_t i = 0; i < bytes[part]; i++) {
                unsigned char c = (unsigned char)(1 + test_random(test, 255));
                plain[part][i] = (char)c;
                bool bare = (c >= 'a' && c <= 'z') && test_random(test, 2);
                if (c == ' ') {
                    wire[at++] = '+';
                } else if (bare) {
                    wire[at++] = (char)c;
                } else {
                    wire[at++] = '%';
                    wire[at++] = digits[c >> 4];
                    wire[at++] = digits[c & 15];
                }
            }
            if (part == 0)
                wire[at++] = '=';
        }
        souk_text value, query = {wire, at};
        SOUK_CHECK(souk_url_find(query, (souk_text){plain[0], bytes[0]}, &value));
        char room[200];
        size_t room_bytes;
        SOUK_MUST(souk_url_decode(value, true, room, &room_bytes));
        SOUK_CHECK(room_bytes == bytes[1] && memcmp(room, plain[1], room_bytes) == 0);
    }
}
