/* basket_test.c - what a till sends, what it costs, and what is refused with which words. */
#include "service/checkout/basket.h"

#include "core/document.h"
#include "core/product.h"
#include "test/test.h"

#include "store/ledger_shop.h"

static const souk_time noon = 1767268800000; /* Thursday, 1 January 2026, 12:00 UTC */
static const souk_hash_key test_key = {"sixteen bytes .."};

struct checkout {
    souk_test *test;
    souk_disk *disk;
    souk_ledger *ledger;
    souk_basket_rooms rooms;
    souk_basket_desk *desk;
    souk_arena arena;
    souk_diag diag;
    souk_time at;
    souk_till_basket basket;
    souk_buf answer;
};

static void put_document(struct checkout *checkout, const char *kind, const char *key,
                         const char *text)
{
    souk_test *test = checkout->test;
    uint64_t version;
    souk_document document = {souk_text_of(kind), 1, souk_text_of(key), souk_text_of(text), 0};
    if (strcmp(kind, "store")) {
        souk_diag diag = {0};
        if (souk_front_check(checkout->rooms.fronts, 1, document.kind, document.key, document.text,
                             &diag))
            test_fail(test, __FILE__, __LINE__, "%s", diag.words);
    }
    SOUK_MUST(souk_documents_put(checkout->ledger, &document, SOUK_DOCUMENT_ANY, 1, &version));
}

static souk_err put_product(souk_tx *tx, void *context)
{
    bool changed;
    return souk_product_put(tx, 1, 1, context, &changed);
}

static void add_product(struct checkout *checkout, const char *code, const char *gtin,
                        int64_t micro, const char *attributes)
{
    souk_test *test = checkout->test;
    souk_product product = {.code = souk_text_of(code),
                            .title = souk_text_of(code),
                            .category = SOUK_TEXT("Food"),
                            .gtin = souk_text_of(gtin),
                            .attributes = souk_text_of(attributes),
                            .price = {micro},
                            .currency = "EUR"};
    SOUK_MUST(souk_ledger_write(checkout->ledger, SOUK_LANE_JOB, put_product, &product));
}

static void refresh(struct checkout *checkout)
{
    souk_test *test = checkout->test;
    SOUK_MUST(souk_shelf_refresh(checkout->rooms.shelf, 1));
    SOUK_MUST(souk_fronts_refresh(checkout->rooms.fronts));
}

static void open_checkout(struct checkout *checkout, souk_test *test)
{
    souk_ledger_options options = {.no_thread = true, .readers = 1};
    *checkout = (struct checkout){.test = test, .arena = {.mem = test->mem}, .at = noon};
    checkout->answer.mem = test->mem;
    SOUK_MUST(souk_disk_open_sim(test->mem, 5, &checkout->disk));
    SOUK_MUST(souk_ledger_open_sqlite(test->mem, checkout->disk, "ledger", &options,
                                      &checkout->ledger, NULL));
    SOUK_MUST(souk_documents_migrate(checkout->ledger, NULL));
    SOUK_MUST(souk_names_new(test->mem, &test_key, &checkout->rooms.names));
    SOUK_MUST(souk_shelf_open(test->mem, checkout->ledger, checkout->rooms.names,
                              &checkout->rooms.shelf, NULL));
    SOUK_MUST(souk_fronts_new(test->mem, checkout->ledger, checkout->rooms.names,
                              &checkout->rooms.fronts));
    SOUK_MUST(souk_basket_desk_new(test->mem, &checkout->desk));
    add_product(checkout, "TEA", "4006381333931", 2500000, "");
    add_product(checkout, "SALT", "", 990000, "{\"tax_class\":\"reduced\"}");
    add_product(checkout, "00042", "", 7990000, "{\"unit\":\"kg\",\"tax_class\":\"reduced\"}");
    add_product(checkout, "GIFT", "", 10000000, "{\"no_offers\":true,\"tax_class\":\"free\"}");
    put_document(checkout, "store", "BER",
                 "{\"name\":\"Berlin\",\"time_zone\":\"Europe/Berlin\",\"currency\":\"EUR\"}");
    put_document(checkout, "tax", "all",
                 "{\"prices\":\"with_tax\",\"rounding\":\"half_up\",\"rates\":["
                 "{\"name\":\"USt 19 %\",\"percent\":19},{\"name\":\"USt 7 %\",\"percent\":7}],"
                 "\"classes\":{\"standard\":[\"USt 19 %\"],\"reduced\":[\"USt 7 %\"],\"free\":[]},"
                 "\"usual\":\"standard\"}");
    put_document(checkout, "measure", "all",
                 "{\"templates\":[\"21IIIIIVVVVVC weight g\","
                 "\"22IIIIIVVVVVC price 0.01\"]}");
    put_document(checkout, "offer", "7",
                 "{\"name\":\"3 for 2 tea\",\"offer\":{\"id\":7,\"kind\":\"n_for_m\","
                 "\"on\":{\"products\":[\"TEA\"]},\"take\":3,\"pay\":2}}");
    put_document(
        checkout, "offer", "9",
        "{\"name\":\"Thursday\",\"currency\":\"EUR\",\"offer\":{\"id\":9,"
        "\"kind\":\"basket_percent\",\"percent\":10,\"at_least\":{\"amount\":50},"
        "\"when\":{\"weekdays\":[\"thu\"],\"hours\":\"13:00-14:00\",\"stores\":[\"BER\"]}}}");
    refresh(checkout);
}

