/* spine_damage_test.c - a snapshot that is damaged where no sum covers it is made again from the log, and
 * nobody notices but the one who waits. */
#include "test/test.h"

#include "core/spine_private.h"

#include <stddef.h>
#include <stdio.h>

struct shop {
    souk_test *test;
    souk_disk *disk;
    souk_spine *spine;
    souk_spine_options options;
    souk_clock_fake clock;
    unsigned sold;
};

static souk_err open_shop(struct shop *shop)
{
    return souk_spine_open(souk_mem_heap(), shop->disk, &shop->options, &shop->spine, NULL);
}

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
    SOUK_MUST(open_shop(shop));
}

static void end(struct shop *shop)
{
    souk_spine_free(shop->spine);
    souk_disk_free(shop->disk);
}

static void ignore(souk_batch *batch, souk_err err)
{
    *(souk_err *)batch->context = err;
}

static void sell(struct shop *shop, const char *user)
{
    souk_test *test = shop->test;
    const souk_hashes *hashes = souk_spine_hashes(shop->spine);
    char message[16];
    souk_err answer = SOUK_EBUSY;
    snprintf(message, sizeof message, "m%u", shop->sold++);
    souk_event event = {.at = 1767268800000,
                        .received = 1767268800000,
                        .type = SOUK_TEXT("Order Completed"),
                        .amount = {1500000},
                        .currency = "GBP",
                        .flags = SOUK_EVENT_ORDER | SOUK_EVENT_SALE,
                        .message = souk_hashes_message(hashes, 1, souk_text_of(message)),
                        .packed = SOUK_TEXT("\0{}")};
    souk_event_identify(&event, hashes, SOUK_ID_USER, souk_text_of(user));
    souk_batch batch = {
        .source = 1, .events = &event, .count = 1, .done = ignore, .context = &answer};
    SOUK_MUST(souk_spine_submit(shop->spine, &batch));
    SOUK_MUST(answer);
}

static void close_shop(struct shop *shop)
{
    souk_test *test = shop->test;
    SOUK_MUST(souk_spine_close(shop->spine));
    souk_spine_free(souk_take(&shop->spine));
}

/* Overwrites a field of an atom in the snapshot, found by the atom's bytes. */
static void damage(struct shop *shop, const souk_atom *atom, size_t field, uint32_t value)
{
    souk_test *test = shop->test;
    souk_auto_value(souk_buf) bytes = {.mem = test->mem};
    souk_auto(souk_file) file = NULL;
    SOUK_MUST(souk_disk_take(shop->disk, SPINE_INDEX_FILE, &bytes));
    const char *found = memmem(bytes.at, bytes.bytes, atom, sizeof *atom);
    SOUK_CHECK(found);
    SOUK_MUST(souk_file_open(shop->disk, SPINE_INDEX_FILE, SOUK_FILE_WRITE, &file));
    SOUK_MUST(souk_file_write(file, &value, sizeof value, (uint64_t)(found - bytes.at) + field));
    SOUK_MUST(souk_file_sync(file));
}

/* Two shoppers with two orders each, and a snapshot of that; tells the second one's atom. */
static souk_atom sell_and_close(struct shop *shop)
{
    for (int i = 0; i < 4; i++)
        sell(shop, i % 2 ? "u-2" : "u-1");
    souk_atom atom = *souk_index_atom(souk_spine_index(shop->spine), 2);
    close_shop(shop);
    return atom;
}

static void check_shop(struct shop *shop, uint64_t orders)
{
    souk_test *test = shop->test;
    souk_totals totals;
    souk_spine_counters counters;
    souk_diag diag = {.words = ""};
    souk_index_totals(souk_spine_index(shop->spine), &totals);
    SOUK_CHECK(totals.orders == orders && totals.currency_count == 1);
    souk_spine_count(shop->spine, &counters);
    SOUK_CHECK(counters.quarantined == 0);
    SOUK_MUST(souk_spine_verify(shop->spine, NULL, NULL, &diag));
}

SOUK_TEST(
    "an atom whose slot is damaged in the snapshot is found by verify, and made again by rebuild")
{
    static const uint32_t wrong[] = {UINT32_MAX, 1 << 29, 1, 255};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct shop shop;
        souk_diag diag = {.words = ""};
        begin(&shop, test);
        souk_atom atom = sell_and_close(&shop);
        damage(&shop, &atom, offsetof(souk_atom, slot), wrong[i]);
        SOUK_MUST(open_shop(&shop)); /* a start reads no atom */
        SOUK_CHECK_ERR(souk_spine_verify(shop.spine, NULL, NULL, &diag), SOUK_ECORRUPT);
        SOUK_CHECK(strstr(diag.words, "souk rebuild"));
        SOUK_MUST(souk_spine_rebuild(shop.spine, NULL, NULL));
        check_shop(&shop, 4);
        close_shop(&shop);
        SOUK_MUST(open_shop(&shop)); /* and is whole from then on */
        check_shop(&shop, 4);
        end(&shop);
    }
}

SOUK_TEST(
    "sums that turn out damaged while the log is read are made again, and nothing is left out")
{
    struct shop shop;
    begin(&shop, test);
    souk_atom atom = sell_and_close(&shop);
    SOUK_MUST(open_shop(&shop));
    sell(&shop, "u-2"); /* behind the snapshot */
    souk_spine_free(souk_take(&shop.spine));
    damage(&shop, &atom, offsetof(souk_atom, counters), 0x7fffffff);
    SOUK_MUST(open_shop(&shop));
    check_shop(&shop, 5);
    end(&shop);
}

SOUK_TEST("a key file older than the ledger is told, not taken for a damaged snapshot")
{
    struct shop shop;
    souk_auto_value(souk_buf) old = {.mem = test->mem};
    begin(&shop, test);
    SOUK_MUST(souk_disk_take(shop.disk, "keys", &old));
    for (int i = 0; i < 100; i++) {
        char user[16];
        snprintf(user, sizeof user, "u-%d", i);
        sell(&shop, user);
    }
    close_shop(&shop);
    SOUK_MUST(souk_disk_put(shop.disk, "keys", old.at, old.bytes));
    SOUK_CHECK_ERR(open_shop(&shop), SOUK_ENOENT);
    end(&shop);
}
