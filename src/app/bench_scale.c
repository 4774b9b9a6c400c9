/* bench_scale.c - one growing shop at a hundredth, a tenth and all of its size: do costs grow faster than it?
 *
 * Each rate is that of the second half of the way to the size, so that snapshots and sorted runs have their share
 * in it.  The load is the same all the way, goes on where it stood, and leads to ever fewer new shoppers, as a
 * shop does: at 0.1 M events two in three bring a shopper or visitor nobody knew, at 10 M one in six. */
#include "app/bench.h"

#include <stdio.h>

enum { SIZES = 3 };

static const char *const rate_claims[SIZES] = {
    "events a server CPU-second, a hundredth of the size", "events a server CPU-second, a tenth",
    "events a server CPU-second, the whole size"};
static const char *const wall_claims[SIZES] = {"events a second, wall, a hundredth",
                                               "events a second, wall, a tenth",
                                               "events a second, wall, the whole size"};
static const char *const disk_claims[SIZES] = {"bytes on disk an event, a hundredth",
                                               "bytes on disk an event, a tenth",
                                               "bytes on disk an event, the whole size"};
static const char *const memory_claims[SIZES] = {"anonymous memory, a hundredth",
                                                 "anonymous memory, a tenth",
                                                 "anonymous memory, the whole size"};
static const char *const shopper_claims[SIZES] = {"shoppers, a hundredth", "shoppers, a tenth",
                                                  "shoppers, the whole size"};

static souk_err grow(const bench_server *server, uint64_t from, uint64_t to, bench_load *load,
                     souk_diag *diag)
{
    *load = (bench_load){.server = server, .first = from, .events = to - from, .seed = 6};
    return bench_load_run(load, diag);
}

static void tell(bench_run *bench, const bench_server *server, size_t size, uint64_t events,
                 const bench_load *load)
{
    bench_add(bench, rate_claims[size], (double)load->sent / load->server_cpu_s, "events/s",
              BENCH_TOLD, 0, "-");
    bench_add(bench, wall_claims[size], (double)load->sent / load->wall_s, "events/s", BENCH_TOLD,
              0, "-");
    bench_add(bench, disk_claims[size], (double)bench_folder_bytes(server->data) / (double)events,
              "bytes", BENCH_TOLD, 0, "-");
    bench_add(bench, memory_claims[size], (double)bench_anonymous_bytes(server->pid) / 0x1p20,
              "MiB", BENCH_TOLD, 0, "-");
    bench_add(bench, shopper_claims[size], bench_shoppers(server), "shoppers", BENCH_TOLD, 0, "-");
}

static souk_err measure(bench_run *bench, bench_server *server, souk_diag *diag)
{
    uint64_t whole = bench->scale ? bench->scale : 10000000, at = 0;
    double rates[SIZES];
    bench_add(bench, "the whole size", (double)whole, "events", BENCH_TOLD, 0, "-");
    for (size_t i = 0; i < SIZES; i++) {
        uint64_t size = i == 0 ? whole / 100 : i == 1 ? whole / 10 : whole;
        bench_load first, second;
        SOUK_TRY(grow(server, at, size / 2, &first, diag));
        SOUK_TRY(grow(server, size / 2, size, &second, diag));
        at = size;
        rates[i] = (double)second.sent / second.server_cpu_s;
        tell(bench, server, i, size, &second);
    }
    bench_add(bench, "rate at the whole size, of the rate at a tenth", rates[2] / rates[1], "of 1",
              BENCH_AT_LEAST, 0.8, "the same shop, smaller");
    return SOUK_OK;
}

static souk_err run_scale(bench_run *bench, souk_diag *diag)
{
    return bench_on_server(bench, measure, diag);
}

const bench_entry bench_scale_entry = {
    "scale", "the rate of collection at 0.1, 1 and 10 M events of one growing shop", run_scale};
