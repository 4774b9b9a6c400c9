/* http_guts.h - what the files of the server share; nobody else includes it.
 *
 *     http.c          the server's life: options, threads, drain, counts
 *     http_loop.c     one epoll loop: accepting, deadlines, late answers
 *     http_conn.c     one connection: read, parse, hand over, send, close
 *     http_pool.c     memory that a loop keeps for the next connections
 *     http_stream.c   answers that go on: chunks on their way to clients
 *     http_answer.c   the bytes of an answer
 *     http_peers.c    connections per address
 *
 * A connection stands in exactly one of its loop's lists, by what it waits for:
 *
 *     FIRST ──► HEAD ──► BODY ──► HANDLER ──► WRITE ──► LINGER ──► closed
 *       first     ▲         │        │          │          of refusals and
 *       byte      └── IDLE ◄┴────────┴──────────┘          half-read input
 *
 * Each list has one duration, so its members stand in the order of their deadlines and a deadline
 * costs two pointers.  A stream with nothing to send stands in HANDLER, one whose client is slow in WRITE.  A small request that is answered at once passes from IDLE to IDLE.  Who has
 * more input than its share of a turn stands in TURN between two of them, since what it waited for
 * before has come: it is neither late nor idle.
 *
 * Ownership: a task (exchange) belongs to its connection, a connection to its loop.  While the
 * handler has the task, its connection's record and input buffer stay even if the socket is gone.
 * An answering thread writes `late`, `late_…` of the task, pushes it on the loop's stack of late
 * answers and never touches it again; all else is touched by the loop's thread alone. */
#ifndef SOUK_SERVE_HTTP_GUTS_H
#define SOUK_SERVE_HTTP_GUTS_H

#include "os/thread.h"
#include "serve/http.h"
#include "serve/http_peers.h"

#include <stdatomic.h>

enum {
    HTTP_LISTENERS_MAX = 8,
    HTTP_LOOPS_MAX = 64,
    HTTP_BLOCK_BYTES = 4096,       /* the first input and output buffer; most requests fit */
    HTTP_GROWN_BYTES = 16384,      /* the second; any legal head fits */
    HTTP_POOL_BLOCKS = 256,        /* kept by a loop for the next connections; 1 MiB */
    HTTP_POOL_TASKS = 256,         /* 0.6 MiB */
    HTTP_OUT_GATHER_BYTES = 65536, /* answers of pipelined requests that leave in one send */
    HTTP_LINGER_BYTES = 1 << 20,   /* of a refused request's rest, read so that no reset overtakes
                                     the answer */
    HTTP_UNSENT_BYTES = 65536, /* of answers in the kernel beyond what the client's window takes */
    HTTP_REFUSAL_BYTES = 1024,
    HTTP_STREAM_CHUNKS = 64,  /* that wait in one stream */
    HTTP_STREAM_VECTORS = 16, /* of them in one send */
    HTTP_STREAM_TURNS = 64,   /* streams that send before others have a turn */
    HTTP_TURNS = 64,          /* requests or reads of one connection before others have a turn */
    HTTP_RATE_PATIENCE_MS = 2000, /* before the rate of a body is looked at */
    HTTP_RATE_TICK_MS = 500,
    HTTP_ACCEPT_PAUSE_MS = 100, /* after the process ran out of descriptors */
};
_Static_assert(HTTP_GROWN_BYTES > SOUK_HTTP_HEAD_BYTES_MAX + SOUK_HTTP_TARGET_BYTES_MAX + 64,
               "a head must fit the second buffer");

typedef enum http_wait {
    WAIT_FIRST,                    /* for the first byte of a new connection; header_ms */
    WAIT_IDLE,                     /* for the next request; idle_ms */
    WAIT_HEAD,                     /* for the rest of a head; header_ms */
    WAIT_BODY,                     /* for the rest of a body; body_ms and a rate */
    WAIT_WRITE,                    /* for the client to take its answer; write_ms and a rate */
    WAIT_LINGER,                   /* for the client to close; linger_ms */
    WAIT_DEADLINES,                /* those behind have none */
    WAIT_HANDLER = WAIT_DEADLINES, /* for the answer; the handler has its own deadline */
    WAIT_TURN,                     /* for nothing but the loop's next turn, with input left */
    WAIT_COUNT,
} http_wait;

typedef struct http_conn http_conn;
typedef struct http_loop http_loop;

