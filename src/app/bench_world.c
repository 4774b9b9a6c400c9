/* bench_world.c - a simulated world written as files, beside its own bytes written by plain write(2), in turn.
 *
 * The peer has the whole of events.jsonl in memory and only hands it over, 1 MiB at a time: what is left between the
 * two is what making the events costs.  Neither syncs. */
#include "app/bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ROUNDS = 5, SHOPPERS = 20000, EVENTS_A_SHOPPER = 65, PIECE_BYTES = 1 << 20 };

struct trial {
    char folder[600], events[640], copy[600], shoppers[24];
    souk_buf text; /* events.jsonl, once */
    double wall_s[ROUNDS], cpu_s[ROUNDS], plain_s[ROUNDS];
    double events_told;
};

static souk_err make_world(struct trial *trial, size_t round)
{
    souk_auto_value(souk_buf) answer = {.mem = souk_mem_heap()};
    const char *arguments[] = {bench_self(), "world",       "--shoppers", trial->shoppers,
                               "--stores",   "20",          "--seed",     "1",
                               "--out",      trial->folder, "--json",     NULL};
    SOUK_TRY(bench_command(arguments, &answer, &trial->wall_s[round], &trial->cpu_s[round]));
    trial->events_told = bench_number(&answer, "events");
    return trial->events_told > 0 ? SOUK_OK : SOUK_EIO;
}

static souk_err read_events(struct trial *trial)
{
    FILE *file = fopen(trial->events, "rb");
    if (!file)
        return SOUK_EIO;
    char *room;
    size_t got = 1;
    while (got && (room = souk_buf_room(&trial->text, PIECE_BYTES))) {
        got = fread(room, 1, PIECE_BYTES, file);
        souk_buf_added(&trial->text, got);
    }
    bool failed = ferror(file);
    fclose(file);
    return failed ? SOUK_EIO : souk_buf_check(&trial->text);
}

static souk_err write_plainly(struct trial *trial, size_t round)
{
    unlink(trial->copy);
    double began_s = bench_wall_s();
    int fd = open(trial->copy, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ssize_t wrote = 0;
    for (size_t at = 0; fd >= 0 && wrote >= 0 && at < trial->text.bytes; at += (size_t)wrote)
        wrote = write(fd, trial->text.at + at, souk_min_size(PIECE_BYTES, trial->text.bytes - at));
    if (fd < 0 || wrote < 0 || close(fd))
        return SOUK_EIO;
    trial->plain_s[round] = bench_wall_s() - began_s;
    return SOUK_OK;
}

/* Memory grows with the people of one day and not with days.  Measured first: what this process holds later would
 * count, as a child begins as its copy. */
static souk_err measure_memory(bench_run *bench)
{
    const char *arguments[] = {bench_self(), "world", "--shoppers", "1000000", "--stores", "200",
                               "--days",     "2",     "--out",      "-",       NULL};
    struct rusage used;
    SOUK_TRY(bench_command(arguments, NULL, NULL, NULL));
    getrusage(RUSAGE_CHILDREN, &used);
    bench_add(bench, "peak memory, 1 M shoppers", (double)used.ru_maxrss / 1024, "MiB",
              BENCH_AT_MOST, 2048, "2 GB");
    return SOUK_OK;
}

static souk_err run_rounds(bench_run *bench, struct trial *trial)
{
    SOUK_TRY(measure_memory(bench));
    for (size_t round = 0; round < ROUNDS; round++) {
        SOUK_TRY(make_world(trial, round));
        if (round == 0)
            SOUK_TRY(read_events(trial));
        SOUK_TRY(write_plainly(trial, round));
        unlink(trial->events);
    }
    double wall_s = bench_median(trial->wall_s, ROUNDS), cpu_s = bench_median(trial->cpu_s, ROUNDS);
    double plain_s = bench_median(trial->plain_s, ROUNDS);
    bench_add(bench, "events/s, wall, truth and start included", trial->events_told / wall_s,
              "events/s", BENCH_AT_LEAST, 500000, "issue 3");
    bench_add(bench, "events a CPU-second", trial->events_told / cpu_s, "events/CPU-s", BENCH_TOLD,
              0, "-");
    bench_add(bench, "the same bytes by write(2)", trial->events_told / plain_s, "events/s",
              BENCH_TOLD, 0, "write(2)");
    bench_add(bench, "share of write(2)", plain_s / wall_s, "times", BENCH_TOLD, 0, "write(2)");
    bench_add(bench, "bytes an event", (double)trial->text.bytes / trial->events_told, "bytes",
              BENCH_TOLD, 0, "-");
    return SOUK_OK;
}

static souk_err run_world(bench_run *bench, souk_diag *diag)
{
    struct trial trial = {.text = {.mem = bench->mem, .limit_bytes = (size_t)8 << 30}};
    uint64_t shoppers = bench->scale ? bench->scale / EVENTS_A_SHOPPER + 1 : SHOPPERS;
    snprintf(trial.shoppers, sizeof trial.shoppers, "%llu", (unsigned long long)shoppers);
    snprintf(trial.folder, sizeof trial.folder, "%s/world", bench->folder);
    snprintf(trial.events, sizeof trial.events, "%s/events.jsonl", trial.folder);
    snprintf(trial.copy, sizeof trial.copy, "%s/copy", bench->folder);
    souk_err err = run_rounds(bench, &trial);
    souk_buf_done(&trial.text);
    return err ? souk_diag_say(diag, err, "the world cannot be made in %s", bench->folder)
               : SOUK_OK;
}

const bench_entry bench_world_entry = {"world", "a simulated world, beside its bytes by write(2)",
                                       run_world};
