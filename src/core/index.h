/* index.h - who is who and what they did, as arrays in memory: the derived side of the log.
 *
 *     souk_index_link(index, &link);                    an edge of a block: identifier -> atom
 *     SOUK_TRY(souk_index_fold(index, &fact, lines));   an event of a block: integer sums
 *     uint32_t atom = souk_index_find(index, hash);     0: nobody has this identifier
 *     souk_index_person_of_atom(index, atom, &person);  the atoms that are one person today
 *
 * Atoms    (DESIGN.md, decision 3) an event, a key, a consent and a profile belong to an atom; a person
 *          is a set of atoms, its profile the sum of theirs, so a merge and an un-merge only regroup.
 *          Atom 0 is nobody: anonymous receipts and erased events count in the totals alone.
 * Numbers  atoms 1, 2, 3… in order of appearance.  Shoppers 1, 2, 3…: given at an atom's first durable
 *          identifier, never reused, never shown outside.  An atom without one is a visitor's.
 *
 * Memory   atom 36 bytes, shopper 4, sum 5 to 12 and a third of slack (index_sums.c), identifier 21
 *          (idmap.h).
 * Snapshot everything but merges, which the ledger tells again; mapped at start, not read.
 * Threads  one writer.  Changes that readers can see are made under souk_index_lock; readers hold
 *          souk_index_read around their calls and see nothing of a transaction before souk_index_commit:
 *          no number above the committed counts, no identifier that came, moved or went, no claim.  Only
 *          souk_atom itself is shown as it is, so a reader asks souk_index_owner whose it is. */
#ifndef SOUK_CORE_INDEX_H
#define SOUK_CORE_INDEX_H

#include "core/block.h"
#include "core/event.h"
#include "os/disk.h"
#include "os/thread.h"

typedef struct souk_index souk_index;

enum { SOUK_ATOMS_MOST = 1 << 30, SOUK_PERSON_ATOMS = 4096, SOUK_CLAIMED_ATOMS = 1024 };

enum souk_atom_flags {
    SOUK_ATOM_ERASED = 1,  /* its key is gone, nothing but sums without a name remain in the log */
    SOUK_ATOM_SHARED = 2,  /* of a device that more than one shopper used: belongs to nobody */
    SOUK_ATOM_CLAIMED = 4, /* by the transaction under way: readers still see a visitor */
};

typedef struct __attribute__((packed, aligned(4))) souk_atom { /* 36 bytes, not 40 */
    souk_time first_at, last_at; /* of its events; first > last: none yet */
    uint32_t slot;               /* of its key (vault.h) */
    uint32_t shopper;            /* whose it is; 0: a visitor's; readers see souk_index_owner */
    uint32_t counters;           /* its block of sums; 0: none */
    uint32_t next_of_shopper;    /* the shopper's next atom; 0: the last */
    uint16_t bases;    /* purposes its sources state a basis for (consent.h), bit by bit */
    uint8_t strongest; /* souk_id_kind of its strongest identifier */
    uint8_t flags;
} souk_atom;

/* What an edge says, once its seal is open. */
typedef enum souk_link_kind {
    SOUK_LINK_IDENTIFIER = 1, /* hash leads to atom */
    SOUK_LINK_MOVED = 2,   /* hash leads to atom no longer (a device that a second shopper uses) */
    SOUK_LINK_SHOPPER = 3, /* atom is now the shopper with this number; hash is the public id's */
    SOUK_LINK_CLAIM = 4,   /* a visitor's atom now belongs to the shopper; hash is empty */
    SOUK_LINK_SHARED = 5,  /* hash leads to a new atom that is nobody's, see SOUK_ATOM_SHARED */
} souk_link_kind;

typedef struct souk_link {
    souk_hash128 hash;
    uint32_t atom, slot, shopper;
    souk_link_kind kind;
    souk_id_kind id_kind;
    uint64_t position; /* of the event that made it */
} souk_link;

/* Dimensions of a counter's key. */
enum souk_counter {
    SOUK_COUNT_TYPE = 1,   /* number of the event type -> events */
    SOUK_COUNT_MONTH = 2,  /* category << 12 | months since 1970 -> events or lines */
    SOUK_COUNT_AMOUNT = 3, /* currency -> millionths */
    SOUK_COUNT_ORDERS = 4,
    SOUK_COUNT_CANCELLED = 5,
    SOUK_COUNT_UNITS = 6, /* millionths of a unit */
};
#define SOUK_COUNTER_KEY(dimension, rest) ((uint32_t)(dimension) << 28 | (uint32_t)(rest))
enum { SOUK_COUNTER_REST = (1 << 28) - 1 };

typedef struct souk_count {
    uint32_t key;
    int64_t value;
} souk_count;

