/* inflate.h - gzip, with a hard cap: a bomb is refused before it is inflated beyond it.
 *
 *     if (souk_is_gzip(body))
 *         SOUK_TRY(souk_inflate(body, 4 << 20, &out));
 *
 * Members  as many as there are, one behind the other, are one text (RFC 1952 2.2): `cat a.gz b.gz`, pigz and
 *          bgzip make such files; bytes behind the last one that are no member damage it
 * Errors   SOUK_ETOOBIG: above most_bytes, or above the ceiling of out.  SOUK_ESYNTAX: not gzip, or damaged.
 * Cost     at most twice the inflating of what it says, whatever it says of its size
 * Source   RFC 1952, through libdeflate */
#ifndef SOUK_SERVICE_COLLECT_INFLATE_H
#define SOUK_SERVICE_COLLECT_INFLATE_H

#include "base/text.h"

static inline bool souk_is_gzip(souk_text bytes)
{
    return bytes.bytes > 18 && bytes.at[0] == '\x1f' && bytes.at[1] == '\x8b';
}
/* Appends what was compressed to out; after an error out holds a part of it. */
SOUK_CHECKED souk_err souk_inflate(souk_text gzip, size_t most_bytes, souk_buf *out);

#endif
