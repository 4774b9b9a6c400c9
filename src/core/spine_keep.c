/* spine_keep.c - the keeper's thread: sorts runs, makes keys ahead, and sees to snapshots.
 *
 * A snapshot must show the index between two groups, and writing it takes seconds.  So the keeper only asks; the
 * writer, behind its group, makes a copy of the process (souk_process_copy); the copy writes it to memory that
 * both share and ends at once, since each page that is changed while it lives costs a fault and a word with
 * every processor; the keeper saves it to the disk, a piece a turn, since one sync of all would hold up commits:
 *
 *     keeper      holds snapshot_mutex, WANTED ....... waits ....... COPYING, polls ... SAVING ... gives it back
 *     writer                   group ends: FORKING, copy, COPYING
 *     the copy                                            the image, ends
 *     keeper                                                              index.part, syncs, rename
 *
 * The index's lock is held while the copy is made, so that no other thread is half-way through a change.  An
 * erasure waits for snapshot_mutex and then removes its identifiers from the new file, too. */
#include "core/spine_private.h"

#include "os/process.h"

enum { SNAPSHOT_POLL_MS = 10, SNAPSHOT_EVENT_BYTES = 200 };

/* Nothing may be under way: links of a group that runs are in the index before they are committed. */
souk_err souk_spine_snapshot(souk_spine *spine)
{
    SOUK_TRY(spine_check(spine));
    if (!spine_unfit_is_empty(spine)) /* it would pass over them */
        SOUK_TRY(spine_unfit_write(spine));
    souk_auto_lock(&spine->snapshot_mutex);
    souk_index_read(spine->index);
    uint64_t through = souk_index_through(spine->index);
    souk_err err = souk_index_save(spine->index, spine->disk, SPINE_INDEX_FILE);
    souk_index_read_done(spine->index);
    __atomic_store_n(&spine->snapshot.through, through, __ATOMIC_RELAXED);
    __atomic_fetch_add(err ? &spine->snapshot.failed : &spine->snapshot.count, 1, __ATOMIC_RELAXED);
    return err;
}

/* ---- events that did not fit ------------------------------------------------------------------------------- */

/* A full list is written off first at the next snapshot; more of them in between are told by the counter alone. */
void spine_unfit_note(souk_spine *spine, uint64_t position, souk_err why)
{
    struct spine_unfit *unfit = &spine->unfit;
    __atomic_fetch_add(&spine->quarantined, 1, __ATOMIC_RELAXED);
    souk_auto_lock(&unfit->mutex);
    if (unfit->count == SPINE_UNFIT)
        return;
    unfit->positions[unfit->count] = position;
    unfit->why[unfit->count++] = why;
}

bool spine_unfit_is_empty(souk_spine *spine)
{
    souk_auto_lock(&spine->unfit.mutex);
    return spine->unfit.count == 0;
}

struct writing_unfit {
    souk_spine *spine;
    size_t count;
};

static souk_err write_unfit(souk_tx *tx, void *context)
{
    const struct writing_unfit *writing = context;
    const struct spine_unfit *unfit = &writing->spine->unfit;
    souk_time now = souk_clock_now_ms(writing->spine->clock);
    for (size_t i = 0; i < writing->count; i++)
        SOUK_TRY(
            souk_quarantine_put(tx, SOUK_TEXT("index"), unfit->positions[i], unfit->why[i], now));
    return SOUK_OK;
}

/* Only the keeper takes away from the list, so its first entries stand still meanwhile. */
souk_err spine_unfit_write(souk_spine *spine)
{
    struct spine_unfit *unfit = &spine->unfit;
    struct writing_unfit writing = {.spine = spine};
    {
        souk_auto_lock(&unfit->mutex);
        writing.count = unfit->count;
    }
    if (writing.count == 0)
        return SOUK_OK;
    SOUK_TRY(souk_ledger_write(spine->ledger, SOUK_LANE_JOB, write_unfit, &writing));
    souk_auto_lock(&unfit->mutex);
    unfit->count -= writing.count;
    memmove(unfit->positions, unfit->positions + writing.count,
            unfit->count * sizeof *unfit->positions);
    memmove(unfit->why, unfit->why + writing.count, unfit->count * sizeof *unfit->why);
    return SOUK_OK;
}

/* ---- beside the work --------------------------------------------------------------------------------- */

