/* bench_collect.c - collection over HTTP, beside SQLite appending the same bytes, and nginx saying 200. */
#include "app/bench.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Rows a CPU-second that SQLite appends with FULL sync: no secondary index, groups of the same mean size. */
static double append_rows(bench_run *bench, unsigned group, uint64_t rows, double *ret_wall_rate)
{
    char path[600], text[1024];
    sqlite3 *db = NULL;
    sqlite3_stmt *insert = NULL;
    snprintf(path, sizeof path, "%s/peer.db", bench->folder);
    unlink(path);
    if (sqlite3_open(path, &db) ||
        sqlite3_exec(db,
                     "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
                     "CREATE TABLE event (id INTEGER PRIMARY KEY, text TEXT)",
                     NULL, NULL, NULL) ||
        sqlite3_prepare_v2(db, "INSERT INTO event (text) VALUES (?1)", -1, &insert, NULL)) {
        sqlite3_close(db);
        return 0;
    }
    char **texts = calloc(4096, sizeof *texts); /* made before the clock starts */
    for (size_t i = 0; i < 4096; i++) {
        size_t bytes = bench_event(1, i, 1000000, text);
        texts[i] = strndup(text, bytes);
    }
    struct rusage before, after;
    double wall_s = bench_wall_s();
    getrusage(RUSAGE_SELF, &before);
    for (uint64_t row = 0; row < rows;) {
        sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        for (unsigned i = 0; i < group && row < rows; i++, row++) {
            sqlite3_bind_text(insert, 1, texts[row % 4096], -1, SQLITE_STATIC);
            sqlite3_step(insert);
            sqlite3_reset(insert);
        }
        sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    }
    getrusage(RUSAGE_SELF, &after);
    *ret_wall_rate = (double)rows / (bench_wall_s() - wall_s);
    sqlite3_finalize(insert);
    sqlite3_close(db);
    for (size_t i = 0; i < 4096; i++)
        free(texts[i]);
    free(texts);
    unlink(path);
    double cpu_s = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec + after.ru_stime.tv_sec -
                            before.ru_stime.tv_sec) +
                   1e-6 * (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec +
                                   after.ru_stime.tv_usec - before.ru_stime.tv_usec);
    return (double)rows / cpu_s;
}

static void tell_memory_and_disk(bench_run *bench, const bench_server *server,
                                 const bench_load *load, uint64_t base_bytes)
{
    double shoppers = bench_shoppers(server);
    double events = bench_metric(server, "souk_events_total");
    uint64_t memory = bench_anonymous_bytes(server->pid);
    double allowed = 200 * shoppers + 2 * events;
    bench_add(bench, "anonymous memory over 200 bytes a shopper and 2 an event",
              (double)(memory - souk_min_size(memory, base_bytes)) / allowed, "of the allowance",
              BENCH_AT_MOST, 1.0, "budget");
    bench_add(bench, "shoppers", shoppers, "shoppers", BENCH_TOLD, 0, "-");
    (void)load;
}

static souk_err measure(bench_run *bench, bench_server *server, souk_diag *diag)
{
    uint64_t events = bench->scale ? bench->scale : 2000000;
    bench_load warm = {.server = server, .events = events / 10, .seed = 1};
    uint64_t idle_bytes = bench_anonymous_bytes(server->pid);
    SOUK_TRY(bench_load_run(&warm, diag));
    double groups = bench_metric(server, "souk_groups_total");
    double stored = bench_metric(server, "souk_events_total");
    bench_load load = {.server = server, .events = events, .seed = 2};
    SOUK_TRY(bench_load_run(&load, diag));
    double group = (bench_metric(server, "souk_events_total") - stored) /
                   (bench_metric(server, "souk_groups_total") - groups);
    double rate = (double)load.sent / load.server_cpu_s;
    bench_add(bench, "events a second, all durable, wall", (double)load.sent / load.wall_s,
              "events/s", BENCH_AT_LEAST, 100000, "2 cores, generator included");
    bench_add(bench, "events a server CPU-second", rate, "events/s", BENCH_TOLD, 0, "-");
    bench_add(bench, "mean events of a transaction", group, "events", BENCH_TOLD, 0, "-");
    bench_add(bench, "request p50", load.p50_ms, "ms", BENCH_TOLD, 0, "-");
    bench_add(bench, "request p99", load.p99_ms, "ms", BENCH_TOLD, 0, "-");
    bench_add(bench, "commit p50", 1e3 * bench_metric(server, "souk_commit_p50_seconds"), "ms",
              BENCH_TOLD, 0, "-");
    bench_add(bench, "refused requests", (double)load.refused_requests, "requests", BENCH_AT_MOST,
              0, "-");
    double peer_wall, peer = append_rows(bench, (unsigned)(group + 0.5), events / 2, &peer_wall);
    bench_add(bench, "SQLite FULL, same bytes as rows, a CPU-second", peer, "rows/s", BENCH_TOLD, 0,
              "SQLite " SQLITE_VERSION);
    bench_add(bench, "share of SQLite's append rate, per CPU-second", rate / peer, "of 1",
              BENCH_AT_LEAST, 0.3, "SQLite " SQLITE_VERSION " synchronous=FULL");
    tell_memory_and_disk(bench, server, &load, idle_bytes);
    bench_server_stop(server, false);
    double json = (double)(load.json_bytes + warm.json_bytes);
    bench_add(bench, "bytes on disk for a byte of JSON",
              (double)bench_folder_bytes(server->data) / json, "of 1", BENCH_AT_MOST, 0.5,
              "the JSON that came in");
    bench_add(bench, "mean bytes of an event", json / (double)(load.sent + warm.sent), "bytes",
              BENCH_TOLD, 0, "-");
    return SOUK_OK;
}

