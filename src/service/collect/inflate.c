/* inflate.c - inflate.h over libdeflate, which never writes beyond the room it is given. */
#include "service/collect/inflate.h"

#include "os/thread.h"

#include <libdeflate.h>

static _Thread_local struct libdeflate_decompressor *decompressor; /* made once a thread */

static void free_decompressor(void *at)
{
    libdeflate_free_decompressor(at);
}

static souk_err make_decompressor(void)
{
    struct libdeflate_decompressor *made = libdeflate_alloc_decompressor();
    souk_err err = made ? souk_thread_at_end(free_decompressor, made) : SOUK_ENOMEM;
    if (err)
        libdeflate_free_decompressor(made);
    else
        decompressor = made;
    return err;
}

/* The most that a byte of deflate says: 258 bytes in a quarter of one (RFC 1951 3.2.5). */
enum { BYTES_PER_BYTE = 258 * 4 };

/* One member at the start of *rest, which moves behind it. */
static souk_err inflate_member(souk_text *rest, souk_buf *out, size_t room)
{
    size_t read, written;
    char *to = souk_buf_room(out, room);
    if (!to)
        return souk_buf_check(out);
    switch (libdeflate_gzip_decompress_ex(decompressor, rest->at, rest->bytes, to, room, &read,
                                          &written)) {
    case LIBDEFLATE_SUCCESS:
        souk_buf_added(out, written);
        rest->at += read;
        rest->bytes -= read;
        return SOUK_OK;
    case LIBDEFLATE_INSUFFICIENT_SPACE:
        return SOUK_ETOOBIG;
    default:
        return SOUK_ESYNTAX;
    }
}

/* The last four bytes say the size of the last member modulo 2^32, which is true of a file of one member that
 * nobody damaged.  It is where to begin, and no more: each room that is too small is followed by its double. */
static size_t first_room(souk_text gzip, size_t most_bytes)
{
    size_t told = gzip.bytes < 4 ? 0 : souk_get_u32(gzip.at + gzip.bytes - 4);
    size_t possible;
    if (__builtin_mul_overflow(gzip.bytes, (size_t)BYTES_PER_BYTE, &possible))
        possible = SIZE_MAX;
    return souk_min_size(most_bytes, souk_max_size(64, souk_min_size(told, possible)));
}

souk_err souk_inflate(souk_text gzip, size_t most_bytes, souk_buf *out)
{
    size_t before = out->bytes, room = first_room(gzip, most_bytes);
    if (!decompressor)
        SOUK_TRY(make_decompressor());
    do {
        size_t left = most_bytes - (out->bytes - before);
        room = souk_min_size(room, left);
        souk_err err = inflate_member(&gzip, out, room);
        if (err == SOUK_ETOOBIG && room < left && !souk_buf_check(out))
            room = souk_max_size(64, room * 2);
        else if (err)
            return err;
    } while (gzip.bytes);
    return SOUK_OK;
}
