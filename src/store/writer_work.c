/* writer_work.c - bringing work to the writer, and waiting for it: see writer.h. */
#include "store/writer_inside.h"

souk_err souk_writer_submit(souk_writer *writer, souk_job *job)
{
    souk_assert(job->lane < SOUK_LANE_COUNT && job->apply && job->after);
    job->err = SOUK_OK;
    souk_err err = souk_writer_failed(writer);
    if (!err && writer->tills && job->lane == SOUK_LANE_TILL)
        return souk_tills_submit(writer->tills, job);
    souk_mutex_lock(&writer->lock);
    if (!err && writer->stopping)
        err = SOUK_ESTOPPED;
    if (!err && writer->lanes[job->lane].count >= writer->options.queue_jobs) {
        err = SOUK_EBUSY;
        writer->counters.busy++;
    }
    if (!err) {
        queue_push(&writer->lanes[job->lane], job);
        souk_cond_signal(&writer->wake);
    }
    souk_mutex_unlock(&writer->lock);
    if (!err)
        writer_run_here(writer);
    return err;
}

/* A caller who waits on its stack. */
struct waiter {
    souk_job job;
    souk_writer *writer;
    souk_tx_closure *apply;
    void *context;
    souk_cond answered;
    bool over;
    souk_err err;
};

static souk_err waiter_apply(souk_tx *tx, souk_job *job)
{
    struct waiter *waiter = SOUK_JOB_OWNER(job, struct waiter, job);
    return waiter->apply(tx, waiter->context);
}

static void waiter_after(souk_job *job, souk_err err)
{
    struct waiter *waiter = SOUK_JOB_OWNER(job, struct waiter, job);
    souk_writer *writer = waiter->writer;
    souk_mutex_lock(&writer->lock);
    waiter->err = err;
    waiter->over = true;
    souk_cond_signal(&waiter->answered); /* under the lock: the waiter's stack is still there */
    souk_mutex_unlock(&writer->lock);
}

souk_err souk_writer_write(souk_writer *writer, enum souk_lane lane, souk_tx_closure *apply,
                           void *context)
{
    writer_assert_outside(writer);
    struct waiter waiter = {.job = {.lane = lane, .apply = waiter_apply, .after = waiter_after},
                            .writer = writer,
                            .apply = apply,
                            .context = context};
    souk_cond_init(&waiter.answered);
    souk_err err = souk_writer_submit(writer, &waiter.job);
    if (!err) {
        souk_mutex_lock(&writer->lock);
        souk_assert(writer->has_thread || waiter.over); /* nobody would ever run what is held */
        while (!waiter.over)
            souk_cond_wait(&waiter.answered, &writer->lock);
        souk_mutex_unlock(&writer->lock);
        err = waiter.err;
    }
    souk_cond_done(&waiter.answered);
    return err;
}

souk_err souk_writer_checkpoint(souk_writer *writer, bool truncate)
{
    writer_assert_outside(writer);
    struct request request = {.truncate = truncate};
    souk_mutex_lock(&writer->lock);
    while (writer->request && !writer->stopping)
        souk_cond_wait(&writer->served, &writer->lock);
    if (writer->stopping || !writer->has_thread) {
        bool stopping = writer->stopping;
        souk_mutex_unlock(&writer->lock);
        return stopping ? SOUK_ESTOPPED : writer_checkpoint_now(writer, truncate);
    }
    writer->request = &request;
    souk_cond_signal(&writer->wake);
    while (!request.over)
        souk_cond_wait(&writer->served, &writer->lock);
    souk_mutex_unlock(&writer->lock);
    return request.err;
}

void souk_writer_hold(souk_writer *writer)
{
    souk_mutex_lock(&writer->lock);
    writer->held++;
    souk_mutex_unlock(&writer->lock);
    if (writer->tills)
        souk_tills_hold(writer->tills);
}

void souk_writer_release(souk_writer *writer)
{
    souk_mutex_lock(&writer->lock);
    souk_assert(writer->held > 0);
    writer->held--;
    souk_cond_signal(&writer->wake);
    souk_mutex_unlock(&writer->lock);
    if (writer->tills)
        souk_tills_release(writer->tills);
    writer_run_here(writer);
}

/* A closure runs again: it may be on the list already. */
void souk_writer_watch(souk_writer *writer, souk_watch *watch, bool on)
{
    souk_watch **at = &writer->watches;
    while (*at && *at != watch)
        at = &(*at)->next;
    if (*at)
        *at = watch->next;
    if (!on)
        return;
    watch->next = writer->watches;
    writer->watches = watch;
}

void souk_writer_found_room(souk_writer *writer)
{
    if (writer->tills)
        souk_tills_found_room(writer->tills);
    souk_auto_lock(&writer->lock);
    writer->full = false;
}

souk_err souk_writer_failed(souk_writer *writer)
{
    souk_err tills = writer->tills ? souk_tills_failed(writer->tills) : SOUK_OK;
    souk_auto_lock(&writer->lock);
    return writer->failed ? writer->failed : tills;
}
