/* segment_test.c - the Segment calls from bytes to durable events: types, times, money, keys, faults. */
#include "test/test.h"

#include "base/base64.h"
#include "base/currency.h"
#include "service/collect/test_shop.h"

static bool contains(souk_text text, const char *part)
{
    return text.bytes && memmem(text.at, text.bytes, part, strlen(part));
}

/* ---- calls ---------------------------------------------------------------------------------------------- */

SOUK_TEST("each call makes an event of its type, and keeps the text that was sent")
{
    static const struct {
        const char *path, *body, *type;
    } calls[] = {
        {"/v1/track", "{\"event\":\"Cart Viewed\",\"userId\":\"u-1\"}", "Cart Viewed"},
        {"/v1/identify", "{\"userId\":\"u-1\",\"traits\":{\"email\":\"a@b.cd\"}}", "Identify"},
        {"/v1/page", "{\"userId\":\"u-1\",\"name\":\"Home\"}", "Page"},
        {"/v1/screen", "{\"userId\":\"u-1\", \"name\":\"购物车\"}", "Screen"},
        {"/v1/group", "{\"userId\":\"u-1\",\"groupId\":\"g-1\"}", "Group"},
        {"/v1/alias", "{\"userId\":\"u-1\",\"previousId\":\"a-9\"}", "Alias"},
        {"/v1/batch", "{\"batch\":[{\"type\":\"page\",\"userId\":\"u-1\"}]}", "Page"},
    };
    struct shop shop;
    shop_open(&shop, test);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        SOUK_CHECK(shop_send(&shop, calls[i].path, calls[i].body) == 200);
        SOUK_CHECK(!strcmp(shop.answer, "{\"success\":true}"));
        const souk_story *story = shop_story(&shop, "u-1", 0);
        SOUK_CHECK(story->fact.position == i + 1);
        SOUK_CHECK(!strcmp(shop_name(&shop, SOUK_NAME_TYPE, story->fact.type), calls[i].type));
        bool batch = !strcmp(calls[i].path, "/v1/batch");
        SOUK_CHECK_TEXT(story->text,
                        batch ? "{\"type\":\"page\",\"userId\":\"u-1\"}" : calls[i].body);
    }
    souk_story *stories;
    SOUK_CHECK(shop_timeline_of(&shop, SOUK_ID_ANONYMOUS, "a-9", &stories) == 7);
    SOUK_CHECK(shop_timeline_of(&shop, SOUK_ID_EMAIL, "A@B.CD ", &stories) == 7);
    shop_close(&shop);
}

SOUK_TEST(
    "an order tells its store, money and lines, a refund takes them back, a cancellation counts")
{
    struct shop shop;
    souk_totals totals;
    shop_open(&shop, test);
    SOUK_CHECK(
        shop_send(
            &shop, "/v1/track",
            "{\"event\":\"Order Completed\",\"userId\":\"u\",\"properties\":{\"order_id\":\"o\","
            "\"store_id\":\"SH-14\",\"currency\":\"eur\",\"revenue\":12.5,\"total\":99,"
            "\"products\":[{\"product_id\":\"A\",\"name\":\"Tea\",\"category\":\"Drinks\","
            "\"price\":\"4.25\",\"quantity\":2},{\"sku\":\"B\",\"price\":4}]}}") == 200);
    const souk_story *story = shop_story(&shop, "u", 0);
    SOUK_CHECK(story->fact.flags == (SOUK_EVENT_ORDER | SOUK_EVENT_SALE | SOUK_FACT_LINKS));
    SOUK_CHECK(story->fact.amount_micro == 12500000);
    SOUK_CHECK(story->fact.currency == souk_currency_code("EUR"));
    SOUK_CHECK(!strcmp(shop_name(&shop, SOUK_NAME_STORE, story->fact.store), "SH-14"));
    SOUK_CHECK(story->fact.line_count == 2);
    SOUK_CHECK(!strcmp(shop_name(&shop, SOUK_NAME_PRODUCT, story->lines[0].product), "A"));
    SOUK_CHECK(!strcmp(shop_name(&shop, SOUK_NAME_CATEGORY, story->lines[0].category), "Drinks"));
    SOUK_CHECK(story->lines[0].amount_micro == 8500000 &&
               story->lines[0].quantity_micro == 2000000);
    SOUK_CHECK(!strcmp(shop_name(&shop, SOUK_NAME_PRODUCT, story->lines[1].product), "B"));
    SOUK_CHECK(story->lines[1].amount_micro == 4000000 &&
               story->lines[1].quantity_micro == 1000000);
    SOUK_CHECK(
        shop_send(&shop, "/v1/track",
                  "{\"event\":\"Order "
                  "Refunded\",\"userId\":\"u\",\"properties\":{\"order_id\":\"o\",\"currency\":"
                  "\"EUR\",\"products\":[{\"id\":\"A\",\"price\":4.25,\"quantity\":1}]}}") == 200);
    story = shop_story(&shop, "u", 0);
    SOUK_CHECK(story->fact.flags == SOUK_EVENT_SALE && story->fact.amount_micro == -4250000);
    SOUK_CHECK(story->lines[0].quantity_micro == -1000000);
    SOUK_CHECK(shop_send(&shop, "/v1/track",
                         "{\"event\":\"Order "
                         "Cancelled\",\"userId\":\"u\",\"properties\":{\"order_id\":\"o\"}}") ==
               200);
    souk_index_totals(souk_spine_index(shop.spine), &totals);
    SOUK_CHECK(totals.events == 3 && totals.orders == 1 && totals.cancelled == 1);
    SOUK_CHECK(totals.currency_count == 1 && totals.amounts[0].amount_micro == 8250000);
    shop_close(&shop);
}

