/* bench_read.c - profile and last-20 timeline by identifier, alone and while the shop is written to.
 *
 *     load      fills the shop: as fast as it goes, which is the peak
 *     alone     the reader only
 *     at 70 %   the load goes on at 70 % of that peak, the reader beside it
 *
 * The reader is one thread with one connection.  It asks for the user of a random event of the first load, so
 * that users come by the load's own Zipf and all exist, a profile, a timeline and /healthz in turn, at an even pace:
 * what is measured is how long an answer takes and not how many there can be.  /healthz is the floor: what the
 * machine, the connection and the loop's other work take where nothing is read. */
#include "app/bench.h"
#include "base/hash.h"
#include "os/socket.h"
#include "os/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ASKED = 12000, ASKED_PER_S = 600, SEED = 5, SHOPPERS = 1000000, WAIT_MS = 5000 };

enum question { PROFILE, TIMELINE, FLOOR, QUESTIONS };

struct reader {
    const bench_server *server;
    uint64_t events; /* numbers below are stored */
    uint64_t asked, other;
    double *latencies_ms[QUESTIONS]; /* [ASKED / QUESTIONS] */
    bool done;                       /* atomic */
    souk_err err;
    souk_client client;
    souk_buf answer;
};

/* ---- one question ------------------------------------------------------------------------------------ */

static uint32_t choose_user(const struct reader *reader)
{
    uint32_t user = 0;
    for (uint64_t draw = reader->asked << 8; !user; draw++)
        user = bench_event_user(SEED, souk_mix64(draw) % reader->events, SHOPPERS);
    return user;
}

/* An answer with its head; how many bytes that is tells Content-Length. */
static souk_err receive_answer(struct reader *reader)
{
    size_t wanted = SIZE_MAX, got;
    souk_buf_clear(&reader->answer);
    while (reader->answer.bytes < wanted) {
        char *room = souk_buf_room(&reader->answer, 65536);
        SOUK_TRY(souk_buf_check(&reader->answer));
        SOUK_TRY(souk_client_receive(&reader->client, room, 65536, &got));
        if (!got)
            return SOUK_EIO;
        souk_buf_added(&reader->answer, got);
        const char *all = souk_buf_ended(&reader->answer), *end = strstr(all, "\r\n\r\n");
        const char *length = end ? strstr(all, "Content-Length: ") : NULL;
        if (length && length < end)
            wanted = (size_t)(end + 4 - all) + strtoul(length + 16, NULL, 10);
    }
    return SOUK_OK;
}

static souk_err ask(struct reader *reader)
{
    enum question question = reader->asked % QUESTIONS;
    char path[128], request[512];
    uint32_t user = choose_user(reader);
    switch (question) {
    case PROFILE:
        snprintf(path, sizeof path, "/v1/shoppers/user/u-%u/profile", user);
        break;
    case TIMELINE:
        snprintf(path, sizeof path, "/v1/shoppers/user/u-%u/timeline?limit=20", user);
        break;
    default:
        snprintf(path, sizeof path, "/healthz");
    }
    int bytes = snprintf(request, sizeof request,
                         "GET %s HTTP/1.1\r\nHost: souk\r\nAuthorization: Bearer %s\r\n\r\n", path,
                         reader->server->token);
    double begun_s = bench_wall_s();
    SOUK_TRY(souk_client_send(&reader->client, (souk_text){request, (size_t)bytes}));
    SOUK_TRY(receive_answer(reader));
    reader->latencies_ms[question][reader->asked / QUESTIONS] = 1e3 * (bench_wall_s() - begun_s);
    reader->other += strncmp(souk_buf_ended(&reader->answer), "HTTP/1.1 200", 12) != 0;
    reader->asked++;
    return SOUK_OK;
}

/* ---- the thread ---------------------------------------------------------------------------------------- */

