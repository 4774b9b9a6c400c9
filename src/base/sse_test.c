/* sse_test.c - streams as the HTML standard shows them, in every cut. */
#include "base/sse.h"

#include "test/test.h"

struct heard {
    souk_buf text;
    size_t count;
};

static souk_err hear(void *context, const souk_sse_message *message)
{
    struct heard *heard = context;
    souk_buf_print(&heard->text, "[%.*s|%.*s|%.*s]", SOUK_TEXT_PRINT(message->event),
                   SOUK_TEXT_PRINT(message->data), SOUK_TEXT_PRINT(message->id));
    heard->count++;
    return SOUK_OK;
}

/* In pieces of so many bytes. */
static void check_pieces(souk_test *test, souk_text stream, size_t piece, const char *expected)
{
    struct heard heard = {.text = {.mem = test->mem}};
    souk_sse sse = {.mem = test->mem, .take = hear, .context = &heard};
    for (size_t at = 0; at < stream.bytes; at += piece)
        SOUK_MUST(souk_sse_read(
            &sse, (souk_text){stream.at + at, souk_min_size(piece, stream.bytes - at)}));
    SOUK_CHECK_TEXT(souk_buf_view(&heard.text), expected);
    souk_sse_done(&sse);
    souk_buf_done(&heard.text);
}

static void check(souk_test *test, souk_text stream, const char *expected)
{
    for (size_t piece = 1; piece <= stream.bytes; piece++)
        check_pieces(test, stream, piece, expected);
}

SOUK_TEST("messages are read as the standard's examples say, in every cut")
{
    check(test, SOUK_TEXT("data: YHOO\ndata: +2\ndata: 10\n\n"), "[message|YHOO\n+2\n10|]");
    check(test,
          SOUK_TEXT(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  "
                    "third event\n\n"),
          "[message|first event|1][message|second event|][message| third event|]");
    check(test, SOUK_TEXT("data\n\ndata\ndata\n\ndata:"), "[message||][message|\n|]");
    check(test, SOUK_TEXT("data:test\n\ndata: test\n\n"), "[message|test|][message|test|]");
}

SOUK_TEST("lines end with LF, CR or both, a mark at the start is none of them")
{
    check(test,
          SOUK_TEXT("\xEF\xBB\xBF"
                    "data: a\r\nid: 7\r\n\r\ndata: b\r\rdata: c\n\n"),
          "[message|a|7][message|b|7][message|c|7]");
}

SOUK_TEST("what has no data is no message, its name is forgotten and its id counts")
{
    check(test, SOUK_TEXT("event: gone\nid: 5\n\n: quiet\nretry: 10\nunknown: x\ndata: a\n\n"),
          "[message|a|5]");
    check(test, SOUK_TEXT("event: skipped\ndata: {\"count\":3}\n\ndata: after\n\ndata: cut"),
          "[skipped|{\"count\":3}|][message|after|]");
    check(test, SOUK_TEXT("id: a\0b\nid: 1\nid: c\0d\ndata: x\n\n"), "[message|x|1]");
}

SOUK_TEST("a line or a message beyond the limit is refused")
{
    struct heard heard = {.text = {.mem = test->mem}};
    souk_sse sse = {.mem = test->mem, .take = hear, .context = &heard};
    char *many = souk_mem_get(test->mem, 1 << 20);
    souk_err err = SOUK_OK;
    memset(many, 'x', 1 << 20);
    for (int i = 0; i < 5 && !err; i++)
        err = souk_sse_read(&sse, (souk_text){many, 1 << 20});
    SOUK_CHECK_ERR(err, SOUK_ETOOBIG);
    souk_sse_done(&sse);
    sse = (souk_sse){.mem = test->mem, .take = hear, .context = &heard};
    memcpy(many, "data:", 5);
    many[(1 << 20) - 1] = '\n';
    err = SOUK_OK;
    for (int i = 0; i < 5 && !err; i++)
        err = souk_sse_read(&sse, (souk_text){many, 1 << 20});
    SOUK_CHECK_ERR(err, SOUK_ETOOBIG);
    souk_sse_done(&sse);
    souk_mem_put(test->mem, many);
    SOUK_CHECK(heard.count == 0);
}

SOUK_TEST("reading without memory says so and leaves nothing behind")
{
    SOUK_FAULT_LOOP (test) {
        struct heard heard = {.text = {.mem = souk_mem_heap()}};
        souk_sse sse = {.mem = test->mem, .take = hear, .context = &heard};
        souk_err err = souk_sse_read(&sse, SOUK_TEXT("id: 1\nevent: e\ndata: x\n\n"));
        souk_sse_done(&sse);
        SOUK_CHECK(heard.count == !err);
        souk_buf_done(&heard.text);
        test_fault_seen(test, err);
    }
}
