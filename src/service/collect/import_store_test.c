/* import_store_test.c - tables into a shop: orders, products and consents once, cut off, gone on with, out of memory; and
 * a file looked at. */
#include "test/test.h"

#include "core/store.h"
#include "service/collect/import.h"
#include "service/collect/import_format.h"
#include "service/collect/test_shop.h"

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

static souk_err run(struct shop *shop, const char *format, const char *path, souk_import *import,
                    souk_diag *diag)
{
    souk_test *test = shop->test;
    souk_statement statement = {.age = SOUK_AGE_ADULT};
    statement.bases[SOUK_PURPOSE_SERVE] = SOUK_BASIS_CONTRACT;
    SOUK_MUST(souk_merchants_source(shop->merchants, SOUK_OPERATOR, SOUK_TEXT("till"), &statement,
                                    &import->source, NULL));
    import->spine = shop->spine;
    return souk_import_file(test->mem, import, souk_text_of(format), path, diag);
}

/* ---- orders --------------------------------------------------------------------------------------------------------- */

enum { ORDERS = 5000, LINES = 3, BROKEN_EVERY = 1000 };

static void many_orders(souk_buf *text)
{
    souk_buf_print(text, "order,date,sku,qty,price,card\n");
    for (unsigned i = 0; i < ORDERS * LINES; i++)
        souk_buf_print(text, "%u,2025-02-03 04:05:06,S%u,%s,0.25,%u\n", i / LINES, i % 50,
                       i % BROKEN_EVERY == 17 ? "few" : "2", 100 + i / LINES % 40);
}

static souk_err stop_at(void *context, uint64_t done, uint64_t total)
{
    unsigned *left = context;
    return done > total || --*left == 0 ? SOUK_EINTERRUPT : SOUK_OK;
}

SOUK_TEST("orders of several rows, cut off anywhere, go on where they were, and end as if they had "
          "not been")
{
    souk_auto_value(souk_buf) text = {.mem = test->mem};
    uint64_t broken = (ORDERS * LINES - 17 + BROKEN_EVERY - 1) / BROKEN_EVERY;
    many_orders(&text);
    const char *path = put_file(test, souk_buf_view(&text));
    for (unsigned stop = 1; stop <= 2; stop++) {
        struct shop shop;
        souk_totals totals;
        uint64_t rejected;
        unsigned left = stop;
        shop_open(&shop, test);
        souk_import cut = {.progress = stop_at, .context = &left}, whole = {.spine = NULL},
                    again = {.spine = NULL};
        SOUK_CHECK_ERR(run(&shop, "orders", path, &cut, NULL), SOUK_EINTERRUPT);
        SOUK_CHECK(cut.events == (uint64_t)stop * 2000 && shop_events(&shop) == cut.events);
        SOUK_MUST(run(&shop, "orders", path, &whole, NULL));
        SOUK_CHECK(whole.rows == ORDERS * LINES && whole.resumed == cut.events);
        SOUK_CHECK(whole.rejected == broken * LINES && whole.shoppers == 40);
        souk_index_totals(souk_spine_index(shop.spine), &totals);
        SOUK_CHECK(totals.orders == ORDERS - broken && totals.events == totals.orders &&
                   totals.amounts[0].amount_micro == (int64_t)totals.orders * LINES * 500000);
        SOUK_MUST(run(&shop, "orders", path, &again, NULL));
        SOUK_CHECK(again.events == 0 && again.resumed == 0);
        SOUK_CHECK(shop_events(&shop) == whole.events + cut.events);
        SOUK_MUST(souk_rejects_count(souk_spine_rejects(shop.spine), &rejected));
        SOUK_CHECK(rejected == broken);
        SOUK_MUST(souk_spine_verify(shop.spine, NULL, NULL, NULL));
        shop_close(&shop);
    }
}

SOUK_TEST("a table read otherwise after it was cut off is read from its beginning")
{
    souk_auto_value(souk_buf) text = {.mem = test->mem};
    struct shop shop;
    unsigned left = 1;
    shop_open(&shop, test);
    many_orders(&text);
    const char *path = put_file(test, souk_buf_view(&text));
    souk_import cut = {.progress = stop_at, .context = &left};
    souk_import other = {.options = {.currency = SOUK_TEXT("EUR")}};
    SOUK_CHECK_ERR(run(&shop, "orders", path, &cut, NULL), SOUK_EINTERRUPT);
    SOUK_MUST(run(&shop, "orders", path, &other, NULL));
    SOUK_CHECK(other.resumed == 0 &&
               other.repeats == cut.events); /* its orders are known all the same */
    shop_close(&shop);
}

