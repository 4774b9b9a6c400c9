/* writer.c - lanes, groups, one sync for many: see writer.h and ledger.h.
 *
 * A group runs at most three ways, each tried only where the one before could not stand:
 *
 *     together    jobs are taken while they run, straight into one transaction; only those that
 *                 announce failure (may_fail) get a savepoint.  The ordinary case.
 *     shielded    a job failed: the same jobs again, each in a savepoint, so that the guilty one
 *                 alone gets its error and the others still share one sync.
 *     alone       the transaction itself was lost on the way (no memory, disk full, a deferred
 *                 constraint at the commit): a transaction for each. */
#include "store/writer_inside.h"

enum { ATTEMPTS = 8 /* of one job that asks to be run again */ };

static uint64_t now_us(const souk_writer *writer)
{
    return (uint64_t)souk_clock_monotonic_ns(writer->options.clock) / 1000u;
}

/* ---- queues ------------------------------------------------------------------------------ */

static bool has_jobs(const souk_writer *writer)
{
    for (size_t lane = 0; lane < SOUK_LANE_COUNT; lane++)
        if (writer->lanes[lane].count)
            return true;
    return false;
}

/* Moves the most urgent job into the group; NULL where none waits. */
static souk_job *take_job(souk_writer *writer, struct queue *group)
{
    souk_job *job = NULL;
    souk_mutex_lock(&writer->lock);
    for (size_t lane = 0; lane < SOUK_LANE_COUNT && !job; lane++)
        job = queue_pop(&writer->lanes[lane]);
    souk_mutex_unlock(&writer->lock);
    if (job)
        queue_push(group, job);
    return job;
}

/* ---- counters ------------------------------------------------------------------------------ */

static void count_group(souk_writer *writer, const struct queue *group, uint64_t slice_us,
                        uint64_t commit_us)
{
    souk_ledger_counters *counters = &writer->counters;
    souk_mutex_lock(&writer->lock);
    counters->groups++;
    counters->jobs += group->count;
    counters->written_bytes = writer->tx->written_bytes;
    counters->wal_bytes = writer->tx->log_pages * 4096;
    if (slice_us > counters->slice_max_us)
        counters->slice_max_us = slice_us;
    latency_add(&writer->commits, commit_us);
    souk_mutex_unlock(&writer->lock);
}

void souk_writer_count(souk_writer *writer, souk_ledger_counters *ret_counters)
{
    souk_mutex_lock(&writer->lock);
    souk_ledger_counters counters = writer->counters;
    struct latency commits = writer->commits;
    counters.failed = writer->failed;
    counters.full = writer->full;
    for (size_t lane = 0; lane < SOUK_LANE_COUNT; lane++)
        counters.queued[lane] = writer->lanes[lane].count;
    souk_mutex_unlock(&writer->lock);
    if (writer->tills)
        souk_tills_count(writer->tills, &counters, &commits);
    counters.commit_max_us = commits.most_us;
    counters.commit_p50_us = latency_percentile(&commits, 50);
    counters.commit_p99_us = latency_percentile(&commits, 99);
    *ret_counters = counters;
}

/* ---- groups -------------------------------------------------------------------------------- */

static bool in_transaction(souk_writer *writer)
{
    return writer->tx->backend->is_open(writer->tx);
}

static void tell_end(souk_writer *writer, bool committed)
{
    for (souk_watch *watch = writer->watches; watch; watch = watch->next)
        watch->end(watch, committed);
}

static void roll_back(souk_writer *writer)
{
    tell_end(writer, false);
    writer->tx->backend->rollback(writer->tx);
    if (in_transaction(writer))
        writer->tx->doubtful = true; /* what cannot be undone must not be committed by the next */
}

/* Ends the closure: undone where it failed.  The transaction is over where even that fails. */
static void end_savepoint(souk_writer *writer, souk_err err)
{
    souk_tx *tx = writer->tx;
    if (!in_transaction(writer))
        return;
    for (souk_watch *watch = writer->watches; watch && err; watch = watch->next)
        watch->undo(watch);
    souk_err end_err = err ? tx->backend->rollback_to(tx) : tx->backend->release(tx);
    if (end_err && in_transaction(writer))
        roll_back(writer);
}

