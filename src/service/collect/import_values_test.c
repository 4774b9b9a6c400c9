/* import_values_test.c - numbers and times as people write them; random ones beside their plain form. */
#include "service/collect/import_values.h"

#include "test/test.h"

#include <stdio.h>

SOUK_TEST("numbers are read with either mark, groups, signs and currencies around them")
{
    static const struct {
        const char *text;
        char decimal;
        const char *number, *currency; /* number NULL: none */
    } cases[] = {
        {"12.5", '.', "12.5", ""},
        {"12,5", ',', "12.5", ""},
        {"1.234,50", ',', "1234.5", ""},
        {"1,234.50", '.', "1234.5", ""},
        {"1,234,567", '.', "1234567", ""},
        {"1\xC2\xA0"
         "234,5 \xE2\x82\xAC",
         ',', "1234.5", "EUR"},
        {"\xE2\x82\xAC 1'234.50", '.', "1234.5", "EUR"},
        {"15.00 CNY", '.', "15", "CNY"},
        {"usd 3", '.', "3", "USD"},
        {"$3.20", '.', "3.2", ""},
        {"\xEF\xBF\xA5"
         "99",
         '.', "99", ""},
        {"99\xE5\x85\x83", '.', "99", "CNY"},
        {"-7", '.', "-7", ""},
        {"7,5-", ',', "-7.5", ""},
        {"(7.50)", '.', "-7.5", ""},
        {"\xE2\x88\x92"
         "7",
         '.', "-7", ""},
        {"007", '.', "7", ""},
        {"0.50", '.', "0.5", ""},
        {".5", '.', "0.5", ""},
        {"+3", '.', "3", ""},
        {"12.", '.', "12", ""},
        {"0", '.', "0", ""},
        {"1.234", ',', "1234", ""},
        {"1e3", '.', "1000", ""}, /* as JSON has it */
        {"", '.', NULL, ""},
        {"-", '.', NULL, ""},
        {"twelve", '.', NULL, ""},
        {"1,23", '.', NULL, ""}, /* no group of three */
        {"12,34,567", '.', NULL, ""},
        {"1,2345", '.', NULL, ""},
        {"1.5.5", '.', NULL, ""},
        {"5%", '.', NULL, ""},
        {"(5", '.', NULL, ""},
        {"=1+1", '.', NULL, ""},
        {"99999999999999999999", '.', NULL, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        import_habits habits = {.decimal = cases[i].decimal};
        souk_decimal number = {77};
        char currency[4] = "", text[SOUK_DECIMAL_BYTES];
        bool read = import_read_money(souk_text_of(cases[i].text), &habits, &number, currency);
        if (read != (cases[i].number != NULL))
            test_fail(test, __FILE__, __LINE__, "'%s' %s", cases[i].text,
                      read ? "is read" : "is not");
        if (!read)
            continue;
        souk_text written = {text, souk_decimal_write(number, text)};
        SOUK_CHECK_TEXT(written, cases[i].number);
        SOUK_CHECK(!strcmp(currency, cases[i].currency));
    }
}

SOUK_TEST("times are read in every form that people write")
{
    static const struct {
        const char *text;
        import_order_of_date order;
        const char *time; /* NULL: none */
    } cases[] = {
        {"2026-01-02", IMPORT_YMD, "2026-01-02T00:00:00.000Z"},
        {"2026-01-02 03:04", IMPORT_YMD, "2026-01-02T03:04:00.000Z"},
        {"2026-01-02T03:04:05.678+01:00", IMPORT_YMD, "2026-01-02T02:04:05.678Z"},
        {"2026-01-02 03:04:05 -0800", IMPORT_YMD, "2026-01-02T11:04:05.000Z"},
        {"2026-01-02T03:04:05Z", IMPORT_YMD, "2026-01-02T03:04:05.000Z"},
        {"2026/1/2 3:04", IMPORT_YMD, "2026-01-02T03:04:00.000Z"},
        {"2026.01.02", IMPORT_YMD, "2026-01-02T00:00:00.000Z"},
        {"2026\xE5\xB9\xB4"
         "1\xE6\x9C\x88"
         "2\xE6\x97\xA5",
         IMPORT_YMD, "2026-01-02T00:00:00.000Z"},
        {"2026年1月2日 15时04分05秒", IMPORT_YMD, "2026-01-02T15:04:05.000Z"},
        {"2026年1月2日 下午3:04", IMPORT_YMD, "2026-01-02T15:04:00.000Z"},
        {"2.1.2026", IMPORT_DMY, "2026-01-02T00:00:00.000Z"},
        {"02.01.26 23:59", IMPORT_DMY, "2026-01-02T23:59:00.000Z"},
        {"1/2/2026", IMPORT_DMY, "2026-02-01T00:00:00.000Z"},
        {"1/2/2026", IMPORT_MDY, "2026-01-02T00:00:00.000Z"},
        {"1/2/2026, 3:04 PM", IMPORT_MDY, "2026-01-02T15:04:00.000Z"},
        {"12/31/1999 12:00:00 AM", IMPORT_MDY, "1999-12-31T00:00:00.000Z"},
        {"31-12-99", IMPORT_DMY, "1999-12-31T00:00:00.000Z"},
        {"20260102", IMPORT_YMD, "2026-01-02T00:00:00.000Z"},
        {"20260102150405", IMPORT_YMD, "2026-01-02T15:04:05.000Z"},
        {"202601021504", IMPORT_YMD, "2026-01-02T15:04:00.000Z"},
        {"1767323045", IMPORT_YMD, "2026-01-02T03:04:05.000Z"},
        {"1767323045678", IMPORT_YMD, "2026-01-02T03:04:05.678Z"},
        {"46024", IMPORT_YMD, "2026-01-02T00:00:00.000Z"},
        {"46024.5", IMPORT_YMD, "2026-01-02T12:00:00.000Z"},
        {"46024,627835648", IMPORT_DMY, "2026-01-02T15:04:05.000Z"},
        {"13/13/2026", IMPORT_MDY, NULL},
        {"31/12/2026", IMPORT_MDY, NULL},
        {"2026-02-30", IMPORT_YMD, NULL},
        {"2026-01-02 24:30", IMPORT_YMD, NULL},
        {"2026-01-02 03:04 tea", IMPORT_YMD, NULL},
        {"yesterday", IMPORT_YMD, NULL},
        {"12", IMPORT_YMD, NULL},
        {"", IMPORT_YMD, NULL},
        {"1/2/2026 13:00 PM", IMPORT_MDY, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        import_habits habits = {.decimal = '.', .order = cases[i].order};
        souk_time at = 0;
        char text[SOUK_TIME_BYTES];
        bool read = import_read_time(souk_text_of(cases[i].text), &habits, &at);
        if (read != (cases[i].time != NULL))
            test_fail(test, __FILE__, __LINE__, "'%s' %s", cases[i].text,
                      read ? "is read" : "is not");
        if (!read)
            continue;
        souk_text written = {text, souk_time_write(at, text)};
        SOUK_CHECK_TEXT(written, cases[i].time);
    }
}

SOUK_TEST("a day and a time of the day in columns of their own are one moment")
{
    import_habits habits = {.decimal = '.', .order = IMPORT_DMY};
    souk_time at;
    SOUK_CHECK(import_read_day_and_time(SOUK_TEXT("2.1.2026"), SOUK_TEXT("15:04"), &habits, &at));
    SOUK_CHECK(at == 1767366240000);
    SOUK_CHECK(import_read_day_and_time(SOUK_TEXT("46024.0"), SOUK_TEXT("15:04"), &habits, &at));
    SOUK_CHECK(at == 1767366240000);
    SOUK_CHECK(!import_read_day_and_time(SOUK_TEXT("2.1.2026"), SOUK_TEXT("noon"), &habits, &at));
}

SOUK_TEST("a text votes for what it can only be")
{
    SOUK_CHECK(import_vote_for_order(SOUK_TEXT("31/12/2026")) == 1);
    SOUK_CHECK(import_vote_for_order(SOUK_TEXT("12/31/2026 3:00")) == 2);
    SOUK_CHECK(import_vote_for_order(SOUK_TEXT("1/2/2026")) == 3);
    SOUK_CHECK(import_vote_for_order(SOUK_TEXT("2026-01-02")) == 0);
    SOUK_CHECK(import_vote_for_decimal(SOUK_TEXT("1,5")) == 1);
    SOUK_CHECK(import_vote_for_decimal(SOUK_TEXT("1.5")) == 2);
    SOUK_CHECK(import_vote_for_decimal(SOUK_TEXT("1,500")) == 3);
    SOUK_CHECK(import_vote_for_decimal(SOUK_TEXT("0,500")) == 1);
    SOUK_CHECK(import_vote_for_decimal(SOUK_TEXT("1,500.25")) == 2);
    SOUK_CHECK(import_vote_for_decimal(SOUK_TEXT("1.500.000")) == 1);
    SOUK_CHECK(import_vote_for_decimal(SOUK_TEXT("15")) == 0);
    SOUK_CHECK(import_read_yes(SOUK_TEXT(" Ja ")) == 1 && import_read_yes(SOUK_TEXT("否")) == 0);
    SOUK_CHECK(import_read_yes(SOUK_TEXT("perhaps")) == -1);
}

SOUK_TEST("random amounts in random dress are what they were, and a cent more would be noticed")
{
    for (unsigned round = 0; round < 2000; round++) {
        int64_t cents = (int64_t)test_random(test, 2000000000) - 1000000000, size = cents;
        bool comma = test_random(test, 2), groups = test_random(test, 2),
             behind = test_random(test, 2);
        char digits[32], text[80], mark = comma ? ',' : '.', group = comma ? '.' : ',';
        size_t bytes = 0;
        size = size < 0 ? -size : size;
        int count = snprintf(digits, sizeof digits, "%lld", (long long)(size / 100));
        if (cents < 0 && !behind)
            text[bytes++] = '-';
        for (int i = 0; i < count; i++) {
            if (groups && i && (count - i) % 3 == 0)
                text[bytes++] = group;
            text[bytes++] = digits[i];
        }
        bytes += (size_t)snprintf(text + bytes, sizeof text - bytes, "%c%02d%s%s", mark,
                                  (int)(size % 100), cents < 0 && behind ? "-" : "",
                                  test_random(test, 2) ? " EUR" : "");
        import_habits habits = {.decimal = mark};
        souk_decimal number;
        bool read = import_read_number((souk_text){text, bytes}, &habits, &number);
        if (!read || number.micro != cents * 10000)
            test_fail(test, __FILE__, __LINE__, "'%.*s' is read as %lld", (int)bytes, text,
                      (long long)number.micro);
        SOUK_CHECK(number.micro != (cents + 1) * 10000);
    }
}
