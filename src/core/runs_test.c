/* runs_test.c - sets of pairs against a plain array, through tables, files, merges and restarts. */
#include "test/test.h"

#include "core/runs_model.h"

#include <sched.h>

SOUK_TEST("a set answers as a plain array does through tables, files, merges and restarts")
{
    for (int round = 0; round < 8; round++) {
        souk_auto(souk_disk) disk = NULL;
        souk_auto(souk_runs) runs = NULL;
        souk_auto_value(runs_model) model = {0};
        SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
        souk_runs_options options = {
            .filter = test_random(test, 2),
            .memory_count = 20 + (uint32_t)test_random(test, 300),
            .fan = 2 + (uint32_t)test_random(test, 7),
        };
        SOUK_MUST(souk_runs_open(test->mem, disk, "set", &options, &runs));
        SOUK_CHECK(model_equal(test, &model, runs));
        for (int i = 0; i < 150; i++) {
            SOUK_MUST(model_group(test, &model, runs, test_random(test, 40)));
            if (test_random(test, 10) == 0)
                SOUK_MUST(model_work(runs, (int)test_random(test, 50)));
            if (test_random(test, 30) == 0)
                SOUK_CHECK(model_equal(test, &model, runs));
            if (test_random(test, 40) == 0) {
                souk_runs_free(souk_take(&runs));
                options.filter = test_random(test, 2);
                SOUK_MUST(souk_runs_open(test->mem, disk, "set", &options, &runs));
                SOUK_MUST(model_again(&model, runs));
            }
        }
        SOUK_MUST(model_work(runs, 10000));
        SOUK_MUST(souk_runs_freeze(runs));
        SOUK_MUST(model_work(runs, 10000));
        SOUK_CHECK(souk_runs_through(runs) == model.position);
        SOUK_CHECK(model_equal(test, &model, runs));
    }
}

/* A replay of a long log works only where tables wait, and so makes files faster than they merge. */
SOUK_TEST("where files reach their number, merging goes before another one")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_runs) runs = NULL;
    souk_auto_value(runs_model) model = {0};
    souk_runs_options options = {.memory_count = 16};
    souk_runs_state state;
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    SOUK_MUST(souk_runs_open(test->mem, disk, "set", &options, &runs));
    while (model.count < (size_t)16 * (SOUK_RUNS_FILES + 100))
        SOUK_MUST(model_group(test, &model, runs, 40));
    souk_runs_state_of(runs, &state);
    SOUK_CHECK(state.file_count > SOUK_RUNS_FILES - SOUK_RUNS_FAN);
    SOUK_CHECK(state.file_count <= SOUK_RUNS_FILES);
    SOUK_CHECK(model_equal(test, &model, runs));
    souk_runs_free(souk_take(&runs));
    SOUK_MUST(souk_runs_open(test->mem, disk, "set", &options, &runs));
    SOUK_MUST(model_again(&model, runs));
    SOUK_MUST(model_work(runs, 10000));
    souk_runs_state_of(runs, &state);
    SOUK_CHECK(state.file_count < SOUK_RUNS_FAN * 4);
    SOUK_CHECK(model_equal(test, &model, runs));
}

SOUK_TEST("a pair too many, or one too few, is noticed by the comparison with the array")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_runs) runs = NULL;
    souk_auto_value(runs_model) model = {0};
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    SOUK_MUST(souk_runs_open(test->mem, disk, "set", &(souk_runs_options){.fan = 2}, &runs));
    for (int i = 0; i < 20; i++)
        SOUK_MUST(model_group(test, &model, runs, 10));
    SOUK_MUST(souk_runs_freeze(runs));
    SOUK_MUST(model_work(runs, 100));
    SOUK_CHECK(model_equal(test, &model, runs));
    model.count--;
    SOUK_CHECK(!model_equal(test, &model, runs));
    model.count++;
    SOUK_CHECK(model_equal(test, &model, runs));
    model.pairs[model.count++] = (model_pair){model_key(1), 12345678, 0};
    SOUK_CHECK(!model_equal(test, &model, runs));
}

