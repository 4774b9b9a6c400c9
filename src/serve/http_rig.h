/* http_rig.h - for the tests of the server: one that stands on a real socket under a clock that
 * stands still, and clients that speak bytes.
 *
 *     http_rig *rig = rig_open(test, (souk_http_options){.header_ms = 100});
 *     souk_auto_value(souk_client) client = rig_connect(rig);
 *     rig_say(rig, &client, "GET /echo/a HTTP/1.1\r\nHost: a\r\n\r\n");
 *     rig_hear(rig, &client, &answer);                        answer.status, answer.body
 *     rig_close(rig);
 *
 * What it answers:  /echo…      200 and "METHOD target [body]"
 *                   /hold…      the same, when another thread releases it: rig_release, or the
 *                               thread of rig_releaser
 *                   /stall…     the same, after the loop's thread stood still until rig_resume
 *                   /then/stall the same, and then the loop stands still
 *                   /big?N      N bytes of rig_byte
 *                   /peer       the client's address
 *                   /split      a header value with a line feed in it
 *                   /none       204        /other: 404 as a problem
 *
 * Order without sleeping: rig_say_read returns when the server has read what was said, rig_settle
 * when it has seen the present time and acted upon it.  The ten seconds of the clients and waits
 * only end a test that hangs.  Stands after test/test.h in a test. */
#ifndef SOUK_SERVE_HTTP_RIG_H
#define SOUK_SERVE_HTTP_RIG_H

#include "os/socket.h"
#include "os/thread.h"
#include "serve/http.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

enum { RIG_PATIENCE_MS = 10000, RIG_HELD = 512 };

typedef struct http_rig {
    souk_test *test;
    souk_clock_fake clock;
    souk_http_options options;
    souk_http *http;
    char address[SOUK_ADDRESS_ROOM];
    souk_mutex mutex;
    souk_cond changed;
    souk_http_exchange *held[RIG_HELD]; /* in the order they came */
    unsigned held_count;
    bool stalled;
    souk_thread releaser;
    bool ending;
    unsigned released, lie_at; /* by the releaser; the one that is answered wrong, 0: none */
    /* A test's own paths, asked first; true: it has taken x.  Set between rig_new and rig_serve. */
    bool (*more)(struct http_rig *rig, souk_http_exchange *x);
    void *own; /* of more */
} http_rig;

typedef struct rig_answer {
    int status;
    souk_buf bytes; /* all of it: head, empty line, body */
    souk_text head, body;
} rig_answer;
static inline void rig_answer_done(rig_answer *answer)
{
    souk_buf_done(&answer->bytes);
}

static inline char rig_byte(size_t index)
{
    return (char)('a' + index % 23 + index / 4096 % 3);
}

/* ---- the handler --------------------------------------------------------------------------- */

static inline void rig_echo(souk_http_exchange *x)
{
    const souk_http_request *r = &x->request;
    souk_auto_value(souk_buf) body = {.mem = souk_mem_heap()};
    souk_buf_print(&body, "%.*s %.*s [", SOUK_TEXT_PRINT(r->method), SOUK_TEXT_PRINT(r->target));
    souk_buf_text(&body, r->body);
    souk_buf_byte(&body, ']');
    souk_assert(!souk_buf_check(&body));
    souk_http_header type = {SOUK_TEXT("Content-Type"), SOUK_TEXT("text/plain")};
    souk_http_answer(x, 200, &type, 1, souk_buf_view(&body));
}

static inline void rig_big(souk_http_exchange *x)
{
    uint64_t bytes = 0;
    souk_assert(!souk_text_to_u64(x->request.query, &bytes));
    char *body = souk_mem_get(souk_mem_heap(), bytes);
    souk_assert(body);
    for (size_t i = 0; i < bytes; i++)
        body[i] = rig_byte(i);
    souk_http_answer(x, 200, NULL, 0, (souk_text){body, bytes});
    souk_mem_put(souk_mem_heap(), body);
}

static inline void rig_stall(http_rig *rig)
{
    souk_auto_lock(&rig->mutex);
    rig->stalled = true;
    souk_cond_broadcast(&rig->changed);
    while (rig->stalled)
        souk_cond_wait(&rig->changed, &rig->mutex);
}

