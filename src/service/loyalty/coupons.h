/* coupons.h - codes that hold as often as their class says, whoever asks how many times at once.
 *
 *     souk_coupon_hand hand = {.merchant = merchant, .atoms = atoms, .atom_count = n, .store = SOUK_TEXT("SH-014"),
 *                              .day = day, .at = now};
 *     SOUK_TRY(souk_coupon_look(ledger, &hashes->messages, code, &hand, arena, &found, diag));     SOUK_ENOENT: no such code
 *     if (found.good) …                                       its offers open: found.class.offer
 *
 *     souk_coupon_act act = {.kind = SOUK_COUPON_REDEEM, .found = &found, .hand = hand, .receipt = id};
 *     souk_plan_add(&plan, SOUK_EFFECT_REDEEM, SOUK_COUPON_KEY(found), 1, &act);
 *
 * Look     says what holds now and why not; it promises nothing.  Redeeming decides again, in the basket's transaction
 * Codes    128 random bits, shown once when they are issued and stored as a keyed hash; of another merchant's and of no code
 *          the answer and the work are the same: one search by a hash that the merchant is part of
 * Limits   one row of a counter for each limit of a class and who it counts, raised under its predicate.  A person's
 *          count is that of all her atoms, on the row of the lowest
 * Locks    codes by hash, then counters by class, then by limit (SOUK_COUPON_LIMITS) and key, over the whole plan
 * Back     RESTORE takes the redemptions of a receipt back: all of a void's, of a return's those whose class says so
 * Cost     redeem: a statement for the code, one for each limit, one for the record
 * Threads  as the souk_tx; look and issue from any */
#ifndef SOUK_SERVICE_LOYALTY_COUPONS_H
#define SOUK_SERVICE_LOYALTY_COUPONS_H

#include "core/plan.h"
#include "service/loyalty/coupon_class.h"

enum { SOUK_COUPON_ATOMS = 16, SOUK_COUPON_STORE_BYTES = 64, SOUK_COUPON_ISSUE_MOST = 250 };

typedef struct souk_coupon_hand { /* who wants it where */
    uint32_t merchant;
    const uint32_t *atoms; /* [atom_count] of the person, ascending; 0: nobody known */
    size_t atom_count;     /* above SOUK_COUPON_ATOMS the rest is not looked at */
    souk_text store;       /* "": online, and no store's limit counts */
    int64_t day;           /* of the store, since 1970 */
    souk_time at;
} souk_coupon_hand;

typedef struct souk_coupon_found {
    souk_coupon_class class; /* in the arena */
    souk_hash128 hash;
    int64_t code; /* its row */
    bool good;
    char why[200];   /* not good */
    souk_time until; /* of class and code, the earlier */
    int64_t left;    /* uses of this code; INT64_MAX: no limit */
} souk_coupon_found;

SOUK_CHECKED souk_err souk_coupons_migrate(souk_ledger *ledger, souk_diag *diag);

/* SOUK_ENOENT: it is no code, or another merchant's. */
SOUK_CHECKED souk_err souk_coupon_look(souk_ledger *ledger, const souk_hash_key *key,
                                       souk_text code, const souk_coupon_hand *hand,
                                       souk_arena *arena, souk_coupon_found *ret_found,
                                       souk_diag *diag);

/* ---- in a plan ------------------------------------------------------------------------------------------- */

typedef enum souk_coupon_act_kind { SOUK_COUPON_REDEEM, SOUK_COUPON_RESTORE } souk_coupon_act_kind;
typedef struct souk_coupon_act {
    souk_coupon_act_kind kind;
    const souk_coupon_found *found; /* REDEEM */
    souk_coupon_hand hand;          /* REDEEM */
    souk_hash128 receipt;           /* RESTORE: the one that comes back */
    bool is_void;                   /* RESTORE */
    uint64_t count;                 /* told: how many were redeemed or restored */
} souk_coupon_act;
/* The key of a redemption's effect. */
#define SOUK_COUPON_KEY(found) \
    ((souk_text){(const char *)(const void *)&(found).hash, sizeof(found).hash})

/* The owner of SOUK_EFFECT_REDEEM; state: NULL.  SOUK_ECONFLICT with words: which coupon, and which limit. */
souk_err souk_coupons_apply(void *state, souk_tx *tx, souk_plan *plan, const souk_effect *effects,
                            size_t count);

/* ---- issuing ---------------------------------------------------------------------------------------------- */

typedef struct souk_coupon_issue {
    uint32_t merchant;
    const souk_coupon_class *class; /* not SHARED */
    const uint8_t (*bits)[16];      /* [count], unpredictable (souk_entropy) */
    size_t count;                   /* at most SOUK_COUPON_ISSUE_MOST */
    int64_t atom;                   /* who alone may redeem them; 0: whoever has them */
    souk_time until;                /* SOUK_TIME_LAST: as the class */
    int64_t batch;                  /* 0: a new one, told */
    souk_time at;
} souk_coupon_issue;
SOUK_CHECKED souk_err souk_coupons_issue(souk_ledger *ledger, const souk_hash_key *key,
                                         enum souk_lane lane, souk_coupon_issue *issue);
/* Makes the shared code of a class known.  SOUK_EEXIST: another class of the merchant has it. */
SOUK_CHECKED souk_err souk_coupons_share(souk_ledger *ledger, const souk_hash_key *key,
                                         uint32_t merchant, const souk_coupon_class *class);
/* Codes of a batch hold no more, slice by slice; *ret_count are those that had not been revoked, as far as it came. */
SOUK_CHECKED souk_err souk_coupons_revoke(souk_ledger *ledger, uint32_t merchant, souk_text class,
                                          int64_t batch, uint64_t *ret_count);

/* ---- reading, upkeep --------------------------------------------------------------------------------------- */

typedef struct souk_coupon_totals {
    int64_t issued, revoked, redeemed,
        restored; /* codes; redemptions that stand; those taken back */
} souk_coupon_totals;
/* class "": all of the merchant's. */
SOUK_CHECKED souk_err souk_coupons_total(souk_ledger *ledger, uint32_t merchant, souk_text class,
                                         souk_coupon_totals *ret_totals);
/* Counts the redemptions again.  SOUK_ECORRUPT with the first code or counter that is not their number. */
SOUK_CHECKED souk_err souk_coupons_verify(souk_ledger *ledger, souk_diag *diag);

#endif
