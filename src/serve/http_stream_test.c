/* http_stream_test.c - answers that go on: frames, ceilings, who leaves, drain, many threads. */
#include "test/test.h"

#include "serve/http_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HOST "Host: a\r\n\r\n"
#define ASK  "GET /stream HTTP/1.1\r\n" HOST

enum { FLOWS = 64 };

/* One stream, as its owner sees it. */
struct flow {
    souk_http_stream *stream;
    souk_err begun;
    int gone, drained; /* atomic: how often it was told */
};

struct flows {
    souk_mutex mutex;
    souk_cond changed;
    struct flow flow[FLOWS];
    unsigned count;
    size_t buffer_bytes;
    bool later; /* the exchange is held, another thread begins */
};

static void on_gone(void *context)
{
    struct flow *flow = context;
    __atomic_fetch_add(&flow->gone, 1, __ATOMIC_RELEASE);
}

static void on_drain(void *context)
{
    struct flow *flow = context;
    __atomic_fetch_add(&flow->drained, 1, __ATOMIC_RELEASE);
}

static void begin_flow(struct flows *flows, souk_http_exchange *x)
{
    souk_http_header type = {SOUK_TEXT("Content-Type"), SOUK_TEXT("text/event-stream")};
    if (souk_text_equal(x->request.query, SOUK_TEXT("split")))
        type.value = SOUK_TEXT("a\r\nb");
    souk_auto_lock(&flows->mutex);
    souk_assert(flows->count < FLOWS);
    struct flow *flow = &flows->flow[flows->count];
    souk_http_stream_options options = {
        .buffer_bytes = flows->buffer_bytes, .gone = on_gone, .drain = on_drain, .context = flow};
    flow->begun = souk_http_stream_begin(x, 200, &type, 1, &options, &flow->stream);
    if (flow->begun)
        souk_http_answer_problem(x, flow->begun == SOUK_EINVAL ? 500 : 503, SOUK_TEXT("no stream"));
    flows->count++;
    souk_cond_broadcast(&flows->changed);
}

static bool take_stream(http_rig *rig, souk_http_exchange *x)
{
    struct flows *flows = rig->own;
    if (!souk_text_equal(x->request.path, SOUK_TEXT("/stream")))
        return false;
    if (flows->later)
        return false; /* /hold does it */
    begin_flow(flows, x);
    return true;
}

static http_rig *open_rig(souk_test *test, struct flows *flows, souk_http_options options)
{
    http_rig *rig = rig_new(test, options);
    souk_mutex_init(&flows->mutex);
    souk_cond_init(&flows->changed);
    rig->more = take_stream;
    rig->own = flows;
    SOUK_MUST(rig_serve(rig, "127.0.0.1:0"));
    return rig;
}

static struct flow *await_flow(souk_test *test, struct flows *flows, unsigned number)
{
    int64_t deadline_ns = rig_patience_ns();
    bool in_time = true;
    souk_mutex_lock(&flows->mutex);
    while (flows->count <= number && in_time)
        in_time = souk_cond_wait_until(&flows->changed, &flows->mutex, deadline_ns);
    souk_mutex_unlock(&flows->mutex);
    SOUK_CHECK(in_time);
    return &flows->flow[number];
}

static void await_number(souk_test *test, const int *number, int least)
{
    for (int looks = 0; __atomic_load_n(number, __ATOMIC_ACQUIRE) < least; looks++) {
        SOUK_CHECK(looks < RIG_PATIENCE_MS * 4);
        nanosleep(&(struct timespec){.tv_nsec = 250000}, NULL);
    }
}

static bool put(souk_test *test, struct flow *flow, souk_text bytes)
{
    souk_auto(souk_http_chunk) chunk = NULL;
    SOUK_MUST(souk_http_chunk_new(souk_mem_heap(), bytes, &chunk));
    return souk_http_stream_put(flow->stream, chunk);
}

static void say(souk_test *test, struct flow *flow, const char *words)
{
    SOUK_CHECK(put(test, flow, souk_text_of(words)));
    souk_http_stream_flush(flow->stream);
}

