/* bench_till_peer.c - the rows that a basket leaves behind, written by SQLite alone; and a disk that syncs slowly.
 *
 * Of a sample of baskets every row is taken as it stands: the answer under its key, transfers, movements, the receipt.
 * They are written again with new ids by prepared statements, in one thread that waits for nobody and checks nothing;
 * each basket counts its till's number up, too. */
#include "app/bench_till.h"
#include "base/hash.h"
#include "os/thread.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { SAMPLE = 500, VALUES_MOST = 8, ROWS_MOST = 40 };

enum table { TABLE_ANSWER, TABLE_TRANSFER, TABLE_MOVEMENT, TABLE_RECEIPT, TABLES };

/* The first parameter of each is new with every basket. */
static const struct {
    const char *read, *write;
    int columns;   /* that are read */
    int of_basket; /* which of them says whose row it is; -1: they are taken as they come */
} tables[TABLES] = {
    [TABLE_ANSWER] =
        {"SELECT fingerprint, at, status, type, body FROM idempotency ORDER BY at DESC",
         "INSERT INTO idempotency (id, fingerprint, at, status, type, body) "
         "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
         5, -1},
    [TABLE_TRANSFER] = {"SELECT kind, debit, credit, amount, legs, reason, at FROM book_transfer "
                        "ORDER BY seq DESC",
                        "INSERT INTO book_transfer (id, kind, debit, credit, amount, legs, reason, "
                        "at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                        7, 5},
    [TABLE_MOVEMENT] = {"SELECT at, level, kind, on_hand, reserved, lot, before, reference FROM "
                        "stock_movement ORDER BY id DESC",
                        "INSERT INTO stock_movement (reference, at, level, kind, on_hand, "
                        "reserved, lot, before) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                        8, 7},
    [TABLE_RECEIPT] = {"SELECT till, at, kind, currency, total, body, hash, sale FROM receipt "
                       "ORDER BY id DESC",
                       "INSERT INTO receipt (number, till, at, kind, currency, total, body, hash, "
                       "sale) VALUES ((SELECT number FROM till WHERE id = ?2), ?2, ?3, ?4, ?5, ?6, "
                       "?7, ?8, ?1)",
                       8, 7},
};

struct row {
    enum table table;
    sqlite3_value *values[VALUES_MOST];
};

struct basket {
    struct row rows[ROWS_MOST];
    size_t row_count;
    unsigned char sale[16];
    sqlite3_int64 till;
};

struct peer {
    struct basket baskets[SAMPLE];
    size_t basket_count;
    sqlite3 *db;
    sqlite3_stmt *writes[TABLES], *till, *begin, *commit;
    uint64_t fresh; /* ids */
};

/* ---- the sample ------------------------------------------------------------------------------------------ */

static bool is_of(sqlite3_stmt *read, enum table table, const struct basket *basket)
{
    int column = tables[table].of_basket;
    return column < 0 || (sqlite3_column_bytes(read, column) == 16 &&
                          !memcmp(sqlite3_column_blob(read, column), basket->sale, 16));
}

static void keep_row(sqlite3_stmt *read, enum table table, struct basket *basket)
{
    souk_assert(basket->row_count < ROWS_MOST);
    struct row *row = &basket->rows[basket->row_count++];
    row->table = table;
    for (int i = 0; i < tables[table].columns; i++)
        row->values[i] = sqlite3_value_dup(sqlite3_column_value(read, i));
}

/* The rows of the basket; the first that is another's stays for the next. */
static void take_rows(sqlite3_stmt *read, enum table table, struct basket *basket, bool *more)
{
    do {
        if (!*more || !is_of(read, table, basket))
            return;
        keep_row(read, table, basket);
        *more = sqlite3_step(read) == SQLITE_ROW;
    } while (tables[table].of_basket >= 0);
}

/* Newest first; the writer left each table's rows in one order. */
static bool take_sample(struct peer *peer, sqlite3 *db)
{
    sqlite3_stmt *reads[TABLES] = {NULL};
    bool more[TABLES], good = true;
    for (size_t i = 0; i < TABLES; i++) {
        good = good && sqlite3_prepare_v2(db, tables[i].read, -1, &reads[i], NULL) == SQLITE_OK;
        more[i] = good && sqlite3_step(reads[i]) == SQLITE_ROW;
    }
    while (good && more[TABLE_RECEIPT] && peer->basket_count < SAMPLE) {
        struct basket *basket = &peer->baskets[peer->basket_count++];
        memcpy(basket->sale, sqlite3_column_blob(reads[TABLE_RECEIPT], 7), 16);
        basket->till = sqlite3_column_int64(reads[TABLE_RECEIPT], 0);
        for (enum table i = 0; i < TABLES; i++)
            take_rows(reads[i], i, basket, &more[i]);
        good = basket->row_count > 4; /* each has an answer, transfers, movements and a receipt */
    }
    for (size_t i = 0; i < TABLES; i++)
        sqlite3_finalize(reads[i]);
    return good && peer->basket_count;
}

/* ---- writing ---------------------------------------------------------------------------------------------- */

static bool run(sqlite3_stmt *statement)
{
    bool done = sqlite3_step(statement) == SQLITE_DONE;
    return sqlite3_reset(statement) == SQLITE_OK && done;
}

static bool write_row(struct peer *peer, const struct row *row)
{
    sqlite3_stmt *write = peer->writes[row->table];
    uint64_t id[2] = {souk_mix64(++peer->fresh), souk_mix64(~peer->fresh)};
    /* columns that say whose row it is stand for the new id in two tables */
    int own = row->table == TABLE_MOVEMENT || row->table == TABLE_RECEIPT;
    sqlite3_bind_blob(write, 1, id, sizeof id, SQLITE_STATIC);
    for (int i = 0; i < tables[row->table].columns - own; i++)
        sqlite3_bind_value(write, i + 2, row->values[i]);
    return run(write);
}

static bool write_basket(struct peer *peer, const struct basket *basket)
{
    sqlite3_bind_int64(peer->till, 1, basket->till);
    bool good = run(peer->till);
    for (size_t i = 0; i < basket->row_count && good; i++)
        good = write_row(peer, &basket->rows[i]);
    return good;
}

static bool write_all(struct peer *peer, uint64_t baskets, unsigned group)
{
    bool good = true;
    for (uint64_t i = 0; i < baskets && good;) {
        good = run(peer->begin);
        for (unsigned k = 0; k < group && i < baskets && good; k++, i++)
            good = write_basket(peer, &peer->baskets[i % peer->basket_count]);
        good = good && run(peer->commit);
    }
    return good;
}

/* Tills of the sample that this shop has not seen yet. */
static bool open_tills(const struct peer *peer)
{
    bool good = true;
    for (size_t i = 0; i < peer->basket_count && good; i++) {
        char sql[200];
        snprintf(sql, sizeof sql,
                 "INSERT INTO till (id, merchant, store, name, number) VALUES (%lld, 1, 'S', "
                 "'T%lld', 0) ON CONFLICT DO NOTHING",
                 (long long)peer->baskets[i].till, (long long)peer->baskets[i].till);
        good = sqlite3_exec(peer->db, sql, NULL, NULL, NULL) == SQLITE_OK;
    }
    return good;
}

static bool open_peer(struct peer *peer, const char *folder)
{
    char path[700];
    snprintf(path, sizeof path, "%s/ledger", folder);
    bool good =
        sqlite3_open(path, &peer->db) == SQLITE_OK &&
        sqlite3_exec(peer->db, "PRAGMA synchronous = FULL", NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(peer->db, "UPDATE till SET number = number + 1 WHERE id = ?1", -1,
                           &peer->till, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(peer->db, "BEGIN IMMEDIATE", -1, &peer->begin, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(peer->db, "COMMIT", -1, &peer->commit, NULL) == SQLITE_OK;
    for (size_t i = 0; i < TABLES && good; i++)
        good =
            sqlite3_prepare_v2(peer->db, tables[i].write, -1, &peer->writes[i], NULL) == SQLITE_OK;
    return good && open_tills(peer);
}

static void close_peer(struct peer *peer)
{
    for (size_t i = 0; i < TABLES; i++)
        sqlite3_finalize(peer->writes[i]);
    sqlite3_finalize(peer->till);
    sqlite3_finalize(peer->begin);
    sqlite3_finalize(peer->commit);
    sqlite3_close(peer->db);
    for (size_t i = 0; i < peer->basket_count; i++)
        for (size_t k = 0; k < peer->baskets[i].row_count; k++)
            for (size_t v = 0; v < VALUES_MOST; v++)
                sqlite3_value_free(peer->baskets[i].rows[k].values[v]);
}

static double thread_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool run_peer(struct peer *peer, const char *from, const char *to, uint64_t baskets,
                     unsigned group, till_peer *ret_peer)
{
    char path[700];
    sqlite3 *db = NULL;
    snprintf(path, sizeof path, "%s/ledger", from);
    bool good = sqlite3_open(path, &db) == SQLITE_OK && take_sample(peer, db);
    sqlite3_close(db);
    if (!good || !open_peer(peer, to))
        return false;
    double began_s = bench_wall_s(), cpu_s = thread_s();
    good = write_all(peer, baskets, group);
    ret_peer->baskets_per_s = (double)baskets / (bench_wall_s() - began_s);
    ret_peer->cpu_ms = 1e3 * (thread_s() - cpu_s) / (double)baskets;
    ret_peer->rows = 1; /* the till's */
    for (size_t i = 0; i < peer->basket_count; i++)
        ret_peer->rows += (double)peer->baskets[i].row_count / (double)peer->basket_count;
    return good;
}

souk_err till_peer_run(const char *from, const char *to, uint64_t baskets, unsigned group,
                       till_peer *ret_peer, souk_diag *diag)
{
    struct peer *peer = calloc(1, sizeof *peer);
    if (!peer)
        return SOUK_ENOMEM;
    peer->fresh = souk_mix64((uint64_t)getpid()) ^ (uint64_t)(bench_wall_s() * 1e6);
    bool good = run_peer(peer, from, to, baskets, group, ret_peer);
    souk_err err =
        good ? SOUK_OK
             : souk_diag_say(diag, SOUK_EIO, "SQLite's own rows cannot be written in %s: %s", to,
                             peer->db ? sqlite3_errmsg(peer->db) : "no rows to take");
    close_peer(peer);
    free(peer);
    return err;
}

/* ---- slow syncs --------------------------------------------------------------------------------------------- */

enum { KINDS_MOST = 4 }; /* of files: databases are locked, logs are not */

static unsigned slow_ms; /* atomic */
static sqlite3_vfs *fast, slow;
static int (*fast_sync)(sqlite3_file *file, int flags);
static struct kind {
    const sqlite3_io_methods *fast;
    sqlite3_io_methods slow;
} kinds[KINDS_MOST];
static souk_mutex kinds_lock = SOUK_MUTEX_INIT;

static int sync_slowly(sqlite3_file *file, int flags)
{
    unsigned ms = __atomic_load_n(&slow_ms, __ATOMIC_RELAXED);
    if (ms)
        usleep(1000 * ms);
    return fast_sync(file, flags);
}

static const sqlite3_io_methods *slow_of(const sqlite3_io_methods *methods)
{
    souk_auto_lock(&kinds_lock);
    struct kind *kind = kinds;
    while (kind->fast && kind->fast != methods)
        kind++;
    souk_assert(kind < kinds + KINDS_MOST && (!fast_sync || fast_sync == methods->xSync));
    if (!kind->fast) {
        fast_sync = methods->xSync;
        kind->slow = *methods;
        kind->slow.xSync = sync_slowly;
        kind->fast = methods;
    }
    return &kind->slow;
}

/* A file is the machine's own, but for the sync of its methods. */
static int open_slow(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                     int *ret_flags)
{
    (void)vfs;
    int code = fast->xOpen(fast, name, file, flags, ret_flags);
    if (code == SQLITE_OK && file->pMethods)
        file->pMethods = slow_of(file->pMethods);
    return code;
}

void till_slow_syncs(unsigned ms)
{
    __atomic_store_n(&slow_ms, ms, __ATOMIC_RELAXED);
    if (fast)
        return;
    fast = sqlite3_vfs_find(NULL);
    souk_assert(fast != NULL);
    slow = *fast;
    slow.pNext = NULL;
    slow.zName = "slow";
    slow.xOpen = open_slow;
    int code = sqlite3_vfs_register(&slow, 1);
    souk_assert(code == SQLITE_OK);
}
