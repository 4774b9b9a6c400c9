/* http_life_test.c - how the server's connections end: limits, drain, free, who asks, and allocations
 * that fail. */
#include "test/test.h"

#include "os/process.h"
#include "serve/http_rig.h"

#include <stdio.h>
#include <unistd.h>

#define HOST "Host: a\r\n\r\n"
#define ASK  "GET /echo HTTP/1.1\r\n" HOST
#define HEAR "GET /echo []"

enum { CROWD = 300 }; /* requests that take a connection more than a turn of its loop */

/* ---- limits -------------------------------------------------------------------------------- */

SOUK_TEST("above the limit of connections one hears why and when, and an idle one makes room")
{
    http_rig *rig = rig_open(test, (souk_http_options){.connection_limit = 1});
    souk_auto_value(souk_client) first = rig_connect(rig);
    rig_say(rig, &first, "GET /stall HTTP/1.1\r\n" HOST "GET /hold HTTP/1.1\r\n" HOST);
    rig_await_stalled(rig);
    souk_auto_value(souk_client) second = rig_connect(rig);
    rig_say_there(rig, &second, SOUK_TEXT(ASK));
    rig_resume(rig);
    rig_await_held(rig, 1);
    rig_hear_refusal(rig, &second, SOUK_HTTP_REFUSAL_CROWDED, 0);
    rig_await(rig, refused[SOUK_HTTP_REFUSAL_CROWDED], 1); /* counted when it is closed */
    int failed = 0;
    SOUK_CHECK(!getsockopt(second.fd, SOL_SOCKET, SO_ERROR, &failed, &(socklen_t){sizeof failed}));
    SOUK_CHECK(!failed); /* no reset came behind the answer, that might have overtaken it */

    rig_release(rig, 0);
    rig_hear_ok(rig, &first, "GET /stall []");
    rig_hear_ok(rig, &first, "GET /hold []");
    souk_auto_value(souk_client) third = rig_connect(rig);
    rig_say(rig, &third, ASK);
    rig_hear_ok(rig, &third, HEAR);
    rig_hear_end(rig, &first);
    SOUK_CHECK(rig_counts(rig).evicted == 1);
    rig_close(rig);
}

SOUK_TEST("one address has a share of the connections, and gets it back")
{
    http_rig *rig = rig_open(test, (souk_http_options){.peer_limit = 1});
    souk_client first = rig_connect(rig);
    rig_say(rig, &first, "GET /stall HTTP/1.1\r\n" HOST);
    rig_await_stalled(rig);
    souk_auto_value(souk_client) second = rig_connect(rig);
    rig_say_there(rig, &second, SOUK_TEXT(ASK));
    rig_resume(rig);
    rig_hear_refusal(rig, &second, SOUK_HTTP_REFUSAL_CROWDED, 0);
    souk_client_done(&first);
    rig_await_closed(rig, 0);
    souk_auto_value(souk_client) third = rig_connect(rig);
    rig_say(rig, &third, ASK);
    rig_hear_ok(rig, &third, HEAR);
    rig_close(rig);
}

/* ---- copies of the process --------------------------------------------------------------------- */

static souk_err rest(void *context)
{
    (void)context;
    pause(); /* until it is killed */
    return SOUK_OK;
}

SOUK_TEST(
    "a connection ends at once while a copy of the process lives, and is never heard of again")
{
    /* The copy has every descriptor too: neither the client nor epoll learn of a close. */
    http_rig *rig = rig_open(test, (souk_http_options){.loop_count = 1});
    souk_auto_value(souk_client) second = rig_connect(rig);
    souk_client first = rig_connect(rig);
    long copy;
    rig_say(rig, &first, ASK);
    rig_hear_ok(rig, &first, HEAR);
    SOUK_MUST(souk_process_copy(rest, NULL, &copy));
    rig_say(rig, &first, "GET /echo HTTP/1.1\r\nConnection: close\r\n" HOST);
    rig_hear_ok(rig, &first, HEAR);
    rig_hear_end(rig, &first);
    rig_await_closed(rig, 1);
    souk_client_done(&first); /* an event of its own, for whoever still watches it */
    for (int i = 0; i < 3; i++) {
        rig_say(rig, &second, ASK);
        rig_hear_ok(rig, &second, HEAR);
    }
    souk_process_copy_kill(copy);
    rig_close(rig);
}