static inline void rig_handle(void *context, souk_http_exchange *x)
{
    http_rig *rig = context;
    souk_text path = x->request.path;
    if (rig->more && rig->more(rig, x))
        return;
    if (souk_text_starts(path, SOUK_TEXT("/echo"))) {
        rig_echo(x);
    } else if (souk_text_starts(path, SOUK_TEXT("/hold"))) {
        souk_auto_lock(&rig->mutex);
        souk_assert(rig->held_count < RIG_HELD);
        rig->held[rig->held_count++] = x;
        souk_cond_broadcast(&rig->changed);
    } else if (souk_text_starts(path, SOUK_TEXT("/stall"))) {
        rig_stall(rig);
        rig_echo(x);
    } else if (souk_text_equal(path, SOUK_TEXT("/then/stall"))) {
        rig_echo(x);
        rig_stall(rig);
    } else if (souk_text_equal(path, SOUK_TEXT("/drop"))) {
        souk_http_drop(x);
    } else if (souk_text_equal(path, SOUK_TEXT("/peer"))) {
        char peer[48];
        souk_http_peer_text(&x->peer, peer);
        souk_http_answer(x, 200, NULL, 0, souk_text_of(peer));
    } else if (souk_text_equal(path, SOUK_TEXT("/big"))) {
        rig_big(x);
    } else if (souk_text_equal(path, SOUK_TEXT("/split"))) {
        souk_http_header bad = {SOUK_TEXT("X-Name"), SOUK_TEXT("Ann\r\nSet-Cookie: a=b")};
        souk_http_answer(x, 200, &bad, 1, SOUK_TEXT("never seen"));
    } else if (souk_text_equal(path, SOUK_TEXT("/none"))) {
        souk_http_answer(x, 204, NULL, 0, SOUK_TEXT(""));
    } else {
        souk_http_answer_problem(x, 404, SOUK_TEXT("there is no \"such\" path"));
    }
}

/* ---- the server's life --------------------------------------------------------------------- */

/* The rig lies in the heap: should the test fail, the server's threads go on with it. */
static inline http_rig *rig_new(souk_test *test, souk_http_options options)
{
    http_rig *rig = souk_mem_get(souk_mem_heap(), sizeof *rig);
    SOUK_CHECK(rig);
    rig->test = test;
    souk_clock_fake_init(&rig->clock, 1795493340000); /* Tue, 24 Nov 2026 04:09:00 */
    souk_mutex_init(&rig->mutex);
    souk_cond_init(&rig->changed);
    options.handle = rig_handle;
    options.context = rig;
    options.clock = &rig->clock.clock;
    rig->options = options;
    return rig;
}

/* Only memory may be wanting, and only in a loop of faults. */
static inline souk_err rig_serve(http_rig *rig, const char *address)
{
    souk_test *test = rig->test;
    souk_fd door = -1;
    SOUK_TRY(souk_http_new(test->mem, &rig->options, &rig->http));
    SOUK_MUST(souk_socket_listen(address, NULL, &door, rig->address, NULL));
    SOUK_MUST(souk_http_listen(rig->http, door));
    return souk_http_start(rig->http);
}

static inline http_rig *rig_open(souk_test *test, souk_http_options options)
{
    http_rig *rig = rig_new(test, options);
    SOUK_MUST(rig_serve(rig, "127.0.0.1:0"));
    return rig;
}

static inline void rig_close(http_rig *rig)
{
    souk_test *test = rig->test;
    souk_mutex_lock(&rig->mutex);
    unsigned held_count = rig->releaser.started ? 0 : rig->held_count;
    rig->ending = true;
    souk_cond_broadcast(&rig->changed);
    souk_mutex_unlock(&rig->mutex);
    SOUK_CHECK(held_count == 0);
    souk_http_free(rig->http); /* waits for what the releaser still holds */
    souk_thread_join(&rig->releaser);
    souk_cond_done(&rig->changed);
    souk_mutex_done(&rig->mutex);
    souk_mem_put(souk_mem_heap(), rig);
}

static inline souk_http_counts rig_counts(const http_rig *rig)
{
    souk_http_counts counts;
    souk_http_count(rig->http, &counts);
    return counts;
}

