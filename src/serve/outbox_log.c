/* outbox_log.c - from the log to the rows of outbox.h: an endpoint is a cursor, and rows are made shortly before they
 * are sent.
 *
 * Collection stores 170,000 events a second, an endpoint is told of 50.  A row for each event and endpoint would cost
 * the writer many times what the event did, and most of those rows would wait for hours.  So the blocks are read here,
 * in short reading transactions beside the writer, up to the rows for which the endpoints have room; one
 * writing transaction then stores those and the positions: O(endpoints + rows to be sent soon), however many events
 * there are.
 *
 * Endpoints that have come equally far share a look at the block; a slow one holds nobody back.  An event finds
 * who wants it by its type and store, asked once a look. */
#include "serve/outbox_inside.h"

#include "core/log.h"

enum { LOOK_EVENTS = 16384 }; /* of the log, in one look */

static souk_ledger *ledger_of(const souk_outbox *outbox)
{
    return souk_spine_ledger(outbox->spine);
}

/* ---- blocks -------------------------------------------------------------------------------------------- */

struct loading {
    souk_mem *mem;
    uint64_t position;
    souk_block *block; /* NULL: it is not there */
};

static souk_err load_block(souk_tx *tx, void *context)
{
    struct loading *loading = context;
    uint64_t first;
    size_t count;
    souk_err err = souk_log_find(tx, loading->position, &first, &count);
    if (err == SOUK_ENOENT)
        return SOUK_OK;
    SOUK_TRY(err);
    return souk_log_columns(loading->mem, tx, first, &loading->block);
}

static bool has(const souk_block *block, uint64_t position)
{
    return block && position >= block->first_position &&
           position - block->first_position < block->count;
}

/* The one of the last look serves again: what an erasure changes in a block is nothing that is read here. */
static souk_err find_block(souk_outbox *outbox, uint64_t position, const souk_block **ret_block)
{
    struct loading loading = {.mem = outbox->mem, .position = position};
    if (!has(outbox->block, position)) {
        SOUK_TRY(souk_ledger_read(ledger_of(outbox), load_block, &loading));
        souk_block_free(outbox->block);
        outbox->block = loading.block;
    }
    *ret_block = outbox->block;
    return SOUK_OK;
}

/* ---- who wants it -------------------------------------------------------------------------------------- */

static uint64_t ask_all(const souk_outbox *outbox, const souk_fact *fact)
{
    const souk_catalogue *names = souk_spine_catalogue(outbox->spine);
    const struct outbox_scan *scan = &outbox->scan;
    char name[SOUK_EVENT_NAME_BYTES + 1], store[SOUK_EVENT_NAME_BYTES + 1];
    souk_text own = souk_text_of(souk_delivery_kind_name(SOUK_DELIVERY_ERASED));
    uint64_t wanted = 0;
    souk_catalogue_name(names, SOUK_NAME_TYPE, fact->type, name, sizeof name);
    souk_catalogue_name(names, SOUK_NAME_STORE, fact->store, store, sizeof store);
    bool is_own = fact->source == 0; /* Souk's own entries: those of erasures */
    if (!is_own && souk_delivery_is_own_name(souk_text_of(name)))
        return 0; /* whoever has a write key could say so */
    for (size_t i = 0; i < scan->aim_count; i++) {
        const souk_endpoint *endpoint = scan->aims[i].endpoint;
        bool wants = is_own
                         ? souk_endpoint_wants_own(endpoint, own)
                         : souk_endpoint_wants(endpoint, souk_text_of(name), souk_text_of(store));
        wanted |= wants ? UINT64_C(1) << i : 0;
    }
    return wanted;
}

static uint64_t who_wants(souk_outbox *outbox, const souk_fact *fact)
{
    struct outbox_match *matches = outbox->scan.matches;
    enum { COUNT = sizeof outbox->scan.matches / sizeof *outbox->scan.matches };
    uint64_t pair = (uint64_t)fact->type << 32 | fact->store;
    struct outbox_match *match = &matches[souk_mix64(pair) % COUNT];
    bool own = fact->source == 0;
    if (!match->known || match->type != fact->type || match->store != fact->store ||
        match->own != own)
        *match = (struct outbox_match){.known = true,
                                       .type = fact->type,
                                       .store = fact->store,
                                       .own = own,
                                       .wanted = ask_all(outbox, fact)};
    return match->wanted;
}

/* ---- a look -------------------------------------------------------------------------------------------- */

/* The least position of an endpoint that may go on; UINT64_MAX: there is none. */
static uint64_t next_position(const struct outbox_scan *scan, uint64_t end)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < scan->aim_count; i++)
        if (!scan->aims[i].stopped && scan->aims[i].position < end)
            least = souk_min_size(least, scan->aims[i].position);
    return least;
}

