/* spine_fault_test.c - each allocation and each operation of the disk fails in turn, in every stage of a shop's
 * life (spine_fault_tale.h).
 *
 *     the folder as it was before the stage ─> the stage, with the fault ─> without it, in the same process ─>
 *     the process dies, sometimes with the power ─> the folder opens, verifies, and says what was answered
 *
 * No memory, or a full disk: nothing has happened, and the same call succeeds a moment later.  A disk that
 * fails a write or a sync of the ledger: whoever writes next is refused, and a new start knows. */
#include "core/spine.h"
#include "test/test.h"

#include "core/spine_fault_tale.h"
#include "store/sqlite_watch.h"

#include <stdlib.h>

/* ---- folders ------------------------------------------------------------------------------------------- */

struct copying {
    souk_test *test;
    souk_disk *from, *to;
};

static souk_err copy_file(void *context, const char *name, uint64_t bytes)
{
    struct copying *copying = context;
    souk_auto_value(souk_buf) all = {.mem = souk_mem_heap(), .limit_bytes = (size_t)bytes + 1};
    souk_auto(souk_file) file = NULL;
    SOUK_TRY(souk_disk_take(copying->from, name, &all));
    SOUK_TRY(souk_file_open(copying->to, name, SOUK_FILE_CREATE, &file));
    SOUK_TRY(souk_file_write(file, all.at, all.bytes, 0));
    return souk_file_sync(file);
}

/* As a process that died leaves it.  Disks are the heap's: their memory does not fail. */
static souk_disk *copy_disk(souk_test *test, souk_disk *from, uint64_t seed)
{
    struct copying copying = {test, from, NULL};
    SOUK_MUST(souk_disk_open_sim(souk_mem_heap(), seed, &copying.to));
    SOUK_MUST(souk_disk_make_folder(copying.to, "runs"));
    SOUK_MUST(souk_disk_list(from, "", copy_file, &copying));
    SOUK_MUST(souk_disk_sync_folder(copying.to));
    return copying.to;
}

enum {
    HALF_ERASED = 18
}; /* the operation behind which the log entry is durable, and nothing else */

/* The folder and the book before each stage. */
struct images {
    struct image {
        souk_disk *disk;
        enum fate fates[STAGES];
        uint32_t reject_slot;
    } before[STAGES];
};

static void tale_init(struct tale *tale, souk_test *test)
{
    *tale = (struct tale){.test = test};
    souk_clock_fake_init(&tale->clock, 1767268800000);
    tale->options = (souk_spine_options){.clock = &tale->clock.clock,
                                         .ledger = {.no_thread = true, .readers = 1},
                                         .vault = {.block_slots = 64, .cache_keys = 64},
                                         .runs_memory = 16};
}

static void take_image(struct images *images, struct tale *tale, enum stage stage)
{
    struct image *image = &images->before[stage];
    image->disk = copy_disk(tale->test, tale->disk, stage);
    memcpy(image->fates, tale->fates, sizeof image->fates);
    image->reject_slot = tale->reject_slot;
}

static souk_err find_reject(souk_tx *tx, void *context)
{
    return souk_sql_one_int(tx, "SELECT slot FROM reject", SOUK_NO_VALUES, context);
}

/* A folder in which eve's erasure has been asked for, and the power went. */
static void take_half_erased(struct images *images, souk_test *test)
{
    const struct image *image = &images->before[STAGE_ERASE];
    struct tale tale;
    tale_init(&tale, test);
    tale.disk = copy_disk(test, image->disk, 1);
    memcpy(tale.fates, image->fates, sizeof tale.fates);
    tale.reject_slot = image->reject_slot;
    SOUK_MUST(do_open(&tale));
    souk_sim_plan(tale.disk, (souk_sim_faults){.cut_at = HALF_ERASED});
    SOUK_CHECK(do_stage(&tale, STAGE_ERASE) != SOUK_OK);
    souk_spine_free(tale.spine);
    souk_sim_power_on(tale.disk);
    tale.fates[STAGE_ERASE] = FATE_DONE;
    take_image(images, &tale, STAGE_MEND);
    souk_disk_free(tale.disk);
}

