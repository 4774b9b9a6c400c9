/* import_test.c - a file of history becomes events exactly once: twice the same row, cancelled, nobody's,
 * broken, cut off half-way, run again, out of memory; random files beside a sum kept by hand. */
#include "test/test.h"

#include "service/collect/import.h"
#include "service/collect/test_shop.h"

#include <libdeflate.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADING \
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\r\n"

/* Writes the text to a file of the test's own; its path. */
static const char *put_file(souk_test *test, souk_text text)
{
    static char path[600];
    snprintf(path, sizeof path, "%s/rows.csv", test_folder(test));
    FILE *file = fopen(path, "wb");
    SOUK_CHECK(file);
    bool written = fwrite(text.at, 1, text.bytes, file) == text.bytes;
    SOUK_CHECK(fclose(file) == 0 && written);
    return path;
}

static uint32_t till(struct shop *shop)
{
    souk_test *test = shop->test;
    souk_statement statement = {.age = SOUK_AGE_UNKNOWN};
    uint32_t source;
    statement.bases[SOUK_PURPOSE_SERVE] = SOUK_BASIS_CONTRACT;
    SOUK_MUST(souk_merchants_source(shop->merchants, SOUK_OPERATOR, SOUK_TEXT("till"), &statement,
                                    &source, NULL));
    return source;
}

static souk_err run(struct shop *shop, const char *path, souk_import *import, souk_diag *diag)
{
    import->spine = shop->spine;
    import->source = till(shop);
    return souk_import_file(shop->test->mem, import, SOUK_TEXT("online-retail"), path, diag);
}

static const char rows[] = HEADING
    "536365,85123A, HEART HOLDER ,6,2010-12-01 08:26:00,2.55,17850,United Kingdom\r\n"
    "536365,85123A, HEART HOLDER ,6,2010-12-01 08:26:00,2.55,17850,United Kingdom\r\n"
    "536365,71053,\"LANTERN, \"\"WHITE\"\"\",1,2010-12-01 08:26:00,3.39,17850,United Kingdom\r\n"
    "C536379,D,Discount,-1,2010-12-01 09:41:00,27.50,14527,United Kingdom\r\n"
    "536414,22139,,56,2010-12-01 11:52:00,0,,United Kingdom\r\n"
    "536365,22752,BLOCK WORD,2,2010-12-01 08:26:00,7.65,17850,United Kingdom\r\n";

SOUK_TEST("every row counts, also one that repeats another to the letter, and once for all runs")
{
    struct shop shop;
    souk_totals totals;
    shop_open(&shop, test);
    const char *path = put_file(test, souk_text_of(rows));
    for (unsigned again = 0; again < 3; again++) {
        souk_import import = {.spine = NULL};
        SOUK_MUST(run(&shop, path, &import, NULL));
        SOUK_CHECK(import.rows == 6 && import.rejected == 0 && import.shoppers == 2);
        SOUK_CHECK(import.events == (again ? 0 : 6) && import.repeats == (again ? 6 : 0));
        SOUK_CHECK(import.resumed == 0 && shop_events(&shop) == 6);
    }
    souk_index_totals(souk_spine_index(shop.spine), &totals);
    SOUK_CHECK(totals.events == 6 && totals.orders == 3 && totals.cancelled == 1);
    SOUK_CHECK(totals.currency_count == 1);
    SOUK_CHECK(totals.amounts[0].amount_micro == 2 * 15300000 + 3390000 - 27500000 + 15300000);
    SOUK_MUST(souk_spine_verify(shop.spine, NULL, NULL, NULL));
    shop_close(&shop);
}

