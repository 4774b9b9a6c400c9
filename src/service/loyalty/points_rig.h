/* points_rig.h - for tests of points.h: one act at a time on a ledger, and the words it was refused with.
 *
 * Stands after test/test.h and store/ledger_shop.h. */
#ifndef SOUK_SERVICE_LOYALTY_POINTS_RIG_H
#define SOUK_SERVICE_LOYALTY_POINTS_RIG_H

#include "service/loyalty/family.h"
#include "service/loyalty/points.h"

enum { RIG_MERCHANT = 1 };
#define RIG_DAY ((int64_t)SOUK_DAY_MS)
#define RIG_NOW INT64_C(1767268800000) /* 2026-01-01T12:00Z */

static const souk_effect_owners points_owners = {
    .of = {[SOUK_EFFECT_POINTS] = {souk_points_apply, NULL}}};

static inline bool has_migrated(souk_test *test, struct shop *shop)
{
    SOUK_MUST(souk_points_migrate(shop->ledger, NULL));
    SOUK_MUST(souk_family_migrate(shop->ledger, NULL));
    SOUK_MUST(souk_tiers_migrate(shop->ledger, NULL));
    return true;
}
#define EACH_BANK(shop, ...)     \
    EACH_SHOP(shop, __VA_ARGS__) \
    if (has_migrated(test, &shop))

/* Acts in one plan, in a transaction. */
static inline souk_err points_do(struct shop *shop, souk_points_act *acts, const int64_t *points,
                                 size_t count, souk_diag *ret_diag)
{
    souk_arena arena = {.mem = souk_mem_heap()};
    souk_plan plan = {.arena = &arena, .merchant = RIG_MERCHANT, .at = acts->at};
    for (size_t i = 0; i < count; i++)
        souk_plan_add(&plan, SOUK_EFFECT_POINTS, SOUK_TEXT("points"), points[i], &acts[i]);
    souk_err err = souk_plan_run(shop->ledger, &points_owners, &plan);
    if (ret_diag)
        *ret_diag = plan.diag;
    souk_arena_done(&arena);
    return err;
}

static inline souk_hash128 receipt_of(uint64_t number)
{
    return (souk_hash128){number, 77};
}

struct rig_read {
    const souk_purse *purses;
    size_t count;
    souk_time at;
    souk_points_balance balance;
};

static inline souk_err rig_read_closure(souk_tx *tx, void *context)
{
    struct rig_read *read = context;
    return souk_points_read(tx, RIG_MERCHANT, read->purses, read->count, read->at, &read->balance);
}

static inline souk_points_balance balance_of(souk_test *test, struct shop *shop,
                                             const souk_purse *purses, size_t count, souk_time at)
{
    struct rig_read read = {purses, count, at, {0}};
    SOUK_MUST(souk_ledger_read(shop->ledger, rig_read_closure, &read));
    return read.balance;
}

static inline souk_err earn_points(struct shop *shop, souk_purse purse, uint64_t receipt,
                                   int64_t points, souk_time at, souk_time expires)
{
    souk_points_share share = {.line = 1, .points = points, .spend_minor = 100 * points};
    souk_points_act act = {.kind = SOUK_POINTS_EARNED,
                           .purses = &purse,
                           .purse_count = 1,
                           .receipt = receipt_of(receipt),
                           .at = at,
                           .expires = expires,
                           .spend_minor = 100 * points,
                           .shares = &share,
                           .share_count = 1};
    return points_do(shop, &act, &points, 1, NULL);
}

static inline souk_err burn_points(struct shop *shop, const souk_purse *purses, size_t count,
                                   uint64_t receipt, int64_t points, souk_time at,
                                   souk_diag *ret_diag)
{
    souk_points_act act = {.kind = SOUK_POINTS_BURNED,
                           .purses = purses,
                           .purse_count = count,
                           .receipt = receipt_of(receipt),
                           .at = at};
    return points_do(shop, &act, &points, 1, ret_diag);
}

static inline souk_err give_points(struct shop *shop, uint64_t receipt, int64_t points,
                                   souk_time at, int64_t grace_ms, souk_diag *ret_diag)
{
    souk_points_act act = {
        .kind = SOUK_POINTS_GIVEN, .receipt = receipt_of(receipt), .at = at, .grace_ms = grace_ms};
    return points_do(shop, &act, &points, 1, ret_diag);
}

static inline souk_err claw_points(struct shop *shop, uint64_t receipt, int64_t quantity,
                                   int64_t sold, souk_time at, int64_t debt_most,
                                   int64_t *ret_forgiven, souk_diag *ret_diag)
{
    souk_points_back back = {1, {quantity}, {sold}};
    int64_t none = 0;
    souk_points_act act = {.kind = SOUK_POINTS_CLAWED,
                           .receipt = receipt_of(receipt),
                           .at = at,
                           .backs = &back,
                           .back_count = 1,
                           .debt_most = debt_most};
    souk_err err = points_do(shop, &act, &none, 1, ret_diag);
    *ret_forgiven = act.forgiven;
    return err;
}

static inline souk_err expire_points(struct shop *shop, souk_time now)
{
    bool more = true;
    while (more)
        SOUK_TRY(souk_points_expire(shop->ledger, now, 3, &more));
    return SOUK_OK;
}

#endif