__extension__ typedef __int128 souk_wide; /* sums that may pass 64 bits */
__extension__ typedef unsigned __int128 souk_wide_unsigned;

/* Totals over every event, anonymous and erased ones included. */
enum { SOUK_TOTAL_CURRENCIES = 200 }; /* every code of base/currency.h, and none */
typedef struct souk_totals {
    uint64_t events, orders, cancelled;
    size_t currency_count;
    struct {
        uint32_t currency;
        souk_wide amount_micro;
    } amounts[SOUK_TOTAL_CURRENCIES];
} souk_totals;

/* bases_of tells which purposes a source states a basis for; it must answer the same for ever. */
typedef struct souk_index_options {
    uint16_t (*bases_of)(void *context, uint32_t source);
    void *context;
} souk_index_options;

SOUK_CHECKED souk_err souk_index_new(souk_mem *mem, const souk_index_options *options,
                                     souk_index **ret_index);
void souk_index_free(souk_index *index);
SOUK_AUTO(souk_index)
/* Empty again, for a rebuild. */
SOUK_CHECKED souk_err souk_index_clear(souk_index *index);

/* ---- the writer's side ----------------------------------------------------------------------- */

void souk_index_lock(souk_index *index);
void souk_index_unlock(souk_index *index);

/* The next atom or shopper number, were one made now. */
uint32_t souk_index_next_atom(const souk_index *index);
uint32_t souk_index_next_shopper(const souk_index *index);
/* Applies one link; atoms and shoppers it names first are made (numbers in order).  The writer applies
 * links as it resolves, before the commit, between begin and commit or rollback; replay does the same.
 * SOUK_ECORRUPT: the link contradicts what is there.  SOUK_ENOMEM, SOUK_ETOOBIG. */
SOUK_CHECKED souk_err souk_index_link(souk_index *index, const souk_link *link);
/* From begin on links can be undone; commit lets readers see them. */
void souk_index_begin(souk_index *index);
void souk_index_commit(souk_index *index);
void souk_index_rollback(souk_index *index);

/* Adds one committed event to its atom's sums and the totals; first_position.. in order.
 * SOUK_EOVERFLOW: a sum would not fit, the event is left out whole (quarantine it).
 * SOUK_ETOOBIG: a currency too many for the totals; SOUK_ENOMEM: left out whole as well.
 * SOUK_ECORRUPT: also left out, the atom's sums were damaged in the snapshot. */
SOUK_CHECKED souk_err souk_index_fold(souk_index *index, const souk_fact *fact,
                                      const souk_fact_line *lines);
/* Makes room for the sums of so many events and lines, so that folding them cannot fail for memory. */
SOUK_CHECKED souk_err souk_index_room(souk_index *index, size_t events, size_t lines);
/* Atoms and shoppers below these numbers were given once: missing ones were erased, and no number is
 * given twice. */
SOUK_CHECKED souk_err souk_index_given(souk_index *index, uint32_t next_atom,
                                       uint32_t next_shopper);
/* All events at positions below this are folded. */
uint64_t souk_index_through(const souk_index *index);
void souk_index_set_through(souk_index *index, uint64_t position);

/* Forgets an atom: its sums, its slot; identifiers are removed one by one with souk_index_unlink, or,
 * where nobody knows them any longer, all at once. */
void souk_index_erase_atom(souk_index *index, uint32_t atom);
void souk_index_unlink(souk_index *index, souk_hash128 hash);
/* Removes every identifier that leads to an erased atom: a pass over all of them. */
void souk_index_unlink_erased(souk_index *index);
/* Two shoppers are one person from now on (or no longer).  Groups are told by the ledger's decisions:
 * clear and add again after every change.  group_room makes sure that so many joins more, also behind a
 * clear, cannot fail for memory: it is called before the decision is committed. */
SOUK_CHECKED souk_err souk_index_group_room(souk_index *index, size_t joins);
void souk_index_clear_groups(souk_index *index);
SOUK_CHECKED souk_err souk_index_join(souk_index *index, uint32_t shopper_a, uint32_t shopper_b);

/* ---- readers --------------------------------------------------------------------------------- */

void souk_index_read(souk_index *index);
void souk_index_read_done(souk_index *index);

uint32_t souk_index_find(const souk_index *index, souk_hash128 hash);
/* NULL for 0 and for atoms not committed.  The writer sees its own through souk_index_atom_now. */
const souk_atom *souk_index_atom(const souk_index *index, uint32_t atom);
const souk_atom *souk_index_atom_now(const souk_index *index, uint32_t atom);
uint32_t souk_index_find_now(const souk_index *index, souk_hash128 hash);
/* For the writer, some events ahead: what a look-up of the identifier, of the atom it leads to, or a fold into
 * the atom reads first is brought from memory meanwhile.  They change nothing. */