SOUK_TEST("the sum of an order has every product of it, also one without an id")
{
    struct shop shop;
    souk_totals totals;
    shop_open(&shop, test);
    SOUK_CHECK(
        shop_send(
            &shop, "/v1/track",
            "{\"event\":\"Order Completed\",\"userId\":\"u\",\"properties\":{\"order_id\":\"o\","
            "\"currency\":\"EUR\",\"products\":[{\"sku\":\"A\",\"price\":4},"
            "{\"name\":\"Tea\",\"price\":\"2.50\",\"quantity\":3},{}]}}") == 200);
    const souk_story *story = shop_story(&shop, "u", 0);
    SOUK_CHECK(story->fact.amount_micro == 11500000 && story->fact.line_count == 2);
    SOUK_CHECK(story->lines[1].product == 0 && story->lines[1].amount_micro == 7500000);
    SOUK_CHECK(story->lines[1].quantity_micro == 3000000);
    SOUK_CHECK(
        shop_send(
            &shop, "/v1/track",
            "{\"event\":\"Order Refunded\",\"userId\":\"u\",\"properties\":{\"order_id\":\"o\","
            "\"currency\":\"EUR\",\"price\":1.25,\"quantity\":2}}") == 200);
    SOUK_CHECK(shop_story(&shop, "u", 0)->fact.amount_micro == -2500000);
    souk_index_totals(souk_spine_index(shop.spine), &totals);
    SOUK_CHECK(totals.currency_count == 1 && totals.amounts[0].amount_micro == 9000000);
    shop_close(&shop);
}

SOUK_TEST(
    "a card, phone or open id comes along as a trait or as an external id, and leads to its event")
{
    struct shop shop;
    souk_story *stories;
    shop_open(&shop, test);
    SOUK_CHECK(
        shop_send(&shop, "/v1/track",
                  "{\"event\":\"Search\",\"context\":{\"externalIds\":["
                  "{\"type\":\"loyalty_card\",\"id\":9001},{\"type\":\"star sign\",\"id\":\"x\"},"
                  "{\"type\":\"open\",\"id\":\"o-1\"},7]}}") == 200);
    SOUK_CHECK(shop_send(&shop, "/v1/identify",
                         "{\"userId\":\"u-2\",\"traits\":{\"card\":\"9002\"}}") == 200);
    SOUK_CHECK(shop_send(&shop, "/v1/merge",
                         "{\"mergeProperties\":[{\"type\":\"phone\",\"value\":\"+49 30 1\"},"
                         "{\"type\":\"email\",\"value\":\"a@b.cd\"}]}") == 200);
    SOUK_CHECK(shop_timeline_of(&shop, SOUK_ID_CARD, "9001", &stories) == 1);
    SOUK_CHECK(shop_timeline_of(&shop, SOUK_ID_OPEN, "o-1", &stories) == 1);
    SOUK_CHECK(shop_timeline_of(&shop, SOUK_ID_CARD, "9002", &stories) == 1);
    SOUK_CHECK(shop_timeline_of(&shop, SOUK_ID_PHONE, "+49301", &stories) == 1);
    SOUK_CHECK(shop_timeline_of(&shop, SOUK_ID_EMAIL, "a@b.cd", &stories) == 1);
    SOUK_CHECK(!strcmp(shop_name(&shop, SOUK_NAME_TYPE, stories[0].fact.type), "Merge"));
    SOUK_CHECK(shop_events(&shop) == 3);
    shop_close(&shop);
}

