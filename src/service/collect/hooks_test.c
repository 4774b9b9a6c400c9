/* hooks_test.c - signed hooks and the Sensors doors, from a request to stored events. */
#include "test/test.h"

#include "base/base64.h"
#include "service/collect/hook_secret.h"
#include "service/collect/hooks.h"
#include "service/collect/test_shop.h"

#define ORDER                                                                           \
    "{\"id\":450789469,\"created_at\":\"2026-01-01T10:00:00Z\",\"currency\":\"EUR\","   \
    "\"total_price\":\"12.50\",\"email\":\"ann@example.com\",\"customer\":{\"id\":17}," \
    "\"line_items\":[{\"product_id\":5,\"price\":\"6.25\",\"quantity\":2}]}"

struct door {
    struct shop shop;
    void *state;
    const char *headers[8][2];
    size_t header_count;
    uint32_t merchant; /* of the next call, as a token would tell */
    char type[40];
};

static void door_open(struct door *door, souk_test *test)
{
    *door = (struct door){.merchant = SOUK_OPERATOR};
    shop_open(&door->shop, test);
    SOUK_MUST(
        souk_hooks_service.open(test->mem, door->shop.spine, door->shop.merchants, &door->state));
}

static void door_close(struct door *door)
{
    souk_hooks_service.close(door->state);
    shop_close(&door->shop);
}

static souk_text door_header(souk_call *call, souk_text name)
{
    const struct door *door = call->from;
    for (size_t i = 0; i < door->header_count; i++)
        if (souk_text_equal_nocase(name, souk_text_of(door->headers[i][0])))
            return souk_text_of(door->headers[i][1]);
    return SOUK_TEXT("");
}

static void door_answered(souk_call *call, int status, const char *type, souk_text body,
                          unsigned retry_s)
{
    struct door *door = call->from;
    snprintf(door->type, sizeof door->type, "%s", type ? type : "");
    call->from = &door->shop;
    shop_answered(call, status, type, body, retry_s);
    call->from = door;
}

/* The route is found as serve/ finds it; the answer's status. */
static int door_call(struct door *door, const char *method, const char *path, const char *query,
                     souk_text body)
{
    souk_test *test = door->shop.test;
    souk_call *call = NULL;
    if (souk_call_new(test->mem, &call))
        return door->shop.status = 503;
    call->spine = door->shop.spine;
    call->merchants = door->shop.merchants;
    call->method = souk_text_of(method);
    call->path = souk_text_of(path);
    call->query = souk_text_of(query);
    call->body = body;
    call->state = door->state;
    call->from = door;
    call->header = door_header;
    call->send = door_answered;
    call->caller = (souk_caller){.merchant = door->merchant, .scopes = SOUK_SCOPE_ALL};
    door->shop.answers = 0;
    const souk_route *route = souk_hooks_service.routes;
    size_t left = souk_hooks_service.route_count;
    while (left && (!souk_route_fits(route, call->path, call->parts) ||
                    !souk_text_equal(call->method, souk_text_of(route->method)))) {
        memset(call->parts, 0, sizeof call->parts);
        route++;
        left--;
    }
    SOUK_CHECK(left);
    route->handle(call);
    souk_call_free(call);
    SOUK_CHECK(door->shop.answers == 1);
    return door->shop.status;
}

static void put_header(struct door *door, const char *name, const char *value)
{
    size_t i = 0;
    while (i < door->header_count && strcmp(door->headers[i][0], name) != 0)
        i++;
    door->headers[i][0] = name;
    door->headers[i][1] = value;
    door->header_count = i < door->header_count ? door->header_count : i + 1;
}

