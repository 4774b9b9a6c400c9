/* http_stream.c - answers that go on: chunks on their way to many clients.
 *
 *     put (any thread)                          the loop
 *     ring of the stream ◄── chunk, one share   takes the stack of streams, oldest first
 *     stack of the loop  ◄── the stream         sends up to 16 chunks of each in one call
 *     flush wakes the loop, once
 *
 * On the wire a chunk is its size, its bytes and a line end (RFC 9112 7.1), written once for all streams; a client
 * of HTTP/1.0 gets the middle of it.  The head of the answer is a chunk without these, of one stream.
 *
 * Two own a stream: who began it, until the end, and its connection, until it closes.  The loop frees it when both
 * have let go; handed-out streams keep the loop from being freed. */
#include "serve/http_guts.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

struct souk_http_chunk {
    souk_mem *mem;
    atomic_uint shares;
    uint32_t before, bytes, behind; /* of the wire form: size line, content, line end */
    char at[];
};

struct souk_http_stream {
    http_loop *loop;
    souk_http_stream *next; /* on the loop's stack, or in its line */
    souk_http_stream_options options;
    bool chunked;
    /* The loop's own: */
    http_task *task; /* until it starts */
    http_conn *conn; /* NULL: closed, or all is said */
    size_t sent;     /* of the oldest chunk */
    bool started;
    int status;
    souk_mutex mutex; /* of what follows */
    souk_http_chunk *ring[HTTP_STREAM_CHUNKS];
    unsigned first, count;
    size_t bytes; /* of the chunks in it */
    bool on_stack, ended, lost, drained;
};

/* ---- chunks -------------------------------------------------------------------------------- */

static souk_http_chunk *chunk_room(souk_mem *mem, size_t wire_bytes)
{
    souk_http_chunk *chunk = souk_mem_resize(mem, NULL, sizeof *chunk + wire_bytes);
    if (chunk) {
        *chunk = (souk_http_chunk){.mem = mem};
        atomic_init(&chunk->shares, 1);
    }
    return chunk;
}

souk_err souk_http_chunk_new(souk_mem *mem, souk_text bytes, souk_http_chunk **ret_chunk)
{
    char size[16];
    souk_assert(bytes.bytes && bytes.bytes <= SOUK_HTTP_CHUNK_BYTES);
    uint32_t before = (uint32_t)snprintf(size, sizeof size, "%zx\r\n", bytes.bytes);
    souk_http_chunk *chunk = chunk_room(mem, before + bytes.bytes + 2);
    if (!chunk)
        return SOUK_ENOMEM;
    chunk->before = before;
    chunk->bytes = (uint32_t)bytes.bytes;
    chunk->behind = 2;
    memcpy(chunk->at, size, before);
    memcpy(chunk->at + before, bytes.at, bytes.bytes);
    memcpy(chunk->at + before + bytes.bytes, "\r\n", 2);
    *ret_chunk = chunk;
    return SOUK_OK;
}

void souk_http_chunk_free(souk_http_chunk *chunk)
{
    if (chunk && atomic_fetch_sub_explicit(&chunk->shares, 1, memory_order_acq_rel) == 1)
        souk_mem_put(chunk->mem, chunk);
}

static souk_text wire_of(const souk_http_stream *stream, const souk_http_chunk *chunk)
{
    if (stream->chunked)
        return (souk_text){chunk->at, (size_t)chunk->before + chunk->bytes + chunk->behind};
    return (souk_text){chunk->at + chunk->before, chunk->bytes};
}

/* ---- the owner's side ------------------------------------------------------------------------ */

/* Under the stream's mutex: the loop will look at it.  `pushers` keeps the loop until the flush. */
static void push(souk_http_stream *stream)
{
    http_loop *loop = stream->loop;
    if (stream->on_stack)
        return;
    stream->on_stack = true;
    souk_http_stream *top = atomic_load_explicit(&loop->put_streams, memory_order_relaxed);
    do
        stream->next = top;
    while (!atomic_compare_exchange_weak_explicit(&loop->put_streams, &top, stream,
                                                  memory_order_release, memory_order_relaxed));
    atomic_store_explicit(&loop->put_unwoken, true, memory_order_release);
}

/* Of a loop that cannot end meanwhile. */
static void wake(http_loop *loop)
{
    bool unwoken = atomic_load_explicit(&loop->put_unwoken, memory_order_relaxed) &&
                   atomic_exchange_explicit(&loop->put_unwoken, false, memory_order_acq_rel);
    if (unwoken && !http_loop_is_here(loop)) {
        http_loop_wake(loop);
        atomic_fetch_add_explicit(&loop->wakes, 1, memory_order_relaxed);
    }
}

void souk_http_stream_flush(souk_http_stream *stream)
{
    wake(stream->loop);
}

/* Under the mutex. */
static void append(souk_http_stream *stream, souk_http_chunk *chunk)
{
    stream->ring[(stream->first + stream->count++) % HTTP_STREAM_CHUNKS] = chunk;
    stream->bytes += chunk->bytes;
    push(stream);
}

