/* levels_memory.c - levels under the one writer: a table by place, an array by number, and the way back.
 *
 *     map      place (80 bits of its keyed hash) -> slot
 *     slots    [count] numbers, `now` for the writer and `seen` for everybody else; slot = stock_level.id - 1
 *     journal  what this transaction changed, in order: undone backwards, published at the commit
 *     waiting  slots whose row is behind, oldest first: a queue with head and tail
 *
 * Rows are written in rounds.  A round takes the whole queue and writes those rows in the order of their numbers, since
 * neighbours share pages; what moves meanwhile, and has its row written already, joins the queue again.  At the end every
 * movement from before the round is in its row, and the mark moves up to there. */
#include "service/stock/levels_memory.h"

static souk_idmap_key key_of(const levels_memory *memory, const souk_stock_place *place)
{
    char merchant[4];
    memcpy(merchant, &place->merchant, sizeof merchant);
    souk_text parts[] = {
        SOUK_TEXT("stock"), {merchant, sizeof merchant}, place->location, place->product};
    souk_hash128 hash = souk_hash128_of(&memory->key, parts, 4);
    return souk_idmap_key_of(&hash);
}

/* ---- the way back ------------------------------------------------------------------------------------ */

static void undo_entry(levels_memory *memory, const struct entry *entry)
{
    struct slot *slot = slot_at(memory, entry->slot);
    switch (entry->kind) {
    case ENTRY_MOVED:
        slot->on_hand = entry->on_hand;
        slot->reserved = entry->reserved;
        slot->last = entry->last;
        slot->is_waiting = entry->was_waiting;
        slot->has_lots = entry->had_lots;
        break;
    case ENTRY_KEPT:
        slot->is_waiting = true;
        break;
    case ENTRY_ADDED:
        souk_rwlock_write(&memory->lock);
        souk_idmap_remove(memory->map, &entry->key);
        souk_rwlock_unlock(&memory->lock);
        *slot = (struct slot){.is_seen = false};
        memory->slot_count--;
        break;
    }
}

static void go_back(levels_memory *memory, size_t to, struct queue_ends ends)
{
    while (memory->journal_count > to)
        undo_entry(memory, &memory->journal[--memory->journal_count]);
    memory->ends = ends;
}

static void publish(levels_memory *memory)
{
    __atomic_store_n(&memory->told_waiting, memory->ends.tail - memory->ends.head,
                     __ATOMIC_RELAXED);
    if (memory->journal_count == 0)
        return;
    souk_rwlock_write(&memory->lock);
    for (size_t i = 0; i < memory->journal_count; i++) {
        struct slot *slot = slot_at(memory, memory->journal[i].slot);
        slot->seen_on_hand = slot->on_hand;
        slot->seen_reserved = slot->reserved;
        slot->seen_last = slot->last;
        slot->seen_lots = slot->has_lots;
        slot->is_seen = true;
    }
    souk_rwlock_unlock(&memory->lock);
}

static void mark(souk_watch *watch)
{
    levels_memory *memory = SOUK_JOB_OWNER(watch, levels_memory, watch);
    memory->journal_mark = memory->journal_count;
    memory->ends_mark = memory->ends;
}

static void undo(souk_watch *watch)
{
    levels_memory *memory = SOUK_JOB_OWNER(watch, levels_memory, watch);
    go_back(memory, memory->journal_mark, memory->ends_mark);
}

static void end(souk_watch *watch, bool committed)
{
    levels_memory *memory = SOUK_JOB_OWNER(watch, levels_memory, watch);
    if (committed)
        publish(memory);
    else
        go_back(memory, 0, memory->ends_begin);
    memory->journal_count = memory->journal_mark = 0;
    memory->ends_begin = memory->ends_mark = memory->ends;
}

souk_err levels_memory_note(levels_memory *memory, struct entry entry)
{
    SOUK_TRY(souk_mem_grow(memory->mem, &memory->journal, &memory->journal_capacity,
                           memory->journal_count + 1, JOURNAL_MOST, sizeof *memory->journal));
    memory->journal[memory->journal_count++] = entry;
    return SOUK_OK;
}

/* ---- the queue ----------------------------------------------------------------------------------------- */

