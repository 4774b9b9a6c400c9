/* http_bytes.h - which bytes may stand where in a request: tokens, hosts, paths, queries, values.
 * Private to the reader of http_parse.h, which says what a wrong one is answered with. */
#ifndef SOUK_SERVE_HTTP_BYTES_H
#define SOUK_SERVE_HTTP_BYTES_H

#include "base/text.h"

/* What a byte may be part of. */
enum {
    HTTP_IN_TOKEN = 1, /* RFC 9110 5.6.2 */
    HTTP_IN_HOST =
        2, /* names and IPv4; sub-delims and percent signs of RFC 3986 name no real host */
    HTTP_IN_PATH =
        4, /* RFC 3986 pchar and '/', and | [ ] ^, which browsers leave as they are (WHATWG
                     URL, path percent-encode set) */
    HTTP_IN_QUERY = 8, /* the same, and what browsers leave in queries: all visible but " # < > */
    HTTP_IN_HEX = 16,
};

extern const unsigned char http_byte_class[256];

static inline bool http_is(char c, unsigned class)
{
    return http_byte_class[(unsigned char)c] & class;
}

/* Of a byte that is HTTP_IN_HEX. */
static inline unsigned http_hex_value(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
}

/* False for the empty text. */
bool http_all_are(souk_text text, unsigned class);
/* A field value: visible ASCII, space, tab and bytes above 127 (RFC 9110 5.5). */
bool http_value_is_clean(souk_text value);
/* A name or address, perhaps in brackets, perhaps with a port. */
bool http_host_is_good(souk_text host);
/* Each '%' is followed by two hexadecimal digits. */
bool http_escapes_are_good(souk_text text);

#endif
