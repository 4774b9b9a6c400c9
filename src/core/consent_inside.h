/* consent_inside.h - shared by the consent*.c files: what was said, as it lies in memory. */
#ifndef SOUK_CORE_CONSENT_INSIDE_H
#define SOUK_CORE_CONSENT_INSIDE_H

#include "core/consent.h"
#include "os/thread.h"

/* What an atom last said about a purpose; free where atom is 0. */
struct consent_said {
    uint32_t atom, controller;
    uint8_t purpose, basis;
    bool guardian;
    souk_time since, until;
    uint64_t
        turn; /* of its saying: what was said later is not overtaken by what is committed later */
};

struct consent_pending { /* of a change that is not committed yet */
    struct consent_said said;
    souk_age age; /* SOUK_AGE_UNKNOWN: it is a said */
};

struct consent_aged {
    uint32_t atom;
    uint8_t age;
    uint64_t turn;
};

/* Above the purposes an atom's bases tell what its sources state of its age. */
enum { STATED_MINOR = 0x4000, STATED_ADULT = 0x8000, STATED_BASES = 0x3fff };
_Static_assert((1 << SOUK_PURPOSE_FIXED) - 1 <= STATED_BASES, "a bit for each fixed purpose");

enum { CONSENT_SOURCES = 65536, PARTY_BYTES = 63 };

struct souk_consent {
    souk_mem *mem;
    souk_ledger *ledger;
    souk_rwlock lock;
    struct consent_said *said; /* open addressing by (atom, controller, purpose) */
    size_t said_capacity, said_count;
    struct consent_aged *aged; /* open addressing by atom */
    size_t aged_capacity, aged_count;
    souk_consent_change *changes; /* that are open */
    size_t waiting_count;         /* in all of them */
    uint64_t turns;
    uint16_t *source_bases; /* [CONSENT_SOURCES] */
    uint64_t epoch;
    souk_hash_key seal; /* of grants, of this process alone */
};

/* consent.c: what the atom last said, and its age; NULL: nothing.  Under the lock. */
struct consent_said *consent_find_said(const souk_consent *consent, uint32_t atom,
                                       uint32_t controller, unsigned purpose);
struct consent_aged *consent_find_aged(const souk_consent *consent, uint32_t atom);
uint64_t consent_hash_said(uint32_t atom, uint32_t controller, unsigned purpose);

/* consent_change.c: room for one more; the pending of that index is the newest of its kind; nothing pends; no
 * longer open; nothing of the atom pends in any.  Under the lock. */
SOUK_CHECKED souk_err consent_change_room(souk_consent *consent, souk_consent_change *change);
void consent_change_note(souk_consent_change *change, size_t index);
void consent_change_clear(souk_consent *consent, souk_consent_change *change);
void consent_change_close(souk_consent *consent, souk_consent_change *change);
void consent_change_forget(souk_consent *consent, uint32_t atom);

#endif