SOUK_TEST("a row keeps its fields as text, its time, its line, and whose it is")
{
    struct shop shop;
    souk_story *stories;
    souk_import import = {.spine = NULL};
    shop_open(&shop, test);
    SOUK_MUST(run(&shop, put_file(test, souk_text_of(rows)), &import, NULL));
    SOUK_CHECK(shop_timeline(&shop, "17850", &stories) == 4);
    SOUK_CHECK_TEXT(
        stories[1].text,
        "{\"InvoiceNo\":\"536365\",\"StockCode\":\"71053\",\"Description\":\"LANTERN, "
        "\\\"WHITE\\\"\",\"Quantity\":\"1\",\"InvoiceDate\":\"2010-12-01 08:26:00\","
        "\"UnitPrice\":\"3.39\",\"CustomerID\":\"17850\",\"Country\":\"United Kingdom\"}");
    const souk_fact *fact = &stories[3].fact;
    SOUK_CHECK(fact->at == 1291191960000 && fact->received == SHOP_NOW);
    SOUK_CHECK(fact->currency == souk_currency_code("GBP") && fact->amount_micro == 15300000);
    SOUK_CHECK(fact->flags == (SOUK_EVENT_ORDER | SOUK_EVENT_SALE | SOUK_FACT_LINKS));
    SOUK_CHECK(fact->line_count == 1 && stories[3].lines[0].quantity_micro == 6000000);
    SOUK_CHECK(!strcmp(shop_name(&shop, SOUK_NAME_PRODUCT, stories[3].lines[0].product), "85123A"));
    SOUK_CHECK(!strcmp(shop_name(&shop, SOUK_NAME_TYPE, fact->type), "Order Line"));
    SOUK_CHECK(stories[2].fact.flags == SOUK_EVENT_SALE); /* an order counts once */
    SOUK_CHECK(shop_timeline(&shop, "14527", &stories) == 1);
    fact = &stories[0].fact;
    SOUK_CHECK(fact->flags ==
               (SOUK_EVENT_ORDER | SOUK_EVENT_SALE | SOUK_EVENT_CANCELLED | SOUK_FACT_LINKS));
    SOUK_CHECK(fact->amount_micro == -27500000 && stories[0].lines[0].quantity_micro == -1000000);
    SOUK_CHECK(!strcmp(shop_name(&shop, SOUK_NAME_TYPE, fact->type), "Order Line Cancelled"));
    shop_close(&shop);
}

SOUK_TEST("a broken row goes to the rejects with its line, and the rows around it are taken")
{
    static const struct {
        const char *row, *fault;
        unsigned line;
    } broken[] = {
        {"1,A,B,1,2010-12-01 08:26:00,2.55,7\r\n", "7 fields where the heading has 8", 3},
        {",A,B,1,2010-12-01 08:26:00,2.55,7,UK\r\n", "InvoiceNo is empty or above 50 bytes", 5},
        {"1,,B,1,2010-12-01 08:26:00,2.55,7,UK\r\n", "StockCode is empty or above 100 bytes", 7},
        {"1,A,B,six,2010-12-01 08:26:00,2.55,7,UK\r\n", "Quantity is not a number", 9},
        {"1,A,B,1,2010-12-01 08:26:00,\"2,55\",7,UK\r\n", "UnitPrice is not a number", 11},
        {"1,A,B,9e9,2010-12-01 08:26:00,9e9,7,UK\r\n", "Quantity times UnitPrice does not fit", 13},
        {"1,A,\"two\nlines\",1,12/1/2010 8:26,2.55,7,UK\r\n", "InvoiceDate is no time like", 15},
        {"1,A,B,1,2010-12-01 08:26:00,2.55,a\tb,UK\r\n", "CustomerID is no identifier", 18},
    };
    enum { BROKEN = sizeof broken / sizeof *broken };
    static struct shop_rejects rejects;
    souk_auto_value(souk_buf) text = {.mem = test->mem};
    struct shop shop;
    souk_import import = {.spine = NULL};
    char where[60];
    shop_open(&shop, test);
    souk_buf_print(&text, HEADING);
    for (size_t i = 0; i < BROKEN; i++)
        souk_buf_print(&text, "9%zu,A,B,1,2010-12-01 08:26:00,1,7,UK\r\n%s", i, broken[i].row);
    SOUK_MUST(run(&shop, put_file(test, souk_buf_view(&text)), &import, NULL));
    /* Two of them tell no invoice: the row behind each may be of the same, and waits. */
    SOUK_CHECK(import.rows == 2 * BROKEN && import.events == BROKEN - 2);
    SOUK_CHECK(import.rejected == BROKEN + 2);
    shop_rejects(&shop, &rejects);
    SOUK_CHECK(rejects.count == BROKEN);
    for (size_t i = 0; i < BROKEN; i++) {
        snprintf(where, sizeof where, "import online-retail: line %u of rows.csv", broken[i].line);
        SOUK_CHECK_TEXT(rejects.at[i].where, where);
        SOUK_CHECK(souk_text_starts(rejects.at[i].fault, souk_text_of(broken[i].fault)));
        SOUK_CHECK(memmem(rejects.at[i].text.at, rejects.at[i].text.bytes, "2010", 4));
    }
    shop_close(&shop);
}

