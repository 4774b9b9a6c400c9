/* tills.c - see tills.h.  One queue, one lock, and threads that are alike. */
#include "store/tills.h"

#include "os/thread.h"
#include "store/queue.h"

enum {
    ATTEMPTS = 12 /* of one closure that asks to be run again: about half a second of pauses */
};

struct till {
    souk_tills *tills;
    souk_tx *tx; /* its thread's alone; NULL: not connected yet */
    souk_thread thread;
};

struct souk_tills {
    souk_mem *mem;
    const souk_ledger_backend *backend;
    void *place;
    souk_ledger_options options;

    souk_mutex lock; /* over all that follows */
    souk_cond wake;
    struct queue queue;
    unsigned held;
    bool stopping, abandoned, full;
    souk_err failed;
    souk_ledger_counters
        counters; /* groups, jobs, refused_jobs, rerun_groups, busy, slice_max_us */
    struct latency commits;
    unsigned count;
    struct till till[]; /* [count] */
};

static uint64_t now_us(const souk_tills *tills)
{
    return (uint64_t)souk_clock_monotonic_ns(tills->options.clock) / 1000u;
}

/* ---- one job ------------------------------------------------------------------------------------ */

static void count_commit(souk_tills *tills, uint64_t slice_us, uint64_t commit_us)
{
    souk_auto_lock(&tills->lock);
    tills->counters.groups++;
    tills->counters.jobs++;
    if (slice_us > tills->counters.slice_max_us)
        tills->counters.slice_max_us = slice_us;
    latency_add(&tills->commits, commit_us);
}

static souk_err run_closure(souk_tx *tx, souk_job *job)
{
    tx->failed = SOUK_OK;
    tx->changed = 0;
    tx->words[0] = '\0';
    souk_err err = job->apply(tx, job);
    souk_assert(tx->open_rows == 0); /* the closure left a cursor behind */
    return err && tx->failed != SOUK_ERETRY ? err : tx->failed;
}

static souk_err run_once(struct till *till, souk_job *job)
{
    souk_tills *tills = till->tills;
    const souk_ledger_backend *backend = tills->backend;
    if (!till->tx)
        SOUK_TRY(backend->connect(tills->place, true, &till->tx, NULL));
    SOUK_TRY(backend->begin(till->tx));
    uint64_t began_us = now_us(tills);
    souk_err err = run_closure(till->tx, job);
    uint64_t ran_us = now_us(tills);
    if (!err)
        err = backend->commit(till->tx);
    if (err)
        backend->rollback(till->tx);
    else
        count_commit(tills, ran_us - began_us, now_us(tills) - ran_us);
    return err;
}

static souk_err run_job(struct till *till, souk_job *job)
{
    souk_tills *tills = till->tills;
    souk_err err = SOUK_ERETRY;
    for (unsigned attempt = 0; attempt < ATTEMPTS && err == SOUK_ERETRY; attempt++) {
        if (attempt) {
            souk_ledger_pause(attempt - 1);
            souk_auto_lock(&tills->lock);
            tills->counters.rerun_groups++;
        }
        err = run_once(till, job);
        if (till->tx && till->tx->doubtful)
            err = SOUK_EIO;
    }
    return err;
}

static void answer(struct till *till, souk_job *job, souk_err err)
{
    souk_tills *tills = till->tills;
    souk_mutex_lock(&tills->lock);
    tills->counters.refused_jobs += err != SOUK_OK;
    tills->full |= err == SOUK_EFULL;
    if (till->tx && till->tx->doubtful)
        tills->failed = SOUK_EIO; /* before anybody hears of it */
    souk_mutex_unlock(&tills->lock);
    job->after(job, err); /* the job may be gone from here on */
}

/* ---- the threads ---------------------------------------------------------------------------------- */

static void till_body(void *context)
{
    struct till *till = context;
    souk_tills *tills = till->tills;
    souk_mutex_lock(&tills->lock);
    for (;;) {
        bool ready = tills->queue.count && (!tills->held || tills->stopping);
        if (!ready && tills->stopping)
            break;
        if (!ready) {
            souk_cond_wait(&tills->wake, &tills->lock);
            continue;
        }
        souk_job *job = queue_pop(&tills->queue);
        souk_err err = tills->abandoned ? SOUK_ESTOPPED : tills->failed;
        souk_mutex_unlock(&tills->lock);
        answer(till, job, err ? err : run_job(till, job));
        souk_mutex_lock(&tills->lock);
    }
    souk_mutex_unlock(&tills->lock);
}

