/* bench_stock.c - sales of 15 lines from a million levels of stock, durably committed: 64 clients who each wait for their
 * own, with levels in memory and with levels in rows, beside SQLite's own group commit of the same rows by one thread
 * that waits for nobody.
 *
 *     ours      64 threads, each sale a plan of 15 effects under a key of its own: 15 movements, their levels under their
 *               predicates, and the key with its answer
 *     peer      the same rows into the same tables, 64 sales to a transaction, nothing checked, nothing sealed
 *     disk      appends of 4 KiB with fdatasync, beside both, so that figures of two disks can be told apart */
#include "app/bench.h"
#include "os/disk.h"
#include "os/thread.h"
#include "service/stock/stock.h"
#include "store/vault.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CLIENTS = 64,
    LINES = 15,
    LOCATIONS = 100,
    PRODUCTS = 10000, /* at each */
    FILL = 1000,      /* levels in a transaction */
    ROUNDS = 3,
    SALES = 6000, /* of a round */
    SYNCS = 200
};

#define BEGAN_MS 1767268800000

static const souk_hash_key key = {"bench of stock, "};

struct shop {
    bench_run *bench;
    char folder[600];
    souk_disk *disk;
    souk_ledger *ledger;
    souk_vault *vault;
    souk_stock *stock;
    uint64_t levels, sales, seed;
    uint64_t filled;
};

/* ---- a shop with levels ---------------------------------------------------------------------------------- */

struct code {
    char text[16];
};

static souk_text location_of(uint64_t number, struct code *code)
{
    return (souk_text){code->text, (size_t)snprintf(code->text, sizeof code->text, "SH-%03u",
                                                    (unsigned)(number % LOCATIONS))};
}

static souk_text product_of(uint64_t number, struct code *code)
{
    return (souk_text){code->text, (size_t)snprintf(code->text, sizeof code->text, "69012345%05u",
                                                    (unsigned)(number % PRODUCTS))};
}

static souk_err fill(souk_tx *tx, void *context)
{
    const struct shop *shop = context;
    struct code location, product;
    souk_stock_level after;
    for (uint64_t i = shop->filled; i < shop->filled + FILL && i < shop->levels; i++) {
        souk_movement received = {
            .place = {1, location_of(i / PRODUCTS, &location), product_of(i, &product)},
            .kind = SOUK_MOVE_RECEIVED,
            .on_hand = {INT64_C(1000000000)},
            .at = BEGAN_MS,
            .opens = true};
        SOUK_TRY(souk_levels_move(souk_stock_levels(shop->stock), tx, &received, &after));
    }
    return SOUK_OK;
}

static souk_err open_shop(struct shop *shop, const char *name, bool rows_alone, souk_diag *diag)
{
    souk_mem *mem = shop->bench->mem;
    const souk_stock_options options = {.rows_alone = rows_alone};
    bool more = true;
    snprintf(shop->folder, sizeof shop->folder, "%s/%s", shop->bench->folder, name);
    SOUK_TRY(souk_disk_open_real(mem, shop->folder, &shop->disk, diag));
    if (shop->levels)
        SOUK_TRY(souk_vault_init(mem, shop->disk, NULL, diag));
    SOUK_TRY(souk_vault_open(mem, shop->disk, NULL, &shop->vault, diag));
    SOUK_TRY(souk_ledger_open_sqlite(mem, shop->disk, "ledger", NULL, &shop->ledger, diag));
    SOUK_TRY(souk_once_migrate(shop->ledger, diag));
    SOUK_TRY(
        souk_stock_open(mem, shop->ledger, souk_clock_real(), &key, &options, &shop->stock, diag));
    for (shop->filled = 0; shop->filled < shop->levels; shop->filled += FILL)
        SOUK_TRY(souk_ledger_write(shop->ledger, SOUK_LANE_JOB, fill, shop));
    while (more)
        SOUK_TRY(souk_stock_keep(shop->stock, FILL, &more));
    return SOUK_OK;
}

static souk_err close_shop(struct shop *shop)
{
    souk_stock_free(souk_take(&shop->stock));
    souk_err err = shop->ledger ? souk_ledger_close(shop->ledger) : SOUK_OK;
    souk_ledger_free(souk_take(&shop->ledger));
    souk_vault_free(souk_take(&shop->vault));
    souk_disk_free(souk_take(&shop->disk));
    return err;
}

