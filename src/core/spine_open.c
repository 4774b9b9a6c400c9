/* spine_open.c - the life of a data folder: made, opened (mapped, replayed, mended), closed.
 *
 * Open, in this order, so that each step can lean on the one before:
 *     lock, keys, ledger, catalogue, consent
 *     index: map the snapshot, or begin empty; tell it which atoms and shoppers were erased
 *     read the log behind the snapshot and behind what the runs hold; links, facts, pairs
 *     merge decisions; erasures that a crash cut off; the keeper's thread (spine_keep.c) */
#include "core/spine_private.h"

#include <stdio.h>

static void fill_options(souk_spine_options *options)
{
    if (!options->clock)
        options->clock = souk_clock_real();
    if (!options->queue_events)
        options->queue_events = 65536;
    if (!options->group_events)
        options->group_events = 1024;
    if (!options->snapshot_events)
        options->snapshot_events = 500000;
}

static bool is_embedded(const souk_spine_options *options)
{
    return !options->open_ledger && !souk_ledger_is_elsewhere(&options->ledger);
}

static souk_err open_ledger(souk_mem *mem, souk_disk *disk, const souk_spine_options *options,
                            souk_ledger **ret_ledger, souk_diag *diag)
{
    souk_ledger_opener *opener = options->open_ledger;
    opener = opener ? opener : souk_ledger_open;
    return opener(mem, disk, "ledger", &options->ledger, ret_ledger, diag);
}

souk_err souk_spine_init(souk_mem *mem, souk_disk *disk, const souk_spine_options *given,
                         souk_diag *diag)
{
    souk_spine_options options = given ? *given : (souk_spine_options){0};
    if (is_embedded(&options) && souk_disk_exists(disk, "ledger"))
        return souk_diag_say(diag, SOUK_EEXIST,
                             "%s holds a shop already: serve it, or choose an empty folder",
                             souk_disk_folder(disk));
    souk_err err = souk_vault_init(mem, disk, &options.vault, diag);
    if (err != SOUK_OK && err != SOUK_EEXIST) /* a call that was cut off is repeated */
        return err;
    souk_auto(souk_ledger) ledger = NULL;
    SOUK_TRY(open_ledger(mem, disk, &options, &ledger, diag));
    SOUK_TRY(souk_log_migrate(ledger, diag));
    SOUK_TRY(souk_ledger_close(ledger));
    return souk_disk_sync_folder(disk);
}

/* ---- replay ------------------------------------------------------------------------------------------ */

struct applying {
    souk_index *index;
    struct spine_pair pair;
};

static souk_err apply_link(void *context, const souk_link *link, souk_text value)
{
    struct applying *applying = context;
    (void)value;
    applying->pair = (struct spine_pair){link->atom, spine_timeline_link(link->position)};
    return applying->index ? souk_index_link(applying->index, link) : SOUK_OK;
}

souk_err spine_replay_edges(souk_spine *spine, souk_index *index, const souk_block *block,
                            struct spine_pair *ret_pairs, size_t *ret_count)
{
    struct applying applying = {.index = index};
    size_t count = 0;
    for (size_t i = 0; i < block->edge_count; i++) {
        souk_err err = spine_edge_links(spine, block, i, apply_link, &applying);
        if (err == SOUK_EERASED)
            continue;
        SOUK_TRY(err);
        ret_pairs[count++] = applying.pair;
    }
    *ret_count = count;
    return SOUK_OK;
}

struct replay {
    souk_spine *spine;
    uint64_t index_from, seen_from, timeline_from, end;
    struct spine_pair *pairs;
    size_t pair_capacity;
};

/* Adds to runs whose memory table was lost; beside the keeper, who is not there yet. */
static souk_err add_again(souk_runs *runs, uint64_t key, uint64_t value)
{
    souk_err err = souk_runs_add(runs, key, value);
    while (err == SOUK_EBUSY) {
        bool did;
        SOUK_TRY(souk_runs_work(runs, &did));
        err = souk_runs_add(runs, key, value);
    }
    return err;
}

