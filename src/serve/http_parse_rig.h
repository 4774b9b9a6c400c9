/* http_parse_rig.h - for tests of http_parse.h: requests whole and in pieces, and a table of good and bad ones.
 *
 * Stands after test/test.h. */
#ifndef SOUK_SERVE_HTTP_PARSE_RIG_H
#define SOUK_SERVE_HTTP_PARSE_RIG_H

#include "serve/http_parse.h"

#define HOST "Host: a\r\n"
#define POST "POST /events HTTP/1.1\r\n" HOST

enum { ROOM = 1 << 17, LIMIT = 1000 };

/* What is left of a request when it has been read in some cuts; comparable as text. */
static inline void describe(souk_buf *out, const souk_http_parser *parser,
                            souk_http_progress progress, size_t rest_bytes)
{
    const souk_http_request *r = parser->request;
    souk_buf_print(out, "%d %s %u", progress, souk_http_refusal_name(parser->refusal),
                   progress == SOUK_HTTP_REFUSED ? parser->line : 0);
    if (progress != SOUK_HTTP_DONE)
        return;
    souk_buf_print(out, " %.*s|%.*s|%.*s|%.*s|%.*s|%u%d%d|", SOUK_TEXT_PRINT(r->method),
                   SOUK_TEXT_PRINT(r->target), SOUK_TEXT_PRINT(r->path), SOUK_TEXT_PRINT(r->query),
                   SOUK_TEXT_PRINT(r->host), r->minor_version, r->keep_alive, r->expects_continue);
    for (unsigned i = 0; i < r->header_count; i++) {
        souk_buf_text(out, r->headers[i].name);
        souk_buf_byte(out, '=');
        souk_buf_text(out, r->headers[i].value);
        souk_buf_byte(out, ';');
    }
    souk_buf_byte(out, '|');
    souk_buf_text(out, r->body);
    souk_buf_print(out, "|%zu", rest_bytes);
}

/* Reads one request that arrives in pieces of at most piece_most bytes (0: cut once at cut_at), each
 * time at another address, and describes it. */
static inline void read_in_pieces(souk_test *test, souk_text input, size_t cut_at,
                                  size_t piece_most, souk_buf *out)
{
    souk_http_request request;
    souk_http_parser parser;
    souk_http_parse_init(&parser, &request, LIMIT);
    char *at = souk_mem_get(test->mem, 1);
    size_t taken = 0, bytes = 0;
    souk_http_progress progress = SOUK_HTTP_MORE;
    do {
        size_t piece = input.bytes - taken;
        if (piece_most)
            piece = souk_min_size(piece, 1 + (size_t)test_random(test, piece_most));
        else if (taken < cut_at)
            piece = cut_at;
        char *moved = souk_mem_get(test->mem, bytes + piece);
        SOUK_CHECK(moved);
        memcpy(moved, at, bytes);
        memcpy(moved + bytes, input.at + taken, piece);
        souk_mem_put(test->mem, at);
        at = moved;
        bytes += piece;
        taken += piece;
        do
            progress = souk_http_parse(&parser, at, &bytes);
        while (progress == SOUK_HTTP_HEAD);
    } while (progress == SOUK_HTTP_MORE && taken < input.bytes);
    size_t rest =
        progress == SOUK_HTTP_DONE ? bytes - parser.request_bytes + input.bytes - taken : 0;
    describe(out, &parser, progress, rest);
    souk_mem_put(test->mem, at);
}

static inline souk_http_progress read_whole(souk_http_parser *parser, souk_http_request *request,
                                            char *at, size_t *bytes)
{
    souk_http_parse_init(parser, request, LIMIT);
    souk_http_progress progress = souk_http_parse(parser, at, bytes);
    return progress == SOUK_HTTP_HEAD ? souk_http_parse(parser, at, bytes) : progress;
}

