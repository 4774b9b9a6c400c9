/* segment_limits_test.c - the Segment calls at their limits: faults with their places, large bodies, gzip,
 * failing memory, and random batches beside a list that a child could keep. */
#include "test/test.h"

#include "service/collect/test_shop.h"

#include <libdeflate.h>

static bool contains(souk_text text, const char *part)
{
    return text.bytes && memmem(text.at, text.bytes, part, strlen(part));
}

static void repeat(souk_buf *out, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++)
        souk_buf_text(out, souk_text_of(text));
}

/* ---- faults --------------------------------------------------------------------------------------------- */

SOUK_TEST("a fault of one event is told with its place, and its neighbours are taken")
{
    static const struct {
        const char *event, *words;
    } faults[] = {
        {"7", "no object: send {"},
        {"[]", "no object: send {"},
        {"{\"userId\":\"u\"}", "type is missing or unknown: send track"},
        {"{\"type\":\"Track\",\"userId\":\"u\"}", "type is missing or unknown: send track"},
        {"{\"type\":\"track\",\"userId\":\"u\"}", "event is empty or above 100 bytes: name it"},
        {"{\"type\":\"page\"}", "neither userId nor anonymousId: say whose"},
        {"{\"type\":\"page\",\"userId\":\"\",\"anonymousId\":null}", "neither userId nor"},
        {"{\"type\":\"page\",\"userId\":\"a\\u0000b\"}", "userId is no identifier: at most 256"},
        {"{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"phone\":\"()\"}}",
         "traits.phone is no identifier: at most"},
        {"{\"type\":\"track\",\"event\":\"Cart "
         "Viewed\",\"userId\":\"u\",\"properties\":{\"price\":\"1,"
         "5\"}}",
         "properties.price is no number, or does not fit: send it as 12.34"},
        {"{\"type\":\"track\",\"event\":\"Cart "
         "Viewed\",\"userId\":\"u\",\"properties\":{\"products\":[{},"
         "{"
         "\"sku\":\"A\",\"quantity\":true}]}}",
         "properties.products[1].quantity is no number"},
        {"{\"type\":\"track\",\"event\":\"Cart "
         "Viewed\",\"userId\":\"u\",\"properties\":{\"products\":[{"
         "\"sku\":\"A\",\"price\":9e12,\"quantity\":2}]}}",
         "properties.products[0].price times quantity does not fit: check both"},
        {"{\"type\":\"track\",\"event\":\"Order "
         "Completed\",\"userId\":\"u\",\"properties\":{\"order_id\":\"o\","
         "\"products\":[{\"sku\":\"A\",\"price\":9e12},{\"sku\":\"B\",\"price\":9e12}]}}",
         "the sum of properties.products does not fit: check"},
        {"{\"type\":\"track\",\"event\":\"Order "
         "Completed\",\"userId\":\"u\",\"properties\":{\"order_id\":\"o\","
         "\"revenue\":\"12 EUR\"}}",
         "properties.revenue is no number"},
        {"{\"type\":\"track\",\"event\":\"Order "
         "Refunded\",\"userId\":\"u\",\"properties\":{\"order_id\":\"o\",\"total\":"
         "-9223372036854.775808}}",
         "properties.total does not fit: send"},
    };
    enum { FAULTS = sizeof faults / sizeof *faults };
    souk_auto_value(souk_buf) body = {.mem = test->mem};
    static struct shop_rejects rejects;
    struct shop shop;
    char where[32];
    shop_open(&shop, test);
    souk_buf_print(&body, "{\"batch\":[");
    for (size_t i = 0; i < FAULTS; i++)
        souk_buf_print(&body, "%s,{\"type\":\"page\",\"userId\":\"u\"},", faults[i].event);
    souk_buf_print(&body, "{\"type\":\"page\",\"userId\":\"u\"}]}");
    SOUK_CHECK(shop_send_text(&shop, "/v1/batch", souk_buf_view(&body)) == 200);
    SOUK_CHECK(shop_events(&shop) == FAULTS + 1);
    shop_rejects(&shop, &rejects);
    SOUK_CHECK(rejects.count == FAULTS);
    for (size_t i = 0; i < FAULTS; i++) {
        snprintf(where, sizeof where, "batch[%zu]", 2 * i);
        SOUK_CHECK_TEXT(rejects.at[i].where, where);
        SOUK_CHECK_TEXT(rejects.at[i].text, faults[i].event);
        if (!contains(rejects.at[i].fault, faults[i].words))
            test_fail(test, __FILE__, __LINE__, "'%.*s' does not say '%s'",
                      SOUK_TEXT_PRINT(rejects.at[i].fault), faults[i].words);
    }
    shop_close(&shop);
}

