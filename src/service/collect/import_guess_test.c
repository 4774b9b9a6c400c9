/* import_guess_test.c - headings of four languages, cells without headings, doubt that is told, and what is refused. */
#include "test/test.h"

#include "service/collect/import_guess.h"

#include <stdio.h>

/* "order=0 at=1 …" of what has a column, in the order of meanings. */
static void print_guess(const import_guess *guess, souk_buf *out)
{
    for (size_t i = 0; i < guess->kind->count; i++)
        if (guess->column_of[i] >= 0)
            souk_buf_print(out, "%s%s=%d", out->bytes ? " " : "", guess->kind->meanings[i].name,
                           guess->column_of[i]);
}

static souk_err guess_text(souk_test *test, const import_kind *kind,
                           const souk_import_options *options, const char *text,
                           import_guess **ret_guess, souk_diag *diag)
{
    static const souk_import_options none;
    return import_guess_new(test->mem, kind, options ? options : &none, souk_text_of(text), true,
                            ret_guess, diag);
}

static void check_guess(souk_test *test, const import_kind *kind, const char *text,
                        const char *expected)
{
    souk_auto(import_guess) guess = NULL;
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    souk_diag diag = {.words = ""};
    souk_err err = guess_text(test, kind, NULL, text, &guess, &diag);
    if (err)
        test_fail(test, __FILE__, __LINE__, "%s: %s", text, diag.words);
    print_guess(guess, &out);
    SOUK_CHECK_TEXT(souk_buf_view(&out), expected);
}

SOUK_TEST("columns of orders are known in English, Chinese, German and French")
{
    check_guess(test, &import_orders_kind,
                "Order ID,Order Date,SKU,Product Name,Qty,Unit Price,Currency,Customer ID,Email\n"
                "1,2026-01-02,S,Tea,1,2.50,EUR,7,a@b.c\n",
                "order=0 at=1 product=2 name=3 quantity=4 price=5 currency=6 user=7 email=8");
    check_guess(test, &import_orders_kind,
                "订单号,下单时间,商品编码,商品名称,数量,单价,会员卡号,手机号,门店\n"
                "1,2026-01-02,S,茶,1,2.50,7,13812345678,SH-1\n",
                "order=0 at=1 product=2 name=3 quantity=4 price=5 store=8 card=6 phone=7");
    check_guess(test, &import_orders_kind,
                "Bestell-Nr.;Bestelldatum;Artikelnummer;Artikelbezeichnung;Menge;Einzelpreis (EUR);"
                "Kundennummer;E-Mail-Adresse;Filiale\n1;2.1.2026;S;Tee;1;2,50;7;a@b.c;12\n",
                "order=0 at=1 product=2 name=3 quantity=4 price=5 store=8 user=6 email=7");
    check_guess(test, &import_orders_kind,
                "N\xC2\xB0 de commande;Date de commande;R\xC3\xA9"
                "f\xC3\xA9rence;D\xC3\x89SIGNATION;"
                "Quantit\xC3\xA9;Prix unitaire;Magasin;T\xC3\xA9l\xC3\xA9phone\n"
                "1;02/01/2026;S;Th\xC3\xA9;1;2,50;12;0612345678\n",
                "order=0 at=1 product=2 name=3 quantity=4 price=5 store=6 phone=7");
    check_guess(test, &import_orders_kind,
                "household_id,store_id,basket_id,product_id,quantity,sales_value,week,"
                "transaction_timestamp\n1,2,3,4,5,6.5,7,2017-01-28T19:06:53Z\n",
                "order=2 at=7 product=3 quantity=4 amount=5 store=1 user=0");
}

SOUK_TEST("columns of products, shoppers and consents are known, too")
{
    check_guess(test, &import_products_kind,
                "Artikelnummer;Bezeichnung;Marke;Warengruppe;EAN;Preis;Bild\n"
                "1;Tee;Blatt;Food;4006381333931;2,50;https://x\n",
                "product=0 title=1 brand=2 category=3 gtin=4 price=5 image=6");
    check_guess(test, &import_shoppers_kind,
                "会员编号,手机号,邮箱,姓名,性别,生日,地址,城市\n1,13812345678,a@b.c,王,女,1990-01-"
                "02,路,上海\n",
                "user=0 phone=1 email=2 name=3 birthday=5 gender=4 street=6 city=7");
    check_guess(test, &import_consents_kind,
                "email,purpose,opt-in,date,source,valid until\na@b.c,profile,yes,2026-01-02,web,\n",
                "email=0 purpose=1 given=2 at=3 until=5 evidence=4");
}

SOUK_TEST("a cell tells where the heading does not, and one that cannot be is not believed")
{
    check_guess(
        test, &import_orders_kind,
        "order,what,who,when,phone\n1,tea,a@b.c,2026-01-02,nobody\n2,tea,b@b.c,2026-01-03,none\n",
        "order=0 at=3 email=2");
}

