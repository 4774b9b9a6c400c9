/* import_times.c - days and times of import_values.h. */
#include "service/collect/import_values.h"

enum { DAY_1900 = -25569, SERIAL_FIRST = 20000, SERIAL_END = 80000, CENTURY_TURNS = 70 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool take(souk_text *text, const char *what)
{
    souk_text wanted = souk_text_of(what);
    if (!souk_text_starts(*text, wanted))
        return false;
    text->at += wanted.bytes;
    text->bytes -= wanted.bytes;
    return true;
}

static void skip_spaces(souk_text *text)
{
    while (text->bytes && text->at[0] == ' ') {
        text->at++;
        text->bytes--;
    }
}

/* Digits as many as there are, up to `most`; their count. */
static size_t take_number(souk_text *text, size_t most, int64_t *ret_number)
{
    size_t count = 0;
    *ret_number = 0;
    while (count < most && text->bytes && is_digit(text->at[0])) {
        *ret_number = *ret_number * 10 + (text->at[0] - '0');
        text->at++;
        text->bytes--;
        count++;
    }
    return count;
}

/* ---- days ---------------------------------------------------------------------------------------------------- */

static bool make_day(int64_t year, int64_t month, int64_t day, int64_t *ret_day)
{
    if (year > 9999 || month > 12 || day > 31)
        return false;
    souk_date date = {(int32_t)year, (uint8_t)month, (uint8_t)day};
    if (!souk_date_valid(date))
        return false;
    *ret_day = souk_date_day(date);
    return true;
}

/* 2026-01-02, 2026/1/2, 2026.1.2, 2026年1月2日 behind its year. */
static bool take_month_and_day(souk_text *text, int64_t year, int64_t *ret_day)
{
    static const char *const between[] = {"-", "/", "."};
    int64_t month, day;
    if (take(text, "年")) {
        if (!take_number(text, 2, &month) || !take(text, "月") || !take_number(text, 2, &day))
            return false;
        return (take(text, "日") || take(text, "号")) && make_day(year, month, day, ret_day);
    }
    for (size_t i = 0; i < sizeof between / sizeof *between; i++)
        if (take(text, between[i]))
            return take_number(text, 2, &month) && take(text, between[i]) &&
                   take_number(text, 2, &day) && make_day(year, month, day, ret_day);
    return false;
}

struct small_date { /* 1/2/2026: two numbers and a year */
    int64_t first, second, year;
};

static bool take_small_date(souk_text *text, struct small_date *date)
{
    static const char *const between[] = {".", "/", "-"};
    souk_text at = *text;
    for (size_t i = 0; i < sizeof between / sizeof *between; i++) {
        souk_text rest = at;
        if (!take_number(&rest, 2, &date->first) || !take(&rest, between[i]))
            continue;
        skip_spaces(&rest);
        if (!take_number(&rest, 2, &date->second) || !take(&rest, between[i]))
            continue;
        skip_spaces(&rest);
        size_t digits = take_number(&rest, 4, &date->year);
        if (digits != 2 && digits != 4)
            continue;
        if (digits == 2)
            date->year += date->year < CENTURY_TURNS ? 2000 : 1900;
        *text = rest;
        return true;
    }
    return false;
}

unsigned import_vote_for_order(souk_text text)
{
    struct small_date date;
    text = souk_text_trim(text);
    if (!take_small_date(&text, &date))
        return 0;
    bool day_first = date.second >= 1 && date.second <= 12 && date.first <= 31;
    bool month_first = date.first >= 1 && date.first <= 12 && date.second <= 31;
    return (day_first ? 1u : 0u) | (month_first ? 2u : 0u);
}

static bool take_day(souk_text *text, const import_habits *habits, int64_t *ret_day)
{
    souk_text rest = *text;
    struct small_date date;
    int64_t year;
    if (take_number(&rest, 4, &year) == 4 && take_month_and_day(&rest, year, ret_day)) {
        *text = rest;
        return true;
    }
    if (!take_small_date(text, &date))
        return false;
    return habits->order == IMPORT_MDY ? make_day(date.year, date.first, date.second, ret_day)
                                       : make_day(date.year, date.second, date.first, ret_day);
}

/* ---- times of the day ------------------------------------------------------------------------------------------ */

/* What stands behind the minutes: seconds and their fraction. */
static bool take_seconds(souk_text *text, int64_t *ms)
{
    int64_t seconds = 0, scale = 100;
    if (take(text, ":") || (text->bytes && is_digit(text->at[0]))) {
        if (!take_number(text, 2, &seconds) || seconds > 59)
            return false;
        take(text, "秒");
    }
    *ms += seconds * 1000;
    if (text->bytes < 2 || (text->at[0] != '.' && text->at[0] != ',') || !is_digit(text->at[1]))
        return true;
    text->at++;
    text->bytes--;
    for (; text->bytes && is_digit(text->at[0]); text->at++, text->bytes--, scale /= 10)
        *ms += (text->at[0] - '0') * scale;
    return true;
}

static bool take_half(souk_text *text, int64_t *hour)
{
    static const char *const am[] = {"AM", "am", "a.m.", "上午"};
    static const char *const pm[] = {"PM", "pm", "p.m.", "下午"};
    for (size_t i = 0; i < 4; i++) {
        bool before = take(text, am[i]), after = !before && take(text, pm[i]);
        if (!before && !after)
            continue;
        if (*hour < 1 || *hour > 12)
            return false;
        *hour = *hour % 12 + (after ? 12 : 0);
        return true;
    }
    return true;
}

static bool take_time(souk_text *text, int64_t *ret_ms)
{
    int64_t hour, minute, rest = 0;
    souk_text half = SOUK_TEXT("");
    if (text->bytes >= 6 && (take(text, "上午") || take(text, "下午")))
        half = (souk_text){text->at - 6, 6};
    skip_spaces(text);
    if (!take_number(text, 2, &hour) || hour > 23 ||
        !(take(text, ":") || take(text, "时") || take(text, "点")))
        return false;
    if (!take_number(text, 2, &minute) || minute > 59)
        return false;
    take(text, "分");
    if (!take_seconds(text, &rest))
        return false;
    skip_spaces(text);
    if (!take_half(half.bytes ? &half : text, &hour))
        return false;
    *ret_ms = (hour * 60 + minute) * 60000 + rest;
    return true;
}

bool import_read_time_of_day(souk_text text, int64_t *ret_ms)
{
    text = souk_text_trim(text);
    return take_time(&text, ret_ms) && text.bytes == 0;
}

/* "Z", "+01:00", "+0100", "+01". */
static bool take_offset(souk_text *text, int64_t *ret_ms)
{
    int64_t hours, minutes = 0;
    if (take(text, "Z") || take(text, "z") || take(text, "UTC")) {
        *ret_ms = 0;
        return true;
    }
    bool west = text->bytes && text->at[0] == '-';
    if (!take(text, "+") && !take(text, "-"))
        return false;
    if (take_number(text, 2, &hours) != 2 || hours > 14)
        return false;
    take(text, ":");
    if (text->bytes && (take_number(text, 2, &minutes) != 2 || minutes > 59))
        return false;
    *ret_ms = (hours * 60 + minutes) * (west ? -60000 : 60000);
    return true;
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

static bool fits(souk_time at)
{
    return at >= SOUK_TIME_FIRST && at <= SOUK_TIME_LAST;
}

static bool to_utc(int64_t local, const import_habits *habits, souk_time *ret_at)
{
    return fits(local) &&
           souk_zone_utc(habits->zone, local, SOUK_LOCAL_COMPATIBLE, ret_at) == SOUK_OK;
}

/* Digits alone: 20260102, 20260102150405, seconds or milliseconds since 1970, a spreadsheet's days. */
static bool read_digits(souk_text text, const import_habits *habits, souk_time *ret_at,
                        bool *ret_is_local)
{
    int64_t number, day;
    souk_text rest = text;
    size_t digits = take_number(&rest, 15, &number);
    *ret_is_local = false;
    if (digits == 5 && number >= SERIAL_FIRST && number < SERIAL_END) {
        souk_decimal fraction = {0};
        char room[32];
        if (rest.bytes > 20 || (rest.bytes && rest.at[0] != '.' && rest.at[0] != ','))
            return false;
        if (rest.bytes) {
            room[0] = '0';
            memcpy(room + 1, rest.at, rest.bytes);
            room[1] = '.';
            if (souk_decimal_read((souk_text){room, rest.bytes + 1}, &fraction, NULL))
                return false;
        }
        /* to the second: six places of a day are 86 ms */
        int64_t seconds = (fraction.micro * 86400 + 500000) / 1000000;
        *ret_is_local = true;
        *ret_at = (number + DAY_1900) * SOUK_DAY_MS + seconds * 1000;
        return true;
    }
    if (rest.bytes)
        return false;
    if (digits == 10 || digits == 13) {
        *ret_at = digits == 10 ? number * 1000 : number;
        return true;
    }
    if (digits != 8 && digits != 12 && digits != 14)
        return false;
    int64_t time = digits == 8 ? 0 : digits == 12 ? number % 10000 * 100 : number % 1000000;
    int64_t date = digits == 8 ? number : number / (digits == 12 ? 10000 : 1000000);
    if (!make_day(date / 10000, date / 100 % 100, date % 100, &day) || time / 10000 > 23 ||
        time / 100 % 100 > 59 || time % 100 > 59)
        return false;
    (void)habits;
    *ret_is_local = true;
    *ret_at = day * SOUK_DAY_MS + ((time / 10000 * 60 + time / 100 % 100) * 60 + time % 100) * 1000;
    return true;
}

/* Local time with ret_is_local, else UTC. */
static bool read_moment(souk_text text, const import_habits *habits, int64_t *ret_at,
                        bool *ret_is_local)
{
    int64_t day, ms = 0, offset;
    text = souk_text_trim(text);
    if (read_digits(text, habits, ret_at, ret_is_local))
        return fits(*ret_at);
    if (!take_day(&text, habits, &day))
        return false;
    *ret_is_local = true;
    if (!take(&text, "T"))
        take(&text, ",");
    skip_spaces(&text);
    if (text.bytes && !take_time(&text, &ms))
        return false;
    *ret_at = day * SOUK_DAY_MS + ms;
    skip_spaces(&text);
    if (text.bytes && take_offset(&text, &offset)) {
        *ret_is_local = false;
        *ret_at -= offset;
    }
    return text.bytes == 0 && fits(*ret_at);
}

bool import_read_day_and_time(souk_text day, souk_text time, const import_habits *habits,
                              souk_time *ret_at)
{
    int64_t at, ms = 0;
    bool is_local;
    time = souk_text_trim(time);
    if (!read_moment(day, habits, &at, &is_local))
        return false;
    if (time.bytes) {
        /* the day's own time, if it has one, is that of a spreadsheet: midnight */
        if (!import_read_time_of_day(time, &ms))
            return false;
        at = souk_time_day(at) * SOUK_DAY_MS + ms;
    }
    if (is_local)
        return to_utc(at, habits, ret_at);
    *ret_at = at;
    return true;
}

bool import_read_time(souk_text text, const import_habits *habits, souk_time *ret_at)
{
    return import_read_day_and_time(text, SOUK_TEXT(""), habits, ret_at);
}
