/* pulse.c - the questions of pulse.h. */
#include "serve/pulse.h"

#include <stdatomic.h>

struct souk_pulse {
    souk_mem *mem;
    souk_pulse_parts parts;
    souk_job job;
    atomic_bool in_queue; /* the job is the writer's */
    bool refused;         /* its queue was full: then `groups` must grow */
    uint64_t groups;      /* committed when it was asked */
};

static souk_err do_nothing(souk_tx *tx, souk_job *job)
{
    (void)tx;
    (void)job;
    return SOUK_OK;
}

/* Any answer will do: an error comes from a writer that works. */
static void note_answer(souk_job *job, souk_err err)
{
    souk_pulse *pulse = SOUK_JOB_OWNER(job, souk_pulse, job);
    (void)err;
    atomic_store(&pulse->in_queue, false);
}

souk_err souk_pulse_new(souk_mem *mem, const souk_pulse_parts *parts, souk_pulse **ret_pulse)
{
    souk_pulse *pulse = souk_mem_get(mem, sizeof *pulse);
    if (!pulse)
        return SOUK_ENOMEM;
    pulse->mem = mem;
    pulse->parts = *parts;
    pulse->job = (souk_job){.lane = SOUK_LANE_TILL, .apply = do_nothing, .after = note_answer};
    *ret_pulse = pulse;
    return SOUK_OK;
}

void souk_pulse_free(souk_pulse *pulse)
{
    if (!pulse)
        return;
    souk_assert(!atomic_load(&pulse->in_queue));
    souk_mem_put(pulse->mem, pulse);
}

static uint64_t groups_of(const souk_pulse *pulse)
{
    souk_ledger_counters counters;
    souk_ledger_count(pulse->parts.ledger, &counters);
    return counters.groups;
}

static void ask_writer(souk_pulse *pulse)
{
    if (atomic_exchange(&pulse->in_queue, true))
        return; /* it has still to answer */
    souk_err err = souk_ledger_submit(pulse->parts.ledger, &pulse->job);
    if (err)
        atomic_store(&pulse->in_queue, false);
    pulse->refused = err == SOUK_EBUSY; /* stopped or failed: whoever watches that acts upon it */
    if (pulse->refused)
        pulse->groups = groups_of(pulse);
}

void souk_pulse_ask(souk_pulse *pulse)
{
    ask_writer(pulse);
    souk_http_probe(pulse->parts.http);
    if (pulse->parts.api)
        souk_api_probe(pulse->parts.api);
}

const char *souk_pulse_silent(souk_pulse *pulse)
{
    if (atomic_load(&pulse->in_queue) || (pulse->refused && groups_of(pulse) == pulse->groups))
        return "the writer";
    if (souk_http_is_silent(pulse->parts.http))
        return "a loop";
    if (pulse->parts.api && souk_api_is_silent(pulse->parts.api))
        return "the readers of bodies";
    return NULL;
}
