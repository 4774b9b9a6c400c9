/* utf8.h - is this text UTF-8, to the letter?  And one code point written as such.
 *
 *     if (!souk_utf8_valid(name))
 *         return SOUK_EINVAL;
 *     char bytes[4];
 *     souk_buf_append(&out, bytes, souk_utf8_put(bytes, 0x20AC));     E2 82 AC
 *
 * Strict: no overlong forms, no surrogates (U+D800 to U+DFFF), nothing above U+10FFFF.
 * U+0000 is a character like any other.
 * Cost     ASCII: 32 bytes a step; other text: a table look-up per character
 * Source   RFC 3629; The Unicode Standard 15.0, table 3-7
 * Threads  no state */
#ifndef SOUK_BASE_UTF8_H
#define SOUK_BASE_UTF8_H

#include "base/text.h"

/* The empty text is valid. */
bool souk_utf8_valid(souk_text text);

/* Writes the 1 to 4 bytes of a code point and returns their number; what is no character
 * (a surrogate, above U+10FFFF) becomes U+FFFD. */
size_t souk_utf8_put(char out[4], uint32_t code_point);

/* How many bytes at `from` are a character that a terminal obeys instead of showing it: a control character (C0, DEL,
 * C1) or one that turns the direction of what follows (U+202A to U+202E, U+2066 to U+2069).  0: none. */
size_t souk_utf8_control(souk_text text, size_t from);
/* Valid, and without any of those: fit for a list, a log and a terminal. */
bool souk_utf8_plain(souk_text text);

#endif
