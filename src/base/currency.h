/* currency.h - the currencies of ISO 4217, by their three letters.
 *
 *     char code[4];
 *     if (souk_currency_read(SOUK_TEXT("eur"), code) == SOUK_OK) ...        code is "EUR"
 *
 * The table holds the codes in use and those withdrawn since 1999, because imported history names them.
 * It is what bounds the totals by currency: a door takes no other code, so a stranger with a public
 * write key cannot fill them with invented ones.
 *
 * Cost     a binary search over its entries; by number one pass over them
 * Source   ISO 4217:2015, lists one (codes in use) and three (withdrawn)
 * Threads  no state */
#ifndef SOUK_BASE_CURRENCY_H
#define SOUK_BASE_CURRENCY_H

#include "base/text.h"

enum { SOUK_CURRENCIES_MOST = 199 }; /* the table never has more: the totals count on it */

/* The code in capitals and a NUL.  SOUK_EINVAL: not three letters.  SOUK_ENOENT: three letters that ISO 4217
 * does not know.  On failure ret_code keeps its old value. */
SOUK_CHECKED souk_err souk_currency_read(souk_text told, char ret_code[4]);

/* The code of a number with three digits, as bar codes have it: "978" is EUR.  SOUK_EINVAL: not three digits.
 * SOUK_ENOENT: no code has it. */
SOUK_CHECKED souk_err souk_currency_of_number(souk_text digits, char ret_code[4]);

/* Places of its minor unit: EUR 2, JPY 0, KWD 3; 2 for a code that ISO 4217 gives none, and for withdrawn ones. */
unsigned souk_currency_exponent(const char code[4]);

/* Minor units as a person reads them, "12.50" with a NUL; returns its length. */
enum { SOUK_MONEY_BYTES = 32 };
size_t souk_money_write(int64_t minor, unsigned exponent, char out[SOUK_MONEY_BYTES]);

/* The n-th code in order of the alphabet, NULL behind the last. */
const char *souk_currency_at(size_t n);

#endif
