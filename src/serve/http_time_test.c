/* http_time_test.c - the server and time: deadlines to the millisecond under a clock that a test
 * moves, clients that read slowly, and clients that send more than a turn's share. */
#include "test/test.h"

#include "serve/http_rig.h"

#include <stdio.h>

#define HOST "Host: a\r\n\r\n"
#define ASK  "GET /echo HTTP/1.1\r\n" HOST
#define HEAR "GET /echo []"

/* ---- deadlines ----------------------------------------------------------------------------- */

SOUK_TEST("a client that says nothing is let go at the head's deadline, not a millisecond before")
{
    http_rig *rig = rig_open(test, (souk_http_options){.header_ms = 5000, .idle_ms = 30000});
    souk_auto_value(souk_client) client = rig_connect(rig);
    rig_settle(rig);
    rig_later(rig, 4999);
    SOUK_CHECK(rig_counts(rig).idle_closed == 0);
    rig_later(rig, 1);
    rig_hear_end(rig, &client);
    SOUK_CHECK(rig_counts(rig).idle_closed == 1);
    rig_close(rig);
}

SOUK_TEST("a head has one deadline, however diligently its bytes drip")
{
    http_rig *rig = rig_open(test, (souk_http_options){.header_ms = 5000, .idle_ms = 30000});
    souk_auto_value(souk_client) client = rig_connect(rig);
    rig_settle(rig);
    rig_later(rig, 4000); /* of these the head's time does not begin, but with its first byte */
    const char *head = "GET / HTTP/1.1\r\nX: slow";
    for (int i = 0; i < 20; i++) {
        rig_say_read(rig, &client, (char[]){head[i], 0});
        SOUK_CHECK(rig_counts(rig).refused[SOUK_HTTP_REFUSAL_SLOW_HEAD] == 0);
        rig_later(rig, 250);
    }
    rig_hear_refusal(rig, &client, SOUK_HTTP_REFUSAL_SLOW_HEAD, 2);
    SOUK_CHECK(rig_counts(rig).requests == 1 + 1 + 20); /* only those of the rig */

    souk_auto_value(souk_client) other = rig_connect(rig);
    rig_say_read(rig, &other, "G");
    rig_later(rig, 4999);
    rig_say_read(rig, &other, "E");
    rig_later(rig, 1);
    rig_hear_refusal(rig, &other, SOUK_HTTP_REFUSAL_SLOW_HEAD, 1);
    rig_close(rig);
}

SOUK_TEST("each pipelined request has the whole time for its head")
{
    http_rig *rig = rig_open(test, (souk_http_options){.header_ms = 5000});
    souk_auto_value(souk_client) client = rig_connect(rig);
    rig_say_read(rig, &client, "GET /echo HTTP/1.1\r\n");
    for (int i = 0; i < 5; i++) { /* a piece ends one head and begins the next */
        rig_later(rig, 4999);
        rig_say(rig, &client, HOST "GET /echo HTTP/1.1\r\n");
        rig_hear_ok(rig, &client, HEAR);
    }
    rig_later(rig, 5000);
    rig_hear_refusal(rig, &client, SOUK_HTTP_REFUSAL_SLOW_HEAD, 2);
    rig_close(rig);
}

SOUK_TEST("a body that falls below its rate is refused after two seconds of patience")
{
    http_rig *rig = rig_open(test, (souk_http_options){.body_ms = 60000, .body_bytes_per_s = 10});
    souk_auto_value(souk_client) client = rig_connect(rig);
    rig_say_read(rig, &client, "POST /echo HTTP/1.1\r\nContent-Length: 1000\r\n" HOST);
    for (int second = 1; second <= 21; second++) { /* 9 bytes a second; 10 are wanted but for two */
        SOUK_CHECK(rig_counts(rig).refused[SOUK_HTTP_REFUSAL_SLOW_BODY] == 0);
        rig_say_read(rig, &client, "123456789");
        rig_later(rig, 1000);
    }
    rig_hear_refusal(rig, &client, SOUK_HTTP_REFUSAL_SLOW_BODY, 0);
    rig_close(rig);
}

