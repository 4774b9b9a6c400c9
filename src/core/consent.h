/* consent.h - may this shopper's data be used for that?  The only place that answers.
 *
 *     souk_grant grant;
 *     SOUK_TRY(souk_consent_ask(consent, index, person, SOUK_PURPOSE_PROFILE, SOUK_OPERATOR, now,
 *                               &grant, diag));                 SOUK_EDENIED says why in diag
 *     souk_spine_profile(…, &grant, …)                          accessors take the grant
 *
 *     SOUK_TRY(souk_consent_mask(consent, index, SOUK_PURPOSE_ADVERTISE, SOUK_OPERATOR, now, &mask));
 *
 * Rows     (atom, controller, purpose, basis, from, until, evidence).  A grant stays on the atom that
 *          gave it; a withdrawal is written to every atom of the person; the newest row of an atom for
 *          (controller, purpose) holds.  While atoms are one person the strictest answer holds: yes
 *          only where every atom says yes.  Default is no.
 * Bases    a source states bases when it is made (merchant.h): contract or legal duty for its events'
 *          atoms; they say yes until the shopper withdraws.  `serve` (orders, receipts) rests on
 *          contract and legal duty and cannot be withdrawn, only erased.
 * Age      unknown or minor: no advertising, no face, no mood, no recognition, whatever was granted; a
 *          minor's grants need a guardian (a row with guardian evidence).
 * Order    (DESIGN.md, decision 9) mask bits are cleared before the commit of a withdrawal and set
 *          after the commit of a grant; every set answer carries the epoch.
 *
 * Shape    masks: uint64_t bits[(shopper_count + 1 + 63) / 64], bit = shopper number
 * Threads  souk_consent_apply in the writer; ask and mask from any thread under souk_index_read. */
#ifndef SOUK_CORE_CONSENT_H
#define SOUK_CORE_CONSENT_H

#include "core/index.h"
#include "store/ledger.h"

/*    name        word          needs a known adult */
#define SOUK_PURPOSE_TABLE(X)            \
    X(SERVE, "serve", false)             \
    X(PROFILE, "profile", false)         \
    X(PERSONALISE, "personalise", false) \
    X(RECOGNISE, "recognise", true)      \
    X(FACE_PAY, "face_pay", true)        \
    X(MOOD, "mood", true)                \
    X(ADVERTISE, "advertise", true)      \
    X(RESEARCH, "research", false)

typedef enum souk_purpose {
#define SOUK_PURPOSE_ENUM(name, word, adult) SOUK_PURPOSE_##name,
    SOUK_PURPOSE_TABLE(SOUK_PURPOSE_ENUM)
#undef SOUK_PURPOSE_ENUM
        SOUK_PURPOSE_FIXED,
    SOUK_PURPOSE_SHARE = SOUK_PURPOSE_FIXED, /* + number of the party: `share:<party>` */
    SOUK_PURPOSE_MOST = 64
} souk_purpose;

typedef enum souk_basis {
    SOUK_BASIS_NONE,
    SOUK_BASIS_CONSENT,
    SOUK_BASIS_CONTRACT,
    SOUK_BASIS_LEGAL,
    SOUK_BASIS_WITHDRAWN, /* the row is a withdrawal */
} souk_basis;

enum { SOUK_OPERATOR = 1 }; /* the controller that owns the deployment: merchant 1 */

/* As in X("unknown")…: what is known of a shopper's age. */
typedef enum souk_age {
    SOUK_AGE_UNKNOWN,
    SOUK_AGE_MINOR,
    SOUK_AGE_ADULT,
} souk_age;

/* Whose yes, and whose age, a source's events are believed.  A no, and that somebody is a minor, is heard from any:
 * a write key stands in web pages, and whoever knows a user id could say yes in her name. */
