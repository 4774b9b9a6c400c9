/* bench_import.c - `souk import online-retail` beside `sqlite3 .import` of the same file into one bare table.
 *
 * A round is: an empty shop, its import, an empty database, its import; one after the other, so that both
 * meet the same noise.  The file is unpacked before the clock starts. */
#include "app/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROUNDS = 3 };

struct importing {
    bench_run *bench;
    char packed[512], csv[600], shop[600], peer[600];
    souk_buf told;  /* what the first import said */
    souk_buf stats; /* of the shop then */
    double souk_s[ROUNDS], souk_cpu_s[ROUNDS], peer_s[ROUNDS], peer_cpu_s[ROUNDS];
    bool peer_missing;
};

static const char summary[] =
    "online-retail's 541,909 rows, and every format of files, beside `sqlite3 .import`";

static souk_err unpack(struct importing *importing, souk_diag *diag)
{
    const char *const words[] = {"sh",           "-c", "gzip -dc \"$0\" >\"$1\"", importing->packed,
                                 importing->csv, NULL};
    double cpu_s;
    if (bench_command(words, NULL, NULL, &cpu_s))
        return souk_diag_say(diag, SOUK_EIO, "gzip cannot unpack %s", importing->packed);
    return SOUK_OK;
}

/* A shop, and what it takes to import; again: into the shop that is there. */
static souk_err import_once(struct importing *importing, bool again, souk_buf *told, double *wall_s,
                            double *cpu_s, souk_diag *diag)
{
    const char *self = bench_self();
    const char *const remove[] = {"rm", "-rf", importing->shop, NULL};
    const char *const init[] = {self, "init", "--data", importing->shop, "--json", NULL};
    const char *const import[] = {self,     "import",        "online-retail", importing->csv,
                                  "--data", importing->shop, "--json",        NULL};
    double ignored;
    souk_err err = SOUK_OK;
    if (!again) {
        SOUK_TRY(bench_command(remove, NULL, NULL, &ignored));
        err = bench_command(init, NULL, NULL, &ignored);
    }
    if (!err)
        err = bench_command(import, told, wall_s, cpu_s);
    return err ? souk_diag_say(diag, err, "`souk import` failed: try it on %s", importing->packed)
               : SOUK_OK;
}

static souk_err peer_once(struct importing *importing, size_t round)
{
    char line[800];
    snprintf(line, sizeof line, ".import --csv '%s' row", importing->csv);
    const char *const words[] = {"sqlite3", importing->peer, line, NULL};
    unlink(importing->peer);
    return bench_command(words, NULL, &importing->peer_s[round], &importing->peer_cpu_s[round]);
}

static souk_err run_rounds(struct importing *importing, souk_diag *diag)
{
    const char *const stats[] = {bench_self(), "stats", "--data", importing->shop, "--json", NULL};
    double ignored;
    for (size_t round = 0; round < ROUNDS; round++) {
        SOUK_TRY(import_once(importing, false, round ? NULL : &importing->told,
                             &importing->souk_s[round], &importing->souk_cpu_s[round], diag));
        souk_err err = peer_once(importing, round);
        importing->peer_missing |= err == SOUK_ENOENT;
        if (err && err != SOUK_ENOENT)
            return souk_diag_say(diag, err, "`sqlite3 .import` failed");
    }
    return bench_command(stats, &importing->stats, NULL, &ignored);
}

/* ---- the totals ---------------------------------------------------------------------------------------- */

static void tell_totals(struct importing *importing)
{
    static const struct {
        const char *claim, *key;
        double expected;
        bool of_stats;
    } totals[] = {{"rows read", "rows", 541909, false},
                  {"rows rejected", "rejected", 0, false},
                  {"events stored: a row is an event, exact repeats kept", "events", 541909, true},
                  {"identified shoppers", "shoppers", 4372, true},
                  {"product codes, byte for byte", "products", 4070, true},
                  {"invoices, cancellations included", "orders", 25900, true},
                  {"of which cancellations", "cancelled", 3836, true}};
    size_t count = sizeof totals / sizeof *totals, exact = 0;
    for (size_t i = 0; i < count; i++) {
        double value =
            bench_number(totals[i].of_stats ? &importing->stats : &importing->told, totals[i].key);
        exact += value == totals[i].expected;
        bench_add(importing->bench, totals[i].claim, value, "rows", BENCH_TOLD, 0, "-");
    }
    static const char revenue[] = "\"revenue\":{\"GBP\":\"9747747.934\"}";
    exact += strstr(souk_buf_ended(&importing->stats), revenue) != NULL;
    bench_add(importing->bench, "totals exact, 9,747,747.934 GBP among them", (double)exact, "of 8",
              BENCH_AT_LEAST, (double)count + 1, "the known totals of the file");
}

