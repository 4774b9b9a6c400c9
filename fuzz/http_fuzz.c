/* http_fuzz.c - any bytes as requests, whole and cut at a place the bytes choose: both read alike. */
#include "serve/http_parse.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static souk_http_progress feed(souk_http_parser *parser, char *at, size_t count)
{
    size_t have = count;
    souk_http_progress progress;
    while ((progress = souk_http_parse(parser, at, &have)) == SOUK_HTTP_HEAD)
        ;
    return progress;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static souk_http_request request;
    souk_http_parser parser;
    char *copy = malloc(count + 1);
    if (!copy)
        return 0;
    memcpy(copy, bytes, count);
    souk_http_parse_init(&parser, &request, 65536);
    souk_http_progress whole = feed(&parser, copy, count);
    memcpy(copy, bytes, count);
    size_t first = count ? bytes[count - 1] % (count + 1) : 0;
    souk_http_parse_init(&parser, &request, 65536);
    souk_http_progress part = feed(&parser, copy, first);
    /* A chunked body is joined in place, so only a request still in its head is fed on as it lies. */
    if (part == SOUK_HTTP_MORE && !parser.head_done) {
        part = feed(&parser, copy, count);
        souk_assert(part == whole);
    }
    free(copy);
    return 0;
}
