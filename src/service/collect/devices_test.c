/* devices_test.c - tills and devices from their requests to durable events, and their rejects back again. */
#include "service/collect/devices.h"
#include "test/test.h"

#include "service/collect/test_shop.h"

struct route {
    struct shop shop;
    const char *key_header;
};

static souk_text route_header(souk_call *call, souk_text name)
{
    const struct route *route = call->from;
    if (souk_text_equal(name, SOUK_TEXT("x-write-key")))
        return souk_text_of(route->key_header);
    return SOUK_TEXT("");
}

/* POST with the shop's write key in the query, unless the header has one. */
static int post(struct route *route, void (*handle)(souk_call *call), const char *form,
                const char *more_query, souk_text body)
{
    souk_test *test = route->shop.test;
    char query[200];
    souk_call *call = NULL;
    snprintf(query, sizeof query, "%s%s%s", route->key_header ? "" : "writeKey=",
             route->key_header ? "x=1" : route->shop.secrets.write_key, more_query);
    if (souk_call_new(test->mem, &call))
        return route->shop.status = 503;
    call->spine = route->shop.spine;
    call->merchants = route->shop.merchants;
    call->method = SOUK_TEXT("POST");
    call->query = souk_text_of(query);
    call->body = body;
    call->parts[0] = souk_text_of(form);
    call->state = route->shop.collect;
    call->from = route;
    call->header = route_header;
    call->send = shop_answered;
    route->shop.answers = 0;
    handle(call);
    souk_call_free(call);
    SOUK_CHECK(route->shop.answers == 1);
    return route->shop.status;
}

static const char tag[] =
    "{\"timestamp\":\"2026-01-01T11:59:59Z\",\"hostname\":\"imp\",\"eventType\":\"tagInventory\","
    "\"tagInventoryEvent\":{\"epc\":\"MHQle_cZTkAAABqF\",\"antennaPort\":1}}";

/* The newest event of nobody has no timeline: the catalogue and the totals tell of it. */
SOUK_TEST("a reader's webhook, a counter and a till arrive by their routes, once each")
{
    struct route route = {.key_header = NULL};
    souk_totals totals;
    shop_open(&route.shop, test);
    for (int i = 0; i < 2; i++) {
        SOUK_CHECK(post(&route, souk_devices_form, "impinj", "&store=SH-14", souk_text_of(tag)) ==
                   200);
        SOUK_CHECK(!strcmp(route.shop.answer, "{\"success\":true,\"events\":1,\"rejected\":0}"));
        SOUK_CHECK(post(&route, souk_devices_form, "zebra", "&reader=fx-1",
                        SOUK_TEXT("{\"idHex\":\"AB\",\"timestamp\":1767268800000}")) == 200);
        SOUK_CHECK(post(&route, souk_devices_counts, "", "&store=SH-14",
                        SOUK_TEXT("[{\"sensor\":\"d\",\"end\":1767268800,\"in\":3}]")) == 200);
        SOUK_CHECK(
            post(
                &route, souk_devices_poslog, "", "",
                SOUK_TEXT("<POSLog><Transaction><RetailStoreID>SH-14</RetailStoreID>"
                          "<WorkstationID>1</WorkstationID><SequenceNumber>7</SequenceNumber>"
                          "<BusinessDayDate>2025-12-31</BusinessDayDate><EndDateTime>"
                          "2025-12-31T10:00:00Z</EndDateTime><CurrencyCode>EUR</CurrencyCode>"
                          "<RetailTransaction><LineItem><Sale><ItemID>A</ItemID><ExtendedAmount>"
                          "5.10</ExtendedAmount></Sale></LineItem><Customer><CustomerID>9001"
                          "</CustomerID></Customer></RetailTransaction></Transaction></POSLog>")) ==
            200);
        SOUK_CHECK(shop_events(&route.shop) == 4);
    }
    souk_index_totals(souk_spine_index(route.shop.spine), &totals);
    SOUK_CHECK(totals.orders == 1 && totals.amounts[0].amount_micro == 5100000);
    souk_story *stories;
    SOUK_CHECK(shop_timeline_of(&route.shop, SOUK_ID_CARD, "9001", &stories) == 1);
    SOUK_CHECK(
        !strcmp(shop_name(&route.shop, SOUK_NAME_TYPE, stories[0].fact.type), "Receipt Issued"));
    SOUK_CHECK(!strcmp(shop_name(&route.shop, SOUK_NAME_STORE, stories[0].fact.store), "SH-14"));
    SOUK_CHECK(stories[0].fact.line_count == 1 && stories[0].lines[0].amount_micro == 5100000);
    shop_close(&route.shop);
}

