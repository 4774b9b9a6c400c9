/* text.c - slices and the growing buffer of text.h. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

int souk_text_compare(souk_text a, souk_text b)
{
    size_t shared = souk_min_size(a.bytes, b.bytes);
    int order = shared ? memcmp(a.at, b.at, shared) : 0;
    return order ? order : (a.bytes > b.bytes) - (a.bytes < b.bytes);
}

static unsigned char fold(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool souk_text_equal_nocase(souk_text a, souk_text b)
{
    if (a.bytes != b.bytes)
        return false;
    for (size_t i = 0; i < a.bytes; i++)
        if (fold(a.at[i]) != fold(b.at[i]))
            return false;
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

souk_text souk_text_trim(souk_text text)
{
    while (text.bytes && is_space(text.at[0])) {
        text.at++;
        text.bytes--;
    }
    while (text.bytes && is_space(text.at[text.bytes - 1]))
        text.bytes--;
    return text;
}

souk_text souk_text_cut(souk_text *rest, char mark)
{
    const char *found = rest->bytes ? memchr(rest->at, mark, rest->bytes) : NULL;
    souk_text head = *rest;
    if (!found) {
        *rest = (souk_text){NULL, 0};
        return head;
    }
    head.bytes = (size_t)(found - rest->at);
    rest->bytes -= head.bytes + 1;
    rest->at = found + 1;
    return head;
}

souk_err souk_text_to_u64(souk_text text, uint64_t *ret_number)
{
    if (text.bytes == 0)
        return SOUK_EINVAL;
    uint64_t number = 0;
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return SOUK_EINVAL;
        if (__builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, (uint64_t)(text.at[i] - '0'), &number))
            return SOUK_EOVERFLOW;
    }
    *ret_number = number;
    return SOUK_OK;
}

char *souk_text_in(souk_arena *arena, souk_text text)
{
    char *copy = souk_arena_get(arena, text.bytes + 1);
    if (copy && text.bytes && !arena->failed)
        memcpy(copy, text.at, text.bytes);
    return copy;
}

void souk_buf_done(souk_buf *buf)
{
    if (buf->at)
        souk_mem_put(buf->mem, buf->at);
    buf->at = NULL;
    buf->bytes = buf->capacity = 0;
}

void souk_buf_clear(souk_buf *buf)
{
    buf->bytes = 0;
    buf->failed = SOUK_OK;
}

souk_err souk_buf_check(const souk_buf *buf)
{
    return buf->failed;
}

char *souk_buf_grow(souk_buf *buf, size_t bytes)
{
    if (buf->failed)
        return NULL;
    size_t limit = buf->limit_bytes ? buf->limit_bytes : (size_t)64 << 20;
    size_t need;
    if (__builtin_add_overflow(buf->bytes, bytes, &need))
        need = SIZE_MAX;
    souk_mem *mem = buf->mem ? buf->mem : souk_mem_heap();
    buf->mem = mem;
    buf->failed = souk_mem_grow(mem, &buf->at, &buf->capacity, need, limit, 1);
    return buf->failed ? NULL : buf->at + buf->bytes;
}

void souk_buf_append(souk_buf *buf, const void *from, size_t bytes)
{
    if (bytes == 0)
        return;
    char *to = souk_buf_room(buf, bytes);
    if (!to)
        return;
    memcpy(to, from, bytes);
    buf->bytes += bytes;
}

void souk_buf_text(souk_buf *buf, souk_text text)
{
    souk_buf_append(buf, text.at, text.bytes);
}

void souk_buf_print(souk_buf *buf, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    souk_assert(length >= 0);
    char *to = souk_buf_room(buf, (size_t)length + 1);
    if (to) {
        vsnprintf(to, (size_t)length + 1, format, again);
        buf->bytes += (size_t)length;
    }
    va_end(again);
    va_end(arguments);
}

const char *souk_buf_ended(souk_buf *buf)
{
    char *end = souk_buf_room(buf, 1);
    if (!end)
        return "";
    *end = '\0';
    return buf->at;
}

void souk_buf_varint(souk_buf *buf, uint64_t v)
{
    unsigned char bytes[10];
    size_t count = 0;
    do {
        bytes[count++] = (unsigned char)(v & 127) | (v > 127 ? 128 : 0);
        v >>= 7;
    } while (v);
    souk_buf_append(buf, bytes, count);
}

bool souk_varint_read_long(const unsigned char **at, const unsigned char *end, uint64_t *ret_v)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (*at >= end)
            return false;
        unsigned char byte = *(*at)++;
        if (shift == 63 && byte > 1)
            return false;
        v |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            *ret_v = v;
            return true;
        }
    }
    return false;
}

void souk_hex(const void *from, size_t bytes, char *to)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *at = from;
    for (size_t i = 0; i < bytes; i++) {
        to[2 * i] = digits[at[i] >> 4];
        to[2 * i + 1] = digits[at[i] & 15];
    }
}

static int unhex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool souk_unhex(souk_text hex, void *to, size_t bytes)
{
    unsigned char *out = to;
    if (hex.bytes != 2 * bytes)
        return false;
    for (size_t i = 0; i < bytes; i++) {
        int high = unhex_digit(hex.at[2 * i]), low = unhex_digit(hex.at[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}
