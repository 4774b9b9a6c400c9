/* import_threads_test.c - imports as they run for real: a reader, the writer and the recorder of lists, on a real disk.
 *
 * Cut off anywhere and gone on with by a process that abandons what was under way, they end as one that was not; under
 * TSan nothing is touched by two threads at once. */
#include "test/test.h"

#include "service/collect/import.h"

#include <stdio.h>

enum { ROWS = 7000, PEOPLE = 1500 };

struct shop {
    souk_test *test;
    souk_disk *disk;
    souk_spine *spine;
};

static void shop_open(struct shop *shop)
{
    souk_test *test = shop->test;
    souk_spine_options options = {.vault = {.block_slots = 1024, .cache_keys = 256}};
    SOUK_MUST(souk_spine_open(souk_mem_heap(), shop->disk, &options, &shop->spine, NULL));
}

static void shop_begin(struct shop *shop, souk_test *test, unsigned number)
{
    char folder[600];
    *shop = (struct shop){.test = test};
    snprintf(folder, sizeof folder, "%s/shop-%u", test_folder(test), number);
    SOUK_MUST(souk_disk_open_real(souk_mem_heap(), folder, &shop->disk, NULL));
    SOUK_MUST(souk_spine_init(souk_mem_heap(), shop->disk, NULL, NULL));
    shop_open(shop);
}

static void shop_end(struct shop *shop)
{
    souk_test *test = shop->test;
    souk_diag diag = {.words = ""};
    if (souk_spine_verify(shop->spine, NULL, NULL, &diag))
        test_fail(test, __FILE__, __LINE__, "%s", diag.words);
    SOUK_MUST(souk_spine_close(shop->spine));
    souk_spine_free(souk_take(&shop->spine));
    souk_disk_free(shop->disk);
}

/* Of each person first a yes and, in half of the cases, later a no; no row twice. */
static const char *put_lists(souk_test *test)
{
    static char path[600];
    snprintf(path, sizeof path, "%s/consents.csv", test_folder(test));
    FILE *file = fopen(path, "wb");
    SOUK_CHECK(file);
    fprintf(file, "customer id,purpose,given,at,age\n");
    for (unsigned i = 0; i < ROWS; i++)
        fprintf(file, "%u,%s,%s,2024-01-%02u 10:00:%02u,40\n", i % PEOPLE,
                i / PEOPLE % 2 ? "profile" : "advertise", i / PEOPLE < 2 || i % 2 ? "yes" : "no",
                1 + i / PEOPLE, i % 60);
    SOUK_CHECK(fclose(file) == 0);
    return path;
}

static souk_err count_rows(souk_tx *tx, void *count)
{
    return souk_sql_one_int(tx, "SELECT count(*) FROM consent", SOUK_NO_VALUES, count);
}

static souk_err stop_at(void *context, uint64_t done, uint64_t total)
{
    unsigned *left = context;
    return done > total || --*left == 0 ? SOUK_EINTERRUPT : SOUK_OK;
}

static souk_err run(struct shop *shop, const char *path, souk_import *import)
{
    import->spine = shop->spine;
    import->source = 1;
    return souk_import_file(souk_mem_heap(), import, SOUK_TEXT("consents"), path, NULL);
}

SOUK_TEST("lists of consents, recorded beside the reading and cut off anywhere, end as if they had "
          "not been")
{
    const char *path = put_lists(test);
    for (unsigned stop = 1; stop <= 4; stop++) {
        struct shop shop;
        unsigned left = stop;
        int64_t stored;
        souk_import cut = {.progress = stop_at, .context = &left}, whole = {.spine = NULL},
                    again = {.spine = NULL};
        shop_begin(&shop, test, stop);
        souk_err err = run(&shop, path, &cut);
        SOUK_CHECK(stop < 4 ? err == SOUK_EINTERRUPT : err == SOUK_OK);
        SOUK_CHECK(cut.entries == cut.events && cut.events == souk_spine_end(shop.spine) - 1);
        souk_spine_free(souk_take(&shop.spine)); /* as a crash */
        shop_open(&shop);
        SOUK_MUST(run(&shop, path, &whole));
        SOUK_CHECK(whole.rows == ROWS && whole.shoppers == PEOPLE);
        SOUK_CHECK(cut.events + whole.events == ROWS && cut.entries + whole.entries == ROWS);
        SOUK_CHECK(stop == 4 || whole.resumed == cut.events);
        SOUK_MUST(run(&shop, path, &again));
        SOUK_CHECK(again.events == 0 && again.entries == 0);
        SOUK_MUST(souk_ledger_read(souk_spine_ledger(shop.spine), count_rows, &stored));
        SOUK_CHECK(stored == ROWS);
        shop_end(&shop);
    }
}
