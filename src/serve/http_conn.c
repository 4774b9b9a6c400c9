/* http_conn.c - one connection: reads, parses, hands over, sends and closes.
 *
 * http_conn_run goes on until it would have to wait, then notes for what (the lists of http_guts.h).
 * Epoll tells edges only: `readable` and `writable` remember them, and a read that brings less than
 * there was room for saves the read that would say "nothing more".
 *
 * The input buffer comes from the loop's pool with the first byte and goes back with the last, so
 * that idle connections hold none; last in, first out, so that busy ones share a warm one. */
#include "serve/http_guts.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- memory -------------------------------------------------------------------------------- */

/* Room for more input.  The ceiling is the parser's: it refuses heads and bodies beyond their
 * limits, and never wants more than that. */
static bool in_room(http_conn *conn)
{
    http_bytes *in = &conn->in;
    if (!in->at)
        return http_bytes_resize(conn->loop, in, HTTP_BLOCK_BYTES);
    if (in->to < in->capacity)
        return true;
    if (in->from > 0) {
        memmove(in->at, in->at + in->from, in->to - in->from);
        in->to -= in->from;
        in->from = 0;
        return true;
    }
    size_t wanted = conn->task ? conn->task->parser.wanted_bytes : 0;
    size_t grown = souk_max_size(in->capacity * 2, HTTP_GROWN_BYTES);
    if (wanted > in->capacity && wanted < grown)
        grown = wanted;
    return http_bytes_resize(conn->loop, in, grown);
}

char *http_conn_out_room(http_conn *conn, size_t bytes)
{
    http_bytes *out = &conn->out;
    if (bytes <= out->capacity - out->to)
        return out->at + out->to;
    size_t need = out->to - out->from + bytes;
    size_t capacity = need <= HTTP_BLOCK_BYTES ? (size_t)HTTP_BLOCK_BYTES
                                               : souk_max_size(need, out->capacity * 2);
    if (http_bytes_resize(conn->loop, out, capacity))
        return out->at + out->to;
    souk_text resort = http_answer_of_last_resort();
    if (out->from == out->to) /* whether it arrives is up to the socket's own buffer */
        (void)!send(conn->fd, resort.at, resort.bytes, MSG_NOSIGNAL);
    conn->closing = true;
    return NULL;
}

/* ---- life ---------------------------------------------------------------------------------- */

static void count_open(http_loop *loop)
{
    __atomic_store_n(&loop->counts.connections_now, loop->open_count, __ATOMIC_RELAXED);
}

static void count_handed(http_loop *loop)
{
    __atomic_store_n(&loop->counts.exchanges_now, loop->handed_count, __ATOMIC_RELAXED);
}

void http_conn_open(http_loop *loop, int fd, const souk_http_peer *peer)
{
    http_conn *conn = souk_mem_get(loop->http->mem, sizeof *conn);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = conn};
    if (!conn || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event)) {
        souk_mem_put(loop->http->mem, conn);
        HTTP_COUNT(loop, accept_failures, 1);
        souk_http_peers_leave(loop->http->peers, peer);
        atomic_fetch_sub(&loop->http->open_count, 1);
        close(fd);
        return;
    }
    conn->loop = loop;
    conn->fd = fd;
    conn->peer = *peer;
    conn->wait = WAIT_COUNT;
    http_conn_wait(conn, WAIT_FIRST);
    loop->open_count++;
    count_open(loop);
    HTTP_COUNT(loop, connections, 1);
}

static void conn_die(http_conn *conn)
{
    http_bytes_release(conn->loop, &conn->in);
    http_task_release(conn->loop, conn->task);
    conn->task = NULL;
    conn->state = CONN_DEAD;
    conn->next = conn->loop->dead;
    conn->loop->dead = conn;
}

void http_conn_close(http_conn *conn, bool with_reset)
{
    http_loop *loop = conn->loop;
    souk_assert(conn->state < CONN_GONE);
    /* A copy of the process (a snapshot being written, souk_process_copy) has the descriptor too: until
     * it ends, close alone would neither tell the client nor take the connection out of epoll, which
     * would go on to name what is freed below.  (One cut with a reset hears of it when the copy ends.) */
    int unwatched = epoll_ctl(loop->epoll, EPOLL_CTL_DEL, conn->fd, NULL);
    souk_assert(unwatched == 0);
    if (!with_reset)
        (void)shutdown(conn->fd, SHUT_WR); /* fails where the client was quicker */
    if (with_reset) /* else the kernel would keep the unsent bytes and offer them for minutes */
        setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    close(conn->fd);
    http_conn_unlist(conn);
    http_bytes_release(loop, &conn->out);
    souk_http_peers_leave(loop->http->peers, &conn->peer);
    atomic_fetch_sub(&loop->http->open_count, 1);
    loop->open_count--;
    count_open(loop);
    if (conn->stream)
        http_stream_lose(souk_take(&conn->stream));
    if (conn->state == CONN_HANDED)
        conn->state = CONN_GONE;
    else
        conn_die(conn);
}