/* So many events behind the last one that the snapshots weigh no more than the log itself. */
static bool is_due(souk_spine *spine)
{
    souk_index_bytes bytes;
    souk_index_read(spine->index);
    souk_index_memory(spine->index, &bytes);
    uint64_t through = souk_index_through(spine->index);
    souk_index_read_done(spine->index);
    uint64_t total = bytes.atoms + bytes.shoppers + bytes.counters + bytes.identifiers;
    uint64_t wait = souk_max_size(spine->options.snapshot_events, total / SNAPSHOT_EVENT_BYTES);
    return through >= spine->snapshot.through + wait;
}

static void set_state(souk_spine *spine, enum spine_snapshot_state state)
{
    souk_auto_lock(&spine->keeper_mutex);
    spine->snapshot.state = state;
    spine->keeper_poked = true;
    souk_cond_signal(&spine->keeper_wake);
}

static enum spine_snapshot_state state_of(souk_spine *spine)
{
    souk_auto_lock(&spine->keeper_mutex);
    return spine->snapshot.state;
}

static souk_err write_image(void *context)
{
    const souk_spine *spine = context;
    return souk_index_write(spine->index, spine->snapshot.image);
}

void spine_keeper_group_ended(souk_spine *spine)
{
    {
        souk_auto_lock(&spine->keeper_mutex);
        if (spine->snapshot.state != SPINE_SNAPSHOT_WANTED || !spine_unfit_is_empty(spine))
            return; /* behind a later group, when the keeper has written them down */
        spine->snapshot.state = SPINE_SNAPSHOT_FORKING;
    }
    souk_index_read(spine->index);
    spine->snapshot.wanted_through = souk_index_through(spine->index);
    souk_err err = souk_process_copy(write_image, spine, &spine->snapshot.pid);
    souk_index_read_done(spine->index);
    set_state(spine, err ? SPINE_SNAPSHOT_FAILED : SPINE_SNAPSHOT_COPYING);
}

/* A failed one is tried again when the next is due: the log is the truth, a snapshot only saves time. */
static void end_snapshot(souk_spine *spine, souk_err err)
{
    __atomic_store_n(&spine->snapshot.through, spine->snapshot.wanted_through, __ATOMIC_RELAXED);
    __atomic_fetch_add(err ? &spine->snapshot.failed : &spine->snapshot.count, 1, __ATOMIC_RELAXED);
    souk_file_free(souk_take(&spine->snapshot.image));
    set_state(spine, SPINE_SNAPSHOT_NONE);
    souk_mutex_unlock(&spine->snapshot_mutex);
}

static void begin_snapshot(souk_spine *spine)
{
    souk_mutex_lock(&spine->snapshot_mutex);
    spine->snapshot.wanted_through = souk_spine_end(spine);
    spine->snapshot.saved_bytes = 0;
    spine->snapshot.rest_until_ns = 0;
    souk_err err = souk_file_scratch(spine->disk, &spine->snapshot.image);
    if (err) {
        end_snapshot(spine, err);
        return;
    }
    set_state(spine, SPINE_SNAPSHOT_WANTED);
    spine_group_kick(spine);
}

/* Rests as long as the piece before took: half of the disk's time is for others. */
static void save_piece(souk_spine *spine)
{
    bool saved = false;
    int64_t begun = souk_clock_monotonic_ns(souk_clock_real());
    if (begun < spine->snapshot.rest_until_ns)
        return;
    souk_err err = souk_index_save_piece(spine->snapshot.image, spine->disk, SPINE_INDEX_FILE,
                                         &spine->snapshot.saved_bytes, &saved);
    int64_t ended = souk_clock_monotonic_ns(souk_clock_real());
    spine->snapshot.rest_until_ns =
        ended +
        (ended - begun < SNAPSHOT_POLL_MS * 1000000 ? ended - begun : SNAPSHOT_POLL_MS * 1000000);
    if (err || saved)
        end_snapshot(spine, err);
}

static void see_to_snapshot(souk_spine *spine)
{
    souk_err err = SOUK_OK;
    switch (state_of(spine)) {
    case SPINE_SNAPSHOT_NONE:
        if (is_due(spine))
            begin_snapshot(spine);
        return;
    case SPINE_SNAPSHOT_COPYING:
        if (!souk_process_copy_ended(spine->snapshot.pid, &err))
            return;
        if (err)
            end_snapshot(spine, err);
        else
            set_state(spine, SPINE_SNAPSHOT_SAVING);
        return;
    case SPINE_SNAPSHOT_SAVING:
        save_piece(spine);
        return;
    case SPINE_SNAPSHOT_FAILED:
        end_snapshot(spine, SOUK_EBUSY);
        return;
    case SPINE_SNAPSHOT_WANTED:
        spine_group_kick(spine); /* where no group comes by itself */
        return;
    default:
        return;
    }
}

