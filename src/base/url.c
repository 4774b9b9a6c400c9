/* url.c - the readers of url.h. */
#include "base/url.h"

/* The byte at *at of an encoded text, which moves behind it; -1: not an escape, or NUL. */
static int decoded_byte(souk_text text, bool plus_is_space, size_t *at)
{
    char c = text.at[(*at)++];
    if (c == '+' && plus_is_space)
        return ' ';
    if (c != '%')
        return (unsigned char)c;
    unsigned char byte;
    if (text.bytes - *at < 2 || !souk_unhex((souk_text){text.at + *at, 2}, &byte, 1))
        return -1;
    *at += 2;
    return byte ? byte : -1;
}

souk_err souk_url_decode(souk_text from, bool plus_is_space, char *to, size_t *ret_bytes)
{
    size_t bytes = 0;
    for (size_t i = 0; i < from.bytes;) {
        int byte = decoded_byte(from, plus_is_space, &i);
        if (byte < 0)
            return SOUK_ESYNTAX;
        to[bytes++] = (char)byte;
    }
    *ret_bytes = bytes;
    return SOUK_OK;
}

bool souk_url_next(souk_text *rest, souk_text *ret_name, souk_text *ret_value)
{
    while (rest->bytes) {
        souk_text pair = souk_text_cut(rest, '&');
        if (pair.bytes == 0)
            continue;
        *ret_value = pair;
        *ret_name = souk_text_cut(ret_value, '=');
        return true;
    }
    return false;
}

bool souk_url_find(souk_text query, souk_text name, souk_text *ret_value)
{
    souk_text key, value;
    while (souk_url_next(&query, &key, &value)) {
        size_t same = 0, i = 0;
        while (i < key.bytes && same < name.bytes &&
               decoded_byte(key, true, &i) == (unsigned char)name.at[same])
            same++;
        if (i == key.bytes && same == name.bytes) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}