void souk_index_expect(const souk_index *index, souk_hash128 hash);
void souk_index_expect_atom(const souk_index *index, uint32_t atom);
void souk_index_expect_fold(const souk_index *index, uint32_t atom);

/* The shopper whose atom it is; 0: a visitor's, not committed, or the shopper is erased. */
uint32_t souk_index_owner(const souk_index *index, uint32_t atom);
/* The atom that made the shopper, 0 where there is no such shopper. */
uint32_t souk_index_shopper_atom(const souk_index *index, uint32_t shopper);
uint32_t souk_index_shopper_count(const souk_index *index);
/* Persons: shoppers, counting merged ones once and erased ones not. */
uint32_t souk_index_person_count(const souk_index *index);
uint64_t souk_index_identifier_count(const souk_index *index);

/* For the writer: whether the person whom the shopper is part of has SOUK_CLAIMED_ATOMS atoms already, those of the
 * transaction under way included.  Costs a step for each. */
bool souk_index_person_full_now(souk_index *index, uint32_t shopper);

/* The atoms of the person that a shopper, or a visitor's atom, belongs to; ascending. */
typedef struct souk_person {
    uint32_t shopper; /* the lowest number of the group; 0: a visitor */
    uint32_t atom_count;
    uint32_t atoms[SOUK_PERSON_ATOMS];
} souk_person;
/* SOUK_ENOENT.  SOUK_ETOOBIG: more than SOUK_PERSON_ATOMS.  SOUK_ECORRUPT: a damaged snapshot. */
SOUK_CHECKED souk_err souk_index_person_of_atom(const souk_index *index, uint32_t atom,
                                                souk_person *ret_person);
/* The shoppers merged with this one, itself first; SOUK_ETOOBIG above `most`. */
SOUK_CHECKED souk_err souk_index_group(const souk_index *index, uint32_t shopper,
                                       uint32_t *ret_shoppers, size_t most, size_t *ret_count);

/* An atom's counters, unordered; returns how many there are, writes at most `most`. */
size_t souk_index_counts(const souk_index *index, uint32_t atom, souk_count *ret_counts,
                         size_t most);
void souk_index_totals(const souk_index *index, souk_totals *ret_totals);
/* Anonymous memory in use, by kind: atoms, shoppers, counters, identifiers. */
typedef struct souk_index_bytes {
    uint64_t atoms, shoppers, counters, identifiers;
} souk_index_bytes;
void souk_index_memory(const souk_index *index, souk_index_bytes *ret_bytes);

/* ---- snapshots -------------------------------------------------------------------------------- */

/* Writes the whole index under a temporary name and puts it in place.  No change may happen meanwhile:
 * the caller holds the writer still.  On failure the snapshot before stays, and nothing else. */
SOUK_CHECKED souk_err souk_index_save(const souk_index *index, souk_disk *disk, const char *name);
/* The same in two steps, the first one short: the bytes to any file, unsynced; then, whatever happens to the
 * index meanwhile, from there to the disk, 1 MiB a call.  *done is 0 for the first call and kept by the caller;
 * after the call that sets *ret_saved the file is in place. */
SOUK_CHECKED souk_err souk_index_write(const souk_index *index, souk_file *image);
SOUK_CHECKED souk_err souk_index_save_piece(souk_file *image, souk_disk *disk, const char *name,
                                            uint64_t *done, bool *ret_saved);
/* The key slots of all atoms: bit i of (*ret_taken)[*ret_words], 64 a word, is slot i.
 * The caller frees it with the index's mem.  The snapshot brings those of its atoms as such bits, so that a
 * start need not read every atom; a slot may stay in it whose atom has been erased since.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_index_slots(const souk_index *index, uint64_t **ret_taken,
                                       size_t *ret_words);
/* Puts the snapshot under an empty index.  SOUK_ENOENT: none.  SOUK_ECORRUPT, SOUK_EVERSION: rebuild. */
SOUK_CHECKED souk_err souk_index_load(souk_index *index, souk_disk *disk, const char *name);
/* Removes identifiers from a snapshot on disk, in place, and syncs; no snapshot is fine, a damaged one is
 * removed, and so is what a save that did not end left.  An identifier that leads there to the atom which
 * it leads to now (0: none) stays: it is another's device by then.  Sums stay, as numbers that nothing leads
 * to, until souk_index_erase_atom at the next start.  No save may run meanwhile. */
SOUK_CHECKED souk_err souk_index_erase_in_file(souk_disk *disk, const char *name,
                                               const souk_hash128 *hashes, const uint32_t *now,
                                               size_t count);
/* Removes a snapshot, and what a save that did not end left, for good; that there is none is fine. */
SOUK_CHECKED souk_err souk_index_remove_file(souk_disk *disk, const char *name);

#endif