SOUK_TEST("what a batch says of all its events is kept with each, and an event's own word wins")
{
    struct shop shop;
    souk_story *stories;
    shop_open(&shop, test);
    SOUK_CHECK(shop_send(&shop, "/v1/batch",
                         "{\"context\":{\"ip\":\"9\",\"device\":{\"id\":\"d\"}},\"batch\":["
                         "{\"type\":\"page\",\"userId\":\"u\",\"context\":{\"ip\":\"8\"}},"
                         "{\"type\":\"page\",\"userId\":\"u\"},3]}") == 200);
    SOUK_CHECK(shop_timeline_of(&shop, SOUK_ID_DEVICE, "d", &stories) == 2);
    SOUK_CHECK_TEXT(stories[0].text, "{\"context\":{\"ip\":\"9\",\"device\":{\"id\":\"d\"}},"
                                     "\"type\":\"page\",\"userId\":\"u\"}");
    SOUK_CHECK_TEXT(stories[1].text, "{\"context\":{\"ip\":\"8\",\"device\":{\"id\":\"d\"}},"
                                     "\"type\":\"page\",\"userId\":\"u\"}");
    shop_close(&shop);
}

SOUK_TEST("names of version 1 are the same events, and a shop's own event may say what it likes")
{
    struct shop shop;
    shop_open(&shop, test);
    SOUK_CHECK(shop_send(&shop, "/v1/track",
                         "{\"event\":\"Viewed Product\",\"userId\":\"u\","
                         "\"properties\":{\"sku\":\"A\",\"price\":\"2\"}}") == 200);
    SOUK_CHECK(!strcmp(shop_name(&shop, SOUK_NAME_TYPE, shop_story(&shop, "u", 0)->fact.type),
                       "Product Viewed"));
    SOUK_CHECK(shop_send(&shop, "/v1/track",
                         "{\"event\":\"Rated\",\"userId\":\"u\","
                         "\"properties\":{\"price\":\"cheap\",\"products\":\"all\"}}") == 200);
    SOUK_CHECK(shop_events(&shop) == 2 && shop_story(&shop, "u", 0)->fact.line_count == 0);
    shop_close(&shop);
}

SOUK_TEST("a line's own amount counts before its price, and the lines of a long receipt go on")
{
    struct shop shop;
    souk_totals totals;
    shop_open(&shop, test);
    SOUK_CHECK(shop_send(&shop, "/v1/track",
                         "{\"event\":\"Receipt Issued\",\"userId\":\"u\",\"properties\":{"
                         "\"receipt_id\":\"r\",\"store_id\":\"s\",\"currency\":\"EUR\","
                         "\"total\":\"3.26\",\"amount\":99,\"products\":[{\"sku\":\"A\","
                         "\"price\":\"2.99\",\"quantity\":\"0.42\",\"amount\":\"1.26\"},"
                         "{\"sku\":\"B\",\"price\":\"2\",\"quantity\":1}]}}") == 200);
    const souk_story *story = shop_story(&shop, "u", 0);
    SOUK_CHECK(story->fact.amount_micro == 3260000 && story->fact.line_count == 2);
    SOUK_CHECK(story->lines[0].amount_micro == 1260000 && story->lines[0].quantity_micro == 420000);
    SOUK_CHECK(story->lines[1].amount_micro == 2000000);
    SOUK_CHECK(
        shop_send(&shop, "/v1/track",
                  "{\"event\":\"Receipt Continued\",\"userId\":\"u\",\"properties\":{"
                  "\"receipt_id\":\"r\",\"store_id\":\"s\",\"currency\":\"EUR\",\"total\":\"0\","
                  "\"products\":[{\"sku\":\"C\",\"amount\":\"-1\",\"quantity\":-1}]}}") == 200);
    story = shop_story(&shop, "u", 0);
    SOUK_CHECK(story->fact.flags == SOUK_EVENT_SALE && story->fact.amount_micro == 0);
    SOUK_CHECK(story->lines[0].amount_micro == -1000000);
    souk_index_totals(souk_spine_index(shop.spine), &totals);
    SOUK_CHECK(totals.orders == 1 && totals.amounts[0].amount_micro == 3260000);
    shop_close(&shop);
}