SOUK_TEST("a body that keeps its rate still has a deadline, and one in time passes")
{
    http_rig *rig = rig_open(test, (souk_http_options){.body_ms = 4000, .body_bytes_per_s = 10});
    souk_auto_value(souk_client) client = rig_connect(rig);
    rig_say_read(rig, &client, "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" HOST);
    for (int i = 0; i < 4; i++) {
        rig_say_read(rig, &client, "14\r\n01234567890123456789\r\n");
        if (i == 3)
            rig_later(rig, 999);
        else
            rig_later(rig, 1000);
    }
    SOUK_CHECK(rig_counts(rig).refused[SOUK_HTTP_REFUSAL_SLOW_BODY] == 0);
    rig_later(rig, 1);
    rig_hear_refusal(rig, &client, SOUK_HTTP_REFUSAL_SLOW_BODY, 0);

    souk_auto_value(souk_client) other = rig_connect(rig);
    rig_say_read(rig, &other, "POST /echo HTTP/1.1\r\nContent-Length: 5\r\n" HOST "hell");
    rig_later(rig, 1999);
    rig_say(rig, &other, "o");
    rig_hear_ok(rig, &other, "POST /echo [hello]");
    rig_close(rig);
}

SOUK_TEST("between requests a connection may rest, and each answer gives it the whole time again")
{
    http_rig *rig = rig_open(test, (souk_http_options){.idle_ms = 30000});
    souk_auto_value(souk_client) client = rig_connect(rig);
    for (int i = 0; i < 3; i++) {
        rig_say(rig, &client, ASK);
        rig_hear_ok(rig, &client, HEAR);
        rig_acknowledge(rig, &client);
        rig_settle(rig);
        rig_later(rig, 29999);
        SOUK_CHECK(rig_counts(rig).idle_closed == 0);
    }
    rig_later(rig, 1);
    rig_hear_end(rig, &client);
    SOUK_CHECK(rig_counts(rig).idle_closed == 1);
    rig_close(rig);
}

SOUK_TEST("while the handler works no deadline of the connection runs")
{
    http_rig *rig = rig_open(test, (souk_http_options){0});
    souk_auto_value(souk_client) client = rig_connect(rig);
    rig_say(rig, &client, "GET /hold HTTP/1.1\r\n" HOST "GET /ec");
    rig_await_held(rig, 1);
    rig_later(rig, 3600 * 1000);
    rig_release(rig, 0);
    rig_hear_ok(rig, &client, "GET /hold []");
    rig_say(rig, &client, "ho HTTP/1.1\r\n" HOST);
    rig_hear_ok(rig, &client, HEAR);
    rig_close(rig);
}

SOUK_TEST("a refused client has time to read why, and neither stays for ever nor talks for ever")
{
    http_rig *rig = rig_open(test, (souk_http_options){.linger_ms = 1000});
    souk_auto_value(souk_client) client = rig_connect(rig);
    rig_say(rig, &client, "nonsense\r\n\r\n");
    rig_hear_refusal(rig, &client, SOUK_HTTP_REFUSAL_REQUEST_LINE, 1);
    rig_later(rig, 999);
    SOUK_CHECK(rig_counts(rig).connections_now >= 1);
    rig_later(rig, 1);
    rig_await_closed(rig, 0);

    souk_auto_value(souk_client) talker = rig_connect(rig);
    rig_say(rig, &talker, "nonsense\r\n\r\n");
    rig_hear_refusal(rig, &talker, SOUK_HTTP_REFUSAL_REQUEST_LINE, 1);
    char words[16384] = {0};
    souk_err err = SOUK_OK;
    for (int i = 0; i < 1024 && !err; i++) /* 16 MiB; one is listened to */
        err = souk_client_send(&talker, (souk_text){words, sizeof words});
    SOUK_CHECK(err == SOUK_EIO);
    rig_close(rig);
}

/* ---- turns --------------------------------------------------------------------------------- */

enum { CROWD = 1500 }; /* requests that take a connection several turns of its loop */

