/* shelf_test.c - a till's memory of products equals what the tables say, told by this process or another. */
#include "service/checkout/shelf.h"

#include "core/product.h"
#include "test/test.h"

#include "store/ledger_shop.h"

enum { DAY = 86400000 };
static const souk_time noon = 1767268800000;
static const souk_hash_key test_key = {"sixteen bytes .."};

struct counter {
    souk_test *test;
    struct shop *shop;
    souk_names *names;
    souk_shelf *shelf;
    souk_arena arena;
    uint64_t now_ms;
};

static void open_counter(struct counter *counter, souk_test *test, struct shop *shop)
{
    *counter = (struct counter){.test = test, .shop = shop, .arena = {.mem = test->mem}};
    SOUK_MUST(souk_names_new(test->mem, &test_key, &counter->names));
    SOUK_MUST(souk_shelf_open(test->mem, shop->ledger, counter->names, &counter->shelf, NULL));
}

static void close_counter(struct counter *counter)
{
    souk_arena_done(&counter->arena);
    souk_shelf_free(counter->shelf);
    souk_names_free(counter->names);
}

#define EACH_COUNTER(counter)                                                       \
    EACH_SHOP(shop, .readers = 1)                                                   \
    for (struct counter counter = {.test = test}; counter.test;                     \
         close_counter(&counter), counter.test = NULL)                              \
        for (open_counter(&counter, test, &shop); counter.shelf && !counter.now_ms; \
             counter.now_ms = 1)

static souk_err put_product(souk_tx *tx, void *context)
{
    bool changed;
    return souk_product_put(tx, 1, noon, context, &changed);
}

static void add_product(struct counter *counter, souk_product product)
{
    souk_test *test = counter->test;
    SOUK_MUST(souk_ledger_write(counter->shop->ledger, SOUK_LANE_JOB, put_product, &product));
}

struct told {
    const souk_price *price;
    souk_text code, product;
    int64_t pieces;
    souk_diag diag;
};

static souk_err put_told(souk_tx *tx, void *context)
{
    struct told *told = context;
    told->diag = (souk_diag){0};
    if (told->price)
        return souk_price_put(tx, 1, noon, told->price, &told->diag);
    return souk_barcode_put(tx, 1, noon, told->code, told->product, (souk_decimal){told->pieces},
                            &told->diag);
}

static souk_err tell_price(struct counter *counter, souk_price price, souk_diag *ret_diag)
{
    struct told told = {.price = &price};
    souk_err err = souk_ledger_write(counter->shop->ledger, SOUK_LANE_JOB, put_told, &told);
    *ret_diag = told.diag;
    return err;
}

static void tell_code(struct counter *counter, const char *code, const char *product,
                      int64_t pieces)
{
    souk_test *test = counter->test;
    struct told told = {
        .code = souk_text_of(code), .product = souk_text_of(product), .pieces = pieces};
    SOUK_MUST(souk_ledger_write(counter->shop->ledger, SOUK_LANE_JOB, put_told, &told));
}

static void refresh(struct counter *counter)
{
    souk_test *test = counter->test;
    static uint64_t now_ms = 1;
    SOUK_MUST(souk_shelf_refresh(counter->shelf, now_ms += test_random(test, 4000)));
}

static souk_err find(struct counter *counter, const char *code, const char *store, souk_time at,
                     souk_shelf_item *ret_item)
{
    return souk_shelf_find(counter->shelf, 1, souk_text_of(code), souk_text_of(store), at,
                           &counter->arena, ret_item);
}

static souk_price price_of(int64_t micro, const char *store, souk_time from, souk_time until)
{
    return (souk_price){.product = SOUK_TEXT("TEA"),
                        .store = souk_text_of(store),
                        .list = SOUK_TEXT("weekend"),
                        .from = from,
                        .until = until,
                        .price = {micro},
                        .currency = "EUR"};
}

static const souk_product tea = {
    .code = {"TEA", 3},
    .title = {"Green tea", 9},
    .brand = {"Oatly", 5},
    .category = {"Drinks > Tea", 12},
    .gtin = {"4006381333931", 13},
    .attributes = {"{\"tax_class\":\"reduced\",\"no_offers\":true}", 40},
    .price = {2500000},
    .currency = "EUR"};