void http_conn_bury(http_conn *conn)
{
    souk_mem_put(conn->loop->http->mem, conn);
}

/* ---- output -------------------------------------------------------------------------------- */

bool http_conn_flush(http_conn *conn)
{
    http_bytes *out = &conn->out;
    while (conn->writable && out->from < out->to) {
        ssize_t sent = send(conn->fd, out->at + out->from, out->to - out->from, MSG_NOSIGNAL);
        if (sent >= 0) {
            out->from += (size_t)sent;
            conn->mark_bytes += (size_t)sent;
            HTTP_COUNT(conn->loop, bytes_out, (size_t)sent);
        } else if (errno == EAGAIN) {
            conn->writable = false;
        } else if (errno != EINTR) {
            http_conn_close(conn, false);
            return false;
        }
    }
    if (out->from == out->to) {
        http_bytes_release(conn->loop, out);
        return true;
    }
    bool deadline = conn->state == CONN_OPEN || conn->state == CONN_STREAM;
    if (deadline && conn->wait != WAIT_WRITE) {
        conn->mark_bytes = 0;
        http_conn_wait(conn, WAIT_WRITE);
    }
    return false;
}

static void linger(http_conn *conn)
{
    http_loop *loop = conn->loop;
    while (conn->readable) {
        ssize_t got = recv(conn->fd, loop->scratch, sizeof loop->scratch, 0);
        if (got > 0) {
            conn->mark_bytes += (size_t)got;
            conn->readable = (size_t)got == sizeof loop->scratch || conn->hangup;
        } else if (got < 0 && errno == EAGAIN) {
            conn->readable = false;
        } else if (got == 0 || errno != EINTR) {
            http_conn_close(conn, false);
            return;
        }
        if (conn->mark_bytes > HTTP_LINGER_BYTES) {
            http_conn_close(conn, false);
            return;
        }
    }
}

/* All is said.  Closing with unread input sends a reset, which can overtake the answer (RFC 9112
 * 9.6): then our side is shut first and the rest read away. */
static void finish(http_conn *conn)
{
    if (!conn->refused && !conn->readable && conn->in.from == conn->in.to) {
        http_conn_close(conn, false);
        return;
    }
    http_bytes_release(conn->loop, &conn->in);
    shutdown(conn->fd, SHUT_WR);
    conn->state = CONN_LINGER;
    conn->mark_bytes = 0;
    http_conn_wait(conn, WAIT_LINGER);
    linger(conn);
}

/* The line of the head that is to blame; 0: none. */
static unsigned line_of(const http_task *task, souk_http_refusal refusal)
{
    if (task && refusal == SOUK_HTTP_REFUSAL_SLOW_HEAD)
        return task->parser.line + 1; /* the one that did not come to its end */
    return task && refusal == task->parser.refusal ? task->parser.line : 0;
}

void http_conn_refuse(http_conn *conn, souk_http_refusal refusal)
{
    http_loop *loop = conn->loop;
    http_task *task = conn->task;
    bool is_head = task && souk_text_equal(task->x.request.method, SOUK_TEXT("HEAD"));
    char *to = http_conn_out_room(conn, HTTP_REFUSAL_BYTES);
    if (to)
        conn->out.to +=
            http_refusal_write(refusal, line_of(task, refusal), loop->date, is_head, to);
    conn->closing = conn->refused = true;
    conn->fresh = false;
    http_task_release(loop, task);
    conn->task = NULL;
    HTTP_COUNT(loop, refused[refusal], 1);
    HTTP_COUNT(loop, answers[souk_http_refusal_status(refusal) / 100], 1);
}

/* ---- requests ------------------------------------------------------------------------------ */

/* The request in work is answered; what lies behind it is the next one's. */
static void request_end(http_conn *conn)
{
    conn->in.from += conn->task->parser.request_bytes;
    http_task_release(conn->loop, conn->task);
    conn->task = NULL;
    conn->state = CONN_OPEN;
    conn->stale = conn->used = true;
    conn->fresh = conn->in.from < conn->in.to;
    if (!conn->fresh)
        http_bytes_release(conn->loop, &conn->in);
}

