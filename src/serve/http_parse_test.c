/* http_parse_test.c - the parser against tables, every cut, and requests of known content. */
#include "serve/http_parse.h"
#include "test/test.h"

#include <stdarg.h>
#include <stdio.h>

#define HOST "Host: a\r\n"
#define POST "POST /events HTTP/1.1\r\n" HOST

/* ---- helpers ------------------------------------------------------------------------------- */

enum { ROOM = 1 << 17, LIMIT = 1000 };

/* What is left of a request when it has been read in some cuts; comparable as text. */
static void describe(souk_buf *out, const souk_http_parser *parser, souk_http_progress progress,
                     size_t rest_bytes)
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
static void read_in_pieces(souk_test *test, souk_text input, size_t cut_at, size_t piece_most,
                           souk_buf *out)
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

static souk_http_progress read_whole(souk_http_parser *parser, souk_http_request *request, char *at,
                                     size_t *bytes)
{
    souk_http_parse_init(parser, request, LIMIT);
    souk_http_progress progress = souk_http_parse(parser, at, bytes);
    return progress == SOUK_HTTP_HEAD ? souk_http_parse(parser, at, bytes) : progress;
}

static souk_http_refusal refusal_of(souk_text input)
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

/* ---- tests --------------------------------------------------------------------------------- */

SOUK_TEST("good requests pass and bad ones are refused for the right reason")
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        souk_http_refusal refusal = refusal_of(rows[i].input);
        if (refusal != rows[i].refusal)
            test_fail(test, __FILE__, __LINE__, "row %zu: %s instead of %s: %.*s", i,
                      refusal == MORE ? "MORE" : souk_http_refusal_name(refusal),
                      rows[i].refusal == MORE ? "MORE" : souk_http_refusal_name(rows[i].refusal),
                      SOUK_TEXT_PRINT(rows[i].input));
    }
}

SOUK_TEST("a request cut anywhere and moved meanwhile reads as if it came whole")
{
    souk_auto_value(souk_buf) whole = {.mem = test->mem}, cut = {.mem = test->mem};
    for (size_t i = 0; i < ROW_COUNT; i++) {
        souk_text input = rows[i].input;
        souk_buf_clear(&whole);
        read_in_pieces(test, input, input.bytes, 0, &whole);
        for (size_t at = 1; at < input.bytes + 2; at++) {
            souk_buf_clear(&cut);
            if (at < input.bytes)
                read_in_pieces(test, input, at, 0, &cut);
            else
                read_in_pieces(test, input, 0, at == input.bytes ? 1 : 9, &cut);
            if (!souk_text_equal(souk_buf_view(&whole), souk_buf_view(&cut)))
                test_fail(test, __FILE__, __LINE__, "row %zu cut at %zu: '%.*s' instead of '%.*s'",
                          i, at, SOUK_TEXT_PRINT(souk_buf_view(&cut)),
                          SOUK_TEXT_PRINT(souk_buf_view(&whole)));
        }
    }
}

SOUK_TEST("a request is taken apart into its method, path, query, host, headers and body")
{
    char input[] = "PUT /a/b?c=d?e HTTP/1.1\r\nHost: shop:81\r\nX-One:  1 \r\nEmpty:\r\n"
                   "Content-Length: 2\r\nExpect: 100-continue\r\n\r\nhiNEXT";
    size_t bytes = sizeof input - 1;
    souk_http_request r;
    souk_http_parser parser;
    SOUK_CHECK(read_whole(&parser, &r, input, &bytes) == SOUK_HTTP_DONE);
    SOUK_CHECK_TEXT(r.method, "PUT");
    SOUK_CHECK_TEXT(r.target, "/a/b?c=d?e");
    SOUK_CHECK_TEXT(r.path, "/a/b");
    SOUK_CHECK_TEXT(r.query, "c=d?e");
    SOUK_CHECK_TEXT(r.host, "shop:81");
    SOUK_CHECK_TEXT(r.body, "hi");
    SOUK_CHECK(r.minor_version == 1 && r.keep_alive && r.expects_continue && r.header_count == 5);
    SOUK_CHECK_TEXT(r.headers[1].name, "X-One");
    SOUK_CHECK_TEXT(r.headers[1].value, "1");
    SOUK_CHECK(r.headers[2].value.at && r.headers[2].value.bytes == 0);
    SOUK_CHECK(!memcmp(input + parser.request_bytes, "NEXT", 4));
}

