/* bench_files.c - each importer beside `sqlite3 .import` of the same rows into one bare table, at one size and at four
 * times that.
 *
 * The files are made here, of rows like those of the formats, so that they can be of any size.  The bar of each is the
 * lower of 300,000 rows/s and a quarter of what sqlite3 does.  Three rounds in turn at the first size, one at the
 * second; both begin with an empty shop and an empty database. */
#include "app/bench.h"
#include "base/hash.h"

#include <stdio.h>
#include <unistd.h>

enum { ROUNDS = 3, ROWS = 250000, TIMES = 4 };
static const double rate_bar = 300000, share_bar = 0.25, linear_bar = 0.8;

typedef void write_rows(FILE *to, uint64_t rows);

/* One number of many, the same for the same place. */
static uint64_t draw(uint64_t place, uint64_t below)
{
    return (souk_mix64(place) >> 11) % below;
}

/* ---- the files ---------------------------------------------------------------------------------------------- */

static void write_tafeng(FILE *to, uint64_t rows)
{
    fputs("user_id,basket_no,product_id\n", to);
    for (uint64_t i = 0; i < rows; i++)
        fprintf(to, "%llu,%llu,%llu\n", (unsigned long long)(i / 36 + 1),
                (unsigned long long)(i / 6 % 6 + 1), (unsigned long long)draw(i, 12000));
}

static void write_cdnow(FILE *to, uint64_t rows)
{
    fputs("customer_id,date,cds,amount_usd\n", to);
    for (uint64_t i = 0; i < rows; i++)
        fprintf(to, "%06llu,2021%02u%02u,%u,%u.%02u\n", (unsigned long long)(i / 3),
                (unsigned)(1 + i % 12), (unsigned)(1 + draw(i, 28)), (unsigned)(1 + draw(i, 5)),
                (unsigned)draw(i + 1, 90), (unsigned)draw(i + 2, 100));
}

static void write_groceries(FILE *to, uint64_t rows)
{
    for (uint64_t i = 0; i < rows; i++) {
        uint64_t items = 1 + draw(i, 8);
        for (uint64_t k = 0; k < items; k++)
            fprintf(to, "%sitem no %u", k ? "," : "", (unsigned)draw(i * 9 + k, 169));
        fputc('\n', to);
    }
}

static void write_journey(FILE *to, uint64_t rows)
{
    fputs("household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,"
          "coupon_match_disc,week,transaction_timestamp\n",
          to);
    for (uint64_t i = 0; i < rows; i++)
        fprintf(to, "%u,%u,%llu,%u,%u,%u.%02u,0.43,0,0,5,2017-%02u-%02uT19:06:53Z\n",
                (unsigned)draw(i / 2, 2500), (unsigned)draw(i / 2 + 7, 300),
                (unsigned long long)(31000000000 + i / 2), (unsigned)draw(i + 3, 50000),
                (unsigned)(1 + draw(i, 3)), (unsigned)draw(i + 1, 20), (unsigned)draw(i + 2, 100),
                (unsigned)(1 + i / 2 % 12), (unsigned)(1 + draw(i / 2, 28)));
}

static void write_orders(FILE *to, uint64_t rows)
{
    fputs("Order ID,Order Date,Store,SKU,Product Name,Quantity,Unit Price,Currency,Card "
          "Number,Note\n",
          to);
    for (uint64_t i = 0; i < rows; i++)
        fprintf(
            to,
            "%llu,2025-%02u-%02u 12:%02u:00,SH-%u,SKU-%u,Product number %u,%u,%u.%02u,EUR,%u,\n",
            (unsigned long long)(i / 3), (unsigned)(1 + i / 3 % 12),
            (unsigned)(1 + draw(i / 3, 28)), (unsigned)draw(i / 3 + 1, 60),
            (unsigned)draw(i / 3 + 2, 200), (unsigned)draw(i, 20000), (unsigned)draw(i, 20000),
            (unsigned)(1 + draw(i + 1, 5)), (unsigned)draw(i + 2, 90), (unsigned)draw(i + 3, 100),
            (unsigned)draw(i / 3 + 4, 100000));
}

