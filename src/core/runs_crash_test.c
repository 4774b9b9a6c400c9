/* runs_crash_test.c - power cuts, failing disks, no memory, damaged bytes. */
#include "test/test.h"

#include "core/runs_model.h"

static const souk_runs_options small = {.filter = true, .memory_count = 40, .fan = 2};

/* A life: groups of pairs, work in between, until the disk fails.  *ret_sure: what `through` said
 * last; it is a promise. */
static souk_err live(souk_test *test, souk_disk *disk, runs_model *model, uint64_t *ret_sure)
{
    souk_auto(souk_runs) runs = NULL;
    SOUK_TRY(souk_runs_open(test->mem, disk, "set", &small, &runs));
    *ret_sure = souk_runs_through(runs);
    SOUK_TRY(model_again(model, runs));
    for (int i = 0; i < 12; i++) {
        SOUK_TRY(model_group(test, model, runs, 5 + test_random(test, 30)));
        SOUK_TRY(model_work(runs, (int)test_random(test, 12)));
        *ret_sure = souk_runs_through(runs);
    }
    SOUK_TRY(souk_runs_freeze(runs));
    SOUK_TRY(model_work(runs, 1000));
    *ret_sure = souk_runs_through(runs);
    return SOUK_OK;
}

/* After a failure: the set opens, keeps its promise, and becomes whole from the log. */
static bool recovers(souk_test *test, souk_disk *disk, runs_model *model, uint64_t sure)
{
    souk_auto(souk_runs) runs = NULL;
    if (souk_runs_open(test->mem, disk, "set", &small, &runs))
        return false;
    uint64_t through = souk_runs_through(runs);
    if (through < sure || through > model->position)
        return false;
    if (model_again(model, runs) || !model_equal(test, model, runs) || model_work(runs, 1000))
        return false;
    return !souk_runs_freeze(runs) && !model_work(runs, 1000) && model_equal(test, model, runs);
}

SOUK_TEST("a power cut at any operation leaves a set that opens and keeps what it promised")
{
    uint64_t operations = 0;
    for (uint64_t cut = 1;; cut++) {
        souk_auto(souk_disk) disk = NULL;
        souk_auto_value(runs_model) model = {0};
        uint64_t sure = 0;
        SOUK_MUST(souk_disk_open_sim(souk_mem_heap(), cut * 7919, &disk));
        test->random = 1 + cut / 50; /* the same life for a while, so that cuts walk through it */
        souk_sim_plan(disk, (souk_sim_faults){.cut_at = cut});
        souk_err err = live(test, disk, &model, &sure);
        bool was_cut = souk_sim_is_cut(disk);
        operations = souk_sim_operations(disk);
        souk_sim_power_on(disk);
        SOUK_CHECK(recovers(test, disk, &model, sure));
        SOUK_CHECK(err == SOUK_OK || (err == SOUK_EIO && was_cut));
        if (!was_cut)
            break;
    }
    SOUK_CHECK(operations > 100);
}

SOUK_TEST("a second power cut, during the recovery from the first, changes nothing")
{
    for (uint64_t round = 0; round < 120; round++) {
        souk_auto(souk_disk) disk = NULL;
        souk_auto_value(runs_model) model = {0};
        uint64_t sure = 0, later = 0;
        SOUK_MUST(souk_disk_open_sim(souk_mem_heap(), round, &disk));
        souk_sim_plan(disk, (souk_sim_faults){.cut_at = 1 + test_random(test, 200)});
        (void)!live(test, disk, &model, &sure);
        souk_sim_power_on(disk);
        souk_sim_plan(disk, (souk_sim_faults){.cut_at = 1 + test_random(test, 60)});
        (void)!live(test, disk, &model, &later);
        souk_sim_power_on(disk);
        SOUK_CHECK(recovers(test, disk, &model, sure > later ? sure : later));
    }
}