SOUK_TEST("an absolute target names the host and has a path even where none was sent")
{
    static const struct {
        souk_text input;
        const char *host, *path, *query;
    } targets[] = {
        {TEXT("GET http://h:1/a?b HTTP/1.1\r\n" HOST "\r\n"), "h:1", "/a", "b"},
        {TEXT("GET http://h?b HTTP/1.1\r\n" HOST "\r\n"), "h", "/", "b"},
        {TEXT("GET https://[::1] HTTP/1.1\r\n" HOST "\r\n"), "[::1]", "/", ""},
    };
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        char room[100];
        size_t bytes = targets[i].input.bytes;
        memcpy(room, targets[i].input.at, bytes);
        souk_http_request r;
        souk_http_parser parser;
        SOUK_CHECK(read_whole(&parser, &r, room, &bytes) == SOUK_HTTP_DONE);
        SOUK_CHECK_TEXT(r.host, targets[i].host);
        SOUK_CHECK_TEXT(r.path, targets[i].path);
        SOUK_CHECK_TEXT(r.query, targets[i].query);
    }
}

SOUK_TEST("a connection goes on after HTTP/1.1 unless closed, after HTTP/1.0 only if asked")
{
    static const struct {
        const char *head;
        bool keep_alive;
    } heads[] = {
        {"GET / HTTP/1.1\r\n" HOST "\r\n", true},
        {"GET / HTTP/1.1\r\n" HOST "Connection: a,CLOSE , b\r\n\r\n", false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: keep-alive\r\nConnection: close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: closed\r\n\r\n", true},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        char room[200];
        size_t bytes = strlen(heads[i].head);
        memcpy(room, heads[i].head, bytes);
        souk_http_request r;
        souk_http_parser parser;
        SOUK_CHECK(read_whole(&parser, &r, room, &bytes) == SOUK_HTTP_DONE);
        SOUK_CHECK(r.keep_alive == heads[i].keep_alive);
    }
}

static souk_http_refusal refusal_of_buf(souk_buf *buf)
{
    souk_assert(souk_buf_check(buf) == SOUK_OK);
    return refusal_of(souk_buf_view(buf));
}

static void put_many(souk_buf *buf, char c, size_t count)
{
    while (count--)
        souk_buf_byte(buf, c);
}

SOUK_TEST("targets, headers, their number and chunk extensions have exact limits")
{
    souk_auto_value(souk_buf) buf = {.mem = test->mem};
    for (size_t over = 0; over < 2; over++) {
        souk_buf_clear(&buf);
        souk_buf_text(&buf, SOUK_TEXT("GET /"));
        put_many(&buf, 'a', SOUK_HTTP_TARGET_BYTES_MAX - 1 + over);
        souk_buf_text(&buf, SOUK_TEXT(" HTTP/1.1\r\n" HOST "\r\n"));
        SOUK_CHECK(refusal_of_buf(&buf) ==
                   (over ? SOUK_HTTP_REFUSAL_TARGET_LONG : SOUK_HTTP_REFUSAL_NONE));

        souk_buf_clear(&buf);
        souk_buf_text(&buf, SOUK_TEXT("GET / HTTP/1.1\r\n" HOST "X: "));
        put_many(&buf, 'a', SOUK_HTTP_HEAD_BYTES_MAX - 9 - 3 - 2 - 2 + over);
        souk_buf_text(&buf, SOUK_TEXT("\r\n\r\n"));
        SOUK_CHECK(refusal_of_buf(&buf) ==
                   (over ? SOUK_HTTP_REFUSAL_HEADERS_LONG : SOUK_HTTP_REFUSAL_NONE));

        souk_buf_clear(&buf);
        souk_buf_text(&buf, SOUK_TEXT("GET / HTTP/1.1\r\n" HOST));
        for (size_t i = 1; i < SOUK_HTTP_HEADERS_MAX + over; i++)
            souk_buf_text(&buf, SOUK_TEXT("X: \r\n"));
        souk_buf_text(&buf, SOUK_TEXT("\r\n"));
        SOUK_CHECK(refusal_of_buf(&buf) ==
                   (over ? SOUK_HTTP_REFUSAL_HEADERS_MANY : SOUK_HTTP_REFUSAL_NONE));

        souk_buf_clear(&buf);
        souk_buf_text(&buf, SOUK_TEXT(POST "Transfer-Encoding: chunked\r\n\r\n1;a\r\nx\r\n0;"));
        put_many(&buf, 'a', SOUK_HTTP_CHUNK_EXTENSION_BYTES_MAX - 3 + over);
        souk_buf_text(&buf, SOUK_TEXT("\r\n\r\n"));
        SOUK_CHECK(refusal_of_buf(&buf) ==
                   (over ? SOUK_HTTP_REFUSAL_CHUNK_EXTENSION : SOUK_HTTP_REFUSAL_NONE));

        souk_buf_clear(&buf);
        souk_buf_text(&buf, SOUK_TEXT(POST "Transfer-Encoding: chunked\r\n\r\n0\r\nX: "));
        put_many(&buf, 'a', SOUK_HTTP_HEAD_BYTES_MAX - 3 - 2 - 2 + over);
        souk_buf_text(&buf, SOUK_TEXT("\r\n\r\n"));
        SOUK_CHECK(refusal_of_buf(&buf) ==
                   (over ? SOUK_HTTP_REFUSAL_HEADERS_LONG : SOUK_HTTP_REFUSAL_NONE));
    }
}

SOUK_TEST("an endless line is refused at its limit and not kept")
{
    static const char *const starts[] = {"GET /",
                                         "G",
                                         "GET / HTTP/1.1\r\nX: ",
                                         "GET / HTTP/1.1\r\n",
                                         POST "Transfer-Encoding: chunked\r\n\r\n",
                                         POST "Transfer-Encoding: chunked\r\n\r\n0\r\nX: "};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        static char room[ROOM];
        souk_http_request request;
        souk_http_parser parser;
        souk_http_parse_init(&parser, &request, LIMIT);
        size_t bytes = strlen(starts[i]);
        memcpy(room, starts[i], bytes);
        souk_http_progress progress;
        do {
            progress = souk_http_parse(&parser, room, &bytes);
            if (progress == SOUK_HTTP_MORE)
                room[bytes++] = 'a';
            SOUK_CHECK(bytes < 13000);
        } while (progress < SOUK_HTTP_DONE);
        SOUK_CHECK(progress == SOUK_HTTP_REFUSED);
    }
}