/* Looks until a sum of the server has reached `least`. */
#define rig_await(rig, field, least)                                                             \
    do {                                                                                         \
        for (int rig_looks = 0; rig_counts(rig).field < (least); rig_looks++) {                  \
            if (rig_looks == RIG_PATIENCE_MS * 4)                                                \
                test_fail((rig)->test, __FILE__, __LINE__, "%s stays below %s", #field, #least); \
            nanosleep(&(struct timespec){.tv_nsec = 250000}, NULL);                              \
        }                                                                                        \
    } while (0)

/* Looks until connections_now has come down to `most`. */
#define rig_await_closed(rig, most)                                                      \
    do {                                                                                 \
        for (int rig_looks = 0; rig_counts(rig).connections_now > (most); rig_looks++) { \
            if (rig_looks == RIG_PATIENCE_MS * 4)                                        \
                test_fail((rig)->test, __FILE__, __LINE__, "connections stay open");     \
            nanosleep(&(struct timespec){.tv_nsec = 250000}, NULL);                      \
        }                                                                                \
    } while (0)

/* ---- clients ------------------------------------------------------------------------------- */

static inline souk_client rig_connect(const http_rig *rig)
{
    souk_test *test = rig->test;
    souk_client client = SOUK_CLIENT_NONE;
    SOUK_MUST(souk_client_open(&client, rig->address, RIG_PATIENCE_MS, NULL));
    return client;
}

static inline void rig_say_text(const http_rig *rig, souk_client *client, souk_text text)
{
    souk_test *test = rig->test;
    SOUK_MUST(souk_client_send(client, text));
}

static inline void rig_say(const http_rig *rig, souk_client *client, const char *words)
{
    rig_say_text(rig, client, souk_text_of(words));
}

/* Nothing else may be on its way to the server. */
static inline void rig_say_read(const http_rig *rig, souk_client *client, const char *words)
{
    uint64_t before = rig_counts(rig).bytes_in;
    rig_say(rig, client, words);
    rig_await(rig, bytes_in, before + strlen(words));
}

/* The next bytes are these. */
static inline void rig_hear_words(const http_rig *rig, souk_client *client, const char *words)
{
    souk_test *test = rig->test;
    char got[1024];
    size_t all = strlen(words), some;
    SOUK_CHECK(all < sizeof got);
    for (size_t at = 0; at < all; at += some) {
        SOUK_MUST(souk_client_receive(client, got + at, all - at, &some));
        SOUK_CHECK(some);
    }
    got[all] = 0;
    SOUK_CHECK_TEXT(souk_text_of(got), words);
}

static inline bool text_has(souk_text text, souk_text part)
{
    return text.bytes && memmem(text.at, text.bytes, part.at, part.bytes) != NULL;
}

/* Tells the server's kernel at once that all answers have arrived: under a clock that leaps, the
 * usual forty milliseconds would be a client that does not read. */
static inline void rig_acknowledge(const http_rig *rig, souk_client *client)
{
    souk_test *test = rig->test;
    SOUK_CHECK(!setsockopt(client->fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int)));
}

/* Up to and with the empty line: as much at once as surely lies before it. */
static inline souk_err rig_hear_head(souk_client *client, souk_buf *bytes)
{
    while (bytes->bytes < 4 || memcmp(bytes->at + bytes->bytes - 4, "\r\n\r\n", 4) != 0) {
        char some[1024];
        size_t most = 1, got;
        ssize_t seen = recv(client->fd, some, sizeof some, MSG_PEEK | MSG_DONTWAIT);
        bool in_line_end = bytes->bytes && strchr("\r\n", bytes->at[bytes->bytes - 1]);
        if (seen > 4 && !in_line_end) {
            const char *end = memmem(some, (size_t)seen, "\r\n\r\n", 4);
            most = end ? (size_t)(end + 4 - some) : (size_t)seen - 3;
        }
        SOUK_TRY(souk_client_receive(client, some, most, &got));
        if (!got)
            return SOUK_EIO;
        souk_buf_append(bytes, some, got);
        SOUK_TRY(souk_buf_check(bytes));
    }
    return SOUK_OK;
}

/* One whole answer and not a byte behind it; that to a HEAD request has no body.  The answer may be
 * used again and again. */
