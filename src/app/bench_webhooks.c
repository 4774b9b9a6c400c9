/* bench_webhooks.c - collection alone, and while 8 webhook endpoints are told of everything.
 *
 *     alone, 8 at 50 deliveries a second, 8 at 1,000, alone: the same load, one server, as fast as it goes
 *
 * The receiver is a process of its own behind a loopback address, and answers 204 to whatever comes.  A hook that
 * cannot keep up falls behind; what it costs the others is measured.  Alone is the mean of a run before and one
 * behind. */
#include "app/bench.h"
#include "os/socket.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HOOKS = 8, USUAL_RATE = 50, MOST_RATE = 1000, ROOM = 1 << 16 };

/* ---- the process that receives ------------------------------------------------------------------------- */

struct peer {
    int fd;
    size_t got;
    char room[ROOM];
};

/* How long the first POST is, its body with it; 0: more must come. */
static size_t post_bytes(const struct peer *peer)
{
    const char *end = memmem(peer->room, peer->got, "\r\n\r\n", 4);
    size_t head = end ? (size_t)(end + 4 - peer->room) : 0;
    const char *length = end ? memmem(peer->room, head, "Content-Length: ", 16) : NULL;
    size_t all = head + (length ? strtoul(length + 16, NULL, 10) : 0);
    return end && peer->got >= all ? all : 0;
}

static void receive(struct peer *peer)
{
    static const char answer[] = "HTTP/1.1 204 No Content\r\n\r\n";
    ssize_t got = read(peer->fd, peer->room + peer->got, sizeof peer->room - peer->got);
    if (got <= 0) {
        close(peer->fd);
        free(peer);
        return;
    }
    peer->got += (size_t)got;
    for (size_t bytes; (bytes = post_bytes(peer)) > 0; peer->got -= bytes) {
        memmove(peer->room, peer->room + bytes, peer->got - bytes);
        if (write(peer->fd, answer, sizeof answer - 1) < 0)
            return;
    }
}

static void let_in(int epoll, int listener)
{
    souk_fd fd;
    while (!souk_socket_accept(listener, &fd) && fd >= 0) {
        struct peer *peer = calloc(1, sizeof *peer);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
        if (!peer)
            _exit(1);
        peer->fd = fd;
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    }
}

static void become_receiver(int listener)
{
    struct epoll_event events[64], first = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &first);
    for (;;) {
        int count = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < count; i++)
            if (events[i].data.ptr)
                receive(events[i].data.ptr);
            else
                let_in(epoll, listener);
    }
}

/* ---- the endpoints --------------------------------------------------------------------------------------- */

