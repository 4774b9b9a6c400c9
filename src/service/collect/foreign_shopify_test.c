/* foreign_shopify_test.c - the hooks of a Shopify shop from their body to what is told of them. */
#include "test/test.h"

#include "base/decimal.h"
#include "service/collect/foreign_rig.h"

#include <stdio.h>

#define FORM (&souk_foreign_shopify)

static const char order[] =
    "{\"id\":820982911946154508,\"name\":\"#1001\",\"created_at\":\"2026-01-01T05:00:00-05:00\","
    "\"processed_at\":\"2026-01-01T04:59:00-05:00\",\"updated_at\":\"2026-01-01T05:00:02-05:00\","
    "\"currency\":\"EUR\",\"presentment_currency\":\"EUR\",\"total_price\":\"41.90\","
    "\"subtotal_price\":\"36.00\",\"total_tax\":\"6.69\",\"total_discounts\":\"4.00\","
    "\"total_shipping_price_set\":{\"shop_money\":{\"amount\":\"5.90\",\"currency_code\":\"EUR\"}},"
    "\"discount_codes\":[{\"code\":\"SPRING\",\"amount\":\"4.00\",\"type\":\"fixed_amount\"}],"
    "\"email\":\"jon@example.com\",\"phone\":null,\"source_name\":\"web\",\"location_id\":null,"
    "\"cancelled_at\":null,\"cart_token\":\"68778783ad298f1c80c3bafcddeea02f?key=secret\","
    "\"customer\":{\"id\":115310627314723954,\"email\":\"john@example.com\",\"phone\":\"+"
    "49170123\"},"
    "\"note\":\"ring twice\",\"order_status_url\":\"https://shop/orders/secret\",\"test\":false,"
    "\"line_items\":[{\"id\":11,\"product_id\":632910392,\"variant_id\":808950810,\"sku\":"
    "\"IPOD-1\","
    "\"title\":\"Tea \\u00e9\",\"variant_title\":\"green\",\"vendor\":\"Apfel\",\"price\":"
    "\"20.00\","
    "\"quantity\":1,\"total_discount\":\"0.00\"},{\"id\":12,\"product_id\":null,\"title\":\"Wrap\","
    "\"price\":\"10.00\",\"quantity\":2,\"total_discount\":\"4.00\"}]}";

/* The order with a part of it replaced; lives until the next call. */
static const char *with(souk_test *test, const char *from, const char *to)
{
    static char body[sizeof order + 200];
    const char *at = strstr(order, from);
    SOUK_CHECK(at && strlen(to) < 200);
    snprintf(body, sizeof body, "%.*s%s%s", (int)(at - order), order, to, at + strlen(from));
    return body;
}

SOUK_TEST("an order of a Shopify shop tells its money as text, its products and whose it is")
{
    static const struct {
        const char *path, *text;
    } expected[] = {
        {"type", "track"},
        {"event", "Order Completed"},
        {"messageId", "shopify/orders/create/820982911946154508"},
        {"timestamp", "2026-01-01T09:59:00.000Z"},
        {"userId", ""},
        {"anonymousId", "shopify:order:820982911946154508"},
        {"context.externalIds.0.type", "phone"},
        {"context.externalIds.0.id", "+49170123"},
        {"context.externalIds.1.type", "email"},
        {"context.externalIds.1.id", "jon@example.com"},
        {"context.externalIds.2.type", "open"},
        {"context.externalIds.2.id", "shopify:customer:115310627314723954"},
        {"context.externalIds.3", ""},
        {"properties.order_id", "820982911946154508"},
        {"properties.cart_id", "68778783ad298f1c80c3bafcddeea02f"},
        {"properties.currency", "EUR"},
        {"properties.total", "41.90"},
        {"properties.subtotal", "36.00"},
        {"properties.tax", "6.69"},
        {"properties.shipping", "5.90"},
        {"properties.discount", "4.00"},
        {"properties.coupon", "SPRING"},
        {"properties.store_id", ""},
        {"properties.note", "ring twice"},
        {"properties.name", "#1001"},
        {"properties.phone", ""},
        {"properties.order_status_url", ""},
        {"properties.customer.email", "john@example.com"},
        {"properties.products.0.product_id", "632910392"},
        {"properties.products.0.variant_id", "808950810"},
        {"properties.products.0.variant", "green"},
        {"properties.products.0.sku", "IPOD-1"},
        {"properties.products.0.name", "Tea é"},
        {"properties.products.0.brand", "Apfel"},
        {"properties.products.0.price", "20.00"},
        {"properties.products.0.quantity", "1"},
        {"properties.products.0.discount", ""},
        {"properties.products.1.product_id", ""},
        {"properties.products.1.discount", "4.00"},
        {"properties.products.2", ""},
        {"properties.products_left_out", ""},
    };
    struct rig rig;
    char path[100];
    rig_open(&rig, test);
    rig_tell(&rig, FORM, "orders/create", order);
    SOUK_CHECK(rig.count == 1);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        snprintf(path, sizeof path, "0.%s", expected[i].path);
        SOUK_CHECK_TEXT(rig_at(&rig, path), expected[i].text);
    }
    rig_close(&rig);
}