SOUK_TEST("two headings that say the same are told apart by the user, or one is ignored")
{
    static const char text[] = "Order ID,Order Number,Date,SKU\n1,A,2026-01-02,S\n";
    souk_auto(import_guess) guess = NULL;
    souk_diag diag = {.words = ""};
    SOUK_CHECK_ERR(guess_text(test, &import_orders_kind, NULL, text, &guess, &diag), SOUK_EINVAL);
    SOUK_CHECK(strstr(diag.words, "columns 'Order ID' and 'Order Number' could both be order: pass "
                                  "--map 'Order ID=order'"));
    souk_import_options options = {.map = SOUK_TEXT("order number = order, #4=name")};
    SOUK_MUST(guess_text(test, &import_orders_kind, &options, text, &guess, NULL));
    SOUK_CHECK(guess->column_of[IMPORT_ORDER] == 1 && guess->column_of[IMPORT_NAME] == 3);
    SOUK_CHECK(guess->columns[0].meaning < 0 && guess->columns[1].confidence == 100);
    import_guess_free(souk_take(&guess));
    options.map = SOUK_TEXT("Order Number=");
    SOUK_MUST(guess_text(test, &import_orders_kind, &options, text, &guess, NULL));
    SOUK_CHECK(guess->column_of[IMPORT_ORDER] == 0 && guess->columns[1].is_ignored);
}

SOUK_TEST("what is missing is named, with what to pass")
{
    souk_auto(import_guess) guess = NULL;
    souk_diag diag = {.words = ""};
    SOUK_MUST(
        guess_text(test, &import_orders_kind, NULL, "Ref X,Date\n1,2026-01-02\n", &guess, NULL));
    SOUK_CHECK_ERR(import_guess_need(guess, IMPORT_ORDER, &diag), SOUK_EINVAL);
    SOUK_CHECK(
        strstr(diag.words, "no column is order: pass --map 'COLUMN=order' with one of: Ref X"));
    diag = (souk_diag){.words = ""};
    static const int any[] = {IMPORT_PRODUCT_CODE, IMPORT_AMOUNT};
    SOUK_CHECK_ERR(import_guess_need_one(guess, any, 2, &diag), SOUK_EINVAL);
    SOUK_CHECK(strstr(diag.words, "no column is product or amount"));
    SOUK_MUST(import_guess_need(guess, IMPORT_AT, NULL));
}