/* A hook signed with the secret. */
static int deliver(struct door *door, const char *path, const char *topic, const char *secret,
                   souk_text body)
{
    uint8_t mac[SOUK_HMAC_BYTES];
    static char signature[SOUK_BASE64_BYTES(SOUK_HMAC_BYTES)]; /* headers point at it */
    bool is_woo = strstr(path, "woocommerce");
    souk_hmac_sha256(souk_text_of(secret), body, mac);
    souk_base64_encode(mac, sizeof mac, SOUK_BASE64_STANDARD, signature);
    door->header_count = 0;
    put_header(door, is_woo ? "X-WC-Webhook-Signature" : "X-Shopify-Hmac-Sha256", signature);
    put_header(door, is_woo ? "X-WC-Webhook-Topic" : "X-Shopify-Topic", topic);
    return door_call(door, "POST", path, "", body);
}

static int add_hook(struct door *door, const char *form, const char *source, const char *secret)
{
    char body[800];
    snprintf(body, sizeof body, "{\"form\":\"%s\",\"source\":\"%s\",\"secret\":\"%s\"}", form,
             source, secret);
    return door_call(door, "POST", "/v1/hooks", "", souk_text_of(body));
}

static bool says(const struct door *door, const char *words)
{
    return strstr(door->shop.answer, words);
}

/* ---- signatures ------------------------------------------------------------------------------------------ */

SOUK_TEST(
    "a hook that its shop signed is stored once, however often and under whatever names it comes")
{
    struct door door;
    souk_totals totals;
    souk_story *stories;
    door_open(&door, test);
    SOUK_CHECK(add_hook(&door, "shopify", "webshop", "hush") == 201);
    SOUK_CHECK(says(&door, "\"path\":\"/v1/hooks/shopify/webshop\"") && !says(&door, "hush"));
    for (int i = 0; i < 3; i++) {
        SOUK_CHECK(deliver(&door, "/v1/hooks/shopify/webshop", "orders/create", "hush",
                           SOUK_TEXT(ORDER)) == 200);
        put_header(&door, "X-Shopify-Event-Id", i == 1 ? "e-1" : "e-2");
        SOUK_CHECK(door_call(&door, "POST", "/v1/hooks/shopify/webshop", "", SOUK_TEXT(ORDER)) ==
                   200);
    }
    SOUK_CHECK(shop_events(&door.shop) == 1);
    SOUK_CHECK(shop_timeline_of(&door.shop, SOUK_ID_EMAIL, "ann@example.com", &stories) == 1);
    SOUK_CHECK(
        !strcmp(shop_name(&door.shop, SOUK_NAME_TYPE, stories->fact.type), "Order Completed"));
    SOUK_CHECK(stories->fact.amount_micro == 12500000 && stories->fact.line_count == 1);
    SOUK_CHECK(shop_timeline_of(&door.shop, SOUK_ID_OPEN, "shopify:customer:17", &stories) == 1);
    souk_index_totals(souk_spine_index(door.shop.spine), &totals);
    SOUK_CHECK(totals.orders == 1 && totals.amounts[0].amount_micro == 12500000);
    door_close(&door);
}

