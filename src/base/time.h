/* time.h - moments as numbers, the calendar, and both as text.
 *
 *     souk_time at;
 *     SOUK_TRY(souk_time_read(SOUK_TEXT("2026-01-02T03:04:05.678+01:00"), NULL, &at));
 *     char text[SOUK_TIME_BYTES];
 *     souk_time_write(at, text);                               "2026-01-02T02:04:05.678Z"
 *     int32_t month = souk_time_month(at);                     672: months since 1970-01
 *     souk_date date = souk_date_of(souk_time_day(at));        {2026, 1, 2}
 *
 * A moment is milliseconds UTC since 1970 without leap seconds; a day is its number since
 * 1970-01-01.  Local time is made of it with zone.h.  No clock is read here.
 *
 * Cost     calendar: a few dozen instructions, no loop, no table
 * Source   RFC 3339; ISO 8601-1:2019; the calendar is H. Hinnant, "chrono-compatible low-level date
 *          algorithms", 2013
 * Threads  values, free to share */
#ifndef SOUK_BASE_TIME_H
#define SOUK_BASE_TIME_H

#include "base/text.h"

typedef int64_t souk_time;
struct souk_zone;

/* What can be written: 0000-01-01T00:00:00.000Z to 9999-12-31T23:59:59.999Z. */
#define SOUK_TIME_FIRST (-62167219200000)
#define SOUK_TIME_LAST  253402300799999
#define SOUK_DAY_MS     86400000

enum { SOUK_TIME_BYTES = 25 }; /* of the text, with its NUL */

/* A day of the Gregorian calendar, carried on before 1582 as if it had always been there. */
typedef struct souk_date {
    int32_t year;
    uint8_t month, day; /* from 1 */
} souk_date;

/* Is there such a day, in the years 0 to 9999? */
bool souk_date_valid(souk_date date);
/* The number of a day; the date must exist, in any year. */
int64_t souk_date_day(souk_date date);
souk_date souk_date_of(int64_t day);
/* 0 Sunday to 6 Saturday. */
int souk_day_weekday(int64_t day);

/* The day, and the months since January 1970, in which a moment lies; negative before.
 * The month of a moment outside SOUK_TIME_FIRST to SOUK_TIME_LAST is that of the nearer one. */
int64_t souk_time_day(souk_time at);
int32_t souk_time_month(souk_time at);
/* The first moment of a month. */
souk_time souk_time_of_month(int32_t month);

/* Reads "2026-01-02", and with 'T', 't' or a space behind it "03:04", "03:04:05" or "03:04:05.678"
 * (any number of decimals, a comma will do, cut to milliseconds), and behind that "Z", "+01:00",
 * "+0100" or "+01".  A text without offset is local time of the zone (NULL: UTC), read as
 * SOUK_LOCAL_COMPATIBLE; a date alone is its midnight.  A leap second, at its place only, is the
 * first moment of the next day.
 * SOUK_ESYNTAX: another form.  SOUK_EINVAL: no such day or time, or outside what can be written. */
SOUK_CHECKED souk_err souk_time_read(souk_text text, const struct souk_zone *zone,
                                     souk_time *ret_time);

/* Writes "2026-01-02T03:04:05.678Z" and a NUL, returns 24; a moment outside FIRST to LAST is
 * written as the nearer of the two. */
size_t souk_time_write(souk_time at, char out[SOUK_TIME_BYTES]);

/* Whole years from one day to another, both of UTC: how old somebody is; 0 where `to` is before. */
unsigned souk_time_years(souk_time from, souk_time to);

#endif
