/* outbox_inside.h - what outbox.c (a step), outbox_log.c (events) and outbox_rows.c (rows) share. */
#ifndef SOUK_SERVE_OUTBOX_INSIDE_H
#define SOUK_SERVE_OUTBOX_INSIDE_H

#include "base/hash.h"
#include "core/block.h"
#include "serve/outbox.h"

enum { OUTBOX_STEP_ROWS = 128 }; /* in one transaction: below 5 ms */

/* What is told, and of what its webhook-id is made. */
struct outbox_news {
    souk_delivery_kind kind;
    uint64_t position, number;
    uint32_t atom;
    souk_time at, received;
};

/* One look at the log, for the endpoints that have room for more rows. */
struct outbox_scan {
    struct outbox_aim {
        const souk_endpoint *endpoint;
        uint64_t position; /* how far it has come */
        size_t room;       /* for more rows */
        uint64_t rows;     /* found */
        bool stopped;
    } aims[SOUK_ENDPOINTS_MOST];
    size_t aim_count;
    struct outbox_found {
        size_t aim;
        struct outbox_news news;
    } rows[OUTBOX_STEP_ROWS];
    size_t row_count, row_most;
    struct outbox_match {
        bool known;
        uint32_t type, store;
        bool own;        /* an entry of Souk's */
        uint64_t wanted; /* a bit for each aim */
    } matches[256];
};

struct souk_outbox {
    souk_mem *mem;
    souk_spine *spine;
    souk_outbox_options options;
    souk_hash_key key; /* of webhook-ids */
    /* of the step under way: */
    souk_arena arena;
    souk_endpoint *endpoints; /* [count], in the arena */
    size_t count;
    struct outbox_scan scan;
    souk_block *block;   /* that was looked at last; NULL: none */
    bool is_full;        /* atomic */
    uint64_t looked_end; /* of the log, when all had come there; UINT64_MAX: somebody has not */
    souk_time swept;
};

SOUK_CHECKED souk_err outbox_migrate(souk_ledger *ledger, souk_diag *diag);

/* From the log to rows, for the aims of the scan, up to `end`.  *ret_did: one of them came further. */
SOUK_CHECKED souk_err outbox_read_log(souk_outbox *outbox, uint64_t end, bool *ret_did);

/* A row for the endpoint, at once due; put leaves the endpoint's count of what waits to the caller. */
SOUK_CHECKED souk_err outbox_put(souk_outbox *outbox, souk_tx *tx, const souk_endpoint *endpoint,
                                 const struct outbox_news *news);
SOUK_CHECKED souk_err outbox_add(souk_outbox *outbox, souk_tx *tx, const souk_endpoint *endpoint,
                                 const struct outbox_news *news);
/* How many of its rows are due, counted to `most`. */
SOUK_CHECKED souk_err outbox_count_due(souk_outbox *outbox, souk_tx *tx, int64_t endpoint,
                                       size_t most, size_t *ret_count);

/* How far what is no event has been told: kind 1 rows of consent, 2 rejects. */
SOUK_CHECKED souk_err outbox_mark_read(souk_tx *tx, int kind, uint64_t *ret_id, souk_time *ret_at);
SOUK_CHECKED souk_err outbox_mark_write(souk_tx *tx, int kind, uint64_t id, souk_time at);

#endif
