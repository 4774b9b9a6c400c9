/* jobs.c - the thread of jobs.h, and what waits for it.
 *
 *     asked: a row, WAITING -> the queue -> RUNNING, the row again -> run -> the row a last time, ended
 *
 * `now` holds what the row does not know yet: how far the running job is; and of one that ended what could
 * not be stored.  A row that has ended is right, whatever `now` says. */
#include "serve/jobs_private.h"

#include "os/thread.h"

#include <stdio.h>

enum { KINDS_MOST = 32, TELL_NS = 1000000000, RESULT_BYTES = 65536 };

struct offer {
    const souk_work_kind *kind;
    void *state;
};

struct sound { /* a service that verifies what it holds */
    const souk_service *service;
    void *state;
};

struct waiting {
    int64_t id;
    const struct offer *offer;
    souk_buf arguments;
};

struct souk_jobs {
    souk_mem *mem;
    souk_spine *spine;
    souk_merchants *merchants;
    struct offer offers[KINDS_MOST];
    size_t offer_count;
    struct sound sound[KINDS_MOST];
    size_t sound_count;
    souk_thread thread;
    souk_mutex mutex; /* of all that follows */
    souk_cond asked;
    struct waiting waiting[SOUK_JOBS_WAITING];
    size_t waiting_count, promised; /* promised: rows being made for places in the queue */
    struct jobs_now now;
    bool runs;      /* `now` does, and can be cancelled */
    bool cancelled; /* it is to end */
    bool stopping;
    int64_t told_ns; /* of the thread alone */
};

const char *jobs_unit(const souk_jobs *jobs, souk_text kind)
{
    for (size_t i = 0; i < jobs->offer_count; i++)
        if (souk_text_equal(kind, souk_text_of(jobs->offers[i].kind->name)))
            return jobs->offers[i].kind->unit;
    return "";
}

static souk_ledger *ledger_of(const souk_jobs *jobs)
{
    return souk_spine_ledger(jobs->spine);
}

static souk_time now_ms(const souk_jobs *jobs)
{
    return souk_clock_now_ms(souk_spine_clock(jobs->spine));
}

/* ---- asking ------------------------------------------------------------------------------------------ */

static const struct offer *find_offer(const souk_jobs *jobs, souk_text kind)
{
    for (size_t i = 0; i < jobs->offer_count; i++)
        if (souk_text_equal(kind, souk_text_of(jobs->offers[i].kind->name)))
            return &jobs->offers[i];
    return NULL;
}

static souk_err promise_place(souk_jobs *jobs, souk_diag *diag)
{
    souk_auto_lock(&jobs->mutex);
    if (jobs->stopping)
        return SOUK_ESTOPPED;
    if (jobs->waiting_count + jobs->promised >= SOUK_JOBS_WAITING)
        return souk_diag_say(diag, SOUK_EBUSY, "%d jobs wait already: see `souk jobs`",
                             SOUK_JOBS_WAITING);
    jobs->promised++;
    return SOUK_OK;
}

static void take_place(souk_jobs *jobs, const struct waiting *waiting)
{
    souk_auto_lock(&jobs->mutex);
    jobs->promised--;
    if (waiting)
        jobs->waiting[jobs->waiting_count++] = *waiting;
    souk_cond_signal(&jobs->asked);
}

souk_err jobs_ask(souk_jobs *jobs, souk_text kind, souk_text arguments, int64_t *ret_id,
                  souk_diag *diag)
{
    struct waiting waiting = {.offer = find_offer(jobs, kind), .arguments = {.mem = jobs->mem}};
    if (!waiting.offer)
        return souk_diag_say(diag, SOUK_EINVAL, "'%.*s' is no kind of job", SOUK_TEXT_PRINT(kind));
    souk_buf_text(&waiting.arguments, arguments);
    souk_err err = souk_buf_check(&waiting.arguments);
    if (!err)
        err = promise_place(jobs, diag);
    if (err) {
        souk_buf_done(&waiting.arguments);
        return err;
    }
    err = souk_job_row_add(ledger_of(jobs), kind, arguments, now_ms(jobs), &waiting.id);
    take_place(jobs, err ? NULL : &waiting);
    if (err)
        souk_buf_done(&waiting.arguments);
    else
        *ret_id = waiting.id;
    return err;
}

/* Takes the job out of the queue (id 0: the oldest). */
static bool take_waiting(souk_jobs *jobs, int64_t id, struct waiting *ret_waiting)
{
    for (size_t i = 0; i < jobs->waiting_count; i++) {
        if (id && jobs->waiting[i].id != id)
            continue;
        *ret_waiting = jobs->waiting[i];
        jobs->waiting_count--;
        memmove(&jobs->waiting[i], &jobs->waiting[i + 1],
                (jobs->waiting_count - i) * sizeof *jobs->waiting);
        return true;
    }
    return false;
}

