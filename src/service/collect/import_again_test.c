/* import_again_test.c - a file with bad rows, mended, and imported again: in the end the shop holds what the mended file
 * alone would have given it, and in between no half of an order.  Random files beside the mended ones, each format. */
#include "test/test.h"

#include "service/collect/import.h"
#include "service/collect/import_format.h"
#include "service/collect/segment.h"
#include "service/collect/test_shop.h"

static const char *put_file(souk_test *test, const char *name, souk_text text)
{
    static char path[600];
    snprintf(path, sizeof path, "%s/%s", test_folder(test), name);
    FILE *file = fopen(path, "wb");
    SOUK_CHECK(file);
    bool written = fwrite(text.at, 1, text.bytes, file) == text.bytes;
    SOUK_CHECK(fclose(file) == 0 && written);
    return path;
}

static void run(struct shop *shop, const char *format, souk_text text, souk_import *import)
{
    souk_test *test = shop->test;
    souk_statement statement = {.age = SOUK_AGE_ADULT};
    statement.bases[SOUK_PURPOSE_SERVE] = SOUK_BASIS_CONTRACT;
    *import = (souk_import){.spine = shop->spine};
    SOUK_MUST(souk_merchants_source(shop->merchants, SOUK_OPERATOR, SOUK_TEXT("till"), &statement,
                                    &import->source, NULL));
    SOUK_MUST(souk_import_file(test->mem, import, souk_text_of(format),
                               put_file(test, "rows.csv", text), NULL));
}

/* ---- one file, by hand ------------------------------------------------------------------------------------------------ */

static int64_t revenue(struct shop *shop, uint64_t *ret_orders)
{
    souk_totals totals;
    souk_index_totals(souk_spine_index(shop->spine), &totals);
    *ret_orders = totals.orders;
    return totals.currency_count ? (int64_t)totals.amounts[0].amount_micro / 1000000 : 0;
}

SOUK_TEST("an order with a bad row stays out whole, and the mended file brings it in, once")
{
    static const char heading[] = "order,date,sku,qty,price,total\n";
    static const char others[] = "A,2025-01-02,S0,1,1,1\n%sC,2025-01-02,S9,1,4,4\n";
    static const struct {
        const char *bad, *mended;
        uint64_t rejected; /* rows that stay out */
        int64_t revenue;
    } files[] = {
        {"B,2025-01-02,S1,1,7,9\nB,2025-01-02,S2,x,2,9\n",
         "B,2025-01-02,S1,1,7,9\nB,2025-01-02,S2,1,2,9\n", 2, 5},
        /* its first row, which bears the order's total and counts it */
        {"B,2025-01-02,S1,x,7,9\nB,2025-01-02,S2,1,2,9\n",
         "B,2025-01-02,S1,1,7,9\nB,2025-01-02,S2,1,2,9\n", 2, 5},
        /* two events, of different times; nothing of the first is in */
        {"B,2025-01-02,S1,1,7,\nB,2025-01-03,S2,1,2,\nB,2025-01-03,S3,x,2,\n",
         "B,2025-01-02,S1,1,7,\nB,2025-01-03,S2,1,1,\nB,2025-01-03,S3,1,1,\n", 3, 5},
        /* nobody knows whose it is: A and C wait with it */
        {"B,2025-01-02,S1,1,7,9\n,2025-01-02,S2,1,2,9\n",
         "B,2025-01-02,S1,1,7,9\nB,2025-01-02,S2,1,2,9\n", 3, 1},
        {"B,2025-01-02,S1,1,7,9\nB,2025-01-02,S2,1,2,9,9\n",
         "B,2025-01-02,S1,1,7,9\nB,2025-01-02,S2,1,2,9\n", 3, 1},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        souk_auto_value(souk_buf) bad = {.mem = test->mem}, mended = {.mem = test->mem};
        struct shop shop;
        souk_import import;
        uint64_t orders;
        souk_buf_print(&bad, "%s", heading);
        souk_buf_print(&bad, others, files[i].bad);
        souk_buf_print(&mended, "%s", heading);
        souk_buf_print(&mended, others, files[i].mended);
        shop_open(&shop, test);
        for (unsigned again = 0; again < 2; again++) {
            run(&shop, "orders", souk_buf_view(&bad), &import);
            SOUK_CHECK(import.rejected == files[i].rejected);
            SOUK_CHECK(revenue(&shop, &orders) == files[i].revenue);
            SOUK_CHECK(orders == (files[i].revenue == 5 ? 2 : 1) && shop_events(&shop) == orders);
        }
        for (unsigned again = 0; again < 2; again++) {
            run(&shop, "orders", souk_buf_view(&mended), &import);
            SOUK_CHECK(import.rejected == 0 && revenue(&shop, &orders) == 14 && orders == 3);
        }
        SOUK_MUST(souk_spine_verify(shop.spine, NULL, NULL, NULL));
        shop_close(&shop);
    }
}

