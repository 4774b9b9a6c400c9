/* product_test.c - products told, told again, told otherwise; beside a model; damaged; without memory. */
#include "core/product.h"
#include "core/spine.h"
#include "store/postgres_server.h"

#include "test/test.h"

#include <stdio.h>

struct room {
    souk_disk *disk;
    souk_ledger *ledger;
};

static void room_open(struct room *room, souk_test *test)
{
    souk_ledger_options options = {.no_thread = true, .readers = 1};
    SOUK_MUST(souk_disk_open_sim(souk_mem_heap(), 7, &room->disk));
    SOUK_MUST(test_ledger_open(test->mem, room->disk, "ledger", &options, &room->ledger, NULL));
    SOUK_MUST(souk_products_migrate(room->ledger, NULL));
}

static void room_close(struct room *room)
{
    souk_ledger_free(room->ledger);
    souk_disk_free(room->disk);
}

struct putting {
    uint32_t merchant;
    souk_time at;
    const souk_product *product;
    bool changed;
};

static souk_err put_in(souk_tx *tx, void *context)
{
    struct putting *putting = context;
    return souk_product_put(tx, putting->merchant, putting->at, putting->product,
                            &putting->changed);
}

static souk_err put(struct room *room, uint32_t merchant, souk_time at, const souk_product *product,
                    bool *ret_changed)
{
    struct putting putting = {merchant, at, product, false};
    souk_err err = souk_ledger_write(room->ledger, SOUK_LANE_JOB, put_in, &putting);
    *ret_changed = putting.changed;
    return err;
}

static const souk_product lantern = {.code = {"71053", 5},
                                     .title = {"Lantern, \"white\"", 16},
                                     .brand = {"Lumen", 5},
                                     .category = {"Home > Light", 12},
                                     .gtin = {"4006381333931", 13},
                                     .url = {"https://shop.example/71053", 26},
                                     .availability = {"in_stock", 8},
                                     .attributes = {"{\"colour\":\"\xE7\x99\xBD\"}", 16},
                                     .price = {3390000},
                                     .currency = "GBP"};

struct seen {
    unsigned count;
    souk_time since[10];
    int64_t price[10];
    char codes[200];
};

static souk_err see(void *context, const souk_product *product, souk_time since)
{
    struct seen *seen = context;
    seen->since[seen->count] = since;
    seen->price[seen->count++] = product->price.micro;
    snprintf(seen->codes + strlen(seen->codes), sizeof seen->codes - strlen(seen->codes), "%.*s ",
             SOUK_TEXT_PRINT(product->code));
    return SOUK_OK;
}

SOUK_TEST(
    "a product told again adds nothing, told otherwise it is a new version and the old one stays")
{
    struct room room;
    souk_product product = lantern, found;
    souk_arena arena = {.mem = test->mem};
    souk_time since;
    struct seen seen = {.count = 0};
    bool changed;
    room_open(&room, test);
    SOUK_MUST(put(&room, 1, 1000, &lantern, &changed));
    SOUK_CHECK(changed);
    SOUK_MUST(put(&room, 1, 2000, &lantern, &changed));
    SOUK_CHECK(!changed);
    product.price.micro = 2990000;
    SOUK_MUST(put(&room, 1, 3000, &product, &changed));
    SOUK_CHECK(changed);
    SOUK_MUST(put(&room, 1, 3000, &lantern, &changed)); /* back, in the same moment */
    SOUK_CHECK(changed);
    SOUK_MUST(put(&room, 2, 3000, &product, &changed)); /* another merchant's */
    SOUK_MUST(souk_product_read(room.ledger, 1, SOUK_TEXT("71053"), &arena, &found, &since));
    SOUK_CHECK(found.price.micro == 3390000 && since == 3001 && !strcmp(found.currency, "GBP"));
    SOUK_CHECK_TEXT(found.title, "Lantern, \"white\"");
    SOUK_CHECK_TEXT(found.attributes, "{\"colour\":\"\xE7\x99\xBD\"}");
    SOUK_MUST(souk_product_versions(room.ledger, 1, SOUK_TEXT("71053"), see, &seen));
    SOUK_CHECK(seen.count == 3 && seen.since[0] == 1000 && seen.since[1] == 3000);
    SOUK_CHECK(seen.price[1] == 2990000);
    SOUK_CHECK_ERR(souk_product_read(room.ledger, 1, SOUK_TEXT("7105"), &arena, &found, NULL),
                   SOUK_ENOENT);
    SOUK_MUST(souk_products_verify(test->mem, room.ledger, NULL));
    souk_arena_done(&arena);
    room_close(&room);
}

SOUK_TEST(
    "no price and a price of nothing are different, and a text moved to the next field is a change")
{
    struct room room;
    souk_product product = {.code = SOUK_TEXT("A")};
    bool changed;
    room_open(&room, test);
    SOUK_MUST(put(&room, 1, 1, &product, &changed));
    memcpy(product.currency, "EUR", 4);
    SOUK_MUST(put(&room, 1, 2, &product, &changed));
    SOUK_CHECK(changed);
    product.title = SOUK_TEXT("x");
    SOUK_MUST(put(&room, 1, 3, &product, &changed));
    product.brand = product.title;
    product.title = SOUK_TEXT("");
    SOUK_MUST(put(&room, 1, 4, &product, &changed));
    SOUK_CHECK(changed);
    room_close(&room);
}

