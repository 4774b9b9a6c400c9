/* pan_test.c - published numbers of test cards in text, what is no card, and how often chance makes one. */
#include "base/pan.h"

#include "test/test.h"

#include <stdio.h>

/* Numbers that issuers and payment services print in their manuals for tests: no account has them. */
static const char *const cards[] = {
    "4111111111111111", "4012888888881881", "4222222222222",    "4242424242424242",
    "4000056655665556", "4000000000000002", "5555555555554444", "5105105105105100",
    "5200828282828210", "2223003122003222", "2223000048400011", "378282246310005",
    "371449635398431",  "6011111111111117", "6011000990139424", "6011981111111113",
    "30569309025904",   "38520000023237",   "3056930009020004", "36227206271667",
    "3530111333300000", "3566002020360505", "6200000000000005", "6205500000000000004",
    "6304000000000000", "6759649826438453",
};
enum { CARDS = sizeof cards / sizeof *cards };

/* In groups of these sizes, the last one repeated. */
static const char *grouped(const char *card, const char *sizes, char mark)
{
    static char out[40];
    size_t bytes = 0, in_group = 0;
    for (; *card; card++, in_group++) {
        if (in_group == (size_t)(*sizes - '0')) {
            out[bytes++] = mark;
            in_group = 0;
            sizes += sizes[1] != '\0';
        }
        out[bytes++] = *card;
    }
    out[bytes] = '\0';
    return out;
}

SOUK_TEST("test cards are found in text, all together and in the groups of cards")
{
    static const char *const around[][2] = {{"", ""},
                                            {"card ", "."},
                                            {"paid with #", ", thanks"},
                                            {"(", ")"},
                                            {"\n", " exp 12/27"},
                                            {"pan:", ";cvc=1"},
                                            {"1 x ", "\t2"},
                                            {"-", "-"}};
    for (size_t i = 0; i < CARDS; i++) {
        SOUK_CHECK(souk_pan_is(souk_text_of(cards[i])));
        size_t digits = strlen(cards[i]);
        const char *sizes = digits == 15 || digits == 14 ? "465" : "4";
        for (int form = 0; form < 3; form++) {
            const char *card = form == 0 ? cards[i] : grouped(cards[i], sizes, " -"[form - 1]);
            for (size_t k = 0; k < sizeof around / sizeof *around; k++) {
                char text[80];
                snprintf(text, sizeof text, "%s%s%s", around[k][0], card, around[k][1]);
                souk_text found = souk_pan_find(souk_text_of(text));
                if (!souk_text_equal(found, souk_text_of(card)))
                    test_fail(test, __FILE__, __LINE__, "'%s': '%.*s'", text,
                              SOUK_TEXT_PRINT(found));
            }
        }
    }
}

SOUK_TEST("a card is found behind other numbers of the same text")
{
    SOUK_CHECK_TEXT(souk_pan_find(SOUK_TEXT("20261126 4111 1111 1111 1111 0027")),
                    "4111 1111 1111 1111");
    SOUK_CHECK_TEXT(souk_pan_find(SOUK_TEXT("4111111111111112 4111111111111111")),
                    "4111111111111111");
    SOUK_CHECK_TEXT(souk_pan_find(SOUK_TEXT("1234 4111-1111-1111-1111")), "4111-1111-1111-1111");
}

SOUK_TEST("other long numbers are no cards")
{
    static const char *const others[] = {
        "",
        "4111111111111112",     /* Luhn */
        "1111111111111117",     /* no issuer */
        "41111111111111111111", /* 20 digits */
        "411111111116",         /* 12 */
        "A4111111111111111",    /* part of a word */
        "4111111111111111B",
        "4111111111111111.5", /* part of a number */
        "3.4111111111111111",
        "4111 1111-1111 1111",     /* two marks */
        "41 11 11 11 11 11 11 11", /* groups of no card */
        "411111 1111111111",
        "4111  1111  1111  1111",
        "\xc3\xa9"
        "4111111111111111",
        "1795689600000",        /* a moment in milliseconds */
        "20261126-000123-4567", /* an order */
        "+49 30 1234 5678 9012",
        "356938035643809", /* an IMEI: 15 digits, Luhn, but 35 has no card of 15 */
        "4006381333931",   /* EAN-13: no Luhn */
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        souk_text found = souk_pan_find(souk_text_of(others[i]));
        if (found.at)
            test_fail(test, __FILE__, __LINE__, "'%s'", others[i]);
    }
}