SOUK_TEST("an order is completed once whatever its delivery is called, and its later topics count "
          "nothing")
{
    static const struct {
        const char *topic, *event;
    } later[] = {{"orders/paid", "Order Paid"},
                 {"orders/updated", "Order Updated"},
                 {"orders/fulfilled", "Order Fulfilled"},
                 {"orders/partially_fulfilled", "Order Partially Fulfilled"}};
    struct rig rig;
    char first[100];
    rig_open(&rig, test);
    for (int i = 0; i < 3; i++) {
        rig.message_id = i ? souk_text_of(i == 1 ? "delivery-1" : "delivery-2") : SOUK_TEXT("");
        rig_tell(&rig, FORM, "orders/create", i == 2 ? with(test, "#1001", "#1001b") : order);
        SOUK_CHECK_TEXT(rig_at(&rig, "0.messageId"), "shopify/orders/create/820982911946154508");
    }
    for (size_t i = 0; i < 4; i++) {
        rig_tell(&rig, FORM, later[i].topic, order);
        SOUK_CHECK_TEXT(rig_at(&rig, "0.event"), later[i].event);
        souk_text id = rig_at(&rig, "0.messageId");
        SOUK_CHECK(id.bytes <= 100);
        snprintf(first, sizeof first, "%.*s", SOUK_TEXT_PRINT(id));
        rig_tell(&rig, FORM, later[i].topic, order);
        SOUK_CHECK_TEXT(rig_at(&rig, "0.messageId"), first);
        /* two changes within one second are two */
        rig_tell(&rig, FORM, later[i].topic, with(test, "ring twice", "ring once"));
        SOUK_CHECK(!souk_text_equal(rig_at(&rig, "0.messageId"), souk_text_of(first)));
    }
    rig_close(&rig);
}

SOUK_TEST("an order at a till is a receipt of its store, a trial order is a test, a cancelled one "
          "says when")
{
    struct rig rig;
    rig_open(&rig, test);
    const char *body = with(test, "\"source_name\":\"web\",\"location_id\":null",
                            "\"source_name\":\"pos\",\"location_id\":655441491");
    rig_tell(&rig, FORM, "orders/create", body);
    SOUK_CHECK_TEXT(rig_at(&rig, "0.event"), "Receipt Issued");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.store_id"), "655441491");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.receipt_id"), "#1001");
    rig_tell(&rig, FORM, "orders/updated", body);
    SOUK_CHECK_TEXT(rig_at(&rig, "0.event"), "Order Updated");
    rig_tell(&rig, FORM, "orders/create", with(test, "\"test\":false", "\"test\":true"));
    SOUK_CHECK_TEXT(rig_at(&rig, "0.event"), "Test Order Completed");
    rig_tell(&rig, FORM, "orders/cancelled",
             with(test, "\"cancelled_at\":null", "\"cancelled_at\":\"2026-01-01T11:00:00Z\""));
    SOUK_CHECK_TEXT(rig_at(&rig, "0.event"), "Order Cancelled");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.timestamp"), "2026-01-01T11:00:00.000Z");
    /* The topic is not signed: an order's body sent again under another one is not believed. */
    rig_refused(&rig, FORM, "orders/cancelled", order, "cancelled_at is null");
    rig_refused(&rig, FORM, "refunds/create", order, "no order_id");
    rig_close(&rig);
}