static void add_row(struct outbox_scan *scan, size_t aim, const souk_fact *fact)
{
    scan->rows[scan->row_count++] = (struct outbox_found){
        .aim = aim,
        .news = {.kind = fact->source == 0 ? SOUK_DELIVERY_ERASED : SOUK_DELIVERY_EVENT,
                 .position = fact->position,
                 .at = fact->at,
                 .received = fact->received}};
    scan->aims[aim].room--;
    scan->aims[aim].rows++;
}

/* One event for an endpoint that stands before it.  Behind a gap its next one is read anew. */
static void pass(struct outbox_scan *scan, size_t at, const souk_fact *fact, uint64_t wanted)
{
    struct outbox_aim *aim = &scan->aims[at];
    bool wants = wanted >> at & 1;
    if (fact->position >= aim->endpoint->gap_begins && fact->position < aim->endpoint->gap_ends) {
        aim->position = aim->endpoint->gap_ends;
        aim->stopped = true;
    } else if (wants && (!aim->room || scan->row_count == scan->row_most)) {
        aim->stopped = true;
    } else {
        if (wants)
            add_row(scan, at, fact);
        aim->position++;
    }
}

/* Goes through the block from a position on, until nobody goes on. */
static void look_through(souk_outbox *outbox, const souk_block *block, uint64_t from, uint64_t end)
{
    struct outbox_scan *scan = &outbox->scan;
    bool moving = true;
    for (size_t i = (size_t)(from - block->first_position); i < block->count && moving; i++) {
        const souk_fact *fact = &block->facts[i];
        if (fact->position >= end)
            return;
        uint64_t wanted = who_wants(outbox, fact);
        moving = false;
        for (size_t at = 0; at < scan->aim_count; at++) {
            if (!scan->aims[at].stopped && scan->aims[at].position == fact->position)
                pass(scan, at, fact, wanted);
            moving |= !scan->aims[at].stopped;
        }
    }
}

static souk_err look_at_log(souk_outbox *outbox, uint64_t end)
{
    struct outbox_scan *scan = &outbox->scan;
    uint64_t looked = 0;
    for (uint64_t from = next_position(scan, end); from != UINT64_MAX && looked < LOOK_EVENTS;
         from = next_position(scan, end)) {
        const souk_block *block;
        SOUK_TRY(find_block(outbox, from, &block));
        if (!block)
            return SOUK_OK; /* not there yet */
        look_through(outbox, block, from, end);
        looked += block->first_position + block->count - from;
    }
    return SOUK_OK;
}

/* ---- what is written ------------------------------------------------------------------------------------- */

/* Not where somebody changed or turned it meanwhile: then the next step looks anew. */
static souk_err move(souk_tx *tx, const struct outbox_aim *aim, bool *ret_moved)
{
    const souk_endpoint *endpoint = aim->endpoint;
    SOUK_TRY(souk_sql_run(tx,
                          "UPDATE webhook SET position = ?2, waiting = waiting + ?3 WHERE id = ?1 "
                          "AND position = ?4 AND version = ?5 AND state = 0",
                          SOUK_VALUES(SOUK_INT(endpoint->id), SOUK_INT(aim->position),
                                      SOUK_INT(aim->rows), SOUK_INT(endpoint->position),
                                      SOUK_INT(endpoint->version))));
    *ret_moved = souk_sql_changed(tx) == 1;
    if (!*ret_moved || !endpoint->gap_ends || aim->position < endpoint->gap_ends)
        return SOUK_OK;
    return souk_sql_run(tx, "DELETE FROM webhook_gap WHERE webhook = ?1 AND begins = ?2",
                        SOUK_VALUES(SOUK_INT(endpoint->id), SOUK_INT(endpoint->gap_begins)));
}

static souk_err write_scan(souk_tx *tx, void *context)
{
    souk_outbox *outbox = context;
    const struct outbox_scan *scan = &outbox->scan;
    bool moved[SOUK_ENDPOINTS_MOST] = {false};
    for (size_t i = 0; i < scan->aim_count; i++)
        if (scan->aims[i].position != scan->aims[i].endpoint->position)
            SOUK_TRY(move(tx, &scan->aims[i], &moved[i]));
    for (size_t i = 0; i < scan->row_count; i++)
        if (moved[scan->rows[i].aim])
            SOUK_TRY(outbox_put(outbox, tx, scan->aims[scan->rows[i].aim].endpoint,
                                &scan->rows[i].news));
    return SOUK_OK;
}

souk_err outbox_read_log(souk_outbox *outbox, uint64_t end, bool *ret_did)
{
    struct outbox_scan *scan = &outbox->scan;
    scan->row_count = 0;
    *ret_did = false;
    for (size_t i = 0; i < sizeof scan->matches / sizeof *scan->matches; i++)
        scan->matches[i].known = false;
    SOUK_TRY(look_at_log(outbox, end));
    for (size_t i = 0; i < scan->aim_count; i++)
        *ret_did |= scan->aims[i].position != scan->aims[i].endpoint->position;
    return *ret_did ? souk_ledger_write(ledger_of(outbox), SOUK_LANE_JOB, write_scan, outbox)
                    : SOUK_OK;
}
