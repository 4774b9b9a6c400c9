/* http.h - the HTTP/1.1 server: complete requests in, answers out now or later from any thread.
 *
 *     static void handle(void *context, souk_http_exchange *x)      in a loop thread: never block
 *     {
 *         souk_shop *shop = context;
 *         if (!souk_text_equal(x->request.method, SOUK_TEXT("POST"))) {
 *             souk_http_answer_problem(x, 405, SOUK_TEXT("this path takes POST"));
 *             return;
 *         }
 *         x->user = shop;
 *         souk_shop_queue(shop, x);                                  a writer thread will say
 *     }                                                              souk_http_answer(x, 200, …)
 *
 *     souk_auto(souk_http) http = NULL;
 *     SOUK_TRY(souk_http_new(mem, &(souk_http_options){.handle = handle, .context = shop}, &http));
 *     SOUK_TRY(souk_http_listen(http, listen_fd));                   bound and listening already
 *     SOUK_TRY(souk_http_start(http));
 *     …
 *     SOUK_TRY(souk_http_drain(http, 5000));                         then free
 *
 * One connection carries one request at a time, so answers keep the order of pipelined requests.
 * Between handle and answer the request and its body lie still in the connection's buffer: nothing is
 * copied, and hundreds of exchanges may wait for one commit.  A client that leaves meanwhile costs
 * nothing but a discarded answer.  An answer may also go on for as long as both sides like (streams, at the
 * end of this header).  What the parser refuses (http_parse.h) is answered with an RFC 9457
 * problem and closed; handlers never see it.
 *
 * Limits   every phase of a connection has a deadline and every buffer a ceiling, see the options
 * Memory   an idle connection holds its own record (about 200 bytes) and no buffer
 * Cost     small request: one recv, one send; a late answer adds a share of one eventfd write
 * Threads  souk_http_answer, souk_http_count and streams from any; the rest from the thread that owns it
 * Not here TLS and HTTP/2 (a proxy in front), compressed bodies (the handler inflates) */
#ifndef SOUK_SERVE_HTTP_H
#define SOUK_SERVE_HTTP_H

#include "os/clock.h"
#include "serve/http_parse.h"

typedef struct souk_http souk_http;

/* Who speaks: IPv4 as ::ffff:a.b.c.d (RFC 4291 2.5.5.2); all zero for a unix socket. */
typedef struct souk_http_peer {
    unsigned char address[16];
    uint16_t port;
} souk_http_peer;
/* The address as text without the port ("192.0.2.7", "2001:db8::1", "local"), ended by NUL. */
void souk_http_peer_text(const souk_http_peer *peer, char to[48]);

/* One request and the duty to answer it exactly once. */
typedef struct souk_http_exchange {
    souk_http_request request; /* slices live until the answer */
    souk_http_peer peer;
    void *user; /* the handler's own two: a note, and a link for its queue */
    struct souk_http_exchange *next;
} souk_http_exchange;

typedef struct souk_http_options {
    /* Called in a loop thread with a complete request; answers now, or keeps x and answers later. */
    void (*handle)(void *context, souk_http_exchange *x);
    /* The most bytes the body of this request may have, asked when the head is there and a body
     * follows; the server's own limit still holds.  NULL: body_limit_bytes for all. */
    size_t (*body_limit)(void *context, const souk_http_request *head);
    void *context;
    const souk_clock *clock;    /* for deadlines and the Date header; NULL: the machine's */
    unsigned loop_count;        /* threads; 0: 1, at most 64 */
    unsigned connection_limit;  /* over all loops; 0: 10,000; above it idle ones make room first */
    unsigned peer_limit;        /* connections per address (IPv6: per /64); 0: 512.  Behind a proxy
                                    all come from one address: say connection_limit here */
    size_t body_limit_bytes;    /* 0: 4 MiB */
    uint32_t header_ms;         /* first byte to the end of the head; 0: 5,000 */
    uint32_t body_ms;           /* end of the head to the end of the body; 0: 10,000 */
    uint32_t body_bytes_per_s;  /* the slowest body, after 2 s of patience; 0: 1,024 */
    uint32_t idle_ms;           /* between requests; 0: 30,000 */
    uint32_t write_ms;          /* an answer the client does not take: at least */
    uint32_t write_bytes_per_s; /* this rate over each such time; 0: 10,000 and 16 KiB/s */
    uint32_t linger_ms;         /* after a refusal, for the client to read it; 0: 1,000 */
} souk_http_options;

/* A server without sockets or threads; the options are copied.
 * SOUK_EINVAL: no handle, or a number beyond its bounds.  SOUK_ENOMEM.  SOUK_EIO: no epoll. */
SOUK_CHECKED souk_err souk_http_new(souk_mem *mem, const souk_http_options *options,
                                    souk_http **ret_http);
/* Stops at once (cuts connections), waits until every exchange handed out has been answered and every
 * stream ended by its owner, then frees.  Whoever holds some must therefore answer or end them before, or
 * from another thread. */
void souk_http_free(souk_http *http);
SOUK_AUTO(souk_http)

/* Takes over a listening TCP or unix socket, before start; at most 8.  On failure it stays the
 * caller's.  SOUK_ETOOBIG.  SOUK_EIO: not a socket that listens. */
SOUK_CHECKED souk_err souk_http_listen(souk_http *http, int fd);
/* Starts the loop threads, once.  SOUK_EIO: no thread, or no epoll. */
SOUK_CHECKED souk_err souk_http_start(souk_http *http);

/* Answers an exchange, from any thread; copies everything; x is gone afterwards.
 * The server writes Date, Content-Length and Connection itself: they must not be among the headers.
 * A HEAD request gets the head only.  A header value with a control character would split the
 * answer and turns it into a 500; without memory it turns into a 503. */