/* Runs one job in the open transaction, behind a savepoint where shielded. */
static souk_err run_job(souk_writer *writer, souk_job *job, bool shielded)
{
    souk_tx *tx = writer->tx;
    tx->failed = SOUK_OK;
    tx->changed = 0;
    tx->words[0] = '\0';
    if (shielded) {
        SOUK_TRY(tx->backend->savepoint(tx));
        for (souk_watch *watch = writer->watches; watch; watch = watch->next)
            watch->mark(watch);
    }
    souk_err err = job->apply(tx, job);
    souk_assert(tx->open_rows == 0); /* the closure left a cursor behind */
    if (!err || tx->failed == SOUK_ERETRY)
        err = tx->failed;
    if (shielded)
        end_savepoint(writer, err);
    return err;
}

static void give(struct queue *group, souk_err err)
{
    for (souk_job *job = group->first; job; job = job->next)
        if (!job->err)
            job->err = err;
}

/* After a failed sync nobody knows what is on the disk: all of the group hears that. */
static bool is_doubtful(souk_writer *writer, struct queue *group)
{
    if (!writer->tx->doubtful)
        return false;
    souk_mutex_lock(&writer->lock);
    writer->failed = SOUK_EIO;
    souk_mutex_unlock(&writer->lock);
    if (group)
        give(group, SOUK_EIO);
    return true;
}

/* Commits the open transaction; false where its jobs should be tried one by one. */
static bool commit_group(souk_writer *writer, struct queue *group, uint64_t began_us)
{
    uint64_t ran_us = now_us(writer);
    /* A sync that failed while a closure ran must not be followed by one that seems to succeed. */
    souk_err err = writer->tx->doubtful ? SOUK_EIO : writer->tx->backend->commit(writer->tx);
    if (!err) {
        tell_end(writer, true);
        count_group(writer, group, ran_us - began_us, now_us(writer) - ran_us);
        return true;
    }
    roll_back(writer);
    if (is_doubtful(writer, group))
        return true;
    if (err == SOUK_ERETRY || (err == SOUK_ECONFLICT && group->count > 1))
        return false;
    give(group, err);
    return true;
}

/* Takes jobs and runs them as they come; false where the group must be run again. */
static bool run_together(souk_writer *writer, struct queue *group)
{
    uint64_t began_us = now_us(writer);
    souk_job *job = take_job(writer, group);
    souk_assert(job != NULL);
    if ((job->err = writer->tx->backend->begin(writer->tx)) != SOUK_OK)
        return is_doubtful(writer, group) || job->err != SOUK_ERETRY;
    do {
        job->err = run_job(writer, job, job->may_fail);
        bool stands = !job->err || (job->may_fail && job->err != SOUK_ERETRY);
        if (!stands || !in_transaction(writer)) {
            roll_back(writer);
            return is_doubtful(writer, group) || (group->count == 1 && job->err != SOUK_ERETRY);
        }
        /* A simulation without a thread must not depend on how fast the machine is. */
        if (!writer->options.no_thread && now_us(writer) - began_us >= writer->options.slice_us)
            break;
    } while (group->count < writer->options.group_jobs && (job = take_job(writer, group)));
    return commit_group(writer, group, began_us);
}

/* The same jobs again, each behind a savepoint; false where the transaction did not hold. */
static bool run_shielded(souk_writer *writer, struct queue *group)
{
    uint64_t began_us = now_us(writer);
    for (souk_job *job = group->first; job; job = job->next)
        job->err = SOUK_OK;
    if (writer->tx->backend->begin(writer->tx) != SOUK_OK)
        return is_doubtful(writer, group);
    for (souk_job *job = group->first; job; job = job->next) {
        job->err = run_job(writer, job, true);
        if (job->err == SOUK_ERETRY || !in_transaction(writer)) {
            roll_back(writer);
            return is_doubtful(writer, group);
        }
    }
    return commit_group(writer, group, began_us);
}