static void images_init(struct images *images, souk_test *test)
{
    struct tale tale;
    tale_init(&tale, test);
    SOUK_MUST(souk_disk_open_sim(souk_mem_heap(), 1, &tale.disk));
    for (enum stage stage = STAGE_INIT; stage <= STAGE_CLOSE; stage++) {
        take_image(images, &tale, stage);
        if (stage == STAGE_WORK)
            take_image(images, &tale, STAGE_REPLAY);
        souk_err err = do_stage(&tale, stage);
        tale.fates[stage] = FATE_DONE;
        int64_t slot = 0;
        if (!err && stage == STAGE_SECOND)
            err = souk_ledger_read(souk_spine_ledger(tale.spine), find_reject, &slot);
        if (slot)
            tale.reject_slot = (uint32_t)slot;
        if (!err && stage > STAGE_OPEN && stage < STAGE_CLOSE)
            (void)tale_judge(&tale);
        if (err || tale.wrong[0])
            test_fail(test, __FILE__, __LINE__, "%s: %s %s", stage_names[stage], souk_err_name(err),
                      tale.wrong);
    }
    take_image(images, &tale, STAGE_REOPEN);
    souk_spine_free(tale.spine);
    souk_disk_free(tale.disk);
    take_half_erased(images, test);
}

static void images_done(struct images *images)
{
    for (size_t i = 0; i < STAGES; i++)
        souk_disk_free(images->before[i].disk);
}

/* ---- one round ------------------------------------------------------------------------------------------- */

struct campaign {
    souk_test *test;
    struct images *images;
    enum stage stage;
    souk_sim_faults faults; /* of the disk; fail_at 0: an allocation fails (test->fail_at) */
    uint64_t rounds;
    bool sqlite; /* SQLite's own allocations fail, too */
    bool full;   /* `at` is the room that is left on the disk */
    enum plant { PLANT_NONE, PLANT_ANSWERED, PLANT_REFUSED } planted; /* an error in the book */
    char wrong[700];
};

static bool opens(enum stage stage)
{
    return stage == STAGE_INIT || stage == STAGE_OPEN || stage == STAGE_REOPEN ||
           stage == STAGE_REPLAY || stage == STAGE_MEND;
}

static void tale_begin(struct campaign *campaign, struct tale *tale)
{
    souk_test *test = campaign->test;
    const struct image *image = &campaign->images->before[campaign->stage];
    tale_init(tale, test);
    tale->disk = copy_disk(test, image->disk, campaign->rounds);
    memcpy(tale->fates, image->fates, sizeof tale->fates);
    tale->reject_slot = image->reject_slot;
    if (!opens(campaign->stage))
        SOUK_MUST(do_open(tale));
}

static bool is_ledger(const souk_sim_struck *struck)
{
    return !strncmp(struck->name, "ledger", 6) && struck->op != SOUK_SIM_READ;
}

static bool is_sync(const souk_sim_struck *struck)
{
    return struck->op == SOUK_SIM_SYNC || struck->op == SOUK_SIM_SYNC_FOLDER;
}

/* Whether the fault may have led to this answer. */
static bool is_honest(const struct campaign *campaign, const souk_sim_struck *struck, souk_err err)
{
    if (err == SOUK_OK)
        return true;
    if (campaign->full)
        return err == SOUK_EFULL;
    if (!campaign->faults.fail_at)
        return err == SOUK_ENOMEM;
    if (campaign->faults.fail_err == SOUK_EFULL)
        return err == SOUK_EFULL || (err == SOUK_EIO && is_sync(struck));
    return err == SOUK_EIO;
}

/* The same call again, where nothing fails any longer. */
static souk_err try_again(struct tale *tale, enum stage stage)
{
    souk_err err = SOUK_OK;
    if (stage == STAGE_ERASE)
        err = do_work(tale); /* as the keeper's thread does */
    if (stage == STAGE_ERASE && !err && find(tale, EVE) == SOUK_ENOENT)
        return SOUK_OK;
    if (!err)
        err = do_stage(tale, stage);
    return stage == STAGE_INIT && err == SOUK_EEXIST ? SOUK_OK : err;
}

