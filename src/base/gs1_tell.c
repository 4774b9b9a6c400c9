/* gs1_tell.c - what the fields of a label mean to a till, and which of them need each other. */
#include "base/currency.h"
#include "base/gs1.h"
#include "base/time.h"

#include <stdio.h>

/* ---- days -------------------------------------------------------------------------------------------- */

/* General Specifications 7.12: of the three centuries the one in which the year is from 49 before this one to 50
 * after it. */
static int32_t full_year(int32_t year_of_century, int32_t this_year)
{
    int32_t century = this_year / 100 * 100, ahead = year_of_century - this_year % 100;
    return year_of_century + (ahead >= 51 ? century - 100 : ahead <= -50 ? century + 100 : century);
}

souk_err souk_gs1_day(souk_text yymmdd, int64_t today, int64_t *ret_day)
{
    int32_t parts[3];
    if (yymmdd.bytes != 6)
        return SOUK_EINVAL;
    for (int i = 0; i < 3; i++) {
        char tens = yymmdd.at[2 * i], ones = yymmdd.at[2 * i + 1];
        if (tens < '0' || tens > '9' || ones < '0' || ones > '9')
            return SOUK_EINVAL;
        parts[i] = (tens - '0') * 10 + ones - '0';
    }
    souk_date date = {full_year(parts[0], souk_date_of(today).year), (uint8_t)parts[1],
                      (uint8_t)parts[2]};
    if (date.day == 0) { /* the last of the month: the day before the first of the next */
        date.day = 1;
        if (!souk_date_valid(date))
            return SOUK_EINVAL;
        date.year += date.month == 12;
        date.month = (uint8_t)(date.month % 12 + 1);
        *ret_day = souk_date_day(date) - 1;
        return SOUK_OK;
    }
    if (!souk_date_valid(date))
        return SOUK_EINVAL;
    *ret_day = souk_date_day(date);
    return SOUK_OK;
}

static souk_err tell_day(const souk_gs1 *gs1, unsigned ai, int64_t today, int64_t *ret_day,
                         souk_diag *diag)
{
    souk_text value = souk_gs1_find(gs1, ai);
    if (value.at == NULL)
        return SOUK_OK;
    if (souk_gs1_day((souk_text){value.at, 6}, today, ret_day) != SOUK_OK)
        return souk_diag_say(diag, SOUK_EINVAL, "(%u): there is no such day: correct the label",
                             ai);
    return SOUK_OK;
}

/* ---- numbers ----------------------------------------------------------------------------------------- */

/* Digits, of which the last `decimals` stand behind the point. */
static souk_err scaled(souk_text digits, unsigned decimals, souk_decimal *ret_decimal)
{
    char text[40];
    bool rounded;
    while (digits.bytes > 1 && digits.at[0] == '0')
        digits = souk_text_range(digits.at + 1, digits.at + digits.bytes);
    snprintf(text, sizeof text, "%.*se-%u", SOUK_TEXT_PRINT(digits), decimals);
    souk_decimal decimal;
    SOUK_TRY(souk_decimal_read(souk_text_of(text), &decimal, &rounded));
    if (rounded)
        return SOUK_EOVERFLOW;
    *ret_decimal = decimal;
    return SOUK_OK;
}

/* What is weighed, measured or poured at a counter, the first that is there. */
static const struct {
    uint16_t ai; /* without its last digit, which counts decimals */
    const char *unit;
} measures[] = {
    {310, "kg"},  {320, "lb"}, {356, "ozt"}, {357, "oz"}, {314, "m2"},  {350, "in2"}, {351, "ft2"},
    {352, "yd2"}, {315, "l"},  {316, "m3"},  {360, "qt"}, {361, "gal"}, {364, "in3"}, {365, "ft3"},
    {366, "yd3"}, {311, "m"},  {321, "in"},  {322, "ft"}, {323, "yd"},
};

static souk_err tell_measure(const souk_gs1 *gs1, souk_gs1_reading *reading)
{
    for (size_t i = 0; i < sizeof measures / sizeof *measures; i++) {
        unsigned first = measures[i].ai * 10u;
        size_t index = souk_gs1_find_range(gs1, first, first + 5);
        if (index == SIZE_MAX)
            continue;
        reading->unit = measures[i].unit;
        return scaled(souk_gs1_value(gs1, index), gs1->fields[index].ai - first, &reading->measure);
    }
    return SOUK_OK;
}

