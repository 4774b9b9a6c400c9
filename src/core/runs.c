/* runs.c - the life of a set of runs, its writer, and the lists that readers hold. */
#include "core/runs.h"

#include "core/runs_inside.h"

enum { MEMORY_COUNT = 16384, MEMORY_MOST = 1 << 24 };

/* ---- lists ------------------------------------------------------------------------------ */

souk_err souk_runs_list_new(souk_mem *mem, size_t file_count, size_t table_count,
                            souk_runs_list **ret_list)
{
    souk_runs_list *list =
        souk_mem_get(mem, sizeof *list + (file_count + table_count) * sizeof(void *));
    if (!list)
        return SOUK_ENOMEM;
    void *after = list + 1;
    list->mem = mem;
    list->refs = 1;
    list->file_count = file_count;
    list->table_count = table_count;
    list->files = after;
    list->tables = (souk_run_table **)(list->files + file_count);
    *ret_list = list;
    return SOUK_OK;
}

void souk_runs_list_free(souk_runs_list *list)
{
    if (!list || __atomic_sub_fetch(&list->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (size_t i = 0; i < list->file_count; i++)
        souk_run_file_free(list->files[i]);
    for (size_t i = 0; i < list->table_count; i++)
        souk_run_table_free(list->tables[i]);
    souk_mem_put(list->mem, list);
}

souk_runs_list *souk_runs_list_now(souk_runs *runs)
{
    souk_auto_lock(&runs->mutex);
    __atomic_fetch_add(&runs->list->refs, 1, __ATOMIC_RELAXED);
    return runs->list;
}

void souk_runs_view_init(souk_runs *runs, souk_runs_view *ret_view)
{
    ret_view->list = souk_runs_list_now(runs);
    ret_view->live_count =
        souk_run_table_count(ret_view->list->tables[ret_view->list->table_count - 1]);
}

void souk_runs_view_done(souk_runs_view *view)
{
    souk_runs_list_free(view->list);
    view->list = NULL;
}

/* ---- opening ---------------------------------------------------------------------------- */

static souk_err take_options(souk_runs *runs, const char *name, const souk_runs_options *options)
{
    static const souk_runs_options defaults;
    if (!options)
        options = &defaults;
    SOUK_TRY(souk_runs_name_check(name));
    if (options->memory_count > MEMORY_MOST || options->fan == 1 || options->fan > SOUK_RUNS_FAN)
        return SOUK_EINVAL;
    memcpy(runs->name, name, strlen(name) + 1);
    runs->filter = options->filter;
    runs->memory_count = options->memory_count ? options->memory_count : MEMORY_COUNT;
    runs->fan = options->fan ? options->fan : SOUK_RUNS_FAN;
    return SOUK_OK;
}

/* All files of the manifest and one empty table. */
static souk_err open_files(souk_runs *runs, const souk_runs_manifest *manifest)
{
    SOUK_TRY(souk_runs_list_new(runs->mem, manifest->count, 1, &runs->list));
    for (size_t i = 0; i < manifest->count; i++) {
        const souk_runs_entry *entry = &manifest->entries[i];
        char path[SOUK_RUNS_PATH];
        souk_runs_path(runs->name, entry->number, path);
        SOUK_TRY(souk_run_file_open(runs->mem, runs->disk, path, &runs->list->files[i]));
        souk_run_file *file = runs->list->files[i];
        file->number = entry->number;
        file->tier = entry->tier;
        if (file->pairs != entry->pairs)
            return SOUK_ECORRUPT;
    }
    SOUK_TRY(souk_run_table_new(runs->mem, runs->memory_count, &runs->live));
    runs->list->tables[0] = runs->live;
    return SOUK_OK;
}

souk_err souk_runs_open(souk_mem *mem, souk_disk *disk, const char *name,
                        const souk_runs_options *options, souk_runs **ret_runs)
{
    souk_auto(souk_runs) runs = souk_mem_get(mem, sizeof *runs);
    if (!runs)
        return SOUK_ENOMEM;
    runs->mem = mem;
    runs->disk = disk;
    souk_mutex_init(&runs->mutex);
    SOUK_TRY(take_options(runs, name, options));
    runs->manifest = souk_mem_get(mem, sizeof *runs->manifest);
    if (!runs->manifest)
        return SOUK_ENOMEM;
    souk_err err = souk_disk_make_folder(disk, "runs");
    if (err && err != SOUK_EEXIST)
        return err;
    err = souk_runs_manifest_read(mem, disk, name, runs->manifest);
    if (err && err != SOUK_ENOENT)
        return err;
    SOUK_TRY(souk_runs_remove_others(disk, name, runs->manifest));
    SOUK_TRY(open_files(runs, runs->manifest));
    runs->through = runs->group_through = runs->manifest->through;
    runs->next_number = runs->manifest->next_number;
    *ret_runs = souk_take(&runs);
    return SOUK_OK;
}

void souk_runs_free(souk_runs *runs)
{
    if (!runs)
        return;
    souk_runs_jobs_done(runs);
    souk_runs_list_free(runs->list);
    souk_run_table_free(runs->spare);
    souk_mutex_done(&runs->mutex);
    souk_mem_put(runs->mem, runs->manifest);
    souk_mem_put(runs->mem, runs);
}

uint64_t souk_runs_through(const souk_runs *runs)
{
    return __atomic_load_n(&runs->through, __ATOMIC_ACQUIRE);
}

/* ---- the writer ------------------------------------------------------------------------- */

/* The live table joins those that wait, and an empty one with room for `need` takes its place. */
static souk_err freeze(souk_runs *runs, size_t need)
{
    uint32_t capacity = (uint32_t)souk_max_size(need, runs->memory_count);
    souk_auto(souk_runs_list) list = NULL; /* the old one in the end */
    souk_auto_lock(&runs->mutex);
    const souk_runs_list *now = runs->list;
    if (now->table_count > SOUK_RUNS_WAITING)
        return SOUK_EBUSY;
    if (runs->spare && runs->spare->capacity < capacity)
        souk_run_table_free(souk_take(&runs->spare));
    if (!runs->spare)
        SOUK_TRY(souk_run_table_new(runs->mem, capacity, &runs->spare));
    SOUK_TRY(souk_runs_list_new(runs->mem, now->file_count, now->table_count + 1, &list));
    for (size_t i = 0; i < now->file_count; i++)
        list->files[i] = souk_run_file_hold(now->files[i]);
    for (size_t i = 0; i < now->table_count; i++)
        list->tables[i] = souk_run_table_hold(now->tables[i]);
    runs->live->through = runs->group_through;
    runs->live = list->tables[now->table_count] = souk_take(&runs->spare);
    souk_runs_list *old = runs->list;
    runs->list = list;
    list = old;
    return SOUK_OK;
}

souk_err souk_runs_reserve(souk_runs *runs, size_t count)
{
    if (count > MEMORY_MOST)
        return SOUK_ETOOBIG;
    size_t left = runs->live->capacity - souk_run_table_count(runs->live);
    return left >= count ? SOUK_OK : freeze(runs, count);
}

bool souk_runs_behind(souk_runs *runs)
{
    souk_auto_lock(&runs->mutex);
    return runs->list->table_count > SOUK_RUNS_WAITING;
}

souk_err souk_runs_add(souk_runs *runs, uint64_t key, uint64_t value)
{
    souk_assert(value != SOUK_RUNS_NONE);
    SOUK_TRY(souk_runs_reserve(runs, 1));
    souk_run_table_add(runs->live, key, value);
    return SOUK_OK;
}

void souk_runs_group(souk_runs *runs, uint64_t through)
{
    souk_assert(through >= runs->group_through);
    runs->group_through = through;
}

souk_err souk_runs_freeze(souk_runs *runs)
{
    souk_auto(souk_runs_list) list = souk_runs_list_now(runs);
    uint64_t before = souk_runs_through(runs);
    if (list->table_count > 1)
        before = list->tables[list->table_count - 2]->through;
    if (souk_run_table_count(runs->live) == 0 && runs->group_through <= before)
        return SOUK_OK;
    return freeze(runs, 0);
}

void souk_runs_state_of(souk_runs *runs, souk_runs_state *ret_state)
{
    souk_auto(souk_runs_list) list = souk_runs_list_now(runs);
    size_t spare_bytes = 0;
    {
        souk_auto_lock(&runs->mutex);
        if (runs->spare)
            spare_bytes = souk_run_table_bytes(runs->spare);
    }
    souk_runs_state state = {
        .through = souk_runs_through(runs),
        .file_count = list->file_count,
        .waiting_count = list->table_count - 1,
        .memory_bytes = sizeof *runs + sizeof *runs->manifest + sizeof *list + spare_bytes +
                        __atomic_load_n(&runs->work_bytes, __ATOMIC_RELAXED),
    };
    for (size_t i = 0; i < list->file_count; i++) {
        state.file_pairs += list->files[i]->pairs;
        state.file_bytes += list->files[i]->bytes;
        state.memory_bytes += sizeof *list->files[i] + list->files[i]->block_count / 8;
    }
    for (size_t i = 0; i < list->table_count; i++) {
        state.memory_pairs += souk_run_table_count(list->tables[i]);
        state.memory_bytes += souk_run_table_bytes(list->tables[i]);
    }
    *ret_state = state;
}