/* Whoever writes is refused, and nothing reaches the disk. */
static bool judge_refusals(struct tale *tale)
{
    size_t repeats;
    uint64_t before = souk_sim_operations(tale->disk);
    souk_err sent = send(tale, STAGE_FIRST, MESSAGES, &repeats);
    souk_err made = do_source(tale);
    if (sent != SOUK_EIO || made != SOUK_EIO)
        return tale_differs(tale, "after a failed write: %s, %s", souk_err_name(sent),
                            souk_err_name(made));
    return souk_sim_operations(tale->disk) == before ||
           tale_differs(tale, "after a failed write the disk is written to");
}

/* A rebuild that failed leaves nothing to ask; it can be repeated, or left to the next start. */
static bool judge_rebuild(struct campaign *campaign, struct tale *tale)
{
    size_t repeats;
    souk_spine_counters counters;
    souk_spine_count(tale->spine, &counters);
    souk_err sent = send(tale, STAGE_FIRST, MESSAGES, &repeats), found = find(tale, ADA);
    if (sent != SOUK_EIO || found != SOUK_EIO || !souk_spine_failed(tale->spine))
        return tale_differs(tale, "after half a rebuild: %s, %s", souk_err_name(sent),
                            souk_err_name(found));
    if (campaign->rounds % 2)
        return souk_spine_close(tale->spine) == SOUK_OK || tale_differs(tale, "it cannot close");
    souk_err again = do_stage(tale, STAGE_REBUILD);
    return again ? tale_differs(tale, "a second rebuild: %s", souk_err_name(again))
                 : tale_judge(tale);
}

static bool live_on(struct campaign *campaign, struct tale *tale, souk_err err,
                    const souk_sim_struck *struck)
{
    enum stage stage = campaign->stage;
    bool unknown = err == SOUK_EIO || stage == STAGE_ERASE;
    tale->fates[stage] = !err ? FATE_DONE : unknown ? FATE_UNKNOWN : FATE_NOT;
    if (err && stage == STAGE_REBUILD)
        return judge_rebuild(campaign, tale);
    bool failed = tale->spine && stage != STAGE_CLOSE && souk_spine_failed(tale->spine);
    if (failed) /* keys that are made stay usable: a failed key file alone refuses what needs another */
        return !is_ledger(struck) || judge_refusals(tale);
    if (err == SOUK_EIO && is_ledger(struck) && !opens(stage) && stage != STAGE_CLOSE)
        return tale_differs(tale, "goes on after a failed operation on '%s'", struck->name);
    if (err && stage != STAGE_CLOSE && campaign->rounds % 2) {
        souk_err again = tale->fates[stage] == FATE_UNKNOWN && stage != STAGE_ERASE && !opens(stage)
                             ? SOUK_OK /* it may have happened */
                             : try_again(tale, stage);
        if (again)
            return tale_differs(tale, "a second time: %s", souk_err_name(again));
        if (err != SOUK_EIO || stage == STAGE_ERASE)
            tale->fates[stage] = FATE_DONE;
    }
    if (!tale->spine || stage == STAGE_CLOSE || tale->fates[stage] == FATE_UNKNOWN)
        return true;
    return tale_judge(tale);
}

static souk_err count_sources(souk_tx *tx, void *context)
{
    return souk_sql_one_int(tx, "SELECT count(*) FROM source", SOUK_NO_VALUES, context);
}

/* What became of the stage that nobody knows about. */
static bool has_happened(struct tale *tale, enum stage stage)
{
    souk_grant grant;
    int64_t sources = 0;
    uint32_t ada = 0;
    switch (stage) {
    case STAGE_SOURCE:
        return !souk_ledger_read(souk_spine_ledger(tale->spine), count_sources, &sources) &&
               sources == 1;
    case STAGE_FIRST:
    case STAGE_SECOND:
        return count_events(tale) > (stage == STAGE_SECOND ? count_messages(STAGE_FIRST) : 0);
    case STAGE_MERGE:
    case STAGE_UNMERGE:
        ada = find(tale, ADA) ? 0 : tale->person.shopper;
        return !find(tale, BOB) && (ada == tale->person.shopper) == (stage == STAGE_MERGE);
    case STAGE_CONSENT:
        return !find(tale, DAN) && !ask(tale, SOUK_PURPOSE_PERSONALISE, &grant);
    case STAGE_WITHDRAW:
        return !find(tale, ADA) && ask(tale, SOUK_PURPOSE_PROFILE, &grant);
    case STAGE_ERASE:
        return find(tale, EVE) == SOUK_ENOENT;
    default:
        return true;
    }
}

