/* text.h - a slice of bytes that somebody else owns, and a buffer that grows to a ceiling.
 *
 *     souk_text name = SOUK_TEXT("salty");
 *     if (souk_text_equal(name, SOUK_TEXT("sweet"))) ...
 *     printf("%.*s\n", SOUK_TEXT_PRINT(name));
 *
 *     souk_auto_value(souk_buf) out = {.mem = mem, .limit_bytes = 4096};
 *     souk_buf_text(&out, name);
 *     souk_buf_print(&out, " %d", 7);
 *     SOUK_TRY(souk_buf_check(&out));
 *
 * Slices are not ended by NUL.  A buffer's failure is sticky (no memory, or above its ceiling):
 * write on, check once. */
#ifndef SOUK_BASE_TEXT_H
#define SOUK_BASE_TEXT_H

#include "base/mem.h"

#include <string.h>

typedef struct souk_text {
    const char *at;
    size_t bytes;
} souk_text;

#define SOUK_TEXT(literal)    ((souk_text){"" literal, sizeof(literal) - 1})
#define SOUK_TEXT_PRINT(text) (int)(text).bytes, (text).at ? (text).at : ""

static inline souk_text souk_text_of(const char *ended_by_nul)
{
    return (souk_text){ended_by_nul, ended_by_nul ? strlen(ended_by_nul) : 0};
}
static inline souk_text souk_text_range(const char *at, const char *end)
{
    return (souk_text){at, (size_t)(end - at)};
}
static inline bool souk_text_equal(souk_text a, souk_text b)
{
    return a.bytes == b.bytes && (a.bytes == 0 || memcmp(a.at, b.at, a.bytes) == 0);
}
static inline bool souk_text_starts(souk_text text, souk_text with)
{
    return text.bytes >= with.bytes && (with.bytes == 0 || !memcmp(text.at, with.at, with.bytes));
}
/* Byte order, shorter first on a tie; as memcmp. */
int souk_text_compare(souk_text a, souk_text b);
/* ASCII letters folded; other bytes compare as they are. */
bool souk_text_equal_nocase(souk_text a, souk_text b);
/* Without ASCII white space at both ends. */
souk_text souk_text_trim(souk_text text);
/* Cuts off and returns what stands before the first `mark`; the whole text where there is none. */
souk_text souk_text_cut(souk_text *rest, char mark);
/* Decimal digits only, no sign, no space.  SOUK_EINVAL, SOUK_EOVERFLOW. */
SOUK_CHECKED souk_err souk_text_to_u64(souk_text text, uint64_t *ret_number);
/* A NUL-ended copy in the arena (see mem.h for its failure). */
char *souk_text_in(souk_arena *arena, souk_text text);

typedef struct souk_buf {
    souk_mem *mem;
    size_t limit_bytes; /* 0: 64 MiB */
    char *at;           /* not ended by NUL, see souk_buf_ended */
    size_t bytes, capacity;
    souk_err failed; /* sticky */
} souk_buf;

void souk_buf_done(souk_buf *buf);
/* Empty again, memory kept, failure forgotten. */
void souk_buf_clear(souk_buf *buf);
SOUK_CHECKED souk_err souk_buf_check(const souk_buf *buf);
/* Room for `bytes` more at the end, which the caller fills and then counts with souk_buf_added;
 * NULL after a failure. */
char *souk_buf_grow(souk_buf *buf, size_t bytes); /* for souk_buf_room alone */
static inline char *souk_buf_room(souk_buf *buf, size_t bytes)
{
    bool fits = buf->at && !buf->failed && bytes <= buf->capacity - buf->bytes;
    return fits ? buf->at + buf->bytes : souk_buf_grow(buf, bytes);
}
static inline void souk_buf_added(souk_buf *buf, size_t bytes)
{
    souk_assert(bytes <= buf->capacity - buf->bytes);
    buf->bytes += bytes;
}
void souk_buf_append(souk_buf *buf, const void *from, size_t bytes);
void souk_buf_text(souk_buf *buf, souk_text text);
static inline void souk_buf_byte(souk_buf *buf, char byte)
{
    char *to = souk_buf_room(buf, 1);
    if (!to)
        return;
    *to = byte;
    buf->bytes++;
}
void souk_buf_print(souk_buf *buf, const char *format, ...) SOUK_PRINTF(2, 3);
static inline souk_text souk_buf_view(const souk_buf *buf)
{
    return (souk_text){buf->at, buf->bytes};
}
/* The bytes with a NUL behind them (not counted); "" after a failure. */
const char *souk_buf_ended(souk_buf *buf);

/* Integers in bytes, little end first. */
static inline void souk_put_u16(void *to, uint16_t v)
{
    memcpy(to, &v, sizeof v);
}
static inline void souk_put_u32(void *to, uint32_t v)
{
    memcpy(to, &v, sizeof v);
}
static inline void souk_put_u64(void *to, uint64_t v)
{
    memcpy(to, &v, sizeof v);
}
static inline uint16_t souk_get_u16(const void *from)
{
    uint16_t v;
    memcpy(&v, from, sizeof v);
    return v;
}
static inline uint32_t souk_get_u32(const void *from)
{
    uint32_t v;
    memcpy(&v, from, sizeof v);
    return v;
}
static inline uint64_t souk_get_u64(const void *from)
{
    uint64_t v;
    memcpy(&v, from, sizeof v);
    return v;
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "stored integers are little endian");

/* LEB128 base-128 integers: 7 bits a byte, low first; souk_zigzag folds the sign into bit 0. */
void souk_buf_varint(souk_buf *buf, uint64_t v);
/* Reads one and moves *at; false where the bytes end or the number does not fit. */
bool souk_varint_read_long(const unsigned char **at, const unsigned char *end, uint64_t *ret_v);
static inline bool souk_varint_read(const unsigned char **at, const unsigned char *end,
                                    uint64_t *ret_v)
{
    if (*at >= end || **at > 127)
        return souk_varint_read_long(at, end, ret_v);
    *ret_v = *(*at)++;
    return true;
}
static inline uint64_t souk_zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}
static inline int64_t souk_unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/* Lower-case hexadecimal; to has room for 2 * bytes.  Reading: exactly 2 * bytes digits. */
void souk_hex(const void *from, size_t bytes, char *to);
bool souk_unhex(souk_text hex, void *to, size_t bytes);

#endif
