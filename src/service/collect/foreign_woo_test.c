/* foreign_woo_test.c - the hooks of a WooCommerce shop from their body to what is told of them. */
#include "test/test.h"

#include "service/collect/foreign_rig.h"

#include <stdio.h>

#define FORM (&souk_foreign_woo)

static const char order[] =
    "{\"id\":727,\"parent_id\":0,\"status\":\"processing\",\"currency\":\"EUR\",\"number\":\"727\","
    "\"date_created\":\"2026-01-01T11:00:00\",\"date_created_gmt\":\"2026-01-01T10:00:00\","
    "\"date_modified_gmt\":\"2026-01-01T10:30:00\",\"discount_total\":\"2.00\",\"shipping_total\":"
    "\"4.90\",\"total\":\"30.40\",\"total_tax\":\"4.85\",\"customer_id\":26,\"order_key\":"
    "\"wc_order_secret\",\"billing\":{\"first_name\":\"Ann\",\"email\":\"ann@example.com\","
    "\"phone\":"
    "\"(555) 555-5555\",\"city\":\"Ulm\"},\"shipping\":{\"city\":\"Bonn\"},\"payment_url\":"
    "\"https://shop/?key=wc_order_secret\",\"created_via\":\"checkout\",\"date_paid_gmt\":null,"
    "\"line_items\":[{\"id\":315,\"name\":\"Tea\",\"product_id\":93,\"variation_id\":0,"
    "\"quantity\":"
    "2,\"subtotal\":\"20.00\",\"total\":\"18.00\",\"sku\":\"T-1\",\"price\":9},{\"id\":316,"
    "\"name\":"
    "\"Pot - "
    "red\",\"product_id\":22,\"variation_id\":23,\"quantity\":1,\"subtotal\":\"7.50\",\"total\":"
    "\"7.50\",\"sku\":\"\",\"price\":7.5}],\"coupon_lines\":[{\"id\":1,\"code\":\"spring\"}],"
    "\"refunds\":[],\"meta_data\":[{\"key\":\"gift\",\"value\":\"yes\"}],\"_links\":{\"self\":[{"
    "\"href\":\"https://shop.example/en/wp-json/wc/v3/orders/727\"}]}}";

/* The order with up to two parts of it replaced; lives until the next call. */
static const char *with(souk_test *test, const char *from, const char *to, const char *from2,
                        const char *to2)
{
    static souk_buf body;
    const char *at = strstr(order, from), *at2 = from2 ? strstr(at, from2) : at + strlen(at);
    SOUK_CHECK(at && at2);
    souk_buf_clear(&body);
    souk_buf_append(&body, order, (size_t)(at - order));
    souk_buf_text(&body, souk_text_of(to));
    at += strlen(from);
    souk_buf_append(&body, at, (size_t)(at2 - at));
    if (from2) {
        souk_buf_text(&body, souk_text_of(to2));
        souk_buf_text(&body, souk_text_of(at2 + strlen(from2)));
    }
    return souk_buf_ended(&body);
}

/* The events told, "Order Completed,Order Updated". */
static const char *events_of(struct rig *rig)
{
    static char text[400];
    char path[40];
    size_t bytes = 0;
    text[0] = '\0';
    for (size_t i = 0; i < rig->count; i++) {
        snprintf(path, sizeof path, "%zu.event", i);
        bytes += (size_t)snprintf(text + bytes, sizeof text - bytes, "%s%.*s", i ? "," : "",
                                  SOUK_TEXT_PRINT(rig_at(rig, path)));
    }
    return text;
}

SOUK_TEST("an order of a WooCommerce shop tells its money as text, its products and whose it is")
{
    static const struct {
        const char *path, *text;
    } expected[] = {
        {"type", "track"},
        {"event", "Order Completed"},
        {"messageId", "woo/shop.example/en/order/727/completed"},
        {"timestamp", "2026-01-01T10:00:00.000Z"},
        {"userId", ""},
        {"anonymousId", "woo:shop.example/en:order:727"},
        {"context.externalIds.0.id", "(555) 555-5555"},
        {"context.externalIds.1.id", "ann@example.com"},
        {"context.externalIds.2.type", "open"},
        {"context.externalIds.2.id", "woo:shop.example/en:customer:26"},
        {"properties.order_id", "727"},
        {"properties.currency", "EUR"},
        {"properties.total", "30.40"},
        {"properties.subtotal", "27.5"},
        {"properties.tax", "4.85"},
        {"properties.shipping", "4.90"},
        {"properties.discount", "2.00"},
        {"properties.coupon", "spring"},
        {"properties.products.0.product_id", "93"},
        {"properties.products.0.variant_id", ""},
        {"properties.products.0.sku", "T-1"},
        {"properties.products.0.price", "9"},
        {"properties.products.0.quantity", "2"},
        {"properties.products.0.discount", "2"},
        {"properties.products.1.variant_id", "23"},
        {"properties.products.1.discount", ""},
        {"properties.products.1.price", "7.5"},
        {"properties.shipping_address.city", "Bonn"},
        {"properties.billing.city", "Ulm"},
        {"properties.status", "processing"},
        {"properties.meta_data.0.value", "yes"},
        {"properties.order_key", ""},
        {"properties.payment_url", ""},
    };
    struct rig rig;
    char path[100];
    rig_open(&rig, test);
    rig_tell(&rig, FORM, "order.created", order);
    SOUK_CHECK(rig.count == 1);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        snprintf(path, sizeof path, "0.%s", expected[i].path);
        SOUK_CHECK_TEXT(rig_at(&rig, path), expected[i].text);
    }
    rig_close(&rig);
}

