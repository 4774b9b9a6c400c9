/* levels_memory.h - what the files of levels in memory share; private to service/stock/levels_memory*.c. */
#ifndef SOUK_SERVICE_STOCK_LEVELS_MEMORY_H
#define SOUK_SERVICE_STOCK_LEVELS_MEMORY_H

#include "core/idmap.h"
#include "os/region.h"
#include "os/thread.h"
#include "service/stock/levels_inside.h"

enum { SLOTS_MOST = 1 << 27, JOURNAL_MOST = 1 << 24 };

struct slot {
    int64_t on_hand, reserved;           /* now: the writer's */
    int64_t seen_on_hand, seen_reserved; /* committed: under the lock */
    int64_t last, seen_last;             /* movement; the same two ways */
    bool is_waiting, has_lots;           /* the writer's */
    bool is_seen, seen_lots;
};

enum entry_kind { ENTRY_MOVED, ENTRY_ADDED, ENTRY_KEPT };
struct entry {
    enum entry_kind kind;
    uint32_t slot;
    int64_t on_hand, reserved, last; /* before */
    bool was_waiting, had_lots;
    souk_idmap_key key; /* of one that was added */
};

struct queue_ends {
    uint64_t head, tail; /* count for ever; index: modulo the ring's size */
};

struct levels_memory {
    souk_mem *mem;
    souk_ledger *ledger;
    souk_hash_key key;
    souk_watch watch;
    bool watches;

    souk_rwlock lock; /* over map and what is seen */
    souk_idmap *map;
    souk_region slots;
    uint32_t slot_count;   /* the writer's */
    int64_t next_movement; /* never given twice, nor given back */

    struct entry *journal;
    size_t journal_count, journal_capacity, journal_mark;

    uint32_t *waiting; /* ring [waiting_size], a power of two */
    size_t waiting_size;
    struct queue_ends ends, ends_mark,
        ends_begin;        /* now; at the mark; at the transaction's begin */
    uint64_t told_waiting; /* tail - head as committed; atomic */

    /* Of the one thread that keeps. */
    uint32_t *taken; /* [taken_count] slots of this round, ascending */
    size_t taken_count, taken_size, taken_next;
    uint64_t told_taken; /* of them, those whose row is still to be written; atomic */
    int64_t round_through;
    bool in_round;
};

static inline struct slot *slot_at(const levels_memory *memory, uint32_t number)
{
    return (struct slot *)memory->slots.at + number;
}

/* Into the journal: the way back. */
SOUK_CHECKED souk_err levels_memory_note(levels_memory *memory, struct entry entry);

#endif
