/* vocabulary_test.c - the tables hold what they promise; names are found, properties checked, schemas printed. */
#include "test/test.h"

#include "service/collect/vocabulary.h"

static bool is_property(souk_text name)
{
    return souk_property_find(name) != NULL;
}

SOUK_TEST("every property that an event names stands in the table, which is in order")
{
    for (size_t i = 1; i < souk_property_count; i++)
        SOUK_CHECK(strcmp(souk_properties[i - 1].name, souk_properties[i].name) < 0);
    for (size_t i = 0; i < souk_property_count; i++)
        SOUK_CHECK(souk_property_find(souk_text_of(souk_properties[i].name)) ==
                   &souk_properties[i]);
    SOUK_CHECK(!is_property(SOUK_TEXT("")) && !is_property(SOUK_TEXT("zz")) &&
               !is_property(SOUK_TEXT("aa")) && !is_property(SOUK_TEXT("pric")));
    for (size_t i = 0; i < souk_vocable_count; i++) {
        souk_text must = souk_text_of(souk_vocables[i].must);
        souk_text may = souk_text_of(souk_vocables[i].may);
        while (must.bytes) {
            souk_text choice = souk_text_cut(&must, ' ');
            while (choice.bytes)
                SOUK_CHECK(is_property(souk_text_cut(&choice, '|')));
        }
        while (may.bytes)
            SOUK_CHECK(is_property(souk_text_cut(&may, ' ')));
        SOUK_CHECK(souk_vocables[i].sign == 1 || souk_vocables[i].sign == -1);
    }
}

SOUK_TEST("an event is found by its name and by each name of version 1, and no two share one")
{
    for (size_t i = 0; i < souk_vocable_count; i++) {
        souk_text aliases = souk_text_of(souk_vocables[i].aliases);
        SOUK_CHECK(souk_vocable_find(souk_text_of(souk_vocables[i].name)) == &souk_vocables[i]);
        while (aliases.bytes)
            SOUK_CHECK(souk_vocable_find(souk_text_cut(&aliases, ';')) == &souk_vocables[i]);
    }
    SOUK_CHECK(!souk_vocable_find(SOUK_TEXT("")));
    SOUK_CHECK(!souk_vocable_find(SOUK_TEXT("order completed"))); /* a shop's own */
    SOUK_CHECK(!souk_vocable_find(SOUK_TEXT("Order Completed ")));
    SOUK_CHECK(!souk_vocable_find(SOUK_TEXT("Viewed Product;Clicked Product")));
}

SOUK_TEST("what an event says badly is told with its place and what to do")
{
    static const struct {
        const char *event, *properties, *fault; /* "": none */
    } cases[] = {
        {"Order Completed", "{\"order_id\":\"o\"}", ""},
        {"Order Completed", "{\"order_id\":7,\"total\":\"12.50\",\"currency\":\"eur\"}", ""},
        {"Order Completed", "{}", "properties.order_id is missing: Order Completed needs it"},
        {"Order Completed", "null", "properties.order_id is missing: Order Completed needs it"},
        {"Order Completed", "{\"order_id\":\"\"}",
         "properties.order_id is missing: Order Completed needs it"},
        {"Order Completed", "[]", "properties is no object: send it as {…}"},
        {"Order Completed", "{\"order_id\":[1]}",
         "properties.order_id is neither a text nor a number: send it as \"A-1\""},
        {"Order Completed", "{\"order_id\":\"o\",\"total\":\"12,50\"}",
         "properties.total is no number, or does not fit: send it as 12.34"},
        {"Order Completed", "{\"order_id\":\"o\",\"total\":true}",
         "properties.total is no number, or does not fit: send it as 12.34"},
        {"Order Completed", "{\"order_id\":\"o\",\"total\":null,\"tax\":\"\"}", ""},
        {"Order Completed", "{\"order_id\":\"o\",\"products\":{}}",
         "properties.products is no list: send it as [{\"product_id\":…},…]"},
        {"Order Completed", "{\"order_id\":\"o\",\"products\":[{},3]}",
         "properties.products[1] is no object: send it as {\"product_id\":…}"},
        {"Order Completed", "{\"order_id\":\"o\",\"products\":[{},{\"price\":\"x\"}]}",
         "properties.products[1].price is no number, or does not fit: send it as 12.34"},
        {"Order Completed", "{\"order_id\":\"o\",\"shop's own\":[{\"price\":\"x\"}]}", ""},
        {"Tag Read", "{\"gtin\":\"4006381333931\"}",
         "properties.epc is missing: Tag Read needs it"},
        {"Item Picked Up", "{\"store_id\":\"S\"}",
         "properties.product_id|sku|name|gtin|url|epc is missing: Item Picked Up needs one of "
         "them"},
        {"Item Picked Up", "{\"sku\":\"A\"}", ""},
        {"Door Counted", "{\"sensor_id\":\"d\",\"start\":\"yesterday\"}",
         "properties.start is no time: send it as 2026-11-24T18:00:00Z"},
        {"Door Counted", "{\"door_id\":1,\"start\":1764000000000,\"in\":3}", ""},
        {"Cart Viewed", "{\"currency\":\"XQX\"}",
         "properties.currency is no code of ISO 4217: send one, such as EUR"},
        {"Product List Filtered", "{\"filters\":\"red\"}",
         "properties.filters is no list: send it as […]"},
    };
    souk_json_doc doc = {.mem = test->mem};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        souk_diag fault = {.words = ""};
        SOUK_MUST(souk_json_read(&doc, souk_text_of(cases[i].properties), NULL, NULL));
        souk_err err = souk_vocable_check(souk_vocable_find(souk_text_of(cases[i].event)), &doc,
                                          souk_json_root(&doc), &fault);
        SOUK_CHECK(err == (cases[i].fault[0] ? SOUK_EINVAL : SOUK_OK));
        if (strcmp(fault.words, cases[i].fault))
            test_fail(test, __FILE__, __LINE__, "%s: '%s' in place of '%s'", cases[i].properties,
                      fault.words, cases[i].fault);
    }
    souk_json_doc_done(&doc);
}

SOUK_TEST("each event has a schema that is JSON, with each of its properties once")
{
    souk_json_doc doc = {.mem = test->mem};
    souk_auto_value(souk_buf) text = {.mem = test->mem};
    for (size_t i = 0; i < souk_vocable_count; i++) {
        souk_json_writer out = {.out = &text};
        souk_buf_clear(&text);
        souk_vocable_schema(&souk_vocables[i], &out);
        SOUK_MUST(souk_json_write_check(&out));
        SOUK_MUST(souk_json_read(&doc, souk_buf_view(&text), NULL, NULL));
        souk_json_node list = souk_json_member(&doc, souk_json_root(&doc), SOUK_TEXT("properties"));
        for (souk_json_node node = souk_json_first(&doc, list); node != SOUK_JSON_NONE;
             node = souk_json_next(&doc, node)) {
            SOUK_CHECK(is_property(souk_json_key(&doc, node)));
            SOUK_CHECK(souk_json_member(&doc, list, souk_json_key(&doc, node)) == node);
        }
    }
    souk_json_doc_done(&doc);
}
