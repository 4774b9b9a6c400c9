/* import_table_test.c - orders, products, shoppers and consents from awkward tables, record by record; random orders
 * beside a model that is written down by hand. */
#include "test/test.h"

#include "service/collect/import_rig.h"

#include <stdio.h>

/* In one piece, and in pieces of a few sizes: the same. */
static souk_err read_text(souk_test *test, const souk_import_format *format,
                          const souk_import_options *options, souk_text text, souk_buf *out,
                          souk_diag *diag)
{
    souk_err err = rig_read(test->mem, format, options, text, 0, out, diag);
    for (size_t chunk = 1; chunk < 40 && text.bytes < 5000; chunk += 13) {
        souk_auto_value(souk_buf) again = {.mem = test->mem};
        SOUK_CHECK(rig_read(test->mem, format, options, text, chunk, &again, NULL) == err);
        SOUK_CHECK(err || souk_text_equal(souk_buf_view(&again), souk_buf_view(out)));
    }
    return err;
}

static void check(souk_test *test, const souk_import_format *format,
                  const souk_import_options *options, souk_text text, const char *expected)
{
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    souk_diag diag = {.words = ""};
    souk_err err = read_text(test, format, options, text, &out, &diag);
    if (err)
        test_fail(test, __FILE__, __LINE__, "%s: %s", souk_err_name(err), diag.words);
    SOUK_CHECK_TEXT(souk_buf_view(&out), expected);
}

static void check_refused(souk_test *test, const souk_import_format *format,
                          const souk_import_options *options, souk_text text, souk_err expected,
                          const char *words)
{
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    souk_diag diag = {.words = ""};
    SOUK_CHECK_ERR(read_text(test, format, options, text, &out, &diag), expected);
    if (!strstr(diag.words, words))
        test_fail(test, __FILE__, __LINE__, "'%s' instead of '%s'", diag.words, words);
}

/* ---- orders ----------------------------------------------------------------------------------------------------- */

#define LINE_A \
    "event 2 2025-01-02T00:00:00.000Z Order Completed 9 EUR flags 5 user=7 | S1 2 7 | S2 1 2 |\n"

SOUK_TEST("the same orders in every dress are the same events")
{
    const struct {
        souk_text text;
        const char *what;
    } dresses[] = {
        {SOUK_TEXT(
             "Order ID,Date,SKU,Qty,Price,Currency,Customer ID\nA,2025-01-02,S1,2,3.50,EUR,7\n"
             "A,2025-01-02,S2,1,2,EUR,7\n"),
         "plain"},
        {SOUK_TEXT(
             "\xEF\xBB\xBFOrder ID,Date,SKU,Qty,Price,Currency,Customer ID\r\nA,2025-01-02,S1,2,"
             "3.50,EUR,7\r\nA,2025-01-02,S2,1,2,EUR,7"),
         "a mark, CRLF, no end"},
        {SOUK_TEXT(
             "Bestellnummer;Datum;Artikelnummer;Menge;Einzelpreis;Kundennummer\n"
             "A;2.1.2025;S1;2;\"3,50 \xE2\x82\xAC\";7\nA;2.1.2025;S2;1;2,00 \xE2\x82\xAC;7\n"),
         "German"},
        {SOUK_TEXT("Bestellnummer;Datum;Artikelnummer;St\xFC"
                   "ck;Einzelpreis;Kundennummer\n"
                   "A;2.1.2025;S1;2;3,50 \x80;7\nA;2.1.2025;S2;1;2,00 \x80;7\n"),
         "windows-1252"},
        {SOUK_TEXT("\xB6\xA9\xB5\xA5\xBA\xC5,\xC8\xD5\xC6\xDA,\xBB\xF5\xBA\xC5,\xCA\xFD\xC1\xBF,"
                   "\xB5\xA5\xBC\xDB,\xB1\xD2\xD6\xD6,\xBB\xE1\xD4\xB1\xBA\xC5\n"
                   "A,2025\xC4\xEA"
                   "1\xD4\xC2"
                   "2\xC8\xD5,S1,2,3.50,EUR,7\nA,2025/1/2,S2,1,2,EUR,7\n"),
         "GB18030"},
        {SOUK_TEXT(
             "Order ID\tDate\tSKU\tQty\tPrice\tCurrency\tCustomer ID\n"
             "A\t1/2/2025\tS1\t2\t3.50\tEUR\t7\nA\t1/2/2025\tS2\t1\t2\tEUR\t7\n\t\t\t\t\t\t\n"),
         "tabs, months first, an empty row"},
        {SOUK_TEXT("'Order ID'|'Date'|'SKU'|'Qty'|'Amount'|'Currency'|'Customer ID'\n"
                   "'A'|'45659'|'S1'|'2'|'7'|'EUR'|'7'\n'A'|'45659'|'S2'|'1'|'2'|'EUR'|'7'\n"),
         "apostrophes, a spreadsheet's days, amounts"},
    };
    for (size_t i = 0; i < sizeof dresses / sizeof *dresses; i++) {
        souk_auto_value(souk_buf) out = {.mem = test->mem};
        souk_diag diag = {.words = ""};
        souk_err err = read_text(test, &souk_import_orders, NULL, dresses[i].text, &out, &diag);
        if (err || strcmp(souk_buf_ended(&out), LINE_A "rows 2\n"))
            test_fail(test, __FILE__, __LINE__, "%s: %s %s", dresses[i].what, diag.words,
                      souk_buf_ended(&out));
    }
}