static void end(struct flow *flow)
{
    souk_http_stream_end(souk_take(&flow->stream));
}

static void hear_head(const http_rig *rig, souk_client *client, const char *has)
{
    souk_test *test = rig->test;
    souk_auto_value(souk_buf) head = {.mem = souk_mem_heap()};
    SOUK_MUST(rig_hear_head(client, &head));
    SOUK_CHECK(souk_text_starts(souk_buf_view(&head), SOUK_TEXT("HTTP/1.1 200 OK\r\n")));
    SOUK_CHECK(text_has(souk_buf_view(&head), souk_text_of(has)));
    SOUK_CHECK(text_has(souk_buf_view(&head), SOUK_TEXT("\r\nConnection: close\r\n")));
    SOUK_CHECK(!text_has(souk_buf_view(&head), SOUK_TEXT("Content-Length")));
}

/* ---- what goes over the wire ------------------------------------------------------------------ */

SOUK_TEST("a stream goes out in chunks as they are put, and ends with the last one")
{
    struct flows flows = {.count = 0};
    http_rig *rig = open_rig(test, &flows, (souk_http_options){0});
    souk_auto_value(souk_client) client = rig_connect(rig);
    rig_say(rig, &client, ASK);
    hear_head(rig, &client, "\r\nTransfer-Encoding: chunked\r\n");
    struct flow *flow = await_flow(test, &flows, 0);
    say(test, flow, "hello\n");
    rig_hear_words(rig, &client, "6\r\nhello\n\r\n");
    say(test, flow, "sixteen bytes ok");
    rig_hear_words(rig, &client, "10\r\nsixteen bytes ok\r\n");
    SOUK_CHECK(rig_counts(rig).streams_now == 1 && rig_counts(rig).exchanges_now == 0);
    end(flow);
    rig_hear_words(rig, &client, "0\r\n\r\n");
    rig_hear_end(rig, &client);
    rig_await_closed(rig, 0);
    SOUK_CHECK(flow->gone == 0);
    SOUK_CHECK(rig_counts(rig).streams == 1 && rig_counts(rig).answers[2] == 1);
    rig_close(rig);
}

SOUK_TEST("to HTTP/1.0 a stream goes as it is, and ends with its connection")
{
    struct flows flows = {.count = 0};
    http_rig *rig = open_rig(test, &flows, (souk_http_options){0});
    souk_auto_value(souk_client) client = rig_connect(rig);
    rig_say(rig, &client, "GET /stream HTTP/1.0\r\n\r\n");
    hear_head(rig, &client, "\r\nContent-Type: text/event-stream\r\n");
    struct flow *flow = await_flow(test, &flows, 0);
    say(test, flow, "one\n");
    say(test, flow, "two\n");
    end(flow);
    rig_hear_words(rig, &client, "one\ntwo\n");
    rig_hear_end(rig, &client);
    rig_close(rig);
}

SOUK_TEST("answers to earlier requests go before a stream, and later requests are not read")
{
    struct flows flows = {.count = 0};
    http_rig *rig = open_rig(test, &flows, (souk_http_options){0});
    souk_auto_value(souk_client) client = rig_connect(rig);
    rig_say(rig, &client, "GET /echo HTTP/1.1\r\n" HOST ASK "GET /echo/behind HTTP/1.1\r\n" HOST);
    rig_hear_ok(rig, &client, "GET /echo []");
    hear_head(rig, &client, "chunked");
    struct flow *flow = await_flow(test, &flows, 0);
    say(test, flow, "a");
    end(flow);
    rig_hear_words(rig, &client, "1\r\na\r\n0\r\n\r\n");
    rig_hear_end(rig, &client);
    SOUK_CHECK(rig_counts(rig).requests == 2);
    rig_close(rig);
}