typedef enum souk_speaks {
    SOUK_SPEAKS_USUAL, /* in a statement alone: a source that is made with a key for visitors, else for anybody */
    SOUK_SPEAKS_VISITOR, /* for a device's or browser's own history, before it has a durable identifier */
    SOUK_SPEAKS_ANYBODY, /* the shop's own servers */
    SOUK_SPEAKS_NOBODY,
} souk_speaks;
/* "visitor", "anybody", "nobody".  SOUK_SPEAKS_USUAL where the word is none. */
const char *souk_speaks_word(souk_speaks speaks);
souk_speaks souk_speaks_of_word(souk_text word);

const char *souk_basis_word(souk_basis basis);
souk_basis souk_basis_of_word(souk_text word); /* SOUK_BASIS_NONE where unknown */
const char *souk_age_word(souk_age age);
/* "profile": fixed purposes by name; souk_consent_purpose knows those of parties, too. */
bool souk_purpose_of_word(souk_text word, souk_purpose *ret_purpose);
const char *souk_purpose_word(souk_purpose purpose); /* fixed ones */

typedef struct souk_consent souk_consent;

typedef struct souk_consent_row {
    uint32_t atom, controller;
    souk_purpose purpose;
    souk_basis basis;
    souk_time from, until; /* until 0: open */
    bool guardian;         /* given by a guardian */
    souk_text evidence; /* where and how: a form, a receipt, a job; sealed by the caller's vault */
} souk_consent_row;

/* Proof that the only place said yes; opaque to everybody else: accessors check it with
 * souk_grant_covers. */
typedef struct souk_grant {
    uint32_t shopper, controller;
    souk_purpose purpose;
    uint64_t epoch;
    souk_time
        until; /* from here on it is no more: a row ends, or another begins; INT64_MAX: never */
    uint64_t
        seal; /* of the fields above and the person's atoms, made and checked in consent_ask.c alone */
} souk_grant;

/* Makes the tables, reads the rows.  The ledger must outlive it. */
SOUK_CHECKED souk_err souk_consent_open(souk_mem *mem, souk_ledger *ledger,
                                        souk_consent **ret_consent, souk_diag *diag);
void souk_consent_free(souk_consent *consent);
SOUK_AUTO(souk_consent)

/* What one transaction says, until it is committed or not; {0} is one at rest.  Several may be open at once, as the
 * jobs of one commit are; what was said last holds, whichever is committed last. */
typedef struct souk_consent_change {
    struct consent_pending *pending; /* private from here on */
    size_t count, capacity;
    uint32_t *places; /* the newest of each (atom, controller, purpose), + 1; 0: free */
    size_t place_capacity;
    struct souk_consent_change *next;
    bool is_open;
} souk_consent_change;

/* First thing in a closure that applies rows: it may run again. */
void souk_consent_begin(souk_consent *consent, souk_consent_change *change);
/* In a transaction: stores rows (grants: the atom given; withdrawals: one for every atom of the person,
 * which the caller lists).  A withdrawal is effective in memory at once (before the commit), a grant
 * when souk_consent_committed is called; after a rollback call souk_consent_abandoned.
 * Where abandoned fails, what was effective stays: too strict until it is called again.
 * SOUK_EINVAL: a withdrawal of `serve`, until <= from. */
SOUK_CHECKED souk_err souk_consent_apply(souk_consent *consent, souk_consent_change *change,
                                         souk_tx *tx, const souk_consent_row *rows, size_t count);
void souk_consent_committed(souk_consent *consent, souk_consent_change *change);
SOUK_CHECKED souk_err souk_consent_abandoned(souk_consent *consent, souk_consent_change *change);
/* Its memory, and what it still waits with. */
void souk_consent_change_done(souk_consent *consent, souk_consent_change *change);

/* What an atom last said about a purpose, also in a transaction that is still open, and since when; SOUK_BASIS_NONE:
 * nothing, then what its sources state holds. */
souk_basis souk_consent_last(const souk_consent *consent, uint32_t atom, uint32_t controller,
                             souk_purpose purpose, souk_time *ret_since);
