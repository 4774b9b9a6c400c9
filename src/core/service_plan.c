/* service_plan.c - a plan that answers a call (service.h). */
#include "core/service.h"

struct deed {
    souk_plan plan;
    souk_call *call;
    souk_once bare; /* where no key came */
    souk_tx *tx;    /* while tell writes */
    int status;
    souk_err (*tell)(souk_plan *plan, souk_json_writer *out);
};

static struct deed *deed_of(souk_plan *plan)
{
    return SOUK_JOB_OWNER(plan, struct deed, plan);
}

souk_plan *souk_call_plan(souk_call *call)
{
    souk_assert(!call->route || !call->route->secret); /* its answer is kept as it is */
    struct deed *deed = souk_arena_get(&call->arena, sizeof *deed);
    if (call->arena.failed)
        return NULL;
    *deed = (struct deed){.call = call, .bare = {.body = {.mem = call->arena.mem}}};
    deed->plan = (souk_plan){.arena = &call->arena,
                             .once = call->once ? call->once : &deed->bare,
                             .at = souk_clock_now_ms(souk_spine_clock(call->spine)),
                             .merchant = call->caller.merchant};
    return &deed->plan;
}

static souk_err tell(souk_plan *plan, souk_tx *tx)
{
    struct deed *deed = deed_of(plan);
    souk_once *once = plan->once;
    souk_buf_clear(&once->body);
    souk_json_writer out = {.out = &once->body};
    deed->tx = tx;
    once->status = deed->status;
    memcpy(once->type, "application/json", sizeof "application/json");
    SOUK_TRY(deed->tell(plan, &out));
    return souk_json_write_check(&out);
}

souk_tx *souk_call_plan_tx(souk_plan *plan)
{
    return deed_of(plan)->tx;
}

/* The once lies in the call's arena, which goes with the call: what is sent is taken out of it. */
static void answer(souk_plan *plan, souk_err err)
{
    struct deed *deed = deed_of(plan);
    souk_call *call = deed->call;
    souk_buf body = plan->once->body;
    plan->once->body = (souk_buf){.mem = body.mem};
    if (err) {
        if (plan->diag.words[0])
            call->diag = plan->diag;
        souk_call_fail(call, err);
    } else {
        if (plan->again)
            souk_call_add_header(call, "Idempotency-Replayed", SOUK_TEXT("true"));
        souk_call_answer_text(call, plan->once->status, plan->once->type, souk_buf_view(&body));
    }
    souk_buf_done(&body);
}

void souk_call_run(souk_call *call, const souk_effect_owners *owners, souk_plan *plan, int status,
                   souk_err (*tell_answer)(souk_plan *plan, souk_json_writer *out))
{
    struct deed *deed = deed_of(plan);
    deed->status = status;
    deed->tell = tell_answer;
    plan->tell = tell;
    plan->done = answer;
    call->planned = true;
    souk_err err = souk_plan_submit(souk_spine_ledger(call->spine), owners, plan);
    if (err)
        answer(plan, err);
}