SOUK_TEST("a message id counts once for its source, and an event without one is always new")
{
    struct shop shop;
    souk_statement statement = {.age = SOUK_AGE_UNKNOWN};
    uint32_t other;
    char key[SOUK_WRITE_KEY_BYTES], query[100];
    const char *twice = "{\"batch\":[{\"type\":\"page\",\"userId\":\"u\",\"messageId\":\"m\"},"
                        "{\"type\":\"page\",\"userId\":\"u\",\"messageId\":\"m\"}]}";
    shop_open(&shop, test);
    SOUK_CHECK(shop_send(&shop, "/v1/batch", twice) == 200 && shop_events(&shop) == 1);
    SOUK_CHECK(shop_send(&shop, "/v1/batch", twice) == 200 && shop_events(&shop) == 1);
    for (int i = 0; i < 2; i++)
        SOUK_CHECK(shop_send(&shop, "/v1/page", "{\"userId\":\"u\"}") == 200);
    SOUK_CHECK(shop_events(&shop) == 3);
    SOUK_CHECK(shop_send(&shop, "/v1/page", "{\"userId\":\"u\",\"messageId\":\"\"}") == 200);
    SOUK_CHECK(shop_events(&shop) == 4);
    SOUK_MUST(souk_merchants_source(shop.merchants, SOUK_OPERATOR, SOUK_TEXT("till"), &statement,
                                    &other, key));
    snprintf(query, sizeof query, "writeKey=%s", key);
    shop.query = souk_text_of(query);
    SOUK_CHECK(shop_send(&shop, "/v1/batch", twice) == 200 && shop_events(&shop) == 5);
    SOUK_CHECK(shop_story(&shop, "u", 0)->fact.source == other);
    shop_close(&shop);
}

/* ---- times ---------------------------------------------------------------------------------------------- */

static souk_time time_of(const char *text)
{
    souk_time at = 0;
    return souk_time_read(souk_text_of(text), NULL, &at) ? INT64_MIN : at;
}