SOUK_TEST("a file that is none is refused with words, and nothing is stored")
{
    static const struct {
        const char *text, *words;
        souk_err err;
    } files[] = {
        {"", "empty", SOUK_EINVAL},
        {"InvoiceNo,StockCode\r\n", "column 3 should be 'Description'", SOUK_EINVAL},
        {"Invoice,StockCode\r\n", "column 1 should be 'InvoiceNo'", SOUK_EINVAL},
        {HEADING "1,A,\"B", "", SOUK_ESYNTAX},
        {"\x1f\x8b not really gzip, though long enough", "gzip", SOUK_ESYNTAX},
    };
    struct shop shop;
    shop_open(&shop, test);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        souk_import import = {.spine = NULL};
        souk_diag diag = {.words = ""};
        souk_err err = run(&shop, put_file(test, souk_text_of(files[i].text)), &import, &diag);
        if (err != files[i].err && !(files[i].err == SOUK_ESYNTAX && err == SOUK_ETOOBIG))
            test_fail(test, __FILE__, __LINE__, "file %zu: %s", i, souk_err_name(err));
        SOUK_CHECK(diag.words[0] && strstr(diag.words, files[i].words));
    }
    souk_import import = {.spine = NULL};
    souk_diag diag = {.words = ""};
    SOUK_CHECK_ERR(run(&shop, "/nowhere/rows.csv", &import, &diag), SOUK_ENOENT);
    SOUK_CHECK(strstr(diag.words, "give the path of a CSV file"));
    import.spine = shop.spine;
    SOUK_CHECK_ERR(souk_import_file(test->mem, &import, SOUK_TEXT("poems"), "x", NULL),
                   SOUK_EINVAL);
    SOUK_CHECK(shop_events(&shop) == 0);
    shop_close(&shop);
}

SOUK_TEST("a file in gzip is the same file")
{
    struct shop shop;
    souk_import import = {.spine = NULL};
    char packed[2000];
    shop_open(&shop, test);
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
    size_t bytes = libdeflate_gzip_compress(compressor, rows, strlen(rows), packed, sizeof packed);
    libdeflate_free_compressor(compressor);
    SOUK_MUST(run(&shop, put_file(test, (souk_text){packed, bytes}), &import, NULL));
    SOUK_CHECK(import.rows == 6 && import.events == 6);
    shop_close(&shop);
}

SOUK_TEST("a file of many gzip members is all of them, and a damaged one is refused whole")
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
    souk_text parts[] = {
        {rows, 200}, {rows, 0}, {rows + 200, 100}, {rows + 300, strlen(rows) - 300}};
    char packed[2000];
    size_t bytes = 0;
    struct shop shop;
    souk_import import = {.spine = NULL}, damaged = {.spine = NULL};
    souk_diag diag = {.words = ""};
    shop_open(&shop, test);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        bytes += libdeflate_gzip_compress(compressor, parts[i].at, parts[i].bytes, packed + bytes,
                                          sizeof packed - bytes);
    libdeflate_free_compressor(compressor);
    SOUK_CHECK_ERR(run(&shop, put_file(test, (souk_text){packed, bytes - 1}), &damaged, &diag),
                   SOUK_ESYNTAX);
    SOUK_CHECK(strstr(diag.words, "the gzip file is damaged or cut off") && damaged.rows == 0);
    SOUK_MUST(run(&shop, put_file(test, (souk_text){packed, bytes}), &import, NULL));
    SOUK_CHECK(import.rows == 6 && import.events == 6);
    shop_close(&shop);
}

