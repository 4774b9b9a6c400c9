/* stock_routes_test.c - the routes of stock as two merchants ask them, and with any allocation failing. */
#include "test/test.h"

#include "service/stock/stock_inside.h"
#include "store/postgres_server.h"

#include <sched.h>
#include <stdio.h>

struct counter { /* where one asks */
    souk_test *test;
    souk_disk *disk;
    souk_spine *spine;
    souk_stock *stock;
    souk_effect_owners owners;
    uint32_t merchant;
    souk_mem *mem; /* of calls */
    unsigned answers;
    int status;
    char answer[20000];
};

static souk_clock_fake noon;

static void open_counter(struct counter *counter, souk_test *test)
{
    souk_mem *heap = souk_mem_heap();
    souk_clock_fake_init(&noon, 1767268800000); /* 2026-01-01 */
    souk_spine_options options = {.clock = &noon.clock,
                                  .vault = {.block_slots = 64},
                                  .runs_memory = 4096,
                                  .open_ledger = test_ledger_opener()};
    memset(counter, 0, sizeof *counter);
    counter->test = test;
    counter->merchant = 1;
    counter->mem = heap;
    SOUK_MUST(souk_disk_open_real(heap, test_folder(test), &counter->disk, NULL));
    SOUK_MUST(souk_spine_init(heap, counter->disk, &options, NULL));
    SOUK_MUST(souk_spine_open(heap, counter->disk, &options, &counter->spine, NULL));
    void *state;
    SOUK_MUST(souk_stock_service.open(heap, counter->spine, NULL, &state));
    counter->stock = state;
    souk_stock_service.own(state, &counter->owners);
}

static void close_counter(struct counter *counter)
{
    souk_stock_service.close(counter->stock);
    souk_spine_free(counter->spine);
    souk_disk_free(counter->disk);
}

static void answered(souk_call *call, int status, const char *type, souk_text body,
                     unsigned retry_s)
{
    struct counter *counter = call->from;
    (void)type, (void)retry_s;
    counter->status = status;
    snprintf(counter->answer, sizeof counter->answer, "%.*s", SOUK_TEXT_PRINT(body));
    souk_call_free(call);
    __atomic_add_fetch(&counter->answers, 1, __ATOMIC_RELEASE); /* perhaps in the writer's thread */
}

/* The status; 0: there was no memory for the call itself. */
static int ask(struct counter *counter, const char *method, const char *path, const char *body)
{
    unsigned before = counter->answers;
    souk_call *call;
    if (souk_call_new(counter->mem, &call))
        return 0;
    call->spine = counter->spine;
    call->method = souk_text_of(method);
    call->query = souk_text_of(path);
    call->path = souk_text_cut(&call->query, '?');
    call->body = souk_text_of(body);
    call->caller = (souk_caller){.merchant = counter->merchant, .scopes = SOUK_SCOPE_ALL};
    call->state = counter->stock;
    call->owners = &counter->owners;
    call->from = counter;
    call->send = answered;
    for (size_t i = 0; i < souk_stock_service.route_count; i++) {
        const souk_route *route = &souk_stock_service.routes[i];
        if (strcmp(route->method, method) || !souk_route_fits(route, call->path, call->parts))
            continue;
        route->handle(call);
        break;
    }
    while (__atomic_load_n(&counter->answers, __ATOMIC_ACQUIRE) == before)
        sched_yield();
    return counter->status;
}

#define TEA(quantity) \
    "{\"lines\":[{\"location\":\"WH\",\"product\":\"tea\",\"quantity\":" quantity "}]"
#define UNTIL "\"until\":\"2026-06-01\""

