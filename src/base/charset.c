/* charset.c - see charset.h. */
#include "base/charset.h"

#include "base/utf8.h"

#include <errno.h>
#include <iconv.h>

static const char *const words[SOUK_CHARSET_COUNT] = {
#define SOUK_CHARSET_WORD(name, word) word,
    SOUK_CHARSETS(SOUK_CHARSET_WORD)
#undef SOUK_CHARSET_WORD
};

const char *souk_charset_word(souk_charset charset)
{
    souk_assert((unsigned)charset < SOUK_CHARSET_COUNT);
    return words[charset];
}

bool souk_charset_of_word(souk_text word, souk_charset *ret_charset)
{
    static const struct {
        const char *word;
        souk_charset charset;
    } others[] = {
        {"utf8", SOUK_CHARSET_UTF8},
        {"utf-16", SOUK_CHARSET_UTF16LE},
        {"gbk", SOUK_CHARSET_GB18030},
        {"gb2312", SOUK_CHARSET_GB18030},
        {"cp936", SOUK_CHARSET_GB18030},
        {"latin1", SOUK_CHARSET_WINDOWS_1252},
        {"iso-8859-1", SOUK_CHARSET_WINDOWS_1252},
        {"cp1252", SOUK_CHARSET_WINDOWS_1252},
    };
    for (int i = 0; i < SOUK_CHARSET_COUNT; i++)
        if (souk_text_equal_nocase(word, souk_text_of(words[i]))) {
            *ret_charset = (souk_charset)i;
            return true;
        }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (souk_text_equal_nocase(word, souk_text_of(others[i].word))) {
            *ret_charset = others[i].charset;
            return true;
        }
    return false;
}

/* ---- guessing -------------------------------------------------------------------------------------------- */

/* The length of the UTF-8 sequence that the text begins with; 0: none. */
static size_t sequence_bytes(souk_text text)
{
    unsigned char first = (unsigned char)text.at[0];
    size_t bytes = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    bool fits = bytes && bytes <= text.bytes && souk_utf8_valid((souk_text){text.at, bytes});
    return fits ? bytes : 0;
}

/* Valid, but perhaps for a character cut at the end, or for few damaged ones among many whole. */
static bool is_utf8(souk_text text, bool is_whole)
{
    size_t sequences = 0, faults = 0;
    if (souk_utf8_valid(text))
        return true;
    while (text.bytes) {
        size_t bytes = (unsigned char)text.at[0] < 0x80 ? 1 : sequence_bytes(text);
        bool is_cut = bytes == 0 && !is_whole && text.bytes < 4;
        sequences += bytes > 1;
        faults += bytes == 0 && !is_cut;
        bytes = souk_max_size(bytes, 1);
        text.at += bytes;
        text.bytes -= bytes;
    }
    return faults == 0 || sequences > 10 * faults;
}

static bool in(unsigned char byte, unsigned char from, unsigned char to)
{
    return byte >= from && byte <= to;
}

/* Most Chinese characters are two bytes above A0, rare ones four (GB 18030-2005, 4.3). */
static bool is_mostly_pairs(souk_text text)
{
    const unsigned char *at = (const unsigned char *)text.at, *end = at + text.bytes;
    size_t pairs = 0, single = 0;
    while (at < end) {
        if (*at < 0x80) {
            at++;
        } else if (end - at >= 2 && in(at[0], 0xA1, 0xFE) && in(at[1], 0xA1, 0xFE)) {
            pairs++;
            at += 2;
        } else if (end - at >= 4 && in(at[0], 0x81, 0xFE) && in(at[1], '0', '9') &&
                   in(at[2], 0x81, 0xFE) && in(at[3], '0', '9')) {
            pairs++;
            at += 4;
        } else {
            single++;
            at++;
        }
    }
    return pairs > 2 * single;
}

souk_charset souk_charset_guess(souk_text head, bool is_whole)
{
    size_t zeros[2] = {0, 0}, pairs = head.bytes / 2;
    if (souk_text_starts(head, SOUK_TEXT("\xEF\xBB\xBF")))
        return SOUK_CHARSET_UTF8;
    if (souk_text_starts(head, SOUK_TEXT("\xFF\xFE")))
        return SOUK_CHARSET_UTF16LE;
    if (souk_text_starts(head, SOUK_TEXT("\xFE\xFF")))
        return SOUK_CHARSET_UTF16BE;
    for (size_t i = 0; i < head.bytes; i++)
        zeros[i % 2] += head.at[i] == 0;
    if (pairs && zeros[1] * 4 > pairs && zeros[1] > 4 * zeros[0])
        return SOUK_CHARSET_UTF16LE;
    if (pairs && zeros[0] * 4 > pairs && zeros[0] > 4 * zeros[1])
        return SOUK_CHARSET_UTF16BE;
    if (is_utf8(head, is_whole))
        return SOUK_CHARSET_UTF8;
    return is_mostly_pairs(head) ? SOUK_CHARSET_GB18030 : SOUK_CHARSET_WINDOWS_1252;
}