/* Room for one more.  What a rollback may want back stands between begin's head and tail: never overwritten. */
static souk_err reserve_waiting(levels_memory *memory)
{
    uint64_t used = memory->ends.tail - memory->ends_begin.head;
    if (used < memory->waiting_size)
        return SOUK_OK;
    size_t size = memory->waiting_size ? 2 * memory->waiting_size : 1024;
    uint32_t *grown = souk_mem_array(memory->mem, size, sizeof *grown);
    if (!grown)
        return SOUK_ENOMEM;
    for (uint64_t at = memory->ends_begin.head; at < memory->ends.tail; at++)
        grown[at & (size - 1)] = memory->waiting[at & (memory->waiting_size - 1)];
    souk_mem_put(memory->mem, memory->waiting);
    memory->waiting = grown;
    memory->waiting_size = size;
    return SOUK_OK;
}

static void push_waiting(levels_memory *memory, uint32_t number)
{
    memory->waiting[memory->ends.tail++ & (memory->waiting_size - 1)] = number;
}

/* ---- moving --------------------------------------------------------------------------------------------- */

static souk_err add_slot(levels_memory *memory, souk_tx *tx, const souk_movement *movement,
                         souk_idmap_key key, uint32_t *ret_number)
{
    const souk_stock_place *place = &movement->place;
    uint32_t number = memory->slot_count;
    SOUK_TRY(souk_sql_run(
        tx,
        "INSERT INTO stock_level (id, merchant, location, product, on_hand, reserved, through) "
        "VALUES (?1, ?2, ?3, ?4, 0, 0, 0)",
        SOUK_VALUES(SOUK_INT((int64_t)number + 1), SOUK_INT(place->merchant),
                    SOUK_STR(place->location), SOUK_STR(place->product))));
    size_t need = ((size_t)number + 1) * sizeof(struct slot);
    if (need > memory->slots.bytes)
        SOUK_TRY(souk_region_grow(&memory->slots, need));
    SOUK_TRY(levels_memory_note(memory,
                                (struct entry){.kind = ENTRY_ADDED, .slot = number, .key = key}));
    memory->slot_count++; /* with the entry: the way back takes both */
    *slot_at(memory, number) = (struct slot){.is_seen = false};
    souk_rwlock_write(&memory->lock);
    souk_err err = souk_idmap_put(memory->map, &key, number);
    souk_rwlock_unlock(&memory->lock);
    *ret_number = number;
    return err;
}

souk_err levels_memory_look(levels_memory *memory, souk_tx *tx, const souk_movement *movement,
                            souk_stock_level *ret_level)
{
    souk_idmap_key key = key_of(memory, &movement->place);
    uint32_t number = souk_idmap_find(memory->map, &key);
    if (number == SOUK_IDMAP_NONE) {
        if (!movement->opens)
            return SOUK_ENOENT;
        SOUK_TRY(add_slot(memory, tx, movement, key, &number));
    }
    const struct slot *slot = slot_at(memory, number);
    *ret_level =
        (souk_stock_level){(int64_t)number + 1, {slot->on_hand}, {slot->reserved}, slot->has_lots};
    return SOUK_OK;
}

void levels_memory_has_lots(levels_memory *memory, int64_t level)
{
    slot_at(memory, (uint32_t)(level - 1))->has_lots = true;
}

souk_err levels_memory_move(levels_memory *memory, souk_tx *tx, const souk_movement *movement,
                            souk_stock_level *ret_after)
{
    souk_stock_level before;
    SOUK_TRY(levels_memory_look(memory, tx, movement, &before));
    uint32_t number = (uint32_t)(before.id - 1);
    struct slot *slot = slot_at(memory, number);
    *ret_after = before;
    SOUK_TRY(levels_sum(&before, movement, ret_after));
    SOUK_TRY(reserve_waiting(memory));
    SOUK_TRY(levels_memory_note(memory, (struct entry){.kind = ENTRY_MOVED,
                                                       .slot = number,
                                                       .on_hand = slot->on_hand,
                                                       .reserved = slot->reserved,
                                                       .last = slot->last,
                                                       .was_waiting = slot->is_waiting,
                                                       .had_lots = slot->has_lots}));
    slot->on_hand = ret_after->on_hand.micro;
    slot->reserved = ret_after->reserved.micro;
    if (!slot->is_waiting) {
        push_waiting(memory, number);
        slot->is_waiting = true;
    }
    return SOUK_OK;
}