static inline souk_http_refusal refusal_of(souk_text input)
{
    souk_http_request request;
    souk_http_parser parser;
    static char room[ROOM];
    souk_assert(input.bytes <= sizeof room);
    memcpy(room, input.at, input.bytes);
    size_t bytes = input.bytes;
    souk_http_progress progress = read_whole(&parser, &request, room, &bytes);
    souk_assert((progress == SOUK_HTTP_REFUSED) == (parser.refusal != SOUK_HTTP_REFUSAL_NONE));
    return progress == SOUK_HTTP_MORE ? SOUK_HTTP_REFUSAL_COUNT : parser.refusal;
}

#define MORE SOUK_HTTP_REFUSAL_COUNT
#define TEXT(literal)                   \
    {                                   \
        "" literal, sizeof(literal) - 1 \
    } /* fit for static tables */
#define ROW(refusal, text)                      \
    {                                           \
        SOUK_HTTP_REFUSAL_##refusal, TEXT(text) \
    }
typedef struct row {
    souk_http_refusal refusal;
    souk_text input;
} row;

static const row rows[] = {
    /* good */
    ROW(NONE, "GET / HTTP/1.1\r\n" HOST "\r\n"),
    ROW(NONE, "GET /a?b=c&d HTTP/1.1\r\n" HOST "\r\n"),
    ROW(NONE, "GET /%e4%BD%a0?q=a|b[0]`{}\\ HTTP/1.1\r\n" HOST "\r\n"),
    ROW(NONE, "GET http://shop.example:80/a HTTP/1.1\r\n" HOST "\r\n"),
    ROW(NONE, "GET HTTPS://[::1]:8443?x HTTP/1.1\r\n" HOST "\r\n"),
    ROW(NONE, "GET / HTTP/1.0\r\n\r\n"),
    ROW(NONE, "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
    ROW(NONE, "get / HTTP/1.1\r\nhost:a\r\nX:\r\nY: \t a \t b \t\r\nZ: \xe4\xbd\xa0\r\n\r\n"),
    ROW(NONE, "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    ROW(NONE, "GET / HTTP/1.1\r\nHost: [2001:db8::7]:80\r\nConnection: a, close\r\n\r\n"),
    ROW(NONE, POST "Content-Length: 3\r\n\r\nabc"),
    ROW(NONE, POST "Content-Length: 00\r\n\r\n"),
    ROW(NONE, POST "Content-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n"),
    ROW(NONE, POST "Transfer-Encoding:\tChunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET"),
    ROW(NONE,
        POST "Transfer-Encoding: chunked\r\n\r\n0003\r\nabc\r\nA\r\n0123456789\r\n000\r\n\r\n"),
    ROW(NONE,
        POST "Transfer-Encoding: chunked\r\n\r\n1;a;b=c;d=\"\\\"x;\"\r\nz\r\n0;e\r\nT: u\r\n\r\n"),
    ROW(NONE, POST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\nx"),
    ROW(NONE,
        "GET / HTTP/1.1\r\n" HOST "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n"),
    /* not all there */
    {MORE, TEXT("")},
    {MORE, TEXT("GET / HTTP/1.1\r\n" HOST)},
    {MORE, TEXT(POST "Content-Length: 3\r\n\r\nab")},
    {MORE, TEXT(POST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc")},
    /* the request line */
    ROW(METHOD, "\r\nGET / HTTP/1.1\r\n" HOST "\r\n"),
    ROW(METHOD, " GET / HTTP/1.1\r\n" HOST "\r\n"),
    ROW(METHOD, "\x16\x03\x01"),
    ROW(METHOD, "G(T / HTTP/1.1\r\n" HOST "\r\n"),
    ROW(METHOD, "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n" HOST "\r\n"),
    ROW(REQUEST_LINE, "GET /\r\n"),
    ROW(REQUEST_LINE, "GET\t/ HTTP/1.1\r\n"),
    ROW(REQUEST_LINE, "GET / http/1.1\r\n"),
    ROW(REQUEST_LINE, "GET / HTTP/1.1 \r\n"),
    ROW(REQUEST_LINE, "GET / HTTP/11\r\n"),
    ROW(VERSION, "GET / HTTP/1.2\r\n" HOST "\r\n"),
    ROW(VERSION, "GET / HTTP/0.9\r\n\r\n"),
    ROW(VERSION, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ROW(TARGET, "GET  / HTTP/1.1\r\n"),
    ROW(TARGET, "GET /a b HTTP/1.1\r\n"),
    ROW(TARGET, "GET a HTTP/1.1\r\n"),
    ROW(TARGET, "OPTIONS * HTTP/1.1\r\n"),
    ROW(TARGET, "CONNECT a:80 HTTP/1.1\r\n"),
    ROW(TARGET, "GET /% HTTP/1.1\r\n"),
    ROW(TARGET, "GET /?a=%4g HTTP/1.1\r\n"),
    ROW(TARGET, "GET /#a HTTP/1.1\r\n"),
    ROW(TARGET, "GET /\\a HTTP/1.1\r\n"),
    ROW(TARGET, "GET /a\0b HTTP/1.1\r\n"),
    ROW(TARGET, "GET /\xe4 HTTP/1.1\r\n"),
    ROW(TARGET, "GET http:/// HTTP/1.1\r\n"),
    ROW(TARGET, "GET http://u@h/ HTTP/1.1\r\n"),
    ROW(TARGET, "GET http://h:80a/ HTTP/1.1\r\n"),
    ROW(TARGET, "GET ftp://h/ HTTP/1.1\r\n"),
    /* line ends */
    ROW(LINE_END, "GET / HTTP/1.1\n"),
    ROW(LINE_END, "GET / HTTP/1.1\r\nHost: a\n"),
    ROW(LINE_END, "GET / HTTP/1.1\r\n" HOST "\n"),
    ROW(LINE_END, POST "X: a\nContent-Length: 1\r\n\r\nx"),
    ROW(LINE_END, POST "Transfer-Encoding: chunked\r\n\r\n1\nx\n0\n\n"),
    ROW(LINE_END, POST "Transfer-Encoding: chunked\r\n\r\n1\r\nx\n0\r\n\r\n"),
    ROW(LINE_END, POST "Transfer-Encoding: chunked\r\n\r\n1;\nxx\r\n1\r\n0\r\n\r\n"),
    ROW(HEADER_VALUE, POST "X: a\rContent-Length: 1\r\n\r\n"),
    ROW(HEADER_VALUE, POST "X: a\r\r\n\r\n"),
    /* headers */
    ROW(HEADER_FOLD, POST " a: b\r\n"),
    ROW(HEADER_FOLD, POST "X: a\r\n\tb\r\n"),
    ROW(HEADER_NAME, POST "Content-Length : 1\r\n\r\nx"),
    ROW(HEADER_NAME, POST "nothing\r\n"),
    ROW(HEADER_NAME, POST ": a\r\n"),
    ROW(HEADER_NAME, POST "X\0: a\r\n"),
    ROW(HEADER_NAME, POST "\xc3\xa4: a\r\n"),
    ROW(HEADER_VALUE, POST "X: a\0b\r\n"),
    ROW(HEADER_VALUE, POST "X: a\x7f\r\n"),
    ROW(HEADER_VALUE, POST "Transfer-Encoding:\x0b"
                           "chunked\r\n"),
    ROW(HOST_MISSING, "GET / HTTP/1.1\r\n\r\n"),
    ROW(HOST_MISSING, "GET http://a/ HTTP/1.1\r\n\r\n"),
    ROW(HOST_TWICE, POST HOST),
    ROW(HOST, "GET / HTTP/1.1\r\nHost: a b\r\n"),
    ROW(HOST, "GET / HTTP/1.1\r\nHost: a,b\r\n"),
    ROW(HOST, "GET / HTTP/1.1\r\nHost: a:1:2\r\n"),
    ROW(HOST, "GET / HTTP/1.1\r\nHost: :80\r\n"),
    ROW(HOST, "GET / HTTP/1.1\r\nHost: [::1\r\n"),
    ROW(HOST, "GET / HTTP/1.1\r\nHost: [::1]a\r\n"),
    ROW(HOST, "GET / HTTP/1.1\r\nHost: a/b\r\n"),
    ROW(EXPECT, POST "Expect: 200-ok\r\n"),
    ROW(LOOKALIKE, POST "Content_Length: 1\r\n"),
    ROW(LOOKALIKE, POST "Transfer_encoding: chunked\r\n"),
    /* framing */
    ROW(LENGTH, POST "Content-Length:\r\n"),
    ROW(LENGTH, POST "Content-Length: +1\r\n"),
    ROW(LENGTH, POST "Content-Length: -1\r\n"),
    ROW(LENGTH, POST "Content-Length: 0x1\r\n"),
    ROW(LENGTH, POST "Content-Length: 0, 1\r\n"),
    ROW(LENGTH, POST "Content-Length: 0 1\r\n"),
    ROW(LENGTH_TWICE, POST "Content-Length: 0\r\nContent-Length: 0\r\n"),
    ROW(LENGTH_TWICE, POST "Content-Length: 0\r\nContent-Length: 1\r\n"),
    ROW(LENGTH_AND_CODING, POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ROW(LENGTH_AND_CODING, POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
    ROW(CODING, POST "Transfer-Encoding: xchunked\r\n"),
    ROW(CODING, POST "Transfer-Encoding: gzip, chunked\r\n"),
    ROW(CODING, POST "Transfer-Encoding: \"chunked\"\r\n"),
    ROW(CODING, POST "Transfer-Encoding:\r\n chunked\r\n"),
    ROW(CODING_TWICE, POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
    ROW(CODING_OLD, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ROW(BODY_LONG, POST "Content-Length: 1001\r\n\r\n"),
    ROW(BODY_LONG, POST "Content-Length: 18446744073709551616\r\n\r\n"),
    ROW(BODY_LONG, POST "Transfer-Encoding: chunked\r\n\r\n3e9\r\n"),
    ROW(BODY_LONG, POST "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n3e8\r\n"),
    ROW(BODY_LONG, POST "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"),
    ROW(CHUNK, POST "Transfer-Encoding: chunked\r\n\r\n-1\r\n"),
    ROW(CHUNK, POST "Transfer-Encoding: chunked\r\n\r\n0x1\r\n"),
    ROW(CHUNK, POST "Transfer-Encoding: chunked\r\n\r\n\r\n"),
    ROW(CHUNK, POST "Transfer-Encoding: chunked\r\n\r\n1 \r\nx\r\n"),
    ROW(CHUNK, POST "Transfer-Encoding: chunked\r\n\r\n00000000000000001\r\nx\r\n"),
    ROW(CHUNK, POST "Transfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n"),
    ROW(CHUNK, POST "Transfer-Encoding: chunked\r\n\r\nGET /smug HTTP/1.1\r\n"),
    ROW(CHUNK_EXTENSION, POST "Transfer-Encoding: chunked\r\n\r\n1;\r\nx\r\n"),
    ROW(CHUNK_EXTENSION, POST "Transfer-Encoding: chunked\r\n\r\n1;a=\r\nx\r\n"),
    ROW(CHUNK_EXTENSION, POST "Transfer-Encoding: chunked\r\n\r\n1;a=\"b\r\nx\r\n"),
    ROW(CHUNK_EXTENSION, POST "Transfer-Encoding: chunked\r\n\r\n1;a=\"b\\\r\nx\r\n"),
    ROW(CHUNK_EXTENSION, POST "Transfer-Encoding: chunked\r\n\r\n1;a=\"\0\"\r\nx\r\n"),
    ROW(CHUNK_EXTENSION, POST "Transfer-Encoding: chunked\r\n\r\n1;a b\r\nx\r\n"),
    ROW(TRAILER, POST "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 9\r\n"),
    ROW(TRAILER, POST "Transfer-Encoding: chunked\r\n\r\n0\r\nTransfer_Encoding: chunked\r\n"),
    ROW(TRAILER, POST "Transfer-Encoding: chunked\r\n\r\n0\r\nHost: b\r\n"),
    ROW(HEADER_NAME, POST "Transfer-Encoding: chunked\r\n\r\n0\r\nGET / HTTP/1.1\r\n"),
};
enum { ROW_COUNT = sizeof rows / sizeof *rows };

#endif