static souk_err tell_price(const souk_gs1 *gs1, souk_gs1_reading *reading, souk_diag *diag)
{
    size_t here = souk_gs1_find_range(gs1, 3920, 3929);
    size_t abroad = souk_gs1_find_range(gs1, 3930, 3939);
    size_t unit = souk_gs1_find_range(gs1, 3950, 3955);
    size_t price = here != SIZE_MAX ? here : abroad;
    if (price != SIZE_MAX) {
        souk_text value = souk_gs1_value(gs1, price);
        unsigned decimals = gs1->fields[price].ai % 10u;
        if (price == abroad) {
            souk_text number = {value.at, 3};
            value = souk_text_range(value.at + 3, value.at + value.bytes);
            if (souk_currency_of_number(number, reading->currency) != SOUK_OK)
                return souk_diag_say(diag, SOUK_EINVAL,
                                     "(393%u): ISO 4217 has no currency %.3s: correct the label",
                                     decimals, number.at);
        }
        if (scaled(value, decimals, &reading->price) != SOUK_OK)
            return souk_diag_say(diag, SOUK_EOVERFLOW,
                                 "(%u): the price is above 9,223,372,036,854 or has more than six "
                                 "decimals: correct the label",
                                 gs1->fields[price].ai);
        reading->has_price = true;
    }
    if (unit == SIZE_MAX)
        return SOUK_OK;
    reading->has_unit_price = true;
    return scaled(souk_gs1_value(gs1, unit), gs1->fields[unit].ai % 10u, &reading->unit_price);
}

souk_err souk_gs1_tell(const souk_gs1 *gs1, int64_t today, souk_gs1_reading *ret_reading,
                       souk_diag *diag)
{
    souk_gs1_reading reading = {.expiry_day = SOUK_GS1_NO_DAY,
                                .best_before_day = SOUK_GS1_NO_DAY,
                                .sell_by_day = SOUK_GS1_NO_DAY,
                                .packed_day = SOUK_GS1_NO_DAY,
                                .made_day = SOUK_GS1_NO_DAY};
    static const uint16_t items[] = {1, 8006, 2};
    for (size_t i = 0; i < sizeof items / sizeof *items && !reading.gtin.at; i++)
        reading.gtin = souk_gs1_find(gs1, items[i]);
    if (reading.gtin.at)
        reading.gtin.bytes = 14; /* of 8006, which piece of how many follows */
    reading.batch = souk_gs1_find(gs1, 10);
    reading.serial = souk_gs1_find(gs1, 21);
    SOUK_TRY(tell_day(gs1, 7003, today, &reading.expiry_day, diag));
    SOUK_TRY(tell_day(gs1, 17, today, &reading.expiry_day, diag));
    SOUK_TRY(tell_day(gs1, 15, today, &reading.best_before_day, diag));
    SOUK_TRY(tell_day(gs1, 16, today, &reading.sell_by_day, diag));
    SOUK_TRY(tell_day(gs1, 13, today, &reading.packed_day, diag));
    SOUK_TRY(tell_day(gs1, 11, today, &reading.made_day, diag));
    SOUK_TRY(tell_measure(gs1, &reading));
    SOUK_TRY(tell_price(gs1, &reading, diag));
    souk_text count = souk_gs1_find(gs1, 30);
    if (count.at)
        SOUK_TRY(souk_text_to_u64(count, &reading.count));
    *ret_reading = reading;
    return SOUK_OK;
}

/* ---- pairs ------------------------------------------------------------------------------------------- */

/* General Specifications 4.14.1: these say different things about one item.  The ranges may be the same: then two of
 * the range exclude each other. */