SOUK_TEST("UTF-16 as spreadsheets write it, either way around")
{
    static const char text[] =
        "Order ID\tDate\tSKU\tQty\tPrice\tCurrency\tCustomer ID\r\n"
        "A\t2025-01-02\tS1\t2\t3.50\tEUR\t7\r\nA\t2025-01-02\tS2\t1\t2\tEUR\t7\r\n";
    for (int big = 0; big < 2; big++) {
        char wide[2 * sizeof text + 2];
        size_t bytes = 0;
        memcpy(wide, big ? "\xFE\xFF" : "\xFF\xFE", 2);
        for (bytes = 2; bytes / 2 <= strlen(text); bytes += 2) {
            wide[bytes + (big ? 1 : 0)] = text[bytes / 2 - 1];
            wide[bytes + (big ? 0 : 1)] = 0;
        }
        check(test, &souk_import_orders, NULL, (souk_text){wide, bytes}, LINE_A "rows 2\n");
    }
}

SOUK_TEST("a row that tells its line alone is of the order above it, which is counted once, whole")
{
    static const char rows[] =
        "Order,Email,Financial Status,Currency,Total,Created at,Lineitem quantity,Lineitem price,"
        "Lineitem sku\n"
        "#1,a@b.c,paid,EUR,15,2025-01-02 10:00,1,5,T\n#1,,,,,,2,3.50,C\n#1,a@b.c,,,,,1,4,X\n"
        "#2,d@b.c,refunded,EUR,6,2025-01-02 10:00,1,5,T\n#2,,,,,,1,1,C\n"
        "#3,,,,,2025-01-03,1,1,T\n#1,,,,,,1,1,T\n#4,e@b.c,,,,2025-01-04,1,1,T\n#4,,,,,,-,1,C\n";
    check(test, &souk_import_orders, NULL, souk_text_of(rows),
          "event 3 2025-01-02T10:00:00.000Z Order Completed 15 EUR flags 5 email=a@b.c | T 1 5 | C "
          "2 7 | X 1 4 |\n"
          "event 5 2025-01-02T10:00:00.000Z Order Refunded -6 EUR flags 4 email=d@b.c | T -1 -5 | "
          "C -1 -1 |\n"
          "event 6 2025-01-03T00:00:00.000Z Order Completed 1  flags 5 | T 1 1 |\n"
          /* apart from its order it is of none */
          "fault 7 line 8: 'Created at' is no time that can be read: write it as 2026-01-31 13:45; "
          "so its order stays out whole until it is mended: {\"Order\":\"#1\",\"Lineitem "
          "quantity\":\"1\",\"Lineitem price\":\"1\",\"Lineitem sku\":\"T\"}\n"
          "fault 9 line 10: 'Lineitem quantity' is no number, or does not fit; so its order stays "
          "out whole until it is mended: {\"Order\":\"#4\",\"Lineitem quantity\":\"-\",\"Lineitem "
          "price\":\"1\",\"Lineitem sku\":\"C\"}\n"
          "rows 9, 1 stayed out\n");
}

SOUK_TEST("an order whose rows lie apart is counted once, and its store tells it from another's")
{
    check(test, &souk_import_orders, NULL,
          SOUK_TEXT(
              "order,date,time,store,product,amount,card\n"
              "1,2025-01-02,10:00,N,a,1,9\n1,2025-01-02,11:00,S,a,2,\n1,2025-01-02,10:00,N,b,4,9\n"
              "1,2025-01-02,10:00,N,c,8,9\n"),
          "event 1 2025-01-02T10:00:00.000Z Order Completed in N 1  flags 5 card=9 | a 1 1 |\n"
          "event 2 2025-01-02T11:00:00.000Z Order Completed in S 2  flags 5 | a 1 2 |\n"
          "event 4 2025-01-02T10:00:00.000Z Order Completed in N 12  flags 4 card=9 | b 1 4 | c 1 "
          "8 |\n"
          "rows 4\n");
}