/* Goes on after every error, as a server does whose disk is full for a while. */
static souk_err live_on(souk_test *test, souk_disk *disk, runs_model *model, size_t *ret_errors)
{
    souk_auto(souk_runs) runs = NULL;
    while (souk_runs_open(test->mem, disk, "set", &small, &runs))
        if (++*ret_errors > 3)
            return SOUK_EIO;
    for (int i = 0; i < 8; i++) {
        bool did = true;
        SOUK_TRY(model_group(test, model, runs, 10 + test_random(test, 30)));
        while (did || souk_runs_freeze(runs))
            *ret_errors += souk_runs_work(runs, &did) != SOUK_OK;
    }
    for (bool did = true; did;)
        if (souk_runs_work(runs, &did) != SOUK_OK)
            did = ++*ret_errors < 50;
    return model_equal(test, model, runs) ? SOUK_OK : SOUK_ECORRUPT;
}

SOUK_TEST("an operation that fails once is reported and made good by the next call")
{
    static const souk_err errs[] = {SOUK_EIO, SOUK_EFULL};
    for (int reads = 0; reads < 2; reads++) {
        for (uint64_t fail = 1;; fail += reads ? 1 + test_random(test, 5) : 1) {
            souk_auto(souk_disk) disk = NULL;
            souk_auto_value(runs_model) model = {0};
            size_t errors = 0;
            SOUK_MUST(souk_disk_open_sim(souk_mem_heap(), fail, &disk));
            souk_sim_plan(disk, (souk_sim_faults){.fail_at = fail,
                                                  .fail_err = errs[fail % 2],
                                                  .fail_reads = reads});
            test->random = 3;
            SOUK_MUST(live_on(test, disk, &model, &errors));
            bool met = souk_sim_operations(disk) >= fail;
            souk_sim_plan(disk, (souk_sim_faults){0});
            SOUK_CHECK(recovers(test, disk, &model, model.position));
            SOUK_CHECK(met || errors == 0);
            if (!met)
                break;
        }
    }
}

SOUK_TEST("a server that stops at the first error finds its set whole at the next start")
{
    for (uint64_t fail = 1;; fail++) {
        souk_auto(souk_disk) disk = NULL;
        souk_auto_value(runs_model) model = {0};
        uint64_t sure = 0;
        SOUK_MUST(souk_disk_open_sim(souk_mem_heap(), fail, &disk));
        test->random = 5;
        souk_sim_plan(disk, (souk_sim_faults){.fail_at = fail});
        (void)!live(test, disk, &model, &sure);
        bool met = souk_sim_operations(disk) >= fail;
        souk_sim_plan(disk, (souk_sim_faults){0});
        SOUK_CHECK(recovers(test, disk, &model, sure));
        if (!met)
            break;
    }
}

SOUK_TEST("a power cut during a reset leaves the whole set or none of it")
{
    for (uint64_t cut = 1;; cut++) {
        souk_auto(souk_disk) disk = NULL;
        souk_auto_value(runs_model) model = {0};
        uint64_t sure = 0;
        SOUK_MUST(souk_disk_open_sim(souk_mem_heap(), cut * 31, &disk));
        SOUK_MUST(live(test, disk, &model, &sure));
        souk_sim_plan(disk, (souk_sim_faults){.cut_at = cut});
        souk_err err = souk_runs_reset(disk, "set");
        bool was_cut = souk_sim_is_cut(disk);
        SOUK_CHECK(was_cut == (err == SOUK_EIO));
        souk_sim_power_on(disk);
        SOUK_CHECK(recovers(test, disk, &model, 0));
        if (!was_cut)
            break;
    }
}

SOUK_TEST("a full disk stops the work, not the set, and the half-written file is given back")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_runs) runs = NULL;
    souk_auto_value(runs_model) model = {0};
    SOUK_MUST(souk_disk_open_sim(souk_mem_heap(), 1, &disk));
    SOUK_MUST(souk_runs_open(test->mem, disk, "set", &small, &runs));
    SOUK_MUST(model_group(test, &model, runs, 100));
    souk_sim_plan(disk, (souk_sim_faults){.capacity_bytes = 3000});
    for (int i = 0; i < 3; i++) {
        SOUK_CHECK_ERR(model_work(runs, 1000), SOUK_EFULL);
        SOUK_CHECK(model_equal(test, &model, runs));
        SOUK_CHECK(!souk_disk_exists(disk, "runs/set-0") && !souk_disk_exists(disk, "runs/set-1"));
    }
    souk_sim_plan(disk, (souk_sim_faults){0});
    SOUK_MUST(model_work(runs, 1000));
    SOUK_CHECK(model_equal(test, &model, runs));
}