SOUK_TEST(
    "the reject of a row names its file, and is not replayed: the mended file alone counts it")
{
    static struct shop_rejects rejects;
    struct shop shop;
    souk_import import;
    uint64_t orders;
    shop_open(&shop, test);
    run(&shop, "orders",
        SOUK_TEXT("order,date,sku,qty,price\nA,2025-01-02,S,1,1\nB,2025-01-02,S,x,7\n"), &import);
    shop_rejects(&shop, &rejects);
    SOUK_CHECK(rejects.count == 1);
    SOUK_CHECK_TEXT(rejects.at[0].where, "import orders: line 3 of rows.csv");
    SOUK_CHECK_TEXT(rejects.at[0].fault, "'qty' is no number, or does not fit; so its order stays "
                                         "out whole until it is mended");
    static const char *const bodies[] = {
        "", "{\"type\":\"track\",\"event\":\"Order Completed\",\"userId\":\"7\"}"};
    for (size_t i = 0; i < 2; i++) {
        souk_call call = {.arena = {.mem = test->mem}, .spine = shop.spine};
        SOUK_CHECK_ERR(souk_collect_replay(shop.collect, &call, 1, souk_text_of(bodies[i])),
                       SOUK_EINVAL);
        SOUK_CHECK_TEXT(souk_text_of(call.diag.words),
                        "a row of a file is not replayed: mend line 3 of rows.csv there, import "
                        "the file again (what is in counts once), then drop this reject");
        souk_arena_done(&call.arena);
    }
    SOUK_CHECK(shop_events(&shop) == 1);
    run(&shop, "orders",
        SOUK_TEXT("order,date,sku,qty,price\nA,2025-01-02,S,1,1\nB,2025-01-02,S,1,7\n"), &import);
    SOUK_CHECK(revenue(&shop, &orders) == 8 && orders == 2);
    shop_close(&shop);
}

