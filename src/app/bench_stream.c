/* bench_stream.c - collection alone, and while 500 listeners follow it.
 *
 *     store     each listens to one store of 500
 *     type      each listens to one type, which 1 % of the events have
 *     all       each listens to everything, under the usual ceiling of 1,000 events a second
 *
 * Twice: with the load at 20,000 events/s, and as fast as it goes.  The listeners are one process with one epoll, as
 * cheap as it can be, and from addresses of their own; what it burns is told apart.  A CPU that tells listeners does
 * not collect: what 20,000 events with listeners take of the server's CPU more than 20,000 without, in seconds, is the
 * share of a CPU's collection rate that they cost.  Where the machine does not hold the pace it is told as too much
 * rather than too little, since listeners are told by the clock, too.  Alone is the mean of a run before and one behind. */
#include "app/bench.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LISTENERS = 500,
    STORES = 500,
    PACED_PER_S = 20000,
    PACED_S = 8,
    ROOM = 1 << 18,
    CARRY = 16
};

enum mode { STORE, TYPE, ALL, MODES };

/* What a reading process tells at its end. */
struct heard {
    uint64_t events, skipped, bytes, open;
};

struct ear {
    int fd;
    bool begun; /* the head was 200 */
    char carry[CARRY];
    size_t carried;
};

/* ---- the process that listens ---------------------------------------------------------------------- */

static volatile sig_atomic_t told_to_end;

static void on_end(int number)
{
    (void)number;
    told_to_end = 1;
}

static uint64_t count_marks(const char *at, size_t bytes, const char *mark)
{
    uint64_t count = 0;
    const char *end = at + bytes;
    size_t mark_bytes = strlen(mark);
    while ((at = memmem(at, (size_t)(end - at), mark, mark_bytes)) != NULL) {
        count++;
        at += mark_bytes;
    }
    return count;
}

/* Counts what is new; the last bytes may be the beginning of a mark, and are looked at again. */
static void listen_to(struct ear *ear, struct heard *heard, char *room)
{
    static const char event[] = "\nevent: event\n", skipped[] = "\nevent: skip";
    _Static_assert(CARRY > sizeof event, "a mark fits into what is kept");
    for (;;) {
        memcpy(room, ear->carry, ear->carried);
        ssize_t got = recv(ear->fd, room + ear->carried, ROOM - ear->carried, MSG_DONTWAIT);
        if (got <= 0) {
            if (got == 0)
                heard->open--;
            return;
        }
        size_t bytes = ear->carried + (size_t)got;
        ear->begun |= memmem(room, bytes, "HTTP/1.1 200", 12) != NULL;
        heard->events += count_marks(room, bytes, event);
        heard->skipped += count_marks(room, bytes, skipped);
        heard->bytes += (uint64_t)got;
        ear->carried = souk_min_size(bytes, sizeof skipped - 2);
        memcpy(ear->carry, room + bytes - ear->carried, ear->carried);
        if (memmem(ear->carry, ear->carried, event, sizeof event - 1))
            ear->carried = 0; /* counted already */
        if ((size_t)got < ROOM / 2)
            return;
    }
}

static int connect_from(const char *address, unsigned number)
{
    struct sockaddr_in to = {.sin_family = AF_INET}, from = {.sin_family = AF_INET};
    char host[64];
    unsigned port = 0;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (sscanf(address, "%63[^:]:%u", host, &port) != 2)
        return -1;
    to.sin_port = htons((uint16_t)port);
    inet_pton(AF_INET, host, &to.sin_addr);
    from.sin_addr.s_addr =
        htonl(0x7f000002 + number % 4); /* 127.0.0.2 and on: others, for the limit */
    if (bind(fd, (struct sockaddr *)&from, sizeof from) ||
        connect(fd, (struct sockaddr *)&to, sizeof to)) {
        close(fd);
        return -1;
    }
    return fd;
}

static const char *const type_names[] = {"Product%20Viewed", "Product%20Added",
                                         "Product%20List%20Viewed", "Cart%20Viewed",
                                         "Product%20Clicked"};

static bool ask_for(const bench_server *server, enum mode mode, unsigned number, struct ear *ear)
{
    char query[128] = "", request[512];
    if (mode == STORE)
        snprintf(query, sizeof query, "?store=S-%03u", number % STORES);
    else if (mode == TYPE)
        snprintf(query, sizeof query, "?type=T%02u%%20%s", number / 5 % 20, type_names[number % 5]);
    int bytes =
        snprintf(request, sizeof request,
                 "GET /v1/stream%s HTTP/1.0\r\nHost: souk\r\nAuthorization: Bearer %s\r\n\r\n",
                 query, server->token);
    ear->fd = connect_from(server->address, number);
    return ear->fd >= 0 && write(ear->fd, request, (size_t)bytes) == bytes;
}