souk_err jobs_cancel(souk_jobs *jobs, int64_t id)
{
    struct waiting waiting;
    {
        souk_auto_lock(&jobs->mutex);
        if (jobs->now.row.id == id && jobs->runs) {
            jobs->cancelled = true;
            return SOUK_OK;
        }
        if (!id || !take_waiting(jobs, id, &waiting))
            return SOUK_ENOENT;
    }
    souk_buf_done(&waiting.arguments);
    souk_job_row row = {.id = id,
                        .state = SOUK_JOB_CANCELLED,
                        .ended = now_ms(jobs),
                        .err = SOUK_EINTERRUPT,
                        .words = SOUK_TEXT("cancelled before it began")};
    return souk_job_row_end(ledger_of(jobs), &row);
}

souk_job_row jobs_now(souk_jobs *jobs, souk_arena *arena)
{
    souk_auto_lock(&jobs->mutex);
    souk_job_row row = jobs->now.row;
    souk_text words = souk_text_of(jobs->now.words), result = SOUK_TEXT("");
    if (row.ended) /* until then the work writes there, outside the lock */
        result = souk_buf_view(&jobs->now.result);
    row.words = (souk_text){souk_arena_copy(arena, words.at, words.bytes), words.bytes};
    row.result = (souk_text){souk_arena_copy(arena, result.at, result.bytes), result.bytes};
    return row;
}

/* ---- running ----------------------------------------------------------------------------------------- */

/* The work's word of how far it is; the answer says whether it may go on. */
static souk_err told(void *context, uint64_t done, uint64_t total)
{
    souk_jobs *jobs = context;
    int64_t id, now_ns = souk_clock_monotonic_ns(souk_spine_clock(jobs->spine));
    {
        souk_auto_lock(&jobs->mutex);
        jobs->now.row.done = done;
        jobs->now.row.total = total;
        id = jobs->now.row.id;
        if (jobs->cancelled)
            return SOUK_EINTERRUPT;
        if (jobs->stopping)
            return SOUK_ESTOPPED;
    }
    if (now_ns - jobs->told_ns < TELL_NS)
        return SOUK_OK;
    jobs->told_ns = now_ns;
    souk_err err = souk_job_row_tell(ledger_of(jobs), id, done, total);
    return err == SOUK_EIO ? err : SOUK_OK; /* a full disk is not the job's trouble */
}

static souk_err verify_services(const souk_work *work)
{
    const souk_jobs *jobs = work->context;
    for (size_t i = 0; i < jobs->sound_count; i++)
        SOUK_TRY(jobs->sound[i].service->verify(jobs->sound[i].state, work->diag));
    return SOUK_OK;
}

static souk_err run_work(souk_jobs *jobs, const struct waiting *waiting, souk_diag *diag)
{
    souk_json_doc arguments = {.mem = jobs->mem};
    souk_arena arena = {.mem = jobs->mem};
    souk_json_writer result = {.out = &jobs->now.result};
    souk_work work = {.spine = jobs->spine,
                      .merchants = jobs->merchants,
                      .state = waiting->offer->state,
                      .arguments = &arguments,
                      .arena = &arena,
                      .result = &result,
                      .progress = told,
                      .context = jobs,
                      .diag = diag,
                      .verify_services = verify_services};
    souk_err err = souk_json_read(&arguments, souk_buf_view(&waiting->arguments), NULL, diag);
    if (!err)
        err = waiting->offer->kind->run(&work);
    if (!err)
        err = souk_json_write_check(&result);
    souk_json_doc_done(&arguments);
    souk_arena_done(&arena);
    return err;
}

static void begin(souk_jobs *jobs, int64_t id)
{
    souk_auto_lock(&jobs->mutex);
    souk_buf_clear(&jobs->now.result);
    jobs->now.words[0] = '\0';
    jobs->now.row = (souk_job_row){.id = id, .state = SOUK_JOB_RUNNING};
    jobs->cancelled = false;
    jobs->runs = true;
    jobs->told_ns = souk_clock_monotonic_ns(souk_spine_clock(jobs->spine));
}

static souk_job_state state_after(souk_jobs *jobs, souk_err err)
{
    souk_auto_lock(&jobs->mutex);
    jobs->runs = false; /* from here on its end is settled */
    if (!err)
        return SOUK_JOB_DONE;
    if (err == SOUK_EINTERRUPT && jobs->cancelled)
        return SOUK_JOB_CANCELLED;
    return err == SOUK_ESTOPPED && jobs->stopping ? SOUK_JOB_INTERRUPTED : SOUK_JOB_FAILED;
}

