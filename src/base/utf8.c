/* utf8.c - the check of utf8.h.
 *
 * Shop data is mostly ASCII, so that is skipped 32 bytes at a time; the rest goes by the lead byte,
 * which alone decides the length and what the second byte may be (Unicode 15.0, table 3-7):
 *
 *     lead      bytes  second    why not 80..BF
 *     C2..DF    2      80..BF
 *     E0        3      A0..BF    overlong
 *     E1..EC    3      80..BF
 *     ED        3      80..9F    surrogates
 *     EE..EF    3      80..BF
 *     F0        4      90..BF    overlong
 *     F1..F3    4      80..BF
 *     F4        4      80..8F    above U+10FFFF */
#include "base/utf8.h"

#define HIGH_BITS 0x8080808080808080u

static bool is_tail(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

/* The length of the character at at[0], which is not ASCII; 0 where it is none. */
static size_t character_bytes(const unsigned char *at, size_t left)
{
    unsigned char lead = at[0];
    if (lead < 0xC2 || lead > 0xF4 || left < 2)
        return 0;
    unsigned char low = 0x80, high = 0xBF;
    if (lead < 0xE0)
        return is_tail(at[1]) ? 2 : 0;
    if (lead < 0xF0) {
        if (lead == 0xE0)
            low = 0xA0;
        else if (lead == 0xED)
            high = 0x9F;
        return left >= 3 && at[1] >= low && at[1] <= high && is_tail(at[2]) ? 3 : 0;
    }
    if (lead == 0xF0)
        low = 0x90;
    else if (lead == 0xF4)
        high = 0x8F;
    if (left < 4 || at[1] < low || at[1] > high)
        return 0;
    return is_tail(at[2]) && is_tail(at[3]) ? 4 : 0;
}

static size_t ascii_bytes(const unsigned char *at, size_t left)
{
    size_t skipped = 0;
    for (; left - skipped >= 32; skipped += 32) {
        uint64_t words[4];
        memcpy(words, at + skipped, sizeof words);
        if ((words[0] | words[1] | words[2] | words[3]) & HIGH_BITS)
            break;
    }
    while (skipped < left && at[skipped] < 0x80)
        skipped++;
    return skipped;
}

bool souk_utf8_valid(souk_text text)
{
    const unsigned char *at = (const unsigned char *)text.at;
    size_t left = text.bytes;
    while (left) {
        size_t step = at[0] < 0x80 ? ascii_bytes(at, left) : character_bytes(at, left);
        if (step == 0)
            return false;
        at += step;
        left -= step;
    }
    return true;
}

size_t souk_utf8_put(char out[4], uint32_t code_point)
{
    if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF))
        code_point = 0xFFFD;
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    size_t bytes = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (size_t i = bytes - 1; i > 0; i--, code_point >>= 6)
        out[i] = (char)(0x80 | (code_point & 0x3F));
    static const unsigned char marks[5] = {0, 0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(marks[bytes] | code_point);
    return bytes;
}

size_t souk_utf8_control(souk_text text, size_t from)
{
    const unsigned char *at = (const unsigned char *)text.at + from;
    size_t left = text.bytes - from;
    if (left >= 1 && (at[0] < 0x20 || at[0] == 0x7F))
        return 1;
    if (left >= 2 && at[0] == 0xC2 && at[1] >= 0x80 && at[1] < 0xA0)
        return 2;
    if (left < 3 || at[0] != 0xE2)
        return 0;
    bool turns = (at[1] == 0x80 && at[2] >= 0xAA && at[2] <= 0xAE) ||
                 (at[1] == 0x81 && at[2] >= 0xA6 && at[2] <= 0xA9);
    return turns ? 3 : 0;
}

bool souk_utf8_plain(souk_text text)
{
    for (size_t i = 0; i < text.bytes; i++)
        if (souk_utf8_control(text, i))
            return false;
    return souk_utf8_valid(text);
}
