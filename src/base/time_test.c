/* time_test.c - time.h against timegm and against a calendar walked day by day. */
#include "base/time.h"

#include "base/zone.h"
#include "test/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static bool leap_year(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Walks 2000 years; the planted error is a calendar that leaps in every fourth year. */
static int64_t first_disagreement(bool julian)
{
    int year = 900;
    int64_t day = souk_date_day((souk_date){900, 1, 1});
    for (; year < 2900; year++)
        for (int month = 1; month <= 12; month++) {
            static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
            bool leap = julian ? year % 4 == 0 : leap_year(year);
            int length = lengths[month - 1] + (month == 2 && leap);
            for (int in_month = 1; in_month <= length; in_month++, day++) {
                souk_date date = souk_date_of(day);
                if (date.year != year || date.month != month || date.day != in_month ||
                    souk_date_day(date) != day)
                    return day;
            }
        }
    return INT64_MAX;
}

SOUK_TEST("days and dates agree over 2000 years, and a Julian calendar would be noticed")
{
    SOUK_CHECK(first_disagreement(false) == INT64_MAX);
    SOUK_CHECK(first_disagreement(true) != INT64_MAX);
    SOUK_CHECK(souk_date_day((souk_date){1970, 1, 1}) == 0);
    SOUK_CHECK(souk_date_day((souk_date){0, 1, 1}) * SOUK_DAY_MS == SOUK_TIME_FIRST);
    SOUK_CHECK((souk_date_day((souk_date){10000, 1, 1})) * SOUK_DAY_MS - 1 == SOUK_TIME_LAST);
    for (int64_t day = -20; day < 20; day++)
        SOUK_CHECK(souk_day_weekday(day) == (int)((day + 4 + 700) % 7));
}

SOUK_TEST("months are counted from January 1970, downwards too")
{
    SOUK_CHECK(souk_time_month(0) == 0 && souk_time_month(-1) == -1);
    SOUK_CHECK(souk_time_month(SOUK_TIME_FIRST) == -1970 * 12);
    for (int32_t month = 1 - 1970 * 12; month < 8030 * 12; month++) {
        souk_time first = souk_time_of_month(month);
        SOUK_CHECK(souk_time_month(first) == month && souk_time_month(first - 1) == month - 1);
    }
    SOUK_CHECK(souk_time_day(-1) == -1 && souk_time_day(SOUK_DAY_MS) == 1);
    /* The ends of the type are moments too. */
    SOUK_CHECK(souk_time_month(INT64_MAX) == souk_time_month(SOUK_TIME_LAST));
    SOUK_CHECK(souk_time_month(INT64_MIN) == souk_time_month(SOUK_TIME_FIRST));
}