/* False: the answer will come later. */
static bool hand_over(http_conn *conn)
{
    http_loop *loop = conn->loop;
    http_task *task = conn->task;
    const souk_http_options *options = &loop->http->options;
    task->x.peer = conn->peer;
    task->x.user = NULL;
    task->x.next = NULL;
    task->conn = conn;
    task->loop = loop;
    conn->state = CONN_HANDED;
    HTTP_COUNT(loop, requests, 1);
    loop->handling = task;
    loop->answered = false;
    options->handle(options->context, &task->x);
    loop->handling = NULL;
    if (loop->answered) {
        request_end(conn);
        return true;
    }
    loop->handed_count++;
    count_handed(loop);
    http_conn_wait(conn, WAIT_HANDLER);
    (void)http_conn_flush(conn); /* answers to earlier requests do not wait for this one */
    return false;
}

void http_conn_late(http_conn *conn, http_task *task)
{
    http_loop *loop = conn->loop;
    souk_assert(conn->task == task);
    loop->handed_count--;
    count_handed(loop);
    if (conn->state == CONN_GONE) {
        http_bytes_release(loop, &task->late);
        HTTP_COUNT(loop, gone, 1);
        conn_die(conn);
        return;
    }
    souk_assert(conn->state == CONN_HANDED);
    int status = task->late.at ? task->late_status : 503;
    HTTP_COUNT(loop, answers[status / 100], 1);
    souk_text resort = http_answer_of_last_resort();
    conn->closing |= task->late_close || !task->late.at;
    if (task->late.at && conn->out.from == conn->out.to) {
        http_bytes_release(loop, &conn->out);
        conn->out = task->late;
        task->late = (http_bytes){0};
    } else {
        if (task->late.at)
            resort = souk_text_range(task->late.at, task->late.at + task->late.to);
        char *to = http_conn_out_room(conn, resort.bytes);
        if (to) {
            memcpy(to, resort.at, resort.bytes);
            conn->out.to += resort.bytes;
        }
        http_bytes_release(loop, &task->late);
    }
    request_end(conn);
    http_conn_run(conn);
}

bool http_conn_stream(http_conn *conn, souk_http_stream *stream)
{
    http_loop *loop = conn->loop;
    loop->handed_count--;
    count_handed(loop);
    if (conn->state == CONN_GONE) {
        HTTP_COUNT(loop, gone, 1);
        conn_die(conn);
        return false;
    }
    request_end(conn);
    http_bytes_release(
        loop, &conn->in); /* what stands behind the request is not read: this is the last one */
    conn->fresh = false;
    conn->stream = stream;
    conn->state = CONN_STREAM;
    /* A machine that has vanished acknowledges nothing (tcp(7)); a unix socket knows no such option. */
    setsockopt(conn->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &loop->http->options.idle_ms, sizeof(int));
    return true;
}

void http_conn_stream_end(http_conn *conn, souk_text last)
{
    char *to = last.bytes ? http_conn_out_room(conn, last.bytes) : NULL;
    if (to) {
        memcpy(to, last.at, last.bytes);
        conn->out.to += last.bytes;
    }
    conn->stream = NULL;
    conn->state = CONN_OPEN;
    conn->closing = true;
}

static void head_done(http_conn *conn)
{
    const souk_http_options *options = &conn->loop->http->options;
    http_task *task = conn->task;
    if (!options->body_limit)
        return;
    size_t limit = options->body_limit(options->context, &task->x.request);
    task->parser.body_limit_bytes = souk_min_size(limit, options->body_limit_bytes);
}

static void say_continue(http_conn *conn)
{
    souk_text line = SOUK_TEXT("HTTP/1.1 100 Continue\r\n\r\n");
    conn->task->x.request.expects_continue = false;
    char *to = http_conn_out_room(conn, line.bytes);
    if (to) {
        memcpy(to, line.at, line.bytes);
        conn->out.to += line.bytes;
    }
}

size_t http_conn_body_bytes(const http_conn *conn)
{
    return conn->in.to - conn->in.from - conn->task->parser.body_at;
}

/* Looks at fresh input.  False: the handler has the request. */
static bool parse(http_conn *conn)
{
    http_loop *loop = conn->loop;
    http_bytes *in = &conn->in;
    if (!conn->task) {
        conn->task = http_task_get(loop);
        if (!conn->task) {
            http_conn_refuse(conn, SOUK_HTTP_REFUSAL_NO_MEMORY);
            return true;
        }
        souk_http_parse_init(&conn->task->parser, &conn->task->x.request,
                             loop->http->options.body_limit_bytes);
    }
    http_task *task = conn->task;
    size_t bytes = in->to - in->from;
    souk_http_progress progress = souk_http_parse(&task->parser, in->at + in->from, &bytes);
    in->to = in->from + bytes;
    switch (progress) {
    case SOUK_HTTP_MORE:
        conn->fresh = false;
        if (task->parser.head_done && task->x.request.expects_continue &&
            http_conn_body_bytes(conn) == 0)
            say_continue(conn);
        return true;
    case SOUK_HTTP_HEAD:
        head_done(conn);
        return true;
    case SOUK_HTTP_REFUSED:
        http_conn_refuse(conn, task->parser.refusal);
        return true;
    case SOUK_HTTP_DONE:
        break;
    }
    return hand_over(conn);
}