SOUK_TEST(
    "a product is found by its code and by its bar code in any form, with what a till must know")
{
    EACH_COUNTER(counter)
    {
        souk_shelf_item item;
        SOUK_CHECK_ERR(find(&counter, "TEA", "", noon, &item), SOUK_ENOENT);
        add_product(&counter, tea);
        refresh(&counter);
        SOUK_MUST(find(&counter, "TEA", "SH-014", noon, &item));
        SOUK_CHECK_TEXT(item.title, "Green tea");
        SOUK_CHECK_TEXT(item.tax_class, "reduced");
        SOUK_CHECK(item.no_offers && item.has_price && item.price.micro == 2500000);
        SOUK_CHECK(!strcmp(item.currency, "EUR") && item.pieces.micro == 1000000);
        static const char *const tags[] = {"brand:Oatly", "category:Drinks",
                                           "category:Drinks > Tea"};
        SOUK_CHECK(item.tag_count == 3);
        for (size_t i = 0; i < 3; i++)
            SOUK_CHECK(item.tags[i] ==
                       souk_names_find(counter.names, 1, SOUK_NOUN_TAG, souk_text_of(tags[i])));
        uint32_t number = item.number;
        SOUK_MUST(find(&counter, "04006381333931", "", noon, &item));
        SOUK_CHECK(item.number == number);
        SOUK_CHECK_ERR(souk_shelf_find(counter.shelf, 2, SOUK_TEXT("TEA"), SOUK_TEXT(""), noon,
                                       &counter.arena, &item),
                       SOUK_ENOENT); /* another merchant's */
        SOUK_CHECK(souk_shelf_count(counter.shelf) == 1);
    }
}

SOUK_TEST("a product told anew replaces itself and keeps its prices")
{
    EACH_COUNTER(counter)
    {
        souk_shelf_item item;
        souk_diag diag;
        souk_product other = tea;
        add_product(&counter, tea);
        SOUK_MUST(tell_price(&counter, price_of(1990000, "", 0, 0), &diag));
        refresh(&counter);
        other.title = SOUK_TEXT("Black tea");
        other.attributes = SOUK_TEXT("");
        add_product(&counter, other);
        refresh(&counter);
        SOUK_MUST(find(&counter, "TEA", "", noon, &item));
        SOUK_CHECK_TEXT(item.title, "Black tea");
        SOUK_CHECK(!item.no_offers && item.price.micro == 1990000);
        SOUK_CHECK_TEXT(item.price_list, "weekend");
        SOUK_CHECK(souk_shelf_count(counter.shelf) == 1);
    }
}

SOUK_TEST("a bar code may stand for a carton, be told otherwise, and mean nothing any more")
{
    EACH_COUNTER(counter)
    {
        souk_shelf_item item;
        add_product(&counter, tea);
        tell_code(&counter, "14006381333938", "TEA", 12000000);
        refresh(&counter);
        SOUK_MUST(find(&counter, "14006381333938", "", noon, &item));
        SOUK_CHECK(item.pieces.micro == 12000000);
        tell_code(&counter, "14006381333938", "TEA", 6000000);
        tell_code(&counter, "4006381333931", "TEA",
                  0); /* a told code stands before the product's own */
        refresh(&counter);
        SOUK_MUST(find(&counter, "14006381333938", "", noon, &item));
        SOUK_CHECK(item.pieces.micro == 6000000);
        SOUK_CHECK_ERR(find(&counter, "04006381333931", "", noon, &item), SOUK_ENOENT);
    }
}

static int64_t price_at(struct counter *counter, const char *store, souk_time at)
{
    souk_shelf_item item;
    souk_test *test = counter->test;
    SOUK_MUST(find(counter, "TEA", store, at, &item));
    return item.price.micro;
}

SOUK_TEST("of the prices that hold a store's own wins, then the one that began last, then the one "
          "told last")
{
    EACH_COUNTER(counter)
    {
        souk_diag diag;
        add_product(&counter, tea);
        SOUK_MUST(tell_price(&counter, price_of(2000000, "", 0, 0), &diag));
        SOUK_MUST(tell_price(&counter, price_of(1500000, "", noon, noon + DAY), &diag));
        SOUK_MUST(tell_price(&counter, price_of(3000000, "AIRPORT", 0, 0), &diag));
        refresh(&counter);
        SOUK_CHECK(price_at(&counter, "SH-014", noon - 1) == 2000000);
        SOUK_CHECK(price_at(&counter, "SH-014", noon) == 1500000);
        SOUK_CHECK(price_at(&counter, "SH-014", noon + DAY - 1) == 1500000);
        SOUK_CHECK(price_at(&counter, "SH-014", noon + DAY) == 2000000);
        SOUK_CHECK(price_at(&counter, "AIRPORT", noon) == 3000000);
        SOUK_MUST(tell_price(&counter, price_of(1400000, "", noon, noon + DAY), &diag));
        souk_price ended = price_of(0, "AIRPORT", 0, 0);
        ended.ends = true;
        SOUK_MUST(tell_price(&counter, ended, &diag));
        refresh(&counter);
        SOUK_CHECK(price_at(&counter, "SH-014", noon) == 1400000);
        SOUK_CHECK(price_at(&counter, "AIRPORT", noon) == 1400000);
        SOUK_CHECK(price_at(&counter, "AIRPORT", noon - 1) == 2000000);
    }
}