/* The process dies; the next one finds everything that was answered, once. */
static bool live_again(struct campaign *campaign, struct tale *tale)
{
    enum stage stage = campaign->stage;
    souk_spine_free(souk_take(&tale->spine));
    if (campaign->rounds % 4 >= 2)
        souk_sim_power_on(tale->disk);
    souk_err err = stage == STAGE_INIT ? try_again(tale, STAGE_INIT) : SOUK_OK;
    if (!err)
        err = do_open(tale);
    if (err)
        return tale_differs(tale, "the folder does not open: %s", souk_err_name(err));
    if (tale->fates[stage] == FATE_UNKNOWN)
        tale->fates[stage] = has_happened(tale, stage) ? FATE_DONE : FATE_NOT;
    if (campaign->planted)
        tale->fates[stage] = campaign->planted == PLANT_ANSWERED ? FATE_DONE : FATE_NOT;
    if (!tale_judge(tale))
        return false;
    err = do_verify(tale);
    return !err || tale_differs(tale, "verify: %s", souk_err_name(err));
}

static void add_bytes(void *context, const char *name, const void *at, size_t bytes)
{
    (void)name, (void)at;
    *(uint64_t *)context += bytes;
}

static uint64_t bytes_on(souk_disk *disk)
{
    uint64_t bytes = 0;
    souk_sim_scan(disk, add_bytes, &bytes);
    return bytes;
}

/* Ends where the fault was not met. */
static bool one_round(struct campaign *campaign, uint64_t at)
{
    souk_test *test = campaign->test;
    struct tale tale;
    uint64_t fail_at = test->fail_at;
    test->fail_at = 0;
    tale_begin(campaign, &tale);
    campaign->rounds++;
    if (campaign->faults.fail_at)
        campaign->faults.fail_at = at;
    if (campaign->full)
        campaign->faults.capacity_bytes = 1 + bytes_on(tale.disk) + at;
    souk_sim_plan(tale.disk, campaign->faults);
    test->fault_calls = 0;
    test->fail_at = fail_at;
    watch.counted = campaign->sqlite ? test : NULL;
    souk_err err = do_stage(&tale, campaign->stage);
    watch.counted = NULL;
    test->fail_at = 0;
    souk_sim_struck struck = souk_sim_struck_by_plan(tale.disk);
    souk_sim_plan(tale.disk, (souk_sim_faults){.cut_at = 0});

    bool met = campaign->full             ? true
               : campaign->faults.fail_at ? struck.op != SOUK_SIM_NOTHING
                                          : test->fault_hit;
    bool known = campaign->faults.fail_reads && met && struck.op != SOUK_SIM_READ;
    if (!met && err)
        tale_differs(&tale, "%s although nothing failed", souk_err_name(err));
    if (!is_honest(campaign, &struck, err))
        tale_differs(&tale, "the stage answered %s", souk_err_name(err));
    (void)(!known && !tale.wrong[0] && live_on(campaign, &tale, err, &struck) &&
           live_again(campaign, &tale));
    if (tale.wrong[0] && !campaign->wrong[0])
        snprintf(campaign->wrong, sizeof campaign->wrong, "%s, fault %llu (%d on '%s'), %s: %.250s",
                 stage_names[campaign->stage], (unsigned long long)at, (int)struck.op, struck.name,
                 souk_err_name(err), tale.wrong);
    souk_spine_free(tale.spine);
    souk_disk_free(tale.disk);
    test->fail_at = fail_at;
    return met;
}

/* ---- the loops --------------------------------------------------------------------------------------------- */

/* A sanitizer looks at every so many-th fault of a stage; SQLite allocates twenty times as often as we do.
 * SOUK_FAULT_STEP=1 looks at all of them. */
static uint64_t step_of(uint64_t usual)
{
    const char *told = getenv("SOUK_FAULT_STEP");
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    usual *= 7;
#endif
    return told ? strtoull(told, NULL, 10) : usual;
}

static void complain(struct campaign *campaign)
{
    if (campaign->wrong[0])
        test_fail(campaign->test, __FILE__, __LINE__, "%s", campaign->wrong);
}

