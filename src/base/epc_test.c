/* epc_test.c - tags against the vectors of the standard, and against a dumb encoder. */
#include "base/epc.h"
#include "test/test.h"

#include <stdio.h>

static souk_text written(const souk_epc *epc, souk_epc_form form)
{
    static char out[6][SOUK_EPC_BYTES];
    size_t bytes = souk_epc_write(epc, form, out[form]);
    return (souk_text){out[form], bytes};
}

SOUK_TEST("each partition of an SGTIN-96 gives its company prefix, its item and its GTIN")
{
    static const struct {
        const char *hex, *pure, *gtin;
    } rows[] = {
        {"306039324330820000001A85", "061414100000.8", "80614141000001"},
        {"30642DC1CF5A144000001A85", "06141410000.81", "80614141000018"},
        {"3068249B0C48CB0000001A85", "0614141000.812", "80614141000124"},
        {"306C3A91AD47EEC000001A85", "061414100.8123", "80614141001237"},
        {"30702EDAF14F548000001A85", "06141410.81234", "80614141012349"},
        {"3074257BF7194E4000001A85", "0614141.812345", "80614141123458"},
        {"30783BF99EFD0E8000001A85", "061414.8123450", "80614141234505"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        souk_epc epc;
        char uri[SOUK_EPC_BYTES];
        SOUK_MUST(souk_epc_read(souk_text_of(rows[i].hex), &epc, NULL));
        SOUK_CHECK(epc.scheme == SOUK_EPC_SGTIN && epc.filter == 3 && epc.serial == 6789);
        SOUK_CHECK_TEXT(written(&epc, SOUK_EPC_KEY), rows[i].gtin);
        snprintf(uri, sizeof uri, "urn:epc:id:sgtin:%s.6789", rows[i].pure);
        SOUK_CHECK_TEXT(written(&epc, SOUK_EPC_PURE), uri);
        snprintf(uri, sizeof uri, "urn:epc:tag:sgtin-96:3.%s.6789", rows[i].pure);
        SOUK_CHECK_TEXT(written(&epc, SOUK_EPC_TAG), uri);
        snprintf(uri, sizeof uri, "urn:epc:idpat:sgtin:%s.*", rows[i].pure);
        SOUK_CHECK_TEXT(written(&epc, SOUK_EPC_CLASS), uri);
        snprintf(uri, sizeof uri, "https://id.gs1.org/01/%s/21/6789", rows[i].gtin);
        SOUK_CHECK_TEXT(written(&epc, SOUK_EPC_LINK), uri);
        SOUK_CHECK_TEXT(written(&epc, SOUK_EPC_SERIAL), "6789");
    }
}

SOUK_TEST("a tag of a real shop is the product whose GTIN stands on its receipt")
{
    souk_epc epc;
    SOUK_MUST(souk_epc_read(SOUK_TEXT("30395dfa835709c0000a28d3"), &epc, NULL));
    SOUK_CHECK(epc.filter == 1 && epc.prefix == 358378 && epc.item == 875559);
    SOUK_CHECK_TEXT(written(&epc, SOUK_EPC_KEY), "03583788755593");
    SOUK_CHECK_TEXT(written(&epc, SOUK_EPC_SERIAL), "665811");
}

SOUK_TEST("boxes and places have keys of 18 and 13 digits")
{
    souk_epc epc;
    SOUK_MUST(souk_epc_read(SOUK_TEXT("3174257BF4499602D2000000"), &epc, NULL));
    SOUK_CHECK(epc.scheme == SOUK_EPC_SSCC);
    SOUK_CHECK_TEXT(written(&epc, SOUK_EPC_TAG), "urn:epc:tag:sscc-96:3.0614141.1234567890");
    SOUK_CHECK_TEXT(written(&epc, SOUK_EPC_KEY), "106141412345678908");
    SOUK_CHECK_TEXT(written(&epc, SOUK_EPC_LINK), "https://id.gs1.org/00/106141412345678908");
    SOUK_CHECK_TEXT(written(&epc, SOUK_EPC_SERIAL), "");
    SOUK_CHECK_TEXT(written(&epc, SOUK_EPC_CLASS), "");
    SOUK_MUST(souk_epc_read(SOUK_TEXT("3274257BF46072000000162E"), &epc, NULL));
    SOUK_CHECK(epc.scheme == SOUK_EPC_SGLN && epc.serial == 5678);
    SOUK_CHECK_TEXT(written(&epc, SOUK_EPC_PURE), "urn:epc:id:sgln:0614141.12345.5678");
    SOUK_CHECK_TEXT(written(&epc, SOUK_EPC_KEY), "0614141123452");
    SOUK_CHECK_TEXT(written(&epc, SOUK_EPC_LINK), "https://id.gs1.org/414/0614141123452/254/5678");
    SOUK_MUST(souk_epc_read(SOUK_TEXT("3274257BF460720000000000"), &epc, NULL));
    SOUK_CHECK_TEXT(written(&epc, SOUK_EPC_PURE), "urn:epc:id:sgln:0614141.12345.0");
    SOUK_CHECK_TEXT(written(&epc, SOUK_EPC_LINK), "https://id.gs1.org/414/0614141123452");
    SOUK_CHECK_TEXT(written(&epc, SOUK_EPC_SERIAL), "");
}

SOUK_TEST("what is no EPC of 96 bits is refused with its reason, and changes nothing")
{
    static const struct {
        const char *hex, *words;
        souk_err err;
    } bad[] = {
        {"", "24 hexadecimal", SOUK_ESYNTAX},
        {"3074257BF7194E4000001A8", "24 hexadecimal", SOUK_ESYNTAX},
        {"3074257BF7194E4000001A855", "24 hexadecimal", SOUK_ESYNTAX},
        {"3074257BF7194E4000001A8G", "24 hexadecimal", SOUK_ESYNTAX},
        {"3674257BF6B7A659B2C2BF10", "header 0x36", SOUK_EINVAL}, /* the head of an SGTIN-198 */
        {"E28011606000020812345678", "header 0xe2", SOUK_EINVAL}, /* a TID */
        {"000000000000000000000000", "header 0x00", SOUK_EINVAL},
        {"307C257BF7194E4000001A85", "partition", SOUK_EINVAL},
        {"3077FFFFFF194E4000001A85", "more digits", SOUK_EINVAL}, /* a prefix of 2^24 - 1 */
        {"3074257BF7FFFFC000001A85", "more digits", SOUK_EINVAL}, /* an item of 2^20 - 1 */
        {"3174257BF4499602D2000001", "last 24 bits", SOUK_EINVAL},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        souk_epc epc = {.serial = 42}, before = epc;
        souk_diag diag = {.words = ""};
        SOUK_CHECK_ERR(souk_epc_read(souk_text_of(bad[i].hex), &epc, &diag), bad[i].err);
        SOUK_CHECK(strstr(diag.words, bad[i].words));
        SOUK_CHECK(!memcmp(&epc, &before, sizeof epc));
    }
}

SOUK_TEST("check digits are those of printed bar codes")
{
    SOUK_CHECK(souk_gs1_check_digit(SOUK_TEXT("400638133393")) == '1'); /* EAN-13 */
    SOUK_CHECK(souk_gs1_check_digit(SOUK_TEXT("9638507")) == '4');      /* EAN-8 */
    SOUK_CHECK(souk_gs1_check_digit(SOUK_TEXT("03600029145")) == '2');  /* UPC-A */
    SOUK_CHECK(souk_gs1_check_digit(SOUK_TEXT("")) == '0');
    SOUK_CHECK(souk_gs1_check_digit(SOUK_TEXT("12x4")) == 0);
}

/* ---- a dumb encoder ------------------------------------------------------------------------------ */

/* A number as so many characters '0' and '1'. */
static void put_bits(char *to, size_t *at, uint64_t value, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        to[(*at)++] = (char)('0' + (value >> (count - 1 - i) & 1));
}

static void encode(const souk_epc *epc, char hex[25])
{
    static const unsigned prefix_bits[] = {40, 37, 34, 30, 27, 24, 20}, split[] = {44, 58, 41};
    static const unsigned headers[] = {0x30, 0x31, 0x32};
    char bits[97] = "";
    size_t at = 0;
    unsigned partition = 12u - epc->prefix_digits;
    put_bits(bits, &at, headers[epc->scheme], 8);
    put_bits(bits, &at, epc->filter, 3);
    put_bits(bits, &at, partition, 3);
    put_bits(bits, &at, epc->prefix, prefix_bits[partition]);
    put_bits(bits, &at, epc->item, split[epc->scheme] - prefix_bits[partition]);
    put_bits(bits, &at, epc->serial, (unsigned)(96 - at));
    for (int i = 0; i < 24; i++) {
        unsigned nibble = 0;
        for (int k = 0; k < 4; k++)
            nibble = nibble * 2 + (unsigned)(bits[4 * i + k] - '0');
        hex[i] = "0123456789ABCDEF"[nibble];
    }
    hex[24] = '\0';
}

static uint64_t below_power(souk_test *test, unsigned digits)
{
    uint64_t power = 1;
    for (unsigned i = 0; i < digits; i++)
        power *= 10;
    return test_random(test, 4) ? test_random(test, power) : power - 1;
}

static souk_epc any_epc(souk_test *test)
{
    static const unsigned digits[] = {13, 17, 12};
    souk_epc epc = {.scheme = (souk_epc_scheme)test_random(test, 3),
                    .filter = (uint8_t)test_random(test, 8),
                    .prefix_digits = (uint8_t)(6 + test_random(test, 7))};
    epc.item_digits = (uint8_t)(digits[epc.scheme] - epc.prefix_digits);
    epc.prefix = below_power(test, epc.prefix_digits);
    epc.item = below_power(test, epc.item_digits);
    if (epc.scheme != SOUK_EPC_SSCC)
        epc.serial = test_random(test, (uint64_t)1 << (epc.scheme == SOUK_EPC_SGTIN ? 38 : 41));
    return epc;
}

SOUK_TEST("100,000 random tags come back as they were written, and a planted bit is noticed")
{
    size_t noticed = 0;
    for (int round = 0; round < 100000; round++) {
        souk_epc epc = any_epc(test), got = {.serial = 0};
        char hex[25], flipped[25];
        encode(&epc, hex);
        SOUK_MUST(souk_epc_read(souk_text_of(hex), &got, NULL));
        SOUK_CHECK(!memcmp(&epc, &got, sizeof epc));
        souk_text key = written(&got, SOUK_EPC_KEY);
        SOUK_CHECK(key.bytes == (epc.scheme == SOUK_EPC_SGTIN  ? 14u
                                 : epc.scheme == SOUK_EPC_SSCC ? 18u
                                                               : 13u));
        SOUK_CHECK(souk_gs1_check_digit((souk_text){key.at, key.bytes - 1}) ==
                   key.at[key.bytes - 1]);
        memcpy(flipped, hex, sizeof flipped);
        size_t place = test_random(test, 24);
        flipped[place] = flipped[place] == 'F' ? 'E' : 'F';
        noticed += souk_epc_read(souk_text_of(flipped), &got, NULL) != SOUK_OK ||
                   memcmp(&epc, &got, sizeof epc) != 0;
    }
    SOUK_CHECK(noticed == 100000);
}