SOUK_TEST("a view keeps what was there when it began")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_runs) runs = NULL;
    souk_auto_value(runs_model) model = {0};
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    SOUK_MUST(souk_runs_open(test->mem, disk, "set",
                             &(souk_runs_options){.memory_count = 50, .fan = 2}, &runs));
    for (int round = 0; round < 10; round++) {
        SOUK_MUST(model_group(test, &model, runs, 30));
        souk_runs_view view;
        souk_runs_view_init(runs, &view);
        size_t count = model.count;
        SOUK_MUST(model_group(test, &model, runs, 40));
        SOUK_MUST(model_work(runs, 1000));
        size_t all = model.count;
        model.count = count;
        bool same = model_equal_view(test, &model, &view);
        model.count = all;
        souk_runs_view_done(&view);
        SOUK_CHECK(same);
    }
}

SOUK_TEST("more pairs at once than a table holds get a larger table")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_runs) runs = NULL;
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    SOUK_MUST(
        souk_runs_open(test->mem, disk, "set", &(souk_runs_options){.memory_count = 10}, &runs));
    SOUK_MUST(souk_runs_add(runs, 1, 1));
    SOUK_MUST(souk_runs_reserve(runs, 75));
    for (uint64_t i = 2; i < 77; i++)
        SOUK_MUST(souk_runs_add(runs, i, i));
    souk_runs_group(runs, 77);
    SOUK_MUST(souk_runs_freeze(runs));
    SOUK_MUST(model_work(runs, 100));
    for (uint64_t i = 1; i < 77; i++) {
        uint64_t value;
        SOUK_MUST(souk_runs_find_batch(runs, &i, 1, &value));
        SOUK_CHECK(value == i);
    }
}

SOUK_TEST("too many waiting tables are refused before anything is added")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_runs) runs = NULL;
    souk_runs_state state;
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    SOUK_MUST(
        souk_runs_open(test->mem, disk, "set", &(souk_runs_options){.memory_count = 10}, &runs));
    for (uint64_t i = 0; i < 10 * (SOUK_RUNS_WAITING + 1); i++)
        SOUK_MUST(souk_runs_add(runs, i, i));
    SOUK_CHECK_ERR(souk_runs_reserve(runs, ((size_t)1 << 24) + 1), SOUK_ETOOBIG);
    SOUK_CHECK_ERR(souk_runs_reserve(runs, 1), SOUK_EBUSY);
    SOUK_CHECK_ERR(souk_runs_add(runs, 1, 1), SOUK_EBUSY);
    souk_runs_state_of(runs, &state);
    SOUK_CHECK(state.memory_pairs == 10 * (SOUK_RUNS_WAITING + 1));
    SOUK_CHECK(state.waiting_count == SOUK_RUNS_WAITING);
    SOUK_MUST(model_work(runs, 100));
    SOUK_MUST(souk_runs_reserve(runs, 10));
    souk_runs_state_of(runs, &state);
    SOUK_CHECK(state.waiting_count == 1 && state.file_count == SOUK_RUNS_WAITING);
}

SOUK_TEST("a group without pairs moves `through` on as well")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_runs) runs = NULL;
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    SOUK_MUST(souk_runs_open(test->mem, disk, "set", NULL, &runs));
    souk_runs_group(runs, 77);
    SOUK_CHECK(souk_runs_through(runs) == 0);
    SOUK_MUST(souk_runs_freeze(runs));
    SOUK_MUST(souk_runs_freeze(runs));
    SOUK_MUST(model_work(runs, 10));
    SOUK_CHECK(souk_runs_through(runs) == 77);
    souk_runs_free(souk_take(&runs));
    SOUK_MUST(souk_runs_open(test->mem, disk, "set", NULL, &runs));
    SOUK_CHECK(souk_runs_through(runs) == 77);
}

static souk_err make_file(souk_disk *disk, const char *name)
{
    souk_auto(souk_file) file = NULL;
    return souk_file_open(disk, name, SOUK_FILE_CREATE, &file);
}