SOUK_TEST("cancelled and returned orders, quantities below zero, totals and zones")
{
    souk_import_options options = {.zone = SOUK_TEXT("Asia/Shanghai"),
                                   .currency = SOUK_TEXT("CNY")};
    check(
        test, &souk_import_orders, &options,
        SOUK_TEXT(
            "order,date,sku,qty,price,status,email\n1,2025-01-02 03:00,a,2,5,Cancelled,Ann@X.com\n"
            "2,2025-01-02 03:00,a,2,5,refunded,\n3,2025-01-02 03:00,a,-1,5,paid,\n"),
        "event 1 2025-01-01T19:00:00.000Z Order Cancelled 10 CNY flags 2 email=ann@x.com | a 2 10 "
        "|\n"
        "event 2 2025-01-01T19:00:00.000Z Order Refunded -10 CNY flags 4 | a -2 -10 |\n"
        "event 3 2025-01-01T19:00:00.000Z Order Completed -5 CNY flags 5 | a -1 -5 |\n"
        "rows 3\n");
    check(test, &souk_import_orders, NULL,
          SOUK_TEXT(
              "order,date,sku,price,order total\n1,2025-01-02,a,5,11.50\n1,2025-01-02,b,5,11.50\n"
              "2,2025-01-02,a,5,5\n1,2025-01-02,c,5,11.50\n"),
          "event 2 2025-01-02T00:00:00.000Z Order Completed 11.5  flags 5 | a 1 5 | b 1 5 |\n"
          "event 3 2025-01-02T00:00:00.000Z Order Completed 5  flags 5 | a 1 5 |\n"
          "event 4 2025-01-02T00:00:00.000Z Order Completed 0  flags 4 | c 1 5 |\n"
          "rows 4\n");
}

SOUK_TEST("line breaks and quotes within cells stay, columns without a meaning are kept, formulas "
          "are text")
{
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    souk_text text =
        SOUK_TEXT("order,date,sku,name,price,Note,\n"
                  "1,2025-01-02,a,\"two\nlines, \"\"quoted\"\"\",5,=cmd|'/c calc'!A1,@x\n");
    SOUK_MUST(
        rig_read_with(test->mem, &souk_import_orders, NULL, NULL, RIG_BODIES, text, 0, &out, NULL));
    SOUK_CHECK_TEXT(
        souk_buf_view(&out),
        "event 1 2025-01-02T00:00:00.000Z Order Completed 5  flags 5 | a 1 5 | {\"type\":"
        "\"track\",\"event\":\"Order Completed\",\"properties\":{\"order_id\":\"1\","
        "\"products\":[{\"product_id\":\"a\",\"name\":\"two\\nlines, \\\"quoted\\\"\","
        "\"price\":\"5\",\"Note\":\"=cmd|'/c calc'!A1\",\"column 7\":\"@x\"}]}}\n"
        "rows 1\n");
}

