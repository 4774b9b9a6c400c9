/* runs_bench.c - adding, merging, and looking up in sets of runs as the log grows.
 *
 *     runs_bench [MILLIONS [FOLDER]]       10 M pairs; the simulated disk where no folder is given
 *
 * "seen": hashes with a filter, asked 1,000 at a time for strangers (the hot path of dedupe), for
 * repeats of the last minutes and for repeats of any age.  "timeline": 3 events an atom, pages of
 * 50. */
#include "base/hash.h"
#include "core/runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCH = 1000, BATCHES = 1000, PAGES = 20000, PAGE = 50 };

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void must(souk_err err)
{
    if (!err)
        return;
    fprintf(stderr, "%s\n", souk_err_words(err));
    exit(1);
}

/* What the writer paid and what the background paid for them, in nanoseconds. */
typedef struct bench_costs {
    double add, work, longest_add, longest_work;
} bench_costs;

static void work_all(souk_runs *runs, bench_costs *costs)
{
    for (bool did = true; did;) {
        double from = now_ns();
        must(souk_runs_work(runs, &did));
        double took = now_ns() - from;
        costs->work += took;
        costs->longest_work = took > costs->longest_work ? took : costs->longest_work;
    }
}

static uint64_t key_at(bool timeline, uint64_t i, uint64_t count)
{
    return timeline ? souk_mix64(i + 1) % (count / 3 + 1) : souk_mix64(i + 1);
}

static void fill(souk_runs *runs, bool timeline, uint64_t count)
{
    bench_costs costs = {0};
    for (uint64_t group = 0; group < count; group += BATCH) {
        double from = now_ns();
        must(souk_runs_reserve(runs, BATCH));
        for (uint64_t i = group; i < group + BATCH; i++)
            must(souk_runs_add(runs, key_at(timeline, i, count), timeline ? 2 * i : i));
        souk_runs_group(runs, group + BATCH);
        double took = now_ns() - from;
        costs.add += took;
        costs.longest_add = took > costs.longest_add ? took : costs.longest_add;
        work_all(runs, &costs);
    }
    souk_runs_state state;
    souk_runs_state_of(runs, &state);
    printf("  add %.0f ns a pair, the slowest group of 1,000 %.2f ms\n", costs.add / (double)count,
           costs.longest_add / 1e6);
    printf("  sort and merge %.0f ns a pair, the longest step %.0f ms\n",
           costs.work / (double)count, costs.longest_work / 1e6);
    printf("  %llu files, %.2f bytes a pair, %.1f MiB of memory\n",
           (unsigned long long)state.file_count,
           (double)state.file_bytes / (double)state.file_pairs,
           (double)state.memory_bytes / (1 << 20));
}

/* One kind of question; `recent` pairs back at most, 0: strangers. */
static void ask(souk_runs *runs, const char *what, uint64_t count, uint64_t recent)
{
    static uint64_t keys[BATCH], values[BATCH];
    double took = 0;
    uint64_t right = 0;
    for (uint64_t b = 0; b < BATCHES; b++) {
        for (uint64_t i = 0; i < BATCH; i++) {
            uint64_t chance = souk_mix64((b << 32) + i);
            uint64_t at = recent ? count - 1 - chance % recent : count + (chance >> 1);
            keys[i] = souk_mix64(at + 1);
        }
        double from = now_ns();
        must(souk_runs_find_batch(runs, keys, BATCH, values));
        took += now_ns() - from;
        for (size_t i = 0; i < BATCH; i++)
            right += (values[i] != SOUK_RUNS_NONE) == (recent > 0);
    }
    printf("  find %-22s %5.0f ns a key%s\n", what, took / BATCHES / BATCH,
           right == (uint64_t)BATCHES * BATCH ? "" : "  WRONG ANSWERS");
}

static void page(souk_runs *runs, uint64_t count)
{
    uint64_t values[PAGE], given = 0;
    size_t got;
    double from = now_ns();
    for (uint64_t i = 0; i < PAGES; i++) {
        souk_runs_view view;
        souk_runs_view_init(runs, &view);
        must(
            souk_runs_last(&view, souk_mix64(i) % (count / 3 + 1), UINT64_MAX, PAGE, values, &got));
        souk_runs_view_done(&view);
        given += got;
    }
    printf("  a timeline of %.1f events %.1f us\n", (double)given / PAGES,
           (now_ns() - from) / PAGES / 1e3);
}

int main(int argument_count, char **arguments)
{
    uint64_t count = (argument_count > 1 ? strtoull(arguments[1], NULL, 10) : 10) * 1000000;
    souk_mem *mem = souk_mem_heap();
    souk_auto(souk_disk) disk = NULL;
    must(argument_count > 2 ? souk_disk_open_real(mem, arguments[2], &disk, NULL)
                            : souk_disk_open_sim(mem, 1, &disk));
    for (int timeline = 0; timeline < 2; timeline++) {
        souk_auto(souk_runs) runs = NULL;
        const char *name = timeline ? "timeline" : "seen";
        printf("%s, %llu pairs\n", name, (unsigned long long)count);
        must(souk_runs_reset(disk, name));
        must(souk_runs_open(mem, disk, name, &(souk_runs_options){.filter = !timeline}, &runs));
        fill(runs, timeline, count);
        if (timeline) {
            page(runs, count);
            continue;
        }
        ask(runs, "strangers", count, 0);
        ask(runs, "repeats of 100,000", count, 100000);
        ask(runs, "repeats of all", count, count);
        ask(runs, "repeats of all, again", count, count);
    }
    return 0;
}
