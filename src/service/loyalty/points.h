/* points.h - points as lots: earned with a date, burnt first in first out, and where each one went is known for good.
 *
 *     souk_purse ann = {SOUK_PURSE_ATOM, 42};
 *     souk_points_act burn = {.kind = SOUK_POINTS_BURNED, .purses = &ann, .purse_count = 1, .receipt = id, .at = now};
 *     souk_points_act earn = {.kind = SOUK_POINTS_EARNED, .purses = &ann, .purse_count = 1, .receipt = id, .at = now,
 *                             .expires = in_two_years, .shares = by_line, .share_count = 3, .spend_minor = 4210};
 *     souk_plan_add(&plan, SOUK_EFFECT_POINTS, SOUK_TEXT("42"), 500, &burn);
 *     souk_plan_add(&plan, SOUK_EFFECT_POINTS, SOUK_TEXT("42"), 42, &earn);
 *
 * Account  of a merchant's: a person's (an atom, see DESIGN.md: points stay on their account, a merge lets one person draw
 *          on several) or a family's pot
 * Lot      what one receipt earned: 0 <= rest <= points; its shares say which line earned how much
 * Entry    every change of an account, never changed; its parts say from which lots it took, or into which it put:
 *
 *              earned  300   lot 1: 300                          balance 300 = rest 100 of lot 1 + rest 50 of lot 7
 *              earned   50   lot 7:  50                                      = 300 + 50 - 200
 *              burned -200   part lot 1: -200
 *
 * Burn     takes from lots that have not expired, the earliest expiry first, then the oldest; over all purses it is given
 * Expiry   a lot cannot be burnt from the moment `expires` on, whether or not the job came by; the job only books it.
 *          What was burnt of a lot before stays burnt: a balance falls by what was left in the lot, by no more
 * Back     GIVEN: what a receipt burnt goes back into the very lots it came from, the last taken first, so that what stays
 *          burnt is what a smaller burn had taken.  A lot that expired meanwhile lives again with what it gets, for grace_ms
 *          from the return on (no shopper shall lose points by a faulty kettle; 0: they are lost)
 *          CLAWED: what returned lines had earned is taken: from their own lot (what of it expired counts as taken), then from
 *          other lots, then the account owes it, up to debt_most; what is above is forgiven, and told, so that whoever pays out may
 *          keep its worth.  A debt is paid first by whatever comes in
 * Sum      at every commit: balance = sum of rests = sum of entries; rest = points + sum of parts
 * Locks    the rows of accounts, in the order of kind and owner, before anything else is read or written
 * Cost     statements: earn 3, with tiers 2 more where none changes; burn 4, however many lots; of several purses 4 for each and 1; given back 4 and 3 a lot
 * Threads  as the souk_tx */
#ifndef SOUK_SERVICE_LOYALTY_POINTS_H
#define SOUK_SERVICE_LOYALTY_POINTS_H

#include "base/decimal.h"
#include "core/plan.h"
#include "service/loyalty/tiers.h"

/*    name       number  word     stored for ever */
#define SOUK_POINTS_KINDS(X)                                           \
    X(EARNED, 1, "earned")                                             \
    X(BURNED, 2, "burned")                                             \
    X(CLAWED, 3, "clawed_back") /* what returned lines had earned */   \
    X(GIVEN, 4, "given_back")   /* what a returned basket had burnt */ \
    X(EXPIRED, 5, "expired")                                           \
    X(SETTLED, 6, "settled")   /* a debt, out of what came in */       \
    X(ADJUSTED, 7, "adjusted") /* by hand, with a reason */
typedef enum souk_points_kind {
#define SOUK_POINTS_ENUM(name, number, word) SOUK_POINTS_##name = number,
    SOUK_POINTS_KINDS(SOUK_POINTS_ENUM)
#undef SOUK_POINTS_ENUM
} souk_points_kind;
/* NULL: no such kind. */
const char *souk_points_word(int64_t kind);

enum {
    SOUK_PURSES_MOST = 64,         /* one burn draws on */
    SOUK_POINTS_LINES_MOST = 1000, /* of a receipt that earn */
    SOUK_POINTS_REASON_BYTES = 200,
    SOUK_POINTS_BY_BYTES = 100,
};
/* Of one entry, and of an account. */
#define SOUK_POINTS_MOST INT64_C(1000000000000)

typedef enum souk_purse_kind { SOUK_PURSE_ATOM = 1, SOUK_PURSE_FAMILY = 2 } souk_purse_kind;
typedef struct souk_purse {
    souk_purse_kind kind;
    int64_t owner; /* the atom, or the family's id */
} souk_purse;

