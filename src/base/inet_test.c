/* inet_test.c - every form of an address that readers quarrel about; the classes against a dumb model. */
#include "test/test.h"

#include "base/inet.h"

#include <stdio.h>

static const char *why_of(souk_test *test, const char *text)
{
    souk_inet inet;
    SOUK_MUST(souk_inet_read(souk_text_of(text), &inet));
    return souk_inet_reserved(&inet);
}

SOUK_TEST("addresses that are somebody's own are told apart from those of everybody")
{
    static const char *const theirs[] = {"127.0.0.1",
                                         "127.255.255.255",
                                         "0.0.0.0",
                                         "10.0.0.1",
                                         "172.16.0.1",
                                         "172.31.255.255",
                                         "192.168.1.1",
                                         "169.254.169.254",
                                         "100.64.0.1",
                                         "100.100.100.200",
                                         "168.63.129.16",
                                         "192.0.0.192",
                                         "224.0.0.1",
                                         "255.255.255.255",
                                         "198.19.0.1",
                                         "::1",
                                         "::",
                                         "::ffff:127.0.0.1",
                                         "::ffff:10.0.0.1",
                                         "::127.0.0.1",
                                         "fe80::1",
                                         "fec0::1",
                                         "fc00::1",
                                         "fd00:ec2::254",
                                         "ff02::1",
                                         "64:ff9b::7f00:1",
                                         "64:ff9b::a00:1",
                                         "64:ff9b:1::1",
                                         "2002:7f00:1::",
                                         "2001::1",
                                         "2001:db8::1",
                                         "3fff::1",
                                         "100::1",
                                         "4000::1",
                                         "5f00::1"};
    static const char *const everybodys[] = {
        "1.1.1.1",          "8.8.8.8",         "172.15.255.255",    "172.32.0.0",
        "100.63.255.255",   "100.128.0.0",     "168.63.129.15",     "168.63.129.17",
        "223.255.255.255",  "192.0.1.0",       "169.253.255.255",   "::ffff:8.8.8.8",
        "64:ff9b::808:808", "2606:4700::1111", "2a00:1450:4001::1", "2001:200::1",
        "3ffe::1"};
    for (size_t i = 0; i < sizeof theirs / sizeof *theirs; i++)
        if (!why_of(test, theirs[i]))
            test_fail(test, __FILE__, __LINE__, "%s counts as everybody's", theirs[i]);
    for (size_t i = 0; i < sizeof everybodys / sizeof *everybodys; i++)
        if (why_of(test, everybodys[i]))
            test_fail(test, __FILE__, __LINE__, "%s counts as %s", everybodys[i],
                      why_of(test, everybodys[i]));
}

SOUK_TEST("what readers of addresses quarrel about is no address")
{
    static const char *const none[] = {"",
                                       "2130706433",
                                       "0x7f000001",
                                       "0177.0.0.1",
                                       "127.1",
                                       "127.0.1",
                                       "127.0.0.01",
                                       "127.0.0.1.",
                                       "1.2.3.256",
                                       "1.2.3.4.5",
                                       " 1.2.3.4",
                                       "1.2.3.4 ",
                                       "localhost",
                                       "[::1]",
                                       "fe80::1%eth0",
                                       "::1::",
                                       ":::",
                                       "12345::",
                                       "1.2.3",
                                       "+1.2.3.4",
                                       "1.2.3.-4",
                                       "00000000000000000000000000000000000000000000001::1"};
    souk_inet inet;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        SOUK_CHECK_ERR(souk_inet_read(souk_text_of(none[i]), &inet), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_inet_read((souk_text){"1.2.3.4\0", 8}, &inet), SOUK_EINVAL);
}

/* The registry once more, as plain comparisons of one number. */
static bool model_v4(uint32_t a)
{
    return a < 0x01000000 || (a >= 0x0a000000 && a < 0x0b000000) ||
           (a >= 0x64400000 && a < 0x64800000) || (a >= 0x7f000000 && a < 0x80000000) ||
           a == 0xa83f8110 || (a >= 0xa9fe0000 && a < 0xa9ff0000) ||
           (a >= 0xac100000 && a < 0xac200000) || (a >= 0xc0000000 && a < 0xc0000100) ||
           (a >= 0xc0000200 && a < 0xc0000300) || (a >= 0xc0586300 && a < 0xc0586400) ||
           (a >= 0xc0a80000 && a < 0xc0a90000) || (a >= 0xc6120000 && a < 0xc6140000) ||
           (a >= 0xc6336400 && a < 0xc6336500) || (a >= 0xcb007100 && a < 0xcb007200) ||
           a >= 0xe0000000;
}

static bool model(const souk_inet *inet)
{
    const uint8_t *b = inet->bytes;
    uint32_t first = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    uint32_t last = (uint32_t)b[12] << 24 | (uint32_t)b[13] << 16 | (uint32_t)b[14] << 8 | b[15];
    bool zero_between = true;
    for (int i = 4; i < 12; i++)
        zero_between &= b[i] == 0;
    if (souk_inet_is_v4(inet) || (first == 0x0064ff9b && zero_between))
        return model_v4(last);
    if (first < 0x20000000 || first >= 0x40000000)
        return true;
    return first >> 9 == 0x20010000 >> 9 || first == 0x20010db8 || first >> 16 == 0x2002 ||
           first >> 12 == 0x3fff0;
}