static void write_products(FILE *to, uint64_t rows)
{
    fputs("SKU,Title,Brand,Category,EAN,Price,Currency,URL,Colour\n", to);
    for (uint64_t i = 0; i < rows; i++)
        fprintf(to,
                "SKU-%llu,Product number %llu,Brand %u,Group %u > Part %u,40%011llu,%u.%02u,EUR,"
                "https://shop.example/p/%llu,blue\n",
                (unsigned long long)i, (unsigned long long)i, (unsigned)draw(i, 500),
                (unsigned)draw(i + 1, 20), (unsigned)draw(i + 2, 50), (unsigned long long)i,
                (unsigned)draw(i + 3, 90), (unsigned)draw(i + 4, 100), (unsigned long long)i);
}

static void write_shoppers(FILE *to, uint64_t rows)
{
    fputs("Customer ID,Email,Phone,First Name,Last Name,Birthday,City\n", to);
    for (uint64_t i = 0; i < rows; i++)
        fprintf(to, "%llu,person%llu@example.com,+4915%09llu,Ann,Miller %u,19%02u-%02u-%02u,Ulm\n",
                (unsigned long long)i, (unsigned long long)i, (unsigned long long)i,
                (unsigned)draw(i, 5000), (unsigned)draw(i + 1, 99), (unsigned)(1 + draw(i + 2, 12)),
                (unsigned)(1 + draw(i + 3, 28)));
}

static void write_consents(FILE *to, uint64_t rows)
{
    fputs("customer id,purpose,given,at,evidence,age\n", to);
    for (uint64_t i = 0; i < rows; i++)
        fprintf(to, "%llu,%s,%s,2024-%02u-%02u,form %llu,%u\n", (unsigned long long)(i / 2),
                i % 2 ? "profile" : "advertise", draw(i, 5) ? "yes" : "no",
                (unsigned)(1 + draw(i + 1, 12)), (unsigned)(1 + draw(i + 2, 28)),
                (unsigned long long)i, (unsigned)(16 + draw(i / 2, 60)));
}

static void write_feed(FILE *to, uint64_t rows)
{
    fputs("id\ttitle\tdescription\tlink\tavailability\tprice\tbrand\tgtin\tproduct_type\n", to);
    for (uint64_t i = 0; i < rows; i++)
        fprintf(to,
                "SKU-%llu\tProduct number %llu\tGood for many things\thttps://shop.example/p/%llu\t"
                "in_stock\t%u.%02u EUR\tBrand %u\t40%011llu\tGroup %u\n",
                (unsigned long long)i, (unsigned long long)i, (unsigned long long)i,
                (unsigned)draw(i, 90), (unsigned)draw(i + 1, 100), (unsigned)draw(i + 2, 500),
                (unsigned long long)i, (unsigned)draw(i + 3, 40));
}

static void write_xml(FILE *to, uint64_t rows)
{
    fputs("<?xml version=\"1.0\"?>\n<rss version=\"2.0\" xmlns:g=\"http://base.google.com/ns/1.0\">"
          "<channel>\n",
          to);
    for (uint64_t i = 0; i < rows; i++)
        fprintf(
            to,
            "<item><g:id>SKU-%llu</g:id><title>Product number %llu</title><description>Good for "
            "many "
            "things</description><link>https://shop.example/p/%llu</link><g:availability>in_stock"
            "</g:availability><g:price>%u.%02u EUR</g:price><g:brand>Brand "
            "%u</g:brand><g:gtin>40%011llu"
            "</g:gtin><g:product_type>Group %u</g:product_type></item>\n",
            (unsigned long long)i, (unsigned long long)i, (unsigned long long)i,
            (unsigned)draw(i, 90), (unsigned)draw(i + 1, 100), (unsigned)draw(i + 2, 500),
            (unsigned long long)i, (unsigned)draw(i + 3, 40));
    fputs("</channel></rss>\n", to);
}

/* A month of the load's events (bench_load.c), by up to a million shoppers. */
static void write_events(FILE *to, uint64_t rows)
{
    char event[1024];
    for (uint64_t i = 0; i < rows; i++) {
        size_t bytes = bench_event(1, i, 1000000, event);
        fwrite(event, 1, bytes, to);
        fputc('\n', to);
    }
}

static void write_sale(FILE *to, uint64_t place)
{
    unsigned product = (unsigned)draw(place, 20000), units = (unsigned)(1 + draw(place + 1, 4)),
             cents = (unsigned)(49 + draw(product, 2000));
    fprintf(to,
            "<LineItem EntryMethod=\"Scanned\"><Sale><POSIdentity><POSItemID>40%011u</POSItemID>"
            "</POSIdentity><ItemID>SKU-%u</ItemID><Description>Product number %u</Description>"
            "<ActualSalesUnitPrice>%u.%02u</ActualSalesUnitPrice>"
            "<ExtendedAmount>%u.%02u</ExtendedAmount><Quantity>%u</Quantity></Sale></LineItem>",
            product, product, product, cents / 100, cents % 100, cents * units / 100,
            cents * units % 100, units);
}