SOUK_TEST("a refund takes back what was paid back, exactly, and is its order's customer's")
{
    struct rig rig;
    rig_open(&rig, test);
    rig_tell(
        &rig, FORM, "refunds/create",
        "{\"id\":509562969,\"order_id\":450789469,\"created_at\":\"2026-01-01T06:00:00Z\",\"note\":"
        "\"broke\",\"processed_at\":\"2026-01-01T07:00:00Z\",\"restock\":true,"
        "\"refund_line_items\":[{\"id\":1,\"quantity\":2,\"line_item_id\":11,\"subtotal\":\"40."
        "00\","
        "\"line_item\":{\"id\":11,\"product_id\":632910392,\"title\":\"Tea\",\"price\":\"20.00\","
        "\"quantity\":5}}],\"transactions\":[{\"kind\":\"refund\",\"status\":\"success\","
        "\"amount\":\"0.10\",\"currency\":\"EUR\"},{\"kind\":\"refund\",\"status\":\"pending\","
        "\"amount\":\"0.20\",\"currency\":\"EUR\"},{\"kind\":\"refund\",\"status\":\"failure\","
        "\"amount\":\"9.00\",\"currency\":\"EUR\"},{\"kind\":\"refund\",\"status\":\"success\","
        "\"amount\":\"8.00\",\"currency\":\"USD\"}]}");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.event"), "Order Refunded");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.messageId"), "shopify/refunds/create/509562969");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.anonymousId"), "shopify:order:450789469");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.timestamp"), "2026-01-01T07:00:00.000Z");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.order_id"), "450789469");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.total"), "0.3");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.currency"), "EUR");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.reason"), "broke");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.products.0.quantity"), "2");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.products.0.price"), "20.00");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.refund_line_items.0.subtotal"), "40.00");
    rig_tell(&rig, FORM, "refunds/create",
             "{\"id\":1,\"order_id\":2,\"transactions\":[{\"kind\":\"refund\",\"amount\":\"1\","
             "\"test\":true}]}");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.event"), "Test Order Refunded");
    rig_refused(&rig, FORM, "refunds/create",
                "{\"id\":1,\"order_id\":2,\"transactions\":[{\"amount\":\"1,50\"}]}",
                "'1,50' is no amount");
    rig_refused(&rig, FORM, "refunds/create", "{\"id\":1}", "no order_id");
    rig_close(&rig);
}

SOUK_TEST("carts and checkouts are tied by the cart's token without its key")
{
    struct rig rig;
    rig_open(&rig, test);
    rig_tell(
        &rig, FORM, "carts/update",
        "{\"id\":\"tok?key=1\",\"token\":\"tok?key=1\",\"updated_at\":\"2026-01-01T06:00:00Z\","
        "\"line_items\":[{\"product_id\":5,\"price\":\"1.00\",\"quantity\":3}]}");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.event"), "Cart Updated");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.anonymousId"), "shopify:cart:tok");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.cart_id"), "tok");
    SOUK_CHECK(!memmem(rig.out.at, rig.out.bytes, "key=1", 5));
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.products.0.quantity"), "3");
    rig_tell(
        &rig, FORM, "checkouts/create",
        "{\"id\":77,\"token\":\"t\",\"cart_token\":\"tok?key=1\",\"email\":\"a@b.cd\","
        "\"created_at\":\"2026-01-01T06:00:00Z\",\"currency\":\"CNY\",\"total_price\":\"9.90\","
        "\"abandoned_checkout_url\":\"https://shop/recover?key=1\",\"line_items\":[]}");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.event"), "Checkout Started");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.messageId"), "shopify/checkouts/create/77");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.anonymousId"), "shopify:cart:tok");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.context.externalIds.0.id"), "a@b.cd");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.total"), "9.90");
    SOUK_CHECK(!memmem(rig.out.at, rig.out.bytes, "key=1", 5));
    rig_refused(&rig, FORM, "carts/create", "{\"id\":null}", "no token");
    rig_close(&rig);
}