/* The keeper ends: one that is only wanted is dropped, one under way is cut off. */
static void abandon_snapshot(souk_spine *spine)
{
    {
        souk_auto_lock(&spine->keeper_mutex);
        if (spine->snapshot.state == SPINE_SNAPSHOT_NONE)
            return;
        if (spine->snapshot.state == SPINE_SNAPSHOT_WANTED)
            spine->snapshot.state = SPINE_SNAPSHOT_FAILED;
        while (spine->snapshot.state == SPINE_SNAPSHOT_FORKING)
            souk_cond_wait(&spine->keeper_wake, &spine->keeper_mutex);
    }
    if (state_of(spine) == SPINE_SNAPSHOT_COPYING)
        souk_process_copy_kill(spine->snapshot.pid);
    end_snapshot(spine, SOUK_ESTOPPED);
}

static bool is_stopping(souk_spine *spine)
{
    souk_auto_lock(&spine->queue_mutex);
    return spine->stopping;
}

/* What needs the ledger; at the end it is left to the next start. */
static souk_err write_behind(souk_spine *spine)
{
    if (is_stopping(spine))
        return SOUK_OK;
    SOUK_TRY(spine_unfit_write(spine));
    SOUK_TRY(souk_rejects_sweep(spine->rejects));
    /* not beside a snapshot, whose mutex the keeper holds */
    return state_of(spine) == SPINE_SNAPSHOT_NONE ? souk_spine_erase_rest(spine) : SOUK_OK;
}

/* ---- the thread ---------------------------------------------------------------------------------------- */

souk_err souk_spine_work(souk_spine *spine, bool *ret_did)
{
    bool seen, timeline;
    SOUK_TRY(spine_check(spine));
    SOUK_TRY(souk_vault_prepare(spine->vault));
    SOUK_TRY(souk_runs_work(spine->seen, &seen));
    SOUK_TRY(souk_runs_work(spine->timeline, &timeline));
    *ret_did = seen || timeline;
    SOUK_TRY(write_behind(spine));
    if (spine->options.ledger.no_thread && is_due(spine))
        return souk_spine_snapshot(spine);
    return SOUK_OK;
}

static void rest(souk_spine *spine, bool did)
{
    souk_auto_lock(&spine->keeper_mutex);
    int64_t until = souk_clock_monotonic_ns(souk_clock_real()) + SNAPSHOT_POLL_MS * 1000000;
    bool waits = !did;
    while (waits && !spine->keeper_stop && !spine->keeper_poked) {
        if (spine->snapshot.state >= SPINE_SNAPSHOT_COPYING)
            waits = souk_cond_wait_until(&spine->keeper_wake, &spine->keeper_mutex, until);
        else
            souk_cond_wait(&spine->keeper_wake, &spine->keeper_mutex);
    }
    spine->keeper_poked = false;
}

static bool is_stopped(souk_spine *spine)
{
    souk_auto_lock(&spine->keeper_mutex);
    return spine->keeper_stop;
}

static void run_keeper(void *context)
{
    souk_spine *spine = context;
    while (!is_stopped(spine)) {
        bool did = false;
        souk_err err = souk_spine_work(spine, &did);
        if (err == SOUK_EIO)
            __atomic_store_n(&spine->keeper_failed, true, __ATOMIC_RELAXED);
        spine_group_resume(spine, err != SOUK_OK); /* what cannot be sorted is refused, not held */
        see_to_snapshot(spine);
        rest(spine, did && !err);
    }
    abandon_snapshot(spine);
}

void spine_keeper_poke(souk_spine *spine)
{
    souk_auto_lock(&spine->keeper_mutex);
    spine->keeper_poked = true;
    souk_cond_signal(&spine->keeper_wake);
}

void spine_keeper_stop(souk_spine *spine)
{
    {
        souk_auto_lock(&spine->keeper_mutex);
        spine->keeper_stop = true;
        souk_cond_signal(&spine->keeper_wake);
    }
    souk_thread_join(&spine->keeper);
    spine_group_resume(spine, true);
}

souk_err spine_keeper_start(souk_spine *spine)
{
    spine->keeper_stop = false;
    return souk_thread_start(&spine->keeper, "keeper", run_keeper, spine);
}
