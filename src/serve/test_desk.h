/* test_desk.h - an api over a shop of its own for tests of routes: asked as anybody, answered at once.
 *
 *     struct desk desk;
 *     desk_open(&desk, test, services, count);
 *     SOUK_CHECK(desk_ask(&desk, &souk_jobs_service, "GET", "/v1/jobs/7", "") == 404);
 *     SOUK_CHECK(strstr(desk.answer, "there is no job 7"));
 *     desk_close(&desk);
 *
 * desk_ask calls a route's handler as desk.caller would reach it, behind the check of scopes.  Real disk, real
 * threads.  Stands after test/test.h in a test. */
#ifndef SOUK_SERVE_TEST_DESK_H
#define SOUK_SERVE_TEST_DESK_H

#include "core/service.h"
#include "store/postgres_server.h"

#include <stdio.h>

struct desk {
    souk_test *test;
    souk_disk *disk;
    souk_spine *spine;
    souk_merchants *merchants;
    souk_secrets secrets;
    souk_caller caller;
    void *state; /* for the routes asked */
    int status;
    char answer[100000];
};

/* Under a clock of the test's own; NULL: the machine's. */
static inline void desk_open_at(struct desk *desk, souk_test *test, const souk_clock *clock)
{
    souk_mem *heap = souk_mem_heap();
    souk_spine_options options = {.open_ledger = test_ledger_opener(),
                                  .clock = clock,
                                  .vault = {.block_slots = 64},
                                  .runs_memory = 4096};
    memset(desk, 0, sizeof *desk);
    desk->test = test;
    desk->caller = (souk_caller){.merchant = SOUK_OPERATOR, .scopes = SOUK_SCOPE_ALL};
    SOUK_MUST(souk_disk_open_real(heap, test_folder(test), &desk->disk, NULL));
    SOUK_MUST(souk_spine_init(heap, desk->disk, &options, NULL));
    SOUK_MUST(souk_spine_open(heap, desk->disk, &options, &desk->spine, NULL));
    SOUK_MUST(souk_merchants_open(heap, desk->spine, &desk->merchants, NULL));
    SOUK_MUST(souk_merchants_found(desk->merchants, SOUK_TEXT("shop"), &desk->secrets));
}

static inline void desk_open(struct desk *desk, souk_test *test)
{
    desk_open_at(desk, test, NULL);
}

static inline void desk_close(struct desk *desk)
{
    souk_merchants_free(desk->merchants);
    souk_spine_free(desk->spine);
    souk_disk_free(desk->disk);
}

static inline void desk_answered(souk_call *call, int status, const char *type, souk_text body,
                                 unsigned retry_s)
{
    struct desk *desk = call->from;
    (void)type;
    (void)retry_s;
    desk->status = status;
    snprintf(desk->answer, sizeof desk->answer, "%.*s", SOUK_TEXT_PRINT(body));
}

/* The status; 0: the service has no such route. */
static inline int desk_ask(struct desk *desk, const souk_service *service, const char *method,
                           const char *path, const char *body)
{
    souk_test *test = desk->test;
    souk_call *call;
    desk->status = 0;
    SOUK_MUST(souk_call_new(souk_mem_heap(), &call));
    call->spine = desk->spine;
    call->merchants = desk->merchants;
    call->method = souk_text_of(method);
    call->query = souk_text_of(path);
    call->path = souk_text_cut(&call->query, '?');
    call->body = souk_text_of(body);
    call->caller = desk->caller;
    call->state = desk->state;
    call->from = desk;
    call->send = desk_answered;
    for (size_t i = 0; i < service->route_count && !desk->status; i++)
        if (!strcmp(service->routes[i].method, method) &&
            souk_route_fits(&service->routes[i], call->path, call->parts))
            service->routes[i].handle(call);
    souk_call_free(call);
    return desk->status;
}

#endif