SOUK_TEST("the vector of both shops opens the door, and each of its bits counts")
{
    const souk_text body = SOUK_TEXT("{\"id\":820982911946154508,\"email\":\"jon@example.com\"}");
    const char *signature = "D0UMXmhjwBRi4y66TmhJrDlhQABD7zI2fm3p6/QLMo8=";
    struct door door;
    door_open(&door, test);
    SOUK_CHECK(add_hook(&door, "shopify", "a", "hush") == 201);
    SOUK_CHECK(add_hook(&door, "woocommerce", "b", "hush") == 201);
    put_header(&door, "X-Shopify-Hmac-SHA256", signature);
    put_header(&door, "X-WC-Webhook-Signature", signature);
    put_header(&door, "X-Shopify-Topic", "customers/update");
    put_header(&door, "X-WC-Webhook-Topic", "customer.updated");
    SOUK_CHECK(door_call(&door, "POST", "/v1/hooks/shopify/a", "", body) == 200);
    SOUK_CHECK(door_call(&door, "POST", "/v1/hooks/woocommerce/b", "", body) == 200);
    SOUK_CHECK(shop_events(&door.shop) == 2);
    for (size_t bit = 0; bit < 8 * body.bytes; bit += 1 + test_random(test, 5)) {
        char forged[100];
        memcpy(forged, body.at, body.bytes);
        forged[bit / 8] ^= (char)(1 << bit % 8);
        SOUK_CHECK(door_call(&door, "POST", "/v1/hooks/shopify/a", "",
                             (souk_text){forged, body.bytes}) == 401);
    }
    for (size_t i = 0; signature[i]; i++) {
        char forged[50];
        snprintf(forged, sizeof forged, "%s", signature);
        forged[i] = forged[i] == 'A' ? 'B' : 'A';
        put_header(&door, "X-Shopify-Hmac-SHA256", forged);
        SOUK_CHECK(door_call(&door, "POST", "/v1/hooks/shopify/a", "", body) == 401);
    }
    const char *const others[] = {"", "=", "D0UMXmhjwBRi4y66TmhJrDlhQABD7zI2fm3p6/QLMo8", "hush",
                                  "0f450c5e6863c01462e32eba4e6849ac3961400043ef32367e6de9eb"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        put_header(&door, "X-Shopify-Hmac-SHA256", others[i]);
        SOUK_CHECK(door_call(&door, "POST", "/v1/hooks/shopify/a", "", body) == 401);
    }
    struct shop_rejects *rejects = souk_arena_get(&door.shop.arena, sizeof *rejects);
    shop_rejects(&door.shop, rejects);
    SOUK_CHECK(shop_events(&door.shop) == 2 && rejects->count == 0);
    door_close(&door);
}

SOUK_TEST("another hook's secret, another form's, a write key and a token sign nothing")
{
    struct door door;
    const souk_text body = SOUK_TEXT(ORDER);
    door_open(&door, test);
    SOUK_CHECK(add_hook(&door, "shopify", "a", "secret-a") == 201);
    SOUK_CHECK(add_hook(&door, "shopify", "b", "secret-b") == 201);
    SOUK_CHECK(add_hook(&door, "woocommerce", "a", "secret-w") == 201);
    const char *const wrong[] = {"secret-b",
                                 "secret-w",
                                 "",
                                 "secret-a ",
                                 door.shop.secrets.write_key,
                                 door.shop.secrets.admin_token};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        SOUK_CHECK(deliver(&door, "/v1/hooks/shopify/a", "orders/create", wrong[i], body) == 401);
    char first[1024];
    snprintf(first, sizeof first, "%s", door.shop.answer);
    /* A hook that is not there is answered as a wrong secret is. */
    SOUK_CHECK(deliver(&door, "/v1/hooks/shopify/c", "orders/create", "secret-a", body) == 401);
    SOUK_CHECK(!strcmp(first, door.shop.answer));
    SOUK_CHECK(shop_events(&door.shop) == 0);
    SOUK_CHECK(deliver(&door, "/v1/hooks/shopify/a", "orders/create", "secret-a", body) == 200);
    SOUK_CHECK(shop_events(&door.shop) == 1);
    /* The same order through another source is another shop's order. */
    SOUK_CHECK(deliver(&door, "/v1/hooks/shopify/b", "orders/create", "secret-b", body) == 200);
    SOUK_CHECK(shop_events(&door.shop) == 2);
    door_close(&door);
}

static souk_err insert_guest(souk_tx *tx, void *context)
{
    (void)context;
    return souk_sql_run(tx, "INSERT INTO merchant (number, public_id, name) VALUES (2, 'g', 'g')",
                        SOUK_NO_VALUES);
}

