/* stock_fuzz.c - any requests to the routes of stock, one behind the other: each is answered once, a refusal says what is
 * wrong, none is a fault of ours, and in the end everything adds up.
 *
 * Input: requests parted by a NUL: "POST /v1/stock/counts?query", a line end, the body; "TIME" lets a minute pass, and
 * what is over expires.  The spine is stood in for here by a ledger on a disk in memory. */
#include "service/stock/stock.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

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

static const souk_route *find_route(souk_call *call)
{
    for (size_t i = 0; i < souk_stock_service.route_count; i++) {
        const souk_route *route = &souk_stock_service.routes[i];
        if (souk_text_equal(call->method, souk_text_of(route->method)) &&
            souk_route_fits(route, call->path, call->parts))
            return route;
    }
    return NULL;
}

static void ask(souk_stock *stock, const souk_effect_owners *owners, souk_text request)
{
    souk_call *call;
    souk_assert(souk_call_new(souk_mem_heap(), &call) == SOUK_OK);
    souk_text line = souk_text_cut(&request, '\n');
    call->method = souk_text_cut(&line, ' ');
    call->path = souk_text_cut(&line, '?');
    call->query = line.at ? line : SOUK_TEXT("");
    call->body = request.at ? request : SOUK_TEXT("");
    call->caller = (souk_caller){.merchant = 1, .scopes = SOUK_SCOPE_ALL};
    call->state = stock;
    call->owners = owners;
    call->send = answered;
    call->route = find_route(call);
    if (!call->route) {
        souk_call_free(call);
        return;
    }
    unsigned before = answers;
    call->route->handle(call);
    souk_assert(answers == before + 1);
}

static void ask_all(souk_stock *stock, souk_text requests)
{
    souk_effect_owners owners = {.of = {[SOUK_EFFECT_STOCK] = souk_stock_owner(stock)}};
    for (unsigned i = 0; i < 40 && requests.at; i++) {
        souk_text request = souk_text_cut(&requests, '\0');
        uint64_t expired;
        bool more;
        if (!souk_text_equal(request, SOUK_TEXT("TIME"))) {
            ask(stock, &owners, request);
            continue;
        }
        souk_clock_fake_advance(&now, 60000);
        souk_assert(souk_stock_expire(stock, souk_clock_now_ms(&now.clock), &expired) == SOUK_OK);
        souk_assert(souk_stock_keep(stock, 2, &more) == SOUK_OK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    const souk_ledger_options options = {.no_thread = true, .readers = 1};
    souk_mem *mem = souk_mem_heap();
    souk_disk *disk = NULL;
    souk_stock *stock = NULL;
    souk_diag diag = {0};
    souk_clock_fake_init(&now, 1767268800000);
    souk_assert(souk_disk_open_sim(mem, 1, &disk) == SOUK_OK);
    souk_assert(souk_ledger_open_sqlite(mem, disk, "ledger", &options, &ledger, NULL) == SOUK_OK);
    souk_assert(souk_stock_open(mem, ledger, &now.clock, &hashes.messages, NULL, &stock, NULL) ==
                SOUK_OK);
    ask_all(stock, (souk_text){(const char *)bytes, count});
    bool adds_up = souk_stock_verify(stock, &diag) == SOUK_OK;
    if (!adds_up)
        fprintf(stderr, "%s\n", diag.words);
    souk_assert(adds_up);
    souk_stock_free(stock);
    souk_ledger_free(ledger);
    souk_disk_free(disk);
    return 0;
}