/* A receipt of three lines on one line of the file; every other one has a card. */
static void write_poslog(FILE *to, uint64_t rows)
{
    fputs("<POSLog xmlns=\"http://www.nrf-arts.org/IXRetail/namespace/\">\n", to);
    for (uint64_t i = 0; i < rows; i++) {
        fprintf(to,
                "<Transaction><RetailStoreID>%u</RetailStoreID><WorkstationID>%u</WorkstationID>"
                "<SequenceNumber>%llu</SequenceNumber><BusinessDayDate>2025-06-%02u"
                "</BusinessDayDate><EndDateTime>2025-06-%02uT12:%02u:00</EndDateTime>"
                "<CurrencyCode>EUR</CurrencyCode><RetailTransaction>",
                (unsigned)draw(i, 200), (unsigned)draw(i + 1, 8), (unsigned long long)i,
                (unsigned)(1 + i % 28), (unsigned)(1 + i % 28), (unsigned)draw(i, 60));
        for (uint64_t k = 0; k < 3; k++)
            write_sale(to, i * 4 + k);
        fputs("<LineItem><Tender TenderType=\"Cash\"><Amount>9.99</Amount></Tender></LineItem>",
              to);
        if (i % 2)
            fprintf(to, "<LoyaltyAccount><LoyaltyAccountID>%u</LoyaltyAccountID></LoyaltyAccount>",
                    (unsigned)(1000000 + draw(i, 100000)));
        fputs("</RetailTransaction></Transaction>\n", to);
    }
    fputs("</POSLog>\n", to);
}

/* Of sqlite3: a line is a row of one column. */
static const char lines[] = ".separator \"\\001\" \"\\n\"";

static const struct format {
    const char *name, *format;
    write_rows *write, *peer; /* peer NULL: sqlite3 reads the same file */
    const char *mode;         /* of sqlite3 */
    const char *rate, *linear;
} formats[] = {
#define FORMAT(name, format, write, peer, mode)                                  \
    {                                                                            \
        name, format, write, peer, mode, name ": rows/s, wall, median of 3",     \
            name ": rows/s of a file four times as long, beside the short one's" \
    }
    FORMAT("tafeng", "tafeng", write_tafeng, NULL, ".mode csv"),
    FORMAT("cdnow", "cdnow", write_cdnow, NULL, ".mode csv"),
    FORMAT("groceries", "groceries", write_groceries, NULL, lines),
    FORMAT("complete-journey", "complete-journey", write_journey, NULL, ".mode csv"),
    FORMAT("orders", "orders", write_orders, NULL, ".mode csv"),
    FORMAT("products", "products", write_products, NULL, ".mode csv"),
    FORMAT("shoppers", "shoppers", write_shoppers, NULL, ".mode csv"),
    FORMAT("consents", "consents", write_consents, NULL, ".mode csv"),
    FORMAT("feed, table", "merchant-feed", write_feed, NULL, ".mode tabs"),
    FORMAT("feed, XML (sqlite3: its table)", "merchant-feed", write_xml, write_feed, ".mode tabs"),
    FORMAT("events (sqlite3: their lines)", "events", write_events, NULL, lines),
    FORMAT("poslog, receipts (sqlite3: their lines)", "poslog", write_poslog, NULL, lines),
#undef FORMAT
};

/* ---- measuring ------------------------------------------------------------------------------------------------- */

struct measuring {
    bench_run *bench;
    const struct format *format;
    char file[600], peer_file[600], shop[600], database[600];
    bool peer_missing;
};

static souk_err make_file(const char *path, write_rows *write, uint64_t rows, souk_diag *diag)
{
    FILE *to = fopen(path, "w");
    if (!to)
        return souk_diag_say(diag, SOUK_EIO, "%s cannot be written", path);
    write(to, rows);
    return fclose(to) ? souk_diag_say(diag, SOUK_EIO, "%s cannot be written", path) : SOUK_OK;
}

static souk_err make_files(struct measuring *measuring, uint64_t rows, souk_diag *diag)
{
    const struct format *format = measuring->format;
    SOUK_TRY(make_file(measuring->file, format->write, rows, diag));
    return format->peer ? make_file(measuring->peer_file, format->peer, rows, diag) : SOUK_OK;
}

