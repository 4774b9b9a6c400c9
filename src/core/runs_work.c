/* runs_work.c - the background: the oldest waiting table becomes a file, files become one.
 *
 * A table goes before a merge, even one that is half done: the writer waits for tables, nobody for
 * merges.  Both jobs end in the same way:
 *
 *     file synced ─> its name synced ─> manifest put ─> list changed ─> old files removed
 *
 * A job that fails while it writes is dropped with its file and begins anew.  One that fails with
 * its manifest keeps its file and only puts the manifest again: the failed put may have reached the
 * disk, and then the file is named. */
#include "core/runs_inside.h"

enum { STEP_PAIRS = 65536 };

static void job_done(souk_runs_job *job, souk_mem *mem)
{
    souk_run_table_free(job->table);
    souk_mem_put(mem, job->pairs);
    souk_mem_put(mem, job->scratch);
    for (size_t i = 0; i < job->source_count; i++)
        souk_run_file_free(job->sources[i]);
    souk_run_maker_free(job->maker);
    souk_run_file_free(job->made);
    *job = (souk_runs_job){0};
}

void souk_runs_jobs_done(souk_runs *runs)
{
    job_done(&runs->flush, runs->mem);
    job_done(&runs->merge, runs->mem);
}

static void count_memory(souk_runs *runs)
{
    uint64_t bytes = 0;
    const souk_runs_job *flush = &runs->flush;
    if (flush->pairs)
        bytes += 2 * souk_run_table_count(flush->table) * sizeof(souk_run_pair);
    bytes += (flush->maker ? souk_run_maker_bytes() : 0) +
             (runs->merge.maker ? souk_run_maker_bytes() : 0);
    __atomic_store_n(&runs->work_bytes, bytes, __ATOMIC_RELAXED);
}

/* ---- choosing --------------------------------------------------------------------------- */

static bool begin_flush(souk_runs *runs, const souk_runs_list *list)
{
    if (list->table_count < 2)
        return false;
    runs->flush = (souk_runs_job){
        .table = souk_run_table_hold(list->tables[0]),
        .under_way = true,
    };
    return true;
}

/* The oldest `fan` files of the lowest tier that has so many. */
static bool begin_merge(souk_runs *runs, const souk_runs_list *list)
{
    for (size_t end = list->file_count; end > 0;) {
        size_t first = end - 1;
        while (first > 0 && list->files[first - 1]->tier == list->files[end - 1]->tier)
            first--;
        uint64_t pairs = 0;
        for (size_t i = first; i < end && i < first + runs->fan; i++)
            pairs += list->files[i]->pairs;
        if (end - first >= runs->fan && pairs <= SOUK_RUN_PAIRS_MOST) {
            runs->merge = (souk_runs_job){.source_count = runs->fan, .under_way = true};
            for (size_t i = 0; i < runs->fan; i++)
                runs->merge.sources[i] = souk_run_file_hold(list->files[first + i]);
            return true;
        }
        end = first;
    }
    return false;
}

/* ---- writing ---------------------------------------------------------------------------- */

static souk_err sort_table(souk_runs *runs, souk_runs_job *job)
{
    size_t count = souk_run_table_count(job->table);
    job->pairs = souk_mem_array(runs->mem, count, sizeof *job->pairs);
    job->scratch = souk_mem_array(runs->mem, count, sizeof *job->scratch);
    if (!job->pairs || !job->scratch)
        return SOUK_ENOMEM;
    souk_run_table_sort(job->table, job->pairs, job->scratch);
    return SOUK_OK;
}

static souk_err begin_file(souk_runs *runs, souk_runs_job *job)
{
    uint64_t room = job->table ? souk_run_table_count(job->table) : 0;
    for (size_t i = 0; i < job->source_count; i++)
        room += job->sources[i]->pairs;
    char path[SOUK_RUNS_PATH];
    job->number = runs->next_number++;
    souk_runs_path(runs->name, job->number, path);
    return souk_run_maker_new(runs->mem, runs->disk, path, room, runs->filter, &job->maker);
}

/* heads[i] becomes the source's pair number at[i]; a source at its end has no head. */
static souk_err load_head(souk_runs_job *job, size_t i)
{
    uint64_t at = job->at[i];
    if (at >= job->sources[i]->pairs)
        return SOUK_OK;
    if (at % SOUK_RUN_BLOCK == 0)
        SOUK_TRY(souk_run_file_block(job->sources[i], at / SOUK_RUN_BLOCK, &job->blocks[i]));
    job->heads[i].key = souk_run_block_key(&job->blocks[i], at % SOUK_RUN_BLOCK);
    job->heads[i].value = souk_run_block_value(&job->blocks[i], at % SOUK_RUN_BLOCK);
    return SOUK_OK;
}