static void clear_basket(struct checkout *checkout)
{
    souk_basket_done(&checkout->basket);
    souk_buf_clear(&checkout->answer);
    souk_arena_clear(&checkout->arena);
    checkout->diag = (souk_diag){0};
}

static void close_checkout(struct checkout *checkout)
{
    clear_basket(checkout);
    souk_buf_done(&checkout->answer);
    souk_arena_done(&checkout->arena);
    souk_basket_desk_free(checkout->desk);
    souk_fronts_free(checkout->rooms.fronts);
    souk_shelf_free(checkout->rooms.shelf);
    souk_names_free(checkout->rooms.names);
    souk_ledger_free(checkout->ledger);
    souk_disk_free(checkout->disk);
}

static souk_err price(struct checkout *checkout, const char *json)
{
    souk_test *test = checkout->test;
    souk_auto_value(souk_json_doc) doc = {.mem = test->mem};
    clear_basket(checkout);
    SOUK_MUST(souk_json_read(&doc, souk_text_of(json), NULL, NULL));
    souk_err err = souk_basket_read(&checkout->rooms, 1, checkout->at, &doc, souk_json_root(&doc),
                                    &checkout->arena, &checkout->basket, &checkout->diag);
    if (!err)
        err = souk_basket_price(&checkout->rooms, checkout->desk, &checkout->basket,
                                &checkout->arena, &checkout->diag);
    if (err)
        return err;
    souk_json_writer out = {.out = &checkout->answer};
    souk_json_write_object(&out);
    souk_basket_write(&out, &checkout->basket);
    souk_json_write_end(&out);
    return souk_json_write_check(&out);
}

static bool says(const struct checkout *checkout, const char *part)
{
    souk_text answer = souk_buf_view(&checkout->answer);
    return answer.at && memmem(answer.at, answer.bytes, part, strlen(part)) != NULL;
}

SOUK_TEST("a basket of scans, weights and codes is priced, explained and taxed")
{
    struct checkout checkout;
    open_checkout(&checkout, test);
    SOUK_MUST(price(&checkout, "{\"store\":\"BER\",\"lines\":[{\"scan\":\"4006381333931\"},"
                               "{\"product\":\"TEA\",\"quantity\":2},"
                               "{\"scan\":\"2100042003453\"},{\"product\":\"SALT\"}]}"));
    /* 3 teas for 2: 5.00; 0.345 kg at 7.99: 2.76; salt 0.99 */
    SOUK_CHECK(checkout.basket.total_minor == 500 + 276 + 99);
    SOUK_CHECK(says(&checkout, "\"offers\":[{\"offer\":7,\"name\":\"3 for 2 tea\",\"times\":1,"
                               "\"amount\":\"-2.50\"}]"));
    SOUK_CHECK(says(&checkout, "\"quantity\":\"0.345\",\"unit\":\"kg\",\"unit_price\":\"7.99\""));
    SOUK_CHECK(says(&checkout, "\"base\":\"11.25\",\"discount\":\"-2.50\""));
    /* 5.00 / 1.19 = 4.2017; 3.75 / 1.07 = 3.5047 */
    SOUK_CHECK(says(&checkout, "{\"name\":\"USt 19 %\",\"percent\":\"19\",\"net\":\"4.20\","
                               "\"tax\":\"0.80\"}"));
    SOUK_CHECK(says(&checkout, "{\"name\":\"USt 7 %\",\"percent\":\"7\",\"net\":\"3.50\","
                               "\"tax\":\"0.25\"}"));
    SOUK_CHECK(says(&checkout, "\"total\":\"8.75\",\"hints\":[]"));
    close_checkout(&checkout);
}