/* ---- the end ------------------------------------------------------------------------------- */

typedef struct drainer {
    souk_thread thread;
    souk_http *http;
    souk_err result;
    int done;
} drainer;

static void run_drain(void *context)
{
    drainer *d = context;
    d->result = souk_http_drain(d->http, RIG_PATIENCE_MS);
    __atomic_store_n(&d->done, 1, __ATOMIC_RELEASE);
}

static void hear_last(const http_rig *rig, souk_client *client, const char *body)
{
    souk_test *test = rig->test;
    souk_auto_value(rig_answer) answer = {0};
    rig_hear(rig, client, &answer);
    SOUK_CHECK_TEXT(answer.body, body);
    SOUK_CHECK(text_has(answer.head, SOUK_TEXT("\r\nConnection: close\r\n")));
    rig_hear_end(rig, client);
    souk_client_done(client);
}

SOUK_TEST("a drain takes nobody in, lets the idle go and finishes what is under way")
{
    http_rig *rig = rig_open(test, (souk_http_options){0});
    souk_auto_value(souk_client) idle = rig_connect(rig);
    souk_auto_value(souk_client) silent = rig_connect(rig);
    souk_client held = rig_connect(rig), head = rig_connect(rig), body = rig_connect(rig);
    rig_say(rig, &idle, ASK);
    rig_hear_ok(rig, &idle, HEAR);
    rig_say_read(rig, &head, "GET /ec");
    rig_say_read(rig, &body, "POST /echo HTTP/1.1\r\nContent-Length: 5\r\n" HOST "he");
    rig_say(rig, &held, "GET /hold HTTP/1.1\r\n" HOST ASK);
    rig_await_held(rig, 1);
    rig_settle(rig);

    drainer *d = souk_mem_get(souk_mem_heap(), sizeof *d);
    SOUK_CHECK(d);
    d->http = rig->http;
    SOUK_MUST(souk_thread_start(&d->thread, "drain", run_drain, d));
    rig_hear_end(rig, &idle);
    rig_hear_end(rig, &silent);
    souk_client late = SOUK_CLIENT_NONE;
    SOUK_CHECK_ERR(souk_client_open(&late, rig->address, RIG_PATIENCE_MS, NULL), SOUK_ENOENT);
    SOUK_CHECK(!__atomic_load_n(&d->done, __ATOMIC_ACQUIRE));

    rig_say(rig, &head, "ho HTTP/1.1\r\n" HOST);
    hear_last(rig, &head, HEAR);
    rig_say(rig, &body, "llo");
    hear_last(rig, &body, "POST /echo [hello]");
    rig_release(rig, 0);
    hear_last(rig, &held, "GET /hold []"); /* what was asked behind it is for another server */
    souk_thread_join(&d->thread);
    SOUK_MUST(d->result);
    SOUK_CHECK(rig_counts(rig).connections_now == 0); /* the drain has waited for that */
    souk_mem_put(souk_mem_heap(), d);
    rig_close(rig);
}

SOUK_TEST(
    "a drain that takes too long cuts what is left, and its exchange is answered into nothing")
{
    http_rig *rig = rig_open(test, (souk_http_options){0});
    souk_auto_value(souk_client) client = rig_connect(rig);
    rig_say(rig, &client, "GET /hold HTTP/1.1\r\n" HOST);
    rig_await_held(rig, 1);
    SOUK_CHECK_ERR(souk_http_drain(rig->http, 1), SOUK_ETIMEOUT);
    rig_hear_cut(rig, &client);
    SOUK_CHECK(rig_counts(rig).connections_now == 0 && rig_counts(rig).exchanges_now == 1);
    rig_release(rig, 0);
    rig_await(rig, gone, 1);
    rig_close(rig);
}