SOUK_TEST("two merchants whose sources share a name are told apart by their secrets")
{
    struct door door;
    const souk_text body = SOUK_TEXT(ORDER);
    door_open(&door, test);
    SOUK_MUST(
        souk_ledger_write(souk_spine_ledger(door.shop.spine), SOUK_LANE_JOB, insert_guest, NULL));
    SOUK_CHECK(add_hook(&door, "shopify", "web shop", "secret-1") == 201);
    SOUK_CHECK(says(&door, "/v1/hooks/shopify/web%20shop"));
    door.merchant = 2;
    SOUK_CHECK(add_hook(&door, "shopify", "web shop", "secret-2") == 201);
    SOUK_CHECK(door_call(&door, "GET", "/v1/hooks", "", SOUK_TEXT("")) == 200);
    SOUK_CHECK(says(&door, "\"id\":2") && !says(&door, "\"id\":1"));
    SOUK_CHECK(door_call(&door, "DELETE", "/v1/hooks/1", "", SOUK_TEXT("")) == 404);
    SOUK_CHECK(deliver(&door, "/v1/hooks/shopify/web%20shop", "orders/create", "secret-2", body) ==
               200);
    uint32_t mine;
    souk_story *stories;
    souk_statement statement = {.bases[SOUK_PURPOSE_SERVE] = SOUK_BASIS_CONTRACT};
    SOUK_MUST(souk_merchants_source(door.shop.merchants, 2, SOUK_TEXT("web shop"), &statement,
                                    &mine, NULL));
    SOUK_CHECK(shop_timeline_of(&door.shop, SOUK_ID_EMAIL, "ann@example.com", &stories) == 1);
    SOUK_CHECK(stories->fact.source == mine);
    SOUK_CHECK(deliver(&door, "/v1/hooks/shopify/web%20shop", "orders/create", "secret-1", body) ==
               200);
    SOUK_CHECK(shop_timeline_of(&door.shop, SOUK_ID_EMAIL, "ann@example.com", &stories) == 2);
    SOUK_CHECK(stories->fact.source != mine);
    door_close(&door);
}

/* ---- exchanging secrets ------------------------------------------------------------------------------------ */

SOUK_TEST("several secrets of a hook work until each is removed, and open again after a restart")
{
    struct door door;
    const souk_text body = SOUK_TEXT(ORDER);
    const char *path = "/v1/hooks/woocommerce/w";
    door_open(&door, test);
    SOUK_CHECK(add_hook(&door, "woocommerce", "w", "old secret") == 201);
    SOUK_CHECK(add_hook(&door, "woocommerce", "w", "new secret") == 201);
    SOUK_CHECK(add_hook(&door, "woocommerce", "w", "new secret") == 409);
    for (int restart = 0; restart < 2; restart++) {
        SOUK_CHECK(deliver(&door, path, "order.created", "old secret", body) == 200);
        SOUK_CHECK(deliver(&door, path, "order.created", "new secret", body) == 200);
        souk_hooks_service.close(door.state);
        SOUK_MUST(
            souk_hooks_service.open(test->mem, door.shop.spine, door.shop.merchants, &door.state));
    }
    SOUK_CHECK(door_call(&door, "GET", "/v1/hooks", "", SOUK_TEXT("")) == 200);
    SOUK_CHECK(says(&door, "\"id\":1") && says(&door, "\"id\":2") && !says(&door, "secret"));
    SOUK_CHECK(door_call(&door, "DELETE", "/v1/hooks/1", "", SOUK_TEXT("")) == 200);
    SOUK_CHECK(door_call(&door, "DELETE", "/v1/hooks/1", "", SOUK_TEXT("")) == 404);
    SOUK_CHECK(door_call(&door, "DELETE", "/v1/hooks/x", "", SOUK_TEXT("")) == 404);
    SOUK_CHECK(deliver(&door, path, "order.created", "old secret", body) == 401);
    SOUK_CHECK(deliver(&door, path, "order.created", "new secret", body) == 200);
    for (int i = 1; i < SOUK_HOOK_SECRETS_EACH; i++) {
        char secret[20];
        snprintf(secret, sizeof secret, "secret %d", i);
        SOUK_CHECK(add_hook(&door, "woocommerce", "w", secret) == 201);
    }
    SOUK_CHECK(add_hook(&door, "woocommerce", "w", "one too many") == 413);
    door_close(&door);
}

