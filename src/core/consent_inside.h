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
};

struct consent_pending { /* grants and ages of the transaction in hand */
    struct consent_said said;
    souk_age age; /* SOUK_AGE_UNKNOWN: it is a said */
};

struct consent_aged {
    uint32_t atom;
    uint8_t age;
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
    struct consent_pending *pending;
    size_t pending_count, pending_capacity;
    uint16_t *source_bases; /* [CONSENT_SOURCES] */
    uint64_t epoch;
    souk_hash_key seal; /* of grants, of this process alone */
};

/* consent.c: what the atom last said, and its age; NULL: nothing.  Under the lock. */
struct consent_said *consent_find_said(const souk_consent *consent, uint32_t atom,
                                       uint32_t controller, unsigned purpose);
struct consent_aged *consent_find_aged(const souk_consent *consent, uint32_t atom);

#endif