SOUK_TEST("each status tells what has happened by now, under names that repeat")
{
    static const struct {
        const char *topic, *status, *paid, *events;
    } cases[] = {
        {"order.created", "pending", "null", "Order Created"},
        {"order.created", "on-hold", "null", "Order Created"},
        {"order.created", "processing", "null", "Order Completed"},
        {"order.created", "completed", "null", "Order Completed"},
        {"order.updated", "pending", "null", "Order Updated"},
        {"order.updated", "failed", "null", "Order Updated"},
        {"order.updated", "processing", "null", "Order Completed,Order Updated"},
        {"order.updated", "completed", "\"2026-01-01T10:00:00\"", "Order Completed,Order Updated"},
        {"order.updated", "wc-packed", "\"2026-01-01T10:00:00\"", "Order Completed,Order Updated"},
        {"order.updated", "cancelled", "null", "Order Updated,Order Cancelled"},
        {"order.updated", "cancelled", "\"2026-01-01T10:00:00\"",
         "Order Completed,Order Updated,Order Cancelled"},
        {"order.updated", "refunded", "null", "Order Completed,Order Updated,Order Refunded"},
        {"order.restored", "completed", "null", "Order Completed,Order Restored"},
    };
    struct rig rig;
    char status[100], paid[100];
    rig_open(&rig, test);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(status, sizeof status, "\"status\":\"%s\"", cases[i].status);
        snprintf(paid, sizeof paid, "\"date_paid_gmt\":%s", cases[i].paid);
        const char *body =
            with(test, "\"status\":\"processing\"", status, "\"date_paid_gmt\":null", paid);
        rig_tell(&rig, FORM, cases[i].topic, body);
        if (strcmp(events_of(&rig), cases[i].events))
            test_fail(test, __FILE__, __LINE__, "%s %s: %s", cases[i].topic, cases[i].status,
                      events_of(&rig));
        if (!strncmp(cases[i].events, "Order Completed", 15))
            SOUK_CHECK_TEXT(rig_at(&rig, "0.messageId"), "woo/shop.example/en/order/727/completed");
    }
    rig_close(&rig);
}

SOUK_TEST(
    "each refund is told once, with its own money, and a whole one without a list by its total")
{
    struct rig rig;
    rig_open(&rig, test);
    rig_tell(&rig, FORM, "order.updated",
             with(test, "\"refunds\":[]",
                  "\"refunds\":[{\"id\":726,\"reason\":\"broke\",\"total\":\"-10.10\"},"
                  "{\"id\":729,\"reason\":\"\",\"total\":\"-0.30\"}]",
                  NULL, NULL));
    SOUK_CHECK(
        !strcmp(events_of(&rig), "Order Completed,Order Updated,Order Refunded,Order Refunded"));
    SOUK_CHECK_TEXT(rig_at(&rig, "2.messageId"), "woo/shop.example/en/refund/726");
    SOUK_CHECK_TEXT(rig_at(&rig, "2.properties.total"), "10.1");
    SOUK_CHECK_TEXT(rig_at(&rig, "2.properties.reason"), "broke");
    SOUK_CHECK_TEXT(rig_at(&rig, "2.properties.products"), "[]");
    SOUK_CHECK_TEXT(rig_at(&rig, "2.context.externalIds.1.id"), "ann@example.com");
    SOUK_CHECK_TEXT(rig_at(&rig, "3.messageId"), "woo/shop.example/en/refund/729");
    SOUK_CHECK_TEXT(rig_at(&rig, "3.properties.total"), "0.3");
    rig_tell(&rig, FORM, "order.updated",
             with(test, "\"status\":\"processing\"", "\"status\":\"refunded\"", NULL, NULL));
    SOUK_CHECK_TEXT(rig_at(&rig, "2.messageId"), "woo/shop.example/en/order/727/refunded");
    SOUK_CHECK_TEXT(rig_at(&rig, "2.properties.total"), "30.4");
    rig_refused(&rig, FORM, "order.updated",
                with(test, "\"refunds\":[]", "\"refunds\":[{\"id\":1}]", NULL, NULL), "no amount");
    rig_refused(&rig, FORM, "order.updated",
                with(test, "\"refunds\":[]",
                     "\"refunds\":[{\"id\":1,\"total\":\"-9223372036854.775808\"}]", NULL, NULL),
                "does not fit");
    rig_close(&rig);
}

