/* inflate.h - gzip, with a hard cap: a bomb is refused before it is inflated beyond it.
 *
 *     if (souk_is_gzip(body))
 *         SOUK_TRY(souk_inflate(mem, body, 4 << 20, &out));
 *
 * Errors   SOUK_ETOOBIG: above most_bytes.  SOUK_ESYNTAX: not gzip, or damaged.
 * Source   RFC 1952, through libdeflate */
#ifndef SOUK_SERVICE_COLLECT_INFLATE_H
#define SOUK_SERVICE_COLLECT_INFLATE_H

#include "base/text.h"

static inline bool souk_is_gzip(souk_text bytes)
{
    return bytes.bytes > 18 && bytes.at[0] == '\x1f' && bytes.at[1] == '\x8b';
}
/* Appends what was compressed to out. */
SOUK_CHECKED souk_err souk_inflate(souk_text gzip, size_t most_bytes, souk_buf *out);
/* A whole file, up to 4 GiB; the caller gives *ret_bytes back to mem. */
SOUK_CHECKED souk_err souk_inflate_file(souk_mem *mem, souk_text gzip, char **ret_bytes,
                                        souk_text *ret_text);

#endif