typedef struct http_bytes {
    char *at;
    size_t from, to, capacity; /* [from, to) is to be read or sent */
} http_bytes;

typedef struct http_task {
    souk_http_exchange x; /* first: what the handler sees */
    souk_http_parser parser;
    http_conn *conn;
    http_loop *loop;
    /* A late answer: no bytes where there was no memory for them. */
    http_bytes late;
    int late_status;
    bool late_close;
    struct http_task *next; /* in the stack of late answers, or in the pool */
} http_task;

typedef enum http_state {
    CONN_OPEN,   /* reading, or sending an answer */
    CONN_HANDED, /* the handler has the task */
    CONN_STREAM, /* the answer goes on */
    CONN_LINGER, /* our side is shut, the rest of the input is thrown away */
    CONN_GONE,   /* the socket is closed and the handler still has the task */
    CONN_DEAD,   /* to be freed at the end of the loop's turn */
} http_state;

struct http_conn {
    http_loop *loop;
    http_conn *previous, *next; /* in the list of `wait`; next also in the list of the dead */
    http_conn *ready_next;
    int64_t since_ms; /* when it entered the list */
    int fd;
    unsigned char state, wait;
    bool readable, writable; /* as far as epoll told and reads and writes showed */
    bool hangup;             /* the client has shut its side, or more: read on until it shows */
    bool fresh;              /* there is input the parser has not seen */
    bool closing;            /* when the output is sent, close */
    bool refused;            /* and linger */
    bool stale;              /* a request has ended: the next wait starts anew */
    bool is_ready;           /* in the loop's list of those that had more to do */
    bool used;               /* has had a request */
    souk_http_peer peer;
    http_task *task;          /* the request in work */
    souk_http_stream *stream; /* CONN_STREAM */
    http_bytes in, out;
    size_t mark_bytes; /* WRITE: sent since since_ms; LINGER: thrown away */
};

typedef struct http_list {
    http_conn *first, *last;
} http_list;

struct http_loop {
    souk_http *http;
    souk_thread thread;
    int epoll;
    souk_wake wake;
    int64_t now_ms, tick_ms, accept_again_ms; /* monotonic; 0: accepting */
    int64_t date_s;
    char date[32]; /* "Tue, 24 Nov 2026 04:09:00 GMT" */
    bool listening, quiet;
    http_list lists[WAIT_COUNT];
    http_conn *ready, *dead;
    unsigned open_count, handed_count, stream_count;
    souk_http_stream *streams; /* taken from other threads, oldest first, not looked at yet */
    http_task *handling;       /* inside handle */
    bool answered;             /* and the answer came from within */
    http_task *task_pool;
    void *block_pool;
    unsigned task_pooled, block_pooled;
    souk_http_counts counts; /* written by this thread alone */
    char scratch[HTTP_GROWN_BYTES];
    char own_line[64]; /* other threads' side lies on cache lines of its own */
    _Atomic(http_task *) late;
    _Atomic(souk_http_stream *) put_streams; /* that have something new, newest first */
    atomic_bool put_unwoken;                 /* and the loop was not woken for them yet */
    atomic_uint pushers;
    atomic_ullong wakes;
    atomic_uint seen; /* the newest probe at the end of a turn */
};

enum { HTTP_RUNNING, HTTP_DRAINING, HTTP_CUTTING, HTTP_ENDING };

struct souk_http {
    souk_mem *mem;
    souk_http_options options; /* with the defaults filled in */
    uint32_t wait_ms[WAIT_DEADLINES];
    souk_http_peers *peers;
    int listeners[HTTP_LISTENERS_MAX];
    unsigned listener_count;
    bool started;
    atomic_int phase;
    atomic_uint open_count, listening_count;
    atomic_uint probe; /* number of the newest, see souk_http_probe */
    souk_mutex mutex;  /* of quiet_count */
    souk_cond quiet;
    unsigned quiet_count; /* loops that drain and have no connection left */
    http_loop *loops[HTTP_LOOPS_MAX];
};

#define HTTP_COUNT(loop, field, n) \
    __atomic_store_n(&(loop)->counts.field, (loop)->counts.field + (n), __ATOMIC_RELAXED)

/* ---- http.c -------------------------------------------------------------------------------- */
void http_listeners_close(souk_http *http);
/* This loop has no connection left and takes none. */
void http_quiet(souk_http *http);
static inline int64_t http_clock_ms(const souk_http *http)
{
    return souk_clock_monotonic_ns(http->options.clock) / 1000000;
}