souk_err souk_tills_new(souk_mem *mem, const souk_ledger_backend *backend, void *place,
                        const souk_ledger_options *options, souk_tills **ret_tills)
{
    souk_tills *tills = souk_mem_get(mem, sizeof *tills + options->writers * sizeof tills->till[0]);
    if (!tills)
        return SOUK_ENOMEM;
    tills->mem = mem;
    tills->backend = backend;
    tills->place = place;
    tills->options = *options;
    tills->count = options->writers;
    souk_mutex_init(&tills->lock);
    souk_cond_init(&tills->wake);
    queue_init(&tills->queue);
    souk_err err = SOUK_OK;
    for (unsigned i = 0; i < tills->count && !err; i++) {
        tills->till[i].tills = tills;
        err = souk_thread_start(&tills->till[i].thread, "ledger-till", till_body, &tills->till[i]);
    }
    if (err)
        souk_tills_free(tills);
    else
        *ret_tills = tills;
    return err;
}

void souk_tills_stop(souk_tills *tills, bool abandon)
{
    souk_mutex_lock(&tills->lock);
    tills->stopping = true;
    tills->abandoned |= abandon;
    souk_cond_broadcast(&tills->wake);
    souk_mutex_unlock(&tills->lock);
    for (unsigned i = 0; i < tills->count; i++) {
        struct till *till = &tills->till[i];
        souk_thread_join(&till->thread);
        if (till->tx)
            tills->backend->disconnect(till->tx, !abandon);
        till->tx = NULL;
    }
}

void souk_tills_free(souk_tills *tills)
{
    if (!tills)
        return;
    souk_tills_stop(tills, true);
    souk_cond_done(&tills->wake);
    souk_mutex_done(&tills->lock);
    souk_mem_put(tills->mem, tills);
}

/* ---- bringing work --------------------------------------------------------------------------------- */

souk_err souk_tills_submit(souk_tills *tills, souk_job *job)
{
    souk_assert(job->apply && job->after);
    souk_auto_lock(&tills->lock);
    SOUK_TRY(tills->failed);
    if (tills->stopping)
        return SOUK_ESTOPPED;
    if (tills->queue.count >= tills->options.queue_jobs) {
        tills->counters.busy++;
        return SOUK_EBUSY;
    }
    queue_push(&tills->queue, job);
    souk_cond_signal(&tills->wake);
    return SOUK_OK;
}

void souk_tills_hold(souk_tills *tills)
{
    souk_auto_lock(&tills->lock);
    tills->held++;
}

void souk_tills_release(souk_tills *tills)
{
    souk_auto_lock(&tills->lock);
    souk_assert(tills->held > 0);
    tills->held--;
    souk_cond_broadcast(&tills->wake);
}

bool souk_tills_is_inside(const souk_tills *tills)
{
    for (unsigned i = 0; i < tills->count; i++)
        if (pthread_equal(pthread_self(), tills->till[i].thread.id))
            return true;
    return false;
}

souk_err souk_tills_failed(souk_tills *tills)
{
    souk_auto_lock(&tills->lock);
    return tills->failed;
}

void souk_tills_found_room(souk_tills *tills)
{
    souk_auto_lock(&tills->lock);
    tills->full = false;
}

void souk_tills_count(souk_tills *tills, souk_ledger_counters *counters, struct latency *commits)
{
    souk_auto_lock(&tills->lock);
    const souk_ledger_counters *ours = &tills->counters;
    counters->groups += ours->groups;
    counters->jobs += ours->jobs;
    counters->refused_jobs += ours->refused_jobs;
    counters->rerun_groups += ours->rerun_groups;
    counters->busy += ours->busy;
    if (ours->slice_max_us > counters->slice_max_us)
        counters->slice_max_us = ours->slice_max_us;
    counters->full |= tills->full;
    counters->failed = counters->failed ? counters->failed : tills->failed;
    counters->queued[SOUK_LANE_TILL] += tills->queue.count;
    latency_merge(commits, &tills->commits);
}