SOUK_TEST("a secret lies in the folder under seal only")
{
    if (test_on_postgres())
        return; /* the disk is the server's */
    static const char secret[] = "a-secret-that-nobody-may-read";
    struct door door;
    door_open(&door, test);
    SOUK_CHECK(add_hook(&door, "shopify", "a", secret) == 201);
    SOUK_CHECK(deliver(&door, "/v1/hooks/shopify/a", "orders/create", secret, SOUK_TEXT(ORDER)) ==
               200);
    static const char *const files[] = {"ledger", "ledger-wal", "keys"};
    for (size_t i = 0; i < 3; i++) {
        souk_auto_value(souk_buf) bytes = {.mem = souk_mem_heap()};
        SOUK_MUST(souk_disk_take(door.shop.disk, files[i], &bytes));
        SOUK_CHECK(bytes.bytes > 100);
        SOUK_CHECK(!memmem(bytes.at, bytes.bytes, secret, sizeof secret - 1));
    }
    door_close(&door);
}

SOUK_TEST("what is no hook is refused in words, before a source is made of it")
{
    static const struct {
        const char *body, *words;
        int status;
    } cases[] = {
        {"{\"form\":\"magento\",\"source\":\"a\",\"secret\":\"hush\"}", "'magento' is no form",
         400},
        {"{\"form\":\"shopify\",\"source\":\"a\",\"secret\":\"abc\"}", "the secret has 3 bytes",
         400},
        {"{\"form\":\"shopify\",\"source\":\"a\"}", "the secret has 0 bytes", 400},
        {"{\"form\":\"shopify\",\"source\":\"\",\"secret\":\"hush\"}", "name of a hook", 400},
        {"{\"form\":\"shopify\",\"source\":\"a\\u0007\",\"secret\":\"hush\"}", "control", 400},
        {"{\"form\":\"shopify\",\"source\":\"a\",\"secret\":\"hush\",\"bases\":[\"x\"]}", "", 400},
        {"{\"form\":", "", 400},
    };
    struct door door;
    door_open(&door, test);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SOUK_CHECK(door_call(&door, "POST", "/v1/hooks", "", souk_text_of(cases[i].body)) ==
                   cases[i].status);
        SOUK_CHECK(says(&door, cases[i].words));
    }
    SOUK_CHECK(door_call(&door, "GET", "/v1/hooks", "", SOUK_TEXT("")) == 200);
    SOUK_CHECK(!strcmp(door.shop.answer, "{\"hooks\":[]}"));
    uint32_t source;
    souk_statement statement = {.age = SOUK_AGE_UNKNOWN};
    SOUK_MUST(souk_merchants_source(door.shop.merchants, SOUK_OPERATOR, SOUK_TEXT("a"), &statement,
                                    &source, NULL)); /* with another statement: it was free */
    door_close(&door);
}

/* ---- pings, faults ------------------------------------------------------------------------------------------ */

SOUK_TEST("the unsigned ping of WooCommerce is answered for any name alike, and nothing else "
          "unsigned")
{
    static const char *const others[] = {
        "webhook_id=", "webhook_id=7&x=1", "webhook_id=7\n", "webhook_id=-7", "", "{\"id\":1}"};
    struct door door;
    door_open(&door, test);
    SOUK_CHECK(add_hook(&door, "woocommerce", "w", "hush") == 201);
    SOUK_CHECK(add_hook(&door, "shopify", "w", "hush") == 201);
    const souk_text ping = SOUK_TEXT("webhook_id=7");
    SOUK_CHECK(door_call(&door, "POST", "/v1/hooks/woocommerce/w", "", ping) == 200);
    SOUK_CHECK(door_call(&door, "POST", "/v1/hooks/woocommerce/x", "", ping) == 200);
    SOUK_CHECK(door_call(&door, "POST", "/v1/hooks/shopify/w", "", ping) == 401);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        SOUK_CHECK(door_call(&door, "POST", "/v1/hooks/woocommerce/w", "",
                             souk_text_of(others[i])) == 401);
    put_header(&door, "X-WC-Webhook-Signature", "x");
    SOUK_CHECK(door_call(&door, "POST", "/v1/hooks/woocommerce/w", "", ping) == 401);
    SOUK_CHECK(shop_events(&door.shop) == 0);
    door_close(&door);
}

