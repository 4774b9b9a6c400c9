/* world.c - `souk world`: a simulated retail world as files, or its events alone on stdout.
 *
 * A day is lived by as many threads as there are processors (at most WORKERS), each with its share of the people; then
 * it is told in slices of about SLICE_BYTES, the next slice by whoever is free, written in their order.  So
 * memory holds one day's moments and a slice a thread, however many days there are.
 *
 * Files are written as NAME.new and renamed when all are whole.  They are not synced: what a power cut takes,
 * the same command makes again.  A folder that holds one of them is refused without --force. */
#include "world/world.h"
#include "app/app.h"
#include "base/progress.h"
#include "os/thread.h"

#include <errno.h>
#include <unistd.h>

enum { WORKERS = 4, SLICE_BYTES = 4 << 20, EVENT_BYTES = 450, PEOPLE_AT_ONCE = 4096 };

struct making {
    const souk_world *world;
    souk_world_options options;
    souk_disk *disk; /* NULL: the events go to stdout */
    souk_file *events;
    unsigned worker_count;
    souk_world_day *parts[WORKERS];
    uint32_t number; /* of the day */
    souk_progress bar;
    /* of the day's slices; under the mutex */
    souk_mutex mutex;
    souk_cond turn;
    uint32_t slice_count, next_slice, next_write;
    uint64_t written_bytes, told;
    souk_err err;
};

struct worker {
    struct making *making;
    unsigned index;
    souk_thread thread;
    souk_buf lines;
    souk_err err;
};

/* ---- writing ----------------------------------------------------------------------------------------- */

static souk_err write_out(struct making *making, souk_text text)
{
    if (making->disk) {
        SOUK_TRY(souk_file_write(making->events, text.at, text.bytes, making->written_bytes));
        making->written_bytes += text.bytes;
        return SOUK_OK;
    }
    while (text.bytes) {
        ssize_t wrote = write(STDOUT_FILENO, text.at, text.bytes);
        if (wrote < 0 && errno != EINTR)
            return SOUK_EIO;
        if (app_interrupted())
            return SOUK_EINTERRUPT;
        if (wrote > 0)
            text = (souk_text){text.at + wrote, text.bytes - (size_t)wrote};
    }
    return SOUK_OK;
}

/* ---- a day ------------------------------------------------------------------------------------------- */

static void live_part(void *context)
{
    struct worker *worker = context;
    const struct making *making = worker->making;
    uint64_t shoppers = making->options.shoppers, count = making->worker_count;
    worker->err = souk_world_live(
        making->world, making->number, (uint32_t)(shoppers * worker->index / count),
        (uint32_t)(shoppers * (worker->index + 1) / count), making->parts[worker->index]);
}

/* Waits for its turn to write; an error of any ends all. */
static void put_slice(struct worker *worker, uint32_t slice, uint64_t events)
{
    struct making *making = worker->making;
    souk_auto_lock(&making->mutex);
    while (making->next_write != slice && !making->err)
        souk_cond_wait(&making->turn, &making->mutex);
    if (!making->err)
        making->err = app_interrupted() ? SOUK_EINTERRUPT : souk_buf_check(&worker->lines);
    if (!making->err)
        making->err = write_out(making, souk_buf_view(&worker->lines));
    making->next_write++;
    making->told += events;
    souk_progress_set(&making->bar, making->told);
    souk_cond_broadcast(&making->turn);
}

static void tell_slices(void *context)
{
    struct worker *worker = context;
    struct making *making = worker->making;
    for (;;) {
        souk_mutex_lock(&making->mutex);
        uint64_t slice = making->next_slice++, count = making->slice_count;
        bool over = making->err || slice >= count;
        souk_mutex_unlock(&making->mutex);
        if (over)
            return;
        souk_buf_clear(&worker->lines);
        uint64_t events =
            souk_world_tell(making->world, making->parts, making->worker_count,
                            (uint32_t)(SOUK_DAY_MS * slice / count),
                            (uint32_t)(SOUK_DAY_MS * (slice + 1) / count), &worker->lines);
        put_slice(worker, (uint32_t)slice, events);
    }
}

