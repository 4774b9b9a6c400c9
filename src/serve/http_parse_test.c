/* http_parse_test.c - the parser against tables, every cut, and exact limits. */
#include "test/test.h"

#include "serve/http_parse_rig.h"

#include <stdio.h>

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

SOUK_TEST("every refusal has a name, an error status and words")
{
    for (int i = 1; i < SOUK_HTTP_REFUSAL_COUNT; i++) {
        souk_http_refusal refusal = (souk_http_refusal)i;
        SOUK_CHECK(souk_http_refusal_name(refusal)[0]);
        SOUK_CHECK(souk_http_refusal_what(refusal)[0] && souk_http_refusal_remedy(refusal)[0]);
        SOUK_CHECK(souk_http_refusal_status(refusal) >= 400);
    }
}