SOUK_TEST("a signed body that cannot be told stands in the rejects, and a replay tells it again")
{
    static struct shop_rejects rejects;
    struct door door;
    souk_call *call = NULL;
    souk_story *stories;
    door_open(&door, test);
    SOUK_CHECK(add_hook(&door, "shopify", "a", "hush") == 201);
    SOUK_CHECK(
        deliver(&door, "/v1/hooks/shopify/a", "orders/cancelled", "hush", SOUK_TEXT(ORDER)) == 200);
    SOUK_CHECK(deliver(&door, "/v1/hooks/shopify/a", "themes/publish", "hush",
                       SOUK_TEXT("{\"id\":1}")) == 200);
    shop_rejects(&door.shop, &rejects);
    SOUK_CHECK(rejects.count == 2 && shop_events(&door.shop) == 0);
    SOUK_CHECK_TEXT(rejects.at[0].where, "form:shopify orders/cancelled");
    SOUK_CHECK_TEXT(rejects.at[0].text, ORDER);
    SOUK_CHECK(strstr(rejects.at[1].fault.at, "'themes/publish' is none"));
    SOUK_MUST(souk_call_new(test->mem, &call));
    const char *mended =
        "{\"id\":450789469,\"cancelled_at\":\"2026-01-01T11:00:00Z\",\"line_items\":"
        "[],\"email\":\"ann@example.com\"}";
    SOUK_MUST(souk_collect_replay(door.shop.collect, call, rejects.at[0].id, souk_text_of(mended)));
    souk_call_free(call);
    SOUK_CHECK(shop_timeline_of(&door.shop, SOUK_ID_EMAIL, "ann@example.com", &stories) == 1);
    SOUK_CHECK(
        !strcmp(shop_name(&door.shop, SOUK_NAME_TYPE, stories->fact.type), "Order Cancelled"));
    door_close(&door);
}

SOUK_TEST("a refund, which names nobody, is the customer's whose order it takes back")
{
    struct door door;
    souk_story *stories;
    souk_totals totals;
    door_open(&door, test);
    SOUK_CHECK(add_hook(&door, "shopify", "a", "hush") == 201);
    SOUK_CHECK(deliver(&door, "/v1/hooks/shopify/a", "orders/create", "hush", SOUK_TEXT(ORDER)) ==
               200);
    SOUK_CHECK(
        deliver(&door, "/v1/hooks/shopify/a", "refunds/create", "hush",
                SOUK_TEXT("{\"id\":1,\"order_id\":450789469,\"created_at\":\"2026-01-01T11:00:"
                          "00Z\",\"refund_line_items\":[{\"quantity\":1,\"line_item\":{"
                          "\"product_id\":5,\"price\":\"6.25\"}}],\"transactions\":[{\"kind\":"
                          "\"refund\",\"status\":\"success\",\"amount\":\"6.25\",\"currency\":"
                          "\"EUR\"}]}")) == 200);
    SOUK_CHECK(shop_timeline_of(&door.shop, SOUK_ID_EMAIL, "ann@example.com", &stories) == 2);
    SOUK_CHECK(stories[0].fact.amount_micro == -6250000);
    SOUK_CHECK(stories[0].lines[0].quantity_micro == -1000000);
    souk_index_totals(souk_spine_index(door.shop.spine), &totals);
    SOUK_CHECK(totals.orders == 1 && totals.amounts[0].amount_micro == 6250000);
    door_close(&door);
}

