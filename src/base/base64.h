/* base64.h - bytes as letters and back, to the letter of the standard.
 *
 *     char *bytes = souk_arena_get(arena, SOUK_BASE64_ROOM(coded.bytes));
 *     SOUK_TRY(souk_base64_decode(coded, SOUK_BASE64_STANDARD, bytes, &count, diag));
 *
 *     char text[SOUK_BASE64_BYTES(32)];
 *     souk_base64_encode(hash, 32, SOUK_BASE64_STANDARD, text);             44 letters and a NUL
 *
 * Strict   letters of the one alphabet and '=' at the end only; no white space, no line ends; the bits that
 *          stand behind the last byte are zero, so that one text of letters stands for one text of bytes
 * Padding  written unless SOUK_BASE64_BARE; read as it was written, or with SOUK_BASE64_EITHER both ways
 * Cost     one look at each letter in a table; nothing allocates
 * Source   RFC 4648 sections 3.3, 3.5, 4 and 5
 * Threads  no state */
#ifndef SOUK_BASE_BASE64_H
#define SOUK_BASE_BASE64_H

#include "base/text.h"

typedef enum souk_base64 {                           /* bits */
                           SOUK_BASE64_STANDARD = 0, /* with + and /, padded */
                           SOUK_BASE64_URL = 1,      /* with - and _ */
                           SOUK_BASE64_BARE = 2,     /* without padding */
                           SOUK_BASE64_EITHER = 4,   /* reading: with or without padding */
} souk_base64;

/* Room for the letters of so many bytes, with a NUL; room for the bytes of so many letters. */
#define SOUK_BASE64_BYTES(bytes)  (((bytes) + 2) / 3 * 4 + 1)
#define SOUK_BASE64_ROOM(letters) ((letters) / 4 * 3 + 3)

/* Writes the letters and a NUL; returns how many letters. */
size_t souk_base64_encode(const void *from, size_t bytes, unsigned form, char *to);

/* Writes the bytes; `to` may be where the letters stand.
 * SOUK_ESYNTAX: with the place as the diag's column, and words; `to` may hold a part. */
SOUK_CHECKED souk_err souk_base64_decode(souk_text letters, unsigned form, char *to,
                                         size_t *ret_bytes, souk_diag *diag);

#endif
