/* index_private.h - the arrays behind index.h, shared by index.c, index_read.c and index_file.c. */
#ifndef SOUK_CORE_INDEX_PRIVATE_H
#define SOUK_CORE_INDEX_PRIVATE_H

#include "core/idmap.h"
#include "core/index.h"
#include "os/region.h"

struct shopper {
    uint32_t first_atom; /* 0: erased before the log that is there begins to tell of it */
};

enum { INDEX_CLASSES = 23 };

/* What a snapshot's first page tells beside the arrays. */
struct index_head {
    uint64_t through;
    uint32_t atom_count, shopper_count, live_shoppers;
    uint32_t counter_units; /* of 16 bytes, in use or free; unit 0 is none */
    uint32_t free_blocks[INDEX_CLASSES];
    souk_totals totals;
};

struct undo {
    enum { UNDO_ATOM, UNDO_NEW_ATOM, UNDO_NEW_SHOPPER, UNDO_IDENTIFIER } kind;
    uint32_t number;
    souk_hash128 hash;
    souk_atom old_atom;
};

/* One merged shopper: its person's lowest number, and the next of the ring of its group. */
struct group {
    uint32_t shopper, lowest, next;
};

struct souk_index {
    souk_mem *mem;
    souk_index_options options;
    souk_rwlock lock;
    souk_region atoms, shoppers, counters;
    souk_idmap *identifiers;
    struct index_head head;
    uint32_t visible_atoms, visible_shoppers, visible_live; /* committed */
    bool undoable;
    struct undo *undo;
    size_t undo_count, undo_capacity;
    struct group *groups; /* open addressing by shopper, power of two, 0: free */
    size_t group_capacity, group_count;
    uint32_t joins;
    uint64_t *slots;     /* of the snapshot's atoms, see souk_index_slots; NULL: no snapshot */
    uint32_t slot_words; /* of 64 slots */
    uint32_t slot_atoms; /* the first atom that is not in them */
};

static inline souk_atom *souk_index_atom_at(const souk_index *index, uint32_t atom)
{
    return (souk_atom *)index->atoms.at + atom;
}
static inline struct shopper *souk_index_shopper_at(const souk_index *index, uint32_t shopper)
{
    return (struct shopper *)index->shoppers.at + shopper;
}
static inline bool souk_index_shopper_erased(const souk_index *index, const struct shopper *shopper)
{
    return shopper->first_atom == 0 || shopper->first_atom >= index->head.atom_count ||
           (souk_index_atom_at(index, shopper->first_atom)->flags & SOUK_ATOM_ERASED);
}

/* A snapshot's arrays have no checksum: a number that one of them holds is checked where it is followed. */
static inline bool souk_index_has_atom(const souk_index *index, uint32_t atom)
{
    return atom && atom < index->head.atom_count;
}
static inline bool souk_index_has_shopper(const souk_index *index, uint32_t shopper)
{
    return shopper && shopper < index->head.shopper_count;
}

/* index_sums.c.  check tells whether the deltas fit (SOUK_EOVERFLOW: no, nothing changed) and what the
 * block will need, and may turn a key into its dimension's "other"; apply cannot fail after it. */
struct index_sums_need {
    size_t missing; /* keys that are new */
    uint32_t width; /* bytes of the widest value */
    uint32_t alone; /* what the atom keeps instead of a block; 0: it needs one */
};
/* 0 to 4,095. */
static inline uint32_t index_month(souk_time at)
{
    int32_t month = souk_time_month(at);
    return month < 0 ? 0 : month > 4095 ? 4095 : (uint32_t)month;
}
SOUK_CHECKED souk_err index_sums_check(const souk_index *index, const souk_atom *atom,
                                       souk_count *deltas, size_t count,
                                       struct index_sums_need *ret_need);
/* Between the two: room for it in the atom's block, SOUK_ECORRUPT. */
SOUK_CHECKED souk_err index_sums_space(souk_index *index, souk_atom *atom,
                                       const struct index_sums_need *need);
void index_sums_apply(souk_index *index, souk_atom *atom, const souk_count *deltas, size_t count);
void index_sums_free(souk_index *index, souk_atom *atom);
/* Writes at most `most`, returns how many there are. */
size_t index_sums_read(const souk_index *index, const souk_atom *atom, souk_count *ret_counts,
                       size_t most);

#endif