static bool least_source(const souk_runs_job *job, size_t *ret_source)
{
    bool any = false;
    size_t least = 0;
    for (size_t i = 0; i < job->source_count; i++) {
        if (job->at[i] >= job->sources[i]->pairs)
            continue;
        const souk_run_pair *a = &job->heads[i], *b = &job->heads[least];
        if (!any || a->key < b->key || (a->key == b->key && a->value < b->value))
            least = i;
        any = true;
    }
    *ret_source = least;
    return any;
}

static souk_err write_merged(souk_runs_job *job, bool *ret_end)
{
    for (int i = 0; i < STEP_PAIRS; i++) {
        size_t source;
        if (!least_source(job, &source)) {
            *ret_end = true;
            return SOUK_OK;
        }
        SOUK_TRY(souk_run_maker_add(job->maker, job->heads[source]));
        job->at[source]++;
        SOUK_TRY(load_head(job, source));
    }
    return SOUK_OK;
}

static souk_err write_sorted(souk_runs_job *job, bool *ret_end)
{
    uint64_t count = souk_run_table_count(job->table);
    for (int i = 0; i < STEP_PAIRS && job->at[0] < count; i++)
        SOUK_TRY(souk_run_maker_add(job->maker, job->pairs[job->at[0]++]));
    *ret_end = job->at[0] == count;
    return SOUK_OK;
}

static souk_err end_file(souk_runs *runs, souk_runs_job *job)
{
    char path[SOUK_RUNS_PATH];
    souk_runs_path(runs->name, job->number, path);
    SOUK_TRY(souk_run_maker_finish(job->maker));
    SOUK_TRY(souk_disk_sync_folder(runs->disk));
    SOUK_TRY(souk_run_file_open(runs->mem, runs->disk, path, &job->made));
    souk_run_maker_free(job->maker);
    job->maker = NULL;
    job->made->number = job->number;
    job->made->tier = job->table ? 0 : job->sources[0]->tier + 1;
    return SOUK_OK;
}

/* One step towards a finished file; *ret_made once there is one (or, of an empty table, none). */
static souk_err write_some(souk_runs *runs, souk_runs_job *job, bool *ret_made)
{
    *ret_made = job->made || (job->table && souk_run_table_count(job->table) == 0);
    if (*ret_made)
        return SOUK_OK;
    if (job->table && !job->pairs)
        return sort_table(runs, job);
    if (!job->maker) {
        SOUK_TRY(begin_file(runs, job));
        for (size_t i = 0; i < job->source_count; i++)
            SOUK_TRY(load_head(job, i));
    }
    bool end = false;
    SOUK_TRY(job->table ? write_sorted(job, &end) : write_merged(job, &end));
    if (end)
        SOUK_TRY(end_file(runs, job));
    *ret_made = end;
    return SOUK_OK;
}

/* ---- ending ----------------------------------------------------------------------------- */

/* Where the job's file goes among the list's: in place of its sources, or at the end. */
static size_t place_of(const souk_runs_list *list, const souk_runs_job *job)
{
    size_t place = 0;
    while (place < list->file_count && list->files[place] != job->sources[0])
        place++;
    souk_assert(job->table || place + job->source_count <= list->file_count);
    return place;
}

/* The files of the list with the job done, oldest first; into[SOUK_RUNS_FILES]. */
static souk_err files_after(const souk_runs_list *list, const souk_runs_job *job,
                            souk_run_file **into, size_t *ret_count)
{
    size_t place = place_of(list, job), count = 0;
    if (list->file_count - job->source_count + (job->made != NULL) > SOUK_RUNS_FILES)
        return SOUK_ETOOBIG;
    for (size_t i = 0; i < place; i++)
        into[count++] = list->files[i];
    if (job->made)
        into[count++] = job->made;
    for (size_t i = place + job->source_count; i < list->file_count; i++)
        into[count++] = list->files[i];
    *ret_count = count;
    return SOUK_OK;
}

