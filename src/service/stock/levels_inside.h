/* levels_inside.h - what both ways of keeping levels share; private to service/stock/levels*.c. */
#ifndef SOUK_SERVICE_STOCK_LEVELS_INSIDE_H
#define SOUK_SERVICE_STOCK_LEVELS_INSIDE_H

#include "service/stock/levels.h"

/* The memory of a ledger with one writer; NULL inside souk_levels where there are several. */
typedef struct levels_memory levels_memory;

struct souk_levels {
    souk_mem *mem;
    souk_ledger *ledger;
    levels_memory *memory; /* NULL: rows alone */
};

/* As souk_levels_open; rows_alone: also where the ledger has one writer, for tests. */
SOUK_CHECKED souk_err levels_open_as(souk_mem *mem, souk_ledger *ledger,
                                     const souk_hash_key *hashes_key, bool rows_alone,
                                     souk_levels **ret_levels, souk_diag *diag);

/* SOUK_EUNSUPPORTED: the ledger has several writers. */
SOUK_CHECKED souk_err levels_memory_open(souk_mem *mem, souk_ledger *ledger,
                                         const souk_hash_key *key, levels_memory **ret_memory,
                                         souk_diag *diag);
void levels_memory_free(levels_memory *memory);
/* Within a closure: changes the level in memory, with its way back. */
SOUK_CHECKED souk_err levels_memory_move(levels_memory *memory, souk_tx *tx,
                                         const souk_movement *movement,
                                         souk_stock_level *ret_after);
/* Within a closure: as it stands there; added where it opens one.  SOUK_ENOENT. */
SOUK_CHECKED souk_err levels_memory_look(levels_memory *memory, souk_tx *tx,
                                         const souk_movement *movement,
                                         souk_stock_level *ret_level);
/* Behind a move of that level, in the same closure. */
void levels_memory_has_lots(levels_memory *memory, int64_t level);
/* The number of the level's next movement, and of the one before it; behind a move of that level, in its closure. */
int64_t levels_memory_next(levels_memory *memory, int64_t level, int64_t *ret_before);
/* The number of its last one; in a closure, and as it is committed. */
int64_t levels_memory_last(levels_memory *memory, int64_t level);
SOUK_CHECKED souk_err levels_memory_seen_last(levels_memory *memory, const souk_stock_place *place,
                                              int64_t *ret_last);
SOUK_CHECKED souk_err levels_memory_read(levels_memory *memory, const souk_stock_place *place,
                                         souk_stock_level *ret_level);
SOUK_CHECKED souk_err levels_memory_keep(levels_memory *memory, unsigned most, bool *ret_more);
SOUK_CHECKED souk_err levels_memory_verify(levels_memory *memory, souk_diag *diag);
void levels_memory_count(levels_memory *memory, souk_levels_counters *ret_counters);

/* Far inside int64, so that one more movement cannot leave it. */
#define LEVEL_MOST_MICRO INT64_C(4000000000000000000)

/* levels_lots.c: the movement's own rows, one for each lot that it touches; the level has moved.  *ret_first: it has its
 * first lot now. */
SOUK_CHECKED souk_err lots_move(souk_levels *levels, souk_tx *tx, const souk_movement *movement,
                                const souk_stock_level *after, bool *ret_first);
SOUK_CHECKED souk_err lots_verify(souk_tx *tx, souk_diag *diag);
/* levels.c: SOUK_EINVAL.  The row of a level; held until the commit, and opened where the movement does.  A part of a
 * movement. */
SOUK_CHECKED souk_err levels_check(const souk_movement *movement);
SOUK_CHECKED souk_err levels_read_row(souk_tx *tx, const souk_stock_place *place,
                                      souk_stock_level *ret_level);
SOUK_CHECKED souk_err levels_hold_row(souk_tx *tx, const souk_movement *movement,
                                      souk_stock_level *ret_level);
SOUK_CHECKED souk_err levels_write(souk_levels *levels, souk_tx *tx, const souk_movement *movement,
                                   int64_t level, souk_text lot, int64_t on_hand, int64_t reserved);

/* The level after the movement, or why it may not be. */
SOUK_CHECKED souk_err levels_sum(const souk_stock_level *before, const souk_movement *movement,
                                 souk_stock_level *ret_after);
static inline bool levels_asks(const souk_movement *movement)
{
    return !movement->beyond && movement->on_hand.micro - movement->reserved.micro < 0;
}

#endif