/* ---- Sensors ----------------------------------------------------------------------------------------------------- */

#define DATA                                                                                       \
    "eyJ0eXBlIjoidHJhY2siLCJldmVudCI6IlNlYXJjaCIsImxvZ2luX2lkIjoidS0xIiwidGltZSI6MTc2NzI2MTYwMDAw" \
    "MCwi"                                                                                         \
    "X3RyYWNrX2lkIjo3fQ==" /* {"type":"track","event":"Search","login_id":"u-1","time":…,"_track_id":7} */

SOUK_TEST(
    "the write key of a Sensors client is found wherever server_url can carry it, and kept nowhere")
{
    static struct shop_rejects rejects;
    struct door door;
    char query[600], path[100];
    const char *key;
    door_open(&door, test);
    key = door.shop.secrets.write_key;
    static const char *const names[] = {"project", "token", "writeKey"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(query, sizeof query, "%s=%s&data=%s", names[i], key, DATA);
        SOUK_CHECK(door_call(&door, "GET", i ? "/sa.gif" : "/sa", query, SOUK_TEXT("")) == 200);
        SOUK_CHECK(!strcmp(door.type, "image/gif") && !memcmp(door.shop.answer, "GIF89a", 6));
        snprintf(query, sizeof query, "%s=%s", names[i], key);
        SOUK_CHECK(door_call(&door, "POST", i ? "/sa.gif" : "/sa", query,
                             SOUK_TEXT("data_list=" DATA)) == 200);
        SOUK_CHECK(!strcmp(door.shop.answer, "{\"success\":true}"));
    }
    snprintf(path, sizeof path, "/sa/%s", key);
    SOUK_CHECK(door_call(&door, "POST", path, "", SOUK_TEXT("data=" DATA)) == 200);
    snprintf(query, sizeof query, "project=default&token=%s", key);
    SOUK_CHECK(door_call(&door, "POST", "/sa", query, SOUK_TEXT("data=" DATA)) == 200);
    SOUK_CHECK(shop_events(&door.shop) == 1);
    SOUK_CHECK(shop_story(&door.shop, "u-1", 0)->fact.at == SHOP_NOW - 2 * 3600000);
    for (size_t i = 0; i < 2; i++) {
        snprintf(query, sizeof query, "data=%s&project=%s", DATA,
                 i ? "" : door.shop.secrets.admin_token);
        SOUK_CHECK(door_call(&door, "GET", "/sa", query, SOUK_TEXT("")) == 401);
    }
    snprintf(query, sizeof query, "x=1&project=%s&data=e30&ext=crc%%3D5&y=2", key);
    SOUK_CHECK(door_call(&door, "GET", "/sa", query, SOUK_TEXT("")) == 200);
    SOUK_CHECK(door_call(&door, "POST", path, "", SOUK_TEXT("data=e30=")) == 200);
    shop_rejects(&door.shop, &rejects);
    SOUK_CHECK(rejects.count == 2);
    SOUK_CHECK_TEXT(rejects.at[0].text, "data=e30&ext=crc%3D5");
    SOUK_CHECK_TEXT(rejects.at[0].where, "form:sensors ");
    SOUK_CHECK_TEXT(rejects.at[1].where, "sensors [0]");
    door_close(&door);
}

