/* ledger_backend.h - what a database must be able to do to stand behind ledger.h; private to store/.
 *
 * A backend is one const struct of functions.  It brings connections (souk_tx); the writer thread,
 * the lanes, the groups and the pool of readers are the same for all of them (writer.c, ledger.c).
 *
 *     struct sqlite_tx { souk_tx tx; sqlite3 *db; … };          a connection begins with a souk_tx
 *     souk_ledger_open_on(mem, &souk_ledger_sqlite, place, options, &ledger, diag)
 *
 * Threads  a connection is used by one thread at a time. */
#ifndef SOUK_STORE_LEDGER_BACKEND_H
#define SOUK_STORE_LEDGER_BACKEND_H

#include "store/ledger.h"

typedef struct souk_ledger_backend souk_ledger_backend;

/* The part of a connection that every backend has. */
struct souk_tx {
    const souk_ledger_backend *backend;
    bool writes;     /* a connection that commits; on SQLite the only one, which checkpoints, too */
    bool doubtful;   /* a sync failed, or a commit ended in an I/O error: never go on */
    souk_err failed; /* the first failed statement of the running closure */
    uint64_t changed;   /* rows, by the last statement that writes */
    size_t open_rows;   /* cursors not yet done */
    uint64_t log_pages; /* in the write-ahead log after the last commit; 0 where there is none */
    uint64_t written_bytes; /* by all commits so far */
    char words[200];        /* about the last error */
};

struct souk_ledger_backend {
    const char *name;
    /* Several connections may write at once: tills then run beside the writer (see tills.h), and begin makes a
     * lost connection anew. */
    bool parallel;

    /* place: what the backend was opened with; freed by forget, after the last connection. */
    souk_err (*connect)(void *place, bool writes, souk_tx **ret_tx, souk_diag *diag);
    /* clean: the writer's last act, after a checkpoint that moved everything. */
    void (*disconnect)(souk_tx *tx, bool clean);
    void (*forget)(void *place);

    souk_err (*begin)(souk_tx *tx);
    souk_err (*commit)(souk_tx *tx); /* on failure the caller rolls back */
    void (*rollback)(souk_tx *tx);
    bool (*is_open)(souk_tx *tx); /* false once an error has ended the transaction by itself */
    souk_err (*savepoint)(souk_tx *tx);
    souk_err (*rollback_to)(souk_tx *tx); /* undoes and removes the savepoint */
    souk_err (*release)(souk_tx *tx);

    /* The first act of a transaction that changes a schema: alone among all nodes until its end.  NULL: there
     * are no other nodes. */
    souk_err (*guard_schema)(souk_tx *tx);

    souk_err (*run)(souk_tx *tx, const char *sql, const souk_value *values, size_t count);
    souk_err (*script)(souk_tx *tx, const char *sql);
    souk_err (*rows_begin)(souk_tx *tx, const char *sql, const souk_value *values, size_t count,
                           souk_rows *rows);
    souk_err (*rows_next)(souk_rows *rows, bool *ret_more);
    enum souk_value_kind (*rows_kind)(const souk_rows *rows, unsigned column);
    int64_t (*rows_int)(const souk_rows *rows, unsigned column);
    double (*rows_real)(const souk_rows *rows, unsigned column);
    souk_err (*rows_bytes)(souk_rows *rows, unsigned column, souk_text *ret_bytes);
    void (*rows_done)(souk_rows *rows);
    souk_err (*blob_read)(souk_tx *tx, const char *table, const char *column, int64_t rowid,
                          size_t offset, void *to, size_t bytes);

    /* SOUK_EBUSY: a reader stands in the way of truncating. */
    souk_err (*checkpoint)(souk_tx *tx, bool truncate);
    souk_err (*backup)(void *place, souk_disk *to, const char *name, souk_ledger_progress *progress,
                       void *context);
    souk_err (*verify)(void *place, souk_diag *diag);
};

extern const souk_ledger_backend souk_ledger_sqlite, souk_ledger_postgres;

/* Fills in the defaults of ledger.h. */
souk_ledger_options souk_ledger_options_of(const souk_ledger_options *given);

/* A pause with chance in it, for who has to try again beside others: attempt 0 about a millisecond, doubled up to
 * about a hundred. */
void souk_ledger_pause(unsigned attempt);

/* Opens the writer's connection and starts.  Takes the place, also on failure. */
SOUK_CHECKED souk_err souk_ledger_open_on(souk_mem *mem, const souk_ledger_backend *backend,
                                          void *place, const souk_ledger_options *options,
                                          souk_ledger **ret_ledger, souk_diag *diag);

#endif