/* Near the edges of ranges, where mistakes are. */
static souk_inet random_inet(souk_test *test)
{
    static const uint32_t edges[] = {
        0x01000000, 0x0a000000, 0x0b000000, 0x64400000, 0x64800000, 0x7f000000, 0x80000000,
        0xa83f8110, 0xa9fe0000, 0xa9ff0000, 0xac100000, 0xac200000, 0xc0000000, 0xc0000100,
        0xc0000200, 0xc0000300, 0xc0586300, 0xc0586400, 0xc0a80000, 0xc0a90000, 0xc6120000,
        0xc6140000, 0xc6336400, 0xc6336500, 0xcb007100, 0xcb007200, 0xe0000000, 0xf0000000,
        0x20000000, 0x40000000, 0x20010000, 0x20010200, 0x20010db8, 0x20020000, 0x3fff0000,
        0x3fff1000, 0x0064ff9b, 0xfc000000, 0xfe800000, 0xff000000, 0};
    souk_inet inet = {{0}};
    uint32_t number = edges[test_random(test, sizeof edges / sizeof *edges)];
    number += (uint32_t)test_random(test, 5) - 2;
    uint8_t four[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                       (uint8_t)number};
    if (test_random(test, 2))
        return souk_inet_of_v4(four);
    for (size_t i = 4; i < 16; i++)
        inet.bytes[i] = test_random(test, 2) ? (uint8_t)test_random(test, 256) : 0;
    memcpy(inet.bytes, four, 4);
    if (test_random(test, 4) == 0) /* translated */
        inet = (souk_inet){{0, 0x64, 0xff, 0x9b, [12] = four[0], four[1], four[2], four[3]}};
    return inet;
}

SOUK_TEST("40,000 addresses at the edges of ranges are what a dumb model says, and read as they "
          "were written")
{
    unsigned differ = 0, reserved = 0;
    for (unsigned i = 0; i < 40000; i++) {
        souk_inet inet = random_inet(test), again;
        char text[SOUK_INET_BYTES];
        size_t bytes = souk_inet_write(&inet, text);
        SOUK_MUST(souk_inet_read((souk_text){text, bytes}, &again));
        SOUK_CHECK(!memcmp(&inet, &again, sizeof inet));
        bool theirs = souk_inet_reserved(&inet) != NULL;
        if (theirs != model(&inet))
            test_fail(test, __FILE__, __LINE__, "%s: the model says otherwise", text);
        reserved += theirs;
        inet.bytes[15] ^= 1; /* planted: the address beside it */
        differ += model(&inet) != theirs;
    }
    SOUK_CHECK(differ > 0 && reserved > 4000 && reserved < 36000);
}

SOUK_TEST("ranges are read with words where they are wrong, and hold what begins like them")
{
    souk_inet_range ranges[4];
    souk_diag diag = {.words = ""};
    souk_inet inet;
    size_t count;
    SOUK_MUST(souk_inet_ranges_read(SOUK_TEXT(" 127.0.0.0/8,::1\t10.1.2.3 fd00::/8,"), ranges, 4,
                                    &count, NULL));
    SOUK_CHECK(count == 4);
    static const char *const within[] = {"127.9.9.9", "::1", "10.1.2.3", "fdff::9",
                                         "::ffff:127.0.0.1"};
    static const char *const without[] = {"126.0.0.1", "::2", "10.1.2.4", "fc00::1", "8.8.8.8"};
    for (size_t i = 0; i < 5; i++) {
        SOUK_MUST(souk_inet_read(souk_text_of(within[i]), &inet));
        SOUK_CHECK(souk_inet_within(ranges, count, &inet));
        SOUK_MUST(souk_inet_read(souk_text_of(without[i]), &inet));
        SOUK_CHECK(!souk_inet_within(ranges, count, &inet));
    }
    SOUK_MUST(souk_inet_ranges_read(SOUK_TEXT("0.0.0.0/0"), ranges, 4, &count, NULL));
    SOUK_MUST(souk_inet_read(SOUK_TEXT("8.8.8.8"), &inet));
    SOUK_CHECK(count == 1 && souk_inet_within(ranges, count, &inet));
    SOUK_MUST(souk_inet_read(SOUK_TEXT("2a00::1"), &inet));
    SOUK_CHECK(!souk_inet_within(ranges, count, &inet)); /* IPv4 only */
    SOUK_MUST(souk_inet_ranges_read(SOUK_TEXT(""), ranges, 4, &count, NULL));
    SOUK_CHECK(count == 0);
    static const char *const wrong[][2] = {{"10.0.0.0/33", "0 to 32"},  {"fd00::/129", "0 to 128"},
                                           {"10.0.0.1/8", "is not 0"},  {"10/8", "no address"},
                                           {"10.0.0.0/", "0 to 32"},    {"localhost", "no address"},
                                           {"127.0.0.0/8/8", "0 to 32"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        diag.words[0] = '\0';
        SOUK_CHECK_ERR(souk_inet_ranges_read(souk_text_of(wrong[i][0]), ranges, 4, &count, &diag),
                       SOUK_EINVAL);
        SOUK_CHECK(strstr(diag.words, wrong[i][1]) != NULL);
    }
    SOUK_CHECK_ERR(
        souk_inet_ranges_read(SOUK_TEXT("::1 ::2 ::3 ::4 ::5"), ranges, 4, &count, &diag),
        SOUK_ETOOBIG);
}