static souk_err replay_runs(struct replay *replay, const souk_block *block, size_t pair_count)
{
    souk_spine *spine = replay->spine;
    for (size_t i = 0; i < block->count; i++) {
        const souk_fact *fact = &block->facts[i];
        if (fact->position >= replay->seen_from && fact->source)
            SOUK_TRY(add_again(spine->seen, souk_get_u64(block->messages + SOUK_BLOCK_MESSAGE * i),
                               fact->position));
        if (fact->position >= replay->timeline_from && fact->atom)
            SOUK_TRY(add_again(spine->timeline, fact->atom, spine_timeline_event(fact->position)));
    }
    for (size_t i = 0; i < pair_count; i++)
        if (replay->pairs[i].value / 2 >= replay->timeline_from)
            SOUK_TRY(add_again(spine->timeline, replay->pairs[i].key, replay->pairs[i].value));
    uint64_t through = block->first_position + block->count;
    if (through > replay->seen_from)
        souk_runs_group(spine->seen, through);
    if (through > replay->timeline_from)
        souk_runs_group(spine->timeline, through);
    return SOUK_OK;
}

static souk_err open_edges(struct replay *replay, const souk_block *block, size_t *ret_count)
{
    souk_spine *spine = replay->spine;
    SOUK_TRY(souk_mem_grow(spine->mem, &replay->pairs, &replay->pair_capacity, block->edge_count,
                           (size_t)1 << 24, sizeof *replay->pairs));
    souk_index *index = block->first_position >= replay->index_from ? spine->index : NULL;
    return spine_replay_edges(spine, index, block, replay->pairs, ret_count);
}

static souk_err replay_block(void *context, const souk_block *block)
{
    struct replay *replay = context;
    souk_spine *spine = replay->spine;
    size_t pair_count;
    SOUK_TRY(open_edges(replay, block, &pair_count));
    if (block->first_position >= replay->index_from) {
        SOUK_TRY(souk_index_room(spine->index, block->count, block->line_count));
        for (size_t i = 0; i < block->count; i++) {
            const souk_fact *fact = &block->facts[i];
            souk_err err = souk_index_fold(spine->index, fact, block->lines + fact->first_line);
            if (err == SOUK_ECORRUPT) /* not the event's fault: the sums it was to be added to */
                return err;
            if (err)
                spine_unfit_note(spine, fact->position, err);
        }
    }
    SOUK_TRY(replay_runs(replay, block, pair_count));
    spine->end = block->first_position + block->count;
    if (spine->options.progress)
        return spine->options.progress(spine->options.progress_context, spine->end, replay->end);
    return SOUK_OK;
}

static souk_err read_end(souk_tx *tx, void *context)
{
    return souk_log_end(tx, context);
}

static souk_err replay_log(souk_spine *spine)
{
    struct replay replay = {.spine = spine,
                            .index_from = souk_max_size(souk_index_through(spine->index), 1),
                            .seen_from = souk_runs_through(spine->seen),
                            .timeline_from = souk_runs_through(spine->timeline)};
    SOUK_TRY(souk_ledger_read(spine->ledger, read_end, &replay.end));
    if (replay.index_from > replay.end || replay.seen_from > replay.end ||
        replay.timeline_from > replay.end)
        return SOUK_ECORRUPT; /* derived files of a later ledger: a restored backup, say */
    spine->end = replay.end;
    uint64_t from =
        souk_min_size(replay.index_from, souk_min_size(replay.seen_from, replay.timeline_from));
    souk_err err = souk_log_walk(spine->mem, spine->ledger, from, replay_block, &replay);
    souk_mem_put(spine->mem, replay.pairs);
    SOUK_TRY(err);
    souk_index_set_through(spine->index, replay.end);
    souk_index_commit(spine->index);
    return SOUK_OK;
}

