/* routes_check.h - any text as a request to a service's routes, for its fuzzer: each is answered once, a refusal says what
 * is wrong, none is a fault of ours.
 *
 *     ask(&souk_stock_service, stock, &owners, SOUK_TEXT("POST /v1/stock/counts?query\n{}"));
 *
 * A PUT comes with If-None-Match: *, a DELETE with If-Match: "v1".  The spine is stood in for here: `ledger` is the
 * fuzzer's to open, `now` its to set. */
#ifndef SOUK_FUZZ_ROUTES_CHECK_H
#define SOUK_FUZZ_ROUTES_CHECK_H

#include "core/service.h"

static souk_clock_fake now;
static souk_ledger *ledger;
static souk_hashes hashes;

/* ---- in place of the spine ------------------------------------------------------------------------------ */

const souk_hashes *souk_spine_hashes(const souk_spine *spine)
{
    (void)spine;
    return &hashes;
}

const souk_clock *souk_spine_clock(const souk_spine *spine)
{
    (void)spine;
    return &now.clock;
}

souk_ledger *souk_spine_ledger(souk_spine *spine)
{
    (void)spine;
    return ledger;
}

/* ---- one request ------------------------------------------------------------------------------------------ */

static unsigned answers;

static void answered(souk_call *call, int status, const char *type, souk_text body,
                     unsigned retry_s)
{
    souk_json_doc doc = {.mem = souk_mem_heap()};
    (void)type, (void)retry_s;
    answers++;
    souk_assert(status == 200 || status == 201 || (status >= 400 && status < 500));
    souk_assert(souk_json_read(&doc, body, NULL, NULL) == SOUK_OK);
    souk_json_node detail = souk_json_member(&doc, souk_json_root(&doc), SOUK_TEXT("detail"));
    souk_assert(status < 400 || souk_json_raw(&doc, detail).bytes > 10);
    souk_json_doc_done(&doc);
    souk_call_free(call);
}

static souk_text header(souk_call *call, souk_text name)
{
    if (souk_text_equal(call->method, SOUK_TEXT("PUT")) &&
        souk_text_equal_nocase(name, SOUK_TEXT("if-none-match")))
        return SOUK_TEXT("*");
    if (souk_text_equal(call->method, SOUK_TEXT("DELETE")) &&
        souk_text_equal_nocase(name, SOUK_TEXT("if-match")))
        return SOUK_TEXT("\"v1\"");
    return SOUK_TEXT("");
}

static const souk_route *find_route(const souk_service *service, souk_call *call)
{
    for (size_t i = 0; i < service->route_count; i++) {
        const souk_route *route = &service->routes[i];
        if (souk_text_equal(call->method, souk_text_of(route->method)) &&
            souk_route_fits(route, call->path, call->parts))
            return route;
    }
    return NULL;
}

static void ask(const souk_service *service, void *state, const souk_effect_owners *owners,
                souk_text request)
{
    souk_call *call;
    souk_assert(souk_call_new(souk_mem_heap(), &call) == SOUK_OK);
    souk_text line = souk_text_cut(&request, '\n');
    call->method = souk_text_cut(&line, ' ');
    call->path = souk_text_cut(&line, '?');
    call->query = line.at ? line : SOUK_TEXT("");
    call->body = request.at ? request : SOUK_TEXT("");
    call->caller = (souk_caller){.merchant = 1, .scopes = SOUK_SCOPE_ALL};
    call->state = state;
    call->owners = owners;
    call->local = true;
    call->send = answered;
    call->header = header;
    call->route = find_route(service, call);
    if (!call->route) {
        souk_call_free(call);
        return;
    }
    unsigned before = answers;
    call->route->handle(call);
    souk_assert(answers == before + 1);
}

#endif
