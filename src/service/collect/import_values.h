/* import_values.h - numbers and times as people write them in tables.
 *
 *     import_habits habits = {.decimal = ',', .order = IMPORT_DMY, .zone = berlin};
 *     import_read_money(SOUK_TEXT("1.234,50 €"), &habits, &amount, currency);         1234.5, "EUR"
 *     import_read_time(SOUK_TEXT("31.12.2025 23:59"), &habits, &at);
 *
 * Numbers  a decimal mark, groups of three parted by the other mark, a space or an apostrophe; a sign in front or
 *          behind, or brackets for less than nothing; a currency's code or sign beside it
 * Times    2026-01-02, 2026/1/2, 20260102, 2026年1月2日, 2.1.2026, 1/2/2026 (the habit says which is the day), with
 *          15:04, 15:04:05.678, 3:04 PM, 15时04分05秒 behind them, and Z or +01:00; seconds or milliseconds since
 *          1970; days of a spreadsheet, 46024.5 (1900 system).  Years of two digits are 1970 to 2069
 * Errors   false: the text is none.  Nothing is guessed here; what a column's habit is, import_guess.h finds out.
 * Source   ECMA-376 18.17.4.1 for a spreadsheet's days */
#ifndef SOUK_SERVICE_COLLECT_IMPORT_VALUES_H
#define SOUK_SERVICE_COLLECT_IMPORT_VALUES_H

#include "base/decimal.h"
#include "base/zone.h"

typedef enum import_order_of_date { IMPORT_YMD, IMPORT_DMY, IMPORT_MDY } import_order_of_date;

typedef struct import_habits {
    char decimal; /* '.' or ',' */
    import_order_of_date order;
    const souk_zone *zone; /* of times without one; NULL: UTC */
} import_habits;

bool import_read_number(souk_text text, const import_habits *habits, souk_decimal *ret_number);
/* currency: room for a code, or NULL; left alone where the text names none.  '$' and '¥' name none: they are
 * many. */
bool import_read_money(souk_text text, const import_habits *habits, souk_decimal *ret_money,
                       char *currency);

bool import_read_time(souk_text text, const import_habits *habits, souk_time *ret_at);
/* A day in one column and a time of the day in another (may be empty). */
bool import_read_day_and_time(souk_text day, souk_text time, const import_habits *habits,
                              souk_time *ret_at);
/* "15:04", "3:04:05 PM": milliseconds. */
bool import_read_time_of_day(souk_text text, int64_t *ret_ms);

/* What a text votes for where it is a date of two small numbers and a year: 0 neither, 1 d before m, 2 m before d,
 * 3 could be both. */
unsigned import_vote_for_order(souk_text text);
/* The same of decimal marks: 0 no mark, 1 comma, 2 point, 3 could be both. */
unsigned import_vote_for_decimal(souk_text text);

/* yes, y, true, 1, ja, oui, 是, …: 1; no, …: 0; else -1. */
int import_read_yes(souk_text text);

#endif