SOUK_TEST(
    "a label with a price is that price, a carton is its pieces, a person's price has a reason")
{
    struct checkout checkout;
    open_checkout(&checkout, test);
    SOUK_MUST(price(&checkout, "{\"store\":\"BER\",\"lines\":[{\"scan\":\"2200042012346\"}]}"));
    SOUK_CHECK(checkout.basket.total_minor == 1234);
    SOUK_CHECK(says(&checkout, "\"price_list\":\"scale\""));
    SOUK_MUST(price(&checkout,
                    "{\"store\":\"BER\",\"lines\":[{\"product\":\"TEA\",\"price\":\"1.00\","
                    "\"reason\":\"dented\",\"quantity\":2}]}"));
    SOUK_CHECK(checkout.basket.total_minor == 200);
    SOUK_CHECK(says(&checkout, "\"price_reason\":\"dented\""));
    SOUK_CHECK_ERR(price(&checkout, "{\"store\":\"BER\",\"lines\":[{\"product\":\"TEA\","
                                    "\"price\":1}]}"),
                   SOUK_EINVAL);
    SOUK_CHECK(strstr(checkout.diag.words, "reason"));
    close_checkout(&checkout);
}

SOUK_TEST("an offer holds in its store, on its weekday, at its hour of the store's clock")
{
    struct checkout checkout;
    open_checkout(&checkout, test);
    static const char basket[] =
        "{\"store\":\"BER\",\"lines\":[{\"product\":\"SALT\",\"quantity\":100}]}";
    SOUK_MUST(price(&checkout, basket)); /* 13:00 in Berlin */
    SOUK_CHECK(checkout.basket.total_minor == 9900 - 990);
    checkout.at = noon - 60000; /* 12:59 */
    SOUK_MUST(price(&checkout, basket));
    SOUK_CHECK(checkout.basket.total_minor == 9900);
    checkout.at = noon + INT64_C(86400000); /* Friday */
    SOUK_MUST(price(&checkout, basket));
    SOUK_CHECK(checkout.basket.total_minor == 9900);
    checkout.at = noon;
    SOUK_MUST(price(&checkout, "{\"store\":\"ROM\",\"lines\":[{\"product\":\"SALT\","
                               "\"quantity\":100}]}"));
    SOUK_CHECK(checkout.basket.total_minor == 9900);
    SOUK_MUST(price(&checkout, "{\"store\":\"BER\",\"lines\":[{\"product\":\"GIFT\","
                               "\"quantity\":10}]}"));
    SOUK_CHECK(checkout.basket.total_minor == 10000); /* no offers on gift cards */
    close_checkout(&checkout);
}

SOUK_TEST("what changes in documents holds from the next refresh, and a held basket keeps its own")
{
    struct checkout checkout;
    open_checkout(&checkout, test);
    const souk_front *held = souk_front_hold(checkout.rooms.fronts, 1);
    put_document(&checkout, "offer", "7",
                 "{\"name\":\"half\",\"offer\":{\"id\":7,\"kind\":\"percent_off\",\"percent\":50,"
                 "\"on\":{\"products\":[\"TEA\"]}}}");
    refresh(&checkout);
    SOUK_MUST(price(&checkout, "{\"store\":\"BER\",\"lines\":[{\"product\":\"TEA\"}]}"));
    SOUK_CHECK(checkout.basket.total_minor == 125);
    SOUK_CHECK(!strcmp(souk_front_offer_name(held, 7), "3 for 2 tea"));
    SOUK_CHECK(!strcmp(souk_front_offer_name(held, 8), ""));
    souk_front_drop(held);
    close_checkout(&checkout);
}