SOUK_TEST("an event happened at its timestamp in any zone, and never after it was received")
{
    static const struct {
        const char *fields, *at;
    } cases[] = {
        {"\"timestamp\":\"2026-01-01T12:30:00.250+01:00\"", "2026-01-01T11:30:00.250Z"},
        {"\"timestamp\":\"2026-01-01T06:00:00-0500\"", "2026-01-01T11:00:00Z"},
        {"\"timestamp\":\"2025-12-31T23:59:59.999999Z\"", "2025-12-31T23:59:59.999Z"},
        {"\"timestamp\":\"2026-01-01 10:00:00\"", "2026-01-01T10:00:00Z"},
        {"\"timestamp\":\"2025-06-01\"", "2025-06-01T00:00:00Z"},
        {"\"timestamp\":\"2026-01-01T12:30:00Z\"", "2026-01-01T12:00:00Z"},
        {"\"timestamp\":\"yesterday\"", "2026-01-01T12:00:00Z"},
        {"\"timestamp\":1767268800", "2026-01-01T12:00:00Z"},
        {"\"timestamp\":null,\"originalTimestamp\":\"2026-01-01T09:00:00Z\"",
         "2026-01-01T09:00:00Z"},
        {"\"timestamp\":\"2026-01-01T08:00:00Z\",\"originalTimestamp\":\"2026-01-01T09:00:00Z\"",
         "2026-01-01T08:00:00Z"},
        /* a device an hour ahead, a day behind, four minutes off, and one that tells no time */
        {"\"sentAt\":\"2026-01-01T13:00:00Z\",\"timestamp\":\"2026-01-01T12:50:00Z\"",
         "2026-01-01T11:50:00Z"},
        {"\"sentAt\":\"2025-12-31T12:00:00Z\",\"originalTimestamp\":\"2025-12-31T11:00:00Z\"",
         "2026-01-01T11:00:00Z"},
        {"\"sentAt\":\"2026-01-01T11:56:00Z\",\"timestamp\":\"2026-01-01T11:00:00Z\"",
         "2026-01-01T11:00:00Z"},
        {"\"sentAt\":\"2020-01-01T00:00:00Z\"", "2026-01-01T12:00:00Z"},
        {"\"sentAt\":\"soon\",\"timestamp\":\"2026-01-01T11:00:00Z\"", "2026-01-01T11:00:00Z"},
    };
    struct shop shop;
    char body[400];
    shop_open(&shop, test);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(body, sizeof body, "{\"userId\":\"u\",%s}", cases[i].fields);
        SOUK_CHECK(shop_send(&shop, "/v1/page", body) == 200);
        const souk_story *story = shop_story(&shop, "u", 0);
        SOUK_CHECK(story->fact.at == time_of(cases[i].at));
        SOUK_CHECK(story->fact.received == SHOP_NOW);
    }
    shop_close(&shop);
}

SOUK_TEST("a timestamp that is no time dates the event to its receipt, and is counted")
{
    static const struct {
        const char *members;
        unsigned counted;
    } cases[] = {
        {"\"timestamp\":\"yesterday\"", 1},
        {"\"timestamp\":17,\"originalTimestamp\":null", 1},
        {"\"originalTimestamp\":\"2026-13-01\"", 1},
        {"\"timestamp\":\"soon\",\"originalTimestamp\":\"2026-01-01T10:00:00Z\"", 0},
        {"\"timestamp\":null", 0},
        {"\"timestamp\":\"2026-01-01T10:00:00Z\"", 0},
        {"\"name\":\"Home\"", 0},
    };
    struct shop shop;
    char body[200], wanted[60];
    unsigned counted = 0;
    shop_open(&shop, test);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        souk_auto_value(souk_buf) out = {.mem = souk_mem_heap()};
        snprintf(body, sizeof body, "{\"userId\":\"u\",\"type\":\"page\",%s}", cases[i].members);
        SOUK_CHECK(shop_send(&shop, "/v1/page", body) == 200);
        counted += cases[i].counted;
        if (cases[i].counted)
            SOUK_CHECK(shop_story(&shop, "u", 0)->fact.at == SHOP_NOW);
        souk_collect_count(shop.collect, &out);
        snprintf(wanted, sizeof wanted, "\nsouk_events_untimed_total %u\n", counted);
        SOUK_CHECK(strstr(souk_buf_ended(&out), wanted));
    }
    shop_close(&shop);
}

SOUK_TEST("a store's code with a control character is a fault of its event")
{
    static struct shop_rejects rejects;
    struct shop shop;
    shop_open(&shop, test);
    SOUK_CHECK(
        shop_send(&shop, "/v1/batch",
                  "{\"batch\":[{\"type\":\"track\",\"event\":\"Store Entered\",\"userId\":\"u\","
                  "\"properties\":{\"store_id\":\"SH\\u001b[2J\"}},"
                  "{\"type\":\"track\",\"event\":\"My Own\",\"userId\":\"u\",\"properties\":{"
                  "\"store_id\":\"SH\\u202e\"}},{\"type\":\"track\",\"event\":\"My Own\","
                  "\"userId\":\"u\",\"properties\":{\"store_id\":\"上海 1\"}}]}") == 200);
    shop_rejects(&shop, &rejects);
    SOUK_CHECK(rejects.count == 2 && shop_events(&shop) == 1);
    SOUK_CHECK(strstr(rejects.at[0].fault.at, "properties.store_id has a control character"));
    shop_close(&shop);
}

