/* levels_memory_keep.c - rows of levels that have moved, written in rounds, and what verifies them: see levels_memory.c. */
#include "service/stock/levels_memory.h"

#include <stdlib.h>

/* ---- writing rows ----------------------------------------------------------------------------------------- */

struct keeping {
    levels_memory *memory;
    size_t most;
    size_t need;     /* slots that wait */
    int64_t through; /* the newest movement of that transaction */
};

/* Takes the whole queue.  SOUK_ETOOBIG: there is room for taken_size, and `need` wait. */
static souk_err begin_round(souk_tx *tx, void *context)
{
    struct keeping *keeping = context;
    levels_memory *memory = keeping->memory;
    keeping->need = memory->ends.tail - memory->ends.head;
    if (keeping->need > memory->taken_size)
        return SOUK_ETOOBIG;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT coalesce(max(id), 0) FROM stock_movement", SOUK_NO_VALUES,
                              &keeping->through));
    for (size_t i = 0; i < keeping->need; i++)
        memory->taken[i] = memory->waiting[(memory->ends.head + i) & (memory->waiting_size - 1)];
    memory->ends.head = memory->ends.tail;
    return SOUK_OK;
}

static int compare_numbers(const void *left, const void *right)
{
    const uint32_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static souk_err take_round(levels_memory *memory)
{
    struct keeping keeping = {.memory = memory};
    souk_err err = SOUK_ETOOBIG;
    while (err == SOUK_ETOOBIG) {
        if (keeping.need > memory->taken_size) { /* and some more, for those that come meanwhile */
            size_t size = keeping.need + keeping.need / 4 + 1024;
            souk_mem_put(memory->mem, memory->taken);
            memory->taken_size = 0;
            memory->taken = souk_mem_array(memory->mem, size, sizeof *memory->taken);
            if (!memory->taken)
                return SOUK_ENOMEM;
            memory->taken_size = size;
        }
        err = souk_ledger_write(memory->ledger, SOUK_LANE_JOB, begin_round, &keeping);
    }
    SOUK_TRY(err);
    if (keeping.need)
        qsort(memory->taken, keeping.need, sizeof *memory->taken, compare_numbers);
    memory->taken_count = keeping.need;
    memory->taken_next = 0;
    memory->round_through = keeping.through;
    memory->in_round = true;
    __atomic_store_n(&memory->told_taken, keeping.need, __ATOMIC_RELAXED);
    return SOUK_OK;
}

static souk_err keep_rows(souk_tx *tx, void *context)
{
    struct keeping *keeping = context;
    levels_memory *memory = keeping->memory;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT coalesce(max(id), 0) FROM stock_movement", SOUK_NO_VALUES,
                              &keeping->through));
    for (size_t i = 0; i < keeping->most; i++) {
        uint32_t number = memory->taken[memory->taken_next + i];
        struct slot *slot = slot_at(memory, number);
        SOUK_TRY(levels_memory_note(memory, (struct entry){.kind = ENTRY_KEPT, .slot = number}));
        slot->is_waiting = false;
        SOUK_TRY(souk_sql_run(
            tx,
            "UPDATE stock_level SET on_hand = ?2, reserved = ?3, through = ?4, last = ?5 "
            "WHERE id = ?1",
            SOUK_VALUES(SOUK_INT((int64_t)number + 1), SOUK_INT(slot->on_hand),
                        SOUK_INT(slot->reserved), SOUK_INT(keeping->through),
                        SOUK_INT(slot->last))));
        if (souk_sql_changed(tx) != 1)
            return SOUK_ECORRUPT;
    }
    return SOUK_OK;
}

static souk_err move_mark(souk_tx *tx, void *context)
{
    return souk_sql_run(tx, "UPDATE stock_mark SET through = ?1 WHERE one = 1",
                        SOUK_VALUES(SOUK_INT(*(const int64_t *)context)));
}

souk_err levels_memory_keep(levels_memory *memory, unsigned most, bool *ret_more)
{
    if (!memory->in_round)
        SOUK_TRY(take_round(memory));
    size_t left = memory->taken_count - memory->taken_next;
    struct keeping keeping = {.memory = memory, .most = souk_min_size(most, left)};
    if (keeping.most)
        SOUK_TRY(souk_ledger_write(memory->ledger, SOUK_LANE_JOB, keep_rows, &keeping));
    memory->taken_next += keeping.most;
    left -= keeping.most;
    __atomic_store_n(&memory->told_taken, left, __ATOMIC_RELAXED);
    *ret_more = left > 0;
    if (left)
        return SOUK_OK;
    SOUK_TRY(souk_ledger_write(memory->ledger, SOUK_LANE_JOB, move_mark, &memory->round_through));
    memory->in_round = false;
    return SOUK_OK;
}