SOUK_TEST("baskets that cannot be are refused with the place and what to do")
{
    static const struct {
        const char *json, *words;
    } cases[] = {
        {"{\"lines\":[{\"product\":\"TEA\"}]}", "store is missing"},
        {"{\"store\":\"BER\"}", "lines is missing"},
        {"{\"store\":\"BER\",\"lines\":[]}", "lines is missing, or has none"},
        {"{\"store\":\"BER\",\"lines\":[{}]}", "lines[0]: give either scan or product"},
        {"{\"store\":\"BER\",\"lines\":[{\"product\":\"TEA\",\"scan\":\"TEA\"}]}", "either"},
        {"{\"store\":\"BER\",\"lines\":[{\"product\":\"COFFEE\"}]}",
         "lines[0]: there is no product 'COFFEE'"},
        {"{\"store\":\"BER\",\"lines\":[{\"product\":\"TEA\"},{\"scan\":\"4006381333932\"}]}",
         "lines[1]: scan: "},
        {"{\"store\":\"BER\",\"lines\":[{\"scan\":\"96385074\"}]}", "no product has the code"},
        {"{\"store\":\"BER\",\"lines\":[{\"product\":\"TEA\",\"quantity\":-1}]}",
         "lines[0].quantity: a number from 0.000001"},
        {"{\"store\":\"BER\",\"lines\":[{\"product\":\"TEA\",\"quantity\":1e30}]}",
         "lines[0].quantity"},
        {"{\"store\":\"BER\",\"lines\":[{\"product\":\"TEA\",\"quantity\":1.5}]}",
         "sold by the piece"},
        {"{\"store\":\"BER\",\"lines\":[{\"product\":\"TEA\",\"qty\":1}]}",
         "lines[0].qty: there is no such member"},
        {"{\"store\":\"BER\",\"currency\":\"USD\",\"lines\":[{\"product\":\"TEA\"}]}",
         "priced in EUR, and the basket is in USD"},
        {"{\"store\":\"4111 1111 1111 1111\",\"lines\":[{\"product\":\"TEA\"}]}",
         "store: a payment card's number is in it"},
        {"{\"store\":\"BER\",\"lines\":[{\"product\":\"TEA\",\"price\":1,\"reason\":\"card "
         "4111111111111111\"}]}",
         "lines[0].reason: a payment card's number"},
        {"{\"store\":\"BER\",\"lines\":[{\"scan\":\"4111111111111111\"}]}", "card"},
        {"{\"store\":\"BER\",\"lines\":[{\"scan\":\"2100042003453\",\"quantity\":2}]}",
         "the label says how much it is"},
    };
    struct checkout checkout;
    open_checkout(&checkout, test);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SOUK_CHECK(price(&checkout, cases[i].json) != SOUK_OK);
        if (!strstr(checkout.diag.words, cases[i].words))
            test_fail(test, __FILE__, __LINE__, "%s: %s", cases[i].json, checkout.diag.words);
    }
    close_checkout(&checkout);
}

SOUK_TEST("documents that do not fit are refused with the member and the reason")
{
    static const struct {
        const char *kind, *key, *json, *words;
    } cases[] = {
        {"offer", "7", "{\"offer\":{}}", "give a name"},
        {"offer", "8",
         "{\"name\":\"x\",\"offer\":{\"id\":7,\"kind\":\"percent_off\",\"percent\":5}}",
         "offer.id: it is 7 here and 8 in the path"},
        {"offer", "7", "{\"name\":\"x\",\"offer\":{\"id\":7,\"kind\":\"amount_off\",\"amount\":5}}",
         "currency is missing"},
        {"offer", "7",
         "{\"name\":\"x\",\"offer\":{\"id\":7,\"kind\":\"percent_off\",\"percnt\":5}}",
         "offer.percnt: there is no such member: do you mean percent?"},
        {"tax", "all", "{\"prices\":\"gross\"}", "prices: one of these is expected"},
        {"tax", "all",
         "{\"prices\":\"with_tax\",\"rates\":[{\"name\":\"a\",\"percent\":7}],"
         "\"classes\":{\"standard\":[\"b\"]},\"usual\":\"standard\"}",
         "classes.standard[0]: there is no rate 'b' above"},
        {"tax", "all",
         "{\"prices\":\"with_tax\",\"rates\":[],\"classes\":{\"free\":[]},\"usual\":\"standard\"}",
         "usual: it names no class"},
        {"measure", "all", "{\"templates\":[\"21IIIIIVVVVVC\"]}", "templates[0]: column"},
        {"measure", "BER", "{\"templates\":[]}", "key all"},
    };
    struct checkout checkout;
    open_checkout(&checkout, test);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        souk_diag diag = {0};
        SOUK_CHECK(souk_front_check(checkout.rooms.fronts, 1, souk_text_of(cases[i].kind),
                                    souk_text_of(cases[i].key), souk_text_of(cases[i].json),
                                    &diag) != SOUK_OK);
        if (!strstr(diag.words, cases[i].words))
            test_fail(test, __FILE__, __LINE__, "%s: %s", cases[i].json, diag.words);
    }
    close_checkout(&checkout);
}