SOUK_TEST("prices that cannot be are refused in words")
{
    EACH_COUNTER(counter)
    {
        souk_diag diag;
        souk_price price = price_of(-1, "", 0, 0);
        SOUK_CHECK_ERR(tell_price(&counter, price, &diag), SOUK_EINVAL);
        SOUK_CHECK(strstr(diag.words, "below zero"));
        price = price_of(1, "", noon, noon);
        SOUK_CHECK_ERR(tell_price(&counter, price, &diag), SOUK_EINVAL);
        SOUK_CHECK(strstr(diag.words, "until"));
        price = price_of(1, "", 0, 0);
        memcpy(price.currency, "QQQ", 4);
        SOUK_CHECK_ERR(tell_price(&counter, price, &diag), SOUK_EINVAL);
        SOUK_CHECK(strstr(diag.words, "ISO 4217"));
        price = price_of(1, "", 0, 0);
        price.product = SOUK_TEXT("");
        SOUK_CHECK_ERR(tell_price(&counter, price, &diag), SOUK_EINVAL);
        SOUK_CHECK(strstr(diag.words, "product"));
    }
}

/* ---- against a model ------------------------------------------------------------------------------------------ */

enum { ROWS = 150 };
struct model_price {
    souk_price price;
};

static const souk_price *model_find(const struct model_price *rows, size_t count, souk_text store,
                                    souk_time at)
{
    const souk_price *best = NULL;
    for (size_t i = 0; i < count; i++) {
        const souk_price *row = &rows[i].price;
        bool overridden = false;
        for (size_t j = i + 1; j < count; j++)
            overridden |=
                souk_text_equal(rows[j].price.store, row->store) && rows[j].price.from == row->from;
        bool holds = !overridden && !row->ends && row->from <= at &&
                     (row->until == 0 || at < row->until) &&
                     (row->store.bytes == 0 || souk_text_equal(row->store, store));
        if (!holds)
            continue;
        if (!best || (row->store.bytes > 0) > (best->store.bytes > 0) ||
            ((row->store.bytes > 0) == (best->store.bytes > 0) && row->from >= best->from))
            best = row;
    }
    return best;
}

SOUK_TEST("random prices, told between refreshes and read by a second shelf, equal a plain model")
{
    EACH_COUNTER(counter)
    {
        static const char *const stores[] = {"", "SH-014", "AIRPORT"};
        struct model_price rows[ROWS];
        souk_diag diag;
        add_product(&counter, tea);
        for (size_t i = 0; i < ROWS; i++) {
            souk_time from = (souk_time)test_random(test, 6) * DAY;
            souk_time until =
                test_random(test, 2) ? from + DAY * (1 + (souk_time)test_random(test, 3)) : 0;
            rows[i].price = price_of((int64_t)test_random(test, 1000), stores[test_random(test, 3)],
                                     from, until);
            rows[i].price.ends = test_random(test, 5) == 0;
            SOUK_MUST(tell_price(&counter, rows[i].price, &diag));
            if (test_random(test, 4))
                continue;
            refresh(&counter);
            for (souk_time day = 0; day < 8; day++)
                for (size_t s = 0; s < 3; s++) {
                    const souk_price *best =
                        model_find(rows, i + 1, souk_text_of(stores[s]), day * DAY);
                    SOUK_CHECK(price_at(&counter, stores[s], day * DAY) ==
                               (best ? best->price.micro : 2500000));
                }
        }
        souk_auto(souk_shelf) other = NULL;
        SOUK_MUST(souk_shelf_open(test->mem, shop.ledger, counter.names, &other, NULL));
        souk_shelf_item item;
        SOUK_MUST(souk_shelf_find(other, 1, SOUK_TEXT("TEA"), SOUK_TEXT("SH-014"), 3 * DAY,
                                  &counter.arena, &item));
        refresh(&counter);
        SOUK_CHECK(item.price.micro == price_at(&counter, "SH-014", 3 * DAY));
    }
}

SOUK_TEST("whatever allocation fails, the shelf is there or the error says so, and nothing leaks")
{
    souk_disk *disk = NULL;
    souk_ledger *ledger = NULL;
    souk_ledger_options options = {.no_thread = true, .readers = 1};
    SOUK_MUST(souk_disk_open_sim(souk_mem_heap(), 3, &disk));
    SOUK_MUST(souk_ledger_open_sqlite(souk_mem_heap(), disk, "ledger", &options, &ledger, NULL));
    struct shop shop = {.ledger = ledger};
    struct counter counter;
    souk_diag diag;
    open_counter(&counter, test, &shop);
    add_product(&counter, tea);
    tell_code(&counter, "14006381333938", "TEA", 12000000);
    SOUK_MUST(tell_price(&counter, price_of(1, "SH-014", 0, 0), &diag));
    close_counter(&counter);
    SOUK_FAULT_LOOP (test) {
        souk_auto(souk_names) names = NULL;
        souk_auto(souk_shelf) shelf = NULL;
        souk_err err = souk_names_new(test->mem, &test_key, &names);
        if (!err)
            err = souk_shelf_open(test->mem, ledger, names, &shelf, NULL);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
    }
    souk_ledger_free(ledger);
    souk_disk_free(disk);
}