int64_t levels_memory_next(levels_memory *memory, int64_t level, int64_t *ret_before)
{
    struct slot *slot = slot_at(memory, (uint32_t)(level - 1));
    *ret_before = slot->last;
    slot->last = memory->next_movement++;
    return slot->last;
}

int64_t levels_memory_last(levels_memory *memory, int64_t level)
{
    return slot_at(memory, (uint32_t)(level - 1))->last;
}

souk_err levels_memory_seen_last(levels_memory *memory, const souk_stock_place *place,
                                 int64_t *ret_last)
{
    souk_idmap_key key = key_of(memory, place);
    souk_auto_read(&memory->lock);
    uint32_t number = souk_idmap_find(memory->map, &key);
    if (number == SOUK_IDMAP_NONE || !slot_at(memory, number)->is_seen)
        return SOUK_ENOENT;
    *ret_last = slot_at(memory, number)->seen_last;
    return SOUK_OK;
}

souk_err levels_memory_read(levels_memory *memory, const souk_stock_place *place,
                            souk_stock_level *ret_level)
{
    souk_idmap_key key = key_of(memory, place);
    souk_err err = SOUK_ENOENT;
    souk_rwlock_read(&memory->lock);
    uint32_t number = souk_idmap_find(memory->map, &key);
    if (number != SOUK_IDMAP_NONE && slot_at(memory, number)->is_seen) {
        const struct slot *slot = slot_at(memory, number);
        *ret_level = (souk_stock_level){
            (int64_t)number + 1, {slot->seen_on_hand}, {slot->seen_reserved}, slot->seen_lots};
        err = SOUK_OK;
    }
    souk_rwlock_unlock(&memory->lock);
    return err;
}

void levels_memory_count(levels_memory *memory, souk_levels_counters *ret_counters)
{
    souk_rwlock_read(&memory->lock);
    ret_counters->levels = souk_idmap_count(memory->map);
    ret_counters->memory_bytes = memory->slots.committed_bytes + souk_idmap_bytes(memory->map) +
                                 memory->waiting_size * sizeof *memory->waiting;
    souk_rwlock_unlock(&memory->lock);
    ret_counters->unkept = __atomic_load_n(&memory->told_waiting, __ATOMIC_RELAXED) +
                           __atomic_load_n(&memory->told_taken, __ATOMIC_RELAXED);
}

/* ---- life ---------------------------------------------------------------------------------------------------- */

struct loading {
    levels_memory *memory;
    int64_t *through; /* of each slot */
    size_t capacity;
    souk_diag *diag;
};

static souk_err load_level(struct loading *loading, souk_rows *rows)
{
    levels_memory *memory = loading->memory;
    uint32_t number = memory->slot_count;
    souk_stock_place place = {(uint32_t)souk_rows_int(rows, 1), souk_rows_text(rows, 2),
                              souk_rows_text(rows, 3)};
    souk_idmap_key key = key_of(memory, &place);
    if (souk_rows_int(rows, 0) != (int64_t)number + 1)
        return souk_diag_say(loading->diag, SOUK_ECORRUPT, "stock_level has no row %u", number + 1);
    SOUK_TRY(souk_region_grow(&memory->slots, ((size_t)number + 1) * sizeof(struct slot)));
    SOUK_TRY(souk_idmap_put(memory->map, &key, number));
    SOUK_TRY(souk_mem_grow(memory->mem, &loading->through, &loading->capacity, number + 1u,
                           SLOTS_MOST, sizeof *loading->through));
    loading->through[number] = souk_rows_int(rows, 6);
    struct slot *slot = slot_at(memory, number);
    slot->on_hand = souk_rows_int(rows, 4);
    slot->reserved = souk_rows_int(rows, 5);
    slot->last = souk_rows_int(rows, 8);
    slot->has_lots = slot->seen_lots = souk_rows_int(rows, 7) != 0;
    slot->is_seen = true;
    memory->slot_count++;
    return SOUK_OK;
}