SOUK_TEST(
    "a number of a shop that does not say which it is names nobody, and a guest is no customer")
{
    struct rig rig;
    rig_open(&rig, test);
    rig_tell(&rig, FORM, "order.created", with(test, "\"_links\"", "\"links\"", NULL, NULL));
    SOUK_CHECK_TEXT(rig_at(&rig, "0.anonymousId"), "");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.context.externalIds.2"), "");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.messageId"), "woo//order/727/completed");
    rig_tell(&rig, FORM, "order.created",
             with(test, "\"customer_id\":26", "\"customer_id\":0", NULL, NULL));
    SOUK_CHECK_TEXT(rig_at(&rig, "0.anonymousId"), "woo:shop.example/en:order:727");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.context.externalIds.2"), "");
    /* another shop that has the same number is another order */
    rig_tell(&rig, FORM, "order.created", with(test, "shop.example/en", "b.example", NULL, NULL));
    SOUK_CHECK_TEXT(rig_at(&rig, "0.messageId"), "woo/b.example/order/727/completed");
    rig_close(&rig);
}

SOUK_TEST("customers, products and coupons are told, and what was deleted by its number")
{
    struct rig rig;
    rig_open(&rig, test);
    rig_tell(
        &rig, FORM, "customer.updated",
        "{\"id\":26,\"email\":\"ann@example.com\",\"first_name\":\"Ann\",\"last_name\":\"Lee\","
        "\"date_created_gmt\":\"2025-01-01T00:00:00\",\"date_modified_gmt\":"
        "\"2026-01-01T00:00:00\",\"billing\":{\"phone\":\"123\",\"address_1\":\"Way 1\",\"city\":"
        "\"Ulm\",\"postcode\":\"89073\"},\"is_paying_customer\":true,\"_links\":{\"self\":[{"
        "\"href\":\"https://shop.example/wp-json/wc/v3/customers/26\"}]}}");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.type"), "identify");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.traits.email"), "ann@example.com");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.traits.phone"), "123");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.traits.address.street"), "Way 1");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.traits.is_paying_customer"), "true");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.timestamp"), "2026-01-01T00:00:00.000Z");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.context.externalIds.2.id"), "woo:shop.example:customer:26");
    rig_tell(&rig, FORM, "product.updated",
             "{\"id\":93,\"name\":\"Tea\",\"sku\":\"T-1\",\"price\":\"9.00\",\"permalink\":"
             "\"https://shop/tea\",\"categories\":[{\"id\":9,\"name\":\"Drinks\"}],\"tags\":[1]}");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.event"), "Product Updated");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.product_id"), "93");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.category"), "Drinks");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.url"), "https://shop/tea");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.context.externalIds"), "[]");
    rig_tell(&rig, FORM, "coupon.created", "{\"id\":7,\"code\":\"spring\",\"amount\":\"2.00\"}");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.event"), "Coupon Created");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.coupon"), "spring");
    rig_tell(&rig, FORM, "coupon.deleted", "{\"id\":7}");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.coupon_id"), "7");
    rig_tell(&rig, FORM, "order.deleted", "{\"id\":7}");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.event"), "Order Deleted");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.order_id"), "7");
    rig_close(&rig);
}

SOUK_TEST("what no hook of WooCommerce sends is refused in words, and its ping is nothing")
{
    struct rig rig;
    rig_open(&rig, test);
    rig_tell(&rig, FORM, "", "webhook_id=7");
    SOUK_CHECK(rig.count == 0);
    rig_refused(&rig, FORM, "action.woocommerce_x", "{\"id\":1}", "'action.woocommerce_x' is none");
    rig_refused(&rig, FORM, "order.created", "{\"id\":1}", "no status");
    rig_refused(&rig, FORM, "order.created", "{\"status\":1}", "id is missing");
    rig_refused(&rig, FORM, "order.created", "", "no JSON that can be read");
    rig_refused(&rig, FORM, "order.created", "7", "no JSON object");
    rig_close(&rig);
}

SOUK_TEST("without memory an order of WooCommerce is not told, and nothing is kept")
{
    struct rig rig;
    rig_open(&rig, test);
    SOUK_FAULT_LOOP (test) {
        souk_err err = rig_try(&rig, FORM, "order.updated", souk_text_of(order));
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
    }
    SOUK_CHECK(rig.count == 2);
    rig_close(&rig);
}