SOUK_TEST("a body in chunks of one byte needs no more room than in one")
{
    static char room[ROOM];
    souk_text head = SOUK_TEXT(POST "Transfer-Encoding: chunked\r\n\r\n");
    souk_http_request request;
    souk_http_parser parser;
    souk_http_parse_init(&parser, &request, LIMIT);
    size_t bytes = head.bytes;
    memcpy(room, head.at, bytes);
    for (size_t i = 0; i < LIMIT; i++) {
        char piece[] = "1\r\nx\r\n";
        piece[3] = (char)('a' + i % 26);
        memcpy(room + bytes, piece, 6);
        bytes += 6;
        souk_http_progress progress = souk_http_parse(&parser, room, &bytes);
        if (progress == SOUK_HTTP_HEAD)
            progress = souk_http_parse(&parser, room, &bytes);
        SOUK_CHECK(progress == SOUK_HTTP_MORE);
        SOUK_CHECK(bytes == head.bytes + i + 1);
    }
    memcpy(room + bytes, "0\r\n\r\nGET", 8);
    bytes += 8;
    SOUK_CHECK(souk_http_parse(&parser, room, &bytes) == SOUK_HTTP_DONE);
    SOUK_CHECK(bytes - parser.request_bytes == 3 && !memcmp(room + parser.request_bytes, "GET", 3));
    SOUK_CHECK(request.body.bytes == LIMIT);
    for (size_t i = 0; i < LIMIT; i++)
        SOUK_CHECK(request.body.at[i] == (char)('a' + i % 26));
}

SOUK_TEST("the body's limit may be set when the head is there")
{
    for (unsigned limit = 2; limit < 4; limit++) {
        char input[] = POST "Content-Length: 3\r\n\r\nabc";
        size_t bytes = sizeof input - 1;
        souk_http_request request;
        souk_http_parser parser;
        souk_http_parse_init(&parser, &request, LIMIT);
        SOUK_CHECK(souk_http_parse(&parser, input, &bytes) == SOUK_HTTP_HEAD);
        SOUK_CHECK_TEXT(request.path, "/events");
        parser.body_limit_bytes = limit;
        SOUK_CHECK(souk_http_parse(&parser, input, &bytes) ==
                   (limit == 3 ? SOUK_HTTP_DONE : SOUK_HTTP_REFUSED));
    }
}