bool souk_http_stream_put(souk_http_stream *stream, souk_http_chunk *chunk)
{
    souk_auto_lock(&stream->mutex);
    bool full = stream->count == HTTP_STREAM_CHUNKS ||
                (stream->count && stream->bytes + chunk->bytes > stream->options.buffer_bytes);
    if (stream->lost || full)
        return false;
    atomic_fetch_add_explicit(&chunk->shares, 1, memory_order_relaxed);
    append(stream, chunk);
    return true;
}

void souk_http_stream_end(souk_http_stream *stream)
{
    http_loop *loop = stream->loop;
    atomic_fetch_add_explicit(&loop->pushers, 1, memory_order_relaxed);
    souk_mutex_lock(&stream->mutex);
    souk_assert(!stream->ended);
    stream->ended = true;
    push(stream);
    souk_mutex_unlock(&stream->mutex); /* the loop may free it from here on */
    wake(loop);
    atomic_fetch_sub_explicit(&loop->pushers, 1, memory_order_release);
}

static souk_err make_head(souk_http_exchange *x, int status, const souk_http_header *headers,
                          size_t header_count, souk_http_chunk **ret_head)
{
    souk_http *http = ((http_task *)x)->loop->http;
    char date[32];
    http_date_write(souk_clock_now_ms(http->options.clock) / 1000, date);
    http_answer answer = {.status = status,
                          .headers = headers,
                          .header_count = header_count,
                          .date = date,
                          .minor_version = x->request.minor_version,
                          .close = true,
                          .endless = true};
    bool is_head = souk_text_equal(x->request.method, SOUK_TEXT("HEAD"));
    if (is_head || !http_answer_is_clean(&answer))
        return SOUK_EINVAL;
    souk_http_chunk *head = chunk_room(http->mem, http_answer_room(&answer));
    if (!head)
        return SOUK_ENOMEM;
    head->bytes = (uint32_t)http_answer_write(&answer, head->at);
    *ret_head = head;
    return SOUK_OK;
}

souk_err souk_http_stream_begin(souk_http_exchange *x, int status, const souk_http_header *headers,
                                size_t header_count, const souk_http_stream_options *options,
                                souk_http_stream **ret_stream)
{
    http_task *task = (http_task *)x;
    http_loop *loop = task->loop;
    souk_assert(status >= 200 && status <= 299 && status != 204);
    souk_auto(souk_http_chunk) head = NULL;
    SOUK_TRY(make_head(x, status, headers, header_count, &head));
    souk_http_stream *stream = souk_mem_get(loop->http->mem, sizeof *stream);
    if (!stream)
        return SOUK_ENOMEM;
    stream->loop = loop;
    stream->task = task;
    stream->status = status;
    stream->chunked = x->request.minor_version > 0;
    stream->options = *options;
    if (!stream->options.buffer_bytes)
        stream->options.buffer_bytes = (size_t)256 << 10;
    souk_mutex_init(&stream->mutex);
    *ret_stream = stream; /* before the loop can tell anything about it */
    souk_mutex_lock(&stream->mutex);
    append(stream, souk_take(&head));
    souk_mutex_unlock(&stream->mutex);
    wake(loop); /* it lives: the stream is ours until the end */
    return SOUK_OK;
}

/* ---- the loop's side ------------------------------------------------------------------------- */

static void count_streams(http_loop *loop)
{
    __atomic_store_n(&loop->counts.streams_now, loop->stream_count, __ATOMIC_RELAXED);
}

/* Under the mutex: nothing of it will be sent. */
static void drop_queue(souk_http_stream *stream)
{
    for (; stream->count; stream->count--)
        souk_http_chunk_free(stream->ring[stream->first++ % HTTP_STREAM_CHUNKS]);
    stream->bytes = 0;
}

void http_stream_lose(souk_http_stream *stream)
{
    souk_auto_lock(&stream->mutex);
    stream->conn = NULL;
    stream->lost = true;
    drop_queue(stream);
    if (!stream->ended && stream->options.gone)
        stream->options.gone(stream->options.context);
    if (stream->ended)
        push(stream); /* the loop frees it in its own time */
}

void http_stream_drain(souk_http_stream *stream)
{
    souk_auto_lock(&stream->mutex);
    if (!stream->drained && !stream->ended && stream->options.drain)
        stream->options.drain(stream->options.context);
    stream->drained = true;
}

static void stream_free(souk_http_stream *stream)
{
    http_loop *loop = stream->loop;
    souk_mutex_done(&stream->mutex);
    souk_mem_put(loop->http->mem, stream);
    loop->stream_count--;
    count_streams(loop);
}

/* What was sent leaves the ring. */
static void forget_sent(souk_http_stream *stream, size_t sent)
{
    souk_auto_lock(&stream->mutex);
    stream->sent += sent;
    while (stream->count) {
        souk_http_chunk *chunk = stream->ring[stream->first];
        size_t bytes = wire_of(stream, chunk).bytes;
        if (stream->sent < bytes)
            return;
        stream->sent -= bytes;
        stream->bytes -= chunk->bytes;
        stream->first = (stream->first + 1) % HTTP_STREAM_CHUNKS;
        stream->count--;
        souk_http_chunk_free(chunk);
    }
}

