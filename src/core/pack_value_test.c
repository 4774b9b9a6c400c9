/* pack_value_test.c - pack_value.h against the C library's calendar and printf. */
#include "core/pack_value.h"
#include "test/test.h"

#include <stdio.h>
#include <time.h>

static void print_stamp(uint64_t ms, char to[40])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm at;
    char text[32];
    gmtime_r(&seconds, &at);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &at);
    snprintf(to, 40, "%s.%03uZ", text, (unsigned)(ms % 1000));
}

SOUK_TEST("every day from 1970 to 2108 is read and printed as the C library does")
{
    for (uint64_t day = 0; day < 50769; day++) {
        uint64_t ms = day * 86400000 + test_random(test, 86400000), back;
        char text[40], again[SOUK_PACK_STAMP_BYTES];
        print_stamp(ms, text);
        SOUK_CHECK(souk_pack_stamp(text, &back) && back == ms);
        souk_pack_stamp_print(ms, again);
        SOUK_CHECK(!memcmp(text, again, sizeof again));
    }
}

SOUK_TEST("any number of 42 bits prints as 24 characters of a time")
{
    for (int i = 0; i < 20000; i++) {
        uint64_t ms = test_random(test, UINT64_C(1) << SOUK_PACK_TIME_BITS);
        char text[40], again[SOUK_PACK_STAMP_BYTES];
        print_stamp(ms, text);
        souk_pack_stamp_print(ms, again);
        SOUK_CHECK(!memcmp(text, again, sizeof again));
    }
}

SOUK_TEST("dates that do not exist and forms of another kind are no times")
{
    static const char *const wrong[] = {
        "2026-02-29T00:00:00.000Z", "2026-13-01T00:00:00.000Z", "2026-00-01T00:00:00.000Z",
        "2026-01-00T00:00:00.000Z", "2026-04-31T00:00:00.000Z", "2026-01-01T24:00:00.000Z",
        "2026-01-01T00:60:00.000Z", "2026-01-01T00:00:60.000Z", "2026-01-01 00:00:00.000Z",
        "1969-12-31T23:59:59.999Z", "2109-01-01T00:00:00.000Z", "2100-02-29T00:00:00.000Z",
        "2026-01-01T00:00:00,000Z", "2o26-01-01T00:00:00.000Z", "2026-01-01T00:00:00.0 0Z",
    };
    uint64_t ms;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        SOUK_CHECK(!souk_pack_stamp(wrong[i], &ms));
    SOUK_CHECK(souk_pack_stamp("2024-02-29T23:59:59.999Z", &ms) && ms == 1709251199999);
}

SOUK_TEST("changing one character of a time changes the number or is refused")
{
    for (int i = 0; i < 20000; i++) {
        char text[] = "2026-01-02T03:04:05.678Z", again[SOUK_PACK_STAMP_BYTES];
        size_t at = test_random(test, SOUK_PACK_STAMP_BYTES - 1);
        text[at] = (char)test_random(test, 256);
        uint64_t ms;
        if (!souk_pack_stamp(text, &ms))
            continue;
        souk_pack_stamp_print(ms, again);
        SOUK_CHECK(!memcmp(text, again, sizeof again));
    }
}

SOUK_TEST("eight hexadecimal digits are read in one case alone")
{
    for (int i = 0; i < 50000; i++) {
        char text[9], upper[9];
        uint32_t number = (uint32_t)test_random(test, UINT64_C(1) << 32), back;
        snprintf(text, sizeof text, "%08x", number);
        snprintf(upper, sizeof upper, "%08X", number);
        SOUK_CHECK(souk_pack_hex8(souk_get_u64(text), SOUK_HEX_LOWER, &back) && back == number);
        SOUK_CHECK(souk_pack_hex8(souk_get_u64(upper), SOUK_HEX_UPPER, &back) && back == number);
        SOUK_CHECK(souk_pack_hex8_print(number, SOUK_HEX_LOWER) == souk_get_u64(text));
        SOUK_CHECK(souk_pack_hex8_print(number, SOUK_HEX_UPPER) == souk_get_u64(upper));
        bool digits = !memcmp(text, upper, 8);
        SOUK_CHECK(souk_pack_hex8(souk_get_u64(upper), SOUK_HEX_LOWER, &back) == digits);

        text[test_random(test, 8)] = (char)test_random(test, 256);
        bool is_hex = strspn(text, "0123456789abcdef") == 8;
        SOUK_CHECK(souk_pack_hex8(souk_get_u64(text), SOUK_HEX_LOWER, &back) == is_hex);
    }
}

SOUK_TEST("a UUID and milliseconds print as they were read")
{
    uint64_t halves[2], ms;
    char text[SOUK_PACK_UUID_BYTES];
    const char *lower = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
    SOUK_CHECK(souk_pack_uuid(lower, SOUK_HEX_LOWER, halves));
    SOUK_CHECK(halves[0] == UINT64_C(0x0f1e2d3c4b5a6978) &&
               halves[1] == UINT64_C(0x8796a5b4c3d2e1f0));
    souk_pack_uuid_print(halves, SOUK_HEX_LOWER, text);
    SOUK_CHECK(!memcmp(text, lower, sizeof text));
    SOUK_CHECK(!souk_pack_uuid(lower, SOUK_HEX_UPPER, halves));
    SOUK_CHECK(!souk_pack_uuid("0f1e2d3c-4b5a-6978-8796_a5b4c3d2e1f0", SOUK_HEX_LOWER, halves));

    SOUK_CHECK(souk_pack_milli("1767323045678", &ms) && ms == 1767323045678);
    souk_pack_milli_print(ms, text);
    SOUK_CHECK(!memcmp(text, "1767323045678", SOUK_PACK_MILLI_BYTES));
    SOUK_CHECK(!souk_pack_milli("0767323045678", &ms));
    SOUK_CHECK(!souk_pack_milli("9767323045678", &ms));
    SOUK_CHECK(!souk_pack_milli("17673230456x8", &ms));
}