static souk_err ask(const bench_server *server, const char *method, const char *path,
                    const char *body, const char *wanted, souk_diag *diag)
{
    souk_auto_value(souk_client) client = SOUK_CLIENT_NONE;
    souk_auto_value(souk_buf) request = {.mem = souk_mem_heap()}, answer = {.mem = souk_mem_heap()};
    char socket[600];
    snprintf(socket, sizeof socket, "%s/control", server->data);
    souk_buf_print(&request,
                   "%s %s HTTP/1.1\r\nHost: souk\r\nConnection: close\r\n"
                   "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                   method, path, strlen(body), body);
    SOUK_TRY(souk_buf_check(&request));
    SOUK_TRY(souk_client_open(&client, socket, 5000, diag));
    SOUK_TRY(souk_client_send(&client, souk_buf_view(&request)));
    SOUK_TRY(souk_client_receive_all(&client, &answer));
    if (!strstr(souk_buf_ended(&answer), wanted))
        return souk_diag_say(diag, SOUK_EIO, "%s %s was answered %.200s", method, path,
                             souk_buf_ended(&answer));
    return SOUK_OK;
}

static souk_err add_hooks(const bench_server *server, const char *receiver, unsigned rate,
                          souk_diag *diag)
{
    char body[300];
    snprintf(body, sizeof body, "{\"url\":\"http://%s/\",\"events\":[\"*\"],\"rate\":%u}", receiver,
             rate);
    for (unsigned i = 0; i < HOOKS; i++)
        SOUK_TRY(ask(server, "POST", "/v1/webhooks", body, "HTTP/1.1 201", diag));
    return SOUK_OK;
}

/* Ids count from 1 in a fresh shop. */
static souk_err remove_hooks(const bench_server *server, unsigned first, souk_diag *diag)
{
    char path[60];
    for (unsigned i = 0; i < HOOKS; i++) {
        snprintf(path, sizeof path, "/v1/webhooks/%u", first + i);
        SOUK_TRY(ask(server, "DELETE", path, "", "HTTP/1.1 200", diag));
    }
    return SOUK_OK;
}

/* ---- runs ------------------------------------------------------------------------------------------------ */

struct stage {
    bench_run *bench;
    const bench_server *server;
    char receiver[SOUK_ADDRESS_ROOM];
    uint64_t next; /* number of the next event */
};

struct run {
    double wall_rate, cpu_rate, told_rate; /* a second, a server CPU-second; deliveries a second */
};

static souk_err run_load(struct stage *stage, struct run *ret_run, souk_diag *diag)
{
    bench_load load = {.server = stage->server,
                       .first = stage->next,
                       .events = stage->bench->scale ? stage->bench->scale : 1000000,
                       .seed = 13};
    double told = bench_metric(stage->server, "souk_webhooks_delivered_total");
    SOUK_TRY(bench_load_run(&load, diag));
    told = bench_metric(stage->server, "souk_webhooks_delivered_total") - told;
    stage->next += load.events;
    *ret_run = (struct run){.wall_rate = (double)load.sent / load.wall_s,
                            .cpu_rate = (double)load.sent / load.server_cpu_s,
                            .told_rate = told / load.wall_s};
    return SOUK_OK;
}

static souk_err run_with(struct stage *stage, unsigned first, unsigned rate, struct run *ret_run,
                         souk_diag *diag)
{
    SOUK_TRY(add_hooks(stage->server, stage->receiver, rate, diag));
    SOUK_TRY(run_load(stage, ret_run, diag));
    return remove_hooks(stage->server, first, diag);
}

static double slice_ms(const struct stage *stage)
{
    return 1e3 * bench_metric(stage->server, "souk_slice_max_seconds");
}

static souk_err measure_all(struct stage *stage, souk_diag *diag)
{
    bench_run *bench = stage->bench;
    struct run warm, before, usual, most, behind;
    SOUK_TRY(run_load(stage, &warm, diag));
    SOUK_TRY(run_load(stage, &before, diag));
    bench_add(bench, "alone: longest slice of the writer so far", slice_ms(stage), "ms", BENCH_TOLD,
              0, "-");
    SOUK_TRY(run_with(stage, 1, USUAL_RATE, &usual, diag));
    SOUK_TRY(run_with(stage, 1 + HOOKS, MOST_RATE, &most, diag));
    bench_add(bench, "8 endpoints: longest slice of the writer so far", slice_ms(stage), "ms",
              BENCH_TOLD, 0, "-");
    SOUK_TRY(run_load(stage, &behind, diag));
    double wall = (before.wall_rate + behind.wall_rate) / 2;
    double cpu = (before.cpu_rate + behind.cpu_rate) / 2;
    bench_add(bench, "alone: events a second", wall, "events/s", BENCH_TOLD, 0, "-");
    bench_add(bench, "alone: events a server CPU-second", cpu, "events/s", BENCH_TOLD, 0, "-");
    bench_add(bench, "8 at 50/s: events a second, share of alone", usual.wall_rate / wall, "of 1",
              BENCH_AT_LEAST, 0.8, "alone, before and behind");
    bench_add(bench, "8 at 50/s: events a server CPU-second, share of alone", usual.cpu_rate / cpu,
              "of 1", BENCH_TOLD, 0, "-");
    bench_add(bench, "8 at 50/s: deliveries a second", usual.told_rate, "1/s", BENCH_TOLD, 0, "-");
    bench_add(bench, "8 at 1,000/s: events a second, share of alone", most.wall_rate / wall, "of 1",
              BENCH_TOLD, 0, "-");
    bench_add(bench, "8 at 1,000/s: deliveries a second", most.told_rate, "1/s", BENCH_TOLD, 0,
              "-");
    return SOUK_OK;
}

static souk_err measure(bench_run *bench, bench_server *server, souk_diag *diag)
{
    souk_auto_value(souk_fd) listener = -1;
    struct stage stage = {.bench = bench, .server = server};
    SOUK_TRY(souk_socket_listen("127.0.0.1:0", NULL, &listener, stage.receiver, diag));
    pid_t receiver = fork();
    if (receiver == 0)
        become_receiver(listener);
    if (receiver < 0)
        return SOUK_EIO;
    souk_err err = measure_all(&stage, diag);
    kill(receiver, SIGKILL);
    waitpid(receiver, NULL, 0);
    return err;
}

static souk_err run_webhooks(bench_run *bench, souk_diag *diag)
{
    if (setenv("SOUK_WEBHOOKS_ALLOW_PRIVATE", "127.0.0.1", 1))
        return SOUK_ENOMEM;
    souk_err err = bench_on_server(bench, measure, diag);
    unsetenv("SOUK_WEBHOOKS_ALLOW_PRIVATE");
    return err;
}

const bench_entry bench_webhooks_entry = {
    "webhooks", "collection alone and beside 8 endpoints that want everything", run_webhooks};