SOUK_TEST("a reject of a table names whom an erasure looks for, whatever its heading says")
{
    struct shop shop;
    static struct shop_rejects rejects;
    souk_import import = {.spine = NULL};
    static souk_person person;
    uint64_t erased, count;
    shop_open(&shop, test);
    const char *path = put_file(test, SOUK_TEXT("订单号,日期,货号,数量,单价,会员卡号\n"
                                                "1,2025-01-02,a,1,2,7\n2,2025-01-02,a,x,2,7\n"
                                                "3,2025-01-02,a,x,7,8\n4,2025-01-02,a,1,2,9\n"));
    SOUK_MUST(run(&shop, "orders", path, &import, NULL));
    SOUK_CHECK(import.rejected == 2);
    shop_rejects(&shop, &rejects);
    SOUK_CHECK_TEXT(rejects.at[0].where, "import orders: line 3 of rows.csv");
    SOUK_MUST(souk_spine_find(shop.spine, SOUK_ID_CARD, SOUK_TEXT("7"), &person));
    SOUK_MUST(souk_spine_erase(shop.spine, &person, &erased));
    SOUK_MUST(souk_rejects_count(souk_spine_rejects(shop.spine), &count));
    SOUK_CHECK(erased == 1 && count == 1); /* another's, with a 7 for a price, stays */
    shop_close(&shop);
}

/* ---- events --------------------------------------------------------------------------------------------------------- */

SOUK_TEST("events of a file are stored once, whatever stands for their messageId")
{
    static const char *const ids[] = {"", "\"messageId\":\"\",", "\"messageId\":null,",
                                      "\"messageId\":7,", "\"messageId\":\"m-1\","};
    enum { IDS = sizeof ids / sizeof *ids };
    struct shop shop;
    souk_import first = {.spine = NULL}, again = first;
    souk_auto_value(souk_buf) text = {.mem = test->mem};
    shop_open(&shop, test);
    for (size_t i = 0; i < IDS; i++)
        souk_buf_print(&text, "{\"type\":\"page\",%s\"userId\":\"u%zu\"}\n", ids[i], i);
    const char *path = put_file(test, souk_buf_view(&text));
    SOUK_MUST(run(&shop, "events", path, &first, NULL));
    SOUK_CHECK(first.events == IDS && first.rejected == 0);
    SOUK_MUST(run(&shop, "events", path, &again, NULL));
    SOUK_CHECK(again.events == 0 && again.repeats == IDS && shop_events(&shop) == IDS);
    shop_close(&shop);
}

/* ---- products and consents ------------------------------------------------------------------------------------------- */

SOUK_TEST("products of a file are new, then known, then changed, and survive a rebuild")
{
    struct shop shop;
    souk_product product;
    souk_import first = {.spine = NULL}, again = first, changed = first;
    shop_open(&shop, test);
    const char *path = put_file(test, SOUK_TEXT("sku,title,price\nA,Tea,1.50 EUR\nB,Cup,2 EUR\n"));
    SOUK_MUST(run(&shop, "products", path, &first, NULL));
    SOUK_CHECK(first.rows == 2 && first.entries == 2 && first.events == 0 && first.has_entries);
    SOUK_MUST(run(&shop, "products", path, &again, NULL));
    SOUK_CHECK(again.entries == 0 && again.repeats == 2);
    path = put_file(test, SOUK_TEXT("sku,title,price\nA,Tea,1.60 EUR\nB,Cup,2 EUR\n"));
    SOUK_MUST(run(&shop, "products", path, &changed, NULL));
    SOUK_CHECK(changed.entries == 1 && changed.repeats == 1);
    SOUK_MUST(souk_spine_rebuild(shop.spine, NULL, NULL));
    SOUK_MUST(souk_spine_verify(shop.spine, NULL, NULL, NULL));
    SOUK_MUST(souk_product_read(souk_spine_ledger(shop.spine), SOUK_OPERATOR, SOUK_TEXT("A"),
                                &shop.arena, &product, NULL));
    SOUK_CHECK(product.price.micro == 1600000);
    shop_close(&shop);
}

/* The document of store A. */
static void check_store(souk_test *test, struct shop *shop, uint64_t version, const char *text)
{
    souk_auto_value(souk_buf) kept = {.mem = test->mem};
    uint64_t there;
    SOUK_MUST(souk_documents_get(souk_spine_ledger(shop->spine), SOUK_STORE_KIND, SOUK_OPERATOR,
                                 SOUK_TEXT("A"), &there, &kept));
    SOUK_CHECK_TEXT(souk_buf_view(&kept), text);
    SOUK_CHECK(there == version);
}

