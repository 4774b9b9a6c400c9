/* points_inside.h - what the files of points.h share: accounts held by a transaction, and taking from their lots. */
#ifndef SOUK_SERVICE_LOYALTY_POINTS_INSIDE_H
#define SOUK_SERVICE_LOYALTY_POINTS_INSIDE_H

#include "service/loyalty/points.h"

/* An account whose row this transaction has: nobody else changes it, its lots or its entries. */
typedef struct points_held {
    souk_purse purse;
    bool creates;        /* it may be new */
    int64_t minus, plus; /* known before it is held: part of the statement that holds it */
    int64_t id;          /* 0: there is none */
    int64_t owed;        /* as it is now */
} points_held;

typedef struct points_doing {
    souk_tx *tx;
    souk_plan *plan;
    points_held *held;
    size_t held_count, held_room;
} points_doing;

/* What an entry says besides its account. */
typedef struct points_note {
    souk_points_kind kind;
    souk_time at, counts_at; /* counts_at: when it counts for tiers */
    int64_t points, owed, forgiven, spend_minor;
    souk_hash128 receipt;
    souk_text reason, by;
} points_note;

/* NULL: it is not among them. */
points_held *points_find(points_doing *doing, souk_purse purse);
points_held *points_find_id(points_doing *doing, int64_t account);
/* Among those that are to be held. */
SOUK_CHECKED souk_err points_want(points_doing *doing, souk_purse purse, points_held **ret_held);
/* Locks them, in their order.  SOUK_ECONFLICT: one has fewer points than `minus`. */
SOUK_CHECKED souk_err points_hold(points_doing *doing);

SOUK_CHECKED souk_err points_write_entry(souk_tx *tx, int64_t account, const points_note *note,
                                         int64_t *ret_entry);
/* Writes the parts of an entry that takes up to `points` from lots open at `at`, first_lot before all others, and takes
 * them; *ret_taken is what there was. */
SOUK_CHECKED souk_err points_take(souk_tx *tx, int64_t account, int64_t entry, int64_t points,
                                  souk_time at, int64_t first_lot, int64_t *ret_taken);
/* Changes a held account by so much. */
SOUK_CHECKED souk_err points_change(souk_tx *tx, points_held *held, int64_t points, int64_t owed);
/* Books what expired of a held account. */
SOUK_CHECKED souk_err points_lapse(souk_tx *tx, points_held *held, souk_time at);
/* Pays the debt of a held account out of its lots. */
SOUK_CHECKED souk_err points_settle(points_doing *doing, points_held *held, souk_time at);

/* The accounts that a receipt has entries of, of this kind. */
SOUK_CHECKED souk_err points_want_receipt(points_doing *doing, souk_hash128 receipt,
                                          souk_points_kind kind);
SOUK_CHECKED souk_err points_claw(points_doing *doing, souk_points_act *act);
SOUK_CHECKED souk_err points_give(points_doing *doing, souk_points_act *act, int64_t points);

#endif