static souk_err tell_again(struct importing *importing, souk_diag *diag)
{
    souk_auto_value(souk_buf) told = {.mem = importing->bench->mem};
    double wall_s, cpu_s;
    SOUK_TRY(import_once(importing, true, &told, &wall_s, &cpu_s, diag));
    bench_add(importing->bench, "events that a second import adds", bench_number(&told, "events"),
              "events", BENCH_AT_MOST, 0, "the first import");
    return SOUK_OK;
}

static void tell_times(struct importing *importing)
{
    bench_run *bench = importing->bench;
    const char *claim = "times the wall of `sqlite3 .import`";
    double souk_s = bench_median(importing->souk_s, ROUNDS);
    double souk_cpu_s = bench_median(importing->souk_cpu_s, ROUNDS);
    double peer_s = bench_median(importing->peer_s, ROUNDS);
    double peer_cpu_s = bench_median(importing->peer_cpu_s, ROUNDS);
    bench_add(bench, "souk import, wall, median of 3", souk_s, "s", BENCH_TOLD, 0, "-");
    bench_add(bench, "souk import, CPU", souk_cpu_s, "s", BENCH_TOLD, 0, "-");
    if (importing->peer_missing) {
        bench_missing(bench, claim, "times", BENCH_AT_MOST, 4, "sqlite3");
        return;
    }
    bench_add(bench, "sqlite3 .import into one bare table, wall, median of 3", peer_s, "s",
              BENCH_TOLD, 0, "sqlite3");
    bench_add(bench, "sqlite3 .import, CPU", peer_cpu_s, "s", BENCH_TOLD, 0, "sqlite3");
    bench_add(bench, claim, souk_s / peer_s, "times", BENCH_AT_MOST, 4, "sqlite3 .import");
}

static souk_err measure(struct importing *importing, souk_diag *diag)
{
    SOUK_TRY(unpack(importing, diag));
    SOUK_TRY(run_rounds(importing, diag));
    tell_totals(importing);
    tell_times(importing);
    return tell_again(importing, diag);
}

static void name_files(struct importing *importing)
{
    const char *shared = getenv("SOUK_SHARED"), *folder = importing->bench->folder;
    snprintf(importing->packed, sizeof importing->packed,
             "%.400s/data/online_retail/online_retail.csv.gz", shared ? shared : "../shared");
    snprintf(importing->csv, sizeof importing->csv, "%.500s/online_retail.csv", folder);
    snprintf(importing->shop, sizeof importing->shop, "%.500s/shop", folder);
    snprintf(importing->peer, sizeof importing->peer, "%.500s/peer.db", folder);
}

static souk_err run_import(bench_run *bench, souk_diag *diag)
{
    struct importing importing = {
        .bench = bench, .told = {.mem = bench->mem}, .stats = {.mem = bench->mem}};
    name_files(&importing);
    if (access(importing.packed, R_OK)) {
        fprintf(stderr, "bench import: skipped: %s is not there (SOUK_SHARED names its folder)\n",
                importing.packed);
        bench_missing(bench, "totals exact, 9,747,747.934 GBP among them", "of 8", BENCH_AT_LEAST,
                      8, "the file is not there");
        bench_missing(bench, "times the wall of `sqlite3 .import`", "times", BENCH_AT_MOST, 4,
                      "the file is not there");
        return bench_files(bench, diag);
    }
    souk_err err = measure(&importing, diag);
    souk_buf_done(&importing.told);
    souk_buf_done(&importing.stats);
    return err ? err : bench_files(bench, diag);
}

const bench_entry bench_import_entry = {"import", summary, run_import};