static const char cut_off[] =
    "the server stopped in the middle: what was done is kept; once it runs, do the same again";

static void end(souk_jobs *jobs, souk_err err, const souk_diag *diag)
{
    souk_job_row row = jobs->now.row; /* only this thread changes it */
    row.state = state_after(jobs, err);
    row.ended = now_ms(jobs);
    row.err = err;
    if (row.state == SOUK_JOB_INTERRUPTED)
        row.words = souk_text_of(cut_off);
    else if (err)
        row.words = souk_text_of(souk_diag_words(diag, err));
    else
        row.result = souk_buf_view(&jobs->now.result);
    souk_err stored = souk_job_row_end(ledger_of(jobs), &row);
    (void)stored; /* else `now` tells it */
    souk_auto_lock(&jobs->mutex);
    if (err)
        souk_buf_clear(&jobs->now.result);
    snprintf(jobs->now.words, sizeof jobs->now.words, "%.*s", SOUK_TEXT_PRINT(row.words));
    jobs->now.row = row;
}

static bool next(souk_jobs *jobs, struct waiting *ret_waiting)
{
    souk_auto_lock(&jobs->mutex);
    while (!jobs->waiting_count && !jobs->stopping)
        souk_cond_wait(&jobs->asked, &jobs->mutex);
    return !jobs->stopping && take_waiting(jobs, 0, ret_waiting);
}

static void run_jobs(void *context)
{
    souk_jobs *jobs = context;
    struct waiting waiting;
    while (next(jobs, &waiting)) {
        souk_diag diag = {.words = ""};
        begin(jobs, waiting.id);
        souk_err err = souk_job_row_start(ledger_of(jobs), waiting.id, now_ms(jobs));
        if (!err)
            err = run_work(jobs, &waiting, &diag);
        end(jobs, err, &diag);
        souk_buf_done(&waiting.arguments);
    }
    souk_err err = souk_job_rows_interrupt(ledger_of(jobs), souk_text_of(cut_off), now_ms(jobs));
    (void)err; /* the next open does the same */
}

/* ---- life -------------------------------------------------------------------------------------------- */

souk_err souk_jobs_open(souk_mem *mem, souk_spine *spine, souk_merchants *merchants,
                        souk_jobs **ret_jobs)
{
    souk_ledger *ledger = souk_spine_ledger(spine);
    souk_time now = souk_clock_now_ms(souk_spine_clock(spine));
    SOUK_TRY(souk_task_migrate(ledger, NULL));
    SOUK_TRY(souk_job_rows_interrupt(
        ledger,
        SOUK_TEXT("the server ended in the middle: what was done is kept; do the same again"),
        now));
    souk_jobs *jobs = souk_mem_get(mem, sizeof *jobs);
    if (!jobs)
        return SOUK_ENOMEM;
    jobs->mem = mem;
    jobs->spine = spine;
    jobs->merchants = merchants;
    jobs->now.result = (souk_buf){.mem = mem, .limit_bytes = RESULT_BYTES};
    souk_mutex_init(&jobs->mutex);
    souk_cond_init(&jobs->asked);
    *ret_jobs = jobs;
    return SOUK_OK;
}

void souk_jobs_offer(souk_jobs *jobs, const souk_service *service, void *state)
{
    for (size_t i = 0; i < service->work_count; i++) {
        souk_assert(jobs->offer_count < KINDS_MOST);
        jobs->offers[jobs->offer_count++] = (struct offer){&service->works[i], state};
    }
    if (service->verify) {
        souk_assert(jobs->sound_count < KINDS_MOST);
        jobs->sound[jobs->sound_count++] = (struct sound){service, state};
    }
}

souk_err souk_jobs_start(souk_jobs *jobs)
{
    return souk_thread_start(&jobs->thread, "jobs", run_jobs, jobs);
}

void souk_jobs_stop(souk_jobs *jobs)
{
    souk_auto_lock(&jobs->mutex);
    jobs->stopping = true;
    souk_cond_signal(&jobs->asked);
}

void souk_jobs_free(souk_jobs *jobs)
{
    if (!jobs)
        return;
    souk_jobs_stop(jobs);
    souk_thread_join(&jobs->thread);
    for (size_t i = 0; i < jobs->waiting_count; i++)
        souk_buf_done(&jobs->waiting[i].arguments);
    souk_buf_done(&jobs->now.result);
    souk_cond_done(&jobs->asked);
    souk_mutex_done(&jobs->mutex);
    souk_mem_put(jobs->mem, jobs);
}