static souk_err load_movement(struct loading *loading, souk_rows *rows)
{
    levels_memory *memory = loading->memory;
    uint64_t number = (uint64_t)souk_rows_int(rows, 1) - 1;
    if (number >= memory->slot_count)
        return souk_diag_say(loading->diag, SOUK_ECORRUPT, "movement %lld is of no stock level",
                             (long long)souk_rows_int(rows, 0));
    struct slot *slot = slot_at(memory, (uint32_t)number);
    if (souk_rows_int(rows, 0) <= loading->through[number])
        return SOUK_OK;
    slot->last = souk_rows_int(rows, 0);
    slot->on_hand += souk_rows_int(rows, 2);
    slot->reserved += souk_rows_int(rows, 3);
    if (slot->is_waiting)
        return SOUK_OK;
    SOUK_TRY(reserve_waiting(memory));
    push_waiting(memory, (uint32_t)number);
    slot->is_waiting = true;
    return SOUK_OK;
}

static souk_err load(souk_tx *tx, void *context)
{
    struct loading *loading = context;
    int64_t from;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT through FROM stock_mark", SOUK_NO_VALUES, &from));
    SOUK_TRY(souk_sql_one_int(tx, "SELECT coalesce(max(id), 0) + 1 FROM stock_movement",
                              SOUK_NO_VALUES, &loading->memory->next_movement));
    souk_auto_value(souk_rows) levels = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT id, merchant, location, product, on_hand, reserved, through, "
                             "has_lots, last "
                             "FROM stock_level ORDER BY id",
                             SOUK_NO_VALUES, &levels));
    while (souk_rows_next(&levels))
        SOUK_TRY(load_level(loading, &levels));
    SOUK_TRY(souk_rows_check(&levels));
    souk_auto_value(souk_rows) movements = {0};
    SOUK_TRY(souk_rows_begin(
        tx, "SELECT id, level, on_hand, reserved FROM stock_movement WHERE id > ?1 ORDER BY id",
        SOUK_VALUES(SOUK_INT(from)), &movements));
    while (souk_rows_next(&movements))
        SOUK_TRY(load_movement(loading, &movements));
    return souk_rows_check(&movements);
}

static souk_err load_all(levels_memory *memory, souk_diag *diag)
{
    struct loading loading = {.memory = memory, .diag = diag};
    souk_err err = souk_ledger_read(memory->ledger, load, &loading);
    souk_mem_put(memory->mem, loading.through);
    SOUK_TRY(err);
    for (uint32_t i = 0; i < memory->slot_count; i++) {
        struct slot *slot = slot_at(memory, i);
        slot->seen_on_hand = slot->on_hand;
        slot->seen_reserved = slot->reserved;
        slot->seen_last = slot->last;
    }
    memory->told_waiting = memory->ends.tail - memory->ends.head;
    memory->ends_begin = memory->ends_mark = memory->ends;
    return SOUK_OK;
}

souk_err levels_memory_open(souk_mem *mem, souk_ledger *ledger, const souk_hash_key *key,
                            levels_memory **ret_memory, souk_diag *diag)
{
    levels_memory *memory = souk_mem_get(mem, sizeof *memory);
    if (!memory)
        return SOUK_ENOMEM;
    memory->mem = mem;
    memory->ledger = ledger;
    memory->key = *key;
    memory->watch = (souk_watch){.mark = mark, .undo = undo, .end = end};
    souk_rwlock_init(&memory->lock);
    souk_err err = souk_region_init(&memory->slots, SLOTS_MOST * sizeof(struct slot));
    if (!err)
        err = souk_idmap_new(mem, SLOTS_MOST, &memory->map);
    if (!err)
        err = souk_ledger_watch(ledger, &memory->watch);
    memory->watches = !err;
    if (!err)
        err = load_all(memory, diag);
    if (err)
        levels_memory_free(memory);
    else
        *ret_memory = memory;
    return err;
}

void levels_memory_free(levels_memory *memory)
{
    if (!memory)
        return;
    if (memory->watches)
        souk_ledger_unwatch(memory->ledger, &memory->watch);
    souk_idmap_free(memory->map);
    souk_region_done(&memory->slots);
    souk_rwlock_done(&memory->lock);
    souk_mem_put(memory->mem, memory->journal);
    souk_mem_put(memory->mem, memory->waiting);
    souk_mem_put(memory->mem, memory->taken);
    souk_mem_put(memory->mem, memory);
}