SOUK_TEST(
    "a customer is identified, a product belongs to nobody, what was deleted is told by its number")
{
    struct rig rig;
    rig_open(&rig, test);
    rig_tell(
        &rig, FORM, "customers/update",
        "{\"id\":17,\"email\":\"a@b.cd\",\"phone\":\"+86138\",\"first_name\":\"Ann\","
        "\"last_name\":\"Lee\",\"created_at\":\"2025-01-01T00:00:00Z\",\"updated_at\":"
        "\"2026-01-01T06:00:00Z\",\"orders_count\":3,\"default_address\":{\"address1\":\"Way 1\","
        "\"city\":\"Ulm\",\"zip\":\"89073\",\"country\":\"Germany\"}}");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.type"), "identify");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.event"), "");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.traits.email"), "a@b.cd");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.traits.phone"), "+86138");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.traits.firstName"), "Ann");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.traits.address.postalCode"), "89073");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.traits.orders_count"), "3");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.context.externalIds.2.id"), "shopify:customer:17");
    rig_tell(
        &rig, FORM, "products/update",
        "{\"id\":5,\"title\":\"Tea\",\"vendor\":\"Apfel\",\"product_type\":\"Drinks\",\"variants\":"
        "[{\"id\":51,\"title\":\"green\",\"sku\":\"T-1\",\"price\":\"4.25\"}],\"tags\":\"x\"}");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.event"), "Product Updated");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.anonymousId"), "");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.context.externalIds.0"), "");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.category"), "Drinks");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.products.0.sku"), "T-1");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.products.0.category"), "Drinks");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.tags"), "x");
    rig_tell(&rig, FORM, "orders/delete", "{\"id\":9}");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.anonymousId"), "shopify:order:9");
    rig_tell(&rig, FORM, "customers/delete", "{\"id\":9}");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.context.externalIds.0.id"), "shopify:customer:9");
    rig_tell(&rig, FORM, "orders/edited",
             "{\"order_edit\":{\"id\":7,\"order_id\":9,\"created_at\":\"2026-01-01T06:00:00Z\","
             "\"line_items\":{\"additions\":[{\"id\":1,\"delta\":1}]}}}");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.event"), "Order Updated");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.messageId"), "shopify/orders/edited/7");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.line_items.additions.0.delta"), "1");
    rig_close(&rig);
}

SOUK_TEST("what the law wants of a shopper's data becomes an entry that names the shopper, and is "
          "never dropped")
{
    const char *redact =
        "{\"shop_id\":954889,\"shop_domain\":\"a.myshopify.com\",\"customer\":{\"id\":191167,"
        "\"email\":\"john@example.com\",\"phone\":\"555-625-1199\"},\"orders_to_redact\":[299938]}";
    struct rig rig;
    char id[100];
    rig_open(&rig, test);
    rig_tell(&rig, FORM, "customers/redact", redact);
    SOUK_CHECK_TEXT(rig_at(&rig, "0.type"), "track");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.event"), "Erasure Requested");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.context.externalIds.0.id"), "555-625-1199");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.context.externalIds.1.id"), "john@example.com");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.context.externalIds.2.id"), "shopify:customer:191167");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.orders_to_redact.0"), "299938");
    SOUK_CHECK(strstr(rig_at(&rig, "0.properties.words").at, "within 30 days"));
    souk_text first = rig_at(&rig, "0.messageId");
    snprintf(id, sizeof id, "%.*s", SOUK_TEXT_PRINT(first));
    rig.message_id = SOUK_TEXT("another delivery");
    rig_tell(&rig, FORM, "customers/redact", redact);
    SOUK_CHECK_TEXT(rig_at(&rig, "0.messageId"), id);
    rig_tell(&rig, FORM, "customers/data_request", redact);
    SOUK_CHECK_TEXT(rig_at(&rig, "0.event"), "Data Requested");
    rig_tell(&rig, FORM, "shop/redact", "{\"shop_id\":954889,\"shop_domain\":\"a.myshopify.com\"}");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.event"), "Erasure Requested");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.shop_domain"), "a.myshopify.com");
    rig_tell(&rig, FORM, "app/uninstalled", "{\"id\":1}");
    SOUK_CHECK(rig.count == 0);
    rig_refused(&rig, FORM, "customers/redact", "{\"customer\":{}}", "names no customer");
    rig_close(&rig);
}

