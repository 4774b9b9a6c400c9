/* api_test.c - which route a path finds, against a plain search; and calls in the clerks' hands while others are
 * answered and the server goes. */
#include "test/test.h"

#include "os/socket.h"
#include "os/thread.h"
#include "serve/api.h"
#include "serve/test_desk.h"

enum { HEAVY = 5000, WAITING = 6 };

/* What the handlers share: a heavy call stands at the gate until it is open. */
static struct hall {
    souk_mutex mutex;
    souk_cond changed;
    bool open;
    unsigned entered, left;
} hall;

static void pass_gate(souk_call *call)
{
    {
        souk_auto_lock(&hall.mutex);
        hall.entered++;
        souk_cond_broadcast(&hall.changed);
        while (!hall.open)
            souk_cond_wait(&hall.changed, &hall.mutex);
        hall.left++;
    }
    souk_call_answer_text(call, 200, "text/plain", call->body);
}

static void say_part(souk_call *call)
{
    souk_call_answer_text(call, 200, "text/plain", call->parts[0]);
}

/* Each with a limit of its own, by which souk_api_body_limit tells which one was found. */
static const souk_route routes[] = {
    {"GET", "/a", 0, say_part, .body_limit = 1},
    {"GET", "/a/{x}", 0, say_part, .body_limit = 2},
    {"POST", "/a/{x}", 0, say_part, .body_limit = 3},
    {"POST", "/a/b", 0, say_part, .body_limit = 4},
    {"GET", "/a/{x}/b", 0, say_part, .body_limit = 5},
    {"GET", "/a/{x}/{y}", 0, say_part, .body_limit = 6},
    {"GET", "/", 0, say_part, .body_limit = 7},
    {"GET", "/a{x}", 0, say_part, .body_limit = 10}, /* a word: no part begins within one */
    {"GET", "/{x}", 0, say_part, .body_limit = 8},
    {"PUT", "/{x}/b/{y}/{z}", 0, say_part, .body_limit = 9},
    {"POST", "/gate", 0, pass_gate, .body_limit = 1 << 16},
};
enum { ROUTES = sizeof routes / sizeof *routes };
static const souk_service service = {.name = "test", .routes = routes, .route_count = ROUTES};
static const souk_service *const services[] = {&service};

static void open_hall(struct desk *desk, souk_test *test, souk_api **ret_api)
{
    hall = (struct hall){.open = false};
    souk_mutex_init(&hall.mutex);
    souk_cond_init(&hall.changed);
    desk_open(desk, test);
    SOUK_MUST(souk_api_open(souk_mem_heap(), desk->spine, desk->merchants, services, 1, ret_api));
}

static void close_hall(struct desk *desk, souk_api *api)
{
    souk_api_free(api);
    desk_close(desk);
    souk_cond_done(&hall.changed);
    souk_mutex_done(&hall.mutex);
}

/* ---- routes ------------------------------------------------------------------------------------------ */

/* The plain search, each route asked whole. */
static size_t limit_of(souk_text method, souk_text path)
{
    souk_text parts[SOUK_CALL_PARTS];
    if (souk_text_equal(method, SOUK_TEXT("HEAD")))
        method = SOUK_TEXT("GET");
    for (size_t i = 0; i < ROUTES; i++)
        if (souk_route_fits(&routes[i], path, parts) &&
            souk_text_equal(method, souk_text_of(routes[i].method)))
            return routes[i].body_limit;
    return 65536;
}

SOUK_TEST(
    "a path finds the route that a plain search finds, and a short or odd one none beyond its end")
{
    static const char *const words[] = {"/", "a", "b", "{x}", "gate", "*", "", "a{x}"};
    enum { WORDS = sizeof words / sizeof *words };
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", ""};
    static struct desk desk;
    souk_api *api;
    unsigned found[11] = {0};
    open_hall(&desk, test, &api);
    for (unsigned round = 0; round < 100000; round++) {
        char text[64] = "";
        for (uint64_t left = test_random(test, 10), i = 0; left; left--, i++)
            strcat(text, words[i % 2 || !test_random(test, 8) ? test_random(test, WORDS) : 0]);
        size_t bytes = strlen(text);
        char *path = souk_mem_get(test->mem, bytes ? bytes : 1); /* a byte beyond is noticed */
        SOUK_CHECK(path);
        memcpy(path, text, bytes);
        souk_http_request head = {.path = {path, bytes},
                                  .method = souk_text_of(methods[test_random(test, 5)])};
        size_t limit = souk_api_body_limit(api, &head);
        SOUK_CHECK(limit == limit_of(head.method, head.path));
        found[limit < 11 ? limit : 0]++;
        souk_mem_put(test->mem, path);
    }
    for (size_t i = 0; i < 11; i++)
        SOUK_CHECK(found[i] > 0 || i == 4); /* which stands behind one that fits, too */
    close_hall(&desk, api);
}

