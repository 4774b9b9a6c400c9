/* outbox_inside.h - what outbox.c (the queue) shows outbox_rows.c (the rows). */
#ifndef SOUK_SERVE_OUTBOX_INSIDE_H
#define SOUK_SERVE_OUTBOX_INSIDE_H

#include "base/hash.h"
#include "core/cursor.h"
#include "serve/outbox.h"

struct souk_outbox {
    souk_mem *mem;
    souk_spine *spine;
    souk_outbox_options options;
    souk_cursor *cursor;
    souk_hash_key key; /* of webhook-ids */
    /* of the step under way, read in its transaction: */
    uint64_t step_from; /* the position its run begins with */
    souk_arena arena;
    souk_endpoint *endpoints; /* [count], in the arena */
    size_t count;
    bool is_full;        /* atomic */
    uint64_t looked_end; /* of the log, when a step found nothing more */
    souk_time swept;
};

SOUK_CHECKED souk_err outbox_migrate(souk_ledger *ledger, souk_diag *diag);

/* A row for the endpoint, told of `name` in `store`, at once due. */
struct outbox_news {
    souk_delivery_kind kind;
    uint64_t position, number;
    uint32_t atom;
    souk_time at, received;
};
SOUK_CHECKED souk_err outbox_add(souk_outbox *outbox, souk_tx *tx, const souk_endpoint *endpoint,
                                 const struct outbox_news *news, int64_t *ret_id);

/* How far what is no event has been told: kind 1 rows of consent, 2 rejects. */
SOUK_CHECKED souk_err outbox_mark_read(souk_tx *tx, int kind, uint64_t *ret_id, souk_time *ret_at);
SOUK_CHECKED souk_err outbox_mark_write(souk_tx *tx, int kind, uint64_t id, souk_time at);

#endif