SOUK_TEST("a reject is taken again once it is mended, and only then it is gone")
{
    static struct shop_rejects rejects;
    struct shop shop;
    souk_call *call = NULL;
    shop_open(&shop, test);
    SOUK_CHECK(shop_send(&shop, "/v1/batch", "{\"batch\":[{\"type\":\"page\"}]}") == 200);
    shop_rejects(&shop, &rejects);
    SOUK_CHECK(rejects.count == 1 && shop_events(&shop) == 0);
    SOUK_MUST(souk_call_new(test->mem, &call));
    uint64_t id = rejects.at[0].id;
    SOUK_CHECK_ERR(souk_collect_replay(shop.collect, call, id + 1, SOUK_TEXT("")), SOUK_ENOENT);
    SOUK_CHECK_ERR(souk_collect_replay(shop.collect, call, id, SOUK_TEXT("")), SOUK_EINVAL);
    SOUK_CHECK(contains(souk_text_of(call->diag.words), "still at fault: neither userId"));
    SOUK_CHECK_ERR(souk_collect_replay(shop.collect, call, id, SOUK_TEXT("{")), SOUK_ESYNTAX);
    const char *mended = "{\"type\":\"page\",\"userId\":\"u\"}";
    SOUK_MUST(souk_collect_replay(shop.collect, call, id, souk_text_of(mended)));
    SOUK_CHECK_ERR(souk_collect_replay(shop.collect, call, id, souk_text_of(mended)), SOUK_ENOENT);
    souk_call_free(call);
    SOUK_CHECK(shop_events(&shop) == 1);
    SOUK_CHECK_TEXT(shop_story(&shop, "u", 0)->text, mended);
    shop_close(&shop);
}

/* What a replay of the only reject leads to. */
static souk_err replay_only(struct shop *shop, const char *mended)
{
    static struct shop_rejects rejects;
    souk_test *test = shop->test;
    souk_call *call = NULL;
    shop_rejects(shop, &rejects);
    SOUK_CHECK(rejects.count == 1);
    SOUK_MUST(souk_call_new(test->mem, &call));
    souk_err err = souk_collect_replay(shop->collect, call, rejects.at[0].id, souk_text_of(mended));
    souk_call_free(call);
    return err;
}

static const char *last_type(struct shop *shop)
{
    return shop_name(shop, SOUK_NAME_TYPE, shop_story(shop, "u", 0)->fact.type);
}

SOUK_TEST("a reject of a single call keeps the call's type, and a mended one may name another")
{
    static struct shop_rejects rejects;
    struct shop shop;
    shop_open(&shop, test);
    SOUK_CHECK(shop_send(&shop, "/v1/track", "{\"event\":\"Search\",\"type\":\"page\"}") == 200);
    shop_rejects(&shop, &rejects);
    SOUK_CHECK_TEXT(rejects.at[0].where, "/v1/track");
    SOUK_CHECK_ERR(replay_only(&shop, ""), SOUK_EINVAL);
    SOUK_MUST(replay_only(&shop, "{\"event\":\"Search\",\"userId\":\"u\"}"));
    SOUK_CHECK(!strcmp(last_type(&shop), "Search"));
    SOUK_CHECK(shop_send(&shop, "/v1/identify", "{}") == 200);
    SOUK_MUST(replay_only(&shop, "{\"userId\":\"u\"}"));
    SOUK_CHECK(!strcmp(last_type(&shop), "Identify"));
    SOUK_CHECK(shop_send(&shop, "/v1/identify", "{}") == 200);
    SOUK_MUST(replay_only(&shop, "{\"userId\":\"u\",\"type\":\"screen\"}"));
    SOUK_CHECK(!strcmp(last_type(&shop), "Screen"));
    SOUK_CHECK(shop_send(&shop, "/v1/batch", "{\"batch\":[{}]}") == 200);
    SOUK_CHECK_ERR(replay_only(&shop, "{\"userId\":\"u\"}"), SOUK_EINVAL);
    shop_close(&shop);
}