SOUK_TEST("a HEAD request and a header that would split the answer begin no stream")
{
    struct flows flows = {.count = 0};
    http_rig *rig = open_rig(test, &flows, (souk_http_options){0});
    souk_auto_value(souk_client) client = rig_connect(rig);
    souk_auto_value(rig_answer) answer = {0};
    rig_say(rig, &client, "HEAD /stream HTTP/1.1\r\n" HOST);
    SOUK_MUST(rig_try_hear(&client, true, &answer));
    SOUK_CHECK(answer.status == 500);
    rig_say(rig, &client, "GET /stream?split HTTP/1.1\r\n" HOST);
    rig_hear(rig, &client, &answer);
    SOUK_CHECK(answer.status == 500);
    SOUK_CHECK(rig_counts(rig).streams == 0);
    rig_close(rig);
}

SOUK_TEST(
    "another thread begins the stream of an exchange that was held, also when the client is gone")
{
    struct flows flows = {.later = true};
    http_rig *rig = open_rig(test, &flows, (souk_http_options){0});
    souk_client first = rig_connect(rig);
    souk_auto_value(souk_client) second = rig_connect(rig);
    rig_say(rig, &first, "GET /hold/1 HTTP/1.1\r\n" HOST);
    rig_await_held(rig, 1);
    rig_say(rig, &second, "GET /hold/2 HTTP/1.1\r\n" HOST);
    rig_await_held(rig, 2);
    setsockopt(first.fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    souk_client_done(&first); /* with a reset */
    rig_await_closed(rig, 1);
    begin_flow(&flows, rig_take(rig, 0));
    begin_flow(&flows, rig_take(rig, 0));
    await_number(test, &flows.flow[0].gone, 1);
    SOUK_CHECK(!put(test, &flows.flow[0], SOUK_TEXT("never")));
    end(&flows.flow[0]);
    hear_head(rig, &second, "chunked");
    say(test, &flows.flow[1], "for you");
    end(&flows.flow[1]);
    rig_hear_words(rig, &second, "7\r\nfor you\r\n0\r\n\r\n");
    rig_hear_end(rig, &second);
    rig_close(rig);
}

/* ---- slow and gone ------------------------------------------------------------------------------ */

/* Numbers of eight bytes until there is no room; how many. */
static unsigned fill(souk_test *test, http_rig *rig, struct flow *flow, size_t chunk_bytes)
{
    char *bytes = calloc(1, chunk_bytes);
    unsigned count = 0;
    bool room = true;
    SOUK_CHECK(bytes);
    while (room) {
        SOUK_CHECK(count < 100000);
        snprintf(bytes, chunk_bytes, "%7u\n", count);
        room = put(test, flow, (souk_text){bytes, chunk_bytes});
        count += room;
        souk_http_stream_flush(flow->stream);
        if (!room) /* the loop fills the kernel's buffers first */
            rig_settle(rig);
        if (!room)
            room = put(test, flow, (souk_text){bytes, chunk_bytes}), count += room;
    }
    free(bytes);
    return count;
}

SOUK_TEST("what waits for a slow client has a ceiling, and nothing of what was taken is lost")
{
    struct flows flows = {.buffer_bytes = 100000};
    http_rig *rig = open_rig(test, &flows, (souk_http_options){0});
    souk_auto_value(souk_client) client = rig_connect(rig);
    rig_say(rig, &client, "GET /stream HTTP/1.0\r\n\r\n");
    hear_head(rig, &client, "200");
    struct flow *flow = await_flow(test, &flows, 0);
    unsigned taken = fill(test, rig, flow, 9000);
    SOUK_CHECK(taken >= 11);
    end(flow);
    char bytes[9000];
    for (unsigned i = 0; i < taken; i++) {
        for (size_t at = 0, got; at < sizeof bytes; at += got) {
            SOUK_MUST(souk_client_receive(&client, bytes + at, sizeof bytes - at, &got));
            SOUK_CHECK(got);
        }
        SOUK_CHECK((unsigned)atoi(bytes) == i);
    }
    rig_hear_end(rig, &client);
    rig_close(rig);
}

SOUK_TEST("many small chunks have a ceiling, too")
{
    struct flows flows = {.count = 0};
    http_rig *rig = open_rig(test, &flows, (souk_http_options){0});
    souk_auto_value(souk_client) client = rig_connect(rig);
    rig_say(rig, &client, "GET /stall HTTP/1.1\r\n" HOST);
    souk_auto_value(souk_client) other = rig_connect(rig);
    rig_await_stalled(rig);
    rig_resume(rig);
    rig_hear_ok(rig, &client, "GET /stall []");
    rig_say(rig, &other, ASK);
    hear_head(rig, &other, "200");
    struct flow *flow = await_flow(test, &flows, 0);
    rig_say(rig, &client, "GET /stall HTTP/1.1\r\n" HOST);
    rig_await_stalled(rig); /* the loop takes nothing */
    unsigned count = 0;
    while (put(test, flow, SOUK_TEXT("x")))
        count++;
    SOUK_CHECK(count >= 32 && count <= 64);
    rig_resume(rig);
    rig_hear_ok(rig, &client, "GET /stall []");
    end(flow);
    for (unsigned i = 0; i < count; i++)
        rig_hear_words(rig, &other, "1\r\nx\r\n");
    rig_hear_words(rig, &other, "0\r\n\r\n");
    rig_close(rig);
}

SOUK_TEST("who takes nothing is cut when its time is over, and the owner hears of it once")
{
    struct flows flows = {.count = 0};
    http_rig *rig = open_rig(test, &flows, (souk_http_options){.write_ms = 1000});
    souk_auto_value(souk_client) client = rig_connect(rig);
    rig_say(rig, &client, ASK);
    hear_head(rig, &client, "200");
    struct flow *flow = await_flow(test, &flows, 0);
    rig_later(rig, 100000); /* a stream that says nothing stays */
    say(test, flow, "still here");
    rig_hear_words(rig, &client, "a\r\nstill here\r\n");
    fill(test, rig, flow, 16000);
    rig_settle(rig);
    rig_later(rig, 1001); /* it took something in this time: the kernel's buffers */
    rig_later(rig, 1001);
    await_number(test, &flow->gone, 1);
    SOUK_CHECK(rig_counts(rig).slow_readers == 1);
    SOUK_CHECK(!put(test, flow, SOUK_TEXT("never")));
    rig_hear_cut(rig, &client);
    SOUK_CHECK(rig_counts(rig).streams_now == 1);
    end(flow);
    rig_close(rig);
    SOUK_CHECK(flow->gone == 1);
}

SOUK_TEST("who takes a little in each time is slow, and stays")
{
    struct flows flows = {.count = 0};
    http_rig *rig = open_rig(test, &flows, (souk_http_options){.write_ms = 1000});
    souk_auto_value(souk_client) client = rig_connect(rig);
    char bytes[4096];
    rig_say(rig, &client, ASK);
    struct flow *flow = await_flow(test, &flows, 0);
    for (int i = 0; i < 5; i++) {
        fill(test, rig, flow, 16000);
        rig_settle(rig);
        uint64_t sent = rig_counts(rig).bytes_out;
        for (int looks = 0; rig_counts(rig).bytes_out <= sent + 1000; looks++) {
            size_t got;
            SOUK_CHECK(looks < RIG_PATIENCE_MS);
            SOUK_MUST(souk_client_receive(&client, bytes, sizeof bytes, &got));
        }
        rig_later(rig, 1001);
    }
    SOUK_CHECK(flow->gone == 0);
    end(flow);
    souk_client_done(&client);
    rig_close(rig);
}

SOUK_TEST("a client that leaves, or shuts its sending side, is gone at once")
{
    struct flows flows = {.count = 0};
    http_rig *rig = open_rig(test, &flows, (souk_http_options){0});
    souk_client first = rig_connect(rig);
    souk_auto_value(souk_client) second = rig_connect(rig);
    rig_say(rig, &first, ASK);
    await_flow(test, &flows, 0);
    rig_say(rig, &second, ASK);
    await_flow(test, &flows, 1);
    souk_client_done(&first);
    await_number(test, &flows.flow[0].gone, 1);
    SOUK_CHECK(!shutdown(second.fd, SHUT_WR));
    await_number(test, &flows.flow[1].gone, 1);
    rig_await_closed(rig, 0);
    SOUK_CHECK(rig_counts(rig).streams_now == 2);
    end(&flows.flow[0]);
    end(&flows.flow[1]);
    rig_close(rig);
}

/* ---- the end -------------------------------------------------------------------------------------- */

struct drainer {
    souk_thread thread;
    souk_http *http;
    uint32_t within_ms;
    souk_err result;
};

static void run_drain(void *context)
{
    struct drainer *drainer = context;
    drainer->result = souk_http_drain(drainer->http, drainer->within_ms);
}

SOUK_TEST("a drain asks the owners for their last words, and waits for them")
{
    struct flows flows = {.count = 0};
    http_rig *rig = open_rig(test, &flows, (souk_http_options){0});
    souk_auto_value(souk_client) client = rig_connect(rig);
    rig_say(rig, &client, ASK);
    hear_head(rig, &client, "200");
    struct flow *flow = await_flow(test, &flows, 0);
    struct drainer drainer = {.http = rig->http, .within_ms = RIG_PATIENCE_MS};
    SOUK_MUST(souk_thread_start(&drainer.thread, "drain", run_drain, &drainer));
    await_number(test, &flow->drained, 1);
    say(test, flow, "good bye");
    end(flow);
    souk_thread_join(&drainer.thread);
    SOUK_MUST(drainer.result);
    rig_hear_words(rig, &client, "8\r\ngood bye\r\n0\r\n\r\n");
    rig_hear_end(rig, &client);
    SOUK_CHECK(flow->gone == 0 && flow->drained == 1);
    rig_close(rig);
}

SOUK_TEST("a stream whose owner does not end it is cut at the end of the drain, and free waits for "
          "the owner")
{
    struct flows flows = {.count = 0};
    http_rig *rig = open_rig(test, &flows, (souk_http_options){0});
    souk_auto_value(souk_client) client = rig_connect(rig);
    rig_say(rig, &client, ASK);
    hear_head(rig, &client, "200");
    struct flow *flow = await_flow(test, &flows, 0);
    SOUK_CHECK_ERR(souk_http_drain(rig->http, 1), SOUK_ETIMEOUT);
    SOUK_CHECK(flow->gone == 1 && flow->drained == 1);
    rig_hear_cut(rig, &client);
    souk_thread closer = {0};
    SOUK_MUST(souk_thread_start(&closer, "closer", (void (*)(void *))souk_http_free, rig->http));
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL); /* time to free what is still ours */
    SOUK_CHECK(!put(test, flow, SOUK_TEXT("late")));
    end(flow);
    souk_thread_join(&closer);
    rig->http = NULL;
    rig_close(rig);
}