static souk_err open_runs(souk_spine *spine)
{
    souk_runs_options seen = {.filter = true, .memory_count = spine->options.runs_memory};
    souk_runs_options timeline = {.memory_count = spine->options.runs_memory};
    SOUK_TRY(souk_runs_open(spine->mem, spine->disk, "seen", &seen, &spine->seen));
    return souk_runs_open(spine->mem, spine->disk, "timeline", &timeline, &spine->timeline);
}

static souk_err close_derived(souk_spine *spine)
{
    souk_runs_free(spine->seen);
    souk_runs_free(spine->timeline);
    spine->seen = spine->timeline = NULL;
    return souk_index_clear(spine->index);
}

static souk_err remove_derived(souk_spine *spine)
{
    SOUK_TRY(close_derived(spine));
    souk_err err = souk_disk_remove(spine->disk, SPINE_INDEX_FILE);
    if (err && err != SOUK_ENOENT)
        return err;
    SOUK_TRY(souk_runs_reset(spine->disk, "seen"));
    return souk_runs_reset(spine->disk, "timeline");
}

static souk_err load_derived(souk_spine *spine)
{
    SOUK_TRY(open_runs(spine));
    souk_err err = souk_index_load(spine->index, spine->disk, SPINE_INDEX_FILE);
    if (err && err != SOUK_ENOENT)
        return err;
    spine->snapshot.through = souk_index_through(spine->index);
    SOUK_TRY(spine_erase_known(spine, spine->index, false));
    SOUK_TRY(replay_log(spine));
    SOUK_TRY(spine_erase_known(spine, spine->index, true));
    return spine_load_groups(spine, spine->index);
}

static souk_err mark_slots(souk_spine *spine)
{
    uint64_t *taken;
    size_t words;
    SOUK_TRY(souk_index_slots(spine->index, &taken, &words));
    souk_err err = souk_vault_mark_all(spine->vault, taken, words);
    souk_mem_put(spine->mem, taken);
    return err;
}

/* SOUK_ENOENT: an atom has a slot that the key file has not. */
static souk_err load_and_mark(souk_spine *spine)
{
    SOUK_TRY(load_derived(spine));
    return mark_slots(spine);
}

/* What is derived and does not fit is made again; what is truth and does not fit is an error.  A slot that is
 * not in the key file may be the snapshot's damage; told by the log, the key file is older than the ledger. */
static souk_err open_derived(souk_spine *spine)
{
    souk_err err = load_and_mark(spine);
    if (err != SOUK_ECORRUPT && err != SOUK_EVERSION && err != SOUK_ENOENT)
        return err;
    SOUK_TRY(remove_derived(spine));
    return load_and_mark(spine);
}

/* ---- upkeep ------------------------------------------------------------------------------------------- */

souk_err spine_check(const souk_spine *spine)
{
    return __atomic_load_n(&spine->half_made, __ATOMIC_RELAXED) ? SOUK_EIO : SOUK_OK;
}

/* Beside a keeper there would be two who sort runs, so it rests meanwhile. */
souk_err souk_spine_rebuild(souk_spine *spine, souk_ledger_progress *progress, void *context)
{
    spine_keeper_stop(spine);
    spine->options.progress = progress;
    spine->options.progress_context = context;
    __atomic_store_n(&spine->half_made, true, __ATOMIC_RELAXED);
    souk_err err = remove_derived(spine);
    if (!err)
        err = load_derived(spine);
    if (!err)
        __atomic_store_n(&spine->half_made, false, __ATOMIC_RELAXED);
    if (!err)
        err = souk_spine_snapshot(spine);
    if (!err && !spine->options.ledger.no_thread)
        err = spine_keeper_start(spine);
    __atomic_store_n(&spine->half_made, err != SOUK_OK, __ATOMIC_RELAXED);
    return err;
}

/* ---- life ------------------------------------------------------------------------------------------------ */

