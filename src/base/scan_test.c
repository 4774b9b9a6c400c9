/* scan_test.c - what scanners of several makers send, as one answer. */
#include "base/scan.h"

#include "base/epc.h"
#include "base/time.h"
#include "test/test.h"

#include <stdio.h>

static int64_t today(void)
{
    return souk_date_day((souk_date){2026, 11, 26});
}

static const souk_measures *scales(souk_test *test)
{
    static souk_measures measures;
    static const char *const lines[] = {"21IIIIIVVVVVC weight g", "2[2-4]IIIIIKVVVVC price 0.01",
                                        "2dIIIIIWWWWWPPPPPC weight g price 0.01",
                                        "28IIIIIVVVVVC count"};
    measures.count = 0;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        SOUK_MUST(souk_measure_add(&measures, souk_text_of(lines[i]), NULL));
    return &measures;
}

/* "gtin:04006381333931 sku:4006381333931" */
static const char *codes(const souk_scan *scan)
{
    static const char *const kinds[] = {"gtin", "item", "sku"};
    static char out[1024];
    size_t bytes = 0;
    for (size_t i = 0; i < scan->code_count; i++)
        bytes += (size_t)snprintf(out + bytes, sizeof out - bytes, "%s%s:%s", i ? " " : "",
                                  kinds[scan->codes[i].kind], scan->codes[i].text);
    return out;
}

