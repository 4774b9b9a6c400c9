/* plan.c - a sorted list of effects, applied kind by kind: see plan.h. */
#include "core/plan.h"

#include <stdlib.h>

void souk_plan_add(souk_plan *plan, souk_effect_kind kind, souk_text key, int64_t amount,
                   void *what)
{
    souk_assert(kind < SOUK_EFFECT_KINDS);
    if (plan->count == SOUK_EFFECTS_MOST || key.bytes > SOUK_EFFECT_KEY_BYTES) {
        plan->arena->failed = true;
        return;
    }
    if (plan->count == plan->capacity) {
        size_t capacity = plan->capacity ? 2 * plan->capacity : 32;
        souk_effect *grown = souk_arena_get(plan->arena, capacity * sizeof *grown);
        if (plan->arena->failed)
            return;
        if (plan->count)
            memcpy(grown, plan->effects, plan->count * sizeof *grown);
        plan->effects = grown;
        plan->capacity = capacity;
    }
    souk_effect *effect = &plan->effects[plan->count];
    *effect = (souk_effect){.kind = kind,
                            .number = (uint32_t)plan->count,
                            .key = {souk_arena_copy(plan->arena, key.at, key.bytes), key.bytes},
                            .amount = amount,
                            .what = what};
    plan->count += !plan->arena->failed;
}

static int compare(const void *left, const void *right)
{
    const souk_effect *a = left, *b = right;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    int order = souk_text_compare(a->key, b->key);
    return order ? order : (a->number > b->number) - (a->number < b->number);
}

static souk_err check(const souk_plan *plan)
{
    if (!plan->arena->failed)
        return SOUK_OK;
    return plan->count == SOUK_EFFECTS_MOST ? SOUK_ETOOBIG : SOUK_ENOMEM;
}

static souk_err apply_effects(souk_tx *tx, const souk_effect_owners *owners, souk_plan *plan)
{
    for (size_t from = 0, to; from < plan->count; from = to) {
        const souk_effect *effects = plan->effects + from;
        for (to = from + 1; to < plan->count && plan->effects[to].kind == effects->kind; to++)
            ;
        const souk_effect_owner *owner = &owners->of[effects->kind];
        souk_assert(owner->apply != NULL);
        SOUK_TRY(owner->apply(owner->state, tx, plan, effects, to - from));
    }
    return SOUK_OK;
}

souk_err souk_plan_apply(souk_tx *tx, const souk_effect_owners *owners, souk_plan *plan)
{
    SOUK_TRY(check(plan));
    plan->diag = (souk_diag){0};
    plan->again = false;
    if (plan->once) {
        souk_err err = souk_once_claim(tx, plan->once, &plan->again);
        if (err == SOUK_EREUSED)
            return souk_once_say_reused(&plan->diag);
        SOUK_TRY(err);
        if (plan->again)
            return SOUK_OK;
    }
    if (plan->count)
        qsort(plan->effects, plan->count, sizeof *plan->effects, compare);
    SOUK_TRY(apply_effects(tx, owners, plan));
    if (plan->tell)
        SOUK_TRY(plan->tell(plan, tx));
    return plan->once ? souk_once_answer(tx, plan->once) : SOUK_OK;
}

static souk_err apply_job(souk_tx *tx, souk_job *job)
{
    souk_plan *plan = SOUK_JOB_OWNER(job, souk_plan, job);
    return souk_plan_apply(tx, plan->owners, plan);
}

static void after_job(souk_job *job, souk_err err)
{
    souk_plan *plan = SOUK_JOB_OWNER(job, souk_plan, job);
    plan->done(plan, err);
}

souk_err souk_plan_submit(souk_ledger *ledger, const souk_effect_owners *owners, souk_plan *plan)
{
    SOUK_TRY(check(plan));
    plan->owners = owners;
    plan->job = (souk_job){
        .lane = SOUK_LANE_TILL, .may_fail = true, .apply = apply_job, .after = after_job};
    return souk_ledger_submit(ledger, &plan->job);
}

static souk_err apply_waiting(souk_tx *tx, void *context)
{
    souk_plan *plan = context;
    return souk_plan_apply(tx, plan->owners, plan);
}

souk_err souk_plan_run(souk_ledger *ledger, const souk_effect_owners *owners, souk_plan *plan)
{
    plan->owners = owners;
    return souk_ledger_write(ledger, SOUK_LANE_TILL, apply_waiting, plan);
}