SOUK_TEST("the forms of a moment that the world writes are read")
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z"},
        {"2026-01-02t03:04:05z", "2026-01-02T03:04:05.000Z"},
        {"2026-01-02 03:04:05", "2026-01-02T03:04:05.000Z"},
        {"2026-01-02", "2026-01-02T00:00:00.000Z"},
        {"2026-01-02T03:04", "2026-01-02T03:04:00.000Z"},
        {"2026-01-02T03:04Z", "2026-01-02T03:04:00.000Z"},
        {"2026-01-02T03:04:05,6", "2026-01-02T03:04:05.600Z"},
        {"2026-01-02T03:04:05.6789999999999999999Z", "2026-01-02T03:04:05.678Z"},
        {"2026-01-02T03:04:05.67+01:00", "2026-01-02T02:04:05.670Z"},
        {"2026-01-02T00:04:05+0530", "2026-01-01T18:34:05.000Z"},
        {"2026-01-02T23:04:05-08", "2026-01-03T07:04:05.000Z"},
        {"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"},
        {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z"},
        {"0000-01-01", "0000-01-01T00:00:00.000Z"},
        {"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
        {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"},
        {"2016-12-31T15:59:60.7-08:00", "2017-01-01T00:00:00.000Z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        souk_time at;
        char text[SOUK_TIME_BYTES];
        SOUK_MUST(souk_time_read(souk_text_of(rows[i].in), NULL, &at));
        SOUK_CHECK(souk_time_write(at, text) == 24);
        SOUK_CHECK_TEXT(souk_text_of(text), rows[i].out);
    }
}

SOUK_TEST("a moment that cannot be is told apart from a text that is none")
{
    static const char *const broken[] = {"",
                                         "2026",
                                         "2026-1-02",
                                         "2026-01-02T",
                                         "2026-01-02 ",
                                         "2026-01-02T03",
                                         "2026-01-02T03:04:",
                                         "2026-01-02T03:04:05.",
                                         "2026-01-02T03:04:05.Z",
                                         "2026-01-02T03:04:05ZZ",
                                         "2026-01-02T03:04:05+1",
                                         "2026-01-02T03:04:05+01:",
                                         "2026-01-02T03:04:05+01:0",
                                         "2026-01-02T03:04:05 +01:00",
                                         "2026-01-02Z",
                                         "20260102",
                                         "+026-01-02",
                                         "2026-01-02X03:04:05",
                                         " 2026-01-02"};
    static const char *const impossible[] = {"2026-02-29",
                                             "2026-00-01",
                                             "2026-13-01",
                                             "2026-01-00",
                                             "2026-04-31",
                                             "1900-02-29",
                                             "2026-01-02T24:00:00Z",
                                             "2026-01-02T23:60:00Z",
                                             "2026-01-02T23:59:61Z",
                                             "2026-01-02T03:04:60Z",
                                             "2026-01-02T03:04:05+24:00",
                                             "2026-01-02T03:04:05+01:60",
                                             "0000-01-01T00:00:00+01:00",
                                             "9999-12-31T23:59:59-00:01"};
    souk_time at = 77;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        SOUK_CHECK_ERR(souk_time_read(souk_text_of(broken[i]), NULL, &at), SOUK_ESYNTAX);
    for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++)
        SOUK_CHECK_ERR(souk_time_read(souk_text_of(impossible[i]), NULL, &at), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_time_read((souk_text){"2026-01-02\0", 11}, NULL, &at), SOUK_ESYNTAX);
    SOUK_CHECK_ERR(souk_time_read((souk_text){"2026-01-02T03:04:05\0", 20}, NULL, &at),
                   SOUK_ESYNTAX);
    SOUK_CHECK(at == 77);
}

SOUK_TEST("random moments are written as strftime does, and read back as they were")
{
    for (int round = 0; round < 20000; round++) {
        souk_time at = SOUK_TIME_FIRST +
                       (souk_time)test_random(test, (uint64_t)(SOUK_TIME_LAST - SOUK_TIME_FIRST));
        char text[SOUK_TIME_BYTES], oracle[80], local[80];
        souk_time_write(at, text);
        int64_t ms = ((at % 1000) + 1000) % 1000;
        time_t seconds = (time_t)((at - ms) / 1000);
        struct tm parts;
        gmtime_r(&seconds, &parts);
        snprintf(oracle, sizeof oracle, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
                 parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                 (int)ms);
        SOUK_CHECK_TEXT(souk_text_of(text), oracle);
        SOUK_CHECK(souk_day_weekday(souk_time_day(at)) == parts.tm_wday);
        souk_time back;
        SOUK_MUST(souk_time_read(souk_text_of(text), NULL, &back));
        SOUK_CHECK(back == at);

        /* The same moment on a clock some minutes ahead. */
        int ahead = (int)test_random(test, 2 * 1439 + 1) - 1439;
        souk_time wall = at + ahead * 60000;
        if (wall < SOUK_TIME_FIRST || wall > SOUK_TIME_LAST)
            continue;
        souk_time_write(wall, text);
        snprintf(local, sizeof local, "%.23s%c%02d:%02d", text, ahead < 0 ? '-' : '+',
                 abs(ahead) / 60, abs(ahead) % 60);
        SOUK_MUST(souk_time_read(souk_text_of(local), NULL, &back));
        SOUK_CHECK(back == at);
    }
}

SOUK_TEST("a moment outside the written years is written as the nearest inside")
{
    char text[SOUK_TIME_BYTES];
    souk_time_write(INT64_MIN, text);
    SOUK_CHECK_TEXT(souk_text_of(text), "0000-01-01T00:00:00.000Z");
    souk_time_write(INT64_MAX, text);
    SOUK_CHECK_TEXT(souk_text_of(text), "9999-12-31T23:59:59.999Z");
}

SOUK_TEST("somebody is a year older on the day of the birthday, not before")
{
    static const struct {
        const char *born, *day;
        unsigned years;
    } cases[] = {
        {"2008-11-26", "2026-11-25", 17},  {"2008-11-26", "2026-11-26", 18},
        {"2008-02-29", "2026-02-28", 17},  {"2008-02-29", "2026-03-01", 18},
        {"2026-11-26", "2008-11-26", 0},   {"1969-12-31", "1970-01-01", 0},
        {"1900-01-01", "2000-01-01", 100},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        souk_time born, day;
        SOUK_MUST(souk_time_read(souk_text_of(cases[i].born), NULL, &born));
        SOUK_MUST(souk_time_read(souk_text_of(cases[i].day), NULL, &day));
        SOUK_CHECK(souk_time_years(born, day) == cases[i].years);
    }
}
