/* http_loop.c - one epoll loop: accepts, wakes connections, takes late answers, watches deadlines.
 *
 * A turn: events, late answers, those that had more to do, deadlines, the dead are freed.  Freeing
 * comes last because an event of the same turn may still name a connection that has just died. */
#include "serve/http_guts.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 256, ACCEPTS_MAX = 16, EVENT_TAG = HTTP_LISTENERS_MAX };

static _Thread_local http_loop *this_loop; /* of a loop thread: its loop */

/* ---- lists --------------------------------------------------------------------------------- */

void http_conn_unlist(http_conn *conn)
{
    if (conn->wait == WAIT_COUNT)
        return;
    http_list *list = &conn->loop->lists[conn->wait];
    *(conn->previous ? &conn->previous->next : &list->first) = conn->next;
    *(conn->next ? &conn->next->previous : &list->last) = conn->previous;
    conn->previous = conn->next = NULL;
    conn->wait = WAIT_COUNT;
}

void http_conn_wait(http_conn *conn, http_wait wait)
{
    http_conn_unlist(conn);
    http_list *list = &conn->loop->lists[wait];
    conn->wait = (unsigned char)wait;
    conn->since_ms = conn->loop->now_ms;
    conn->previous = list->last;
    *(list->last ? &list->last->next : &list->first) = conn;
    list->last = conn;
}

void http_conn_ready(http_conn *conn)
{
    if (conn->is_ready)
        return;
    conn->is_ready = true;
    conn->ready_next = conn->loop->ready;
    conn->loop->ready = conn;
}

/* ---- life ---------------------------------------------------------------------------------- */

static souk_err watch_listeners(http_loop *loop)
{
    souk_http *http = loop->http;
    for (unsigned i = 0; i < http->listener_count; i++) {
        /* Exclusive: a new connection wakes one loop, not all (epoll_ctl(2)). */
        struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.u64 = i};
        if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, http->listeners[i], &event))
            return SOUK_EIO;
    }
    return SOUK_OK;
}

static void unwatch_listeners(http_loop *loop)
{
    for (unsigned i = 0; i < loop->http->listener_count; i++)
        epoll_ctl(loop->epoll, EPOLL_CTL_DEL, loop->http->listeners[i], NULL);
}

static void tell_time(http_loop *loop)
{
    loop->now_ms = http_clock_ms(loop->http);
    int64_t date_s = souk_clock_now_ms(loop->http->options.clock) / 1000;
    if (date_s != loop->date_s || !loop->date[0])
        http_date_write(date_s, loop->date);
    loop->date_s = date_s;
}

souk_err http_loop_new(souk_http *http, http_loop **ret_loop)
{
    http_loop *loop = souk_mem_get(http->mem, sizeof *loop);
    if (!loop)
        return SOUK_ENOMEM;
    loop->http = http;
    loop->wake.fd = -1;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    souk_err err = loop->epoll < 0 ? SOUK_EIO : souk_wake_init(&loop->wake);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = EVENT_TAG};
    if (!err && epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->wake.fd, &event))
        err = SOUK_EIO;
    if (!err)
        err = watch_listeners(loop);
    if (err) {
        http_loop_free(loop);
        return err;
    }
    loop->listening = true;
    tell_time(loop);
    *ret_loop = loop;
    return SOUK_OK;
}

void http_loop_free(http_loop *loop)
{
    if (!loop)
        return;
    souk_mem *mem = loop->http->mem;
    while (loop->task_pool) {
        http_task *task = loop->task_pool;
        loop->task_pool = task->next;
        souk_mem_put(mem, task);
    }
    while (loop->block_pool) {
        void *block = loop->block_pool;
        memcpy(&loop->block_pool, block, sizeof loop->block_pool);
        souk_mem_put(mem, block);
    }
    if (loop->wake.fd >= 0)
        souk_wake_done(&loop->wake);
    if (loop->epoll >= 0)
        close(loop->epoll);
    souk_mem_put(mem, loop);
}