/* Filled, and opened again, so that nothing of the filling is counted. */
static souk_err make_shop(struct shop *shop, const char *name, bool rows_alone, souk_diag *diag)
{
    uint64_t levels = shop->levels;
    SOUK_TRY(open_shop(shop, name, rows_alone, diag));
    SOUK_TRY(close_shop(shop));
    shop->levels = 0;
    souk_err err = open_shop(shop, name, rows_alone, diag);
    shop->levels = levels;
    return err;
}

static uint64_t level_of(const struct shop *shop, uint64_t sale, unsigned line)
{
    uint64_t store = souk_mix64(shop->seed + sale) % (shop->levels / PRODUCTS);
    return store * PRODUCTS + souk_mix64(shop->seed ^ (sale * LINES + line + 77)) % PRODUCTS;
}

/* ---- ours ------------------------------------------------------------------------------------------------- */

struct client {
    struct shop *shop;
    souk_thread thread;
    uint64_t from, to;
    souk_arena arena;
    souk_once once;
    souk_stock_deed deeds[LINES];
    souk_err err;
};

static souk_err tell(souk_plan *plan, souk_tx *tx)
{
    static const char answer[300] = "{\"receipt\":…}";
    (void)tx;
    plan->once->status = 201;
    memcpy(plan->once->type, "application/json", sizeof "application/json");
    souk_buf_clear(&plan->once->body);
    souk_buf_append(&plan->once->body, answer, sizeof answer);
    return SOUK_OK;
}

static souk_err sell(struct client *client, uint64_t sale)
{
    struct shop *shop = client->shop;
    souk_effect_owners owners = {.of = {[SOUK_EFFECT_STOCK] = souk_stock_owner(shop->stock)}};
    struct code location, product;
    client->once.id = (souk_hash128){souk_mix64(shop->seed + sale), sale};
    client->once.at = BEGAN_MS;
    souk_plan plan = {.arena = &client->arena,
                      .once = &client->once,
                      .at = BEGAN_MS,
                      .merchant = 1,
                      .tell = tell};
    souk_arena_clear(&client->arena);
    for (unsigned i = 0; i < LINES; i++) {
        uint64_t level = level_of(shop, sale, i);
        client->deeds[i] = (souk_stock_deed){.verb = SOUK_STOCK_SELL};
        souk_plan_add(&plan, SOUK_EFFECT_STOCK,
                      souk_stock_key(&client->arena, location_of(level / PRODUCTS, &location),
                                     product_of(level, &product)),
                      1000000, &client->deeds[i]);
    }
    return souk_plan_run(shop->ledger, &owners, &plan);
}

static void run_client(void *context)
{
    struct client *client = context;
    client->arena.mem = client->once.body.mem = client->shop->bench->mem;
    client->once.vault = client->shop->vault;
    for (uint64_t i = client->from; i < client->to && !client->err; i++)
        client->err = sell(client, i);
    souk_once_done(&client->once);
    souk_arena_done(&client->arena);
}

static souk_err measure_ours(struct shop *shop, double *ret_per_s)
{
    static struct client clients[CLIENTS];
    souk_err err = SOUK_OK;
    double began_s = bench_wall_s();
    for (uint64_t i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){
            .shop = shop, .from = shop->sales * i / CLIENTS, .to = shop->sales * (i + 1) / CLIENTS};
        souk_err start_err = souk_thread_start(&clients[i].thread, "till", run_client, &clients[i]);
        err = err ? err : start_err;
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        souk_thread_join(&clients[i].thread);
        err = err ? err : clients[i].err;
    }
    *ret_per_s = (double)shop->sales / (bench_wall_s() - began_s);
    return err;
}

/* ---- the peer ----------------------------------------------------------------------------------------------- */

struct peer {
    const struct shop *shop;
    sqlite3 *db;
    sqlite3_stmt *movement, *level, *once;
    bool has_rows; /* levels are changed, too */
};

static bool step(sqlite3_stmt *statement)
{
    bool done = sqlite3_step(statement) == SQLITE_DONE;
    return sqlite3_reset(statement) == SQLITE_OK && done;
}

static bool append(const struct peer *peer, uint64_t sale)
{
    static const char body[340];
    souk_hash128 id = {souk_mix64(peer->shop->seed + sale), sale};
    bool fine = true;
    for (unsigned i = 0; i < LINES && fine; i++) {
        int64_t level = (int64_t)level_of(peer->shop, sale, i) + 1;
        sqlite3_bind_int64(peer->movement, 1, level);
        sqlite3_bind_int64(peer->level, 1, level);
        fine = step(peer->movement) && (!peer->has_rows || step(peer->level));
    }
    sqlite3_bind_blob(peer->once, 1, &id, sizeof id, SQLITE_STATIC);
    sqlite3_bind_blob(peer->once, 2, body, sizeof body, SQLITE_STATIC);
    return fine && step(peer->once);
}

