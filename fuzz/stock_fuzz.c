/* stock_fuzz.c - any requests to the routes of stock, one behind the other: each is answered once, a refusal says what is
 * wrong, none is a fault of ours, and in the end everything adds up.
 *
 * Input: requests parted by a NUL: "POST /v1/stock/counts?query", a line end, the body; "TIME" lets a minute pass, and
 * what is over expires.  The spine is stood in for here by a ledger on a disk in memory. */
#include "service/stock/stock.h"

#include "routes_check.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void ask_all(souk_stock *stock, souk_text requests)
{
    souk_effect_owners owners = {.of = {[SOUK_EFFECT_STOCK] = souk_stock_owner(stock)}};
    for (unsigned i = 0; i < 40 && requests.at; i++) {
        souk_text request = souk_text_cut(&requests, '\0');
        uint64_t expired;
        bool more;
        if (!souk_text_equal(request, SOUK_TEXT("TIME"))) {
            ask(&souk_stock_service, stock, &owners, request);
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
