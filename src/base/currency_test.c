/* currency_test.c - every code of the table is found, in any case, and no other three letters are. */
#include "test/test.h"

#include "base/currency.h"

static bool is_in_table(const char *code)
{
    for (size_t n = 0; souk_currency_at(n); n++)
        if (!strcmp(souk_currency_at(n), code))
            return true;
    return false;
}

SOUK_TEST("of all three letters those of ISO 4217 are currencies, in capitals or not")
{
    char word[4] = "", small[4] = "", code[4];
    size_t found = 0, count = 0;
    for (word[0] = 'A'; word[0] <= 'Z'; word[0]++)
        for (word[1] = 'A'; word[1] <= 'Z'; word[1]++)
            for (word[2] = 'A'; word[2] <= 'Z'; word[2]++) {
                for (size_t i = 0; i < 3; i++)
                    small[i] = (char)(word[i] | 0x20);
                bool known = is_in_table(word);
                found += known;
                memcpy(code, "old", 4);
                SOUK_CHECK_ERR(souk_currency_read(souk_text_of(small), code),
                               known ? SOUK_OK : SOUK_ENOENT);
                SOUK_CHECK(!strcmp(code, known ? word : "old"));
                SOUK_CHECK_ERR(souk_currency_read(souk_text_of(word), code),
                               known ? SOUK_OK : SOUK_ENOENT);
            }
    while (souk_currency_at(count))
        count++;
    SOUK_CHECK(found == count && count > 170 && count <= SOUK_CURRENCIES_MOST);
}

SOUK_TEST("the currencies that people pay in are known, and words that look like them are not")
{
    static const char *const known[] = {"CNY", "EUR", "GBP", "HKD", "INR", "JPY",
                                        "KRW", "KWD", "TWD", "USD", "XOF", "ZAR"};
    static const char *const unknown[] = {"AAA", "BTC", "EUS", "QQQ", "RMB", "ZZZ"};
    static const char *const no_code[] = {"",       "E",  "EU", "EURO", "E1R", "\xe2\x82\xac",
                                          "EU\xff", "[[["};
    char code[4];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        SOUK_MUST(souk_currency_read(souk_text_of(known[i]), code));
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        SOUK_CHECK_ERR(souk_currency_read(souk_text_of(unknown[i]), code), SOUK_ENOENT);
    for (size_t i = 0; i < sizeof no_code / sizeof *no_code; i++)
        SOUK_CHECK_ERR(souk_currency_read(souk_text_of(no_code[i]), code), SOUK_EINVAL);
}

SOUK_TEST("the numbers of bar codes are those of the currencies")
{
    static const char *const rows[][2] = {{"978", "EUR"}, {"156", "CNY"}, {"344", "HKD"},
                                          {"840", "USD"}, {"008", "ALL"}, {"532", "XCG"},
                                          {"826", "GBP"}, {"392", "JPY"}, {"999", "XXX"}};
    char code[4] = "";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        SOUK_MUST(souk_currency_of_number(souk_text_of(rows[i][0]), code));
        SOUK_CHECK(!strcmp(code, rows[i][1]));
    }
    SOUK_CHECK_ERR(souk_currency_of_number(SOUK_TEXT("000"), code), SOUK_ENOENT);
    SOUK_CHECK_ERR(souk_currency_of_number(SOUK_TEXT("97"), code), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_currency_of_number(SOUK_TEXT("9x8"), code), SOUK_EINVAL);
    SOUK_CHECK(!strcmp(code, "XXX"));
}

SOUK_TEST("a currency tells the places of its minor unit")
{
    SOUK_CHECK(souk_currency_exponent("EUR") == 2 && souk_currency_exponent("CNY") == 2);
    SOUK_CHECK(souk_currency_exponent("JPY") == 0 && souk_currency_exponent("KWD") == 3);
    SOUK_CHECK(souk_currency_exponent("CLF") == 4 && souk_currency_exponent("BIF") == 0);
}