static void run_alone(souk_writer *writer, souk_job *job)
{
    struct queue group = {.first = job, .end = &job->next, .count = 1};
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        uint64_t began_us = now_us(writer);
        if (attempt && writer->tx->backend->parallel)
            souk_ledger_pause((unsigned)attempt);
        job->err = writer->tx->backend->begin(writer->tx);
        if (!job->err && !(job->err = run_job(writer, job, false)))
            job->err = commit_group(writer, &group, began_us) ? job->err : SOUK_ERETRY;
        else
            roll_back(writer);
        if (is_doubtful(writer, &group) || job->err != SOUK_ERETRY)
            return;
    }
}

static void run_each_alone(souk_writer *writer, struct queue *group)
{
    for (souk_job *job = group->first, *next; job; job = next) {
        next = job->next;
        job->next = NULL;
        if (writer->tx->doubtful)
            job->err = SOUK_EIO;
        else
            run_alone(writer, job);
        job->next = next;
    }
}

static void answer(souk_writer *writer, struct queue *group)
{
    uint64_t refused = 0;
    bool full = false;
    for (souk_job *job = group->first; job; job = job->next) {
        refused += job->err != SOUK_OK;
        full |= job->err == SOUK_EFULL;
    }
    souk_mutex_lock(&writer->lock);
    writer->counters.refused_jobs += refused;
    writer->full |= full; /* before anybody hears of it */
    souk_mutex_unlock(&writer->lock);
    for (souk_job *job; (job = queue_pop(group));)
        job->after(job, job->err); /* the job may be gone from here on */
}

static souk_err move_log(souk_writer *writer, bool truncate)
{
    souk_tx *tx = writer->tx;
    uint64_t began_us = now_us(writer);
    souk_err err = tx->backend->checkpoint(tx, truncate);
    uint64_t took_us = now_us(writer) - began_us;
    writer->checked_pages = tx->log_pages;
    souk_mutex_lock(&writer->lock);
    souk_ledger_counters *counters = &writer->counters;
    counters->checkpoints += err == SOUK_OK;
    counters->wal_bytes = tx->log_pages * 4096;
    if (took_us > counters->checkpoint_max_us)
        counters->checkpoint_max_us = took_us;
    souk_mutex_unlock(&writer->lock);
    return is_doubtful(writer, NULL) ? SOUK_EIO : err;
}

/* The log is moved into the file when it has grown by a fixed step since the last time: a reader who
 * stands in the way then costs one vain attempt a step and not one a group. */
static void keep_log_short(souk_writer *writer)
{
    uint64_t step = writer->options.checkpoint_pages, pages = writer->tx->log_pages;
    if (pages < writer->checked_pages)
        writer->checked_pages = 0; /* it began anew */
    if (writer->tx->doubtful || pages - writer->checked_pages < step)
        return;
    /* An I/O error stays with the writer; after any other the log stays for the next step. */
    souk_err err = move_log(writer, pages >= 8 * step);
    (void)err;
}

static void run_group(souk_writer *writer)
{
    struct queue group;
    queue_init(&group);
    if (souk_writer_failed(writer)) {
        while (take_job(writer, &group))
            ;
        give(&group, SOUK_EIO);
    } else if (!run_together(writer, &group)) {
        souk_mutex_lock(&writer->lock);
        writer->counters.rerun_groups++;
        souk_mutex_unlock(&writer->lock);
        if (!run_shielded(writer, &group))
            run_each_alone(writer, &group);
    }
    answer(writer, &group);
    keep_log_short(writer);
}

/* ---- the thread ---------------------------------------------------------------------------- */

static void drop_queued(souk_writer *writer)
{
    struct queue group;
    queue_init(&group);
    while (take_job(writer, &group))
        ;
    give(&group, SOUK_ESTOPPED);
    answer(writer, &group);
}