/* Each worker in a thread of its own, the first one here. */
static souk_err run_all(struct making *making, struct worker *workers, void (*run)(void *context))
{
    souk_err err = SOUK_OK;
    for (unsigned i = 1; i < making->worker_count && !err; i++)
        err = souk_thread_start(&workers[i].thread, "world", run, &workers[i]);
    if (!err)
        run(&workers[0]);
    for (unsigned i = 1; i < making->worker_count; i++)
        souk_thread_join(&workers[i].thread);
    for (unsigned i = 0; i < making->worker_count && !err; i++)
        err = workers[i].err;
    return err ? err : making->err;
}

static souk_err make_day(struct making *making, struct worker *workers)
{
    uint64_t events = 0;
    SOUK_TRY(run_all(making, workers, live_part));
    for (unsigned i = 0; i < making->worker_count; i++)
        events += souk_world_day_events(making->parts[i]);
    making->slice_count = (uint32_t)(events * EVENT_BYTES / SLICE_BYTES) + 1;
    making->next_slice = making->next_write = 0;
    uint64_t days = making->options.days, done = making->number + 1;
    making->bar.options.total = (making->told + events) * days / done; /* about */
    return run_all(making, workers, tell_slices);
}

static souk_err make_days(struct making *making)
{
    struct worker workers[WORKERS] = {0};
    souk_err err = SOUK_OK;
    for (unsigned i = 0; i < making->worker_count && !err; i++) {
        workers[i] = (struct worker){
            .making = making,
            .index = i,
            .lines = {.mem = souk_mem_heap(), .limit_bytes = (size_t)16 * SLICE_BYTES}};
        err = souk_world_day_new(souk_mem_heap(), &making->parts[i]);
    }
    for (; !err && making->number < making->options.days; making->number++)
        err = make_day(making, workers);
    for (unsigned i = 0; i < WORKERS; i++) {
        souk_world_day_free(souk_take(&making->parts[i]));
        souk_buf_done(&workers[i].lines);
    }
    return err;
}

/* ---- the other files --------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*write)(const souk_world *world, souk_buf *out);
} files[] = {
    {"README.txt", souk_world_readme},
    {"products.csv", souk_world_products},
    {"stores.csv", souk_world_stores},
    {"truth.json", souk_world_truth},
};

static souk_err make_people(struct making *making)
{
    souk_auto_value(souk_buf) lines = {.mem = souk_mem_heap()};
    souk_auto(souk_file) file = NULL;
    uint64_t bytes = 0;
    SOUK_TRY(souk_file_open(making->disk, "truth.jsonl.new", SOUK_FILE_TRUNCATE, &file));
    for (uint32_t at = 0; at < making->options.shoppers; at += PEOPLE_AT_ONCE) {
        uint32_t end = (uint32_t)souk_min_size(making->options.shoppers, at + PEOPLE_AT_ONCE);
        souk_buf_clear(&lines);
        souk_world_people(making->world, at, end, &lines);
        SOUK_TRY(souk_buf_check(&lines));
        SOUK_TRY(souk_file_write(file, lines.at, lines.bytes, bytes));
        bytes += lines.bytes;
        if (app_interrupted())
            return SOUK_EINTERRUPT;
    }
    return SOUK_OK;
}

static souk_err make_files(struct making *making)
{
    SOUK_TRY(souk_file_open(making->disk, "events.jsonl.new", SOUK_FILE_TRUNCATE, &making->events));
    SOUK_TRY(make_days(making));
    SOUK_TRY(make_people(making));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        souk_auto_value(souk_buf) text = {.mem = souk_mem_heap()};
        files[i].write(making->world, &text);
        SOUK_TRY(souk_buf_check(&text));
        SOUK_TRY(souk_disk_put(making->disk, files[i].name, text.at, text.bytes));
    }
    SOUK_TRY(souk_disk_rename(making->disk, "truth.jsonl.new", "truth.jsonl"));
    return souk_disk_rename(making->disk, "events.jsonl.new", "events.jsonl");
}

/* What somebody may want to keep. */
static souk_err check_folder(souk_disk *disk, const char *folder, souk_diag *diag)
{
    static const char *const more[] = {"events.jsonl", "truth.jsonl"};
    enum { FILES = sizeof files / sizeof *files, MORE = sizeof more / sizeof *more };
    for (size_t i = 0; i < FILES + MORE; i++) {
        const char *name = i < FILES ? files[i].name : more[i - FILES];
        if (souk_disk_exists(disk, name))
            return souk_diag_say(diag, SOUK_EEXIST,
                                 "%s holds a file %s already: take another folder with --out, or "
                                 "pass --force to write over it",
                                 folder, name);
    }
    return SOUK_OK;
}

