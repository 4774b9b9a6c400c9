/* pan.h - is there the number of a payment card in this text?  Such a number must never be kept, printed or logged.
 *
 *     if (souk_pan_find(note).at)
 *         return souk_diag_say(diag, SOUK_EINVAL, "this holds the number of a payment card: leave it out");
 *
 * Found is a run of 13 to 19 digits that
 *
 *   1. stands alone: no letter or digit touches it, nor a '.' or ',' with a digit behind;
 *   2. is written as cards are: all together, or in groups of four with a last one of one to four, 4-6-5 or 4-6-4,
 *      with one same mark between all groups, ' ' or '-';
 *   3. begins as an issuer's numbers do and has one of this issuer's lengths (the table in pan.c);
 *   4. keeps the Luhn rule (ISO/IEC 7812-1 annex B).
 *
 * All four, because a text of a shop is full of other long numbers.  What is left is chance: of numbers with
 * random digits 2.8 % are taken for a card with 16 digits, 1.4 % with 19, 1.0 % with 13, 0.4 % with 14, 0.2 % with
 * 15, 17 or 18 and none with others; of order numbers that begin with their year or that a letter touches, of
 * moments in milliseconds and of EAN-13 of China none.
 * A GTIN-13 that begins with 4 keeps rule 4 one time in ten: in a field for product codes ask gtin.h first, as scan.h
 * does; in free text it is taken for a card.
 *
 * Never put what was found into words or logs.
 *
 * Cost     a few instructions a byte of text without long numbers; a hundred for each run of 13 to 19 digits
 * Source   ISO/IEC 7812-1:2017; the issuers' published ranges, as of 2025
 * Threads  pure */
#ifndef SOUK_BASE_PAN_H
#define SOUK_BASE_PAN_H

#include "base/text.h"

/* The first one, with its spaces or dashes; {NULL, 0}: there is none. */
souk_text souk_pan_find(souk_text text);

/* Does a run of digits alone keep rules 3 and 4? */
bool souk_pan_is(souk_text digits);

#endif