SOUK_TEST("the sentAt of a batch corrects all its events, whatever they say themselves")
{
    struct shop shop;
    souk_story *stories;
    shop_open(&shop, test);
    SOUK_CHECK(
        shop_send(&shop, "/v1/batch",
                  "{\"sentAt\":\"2026-01-01T14:00:00Z\",\"batch\":["
                  "{\"type\":\"page\",\"userId\":\"u\",\"timestamp\":\"2026-01-01T13:00:00Z\"},"
                  "{\"type\":\"page\",\"userId\":\"u\",\"timestamp\":\"2026-01-01T13:30:00Z\","
                  "\"sentAt\":\"2026-01-01T12:00:00Z\"}]}") == 200);
    SOUK_CHECK(shop_send(&shop, "/v1/batch",
                         "{\"batch\":[{\"type\":\"page\",\"userId\":\"u\",\"timestamp\":"
                         "\"2026-01-01T10:00:00Z\"}]}") == 200);
    SOUK_CHECK(shop_timeline(&shop, "u", &stories) == 3);
    SOUK_CHECK(stories[2].fact.at == time_of("2026-01-01T11:00:00Z"));
    SOUK_CHECK(stories[1].fact.at == time_of("2026-01-01T11:30:00Z"));
    SOUK_CHECK(stories[0].fact.at == time_of("2026-01-01T10:00:00Z")); /* the skew was forgotten */
    shop_close(&shop);
}

SOUK_TEST(
    "an event of the year 0 from a device in the year 9999 is stored, and the log stays sound")
{
    struct shop shop;
    shop_open(&shop, test);
    SOUK_CHECK(shop_send(&shop, "/v1/page",
                         "{\"userId\":\"u\",\"timestamp\":\"0000-01-01\",\"sentAt\":"
                         "\"9999-12-31T23:59:59Z\"}") == 200);
    SOUK_CHECK(shop_story(&shop, "u", 0)->fact.at < time_of("0001-01-01"));
    SOUK_MUST(souk_spine_verify(shop.spine, NULL, NULL, NULL));
    shop_close(&shop);
}

/* ---- money ---------------------------------------------------------------------------------------------- */

SOUK_TEST("money of more than six decimals is rounded half to even, and flagged")
{
    static const struct {
        const char *revenue;
        int64_t micro;
        bool rounded;
    } cases[] = {
        {"12.345678", 12345678, false},
        {"0.0000005", 0, true},
        {"0.0000015", 2, true},
        {"2.0000025", 2000002, true},
        {"2.00000250000000000000000000000000001", 2000003, true},
        {"-0.0000015", -2, true},
        {"1e3", 1000000000, false},
        {"\"7.10\"", 7100000, false},
        {"\"0.0000035\"", 4, true},
        {"9223372036854.775807", INT64_MAX, false},
        {"-9223372036854.775807", -INT64_MAX, false},
    };
    struct shop shop;
    char body[300], user[16];
    shop_open(&shop, test);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(user, sizeof user, "u-%zu", i);
        snprintf(
            body, sizeof body,
            "{\"event\":\"Order "
            "Completed\",\"userId\":\"%s\",\"properties\":{\"order_id\":\"o\",\"revenue\":%s}}",
            user, cases[i].revenue);
        SOUK_CHECK(shop_send(&shop, "/v1/track", body) == 200);
        const souk_fact *fact = &shop_story(&shop, user, 0)->fact;
        SOUK_CHECK(fact->amount_micro == cases[i].micro);
        SOUK_CHECK(((fact->flags & SOUK_EVENT_ROUNDED) != 0) == cases[i].rounded);
    }
    shop_close(&shop);
}

SOUK_TEST("numbers that are nobody's money keep every digit of their text")
{
    const char *body = "{\"userId\":\"u\", \"event\":\"Weighed\",\"properties\":{\"weight\":"
                       "1.10000000000000000000000000001,\"ratio\":1E+400,\"zero\":-0.0,"
                       "\"phone\":\"\\u4e2d\\/\",\"price\":1.10}}";
    struct shop shop;
    shop_open(&shop, test);
    SOUK_CHECK(shop_send(&shop, "/v1/track", body) == 200);
    SOUK_CHECK_TEXT(shop_story(&shop, "u", 0)->text, body);
    shop_close(&shop);
}