SOUK_TEST("stores of a file are new, then known, then changed, and keep what others said of them")
{
    struct shop shop;
    uint64_t version;
    souk_import first = {.spine = NULL}, again = first, changed = first;
    souk_document put = {.kind = SOUK_STORE_KIND,
                         .merchant = SOUK_OPERATOR,
                         .key = SOUK_TEXT("A"),
                         .text =
                             SOUK_TEXT("{\"name\":\"Alt\",\"zones\":[1, 2],\"opens\":\"09:00\"}")};
    shop_open(&shop, test);
    SOUK_MUST(souk_documents_migrate(souk_spine_ledger(shop.spine), NULL));
    SOUK_MUST(souk_documents_put(souk_spine_ledger(shop.spine), &put, 0, SHOP_NOW, &version));
    const char *path = put_file(test, SOUK_TEXT("store,name,opens,city\nA,Neu,,Ulm\nB,,,\n"));
    SOUK_MUST(run(&shop, "stores", path, &first, NULL));
    SOUK_CHECK(first.rows == 2 && first.entries == 2 && first.events == 0 && first.shoppers == 0);
    check_store(test, &shop, 2,
                "{\"name\":\"Neu\",\"zones\":[1, 2],\"opens\":\"09:00\","
                "\"address\":{\"city\":\"Ulm\"}}");
    SOUK_MUST(run(&shop, "stores", path, &again, NULL));
    SOUK_CHECK(again.entries == 0 && again.repeats == 2);
    path = put_file(test, SOUK_TEXT("store,name,opens,city\nA,Neu,10:00,Ulm\nB,B,,\n"));
    SOUK_MUST(run(&shop, "stores", path, &changed, NULL));
    SOUK_CHECK(changed.entries == 1 && changed.repeats == 1); /* B was called by its code */
    check_store(test, &shop, 3,
                "{\"name\":\"Neu\",\"zones\":[1, 2],\"opens\":\"10:00\","
                "\"address\":{\"city\":\"Ulm\"}}");
    shop_close(&shop);
}

static bool may(struct shop *shop, souk_id_kind kind, const char *value, souk_purpose purpose)
{
    souk_test *test = shop->test;
    static souk_person person;
    souk_grant grant;
    SOUK_MUST(souk_spine_find(shop->spine, kind, souk_text_of(value), &person));
    souk_index *index = souk_spine_index(shop->spine);
    souk_index_read(index);
    souk_err err = souk_consent_ask(souk_spine_consent(shop->spine), index, &person, purpose,
                                    SOUK_OPERATOR, SHOP_NOW, &grant, NULL);
    souk_index_read_done(index);
    return err == SOUK_OK;
}