SOUK_TEST("a pipe is refused at once, also one that nobody writes to")
{
    struct shop shop;
    char path[600];
    souk_import import = {.spine = NULL};
    souk_diag diag = {.words = ""};
    shop_open(&shop, test);
    snprintf(path, sizeof path, "%s/pipe", test_folder(test));
    SOUK_CHECK(mkfifo(path, 0600) == 0);
    SOUK_CHECK_ERR(run(&shop, path, &import, &diag), SOUK_ENOENT);
    SOUK_CHECK(strstr(diag.words, "give the path of a CSV file"));
    shop_close(&shop);
}

/* ---- a file that changes while it is read --------------------------------------------------------------- */

struct meddling {
    const char *path, *how;
    bool is_done;
};

/* At the first call, when two thousand rows are durable. */
static souk_err meddle(void *context, uint64_t done, uint64_t total)
{
    struct meddling *meddling = context;
    if (meddling->is_done)
        return done > total ? SOUK_EINVAL : SOUK_OK;
    meddling->is_done = true;
    FILE *file = fopen(meddling->path, strcmp(meddling->how, "grow") ? "r+" : "a");
    if (!file)
        return SOUK_EIO;
    bool is_well = strcmp(meddling->how, "cut") || ftruncate(fileno(file), 100) == 0;
    if (!strcmp(meddling->how, "grow"))
        is_well = fputs("9999999,S1,Thing,2,2011-02-03 04:05:06,0.25,7,UK\r\n", file) >= 0;
    if (!strcmp(meddling->how, "change"))
        is_well = fseek(file, -5, SEEK_END) == 0 && fputs("X", file) >= 0;
    return fclose(file) == 0 && is_well ? SOUK_OK : SOUK_EIO;
}

/* Rows enough for several pieces. */
static const char *put_large_file(souk_test *test)
{
    souk_auto_value(souk_buf) text = {.mem = test->mem};
    souk_buf_print(&text, HEADING);
    for (unsigned i = 0; i < 9000; i++)
        souk_buf_print(&text,
                       "%u,S%u,A rather long description of the thing,2,2011-02-03 04:05:06,"
                       "0.25,%u,UK\r\n",
                       i / 7, i % 50, 100 + i % 40);
    return put_file(test, souk_buf_view(&text));
}

SOUK_TEST(
    "a file that is cut or changes while it is read is told, and the next import adds the rest")
{
    static const char *const hows[] = {"cut", "change"};
    for (size_t i = 0; i < 2; i++) {
        struct shop shop;
        souk_diag diag = {.words = ""};
        shop_open(&shop, test);
        struct meddling meddling = {.path = put_large_file(test), .how = hows[i]};
        souk_import import = {.progress = meddle, .context = &meddling}, again = {.spine = NULL};
        SOUK_CHECK_ERR(run(&shop, meddling.path, &import, &diag), SOUK_ECONFLICT);
        SOUK_CHECK(strstr(diag.words, "changed while it was read"));
        SOUK_CHECK(import.events >= 2000 && shop_events(&shop) == import.events);
        SOUK_MUST(run(&shop, put_large_file(test), &again, NULL));
        SOUK_CHECK(again.rows == 9000 && again.resumed == 0);
        SOUK_CHECK(again.repeats == import.events && shop_events(&shop) == 9000);
        shop_close(&shop);
    }
}

SOUK_TEST("a file that grows while it is read is read as far as it went")
{
    struct shop shop;
    shop_open(&shop, test);
    struct meddling meddling = {.path = put_large_file(test), .how = "grow"};
    souk_import import = {.progress = meddle, .context = &meddling}, again = {.spine = NULL};
    SOUK_MUST(run(&shop, meddling.path, &import, NULL));
    SOUK_CHECK(import.rows == 9000 && shop_events(&shop) == 9000);
    SOUK_MUST(run(&shop, meddling.path, &again, NULL));
    SOUK_CHECK(again.rows == 9001 && again.events == 1);
    shop_close(&shop);
}

/* ---- cut off and gone on with --------------------------------------------------------------------------- */