/* ---- limits --------------------------------------------------------------------------------------------- */

SOUK_TEST("what is no batch is refused whole, and nothing of it is stored")
{
    static const struct {
        const char *body;
        int status;
    } bodies[] = {
        {"", 400},
        {"{", 400},
        {"{}", 400},
        {"[]", 400},
        {"{\"batch\":{}}", 400},
        {"{\"batch\":[{\"type\":\"page\",\"userId\":\"\xff\"}]}", 400},
        {"{\"batch\":[{\"type\":\"page\",\"userId\":\"u\"}]} x", 400},
        {"{\"batch\":[]}", 200},
    };
    struct shop shop;
    shop_open(&shop, test);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        SOUK_CHECK(shop_send(&shop, "/v1/batch", bodies[i].body) == bodies[i].status);
    SOUK_CHECK(shop_events(&shop) == 0);
    shop_close(&shop);
}

SOUK_TEST("a batch holds 10,000 events, and one more is refused whole")
{
    souk_auto_value(souk_buf) body = {.mem = test->mem};
    struct shop shop;
    shop_open(&shop, test);
    for (size_t count = 10000; count <= 10001; count++) {
        souk_buf_clear(&body);
        souk_buf_print(&body, "{\"batch\":[{\"type\":\"page\",\"userId\":\"u\"}");
        repeat(&body, ",7", count - 1);
        souk_buf_print(&body, "]}");
        int status = shop_send_text(&shop, "/v1/batch", souk_buf_view(&body));
        SOUK_CHECK(status == (count == 10000 ? 200 : 413));
    }
    uint64_t rejected;
    SOUK_MUST(souk_rejects_count(souk_spine_rejects(shop.spine), &rejected));
    SOUK_CHECK(rejected == 9999 && shop_events(&shop) == 1);
    shop_close(&shop);
}

/* An event of exactly so many bytes. */
static void sized_event(souk_buf *body, size_t bytes)
{
    size_t from = body->bytes;
    souk_buf_print(body, "{\"type\":\"page\",\"userId\":\"u\",\"name\":\"");
    repeat(body, "x", bytes - (body->bytes - from) - 2);
    souk_buf_print(body, "\"}");
}

SOUK_TEST("events, message ids, names and baskets stop at their limits, one by one")
{
    souk_auto_value(souk_buf) body = {.mem = test->mem};
    static struct shop_rejects rejects;
    struct shop shop;
    shop_open(&shop, test);
    souk_buf_print(&body, "{\"batch\":[");
    for (size_t over = 0; over < 2; over++) {
        sized_event(&body, 32768 + over);
        souk_buf_print(&body, ",{\"type\":\"page\",\"userId\":\"u\",\"messageId\":\"");
        repeat(&body, "m", 100 + over);
        souk_buf_print(&body, "\"},{\"type\":\"track\",\"userId\":\"u\",\"event\":\"");
        repeat(&body, "e", 100 + over);
        souk_buf_print(&body, "\"},{\"type\":\"page\",\"userId\":\"");
        repeat(&body, "u", 256 + over);
        souk_buf_print(&body, "\"},{\"type\":\"track\",\"event\":\"Cart Viewed\",\"userId\":\"u\","
                              "\"properties\":{\"products\":[{\"id\":1}");
        repeat(&body, ",{\"id\":1}", 199 + over);
        souk_buf_print(&body, "]}}%s", over ? "]}" : ",");
    }
    SOUK_CHECK(shop_send_text(&shop, "/v1/batch", souk_buf_view(&body)) == 200);
    SOUK_CHECK(shop_events(&shop) == 5);
    SOUK_CHECK(shop_story(&shop, "u", 0)->fact.line_count == 200);
    shop_rejects(&shop, &rejects);
    static const char *const words[] = {
        "the event has more than 32768 bytes: send fewer",
        "messageId has more than 100 bytes: send", "event is empty or above 100 bytes: name it",
        "userId is no identifier: at most 256 bytes",
        "properties.products has more than 200 entries: send the rest"};
    SOUK_CHECK(rejects.count == 5);
    for (size_t i = 0; i < 5; i++)
        SOUK_CHECK(contains(rejects.at[i].fault, words[i]));
    shop_close(&shop);
}