SOUK_TEST("the same story by Segment and by Sensors gives the same profile")
{
    struct door door;
    char path[100];
    door_open(&door, test);
    snprintf(path, sizeof path, "/sa/%s", door.shop.secrets.write_key);
    /* [{"type":"profile_set","login_id":"s","time":1,"properties":{"email":"s@x.yz"}},{"type":"track",
     *   "event":"$pageview","login_id":"s","time":2},{"type":"track","event":"Product Viewed","login_id":"s","time":3,
     *   "properties":{"product_id":"A","price":2}}] */
    static const char list[] =
        "[{\"type\":\"profile_set\",\"login_id\":\"s\",\"time\":1,\"properties\":{\"email\":\"s@x."
        "yz\"}},"
        "{\"type\":\"track\",\"event\":\"$pageview\",\"login_id\":\"s\",\"time\":2},{\"type\":"
        "\"track\","
        "\"event\":\"Product "
        "Viewed\",\"login_id\":\"s\",\"time\":3,\"properties\":{\"product_id\":\"A\","
        "\"price\":2}}]";
    char form[1000] = "data_list=";
    souk_base64_encode(list, sizeof list - 1, SOUK_BASE64_STANDARD, form + 10);
    SOUK_CHECK(door_call(&door, "POST", path, "", souk_text_of(form)) == 200);
    SOUK_CHECK(
        shop_send(&door.shop, "/v1/batch",
                  "{\"batch\":[{\"type\":\"identify\",\"userId\":\"t\",\"timestamp\":"
                  "\"1970-01-01T00:00:00.001Z\",\"traits\":{\"email\":\"t@x.yz\"}},{\"type\":"
                  "\"page\",\"userId\":\"t\",\"timestamp\":\"1970-01-01T00:00:00.002Z\"},{\"type\":"
                  "\"track\",\"event\":\"Product Viewed\",\"userId\":\"t\",\"timestamp\":"
                  "\"1970-01-01T00:00:00.003Z\",\"properties\":{\"product_id\":\"A\",\"price\":2}"
                  "}]}") == 200);
    souk_story *sensors, *segment;
    SOUK_CHECK(shop_timeline_of(&door.shop, SOUK_ID_EMAIL, "s@x.yz", &sensors) == 3);
    SOUK_CHECK(shop_timeline_of(&door.shop, SOUK_ID_EMAIL, "t@x.yz", &segment) == 3);
    for (size_t i = 0; i < 3; i++) {
        SOUK_CHECK(sensors[i].fact.type == segment[i].fact.type);
        SOUK_CHECK(sensors[i].fact.at == segment[i].fact.at);
        SOUK_CHECK(sensors[i].fact.line_count == segment[i].fact.line_count);
        for (size_t k = 0; k < sensors[i].fact.line_count; k++)
            SOUK_CHECK(!memcmp(&sensors[i].lines[k], &segment[i].lines[k], sizeof *segment->lines));
    }
    door_close(&door);
}

/* ---- faults ------------------------------------------------------------------------------------------- */

SOUK_TEST("without memory a hook is answered 503, and sent again it is stored once")
{
    struct door door;
    door_open(&door, test);
    SOUK_CHECK(add_hook(&door, "shopify", "a", "hush") == 201);
    SOUK_FAULT_LOOP (test) {
        int status =
            deliver(&door, "/v1/hooks/shopify/a", "orders/create", "hush", SOUK_TEXT(ORDER));
        SOUK_CHECK(status == 200 || status == 503);
        test_fault_seen(test, status == 200 ? SOUK_OK : SOUK_ENOMEM);
    }
    SOUK_CHECK(shop_events(&door.shop) == 1);
    door_close(&door);
}

SOUK_TEST("without memory a secret is added whole or not at all")
{
    struct door door;
    int added = 0;
    char name[20];
    door_open(&door, test);
    SOUK_FAULT_LOOP (test) {
        snprintf(name, sizeof name, "n%d", added++);
        int status = add_hook(&door, "shopify", name, "hush");
        SOUK_CHECK(status == 201 || status == 503);
        test_fault_seen(test, status == 201 ? SOUK_OK : SOUK_ENOMEM);
    }
    SOUK_CHECK(door_call(&door, "GET", "/v1/hooks", "", SOUK_TEXT("")) == 200);
    SOUK_CHECK(says(&door, name));
    door_close(&door);
}