SOUK_TEST("a row that cannot be taken tells why, whose it is under a name that an erasure finds")
{
    souk_import_options options = {.encoding = SOUK_TEXT("UTF-8")};
    check(test, &souk_import_orders, &options,
          SOUK_TEXT(
              "order,date,sku,qty,price,Kundennummer,Mail\n"
              "1,2025-01-02,a,six,5,7,\n,2025-01-02,a,1,5,7,\n3,soon,a,1,5,7,\n4,2999-01-01,a,1,5,"
              "7,\n"
              "5,2025-01-02,a,1,5,7,x,y\n6,2025-01-02,a\0b,1,5,7,\n7,2025-01-02,\xFF,1,5,7,a@b.c\n"
              "8,2025-01-02,a,9e12,9e12,7,\n9,2025-01-02,a\n"),
          "fault 1 line 2: 'qty' is no number, or does not fit; so its order stays out whole until "
          "it is mended: "
          "{\"order\":\"1\",\"date\":\"2025-01-02\","
          "\"sku\":\"a\",\"qty\":\"six\",\"price\":\"5\",\"userId\":\"7\"}\n"
          "fault 2 line 3: 'order' is empty or above 90 bytes; so the orders before and behind it "
          "stay out until it is mended: "
          "{\"date\":\"2025-01-02\",\"sku\":\"a\","
          "\"qty\":\"1\",\"price\":\"5\",\"userId\":\"7\"}\n"
          "fault 3 line 4: 'date' is no time that can be read: write it as 2026-01-31 13:45; so "
          "its order stays out whole until it is mended: "
          "{\"order\":"
          "\"3\",\"date\":\"soon\",\"sku\":\"a\",\"qty\":\"1\",\"price\":\"5\",\"userId\":\"7\"}\n"
          "fault 4 line 5: 'date' lies in the future; so its order stays out whole until it is "
          "mended: "
          "{\"order\":\"4\",\"date\":\"2999-01-01\",\"sku\":"
          "\"a\",\"qty\":\"1\",\"price\":\"5\",\"userId\":\"7\"}\n"
          "fault 5 line 6: 8 cells where the heading has 7: is a separator within a cell, without "
          "quotes?; so the orders before and behind it stay out until it is mended: "
          "{\"order\":\"5\",\"date\":\"2025-01-02\",\"sku\":\"a\",\"qty\":\"1\",\"price\":\"5\","
          "\"userId\":"
          "\"7\",\"email\":\"x\",\"beyond the heading\":\"y\"}\n"
          "fault 6 line 7: cell 3 has a NUL character; so the orders before and behind it stay out "
          "until it is mended: "
          "{\"order\":\"6\",\"date\":\"2025-01-02\",\"sku\":"
          "\"a\\u0000b\",\"qty\":\"1\",\"price\":\"5\",\"userId\":\"7\"}\n"
          "fault 7 line 8: cell 3 has bytes that are not UTF-8: pass --encoding where the file has "
          "another; so the orders before and behind it stay out until it is mended: "
          "{\"order\":\"7\",\"date\":\"2025-01-02\",\"sku\":\"\xEF\xBF\xBD\",\"qty\":\"1\","
          "\"price\":\"5\","
          "\"userId\":\"7\",\"email\":\"a@b.c\"}\n"
          "fault 8 line 9: 'price' times the quantity does not fit; so its order stays out whole "
          "until it is mended: "
          "{\"order\":\"8\",\"date\":\"2025-01-02\""
          ",\"sku\":\"a\",\"qty\":\"9e12\",\"price\":\"9e12\",\"userId\":\"7\"}\n"
          "event 9 2025-01-02T00:00:00.000Z Order Completed 0  flags 5 | a 1 0 |\n"
          "rows 9\n");
}

SOUK_TEST("a table that is none, or lacks what it needs, is refused with what to do")
{
    souk_auto_value(souk_buf) wide = {.mem = test->mem};
    check_refused(test, &souk_import_orders, NULL, SOUK_TEXT(""), SOUK_EINVAL, "the file is empty");
    check_refused(test, &souk_import_orders, NULL, SOUK_TEXT("a,b\n1,2\n"), SOUK_EINVAL,
                  "no column is order: pass --map 'COLUMN=order' with one of: a, b");
    check_refused(test, &souk_import_orders, NULL, SOUK_TEXT("order,at,product,price\n"),
                  SOUK_EINVAL, "there is a heading and nothing below it");
    check_refused(test, &souk_import_orders, NULL, SOUK_TEXT("order,b\n1,2\n"), SOUK_EINVAL,
                  "no column is at");
    check_refused(test, &souk_import_orders, NULL, SOUK_TEXT("order,date\n1,2025-01-02\n"),
                  SOUK_EINVAL, "no column is product or name or amount or total");
    check_refused(test, &souk_import_orders, NULL,
                  SOUK_TEXT("order,date,sku\n1,2025-01-02,\"open\n"), SOUK_ESYNTAX, "never closed");
    for (unsigned i = 0; i < 1000000; i++)
        souk_buf_print(&wide, "c%u,", i);
    check_refused(test, &souk_import_orders, NULL, souk_buf_view(&wide), SOUK_ETOOBIG,
                  "more fields than the limit");
    check_refused(test, &souk_import_products, NULL, SOUK_TEXT("sku,price\n1,2\n"), SOUK_EINVAL,
                  "the prices have no currency: pass --currency");
    check_refused(test, &souk_import_shoppers, NULL, SOUK_TEXT("name\nAnn\n"), SOUK_EINVAL,
                  "no column is user or card or phone or email or open");
    check_refused(test, &souk_import_consents, NULL,
                  SOUK_TEXT("email,purpose,date\na@b.c,profile,2025-01-02\n"), SOUK_EINVAL,
                  "no column is given or basis");
}

