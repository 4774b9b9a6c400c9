/* postgres_bench.c - small durable transactions a second on a PostgreSQL server, with 1, 8 and 16 tills.
 *
 *     postgres_bench URL [SECONDS]        5 s for each; the database gets the table bench_row
 *
 * Each closure inserts one row.  Twice as many clients as tills wait for them, so that none of these is idle.  Beside
 * it: pgbench -n -M prepared -c TILLS -j 2 -T SECONDS -f with the same statement between BEGIN and COMMIT. */
#include "os/thread.h"
#include "store/ledger.h"

#include <stdio.h>
#include <stdlib.h>

enum { CLIENTS_MOST = 32 };

struct client {
    souk_ledger *ledger;
    souk_thread thread;
    int64_t end_ns;
    uint64_t done;
};

static void must(souk_err err, const souk_diag *diag)
{
    if (!err)
        return;
    fprintf(stderr, "%s\n", souk_diag_words(diag, err));
    exit(1);
}

static souk_err make_table(souk_tx *tx, void *context)
{
    (void)context;
    return souk_sql_script(tx, "DROP TABLE IF EXISTS bench_row;"
                               "CREATE TABLE bench_row (id INTEGER PRIMARY KEY, amount INTEGER)");
}

static souk_err insert_row(souk_tx *tx, void *context)
{
    const uint64_t *number = context;
    return souk_sql_run(tx, "INSERT INTO bench_row (amount) VALUES (?1)",
                        SOUK_VALUES(SOUK_INT(*number)));
}

static void client_body(void *context)
{
    struct client *client = context;
    while (souk_clock_monotonic_ns(souk_clock_real()) < client->end_ns) {
        must(souk_ledger_write(client->ledger, SOUK_LANE_TILL, insert_row, &client->done), NULL);
        client->done++;
    }
}

static void measure(const char *url, unsigned tills, unsigned seconds)
{
    souk_mem *mem = souk_mem_heap();
    souk_ledger_options options = {.writers = tills};
    souk_ledger *ledger = NULL;
    souk_diag diag = {.words = ""};
    struct client clients[CLIENTS_MOST];
    unsigned count = tills * 2;
    uint64_t done = 0;
    must(souk_ledger_open_postgres(mem, url, &options, &ledger, &diag), &diag);
    must(souk_ledger_write(ledger, SOUK_LANE_JOB, make_table, NULL), NULL);
    int64_t end_ns = souk_clock_monotonic_ns(souk_clock_real()) + (int64_t)seconds * 1000000000;
    for (unsigned i = 0; i < count; i++) {
        clients[i] = (struct client){.ledger = ledger, .end_ns = end_ns};
        must(souk_thread_start(&clients[i].thread, "client", client_body, &clients[i]), NULL);
    }
    for (unsigned i = 0; i < count; i++) {
        souk_thread_join(&clients[i].thread);
        done += clients[i].done;
    }
    souk_ledger_counters counters;
    souk_ledger_count(ledger, &counters);
    printf("%2u tills: %6.0f/s, commit p50 %llu us, p99 %llu us\n", tills, (double)done / seconds,
           (unsigned long long)counters.commit_p50_us, (unsigned long long)counters.commit_p99_us);
    must(souk_ledger_close(ledger), NULL);
    souk_ledger_free(ledger);
}

int main(int argument_count, char **arguments)
{
    if (argument_count < 2) {
        fprintf(stderr, "usage: postgres_bench URL [SECONDS]\n");
        return 2;
    }
    unsigned seconds = argument_count > 2 ? (unsigned)atoi(arguments[2]) : 5;
    static const unsigned tills[] = {1, 8, 16};
    for (size_t i = 0; i < sizeof tills / sizeof *tills; i++)
        measure(arguments[1], tills[i], seconds);
    return 0;
}