/* ---- decoding -------------------------------------------------------------------------------------------- */

enum { CUT_MOST = 8 }; /* bytes of a character that a chunk may cut, and room */

struct souk_decoder {
    souk_mem *mem;
    iconv_t with; /* (iconv_t)-1: it is UTF-8 */
    souk_buf text;
    char cut[CUT_MOST];
    size_t cut_bytes;
    uint64_t faults;
};

souk_err souk_decoder_new(souk_mem *mem, souk_charset charset, souk_decoder **ret_decoder)
{
    souk_auto(souk_decoder) decoder = souk_mem_get(mem, sizeof *decoder);
    if (!decoder)
        return SOUK_ENOMEM;
    decoder->mem = mem;
    decoder->text = (souk_buf){.mem = mem};
    decoder->with = (iconv_t)-1;
    if (charset != SOUK_CHARSET_UTF8) {
        const char *name = charset == SOUK_CHARSET_WINDOWS_1252 ? "CP1252" : words[charset];
        decoder->with = iconv_open("UTF-8", name);
        if (decoder->with == (iconv_t)-1)
            return errno == ENOMEM ? SOUK_ENOMEM : SOUK_EUNSUPPORTED;
    }
    *ret_decoder = souk_take(&decoder);
    return SOUK_OK;
}

void souk_decoder_free(souk_decoder *decoder)
{
    if (!decoder)
        return;
    if (decoder->with != (iconv_t)-1)
        iconv_close(decoder->with);
    souk_buf_done(&decoder->text);
    souk_mem_put(decoder->mem, decoder);
}

uint64_t souk_decoder_faults(const souk_decoder *decoder)
{
    return decoder->faults;
}

/* Converts what it can; what is left at the end is the beginning of a character. */
static souk_err convert(souk_decoder *decoder, char **at, size_t *left)
{
    while (*left) {
        size_t room = *left * 3 + 16; /* a byte is three at most: U+FFFD */
        char *to = souk_buf_room(&decoder->text, room);
        if (!to)
            return souk_buf_check(&decoder->text);
        size_t unused = room;
        size_t done = iconv(decoder->with, at, left, &to, &unused);
        souk_err err = done == (size_t)-1 && errno == EINVAL ? SOUK_EINVAL : SOUK_OK;
        bool is_fault = done == (size_t)-1 && errno == EILSEQ;
        souk_buf_added(&decoder->text, room - unused);
        if (err)
            return SOUK_OK;
        if (is_fault) {
            souk_buf_text(&decoder->text, SOUK_TEXT("\xEF\xBF\xBD"));
            decoder->faults++;
            ++*at;
            --*left;
            iconv(decoder->with, NULL, NULL, NULL, NULL);
        }
    }
    return souk_buf_check(&decoder->text);
}

/* Completes the character that the chunk before cut; moves the chunk's start. */
static souk_err complete(souk_decoder *decoder, souk_text *chunk)
{
    while (decoder->cut_bytes && chunk->bytes) {
        souk_assert(decoder->cut_bytes < CUT_MOST);
        decoder->cut[decoder->cut_bytes++] = *chunk->at++;
        chunk->bytes--;
        char *at = decoder->cut;
        size_t left = decoder->cut_bytes;
        SOUK_TRY(convert(decoder, &at, &left));
        memmove(decoder->cut, at, left);
        decoder->cut_bytes = left;
    }
    return SOUK_OK;
}

souk_err souk_decoder_feed(souk_decoder *decoder, souk_text chunk, bool last, souk_text *ret_text)
{
    if (decoder->with == (iconv_t)-1) {
        *ret_text = chunk;
        return SOUK_OK;
    }
    souk_buf_clear(&decoder->text);
    SOUK_TRY(complete(decoder, &chunk));
    if (chunk.bytes) {
        char *at = (char *)(uintptr_t)chunk.at; /* iconv does not write there */
        size_t left = chunk.bytes;
        SOUK_TRY(convert(decoder, &at, &left));
        souk_assert(left < CUT_MOST);
        memcpy(decoder->cut, at, left);
        decoder->cut_bytes = left;
    }
    if (last && decoder->cut_bytes) {
        souk_buf_text(&decoder->text, SOUK_TEXT("\xEF\xBF\xBD"));
        decoder->faults++;
        decoder->cut_bytes = 0;
    }
    *ret_text = souk_buf_view(&decoder->text);
    return souk_buf_check(&decoder->text);
}