static void crowd_say(http_rig *rig, souk_client *client, const char *before)
{
    souk_auto_value(souk_buf) words = {.mem = souk_mem_heap()};
    souk_buf_print(&words, "%s", before);
    for (int i = 0; i < CROWD; i++)
        souk_buf_print(&words, "%s", ASK);
    rig_say_there(rig, client, souk_buf_view(&words));
}

SOUK_TEST("pipelined requests behind a slow body are answered, in however many turns")
{
    http_rig *rig = rig_open(test, (souk_http_options){0});
    souk_auto_value(souk_client) client = rig_connect(rig);
    souk_auto_value(souk_client) staller = rig_connect(rig);
    souk_auto_value(souk_buf) words = {.mem = souk_mem_heap()};
    souk_buf_print(&words, "POST /echo HTTP/1.1\r\nContent-Length: 40000\r\n" HOST "%030000d", 0);
    rig_say_read(rig, &client, souk_buf_ended(&words));
    rig_later(rig, 4000);
    rig_say(rig, &staller, "GET /stall HTTP/1.1\r\n" HOST);
    rig_await_stalled(rig);
    souk_buf_clear(&words);
    souk_buf_print(&words, "%010000d", 0);
    crowd_say(rig, &client, souk_buf_ended(&words));
    souk_clock_fake_advance(&rig->clock, 1000);
    rig_resume(rig);
    souk_auto_value(rig_answer) answer = {0};
    rig_hear(rig, &client, &answer);
    SOUK_CHECK(answer.status == 200 && answer.body.bytes == 40000 + 13);
    for (int i = 0; i < CROWD; i++)
        rig_hear_ok(rig, &client, HEAR);
    rig_close(rig);
}

SOUK_TEST("a connection that is busy for longer than it may be idle is not closed as idle")
{
    http_rig *rig = rig_open(test, (souk_http_options){.idle_ms = 30000, .header_ms = 5000});
    souk_auto_value(souk_client) client = rig_connect(rig);
    souk_auto_value(souk_client) fresh = rig_connect(rig); /* has asked nothing before */
    souk_auto_value(souk_client) staller = rig_connect(rig);
    rig_say(rig, &client, ASK);
    rig_hear_ok(rig, &client, HEAR);
    rig_say(rig, &staller, "GET /stall HTTP/1.1\r\nConnection: close\r\n" HOST);
    rig_await_stalled(rig);
    crowd_say(rig, &client, "");
    crowd_say(rig, &fresh, "");
    souk_clock_fake_advance(&rig->clock, 31000);
    rig_resume(rig);
    for (int i = 0; i < CROWD; i++) {
        rig_hear_ok(rig, &client, HEAR);
        rig_hear_ok(rig, &fresh, HEAR);
    }
    SOUK_CHECK(rig_counts(rig).idle_closed == 0);
    rig_close(rig);
}

/* ---- answers that take long ---------------------------------------------------------------- */

enum { BIG = 16 << 20 };

static void small_window(const http_rig *rig, souk_client *client)
{
    souk_test *test = rig->test;
    SOUK_CHECK(!setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &(int){65536}, sizeof(int)));
}

/* Takes the rest of the big answer and looks at every byte. */
static void take_big(const http_rig *rig, souk_client *client, size_t from, size_t to)
{
    souk_test *test = rig->test;
    char some[32768];
    size_t wrong = 0;
    while (from < to) {
        size_t got;
        SOUK_MUST(souk_client_receive(client, some, souk_min_size(sizeof some, to - from), &got));
        SOUK_CHECK(got);
        for (size_t i = 0; i < got; i++)
            wrong += some[i] != rig_byte(from + i);
        from += got;
    }
    SOUK_CHECK(wrong == 0);
}

static void ask_big(const http_rig *rig, souk_client *client)
{
    small_window(rig, client);
    char words[100], head[200];
    snprintf(words, sizeof words, "GET /big?%d HTTP/1.1\r\n" HOST, BIG);
    rig_say(rig, client, words);
    snprintf(head, sizeof head,
             "HTTP/1.1 200 OK\r\nDate: Tue, 24 Nov 2026 04:09:00 GMT\r\n"
             "Content-Length: %d\r\n\r\n",
             BIG);
    rig_hear_words(rig, client, head);
}