/* One allocation fails; the call that met it is simply made again. */
static souk_err live_without_memory(souk_test *test, souk_disk *disk, runs_model *model)
{
    souk_auto(souk_runs) runs = NULL;
    if (souk_runs_open(test->mem, disk, "set", &small, &runs))
        SOUK_TRY(souk_runs_open(test->mem, disk, "set", &small, &runs));
    for (int i = 0; i < 4; i++) {
        if (souk_runs_reserve(runs, 35))
            SOUK_TRY(souk_runs_reserve(runs, 35));
        SOUK_TRY(model_group(test, model, runs, 35)); /* cannot fail any more */
        if (model_work(runs, 1000))
            SOUK_TRY(model_work(runs, 1000));
    }
    return model_equal(test, model, runs) ? SOUK_OK : SOUK_ECORRUPT;
}

SOUK_TEST("an allocation that fails loses nothing, and what was reserved can be added")
{
    SOUK_FAULT_LOOP (test) {
        souk_auto(souk_disk) disk = NULL;
        souk_auto_value(runs_model) model = {0};
        SOUK_MUST(souk_disk_open_sim(souk_mem_heap(), 1, &disk));
        souk_err err = live_without_memory(test, disk, &model);
        SOUK_MUST(err);
        test_fault_seen(test, err);
    }
}

/* ---- damage ----------------------------------------------------------------------------- */

typedef struct runs_damage {
    souk_disk *disk;
    uint64_t pick;
    char name[SOUK_RUNS_PATH];
    uint64_t bytes, seen;
} runs_damage;

static souk_err pick_file(void *context, const char *name, uint64_t bytes)
{
    runs_damage *damage = context;
    if (damage->seen++ == damage->pick) {
        memcpy(damage->name, name, strlen(name) + 1);
        damage->bytes = bytes;
    }
    return SOUK_OK;
}

/* Whether a byte of a run at this place matters; between the parts lie some that do not. */
static bool byte_counts(souk_disk *disk, const char *name, uint64_t at, uint64_t bytes)
{
    souk_auto(souk_run_file) file = NULL;
    if (souk_run_file_open(souk_mem_heap(), disk, name, &file))
        return strstr(name, "manifest");
    uint64_t keys = (uint64_t)((const unsigned char *)file->first_keys - file->at);
    uint64_t values = (uint64_t)((const unsigned char *)file->first_values - file->at);
    uint64_t offsets = (uint64_t)((const unsigned char *)file->offsets - file->at);
    uint64_t blocks = (uint64_t)(file->blocks - file->at);
    return at < SOUK_RUN_HEAD_BYTES || (at >= 4096 && at < keys + file->block_count * 8) ||
           (at >= values && at < values + file->block_count * 8) ||
           (at >= offsets && at < offsets + file->block_count * 4) ||
           (at >= blocks && at < bytes - SOUK_RUN_END);
}

