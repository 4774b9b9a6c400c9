/* spine_erase_private.h - an erasure under way, shared by the spine_erase*.c files. */
#ifndef SOUK_CORE_SPINE_ERASE_PRIVATE_H
#define SOUK_CORE_SPINE_ERASE_PRIVATE_H

#include "core/spine_private.h"

struct erase_gone { /* an atom being erased */
    uint32_t atom, slot, shopper;
    uint64_t *links; /* [link_count] positions */
    size_t link_count;
};

struct erasing {
    souk_spine *spine;
    struct erase_gone *gone;
    size_t gone_count;
    souk_time at;
    uint64_t position;
    souk_arena *arena;      /* NULL: a second try, her identifiers are not known */
    souk_identifier *words; /* her identifiers in the clear, for the rejects */
    size_t word_count, word_capacity;
    /* rewriting */
    uint64_t *positions;
    size_t position_count;
    souk_block_maker *maker;
    souk_hash128 *hashes; /* of her identifiers */
    size_t hash_count, hash_capacity;
    uint64_t events;
    souk_buf ids;      /* her public ids, 32 digits each */
    souk_err late_err; /* of finding what came late */
};

static inline bool erase_is_gone(const struct erasing *erasing, uint32_t atom)
{
    for (size_t i = 0; i < erasing->gone_count; i++)
        if (atom && erasing->gone[i].atom == atom)
            return true;
    return false;
}

/* Her public ids, while her keys are there; then in the entry's transaction. */
SOUK_CHECKED souk_err erase_note_ids(struct erasing *erasing);
SOUK_CHECKED souk_err erase_tell(struct erasing *erasing, souk_tx *tx);

/* In the writer's thread, before the atom is forgotten: which atoms are its shopper's beside those in gone, and
 * which shopper did it become?  Both are kept in the spine until their rows are stored: in memory they are
 * erased from now on, so that nothing more comes to them, and are not found a second time. */
SOUK_CHECKED souk_err erase_find_late(struct erasing *erasing, const struct erase_gone *gone);
/* What was found gets rows, and from here on is erased with the others: gone and the person grow. */
SOUK_CHECKED souk_err erase_take_late(struct erasing *erasing, souk_arena *arena,
                                      souk_person *person);

#endif