SOUK_TEST("money is written with the places of its currency")
{
    static const struct {
        int64_t minor;
        unsigned exponent;
        const char *text;
    } cases[] = {{0, 2, "{\"m\":\"0.00\"}"},   {5, 2, "{\"m\":\"0.05\"}"},
                 {-5, 2, "{\"m\":\"-0.05\"}"}, {123456, 2, "{\"m\":\"1234.56\"}"},
                 {0, 0, "{\"m\":\"0\"}"},      {-700, 0, "{\"m\":\"-700\"}"},
                 {1, 3, "{\"m\":\"0.001\"}"},  {INT64_MIN, 2, "{\"m\":\"-92233720368547758.08\"}"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        souk_auto_value(souk_buf) out = {.mem = test->mem};
        souk_json_writer json = {.out = &out};
        souk_json_write_object(&json);
        souk_money_put(&json, "m", cases[i].minor, cases[i].exponent);
        souk_json_write_end(&json);
        SOUK_CHECK_TEXT(souk_buf_view(&out), cases[i].text);
    }
}

SOUK_TEST("whatever allocation fails, the basket is priced or the error says so, and nothing leaks")
{
    struct checkout checkout;
    open_checkout(&checkout, test);
    SOUK_FAULT_LOOP (test) {
        souk_auto(souk_basket_desk) desk = NULL;
        souk_auto_value(souk_json_doc) doc = {.mem = souk_mem_heap()};
        souk_arena arena = {.mem = test->mem};
        souk_till_basket basket = {.merchant = 1};
        souk_diag diag = {0};
        souk_err err =
            souk_json_read(&doc,
                           SOUK_TEXT("{\"store\":\"BER\",\"lines\":[{\"product\":\"TEA\","
                                     "\"quantity\":3},{\"scan\":\"2100042003453\"}]}"),
                           NULL, NULL);
        if (!err)
            err = souk_basket_desk_new(test->mem, &desk);
        if (!err)
            err = souk_basket_read(&checkout.rooms, 1, noon, &doc, souk_json_root(&doc), &arena,
                                   &basket, &diag);
        if (!err)
            err = souk_basket_price(&checkout.rooms, desk, &basket, &arena, &diag);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        SOUK_CHECK(err || basket.total_minor == 500 + 276);
        souk_basket_done(&basket);
        souk_arena_done(&arena);
        test_fault_seen(test, err);
    }
    close_checkout(&checkout);
}

SOUK_TEST("of offers that contradict, told at one moment, the later is left out and the rest holds")
{
    struct checkout checkout;
    open_checkout(&checkout, test);
    /* neither is there yet when the other is checked */
    put_document(&checkout, "offer", "20",
                 "{\"name\":\"a\",\"offer\":{\"id\":20,\"kind\":\"percent_off\",\"percent\":10,"
                 "\"on\":{\"products\":[\"SALT\"]},\"group\":\"A\"}}");
    put_document(&checkout, "offer", "21",
                 "{\"name\":\"b\",\"offer\":{\"id\":21,\"kind\":\"basket_percent\",\"percent\":10,"
                 "\"group\":\"A\"}}");
    put_document(&checkout, "offer", "22",
                 "{\"name\":\"c\",\"offer\":{\"id\":22,\"kind\":\"percent_off\",\"percent\":50,"
                 "\"on\":{\"products\":[\"00042\"]}}}");
    refresh(&checkout);
    SOUK_MUST(price(&checkout, "{\"store\":\"BER\",\"lines\":[{\"product\":\"TEA\",\"quantity\":3},"
                               "{\"product\":\"SALT\"},{\"scan\":\"2100042003453\"}]}"));
    /* 5.00, 0.99 less a tenth, 2.76 halved */
    SOUK_CHECK(checkout.basket.total_minor == 500 + 89 + 138);
    const char *words;
    SOUK_CHECK(souk_front_faults(checkout.basket.front, &words) > 0);
    SOUK_CHECK(strstr(words, "offer 21") != NULL);
    close_checkout(&checkout);
}