void souk_http_answer(souk_http_exchange *x, int status, const souk_http_header *headers,
                      size_t header_count, souk_text body);
/* Closes the connection in place of an answer: for a client that would take any answer for a good one.  Else as
 * souk_http_answer. */
void souk_http_drop(souk_http_exchange *x);
/* Answers with application/problem+json (RFC 9457): {"type","title","status","detail"}. */
void souk_http_answer_problem(souk_http_exchange *x, int status, souk_text detail);

/* Accepts no more, closes what is idle, lets the rest finish and closes it, tells the owners of streams;
 * returns when nothing is open.  SOUK_ETIMEOUT: within_ms passed and the remaining connections were cut. */
SOUK_CHECKED souk_err souk_http_drain(souk_http *http, uint32_t within_ms);

/* Asks every loop for a sign of life: its next turn gives it.  Silent: a loop has had no turn since then, as
 * one whose handler blocks.  From one thread, after start and before drain. */
void souk_http_probe(souk_http *http);
bool souk_http_is_silent(const souk_http *http);

/* Sums since start, but for those that say "now". */
typedef struct souk_http_counts {
    uint64_t connections_now, exchanges_now; /* open; handed to the handler and not answered */
    uint64_t connections, requests;          /* accepted; complete requests handed to handle */
    uint64_t answers[6];                     /* by status class: [2] is 2xx; [0] unused */
    uint64_t bytes_in, bytes_out;
    uint64_t refused[SOUK_HTTP_REFUSAL_COUNT]; /* by reason, as named by souk_http_refusal_name */
    uint64_t slow_readers;                     /* cut because they did not take their answer */
    uint64_t idle_closed, evicted;             /* idle too long; idle and in the way of a new one */
    uint64_t gone;                             /* clients that left before their answer */
    uint64_t accept_failures;                  /* no descriptor or memory for a new connection */
    uint64_t streams_now, streams;             /* not ended by their owner; begun */
    uint64_t wakes;                            /* eventfd writes for late answers and streams */
} souk_http_counts;
void souk_http_count(const souk_http *http, souk_http_counts *ret_counts);

/* ---- answers that go on ------------------------------------------------------------------------
 *
 *     souk_http_stream_options options = {.gone = note_gone, .drain = note_drain, .context = listener};
 *     SOUK_TRY(souk_http_stream_begin(x, 200, headers, count, &options, &stream));   x is gone
 *
 *     souk_auto(souk_http_chunk) news = NULL;                     one copy for five hundred listeners
 *     SOUK_TRY(souk_http_chunk_new(mem, text, &news));
 *     for (…)
 *         told += souk_http_stream_put(streams[i], news);         false: this one is slow, or gone
 *     for (…)
 *         souk_http_stream_flush(streams[i]);                     wakes each loop at most once
 *
 *     souk_http_stream_end(stream);                               always, also when the client is gone
 *
 * The body is chunked; to HTTP/1.0 it goes as it is and ends with the connection.  Whether it came to its
 * end shows in the last chunk, so the connection carries nothing behind it.
 *
 * Slow     what waits for the client has a ceiling: put says no, and the owner decides what that client
 *          misses.  One that takes nothing at all for write_ms, or whose machine acknowledges nothing for
 *          idle_ms, is cut.
 * Gone     the client left, shut its sending side, or was cut: gone() is called once, puts say no, and the
 *          owner ends the stream when it likes.
 * Memory   a chunk: its bytes and 40; a stream: about 700 bytes and its head
 * Cost     put: a lock and a reference; a loop sends all that waits for one client in one call */

typedef struct souk_http_chunk souk_http_chunk; /* bytes that many streams send */
/* A copy of the bytes, at least one and at most SOUK_HTTP_CHUNK_BYTES.  SOUK_ENOMEM. */
enum { SOUK_HTTP_CHUNK_BYTES = 1 << 20 };
SOUK_CHECKED souk_err souk_http_chunk_new(souk_mem *mem, souk_text bytes,
                                          souk_http_chunk **ret_chunk);
/* Gives back the caller's share; streams that have not sent it yet keep theirs. */
void souk_http_chunk_free(souk_http_chunk *chunk);
SOUK_AUTO(souk_http_chunk)

typedef struct souk_http_stream souk_http_stream;

typedef struct souk_http_stream_options {
    size_t
        buffer_bytes; /* that may wait for the client, beside what its kernel takes; 0: 256 KiB */
    /* Called in a loop's thread, at most once each and never behind the end; NULL: not.  They note it and
     * return: no call of this stream from within. */
    void (*gone)(void *context);  /* nothing will be sent any more */
    void (*drain)(void *context); /* the server drains: say the last words and end */
    void *context;
} souk_http_stream_options;

/* Begins the answer to an exchange, from any thread; x is gone afterwards.  Content-Length,
 * Transfer-Encoding, Date and Connection are the server's.  On failure x is still to be answered.
 * SOUK_EINVAL: a HEAD request, which has no body, or a header with a control character.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_http_stream_begin(souk_http_exchange *x, int status,
                                             const souk_http_header *headers, size_t header_count,
                                             const souk_http_stream_options *options,
                                             souk_http_stream **ret_stream);
/* False, and nothing is queued, where it would pass the ceiling or nobody listens any more.  An empty queue takes
 * any chunk. */
SOUK_CHECKED bool souk_http_stream_put(souk_http_stream *stream, souk_http_chunk *chunk);
/* What was put is sent; without it, when the loop happens to look. */
void souk_http_stream_flush(souk_http_stream *stream);
/* What was put is still sent, then the end; the stream is gone for its owner. */
void souk_http_stream_end(souk_http_stream *stream);

/* "Not Found" for 404; "Unknown" for a status without a name. */
const char *souk_http_status_words(int status);

#endif
