/* gs1.h - what stands in a GS1-128, DataMatrix, QR or DataBar: fields, each with its application identifier.
 *
 *     souk_gs1 gs1;
 *     SOUK_TRY(souk_gs1_read(SOUK_TEXT("]C10190614141000015310300125010B7\x1d" "21S9"), &gs1, diag));
 *     souk_gs1_find(&gs1, 10)                                   "B7", the batch
 *     souk_gs1_reading reading;
 *     SOUK_TRY(souk_gs1_tell(&gs1, today, &reading, diag));
 *     reading.gtin                                              "90614141000015"
 *     reading.measure, reading.unit                             1.25, "kg"
 *
 * Two written forms are read, and both are written:
 *
 *     (01)90614141000015(3103)001250(10)B7(21)S9                as people read it: '(' of a value is told by "\("
 *     0190614141000015 3103001250 10B7<GS>21S9                  as a scanner sends it (no spaces there), FNC1 being
 *                                                               the byte 0x1D, behind each field whose length is
 *                                                               not known by its first two digits
 *
 * Shape    a value: fields are places in `room`, so it may be copied
 * Errors   SOUK_ESYNTAX: no such form, an unknown identifier, a value that breaks its format; diag says which, why and
 *          at which column.  SOUK_ETOOBIG: above the limits below.  On failure *ret_gs1 is as it was
 * Cost     reading a GTIN, weight and batch: about 3,000 instructions
 * Source   GS1 General Specifications 26.0: 3 (identifiers), 7.8 (separators), 7.12 (dates); gs1_table.h has the list
 * Threads  values, free to share */
#ifndef SOUK_BASE_GS1_H
#define SOUK_BASE_GS1_H

#include "base/decimal.h"
#include "base/gs1_table.h"

enum {
    SOUK_GS1_FIELDS = 32,
    SOUK_GS1_ROOM = 1024,   /* all values together */
    SOUK_GS1_TEXT = 4096,   /* of what is read */
    SOUK_GS1_BYTES = 4096,  /* room for any written form, with its NUL */
    SOUK_GS1_MARK = '\x1d', /* FNC1 inside */
};

typedef struct souk_gs1_field {
    uint16_t ai;        /* 1 is (01) */
    uint16_t at, bytes; /* in room */
} souk_gs1_field;

typedef struct souk_gs1 {
    size_t count, room_bytes;
    souk_gs1_field fields[SOUK_GS1_FIELDS]; /* in the order in which they came; none twice */
    char room[SOUK_GS1_ROOM];
} souk_gs1;

/* ---- carriers ---------------------------------------------------------------------------------------- */

typedef enum souk_gs1_carrier {
    SOUK_GS1_NO_PREFIX, /* the scanner says nothing */
    SOUK_GS1_EAN,       /* ]E0 EAN-13, UPC-A or UPC-E as 13 digits, ]E3 with two or five more */
    SOUK_GS1_EAN8,      /* ]E4 */
    SOUK_GS1_ELEMENTS,  /* ]C1 GS1-128, ]e0 DataBar, ]d2 DataMatrix, ]Q3 QR, ]J1 DotCode */
    SOUK_GS1_ITF,       /* ]I0 ]I1 ]I3: ITF-14 */
    SOUK_GS1_PLAIN,     /* any other one: Code 128, Code 39, a QR with a link... */
} souk_gs1_carrier;

/* Cuts the prefix of ISO/IEC 15424 off, ']' and two characters. */
souk_gs1_carrier souk_gs1_strip(souk_text *text);

/* ---- reading ----------------------------------------------------------------------------------------- */

/* Either form, with or without a prefix.  A field that comes twice with one value counts once; with two it is refused.
 * A link is read by gs1_link.h. */
SOUK_CHECKED souk_err souk_gs1_read(souk_text text, souk_gs1 *ret_gs1, souk_diag *diag);

static inline souk_text souk_gs1_value(const souk_gs1 *gs1, size_t index)
{
    return (souk_text){gs1->room + gs1->fields[index].at, gs1->fields[index].bytes};
}
/* {NULL, 0}: there is none. */
souk_text souk_gs1_find(const souk_gs1 *gs1, unsigned ai);
/* The first field of these identifiers, as 3100 to 3105; SIZE_MAX: none. */
size_t souk_gs1_find_range(const souk_gs1 *gs1, unsigned first, unsigned last);

/* One more field, checked. */
SOUK_CHECKED souk_err souk_gs1_add(souk_gs1 *gs1, unsigned ai, souk_text value, souk_diag *diag);

/* Do the fields belong together: what is said about an item has its item, and nothing is said twice in two ways?  Only
 * where all symbols of a label are one text: a label may have its batch in a second one.
 * Only the pairs that a till meets are judged.  SOUK_EINVAL. */
SOUK_CHECKED souk_err souk_gs1_pairs(const souk_gs1 *gs1, souk_diag *diag);

/* ---- writing ----------------------------------------------------------------------------------------- */

/* As a scanner sends it, without a prefix; returns the length, and ends it with NUL. */
size_t souk_gs1_write(const souk_gs1 *gs1, char out[SOUK_GS1_BYTES]);
/* As people read it. */
size_t souk_gs1_write_plain(const souk_gs1 *gs1, char out[SOUK_GS1_BYTES]);

/* ---- what it says ------------------------------------------------------------------------------------ */

#define SOUK_GS1_NO_DAY INT64_MIN

typedef struct souk_gs1_reading {
    souk_text gtin;          /* 14 digits of 01, else of 8006, 02; {NULL, 0}: it names no item */
    souk_text batch, serial; /* 10, 21 */
    /* days since 1970; SOUK_GS1_NO_DAY: none */
    int64_t expiry_day, best_before_day, sell_by_day, packed_day,
        made_day;         /* 17 or 7003, 15, 16, 13, 11 */
    const char *unit;     /* of the measure: "kg", "lb", "m", "m2", "l"...; NULL: there is none */
    souk_decimal measure; /* what is sold: net weight, else area, volume, length */
    bool has_price, has_unit_price;
    souk_decimal price;      /* to pay for this item, 392n and 393n */
    souk_decimal unit_price; /* of one unit of measure, 395n */
    char currency[4];        /* of the price; "": that of the shop */
    uint64_t count;          /* 30, pieces in a bundle that varies; 0: not said */
} souk_gs1_reading;

/* today is a day since 1970: it tells the century of a year with two digits.  Slices live as long as gs1.
 * SOUK_EINVAL: no such day in that century, or no such currency.  SOUK_EOVERFLOW: a price above 9,223,372,036,854 or
 * with more than six decimals that are not 0. */
SOUK_CHECKED souk_err souk_gs1_tell(const souk_gs1 *gs1, int64_t today,
                                    souk_gs1_reading *ret_reading, souk_diag *diag);

/* The day of "YYMMDD", nearest to today (7.12: 49 years back to 50 ahead); day 00 is the last of its month.
 * SOUK_EINVAL: no such day. */
SOUK_CHECKED souk_err souk_gs1_day(souk_text yymmdd, int64_t today, int64_t *ret_day);

#endif
