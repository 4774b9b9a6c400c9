/* scan.h - what a till's scanner sent, told plainly: which product to look for, and how much of it.
 *
 *     souk_scan scan;
 *     SOUK_TRY(souk_scan_read(text, &measures, today, &scan, diag));
 *     for (size_t i = 0; i < scan.code_count; i++)
 *         if (find_product(scan.codes[i].kind, scan.codes[i].text)) ...          the first that is known is meant
 *     if (scan.has_measure)
 *         quantity = scan.measure;                                               1.25 of scan.unit, "kg"
 *
 * Whatever the label is, one door takes it; white space around it (a scanner's Enter) is cut off, a prefix of
 * ISO/IEC 15424 as ]E0 is believed:
 *
 *     4006381333931                              EAN-13, EAN-8, UPC-A, GTIN-14 with its check digit; UPC-E
 *     2100042012509                              a scale's code, by the templates of measure.h; before all others
 *     (01)90614141000015(3103)001250             GS1, as typed or with 0x1D: needs (01), (8006) or (02)
 *     https://shop.example/01/09506000134352     GS1 Digital Link
 *     KAFFEE-500                                 anything else is the shop's own number, up to 48 characters
 *
 * Which code means what, where several could: eight digits may be an EAN-8 and a UPC-E, then both are told.  12,
 * 13 or 14 digits with a wrong check digit are a damaged label and refused; eight such digits may be the shop's
 * own. The text as it came is the last of the codes, for shops whose own number is the bar code.
 *
 * A card number is refused (pan.h), but for a number that is a valid code: those are told apart by nothing.  The batch,
 * serial and other fields of a GS1 label are not searched: serials of phones look like cards.
 *
 * Errors   SOUK_EINVAL, SOUK_ESYNTAX, SOUK_ETOOBIG, SOUK_EOVERFLOW with words that never quote what was scanned
 * Cost     instructions, with three templates: EAN-13 2,000; a scale's code 3,000; a GS1 label with weight, price and
 *          batch 11,000; a link 14,000
 * Threads  pure; the result is a value without pointers into the text */
#ifndef SOUK_BASE_SCAN_H
#define SOUK_BASE_SCAN_H

#include "base/gs1.h"
#include "base/measure.h"

typedef enum souk_scan_kind {
    SOUK_SCAN_GTIN, /* 14 digits */
    SOUK_SCAN_ITEM, /* the item's digits in a scale's code, as the template cuts them */
    SOUK_SCAN_SKU,  /* the shop's own number, as it came */
} souk_scan_kind;

enum {
    SOUK_SCAN_CODES = 4,
    SOUK_SCAN_CHARACTERS = 48,
    SOUK_SCAN_CODE_BYTES = 4 * SOUK_SCAN_CHARACTERS + 1,
    SOUK_SCAN_FIELD_BYTES = 21, /* a batch or serial, with its NUL */
};

typedef struct souk_scan_code {
    souk_scan_kind kind;
    char text[SOUK_SCAN_CODE_BYTES];
} souk_scan_code;

typedef struct souk_scan {
    size_t code_count; /* at least 1 */
    souk_scan_code codes[SOUK_SCAN_CODES];
    char batch[SOUK_SCAN_FIELD_BYTES], serial[SOUK_SCAN_FIELD_BYTES]; /* "": not told */
    int64_t expiry_day, best_before_day, sell_by_day; /* since 1970; SOUK_GS1_NO_DAY: not told */
    bool has_measure, has_price, has_unit_price;
    souk_decimal measure;    /* weight, else area, volume or length, in `unit` */
    const char *unit;        /* a literal, "kg"; NULL without a measure */
    souk_decimal price;      /* to pay for this piece */
    souk_decimal unit_price; /* of one unit of the measure */
    char currency[4];        /* "": that of the shop */
    uint64_t count;          /* pieces in it; 0: not told, so one */
} souk_scan;

/* today is a day since 1970, for years of two digits; measures may be NULL.  On failure *ret_scan is as it was. */
SOUK_CHECKED souk_err souk_scan_read(souk_text text, const souk_measures *measures, int64_t today,
                                     souk_scan *ret_scan, souk_diag *diag);

#endif