SOUK_TEST(
    "an order of more lines than an event takes is several events, and a row too long is a fault")
{
    souk_auto_value(souk_buf) text = {.mem = test->mem}, out = {.mem = test->mem};
    souk_buf_print(&text, "order,date,sku,price,note\n");
    for (unsigned i = 0; i < 450; i++)
        souk_buf_print(&text, "1,2025-01-02,p%u,1,n\n", i);
    souk_buf_print(&text, "2,2025-01-02,p,1,");
    for (unsigned i = 0; i < 31000; i++)
        souk_buf_byte(&text, 'x');
    souk_buf_print(&text, "\n");
    SOUK_MUST(rig_read(test->mem, &souk_import_orders, NULL, souk_buf_view(&text), 0, &out, NULL));
    SOUK_CHECK(rig_has(&out, "event 200 2025-01-02T00:00:00.000Z Order Completed 200  flags 5 |"));
    SOUK_CHECK(rig_has(&out, "event 400 2025-01-02T00:00:00.000Z Order Completed 200  flags 4 |"));
    SOUK_CHECK(rig_has(&out, "event 450 2025-01-02T00:00:00.000Z Order Completed 50  flags 4 |"));
    SOUK_CHECK(rig_has(&out, "fault 451 line 452: the row has more than 30000 bytes: shorten it"));
}

SOUK_TEST("a bad row anywhere in an order of many events keeps all of them out that wait for it")
{
    static const struct {
        unsigned lines, bad; /* rows of the order; which of them is bad, from 1 */
        unsigned events, stayed_out;
    } orders[] = {{450, 1, 0, 449},         {450, 201, 0, 449},        {450, 450, 0, 449},
                  {12800, 12800, 0, 12799}, {12801, 12801, 0, 12800},  {13100, 12900, 64, 299},
                  {13100, 13100, 64, 299},  {26000, 25601, 64, 13199}, {26000, 26001, 130, 0}};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        souk_auto_value(souk_buf) text = {.mem = test->mem}, out = {.mem = test->mem};
        char rows[60];
        unsigned events = 0;
        souk_buf_print(&text, "order,date,sku,qty\n");
        for (unsigned line = 1; line <= orders[i].lines; line++)
            souk_buf_print(&text, "1,2025-01-02,p%u,%s\n", line,
                           line == orders[i].bad ? "few" : "1");
        souk_buf_print(&text, "2,2025-01-02,p,1\n");
        SOUK_MUST(
            rig_read(test->mem, &souk_import_orders, NULL, souk_buf_view(&text), 0, &out, NULL));
        for (souk_text rest = souk_buf_view(&out); rest.bytes; souk_text_cut(&rest, '\n'))
            events += souk_text_starts(rest, SOUK_TEXT("event "));
        snprintf(rows, sizeof rows, "rows %u, %u stayed out\n", orders[i].lines + 1,
                 orders[i].stayed_out);
        if (orders[i].stayed_out == 0)
            snprintf(rows, sizeof rows, "rows %u\n", orders[i].lines + 1);
        if (events != orders[i].events + 1 || !rig_has(&out, rows))
            test_fail(test, __FILE__, __LINE__, "order %zu: %u events, no '%s'", i, events, rows);
    }
}

/* ---- products, shoppers, consents ------------------------------------------------------------------------------ */

SOUK_TEST("products: places, attributes, a code that comes twice, a barcode that a spreadsheet cut")
{
    check(test, &souk_import_products, NULL,
          SOUK_TEXT(
              "SKU;Bezeichnung;Marke;Warengruppe;EAN;Preis;Verf\xC3\xBCgbarkeit;Regal\n"
              "A;Tee;Blatt;Food;4 006381-333931;1.012,49 \xE2\x82\xAC;lieferbar;R1\nA;Tee;;;;;;\n"
              "B;;;;4,00638E+12;;;\nC;;;;;12;;\n;x;;;;;;\n"),
          "product 1 A | Tee | Blatt | Food | 4006381333931 |  |  | in_stock | 1012.49 EUR | "
          "{\"Regal\":\"R1\"}\n"
          "fault 2 line 3: 'SKU' stands in this file before: one row a product: {\"SKU\":\"A\","
          "\"Bezeichnung\":\"Tee\"}\n"
          "fault 3 line 4: the barcode '4,00638E+12' was cut by a spreadsheet: write the column as "
          "text: "
          "{\"SKU\":\"B\",\"EAN\":\"4,00638E+12\"}\n"
          "fault 4 line 5: 'Preis' has no currency: pass --currency: "
          "{\"SKU\":\"C\",\"Preis\":\"12\"}\n"
          "fault 5 line 6: the product has no code: give it one: {\"Bezeichnung\":\"x\"}\n"
          "rows 5\n");
}

