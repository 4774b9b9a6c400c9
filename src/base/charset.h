/* charset.h - which encoding is this text in, and the same as UTF-8, piece by piece.
 *
 *     souk_charset charset = souk_charset_guess(head, false);
 *     souk_auto(souk_decoder) decoder = NULL;
 *     SOUK_TRY(souk_decoder_new(mem, charset, &decoder));
 *     while (!last) {
 *         SOUK_TRY(souk_decoder_feed(decoder, chunk, last, &text));       slices of the chunk where it is UTF-8
 *         use(text);
 *     }
 *     if (souk_decoder_faults(decoder)) ...                   it was another encoding, or is damaged
 *
 * The guess: a byte order mark; zero bytes at every other place (UTF-16); UTF-8 but for few bytes; else bytes above 127 that
 * mostly stand in pairs are GB18030, and single ones Windows' code page of western Europe.  A guess: say what it
 * was, and let the user say better.
 * A mark in front stays (U+FEFF): csv.h skips it.  UTF-8 is passed through as it is; what is not valid in another
 * encoding becomes U+FFFD and is counted.
 *
 * Cost     UTF-8: nothing; others: iconv, some 100 MB/s
 * Source   GB 18030-2005 and code page 1252 as glibc has them
 * Threads  a decoder belongs to one */
#ifndef SOUK_BASE_CHARSET_H
#define SOUK_BASE_CHARSET_H

#include "base/text.h"

/*    name          word */
#define SOUK_CHARSETS(X)   \
    X(UTF8, "UTF-8")       \
    X(UTF16LE, "UTF-16LE") \
    X(UTF16BE, "UTF-16BE") \
    X(GB18030, "GB18030")  \
    X(WINDOWS_1252, "windows-1252")
typedef enum souk_charset {
#define SOUK_CHARSET_ENUM(name, word) SOUK_CHARSET_##name,
    SOUK_CHARSETS(SOUK_CHARSET_ENUM)
#undef SOUK_CHARSET_ENUM
        SOUK_CHARSET_COUNT
} souk_charset;

const char *souk_charset_word(souk_charset charset);
/* Any case; "gbk", "gb2312", "latin1" and "iso-8859-1" are names of wider ones here.  False: unknown. */
bool souk_charset_of_word(souk_text word, souk_charset *ret_charset);

/* is_whole: nothing follows the text. */
souk_charset souk_charset_guess(souk_text head, bool is_whole);

typedef struct souk_decoder souk_decoder;
/* SOUK_EUNSUPPORTED: this machine's iconv lacks it. */
SOUK_CHECKED souk_err souk_decoder_new(souk_mem *mem, souk_charset charset,
                                       souk_decoder **ret_decoder);
void souk_decoder_free(souk_decoder *decoder);
SOUK_AUTO(souk_decoder)

/* The chunk as UTF-8, but for a character cut at its end, which comes with the next; lives until the next feed.
 * SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_decoder_feed(souk_decoder *decoder, souk_text chunk, bool last,
                                        souk_text *ret_text);
uint64_t souk_decoder_faults(const souk_decoder *decoder);

#endif