SOUK_TEST("files that no manifest names go at open, and only those of the set")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_runs) runs = NULL;
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    SOUK_MUST(souk_disk_make_folder(disk, "runs"));
    SOUK_MUST(make_file(disk, "runs/set-99"));
    SOUK_MUST(make_file(disk, "runs/other-99"));
    SOUK_MUST(make_file(disk, "runs/set-x"));
    SOUK_MUST(souk_runs_open(test->mem, disk, "set", NULL, &runs));
    SOUK_CHECK(!souk_disk_exists(disk, "runs/set-99"));
    SOUK_CHECK(souk_disk_exists(disk, "runs/other-99"));
    SOUK_CHECK(souk_disk_exists(disk, "runs/set-x"));
    souk_runs *none = NULL;
    SOUK_CHECK_ERR(souk_runs_open(test->mem, disk, "a/b", NULL, &none), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_runs_open(test->mem, disk, "", NULL, &none), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_runs_open(test->mem, disk, "s", &(souk_runs_options){.fan = 1}, &none),
                   SOUK_EINVAL);
}

/* ---- costs ------------------------------------------------------------------------------ */

SOUK_TEST("message ids cost at most 11 bytes a pair with their filter, timelines at most 5")
{
    souk_auto(souk_disk) disk = NULL;
    SOUK_MUST(souk_disk_open_real(test->mem, test_folder(test), &disk, NULL));
    for (int timeline = 0; timeline < 2; timeline++) {
        enum { COUNT = 1 << 17 };
        souk_auto(souk_runs) runs = NULL;
        souk_runs_options options = {.filter = !timeline, .memory_count = COUNT / 16};
        SOUK_MUST(souk_runs_open(test->mem, disk, timeline ? "line" : "seen", &options, &runs));
        for (uint64_t i = 0; i < COUNT; i++) {
            uint64_t key = timeline ? test_random(test, COUNT / 3) : test_random(test, 0);
            SOUK_MUST(souk_runs_add(runs, key, timeline ? 2 * i + i % 2 : i));
            if (i % 1000 == 0)
                SOUK_MUST(model_work(runs, 100));
        }
        SOUK_MUST(souk_runs_freeze(runs));
        SOUK_MUST(model_work(runs, 1000));
        souk_runs_state state;
        souk_runs_state_of(runs, &state);
        SOUK_CHECK(state.file_pairs == COUNT && state.file_count == 2);
        SOUK_CHECK(state.file_bytes <= (timeline ? 5 : 11) * COUNT);
    }
}

/* Blocks that were read since the set was opened. */
static uint64_t blocks_read(souk_runs *runs)
{
    uint64_t blocks = 0;
    for (size_t i = 0; i < runs->list->file_count; i++) {
        const souk_run_file *file = runs->list->files[i];
        for (uint64_t word = 0; word < (file->block_count + 63) / 64; word++)
            blocks += (uint64_t)__builtin_popcountll(file->checked[word]);
    }
    return blocks;
}

SOUK_TEST("a page of a key with 100,000 values reads the blocks that hold it and no others")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_runs) runs = NULL;
    souk_runs_options options = {.memory_count = 4000};
    enum { COUNT = 100000, PAGE = 300 };
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    SOUK_MUST(souk_runs_open(test->mem, disk, "line", &options, &runs));
    for (uint64_t i = 0; i < COUNT; i++) {
        SOUK_MUST(souk_runs_add(runs, 7, i * 2));
        SOUK_MUST(souk_runs_add(runs, i % 977 * 3, i * 2 + 1));
        if (i % 1000 == 0)
            SOUK_MUST(model_work(runs, 100));
    }
    SOUK_MUST(souk_runs_freeze(runs));
    souk_runs_group(runs, COUNT);
    SOUK_MUST(model_work(runs, 1000));
    for (uint64_t before = 1; before <= COUNT; before = before * 3 + 500) {
        souk_runs_free(souk_take(&runs));
        SOUK_MUST(souk_runs_open(test->mem, disk, "line", &options, &runs));
        souk_runs_view view;
        souk_runs_view_init(runs, &view);
        uint64_t values[PAGE];
        size_t count;
        souk_err err = souk_runs_last(&view, 7, before * 2, PAGE, values, &count);
        uint64_t read = blocks_read(runs);
        souk_runs_view_done(&view);
        SOUK_MUST(err);
        SOUK_CHECK(count == (before < PAGE ? before : PAGE));
        for (size_t i = 0; i < count; i++)
            SOUK_CHECK(values[i] == (before - 1 - i) * 2);
        /* The page may begin and end within a block, and pass from one file to the next. */
        SOUK_CHECK(read <= PAGE / SOUK_RUN_BLOCK + 4);
    }
}