static souk_err read_hash_key(souk_vault *vault, souk_vault_name which, souk_hash_key *ret_key)
{
    uint8_t key[SOUK_VAULT_KEY_BYTES];
    souk_err err = souk_vault_named(vault, which, key);
    if (!err)
        memcpy(ret_key->bytes, key, sizeof ret_key->bytes);
    explicit_bzero(key, sizeof key);
    return err;
}

static souk_err read_hash_keys(souk_spine *spine)
{
    souk_hashes *hashes = &spine->hashes;
    SOUK_TRY(read_hash_key(spine->vault, SOUK_VAULT_HASH_IDENTIFIERS, &hashes->identifiers));
    return read_hash_key(spine->vault, SOUK_VAULT_HASH_MESSAGES, &hashes->messages);
}

/* SQLite takes a file of no bytes for a new database, and a shop would open with none of its events.  An init
 * that was cut off leaves such a file, too, but no index: a shop that was open once has one. */
static souk_err check_not_empty(souk_spine *spine, souk_diag *diag)
{
    souk_auto(souk_file) ledger = NULL;
    uint64_t bytes;
    SOUK_TRY(souk_file_open(spine->disk, "ledger", SOUK_FILE_READ, &ledger));
    SOUK_TRY(souk_file_size(ledger, &bytes));
    if (bytes || !souk_disk_exists(spine->disk, SPINE_INDEX_FILE))
        return SOUK_OK;
    return souk_diag_say(
        diag, SOUK_ECORRUPT,
        "the file 'ledger' of %s has no bytes: it was cut, or badly copied; restore "
        "it from the newest backup (`souk restore`, into another folder)",
        souk_disk_folder(spine->disk));
}

static souk_err open_truth(souk_spine *spine, souk_diag *diag)
{
    souk_err err = souk_disk_lock(spine->disk);
    if (err == SOUK_ELOCKED)
        return souk_diag_say(
            diag, err,
            "%s is in use by another process: stop it, or speak to it through the server",
            souk_disk_folder(spine->disk));
    SOUK_TRY(err);
    bool embedded = is_embedded(&spine->options);
    if (embedded && !souk_disk_exists(spine->disk, "ledger"))
        return souk_diag_say(diag, SOUK_ENOENT,
                             "%s holds no shop: make one with `souk init --data DIR`",
                             souk_disk_folder(spine->disk));
    if (embedded)
        SOUK_TRY(check_not_empty(spine, diag));
    SOUK_TRY(souk_vault_open(spine->mem, spine->disk, &spine->options.vault, &spine->vault, diag));
    SOUK_TRY(open_ledger(spine->mem, spine->disk, &spine->options, &spine->ledger, diag));
    SOUK_TRY(souk_log_migrate(spine->ledger, diag));
    SOUK_TRY(souk_quarantine_migrate(spine->ledger, diag));
    SOUK_TRY(spine_people_migrate(spine, diag));
    SOUK_TRY(spine_erase_migrate(spine, diag));
    SOUK_TRY(souk_catalogue_open(spine->mem, spine->ledger, &spine->catalogue, diag));
    SOUK_TRY(souk_products_migrate(spine->ledger, diag));
    SOUK_TRY(souk_consent_open(spine->mem, spine->ledger, &spine->consent, diag));
    SOUK_TRY(spine_sources_open(spine, diag));
    SOUK_TRY(souk_rejects_open(spine->mem, spine->ledger, spine->vault, &spine->rejects, diag));
    return read_hash_keys(spine);
}

static souk_err make_rooms(souk_spine *spine)
{
    souk_rwlock_init(&spine->sources_lock);
    souk_mutex_init(&spine->queue_mutex);
    souk_mutex_init(&spine->keeper_mutex);
    souk_cond_init(&spine->keeper_wake);
    souk_mutex_init(&spine->snapshot_mutex);
    souk_mutex_init(&spine->decision_mutex);
    souk_mutex_init(&spine->packers_mutex);
    souk_mutex_init(&spine->unfit.mutex);
    spine->sources = souk_mem_array(spine->mem, SPINE_SOURCES, sizeof *spine->sources);
    if (!spine->sources)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < SPINE_SOURCES; i++)
        spine->sources[i].merchant = SOUK_OPERATOR;
    return spine_group_init(spine);
}