SOUK_TEST("options that name nothing there are refused with words")
{
    const struct {
        souk_import_options options;
        const char *words;
    } bad[] = {
        {{.map = SOUK_TEXT("Ordr=order")}, "there is no column 'Ordr'"},
        {{.map = SOUK_TEXT("Order=ordre")}, "orders have no meaning 'ordre'; there is: order, at"},
        {{.map = SOUK_TEXT("Order")}, "--map takes 'Column=meaning', not 'Order'"},
        {{.map = SOUK_TEXT("Order=order,Date=order")}, "says twice"},
        {{.map = SOUK_TEXT("#3=order")}, "there is no column '#3'"},
        {{.encoding = SOUK_TEXT("klingon")}, "'klingon' is no encoding"},
        {{.separator = SOUK_TEXT("::")}, "the separator is one of"},
        {{.quote = SOUK_TEXT("x")}, "the quote is"},
        {{.decimal = SOUK_TEXT("dot")}, "the decimal mark is point or comma"},
        {{.dates = SOUK_TEXT("dym")}, "the order of dates is dmy, mdy or ymd"},
        {{.zone = SOUK_TEXT("Mars/Base")}, "'Mars/Base' is no zone"},
        {{.zone = SOUK_TEXT("../../etc/passwd")}, "is no zone"},
        {{.currency = SOUK_TEXT("QQQ")}, "'QQQ' is no code of ISO 4217"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        souk_auto(import_guess) guess = NULL;
        souk_diag diag = {.words = ""};
        SOUK_CHECK_ERR(guess_text(test, &import_orders_kind, &bad[i].options,
                                  "Order,Date\n1,2026-01-02\n", &guess, &diag),
                       SOUK_EINVAL);
        if (!strstr(diag.words, bad[i].words))
            test_fail(test, __FILE__, __LINE__, "'%s' instead of '%s'", diag.words, bad[i].words);
    }
}

SOUK_TEST("how a table is written is found: separators, quotes, marks, and doubt is told")
{
    static const struct {
        const char *text;
        char separator, quote, decimal;
        bool no_quotes, order_is_open, decimal_is_open;
        import_order_of_date order;
    } tables[] = {
        {"order,date,price\n1,2026-01-02,2.50\n", ',', '"', '.', 0, 0, 0, IMPORT_YMD},
        {"order;date;price\n1;31.1.2026;2,50\n", ';', '"', ',', 0, 0, 0, IMPORT_DMY},
        {"order\tdate\tprice\n1\t1/31/2026\t2.50\n", '\t', '"', '.', 0, 0, 0, IMPORT_MDY},
        {"order|date|price\n1|1/2/2026|2.50\n", '|', '"', '.', 0, 1, 0, IMPORT_MDY},
        {"order;date;price\n1;1/2/2026;2,50\n", ';', '"', ',', 0, 1, 0, IMPORT_DMY},
        {"order;date;price\n1;1.2.2026;1,500\n", ';', '"', ',', 0, 0, 1, IMPORT_DMY},
        {"order,date,price\n1,2026-01-02,\"1,500\"\n", ',', '"', '.', 0, 0, 1, IMPORT_YMD},
        {"'order','date','price'\n'1','2026-01-02','2.50'\n", ',', '\'', '.', 0, 0, 0, IMPORT_YMD},
        {"order\tdate\tname\n1\t2026-01-02\t5\" pipe\n2\t2026-01-02\tx\n", '\t', '"', '.', 1, 0, 0,
         IMPORT_YMD},
        {"order,date,name\n1,2026-01-02,\"a;b;c\nd;e;f\"\n", ',', '"', '.', 0, 0, 0, IMPORT_YMD},
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        souk_auto(import_guess) guess = NULL;
        SOUK_MUST(guess_text(test, &import_orders_kind, NULL, tables[i].text, &guess, NULL));
        bool same = guess->separator == tables[i].separator && guess->quote == tables[i].quote &&
                    guess->no_quotes == tables[i].no_quotes &&
                    guess->habits.decimal == tables[i].decimal &&
                    guess->habits.order == tables[i].order &&
                    guess->order_is_open == tables[i].order_is_open &&
                    guess->decimal_is_open == tables[i].decimal_is_open;
        if (!same)
            test_fail(test, __FILE__, __LINE__, "table %zu: %c %c %c %d %d %d %d", i,
                      guess->separator, guess->quote, guess->habits.decimal, guess->no_quotes,
                      guess->habits.order, guess->order_is_open, guess->decimal_is_open);
    }
}

SOUK_TEST("a guess is told as JSON, with a sample of each column")
{
    souk_auto(import_guess) guess = NULL;
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    souk_json_writer json = {.out = &out};
    souk_import_options options = {.zone = SOUK_TEXT("Asia/Shanghai"),
                                   .currency = SOUK_TEXT("cny")};
    SOUK_MUST(
        guess_text(test, &import_orders_kind, &options, "Order,note\n,\nA-1,hi\n", &guess, NULL));
    souk_json_write_object(&json);
    import_guess_tell(guess, &json);
    souk_json_write_end(&json);
    SOUK_MUST(souk_json_write_check(&json));
    SOUK_CHECK_TEXT(souk_buf_view(&out),
                    "{\"encoding\":\"UTF-8\",\"separator\":\",\",\"quote\":\"\\\"\",\"decimal\":"
                    "\"point\",\"dates\":"
                    "\"ymd\",\"zone\":\"Asia/"
                    "Shanghai\",\"currency\":\"CNY\",\"notes\":[],\"columns\":[{\"column\":"
                    "\"Order\",\"meaning\":\"order\",\"confidence\":95,\"sample\":\"A-1\",\"why\":"
                    "\"the heading says "
                    "so\"},{\"column\":\"note\",\"meaning\":null,\"confidence\":0,\"sample\":"
                    "\"hi\",\"why\":\"kept as "
                    "it is\"}]}");
}

SOUK_TEST("money of orders whose currency nobody tells is noted, and no other")
{
    static const struct {
        const char *table, *currency;
        bool is_noted;
    } cases[] = {
        {"order,date,sku,price\n1,2025-01-02,a,2.50\n", "", true},
        {"order,date,sku,total\n1,2025-01-02,a,2.50\n", "", true},
        {"order,date,sku,price\n1,2025-01-02,a,2.50\n", "EUR", false},
        {"order,date,sku,price\n1,2025-01-02,a,\"2,50 \xE2\x82\xAC\"\n", "", false},
        {"order,date,sku,price,currency\n1,2025-01-02,a,2.50,EUR\n", "", false},
        {"order,date,sku\n1,2025-01-02,a\n", "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        souk_auto(import_guess) guess = NULL;
        souk_auto_value(souk_buf) out = {.mem = test->mem};
        souk_json_writer json = {.out = &out};
        souk_import_options options = {.currency = souk_text_of(cases[i].currency)};
        SOUK_MUST(guess_text(test, &import_orders_kind, &options, cases[i].table, &guess, NULL));
        souk_json_write_object(&json);
        import_guess_tell(guess, &json);
        souk_json_write_end(&json);
        SOUK_MUST(souk_json_write_check(&json));
        SOUK_CHECK((strstr(souk_buf_ended(&out), "pass --currency") != NULL) == cases[i].is_noted);
    }
}

SOUK_TEST("a guess survives the lack of memory")
{
    SOUK_FAULT_LOOP (test) {
        souk_auto(import_guess) guess = NULL;
        souk_import_options options = {.zone = SOUK_TEXT("Europe/Berlin")};
        souk_err err = guess_text(test, &import_orders_kind, &options,
                                  "order;date;price\n1;31.1.2026;2,50\n", &guess, NULL);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        SOUK_CHECK(err || guess->separator == ';');
        test_fault_seen(test, err);
    }
}