SOUK_TEST("whatever the scanner sends, the codes to look for are the same")
{
    static const char *const rows[][2] = {
        {"4006381333931", "gtin:04006381333931 sku:4006381333931"},
        {"]E04006381333931\r\n", "gtin:04006381333931 sku:4006381333931"},
        {"]E3400638133393112345", "gtin:04006381333931 sku:4006381333931"},
        {"]E496385074", "gtin:00000096385074 sku:96385074"},
        {"96385074", "gtin:00000096385074 sku:96385074"},
        {"036000291452", "gtin:00036000291452 sku:036000291452"},
        {"]E00036000291452", "gtin:00036000291452 sku:0036000291452"},
        {"04252614", "gtin:00042100005264 sku:04252614"},
        {"01234565", "gtin:00000001234565 gtin:00012345000065 sku:01234565"}, /* both */
        {"]I110614141000415", "gtin:10614141000415 sku:10614141000415"},
        {"]C0KAFFEE-500 ", "sku:KAFFEE-500"},
        {" KAFFEE-500\t", "sku:KAFFEE-500"},
        {"12345678", "sku:12345678"}, /* eight digits of the shop's own */
        {"42", "sku:42"},
        {"0109506000134352", "gtin:09506000134352"},
        {"010950600013435210B7", "gtin:09506000134352"},
        {"0109506000134353", "sku:0109506000134353"},
        {"]d20109506000134352", "gtin:09506000134352"},
        {"(01)09506000134352", "gtin:09506000134352"},
        {"(new) bag", "sku:(new) bag"},
        {"https://id.gs1.org/01/09506000134352", "gtin:09506000134352"},
        {"]Q1https://a.b/x/01/9506000134352/10/B7", "gtin:09506000134352"},
        {"(8006)095060001343520102", "gtin:09506000134352"},
        {"\xe5\x92\x96\xe5\x95\xa1-500", "sku:\xe5\x92\x96\xe5\x95\xa1-500"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        souk_scan scan;
        souk_diag diag = {.words = ""};
        if (souk_scan_read(souk_text_of(rows[i][0]), scales(test), today(), &scan, &diag))
            test_fail(test, __FILE__, __LINE__, "%s: %s", rows[i][0], diag.words);
        if (strcmp(codes(&scan), rows[i][1]))
            test_fail(test, __FILE__, __LINE__, "%s: %s", rows[i][0], codes(&scan));
        SOUK_CHECK(!scan.has_measure && !scan.has_price && scan.count == 0);
    }
}

SOUK_TEST("scales and counters tell weight, price and pieces")
{
    souk_scan scan;
    SOUK_MUST(souk_scan_read(SOUK_TEXT("]E02100042012509"), scales(test), today(), &scan, NULL));
    SOUK_CHECK_TEXT(souk_text_of(codes(&scan)), "gtin:02100042000001 item:00042 sku:2100042000001");
    SOUK_CHECK(scan.has_measure && scan.measure.micro == 1250000 && !strcmp(scan.unit, "kg"));
    SOUK_CHECK(!scan.has_price && scan.expiry_day == SOUK_GS1_NO_DAY);

    char code[20] = "23000429287";
    strcat(code, "5");
    code[12] = souk_gs1_check_digit((souk_text){code, 12});
    SOUK_MUST(souk_scan_read(souk_text_of(code), scales(test), today(), &scan, NULL));
    SOUK_CHECK(scan.has_price && scan.price.micro == 28750000 && !scan.has_measure && !scan.unit);

    strcpy(code, "20000420125003125");
    code[17] = souk_gs1_check_digit((souk_text){code, 17});
    SOUK_MUST(souk_scan_read((souk_text){code, 18}, scales(test), today(), &scan, NULL));
    SOUK_CHECK(scan.has_price && scan.has_measure && scan.price.micro == 31250000);
    SOUK_CHECK(!strcmp(scan.codes[0].text, "00042"));

    SOUK_MUST(souk_scan_read(SOUK_TEXT("]C101906141410000153103001250"
                                       "3932978"
                                       "1999\x1d"
                                       "10B7\x1d"
                                       "17261200"),
                             NULL, today(), &scan, NULL));
    SOUK_CHECK_TEXT(souk_text_of(codes(&scan)), "gtin:90614141000015");
    SOUK_CHECK(scan.measure.micro == 1250000 && scan.price.micro == 19990000);
    SOUK_CHECK(!strcmp(scan.currency, "EUR") && !strcmp(scan.batch, "B7") && !scan.serial[0]);
    SOUK_CHECK(scan.expiry_day == souk_date_day((souk_date){2026, 12, 31}));

    SOUK_MUST(souk_scan_read(SOUK_TEXT("(02)09506000134352(37)24"), NULL, today(), &scan, NULL));
    SOUK_CHECK(scan.count == 24 && !strcmp(scan.codes[0].text, "09506000134352"));
    SOUK_MUST(souk_scan_read(SOUK_TEXT("https://a.b/01/09506000134352/21/12345678901234567890?15="
                                       "261101"),
                             NULL, today(), &scan, NULL));
    SOUK_CHECK(!strcmp(scan.serial, "12345678901234567890"));
    SOUK_CHECK(scan.best_before_day == souk_date_day((souk_date){2026, 11, 1}));
}

SOUK_TEST("what cannot be sold by is refused with what to do, and never quoted")
{
    static const struct {
        const char *told, *words;
    } bad[] = {
        {"", "nothing in it"},
        {" \r\n", "nothing in it"},
        {"]E0", "nothing in it"},
        {"4006381333934", "the check digit is 4, by the digits before it it should be 1"},
        {"]E496385079", "the check digit is 9"},
        {"]E012345", "8, 12, 13 or 14 digits, this has 5"},
        {"2300042828753", "check digit of the"},
        {"4111111111111111", "payment card"},
        {"4111 1111 1111 1111", "payment card"},
        {"note 378282246310005", "payment card"},
        {"30569309025904", "payment card"},
        {"(10)B7", "(10) needs the item"},
        {"(00)106141412345678908", "names no product"},
        {"]C100106141412345678908", "names no product"},
        {"(01)09506000134353", "(01) at character 1: the check digit is wrong"},
        {"https://a.b/", "no key of GS1"},
        {"https://a.b/00/106141412345678908", "names no product"},
        {"1234567890123456789012345678901234567890123456789", "more than 48"},
        {"a\x01"
         "b",
         "control character"},
        {"a\xff"
         "b",
         "no UTF-8"},
        {"(01)09506000134352(30)1(3930)000"
         "5",
         "no currency 000"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        souk_scan scan = {.code_count = 42};
        souk_diag diag = {.words = ""};
        souk_err err =
            souk_scan_read(souk_text_of(bad[i].told), scales(test), today(), &scan, &diag);
        if (err == SOUK_OK || !strstr(diag.words, bad[i].words))
            test_fail(test, __FILE__, __LINE__, "%s: %s", bad[i].told, diag.words);
        SOUK_CHECK(scan.code_count == 42);
    }
    static char long_text[SOUK_GS1_TEXT + 1];
    memset(long_text, '1', sizeof long_text);
    souk_scan scan;
    SOUK_CHECK_ERR(souk_scan_read((souk_text){long_text, sizeof long_text}, NULL, 0, &scan, NULL),
                   SOUK_ETOOBIG);
}

SOUK_TEST(
    "a valid bar code passes though it could be a card: no random EAN-13 or GTIN-14 is refused")
{
    size_t luhn = 0;
    for (int round = 0; round < 20000; round++) {
        char digits[15] = "4";
        size_t bytes = 13 + test_random(test, 2);
        for (size_t i = 1; i + 1 < bytes; i++)
            digits[i] = (char)('0' + test_random(test, 10));
        digits[bytes - 1] = souk_gs1_check_digit((souk_text){digits, bytes - 1});
        souk_scan scan;
        SOUK_MUST(souk_scan_read((souk_text){digits, bytes}, NULL, today(), &scan, NULL));
        SOUK_CHECK(scan.codes[0].kind == SOUK_SCAN_GTIN);
        /* and one with a wrong check digit never does, card or not */
        digits[bytes - 1] = (char)('0' + (digits[bytes - 1] - '0' + 1) % 10);
        souk_diag diag = {.words = ""};
        SOUK_CHECK_ERR(souk_scan_read((souk_text){digits, bytes}, NULL, today(), &scan, &diag),
                       SOUK_EINVAL);
        luhn += strstr(diag.words, "payment card") != NULL;
    }
    SOUK_CHECK(luhn > 500 && luhn < 2000);
}