/* Souk's own events need a type; nobody else writes yet. */
static souk_err name_types(souk_tx *tx, void *context)
{
    souk_spine *spine = context;
    souk_catalogue_rollback(spine->catalogue); /* of a run before this one */
    souk_catalogue_begin(spine->catalogue);
    return souk_catalogue_number(spine->catalogue, tx, SOUK_NAME_TYPE, 0,
                                 SOUK_TEXT("Shopper Erased"), &spine->erased_type);
}

souk_err souk_spine_open(souk_mem *mem, souk_disk *disk, const souk_spine_options *options,
                         souk_spine **ret_spine, souk_diag *diag)
{
    souk_auto(souk_spine) spine = souk_mem_get(mem, sizeof *spine);
    if (!spine)
        return SOUK_ENOMEM;
    spine->mem = mem;
    spine->disk = disk;
    spine->options = options ? *options : (souk_spine_options){0};
    fill_options(&spine->options);
    spine->clock = spine->options.clock;
    SOUK_TRY(make_rooms(spine));
    SOUK_TRY(open_truth(spine, diag));
    souk_index_options index_options = {souk_consent_bases_of, spine->consent};
    SOUK_TRY(souk_index_new(mem, &index_options, &spine->index));
    SOUK_TRY(open_derived(spine));
    SOUK_TRY(souk_ledger_write(spine->ledger, SOUK_LANE_JOB, name_types, spine));
    souk_catalogue_commit(spine->catalogue);
    SOUK_TRY(spine_erase_finish(spine));
    if (!spine->options.ledger.no_thread)
        SOUK_TRY(spine_keeper_start(spine));
    *ret_spine = souk_take(&spine);
    return SOUK_OK;
}

static souk_err work_off(souk_spine *spine)
{
    bool did = true;
    while (did)
        SOUK_TRY(souk_spine_work(spine, &did));
    return SOUK_OK;
}

souk_err souk_spine_close(souk_spine *spine)
{
    {
        souk_auto_lock(&spine->queue_mutex);
        spine->stopping = true;
    }
    spine_keeper_stop(spine);
    SOUK_TRY(spine_unfit_write(spine));
    SOUK_TRY(souk_ledger_close(spine->ledger));
    if (spine_check(spine)) /* the next start makes anew what a rebuild did not */
        return SOUK_OK;
    SOUK_TRY(work_off(spine)); /* a table that waits would keep the last one from freezing */
    SOUK_TRY(souk_runs_freeze(spine->seen));
    SOUK_TRY(souk_runs_freeze(spine->timeline));
    SOUK_TRY(work_off(spine));
    /* A snapshot would pass over what could not be written down any more: the next start does. */
    return spine_unfit_is_empty(spine) ? souk_spine_snapshot(spine) : SOUK_OK;
}

void souk_spine_free(souk_spine *spine)
{
    if (!spine)
        return;
    if (spine->sources) /* else nothing was begun */
        spine_keeper_stop(spine);
    souk_ledger_free(spine->ledger);
    souk_runs_free(spine->seen);
    souk_runs_free(spine->timeline);
    souk_index_free(spine->index);
    souk_rejects_free(spine->rejects);
    souk_catalogue_free(spine->catalogue);
    souk_vault_free(spine->vault);
    spine_group_done(spine);
    souk_consent_free(spine->consent);
    souk_mutex_done(&spine->queue_mutex);
    souk_mutex_done(&spine->keeper_mutex);
    souk_cond_done(&spine->keeper_wake);
    souk_mutex_done(&spine->snapshot_mutex);
    souk_mutex_done(&spine->decision_mutex);
    souk_mutex_done(&spine->packers_mutex);
    souk_mutex_done(&spine->unfit.mutex);
    while (spine->packer_count)
        souk_packer_free(spine->packers[--spine->packer_count]);
    souk_rwlock_done(&spine->sources_lock);
    souk_mem_put(spine->mem, spine->sources);
    explicit_bzero(&spine->hashes, sizeof spine->hashes);
    souk_mem_put(spine->mem, spine->late);
    souk_mem_put(spine->mem, spine);
}

