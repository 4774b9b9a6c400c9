/* epc.h - what an RFID tag says: the 96 bits of an EPC as GTIN and serial number, and their written forms.
 *
 *     souk_epc epc;
 *     SOUK_TRY(souk_epc_read(SOUK_TEXT("3074257BF7194E4000001A85"), &epc, diag));
 *     char text[SOUK_EPC_BYTES];
 *     souk_epc_write(&epc, SOUK_EPC_KEY, text);         "80614141123458", the GTIN-14 with its check digit
 *     souk_epc_write(&epc, SOUK_EPC_SERIAL, text);      "6789"
 *     souk_epc_write(&epc, SOUK_EPC_PURE, text);        "urn:epc:id:sgtin:0614141.812345.6789"
 *     souk_epc_write(&epc, SOUK_EPC_LINK, text);        "https://id.gs1.org/01/80614141123458/21/6789"
 *
 * What is on a tag need not be an EPC: retailers also write numbers of their own there.  So the caller keeps the
 * hexadecimal text that it got, whatever is read here.
 *
 *     bit   0        8        11          14
 *           | header | filter | partition | company prefix | item | serial     of SGTIN-96; 38 bits of serial
 *
 * The partition tells how the next 44 bits (SGTIN), 58 (SSCC) or 41 (SGLN) are cut in two: 12 digits of prefix
 * in 40 bits down to 6 in 20.
 *
 * Errors   SOUK_ESYNTAX: not 24 hexadecimal digits.  SOUK_EINVAL: another header, a partition of 7, a number
 *          with more digits than it may have, or bits set that must be 0
 * Cost     a few dozen instructions
 * Source   GS1 EPC Tag Data Standard 2.0, 14.6.1 to 14.6.3; GS1 Digital Link 1.2; check digits: GS1 General
 *          Specifications 7.9
 * Threads  values, free to share */
#ifndef SOUK_BASE_EPC_H
#define SOUK_BASE_EPC_H

#include "base/text.h"

typedef enum souk_epc_scheme {
    SOUK_EPC_SGTIN, /* an item of trade */
    SOUK_EPC_SSCC,  /* a box or pallet */
    SOUK_EPC_SGLN,  /* a place */
} souk_epc_scheme;

typedef struct souk_epc {
    souk_epc_scheme scheme;
    uint8_t filter; /* 0 to 7: 1 is an item at the till, 2 a case, 6 a unit load */
    uint8_t prefix_digits, item_digits; /* item: with the indicator; of SSCC the serial reference */
    uint64_t prefix, item;
    uint64_t serial; /* SGTIN: below 2^38; SGLN: the extension, 0 is none; SSCC: 0 */
} souk_epc;

/* Upper and lower case. */
SOUK_CHECKED souk_err souk_epc_read(souk_text hex, souk_epc *ret_epc, souk_diag *diag);

typedef enum souk_epc_form {
    SOUK_EPC_KEY,    /* GTIN-14, SSCC-18 or GLN-13, with its check digit */
    SOUK_EPC_SERIAL, /* the serial number or extension; empty where the scheme has none */
    SOUK_EPC_TAG,    /* urn:epc:tag:sgtin-96:3.0614141.812345.6789 */
    SOUK_EPC_PURE,   /* urn:epc:id:sgtin:0614141.812345.6789 */
    SOUK_EPC_CLASS, /* urn:epc:idpat:sgtin:0614141.812345.*: all items of this kind; SGTIN only, else empty */
    SOUK_EPC_LINK, /* a GS1 Digital Link at id.gs1.org */
} souk_epc_form;

enum { SOUK_EPC_BYTES = 80 }; /* room for any form, with its NUL */

/* Writes the form and a NUL, returns its length. */
size_t souk_epc_write(const souk_epc *epc, souk_epc_form form, char out[SOUK_EPC_BYTES]);

/* The digit that belongs behind these digits of a GTIN, SSCC or GLN: '0' to '9'; 0 where there is anything but
 * digits. */
char souk_gs1_check_digit(souk_text digits);

#endif
