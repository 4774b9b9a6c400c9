/* gs1_table.h - the application identifiers of the GS1 General Specifications, as a table.
 *
 *     const souk_gs1_ai *ai = souk_gs1_ai_find(SOUK_TEXT("3103001250"));        row 3100 to 3105, four digits
 *
 * A format is a row of parts, each a set of characters and a count:
 *
 *     n6        exactly 6 digits          n digits, x the 82 characters of text, y the 39 of part numbers, z base64url
 *     x<20      1 to 20                   only the last part
 *     ?n<12     may be missing altogether
 *     n14c      and a rule for its content, a letter behind it: see gs1_check.c
 *
 * Company prefixes, countries, currencies, media types, package types, the insides of coupons and of bank accounts are
 * not judged here: a till has no use for a refusal there, and the lists behind them change.
 *
 * Source   GS1 General Specifications 26.0, 3.2 (the list), 4.14 (pairs), 7.8.5 (predefined lengths),
 *          7.11 (characters) */
#ifndef SOUK_BASE_GS1_TABLE_H
#define SOUK_BASE_GS1_TABLE_H

#include "base/text.h"

typedef enum souk_gs1_need {
    SOUK_GS1_ALONE,   /* says something by itself */
    SOUK_GS1_PRODUCT, /* of an item of trade: 01, 02, 03, 8006 or 8026, for 17 also 255 */
    SOUK_GS1_ITEM,    /* and of one whose number is there: 01 or 02 */
    SOUK_GS1_MEASURE, /* and of a variable one: 01 or 02, with a measure or a count */
    SOUK_GS1_SSCC,    /* 00 */
    SOUK_GS1_OTHER,   /* not judged: no till meets it */
} souk_gs1_need;

typedef struct souk_gs1_ai {
    uint16_t first, last; /* 3100 to 3105: the last digit counts decimals */
    const char *format;
    souk_gs1_need need;
    bool predefined;   /* the length is known by the first two digits: no separator behind it */
    bool not_in_query; /* a Digital Link has it in its path, or not at all */
} souk_gs1_ai;

/* The row whose identifier the text begins with; NULL: none. */
const souk_gs1_ai *souk_gs1_ai_find(souk_text text);
/* The row of a number; NULL: none. */
const souk_gs1_ai *souk_gs1_ai_of(unsigned number);
/* How many digits the identifier is written with: 2 to 4. */
unsigned souk_gs1_ai_digits(unsigned number);
/* The n-th row, NULL behind the last. */
const souk_gs1_ai *souk_gs1_ai_at(size_t n);

/* Is this a value of the format?  On refusal *ret_column is its first byte that is wrong, from 0.
 * SOUK_EINVAL, with words that begin behind "(01) ". */
SOUK_CHECKED souk_err souk_gs1_check(const souk_gs1_ai *ai, souk_text value, size_t *ret_column,
                                     const char **ret_words);

#endif