SOUK_TEST("properties nest 32 deep with the batch around them, and no deeper")
{
    souk_auto_value(souk_buf) body = {.mem = test->mem};
    struct shop shop;
    shop_open(&shop, test);
    for (size_t depth = 32; depth <= 33; depth++) {
        souk_buf_clear(&body);
        souk_buf_print(&body, "{\"batch\":[{\"type\":\"page\",\"userId\":\"u\",\"properties\":");
        repeat(&body, "[", depth - 3);
        repeat(&body, "]", depth - 3);
        souk_buf_print(&body, "}]}");
        int status = shop_send_text(&shop, "/v1/batch", souk_buf_view(&body));
        SOUK_CHECK(status == (depth == 32 ? 200 : 413));
    }
    SOUK_CHECK(shop_events(&shop) == 1);
    shop_close(&shop);
}

/* ---- gzip ----------------------------------------------------------------------------------------------- */

static void gzip(souk_test *test, souk_text plain, souk_buf *out)
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
    SOUK_CHECK(compressor);
    size_t most = libdeflate_gzip_compress_bound(compressor, plain.bytes);
    char *to = souk_buf_room(out, most);
    souk_buf_added(out, libdeflate_gzip_compress(compressor, plain.at, plain.bytes, to, most));
    libdeflate_free_compressor(compressor);
}

SOUK_TEST("a body in gzip is inflated to 4 MiB, and a damaged or larger one is refused")
{
    souk_auto_value(souk_buf) plain = {.mem = test->mem}, packed = {.mem = test->mem};
    struct shop shop;
    shop_open(&shop, test);
    size_t taken = 0;
    const char *page = "{\"userId\":\"u\",\"name\":\"a page, a page, a page, a page\"}";
    gzip(test, souk_text_of(page), &packed);
    SOUK_CHECK(shop_send_text(&shop, "/v1/page", souk_buf_view(&packed)) == 200);
    SOUK_CHECK_TEXT(shop_story(&shop, "u", 0)->text, page);
    for (size_t at = 2; at < packed.bytes; at++) { /* no flipped bit is taken for another body */
        packed.at[at] ^= 16;
        int status = shop_send_text(&shop, "/v1/page", souk_buf_view(&packed));
        packed.at[at] ^= 16;
        /* Flags of the head and bits behind the last symbol mean nothing. */
        SOUK_CHECK(status == 200 || status == 400 || status == 413);
        taken += status == 200;
        SOUK_CHECK_TEXT(shop_story(&shop, "u", 0)->text, page);
    }
    SOUK_CHECK(taken < 10);
    for (size_t over = 0; over < 2; over++) {
        souk_buf_clear(&plain);
        souk_buf_clear(&packed);
        souk_buf_print(&plain, "{\"batch\":[]}");
        repeat(&plain, " ", ((size_t)4 << 20) - plain.bytes + over);
        gzip(test, souk_buf_view(&plain), &packed);
        int status = shop_send_text(&shop, "/v1/batch", souk_buf_view(&packed));
        SOUK_CHECK(status == (over ? 413 : 200));
        souk_put_u32(packed.at + packed.bytes - 4, 100); /* a bomb that lies about its size */
        status = shop_send_text(&shop, "/v1/batch", souk_buf_view(&packed));
        SOUK_CHECK(status == 400 || status == 413);
    }
    shop_close(&shop);
}