static souk_err make_folder(struct making *making, const char *folder, bool force, souk_diag *diag)
{
    SOUK_TRY(souk_disk_open_real(souk_mem_heap(), folder, &making->disk, diag));
    souk_err err = force ? SOUK_OK : check_folder(making->disk, folder, diag);
    if (err) {
        souk_disk_free(souk_take(&making->disk));
        return err;
    }
    err = make_files(making);
    souk_file_free(souk_take(&making->events));
    if (err) { /* half a world is none */
        souk_err gone = souk_disk_remove(making->disk, "events.jsonl.new");
        souk_err too = souk_disk_remove(making->disk, "truth.jsonl.new");
        (void)gone, (void)too;
    }
    souk_disk_free(souk_take(&making->disk));
    if (err == SOUK_EINTERRUPT)
        return souk_diag_say(diag, err, "interrupted: nothing was kept; run it again");
    return err ? souk_diag_say(diag, err, "%s: %s", folder, souk_err_words(err)) : SOUK_OK;
}

/* ---- the command ------------------------------------------------------------------------------------- */

static souk_err read_number(const char *flag, const char *text, uint64_t usual, uint64_t most,
                            uint64_t *ret_number, souk_diag *diag)
{
    *ret_number = usual;
    if (text && (souk_text_to_u64(souk_text_of(text), ret_number) || *ret_number > most))
        return souk_diag_say(diag, SOUK_EINVAL, "%s %s: give a whole number up to %llu", flag, text,
                             (unsigned long long)most);
    return SOUK_OK;
}

static souk_err read_options(const app_options *options, souk_world_options *ret_world,
                             souk_diag *diag)
{
    uint64_t shoppers, stores, days, seed;
    SOUK_TRY(read_number("--shoppers", options->shoppers, 10000, SOUK_WORLD_SHOPPERS_MOST,
                         &shoppers, diag));
    SOUK_TRY(read_number("--stores", options->stores, 5, SOUK_WORLD_STORES_MOST, &stores, diag));
    SOUK_TRY(read_number("--days", options->days, 30, SOUK_WORLD_DAYS_MOST, &days, diag));
    SOUK_TRY(read_number("--seed", options->seed, 1, UINT64_MAX, &seed, diag));
    *ret_world = (souk_world_options){(uint32_t)shoppers, (uint32_t)stores, (uint32_t)days, seed};
    return SOUK_OK;
}

static souk_err tell_sum(const struct making *making, const char *folder,
                         const app_options *options)
{
    souk_auto_value(souk_buf) out = {.mem = souk_mem_heap()};
    souk_json_writer json = {.out = &out};
    souk_json_write_object(&json);
    souk_json_put_bool(&json, "simulated", true);
    souk_json_put_text(&json, "folder", souk_text_of(folder));
    souk_json_put_u64(&json, "events", making->told);
    souk_json_put_u64(&json, "bytes", making->written_bytes);
    souk_json_write_end(&json);
    SOUK_TRY(souk_json_write_check(&json));
    app_print(options, souk_buf_view(&out));
    return SOUK_OK;
}

souk_err app_world(const app_options *options, souk_diag *diag)
{
    souk_auto(souk_world) world = NULL;
    const char *folder = options->out ? options->out : "world";
    struct making making = {.told = 0};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    SOUK_TRY(read_options(options, &making.options, diag));
    SOUK_TRY(souk_world_new(souk_mem_heap(), &making.options, &world, diag));
    app_catch_signals();
    making.world = world;
    making.worker_count = cores < 2 ? 1 : cores > WORKERS ? WORKERS : (unsigned)cores;
    souk_mutex_init(&making.mutex);
    souk_cond_init(&making.turn);
    souk_progress_start(&making.bar, &(souk_progress_options){.label = "world", .unit = "events"});
    bool alone = !strcmp(folder, "-");
    souk_err err = alone ? make_days(&making) : make_folder(&making, folder, options->force, diag);
    if (!err)
        souk_progress_finish(&making.bar);
    souk_progress_done(&making.bar);
    souk_cond_done(&making.turn);
    souk_mutex_done(&making.mutex);
    return err || alone ? err : tell_sum(&making, folder, options);
}