/* ---- http_loop.c --------------------------------------------------------------------------- */
souk_err http_loop_new(souk_http *http, http_loop **ret_loop);
void http_loop_free(http_loop *loop);
void http_loop_run(void *loop);
/* A task with its late answer; from any thread. */
void http_loop_push(http_loop *loop, http_task *task);
/* Whether this thread is the loop's own, inside handle with this very task. */
bool http_loop_is_handling(const http_loop *loop, const http_task *task);
void http_loop_wake(http_loop *loop);
/* Whether the calling thread is the loop's own. */
bool http_loop_is_here(const http_loop *loop);
/* Closes the connection that has been idle longest; false where none is. */
bool http_loop_evict(http_loop *loop);

/* Moves to the end of a list; the time of its deadline starts. */
void http_conn_wait(http_conn *conn, http_wait wait);
void http_conn_unlist(http_conn *conn);
/* Has more to do, after the others. */
void http_conn_ready(http_conn *conn);

/* ---- http_pool.c --------------------------------------------------------------------------- */
/* NULL: no memory. */
http_task *http_task_get(http_loop *loop);
void http_task_release(http_loop *loop, http_task *task);
/* Another capacity, the content moved to the front.  False: no memory. */
bool http_bytes_resize(http_loop *loop, http_bytes *bytes, size_t capacity);
void http_bytes_release(http_loop *loop, http_bytes *bytes);

/* ---- http_conn.c --------------------------------------------------------------------------- */
/* A new connection; takes the descriptor. */
void http_conn_open(http_loop *loop, int fd, const souk_http_peer *peer);
/* Goes on as far as it can without waiting. */
void http_conn_run(http_conn *conn);
/* Sends the late answer of its task, which ends. */
void http_conn_late(http_conn *conn, http_task *task);
void http_conn_refuse(http_conn *conn, souk_http_refusal refusal);
/* Closes at once; with_reset throws away what was not sent yet. */
void http_conn_close(http_conn *conn, bool with_reset);
/* The deadline of its list has passed. */
void http_conn_expire(http_conn *conn);
/* Bytes of the body that arrived. */
size_t http_conn_body_bytes(const http_conn *conn);
/* Room at the end of the output; NULL: no memory, and the connection is told to close. */
char *http_conn_out_room(http_conn *conn, size_t bytes);
/* Frees what the dead leave behind. */
void http_conn_bury(http_conn *conn);
/* The handler's answer is a stream: the request ends.  False: the client is gone. */
bool http_conn_stream(http_conn *conn, souk_http_stream *stream);
/* The stream has ended: `last` is what remains to say, and with it the connection closes. */
void http_conn_stream_end(http_conn *conn, souk_text last);
/* Sends the output.  True: all is sent.  False: the client must take some first, or it is closed. */
bool http_conn_flush(http_conn *conn);

/* ---- http_stream.c ------------------------------------------------------------------------- */
/* Looks at streams in which something was put. */
void http_streams_take(http_loop *loop);
/* Sends as far as it can without waiting. */
void http_stream_run(http_conn *conn);
/* The connection is closed. */
void http_stream_lose(souk_http_stream *stream);
/* The server drains. */
void http_stream_drain(souk_http_stream *stream);

/* ---- http_answer.c ------------------------------------------------------------------------- */
typedef struct http_answer {
    int status;
    const souk_http_header *headers;
    size_t header_count;
    souk_text body;
    const char *date;
    unsigned minor_version;
    bool is_head, close;
    bool endless; /* no body here: a stream's */
} http_answer;
/* An upper bound of its bytes, and the bytes. */
size_t http_answer_room(const http_answer *answer);
size_t http_answer_write(const http_answer *answer, char *to);
/* No control characters that would split the answer. */
bool http_answer_is_clean(const http_answer *answer);
void http_date_write(int64_t unix_s, char to[32]);
/* The whole answer to what is refused, at most HTTP_REFUSAL_BYTES; line 0: of none. */
size_t http_refusal_write(souk_http_refusal refusal, unsigned line, const char *date, bool is_head,
                          char *to);
/* What is said when there is no memory to say anything: complete, and ends the connection. */
souk_text http_answer_of_last_resort(void);

#endif