/* ---- many at once ----------------------------------------------------------------------------------- */

enum { CROWD = 24, ROUNDS = 400 };

struct crowd {
    souk_test *test;
    struct flows *flows;
    unsigned lie_round; /* a chunk too many for stream 0; 0: none */
    unsigned refused[CROWD];
};

/* Waits for room, unless the client has gone. */
static void put_for_sure(struct flow *flow, souk_http_chunk *chunk)
{
    while (!souk_http_stream_put(flow->stream, chunk) &&
           !__atomic_load_n(&flow->gone, __ATOMIC_ACQUIRE))
        souk_http_stream_flush(flow->stream);
}

/* One chunk for all in each round; ends the streams after the last. */
static void run_crowd(void *context)
{
    struct crowd *crowd = context;
    for (unsigned round = 1; round <= ROUNDS; round++) {
        char words[16];
        souk_http_chunk *chunk = NULL;
        size_t bytes = (size_t)snprintf(words, sizeof words, "%u\n", round);
        souk_assert(!souk_http_chunk_new(souk_mem_heap(), (souk_text){words, bytes}, &chunk));
        for (unsigned i = 0; i < CROWD; i++)
            put_for_sure(&crowd->flows->flow[i], chunk);
        if (round == crowd->lie_round)
            put_for_sure(&crowd->flows->flow[0], chunk);
        souk_http_chunk_free(chunk);
        for (unsigned i = 0; i < CROWD; i++)
            souk_http_stream_flush(crowd->flows->flow[i].stream);
    }
    for (unsigned i = 0; i < CROWD; i++)
        end(&crowd->flows->flow[i]);
}