static inline souk_err rig_try_hear(souk_client *client, bool is_head, rig_answer *ret_answer)
{
    souk_buf *bytes = &ret_answer->bytes;
    bytes->mem = souk_mem_heap();
    souk_buf_clear(bytes);
    *ret_answer = (rig_answer){.bytes = *bytes};
    SOUK_TRY(rig_hear_head(client, bytes));
    size_t head_bytes = bytes->bytes;
    souk_text rest = souk_buf_view(bytes);
    if (!souk_text_starts(rest, SOUK_TEXT("HTTP/1.1 ")))
        return SOUK_ESYNTAX;
    uint64_t status = 0, length = 0;
    SOUK_TRY(souk_text_to_u64((souk_text){rest.at + 9, 3}, &status));
    ret_answer->status = (int)status;
    while (rest.bytes) {
        souk_text value = souk_text_cut(&rest, '\n');
        souk_text name = souk_text_cut(&value, ':');
        if (souk_text_equal(name, SOUK_TEXT("Content-Length")))
            SOUK_TRY(souk_text_to_u64(souk_text_trim(value), &length));
    }
    for (uint64_t left = is_head ? 0 : length; left;) {
        size_t got;
        char *to = souk_buf_room(bytes, left);
        SOUK_TRY(souk_buf_check(bytes));
        SOUK_TRY(souk_client_receive(client, to, left, &got));
        if (!got)
            return SOUK_EIO;
        souk_buf_added(bytes, got);
        left -= got;
    }
    ret_answer->head = (souk_text){bytes->at, head_bytes};
    ret_answer->body = souk_text_range(bytes->at + head_bytes, bytes->at + bytes->bytes);
    return SOUK_OK;
}

static inline void rig_hear(const http_rig *rig, souk_client *client, rig_answer *ret_answer)
{
    souk_test *test = rig->test;
    SOUK_MUST(rig_try_hear(client, false, ret_answer));
}

/* The next answer is a 200 with this body. */
static inline void rig_hear_ok(const http_rig *rig, souk_client *client, const char *body)
{
    souk_test *test = rig->test;
    souk_auto_value(rig_answer) answer = {0};
    rig_hear(rig, client, &answer);
    SOUK_CHECK(answer.status == 200);
    SOUK_CHECK_TEXT(answer.body, body);
}

/* The server has closed in order, and nothing stood before the end. */
static inline void rig_hear_end(const http_rig *rig, souk_client *client)
{
    souk_test *test = rig->test;
    char byte;
    size_t got;
    SOUK_MUST(souk_client_receive(client, &byte, 1, &got));
    SOUK_CHECK(got == 0);
}

/* The server cut the connection; what it had sent before does not count. */
static inline void rig_hear_cut(const http_rig *rig, souk_client *client)
{
    souk_test *test = rig->test;
    char some[4096];
    size_t got = 1;
    souk_err err = SOUK_OK;
    while (!err && got)
        err = souk_client_receive(client, some, sizeof some, &got);
    SOUK_CHECK(err == SOUK_EIO);
}

/* The problem (RFC 9457) that a refusal is answered with, word for word. */
static inline void rig_check_refusal(const http_rig *rig, const rig_answer *answer,
                                     souk_http_refusal refusal, unsigned line)
{
    souk_test *test = rig->test;
    souk_auto_value(souk_buf) body = {.mem = souk_mem_heap()};
    int status = souk_http_refusal_status(refusal);
    souk_buf_print(&body, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"",
                   souk_http_status_words(status), status);
    if (line)
        souk_buf_print(&body, "line %u of the request: ", line);
    souk_buf_print(&body, "%s; %s\",\"reason\":\"%s\"}", souk_http_refusal_what(refusal),
                   souk_http_refusal_remedy(refusal), souk_http_refusal_name(refusal));
    SOUK_CHECK_TEXT(answer->body, souk_buf_ended(&body));
    SOUK_CHECK(answer->status == status);
    SOUK_CHECK(text_has(answer->head, SOUK_TEXT("Content-Type: application/problem+json\r\n")));
    SOUK_CHECK(text_has(answer->head, SOUK_TEXT("Connection: close\r\n")));
    SOUK_CHECK(text_has(answer->head, SOUK_TEXT("Retry-After: ")) == (status == 503));
}

/* The next answer is that problem, and it is the last one. */
static inline void rig_hear_refusal(const http_rig *rig, souk_client *client,
                                    souk_http_refusal refusal, unsigned line)
{
    souk_auto_value(rig_answer) answer = {0};
    rig_hear(rig, client, &answer);
    rig_check_refusal(rig, &answer, refusal, line);
    rig_hear_end(rig, client);
}

/* ---- order --------------------------------------------------------------------------------- */