SOUK_TEST("a part at fault is a reject of its own with its store, and comes back mended")
{
    struct route route = {.key_header = NULL};
    struct shop_rejects rejects;
    shop_open(&route.shop, test);
    SOUK_CHECK(post(&route, souk_devices_counts, "", "&store=SH-14",
                    SOUK_TEXT("[{\"sensor\":\"d\",\"end\":1767268800,\"in\":3},"
                              "{\"sensor\":\"d\",\"end\":\"noon\",\"in\":3}]")) == 200);
    SOUK_CHECK(!strcmp(route.shop.answer, "{\"success\":true,\"events\":1,\"rejected\":1}"));
    shop_rejects(&route.shop, &rejects);
    SOUK_CHECK(rejects.count == 1);
    SOUK_CHECK_TEXT(rejects.at[0].where, "form:counts@SH-14 ");
    SOUK_CHECK_TEXT(rejects.at[0].text, "{\"sensor\":\"d\",\"end\":\"noon\",\"in\":3}");
    souk_call *call = NULL;
    SOUK_MUST(souk_call_new(test->mem, &call));
    souk_err err = souk_collect_replay(
        route.shop.collect, call, rejects.at[0].id,
        SOUK_TEXT("{\"sensor\":\"d\",\"end\":\"2026-01-01T11:00:00Z\",\"in\":3}"));
    souk_call_free(call);
    SOUK_MUST(err);
    SOUK_CHECK(shop_events(&route.shop) == 2);
    shop_rejects(&route.shop, &rejects);
    SOUK_CHECK(rejects.count == 0);
    shop_close(&route.shop);
}

SOUK_TEST("a camera's message that cannot be told leaves a reason and no text")
{
    struct route route = {.key_header = NULL};
    struct shop_rejects rejects;
    shop_open(&route.shop, test);
    SOUK_CHECK(post(&route, souk_devices_form, "frigate", "&reader=frigate/events",
                    SOUK_TEXT("{\"type\":\"face\",\"name\":\"Ada\"}")) == 200);
    shop_rejects(&route.shop, &rejects);
    SOUK_CHECK(rejects.count == 1 && rejects.at[0].text.bytes == 0);
    SOUK_CHECK(memmem(rejects.at[0].fault.at, rejects.at[0].fault.bytes, "type is none", 12));
    shop_close(&route.shop);
}

SOUK_TEST("a write key may come in a header of its own, and none, or no such form, is refused")
{
    struct route route = {.key_header = "souk_wk_no"};
    shop_open(&route.shop, test);
    SOUK_CHECK(post(&route, souk_devices_form, "impinj", "", souk_text_of(tag)) == 401);
    route.key_header = "";
    SOUK_CHECK(post(&route, souk_devices_form, "impinj", "", souk_text_of(tag)) == 401);
    route.key_header = route.shop.secrets.write_key;
    SOUK_CHECK(post(&route, souk_devices_form, "impinj", "", souk_text_of(tag)) == 200);
    SOUK_CHECK(post(&route, souk_devices_form, "shopify", "", souk_text_of(tag)) == 404);
    SOUK_CHECK(strstr(route.shop.answer, "impinj, zebra"));
    SOUK_CHECK(shop_events(&route.shop) == 1);
    shop_close(&route.shop);
}