SOUK_TEST("a store whose code has a control character stays out")
{
    check(test, &souk_import_stores, NULL, SOUK_TEXT("store_id,name\nS\x1B[2J,x\nS1,y\n"),
          "fault 1 line 2: 'store_id' has a control character: mend it: "
          "{\"store_id\":\"S\\u001b[2J\",\"name\":\"x\"}\n"
          "store 2 S1 {\"name\":\"y\"}\nrows 2\n");
}

SOUK_TEST("stores: hours, addresses and places as they are sent to the API, the rest as attributes")
{
    souk_import_options options = {.zone = SOUK_TEXT("Asia/Shanghai")};
    check(
        test, &souk_import_stores, NULL,
        SOUK_TEXT("store_id,name,time_zone,currency,open,close\n"
                  "ST-001,Riverside 1,Asia/Shanghai,CNY,08:00,22:00\n,x,,,,\nST-001,y,,,,\n"
                  "ST-002,,,,,\nST-003,z,Mars/../x,CNY,08:00,22:00\n"),
        "store 1 ST-001 {\"name\":\"Riverside 1\",\"time_zone\":\"Asia/Shanghai\","
        "\"currency\":\"CNY\",\"opens\":\"08:00\",\"closes\":\"22:00\"}\n"
        "fault 2 line 3: 'store_id' is empty or above 100 bytes: {\"name\":\"x\"}\n"
        "fault 3 line 4: 'store_id' stands in this file before: one row a store: "
        "{\"store_id\":\"ST-001\",\"name\":\"y\"}\n"
        "store 4 ST-002 {}\n"
        "fault 5 line 6: time_zone is no zone: send one as Asia/Shanghai: {\"store_id\":\"ST-003\","
        "\"name\":\"z\",\"time_zone\":\"Mars/../x\",\"currency\":\"CNY\",\"open\":\"08:00\","
        "\"close\":\"22:00\"}\n"
        "rows 5\n");
    check(
        test, &souk_import_stores, &options,
        SOUK_TEXT("门店编号;门店名称;城市;地址;纬度;经度;开门时间;面积\n"
                  "A;南京路;上海;南京路 1;31,23;121,47;9:30;120 m\n"
                  "B;b;;;91,5;121,47;;\nC;c;;;31,2;;;\nD;d;;;31,2;121,4;25:00;\n"),
        "store 1 A {\"name\":\"南京路\",\"time_zone\":\"Asia/Shanghai\",\"opens\":\"09:30\","
        "\"address\":{\"street\":\"南京路 1\",\"city\":\"上海\"},\"location\":{\"latitude\":31.23,"
        "\"longitude\":121.47},\"attributes\":{\"面积\":\"120 m\"}}\n"
        "fault 2 line 3: '纬度' is no latitude: write degrees, from -90 to 90: {\"门店编号\":\"B\","
        "\"门店名称\":\"b\",\"纬度\":\"91,5\",\"经度\":\"121,47\"}\n"
        "fault 3 line 4: the row has one of latitude and longitude: write both, or none: "
        "{\"门店编号\":\"C\",\"门店名称\":\"c\",\"纬度\":\"31,2\"}\n"
        "fault 4 line 5: '开门时间' is no time of day: write it as 09:30: {\"门店编号\":\"D\","
        "\"门店名称\":\"d\",\"纬度\":\"31,2\",\"经度\":\"121,4\",\"开门时间\":\"25:00\"}\n"
        "rows 4\n");
}

SOUK_TEST("shoppers: traits under the names of the protocol, birthdays as days, others as they are")
{
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    souk_import_options options = {.zone = SOUK_TEXT("Asia/Shanghai")};
    souk_text text = SOUK_TEXT("会员编号,手机号,邮箱,姓名,生日,城市,喜好\n"
                               "7,138 1234 5678,Ann@X.com,安,1990年1月2日,上海,茶\n,,,nobody,,,\n");
    SOUK_MUST(rig_read_with(test->mem, &souk_import_shoppers, &options, NULL, RIG_BODIES, text, 0,
                            &out, NULL));
    SOUK_CHECK_TEXT(souk_buf_view(&out),
                    "event 1 2026-01-01T12:00:00.000Z Identify 0  flags 0 user=7 phone=13812345678 "
                    "email=ann@x.com | "
                    "{\"type\":\"identify\",\"userId\":\"7\",\"context\":{\"externalIds\":[{"
                    "\"type\":\"phone\",\"id\":"
                    "\"13812345678\"},{\"type\":\"email\",\"id\":\"ann@x.com\"}]},\"traits\":{"
                    "\"email\":\"Ann@X.com\","
                    "\"phone\":\"138 1234 "
                    "5678\",\"name\":\"安\",\"birthday\":\"1990-01-02\",\"address\":{\"city\":"
                    "\"上海\"},\"喜好\":\"茶\"}}\n"
                    "fault 2 line 3: the row names nobody: no user, card, phone or email: "
                    "{\"姓名\":\"nobody\"}\n"
                    "rows 2\n");
}