SOUK_TEST("one changed byte in any file is found at open or by verify, and a reset mends it")
{
    int blocks_found = 0;
    for (int round = 0; round < 300; round++) {
        souk_auto(souk_disk) disk = NULL;
        souk_auto(souk_runs) runs = NULL;
        souk_auto_value(runs_model) model = {0};
        uint64_t sure;
        SOUK_MUST(souk_disk_open_sim(souk_mem_heap(), 1, &disk));
        test->random = (uint64_t)round;
        SOUK_MUST(live(test, disk, &model, &sure));
        runs_damage damage = {.disk = disk};
        SOUK_MUST(souk_disk_list(disk, "runs", pick_file, &damage));
        damage.pick = test_random(test, damage.seen);
        damage.seen = 0;
        SOUK_MUST(souk_disk_list(disk, "runs", pick_file, &damage));
        uint64_t at = test_random(test, damage.bytes);
        if (!byte_counts(disk, damage.name, at, damage.bytes))
            continue;

        souk_auto(souk_file) file = NULL;
        unsigned char byte;
        size_t got;
        SOUK_MUST(souk_file_open(disk, damage.name, SOUK_FILE_WRITE, &file));
        SOUK_MUST(souk_file_read(file, &byte, 1, at, &got));
        byte ^= (unsigned char)(1 + test_random(test, 255));
        SOUK_MUST(souk_file_write(file, &byte, 1, at));
        souk_err err = souk_runs_open(test->mem, disk, "set", &small, &runs);
        if (!err) {
            souk_runs_view view;
            souk_runs_view_init(runs, &view);
            err = souk_runs_verify(&view);
            souk_runs_view_done(&view);
            souk_runs_free(souk_take(&runs));
            blocks_found++;
        }
        SOUK_CHECK(err == SOUK_ECORRUPT);
        souk_file_free(souk_take(&file));
        SOUK_MUST(souk_runs_reset(disk, "set"));
        SOUK_CHECK(recovers(test, disk, &model, 0));
    }
    SOUK_CHECK(blocks_found > 20);
}

SOUK_TEST("a read of a damaged block says so instead of giving a value")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_runs) runs = NULL;
    souk_auto(souk_file) file = NULL;
    SOUK_MUST(souk_disk_open_sim(souk_mem_heap(), 1, &disk));
    SOUK_MUST(souk_runs_open(test->mem, disk, "set", NULL, &runs));
    for (uint64_t i = 0; i < 100; i++)
        SOUK_MUST(souk_runs_add(runs, 5, i * i));
    SOUK_MUST(souk_runs_freeze(runs));
    SOUK_MUST(model_work(runs, 100));
    souk_runs_free(souk_take(&runs));
    uint64_t size, key = 5, values[10];
    size_t count;
    SOUK_MUST(souk_file_open(disk, "runs/set-0", SOUK_FILE_WRITE, &file));
    SOUK_MUST(souk_file_size(file, &size));
    SOUK_MUST(souk_file_write(file, "damage", 6, size - SOUK_RUN_END - 20));
    SOUK_MUST(souk_runs_open(test->mem, disk, "set", NULL, &runs));
    souk_runs_view view;
    souk_runs_view_init(runs, &view);
    model_seen seen = {.key = 5};
    souk_err last = souk_runs_last(&view, key, UINT64_MAX, 10, values, &count);
    souk_err all = souk_runs_find_all(&view, key, model_see, &seen);
    souk_runs_view_done(&view);
    SOUK_CHECK_ERR(last, SOUK_ECORRUPT);
    SOUK_CHECK_ERR(all, SOUK_ECORRUPT);
    SOUK_CHECK_ERR(souk_runs_find_batch(runs, &key, 1, values), SOUK_ECORRUPT);
}

SOUK_TEST("a set cut short by a missing or a newer file is refused, and reset twice is fine")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto_value(runs_model) model = {0};
    uint64_t sure;
    souk_runs *runs = NULL;
    SOUK_MUST(souk_disk_open_sim(souk_mem_heap(), 1, &disk));
    SOUK_MUST(souk_runs_reset(disk, "set"));
    SOUK_MUST(live(test, disk, &model, &sure));
    runs_damage damage = {.disk = disk};
    SOUK_MUST(souk_disk_list(disk, "runs", pick_file, &damage));
    SOUK_MUST(souk_disk_remove(disk, damage.name));
    SOUK_CHECK_ERR(souk_runs_open(test->mem, disk, "set", &small, &runs), SOUK_ECORRUPT);
    SOUK_MUST(souk_runs_reset(disk, "set"));
    SOUK_MUST(souk_runs_reset(disk, "set"));
    SOUK_CHECK(recovers(test, disk, &model, 0));
}
