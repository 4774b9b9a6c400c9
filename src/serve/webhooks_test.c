/* webhooks_test.c - the routes: what they take, what they refuse, and who may ask. */
#include "test/test.h"

#include "base/json.h"
#include "serve/test_desk.h"
#include "serve/webhooks.h"

static void open_service(souk_test *test, struct desk *desk)
{
    souk_webhooks_options options = {.deadline_ms = 1000};
    desk_open(desk, test);
    SOUK_MUST(souk_webhooks_service.open(test->mem, desk->spine, desk->merchants, &desk->state));
    SOUK_MUST(souk_inet_ranges_read(SOUK_TEXT("127.0.0.0/8"), options.allowed.ranges,
                                    SOUK_TARGET_RANGES, &options.allowed.count, NULL));
    souk_webhooks_set(desk->state, &options);
}

static void close_service(struct desk *desk)
{
    souk_webhooks_service.close(desk->state);
    desk_close(desk);
}

static int ask(struct desk *desk, const char *method, const char *path, const char *body)
{
    return desk_ask(desk, &souk_webhooks_service, method, path, body);
}

static bool says(const struct desk *desk, const char *words)
{
    return strstr(desk->answer, words) != NULL;
}

static const char good[] = "{\"url\":\"http://127.0.0.1:9/x\",\"events\":[\"Completed "
                           "Order\",\"Own\"],\"purpose\":\"serve\"}";

SOUK_TEST(
    "an endpoint is made with a secret that is never shown again, and removed with what waits")
{
    struct desk desk;
    open_service(test, &desk);
    SOUK_CHECK(ask(&desk, "POST", "/v1/webhooks", good) == 201);
    SOUK_CHECK(says(&desk, "\"secret\":\"whsec_") && says(&desk, "\"Order Completed\",\"Own\""));
    SOUK_CHECK(ask(&desk, "GET", "/v1/webhooks/1", "") == 200);
    SOUK_CHECK(!says(&desk, "secret") && says(&desk, "\"purpose\":\"serve\""));
    SOUK_CHECK(ask(&desk, "GET", "/v1/webhooks", "") == 200 && !says(&desk, "secret"));
    SOUK_CHECK(ask(&desk, "POST", "/v1/webhooks/1/rotate", "{\"keep_s\":60}") == 200);
    SOUK_CHECK(says(&desk, "\"secret\":\"whsec_"));
    SOUK_CHECK(ask(&desk, "POST", "/v1/webhooks/1/rotate", "{\"keep_s\":-1}") == 400);
    SOUK_CHECK(ask(&desk, "POST", "/v1/webhooks/1/test", "") == 202);
    SOUK_CHECK(says(&desk, "\"type\":\"webhook.test\"") && says(&desk, "\"waiting\""));
    SOUK_CHECK(ask(&desk, "GET", "/v1/webhooks/1", "") == 200);
    SOUK_CHECK(says(&desk, "\"waiting\":1,\"behind\":0,\"dead\":0"));
    SOUK_CHECK(ask(&desk, "GET", "/v1/webhooks/1/deliveries?state=waiting", "") == 200);
    SOUK_CHECK(says(&desk, "\"id\":1,"));
    SOUK_CHECK(ask(&desk, "GET", "/v1/webhooks/1/deliveries?state=dead", "") == 200);
    SOUK_CHECK(!strcmp(desk.answer, "{\"deliveries\":[]}"));
    SOUK_CHECK(ask(&desk, "GET", "/v1/webhooks/1/deliveries?state=odd", "") == 400);
    SOUK_CHECK(ask(&desk, "GET", "/v1/webhooks/1/deliveries?before=x", "") == 400);
    SOUK_CHECK(ask(&desk, "POST", "/v1/webhooks/1/deliveries/1/retry", "") == 202);
    SOUK_CHECK(ask(&desk, "POST", "/v1/webhooks/1/deliveries/2/retry", "") == 404);
    SOUK_CHECK(ask(&desk, "POST", "/v1/webhooks/1/deliveries/x/retry", "") == 404);
    SOUK_CHECK(ask(&desk, "DELETE", "/v1/webhooks/1", "") == 200);
    SOUK_CHECK(ask(&desk, "GET", "/v1/webhooks/1", "") == 404 && says(&desk, "no webhook 1"));
    SOUK_CHECK(ask(&desk, "DELETE", "/v1/webhooks/1", "") == 404);
    close_service(&desk);
}