/* ---- verify ------------------------------------------------------------------------------------------ */

/* A snapshot's movements are added up beside everybody; then the writer is asked, some thousand levels at a time, what
 * it has: less what moved behind the snapshot, along the chain, it must be that sum. */

enum { VERIFY_LEVELS = 4096, VERIFY_MOVEMENTS = 300 }; /* of one slice of the writer */

struct summed { /* of a level, in the snapshot */
    int64_t on_hand, reserved;
    int64_t last; /* movement */
};

struct verifying {
    levels_memory *memory;
    souk_diag *diag;
    int64_t through;     /* the snapshot's last movement */
    struct summed *sums; /* [count] */
    size_t count, next;
};

static souk_err make_sums(souk_tx *tx, struct verifying *verifying)
{
    const levels_memory *memory = verifying->memory;
    int64_t count;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT count(*) FROM stock_level", SOUK_NO_VALUES, &count));
    SOUK_TRY(souk_sql_one_int(tx, "SELECT coalesce(max(id), 0) FROM stock_movement", SOUK_NO_VALUES,
                              &verifying->through));
    souk_mem_put(memory->mem, verifying->sums);
    verifying->count = (size_t)count;
    verifying->sums = souk_mem_array(memory->mem, verifying->count + 1, sizeof *verifying->sums);
    return verifying->sums ? SOUK_OK : SOUK_ENOMEM;
}

static souk_err add_movements(souk_tx *tx, void *context)
{
    struct verifying *verifying = context;
    SOUK_TRY(make_sums(tx, verifying));
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        tx, "SELECT id, level, on_hand, reserved, before FROM stock_movement ORDER BY id",
        SOUK_NO_VALUES, &rows));
    while (souk_rows_next(&rows)) {
        long long id = (long long)souk_rows_int(&rows, 0);
        uint64_t number = (uint64_t)souk_rows_int(&rows, 1) - 1;
        if (number >= verifying->count)
            return souk_diag_say(verifying->diag, SOUK_ECORRUPT,
                                 "movement %lld of stock is of no level", id);
        struct summed *sum = &verifying->sums[number];
        sum->on_hand += souk_rows_int(&rows, 2);
        sum->reserved += souk_rows_int(&rows, 3);
        if (souk_rows_int(&rows, 4) != sum->last)
            return souk_diag_say(verifying->diag, SOUK_ECORRUPT,
                                 "movement %lld of stock does not follow the one before it", id);
        sum->last = id;
    }
    return souk_rows_check(&rows);
}

/* What the level had when the snapshot began. */
static souk_err go_back_to(souk_tx *tx, const struct verifying *verifying, struct summed *now,
                           unsigned *movements)
{
    while (now->last > verifying->through) {
        souk_auto_value(souk_rows) rows = {0};
        SOUK_TRY(souk_rows_begin(
            tx, "SELECT on_hand, reserved, before FROM stock_movement WHERE id = ?1",
            SOUK_VALUES(SOUK_INT(now->last)), &rows));
        if (!souk_rows_next(&rows))
            return souk_rows_check(&rows) ? souk_rows_check(&rows) : SOUK_ECORRUPT;
        now->on_hand -= souk_rows_int(&rows, 0);
        now->reserved -= souk_rows_int(&rows, 1);
        now->last = souk_rows_int(&rows, 2);
        ++*movements;
    }
    return SOUK_OK;
}

static souk_err compare_levels(souk_tx *tx, void *context)
{
    struct verifying *verifying = context;
    unsigned movements = 0;
    size_t at = verifying->next;
    for (unsigned i = 0; i < VERIFY_LEVELS && at < verifying->count && movements < VERIFY_MOVEMENTS;
         i++, at++) {
        const struct slot *slot = slot_at(verifying->memory, (uint32_t)at);
        const struct summed *sum = &verifying->sums[at];
        struct summed now = {slot->on_hand, slot->reserved, slot->last};
        SOUK_TRY(go_back_to(tx, verifying, &now, &movements));
        if (now.on_hand != sum->on_hand || now.reserved != sum->reserved || now.last != sum->last)
            return souk_diag_say(verifying->diag, SOUK_ECORRUPT,
                                 "the stock level %zu in memory is not the sum of its movements",
                                 at + 1);
    }
    verifying->next = at; /* what a group that runs again has compared already need not be again */
    return SOUK_OK;
}

souk_err levels_memory_verify(levels_memory *memory, souk_diag *diag)
{
    struct verifying verifying = {.memory = memory, .diag = diag};
    souk_err err = souk_ledger_read(memory->ledger, add_movements, &verifying);
    while (!err && verifying.next < verifying.count)
        err = souk_ledger_write(memory->ledger, SOUK_LANE_JOB, compare_levels, &verifying);
    souk_mem_put(memory->mem, verifying.sums);
    return err;
}