SOUK_TEST("a body of many gzip members is all of them, and what stands behind them damages it")
{
    souk_auto_value(souk_buf) packed = {.mem = test->mem}, plain = {.mem = test->mem};
    const char *batch = "{\"batch\":[{\"type\":\"page\",\"userId\":\"u\"},"
                        "{\"type\":\"page\",\"userId\":\"u\"}]}";
    struct shop shop;
    shop_open(&shop, test);
    for (size_t i = 0; i < strlen(batch);
         i++) /* each byte a member; the last one tells of 1 byte */
        gzip(test, (souk_text){batch + i, 1}, &packed);
    SOUK_CHECK(shop_send_text(&shop, "/v1/batch", souk_buf_view(&packed)) == 200);
    SOUK_CHECK(shop_events(&shop) == 2);
    /* A second document is no batch of its own, and is not passed over. */
    souk_buf_clear(&packed);
    gzip(test, souk_text_of(batch), &packed);
    size_t one = packed.bytes;
    gzip(test, souk_text_of(batch), &packed);
    SOUK_CHECK(shop_send_text(&shop, "/v1/batch", souk_buf_view(&packed)) == 400);
    packed.bytes = one;
    souk_buf_text(&packed, SOUK_TEXT("garbage"));
    SOUK_CHECK(shop_send_text(&shop, "/v1/batch", souk_buf_view(&packed)) == 400);
    packed.bytes = one - 4;
    SOUK_CHECK(shop_send_text(&shop, "/v1/batch", souk_buf_view(&packed)) == 400);
    SOUK_CHECK(shop_events(&shop) == 2);
    /* The cap is of all members together. */
    for (size_t over = 0; over < 2; over++) {
        souk_buf_clear(&packed);
        gzip(test, souk_text_of(batch), &packed);
        souk_buf_clear(&plain);
        repeat(&plain, " ", ((size_t)4 << 20) - strlen(batch) - 10);
        gzip(test, souk_buf_view(&plain), &packed);
        gzip(test, (souk_text){"           ", 10 + over}, &packed);
        int status = shop_send_text(&shop, "/v1/batch", souk_buf_view(&packed));
        SOUK_CHECK(status == (over ? 413 : 200));
    }
    SOUK_CHECK(shop_events(&shop) == 4);
    shop_close(&shop);
}

/* ---- memory --------------------------------------------------------------------------------------------- */

SOUK_TEST("a batch that runs out of memory anywhere stores nothing and says to come again")
{
    struct shop shop;
    char body[700];
    unsigned round = 0;
    shop_open(&shop, test);
    /* The key has an escape, so that reading it takes memory as well. */
    shop.query = SOUK_TEXT("x=y");
    SOUK_FAULT_LOOP (test) {
        uint64_t before = shop_events(&shop), rejects_before, rejects;
        souk_err err = souk_rejects_count(souk_spine_rejects(shop.spine), &rejects_before);
        snprintf(body, sizeof body,
                 "{\"writeKey\":\"\\u0073%.39s\",\"batch\":[{\"type\":\"track\",\"event\":"
                 "\"Order Completed\",\"userId\":\"u-%u\",\"traits\":{\"email\":\"E-%u@x.yz\"},"
                 "\"properties\":{\"order_id\":\"o\",\"products\":[{\"sku\":\"\\u0041\",\"price\":"
                 "\"1.50\"}]}},"
                 "{\"type\":\"page\",\"userId\":\"\\u0075-%u\"},{\"type\":\"page\"}]}",
                 shop.secrets.write_key + 1, round, round, round);
        round++;
        souk_collect_close(shop.collect);
        shop.collect = NULL;
        if (!err)
            err = souk_collect_open(test->mem, shop.spine, shop.merchants, &shop.collect);
        if (!err)
            err = shop_send(&shop, "/v1/batch", body) == 200 ? SOUK_OK : SOUK_ENOMEM;
        SOUK_MUST(souk_rejects_count(souk_spine_rejects(shop.spine), &rejects));
        SOUK_CHECK(shop_events(&shop) == before + (err ? 0 : 2));
        SOUK_CHECK(rejects == rejects_before + (err ? 0 : 1));
        SOUK_CHECK(!err || !shop.collect || shop.status == 503);
        test_fault_seen(test, err);
    }
    SOUK_CHECK(round > 10);
    shop_close(&shop);
}