SOUK_TEST("a currency is three letters, and anything else is none")
{
    static const char *const told[] = {"\"gbp\"",       "\"GbP\"",       "\"EURO\"", "\"€\"",
                                       "\"a\\u0000b\"", "\"12\\u003a\"", "840",      "null"};
    struct shop shop;
    char body[300];
    shop_open(&shop, test);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        snprintf(body, sizeof body,
                 "{\"event\":\"Order "
                 "Completed\",\"userId\":\"u\",\"properties\":{\"order_id\":\"o\",\"revenue\":1,"
                 "\"currency\":%s}}",
                 told[i]);
        SOUK_CHECK(shop_send(&shop, "/v1/track", body) == 200);
        uint32_t currency = shop_story(&shop, "u", 0)->fact.currency;
        SOUK_CHECK(currency == (i < 2 ? souk_currency_code("GBP") : 0));
    }
    shop_close(&shop);
}

SOUK_TEST("invented currencies are faults of their events, and the real ones always have a place")
{
    static struct shop_rejects rejects;
    struct shop shop;
    souk_totals totals;
    souk_spine_counters counters;
    souk_auto_value(souk_buf) body = {.mem = test->mem};
    size_t known = 0;
    uint64_t rejected;
    shop_open(&shop, test);
    souk_buf_print(&body, "{\"batch\":[");
    for (unsigned i = 0; i < 26 * 26; i++)
        souk_buf_print(&body,
                       "{\"type\":\"track\",\"event\":\"Order Completed\",\"userId\":\"u\","
                       "\"properties\":{\"order_id\":\"o\",\"revenue\":1,\"currency\":\"Q%c%c\"}},",
                       'a' + i / 26, 'A' + i % 26);
    for (; souk_currency_at(known); known++)
        souk_buf_print(&body,
                       "{\"type\":\"track\",\"event\":\"Order Completed\",\"userId\":\"u\","
                       "\"properties\":{\"order_id\":\"o\",\"revenue\":1,\"currency\":\"%s\"}},",
                       souk_currency_at(known));
    souk_buf_print(&body, "{\"type\":\"track\",\"event\":\"Order Completed\",\"userId\":\"u\","
                          "\"properties\":{\"order_id\":\"o\",\"revenue\":1}},"
                          "{\"type\":\"track\",\"event\":\"Cart\",\"userId\":\"u\",\"properties\":{"
                          "\"currency\":\"QQQ\"}}]}");
    SOUK_CHECK(shop_send_text(&shop, "/v1/batch", souk_buf_view(&body)) == 200);
    souk_index_totals(souk_spine_index(shop.spine), &totals);
    SOUK_CHECK(totals.currency_count == known + 1 && known + 1 <= SOUK_TOTAL_CURRENCIES);
    souk_spine_count(shop.spine, &counters);
    SOUK_MUST(souk_rejects_count(souk_spine_rejects(shop.spine), &rejected));
    SOUK_CHECK(counters.quarantined == 0 && rejected == 26 * 26 - 1); /* QAR is one */
    shop_rejects(&shop, &rejects);
    SOUK_CHECK_TEXT(rejects.at[0].fault,
                    "properties.currency is no code of ISO 4217: send one, such as EUR");
    SOUK_CHECK_TEXT(rejects.at[0].where, "batch[0]");
    shop_close(&shop);
}

SOUK_TEST("sums that no longer fit leave an event out of the profile, and the shop goes on")
{
    const char *most =
        "{\"event\":\"Order "
        "Completed\",\"userId\":\"u\",\"properties\":{\"order_id\":\"o\",\"revenue\":"
        "9223372036854,\"currency\":\"EUR\"}}";
    struct shop shop;
    souk_spine_counters counters;
    shop_open(&shop, test);
    for (int i = 0; i < 3; i++)
        SOUK_CHECK(shop_send(&shop, "/v1/track", most) == 200);
    souk_spine_count(shop.spine, &counters);
    SOUK_CHECK(counters.events == 3 && counters.quarantined == 2);
    SOUK_CHECK(shop_send(&shop, "/v1/page", "{\"userId\":\"u\"}") == 200);
    SOUK_MUST(souk_spine_verify(shop.spine, NULL, NULL, NULL));
    shop_close(&shop);
}