/* By hand: the sum of the digits of each second one doubled. */
static bool dumb_luhn(const char *digits)
{
    int sum = 0;
    size_t bytes = strlen(digits);
    for (size_t i = 0; i < bytes; i++) {
        int digit = digits[i] - '0';
        if ((bytes - i) % 2 == 0)
            digit *= 2;
        sum += digit / 10 + digit % 10;
    }
    return sum % 10 == 0;
}

/* Of so many random numbers with this beginning and length: how many of 10,000 are taken for a card. */
static unsigned chance(souk_test *test, const char *begin, size_t digits, size_t count)
{
    size_t taken = 0;
    for (size_t i = 0; i < count; i++) {
        char text[32];
        size_t bytes = (size_t)snprintf(text, sizeof text, "%s", begin);
        while (bytes < digits)
            text[bytes++] = (char)('0' + test_random(test, 10));
        text[bytes] = '\0';
        bool found = souk_pan_find((souk_text){text, bytes}).at != NULL;
        SOUK_CHECK(!found || dumb_luhn(text));
        taken += found;
    }
    return (unsigned)(taken * 10000 / count);
}

SOUK_TEST("chance makes few cards of random numbers, and none of order numbers with their year")
{
    enum { COUNT = 100000 };
    static const struct {
        const char *begin;
        size_t digits;
        unsigned least, most; /* of 10,000 */
    } rows[] = {
        {"", 13, 80, 120},    {"", 14, 20, 60},   {"", 15, 10, 30},   {"", 16, 200, 320},
        {"", 17, 0, 40},      {"", 18, 0, 50},    {"", 19, 100, 220}, {"2026", 16, 0, 0},
        {"2026", 13, 0, 0},   {"1795", 13, 0, 0}, {"A", 16, 0, 0},    {"9", 13, 0, 0},
        {"69", 13, 0, 0},     /* EAN-13 of China */
        {"4", 13, 900, 1100}, /* and of Germany: one in ten keeps Luhn */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned got = chance(test, rows[i].begin, rows[i].digits, COUNT);
        if (got < rows[i].least || got > rows[i].most)
            test_fail(test, __FILE__, __LINE__, "%s, %d digits: %u in 10,000", rows[i].begin,
                      (int)rows[i].digits, got);
    }
}

SOUK_TEST(
    "of 20,000 random texts the card that was put in is found, and with one wrong digit it is not")
{
    static const char filler[] = "abc XYZ,.;:/()#\n";
    for (int round = 0; round < 20000; round++) {
        char text[128];
        const char *card = cards[test_random(test, CARDS)];
        size_t bytes = test_random(test, 30), digits = strlen(card);
        for (size_t i = 0; i < bytes; i++)
            text[i] = filler[test_random(test, sizeof filler - 1)];
        text[bytes++] = ' ';
        size_t at = bytes;
        memcpy(text + bytes, card, digits);
        bytes += digits;
        for (size_t more = test_random(test, 30), i = 0; i <= more; i++)
            text[bytes++] = i == 0 ? ' ' : filler[test_random(test, sizeof filler - 1)];
        souk_text found = souk_pan_find((souk_text){text, bytes});
        SOUK_CHECK(found.at == text + at && found.bytes == digits);
        size_t wrong = at + test_random(test, digits);
        text[wrong] = (char)('0' + (text[wrong] - '0' + 1 + (int)test_random(test, 9)) % 10);
        SOUK_CHECK(souk_pan_find((souk_text){text, bytes}).at == NULL);
    }
}