/* ---- threads ---------------------------------------------------------------------------- */

enum { CROWD_KEYS = 97, CROWD_COUNT = 30000 };
typedef struct runs_crowd {
    souk_runs *runs;
    bool stop, wrong; /* atomic */
} runs_crowd;

static void crowd_work(void *context)
{
    runs_crowd *crowd = context;
    bool did = true;
    while (did || !__atomic_load_n(&crowd->stop, __ATOMIC_ACQUIRE)) {
        if (souk_runs_work(crowd->runs, &did))
            __atomic_store_n(&crowd->wrong, true, __ATOMIC_RELAXED);
        if (!did)
            sched_yield();
    }
}

/* Every value v stands under key v % CROWD_KEYS, without a gap below the greatest one. */
static bool crowd_look(souk_runs *runs, uint64_t key)
{
    souk_runs_view view;
    souk_runs_view_init(runs, &view);
    uint64_t values[20], same[1];
    size_t count;
    bool good = !souk_runs_last(&view, key, UINT64_MAX, 20, values, &count) &&
                !souk_runs_view_find_batch(&view, &key, 1, same);
    for (size_t i = 0; good && i < count; i++)
        good = values[i] % CROWD_KEYS == key && (i == 0 || values[i] + CROWD_KEYS == values[i - 1]);
    good = good && (count == 0) == (same[0] == SOUK_RUNS_NONE);
    souk_runs_view_done(&view);
    return good;
}

static void crowd_read(void *context)
{
    runs_crowd *crowd = context;
    for (uint64_t key = 0; !__atomic_load_n(&crowd->stop, __ATOMIC_ACQUIRE); key++)
        if (!crowd_look(crowd->runs, key % CROWD_KEYS))
            __atomic_store_n(&crowd->wrong, true, __ATOMIC_RELAXED);
}

SOUK_TEST("readers see whole sets while the writer adds and the worker merges")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_runs) runs = NULL;
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &disk));
    souk_runs_options options = {.memory_count = 500, .fan = 3};
    SOUK_MUST(souk_runs_open(test->mem, disk, "set", &options, &runs));
    runs_crowd crowd = {.runs = runs};
    souk_thread threads[3] = {{0}};
    SOUK_MUST(souk_thread_start(&threads[0], "work", crowd_work, &crowd));
    SOUK_MUST(souk_thread_start(&threads[1], "read", crowd_read, &crowd));
    SOUK_MUST(souk_thread_start(&threads[2], "read", crowd_read, &crowd));
    souk_err err = SOUK_OK;
    for (uint64_t i = 0; i < CROWD_COUNT && (!err || err == SOUK_EBUSY); i += !err) {
        err = souk_runs_add(runs, i % CROWD_KEYS, i);
        if (!err)
            souk_runs_group(runs, i + 1);
        else
            sched_yield();
    }
    __atomic_store_n(&crowd.stop, true, __ATOMIC_RELEASE);
    for (int i = 0; i < 3; i++)
        souk_thread_join(&threads[i]);
    SOUK_CHECK(!crowd.wrong);
    SOUK_MUST(err);
    for (uint64_t key = 0; key < CROWD_KEYS; key++)
        SOUK_CHECK(crowd_look(runs, key));
}