/* With one loop: when it returns, a turn has ended that began after the call.  For the loop accepts
 * in one turn and reads in a later one. */
static inline void rig_settle(const http_rig *rig)
{
    souk_auto_value(souk_client) client = rig_connect(rig);
    rig_say(rig, &client, "GET /echo/settle HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    rig_hear_ok(rig, &client, "GET /echo/settle []");
    rig_hear_end(rig, &client);
}

static inline void rig_later(http_rig *rig, int64_t ms)
{
    souk_clock_fake_advance(&rig->clock, ms);
    rig_settle(rig);
}

static inline int64_t rig_patience_ns(void)
{
    return souk_clock_monotonic_ns(souk_clock_real()) + (int64_t)RIG_PATIENCE_MS * 1000000;
}

/* Until so many exchanges are held. */
static inline void rig_await_held(http_rig *rig, unsigned count)
{
    souk_test *test = rig->test;
    int64_t deadline_ns = rig_patience_ns();
    bool in_time = true;
    souk_mutex_lock(&rig->mutex);
    while (rig->held_count < count && in_time)
        in_time = souk_cond_wait_until(&rig->changed, &rig->mutex, deadline_ns);
    souk_mutex_unlock(&rig->mutex);
    SOUK_CHECK(in_time);
}

/* Until a loop stands still in one of the paths that stall. */
static inline void rig_await_stalled(http_rig *rig)
{
    souk_test *test = rig->test;
    int64_t deadline_ns = rig_patience_ns();
    bool in_time = true;
    souk_mutex_lock(&rig->mutex);
    while (!rig->stalled && in_time)
        in_time = souk_cond_wait_until(&rig->changed, &rig->mutex, deadline_ns);
    souk_mutex_unlock(&rig->mutex);
    SOUK_CHECK(in_time);
}

static inline void rig_resume(http_rig *rig)
{
    souk_auto_lock(&rig->mutex);
    rig->stalled = false;
    souk_cond_broadcast(&rig->changed);
}

/* Says it and waits until the server's kernel has it, whether its loop stands still or not. */
static inline void rig_say_there(const http_rig *rig, souk_client *client, souk_text text)
{
    souk_test *test = rig->test;
    rig_say_text(rig, client, text);
    for (int left = 1, looks = 0; left; looks++) {
        SOUK_CHECK(looks < RIG_PATIENCE_MS * 4 && !ioctl(client->fd, SIOCOUTQ, &left));
        nanosleep(&(struct timespec){.tv_nsec = left ? 250000 : 0}, NULL);
    }
}

/* Takes a held exchange out; the others keep their order. */
static inline souk_http_exchange *rig_take(http_rig *rig, unsigned index)
{
    souk_auto_lock(&rig->mutex);
    souk_assert(index < rig->held_count);
    souk_http_exchange *x = rig->held[index];
    rig->held_count--;
    memmove(&rig->held[index], &rig->held[index + 1],
            (rig->held_count - index) * sizeof *rig->held);
    return x;
}

static inline void rig_release(http_rig *rig, unsigned index)
{
    rig_echo(rig_take(rig, index));
}

/* Answers what is held, now the oldest and now the youngest, until the rig closes. */
static inline void rig_release_all(void *context)
{
    http_rig *rig = context;
    souk_mutex_lock(&rig->mutex);
    for (;;) {
        while (rig->held_count == 0 && !rig->ending)
            souk_cond_wait(&rig->changed, &rig->mutex);
        if (rig->held_count == 0)
            break;
        souk_http_exchange *x = rig->held[0];
        rig->held_count--;
        if (++rig->released % 3 == 0)
            x = rig->held[rig->held_count];
        else
            memmove(&rig->held[0], &rig->held[1], rig->held_count * sizeof *rig->held);
        bool lies = rig->released == rig->lie_at;
        souk_mutex_unlock(&rig->mutex);
        if (lies)
            souk_http_answer(x, 202, NULL, 0, SOUK_TEXT("something else"));
        else
            rig_echo(x);
        souk_mutex_lock(&rig->mutex);
    }
    souk_mutex_unlock(&rig->mutex);
}

static inline void rig_releaser(http_rig *rig)
{
    souk_test *test = rig->test;
    SOUK_MUST(souk_thread_start(&rig->releaser, "releaser", rig_release_all, rig));
}

#endif