/* The rounds a client heard, in order and none twice, up to the end. */
static bool hears_all(souk_client *client)
{
    souk_auto_value(souk_buf) all = {.mem = souk_mem_heap()};
    char part[4096];
    size_t got = 1;
    while (got && !souk_client_receive(client, part, sizeof part, &got))
        souk_buf_append(&all, part, got);
    const char *at = strstr(souk_buf_ended(&all), "\r\n\r\n");
    unsigned round = 1;
    for (at = at ? at + 4 : ""; *at; round++) {
        char *rest;
        if (strtoul(at, &rest, 10) != round)
            return false;
        at = rest + 1;
    }
    return round == ROUNDS + 1;
}

/* How many of those who stayed heard everything; every third client leaves in between. */
static unsigned run_rounds(souk_test *test, unsigned lie_round)
{
    struct flows flows = {.count = 0};
    http_rig *rig = open_rig(test, &flows, (souk_http_options){.loop_count = 2});
    souk_client clients[CROWD];
    struct crowd crowd = {.test = test, .flows = &flows, .lie_round = lie_round};
    souk_thread thread = {0};
    unsigned heard = 0;
    for (unsigned i = 0; i < CROWD; i++) {
        clients[i] = rig_connect(rig);
        rig_say(rig, &clients[i], "GET /stream HTTP/1.0\r\n\r\n");
        await_flow(test, &flows, i);
    }
    SOUK_MUST(souk_thread_start(&thread, "crowd", run_crowd, &crowd));
    for (unsigned i = 2; i < CROWD; i += 3)
        souk_client_done(&clients[i]);
    for (unsigned i = 0; i < CROWD; i++)
        heard += i % 3 != 2 && hears_all(&clients[i]);
    souk_thread_join(&thread);
    for (unsigned i = 0; i < CROWD; i++)
        if (i % 3 != 2)
            souk_client_done(&clients[i]);
    rig_close(rig);
    return heard;
}

