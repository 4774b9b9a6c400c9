/* run_table.h - private to runs: the pairs that are not in a file yet, found by key.
 *
 * One writer appends; readers walk at the same time without a lock, because an entry is complete
 * before a link to it is stored, and no entry ever moves.  A reader passes the count it saw first
 * and is shown the entries before that only.
 *
 *     heads[hash] ──> newest of key A ──next──> newest of key B ──next──> 0
 *                         │ same                    │ same
 *                     an older one of A             0
 *
 * Entries of one key hang in a list of their own, so a key with 100,000 values is one link for
 * its neighbours.  26 bytes a pair: { key, value } 16, two links 8, half a head 2. */
#ifndef SOUK_CORE_RUN_TABLE_H
#define SOUK_CORE_RUN_TABLE_H

#include "base/mem.h"

#include <string.h>

typedef struct souk_run_pair {
    uint64_t key, value;
} souk_run_pair;

typedef struct souk_run_table {
    souk_mem *mem;
    souk_run_pair *pairs; /* [capacity] */
    uint32_t *next;       /* [capacity]; entry number from 1, 0: the end */
    uint32_t *same;       /* [capacity]; older values of the same key */
    uint32_t *heads;      /* [head_mask + 1] */
    uint64_t head_mask;
    uint32_t capacity;
    uint32_t count;   /* atomic */
    uint32_t refs;    /* atomic */
    bool disordered;  /* atomic: values of some key were not added in ascending order */
    uint64_t through; /* what souk_runs_group said last; set when the table is frozen */
} souk_run_table;

SOUK_CHECKED souk_err souk_run_table_new(souk_mem *mem, uint32_t capacity,
                                         souk_run_table **ret_table);
souk_run_table *souk_run_table_hold(souk_run_table *table);
/* Gives a reference back; the last one frees. */
void souk_run_table_free(souk_run_table *table);
SOUK_AUTO(souk_run_table)
size_t souk_run_table_bytes(const souk_run_table *table);

static inline uint32_t souk_run_table_count(const souk_run_table *table)
{
    return __atomic_load_n(&table->count, __ATOMIC_ACQUIRE);
}

/* There is room (count < capacity). */
void souk_run_table_add(souk_run_table *table, uint64_t key, uint64_t value);

/* For keys[count], at most 64, a value among the first `seen` entries, or none (UINT64_MAX). */
void souk_run_table_find_some(const souk_run_table *table, uint32_t seen, const uint64_t *keys,
                              size_t count, uint64_t *ret_values);
/* The greatest value of the key below `before`.  *cursor is 0 at first; going on with it and the
 * value found, each step costs a link. */
bool souk_run_table_below(const souk_run_table *table, uint32_t seen, uint64_t key, uint64_t before,
                          uint32_t *cursor, uint64_t *ret_value);

/* All pairs of a table that nobody adds to, in order of (key, value), into pairs[count]; scratch
 * has the same size. */
void souk_run_table_sort(const souk_run_table *table, souk_run_pair *pairs, souk_run_pair *scratch);

#endif