static bool append_all(const struct peer *peer)
{
    bool fine = true;
    for (uint64_t i = 0; i < peer->shop->sales && fine;) {
        fine = sqlite3_exec(peer->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK;
        for (unsigned j = 0; j < CLIENTS && i < peer->shop->sales && fine; j++, i++)
            fine = append(peer, i);
        fine = fine && sqlite3_exec(peer->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
    }
    return fine;
}

static bool prepare(struct peer *peer)
{
    return sqlite3_prepare_v2(
               peer->db,
               "INSERT INTO stock_movement (at, level, kind, on_hand, reserved, lot, "
               "reference, before) VALUES (1767268800000, ?1, 2, -1000000, 0, '', "
               "zeroblob(16), ?1)",
               -1, &peer->movement, NULL) == SQLITE_OK &&
           sqlite3_prepare_v2(peer->db,
                              "UPDATE stock_level SET on_hand = on_hand - 1000000 WHERE id = ?1",
                              -1, &peer->level, NULL) == SQLITE_OK &&
           sqlite3_prepare_v2(
               peer->db,
               "INSERT INTO idempotency (id, fingerprint, at, status, type, body) "
               "VALUES (?1, zeroblob(16), 1767268800000, 201, 'application/json', ?2)",
               -1, &peer->once, NULL) == SQLITE_OK;
}

static bool measure_peer(const struct shop *shop, bool has_rows, double *ret_per_s)
{
    char path[640];
    struct peer peer = {.shop = shop, .has_rows = has_rows};
    snprintf(path, sizeof path, "%s/ledger", shop->folder);
    bool fine = sqlite3_open(path, &peer.db) == SQLITE_OK &&
                sqlite3_exec(peer.db, "PRAGMA synchronous = FULL", NULL, NULL, NULL) == SQLITE_OK &&
                prepare(&peer);
    double began_s = bench_wall_s();
    fine = fine && append_all(&peer);
    *ret_per_s = (double)shop->sales / (bench_wall_s() - began_s);
    sqlite3_finalize(peer.movement);
    sqlite3_finalize(peer.level);
    sqlite3_finalize(peer.once);
    sqlite3_close(peer.db);
    return fine;
}

/* ---- in turn ---------------------------------------------------------------------------------------------------- */

struct figures {
    double memory[ROUNDS], rows[ROUNDS], peer_memory[ROUNDS], peer_rows[ROUNDS], sync_ms[ROUNDS];
    souk_ledger_counters counters;
    souk_levels_counters levels;
    double keep_s, open_s, verify_s;
    uint64_t slice_max_us; /* of sales, of writing rows and of verifying */
};

struct shops {
    struct shop memory, rows, peer;
};

static souk_err say_peer(const struct shop *peer, souk_diag *diag)
{
    return souk_diag_say(diag, SOUK_EIO, "SQLite's own rows cannot be written in %s", peer->folder);
}

static souk_err one_round(struct shop *ours, struct shop *peer, bool has_rows, size_t round,
                          struct figures *figures, souk_diag *diag)
{
    ours->seed = peer->seed = souk_mix64(2 * round + has_rows + 1);
    SOUK_TRY(measure_ours(ours, has_rows ? &figures->rows[round] : &figures->memory[round]));
    if (!measure_peer(peer, has_rows,
                      has_rows ? &figures->peer_rows[round] : &figures->peer_memory[round]))
        return say_peer(peer, diag);
    return bench_sync_ms(ours->folder, &figures->sync_ms[round], diag);
}

/* How long the rows of the levels that moved take, and opening with none of them written. */
static souk_err measure_restart(struct shop *shop, struct figures *figures, souk_diag *diag)
{
    bool more = true;
    souk_stock_free(souk_take(&shop->stock));
    double began_s = bench_wall_s();
    SOUK_TRY(souk_stock_open(shop->bench->mem, shop->ledger, souk_clock_real(), &key, NULL,
                             &shop->stock, diag));
    figures->open_s = bench_wall_s() - began_s;
    began_s = bench_wall_s();
    while (more)
        SOUK_TRY(souk_stock_keep(shop->stock, 64, &more));
    figures->keep_s = bench_wall_s() - began_s;
    souk_ledger_counters counters;
    began_s = bench_wall_s();
    SOUK_TRY(souk_stock_verify(shop->stock, diag));
    figures->verify_s = bench_wall_s() - began_s;
    souk_ledger_count(shop->ledger, &counters);
    figures->slice_max_us = counters.slice_max_us;
    return SOUK_OK;
}

/* The same peer, in the end with the index that rows have. */
static souk_err measure_rows(struct shops *shops, struct figures *figures, souk_diag *diag)
{
    uint64_t levels = shops->peer.levels;
    shops->peer.levels = 0;
    SOUK_TRY(open_shop(&shops->peer, "peer", true, diag));
    SOUK_TRY(close_shop(&shops->peer));
    shops->peer.levels = levels;
    SOUK_TRY(make_shop(&shops->rows, "rows", true, diag));
    for (size_t round = 0; round < ROUNDS; round++)
        SOUK_TRY(one_round(&shops->rows, &shops->peer, true, round, figures, diag));
    return SOUK_OK;
}

static souk_err measure(struct shops *shops, struct figures *figures, souk_diag *diag)
{
    SOUK_TRY(make_shop(&shops->peer, "peer", false, diag));
    SOUK_TRY(close_shop(&shops->peer));
    SOUK_TRY(make_shop(&shops->memory, "memory", false, diag));
    for (size_t round = 0; round < ROUNDS; round++)
        SOUK_TRY(one_round(&shops->memory, &shops->peer, false, round, figures, diag));
    souk_ledger_count(shops->memory.ledger, &figures->counters);
    souk_levels_count(souk_stock_levels(shops->memory.stock), &figures->levels);
    SOUK_TRY(measure_restart(&shops->memory, figures, diag));
    SOUK_TRY(close_shop(&shops->memory));
    return measure_rows(shops, figures, diag);
}

static void add(bench_run *bench, const char *claim, double value, const char *unit)
{
    bench_add(bench, claim, value, unit, BENCH_TOLD, 0, "-");
}

static void tell_all(bench_run *bench, struct figures *figures)
{
    const souk_ledger_counters *counters = &figures->counters;
    double memory = bench_median(figures->memory, ROUNDS),
           rows = bench_median(figures->rows, ROUNDS);
    double peer_memory = bench_median(figures->peer_memory, ROUNDS);
    double peer_rows = bench_median(figures->peer_rows, ROUNDS);
    bench_add(bench, "sales of 15 lines, levels in memory, 64 clients", memory, "sales/s",
              BENCH_AT_LEAST, 1500, "the floor; median of 3");
    add(bench, "SQLite's own group commit of the same rows, by 64", peer_memory, "sales/s");
    bench_add(bench, "of SQLite's own group commit", memory / peer_memory, "times", BENCH_AT_LEAST,
              0.5, "SQLite, in turn");
    add(bench, "sales of 15 lines, levels in rows, 64 clients", rows, "sales/s");
    add(bench, "SQLite's own group commit with rows of levels, by 64", peer_rows, "sales/s");
    bench_add(bench, "of SQLite's own group commit with rows", rows / peer_rows, "times",
              BENCH_AT_LEAST, 0.5, "SQLite, in turn");
    add(bench, "the longest slice of the writer, sales alone", (double)counters->slice_max_us / 1e3,
        "ms");
    add(bench, "the longest, with rows written and levels verified",
        (double)figures->slice_max_us / 1e3, "ms");
    add(bench, "commit with its sync, p50", (double)counters->commit_p50_us / 1e3, "ms");
    add(bench, "fdatasync of 4 KiB, p50", bench_median(figures->sync_ms, ROUNDS), "ms");
    add(bench, "memory a level",
        (double)figures->levels.memory_bytes / (double)figures->levels.levels, "bytes");
    add(bench, "levels that had moved", (double)figures->levels.unkept, "levels");
    add(bench, "opening, with those added up", figures->open_s, "s");
    add(bench, "writing their rows", figures->keep_s, "s");
    add(bench, "verifying all", figures->verify_s, "s");
}

static souk_err run(bench_run *bench, souk_diag *diag)
{
    static struct shops shops;
    static struct figures figures;
    struct shop shop = {.bench = bench,
                        .levels = bench->scale ? (bench->scale + PRODUCTS - 1) / PRODUCTS * PRODUCTS
                                               : (uint64_t)LOCATIONS * PRODUCTS,
                        .sales = SALES};
    shops = (struct shops){shop, shop, shop};
    souk_err err = measure(&shops, &figures, diag);
    souk_err close_err = close_shop(&shops.memory);
    (void)!close_shop(&shops.rows);
    (void)!close_shop(&shops.peer);
    SOUK_TRY(err);
    SOUK_TRY(close_err);
    tell_all(bench, &figures);
    return SOUK_OK;
}

const bench_entry bench_stock_entry = {
    "stock",
    "sales from a million levels of stock, in memory and in rows, 64 clients, beside SQLite", run};