/* The drain comes while the loop stands in the handler of the request `behind`, answered before. */
static void drain_behind(souk_test *test, int behind)
{
    http_rig *rig = rig_open(test, (souk_http_options){.loop_count = 2});
    souk_client busy = rig_connect(rig);
    souk_auto_value(souk_buf) words = {.mem = souk_mem_heap()};
    souk_buf_print(&words, "GET /stall HTTP/1.1\r\n" HOST);
    for (int i = 0; i < CROWD; i++)
        souk_buf_print(&words, "%s", i == behind ? "GET /then/stall HTTP/1.1\r\n" HOST : ASK);
    rig_say_there(rig, &busy, souk_buf_view(&words));
    rig_await_stalled(rig);
    souk_auto_value(souk_client) other = rig_connect(rig); /* of the loop that does not stall */
    rig_say(rig, &other, ASK);
    rig_hear_ok(rig, &other, HEAR);
    rig_resume(rig);
    rig_await_stalled(rig);
    drainer *d = souk_mem_get(souk_mem_heap(), sizeof *d);
    SOUK_CHECK(d);
    d->http = rig->http;
    SOUK_MUST(souk_thread_start(&d->thread, "drain", run_drain, d));
    rig_hear_end(rig, &other); /* it has begun */
    rig_resume(rig);
    rig_hear_ok(rig, &busy, "GET /stall []");
    for (int i = 0; i < behind; i++)
        rig_hear_ok(rig, &busy, HEAR);
    rig_hear_ok(rig, &busy, "GET /then/stall []");
    hear_last(rig, &busy, HEAR);
    souk_thread_join(&d->thread);
    SOUK_MUST(d->result);
    souk_mem_put(souk_mem_heap(), d);
    rig_close(rig);
}

SOUK_TEST("a drain at any moment of a busy connection loses no answer that was given")
{
    for (int behind = 0; behind < 20; behind++)
        drain_behind(test, behind);
    for (int behind = 110; behind < 140; behind++) /* around the end of its share of a turn */
        drain_behind(test, behind);
}

SOUK_TEST("freeing the server cuts connections and waits for exchanges in other threads' hands")
{
    http_rig *rig = rig_open(test, (souk_http_options){.loop_count = 2});
    souk_client clients[20];
    for (int i = 0; i < 20; i++) {
        clients[i] = rig_connect(rig);
        rig_say(rig, &clients[i], "GET /hold HTTP/1.1\r\n" HOST);
    }
    rig_await_held(rig, 20);
    rig_releaser(rig);
    rig_close(rig);
    for (int i = 0; i < 20; i++)
        souk_client_done(&clients[i]);
}

/* ---- the rest of the manual ---------------------------------------------------------------- */

SOUK_TEST("the handler is told who asks, over every family of sockets")
{
    char path[300];
    snprintf(path, sizeof path, "%s/sock", test_folder(test));
    const char *const doors[][2] = {
        {"127.0.0.1:0", "127.0.0.1"}, {path, "local"}, {"[::1]:0", "::1"}};
    for (size_t i = 0; i < sizeof doors / sizeof *doors; i++) {
        souk_auto_value(souk_fd) door = -1;
        char actual[SOUK_ADDRESS_ROOM];
        if (souk_socket_listen(doors[i][0], NULL, &door, actual, NULL))
            continue; /* a machine without IPv6 */
        souk_fd_done(&door);
        http_rig *rig = rig_new(test, (souk_http_options){0});
        SOUK_MUST(rig_serve(rig, doors[i][0]));
        souk_auto_value(souk_client) client = rig_connect(rig);
        rig_say(rig, &client, "GET /peer HTTP/1.1\r\n" HOST);
        rig_hear_ok(rig, &client, doors[i][1]);
        rig_close(rig);
    }
}