/* The same of its age. */
souk_age souk_consent_last_age(const souk_consent *consent, uint32_t atom);

/* What is known of an atom's age, with whose word it is.  A minor's holds at once, as a withdrawal does;
 * an adult's after the commit. */
SOUK_CHECKED souk_err souk_consent_set_age(souk_consent *consent, souk_consent_change *change,
                                           souk_tx *tx, uint32_t atom, souk_age age,
                                           souk_text evidence);
/* Removes an erased atom's rows. */
SOUK_CHECKED souk_err souk_consent_forget(souk_consent *consent, souk_tx *tx, uint32_t atom);
/* The number of a party as a purpose `share:<party>`, made where it is new and durable with the
 * transaction.  SOUK_EINVAL: not 1 to 63 bytes.  SOUK_ETOOBIG: all numbers are given. */
SOUK_CHECKED souk_err souk_consent_party(souk_consent *consent, souk_tx *tx, souk_text party,
                                         souk_purpose *ret_purpose);
/* "profile", "share:nestle": a fixed purpose, or that of a party which souk_consent_party named before, in a
 * transaction that is committed.  A party costs a read of the ledger.  SOUK_ENOENT: no such purpose. */
SOUK_CHECKED souk_err souk_consent_purpose(const souk_consent *consent, souk_text word,
                                           souk_purpose *ret_purpose);

/* Bases that a source states, as bits of fixed purposes, for souk_index_options.bases_of, and the age
 * it states for its shoppers (of two sources that differ, the minor's holds; souk_consent_set_age over
 * both); told once at start and for every new source. */
void souk_consent_source(souk_consent *consent, uint32_t source, uint16_t bases, souk_age age);
uint16_t souk_consent_bases_of(void *consent, uint32_t source);

/* SOUK_EDENIED with the reason in diag.  The person was read under the same souk_index_read. */
SOUK_CHECKED souk_err souk_consent_ask(const souk_consent *consent, const souk_index *index,
                                       const souk_person *person, souk_purpose purpose,
                                       uint32_t controller, souk_time now, souk_grant *ret_grant,
                                       souk_diag *diag);
/* Whether the grant is genuine, of the present epoch, not at its end, and for this person. */
bool souk_grant_covers(const souk_consent *consent, const souk_grant *grant,
                       const souk_person *person, souk_time now);
uint64_t souk_consent_epoch(const souk_consent *consent);

/* One bit for each shopper that may be used for the purpose; merged ones all or none.  It holds in the epoch
 * told and before *ret_until, when the first of its rows ends (INT64_MAX: never).  The caller frees *ret_bits
 * with mem.  Cost: a pass over shoppers and atoms. */
SOUK_CHECKED souk_err souk_consent_mask(const souk_consent *consent, const souk_index *index,
                                        souk_purpose purpose, uint32_t controller, souk_time now,
                                        souk_mem *mem, uint64_t **ret_bits, size_t *ret_words,
                                        uint64_t *ret_epoch, souk_time *ret_until);

/* The rows of an atom, oldest first. */
SOUK_CHECKED souk_err souk_consent_rows(souk_consent *consent, souk_tx *tx, uint32_t atom,
                                        souk_err (*each)(void *context,
                                                         const souk_consent_row *row),
                                        void *context);
/* Withdrawals by any person, in the order in which they were written: looks at `most` rows behind the row `after`
 * (0: from the first) and calls each with the withdrawals among them, a decision that went to several atoms once,
 * with the first of them.  *ret_last: the last row looked at, or `after`. */
SOUK_CHECKED souk_err souk_consent_withdrawn(souk_tx *tx, uint64_t after, size_t most,
                                             souk_err (*each)(void *context, uint64_t id,
                                                              const souk_consent_row *row),
                                             void *context, uint64_t *ret_last);
/* The newest row there is; 0: none. */
SOUK_CHECKED souk_err souk_consent_newest(souk_tx *tx, uint64_t *ret_id);

#endif
