/* devices_test.c - tills and devices from their requests to durable events, and their rejects back again. */
#include "service/collect/devices.h"
#include "test/test.h"

#include "core/log.h"
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

/* ---- what is stored of nobody's events ---------------------------------------------------------------- */

struct rows {
    struct shop *shop;
    souk_buf text;
};

/* "Tag Read SH-14 2026-01-01T11:59:59.000Z [80614141123458 x1]", a line each. */
static souk_err write_rows(void *context, const souk_block *block)
{
    struct rows *rows = context;
    for (size_t i = 0; i < block->count; i++) {
        const souk_fact *fact = &block->facts[i];
        char at[SOUK_TIME_BYTES], quantity[SOUK_DECIMAL_BYTES];
        souk_time_write(fact->at, at);
        souk_buf_print(&rows->text, "%s %s %s%s", shop_name(rows->shop, SOUK_NAME_TYPE, fact->type),
                       fact->store ? shop_name(rows->shop, SOUK_NAME_STORE, fact->store) : "-", at,
                       fact->atom ? " somebody" : "");
        for (size_t k = 0; k < fact->line_count; k++) {
            const souk_fact_line *line = &block->lines[fact->first_line + k];
            souk_decimal_write((souk_decimal){line->quantity_micro}, quantity);
            souk_buf_print(&rows->text, " [%s x%s]",
                           line->product ? shop_name(rows->shop, SOUK_NAME_PRODUCT, line->product)
                                         : "-",
                           quantity);
        }
        souk_buf_byte(&rows->text, '\n');
    }
    return souk_buf_check(&rows->text);
}

SOUK_TEST("what devices say is stored with its name, its store, its own time and its product")
{
    static const char update[] =
        "{\"type\":\"update\",\"before\":{\"current_zones\":[\"door\"]},\"after\":{\"id\":\"i\","
        "\"camera\":\"c\",\"label\":\"person\",\"frame_time\":1767268700.25,"
        "\"current_zones\":[\"aisle\"]}}";
    struct route route = {.key_header = NULL};
    struct rows rows = {.shop = &route.shop, .text = {.mem = souk_mem_heap()}};
    shop_open(&route.shop, test);
    SOUK_CHECK(post(&route, souk_devices_form, "frigate", "&store=SH-14&reader=frigate/events",
                    souk_text_of(update)) == 200);
    SOUK_CHECK(post(&route, souk_devices_form, "impinj", "&store=SH-15", souk_text_of(tag)) == 200);
    SOUK_CHECK(post(&route, souk_devices_counts, "", "",
                    SOUK_TEXT("[{\"sensor\":\"d\",\"end\":1767268700,\"in\":3},{\"sensor\":\"d\","
                              "\"zone\":\"z\",\"end\":1767268700,\"occupancy\":3,"
                              "\"store\":\"SH-16\"}]")) == 200);
    SOUK_MUST(
        souk_log_walk(souk_mem_heap(), souk_spine_ledger(route.shop.spine), 1, write_rows, &rows));
    SOUK_CHECK_TEXT(souk_buf_view(&rows.text),
                    "Zone Entered SH-14 2026-01-01T11:58:20.250Z\n"
                    "Zone Left SH-14 2026-01-01T11:58:20.250Z\n"
                    "Tag Read SH-15 2026-01-01T11:59:59.000Z [80614141123458 x1]\n"
                    "Door Counted - 2026-01-01T11:58:20.000Z\n"
                    "Zone Counted SH-16 2026-01-01T11:58:20.000Z\n");
    souk_buf_done(&rows.text);
    shop_close(&route.shop);
}

/* ---- routes ---------------------------------------------------------------------------------------------- */

SOUK_TEST("a reader's webhook, a counter and a till arrive by their routes, once each")
{
    struct route route = {.key_header = NULL};
    souk_totals totals;
    shop_open(&route.shop, test);
    for (int i = 0; i < 2; i++) {
        SOUK_CHECK(post(&route, souk_devices_form, "impinj", "&store=SH-14", souk_text_of(tag)) ==
                   200);
        SOUK_CHECK(!strcmp(route.shop.answer,
                           i ? "{\"success\":true,\"events\":0,\"repeats\":1,\"rejected\":0}"
                             : "{\"success\":true,\"events\":1,\"repeats\":0,\"rejected\":0}"));
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
        SOUK_CHECK(strstr(route.shop.answer, i ? "\"events\":0,\"repeats\":1" : "\"events\":1"));
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
    SOUK_CHECK(
        !strcmp(route.shop.answer, "{\"success\":true,\"events\":1,\"repeats\":0,\"rejected\":1}"));
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