SOUK_TEST("control characters are found at every place of a value")
{
    for (size_t length = 1; length < 20; length++)
        for (size_t at = 0; at < length; at++)
            for (unsigned c = 0; c < 256; c++) {
                char input[100] = "GET / HTTP/1.1\r\n" HOST "X:";
                size_t bytes = strlen(input);
                memset(input + bytes, 'a', length);
                input[bytes + at] = (char)c;
                bytes += length;
                memcpy(input + bytes, "\r\n\r\n", 4);
                bool good = c == '\t' || (c >= 32 && c != 127);
                souk_http_refusal refusal = refusal_of((souk_text){input, bytes + 4});
                if (c == '\n' && at + 1 == length) /* "aaa\n\r\n" */
                    SOUK_CHECK(refusal == SOUK_HTTP_REFUSAL_LINE_END);
                else
                    SOUK_CHECK((refusal == SOUK_HTTP_REFUSAL_NONE) == good);
            }
}

/* ---- the dumb model: requests whose content was known before they were bytes ---------------- */

typedef struct known {
    char wire[6000], content[3000];
    size_t wire_bytes, content_bytes;
} known;

static void add(char *to, size_t *at, const char *format, ...) SOUK_PRINTF(3, 4);
static void add(char *to, size_t *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    *at += (size_t)vsprintf(to + *at, format, arguments);
    va_end(arguments);
}

static void make_body(souk_test *test, known *k)
{
    char body[500];
    size_t bytes = (size_t)test_random(test, sizeof body), at = 0;
    for (size_t i = 0; i < bytes; i++)
        body[i] = (char)test_random(test, 256);
    if (test_random(test, 2)) {
        add(k->wire, &k->wire_bytes, "Content-Length: %zu\r\n\r\n", bytes);
        memcpy(k->wire + k->wire_bytes, body, bytes);
        k->wire_bytes += bytes;
    } else {
        add(k->wire, &k->wire_bytes, "Transfer-Encoding: chunked\r\n\r\n");
        while (at < bytes) {
            size_t chunk = souk_min_size(1 + (size_t)test_random(test, 99), bytes - at);
            add(k->wire, &k->wire_bytes, test_random(test, 2) ? "%zx\r\n" : "%04zX\r\n", chunk);
            memcpy(k->wire + k->wire_bytes, body + at, chunk);
            k->wire_bytes += chunk;
            add(k->wire, &k->wire_bytes, "\r\n");
            at += chunk;
        }
        add(k->wire, &k->wire_bytes, "0\r\n%s\r\n", test_random(test, 3) ? "" : "T: t\r\n");
    }
    memcpy(k->content + k->content_bytes, body, bytes);
    k->content_bytes += bytes;
}

static void make_request(souk_test *test, known *k)
{
    static const char *const methods[] = {"GET", "POST", "DELETE", "x-y"};
    const char *method = methods[test_random(test, 4)];
    unsigned path = (unsigned)test_random(test, 1000), headers = (unsigned)test_random(test, 8);
    add(k->wire, &k->wire_bytes, "%s /%u?q=%u HTTP/1.1\r\nHost: h\r\n", method, path, path / 2);
    add(k->content, &k->content_bytes, "%s /%u q=%u", method, path, path / 2);
    for (unsigned i = 0; i < headers; i++) {
        unsigned value = (unsigned)test_random(test, 100000);
        add(k->wire, &k->wire_bytes, "H%u:%s%u%s\r\n", i, test_random(test, 2) ? " " : "", value,
            test_random(test, 2) ? " \t" : "");
        add(k->content, &k->content_bytes, " H%u=%u", i, value);
    }
    add(k->content, &k->content_bytes, ";");
    if (test_random(test, 2))
        make_body(test, k);
    else
        add(k->wire, &k->wire_bytes, "\r\n");
}