SOUK_TEST("consents: yes and no in words, bases, times, ages, and what cannot be")
{
    check(
        test, &souk_import_consents, NULL,
        SOUK_TEXT("email,purpose,given,basis,at,until,evidence,age,guardian\n"
                  "Ann@X.com,profile,ja,,2025-01-02,2026-01-02,form 12,43,\n"
                  "a@b.c,share:nestle,no,,2025-01-02,,,minor,yes\n"
                  "a@b.c,serve,,contract,2025-01-02,,,old,\n"
                  "a@b.c,serve,no,,2025-01-02,,,,\n"
                  "a@b.c,marketing,yes,,2025-01-02,,,,\n"
                  "a@b.c,profile,perhaps,,2025-01-02,,,,\n"
                  "a@b.c,profile,yes,withdrawn,2025-01-02,,,,\n"
                  "a@b.c,profile,,,2025-01-02,,,,\n"
                  "a@b.c,profile,yes,,2025-01-02,2025-01-02,,,\n"
                  "a@b.c,profile,yes,,,,,,\n"
                  ",profile,yes,,2025-01-02,,,,\n"),
        "consent 1 email=ann@x.com profile consent from 2025-01-02T00:00:00.000Z until "
        "2026-01-02T00:00:00.000Z adult 'form 12'\n"
        "consent 2 email=a@b.c share:nestle withdrawn from 2025-01-02T00:00:00.000Z minor guardian "
        "'imported list of consents'\n"
        "consent 3 email=a@b.c serve contract from 2025-01-02T00:00:00.000Z unknown 'imported list "
        "of "
        "consents'\n"
        "fault 4 line 5: 'purpose' is serve, which cannot be withdrawn: erase the shopper instead: "
        "{\"email\":\"a@b.c\",\"purpose\":\"serve\",\"given\":\"no\",\"at\":\"2025-01-02\"}\n"
        "fault 5 line 6: 'purpose' is no purpose: write serve, profile, personalise, recognise, "
        "face_pay, "
        "mood, advertise, research or share:PARTY: {\"email\":\"a@b.c\",\"purpose\":\"marketing\","
        "\"given\":\"yes\",\"at\":\"2025-01-02\"}\n"
        "fault 6 line 7: 'given' is neither yes nor no: "
        "{\"email\":\"a@b.c\",\"purpose\":\"profile\","
        "\"given\":\"perhaps\",\"at\":\"2025-01-02\"}\n"
        "fault 7 line 8: 'basis' says withdrawn where the row says yes: "
        "{\"email\":\"a@b.c\",\"purpose\":"
        "\"profile\",\"given\":\"yes\",\"basis\":\"withdrawn\",\"at\":\"2025-01-02\"}\n"
        "fault 8 line 9: the row says neither yes nor no: "
        "{\"email\":\"a@b.c\",\"purpose\":\"profile\","
        "\"at\":\"2025-01-02\"}\n"
        "fault 9 line 10: 'until' is not after the time it was given: "
        "{\"email\":\"a@b.c\",\"purpose\":"
        "\"profile\",\"given\":\"yes\",\"at\":\"2025-01-02\",\"until\":\"2025-01-02\"}\n"
        "fault 10 line 11: 'at' is no time that can be read: write it as 2026-01-31 13:45: "
        "{\"email\":"
        "\"a@b.c\",\"purpose\":\"profile\",\"given\":\"yes\"}\n"
        "fault 11 line 12: the row names nobody: no user, card, phone or email: "
        "{\"purpose\":\"profile\","
        "\"given\":\"yes\",\"at\":\"2025-01-02\"}\n"
        "rows 11\n");
}

/* ---- beside a model -------------------------------------------------------------------------------------------- */

/* Random rows of few orders, written with random marks; what must come out is written down beside them: an event for
 * each stretch of one order. */