SOUK_TEST("one chunk for many clients on two loops reaches each once, in order, while others leave")
{
    SOUK_CHECK(run_rounds(test, 0) == CROWD - CROWD / 3);
    SOUK_CHECK(run_rounds(test, 200) == CROWD - CROWD / 3 - 1); /* one chunk too many is noticed */
}

SOUK_TEST("a stream that finds no memory leaves the exchange to be answered, and nothing behind")
{
    SOUK_FAULT_LOOP (test) {
        struct flows flows = {.count = 0};
        http_rig *rig = rig_new(test, (souk_http_options){0});
        souk_mutex_init(&flows.mutex);
        souk_cond_init(&flows.changed);
        rig->more = take_stream;
        rig->own = &flows;
        souk_err err = rig_serve(rig, "127.0.0.1:0");
        if (!err) {
            souk_auto_value(souk_client) client = rig_connect(rig);
            souk_auto_value(souk_buf) head = {.mem = souk_mem_heap()};
            rig_say(rig, &client, ASK);
            err = rig_hear_head(&client, &head) ? SOUK_ENOMEM : SOUK_OK; /* or turned away */
            bool is_stream = text_has(souk_buf_view(&head), SOUK_TEXT("chunked"));
            if (is_stream) {
                struct flow *flow = await_flow(test, &flows, 0);
                say(test, flow, "a");
                end(flow);
                rig_hear_words(rig, &client, "1\r\na\r\n0\r\n\r\n");
            } else {
                err = SOUK_ENOMEM;
                SOUK_CHECK(!head.bytes ||
                           souk_text_starts(souk_buf_view(&head), SOUK_TEXT("HTTP/1.1 503")));
            }
        }
        rig_close(rig);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
    }
}