/* ---- keys ----------------------------------------------------------------------------------------------- */

static void base64(const char *plain, char *coded)
{
    souk_base64_encode(plain, strlen(plain), SOUK_BASE64_STANDARD, coded);
}

SOUK_TEST("the write key is read from the header, the body and the query, and nothing else opens")
{
    struct shop shop;
    char plain[100], coded[200], header[220], body[300];
    const char *page = "{\"userId\":\"u\"}";
    shop_open(&shop, test);
    const char *const forms[] = {"%s:", "%s", "%s:ignored"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(plain, sizeof plain, forms[i], shop.secrets.write_key);
        base64(plain, coded);
        snprintf(header, sizeof header, "%s %s", i ? "Basic" : "bASIC", coded);
        shop.authorization = header;
        SOUK_CHECK(shop_send(&shop, "/v1/page", page) == 200);
    }
    shop.authorization = "Basic d3Jvbmc6";
    SOUK_CHECK(shop_send(&shop, "/v1/page", page) == 401);
    SOUK_CHECK(contains(souk_text_of(shop.answer), "not one of this shop's"));
    shop.authorization = "Bearer x";
    SOUK_CHECK(shop_send(&shop, "/v1/page", page) == 401);
    SOUK_CHECK(contains(souk_text_of(shop.answer), "no write key"));
    snprintf(body, sizeof body, "{\"userId\":\"u\",\"writeKey\":\"%s\"}", shop.secrets.write_key);
    SOUK_CHECK(shop_send(&shop, "/v1/page", body) == 200);
    shop.authorization = NULL;
    shop.query = SOUK_TEXT("writeKey=");
    SOUK_CHECK(shop_send(&shop, "/v1/page", page) == 401);
    snprintf(plain, sizeof plain, "writeKey=%s", shop.secrets.admin_token);
    shop.query = souk_text_of(plain);
    SOUK_CHECK(shop_send(&shop, "/v1/page", page) == 401);
    SOUK_CHECK(shop_events(&shop) == 4);
    shop_close(&shop);
}

SOUK_TEST("a write key in the body of a call is stored neither with its event nor with a reject")
{
    static struct shop_rejects rejects;
    struct shop shop;
    char body[200], hidden[200];
    shop_open(&shop, test);
    shop.authorization = "Bearer x";
    for (int fault = 0; fault < 2; fault++) {
        const char *form = fault ? "{\"writeKey\": \"%s\", \"name\":\"caf\\u00e9\"}"
                                 : "{\"userId\":\"u\",\"writeKey\":\"%s\",\"name\":\"a page\"}";
        snprintf(body, sizeof body, form, shop.secrets.write_key);
        SOUK_CHECK(shop_send(&shop, "/v1/page", body) == 200);
    }
    size_t spaces = strlen(shop.secrets.write_key) + 2 - 4; /* with the quotes, without null */
    snprintf(hidden, sizeof hidden, "{\"userId\":\"u\",\"writeKey\":null%*s,\"name\":\"a page\"}",
             (int)spaces, "");
    SOUK_CHECK_TEXT(shop_story(&shop, "u", 0)->text, hidden);
    shop_rejects(&shop, &rejects);
    snprintf(hidden, sizeof hidden, "{\"writeKey\": null%*s, \"name\":\"caf\\u00e9\"}", (int)spaces,
             "");
    SOUK_CHECK(rejects.count == 1);
    SOUK_CHECK_TEXT(rejects.at[0].text, hidden);
    /* Under another name, or as something else than a text, it is a property like any other. */
    shop.authorization = NULL;
    SOUK_CHECK(shop_send(&shop, "/v1/page", "{\"userId\":\"v\",\"writeKey\":7}") == 200);
    SOUK_CHECK_TEXT(shop_story(&shop, "v", 0)->text, "{\"userId\":\"v\",\"writeKey\":7}");
    shop_close(&shop);
}
