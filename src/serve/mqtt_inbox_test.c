/* mqtt_inbox_test.c - messages from the broker's side of the door into a shop on a simulated disk. */
#include "serve/mqtt_inbox.h"
#include "test/test.h"

#include "service/collect/intake.h"
#include "service/collect/test_shop.h"

struct mailbox {
    struct shop shop;
    souk_mqtt_topic topics[SOUK_MQTT_TOPICS];
    souk_inbox *inbox;
};

static void mailbox_open(struct mailbox *box, souk_test *test)
{
    size_t count;
    shop_open(&box->shop, test);
    SOUK_MUST(souk_mqtt_topics_read(
        SOUK_TEXT("frigate/# = frigate, cameras, SH-14; stores/+/rfid = zebra, readers, +;"
                  "counts = counts, readers"),
        box->topics, &count, NULL));
    SOUK_MUST(souk_inbox_open(test->mem, box->shop.spine, box->shop.merchants, box->topics, count,
                              &box->inbox, NULL));
}

static void mailbox_close(struct mailbox *box)
{
    souk_inbox_free(box->inbox);
    shop_close(&box->shop);
}

static void give(struct mailbox *box, const char *topic, const char *payload)
{
    souk_inbox_take(box->inbox, souk_text_of(topic), souk_text_of(payload), false);
}

static const char entered[] = "{\"type\":\"new\",\"before\":null,\"after\":{\"id\":\"i\","
                              "\"camera\":\"c\",\"label\":\"person\","
                              "\"frame_time\":1767268700,\"current_zones\":[\"door\"]}}";

SOUK_TEST("messages of several subscriptions are stored together, and once however often they come")
{
    struct mailbox box;
    mailbox_open(&box, test);
    for (int i = 0; i < 3; i++) {
        give(&box, "frigate/events", entered);
        give(&box, "stores/15/rfid", "{\"idHex\":\"AB\",\"timestamp\":1767268700000}");
        give(&box, "counts", "{\"sensor\":\"d\",\"end\":1767268700,\"in\":3}");
        give(&box, "counts", "{\"sensor\":\"e\",\"end\":1767268700,\"in\":3}");
        SOUK_CHECK(!souk_inbox_full(box.inbox));
        SOUK_MUST(souk_inbox_store(box.inbox));
        SOUK_CHECK(shop_events(&box.shop) == 4);
    }
    souk_inbox_counts counts = souk_inbox_count(box.inbox);
    SOUK_CHECK(counts.messages == 12 && counts.events == 12 && counts.rejects == 0);
    SOUK_CHECK(counts.stores == 3 && counts.failed_stores == 0);
    SOUK_MUST(souk_inbox_store(box.inbox)); /* nothing */
    SOUK_CHECK(souk_inbox_count(box.inbox).stores == 3);
    mailbox_close(&box);
}

SOUK_TEST("retained messages, topics of nobody and faces are counted and go nowhere")
{
    struct mailbox box;
    mailbox_open(&box, test);
    souk_inbox_take(box.inbox, SOUK_TEXT("frigate/events"), souk_text_of(entered), true);
    give(&box, "other/topic", "{}");
    give(&box, "frigate/tracked_object_update", "{\"type\":\"face\",\"name\":\"Ada\"}");
    SOUK_MUST(souk_inbox_store(box.inbox));
    souk_inbox_counts counts = souk_inbox_count(box.inbox);
    SOUK_CHECK(counts.retained == 1 && counts.unmatched == 1 && counts.left_out == 1);
    SOUK_CHECK(shop_events(&box.shop) == 0 && counts.events == 0 && counts.rejects == 0);
    mailbox_close(&box);
}

SOUK_TEST("a flood of what cannot be told keeps 100 rejects and lets good messages through")
{
    struct mailbox box;
    struct shop_rejects rejects;
    mailbox_open(&box, test);
    for (int i = 0; i < 1000; i++) {
        char good[100];
        snprintf(good, sizeof good, "{\"sensor\":\"d\",\"end\":%d,\"in\":3}", 1767260000 + i);
        give(&box, "counts", "[{\"sensor\":1},{}]");
        give(&box, "counts", good);
        if (souk_inbox_full(box.inbox))
            SOUK_MUST(souk_inbox_store(box.inbox));
    }
    SOUK_MUST(souk_inbox_store(box.inbox));
    souk_inbox_counts counts = souk_inbox_count(box.inbox);
    SOUK_CHECK(counts.rejects == 100 && counts.rejects_dropped == 1900);
    SOUK_CHECK(shop_events(&box.shop) == 1000);
    shop_rejects(&box.shop, &rejects);
    SOUK_CHECK(rejects.count == 100);
    SOUK_CHECK_TEXT(rejects.at[0].where, "form:counts counts");
    souk_clock_fake_advance(&box.shop.clock, 60000); /* a hundred more a minute */
    for (int i = 0; i < 150; i++)
        give(&box, "counts", "{}");
    SOUK_MUST(souk_inbox_store(box.inbox));
    counts = souk_inbox_count(box.inbox);
    SOUK_CHECK(counts.rejects == 200 && counts.rejects_dropped == 1950);
    mailbox_close(&box);
}