/* ---- late answers -------------------------------------------------------------------------- */

bool http_loop_is_handling(const http_loop *loop, const http_task *task)
{
    return this_loop == loop && loop->handling == task;
}

bool http_loop_is_here(const http_loop *loop)
{
    return this_loop == loop;
}

void http_loop_wake(http_loop *loop)
{
    souk_wake_raise(&loop->wake);
}

/* Only who finds the stack empty wakes the loop: a group commit that answers hundreds writes the
 * event about once.  `pushers` keeps the loop from being freed between push and wake. */
void http_loop_push(http_loop *loop, http_task *task)
{
    atomic_fetch_add_explicit(&loop->pushers, 1, memory_order_relaxed);
    http_task *top = atomic_load_explicit(&loop->late, memory_order_relaxed);
    do
        task->next = top;
    while (!atomic_compare_exchange_weak_explicit(&loop->late, &top, task, memory_order_release,
                                                  memory_order_relaxed));
    if (!top && this_loop != loop) {
        http_loop_wake(loop);
        atomic_fetch_add_explicit(&loop->wakes, 1, memory_order_relaxed);
    }
    atomic_fetch_sub_explicit(&loop->pushers, 1, memory_order_release);
}

static void take_late(http_loop *loop)
{
    if (!atomic_load_explicit(&loop->late, memory_order_relaxed))
        return;
    http_task *newest = atomic_exchange_explicit(&loop->late, NULL, memory_order_acquire);
    http_task *oldest = NULL;
    while (newest) {
        http_task *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest) {
        http_task *next = oldest->next;
        http_conn_late(oldest->conn, oldest);
        oldest = next;
    }
}

/* ---- accepting ----------------------------------------------------------------------------- */

static souk_http_peer peer_of(const struct sockaddr_storage *address)
{
    souk_http_peer peer = {0};
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        peer.address[10] = peer.address[11] = 0xff;
        memcpy(peer.address + 12, &v4->sin_addr, 4);
        peer.port = ntohs(v4->sin_port);
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
        memcpy(peer.address, &v6->sin6_addr, 16);
        peer.port = ntohs(v6->sin6_port);
    }
    return peer;
}

bool http_loop_evict(http_loop *loop)
{
    http_conn *oldest = loop->lists[WAIT_IDLE].first;
    if (!oldest)
        return false;
    HTTP_COUNT(loop, evicted, 1);
    http_conn_close(oldest, false);
    return true;
}

/* What it has asked already is read away: a close before would reset the connection, and the answer
 * could be lost (RFC 9112 9.6).  More is not waited for, there is no room to wait in. */