enum { LONG_ROWS = 9000, BROKEN_EVERY = 1000 };

static void long_file(souk_buf *text)
{
    souk_buf_print(text, HEADING);
    for (unsigned i = 0; i < LONG_ROWS; i++)
        souk_buf_print(text, "%u,S%u,Thing,%s,2011-02-03 04:05:06,0.25,%u,UK\r\n", i / 7, i % 50,
                       i % BROKEN_EVERY == 17 ? "few" : "2", 100 + i % 40);
}

/* Stops at the n-th call. */
static souk_err stop_at(void *context, uint64_t done, uint64_t total)
{
    unsigned *left = context;
    return done > total || --*left == 0 ? SOUK_EINTERRUPT : SOUK_OK;
}

SOUK_TEST("an import cut off anywhere goes on where it was, and ends as one that was not")
{
    souk_auto_value(souk_buf) text = {.mem = test->mem};
    uint64_t broken = (LONG_ROWS - 17 + BROKEN_EVERY - 1) / BROKEN_EVERY;
    long_file(&text);
    const char *path = put_file(test, souk_buf_view(&text));
    for (unsigned stop = 1; stop <= 3; stop++) {
        struct shop shop;
        souk_totals totals;
        uint64_t rejected;
        unsigned left = stop;
        shop_open(&shop, test);
        souk_import cut = {.progress = stop_at, .context = &left}, whole = {.spine = NULL};
        SOUK_CHECK_ERR(run(&shop, path, &cut, NULL), SOUK_EINTERRUPT);
        SOUK_CHECK(shop_events(&shop) == cut.events && cut.events == (uint64_t)stop * 2000);
        SOUK_MUST(run(&shop, path, &whole, NULL));
        SOUK_CHECK(whole.rows == LONG_ROWS && whole.resumed == cut.events);
        SOUK_CHECK(whole.events + cut.events == LONG_ROWS - broken);
        SOUK_CHECK(whole.repeats == whole.resumed && whole.shoppers == 40);
        SOUK_CHECK(shop_events(&shop) == LONG_ROWS - broken);
        souk_index_totals(souk_spine_index(shop.spine), &totals);
        SOUK_CHECK(totals.amounts[0].amount_micro == (int64_t)(LONG_ROWS - broken) * 500000);
        SOUK_MUST(souk_rejects_count(souk_spine_rejects(shop.spine), &rejected));
        SOUK_CHECK(whole.rejected == broken && rejected == broken);
        shop_close(&shop);
    }
}

SOUK_TEST("rejects of a file are stored once for all its runs: cut off, whole, again, mended since")
{
    souk_auto_value(souk_buf) text = {.mem = test->mem};
    struct shop shop;
    uint64_t kept, broken = (LONG_ROWS - 17 + BROKEN_EVERY - 1) / BROKEN_EVERY;
    long_file(&text);
    const char *path = put_file(test, souk_buf_view(&text));
    souk_rejects *rejects;
    shop_open(&shop, test);
    rejects = souk_spine_rejects(shop.spine);
    for (unsigned run_number = 0; run_number < 4; run_number++) {
        unsigned left = 1; /* the first run has read further than it made durable */
        souk_import import = {.progress = run_number ? NULL : stop_at, .context = &left};
        SOUK_CHECK_ERR(run(&shop, path, &import, NULL), run_number ? SOUK_OK : SOUK_EINTERRUPT);
        SOUK_CHECK(run_number == 0 || import.rejected == broken);
        SOUK_MUST(souk_rejects_count(rejects, &kept));
        SOUK_CHECK(kept == (run_number == 0 ? import.rejected : broken - (run_number == 3)));
        if (run_number == 2)
            SOUK_MUST(souk_rejects_remove(rejects, 1)); /* somebody saw to it */
    }
    shop_close(&shop);
}

