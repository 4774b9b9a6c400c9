/* spine_erase_cut_test.c - an erasure of more than one atom, cut off anywhere: between two keys, too, where the log
 * tells of a claim by a shopper whom nothing in it makes any longer. */
#include "test/test.h"

#include "core/spine_private.h"

#include <stdio.h>

struct shop {
    souk_test *test;
    souk_disk *disk;
    souk_spine *spine;
    souk_spine_options options;
    souk_clock_fake clock;
    unsigned sent;
};

static void begin(struct shop *shop, souk_test *test)
{
    *shop = (struct shop){.test = test};
    souk_clock_fake_init(&shop->clock, 1767268800000);
    shop->options = (souk_spine_options){.clock = &shop->clock.clock,
                                         .ledger = {.no_thread = true, .readers = 1},
                                         .vault = {.block_slots = 64, .cache_keys = 64},
                                         .runs_memory = 64};
    SOUK_MUST(souk_disk_open_sim(souk_mem_heap(), 1, &shop->disk));
    SOUK_MUST(souk_spine_init(souk_mem_heap(), shop->disk, &shop->options, NULL));
    SOUK_MUST(souk_spine_open(souk_mem_heap(), shop->disk, &shop->options, &shop->spine, NULL));
}

static void end(struct shop *shop)
{
    souk_spine_free(shop->spine);
    souk_disk_free(shop->disk);
}

/* A page seen; user or anonymous may be NULL. */
static void see(struct shop *shop, const char *user, const char *anonymous)
{
    souk_test *test = shop->test;
    const souk_hashes *hashes = souk_spine_hashes(shop->spine);
    char message[16];
    snprintf(message, sizeof message, "m%u", shop->sent++);
    souk_event event = {.at = 1767268800000,
                        .received = 1767268800000,
                        .type = SOUK_TEXT("Page"),
                        .message = souk_hashes_message(hashes, 1, souk_text_of(message)),
                        .packed = SOUK_TEXT("\0{}")};
    if (user)
        souk_event_identify(&event, hashes, SOUK_ID_USER, souk_text_of(user));
    if (anonymous)
        souk_event_identify(&event, hashes, SOUK_ID_ANONYMOUS, souk_text_of(anonymous));
    souk_batch batch = {.source = 1, .events = &event, .count = 1};
    SOUK_MUST(souk_spine_write(shop->spine, &batch));
    SOUK_CHECK(batch.accepted == 1);
}

static souk_err find(struct shop *shop, souk_id_kind kind, const char *value)
{
    static souk_person person;
    return souk_spine_find(shop->spine, kind, souk_text_of(value), &person);
}

/* u-1 is one atom and claims the visitor's, before or after she is found. */
static void begin_erasure(struct shop *shop, souk_test *test, bool late, souk_person *ret_person)
{
    begin(shop, test);
    see(shop, "u-1", NULL);
    see(shop, NULL, "a-1");
    if (!late)
        see(shop, "u-1", "a-1");
    SOUK_MUST(souk_spine_find(shop->spine, SOUK_ID_USER, SOUK_TEXT("u-1"), ret_person));
    SOUK_CHECK(ret_person->atom_count == (late ? 1 : 2));
    if (late)
        see(shop, "u-1", "a-1");
}

SOUK_TEST(
    "an erasure of two atoms that is cut off anywhere is finished by the next start, or not begun")
{
    unsigned whole = 0, gone = 0;
    for (uint64_t cut = 1; cut <= 80; cut++) {
        struct shop shop;
        static souk_person person;
        uint64_t events;
        souk_diag diag = {.words = ""};
        begin_erasure(&shop, test, cut % 2, &person);
        souk_sim_plan(shop.disk, (souk_sim_faults){.cut_at = (cut + 1) / 2});
        souk_err err = souk_spine_erase(shop.spine, &person, &events);
        souk_spine_free(souk_take(&shop.spine));
        souk_sim_power_on(shop.disk);
        SOUK_MUST(souk_spine_open(souk_mem_heap(), shop.disk, &shop.options, &shop.spine, &diag));
        if (souk_spine_verify(shop.spine, NULL, NULL, &diag))
            test_fail(test, __FILE__, __LINE__, "cut %u: %s", (unsigned)cut, diag.words);
        souk_err found = find(&shop, SOUK_ID_USER, "u-1");
        SOUK_CHECK(found == SOUK_OK || found == SOUK_ENOENT);
        SOUK_CHECK(err || found == SOUK_ENOENT);
        SOUK_CHECK_ERR(find(&shop, SOUK_ID_ANONYMOUS, "a-1"), found);
        whole += found == SOUK_OK;
        gone += found && err;
        end(&shop);
    }
    SOUK_CHECK(whole && gone);
}

SOUK_TEST(
    "an erasure that failed and is finished without a restart leaves nothing of a cut-off save")
{
    unsigned finished = 0, removed = 0;
    for (uint64_t fail = 1; fail <= 60; fail++) {
        struct shop shop;
        static souk_person person;
        uint64_t events;
        bool did = true;
        begin_erasure(&shop, test, false, &person);
        SOUK_MUST(souk_spine_snapshot(shop.spine));
        SOUK_MUST(souk_disk_put(shop.disk, "index.part", "u-1", 3));
        souk_sim_plan(shop.disk, (souk_sim_faults){.fail_at = fail, .fail_err = SOUK_EFULL});
        souk_err err = souk_spine_erase(shop.spine, &person, &events);
        souk_sim_plan(shop.disk, (souk_sim_faults){0});
        bool half = __atomic_load_n(&shop.spine->half_erased, __ATOMIC_RELAXED);
        if (half && !souk_spine_work(shop.spine, &did)) {
            SOUK_CHECK(err && !souk_disk_exists(shop.disk, "index.part"));
            removed += !souk_disk_exists(shop.disk, "index"); /* else it was edited */
            finished++;
        }
        end(&shop);
    }
    SOUK_CHECK(removed > 0 && finished > removed);
}