/* ---- beside a list -------------------------------------------------------------------------------------- */

enum { USERS = 6, LISTED = 400 };

/* What a child would write down of the events it saw: whose, when, how much. */
struct listed {
    unsigned user;
    souk_time at;
    int64_t micro;
    char text[256];
};

struct list {
    size_t count, refused;
    struct listed at[LISTED];
};

static void random_event(souk_test *test, struct list *list, souk_buf *body)
{
    struct listed *listed = &list->at[list->count];
    uint64_t cents = test_random(test, 1000000), ms = test_random(test, 86400000);
    char at[SOUK_TIME_BYTES];
    bool refund = test_random(test, 4) == 0;
    listed->user = (unsigned)test_random(test, USERS);
    listed->at = SHOP_NOW - (souk_time)ms;
    listed->micro = (int64_t)cents * (refund ? -10000 : 10000);
    souk_time_write(listed->at, at);
    int fault = (int)test_random(test, 8); /* 0 and 1: of two kinds */
    snprintf(listed->text, sizeof listed->text,
             "{\"type\":\"track\",\"event\":\"Order %s\",\"%s\":\"u-%u\",\"timestamp\":\"%s\","
             "\"properties\":{\"order_id\":\"o\",\"total\":%s%llu.%02llu%s}}",
             refund ? "Refunded" : "Completed", fault == 0 ? "user" : "userId", listed->user, at,
             fault == 1 ? "\"+" : "", (unsigned long long)(cents / 100),
             (unsigned long long)(cents % 100), fault == 1 ? "\"" : "");
    souk_buf_text(body, souk_text_of(listed->text));
    list->count += fault > 1;
    list->refused += fault <= 1;
}

static bool same_as_list(struct shop *shop, const struct list *list)
{
    static struct shop_rejects rejects;
    for (unsigned user = 0; user < USERS; user++) {
        char name[16];
        souk_story *stories;
        snprintf(name, sizeof name, "u-%u", user);
        size_t left = shop_timeline(shop, name, &stories);
        for (size_t i = 0; i < list->count; i++) {
            const struct listed *listed = &list->at[i];
            if (listed->user != user)
                continue;
            if (left == 0)
                return false;
            const souk_story *story = &stories[--left];
            if (story->fact.at != listed->at || story->fact.amount_micro != listed->micro ||
                !souk_text_equal(story->text, souk_text_of(listed->text)))
                return false;
        }
        if (left)
            return false;
    }
    shop_rejects(shop, &rejects);
    return rejects.count == list->refused && shop_events(shop) == list->count;
}

SOUK_TEST("random batches leave what a list of them says, and one cent more would be noticed")
{
    static struct list list;
    souk_auto_value(souk_buf) body = {.mem = test->mem};
    struct shop shop;
    list.count = list.refused = 0;
    shop_open(&shop, test);
    while (list.count + 40 < LISTED && list.refused + 40 < 100) {
        size_t events = 1 + test_random(test, 40);
        souk_buf_clear(&body);
        souk_buf_print(&body, "{\"batch\":[");
        for (size_t i = 0; i < events; i++) {
            if (i)
                souk_buf_byte(&body, ',');
            random_event(test, &list, &body);
        }
        souk_buf_print(&body, "]}");
        SOUK_CHECK(shop_send_text(&shop, "/v1/batch", souk_buf_view(&body)) == 200);
        SOUK_CHECK(list.count == shop_events(&shop));
    }
    SOUK_CHECK(list.count > 100 && same_as_list(&shop, &list));
    list.at[test_random(test, list.count)].micro += 10000;
    SOUK_CHECK(!same_as_list(&shop, &list));
    shop_close(&shop);
}
