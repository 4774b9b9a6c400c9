/* stream_ticket.h - a pass for one stream, for a browser whose EventSource cannot send a token.
 *
 *     stream_tickets_make(tickets, &pass, now_ms, ticket);        "souk_st_5f3a…": into the page's URL
 *     SOUK_TRY(stream_tickets_take(tickets, text, now_ms, &pass));  once, within STREAM_TICKET_MS
 *
 * A token in a URL would stand in histories and in logs of proxies for as long as it works.  A ticket may: it opens
 * one stream, within a minute, with no more than its token's scopes, and the stream ends when that is revoked.
 *
 * Limits   STREAM_TICKETS_EACH of a token at a time: its oldest goes for a new one, never another's; STREAM_TICKETS of
 *          all, above which the oldest goes; lost when the server ends
 * Cost     one pass over the table
 * Threads  any */
#ifndef SOUK_SERVE_STREAM_TICKET_H
#define SOUK_SERVE_STREAM_TICKET_H

#include "core/merchant.h"
#include "os/thread.h"

enum {
    STREAM_TICKETS = 1024,
    STREAM_TICKETS_EACH = 32, /* browsers of one page's visitor, opened within a minute */
    STREAM_TICKET_MS = 60000,
    STREAM_TICKET_BYTES = 41, /* with NUL */
};

/* Who listens, and what must go on to work for it. */
typedef struct stream_pass {
    souk_caller caller;
    souk_hash128 mark; /* of the token (merchant.h) */
    bool has_mark;     /* false: over the control socket, nothing to revoke */
} stream_pass;

typedef struct stream_tickets {
    souk_mutex mutex;
    souk_hash_key key;
    struct stream_ticket {
        souk_hash128
            hash; /* so that a look at the table takes the same time whatever stands there */
        stream_pass pass;
        int64_t until_ms; /* 0: free */
    } tickets[STREAM_TICKETS];
} stream_tickets;

void stream_tickets_init(stream_tickets *tickets);
void stream_tickets_done(stream_tickets *tickets);

void stream_tickets_make(stream_tickets *tickets, const stream_pass *pass, int64_t now_ms,
                         char ret_ticket[STREAM_TICKET_BYTES]);
/* SOUK_EUNAUTH: there is no such ticket, or none any more. */
SOUK_CHECKED souk_err stream_tickets_take(stream_tickets *tickets, souk_text ticket, int64_t now_ms,
                                          stream_pass *ret_pass);

#endif