static souk_err run_collect(bench_run *bench, souk_diag *diag)
{
    return bench_on_server(bench, measure, diag);
}

const bench_entry bench_collect_entry = {
    "collect", "batches of 100 events over HTTP from 16 connections", run_collect};

/* ---- single events -------------------------------------------------------------------------------------- */

static long start_nginx(const char *folder)
{
    char conf[700], text[1400];
    snprintf(conf, sizeof conf, "%.500s/nginx.conf", folder);
    snprintf(text, sizeof text,
             "daemon off; worker_processes 1; pid %.500s/nginx.pid; error_log /dev/null;\n"
             "events { worker_connections 1024; }\n"
             "http { access_log off; keepalive_requests 100000000;\n"
             "server { listen 127.0.0.1:17011; location / { return 200 \"ok\"; } } }\n",
             folder);
    FILE *file = fopen(conf, "w");
    if (!file)
        return 0;
    fputs(text, file);
    fclose(file);
    long pid = fork();
    if (pid == 0) {
        execlp("nginx", "nginx", "-c", conf, (char *)NULL);
        _exit(127);
    }
    usleep(500000);
    return pid;
}

static long child_of(long parent)
{
    char path[100];
    long child = 0;
    snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", parent, parent);
    FILE *file = fopen(path, "r");
    if (file) {
        if (fscanf(file, "%ld", &child) != 1)
            child = 0;
        fclose(file);
    }
    return child;
}

static souk_err run_single(bench_run *bench, souk_diag *diag)
{
    bench_server server = {.pid = 0};
    char data[600];
    uint64_t events = bench->scale ? bench->scale : 300000;
    snprintf(data, sizeof data, "%.500s/data", bench->folder);
    SOUK_TRY(bench_server_start(bench, data, -1, 1, &server, diag));
    bench_load load = {
        .server = &server, .events = events, .seed = 3, .batch_events = 1, .connections = 64};
    souk_err err = bench_load_run(&load, diag);
    bench_server_stop(&server, true);
    SOUK_TRY(err);
    double rate = (double)load.sent / load.server_cpu_s;
    bench_add(bench, "single events a second, durable, wall", (double)load.sent / load.wall_s,
              "requests/s", BENCH_TOLD, 0, "-");
    bench_add(bench, "single events a server CPU-second", rate, "requests/s", BENCH_TOLD, 0, "-");
    bench_add(bench, "request p99", load.p99_ms, "ms", BENCH_TOLD, 0, "-");
    long nginx = start_nginx(bench->folder), worker = child_of(nginx);
    bench_server peer = {.pid = worker, .address = "127.0.0.1:17011", .write_key = "x"};
    bench_load asking = {
        .server = &peer, .events = events, .seed = 3, .batch_events = 1, .connections = 64};
    err = worker ? bench_load_run(&asking, diag) : SOUK_ENOENT;
    if (nginx) {
        kill((pid_t)nginx, 15);
        waitpid((pid_t)nginx, NULL, 0);
    }
    const char *claim = "share of nginx `return 200`, per CPU-second";
    if (err || asking.server_cpu_s <= 0) {
        bench_missing(bench, claim, "of 1", BENCH_AT_LEAST, 0.25, "nginx");
        return SOUK_OK;
    }
    double peer_rate = (double)asking.sent / asking.server_cpu_s;
    bench_add(bench, "nginx `return 200` on the same requests", peer_rate, "requests/s", BENCH_TOLD,
              0, "nginx");
    bench_add(bench, claim, rate / peer_rate, "of 1", BENCH_AT_LEAST, 0.25, "nginx");
    return SOUK_OK;
}

const bench_entry bench_single_entry = {"single", "one event a request, 64 connections",
                                        run_single};