static souk_err import_once(struct measuring *measuring, uint64_t rows, double *ret_s,
                            souk_diag *diag)
{
    const char *self = bench_self(), *format = measuring->format->format;
    const char *const remove[] = {"rm", "-rf", measuring->shop, NULL};
    const char *const init[] = {self, "init", "--data", measuring->shop, "--json", NULL};
    const char *const import[] = {self,     "import",        format,   measuring->file,
                                  "--data", measuring->shop, "--json", NULL};
    souk_auto_value(souk_buf) told = {.mem = measuring->bench->mem};
    double ignored;
    SOUK_TRY(bench_command(remove, NULL, NULL, &ignored));
    souk_err err = bench_command(init, NULL, NULL, &ignored);
    if (!err)
        err = bench_command(import, &told, ret_s, &ignored);
    if (!err &&
        (bench_number(&told, "rows") != (double)rows || bench_number(&told, "rejected") != 0))
        return souk_diag_say(diag, SOUK_EIO, "%s: it took other rows than were written: %s", format,
                             souk_buf_ended(&told));
    return err ? souk_diag_say(diag, err, "`souk import %s` failed: try it on %s", format,
                               measuring->file)
               : SOUK_OK;
}

static souk_err peer_once(struct measuring *measuring, double *ret_s, souk_diag *diag)
{
    char line[800];
    double ignored;
    const char *file = measuring->format->peer ? measuring->peer_file : measuring->file;
    bool is_lines = measuring->format->mode == lines;
    snprintf(line, sizeof line, ".import '%s' row", file);
    const char *const words[] = {"sqlite3",
                                 measuring->database,
                                 measuring->format->mode,
                                 is_lines ? "CREATE TABLE row (line)" : "SELECT 1",
                                 line,
                                 NULL};
    unlink(measuring->database);
    souk_err err = bench_command(words, NULL, ret_s, &ignored);
    measuring->peer_missing |= err == SOUK_ENOENT;
    if (err && err != SOUK_ENOENT)
        return souk_diag_say(diag, err, "`sqlite3 .import` failed on %s", file);
    return SOUK_OK;
}

static void tell(struct measuring *measuring, double rate, double peer_rate, double rate_long)
{
    const struct format *format = measuring->format;
    bench_run *bench = measuring->bench;
    if (measuring->peer_missing)
        bench_missing(bench, format->rate, "rows/s", BENCH_AT_LEAST, rate_bar, "sqlite3");
    else
        bench_add(bench, format->rate, rate, "rows/s", BENCH_AT_LEAST,
                  peer_rate * share_bar < rate_bar ? peer_rate * share_bar : rate_bar,
                  "300,000, or 0.25 of sqlite3 .import");
    bench_add(bench, format->linear, rate_long / rate, "times", BENCH_AT_LEAST, linear_bar,
              "itself");
}

static souk_err measure(struct measuring *measuring, souk_diag *diag)
{
    double souk_s[ROUNDS], peer_s[ROUNDS] = {0}, long_s;
    uint64_t rows = measuring->bench->scale ? measuring->bench->scale : ROWS;
    SOUK_TRY(make_files(measuring, rows, diag));
    for (size_t round = 0; round < ROUNDS; round++) {
        SOUK_TRY(import_once(measuring, rows, &souk_s[round], diag));
        SOUK_TRY(peer_once(measuring, &peer_s[round], diag));
    }
    SOUK_TRY(make_files(measuring, rows * TIMES, diag));
    SOUK_TRY(import_once(measuring, rows * TIMES, &long_s, diag));
    double peer = bench_median(peer_s, ROUNDS);
    tell(measuring, (double)rows / bench_median(souk_s, ROUNDS), peer > 0 ? (double)rows / peer : 0,
         (double)(rows * TIMES) / long_s);
    return SOUK_OK;
}

souk_err bench_files(bench_run *bench, souk_diag *diag)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct measuring measuring = {.bench = bench, .format = &formats[i]};
        snprintf(measuring.file, sizeof measuring.file, "%.500s/rows", bench->folder);
        snprintf(measuring.peer_file, sizeof measuring.peer_file, "%.500s/peer-rows",
                 bench->folder);
        snprintf(measuring.shop, sizeof measuring.shop, "%.500s/files-shop", bench->folder);
        snprintf(measuring.database, sizeof measuring.database, "%.500s/files.db", bench->folder);
        SOUK_TRY(measure(&measuring, diag));
    }
    return SOUK_OK;
}