SOUK_TEST("what no hook of Shopify sends is refused in words")
{
    struct rig rig;
    rig_open(&rig, test);
    rig_refused(&rig, FORM, "themes/publish", "{\"id\":1}", "'themes/publish' is none");
    rig_refused(&rig, FORM, "", "{\"id\":1}", "the topic ''");
    rig_refused(&rig, FORM, "orders/create", "{\"id\":1", "no JSON that can be read (line 1");
    rig_refused(&rig, FORM, "orders/create", "[]", "no JSON object");
    rig_refused(&rig, FORM, "orders/create", "{\"id\":1}", "no line_items");
    rig_refused(&rig, FORM, "orders/create", "{\"id\":{\"a\":1},\"line_items\":[]}", "no id");
    rig_close(&rig);
}

SOUK_TEST(
    "an order of 500 products with 100,000 notes stays below the ceiling of an event, and says so")
{
    struct rig rig;
    souk_auto_value(souk_buf) body = {.mem = souk_mem_heap()};
    rig_open(&rig, test);
    souk_buf_print(&body, "{\"id\":1,\"currency\":\"EUR\",\"total_price\":\"500.00\",\"email\":"
                          "\"a@b.cd\",\"customer\":{\"id\":2,\"addresses\":[");
    for (int i = 0; i < 100000; i++)
        souk_buf_print(&body, "%s{\"id\":%d,\"phone\":\"+49%d\"}", i ? "," : "", i, i);
    souk_buf_print(&body, "]},\"line_items\":[");
    for (int i = 0; i < 500; i++)
        souk_buf_print(&body,
                       "%s{\"id\":%d,\"product_id\":%d,\"title\":\"A rather long name of a product"
                       "\",\"price\":\"1.00\",\"quantity\":1}",
                       i ? "," : "", i, i);
    souk_buf_print(&body, "],\"small\":\"stays\"");
    for (int i = 0; i < 100000; i++)
        souk_buf_print(&body, ",\"note_%d\\u0001\\u0002\":\"x\"", i);
    souk_buf_print(&body, ",\"email\":\"b@b.cd\"}");
    SOUK_MUST(rig_try(&rig, FORM, "orders/create", souk_buf_view(&body)));
    SOUK_CHECK(rig.out.bytes < 32768);
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.total"), "500.00");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.small"), "stays");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.left_out.0"), "customer");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.context.externalIds.0.id"), "a@b.cd");
    uint64_t lost = 0, more = 0;
    size_t told = souk_json_count(&rig.doc, rig_node(&rig, "0.properties.products"));
    SOUK_MUST(souk_text_to_u64(rig_at(&rig, "0.properties.products_left_out"), &lost));
    SOUK_MUST(souk_text_to_u64(rig_at(&rig, "0.properties.left_out_more"), &more));
    SOUK_CHECK(told > 50 && told + lost == 500 && more > 90000);
    rig_close(&rig);
}

SOUK_TEST("without memory an order is not told, and nothing is kept")
{
    struct rig rig;
    rig_open(&rig, test);
    SOUK_FAULT_LOOP (test) {
        souk_err err = rig_try(&rig, FORM, "orders/create", souk_text_of(order));
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
    }
    SOUK_CHECK_TEXT(rig_at(&rig, "0.event"), "Order Completed");
    rig_close(&rig);
}