SOUK_TEST(
    "an answer larger than every buffer reaches a slow reader whole, and the next one follows")
{
    http_rig *rig =
        rig_open(test, (souk_http_options){.write_ms = 10000, .write_bytes_per_s = 100});
    souk_auto_value(souk_client) client = rig_connect(rig);
    ask_big(rig, &client);
    rig_say(rig, &client, ASK);
    for (size_t at = 0; at < BIG; at += BIG / 8) {
        take_big(rig, &client, at, at + BIG / 8);
        rig_later(rig, 2000);
    }
    rig_hear_ok(rig, &client, HEAR);
    SOUK_CHECK(rig_counts(rig).slow_readers == 0);
    rig_close(rig);
}

SOUK_TEST("a reader that keeps the rate is served on, and cut at the end of a time it did not")
{
    enum { RATE = 4 << 20 };
    http_rig *rig =
        rig_open(test, (souk_http_options){.write_ms = 1000, .write_bytes_per_s = RATE});
    souk_auto_value(souk_client) client = rig_connect(rig);
    ask_big(rig, &client);
    rig_settle(rig); /* now the server waits for the client */
    uint64_t before = rig_counts(rig).bytes_out;
    for (size_t at = 0; rig_counts(rig).bytes_out < before + RATE + 1000; at += 10000)
        take_big(rig, &client, at, at + 10000);
    rig_later(rig, 1000);
    SOUK_CHECK(rig_counts(rig).slow_readers == 0);
    rig_later(rig, 999);
    SOUK_CHECK(rig_counts(rig).slow_readers == 0);
    rig_later(rig, 1);
    SOUK_CHECK(rig_counts(rig).slow_readers == 1);
    rig_hear_cut(rig, &client);
    rig_close(rig);
}

SOUK_TEST("a large body comes whole, and goes back whole in a late answer")
{
    enum { BODY = 3 << 20 };
    http_rig *rig = rig_open(test, (souk_http_options){0});
    souk_auto_value(souk_client) client = rig_connect(rig);
    small_window(rig, &client);
    souk_auto_value(souk_buf) words = {.mem = souk_mem_heap()};
    souk_auto_value(rig_answer) answer = {0};
    souk_buf_print(&words, "POST /hold HTTP/1.1\r\nContent-Length: %d\r\n" HOST, BODY);
    size_t body_at = words.bytes;
    for (size_t i = 0; i < BODY; i++)
        souk_buf_byte(&words, rig_byte(i));
    rig_say_text(rig, &client, souk_buf_view(&words));
    rig_await_held(rig, 1);
    rig_release(rig, 0);
    rig_hear(rig, &client, &answer);
    SOUK_CHECK(answer.body.bytes == BODY + 13);
    SOUK_CHECK(!memcmp(answer.body.at + 12, words.at + body_at, BODY));
    rig_close(rig);
}

SOUK_TEST("a hundred late answers wake the loop once")
{
    enum { LATE = 100 };
    http_rig *rig = rig_open(test, (souk_http_options){0});
    souk_client clients[LATE];
    for (int i = 0; i < LATE; i++) {
        clients[i] = rig_connect(rig);
        rig_say(rig, &clients[i], "GET /hold HTTP/1.1\r\n" HOST);
    }
    rig_await_held(rig, LATE);
    souk_auto_value(souk_client) staller = rig_connect(rig);
    rig_say(rig, &staller, "GET /stall HTTP/1.1\r\n" HOST);
    rig_await_stalled(rig);
    uint64_t before = rig_counts(rig).wakes;
    SOUK_CHECK(rig_counts(rig).exchanges_now == LATE);
    while (rig->held_count)
        rig_release(rig, (unsigned)test_random(test, rig->held_count));
    SOUK_CHECK(rig_counts(rig).wakes == before + 1);
    rig_resume(rig);
    for (int i = 0; i < LATE; i++) {
        rig_hear_ok(rig, &clients[i], "GET /hold []");
        souk_client_done(&clients[i]);
    }
    rig_close(rig);
}