/* ---- the rooms ---------------------------------------------------------------------------------------- */

const souk_hashes *souk_spine_hashes(const souk_spine *spine)
{
    return &spine->hashes;
}

bool souk_spine_is_threaded(const souk_spine *spine)
{
    return !spine->options.ledger.no_thread;
}

const souk_clock *souk_spine_clock(const souk_spine *spine)
{
    return spine->clock;
}

souk_ledger *souk_spine_ledger(souk_spine *spine)
{
    return spine->ledger;
}

souk_vault *souk_spine_vault(souk_spine *spine)
{
    return spine->vault;
}

souk_index *souk_spine_index(souk_spine *spine)
{
    return spine->index;
}

souk_catalogue *souk_spine_catalogue(souk_spine *spine)
{
    return spine->catalogue;
}

souk_consent *souk_spine_consent(souk_spine *spine)
{
    return spine->consent;
}

souk_rejects *souk_spine_rejects(souk_spine *spine)
{
    return spine->rejects;
}

souk_disk *souk_spine_disk(souk_spine *spine)
{
    return spine->disk;
}

uint64_t souk_spine_end(souk_spine *spine)
{
    return __atomic_load_n(&spine->end, __ATOMIC_ACQUIRE);
}

souk_err souk_spine_failed(souk_spine *spine)
{
    souk_ledger_counters ledger;
    souk_ledger_count(spine->ledger, &ledger);
    bool failed = ledger.failed || souk_vault_stats_of(spine->vault).writes_failed ||
                  __atomic_load_n(&spine->keeper_failed, __ATOMIC_RELAXED) || spine_check(spine);
    return failed ? SOUK_EIO : SOUK_OK;
}

void souk_spine_count(souk_spine *spine, souk_spine_counters *ret)
{
    souk_runs_state seen = {0}, timeline = {0};
    memset(ret, 0, sizeof *ret);
    ret->events = __atomic_load_n(&spine->events, __ATOMIC_RELAXED);
    ret->repeats = __atomic_load_n(&spine->repeats, __ATOMIC_RELAXED);
    ret->groups = __atomic_load_n(&spine->groups, __ATOMIC_RELAXED);
    ret->blocks = __atomic_load_n(&spine->blocks, __ATOMIC_RELAXED);
    ret->quarantined = __atomic_load_n(&spine->quarantined, __ATOMIC_RELAXED);
    ret->rejects_dropped = souk_rejects_dropped(spine->rejects);
    ret->block_bytes = __atomic_load_n(&spine->block_bytes, __ATOMIC_RELAXED);
    {
        souk_auto_lock(&spine->queue_mutex);
        ret->queued_events = spine->queued_events;
    }
    ret->snapshots = __atomic_load_n(&spine->snapshot.count, __ATOMIC_RELAXED);
    ret->snapshots_failed = __atomic_load_n(&spine->snapshot.failed, __ATOMIC_RELAXED);
    ret->snapshot_through = __atomic_load_n(&spine->snapshot.through, __ATOMIC_RELAXED);
    souk_index_read(spine->index);
    souk_index_memory(spine->index, &ret->memory);
    souk_index_read_done(spine->index);
    if (!spine_check(spine)) {
        souk_runs_state_of(spine->seen, &seen);
        souk_runs_state_of(spine->timeline, &timeline);
    }
    ret->runs_memory_bytes = seen.memory_bytes + timeline.memory_bytes;
    ret->runs_file_bytes = seen.file_bytes + timeline.file_bytes;
    souk_ledger_count(spine->ledger, &ret->ledger);
}