SOUK_TEST("a message that is too large, or makes too many events, is a reject without its text")
{
    struct mailbox box;
    struct shop_rejects rejects;
    souk_auto_value(souk_buf) many = {.mem = souk_mem_heap()}, large = {.mem = souk_mem_heap()};
    mailbox_open(&box, test);
    souk_buf_print(&many,
                   "{\"type\":\"dataEVT\",\"timestamp\":1767268700000,\"data\":{\"tagData\":[");
    for (int i = 0; i < 8001; i++)
        souk_buf_print(&many, "%s\"%08X\"", i ? "," : "", i);
    souk_buf_print(&many, "]}}");
    for (int i = 0; i < (1 << 20) + 1; i++)
        souk_buf_byte(&large, ' ');
    give(&box, "stores/15/rfid", "{\"idHex\":\"AB\",\"timestamp\":1767268700000}");
    souk_inbox_take(box.inbox, SOUK_TEXT("stores/15/rfid"), souk_buf_view(&many), false);
    souk_inbox_take(box.inbox, SOUK_TEXT("stores/15/rfid"), souk_buf_view(&large), false);
    give(&box, "stores/15/rfid", "{\"idHex\":\"CD\",\"timestamp\":1767268700000}");
    SOUK_MUST(souk_inbox_store(box.inbox));
    SOUK_CHECK(shop_events(&box.shop) == 2);
    shop_rejects(&box.shop, &rejects);
    SOUK_CHECK(rejects.count == 2 && souk_inbox_count(box.inbox).too_large == 2);
    for (size_t i = 0; i < 2; i++) {
        SOUK_CHECK_TEXT(rejects.at[i].where, "form:zebra@15 stores/15/rfid");
        SOUK_CHECK(rejects.at[i].text.bytes == 0);
        SOUK_CHECK(memmem(rejects.at[i].fault.at, rejects.at[i].fault.bytes, "8000 events", 11));
    }
    mailbox_close(&box);
}

SOUK_TEST("an inbox that has gathered enough says so")
{
    struct mailbox box;
    mailbox_open(&box, test);
    for (int i = 0; i < 999; i++)
        give(&box, "other", "");
    SOUK_CHECK(!souk_inbox_full(box.inbox));
    give(&box, "other", "");
    SOUK_CHECK(souk_inbox_full(box.inbox));
    SOUK_MUST(souk_inbox_store(box.inbox));
    SOUK_CHECK(!souk_inbox_full(box.inbox));
    mailbox_close(&box);
}

SOUK_TEST("two subscriptions may name one source, and a source keeps what it stated")
{
    struct mailbox box;
    souk_statement statement = {.age = SOUK_AGE_UNKNOWN};
    uint32_t readers, again;
    souk_inbox *other = NULL;
    shop_open(&box.shop, test);
    SOUK_MUST(souk_statement_read(&statement, SOUK_TEXT("profile=consent"), NULL));
    SOUK_MUST(souk_merchants_source(box.shop.merchants, SOUK_OPERATOR, SOUK_TEXT("readers"),
                                    &statement, &readers, NULL));
    souk_mqtt_topic topics[] = {{SOUK_TEXT("a"), SOUK_TEXT("readers"), SOUK_TEXT(""),
                                 souk_foreign_find(SOUK_TEXT("counts"))},
                                {SOUK_TEXT("b"), SOUK_TEXT("readers"), SOUK_TEXT(""),
                                 souk_foreign_find(SOUK_TEXT("zebra"))}};
    SOUK_MUST(souk_inbox_open(test->mem, box.shop.spine, box.shop.merchants, topics, 2, &box.inbox,
                              NULL));
    SOUK_MUST(
        souk_inbox_open(test->mem, box.shop.spine, box.shop.merchants, topics, 2, &other, NULL));
    give(&box, "a", "{}");
    SOUK_MUST(souk_inbox_store(box.inbox));
    struct shop_rejects rejects;
    shop_rejects(&box.shop, &rejects);
    SOUK_CHECK(rejects.count == 1 && rejects.at[0].source == readers);
    SOUK_MUST(souk_merchants_source(box.shop.merchants, SOUK_OPERATOR, SOUK_TEXT("readers"),
                                    &statement, &again, NULL));
    SOUK_CHECK(again == readers);
    souk_inbox_free(other);
    mailbox_close(&box);
}

SOUK_TEST("without memory nothing is stored by half, and the same messages come again")
{
    struct mailbox box;
    mailbox_open(&box, test);
    SOUK_FAULT_LOOP (test) {
        give(&box, "frigate/events", entered);
        give(&box, "stores/15/rfid", "{\"idHex\":\"AB\",\"timestamp\":1767268700000}");
        give(&box, "counts", "{}");
        souk_err err = souk_inbox_store(box.inbox);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
    }
    SOUK_CHECK(shop_events(&box.shop) == 2);
    mailbox_close(&box);
}