SOUK_TEST("what is wrong with an endpoint is said")
{
    static const char *const wrong[][2] = {
        {"", ""},
        {"[]", "say where"},
        {"{\"url\":7}", "say where"},
        {"{\"url\":\"https://8.8.8.8/\"}", "which events"},
        {"{\"url\":\"https://8.8.8.8/\",\"events\":\"A\"}", "a list"},
        {"{\"url\":\"https://8.8.8.8/\",\"events\":[7]}", "list of texts"},
        {"{\"url\":\"https://8.8.8.8/\",\"events\":[\"\"]}", "1 to 100 bytes"},
        {"{\"url\":\"https://8.8.8.8/\",\"events\":[\"product viewed\"]}", "letter by letter"},
        {"{\"url\":\"https://8.8.8.8/\",\"events\":[\"A\"],\"rate\":1001}", "1 to 1000"},
        {"{\"url\":\"https://8.8.8.8/\",\"events\":[\"A\"],\"rate\":\"1\"}", "1 to 1000"},
        {"{\"url\":\"https://8.8.8.8/\",\"events\":[\"A\"],\"purpose\":\"x\"}", "no purpose"},
        {"{\"url\":\"https://8.8.8.8/\",\"events\":[\"A\"],\"enabled\":\"no\"}", "true or false"},
        {"{\"url\":\"https://10.0.0.1/\",\"events\":[\"A\"]}", "private"},
        {"{\"url\":\"http://8.8.8.8/\",\"events\":[\"A\"]}", "use https"},
        {"{\"url\":\"https://1.1/\",\"events\":[\"A\"]}", "ends in a number"},
    };
    struct desk desk;
    open_service(test, &desk);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int status = ask(&desk, "POST", "/v1/webhooks", wrong[i][0]);
        if ((status != 400 && status != 403) || !says(&desk, wrong[i][1]))
            test_fail(test, __FILE__, __LINE__, "%s: %d %s", wrong[i][0], status, desk.answer);
    }
    SOUK_CHECK(ask(&desk, "GET", "/v1/webhooks", "") == 200);
    SOUK_CHECK(!strcmp(desk.answer, "{\"webhooks\":[]}"));
    SOUK_CHECK(ask(&desk, "PUT", "/v1/webhooks/1", good) == 404);
    SOUK_CHECK(ask(&desk, "POST", "/v1/webhooks", good) == 201);
    SOUK_CHECK(ask(&desk, "PUT", "/v1/webhooks/1", good) == 428);
    desk.caller.merchant = 2;
    SOUK_CHECK(ask(&desk, "GET", "/v1/webhooks", "") == 403);
    SOUK_CHECK(ask(&desk, "POST", "/v1/webhooks", good) == 403);
    SOUK_CHECK(ask(&desk, "POST", "/v1/webhooks/1/rotate", "") == 403);
    SOUK_CHECK(ask(&desk, "DELETE", "/v1/webhooks/1", "") == 403);
    close_service(&desk);
}

SOUK_TEST("there is an end of endpoints, and one that is off is sent nothing")
{
    struct desk desk;
    open_service(test, &desk);
    SOUK_CHECK(ask(&desk, "POST", "/v1/webhooks",
                   "{\"url\":\"http://127.0.0.1:9/\",\"events\":[\"*\"],\"enabled\":false}") ==
               201);
    SOUK_CHECK(says(&desk, "\"state\":\"off\""));
    SOUK_CHECK(ask(&desk, "POST", "/v1/webhooks/1/test", "") == 409 && says(&desk, "is off"));
    for (int i = 1; i < 64; i++)
        SOUK_CHECK(ask(&desk, "POST", "/v1/webhooks", good) == 201);
    SOUK_CHECK(ask(&desk, "POST", "/v1/webhooks", good) == 409 && says(&desk, "64 webhooks"));
    SOUK_CHECK(ask(&desk, "DELETE", "/v1/webhooks/7", "") == 200);
    SOUK_CHECK(ask(&desk, "POST", "/v1/webhooks", good) == 201);
    souk_auto_value(souk_buf) counters = {.mem = test->mem};
    souk_webhooks_service.count(desk.state, &counters);
    SOUK_MUST(souk_buf_check(&counters));
    SOUK_CHECK(strstr(souk_buf_ended(&counters), "\nsouk_webhooks_on 63\n") != NULL);
    close_service(&desk);
}

SOUK_TEST(
    "a service that is opened, asked and closed where the n-th allocation fails leaks nothing")
{
    struct desk desk;
    desk_open(&desk, test);
    SOUK_FAULT_LOOP (test) {
        souk_err err =
            souk_webhooks_service.open(test->mem, desk.spine, desk.merchants, &desk.state);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        if (!err)
            souk_webhooks_service.close(desk.state);
        test_fault_seen(test, err);
    }
    desk_close(&desk);
}