/* ---- clerks ------------------------------------------------------------------------------------------ */

static void serve(souk_test *test, souk_api *api, souk_http **ret_http, char *address)
{
    souk_fd door = -1;
    souk_http_options options = {.handle = souk_api_handle,
                                 .body_limit = souk_api_body_limit,
                                 .context = api,
                                 .loop_count = 1};
    SOUK_MUST(souk_http_new(souk_mem_heap(), &options, ret_http));
    SOUK_MUST(souk_socket_listen("127.0.0.1:0", NULL, &door, address, NULL));
    SOUK_MUST(souk_http_listen(*ret_http, door));
    SOUK_MUST(souk_http_start(*ret_http));
}

static void send_heavy(souk_test *test, souk_client *client, bool compressed)
{
    souk_auto_value(souk_buf) request = {.mem = test->mem};
    size_t bytes = compressed ? 20 : HEAVY;
    souk_buf_print(&request, "POST /gate HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
                   bytes);
    souk_buf_text(&request, SOUK_TEXT("\x1f\x8b"));
    for (size_t i = 2; i < bytes; i++)
        souk_buf_byte(&request, 'x');
    if (!compressed)
        memset(request.at + request.bytes - bytes, 'x', 2);
    SOUK_MUST(souk_client_send(client, souk_buf_view(&request)));
}

static void await_entered(unsigned count)
{
    souk_auto_lock(&hall.mutex);
    while (hall.entered < count)
        souk_cond_wait(&hall.changed, &hall.mutex);
}

static void await_handed(souk_http *http, uint64_t count)
{
    souk_http_counts counts;
    do
        souk_http_count(http, &counts);
    while (counts.exchanges_now < count);
}

static void open_gate(void *context)
{
    (void)context;
    souk_auto_lock(&hall.mutex);
    hall.open = true;
    souk_cond_broadcast(&hall.changed);
}

static void check_light(souk_test *test, const char *address)
{
    souk_auto_value(souk_client) client = SOUK_CLIENT_NONE;
    souk_auto_value(souk_buf) answer = {.mem = test->mem};
    SOUK_MUST(souk_client_open(&client, address, 10000, NULL));
    SOUK_MUST(souk_client_send(
        &client, SOUK_TEXT("GET /a/pear HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")));
    SOUK_MUST(souk_client_receive_all(&client, &answer));
    SOUK_CHECK(answer.bytes > 4 && !memcmp(answer.at + answer.bytes - 4, "pear", 4));
}

/* Six heavy calls, of which the clerk has one in hand; the one loop answers others; then the server is freed, or
 * drained, and none of the calls is lost or answered to what is not there any more. */
static void stop_while_they_wait(souk_test *test, bool drained)
{
    static struct desk desk;
    souk_api *api;
    souk_http *http;
    souk_client clients[WAITING];
    souk_thread opener = {0};
    char address[SOUK_ADDRESS_ROOM];
    open_hall(&desk, test, &api);
    serve(test, api, &http, address);
    for (unsigned i = 0; i < WAITING; i++) {
        SOUK_MUST(souk_client_open(&clients[i], address, 10000, NULL));
        send_heavy(test, &clients[i], i % 2);
    }
    await_entered(1);
    await_handed(http, WAITING);
    check_light(test, address);
    SOUK_CHECK(!souk_api_is_silent(api)); /* nobody has asked yet */
    souk_api_probe(api);
    SOUK_CHECK(souk_api_is_silent(api));
    souk_api_draining(api);
    if (!drained)
        SOUK_CHECK_ERR(souk_http_drain(http, 1), SOUK_ETIMEOUT); /* all are cut */
    SOUK_MUST(souk_thread_start(&opener, "opens", open_gate, NULL));
    if (drained)
        SOUK_MUST(souk_http_drain(http, 10000));
    souk_http_free(http);
    souk_thread_join(&opener);
    SOUK_CHECK(hall.entered == WAITING && hall.left == WAITING);
    for (unsigned i = 0; i < WAITING; i++) {
        souk_auto_value(souk_buf) answer = {.mem = test->mem};
        souk_err err = souk_client_receive_all(&clients[i], &answer);
        SOUK_CHECK(!drained || (!err && answer.bytes > 15 && !memcmp(answer.at + 9, "200", 3)));
        souk_client_done(&clients[i]);
    }
    close_hall(&desk, api);
}