/* False: closed. */
static bool read_more(http_conn *conn)
{
    if (!in_room(conn)) {
        http_conn_refuse(conn, SOUK_HTTP_REFUSAL_NO_MEMORY);
        return true;
    }
    http_bytes *in = &conn->in;
    size_t room = in->capacity - in->to;
    ssize_t got = recv(conn->fd, in->at + in->to, room, 0);
    if (got > 0) {
        in->to += (size_t)got;
        conn->fresh = true;
        conn->readable = (size_t)got == room || conn->hangup;
        HTTP_COUNT(conn->loop, bytes_in, (size_t)got);
        return true;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        conn->readable = errno == EINTR;
        return true;
    }
    http_conn_close(conn, false); /* a half request dies with its client */
    return false;
}

/* Nothing can be done until epoll or a deadline speaks. */
static void rest(http_conn *conn)
{
    http_wait wait = conn->used ? WAIT_IDLE : WAIT_FIRST;
    if (conn->task)
        wait = conn->task->parser.head_done ? WAIT_BODY : WAIT_HEAD;
    else if (atomic_load_explicit(&conn->loop->http->phase, memory_order_relaxed)) {
        http_conn_close(conn, false);
        return;
    }
    if (!conn->task)
        http_bytes_release(conn->loop, &conn->in);
    if (conn->wait != wait || conn->stale)
        http_conn_wait(conn, wait);
    conn->stale = false;
}

/* There is more to do, after the others.  It leaves the list of what it waited for, which has come:
 * the deadline there no longer counts, and who is closed for being idle must be idle. */
static void give_way(http_conn *conn)
{
    http_wait wait = WAIT_TURN;
    if (conn->task && !conn->stale)
        wait = conn->task->parser.head_done ? WAIT_BODY : WAIT_HEAD;
    if (conn->wait != wait)
        http_conn_wait(conn, wait);
    http_conn_ready(conn);
}

void http_conn_run(http_conn *conn)
{
    for (unsigned turn = 0; turn < HTTP_TURNS; turn++) {
        if (conn->state == CONN_LINGER) {
            linger(conn);
            return;
        }
        if (conn->state == CONN_HANDED) {
            (void)http_conn_flush(conn);
            return;
        }
        if (conn->state == CONN_STREAM)
            http_stream_run(conn);
        if (conn->state != CONN_OPEN)
            return;
        bool has_input = conn->fresh && !conn->closing;
        if (!has_input || conn->out.to - conn->out.from >= HTTP_OUT_GATHER_BYTES) {
            if (!http_conn_flush(conn))
                return;
            if (conn->closing) {
                finish(conn);
                return;
            }
        }
        if (has_input) {
            if (!parse(conn))
                return;
        } else if (conn->readable) {
            if (!read_more(conn))
                return;
        } else {
            rest(conn);
            return;
        }
    }
    give_way(conn);
}

/* The kernel has the answer and the client does not take it. */
static bool has_unread_answer(const http_conn *conn)
{
    int waiting = 0;
    return ioctl(conn->fd, SIOCOUTQ, &waiting) == 0 && waiting > 0;
}

void http_conn_expire(http_conn *conn)
{
    http_loop *loop = conn->loop;
    const souk_http_options *options = &loop->http->options;
    switch ((http_wait)conn->wait) {
    case WAIT_HEAD:
    case WAIT_BODY:
        http_conn_refuse(conn, conn->wait == WAIT_HEAD ? SOUK_HTTP_REFUSAL_SLOW_HEAD
                                                       : SOUK_HTTP_REFUSAL_SLOW_BODY);
        http_conn_run(conn);
        return;
    case WAIT_WRITE:
        if (conn->stream ? conn->mark_bytes > 0
                         : conn->mark_bytes >=
                               (uint64_t)options->write_bytes_per_s * options->write_ms / 1000) {
            conn->mark_bytes = 0;
            http_conn_wait(conn, WAIT_WRITE);
            return;
        }
        HTTP_COUNT(loop, slow_readers, 1);
        http_conn_close(conn, true);
        return;
    case WAIT_FIRST:
    case WAIT_IDLE:
        if (has_unread_answer(conn)) {
            HTTP_COUNT(loop, slow_readers, 1);
            http_conn_close(conn, true);
            return;
        }
        HTTP_COUNT(loop, idle_closed, 1);
        http_conn_close(conn, false);
        return;
    case WAIT_LINGER:
        http_conn_close(conn, false);
        return;
    case WAIT_HANDLER:
    case WAIT_TURN:
    case WAIT_COUNT:
        break;
    }
    souk_assert_failed("a connection without a deadline expired", __FILE__, __LINE__);
}
