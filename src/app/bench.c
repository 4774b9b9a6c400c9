/* bench.c - the list of benches, and how their claims are printed (bench.h). */
#include "app/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

/* One a line: each bench is somebody's own. */
/* clang-format off */
static const bench_entry *const entries[] = {
    &bench_import_entry,
    &bench_collect_entry,
    &bench_single_entry,
    &bench_json_entry,
    &bench_read_entry,
    &bench_restart_entry,
    &bench_scale_entry,
    &bench_world_entry,
    &bench_stream_entry,
    &bench_webhooks_entry,
    &bench_pricing_entry,
    &bench_books_entry,
    &bench_stock_entry,
    &bench_till_entry,
};
/* clang-format on */

const bench_entry *bench_entry_at(size_t i)
{
    return i < sizeof entries / sizeof *entries ? entries[i] : NULL;
}

void bench_add(bench_run *bench, const char *claim, double value, const char *unit,
               enum bench_sense sense, double bar, const char *against)
{
    souk_assert(bench->claim_count < BENCH_CLAIMS);
    bench->claims[bench->claim_count++] =
        (bench_claim){claim, unit, against, value, bar, sense, true};
}

void bench_missing(bench_run *bench, const char *claim, const char *unit, enum bench_sense sense,
                   double bar, const char *against)
{
    bench_add(bench, claim, 0, unit, sense, bar, against);
    bench->claims[bench->claim_count - 1].measured = false;
}

static bool holds(const bench_claim *claim)
{
    if (!claim->measured)
        return false;
    return claim->sense == BENCH_TOLD ||
           (claim->sense == BENCH_AT_LEAST ? claim->value >= claim->bar
                                           : claim->value <= claim->bar);
}

static void put(souk_json_writer *json, const char *key, const char *text)
{
    souk_json_write_key(json, souk_text_of(key));
    souk_json_write_text(json, souk_text_of(text));
}

static void put_double(souk_json_writer *json, const char *key, double value)
{
    char text[40];
    snprintf(text, sizeof text, value >= 1000 || value == (double)(long)value ? "%.0f" : "%.4g",
             value);
    souk_json_write_key(json, souk_text_of(key));
    souk_json_write_raw(json, souk_text_of(text));
}

static void put_claim(souk_json_writer *json, const bench_claim *claim)
{
    souk_json_write_object(json);
    put(json, "claim", claim->claim);
    if (claim->measured)
        put_double(json, "value", claim->value);
    else
        put(json, "value", "not measured");
    put(json, "unit", claim->unit);
    souk_json_write_key(json, SOUK_TEXT("bar"));
    if (claim->sense == BENCH_TOLD) {
        souk_json_write_null(json);
    } else {
        char bar[64];
        snprintf(bar, sizeof bar, "%s %.6g",
                 claim->sense == BENCH_AT_LEAST ? ">=" : "<=", claim->bar);
        souk_json_write_text(json, souk_text_of(bar));
    }
    souk_json_put_bool(json, "holds", holds(claim));
    put(json, "against", claim->against);
    souk_json_write_end(json);
}

static souk_err print_json(const bench_run *bench, const char *name)
{
    souk_auto_value(souk_buf) out = {.mem = bench->mem};
    souk_json_writer json = {.out = &out};
    struct utsname system;
    char machine[300];
    uname(&system);
    snprintf(machine, sizeof machine, "%s %.60s, %ld cores, %ld MiB", system.machine,
             system.release, sysconf(_SC_NPROCESSORS_ONLN),
             sysconf(_SC_PHYS_PAGES) / 1024 * (sysconf(_SC_PAGESIZE) / 1024));
    souk_json_write_object(&json);
    put(&json, "name", name);
    put(&json, "machine", machine);
    souk_json_put_array(&json, "claims");
    for (size_t i = 0; i < bench->claim_count; i++)
        put_claim(&json, &bench->claims[i]);
    souk_json_write_end(&json);
    souk_json_write_end(&json);
    SOUK_TRY(souk_json_write_check(&json));
    printf("%.*s\n", SOUK_TEXT_PRINT(souk_buf_view(&out)));
    return SOUK_OK;
}

static void print_words(const bench_run *bench, const char *name)
{
    printf("%s\n", name);
    for (size_t i = 0; i < bench->claim_count; i++) {
        const bench_claim *claim = &bench->claims[i];
        printf("  %-58s ", claim->claim);
        if (!claim->measured)
            printf("not measured");
        else if (claim->value >= 1000)
            printf("%12.0f", claim->value);
        else
            printf("%12.4g", claim->value);
        printf(" %-18s", claim->unit);
        if (claim->sense != BENCH_TOLD)
            printf(" %s %g  %s  (%s)", claim->sense == BENCH_AT_LEAST ? ">=" : "<=", claim->bar,
                   holds(claim) ? "holds" : "MISSED", claim->against);
        printf("\n");
    }
}

static souk_err run_entry(const app_options *options, const bench_entry *entry, souk_diag *diag)
{
    bench_run bench = {.mem = souk_mem_heap()};
    const char *under = getenv("TMPDIR"), *scale = getenv("SOUK_BENCH_EVENTS");
    const char *newcomers = getenv("SOUK_BENCH_SHOPPERS");
    char command[600];
    snprintf(bench.folder, sizeof bench.folder, "%.400s/souk-bench-XXXXXX", under ? under : "/tmp");
    if (!mkdtemp(bench.folder))
        return souk_diag_say(diag, SOUK_EIO, "no folder can be made under %s",
                             under ? under : "/tmp");
    bench.scale = scale ? strtoull(scale, NULL, 10) : 0;
    bench.newcomers = newcomers ? strtoull(newcomers, NULL, 10) : 0;
    fprintf(stderr, "bench %s: %s\n", entry->name, entry->summary);
    souk_err err = entry->run(&bench, diag);
    snprintf(command, sizeof command, "rm -rf '%s'", bench.folder);
    if (getenv("SOUK_BENCH_KEEP") || system(command))
        fprintf(stderr, "left behind: %s\n", bench.folder);
    SOUK_TRY(err);
    if (options->json)
        return print_json(&bench, entry->name);
    print_words(&bench, entry->name);
    return SOUK_OK;
}

souk_err app_bench(const app_options *options, souk_diag *diag)
{
    if (options->list || options->operand_count == 0) {
        for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
            printf("%-10s %s\n", entries[i]->name, entries[i]->summary);
        return SOUK_OK;
    }
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        if (!strcmp(options->operands[0], entries[i]->name) ||
            !strcmp(options->operands[0], "all")) {
            SOUK_TRY(run_entry(options, entries[i], diag));
            if (strcmp(options->operands[0], "all") != 0)
                return SOUK_OK;
        }
    if (!strcmp(options->operands[0], "all"))
        return SOUK_OK;
    return souk_diag_say(diag, SOUK_EINVAL, "'%s' is no bench: see `souk bench --list`",
                         options->operands[0]);
}
