/* runs_read.c - lookups across tables and files, newest first. */
#include "core/runs_inside.h"

enum { SOME = 64 };

/* Tables of a frozen kind are seen whole, the live one up to where the view began. */
static uint32_t seen_of(const souk_runs_view *view, size_t table)
{
    bool live = table + 1 == view->list->table_count;
    return live ? view->live_count : souk_run_table_count(view->list->tables[table]);
}

/* ---- many keys -------------------------------------------------------------------------- */

/* Keys still without a value, and where their answers go. */
typedef struct open_keys {
    uint64_t keys[SOME], values[SOME];
    uint64_t *answers[SOME];
    size_t count;
} open_keys;

/* Hands out what the last source found and closes the ranks. */
static void settle(open_keys *open)
{
    size_t left = 0;
    for (size_t i = 0; i < open->count; i++) {
        *open->answers[i] = open->values[i];
        open->keys[left] = open->keys[i];
        open->answers[left] = open->answers[i];
        left += open->values[i] == SOUK_RUNS_NONE;
    }
    open->count = left;
}

static souk_err find_some(const souk_runs_view *view, open_keys *open)
{
    const souk_runs_list *list = view->list;
    for (size_t i = list->table_count; i-- > 0 && open->count;) {
        souk_run_table_find_some(list->tables[i], seen_of(view, i), open->keys, open->count,
                                 open->values);
        settle(open);
    }
    for (size_t i = list->file_count; i-- > 0 && open->count;) {
        SOUK_TRY(souk_run_file_find_some(list->files[i], open->keys, open->count, open->values));
        settle(open);
    }
    return SOUK_OK;
}

souk_err souk_runs_view_find_batch(const souk_runs_view *view, const uint64_t *keys, size_t count,
                                   uint64_t *ret_values)
{
    for (size_t from = 0; from < count; from += SOME) {
        open_keys open = {.count = souk_min_size(count - from, SOME)};
        for (size_t i = 0; i < open.count; i++) {
            open.keys[i] = keys[from + i];
            open.answers[i] = &ret_values[from + i];
        }
        SOUK_TRY(find_some(view, &open));
    }
    return SOUK_OK;
}

souk_err souk_runs_find_batch(souk_runs *runs, const uint64_t *keys, size_t count,
                              uint64_t *ret_values)
{
    souk_runs_view view;
    souk_runs_view_init(runs, &view);
    souk_err err = souk_runs_view_find_batch(&view, keys, count, ret_values);
    souk_runs_view_done(&view);
    return err;
}

/* ---- one key ---------------------------------------------------------------------------- */

static souk_err each_of_file(const souk_run_file *file, uint64_t key,
                             souk_err (*each)(void *context, uint64_t value), void *context)
{
    uint64_t index, value;
    bool found;
    SOUK_TRY(souk_run_file_below(file, key, UINT64_MAX, &index, &value, &found));
    while (found) {
        SOUK_TRY(each(context, value));
        if (index-- == 0)
            break;
        SOUK_TRY(souk_run_file_value(file, index, key, &value, &found));
    }
    return SOUK_OK;
}

souk_err souk_runs_find_all(const souk_runs_view *view, uint64_t key,
                            souk_err (*each)(void *context, uint64_t value), void *context)
{
    const souk_runs_list *list = view->list;
    for (size_t i = list->table_count; i-- > 0;) {
        uint32_t cursor = 0;
        uint64_t value = UINT64_MAX;
        while (souk_run_table_below(list->tables[i], seen_of(view, i), key, value, &cursor, &value))
            SOUK_TRY(each(context, value));
    }
    for (size_t i = list->file_count; i-- > 0;)
        SOUK_TRY(each_of_file(list->files[i], key, each, context));
    return SOUK_OK;
}

/* A table or a file on the way down through one key's values. */
typedef struct run_source {
    const souk_run_file *file;
    const souk_run_table *table; /* where file is NULL */
    uint32_t seen, cursor;
    uint64_t index; /* in the file */
    uint64_t value; /* the next one; while not opened: no next one is above it */
    bool opened;
} run_source;

enum { SOURCES = SOUK_RUNS_FILES + SOUK_RUNS_WAITING + 2 };

/* Moves on to the greatest value below `before`; false at the end. */
static souk_err source_move(run_source *source, uint64_t key, uint64_t before, bool *ret_more)
{
    if (!source->file) {
        *ret_more = souk_run_table_below(source->table, source->seen, key, before, &source->cursor,
                                         &source->value);
    } else if (!source->opened) {
        SOUK_TRY(souk_run_file_below(source->file, key, before, &source->index, &source->value,
                                     ret_more));
    } else {
        *ret_more = source->index-- > 0;
        if (*ret_more)
            SOUK_TRY(
                souk_run_file_value(source->file, source->index, key, &source->value, ret_more));
    }
    source->opened = true;
    return SOUK_OK;
}

static size_t list_sources(const souk_runs_view *view, uint64_t before, run_source *sources)
{
    const souk_runs_list *list = view->list;
    size_t count = 0;
    for (size_t i = list->table_count; i-- > 0;)
        sources[count++] = (run_source){
            .table = list->tables[i],
            .seen = seen_of(view, i),
            .value = before - 1,
        };
    for (size_t i = list->file_count; i-- > 0;) {
        const souk_run_file *file = list->files[i];
        uint64_t most = file->greatest_value < before ? file->greatest_value : before - 1;
        if (file->least_value < before)
            sources[count++] = (run_source){.file = file, .value = most};
    }
    return count;
}

souk_err souk_runs_last(const souk_runs_view *view, uint64_t key, uint64_t before_value,
                        size_t limit, uint64_t *ret_values, size_t *ret_count)
{
    run_source sources[SOURCES];
    *ret_count = 0;
    size_t count = before_value ? list_sources(view, before_value, sources) : 0, given = 0;
    uint64_t before = before_value;
    /* The source that may have the greatest next value moves or gives; so old files stay closed
     * while newer ones have enough. */
    while (count && given < limit) {
        size_t top = 0;
        for (size_t i = 1; i < count; i++)
            if (sources[i].value > sources[top].value)
                top = i;
        if (sources[top].opened && sources[top].value < before)
            before = ret_values[given++] = sources[top].value;
        if (given == limit)
            break;
        bool more;
        SOUK_TRY(source_move(&sources[top], key, before, &more));
        if (!more)
            sources[top] = sources[--count];
    }
    *ret_count = given;
    return SOUK_OK;
}

souk_err souk_runs_verify(const souk_runs_view *view)
{
    for (size_t i = 0; i < view->list->file_count; i++)
        SOUK_TRY(souk_run_file_verify(view->list->files[i]));
    return SOUK_OK;
}
