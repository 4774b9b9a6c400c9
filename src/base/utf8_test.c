/* utf8_test.c - utf8.h against a decoder that adds up bits and asks afterwards. */
#include "base/utf8.h"
#include "test/test.h"

/* The model; lax plants the error of taking surrogates. */
static bool decodes(const unsigned char *at, size_t bytes, bool lax)
{
    for (size_t i = 0; i < bytes;) {
        unsigned tails = at[i] < 0x80 ? 0 : at[i] >> 5 == 6 ? 1 : at[i] >> 4 == 14 ? 2 : 3;
        if (tails == 3 && at[i] >> 3 != 30)
            return false;
        uint32_t code = tails ? at[i] & (0x3Fu >> tails) : at[i];
        i++;
        for (unsigned t = 0; t < tails; t++, i++) {
            if (i >= bytes || at[i] >> 6 != 2)
                return false;
            code = code << 6 | (at[i] & 0x3F);
        }
        static const uint32_t least[4] = {0, 0x80, 0x800, 0x10000};
        if (code < least[tails] || code > 0x10FFFF || (!lax && code >= 0xD800 && code < 0xE000))
            return false;
    }
    return true;
}

SOUK_TEST("every code point is written as itself, and surrogates as U+FFFD")
{
    for (uint32_t code = 0; code < 0x110100; code++) {
        char bytes[4];
        size_t count = souk_utf8_put(bytes, code);
        bool character = code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
        SOUK_CHECK(souk_utf8_valid((souk_text){bytes, count}));
        SOUK_CHECK(count == (code < 0x80        ? 1u
                             : code < 0x800     ? 2u
                             : code < 0x10000   ? 3u
                             : code <= 0x10FFFF ? 4u
                                                : 3u));
        if (!character)
            SOUK_CHECK(memcmp(bytes, "\xEF\xBF\xBD", 3) == 0);
        if (count > 1)
            SOUK_CHECK(!souk_utf8_valid((souk_text){bytes, count - 1}));
    }
}

SOUK_TEST("all two-byte texts, and all leads with all seconds, agree with the decoder")
{
    bool planted_seen = false;
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++)
            for (size_t bytes = 2; bytes <= 4; bytes++) {
                unsigned char at[4] = {(unsigned char)a, (unsigned char)b, 0x80, 0xBF};
                bool valid = souk_utf8_valid((souk_text){(char *)at, bytes});
                SOUK_CHECK(valid == decodes(at, bytes, false));
                planted_seen |= valid != decodes(at, bytes, true);
            }
    SOUK_CHECK(planted_seen);
}

SOUK_TEST("random texts, mostly ASCII with something planted, agree with the decoder")
{
    int valid_count = 0;
    for (int round = 0; round < 20000; round++) {
        char text[120];
        size_t bytes = test_random(test, sizeof text - 4);
        for (size_t i = 0; i < bytes; i++)
            text[i] = (char)(' ' + test_random(test, 90));
        for (uint64_t planted = test_random(test, 4); planted; planted--)
            (void)souk_utf8_put(text + test_random(test, bytes + 1),
                                (uint32_t)test_random(test, 0x120000) >> test_random(test, 16));
        if (bytes && test_random(test, 4) == 0)
            text[test_random(test, bytes)] = (char)test_random(test, 256);
        bool valid = souk_utf8_valid((souk_text){text, bytes});
        SOUK_CHECK(valid == decodes((unsigned char *)text, bytes, false));
        valid_count += valid;
    }
    SOUK_CHECK(valid_count > 1000 && valid_count < 19000);
    SOUK_CHECK(souk_utf8_valid((souk_text){NULL, 0}));
    SOUK_CHECK(souk_utf8_valid((souk_text){"\0", 1}));
}

static bool is_obeyed(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069);
}

SOUK_TEST("of all characters those are told apart that a terminal obeys, whole and cut off")
{
    unsigned obeyed = 0;
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        char text[5] = "x";
        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        size_t bytes = souk_utf8_put(text + 1, c);
        SOUK_CHECK(souk_utf8_control((souk_text){text, 1 + bytes}, 1) ==
                   (is_obeyed(c) ? bytes : 0));
        for (size_t cut = 1; cut < bytes; cut++)
            SOUK_CHECK(souk_utf8_control((souk_text){text, 1 + cut}, 1) == 0);
        obeyed += is_obeyed(c);
    }
    SOUK_CHECK(obeyed == 32 + 33 + 5 + 4);
    SOUK_CHECK(souk_utf8_control((souk_text){NULL, 0}, 0) == 0);
}

SOUK_TEST("a plain text is valid and has nothing that a terminal obeys")
{
    static const char *const plain[] = {"", "till 1", "上海", "a\xE2\x80\x94z"};
    static const char *const odd[] = {"a\nb",          "\x7F", "\x1B[2J", "x\xC2\x85",
                                      "\xE2\x80\xAEx", "\xFF", "\xC3"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        SOUK_CHECK(souk_utf8_plain(souk_text_of(plain[i])));
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        SOUK_CHECK(!souk_utf8_plain(souk_text_of(odd[i])));
}
