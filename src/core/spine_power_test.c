/* spine_power_test.c - the power goes at any operation of the whole spine; what was answered is there, once.
 *
 * One life: open, batches until the cut, power on, open again; every event answered in this life, and some of
 * earlier ones, is sent again: it must be a repeat.  The same harness must notice a ledger that does not sync. */
#include "core/spine.h"
#include "test/test.h"

#include <stdio.h>
#include <stdlib.h>

enum { LIFE_BATCHES = 12, BATCH_EVENTS = 5, MESSAGES_MOST = 1 << 16 };

struct world {
    souk_test *test;
    souk_disk *disk;
    souk_spine *spine;
    souk_spine_options options;
    souk_clock_fake clock;
    uint32_t message_count;
    bool lying;
    uint64_t cuts, answers, lost;
};

static souk_err open_spine(struct world *world)
{
    souk_diag diag = {.words = ""};
    return souk_spine_open(world->test->mem, world->disk, &world->options, &world->spine, &diag);
}

static void note(souk_batch *batch, souk_err err)
{
    *(souk_err *)batch->context = err;
}

/* Sends the messages [from, from + count); what is answered is remembered.  Tells how many were repeats. */
static souk_err send(struct world *world, uint32_t from, uint32_t count, size_t *ret_repeats)
{
    souk_event events[BATCH_EVENTS];
    char users[BATCH_EVENTS][16], ids[BATCH_EVENTS][16];
    souk_err answer = SOUK_EBUSY;
    const souk_hashes *hashes = souk_spine_hashes(world->spine);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = from + i;
        snprintf(ids[i], sizeof ids[i], "m%u", number);
        snprintf(users[i], sizeof users[i], "u%u", number * 7919 % 13);
        events[i] = (souk_event){.at = 1767268800000 + number,
                                 .received = 1767268800000 + number,
                                 .type = SOUK_TEXT("Product Viewed"),
                                 .message = souk_hashes_message(hashes, 1, souk_text_of(ids[i])),
                                 .packed = SOUK_TEXT("\0{}")};
        souk_event_identify(&events[i], hashes, number % 3 ? SOUK_ID_USER : SOUK_ID_ANONYMOUS,
                            souk_text_of(users[i]));
    }
    souk_batch batch = {
        .source = 1, .events = events, .count = count, .done = note, .context = &answer};
    SOUK_TRY(souk_spine_submit(world->spine, &batch));
    if (!answer && ret_repeats)
        *ret_repeats = batch.repeats;
    return answer;
}

static void live_until_cut(struct world *world)
{
    souk_test *test = world->test;
    souk_sim_plan(world->disk, (souk_sim_faults){.cut_at = 1 + test_random(test, 120),
                                                 .lying_sync = world->lying});
    if (open_spine(world))
        return;
    for (uint32_t batch = 0; batch < LIFE_BATCHES; batch++) {
        uint32_t from = world->message_count, count = 1 + (uint32_t)test_random(test, BATCH_EVENTS);
        bool did;
        if (from + count > MESSAGES_MOST || send(world, from, count, NULL))
            break;
        world->message_count += count;
        world->answers += count;
        if (test_random(test, 3) == 0 && souk_spine_work(world->spine, &did))
            break;
        if (test_random(test, 8) == 0 && souk_spine_snapshot(world->spine))
            break;
    }
}

static void check_after(struct world *world, uint32_t from)
{
    for (unsigned i = 0; i < 5 && from; i++) {
        size_t repeats = 0;
        souk_err err = send(world, (uint32_t)test_random(world->test, from), 1, &repeats);
        world->lost += err != SOUK_OK || repeats != 1;
    }
    for (uint32_t number = from; number < world->message_count; number++) {
        size_t repeats = 0;
        souk_err err = send(world, number, 1, &repeats);
        world->lost += err != SOUK_OK || repeats != 1;
    }
}

static souk_err one_cut(struct world *world)
{
    uint32_t from = world->message_count;
    live_until_cut(world);
    souk_spine_free(souk_take(&world->spine));
    souk_sim_power_on(world->disk);
    souk_sim_plan(world->disk, (souk_sim_faults){.cut_at = 0});
    SOUK_TRY(open_spine(world));
    /* The batch that was under way may be there or not: its numbers are given again. */
    check_after(world, from);
    if (test_random(world->test, 16) == 0) {
        souk_diag diag = {.words = ""};
        SOUK_TRY(souk_spine_verify(world->spine, NULL, NULL, &diag));
    }
    souk_spine_free(souk_take(&world->spine));
    world->cuts++;
    return SOUK_OK;
}

static void begin(struct world *world, souk_test *test, enum souk_ledger_sync sync)
{
    *world = (struct world){.test = test};
    souk_clock_fake_init(&world->clock, 1767268800000);
    world->options = (souk_spine_options){.clock = &world->clock.clock,
                                          .ledger = {.no_thread = true, .sync = sync, .readers = 1},
                                          .vault = {.block_slots = 64, .cache_keys = 64},
                                          .runs_memory = 64};
    SOUK_MUST(souk_disk_open_sim(test->mem, test_random(test, 0), &world->disk));
    SOUK_MUST(souk_spine_init(test->mem, world->disk, &world->options, NULL));
    souk_sim_power_on(world->disk);
}

static uint64_t cuts_wanted(uint64_t usual)
{
    const char *told = getenv("SOUK_POWER_CUTS");
    return told ? strtoull(told, NULL, 10) : usual;
}

SOUK_TEST("power cuts anywhere in the spine lose nothing that was answered, and double nothing")
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    uint64_t wanted = cuts_wanted(100);
#else
    uint64_t wanted = cuts_wanted(1000);
#endif
    struct world *world = souk_mem_get(souk_mem_heap(), sizeof *world);
    uint64_t cuts = 0, answers = 0, lost = 0;
    souk_err err = SOUK_OK;
    while (cuts < wanted && !err) {
        begin(world, test, SOUK_SYNC_FULL);
        for (unsigned life = 0; life < 20 && !err; life++)
            err = one_cut(world);
        cuts += world->cuts;
        answers += world->answers;
        lost += world->lost;
        souk_spine_free(souk_take(&world->spine));
        souk_disk_free(world->disk);
    }
    souk_mem_put(souk_mem_heap(), world);
    fprintf(stderr, "  power: %llu cuts, %llu events answered, %llu lost or doubled\n",
            (unsigned long long)cuts, (unsigned long long)answers, (unsigned long long)lost);
    SOUK_MUST(err);
    SOUK_CHECK(lost == 0);
}

SOUK_TEST("the power harness notices a ledger that does not sync")
{
    enum souk_ledger_sync planted[] = {SOUK_SYNC_NORMAL, SOUK_SYNC_OFF, SOUK_SYNC_FULL};
    for (size_t i = 0; i < 3; i++) { /* the third time the disk lies */
        struct world *world = souk_mem_get(souk_mem_heap(), sizeof *world);
        bool noticed = false;
        for (unsigned round = 0; round < 20 && !noticed; round++) {
            begin(world, test, planted[i]);
            world->lying = planted[i] == SOUK_SYNC_FULL;
            for (unsigned life = 0; life < 20 && !noticed; life++)
                noticed = one_cut(world) != SOUK_OK || world->lost > 0;
            souk_spine_free(souk_take(&world->spine));
            souk_disk_free(world->disk);
        }
        souk_mem_put(souk_mem_heap(), world);
        SOUK_CHECK(noticed);
    }
}
