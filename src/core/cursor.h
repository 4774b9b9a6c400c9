/* cursor.h - reads the log in order; an event's output and the cursor's position commit together.
 *
 *     static souk_err take(void *context, souk_tx *tx, const souk_fact *fact, const souk_fact_line *lines)
 *     {
 *         return souk_sql_run(tx, "INSERT INTO visit …", SOUK_VALUES(SOUK_INT(fact->position), …));
 *     }
 *     souk_auto(souk_cursor) cursor = NULL;
 *     souk_cursor_options options = {.name = "visits", .take = take, .context = heat};
 *     SOUK_TRY(souk_cursor_open(mem, ledger, clock, &options, &cursor, diag));
 *     while (did)
 *         SOUK_TRY(souk_cursor_step(cursor, 1024, &did));
 *
 * Once     each position is taken in order and exactly once, crash or not; a step's transaction may run again,
 *          so take writes through tx alone.
 * Failing  a take that says SOUK_ENOMEM, SOUK_EIO, SOUK_EFULL, SOUK_EBUSY or SOUK_ESTOPPED met the weather: step
 *          says it too, nothing moved, call again later.  Any other error means that this event does not
 *          fit: it is tried once more, alone; then it is quarantined (quarantine.h) and passed over.
 * Erasure  events of erased shoppers keep their positions, with atom 0; a cursor that keeps things by atom
 *          forgets them itself.
 * Cost     a transaction for each step in the job lane, behind tills and collection
 * Threads  one thread for each cursor */
#ifndef SOUK_CORE_CURSOR_H
#define SOUK_CORE_CURSOR_H

#include "core/block.h"
#include "os/clock.h"
#include "store/ledger.h"

typedef struct souk_cursor souk_cursor;

typedef struct souk_cursor_options {
    const char *name; /* its row; never given to another reader */
    souk_err (*take)(void *context, souk_tx *tx, const souk_fact *fact,
                     const souk_fact_line *lines);
    void *context;
    uint64_t from; /* where a new cursor begins; 0: with the first event */
} souk_cursor_options;

/* Finds or makes the cursor's row.  The ledger must outlive it. */
SOUK_CHECKED souk_err souk_cursor_open(souk_mem *mem, souk_ledger *ledger, const souk_clock *clock,
                                       const souk_cursor_options *options, souk_cursor **ret_cursor,
                                       souk_diag *diag);
void souk_cursor_free(souk_cursor *cursor);
SOUK_AUTO(souk_cursor)

/* Takes up to `most` events, none across the end of a block; *ret_did: false at the end of the log. */
SOUK_CHECKED souk_err souk_cursor_step(souk_cursor *cursor, size_t most, bool *ret_did);
/* The position of the next event it will take. */
uint64_t souk_cursor_position(const souk_cursor *cursor);
/* Passes over all before `to`, for a reader that wants none of them; where it stands there or behind it already,
 * nothing happens. */
SOUK_CHECKED souk_err souk_cursor_skip(souk_cursor *cursor, uint64_t to);
/* Takes a quarantined event after all.  SOUK_ENOENT: it is not quarantined.  Else take's error: it stays. */
SOUK_CHECKED souk_err souk_cursor_retry(souk_cursor *cursor, uint64_t position);

#endif