static void fail_memory(struct campaign *campaign)
{
    souk_test *test = campaign->test;
    uint64_t step = step_of(campaign->sqlite ? 41 : 1), first = test_random(test, step);
    SOUK_FAULT_LOOP (test) {
        test->fail_at += test->fail_at == 1 ? first : step - 1;
        (void)one_round(campaign, test->fail_at);
        complain(campaign);
    }
}

static void fail_sqlite(struct campaign *campaign)
{
    campaign->sqlite = true;
    fail_memory(campaign);
}

/* Each operation; where reads are to fail, those alone are looked at. */
static void fail_disk(struct campaign *campaign)
{
    uint64_t step = step_of(1), at = 1 + test_random(campaign->test, step);
    campaign->faults.fail_at = 1;
    for (; one_round(campaign, at); at += step)
        complain(campaign);
    complain(campaign);
}

static void fill_disk(struct campaign *campaign)
{
    campaign->full = true;
    for (uint64_t room = 0; room < 96 << 10; room += 6000 * step_of(1)) {
        (void)one_round(campaign, room);
        complain(campaign);
    }
}

static uint64_t in_every_stage(souk_test *test, souk_sim_faults faults,
                               void (*fail)(struct campaign *campaign))
{
    struct images images;
    uint64_t rounds = 0;
    images_init(&images, test);
    for (enum stage stage = STAGE_INIT; stage < STAGES; stage++) {
        struct campaign campaign = {
            .test = test, .images = &images, .stage = stage, .faults = faults};
        fail(&campaign);
        rounds += campaign.rounds;
    }
    images_done(&images);
    return rounds;
}

SOUK_TEST("whichever allocation of the spine fails, the answer is true and the next one comes")
{
    SOUK_CHECK(in_every_stage(test, (souk_sim_faults){.fail_at = 0}, fail_memory) >
               500 / step_of(1));
}

SOUK_TEST("whichever allocation of SQLite fails, the spine's answer is true and the next one comes")
{
    SOUK_CHECK(in_every_stage(test, (souk_sim_faults){.fail_at = 0}, fail_sqlite) >
               5000 / step_of(41));
}

SOUK_TEST(
    "whichever operation of the disk fails once, nothing that was answered is lost or doubled")
{
    SOUK_CHECK(in_every_stage(test, (souk_sim_faults){.fail_err = SOUK_EIO}, fail_disk) >
               300 / step_of(1));
}

SOUK_TEST(
    "a disk that fails for ever from any operation on is noticed, and the next start knows all")
{
    souk_sim_faults faults = {.fail_err = SOUK_EIO, .fail_for_ever = true};
    SOUK_CHECK(in_every_stage(test, faults, fail_disk) > 300 / step_of(1));
}

SOUK_TEST("whichever read of the disk fails, the answer is an error or right")
{
    souk_sim_faults faults = {.fail_err = SOUK_EIO, .fail_reads = true};
    SOUK_CHECK(in_every_stage(test, faults, fail_disk) > 400 / step_of(1));
}

SOUK_TEST("an operation that finds the disk full is survived")
{
    SOUK_CHECK(in_every_stage(test, (souk_sim_faults){.fail_err = SOUK_EFULL}, fail_disk) >
               300 / step_of(1));
}

SOUK_TEST(
    "with any room left on a full disk the answer is true, and all goes on once there is more")
{
    SOUK_CHECK(in_every_stage(test, (souk_sim_faults){.fail_at = 0}, fill_disk) > 150 / step_of(1));
}

/* An event that was refused counts as answered, or the other way round. */
SOUK_TEST("the judge notices one wrong entry in the book")
{
    struct images images;
    images_init(&images, test);
    for (enum plant plant = PLANT_ANSWERED; plant <= PLANT_REFUSED; plant++) {
        struct campaign campaign = {.test = test,
                                    .images = &images,
                                    .stage = STAGE_SECOND,
                                    .faults = {.fail_at = 1, .fail_err = SOUK_EFULL},
                                    .planted = plant};
        for (uint64_t at = 1; one_round(&campaign, at) && !campaign.wrong[0]; at++)
            ;
        SOUK_CHECK(campaign.wrong[0]);
    }
    images_done(&images);
}
