/* bench_books.c - charges a second through the books, durably committed: 64 clients who each wait for their own,
 * beside SQLite's own group commit of the same rows by one thread that waits for nobody.
 *
 *     ours      64 threads, each charge one transfer from one of 10,000 shoppers to the store's sales: the row of the
 *               transfer with its id and two indexes, and the shopper's total under its limit
 *     peer      the same rows into the same tables, 64 charges to a transaction, nothing checked
 *     disk      appends of 4 KiB with fdatasync, beside both, so that figures of two disks can be told apart */
#include "app/bench.h"
#include "core/books.h"
#include "os/disk.h"
#include "os/thread.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum { CLIENTS = 64, SHOPPERS = 10000, ROUNDS = 3, CHARGES = 40000 };

#define BEGAN_MS 1767268800000

struct shop {
    bench_run *bench;
    char folder[600];
    souk_disk *disk;
    souk_ledger *ledger;
    int64_t shoppers[SHOPPERS], sales;
    uint64_t charges, seed;
};

/* ---- a shop with shoppers ---------------------------------------------------------------------------------- */

static souk_err open_accounts(souk_tx *tx, void *context)
{
    struct shop *shop = context;
    souk_book book = {.merchant = 1, .kind = SOUK_BOOK_SALES, .currency = "EUR"};
    SOUK_TRY(souk_books_open(tx, &book, BEGAN_MS, &shop->sales, NULL));
    book.kind = SOUK_BOOK_TAB;
    book.limits.below_minor = SOUK_BOOKS_AMOUNT_MOST;
    for (size_t i = 0; i < SHOPPERS; i++) {
        book.owner = i;
        SOUK_TRY(souk_books_open(tx, &book, BEGAN_MS, &shop->shoppers[i], NULL));
    }
    return SOUK_OK;
}

static souk_err open_shop(struct shop *shop, const char *name, souk_diag *diag)
{
    snprintf(shop->folder, sizeof shop->folder, "%s/%s", shop->bench->folder, name);
    SOUK_TRY(souk_disk_open_real(shop->bench->mem, shop->folder, &shop->disk, diag));
    SOUK_TRY(
        souk_ledger_open_sqlite(shop->bench->mem, shop->disk, "ledger", NULL, &shop->ledger, diag));
    SOUK_TRY(souk_books_migrate(shop->ledger, diag));
    return souk_ledger_write(shop->ledger, SOUK_LANE_JOB, open_accounts, shop);
}

static souk_err close_shop(struct shop *shop)
{
    souk_err err = shop->ledger ? souk_ledger_close(shop->ledger) : SOUK_OK;
    souk_ledger_free(souk_take(&shop->ledger));
    souk_disk_free(souk_take(&shop->disk));
    return err;
}

static int64_t shopper_of(const struct shop *shop, uint64_t charge)
{
    return shop->shoppers[souk_mix64(shop->seed + charge) % SHOPPERS];
}

static souk_hash128 id_of(const struct shop *shop, uint64_t charge)
{
    return (souk_hash128){souk_mix64(shop->seed + charge), souk_mix64(shop->seed - charge - 1)};
}

/* ---- ours ------------------------------------------------------------------------------------------------------ */

struct client {
    struct shop *shop;
    souk_thread thread;
    uint64_t from, to;
    souk_transfer charge;
    souk_err err;
};

static souk_err charge_closure(souk_tx *tx, void *context)
{
    const struct client *client = context;
    return souk_books_apply(tx, &(souk_books_when){.at = BEGAN_MS}, &client->charge, 1, NULL, NULL);
}

static void run_client(void *context)
{
    struct client *client = context;
    struct shop *shop = client->shop;
    for (uint64_t i = client->from; i < client->to && !client->err; i++) {
        client->charge = (souk_transfer){.id = id_of(shop, i),
                                         .kind = SOUK_TRANSFER_POST,
                                         .debit = shopper_of(shop, i),
                                         .credit = shop->sales,
                                         .amount_minor = 1999};
        client->err = souk_ledger_write(shop->ledger, SOUK_LANE_TILL, charge_closure, client);
    }
}

static souk_err measure_ours(struct shop *shop, double *ret_per_s)
{
    static struct client clients[CLIENTS];
    souk_err err = SOUK_OK;
    double began_s = bench_wall_s();
    for (uint64_t i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.shop = shop,
                                     .from = shop->charges * i / CLIENTS,
                                     .to = shop->charges * (i + 1) / CLIENTS};
        souk_err start_err = souk_thread_start(&clients[i].thread, "till", run_client, &clients[i]);
        err = err ? err : start_err;
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        souk_thread_join(&clients[i].thread);
        err = err ? err : clients[i].err;
    }
    *ret_per_s = (double)shop->charges / (bench_wall_s() - began_s);
    return err;
}

/* ---- the peer ---------------------------------------------------------------------------------------------------- */

static bool step(sqlite3_stmt *statement)
{
    bool done = sqlite3_step(statement) == SQLITE_DONE;
    return sqlite3_reset(statement) == SQLITE_OK && done;
}