/* The content as the parser saw it. */
static void add_content(const souk_http_request *r, char *to, size_t *at)
{
    add(to, at, "%.*s %.*s %.*s", SOUK_TEXT_PRINT(r->method), SOUK_TEXT_PRINT(r->path),
        SOUK_TEXT_PRINT(r->query));
    for (unsigned i = 0; i < r->header_count; i++)
        if (r->headers[i].name.at[0] == 'H' && r->headers[i].name.bytes == 2)
            add(to, at, " %.*s=%.*s", SOUK_TEXT_PRINT(r->headers[i].name),
                SOUK_TEXT_PRINT(r->headers[i].value));
    add(to, at, ";");
    if (r->body.bytes)
        memcpy(to + *at, r->body.at, r->body.bytes);
    *at += r->body.bytes;
}

/* Reads pipelined requests off the wire in random pieces; whether their content is the known one. */
static bool reads_as_known(souk_test *test, const known *k)
{
    static char room[sizeof k->wire], content[sizeof k->content];
    size_t from = 0, to = 0, taken = 0, content_bytes = 0;
    souk_http_request request;
    souk_http_parser parser;
    souk_http_parse_init(&parser, &request, LIMIT);
    for (;;) {
        size_t bytes = to - from;
        souk_http_progress progress = souk_http_parse(&parser, room + from, &bytes);
        to = from + bytes;
        if (progress == SOUK_HTTP_DONE) {
            add_content(&request, content, &content_bytes);
            from += parser.request_bytes;
            souk_http_parse_init(&parser, &request, LIMIT);
        } else if (progress == SOUK_HTTP_REFUSED) {
            return false;
        } else if (progress == SOUK_HTTP_MORE) {
            if (taken == k->wire_bytes)
                break;
            size_t piece = souk_min_size(1 + (size_t)test_random(test, 700), k->wire_bytes - taken);
            memcpy(room + to, k->wire + taken, piece);
            to += piece;
            taken += piece;
        }
    }
    return from == to && content_bytes == k->content_bytes &&
           memcmp(content, k->content, content_bytes) == 0;
}

SOUK_TEST("pipelined requests in random pieces read as they were written")
{
    for (unsigned round = 0; round < 3000; round++) {
        known k = {0};
        for (unsigned i = 0; i < 3; i++)
            make_request(test, &k);
        SOUK_CHECK(reads_as_known(test, &k));
    }
}

SOUK_TEST("the model of pipelined requests notices one wrong byte")
{
    for (unsigned round = 0; round < 300; round++) {
        known k = {0};
        make_request(test, &k);
        make_request(test, &k);
        k.content[test_random(test, k.content_bytes)] ^= 1;
        SOUK_CHECK(!reads_as_known(test, &k));
    }
}

SOUK_TEST("damaged requests are refused or read, whole and in pieces alike, and never crash")
{
    souk_auto_value(souk_buf) whole = {.mem = test->mem}, cut = {.mem = test->mem};
    for (unsigned round = 0; round < 20000; round++) {
        char input[400];
        const row *from = &rows[test_random(test, ROW_COUNT)];
        size_t bytes = souk_min_size(from->input.bytes, sizeof input);
        memcpy(input, from->input.at, bytes);
        for (uint64_t damage = 1 + test_random(test, 3); damage && bytes; damage--) {
            static const char likely[] = "\r\n\t :,;\0\"\\a0fGH/";
            size_t at = (size_t)test_random(test, bytes);
            if (test_random(test, 4) == 0) {
                memmove(input + at, input + at + 1, bytes - at - 1);
                bytes--;
            } else {
                input[at] = test_random(test, 2) ? (char)test_random(test, 256)
                                                 : likely[test_random(test, sizeof likely - 1)];
            }
        }
        souk_buf_clear(&whole);
        souk_buf_clear(&cut);
        read_in_pieces(test, (souk_text){input, bytes}, bytes, 0, &whole);
        read_in_pieces(test, (souk_text){input, bytes}, 0, 12, &cut);
        SOUK_CHECK(souk_text_equal(souk_buf_view(&whole), souk_buf_view(&cut)));
    }
}

SOUK_TEST("every refusal has a name, an error status and words")
{
    for (int i = 1; i < SOUK_HTTP_REFUSAL_COUNT; i++) {
        souk_http_refusal refusal = (souk_http_refusal)i;
        SOUK_CHECK(souk_http_refusal_name(refusal)[0]);
        SOUK_CHECK(souk_http_refusal_what(refusal)[0] && souk_http_refusal_remedy(refusal)[0]);
        SOUK_CHECK(souk_http_refusal_status(refusal) >= 400);
    }
}
