/* sse.h - reads server-sent events: bytes as they come, messages as they are complete.
 *
 *     souk_sse sse = {.mem = mem, .take = print_message, .context = screen};
 *     while (receive(&bytes))
 *         SOUK_TRY(souk_sse_read(&sse, bytes));          calls take for each message
 *     souk_sse_done(&sse);
 *
 *     id: 4711
 *     event: event
 *     data: {"position":4711}
 *                                                        the empty line ends the message
 *
 * Lines end with LF, CR or CR LF, in any cut.  What has no data is no message, but its id counts.  Comments and unknown
 * fields are passed over; a message that the end cuts off was none.
 *
 * Limits   a message of 4 MiB, and so a line
 * Source   HTML standard 9.2.6, "Interpreting an event stream"
 * Cost     one pass, a copy of each line
 * Threads  one */
#ifndef SOUK_BASE_SSE_H
#define SOUK_BASE_SSE_H

#include "base/text.h"

enum { SOUK_SSE_BYTES = 4 << 20 };

typedef struct souk_sse_message {
    souk_text event; /* "message" where the stream names none */
    souk_text data;  /* its lines, with LF between them */
    souk_text id;    /* the last one that was told */
} souk_sse_message;

typedef struct souk_sse {
    souk_mem *mem;
    souk_err (*take)(void *context, const souk_sse_message *message);
    void *context;
    /* private: */
    souk_buf line, event, data, id;
    bool begun, after_cr, has_data;
} souk_sse;

/* SOUK_ETOOBIG: a line or a message above the limit.  SOUK_ENOMEM.  An error of `take` ends it, too. */
SOUK_CHECKED souk_err souk_sse_read(souk_sse *sse, souk_text bytes);
void souk_sse_done(souk_sse *sse);

#endif