/* The oldest chunks as they go over the wire; only this thread takes any out. */
static size_t gather(souk_http_stream *stream, struct iovec vectors[HTTP_STREAM_VECTORS])
{
    souk_auto_lock(&stream->mutex);
    size_t count = souk_min_size(stream->count, HTTP_STREAM_VECTORS);
    for (size_t i = 0; i < count; i++) {
        unsigned at = (stream->first + (unsigned)i) % HTTP_STREAM_CHUNKS;
        souk_text wire = wire_of(stream, stream->ring[at]);
        size_t skip = i ? 0 : stream->sent;
        vectors[i] = (struct iovec){(char *)(uintptr_t)wire.at + skip, wire.bytes - skip};
    }
    return count;
}

/* Sends what waits.  False: the client must take some first, or the connection is closed. */
static bool send_chunks(souk_http_stream *stream)
{
    http_conn *conn = stream->conn;
    struct iovec vectors[HTTP_STREAM_VECTORS];
    struct msghdr message = {.msg_iov = vectors};
    while ((message.msg_iovlen = gather(stream, vectors)) > 0) {
        if (!conn->writable)
            return false;
        ssize_t sent = sendmsg(conn->fd, &message, MSG_NOSIGNAL);
        if (sent >= 0) {
            conn->mark_bytes += (size_t)sent;
            HTTP_COUNT(conn->loop, bytes_out, (size_t)sent);
            forget_sent(stream, (size_t)sent);
        } else if (errno == EAGAIN) {
            conn->writable = false;
        } else if (errno != EINTR) {
            http_conn_close(conn, false);
            return false;
        }
    }
    return true;
}

/* All is sent, and the owner has let go. */
static bool is_said(souk_http_stream *stream)
{
    souk_auto_lock(&stream->mutex);
    return stream->ended && stream->count == 0;
}

static void end_conn(souk_http_stream *stream)
{
    http_conn *conn = souk_take(&stream->conn);
    souk_text last = stream->chunked ? SOUK_TEXT("0\r\n\r\n") : SOUK_TEXT("");
    {
        souk_auto_lock(&stream->mutex);
        stream->lost = true;
        push(stream);
    }
    http_conn_stream_end(conn, last);
}

void http_stream_run(http_conn *conn)
{
    souk_http_stream *stream = conn->stream;
    if (conn->hangup) {
        http_conn_close(conn, false);
        return;
    }
    bool all_sent = http_conn_flush(conn) && send_chunks(stream);
    if (conn->state != CONN_STREAM)
        return;
    if (all_sent && is_said(stream)) {
        end_conn(stream);
        return;
    }
    http_wait wait = all_sent ? WAIT_HANDLER : WAIT_WRITE;
    if (conn->wait != wait) {
        conn->mark_bytes = 0;
        http_conn_wait(conn, wait);
    }
}

static void start(souk_http_stream *stream)
{
    http_loop *loop = stream->loop;
    http_conn *conn = souk_take(&stream->task)->conn;
    stream->started = true;
    loop->stream_count++;
    count_streams(loop);
    HTTP_COUNT(loop, streams, 1);
    if (!http_conn_stream(conn, stream)) {
        http_stream_lose(stream);
        return;
    }
    stream->conn = conn;
    HTTP_COUNT(loop, answers[stream->status / 100], 1);
    if (atomic_load_explicit(&loop->http->phase, memory_order_relaxed))
        http_stream_drain(stream);
}

/* Its connection is closed, its owner has let go, and no stack names it. */
static bool nobody_needs(souk_http_stream *stream)
{
    souk_auto_lock(&stream->mutex);
    return stream->ended && !stream->on_stack;
}

/* A stream that was on the stack. */
static void look_at(souk_http_stream *stream)
{
    souk_mutex_lock(&stream->mutex);
    stream->on_stack = false;
    souk_mutex_unlock(&stream->mutex);
    if (!stream->started)
        start(stream);
    if (stream->conn)
        http_conn_run(stream->conn);
    else if (nobody_needs(stream))
        stream_free(stream);
}

static void take_stack(http_loop *loop)
{
    souk_http_stream *newest, *oldest = NULL;
    /* Whoever pushed and has not woken us yet is taken here, or finds the mark that it sets afterwards. */
    atomic_exchange_explicit(&loop->put_unwoken, false, memory_order_acq_rel);
    newest = atomic_exchange_explicit(&loop->put_streams, NULL, memory_order_acquire);
    while (newest) {
        souk_http_stream *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    loop->streams = oldest;
}

void http_streams_take(http_loop *loop)
{
    if (!loop->streams && atomic_load_explicit(&loop->put_streams, memory_order_relaxed))
        take_stack(loop);
    for (unsigned turn = 0; loop->streams && turn < HTTP_STREAM_TURNS; turn++) {
        souk_http_stream *stream = loop->streams;
        loop->streams = stream->next;
        look_at(stream);
    }
}