SOUK_TEST("an import that runs out of memory anywhere stores each reject once")
{
    struct shop shop;
    uint64_t kept;
    shop_open(&shop, test);
    const char *path =
        put_file(test, SOUK_TEXT(HEADING "1,,B,1,2010-12-01 08:26:00,1,7,UK\r\n"
                                         "2,A,B,1,2010-12-01 08:26:00,1,7,UK\r\n"
                                         "3,A,B,six,2010-12-01 08:26:00,1,7,UK\r\n"));
    SOUK_FAULT_LOOP (test) {
        souk_import import = {.spine = NULL};
        souk_err err = run(&shop, path, &import, NULL);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
    }
    SOUK_MUST(souk_rejects_count(souk_spine_rejects(shop.spine), &kept));
    SOUK_CHECK(kept == 2 && shop_events(&shop) == 1);
    shop_close(&shop);
}

SOUK_TEST("an import that runs out of memory anywhere can be run again, and nothing is doubled")
{
    struct shop shop;
    uint64_t runs = 0;
    shop_open(&shop, test);
    const char *path = put_file(test, souk_text_of(rows));
    SOUK_FAULT_LOOP (test) {
        souk_import import = {.spine = NULL};
        souk_err err = run(&shop, path, &import, NULL);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        SOUK_CHECK(err || import.events + import.repeats == 6);
        SOUK_CHECK(shop_events(&shop) <= 6);
        test_fault_seen(test, err);
        runs++;
    }
    SOUK_CHECK(runs > 10 && shop_events(&shop) == 6);
    shop_close(&shop);
}

/* ---- beside sums kept by hand --------------------------------------------------------------------------- */

enum { CUSTOMERS = 5 };

struct sums {
    uint64_t rows[CUSTOMERS + 1]; /* the last: nobody's */
    int64_t cents[CUSTOMERS + 1];
};

static void random_file(souk_test *test, struct sums *sums, souk_buf *text)
{
    *sums = (struct sums){.rows = {0}};
    souk_buf_print(text, HEADING);
    for (size_t row = 0; row < 300; row++) {
        size_t customer = test_random(test, CUSTOMERS + 1);
        int64_t cents = (int64_t)test_random(test, 100000),
                quantity = 1 + (int64_t)test_random(test, 9);
        bool cancelled = test_random(test, 5) == 0;
        char name[16] = "";
        if (customer < CUSTOMERS)
            snprintf(name, sizeof name, "%zu", 500 + customer);
        quantity = cancelled ? -quantity : quantity;
        unsigned invoice = (unsigned)test_random(test, 30);
        souk_buf_print(text, "%s%u,X,Thing,%lld,2011-01-01 00:00:00,%lld.%02lld,%s,UK\n",
                       cancelled ? "C" : "", invoice, (long long)quantity, (long long)cents / 100,
                       (long long)cents % 100, name);
        sums->rows[customer]++;
        sums->cents[customer] += cents * quantity;
    }
}

static bool same_sums(struct shop *shop, const struct sums *sums)
{
    souk_totals totals;
    int64_t nobody;
    souk_index_totals(souk_spine_index(shop->spine), &totals);
    nobody = (int64_t)totals.amounts[0].amount_micro;
    for (size_t i = 0; i < CUSTOMERS; i++) {
        char name[16];
        souk_story *stories;
        int64_t micro = 0;
        snprintf(name, sizeof name, "%zu", 500 + i);
        size_t count = shop_timeline(shop, name, &stories);
        for (size_t k = 0; k < count; k++)
            micro += stories[k].fact.amount_micro;
        if (count != sums->rows[i] || micro != sums->cents[i] * 10000)
            return false;
        nobody -= micro;
    }
    return nobody == sums->cents[CUSTOMERS] * 10000 && totals.events == 300;
}

SOUK_TEST(
    "random files sum up to what was added by hand, and a cent or a row more would be noticed")
{
    souk_auto_value(souk_buf) text = {.mem = test->mem};
    struct sums sums;
    struct shop shop;
    souk_import import = {.spine = NULL};
    shop_open(&shop, test);
    random_file(test, &sums, &text);
    SOUK_MUST(run(&shop, put_file(test, souk_buf_view(&text)), &import, NULL));
    SOUK_CHECK(same_sums(&shop, &sums));
    sums.cents[test_random(test, CUSTOMERS + 1)]++;
    SOUK_CHECK(!same_sums(&shop, &sums));
    shop_close(&shop);
}
