/* base64.c - four letters are three bytes, 6 bits a letter, the first in front:
 *
 *     |  byte 0   |  byte 1   |  byte 2   |
 *     | letter 0 | letter 1 | letter 2 | letter 3 |
 *
 * One byte at the end takes two letters, two take three; "=" fills up to four. */
#include "base/base64.h"

static const char alphabets[2][65] = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

size_t souk_base64_encode(const void *from, size_t bytes, unsigned form, char *to)
{
    const char *letters = alphabets[form & SOUK_BASE64_URL];
    const unsigned char *at = bytes ? from : (const unsigned char *)"", *end = at + bytes;
    char *start = to;
    for (; end - at >= 3; at += 3) {
        uint32_t bits = (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
        *to++ = letters[bits >> 18];
        *to++ = letters[bits >> 12 & 63];
        *to++ = letters[bits >> 6 & 63];
        *to++ = letters[bits & 63];
    }
    if (at < end) {
        uint32_t bits = (uint32_t)at[0] << 16 | (end - at == 2 ? (uint32_t)at[1] << 8 : 0);
        *to++ = letters[bits >> 18];
        *to++ = letters[bits >> 12 & 63];
        if (end - at == 2)
            *to++ = letters[bits >> 6 & 63];
        else if (!(form & SOUK_BASE64_BARE))
            *to++ = '=';
        if (!(form & SOUK_BASE64_BARE))
            *to++ = '=';
    }
    *to = '\0';
    return (size_t)(to - start);
}

/* 0 to 63; 64 where it is no letter of the alphabet. */
static uint32_t value_of(char letter, bool url)
{
    if (letter >= 'A' && letter <= 'Z')
        return (uint32_t)(letter - 'A');
    if (letter >= 'a' && letter <= 'z')
        return (uint32_t)(letter - 'a' + 26);
    if (letter >= '0' && letter <= '9')
        return (uint32_t)(letter - '0' + 52);
    if (letter == (url ? '-' : '+'))
        return 62;
    return letter == (url ? '_' : '/') ? 63 : 64;
}

static souk_err refuse(souk_diag *diag, size_t at, const char *words)
{
    souk_err err = souk_diag_say(diag, SOUK_ESYNTAX, "not base64 at letter %zu: %s", at + 1, words);
    if (diag)
        diag->column = at + 1;
    return err;
}

/* Takes the '=' off the end; those that may stand there stand there. */
static souk_err unpad(souk_text *letters, unsigned form, souk_diag *diag)
{
    size_t whole = letters->bytes;
    while (letters->bytes && whole - letters->bytes < 2 && letters->at[letters->bytes - 1] == '=')
        letters->bytes--;
    size_t padding = whole - letters->bytes, wanted = (4 - letters->bytes % 4) % 4;
    if (letters->bytes % 4 == 1)
        return refuse(diag, letters->bytes, "it is cut off, or a letter is missing");
    if (padding ? (form & SOUK_BASE64_BARE) || padding != wanted
                : wanted && !(form & (SOUK_BASE64_BARE | SOUK_BASE64_EITHER)))
        return refuse(diag, letters->bytes, "the '=' at its end do not fit its length");
    return SOUK_OK;
}

souk_err souk_base64_decode(souk_text letters, unsigned form, char *to, size_t *ret_bytes,
                            souk_diag *diag)
{
    bool url = form & SOUK_BASE64_URL;
    uint32_t bits = 0;
    size_t bytes = 0, i = 0;
    SOUK_TRY(unpad(&letters, form, diag));
    for (; i < letters.bytes; i++) {
        uint32_t value = value_of(letters.at[i], url);
        if (value == 64)
            return refuse(diag, i, "send A to Z, a to z, 0 to 9 and two signs, nothing else");
        bits = bits << 6 | value;
        if (i % 4 == 3) {
            to[bytes++] = (char)(bits >> 16 & 255);
            to[bytes++] = (char)(bits >> 8 & 255);
            to[bytes++] = (char)(bits & 255);
        }
    }
    if (i % 4 && (bits & (i % 4 == 2 ? 15u : 3u)))
        return refuse(diag, i - 1, "the bits behind the last byte are not zero");
    if (i % 4 == 2)
        to[bytes++] = (char)(bits >> 4 & 255);
    if (i % 4 == 3) {
        to[bytes++] = (char)(bits >> 10 & 255);
        to[bytes++] = (char)(bits >> 2 & 255);
    }
    *ret_bytes = bytes;
    return SOUK_OK;
}