static void wait_until(double wall_s)
{
    struct timespec until = {.tv_sec = (time_t)wall_s};
    until.tv_nsec = (long)(1e9 * (wall_s - (double)until.tv_sec));
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static void run_reader(void *context)
{
    struct reader *reader = context;
    double started_s = bench_wall_s();
    souk_thread_prompt(); /* in earnest it is another machine, and does not wait for these processors */
    while (!reader->err && reader->asked < ASKED) {
        wait_until(started_s + (double)reader->asked / ASKED_PER_S);
        reader->err = ask(reader);
    }
    __atomic_store_n(&reader->done, true, __ATOMIC_RELEASE);
}

static bool goes_on(void *context)
{
    struct reader *reader = context;
    return !__atomic_load_n(&reader->done, __ATOMIC_ACQUIRE);
}

static souk_err start_reader(struct reader *reader, souk_thread *thread, souk_diag *diag)
{
    for (size_t i = 0; i < QUESTIONS; i++) {
        reader->latencies_ms[i] = calloc(ASKED / QUESTIONS, sizeof(double));
        if (!reader->latencies_ms[i])
            return SOUK_ENOMEM;
    }
    SOUK_TRY(souk_client_open(&reader->client, reader->server->address, WAIT_MS, diag));
    return souk_thread_start(thread, "reader", run_reader, reader);
}

static void free_reader(struct reader *reader)
{
    for (size_t i = 0; i < QUESTIONS; i++)
        free(reader->latencies_ms[i]);
    souk_client_done(&reader->client);
    souk_buf_done(&reader->answer);
}

/* ---- the runs ------------------------------------------------------------------------------------------ */

static const char *const claims[2][QUESTIONS][2] = {
    {{"alone: profile p50", "alone: profile p99"},
     {"alone: timeline p50", "alone: timeline p99"},
     {"alone: /healthz p50, the floor", "alone: /healthz p99, the floor"}},
    {{"at 70 % of peak: profile p50", "at 70 % of peak: profile p99"},
     {"at 70 % of peak: timeline p50", "at 70 % of peak: timeline p99"},
     {"at 70 % of peak: /healthz p50, the floor", "at 70 % of peak: /healthz p99, the floor"}}};

static void tell(bench_run *bench, const struct reader *reader, bool loaded)
{
    for (size_t i = 0; i < QUESTIONS; i++) {
        size_t count = ASKED / QUESTIONS;
        enum bench_sense sense = loaded && i != FLOOR ? BENCH_AT_MOST : BENCH_TOLD;
        double p50_ms = bench_median(reader->latencies_ms[i], count); /* sorts */
        bench_add(bench, claims[loaded][i][0], p50_ms, "ms", BENCH_TOLD, 0, "-");
        bench_add(bench, claims[loaded][i][1], reader->latencies_ms[i][count * 99 / 100], "ms",
                  sense, 2, "600 questions a second; /healthz is the floor");
    }
    bench_add(bench, loaded ? "at 70 % of peak: answers other than 200" : "alone: other than 200",
              (double)reader->other, "answers", BENCH_AT_MOST, 0, "-");
}

/* events_per_s 0: the reader is alone. */
static souk_err read_beside(bench_run *bench, const bench_server *server, uint64_t events,
                            double events_per_s, souk_diag *diag)
{
    struct reader reader = {.server = server,
                            .events = events,
                            .client = SOUK_CLIENT_NONE,
                            .answer = {.mem = bench->mem}};
    souk_thread thread = {0};
    bench_load load = {.server = server,
                       .first = events,
                       .events = (uint64_t)1 << 40,
                       .seed = SEED,
                       .shoppers = SHOPPERS,
                       .events_per_s = events_per_s,
                       .tick = goes_on,
                       .context = &reader};
    souk_err err = start_reader(&reader, &thread, diag);
    if (!err && events_per_s > 0)
        err = bench_load_run(&load, diag);
    souk_thread_join(&thread);
    err = err ? err : reader.err;
    if (!err)
        tell(bench, &reader, events_per_s > 0);
    if (!err && events_per_s > 0) {
        bench_add(bench, "at 70 % of peak: events a second written",
                  (double)load.sent / load.wall_s, "events/s", BENCH_TOLD, 0, "-");
        bench_add(bench, "at 70 % of peak: p99 of these writes", load.p99_ms, "ms", BENCH_TOLD, 0,
                  "-");
    }
    free_reader(&reader);
    return err;
}

static souk_err measure(bench_run *bench, bench_server *server, souk_diag *diag)
{
    uint64_t events = bench->scale ? bench->scale : 1000000;
    bench_load fill = {.server = server, .events = events, .seed = SEED, .shoppers = SHOPPERS};
    SOUK_TRY(bench_load_run(&fill, diag));
    double peak = (double)fill.sent / fill.wall_s;
    bench_add(bench, "events in the shop", (double)events, "events", BENCH_TOLD, 0, "-");
    bench_add(bench, "peak of the load, no reader", peak, "events/s", BENCH_TOLD, 0, "-");
    SOUK_TRY(read_beside(bench, server, events, 0, diag));
    return read_beside(bench, server, events, 0.7 * peak, diag);
}

static souk_err run_read(bench_run *bench, souk_diag *diag)
{
    return bench_on_server(bench, measure, diag);
}

const bench_entry bench_read_entry = {
    "read", "profile and last-20 timeline, alone and beside 70 % of the peak write load", run_read};