static bool append(const struct shop *shop, sqlite3_stmt *row, sqlite3_stmt *total, uint64_t charge)
{
    souk_hash128 id = id_of(shop, charge);
    sqlite3_bind_blob(row, 1, &id, sizeof id, SQLITE_STATIC);
    sqlite3_bind_int64(row, 2, shopper_of(shop, charge));
    sqlite3_bind_int64(row, 3, shop->sales);
    sqlite3_bind_int64(total, 1, shopper_of(shop, charge));
    return step(row) && step(total);
}

static bool append_all(const struct shop *shop, sqlite3 *db, sqlite3_stmt *row, sqlite3_stmt *total)
{
    bool fine = true;
    for (uint64_t i = 0; i < shop->charges && fine;) {
        fine = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK;
        for (unsigned j = 0; j < CLIENTS && i < shop->charges && fine; j++, i++)
            fine = append(shop, row, total, i);
        fine = fine && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
    }
    return fine;
}

static bool measure_peer(const struct shop *shop, double *ret_per_s)
{
    char path[640];
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL, *total = NULL;
    snprintf(path, sizeof path, "%s/ledger", shop->folder);
    bool fine =
        sqlite3_open(path, &db) == SQLITE_OK &&
        sqlite3_exec(db, "PRAGMA synchronous = FULL", NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db,
                           "INSERT INTO book_transfer (id, kind, debit, credit, amount, legs, at)"
                           " VALUES (?1, 1, ?2, ?3, 1999, 1, 1767268800000)",
                           -1, &row, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "UPDATE book_account SET debits = debits + 1999 WHERE id = ?1", -1,
                           &total, NULL) == SQLITE_OK;
    double began_s = bench_wall_s();
    fine = fine && append_all(shop, db, row, total);
    *ret_per_s = (double)shop->charges / (bench_wall_s() - began_s);
    sqlite3_finalize(row);
    sqlite3_finalize(total);
    sqlite3_close(db);
    return fine;
}

/* ---- in turn --------------------------------------------------------------------------------------------------------- */

static souk_err audit(souk_tx *tx, void *diag)
{
    return souk_books_verify(tx, diag);
}

struct figures {
    double ours_per_s[ROUNDS], peer_per_s[ROUNDS], sync_ms[ROUNDS];
    souk_ledger_counters counters;
};

static souk_err one_round(struct shop *ours, struct shop *peer, size_t round,
                          struct figures *figures, souk_diag *diag)
{
    ours->seed = peer->seed = souk_mix64(round + 1);
    SOUK_TRY(measure_ours(ours, &figures->ours_per_s[round]));
    if (!measure_peer(peer, &figures->peer_per_s[round]))
        return souk_diag_say(diag, SOUK_EIO, "SQLite's own rows cannot be written in %s",
                             peer->folder);
    return bench_sync_ms(ours->folder, &figures->sync_ms[round], diag);
}

static souk_err measure(struct shop *ours, struct shop *peer, struct figures *figures,
                        souk_diag *diag)
{
    SOUK_TRY(open_shop(peer, "peer", diag));
    SOUK_TRY(close_shop(peer));
    SOUK_TRY(open_shop(ours, "ours", diag));
    for (size_t round = 0; round < ROUNDS; round++)
        SOUK_TRY(one_round(ours, peer, round, figures, diag));
    souk_ledger_count(ours->ledger, &figures->counters);
    return souk_ledger_read(ours->ledger, audit, diag);
}

static void tell(bench_run *bench, struct figures *figures)
{
    const souk_ledger_counters *counters = &figures->counters;
    double ours = bench_median(figures->ours_per_s, ROUNDS);
    double peer = bench_median(figures->peer_per_s, ROUNDS);
    bench_add(bench, "charges durably committed, 64 clients", ours, "charges/s", BENCH_TOLD, 0,
              "median of 3");
    bench_add(bench, "SQLite's own group commit of the same rows, by 64", peer, "charges/s",
              BENCH_TOLD, 0, "median of 3");
    bench_add(bench, "of SQLite's own group commit", ours / peer, "times", BENCH_AT_LEAST, 0.5,
              "SQLite, in turn");
    bench_add(bench, "charges to a sync", (double)counters->jobs / (double)counters->groups,
              "charges", BENCH_TOLD, 0, "-");
    bench_add(bench, "commit with its sync, p50", (double)counters->commit_p50_us / 1e3, "ms",
              BENCH_TOLD, 0, "-");
    bench_add(bench, "fdatasync of 4 KiB, p50", bench_median(figures->sync_ms, ROUNDS), "ms",
              BENCH_TOLD, 0, "median of 3");
}

static souk_err run(bench_run *bench, souk_diag *diag)
{
    static struct shop ours, peer;
    static struct figures figures;
    ours = peer = (struct shop){.bench = bench, .charges = bench->scale ? bench->scale : CHARGES};
    souk_err err = measure(&ours, &peer, &figures, diag);
    souk_err close_err = close_shop(&ours);
    (void)!close_shop(&peer);
    SOUK_TRY(err);
    SOUK_TRY(close_err);
    tell(bench, &figures);
    return SOUK_OK;
}

const bench_entry bench_books_entry = {
    "books", "charges a second through the double-entry books, 64 clients, beside SQLite", run};
