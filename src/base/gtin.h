/* gtin.h - the number under a bar code: EAN-13, EAN-8, UPC-A, UPC-E and GTIN-14 as one form.
 *
 *     souk_gtin gtin;
 *     SOUK_TRY(souk_gtin_read(SOUK_TEXT("4006381333931"), &gtin, diag));
 *     gtin.digits                                          "04006381333931", always 14 digits
 *     char text[SOUK_GTIN_BYTES];
 *     souk_gtin_write(&gtin, text);                        "4006381333931", the shortest form
 *
 *     00000096385074      EAN-8        six zeros in front
 *     00036000291452      UPC-A        two
 *     04006381333931      EAN-13       one
 *     10614141000415      GTIN-14      none: the first digit says which package it is
 *
 * The same product has the same 14 digits, whichever form was scanned.  UPC-E is UPC-A with zeros left out.
 *
 * Errors   SOUK_ESYNTAX: other characters than digits, or another count of them.  SOUK_EINVAL: the check digit is
 *          wrong.  On failure nothing is written
 * Cost     about 400 instructions
 * Source   GS1 General Specifications 3.3.2 (14 digits), 5.2.2.4.2 (UPC-E), 7.9 (check digit; it is counted by
 *          souk_gs1_check_digit of epc.h), 1.4.2 (restricted circulation)
 * Threads  values, free to share */
#ifndef SOUK_BASE_GTIN_H
#define SOUK_BASE_GTIN_H

#include "base/text.h"

enum {
    SOUK_GTIN_DIGITS = 14,
    SOUK_GTIN_BYTES = 15, /* with the NUL */
    SOUK_UPCE_BYTES = 9,
};

typedef struct souk_gtin {
    char digits[SOUK_GTIN_BYTES]; /* ended by NUL, the last one is the check digit */
} souk_gtin;

/* 8, 12, 13 or 14 digits with the check digit; eight are an EAN-8. */
SOUK_CHECKED souk_err souk_gtin_read(souk_text digits, souk_gtin *ret_gtin, souk_diag *diag);
/* The zeros come back.  Six digits are those of number system 0 without a check digit, seven have the number system
 * (0 or 1) in front, eight also the check digit behind. */
SOUK_CHECKED souk_err souk_gtin_read_upce(souk_text digits, souk_gtin *ret_gtin, souk_diag *diag);

/* The shortest of 8, 12, 13 and 14 digits, and a NUL; returns its length. */
size_t souk_gtin_write(const souk_gtin *gtin, char out[SOUK_GTIN_BYTES]);
/* Eight digits and a NUL; 0 where the number has no UPC-E. */
size_t souk_gtin_write_upce(const souk_gtin *gtin, char out[SOUK_UPCE_BYTES]);

/* A number that a shop gives within its own walls: EAN-13 02, 04 and 20 to 29, UPC-A 2 and 4, EAN-8 0 and 2.  It
 * means another thing in the next shop. */
bool souk_gtin_is_internal(const souk_gtin *gtin);

#endif