static bool open_ears(const bench_server *server, enum mode mode, struct ear *ears, int epoll)
{
    for (unsigned i = 0; i < LISTENERS; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &ears[i]};
        if (!ask_for(server, mode, i, &ears[i]) ||
            epoll_ctl(epoll, EPOLL_CTL_ADD, ears[i].fd, &event))
            return false;
    }
    return true;
}

static bool all_begun(const struct ear *ears)
{
    for (unsigned i = 0; i < LISTENERS; i++)
        if (!ears[i].begun)
            return false;
    return true;
}

/* Says 'r' when all streams have begun, and what was heard at its end. */
static void become_listeners(const bench_server *server, enum mode mode, int out)
{
    struct heard heard = {.open = LISTENERS};
    struct ear *ears = calloc(LISTENERS, sizeof *ears);
    char *room = malloc(ROOM);
    struct epoll_event events[64];
    struct sigaction action = {.sa_handler = on_end};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    bool ready = false;
    sigaction(SIGTERM, &action, NULL);
    if (!ears || !room || !open_ears(server, mode, ears, epoll))
        _exit(1);
    while (!told_to_end) {
        int count = epoll_wait(epoll, events, 64, 1000);
        for (int i = 0; i < count; i++)
            listen_to(events[i].data.ptr, &heard, room);
        if (!ready && all_begun(ears))
            ready = write(out, "r", 1) == 1;
        usleep(2000); /* many bytes at a time: it is not the listeners that are measured */
    }
    _exit(write(out, &heard, sizeof heard) != sizeof heard);
}

struct listeners {
    pid_t pid;
    int out;
};

static souk_err start_listeners(const bench_server *server, enum mode mode,
                                struct listeners *listeners, souk_diag *diag)
{
    int ends[2];
    char ready;
    if (pipe2(ends, O_CLOEXEC))
        return SOUK_EIO;
    listeners->pid = fork();
    if (listeners->pid == 0)
        become_listeners(server, mode, ends[1]);
    close(ends[1]);
    listeners->out = ends[0];
    if (listeners->pid < 0 || read(ends[0], &ready, 1) != 1)
        return souk_diag_say(diag, SOUK_EIO, "500 streams could not be opened");
    return SOUK_OK;
}

static souk_err end_listeners(struct listeners *listeners, struct heard *ret_heard,
                              double *ret_cpu_s, souk_diag *diag)
{
    struct rusage used;
    int status = 1;
    usleep(300000); /* what is on its way */
    kill(listeners->pid, SIGTERM);
    bool told = read(listeners->out, ret_heard, sizeof *ret_heard) == sizeof *ret_heard;
    wait4(listeners->pid, &status, 0, &used);
    close(listeners->out);
    *ret_cpu_s = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                 1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    if (!told || status)
        return souk_diag_say(diag, SOUK_EIO, "the listeners ended too early");
    return SOUK_OK;
}

/* ---- runs ---------------------------------------------------------------------------------------------- */

struct run {
    double cpu_share;     /* server CPU seconds a second */
    double wall_rate;     /* events a second */
    double cpu_rate;      /* events a server CPU-second */
    double told, skipped; /* of what was stored, as often as it should be told */
    double ears_cpu_share;
};

struct stage {
    bench_run *bench;
    bench_server *server;
    uint64_t next; /* number of the next event */
};

static souk_err run_load(struct stage *stage, bool paced, struct run *ret_run, souk_diag *diag)
{
    uint64_t most = stage->bench->scale ? stage->bench->scale : 400000;
    bench_load load = {.server = stage->server,
                       .first = stage->next,
                       .events = paced ? souk_min_size(most, PACED_PER_S * PACED_S) : most,
                       .seed = 11,
                       .stores = STORES,
                       .events_per_s = paced ? PACED_PER_S : 0};
    SOUK_TRY(bench_load_run(&load, diag));
    stage->next += load.events;
    ret_run->cpu_share = load.server_cpu_s / load.wall_s;
    ret_run->wall_rate = (double)load.sent / load.wall_s;
    ret_run->cpu_rate = (double)load.sent / load.server_cpu_s;
    return SOUK_OK;
}

/* Each event goes to one of 500 stores, to five listeners of its type, or to all. */
static const double copies[MODES] = {1, 5, LISTENERS};

static souk_err run_with(struct stage *stage, enum mode mode, bool paced, struct run *run,
                         souk_diag *diag)
{
    struct listeners listeners;
    struct heard heard;
    double cpu_s, began_s = bench_wall_s();
    double stored = bench_metric(stage->server, "souk_events_total");
    SOUK_TRY(start_listeners(stage->server, mode, &listeners, diag));
    souk_err err = run_load(stage, paced, run, diag);
    souk_err ended = end_listeners(&listeners, &heard, &cpu_s, diag);
    if (err || ended)
        return err ? err : ended;
    stored = bench_metric(stage->server, "souk_events_total") - stored;
    run->told = (double)heard.events / (stored * copies[mode]);
    run->ears_cpu_share = cpu_s / (bench_wall_s() - began_s);
    if (heard.open != LISTENERS)
        return souk_diag_say(diag, SOUK_EIO, "%llu of 500 listeners were cut off",
                             (unsigned long long)(LISTENERS - heard.open));
    return SOUK_OK;
}