SOUK_TEST("places of imports are told from those of requests, also as they were written before")
{
    static const struct {
        const char *place, *row;
    } places[] = {
        {"import orders: line 3 of May: 2.csv", "line 3 of May: 2.csv"},
        {"import poslog: record 7 of till.xml", "record 7 of till.xml"},
        {"line 3", "line 3"},
        {"record 3", "record 3"},
        {"batch[3]", NULL},
        {"/v1/import", NULL},
        {"/v1/track", NULL},
        {"form:shopify orders/create", NULL},
        {"form:poslog", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        souk_text row;
        SOUK_CHECK(souk_import_place(souk_text_of(places[i].place), &row) ==
                   (places[i].row != NULL));
        if (places[i].row)
            SOUK_CHECK_TEXT(row, places[i].row);
    }
}

/* ---- random files beside the mended ones ----------------------------------------------------------------------------- */

enum { ROWS = 40, ORDERS = 5 };

/* How a row is bad: SURPLUS has a cell too many, KEYLESS nothing that tells its order. */
enum badness { WELL, VALUE, KEYLESS, SURPLUS, BADNESSES };

struct row {
    unsigned order, number;
    enum badness badness;
};

static void write_orders(souk_buf *text, const struct row *row)
{
    souk_buf_print(text, row->badness == KEYLESS ? "," : "%u,", row->order);
    souk_buf_print(text, "2025-01-0%u,P%u,%s,%u%s\n", 1 + row->number / 10 % 3, row->number,
                   row->badness == VALUE ? "few" : "1", row->number,
                   row->badness == SURPLUS ? ",more" : "");
}
static void write_online_retail(souk_buf *text, const struct row *row)
{
    souk_buf_print(text, row->badness == KEYLESS ? "," : "%u,", row->order);
    souk_buf_print(text, "P,Thing,%s,2011-02-03 04:05:06,%u,%u,UK%s\n",
                   row->badness == VALUE ? "few" : "1", row->number, row->order,
                   row->badness == SURPLUS ? ",more" : "");
}
static void write_cdnow(souk_buf *text, const struct row *row)
{
    souk_buf_print(text, row->badness == KEYLESS ? "," : "%u,", row->order);
    souk_buf_print(text, "20210101,%s,%u%s\n", row->badness == VALUE ? "few" : "1", row->number,
                   row->badness == SURPLUS ? ",more" : "");
}
static void write_tafeng(souk_buf *text, const struct row *row)
{
    souk_buf_print(text, row->badness == KEYLESS ? "," : "%u,", 1 + row->order);
    if (row->badness == VALUE)
        souk_buf_print(text, "1,\n");
    else
        souk_buf_print(text, "1,P%u%s\n", row->number, row->badness == SURPLUS ? ",more" : "");
}
static void write_journey(souk_buf *text, const struct row *row)
{
    souk_buf_print(text, row->badness == KEYLESS ? "%u,9,," : "%u,9,B%u,", row->order, row->order);
    souk_buf_print(text, "P%u,1,%s%u,0,0,0,5,2017-01-28T19:06:53Z%s\n", row->number,
                   row->badness == VALUE ? "x" : "", row->number,
                   row->badness == SURPLUS ? ",more" : "");
}
static void write_groceries(souk_buf *text, const struct row *row)
{
    souk_buf_print(text, "P%u,%sP%u\n", row->order, row->badness ? "," : "", row->number / 20);
}

static const struct {
    const char *format, *heading;
    void (*write)(souk_buf *text, const struct row *row);
} formats[] = {
    {"orders", "order,date,sku,qty,price\n", write_orders},
    {"online-retail",
     "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n",
     write_online_retail},
    {"cdnow", "customer_id,date,cds,amount_usd\n", write_cdnow},
    {"tafeng", "user_id,basket_no,product_id\n", write_tafeng},
    {"complete-journey",
     "household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,"
     "coupon_match_disc,week,transaction_timestamp\n",
     write_journey},
    {"groceries", "", write_groceries},
};

/* Rows of an order stand together, and anything may be wrong with them; or they lie apart, and their orders can be told. */
static void random_rows(souk_test *test, bool apart, struct row rows[ROWS])
{
    unsigned order = 0;
    for (unsigned i = 0; i < ROWS; i++) {
        if (test_random(test, 3) == 0)
            order = apart ? (unsigned)test_random(test, ORDERS) : order + 1;
        rows[i] = (struct row){.order = order, .number = i};
        if (test_random(test, 6) == 0)
            rows[i].badness = apart ? VALUE : (enum badness)test_random(test, BADNESSES);
    }
}

static void write_rows(size_t format, const struct row rows[ROWS], souk_buf *text)
{
    souk_buf_clear(text);
    souk_buf_print(text, "%s", formats[format].heading);
    for (unsigned i = 0; i < ROWS; i++)
        formats[format].write(text, &rows[i]);
}

struct sums {
    uint64_t events, orders;
    int64_t micro;
};

static struct sums sums_of(struct shop *shop)
{
    souk_totals totals;
    souk_index_totals(souk_spine_index(shop->spine), &totals);
    return (struct sums){totals.events, totals.orders,
                         totals.currency_count ? (int64_t)totals.amounts[0].amount_micro : 0};
}

static bool same(struct sums a, struct sums b)
{
    return a.events == b.events && a.orders == b.orders && a.micro == b.micro;
}

/* What the rows as they stand give in a shop of their own. */
static struct sums sums_alone(souk_test *test, size_t format, const struct row rows[ROWS])
{
    souk_auto_value(souk_buf) text = {.mem = test->mem};
    struct shop shop;
    souk_import import;
    shop_open(&shop, test);
    write_rows(format, rows, &text);
    run(&shop, formats[format].format, souk_buf_view(&text), &import);
    struct sums sums = sums_of(&shop);
    shop_close(&shop);
    return sums;
}

static void check_mending(souk_test *test, size_t format, bool apart)
{
    souk_auto_value(souk_buf) text = {.mem = test->mem};
    struct shop shop;
    struct row rows[ROWS];
    souk_import import;
    random_rows(test, apart, rows);
    shop_open(&shop, test);
    for (unsigned i = 0; i < 4; i++) {
        write_rows(format, rows, &text);
        run(&shop, formats[format].format, souk_buf_view(&text), &import);
        struct sums sums = sums_of(&shop), alone = sums_alone(test, format, rows);
        SOUK_CHECK(import.rows == ROWS && (i < 2 || import.rejected == 0));
        SOUK_CHECK(i < 3 || import.events == 0); /* again as it was */
        if (!same(sums, alone))
            test_fail(test, __FILE__, __LINE__, "%s%s, run %u: %llu events, %llu orders, %lld",
                      formats[format].format, apart ? " apart" : "", i,
                      (unsigned long long)sums.events, (unsigned long long)sums.orders,
                      (long long)sums.micro);
        sums.micro += 10000;
        SOUK_CHECK(!same(sums, alone));
        for (unsigned k = 0; k < ROWS; k++)
            if (i || test_random(test, 2))
                rows[k].badness = WELL;
    }
    shop_close(&shop);
}

SOUK_TEST("random files mended by and by hold at each step what they would have held alone")
{
    for (size_t format = 0; format < sizeof formats / sizeof *formats; format++)
        for (unsigned round = 0; round < 2; round++)
            check_mending(test, format, round % 2);
}