typedef struct souk_points_share { /* what a line of the receipt earned */
    uint32_t line;                 /* from 1, ascending */
    int64_t points;
    int64_t spend_minor; /* that counted for tiers */
} souk_points_share;
typedef struct souk_points_back { /* one line of a sale that is brought back */
    uint32_t line;
    souk_decimal quantity, sold; /* of it, now; and as the sale has it */
} souk_points_back;

/* One effect's `what`; its amount is how many points (ADJUSTED: signed; CLAWED: 0, the lines say it). */
typedef struct souk_points_act {
    souk_points_kind kind; /* EARNED, BURNED, CLAWED, GIVEN, ADJUSTED */
    const souk_purse *purses;
    size_t
        purse_count; /* BURNED: 1 to SOUK_PURSES_MOST, drawn on together; EARNED, ADJUSTED: 1; else 0 */
    souk_hash128 receipt; /* that earns or is paid; CLAWED and GIVEN: the sale that comes back */
    souk_time at;
    souk_time expires;               /* EARNED, ADJUSTED: of the lot; SOUK_TIME_LAST: never */
    int64_t spend_minor;             /* EARNED: what counts for tiers */
    const souk_tiers *tiers;         /* EARNED: the account may rise by it; NULL: there are none */
    const souk_points_share *shares; /* EARNED: [share_count], their points sum to the amount */
    size_t share_count;
    const souk_points_back *backs; /* CLAWED: [back_count] */
    size_t back_count;
    int64_t debt_most; /* CLAWED */
    int64_t grace_ms;  /* GIVEN */
    int64_t member; /* BURNED: who draws on a family's pot, an atom; 0: nobody's limit is counted */
    souk_text reason, by; /* ADJUSTED: why, and who */
    /* Told. */
    int64_t points;         /* by which balances changed, all together */
    int64_t forgiven;       /* CLAWED: more was to be taken than there is and may be owed */
    int64_t entry;          /* the last one written; 0: nothing was to be done */
    souk_standing standing; /* EARNED, with tiers */
} souk_points_act;

SOUK_CHECKED souk_err souk_points_migrate(souk_ledger *ledger, souk_diag *diag);

/* The owner of SOUK_EFFECT_POINTS, for accounts of plan->merchant; state: NULL.
 * SOUK_ECONFLICT: fewer points are there, or more is given back than was burnt, or more brought back than sold, or a
 * member's limit.  SOUK_EOVERFLOW: above SOUK_POINTS_MOST.  SOUK_EINVAL: a bad act, with words. */
souk_err souk_points_apply(void *state, souk_tx *tx, souk_plan *plan, const souk_effect *effects,
                           size_t count);

/* ---- reading ------------------------------------------------------------------------------------------------ */

typedef struct souk_points_balance {
    int64_t points; /* that can be burnt now */
    int64_t owed;
    int64_t next_points;    /* of them, what expires first */
    souk_time next_expires; /* SOUK_TIME_LAST: nothing expires */
} souk_points_balance;
/* Summed over the purses, which need not be there. */
SOUK_CHECKED souk_err souk_points_read(souk_tx *tx, uint32_t merchant, const souk_purse *purses,
                                       size_t purse_count, souk_time at,
                                       souk_points_balance *ret_balance);

typedef struct souk_points_entry {
    int64_t id;
    souk_purse purse;
    souk_points_kind kind;
    souk_time at, expires; /* expires: of the lot it made; 0: it made none */
    int64_t points, owed, forgiven;
    souk_hash128 receipt;
    souk_text reason, by;
} souk_points_entry;
/* Newest first, below before_id (INT64_MAX: all), over all purses, at most `most`; texts live during the call. */
SOUK_CHECKED souk_err souk_points_entries(
    souk_tx *tx, uint32_t merchant, const souk_purse *purses, size_t purse_count, int64_t before_id,
    unsigned most, souk_err (*each)(void *context, const souk_points_entry *entry), void *context);

/* ---- upkeep ------------------------------------------------------------------------------------------------- */

/* Books what expired by `now` on at most `most` accounts, in a transaction of the lane of jobs; *ret_more: others wait. */
SOUK_CHECKED souk_err souk_points_expire(souk_ledger *ledger, souk_time now, unsigned most,
                                         bool *ret_more);
/* Adds up everything.  SOUK_ECORRUPT with the first account, lot or entry that does not fit. */
SOUK_CHECKED souk_err souk_points_verify(souk_ledger *ledger, souk_diag *diag);

typedef struct souk_points_totals {
    int64_t accounts, lots;
    int64_t liability, owed; /* points: open lots that have not expired; debts */
} souk_points_totals;
SOUK_CHECKED souk_err souk_points_total(souk_tx *tx, uint32_t merchant, souk_time now,
                                        souk_points_totals *ret_totals);

#endif
