/* plan.h - what a basket does to the shop, decided first, then done whole or not at all.
 *
 *     souk_plan plan = {.arena = &call->arena, .once = &once, .at = now, .tell = write_answer, .context = basket};
 *     souk_plan_add(&plan, SOUK_EFFECT_STOCK, SOUK_TEXT("SH-014/6901234567892"), -2, NULL);
 *     souk_plan_add(&plan, SOUK_EFFECT_REDEEM, code_hash, 1, &coupon);
 *     souk_plan_add(&plan, SOUK_EFFECT_CHARGE, account, 1990, &charge);
 *     SOUK_TRY(souk_plan_run(ledger, owners, &plan));          durable, or nothing of it happened
 *     if (plan.again) …                                        it was done before: once holds that answer
 *
 * A service looks, prices and decides without a lock; what it decided is written down as effects, and each
 * effect says by itself what must still hold.  Applying the plan, in one transaction:
 *
 *     1  the claim of its key (once.h); a repeat ends here with the first answer
 *     2  the effects in the order of kind, key and addition; each kind goes to its owner in one call
 *     3  tell writes the answer, which is kept with the key
 *
 * Owners   one for each kind, registered by a service and plugged in by app/: it writes with predicates, looks at
 *          what changed, and refuses in words.  A refusal undoes the whole plan, its claim too
 * Order    kinds as they stand below, then keys byte for byte: whoever takes locks takes them in this order, so two
 *          plans never wait for each other in a ring (PostgreSQL; SQLite has one writer)
 * Again    the transaction may run several times (a conflict, a failed neighbour in its group): owners and tell set
 *          their results afresh and touch nothing outside the transaction but their `what`
 * Errors   the owner's, with its words in plan->diag; SOUK_ECONFLICT where a rule forbids it.  SOUK_EREUSED
 * Cost     a sort of the effects, the claim, and what the owners do; no allocation of its own
 * Threads  one plan belongs to one thread until it is submitted, then to the writer until `done` */
#ifndef SOUK_CORE_PLAN_H
#define SOUK_CORE_PLAN_H

#include "core/once.h"

/*    name     what it does */
#define SOUK_EFFECTS(X)                                                        \
    X(REDEEM, "redeems")  /* a coupon or voucher */                            \
    X(POINTS, "points")   /* burns, earns, claws back */                       \
    X(CHARGE, "charges")  /* moves money between accounts */                   \
    X(STOCK, "stock")     /* takes, reserves, puts back */                     \
    X(RECEIPT, "receipt") /* adds to a till's chain; last of what is locked */ \
    X(EMIT, "emits")      /* an event on its way to the log */
typedef enum souk_effect_kind {
#define SOUK_EFFECT_ENUM(name, words) SOUK_EFFECT_##name,
    SOUK_EFFECTS(SOUK_EFFECT_ENUM)
#undef SOUK_EFFECT_ENUM
        SOUK_EFFECT_KINDS
} souk_effect_kind;

enum { SOUK_EFFECTS_MOST = 4096, SOUK_EFFECT_KEY_BYTES = 255 };

typedef struct souk_effect {
    souk_effect_kind kind;
    uint32_t number; /* in the order of addition */
    souk_text key;   /* what it touches; empty: nothing shared */
    int64_t amount;  /* in the owner's unit */
    void *what;      /* the owner's own: particulars in, results out */
} souk_effect;

typedef struct souk_plan souk_plan;

typedef struct souk_effect_owner {
    /* All effects of the kind, in order; `count` is never 0. */
    souk_err (*apply)(void *state, souk_tx *tx, souk_plan *plan, const souk_effect *effects,
                      size_t count);
    void *state;
} souk_effect_owner;
typedef struct souk_effect_owners {
    souk_effect_owner
        of[SOUK_EFFECT_KINDS]; /* apply NULL: nobody takes this kind, a bug to plan it */
} souk_effect_owners;

struct souk_plan {
    souk_arena *arena; /* of effects and keys, until it is done */
    souk_once *once;   /* NULL: it is its own only copy (a job's) */
    souk_time at;
    uint32_t merchant;
    /* Writes status, type and body into plan->once, in the transaction, behind the effects; NULL: nothing to tell. */
    souk_err (*tell)(souk_plan *plan, souk_tx *tx);
    void *context;
    /* Called once after submit was accepted, in the writer's thread: keep it short. */
    void (*done)(souk_plan *plan, souk_err err);
    bool again;     /* told: it had been done before */
    souk_diag diag; /* told: why not */

    souk_effect *effects; /* private from here on */
    size_t count, capacity;
    const souk_effect_owners *owners;
    souk_job job;
};

/* Copies the key.  A failure (no memory, more than SOUK_EFFECTS_MOST, a key above its bytes) stays with the plan and is
 * told by whatever runs it. */
void souk_plan_add(souk_plan *plan, souk_effect_kind kind, souk_text key, int64_t amount,
                   void *what);

/* Within a closure of the caller's. */
SOUK_CHECKED souk_err souk_plan_apply(souk_tx *tx, const souk_effect_owners *owners,
                                      souk_plan *plan);
/* In the till's lane, and `done` tells.  SOUK_EBUSY, SOUK_ESTOPPED, SOUK_EIO, SOUK_ENOMEM, SOUK_ETOOBIG: refused, and
 * `done` is not called. */
SOUK_CHECKED souk_err souk_plan_submit(souk_ledger *ledger, const souk_effect_owners *owners,
                                       souk_plan *plan);
/* The same, waiting until it is durable; plan->done is not called. */
SOUK_CHECKED souk_err souk_plan_run(souk_ledger *ledger, const souk_effect_owners *owners,
                                    souk_plan *plan);

#endif
