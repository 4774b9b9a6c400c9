/* http_parse_model_test.c - the parser and requests whose content was known before they were bytes. */
#include "test/test.h"

#include "serve/http_parse_rig.h"

#include <stdarg.h>
#include <stdio.h>

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