static void turn_away(http_loop *loop, int fd)
{
    (void)!recv(fd, loop->scratch, sizeof loop->scratch, 0);
    _Static_assert(sizeof loop->scratch >= HTTP_REFUSAL_BYTES, "the answer fits");
    size_t bytes =
        http_refusal_write(SOUK_HTTP_REFUSAL_CROWDED, 0, loop->date, false, loop->scratch);
    (void)!send(fd, loop->scratch, bytes, MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    close(fd);
    HTTP_COUNT(loop, refused[SOUK_HTTP_REFUSAL_CROWDED], 1);
    HTTP_COUNT(loop, answers[5], 1);
}

static void admit(http_loop *loop, int fd, const souk_http_peer *peer)
{
    souk_http *http = loop->http;
    if (!souk_http_peers_enter(http->peers, peer)) {
        turn_away(loop, fd);
        return;
    }
    if (atomic_fetch_add(&http->open_count, 1) >= http->options.connection_limit &&
        !http_loop_evict(loop)) {
        atomic_fetch_sub(&http->open_count, 1);
        souk_http_peers_leave(http->peers, peer);
        turn_away(loop, fd);
        return;
    }
    http_conn_open(loop, fd, peer);
}

static void accept_some(http_loop *loop, int listener)
{
    for (unsigned i = 0; i < ACCEPTS_MAX; i++) {
        struct sockaddr_storage address = {0};
        socklen_t bytes = sizeof address;
        int fd =
            accept4(listener, (struct sockaddr *)&address, &bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            souk_http_peer peer = peer_of(&address);
            admit(loop, fd, &peer);
            continue;
        }
        if (errno == EAGAIN)
            return;
        if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
            continue; /* that client's own trouble (accept(2)) */
        HTTP_COUNT(loop, accept_failures, 1);
        if (http_loop_evict(loop))
            continue;
        /* The listener stays readable: without a pause the loop would spin. */
        unwatch_listeners(loop);
        loop->accept_again_ms = loop->now_ms + HTTP_ACCEPT_PAUSE_MS;
        return;
    }
}

/* ---- turns --------------------------------------------------------------------------------- */

static void on_event(http_loop *loop, const struct epoll_event *event)
{
    if (event->data.u64 < HTTP_LISTENERS_MAX) {
        if (loop->listening && !loop->accept_again_ms)
            accept_some(loop, loop->http->listeners[event->data.u64]);
        return;
    }
    if (event->data.u64 == EVENT_TAG) {
        (void)souk_wake_clear(&loop->wake);
        return;
    }
    http_conn *conn = event->data.ptr;
    if (conn->state >= CONN_GONE)
        return;
    conn->readable |= (event->events & EPOLLIN) != 0;
    conn->writable |= (event->events & EPOLLOUT) != 0;
    if (event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        conn->hangup = conn->readable = true;
    /* A client that only shut its sending side still waits for its answer; one that is gone does
     * not, and nobody reads while the handler works. */
    if (conn->state == CONN_HANDED && (event->events & (EPOLLHUP | EPOLLERR)))
        http_conn_close(conn, false);
    else
        http_conn_run(conn);
}

static void run_ready(http_loop *loop)
{
    http_conn *conn = loop->ready;
    loop->ready = NULL;
    while (conn) {
        http_conn *next = conn->ready_next;
        conn->is_ready = false;
        if (conn->state < CONN_GONE)
            http_conn_run(conn);
        conn = next;
    }
}

static void check_rates(http_loop *loop)
{
    uint64_t rate = loop->http->options.body_bytes_per_s;
    for (http_conn *conn = loop->lists[WAIT_BODY].first, *next; conn; conn = next) {
        next = conn->next;
        int64_t elapsed_ms = loop->now_ms - conn->since_ms - HTTP_RATE_PATIENCE_MS;
        if (elapsed_ms <= 0)
            return;
        if (http_conn_body_bytes(conn) < rate * (uint64_t)elapsed_ms / 1000)
            http_conn_expire(conn);
    }
}

static void check_deadlines(http_loop *loop)
{
    for (unsigned wait = 0; wait < WAIT_DEADLINES; wait++) {
        http_conn *first;
        while ((first = loop->lists[wait].first) &&
               loop->now_ms - first->since_ms >= loop->http->wait_ms[wait])
            http_conn_expire(first);
    }
    if (loop->lists[WAIT_BODY].first && loop->now_ms >= loop->tick_ms) {
        check_rates(loop);
        loop->tick_ms = loop->now_ms + HTTP_RATE_TICK_MS;
    }
    if (loop->accept_again_ms && loop->now_ms >= loop->accept_again_ms) {
        loop->accept_again_ms = 0;
        if (loop->listening && watch_listeners(loop)) {
            unwatch_listeners(loop);
            loop->accept_again_ms = loop->now_ms + HTTP_ACCEPT_PAUSE_MS;
        }
    }
}

static void bury_dead(http_loop *loop)
{
    http_conn **at = &loop->dead;
    while (*at) {
        http_conn *conn = *at;
        if (conn->is_ready) { /* the list of the ready still names it */
            at = &conn->next;
            continue;
        }
        *at = conn->next;
        http_conn_bury(conn);
    }
}

static int sleep_ms(const http_loop *loop)
{
    if (loop->ready || loop->streams || atomic_load_explicit(&loop->late, memory_order_relaxed) ||
        atomic_load_explicit(&loop->put_streams, memory_order_relaxed))
        return 0;
    int64_t least = INT32_MAX;
    for (unsigned wait = 0; wait < WAIT_DEADLINES; wait++) {
        const http_conn *first = loop->lists[wait].first;
        if (!first)
            continue;
        int64_t left = first->since_ms + loop->http->wait_ms[wait] - loop->now_ms;
        least = left < least ? left : least;
    }
    if (loop->lists[WAIT_BODY].first && loop->tick_ms - loop->now_ms < least)
        least = loop->tick_ms - loop->now_ms;
    if (loop->accept_again_ms && loop->accept_again_ms - loop->now_ms < least)
        least = loop->accept_again_ms - loop->now_ms;
    if (atomic_load_explicit(&loop->http->phase, memory_order_relaxed) == HTTP_ENDING)
        least = least < 1 ? least : 1;
    if (least == INT32_MAX)
        return -1;
    return least < 0 ? 0 : (int)least;
}

static void drain_streams(http_loop *loop, http_wait wait)
{
    for (http_conn *conn = loop->lists[wait].first; conn; conn = conn->next)
        if (conn->stream)
            http_stream_drain(conn->stream);
}

static void close_list(http_loop *loop, http_wait wait, bool with_reset)
{
    while (loop->lists[wait].first)
        http_conn_close(loop->lists[wait].first, with_reset);
}

/* Follows the phase of the server.  False: the end. */
static bool follow_phase(http_loop *loop)
{
    souk_http *http = loop->http;
    int phase = atomic_load_explicit(&http->phase, memory_order_acquire);
    if (phase == HTTP_RUNNING)
        return true;
    if (loop->listening) {
        loop->listening = false;
        unwatch_listeners(loop);
        if (atomic_fetch_sub(&http->listening_count, 1) == 1)
            http_listeners_close(http); /* whoever connects now is refused, not left waiting */
        close_list(loop, WAIT_FIRST, false);
        close_list(loop, WAIT_IDLE, false);
        drain_streams(loop, WAIT_HANDLER);
        drain_streams(loop, WAIT_WRITE);
    }
    for (unsigned wait = 0; phase >= HTTP_CUTTING && wait < WAIT_COUNT; wait++)
        close_list(loop, (http_wait)wait, true);
    bury_dead(loop);
    if (loop->open_count == 0 && !loop->quiet) {
        loop->quiet = true;
        http_quiet(http);
    }
    return phase != HTTP_ENDING || loop->open_count || loop->handed_count || loop->stream_count ||
           loop->dead || atomic_load_explicit(&loop->pushers, memory_order_acquire);
}

/* A turn has come to its end: whoever asked may know. */
static void show_life(http_loop *loop)
{
    unsigned probe = atomic_load_explicit(&loop->http->probe, memory_order_relaxed);
    if (atomic_load_explicit(&loop->seen, memory_order_relaxed) != probe)
        atomic_store_explicit(&loop->seen, probe, memory_order_relaxed);
}

void http_loop_run(void *context)
{
    http_loop *loop = context;
    struct epoll_event events[EVENTS_MAX];
    this_loop = loop;
    souk_thread_prompt();
    do {
        int count = epoll_wait(loop->epoll, events, EVENTS_MAX, sleep_ms(loop));
        souk_assert(count >= 0 || errno == EINTR);
        tell_time(loop);
        for (int i = 0; i < count; i++)
            on_event(loop, &events[i]);
        take_late(loop);
        http_streams_take(loop);
        run_ready(loop);
        check_deadlines(loop);
        bury_dead(loop);
        show_life(loop);
    } while (follow_phase(loop));
    this_loop = NULL;
}