static souk_err put_manifest(souk_runs *runs, const souk_runs_job *job, souk_run_file **files,
                             size_t count)
{
    souk_runs_manifest *manifest = runs->manifest;
    manifest->through = souk_runs_through(runs);
    if (job->table && job->table->through > manifest->through)
        manifest->through = job->table->through;
    manifest->next_number = runs->next_number;
    manifest->count = count;
    for (size_t i = 0; i < count; i++)
        manifest->entries[i] = (souk_runs_entry){
            .number = files[i]->number,
            .pairs = files[i]->pairs,
            .tier = files[i]->tier,
        };
    return souk_runs_manifest_put(runs->mem, runs->disk, runs->name, manifest);
}

/* The list with these files and without the job's table takes its place; only this thread changes
 * files and takes tables away, so files found before the lock are still right. */
static souk_err change_list(souk_runs *runs, const souk_runs_job *job, souk_run_file **files,
                            size_t count)
{
    souk_auto(souk_runs_list) list = NULL; /* the old one in the end */
    souk_auto_lock(&runs->mutex);
    souk_runs_list *now = runs->list;
    size_t skip = job->table != NULL;
    SOUK_TRY(souk_runs_list_new(runs->mem, count, now->table_count - skip, &list));
    for (size_t i = 0; i < count; i++)
        list->files[i] = souk_run_file_hold(files[i]);
    for (size_t i = 0; i < list->table_count; i++)
        list->tables[i] = souk_run_table_hold(now->tables[i + skip]);
    runs->list = list;
    list = now;
    return SOUK_OK;
}

static souk_err end_job(souk_runs *runs, souk_runs_job *job)
{
    souk_run_file *files[SOUK_RUNS_FILES];
    size_t count;
    souk_auto(souk_runs_list) list = souk_runs_list_now(runs);
    SOUK_TRY(files_after(list, job, files, &count));
    SOUK_TRY(put_manifest(runs, job, files, count));
    SOUK_TRY(change_list(runs, job, files, count));
    __atomic_store_n(&runs->through, runs->manifest->through, __ATOMIC_RELEASE);
    for (size_t i = 0; i < job->source_count; i++) {
        char path[SOUK_RUNS_PATH];
        souk_runs_path(runs->name, job->sources[i]->number, path);
        /* What stays is named by no manifest and goes at the next open. */
        (void)!souk_disk_remove(runs->disk, path);
    }
    job_done(job, runs->mem);
    return SOUK_OK;
}

/* Without its file where it was not finished: on a full disk the space is needed. */
static void drop_job(souk_runs *runs, souk_runs_job *job)
{
    bool remove = job->maker != NULL;
    char path[SOUK_RUNS_PATH];
    souk_runs_path(runs->name, job->number, path);
    job_done(job, runs->mem);
    if (remove)
        (void)!souk_disk_remove(runs->disk, path);
}

/* Clearing megabytes would hold up the writer, so the table after the live one is made here, once
 * that is half full.  Without memory now, the writer tries when it needs it. */
static void make_spare(souk_runs *runs, const souk_runs_list *list)
{
    souk_auto(souk_run_table) spare = NULL;
    const souk_run_table *live = list->tables[list->table_count - 1];
    if (souk_run_table_count(live) < live->capacity / 2)
        return;
    {
        souk_auto_lock(&runs->mutex);
        if (runs->spare)
            return;
    }
    if (souk_run_table_new(runs->mem, runs->memory_count, &spare))
        return;
    souk_auto_lock(&runs->mutex);
    if (!runs->spare)
        runs->spare = souk_take(&spare);
}

/* Tables before merges, for a writer may wait; but where no file more may be, a merge makes room. */
static souk_runs_job *choose_job(souk_runs *runs, const souk_runs_list *list)
{
    bool full = list->file_count >= SOUK_RUNS_FILES;
    if (runs->flush.under_way)
        return &runs->flush;
    if (!full && begin_flush(runs, list))
        return &runs->flush;
    if (runs->merge.under_way || begin_merge(runs, list))
        return &runs->merge;
    return full && begin_flush(runs, list) ? &runs->flush : NULL;
}

souk_err souk_runs_work(souk_runs *runs, bool *ret_did)
{
    *ret_did = false;
    souk_auto(souk_runs_list) list = souk_runs_list_now(runs);
    make_spare(runs, list);
    souk_runs_job *job = choose_job(runs, list);
    if (!job)
        return SOUK_OK;
    bool made;
    souk_err err = write_some(runs, job, &made);
    if (err)
        drop_job(runs, job);
    else if (made)
        err = end_job(runs, job);
    count_memory(runs);
    *ret_did = !err;
    return err;
}
