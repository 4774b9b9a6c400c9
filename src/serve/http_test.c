/* http_test.c - the server's messages over real sockets: what passes, what is refused and with which
 * words, and in which order answers leave. */
#include "test/test.h"

#include "serve/http_rig.h"

#include <stdio.h>
#include <sys/socket.h>

#define GET    "GET /echo HTTP/1.1\r\n"
#define POST   "POST /echo HTTP/1.1\r\nHost: a\r\n"
#define CHUNKS POST "Transfer-Encoding: chunked\r\n\r\n"
#define NEXT   "GET /echo/smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
#define TEN    "0123456789"

typedef struct bad_request {
    const char *at;
    size_t bytes;
    souk_http_refusal refusal;
    unsigned line;
} bad_request;

#define BAD(reason, line, bytes)                                   \
    {                                                              \
        bytes, sizeof(bytes) - 1, SOUK_HTTP_REFUSAL_##reason, line \
    }

enum { LIMIT = 1000 }; /* of bodies, in the tests of refusals */

/* clang-format off */
static const bad_request bad_requests[] = {
    /* RFC 9112 2.2: lines */
    BAD(LINE_END, 1, "GET /echo HTTP/1.1\nHost: a\r\n\r\n"),
    BAD(LINE_END, 2, GET "Host: a\n\r\n"),
    BAD(LINE_END, 3, GET "Host: a\r\n\n"),
    BAD(LINE_END, 2, GET "X: a\nContent-Length: 5\r\nHost: a\r\n\r\n"),
    BAD(METHOD, 1, "\r\n" GET "Host: a\r\n\r\n"),
    BAD(METHOD, 1, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), /* a TLS hello */
    /* 3: request line */
    BAD(REQUEST_LINE, 1, "GET /echo\r\n\r\n"),
    BAD(REQUEST_LINE, 1, "GET /echo http/1.1\r\nHost: a\r\n\r\n"),
    BAD(REQUEST_LINE, 1, "GET /echo HTTP/1.10\r\nHost: a\r\n\r\n"),
    BAD(VERSION, 1, "GET /echo HTTP/2.0\r\nHost: a\r\n\r\n"),
    BAD(VERSION, 1, "GET /echo HTTP/1.2\r\nHost: a\r\n\r\n"),
    BAD(VERSION, 1, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    BAD(METHOD, 1, "G@T /echo HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(METHOD, 1, "G(T /echo HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(METHOD, 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(TARGET, 1, "GET  /echo HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(TARGET, 1, "GET /echo\tb HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(TARGET, 1, "GET /echo x HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(TARGET, 1, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(TARGET, 1, "GET /echo\0/x HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(TARGET, 1, "GET /echo\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(TARGET, 1, "GET /echo?%zz HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(TARGET, 1, "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
    /* 3.2: Host */
    BAD(HOST_MISSING, 2, GET "\r\n"),
    BAD(HOST_TWICE, 3, GET "Host: a\r\nHost: a\r\n\r\n"),
    BAD(HOST_TWICE, 4, GET "host: a\r\nX: b\r\nHOST: b\r\n\r\n"),
    BAD(HOST, 2, GET "Host: a/b\r\n\r\n"),
    BAD(HOST, 2, GET "Host: a, b\r\n\r\n"),
    /* 5: header lines */
    BAD(HEADER_FOLD, 3, GET "Host: a\r\n b\r\n\r\n"),
    BAD(HEADER_FOLD, 3, POST "\tContent-Length: 5\r\n\r\n"),
    BAD(HEADER_FOLD, 2, GET " Host: a\r\n\r\n"),
    BAD(HEADER_NAME, 2, GET "Host : a\r\n\r\n"),
    BAD(LENGTH, 3, POST "Content-Length:\r\n 40\r\n\r\n"), /* what stands behind has 40 bytes */
    BAD(CODING, 3, POST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    BAD(HEADER_NAME, 3, POST "Content-Length : 5\r\n\r\nhello"),
    BAD(HEADER_NAME, 2, GET ": a\r\nHost: a\r\n\r\n"),
    BAD(HEADER_NAME, 2, GET "X(y): a\r\nHost: a\r\n\r\n"),
    BAD(HEADER_NAME, 2, GET "nothing\r\nHost: a\r\n\r\n"),
    BAD(HEADER_NAME, 2, GET "X\0: a\r\nHost: a\r\n\r\n"),
    BAD(HEADER_VALUE, 2, GET "X: a\0b\r\nHost: a\r\n\r\n"),
    BAD(HEADER_VALUE, 2, GET "X: a\rb\r\nHost: a\r\n\r\n"),
    BAD(HEADER_VALUE, 2, GET "X: a\r\r\nHost: a\r\n\r\n"),
    BAD(EXPECT, 3, POST "Expect: 200-ok\r\nContent-Length: 5\r\n\r\nhello"),
    /* 6: where the body ends */
    BAD(LENGTH_AND_CODING, 5, POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD(LENGTH_AND_CODING, 5, POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
    BAD(LENGTH_TWICE, 4, POST "Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello"),
    BAD(LENGTH_TWICE, 4, POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    BAD(LENGTH, 3, POST "Content-Length: 5, 5\r\n\r\nhello"),
    BAD(LENGTH, 3, POST "Content-Length: +5\r\n\r\nhello"),
    BAD(LENGTH, 3, POST "Content-Length: -5\r\n\r\nhello"),
    BAD(LENGTH, 3, POST "Content-Length: 5x\r\n\r\nhello"),
    BAD(LENGTH, 3, POST "Content-Length: 0x5\r\n\r\nhello"),
    BAD(LENGTH, 3, POST "Content-Length: 5 5\r\n\r\nhello"),
    BAD(LENGTH, 3, POST "Content-Length:\r\n\r\nhello"),
    BAD(BODY_LONG, 3, POST "Content-Length: 18446744073709551621\r\n\r\nhello"),
    BAD(BODY_LONG, 0, POST "Content-Length: 1001\r\n\r\nhello"),
    BAD(BODY_LONG, 0, POST "Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n"),
    BAD(LOOKALIKE, 3, POST "Content_Length: 5\r\n\r\nhello"),
    BAD(LOOKALIKE, 3, POST "Transfer_Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD(CODING, 3, POST "Transfer-Encoding: gzip\r\n\r\nhello"),
    BAD(CODING, 3, POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    BAD(CODING, 3, POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    BAD(CODING, 3, POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    BAD(CODING, 3, POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
    BAD(CODING_TWICE, 4, POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
    BAD(CODING_OLD, 3, "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    /* 7.1: chunks */
    BAD(CHUNK, 0, CHUNKS "x\r\n"),
    BAD(CHUNK, 0, CHUNKS "-5\r\nhello\r\n0\r\n\r\n"),
    BAD(CHUNK, 0, CHUNKS "0x5\r\nhello\r\n0\r\n\r\n"),
    BAD(CHUNK, 0, CHUNKS " 5\r\nhello\r\n0\r\n\r\n"),
    BAD(CHUNK, 0, CHUNKS "5 \r\nhello\r\n0\r\n\r\n"),
    BAD(CHUNK, 0, CHUNKS "\r\nhello\r\n0\r\n\r\n"),
    BAD(CHUNK, 0, CHUNKS "5\r\nhelloworld\r\n0\r\n\r\n"),
    BAD(CHUNK, 0, CHUNKS "00000000000000005\r\nhello\r\n0\r\n\r\n"), /* 17 digits */
    BAD(BODY_LONG, 0, CHUNKS "ffffffffffffffff\r\n"),
    BAD(BODY_LONG, 0, CHUNKS "3e9\r\n"),
    BAD(BODY_LONG, 0, CHUNKS "5\r\nhello\r\n3e4\r\n"),
    BAD(LINE_END, 0, CHUNKS "5\nhello\r\n0\r\n\r\n"),
    BAD(LINE_END, 0, CHUNKS "5;a\nhello\r\n0\r\n\r\n"),
    BAD(LINE_END, 0, CHUNKS "5\r\nhello\n0\r\n\r\n"),
    BAD(LINE_END, 0, CHUNKS "0\r\n\n"),
    BAD(CHUNK_EXTENSION, 0, CHUNKS "5;\r\nhello\r\n0\r\n\r\n"),
    BAD(CHUNK_EXTENSION, 0, CHUNKS "5;a=\r\nhello\r\n0\r\n\r\n"),
    BAD(CHUNK_EXTENSION, 0, CHUNKS "5;a=\"b\r\nhello\r\n0\r\n\r\n"),
    BAD(CHUNK_EXTENSION, 0, CHUNKS "1;" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "\r\n"),
    BAD(CHUNK, 0, CHUNKS "5 ;a\r\nhello\r\n0\r\n\r\n"),
    BAD(CHUNK_EXTENSION, 0, CHUNKS "1;" TEN TEN TEN TEN TEN TEN "1234\r\na\r\n"
                                   "1;" TEN TEN TEN TEN TEN TEN "1234\r\nb\r\n0\r\n\r\n"),
    BAD(TRAILER, 0, CHUNKS "0\r\nContent-Length: 5\r\n\r\nhello"),
    BAD(TRAILER, 0, CHUNKS "0\r\nX: b\r\nHost: b\r\n\r\n"),
    BAD(HEADER_FOLD, 0, CHUNKS "0\r\nX: b\r\n c\r\n\r\n"),
    BAD(HEADER_NAME, 0, CHUNKS "0\r\nX : b\r\n\r\n"),
};
/* clang-format on */

/* Sends it with a second request behind, whole or in single bytes, and hears one problem. */
static void check_bad(http_rig *rig, const bad_request *bad, bool singly)
{
    souk_test *test = rig->test;
    souk_http_counts before = rig_counts(rig);
    souk_auto_value(souk_client) client = rig_connect(rig);
    souk_auto_value(souk_buf) all = {.mem = souk_mem_heap()};
    souk_buf_append(&all, bad->at, bad->bytes);
    souk_buf_text(&all, SOUK_TEXT(NEXT));
    souk_text rest = souk_buf_view(&all);
    for (; singly && rest.bytes > sizeof NEXT; rest.at++, rest.bytes--)
        rig_say_text(rig, &client, (souk_text){rest.at, 1});
    rig_say_text(rig, &client, rest);
    rig_hear_refusal(rig, &client, bad->refusal, bad->line);
    souk_http_counts after = rig_counts(rig);
    SOUK_CHECK(after.requests == before.requests);
    SOUK_CHECK(after.refused[bad->refusal] == before.refused[bad->refusal] + 1);
}

SOUK_TEST("what two readers could read differently is refused with what, where and what to do")
{
    http_rig *rig = rig_open(test, (souk_http_options){.body_limit_bytes = LIMIT});
    for (size_t i = 0; i < sizeof bad_requests / sizeof *bad_requests; i++)
        for (int singly = 0; singly < 2; singly++)
            check_bad(rig, &bad_requests[i], singly);
    rig_close(rig);
}

SOUK_TEST("a refusal read by a person says what, where and what to do")
{
    http_rig *rig = rig_open(test, (souk_http_options){0});
    souk_auto_value(souk_client) client = rig_connect(rig);
    rig_say(rig, &client, GET "Host: a\r\nX : b\r\n\r\n" NEXT);
    rig_hear_words(rig, &client,
                   "HTTP/1.1 400 Bad Request\r\n"
                   "Date: Tue, 24 Nov 2026 04:09:00 GMT\r\n"
                   "Content-Type: application/problem+json\r\n"
                   "Access-Control-Allow-Origin: *\r\n"
                   "Content-Length: 222\r\n"
                   "Connection: close\r\n\r\n"
                   "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
                   "\"detail\":\"line 3 of the request: a header name is not a token followed at "
                   "once by a colon; send 'Name: value' with no space before the colon\","
                   "\"reason\":\"HEADER_NAME\"}");
    rig_hear_end(rig, &client);
    rig_close(rig);
}

SOUK_TEST("an answer that is dropped closes the connection without a byte, behind those before it")
{
    http_rig *rig = rig_open(test, (souk_http_options){0});
    souk_auto_value(souk_client) first = rig_connect(rig), second = rig_connect(rig);
    rig_say(rig, &first,
            "GET /echo/a HTTP/1.1\r\nHost: a\r\n\r\nGET /drop HTTP/1.1\r\nHost: a\r\n\r\n"
            "GET /echo/b HTTP/1.1\r\nHost: a\r\n\r\n");
    rig_hear_ok(rig, &first, "GET /echo/a []");
    rig_hear_end(rig, &first);
    rig_say(rig, &second, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
    rig_await_held(rig, 1);
    souk_http_drop(rig_take(rig, 0));
    rig_hear_end(rig, &second);
    SOUK_CHECK(rig_counts(rig).answers[5] == 2);
    rig_close(rig);
}

SOUK_TEST("targets, heads and bodies have limits that hold to the byte")
{
    http_rig *rig = rig_open(test, (souk_http_options){.body_limit_bytes = LIMIT});
    souk_auto_value(rig_answer) answer = {0};
    for (size_t over = 0; over < 2; over++) {
        souk_auto_value(souk_client) client = rig_connect(rig);
        souk_auto_value(souk_buf) words = {.mem = souk_mem_heap()};
        souk_buf_print(&words, "GET /echo%0*d HTTP/1.1\r\nHost: a\r\n\r\n",
                       (int)(SOUK_HTTP_TARGET_BYTES_MAX - 5 + over), 0);
        rig_say_text(rig, &client, souk_buf_view(&words));
        if (over) {
            rig_hear_refusal(rig, &client, SOUK_HTTP_REFUSAL_TARGET_LONG, 1);
        } else { /* and more follows on the same connection */
            rig_hear(rig, &client, &answer);
            SOUK_CHECK(answer.status == 200);
            souk_buf_clear(&words);
            souk_buf_print(&words, GET "Host: a\r\nX: %0*d\r\n\r\n",
                           SOUK_HTTP_HEAD_BYTES_MAX - 9 - 2 - 5, 0);
            rig_say_text(rig, &client, souk_buf_view(&words));
            rig_hear_ok(rig, &client, "GET /echo []");
            souk_buf_clear(&words);
            souk_buf_print(&words, POST "Content-Length: %d\r\n\r\n%0*d", LIMIT, LIMIT, 0);
            rig_say_text(rig, &client, souk_buf_view(&words));
            rig_hear(rig, &client, &answer);
            SOUK_CHECK(answer.status == 200 && answer.body.bytes == LIMIT + 13);
        }
    }
    souk_auto_value(souk_client) client = rig_connect(rig);
    souk_auto_value(souk_buf) words = {.mem = souk_mem_heap()};
    souk_buf_print(&words, GET "Host: a\r\nX: %0*d\r\n\r\n", SOUK_HTTP_HEAD_BYTES_MAX - 9 - 2 - 4,
                   0);
    rig_say_text(rig, &client, souk_buf_view(&words));
    rig_hear_refusal(rig, &client, SOUK_HTTP_REFUSAL_HEADERS_LONG, 4);

    souk_auto_value(souk_client) other = rig_connect(rig);
    souk_buf_clear(&words);
    souk_buf_print(&words, GET "Host: a\r\n");
    for (unsigned i = 0; i < SOUK_HTTP_HEADERS_MAX; i++)
        souk_buf_print(&words, "X: a\r\n");
    rig_say_text(rig, &other, souk_buf_view(&words));
    rig_hear_refusal(rig, &other, SOUK_HTTP_REFUSAL_HEADERS_MANY, SOUK_HTTP_HEADERS_MAX + 2);
    rig_close(rig);
}

SOUK_TEST("a connection goes on after answers and ends where the client asks for it")
{
    http_rig *rig = rig_open(test, (souk_http_options){0});
    souk_auto_value(rig_answer) answer = {0};
    souk_auto_value(souk_client) client = rig_connect(rig);
    for (int i = 0; i < 3; i++) {
        rig_say(rig, &client, GET "Host: a\r\n\r\n");
        rig_hear_ok(rig, &client, "GET /echo []");
    }
    rig_say(rig, &client, "GET /none HTTP/1.1\r\nHost: a\r\n\r\n");
    rig_hear_words(rig, &client,
                   "HTTP/1.1 204 No Content\r\nDate: Tue, 24 Nov 2026 04:09:00 GMT\r\n\r\n");
    rig_say(rig, &client, "GET /where HTTP/1.1\r\nHost: a\r\n\r\n");
    rig_hear(rig, &client, &answer);
    SOUK_CHECK(answer.status == 404);
    SOUK_CHECK_TEXT(answer.body, "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
                                 "\"detail\":\"there is no \\\"such\\\" path\"}");
    rig_say(rig, &client, "GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    rig_hear(rig, &client, &answer);
    SOUK_CHECK(text_has(answer.head, SOUK_TEXT("\r\nConnection: keep-alive\r\n")));
    rig_say(rig, &client, GET "Host: a\r\nConnection: x, Close\r\n\r\n" NEXT);
    rig_hear(rig, &client, &answer);
    SOUK_CHECK(text_has(answer.head, SOUK_TEXT("\r\nConnection: close\r\n")));
    rig_hear_end(rig, &client);
    SOUK_CHECK(rig_counts(rig).connections == 1 && rig_counts(rig).requests == 7);

    souk_auto_value(souk_client) old = rig_connect(rig);
    rig_say(rig, &old, "GET /echo HTTP/1.0\r\n\r\n");
    rig_hear_ok(rig, &old, "GET /echo []");
    rig_hear_end(rig, &old);
    rig_close(rig);
}

SOUK_TEST("a header value that would split the answer becomes a 500")
{
    http_rig *rig = rig_open(test, (souk_http_options){0});
    souk_auto_value(rig_answer) answer = {0};
    souk_auto_value(souk_client) client = rig_connect(rig);
    rig_say(rig, &client, "GET /split HTTP/1.1\r\nHost: a\r\n\r\n" NEXT);
    rig_hear(rig, &client, &answer);
    SOUK_CHECK(answer.status == 500 && !text_has(answer.head, SOUK_TEXT("Set-Cookie")));
    rig_hear_ok(rig, &client, "GET /echo/smuggled []");
    rig_close(rig);
}

SOUK_TEST("HEAD is answered with the head of the GET and no body, refused or not")
{
    http_rig *rig = rig_open(test, (souk_http_options){.body_limit_bytes = LIMIT});
    souk_auto_value(souk_client) client = rig_connect(rig);
    rig_say(rig, &client, "HEAD /echo HTTP/1.1\r\nHost: a\r\n\r\n" GET "Host: a\r\n\r\n");
    rig_hear_words(rig, &client,
                   "HTTP/1.1 200 OK\r\nDate: Tue, 24 Nov 2026 04:09:00 GMT\r\n"
                   "Content-Type: text/plain\r\nContent-Length: 13\r\n\r\nHTTP/1.1 200 OK\r\n"
                   "Date: Tue, 24 Nov 2026 04:09:00 GMT\r\n"
                   "Content-Type: text/plain\r\nContent-Length: 12\r\n\r\nGET /echo []");
    rig_say(rig, &client, "HEAD /hold HTTP/1.1\r\nHost: a\r\n\r\n");
    rig_await_held(rig, 1);
    rig_release(rig, 0);
    souk_auto_value(rig_answer) answer = {0};
    SOUK_MUST(rig_try_hear(&client, true, &answer));
    SOUK_CHECK(answer.status == 200);
    rig_say(rig, &client, "HEAD /echo HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n");
    SOUK_MUST(rig_try_hear(&client, true, &answer));
    SOUK_CHECK(answer.status == 400);
    rig_hear_end(rig, &client);
    rig_close(rig);
}

SOUK_TEST("100 Continue is said to HTTP/1.1 clients that wait for it, and to nobody else")
{
    http_rig *rig = rig_open(test, (souk_http_options){.body_limit_bytes = LIMIT});
    souk_auto_value(souk_client) client = rig_connect(rig);
    rig_say(rig, &client, POST "Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n");
    rig_hear_words(rig, &client, "HTTP/1.1 100 Continue\r\n\r\n");
    rig_say(rig, &client, "hel");
    rig_settle(rig);
    rig_say(rig, &client, "lo" POST "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
    rig_hear_ok(rig, &client, "POST /echo [hello]");
    rig_hear_words(rig, &client, "HTTP/1.1 100 Continue\r\n\r\n");
    rig_say(rig, &client, "2\r\nyo\r\n0\r\n\r\n");
    rig_hear_ok(rig, &client, "POST /echo [yo]");
    /* The body is there already, or there is none, or the client is too old to know. */
    rig_say(rig, &client, POST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello");
    rig_hear_ok(rig, &client, "POST /echo [hello]");
    rig_say(rig, &client, GET "Host: a\r\nExpect: 100-continue\r\n\r\n");
    rig_hear_ok(rig, &client, "GET /echo []");
    rig_say_read(rig, &client,
                 "POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    rig_settle(rig);
    rig_say(rig, &client, "hello");
    rig_hear_ok(rig, &client, "POST /echo [hello]");
    rig_hear_end(rig, &client);
    rig_close(rig);
}

SOUK_TEST("chunks are joined, their extensions and trailers dropped, and the next request stands")
{
    http_rig *rig = rig_open(test, (souk_http_options){0});
    souk_auto_value(souk_client) client = rig_connect(rig);
    rig_say(rig, &client,
            CHUNKS "5;a;b=c;d=\"e;\\\"f\"\r\nhello\r\n00a\r\n my \r\nshop\r\n1\r\n!\r\n"
                   "0;last\r\nX-Sum: 1\r\nAuthorization: none\r\n\r\n" NEXT);
    rig_hear_ok(rig, &client, "POST /echo [hello my \r\nshop!]");
    rig_hear_ok(rig, &client, "GET /echo/smuggled []");
    /* One byte at a time, each surely read by itself. */
    const char *slow = CHUNKS "5;a\r\nhello\r\nA\r\n, world ok\r\n0\r\nX: b\r\n\r\n";
    for (const char *at = slow; *at; at++)
        rig_say_read(rig, &client, (char[]){*at, 0});
    rig_hear_ok(rig, &client, "POST /echo [hello, world ok]");
    rig_close(rig);
}

SOUK_TEST("a client that leaves half-way costs its half request and nothing else")
{
    http_rig *rig = rig_open(test, (souk_http_options){0});
    const char *const halves[] = {"", "GET /ec", GET "Host: a\r\nX",
                                  POST "Content-Length: 5\r\n\r\nhell",
                                  CHUNKS "5\r\nhello\r\n0\r\n"};
    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
        for (int with_reset = 0; with_reset < 2; with_reset++) {
            souk_auto_value(souk_client) client = rig_connect(rig);
            rig_say_read(rig, &client, halves[i]);
            if (with_reset) {
                struct linger now = {1, 0};
                SOUK_CHECK(!setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now));
            } else {
                SOUK_MUST(souk_client_finish(&client));
                rig_hear_end(rig, &client);
            }
            souk_fd_done(&client.fd);
            rig_await(rig, connections, i * 2 + (size_t)with_reset + 1);
            rig_await_closed(rig, 0);
        }
    }
    SOUK_CHECK(rig_counts(rig).requests == 0 && rig_counts(rig).answers[4] == 0);

    /* One that only says it has no more to ask still hears its answers. */
    souk_auto_value(souk_client) client = rig_connect(rig);
    rig_say(rig, &client, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n" NEXT);
    SOUK_MUST(souk_client_finish(&client));
    rig_await_held(rig, 1);
    rig_settle(rig);
    rig_release(rig, 0);
    rig_hear_ok(rig, &client, "GET /hold []");
    rig_hear_ok(rig, &client, "GET /echo/smuggled []");
    rig_hear_end(rig, &client);
    rig_close(rig);
}

SOUK_TEST("the answer to a client that is gone is thrown away")
{
    http_rig *rig = rig_open(test, (souk_http_options){0});
    souk_client client = rig_connect(rig);
    rig_say(rig, &client, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n" NEXT);
    rig_await_held(rig, 1);
    struct linger now = {1, 0};
    SOUK_CHECK(!setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now));
    souk_client_done(&client);
    rig_await_closed(rig, 0);
    souk_http_exchange *x = rig_take(rig, 0);
    SOUK_CHECK_TEXT(x->request.target, "/hold"); /* it still lies there */
    rig_echo(x);
    rig_await(rig, gone, 1);
    SOUK_CHECK(rig_counts(rig).requests == 1 && rig_counts(rig).exchanges_now == 0);
    rig_close(rig);
}

/* ---- order --------------------------------------------------------------------------------- */

enum { TALKERS = 6, TALK_REQUESTS = 60 };

typedef struct talker {
    souk_client client;
    souk_buf words;                   /* of all its requests */
    size_t said;                      /* bytes of them */
    char expected[TALK_REQUESTS][64]; /* "STATUS BODY"; a HEAD's begins with "H" */
} talker;

static void talker_ask(souk_test *test, talker *t, unsigned number)
{
    unsigned i = number % TALK_REQUESTS, some = (unsigned)test_random(test, 1000);
    char *expected = t->expected[i];
    const char *path = test_random(test, 2) ? "echo" : "hold";
    switch (test_random(test, 5)) {
    case 0:
        souk_buf_print(&t->words, "GET /%s/%u HTTP/1.1\r\nHost: a\r\n\r\n", path, number);
        snprintf(expected, 64, "200 GET /%s/%u []", path, number);
        break;
    case 1:
        souk_buf_print(&t->words, "HEAD /%s/%u HTTP/1.1\r\nHost: a\r\n\r\n", path, number);
        snprintf(expected, 64, "H200 ");
        break;
    case 2:
        souk_buf_print(&t->words,
                       "POST /%s/%u HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n%05u", path,
                       number, some);
        snprintf(expected, 64, "200 POST /%s/%u [%05u]", path, number, some);
        break;
    case 3:
        souk_buf_print(&t->words,
                       "POST /%s/%u HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "4;x\r\n%04u\r\n1\r\n!\r\n0\r\nX: b\r\n\r\n",
                       path, number, some);
        snprintf(expected, 64, "200 POST /%s/%u [%04u!]", path, number, some);
        break;
    default:
        souk_buf_print(&t->words, "GET /none HTTP/1.1\r\nHost: a\r\n\r\n");
        snprintf(expected, 64, "204 ");
        break;
    }
}

/* Whether every client heard its answers in the order of its questions. */
static bool talk(http_rig *rig)
{
    souk_test *test = rig->test;
    talker *talkers = souk_mem_array(souk_mem_heap(), TALKERS, sizeof *talkers);
    SOUK_CHECK(talkers);
    size_t left = 0;
    for (unsigned i = 0; i < TALKERS; i++) {
        talkers[i].client = rig_connect(rig);
        talkers[i].words.mem = souk_mem_heap();
        for (unsigned j = 0; j < TALK_REQUESTS; j++)
            talker_ask(test, &talkers[i], i * TALK_REQUESTS + j);
        left += talkers[i].words.bytes;
    }
    while (left) {
        talker *t = &talkers[test_random(test, TALKERS)];
        size_t piece = souk_min_size(test_random(test, 400) + 1, t->words.bytes - t->said);
        rig_say_text(rig, &t->client, (souk_text){t->words.at + t->said, piece});
        t->said += piece;
        left -= piece;
    }
    bool right = true;
    souk_auto_value(rig_answer) answer = {0};
    for (unsigned i = 0; i < TALKERS; i++) {
        for (unsigned j = 0; j < TALK_REQUESTS; j++) {
            const char *expected = talkers[i].expected[j];
            bool is_head = expected[0] == 'H';
            SOUK_MUST(rig_try_hear(&talkers[i].client, is_head, &answer));
            char got[64];
            snprintf(got, sizeof got, "%s%d %.*s", is_head ? "H" : "", answer.status,
                     SOUK_TEXT_PRINT(answer.body));
            right &= !strcmp(got, expected);
        }
        souk_client_done(&talkers[i].client);
        souk_buf_done(&talkers[i].words);
    }
    souk_mem_put(souk_mem_heap(), talkers);
    return right;
}

SOUK_TEST("pipelined answers keep their order, whoever answers them, when and from which thread")
{
    for (unsigned loops = 1; loops <= 3; loops++) {
        http_rig *rig = rig_open(test, (souk_http_options){.loop_count = loops});
        rig_releaser(rig);
        SOUK_CHECK(talk(rig));
        souk_http_counts counts = rig_counts(rig);
        SOUK_CHECK(counts.requests == TALKERS * TALK_REQUESTS && counts.exchanges_now == 0);
        SOUK_CHECK(counts.answers[2] == counts.requests && counts.connections == TALKERS);
        rig_close(rig);
    }
}

SOUK_TEST("the model of pipelined answers notices one wrong answer")
{
    http_rig *rig = rig_open(test, (souk_http_options){0});
    rig->lie_at = 50;
    rig_releaser(rig);
    SOUK_CHECK(!talk(rig));
    rig_close(rig);
}