souk_err writer_checkpoint_now(souk_writer *writer, bool truncate)
{
    SOUK_TRY(souk_writer_failed(writer));
    return move_log(writer, truncate);
}

static void serve_request(souk_writer *writer, struct request *request)
{
    souk_mutex_unlock(&writer->lock);
    souk_err err = writer_checkpoint_now(writer, request->truncate);
    souk_mutex_lock(&writer->lock);
    request->err = err;
    request->over = true;
    writer->request = NULL;
    souk_cond_broadcast(&writer->served);
}

static void thread_body(void *context)
{
    souk_writer *writer = context;
    souk_mutex_lock(&writer->lock);
    for (;;) {
        bool ready = has_jobs(writer) && (!writer->held || writer->stopping);
        if (writer->request) {
            serve_request(writer, writer->request);
        } else if (ready && !writer->abandoned) {
            souk_mutex_unlock(&writer->lock);
            run_group(writer);
            souk_mutex_lock(&writer->lock);
        } else if (writer->stopping) {
            break;
        } else {
            souk_cond_wait(&writer->wake, &writer->lock);
        }
    }
    souk_mutex_unlock(&writer->lock);
    drop_queued(writer);
}

/* Without a thread: whoever brings work runs it, except from within a group. */
void writer_run_here(souk_writer *writer)
{
    if (writer->has_thread || writer->running)
        return;
    writer->running = true;
    while (has_jobs(writer) && !writer->held && !writer->abandoned)
        run_group(writer);
    writer->running = false;
}

void writer_assert_outside(souk_writer *writer)
{
    /* A closure that waits for its own writer would wait for ever. */
    souk_assert(writer->has_thread ? !pthread_equal(pthread_self(), writer->thread.id)
                                   : !writer->running);
    souk_assert(!writer->tills || !souk_tills_is_inside(writer->tills));
}

souk_err souk_writer_new(souk_mem *mem, souk_tx *tx, void *place,
                         const souk_ledger_options *options, souk_writer **ret_writer)
{
    souk_writer *writer = souk_mem_get(mem, sizeof *writer);
    if (!writer)
        return SOUK_ENOMEM;
    writer->mem = mem;
    writer->tx = tx;
    writer->options = *options;
    souk_mutex_init(&writer->lock);
    souk_cond_init(&writer->wake);
    souk_cond_init(&writer->served);
    for (size_t lane = 0; lane < SOUK_LANE_COUNT; lane++)
        queue_init(&writer->lanes[lane]);
    souk_err err = SOUK_OK;
    if (!options->no_thread) {
        writer->has_thread = true; /* before the thread looks */
        err = souk_thread_start(&writer->thread, "ledger-writer", thread_body, writer);
        writer->has_thread = !err;
        if (!err && tx->backend->parallel)
            err = souk_tills_new(mem, tx->backend, place, options, &writer->tills);
    }
    if (err)
        souk_writer_free(writer);
    else
        *ret_writer = writer;
    return err;
}

void souk_writer_stop(souk_writer *writer, bool abandon)
{
    souk_mutex_lock(&writer->lock);
    bool before = writer->stopping;
    writer->stopping = true;
    writer->abandoned |= abandon;
    writer->held = 0;
    souk_cond_broadcast(&writer->wake);
    souk_mutex_unlock(&writer->lock);
    if (before)
        return;
    if (writer->tills)
        souk_tills_stop(writer->tills, abandon);
    if (writer->has_thread) {
        souk_thread_join(&writer->thread);
    } else {
        writer_run_here(writer);
        drop_queued(writer);
    }
}

void souk_writer_free(souk_writer *writer)
{
    if (!writer)
        return;
    souk_writer_stop(writer, true);
    souk_tills_free(writer->tills);
    souk_cond_done(&writer->served);
    souk_cond_done(&writer->wake);
    souk_mutex_done(&writer->lock);
    souk_mem_put(writer->mem, writer);
}