SOUK_TEST("what does not fit is refused with words")
{
    char large[SOUK_PRODUCT_URL_BYTES + 1];
    memset(large, 'x', sizeof large);
    const struct {
        souk_product product;
        const char *words;
    } bad[] = {
        {{.title = SOUK_TEXT("t")}, "no code"},
        {{.code = {large, 101}}, "code has more than 100 bytes"},
        {{.code = SOUK_TEXT("a"), .url = {large, sizeof large}}, "url has more than 2000 bytes"},
        {{.code = SOUK_TEXT("a\0b")}, "code is not UTF-8, or has a NUL"},
        {{.code = SOUK_TEXT("a"), .title = SOUK_TEXT("\xFF")}, "title is not UTF-8"},
    };
    struct room room;
    bool changed;
    room_open(&room, test);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        souk_diag diag = {.words = ""};
        SOUK_CHECK_ERR(souk_product_check(&bad[i].product, &diag), SOUK_EINVAL);
        SOUK_CHECK(strstr(diag.words, bad[i].words));
        SOUK_CHECK_ERR(put(&room, 1, 1, &bad[i].product, &changed), SOUK_EINVAL);
    }
    room_close(&room);
}

enum { CODES = 12, STEPS = 150 };

SOUK_TEST("random tellings leave what a model has, and a version more would be noticed")
{
    struct room room;
    uint64_t versions[CODES] = {0}, total = 0, count;
    int64_t last[CODES];
    souk_text after = SOUK_TEXT("");
    struct seen seen = {.count = 0};
    room_open(&room, test);
    for (unsigned step = 0; step < STEPS; step++) {
        size_t which = test_random(test, CODES);
        char code[8];
        bool changed, expected;
        snprintf(code, sizeof code, "P%02zu", which);
        souk_product product = {.code = souk_text_of(code),
                                .price = {(int64_t)test_random(test, 3)},
                                .currency = "CNY"};
        expected = versions[which] == 0 || last[which] != product.price.micro;
        SOUK_MUST(put(&room, 1, (souk_time)test_random(test, 1000), &product, &changed));
        SOUK_CHECK(changed == expected);
        versions[which] += changed;
        last[which] = product.price.micro;
    }
    for (size_t i = 0; i < CODES; i++)
        total += versions[i] > 0;
    SOUK_MUST(souk_products_count(room.ledger, 1, &count));
    SOUK_CHECK(count == total && count != total + 1);
    for (size_t i = 0; i < CODES; i++) {
        char code[8];
        struct seen of_one = {.count = 0};
        snprintf(code, sizeof code, "P%02zu", i);
        if (versions[i] > 10)
            continue;
        souk_err err = souk_product_versions(room.ledger, 1, souk_text_of(code), see, &of_one);
        SOUK_CHECK(err == SOUK_OK && of_one.count == versions[i]);
    }
    SOUK_MUST(souk_products_each(room.ledger, 1, after, 5, see, &seen));
    SOUK_CHECK(seen.count == 5 && souk_text_starts(souk_text_of(seen.codes), SOUK_TEXT("P00 P01")));
    SOUK_MUST(souk_products_verify(test->mem, room.ledger, NULL));
    room_close(&room);
}

static souk_err damage(souk_tx *tx, void *context)
{
    (void)context;
    return souk_sql_run(tx, "UPDATE product SET title = 'Lamp'", SOUK_NO_VALUES);
}

SOUK_TEST("verify of a whole shop finds a product that is not what was told")
{
    struct putting putting = {1, 1000, &lantern, false};
    souk_spine_options options = {.open_ledger = test_ledger_opener(),
                                  .ledger = {.no_thread = true, .readers = 1},
                                  .vault = {.block_slots = 64}};
    souk_diag diag = {.words = ""};
    souk_disk *disk;
    souk_spine *spine;
    SOUK_MUST(souk_disk_open_sim(souk_mem_heap(), 3, &disk));
    SOUK_MUST(souk_spine_init(souk_mem_heap(), disk, &options, NULL));
    SOUK_MUST(souk_spine_open(souk_mem_heap(), disk, &options, &spine, NULL));
    souk_ledger *ledger = souk_spine_ledger(spine);
    SOUK_MUST(souk_ledger_write(ledger, SOUK_LANE_JOB, put_in, &putting));
    SOUK_MUST(souk_spine_rebuild(spine, NULL, NULL));
    SOUK_MUST(souk_spine_verify(spine, NULL, NULL, &diag));
    SOUK_MUST(souk_ledger_write(ledger, SOUK_LANE_JOB, damage, NULL));
    SOUK_CHECK_ERR(souk_spine_verify(spine, NULL, NULL, &diag), SOUK_ECORRUPT);
    SOUK_CHECK(strstr(diag.words, "product '71053' (row 1): it is not what was stored"));
    souk_spine_free(spine);
    souk_disk_free(disk);
}

SOUK_TEST("a lack of memory anywhere is told, and what was put is whole")
{
    SOUK_FAULT_LOOP (test) {
        struct room room = {NULL, NULL};
        souk_arena arena = {.mem = test->mem};
        souk_product found;
        bool changed;
        souk_ledger_options options = {.no_thread = true, .readers = 1};
        SOUK_MUST(souk_disk_open_sim(souk_mem_heap(), 7, &room.disk));
        souk_err err =
            test_ledger_open(test->mem, room.disk, "ledger", &options, &room.ledger, NULL);
        if (!err)
            err = souk_products_migrate(room.ledger, NULL);
        if (!err)
            err = put(&room, 1, 1, &lantern, &changed);
        if (!err)
            err = souk_product_read(room.ledger, 1, lantern.code, &arena, &found, NULL);
        if (!err)
            err = souk_products_verify(test->mem, room.ledger, NULL);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        souk_arena_done(&arena);
        room_close(&room);
        test_fault_seen(test, err);
    }
}
