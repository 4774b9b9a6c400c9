/* spine_unfit_test.c - an event whose sums do not fit is durable, answered, quarantined, and nothing else. */
#include "test/test.h"

#include "core/spine_private.h"

#include <stdio.h>

struct shop {
    souk_test *test;
    souk_disk *disk;
    souk_spine *spine;
    souk_spine_options options;
    souk_clock_fake clock;
};

static void open_shop(struct shop *shop)
{
    souk_test *test = shop->test;
    SOUK_MUST(souk_spine_open(test->mem, shop->disk, &shop->options, &shop->spine, NULL));
}

static void begin(struct shop *shop, souk_test *test)
{
    *shop = (struct shop){.test = test};
    souk_clock_fake_init(&shop->clock, 1767268800000);
    shop->options = (souk_spine_options){.clock = &shop->clock.clock,
                                         .ledger = {.no_thread = true, .readers = 1},
                                         .vault = {.block_slots = 64, .cache_keys = 64},
                                         .runs_memory = 64};
    SOUK_MUST(souk_disk_open_sim(test->mem, 1, &shop->disk));
    SOUK_MUST(souk_spine_init(test->mem, shop->disk, &shop->options, NULL));
    open_shop(shop);
}

static void end(struct shop *shop)
{
    souk_spine_free(shop->spine);
    souk_disk_free(shop->disk);
}

static void note(souk_batch *batch, souk_err err)
{
    *(souk_err *)batch->context = err;
}

static void sell(struct shop *shop, const char *message, int64_t amount_micro)
{
    souk_test *test = shop->test;
    const souk_hashes *hashes = souk_spine_hashes(shop->spine);
    souk_err answer = SOUK_EBUSY;
    souk_event event = {.at = 1767268800000,
                        .received = 1767268800000,
                        .type = SOUK_TEXT("Order Completed"),
                        .amount = {amount_micro},
                        .currency = "GBP",
                        .flags = SOUK_EVENT_ORDER | SOUK_EVENT_SALE,
                        .message = souk_hashes_message(hashes, 1, souk_text_of(message)),
                        .packed = SOUK_TEXT("\0{}")};
    souk_event_identify(&event, hashes, SOUK_ID_USER, SOUK_TEXT("u-1"));
    souk_batch batch = {
        .source = 1, .events = &event, .count = 1, .done = note, .context = &answer};
    SOUK_MUST(souk_spine_submit(shop->spine, &batch));
    SOUK_MUST(answer);
    SOUK_CHECK(batch.accepted == 1);
}

static souk_err read_row(void *context, const souk_quarantined *row)
{
    souk_quarantined *last = context;
    *last = *row;
    last->reader = SOUK_TEXT("");
    return souk_text_equal(row->reader, SOUK_TEXT("index")) ? SOUK_OK : SOUK_ECORRUPT;
}

static souk_err list(souk_tx *tx, void *context)
{
    return souk_quarantine_list(tx, SOUK_TEXT(""), 0, 10, read_row, context);
}

static souk_err count(souk_tx *tx, void *context)
{
    return souk_quarantine_count(tx, context);
}

/* Only the second event is in the quarantine, and the first alone in her sums. */
static void check_shop(struct shop *shop)
{
    souk_test *test = shop->test;
    souk_quarantined row = {.position = 0};
    uint64_t rows;
    souk_diag diag = {.words = ""};
    bool did = true;
    while (did)
        SOUK_MUST(souk_spine_work(shop->spine, &did));
    SOUK_MUST(souk_ledger_read(souk_spine_ledger(shop->spine), list, &row));
    SOUK_CHECK(row.position == 2 && row.why == SOUK_EOVERFLOW);
    SOUK_MUST(souk_ledger_read(souk_spine_ledger(shop->spine), count, &rows));
    SOUK_CHECK(rows == 1);
    souk_totals totals;
    souk_index_totals(souk_spine_index(shop->spine), &totals);
    SOUK_CHECK(totals.events == 1 && totals.orders == 1);
    SOUK_CHECK(totals.amounts[0].amount_micro == INT64_MAX - 10);
    SOUK_MUST(souk_spine_verify(shop->spine, NULL, NULL, &diag));
}

static void reopen(struct shop *shop)
{
    souk_spine_free(souk_take(&shop->spine));
    open_shop(shop);
}

SOUK_TEST("an event that would overflow a sum is answered and quarantined, through crash, stop and "
          "rebuild")
{
    struct shop shop;
    begin(&shop, test);
    sell(&shop, "m1", INT64_MAX - 10);
    sell(&shop, "m2", 11);
    souk_spine_counters counters;
    souk_spine_count(shop.spine, &counters);
    SOUK_CHECK(counters.quarantined == 1);
    reopen(&shop); /* before the keeper wrote it down */
    check_shop(&shop);
    reopen(&shop); /* and after */
    check_shop(&shop);
    SOUK_MUST(souk_spine_close(shop.spine));
    reopen(&shop);
    check_shop(&shop);
    SOUK_MUST(souk_spine_rebuild(shop.spine, NULL, NULL));
    check_shop(&shop);
    end(&shop);
}

SOUK_TEST("an orderly stop writes down what did not fit before its snapshot passes over it")
{
    struct shop shop;
    begin(&shop, test);
    sell(&shop, "m1", INT64_MAX - 10);
    sell(&shop, "m2", 11);
    SOUK_MUST(souk_spine_close(shop.spine));
    reopen(&shop);
    check_shop(&shop);
    souk_spine_counters counters;
    souk_spine_count(shop.spine, &counters);
    SOUK_CHECK(counters.quarantined == 0); /* the snapshot was loaded, nothing folded again */
    end(&shop);
}