static const char *const claims[2][MODES][3] = {
    {{"full speed, a store each: events a server CPU-second, share of alone",
      "full speed, a store each: events told of events stored",
      "full speed, a store each: CPU of the listeners' process"},
     {"full speed, a type each: events a server CPU-second, share of alone",
      "full speed, a type each: events told of events stored",
      "full speed, a type each: CPU of the listeners' process"},
     {"full speed, everything at 1,000/s: events a server CPU-second, share of alone",
      "full speed, everything at 1,000/s: events told of events stored",
      "full speed, everything at 1,000/s: CPU of the listeners' process"}},
    {{"20,000/s, a store each: cost, share of the collection rate",
      "20,000/s, a store each: events told of events stored",
      "20,000/s, a store each: CPU of the listeners' process"},
     {"20,000/s, a type each: cost, share of the collection rate",
      "20,000/s, a type each: events told of events stored",
      "20,000/s, a type each: CPU of the listeners' process"},
     {"20,000/s, everything at 1,000/s: cost, share of the collection rate",
      "20,000/s, everything at 1,000/s: events told of events stored",
      "20,000/s, everything at 1,000/s: CPU of the listeners' process"}}};

static void tell(bench_run *bench, bool paced, enum mode mode, const struct run *run,
                 const struct run *alone)
{
    const char *const *names = claims[paced][mode];
    if (paced)
        bench_add(bench, names[0], PACED_PER_S * (1 / run->cpu_rate - 1 / alone->cpu_rate), "of 1",
                  BENCH_AT_MOST, 0.2, "one CPU, which would collect instead");
    else
        bench_add(bench, names[0], run->cpu_rate / alone->cpu_rate, "of 1", BENCH_AT_LEAST, 0.8,
                  "alone, before and behind");
    bool exact = paced && mode == STORE;
    bench_add(bench, names[1], run->told, "of 1", exact ? BENCH_AT_LEAST : BENCH_TOLD, 1, "-");
    bench_add(bench, names[2], run->ears_cpu_share, "CPU", BENCH_TOLD, 0, "-");
}

/* Alone, the three modes, alone again. */
static souk_err run_all(struct stage *stage, bool paced, struct run runs[MODES], struct run *alone,
                        souk_diag *diag)
{
    struct run before, behind;
    SOUK_TRY(run_load(stage, paced, &before, diag));
    for (int mode = 0; mode < MODES; mode++)
        SOUK_TRY(run_with(stage, (enum mode)mode, paced, &runs[mode], diag));
    SOUK_TRY(run_load(stage, paced, &behind, diag));
    *alone = (struct run){.cpu_share = (before.cpu_share + behind.cpu_share) / 2,
                          .wall_rate = (before.wall_rate + behind.wall_rate) / 2,
                          .cpu_rate = (before.cpu_rate + behind.cpu_rate) / 2};
    return SOUK_OK;
}

static souk_err measure(bench_run *bench, bench_server *server, souk_diag *diag)
{
    struct stage stage = {.bench = bench, .server = server};
    struct run warm, runs[MODES], full, slow;
    SOUK_TRY(run_load(&stage, false, &warm, diag));
    SOUK_TRY(run_all(&stage, false, runs, &full, diag));
    bench_add(bench, "full speed alone: events a second", full.wall_rate, "events/s", BENCH_TOLD, 0,
              "-");
    bench_add(bench, "full speed alone: events a server CPU-second", full.cpu_rate, "events/s",
              BENCH_TOLD, 0, "-");
    bench_add(bench, "full speed alone: CPU of the server", full.cpu_share, "CPU", BENCH_TOLD, 0,
              "-");
    for (int mode = 0; mode < MODES; mode++)
        tell(bench, false, (enum mode)mode, &runs[mode], &full);
    SOUK_TRY(run_all(&stage, true, runs, &slow, diag));
    bench_add(bench, "20,000/s alone: CPU of the server", slow.cpu_share, "CPU", BENCH_TOLD, 0,
              "-");
    for (int mode = 0; mode < MODES; mode++)
        tell(bench, true, (enum mode)mode, &runs[mode], &slow);
    return SOUK_OK;
}

static souk_err run_stream(bench_run *bench, souk_diag *diag)
{
    return bench_on_server(bench, measure, diag);
}

const bench_entry bench_stream_entry = {
    "stream", "collection alone and beside 500 listeners of the live stream", run_stream};
