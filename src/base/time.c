/* time.c - the calendar and the texts of time.h.
 *
 * The calendar counts years from 1 March, so that the leap day is the last of its year, and splits
 * days into eras of 400 years (146097 days), which are all alike:
 *
 *     day 0 of era 0 = 0000-03-01 = 719468 days before 1970-01-01
 *     day of year of month m (0 March .. 11 February) = (153 m + 2) / 5 */
#include "base/time.h"

#include "base/zone.h"

enum { ERA_DAYS = 146097, EPOCH_SHIFT = 719468 };

static int64_t floor_divide(int64_t number, int64_t by)
{
    return number / by - (number % by < 0);
}

int64_t souk_date_day(souk_date date)
{
    int64_t year = (int64_t)date.year - (date.month <= 2);
    int64_t era = floor_divide(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t month = (date.month + 9) % 12;
    int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * ERA_DAYS + day_of_era - EPOCH_SHIFT;
}

souk_date souk_date_of(int64_t day)
{
    day += EPOCH_SHIFT;
    int64_t era = floor_divide(day, ERA_DAYS);
    int64_t day_of_era = day - era * ERA_DAYS;
    /* Each leap day so far would push the plain quotient by 365 too far. */
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    souk_date date;
    date.day = (uint8_t)(day_of_year - (153 * month + 2) / 5 + 1);
    date.month = (uint8_t)(month < 10 ? month + 3 : month - 9);
    date.year = (int32_t)(year_of_era + era * 400 + (date.month <= 2));
    return date;
}

bool souk_date_valid(souk_date date)
{
    if (date.year < 0 || date.year > 9999 || date.month < 1 || date.month > 12 || date.day < 1)
        return false;
    souk_date there = souk_date_of(souk_date_day(date));
    return there.day == date.day && there.month == date.month;
}

int souk_day_weekday(int64_t day)
{
    /* 1970-01-01 was a Thursday. */
    return (int)(((day % 7) + 7 + 4) % 7);
}

int64_t souk_time_day(souk_time at)
{
    return floor_divide(at, SOUK_DAY_MS);
}

static souk_time within_years(souk_time at)
{
    if (at < SOUK_TIME_FIRST)
        return SOUK_TIME_FIRST;
    return at > SOUK_TIME_LAST ? SOUK_TIME_LAST : at;
}

int32_t souk_time_month(souk_time at)
{
    souk_date date = souk_date_of(souk_time_day(within_years(at)));
    return (date.year - 1970) * 12 + date.month - 1;
}

unsigned souk_time_years(souk_time from, souk_time to)
{
    souk_date born = souk_date_of(souk_time_day(within_years(from)));
    souk_date day = souk_date_of(souk_time_day(within_years(to)));
    int32_t years = day.year - born.year;
    if (day.month < born.month || (day.month == born.month && day.day < born.day))
        years--;
    return years > 0 ? (unsigned)years : 0;
}

souk_time souk_time_of_month(int32_t month)
{
    int64_t year = floor_divide(month, 12);
    souk_date first = {(int32_t)(1970 + year), (uint8_t)(month - year * 12 + 1), 1};
    return souk_date_day(first) * SOUK_DAY_MS;
}

/* Exactly `count` digits. */
static bool take_digits(souk_text *rest, size_t count, int *ret_number)
{
    if (rest->bytes < count)
        return false;
    int number = 0;
    for (size_t i = 0; i < count; i++) {
        char c = rest->at[i];
        if (c < '0' || c > '9')
            return false;
        number = number * 10 + (c - '0');
    }
    rest->at += count;
    rest->bytes -= count;
    *ret_number = number;
    return true;
}

static bool take_one_of(souk_text *rest, const char *marks)
{
    if (rest->bytes == 0 || !rest->at[0] || !strchr(marks, rest->at[0]))
        return false;
    rest->at++;
    rest->bytes--;
    return true;
}

/* ".678901" gives 678; nothing gives 0. */
static bool take_fraction(souk_text *rest, int *ret_ms)
{
    *ret_ms = 0;
    if (!take_one_of(rest, ".,"))
        return true;
    int weight = 100, digit;
    if (rest->bytes == 0 || !take_digits(rest, 1, &digit))
        return false;
    do {
        *ret_ms += digit * weight;
        weight /= 10;
    } while (take_digits(rest, 1, &digit));
    return true;
}

/* "Z", "+01:00", "+0100", "+01"; nothing means local time. */
static souk_err take_offset(souk_text *rest, bool *ret_given, int *ret_seconds)
{
    *ret_given = rest->bytes > 0;
    *ret_seconds = 0;
    if (rest->bytes == 0 || take_one_of(rest, "Zz"))
        return SOUK_OK;
    bool west = rest->at[0] == '-';
    int hours, minutes = 0;
    if (!take_one_of(rest, "+-") || !take_digits(rest, 2, &hours))
        return SOUK_ESYNTAX;
    if (rest->bytes) {
        take_one_of(rest, ":");
        if (!take_digits(rest, 2, &minutes))
            return SOUK_ESYNTAX;
    }
    if (hours > 23 || minutes > 59)
        return SOUK_EINVAL;
    *ret_seconds = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return SOUK_OK;
}

/* "03:04", "03:04:05.678" */
static souk_err take_clock(souk_text *rest, int *ret_ms, bool *ret_leap)
{
    int hours, minutes, seconds = 0, ms = 0;
    if (!take_digits(rest, 2, &hours) || !take_one_of(rest, ":") || !take_digits(rest, 2, &minutes))
        return SOUK_ESYNTAX;
    if (take_one_of(rest, ":") && (!take_digits(rest, 2, &seconds) || !take_fraction(rest, &ms)))
        return SOUK_ESYNTAX;
    if (hours > 23 || minutes > 59 || seconds > 60)
        return SOUK_EINVAL;
    *ret_leap = seconds == 60;
    *ret_ms = ((hours * 60 + minutes) * 60 + seconds) * 1000 + (*ret_leap ? 0 : ms);
    return SOUK_OK;
}

souk_err souk_time_read(souk_text text, const souk_zone *zone, souk_time *ret_time)
{
    souk_text rest = text;
    int year, month, day, clock_ms = 0, offset_s = 0;
    bool offset_given = false, leap = false;
    if (!take_digits(&rest, 4, &year) || !take_one_of(&rest, "-") ||
        !take_digits(&rest, 2, &month) || !take_one_of(&rest, "-") || !take_digits(&rest, 2, &day))
        return SOUK_ESYNTAX;
    if (rest.bytes) {
        if (!take_one_of(&rest, "Tt "))
            return SOUK_ESYNTAX;
        SOUK_TRY(take_clock(&rest, &clock_ms, &leap));
        SOUK_TRY(take_offset(&rest, &offset_given, &offset_s));
        if (rest.bytes)
            return SOUK_ESYNTAX;
    }
    souk_date date = {year, (uint8_t)month, (uint8_t)day};
    if (!souk_date_valid(date))
        return SOUK_EINVAL;
    souk_time at = souk_date_day(date) * SOUK_DAY_MS + clock_ms - (int64_t)offset_s * 1000;
    if (!offset_given)
        SOUK_TRY(souk_zone_utc(zone, at, SOUK_LOCAL_COMPATIBLE, &at));
    if (at < SOUK_TIME_FIRST || at > SOUK_TIME_LAST)
        return SOUK_EINVAL;
    /* Leap seconds end a day in UTC, whatever the local clock says. */
    if (leap && at % SOUK_DAY_MS != 0)
        return SOUK_EINVAL;
    *ret_time = at;
    return SOUK_OK;
}

static char *put_digits(char *out, int64_t number, int count, char behind)
{
    for (int i = count - 1; i >= 0; i--, number /= 10)
        out[i] = (char)('0' + number % 10);
    out[count] = behind;
    return out + count + 1;
}

size_t souk_time_write(souk_time at, char out[SOUK_TIME_BYTES])
{
    at = within_years(at);
    int64_t day = souk_time_day(at), ms = at - day * SOUK_DAY_MS;
    souk_date date = souk_date_of(day);
    char *to = put_digits(out, date.year, 4, '-');
    to = put_digits(to, date.month, 2, '-');
    to = put_digits(to, date.day, 2, 'T');
    to = put_digits(to, ms / 3600000, 2, ':');
    to = put_digits(to, ms / 60000 % 60, 2, ':');
    to = put_digits(to, ms / 1000 % 60, 2, '.');
    to = put_digits(to, ms % 1000, 3, 'Z');
    *to = '\0';
    return SOUK_TIME_BYTES - 1;
}