static void random_orders(souk_test *test, souk_buf *text, souk_buf *expected)
{
    enum { ORDERS = 5, ROWS = 60 };
    bool comma = test_random(test, 2), seen[ORDERS] = {false};
    char separator = comma ? ';' : ',';
    int open = -1;
    unsigned row, lines = 0;
    int64_t cents = 0, quantities[ROWS], amounts[ROWS];
    souk_buf_print(text, "order%cdate%csku%cqty%cprice\n", separator, separator, separator,
                   separator);
    for (row = 0; row <= ROWS; row++) {
        int order =
            row < ROWS ? (int)test_random(test, 2) ? open : (int)test_random(test, ORDERS) : -2;
        order = order == -1 ? 0 : order;
        if (order != open && open >= 0) {
            souk_buf_print(expected, "event %u 2025-01-0%dT00:00:00.000Z Order Completed", row,
                           open + 1);
            rig_decimal(expected, (souk_decimal){cents * 10000});
            souk_buf_print(expected, "  flags %d |", seen[open] ? 4 : 5);
            for (unsigned i = 0; i < lines; i++) {
                souk_buf_print(expected, " P%u", row - lines + i);
                rig_decimal(expected, (souk_decimal){quantities[i] * 1000000});
                rig_decimal(expected, (souk_decimal){amounts[i] * 10000});
                souk_buf_print(expected, " |");
            }
            souk_buf_byte(expected, '\n');
            seen[open] = true;
            lines = 0;
            cents = 0;
        }
        if (row == ROWS)
            break;
        open = order;
        int64_t price = (int64_t)test_random(test, 100000),
                quantity = 1 + (int64_t)test_random(test, 5);
        quantities[lines] = quantity;
        amounts[lines++] = price * quantity;
        cents += price * quantity;
        souk_buf_print(text, "O%d%c2025-01-0%d%cP%u%c%d%c%d%c%02d\n", order, separator, order + 1,
                       separator, row, separator, (int)quantity, separator, (int)(price / 100),
                       comma ? ',' : '.', (int)(price % 100));
    }
    souk_buf_print(expected, "rows %u\n", (unsigned)ROWS);
}

SOUK_TEST("random tables give what was written down beside them, and a cent more would be noticed")
{
    for (unsigned round = 0; round < 30; round++) {
        souk_auto_value(souk_buf) text = {.mem = test->mem}, expected = {.mem = test->mem},
                                  out = {.mem = test->mem};
        random_orders(test, &text, &expected);
        SOUK_MUST(rig_read(test->mem, &souk_import_orders, NULL, souk_buf_view(&text),
                           test_random(test, 300), &out, NULL));
        if (!souk_text_equal(souk_buf_view(&out), souk_buf_view(&expected)))
            test_fail(test, __FILE__, __LINE__, "%s instead of\n%s", souk_buf_ended(&out),
                      souk_buf_ended(&expected));
        char *cent = strstr(out.at, "Completed ") + 10;
        *cent ^= 1;
        SOUK_CHECK(!souk_text_equal(souk_buf_view(&out), souk_buf_view(&expected)));
    }
}

SOUK_TEST("readers of tables survive the lack of memory")
{
    static const struct {
        const souk_import_format *format;
        const char *text;
    } tables[] = {
        {&souk_import_orders,
         "order;date;sku;qty;price\n1;31.1.2025;a;1;2,50\n1;31.1.2025;b;x;2\n2;31.1.2025;a;1;1\n"
         "2;30.1.2025;a;1;1\n"},
        {&souk_import_products, "sku,price,shelf\nA,2.50 EUR,R1\nA,2,\n"},
        {&souk_import_shoppers, "email,name\na@b.c,Ann\n,x\n"},
        {&souk_import_consents, "email,purpose,given,at\na@b.c,profile,yes,2025-01-02\nx,y,z,\n"},
        {&souk_import_stores, "store,name,lat,lon,floor\nA,b,1,2,3\nA,b,1,,\n"},
        {&souk_import_merchant_feed, "id\ttitle\tprice\nA\tTea\t2.50 EUR\nB\tTea\t2\n"},
        {&souk_import_merchant_feed, "<rss><channel><item><id>A</id></item></channel></rss>"},
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        SOUK_FAULT_LOOP (test) {
            souk_auto_value(souk_buf) out = {.mem = souk_mem_heap()};
            souk_err err = rig_read(test->mem, tables[i].format, NULL, souk_text_of(tables[i].text),
                                    9, &out, NULL);
            SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
            test_fault_seen(test, err);
        }
}