SOUK_TEST("a merchant sees and moves stock of its own alone, under ids of its own")
{
    struct counter counter;
    open_counter(&counter, test);
    SOUK_CHECK(ask(&counter, "POST", "/v1/stock/movements", TEA("9") ",\"kind\":\"received\"}") ==
               201);
    SOUK_CHECK(ask(&counter, "POST", "/v1/stock/transfers",
                   "{\"id\":\"t\",\"from\":\"WH\",\"to\":\"SH\",\"expected\":\"2098-01-01\","
                   "\"lines\":[{\"product\":\"tea\",\"quantity\":1}]}") == 201);
    counter.merchant = 2;
    SOUK_CHECK(ask(&counter, "GET", "/v1/stock/WH/tea", "") == 404);
    SOUK_CHECK(ask(&counter, "GET", "/v1/stock?location=WH", "") == 200);
    SOUK_CHECK(strstr(counter.answer, "\"levels\":[]"));
    SOUK_CHECK(ask(&counter, "GET", "/v1/stock/promise?product=tea&by=2099-01-01", "") == 200);
    SOUK_CHECK(strstr(counter.answer, "\"promise\":\"0\",\"locations\":0"));
    SOUK_CHECK(ask(&counter, "GET", "/v1/stock/transfers/t", "") == 404);
    SOUK_CHECK(ask(&counter, "POST", "/v1/stock/transfers/t/arrive", "{\"last\":true}") == 404);
    SOUK_CHECK(ask(&counter, "POST", "/v1/stock/movements", TEA("1") ",\"kind\":\"sold\"}") == 404);
    SOUK_CHECK(ask(&counter, "POST", "/v1/stock/movements", TEA("2") ",\"kind\":\"received\"}") ==
               201);
    SOUK_CHECK(ask(&counter, "POST", "/v1/stock/reservations",
                   TEA("3") ",\"id\":\"r\"," UNTIL "}") == 409);
    SOUK_CHECK(ask(&counter, "POST", "/v1/stock/reservations",
                   TEA("2") ",\"id\":\"r\"," UNTIL "}") == 201);
    counter.merchant = 1;
    SOUK_CHECK(ask(&counter, "DELETE", "/v1/stock/reservations/r", "") == 404);
    SOUK_CHECK(ask(&counter, "POST", "/v1/stock/reservations",
                   TEA("8") ",\"id\":\"r\"," UNTIL "}") == 201);
    SOUK_CHECK(ask(&counter, "GET", "/v1/stock/WH/tea", "") == 200);
    SOUK_CHECK(strstr(counter.answer, "\"on_hand\":\"8\",\"reserved\":\"8\",\"free\":\"0\""));
    SOUK_MUST(souk_stock_verify(counter.stock, NULL));
    close_counter(&counter);
}

/* All that the API does, once; false: something was answered by 503, or not at all. */
static bool whole_day(struct counter *counter, unsigned number)
{
    static const struct {
        const char *method, *path, *body;
    } asks[] = {
        {"POST", "/v1/stock/movements", TEA("900") ",\"kind\":\"received\"}"},
        {"POST", "/v1/stock/movements", TEA("\"1.5\"") ",\"kind\":\"sold\",\"till\":true}"},
        {"POST", "/v1/stock/counts", TEA("900") "}"},
        {"POST", "/v1/stock/reservations", TEA("1") ",\"id\":\"r%u\"," UNTIL "}"},
        {"POST", "/v1/stock/reservations/r%u/fulfil", ""},
        {"POST", "/v1/stock/transfers",
         "{\"id\":\"t%u\",\"from\":\"WH\",\"to\":\"SH\",\"lines\":[{\"product\":\"tea\","
         "\"quantity\":2}]}"},
        {"POST", "/v1/stock/transfers/t%u/arrive", "{\"last\":true,\"difference\":\"book\"}"},
        {"GET", "/v1/stock/WH/tea?limit=2", ""},
        {"GET", "/v1/stock?product=tea&limit=1", ""},
        {"GET", "/v1/stock/promise?product=tea&by=2030-01-01", ""},
        {"GET", "/v1/stock/transfers/t%u", ""},
        {"GET", "/v1/stock/reservations/r%u", ""},
    };
    souk_test *test = counter->test;
    bool fine = true;
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        char path[100], body[300];
        snprintf(path, sizeof path, asks[i].path, number);
        snprintf(body, sizeof body, asks[i].body, number);
        int status = ask(counter, asks[i].method, path, body);
        if (status == 0 || status == 503)
            fine = false;
        else if (status >= 500 || (fine && status >= 400))
            test_fail(test, __FILE__, __LINE__, "%s %s: %d %s", asks[i].method, path, status,
                      counter->answer);
    }
    return fine;
}

SOUK_TEST("whatever allocation of a call fails, it is answered, and everything adds up")
{
    struct counter counter;
    unsigned number = 0;
    open_counter(&counter, test);
    SOUK_CHECK(whole_day(&counter, number++));
    SOUK_FAULT_LOOP (test) {
        counter.mem = test->mem;
        bool fine = whole_day(&counter, number++);
        test_fault_seen(test, fine ? SOUK_OK : SOUK_ENOMEM);
    }
    SOUK_MUST(souk_stock_verify(counter.stock, NULL));
    close_counter(&counter);
}