SOUK_TEST(
    "consents of a file hold by their times, also of whom nobody knew; again they add nothing")
{
    struct shop shop;
    souk_import first = {.spine = NULL}, again = first;
    shop_open(&shop, test);
    const char *path = put_file(test, SOUK_TEXT("email,card,purpose,given,at,age\n"
                                                "Ann@X.com,,profile,no,2025-05-01,\n"
                                                "ann@x.com,,profile,yes,2025-01-01,\n"
                                                "bob@x.com,,profile,yes,2025-01-01,\n"
                                                ",77,advertise,yes,2025-01-01,17\n"
                                                ",78,advertise,yes,2025-01-01,adult\n"));
    SOUK_MUST(run(&shop, "consents", path, &first, NULL));
    SOUK_CHECK(first.rows == 5 && first.entries == 4 && first.shoppers == 4);
    SOUK_CHECK(!may(&shop, SOUK_ID_EMAIL, "ann@x.com", SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(may(&shop, SOUK_ID_EMAIL, "bob@x.com", SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(!may(&shop, SOUK_ID_CARD, "77", SOUK_PURPOSE_ADVERTISE));
    SOUK_CHECK(may(&shop, SOUK_ID_CARD, "78", SOUK_PURPOSE_ADVERTISE));
    uint64_t events = shop_events(&shop);
    SOUK_MUST(run(&shop, "consents", path, &again, NULL));
    SOUK_CHECK(again.entries == 0 && again.repeats == 5 && again.events == 0);
    SOUK_CHECK(shop_events(&shop) == events);
    SOUK_CHECK(!may(&shop, SOUK_ID_EMAIL, "ann@x.com", SOUK_PURPOSE_PROFILE));
    SOUK_MUST(souk_spine_verify(shop.spine, NULL, NULL, NULL));
    shop_close(&shop);
}

SOUK_TEST("an old list does not bring back whom an erasure forgot, known before the list or not")
{
    for (unsigned known = 0; known < 2; known++) {
        struct shop shop;
        static souk_person person;
        uint64_t erased;
        souk_import first = {.spine = NULL}, again = first, orders = first;
        shop_open(&shop, test);
        const char *path =
            put_file(test, SOUK_TEXT("order,date,sku,email\n1,2024-12-01,a,ann@x.com\n"));
        if (known)
            SOUK_MUST(run(&shop, "orders", path, &orders, NULL));
        path =
            put_file(test, SOUK_TEXT("email,purpose,given,at\nann@x.com,profile,yes,2025-01-01\n"));
        SOUK_MUST(run(&shop, "consents", path, &first, NULL));
        SOUK_CHECK(first.entries == 1 && first.events == 1);
        SOUK_MUST(souk_spine_find(shop.spine, SOUK_ID_EMAIL, SOUK_TEXT("ann@x.com"), &person));
        SOUK_MUST(souk_spine_erase(shop.spine, &person, &erased));
        SOUK_MUST(run(&shop, "consents", path, &again, NULL));
        SOUK_CHECK(again.entries == 0 && again.events == 0);
        SOUK_CHECK_ERR(souk_spine_find(shop.spine, SOUK_ID_EMAIL, SOUK_TEXT("ann@x.com"), &person),
                       SOUK_ENOENT);
        shop_close(&shop);
    }
}

SOUK_TEST(
    "imports of entries that run out of memory anywhere can be run again, and nothing is doubled")
{
    static const struct {
        const char *format, *text;
        uint64_t entries;
    } files[] = {
        {"products", "sku,title\nA,Tea\nB,Cup\n", 2},
        {"stores", "store,name\nA,Old Town\nB,Harbour\n", 2},
        {"consents", "email,purpose,given,at\nann@x.com,profile,yes,2025-01-01\n", 1},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct shop shop;
        uint64_t entries = 0;
        shop_open(&shop, test);
        const char *path = put_file(test, souk_text_of(files[i].text));
        SOUK_FAULT_LOOP (test) {
            souk_import import = {.spine = NULL};
            souk_err err = run(&shop, files[i].format, path, &import, NULL);
            SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
            entries += import.entries;
            SOUK_CHECK(err || import.entries + import.repeats == files[i].entries);
            test_fault_seen(test, err);
        }
        SOUK_CHECK(entries == files[i].entries);
        SOUK_MUST(souk_spine_verify(shop.spine, NULL, NULL, NULL));
        shop_close(&shop);
    }
}

/* ---- looking ---------------------------------------------------------------------------------------------------------- */

SOUK_TEST("a look tells columns, counts and the first records, and needs no shop")
{
    souk_auto_value(souk_buf) told = {.mem = test->mem};
    souk_auto_value(souk_json_doc) doc = {.mem = test->mem};
    souk_json_writer json = {.out = &told};
    souk_import import = {.spine = NULL};
    int64_t number;
    const char *path =
        put_file(test, SOUK_TEXT("order,date,sku,qty\n1,2025-01-02,a,2\n2,2025-01-02,b,x\n"));
    SOUK_MUST(souk_import_look(test->mem, &import, SOUK_TEXT("orders"), path, 5, &json, NULL));
    SOUK_MUST(souk_json_write_check(&json));
    SOUK_MUST(souk_json_read(&doc, souk_buf_view(&told), NULL, NULL));
    souk_json_node root = souk_json_root(&doc);
    SOUK_MUST(souk_json_i64(&doc, souk_json_member(&doc, root, SOUK_TEXT("rows")), &number));
    SOUK_CHECK(number == 2);
    SOUK_MUST(souk_json_i64(&doc, souk_json_member(&doc, root, SOUK_TEXT("faults")), &number));
    SOUK_CHECK(number == 1);
    souk_json_node columns = souk_json_member(&doc, root, SOUK_TEXT("columns"));
    SOUK_CHECK(souk_json_count(&doc, columns) == 4);
    SOUK_CHECK(memmem(told.at, told.bytes, "\"order_id\":\"1\"", 14));
    SOUK_CHECK(memmem(told.at, told.bytes, "'qty' is no number", 18));
}

SOUK_TEST("a look at a large file reads its beginning alone, and its words are those of the import")
{
    souk_auto_value(souk_buf) text = {.mem = test->mem}, told = {.mem = test->mem};
    souk_json_writer json = {.out = &told};
    souk_import import = {.spine = NULL};
    souk_diag diag = {.words = ""};
    many_orders(&text);
    souk_buf_print(&text, "1,2025-01-02,\"open");
    const char *path = put_file(test, souk_buf_view(&text));
    SOUK_MUST(souk_import_look(test->mem, &import, SOUK_TEXT("orders"), path, 0, &json, NULL));
    SOUK_MUST(souk_json_write_check(&json));
    SOUK_CHECK(!memmem(told.at, told.bytes, "\"rows\"", 6));
    SOUK_CHECK_ERR(souk_import_look(test->mem, &import, SOUK_TEXT("poems"), path, 0, &json, &diag),
                   SOUK_EINVAL);
    SOUK_CHECK(strstr(diag.words, "'poems' is no format; there is: orders, products"));
}
