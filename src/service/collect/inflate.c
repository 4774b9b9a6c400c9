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

static souk_err inflate_into(souk_text gzip, void *to, size_t room, size_t *ret_bytes)
{
    if (!decompressor)
        SOUK_TRY(make_decompressor());
    switch (libdeflate_gzip_decompress(decompressor, gzip.at, gzip.bytes, to, room, ret_bytes)) {
    case LIBDEFLATE_SUCCESS:
        return SOUK_OK;
    case LIBDEFLATE_INSUFFICIENT_SPACE:
        return SOUK_ETOOBIG;
    default:
        return SOUK_ESYNTAX;
    }
}

/* The last four bytes say the size modulo 2^32; a liar is caught by the room. */
static size_t told_bytes(souk_text gzip)
{
    return souk_get_u32(gzip.at + gzip.bytes - 4);
}

souk_err souk_inflate(souk_text gzip, size_t most_bytes, souk_buf *out)
{
    size_t room = told_bytes(gzip), got;
    if (room > most_bytes)
        return SOUK_ETOOBIG;
    char *to = souk_buf_room(out, souk_max_size(room, 1));
    if (!to)
        return souk_buf_check(out);
    SOUK_TRY(inflate_into(gzip, to, room, &got));
    souk_buf_added(out, got);
    return SOUK_OK;
}

souk_err souk_inflate_file(souk_mem *mem, souk_text gzip, char **ret_bytes, souk_text *ret_text)
{
    size_t room = told_bytes(gzip), got;
    char *to = souk_mem_resize(mem, NULL, souk_max_size(room, 1));
    if (!to)
        return SOUK_ENOMEM;
    souk_err err = inflate_into(gzip, to, room, &got);
    if (err) {
        souk_mem_put(mem, to);
        return err;
    }
    *ret_bytes = to;
    *ret_text = (souk_text){to, got};
    return SOUK_OK;
}