static const struct {
    uint16_t first, last, other_first, other_last;
} excluded[] = {
    {1, 1, 2, 2},
    {1, 1, 37, 37},
    {1, 1, 255, 255},
    {1, 1, 8006, 8006},
    {2, 2, 3, 3},
    {1, 1, 3, 3},
    {3, 3, 37, 37},
    {3, 3, 235, 235},
    {21, 21, 235, 235},
    {420, 420, 421, 421},
    {422, 422, 426, 426},
    {423, 423, 426, 426},
    {2, 2, 255, 255},
    {8006, 8006, 37, 37},
    {2, 2, 8026, 8026},
    {3920, 3929, 3930, 3939},
    {3920, 3929, 3920, 3929},
    {3930, 3939, 3930, 3939},
    {3950, 3955, 3920, 3939},
    {3950, 3955, 3950, 3955},
    {3950, 3955, 8005, 8005},
    {255, 255, 8006, 8006},
    {8006, 8006, 8026, 8026},
    {255, 255, 8026, 8026},
    {424, 424, 426, 426},
    {425, 425, 426, 426},
};

static souk_err say_excluded(souk_diag *diag, unsigned a, unsigned b)
{
    return souk_diag_say(diag, SOUK_EINVAL,
                         "(%0*u) and (%0*u) do not go together: scan one label only",
                         (int)souk_gs1_ai_digits(a), a, (int)souk_gs1_ai_digits(b), b);
}

static souk_err check_excluded(const souk_gs1 *gs1, souk_diag *diag)
{
    for (size_t i = 0; i < sizeof excluded / sizeof *excluded; i++) {
        size_t one = souk_gs1_find_range(gs1, excluded[i].first, excluded[i].last);
        for (size_t k = 0; one != SIZE_MAX && k < gs1->count; k++) {
            unsigned ai = gs1->fields[k].ai;
            if (k != one && ai >= excluded[i].other_first && ai <= excluded[i].other_last)
                return say_excluded(diag, gs1->fields[one].ai, ai);
        }
    }
    /* one measure in two precisions */
    for (size_t i = 0; i < gs1->count; i++) {
        unsigned ai = gs1->fields[i].ai;
        for (size_t k = i + 1; ai >= 3100 && ai < 3700 && k < gs1->count; k++) {
            if (gs1->fields[k].ai / 10 == ai / 10)
                return say_excluded(diag, ai, gs1->fields[k].ai);
        }
    }
    return SOUK_OK;
}

static bool has(const souk_gs1 *gs1, unsigned first, unsigned last)
{
    return souk_gs1_find_range(gs1, first, last) != SIZE_MAX;
}

static bool is_met(const souk_gs1 *gs1, unsigned number, souk_gs1_need need)
{
    bool measured = has(gs1, 30, 30) || has(gs1, 3100, 3299) || has(gs1, 3500, 3699);
    bool item = has(gs1, 1, 1) || has(gs1, 2, 2);
    switch (need) {
    case SOUK_GS1_PRODUCT:
        return item || has(gs1, 3, 3) || has(gs1, 8006, 8006) || has(gs1, 8026, 8026) ||
               (number == 17 && has(gs1, 255, 255));
    case SOUK_GS1_ITEM:
        return item;
    case SOUK_GS1_MEASURE:
        return item && measured;
    case SOUK_GS1_SSCC:
        return has(gs1, 0, 0);
    default:
        return true;
    }
}

souk_err souk_gs1_pairs(const souk_gs1 *gs1, souk_diag *diag)
{
    static const char *const words[] = {
        [SOUK_GS1_PRODUCT] = "the item it tells about, as (01)",
        [SOUK_GS1_ITEM] = "the item it tells about, as (01)",
        [SOUK_GS1_MEASURE] = "the item, as (01), and its measure or count, as (3103) or (30)",
        [SOUK_GS1_SSCC] = "the box it tells about, (00)",
    };
    SOUK_TRY(check_excluded(gs1, diag));
    for (size_t i = 0; i < gs1->count; i++) {
        unsigned number = gs1->fields[i].ai;
        souk_gs1_need need = souk_gs1_ai_of(number)->need;
        if (!is_met(gs1, number, need))
            return souk_diag_say(diag, SOUK_EINVAL,
                                 "(%0*u) needs %s: scan the label's other code as well",
                                 (int)souk_gs1_ai_digits(number), number, words[need]);
    }
    if (has(gs1, 2, 2) && !has(gs1, 37, 37))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "(02) needs (37), how many are inside: scan the label's other code "
                             "as well");
    if (has(gs1, 37, 37) && !has(gs1, 2, 2) && !has(gs1, 8026, 8026))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "(37) needs (02), what is inside: scan the label's other code as "
                             "well");
    return SOUK_OK;
}