SOUK_TEST("heavy calls wait beside the loop, and a server that drains answers all of them")
{
    stop_while_they_wait(test, true);
}

SOUK_TEST("a server that is freed while heavy calls wait frees nothing before the last of them")
{
    stop_while_they_wait(test, false);
}

/* ---- OPTIONS, and methods that a path does not take -------------------------------------------------------- */

static bool says(souk_test *test, const char *address, const char *request, const char *status,
                 const char *field)
{
    souk_auto_value(souk_client) client = SOUK_CLIENT_NONE;
    souk_auto_value(souk_buf) sent = {.mem = test->mem}, answer = {.mem = test->mem};
    souk_buf_print(&sent,
                   "%s HTTP/1.1\r\nHost: a\r\nOrigin: https://shop.example\r\n"
                   "Access-Control-Request-Headers: authorization, rsa-retry-attempt\r\n"
                   "Connection: close\r\n\r\n",
                   request);
    SOUK_MUST(souk_client_open(&client, address, 10000, NULL));
    SOUK_MUST(souk_client_send(&client, souk_buf_view(&sent)));
    SOUK_MUST(souk_client_receive_all(&client, &answer));
    return answer.bytes > 12 && !memcmp(answer.at + 9, status, 3) &&
           memmem(answer.at, answer.bytes, field, strlen(field));
}

SOUK_TEST("a path tells a page of another origin what it may send, others tell what they take")
{
    static const souk_route doors[] = {
        {"POST", "/door", 0, say_part, .any_origin = true},
        {"GET", "/door", 0, say_part, .summary = "the door"},
        {"GET", "/inside", 0, say_part, .summary = "the room"},
    };
    static const souk_service door = {.name = "door", .routes = doors, .route_count = 3};
    static const souk_service *const all[] = {&door};
    static const struct {
        const char *request, *status, *field;
        bool told;
    } cases[] = {
        {"OPTIONS /door", "204", "\r\nAccess-Control-Allow-Origin: https://shop.example\r\n", true},
        {"OPTIONS /door", "204", "\r\nAccess-Control-Allow-Methods: POST, GET, OPTIONS\r\n", true},
        {"OPTIONS /door", "204",
         "\r\nAccess-Control-Allow-Headers: authorization, rsa-retry-attempt\r\n", true},
        {"GET /door", "200", "\r\nAccess-Control-Allow-Origin: https://shop.example\r\n", true},
        {"GET /door", "200", "\r\nVary: Origin\r\n", true},
        {"OPTIONS /inside", "204", "\r\nAllow: GET, OPTIONS\r\n", true},
        {"OPTIONS /inside", "204", "Access-Control", false},
        {"DELETE /inside", "405", "\r\nAllow: GET, OPTIONS\r\n", true},
        {"OPTIONS /nowhere", "404", "no such path", true},
    };
    struct desk desk;
    souk_api *api;
    souk_http *http;
    char address[SOUK_ADDRESS_ROOM];
    desk_open(&desk, test);
    SOUK_MUST(souk_api_open(souk_mem_heap(), desk.spine, desk.merchants, all, 1, &api));
    serve(test, api, &http, address);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        SOUK_CHECK(says(test, address, cases[i].request, cases[i].status, cases[i].field) ==
                   cases[i].told);
    souk_http_free(http);
    souk_api_free(api);
    desk_close(&desk);
}