SOUK_TEST("options beyond their bounds and sockets that do not listen are refused")
{
    souk_auto(souk_http) http = NULL;
    const souk_http_options bad[] = {
        {.handle = NULL},
        {.handle = rig_handle, .loop_count = 65},
        {.handle = rig_handle, .header_ms = 3600001},
        {.handle = rig_handle, .linger_ms = 3600001},
        {.handle = rig_handle, .connection_limit = (1 << 20) + 1},
        {.handle = rig_handle, .body_limit_bytes = ((size_t)1 << 32) + 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        SOUK_CHECK_ERR(souk_http_new(test->mem, &bad[i], &http), SOUK_EINVAL);
    SOUK_CHECK(!http);

    SOUK_MUST(souk_http_new(test->mem, &(souk_http_options){.handle = rig_handle}, &http));
    souk_auto_value(souk_fd) deaf = socket(AF_INET, SOCK_STREAM, 0);
    SOUK_CHECK_ERR(souk_http_listen(http, deaf), SOUK_EIO);
    SOUK_CHECK_ERR(souk_http_listen(http, -1), SOUK_EIO);
    char actual[SOUK_ADDRESS_ROOM];
    for (int i = 0; i < 9; i++) {
        souk_auto_value(souk_fd) door = -1;
        SOUK_MUST(souk_socket_listen("127.0.0.1:0", NULL, &door, actual, NULL));
        SOUK_CHECK_ERR(souk_http_listen(http, door), i < 8 ? SOUK_OK : SOUK_ETOOBIG);
        if (i < 8)
            (void)souk_fd_take(&door);
    }
    SOUK_MUST(souk_http_drain(http, 0)); /* never started */
}

/* SOUK_ENOMEM: the server said that it has no memory, or cut the connection. */
static souk_err ask(souk_client *client, const char *words, int status)
{
    souk_auto_value(rig_answer) answer = {0};
    if (souk_client_send(client, souk_text_of(words)) || rig_try_hear(client, false, &answer))
        return SOUK_ENOMEM;
    return answer.status == status ? SOUK_OK : answer.status == 503 ? SOUK_ENOMEM : SOUK_EINVAL;
}

static souk_err visit(http_rig *rig)
{
    souk_auto_value(souk_client) client = SOUK_CLIENT_NONE;
    souk_auto_value(souk_buf) words = {.mem = souk_mem_heap()};
    SOUK_TRY(souk_client_open(&client, rig->address, RIG_PATIENCE_MS, NULL));
    SOUK_TRY(ask(&client, ASK, 200));
    SOUK_TRY(ask(&client, "GET /hold HTTP/1.1\r\n" HOST, 200));
    SOUK_TRY(ask(&client, "GET /where HTTP/1.1\r\n" HOST, 404));
    souk_buf_print(&words, "POST /hold HTTP/1.1\r\nContent-Length: 30000\r\n" HOST "%030000d", 0);
    SOUK_TRY(ask(&client, souk_buf_ended(&words), 200));
    SOUK_TRY(ask(&client, "GET /big?100000 HTTP/1.1\r\n" HOST, 200));
    return ask(&client, "X : y\r\n\r\n", 400);
}

SOUK_TEST("a failed allocation costs one answer or one connection, never the server")
{
    SOUK_FAULT_LOOP (test) {
        http_rig *rig = rig_new(test, (souk_http_options){0});
        rig_releaser(rig);
        souk_err err = rig_serve(rig, "127.0.0.1:0");
        if (!err) {
            err = visit(rig);
            souk_err again = visit(rig);
            err = err ? err : again;
            if (err) /* the next one is served as if nothing had been */
                SOUK_MUST(visit(rig));
        }
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        rig_close(rig);
        test_fault_seen(test, err);
    }
}
