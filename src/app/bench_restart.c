/* bench_restart.c - how long from the start of the process to its line "listening".
 *
 *     load      fills the shop, SOUK_BENCH_SHOPPERS with one event each before the usual events; then an orderly
 *               stop, which writes a snapshot
 *     warm      start and orderly stop, 5 times; the files are in the page cache
 *     cold      the same, in turn with it, each file pushed out of the page cache before the start
 *     kill -9   in the middle of a load, 450,000 events (or half the shop) behind the snapshot; then one start,
 *               which reads that tail of the log
 *
 * Opening a shop that is only made again for its write key is not part of it: the folder is there. */
#include "app/bench.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ROUNDS = 5,
    TAIL_EVENTS = 450000 /* a snapshot is due after 500,000, or more in a large shop */
};

/* ---- cold ---------------------------------------------------------------------------------------------- */

static bool evict_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool gone = fdatasync(fd) == 0 && posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0;
    close(fd);
    return gone;
}

/* False where the system did not let a file go. */
static bool evict_folder(const char *folder)
{
    bool gone = true;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[1024];
        struct stat status;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] == '.' || stat(path, &status))
            continue;
        if (S_ISDIR(status.st_mode))
            gone &= evict_folder(path);
        else if (S_ISREG(status.st_mode))
            gone &= evict_file(path);
    }
    if (dir)
        closedir(dir);
    return dir && gone;
}

/* ---- orderly ------------------------------------------------------------------------------------------- */

static souk_err start_again(bench_run *bench, bench_server *server, double *ret_ready_s,
                            souk_diag *diag)
{
    char data[512];
    snprintf(data, sizeof data, "%s", server->data);
    SOUK_TRY(bench_server_start(bench, data, -1, 1, server, diag));
    *ret_ready_s = server->ready_s;
    return SOUK_OK;
}

static souk_err measure_orderly(bench_run *bench, bench_server *server, souk_diag *diag)
{
    double warm_s[ROUNDS], cold_s[ROUNDS];
    bool evicted = true;
    for (size_t i = 0; i < ROUNDS; i++) {
        SOUK_TRY(start_again(bench, server, &warm_s[i], diag));
        bench_server_stop(server, false);
        evicted &= evict_folder(server->data);
        SOUK_TRY(start_again(bench, server, &cold_s[i], diag));
        bench_server_stop(server, false);
    }
    bench_add(bench, "orderly stop, start to ready, page cache warm", bench_median(warm_s, ROUNDS),
              "s", BENCH_AT_MOST, 2, "median of 5");
    const char *claim = "orderly stop, start to ready, page cache cold";
    if (evicted)
        bench_add(bench, claim, bench_median(cold_s, ROUNDS), "s", BENCH_AT_MOST, 2, "median of 5");
    else
        bench_missing(bench, claim, "s", BENCH_AT_MOST, 2, "the files cannot be pushed out");
    return SOUK_OK;
}

/* ---- kill -9 ------------------------------------------------------------------------------------------- */

struct killing {
    bench_server *server;
    const bench_load *load;
    uint64_t after_events;
};

static bool kill_when_due(void *context)
{
    struct killing *killing = context;
    if (killing->load->sent < killing->after_events)
        return true;
    bench_server_stop(killing->server, true);
    return false;
}

/* How many events the log holds behind the snapshot that the start began with. */
static souk_err read_tail(bench_run *bench, const bench_server *server, double *ret_tail)
{
    souk_auto_value(souk_buf) stats = {.mem = bench->mem};
    double snapshot = bench_metric(server, "souk_snapshot_position");
    SOUK_TRY(bench_ask(server, "/v1/stats", &stats));
    double events = bench_number(&stats, "events");
    *ret_tail = events - (snapshot > 0 ? snapshot - 1 : 0);
    return SOUK_OK;
}

static souk_err measure_killed(bench_run *bench, bench_server *server, uint64_t events,
                               souk_diag *diag)
{
    struct killing killing = {.server = server,
                              .after_events = souk_min_size(events / 2, TAIL_EVENTS)};
    bench_load load = {.server = server,
                       .first = events,
                       .events = killing.after_events * 2,
                       .seed = 4,
                       .tick = kill_when_due,
                       .context = &killing};
    double ready_s, orderly_s, tail;
    killing.load = &load;
    SOUK_TRY(start_again(bench, server, &ready_s, diag));
    SOUK_TRY(bench_load_run(&load, diag));
    SOUK_TRY(start_again(bench, server, &ready_s, diag));
    SOUK_TRY(read_tail(bench, server, &tail));
    bench_server_stop(server, false);
    SOUK_TRY(start_again(bench, server, &orderly_s, diag));
    bench_add(bench, "kill -9 in a load, start to ready", ready_s, "s", BENCH_TOLD, 0, "-");
    bench_add(bench, "  of it the tail behind the last snapshot", tail, "events", BENCH_TOLD, 0,
              "-");
    bench_add(bench, "  and without the tail, at this size", orderly_s, "s", BENCH_AT_MOST, 2,
              "an orderly stop and start right after");
    if (tail > 0 && ready_s > orderly_s)
        bench_add(bench, "  events of the tail read a second", tail / (ready_s - orderly_s),
                  "events/s", BENCH_TOLD, 0, "-");
    return SOUK_OK;
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

static souk_err measure(bench_run *bench, bench_server *server, souk_diag *diag)
{
    uint64_t events = bench->scale ? bench->scale : 2000000;
    bench_load all = {
        .server = server, .events = bench->newcomers, .seed = 3, .shoppers = BENCH_ALL_NEW};
    bench_load fill = {.server = server, .events = events, .seed = 4};
    SOUK_TRY(bench_load_run(&all, diag));
    SOUK_TRY(bench_load_run(&fill, diag));
    bench_add(bench, "events in the shop", (double)(events + bench->newcomers), "events",
              BENCH_TOLD, 0, "-");
    bench_add(bench, "shoppers", bench_shoppers(server), "shoppers", BENCH_TOLD, 0, "-");
    double begun_s = bench_wall_s();
    bench_server_stop(server, false);
    bench_add(bench, "orderly stop, snapshot included", bench_wall_s() - begun_s, "s", BENCH_TOLD,
              0, "-");
    bench_add(bench, "bytes on disk", (double)bench_folder_bytes(server->data), "bytes", BENCH_TOLD,
              0, "-");
    SOUK_TRY(measure_orderly(bench, server, diag));
    return measure_killed(bench, server, events, diag);
}

static souk_err run_restart(bench_run *bench, souk_diag *diag)
{
    return bench_on_server(bench, measure, diag);
}

const bench_entry bench_restart_entry = {
    "restart", "from the start of the process to ready: after an orderly stop and after kill -9",
    run_restart};
